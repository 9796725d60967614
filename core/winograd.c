/* winograd.c - convolution with a 3x3 kernel, stride 1, by Winograd's minimal filtering: how it is cut into tasks.
 *
 * Four by four results of one map come from a patch of six by six pixels with 36 multiplications instead of 144:
 *
 *     Y = A' [ (G g G') . (B' d B) ] A             d: patch, g: kernel, . element by element, ' transposed
 *
 * The sum over input channels is taken in the middle, so that each of the 36 points is a matrix product, tiles x
 * input channels by input channels x results. The gradient of the input is the same with dy for the input and the
 * kernel turned by half a turn; that of the weights is the adjoint of the same formula:
 *
 *     dg = G' [ sum over tiles of (B' d B) . (A dY A') ] G
 *
 * The polynomials behind it are interpolated at 0, +-a, +-b and infinity. With a = 5/8 and b = 3/2, whose powers
 * are exact in float, the error is less than half of that with the usual 1 and 2, for the same cost:
 *
 *     B' =  225/256    0   -169/64     0      1    0          A =  1    0     0      0
 *              0    -45/32  -9/4      5/8     1    0               1   5/8  25/64  125/512
 *              0     45/32  -9/4     -5/8     1    0               1  -5/8  25/64 -125/512
 *              0   -75/128 -25/64     3/2     1    0               1   3/2   9/4    27/8
 *              0    75/128 -25/64    -3/2     1    0               1  -3/2   9/4   -27/8
 *              0   225/256    0    -169/64    0    1               0    0     0      1
 *
 *     G =    256/225       0         0
 *          -2048/2975  -256/595   -32/119
 *          -2048/2975   256/595   -32/119
 *            128/1071    64/357    32/119
 *            128/1071   -64/357    32/119
 *               0          0         1
 *
 * Every transform is that of the columns, then that of the rows. In one dimension, in the order of the operations,
 * where fma(x, y, z) = x y + z and each line rounds as often as it has operations:
 *
 *     v = B' d    v0 = fma(225/256, d0, fma(-169/64, d2, d4))      v5 = fma(225/256, d1, fma(-169/64, d3, d5))
 *                 e = fma(-9/4, d2, d4)      o = fma(-9/4, d1, d3)       v1 = fma(5/8, o, e)    v2 = fma(-5/8, o, e)
 *                 e = fma(-25/64, d2, d4)    o = fma(-25/64, d1, d3)     v3 = fma(3/2, o, e)    v4 = fma(-3/2, o, e)
 *     y = A' m    s = m1 + m2    t = m3 + m4    y0 = m0 + (s + t)              y2 = fma(9/4, t, 25/64 s)
 *                 s = m1 - m2    t = m3 - m4    y1 = fma(3/2, t, 5/8 s)        y3 = fma(27/8, t, fma(125/512, s, m5))
 *     s = A y     s0 = y0    s5 = y3
 *                 e = fma(25/64, y2, y0)    o = fma(125/512, y3, 5/8 y1)    s1 = e + o    s2 = e - o
 *                 e = fma(9/4, y2, y0)      o = fma(27/8, y3, 3/2 y1)       s3 = e + o    s4 = e - o
 *     u = G g     u0 = 256/225 g0    u5 = g2
 *                 e = fma(-32/119, g2, -2048/2975 g0)    o = -256/595 g1    u1 = e + o    u2 = e - o
 *                 e = fma(32/119, g2, 128/1071 g0)       o = 64/357 g1      u3 = e + o    u4 = e - o
 *     g = G' u    s = u1 + u2    t = u3 + u4    g0 = fma(256/225, u0, fma(-2048/2975, s, 128/1071 t))
 *                                               g2 = fma(-32/119, s, fma(32/119, t, u5))
 *                 s = u1 - u2    t = u3 - u4    g1 = fma(-256/595, s, 64/357 t)
 *
 * NUMERICS  a result is one chain over the input channels at each point; nothing in it depends on the other images,
 *           the threads, the instruction set or the sizes of blocks. A gradient of weights is a chain over the tiles of
 *           a chunk; chunks, whose lengths follow from the shape (gradient_split), are added in order.
 *           Largest error, of the largest result, for normal inputs and weights and sixteen images of 80x80x64,
 *           40x40x128, 20x20x256, 10x10x512, beside the error of a direct sum in float; and error of the results in the
 *           mean square:
 *               channels   results          input gradient   weight gradient   results in the mean square
 *                 64       1.2e-6 (0.8)     1.4e-6 (1.1)     1.5e-6 (0.4)      0.8e-6 (0.4)
 *                128       2.3e-6 (1.1)     2.1e-6 (1.1)     1.0e-6 (0.3)      1.0e-6 (0.6)
 *                256       3.0e-6 (1.5)     2.9e-6 (1.7)     0.9e-6 (0.3)      1.5e-6 (0.8)
 *                512       4.2e-6 (2.4)     5.5e-6 (2.4)     1.1e-6 (0.4)      2.1e-6 (1.2)
 *           test/core_winograd.c holds every result below 2e-6 of the largest sum of the absolute values of a result's
 *           terms, and finds 1.1e-6.
 *           A pixel that is infinite or NaN spoils the whole tiles that read it, a direct sum its neighbours only.
 * SOURCE    Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, arXiv:1509.09308, sec. 4;
 *           Winograd, "Arithmetic complexity of computations", SIAM 1980. On the choice of points: Barabasz, Anderson,
 *           Soodhalter and Gregg, "Error analysis and improving the accuracy of Winograd convolution for deep neural
 *           networks", ACM Trans. Math. Softw. 46(4), 2020, arXiv:1803.10986.
 * TESTS     test/core_winograd.c
 */
#include "kernels.h"
#include "operands.h"
#include "sizes.h"
#include "winograd_kernels.h"

static tx_winograd_map map_of(const tx_view *x, int padding)
{
    tx_winograd_map map = {.h = x->h + 2 * padding - 2, .w = x->w + 2 * padding - 2, .padding = padding};
    map.rows = (map.h + 3) / 4;
    map.cols = (map.w + 3) / 4;
    return map;
}

/* Everything but the data of an image map that has results. */
static int shape_given(const tx_view *x, int padding, int n)
{
    return x && sized(x->n, x->h, x->w, x->c) && n > 0 && padding >= 0 && padding <= 2 && x->h + 2 * padding > 2 &&
           x->w + 2 * padding > 2;
}

static size_t tiles_of(const tx_view *x, const tx_winograd_map *map)
{
    return (size_t)x->n * (size_t)map->rows * (size_t)map->cols;
}

/* An odd number of cache lines, so that what stands this far apart does not share a set of a cache. */
static size_t odd_lines(size_t floats)
{
    return (ceil_div(floats, 16) | 1) * 16;
}

/* Of a tile's channels at one point: whole lines, and no multiple of eight of them. */
static size_t row_floats(int c)
{
    size_t floats = round_up((size_t)c, 16);
    return floats % 128 ? floats : floats + 16;
}

/* Channels of a group, of n in all. */
static int columns_of(int n, size_t group)
{
    int left = n - WINOGRAD_GROUP * (int)group;
    return left < WINOGRAD_GROUP ? left : WINOGRAD_GROUP;
}

/* Where floats[n] stands, or would: what is only asked for may lie beyond an array. */
static uintptr_t address(const float *floats, size_t n)
{
    return (uintptr_t)floats + n * sizeof(float);
}

static tx_winograd_points points_at(tx_winograd_points points, float *data)
{
    points.data = data;
    return points;
}

/* A tile costs 36 multiplications for a pair of channels, also where it hangs over the edge of the map, and each of
 * its at most 16 results 9 directly. Measured with all three directions together, packing included, it takes as
 * long as a matrix product where the multiplications are 1.2 to 1.4 times fewer (1.5 with 512 channels), from 8
 * channels on; below 16 neither has its vectors full. Twice fewer is asked for, as the error is larger too. */
int tx_winograd_pays(int h, int w, int ci, int co)
{
    double tiles = (double)((h + 3) / 4) * (double)((w + 3) / 4), results = (double)h * (double)w;
    return h > 0 && w > 0 && ci >= 16 && co >= 16 && 9 * results >= 2 * 36 * tiles;
}

double tx_winograd_products(int h, int w, int ci, int co)
{
    if (h < 1 || w < 1 || ci < 1 || co < 1)
        return 0;
    return (double)WINOGRAD_POINTS * (double)((h + 3) / 4) * (double)((w + 3) / 4) * (double)ci * (double)co;
}

/* ----------------------------------------------------------------------------------------- weights */

enum { STREAM_WEIGHTS = 1 << 18 }; /* floats of a gradient from which on it is stored past the caches */
enum { PACK_ROWS = 64 };

static size_t group_floats(int k)
{
    return WINOGRAD_POINTS * ((size_t)k * WINOGRAD_GROUP + WINOGRAD_GAP);
}

size_t tx_winograd_packed(int k, int n)
{
    size_t floats;
    return k > 0 && n > 0 && tx_size_mul(group_floats(k), ceil_div((size_t)n, WINOGRAD_GROUP), &floats) == 0
               ? floats
               : (size_t)-1;
}

typedef struct pack_run {
    const tx_kernels *kernels;
    const tx_filter *w;
    float *packed;
    size_t blocks;
} pack_run;

static void pack_task(void *context, size_t i, int worker)
{
    const pack_run *run = context;
    size_t group = i / run->blocks;
    int first = (int)(i % run->blocks) * PACK_ROWS, left = run->w->c - first;
    run->kernels->winograd.pack(run->w, run->packed + group * group_floats(run->w->c), (int)group * WINOGRAD_GROUP,
                                first, left < PACK_ROWS ? left : PACK_ROWS);
    (void)worker;
}

tx_status tx_winograd_pack(const tx_machine *machine, float *packed, const tx_filter *w)
{
    if (!machine_given(machine) || !packed || !w || !w->data || w->taps != 9 || w->c < 1 || w->n < 1)
        return operand_missing("tx_winograd_pack");
    pack_run run = {machine->kernels, w, packed, ceil_div((size_t)w->c, PACK_ROWS)};
    return tx_parallel_on(machine, ceil_div((size_t)w->n, WINOGRAD_GROUP) * run.blocks, pack_task, &run);
}

/* ------------------------------------------------------------------------------------------ forward
 * Many tiles: a task takes a block of them from patches to results, in memory of its own that stays in the second
 * cache. Few tiles: all patches are transformed first, then a task computes the products of a point, then all
 * results are transformed. So each weight is read once, and there are as many tasks as points. */

enum {
    FORWARD_FLOATS = 75 << 10,  /* of patches and products of a block: 300 KiB */
    FORWARD_LEAST = 42,         /* tiles of a block: for as many each weight is read once; full tiles of registers */
    FORWARD_MOST = 72,          /* where there are many weights */
    FORWARD_WEIGHTS = 64 << 10, /* a tile more in a block for as many weights */
    FORWARD_SHARED = 6 << 20,   /* floats that all patches and products may take */
    TRANSFORM = 8               /* tiles of a task that only transforms */
};

typedef struct forward_run {
    const tx_kernels *kernels;
    size_t threads;
    const tx_view *x;
    const float *packed;
    int n;
    const tx_target *y;
    tx_winograd_map map;
    size_t tiles, groups;
    size_t blocks; /* of tiles, of about the same size */
    int shared;    /* few tiles: one v, one m */
    size_t slices; /* tasks of a point then */
    tx_winograd_points v, m;
    float *work;
} forward_run;

static void forward_split(forward_run *run, const tx_view *x, int padding, int n)
{
    size_t threads = run->threads;
    run->x = x;
    run->n = n;
    run->map = map_of(x, padding);
    run->tiles = tiles_of(x, &run->map);
    run->groups = ceil_div((size_t)n, WINOGRAD_GROUP);
    run->v.ld = row_floats(x->c);
    run->v.block = WINOGRAD_ROWS;
    run->m.ld = WINOGRAD_GROUP;

    size_t weights = run->groups * group_floats(x->c) / FORWARD_WEIGHTS;
    size_t fits = FORWARD_FLOATS / (WINOGRAD_POINTS * (run->v.ld + run->m.ld));
    size_t block = tx_size_max(FORWARD_LEAST, min_size(FORWARD_MOST, tx_size_max(fits, weights)));
    block = round_up(block, (size_t)run->kernels->tile_m);
    run->v.slab = odd_lines(run->tiles * run->v.ld);
    run->m.block = odd_lines(run->tiles * run->m.ld);
    run->m.slab = odd_lines(run->groups * run->m.block);
    run->shared = run->tiles < 4 * threads * block && run->v.slab + run->m.slab <= FORWARD_SHARED / WINOGRAD_POINTS;
    run->slices = min_size(ceil_div(run->tiles, FORWARD_LEAST), ceil_div(6 * threads, WINOGRAD_POINTS));
    if (run->shared)
        return;
    run->blocks = ceil_div(run->tiles, block);
    if (run->blocks < 16 * threads)
        run->blocks = round_up(run->blocks, threads);
    run->v.slab = odd_lines(block * run->v.ld);
    run->m.slab = odd_lines(block * run->m.ld);
}

static size_t forward_floats(const forward_run *run)
{
    return WINOGRAD_POINTS * (run->v.slab + run->m.slab);
}

/* Fewer images may be cut otherwise and need more. */
size_t tx_winograd_forward_work(const tx_machine *machine, const tx_view *x, int padding, int n)
{
    if (!machine_given(machine) || !shape_given(x, padding, n)) {
        operand_missing("tx_winograd_forward_work");
        return (size_t)-1;
    }
    size_t most = 0, threads = (size_t)machine->threads;
    tx_view part = *x;
    for (part.n = 1; part.n <= x->n; part.n++) {
        forward_run run = {.kernels = machine->kernels, .threads = threads};
        forward_split(&run, &part, padding, n);
        most = tx_size_max(most, float_bytes(forward_floats(&run), run.shared ? 1 : threads));
    }
    return most;
}

static size_t forward_begin(const forward_run *run, size_t block)
{
    return run->tiles * block / run->blocks;
}

/* One group of results of a block, from v. While it is computed, what comes next is fetched: the memory that its
 * results and addend stand in, and the pixels of tiles [next, end). */
static void forward_block(const forward_run *run, const tx_winograd_points *v, const tx_winograd_points *m,
                          size_t block, size_t group, size_t next, size_t end)
{
    const tx_target *y = run->y;
    size_t first = forward_begin(run, block), tiles = forward_begin(run, block + 1) - first;
    int cols = columns_of(run->n, group), channel = (int)group * WINOGRAD_GROUP;
    tx_winograd_product p = {.map = &run->map,
                             .u = run->packed + group * group_floats(run->x->c),
                             .a = *v,
                             .out = *m,
                             .points = WINOGRAD_POINTS,
                             .tiles = tiles,
                             .k = (size_t)run->x->c,
                             .cols = cols};
    p.ahead[0] = (tx_winograd_ahead){y->data + channel, y->ld, run->map.h, run->map.w, cols, first, tiles};
    p.ahead[1] = (tx_winograd_ahead){run->x->data, run->x->ld, run->x->h, run->x->w, run->x->c, next, end - next};
    if (y->add && y->add != y->data)
        p.ahead[2] = (tx_winograd_ahead){y->add + channel, y->add_ld, run->map.h, run->map.w, cols, first, tiles};
    p.then_a = (uintptr_t)v->data;
    p.then_b = address(run->packed, (group + 1) % run->groups * group_floats(run->x->c));
    run->kernels->winograd.product(&p);
    run->kernels->winograd.output(y, &run->map, first, tiles, m, channel, cols);
}

static void forward_block_task(void *context, size_t i, int worker)
{
    const forward_run *run = context;
    size_t first = forward_begin(run, i), end = forward_begin(run, i + 1);
    size_t after = i + 1 < run->blocks ? forward_begin(run, i + 2) - end : 0;
    tx_winograd_points v = points_at(run->v, run->work + (size_t)worker * forward_floats(run));
    tx_winograd_points m = points_at(run->m, v.data + WINOGRAD_POINTS * v.slab);
    run->kernels->winograd.input(run->x, &run->map, first, end - first, &v);
    for (size_t g = 0; g < run->groups; g++)
        forward_block(run, &v, &m, i, g, end + after * g / run->groups, end + after * (g + 1) / run->groups);
}

static void forward_input_task(void *context, size_t i, int worker)
{
    const forward_run *run = context;
    size_t first = i * TRANSFORM;
    tx_winograd_points v = points_at(run->v, run->work + first * run->v.ld);
    run->kernels->winograd.input(run->x, &run->map, first, min_size(TRANSFORM, run->tiles - first), &v);
    (void)worker;
}

/* Products of a group from a tile on, where they are shared. */
static tx_winograd_points forward_products(const forward_run *run, size_t group, size_t first)
{
    float *all = run->work + WINOGRAD_POINTS * run->v.slab;
    return points_at(run->m, all + group * run->m.block + first * run->m.ld);
}

static void forward_point_task(void *context, size_t i, int worker)
{
    const forward_run *run = context;
    size_t point = i / run->slices, slice = i % run->slices;
    size_t first = run->tiles * slice / run->slices, tiles = run->tiles * (slice + 1) / run->slices - first;
    tx_winograd_product p = {.map = &run->map,
                             .a = points_at(run->v, run->work + first * run->v.ld),
                             .tiles = tiles,
                             .k = (size_t)run->x->c,
                             .point = (int)point,
                             .points = 1};
    size_t weights = group_floats(run->x->c), of_point = weights / WINOGRAD_POINTS;
    for (size_t group = 0; group < run->groups; group++) {
        int last = group + 1 == run->groups;
        p.cols = columns_of(run->n, group);
        p.u = run->packed + group * weights;
        p.out = forward_products(run, group, first);
        p.then_a = address(p.a.data, (point + (size_t)last) * run->v.slab);
        p.then_b = address(run->packed, last ? (point + 1) * of_point : (group + 1) * weights + point * of_point);
        run->kernels->winograd.product(&p);
    }
    (void)worker;
}

static void forward_output_task(void *context, size_t i, int worker)
{
    const forward_run *run = context;
    size_t first = i / run->groups * TRANSFORM, group = i % run->groups;
    tx_winograd_points m = forward_products(run, group, first);
    run->kernels->winograd.output(run->y, &run->map, first, min_size(TRANSFORM, run->tiles - first), &m,
                                  (int)group * WINOGRAD_GROUP, columns_of(run->n, group));
    (void)worker;
}

tx_status tx_winograd_forward(const tx_machine *machine, const tx_view *x, int padding, const float *packed, int n,
                              const tx_target *y, void *work)
{
    if (!machine_given(machine) || !shape_given(x, padding, n) || !view_given(x) || !packed || !y || !y->data || !work)
        return operand_missing("tx_winograd_forward");
    forward_run run = {.kernels = machine->kernels, .packed = packed, .y = y, .work = work};
    run.threads = (size_t)machine->threads;
    forward_split(&run, x, padding, n);
    if (!run.shared)
        return tx_parallel_on(machine, run.blocks, forward_block_task, &run);
    tx_status status = tx_parallel_on(machine, ceil_div(run.tiles, TRANSFORM), forward_input_task, &run);
    if (status == TX_OK)
        status = tx_parallel_on(machine, WINOGRAD_POINTS * run.slices, forward_point_task, &run);
    if (status == TX_OK)
        status = tx_parallel_on(machine, ceil_div(run.tiles, TRANSFORM) * run.groups, forward_output_task, &run);
    return status;
}

/* ----------------------------------------------------------------------------------------- gradient
 * A round of tiles is transformed, then multiplied. A block of dw is 64 input channels by a group of results. Its
 * sums at all points belong to one task, which makes dw of them at once, or, where there is more than one round or
 * all sums are small, they are kept, and a task adds to the sums of all blocks at one point. */

enum {
    GRADIENT_CHUNK = 144,    /* tiles of a chain at most */
    GRADIENT_LEAST = 72,     /* tiles of a round; more, until they take as much memory as the sums */
    GRADIENT_MOST = 6 << 20, /* or as many floats */
    GRADIENT_KEPT = 1 << 20, /* floats of sums that are small */
    GRADIENT_BLOCK = WINOGRAD_ROWS * WINOGRAD_GROUP
};

typedef struct gradient_run {
    const tx_kernels *kernels;
    size_t threads;
    const tx_view *x, *dy;
    float *dw;
    int add;
    tx_winograd_map map;
    size_t tiles, rounds, chunks; /* chunks of a round */
    size_t groups, rows, blocks;  /* blocks of dw: their columns, their rows, all */
    int kept;                     /* the sums of all blocks */
    size_t slices;                /* tasks of a point then */
    int stream;                   /* dw is stored past the caches */
    tx_winograd_points v, s, d;
    size_t round;
} gradient_run;

static void gradient_split(gradient_run *run, const tx_view *x, int padding, int n)
{
    run->x = x;
    run->map = map_of(x, padding);
    run->tiles = tiles_of(x, &run->map);
    run->groups = ceil_div((size_t)n, WINOGRAD_GROUP);
    run->rows = ceil_div((size_t)x->c, WINOGRAD_ROWS);
    run->blocks = run->groups * run->rows;
    run->v.ld = min_size(WINOGRAD_ROWS, round_up((size_t)x->c, 16));

    size_t tile = WINOGRAD_POINTS * (run->rows * run->v.ld + run->groups * WINOGRAD_GROUP);
    size_t sums = WINOGRAD_POINTS * run->blocks * run->v.ld * WINOGRAD_GROUP;
    size_t wanted = tx_size_max(GRADIENT_LEAST, min_size(GRADIENT_MOST, sums) / tile);
    run->rounds = 2 * run->tiles <= 3 * wanted ? 1 : ceil_div(run->tiles, wanted);
    size_t most = ceil_div(run->tiles, run->rounds);
    run->chunks = ceil_div(most, GRADIENT_CHUNK);
    run->kept = run->rounds > 1 || sums <= GRADIENT_KEPT;
    run->slices = min_size(run->blocks, ceil_div(6 * run->threads, WINOGRAD_POINTS));

    run->v.block = odd_lines(most * run->v.ld);
    run->v.slab = odd_lines(run->rows * run->v.block);
    run->s.block = (most + 1) * WINOGRAD_GROUP;
    run->s.slab = odd_lines(run->groups * run->s.block);
    run->d.ld = WINOGRAD_GROUP;
    run->d.slab = odd_lines((run->kept ? run->blocks : 1) * GRADIENT_BLOCK);
}

static size_t gradient_bytes(const gradient_run *run)
{
    size_t each = WINOGRAD_POINTS * run->d.slab, sums;
    if (tx_size_mul(each, run->kept ? 1 : run->threads, &sums) != 0 ||
        tx_size_add(sums, WINOGRAD_POINTS * (run->v.slab + run->s.slab), &sums) != 0)
        return (size_t)-1;
    return float_bytes(sums, 1);
}

/* Fewer images may need more: what is cut into two rounds was one. */
size_t tx_winograd_gradient_work(const tx_machine *machine, const tx_view *x, int padding, int n)
{
    if (!machine_given(machine) || !shape_given(x, padding, n)) {
        operand_missing("tx_winograd_gradient_work");
        return (size_t)-1;
    }
    size_t most = 0;
    tx_view part = *x;
    for (part.n = 1; part.n <= x->n; part.n++) {
        gradient_run run = {.threads = (size_t)machine->threads};
        gradient_split(&run, &part, padding, n);
        most = tx_size_max(most, gradient_bytes(&run));
    }
    return most;
}

static size_t gradient_begin(const gradient_run *run, size_t round)
{
    return run->tiles * round / run->rounds;
}

static size_t gradient_tiles(const gradient_run *run, size_t round)
{
    return round < run->rounds ? gradient_begin(run, round + 1) - gradient_begin(run, round) : 0;
}

static void gradient_input_task(void *context, size_t i, int worker)
{
    const gradient_run *run = context;
    size_t first = i / 2 * TRANSFORM, tiles = min_size(TRANSFORM, gradient_tiles(run, run->round) - first);
    size_t tile = gradient_begin(run, run->round) + first;
    if (i % 2) {
        tx_winograd_points s = points_at(run->s, run->s.data + first * (size_t)run->kernels->tile_n);
        run->kernels->winograd.sample(run->dy, &run->map, tile, tiles, &s);
    } else {
        tx_winograd_points v = points_at(run->v, run->v.data + first * run->v.ld);
        run->kernels->winograd.input(run->x, &run->map, tile, tiles, &v);
    }
    (void)worker;
}

/* dw of a block from its sums. */
static void gradient_finish(const gradient_run *run, size_t block, const tx_winograd_points *d)
{
    size_t group = block / run->rows, row = block % run->rows * WINOGRAD_ROWS;
    size_t n = (size_t)run->dy->c, k = (size_t)run->x->c;
    run->kernels->winograd.finish(run->dw + row * n + group * WINOGRAD_GROUP, k * n, n, d,
                                  (int)min_size(WINOGRAD_ROWS, k - row), columns_of(run->dy->c, group), run->add,
                                  run->stream);
}

static float *gradient_patches(const gradient_run *run, size_t block)
{
    return run->v.data + block % run->rows * run->v.block;
}

static float *gradient_samples(const gradient_run *run, size_t block)
{
    return run->s.data + block / run->rows * run->s.block;
}

/* Sums of a block at some points. Of the pixels that the next round reads, part i of n is fetched meanwhile. A single point
 * is computed for all blocks in turn. */
static void gradient_block(const gradient_run *run, size_t block, int point, int points, const tx_winograd_points *d,
                           size_t i, size_t n)
{
    const tx_view *x = run->x, *dy = run->dy;
    size_t group = block / run->rows, row = block % run->rows, after_this = (block + 1) % run->blocks;
    size_t then = points == 1 ? (size_t)point + (after_this == 0) : 0;
    tx_winograd_product p = {.map = &run->map,
                             .out = *d,
                             .tiles = gradient_tiles(run, run->round),
                             .chunks = run->chunks,
                             .rows = (int)min_size(WINOGRAD_ROWS, (size_t)x->c - row * WINOGRAD_ROWS),
                             .cols = columns_of(dy->c, group),
                             .point = point,
                             .points = points,
                             .add = run->round > 0};
    p.a = points_at(run->v, gradient_patches(run, block));
    p.b = points_at(run->s, gradient_samples(run, block));
    p.then_a = address(gradient_patches(run, after_this), then * run->v.slab);
    p.then_b = address(gradient_samples(run, after_this), then * run->s.slab);
    p.then_out = address(d->data, then * run->d.slab);
    if (points == 1)
        p.then_out = address(run->d.data, after_this * GRADIENT_BLOCK + then * run->d.slab);
    size_t after = gradient_tiles(run, run->round + 1), begin = gradient_begin(run, run->round + 1);
    size_t next = after * i / n, end = after * (i + 1) / n;
    p.ahead[0] = (tx_winograd_ahead){x->data, x->ld, x->h, x->w, x->c, begin + next, end - next};
    p.ahead[1] = (tx_winograd_ahead){dy->data, dy->ld, run->map.h, run->map.w, dy->c, begin + next, end - next};
    run->kernels->winograd.correlate(&p);
}

static void gradient_point_task(void *context, size_t i, int worker)
{
    const gradient_run *run = context;
    size_t point = i / run->slices, slice = i % run->slices;
    size_t end = run->blocks * (slice + 1) / run->slices;
    for (size_t block = run->blocks * slice / run->slices; block < end; block++) {
        tx_winograd_points d = points_at(run->d, run->d.data + block * GRADIENT_BLOCK);
        gradient_block(run, block, (int)point, 1, &d, point * run->blocks + block, WINOGRAD_POINTS * run->blocks);
    }
    (void)worker;
}

static void gradient_block_task(void *context, size_t block, int worker)
{
    const gradient_run *run = context;
    tx_winograd_points d = points_at(run->d, run->d.data + (size_t)worker * WINOGRAD_POINTS * run->d.slab);
    gradient_block(run, block, 0, WINOGRAD_POINTS, &d, 0, 1);
    gradient_finish(run, block, &d);
}

static void gradient_finish_task(void *context, size_t block, int worker)
{
    const gradient_run *run = context;
    tx_winograd_points d = points_at(run->d, run->d.data + block * GRADIENT_BLOCK);
    gradient_finish(run, block, &d);
    (void)worker;
}

static tx_status gradient_rounds(const tx_machine *machine, gradient_run *run)
{
    tx_status status = TX_OK;
    for (run->round = 0; run->round < run->rounds && status == TX_OK; run->round++) {
        size_t tasks = 2 * ceil_div(gradient_tiles(run, run->round), TRANSFORM);
        status = tx_parallel_on(machine, tasks, gradient_input_task, run);
        if (status == TX_OK && run->kept)
            status = tx_parallel_on(machine, WINOGRAD_POINTS * run->slices, gradient_point_task, run);
        else if (status == TX_OK)
            status = tx_parallel_on(machine, run->blocks, gradient_block_task, run);
    }
    return status;
}

tx_status tx_winograd_gradient(const tx_machine *machine, float *dw, const tx_view *x, int padding, const tx_view *dy,
                               int add, void *work)
{
    if (!machine_given(machine) || !dw || !view_given(dy) || !shape_given(x, padding, dy->c) || !view_given(x) || !work)
        return operand_missing("tx_winograd_gradient");
    gradient_run run = {.kernels = machine->kernels, .dy = dy, .dw = dw, .add = add};
    run.threads = (size_t)machine->threads;
    gradient_split(&run, x, padding, dy->c);
    run.stream =
        !add && (uintptr_t)dw % 64 == 0 && dy->c % 16 == 0 && 9 * (size_t)x->c * (size_t)dy->c >= STREAM_WEIGHTS;
    run.v.data = work;
    run.s.data = run.v.data + WINOGRAD_POINTS * run.v.slab;
    run.d.data = run.s.data + WINOGRAD_POINTS * run.s.slab;
    tx_status status = gradient_rounds(machine, &run);
    if (status == TX_OK && run.kept)
        status = tx_parallel_on(machine, run.blocks, gradient_finish_task, &run);
    return status;
}
