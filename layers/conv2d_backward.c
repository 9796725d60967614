/* conv2d_backward.c - the gradients of convolution, as conv2d.c derives them: the pixels of dx in classes, each a product of
 * patches of dy, or one of Winograd's; dw as a product of x's patches and dy; of each group by itself. */
#include "conv2d.h"

#include <string.h>

/* ---------------------------------------------------------------------------------- classes of pixels */

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

/* The slice of dy that a group has written. */
static tx_view group_gradient(const tx_step *s, int group)
{
    tx_view dy = {.n = s->n, .h = s->node->h, .w = s->node->w, .c = group_results(s->node), .ld = s->dy.g.ld};
    dy.data = s->dy.g.data ? s->dy.g.data + group * dy.c : NULL;
    return dy;
}

/* Patches of dy: its rows are the pixels of a class. */
static tx_rows gradient_rows(const tx_step *s, const pixel_class *k, int group)
{
    return (tx_rows){.x = group_gradient(s, group),
                     .grid_h = k->gh,
                     .grid_w = k->gw,
                     .step_y = 1,
                     .step_x = 1,
                     .taps = k->taps,
                     .tap = k->tap};
}

/* The weight as dy's patches meet it: row (tap, o), column c. */
static tx_filter transposed_weight(const tx_step *s, const pixel_class *k, int group)
{
    int n = group_results(s->node);
    size_t c = (size_t)group_inputs(s->node), o = (size_t)s->node->c;
    return (tx_filter){.data = s->param[0] + group * n,
                       .taps = k->taps,
                       .c = n,
                       .n = (int)c,
                       .tap = k->weight,
                       .tap_step = c * o,
                       .row_step = 1,
                       .column_step = o};
}

/* A product whose rows are all pixels of dx takes the sums for the batch norm before. */
int tx_conv2d_reduces(const tx_node *node)
{
    const conv_args *a = node->args;
    return a->groups == 1 && a->sh == 1 && a->sw == 1 && !is_winograd(node);
}

static const tx_reduction *wanted_sums(const tx_step *s)
{
    return s->reduce.sum_g ? &s->reduce : NULL;
}

static tx_target gradient_target(const tx_step *s, const pixel_class *k, int group, int step_y, int step_x)
{
    const tx_gradient *dx = &s->dx[0];
    size_t first = (size_t)group * (size_t)group_inputs(s->node);
    return (tx_target){.data = dx->data + first,
                       .ld = dx->ld,
                       .h = s->x[0].h,
                       .w = s->x[0].w,
                       .step_y = step_y,
                       .step_x = step_x,
                       .offset_y = k->y0,
                       .offset_x = k->x0,
                       .add = dx->add ? dx->add + first : NULL,
                       .add_ld = dx->add_ld,
                       .reduce = wanted_sums(s)};
}

/* dx of one class of pixels, step_y and step_x apart. */
static tx_status class_gradient(const tx_step *s, const pixel_class *k, int group, int step_y, int step_x)
{
    tx_rows rows = gradient_rows(s, k, group);
    tx_filter w = transposed_weight(s, k, group);
    tx_target dx = gradient_target(s, k, group, step_y, step_x);
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

static tx_status input_gradient_by_class(const tx_step *s, int group)
{
    axis rows = rows_of(s->node), columns = columns_of(s->node);
    axis_class y, x;
    pixel_class k = whole_map(s->node);
    int filled = has_many_classes(s->node);
    tx_status status = filled ? class_gradient(s, &k, group, 1, 1) : TX_OK;
    for (int i = 0; i < classes_of(&rows); i++) {
        find_axis_class(&rows, i, &y);
        for (int j = 0; j < classes_of(&columns) && !(filled && y.taps == 0); j++) {
            find_axis_class(&columns, j, &x);
            if (status || (filled && x.taps == 0))
                continue;
            join_classes(&y, &x, columns.kernel, &k);
            status = class_gradient(s, &k, group, rows.stride, columns.stride);
        }
    }
    return status;
}

static tx_status input_gradient(const tx_step *s, int group)
{
    const conv_args *a = s->node->args;
    if (!is_winograd(s->node))
        return input_gradient_by_class(s, group);
    axis rows = rows_of(s->node), columns = columns_of(s->node);
    axis_class y, x;
    pixel_class k; /* there is one, and its taps are those of the turned kernel, last to first */
    find_axis_class(&rows, 0, &y);
    find_axis_class(&columns, 0, &x);
    join_classes(&y, &x, columns.kernel, &k);
    for (int t = 0; t < k.taps; t++)
        k.weight[t] = k.taps - 1 - t;
    tx_view dy = group_gradient(s, group);
    tx_target dx = gradient_target(s, &k, group, 1, 1);
    tx_filter w = transposed_weight(s, &k, group);
    float *packed = s->work, *work = packed + winograd_floats(w.c, w.n);
    tx_status status = tx_winograd_pack(s->machine, packed, &w);
    return status ? status : tx_winograd_forward(s->machine, &dy, 2 - a->ph, packed, w.n, &dx, work);
}

/* Floats of a group's weight that waits for its place among the columns of the others, rounded up as packed ones are. */
static size_t part_floats(const tx_node *node)
{
    const conv_args *a = node->args;
    return a->groups == 1 ? 0 : (product_rows(node) * (size_t)group_results(node) + 15) / 16 * 16;
}

static tx_status weight_gradient(const tx_step *s, int group)
{
    const conv_args *a = s->node->args;
    tx_view dy = group_gradient(s, group), x = group_view(s, group);
    tx_rows rows = patches(s, group);
    float *part = a->groups == 1 ? s->grad[0] : s->work, *work = (float *)s->work + part_floats(s->node);
    tx_status status = is_winograd(s->node) ? tx_winograd_gradient(s->machine, part, &x, a->ph, &dy, 0, work)
                                            : tx_gemm_gradient(s->machine, part, &rows, &dy, 0, work);
    if (status || a->groups == 1)
        return status;
    size_t columns = (size_t)dy.c, o = (size_t)s->node->c;
    for (size_t k = 0; k < product_rows(s->node); k++)
        memcpy(s->grad[0] + k * o + (size_t)group * columns, part + k * columns, columns * sizeof(float));
    return TX_OK;
}

/* db: the column sums of dy. */
static tx_status bias_gradient(const tx_step *s)
{
    int o = s->node->c;
    tx_view dy = {.data = s->dy.g.data, .n = s->n, .h = s->node->h, .w = s->node->w, .c = o, .ld = s->dy.g.ld};
    double *sum = s->work;
    tx_status status = tx_channel_total(s->machine, &dy, sum, sum + (o + 7) / 8 * 8);
    for (int k = 0; k < o; k++)
        s->grad[1][k] = (float)sum[k];
    return status;
}

/* Rows are pixels, and both gradients are taken in one pass where a batch norm is still to be applied to dy. */
int tx_conv2d_reads_slope(const tx_step *s)
{
    const tx_node *node = s->node;
    const conv_args *a = node->args;
    return a->groups == 1 && a->taps == 1 && a->sh == 1 && a->sw == 1 && a->tap[0].y == 0 && a->tap[0].x == 0 &&
           node->h == node->input[0]->h && node->w == node->input[0]->w && !a->has_bias &&
           tx_gemm_gradients_pay(s->machine, &s->x[0], node->c);
}

/* dx and dw where the batch norm behind is still to be applied to dy. */
static tx_status slope_gradients(const tx_step *s)
{
    pixel_class k = whole_map(s->node);
    k.taps = 1;
    tx_filter w = transposed_weight(s, &k, 0);
    float *packed = s->work, *work = packed + packed_floats((size_t)w.c, w.n);
    tx_status status = s->dx[0].data ? tx_gemm_pack(s->machine, packed, &w) : TX_OK;
    return status
               ? status
               : tx_gemm_gradients(s->machine, &s->x[0], packed, &s->dy, &s->dx[0], wanted_sums(s), s->grad[0], work);
}

tx_status tx_conv2d_backward(tx_step *s)
{
    const conv_args *a = s->node->args;
    if (s->dy.x.data)
        return slope_gradients(s);
    tx_status status = s->grad[1] ? bias_gradient(s) : TX_OK;
    if (status == TX_OK && tx_conv2d_is_narrow(s->node))
        return tx_conv2d_narrow_backward(s);
    for (int group = 0; group < a->groups && status == TX_OK; group++) {
        if (s->grad[0])
            status = weight_gradient(s, group);
        if (status == TX_OK && s->dx[0].data)
            status = input_gradient(s, group);
    }
    return status;
}

/* ---------------------------------------------------------------------------------- scratch */

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
    int ci = group_inputs(s->node), co = group_results(s->node);
    tx_rows rows = {.grid_h = h, .grid_w = w, .step_y = 1, .step_x = 1, .taps = taps, .tap = &unread};
    rows.x = group_gradient(s, 0);
    return packed_floats((size_t)taps * (size_t)co, ci) * sizeof(float) + tx_gemm_forward_work(s->machine, &rows, ci);
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

static size_t weight_work(const tx_step *s)
{
    const conv_args *a = s->node->args;
    tx_view x = group_view(s, 0);
    tx_rows rows = patches(s, 0);
    int co = group_results(s->node);
    return part_floats(s->node) * sizeof(float) + (is_winograd(s->node)
                                                       ? tx_winograd_gradient_work(s->machine, &x, a->ph, co)
                                                       : tx_gemm_gradient_work(s->machine, &rows, co));
}

static size_t input_work(const tx_step *s)
{
    const conv_args *a = s->node->args;
    tx_view dy = group_gradient(s, 0);
    int ci = group_inputs(s->node);
    return is_winograd(s->node)
               ? winograd_floats(dy.c, ci) * sizeof(float) + tx_winograd_forward_work(s->machine, &dy, 2 - a->ph, ci)
               : classes_work(s);
}

size_t tx_conv2d_backward_work(const tx_step *s)
{
    const conv_args *a = s->node->args;
    const tx_node *node = s->node;
    size_t bytes =
        tx_conv2d_is_narrow(node) ? tx_conv2d_narrow_backward_work(s) : tx_size_max(weight_work(s), input_work(s));
    if (tx_conv2d_reads_slope(s))
        bytes = tx_size_max(bytes, packed_floats((size_t)node->c, s->x[0].c) * sizeof(float) +
                                       tx_gemm_gradients_work(s->machine, &s->x[0], node->c));
    size_t sums =
        ((size_t)node->c + 7) / 8 * 64 + tx_channel_work((size_t)s->n * (size_t)node->h * (size_t)node->w, node->c);
    return a->has_bias ? tx_size_max(bytes, sums) : bytes;
}
