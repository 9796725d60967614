/* bench_signals.c - which signals end a training, which do not, and what a second one does. Each case is a process. */
#define _XOPEN_SOURCE 700
#include "test.h"
#include "../bench/trainer.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Raises `first`, and `second` so many milliseconds later (0: not at all). The exit status: 10 + trainer_stopped, or 128
 * and the signal that ended it. */
static int outcome(int first, int ignored, int second, int milliseconds)
{
    pid_t child = fork();
    if (child == 0) {
        const struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
        signal(first, ignored ? SIG_IGN : SIG_DFL);
        trainer_catch_signals();
        trainer_catch_signals();
        raise(first);
        if (second) {
            nanosleep(&wait, NULL);
            raise(second);
        }
        _exit(10 + trainer_stopped);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGPIPE};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int n = ends[i];
        CHECK(outcome(n, 0, 0, 0) == 11, "signal %d does not ask to end", n);
        CHECK(outcome(n, 1, 0, 0) == 10, "signal %d was ignored and is not", n);
        CHECK(outcome(n, 0, n, 0) == 11, "signal %d twice at once ends the process", n);
    }
    CHECK(outcome(SIGQUIT, 0, 0, 0) == 128 + SIGQUIT, "SIGQUIT is caught");
    CHECK(outcome(SIGINT, 0, SIGINT, 2100) == 128 + SIGINT,
          "a second SIGINT after two seconds does not end it at once");
    CHECK(outcome(SIGXCPU, 0, SIGXCPU, 2100) == 11, "a second SIGXCPU ends it before its state is saved");
    return test_done("bench_signals");
}
