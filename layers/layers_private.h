/* layers_private.h - what the operations' files share. Private to layers. */
#ifndef THORAX_LAYERS_PRIVATE_H
#define THORAX_LAYERS_PRIVATE_H

#include "../core/op.h"
#include "layers.h"

/* What operations fuse to their results: every activation; those whose derivative the result tells without exp. */
enum {
    FUSES_ALL = (1u << TX_ACTS) - (1u << (TX_ACT_NONE + 1)),
    FUSES_RECTIFIERS = 1u << TX_ACT_RELU | 1u << TX_ACT_RELU6
};

/* Pixels of a step's result. */
static inline size_t pixels_of(const tx_step *step)
{
    return (size_t)step->n * (size_t)step->node->h * (size_t)step->node->w;
}

/* Elements of the result of a step of the double-precision run. */
static inline size_t reference_size(const tx_reference_step *s)
{
    return (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w * (size_t)s->node->c;
}

/* The result has the first input's shape. */
static inline tx_status same_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return TX_OK;
}

/* Positions of a window of `kernel` taps, `dilation` apart, along n of a padded side; 0 where it does not fit. */
static inline int window_extent(int n, int dilation, int kernel, int stride)
{
    int span = n - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

/* A step that folds: prepare leaves scale and shift of the batch norm, each a float a channel of the result, where `fold`
 * points. */
static inline size_t fold_bytes(const tx_step *step)
{
    return step->fold ? 2 * (size_t)step->node->c * sizeof(float) : 0;
}

static inline tx_status fold_prepare(const tx_step *step, float *fold)
{
    return step->fold ? tx_batchnorm_affine(step->fold, step->fold_param, fold, fold + step->node->c) : TX_OK;
}

/* Where and how a step writes its result, with all that is fused to it. bias may be NULL; fold is read where there is one. */
static inline tx_target fused_target(const tx_step *step, const float *bias, const float *fold)
{
    tx_target y = {.data = step->y.data, .ld = step->y.ld, .h = step->y.h, .w = step->y.w, .step_y = 1, .step_x = 1};
    y.bias = bias;
    if (step->fold) {
        y.scale = fold;
        y.shift = fold + step->node->c;
    }
    if (step->has_add) {
        y.add = step->add.data;
        y.add_ld = step->add.ld;
    }
    y.act = step->act;
    return y;
}

/* What tx_conv2d tells depthwise.c: the window with its zeros before the map, those behind it, the parameters. */
typedef struct depthwise_args {
    tx_depthwise window;
    int bottom, right, has_bias;
    tx_init init;
} depthwise_args;

#endif
