/* main.c - the `thorax` program: finds the command, reads its options, sets threads and instruction set, runs it. */
#define _XOPEN_SOURCE 700
#include "bench.h"
#include "commands.h"
#include "environment.h"
#include "help.h"
#include "startup.h"
#include "thorax.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What OMP_NUM_THREADS asks for (its lists for nested levels begin with the outermost), 0: nothing. */
static long threads_of_environment(void)
{
    char first[16];
    long n;
    const char *list = getenv("OMP_NUM_THREADS");
    return list && next_item(&list, ',', first, sizeof first) >= 0 && parse_whole(first, 1, 1024, &n) == 0 ? n : 0;
}

/* "2 processors", or "2 processors (a container's quota of 1.5 of 16)". */
static const char *processors(char out[128])
{
    int n = tx_cores(), all = tx_processors(), used = snprintf(out, 128, "%d processor%s", n, n == 1 ? "" : "s");
    if (n < all)
        snprintf(out + used, 128 - (size_t)used, " (a container's quota of %.4g of %d)", tx_quota(), all);
    return out;
}

/* --threads, else OMP_NUM_THREADS, else the cores. What is more than there are, or fewer because of a quota, is said. */
static int choose_threads(const options *o)
{
    char there[128];
    long typed = option_whole(o, "threads"), n = typed ? typed : threads_of_environment();
    const char *name = typed ? "--threads " : "OMP_NUM_THREADS=";
    if (n > 1 && !tx_threads_available())
        say("built without threads: %s%ld runs on one", name, n);
    else if (n > tx_cores())
        say("%s%ld: this process may use %s", name, n, processors(there));
    else if (n == 0 && tx_threads_available() && tx_cores() < tx_processors())
        say("threads: %s", processors(there));
    return n > 0 ? (int)n : tx_cores();
}

/* TX_ISA: a name that no machine has is wrong usage, one that this machine lacks a failure. */
static int choose_isa(void)
{
    tx_status status = tx_isa_select(NULL);
    return status == TX_OK ? EXIT_DONE
                           : complain(status == TX_ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, "%s", tx_error_message());
}

/* What the commands of commands.c do. */
static const struct {
    const char *name;
    int (*run)(const options *o);
} work[] = {
    {"nets", command_nets},         {"summary", command_summary}, {"train", command_train},
    {"eval", command_eval},         {"predict", command_predict}, {"study", command_study},
    {"pretrain", command_pretrain}, {"data", command_data},       {"speed", command_speed},
    {"cam", command_cam},           {"convert", command_convert}, {"audit", command_audit},
    {"verify", command_verify},     {"help", command_help},       {"completion", command_completion},
};

static int do_work(const command *c, const options *o)
{
    for (size_t i = 0; i < sizeof work / sizeof work[0]; i++)
        if (strcmp(work[i].name, c->name) == 0)
            return work[i].run(o);
    return complain(EXIT_FAILED, "%s has a row in commands.c and none in main.c: a fault of this program", c->name);
}

static int run_command(const command *c, const options *o)
{
    int status = EXIT_DONE;
    say_quietly(option_on(o, "quiet"));
    if (command_takes(c, option_find("threads"))) { /* else it computes nothing */
        status = choose_isa();
        if (status == EXIT_DONE && tx_self_test())
            status = complain_failed();
        tx_set_threads(choose_threads(o));
    }
    if (status == EXIT_DONE)
        status = do_work(c, o);
    if (status == EXIT_DONE)
        work_begins(); /* for a command that has no work of which it could be said */
    int printed = status == EXIT_DONE ? output_done() : status;
    return status == EXIT_DONE ? printed : status;
}

/* ----------------------------------------------------------------------------------- what was asked for */
/* Whether an option stands alone before the next argument: a switch, --option=VALUE, or one that is not known. */
static int stands_alone(const char *text)
{
    int i = strncmp(text, "--", 2) == 0 ? option_find(text + 2) : -1;
    return i < 0 || option_at(i)->kind == OPTION_SWITCH;
}

/* Moves the command's name, which options may precede, to argv[1]. Returns whether there is one. */
static int bring_command(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] && strcmp(argv[at], "--"))
        at += stands_alone(argv[at]) ? 1 : 2;
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    if (at >= argc)
        return 0;
    char *name = argv[at];
    for (; at > 1; at--)
        argv[at] = argv[at - 1];
    argv[1] = name;
    return 1;
}

static int do_command(int argc, char **argv)
{
    int status = EXIT_DONE;
    const command *c = command_wanted(argv[1], argc - 2, argv + 2, &status);
    if (!c)
        return status;
    complain_as(c->name);
    options o;
    status = options_read(&o, c, argc - 2, argv + 2, NULL);
    if (status == EXIT_DONE && o.help) {
        help_command(c, stdout);
        status = output_done();
    } else if (status == EXIT_DONE) {
        status = run_command(c, &o);
    }
    options_free(&o);
    if (tx_alloc_spoiled())
        return complain(EXIT_FAILED,
                        "memory was written beyond its end: a fault of this program; its results are void");
    return status;
}

int main(int argc, char **argv)
{
    startup_descriptors();
    startup_again(argv);
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() like any other */
#endif
    program_called(argv[0]);
    if (argc < 2) {
        help_program(stderr);
        return EXIT_USAGE;
    }
    if (options_ask(argc - 1, argv + 1, "-V", "--version")) {
        printf("thorax %s\n", TX_VERSION);
        return output_done();
    }
    if (bring_command(argc, argv))
        return do_command(argc, argv);
    if (options_ask(argc - 1, argv + 1, "-h", "--help")) {
        help_program(stdout);
        return output_done();
    }
    char escaped[TX_TEXT];
    return complain(EXIT_USAGE, "expected a command beside '%s' (thorax --help lists them)",
                    tx_escape(escaped, sizeof escaped, argv[1]));
}
