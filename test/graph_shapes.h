/* graph_shapes.h - the networks of the paper as shapes: what planning sees of them. Operations that the library has not are
 * stand-ins that have a shape, parameters and what the planner asks for, and cannot run. test/graph_memory.c plans them. */
#ifndef THORAX_GRAPH_SHAPES_H
#define THORAX_GRAPH_SHAPES_H

#include "../core/op.h"
#include "graph_nets.h"

/* ---- stand-ins */

typedef struct window_args {
    int kernel, stride;
} window_args;

static tx_status window_shape(tx_node *node)
{
    const window_args *a = node->args;
    const tx_node *x = node->input[0];
    node->h = (x->h + a->kernel / 2 * 2 - a->kernel) / a->stride + 1;
    node->w = (x->w + a->kernel / 2 * 2 - a->kernel) / a->stride + 1;
    node->c = x->c;
    return TX_OK;
}

static tx_status depthwise_shape(tx_node *node)
{
    const window_args *a = node->args;
    const int shape[4] = {node->input[0]->c, 1, a->kernel, a->kernel};
    tx_status status = window_shape(node);
    return status ? status : tx_node_param(node, "weight", TX_ROLE_TRAINED, (tx_init){TX_INIT_ZERO, 0}, 4, shape);
}

static tx_status cannot_run(tx_step *step)
{
    return tx_fail(TX_ERR_ARGUMENT, "%s is a stand-in", step->node->op->name);
}

static const tx_op stand_in_depthwise = {.name = "depthwise",
                                         .shape = depthwise_shape,
                                         .forward = cannot_run,
                                         .backward = cannot_run,
                                         .reads = TX_READS_VIEW,
                                         .needs = TX_NEEDS_X};

static tx_node *shape_depthwise(tx_node *x, int kernel, int stride)
{
    window_args args = {kernel, stride};
    tx_graph *g = x ? x->graph : NULL;
    return tx_graph_add(g, &stand_in_depthwise, net_label(g, "dw"), &x, 1, &args, sizeof args);
}

/* ---- parts */

static tx_node *average(tx_node *x, int kernel, int stride, int padding)
{
    return tx_avg_pool(x ? x->graph : NULL, x, (tx_pool_args){.kernel = kernel, .stride = stride, .padding = padding});
}

static tx_node *act_of(tx_node *x, tx_act act)
{
    tx_graph *g = x ? x->graph : NULL;
    switch (act) {
    case TX_ACT_RELU:
        return tx_relu(g, x);
    case TX_ACT_RELU6:
        return tx_relu6(g, x);
    case TX_ACT_SILU:
        return tx_silu(g, x);
    case TX_ACT_SIGMOID:
        return tx_sigmoid(g, x);
    case TX_ACT_HARDSWISH:
        return tx_hardswish(g, x);
    case TX_ACT_HARDSIGMOID:
        return tx_hardsigmoid(g, x);
    default:
        return x;
    }
}

static tx_node *conv_act(tx_node *x, int out, int kernel, int stride, tx_act act)
{
    return act_of(bn(conv(x, out, kernel, stride)), act);
}

/* A unit of the Inceptions: kernels and padding by side. */
static tx_node *unit_hw(tx_node *x, int out, int kh, int kw, int stride, int ph, int pw)
{
    tx_graph *g = x ? x->graph : NULL;
    return relu(bn(tx_conv2d(g, x, net_label(g, "conv"),
                             (tx_conv2d_args){.out = out,
                                              .kernel_h = kh,
                                              .kernel_w = kw,
                                              .stride = stride,
                                              .padding_h = ph,
                                              .padding_w = pw,
                                              .no_bias = 1})));
}

static tx_node *unit(tx_node *x, int out, int kernel, int stride, int padding)
{
    return unit_hw(x, out, kernel, kernel, stride, padding, padding);
}

static tx_node *row(tx_node *x, int out, int kernel)
{
    return unit_hw(x, out, 1, kernel, 1, 0, kernel / 2);
}

static tx_node *column(tx_node *x, int out, int kernel)
{
    return unit_hw(x, out, kernel, 1, 1, kernel / 2, 0);
}

static tx_node *cat(tx_node **parts, int n)
{
    return tx_concat(parts[0] ? parts[0]->graph : NULL, parts, n);
}

/* ---- ResNet */

static tx_node *res_block(tx_node *x, int width, int stride, int bottleneck)
{
    int out = bottleneck ? 4 * width : width;
    tx_node *shortcut = x, *y;
    if (bottleneck) {
        y = conv_act(x, width, 1, 1, TX_ACT_RELU);
        y = conv_act(y, width, 3, stride, TX_ACT_RELU);
        y = bn(conv(y, out, 1, 1));
    } else {
        y = conv_act(x, width, 3, stride, TX_ACT_RELU);
        y = bn(conv(y, out, 3, 1));
    }
    if (x && (stride != 1 || x->c != out))
        shortcut = bn(conv(x, out, 1, stride));
    return relu(add(y, shortcut));
}

static tx_node *shape_resnet(tx_node *x, const int *blocks, int bottleneck)
{
    x = pool(conv_act(x, 64, 7, 2, TX_ACT_RELU), 3, 2, 1);
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < blocks[s]; i++)
            x = res_block(x, 64 << s, i == 0 && s > 0 ? 2 : 1, bottleneck);
    return x;
}

static tx_node *shape_resnet18(tx_node *x)
{
    return shape_resnet(x, (const int[]){2, 2, 2, 2}, 0);
}

static tx_node *shape_resnet34(tx_node *x)
{
    return shape_resnet(x, (const int[]){3, 4, 6, 3}, 0);
}

static tx_node *shape_resnet50(tx_node *x)
{
    return shape_resnet(x, (const int[]){3, 4, 6, 3}, 1);
}

static tx_node *shape_resnet101(tx_node *x)
{
    return shape_resnet(x, (const int[]){3, 4, 23, 3}, 1);
}

/* ---- DenseNet */

static tx_node *shape_densenet(tx_node *x, const int *layers)
{
    x = pool(conv_act(x, 64, 7, 2, TX_ACT_RELU), 3, 2, 1);
    for (int b = 0; b < 4; b++) {
        for (int j = 0; j < layers[b]; j++)
            x = cat2(x, conv(relu(bn(conv(relu(bn(x)), 128, 1, 1))), 32, 3, 1));
        if (b < 3)
            x = average(conv(relu(bn(x)), x ? x->c / 2 : 1, 1, 1), 2, 2, 0);
    }
    return relu(bn(x));
}

static tx_node *shape_densenet121(tx_node *x)
{
    return shape_densenet(x, (const int[]){6, 12, 24, 16});
}

static tx_node *shape_densenet169(tx_node *x)
{
    return shape_densenet(x, (const int[]){6, 12, 32, 32});
}

static tx_node *shape_densenet201(tx_node *x)
{
    return shape_densenet(x, (const int[]){6, 12, 48, 32});
}

/* ---- inverted residuals: MNASNet, MobileNets, EfficientNets */

typedef struct inverted {
    int expanded, out, kernel, stride, squeeze;
    tx_act act, gate;
    double drop; /* stochastic depth */
} inverted;

static tx_node *shape_squeeze(tx_node *x, int width, tx_act inner, tx_act gate)
{
    tx_graph *g = x ? x->graph : NULL;
    tx_node *s = act_of(conv_bias(tx_global_mean(g, x), width, 1), inner);
    return tx_scale(g, x, act_of(conv_bias(s, x ? x->c : 1, 1), gate));
}

static tx_node *shape_inverted(tx_node *x, inverted b)
{
    tx_node *y = x;
    if (x && b.expanded != x->c)
        y = conv_act(y, b.expanded, 1, 1, b.act);
    y = act_of(bn(shape_depthwise(y, b.kernel, b.stride)), b.act);
    if (b.squeeze)
        y = shape_squeeze(y, b.squeeze, b.gate == TX_ACT_SIGMOID ? TX_ACT_SILU : TX_ACT_RELU, b.gate);
    y = bn(conv(y, b.out, 1, 1));
    if (!x || b.stride != 1 || x->c != b.out)
        return y;
    if (b.drop > 0)
        y = tx_stochastic_depth(x->graph, y, (tx_stochastic_depth_args){.p = b.drop});
    return add(y, x);
}

typedef struct stage {
    int expansion, kernel, stride, out, blocks;
} stage;

static tx_node *shape_stages(tx_node *x, const stage *s, int stages, tx_act act)
{
    for (; stages > 0; stages--, s++)
        for (int i = 0; i < s->blocks; i++)
            x = shape_inverted(x, (inverted){.expanded = x ? s->expansion * x->c : 1,
                                             .out = s->out,
                                             .kernel = s->kernel,
                                             .stride = i ? 1 : s->stride,
                                             .act = act});
    return x;
}

static tx_node *shape_mnasnet(tx_node *x)
{
    static const stage stages[] = {{3, 3, 2, 24, 3}, {3, 5, 2, 40, 3},  {6, 5, 2, 80, 3},
                                   {6, 3, 1, 96, 2}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    x = conv_act(x, 32, 3, 2, TX_ACT_RELU);
    x = bn(conv(relu(bn(shape_depthwise(x, 3, 1))), 16, 1, 1));
    for (int s = 0; s < 6; s++) /* no shortcut into the first block: its stride or width changes */
        x = shape_stages(x, stages + s, 1, TX_ACT_RELU);
    return conv_act(x, 1280, 1, 1, TX_ACT_RELU);
}

static tx_node *shape_mobilenet_v2(tx_node *x)
{
    static const stage stages[] = {{1, 3, 1, 16, 1}, {6, 3, 2, 24, 2},  {6, 3, 2, 32, 3}, {6, 3, 2, 64, 4},
                                   {6, 3, 1, 96, 3}, {6, 3, 2, 160, 3}, {6, 3, 1, 320, 1}};
    x = conv_act(x, 32, 3, 2, TX_ACT_RELU6);
    return conv_act(shape_stages(x, stages, 7, TX_ACT_RELU6), 1280, 1, 1, TX_ACT_RELU6);
}

static tx_node *shape_mobilenet_v3(tx_node *x)
{
    static const struct {
        int kernel, expanded, out, squeeze, swish, stride;
    } block[] = {{3, 16, 16, 0, 0, 1},     {3, 64, 24, 0, 0, 2},     {3, 72, 24, 0, 0, 1},     {5, 72, 40, 24, 0, 2},
                 {5, 120, 40, 32, 0, 1},   {5, 120, 40, 32, 0, 1},   {3, 240, 80, 0, 1, 2},    {3, 200, 80, 0, 1, 1},
                 {3, 184, 80, 0, 1, 1},    {3, 184, 80, 0, 1, 1},    {3, 480, 112, 120, 1, 1}, {3, 672, 112, 168, 1, 1},
                 {5, 672, 160, 168, 1, 2}, {5, 960, 160, 240, 1, 1}, {5, 960, 160, 240, 1, 1}};
    x = conv_act(x, 16, 3, 2, TX_ACT_HARDSWISH);
    for (size_t i = 0; i < sizeof block / sizeof block[0]; i++)
        x = shape_inverted(x, (inverted){.expanded = block[i].expanded,
                                         .out = block[i].out,
                                         .kernel = block[i].kernel,
                                         .stride = block[i].stride,
                                         .squeeze = block[i].squeeze,
                                         .act = block[i].swish ? TX_ACT_HARDSWISH : TX_ACT_RELU,
                                         .gate = TX_ACT_HARDSIGMOID});
    return conv_act(x, 960, 1, 1, TX_ACT_HARDSWISH);
}

static tx_node *shape_efficientnet(tx_node *x, int stem, const int *out, const int *blocks, int head)
{
    static const int expansion[] = {1, 6, 6, 6, 6, 6, 6}, kernel[] = {3, 3, 5, 3, 5, 5, 3},
                     stride[] = {1, 2, 2, 2, 1, 2, 1};
    int all = 0, block = 0;
    for (int s = 0; s < 7; s++)
        all += blocks[s];
    x = conv_act(x, stem, 3, 2, TX_ACT_SILU);
    for (int s = 0; s < 7; s++)
        for (int i = 0; i < blocks[s]; i++)
            x = shape_inverted(x, (inverted){.expanded = x ? expansion[s] * x->c : 1,
                                             .out = out[s],
                                             .kernel = kernel[s],
                                             .stride = i ? 1 : stride[s],
                                             .squeeze = x ? x->c / 4 : 1,
                                             .act = TX_ACT_SILU,
                                             .gate = TX_ACT_SIGMOID,
                                             .drop = 0.2 * block++ / all});
    return conv_act(x, head, 1, 1, TX_ACT_SILU);
}

static tx_node *shape_efficientnet_b0(tx_node *x)
{
    return shape_efficientnet(x, 32, (const int[]){16, 24, 40, 80, 112, 192, 320}, (const int[]){1, 2, 2, 3, 3, 4, 1},
                              1280);
}

static tx_node *shape_efficientnet_b1(tx_node *x)
{
    return shape_efficientnet(x, 32, (const int[]){16, 24, 40, 80, 112, 192, 320}, (const int[]){2, 3, 3, 4, 4, 5, 2},
                              1280);
}

static tx_node *shape_efficientnet_b2(tx_node *x)
{
    return shape_efficientnet(x, 32, (const int[]){16, 24, 48, 88, 120, 208, 352}, (const int[]){2, 3, 3, 4, 4, 5, 2},
                              1408);
}

static tx_node *shape_efficientnet_b3(tx_node *x)
{
    return shape_efficientnet(x, 40, (const int[]){24, 32, 48, 96, 136, 232, 384}, (const int[]){2, 3, 3, 5, 5, 6, 2},
                              1536);
}

/* ---- Inception V3 */

static tx_node *inception3_a(tx_node *x, int width)
{
    tx_node *parts[4] = {unit(x, 64, 1, 1, 0), unit(unit(x, 48, 1, 1, 0), 64, 5, 1, 2),
                         unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 1, 1),
                         unit(average(x, 3, 1, 1), width, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception3_c(tx_node *x, int c)
{
    tx_node *once = column(row(unit(x, c, 1, 1, 0), c, 7), 192, 7);
    tx_node *twice = column(unit(x, c, 1, 1, 0), c, 7);
    twice = row(column(row(twice, c, 7), c, 7), 192, 7);
    tx_node *parts[4] = {unit(x, 192, 1, 1, 0), once, twice, unit(average(x, 3, 1, 1), 192, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception3_e(tx_node *x)
{
    tx_node *a = unit(x, 384, 1, 1, 0), *b = unit(unit(x, 448, 1, 1, 0), 384, 3, 1, 1);
    tx_node *parts[6] = {unit(x, 320, 1, 1, 0), row(a, 384, 3),    column(a, 384, 3),
                         row(b, 384, 3),        column(b, 384, 3), unit(average(x, 3, 1, 1), 192, 1, 1, 0)};
    return cat(parts, 6);
}

static tx_node *shape_inception_v3(tx_node *x)
{
    static const int pools[] = {32, 64, 64}, sevens[] = {128, 160, 160, 192};
    x = unit(unit(unit(x, 32, 3, 2, 0), 32, 3, 1, 0), 64, 3, 1, 1);
    x = unit(unit(pool(x, 3, 2, 0), 80, 1, 1, 0), 192, 3, 1, 0);
    x = pool(x, 3, 2, 0);
    for (int i = 0; i < 3; i++)
        x = inception3_a(x, pools[i]);
    x = cat3(unit(x, 384, 3, 2, 0), unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 4; i++)
        x = inception3_c(x, sevens[i]);
    x = cat3(unit(unit(x, 192, 1, 1, 0), 320, 3, 2, 0),
             unit(column(row(unit(x, 192, 1, 1, 0), 192, 7), 192, 7), 192, 3, 2, 0), pool(x, 3, 2, 0));
    return inception3_e(inception3_e(x));
}

/* ---- Inception V4 */

static tx_node *inception4_a(tx_node *x)
{
    tx_node *parts[4] = {unit(x, 96, 1, 1, 0), unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1),
                         unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 1, 1),
                         unit(average(x, 3, 1, 1), 96, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception4_b(tx_node *x)
{
    tx_node *twice = row(column(unit(x, 192, 1, 1, 0), 192, 7), 224, 7);
    tx_node *parts[4] = {unit(x, 384, 1, 1, 0), column(row(unit(x, 192, 1, 1, 0), 224, 7), 256, 7),
                         row(column(twice, 224, 7), 256, 7), unit(average(x, 3, 1, 1), 128, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception4_c(tx_node *x)
{
    tx_node *a = unit(x, 384, 1, 1, 0), *b = row(column(unit(x, 384, 1, 1, 0), 448, 3), 512, 3);
    tx_node *parts[6] = {unit(x, 256, 1, 1, 0), row(a, 256, 3),    column(a, 256, 3),
                         row(b, 256, 3),        column(b, 256, 3), unit(average(x, 3, 1, 1), 256, 1, 1, 0)};
    return cat(parts, 6);
}

static tx_node *shape_inception_v4(tx_node *x)
{
    x = unit(unit(unit(x, 32, 3, 2, 0), 32, 3, 1, 0), 64, 3, 1, 1);
    x = cat2(pool(x, 3, 2, 0), unit(x, 96, 3, 2, 0));
    x = cat2(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 0),
             unit(column(row(unit(x, 64, 1, 1, 0), 64, 7), 64, 7), 96, 3, 1, 0));
    x = cat2(unit(x, 192, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 4; i++)
        x = inception4_a(x);
    x = cat3(unit(x, 384, 3, 2, 0), unit(unit(unit(x, 192, 1, 1, 0), 224, 3, 1, 1), 256, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 7; i++)
        x = inception4_b(x);
    x = cat3(unit(unit(x, 192, 1, 1, 0), 192, 3, 2, 0),
             unit(column(row(unit(x, 256, 1, 1, 0), 256, 7), 320, 7), 320, 3, 2, 0), pool(x, 3, 2, 0));
    return inception4_c(inception4_c(inception4_c(x)));
}

/* ---- NASNet-A-Mobile */

static tx_node *separable(tx_node *x, int f, int kernel, int stride)
{
    x = bn(conv(shape_depthwise(relu(x), kernel, stride), f, 1, 1));
    return bn(conv(shape_depthwise(relu(x), kernel, 1), f, 1, 1));
}

static tx_node *squeeze_cell(tx_node *x, int f)
{
    return bn(conv(relu(x), f, 1, 1));
}

/* prev as the cell takes it: of twice the side, or as it is with another number of channels. */
static tx_node *previous(tx_node *cur, tx_node *prev, int f)
{
    if (!prev || cur == prev)
        return prev;
    if (prev->h == cur->h)
        return squeeze_cell(prev, f);
    tx_node *r = relu(prev);
    return bn(cat2(conv(r, f / 2, 1, 2), conv(r, f / 2, 1, 2)));
}

static tx_node *normal_cell(tx_node *cur, tx_node *prev, int f)
{
    tx_node *c = squeeze_cell(cur, f), *p = previous(cur, prev, f);
    tx_node *parts[6] = {p,
                         add(separable(c, f, 5, 1), separable(p, f, 3, 1)),
                         add(separable(p, f, 5, 1), separable(p, f, 3, 1)),
                         add(average(c, 3, 1, 1), p),
                         add(average(p, 3, 1, 1), average(p, 3, 1, 1)),
                         add(separable(c, f, 3, 1), c)};
    return cat(parts, 6);
}

static tx_node *reduce_cell(tx_node *cur, tx_node *prev, int f)
{
    tx_node *c = squeeze_cell(cur, f), *p = previous(cur, prev, f);
    tx_node *first = add(separable(c, f, 5, 2), separable(p, f, 7, 2));
    tx_node *second = add(pool(c, 3, 2, 1), separable(p, f, 7, 2));
    tx_node *parts[4] = {second, add(average(c, 3, 2, 1), separable(p, f, 5, 2)), add(second, average(first, 3, 1, 1)),
                         add(separable(first, f, 3, 1), pool(c, 3, 2, 1))};
    return cat(parts, 4);
}

static tx_node *shape_nasnet(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    tx_node *prev = bn(tx_conv2d(g, x, "conv0", (tx_conv2d_args){.out = 32, .kernel = 3, .stride = 2, .no_bias = 1}));
    tx_node *cur = reduce_cell(prev, prev, 11), *next = reduce_cell(cur, prev, 22);
    for (int f = 44; f <= 176; f *= 2) {
        prev = cur;
        cur = next;
        for (int i = 0; i < 4; i++) {
            next = normal_cell(cur, prev, f);
            prev = cur;
            cur = next;
        }
        if (f < 176)
            next = reduce_cell(cur, prev, 2 * f);
    }
    return relu(cur);
}

#endif
