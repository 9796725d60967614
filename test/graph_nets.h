/* graph_nets.h - small networks that join, share and branch in the ways that planning has to get right. */
#ifndef THORAX_GRAPH_NETS_H
#define THORAX_GRAPH_NETS_H

#include "../layers/layers.h"

#include <stdio.h>
#include <string.h>

/* Nodes are named after their position, so that a builder reads like a formula. */
static const char *net_label(tx_graph *g, const char *kind)
{
    static char name[32];
    snprintf(name, sizeof name, "%s%d", kind, g ? tx_graph_nodes(g) : 0);
    return name;
}

static tx_node *conv(tx_node *x, int out, int kernel, int stride)
{
    tx_graph *g = x ? x->graph : NULL;
    return tx_conv2d(
        g, x, net_label(g, "conv"),
        (tx_conv2d_args){.out = out, .kernel = kernel, .stride = stride, .padding = kernel / 2, .no_bias = 1});
}

static tx_node *conv_bias(tx_node *x, int out, int kernel)
{
    tx_graph *g = x ? x->graph : NULL;
    return tx_conv2d(g, x, net_label(g, "conv"), (tx_conv2d_args){.out = out, .kernel = kernel, .padding = kernel / 2});
}

static tx_node *bn(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    return tx_batchnorm(g, x, net_label(g, "bn"), (tx_batchnorm_args){.eps = 1e-3, .momentum = 0.25});
}

static tx_node *relu(tx_node *x)
{
    return tx_relu(x ? x->graph : NULL, x);
}

static tx_node *add(tx_node *a, tx_node *b)
{
    return tx_add(a ? a->graph : NULL, a, b);
}

static tx_node *cat2(tx_node *a, tx_node *b)
{
    tx_node *parts[2] = {a, b};
    return tx_concat(a ? a->graph : NULL, parts, 2);
}

static tx_node *cat3(tx_node *a, tx_node *b, tx_node *c)
{
    tx_node *parts[3] = {a, b, c};
    return tx_concat(a ? a->graph : NULL, parts, 3);
}

static tx_node *pool(tx_node *x, int kernel, int stride, int padding)
{
    return tx_max_pool(x ? x->graph : NULL, x, (tx_pool_args){.kernel = kernel, .stride = stride, .padding = padding});
}

static tx_node *drop(tx_node *x, double p)
{
    return tx_dropout(x ? x->graph : NULL, x, (tx_dropout_args){.p = p});
}

static tx_node *full(tx_node *x, int out)
{
    tx_graph *g = x ? x->graph : NULL;
    return tx_linear(g, x, net_label(g, "fc"), (tx_linear_args){.out = out});
}

/* ---- features: from the image to what the head reads */

static tx_node *net_basic(tx_node *x)
{
    x = relu(bn(conv(x, 8, 3, 1)));
    tx_node *y = relu(bn(conv(x, 8, 3, 1)));
    return relu(add(bn(conv(y, 8, 3, 1)), x));
}

static tx_node *net_bottleneck(tx_node *x)
{
    x = pool(relu(bn(conv(x, 6, 7, 2))), 3, 2, 1);
    tx_node *y = relu(bn(conv(x, 4, 1, 1)));
    y = relu(bn(conv(y, 4, 3, 2)));
    y = bn(conv(y, 16, 1, 1));
    y = relu(add(y, bn(conv(x, 16, 1, 2))));
    tx_node *z = relu(bn(conv(y, 4, 1, 1)));
    return relu(add(y, bn(conv(z, 16, 1, 1))));
}

/* DenseNet: every layer reads all that came before it, as one concatenation of concatenations .. */
static tx_node *net_dense_nested(tx_node *x)
{
    x = relu(bn(conv(x, 5, 3, 1)));
    for (int i = 0; i < 3; i++)
        x = cat2(x, conv(relu(bn(conv(relu(bn(x)), 6, 1, 1))), 3, 3, 1));
    return relu(bn(x));
}

/* .. or as new concatenations with a prefix in common. */
static tx_node *net_dense_flat(tx_node *x)
{
    tx_node *parts[4];
    parts[0] = pool(conv(x, 5, 3, 1), 3, 2, 1);
    for (int i = 1; i < 4; i++) {
        tx_node *all = i == 1 ? parts[0] : tx_concat(x ? x->graph : NULL, parts, i);
        parts[i] = conv(relu(bn(conv(relu(bn(all)), 6, 1, 1))), 3, 3, 1);
    }
    return relu(bn(tx_concat(x ? x->graph : NULL, parts, 4)));
}

/* Two blocks with a transition between them. */
static tx_node *net_dense_blocks(tx_node *x)
{
    x = pool(relu(bn(conv(x, 6, 3, 1))), 3, 2, 1);
    for (int block = 0; block < 2; block++) {
        for (int i = 0; i < 2; i++)
            x = cat2(x, conv(relu(bn(x)), 4, 3, 1));
        if (block == 0)
            x = conv(relu(bn(x)), 6, 1, 2);
    }
    return bn(x);
}

static tx_node *net_thrice(tx_node *x)
{
    x = relu(conv_bias(x, 6, 3));
    tx_node *y = conv(x, 6, 3, 1), *z = conv(x, 6, 1, 1);
    return add(add(y, z), x);
}

static tx_node *net_itself(tx_node *x)
{
    x = conv(x, 5, 3, 1);
    return relu(add(x, x));
}

static tx_node *net_itself_twice(tx_node *x)
{
    x = relu(bn(conv(x, 5, 3, 1)));
    x = add(x, x);
    return add(x, relu(add(x, x)));
}

static tx_node *net_bn_without_relu(tx_node *x)
{
    return bn(conv(bn(conv(x, 5, 3, 1)), 7, 3, 1));
}

static tx_node *net_relu_without_bn(tx_node *x)
{
    return relu(conv(relu(conv_bias(x, 5, 3)), 7, 3, 2));
}

static tx_node *net_bn_conv_and_add(tx_node *x)
{
    x = bn(conv(x, 6, 3, 1));
    return relu(add(conv(x, 6, 3, 1), x));
}

/* One batch norm read raw, through a rectifier, and by an operation that reads no views. */
static tx_node *net_bn_many_ways(tx_node *x)
{
    x = bn(conv(x, 6, 3, 1));
    tx_node *r = relu(x), *a = conv(x, 3, 1, 1), *b = conv(r, 3, 3, 1), *c = pool(x, 3, 1, 1);
    return cat3(a, b, add(r, c));
}

static tx_node *net_relu_and_raw(tx_node *x)
{
    tx_node *a = conv(x, 6, 3, 1), *b = conv(x, 6, 1, 1), *s = add(a, b), *r = relu(s);
    return add(r, bn(s));
}

static tx_node *net_bn_of_bn(tx_node *x)
{
    return relu(relu(bn(relu(bn(bn(x))))));
}

static tx_node *net_dropout(tx_node *x)
{
    x = drop(relu(bn(conv(x, 8, 3, 1))), 0.3);
    return drop(conv(x, 6, 3, 1), 0.5);
}

static tx_node *net_dropout_shared(tx_node *x)
{
    x = relu(bn(conv(x, 6, 3, 1)));
    tx_node *a = drop(x, 0.25), *b = conv(x, 2, 1, 1), *c = drop(conv(x, 4, 3, 1), 0.5);
    return add(a, cat2(b, c));
}

static tx_node *net_concat_itself(tx_node *x)
{
    x = relu(bn(conv(x, 4, 3, 1)));
    return conv(cat3(x, x, conv(x, 3, 1, 1)), 5, 3, 1);
}

/* A value that is in a concatenation and read by itself, before and after. */
static tx_node *net_concat_shared(tx_node *x)
{
    tx_node *a = conv(x, 4, 3, 1), *b = relu(bn(a));
    tx_node *c = conv(cat2(a, b), 4, 1, 1), *d = conv(b, 4, 3, 1);
    return add(c, add(a, d));
}

static tx_node *net_concat_image(tx_node *x)
{
    return conv(relu(bn(cat3(x, conv(x, 4, 3, 1), x))), 5, 1, 1);
}

/* Inception: branches of different depth. */
static tx_node *net_branches(tx_node *x)
{
    x = relu(bn(conv(x, 6, 3, 2)));
    tx_node *a = relu(bn(conv(x, 4, 1, 1)));
    tx_node *b = relu(bn(conv(relu(bn(conv(x, 3, 1, 1))), 5, 3, 1)));
    tx_node *c = relu(bn(conv(pool(x, 3, 1, 1), 2, 1, 1)));
    tx_node *y = cat3(a, b, c), *p = pool(y, 3, 2, 1);
    return cat2(p, relu(bn(conv(y, 7, 3, 2))));
}

/* Two concatenations want the same value: only one can hold it. */
static tx_node *net_concat_rivals(tx_node *x)
{
    tx_node *a = conv(x, 4, 3, 1), *b = relu(bn(conv(x, 4, 1, 1)));
    tx_node *c = cat2(a, b), *d = cat2(b, a);
    return add(relu(bn(c)), d);
}

/* .. and their sum hands one gradient to both. */
static tx_node *net_concat_crossed(tx_node *x)
{
    tx_node *a = conv(x, 4, 3, 1), *b = conv(x, 4, 1, 1), *c = cat2(a, b), *d = cat2(b, a);
    return add(c, d);
}

/* The gradients of a batch norm's result and input overlap without being one. */
static tx_node *net_concat_shifted(tx_node *x)
{
    tx_node *a = conv(x, 20, 3, 1), *b = bn(a), *c = conv(x, 10, 1, 1), *d = conv(x, 10, 3, 1);
    tx_node *first = cat2(c, a), *second = cat2(b, d);
    return add(first, second);
}

static tx_node *net_concat_in_concat(tx_node *x)
{
    tx_node *a = conv(x, 3, 3, 1), *b = conv(x, 2, 1, 1), *c = relu(bn(conv(x, 4, 3, 1)));
    tx_node *inner = cat2(a, b), *outer = cat3(c, inner, a);
    return add(conv(outer, 5, 3, 1), inner);
}

/* A concatenation that stands behind another value in the one around it, and is read by nobody else. */
static tx_node *net_concat_behind(tx_node *x)
{
    tx_node *a = conv(x, 3, 3, 1), *b = conv(x, 2, 1, 1), *c = relu(bn(conv(x, 4, 3, 1)));
    return conv(cat3(c, cat2(a, cat2(b, conv(x, 5, 1, 1))), relu(b)), 5, 3, 1);
}

/* A sum hands its gradient to a rectified sum, which masks it, and to a value that was made before and needs it later. */
static tx_node *net_sum_of_rectified(tx_node *x)
{
    tx_node *early = conv(x, 5, 1, 1), *a = conv(x, 5, 3, 1), *b = conv(x, 5, 3, 1);
    return add(early, relu(add(a, b)));
}

/* What a sum adds must last while the other branch takes three steps. */
static tx_node *net_long_branch(tx_node *x)
{
    x = relu(bn(conv(x, 8, 3, 1)));
    tx_node *y = relu(bn(conv(x, 8, 3, 1)));
    y = relu(bn(conv(y, 8, 1, 1)));
    y = relu(add(bn(conv(y, 8, 3, 1)), x));
    tx_node *z = conv(conv(conv(y, 8, 1, 1), 8, 1, 1), 8, 3, 1);
    return add(y, z);
}

/* Products so small that they are rather made again than kept, each from the one before. */
static tx_node *net_cheap_chain(tx_node *x)
{
    for (int i = 0; i < 8; i++)
        x = conv_bias(x, 5 + i % 3, 3);
    return relu(add(conv(x, 6, 1, 1), conv_bias(x, 6, 1)));
}

/* NASNet: sums that are read as they are and rectified, by several. */
static tx_node *net_rectified_sums(tx_node *x)
{
    x = bn(conv(x, 6, 3, 1));
    for (int i = 0; i < 2; i++) {
        tx_node *r = relu(x), *a = bn(conv(r, 6, 3, 1)), *b = conv(r, 6, 1, 1);
        x = add(add(a, b), i ? x : relu(conv(x, 6, 1, 1)));
    }
    return cat2(conv(relu(x), 4, 1, 1), pool(x, 3, 1, 1));
}

static tx_node *branch(tx_node *x, int out, int kernel)
{
    return relu(bn(conv(x, out, kernel, 1)));
}

/* Inception: concatenations of batch norms and pools that all read as views. */
static tx_node *net_branches_as_views(tx_node *x)
{
    x = branch(x, 6, 3);
    x = cat3(branch(x, 4, 1), branch(branch(x, 3, 1), 5, 3), pool(x, 3, 1, 1));
    x = cat2(branch(x, 3, 1), branch(pool(x, 3, 1, 1), 2, 1));
    return cat3(pool(x, 3, 2, 1), relu(bn(conv(x, 4, 3, 2))), pool(conv(x, 3, 1, 1), 3, 2, 1));
}

static tx_node *net_views_in_concat_in_concat(tx_node *x)
{
    tx_node *a = branch(x, 3, 3), *b = branch(x, 2, 1), *c = branch(x, 4, 3), *p = pool(a, 3, 1, 1);
    tx_node *inner = cat2(a, b), *outer = cat3(c, cat2(inner, relu(conv(x, 3, 1, 1))), p);
    return add(conv(outer, 5, 3, 1), conv(inner, 5, 1, 1));
}

/* A batch norm without activation beside what is no view, the image among it. */
static tx_node *net_affine_views(tx_node *x)
{
    tx_node *a = bn(conv(x, 4, 3, 1)), *b = conv(x, 3, 1, 1), *c = cat3(a, b, x);
    return conv(c, 5, 3, 1);
}

/* Two concatenations of the same views, and one that an operation reads that needs its values written. */
static tx_node *net_rival_views(tx_node *x)
{
    tx_node *a = branch(x, 4, 3), *b = branch(x, 4, 1), *c = cat2(a, b), *d = cat2(b, a);
    tx_node *e = branch(c, 4, 3), *f = cat2(e, a);
    return add(add(conv(d, 4, 1, 1), conv(f, 4, 3, 1)), drop(conv(c, 4, 1, 1), 0.3));
}

static tx_node *net_views_struck(tx_node *x)
{
    tx_node *a = branch(x, 4, 3), *b = branch(x, 3, 1), *c = cat2(a, b), *d = cat2(a, pool(b, 3, 1, 1));
    return add(drop(c, 0.25), d);
}

/* Not all is left as it is by the rectifier of the others. */
static tx_node *net_views_of_two_kinds(tx_node *x)
{
    tx_node *a = branch(x, 4, 3), *b = bn(conv(x, 3, 1, 1)), *c = conv(x, 2, 1, 1);
    return conv(cat2(cat2(a, c), cat2(b, a)), 5, 1, 1);
}

static tx_node *net_views_of_two_activations(tx_node *x)
{
    tx_node *a = branch(x, 4, 3), *b = tx_relu6(x ? x->graph : NULL, bn(conv(x, 3, 1, 1)));
    return conv(cat2(a, b), 5, 1, 1);
}

/* A sum that inference fuses to a convolution adds what could be a view for everybody else. */
static tx_node *net_addend(tx_node *x)
{
    tx_node *s = add(conv(x, 4, 3, 1), conv(x, 4, 1, 1)), *r = relu(s);
    return add(add(conv(r, 4, 3, 1), r), s);
}

static tx_node *depthwise(tx_node *x, int kernel, int stride)
{
    tx_graph *g = x ? x->graph : NULL;
    int c = x ? x->c : 1;
    return tx_conv2d(
        g, x, net_label(g, "dw"),
        (tx_conv2d_args){
            .out = c, .kernel = kernel, .stride = stride, .padding = kernel / 2, .groups = c, .no_bias = 1});
}

/* MobileNetV2: inverted residuals. */
static tx_node *net_inverted(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    x = tx_relu6(g, bn(conv(x, 6, 3, 2)));
    for (int i = 0; i < 2; i++) {
        tx_node *y = tx_relu6(g, bn(depthwise(tx_relu6(g, bn(conv(x, 20, 1, 1))), 3, 1)));
        x = add(bn(conv(y, 6, 1, 1)), x);
    }
    return tx_hardswish(g, bn(conv(x, 9, 1, 1)));
}

/* EfficientNet: gates that a 1x1 convolution reads, on values that are written and on views, and dropped branches. */
static tx_node *net_squeeze(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    x = tx_silu(g, bn(conv(x, 6, 3, 1)));
    for (int i = 0; i < 2; i++) {
        tx_node *y = bn(depthwise(tx_silu(g, bn(conv(x, 18, 1, 1))), 5, 1));
        y = i ? tx_hardswish(g, y) : tx_silu(g, y);
        tx_node *s = tx_sigmoid(g, conv_bias(tx_silu(g, conv_bias(tx_global_mean(g, y), 3, 1)), 18, 1));
        y = bn(conv(tx_scale(g, y, s), 6, 1, 1));
        x = add(tx_stochastic_depth(g, y, (tx_stochastic_depth_args){.p = 0.3}), x);
    }
    return x;
}

/* Gates that several read, one behind another, one on a view of a concatenation, one that somebody needs written. */
static tx_node *net_gates(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    tx_node *c = cat2(branch(x, 4, 3), branch(x, 3, 1)), *s = tx_hardsigmoid(g, conv_bias(tx_global_mean(g, c), 7, 1));
    tx_node *a = tx_scale(g, c, s), *b = tx_scale(g, a, tx_sigmoid(g, s)), *d = tx_scale(g, relu(b), s);
    return cat3(add(conv(a, 7, 3, 1), b), drop(d, 0.3), pool(d, 3, 1, 1));
}

/* Part of the graph leads nowhere. */
static tx_node *net_dead_branch(tx_node *x)
{
    x = relu(bn(conv(x, 5, 3, 1)));
    relu(bn(conv(x, 3, 3, 2)));
    add(x, x);
    return conv(x, 4, 1, 1);
}

static tx_node *net_geometry(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    x = tx_conv2d(
        g, x, "a",
        (tx_conv2d_args){.out = 5, .kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .padding_w = 1});
    x = relu(tx_conv2d(g, x, "b", (tx_conv2d_args){.out = 6, .kernel = 3, .dilation = 2, .padding = 2, .no_bias = 1}));
    x = tx_conv2d(g, x, "c", (tx_conv2d_args){.out = 4, .kernel = 1, .stride = 2});
    return tx_conv2d(g, bn(x), "d", (tx_conv2d_args){.out = 7, .kernel = 3, .padding = 2, .no_bias = 1});
}

/* Wide enough for Winograd's algorithm, and for more than one block of a matrix product. */
static tx_node *net_wide(tx_node *x)
{
    x = relu(bn(conv(x, 64, 3, 1)));
    tx_node *y = relu(bn(conv(x, 64, 3, 1)));
    y = relu(add(bn(conv(y, 64, 3, 1)), x));
    return conv_bias(y, 40, 3);
}

static tx_node *net_linear(tx_node *x)
{
    return relu(full(drop(relu(full(x, 9)), 0.2), 6));
}

static tx_node *net_two_heads(tx_node *x)
{
    x = relu(bn(conv(x, 6, 3, 1)));
    tx_node *m = tx_global_mean(x ? x->graph : NULL, x);
    tx_node *a = full(m, 5), *b = relu(full(m, 5));
    return add(a, b);
}

/* The means are taken by two nodes, so the second adds its gradient to the first's, image by image. */
static tx_node *net_two_means(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    x = relu(conv_bias(x, 6, 3));
    tx_node *a = full(tx_global_mean(g, x), 5), *b = relu(full(tx_global_mean(g, x), 5));
    return add(a, b);
}

static tx_node *net_pool_first(tx_node *x)
{
    tx_node *p = pool(x, 2, 2, 0), *a = relu(bn(conv(p, 5, 3, 1))), *b = pool(conv(x, 5, 3, 1), 2, 2, 0);
    return add(a, b);
}

static tx_node *net_pool_alone(tx_node *x)
{
    return conv(pool(x, 2, 2, 0), 5, 3, 1);
}

static tx_node *net_nothing(tx_node *x)
{
    return x;
}

typedef struct small_net {
    const char *name;
    tx_node *(*features)(tx_node *image);
    int c, h, w;
    int cross_entropy; /* the loss: 0 masked binary cross-entropy, 1 softmax cross-entropy, 2 none: features are the end */
} small_net;

static const small_net small_nets[] = {
    {"basic block", net_basic, 3, 7, 5, 0},
    {"bottleneck", net_bottleneck, 3, 17, 19, 0},
    {"dense, nested", net_dense_nested, 3, 5, 6, 0},
    {"dense, flat", net_dense_flat, 2, 7, 9, 1},
    {"dense, two blocks", net_dense_blocks, 3, 9, 11, 0},
    {"read three times", net_thrice, 3, 5, 5, 0},
    {"added to itself", net_itself, 3, 5, 4, 1},
    {"added to itself, twice", net_itself_twice, 3, 4, 5, 0},
    {"batch norm without relu", net_bn_without_relu, 3, 5, 5, 0},
    {"relu without batch norm", net_relu_without_bn, 3, 5, 7, 0},
    {"batch norm read by conv and add", net_bn_conv_and_add, 3, 5, 5, 0},
    {"batch norm read in many ways", net_bn_many_ways, 3, 6, 5, 0},
    {"sum read raw and rectified", net_relu_and_raw, 3, 5, 5, 1},
    {"batch norm of batch norm", net_bn_of_bn, 4, 5, 5, 0},
    {"dropout", net_dropout, 3, 6, 5, 0},
    {"dropout, shared", net_dropout_shared, 3, 5, 5, 1},
    {"concatenated with itself", net_concat_itself, 3, 5, 5, 0},
    {"concatenated and read", net_concat_shared, 3, 5, 5, 0},
    {"concatenated with the image", net_concat_image, 3, 5, 5, 0},
    {"branches", net_branches, 3, 9, 7, 0},
    {"rival concatenations", net_concat_rivals, 3, 5, 5, 1},
    {"crossed concatenations", net_concat_crossed, 3, 5, 5, 0},
    {"shifted concatenations", net_concat_shifted, 3, 5, 5, 0},
    {"concatenation in concatenation", net_concat_in_concat, 3, 5, 5, 0},
    {"concatenation behind another value", net_concat_behind, 3, 5, 4, 0},
    {"sum of rectified sums", net_sum_of_rectified, 3, 5, 5, 0},
    {"long branch", net_long_branch, 3, 6, 5, 0},
    {"chain of small products", net_cheap_chain, 3, 9, 7, 0},
    {"dead branch", net_dead_branch, 3, 5, 5, 0},
    {"geometry", net_geometry, 3, 7, 8, 0},
    {"wide", net_wide, 3, 9, 10, 0},
    {"linear", net_linear, 11, 1, 1, 1},
    {"linear on a map", net_linear, 4, 3, 2, 0},
    {"two heads", net_two_heads, 3, 4, 4, 2},
    {"two means", net_two_means, 3, 4, 5, 1},
    {"pool first", net_pool_first, 3, 7, 8, 0},
    {"pool alone", net_pool_alone, 3, 6, 8, 0},
    {"features alone", net_dense_nested, 3, 5, 6, 2},
    {"a sum at the end", net_concat_shared, 3, 5, 5, 2},
    {"a concatenation at the end", net_branches, 3, 9, 7, 2},
    {"a batch norm at the end", net_dense_blocks, 3, 9, 11, 2},
    {"no features", net_nothing, 3, 5, 4, 0},
    {"rectified sums", net_rectified_sums, 3, 6, 5, 0},
    {"branches as views", net_branches_as_views, 3, 7, 6, 0},
    {"views in concatenations of concatenations", net_views_in_concat_in_concat, 3, 5, 5, 0},
    {"views without activation", net_affine_views, 3, 5, 4, 1},
    {"rival concatenations of views", net_rival_views, 3, 5, 5, 0},
    {"views that have to be written", net_views_struck, 3, 5, 5, 2},
    {"inverted residuals", net_inverted, 3, 9, 8, 0},
    {"squeeze and excite", net_squeeze, 3, 7, 6, 0},
    {"gates", net_gates, 3, 6, 5, 1},
    {"views of two kinds", net_views_of_two_kinds, 3, 5, 5, 0},
    {"views of two activations", net_views_of_two_activations, 3, 5, 5, 0},
    {"an addend behind a rectifier", net_addend, 3, 5, 5, 0},
};
enum { SMALL_NETS = sizeof small_nets / sizeof small_nets[0], SMALL_CLASSES = 5 };

/* A small net's graph. label and mask are NULL where the loss takes none. */
typedef struct small_graph {
    tx_graph *graph;
    tx_node *image, *label, *mask;
    const tx_node *last;
} small_graph;

/* keep: 0 nothing but the image, 1 every node stays readable, 2 not even the image, from 3 on the image and about every
 * third node, others for each number. */
enum { SMALL_KEEPS = 6 };
static inline tx_status small_build(small_graph *s, const small_net *net, int keep)
{
    memset(s, 0, sizeof *s);
    tx_graph *g = s->graph = tx_graph_new();
    s->image = tx_input(g, net->c, net->h, net->w);
    tx_node *x = net->features(s->image);
    if (net->cross_entropy < 2)
        x = tx_linear(g, tx_global_mean(g, x), "head", (tx_linear_args){.out = SMALL_CLASSES});
    if (net->cross_entropy == 0) {
        s->label = tx_input(g, SMALL_CLASSES, 1, 1);
        s->mask = tx_input(g, SMALL_CLASSES, 1, 1);
        tx_bce_with_logits(g, x, s->label, s->mask, (tx_bce_args){0});
    } else if (net->cross_entropy == 1) {
        s->label = tx_input(g, 1, 1, 1);
        tx_cross_entropy(g, x, s->label, (tx_cross_entropy_args){.smoothing = 0.1});
    }
    if (tx_graph_status(g))
        return tx_graph_status(g);
    if (keep != 2)
        tx_node_keep(s->image);
    for (int i = 0; i < tx_graph_nodes(g); i++) {
        const tx_node *node = tx_graph_node(g, i);
        int some = keep > 2 && tx_random_below(17, TX_RANDOM_TEST, (uint64_t)keep, (uint64_t)i, 3) == 0;
        if ((keep == 1 || some) && node != s->label && node != s->mask)
            tx_node_keep((tx_node *)node);
    }
    s->last = tx_graph_node(g, tx_graph_nodes(g) - 1);
    return TX_OK;
}

static inline size_t small_count(const tx_node *node, int n)
{
    return (size_t)n * (size_t)node->h * (size_t)node->w * (size_t)node->c;
}

/* Element i of input number k (0 image, 1 labels, 2 mask). */
static inline float small_input(const small_net *net, int k, size_t i)
{
    if (k == 0)
        return tx_random_normal(11, TX_RANDOM_TEST, 0, i);
    if (k == 1 && net->cross_entropy == 1)
        return (float)tx_random_below(11, TX_RANDOM_TEST, 1, i, SMALL_CLASSES);
    return tx_random_below(11, TX_RANDOM_TEST, (uint64_t)k, i, 4) > (k == 1);
}

/* Gradient that arrives at the last node where there is no loss. */
static inline float small_dy(size_t i)
{
    return tx_random_normal(11, TX_RANDOM_TEST, 5, i);
}

/* Values that stay clear of 0 and 1: scales around 1, shifts around 0, running statistics that are not the initial ones. */
static inline void small_fill(tx_weights *w)
{
    tx_weights_init(w, 7);
    for (int i = 0; i < tx_graph_params(w->graph); i++) {
        const tx_param *p = tx_graph_param(w->graph, i);
        if (p->role == TX_ROLE_COUNTER || p->dims != 1)
            continue;
        int variance = strstr(p->name, "running_var") != NULL;
        for (size_t k = 0; k < p->count; k++) {
            float u = tx_random_uniform(7, TX_RANDOM_TEST, (uint64_t)i, k);
            tx_weights_param(w, p)[k] += variance ? u : 0.6f * u - 0.3f;
        }
    }
    tx_weights_changed(w);
}

#endif
