/* study.c - a study's jobs: which there are, what they are called, where they stand, and the command line of each. */
#include "study.h"
#include "../nets/nets.h"

#include <stdio.h>
#include <string.h>

char *job_folder(const study *s, const job *j)
{
    return tx_path_join(s->out, j->name);
}

char *job_path(const study *s, const job *j, const char *file)
{
    char *folder = job_folder(s, j), *path = folder ? tx_path_join(folder, file) : NULL;
    tx_free(folder);
    return path;
}

const char *const study_of_data[STUDY_OF_DATA + 1] = {"--tasks",      "--uncertain", "--blank",         "--views",
                                                      "--size",       "--resize",    "--interpolation", "--normalize",
                                                      "--bad-images", NULL};

/* -------------------------------------------------------------------------------------------- the grid */
/* The networks whose truncations are compared, and how many final blocks go at most. */
static const char *const truncated[] = {"densenet121", "resnet18", "efficientnet_b0", "mnasnet1_0", "nasnet_a_mobile"};
enum { CUTS = 3 };

static int is_truncated(const char *net)
{
    for (size_t i = 0; i < sizeof truncated / sizeof truncated[0]; i++)
        if (strcmp(truncated[i], net) == 0)
            return 1;
    return 0;
}

/* Whether --nets has the network; without --nets all are meant. */
static int is_wanted(const study *s, const char *net)
{
    char name[TX_NEAR_NAME];
    const char *list = option_text(s->o, "nets");
    if (!list)
        return 1;
    while (next_item(&list, ',', name, sizeof name) > 0)
        if (strcmp(name, net) == 0)
            return 1;
    return 0;
}

static int check_nets(const study *s)
{
    char name[TX_NEAR_NAME], escaped[TX_TEXT], near[TX_HINT];
    const char *list = option_text(s->o, "nets");
    int more = 0;
    while (list && (more = next_item(&list, ',', name, sizeof name)) > 0)
        if (!tx_net_find(name))
            return complain(EXIT_USAGE, "--nets: unknown network '%s'%s (thorax nets lists them)",
                            tx_escape(escaped, sizeof escaped, name),
                            tx_nearest_hint(near, name, tx_nets(), net_name, NULL));
    return more < 0 ? complain(EXIT_USAGE, "--nets: a name longer than that of any network") : EXIT_DONE;
}

static void add_job(study *s, const tx_net_info *net, int cut, const char *init, uint64_t seed)
{
    char whole[64];
    tx_net_choice choice = {.net = net, .cut = cut, .classes = 1, .size = 1};
    job *j = &s->job[s->jobs++];
    *j = (job){.net = net->name, .cut = cut, .init = init, .seed = seed};
    snprintf(j->name, sizeof j->name, "%s.%s.%llu", tx_net_choice_name(&choice, whole), init, (unsigned long long)seed);
}

int study_grid(study *s)
{
    uint64_t first = option_seed(s->o, "seed"), seeds = (uint64_t)option_whole(s->o, "seeds");
    if (check_nets(s) != EXIT_DONE)
        return EXIT_USAGE;
    if (first + (seeds - 1) < first)
        return complain(EXIT_USAGE, "--seed %llu --seeds %llu: the last is above 2^64 - 1", (unsigned long long)first,
                        (unsigned long long)seeds);
    s->job = tx_alloc((size_t)seeds * (size_t)tx_nets() * (2 + CUTS), sizeof *s->job);
    if (!s->job)
        return complain_failed();
    for (uint64_t seed = 0; seed < seeds; seed++)
        for (int i = 0; i < tx_nets(); i++) {
            const tx_net_info *net = tx_net_at(i);
            if (!is_wanted(s, net->name))
                continue;
            add_job(s, net, 0, "random", first + seed);
            for (int cut = 0; cut <= (is_truncated(net->name) ? CUTS : 0); cut++)
                add_job(s, net, cut, "pretrained", first + seed);
        }
    s->each = s->jobs / (size_t)seeds;
    return EXIT_DONE;
}

static const char *name_at(const void *context, int i)
{
    const study *s = context;
    return s->job[i].name;
}

job *study_job(const study *s, const char *name)
{
    char escaped[TX_TEXT], near[TX_HINT];
    for (size_t i = 0; i < s->jobs; i++)
        if (strcmp(name_at(s, (int)i), name) == 0)
            return &s->job[i];
    complain(EXIT_USAGE, "--job %s: no job of this study%s (--list has them)", tx_escape(escaped, sizeof escaped, name),
             tx_nearest_hint(near, name, (int)s->jobs, name_at, s));
    return NULL;
}

void study_free(study *s)
{
    for (size_t i = 0; i < s->jobs; i++)
        tx_free(s->job[i].why);
    tx_free(s->job);
    tx_free(s->data);
    tx_free(s->text);
    tx_free(s->file);
}

/* ------------------------------------------------------------------------------------------ command lines */
/* A word as a shell takes it: between single quotes where a letter of it may mean something. */
static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (*word && word[strspn(word, plain)] == 0) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

/* The options that were typed, but for those that say what to do with the jobs. */
static void print_options(const options *o)
{
    static const char *const not_jobs[] = {"at-once", "list", "job", "report", "json"};
    for (int i = 0; i < option_count(); i++) {
        int left_out = o->source[i] != FROM_LINE;
        for (size_t k = 0; k < sizeof not_jobs / sizeof not_jobs[0]; k++)
            left_out |= strcmp(option_at(i)->name, not_jobs[k]) == 0;
        if (left_out)
            continue;
        printf(" --%s", option_at(i)->name);
        if (option_at(i)->kind == OPTION_SWITCH)
            continue;
        putchar(' ');
        print_word(o->value[i]);
    }
}

void study_list(const study *s)
{
    for (size_t i = 0; i < s->jobs; i++) {
        printf("thorax study --job %s", s->job[i].name);
        print_options(s->o);
        putchar('\n');
    }
}
