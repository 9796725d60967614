/* densenet.c - DenseNet-121, -169 and -201.
 *
 * Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks", CVPR 2017, arXiv:1608.06993, table 1,
 * with growth 32.
 *
 *   layer          output   121      169      201      channels behind it
 *   conv0          1/2      7x7, stride 2              64
 *                  1/4      3x3 max pool, stride 2
 *   denseblock1    1/4      x6       x6       x6       256
 *   transition1    1/8      1x1, 2x2 average pool      128
 *   denseblock2    1/8      x12      x12      x12      512
 *   transition2    1/16     1x1, 2x2 average pool      256
 *   denseblock3    1/16     x24      x32      x48      1024  1280  1792
 *   transition3    1/32     1x1, 2x2 average pool      512   640   896
 *   denseblock4    1/32     x16      x32      x32      1024  1664  1920
 *   norm5          1x1      batch norm, ReLU, global mean, linear
 *   parameters (1000)       7,978,856   14,149,480   20,013,928
 *
 * A dense layer reads what stands in its block so far and adds 32 channels to it: batch norm, ReLU, 1x1 convolution to 128,
 * batch norm, ReLU, 3x3 convolution to 32. So batch norm (eps 1e-5, momentum 0.1) and ReLU stand in front of a convolution.
 * A transition is batch norm, ReLU, 1x1 convolution to half the channels, pool. Each concatenation holds the one before it,
 * so the planner gives a block one buffer, into which every layer writes its own channels.
 * Initial values: convolutions N(sqrt(2 / fan_in)), batch norm 1 and 0, the linear layer U(1/sqrt(in)) and 0.
 * A cut removes denseblock4 and transition3, then denseblock3 and transition2, ..; a new norm5 with ReLU closes. It sees
 * what the removed transition's norm saw (behind the stem what the first layer's norm1 saw), and a file of the whole network
 * has the numbers of that one. */
#include "blocks.h"

enum { GROWTH = 32, BOTTLENECK = 4 * GROWTH, BLOCKS = 4 };

typedef struct densenet_table {
    int depth[BLOCKS];
} densenet_table;

/* Batch norm, ReLU, convolution. */
static tx_node *norm_conv(tx_graph *g, tx_node *x, const char *norm, const char *conv, int out, int kernel)
{
    x = tx_relu(g, tx_batchnorm(g, x, norm, (tx_batchnorm_args){0}));
    int in = x ? x->c : 1;
    return tx_conv2d(
        g, x, conv,
        (tx_conv2d_args){
            .out = out, .kernel = kernel, .padding = kernel / 2, .no_bias = 1, .init = tx_net_he(in, kernel)});
}

static tx_node *dense_layer(tx_graph *g, tx_node *x)
{
    tx_node *y = norm_conv(g, x, "norm1", "conv1", BOTTLENECK, 1);
    y = norm_conv(g, y, "norm2", "conv2", GROWTH, 3);
    return tx_concat(g, (tx_node *[]){x, y}, 2);
}

static tx_node *transition(tx_graph *g, tx_node *x)
{
    x = norm_conv(g, x, "norm", "conv", x ? x->c / 2 : 1, 1);
    return tx_avg_pool(g, x, (tx_pool_args){.kernel = 2, .stride = 2});
}

static tx_node *stem(tx_graph *g, tx_node *x)
{
    x = tx_conv2d(
        g, x, "conv0",
        (tx_conv2d_args){
            .out = 64, .kernel = 7, .stride = 2, .padding = 3, .no_bias = 1, .init = tx_net_he(x ? x->c : 1, 7)});
    x = tx_relu(g, tx_batchnorm(g, x, "norm0", (tx_batchnorm_args){0}));
    return tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 2, .padding = 1});
}

static tx_node *densenet_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    const densenet_table *table = net->table;
    tx_graph_enter(g, "features");
    x = stem(g, x);
    for (int block = 1; block <= BLOCKS - cut; block++) {
        if (block > 1) {
            tx_graph_enter(g, "transition%d", block - 1);
            x = transition(g, x);
            tx_graph_leave(g);
        }
        for (int layer = 1; layer <= table->depth[block - 1]; layer++) {
            tx_graph_enter(g, "denseblock%d.denselayer%d", block, layer);
            x = dense_layer(g, x);
            tx_graph_leave(g);
        }
    }
    x = tx_relu(g, tx_batchnorm(g, x, "norm5", (tx_batchnorm_args){0}));
    tx_graph_leave(g);
    return x;
}

static const densenet_table table121 = {{6, 12, 24, 16}};
static const densenet_table table169 = {{6, 12, 32, 32}};
static const densenet_table table201 = {{6, 12, 48, 32}};

/* What stands in for a cut network's norm5; and torchvision's published files have a dot before the layers' digits. */
static const tx_net_alias aliases[] = {
    {.name = "features.norm5", .other = "features.transition^.norm"},
    {.name = "features.norm5", .other = "$features.denseblock1.denselayer1.norm1"},
    {.name = "features.norm5", .other = "$features.denseblock1.denselayer1.norm.1"},
    {.name = "features.denseblock#.denselayer#.norm1", .other = "features.denseblock#.denselayer#.norm.1"},
    {.name = "features.denseblock#.denselayer#.conv1", .other = "features.denseblock#.denselayer#.conv.1"},
    {.name = "features.denseblock#.denselayer#.norm2", .other = "features.denseblock#.denselayer#.norm.2"},
    {.name = "features.denseblock#.denselayer#.conv2", .other = "features.denseblock#.denselayer#.conv.2"},
    {.name = NULL},
};

#define DENSENET(NAME, TOP1, TABLE)                                                                                    \
    {                                                                                                                  \
        .name = NAME, .family = "DenseNet", .head = {.name = "classifier", .init = TX_HEAD_IN_ZERO}, .blocks = BLOCKS, \
        .smallest = 29, .usual = 224, .top1 = TOP1, .features = densenet_features, .table = TABLE, .alias = aliases,   \
        .timm = NAME, .file = NAME "-"                                                                                 \
    }

const tx_net_info tx_net_densenet121 = DENSENET("densenet121", 74.434, &table121);
const tx_net_info tx_net_densenet169 = DENSENET("densenet169", 75.600, &table169);
const tx_net_info tx_net_densenet201 = DENSENET("densenet201", 76.896, &table201);
