/* study_workers.c - a study's jobs side by side: further processes of this program that share its folder by locks alone.
 *
 * They are made before anything computes, for a process with threads cannot be doubled, and wait until their maker has seen that
 * there is work and lets them in. It holds the other end of the pipe that they wait at: when that closes, whatever
 * became of their maker, each ends with the job that it is at. */
#define _POSIX_C_SOURCE 200809L
#include "study.h"
#include "thorax.h"
#include "trainer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Reads one byte: 1; 0: the maker has gone. */
static int admitted(int gate)
{
    char c;
    ssize_t n;
    do {
        n = read(gate, &c, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

/* A worker's whole life. Its messages are those of jobs that fail. */
static void be_worker(study *s, options *o, int threads, int (*work)(study *s))
{
    int quiet = option_find("quiet");
    if (!admitted(s->gate[0]))
        _exit(EXIT_DONE);
    o->value[quiet] = "on";
    o->source[quiet] = FROM_LINE;
    say_quietly(1);
    tx_set_threads(threads);
    _exit(work(s));
}

/* Starts one; 0 where the system has no room for it. */
static int start(study *s, options *o, int threads, int (*work)(study *s))
{
    long id = (long)fork();
    if (id == 0) {
        close(s->gate[1]);
        s->gate[1] = -1;
        s->workers = 0;
        be_worker(s, o, threads, work);
    }
    if (id > 0)
        s->worker[s->workers++] = id;
    return id > 0;
}

void study_workers_start(study *s, options *o, int (*work)(study *s))
{
    /* Built without threads there are the cores still. */
    int lanes = tx_threads_available() || option_given(o, "threads") ? tx_threads() : tx_cores();
    int wanted = (int)option_whole(o, "at-once"), n = wanted < lanes ? wanted : lanes;
    if ((size_t)n > s->jobs)
        n = (int)s->jobs;
    if (n < 2 || pipe(s->gate))
        return;
    int threads = lanes / n;
    while (s->workers < n - 1 && start(s, o, threads, work))
        continue;
    if (s->workers)
        tx_set_threads(threads);
}

void study_workers_admit(const study *s)
{
    for (int i = 0; i < s->workers; i++)
        if (write(s->gate[1], "", 1) != 1)
            return;
}

/* Forgets those that have ended. */
static void reap(study *s)
{
    int alive = 0;
    for (int i = 0; i < s->workers; i++)
        if (waitpid((pid_t)s->worker[i], NULL, WNOHANG) == 0)
            s->worker[alive++] = s->worker[i];
    s->workers = alive;
}

static int is_worker(const study *s)
{
    return s->gate[0] >= 0 && s->gate[1] < 0;
}

int study_worker_left(const study *s)
{
    struct pollfd at = {.fd = s->gate[0], .events = POLLIN};
    return is_worker(s) && poll(&at, 1, 0) == 1 && (at.revents & POLLHUP);
}

int study_workers_wait(study *s)
{
    static const struct timespec moment = {0, 100000000};
    if (!is_worker(s) && !s->workers)
        return 0;
    nanosleep(&moment, NULL);
    reap(s);
    return !trainer_stopped && !study_worker_left(s);
}

void study_workers_end(study *s)
{
    /* Not SIGTERM: to whom a terminal has sent a signal already, a second one of those would be the end at once. */
    for (int i = 0; i < s->workers; i++)
        kill((pid_t)s->worker[i], SIGUSR1);
    while (s->workers)
        study_workers_wait(s);
    for (int i = 0; i < 2; i++) {
        if (s->gate[i] >= 0)
            close(s->gate[i]);
        s->gate[i] = -1;
    }
}
