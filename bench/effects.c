/* effects.c - options that were given and have no effect beside others, or on this command. */
#include "effects.h"

#include <string.h>

/* On these commands an option has no effect where another has one of these values ("": is given
 * at all); or with `without`, where the other is not given; or at all, where there is no other. */
typedef struct effect {
    const char *commands, *option, *other, *values;
    int without;
} effect;

static const effect none[] = {
    {"train|pretrain", "momentum", "optimizer", "adam|adamw", 0},
    {"train|pretrain", "betas", "optimizer", "sgd|rmsprop", 0},
    {"train|pretrain", "alpha", "optimizer", "adam|adamw|sgd", 0},
    {"train|pretrain", "eps", "optimizer", "sgd", 0},
    {"train|pretrain", "epochs", "steps", "", 0},
    {"predict", "views", "split", NULL, 1},
    {"predict", "unit", "split", NULL, 1},
    {"speed", "net", "kernels", "on", 0},
    {"speed", "cut", "kernels", "on", 0},
    {"speed", "size", "kernels", "on", 0},
    {"speed", "mode", "kernels", "on", 0},
    {"speed", "layers", "kernels", "on", 0},
    {"nets|summary|data|predict|cam|verify", "seed", NULL, NULL, 0},
    {"eval", "seed", "interval", "delong", 0},
    {"eval", "replicates", "interval", "delong", 0},
    {"eval", "group", "interval", "delong", 0},
    {"nets", "threads", NULL, NULL, 0},
    {"predict", "uncertain", NULL, NULL, 0},
    {"predict", "blank", NULL, NULL, 0},
};

static int among(const char *list, const char *word)
{
    word_list words;
    words_split(&words, list, '|');
    for (int i = 0; i < words.count; i++)
        if (strcmp(words.word[i], word) == 0)
            return 1;
    return 0;
}

int option_meant(const options *o, const char *name)
{
    int i = option_find(name);
    char room[64], standard_room[64];
    if (i < 0 || o->source[i] != FROM_CONFIG)
        return i >= 0 && o->source[i] == FROM_LINE;
    options standards;
    if (options_standards(&standards, o->command) != EXIT_DONE)
        return 0;
    int same = strcmp(option_canonical(o, i, room), option_canonical(&standards, i, standard_room)) == 0;
    options_free(&standards);
    return !same;
}

/* A file of options serves several commands: what has no effect on this one is no wish. */
static int wanted(const options *o, const effect *e)
{
    int i = option_find(e->option);
    if (!among(e->commands, o->command->name))
        return 0;
    /* Several models are compared, and means of theirs resampled in any case. */
    if (o->arguments > 1 && e->other && strcmp(e->other, "interval") == 0)
        return 0;
    return e->other && !e->without ? option_meant(o, e->option) : o->source[i] == FROM_LINE;
}

static void say_effect(const options *o, const effect *e)
{
    const char *value = e->other ? option_text(o, e->other) : NULL;
    char escaped[TX_TEXT];
    if (!e->other) {
        say_once("--%s has no effect on %s", e->option, o->command->name);
    } else if (e->without) {
        if (!option_given(o, e->other))
            say_once("--%s has no effect without --%s", e->option, e->other);
    } else if (*e->values ? value && among(e->values, value) : option_meant(o, e->other)) {
        int is_switch = option_at(option_find(e->other))->kind == OPTION_SWITCH;
        say_once("--%s has no effect with --%s%s%s", e->option, e->other, is_switch ? "" : " ",
                 is_switch ? "" : tx_escape(escaped, sizeof escaped, value));
    }
}

void effects_say(const options *o)
{
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (wanted(o, &none[i]))
            say_effect(o, &none[i]);
}
