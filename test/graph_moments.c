/* graph_moments.c - each channel is measured once, by whoever writes it, and its statistics are there as long as a batch norm
 * reads them. That the numbers are right, the networks of graph_gradient and graph_bits show. */
#include "../core/graph_private.h"
#include "../core/plan_private.h"
#include "graph_nets.h"
#include "test.h"

/* Channels that all steps of a plan measure. */
static int measured(const tx_plan *plan)
{
    int channels = 0;
    for (int i = 0; i < plan->nodes; i++) {
        const tx_planned *p = &plan->node[i];
        const tx_node *node = tx_plan_node(plan, i), *result = tx_plan_node(plan, p->result);
        size_t at;
        if (p->moments.buffer < 0)
            continue;
        for (int k = 0; node->op->kind == TX_CONCAT && k < node->inputs; k++)
            channels += tx_plan_copies(plan, i, k, &at) ? node->input[k]->c : 0;
        channels += node->op->kind == TX_CONCAT ? 0 : result->c;
    }
    return channels;
}

/* Statistics are alive from the step that takes them to the last that reads them; that they do not meet what else is alive
 * then, is the arena's part. */
static void check_lives(const tx_plan *plan, const char *name)
{
    for (int i = 0; i < plan->nodes; i++) {
        tx_slot slots[2] = {plan->node[i].moments, plan->node[i].x_moments};
        for (int k = 0; k < 2; k++)
            if (slots[k].buffer >= 0) {
                const tx_buffer *b = &plan->buffer[slots[k].buffer];
                CHECK(b->first <= i && i <= b->last && b->last < plan->nodes &&
                          b->bytes >= 2 * slots[k].ld * sizeof(double),
                      "%s: statistics of node %d live from %d to %d", name, i, b->first, b->last);
            }
        if (plan->node[i].moments.buffer >= 0) {
            const tx_buffer *work = &plan->buffer[plan->node[i].moments_work];
            CHECK(work->first == i && work->last == i, "%s: work of node %d", name, i);
        }
    }
}

static tx_node *net_slices(tx_node *x)
{
    tx_node *a = conv(x, 3, 1, 1), *b = conv(x, 4, 1, 1), *c = conv(x, 2, 1, 1);
    tx_node *wide = cat3(a, b, c);
    return add(conv(relu(bn(b)), 5, 1, 1), conv(wide, 5, 1, 1));
}

static tx_node *net_twice(tx_node *x)
{
    x = conv(x, 6, 3, 1);
    return add(bn(x), relu(bn(x)));
}

static tx_node *net_on_data(tx_node *x)
{
    return conv(relu(bn(x)), 4, 3, 1);
}

static const struct {
    const char *name;
    tx_node *(*build)(tx_node *x);
    int channels; /* measured in training */
} cases[] = {
    {"dense, nested", net_dense_nested,
     5 + (5 + 3 * 3) + 3 * 6}, /* the stem, the wide buffer, the narrow convolutions */
    {"one of three slices is normalised", net_slices, 4},
    {"two batch norms of one value", net_twice, 6},
    {"a batch norm of the data", net_on_data, 3},
};

static void check_case(int c, tx_mode mode)
{
    tx_graph *g = tx_graph_new();
    cases[c].build(tx_input(g, 3, 9, 7));
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 2, .mode = mode});
    CHECK(plan, "%s: %s", cases[c].name, tx_error_message());
    if (plan) {
        int channels = mode == TX_TRAIN ? cases[c].channels : 0;
        CHECK(measured(plan) == channels, "%s, mode %d: %d channels are measured, expected %d", cases[c].name,
              (int)mode, measured(plan), channels);
        check_lives(plan, cases[c].name);
    }
    tx_plan_free(plan);
    tx_graph_free(g);
}

/* Sums that are made again are not measured again: an operation that takes statistics is given none then. */
static int given, runs;

static tx_status spy_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return TX_OK;
}

static void spy_plan(const tx_step *step, tx_workspace *space)
{
    (void)step;
    space->cheap = 1;
}

static tx_status spy_forward(tx_step *step)
{
    tx_view y = {
        .data = step->y.data, .n = step->y.n, .h = step->y.h, .w = step->y.w, .c = step->y.c, .ld = step->y.ld};
    tx_status status = tx_channel_sum(step->machine, &step->y, step->x, 1, TX_ACT_NONE);
    runs++;
    given += step->moments.mean != NULL;
    if (status || !step->moments.mean)
        return status;
    return tx_channel_moments(step->machine, &y, step->moments.mean, step->moments.variance, step->moments.work);
}

static tx_status spy_backward(tx_step *step)
{
    return tx_channel_mask(step->machine, &step->dx[0], &step->dy.g, NULL, TX_ACT_NONE);
}

static const tx_op spy = {.name = "spy",
                          .shape = spy_shape,
                          .plan = spy_plan,
                          .forward = spy_forward,
                          .backward = spy_backward,
                          .traits = TX_MOMENTS};

static void check_again(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_graph_add(g, &spy, "spy", (tx_node *[]){conv(tx_input(g, 3, 20, 20), 80, 3, 1)}, 1, NULL, 0);
    x = conv(relu(bn(x)), 80, 1, 1); /* the peak is here, where x may be gone */
    conv(conv(conv(x, 80, 1, 1), 80, 1, 1), 3, 1, 1);
    tx_weights *w = tx_weights_new(g, 1);
    tx_weights_init(w, 1);
    tx_session_args args = {.batch = 4, .mode = TX_TRAIN};
    tx_plan *plan = tx_plan_new(g, args);
    args.memory = tx_plan_bytes(plan) - 64;
    tx_session *session = tx_session_new(g, w, args);
    CHECK(session, "less memory by making a value again: %s", tx_error_message());
    if (session)
        CHECK(tx_forward(session) == TX_OK && tx_backward(session, NULL) == TX_OK, "%s", tx_error_message());
    CHECK(runs == 2 && given == 1, "made %d times, measured %d times", runs, given);
    tx_session_free(session);
    tx_plan_free(plan);
    tx_weights_free(w);
    tx_graph_free(g);
}

int main(void)
{
    for (int c = 0; c < (int)(sizeof cases / sizeof *cases); c++) {
        check_case(c, TX_TRAIN);
        check_case(c, TX_INFER);
        check_case(c, TX_EXPLAIN);
    }
    check_again();
    return test_done("graph_moments");
}
