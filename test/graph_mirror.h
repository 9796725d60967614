/* graph_mirror.h - the definitions of a whole graph run on doubles, and once more with an error of a float's size put on each
 * value, gradient and parameter: what that changes is how far floats may be from the definition. It depends on the network: a
 * batch norm of two almost equal pixels makes any rounding large. Where a rectifier or a maximum may decide otherwise, the
 * gradient is another one. */
#ifndef THORAX_GRAPH_MIRROR_H
#define THORAX_GRAPH_MIRROR_H

#include "../core/op.h"
#include "graph_nets.h"

#include <math.h>

/* Of a trained parameter or a buffer, among the values. */
static inline size_t place_of(const tx_weights *w, const tx_param *p)
{
    return p->role == TX_ROLE_COUNTER ? p->offset : (size_t)(tx_weights_param(w, p) - w->value);
}

typedef struct mirror {
    double **value, **gradient, **param, **dparam;
} mirror;

enum { NOISE_STREAM = 41 };
static const double ULP = 0x1p-23;
static uint64_t noise_seed;

static inline double noise(uint64_t stream, size_t i)
{
    return tx_random_bits(noise_seed, TX_RANDOM_TEST, stream * 100 + NOISE_STREAM, i) & 1 ? ULP : -ULP;
}

/* 1 is what saturated gates are, exactly. */
static inline void shake(double *v, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        v[i] = v[i] == 1 ? 1 : v[i] * (1 + noise(stream, i));
}

static inline double **arrays(int n)
{
    return tx_alloc((size_t)n, sizeof(double *));
}

static inline void mirror_new(mirror *m, const tx_graph *g, int n)
{
    int nodes = tx_graph_nodes(g), params = tx_graph_params(g);
    *m = (mirror){arrays(nodes), arrays(nodes), arrays(params), arrays(params)};
    for (int i = 0; i < nodes; i++) {
        m->value[i] = tx_alloc(small_count(tx_graph_node(g, i), n), sizeof(double));
        m->gradient[i] = tx_alloc(small_count(tx_graph_node(g, i), n), sizeof(double));
    }
    for (int i = 0; i < params; i++) {
        m->param[i] = tx_alloc(tx_graph_param(g, i)->count, sizeof(double));
        m->dparam[i] = tx_alloc(tx_graph_param(g, i)->count, sizeof(double));
    }
}

static inline void mirror_free(mirror *m, const tx_graph *g)
{
    for (int i = 0; i < tx_graph_nodes(g); i++) {
        tx_free(m->value[i]);
        tx_free(m->gradient[i]);
    }
    for (int i = 0; i < tx_graph_params(g); i++) {
        tx_free(m->param[i]);
        tx_free(m->dparam[i]);
    }
    tx_free(m->value);
    tx_free(m->gradient);
    tx_free(m->param);
    tx_free(m->dparam);
}

static inline void mirror_node(mirror *m, const tx_node *node, int n, tx_mode mode, int backward)
{
    const double *x[TX_MAX_INPUTS];
    double *dx[TX_MAX_INPUTS];
    tx_reference_step step = {.node = node, .n = n, .training = mode == TX_TRAIN, .seed = 3, .x = x, .dx = dx};
    for (int k = 0; k < node->inputs; k++) {
        x[k] = m->value[node->input[k]->index];
        dx[k] = m->gradient[node->input[k]->index];
    }
    for (int k = 0; k < node->params; k++) {
        step.param[k] = m->param[node->param[k]];
        step.dparam[k] = m->dparam[node->param[k]];
    }
    step.y = m->value[node->index];
    step.dy = m->gradient[node->index];
    if (!backward)
        node->op->reference_forward(&step);
    else if (node->op->reference_backward)
        node->op->reference_backward(&step);
}

/* Nothing is rounded in them. */
static inline int is_exact(const tx_node *node)
{
    const tx_op *op = node->op;
    return op == &tx_op_relu || op == &tx_op_relu6 || op == &tx_op_concat || op == &tx_op_max_pool;
}

/* A batch norm's result and its dx are what remains of terms of these sizes. */
static inline void shake_norm(mirror *m, const tx_node *node, int n, tx_mode mode, int backward)
{
    size_t c = (size_t)node->c, count = small_count(node, n);
    const double *x = m->value[node->input[0]->index], *dy = m->gradient[node->index];
    uint64_t stream = (uint64_t)node->index + 1000;
    double *out = backward ? m->gradient[node->input[0]->index] : m->value[node->index], pixels = (double)(count / c);
    for (size_t ch = 0; ch < c; ch++) {
        double mean = 0, variance = 0, largest = 0;
        for (size_t i = ch; i < count; i += c) {
            mean += x[i] / pixels;
            largest = fmax(largest, fabs(backward ? dy[i] : x[i]));
        }
        for (size_t i = ch; i < count; i += c)
            variance += (x[i] - mean) * (x[i] - mean) / pixels;
        variance = mode == TX_TRAIN ? variance : m->param[node->param[3]][ch];
        double k = m->param[node->param[0]][ch] / sqrt(variance + 1e-3);
        for (size_t i = ch; i < count; i += c)
            out[i] +=
                k * largest * (noise(stream, i) + 2 * noise(stream, count + ch)); /* of its own, and of coefficients */
    }
}

/* Forward and backward of n images with these values of weights. */
static inline void mirror_run(mirror *m, const small_graph *s, const small_net *net, const tx_weights *w,
                              const float *values, int n, tx_mode mode, int shaken)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    int nodes = tx_graph_nodes(s->graph);
    size_t one = small_count(s->last, 1);
    for (int i = 0; i < tx_graph_params(s->graph); i++) {
        const tx_param *p = tx_graph_param(s->graph, i);
        for (size_t k = 0; k < p->count && p->role != TX_ROLE_COUNTER; k++)
            m->param[i][k] = (double)values[place_of(w, p) + k];
        if (shaken && p->role == TX_ROLE_TRAINED)
            shake(m->param[i], p->count, (uint64_t)i + 2000);
    }
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            m->value[inputs[k]->index][i] = (double)small_input(net, k, i);
    for (int i = 0; i < nodes; i++) {
        const tx_node *node = tx_graph_node(s->graph, i);
        mirror_node(m, node, n, mode, 0);
        if (shaken && !is_exact(node) && node != s->label && node != s->mask)
            shake(m->value[i], small_count(node, n), (uint64_t)i);
        if (shaken && node->op == &tx_op_batchnorm)
            shake_norm(m, node, n, mode, 0);
    }
    for (size_t i = 0; i < one * (size_t)n; i++)
        m->gradient[nodes - 1][i] = net->cross_entropy == 2 ? (double)small_dy(i) : 1;
    for (int i = nodes - 1; i >= 0 && mode != TX_INFER; i--) {
        const tx_node *node = tx_graph_node(s->graph, i);
        mirror_node(m, node, n, mode, 1);
        if (shaken && node->op == &tx_op_batchnorm)
            shake_norm(m, node, n, mode, 1);
        for (int k = 0; k < node->inputs && shaken; k++) /* each time that something has been added */
            shake(m->gradient[node->input[k]->index], small_count(node->input[k], n), (uint64_t)(i + 99 * k) + 3000);
    }
}

static inline double largest_of(const double *v, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(v[i]));
    return largest;
}

static inline double largest_change(const double *a, const double *b, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = isnan(a[i] - b[i]) ? HUGE_VAL : fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

/* z lies so near to a kink that floats may stand on its other side. */
static inline int is_near(double z, double shaken, double kink, double reach)
{
    return (z != kink || shaken != kink) && (fabs(z - kink) <= reach || (z < kink) != (shaken < kink));
}

enum { REACH = 64 }; /* errors of floats, in changes by noise */

static inline int kinks_of_act(const tx_node *node, const double *z, const double *shaken, size_t n)
{
    tx_act act = node->op->act;
    double reach = REACH * largest_change(z, shaken, n) + ULP * largest_of(z, n);
    double low = act == TX_ACT_RELU || act == TX_ACT_RELU6 ? 0 : -3, high = act == TX_ACT_RELU6 ? 6 : 3;
    int kinks = 0;
    if (act == TX_ACT_SILU || act == TX_ACT_SIGMOID)
        return 0;
    for (size_t i = 0; i < n; i++)
        kinks += is_near(z[i], shaken[i], low, reach) || (act != TX_ACT_RELU && is_near(z[i], shaken[i], high, reach));
    return kinks;
}

/* Two values of a channel of an image are so near to each other that a maximum may be either. Windows are not looked at:
 * what is near may be in one. */
static inline int kinks_of_pool(const tx_node *x, const double *v, const double *shaken, int n)
{
    size_t c = (size_t)x->c, map = small_count(x, 1) / c;
    double reach = REACH * largest_change(v, shaken, small_count(x, n)) + ULP * largest_of(v, small_count(x, n));
    for (size_t i = 0; i < (size_t)n * c; i++)
        for (size_t a = 0; a < map; a++)
            for (size_t b = 0; b < a; b++) {
                size_t p = (i / c * map + a) * c + i % c, q = (i / c * map + b) * c + i % c;
                int tie = v[p] == v[q] && shaken[p] == shaken[q];
                if (fabs(v[p] - v[q]) <= reach && !tie)
                    return 1;
            }
    return 0;
}

static inline int has_kinks(const small_graph *s, const mirror *m, const mirror *shaken, int n)
{
    for (int i = 0; i < tx_graph_nodes(s->graph); i++) {
        const tx_node *node = tx_graph_node(s->graph, i), *x = node->inputs ? node->input[0] : NULL;
        if (node->op->kind == TX_ACTIVATION &&
            kinks_of_act(node, m->value[x->index], shaken->value[x->index], small_count(x, n)))
            return 1;
        if (node->op == &tx_op_max_pool && kinks_of_pool(x, m->value[x->index], shaken->value[x->index], n))
            return 1;
    }
    return 0;
}

#endif
