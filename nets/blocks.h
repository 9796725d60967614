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

/* Replaces the initial values of a linear layer. */
void tx_net_linear_init(tx_node *linear, tx_head_init init);

#endif
