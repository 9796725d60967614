/* graph_cost.c - the multiply-adds and bytes that steps are said to cost, against numbers worked out by hand. */
#include "../layers/layers.h"
#include "test.h"

enum { N = 2, H = 4, W = 6, C = 8, O = 20, PIXELS = N * H * W };

static tx_cost cost_of(const tx_plan *plan, const tx_node *node)
{
    tx_cost cost = {-1, -1, -1, -1};
    CHECK(tx_plan_cost(plan, node, &cost) == TX_OK, "%s", tx_error_message());
    return cost;
}

static void check(const char *what, tx_cost cost, tx_cost wanted)
{
    CHECK(cost.products_forward == wanted.products_forward && cost.products_backward == wanted.products_backward,
          "%s: %g and %g products, expected %g and %g", what, cost.products_forward, cost.products_backward,
          wanted.products_forward, wanted.products_backward);
    CHECK(cost.bytes_forward == wanted.bytes_forward && cost.bytes_backward == wanted.bytes_backward,
          "%s: %g and %g bytes, expected %g and %g", what, cost.bytes_forward, cost.bytes_backward,
          wanted.bytes_forward, wanted.bytes_backward);
}

/* x -> conv a -> bn -> relu -> conv b -> + conv a's twin -> mean */
static void check_block(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, C, H, W);
    tx_node *a = tx_conv2d(g, x, "a", (tx_conv2d_args){.out = O, .no_bias = 1});
    tx_node *bn = tx_batchnorm(g, a, "bn", (tx_batchnorm_args){0});
    tx_node *b = tx_conv2d(g, tx_relu(g, bn), "b", (tx_conv2d_args){.out = C, .no_bias = 1});
    tx_node *sum = tx_add(g, x, b), *mean = tx_global_mean(g, sum);
    tx_plan *train = tx_plan_new(g, (tx_session_args){.batch = N, .mode = TX_TRAIN});
    tx_plan *infer = tx_plan_new(g, (tx_session_args){.batch = N, .mode = TX_INFER});
    CHECK(train && infer, "%s", tx_error_message());
    double in = 4.0 * PIXELS * C, out = 4.0 * PIXELS * O, weight = 4.0 * C * O, macs = (double)PIXELS * C * O;
    /* a: its own statistics are a pass more; nobody wants a gradient of x; dy is read for the weight */
    tx_cost cost = cost_of(train, a);
    CHECK(cost.products_forward == macs && cost.products_backward == macs, "products of a");
    CHECK(cost.bytes_forward >= in + out + weight && cost.bytes_forward <= in + 2 * out + weight, "bytes of a");
    /* b: both gradients, dy read for each; it takes bn's sums of dx, with what bn reads, so that bn reads that and dy once */
    check("b", cost_of(train, b), (tx_cost){macs, 2 * macs, out + in + weight, weight + out + in + out + in + out});
    check("bn", cost_of(train, bn), (tx_cost){0, 0, 4.0 * 4 * O, 4.0 * 2 * O + out + 2 * out});
    check("sum", cost_of(train, sum), (tx_cost){0, 0, 3 * in, 0});
    CHECK(cost_of(train, mean).bytes_forward == in + 4.0 * N * C, "mean");
    check("folded", cost_of(infer, bn), (tx_cost){0, 0, 0, 0});
    check("fused", cost_of(infer, b), (tx_cost){macs, 0, out + in + weight + in, 0});
    tx_plan_free(train);
    tx_plan_free(infer);
    tx_graph_free(g);
}

/* x -> conv a -> bn -> relu -> conv b -> mean, a gradient of x wanted: a applies bn's gradient as it reads dy and bn's x, once
 * for both gradients; b takes bn's sums, so bn itself does nothing. */
static void check_slope(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, C, H, W);
    tx_node *a = tx_conv2d(g, x, "a", (tx_conv2d_args){.out = O, .no_bias = 1});
    tx_node *bn = tx_batchnorm(g, a, "bn", (tx_batchnorm_args){0});
    tx_global_mean(g, tx_conv2d(g, tx_relu(g, bn), "b", (tx_conv2d_args){.out = C, .no_bias = 1}));
    tx_node_keep(x);
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = N, .mode = TX_TRAIN});
    CHECK(plan != NULL, "%s", tx_error_message());
    double in = 4.0 * PIXELS * C, out = 4.0 * PIXELS * O, weight = 4.0 * C * O, macs = (double)PIXELS * C * O;
    check("a", cost_of(plan, a), (tx_cost){macs, 2 * macs, in + out + weight, weight + out + out + in + in});
    check("bn", cost_of(plan, bn), (tx_cost){0, 0, 4.0 * 4 * O, 0});
    tx_plan_free(plan);
    tx_graph_free(g);
}

/* The smallest arena that training can have. */
static size_t least_memory(const tx_graph *g)
{
    size_t least = 0, allowed = 0;
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = N, .mode = TX_TRAIN, .memory = 1});
    CHECK(!plan && sscanf(tx_error_message(), "a batch of 2 takes %zu bytes of memory at least, %zu are allowed",
                          &least, &allowed) == 2,
          "one byte is enough: %s", tx_error_message());
    tx_plan_free(plan);
    return least;
}

/* x -> average -> conv a -> relu -> conv b -> mean: nobody wants a gradient of the average, which conv a reads once more in
 * backward; where memory is short, it is computed again there. */
static void check_again(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, C, H, W);
    tx_node *pool = tx_avg_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 1, .padding = 1});
    tx_node *a = tx_conv2d(g, pool, "a", (tx_conv2d_args){.out = O, .no_bias = 1});
    tx_global_mean(g, tx_conv2d(g, tx_relu(g, a), "b", (tx_conv2d_args){.out = O, .no_bias = 1}));
    tx_session_args args = {.batch = N, .mode = TX_TRAIN};
    tx_plan *roomy = tx_plan_new(g, args);
    args.memory = least_memory(g);
    tx_plan *small = tx_plan_new(g, args);
    double in = 4.0 * PIXELS * C;
    CHECK(roomy && small && tx_plan_bytes(small) < tx_plan_bytes(roomy), "nothing is computed again");
    check("kept", cost_of(roomy, pool), (tx_cost){0, 0, 2 * in, 0});
    check("computed again", cost_of(small, pool), (tx_cost){0, 0, 2 * in, 2 * in});
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *s = tx_weights_init(w, 0) == TX_OK ? tx_session_new(g, w, args) : NULL;
    double forward = 0, backward = 0;
    CHECK(s && tx_session_clock(s, 1) == TX_OK && tx_forward(s) == TX_OK && tx_backward(s, NULL) == TX_OK &&
              tx_session_times(s, pool, &forward, &backward) == TX_OK,
          "%s", tx_error_message());
    CHECK(forward > 0 && backward > 0, "computed again in no time: %g s, %g s", forward, backward);
    tx_session_free(s);
    tx_weights_free(w);
    tx_plan_free(roomy);
    tx_plan_free(small);
    tx_graph_free(g);
}

int main(void)
{
    tx_set_threads(2); /* two do not share so small a product: gradients are written */
    check_block();
    check_again();
    tx_set_threads(1);
    check_slope();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("graph_cost");
}
