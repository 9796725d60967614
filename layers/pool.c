/* pool.c - pooling over square windows: the largest value, or the mean.
 *
 * SHAPES   x, dx (N,H,W,C)  y, dy (N,OH,OW,C)  K = kernel, S = stride, rows of padding T above, B below (columns alike);
 *          negative ones crop: of H rows those from -T on and before H + B are left.
 *          OH = floor((H + T + B - K) / S) + 1; with ceil the division is rounded up, and the last window is dropped if
 *          it would begin behind the rows that are left: (OH-1) S >= min(H, H + B) + T. So with ceil a map may be
 *          smaller than the window, which then hangs over its lower edge. OW alike. As PyTorch has it.
 * FORWARD  of x[n, oy S + ky - T, ox S + kx - L, c] over the taps ky, kx in 0..K-1 that lie inside what is left:
 *          max  y[n,oy,ox,c] = the largest; padding counts as -inf. As no padding is larger than K/2, every window has a
 *               tap inside. A NaN is larger than all.
 *          avg  y[n,oy,ox,c] = their sum / k[oy,ox], k the number of taps inside; or, where the padding counts, of those
 *               inside or on the padding. What hangs over the padding's lower edge (ceil) counts in neither.
 * BACKWARD max  y is one of the x of its window, so that one has derivative 1, the others 0. Of equal ones it is the first
 *               in row order, of NaNs the last, as everywhere in the field: (ky,kx) = argmax.
 *               dx[n,y,x,c] = sum of dy[n,oy,ox,c] over those windows (oy,ox) whose argmax is (y + T - oy S, x + L - ox S)
 *          avg  dx[n,y,x,c] = sum of dy[n,oy,ox,c] / k[oy,ox] over the windows that (y,x) lies in
 * NUMERICS max is exact; a mean adds in row order, and multiplies by 1/k in float. Backward gathers: the windows over a pixel
 *          are added in row order, and no two threads write the same place.
 * MEMORY   max saves argmax as one byte an output, ky K + kx, hence K <= 15; avg nothing. Neither reads x or y in backward.
 * SOURCE   Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012,
 *          section 3.4 (overlapping windows).
 * TESTS    test/layers_pool.c, test/golden/op_norm_pool.txt */
#include "layers_private.h"

#include <math.h>

enum { LARGEST_KERNEL = 15 };

/* Pixels of a side of n that a negative padding behind them leaves. */
static int inside(int n, int after)
{
    return after < 0 ? n + after : n;
}

/* Outputs along a side of n with padding before and after it. */
static int extent(int n, int before, int after, const tx_pool_args *a)
{
    int left = inside(n, after), span = n + before + after - a->kernel + (a->ceil ? a->stride - 1 : 0);
    if (span < 0 || left < 1 || left + before < 1)
        return 0;
    int outputs = span / a->stride + 1;
    if (a->ceil && (outputs - 1) * a->stride >= left + before)
        outputs--;
    return outputs;
}

/* Padding of all four sides, the common one included. */
static tx_pads pads_of(const tx_pool_args *a)
{
    int p = a->padding;
    return (tx_pads){p + a->pads.top, p + a->pads.left, p + a->pads.bottom, p + a->pads.right};
}

static int in_range(int v, int low, int high)
{
    return v >= low && v <= high;
}

static tx_status pool_shape(tx_node *node)
{
    const tx_pool_args *a = node->args;
    const tx_node *x = node->input[0];
    const int far = TX_MAX_SIDE, most = a->kernel / 2;
    const tx_pads *by = &a->pads;
    if (!in_range(a->kernel, 1, LARGEST_KERNEL) || !in_range(a->stride, 1, far) || !in_range(a->padding, 0, most))
        return tx_fail(TX_ERR_ARGUMENT,
                       "kernel %d, stride %d, padding %d, expected a kernel of 1 to %d, padding up to half of it",
                       a->kernel, a->stride, a->padding, (int)LARGEST_KERNEL);
    tx_pads p = {0, 0, 0, 0};
    if (in_range(by->top, -far, far) && in_range(by->left, -far, far) && in_range(by->bottom, -far, far) &&
        in_range(by->right, -far, far))
        p = pads_of(a);
    else
        p.top = far;
    if (p.top > most || p.left > most || p.bottom > most || p.right > most)
        return tx_fail(TX_ERR_ARGUMENT,
                       "padding %d and %d, %d, %d, %d above, left, below, right, expected up to half of the kernel, %d",
                       a->padding, by->top, by->left, by->bottom, by->right, a->kernel);
    node->h = extent(x->h, p.top, p.bottom, a);
    node->w = extent(x->w, p.left, p.right, a);
    node->c = x->c;
    return TX_OK;
}

/* ---- the definition */

/* The window of output i (an index into y): its first row and column, which may lie outside of the map, what is left of the
 * map, and where the image's channel begins in x. */
typedef struct reference_window {
    int top, left, h, w;
    size_t start;
} reference_window;

static reference_window window_at(const tx_reference_step *s, size_t i)
{
    const tx_pool_args *a = s->node->args;
    const tx_node *x = s->node->input[0];
    tx_pads p = pads_of(a);
    size_t channels = (size_t)x->c, ow = (size_t)s->node->w, oh = (size_t)s->node->h;
    size_t c = i % channels, ox = i / channels % ow, oy = i / channels / ow % oh, n = i / channels / ow / oh;
    return (reference_window){.top = (int)oy * a->stride - p.top,
                              .left = (int)ox * a->stride - p.left,
                              .h = inside(x->h, p.bottom),
                              .w = inside(x->w, p.right),
                              .start = n * (size_t)x->h * (size_t)x->w * channels + c};
}

/* Position in x of tap t, or SIZE_MAX where there is none. */
static size_t tap_at(const tx_reference_step *s, const reference_window *w, int t)
{
    const tx_pool_args *a = s->node->args;
    const tx_node *x = s->node->input[0];
    int iy = w->top + t / a->kernel, ix = w->left + t % a->kernel;
    if (iy < 0 || iy >= w->h || ix < 0 || ix >= w->w)
        return SIZE_MAX;
    return w->start + ((size_t)iy * (size_t)x->w + (size_t)ix) * (size_t)x->c;
}

static int taps_of(const tx_reference_step *s)
{
    const tx_pool_args *a = s->node->args;
    return a->kernel * a->kernel;
}

/* Position in x of the largest value in the window of output i. */
static size_t reference_argmax(const tx_reference_step *s, size_t i)
{
    reference_window w = window_at(s, i);
    size_t best = SIZE_MAX;
    for (int t = 0; t < taps_of(s); t++) {
        size_t at = tap_at(s, &w, t);
        if (at == SIZE_MAX)
            continue;
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

/* What output i divides by. */
static double reference_count(const tx_reference_step *s, size_t i)
{
    const tx_pool_args *a = s->node->args;
    const tx_node *x = s->node->input[0];
    reference_window w = window_at(s, i);
    tx_pads p = pads_of(a);
    int count = 0;
    for (int t = 0; t < taps_of(s); t++)
        if (a->count_include_pad)
            count += w.top + t / a->kernel < x->h + p.bottom && w.left + t % a->kernel < x->w + p.right;
        else
            count += tap_at(s, &w, t) != SIZE_MAX;
    return count;
}

static void avg_pool_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++) {
        reference_window w = window_at(s, i);
        double sum = 0;
        for (int t = 0; t < taps_of(s); t++)
            if (tap_at(s, &w, t) != SIZE_MAX)
                sum += s->x[0][tap_at(s, &w, t)];
        s->y[i] = sum / reference_count(s, i);
    }
}

static void avg_pool_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++) {
        reference_window w = window_at(s, i);
        for (int t = 0; t < taps_of(s); t++)
            if (tap_at(s, &w, t) != SIZE_MAX)
                s->dx[0][tap_at(s, &w, t)] += s->dy[i] / reference_count(s, i);
    }
}

/* ---- what runs */

static tx_window window_of(const tx_step *step)
{
    const tx_pool_args *a = step->node->args;
    tx_pads p = pads_of(a);
    return (tx_window){.kernel = a->kernel,
                       .stride = a->stride,
                       .top = p.top,
                       .left = p.left,
                       .bottom = p.bottom,
                       .right = p.right,
                       .counts_padding = a->count_include_pad};
}

static void max_pool_plan(const tx_step *step, tx_workspace *space)
{
    space->cheap = 1;
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

static void avg_pool_plan(const tx_step *step, tx_workspace *space)
{
    (void)step;
    space->cheap = 1;
}

static tx_status avg_pool_forward(tx_step *step)
{
    tx_window window = window_of(step);
    return tx_channel_avg_pool(step->machine, &step->y, &step->x[0], &window);
}

static tx_status avg_pool_backward(tx_step *step)
{
    tx_window window = window_of(step);
    if (!step->dx[0].data)
        return TX_OK;
    return tx_channel_avg_pool_gradient(step->machine, &step->dx[0], &step->dy.g, &step->x[0], &window);
}

const tx_op tx_op_max_pool = {
    .name = "max_pool",
    .shape = pool_shape,
    .plan = max_pool_plan,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .reference_forward = max_pool_reference_forward,
    .reference_backward = max_pool_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE,
    .traits = TX_NOT_NEGATIVE,
};

const tx_op tx_op_avg_pool = {
    .name = "avg_pool",
    .shape = pool_shape,
    .plan = avg_pool_plan,
    .forward = avg_pool_forward,
    .backward = avg_pool_backward,
    .reference_forward = avg_pool_reference_forward,
    .reference_backward = avg_pool_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE,
    .traits = TX_NOT_NEGATIVE,
};

static tx_node *pool(tx_graph *graph, const tx_op *op, tx_node *x, tx_pool_args args)
{
    if (args.stride == 0)
        args.stride = args.kernel;
    return tx_graph_add(graph, op, "", &x, 1, &args, sizeof args);
}

tx_node *tx_max_pool(tx_graph *graph, tx_node *x, tx_pool_args args)
{
    return pool(graph, &tx_op_max_pool, x, args);
}

tx_node *tx_avg_pool(tx_graph *graph, tx_node *x, tx_pool_args args)
{
    return pool(graph, &tx_op_avg_pool, x, args);
}
