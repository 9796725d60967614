/* layers_depthwise.c - depthwise convolution against its definition: kernels, strides, paddings, dilations, odd sizes and
 * channel counts; its parameters and their names; folded and fused in inference; an image alone and in a batch. */
#include "../core/op.h"
#include "layers_check.h"

typedef struct depthwise_case {
    int n, h, w;
    tx_conv2d_args args; /* out: channels of both sides */
} depthwise_case;

static const depthwise_case cases[] = {
    {2, 7, 5, {.out = 17, .kernel = 3, .padding = 1, .no_bias = 1}},
    {1, 9, 8, {.out = 33, .kernel = 3, .stride = 2, .padding = 1, .no_bias = 1}},
    {2, 8, 9, {.out = 3, .kernel = 5, .padding = 2}},
    {1, 11, 10, {.out = 15, .kernel = 5, .stride = 2, .padding = 2}},
    {1, 13, 9, {.out = 5, .kernel = 7, .padding = 3}},
    {1, 13, 12, {.out = 5, .kernel = 7, .stride = 3, .padding = 2}},
    {3, 1, 1, {.out = 4, .kernel = 3, .padding = 1}},
    {1, 3, 2, {.out = 6, .kernel = 7, .padding = 3}},
    {1, 9, 10, {.out = 6, .kernel = 3, .dilation = 2, .padding = 2}},
    {1, 9, 10, {.out = 6, .kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .padding_h = 1}},
    {2, 12, 13, {.out = 2, .kernel = 3}},
    {1, 17, 16, {.out = 2, .kernel = 15, .padding = 7}},
    {2, 10, 9, {.out = 4, .kernel = 3, .stride = 1 << 20, .padding = 1}},
    /* zeros by side, and sides that are left out */
    {2, 9, 8, {.out = 5, .kernel = 3, .stride = 2, .pads = {0, 0, 1, 1}}},
    {1, 10, 9, {.out = 18, .kernel = 5, .padding = 2, .pads = {-1, 2, -3, 0}}},
};

static tx_node *build(tx_graph *g, const depthwise_case *k, tx_node **input)
{
    tx_conv2d_args args = k->args;
    args.groups = args.out;
    *input = tx_input(g, args.out, k->h, k->w);
    return tx_conv2d(g, *input, "conv", args);
}

static void check_case(size_t i)
{
    for (int view = 0; view < 2; view++) {
        tx_graph *g = tx_graph_new();
        tx_node *input, *node = build(g, &cases[i], &input);
        CHECK(node && node->op == &tx_op_depthwise, "case %zu: %s", i, tx_error_message());
        if (node) {
            layer_options o = {.n = cases[i].n, .view = view, .tolerance = 1e-5, .slope_tolerance = 1e-6};
            layer_check(node, o, "depthwise");
            o.inference = 1;
            o.act = TX_ACT_RELU;
            layer_check(node, o, "depthwise in inference");
        }
        tx_graph_free(g);
    }
}

/* Every activation, of the view that is read and behind the result. */
static void check_activations(size_t i)
{
    for (tx_act act = TX_ACT_RELU; act < TX_ACTS; act++) {
        tx_graph *g = tx_graph_new();
        tx_node *input, *node = build(g, &cases[i], &input);
        layer_options o = {.n = cases[i].n, .view = 1, .view_act = act, .tolerance = 1e-5, .light = 1};
        layer_check(node, o, "depthwise of an activation");
        o.inference = 1;
        o.act = act;
        layer_check(node, o, "depthwise and an activation");
        tx_graph_free(g);
    }
}

/* The same network with one dense convolution whose weight is 0 but where channels meet themselves. */
static void check_dense(size_t i)
{
    const depthwise_case *k = &cases[i];
    tx_conv2d_args args = k->args;
    tx_graph *g = tx_graph_new(), *whole = tx_graph_new();
    tx_node *input, *node = build(g, k, &input), *x = tx_input(whole, args.out, k->h, k->w);
    tx_node *dense = tx_conv2d(whole, x, "conv", args);
    tx_weights *w = tx_weights_new(g, 0), *wide = tx_weights_new(whole, 0);
    tx_weights_init(w, 3);
    size_t c = (size_t)args.out, taps = tx_graph_param(g, 0)->count / c, count = layer_count(1, node);
    for (size_t t = 0; t < taps; t++)
        for (size_t j = 0; j < c; j++)
            wide->value[(t * c + j) * c + j] = w->value[t * c + j];
    for (size_t j = 0; j < c && !args.no_bias; j++)
        wide->value[taps * c * c + j] = w->value[taps * c + j];
    tx_weights_changed(wide);
    tx_session *one = tx_session_new(g, w, (tx_session_args){.batch = 1});
    tx_session *two = tx_session_new(whole, wide, (tx_session_args){.batch = 1});
    float *a = layer_alloc(count, sizeof *a), *b = layer_alloc(count, sizeof *b);
    for (size_t e = 0; e < layer_count(1, input); e++)
        tx_session_input(one, input)[e] = tx_session_input(two, x)[e] = layer_draw(84, e);
    CHECK(tx_forward(one) == TX_OK && tx_forward(two) == TX_OK, "%s", tx_error_message());
    tx_session_value(one, node, a);
    tx_session_value(two, dense, b);
    for (size_t e = 0; e < count; e++)
        CHECK(fabsf(a[e] - b[e]) <= 1e-5f, "case %zu: result %zu is %g, as a dense convolution %g", i, e, (double)a[e],
              (double)b[e]);
    tx_free(a);
    tx_free(b);
    tx_session_free(one);
    tx_session_free(two);
    tx_weights_free(w);
    tx_weights_free(wide);
    tx_graph_free(g);
    tx_graph_free(whole);
}

/* The digits of an image do not depend on its company. */
static void check_alone(size_t i)
{
    enum { N = 5 };
    tx_graph *g = tx_graph_new();
    tx_node *in, *node = build(g, &cases[i], &in);
    tx_weights *weights = tx_weights_new(g, 0);
    tx_weights_init(weights, 3);
    tx_session *session = tx_session_new(g, weights, (tx_session_args){.batch = N});
    size_t image = layer_count(1, in), result = layer_count(1, node);
    float *together = layer_alloc(N * result, sizeof *together), *alone = layer_alloc(result, sizeof *alone);
    for (size_t e = 0; e < N * image; e++)
        tx_session_input(session, in)[e] = layer_draw(83, e);
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    tx_session_value(session, node, together);
    tx_session_batch(session, 1);
    for (size_t n = 0; n < N; n++) {
        for (size_t e = 0; e < image; e++)
            tx_session_input(session, in)[e] = layer_draw(83, n * image + e);
        CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
        tx_session_value(session, node, alone);
        CHECK(memcmp(alone, together + n * result, result * sizeof *alone) == 0, "image %zu gets other digits alone",
              n);
    }
    tx_free(together);
    tx_free(alone);
    tx_session_free(session);
    tx_weights_free(weights);
    tx_graph_free(g);
}

/* Names and shapes of the file, beginnings by the taps of one channel, and what the planner is told. */
static void check_node(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *input = tx_input(g, 600, 9, 8);
    tx_conv2d_args args = {.out = 600, .groups = 600, .kernel_h = 2, .kernel_w = 8, .padding_w = 4};
    tx_node *node = tx_conv2d(g, input, "a.b", args);
    const tx_param *w = tx_graph_param(g, 0), *b = tx_graph_param(g, 1);
    CHECK(node && node->h == 8 && node->w == 9 && node->c == 600, "%s", tx_error_message());
    CHECK(strcmp(w->name, "a.b.weight") == 0 && strcmp(b->name, "a.b.bias") == 0, "names %s, %s", w->name, b->name);
    CHECK(w->dims == 4 && w->shape[0] == 600 && w->shape[1] == 1 && w->shape[2] == 2 && w->shape[3] == 8, "shape");
    tx_weights *weights = tx_weights_new(g, 0);
    tx_weights_init(weights, 1);
    for (int i = 0; i < 2; i++) {
        const tx_param *p = tx_graph_param(g, i);
        float largest = 0;
        for (size_t e = 0; e < p->count; e++)
            largest = fmaxf(largest, fabsf(tx_weights_param(weights, p)[e]));
        CHECK(largest <= 0.25f && largest > 0.248f, "%s begins within %g, expected 1/sqrt(16)", p->name,
              (double)largest);
    }
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
    const tx_workspace *space = plan ? tx_plan_workspace(plan, node) : NULL;
    CHECK(space && strcmp(space->algorithm, "depthwise") == 0 && space->cheap && space->macs == 16.0 * 72 * 600,
          "a plan with %g multiply-adds", space ? space->macs : -1);
    tx_plan_free(plan);
    tx_weights_free(weights);
    tx_graph_free(g);
}

/* In inference batch norm, sum and rectifier join the convolution; the value is that of a session that keeps all nodes. */
static void check_fused(int no_bias)
{
    enum { C = 19, H = 8, W = 7 };
    float value[2][C * H * W];
    for (int apart = 0; apart < 2; apart++) {
        tx_graph *g = tx_graph_new();
        tx_node *x = tx_input(g, C, H, W), *other = tx_relu(g, x);
        tx_conv2d_args args = {.out = C, .groups = C, .kernel = 3, .padding = 1, .no_bias = no_bias};
        tx_node *conv = tx_conv2d(g, other, "conv", args), *norm = tx_batchnorm(g, conv, "bn", (tx_batchnorm_args){0});
        tx_node *sum = tx_add(g, norm, other), *last = tx_relu(g, sum);
        if (apart) {
            tx_node_keep(conv);
            tx_node_keep(norm);
            tx_node_keep(sum);
        }
        tx_weights *w = tx_weights_new(g, 0);
        tx_weights_init(w, 5);
        for (size_t i = 0; i < w->total; i++)
            w->value[i] = 0.7f + 0.6f * layer_draw(70, i);
        tx_weights_changed(w);
        tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = 1});
        for (size_t i = 0; i < C * H * W; i++)
            tx_session_input(s, x)[i] = layer_draw(71, i);
        CHECK(tx_forward(s) == TX_OK, "%s", tx_error_message());
        tx_session_value(s, last, value[apart]);
        int joined = !tx_plan_workspace(tx_session_plan(s), norm) && !tx_plan_workspace(tx_session_plan(s), sum) &&
                     !tx_plan_workspace(tx_session_plan(s), last);
        CHECK(apart ? !joined : joined, "what follows the convolution was %s", joined ? "joined" : "not joined");
        tx_session_free(s);
        tx_weights_free(w);
        tx_graph_free(g);
    }
    for (size_t i = 0; i < C * H * W; i++)
        CHECK(fabsf(value[0][i] - value[1][i]) <= 1e-5f * fmaxf(1, fabsf(value[1][i])),
              "value %zu: %g joined, %g apart", i, (double)value[0][i], (double)value[1][i]);
}

static void refuse(tx_conv2d_args args, const char *what)
{
    tx_graph *g = tx_graph_new();
    CHECK(!tx_conv2d(g, tx_input(g, 4, 5, 5), "conv", args) && *tx_error_message(), "%s was accepted", what);
    tx_graph_free(g);
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(i);
        check_dense(i);
        check_alone(i);
    }
    check_activations(0);
    check_activations(3);
    check_node();
    check_fused(0);
    check_fused(1);
    refuse((tx_conv2d_args){.out = 4, .groups = 4, .kernel = 7}, "a kernel larger than the map");
    refuse((tx_conv2d_args){.out = 3, .groups = 3, .kernel = 3}, "as many groups as results, another number of inputs");
    refuse((tx_conv2d_args){.out = 4, .groups = 4, .kernel = 16}, "a kernel of 256 taps");
    refuse((tx_conv2d_args){.out = 4, .groups = 4, .kernel = 3, .init = {TX_INIT_NORMAL, -1}}, "a negative deviation");
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_depthwise");
}
