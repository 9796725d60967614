/* efficientnet.c - EfficientNet-B0 to -B3.
 *
 * Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, arXiv:1905.11946, table 1;
 * B1 to B3 by its compound scaling, depths and widths as torchvision rounds them.
 *
 *   features   output   operator               B0         B1         B2         B3
 *   0          1/2      3x3 convolution        32         32         32         40
 *   1          1/2      MBConv1 3x3            16  x1     16  x2     16  x2     24  x2
 *   2          1/4      MBConv6 3x3, stride 2  24  x2     24  x3     24  x3     32  x3
 *   3          1/8      MBConv6 5x5, stride 2  40  x2     40  x3     48  x3     48  x3
 *   4          1/16     MBConv6 3x3, stride 2  80  x3     80  x4     88  x4     96  x5
 *   5          1/16     MBConv6 5x5            112 x3     112 x4     120 x4     136 x5
 *   6          1/32     MBConv6 5x5, stride 2  192 x4     192 x5     208 x5     232 x6
 *   7          1/32     MBConv6 3x3            320 x1     320 x2     352 x2     384 x2
 *   8          1/32     1x1 convolution        1280       1280       1408       1536
 *              1x1      global mean, dropout   0.2        0.2        0.3        0.3, linear
 *   parameters (1000)                          5,288,548  7,794,184  9,109,994  12,233,232
 *
 * MBConv6 is an inverted residual: 1x1 convolution to six times its channels (none in MBConv1), depthwise convolution,
 * squeeze-excite of a quarter of the channels that enter the block, 1x1 convolution. Every convolution but the squeeze's is
 * followed by batch norm (eps 1e-5, momentum 0.1), all but a block's last by SiLU. The stride is that of a stage's first
 * block; where it is 1 and the channels stay, the block's input is added, and in training the residual branch is dropped
 * image by image: of block i of L in all, counted from 0, with probability 0.2 i / L (stochastic depth).
 * Initial values: convolutions N(sqrt(2 / fan_out)) and 0, batch norm 1 and 0, the linear layer U(1/sqrt(out)) and 0.
 * A cut removes a stage, features.7, then 6, ..; features.8 goes with the last one, and nothing closes. */
#include "blocks.h"

enum { STAGES = 7 };

typedef struct efficientnet_table {
    int width[STAGES + 2]; /* stem, stages, head */
    int depth[STAGES];
} efficientnet_table;

static const struct {
    int expansion, kernel, stride;
} stage[STAGES] = {{1, 3, 1}, {6, 3, 2}, {6, 5, 2}, {6, 3, 2}, {6, 5, 1}, {6, 5, 2}, {6, 3, 1}};

static tx_node *conv_norm(tx_graph *g, tx_node *x, int position, int out, int kernel, int stride)
{
    tx_graph_enter(g, "%d", position);
    x = tx_net_conv_norm(g, x, "0", "1",
                         (tx_conv_norm_args){.out = out, .kernel = kernel, .stride = stride, .act = TX_ACT_SILU});
    tx_graph_leave(g);
    return x;
}

/* Block i of stage s, counted from 0; drop: the probability that its residual branch is dropped. */
static tx_node *mbconv(tx_graph *g, tx_node *x, const efficientnet_table *table, int s, int i, double drop)
{
    int in = x ? x->c : 1;
    tx_graph_enter(g, "%d.%d.block", s + 1, i);
    x = tx_net_inverted(g, x,
                        (tx_inverted_args){.expanded = stage[s].expansion * in,
                                           .out = table->width[s + 1],
                                           .kernel = stage[s].kernel,
                                           .stride = i ? 1 : stage[s].stride,
                                           .squeeze = in / 4,
                                           .act = TX_ACT_SILU,
                                           .inner = TX_ACT_SILU,
                                           .gate = TX_ACT_SIGMOID,
                                           .drop = drop,
                                           .naming = TX_NAMES_NESTED});
    tx_graph_leave(g);
    return x;
}

static tx_node *efficientnet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    const efficientnet_table *table = net->table;
    int blocks = 0, before = 0;
    for (int s = 0; s < STAGES; s++)
        blocks += table->depth[s];
    tx_graph_enter(g, "features");
    x = conv_norm(g, x, 0, table->width[0], 3, 2);
    for (int s = 0; s < STAGES - cut; s++)
        for (int i = 0; i < table->depth[s]; i++)
            x = mbconv(g, x, table, s, i, 0.2 * before++ / blocks);
    if (!cut)
        x = conv_norm(g, x, STAGES + 1, table->width[STAGES + 1], 1, 1);
    tx_graph_leave(g);
    return x;
}

static const efficientnet_table b0 = {{32, 16, 24, 40, 80, 112, 192, 320, 1280}, {1, 2, 2, 3, 3, 4, 1}};
static const efficientnet_table b1 = {{32, 16, 24, 40, 80, 112, 192, 320, 1280}, {2, 3, 3, 4, 4, 5, 2}};
static const efficientnet_table b2 = {{32, 16, 24, 48, 88, 120, 208, 352, 1408}, {2, 3, 3, 4, 4, 5, 2}};
static const efficientnet_table b3 = {{40, 24, 32, 48, 96, 136, 232, 384, 1536}, {2, 3, 3, 5, 5, 6, 2}};

/* timm's. */
static const tx_net_alias timm_names[] = {
    {.name = "features.0.0", .other = "conv_stem"},
    {.name = "features.0.1", .other = "bn1"},
    {.name = "features.1.#.block.0.0", .other = "blocks.0.#.conv_dw"},
    {.name = "features.1.#.block.0.1", .other = "blocks.0.#.bn1"},
    {.name = "features.1.#.block.1.fc1", .other = "blocks.0.#.se.conv_reduce"},
    {.name = "features.1.#.block.1.fc2", .other = "blocks.0.#.se.conv_expand"},
    {.name = "features.1.#.block.2.0", .other = "blocks.0.#.conv_pw"},
    {.name = "features.1.#.block.2.1", .other = "blocks.0.#.bn2"},
    {.name = "features.#.#.block.0.0", .other = "blocks.<1.#.conv_pw"},
    {.name = "features.#.#.block.0.1", .other = "blocks.<1.#.bn1"},
    {.name = "features.#.#.block.1.0", .other = "blocks.<1.#.conv_dw"},
    {.name = "features.#.#.block.1.1", .other = "blocks.<1.#.bn2"},
    {.name = "features.#.#.block.2.fc1", .other = "blocks.<1.#.se.conv_reduce"},
    {.name = "features.#.#.block.2.fc2", .other = "blocks.<1.#.se.conv_expand"},
    {.name = "features.#.#.block.3.0", .other = "blocks.<1.#.conv_pwl"},
    {.name = "features.#.#.block.3.1", .other = "blocks.<1.#.bn3"},
    {.name = "features.8.0", .other = "conv_head"},
    {.name = "features.8.1", .other = "bn2"},
    {.name = "classifier.1", .other = "classifier"},
    {.name = NULL},
};

#define EFFICIENTNET(NAME, DROPOUT, USUAL, TOP1, TABLE)                                                               \
    {                                                                                                                 \
        .name = NAME, .family = "EfficientNet",                                                                       \
        .head = {.name = "classifier.1", .init = TX_HEAD_OUT_ZERO, .dropout = DROPOUT}, .blocks = STAGES,             \
        .smallest = 1, .usual = USUAL, .top1 = TOP1, .features = efficientnet_features, .table = TABLE, .timm = NAME, \
        .timm_alias = timm_names, .file = NAME "_|" NAME "-"                                                          \
    }

const tx_net_info tx_net_efficientnet_b0 = EFFICIENTNET("efficientnet_b0", 0.2, 224, 77.692, &b0);
const tx_net_info tx_net_efficientnet_b1 = EFFICIENTNET("efficientnet_b1", 0.2, 240, 78.642, &b1);
const tx_net_info tx_net_efficientnet_b2 = EFFICIENTNET("efficientnet_b2", 0.3, 288, 80.608, &b2);
const tx_net_info tx_net_efficientnet_b3 = EFFICIENTNET("efficientnet_b3", 0.3, 300, 82.008, &b3);
