/* parallel.c - the one parallel loop, and the clocks. OpenMP where it is compiled in, else one thread. */
#define _GNU_SOURCE
#include "kernels.h"
#include "shared.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

static int threads; /* 0: nobody has asked yet */

int tx_processors(void)
{
#if defined(__linux__) && defined(CPU_COUNT)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (int)n;
}

int tx_cores(void)
{
    int processors = tx_processors();
    double quota = ceil(tx_quota());
    return quota > 0 && quota < processors ? (int)quota : processors;
}

int tx_threads_available(void)
{
#ifdef _OPENMP
    return 1;
#else
    return 0;
#endif
}

int tx_threads(void)
{
#ifdef _OPENMP
    int none = 0;
    if (!shared_load(&threads))
        (void)shared_replace(&threads, &none, tx_cores());
    return shared_load(&threads);
#else
    return 1;
#endif
}

tx_status tx_set_threads(int n)
{
    if (n < 1 || n > TX_MAX_THREADS)
        return tx_fail(TX_ERR_ARGUMENT, "%d threads, expected 1 to %d", n, (int)TX_MAX_THREADS);
    shared_store(&threads, n);
    return TX_OK;
}

/* Threads have a mode of arithmetic each, which a new one takes from the thread that made it. */
static tx_status mode_fault(const char *fault)
{
    return fault ? tx_fail(TX_ERR_MACHINE, "a thread's mode of arithmetic was changed: %s", fault) : TX_OK;
}

#ifdef _OPENMP
/* A loop is dealt out in ranges, one a worker, so that what a worker has written in one loop it finds in its own caches in
 * the next: cores that share no cache read each other's at a third of the speed. Who has done his own helps the others. */
enum { MOST_RANGES = 64 };
typedef struct range {
    size_t next, end;
    char apart[64 - 2 * sizeof(size_t)];
} range;

static void run_ranges(range *ranges, size_t n, size_t worker, tx_task *fn, void *context)
{
    for (size_t k = 0; k < n; k++) {
        range *r = &ranges[(worker + k) % n];
        for (size_t i = shared_add(&r->next, 1); i < r->end; i = shared_add(&r->next, 1))
            fn(context, i, (int)worker);
    }
}

static tx_status run_team(size_t team, size_t n, tx_task *fn, void *context)
{
    const char *fault = NULL;
    range ranges[MOST_RANGES];
    size_t many = team < MOST_RANGES ? team : MOST_RANGES;
    for (size_t k = 0; k < many; k++) {
        ranges[k].next = n / many * k + n % many * k / many;
        ranges[k].end = n / many * (k + 1) + n % many * (k + 1) / many;
    }
#pragma omp parallel num_threads((int)team)
    {
        const char *mine = tx_arithmetic_fault();
        if (mine)
            shared_store(&fault, mine);
        run_ranges(ranges, many, (size_t)omp_get_thread_num(), fn, context);
    }
    return mode_fault(fault);
}
#endif

static tx_status run_parallel(int team, size_t n, tx_task *fn, void *context)
{
#ifdef _OPENMP
    if (n > 1 && team > 1 && !omp_in_parallel())
        return run_team(n < (size_t)team ? n : (size_t)team, n, fn, context);
#endif
    (void)team;
    for (size_t i = 0; i < n; i++)
        fn(context, i, 0);
    return mode_fault(tx_arithmetic_fault());
}

tx_status tx_parallel_on(const tx_machine *machine, size_t n, tx_task *fn, void *context)
{
    if (!machine || machine->threads < 1 || !fn)
        return tx_fail(TX_ERR_ARGUMENT, "a parallel loop without a function or a machine");
    return run_parallel(machine->threads, n, fn, context);
}

tx_status tx_parallel_for(size_t n, tx_task *fn, void *context)
{
    if (!fn)
        return tx_fail(TX_ERR_ARGUMENT, "a parallel loop without a function");
    return run_parallel(tx_threads(), n, fn, context);
}

double tx_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

size_t tx_peak_memory(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    if (!f)
        return 0;
    char line[128];
    size_t kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %zu", &kib) == 1)
            break;
    fclose(f);
    return kib * 1024;
}
