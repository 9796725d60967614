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

int main(void)
{
    check_block();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("graph_cost");
}
