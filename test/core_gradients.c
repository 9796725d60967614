/* core_gradients.c - both gradients of a product in one pass are those of the two products, of a dy that is written out or not,
 * bit for bit, on every instruction set and with 1, 2, 3 and 7 threads. */
#include "test.h"

#include "../core/op.h"

#include <stdlib.h>
#include <string.h>

typedef struct problem {
    int n, h, w, c, o;
    int gap;           /* channels of others between pixels, everywhere another number of them */
    int view, applied; /* x through scale, shift and a rectifier; dy as it stands */
    int add;           /* 1: to something else, 2: to dx itself */
    int no_dx, no_dw;
} problem;

static const problem problems[] = {
    {.n = 1, .h = 1, .w = 1, .c = 1, .o = 1},
    {.n = 1, .h = 5, .w = 3, .c = 3, .o = 17, .gap = 1, .view = 1},
    {.n = 2, .h = 16, .w = 8, .c = 5, .o = 33, .gap = 3, .add = 1},
    {.n = 1, .h = 1, .w = 257, .c = 24, .o = 144, .view = 1},
    {.n = 3, .h = 19, .w = 23, .c = 31, .o = 64, .gap = 2, .view = 1, .add = 2},
    {.n = 2, .h = 29, .w = 37, .c = 16, .o = 96, .applied = 1},
    {.n = 1, .h = 45, .w = 47, .c = 9, .o = 15, .gap = 5, .applied = 1, .view = 1, .add = 1},
    {.n = 1, .h = 33, .w = 32, .c = 7, .o = 48, .no_dx = 1},
    {.n = 1, .h = 33, .w = 32, .c = 7, .o = 48, .gap = 1, .no_dw = 1},
    {.n = 1, .h = 20, .w = 14, .c = 40, .o = 530, .view = 1, .add = 2},
    {.n = 1, .h = 9, .w = 31, .c = 300, .o = 40, .gap = 1, .view = 1, .add = 1},
    {.n = 5, .h = 31, .w = 34, .c = 2, .o = 3},
};

static uint32_t state = 1;

static float *draws(size_t n)
{
    float *x = tx_alloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return x;
}

static float *copied(const float *x, size_t n)
{
    float *y = tx_alloc(n, sizeof *y);
    memcpy(y, x, n * sizeof *y);
    return y;
}

enum { GUARD = 64 };

static void *guarded(size_t bytes)
{
    unsigned char *p = tx_alloc(bytes + GUARD, 1);
    memset(p, 0xa5, bytes + GUARD);
    return p;
}

static int guard_holds(const void *work, size_t bytes)
{
    for (size_t i = 0; i < GUARD; i++)
        if (((const unsigned char *)work)[bytes + i] != 0xa5)
            return 0;
    return 1;
}

/* Operands of a problem, and what the two products make of them. */
typedef struct fixture {
    tx_view x;
    tx_slope dy;
    float *data[5]; /* x, dy, the batch norm's x, what dx is added to, its initial contents */
    float *w, *columns, *dx, *dw;
    size_t dx_ld, add_ld, dx_size, dw_size;
} fixture;

static void set_up(fixture *f, const problem *p)
{
    size_t pixels = (size_t)p->n * (size_t)p->h * (size_t)p->w, c = (size_t)p->c, o = (size_t)p->o,
           gap = (size_t)p->gap;
    size_t ld[4] = {c + gap, o + 2 * gap, o + 3 * gap, c + gap / 2};
    *f = (fixture){.dx_ld = c + 2 * gap, .add_ld = ld[3], .dx_size = pixels * (c + 2 * gap), .dw_size = c * o};
    for (int k = 0; k < 4; k++)
        f->data[k] = draws(pixels * ld[k]);
    f->data[4] = draws(f->dx_size);
    f->w = draws(f->dw_size);
    f->columns = draws(2 * c + 5 * o);
    f->x = (tx_view){.data = f->data[0], .n = p->n, .h = p->h, .w = p->w, .c = p->c, .ld = ld[0]};
    if (p->view) {
        f->x.scale = f->columns;
        f->x.shift = f->columns + c;
        f->x.act = TX_ACT_RELU;
    }
    f->dy.g = (tx_tensor){f->data[1], p->n, p->h, p->w, p->o, ld[1]};
    if (!p->applied) {
        const float *own = f->columns + 2 * c;
        f->dy.x = (tx_view){.data = f->data[2], .n = p->n, .h = p->h, .w = p->w, .c = p->o, .ld = ld[2]};
        f->dy.x.scale = own;
        f->dy.x.shift = own + o;
        f->dy.x.act = TX_ACT_RELU;
        f->dy.mean = own + 2 * o;
        f->dy.mean_g = own + 3 * o;
        f->dy.slope = own + 4 * o;
    }
}

static tx_gradient gradient_of(const fixture *f, const problem *p, float *dx)
{
    tx_gradient to = {dx, f->dx_ld, NULL, 0};
    if (p->add == 1) {
        to.add = f->data[3];
        to.add_ld = f->add_ld;
    } else if (p->add == 2) {
        to.add = dx;
        to.add_ld = f->dx_ld;
    }
    return to;
}

static float *packed_of(const tx_machine *machine, const fixture *f, const problem *p)
{
    float *packed = tx_alloc(tx_gemm_packed((size_t)p->o, (size_t)p->c), sizeof *packed);
    tx_filter w = {.data = f->w, .taps = 1, .c = p->o, .row_step = 1, .n = p->c, .column_step = (size_t)p->o};
    CHECK(tx_gemm_pack(machine, packed, &w) == TX_OK, "%s", tx_error_message());
    return packed;
}

/* dy written out, then a product each. */
static void define(fixture *f, const problem *p)
{
    static const tx_tap here;
    tx_machine machine = tx_machine_now();
    size_t pixels = (size_t)p->n * (size_t)p->h * (size_t)p->w;
    float *dy = tx_alloc(pixels * (size_t)p->o, sizeof *dy), *packed = packed_of(&machine, f, p);
    tx_view g = {.data = f->dy.g.data, .n = p->n, .h = p->h, .w = p->w, .c = p->o, .ld = f->dy.g.ld};
    if (!p->applied) {
        tx_gradient to = {dy, (size_t)p->o, NULL, 0};
        tx_channel_bn_apply(&machine, &to, &f->dy.x, f->dy.mean, &f->dy.g, f->dy.mean_g, f->dy.slope);
        g.data = dy;
        g.ld = (size_t)p->o;
    }
    tx_rows a = {.x = f->x, .grid_h = p->h, .grid_w = p->w, .step_y = 1, .step_x = 1, .taps = 1, .tap = &here}, b = a;
    b.x = g;
    f->dx = copied(f->data[4], f->dx_size);
    f->dw = tx_alloc(f->dw_size, sizeof(float));
    tx_gradient dx = gradient_of(f, p, f->dx);
    tx_target to = {.data = dx.data, .ld = dx.ld, .h = p->h, .w = p->w, .step_y = 1, .step_x = 1};
    to.add = dx.add;
    to.add_ld = dx.add_ld;
    void *work[2] = {tx_alloc(tx_gemm_forward_work(&machine, &b, p->c), 1),
                     tx_alloc(tx_gemm_gradient_work(&machine, &a, p->o), 1)};
    CHECK(tx_gemm_forward(&machine, &b, packed, p->c, &to, work[0]) == TX_OK &&
              tx_gemm_gradient(&machine, f->dw, &a, &g, 0, work[1]) == TX_OK,
          "%s", tx_error_message());
    tx_free(work[0]);
    tx_free(work[1]);
    tx_free(packed);
    tx_free(dy);
}

static void check_machine(const fixture *f, const problem *p, int number)
{
    tx_machine machine = tx_machine_now();
    size_t bytes = tx_gemm_gradients_work(&machine, &f->x, p->o);
    float *packed = packed_of(&machine, f, p), *dx = copied(f->data[4], f->dx_size);
    float *dw = guarded(f->dw_size * sizeof *dw);
    void *work = guarded(bytes);
    tx_gradient to = gradient_of(f, p, dx);
    if (p->no_dx)
        to.data = NULL;
    CHECK(tx_gemm_gradients(&machine, &f->x, p->no_dx ? NULL : packed, &f->dy, &to, NULL, p->no_dw ? NULL : dw, work) ==
              TX_OK,
          "problem %d: %s", number, tx_error_message());
    CHECK(memcmp(dx, p->no_dx ? f->data[4] : f->dx, f->dx_size * sizeof *dx) == 0, "problem %d, %s, %d threads: dx",
          number, tx_isa_name(), tx_threads());
    CHECK(p->no_dw || memcmp(dw, f->dw, f->dw_size * sizeof *dw) == 0, "problem %d, %s, %d threads: dw", number,
          tx_isa_name(), tx_threads());
    CHECK(guard_holds(work, bytes) && guard_holds(dw, f->dw_size * sizeof *dw),
          "problem %d, %s, %d threads: written beyond", number, tx_isa_name(), tx_threads());
    tx_free(packed);
    tx_free(dx);
    tx_free(dw);
    tx_free(work);
}

static void check(int number)
{
    static const int threads[] = {1, 2, 3, 7};
    const problem *p = &problems[number];
    const char *isas[TX_MAX_ISAS];
    int n_isas = tx_isa_list(isas);
    fixture f;
    set_up(&f, p);
    define(&f, p);
    for (int i = 0; i < n_isas; i++)
        for (int t = 0; t < 4; t++) {
            CHECK(tx_isa_select(isas[i]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[t]);
            check_machine(&f, p, number);
        }
    for (int k = 0; k < 5; k++)
        tx_free(f.data[k]);
    tx_free(f.w);
    tx_free(f.columns);
    tx_free(f.dx);
    tx_free(f.dw);
}

/* With several threads each must have groups of its own. */
static void check_pays(void)
{
    static const struct {
        int threads, n, side, c, o, pays;
    } s[] = {{1, 1, 10, 16, 96, 1},
             {1, 1, 10, 96, 16, 0},
             {2, 1, 10, 16, 96, 0},
             {2, 16, 40, 16, 96, 1},
             {2, 16, 40, 96, 96, 0}};
    for (size_t i = 0; i < sizeof s / sizeof *s; i++) {
        tx_set_threads(s[i].threads);
        tx_machine machine = tx_machine_now();
        tx_view x = {.n = s[i].n, .h = s[i].side, .w = s[i].side, .c = s[i].c, .ld = (size_t)s[i].c};
        CHECK(tx_gemm_gradients_pay(&machine, &x, s[i].o) == s[i].pays, "case %zu pays", i);
    }
}

int main(void)
{
    for (int i = 0; i < (int)(sizeof problems / sizeof *problems); i++)
        check(i);
    check_pays();
    return test_done("core_gradients");
}
