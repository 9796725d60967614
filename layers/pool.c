/* pool.c - pooling over square windows.
 *
 * SHAPES   x, dx (N,H,W,C)  y, dy (N,OH,OW,C)  K = kernel, S = stride, P = padding
 *          OH = floor((H + 2 P - K) / S) + 1; with ceil the division is rounded up, and the last window is dropped if
 *          it would begin beyond the image and the padding above it: (OH-1) S >= H + P. So with ceil a map may be
 *          smaller than the window, which then hangs over its lower edge. OW alike. As PyTorch has it.
 * FORWARD  y[n,oy,ox,c] = max of x[n, oy S + ky - P, ox S + kx - P, c] over the taps ky, kx in 0..K-1 that lie inside
 *          the image; padding counts as -inf. As P <= K/2, every window has a tap inside. A NaN is larger than all.
 * BACKWARD y is one of the x of its window, so that one has derivative 1, the others 0. Of equal ones it is the first
 *          in row order, of NaNs the last, as everywhere in the field: (ky,kx) = argmax.
 *          dx[n,y,x,c] = sum of dy[n,oy,ox,c] over those windows (oy,ox) whose argmax is (y + P - oy S, x + P - ox S)
 * NUMERICS forward exact. Backward gathers: the windows over a pixel are added in
 *          row order, and no two threads write the same place.
 * MEMORY   saved: argmax as one byte an output, ky K + kx, hence K <= 15.
 * SOURCE   Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012,
 *          section 3.4 (overlapping windows).
 * TESTS    test/layers_pool.c, test/golden/op_norm_pool.txt */
#include "layers_private.h"

#include <math.h>

enum { LARGEST_KERNEL = 15 };

/* Outputs along a side of n. */
static int extent(int n, const tx_pool_args *a)
{
    int span = n + 2 * a->padding - a->kernel + (a->ceil ? a->stride - 1 : 0);
    if (span < 0)
        return 0;
    int outputs = span / a->stride + 1;
    if (a->ceil && (outputs - 1) * a->stride >= n + a->padding)
        outputs--;
    return outputs;
}

static tx_status pool_shape(tx_node *node)
{
    const tx_pool_args *a = node->args;
    const tx_node *x = node->input[0];
    if (a->kernel < 1 || a->kernel > LARGEST_KERNEL || a->stride < 1 || a->stride > TX_MAX_SIDE || a->padding < 0 ||
        a->padding > a->kernel / 2)
        return tx_fail(TX_ERR_ARGUMENT,
                       "kernel %d, stride %d, padding %d, expected a kernel of 1 to %d, padding up to half of it",
                       a->kernel, a->stride, a->padding, (int)LARGEST_KERNEL);
    node->h = extent(x->h, a);
    node->w = extent(x->w, a);
    node->c = x->c;
    return TX_OK;
}

/* ---- the definition */

/* Position in x of the largest value in the window of output i (an index into y). */
static size_t reference_argmax(const tx_reference_step *s, size_t i)
{
    const tx_pool_args *a = s->node->args;
    const tx_node *x = s->node->input[0];
    size_t channels = (size_t)x->c, ow = (size_t)s->node->w, oh = (size_t)s->node->h, best = SIZE_MAX;
    size_t c = i % channels, ox = i / channels % ow, oy = i / channels / ow % oh, n = i / channels / ow / oh;
    for (int t = 0; t < a->kernel * a->kernel; t++) {
        int iy = (int)oy * a->stride + t / a->kernel - a->padding,
            ix = (int)ox * a->stride + t % a->kernel - a->padding;
        if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
            continue;
        size_t at = ((n * (size_t)x->h + (size_t)iy) * (size_t)x->w + (size_t)ix) * channels + c;
        if (best == SIZE_MAX || s->x[0][at] > s->x[0][best] || isnan(s->x[0][at]))
            best = at;
    }
    return best;
}

static void max_pool_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = s->x[0][reference_argmax(s, i)];
}

static void max_pool_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++)
        s->dx[0][reference_argmax(s, i)] += s->dy[i];
}

/* ---- what runs */

static tx_window window_of(const tx_step *step)
{
    const tx_pool_args *a = step->node->args;
    return (tx_window){.kernel = a->kernel, .stride = a->stride, .top = a->padding, .left = a->padding};
}

static void max_pool_plan(const tx_step *step, tx_workspace *space)
{
    if (step->backward)
        space->saved = (size_t)step->n * (size_t)step->node->h * (size_t)step->node->w * (size_t)step->node->c;
}

static tx_status max_pool_forward(tx_step *step)
{
    tx_window window = window_of(step);
    return tx_channel_max_pool(step->machine, &step->y, step->backward ? step->saved : NULL, &step->x[0], &window);
}

static tx_status max_pool_backward(tx_step *step)
{
    tx_window window = window_of(step);
    if (!step->dx[0].data)
        return TX_OK;
    return tx_channel_max_pool_gradient(step->machine, &step->dx[0], &step->dy.g, step->saved, &step->x[0], &window);
}

const tx_op tx_op_max_pool = {
    .name = "max_pool",
    .shape = pool_shape,
    .plan = max_pool_plan,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .reference_forward = max_pool_reference_forward,
    .reference_backward = max_pool_reference_backward,
    .reads = TX_READS_VIEW,
};

tx_node *tx_max_pool(tx_graph *graph, tx_node *x, tx_pool_args args)
{
    if (args.stride == 0)
        args.stride = args.kernel;
    return tx_graph_add(graph, &tx_op_max_pool, "", &x, 1, &args, sizeof args);
}
