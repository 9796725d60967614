/* conv2d.c - two-dimensional convolution (cross-correlation, as the field calls it).
 *
 * SHAPES   x (N,H,W,C)  w (KH,KW,C/G,O) in memory, (O,C/G,KH,KW) in files  b (O)  y (N,OH,OW,O)
 *          G groups divide C and O: group i reads channels i C/G .. and writes channels i O/G .., as a convolution of its
 *          own, with these columns of w. G is 1 in what follows; C and O are otherwise those of a group.
 *          OH = floor((H + PH + PB - DLH (KH-1) - 1) / SH) + 1, OW alike. PH rows of zeros above, PB below; -PH rows
 *          are left out where it is negative.
 * FORWARD  y[n,oy,ox,o] = b[o] + sum over ky,kx,c of  w[ky,kx,c,o] x[n, oy SH + ky DLH - PH, ox SW + kx DLW - PW, c]
 *          where x is 0 outside of the image.
 * BACKWARD given dy, each term of the sum above is linear in x, w and b:
 *          db[o]         = sum over n,oy,ox of dy[n,oy,ox,o]
 *          dw[ky,kx,c,o] = sum over n,oy,ox of dy[n,oy,ox,o] x[n, oy SH + ky DLH - PH, ox SW + kx DLW - PW, c]
 *          dx[n,y,x,c]   = sum over ky,kx,o of w[ky,kx,c,o] dy[n,oy,ox,o]  with  oy SH = y + PH - ky DLH,  ox SW = x + PW - kx DLW
 *          so dx is a convolution of dy too: at stride 1 with the kernel turned by 180 degrees and C, O exchanged; at
 *          stride S the pixels (y,x) fall into at most S*S classes by (y + PH) mod SH and (x + PW) mod SW, and within a
 *          class only the taps with ky DLH = y + PH (mod SH) take part: one dense stride-1 convolution a class.
 * NUMERICS as a matrix product one chain of fused multiply-adds an output, (ky,kx,c) ascending, c fastest; dw in chunks
 *          of rows (core.h, tx_gemm_gradient). Winograd's algorithm F(4x4,3x3) for 3x3 kernels at stride 1 where
 *          tx_winograd_pays says so, by channels and map size alone: its error bound is in core/winograd.c.
 *          Batch statistics of y are taken task by task of the matrix product of one group, else in a pass of their own.
 *          Groups are products of slices, one after the other, each by the rules of one convolution; those of few channels
 *          are taken sixteen at a time (conv2d_narrow.c); of one channel, written once, depthwise.c.
 *          dx and dw of a 1x1 kernel at stride 1 and one group in one pass over a dy that a batch norm has left unapplied.
 * MEMORY   forward keeps nothing; backward reads x. The matrix of all patches never exists: it is packed block by block.
 * SOURCE   Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", arXiv:1410.0759 (implicit matrix product);
 *          Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308. Groups: Krizhevsky,
 *          Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 3.5;
 *          Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", arXiv:1611.05431.
 * TESTS    test/layers_conv2d.c, test/layers_grouped.c, test/golden/op_conv.txt
 *
 * What runs backward is in conv2d_backward.c. */
#include "conv2d.h"

#include <math.h>
#include <string.h>

extern const tx_op tx_op_conv2d;

enum {
    CHEAP_ROWS = 64
}; /* a result of at most so many multiply-adds a value may be computed twice to save its memory */

/* Where an input row or column of output position o and tap k lies. */
static int source(int o, int stride, int k, int dilation, int padding)
{
    return o * stride + k * dilation - padding;
}

/* ---------------------------------------------------------------------------------- shape and parameters */

static tx_status conv2d_shape(tx_node *node)
{
    const conv_args *a = node->args;
    const tx_node *x = node->input[0];
    node->h = window_extent(x->h + a->ph + a->pb, a->dlh, a->kh, a->sh);
    node->w = window_extent(x->w + a->pw + a->pr, a->dlw, a->kw, a->sw);
    node->c = a->out;
    double fan_in = (double)group_inputs(node) * a->taps;
    tx_init uniform = {TX_INIT_UNIFORM, 1 / sqrt(fan_in)};
    tx_init init = a->init.kind == TX_INIT_ZERO ? uniform : a->init;
    tx_status status =
        tx_node_param(node, "weight", TX_ROLE_TRAINED, init, 4, (int[]){a->out, group_inputs(node), a->kh, a->kw});
    if (status == TX_OK && a->has_bias)
        status = tx_node_param(node, "bias", TX_ROLE_TRAINED, uniform, 1, &a->out);
    return status;
}

/* A number for one axis: its own if given, else the common one, else what is usual. */
static int pick(int own, int common, int usual)
{
    return own ? own : common ? common : usual;
}

static int in_range(int v, int low, int high)
{
    return v >= low && v <= high;
}

static int pads_in_range(const tx_pads *p)
{
    const int far = TX_MAX_SIDE;
    return in_range(p->top, -far, far) && in_range(p->left, -far, far) && in_range(p->bottom, -far, far) &&
           in_range(p->right, -far, far);
}

/* One group a channel: another operation. */
static tx_node *conv2d_depthwise(tx_graph *graph, tx_node *x, const char *name, const conv_args *a)
{
    depthwise_args args = {.window = {a->kh, a->kw, a->sh, a->sw, a->dlh, a->dlw, a->ph, a->pw},
                           .bottom = a->pb,
                           .right = a->pr,
                           .has_bias = a->has_bias,
                           .init = a->init};
    return tx_graph_add(graph, &tx_op_depthwise, name, &x, 1, &args, sizeof args);
}

tx_node *tx_conv2d(tx_graph *graph, tx_node *x, const char *name, tx_conv2d_args args)
{
    conv_args a = {.out = args.out,
                   .groups = args.groups ? args.groups : 1,
                   .kh = pick(args.kernel_h, args.kernel, 1),
                   .kw = pick(args.kernel_w, args.kernel, 1),
                   .sh = pick(args.stride_h, args.stride, 1),
                   .sw = pick(args.stride_w, args.stride, 1),
                   .ph = pick(args.padding_h, args.padding, 0),
                   .pw = pick(args.padding_w, args.padding, 0),
                   .dlh = pick(args.dilation_h, args.dilation, 1),
                   .dlw = pick(args.dilation_w, args.dilation, 1),
                   .has_bias = !args.no_bias,
                   .init = args.init};
    const char *label = name ? name : "";
    const int largest = TX_MAX_SIDE;
    if (!in_range(a.out, 1, largest) || !in_range(a.kh, 1, MOST_TAPS) || !in_range(a.kw, 1, MOST_TAPS / a.kh) ||
        !in_range(a.sh, 1, largest) || !in_range(a.sw, 1, largest) || !in_range(a.ph, 0, largest) ||
        !in_range(a.pw, 0, largest) || !in_range(a.dlh, 1, largest / a.kh) || !in_range(a.dlw, 1, largest / a.kw))
        return tx_graph_refuse(
            graph,
            "conv2d '%s': %d outputs, kernel %dx%d, stride %dx%d, padding %dx%d, dilation %dx%d, expected "
            "positive numbers up to %d and at most %d taps",
            label, a.out, a.kh, a.kw, a.sh, a.sw, a.ph, a.pw, a.dlh, a.dlw, largest, (int)MOST_TAPS);
    if (!pads_in_range(&args.pads))
        return tx_graph_refuse(graph,
                               "conv2d '%s': padding %d, %d, %d, %d above, left, below, right, expected up to %d",
                               label, args.pads.top, args.pads.left, args.pads.bottom, args.pads.right, largest);
    a.pb = a.ph + args.pads.bottom;
    a.pr = a.pw + args.pads.right;
    a.ph += args.pads.top;
    a.pw += args.pads.left;
    if (a.groups < 1 || a.out % a.groups || (x && x->c % a.groups))
        return tx_graph_refuse(graph,
                               "conv2d '%s': %d groups of %d channels and %d results, expected a divisor of both",
                               label, a.groups, x ? x->c : 0, a.out);
    if (a.groups > 1 && x && a.groups == x->c && a.groups == a.out)
        return conv2d_depthwise(graph, x, name, &a);
    a.taps = a.kh * a.kw;
    for (int t = 0; t < a.taps; t++)
        a.tap[t] = (tx_tap){source(0, a.sh, t / a.kw, a.dlh, a.ph), source(0, a.sw, t % a.kw, a.dlw, a.pw)};
    return tx_graph_add(graph, &tx_op_conv2d, name, &x, 1, &a, sizeof a);
}

/* ---------------------------------------------------------------------------------- the definition */

/* Of the textbook loops; ci and co are the channels of a group. */
typedef struct conv_sizes {
    size_t h, w, c, oh, ow, o, ci, co;
} conv_sizes;

static conv_sizes sizes_of(const tx_node *node)
{
    const tx_node *x = node->input[0];
    return (conv_sizes){.h = (size_t)x->h,
                        .w = (size_t)x->w,
                        .c = (size_t)x->c,
                        .oh = (size_t)node->h,
                        .ow = (size_t)node->w,
                        .o = (size_t)node->c,
                        .ci = (size_t)group_inputs(node),
                        .co = (size_t)group_results(node)};
}

/* The first result of the group that reads channel c. */
static size_t first_of(const conv_sizes *z, size_t c)
{
    return c / z->ci * z->co;
}

/* y = x * w + b */
static void conv2d_reference_forward(tx_reference_step *s)
{
    const conv_args *a = s->node->args;
    conv_sizes z = sizes_of(s->node);
    for (size_t p = 0; p < (size_t)s->n * z.oh * z.ow; p++) {
        size_t n = p / (z.oh * z.ow), oy = p / z.ow % z.oh, ox = p % z.ow;
        double *y = s->y + p * z.o;
        for (size_t o = 0; o < z.o; o++)
            y[o] = a->has_bias ? s->param[1][o] : 0;
        for (int t = 0; t < a->taps; t++) {
            int iy = source((int)oy, a->sh, t / a->kw, a->dlh, a->ph),
                ix = source((int)ox, a->sw, t % a->kw, a->dlw, a->pw);
            if (iy < 0 || ix < 0 || (size_t)iy >= z.h || (size_t)ix >= z.w)
                continue;
            const double *x = s->x[0] + ((n * z.h + (size_t)iy) * z.w + (size_t)ix) * z.c;
            const double *w = s->param[0] + (size_t)t * z.ci * z.o;
            for (size_t c = 0; c < z.c; c++)
                for (size_t o = first_of(&z, c); o < first_of(&z, c) + z.co; o++)
                    y[o] += w[c % z.ci * z.o + o] * x[c];
        }
    }
}

/* db += dy;  dw += x dy;  dx += w dy */
static void conv2d_reference_backward(tx_reference_step *s)
{
    const conv_args *a = s->node->args;
    conv_sizes z = sizes_of(s->node);
    for (size_t p = 0; p < (size_t)s->n * z.oh * z.ow; p++) {
        size_t n = p / (z.oh * z.ow), oy = p / z.ow % z.oh, ox = p % z.ow;
        const double *dy = s->dy + p * z.o;
        for (size_t o = 0; o < z.o && a->has_bias; o++)
            s->dparam[1][o] += dy[o];
        for (int t = 0; t < a->taps; t++) {
            int iy = source((int)oy, a->sh, t / a->kw, a->dlh, a->ph),
                ix = source((int)ox, a->sw, t % a->kw, a->dlw, a->pw);
            if (iy < 0 || ix < 0 || (size_t)iy >= z.h || (size_t)ix >= z.w)
                continue;
            size_t at = ((n * z.h + (size_t)iy) * z.w + (size_t)ix) * z.c;
            for (size_t c = 0; c < z.c; c++) {
                const double *w = s->param[0] + ((size_t)t * z.ci + c % z.ci) * z.o;
                double *dw = s->dparam[0] + ((size_t)t * z.ci + c % z.ci) * z.o, x = s->x[0][at + c], sum = 0;
                for (size_t o = first_of(&z, c); o < first_of(&z, c) + z.co; o++) {
                    dw[o] += x * dy[o];
                    sum += w[o] * dy[o];
                }
                if (s->dx[0])
                    s->dx[0][at + c] += sum;
            }
        }
    }
}

/* ---------------------------------------------------------------------------------- packed weights */

/* prepared holds what forward reads instead of w: packed panels or Winograd's transformed weights, group by group; then scale
 * and shift of a folded batch norm. */
static size_t group_floats(const tx_node *node)
{
    return is_winograd(node) ? winograd_floats(group_inputs(node), group_results(node))
                             : packed_floats(product_rows(node), group_results(node));
}

static size_t packed_bytes(const tx_step *s)
{
    const conv_args *a = s->node->args;
    return sizeof(float) * (size_t)a->groups * group_floats(s->node);
}

static float *packed_of(const tx_step *s, int group)
{
    return (float *)s->prepared + (size_t)group * group_floats(s->node);
}

static float *fold_of(const tx_step *s)
{
    return (float *)(void *)((char *)s->prepared + packed_bytes(s));
}

/* The weight as x's patches meet it: row (tap, c), column o. */
static tx_filter weight_of(const tx_step *s, int group)
{
    const conv_args *a = s->node->args;
    size_t c = (size_t)group_inputs(s->node), o = (size_t)s->node->c;
    return (tx_filter){.data = s->param[0] + group * group_results(s->node),
                       .taps = a->taps,
                       .c = (int)c,
                       .n = group_results(s->node),
                       .tap_step = c * o,
                       .row_step = o,
                       .column_step = 1};
}

/* ---------------------------------------------------------------------------------- what runs */

static void conv2d_plan(const tx_step *s, tx_workspace *space)
{
    const tx_node *node = s->node;
    const conv_args *a = node->args;
    int ci = group_inputs(node), co = group_results(node), narrow = tx_conv2d_is_narrow(node);
    space->prepared = narrow ? tx_conv2d_narrow_prepared(s) : packed_bytes(s) + fold_bytes(s);
    space->cheap = product_rows(node) <= CHEAP_ROWS;
    space->macs = (double)product_rows(node) * (double)node->h * (double)node->w * (double)node->c;
    space->products = is_winograd(node) ? a->groups * tx_winograd_products(node->h, node->w, ci, co) : space->macs;
    space->more_backward = (double)node->h * node->w * node->c; /* dy: for the weight, and for the input */
    if (narrow) {
        space->algorithm = "narrow";
        space->work = tx_conv2d_narrow_work(s);
    } else if (is_winograd(node)) {
        tx_view x = group_view(s, 0);
        space->algorithm = "winograd";
        space->work = tx_winograd_forward_work(s->machine, &x, a->ph, co);
    } else {
        tx_rows rows = patches(s, 0);
        space->algorithm = a->taps == 1 ? "matrix" : "im2col";
        space->work = tx_gemm_forward_work(s->machine, &rows, co);
    }
    space->no_slope = !tx_conv2d_reads_slope(s);
    space->no_reduce = !tx_conv2d_reduces(node);
    if (s->backward)
        space->work_backward = tx_conv2d_backward_work(s);
}

static tx_status conv2d_prepare(tx_step *s)
{
    const conv_args *a = s->node->args;
    if (tx_conv2d_is_narrow(s->node))
        return tx_conv2d_narrow_prepare(s);
    tx_status status = fold_prepare(s, fold_of(s));
    for (int group = 0; group < a->groups && status == TX_OK; group++) {
        tx_filter w = weight_of(s, group);
        status = is_winograd(s->node) ? tx_winograd_pack(s->machine, packed_of(s, group), &w)
                                      : tx_gemm_pack(s->machine, packed_of(s, group), &w);
    }
    return status;
}

/* Tiles do not end where chunks of pixels do, nor groups where vectors of channels do. */
static tx_status pass_moments(const tx_step *s)
{
    tx_view y = {.data = s->y.data, .n = s->n, .h = s->y.h, .w = s->y.w, .c = s->y.c, .ld = s->y.ld};
    const tx_moments *m = &s->moments;
    return m->mean ? tx_channel_moments(s->machine, &y, m->mean, m->variance, m->work) : TX_OK;
}

/* The part of the result that is a group's. */
static tx_target group_target(const tx_step *s, int group)
{
    tx_target y = fused_target(s, s->param[1], fold_of(s));
    size_t first = (size_t)group * (size_t)group_results(s->node);
    y.data += first;
    if (y.bias)
        y.bias += first;
    if (y.scale) {
        y.scale += first;
        y.shift += first;
    }
    if (y.add)
        y.add += first;
    return y;
}

/* Of one group; moments where its product can take them. */
static tx_status group_forward(const tx_step *s, int group, int moments)
{
    const conv_args *a = s->node->args;
    int n = group_results(s->node);
    tx_target y = group_target(s, group);
    if (moments)
        y.moments = s->moments;
    if (is_winograd(s->node)) {
        tx_view x = group_view(s, group);
        return tx_winograd_forward(s->machine, &x, a->ph, packed_of(s, group), n, &y, s->work);
    }
    tx_rows rows = patches(s, group);
    return tx_gemm_forward(s->machine, &rows, packed_of(s, group), n, &y, s->work);
}

static tx_status conv2d_forward(tx_step *s)
{
    const conv_args *a = s->node->args;
    int narrow = tx_conv2d_is_narrow(s->node), moments = a->groups == 1 && !is_winograd(s->node);
    tx_status status = narrow ? tx_conv2d_narrow_forward(s) : TX_OK;
    for (int group = 0; group < a->groups && !narrow && status == TX_OK; group++)
        status = group_forward(s, group, moments);
    return status || moments ? status : pass_moments(s);
}

const tx_op tx_op_conv2d = {
    .name = "conv2d",
    .shape = conv2d_shape,
    .plan = conv2d_plan,
    .prepare = conv2d_prepare,
    .forward = conv2d_forward,
    .backward = tx_conv2d_backward,
    .reference_forward = conv2d_reference_forward,
    .reference_backward = conv2d_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE | TX_READS_SLOPE,
    .fuses = FUSES_ALL,
    .needs = TX_NEEDS_X,
    .traits = TX_FOLDS | TX_MOMENTS | TX_REDUCES,
};
