/* gemm.c - products of matrices for convolutions and linear layers: how they are cut into tasks.
 *
 * FORWARD   y (M x N) = A (M x K) B (K x N). A task owns a block of outputs. It takes k in blocks of `depth`, in a
 *           block the rows of a register tile at a time: packs them, without gaps, so that they stay in the first cache,
 *           and multiplies them by all its panels of B, which stay in the second. Sums of an unfinished k wait in the
 *           target, or in private memory where the target has steps or is its own addend. The last block of k applies
 *           bias, addend and activation while the tile is in the first cache. Where batch statistics are wanted a task is
 *           a chunk of TX_CHUNK rows, and takes those of its columns from the second cache when it is done.
 * GRADIENT  dW (K x N) = A' dY. A task owns a block of dW over a group of chunks of rows; groups that are computed at the
 *           same time have their sums in the work memory, from where they are added to dW in order.
 * BOTH      of a product whose rows are pixels, in one pass over dy: a task owns a group of chunks, of each makes the rows of
 *           dY in the second cache if a batch norm is to be applied to them, from these the same rows of dx, and adds the
 *           chunk to its sum of dW. As both are made of the products above, their bits are too.
 *
 * Every block size is free (tile.h): none shows in the bits. They follow from the shape and the machine's number of
 * threads. */
#include "gemm_kernels.h"
#include "kernels.h"
#include "moments.h"
#include "operands.h"
#include "sizes.h"

enum {
    IN_PLACE = 512,          /* floats between rows up to which a matrix is read where it stands: rows further apart
                             * would fall into the same few sets of the caches */
    DEPTH = 512,             /* k of a forward block: a tile of packed rows, 14 x 512 floats, is 28 KiB */
    TASK_ROWS = 168,         /* multiple of every TILE_M */
    TASK_PRODUCTS = 1 << 18, /* multiply-adds that take about as long as waking a thread */
    TASK_COLUMNS = 256,      /* DEPTH x 256 floats of B are 512 KiB */
    NARROW = 32,             /* columns up to which a pass behind the product takes batch statistics in less time */
    SUMS = 1 << 22           /* floats that sums of groups may take together, if there are several */
};

static size_t rows_of(const tx_rows *a)
{
    return (size_t)a->x.n * (size_t)a->grid_h * (size_t)a->grid_w;
}

static size_t depth_of(const tx_rows *a)
{
    return (size_t)a->taps * (size_t)a->x.c;
}

static int shape_given(const tx_rows *a, int n)
{
    return a && sized(a->x.n, a->grid_h, a->grid_w, a->x.c) && a->taps >= 0 && (a->tap || a->taps == 0) && n > 0;
}

/* Does row r of A stand at pixel r of x, */
static int rows_stand_at_pixels(const tx_rows *a)
{
    return a->taps == 1 && a->tap->y == 0 && a->tap->x == 0 && a->step_y == 1 && a->step_x == 1 &&
           a->grid_h == a->x.h && a->grid_w == a->x.w;
}

/* and is it that pixel? */
static int rows_are_pixels(const tx_rows *a)
{
    return rows_stand_at_pixels(a) && !a->x.scale && a->x.act == TX_ACT_NONE && !a->x.gate;
}

/* Taps that are a rectangle of neighbours, row by row, of a map whose pixels stand without gaps: a row of A is then as many
 * stretches of x as the rectangle has rows. Or 0. */
static size_t lines_of(const tx_rows *a)
{
    if (a->taps < 2 || a->x.ld != (size_t)a->x.c || a->x.scale || a->x.act != TX_ACT_NONE || a->x.gate)
        return 0;
    int across = 1;
    while (across < a->taps && a->tap[across].y == a->tap->y)
        across++;
    for (int k = 0; k < a->taps; k++)
        if (a->tap[k].x != a->tap->x + k % across || a->tap[k].y != a->tap->y + k / across)
            return 0;
    return (size_t)(a->taps / across) * (a->taps % across == 0);
}

/* ----------------------------------------------------------------------------------------- packing */

typedef struct pack_run {
    const tx_kernels *kernels;
    const tx_filter *w;
    float *packed;
    size_t k, blocks;
} pack_run;

enum { PACK_ROWS = 256 };

static void pack_task(void *context, size_t i, int worker)
{
    const pack_run *run = context;
    size_t k0 = i % run->blocks * PACK_ROWS;
    run->kernels->gemm.pack(run->w, run->packed, i / run->blocks, k0, min_size(run->k, k0 + PACK_ROWS));
    (void)worker;
}

size_t tx_gemm_packed(size_t k, size_t n)
{
    size_t columns, floats;
    if (tx_size_add(n, GEMM_COLUMNS - 1, &columns) != 0 ||
        tx_size_mul(columns / GEMM_COLUMNS * GEMM_COLUMNS, k, &floats) != 0)
        return (size_t)-1;
    return floats;
}

tx_status tx_gemm_pack(const tx_machine *machine, float *packed, const tx_filter *w)
{
    if (!machine_given(machine) || !packed || !w || !w->data || w->taps < 0 || w->c < 1 || w->n < 1)
        return operand_missing("tx_gemm_pack");
    size_t k = (size_t)w->taps * (size_t)w->c;
    pack_run run = {machine->kernels, w, packed, k, ceil_div(k, PACK_ROWS)};
    return tx_parallel_on(machine, ceil_div((size_t)w->n, (size_t)run.kernels->tile_n) * run.blocks, pack_task, &run);
}

/* ----------------------------------------------------------------------------------------- forward */

/* The largest blocks of outputs. */
static void forward_whole(tx_gemm_forward_job *job)
{
    size_t blocks = ceil_div(job->n, TASK_COLUMNS);
    job->depth = round_up(ceil_div(job->k, ceil_div(job->k, DEPTH) + (job->k == 0)), 16);
    job->task_rows = TASK_ROWS;
    job->task_columns = round_up(ceil_div(job->n, blocks), GEMM_COLUMNS);
}

/* As many rows of blocks for each thread, so that it finds in its caches what it wrote of these rows before; of `wanted` of
 * them down to half as many, the number whose tiles are the fewest. */
static void forward_split_rows(tx_gemm_forward_job *job, size_t threads, size_t wanted)
{
    size_t least = round_up(ceil_div(job->m, TASK_ROWS), threads), most = ceil_div(job->m, GEMM_ROWS);
    size_t first = round_up(tx_size_max(least, wanted / 2), threads), fewest = (size_t)-1;
    for (size_t n = first; n <= tx_size_max(first, round_up(min_size(wanted, most), threads)); n += threads) {
        size_t rows = ceil_div(job->m, n), tiles = n * ceil_div(rows, GEMM_ROWS);
        if (tiles > fewest)
            continue;
        fewest = tiles;
        job->task_rows = rows;
    }
}

/* Blocks of outputs: several for each thread if they are worth waking it; whole chunks if each task takes batch
 * statistics. */
static void forward_split(tx_gemm_forward_job *job, size_t threads, int by_chunks)
{
    double products = (double)job->m * (double)job->n * (double)job->k;
    size_t wanted = 6 * threads, enough = (by_chunks ? 6 : 2) * threads;
    if (products < (double)TASK_PRODUCTS * (double)wanted)
        wanted = (size_t)(products / TASK_PRODUCTS);
    forward_whole(job);
    if (by_chunks)
        job->task_rows = TX_CHUNK;
    else if (threads > 1 && wanted > 1)
        forward_split_rows(job, threads, ceil_div(wanted, ceil_div(job->n, job->task_columns)));
    for (;;) {
        job->row_tasks = ceil_div(job->m, job->task_rows);
        job->column_tasks = ceil_div(job->n, job->task_columns);
        size_t tasks = job->row_tasks * job->column_tasks;
        if (threads == 1 || tasks >= wanted || tasks >= enough || job->task_columns <= 2 * GEMM_COLUMNS)
            return;
        job->task_columns = round_up(job->task_columns / 2, GEMM_COLUMNS);
    }
}

/* Floats of a task: the packed rows, and sums where they cannot stay in the target. */
static size_t forward_floats(const tx_gemm_forward_job *job)
{
    size_t rows = job->k > job->depth ? job->task_rows : GEMM_ROWS;
    return GEMM_ROWS * job->depth + rows * job->task_columns;
}

size_t tx_gemm_forward_work(const tx_machine *machine, const tx_rows *a, int n)
{
    if (!machine_given(machine) || !shape_given(a, n)) {
        operand_missing("tx_gemm_forward_work");
        return (size_t)-1;
    }
    tx_gemm_forward_job job = {.m = rows_of(a), .n = (size_t)n, .k = depth_of(a)};
    forward_whole(&job);
    return float_bytes(forward_floats(&job), (size_t)machine->threads);
}

typedef struct forward_run {
    const tx_kernels *kernels;
    tx_gemm_forward_job job;
    float *work;
    size_t each;
} forward_run;

static void forward_task(void *context, size_t i, int worker)
{
    const forward_run *run = context;
    run->kernels->gemm.forward(&run->job, i, run->work + (size_t)worker * run->each);
}

/* Sums over what is written: batch statistics or a reduction, not both. */
static int sums_given(const tx_target *y)
{
    const tx_reduction *r = y->reduce;
    if (r)
        return !y->moments.mean && view_given(&r->x) && r->x.scale && r->mean && r->sum_g && r->sum_gx && r->work;
    return y->moments.variance && y->moments.work;
}

static void forward_parts(tx_gemm_forward_job *job)
{
    job->reduce = job->y.reduce;
    for (int kind = 0; kind < (job->reduce ? 2 : 3); kind++)
        job->part[kind] = job->reduce ? reduction_part(job->reduce, job->m, job->n, kind, 0)
                                      : moments_part(&job->y.moments, job->m, job->n, kind, 0);
}

/* From the parts that the tasks have taken, or in a pass. */
static tx_status forward_sums(const tx_machine *machine, const tx_gemm_forward_job *job, int by_chunks)
{
    const tx_moments *m = &job->y.moments;
    const tx_reduction *r = job->y.reduce;
    tx_tensor y = {job->y.data, job->a.x.n, job->y.h, job->y.w, (int)job->n, job->y.ld};
    tx_view view = {.data = y.data, .n = y.n, .h = y.h, .w = y.w, .c = y.c, .ld = y.ld};
    if (by_chunks)
        return r ? tx_channel_merge_sums(machine, r, job->m, job->n) : tx_channel_merge(machine, m, job->m, job->n);
    return r ? tx_channel_bn_reduce(machine, &r->x, r->mean, &y, r->sum_g, r->sum_gx, r->work)
             : tx_channel_moments(machine, &view, m->mean, m->variance, m->work);
}

tx_status tx_gemm_forward(const tx_machine *machine, const tx_rows *a, const float *packed, int n, const tx_target *y,
                          void *work)
{
    if (!machine_given(machine) || !shape_given(a, n) || !view_given(&a->x) || !packed || !y || !y->data || !work)
        return operand_missing("tx_gemm_forward");
    forward_run run = {.kernels = machine->kernels, .work = work};
    run.job = (tx_gemm_forward_job){.a = *a, .b = packed, .y = *y, .m = rows_of(a), .n = (size_t)n, .k = depth_of(a)};
    run.job.plain = y->step_y == 1 && y->step_x == 1 && y->offset_y == 0 && y->offset_x == 0 && y->h == a->grid_h &&
                    y->w == a->grid_w;
    run.job.in_place = run.job.plain && y->add != y->data;
    run.job.a_pixels = rows_are_pixels(a);
    run.job.a_in_place = run.job.a_pixels && a->x.ld <= IN_PLACE;
    int wanted = y->moments.mean || y->reduce, by_chunks = wanted && run.job.n > NARROW;
    if (wanted && (!run.job.plain || !sums_given(y)))
        return operand_missing("tx_gemm_forward");
    if (by_chunks)
        forward_parts(&run.job);
    forward_split(&run.job, (size_t)machine->threads, by_chunks);
    run.job.a_dense = rows_stand_at_pixels(a) && a->x.ld == run.job.k && run.job.k <= run.job.depth;
    run.job.lines = run.job.k <= run.job.depth ? lines_of(a) : 0;
    run.job.line = run.job.lines ? run.job.k / run.job.lines : 0;
    run.each = forward_floats(&run.job);
    tx_status status = tx_parallel_on(machine, run.job.row_tasks * run.job.column_tasks, forward_task, &run);
    if (status || !wanted)
        return status;
    return forward_sums(machine, &run.job, by_chunks);
}

/* ---------------------------------------------------------------------------------------- gradient */

typedef struct gradient_run {
    const tx_kernels *kernels;
    tx_gemm_gradient_job job;
    float *dw, *sums, *work;
    size_t each; /* floats of work a thread */
    int add;
    size_t slots, first, round; /* sums that have room; the groups of chunks of this round */
    size_t block_k, block_n;    /* dW in blocks */
    size_t blocks_n, blocks;
} gradient_run;

/* A group of chunks, a block of dW. */
static void gradient_task(void *context, size_t i, int worker)
{
    const gradient_run *run = context;
    const tx_gemm_gradient_job *job = &run->job;
    size_t slot = i / run->blocks, b = i % run->blocks, first = (run->first + slot) * TX_GEMM_GROUP;
    size_t k0 = b / run->blocks_n * run->block_k, n0 = b % run->blocks_n * run->block_n;
    tx_gemm_block block = {k0, min_size(run->block_k, job->k - k0), n0, min_size(run->block_n, job->n - n0)};
    float *out = (run->slots ? run->sums + slot * job->k * job->n : run->dw) + k0 * job->n + n0;
    run->kernels->gemm.gradient(job, first, min_size(TX_GEMM_GROUP, job->chunks - first), &block, out, job->n,
                                run->slots ? 0 : run->add, run->work + (size_t)worker * run->each);
}

enum { TOTAL = 1024 };

static void gradient_total_task(void *context, size_t i, int worker)
{
    const gradient_run *run = context;
    size_t size = run->job.k * run->job.n, at = i * TOTAL;
    run->kernels->gemm.total(run->dw + at, run->sums + at, run->round, size, min_size(TOTAL, size - at),
                             run->add || run->first > 0);
    (void)worker;
}

/* Several groups at once where their sums have room, blocks of dW until every thread has several. */
static void gradient_split(gradient_run *run, size_t threads)
{
    tx_gemm_gradient_job *job = &run->job;
    size_t size = job->k * job->n;
    job->chunks = ceil_div(job->m, GEMM_CHUNK);
    size_t groups = ceil_div(job->chunks, TX_GEMM_GROUP);
    run->slots = job->chunks > 1 ? 1 : 0;
    if (threads > 1 && run->slots)
        run->slots = min_size(groups, size < SUMS ? SUMS / size : 1);
    size_t tasks = run->slots + !run->slots;
    run->block_k = round_up(job->k, GEMM_GROUP);
    run->block_n = round_up(job->n, GEMM_COLUMNS);
    while (threads > 1 && tasks * ceil_div(job->k, run->block_k) * ceil_div(job->n, run->block_n) < 4 * threads) {
        if (run->block_k > GEMM_GROUP && run->block_k > run->block_n)
            run->block_k = round_up(run->block_k / 2, GEMM_GROUP);
        else if (run->block_n > 2 * GEMM_COLUMNS)
            run->block_n = round_up(run->block_n / 2, GEMM_COLUMNS);
        else
            break;
    }
    run->blocks_n = ceil_div(job->n, run->block_n);
    run->blocks = ceil_div(job->k, run->block_k) * run->blocks_n;
    run->each = (GEMM_CHUNK + GEMM_STRIP) * GEMM_GROUP + GEMM_PANEL * min_size(run->block_n, GEMM_PANELS);
}

size_t tx_gemm_gradient_work(const tx_machine *machine, const tx_rows *a, int n)
{
    if (!machine_given(machine) || !shape_given(a, n)) {
        operand_missing("tx_gemm_gradient_work");
        return (size_t)-1;
    }
    size_t threads = (size_t)machine->threads;
    gradient_run run = {.job = {.m = rows_of(a), .n = (size_t)n, .k = depth_of(a)}};
    gradient_split(&run, threads);
    return float_bytes(run.each * threads + run.slots * run.job.k * run.job.n, 1);
}

static tx_status gradient_rounds(const tx_machine *machine, gradient_run *run)
{
    size_t groups = ceil_div(run->job.chunks, TX_GEMM_GROUP);
    tx_status status = TX_OK;
    for (run->first = 0; run->first < groups && status == TX_OK; run->first += run->slots) {
        run->round = min_size(run->slots, groups - run->first);
        status = tx_parallel_on(machine, run->round * run->blocks, gradient_task, run);
        if (status == TX_OK)
            status = tx_parallel_on(machine, ceil_div(run->job.k * run->job.n, TOTAL), gradient_total_task, run);
    }
    return status;
}

tx_status tx_gemm_gradient(const tx_machine *machine, float *dw, const tx_rows *a, const tx_view *dy, int add,
                           void *work)
{
    if (!machine_given(machine) || !dw || !view_given(dy) || !shape_given(a, dy->c) || !view_given(&a->x) || !work)
        return operand_missing("tx_gemm_gradient");
    gradient_run run = {.kernels = machine->kernels, .dw = dw, .work = work, .add = add};
    run.job = (tx_gemm_gradient_job){
        .a = *a, .dy = dy->data, .dy_ld = dy->ld, .m = rows_of(a), .n = (size_t)dy->c, .k = depth_of(a)};
    run.job.a_at_pixels = rows_stand_at_pixels(a);
    run.job.a_pixels = rows_are_pixels(a);
    run.job.a_in_place = run.job.a_pixels && a->x.ld <= 256 && dy->c <= 64;
    /* Panels of 32 columns are read where they stand if the rows of dY are near each other. */
    run.job.dy_in_place = dy->c % 16 == 0 && ((dy->ld <= 256 && run.job.k <= 128) ||
                                              (dy->ld <= 128 && run.kernels->tile_n == GEMM_COLUMNS));
    gradient_split(&run, (size_t)machine->threads);
    run.sums = run.work + run.each * (size_t)machine->threads;
    return run.slots ? gradient_rounds(machine, &run) : tx_parallel_on(machine, run.blocks, gradient_task, &run);
}

/* ---------------------------------------------------------------------------------- both gradients */

typedef struct both_run {
    gradient_run gradient;     /* of the whole weight */
    tx_gemm_forward_job input; /* of a chunk's pixels, without their places */
    const tx_view *x;
    const tx_slope *dy;
    const tx_gradient *dx;
    const tx_reduction *reduce; /* of dx, or NULL */
    size_t made_ld;             /* of a chunk of dy that is made */
} both_run;

enum {
    BOTH_GAP = 16
}; /* floats between the rows of such a chunk, so that they begin in different sets of the caches */

/* Pixels of a view, in one row. */
static tx_view rows_from(const tx_view *x, size_t row, size_t rows)
{
    tx_view part = *x;
    part.data = x->data ? x->data + row * x->ld : NULL;
    part.n = part.h = 1;
    part.w = (int)rows;
    return part;
}

/* Rows of dy: where they stand, or made if a batch norm is to be applied. */
static tx_view both_dy(const both_run *run, size_t row, size_t rows, float *made)
{
    const tx_slope *dy = run->dy;
    tx_view g = {.data = dy->g.data, .c = dy->g.c, .ld = dy->g.ld};
    g = rows_from(&g, row, rows);
    if (!dy->x.data)
        return g;
    tx_view x = rows_from(&dy->x, row, rows);
    tx_tensor from = {dy->g.data + row * dy->g.ld, 1, 1, (int)rows, g.c, g.ld};
    tx_gradient to = {made, run->made_ld, NULL, 0};
    run->gradient.kernels->channel.normal_gradient(&to, &x, dy->mean, &from, dy->mean_g, dy->slope, 0, rows, 0);
    g.data = made;
    g.ld = run->made_ld;
    return g;
}

static void both_input(const both_run *run, const tx_view *g, size_t row, float *work)
{
    static const tx_tap here;
    const tx_gradient *dx = run->dx;
    tx_gemm_forward_job job = run->input;
    job.a = (tx_rows){.x = *g, .grid_h = 1, .grid_w = g->w, .step_y = 1, .step_x = 1, .taps = 1, .tap = &here};
    job.m = (size_t)g->w;
    job.y.data = dx->data + row * dx->ld;
    job.y.w = g->w;
    job.y.add = dx->add ? dx->add + row * dx->add_ld : NULL;
    for (size_t t = 0; t < job.column_tasks; t++)
        run->gradient.kernels->gemm.forward(&job, t, work);
}

/* Sums of the rows of dx that have just been written. */
static void both_sums(const both_run *run, size_t row, size_t rows)
{
    const tx_gemm_gradient_job *job = &run->gradient.job;
    const tx_reduction *r = run->reduce;
    tx_tensor dx = {run->dx->data, run->x->n, run->x->h, run->x->w, run->x->c, run->dx->ld};
    for (size_t first = row; first < row + rows; first += TX_CHUNK) {
        size_t chunk = first / TX_CHUNK;
        run->gradient.kernels->channel.normal_sums(&r->x, r->mean, &dx, first, min_size(TX_CHUNK, row + rows - first),
                                                   0, job->k, reduction_part(r, job->m, job->k, 0, chunk),
                                                   reduction_part(r, job->m, job->k, 1, chunk));
    }
}

static void both_weight(const both_run *run, const tx_view *g, size_t row, float *out, int add, float *work)
{
    const tx_gemm_gradient_job *all = &run->gradient.job;
    tx_gemm_gradient_job job = *all;
    job.m = all->m - row;
    job.a_row = row;
    job.dy = g->data;
    job.dy_ld = g->ld;
    job.next_dy = run->dy->g.data + (row + (size_t)g->w) * run->dy->g.ld;
    job.next_ld = run->dy->g.ld;
    tx_gemm_block block = {0, job.k, 0, job.n};
    run->gradient.kernels->gemm.gradient(&job, 0, 1, &block, out, job.n, add, work);
}

static void both_task(void *context, size_t slot, int worker)
{
    const both_run *run = context;
    const gradient_run *gradient = &run->gradient;
    const tx_gemm_gradient_job *job = &gradient->job;
    size_t first = (gradient->first + slot) * TX_GEMM_GROUP, end = min_size(first + TX_GEMM_GROUP, job->chunks);
    float *out = gradient->slots ? gradient->sums + slot * job->k * job->n : gradient->dw;
    float *made = gradient->work + (size_t)worker * gradient->each, *work = made + GEMM_CHUNK * run->made_ld;
    for (size_t chunk = first; chunk < end; chunk++) {
        size_t row = chunk * GEMM_CHUNK, rows = min_size(GEMM_CHUNK, job->m - row);
        tx_view g = both_dy(run, row, rows, made);
        if (run->dx->data)
            both_input(run, &g, row, work);
        if (run->reduce)
            both_sums(run, row, rows);
        if (gradient->dw)
            both_weight(run, &g, row, out, chunk > first, work);
    }
}

static void both_split(both_run *run, size_t threads)
{
    gradient_run *gradient = &run->gradient;
    tx_gemm_gradient_job *job = &gradient->job;
    tx_gemm_forward_job *input = &run->input;
    gradient_split(gradient, threads);
    gradient->block_n = round_up(job->n, GEMM_COLUMNS);
    size_t weight = (GEMM_CHUNK + GEMM_STRIP) * GEMM_GROUP + GEMM_PANEL * min_size(gradient->block_n, GEMM_PANELS);
    input->m = GEMM_CHUNK;
    input->n = job->k;
    input->k = job->n;
    forward_split(input, 1, 0);
    input->task_rows = GEMM_CHUNK;
    input->row_tasks = 1;
    run->made_ld = round_up(job->n, 16) + BOTH_GAP;
    gradient->each = GEMM_CHUNK * run->made_ld + round_up(tx_size_max(weight, forward_floats(input)), 16);
}

static int both_given(const tx_view *x, int n)
{
    return x && sized(x->n, x->h, x->w, x->c) && n > 0;
}

static both_run both_of(const tx_view *x, int n)
{
    static const tx_tap here;
    both_run run = {.x = x};
    tx_gemm_gradient_job *job = &run.gradient.job;
    job->a = (tx_rows){.x = *x, .grid_h = x->h, .grid_w = x->w, .step_y = 1, .step_x = 1, .taps = 1, .tap = &here};
    job->m = rows_of(&job->a);
    job->n = (size_t)n;
    job->k = (size_t)x->c;
    return run;
}

int tx_gemm_gradients_pay(const tx_machine *machine, const tx_view *x, int n)
{
    if (!machine_given(machine) || !both_given(x, n))
        return 0;
    both_run run = both_of(x, n);
    size_t threads = (size_t)machine->threads,
           groups = ceil_div(run.gradient.job.m, (size_t)GEMM_CHUNK * TX_GEMM_GROUP);
    both_split(&run, threads);
    int shared = threads == 1 || (run.gradient.slots >= threads && 4 * groups >= 3 * round_up(groups, threads));
    return shared && n > x->c;
}

size_t tx_gemm_gradients_work(const tx_machine *machine, const tx_view *x, int n)
{
    if (!machine_given(machine) || !both_given(x, n)) {
        operand_missing("tx_gemm_gradients_work");
        return (size_t)-1;
    }
    both_run run = both_of(x, n);
    both_split(&run, (size_t)machine->threads);
    return float_bytes(
        run.gradient.each * (size_t)machine->threads + run.gradient.slots * run.gradient.job.k * run.gradient.job.n, 1);
}

/* What a chunk's products may do with its operands. */
static void both_places(both_run *run, const float *packed, int made)
{
    tx_gemm_gradient_job *weight = &run->gradient.job;
    tx_gemm_forward_job *input = &run->input;
    size_t dy_ld = run->dy->g.ld;
    weight->a_at_pixels = 1;
    weight->a_pixels = rows_are_pixels(&weight->a);
    weight->a_in_place = weight->a_pixels && run->x->ld <= 256 && weight->n <= 64;
    weight->dy_in_place = weight->n % 16 == 0 && (made || (dy_ld <= 256 && weight->k <= 128));
    input->b = packed;
    input->y = (tx_target){.ld = run->dx->ld, .h = 1, .step_y = 1, .step_x = 1, .add_ld = run->dx->add_ld};
    input->plain = 1;
    input->in_place = run->dx->add != run->dx->data;
    input->a_pixels = 1;
    input->a_in_place = made || dy_ld <= IN_PLACE;
}

tx_status tx_gemm_gradients(const tx_machine *machine, const tx_view *x, const float *packed, const tx_slope *dy,
                            const tx_gradient *dx, const tx_reduction *reduce, float *dw, void *work)
{
    if (!machine_given(machine) || !view_given(x) || !dy || !tensor_given(&dy->g) || !dx || (dx->data && !packed) ||
        (!dx->data && (!dw || reduce)) || !work || (reduce && !sums_given(&(tx_target){.reduce = reduce})))
        return operand_missing("tx_gemm_gradients");
    both_run run = both_of(x, dy->g.c);
    gradient_run *gradient = &run.gradient;
    size_t threads = (size_t)machine->threads, size = gradient->job.k * gradient->job.n;
    run.dy = dy;
    run.dx = dx;
    run.reduce = reduce;
    gradient->kernels = machine->kernels;
    gradient->dw = dw;
    gradient->work = work;
    both_split(&run, threads);
    both_places(&run, packed, dy->x.data != NULL);
    gradient->sums = gradient->work + gradient->each * threads;
    size_t groups = ceil_div(gradient->job.chunks, TX_GEMM_GROUP), slots = tx_size_max(gradient->slots, 1);
    tx_status status = TX_OK;
    for (gradient->first = 0; gradient->first < groups && status == TX_OK; gradient->first += slots) {
        gradient->round = min_size(slots, groups - gradient->first);
        status = tx_parallel_on(machine, gradient->round, both_task, &run);
        if (status == TX_OK && dw && gradient->slots)
            status = tx_parallel_on(machine, ceil_div(size, TOTAL), gradient_total_task, gradient);
    }
    if (status || !reduce)
        return status;
    return tx_channel_merge_sums(machine, reduce, gradient->job.m, gradient->job.k);
}
