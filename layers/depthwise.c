/* depthwise.c - convolution of each channel by itself: tx_conv2d with as many groups as input and result channels.
 *
 * SHAPES   x (N,H,W,C)  w (KH,KW,C) in memory, (C,1,KH,KW) in files  b (C)  y (N,OH,OW,C)
 *          OH = floor((H + T + B - DLH (KH-1) - 1) / SH) + 1, OW alike. T rows of zeros above, B below, L columns before.
 * FORWARD  y[n,oy,ox,c] = b[c] + sum over ky,kx of  w[ky,kx,c] x[n, oy SH + ky DLH - T, ox SW + kx DLW - L, c]
 *          where x is 0 outside of the image.
 * BACKWARD given dy, each term of the sum above is linear in x, w and b:
 *          db[c]       = sum over n,oy,ox of dy[n,oy,ox,c]
 *          dw[ky,kx,c] = sum over n,oy,ox of dy[n,oy,ox,c] x[n, oy SH + ky DLH - T, ox SW + kx DLW - L, c]
 *          dx[n,y,x,c] = sum over ky,kx of w[ky,kx,c] dy[n,oy,ox,c]  with  oy SH = y + T - ky DLH,  ox SW = x + L - kx DLW
 *          where only taps take part for which the two divisions leave no rest: at stride 2 and 3x3 taps one, two or four
 *          of nine. No sum runs over channels: per value there are two multiply-adds a tap, and none to share.
 * NUMERICS one chain of fused multiply-adds an output, (ky,kx) ascending, from 0, then the bias; dx likewise; dw and db in
 *          chunks of pixels (op.h, tx_depthwise_gradient).
 * MEMORY   forward keeps nothing; backward reads x. Both read and write each value once: some rows that the kernel covers,
 *          activated, are all that stands between. Forward takes the batch statistics of y as it writes; backward reads dy
 *          through the gradient of the batch norm behind y.
 * SOURCE   Sifre, "Rigid-Motion Scattering for Image Classification", thesis, Ecole Polytechnique, 2014; Chollet, "Xception:
 *          Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357.
 * TESTS    test/layers_depthwise.c, test/core_depthwise.c, test/golden/op_conv.txt */
#include "layers_private.h"

#include <math.h>

enum {
    CHEAP_TAPS = 64
}; /* a result of at most so many multiply-adds a value may be computed twice to save its memory */

static const depthwise_args *args_of(const tx_node *node)
{
    return node->args;
}

static size_t taps_of(const tx_node *node)
{
    const tx_depthwise *d = &args_of(node)->window;
    return (size_t)d->kernel_h * (size_t)d->kernel_w;
}

/* ---------------------------------------------------------------------------------- shape and parameters */

static tx_status depthwise_shape(tx_node *node)
{
    const depthwise_args *a = args_of(node);
    const tx_depthwise *d = &a->window;
    const tx_node *x = node->input[0];
    node->h = window_extent(x->h + d->top + a->bottom, d->dilation_h, d->kernel_h, d->stride_h);
    node->w = window_extent(x->w + d->left + a->right, d->dilation_w, d->kernel_w, d->stride_w);
    node->c = x->c;
    tx_init uniform = {TX_INIT_UNIFORM, 1 / sqrt((double)taps_of(node))};
    tx_init init = a->init.kind == TX_INIT_ZERO ? uniform : a->init;
    tx_status status =
        tx_node_param(node, "weight", TX_ROLE_TRAINED, init, 4, (int[]){x->c, 1, d->kernel_h, d->kernel_w});
    if (status == TX_OK && a->has_bias)
        status = tx_node_param(node, "bias", TX_ROLE_TRAINED, uniform, 1, &x->c);
    return status;
}

/* ---------------------------------------------------------------------------------- the definition */

/* Where result pixel p and tap k read, counted in pixels of x; -1 outside of the map. */
static ptrdiff_t source_of(const tx_node *node, size_t p, size_t k)
{
    const tx_depthwise *d = &args_of(node)->window;
    const tx_node *x = node->input[0];
    size_t h = (size_t)node->h, w = (size_t)node->w, kw = (size_t)d->kernel_w, image = p / (h * w);
    ptrdiff_t row = (ptrdiff_t)(p / w % h) * d->stride_h + (ptrdiff_t)(k / kw) * d->dilation_h - d->top;
    ptrdiff_t column = (ptrdiff_t)(p % w) * d->stride_w + (ptrdiff_t)(k % kw) * d->dilation_w - d->left;
    if (row < 0 || column < 0 || row >= x->h || column >= x->w)
        return -1;
    return ((ptrdiff_t)image * x->h + row) * x->w + column;
}

/* y = x * w + b */
static void depthwise_reference_forward(tx_reference_step *s)
{
    size_t c = (size_t)s->node->c, taps = taps_of(s->node);
    for (size_t p = 0; p < reference_size(s) / c; p++)
        for (size_t j = 0; j < c; j++) {
            double sum = args_of(s->node)->has_bias ? s->param[1][j] : 0;
            for (size_t k = 0; k < taps; k++) {
                ptrdiff_t from = source_of(s->node, p, k);
                if (from >= 0)
                    sum += s->param[0][k * c + j] * s->x[0][(size_t)from * c + j];
            }
            s->y[p * c + j] = sum;
        }
}

/* db += dy;  dw += x dy;  dx += w dy */
static void depthwise_reference_backward(tx_reference_step *s)
{
    size_t c = (size_t)s->node->c, taps = taps_of(s->node);
    for (size_t p = 0; p < reference_size(s) / c; p++) {
        const double *dy = s->dy + p * c;
        for (size_t j = 0; j < c && args_of(s->node)->has_bias; j++)
            s->dparam[1][j] += dy[j];
        for (size_t k = 0; k < taps; k++) {
            ptrdiff_t from = source_of(s->node, p, k);
            for (size_t j = 0; j < c && from >= 0; j++) {
                s->dparam[0][k * c + j] += dy[j] * s->x[0][(size_t)from * c + j];
                if (s->dx[0])
                    s->dx[0][(size_t)from * c + j] += dy[j] * s->param[0][k * c + j];
            }
        }
    }
}

/* ---------------------------------------------------------------------------------- what runs */

static void depthwise_plan(const tx_step *s, tx_workspace *space)
{
    const tx_node *node = s->node;
    const tx_depthwise *d = &args_of(node)->window;
    size_t taps = taps_of(node);
    space->algorithm = "depthwise";
    space->prepared = fold_bytes(s);
    space->cheap = taps <= CHEAP_TAPS;
    space->macs = (double)taps * (double)node->h * (double)node->w * (double)node->c;
    space->work = tx_depthwise_forward_work(s->machine, d, &s->x[0], node->h, node->w);
    if (s->backward)
        space->work_backward = tx_depthwise_gradient_work(s->machine, d, &s->x[0], node->h, node->w);
}

static tx_status depthwise_prepare(tx_step *s)
{
    return fold_prepare(s, s->prepared);
}

static tx_status depthwise_forward(tx_step *s)
{
    tx_target y = fused_target(s, s->param[1], s->prepared);
    y.moments = s->moments;
    return tx_depthwise_forward(s->machine, &args_of(s->node)->window, &s->x[0], s->param[0], &y, s->work);
}

static tx_status depthwise_backward(tx_step *s)
{
    return tx_depthwise_gradient(s->machine, &args_of(s->node)->window, &s->x[0], s->param[0], &s->dy, &s->dx[0],
                                 s->grad[0], s->grad[1], s->work);
}

const tx_op tx_op_depthwise = {
    .name = "depthwise",
    .shape = depthwise_shape,
    .plan = depthwise_plan,
    .prepare = depthwise_prepare,
    .forward = depthwise_forward,
    .backward = depthwise_backward,
    .reference_forward = depthwise_reference_forward,
    .reference_backward = depthwise_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_SLOPE,
    .fuses = (1u << TX_ACTS) - 1,
    .needs = TX_NEEDS_X,
    .traits = TX_FOLDS | TX_MOMENTS,
};
