/* layers_linear.c - the fully connected layer. */
#include "layers_check.h"

static const struct {
    int n, h, w, in, out, no_bias;
} shapes[] = {{1, 1, 1, 1, 1, 0},   {2, 1, 1, 7, 3, 0},     {3, 1, 1, 33, 14, 0},
              {1, 2, 3, 15, 17, 1}, {16, 1, 1, 130, 14, 0}, {5, 3, 3, 16, 33, 0}};

static void check_shape(size_t s)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, shapes[s].in, shapes[s].h, shapes[s].w);
    tx_node *node = tx_linear(g, x, "fc", (tx_linear_args){.out = shapes[s].out, .no_bias = shapes[s].no_bias});
    layer_check(node, (layer_options){.n = shapes[s].n, .tolerance = 2e-6}, "linear");
    layer_check(node, (layer_options){.n = shapes[s].n, .tolerance = 2e-6, .view = 1}, "linear of a view");
    layer_check(node, (layer_options){.n = shapes[s].n, .tolerance = 2e-6, .inference = 1}, "linear in inference");
    layer_check_acts(node, (layer_options){.n = shapes[s].n, .tolerance = 2e-6}, "linear");
    tx_graph_free(g);
}

/* An image alone and as one of five: the same bits. */
static void check_alone(void)
{
    enum { N = 5, IN = 37, OUT = 14 };
    tx_graph *g = tx_graph_new();
    tx_node *in = tx_input(g, IN, 1, 1), *node = tx_linear(g, in, "fc", (tx_linear_args){.out = OUT});
    tx_weights *weights = tx_weights_new(g, 0);
    tx_weights_init(weights, 3);
    tx_session *session = tx_session_new(g, weights, (tx_session_args){.batch = N});
    CHECK(session != NULL, "%s", tx_error_message());
    float x[N * IN], together[N * OUT], alone[OUT];
    for (size_t i = 0; i < N * IN; i++)
        x[i] = layer_draw(82, i);
    memcpy(tx_session_input(session, in), x, sizeof x);
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    tx_session_value(session, node, together);
    tx_session_batch(session, 1);
    for (int n = 0; n < N; n++) {
        memcpy(tx_session_input(session, in), x + n * IN, IN * sizeof(float));
        CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
        tx_session_value(session, node, alone);
        CHECK(memcmp(alone, together + n * OUT, sizeof alone) == 0, "image %d gets other digits alone", n);
    }
    tx_session_free(session);
    tx_weights_free(weights);
    tx_graph_free(g);
}

static void check_start(void)
{
    tx_graph *g = tx_graph_new();
    tx_linear(g, tx_input(g, 16, 1, 1), "fc", (tx_linear_args){.out = 40});
    CHECK(strcmp(tx_graph_param(g, 0)->name, "fc.weight") == 0 && tx_graph_param(g, 0)->shape[0] == 40 &&
              tx_graph_param(g, 0)->shape[1] == 16 && strcmp(tx_graph_param(g, 1)->name, "fc.bias") == 0,
          "names or shapes");
    tx_weights *weights = tx_weights_new(g, 0);
    tx_weights_init(weights, 1);
    float largest = 0;
    for (size_t i = 0; i < weights->total; i++)
        largest = fmaxf(largest, fabsf(weights->value[i]));
    CHECK(largest <= 0.25f && largest > 0.24f, "weights start within %g, expected 1/sqrt(16)", (double)largest);
    tx_weights_free(weights);
    tx_graph_free(g);
    g = tx_graph_new();
    CHECK(!tx_linear(g, tx_input(g, 16, 1, 1), "fc", (tx_linear_args){0}), "a layer without outputs");
    tx_graph_free(g);
}

int main(void)
{
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        check_shape(s);
    check_alone();
    check_start();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_linear");
}
