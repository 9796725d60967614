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

void tx_net_linear_init(tx_node *linear, tx_head_init init)
{
    if (!linear)
        return;
    double in = linear->input[0]->c, out = linear->c;
    tx_init weight = {TX_INIT_UNIFORM, 1 / sqrt(in)}, bias = {TX_INIT_ZERO, 0};
    if (init == TX_HEAD_IN)
        bias = weight;
    else if (init == TX_HEAD_OUT_ZERO)
        weight.a = 1 / sqrt(out);
    else if (init == TX_HEAD_OUT_ROOT3_ZERO)
        weight.a = sqrt(3 / out);
    else if (init == TX_HEAD_NORMAL_ZERO)
        weight = (tx_init){TX_INIT_NORMAL, 0.01};
    tx_node_init(linear, 0, weight);
    tx_node_init(linear, 1, bias);
}
