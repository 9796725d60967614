/* conv2d.c - two-dimensional convolution (cross-correlation, as the field calls it).
 *
 * SHAPES   x (N,H,W,C)  w (KH,KW,C,O) in memory, (O,C,KH,KW) in files  b (O)  y (N,OH,OW,O)
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
 *          Batch statistics of y are taken task by task of the matrix product, else in a pass of their own.
 *          dx and dw of a 1x1 kernel at stride 1 in one pass over a dy that a batch norm has left unapplied.
 * MEMORY   forward keeps nothing; backward reads x. The matrix of all patches never exists: it is packed block by block.
 * SOURCE   Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", arXiv:1410.0759 (implicit matrix product);
 *          Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
 * TESTS    test/layers_conv2d.c, test/golden/op_conv.txt */
#include "layers_private.h"

#include <math.h>
#include <string.h>

extern const tx_op tx_op_conv2d;

enum {
    MOST_TAPS = 225, /* of a kernel: 15 x 15 */
    CHEAP_ROWS = 64  /* a result of at most so many multiply-adds a value may be computed twice to save its memory */
};

typedef struct conv_args {
    int out, kh, kw, sh, sw, dlh, dlw, has_bias;
    int ph, pw, pb, pr; /* padding above, left, below, right */
    int taps;
    tx_init init;
    tx_tap tap[MOST_TAPS]; /* of the forward product: source pixel of output (0,0), in the order of the weight's rows */
} conv_args;

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
    double fan_in = (double)x->c * a->taps;
    tx_init uniform = {TX_INIT_UNIFORM, 1 / sqrt(fan_in)};
    tx_init init = a->init.kind == TX_INIT_ZERO ? uniform : a->init;
    tx_status status = tx_node_param(node, "weight", TX_ROLE_TRAINED, init, 4, (int[]){a->out, x->c, a->kh, a->kw});
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
    if (args.groups > 1 && x && args.groups == x->c && args.groups == a.out)
        return conv2d_depthwise(graph, x, name, &a);
    if (args.groups != 0 && args.groups != 1)
        return tx_graph_refuse(graph, "conv2d '%s': %d groups, this version has one, or one a channel", label,
                               args.groups);
    a.taps = a.kh * a.kw;
    for (int t = 0; t < a.taps; t++)
        a.tap[t] = (tx_tap){source(0, a.sh, t / a.kw, a.dlh, a.ph), source(0, a.sw, t % a.kw, a.dlw, a.pw)};
    return tx_graph_add(graph, &tx_op_conv2d, name, &x, 1, &a, sizeof a);
}

/* ---------------------------------------------------------------------------------- the definition */

/* Calls of the textbook loops: every (output, tap) pair whose source pixel lies inside the image. */
typedef struct conv_sizes {
    size_t h, w, c, oh, ow, o;
} conv_sizes;

static conv_sizes sizes_of(const tx_node *node)
{
    const tx_node *x = node->input[0];
    return (conv_sizes){(size_t)x->h, (size_t)x->w, (size_t)x->c, (size_t)node->h, (size_t)node->w, (size_t)node->c};
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
            const double *w = s->param[0] + (size_t)t * z.c * z.o;
            for (size_t c = 0; c < z.c; c++)
                for (size_t o = 0; o < z.o; o++)
                    y[o] += w[c * z.o + o] * x[c];
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
                const double *w = s->param[0] + ((size_t)t * z.c + c) * z.o;
                double *dw = s->dparam[0] + ((size_t)t * z.c + c) * z.o, x = s->x[0][at + c], sum = 0;
                for (size_t o = 0; o < z.o; o++) {
                    dw[o] += x * dy[o];
                    sum += w[o] * dy[o];
                }
                if (s->dx[0])
                    s->dx[0][at + c] += sum;
            }
        }
    }
}

/* ---------------------------------------------------------------------------------- algorithm and packed weights */

static int is_winograd(const tx_node *node)
{
    const conv_args *a = node->args;
    return a->kh == 3 && a->kw == 3 && a->sh == 1 && a->sw == 1 && a->dlh == 1 && a->dlw == 1 && a->ph == a->pw &&
           a->ph == a->pb && a->ph == a->pr && a->ph >= 0 && a->ph <= 2 &&
           tx_winograd_pays(node->h, node->w, node->input[0]->c, node->c);
}

/* The matrix of patches: a row an output pixel, (ky,kx,c) its columns. */
static tx_rows patches(const tx_step *s)
{
    const conv_args *a = s->node->args;
    return (tx_rows){.x = s->x[0],
                     .grid_h = s->node->h,
                     .grid_w = s->node->w,
                     .step_y = a->sh,
                     .step_x = a->sw,
                     .taps = a->taps,
                     .tap = a->tap};
}

static size_t product_rows(const tx_node *node)
{
    return (size_t)((const conv_args *)node->args)->taps * (size_t)node->input[0]->c;
}

/* Floats of a packed K x n matrix, rounded up so that what follows is aligned to 64 bytes. */
static size_t packed_floats(size_t k, int n)
{
    return (tx_gemm_packed(k, (size_t)n) + 15) / 16 * 16;
}

static size_t winograd_floats(int k, int n)
{
    return (tx_winograd_packed(k, n) + 15) / 16 * 16;
}

/* prepared holds what forward reads instead of w: packed panels or Winograd's transformed weights; then scale and shift of a
 * folded batch norm. */
static size_t packed_bytes(const tx_step *s)
{
    const tx_node *node = s->node;
    return sizeof(float) * (is_winograd(node) ? winograd_floats(node->input[0]->c, node->c)
                                              : packed_floats(product_rows(node), node->c));
}

/* The weight as x's patches meet it: row (tap, c), column o. */
static tx_filter weight_of(const tx_step *s)
{
    const conv_args *a = s->node->args;
    size_t c = (size_t)s->node->input[0]->c, o = (size_t)s->node->c;
    return (tx_filter){.data = s->param[0],
                       .taps = a->taps,
                       .c = (int)c,
                       .n = (int)o,
                       .tap_step = c * o,
                       .row_step = o,
                       .column_step = 1};
}

static float *fold_of(const tx_step *s)
{
    return (float *)(void *)((char *)s->prepared + packed_bytes(s));
}

/* ---------------------------------------------------------------------------------- gradients */

/* Rows or columns of the input that belong to one class, first + j stride for j < size, and the taps that reach them: tap
 * k[t] meets dy at place[t] + j. */
typedef struct axis_class {
    int first, size, taps;
    int k[MOST_TAPS], place[MOST_TAPS];
} axis_class;

typedef struct axis {
    int n, kernel, stride, padding, dilation;
} axis;

static axis rows_of(const tx_node *node)
{
    const conv_args *a = node->args;
    return (axis){node->input[0]->h, a->kh, a->sh, a->ph, a->dlh};
}

static axis columns_of(const tx_node *node)
{
    const conv_args *a = node->args;
    return (axis){node->input[0]->w, a->kw, a->sw, a->pw, a->dlw};
}

/* A class begins at each of the first positions; those beyond the image would be empty. */
static int classes_of(const axis *a)
{
    return a->stride < a->n ? a->stride : a->n;
}

static void find_axis_class(const axis *a, int first, axis_class *c)
{
    c->first = first;
    c->size = (a->n - first + a->stride - 1) / a->stride;
    c->taps = 0;
    for (int k = 0; k < a->kernel; k++) {
        int at = first + a->padding - k * a->dilation;
        if (at % a->stride != 0)
            continue;
        c->k[c->taps] = k;
        c->place[c->taps++] = at / a->stride;
    }
}

/* One class of input pixels and the taps that reach it: as rows of dy's patches and as rows of the weight. */
typedef struct pixel_class {
    int y0, x0, gh, gw;
    int taps;
    tx_tap tap[MOST_TAPS];
    int weight[MOST_TAPS];
} pixel_class;

static void join_classes(const axis_class *y, const axis_class *x, int kernel_w, pixel_class *k)
{
    k->y0 = y->first;
    k->x0 = x->first;
    k->gh = y->size;
    k->gw = x->size;
    k->taps = 0;
    for (int i = 0; i < y->taps; i++)
        for (int j = 0; j < x->taps; j++) {
            k->tap[k->taps] = (tx_tap){y->place[i], x->place[j]};
            k->weight[k->taps++] = y->k[i] * kernel_w + x->k[j];
        }
}

/* Patches of dy: its rows are the pixels of a class. */
static tx_rows gradient_rows(const tx_step *s, const pixel_class *k)
{
    tx_view dy = {.data = s->dy.g.data, .n = s->n, .h = s->node->h, .w = s->node->w, .c = s->node->c, .ld = s->dy.g.ld};
    return (tx_rows){
        .x = dy, .grid_h = k->gh, .grid_w = k->gw, .step_y = 1, .step_x = 1, .taps = k->taps, .tap = k->tap};
}

/* The weight as dy's patches meet it: row (tap, o), column c. */
static tx_filter transposed_weight(const tx_step *s, const pixel_class *k)
{
    size_t c = (size_t)s->node->input[0]->c, o = (size_t)s->node->c;
    return (tx_filter){.data = s->param[0],
                       .taps = k->taps,
                       .c = (int)o,
                       .n = (int)c,
                       .tap = k->weight,
                       .tap_step = c * o,
                       .row_step = 1,
                       .column_step = o};
}

/* A product whose rows are all pixels of dx takes the sums for the batch norm before. */
static int reduces(const tx_node *node)
{
    const conv_args *a = node->args;
    return a->sh == 1 && a->sw == 1 && !is_winograd(node);
}

static const tx_reduction *wanted_sums(const tx_step *s)
{
    return s->reduce.sum_g ? &s->reduce : NULL;
}

static tx_target gradient_target(const tx_step *s, const pixel_class *k, int step_y, int step_x)
{
    const tx_gradient *dx = &s->dx[0];
    return (tx_target){.data = dx->data,
                       .ld = dx->ld,
                       .h = s->x[0].h,
                       .w = s->x[0].w,
                       .step_y = step_y,
                       .step_x = step_x,
                       .offset_y = k->y0,
                       .offset_x = k->x0,
                       .add = dx->add,
                       .add_ld = dx->add_ld,
                       .reduce = wanted_sums(s)};
}

/* dx of one class of pixels, step_y and step_x apart. */
static tx_status class_gradient(const tx_step *s, const pixel_class *k, int step_y, int step_x)
{
    tx_rows rows = gradient_rows(s, k);
    tx_filter w = transposed_weight(s, k);
    tx_target dx = gradient_target(s, k, step_y, step_x);
    float *packed = s->work, *work = packed + packed_floats((size_t)k->taps * (size_t)w.c, w.n);
    tx_status status = tx_gemm_pack(s->machine, packed, &w);
    return status ? status : tx_gemm_forward(s->machine, &rows, packed, w.n, &dx, work);
}

/* Of many classes most have no tap: then all pixels get what they have without one at first. */
static int has_many_classes(const tx_node *node)
{
    axis rows = rows_of(node), columns = columns_of(node);
    return (double)classes_of(&rows) * classes_of(&columns) > 64;
}

static pixel_class whole_map(const tx_node *node)
{
    return (pixel_class){.gh = node->input[0]->h, .gw = node->input[0]->w};
}

static tx_status input_gradient_by_class(const tx_step *s)
{
    axis rows = rows_of(s->node), columns = columns_of(s->node);
    axis_class y, x;
    pixel_class k = whole_map(s->node);
    int filled = has_many_classes(s->node);
    tx_status status = filled ? class_gradient(s, &k, 1, 1) : TX_OK;
    for (int i = 0; i < classes_of(&rows); i++) {
        find_axis_class(&rows, i, &y);
        for (int j = 0; j < classes_of(&columns) && !(filled && y.taps == 0); j++) {
            find_axis_class(&columns, j, &x);
            if (status || (filled && x.taps == 0))
                continue;
            join_classes(&y, &x, columns.kernel, &k);
            status = class_gradient(s, &k, rows.stride, columns.stride);
        }
    }
    return status;
}

static tx_status input_gradient(const tx_step *s)
{
    const conv_args *a = s->node->args;
    if (!is_winograd(s->node))
        return input_gradient_by_class(s);
    axis rows = rows_of(s->node), columns = columns_of(s->node);
    axis_class y, x;
    pixel_class k; /* there is one, and its taps are those of the turned kernel, last to first */
    find_axis_class(&rows, 0, &y);
    find_axis_class(&columns, 0, &x);
    join_classes(&y, &x, columns.kernel, &k);
    for (int t = 0; t < k.taps; t++)
        k.weight[t] = k.taps - 1 - t;
    tx_view dy = gradient_rows(s, &k).x;
    tx_target dx = gradient_target(s, &k, 1, 1);
    tx_filter w = transposed_weight(s, &k);
    float *packed = s->work, *work = packed + winograd_floats(w.c, w.n);
    tx_status status = tx_winograd_pack(s->machine, packed, &w);
    return status ? status : tx_winograd_forward(s->machine, &dy, 2 - a->ph, packed, w.n, &dx, work);
}

/* dw, and db as the column sums of dy. */
static tx_status weight_gradient(const tx_step *s)
{
    const conv_args *a = s->node->args;
    tx_view dy = {.data = s->dy.g.data, .n = s->n, .h = s->node->h, .w = s->node->w, .c = s->node->c, .ld = s->dy.g.ld};
    tx_status status = TX_OK;
    if (s->grad[0] && is_winograd(s->node)) {
        status = tx_winograd_gradient(s->machine, s->grad[0], &s->x[0], a->ph, &dy, 0, s->work);
    } else if (s->grad[0]) {
        tx_rows rows = patches(s);
        status = tx_gemm_gradient(s->machine, s->grad[0], &rows, &dy, 0, s->work);
    }
    if (status == TX_OK && s->grad[1]) {
        double *sum = s->work;
        status = tx_channel_total(s->machine, &dy, sum, sum + (s->node->c + 7) / 8 * 8);
        for (int o = 0; o < s->node->c; o++)
            s->grad[1][o] = (float)sum[o];
    }
    return status;
}

/* Rows are pixels, and both gradients are taken in one pass where a batch norm is still to be applied to dy. */
static int reads_slope(const tx_step *s)
{
    const tx_node *node = s->node;
    const conv_args *a = node->args;
    return a->taps == 1 && a->sh == 1 && a->sw == 1 && a->tap[0].y == 0 && a->tap[0].x == 0 &&
           node->h == node->input[0]->h && node->w == node->input[0]->w && !a->has_bias &&
           tx_gemm_gradients_pay(s->machine, &s->x[0], node->c);
}

/* dx and dw where the batch norm behind is still to be applied to dy. */
static tx_status slope_gradients(const tx_step *s)
{
    pixel_class k = whole_map(s->node);
    k.taps = 1;
    tx_filter w = transposed_weight(s, &k);
    float *packed = s->work, *work = packed + packed_floats((size_t)w.c, w.n);
    tx_status status = s->dx[0].data ? tx_gemm_pack(s->machine, packed, &w) : TX_OK;
    return status
               ? status
               : tx_gemm_gradients(s->machine, &s->x[0], packed, &s->dy, &s->dx[0], wanted_sums(s), s->grad[0], work);
}

static tx_status conv2d_backward(tx_step *s)
{
    if (s->dy.x.data)
        return slope_gradients(s);
    tx_status status = weight_gradient(s);
    return status || !s->dx[0].data ? status : input_gradient(s);
}

/* What the scratch of a class depends on, along an axis. */
enum { MOST_KINDS = 2 * (MOST_TAPS + 1) };
typedef struct axis_kind {
    int size, taps;
} axis_kind;

/* The kinds of an axis's classes; returns how many. Sizes differ by one at most. */
static int find_kinds(const axis *a, axis_kind kind[MOST_KINDS])
{
    int kinds = 0;
    for (int i = 0; i < classes_of(a); i++) {
        axis_class c;
        find_axis_class(a, i, &c);
        int k = 0;
        while (k < kinds && (kind[k].size != c.size || kind[k].taps != c.taps))
            k++;
        kind[k] = (axis_kind){c.size, c.taps};
        kinds += k == kinds;
    }
    return kinds;
}

/* Scratch of one class of the input's gradient: the packed weight and the product's own. */
static size_t class_work(const tx_step *s, int h, int w, int taps)
{
    static const tx_tap unread;
    tx_view dy = {.n = s->n, .h = s->node->h, .w = s->node->w, .c = s->node->c, .ld = s->dy.g.ld};
    tx_rows rows = {.x = dy, .grid_h = h, .grid_w = w, .step_y = 1, .step_x = 1, .taps = taps, .tap = &unread};
    return packed_floats((size_t)taps * (size_t)s->node->c, s->x[0].c) * sizeof(float) +
           tx_gemm_forward_work(s->machine, &rows, s->x[0].c);
}

static size_t classes_work(const tx_step *s)
{
    axis_kind y[MOST_KINDS], x[MOST_KINDS];
    axis rows = rows_of(s->node), columns = columns_of(s->node);
    int ys = find_kinds(&rows, y), xs = find_kinds(&columns, x);
    size_t bytes = has_many_classes(s->node) ? class_work(s, rows.n, columns.n, 0) : 0;
    for (int i = 0; i < ys; i++)
        for (int j = 0; j < xs; j++)
            bytes = tx_size_max(bytes, class_work(s, y[i].size, x[j].size, y[i].taps * x[j].taps));
    return bytes;
}

static size_t backward_work(const tx_step *s)
{
    const conv_args *a = s->node->args;
    const tx_node *node = s->node;
    tx_view dy = {.n = s->n, .h = node->h, .w = node->w, .c = node->c, .ld = s->dy.g.ld};
    size_t bytes = 0;
    if (is_winograd(node)) {
        bytes = tx_size_max(tx_winograd_gradient_work(s->machine, &s->x[0], a->ph, node->c),
                            winograd_floats(node->c, s->x[0].c) * sizeof(float) +
                                tx_winograd_forward_work(s->machine, &dy, 2 - a->ph, s->x[0].c));
    } else {
        tx_rows rows = patches(s);
        bytes = tx_size_max(tx_gemm_gradient_work(s->machine, &rows, node->c), classes_work(s));
    }
    if (reads_slope(s))
        bytes = tx_size_max(bytes, packed_floats((size_t)node->c, s->x[0].c) * sizeof(float) +
                                       tx_gemm_gradients_work(s->machine, &s->x[0], node->c));
    size_t sums =
        ((size_t)node->c + 7) / 8 * 64 + tx_channel_work((size_t)s->n * (size_t)node->h * (size_t)node->w, node->c);
    return a->has_bias ? tx_size_max(bytes, sums) : bytes;
}

/* ---------------------------------------------------------------------------------- forward */

static void conv2d_plan(const tx_step *s, tx_workspace *space)
{
    const tx_node *node = s->node;
    const conv_args *a = node->args;
    space->prepared = packed_bytes(s) + fold_bytes(s);
    space->cheap = product_rows(node) <= CHEAP_ROWS;
    space->macs = (double)product_rows(node) * (double)node->h * (double)node->w * (double)node->c;
    space->products =
        is_winograd(node) ? tx_winograd_products(node->h, node->w, node->input[0]->c, node->c) : space->macs;
    space->more_backward = (double)node->h * node->w * node->c; /* dy: for the weight, and for the input */
    if (is_winograd(node)) {
        space->algorithm = "winograd";
        space->work = tx_winograd_forward_work(s->machine, &s->x[0], a->ph, node->c);
    } else {
        tx_rows rows = patches(s);
        space->algorithm = a->taps == 1 ? "matrix" : "im2col";
        space->work = tx_gemm_forward_work(s->machine, &rows, node->c);
    }
    space->no_slope = !reads_slope(s);
    space->no_reduce = !reduces(node);
    if (s->backward)
        space->work_backward = backward_work(s);
}

static tx_status conv2d_prepare(tx_step *s)
{
    tx_filter w = weight_of(s);
    tx_status status = fold_prepare(s, fold_of(s));
    if (status)
        return status;
    if (!is_winograd(s->node))
        return tx_gemm_pack(s->machine, s->prepared, &w);
    return tx_winograd_pack(s->machine, s->prepared, &w);
}

/* Tiles do not end where chunks of pixels do. */
static tx_status pass_moments(const tx_step *s)
{
    tx_view y = {.data = s->y.data, .n = s->n, .h = s->y.h, .w = s->y.w, .c = s->y.c, .ld = s->y.ld};
    const tx_moments *m = &s->moments;
    return m->mean ? tx_channel_moments(s->machine, &y, m->mean, m->variance, m->work) : TX_OK;
}

static tx_status conv2d_forward(tx_step *s)
{
    const conv_args *a = s->node->args;
    tx_target y = fused_target(s, s->param[1], fold_of(s));
    if (is_winograd(s->node)) {
        tx_status status = tx_winograd_forward(s->machine, &s->x[0], a->ph, s->prepared, s->node->c, &y, s->work);
        return status ? status : pass_moments(s);
    }
    y.moments = s->moments;
    tx_rows rows = patches(s);
    return tx_gemm_forward(s->machine, &rows, s->prepared, s->node->c, &y, s->work);
}

const tx_op tx_op_conv2d = {
    .name = "conv2d",
    .shape = conv2d_shape,
    .plan = conv2d_plan,
    .prepare = conv2d_prepare,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .reference_forward = conv2d_reference_forward,
    .reference_backward = conv2d_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE | TX_READS_SLOPE,
    .fuses = FUSES_ALL,
    .needs = TX_NEEDS_X,
    .traits = TX_FOLDS | TX_MOMENTS | TX_REDUCES,
};
