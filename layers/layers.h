/* layers.h - the operations that networks are described with. Each is one file of this folder: its equations, its
 * gradient, its definition in double precision, and what runs.
 *
 * A building call adds one node to a graph and returns it, or NULL once anything in that graph has failed
 * (tx_graph_status says what). The last argument is a struct whose zeros are the usual values, so that a call names
 * only what differs:  tx_conv2d(g, x, "conv1", (tx_conv2d_args){ .out = 64, .kernel = 7, .stride = 2, .padding = 3 })
 * Names become the prefix of the parameters' names: "bn1" gives bn1.weight, bn1.bias and so on. */
#ifndef THORAX_LAYERS_H
#define THORAX_LAYERS_H

#include "../core/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------- convolution */
/* Rows and columns that are put around a map, beside those that are the same on all sides; negative: as many are left out. */
typedef struct tx_pads {
    int top, left, bottom, right;
} tx_pads;

typedef struct tx_conv2d_args {
    int out;    /* channels of the result */
    int kernel; /* side of a square kernel, 0: 1; _h and _w where rows and columns differ; at most 225 taps */
    int kernel_h, kernel_w;
    int stride; /* 0: 1 */
    int stride_h, stride_w;
    int padding; /* zeros on each of the four sides */
    int padding_h, padding_w;
    tx_pads pads; /* by side, added to padding */
    int dilation; /* distance of neighbouring taps; 0: 1 */
    int dilation_h, dilation_w;
    int groups; /* 0: 1; divides input and result channels, each group by itself; one a channel of both: depthwise */
    int no_bias;
    tx_init init; /* of the weight; left out: U(-1/sqrt(in taps), 1/sqrt(in taps)), which the bias always has */
} tx_conv2d_args;
/* Parameters weight (out, in / groups, kernel_h, kernel_w) and bias. */
tx_node *tx_conv2d(tx_graph *graph, tx_node *x, const char *name, tx_conv2d_args args);

/* ----------------------------------------------------------------------------------- normalisation */
typedef struct tx_batchnorm_args {
    double eps;      /* 0: 1e-5 */
    double momentum; /* weight of the new value in the running statistics; 0: 0.1 */
} tx_batchnorm_args;
/* Parameters weight, bias, running_mean, running_var, num_batches_tracked. Training normalises by the batch's
 * statistics, inference by the running ones. */
tx_node *tx_batchnorm(tx_graph *graph, tx_node *x, const char *name, tx_batchnorm_args args);
/* What the node is in inference: y = scale[c] x + shift[c]. param: weight, bias, running mean, running variance. */
tx_status tx_batchnorm_affine(const tx_node *node, float *const *param, float *scale, float *shift);

/* ------------------------------------------------------------------------------ activations, sums */
tx_node *tx_relu(tx_graph *graph, tx_node *x);                     /* max(0, x) */
tx_node *tx_relu6(tx_graph *graph, tx_node *x);                    /* min(6, max(0, x)) */
tx_node *tx_sigmoid(tx_graph *graph, tx_node *x);                  /* s(x) = 1 / (1 + exp(-x)) */
tx_node *tx_silu(tx_graph *graph, tx_node *x);                     /* x s(x) */
tx_node *tx_hardsigmoid(tx_graph *graph, tx_node *x);              /* h(x) = min(6, max(0, x + 3)) / 6 */
tx_node *tx_hardswish(tx_graph *graph, tx_node *x);                /* x h(x) */
tx_node *tx_add(tx_graph *graph, tx_node *a, tx_node *b);          /* a + b, of one shape */
tx_node *tx_concat(tx_graph *graph, tx_node *const *nodes, int n); /* channels one behind the other */

/* x times a factor for each channel of each image: gate is (N,1,1,C). The second half of squeeze-excite. */
tx_node *tx_scale(tx_graph *graph, tx_node *x, tx_node *gate);

typedef struct tx_dropout_args {
    double p; /* of being set to 0, in [0, 1] */
} tx_dropout_args;
/* In training each value is 0 with probability p, else divided by 1 - p; in inference the identity. */
tx_node *tx_dropout(tx_graph *graph, tx_node *x, tx_dropout_args args);

typedef struct tx_stochastic_depth_args {
    double p; /* of an image being set to 0, in [0, 1] */
} tx_stochastic_depth_args;
/* In training each image is 0 with probability p, else divided by 1 - p; in inference the identity. */
tx_node *tx_stochastic_depth(tx_graph *graph, tx_node *x, tx_stochastic_depth_args args);

/* ----------------------------------------------------------------------------------------- pooling */
typedef struct tx_pool_args {
    int kernel;  /* side of the window, 1..15 */
    int stride;  /* 0: kernel */
    int padding; /* on each side at most kernel / 2 */
    int ceil;    /* 1: a last window that reaches beyond the padding counts if it begins before it, also the only one */
    tx_pads pads;          /* by side, added to padding */
    int count_include_pad; /* average: 1: divided by the taps on the map and the padding; 0: by those on the map */
} tx_pool_args;
/* Padding counts as -inf; a NaN is larger than all. */
tx_node *tx_max_pool(tx_graph *graph, tx_node *x, tx_pool_args args);
tx_node *tx_avg_pool(tx_graph *graph, tx_node *x, tx_pool_args args);
tx_node *tx_global_mean(tx_graph *graph, tx_node *x); /* (N,H,W,C) to (N,1,1,C) */

/* ------------------------------------------------------------------------------------------ linear */
typedef struct tx_linear_args {
    int out;
    int no_bias;
} tx_linear_args;
/* y = x w + b along the channels of every pixel. Parameters weight, bias, filled from U(-1/sqrt(in), 1/sqrt(in)). */
tx_node *tx_linear(tx_graph *graph, tx_node *x, const char *name, tx_linear_args args);

/* ------------------------------------------------------------------------------------------ losses
 * One value for the whole batch; labels, mask and target are data, no gradient is taken for them. The node's value
 * has one element an image: the loss is the first, the others are 0. */
enum { TX_MAX_POS_WEIGHTS = 1024 };
typedef struct tx_bce_args {
    const float *pos_weight; /* one a class (copied), the weight of the positive part; NULL: 1 */
} tx_bce_args;
/* Mean binary cross-entropy over the entries whose mask is 1, 0 if there are none. labels and mask have the shape of
 * the logits; mask NULL: all ones. */
tx_node *tx_bce_with_logits(tx_graph *graph, tx_node *logits, tx_node *labels, tx_node *mask, tx_bce_args args);
/* The loss of one entry. */
float tx_bce_each(float logit, float label);

typedef struct tx_cross_entropy_args {
    double smoothing; /* in [0, 1]: share of the target that is spread over all classes */
} tx_cross_entropy_args;
/* Mean softmax cross-entropy. target (1,1,1) is the class number; images whose number is no class do not count. */
tx_node *tx_cross_entropy(tx_graph *graph, tx_node *logits, tx_node *target, tx_cross_entropy_args args);

/* ------------------------------------------------------------------------------------------ tables
 * What the graph knows of each operation, for programs that look at all of them. */
extern const tx_op tx_op_conv2d, tx_op_depthwise, tx_op_batchnorm, tx_op_relu, tx_op_relu6, tx_op_sigmoid, tx_op_silu,
    tx_op_hardsigmoid, tx_op_hardswish, tx_op_scale, tx_op_add, tx_op_concat, tx_op_dropout, tx_op_stochastic_depth,
    tx_op_max_pool, tx_op_avg_pool, tx_op_mean, tx_op_linear, tx_op_bce, tx_op_cross_entropy;

#ifdef __cplusplus
}
#endif
#endif
