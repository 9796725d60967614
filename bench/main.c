/* main.c - the `thorax` program: finds the command, reads its options, sets threads and instruction set, runs it. */
#define _XOPEN_SOURCE 700
#include "bench.h"
#include "commands.h"
#include "environment.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Threads that wait for others shall soon sleep. OpenMP's spin unless told otherwise, which on a core shared with another
 * program keeps back the very threads that they wait for, up to tenfold; but waking one takes 30 microseconds, so gcc's
 * library may spin for a tenth of a millisecond or two first. It reads these wishes before main: so the program starts itself once more, and
 * where the system does not let it, runs on as it is. */
static void wait_asleep(char **argv)
{
    if (tx_threads_available() && !getenv("OMP_WAIT_POLICY") && setenv("GOMP_SPINCOUNT", "4000", 0) == 0 &&
        setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
        execv("/proc/self/exe", argv);
}

static void help(void)
{
    printf("thorax COMMAND [ARGUMENT]... [--option VALUE]...\n\n"
           "Deep learning on chest radiographs, in plain C, with the same bits on every machine.\n\n");
    for (int i = 0; i < command_count(); i++)
        if (command_at(i)->run)
            printf("  %-9s %s\n", command_at(i)->name, command_at(i)->what);
    printf("\nthorax COMMAND --help lists a command's options; thorax --version the version.\n"
           "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted with its state saved.\n"
           "TX_ISA=portable|avx2|avx512|neon in the environment chooses the instruction set; results do not depend "
           "on it.\n");
}

static const char *ready_command(const void *context, int i)
{
    (void)context;
    return command_at(i)->run ? command_at(i)->name : NULL;
}

static int unknown_command(const char *name)
{
    char escaped[TX_TEXT];
    const char *near = nearest_name(name, command_count(), ready_command, NULL);
    tx_escape(escaped, sizeof escaped, name);
    if (name[0] == '-')
        return complain(EXIT_USAGE, "expected a command before '%s' (thorax --help lists them)", escaped);
    if (near)
        return complain(EXIT_USAGE, "unknown command '%s', nearest is %s", escaped, near);
    return complain(EXIT_USAGE, "unknown command '%s' (thorax --help lists them)", escaped);
}

/* --threads, else OMP_NUM_THREADS (whose lists for nested levels begin with the outermost), else the cores. */
static int choose_threads(const options *o)
{
    long n = option_whole(o, "threads");
    const char *environment = getenv("OMP_NUM_THREADS");
    if (n == 0 && environment) {
        char first[16];
        const char *list = environment;
        if (next_item(&list, ',', first, sizeof first) < 0 || parse_whole(first, 1, 1024, &n))
            n = 0;
    }
    if (n > 1 && !tx_threads_available())
        say("built without threads: --threads %ld runs on one", n);
    return n > 0 ? (int)n : tx_cores();
}

/* TX_ISA: a name that no machine has is wrong usage, one that this machine lacks a failure. */
static int choose_isa(void)
{
    tx_status status = tx_isa_select(NULL);
    return status == TX_OK ? EXIT_DONE
                           : complain(status == TX_ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, "%s", tx_error_message());
}

static int run_command(const command *c, const options *o)
{
    say_quietly(option_on(o, "quiet"));
    int status = choose_isa();
    if (status != EXIT_DONE)
        return status;
    if (tx_self_test())
        return complain_failed();
    tx_set_threads(choose_threads(o));
    status = c->run(o);
    int printed = output_done();
    return status == EXIT_DONE ? printed : status;
}

int main(int argc, char **argv)
{
    wait_asleep(argv);
    if (argc < 2)
        return complain(EXIT_USAGE, "missing command (thorax --help lists them)");
    const char *name = argv[1];
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() like any other */
#endif
    program_called(argv[0]);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help();
        return output_done();
    }
    if (strcmp(name, "--version") == 0) {
        printf("thorax %s\n", THORAX_VERSION);
        return output_done();
    }
    const command *c = command_find(name);
    if (!c)
        return unknown_command(name);
    if (!c->run)
        return complain(EXIT_FAILED, "this version does not have the command %s yet", name);
    complain_as(c->name);
    options o;
    int status = options_read(&o, c, argc - 2, argv + 2, NULL);
    if (status == EXIT_DONE && o.help) {
        help_command(c);
        status = output_done();
    } else if (status == EXIT_DONE) {
        status = run_command(c, &o);
    }
    options_free(&o);
    return status;
}
