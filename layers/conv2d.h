/* conv2d.h - what the two files of convolution share: its arguments, what a group reads, its packed weight. Private to
 * layers. */
#ifndef THORAX_CONV2D_H
#define THORAX_CONV2D_H

#include "layers_private.h"

enum { MOST_TAPS = 225 /* of a kernel: 15 x 15 */ };

typedef struct conv_args {
    int out, groups, kh, kw, sh, sw, dlh, dlw, has_bias;
    int ph, pw, pb, pr; /* padding above, left, below, right */
    int taps;
    tx_init init;
    tx_tap tap[MOST_TAPS]; /* of the forward product: source pixel of output (0,0), in the order of the weight's rows */
} conv_args;

/* Channels that a group reads, and that it writes. */
static inline int group_inputs(const tx_node *node)
{
    return node->input[0]->c / ((const conv_args *)node->args)->groups;
}

static inline int group_results(const tx_node *node)
{
    return node->c / ((const conv_args *)node->args)->groups;
}

static inline int is_winograd(const tx_node *node)
{
    const conv_args *a = node->args;
    return a->kh == 3 && a->kw == 3 && a->sh == 1 && a->sw == 1 && a->dlh == 1 && a->dlw == 1 && a->ph == a->pw &&
           a->ph == a->pb && a->ph == a->pr && a->ph >= 0 && a->ph <= 2 &&
           tx_winograd_pays(node->h, node->w, group_inputs(node), group_results(node));
}

/* The slice of x that a group reads. */
static inline tx_view group_view(const tx_step *s, int group)
{
    tx_view x = s->x[0];
    size_t first = (size_t)group * (size_t)group_inputs(s->node);
    x.c = group_inputs(s->node);
    if (x.data)
        x.data += first;
    if (x.scale) {
        x.scale += first;
        x.shift += first;
    }
    if (x.gate)
        x.gate += first;
    return x;
}

/* The matrix of patches: a row an output pixel, (ky,kx,c) its columns. */
static inline tx_rows patches(const tx_step *s, int group)
{
    const conv_args *a = s->node->args;
    return (tx_rows){.x = group_view(s, group),
                     .grid_h = s->node->h,
                     .grid_w = s->node->w,
                     .step_y = a->sh,
                     .step_x = a->sw,
                     .taps = a->taps,
                     .tap = a->tap};
}

/* Rows of a group's weight as a matrix: the terms of a result. */
static inline size_t product_rows(const tx_node *node)
{
    return (size_t)((const conv_args *)node->args)->taps * (size_t)group_inputs(node);
}

/* Floats of a packed K x n matrix, rounded up so that what follows is aligned to 64 bytes. */
static inline size_t packed_floats(size_t k, int n)
{
    return (tx_gemm_packed(k, (size_t)n) + 15) / 16 * 16;
}

static inline size_t winograd_floats(int k, int n)
{
    return (tx_winograd_packed(k, n) + 15) / 16 * 16;
}

/* conv2d_backward.c. */
tx_status tx_conv2d_backward(tx_step *s);
/* What the plan needs for it; whether it can read dy as a slope, and take the sums of dx. */
size_t tx_conv2d_backward_work(const tx_step *s);
int tx_conv2d_reads_slope(const tx_step *s);
int tx_conv2d_reduces(const tx_node *node);

/* conv2d_narrow.c: groups of few channels, by depthwise convolutions. */
int tx_conv2d_is_narrow(const tx_node *node);
size_t tx_conv2d_narrow_prepared(const tx_step *s);
size_t tx_conv2d_narrow_work(const tx_step *s);
size_t tx_conv2d_narrow_backward_work(const tx_step *s);
tx_status tx_conv2d_narrow_prepare(tx_step *s);
tx_status tx_conv2d_narrow_forward(tx_step *s);
/* Of the weight and the input. */
tx_status tx_conv2d_narrow_backward(tx_step *s);

#endif
