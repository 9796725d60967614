/* mobilenet_v2.c - MobileNetV2 of width 1.
 *
 * Sandler, Howard, Zhu, Zhmoginov, Chen: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
 * arXiv:1801.04381, table 2.
 *
 *   features   output   operator              expansion   channels   blocks   stride
 *   0          1/2      3x3 convolution                   32                  2
 *   1          1/2      inverted residual     1           16         1        1
 *   2, 3       1/4      inverted residual     6           24         2        2
 *   4 .. 6     1/8      inverted residual     6           32         3        2
 *   7 .. 10    1/16     inverted residual     6           64         4        2
 *   11 .. 13   1/16     inverted residual     6           96         3        1
 *   14 .. 16   1/32     inverted residual     6           160        3        2
 *   17         1/32     inverted residual     6           320        1        1
 *   18         1/32     1x1 convolution                   1280
 *              1x1      global mean, dropout 0.2, linear
 *   parameters (1000)   3,504,872
 *
 * An inverted residual is a 1x1 convolution to expansion times its channels (none where that is 1), a 3x3 depthwise
 * convolution with the stride, a 1x1 convolution to the channels behind it. Every convolution is followed by batch norm
 * (eps 1e-5, momentum 0.1), all but the last of a block by ReLU6. The stride is that of a stage's first block; where it is 1
 * and the channels stay, the block's input is added.
 * Initial values: convolutions N(sqrt(2 / fan_out)), batch norm 1 and 0, the linear layer N(0.01) and 0.
 * A cut removes a stage, features.17, then 14 to 16, ..; features.18 goes with the last one, and nothing closes. */
#include "blocks.h"

typedef struct mobilenet_stage {
    int expansion, out, blocks, stride;
} mobilenet_stage;

static const mobilenet_stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                         {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
enum { STAGES = sizeof stages / sizeof stages[0] };

static tx_node *conv_norm(tx_graph *g, tx_node *x, int position, int out, int kernel, int stride)
{
    tx_graph_enter(g, "%d", position);
    x = tx_net_conv_norm(g, x, "0", "1",
                         (tx_conv_norm_args){.out = out, .kernel = kernel, .stride = stride, .act = TX_ACT_RELU6});
    tx_graph_leave(g);
    return x;
}

static tx_node *block(tx_graph *g, tx_node *x, int position, const mobilenet_stage *s, int stride)
{
    tx_graph_enter(g, "%d.conv", position);
    x = tx_net_inverted(g, x,
                        (tx_inverted_args){.expanded = x ? s->expansion * x->c : 1,
                                           .out = s->out,
                                           .kernel = 3,
                                           .stride = stride,
                                           .act = TX_ACT_RELU6,
                                           .naming = TX_NAMES_OPEN_END});
    tx_graph_leave(g);
    return x;
}

static tx_node *mobilenet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    (void)net;
    int position = 0;
    tx_graph_enter(g, "features");
    x = conv_norm(g, x, position++, 32, 3, 2);
    for (const mobilenet_stage *s = stages; s < stages + STAGES - cut; s++)
        for (int i = 0; i < s->blocks; i++)
            x = block(g, x, position++, s, i ? 1 : s->stride);
    if (!cut)
        x = conv_norm(g, x, position, 1280, 1, 1);
    tx_graph_leave(g);
    return x;
}

/* timm's mobilenetv2_100. */
static const int blocks_of[] = {2, 3, 4, 3, 3, 1, 0};
static const tx_net_alias timm_names[] = {
    {.name = "features.0.0", .other = "conv_stem"},
    {.name = "features.0.1", .other = "bn1"},
    {.name = "features.1.conv.0.0", .other = "blocks.0.0.conv_dw"},
    {.name = "features.1.conv.0.1", .other = "blocks.0.0.bn1"},
    {.name = "features.1.conv.1", .other = "blocks.0.0.conv_pw"},
    {.name = "features.1.conv.2", .other = "blocks.0.0.bn2"},
    {.name = "features.#.conv.0.0", .other = "blocks.@.conv_pw", .stages = blocks_of},
    {.name = "features.#.conv.0.1", .other = "blocks.@.bn1", .stages = blocks_of},
    {.name = "features.#.conv.1.0", .other = "blocks.@.conv_dw", .stages = blocks_of},
    {.name = "features.#.conv.1.1", .other = "blocks.@.bn2", .stages = blocks_of},
    {.name = "features.#.conv.2", .other = "blocks.@.conv_pwl", .stages = blocks_of},
    {.name = "features.#.conv.3", .other = "blocks.@.bn3", .stages = blocks_of},
    {.name = "features.18.0", .other = "conv_head"},
    {.name = "features.18.1", .other = "bn2"},
    {.name = "classifier.1", .other = "classifier"},
    {.name = NULL},
};

const tx_net_info tx_net_mobilenet_v2 = {
    .name = "mobilenet_v2",
    .family = "MobileNetV2",
    .head = {.name = "classifier.1", .init = TX_HEAD_NORMAL_ZERO, .dropout = 0.2},
    .blocks = STAGES,
    .smallest = 1,
    .usual = 224,
    .top1 = 71.878,
    .features = mobilenet_features,
    .timm = "mobilenetv2_100",
    .timm_alias = timm_names,
    .file = "mobilenet_v2-",
};
