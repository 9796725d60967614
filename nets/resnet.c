/* resnet.c - ResNet-18, -34, -50 and -101.
 *
 * He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385, table 1, in
 * torchvision's form ("v1.5"): in the bottleneck the stride sits on the 3x3 convolution.
 *
 *   layer    output      18             34             50                       101
 *   conv1    1/2         7x7, 64, stride 2
 *            1/4         3x3 max pool, stride 2
 *   layer1   1/4         [3x3 64]  x2   [3x3 64]  x3   [1x1 64, 3x3 64, 1x1 256] x3     x3
 *   layer2   1/8         [3x3 128] x2   [3x3 128] x4   [128, 128, 512]           x4     x4
 *   layer3   1/16        [3x3 256] x2   [3x3 256] x6   [256, 256, 1024]          x6     x23
 *   layer4   1/32        [3x3 512] x2   [3x3 512] x3   [512, 512, 2048]          x3     x3
 *            1x1         global mean, linear
 *   parameters (1000)    11,689,512     21,797,672     25,557,032               44,549,160
 *
 * A basic block holds two 3x3 convolutions, a bottleneck three. Every convolution is followed by batch norm (eps 1e-5,
 * momentum 0.1) and ReLU, the last one of a block by batch norm, sum with the shortcut, ReLU. The shortcut is the
 * block's input, or where width or size change a 1x1 convolution with batch norm (`downsample`).
 * Initial values: convolutions N(sqrt(2 / fan_out)), batch norm 1 and 0, the linear layer U(1/sqrt(in)).
 * A cut removes layer4, then layer3, .. and nothing else. */
#include "blocks.h"

typedef struct resnet_table {
    int bottleneck;
    int depth[4];
} resnet_table;

static tx_node *conv_norm(tx_graph *g, tx_node *x, const char *conv, const char *norm, int out, int kernel, int stride)
{
    return tx_net_conv_norm(g, x, conv, norm, (tx_conv_norm_args){.out = out, .kernel = kernel, .stride = stride});
}

static tx_node *shortcut(tx_graph *g, tx_node *x, int out, int stride)
{
    if (!x || (stride == 1 && x->c == out))
        return x;
    return conv_norm(g, x, "downsample.0", "downsample.1", out, 1, stride);
}

static tx_node *basic_block(tx_graph *g, tx_node *x, int width, int stride)
{
    tx_node *y = tx_relu(g, conv_norm(g, x, "conv1", "bn1", width, 3, stride));
    y = conv_norm(g, y, "conv2", "bn2", width, 3, 1);
    return tx_relu(g, tx_add(g, y, shortcut(g, x, width, stride)));
}

static tx_node *bottleneck(tx_graph *g, tx_node *x, int width, int stride)
{
    tx_node *y = tx_relu(g, conv_norm(g, x, "conv1", "bn1", width, 1, 1));
    y = tx_relu(g, conv_norm(g, y, "conv2", "bn2", width, 3, stride));
    y = conv_norm(g, y, "conv3", "bn3", 4 * width, 1, 1);
    return tx_relu(g, tx_add(g, y, shortcut(g, x, 4 * width, stride)));
}

static tx_node *resnet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    const resnet_table *table = net->table;
    x = tx_relu(g, conv_norm(g, x, "conv1", "bn1", 64, 7, 2));
    x = tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 2, .padding = 1});
    for (int layer = 1; layer <= 4 - cut; layer++) {
        int width = 64 << (layer - 1);
        for (int i = 0; i < table->depth[layer - 1]; i++) {
            int stride = layer > 1 && i == 0 ? 2 : 1;
            tx_graph_enter(g, "layer%d.%d", layer, i);
            x = table->bottleneck ? bottleneck(g, x, width, stride) : basic_block(g, x, width, stride);
            tx_graph_leave(g);
        }
    }
    return x;
}

static const resnet_table table18 = {0, {2, 2, 2, 2}};
static const resnet_table table34 = {0, {3, 4, 6, 3}};
static const resnet_table table50 = {1, {3, 4, 6, 3}};
static const resnet_table table101 = {1, {3, 4, 23, 3}};

#define RESNET(NAME, TOP1, TABLE)                                                                           \
    {                                                                                                       \
        .name = NAME, .family = "ResNet", .head = {.name = "fc"}, .blocks = 4, .smallest = 1, .usual = 224, \
        .top1 = TOP1, .features = resnet_features, .table = TABLE, .timm = NAME, .file = NAME "-"           \
    }

const tx_net_info tx_net_resnet18 = RESNET("resnet18", 69.758, &table18);
const tx_net_info tx_net_resnet34 = RESNET("resnet34", 73.314, &table34);
const tx_net_info tx_net_resnet50 = RESNET("resnet50", 76.130, &table50);
const tx_net_info tx_net_resnet101 = RESNET("resnet101", 77.374, &table101);
