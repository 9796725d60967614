/* commands.c - the table of all commands and the options that each takes. */
#include "commands.h"

#include <string.h>

#define COMMON " seed threads quiet config"
/* Where a checkpoint or a preset says how data are read: the options have no standard values. */
#define MODEL_DATA " tasks= uncertain= blank= views= size= resize= interpolation= normalize="

static const command commands[] = {
    {.name = "nets",
     .usage = "",
     .what = "Lists the networks: parameters with 14 and 1000 outputs, multiply-adds at 320x320, smallest input, "
             "ImageNet top-1.",
     .example = "thorax nets",
     .options = "json" COMMON},
    {.name = "summary",
     .usage = "NET|RUN|FILE [--option VALUE]...",
     .what = "Prints a row a layer, the planned memory to the byte, and the bytes that a step moves.",
     .example = "thorax summary resnet50 --size 320 --batch 16",
     .options = "cut classes size batch mode json" COMMON,
     .least = 1,
     .most = 1},
    {.name = "train",
     .usage = "--net NET --out RUN [--data DIR] [--option VALUE]...",
     .what = "Trains a network on radiographs laid out as CheXpert.",
     .notes = "RUN receives config.txt, log.csv, metrics.csv, predictions-valid.csv, predictions-test.csv, "
              "digests.txt, checkpoints/, state.safetensors, environment.txt and report.html. Interrupted, the same "
              "command line goes on where it stopped and ends with the same bytes; more --steps or --epochs extend a "
              "run with a constant schedule. A run that is damaged or was made with other options is refused.",
     .example = "thorax train --net resnet18 --size 128 --epochs 10 --out run",
     .options = "net cut data out init tasks uncertain blank views size resize interpolation normalize augment "
                "bad-images limit epochs steps batch optimizer lr betas eps alpha momentum weight-decay bn-momentum "
                "pos-weight schedule warmup freeze eval-every keep states digest-every overfit dry-run restart "
                "json" COMMON},
    {.name = "eval",
     .usage = "MODEL... [--data DIR] [--option VALUE]...",
     .what = "Scores models on a split: AUC with 95% intervals, sensitivity and specificity at the best threshold, "
             "calibration error.",
     .notes =
         "MODEL is a RUN folder, a checkpoint, a weights file, or a CSV of predictions (Path or Study, and a column "
         "a task); of one whose outputs or columns others have named, those are scored that are tasks of the "
         "table. With CSVs alone no image is needed, and the table of labels may have Study in the place of Path. "
         "Several MODELs are scored each and as their ensemble, and compared in pairs: differences, intervals and "
         "p by DeLong's test, of means by the paired bootstrap, with Holm's correction (more than four: the first "
         "with each other; the ensemble with each of its members).",
     .example = "thorax eval run --split test\nthorax eval mine.csv theirs.csv --data labels --split test",
     .options =
         "net= cut= data split unit ensemble interval replicates group out=" MODEL_DATA " bad-images batch json" COMMON,
     .least = 1,
     .most = -1},
    {.name = "predict",
     .usage = "MODEL IMAGE...|--split SPLIT [--option VALUE]...",
     .what = "Prints a CSV row an image: probabilities of the tasks.",
     .notes =
         "An IMAGE may be a folder (every image below it, sorted), and - reads paths from standard input. A path that "
         "does not exist as it stands is looked up below the data, from its train/, valid/ or test/ part on. With "
         "--split, the images of a table of the data; --unit study gives a row a study, the maximum over its images. "
         "The data are a RUN's own unless --data says otherwise. --json: a list of images, each with its path and its "
         "probabilities by task. --top K: a row has top_1, p_1 to top_K, p_K: tasks, or numbers of outputs, and their "
         "values. Images come to their size by Pillow's filters, also those for TorchXRayVision's "
         "weights, which there come by scikit-image's: outputs are equal on images that have the size already.",
     .example = "thorax predict run radiograph.jpg more/ >probabilities.csv",
     .options =
         "net= cut= data split= unit=image logits softmax top ensemble" MODEL_DATA " bad-images batch json" COMMON,
     .least = 1,
     .most = -1},
    {.name = "cam",
     .usage = "MODEL IMAGE... [--task TASK] [--out DIR] [--boxes FILE]",
     .what = "Makes class activation maps (Grad-CAM): which part of an image speaks for a task.",
     .notes =
         "An IMAGE is as in predict; without one, those that have boxes. For each image and task, --out receives an "
         "overlay NAME.TASK.png (the resized image in grey, coloured where the map is positive, darker where the "
         "network "
         "does not see it) and NAME.TASK.npy (the map before its ReLU, float32); and maps.csv, a row a map, which is "
         "also "
         "printed. --boxes FILE (Path,Finding,x,y,w,h, fractions of the image, upper left corner) makes maps of the "
         "findings that are tasks too, and prints by finding how they agree with the boxes, those of one image and "
         "finding taken together: hit, the largest value lies in one; IoU, of the boxes and the pixels of at least "
         "half of "
         "it; energy, the share of positive values within. Paths of boxes are looked up below the data: --data, a "
         "RUN's "
         "own, else the sample.",
     .example = "thorax cam run radiograph.jpg --task Edema --out maps",
     .options =
         "net= cut= task out=cam boxes data size= resize= interpolation= normalize= bad-images batch json" COMMON,
     .least = 1,
     .most = -1},
    {.name = "study",
     .usage = "--out DIR [--data DIR] [--preset NAME|FILE] [--option VALUE]...",
     .what =
         "Repeats the CheXtransfer study: every network from random and from pretrained weights, and truncated ones.",
     .notes = "Each job, named NET[-K].INIT.SEED, is a run in a folder of its own below --out; a study that is "
              "interrupted goes "
              "on with the same command line. --list prints a command line a job, for make -j, GNU parallel or a "
              "scheduler, and "
              "--report gathers what they leave; several `study` on the same folder share its jobs. A job that fails "
              "is named, "
              "the others go on, and the exit status is 1. Presets are files (bench/presets, share/thorax/presets): "
              "lines `key = "
              "value` as of train and study, KEY.NET for one network, pretrain.KEY for the making of source weights. "
              "Options of "
              "data that are given win over the preset's.",
     .example = "thorax study --out study",
     .options =
         "data out preset pretrained nets seeds at-once examples replicates group list job report json" MODEL_DATA
         " bad-images=" COMMON},
    {.name = "data",
     .usage = "check DIR [--decode]",
     .what = "Checks a dataset: counts, labels, patients in two splits, missing files, image headers.",
     .example = "thorax data check CheXpert-v1.0-small --decode",
     .options = "decode tasks uncertain blank views json" COMMON,
     .least = 2,
     .most = 2},
    {.name = "speed",
     .usage = "[--net NET] [--option VALUE]...",
     .what = "Measures images per second; --layers a row a layer, --kernels the kernels alone.",
     .example = "thorax speed --net resnet18 --mode infer --batch 1",
     .options = "net=resnet18 cut size batch mode layers kernels json" COMMON},
    {.name = "audit",
     .usage = "[OP]...",
     .what = "Compares every operation, or those named, with its definition in double precision, and that with central "
             "differences.",
     .notes = "A row an operation: the largest error of what runs, in units of the last place and in shares of the "
              "largest value, of results and of gradients; the error of the definition's gradient; a verdict. Exit "
              "status 1 if a row does not hold. Of another instruction set with TX_ISA.",
     .example = "thorax audit conv2d depthwise",
     .options = "json" COMMON,
     .most = -1},
    {.name = "convert",
     .usage = "IN OUT [--option VALUE]...",
     .what = "Writes weights from one file to another, .pth, .pt or .safetensors by OUT's ending.",
     .notes =
         "IN is a weights file, a RUN (its best checkpoint), or a folder of published weights. Its network is known by "
         "its tensors, else by its name, else by --net. --cut K leaves blocks out and keeps the weights of what "
         "remains; "
         "--classes C gives it a new last layer of C outputs, drawn by --seed. Tensors that do not match are an error "
         "that "
         "lists them, unless --partial. A .pth is what torch.load(weights_only=True) and a strict load_state_dict "
         "take; "
         "a .safetensors file carries network, blocks cut and how images come to it, too.",
     .example = "thorax convert run model.pth --names timm",
     .options = "net= cut= classes= partial names" COMMON,
     .least = 2,
     .most = 2},
    {.name = "help",
     .usage = "[COMMAND]",
     .what = "Prints what a command does and its options, or lists the commands.",
     .example = "thorax help train",
     .options = "",
     .most = 1},
    {.name = "completion",
     .usage = "bash|zsh|fish",
     .what = "Prints a script that completes commands, options and values in a shell.",
     .notes =
         "bash: source <(thorax completion bash), or save it as thorax in ~/.local/share/bash-completion/completions. "
         "zsh: save it as _thorax in a folder of $fpath. fish: save it as ~/.config/fish/completions/thorax.fish.",
     .example = "thorax completion bash >thorax.bash",
     .options = "",
     .least = 1,
     .most = 1},
    {.name = "pretrain",
     .usage = "--net NET --out FILE [--option VALUE]...",
     .what = "Makes initial weights without a download: a network trained to tell fractals apart.",
     .notes =
         "Images are attractors of iterated function systems, a class a system, drawn as they are needed (Kataoka et "
         "al., \"Pre-training without Natural Images\", ACCV 2020). FILE.safetensors is for train --init: the last "
         "layer is replaced there, and inputs are normalised as here. --size is the network's smallest input or 64 "
         "where nobody says it. Interrupted, the same command line goes on from FILE.state, which is written each "
         "minute, and ends with the same bytes. A FILE that was made with other options is refused.",
     .example = "thorax pretrain --net resnet18 --out resnet18.safetensors",
     .options =
         "net out classes=100 instances size= epochs=4 steps batch=32 optimizer lr=1e-3 betas eps alpha momentum "
         "weight-decay bn-momentum=0.1 schedule=cosine warmup=20 restart json" COMMON},
    {.name = "verify",
     .usage = "RUN [--data DIR] [--from STEP] [--to STEP]",
     .what = "Repeats a run, or a stretch of it, and compares: digests of weights, losses, evaluations, checkpoints, "
             "states, predictions, a study's ensembles and maps; and every file with what the run noted of it.",
     .notes =
         "Nothing in RUN is changed, and a run may be at work there meanwhile. Of a study's folder every job is "
         "verified. A stretch begins at the start or at a state that train --states kept; predictions, ensembles and "
         "maps are repeated when the whole run is. Threads and instruction set may be others than the run's; where "
         "data or "
         "initial "
         "weights lie elsewhere, --data and --init say where. Exit status 1 at the first difference, which is named: "
         "step, file, tensor, element, both values; and if a file is not as the run wrote it.",
     .example = "thorax verify run --from 200 --to 300",
     .options = "data init= from to json" COMMON,
     .least = 1,
     .most = 1},
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
