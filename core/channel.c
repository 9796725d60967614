/* channel.c - passes over tensors along their channels: activations, sums, statistics, pooling.
 *
 * All of them are bound by memory. A pass is cut into blocks of pixels (where nothing is summed over pixels, any
 * blocks will do) or into chunks of TX_CHUNK pixels by slices of channels (where something is), and the blocks are
 * shared among the threads. Partial sums of the chunks stand in the caller's scratch memory and are combined in index
 * order in double: neither the threads nor the slices are visible in the result. */
#include "channel_kernels.h"
#include "kernels.h"
#include "moments.h"
#include "operands.h"
#include "sizes.h"

enum {
    BLOCK = 16384, /* floats of one operand in a block: 64 KiB, a fraction of the second cache */
    SLICE = 256    /* channels of a chunk that are read at once: TX_CHUNK * SLICE floats stay in the second cache */
};

static size_t pixels_of(int n, int h, int w)
{
    return (size_t)n * (size_t)h * (size_t)w;
}

/* Pixels of a block: as many as make BLOCK floats, at least one. */
static size_t block_of(int c)
{
    return c < BLOCK ? BLOCK / (size_t)c : 1;
}

/* ---- pixel by pixel */

typedef struct pixel_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y, *dy;
    const tx_view *x;
    const tx_gradient *dx;
    const float *mean, *mean_g, *slope;
    int inputs;
    tx_act act;
    int stream;
    int flat; /* dense, and no channel differs from another: a block is run as one pixel of all its values */
    size_t pixels, block;
} pixel_pass;

static size_t pixels_in(const pixel_pass *pass, size_t block)
{
    size_t first = block * pass->block;
    return pass->pixels - first < pass->block ? pass->pixels - first : pass->block;
}

static tx_status run_pixels(const tx_machine *machine, pixel_pass *pass, int c, size_t pixels, tx_task *task)
{
    pass->kernels = &machine->kernels->channel;
    pass->pixels = pixels;
    pass->block = block_of(c);
    return tx_parallel_on(machine, ceil_div(pixels, pass->block), task, pass);
}

static void sum_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    size_t first = i * pass->block, pixels = pixels_in(pass, i);
    if (!pass->flat) {
        pass->kernels->sum(pass->y, pass->x, pass->inputs, pass->act, first, pixels, pass->stream);
        return;
    }
    tx_tensor y = *pass->y;
    tx_view x[TX_MAX_INPUTS];
    size_t start = first * y.ld;
    y.data += start;
    y.c = (int)(pixels * y.ld);
    for (int k = 0; k < pass->inputs; k++) {
        x[k] = pass->x[k];
        x[k].data += start;
    }
    pass->kernels->sum(&y, x, pass->inputs, pass->act, 0, 1, pass->stream);
}

tx_status tx_channel_sum(const tx_machine *machine, const tx_tensor *y, const tx_view *x, int inputs, tx_act act)
{
    int given = machine_given(machine) && tensor_given(y) && x && inputs > 0 && inputs <= TX_MAX_INPUTS;
    for (int k = 0; given && k < inputs; k++)
        given = view_given(x + k);
    if (!given)
        return operand_missing("tx_channel_sum");
    pixel_pass pass = {.y = y, .x = x, .inputs = inputs, .act = act, .flat = y->ld == (size_t)y->c};
    for (int k = 0; k < inputs; k++)
        pass.flat &= !x[k].scale && !x[k].gate && x[k].ld == y->ld;
    size_t pixels = pixels_of(y->n, y->h, y->w);
    pass.stream = streams(y->data, y->ld, pixels, (size_t)y->c);
    for (int k = 0; k < inputs; k++)
        pass.stream &= x[k].data != y->data;
    return run_pixels(machine, &pass, y->c, pixels, sum_task);
}

/* Nobody reads the result while it is made: it is neither dy's memory nor the addend's. */
static int gradient_streams(const tx_gradient *dx, const tx_tensor *dy, size_t pixels, size_t c)
{
    return dx->data != dy->data && dx->data != dx->add && streams(dx->data, dx->ld, pixels, c);
}

static void mask_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    size_t first = i * pass->block, pixels = pixels_in(pass, i);
    if (!pass->flat) {
        pass->kernels->mask(pass->dx, pass->dy, pass->y, pass->act, first, pixels, pass->stream);
        return;
    }
    tx_tensor dy = *pass->dy, y = pass->y ? *pass->y : dy;
    tx_gradient dx = *pass->dx;
    size_t start = first * dy.ld;
    dy.data += start;
    dy.c = (int)(pixels * dy.ld);
    y.data += start;
    dx.data += start;
    dx.add = dx.add ? dx.add + start : NULL;
    pass->kernels->mask(&dx, &dy, pass->y ? &y : NULL, pass->act, 0, 1, pass->stream);
}

tx_status tx_channel_mask(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy, const tx_tensor *y,
                          tx_act act)
{
    if (!machine_given(machine) || !gradient_given(dx) || !tensor_given(dy) || (y && !tensor_given(y)))
        return operand_missing("tx_channel_mask");
    pixel_pass pass = {.dx = dx, .dy = dy, .y = y, .act = act};
    size_t c = (size_t)dy->c;
    pass.flat = dy->ld == c && dx->ld == c && (!dx->add || dx->add_ld == c) && (!y || y->ld == c);
    size_t pixels = pixels_of(dy->n, dy->h, dy->w);
    pass.stream = gradient_streams(dx, dy, pixels, c);
    return run_pixels(machine, &pass, dy->c, pixels, mask_task);
}

static void act_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    pass->kernels->act_gradient(pass->dx, pass->dy, pass->x, pass->act, i * pass->block, pixels_in(pass, i),
                                pass->stream);
}

tx_status tx_channel_act_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                  const tx_view *x, tx_act act)
{
    if (!machine_given(machine) || !gradient_given(dx) || !tensor_given(dy) || !view_given(x))
        return operand_missing("tx_channel_act_gradient");
    pixel_pass pass = {.dx = dx, .dy = dy, .x = x, .act = act};
    size_t pixels = pixels_of(dy->n, dy->h, dy->w);
    pass.stream = gradient_streams(dx, dy, pixels, (size_t)dy->c);
    return run_pixels(machine, &pass, dy->c, pixels, act_gradient_task);
}

static void normal_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    pass->kernels->normal_gradient(pass->dx, pass->x, pass->mean, pass->dy, pass->mean_g, pass->slope, i * pass->block,
                                   pixels_in(pass, i), pass->stream);
}

tx_status tx_channel_bn_apply(const tx_machine *machine, const tx_gradient *dx, const tx_view *x, const float *mean,
                              const tx_tensor *dy, const float *mean_g, const float *slope)
{
    if (!machine_given(machine) || !gradient_given(dx) || !view_given(x) || !x->scale || !mean || !tensor_given(dy) ||
        !mean_g || !slope)
        return operand_missing("tx_channel_bn_apply");
    pixel_pass pass = {.dx = dx, .x = x, .mean = mean, .dy = dy, .mean_g = mean_g, .slope = slope};
    size_t pixels = pixels_of(x->n, x->h, x->w);
    pass.stream = gradient_streams(dx, dy, pixels, (size_t)x->c);
    return run_pixels(machine, &pass, x->c, pixels, normal_gradient_task);
}

/* ---- sums over pixels */

/* Partial sums: [kind][chunk][channel]. A task takes `group` slices of chunks. */
typedef struct chunk_pass {
    const tx_channel_kernels *kernels;
    const tx_view *x;
    const float *mean;
    const tx_tensor *dy;
    size_t pixels, chunks, c, group, slice, slices;
    float *partial[3];
    double *first, *second; /* results */
} chunk_pass;

size_t tx_channel_work(size_t pixels, int c)
{
    size_t count;
    if (c > 0 && pixels <= SIZE_MAX - TX_CHUNK && tx_size_mul(ceil_div(pixels, TX_CHUNK), (size_t)c, &count) == 0)
        return float_bytes(count, 3);
    tx_fail(TX_ERR_ARGUMENT, "tx_channel_work: %zu pixels of %d channels", pixels, c);
    return (size_t)-1;
}

static size_t pixels_of_chunk(const chunk_pass *pass, size_t chunk)
{
    return min_size(pass->pixels - chunk * TX_CHUNK, TX_CHUNK);
}

/* Unit u: a slice of a chunk; units are counted as they stand in memory. The thread's next one is asked for meanwhile. */
static void partial_unit(const chunk_pass *pass, size_t u, size_t next)
{
    size_t chunk = u / pass->slices, channel = u % pass->slices * pass->slice, first = chunk * TX_CHUNK;
    size_t c = min_size(pass->c - channel, pass->slice), pixels = pixels_of_chunk(pass, chunk);
    float *to[3];
    for (int kind = 0; kind < 3; kind++)
        to[kind] = pass->partial[kind] + chunk * pass->c + channel;
    if (pass->dy) {
        pass->kernels->normal_sums(pass->x, pass->mean, pass->dy, first, pixels, channel, c, to[0], to[1]);
    } else if (pass->second) {
        const float *soon = pass->x->data + next / pass->slices * TX_CHUNK * pass->x->ld;
        pass->kernels->moments(pass->x, first, pixels, channel, c, to[0], to[1], to[2],
                               soon + next % pass->slices * pass->slice);
    } else {
        pass->kernels->total(pass->x, first, pixels, channel, c, to[0]);
    }
}

static void partial_task(void *context, size_t i, int worker)
{
    (void)worker;
    const chunk_pass *pass = context;
    size_t end = min_size(pass->chunks * pass->slices, (i + 1) * pass->group);
    for (size_t u = i * pass->group; u < end; u++)
        partial_unit(pass, u, u + 1 < end ? u + 1 : u);
}

enum { MERGE = 16 }; /* channels that one task combines */

static void merge_sums(void *context, size_t i, int worker)
{
    (void)worker;
    const chunk_pass *pass = context;
    size_t begin = i * MERGE, end = begin + MERGE < pass->c ? begin + MERGE : pass->c;
    double *result[2] = {pass->first, pass->second};
    for (int kind = 0; kind < 2 && result[kind]; kind++) {
        for (size_t j = begin; j < end; j++)
            result[kind][j] = 0;
        for (size_t chunk = 0; chunk < pass->chunks; chunk++)
            for (size_t j = begin; j < end; j++)
                result[kind][j] += (double)pass->partial[kind][chunk * pass->c + j];
    }
}

/* From each chunk's m, r = sum of (x - m) and s = sum of (x - m)^2 over its k pixels: the chunk's mean is m + r/k
 * without the rounding of m, and its sum of squares about that is s - r^2/k. Squares about the mean of all are these
 * and k (mean of chunk - mean)^2 (Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing
 * sample variances", 1979). Nothing large is subtracted from anything large. */
static void merge_moments(void *context, size_t i, int worker)
{
    (void)worker;
    const chunk_pass *pass = context;
    size_t begin = i * MERGE, end = begin + MERGE < pass->c ? begin + MERGE : pass->c;
    double *mean = pass->first, *variance = pass->second, all = (double)pass->pixels;
    for (size_t j = begin; j < end; j++)
        mean[j] = variance[j] = 0;
    for (size_t chunk = 0; chunk < pass->chunks; chunk++) {
        size_t k = pixels_of_chunk(pass, chunk);
        const float *m = pass->partial[0] + chunk * pass->c, *r = pass->partial[1] + chunk * pass->c;
        for (size_t j = begin; j < end; j++)
            mean[j] += (double)k * (double)m[j] + (double)r[j];
    }
    for (size_t j = begin; j < end; j++)
        mean[j] /= all;
    for (size_t chunk = 0; chunk < pass->chunks; chunk++) {
        size_t k = pixels_of_chunk(pass, chunk);
        const float *m = pass->partial[0] + chunk * pass->c, *r = pass->partial[1] + chunk * pass->c;
        const float *s = pass->partial[2] + chunk * pass->c;
        double one = 1 / (double)k;
        for (size_t j = begin; j < end; j++) {
            double rest = (double)r[j] * one, off = (double)m[j] + rest - mean[j];
            variance[j] += (double)s[j] - (double)r[j] * rest + (double)k * (off * off);
        }
    }
    for (size_t j = begin; j < end; j++)
        variance[j] = variance[j] < 0 ? 0 : variance[j] / all;
}

tx_status tx_channel_merge(const tx_machine *machine, const tx_moments *moments, size_t pixels, size_t c)
{
    chunk_pass pass = {.pixels = pixels, .chunks = ceil_div(pixels, TX_CHUNK), .c = c};
    pass.first = moments->mean;
    pass.second = moments->variance;
    for (int kind = 0; kind < 3; kind++)
        pass.partial[kind] = moments_part(moments, pixels, c, kind, 0);
    return tx_parallel_on(machine, ceil_div(c, MERGE), merge_moments, &pass);
}

tx_status tx_channel_merge_sums(const tx_machine *machine, const tx_reduction *reduce, size_t pixels, size_t c)
{
    chunk_pass pass = {.pixels = pixels, .chunks = ceil_div(pixels, TX_CHUNK), .c = c};
    pass.first = reduce->sum_g;
    pass.second = reduce->sum_gx;
    for (int kind = 0; kind < 2; kind++)
        pass.partial[kind] = reduction_part(reduce, pixels, c, kind, 0);
    return tx_parallel_on(machine, ceil_div(c, MERGE), merge_sums, &pass);
}

/* A slice of c channels, halved while `parts` parts have fewer slices than are wanted, but not where it is `least` or less. */
static size_t thin_slice(size_t slice, size_t least, size_t c, size_t parts, size_t wanted)
{
    while (slice > least && parts * ceil_div(c, slice) < wanted)
        slice = round_up(slice / 2, 16);
    return slice;
}

static tx_status run_chunks(const tx_machine *machine, chunk_pass *pass, void *work, tx_task *merge)
{
    pass->kernels = &machine->kernels->channel;
    pass->pixels = pixels_of(pass->x->n, pass->x->h, pass->x->w);
    pass->c = (size_t)pass->x->c;
    pass->chunks = ceil_div(pass->pixels, TX_CHUNK);
    size_t wanted = 16 * (size_t)machine->threads;
    /* Moments read a slice twice, the second time from the cache; what is read once is read in whole rows. */
    int moments = pass->second && !pass->dy;
    pass->slice = moments ? min_size(pass->c, SLICE) : pass->c;
    pass->slice = thin_slice(pass->slice, SLICE, pass->c, pass->chunks, wanted);
    pass->slices = ceil_div(pass->c, pass->slice);
    pass->group = tx_size_max(1, pass->chunks * pass->slices / wanted);
    float *next = work;
    for (int kind = 0; kind < 3; kind++, next += pass->chunks * pass->c)
        pass->partial[kind] = next;
    tx_status status = tx_parallel_on(machine, ceil_div(pass->chunks * pass->slices, pass->group), partial_task, pass);
    return status ? status : tx_parallel_on(machine, ceil_div(pass->c, MERGE), merge, pass);
}

tx_status tx_channel_total(const tx_machine *machine, const tx_view *x, double *sum, void *work)
{
    if (!machine_given(machine) || !view_given(x) || !sum || !work)
        return operand_missing("tx_channel_total");
    chunk_pass pass = {.x = x, .first = sum};
    return run_chunks(machine, &pass, work, merge_sums);
}

tx_status tx_channel_moments(const tx_machine *machine, const tx_view *x, double *mean, double *variance, void *work)
{
    if (!machine_given(machine) || !view_given(x) || !mean || !variance || !work)
        return operand_missing("tx_channel_moments");
    chunk_pass pass = {.x = x, .first = mean, .second = variance};
    return run_chunks(machine, &pass, work, merge_moments);
}

tx_status tx_channel_bn_reduce(const tx_machine *machine, const tx_view *x, const float *mean, const tx_tensor *dy,
                               double *sum_g, double *sum_gx, void *work)
{
    if (!machine_given(machine) || !view_given(x) || !x->scale || !mean || !tensor_given(dy) || !sum_g || !sum_gx ||
        !work)
        return operand_missing("tx_channel_bn_reduce");
    chunk_pass pass = {.x = x, .mean = mean, .dy = dy, .first = sum_g, .second = sum_gx};
    return run_chunks(machine, &pass, work, merge_sums);
}

/* ---- means of images */

typedef struct mean_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y;
    const tx_view *x;
    size_t slice, slices;
} mean_pass;

/* One slice of one image, its chunks in order. */
static void mean_task(void *context, size_t i, int worker)
{
    (void)worker;
    const mean_pass *pass = context;
    size_t image = i / pass->slices, channel = i % pass->slices * pass->slice;
    size_t c = min_size((size_t)pass->y->c - channel, pass->slice), pixels = pixels_of(1, pass->x->h, pass->x->w);
    double sum[SLICE] = {0};
    for (size_t first = 0; first < pixels; first += TX_CHUNK) {
        float partial[SLICE];
        size_t n = pixels - first < TX_CHUNK ? pixels - first : TX_CHUNK;
        pass->kernels->total(pass->x, image * pixels + first, n, channel, c, partial);
        for (size_t j = 0; j < c; j++)
            sum[j] += (double)partial[j];
    }
    float *y = pass->y->data + image * pass->y->ld + channel;
    for (size_t j = 0; j < c; j++)
        y[j] = (float)(sum[j] / (double)pixels);
}

tx_status tx_channel_image_mean(const tx_machine *machine, const tx_tensor *y, const tx_view *x)
{
    if (!machine_given(machine) || !tensor_given(y) || !view_given(x))
        return operand_missing("tx_channel_image_mean");
    size_t c = (size_t)x->c, n = (size_t)x->n, pixels = pixels_of(x->n, x->h, x->w);
    mean_pass pass = {.kernels = &machine->kernels->channel, .y = y, .x = x, .slice = min_size(round_up(c, 16), SLICE)};
    /* Of few images each thread takes some channels, where that is worth the while. */
    if (pixels * c > BLOCK)
        pass.slice = thin_slice(pass.slice, 16, c, n, (size_t)machine->threads);
    pass.slices = ceil_div(c, pass.slice);
    return tx_parallel_on(machine, n * pass.slices, mean_task, &pass);
}

/* ---- gradients of gates */

typedef struct gate_pass {
    const tx_channel_kernels *kernels;
    const tx_gradient *dx, *dgate;
    const tx_tensor *dy;
    const tx_view *x;
    size_t slices;
    int stream;
} gate_pass;

/* One slice of one image, its chunks in order. */
static void gate_task(void *context, size_t i, int worker)
{
    (void)worker;
    const gate_pass *pass = context;
    size_t image = i / pass->slices, channel = i % pass->slices * SLICE;
    size_t c = min_size((size_t)pass->x->c - channel, SLICE), pixels = pixels_of(1, pass->x->h, pass->x->w);
    double sum[SLICE] = {0};
    for (size_t first = 0; first < pixels; first += TX_CHUNK) {
        float partial[SLICE];
        pass->kernels->gate_gradient(pass->dx, pass->dy, pass->x, image * pixels + first,
                                     min_size(pixels - first, TX_CHUNK), channel, c, partial, pass->stream);
        for (size_t j = 0; j < c; j++)
            sum[j] += (double)partial[j];
    }
    if (!pass->dgate)
        return;
    float *to = pass->dgate->data + image * pass->dgate->ld + channel;
    const float *add = pass->dgate->add ? pass->dgate->add + image * pass->dgate->add_ld + channel : NULL;
    for (size_t j = 0; j < c; j++)
        to[j] = (add ? add[j] : 0) + (float)sum[j];
}

tx_status tx_channel_gate_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_gradient *dgate,
                                   const tx_tensor *dy, const tx_view *x)
{
    if (!machine_given(machine) || (!dx && !dgate) || (dx && !dx->data) || (dgate && !dgate->data) ||
        !tensor_given(dy) || !view_given(x) || !x->gate)
        return operand_missing("tx_channel_gate_gradient");
    gate_pass pass = {.kernels = &machine->kernels->channel, .dx = dx, .dgate = dgate, .dy = dy, .x = x};
    pass.slices = ceil_div((size_t)x->c, SLICE);
    pass.stream = dx && dx->data != x->data && gradient_streams(dx, dy, pixels_of(x->n, x->h, x->w), (size_t)x->c);
    return tx_parallel_on(machine, (size_t)x->n * pass.slices, gate_task, &pass);
}

/* ---- pooling */

typedef struct pool_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y, *dy;
    const tx_view *x;
    const tx_gradient *dx;
    const tx_window *window;
    unsigned char *argmax;
    const unsigned char *chosen;
    int stream;
} pool_pass;

static void max_pool_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->y->h;
    pass->kernels->max_pool(pass->y, pass->argmax, pass->x, pass->window, (int)(i / h), (int)(i % h), pass->stream);
}

static int window_given(const tx_window *w)
{
    return w && w->kernel > 0 && w->kernel <= 15 && w->stride > 0;
}

tx_status tx_channel_max_pool(const tx_machine *machine, const tx_tensor *y, unsigned char *argmax, const tx_view *x,
                              const tx_window *window)
{
    if (!machine_given(machine) || !tensor_given(y) || !view_given(x) || !window_given(window))
        return operand_missing("tx_channel_max_pool");
    pool_pass pass = {.kernels = &machine->kernels->channel, .y = y, .argmax = argmax, .x = x, .window = window};
    pass.stream = streams(y->data, y->ld, pixels_of(y->n, y->h, y->w), (size_t)y->c);
    return tx_parallel_on(machine, (size_t)y->n * (size_t)y->h, max_pool_task, &pass);
}

static void max_pool_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->x->h;
    pass->kernels->max_pool_gradient(pass->dx, pass->dy, pass->chosen, pass->x, pass->window, (int)(i / h),
                                     (int)(i % h), pass->stream);
}

tx_status tx_channel_max_pool_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                       const unsigned char *argmax, const tx_view *x, const tx_window *window)
{
    if (!machine_given(machine) || !gradient_given(dx) || !tensor_given(dy) || !argmax || !x ||
        !sized(x->n, x->h, x->w, x->c) || !window_given(window))
        return operand_missing("tx_channel_max_pool_gradient");
    pool_pass pass = {.dx = dx, .dy = dy, .chosen = argmax, .x = x, .window = window};
    pass.kernels = &machine->kernels->channel;
    pass.stream = gradient_streams(dx, dy, pixels_of(x->n, x->h, x->w), (size_t)x->c);
    return tx_parallel_on(machine, (size_t)x->n * (size_t)x->h, max_pool_gradient_task, &pass);
}

static void avg_pool_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->y->h;
    pass->kernels->avg_pool(pass->y, pass->x, pass->window, (int)(i / h), (int)(i % h), pass->stream);
}

tx_status tx_channel_avg_pool(const tx_machine *machine, const tx_tensor *y, const tx_view *x, const tx_window *window)
{
    if (!machine_given(machine) || !tensor_given(y) || !view_given(x) || !window_given(window))
        return operand_missing("tx_channel_avg_pool");
    pool_pass pass = {.kernels = &machine->kernels->channel, .y = y, .x = x, .window = window};
    pass.stream = y->data != x->data && streams(y->data, y->ld, pixels_of(y->n, y->h, y->w), (size_t)y->c);
    return tx_parallel_on(machine, (size_t)y->n * (size_t)y->h, avg_pool_task, &pass);
}

static void avg_pool_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->x->h;
    pass->kernels->avg_pool_gradient(pass->dx, pass->dy, pass->x, pass->window, (int)(i / h), (int)(i % h),
                                     pass->stream);
}

tx_status tx_channel_avg_pool_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                       const tx_view *x, const tx_window *window)
{
    if (!machine_given(machine) || !gradient_given(dx) || !tensor_given(dy) || !x || !sized(x->n, x->h, x->w, x->c) ||
        !window_given(window))
        return operand_missing("tx_channel_avg_pool_gradient");
    pool_pass pass = {.kernels = &machine->kernels->channel, .dx = dx, .dy = dy, .x = x, .window = window};
    pass.stream = gradient_streams(dx, dy, pixels_of(x->n, x->h, x->w), (size_t)x->c);
    return tx_parallel_on(machine, (size_t)x->n * (size_t)x->h, avg_pool_gradient_task, &pass);
}
