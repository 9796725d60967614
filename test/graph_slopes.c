/* graph_slopes.c - gradients of batch norms that are left to the step before: where that is done, and that nothing else changes.
 * Two operations that are one but for TX_READS_SLOPE, in networks that are one but for it, leave the same bits. */
#include "../core/graph_private.h"
#include "../core/plan_private.h"
#include "graph_nets.h"
#include "test.h"

static int read_as_slope; /* how often */

static tx_status twin_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return TX_OK;
}

static void twin_plan(const tx_step *step, tx_workspace *space)
{
    (void)step;
    space->cheap = 1;
}

static tx_status twin_forward(tx_step *step)
{
    return tx_channel_sum(step->machine, &step->y, step->x, 1, TX_ACT_NONE);
}

static tx_status twin_backward(tx_step *step)
{
    const tx_slope *dy = &step->dy;
    if (!dy->x.data)
        return tx_channel_mask(step->machine, &step->dx[0], &dy->g, NULL, TX_ACT_NONE);
    read_as_slope++;
    return tx_channel_bn_apply(step->machine, &step->dx[0], &dy->x, dy->mean, &dy->g, dy->mean_g, dy->slope);
}

static const tx_op eager = {.name = "twin",
                            .shape = twin_shape,
                            .plan = twin_plan,
                            .forward = twin_forward,
                            .backward = twin_backward},
                   lazy = {.name = "twin",
                           .shape = twin_shape,
                           .plan = twin_plan,
                           .forward = twin_forward,
                           .backward = twin_backward,
                           .reads = TX_READS_SLOPE};
static const tx_op *twin_op;

static tx_node *twin(tx_node *x)
{
    return tx_graph_add(x->graph, twin_op, net_label(x->graph, "twin"), &x, 1, NULL, 0);
}

static tx_node *net_block(tx_node *x)
{
    return conv(relu(bn(twin(conv(x, 7, 3, 1)))), 4, 3, 1);
}

static tx_node *net_residual(tx_node *x)
{
    x = conv(x, 6, 3, 1);
    tx_node *y = bn(twin(conv(relu(bn(twin(conv(x, 9, 1, 1)))), 6, 3, 1)));
    return conv(relu(add(y, x)), 5, 1, 1);
}

/* The gradient of a sum stands in one place for both. */
static tx_node *net_two_ends(tx_node *x)
{
    tx_node *a = bn(twin(conv(x, 6, 3, 1))), *b = bn(twin(conv(x, 6, 1, 1)));
    return conv(relu(bn(add(a, b))), 3, 3, 1);
}

static tx_node *net_sliced(tx_node *x)
{
    tx_node *a = relu(bn(twin(conv(x, 6, 3, 1)))), *b = pool(conv(x, 5, 1, 1), 3, 1, 1);
    return conv(cat2(b, a), 4, 3, 1);
}

static tx_node *net_row(tx_node *x)
{
    return bn(twin(relu(bn(twin(conv(x, 20, 3, 1))))));
}

/* Another reader of what the batch norm reads. */
static tx_node *net_shared(tx_node *x)
{
    x = twin(conv(x, 6, 3, 1));
    return add(relu(bn(x)), conv(x, 6, 1, 1));
}

static const struct {
    const char *name;
    tx_node *(*build)(tx_node *x);
    int slopes; /* that are read in a run */
} cases[] = {
    {"a block", net_block, 1},  {"a residual block", net_residual, 2}, {"a sum of two", net_two_ends, 2},
    {"a slice", net_sliced, 1}, {"one behind the other", net_row, 2},  {"x is read twice", net_shared, 0},
};

typedef struct outcome {
    float *value, *weights, *gradient; /* of the last node, all of them, of the image */
    size_t values, pixels;
    int slopes;
} outcome;

static outcome outcome_of(int c, const tx_op *op, tx_mode mode, int keep, size_t memory, tx_weights **w)
{
    outcome o = {0};
    tx_graph *g = tx_graph_new();
    twin_op = op;
    tx_node *image = tx_input(g, 3, 9, 7), *last = cases[c].build(image);
    for (int i = 0; keep == 1 && i < tx_graph_nodes(g); i++)
        tx_node_keep((tx_node *)(uintptr_t)tx_graph_node(g, i));
    if (keep == 0)
        tx_node_keep(image);
    *w = tx_weights_new(g, 1);
    tx_weights_init(*w, 1);
    tx_session_args args = {.batch = 3, .mode = mode, .memory = memory};
    tx_session *s = tx_session_new(g, *w, args);
    CHECK(s, "%s: %s", cases[c].name, tx_error_message());
    o.values = small_count(last, 3);
    o.pixels = small_count(image, 3);
    o.value = tx_alloc(o.values, sizeof(float));
    o.gradient = tx_alloc(o.pixels, sizeof(float));
    float *dy = tx_alloc(o.values, sizeof(float));
    for (size_t i = 0; i < o.values; i++)
        dy[i] = small_dy(i);
    for (int run = 0; s && run < 2; run++) {
        for (size_t i = 0; i < o.pixels; i++)
            tx_session_input(s, image)[i] = small_dy(i + 77 * (size_t)run);
        read_as_slope = 0;
        CHECK(tx_forward(s) == TX_OK && tx_backward(s, dy) == TX_OK && tx_session_value(s, last, o.value) == TX_OK,
              "%s: %s", cases[c].name, tx_error_message());
    }
    if (s && keep < 2)
        CHECK(tx_session_gradient(s, image, o.gradient) == TX_OK, "%s: %s", cases[c].name, tx_error_message());
    o.slopes = read_as_slope;
    tx_free(dy);
    tx_session_free(s);
    return o;
}

/* keep: 0 the image, 1 all nodes, 2 none. */
static void check_twins(int c, tx_mode mode, int keep, size_t memory)
{
    tx_weights *w[2];
    outcome a = outcome_of(c, &eager, mode, keep, 0, &w[0]), b = outcome_of(c, &lazy, mode, keep, memory, &w[1]);
    int wanted = keep == 1 ? 0 : cases[c].slopes;
    CHECK(a.slopes == 0 && b.slopes == wanted, "%s, mode %d, keep %d: %d slopes, expected %d", cases[c].name, (int)mode,
          keep, b.slopes, wanted);
    CHECK(memcmp(a.value, b.value, a.values * sizeof(float)) == 0 &&
              memcmp(w[0]->value, w[1]->value, w[0]->total * sizeof(float)) == 0 &&
              memcmp(w[0]->grad, w[1]->grad, w[0]->trained * sizeof(float)) == 0 &&
              memcmp(a.gradient, b.gradient, a.pixels * sizeof(float)) == 0,
          "%s, mode %d, keep %d, memory %zu: other bits where gradients are read as slopes", cases[c].name, (int)mode,
          keep, memory);
    outcome *both[2] = {&a, &b};
    for (int k = 0; k < 2; k++) {
        tx_graph *g = (tx_graph *)(uintptr_t)w[k]->graph;
        tx_free(both[k]->value);
        tx_free(both[k]->gradient);
        tx_weights_free(w[k]);
        tx_graph_free(g);
    }
}

/* The least memory in which a case can be trained: values are made again. */
static size_t least_memory(int c)
{
    size_t least = 0;
    tx_graph *g = tx_graph_new();
    twin_op = &lazy;
    cases[c].build(tx_input(g, 3, 9, 7));
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 3, .mode = TX_TRAIN, .memory = 64});
    CHECK(!plan && sscanf(tx_error_message(), "a batch of 3 takes %zu", &least) == 1, "%s", tx_error_message());
    tx_graph_free(g);
    return least;
}

/* Until the writer has run, nothing else may stand where dy, x and the coefficients are. */
static void check_lives(int c)
{
    tx_graph *g = tx_graph_new();
    twin_op = &lazy;
    cases[c].build(tx_input(g, 3, 9, 7));
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 3, .mode = TX_TRAIN});
    CHECK(plan, "%s", tx_error_message());
    for (int i = 0; plan && i < plan->nodes; i++) {
        const tx_planned *p = &plan->node[i];
        if (p->slope < 0)
            continue;
        const tx_planned *norm = &plan->node[p->slope];
        int time = tx_backward_time(plan, i), read[3] = {p->dy.buffer, plan->node[p->result].value.buffer, norm->saved};
        CHECK(norm->unapplied && norm->dx[0].buffer < 0, "%s: node %d reads what is written", cases[c].name, i);
        for (int k = 0; k < 3; k++)
            CHECK(plan->buffer[read[k]].last >= time, "%s: node %d reads %s after its end", cases[c].name, i,
                  k == 0   ? "dy"
                  : k == 1 ? "x"
                           : "coefficients");
    }
    tx_plan_free(plan);
    tx_graph_free(g);
}

int main(void)
{
    for (int c = 0; c < (int)(sizeof cases / sizeof *cases); c++) {
        for (int keep = 0; keep < 3; keep++) {
            check_twins(c, TX_TRAIN, keep, 0);
            if (keep < 2)
                check_twins(c, TX_EXPLAIN, keep, 0);
        }
        check_twins(c, TX_TRAIN, 2, least_memory(c));
        check_lives(c);
    }
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_slopes");
}
