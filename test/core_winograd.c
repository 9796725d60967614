/* core_winograd.c - Winograd convolution against the definition in double precision, and its promises about bits.
 *
 * Rounding errors are compared with the sum of the absolute values of a result's terms, which does not shrink where
 * the terms cancel. */
#include "../core/op.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 12345.678f
#define BOUND 2e-6 /* of the largest such sum */

typedef struct shape {
    int n, h, w, ci, co, padding;
    int gap; /* floats between the pixels of x, y, dy and the addend */
} shape;

static uint64_t drawn;

static float draw(void)
{
    return tx_random_uniform(9, TX_RANDOM_TEST, 0, drawn++) * 2.0f - 1.0f;
}

static float *draw_some(size_t n)
{
    float *p = tx_alloc(n + 1, sizeof(float));
    for (size_t i = 0; i < n; i++)
        p[i] = draw();
    return p;
}

/* A map of pixels of c channels, ld floats apart, what lies between them and after them being canaries. */
static float *canary_map(size_t pixels, int c, size_t ld)
{
    float *p = tx_alloc(pixels * ld + 16, sizeof(float));
    for (size_t i = 0; i < pixels * ld + 16; i++)
        p[i] = CANARY;
    for (size_t i = 0; i < pixels; i++)
        for (int j = 0; j < c; j++)
            p[i * ld + (size_t)j] = 0;
    return p;
}

static int canaries_live(const float *p, size_t pixels, int c, size_t ld)
{
    for (size_t i = 0; i < pixels * ld + 16; i++)
        if ((i >= pixels * ld || i % ld >= (size_t)c) && p[i] != CANARY)
            return 0;
    return 1;
}

static float *draw_map(size_t pixels, int c, size_t ld)
{
    float *p = canary_map(pixels, c, ld);
    for (size_t i = 0; i < pixels; i++)
        for (int j = 0; j < c; j++)
            p[i * ld + (size_t)j] = draw();
    return p;
}

/* Work memory of exactly the bytes that were asked for, filled with NaN, with a canary behind. */
typedef struct guarded {
    void *memory;
    size_t bytes;
} guarded;

static guarded guard(size_t bytes)
{
    guarded g = {tx_alloc(bytes + 64, 1), bytes};
    memset(g.memory, 0xff, bytes + 64);
    return g;
}

static int unguard(guarded g)
{
    const unsigned char *end = (const unsigned char *)g.memory + g.bytes;
    int alive = 1;
    for (int i = 0; i < 64; i++)
        alive &= end[i] == 0xff;
    tx_free(g.memory);
    return alive;
}

static uint64_t hash_of(uint64_t hash, const float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, p + i, sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    return hash;
}

/* ---------------------------------------------------------------------------------- what is computed */

typedef struct problem {
    shape s;
    int out_h, out_w;
    size_t in, out; /* pixels */
    tx_view x, dy;
    float *w, *bias, *scale, *shift, *fold_scale, *fold_shift, *add;
} problem;

static const int turned[9] = {8, 7, 6, 5, 4, 3, 2, 1, 0};

static problem problem_new(shape s, int prologue)
{
    problem p = {.s = s, .out_h = s.h + 2 * s.padding - 2, .out_w = s.w + 2 * s.padding - 2};
    size_t ci = (size_t)s.ci, co = (size_t)s.co, gap = (size_t)s.gap;
    p.in = (size_t)s.n * (size_t)s.h * (size_t)s.w;
    p.out = (size_t)s.n * (size_t)p.out_h * (size_t)p.out_w;
    p.x = (tx_view){draw_map(p.in, s.ci, ci + gap), s.n, s.h, s.w, s.ci, ci + gap, NULL, NULL, TX_ACT_NONE, NULL, 0};
    p.dy = (tx_view){
        draw_map(p.out, s.co, co + gap), s.n, p.out_h, p.out_w, s.co, co + gap, NULL, NULL, TX_ACT_NONE, NULL, 0};
    p.add = draw_map(p.out, s.co, co + gap);
    p.w = draw_some(9 * ci * co);
    p.bias = draw_some(co);
    p.fold_scale = draw_some(co);
    p.fold_shift = draw_some(co);
    p.scale = draw_some(ci);
    p.shift = draw_some(ci);
    if (prologue) {
        p.x.scale = p.scale;
        p.x.shift = p.shift;
        p.x.act = TX_ACT_RELU;
    }
    return p;
}

static void problem_free(problem *p)
{
    tx_free((float *)p->x.data);
    tx_free((float *)p->dy.data);
    tx_free(p->add);
    tx_free(p->w);
    tx_free(p->bias);
    tx_free(p->fold_scale);
    tx_free(p->fold_shift);
    tx_free(p->scale);
    tx_free(p->shift);
}

/* Every operation with the current instruction set and threads. y: plain; z: bias, scale and shift, addend, activation; dx: added to
 * ones; dw: added to ones. */
typedef struct result {
    float *y, *z, *dx, *dw;
} result;

static tx_filter filter_of(const problem *p, int turn)
{
    size_t ci = (size_t)p->s.ci, co = (size_t)p->s.co;
    if (turn)
        return (tx_filter){p->w, 9, turned, ci * co, p->s.co, 1, p->s.ci, co};
    return (tx_filter){p->w, 9, NULL, ci * co, p->s.ci, co, p->s.co, 1};
}

/* Of the threads and the instruction set that are in use. */
static tx_machine machine;

static int forward(const tx_view *x, int padding, const float *packed, int n, const tx_target *y)
{
    guarded work = guard(tx_winograd_forward_work(&machine, x, padding, n));
    tx_status status = tx_winograd_forward(&machine, x, padding, packed, n, y, work.memory);
    CHECK(status == TX_OK, "%s", tx_error_message());
    return unguard(work);
}

static result compute(const problem *p)
{
    shape s = p->s;
    size_t gap = (size_t)s.gap, ci = (size_t)s.ci, co = (size_t)s.co;
    result r = {canary_map(p->out, s.co, co + gap), canary_map(p->out, s.co, co + gap),
                canary_map(p->in, s.ci, ci + gap), canary_map(9 * ci, s.co, co)};
    guarded u = guard(tx_winograd_packed(s.ci, s.co) * sizeof(float)),
            v = guard(tx_winograd_packed(s.co, s.ci) * sizeof(float));
    tx_filter straight = filter_of(p, 0), turn = filter_of(p, 1);
    tx_winograd_pack(&machine, u.memory, &straight);
    tx_winograd_pack(&machine, v.memory, &turn);
    tx_target y = {.data = r.y, .ld = co + gap, .h = p->out_h, .w = p->out_w, .step_y = 1, .step_x = 1};
    int alive = forward(&p->x, s.padding, u.memory, s.co, &y);
    y.data = r.z;
    y.bias = p->bias;
    y.add = p->add;
    y.add_ld = co + gap;
    y.scale = p->fold_scale;
    y.shift = p->fold_shift;
    y.act = TX_ACT_RELU;
    alive &= forward(&p->x, s.padding, u.memory, s.co, &y);
    for (size_t i = 0; i < p->in * ci; i++)
        r.dx[i / ci * (ci + gap) + i % ci] = 1;
    tx_target dx = {
        .data = r.dx, .ld = ci + gap, .h = s.h, .w = s.w, .step_y = 1, .step_x = 1, .add = r.dx, .add_ld = ci + gap};
    alive &= forward(&p->dy, 2 - s.padding, v.memory, s.ci, &dx);
    for (size_t i = 0; i < 9 * ci * co; i++)
        r.dw[i] = 1;
    guarded work = guard(tx_winograd_gradient_work(&machine, &p->x, s.padding, s.co));
    tx_winograd_gradient(&machine, r.dw, &p->x, s.padding, &p->dy, 1, work.memory);
    alive &= unguard(work) & unguard(u) & unguard(v);
    CHECK(alive, "work memory is too small for %dx%dx%dx%d -> %d, padding %d, %d threads", s.n, s.h, s.w, s.ci, s.co,
          s.padding, machine.threads);
    CHECK(canaries_live(r.y, p->out, s.co, co + gap) && canaries_live(r.z, p->out, s.co, co + gap) &&
              canaries_live(r.dx, p->in, s.ci, ci + gap) && canaries_live(r.dw, 9 * ci, s.co, co),
          "wrote beyond the results of %dx%dx%dx%d -> %d, padding %d", s.n, s.h, s.w, s.ci, s.co, s.padding);
    return r;
}

static void result_free(result *r)
{
    tx_free(r->y);
    tx_free(r->z);
    tx_free(r->dx);
    tx_free(r->dw);
}

static uint64_t result_hash(const problem *p, const result *r)
{
    size_t gap = (size_t)p->s.gap, ci = (size_t)p->s.ci, co = (size_t)p->s.co;
    uint64_t hash = 0xcbf29ce484222325u;
    hash = hash_of(hash, r->y, p->out * (co + gap));
    hash = hash_of(hash, r->z, p->out * (co + gap));
    hash = hash_of(hash, r->dx, p->in * (ci + gap));
    return hash_of(hash, r->dw, 9 * ci * co);
}

/* ------------------------------------------------------------------------------------ the definition */

static double seen(const problem *p, size_t pixel, int c)
{
    double v = (double)p->x.data[pixel * p->x.ld + (size_t)c];
    if (p->x.scale)
        v = v * (double)p->x.scale[c] + (double)p->x.shift[c];
    return p->x.act == TX_ACT_RELU && v < 0 ? 0 : v;
}

typedef struct definition {
    double *y, *y_abs, *dx, *dx_abs, *dw, *dw_abs; /* sums, sums of absolute values */
} definition;

static definition define(const problem *p)
{
    shape s = p->s;
    size_t ci = (size_t)s.ci, co = (size_t)s.co;
    double *all = tx_alloc(2 * (p->out * co + p->in * ci + 9 * ci * co), sizeof(double));
    definition d = {all, all + p->out * co, NULL, NULL, NULL, NULL};
    d.dx = d.y_abs + p->out * co;
    d.dx_abs = d.dx + p->in * ci;
    d.dw = d.dx_abs + p->in * ci;
    d.dw_abs = d.dw + 9 * ci * co;
    for (size_t o = 0; o < p->out; o++)
        for (int t = 0; t < 9; t++) {
            int ox = (int)(o % (size_t)p->out_w), oy = (int)(o / (size_t)p->out_w % (size_t)p->out_h);
            int y = oy + t / 3 - s.padding, x = ox + t % 3 - s.padding;
            size_t image = o / (size_t)p->out_w / (size_t)p->out_h;
            if (y < 0 || x < 0 || y >= s.h || x >= s.w)
                continue;
            size_t in = (image * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x;
            for (size_t c = 0; c < ci; c++) {
                double v = seen(p, in, (int)c);
                size_t row = ((size_t)t * ci + c) * co;
                for (size_t k = 0; k < co; k++) {
                    double w = (double)p->w[row + k], g = (double)p->dy.data[o * p->dy.ld + k];
                    d.y[o * co + k] += v * w;
                    d.y_abs[o * co + k] += fabs(v * w);
                    d.dx[in * ci + c] += g * w;
                    d.dx_abs[in * ci + c] += fabs(g * w);
                    d.dw[row + k] += v * g;
                    d.dw_abs[row + k] += fabs(v * g);
                }
            }
        }
    return d;
}

static double worst(const double *want, const double *size, const float *found, size_t rows, size_t c, size_t ld,
                    double plus)
{
    double error = 0, largest = 1e-30;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < c; j++) {
            double e = fabs(want[i * c + j] + plus - (double)found[i * ld + j]);
            error = e > error || isnan(e) ? e : error;
            largest = size[i * c + j] > largest ? size[i * c + j] : largest;
        }
    return error / largest;
}

static double largest_error;

static void compare(const problem *p, const result *r, const char *what)
{
    shape s = p->s;
    size_t ci = (size_t)s.ci, co = (size_t)s.co, gap = (size_t)s.gap;
    definition d = define(p);
    double e[4];
    e[0] = worst(d.y, d.y_abs, r->y, p->out, co, co + gap, 0);
    e[2] = worst(d.dx, d.dx_abs, r->dx, p->in, ci, ci + gap, 1);
    e[3] = worst(d.dw, d.dw_abs, r->dw, 9 * ci, co, co, 1);
    for (size_t o = 0; o < p->out; o++)
        for (size_t k = 0; k < co; k++) {
            double scale = (double)p->fold_scale[k], sum = d.y[o * co + k] + (double)p->bias[k];
            double z = scale * sum + (double)p->fold_shift[k] + (double)p->add[o * (co + gap) + k];
            d.y[o * co + k] = z < 0 ? 0 : z;
            d.y_abs[o * co + k] = fabs(scale) * (d.y_abs[o * co + k] + 1) + 2;
        }
    e[1] = worst(d.y, d.y_abs, r->z, p->out, co, co + gap, 0);
    for (int i = 0; i < 4; i++)
        largest_error = e[i] > largest_error ? e[i] : largest_error;
    CHECK(e[0] <= BOUND && e[1] <= BOUND && e[2] <= BOUND && e[3] <= BOUND,
          "%s: errors %g %g %g %g for %dx%dx%dx%d -> %d, padding %d", what, e[0], e[1], e[2], e[3], s.n, s.h, s.w, s.ci,
          s.co, s.padding);
    tx_free(d.y);
}

/* --------------------------------------------------------------------------------------------- tests */

static void test_shape(shape s, int prologue)
{
    problem p = problem_new(s, prologue);
    result r = compute(&p);
    compare(&p, &r, tx_isa_name());
    result_free(&r);
    problem_free(&p);
}

/* Every height and width 1..13, every channel count at a tile's and a vector's edge, in turn with each other. */
static void test_shapes(void)
{
    static const int channels[8] = {1, 3, 15, 16, 17, 31, 33, 64};
    int turn = 0;
    for (int h = 1; h <= 13; h++)
        for (int w = 1 + h % 2; w <= 13; w += 2)
            for (int padding = 0; padding < 3; padding++, turn++) {
                shape s = {turn % 5 ? 1 : 3, h,           w, channels[turn % 8], channels[(turn / 8 + 3 * turn) % 8],
                           padding,          turn % 3 * 5};
                if (h + 2 * padding > 2 && w + 2 * padding > 2)
                    test_shape(s, turn % 2);
            }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            test_shape((shape){1, 6, 5, channels[i], channels[j], 1, j % 2}, i % 2);
}

/* Many tiles: several blocks of tiles, several rounds and chunks of the gradient. */
static void test_large(void)
{
    test_shape((shape){2, 45, 46, 16, 33, 1, 3}, 1);
    test_shape((shape){5, 53, 50, 17, 16, 1, 0}, 0);
    test_shape((shape){3, 9, 10, 160, 97, 1, 0}, 1);
}

/* The same bits for every instruction set and number of threads. */
static uint64_t bits_of(shape s, int prologue)
{
    static const int threads[4] = {1, 2, 3, 7};
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa), before = tx_threads();
    problem p = problem_new(s, prologue);
    uint64_t first = 0;
    for (int i = 0; i < isas; i++) {
        for (int t = 0; t < 4; t++) {
            CHECK(tx_isa_select(isa[i]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[t]);
            machine = tx_machine_now();
            tx_set_threads(threads[(t + 1) % 4]); /* what is set later is not asked for */
            tx_isa_select(isa[(i + 1) % isas]);
            result r = compute(&p);
            uint64_t hash = result_hash(&p, &r);
            if (i == 0 && t == 0)
                first = hash;
            CHECK(hash == first, "%s with %d threads: other bits than %s with one, %dx%dx%dx%d -> %d", isa[i],
                  threads[t], isa[0], s.n, s.h, s.w, s.ci, s.co);
            result_free(&r);
        }
    }
    problem_free(&p);
    tx_set_threads(before);
    tx_isa_select(isa[0]);
    machine = tx_machine_now();
    return first;
}

static void test_bits(void)
{
    static const shape shapes[6] = {{1, 1, 1, 1, 1, 1, 0},    {3, 9, 7, 19, 35, 1, 3},  {2, 13, 12, 33, 16, 0, 0},
                                    {1, 5, 6, 70, 130, 2, 1}, {4, 45, 44, 8, 12, 1, 0}, {6, 52, 50, 16, 5, 1, 4}};
    static const uint64_t want[6] = {0xc67f1b0374989664u, 0x144df2d92ae3b1d7u, 0xf67e31a899622aeeu,
                                     0xad12d9432041b857u, 0x4b3542ad1fc3fccfu, 0x898fbd61c4a9c8d5u};
    for (int i = 0; i < 6; i++) {
        drawn = (uint64_t)i << 32;
        uint64_t found = bits_of(shapes[i], i % 2);
        CHECK(found == want[i], "shape %d: hash 0x%016llx, on other machines 0x%016llx", i, (unsigned long long)found,
              (unsigned long long)want[i]);
    }
}

/* So many channels that a round of the gradient has more tiles than one chain may add: two chunks. */
static void test_chunks(void)
{
    static const uint64_t want = 0x5d6beac3b41dad85u;
    static const int threads[] = {1, 3};
    drawn = (uint64_t)9 << 32;
    problem p = problem_new((shape){150, 1, 1, 193, 193, 1, 0}, 0);
    for (int t = 0; t < 2; t++) {
        machine = (tx_machine){threads[t], machine.kernels};
        result r = compute(&p);
        if (t == 0)
            compare(&p, &r, "two chunks");
        uint64_t found = result_hash(&p, &r);
        CHECK(found == want, "two chunks, %d threads: hash 0x%016llx, on other machines 0x%016llx", threads[t],
              (unsigned long long)found, (unsigned long long)want);
        result_free(&r);
    }
    problem_free(&p);
    machine = tx_machine_now();
}

/* An image has the same results alone and among others. */
static void test_alone(void)
{
    shape s = {9, 14, 15, 20, 24, 1, 2};
    problem p = problem_new(s, 1);
    result r = compute(&p);
    size_t in = (size_t)s.h * (size_t)s.w * p.x.ld, out = (size_t)p.out_h * (size_t)p.out_w * p.dy.ld;
    for (int i = 0; i < s.n; i++) {
        problem one = p;
        one.s.n = one.x.n = one.dy.n = 1;
        one.in = p.in / (size_t)s.n;
        one.out = p.out / (size_t)s.n;
        one.x.data += (size_t)i * in;
        one.dy.data += (size_t)i * out;
        one.add += (size_t)i * out;
        result alone = compute(&one);
        CHECK(memcmp(alone.y, r.y + (size_t)i * out, out * sizeof(float)) == 0 &&
                  memcmp(alone.z, r.z + (size_t)i * out, out * sizeof(float)) == 0 &&
                  memcmp(alone.dx, r.dx + (size_t)i * in, in * sizeof(float)) == 0,
              "image %d alone has other digits", i);
        result_free(&alone);
    }
    result_free(&r);
    problem_free(&p);
}

/* A gradient that is not added. */
static void test_fresh(void)
{
    shape s = {2, 7, 8, 18, 21, 1, 0};
    problem p = problem_new(s, 0);
    result r = compute(&p);
    float *dw = canary_map(9 * (size_t)s.ci, s.co, (size_t)s.co);
    double worst_dw = 0;
    guarded work = guard(tx_winograd_gradient_work(&machine, &p.x, 1, s.co));
    tx_winograd_gradient(&machine, dw, &p.x, 1, &p.dy, 0, work.memory);
    CHECK(unguard(work), "work memory");
    for (size_t i = 0; i < 9 * (size_t)(s.ci * s.co); i++)
        worst_dw = fmax(worst_dw, fabs((double)dw[i] + 1 - (double)r.dw[i]));
    CHECK(worst_dw < 1e-5, "gradient without a sum to add to: differs by %g", worst_dw);
    tx_free(dw);
    result_free(&r);
    problem_free(&p);
}

/* Work memory is enough for fewer images. */
static void test_less(void)
{
    int wrong = 0;
    for (int channels = 16; channels <= 512; channels *= 2)
        for (int size = 4; size <= 64; size += 5)
            for (int threads = 1; threads <= 16; threads += threads < 4 ? 1 : 4) {
                size_t last[2] = {0, 0};
                for (int n = 1; n <= 33; n += 2) {
                    tx_view x = {.n = n, .h = size, .w = size, .c = channels, .ld = (size_t)channels};
                    tx_machine m = {threads, machine.kernels};
                    size_t now[2] = {tx_winograd_forward_work(&m, &x, 1, 48), tx_winograd_gradient_work(&m, &x, 1, 48)};
                    for (int i = 0; i < 2; i++) {
                        wrong += now[i] < last[i];
                        last[i] = now[i];
                    }
                }
            }
    CHECK(wrong == 0, "fewer images need more memory: %d times", wrong);
}

static void test_gains(void)
{
    CHECK(tx_winograd_pays(80, 80, 64, 64) && tx_winograd_pays(10, 10, 512, 512) && tx_winograd_pays(40, 40, 128, 32),
          "it pays where it was made for");
    CHECK(!tx_winograd_pays(1, 1, 64, 64) && !tx_winograd_pays(5, 5, 64, 64) && !tx_winograd_pays(40, 40, 3, 64) &&
              !tx_winograd_pays(40, 40, 64, 1),
          "it does not pay for one pixel or few channels");
    CHECK(tx_winograd_packed(1 << 30, 1 << 30) == (size_t)-1, "packed weights beyond size_t");
}

int main(void)
{
    machine = tx_machine_now();
    test_shapes();
    test_large();
    test_bits();
    test_chunks();
    test_alone();
    test_fresh();
    test_less();
    test_gains();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    printf("largest error: %.2g of the sum of absolute values\n", largest_error);
    return test_done("core_winograd");
}
