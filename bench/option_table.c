/* option_table.c - the table of all options: what a value may be, what it is where nobody gives one, what --help says. */
#include "option_table.h"
#include "../io/io.h"
#include "message.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

const char *net_name(const void *context, int i)
{
    (void)context;
    return tx_net_at(i)->name;
}

int net_choice_check(const tx_net_choice *choice)
{
    if (choice->cut > choice->net->blocks)
        return complain(EXIT_USAGE, "--cut %d: %s has %d final blocks that can be cut", choice->cut, choice->net->name,
                        choice->net->blocks);
    if (choice->size < choice->net->smallest)
        return complain(EXIT_USAGE, "--size %d: the smallest input of %s is %d", choice->size, choice->net->name,
                        choice->net->smallest);
    return EXIT_DONE;
}

static const char *check_net(const char *value)
{
    static char wrong[160];
    char near[TX_HINT];
    if (tx_net_find(value))
        return NULL;
    snprintf(wrong, sizeof wrong, "unknown network%s (thorax nets lists them)",
             tx_nearest_hint(near, value, tx_nets(), net_name, NULL));
    return wrong;
}

static const char *check_normalize(const char *value)
{
    tx_normalize n;
    return tx_normalize_parse(value, &n) ? "expected imagenet, chexpert, half, xrv, none or M,M,M/S,S,S with S above 0"
                                         : NULL;
}

static const char *check_uncertain(const char *value)
{
    return tx_uncertain_check(value) ? "expected ignore, zeros, ones, or by task, as ignore,ones:Edema+Pneumonia"
                                     : NULL;
}

static const char *check_resize(const char *value)
{
    tx_preprocess how;
    return tx_resize_parse(value, &how) ? "expected short, short=N or stretch" : NULL;
}

static const char *check_augment(const char *value)
{
    tx_augment a;
    return tx_augment_parse(value, &a) ? "expected " TX_AUGMENT_EXPECTED : NULL;
}

static const char *check_betas(const char *value)
{
    double beta1, beta2;
    return betas_read(value, &beta1, &beta2) ? "expected two numbers below 1, as 0.9,0.999" : NULL;
}

static const option table[] = {
    {"net", OPTION_TEXT, ABOUT_NETWORK, "NET", NULL, 0, 0, NULL, "the network (thorax nets lists them)", check_net},
    {"cut", OPTION_WHOLE, ABOUT_NETWORK, "K", NULL, 0, 16, "0", "final blocks to leave out", NULL},
    {"classes", OPTION_WHOLE, ABOUT_NETWORK, "C", NULL, 1, 1000000, "14", "outputs", NULL},
    {"instances", OPTION_WHOLE, ABOUT_IMAGES, "N", NULL, 1, 1e6, "50", "images of each class of fractals", NULL},
    {"data", OPTION_TEXT, ABOUT_DATA, "DIR", NULL, 0, 0, NULL,
     "folder with train.csv, valid.csv, maybe test.csv or test_labels.csv (default: a RUN's own; of train and study "
     "the sample)",
     NULL},
    {"out", OPTION_TEXT, ABOUT_RUN, "DIR", NULL, 0, 0, NULL, "folder for the results", NULL},
    {"preset", OPTION_TEXT, ABOUT_RUN, "FILE", "quick|night|paper", 0, 0, "quick",
     "quick, night, paper, or a file of options", NULL},
    {"pretrained", OPTION_TEXT, ABOUT_NETWORK, "DIR", NULL, 0, 0, NULL,
     "folder of published weights for the pretrained jobs (default: weights are made, see pretrain)", NULL},
    {"nets", OPTION_TEXT, ABOUT_NETWORK, "LIST", NULL, 0, 0, NULL,
     "the jobs of these networks alone, names with commas between", NULL},
    {"seeds", OPTION_WHOLE, ABOUT_RUN, "N", NULL, 1, 1000, "1", "every job with so many seeds, from --seed on", NULL},
    {"at-once", OPTION_WHOLE, ABOUT_MACHINE, "N", NULL, 1, JOBS_AT_ONCE, "1",
     "jobs side by side, each a process with its share of the threads", NULL},
    {"examples", OPTION_WHOLE, ABOUT_OUTPUT, "N", NULL, 0, 100, "2", "images of which each job makes pictures of maps",
     NULL},
    {"list", OPTION_SWITCH, ABOUT_RUN, NULL, NULL, 0, 0, NULL, "print a command line a job, and do nothing", NULL},
    {"job", OPTION_TEXT, ABOUT_RUN, "NAME", NULL, 0, 0, NULL, "do this job alone, without a report", NULL},
    {"report", OPTION_SWITCH, ABOUT_RUN, NULL, NULL, 0, 0, NULL, "gather the jobs that are complete", NULL},
    {"init", OPTION_TEXT, ABOUT_NETWORK, "FILE", "random", 0, 0, "random",
     "initial weights: random, a weights file, a folder of published ones, or a RUN's best checkpoint", NULL},
    {"partial", OPTION_SWITCH, ABOUT_NETWORK, NULL, NULL, 0, 0, NULL,
     "tensors that do not match are listed and passed over", NULL},
    {"names", OPTION_CHOICE, ABOUT_NETWORK, "LIBRARY", "torchvision|timm", 0, 0, "torchvision",
     "whose names the tensors get", NULL},
    {"split", OPTION_CHOICE, ABOUT_DATA, "SPLIT", "valid|test", 0, 0, "valid", "which table of the data", NULL},
    {"unit", OPTION_CHOICE, ABOUT_DATA, "UNIT", "study|image", 0, 0, "study",
     "what is scored; of a study the maximum over its views", NULL},
    {"task", OPTION_TEXT, ABOUT_OUTPUT, "TASK", "top|all", 0, 0, "top",
     "of which maps are made: top (the most probable one of each image), all, a name, or an output's number", NULL},
    {"boxes", OPTION_TEXT, ABOUT_DATA, "FILE", NULL, 0, 0, NULL, "boxes of findings, to compare maps with", NULL},
    {"ensemble", OPTION_SWITCH, ABOUT_NETWORK, NULL, NULL, 0, 0, NULL,
     "of a RUN all kept checkpoints together: the mean of their probabilities", NULL},
    {"logits", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL, "logits instead of probabilities", NULL},
    {"softmax", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL,
     "probabilities of classes of which one is meant; so in any case where 1000 or 1001 outputs have no names, as "
     "ImageNet's",
     NULL},
    {"top", OPTION_WHOLE, ABOUT_OUTPUT, "K", NULL, 1, 65536, NULL,
     "of each image the K largest outputs alone, the largest first", NULL},
    {"interval", OPTION_CHOICE, ABOUT_OUTPUT, "KIND", "delong|bootstrap", 0, 0, "delong",
     "95% intervals of AUCs: by DeLong's variance on the logit scale, or percentiles of the bootstrap, which the means "
     "have too",
     NULL},
    {"replicates", OPTION_WHOLE, ABOUT_OUTPUT, "N", NULL, 10, 1e7, "1000", "of the bootstrap", NULL},
    {"group", OPTION_CHOICE, ABOUT_OUTPUT, "UNIT", "study|patient", 0, 0, "study",
     "what the bootstrap draws, with all its images", NULL},
    {"decode", OPTION_SWITCH, ABOUT_DATA, NULL, NULL, 0, 0, NULL, "decode every image, not only its headers", NULL},

    {"tasks", OPTION_TEXT, ABOUT_DATA, "LIST", "all|competition", 0, 0, "all",
     "all, competition, or names with commas between", NULL},
    {"uncertain", OPTION_TEXT, ABOUT_DATA, "HOW", "ignore|zeros|ones", 0, 0, "ignore",
     "what -1 means: ignore, zeros, ones; or by task, as ignore,ones:Edema+Pneumonia", check_uncertain},
    {"blank", OPTION_CHOICE, ABOUT_DATA, "HOW", "zeros|ignore", 0, 0, "zeros",
     "what an empty cell means, or nan, or NA", NULL},
    {"views", OPTION_CHOICE, ABOUT_DATA, "VIEWS", "all|frontal|lateral", 0, 0, "all", "which images", NULL},
    {"size", OPTION_WHOLE, ABOUT_IMAGES, "S", NULL, 1, TX_SIZE_MAX, "320", "side of the square that the network sees",
     NULL},
    {"resize", OPTION_TEXT, ABOUT_IMAGES, "HOW", "short|stretch", 0, 0, "short",
     "short: the shorter side to the size, then a crop; short=N: the shorter side to N, then a crop of the size; "
     "stretch: both sides to the size",
     check_resize},
    {"interpolation", OPTION_CHOICE, ABOUT_IMAGES, "FILTER", "bilinear|bicubic|lanczos|box|hamming|nearest", 0, 0,
     "bilinear", "Pillow's filter", NULL},
    {"normalize", OPTION_TEXT, ABOUT_IMAGES, "HOW", "imagenet|chexpert|half|xrv|none", 0, 0, NULL,
     "imagenet, chexpert, half, xrv (TorchXRayVision's -1024 to 1024), none, or M,M,M/S,S,S (default: what the weights "
     "expect)",
     check_normalize},
    {"augment", OPTION_TEXT, ABOUT_IMAGES, "LIST", "none|flip", 0, 0, "none",
     "how training images are changed: none, or with commas flip, rotate=DEG, scale=F, brightness=F, contrast=F "
     "(uniform in "
     "-DEG..DEG, factors 1-F..1+F)",
     check_augment},
    {"bad-images", OPTION_CHOICE, ABOUT_DATA, "HOW", "fail|skip", 0, 0, "fail",
     "at an image that cannot be read, or has no row in a CSV of predictions", NULL},
    {"limit", OPTION_WHOLE, ABOUT_DATA, "N", NULL, 1, 2e9, NULL, "the first N training images alone", NULL},

    {"epochs", OPTION_WHOLE, ABOUT_TRAINING, "N", NULL, 1, 1e6, "3", "passes over the training images", NULL},
    {"steps", OPTION_WHOLE, ABOUT_TRAINING, "N", NULL, 1, 2e9, NULL, "steps of the whole run, instead of epochs", NULL},
    {"batch", OPTION_WHOLE, ABOUT_NETWORK, "N", NULL, 1, 65536, "16", "images at a time", NULL},
    {"mode", OPTION_CHOICE, ABOUT_NETWORK, "MODE", "train|infer", 0, 0, "train", "what the network is to do", NULL},
    {"optimizer", OPTION_CHOICE, ABOUT_TRAINING, "RULE", "adam|adamw|sgd|rmsprop", 0, 0, "adam", "update rule", NULL},
    {"lr", OPTION_REAL, ABOUT_TRAINING, "X", NULL, 0, 1e6, "1e-4", "learning rate", NULL},
    {"betas", OPTION_TEXT, ABOUT_TRAINING, "A,B", NULL, 0, 0, "0.9,0.999", "of adam and adamw", check_betas},
    {"eps", OPTION_REAL, ABOUT_TRAINING, "X", NULL, 0, 1e6, "1e-8", "of adam, adamw and rmsprop", NULL},
    {"alpha", OPTION_REAL, ABOUT_TRAINING, "X", NULL, 0, 1, "0.99", "of rmsprop: weight of the older squares", NULL},
    {"momentum", OPTION_REAL, ABOUT_TRAINING, "X", NULL, 0, 1, NULL, "of sgd (default 0.9) and rmsprop (0)", NULL},
    {"weight-decay", OPTION_REAL, ABOUT_TRAINING, "X", NULL, 0, 1e6, "0", "L2 penalty; decoupled in adamw", NULL},
    {"bn-momentum", OPTION_REAL, ABOUT_TRAINING, "M", NULL, 0, 1, NULL,
     "of the running statistics (default: the network's own)", NULL},
    {"pos-weight", OPTION_CHOICE, ABOUT_TRAINING, "HOW", "none|balanced", 0, 0, "none",
     "weight of positives in the loss", NULL},
    {"schedule", OPTION_CHOICE, ABOUT_TRAINING, "KIND", "constant|cosine|step", 0, 0, "constant",
     "of the learning rate; step: a tenth after each third", NULL},
    {"warmup", OPTION_WHOLE, ABOUT_TRAINING, "N", NULL, 0, 2e9, "0", "steps in which the rate rises linearly", NULL},
    {"freeze", OPTION_TEXT, ABOUT_TRAINING, "LIST", NULL, 0, 0, NULL,
     "parameters whose names begin so keep their values (prefixes with commas between)", NULL},
    {"eval-every", OPTION_WHOLE, ABOUT_RUN, "N", NULL, 1, 2e9, "8192", "examples between evaluations on valid", NULL},
    {"keep", OPTION_WHOLE, ABOUT_RUN, "N", NULL, 1, 1000, "10", "best checkpoints to keep", NULL},
    {"states", OPTION_WHOLE, ABOUT_RUN, "N", NULL, 1, 2e9, NULL, "keep a full state every N steps", NULL},
    {"digest-every", OPTION_WHOLE, ABOUT_RUN, "N", NULL, 1, 2e9, NULL, "a line of digests.txt every N steps", NULL},
    {"from", OPTION_WHOLE, ABOUT_RUN, "STEP", NULL, 0, 2e9, "0",
     "repeat what comes after this step, from the nearest kept state that is not behind it", NULL},
    {"to", OPTION_WHOLE, ABOUT_RUN, "STEP", NULL, 1, 2e9, NULL, "the last step to repeat (default: the run's last)",
     NULL},
    {"overfit", OPTION_WHOLE, ABOUT_TRAINING, "N", NULL, 1, 2e9, NULL, "the first N images over and over", NULL},
    {"dry-run", OPTION_SWITCH, ABOUT_RUN, NULL, NULL, 0, 0, NULL, "print the plan, time one batch, write nothing",
     NULL},
    {"restart", OPTION_SWITCH, ABOUT_RUN, NULL, NULL, 0, 0, NULL,
     "begin anew in a folder that holds a run; while that run is unfinished, go on with it", NULL},

    {"layers", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL, "a row a layer", NULL},
    {"kernels", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL, "the kernels alone, at the shapes of the networks",
     NULL},

    {"seed", OPTION_SEED, ABOUT_GENERAL, "N", NULL, 0, 0, "0", "of everything random", NULL},
    {"threads", OPTION_WHOLE, ABOUT_MACHINE, "N", NULL, 1, 1024, NULL,
     "threads (default: the cores that the process may use, or OMP_NUM_THREADS)", NULL},
    {"json", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL, "one JSON object on one line", NULL},
    {"quiet", OPTION_SWITCH, ABOUT_OUTPUT, NULL, NULL, 0, 0, NULL, "no progress, no messages but errors", NULL},
    {"config", OPTION_TEXT, ABOUT_GENERAL, "FILE", NULL, 0, 0, NULL, "lines `key = value`; what is typed wins", NULL},
};

typedef char table_fits[sizeof table / sizeof table[0] <= OPTIONS_AT_MOST ? 1 : -1];

int option_count(void)
{
    return (int)(sizeof table / sizeof table[0]);
}

const option *option_at(int i)
{
    return &table[i];
}

int option_matters(int i)
{
    static const char *const none[] = {"out", "threads", "quiet", "config", "dry-run", "restart", "json"};
    for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
        if (strcmp(option_at(i)->name, none[k]) == 0)
            return 0;
    return 1;
}

int option_find(const char *name)
{
    for (int i = 0; i < option_count(); i++)
        if (strcmp(option_at(i)->name, name) == 0)
            return i;
    return -1;
}
