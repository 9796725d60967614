/* layers_check.h - one operation against its definition: the reference's gradient against central differences, then
 * what runs against the reference, in every way in which a planner may lay its tensors out, on every instruction set
 * and with several numbers of threads, where all bits must be equal. For the operations of layers/, and for one of your
 * own: installed as <thorax/layers_check.h>, test/examples/residual.c shows it in use.
 *
 *     layer_check(node, (layer_options){.n = 2}, "name");     node: of the operation, on inputs of tx_input
 *     return test_done("program");                            says how many checks passed and failed
 *
 * What does not hold is said on standard error. Give it odd numbers of channels (1, 3, 17), a 1 x 1 map, one image; with
 * .inference and .explain the operation is what it is in these modes.
 *
 * Tensors are given room to the right of each pixel's channels (ld > c) and behind the last pixel. What is read there
 * is NaN, so it shows in the result if it is used; what is written there is noticed. So is what backward reads although
 * the operation's table says that it does not: it is NaN by then. */
#ifndef THORAX_LAYERS_CHECK_H
#define THORAX_LAYERS_CHECK_H

#include "../core/op.h"
#include "../layers/layers.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer_options {
    int n;                              /* images */
    int inference;                      /* 1: forward only, with prepared weights */
    int explain;                        /* 1: forward as in inference, and backward */
    tx_act act;                         /* joined to the result */
    int view;                           /* 1: input 0 is read through scale, shift and view_act */
    tx_act view_act;                    /* left out: a rectifier */
    int gate;                           /* 1: input 0 is read through a gate */
    int as_view;                        /* 1: the result is not written (batch norm) */
    int light;                          /* 1: no central differences, and the third layout alone, for many cases */
    double tolerance;                   /* of the largest value; 0: 1e-6 */
    double slope_tolerance;             /* central differences against the reference; 0: 1e-7 */
    float (*fill)(int input, size_t i); /* inputs; NULL: uniform on [-1, 1) */
} layer_options;

enum { LAYER_GUARD = 64, LAYER_PROBES = 24, LAYER_PROBES_LARGE = 5 };

/* A draw of stream `stream`, uniform on [-1, 1). */
static inline float layer_draw(uint64_t stream, size_t i)
{
    return 2 * tx_random_uniform(12, TX_RANDOM_TEST, stream, i) - 1;
}

static inline void *layer_alloc(size_t count, size_t size)
{
    void *p = tx_alloc(count, size);
    if (!p)
        exit(2);
    return p;
}

static inline size_t layer_count(int n, const tx_node *node)
{
    return (size_t)n * (size_t)node->h * (size_t)node->w * (size_t)node->c;
}

/* ---- activations */

static inline double layer_logistic(double z)
{
    return 1 / (1 + tx_exp(-z));
}

static inline double layer_act(tx_act act, double z)
{
    double hard = (z < -3 ? 0 : z > 3 ? 6 : z + 3) / 6;
    switch (act) {
    case TX_ACT_RELU:
        return z < 0 ? 0 : z;
    case TX_ACT_RELU6:
        return z < 0 ? 0 : z > 6 ? 6 : z;
    case TX_ACT_SILU:
        return z * layer_logistic(z);
    case TX_ACT_SIGMOID:
        return layer_logistic(z);
    case TX_ACT_HARDSWISH:
        return z * hard;
    case TX_ACT_HARDSIGMOID:
        return hard;
    default:
        return z;
    }
}

/* Its derivative; at a kink that of the flat side, or of slope 1. */
static inline double layer_act_slope(tx_act act, double z)
{
    double s = layer_logistic(z), hard = (z < -3 ? 0 : z > 3 ? 6 : z + 3) / 6, ramp = z > -3 && z < 3 ? 1.0 / 6 : 0;
    switch (act) {
    case TX_ACT_RELU:
        return z > 0;
    case TX_ACT_RELU6:
        return z > 0 && z < 6;
    case TX_ACT_SILU:
        return s + z * s * (1 - s);
    case TX_ACT_SIGMOID:
        return s * (1 - s);
    case TX_ACT_HARDSWISH:
        return hard + z * ramp;
    case TX_ACT_HARDSIGMOID:
        return ramp;
    default:
        return 1;
    }
}

static inline tx_act layer_view_act(const layer_options *o)
{
    return o->view_act == TX_ACT_NONE ? TX_ACT_RELU : o->view_act;
}

/* ---- the double side */

typedef struct layer_reference {
    tx_reference_step step;
    double *x[TX_MAX_INPUTS], *dx[TX_MAX_INPUTS], *y, *dy;
    double *original[TX_MAX_PARAMS]; /* parameters before running statistics moved */
    int trained[TX_MAX_PARAMS];
    size_t count[TX_MAX_PARAMS];
} layer_reference;

static inline void layer_forward(layer_reference *r)
{
    for (int k = 0; k < r->step.node->params; k++)
        memcpy(r->step.param[k], r->original[k], r->count[k] * sizeof(double));
    r->step.node->op->reference_forward(&r->step);
}

/* sum y dy: what the gradients are gradients of, a joined activation included */
static inline double layer_objective(layer_reference *r, const double *dy, tx_act act)
{
    layer_forward(r);
    double sum = 0;
    for (size_t i = 0; i < layer_count(r->step.n, r->step.node); i++)
        sum += dy[i] * layer_act(act, r->y[i]);
    return sum;
}

static inline void layer_reference_new(layer_reference *r, const tx_node *node, const layer_options *o)
{
    memset(r, 0, sizeof *r);
    r->step =
        (tx_reference_step){.node = node, .n = o->n, .training = !o->inference && !o->explain, .seed = 5, .run = 3};
    r->y = layer_alloc(layer_count(o->n, node), sizeof(double));
    r->dy = layer_alloc(layer_count(o->n, node), sizeof(double));
    for (int k = 0; k < node->inputs; k++) {
        r->x[k] = layer_alloc(layer_count(o->n, node->input[k]), sizeof(double));
        r->dx[k] = layer_alloc(layer_count(o->n, node->input[k]), sizeof(double));
    }
    for (int k = 0; k < node->params; k++) {
        const tx_param *p = tx_graph_param(node->graph, node->param[k]);
        r->count[k] = p->count;
        r->trained[k] = p->role == TX_ROLE_TRAINED;
        r->step.param[k] = layer_alloc(p->count, sizeof(double));
        r->step.dparam[k] = layer_alloc(p->count, sizeof(double));
        r->original[k] = layer_alloc(p->count, sizeof(double));
        int variance = p->role == TX_ROLE_BUFFER && k == 3;
        for (size_t i = 0; i < p->count; i++)
            r->original[k][i] = (double)((variance ? 1.5f : 0.5f) + 0.5f * layer_draw(100 + (uint64_t)k, i));
    }
    r->step.x = (const double **)r->x;
    r->step.dx = r->dx;
    r->step.y = r->y;
    r->step.dy = r->dy;
}

static inline void layer_reference_free(layer_reference *r)
{
    tx_free(r->y);
    tx_free(r->dy);
    for (int k = 0; k < r->step.node->inputs; k++) {
        tx_free(r->x[k]);
        tx_free(r->dx[k]);
    }
    for (int k = 0; k < r->step.node->params; k++) {
        tx_free(r->step.param[k]);
        tx_free(r->step.dparam[k]);
        tx_free(r->original[k]);
    }
}

/* d objective / d *at by central differences, at some elements of an array, against what the reference says. */
static inline void layer_probe(layer_reference *r, const double *dy, const layer_options *o, double *at,
                               const double *gradient, size_t count, const char *label, const char *what)
{
    double h = 1e-5, largest = 0, limit = o->slope_tolerance > 0 ? o->slope_tolerance : 1e-7;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(gradient[i]));
    int probes = layer_count(r->step.n, r->step.node) < 1000 ? LAYER_PROBES : LAYER_PROBES_LARGE;
    for (int probe = 0; probe < probes && probe < (int)count; probe++) {
        size_t i = count <= (size_t)probes ? (size_t)probe
                                           : tx_random_below(7, TX_RANDOM_TEST, 0, (uint64_t)probe, (uint32_t)count);
        double before = at[i];
        at[i] = before + h;
        double above = layer_objective(r, dy, o->act);
        at[i] = before - h;
        double below = layer_objective(r, dy, o->act);
        at[i] = before;
        double slope = (above - below) / (2 * h);
        CHECK(fabs(slope - gradient[i]) <= limit * (1 + largest),
              "%s: %s[%zu]: gradient %.12g, central difference %.12g", label, what, i, gradient[i], slope);
    }
}

/* Where nobody wants an input's gradient, those of the parameters are added all the same: they double. */
static inline void layer_check_unwanted(layer_reference *r, const char *label)
{
    double *none[TX_MAX_INPUTS] = {NULL};
    r->step.dx = none;
    double *before[TX_MAX_PARAMS];
    for (int k = 0; k < r->step.node->params; k++) {
        before[k] = layer_alloc(r->count[k], sizeof(double));
        memcpy(before[k], r->step.dparam[k], r->count[k] * sizeof(double));
    }
    r->step.node->op->reference_backward(&r->step);
    r->step.dx = r->dx;
    for (int k = 0; k < r->step.node->params; k++) {
        double worst = 0, largest = 0;
        for (size_t i = 0; i < r->count[k]; i++) {
            worst = fmax(worst, fabs(r->step.dparam[k][i] - 2 * before[k][i]));
            largest = fmax(largest, fabs(before[k][i]));
        }
        CHECK(worst <= 1e-12 * (1 + largest), "%s: dparam %d without dx is off by %g", label, k, worst);
        memcpy(r->step.dparam[k], before[k], r->count[k] * sizeof(double));
        tx_free(before[k]);
    }
}

static inline void layer_check_reference(layer_reference *r, const layer_options *o, const char *label)
{
    const tx_node *node = r->step.node;
    size_t outputs = layer_count(o->n, node);
    double *dy = layer_alloc(outputs, sizeof(double));
    memcpy(dy, r->dy, outputs * sizeof(double));
    layer_forward(r);
    for (size_t i = 0; i < outputs; i++)
        r->dy[i] *= layer_act_slope(o->act, r->y[i]);
    if (!o->inference) {
        node->op->reference_backward(&r->step);
        layer_check_unwanted(r, label);
        for (int k = 0; k < node->inputs && !o->light; k++)
            if (!(k > 0 && node->op->traits & TX_DATA_INPUTS))
                layer_probe(r, dy, o, r->x[k], r->dx[k], layer_count(o->n, node->input[k]), label, "dx");
        for (int k = 0; k < node->params && !o->light; k++)
            if (r->trained[k])
                layer_probe(r, dy, o, r->original[k], r->step.dparam[k], r->count[k], label, "dparam");
    }
    memcpy(r->dy, dy, outputs * sizeof(double));
    layer_forward(r);
    for (size_t i = 0; i < outputs; i++)
        r->y[i] = layer_act(o->act, r->y[i]);
    tx_free(dy);
}

/* ---- the float side */

/* A tensor with guards: pixels of c channels, ld apart. The guards hold a NaN that is its own, so that another's which is
 * copied there shows, too. */
typedef struct layer_tensor {
    float *data;
    size_t pixels, c, ld;
    uint32_t canary;
} layer_tensor;

static inline layer_tensor layer_tensor_new(size_t pixels, size_t c, size_t pad)
{
    static uint32_t tensors;
    layer_tensor t = {NULL, pixels, c, c + pad, 0x7fc00000u + ++tensors % 0x3fffffu};
    t.data = layer_alloc(pixels * t.ld + LAYER_GUARD, sizeof(float));
    for (size_t i = 0; i < pixels * t.ld + LAYER_GUARD; i++)
        memcpy(t.data + i, &t.canary, 4);
    return t;
}

static inline void layer_tensor_fill(layer_tensor *t, const double *dense)
{
    for (size_t p = 0; p < t->pixels; p++)
        for (size_t c = 0; c < t->c; c++)
            t->data[p * t->ld + c] = (float)dense[p * t->c + c];
}

static inline int layer_guards_hold(const layer_tensor *t)
{
    for (size_t p = 0; p <= t->pixels; p++)
        for (size_t c = p < t->pixels ? t->c : 0; c < (p < t->pixels ? t->ld : LAYER_GUARD); c++)
            if (memcmp(t->data + p * t->ld + c, &t->canary, 4) != 0)
                return 0;
    return 1;
}

/* FNV-1a over the bits of the values, so that equal digests mean equal bits. */
static inline uint64_t layer_hash(uint64_t h, const float *data, size_t pixels, size_t c, size_t ld)
{
    for (size_t p = 0; p < pixels; p++)
        for (size_t k = 0; k < c; k++) {
            uint32_t bits;
            memcpy(&bits, data + p * ld + k, 4);
            h = (h ^ bits) * 0x100000001b3u;
        }
    return h;
}

static inline double layer_error(const layer_tensor *t, const double *wanted, const double *add, double *largest)
{
    double worst = 0;
    *largest = 0;
    for (size_t p = 0; p < t->pixels; p++)
        for (size_t c = 0; c < t->c; c++) {
            double want = wanted[p * t->c + c] + (add ? add[p * t->c + c] : 0), got = (double)t->data[p * t->ld + c];
            if (!(fabs(got - want) <= worst))
                worst = isnan(got) ? (double)INFINITY : fabs(got - want);
            *largest = fmax(*largest, fabs(want));
        }
    return worst;
}

/* How the tensors of one run lie. */
typedef struct layer_layout {
    const char *name;
    size_t pad;              /* channels between pixels that belong to others */
    int add;                 /* 1: dx = add + .., 2: add is dx itself */
    int in_place;            /* 1: dx is written over dy */
    unsigned no_dx, no_grad; /* bit k: nobody wants the gradient of input k, of parameter k */
    int more;                /* images by which the plan is larger than the run */
    int slope;               /* 1: dy is what a batch norm hands back, 2: which is left to be applied */
} layer_layout;

static inline int layer_wants(unsigned unwanted, int k)
{
    return k >= 32 || !(unwanted >> k & 1);
}

typedef struct layer_run {
    tx_step step;
    tx_machine machine;
    tx_view x[TX_MAX_INPUTS];
    tx_gradient dx[TX_MAX_INPUTS];
    layer_tensor xs[TX_MAX_INPUTS], dxs[TX_MAX_INPUTS], adds[TX_MAX_INPUTS], y, dy, params[TX_MAX_PARAMS],
        grads[TX_MAX_PARAMS];
    layer_tensor memory[4]; /* saved, prepared, work of forward, of backward: as floats */
    tx_moments of_x, of_y;  /* batch statistics that the step is given, and that it shall take */
    layer_tensor norm_x;    /* what a batch norm behind the result has read, */
    float *norm;            /* scale, shift, mean, mean_g, slope */
    int no_slope, no_reduce;
    layer_tensor
        reduce_x; /* what a batch norm before input 0 reads, whose sums the step shall take; its coefficients */
    float *reduce;
    double *sums;
    int64_t counter;
} layer_run;

static inline layer_tensor layer_bytes_new(size_t bytes)
{
    return layer_tensor_new(1, (bytes + 3) / 4, 0);
}

static inline tx_moments layer_moments_new(size_t pixels, int c)
{
    double *mean = layer_alloc(2 * (size_t)c, sizeof *mean);
    return (tx_moments){mean, mean + c, layer_alloc(tx_channel_work(pixels, c), 1)};
}

static inline void layer_moments_free(tx_moments *m)
{
    tx_free(m->mean);
    tx_free(m->work);
}

/* A batch norm is given its input's statistics; whoever takes its result's takes those that a pass takes, bit for bit. */
static inline void layer_moments_give(layer_run *run)
{
    const tx_view *x = &run->x[0];
    const tx_tensor *y = &run->step.y;
    if (!run->step.training)
        return;
    if (run->step.node->op->kind == TX_AFFINE) {
        run->of_x = layer_moments_new((size_t)x->n * (size_t)x->h * (size_t)x->w, x->c);
        CHECK(tx_channel_moments(&run->machine, x, run->of_x.mean, run->of_x.variance, run->of_x.work) == TX_OK, "%s",
              tx_error_message());
        run->step.x_moments = run->of_x;
    }
    if (run->step.node->op->traits & TX_MOMENTS && y->data)
        run->of_y = run->step.moments = layer_moments_new((size_t)y->n * (size_t)y->h * (size_t)y->w, y->c);
}

static inline void layer_moments_compare(const layer_run *run, const char *label, const char *layout)
{
    const tx_tensor *y = &run->step.y;
    if (!run->of_y.mean)
        return;
    tx_view view = {.data = y->data, .n = y->n, .h = y->h, .w = y->w, .c = y->c, .ld = y->ld};
    tx_moments own = layer_moments_new((size_t)y->n * (size_t)y->h * (size_t)y->w, y->c);
    CHECK(tx_channel_moments(&run->machine, &view, own.mean, own.variance, own.work) == TX_OK &&
              memcmp(own.mean, run->of_y.mean, 2 * (size_t)y->c * sizeof(double)) == 0,
          "%s (%s): batch statistics of the result differ from those of a pass", label, layout);
    layer_moments_free(&own);
}

/* For n images, as planned for or as run. */
static inline void layer_run_images(layer_run *run, int n)
{
    run->step.n = run->step.y.n = run->step.dy.g.n = n;
    for (int k = 0; k < run->step.node->inputs; k++)
        run->x[k].n = n;
}

static inline void layer_run_plan(layer_run *run, int n, int more)
{
    tx_workspace need = {.algorithm = ""};
    layer_run_images(run, n + more);
    if (run->step.node->op->plan)
        run->step.node->op->plan(&run->step, &need);
    layer_run_images(run, n);
    run->no_slope = need.no_slope;
    run->no_reduce = need.no_reduce;
    size_t bytes[4] = {need.saved, need.prepared, need.work, need.work_backward};
    for (int k = 0; k < 4; k++)
        run->memory[k] = layer_bytes_new(bytes[k]);
    run->step.saved = run->memory[0].data;
    run->step.prepared = run->memory[1].data;
}

/* What the runs of one check share: the inputs as they stand in memory, how the first of them is read, what gradients are
 * added to. */
typedef struct layer_values {
    double *raw[TX_MAX_INPUTS], *adds[TX_MAX_INPUTS];
    float *scale, *shift;
    float *gate; /* rows of as many channels, gate_ld apart */
    size_t gate_ld;
} layer_values;

static inline void layer_run_new(layer_run *run, layer_reference *r, const layer_options *o, const layer_layout *l,
                                 const layer_values *v)
{
    const tx_node *node = r->step.node;
    memset(run, 0, sizeof *run);
    run->machine = tx_machine_now();
    run->step = (tx_step){.node = node,
                          .machine = &run->machine,
                          .n = o->n,
                          .training = r->step.training,
                          .backward = !o->inference,
                          .seed = 5,
                          .run = 3,
                          .x = run->x,
                          .dx = run->dx,
                          .act = o->act,
                          .counter = &run->counter};
    size_t pixels = (size_t)o->n * (size_t)node->h * (size_t)node->w;
    run->y = layer_tensor_new(pixels, (size_t)node->c, l->pad);
    run->dy = layer_tensor_new(pixels, (size_t)node->c, l->pad);
    layer_tensor_fill(&run->dy, r->dy);
    run->step.y = (tx_tensor){o->as_view ? NULL : run->y.data, o->n, node->h, node->w, node->c, run->y.ld};
    run->step.dy.g = (tx_tensor){run->dy.data, o->n, node->h, node->w, node->c, run->dy.ld};
    for (int k = 0; k < node->inputs; k++) {
        const tx_node *x = node->input[k];
        size_t xpixels = (size_t)o->n * (size_t)x->h * (size_t)x->w;
        run->xs[k] = layer_tensor_new(xpixels, (size_t)x->c, l->pad);
        layer_tensor_fill(&run->xs[k], v->raw[k]);
        run->x[k] = (tx_view){.data = run->xs[k].data, .n = o->n, .h = x->h, .w = x->w, .c = x->c, .ld = run->xs[k].ld};
        if (k == 0 && o->view) {
            run->x[k].scale = v->scale;
            run->x[k].shift = v->shift;
            run->x[k].act = layer_view_act(o);
        }
        if (k == 0 && o->gate) {
            run->x[k].gate = v->gate;
            run->x[k].gate_ld = v->gate_ld;
        }
        run->dxs[k] = layer_tensor_new(xpixels, (size_t)x->c, l->pad);
        run->adds[k] = layer_tensor_new(xpixels, (size_t)x->c, l->pad / 2);
        layer_tensor_fill(&run->adds[k], v->adds[k]);
        run->dx[k] = (tx_gradient){run->dxs[k].data, run->dxs[k].ld, NULL, 0};
        if (l->in_place && k == 0)
            run->dx[k] = (tx_gradient){run->dy.data, run->dy.ld, NULL, 0};
        if (l->add == 2) {
            layer_tensor_fill(&run->dxs[k], v->adds[k]);
            run->dx[k].add = run->dx[k].data;
            run->dx[k].add_ld = run->dx[k].ld;
        } else if (l->add == 1) {
            run->dx[k].add = run->adds[k].data;
            run->dx[k].add_ld = run->adds[k].ld;
        }
        if (!layer_wants(l->no_dx, k))
            run->dx[k] = (tx_gradient){NULL, 0, NULL, 0};
    }
    for (int k = 0; k < node->params; k++) {
        run->params[k] = layer_tensor_new(1, r->count[k], 0);
        layer_tensor_fill(&run->params[k], r->original[k]);
        run->grads[k] = layer_tensor_new(1, r->count[k], 0);
        run->step.param[k] = run->params[k].data;
        run->step.grad[k] = r->trained[k] && layer_wants(l->no_grad, k) ? run->grads[k].data : NULL;
    }
    layer_run_plan(run, o->n, l->more);
    layer_moments_give(run);
}

static inline void layer_run_free(layer_run *run)
{
    const tx_node *node = run->step.node;
    tx_free(run->y.data);
    tx_free(run->dy.data);
    for (int k = 0; k < node->inputs; k++) {
        tx_free(run->xs[k].data);
        tx_free(run->dxs[k].data);
        tx_free(run->adds[k].data);
    }
    for (int k = 0; k < node->params; k++) {
        tx_free(run->params[k].data);
        tx_free(run->grads[k].data);
    }
    for (int k = 0; k < 4; k++)
        tx_free(run->memory[k].data);
    tx_free(run->reduce_x.data);
    tx_free(run->reduce);
    tx_free(run->sums);
    tx_free(run->step.reduce.work);
    tx_free(run->norm_x.data);
    tx_free(run->norm);
    layer_moments_free(&run->of_x);
    layer_moments_free(&run->of_y);
}

static inline void layer_compare(const layer_tensor *t, const double *wanted, const double *add, double tolerance,
                                 const char *label, const char *layout, const char *what)
{
    double largest, worst = layer_error(t, wanted, add, &largest);
    CHECK(worst <= tolerance * largest + 1e-30, "%s (%s): %s differs by %.3g, largest value %.3g", label, layout, what,
          worst, largest);
    CHECK(layer_guards_hold(t), "%s (%s): something was written beside %s", label, layout, what);
}

/* The readers' side of a result that was not written. */
static inline void layer_apply_view(layer_run *run)
{
    const float *scale = run->step.saved, *shift = scale + run->y.c;
    for (size_t p = 0; p < run->y.pixels; p++)
        for (size_t c = 0; c < run->y.c; c++) {
            float z = tx_fmaf(scale[c], run->xs[0].data[p * run->xs[0].ld + c], shift[c]);
            run->y.data[p * run->y.ld + c] = run->step.act == TX_ACT_RELU && z < 0 ? 0 : z;
        }
}

static inline void layer_spoil(layer_tensor *t)
{
    for (size_t p = 0; p < t->pixels; p++)
        for (size_t c = 0; c < t->c; c++)
            memcpy(t->data + p * t->ld + c, &t->canary, 4);
}

/* What the operation does not claim to read in backward is gone by then. */
static inline void layer_forget(layer_run *run)
{
    const tx_op *op = run->step.node->op;
    for (int k = 0; k < run->step.node->inputs && !(op->needs & TX_NEEDS_X); k++)
        layer_spoil(&run->xs[k]);
    if (!(op->needs & (run->step.act == TX_ACT_NONE ? TX_NEEDS_Y : TX_NEEDS_Y | TX_NEEDS_Y_IF_FUSED)))
        layer_spoil(&run->y);
}

/* A batch norm behind the result, with a rectifier: applied to dy, or left to the step. */
static inline void layer_slope_give(layer_run *run, const layer_layout *l)
{
    tx_slope *dy = &run->step.dy;
    size_t c = run->dy.c;
    if (!l->slope)
        return;
    run->norm_x = layer_tensor_new(run->dy.pixels, c, l->pad / 2);
    run->norm = layer_alloc(5 * c, sizeof(float));
    for (size_t i = 0; i < run->dy.pixels * c; i++)
        run->norm_x.data[i / c * run->norm_x.ld + i % c] = layer_draw(80, i);
    for (size_t i = 0; i < 5 * c; i++)
        run->norm[i] = layer_draw(81, i);
    tx_slope applied = *dy;
    applied.x = (tx_view){.data = run->norm_x.data, .n = dy->g.n, .h = dy->g.h, .w = dy->g.w, .c = dy->g.c};
    applied.x.ld = run->norm_x.ld;
    applied.x.scale = run->norm;
    applied.x.shift = run->norm + c;
    applied.x.act = TX_ACT_RELU;
    applied.mean = run->norm + 2 * c;
    applied.mean_g = run->norm + 3 * c;
    applied.slope = run->norm + 4 * c;
    tx_gradient over = {dy->g.data, dy->g.ld, NULL, 0};
    if (l->slope == 2 && !run->no_slope)
        *dy = applied;
    else
        CHECK(tx_channel_bn_apply(&run->machine, &over, &applied.x, applied.mean, &dy->g, applied.mean_g,
                                  applied.slope) == TX_OK,
              "%s", tx_error_message());
}

/* Whoever takes the sums for the batch norm before takes those of a pass over dx, bit for bit. */
static inline void layer_reduction_give(layer_run *run)
{
    tx_reduction *reduce = &run->step.reduce;
    const tx_view *x = &run->x[0];
    size_t c = run->xs[0].c;
    if (!(run->step.node->op->traits & TX_REDUCES) || run->no_reduce || !run->dx[0].data)
        return;
    run->reduce_x = layer_tensor_new(run->xs[0].pixels, c, 3);
    run->reduce = layer_alloc(3 * c, sizeof(float));
    run->sums = layer_alloc(2 * c, sizeof(double));
    for (size_t i = 0; i < run->xs[0].pixels * c; i++)
        run->reduce_x.data[i / c * run->reduce_x.ld + i % c] = layer_draw(82, i);
    for (size_t i = 0; i < 3 * c; i++)
        run->reduce[i] = layer_draw(83, i);
    *reduce = (tx_reduction){.mean = run->reduce + 2 * c, .sum_g = run->sums, .sum_gx = run->sums + c};
    reduce->x = (tx_view){.data = run->reduce_x.data, .n = x->n, .h = x->h, .w = x->w, .c = x->c};
    reduce->x.ld = run->reduce_x.ld;
    reduce->x.scale = run->reduce;
    reduce->x.shift = run->reduce + c;
    reduce->x.act = TX_ACT_RELU;
    reduce->work = layer_alloc(tx_channel_work(run->xs[0].pixels, x->c), 1);
}

static inline void layer_reduction_compare(const layer_run *run, const char *label, const char *layout)
{
    const tx_reduction *reduce = &run->step.reduce;
    const tx_view *x = &reduce->x;
    if (!reduce->sum_g)
        return;
    tx_tensor dx = {run->dx[0].data, x->n, x->h, x->w, x->c, run->dx[0].ld};
    double *own = layer_alloc(2 * (size_t)x->c, sizeof(double));
    CHECK(tx_channel_bn_reduce(&run->machine, x, reduce->mean, &dx, own, own + x->c, reduce->work) == TX_OK &&
              memcmp(own, run->sums, 2 * (size_t)x->c * sizeof(double)) == 0,
          "%s (%s): sums of dx differ from those of a pass", label, layout);
    tx_free(own);
}

/* One layout on the instruction set and threads in force. Returns the digest of all results; compares if asked. */
static inline uint64_t layer_run_once(layer_reference *r, const layer_options *o, const layer_layout *l,
                                      const layer_values *v, int compare, const char *label)
{
    layer_run *run = layer_alloc(1, sizeof *run);
    layer_run_new(run, r, o, l, v);
    const tx_node *node = r->step.node;
    double tolerance = o->tolerance > 0 ? o->tolerance : 1e-6;
    run->step.work = run->memory[2].data;
    if (node->op->prepare)
        CHECK(node->op->prepare(&run->step) == TX_OK, "%s: %s", label, tx_error_message());
    CHECK(node->op->forward(&run->step) == TX_OK, "%s: %s", label, tx_error_message());
    layer_moments_compare(run, label, l->name);
    if (o->as_view)
        layer_apply_view(run);
    uint64_t hash = layer_hash(0xcbf29ce484222325u, run->y.data, run->y.pixels, run->y.c, run->y.ld);
    if (compare)
        layer_compare(&run->y, r->y, NULL, tolerance, label, l->name, "y");
    if (!o->inference) {
        run->step.work = run->memory[3].data;
        layer_forget(run);
        layer_slope_give(run, l);
        layer_reduction_give(run);
        CHECK(node->op->backward(&run->step) == TX_OK, "%s: %s", label, tx_error_message());
    }
    layer_reduction_compare(run, label, l->name);
    for (int k = 0; k < node->inputs && !o->inference; k++) {
        if (!layer_wants(l->no_dx, k))
            continue;
        layer_tensor *dx = l->in_place && k == 0 ? &run->dy : &run->dxs[k];
        hash = layer_hash(hash, dx->data, dx->pixels, dx->c, dx->ld);
        if (compare)
            layer_compare(dx, r->dx[k], l->add ? v->adds[k] : NULL, tolerance, label, l->name, "dx");
    }
    for (int k = 0; k < node->params; k++) {
        const layer_tensor *t = r->trained[k] ? &run->grads[k] : &run->params[k];
        int counter = tx_graph_param(node->graph, node->param[k])->role == TX_ROLE_COUNTER;
        if (counter || (r->trained[k] && (o->inference || !run->step.grad[k])))
            continue;
        hash = layer_hash(hash, t->data, 1, t->c, t->c);
        if (compare)
            layer_compare(t, r->trained[k] ? r->step.dparam[k] : r->step.param[k], NULL, tolerance, label, l->name,
                          "parameter");
    }
    for (int k = 0; k < 4; k++)
        CHECK(layer_guards_hold(&run->memory[k]), "%s (%s): written behind its memory (%d)", label, l->name, k);
    layer_run_free(run);
    tx_free(run);
    return hash;
}

/* A layout that the operation may meet. */
static inline int layer_meets(const layer_reference *r, const layer_options *o, const layer_layout *l)
{
    const tx_node *node = r->step.node;
    int wanted = 0, unwanted = 0;
    for (int k = 0; k < node->inputs; k++)
        layer_wants(l->no_dx, k) ? wanted++ : unwanted++;
    for (int k = 0; k < node->params; k++)
        if (r->trained[k])
            layer_wants(l->no_grad, k) ? wanted++ : unwanted++;
    int partial = l->no_dx || l->no_grad;
    return !(l->in_place && (!(node->op->traits & TX_IN_PLACE) || o->inference)) &&
           !(partial && (o->inference || !wanted || !unwanted));
}

/* On every instruction set with one thread; on the first, in two layouts, with all numbers of threads. */
static inline void layer_check_layout(layer_reference *r, const layer_options *o, const layer_layout *l,
                                      int all_threads, const layer_values *v, const char *label)
{
    static const int threads[] = {1, 2, 3, 7};
    const char *isas[TX_MAX_ISAS];
    int n_isas = tx_isa_list(isas);
    uint64_t first = 0;
    for (int i = 0; i < n_isas; i++)
        for (int t = 0; t < (i == 0 && all_threads ? 4 : 1); t++) {
            CHECK(tx_isa_select(isas[i]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[t]);
            uint64_t hash = layer_run_once(r, o, l, v, i == 0 && t == 0, label);
            if (i == 0 && t == 0)
                first = hash;
            CHECK(hash == first, "%s (%s): other bits on %s with %d threads", label, l->name, isas[i], threads[t]);
        }
}

/* Who reads slopes finds in one what it finds in the gradient written out, bit for bit. */
static inline void layer_check_slopes(layer_reference *r, const layer_options *o, const layer_values *v,
                                      const char *label)
{
    static const layer_layout layouts[] = {
        {.name = "slope"},
        {.name = "slope, strided", .pad = 6, .more = 1},
        {.name = "slope, strided, added", .pad = 3, .add = 1},
        {.name = "slope, added in place", .add = 2},
        {.name = "slope, without dx", .no_dx = ~0u},
        {.name = "slope, without the parameters", .no_grad = ~0u},
    };
    const char *isas[TX_MAX_ISAS];
    int n_isas = tx_isa_list(isas);
    layer_run *run = layer_alloc(1, sizeof *run);
    tx_set_threads(1);
    layer_run_new(run, r, o, &layouts[0], v);
    int reads = !run->no_slope; /* with more threads it may not */
    layer_run_free(run);
    tx_free(run);
    for (size_t i = 0; i < (reads ? sizeof layouts / sizeof *layouts : 0); i++)
        for (int k = 0; k < 2 * n_isas; k++) {
            layer_layout applied = layouts[i], left = layouts[i];
            applied.slope = 1;
            left.slope = 2;
            tx_isa_select(isas[k / 2]);
            tx_set_threads(1 + 2 * (k % 2));
            if (layer_meets(r, o, &left))
                CHECK(layer_run_once(r, o, &applied, v, 0, label) == layer_run_once(r, o, &left, v, 0, label),
                      "%s (%s): other bits than of a gradient written out, %s, %d threads", label, left.name,
                      isas[k / 2], tx_threads());
        }
}

/* Channel c of image n of input 0 as its reader sees it. */
static inline double layer_seen(const layer_values *v, const layer_options *o, float x, size_t n, size_t c)
{
    double seen = o->view ? layer_act(layer_view_act(o), (double)tx_fmaf(v->scale[c], x, v->shift[c])) : (double)x;
    return o->gate ? seen * (double)v->gate[n * v->gate_ld + c] : seen;
}

static inline layer_values *layer_values_new(layer_reference *r, const layer_options *o)
{
    const tx_node *node = r->step.node;
    layer_values *v = layer_alloc(1, sizeof *v);
    size_t channels = (size_t)node->input[0]->c;
    v->scale = layer_alloc(2 * channels, sizeof(float));
    v->shift = v->scale + channels;
    for (size_t c = 0; c < channels; c++) {
        v->scale[c] = 1 + 0.5f * layer_draw(90, c);
        v->shift[c] = 0.4f * layer_draw(91, c);
    }
    v->gate_ld = channels + 3;
    v->gate = layer_alloc((size_t)o->n * v->gate_ld, sizeof(float));
    for (size_t i = 0; i < (size_t)o->n * v->gate_ld; i++)
        v->gate[i] = 0.5f + 0.4f * layer_draw(92, i);
    for (int k = 0; k < node->inputs; k++) {
        size_t count = layer_count(o->n, node->input[k]);
        v->adds[k] = layer_alloc(count, sizeof(double));
        v->raw[k] = layer_alloc(count, sizeof(double));
        for (size_t i = 0; i < count; i++) {
            float x = o->fill ? o->fill(k, i) : layer_draw((uint64_t)k, i);
            v->raw[k][i] = (double)x;
            v->adds[k][i] = (double)layer_draw(50 + (uint64_t)k, i);
            r->x[k][i] = k == 0 ? layer_seen(v, o, x, i / (count / (size_t)o->n), i % channels) : (double)x;
        }
    }
    for (size_t i = 0; i < layer_count(o->n, node); i++)
        r->dy[i] = (double)layer_draw(60, i);
    if (node->h * node->w * node->c == 1 && o->n > 1 && node->op->traits & TX_DATA_INPUTS)
        memset(r->dy + 1, 0, (size_t)(o->n - 1) * sizeof(double));
    return v;
}

static inline void layer_values_free(layer_values *v, int inputs)
{
    for (int k = 0; k < inputs; k++) {
        tx_free(v->adds[k]);
        tx_free(v->raw[k]);
    }
    tx_free(v->scale);
    tx_free(v->gate);
    tx_free(v);
}

/* Whether there is something to check, with the functions that it takes. */
static inline int layer_complete(const tx_node *node, const layer_options *o, const char *label)
{
    CHECK(node != NULL, "%s: %s", label, tx_error_message());
    if (!node)
        return 0;
    const tx_op *op = node->op;
    int complete = op->forward && op->reference_forward && (o->inference || (op->backward && op->reference_backward));
    CHECK(complete && node->inputs > 0 && o->n > 0,
          "%s: %s lacks an input, or one of forward, backward and their references", label, op->name);
    return complete && node->inputs > 0 && o->n > 0;
}

/* All of the above for one node. Returns how many checks have failed; instruction set and threads are as before. */
static inline int layer_check(const tx_node *node, layer_options o, const char *label)
{
    static const layer_layout layouts[] = {
        {.name = "dense"},
        {.name = "strided", .pad = 5, .more = 1},
        {.name = "strided, added", .pad = 3, .add = 1},
        {.name = "added in place", .add = 2},
        {.name = "over dy", .in_place = 1},
        {.name = "strided over dy, added", .pad = 7, .add = 1, .in_place = 1},
        {.name = "without dx", .no_dx = ~0u},
        {.name = "without the first dx and parameter", .no_dx = 1, .no_grad = 1},
        {.name = "without the parameters", .no_grad = ~0u},
    };
    int failed = test_failed, threads = tx_threads();
    const char *isa = tx_isa_name();
    if (!layer_complete(node, &o, label))
        return test_failed - failed;
    layer_reference *r = layer_alloc(1, sizeof *r);
    layer_reference_new(r, node, &o);
    layer_values *v = layer_values_new(r, &o);
    layer_check_reference(r, &o, label);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layer_meets(r, &o, &layouts[i]) && (!o.light || i == 2))
            layer_check_layout(r, &o, &layouts[i], i % 5 == 0, v, label);
    if (node->op->reads & TX_READS_SLOPE && o.act == TX_ACT_NONE && !o.inference)
        layer_check_slopes(r, &o, v, label);
    tx_set_threads(threads);
    CHECK(tx_isa_select(isa) == TX_OK, "%s", tx_error_message());
    layer_values_free(v, node->inputs);
    layer_reference_free(r);
    tx_free(r);
    return test_failed - failed;
}

/* The same in every mode: forward alone, with the gradients of inference, in training. */
static inline int layer_check_modes(const tx_node *node, layer_options o, const char *label)
{
    int failed = 0;
    for (int mode = 0; mode < (node->op->no_gradient ? 1 : 3); mode++) {
        o.inference = mode == 0;
        o.explain = mode == 1;
        failed += layer_check(node, o, label);
    }
    return failed;
}

/* Quickly, in one layout: each activation in the view that input 0 is read through, with a gate and without, and each fused
 * to the result, as far as the table claims it; an operation that folds does so in inference alone. */
static inline int layer_check_acts(const tx_node *node, layer_options o, const char *label)
{
    int failed = 0;
    char name[160];
    o.light = 1;
    layer_options gated = o;
    gated.gate = 1;
    snprintf(name, sizeof name, "%s, a gate alone", label);
    if (node && node->op->reads & TX_READS_GATE)
        failed += layer_check(node, gated, name);
    for (tx_act act = TX_ACT_RELU; node && act < TX_ACTS; act++) {
        layer_options seen = o, fused = o;
        seen.view = 1;
        seen.view_act = act;
        for (; seen.gate < 2 && node->op->reads & (seen.gate ? TX_READS_GATE : TX_READS_VIEW); seen.gate++) {
            snprintf(name, sizeof name, "%s, view with activation %d%s", label, (int)act, seen.gate ? ", gate" : "");
            failed += layer_check(node, seen, name);
        }
        fused.act = act;
        fused.inference = (node->op->traits & TX_FOLDS) != 0;
        snprintf(name, sizeof name, "%s, activation %d", label, (int)act);
        if (node->op->fuses >> act & 1)
            failed += layer_check(node, fused, name);
    }
    return failed;
}

/* In every mode, and in every way of use that the operation's table claims: input 0 read through scale, shift and each
 * activation, and through a gate; each activation fused to the result. */
static inline int layer_check_all(const tx_node *node, layer_options o, const char *label)
{
    if (!node)
        return layer_check(node, o, label);
    int failed = layer_check_modes(node, o, label);
    for (tx_act act = TX_ACT_RELU; act < TX_ACTS; act++) {
        layer_options other = o;
        other.act = act;
        if (node->op->fuses >> act & 1)
            failed += layer_check_modes(node, other, label);
        other = o;
        other.view = 1;
        other.view_act = act;
        other.gate = (node->op->reads & TX_READS_GATE) != 0 && act % 2;
        if (node->op->reads & TX_READS_VIEW)
            failed += layer_check_modes(node, other, label);
    }
    o.gate = 1;
    return failed + (node->op->reads & TX_READS_GATE ? layer_check_modes(node, o, label) : 0);
}

#endif
