/* core_gemm.c - matrix products against their definition, bit for bit, on every instruction set of this machine and with
 * 1, 2, 3 and 7 threads.
 *
 * The definition of core.h fixes every rounding, so loops over tx_fmaf must give the same bits. The same problems with
 * small integers, whose sums are exact in float, are checked against integer arithmetic. Buffers end where their last
 * element ends, what lies between rows is a NaN on input and a pattern on output, compared too. */
#include "test.h"

#include "../core/op.h"

#include <stdlib.h>
#include <string.h>

enum { PLAIN, ADD_OTHER, ADD_SELF };

typedef struct problem {
    const char *name;
    int n, h, w, c, x_gap;
    int kernel, stride, padding, dilation; /* convolution; kernel 0: no taps */
    int o, y_gap;
    int phase; /* 0: target as the grid; s: every s-th pixel of a larger map, offset (s-1, s/2) */
    int bias, add;
    tx_act act;
    int seen;   /* input scaled, shifted and activated */
    int turned; /* weights stand transposed, their taps backwards */
    int folds;  /* scale and shift of the result */
    int integers;
    int moments; /* batch statistics too */
} problem;

static uint32_t state;

static uint32_t bits(void)
{
    state = state * 1664525u + 1013904223u;
    return state;
}

static float draw(const problem *p)
{
    if (p->integers)
        return (float)((int)(bits() >> 16) % 7 - 3);
    return (float)((int32_t)bits() >> 7) * 0x1p-24f;
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static uint64_t digest = 1469598103934665603u;

static void mix(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, x + i, sizeof u);
        digest = (digest ^ u) * 1099511628211u;
    }
}

/* `pixels` rows of c values with ld - c fillers between, none after the last row. */
static float *tensor(const problem *p, size_t pixels, size_t c, size_t ld, uint32_t filler)
{
    size_t size = pixels ? (pixels - 1) * ld + c : 0;
    float *x = tx_alloc(size, sizeof(float));
    for (size_t i = 0; x && i < size; i++)
        x[i] = i % ld < c ? draw(p) : from_bits(filler);
    return x;
}

enum { INPUT_FILLER = 0x7fc12345, OUTPUT_FILLER = 0x42c0ffee };

/* Everything a problem needs, and what must come out. */
typedef struct fixture {
    const problem *p;
    int oh, ow, th, tw;
    size_t m, k, x_pixels, y_pixels, y_size;
    tx_tap tap[64];
    int tap_index[64];
    tx_rows rows;
    tx_filter filter;
    tx_target target;
    float *x, *w, *y, *add, *vectors, *dy, *dw;
    float *want_y, *want_dw, *want_dw_added;
} fixture;

static float activate(tx_act act, float v)
{
    if (act == TX_ACT_SILU)
        return v * tx_logisticf(v);
    return act == TX_ACT_RELU ? (0.0f > v ? 0.0f : v) : v;
}

static float element(const fixture *f, size_t r, size_t k)
{
    const tx_rows *a = &f->rows;
    size_t c = (size_t)a->x.c, gw = (size_t)a->grid_w, gh = (size_t)a->grid_h;
    int y = (int)(r / gw % gh) * a->step_y + a->tap[k / c].y, x = (int)(r % gw) * a->step_x + a->tap[k / c].x;
    if (y < 0 || x < 0 || y >= a->x.h || x >= a->x.w)
        return 0;
    size_t pixel = (r / gw / gh * (size_t)a->x.h + (size_t)y) * (size_t)a->x.w + (size_t)x;
    float v = a->x.data[pixel * a->x.ld + k % c];
    if (a->x.scale)
        v = tx_fmaf(a->x.scale[k % c], v, a->x.shift[k % c]);
    return activate(a->x.act, v);
}

static float weight(const fixture *f, size_t k, size_t o)
{
    const tx_filter *w = &f->filter;
    size_t tap = k / (size_t)w->c, c = k % (size_t)w->c;
    return w->data[(w->tap ? (size_t)w->tap[tap] : tap) * w->tap_step + c * w->row_step + o * w->column_step];
}

static size_t pixel_of(const fixture *f, size_t r)
{
    const tx_target *t = &f->target;
    size_t gw = (size_t)f->ow, gh = (size_t)f->oh;
    size_t y = r / gw % gh * (size_t)t->step_y + (size_t)t->offset_y,
           x = r % gw * (size_t)t->step_x + (size_t)t->offset_x;
    return (r / gw / gh * (size_t)t->h + y) * (size_t)t->w + x;
}

static void define_forward(fixture *f)
{
    const tx_target *t = &f->target;
    for (size_t r = 0; r < f->m; r++)
        for (size_t o = 0; o < (size_t)f->p->o; o++) {
            float s = 0;
            long exact = 0;
            for (size_t k = 0; k < f->k; k++) {
                float a = element(f, r, k), b = weight(f, k, o);
                s = tx_fmaf(a, b, s);
                if (f->p->integers)
                    exact += (long)a * (long)b;
            }
            if (f->p->integers)
                s = (float)exact;
            if (t->bias)
                s = s + t->bias[o];
            if (t->scale)
                s = tx_fmaf(t->scale[o], s, t->shift[o]);
            if (t->add)
                s = s + t->add[pixel_of(f, r) * t->add_ld + o];
            f->want_y[pixel_of(f, r) * t->ld + o] = activate(t->act, s);
        }
}

/* The chain over one chunk. */
static float define_chunk(const fixture *f, size_t chunk, size_t k, size_t o)
{
    size_t ld = (size_t)(f->p->o + f->p->y_gap), end = (chunk + 1) * TX_GEMM_CHUNK;
    float s = 0;
    long exact = 0;
    for (size_t r = chunk * TX_GEMM_CHUNK; r < f->m && r < end; r++) {
        float a = element(f, r, k), b = f->dy[r * ld + o];
        s = tx_fmaf(a, b, s);
        if (f->p->integers)
            exact += (long)a * (long)b;
    }
    return f->p->integers ? (float)exact : s;
}

static void define_gradient(fixture *f)
{
    size_t n = (size_t)f->p->o, chunks = (f->m + TX_GEMM_CHUNK - 1) / TX_GEMM_CHUNK;
    for (size_t k = 0; k < f->k; k++)
        for (size_t o = 0; o < n; o++) {
            float *out = f->want_dw + k * n + o, *added = f->want_dw_added + k * n + o;
            *added = f->dw[k * n + o];
            for (size_t first = 0; first < chunks; first += TX_GEMM_GROUP) {
                float group = define_chunk(f, first, k, o);
                for (size_t c = first + 1; c < chunks && c < first + TX_GEMM_GROUP; c++)
                    group = group + define_chunk(f, c, k, o);
                *out = first ? *out + group : group;
                *added = *added + group;
            }
        }
}

static void *copy_of(const float *x, size_t n)
{
    float *copy = tx_alloc(n, sizeof(float));
    if (copy)
        memcpy(copy, x, n * sizeof(float));
    return copy;
}

static void set_up(fixture *f, const problem *p)
{
    memset(f, 0, sizeof *f);
    state = 12345;
    f->p = p;
    int taps = p->kernel * p->kernel, span = p->dilation * (p->kernel - 1) + 1;
    f->oh = p->kernel ? (p->h + 2 * p->padding - span) / p->stride + 1 : p->h;
    f->ow = p->kernel ? (p->w + 2 * p->padding - span) / p->stride + 1 : p->w;
    f->m = (size_t)(p->n * f->oh * f->ow);
    f->k = (size_t)(taps * p->c);
    size_t c = (size_t)p->c, o = (size_t)p->o, ld = o + (size_t)p->y_gap;
    for (int t = 0; t < taps; t++) {
        f->tap[t].y = t / p->kernel * p->dilation - p->padding;
        f->tap[t].x = t % p->kernel * p->dilation - p->padding;
        f->tap_index[t] = taps - 1 - t;
    }
    f->x_pixels = (size_t)(p->n * p->h * p->w);
    f->x = tensor(p, f->x_pixels, c, c + (size_t)p->x_gap, INPUT_FILLER);
    f->w = tensor(p, f->k, o, o, 0);
    f->vectors = tensor(p, 2 * c + 3 * o, 1, 1, 0);
    f->rows = (tx_rows){.x = {.data = f->x,
                              .n = p->n,
                              .h = p->h,
                              .w = p->w,
                              .c = p->c,
                              .ld = c + (size_t)p->x_gap,
                              .act = p->seen ? TX_ACT_RELU : TX_ACT_NONE},
                        .grid_h = f->oh,
                        .grid_w = f->ow,
                        .step_y = p->stride,
                        .step_x = p->stride,
                        .taps = taps,
                        .tap = f->tap};
    if (p->seen > 1) {
        f->rows.x.scale = f->vectors;
        f->rows.x.shift = f->vectors + c;
    }
    f->filter = (tx_filter){
        .data = f->w, .taps = taps, .tap_step = c * o, .c = p->c, .row_step = o, .n = p->o, .column_step = 1};
    if (p->turned) {
        f->filter.tap = f->tap_index;
        f->filter.row_step = 1;
        f->filter.column_step = c;
    }
    int s = p->phase ? p->phase : 1;
    f->th = f->oh * s;
    f->tw = f->ow * s + (s > 1);
    f->y_pixels = (size_t)(p->n * f->th * f->tw);
    f->y_size = f->y_pixels ? (f->y_pixels - 1) * ld + o : 0;
    f->y = tensor(p, f->y_pixels, o, ld, OUTPUT_FILLER);
    f->add = tensor(p, f->y_pixels, o, o + 3, INPUT_FILLER);
    f->target = (tx_target){.ld = ld,
                            .h = f->th,
                            .w = f->tw,
                            .step_y = s,
                            .step_x = s,
                            .offset_y = s - 1,
                            .offset_x = s / 2,
                            .act = p->act};
    const float *vectors = f->vectors + 2 * c;
    if (p->bias)
        f->target.bias = vectors;
    if (p->add != PLAIN) {
        f->target.add = p->add == ADD_SELF ? f->y : f->add;
        f->target.add_ld = p->add == ADD_SELF ? ld : o + 3;
    }
    if (p->folds) {
        f->target.scale = vectors + o;
        f->target.shift = vectors + 2 * o;
    }
    f->dy = tensor(p, f->m, o, ld, INPUT_FILLER);
    f->dw = tensor(p, f->k, o, o, 0);
    f->want_y = copy_of(f->y, f->y_size);
    f->want_dw = copy_of(f->dw, f->k * o);
    f->want_dw_added = copy_of(f->dw, f->k * o);
    define_forward(f);
    if (f->k && !p->turned && !p->add)
        define_gradient(f);
}

static void tear_down(fixture *f)
{
    float *all[] = {f->x, f->w, f->y, f->add, f->vectors, f->dy, f->dw, f->want_y, f->want_dw, f->want_dw_added};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tx_free(all[i]);
}

/* -1 if all bits are equal, else the first that are not. */
static long first_difference(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(float)) != 0)
            return (long)i;
    return -1;
}

enum { GUARD = 64 };

static unsigned char *guarded(size_t size)
{
    unsigned char *work = tx_alloc(size + GUARD, 1);
    if (work)
        memset(work, 0xa5, size + GUARD);
    return work;
}

static int guard_holds(const unsigned char *work, size_t size)
{
    for (size_t i = 0; i < GUARD; i++)
        if (work[size + i] != 0xa5)
            return 0;
    return 1;
}

/* Of the threads and the instruction set that are in use. */
static tx_machine machine;

static void check_forward(const fixture *f, const char *isa, int threads)
{
    size_t packed_size = tx_gemm_packed(f->k, (size_t)f->p->o) * sizeof(float);
    size_t work_size = tx_gemm_forward_work(&machine, &f->rows, f->p->o);
    unsigned char *packed = guarded(packed_size), *work = guarded(work_size);
    float *y = copy_of(f->y, f->y_size);
    tx_target target = f->target;
    target.data = y;
    if (f->p->add == ADD_SELF)
        target.add = y;
    CHECK(tx_gemm_pack(&machine, (float *)(void *)packed, &f->filter) == TX_OK &&
              tx_gemm_forward(&machine, &f->rows, (float *)(void *)packed, f->p->o, &target, work) == TX_OK,
          "forward %s: %s", f->p->name, tx_error_message());
    long at = first_difference(y, f->want_y, f->y_size);
    CHECK(at < 0, "forward %s isa %s threads %d: y[%ld] is %a, not %a", f->p->name, isa, threads, at, (double)y[at],
          (double)f->want_y[at]);
    CHECK(guard_holds(packed, packed_size) && guard_holds(work, work_size),
          "forward %s isa %s threads %d: written beyond", f->p->name, isa, threads);
    tx_free(packed);
    tx_free(work);
    tx_free(y);
}

/* Batch statistics taken within the product are those of a pass behind it, and nothing else changes. */
static void check_moments(const fixture *f, const char *isa, int threads)
{
    size_t c = (size_t)f->p->o, packed_size = tx_gemm_packed(f->k, c) * sizeof(float);
    size_t pixels = (size_t)f->rows.x.n * (size_t)f->target.h * (size_t)f->target.w;
    size_t sizes[2] = {tx_gemm_forward_work(&machine, &f->rows, f->p->o), tx_channel_work(pixels, f->p->o)};
    unsigned char *packed = guarded(packed_size), *work = guarded(sizes[0]), *part = guarded(sizes[1]);
    double *taken = tx_alloc(2 * c, sizeof *taken), *pass = tx_alloc(2 * c, sizeof *pass);
    float *y = copy_of(f->y, f->y_size);
    tx_target target = f->target;
    target.data = y;
    if (f->p->add == ADD_SELF)
        target.add = y;
    target.moments = (tx_moments){taken, taken + c, part};
    CHECK(tx_gemm_pack(&machine, (float *)(void *)packed, &f->filter) == TX_OK &&
              tx_gemm_forward(&machine, &f->rows, (float *)(void *)packed, f->p->o, &target, work) == TX_OK,
          "moments %s: %s", f->p->name, tx_error_message());
    CHECK(guard_holds(work, sizes[0]) && guard_holds(part, sizes[1]), "moments %s isa %s threads %d: written beyond",
          f->p->name, isa, threads);
    tx_view view = {.data = y, .n = f->rows.x.n, .h = target.h, .w = target.w, .c = f->p->o, .ld = f->target.ld};
    CHECK(first_difference(y, f->want_y, f->y_size) < 0, "moments %s isa %s threads %d: another y", f->p->name, isa,
          threads);
    tx_channel_moments(&machine, &view, pass, pass + c, part);
    for (size_t i = 0; i < 2 * c; i++)
        CHECK(memcmp(taken + i, pass + i, sizeof *taken) == 0, "moments %s isa %s threads %d: %s[%zu] is %a, not %a",
              f->p->name, isa, threads, i < c ? "mean" : "variance", i % c, taken[i], pass[i]);
    tx_free(packed);
    tx_free(work);
    tx_free(part);
    tx_free(taken);
    tx_free(pass);
    tx_free(y);
}

static void check_gradient(const fixture *f, const char *isa, int threads)
{
    size_t size = f->k * (size_t)f->p->o, work_size = tx_gemm_gradient_work(&machine, &f->rows, f->p->o);
    unsigned char *work = guarded(work_size), *place = guarded(size * sizeof(float));
    float *dw = (float *)(void *)place;
    tx_view dy = {
        .data = f->dy, .n = f->p->n, .h = f->oh, .w = f->ow, .c = f->p->o, .ld = (size_t)(f->p->o + f->p->y_gap)};
    tx_gemm_gradient(&machine, dw, &f->rows, &dy, 0, work);
    long at = first_difference(dw, f->want_dw, size);
    CHECK(at < 0, "gradient %s isa %s threads %d: dw[%ld] is %a, not %a", f->p->name, isa, threads, at, (double)dw[at],
          (double)f->want_dw[at]);
    memcpy(dw, f->dw, size * sizeof(float));
    tx_gemm_gradient(&machine, dw, &f->rows, &dy, 1, work);
    at = first_difference(dw, f->want_dw_added, size);
    CHECK(at < 0, "added gradient %s isa %s threads %d: dw[%ld] is %a, not %a", f->p->name, isa, threads, at,
          (double)dw[at], (double)f->want_dw_added[at]);
    CHECK(guard_holds(place, size * sizeof(float)) && guard_holds(work, work_size),
          "gradient %s isa %s threads %d: written beyond", f->p->name, isa, threads);
    tx_free(work);
    tx_free(place);
}

/* Other threads and another instruction set from now on, where they are not asked for. */
static void disturb(const char *const *isa, int isas, int i, int threads)
{
    tx_set_threads(threads);
    tx_isa_select(isa[(i + 1) % isas]);
}

static void check(const problem *p, const int *threads, int counts)
{
    fixture f;
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa);
    set_up(&f, p);
    mix(f.want_y, f.y_size);
    mix(f.want_dw, f.k * (size_t)p->o);
    for (int i = 0; i < isas; i++) {
        for (int t = 0; t < counts; t++) {
            CHECK(tx_isa_select(isa[i]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[t]);
            machine = tx_machine_now();
            disturb(isa, isas, i, threads[(t + 1) % counts]);
            check_forward(&f, isa[i], threads[t]);
            if (p->moments)
                check_moments(&f, isa[i], threads[t]);
            if (f.k && !p->turned && !p->add)
                check_gradient(&f, isa[i], threads[t]);
        }
    }
    tear_down(&f);
}

/* Convolutions of every kind, and both sides of every block size. */
static const problem problems[] = {
    {.name = "1x1", .n = 3, .h = 5, .w = 7, .c = 19, .kernel = 1, .stride = 1, .dilation = 1, .o = 37},
    {.name = "1x1 gaps bias relu",
     .n = 3,
     .h = 5,
     .w = 7,
     .c = 19,
     .x_gap = 2,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 37,
     .y_gap = 5,
     .bias = 1,
     .act = TX_ACT_RELU},
    {.name = "1x1 stride 2", .n = 3, .h = 9, .w = 8, .c = 33, .kernel = 1, .stride = 2, .dilation = 1, .o = 65},
    {.name = "1x1 stride 2 residual",
     .n = 1,
     .h = 9,
     .w = 8,
     .c = 33,
     .x_gap = 1,
     .kernel = 1,
     .stride = 2,
     .dilation = 1,
     .o = 31,
     .y_gap = 1,
     .bias = 1,
     .add = ADD_OTHER,
     .act = TX_ACT_RELU,
     .folds = 1},
    {.name = "1x1 scaled residual",
     .n = 3,
     .h = 6,
     .w = 6,
     .c = 16,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 48,
     .add = ADD_OTHER,
     .act = TX_ACT_RELU,
     .seen = 2,
     .folds = 1},
    {.name = "1x1 accumulate",
     .n = 3,
     .h = 6,
     .w = 6,
     .c = 17,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 33,
     .y_gap = 2,
     .bias = 1,
     .add = ADD_SELF,
     .act = 1,
     .folds = 1},
    {.name = "3x3", .n = 3, .h = 7, .w = 6, .c = 13, .kernel = 3, .stride = 1, .padding = 1, .dilation = 1, .o = 29},
    {.name = "3x3 gap seen",
     .n = 1,
     .h = 7,
     .w = 6,
     .c = 13,
     .x_gap = 4,
     .kernel = 3,
     .stride = 1,
     .padding = 1,
     .dilation = 1,
     .o = 29,
     .seen = 2},
    {.name = "3x3 relu on input",
     .n = 1,
     .h = 7,
     .w = 6,
     .c = 16,
     .kernel = 3,
     .stride = 1,
     .padding = 1,
     .dilation = 1,
     .o = 32,
     .seen = 1},
    {.name = "3x3 stride 2 unpadded",
     .n = 3,
     .h = 9,
     .w = 11,
     .c = 8,
     .kernel = 3,
     .stride = 2,
     .dilation = 1,
     .o = 30},
    {.name = "3x3 dilated",
     .n = 1,
     .h = 11,
     .w = 9,
     .c = 5,
     .kernel = 3,
     .stride = 1,
     .padding = 2,
     .dilation = 2,
     .o = 18,
     .folds = 1},
    {.name = "3x3 dilated, stride 2, padding beyond",
     .n = 1,
     .h = 5,
     .w = 4,
     .c = 5,
     .kernel = 3,
     .stride = 2,
     .padding = 7,
     .dilation = 3,
     .o = 18},
    {.name = "7x7 three channels",
     .n = 3,
     .h = 9,
     .w = 10,
     .c = 3,
     .kernel = 7,
     .stride = 2,
     .padding = 3,
     .dilation = 1,
     .o = 24},
    {.name = "7x7 three channels gap",
     .n = 1,
     .h = 16,
     .w = 15,
     .c = 3,
     .x_gap = 1,
     .kernel = 7,
     .stride = 2,
     .padding = 3,
     .dilation = 1,
     .o = 24},
    {.name = "7x7 wider than the image",
     .n = 3,
     .h = 3,
     .w = 2,
     .c = 3,
     .kernel = 7,
     .stride = 1,
     .padding = 3,
     .dilation = 1,
     .o = 8},
    {.name = "turned",
     .n = 1,
     .h = 8,
     .w = 8,
     .c = 35,
     .kernel = 3,
     .stride = 1,
     .padding = 1,
     .dilation = 1,
     .o = 45,
     .turned = 1,
     .folds = 1},
    {.name = "phase 2",
     .n = 3,
     .h = 5,
     .w = 4,
     .c = 20,
     .kernel = 2,
     .stride = 1,
     .padding = 0,
     .dilation = 1,
     .o = 21,
     .phase = 2,
     .turned = 1},
    {.name = "phase 3 residual",
     .n = 1,
     .h = 5,
     .w = 4,
     .c = 20,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 40,
     .y_gap = 3,
     .phase = 3,
     .add = ADD_OTHER,
     .bias = 1},
    {.name = "phase 2 accumulate",
     .n = 1,
     .h = 5,
     .w = 4,
     .c = 600,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 40,
     .phase = 2,
     .add = ADD_SELF},
    {.name = "no taps", .n = 3, .h = 5, .w = 4, .c = 20, .kernel = 0, .stride = 1, .dilation = 1, .o = 40, .phase = 2},
    {.name = "no taps, accumulate",
     .n = 3,
     .h = 5,
     .w = 4,
     .c = 20,
     .kernel = 0,
     .stride = 1,
     .dilation = 1,
     .o = 40,
     .add = ADD_SELF,
     .bias = 1},
    {.name = "linear", .n = 16, .h = 1, .w = 1, .c = 1030, .kernel = 1, .stride = 1, .dilation = 1, .o = 14, .bias = 1},
    {.name = "linear of one image", .n = 1, .h = 1, .w = 1, .c = 130, .kernel = 1, .stride = 1, .dilation = 1, .o = 1},
    {.name = "deep",
     .n = 1,
     .h = 1,
     .w = 11,
     .c = 1030,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 33,
     .bias = 1,
     .act = TX_ACT_RELU},
    {.name = "deep phase",
     .n = 1,
     .h = 3,
     .w = 11,
     .c = 600,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 33,
     .phase = 2,
     .add = ADD_OTHER,
     .act = TX_ACT_SILU},
    {.name = "deep 3x3",
     .n = 1,
     .h = 4,
     .w = 4,
     .c = 130,
     .kernel = 3,
     .stride = 1,
     .padding = 1,
     .dilation = 1,
     .o = 17,
     .add = ADD_SELF,
     .act = TX_ACT_RELU},
    {.name = "wide",
     .n = 1,
     .h = 4,
     .w = 8,
     .c = 9,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 331,
     .bias = 1,
     .act = TX_ACT_SILU},
    {.name = "tall",
     .n = 3,
     .h = 19,
     .w = 21,
     .c = 9,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 10,
     .act = TX_ACT_RELU},
    {.name = "tall 3x3 stride 2",
     .n = 3,
     .h = 35,
     .w = 31,
     .c = 9,
     .kernel = 3,
     .stride = 2,
     .padding = 1,
     .dilation = 1,
     .o = 5},
    {.name = "three groups of chunks",
     .n = 1,
     .h = 45,
     .w = 50,
     .c = 5,
     .kernel = 1,
     .stride = 1,
     .dilation = 1,
     .o = 3},
    {.name = "wide and deep", .n = 1, .h = 5, .w = 9, .c = 514, .kernel = 1, .stride = 1, .dilation = 1, .o = 258},
};

static const int few[] = {1, 3}, many[] = {1, 2, 3, 7};

/* Tails: every pair of rows and columns around the tiles. */
static void check_tails(void)
{
    static const int rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 27, 29};
    static const int columns[] = {1, 15, 16, 17, 31, 32, 33, 67};
    char name[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            snprintf(name, sizeof name, "tail %d rows %d columns", rows[i], columns[j]);
            problem p = {.name = name,
                         .n = 1,
                         .h = 1,
                         .w = rows[i],
                         .c = 7 + columns[j] % 5,
                         .kernel = 1,
                         .stride = 1,
                         .dilation = 1,
                         .o = columns[j],
                         .y_gap = (int)(i + j) % 3,
                         .bias = (int)i % 2,
                         .folds = (int)(i / 2 + j) % 2,
                         .add = (int)(i + j) % 2 ? PLAIN : ADD_OTHER};
            check(&p, few, 2);
        }
}

/* Every number of rows of dW that a tile can leave, over more than one chunk. */
static void check_gradient_tails(void)
{
    char name[64];
    for (int c = 1; c < 31; c++) {
        snprintf(name, sizeof name, "gradient of %d", c);
        problem p = {.name = name,
                     .n = 1,
                     .h = 7,
                     .w = c % 2 ? 37 : 75,
                     .c = c,
                     .kernel = 1,
                     .stride = 1,
                     .dilation = 1,
                     .o = 1 + c * 7 % 36};
        check(&p, few, 2);
    }
}

/* More groups of chunks than threads, few enough products that many of them are computed at a time. */
static void check_many_groups(void)
{
    static const int threads[] = {1, 2, 3, 7, 16};
    static const problem tall[] = {
        {.name = "six groups", .n = 2, .h = 45, .w = 58, .c = 5, .kernel = 1, .stride = 1, .dilation = 1, .o = 3},
        {.name = "nine groups",
         .n = 1,
         .h = 97,
         .w = 91,
         .c = 2,
         .x_gap = 1,
         .kernel = 3,
         .stride = 1,
         .padding = 1,
         .dilation = 1,
         .o = 17,
         .y_gap = 3},
    };
    for (size_t i = 0; i < sizeof tall / sizeof *tall; i++)
        check(&tall[i], threads, 5);
}

/* Chunks of pixels that end with a tile or within one, columns beside vectors, several blocks of columns and of k. */
static void check_chunks(void)
{
    static const struct {
        int n, h, w, c, o;
    } s[] = {{1, 1, 127, 3, 33},  {2, 8, 8, 5, 64},     {1, 3, 43, 17, 48}, {3, 9, 19, 16, 80},
             {2, 12, 13, 7, 257}, {1, 10, 26, 530, 96}, {1, 16, 9, 11, 40}, {5, 11, 17, 4, 129}};
    char name[64];
    for (size_t i = 0; i < sizeof s / sizeof *s; i++) {
        snprintf(name, sizeof name, "%d rows in chunks, %d columns", s[i].n * s[i].h * s[i].w, s[i].o);
        problem p = {.name = name,
                     .n = s[i].n,
                     .h = s[i].h,
                     .w = s[i].w,
                     .c = s[i].c,
                     .kernel = 1,
                     .stride = 1,
                     .dilation = 1,
                     .o = s[i].o,
                     .y_gap = (int)i % 3,
                     .seen = (int)i % 2,
                     .bias = (int)i % 2,
                     .moments = 1};
        check(&p, i % 2 ? many : few, i % 2 ? 4 : 2);
    }
}

static void check_sizes(void)
{
    CHECK(tx_gemm_packed((size_t)-1, 64) == (size_t)-1, "packed size overflows unnoticed");
    CHECK(tx_gemm_packed(3, (size_t)-1) == (size_t)-1, "packed size overflows unnoticed");
    CHECK(tx_gemm_packed(3, 33) >= 3 * 33, "packed size");
}

int main(void)
{
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        problem p = problems[i];
        check(&p, many, 4);
        p.integers = 1;
        check(&p, few, 2);
    }
    check_tails();
    check_gradient_tails();
    check_sizes();
    CHECK(digest == 0x24d0e5b08d2c3b0fu, "the definition's bits differ here: digest %016llx",
          (unsigned long long)digest);
    check_many_groups();
    check_chunks();
    return test_done("core_gemm");
}
