/* graph_grow.h - random networks, each a function of one number: chains and branches of all operations of layers/, on maps of
 * 1 x 1 pixel and more, whose values several read, in ways that join, that cannot be joined, that share memory, or that lead
 * nowhere. A network is a list of pieces, so that one that fails can be made smaller. */
#ifndef THORAX_GRAPH_GROW_H
#define THORAX_GRAPH_GROW_H

#include "graph_nets.h"

typedef enum grow_kind {
    GROW_CONV,
    GROW_NORM,
    GROW_ACT,
    GROW_ADD,
    GROW_CONCAT,
    GROW_SCALE,
    GROW_MAX_POOL,
    GROW_AVG_POOL,
    GROW_MEAN,
    GROW_DROPOUT,
    GROW_DEPTH,
    GROW_LINEAR,
    GROW_LOSS,
    GROW_KINDS
} grow_kind;

enum { GROW_PIECES = 32, GROW_INPUTS = 6, GROW_SIDE = 12, GROW_CHANNELS = 48 };

/* An operation on values: 0 is the image, i + 1 what piece i makes. */
typedef struct grow_piece {
    grow_kind kind;
    int inputs, input[GROW_INPUTS];
    tx_act act;
    tx_conv2d_args conv;
    tx_pool_args pool;
    double p;
} grow_piece;

typedef struct grown {
    int c, h, w, loss, batch; /* loss as in small_net */
    int pieces;
    grow_piece piece[GROW_PIECES];
} grown;

/* ---- from pieces to nodes */

static inline tx_node *grow_act(tx_graph *g, tx_node *x, tx_act act)
{
    switch (act) {
    case TX_ACT_RELU6:
        return tx_relu6(g, x);
    case TX_ACT_SILU:
        return tx_silu(g, x);
    case TX_ACT_SIGMOID:
        return tx_sigmoid(g, x);
    case TX_ACT_HARDSWISH:
        return tx_hardswish(g, x);
    case TX_ACT_HARDSIGMOID:
        return tx_hardsigmoid(g, x);
    default:
        return tx_relu(g, x);
    }
}

static inline tx_node *grow_node(tx_graph *g, const grow_piece *p, tx_node *const *x)
{
    switch (p->kind) {
    case GROW_CONV:
        return tx_conv2d(g, x[0], net_label(g, "conv"), p->conv);
    case GROW_NORM:
        return bn(x[0]);
    case GROW_ACT:
        return grow_act(g, x[0], p->act);
    case GROW_ADD:
        return tx_add(g, x[0], x[1]);
    case GROW_CONCAT:
        return tx_concat(g, x, p->inputs);
    case GROW_SCALE:
        return tx_scale(g, x[0], x[1]);
    case GROW_MAX_POOL:
        return tx_max_pool(g, x[0], p->pool);
    case GROW_AVG_POOL:
        return tx_avg_pool(g, x[0], p->pool);
    case GROW_MEAN:
        return tx_global_mean(g, x[0]);
    case GROW_DROPOUT:
        return tx_dropout(g, x[0], (tx_dropout_args){.p = p->p});
    case GROW_DEPTH:
        return tx_stochastic_depth(g, x[0], (tx_stochastic_depth_args){.p = p->p});
    case GROW_LOSS:
        return tx_bce_with_logits(g, x[0], x[1], NULL, (tx_bce_args){0});
    default:
        return tx_linear(g, x[0], net_label(g, "fc"), (tx_linear_args){.out = p->conv.out, .no_bias = p->conv.no_bias});
    }
}

/* What small_build builds with features grow_features. */
static const grown *grow_what;

static inline tx_node *grow_features(tx_node *image)
{
    tx_node *value[GROW_PIECES + 1] = {image};
    for (int i = 0; i < grow_what->pieces; i++) {
        const grow_piece *p = &grow_what->piece[i];
        tx_node *x[GROW_INPUTS] = {NULL};
        for (int k = 0; k < p->inputs; k++)
            x[k] = value[p->input[k]];
        value[i + 1] = grow_node(image ? image->graph : NULL, p, x);
    }
    return value[grow_what->pieces];
}

/* ---- drawing pieces */

typedef struct grow_shape {
    int h, w, c;
} grow_shape;

typedef struct grower {
    uint64_t seed, draws;
    grown *net;
    grow_shape shape[GROW_PIECES + 1];
    int read[GROW_PIECES + 1]; /* how many pieces read it */
    double macs, most_macs;
} grower;

static inline int grow_draw(grower *g, int n)
{
    return (int)tx_random_below(g->seed, TX_RANDOM_TEST, 40, g->draws++, (uint32_t)n);
}

static inline int grow_channels(grower *g)
{
    static const int wide[] = {12, 15, 16, 17, 20, 31, 32, 33, 40};
    return grow_draw(g, 5) ? 1 + grow_draw(g, 8) : wide[grow_draw(g, (int)(sizeof wide / sizeof wide[0]))];
}

static inline int grow_values(const grower *g)
{
    return g->net->pieces + 1;
}

/* A value to go on from: mostly the last, often one that nobody reads. */
static inline int grow_pick(grower *g)
{
    int n = grow_values(g), how = grow_draw(g, 8), from = grow_draw(g, n);
    if (how < 4)
        return n - 1;
    for (int k = 0; k < n && how < 6; k++)
        if (!g->read[(from + k) % n])
            return (from + k) % n;
    return from;
}

static inline int grow_same_map(const grower *g, int a, int b)
{
    return g->shape[a].h == g->shape[b].h && g->shape[a].w == g->shape[b].w;
}

/* A value of x's map, and of its channels too if `whole`; x itself if there is no other. */
static inline int grow_partner(grower *g, int x, int whole)
{
    int n = grow_values(g), from = grow_draw(g, n);
    for (int k = 0; k < n; k++) {
        int v = (from + k) % n;
        if (v != x && grow_same_map(g, v, x) && (!whole || g->shape[v].c == g->shape[x].c))
            return v;
    }
    return x;
}

/* Adds the piece if it can be built and is not too large. Its value, or -1. */
static inline int grow_add(grower *g, const grow_piece *p)
{
    int made = -1, most = g->net->c > GROW_CHANNELS ? 2 * g->net->c : GROW_CHANNELS;
    tx_graph *trial = tx_graph_new();
    tx_node *x[GROW_INPUTS] = {NULL};
    for (int k = 0; k < p->inputs; k++) {
        grow_shape s = g->shape[p->input[k]];
        x[k] = tx_input(trial, s.c, s.h, s.w);
    }
    const tx_node *y = grow_node(trial, p, x);
    if (y && g->net->pieces < GROW_PIECES && y->h <= GROW_SIDE && y->w <= GROW_SIDE && y->c <= most) {
        double macs = (double)y->h * y->w * (y->params ? (double)tx_graph_trained(trial) : 2 * y->c);
        if (g->macs + macs <= g->most_macs) {
            g->macs += macs;
            for (int k = 0; k < p->inputs; k++)
                g->read[p->input[k]]++;
            g->net->piece[g->net->pieces++] = *p;
            made = g->net->pieces;
            g->shape[made] = (grow_shape){y->h, y->w, y->c};
        }
    }
    tx_graph_free(trial);
    return made;
}

static inline int grow_unary(grower *g, grow_kind kind, int x)
{
    static const double chances[] = {0.25, 0.5, 0.3, 0.75};
    grow_piece p = {.kind = kind, .inputs = 1, .input = {x}};
    p.act = (tx_act)(TX_ACT_RELU + (grow_draw(g, 2) ? 0 : grow_draw(g, TX_ACTS - TX_ACT_RELU)));
    p.p = chances[grow_draw(g, 4)];
    p.conv.out = grow_channels(g);
    p.conv.no_bias = grow_draw(g, 2);
    return grow_add(g, &p);
}

/* Groups that divide c, as many as there are or as few, and `out` so that they divide it too. */
static inline void grow_groups(tx_conv2d_args *a, int c, int most)
{
    int groups = 2;
    while (c % groups)
        groups++;
    a->groups = most ? c : groups;
    a->out = (a->out + a->groups - 1) / a->groups * a->groups;
}

/* Half of them 1x1 or 3x3 as networks have them, the others of any geometry. */
static inline int grow_conv(grower *g, int x, int out)
{
    static const int sides[] = {1, 2, 3, 3, 5, 7};
    grow_piece p = {.kind = GROW_CONV, .inputs = 1, .input = {x}};
    tx_conv2d_args *a = &p.conv;
    a->out = out;
    a->no_bias = grow_draw(g, 3) > 0;
    a->kernel = grow_draw(g, 2) ? 1 : 3;
    a->padding = a->kernel / 2;
    a->stride = grow_draw(g, 5) ? 1 : 2;
    if (grow_draw(g, 2)) {
        a->kernel_h = sides[grow_draw(g, 6)];
        a->kernel_w = grow_draw(g, 2) ? a->kernel_h : sides[grow_draw(g, 6)];
        a->padding = grow_draw(g, 3);
        a->stride_h = 1 + grow_draw(g, 3) / 2;
        a->stride_w = grow_draw(g, 2) ? a->stride_h : 1 + grow_draw(g, 3);
        a->dilation_h = 1 + (grow_draw(g, 4) == 0);
        a->dilation_w = 1 + (grow_draw(g, 4) == 0);
        if (grow_draw(g, 3) == 0)
            a->pads = (tx_pads){grow_draw(g, 4) - 2, grow_draw(g, 4) - 2, grow_draw(g, 4) - 2, grow_draw(g, 4) - 2};
    }
    int c = g->shape[x].c, groups = c > 1 ? grow_draw(g, 20) : 20;
    if (groups < 5)
        a->out = a->groups = c;
    else if (groups < 8)
        grow_groups(a, c, groups == 7);
    return grow_add(g, &p);
}

static inline int grow_pool(grower *g, grow_kind kind, int x)
{
    grow_piece p = {.kind = kind, .inputs = 1, .input = {x}};
    tx_pool_args *a = &p.pool;
    a->kernel = 1 + grow_draw(g, 4);
    a->stride = 1 + grow_draw(g, 3);
    a->padding = grow_draw(g, 2) ? a->kernel / 2 : 0;
    a->ceil = grow_draw(g, 4) == 0;
    a->count_include_pad = grow_draw(g, 2);
    if (grow_draw(g, 4) == 0)
        a->pads = (tx_pads){-grow_draw(g, 2), -grow_draw(g, 2), -grow_draw(g, 2), -grow_draw(g, 2)};
    return grow_add(g, &p);
}

/* x through a convolution, a batch norm, an activation, or some of them, of the same map. */
static inline int grow_branch(grower *g, int x)
{
    grow_piece p = {.kind = GROW_CONV, .inputs = 1, .input = {x}};
    p.conv.kernel = grow_draw(g, 2) ? 1 : 3;
    p.conv.padding = p.conv.kernel / 2;
    p.conv.out = grow_channels(g);
    p.conv.no_bias = 1;
    int y = grow_draw(g, 6) ? grow_add(g, &p) : x;
    if (y >= 0 && grow_draw(g, 4))
        y = grow_unary(g, GROW_NORM, y);
    if (y >= 0 && grow_draw(g, 3))
        y = grow_unary(g, GROW_ACT, y);
    return y;
}

static inline int grow_sum(grower *g, int x)
{
    if (grow_draw(g, 4) == 0)
        x = grow_branch(g, x);
    if (x < 0)
        return -1;
    int other = grow_draw(g, 6) ? grow_partner(g, x, 1) : x;
    grow_piece match = {.kind = GROW_CONV, .inputs = 1, .conv = {.out = g->shape[x].c, .no_bias = 1}};
    if (other == x && grow_draw(g, 4)) {
        match.input[0] = grow_partner(g, x, 0);
        other = grow_add(g, &match);
        if (other >= 0 && grow_draw(g, 2))
            other = grow_unary(g, GROW_NORM, other);
    }
    grow_piece p = {.kind = GROW_ADD, .inputs = 2, .input = {x, other}};
    if (grow_draw(g, 2)) {
        p.input[0] = other;
        p.input[1] = x;
    }
    return other < 0 ? -1 : grow_add(g, &p);
}

/* The inputs of an earlier concatenation and x, as a flat dense block has them. -1 if there is none. */
static inline int grow_flat(grower *g, int x)
{
    int from = grow_draw(g, grow_values(g));
    for (int k = 0; k < g->net->pieces; k++) {
        grow_piece p = g->net->piece[(from + k) % g->net->pieces];
        if (p.kind != GROW_CONCAT || p.inputs >= GROW_INPUTS || !grow_same_map(g, p.input[0], x))
            continue;
        p.input[p.inputs++] = x;
        if (grow_draw(g, 3) == 0) {
            p.input[p.inputs - 1] = p.input[0];
            p.input[0] = x;
        }
        return grow_add(g, &p);
    }
    return -1;
}

/* Of what there is, or of branches. */
static inline int grow_concat(grower *g, int x)
{
    grow_piece p = {.kind = GROW_CONCAT, .inputs = 2 + grow_draw(g, 3)};
    int place = grow_draw(g, p.inputs), branches = grow_draw(g, 2), flat = grow_draw(g, 3) ? -1 : grow_flat(g, x);
    if (flat >= 0)
        return flat;
    for (int k = 0; k < p.inputs; k++) {
        int y = branches ? grow_branch(g, x) : -1;
        p.input[k] = y >= 0 ? y : k == place ? x : grow_draw(g, 6) ? grow_partner(g, x, 0) : x;
    }
    return grow_add(g, &p);
}

/* The sum of two concatenations of the same values in another order, some of them through a batch norm or an activation. */
static inline int grow_crossed(grower *g, int x)
{
    grow_piece one = {.kind = GROW_CONCAT, .inputs = 2 + grow_draw(g, 2)}, two = one;
    int turn = grow_draw(g, one.inputs);
    for (int k = 0; k < one.inputs; k++)
        one.input[k] = k && grow_draw(g, 3) == 0 ? grow_partner(g, x, 0) : grow_branch(g, x);
    for (int k = 0; k < one.inputs; k++) {
        int v = one.input[(k + turn) % one.inputs], how = grow_draw(g, 4);
        if (v < 0)
            return -1;
        two.input[k] = how > 1 ? v : grow_unary(g, how ? GROW_NORM : GROW_ACT, v);
        if (two.input[k] < 0)
            return -1;
    }
    grow_piece sum = {.kind = GROW_ADD, .inputs = 2, .input = {grow_add(g, &one), grow_add(g, &two)}};
    return sum.input[0] < 0 || sum.input[1] < 0 ? -1 : grow_add(g, &sum);
}

/* Squeeze and excite, or any gate that there is. */
static inline int grow_gate(grower *g, int x)
{
    int n = grow_values(g), from = grow_draw(g, n), gate = -1;
    for (int k = 0; k < n && gate < 0; k++) {
        grow_shape s = g->shape[(from + k) % n];
        gate = s.h == 1 && s.w == 1 && s.c == g->shape[x].c ? (from + k) % n : -1;
    }
    if (gate < 0 || grow_draw(g, 2)) {
        grow_piece wide = {.kind = grow_draw(g, 2) ? GROW_CONV : GROW_LINEAR, .inputs = 1};
        wide.conv.out = g->shape[x].c;
        gate = grow_unary(g, GROW_MEAN, x);
        if (gate >= 0 && grow_draw(g, 2))
            gate = grow_unary(g, GROW_LINEAR, gate);
        if (gate >= 0 && grow_draw(g, 2))
            gate = grow_unary(g, GROW_ACT, gate);
        wide.input[0] = gate;
        gate = gate < 0 ? -1 : grow_add(g, &wide);
        if (gate >= 0 && grow_draw(g, 4))
            gate = grow_unary(g, GROW_ACT, gate);
    }
    grow_piece p = {.kind = GROW_SCALE, .inputs = 2, .input = {x, gate}};
    return gate < 0 ? -1 : grow_add(g, &p);
}

/* A loss that is not the end, whose labels are values of the network: data to it, so that no gradient comes of them. */
static inline int grow_loss(grower *g, int x)
{
    grow_piece p = {.kind = GROW_LOSS, .inputs = 2, .input = {x, grow_partner(g, x, 1)}};
    return grow_add(g, &p);
}

/* A convolution, likely with a batch norm, likely with an activation behind it. */
static inline int grow_block(grower *g, int x)
{
    int y = grow_conv(g, x, grow_channels(g));
    if (y >= 0 && grow_draw(g, 3))
        y = grow_unary(g, GROW_NORM, y);
    if (y >= 0 && grow_draw(g, 3))
        y = grow_unary(g, GROW_ACT, y);
    return y;
}

static inline int grow_some(grower *g)
{
    static const grow_kind kinds[] = {GROW_CONV,   GROW_CONV,     GROW_CONV,     GROW_CONV,   GROW_CONV,    GROW_CONV,
                                      GROW_CONV,   GROW_NORM,     GROW_NORM,     GROW_ACT,    GROW_ACT,     GROW_ADD,
                                      GROW_ADD,    GROW_ADD,      GROW_CONCAT,   GROW_CONCAT, GROW_CONCAT,  GROW_SCALE,
                                      GROW_SCALE,  GROW_MAX_POOL, GROW_AVG_POOL, GROW_MEAN,   GROW_DROPOUT, GROW_DEPTH,
                                      GROW_LINEAR, GROW_LOSS};
    grow_kind kind = kinds[grow_draw(g, (int)(sizeof kinds / sizeof kinds[0]))];
    int x = grow_pick(g);
    switch (kind) {
    case GROW_CONV:
        return grow_block(g, x);
    case GROW_LOSS:
        return grow_loss(g, x);
    case GROW_ADD:
        return grow_draw(g, 6) ? grow_sum(g, x) : grow_crossed(g, x);
    case GROW_CONCAT:
        return grow_concat(g, x);
    case GROW_SCALE:
        return grow_gate(g, x);
    case GROW_MAX_POOL:
    case GROW_AVG_POOL:
        return grow_pool(g, kind, x);
    default:
        return grow_unary(g, kind, x);
    }
}

/* Mostly what nobody reads is brought together at the end, by a concatenation of maps or of means. */
static inline void grow_join(grower *g)
{
    grow_piece p = {.kind = GROW_CONCAT};
    int n = grow_values(g), same = 1;
    for (int v = n - 1; v >= 0 && p.inputs < GROW_INPUTS; v--)
        if (!g->read[v])
            p.input[p.inputs++] = v;
    for (int k = 0; k < p.inputs; k++)
        same &= grow_same_map(g, p.input[0], p.input[k]);
    for (int k = 0; k < p.inputs && !same; k++) {
        int mean = grow_unary(g, GROW_MEAN, p.input[k]);
        p.input[k] = mean < 0 ? p.input[0] : mean;
    }
    if (p.inputs > 1)
        grow_add(g, &p);
}

/* The network of a number. */
static inline void grow(uint64_t seed, grown *net)
{
    grower g = {.seed = seed, .net = net};
    memset(net, 0, sizeof *net);
    int small = grow_draw(&g, 8) == 0;
    net->c = grow_channels(&g);
    net->h = small ? 1 : 1 + grow_draw(&g, 9);
    net->w = small ? 1 : 1 + grow_draw(&g, 9);
    if (small && grow_draw(&g, 4) == 0)
        net->c = 240 + grow_draw(&g, 50);
    net->loss = grow_draw(&g, 3);
    net->batch = grow_draw(&g, 16) ? 1 + grow_draw(&g, 3) : 14;
    g.shape[0] = (grow_shape){net->h, net->w, net->c};
    g.most_macs = net->batch > 3 ? 1e4 : grow_draw(&g, 16) ? 2e4 : 2e5;
    int pieces = 2 + grow_draw(&g, 18);
    for (int tries = 0; tries < 60 && net->pieces < pieces; tries++)
        grow_some(&g);
    if (grow_draw(&g, 4))
        grow_join(&g);
}

/* ---- smaller ones */

/* Without piece i: its readers read its first input. */
static inline void grow_leave_out(grown *net, int i)
{
    int instead = net->piece[i].input[0];
    for (int j = i; j < net->pieces - 1; j++) {
        net->piece[j] = net->piece[j + 1];
        for (int k = 0; k < net->piece[j].inputs; k++) {
            int *v = &net->piece[j].input[k];
            *v = *v == i + 1 ? instead : *v > i + 1 ? *v - 1 : *v;
        }
    }
    net->pieces--;
}

/* Change number k, one of a fixed list for the whole and for each piece. 0 if there is no such change. */
static inline int grow_change(grown *net, int k)
{
    enum { WHOLE = 9, EACH = 9 };
    int *numbers[] = {&net->c, &net->h, &net->w, &net->batch}, i = (k - WHOLE) / EACH;
    if (k < 4)
        *numbers[k] = 1;
    else if (k < 8)
        *numbers[k - 4] -= *numbers[k - 4] > 1;
    else if (k < WHOLE)
        net->loss = 2;
    if (k < WHOLE)
        return 1;
    if (i >= net->pieces)
        return 0;
    grow_piece *p = &net->piece[i];
    tx_conv2d_args *a = &p->conv;
    switch ((k - WHOLE) % EACH) {
    case 0:
        grow_leave_out(net, i);
        break;
    case 1:
        *a = (tx_conv2d_args){.out = a->out, .no_bias = a->no_bias, .stride = 1, .stride_h = 1, .stride_w = 1};
        break;
    case 2:
        a->pads = (tx_pads){0, 0, 0, 0};
        p->pool.pads = a->pads;
        break;
    case 3:
        a->no_bias = 1;
        break;
    case 4:
        a->out = 1;
        break;
    case 5:
        a->out -= a->out > 1;
        break;
    case 6:
        p->act = TX_ACT_RELU;
        break;
    case 7:
        p->inputs -= p->kind == GROW_CONCAT && p->inputs > 1;
        break;
    default:
        a->stride_h = a->stride_w = a->stride = 1;
    }
    return 1;
}

/* ---- in words */

static inline void grow_print_piece(const grow_piece *p)
{
    static const char *const names[GROW_KINDS] = {"conv2d", "batchnorm", "act",      "add",  "concat",
                                                  "scale",  "max_pool",  "avg_pool", "mean", "dropout",
                                                  "depth",  "linear",    "bce"};
    static const char *const acts[TX_ACTS] = {"none", "relu", "relu6", "silu", "sigmoid", "hardswish", "hardsigmoid"};
    const tx_conv2d_args *a = &p->conv;
    const tx_pads *pads = p->kind == GROW_CONV ? &a->pads : &p->pool.pads;
    printf(" = %s(", p->kind == GROW_ACT ? acts[p->act] : names[p->kind]);
    for (int k = 0; k < p->inputs; k++)
        printf("%s%d", k ? ", " : "", p->input[k]);
    printf(")");
    if (p->kind == GROW_CONV)
        printf(" out %d kernel %d %dx%d stride %d %dx%d padding %d dilation %dx%d groups %d", a->out, a->kernel,
               a->kernel_h, a->kernel_w, a->stride, a->stride_h, a->stride_w, a->padding, a->dilation_h, a->dilation_w,
               a->groups);
    if (p->kind == GROW_LINEAR)
        printf(" out %d", a->out);
    if (p->kind == GROW_MAX_POOL || p->kind == GROW_AVG_POOL)
        printf(" kernel %d stride %d padding %d ceil %d include_pad %d", p->pool.kernel, p->pool.stride,
               p->pool.padding, p->pool.ceil, p->pool.count_include_pad);
    if (pads->top || pads->left || pads->bottom || pads->right)
        printf(" pads %d %d %d %d", pads->top, pads->left, pads->bottom, pads->right);
    if (p->kind == GROW_CONV || p->kind == GROW_LINEAR)
        printf(a->no_bias ? "" : " bias");
    if (p->kind == GROW_DROPOUT || p->kind == GROW_DEPTH)
        printf(" p %g", p->p);
    printf("\n");
}

static inline void grow_print(const grown *net)
{
    printf("    %d images, 0 = image of %d x %d x %d (h,w,c), loss %d\n", net->batch, net->h, net->w, net->c,
           net->loss);
    for (int i = 0; i < net->pieces; i++) {
        printf("    %d", i + 1);
        grow_print_piece(&net->piece[i]);
    }
}

#endif
