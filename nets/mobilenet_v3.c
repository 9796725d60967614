/* mobilenet_v3.c - MobileNetV3-Large of width 1.
 *
 * Howard, Sandler, Chu et al.: "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, table 1.
 *
 *   features   output   operator              expanded   channels   squeeze   activation   stride
 *   0          1/2      3x3 convolution                  16                   hardswish    2
 *   1          1/2      bneck, 3x3            16         16                   ReLU         1
 *   2          1/4      bneck, 3x3            64         24                   ReLU         2
 *   3          1/4      bneck, 3x3            72         24                   ReLU         1
 *   4          1/8      bneck, 5x5            72         40         24        ReLU         2
 *   5, 6       1/8      bneck, 5x5            120        40         32        ReLU         1
 *   7          1/16     bneck, 3x3            240        80                   hardswish    2
 *   8          1/16     bneck, 3x3            200        80                   hardswish    1
 *   9, 10      1/16     bneck, 3x3            184        80                   hardswish    1
 *   11         1/16     bneck, 3x3            480        112        120       hardswish    1
 *   12         1/16     bneck, 3x3            672        112        168       hardswish    1
 *   13         1/32     bneck, 5x5            672        160        168       hardswish    2
 *   14, 15     1/32     bneck, 5x5            960        160        240       hardswish    1
 *   16         1/32     1x1 convolution                  960                  hardswish
 *              1x1      global mean, linear              1280                 hardswish
 *              1x1      dropout 0.2, linear
 *   parameters (1000)   5,483,032
 *
 * A bneck is an inverted residual: a 1x1 convolution to `expanded` channels (none where there are as many), a depthwise
 * convolution with the stride, the squeeze-excite behind its activation, a 1x1 convolution to the channels. Every convolution
 * but the squeeze's is followed by batch norm (eps 1e-3, momentum 0.01), all but a block's last by the activation. Within the
 * squeeze-excite, a quarter of `expanded` rounded to a multiple of 8, the activation is ReLU, the gate hardsigmoid. Where the
 * stride is 1 and the channels stay, the block's input is added.
 * Initial values: convolutions N(sqrt(2 / fan_out)) and 0, batch norm 1 and 0, linear layers N(0.01) and 0.
 * A cut removes features.13 to 15, then 11 and 12, 7 to 10, 4 to 6, 2 and 3, 1; features.16 and the first linear layer go
 * with the last ones, and nothing closes.
 * timm's mobilenetv3_large_100 is the same network with eps 1e-5. */
#include "blocks.h"

typedef struct mobilenet_bneck {
    int kernel, expanded, out, squeeze;
    tx_act act;
    int stride;
} mobilenet_bneck;

#define RE TX_ACT_RELU
#define HS TX_ACT_HARDSWISH
static const mobilenet_bneck bneck[] = {
    {3, 16, 16, 0, RE, 1},     {3, 64, 24, 0, RE, 2},     {3, 72, 24, 0, RE, 1},     {5, 72, 40, 24, RE, 2},
    {5, 120, 40, 32, RE, 1},   {5, 120, 40, 32, RE, 1},   {3, 240, 80, 0, HS, 2},    {3, 200, 80, 0, HS, 1},
    {3, 184, 80, 0, HS, 1},    {3, 184, 80, 0, HS, 1},    {3, 480, 112, 120, HS, 1}, {3, 672, 112, 168, HS, 1},
    {5, 672, 160, 168, HS, 2}, {5, 960, 160, 240, HS, 1}, {5, 960, 160, 240, HS, 1},
};
enum { STAGES = 6 };
/* How many are kept with so many stages. */
static const int kept[STAGES + 1] = {0, 1, 3, 6, 10, 12, 15};

#define EPS 1e-3
#define MOMENTUM 0.01

static tx_node *conv_norm(tx_graph *g, tx_node *x, int position, int out, int kernel, int stride)
{
    tx_graph_enter(g, "%d", position);
    x = tx_net_conv_norm(
        g, x, "0", "1",
        (tx_conv_norm_args){
            .out = out, .kernel = kernel, .stride = stride, .act = HS, .eps = EPS, .momentum = MOMENTUM});
    tx_graph_leave(g);
    return x;
}

static tx_node *block(tx_graph *g, tx_node *x, int position, const mobilenet_bneck *b)
{
    tx_graph_enter(g, "%d.block", position);
    x = tx_net_inverted(g, x,
                        (tx_inverted_args){.expanded = b->expanded,
                                           .out = b->out,
                                           .kernel = b->kernel,
                                           .stride = b->stride,
                                           .squeeze = b->squeeze,
                                           .act = b->act,
                                           .inner = TX_ACT_RELU,
                                           .gate = TX_ACT_HARDSIGMOID,
                                           .naming = TX_NAMES_NESTED,
                                           .eps = EPS,
                                           .momentum = MOMENTUM});
    tx_graph_leave(g);
    return x;
}

static tx_node *mobilenet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    (void)net;
    tx_graph_enter(g, "features");
    x = conv_norm(g, x, 0, 16, 3, 2);
    for (int i = 0; i < kept[STAGES - cut]; i++)
        x = block(g, x, i + 1, &bneck[i]);
    if (!cut)
        x = conv_norm(g, x, kept[STAGES] + 1, 960, 1, 1);
    tx_graph_leave(g);
    return x;
}

/* timm's mobilenetv3_large_100. */
static const int blocks_of[] = {2, 3, 4, 2, 3, 0};
static const tx_net_alias timm_names[] = {
    {.name = "features.0.0", .other = "conv_stem", .eps = 1e-5},
    {.name = "features.0.1", .other = "bn1"},
    {.name = "features.1.block.0.0", .other = "blocks.0.0.conv_dw"},
    {.name = "features.1.block.0.1", .other = "blocks.0.0.bn1"},
    {.name = "features.1.block.1.0", .other = "blocks.0.0.conv_pw"},
    {.name = "features.1.block.1.1", .other = "blocks.0.0.bn2"},
    {.name = "features.16.0", .other = "blocks.6.0.conv"},
    {.name = "features.16.1", .other = "blocks.6.0.bn1"},
    {.name = "features.#.block.0.0", .other = "blocks.@.conv_pw", .stages = blocks_of},
    {.name = "features.#.block.0.1", .other = "blocks.@.bn1", .stages = blocks_of},
    {.name = "features.#.block.1.0", .other = "blocks.@.conv_dw", .stages = blocks_of},
    {.name = "features.#.block.1.1", .other = "blocks.@.bn2", .stages = blocks_of},
    {.name = "features.#.block.2.fc1", .other = "blocks.@.se.conv_reduce", .stages = blocks_of},
    {.name = "features.#.block.2.fc2", .other = "blocks.@.se.conv_expand", .stages = blocks_of},
    {.name = "features.#.block.2.0", .other = "blocks.@.conv_pwl", .stages = blocks_of},
    {.name = "features.#.block.2.1", .other = "blocks.@.bn3", .stages = blocks_of},
    {.name = "features.#.block.3.0", .other = "blocks.@.conv_pwl", .stages = blocks_of},
    {.name = "features.#.block.3.1", .other = "blocks.@.bn3", .stages = blocks_of},
    {.name = "classifier.0", .other = "conv_head"},
    {.name = "classifier.3", .other = "classifier"},
    {.name = NULL},
};

const tx_net_info tx_net_mobilenet_v3_large = {
    .name = "mobilenet_v3_large",
    .family = "MobileNetV3",
    .head = {.name = "classifier.3",
             .init = TX_HEAD_NORMAL_ZERO,
             .dropout = 0.2,
             .hidden = "classifier.0",
             .width = 1280,
             .act = HS},
    .blocks = STAGES,
    .smallest = 1,
    .usual = 224,
    .top1 = 74.042,
    .features = mobilenet_features,
    .timm = "mobilenetv3_large_100",
    .timm_alias = timm_names,
    .file = "mobilenet_v3_large-",
};
