/* inception_v3.c - Inception-v3.
 *
 * Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
 * arXiv:1512.00567, table 1 and figures 5 to 7 and 10, as torchvision and TensorFlow have it.
 *
 *   module           side at 299   operator                            channels behind it
 *   Conv2d_1a_3x3    149           3x3, stride 2, no padding           32
 *   Conv2d_2a_3x3    147           3x3, no padding                     32
 *   Conv2d_2b_3x3    147           3x3                                 64
 *                    73            3x3 max pool, stride 2
 *   Conv2d_3b_1x1    73            1x1                                 80
 *   Conv2d_4a_3x3    71            3x3, no padding                     192
 *                    35            3x3 max pool, stride 2
 *   Mixed_5b         35            A, 32 behind the pool               256
 *   Mixed_5c, 5d     35            A, 64 behind the pool               288
 *   Mixed_6a         17            B                                   768
 *   Mixed_6b .. 6e   17            C, 128, 160, 160, 192 within        768
 *   Mixed_7a         8             D                                   1280
 *   Mixed_7b, 7c     8             E                                   2048
 *   fc               1             global mean, dropout 0.5, linear
 *   parameters (1000)              23,834,568
 *
 * Every convolution is followed by batch norm (eps 1e-3, momentum 0.1) and ReLU. The modules are several chains of them side
 * by side, concatenated; average pools divide by 9 at the edges too, max pools of B and D have stride 2 and no padding.
 * Initial values: convolutions N(0.1), batch norm 1 and 0, the linear layer N(0.1) and U(1/sqrt(in)).
 * A cut removes Mixed_7a to 7c, then Mixed_6a to 6e, Mixed_5b to 5d; nothing closes.
 * The auxiliary head (AuxLogits) that files of the weights have is not built. */
#include "blocks.h"

enum { BLOCKS = 3 };

/* A convolution that keeps the side, with batch norm and ReLU. */
static tx_node *unit(tx_graph *g, tx_node *x, const char *name, int out, int kernel_h, int kernel_w)
{
    return tx_net_unit(
        g, x, name,
        (tx_unit_args){.out = out, .kernel_h = kernel_h, .kernel_w = kernel_w, .init = {TX_INIT_NORMAL, 0.1}});
}

/* A 3x3 convolution without padding. */
static tx_node *valid(tx_graph *g, tx_node *x, const char *name, int out, int stride)
{
    return tx_net_unit(
        g, x, name,
        (tx_unit_args){
            .out = out, .kernel_h = 3, .kernel_w = 3, .stride = stride, .valid = 1, .init = {TX_INIT_NORMAL, 0.1}});
}

static tx_node *average(tx_graph *g, tx_node *x)
{
    return tx_avg_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 1, .padding = 1, .count_include_pad = 1});
}

static tx_node *largest(tx_graph *g, tx_node *x)
{
    return tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 2});
}

static tx_node *mixed_a(tx_graph *g, tx_node *x, int behind_pool)
{
    tx_node *a = unit(g, x, "branch1x1", 64, 1, 1);
    tx_node *b = unit(g, x, "branch5x5_1", 48, 1, 1);
    b = unit(g, b, "branch5x5_2", 64, 5, 5);
    tx_node *c = unit(g, x, "branch3x3dbl_1", 64, 1, 1);
    c = unit(g, c, "branch3x3dbl_2", 96, 3, 3);
    c = unit(g, c, "branch3x3dbl_3", 96, 3, 3);
    tx_node *d = unit(g, average(g, x), "branch_pool", behind_pool, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b, c, d}, 4);
}

static tx_node *mixed_b(tx_graph *g, tx_node *x)
{
    tx_node *a = valid(g, x, "branch3x3", 384, 2);
    tx_node *b = unit(g, x, "branch3x3dbl_1", 64, 1, 1);
    b = unit(g, b, "branch3x3dbl_2", 96, 3, 3);
    b = valid(g, b, "branch3x3dbl_3", 96, 2);
    return tx_concat(g, (tx_node *[]){a, b, largest(g, x)}, 3);
}

static tx_node *mixed_c(tx_graph *g, tx_node *x, int within)
{
    tx_node *a = unit(g, x, "branch1x1", 192, 1, 1);
    tx_node *b = unit(g, x, "branch7x7_1", within, 1, 1);
    b = unit(g, b, "branch7x7_2", within, 1, 7);
    b = unit(g, b, "branch7x7_3", 192, 7, 1);
    tx_node *c = unit(g, x, "branch7x7dbl_1", within, 1, 1);
    c = unit(g, c, "branch7x7dbl_2", within, 7, 1);
    c = unit(g, c, "branch7x7dbl_3", within, 1, 7);
    c = unit(g, c, "branch7x7dbl_4", within, 7, 1);
    c = unit(g, c, "branch7x7dbl_5", 192, 1, 7);
    tx_node *d = unit(g, average(g, x), "branch_pool", 192, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b, c, d}, 4);
}

static tx_node *mixed_d(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch3x3_1", 192, 1, 1);
    a = valid(g, a, "branch3x3_2", 320, 2);
    tx_node *b = unit(g, x, "branch7x7x3_1", 192, 1, 1);
    b = unit(g, b, "branch7x7x3_2", 192, 1, 7);
    b = unit(g, b, "branch7x7x3_3", 192, 7, 1);
    b = valid(g, b, "branch7x7x3_4", 192, 2);
    return tx_concat(g, (tx_node *[]){a, b, largest(g, x)}, 3);
}

static tx_node *mixed_e(tx_graph *g, tx_node *x)
{
    tx_node *a = unit(g, x, "branch1x1", 320, 1, 1);
    tx_node *b = unit(g, x, "branch3x3_1", 384, 1, 1);
    tx_node *b_row = unit(g, b, "branch3x3_2a", 384, 1, 3);
    tx_node *b_column = unit(g, b, "branch3x3_2b", 384, 3, 1);
    tx_node *c = unit(g, x, "branch3x3dbl_1", 448, 1, 1);
    c = unit(g, c, "branch3x3dbl_2", 384, 3, 3);
    tx_node *c_row = unit(g, c, "branch3x3dbl_3a", 384, 1, 3);
    tx_node *c_column = unit(g, c, "branch3x3dbl_3b", 384, 3, 1);
    tx_node *d = unit(g, average(g, x), "branch_pool", 192, 1, 1);
    return tx_concat(g, (tx_node *[]){a, b_row, b_column, c_row, c_column, d}, 6);
}

static tx_node *stem(tx_graph *g, tx_node *x)
{
    x = valid(g, x, "Conv2d_1a_3x3", 32, 2);
    x = valid(g, x, "Conv2d_2a_3x3", 32, 1);
    x = unit(g, x, "Conv2d_2b_3x3", 64, 3, 3);
    x = largest(g, x);
    x = unit(g, x, "Conv2d_3b_1x1", 80, 1, 1);
    x = valid(g, x, "Conv2d_4a_3x3", 192, 1);
    return largest(g, x);
}

/* Its letter says what the module is; `width` is of the types that have one. */
static const struct {
    const char *name;
    char type;
    int width, block;
} mixed[] = {
    {"Mixed_5b", 'A', 32, 1},  {"Mixed_5c", 'A', 64, 1},  {"Mixed_5d", 'A', 64, 1},  {"Mixed_6a", 'B', 0, 2},
    {"Mixed_6b", 'C', 128, 2}, {"Mixed_6c", 'C', 160, 2}, {"Mixed_6d", 'C', 160, 2}, {"Mixed_6e", 'C', 192, 2},
    {"Mixed_7a", 'D', 0, 3},   {"Mixed_7b", 'E', 0, 3},   {"Mixed_7c", 'E', 0, 3},
};
enum { MODULES = sizeof mixed / sizeof mixed[0] };

static tx_node *module(tx_graph *g, tx_node *x, char type, int width)
{
    switch (type) {
    case 'A':
        return mixed_a(g, x, width);
    case 'B':
        return mixed_b(g, x);
    case 'C':
        return mixed_c(g, x, width);
    case 'D':
        return mixed_d(g, x);
    default:
        return mixed_e(g, x);
    }
}

static tx_node *inception_features(tx_graph *g, tx_node *x, const tx_net_info *net, int cut)
{
    (void)net;
    x = stem(g, x);
    for (int i = 0; i < MODULES && mixed[i].block <= BLOCKS - cut; i++) {
        tx_graph_enter(g, "%s", mixed[i].name);
        x = module(g, x, mixed[i].type, mixed[i].width);
        tx_graph_leave(g);
    }
    return x;
}

const tx_net_info tx_net_inception_v3 = {
    .name = "inception_v3",
    .family = "Inception-v3",
    .head = {.name = "fc", .init = TX_HEAD_NORMAL_IN, .dropout = 0.5},
    .blocks = BLOCKS,
    .smallest = 75,
    .usual = 299,
    .top1 = 77.294,
    .normal = "half",
    .features = inception_features,
    .timm = "inception_v3",
    .file = "inception_v3_google-|inception_v3-",
    .ignored = "AuxLogits.",
};
