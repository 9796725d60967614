/* mnasnet.c - MNASNet-B1 of depth 1.
 *
 * Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le: "MnasNet: Platform-Aware Neural Architecture Search for Mobile",
 * CVPR 2019, arXiv:1807.11626, figure 7 without its squeeze-excite, which is what torchvision calls mnasnet1_0.
 *
 *   layers       output   operator                     expansion   channels   blocks   stride
 *   0, 1, 2      1/2      3x3 convolution                          32                  2
 *   3 .. 7       1/2      3x3 depthwise, 1x1                       16
 *   8            1/4      inverted residual 3x3        3           24         3        2
 *   9            1/8      inverted residual 5x5        3           40         3        2
 *   10           1/16     inverted residual 5x5        6           80         3        2
 *   11           1/16     inverted residual 3x3        6           96         2        1
 *   12           1/32     inverted residual 5x5        6           192        4        2
 *   13           1/32     inverted residual 3x3        6           320        1        1
 *   14, 15, 16   1/32     1x1 convolution                          1280
 *                1x1      global mean, dropout 0.2, linear
 *   parameters (1000)     4,383,312
 *
 * Inverted residuals as in mobilenet_v2.c, with ReLU. Every convolution is followed by batch norm (eps 1e-5; momentum
 * 1 - 0.9997, TensorFlow's), the one to 16 channels and the last of a block without an activation.
 * Initial values: convolutions N(sqrt(2 / fan_out)), batch norm 1 and 0, the linear layer U(sqrt(3/out)) and 0.
 * A cut removes a stage, layers.13, then 12, ..; layers.14 and 15 go with the last one, and nothing closes. The first stage is
 * layers.3 to 7. */
#include "blocks.h"

static const double momentum = 1 - 0.9997;

typedef struct mnasnet_stage {
    int expansion, kernel, out, blocks, stride;
} mnasnet_stage;

static const mnasnet_stage stages[] = {{3, 3, 24, 3, 2}, {3, 5, 40, 3, 2},  {6, 5, 80, 3, 2},
                                       {6, 3, 96, 2, 1}, {6, 5, 192, 4, 2}, {6, 3, 320, 1, 1}};
enum { STAGES = sizeof stages / sizeof stages[0], BLOCKS = 1 + STAGES };

static tx_node *conv_norm(tx_graph *g, tx_node *x, const char *conv, const char *norm, tx_conv_norm_args args)
{
    args.momentum = momentum;
    return tx_net_conv_norm(g, x, conv, norm, args);
}

static tx_node *stage(tx_graph *g, tx_node *x, int position, const mnasnet_stage *s)
{
    for (int i = 0; i < s->blocks; i++) {
        tx_graph_enter(g, "%d.%d.layers", position, i);
        x = tx_net_inverted(g, x,
                            (tx_inverted_args){.expanded = x ? s->expansion * x->c : 1,
                                               .out = s->out,
                                               .kernel = s->kernel,
                                               .stride = i ? 1 : s->stride,
                                               .act = TX_ACT_RELU,
                                               .naming = TX_NAMES_FLAT,
                                               .momentum = momentum});
        tx_graph_leave(g);
    }
    return x;
}

static tx_node *mnasnet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    (void)net;
    tx_conv_norm_args first = {.out = 32, .kernel = 3, .stride = 2, .act = TX_ACT_RELU};
    tx_conv_norm_args deep = {.out = 32, .kernel = 3, .depthwise = 1, .act = TX_ACT_RELU};
    tx_graph_enter(g, "layers");
    x = conv_norm(g, x, "0", "1", first);
    if (cut < BLOCKS) {
        x = conv_norm(g, x, "3", "4", deep);
        x = conv_norm(g, x, "6", "7", (tx_conv_norm_args){.out = 16, .kernel = 1});
    }
    for (int s = 0; s < STAGES - cut; s++)
        x = stage(g, x, 8 + s, &stages[s]);
    if (!cut)
        x = conv_norm(g, x, "14", "15", (tx_conv_norm_args){.out = 1280, .kernel = 1, .act = TX_ACT_RELU});
    tx_graph_leave(g);
    return x;
}

/* timm's mnasnet_100. */
static const tx_net_alias timm_names[] = {
    {.name = "layers.0", .other = "conv_stem"},
    {.name = "layers.1", .other = "bn1"},
    {.name = "layers.3", .other = "blocks.0.0.conv_dw"},
    {.name = "layers.4", .other = "blocks.0.0.bn1"},
    {.name = "layers.6", .other = "blocks.0.0.conv_pw"},
    {.name = "layers.7", .other = "blocks.0.0.bn2"},
    {.name = "layers.#.#.layers.0", .other = "blocks.<7.#.conv_pw"},
    {.name = "layers.#.#.layers.1", .other = "blocks.<7.#.bn1"},
    {.name = "layers.#.#.layers.3", .other = "blocks.<7.#.conv_dw"},
    {.name = "layers.#.#.layers.4", .other = "blocks.<7.#.bn2"},
    {.name = "layers.#.#.layers.6", .other = "blocks.<7.#.conv_pwl"},
    {.name = "layers.#.#.layers.7", .other = "blocks.<7.#.bn3"},
    {.name = "layers.14", .other = "conv_head"},
    {.name = "layers.15", .other = "bn2"},
    {.name = "classifier.1", .other = "classifier"},
    {.name = NULL},
};

const tx_net_info tx_net_mnasnet1_0 = {
    .name = "mnasnet1_0",
    .family = "MNASNet",
    .head = {.name = "classifier.1", .init = TX_HEAD_OUT_ROOT3_ZERO, .dropout = 0.2},
    .blocks = BLOCKS,
    .smallest = 1,
    .usual = 224,
    .top1 = 73.456,
    .features = mnasnet_features,
    .timm = "mnasnet_100",
    .timm_alias = timm_names,
    .file = "mnasnet1.0_",
};
