/* layers_conv2d.c - convolution against its definition: kernels, strides, paddings, dilations, odd sizes and channel
 * counts, products and Winograd's algorithm alike; what is refused; an image alone and in a batch. */
#include "layers_check.h"

typedef struct conv_case {
    int n, c, h, w;
    tx_conv2d_args args;
} conv_case;

static const conv_case cases[] = {
    {2, 3, 7, 5, {.out = 17, .kernel = 1}},
    {1, 17, 6, 7, {.out = 33, .kernel = 1, .stride = 2, .no_bias = 1}},
    {3, 16, 1, 1, {.out = 5, .kernel = 1}},
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
    refuse((tx_conv2d_args){.kernel = 3}, "a convolution without outputs");
    refuse((tx_conv2d_args){.out = 4, .kernel = 16}, "a kernel of 256 taps");
    refuse((tx_conv2d_args){.out = 4, .kernel = 7}, "a kernel larger than the map");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .stride = -1}, "a negative stride");
    refuse((tx_conv2d_args){.out = 4, .kernel = 3, .groups = 2}, "groups");
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
