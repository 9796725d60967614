/* layers_grouped.c - convolution in groups against its definition: groups of one channel and of many, of one result and of
 * many, products and Winograd's algorithm; as a dense convolution with zeros between the groups; one group's values out of
 * another's reach; parameters; which algorithm; what is refused. */
#include "../core/op.h"
#include "layers_check.h"

typedef struct group_case {
    int n, c, h, w;
    tx_conv2d_args args;
    int all; /* in every mode, at leisure */
} group_case;

static const group_case cases[] = {
    {2, 3, 5, 7, {.out = 6, .kernel = 3, .padding = 1, .groups = 3}, 1},
    {2, 6, 7, 5, {.out = 4, .kernel = 3, .padding = 1, .groups = 2, .no_bias = 1}, 1},
    {1, 34, 5, 4, {.out = 66, .kernel = 1, .groups = 2}, 1},
    {2, 40, 6, 7, {.out = 10, .kernel = 1, .groups = 10, .no_bias = 1}, 0},
    {1, 6, 9, 8, {.out = 3, .kernel = 3, .stride = 2, .padding = 1, .groups = 3}, 0},
    {1, 10, 8, 9, {.out = 15, .kernel_h = 2, .kernel_w = 5, .stride_w = 2, .padding = 2, .groups = 5, .no_bias = 1}, 0},
    {1, 8, 9, 10, {.out = 12, .kernel = 3, .dilation = 2, .padding = 2, .groups = 4}, 0},
    {2, 4, 7, 7, {.out = 8, .kernel = 3, .groups = 2, .pads = {-1, 2, 0, 1}}, 0},
    {3, 5, 1, 1, {.out = 10, .kernel = 1, .groups = 5}, 0},
    {1, 4, 12, 17, {.out = 2, .kernel_h = 5, .kernel_w = 1, .stride_h = 1, .stride_w = 70000, .groups = 2}, 0},
    {1, 32, 11, 12, {.out = 32, .kernel = 3, .padding = 1, .groups = 2}, 1},
    {1, 66, 8, 8, {.out = 34, .kernel = 3, .padding = 2, .groups = 2, .no_bias = 1}, 0},
    {2, 34, 6, 5, {.out = 51, .kernel = 3, .padding = 1, .groups = 17}, 1},
    {1, 36, 9, 8, {.out = 38, .kernel = 3, .stride = 2, .padding = 1, .groups = 2}, 1},
    {1, 36, 12, 17, {.out = 18, .kernel_h = 5, .kernel_w = 1, .stride_h = 1, .stride_w = 70000, .groups = 2}, 0},
    {2, 32, 10, 9, {.out = 32, .kernel = 3, .padding = 1, .groups = 8, .no_bias = 1}, 0},
};

static void check_case(const group_case *k)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_conv2d(g, tx_input(g, k->c, k->h, k->w), "conv", k->args);
    layer_options o = {.n = k->n, .tolerance = 1e-5, .slope_tolerance = 1e-6};
    char label[80];
    snprintf(label, sizeof label, "%d -> %d channels in %d groups", k->c, k->args.out, k->args.groups);
    CHECK(node && node->op == &tx_op_conv2d, "%s: %s", label, tx_error_message());
    layer_check_acts(node, o, label);
    for (o.view = 0; node && o.view < 2; o.view++)
        if (k->all)
            layer_check_modes(node, o, label);
        else
            layer_check(node, o, label);
    tx_graph_free(g);
}

/* As one dense convolution whose weight is 0 between the groups. */
typedef struct pair {
    tx_graph *graph[2];
    tx_node *in[2], *out[2];
    tx_weights *w[2];
    tx_session *s[2];
} pair;

static pair pair_of(const group_case *k)
{
    pair p = {{NULL}, {NULL}, {NULL}, {NULL}, {NULL}};
    tx_conv2d_args args = k->args;
    for (int i = 0; i < 2; i++) {
        args.groups = i ? 1 : k->args.groups;
        p.graph[i] = tx_graph_new();
        p.in[i] = tx_input(p.graph[i], k->c, k->h, k->w);
        p.out[i] = tx_conv2d(p.graph[i], p.in[i], "conv", args);
        p.w[i] = tx_weights_new(p.graph[i], 0);
    }
    tx_weights_init(p.w[0], 3);
    size_t o = (size_t)k->args.out, groups = (size_t)k->args.groups, c = (size_t)k->c, ci = c / groups;
    const tx_param *dense = tx_graph_param(p.graph[1], 0), *own = tx_graph_param(p.graph[0], 0);
    for (size_t i = 0; i < dense->count; i++) {
        size_t to = i % o, from = i / o % c, tap = i / o / c;
        if (from / ci == to / (o / groups))
            p.w[1]->value[i] = p.w[0]->value[(tap * ci + from % ci) * o + to];
    }
    for (size_t i = own->count; i < p.w[0]->trained; i++)
        p.w[1]->value[dense->count + i - own->count] = p.w[0]->value[i];
    tx_weights_changed(p.w[1]);
    for (int i = 0; i < 2; i++)
        p.s[i] = tx_session_new(p.graph[i], p.w[i], (tx_session_args){.batch = k->n});
    return p;
}

static void pair_free(pair *p)
{
    for (int i = 0; i < 2; i++) {
        tx_session_free(p->s[i]);
        tx_weights_free(p->w[i]);
        tx_graph_free(p->graph[i]);
    }
}

static void check_dense(const group_case *k)
{
    pair p = pair_of(k);
    size_t count = layer_count(k->n, p.out[0]);
    float *y[2] = {layer_alloc(count, sizeof(float)), layer_alloc(count, sizeof(float))};
    for (int i = 0; i < 2; i++) {
        for (size_t e = 0; e < layer_count(k->n, p.in[i]); e++)
            tx_session_input(p.s[i], p.in[i])[e] = layer_draw(84, e);
        CHECK(tx_forward(p.s[i]) == TX_OK, "%s", tx_error_message());
        tx_session_value(p.s[i], p.out[i], y[i]);
    }
    for (size_t e = 0; e < count; e++)
        CHECK(fabsf(y[0][e] - y[1][e]) <= 1e-5f, "%d groups: result %zu is %g, as a dense convolution %g",
              k->args.groups, e, (double)y[0][e], (double)y[1][e]);
    tx_free(y[0]);
    tx_free(y[1]);
    pair_free(&p);
}

/* NaN in the first group's channels reaches no result of another group; an image alone has the digits that it has in a batch. */
static void check_apart(const group_case *k)
{
    pair p = pair_of(k);
    size_t image = layer_count(1, p.in[0]), count = layer_count(1, p.out[0]), c = (size_t)k->c, o = (size_t)k->args.out;
    size_t ci = c / (size_t)k->args.groups, co = o / (size_t)k->args.groups;
    float *y = layer_alloc((size_t)k->n * count, sizeof(float)), *alone = layer_alloc(count, sizeof(float));
    float *x = tx_session_input(p.s[0], p.in[0]);
    for (size_t e = 0; e < (size_t)k->n * image; e++)
        x[e] = layer_draw(84, e);
    CHECK(tx_forward(p.s[0]) == TX_OK, "%s", tx_error_message());
    tx_session_value(p.s[0], p.out[0], y);
    tx_session_batch(p.s[0], 1);
    CHECK(tx_forward(p.s[0]) == TX_OK, "%s", tx_error_message());
    tx_session_value(p.s[0], p.out[0], alone);
    CHECK(memcmp(y, alone, count * sizeof(float)) == 0, "an image gets other digits alone");
    for (size_t e = 0; e < image; e++)
        x[e] = e % c < ci ? (float)NAN : x[e];
    CHECK(tx_forward(p.s[0]) == TX_OK, "%s", tx_error_message());
    tx_session_value(p.s[0], p.out[0], y);
    int spoiled = 0;
    for (size_t e = 0; e < count; e++) {
        CHECK(e % o < co || y[e] == alone[e], "NaN of the first group changes result %zu", e);
        spoiled += e % o < co && isnan(y[e]);
    }
    CHECK(spoiled > 0, "NaN of the first group does not reach its results");
    tx_free(y);
    tx_free(alone);
    pair_free(&p);
}

static void fill_inputs(tx_session *s, tx_reference *r, const tx_node *in, int n, uint64_t stream)
{
    for (size_t e = 0; e < layer_count(n, in); e++) {
        tx_session_input(s, in)[e] = layer_draw(stream, e);
        tx_reference_input(r, in)[e] = (double)layer_draw(stream, e);
    }
}

/* In inference a batch norm, a sum and an activation behind it are one step with it. */
static void check_folded(const group_case *k)
{
    tx_graph *g = tx_graph_new(), *shape = tx_graph_new();
    const tx_node *like = tx_conv2d(shape, tx_input(shape, k->c, k->h, k->w), "conv", k->args);
    tx_node *more = tx_input(g, like->c, like->h, like->w), *x = tx_input(g, k->c, k->h, k->w);
    tx_node *conv = tx_conv2d(g, x, "conv", k->args);
    tx_node *norm = tx_batchnorm(g, conv, "bn", (tx_batchnorm_args){0}), *y = tx_relu6(g, tx_add(g, norm, more));
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, 5);
    for (size_t i = w->trained - 2 * (size_t)conv->c; i < w->total; i++)
        w->value[i] = 1 + 0.5f * layer_draw(85, i);
    tx_weights_changed(w);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = k->n});
    tx_reference *r = tx_reference_new(g, w, k->n, TX_INFER, 0);
    fill_inputs(s, r, x, k->n, 86);
    fill_inputs(s, r, more, k->n, 87);
    CHECK(!tx_plan_workspace(tx_session_plan(s), norm) && !tx_plan_workspace(tx_session_plan(s), y),
          "a batch norm or a sum is a step of its own");
    CHECK(tx_forward(s) == TX_OK && tx_reference_forward(r) == TX_OK, "%s", tx_error_message());
    float *found = layer_alloc(layer_count(k->n, y), sizeof *found);
    tx_session_value(s, y, found);
    for (size_t e = 0; e < layer_count(k->n, y); e++)
        CHECK(fabs((double)found[e] - tx_reference_value(r, y)[e]) <= 1e-5,
              "%d groups, folded: result %zu is %g, not %g", k->args.groups, e, (double)found[e],
              tx_reference_value(r, y)[e]);
    tx_free(found);
    tx_graph_free(shape);
    tx_reference_free(r);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
}

/* Shapes of the file, memory's order, beginnings by the terms of a result, multiply-adds, algorithm. */
static void check_node(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_conv2d(g, tx_input(g, 8, 9, 9), "conv",
                              (tx_conv2d_args){.out = 600, .kernel_h = 2, .kernel_w = 8, .groups = 2});
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, 1);
    const tx_param *p = tx_graph_param(g, 0);
    CHECK(p->shape[0] == 600 && p->shape[1] == 4 && p->shape[2] == 2 && p->shape[3] == 8, "weight of %d x %d x %d x %d",
          p->shape[0], p->shape[1], p->shape[2], p->shape[3]);
    for (int i = 0; i < 2; i++) {
        float largest = 0;
        p = tx_graph_param(g, i);
        for (size_t e = 0; e < p->count; e++)
            largest = fmaxf(largest, fabsf(tx_weights_param(w, p)[e]));
        CHECK(largest <= 0.125f && largest > 0.124f, "%s begins within %g, expected 1/sqrt(64)", p->name,
              (double)largest);
    }
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1});
    const tx_workspace *space = plan ? tx_plan_workspace(plan, node) : NULL;
    CHECK(space && space->macs == 64.0 * 8 * 2 * 600, "%g multiply-adds", space ? space->macs : 0.0);
    CHECK(space && space->cheap, "64 terms are not cheap");
    tx_plan_free(plan);
    tx_weights_free(w);
    tx_graph_free(g);
    g = tx_graph_new();
    node = tx_conv2d(g, tx_input(g, 32, 12, 12), "conv",
                     (tx_conv2d_args){.out = 32, .kernel = 3, .padding = 1, .groups = 2});
    plan = tx_plan_new(g, (tx_session_args){.batch = 1});
    space = plan ? tx_plan_workspace(plan, node) : NULL;
    CHECK(space && strcmp(space->algorithm, "winograd") == 0, "two groups of 16 channels: %s",
          space ? space->algorithm : "");
    CHECK(space && space->products == 2 * tx_winograd_products(12, 12, 16, 16), "%g products",
          space ? space->products : 0.0);
    tx_plan_free(plan);
    tx_graph_free(g);
}

static void refuse(int c, int out, int groups)
{
    tx_graph *g = tx_graph_new();
    CHECK(!tx_conv2d(g, tx_input(g, c, 5, 5), "conv", (tx_conv2d_args){.out = out, .kernel = 3, .groups = groups}) &&
              strstr(tx_error_message(), "groups") && strstr(tx_error_message(), "divisor"),
          "%d -> %d channels in %d groups: %s", c, out, groups, tx_error_message());
    tx_graph_free(g);
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(&cases[i]);
        check_dense(&cases[i]);
        check_apart(&cases[i]);
        check_folded(&cases[i]);
    }
    check_node();
    refuse(4, 4, 3);
    refuse(4, 6, 4);
    refuse(6, 4, 3);
    refuse(4, 4, 8);
    refuse(4, 4, -2);
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_grouped");
}
