/* rates.c - what this machine can do at most, measured: multiply-adds in registers, of a product's tile, bytes copied.
 *
 * A run is made longer until it takes as long as is asked for; of some such runs the best counts, as whatever else the
 * machine does only slows one. Registers alone are a burst of some milliseconds: wide vectors then run at a clock that a
 * product, whose loads take power too, does not hold. A tile is kept up for longer, and its mean over that time counts. */
#include "kernels.h"
#include "op.h"

enum { COPY_FLOATS = 1 << 25 }; /* of each of two arrays: 128 MiB, more than the caches that a core sees at speed */

typedef struct rate_run {
    const tx_kernels *kernels;
    float *memory; /* of the tile: MACHINE_FLOATS a thread */
    size_t turns;
    double done; /* by one task */
} rate_run;

static void peak_task(void *context, size_t i, int worker)
{
    rate_run *run = context;
    volatile float sink;
    float result;
    double done = run->kernels->peak(run->turns, &result);
    sink = result;
    (void)sink;
    (void)worker;
    if (i == 0)
        run->done = done;
}

static void tile_task(void *context, size_t i, int worker)
{
    rate_run *run = context;
    double done = run->kernels->tile(run->turns, run->memory + i * MACHINE_FLOATS);
    (void)worker;
    if (i == 0)
        run->done = done;
}

/* The best of at least three runs of `seconds` each that begin within `all` seconds. */
static double best_rate(const tx_machine *machine, rate_run *run, tx_task *task, double seconds, double all)
{
    double best = 0, begun = tx_seconds();
    for (int counted = 0; counted < 3 || tx_seconds() - begun < all;) {
        double start = tx_seconds();
        if (tx_parallel_on(machine, (size_t)machine->threads, task, run))
            return 0;
        double took = tx_seconds() - start;
        double rate = took > 0 ? run->done * machine->threads / took : 0;
        best = rate > best ? rate : best;
        if (took < seconds) {
            run->turns *= 2;
            best = 0;
        } else {
            counted++;
        }
    }
    return best;
}

static int threads_given(const char *what, int threads)
{
    if (threads >= 1 && threads <= TX_MAX_THREADS)
        return 1;
    tx_fail(TX_ERR_ARGUMENT, "the %s of %d threads, expected 1 to %d", what, threads, (int)TX_MAX_THREADS);
    return 0;
}

static tx_machine machine_of(int threads)
{
    return (tx_machine){tx_threads_available() ? threads : 1, tx_kernels_now()};
}

double tx_fma_peak(int threads)
{
    if (!threads_given("peak", threads))
        return 0;
    tx_machine machine = machine_of(threads);
    rate_run run = {machine.kernels, NULL, 1000, 0};
    return best_rate(&machine, &run, peak_task, 0.005, 0.1);
}

double tx_tile_rate(int threads)
{
    if (!threads_given("tile's rate", threads))
        return 0;
    tx_machine machine = machine_of(threads);
    rate_run run = {machine.kernels, tx_alloc((size_t)machine.threads * MACHINE_FLOATS, sizeof(float)), 1000, 0};
    double rate = run.memory ? best_rate(&machine, &run, tile_task, 0.02, 0.1) : 0;
    tx_free(run.memory);
    return rate;
}

double tx_copy_rate(int threads)
{
    if (!threads_given("copy's rate", threads))
        return 0;
    tx_machine machine = machine_of(threads);
    float *from = tx_alloc(COPY_FLOATS, sizeof *from), *to = tx_alloc(COPY_FLOATS, sizeof *to);
    tx_view x = {.data = from, .n = 1, .h = 1, .w = COPY_FLOATS / 1024, .c = 1024, .ld = 1024};
    tx_tensor y = {to, 1, 1, COPY_FLOATS / 1024, 1024, 1024};
    double best = 0;
    for (int run = 0; run < 5 && from && to; run++) { /* the first touches the memory */
        double start = tx_seconds();
        if (tx_channel_sum(&machine, &y, &x, 1, TX_ACT_NONE))
            break;
        double took = tx_seconds() - start, rate = took > 0 ? 2.0 * COPY_FLOATS * sizeof(float) / took : 0;
        best = rate > best ? rate : best;
    }
    tx_free(from);
    tx_free(to);
    return best;
}
