/* channel.c - passes over tensors along their channels: activations, sums, statistics, pooling.
 *
 * All of them are bound by memory. A pass is cut into blocks of pixels (where nothing is summed over pixels, any
 * blocks will do) or into chunks of TX_CHUNK pixels by slices of channels (where something is), and the blocks are
 * shared among the threads. Partial sums of the chunks stand in the caller's scratch memory and are combined in index
 * order in double: neither the threads nor the slices are visible in the result. */
#include "channel_kernels.h"
#include "kernels.h"

#include <string.h>

enum {
    BLOCK = 16384, /* floats of one operand in a block: 64 KiB, a fraction of the second cache */
    SLICE = 256    /* channels of a chunk that are read at once: TX_CHUNK * SLICE floats stay in the second cache */
};

static const tx_channel_kernels *kernels(void)
{
    return &tx_kernels_now()->channel;
}

static size_t pixels_of(int n, int h, int w)
{
    return (size_t)n * (size_t)h * (size_t)w;
}

static size_t parts(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

/* Pixels of a block: as many as make BLOCK floats, at least one. */
static size_t block_of(int c)
{
    return c < BLOCK ? BLOCK / (size_t)c : 1;
}

/* ---- pixel by pixel
 *
 * Where pixels lie without gaps, what is left of sixteen channels costs as much as a whole sixteen, or more. So if no
 * channel differs from another, a block is run as one pixel of all its values. If channels differ, as many pixels as make
 * a multiple of sixteen are run as one pixel, whose coefficients are the channels' repeated. */

enum { WIDE = 1024 }; /* channels of such a pixel at most */

typedef struct pixel_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y, *dy;
    const tx_view *x;
    const tx_gradient *dx;
    const float *mean, *mean_g, *slope;
    int inputs, flat;
    tx_act act;
    size_t pixels, block;
    size_t together; /* pixels that are run as one, 1: none */
} pixel_pass;

static size_t pixels_in(const pixel_pass *pass, size_t block)
{
    size_t first = block * pass->block;
    return pass->pixels - first < pass->block ? pass->pixels - first : pass->block;
}

static void run_pixels(pixel_pass *pass, int c, size_t pixels, tx_task *task)
{
    pass->kernels = kernels();
    pass->pixels = pixels;
    pass->block = block_of(c);
    tx_parallel_for(parts(pixels, pass->block), task, pass);
}

/* How many pixels of c channels make a multiple of sixteen; 1 where that is too wide. */
static size_t pixels_together(int c)
{
    size_t n = 1;
    while ((size_t)c * n % 16 != 0)
        n *= 2;
    return (size_t)c * n <= WIDE ? n : 1;
}

/* to: the c values of `from`, n times; NULL stays NULL. */
static const float *repeated(float *to, const float *from, size_t c, size_t n)
{
    for (size_t i = 0; i < n && from; i++)
        memcpy(to + i * c, from, c * sizeof *to);
    return from ? to : NULL;
}

/* Tensors from pixel `first` on, every `wide` pixels as one; first and wide are 0 and 1 where nothing changes. */
static tx_tensor tensor_from(const tx_tensor *t, size_t first, size_t wide)
{
    tx_tensor r = *t;
    r.data += first * t->ld;
    r.c = (int)((size_t)t->c * wide);
    r.ld = t->ld * wide;
    return r;
}

static tx_view view_from(const tx_view *t, size_t first, size_t wide)
{
    tx_view r = *t;
    r.data += first * t->ld;
    r.c = (int)((size_t)t->c * wide);
    r.ld = t->ld * wide;
    return r;
}

static tx_gradient gradient_from(const tx_gradient *t, size_t first, size_t wide)
{
    tx_gradient r = *t;
    r.data += first * t->ld;
    r.add = t->add ? t->add + first * t->add_ld : NULL;
    r.ld = t->ld * wide;
    r.add_ld = t->add_ld * wide;
    return r;
}

static void sum_wide(const pixel_pass *pass, size_t first, size_t pixels, size_t wide)
{
    float coefficients[2][2 * WIDE];
    tx_tensor y = tensor_from(pass->y, first, wide);
    tx_view x[TX_MAX_INPUTS];
    for (int k = 0; k < pass->inputs; k++) {
        x[k] = view_from(&pass->x[k], first, wide);
        if (x[k].scale && wide > 1) { /* then there are at most two inputs */
            x[k].scale = repeated(coefficients[k], x[k].scale, (size_t)pass->y->c, wide);
            x[k].shift = repeated(coefficients[k] + WIDE, x[k].shift, (size_t)pass->y->c, wide);
        }
    }
    pass->kernels->sum(&y, x, pass->inputs, pass->act, 0, pixels / wide);
}

static void sum_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    size_t first = i * pass->block, pixels = pixels_in(pass, i), rest = pixels % pass->together;
    if (pass->flat) {
        sum_wide(pass, first, pixels, pixels);
        return;
    }
    if (pixels > rest)
        sum_wide(pass, first, pixels - rest, pass->together);
    if (rest)
        sum_wide(pass, first + pixels - rest, rest, 1);
}

void tx_channel_sum(const tx_tensor *y, const tx_view *x, int inputs, tx_act act)
{
    pixel_pass pass = { .y = y, .x = x, .inputs = inputs, .act = act, .flat = 1, .together = 1 };
    int dense = y->ld == (size_t)y->c;
    for (int k = 0; k < inputs; k++) {
        dense &= x[k].ld == y->ld;
        pass.flat &= !x[k].scale;
    }
    pass.flat &= dense;
    if (dense && inputs <= 2)
        pass.together = pixels_together(y->c);
    run_pixels(&pass, y->c, pixels_of(y->n, y->h, y->w), sum_task);
}

static void mask_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    size_t first = i * pass->block, pixels = pixels_in(pass, i), wide = pass->flat ? pixels : 1;
    tx_tensor dy = tensor_from(pass->dy, first, wide), y = pass->y ? tensor_from(pass->y, first, wide) : dy;
    tx_gradient dx = gradient_from(pass->dx, first, wide);
    pass->kernels->mask(&dx, &dy, pass->y ? &y : NULL, 0, pixels / wide);
}

void tx_channel_mask(const tx_gradient *dx, const tx_tensor *dy, const tx_tensor *y)
{
    pixel_pass pass = { .dx = dx, .dy = dy, .y = y };
    size_t c = (size_t)dy->c;
    pass.flat = dy->ld == c && dx->ld == c && (!dx->add || dx->add_ld == c) && (!y || y->ld == c);
    run_pixels(&pass, dy->c, pixels_of(dy->n, dy->h, dy->w), mask_task);
}

static void normal_gradient_wide(const pixel_pass *pass, size_t first, size_t pixels, size_t wide)
{
    float coefficients[5][WIDE];
    tx_view x = view_from(pass->x, first, wide);
    tx_tensor dy = tensor_from(pass->dy, first, wide);
    tx_gradient dx = gradient_from(pass->dx, first, wide);
    const float *mean = pass->mean, *mean_g = pass->mean_g, *slope = pass->slope;
    if (wide > 1) {
        size_t c = (size_t)pass->x->c;
        x.scale = repeated(coefficients[0], x.scale, c, wide);
        x.shift = repeated(coefficients[1], x.shift, c, wide);
        mean = repeated(coefficients[2], mean, c, wide);
        mean_g = repeated(coefficients[3], mean_g, c, wide);
        slope = repeated(coefficients[4], slope, c, wide);
    }
    pass->kernels->normal_gradient(&dx, &x, mean, &dy, mean_g, slope, 0, pixels / wide);
}

static void normal_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pixel_pass *pass = context;
    size_t first = i * pass->block, pixels = pixels_in(pass, i), rest = pixels % pass->together;
    if (pixels > rest)
        normal_gradient_wide(pass, first, pixels - rest, pass->together);
    if (rest)
        normal_gradient_wide(pass, first + pixels - rest, rest, 1);
}

void tx_channel_normal_gradient(const tx_gradient *dx, const tx_view *x, const float *mean, const tx_tensor *dy,
                                const float *mean_g, const float *slope)
{
    pixel_pass pass = { .dx = dx, .x = x, .mean = mean, .dy = dy, .mean_g = mean_g, .slope = slope, .together = 1 };
    size_t c = (size_t)x->c;
    if (x->ld == c && dy->ld == c && dx->ld == c && (!dx->add || dx->add_ld == c))
        pass.together = pixels_together(x->c);
    run_pixels(&pass, x->c, pixels_of(x->n, x->h, x->w), normal_gradient_task);
}

/* ---- sums over pixels */

/* Partial sums: [kind][chunk][channel]. A task takes `group` chunks of one slice of channels. */
typedef struct chunk_pass {
    const tx_channel_kernels *kernels;
    const tx_view *x;
    const float *mean;
    const tx_tensor *dy;
    size_t pixels, chunks, c, group, slices;
    float *partial[3];
    double *first, *second; /* results */
} chunk_pass;

size_t tx_channel_work(size_t pixels, int c)
{
    return parts(pixels, TX_CHUNK) * (size_t)c * 3 * sizeof(float);
}

static void chunk_range(const chunk_pass *pass, size_t chunk, size_t *first, size_t *pixels)
{
    *first = chunk * TX_CHUNK;
    *pixels = pass->pixels - *first < TX_CHUNK ? pass->pixels - *first : TX_CHUNK;
}

static void partial_task(void *context, size_t i, int worker)
{
    (void)worker;
    const chunk_pass *pass = context;
    size_t channel = i % pass->slices * SLICE, chunk = i / pass->slices * pass->group;
    size_t c = pass->c - channel < SLICE ? pass->c - channel : SLICE;
    size_t end = chunk + pass->group < pass->chunks ? chunk + pass->group : pass->chunks;
    for (; chunk < end; chunk++) {
        size_t first, pixels, at = chunk * pass->c + channel;
        chunk_range(pass, chunk, &first, &pixels);
        if (pass->dy)
            pass->kernels->normal_sums(pass->x, pass->mean, pass->dy, first, pixels, channel, c, pass->partial[0] + at,
                                       pass->partial[1] + at);
        else if (pass->second)
            pass->kernels->moments(pass->x, first, pixels, channel, c, pass->partial[0] + at, pass->partial[1] + at,
                                   pass->partial[2] + at);
        else
            pass->kernels->total(pass->x, first, pixels, channel, c, pass->partial[0] + at);
    }
}

enum { MERGE = 64 }; /* channels that one task combines */

static void merge_sums(void *context, size_t i, int worker)
{
    (void)worker;
    const chunk_pass *pass = context;
    size_t begin = i * MERGE, end = begin + MERGE < pass->c ? begin + MERGE : pass->c;
    double *result[2] = { pass->first, pass->second };
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
    size_t begin = i * MERGE, end = begin + MERGE < pass->c ? begin + MERGE : pass->c, first, k;
    double *mean = pass->first, *variance = pass->second, all = (double)pass->pixels;
    for (size_t j = begin; j < end; j++)
        mean[j] = variance[j] = 0;
    for (size_t chunk = 0; chunk < pass->chunks; chunk++) {
        chunk_range(pass, chunk, &first, &k);
        const float *m = pass->partial[0] + chunk * pass->c, *r = pass->partial[1] + chunk * pass->c;
        for (size_t j = begin; j < end; j++)
            mean[j] += (double)k * (double)m[j] + (double)r[j];
    }
    for (size_t j = begin; j < end; j++)
        mean[j] /= all;
    for (size_t chunk = 0; chunk < pass->chunks; chunk++) {
        chunk_range(pass, chunk, &first, &k);
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

static void run_chunks(chunk_pass *pass, void *work, tx_task *merge)
{
    pass->kernels = kernels();
    pass->pixels = pixels_of(pass->x->n, pass->x->h, pass->x->w);
    pass->c = (size_t)pass->x->c;
    pass->chunks = parts(pass->pixels, TX_CHUNK);
    pass->slices = parts(pass->c, SLICE);
    pass->group = pass->c < SLICE ? SLICE / pass->c : 1;
    float *next = work;
    for (int kind = 0; kind < 3; kind++, next += pass->chunks * pass->c)
        pass->partial[kind] = next;
    tx_parallel_for(parts(pass->chunks, pass->group) * pass->slices, partial_task, pass);
    tx_parallel_for(parts(pass->c, MERGE), merge, pass);
}

void tx_channel_total(const tx_view *x, double *sum, void *work)
{
    chunk_pass pass = { .x = x, .first = sum };
    run_chunks(&pass, work, merge_sums);
}

void tx_channel_moments(const tx_view *x, double *mean, double *variance, void *work)
{
    chunk_pass pass = { .x = x, .first = mean, .second = variance };
    run_chunks(&pass, work, merge_moments);
}

void tx_channel_normal_sums(const tx_view *x, const float *mean, const tx_tensor *dy, double *sum_g, double *sum_gx,
                            void *work)
{
    chunk_pass pass = { .x = x, .mean = mean, .dy = dy, .first = sum_g, .second = sum_gx };
    run_chunks(&pass, work, merge_sums);
}

/* ---- means of images */

typedef struct mean_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y;
    const tx_view *x;
    size_t slices;
} mean_pass;

/* One slice of MERGE channels of one image, its chunks in order. */
static void mean_task(void *context, size_t i, int worker)
{
    (void)worker;
    const mean_pass *pass = context;
    size_t image = i / pass->slices, channel = i % pass->slices * MERGE, all = (size_t)pass->y->c;
    size_t c = all - channel < MERGE ? all - channel : MERGE, pixels = pixels_of(1, pass->x->h, pass->x->w);
    double sum[MERGE] = { 0 };
    for (size_t first = 0; first < pixels; first += TX_CHUNK) {
        float partial[MERGE];
        size_t n = pixels - first < TX_CHUNK ? pixels - first : TX_CHUNK;
        pass->kernels->total(pass->x, image * pixels + first, n, channel, c, partial);
        for (size_t j = 0; j < c; j++)
            sum[j] += (double)partial[j];
    }
    float *y = pass->y->data + image * pass->y->ld + channel;
    for (size_t j = 0; j < c; j++)
        y[j] = (float)(sum[j] / (double)pixels);
}

void tx_channel_image_mean(const tx_tensor *y, const tx_view *x)
{
    mean_pass pass = { .kernels = kernels(), .y = y, .x = x, .slices = parts((size_t)x->c, MERGE) };
    tx_parallel_for((size_t)x->n * pass.slices, mean_task, &pass);
}

/* ---- max pooling */

typedef struct pool_pass {
    const tx_channel_kernels *kernels;
    const tx_tensor *y, *dy;
    const tx_view *x;
    const tx_gradient *dx;
    const tx_window *window;
    unsigned char *argmax;
    const unsigned char *chosen;
} pool_pass;

static void max_pool_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->y->h;
    pass->kernels->max_pool(pass->y, pass->argmax, pass->x, pass->window, (int)(i / h), (int)(i % h));
}

void tx_channel_max_pool(const tx_tensor *y, unsigned char *argmax, const tx_view *x, const tx_window *window)
{
    pool_pass pass = { .kernels = kernels(), .y = y, .argmax = argmax, .x = x, .window = window };
    tx_parallel_for((size_t)y->n * (size_t)y->h, max_pool_task, &pass);
}

static void max_pool_gradient_task(void *context, size_t i, int worker)
{
    (void)worker;
    const pool_pass *pass = context;
    size_t h = (size_t)pass->x->h;
    pass->kernels->max_pool_gradient(pass->dx, pass->dy, pass->chosen, pass->x, pass->window, (int)(i / h), (int)(i % h));
}

void tx_channel_max_pool_gradient(const tx_gradient *dx, const tx_tensor *dy, const unsigned char *argmax, const tx_view *x,
                                  const tx_window *window)
{
    pool_pass pass = { .kernels = kernels(), .dx = dx, .dy = dy, .chosen = argmax, .x = x, .window = window };
    tx_parallel_for((size_t)x->n * (size_t)x->h, max_pool_gradient_task, &pass);
}
