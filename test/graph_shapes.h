/* graph_shapes.h - networks of the paper that nets/ has not, as planning sees them: their shapes. test/graph_memory.c plans
 * them. Padding of NASNet's reducing cells is that of even sides everywhere, which gives the same maps. */
#ifndef THORAX_GRAPH_SHAPES_H
#define THORAX_GRAPH_SHAPES_H

#include "graph_nets.h"

/* ---- parts */

static tx_node *average(tx_node *x, int kernel, int stride, int padding)
{
    return tx_avg_pool(x ? x->graph : NULL, x, (tx_pool_args){.kernel = kernel, .stride = stride, .padding = padding});
}

/* A unit of the Inceptions: kernels and padding by side. */
static tx_node *unit_hw(tx_node *x, int out, int kh, int kw, int stride, int ph, int pw)
{
    tx_graph *g = x ? x->graph : NULL;
    return relu(bn(tx_conv2d(g, x, net_label(g, "conv"),
                             (tx_conv2d_args){.out = out,
                                              .kernel_h = kh,
                                              .kernel_w = kw,
                                              .stride = stride,
                                              .padding_h = ph,
                                              .padding_w = pw,
                                              .no_bias = 1})));
}

static tx_node *unit(tx_node *x, int out, int kernel, int stride, int padding)
{
    return unit_hw(x, out, kernel, kernel, stride, padding, padding);
}

static tx_node *row(tx_node *x, int out, int kernel)
{
    return unit_hw(x, out, 1, kernel, 1, 0, kernel / 2);
}

static tx_node *column(tx_node *x, int out, int kernel)
{
    return unit_hw(x, out, kernel, 1, 1, kernel / 2, 0);
}

static tx_node *cat(tx_node **parts, int n)
{
    return tx_concat(parts[0] ? parts[0]->graph : NULL, parts, n);
}

/* ---- Inception V3 */

static tx_node *inception3_a(tx_node *x, int width)
{
    tx_node *parts[4] = {unit(x, 64, 1, 1, 0), unit(unit(x, 48, 1, 1, 0), 64, 5, 1, 2),
                         unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 1, 1),
                         unit(average(x, 3, 1, 1), width, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception3_c(tx_node *x, int c)
{
    tx_node *once = column(row(unit(x, c, 1, 1, 0), c, 7), 192, 7);
    tx_node *twice = column(unit(x, c, 1, 1, 0), c, 7);
    twice = row(column(row(twice, c, 7), c, 7), 192, 7);
    tx_node *parts[4] = {unit(x, 192, 1, 1, 0), once, twice, unit(average(x, 3, 1, 1), 192, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception3_e(tx_node *x)
{
    tx_node *a = unit(x, 384, 1, 1, 0), *b = unit(unit(x, 448, 1, 1, 0), 384, 3, 1, 1);
    tx_node *parts[6] = {unit(x, 320, 1, 1, 0), row(a, 384, 3),    column(a, 384, 3),
                         row(b, 384, 3),        column(b, 384, 3), unit(average(x, 3, 1, 1), 192, 1, 1, 0)};
    return cat(parts, 6);
}

static tx_node *shape_inception_v3(tx_node *x)
{
    static const int pools[] = {32, 64, 64}, sevens[] = {128, 160, 160, 192};
    x = unit(unit(unit(x, 32, 3, 2, 0), 32, 3, 1, 0), 64, 3, 1, 1);
    x = unit(unit(pool(x, 3, 2, 0), 80, 1, 1, 0), 192, 3, 1, 0);
    x = pool(x, 3, 2, 0);
    for (int i = 0; i < 3; i++)
        x = inception3_a(x, pools[i]);
    x = cat3(unit(x, 384, 3, 2, 0), unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 4; i++)
        x = inception3_c(x, sevens[i]);
    x = cat3(unit(unit(x, 192, 1, 1, 0), 320, 3, 2, 0),
             unit(column(row(unit(x, 192, 1, 1, 0), 192, 7), 192, 7), 192, 3, 2, 0), pool(x, 3, 2, 0));
    return inception3_e(inception3_e(x));
}

/* ---- Inception V4 */

static tx_node *inception4_a(tx_node *x)
{
    tx_node *parts[4] = {unit(x, 96, 1, 1, 0), unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1),
                         unit(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 1), 96, 3, 1, 1),
                         unit(average(x, 3, 1, 1), 96, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception4_b(tx_node *x)
{
    tx_node *twice = row(column(unit(x, 192, 1, 1, 0), 192, 7), 224, 7);
    tx_node *parts[4] = {unit(x, 384, 1, 1, 0), column(row(unit(x, 192, 1, 1, 0), 224, 7), 256, 7),
                         row(column(twice, 224, 7), 256, 7), unit(average(x, 3, 1, 1), 128, 1, 1, 0)};
    return cat(parts, 4);
}

static tx_node *inception4_c(tx_node *x)
{
    tx_node *a = unit(x, 384, 1, 1, 0), *b = row(column(unit(x, 384, 1, 1, 0), 448, 3), 512, 3);
    tx_node *parts[6] = {unit(x, 256, 1, 1, 0), row(a, 256, 3),    column(a, 256, 3),
                         row(b, 256, 3),        column(b, 256, 3), unit(average(x, 3, 1, 1), 256, 1, 1, 0)};
    return cat(parts, 6);
}

static tx_node *shape_inception_v4(tx_node *x)
{
    x = unit(unit(unit(x, 32, 3, 2, 0), 32, 3, 1, 0), 64, 3, 1, 1);
    x = cat2(pool(x, 3, 2, 0), unit(x, 96, 3, 2, 0));
    x = cat2(unit(unit(x, 64, 1, 1, 0), 96, 3, 1, 0),
             unit(column(row(unit(x, 64, 1, 1, 0), 64, 7), 64, 7), 96, 3, 1, 0));
    x = cat2(unit(x, 192, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 4; i++)
        x = inception4_a(x);
    x = cat3(unit(x, 384, 3, 2, 0), unit(unit(unit(x, 192, 1, 1, 0), 224, 3, 1, 1), 256, 3, 2, 0), pool(x, 3, 2, 0));
    for (int i = 0; i < 7; i++)
        x = inception4_b(x);
    x = cat3(unit(unit(x, 192, 1, 1, 0), 192, 3, 2, 0),
             unit(column(row(unit(x, 256, 1, 1, 0), 256, 7), 320, 7), 320, 3, 2, 0), pool(x, 3, 2, 0));
    return inception4_c(inception4_c(inception4_c(x)));
}

/* ---- NASNet-A-Mobile */

static tx_node *separable(tx_node *x, int f, int kernel, int stride)
{
    x = bn(conv(depthwise(relu(x), kernel, stride), f, 1, 1));
    return bn(conv(depthwise(relu(x), kernel, 1), f, 1, 1));
}

static tx_node *squeeze_cell(tx_node *x, int f)
{
    return bn(conv(relu(x), f, 1, 1));
}

/* prev as the cell takes it: of twice the side, or as it is with another number of channels. */
static tx_node *previous(tx_node *cur, tx_node *prev, int f)
{
    if (!prev || cur == prev)
        return prev;
    if (prev->h == cur->h)
        return squeeze_cell(prev, f);
    tx_node *r = relu(prev);
    return bn(cat2(conv(r, f / 2, 1, 2), conv(r, f / 2, 1, 2)));
}

static tx_node *normal_cell(tx_node *cur, tx_node *prev, int f)
{
    tx_node *c = squeeze_cell(cur, f), *p = previous(cur, prev, f);
    tx_node *parts[6] = {p,
                         add(separable(c, f, 5, 1), separable(p, f, 3, 1)),
                         add(separable(p, f, 5, 1), separable(p, f, 3, 1)),
                         add(average(c, 3, 1, 1), p),
                         add(average(p, 3, 1, 1), average(p, 3, 1, 1)),
                         add(separable(c, f, 3, 1), c)};
    return cat(parts, 6);
}

static tx_node *reduce_cell(tx_node *cur, tx_node *prev, int f)
{
    tx_node *c = squeeze_cell(cur, f), *p = previous(cur, prev, f);
    tx_node *first = add(separable(c, f, 5, 2), separable(p, f, 7, 2));
    tx_node *second = add(pool(c, 3, 2, 1), separable(p, f, 7, 2));
    tx_node *parts[4] = {second, add(average(c, 3, 2, 1), separable(p, f, 5, 2)), add(second, average(first, 3, 1, 1)),
                         add(separable(first, f, 3, 1), pool(c, 3, 2, 1))};
    return cat(parts, 4);
}

static tx_node *shape_nasnet(tx_node *x)
{
    tx_graph *g = x ? x->graph : NULL;
    tx_node *prev = bn(tx_conv2d(g, x, "conv0", (tx_conv2d_args){.out = 32, .kernel = 3, .stride = 2, .no_bias = 1}));
    tx_node *cur = reduce_cell(prev, prev, 11), *next = reduce_cell(cur, prev, 22);
    for (int f = 44; f <= 176; f *= 2) {
        prev = cur;
        cur = next;
        for (int i = 0; i < 4; i++) {
            next = normal_cell(cur, prev, f);
            prev = cur;
            cur = next;
        }
        if (f < 176)
            next = reduce_cell(cur, prev, 2 * f);
    }
    return relu(cur);
}

#endif
