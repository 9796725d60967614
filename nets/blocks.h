/* blocks.h - what several families of networks are made of. Private to nets.
 *
 * Names are those within the scope that is open (tx_graph_enter). All return NULL once anything has failed in the graph. */
#ifndef THORAX_NETS_BLOCKS_H
#define THORAX_NETS_BLOCKS_H

#include "nets.h"

/* The activation; x itself for TX_ACT_NONE. */
tx_node *tx_net_act(tx_graph *graph, tx_node *x, tx_act act);

/* How the weights of a convolution begin: normal, of variance 2 / (channels * taps). Channels are those of the result or of
 * the input, not divided by groups. He et al., "Delving Deep into Rectifiers", arXiv:1502.01852. */
tx_init tx_net_he(int channels, int kernel);

/* A convolution without bias, batch norm, activation. */
typedef struct tx_conv_norm_args {
    int out, kernel, stride; /* stride 0: 1; padding is kernel / 2 */
    int depthwise;           /* a filter a channel; out is x's */
    tx_act act;
    double eps, momentum; /* of the batch norm, as tx_batchnorm_args has them */
} tx_conv_norm_args;
tx_node *tx_net_conv_norm(tx_graph *graph, tx_node *x, const char *conv, const char *norm, tx_conv_norm_args args);

/* A unit of the Inceptions, convolution without bias, batch norm (eps 1e-3), ReLU: NAME.conv and NAME.bn. */
typedef struct tx_unit_args {
    int out, kernel_h, kernel_w;
    int stride; /* 0: 1 */
    int valid;  /* 0: padded by half of the kernel; 1: not at all */
    tx_init init;
} tx_unit_args;
tx_node *tx_net_unit(tx_graph *graph, tx_node *x, const char *name, tx_unit_args args);

/* Squeeze-excite: x * gate(W2 act(W1 mean(x) + b1) + b2), the mean over rows and columns, W1 to `width` channels and W2
 * back (fc1 and fc2, 1x1 convolutions with bias 0 at first). Hu, Shen, Sun: "Squeeze-and-Excitation Networks",
 * arXiv:1709.01507. */
tx_node *tx_net_squeeze(tx_graph *graph, tx_node *x, int width, tx_act act, tx_act gate);

/* Inverted residual: 1x1 convolution to more channels, depthwise convolution, squeeze-excite where there is one, 1x1
 * convolution to fewer, without activation; the input is added where nothing changes its shape. Sandler et al.,
 * "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381. */
typedef enum tx_net_naming {
    TX_NAMES_NESTED,   /* 0.0 0.1  1.0 1.1  2.fc1 2.fc2  3.0 3.1 */
    TX_NAMES_OPEN_END, /* 0.0 0.1  1.0 1.1  2 3 */
    TX_NAMES_FLAT      /* 0 1  3 4  6 7 */
} tx_net_naming;
typedef struct tx_inverted_args {
    int expanded; /* channels between; those of x: there is no first convolution */
    int out, kernel, stride;
    int squeeze;        /* width of the squeeze-excite; 0: none */
    tx_act act;         /* behind the first two convolutions */
    tx_act inner, gate; /* the squeeze-excite's */
    double drop;        /* of the residual branch of an image, in training: tx_stochastic_depth */
    tx_net_naming naming;
    double eps, momentum;
} tx_inverted_args;
tx_node *tx_net_inverted(tx_graph *graph, tx_node *x, tx_inverted_args args);

/* What stands behind the global mean x: the head of a network, or of one with some of its blocks cut. */
tx_node *tx_net_head_build(tx_graph *graph, tx_node *x, const tx_net_info *net, int cut, int classes);

/* Replaces the initial values of a linear layer. */
void tx_net_linear_init(tx_node *linear, tx_head_init init);

#endif
