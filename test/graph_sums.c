/* graph_sums.c - which steps take the sums of a batch norm's backward, and how long these live. That they are the sums that the
 * batch norm would have taken, layer_check shows; that no bit changes, graph_bits. */
#include "../core/graph_private.h"
#include "../core/plan_private.h"
#include "graph_nets.h"
#include "test.h"

/* The gradient of a batch norm's result comes from one product .. */
static tx_node *net_product(tx_node *x)
{
    return conv(relu(bn(conv(x, 40, 3, 1))), 5, 1, 1);
}

/* .. from two, of which the one that reads it first writes last .. */
static tx_node *net_two_readers(tx_node *x)
{
    x = relu(bn(conv(x, 36, 3, 1)));
    return add(conv(x, 7, 1, 1), conv(x, 7, 5, 1));
}

/* .. from a sum and a product, .. */
static tx_node *net_sum(tx_node *x)
{
    x = bn(conv(x, 34, 1, 1));
    return conv(add(x, conv(x, 34, 1, 1)), 3, 1, 1);
}

/* .. last from a pooling, .. */
static tx_node *net_pool(tx_node *x)
{
    x = relu(bn(conv(x, 34, 1, 1)));
    tx_node *y = pool(x, 3, 1, 1);
    return add(conv(x, 3, 1, 1), conv(y, 3, 1, 1));
}

/* .. from a product that skips pixels, .. */
static tx_node *net_strided(tx_node *x)
{
    return conv(relu(bn(conv(x, 40, 3, 1))), 5, 1, 2);
}

/* .. and through a concatenation. */
static tx_node *net_sliced(tx_node *x)
{
    return conv(cat2(relu(bn(conv(x, 40, 3, 1))), pool(conv(x, 3, 1, 1), 3, 1, 1)), 5, 1, 1);
}

static const struct {
    const char *name;
    tx_node *(*build)(tx_node *x);
    int taken,
        kept; /* batch norms whose sums another step takes; .. where a kept value is not fused with its rectifier */
} cases[] = {
    {"a product", net_product, 1, 0},
    {"two products", net_two_readers, 1, 0},
    {"a sum and a product", net_sum, 1, 1},
    {"a product, last a pooling", net_pool, 0, 0},
    {"a product with strides", net_strided, 0, 0},
    {"a slice", net_sliced, 0, 0},
};

static void check_lives(const tx_plan *plan, int i, const char *name)
{
    const tx_planned *norm = &plan->node[i];
    int taker = 0;
    while (taker < plan->nodes && plan->node[taker].reduces != i)
        taker++;
    CHECK(taker < plan->nodes, "%s: nobody takes the sums of node %d", name, i);
    if (taker == plan->nodes)
        return;
    int time = tx_backward_time(plan, taker), x = tx_plan_node(plan, i)->input[0]->index;
    const tx_buffer *sums = &plan->buffer[norm->sums], *value = &plan->buffer[tx_plan_value(plan, x, time).buffer];
    const tx_buffer *dy = &plan->buffer[norm->dy.buffer];
    CHECK(sums->first <= time && sums->last >= tx_backward_time(plan, i) && value->last >= time && dy->first <= time,
          "%s: what step %d reads or writes for node %d is gone", name, taker, i);
}

static void check_case(int c, tx_mode mode, int keep)
{
    tx_graph *g = tx_graph_new();
    cases[c].build(tx_input(g, 3, 17, 19));
    for (int i = 0; i < tx_graph_nodes(g); i++)
        if (keep || i == 0)
            tx_node_keep((tx_node *)(uintptr_t)tx_graph_node(g, i));
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 3, .mode = mode});
    CHECK(plan, "%s: %s", cases[c].name, tx_error_message());
    int taken = 0, wanted = mode == TX_INFER ? 0 : keep ? cases[c].kept : cases[c].taken;
    for (int i = 0; plan && i < plan->nodes; i++) {
        taken += plan->node[i].reduces >= 0;
        if (plan->node[i].sums >= 0)
            check_lives(plan, i, cases[c].name);
    }
    CHECK(taken == wanted, "%s, mode %d, keep %d: %d sums are taken, expected %d", cases[c].name, (int)mode, keep,
          taken, wanted);
    tx_plan_free(plan);
    tx_graph_free(g);
}

int main(void)
{
    for (int c = 0; c < (int)(sizeof cases / sizeof *cases); c++)
        for (int keep = 0; keep < 2; keep++) {
            check_case(c, TX_TRAIN, keep);
            check_case(c, TX_EXPLAIN, keep);
            check_case(c, TX_INFER, keep);
        }
    return test_done("graph_sums");
}
