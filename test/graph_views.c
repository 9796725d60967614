/* graph_views.c - which results are written and which are views, what stands in whose buffer, and which gradients share
 * memory: looked up in the plan. What they compute is compared in graph_gradient.c and graph_plan.c. */
#include "../core/plan_private.h"
#include "graph_nets.h"
#include "test.h"

static tx_plan *plan_of(const tx_graph *g, tx_mode mode)
{
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 2, .mode = mode});
    CHECK(plan != NULL, "%s", tx_error_message());
    return plan;
}

static int is_view(const tx_plan *plan, const tx_node *node)
{
    const tx_planned *p = &plan->node[node->index];
    return p->coefficients >= 0 || p->act != TX_ACT_NONE || p->gate >= 0;
}

/* Inputs that concatenations copy. */
static int copies(const tx_plan *plan)
{
    int n = 0;
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = tx_plan_node(plan, i);
        size_t channel;
        for (int k = 0; node->op->kind == TX_CONCAT && k < node->inputs; k++)
            n += tx_plan_copies(plan, i, k, &channel);
    }
    return n;
}

/* Nodes that are read as views. */
static int views(const tx_plan *plan)
{
    int n = 0;
    for (int i = 0; i < plan->nodes; i++)
        n += plan->node[i].step != i || plan->node[i].is_step ? is_view(plan, tx_plan_node(plan, i)) : 0;
    return n;
}

/* A rectifier with several readers, behind what has readers of its own. */
static void check_activations(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 3, 6, 6), *a = conv(image, 4, 3, 1), *b = conv(image, 4, 1, 1), *s = add(a, b);
    tx_node *r = relu(s), *c = conv(r, 4, 3, 1), *d = conv(r, 4, 1, 1), *e = add(add(c, d), s), *q = relu(e);
    tx_node *f = drop(q, 0.5), *h = add(f, relu(e));
    for (int mode = TX_INFER; mode <= TX_EXPLAIN; mode++) {
        tx_plan *plan = plan_of(g, (tx_mode)mode);
        CHECK(is_view(plan, r) && plan->node[r->index].origin == s->index, "mode %d: a rectifier is written", mode);
        CHECK(!is_view(plan, s) && !is_view(plan, c) && !is_view(plan, h), "mode %d: a sum is a view", mode);
        CHECK(!is_view(plan, q), "mode %d: dropout reads a view", mode);
        tx_plan_free(plan);
    }
    tx_node_keep(r);
    tx_plan *plan = plan_of(g, TX_TRAIN);
    CHECK(!is_view(plan, r), "a kept rectifier is a view");
    tx_plan_free(plan);
    tx_graph_free(g);
}

static const small_net *find(const char *name)
{
    for (int k = 0; k < SMALL_NETS; k++)
        if (strcmp(small_nets[k].name, name) == 0)
            return &small_nets[k];
    CHECK(0, "there is no net '%s'", name);
    return &small_nets[0];
}

/* How many values are views, and how many are copied. */
static void check_counts(void)
{
    static const struct {
        const char *net;
        int views, copies;
    } want[] = {{"dense, nested", 7, 0},
                {"dense, flat", 7, 0},
                {"dense, two blocks", 7, 0},
                {"branches as views", 8, 0},
                {"views in concatenations of concatenations", 7, 0},
                {"views without activation", 2, 1},
                {"rival concatenations of views", 6, 3},
                {"views that have to be written", 0, 1},
                {"inverted residuals", 8, 0},
                {"squeeze and excite", 9, 0},
                {"gates", 4, 0},
                {"views of two kinds", 0, 1},
                {"views of two activations", 0, 0}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        small_graph s;
        small_build(&s, find(want[i].net), 2);
        tx_plan *plan = plan_of(s.graph, TX_TRAIN);
        CHECK(views(plan) == want[i].views && copies(plan) == want[i].copies,
              "%s: %d views, %d values copied, expected %d and %d", want[i].net, views(plan), copies(plan),
              want[i].views, want[i].copies);
        tx_plan_free(plan);
        tx_graph_free(s.graph);
    }
}

int main(void)
{
    tx_set_threads(1);
    check_activations();
    check_counts();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_views");
}
