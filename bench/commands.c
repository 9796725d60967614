/* commands.c - the table of all commands and the options that each takes. */
#include "commands.h"
#include "bench.h"

#include <string.h>

#define COMMON " seed threads quiet config"
/* Where a checkpoint or a preset says how data are read: the options have no standard values. */
#define MODEL_DATA " tasks= uncertain= blank= views= size= resize= interpolation= normalize="

static const command commands[] = {
    {"nets", "",
     "Lists the networks: parameters with 14 and 1000 outputs, multiply-adds at 320x320, smallest input, ImageNet "
     "top-1.",
     "json" COMMON, 0, 0, command_nets, NULL},
    {"summary", "NET [--option VALUE]...", "Prints a row a layer and the planned memory to the byte.",
     "cut classes size batch mode json" COMMON, 1, 1, command_summary, NULL},
    {"train", "--net NET --out RUN [--data DIR] [--option VALUE]...",
     "Trains a network on radiographs laid out as CheXpert.",
     "net cut data out init tasks uncertain blank views size resize interpolation normalize augment bad-images "
     "limit "
     "epochs steps batch optimizer lr betas eps momentum weight-decay bn-momentum pos-weight schedule warmup "
     "freeze "
     "eval-every keep states digest-every overfit dry-run restart json" COMMON,
     0, 0, command_train,
     "RUN receives config.txt, log.csv, metrics.csv, predictions-valid.csv, predictions-test.csv, digests.txt, "
     "checkpoints/,\n"
     "state.safetensors, environment.txt and report.html. Interrupted, the same command line goes on where it "
     "stopped and ends\n"
     "with the same bytes."},
    {"eval", "MODEL... [--data DIR] [--option VALUE]...",
     "Scores models on a split: AUC with 95% intervals, sensitivity and specificity at the best threshold, "
     "calibration error.",
     "net= cut= data split unit ensemble out=" MODEL_DATA " bad-images batch json" COMMON, 1, -1, command_eval,
     "MODEL is a RUN folder, a checkpoint or a weights file. Several MODELs are scored each, and as their "
     "ensemble."},
    {"predict", "MODEL IMAGE... [--logits]", "Prints a CSV row an image: probabilities of the tasks.",
     "net= cut= data logits ensemble" MODEL_DATA " bad-images batch" COMMON, 2, -1, command_predict,
     "An IMAGE may be a folder (every image below it, sorted), and - reads paths from standard input. With --data, a\n"
     "path that does not exist as it stands is looked up below DIR from its train/, valid/ or test/ part on. What\n"
     "concerns labels and views has no meaning for images without a table."},
    {"study", "--out DIR [--data DIR] [--preset quick|FILE]",
     "Trains on the sample or on DIR, scores the test split and writes DIR/report.html.",
     "data out preset json" MODEL_DATA " bad-images=" COMMON, 0, 0, command_study,
     "Options of data that are given win over the preset's."},
    {"data", "check DIR [--decode]",
     "Checks a dataset: counts, labels, patients in two splits, missing files, image headers.",
     "decode tasks uncertain blank views json" COMMON, 2, 2, command_data, NULL},
    {"speed", "[--net NET] [--option VALUE]...",
     "Measures images per second; --layers a row a layer, --kernels the kernels alone.",
     "net=resnet18 cut size batch mode layers kernels json" COMMON, 0, 0, command_speed, NULL},
    {"cam", NULL, NULL, "", 0, 0, NULL, NULL},
    {"pretrain", NULL, NULL, "", 0, 0, NULL, NULL},
    {"convert", NULL, NULL, "", 0, 0, NULL, NULL},
    {"audit", NULL, NULL, "", 0, 0, NULL, NULL},
    {"verify", NULL, NULL, "", 0, 0, NULL, NULL},
};

int command_count(void)
{
    return (int)(sizeof commands / sizeof commands[0]);
}

const command *command_at(int i)
{
    return &commands[i];
}

const command *command_find(const char *name)
{
    for (int i = 0; i < command_count(); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
