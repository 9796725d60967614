/* parallel.c - the one parallel loop, and the clocks. OpenMP where it is compiled in, else one thread. */
#define _GNU_SOURCE
#include "core.h"

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

static int threads;

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
    if (threads == 0)
        threads = tx_cores();
    return threads;
#else
    return 1;
#endif
}

void tx_set_threads(int n)
{
    threads = n < 1 ? 1 : n;
}

void tx_parallel_for(size_t n, tx_task *fn, void *context)
{
#ifdef _OPENMP
    if (n > 1 && tx_threads() > 1 && !omp_in_parallel()) {
        int team = n < (size_t)tx_threads() ? (int)n : tx_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
        for (size_t i = 0; i < n; i++)
            fn(context, i, omp_get_thread_num());
        return;
    }
#endif
    for (size_t i = 0; i < n; i++)
        fn(context, i, 0);
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
