/* blocks.c - what several families of networks are made of. */
#include "blocks.h"

#include <math.h>

tx_node *tx_net_act(tx_graph *graph, tx_node *x, tx_act act)
{
    switch (act) {
    case TX_ACT_NONE:
        return x;
    case TX_ACT_RELU:
        return tx_relu(graph, x);
    case TX_ACT_RELU6:
        return tx_relu6(graph, x);
    case TX_ACT_SILU:
        return tx_silu(graph, x);
    case TX_ACT_SIGMOID:
        return tx_sigmoid(graph, x);
    case TX_ACT_HARDSWISH:
        return tx_hardswish(graph, x);
    case TX_ACT_HARDSIGMOID:
        return tx_hardsigmoid(graph, x);
    default:
        return tx_graph_refuse(graph, "activation %d, there is none", (int)act);
    }
}

tx_init tx_net_he(int channels, int kernel)
{
    return (tx_init){TX_INIT_NORMAL, sqrt(2.0 / ((double)channels * kernel * kernel))};
}

tx_node *tx_net_conv_norm(tx_graph *graph, tx_node *x, const char *conv, const char *norm, tx_conv_norm_args args)
{
    int in = x ? x->c : 1;
    x = tx_conv2d(graph, x, conv,
                  (tx_conv2d_args){.out = args.out,
                                   .kernel = args.kernel,
                                   .stride = args.stride,
                                   .padding = args.kernel / 2,
                                   .groups = args.depthwise ? in : 1,
                                   .no_bias = 1,
                                   .init = tx_net_he(args.out, args.kernel)});
    x = tx_batchnorm(graph, x, norm, (tx_batchnorm_args){.eps = args.eps, .momentum = args.momentum});
    return tx_net_act(graph, x, args.act);
}

tx_node *tx_net_unit(tx_graph *graph, tx_node *x, const char *name, tx_unit_args args)
{
    tx_graph_enter(graph, "%s", name);
    x = tx_conv2d(graph, x, "conv",
                  (tx_conv2d_args){.out = args.out,
                                   .kernel_h = args.kernel_h,
                                   .kernel_w = args.kernel_w,
                                   .stride = args.stride,
                                   .padding_h = args.valid ? 0 : args.kernel_h / 2,
                                   .padding_w = args.valid ? 0 : args.kernel_w / 2,
                                   .no_bias = 1,
                                   .init = args.init});
    x = tx_relu(graph, tx_batchnorm(graph, x, "bn", (tx_batchnorm_args){.eps = 1e-3}));
    tx_graph_leave(graph);
    return x;
}

/* A 1x1 convolution whose bias begins at 0. */
static tx_node *convolve_mean(tx_graph *graph, tx_node *x, const char *name, int out)
{
    x = tx_conv2d(graph, x, name, (tx_conv2d_args){.out = out, .kernel = 1, .init = tx_net_he(out, 1)});
    if (x)
        tx_node_init(x, 1, (tx_init){TX_INIT_ZERO, 0});
    return x;
}

tx_node *tx_net_squeeze(tx_graph *graph, tx_node *x, int width, tx_act act, tx_act gate)
{
    tx_node *s = tx_global_mean(graph, x);
    s = tx_net_act(graph, convolve_mean(graph, s, "fc1", width), act);
    s = tx_net_act(graph, convolve_mean(graph, s, "fc2", x ? x->c : 1), gate);
    return tx_scale(graph, x, s);
}

/* Number `at` of the convolutions of an inverted residual, with its batch norm. */
static tx_node *numbered(tx_graph *graph, tx_node *x, tx_net_naming naming, int at, int last, tx_conv_norm_args args)
{
    static const char *const digit[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    if (naming == TX_NAMES_FLAT)
        return tx_net_conv_norm(graph, x, digit[3 * at], digit[3 * at + 1], args);
    if (naming == TX_NAMES_OPEN_END && last)
        return tx_net_conv_norm(graph, x, digit[at], digit[at + 1], args);
    tx_graph_enter(graph, "%d", at);
    x = tx_net_conv_norm(graph, x, "0", "1", args);
    tx_graph_leave(graph);
    return x;
}

tx_node *tx_net_inverted(tx_graph *graph, tx_node *x, tx_inverted_args args)
{
    int in = x ? x->c : 1, stride = args.stride ? args.stride : 1, at = 0;
    tx_conv_norm_args wide = {args.expanded, 1, 1, 0, args.act, args.eps, args.momentum};
    tx_conv_norm_args deep = {args.expanded, args.kernel, stride, 1, args.act, args.eps, args.momentum};
    tx_conv_norm_args narrow = {args.out, 1, 1, 0, TX_ACT_NONE, args.eps, args.momentum};
    tx_node *y = x;
    if (args.expanded != in)
        y = numbered(graph, y, args.naming, at++, 0, wide);
    y = numbered(graph, y, args.naming, at++, 0, deep);
    if (args.squeeze) {
        tx_graph_enter(graph, "%d", at++);
        y = tx_net_squeeze(graph, y, args.squeeze, args.inner, args.gate);
        tx_graph_leave(graph);
    }
    y = numbered(graph, y, args.naming, at, 1, narrow);
    if (stride != 1 || args.out != in)
        return y;
    if (args.drop > 0)
        y = tx_stochastic_depth(graph, y, (tx_stochastic_depth_args){.p = args.drop});
    return tx_add(graph, y, x);
}

void tx_net_linear_init(tx_node *linear, tx_head_init init)
{
    if (!linear)
        return;
    double in = linear->input[0]->c, out = linear->c;
    tx_init weight = {TX_INIT_UNIFORM, 1 / sqrt(in)}, bias = {TX_INIT_ZERO, 0};
    if (init == TX_HEAD_IN || init == TX_HEAD_NORMAL_IN)
        bias = weight;
    if (init == TX_HEAD_OUT_ZERO)
        weight.a = 1 / sqrt(out);
    else if (init == TX_HEAD_OUT_ROOT3_ZERO)
        weight.a = sqrt(3 / out);
    else if (init == TX_HEAD_NORMAL_ZERO)
        weight = (tx_init){TX_INIT_NORMAL, 0.01};
    else if (init == TX_HEAD_NORMAL_IN)
        weight = (tx_init){TX_INIT_NORMAL, 0.1};
    tx_node_init(linear, 0, weight);
    tx_node_init(linear, 1, bias);
}
