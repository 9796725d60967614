/* inception_v4.c - Inception-v4.
 *
 * Szegedy, Ioffe, Vanhoucke, Alemi: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", AAAI
 * 2017, arXiv:1602.07261, figures 3 to 9, with the names of Cadene's pretrained-models.
 *
 *   features   side at 299   operator                                          channels behind it
 *   0          149           3x3, stride 2, no padding                         32
 *   1          147           3x3, no padding                                   32
 *   2          147           3x3                                               64
 *   3          73            3x3 max pool beside 3x3, both stride 2            160
 *   4          71            1x1, 3x3 beside 1x1, 1x7, 7x1, 3x3                192
 *   5          35            3x3 beside 3x3 max pool, both stride 2            384
 *   6 .. 9     35            Inception-A                                       384
 *   10         17            Reduction-A                                       1024
 *   11 .. 17   17            Inception-B                                       1024
 *   18         8             Reduction-B                                       1536
 *   19 .. 21   8             Inception-C                                       1536
 *              1             global mean, linear
 *   parameters (1000)        42,679,816
 *
 * Every convolution is followed by batch norm (eps 1e-3, momentum 0.1) and ReLU. The modules are several chains of them side
 * by side, concatenated; average pools divide by the pixels on the map. A unit alone in its branch has the branch's name, in
 * a chain it has a number, and what follows a pool has number 1.
 * Initial values: convolutions U(1/sqrt(fan_in)), batch norm 1 and 0, the linear layer U(1/sqrt(in)), weight and bias.
 * A cut removes features.18 to 21, then 10 to 17, 6 to 9; nothing closes. */
#include "blocks.h"

enum { BLOCKS = 3 };

/* A convolution that keeps the side, with batch norm and ReLU. */
static tx_node *unit(tx_graph *g, tx_node *x, const char *name, int out, int kernel_h, int kernel_w)
{
    return tx_net_unit(g, x, name, (tx_unit_args){.out = out, .kernel_h = kernel_h, .kernel_w = kernel_w});
}

/* A 3x3 convolution without padding. */
static tx_node *valid(tx_graph *g, tx_node *x, const char *name, int out, int stride)
{
    return tx_net_unit(g, x, name,
                       (tx_unit_args){.out = out, .kernel_h = 3, .kernel_w = 3, .stride = stride, .valid = 1});
}

static tx_node *average(tx_graph *g, tx_node *x)
{
    return tx_avg_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 1, .padding = 1});
}

static tx_node *largest(tx_graph *g, tx_node *x)
{
    return tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 2});
}

static tx_node *mixed_4(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch0.0", 64, 1, 1);
    a = valid(g, a, "branch0.1", 96, 1);
    tx_node *b = unit(g, x, "branch1.0", 64, 1, 1);
    b = unit(g, b, "branch1.1", 64, 1, 7);
    b = unit(g, b, "branch1.2", 64, 7, 1);
    b = valid(g, b, "branch1.3", 96, 1);
    return tx_concat(g, (tx_node *[]){a, b}, 2);
}

static tx_node *inception_a(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch0", 96, 1, 1);
    tx_node *b = unit(g, x, "branch1.0", 64, 1, 1);
    b = unit(g, b, "branch1.1", 96, 3, 3);
    tx_node *c = unit(g, x, "branch2.0", 64, 1, 1);
    c = unit(g, c, "branch2.1", 96, 3, 3);
    c = unit(g, c, "branch2.2", 96, 3, 3);
    tx_node *d = unit(g, average(g, x), "branch3.1", 96, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b, c, d}, 4);
}

static tx_node *reduction_a(tx_graph *g, tx_node *x)
{
    tx_node *a = valid(g, x, "branch0", 384, 2);
    tx_node *b = unit(g, x, "branch1.0", 192, 1, 1);
    b = unit(g, b, "branch1.1", 224, 3, 3);
    b = valid(g, b, "branch1.2", 256, 2);
    return tx_concat(g, (tx_node *[]){a, b, largest(g, x)}, 3);
}

static tx_node *inception_b(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch0", 384, 1, 1);
    tx_node *b = unit(g, x, "branch1.0", 192, 1, 1);
    b = unit(g, b, "branch1.1", 224, 1, 7);
    b = unit(g, b, "branch1.2", 256, 7, 1);
    tx_node *c = unit(g, x, "branch2.0", 192, 1, 1);
    c = unit(g, c, "branch2.1", 192, 7, 1);
    c = unit(g, c, "branch2.2", 224, 1, 7);
    c = unit(g, c, "branch2.3", 224, 7, 1);
    c = unit(g, c, "branch2.4", 256, 1, 7);
    tx_node *d = unit(g, average(g, x), "branch3.1", 128, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b, c, d}, 4);
}

static tx_node *reduction_b(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch0.0", 192, 1, 1);
    a = valid(g, a, "branch0.1", 192, 2);
    tx_node *b = unit(g, x, "branch1.0", 256, 1, 1);
    b = unit(g, b, "branch1.1", 256, 1, 7);
    b = unit(g, b, "branch1.2", 320, 7, 1);
    b = valid(g, b, "branch1.3", 320, 2);
    return tx_concat(g, (tx_node *[]){a, b, largest(g, x)}, 3);
}

static tx_node *inception_c(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch0", 256, 1, 1);
    tx_node *b = unit(g, x, "branch1_0", 384, 1, 1);
    tx_node *b_row = unit(g, b, "branch1_1a", 256, 1, 3);
    tx_node *b_column = unit(g, b, "branch1_1b", 256, 3, 1);
    tx_node *c = unit(g, x, "branch2_0", 384, 1, 1);
    c = unit(g, c, "branch2_1", 448, 3, 1);
    c = unit(g, c, "branch2_2", 512, 1, 3);
    tx_node *c_row = unit(g, c, "branch2_3a", 256, 1, 3);
    tx_node *c_column = unit(g, c, "branch2_3b", 256, 3, 1);
    tx_node *d = unit(g, average(g, x), "branch3.1", 256, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b_row, b_column, c_row, c_column, d}, 6);
}

/* Inside features, up to 384 channels. The pool stands first in 3, last in 5. */
static tx_node *stem(tx_graph *g, tx_node *x)
{
    x = valid(g, x, "0", 32, 2);
    x = valid(g, x, "1", 32, 1);
    x = unit(g, x, "2", 64, 3, 3);
    tx_node *pool = largest(g, x);
    x = tx_concat(g, (tx_node *[]){pool, valid(g, x, "3.conv", 96, 2)}, 2);
    tx_graph_enter(g, "4");
    x = mixed_4(g, x);
    tx_graph_leave(g);
    tx_node *conv = valid(g, x, "5.conv", 192, 2);
    return tx_concat(g, (tx_node *[]){conv, largest(g, x)}, 2);
}

/* The modules behind the stem, of each block. */
static const struct {
    tx_node *(*build)(tx_graph *g, tx_node *x);
    int repeats, block;
} modules[] = {{inception_a, 4, 1}, {reduction_a, 1, 2}, {inception_b, 7, 2}, {reduction_b, 1, 3}, {inception_c, 3, 3}};
enum { MODULES = sizeof modules / sizeof modules[0], STEM = 6 };

static tx_node *inception_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    (void)net;
    int position = STEM;
    tx_graph_enter(g, "features");
    x = stem(g, x);
    for (int m = 0; m < MODULES && modules[m].block <= BLOCKS - cut; m++)
        for (int i = 0; i < modules[m].repeats; i++) {
            tx_graph_enter(g, "%d", position++);
            x = modules[m].build(g, x);
            tx_graph_leave(g);
        }
    tx_graph_leave(g);
    return x;
}

const tx_net_info tx_net_inception_v4 = {
    .name = "inception_v4",
    .family = "Inception-v4",
    .head = {.name = "last_linear", .init = TX_HEAD_IN},
    .blocks = BLOCKS,
    .smallest = 75,
    .usual = 299,
    .top1 = 80.062,
    .normal = "half",
    .features = inception_features,
    .timm = "inception_v4",
    .file = "inceptionv4-",
};
