/* nasnet.c - NASNet-A-Mobile (4 @ 1056).
 *
 * Zoph, Vasudevan, Shlens, Le: "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018,
 * arXiv:1707.07012, figure 4 and appendix A; widths, names and the cells' first halves as in Cadene's pretrained-models.
 *
 *   cell                output   kind                f    channels behind it
 *   conv0               1/2      3x3, stride 2            32
 *   cell_stem_0         1/4      reduction           11   44
 *   cell_stem_1         1/8      reduction           22   88
 *   cell_0, 1, 2, 3     1/8      normal              44   264
 *   reduction_cell_0    1/16     reduction           88   352
 *   cell_6, 7, 8, 9     1/16     normal              88   528
 *   reduction_cell_1    1/32     reduction           176  704
 *   cell_12, .. 15      1/32     normal              176  1056
 *                       1x1      global mean, dropout 0.5, linear
 *   parameters (1000)            5,289,978
 *
 * A cell reads the last two outputs, each brought to f channels: c is the last one, p the one before.
 *
 *   sum   normal cell                 reduction cell, -: at stride 2
 *   0     5x5(c) + 3x3(p)             -5x5(c) + -7x7(p)
 *   1     5x5(p) + 3x3(p)             -max(c) + -7x7(p)
 *   2     average(c) + p              -average(c) + -5x5(p)
 *   3     average(p) + average(p)     average(sum 0) + sum 1
 *   4     3x3(c) + c                  3x3(sum 0) + -max(c)
 *   out   p, sums 0 to 4: 6 f         sums 1 to 4: 4 f
 *
 * KxK is a separable convolution twice: ReLU, depthwise KxK, 1x1, batch norm (eps 1e-3, momentum 0.1), the stride the first
 * one's. Pools are 3x3, an average is that of the pixels on the map. ReLU stands in front of a convolution, never behind a
 * batch norm, a sum or a concatenation; a cell's output and conv0's are read by convolutions and the last mean alone, each
 * behind a ReLU, so it is put behind them here.
 * At stride 2 the windows begin k / 2 before the map, on sides of an even number of pixels one pixel later: "same" padding as
 * TensorFlow has it. Only cell_stem_0's always begin k / 2 before it.
 * Where the last but one output has twice the side of the last, p is half of its channels of the even rows and columns, half
 * of the odd ones.
 * Initial values: convolutions and the linear layer U(1/sqrt(fan_in)), batch norm 1 and 0.
 * A cut leaves the first cell of a resolution as the last: it removes cells 13 to 15, then 7 to 9, reduction_cell_1 and
 * cell_12, .. */
#include "blocks.h"

enum { BLOCKS = 3, CELLS = 16 };
/* Of cells that are left with 3, 2, .. blocks cut. */
static const int cells_of[BLOCKS + 1] = {3, 8, 13, CELLS};

typedef struct nasnet_cell {
    const char *name;
    int width, reduces;
} nasnet_cell;

static const nasnet_cell cells[CELLS] = {
    {"cell_stem_0", 11, 1}, {"cell_stem_1", 22, 1}, {"cell_0", 44, 0},           {"cell_1", 44, 0},
    {"cell_2", 44, 0},      {"cell_3", 44, 0},      {"reduction_cell_0", 88, 1}, {"cell_6", 88, 0},
    {"cell_7", 88, 0},      {"cell_8", 88, 0},      {"cell_9", 88, 0},           {"reduction_cell_1", 176, 1},
    {"cell_12", 176, 0},    {"cell_13", 176, 0},    {"cell_14", 176, 0},         {"cell_15", 176, 0},
};

/* A value as pools and sums read it, and as convolutions do. */
typedef struct operand {
    tx_node *raw, *rectified;
} operand;

static operand rectify(tx_graph *g, tx_node *x)
{
    return (operand){x, tx_relu(g, x)};
}

static tx_node *norm(tx_graph *g, tx_node *x, const char *name)
{
    return tx_batchnorm(g, x, name, (tx_batchnorm_args){.eps = 1e-3});
}

static tx_node *conv_norm(tx_graph *g, tx_node *x, const char *scope, tx_conv2d_args args)
{
    args.no_bias = 1;
    tx_graph_enter(g, "%s", scope);
    x = norm(g, tx_conv2d(g, x, "conv", args), "bn");
    tx_graph_leave(g);
    return x;
}

/* How the windows of a cell's steps stand on the map. */
typedef struct stepping {
    int stride;
    int late; /* at stride 2 they begin one pixel later on even sides */
} stepping;

static const stepping dense = {1, 0};

/* What is taken off k / 2 pixels of padding in front. */
static tx_pads late_pads(const tx_node *x, stepping by)
{
    int late = x && by.stride == 2 && by.late;
    return (tx_pads){.top = late && x->h % 2 == 0 ? -1 : 0, .left = late && x->w % 2 == 0 ? -1 : 0};
}

/* Depthwise convolution, 1x1 convolution to `out` channels, batch norm. */
static tx_node *separable(tx_graph *g, tx_node *x, int number, int kernel, int out, stepping by)
{
    tx_graph_enter(g, "separable_%d", number);
    x = tx_conv2d(g, x, "depthwise_conv2d",
                  (tx_conv2d_args){.out = x ? x->c : 1,
                                   .kernel = kernel,
                                   .stride = by.stride,
                                   .padding = kernel / 2,
                                   .pads = late_pads(x, by),
                                   .groups = x ? x->c : 1,
                                   .no_bias = 1});
    x = tx_conv2d(g, x, "pointwise_conv2d", (tx_conv2d_args){.out = out, .no_bias = 1});
    tx_graph_leave(g);
    return norm(g, x, number == 1 ? "bn_sep_1" : "bn_sep_2");
}

/* KxK of the head comment: a term of sum number `sum`. */
static tx_node *twice(tx_graph *g, operand x, int sum, const char *side, int kernel, int out, stepping by)
{
    tx_graph_enter(g, "comb_iter_%d_%s", sum, side);
    tx_node *y = separable(g, x.rectified, 1, kernel, out, by);
    y = separable(g, tx_relu(g, y), 2, kernel, out, dense);
    tx_graph_leave(g);
    return y;
}

static tx_node *average(tx_graph *g, tx_node *x, stepping by)
{
    return tx_avg_pool(g, x, (tx_pool_args){.kernel = 3, .stride = by.stride, .padding = 1, .pads = late_pads(x, by)});
}

static tx_node *largest(tx_graph *g, tx_node *x, stepping by)
{
    return tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = by.stride, .padding = 1, .pads = late_pads(x, by)});
}

/* Sums and concatenation; f are the channels of each. */
static tx_node *normal_cell(tx_graph *g, operand c, operand p, int f)
{
    tx_node *even = average(g, p.raw, dense);
    tx_node *left = twice(g, c, 0, "left", 5, f, dense);
    tx_node *sum0 = tx_add(g, left, twice(g, p, 0, "right", 3, f, dense));
    left = twice(g, p, 1, "left", 5, f, dense);
    tx_node *sum1 = tx_add(g, left, twice(g, p, 1, "right", 3, f, dense));
    tx_node *sum2 = tx_add(g, average(g, c.raw, dense), p.raw);
    tx_node *sum3 = tx_add(g, even, even);
    tx_node *sum4 = tx_add(g, twice(g, c, 4, "left", 3, f, dense), c.raw);
    return tx_concat(g, (tx_node *[]){p.raw, sum0, sum1, sum2, sum3, sum4}, 6);
}

static tx_node *reduction_cell(tx_graph *g, operand c, operand p, int f, stepping by)
{
    tx_node *most = largest(g, c.raw, by);
    tx_node *left = twice(g, c, 0, "left", 5, f, by);
    operand sum0 = rectify(g, tx_add(g, left, twice(g, p, 0, "right", 7, f, by)));
    tx_node *sum1 = tx_add(g, most, twice(g, p, 1, "right", 7, f, by));
    tx_node *sum2 = tx_add(g, average(g, c.raw, by), twice(g, p, 2, "right", 5, f, by));
    tx_node *sum3 = tx_add(g, average(g, sum0.raw, dense), sum1);
    tx_node *sum4 = tx_add(g, twice(g, sum0, 4, "left", 3, f, dense), most);
    return tx_concat(g, (tx_node *[]){sum1, sum2, sum3, sum4}, 4);
}

/* The last but one output at half of its side: f / 2 channels of rows and columns 0, 2, .., f / 2 of 1, 3, .., of which a
 * side of odd length has one too few. */
static tx_node *halve(tx_graph *g, tx_node *x, int f)
{
    tx_node *half[2];
    tx_conv2d_args args = {.out = f / 2, .stride = 2, .no_bias = 1};
    for (int i = 0; i < 2; i++) {
        tx_graph_enter(g, "path_%d", i + 1);
        half[i] = tx_conv2d(g, x, "conv", args);
        tx_graph_leave(g);
        args.pads = (tx_pads){.top = -1, .left = -1, .bottom = 1, .right = 1};
    }
    return norm(g, tx_concat(g, half, 2), "final_path_bn");
}

/* Cell i of the table on the last output and the one before it. */
static tx_node *cell(tx_graph *g, int i, tx_node *last, tx_node *before)
{
    const nasnet_cell *me = &cells[i];
    tx_conv2d_args narrow = {.out = me->width};
    tx_graph_enter(g, "%s", me->name);
    tx_node *p = before;
    if (i > 0 && !cells[i - 1].reduces)
        p = conv_norm(g, before, "conv_prev_1x1", narrow);
    tx_node *c = conv_norm(g, last, "conv_1x1", narrow);
    if (i > 0 && cells[i - 1].reduces)
        p = halve(g, before, me->width);
    tx_node *y = me->reduces ? reduction_cell(g, rectify(g, c), rectify(g, p), me->width, (stepping){2, i > 0})
                             : normal_cell(g, rectify(g, c), rectify(g, p), me->width);
    tx_graph_leave(g);
    return tx_relu(g, y);
}

static tx_node *nasnet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    tx_node *last = tx_relu(g, conv_norm(g, x, "conv0", (tx_conv2d_args){.out = 32, .kernel = 3, .stride = 2}));
    tx_node *before = last;
    for (int i = 0; i < cells_of[net->blocks - cut]; i++) {
        tx_node *y = cell(g, i, last, before);
        before = last;
        last = y;
    }
    return last;
}

const tx_net_info tx_net_nasnet_a_mobile = {
    .name = "nasnet_a_mobile",
    .family = "NASNet-A",
    .head = {.name = "last_linear", .init = TX_HEAD_IN, .dropout = 0.5},
    .blocks = BLOCKS,
    .smallest = 3,
    .usual = 224,
    .top1 = 74.080,
    .normal = "half",
    .features = nasnet_features,
    .file = "nasnetamobile-",
};
