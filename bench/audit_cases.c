/* audit_cases.c - what `thorax audit` measures: every operation of layers.h, at shapes whose sides, channels and numbers of
 * images no block or vector divides, and joined to what the planner fuses it with. */
#include "audit.h"

#include <math.h>

/* ---------------------------------------------------------------------------------- small networks */

static tx_node *conv(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_conv2d(g, x, "conv", c->conv);
}

/* A convolution reads and writes through what stands around it: batch norms, an activation, a sum. A bias before a batch
 * norm would have no gradient but rounding. */
static tx_node *conv_unit(tx_graph *g, tx_node *x, const audit_case *c)
{
    tx_conv2d_args args = c->conv;
    args.no_bias = 1;
    tx_node *y = tx_silu(g, tx_batchnorm(g, x, "bn1", (tx_batchnorm_args){0}));
    y = tx_batchnorm(g, tx_conv2d(g, y, "conv", args), "bn2", (tx_batchnorm_args){0});
    return tx_hardswish(g, y->c == x->c && y->h == x->h && y->w == x->w ? tx_add(g, y, x) : y);
}

static tx_node *linear(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_linear(g, x, "fc", (tx_linear_args){.out = c->conv.out, .no_bias = c->conv.no_bias});
}

static tx_node *batchnorm(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_batchnorm(g, x, "bn", (tx_batchnorm_args){0});
}

static tx_node *batchnorm_relu(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_relu(g, batchnorm(g, x, c));
}

/* The activation is the operation's own. */
static tx_node *activation(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_graph_add(g, c->op, "", &x, 1, NULL, 0);
}

static tx_node *another(tx_graph *g, const tx_node *x)
{
    tx_node *more = tx_input(g, x->c, x->h, x->w);
    tx_node_keep(more);
    return more;
}

static tx_node *add(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_add(g, x, another(g, x));
}

static tx_node *add_relu(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_relu(g, add(g, x, c));
}

static tx_node *concat(tx_graph *g, tx_node *x, const audit_case *c)
{
    tx_node *part[3] = {tx_relu(g, x), another(g, x), tx_conv2d(g, x, "conv", c->conv)};
    return tx_concat(g, part, 3);
}

static tx_node *scale(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_scale(g, x, tx_sigmoid(g, tx_global_mean(g, x)));
}

/* Squeeze and excitation: the gate is read by the convolution behind it. */
static tx_node *scale_conv(tx_graph *g, tx_node *x, const audit_case *c)
{
    tx_node *squeezed = tx_silu(g, tx_conv2d(g, tx_global_mean(g, x), "fc1", (tx_conv2d_args){.out = 3}));
    tx_node *gate = tx_sigmoid(g, tx_conv2d(g, squeezed, "fc2", (tx_conv2d_args){.out = x->c}));
    return tx_conv2d(g, tx_scale(g, x, gate), "conv", c->conv);
}

static tx_node *dropout(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_dropout(g, x, (tx_dropout_args){.p = 0.3});
}

static tx_node *stochastic_depth(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = 0.3});
}

static tx_node *max_pool(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_max_pool(g, x, c->pool);
}

static tx_node *avg_pool(tx_graph *g, tx_node *x, const audit_case *c)
{
    return tx_avg_pool(g, x, c->pool);
}

static tx_node *global_mean(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_global_mean(g, x);
}

static tx_node *bce(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    tx_node *labels = tx_input(g, x->c, 1, 1), *mask = tx_input(g, x->c, 1, 1);
    return tx_bce_with_logits(g, x, labels, mask, (tx_bce_args){0});
}

static tx_node *cross_entropy(tx_graph *g, tx_node *x, const audit_case *c)
{
    (void)c;
    return tx_cross_entropy(g, x, tx_input(g, 1, 1, 1), (tx_cross_entropy_args){.smoothing = 0.1});
}

/* ---------------------------------------------------------------------------------- shapes */

#define CONV(n, c, h, w, ...)                                         \
    {&tx_op_conv2d, conv, n, c, h, w, .conv = {__VA_ARGS__}},         \
    {                                                                 \
        &tx_op_conv2d, conv_unit, n, c, h, w, .conv = { __VA_ARGS__ } \
    }
#define DEPTHWISE(n, c, h, w, ...)                                                             \
    {&tx_op_depthwise, conv, n, c, h, w, .conv = {.out = c, .groups = c, __VA_ARGS__}},        \
    {                                                                                          \
        &tx_op_depthwise, conv_unit, n, c, h, w, .conv = {.out = c, .groups = c, __VA_ARGS__ } \
    }
#define PLAIN(op, f, n, c, h, w)          \
    {                                     \
        &op, f, n, c, h, w, .conv = { 0 } \
    }
#define ACTIVATION(op) \
    PLAIN(op, activation, 1, 1, 1, 1), PLAIN(op, activation, 2, 17, 7, 5), PLAIN(op, activation, 3, 33, 4, 9)
#define POOL(op, f, n, c, h, w, ...)                \
    {                                               \
        &op, f, n, c, h, w, .pool = { __VA_ARGS__ } \
    }

static const audit_case cases[] = {
    CONV(2, 3, 7, 5, .out = 17, .kernel = 1),
    CONV(3, 33, 5, 3, .out = 40, .kernel = 1, .no_bias = 1),
    CONV(1, 3, 11, 13, .out = 16, .kernel = 7, .stride = 2, .padding = 3, .no_bias = 1),
    CONV(2, 5, 9, 8, .out = 15, .kernel = 3, .stride = 2, .padding = 1),
    CONV(1, 17, 12, 13, .out = 17, .kernel = 3, .padding = 1, .no_bias = 1),
    CONV(2, 4, 7, 9, .out = 5, .kernel_h = 1, .kernel_w = 5, .padding_w = 2, .dilation_w = 1, .pads = {0, 0, 1, 1}),
    CONV(1, 4, 9, 8, .out = 6, .kernel = 3, .dilation = 2, .padding = 2),
    CONV(2, 6, 7, 5, .out = 9, .kernel = 3, .padding = 1, .groups = 3),
    CONV(1, 36, 6, 5, .out = 36, .kernel = 3, .padding = 1, .groups = 2, .no_bias = 1),
    DEPTHWISE(2, 17, 7, 5, .kernel = 3, .padding = 1, .no_bias = 1),
    DEPTHWISE(1, 33, 9, 8, .kernel = 3, .stride = 2, .padding = 1),
    DEPTHWISE(1, 3, 11, 7, .kernel = 5, .padding = 2),
    {&tx_op_linear, linear, 5, 37, 1, 1, .conv = {.out = 14}},
    {&tx_op_linear, linear, 1, 3, 1, 1, .conv = {.out = 1, .no_bias = 1}},
    {&tx_op_linear, linear, 3, 130, 1, 1, .conv = {.out = 33}},
    PLAIN(tx_op_batchnorm, batchnorm, 3, 17, 7, 5),
    PLAIN(tx_op_batchnorm, batchnorm, 1, 3, 13, 11),
    PLAIN(tx_op_batchnorm, batchnorm_relu, 2, 33, 6, 9),
    ACTIVATION(tx_op_relu),
    ACTIVATION(tx_op_relu6),
    ACTIVATION(tx_op_sigmoid),
    ACTIVATION(tx_op_silu),
    ACTIVATION(tx_op_hardsigmoid),
    ACTIVATION(tx_op_hardswish),
    PLAIN(tx_op_add, add, 2, 17, 7, 5),
    PLAIN(tx_op_add, add_relu, 3, 33, 3, 4),
    {&tx_op_concat, concat, 2, 17, 5, 3, .conv = {.out = 5, .kernel = 3, .padding = 1}},
    {&tx_op_concat, concat, 1, 3, 4, 7, .conv = {.out = 33, .kernel = 1}},
    PLAIN(tx_op_scale, scale, 2, 17, 7, 5),
    {&tx_op_scale, scale_conv, 3, 33, 5, 4, .conv = {.out = 9, .kernel = 1}},
    PLAIN(tx_op_dropout, dropout, 2, 17, 7, 5),
    PLAIN(tx_op_stochastic_depth, stochastic_depth, 7, 17, 3, 5),
    POOL(tx_op_max_pool, max_pool, 2, 17, 9, 8, .kernel = 3, .stride = 2, .padding = 1),
    POOL(tx_op_max_pool, max_pool, 1, 33, 7, 5, .kernel = 2),
    POOL(tx_op_max_pool, max_pool, 1, 3, 8, 9, .kernel = 3, .stride = 2, .ceil = 1),
    POOL(tx_op_avg_pool, avg_pool, 2, 17, 9, 8, .kernel = 3, .stride = 1, .padding = 1, .count_include_pad = 1),
    POOL(tx_op_avg_pool, avg_pool, 2, 33, 7, 5, .kernel = 3, .stride = 1, .padding = 1),
    POOL(tx_op_avg_pool, avg_pool, 1, 3, 8, 9, .kernel = 3, .stride = 2, .ceil = 1),
    POOL(tx_op_avg_pool, avg_pool, 1, 5, 7, 7, .kernel = 2, .pads = {-1, -1, 0, 0}),
    PLAIN(tx_op_mean, global_mean, 2, 17, 7, 5),
    PLAIN(tx_op_mean, global_mean, 1, 3, 13, 12),
    PLAIN(tx_op_bce, bce, 5, 14, 1, 1),
    PLAIN(tx_op_bce, bce, 1, 1, 1, 1),
    PLAIN(tx_op_bce, bce, 33, 3, 1, 1),
    PLAIN(tx_op_cross_entropy, cross_entropy, 5, 17, 1, 1),
    PLAIN(tx_op_cross_entropy, cross_entropy, 1, 1000, 1, 1),
};

int audit_cases(void)
{
    return (int)(sizeof cases / sizeof cases[0]);
}

const audit_case *audit_case_at(int i)
{
    return &cases[i];
}

float audit_input(const audit_case *c, int k, float u)
{
    if (c->op == &tx_op_bce && k == 1)
        return u >= 0;
    if (c->op == &tx_op_bce && k == 2)
        return c->images == 1 || u >= -0.5f;
    if (c->op == &tx_op_cross_entropy && k == 1)
        return floorf((u + 1) / 2 * (float)c->c);
    /* beyond the kinks of every activation */
    return c->build == activation ? 8 * u : 2 * u;
}

int audit_has_modes(const tx_op *op)
{
    return op == &tx_op_batchnorm || op == &tx_op_dropout || op == &tx_op_stochastic_depth;
}

double audit_tolerance(const tx_op *op)
{
    int sums = op == &tx_op_conv2d || op == &tx_op_depthwise || op == &tx_op_linear || op == &tx_op_batchnorm ||
               op == &tx_op_concat || op == &tx_op_scale;
    return sums ? 1e-5 : 1e-6;
}
