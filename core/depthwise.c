/* depthwise.c - convolution of each channel by itself: forward, and both gradients in one pass.
 *
 * Every value takes part in as many products as the kernel has taps, and in no others: memory is what counts. A task owns
 * a stretch of result pixels (whole rows, or whole chunks of TX_CHUNK where something is summed) and a slice of channels. It
 * walks down the rows and keeps those that the kernel covers in a ring, as their reader sees them, so that scale, shift and
 * activation are applied once a value and not once a tap:
 *
 *      rows of x, of which the ring holds as many as the kernel covers        . zeros    # loaded    o to come
 *          . # # # # .
 *          . # # # # .   the kernel's rows of result row r                    Rows outside of the map are one row of zeros,
 *          . # # # # .                                                        columns outside are zeros in each row of the
 *            o o o o     is loaded over the first when row r + 1 is due       ring: loops ask for no border.
 *
 * An input that its reader sees as it stands needs no ring where a slice of it fills a vector: forward reads it directly.
 *
 * The gradients walk down dy's rows with a ring of each: row o of dy meets the rows of x under it for the weight's sums; then
 * the rows of dx from o*stride on, to (o+1)*stride, are due, once dy's rows that reach them are loaded. Where two tasks
 * meet, both load the few rows that both need. A sum over pixels belongs to a chunk, whoever takes it. */
#include "depthwise_kernels.h"
#include "kernels.h"
#include "moments.h"
#include "operands.h"
#include "sizes.h"

#include <string.h>

enum {
    MOST_TAPS = 225,
    SLICE = 256,      /* channels of a task, where rows are not long */
    LEAST_SLICE = 64, /* narrower ones leave too little in a row of memory */
    RING = 64 * 1024, /* floats of a task's rings that stay in the second cache */
    ROWS = 16         /* of a task's results, so that few are loaded twice */
};

/* Rows of a map at hand, each `before` columns of zeros, the map's, and zeros again; the rows of one image. Behind them a row
 * of zeros, and of the next sixteen channels the same, `apart` floats further. */
typedef struct ring {
    int h, w;             /* the map */
    size_t rows, columns; /* of the ring, but for the row of zeros */
    long before;
    size_t apart;
    float *data;
    int next; /* rows of the image below it have been loaded, or will not be needed */
} ring;

typedef struct depthwise_pass {
    const tx_depthwise_kernels *kernels;
    const tx_channel_kernels *channel;
    const tx_depthwise *d;
    const tx_view *x;
    const float *weight;
    const tx_target *y;
    const tx_slope *dy;
    tx_view plain_dy; /* dy where it is read as it stands */
    const tx_gradient *dx;
    float *dw, *db;
    size_t rows;       /* of the result that are taken together at most */
    int direct, ahead; /* forward reads x where it stands; asks for what comes next */
    int stream;        /* the result, or dx, is stored past the caches */
    size_t n, h, w, c; /* of the result */
    size_t taps, pixels, chunks, slice, slices;
    size_t unit, units, group; /* pixels that are one task's, how many times, and how many of them a task has */
    ring xs, gs;               /* their sizes */
    size_t floats;             /* of a worker's memory */
    float *workers, *partial;  /* partial: [chunk][taps, then one for db][c] */
} depthwise_pass;

/* What one task works with. */
typedef struct depthwise_task {
    const depthwise_pass *pass;
    size_t channel, c, lanes, first, end; /* pixels [first, end) of the result */
    size_t rows;                          /* of the result that are due together: 1, or 2 whole ones */
    ring xs, gs;
    float *weight, *sum; /* weight: [c/16][taps][16] */
} depthwise_task;

/* ---- how a call is cut */

static int floor_div(int a, int b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static size_t larger(long a, long b)
{
    return (size_t)(a > b ? a : b);
}

static size_t ring_pixels(const ring *r)
{
    return r->rows ? (r->rows + 1) * r->columns : 0;
}

/* Columns and rows that the pixels of `rows` result rows reach. */
static ring input_ring(const tx_depthwise *d, const tx_view *x, int w, size_t rows)
{
    ring r = {.h = x->h, .w = x->w, .before = d->left > 0 ? d->left : 0};
    long last = (long)(w - 1) * d->stride_w + (long)(d->kernel_w - 1) * d->dilation_w - d->left;
    r.columns = (size_t)r.before + larger(x->w, last + 1);
    r.rows = (size_t)(d->kernel_h - 1) * (size_t)d->dilation_h + 1 + (rows - 1) * (size_t)d->stride_h;
    r.rows = min_size(r.rows, (size_t)x->h);
    r.apart = 16 * ring_pixels(&r);
    return r;
}

/* Columns and rows of dy that reach pixels of x: x + left - k dilation for its columns, divided by the stride. */
static ring slope_ring(const tx_depthwise *d, const tx_view *x, int h, int w)
{
    ring r = {.h = h, .w = w};
    int reach_w = (d->kernel_w - 1) * d->dilation_w, reach_h = (d->kernel_h - 1) * d->dilation_h;
    long first = floor_div(d->left - reach_w, d->stride_w), last = floor_div(x->w - 1 + d->left, d->stride_w);
    r.before = first < 0 ? -first : 0;
    r.columns = (size_t)r.before + larger(w, last + 1);
    long above = -floor_div(d->top - reach_h, d->stride_h), below = floor_div(d->stride_h - 1 + d->top, d->stride_h);
    r.rows = min_size(larger(above, 0) + larger(below, 0) + 1, (size_t)h);
    r.apart = 16 * ring_pixels(&r);
    return r;
}

/* Slices of at most so many channels. */
static void cut_channels(depthwise_pass *pass, size_t slice)
{
    pass->slices = ceil_div(pass->c, slice);
    pass->slice = round_up(ceil_div(pass->c, pass->slices), 16);
    pass->slices = ceil_div(pass->c, pass->slice);
}

/* Rows of the result that loops take together, 0: there are no such loops. */
static int swept_rows(const tx_depthwise *d, const tx_machine *machine)
{
    int dilated = d->dilation_h > 1 || d->dilation_w > 1;
    return dilated ? 0 : machine->kernels->depthwise.sweeps(d->kernel_w, d->stride_w);
}

/* Slices of channels and groups of units: rings in the second cache, as many groups for each thread, some tasks a thread,
 * and of those rows that a task loads few that its neighbour loads too. No bit depends on it. */
static void cut(depthwise_pass *pass, const tx_machine *machine, int gradient)
{
    const tx_depthwise *d = pass->d;
    size_t threads = (size_t)machine->threads;
    pass->rows = !gradient && swept_rows(d, machine) == 2 ? 2 : 1;
    pass->taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    pass->pixels = pass->n * pass->h * pass->w;
    pass->chunks = ceil_div(pass->pixels, TX_CHUNK);
    pass->units = ceil_div(pass->pixels, pass->unit);
    pass->xs = input_ring(d, pass->x, (int)pass->w, pass->rows);
    pass->gs = gradient ? slope_ring(d, pass->x, (int)pass->h, (int)pass->w) : (ring){0};
    size_t columns = ring_pixels(&pass->xs) + ring_pixels(&pass->gs);
    size_t slice = tx_size_max(LEAST_SLICE, min_size(SLICE, RING / columns));
    cut_channels(pass, slice);
    size_t groups = min_size(8 * threads, ceil_div(pass->units, ceil_div(ROWS * pass->w, pass->unit)));
    pass->group = round_up(ceil_div(pass->units, round_up(groups, threads)), pass->rows);
    while (threads > 1 && slice > LEAST_SLICE && ceil_div(pass->units, pass->group) * pass->slices < 3 * threads) {
        slice = tx_size_max(LEAST_SLICE, slice / 2);
        cut_channels(pass, slice);
    }
    pass->floats = pass->slice * (2 * pass->taps + 1 + columns);
}

/* Bytes of the workers' memory and, behind it, of the chunks' sums. */
static size_t work_of(const depthwise_pass *pass, const tx_machine *machine, int gradient)
{
    size_t workers = float_bytes(pass->floats, (size_t)machine->threads), sums = 0, all;
    if (gradient)
        sums = pass->chunks <= SIZE_MAX / pass->c ? float_bytes(pass->chunks * pass->c, pass->taps + 1) : (size_t)-1;
    if (workers == (size_t)-1 || sums == (size_t)-1 || tx_size_add(workers, sums, &all) != 0)
        return (size_t)-1;
    return all;
}

static depthwise_pass pass_of(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w,
                              int gradient, int sums)
{
    depthwise_pass pass = {.d = d, .x = x, .n = (size_t)x->n, .h = (size_t)h, .w = (size_t)w, .c = (size_t)x->c};
    pass.unit = sums ? TX_CHUNK : pass.w; /* a chunk that is summed, or a row */
    cut(&pass, machine, gradient);
    return pass;
}

static int window_given(const tx_depthwise *d)
{
    return d && d->kernel_h > 0 && d->kernel_w > 0 && d->kernel_w <= MOST_TAPS / d->kernel_h && d->stride_h > 0 &&
           d->stride_w > 0 && d->dilation_h > 0 && d->dilation_w > 0;
}

/* With the machine, all that work memory depends on. */
static int sizes_given(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w)
{
    return machine_given(machine) && window_given(d) && x && sized(x->n, x->h, x->w, x->c) && h > 0 && w > 0;
}

static size_t work_missing(const char *call)
{
    operand_missing(call);
    return (size_t)-1;
}

size_t tx_depthwise_forward_work(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w)
{
    if (!sizes_given(machine, d, x, h, w))
        return work_missing("tx_depthwise_forward_work");
    depthwise_pass pass = pass_of(machine, d, x, h, w, 0, 1), rows = pass_of(machine, d, x, h, w, 0, 0);
    return tx_size_max(work_of(&pass, machine, 0), work_of(&rows, machine, 0));
}

size_t tx_depthwise_gradient_work(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w)
{
    if (!sizes_given(machine, d, x, h, w))
        return work_missing("tx_depthwise_gradient_work");
    depthwise_pass pass = pass_of(machine, d, x, h, w, 1, 1);
    return work_of(&pass, machine, 1);
}

/* ---- a task's memory */

/* The slice's weights, in whole vectors: where x is read directly, the last are those of the last sixteen channels. */
static void take_weight(const depthwise_task *t)
{
    const depthwise_pass *pass = t->pass;
    for (size_t j = 0; j < t->c; j += 16) {
        size_t n = min_size(t->c - j, 16), from = t->channel + j;
        if (pass->direct) {
            from -= 16 - n;
            n = 16;
        }
        for (size_t k = 0; k < pass->taps; k++) {
            float *to = t->weight + j * pass->taps + 16 * k;
            memcpy(to, pass->weight + k * pass->c + from, n * sizeof *to);
            memset(to + n, 0, (16 - n) * sizeof *to);
        }
    }
}

static const float *weight_of(const depthwise_task *t, size_t tap)
{
    return t->weight + 16 * tap;
}

/* Zeros beside the map, once for all rows that will stand there, and the row of them. */
static void clear_borders(const ring *r, size_t lanes)
{
    size_t before = 16 * (size_t)r->before, all = 16 * r->columns, map = 16 * (size_t)r->w;
    for (size_t i = 0; i < lanes / 16; i++) {
        float *row = r->data + i * r->apart;
        for (size_t y = 0; y < r->rows; y++, row += all) {
            memset(row, 0, before * sizeof *row);
            memset(row + before + map, 0, (all - before - map) * sizeof *row);
        }
        memset(row, 0, all * sizeof *row);
    }
}

static depthwise_task begin_task(const depthwise_pass *pass, size_t i, int worker)
{
    depthwise_task t = {.pass = pass, .xs = pass->xs, .gs = pass->gs, .channel = i % pass->slices * pass->slice};
    t.c = min_size(pass->c - t.channel, pass->slice);
    t.lanes = round_up(t.c, 16);
    t.first = i / pass->slices * pass->group * pass->unit;
    t.end = min_size(pass->pixels, t.first + pass->group * pass->unit);
    t.weight = pass->workers + (size_t)worker * pass->floats;
    t.sum = t.weight + pass->taps * t.lanes;
    t.xs.data = t.sum + (pass->taps + 1) * t.lanes;
    t.gs.data = t.xs.data + ring_pixels(&t.xs) * t.lanes;
    if (!pass->direct)
        clear_borders(&t.xs, t.lanes);
    if (t.gs.rows)
        clear_borders(&t.gs, t.lanes);
    take_weight(&t);
    return t;
}

/* Column `column` of row y. */
static const float *at_ring(const ring *r, int y, long column)
{
    size_t row = y < 0 || y >= r->h ? r->rows : (size_t)y % r->rows;
    return r->data + 16 * (row * r->columns + (size_t)(column + r->before));
}

/* Row y of an image of x, or of dy, as its reader sees it. */
static void load_row(const depthwise_task *t, const ring *r, size_t image, int y)
{
    const depthwise_pass *pass = t->pass;
    float *to = r->data + 16 * ((size_t)y % r->rows * r->columns + (size_t)r->before);
    size_t pixel = (image * (size_t)r->h + (size_t)y) * (size_t)r->w, w = (size_t)r->w;
    if (r == &t->xs)
        pass->kernels->load(pass->x, pixel, w, t->channel, t->c, to, r->apart);
    else if (pass->dy->x.data)
        pass->kernels->load_slope(pass->dy, pixel, w, t->channel, t->c, to, r->apart);
    else
        pass->kernels->load(&pass->plain_dy, pixel, w, t->channel, t->c, to, r->apart);
}

/* Rows up to `last` of an image are at hand then, those below `first` left out where they have not been loaded. */
static void need_rows(const depthwise_task *t, ring *r, size_t image, int first, int last)
{
    if (r->next < first)
        r->next = first;
    for (; r->next <= last && r->next < r->h; r->next++)
        load_row(t, r, image, r->next);
}

/* The rows of x under result row `row`, and where each tap meets them at result column `column`. */
static void input_taps(depthwise_task *t, size_t image, size_t row, size_t column, const float *at[MOST_TAPS])
{
    const tx_depthwise *d = t->pass->d;
    int y = (int)row * d->stride_h - d->top, k = 0;
    long x = (long)column * d->stride_w - d->left;
    need_rows(t, &t->xs, image, y, y + (d->kernel_h - 1) * d->dilation_h);
    for (int ky = 0; ky < d->kernel_h; ky++)
        for (int kx = 0; kx < d->kernel_w; kx++)
            at[k++] = at_ring(&t->xs, y + ky * d->dilation_h, x + (long)kx * d->dilation_w);
}

/* Calls fn for every stretch of a row of the result that the task owns, or for two rows that are whole. */
typedef void row_fn(depthwise_task *t, size_t image, size_t row, size_t column, size_t columns);
static void walk(depthwise_task *t, row_fn *fn)
{
    size_t w = t->pass->w, h = t->pass->h;
    for (size_t p = t->first; p < t->end;) {
        size_t row = p / w, column = p % w, columns = min_size(w - column, t->end - p);
        if (row % h == 0 || p == t->first)
            t->xs.next = t->gs.next = 0;
        t->rows = t->pass->rows == 2 && column == 0 && row % h + 1 < h && p + columns + w <= t->end ? 2 : 1;
        fn(t, row / h, row % h, column, columns);
        p += columns * t->rows;
    }
}

/* ---- forward */

/* Batch statistics of a chunk of the result, which has just been written. */
static void take_moments(const depthwise_task *t, size_t chunk)
{
    const depthwise_pass *pass = t->pass;
    const tx_target *y = pass->y;
    size_t first = chunk * TX_CHUNK, n = min_size(pass->pixels - first, TX_CHUNK);
    tx_view written = {.data = y->data, .c = (int)pass->c, .ld = y->ld};
    float *part[3];
    for (int kind = 0; kind < 3; kind++)
        part[kind] = moments_part(&y->moments, pass->pixels, pass->c, kind, chunk) + t->channel;
    pass->channel->written_moments(&written, first, n, t->channel, t->c, part[0], part[1], part[2], first + n < t->end);
}

/* The same where x is read as it stands: column 0 of those rows, of the first tap of each row of taps. */
static void input_lines(depthwise_task *t, size_t image, size_t row, const float *at[MOST_TAPS])
{
    const tx_depthwise *d = t->pass->d;
    const tx_view *x = t->pass->x;
    int y = (int)row * d->stride_h - d->top;
    for (int ky = 0; ky < d->kernel_h; ky++, y++) {
        size_t pixel = (image * (size_t)x->h + (size_t)y) * (size_t)x->w;
        at[ky * d->kernel_w] = y < 0 || y >= x->h ? NULL : x->data + pixel * x->ld + t->channel;
    }
    t->xs.next = y < 0 ? 0 : y < x->h ? y : x->h;
}

/* The rows of x behind those at hand, for the next rows of the result. */
static void ask_for_rows(const depthwise_task *t, size_t image, tx_depthwise_row *r)
{
    const tx_view *x = t->pass->x;
    size_t w = (size_t)x->w, first = (image * (size_t)x->h + (size_t)t->xs.next) * w;
    size_t pixels = min_size(t->rows * (size_t)t->pass->d->stride_h * w, (size_t)x->n * (size_t)x->h * w - first);
    int whole = t->c == x->ld;
    r->ahead = x->data + first * x->ld + t->channel;
    r->ahead_runs = whole ? 1 : pixels;
    r->ahead_run = whole ? pixels * x->ld : t->c;
    r->ahead_ld = x->ld;
}

static void forward_row(depthwise_task *t, size_t image, size_t row, size_t column, size_t columns)
{
    const depthwise_pass *pass = t->pass;
    const tx_target *y = pass->y;
    const float *at[2 * MOST_TAPS], *w[MOST_TAPS];
    for (size_t k = 0; k < t->rows; k++)
        if (pass->direct)
            input_lines(t, image, row + k, at + k * pass->taps);
        else
            input_taps(t, image, row + k, column, at + k * pass->taps);
    for (size_t k = 0; k < pass->taps; k++)
        w[k] = weight_of(t, k);
    size_t pixel = (image * pass->h + row) * pass->w + column;
    tx_depthwise_row r = {.taps = (int)pass->taps,
                          .at = at,
                          .w = w,
                          .step = pass->direct ? pass->x->ld : 16 * (size_t)pass->d->stride_w,
                          .apart = t->xs.apart,
                          .w_apart = 16 * pass->taps,
                          .across = pass->d->kernel_w,
                          .between = 16 * (ptrdiff_t)pass->d->dilation_w,
                          .direct = pass->direct,
                          .first = (long)column * pass->d->stride_w - pass->d->left,
                          .width = pass->x->w,
                          .stride = pass->d->stride_w,
                          .rows = (int)t->rows,
                          .outputs = columns,
                          .c = t->c,
                          .y = y->data + pixel * y->ld + t->channel,
                          .ld = y->ld,
                          .bias = y->bias ? y->bias + t->channel : NULL,
                          .scale = y->scale ? y->scale + t->channel : NULL,
                          .shift = y->shift ? y->shift + t->channel : NULL,
                          .add = y->add ? y->add + pixel * y->add_ld + t->channel : NULL,
                          .add_ld = y->add_ld,
                          .act = y->act,
                          .stream = pass->stream};
    if (pass->ahead && pixel + columns * t->rows < t->end)
        ask_for_rows(t, image, &r);
    pass->kernels->row(&r);
    for (size_t left = columns * t->rows; y->moments.mean && left > 0;) {
        size_t n = min_size(left, TX_CHUNK - pixel % TX_CHUNK);
        pixel += n;
        left -= n;
        if (pixel % TX_CHUNK == 0 || pixel == pass->pixels)
            take_moments(t, (pixel - 1) / TX_CHUNK);
    }
}

/* Can x be read as it stands? Columns outside of the map are then at most half a kernel, and a slice is no less than a
 * vector. */
static int reads_directly(const depthwise_pass *pass, const tx_machine *machine)
{
    const tx_depthwise *d = pass->d;
    const tx_view *x = pass->x;
    int half = d->kernel_w / 2;
    long last = (long)(pass->w - 1) * d->stride_w + d->kernel_w - 1 - d->left;
    int vectors =
        pass->c % 16 == 0 || (pass->c - (pass->slices - 1) * pass->slice >= 16 && pass->y->add != pass->y->data);
    return swept_rows(d, machine) > 0 && !x->scale && x->act == TX_ACT_NONE && vectors && d->left <= half &&
           last < x->w + half;
}

static void forward_task(void *context, size_t i, int worker)
{
    depthwise_task t = begin_task(context, i, worker);
    walk(&t, forward_row);
}

tx_status tx_depthwise_forward(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, const float *weight,
                               const tx_target *y, void *work)
{
    if (!view_given(x) || !weight || !y || !y->data || !sizes_given(machine, d, x, y->h, y->w) || !work ||
        (y->moments.mean && (!y->moments.variance || !y->moments.work)))
        return operand_missing("tx_depthwise_forward");
    depthwise_pass pass = pass_of(machine, d, x, y->h, y->w, 0, y->moments.mean != NULL);
    pass.kernels = &machine->kernels->depthwise;
    pass.channel = &machine->kernels->channel;
    pass.weight = weight;
    pass.y = y;
    pass.direct = reads_directly(&pass, machine);
    pass.ahead = pass.direct || pass.n * (size_t)x->h * (size_t)x->w * pass.c >= STREAM_FLOATS;
    pass.workers = work;
    pass.stream = !y->moments.mean && y->data != y->add && streams(y->data, y->ld, pass.pixels, pass.c);
    tx_status status = tx_parallel_on(machine, ceil_div(pass.units, pass.group) * pass.slices, forward_task, &pass);
    if (status || !y->moments.mean)
        return status;
    return tx_channel_merge(machine, &y->moments, pass.pixels, pass.c);
}

/* ---- gradients */

static size_t sums_of(const depthwise_pass *pass)
{
    return pass->taps + (pass->db != NULL);
}

/* The task's sums of one chunk are done. */
static void put_sums(const depthwise_task *t, size_t chunk)
{
    const depthwise_pass *pass = t->pass;
    float *to = pass->partial + chunk * sums_of(pass) * pass->c + t->channel;
    for (size_t k = 0; k < sums_of(pass); k++)
        memcpy(to + k * pass->c, t->sum + k * t->lanes, t->c * sizeof *to);
}

/* The sums of dw and db over a stretch of a row, which may cross from chunk to chunk. */
static void weight_row(depthwise_task *t, size_t image, size_t row, size_t column, size_t columns)
{
    const depthwise_pass *pass = t->pass;
    const float *at[MOST_TAPS];
    size_t step = 16 * (size_t)pass->d->stride_w, pixel = (image * pass->h + row) * pass->w + column;
    input_taps(t, image, row, column, at);
    const float *g = at_ring(&t->gs, (int)row, (long)column);
    while (columns > 0) {
        size_t left = TX_CHUNK - pixel % TX_CHUNK, n = min_size(columns, left);
        if (left == TX_CHUNK)
            memset(t->sum, 0, sums_of(pass) * t->lanes * sizeof *t->sum);
        pass->kernels->weight((int)pass->taps, at, step, t->xs.apart, g, t->gs.apart, n, t->lanes, t->sum,
                              pass->db ? t->sum + pass->taps * t->lanes : NULL);
        for (size_t k = 0; k < pass->taps; k++)
            at[k] += n * step;
        g += 16 * n;
        pixel += n;
        columns -= n;
        if (n == left || pixel == pass->pixels)
            put_sums(t, (pixel - 1) / TX_CHUNK);
    }
}

/* Taps of one axis that a row or column of x meets, and the row or column of dy that each brings to it. */
typedef struct meeting {
    int taps, tap[MOST_TAPS], at[MOST_TAPS];
} meeting;

static void find_meeting(int position, int before, int kernel, int dilation, int stride, meeting *m)
{
    m->taps = 0;
    for (int k = 0; k < kernel; k++) {
        int from = position + before - k * dilation;
        if (from % stride != 0)
            continue;
        m->tap[m->taps] = k;
        m->at[m->taps++] = from / stride;
    }
}

/* Columns first, first + stride, .. of row y of dx: the same taps meet all of them. */
static void input_columns(const depthwise_task *t, size_t image, int y, int first, const meeting *rows)
{
    const depthwise_pass *pass = t->pass;
    const tx_depthwise *d = pass->d;
    const tx_gradient *dx = pass->dx;
    const float *at[MOST_TAPS], *w[MOST_TAPS];
    meeting columns;
    int k = 0;
    find_meeting(first, d->left, d->kernel_w, d->dilation_w, d->stride_w, &columns);
    for (int i = 0; i < rows->taps; i++)
        for (int j = 0; j < columns.taps; j++) {
            at[k] = at_ring(&t->gs, rows->at[i], columns.at[j]);
            w[k++] = weight_of(t, (size_t)(rows->tap[i] * d->kernel_w + columns.tap[j]));
        }
    size_t pixel = (image * (size_t)pass->x->h + (size_t)y) * (size_t)pass->x->w + (size_t)first;
    tx_depthwise_row r = {.taps = k,
                          .at = at,
                          .w = w,
                          .step = 16,
                          .apart = t->gs.apart,
                          .w_apart = 16 * pass->taps,
                          .across = d->stride_w == 1 ? d->kernel_w : 1,
                          .between = -16 * (ptrdiff_t)d->dilation_w,
                          .rows = 1,
                          .outputs = ceil_div((size_t)(pass->x->w - first), (size_t)d->stride_w),
                          .c = t->c,
                          .y = dx->data + pixel * dx->ld + t->channel,
                          .ld = (size_t)d->stride_w * dx->ld,
                          .add = dx->add ? dx->add + pixel * dx->add_ld + t->channel : NULL,
                          .add_ld = (size_t)d->stride_w * dx->add_ld,
                          .stream = pass->stream};
    pass->kernels->row(&r);
}

/* Row y of dx. */
static void input_row(depthwise_task *t, size_t image, int y)
{
    const depthwise_pass *pass = t->pass;
    const tx_depthwise *d = pass->d;
    meeting rows;
    find_meeting(y, d->top, d->kernel_h, d->dilation_h, d->stride_h, &rows);
    if (rows.taps > 0)
        need_rows(t, &t->gs, image, 0, rows.at[0]);
    for (int x = 0; x < d->stride_w && x < pass->x->w; x++)
        input_columns(t, image, y, x, &rows);
}

/* A stretch of row `row` of dy: sums of the weight; whoever owns its first pixel, also the rows of dx from row*stride on. */
static void gradient_row(depthwise_task *t, size_t image, size_t row, size_t column, size_t columns)
{
    const depthwise_pass *pass = t->pass;
    const tx_depthwise *d = pass->d;
    int h = pass->x->h, stride = d->stride_h, y = (int)row * stride;
    int above = floor_div(y + d->top - (d->kernel_h - 1) * d->dilation_h, stride);
    need_rows(t, &t->gs, image, above < (int)row ? above : (int)row, (int)row);
    if (pass->dw || pass->db)
        weight_row(t, image, row, column, columns);
    int end = row + 1 == pass->h || y + stride > h ? h : y + stride;
    for (; pass->dx->data && column == 0 && y < end; y++)
        input_row(t, image, y);
}

static void gradient_task(void *context, size_t i, int worker)
{
    depthwise_task t = begin_task(context, i, worker);
    walk(&t, gradient_row);
}

enum { MERGE = 64 }; /* channels that one task combines */

/* Part i of the sums of all chunks. */
static void merge_task(void *context, size_t i, int worker)
{
    (void)worker;
    const depthwise_pass *pass = context;
    size_t all = sums_of(pass) * pass->c, first = i * MERGE, n = min_size(all - first, MERGE);
    double sum[MERGE] = {0};
    for (size_t chunk = 0; chunk < pass->chunks; chunk++)
        for (size_t k = 0; k < n; k++)
            sum[k] += (double)pass->partial[chunk * all + first + k];
    for (size_t k = first; k < first + n; k++)
        if (k >= pass->taps * pass->c)
            pass->db[k - pass->taps * pass->c] = (float)sum[k - first];
        else if (pass->dw)
            pass->dw[k] = (float)sum[k - first];
}

tx_status tx_depthwise_gradient(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, const float *weight,
                                const tx_slope *dy, const tx_gradient *dx, float *dw, float *db, void *work)
{
    if (!view_given(x) || !weight || !dy || !tensor_given(&dy->g) || !dx ||
        !sizes_given(machine, d, x, dy->g.h, dy->g.w) || !work)
        return operand_missing("tx_depthwise_gradient");
    depthwise_pass pass = pass_of(machine, d, x, dy->g.h, dy->g.w, 1, 1);
    const tx_tensor *g = &dy->g;
    pass.kernels = &machine->kernels->depthwise;
    pass.weight = weight;
    pass.dy = dy;
    pass.plain_dy = (tx_view){.data = g->data, .n = g->n, .h = g->h, .w = g->w, .c = g->c, .ld = g->ld};
    pass.stream =
        dx->data && dx->data != dx->add && streams(dx->data, dx->ld, pass.n * (size_t)x->h * (size_t)x->w, pass.c);
    pass.dx = dx;
    pass.dw = dw;
    pass.db = db;
    pass.workers = work;
    pass.partial = pass.workers + (size_t)machine->threads * pass.floats;
    tx_status status = tx_parallel_on(machine, ceil_div(pass.units, pass.group) * pass.slices, gradient_task, &pass);
    if (status || (!dw && !db))
        return status;
    return tx_parallel_on(machine, ceil_div(sums_of(&pass) * pass.c, MERGE), merge_task, &pass);
}
