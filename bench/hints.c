/* hints.c - what was probably meant: names that other programs have for the same, words in another's place. */
#define _POSIX_C_SOURCE 200809L
#include "hints.h"
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------------- elsewhere */
typedef struct foreign {
    const char *names; /* in small letters, dashes within, blanks between */
    const char *here;  /* an option or a command, or */
    const char *say;   /* what to say where there is none */
} foreign;

static const foreign options_elsewhere[] = {
    {"learning-rate lr0 base-lr init-lr", "lr", NULL},
    {"batch-size train-batch-size per-device-train-batch-size bs b", "batch", NULL},
    {"epoch num-epochs n-epochs num-train-epochs max-epochs e", "epochs", NULL},
    {"iters iterations num-iters max-iters max-iter max-steps num-steps", "steps", NULL},
    {"workers num-workers jobs n-jobs nproc num-threads cores cpus j", "threads", NULL},
    {"output output-dir outdir save-dir log-dir run-dir project exp o", "out", NULL},
    {"model arch architecture network backbone", "net", NULL},
    {"weights checkpoint ckpt load pretrained pretrained-weights finetune-from", "init", NULL},
    {"img-size imgsz image-size input-size img resolution crop-size height width", "size", NULL},
    {"data-dir data-path data-root dataset datadir input input-dir images train-dir", "data", NULL},
    {"opt optim", "optimizer", NULL},
    {"wd l2 decay", "weight-decay", NULL},
    {"scheduler lr-scheduler lr-schedule lr-policy sched gamma step-size", "schedule", NULL},
    {"warmup-steps warmup-epochs warmup-iters", "warmup", NULL},
    {"beta1 beta2", "betas", NULL},
    {"epsilon adam-epsilon", "eps", NULL},
    {"num-classes n-classes nc outputs", "classes", NULL},
    {"labels targets class-names pathologies", "tasks", NULL},
    {"mean std norm normalization", "normalize", NULL},
    {"interp resample", "interpolation", NULL},
    {"overwrite force exist-ok fresh f", "restart", NULL},
    {"resume continue", NULL, "the same command line goes on where its run stopped"},
    {"augmentation augmentations transform transforms hflip flip rotate auto-augment", "augment", NULL},
    {"pos-weights class-weight class-weights", "pos-weight", NULL},
    {"freeze-layers frozen", "freeze", NULL},
    {"validation-split val-split val-size test-size val-dir", NULL,
     "valid.csv and test.csv of --data are the other splits"},
    {"eval-interval eval-freq eval-steps val-interval val-check-interval", "eval-every", NULL},
    {"save-every save-freq save-interval save-period save-steps checkpoint-every", "states", NULL},
    {"save-total-limit save-top-k keep-last", "keep", NULL},
    {"patience early-stopping", NULL,
     "a run has the length of --epochs or --steps, and --keep holds its best checkpoints"},
    {"max-samples max-images subset", "limit", NULL},
    {"random-seed manual-seed", "seed", NULL},
    {"deterministic benchmark cudnn-benchmark", NULL, "results are always the same; --seed N chooses others"},
    {"device devices gpu gpus cuda no-cuda cpu accelerator mps", NULL,
     "this program computes on the processor alone; --threads N says on how many cores"},
    {"amp fp16 bf16 half precision mixed-precision dtype", NULL, "this program computes in float32 alone"},
    {"world-size local-rank rank distributed nodes", NULL, "a run is one process; --threads N says on how many cores"},
    {"multi-label loss criterion", NULL, "each task is a binary cross-entropy of its own"},
    {"cfg conf config-file yaml hparams c", "config", NULL},
    {"dry debug fast-dev-run", "dry-run", NULL},
    {"silent q", "quiet", NULL},
    {"verbose v progress", NULL, "progress is shown unless --quiet"},
    {"format output-format", "json", NULL},
    {"raw scores", "logits", NULL},
    {"topk top-k k", "top", NULL},
    {"view projection", "views", NULL},
    {"u-ignore u-zeros u-ones uncertainty policy", "uncertain", NULL},
};

static const foreign commands_elsewhere[] = {
    {"evaluate evaluation val valid validate test score metrics", "eval", NULL},
    {"inference infer classify detect run", "predict", NULL},
    {"fit finetune fine-tune resume learn", "train", NULL},
    {"benchmark bench time profile", "speed", NULL},
    {"models networks list ls zoo", "nets", NULL},
    {"info describe plan", "summary", NULL},
    {"check dataset datasets", "data check", NULL},
    {"version", "--version", NULL},
    {"gradcam grad-cam heatmap", "cam", NULL},
    {"usage man commands", "help", NULL},
};

static const foreign *elsewhere(const foreign *table, size_t rows, const char *name)
{
    char flat[TX_NEAR_NAME];
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof flat)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        flat[i] = name[i] == '_' ? '-' : name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    for (size_t i = 0; i < rows; i++)
        for (const char *at = table[i].names; (at = strstr(at, flat)); at += n)
            if ((at == table[i].names || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
                return &table[i];
    return NULL;
}

/* --------------------------------------------------------------------------------------------- options */
/* Whether a value like the option's, NET or DIR, is an argument of the command. */
static int is_argument(const command *c, const option *p)
{
    char word[TX_NEAR_NAME];
    const char *list = c->usage;
    while (p->value && next_item(&list, ' ', word, sizeof word) > 0 && word[0] != '[' && word[0] != '-')
        if (strncmp(word, p->value, strlen(p->value)) == 0)
            return 1;
    return 0;
}

/* Option i, which the command does not take. */
static void hint_other(char out[HINT], const command *c, int i)
{
    const option *p = option_at(i);
    int k = 0;
    while (k < command_count() && !command_takes(command_at(k), i))
        k++;
    if (is_argument(c, p))
        snprintf(out, HINT, ": it is an argument here, expected thorax %s %s", c->name, c->usage);
    else if (k < command_count() && p->help)
        snprintf(out, HINT, ": %s takes --%s, %s does not", command_at(k)->name, p->name, c->name);
}

static const char *taken_name(const void *context, int i)
{
    return command_takes(context, i) && option_at(i)->help ? option_at(i)->name : NULL;
}

const char *hint_option(char out[HINT], const command *c, const char *name)
{
    const foreign *f = elsewhere(options_elsewhere, sizeof options_elsewhere / sizeof options_elsewhere[0], name);
    int i = option_find(f && f->here ? f->here : name);
    int taken = i >= 0 && command_takes(c, i) && option_at(i)->help;
    const char *near = tx_nearest_name(name, option_count(), taken_name, c);
    out[0] = 0;
    if (taken)
        snprintf(out, HINT, f ? ", here it is --%s" : ", expected --%s", option_at(i)->name);
    else if (f && f->say)
        snprintf(out, HINT, ": %s", f->say);
    else if (i >= 0)
        hint_other(out, c, i);
    if (!out[0] && near)
        snprintf(out, HINT, ", nearest is --%s", near);
    if (!out[0])
        snprintf(out, HINT, " (thorax %s --help lists them)", c->name);
    return out;
}

static const char *shown_name(const void *context, int i)
{
    (void)context;
    return option_at(i)->help ? option_at(i)->name : NULL;
}

const char *hint_key(char out[HINT], const char *name)
{
    const foreign *f = elsewhere(options_elsewhere, sizeof options_elsewhere / sizeof options_elsewhere[0], name);
    int i = option_find(f && f->here ? f->here : name);
    char near[TX_HINT];
    if (f && i >= 0 && option_at(i)->help)
        snprintf(out, HINT, ", here it is %s", f->here);
    else if (f && f->say)
        snprintf(out, HINT, ": %s", f->say);
    else
        snprintf(out, HINT, "%s", tx_nearest_hint(near, name, option_count(), shown_name, NULL));
    return out;
}

/* ------------------------------------------------------------------------------------------- arguments */
static int has_file(const char *folder, const char *name)
{
    char *path = tx_path_join(folder, name);
    int there = path && tx_path_exists(path);
    tx_free(path);
    return there;
}

static int takes(const command *c, const char *name)
{
    return command_takes(c, option_find(name));
}

/* The one option of c among whose choices the word is, or -1. */
static int choice_of(const command *c, const char *word)
{
    int found = -1;
    for (int i = 0; i < option_count(); i++) {
        const option *p = option_at(i);
        word_list list;
        if (!p->choices || !command_takes(c, i))
            continue;
        words_split(&list, p->choices, '|');
        for (int k = 0; k < list.count; k++)
            if (strcmp(list.word[k], word) == 0)
                found = found == -1 ? i : option_count();
    }
    return found < option_count() ? found : -1;
}

const char *hint_argument(char out[HINT], const command *c, const char *word)
{
    char escaped[TX_TEXT], name[TX_NEAR_NAME];
    size_t n = strcspn(word, "=");
    tx_escape(escaped, sizeof escaped, word);
    snprintf(name, sizeof name, "%.*s", (int)n, word);
    int i = n < sizeof name ? option_find(name) : -1;
    if (i >= 0 && command_takes(c, i) && option_at(i)->help)
        snprintf(out, HINT, "--%s", escaped);
    else if (takes(c, "net") && tx_net_find(word))
        snprintf(out, HINT, "--net %s", word);
    else if ((i = choice_of(c, word)) >= 0)
        snprintf(out, HINT, "--%s %s", option_at(i)->name, word);
    else if (takes(c, "data") && (has_file(word, "train.csv") || has_file(word, "valid.csv")))
        snprintf(out, HINT, "--data %s", escaped);
    else if (takes(c, "out") && (has_file(word, "config.txt") || has_file(word, "results.csv")))
        snprintf(out, HINT, "--out %s", escaped);
    else
        return NULL;
    return out;
}

const char *hint_model(char out[HINT], const options *o, const char *word)
{
    char room[HINT], escaped[TX_TEXT];
    const char *meant = hint_argument(room, o->command, word);
    out[0] = 0;
    if (meant)
        snprintf(out, HINT, ", perhaps %.200s", meant);
    int first = o->arguments && strcmp(o->argument[0], word) == 0;
    for (int i = 1; i < o->arguments && first && !meant; i++)
        if (has_file(o->argument[i], "checkpoints"))
            snprintf(out, HINT, ", perhaps the model is %s: expected thorax %s %s",
                     tx_escape(escaped, sizeof escaped, o->argument[i]), o->command->name, o->command->usage);
    return out;
}

/* -------------------------------------------------------------------------------------------- commands */
static const char *command_name(const void *context, int i)
{
    (void)context;
    return command_at(i)->name;
}

/* "thorax train resnet18" is what "thorax resnet18 train" means, or with the option that the word looks like. */
static void hint_order(char out[HINT], const command *c, const char *word)
{
    char room[HINT], escaped[TX_TEXT];
    const char *typed = c->most == 0 ? hint_argument(room, c, word) : NULL;
    if (typed)
        snprintf(out, HINT, ", perhaps thorax %s %.160s", c->name, typed);
    else
        snprintf(out, HINT, ", perhaps thorax %s%s%s", c->name, c->most == 0 ? "" : " ",
                 c->most == 0 ? "" : tx_escape(escaped, sizeof escaped, word));
}

const char *hint_command(char out[HINT], const char *name, int argc, char **argv)
{
    const foreign *f = elsewhere(commands_elsewhere, sizeof commands_elsewhere / sizeof commands_elsewhere[0], name);
    const char *near = tx_nearest_name(name, command_count(), command_name, NULL);
    out[0] = 0;
    const command *next = argc > 0 ? command_find(argv[0]) : NULL;
    if (next)
        hint_order(out, next, name);
    else if (f)
        snprintf(out, HINT, ", here it is %s", f->here);
    else if (near)
        snprintf(out, HINT, ", nearest is %s", near);
    for (int i = 0; i < argc && !out[0]; i++) {
        const command *c = command_find(argv[i]);
        if (c)
            hint_order(out, c, name);
    }
    if (!out[0])
        snprintf(out, HINT, " (thorax --help lists them)");
    return out;
}
