/* layers_conv2d.c - convolution against its definition: kernels, strides, paddings, dilations, odd sizes and channel
 * counts, products and Winograd's algorithm alike; what is refused; an image alone and in a batch. */
#include "../core/op.h"
#include "layers_check.h"

typedef struct conv_case {
    int n, c, h, w;
    tx_conv2d_args args;
} conv_case;

static const conv_case cases[] = {
    {2, 3, 7, 5, {.out = 17, .kernel = 1}},
    {1, 17, 6, 7, {.out = 33, .kernel = 1, .stride = 2, .no_bias = 1}},
    {3, 16, 1, 1, {.out = 5, .kernel = 1}},
    {2, 7, 17, 16, {.out = 20, .kernel = 1, .no_bias = 1}},
    {1, 33, 5, 3, {.out = 70, .kernel = 1, .no_bias = 1}},
    {1, 48, 20, 17, {.out = 10, .kernel = 1, .no_bias = 1}},
    {2, 40, 9, 16, {.out = 50, .kernel = 1, .no_bias = 1}},
    {1, 36, 13, 11, {.out = 4, .kernel = 2, .padding = 1}},
    {1, 3, 23, 20, {.out = 16, .kernel = 7, .stride = 2, .padding = 3, .no_bias = 1}},
    {2, 5, 9, 8, {.out = 15, .kernel = 3, .stride = 2, .padding = 1}},
    {1, 4, 3, 2, {.out = 3, .kernel = 7, .stride = 3, .padding = 3}},
    {1, 6, 8, 11, {.out = 7, .kernel_h = 1, .kernel_w = 7, .padding_w = 3}},
    {1, 6, 11, 8, {.out = 7, .kernel_h = 7, .kernel_w = 1, .padding_h = 3}},
    {2, 5, 7, 8, {.out = 9, .kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .padding_h = 1}},
    {1, 4, 9, 10, {.out = 6, .kernel = 3, .dilation = 2, .padding = 2}},
    {1, 4, 9, 8, {.out = 6, .kernel = 3, .stride_h = 2, .stride_w = 1, .dilation_h = 2, .dilation_w = 1, .padding = 1}},
    {2, 16, 12, 13, {.out = 16, .kernel = 3, .padding = 1, .no_bias = 1}},
    {1, 33, 16, 16, {.out = 31, .kernel = 3, .padding = 1}},
    {1, 32, 14, 14, {.out = 32, .kernel = 3, .padding = 0}},
    {1, 32, 11, 12, {.out = 48, .kernel = 3, .padding = 2}},
    {1, 1, 4, 4, {.out = 1, .kernel = 3, .padding = 1}},
    /* padding of its own on each side, and cropping */
    {2, 5, 9, 8, {.out = 6, .kernel = 3, .stride = 2, .pads = {0, 0, 1, 1}}},
    {1, 17, 8, 9, {.out = 7, .kernel = 1, .stride = 2, .pads = {-1, -1, 1, 1}, .no_bias = 1}},
    {1, 4, 7, 9, {.out = 5, .kernel = 5, .padding = 2, .pads = {-1, 1, 0, -2}}},
    {2, 3, 10, 11, {.out = 4, .kernel = 3, .pads = {-3, 2, 1, -4}}},
    {1, 32, 12, 12, {.out = 16, .kernel = 3, .padding = 1, .pads = {0, 0, 1, 0}}},
    {1, 32, 12, 12, {.out = 16, .kernel = 3, .padding = 1, .pads = {-1, 0, 0, 0}}},
    {1, 32, 12, 12, {.out = 16, .kernel = 3, .padding = 1, .pads = {0, 0, 0, 1}}},
    {1, 32, 12, 12, {.out = 16, .kernel = 3, .padding = 1, .pads = {0, -1, 0, 0}}},
    {1, 32, 14, 13, {.out = 16, .kernel = 3, .pads = {-1, -1, -1, -1}}},
    {2, 8, 6, 5, {.out = 9, .kernel = 1, .pads = {1, 0, -1, 0}}},
    /* strides beyond the kernel, the map and sixteen bits */
    {1, 2, 3, 3, {.out = 1, .kernel = 1, .stride = 65536, .no_bias = 1}},
    {2, 3, 10, 9, {.out = 4, .kernel = 3, .stride = 1 << 20, .padding = 1}},
    {2, 3, 23, 21, {.out = 4, .kernel = 3, .stride = 10, .padding = 2}},
    {1, 2, 19, 30, {.out = 3, .kernel = 2, .stride_h = 9, .stride_w = 13, .dilation = 7, .padding = 3}},
    {1, 3, 12, 17, {.out = 2, .kernel_h = 5, .kernel_w = 1, .stride_h = 1, .stride_w = 70000}},
};

static void check_case(size_t i)
{
    const conv_case *k = &cases[i];
    for (int view = 0; view < 2; view++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_conv2d(g, tx_input(g, k->c, k->h, k->w), "conv", k->args);
        CHECK(node != NULL, "case %zu: %s", i, tx_error_message());
        if (node) {
            layer_options o = {.n = k->n, .view = view, .tolerance = 1e-5, .slope_tolerance = 1e-6};
            layer_check(node, o, "conv2d");
            o.inference = 1;
            o.act = TX_ACT_RELU;
            layer_check(node, o, "conv2d in inference");
        }
        tx_graph_free(g);
    }
}

/* Every activation and a gate, read and joined: products of pixels, of patches, deeper than a block, and Winograd's. */
static void check_acts(void)
{
    static const conv_case all[] = {
        {3, 37, 5, 7, {.out = 40, .kernel = 1, .no_bias = 1}},
        {3, 20, 11, 13, {.out = 24, .kernel = 1}},
        {2, 33, 7, 5, {.out = 17, .kernel = 1, .stride = 2}},
        {2, 5, 9, 8, {.out = 15, .kernel = 3, .stride = 2, .padding = 1}},
        {1, 300, 6, 6, {.out = 20, .kernel = 3, .padding = 1}},
        {2, 33, 14, 15, {.out = 31, .kernel = 3, .padding = 1}},
        {1, 32, 12, 12, {.out = 32, .kernel = 3, .no_bias = 1}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_conv2d(g, tx_input(g, all[i].c, all[i].h, all[i].w), "conv", all[i].args);
        layer_check_acts(node, (layer_options){.n = all[i].n, .tolerance = all[i].c > 64 ? 1e-4 : 1e-5}, "conv2d");
        tx_graph_free(g);
    }
}

/* Whether the algorithm for 3x3 kernels at stride 1 is taken, as conv2d.c's head and core.h say. */
static int winograd_wanted(const tx_node *node, const tx_conv2d_args *a)
{
    return a->kernel_h == 3 && a->kernel_w == 3 && a->stride_h == 1 && a->stride_w == 1 && a->dilation_h == 1 &&
           a->dilation_w == 1 && a->padding_h == a->padding_w && a->padding_h <= 2 &&
           tx_winograd_pays(node->h, node->w, node->input[0]->c, node->c);
}

/* Options together, on maps and channels for which Winograd's algorithm would pay. */
static void check_options(tx_conv2d_args args)
{
    char label[160];
    snprintf(label, sizeof label, "conv2d: kernel %dx%d stride %dx%d padding %dx%d dilation %dx%d bias %d",
             args.kernel_h, args.kernel_w, args.stride_h, args.stride_w, args.padding_h, args.padding_w,
             args.dilation_h, args.dilation_w, !args.no_bias);
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_conv2d(g, tx_input(g, 16, 14, 13), "conv", args);
    CHECK(node != NULL, "%s: %s", label, tx_error_message());
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
    int taken = plan && node && strcmp(tx_plan_workspace(plan, node)->algorithm, "winograd") == 0;
    CHECK(node && taken == winograd_wanted(node, &args), "%s: algorithm %s", label,
          plan ? tx_plan_workspace(plan, node)->algorithm : "");
    if (node)
        layer_check(node, (layer_options){.n = 1, .tolerance = 1e-5, .light = 1}, label);
    tx_plan_free(plan);
    tx_graph_free(g);
}

/* Small products are cheap: 64 terms a result, and no more. */
static void check_needs(void)
{
    static const int channels[] = {1, 63, 64, 65, 7, 8}, kernels[] = {1, 1, 1, 1, 3, 3}, cheap[] = {1, 1, 1, 0, 1, 0};
    for (int i = 0; i < 6; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_conv2d(g, tx_input(g, channels[i], 5, 5), "conv",
                                  (tx_conv2d_args){.out = 4, .kernel = kernels[i], .padding = kernels[i] / 2});
        tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
        CHECK(plan && tx_plan_workspace(plan, node)->cheap == cheap[i], "%d channels, kernel %d", channels[i],
              kernels[i]);
        CHECK(plan && tx_plan_workspace(plan, node)->macs == channels[i] * kernels[i] * kernels[i] * 25.0 * 4,
              "%d channels, kernel %d: %g multiply-adds", channels[i], kernels[i], tx_plan_workspace(plan, node)->macs);
        tx_plan_free(plan);
        tx_graph_free(g);
    }
}

static void check_combinations(void)
{
    static const int paddings[][2] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {1, 2}, {2, 1}, {0, 3}};
    int number = 0;
    for (int stride = 0; stride < 4; stride++)
        for (int dilation = 0; dilation < 4; dilation++)
            for (int p = 0; p < 7; p++, number++)
                check_options((tx_conv2d_args){.out = 17,
                                               .kernel_h = number % 5 == 4 ? 2 : 3,
                                               .kernel_w = number % 7 == 6 ? 1 : 3,
                                               .stride_h = 1 + stride / 2,
                                               .stride_w = 1 + stride % 2,
                                               .padding_h = paddings[p][0],
                                               .padding_w = paddings[p][1],
                                               .dilation_h = 1 + dilation / 2,
                                               .dilation_w = 1 + dilation % 2,
                                               .no_bias = number % 2});
    /* kernels of 3x3 with everything else as Winograd's algorithm has it, but one */
    for (int p = 0; p < 7; p++)
        for (int odd = 0; odd < 7; odd++)
            check_options((tx_conv2d_args){.out = 17,
                                           .kernel_h = odd == 1 ? 2 : 3,
                                           .kernel_w = odd == 2 ? 2 : 3,
                                           .stride_h = 1 + (odd == 3),
                                           .stride_w = 1 + (odd == 4),
                                           .padding_h = paddings[p][0],
                                           .padding_w = paddings[p][1],
                                           .dilation_h = 1 + (odd == 5),
                                           .dilation_w = 1 + (odd == 6)});
}

/* One number for both axes, and one axis by itself. */
static void check_defaults(void)
{
    static const struct {
        tx_conv2d_args args;
        int h, w;
    } sizes[] = {{{.out = 1}, 20, 30},
                 {{.out = 1, .kernel = 3}, 18, 28},
                 {{.out = 1, .kernel = 3, .kernel_w = 5}, 18, 26},
                 {{.out = 1, .kernel_h = 4}, 17, 30},
                 {{.out = 1, .stride = 3}, 7, 10},
                 {{.out = 1, .stride = 3, .stride_h = 2}, 10, 10},
                 {{.out = 1, .stride_w = 4}, 20, 8},
                 {{.out = 1, .padding = 2}, 24, 34},
                 {{.out = 1, .padding = 2, .padding_h = 1}, 22, 34},
                 {{.out = 1, .padding_w = 3}, 20, 36},
                 {{.out = 1, .kernel = 3, .dilation = 4}, 12, 22},
                 {{.out = 1, .kernel = 3, .dilation = 4, .dilation_w = 2}, 12, 26},
                 {{.out = 1, .kernel = 3, .dilation_h = 5}, 10, 28}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_conv2d(g, tx_input(g, 2, 20, 30), "conv", sizes[i].args);
        CHECK(node && node->h == sizes[i].h && node->w == sizes[i].w, "sizes %zu: %d x %d, expected %d x %d", i,
              node ? node->h : -1, node ? node->w : -1, sizes[i].h, sizes[i].w);
        tx_graph_free(g);
    }
}

/* Bias and weight begin within 1/sqrt(terms of a result), and fill that range. */
static void check_start(void)
{
    tx_graph *g = tx_graph_new();
    tx_conv2d(g, tx_input(g, 4, 9, 9), "conv", (tx_conv2d_args){.out = 600, .kernel_h = 2, .kernel_w = 8});
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, 1);
    for (int i = 0; i < 2; i++) {
        const tx_param *p = tx_graph_param(g, i);
        float largest = 0;
        for (size_t e = 0; e < p->count; e++)
            largest = fmaxf(largest, fabsf(tx_weights_param(w, p)[e]));
        CHECK(largest <= 0.125f && largest > 0.124f, "%s begins within %g, expected 1/sqrt(64)", p->name,
              (double)largest);
    }
    tx_weights_free(w);
    tx_graph_free(g);
}

static void refuse(tx_conv2d_args args, const char *what)
{
    tx_graph *g = tx_graph_new();
    CHECK(!tx_conv2d(g, tx_input(g, 4, 5, 5), "conv", args) && *tx_error_message(), "%s was accepted", what);
    tx_graph_free(g);
}

/* The digits of an image do not depend on its company. */
static void check_alone(const conv_case *k)
{
    enum { N = 5 };
    tx_graph *g = tx_graph_new();
    tx_node *in = tx_input(g, k->c, k->h, k->w), *node = tx_conv2d(g, in, "conv", k->args);
    tx_weights *weights = tx_weights_new(g, 0);
    tx_weights_init(weights, 3);
    tx_session *session = tx_session_new(g, weights, (tx_session_args){.batch = N});
    size_t image = layer_count(1, in), result = layer_count(1, node);
    float *x = layer_alloc(N * image, sizeof *x), *together = layer_alloc(N * result, sizeof *x),
          *alone = layer_alloc(result, sizeof *x);
    for (size_t i = 0; i < N * image; i++)
        x[i] = layer_draw(83, i);
    memcpy(tx_session_input(session, in), x, N * image * sizeof *x);
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    tx_session_value(session, node, together);
    tx_session_batch(session, 1);
    for (size_t n = 0; n < N; n++) {
        memcpy(tx_session_input(session, in), x + n * image, image * sizeof *x);
        CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
        tx_session_value(session, node, alone);
        CHECK(memcmp(alone, together + n * result, result * sizeof *x) == 0, "image %zu gets other digits alone", n);
    }
    tx_free(x);
    tx_free(together);
    tx_free(alone);
    tx_session_free(session);
    tx_weights_free(weights);
    tx_graph_free(g);
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(i);
        check_alone(&cases[i]);
    }
    check_acts();
    check_combinations();
    check_defaults();
    check_start();
    check_needs();
    refuse((tx_conv2d_args){.kernel = 3}, "a convolution without outputs");
    refuse((tx_conv2d_args){.out = 4, .kernel = 16}, "a kernel of 256 taps");
    refuse((tx_conv2d_args){.out = 4, .kernel = 7}, "a kernel larger than the map");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .stride = -1}, "a negative stride");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .stride_w = -1}, "a negative stride along rows");
    refuse((tx_conv2d_args){.out = 4, .padding_h = -1}, "a negative padding of columns");
    refuse((tx_conv2d_args){.out = 4, .padding_w = -1}, "a negative padding of rows");
    refuse((tx_conv2d_args){.out = 4, .dilation_h = -1}, "a negative dilation");
    refuse((tx_conv2d_args){.out = 4, .dilation_w = -2}, "a negative dilation along rows");
    refuse((tx_conv2d_args){.out = 4, .kernel_h = -1}, "a negative kernel");
    refuse((tx_conv2d_args){.out = -1}, "a negative number of outputs");
    refuse((tx_conv2d_args){.out = 4, .kernel_w = 226, .padding_w = 120}, "a kernel of 226 taps in a row");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .groups = 3}, "groups that do not divide the channels");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .groups = -1}, "a negative number of groups");
    refuse((tx_conv2d_args){.out = 4, .kernel = 1, .stride = (1 << 20) + 1}, "a stride beyond reason");
    refuse((tx_conv2d_args){.out = 4, .kernel = 1, .padding = 1 << 20}, "a map of 2^21 x 2^21");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .dilation = 1 << 20, .padding = 1 << 19},
           "a dilation beyond reason");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .init = {TX_INIT_NORMAL, -1}}, "a negative deviation");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .init = {TX_INIT_NORMAL, INFINITY}}, "an infinite deviation");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .init = {TX_INIT_UNIFORM, NAN}}, "a bound that is no number");
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_conv2d");
}
