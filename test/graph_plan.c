/* graph_plan.c - what a plan promises: nothing that lives at the same time shares memory, the same bits for every number of
 * threads and every way to cut a batch, no allocation between steps, and an error instead of a crash where memory ends. */
#include "../core/op.h"
#include "../optim/optim.h"
#include "graph_nets.h"
#include "test.h"

#include <math.h>

/* Writes images first.. of the numbers that small_input gives as images 0.. of the session; NAN instead of all if `poison`. */
static void set_inputs(tx_session *session, const small_graph *s, const small_net *net, int first, int n, int poison)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] =
                poison && k == 0 ? NAN : small_input(net, k, i + (size_t)first * small_count(inputs[k], 1));
}

/* Everything that a training run leaves: the last node's value, all gradients, running statistics. */
typedef struct results {
    float *value, *grad, *state;
    size_t values, grads, states;
} results;

static void results_free(results *r)
{
    tx_free(r->value);
    tx_free(r->grad);
    tx_free(r->state);
    memset(r, 0, sizeof *r);
}

static int results_equal(const results *a, const results *b)
{
    return memcmp(a->value, b->value, a->values * sizeof(float)) == 0 &&
           memcmp(a->grad, b->grad, a->grads * sizeof(float)) == 0 &&
           memcmp(a->state, b->state, a->states * sizeof(float)) == 0;
}

static void backward(tx_session *session, const small_graph *s, const small_net *net, int n)
{
    size_t count = small_count(s->last, n);
    float *dy = tx_alloc(count, sizeof *dy);
    for (size_t i = 0; i < count; i++)
        dy[i] = small_dy(i);
    CHECK(tx_backward(session, net->cross_entropy == 2 ? dy : NULL) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_free(dy);
}

static void run(tx_session *session, const small_graph *s, const small_net *net, tx_weights *w, int n, int poison,
                results *r)
{
    small_fill(w);
    set_inputs(session, s, net, 0, n, poison);
    tx_session_run(session, 4);
    CHECK(tx_forward(session) == TX_OK, "%s: %s", net->name, tx_error_message());
    results_free(r);
    r->values = small_count(s->last, n);
    r->grads = w->trained;
    r->states = w->total - w->trained;
    r->value = tx_alloc(r->values, sizeof(float));
    r->grad = tx_alloc(r->grads, sizeof(float));
    r->state = tx_alloc(r->states, sizeof(float));
    tx_session_value(session, s->last, r->value);
    backward(session, s, net, n);
    memcpy(r->grad, w->grad, r->grads * sizeof(float));
    memcpy(r->state, w->value + w->trained, r->states * sizeof(float));
}

/* After a run on NaNs every buffer of the arena that was used holds NaNs: a step that reads what it has not been given
 * carries one into the next run. Then the same in a session that was planned for more images. */
static void check_memory(const small_net *net, tx_mode mode, int keep)
{
    small_graph s;
    results first = {0}, again = {0}, wider = {0};
    CHECK(small_build(&s, net, keep) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session *session =
        tx_session_new(s.graph, w, (tx_session_args){.batch = 3, .mode = mode, .parameters = 1, .seed = 3});
    run(session, &s, net, w, 3, 0, &first);
    run(session, &s, net, w, 3, 1, &again);
    CHECK(isnan(again.value[0]), "%s: NaN in, %g out", net->name, (double)again.value[0]);
    run(session, &s, net, w, 3, 0, &again);
    CHECK(results_equal(&first, &again), "%s, mode %d, keep %d: a run remembers the run before it", net->name, mode,
          keep);
    tx_session_free(session);
    session = tx_session_new(s.graph, w, (tx_session_args){.batch = 5, .mode = mode, .parameters = 1, .seed = 3});
    run(session, &s, net, w, 5, 1, &again);
    CHECK(tx_session_batch(session, 3) == TX_OK, "%s: %s", net->name, tx_error_message());
    run(session, &s, net, w, 3, 0, &wider);
    CHECK(results_equal(&first, &wider), "%s, mode %d, keep %d: other bits in a session planned for 5 images",
          net->name, mode, keep);
    CHECK(tx_session_batch(session, 6) != TX_OK && tx_session_batch(session, 0) != TX_OK,
          "%s: 6 images where 5 were planned", net->name);
    tx_session_free(session);
    results_free(&first);
    results_free(&again);
    results_free(&wider);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* What inference makes of the last node. */
static void predict(const small_graph *s, const small_net *net, tx_weights *w, float *value)
{
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = 2, .mode = TX_INFER});
    set_inputs(session, s, net, 0, 2, 0);
    CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, value) == TX_OK, "%s: %s", net->name,
          tx_error_message());
    tx_session_free(session);
}

/* What is kept must not change what is computed: in inference neither, where it keeps steps from being joined; nor that
 * gradients are taken of the same values. */
static void check_keep(const small_net *net, tx_mode mode)
{
    static const char *const what[] = {"as few are kept as can be", "all is kept", "nothing is kept"};
    results kept[SMALL_KEEPS] = {{0}};
    for (int keep = 0; keep < SMALL_KEEPS; keep++) {
        small_graph s;
        small_build(&s, net, keep);
        tx_weights *w = tx_weights_new(s.graph, 1);
        tx_session *session =
            tx_session_new(s.graph, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .seed = 3});
        run(session, &s, net, w, 2, 0, &kept[keep]);
        const char *when = keep < 3 ? what[keep] : "some is kept";
        CHECK(results_equal(&kept[0], &kept[keep]), "%s, mode %d: other bits when %s", net->name, mode, when);
        if (mode == TX_EXPLAIN) {
            float *value = tx_alloc(kept[0].values, sizeof *value);
            predict(&s, net, w, value);
            CHECK(memcmp(value, kept[0].value, kept[0].values * sizeof *value) == 0,
                  "%s, inference: other bits when %s", net->name, when);
            tx_free(value);
        }
        tx_session_free(session);
        tx_weights_free(w);
        tx_graph_free(s.graph);
    }
    for (int keep = 0; keep < SMALL_KEEPS; keep++)
        results_free(&kept[keep]);
}

static void check_threads(const small_net *net)
{
    static const int numbers[] = {1, 2, 3, 7};
    results r[4] = {{0}};
    for (int k = 0; k < 4; k++) {
        small_graph s;
        small_build(&s, net, 0);
        tx_weights *w = tx_weights_new(s.graph, 1);
        tx_set_threads(numbers[k]);
        tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = 3, .mode = TX_TRAIN, .seed = 3});
        run(session, &s, net, w, 3, 0, &r[k]);
        CHECK(results_equal(&r[0], &r[k]), "%s: other bits with %d threads", net->name, numbers[k]);
        tx_session_free(session);
        tx_weights_free(w);
        tx_graph_free(s.graph);
    }
    tx_set_threads(1);
    for (int k = 0; k < 4; k++)
        results_free(&r[k]);
}

/* An image alone and among others: what stands before the loss, from a net without one. */
static void check_alone(const small_net *net)
{
    small_net open = *net;
    small_graph s;
    open.cross_entropy = 2;
    CHECK(small_build(&s, &open, 2) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 0);
    small_fill(w);
    size_t one = small_count(s.last, 1);
    float *together = tx_alloc(4 * one, sizeof *together), *alone = tx_alloc(4 * one, sizeof *alone);
    for (int batch = 1; batch <= 4; batch += 3) {
        tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = batch, .seed = 3});
        for (int i = 0; i < 4; i += batch) {
            set_inputs(session, &s, &open, i, batch, 0);
            CHECK(tx_forward(session) == TX_OK, "%s: %s", net->name, tx_error_message());
            tx_session_value(session, s.last, (batch == 1 ? alone : together) + (size_t)i * one);
        }
        tx_session_free(session);
    }
    CHECK(memcmp(alone, together, 4 * one * sizeof *alone) == 0, "%s: an image has other digits when it is alone",
          net->name);
    tx_free(together);
    tx_free(alone);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* One number that is none, at row 1, column 1 of the first image, reaches the result: no rectifier, pool or mask hides it. */
static void check_nan(const small_net *net, tx_mode mode)
{
    small_graph s;
    small_build(&s, net, 2);
    tx_weights *w = tx_weights_new(s.graph, 1);
    small_fill(w);
    tx_session *session =
        tx_session_new(s.graph, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .seed = 3});
    size_t count = net->cross_entropy == 2 ? small_count(s.last, 2) : 1, hits = 0;
    float *value = tx_alloc(small_count(s.last, 2), sizeof *value);
    set_inputs(session, &s, net, 0, 2, 0);
    tx_session_input(session, s.image)[((net->h > 1 ? net->w : 0) + (net->w > 1 ? 1 : 0)) * net->c] = NAN;
    CHECK(tx_forward(session) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_session_value(session, s.last, value);
    for (size_t i = 0; i < count; i++)
        hits += isnan(value[i]) != 0;
    CHECK(hits > 0, "%s, mode %d: a NaN in the image has vanished", net->name, mode);
    tx_free(value);
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* Steps of training: no allocation, the loss falls, a loss that is not finite is refused. */
static void check_steps(const small_net *net)
{
    small_graph s;
    small_build(&s, net, 2);
    tx_weights *w = tx_weights_new(s.graph, 1);
    small_fill(w);
    tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = 3, .mode = TX_TRAIN, .seed = 3});
    tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM});
    set_inputs(session, &s, net, 0, 3, 0);
    float first = 0, loss = 0;
    tx_alloc_fail_after(-1);
    for (int t = 0; t < 25; t++) {
        tx_session_run(session, (uint64_t)t);
        CHECK(tx_train_step(session, s.last, o, 0.01, &loss) == TX_OK, "%s: %s", net->name, tx_error_message());
        first = t == 0 ? loss : first;
    }
    CHECK(tx_alloc_count() == 0, "%s: %ld allocations in 25 steps", net->name, tx_alloc_count());
    CHECK(loss < first, "%s: loss %g after 25 steps, %g before", net->name, (double)loss, (double)first);
    float *before = tx_alloc(w->trained, sizeof *before);
    memcpy(before, w->value, w->trained * sizeof *before);
    set_inputs(session, &s, net, 0, 3, 1);
    CHECK(tx_train_step(session, s.last, o, 0.01, &loss) != TX_OK && strstr(tx_error_message(), "not a number"),
          "%s: a loss of %g was taken", net->name, (double)loss);
    CHECK(memcmp(before, w->value, w->trained * sizeof *before) == 0 && tx_optimizer_steps(o) == 25,
          "%s: a step without a loss has changed the parameters", net->name);
    CHECK(tx_train_step(session, s.image, o, 0.01, NULL) != TX_OK, "%s: the image was taken for a loss", net->name);
    tx_free(before);
    tx_optimizer_free(o);
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* Everything from the description to the session, as it would stand in a user's program, within so much memory. */
static int make_all(const small_net *net, tx_mode mode, size_t memory)
{
    small_graph s;
    tx_status status = small_build(&s, net, 0);
    tx_weights *w = status == TX_OK ? tx_weights_new(s.graph, 1) : NULL;
    tx_session_args args = {.batch = 2, .mode = mode, .parameters = 1, .seed = 3, .memory = memory};
    tx_session *session = w ? tx_session_new(s.graph, w, args) : NULL;
    tx_reference *reference =
        session && tx_weights_init(w, 0) == TX_OK ? tx_reference_new(s.graph, w, 2, mode, 3) : NULL;
    int made = reference != NULL;
    tx_reference_free(reference);
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(s.graph);
    return made;
}

/* Each allocation in turn fails: the call fails, says why, and leaves nothing behind. */
static void check_failures(const small_net *net, tx_mode mode, size_t memory)
{
    long live = tx_alloc_live(), n = 0;
    int made = 0;
    for (; n < 20000 && !made; n++) {
        tx_alloc_fail_after(n);
        made = make_all(net, mode, memory);
        if (!made)
            CHECK(strstr(tx_error_message(), "memory") != NULL, "%s: allocation %ld fails: %s", net->name, n,
                  tx_error_message());
        CHECK(tx_alloc_live() == live, "%s: %ld blocks are left when allocation %ld fails", net->name,
              tx_alloc_live() - live, n);
    }
    tx_alloc_fail_after(-1);
    CHECK(made && n > 30, "%s: made after %ld allocations", net->name, n);
}

/* The same where values are made again. */
static void check_thrifty_failures(void)
{
    for (int k = 0; k < SMALL_NETS; k++) {
        if (strcmp(small_nets[k].name, "chain of small products") != 0)
            continue;
        small_graph s;
        size_t least = 0;
        small_build(&s, &small_nets[k], 0);
        tx_plan *plan = tx_plan_new(s.graph, (tx_session_args){.batch = 2, .mode = TX_TRAIN, .memory = 1});
        CHECK(!plan && sscanf(tx_error_message(), "a batch of 2 takes %zu", &least) == 1, "%s", tx_error_message());
        tx_plan_free(plan);
        tx_graph_free(s.graph);
        check_failures(&small_nets[k], TX_TRAIN, least);
    }
}

/* ---- what becomes a step of its own, and what is joined to another */

static int is_step(const tx_plan *plan, const tx_node *node)
{
    return tx_plan_workspace(plan, node) != NULL;
}

/* In inference a convolution takes batch norm, what is idle, sum and activation; in training batch norms and sums take activations. */
static void check_joining(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 3, 6, 6), *c1 = conv(image, 4, 3, 1), *b1 = bn(c1), *r1 = relu(b1);
    tx_node *c2 = conv_bias(r1, 4, 3), *r2 = relu(c2), *c3 = conv(r2, 4, 3, 1), *b3 = bn(c3);
    tx_node *idle = tx_stochastic_depth(g, b3, (tx_stochastic_depth_args){.p = 0.5}), *s = add(idle, r1);
    tx_node *r3 = relu(s), *p = pool(r3, 2, 2, 0), *r4 = relu(p), *f = full(r4, 5), *r5 = relu(f);
    tx_node *shared = conv(r5, 5, 1, 1), *r6 = relu(shared), *end = add(r6, shared);
    tx_node *late = conv(end, 5, 1, 1), *early = conv(end, 5, 1, 1), *sum = add(late, early), *two = add(end, sum);
    const struct {
        const tx_node *node;
        int infer, train;
    } want[] = {{image, 1, 1}, {c1, 1, 1},    {b1, 0, 1},   {r1, 0, 0},     {c2, 1, 1}, {r2, 0, 1},
                {c3, 1, 1},    {b3, 0, 1},    {idle, 0, 1}, {s, 0, 1},      {r3, 0, 0}, {p, 1, 1},
                {r4, 1, 1},    {f, 1, 1},     {r5, 1, 1},   {shared, 1, 1}, {r6, 1, 1}, {end, 1, 1},
                {late, 1, 1},  {early, 1, 1}, {sum, 0, 1},  {two, 1, 1}};
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    for (int train = 0; train < 2; train++) {
        tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = train ? TX_TRAIN : TX_INFER});
        CHECK(plan != NULL, "%s", tx_error_message());
        for (size_t i = 0; plan && i < sizeof want / sizeof want[0]; i++)
            CHECK(is_step(plan, want[i].node) == (train ? want[i].train : want[i].infer), "node %d (%s), %s: %s",
                  want[i].node->index, want[i].node->op->name, train ? "training" : "inference",
                  is_step(plan, want[i].node) ? "a step" : "joined");
        tx_plan_free(plan);
    }
    tx_node_keep(b1); /* what is read from outside is written */
    tx_node_keep(c2);
    tx_node_keep(s);
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = TX_INFER});
    CHECK(plan && is_step(plan, r1) && is_step(plan, r2) && is_step(plan, r3) && !is_step(plan, b1) &&
              !is_step(plan, s),
          "kept values are joined away");
    tx_plan_free(plan);
    tx_graph_free(g);
}

static void check_arguments(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = conv_bias(tx_input(g, 3, 4, 4), 2, 3);
    const char *const typos[] = {"first", "conv1", "second", NULL}, *const right[] = {"conv1.bias", NULL};
    const struct {
        tx_session_args args;
        const char *part;
    } bad[] = {{{.batch = 0}, "0 images"},
               {{.batch = -3}, "-3 images"},
               {{.batch = TX_MAX_BATCH + 1}, "1048577 images"},
               {{.batch = 1, .mode = (tx_mode)3}, "mode 3"},
               {{.batch = 1, .mode = (tx_mode)-1}, "mode -1"},
               {{.batch = 1, .mode = TX_TRAIN, .frozen = typos}, "'first'"},
               {{.batch = 1, .mode = TX_TRAIN, .memory = 1}, "1 are allowed"},
               {{.batch = 1, .mode = TX_INFER, .memory = 1}, "1 are allowed"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tx_plan *plan = tx_plan_new(g, bad[i].args);
        CHECK(!plan && strstr(tx_error_message(), bad[i].part), "arguments %zu: '%s', expected '%s'", i,
              tx_error_message(), bad[i].part);
        tx_plan_free(plan);
    }
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1, .mode = TX_TRAIN, .frozen = right});
    CHECK(plan && tx_plan_workspace(plan, x), "%s", tx_error_message());
    tx_plan_free(plan);
    tx_graph_free(g);
}

/* Sizes that no memory holds are an error of the plan, not a wrapped product. */
static void check_too_large(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 1, 1 << 15, 1 << 15);
    tx_relu(g, x);
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *session = tx_session_new(g, w, (tx_session_args){.batch = TX_MAX_BATCH, .mode = TX_TRAIN});
    CHECK(!session && strstr(tx_error_message(), "memory"), "2^50 values have memory: %s", tx_error_message());
    tx_session_free(session);
    tx_weights_free(w);
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = TX_MAX_BATCH + 1});
    CHECK(!plan && strstr(tx_error_message(), "1048577 images"), "too many images: %s", tx_error_message());
    tx_plan_free(plan);
    plan = tx_plan_new(g, (tx_session_args){.batch = 0});
    CHECK(!plan && strstr(tx_error_message(), "0 images"), "a plan for no images: %s", tx_error_message());
    tx_plan_free(plan);
    tx_graph_free(g);
    g = tx_graph_new();
    plan = tx_plan_new(g, (tx_session_args){.batch = 1});
    CHECK(!plan, "a plan for an empty graph");
    tx_plan_free(plan);
    tx_graph_free(g);
}

int main(void)
{
    tx_set_threads(1);
    for (int k = 0; k < SMALL_NETS; k++) {
        const small_net *net = &small_nets[k];
        for (int keep = 0; keep < SMALL_KEEPS; keep++)
            check_memory(net, TX_TRAIN, keep);
        check_memory(net, TX_EXPLAIN, 0);
        check_keep(net, TX_TRAIN);
        check_keep(net, TX_EXPLAIN);
        check_alone(net);
        check_nan(net, TX_INFER);
        check_nan(net, TX_TRAIN);
        if (net->cross_entropy < 2)
            check_steps(net);
        if (k % 6 == 0 || strcmp(net->name, "wide") == 0)
            check_threads(net);
        if (k % 5 == 0) {
            check_failures(net, TX_TRAIN, 0);
            check_failures(net, TX_INFER, 0);
        }
    }
    check_thrifty_failures();
    check_joining();
    check_arguments();
    check_too_large();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_plan");
}
