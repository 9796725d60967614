/* signals.c - the signals that ask a training to save its state and end. */
#define _XOPEN_SOURCE 700
#include "trainer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

volatile sig_atomic_t trainer_stopped;

static volatile sig_atomic_t since; /* seconds, when the first one came */

/* A second SIGINT or SIGTERM ends the program at once, for whoever does not want to wait for the step's end. Not within
 * the same moment: schedulers, shells and timeout signal a process and then its whole group. */
static void on_signal(int which)
{
    struct timespec now = {0, 0};
    int before = errno;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!trainer_stopped) {
        since = (sig_atomic_t)now.tv_sec;
        trainer_stopped = 1;
    } else if ((which == SIGINT || which == SIGTERM) && now.tv_sec - since > 1) {
        signal(which, SIG_DFL);
        raise(which);
    }
    errno = before;
}

void trainer_catch_signals(void)
{
    /* Terminals and people; schedulers, of whom some send one of these a while before the end; limits of processor time; a
     * reader of the messages that has gone. */
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action, before;
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}
