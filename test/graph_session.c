/* graph_session.c - what the arguments of a session promise: a budget of memory, frozen parameters, gradients of kept nodes
 * alone change no bit of what is wanted, and what nobody wants does not run. */
#include "graph_nets.h"
#include "test.h"

#include <math.h>

/* Everything that one step of training leaves. */
typedef struct outcome {
    size_t bytes, values;
    float *value, *grad, *state;
} outcome;

static void outcome_free(outcome *r)
{
    tx_free(r->value);
    tx_free(r->grad);
    tx_free(r->state);
    memset(r, 0, sizeof *r);
}

static float *copy(const float *from, size_t n)
{
    float *to = tx_alloc(n, sizeof *to);
    memcpy(to, from, n * sizeof *to);
    return to;
}

static void fill_inputs(tx_session *session, const small_graph *s, const small_net *net, int n)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] = small_input(net, k, i);
}

/* Forward and backward on numbers that depend on the net alone. NULL if there is no such session, else the session,
 * for more questions. */
static tx_session *run(const small_net *net, const small_graph *s, tx_weights *w, tx_session_args args, outcome *r)
{
    small_fill(w);
    for (size_t i = 0; i < w->trained && w->grad; i++)
        w->grad[i] = NAN;
    tx_session *session = tx_session_new(s->graph, w, args);
    if (!session)
        return NULL;
    tx_session_clock(session, 1);
    fill_inputs(session, s, net, args.batch);
    r->bytes = tx_plan_bytes(tx_session_plan(session));
    r->values = small_count(s->last, args.batch);
    float *dy = tx_alloc(r->values, sizeof *dy);
    for (size_t i = 0; i < r->values; i++)
        dy[i] = small_dy(i);
    r->value = tx_alloc(r->values, sizeof *r->value);
    CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, r->value) == TX_OK &&
              tx_backward(session, net->cross_entropy == 2 ? dy : NULL) == TX_OK,
          "%s: %s", net->name, tx_error_message());
    r->grad = w->grad ? copy(w->grad, w->trained) : NULL;
    r->state = copy(w->value + w->trained, w->total - w->trained);
    tx_free(dy);
    return session;
}

static int same(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* ---- a budget */

static void check_budget(const small_net *net, const small_graph *s, tx_weights *w, tx_mode mode, size_t memory,
                         const outcome *all)
{
    outcome r = {0};
    tx_session *session =
        run(net, s, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .seed = 3, .memory = memory}, &r);
    CHECK(session != NULL, "%s, mode %d, %zu bytes: %s", net->name, (int)mode, memory, tx_error_message());
    if (session) {
        CHECK(r.bytes <= memory, "%s: %zu bytes of %zu", net->name, r.bytes, memory);
        CHECK(same(r.value, all->value, r.values) && same(r.grad, all->grad, w->trained) &&
                  same(r.state, all->state, w->total - w->trained),
              "%s, mode %d: other bits within %zu bytes than within %zu", net->name, (int)mode, r.bytes, all->bytes);
    }
    tx_session_free(session);
    outcome_free(&r);
}

/* The least that a session takes, as its refusal says; 0 if it says nothing. */
static size_t least_of(const small_graph *s, tx_weights *w, tx_mode mode)
{
    size_t least = 0, allowed = 0;
    tx_session *session =
        tx_session_new(s->graph, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .memory = 1});
    CHECK(!session, "a session of one byte");
    tx_session_free(session);
    if (sscanf(tx_error_message(), "a batch of 2 takes %zu bytes of memory at least, %zu are allowed", &least,
               &allowed) != 2)
        return 0;
    return allowed == 1 ? least : 0;
}

/* Everything kept, the least, and as it comes between; returns how many bytes are between. */
static size_t check_memory(const small_net *net, tx_mode mode)
{
    small_graph s;
    outcome all = {0};
    CHECK(small_build(&s, net, 0) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session_free(run(net, &s, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .seed = 3}, &all));
    size_t least = least_of(&s, w, mode);
    CHECK(least > 0 && least <= all.bytes, "%s: %zu bytes at least, %zu used: %s", net->name, least, all.bytes,
          tx_error_message());
    check_budget(net, &s, w, mode, all.bytes, &all);
    check_budget(net, &s, w, mode, least, &all);
    for (int k = 1; k < 4; k++)
        check_budget(net, &s, w, mode, least + (all.bytes - least) * (size_t)k / 4, &all);
    tx_session *session =
        tx_session_new(s.graph, w, (tx_session_args){.batch = 2, .mode = mode, .parameters = 1, .memory = least - 1});
    CHECK(!session, "%s: a session of %zu bytes, the least are %zu", net->name, least - 1, least);
    tx_session_free(session);
    size_t between = all.bytes - least;
    outcome_free(&all);
    tx_weights_free(w);
    tx_graph_free(s.graph);
    return between;
}

/* Residual blocks whose sums each are made from the one before. */
static tx_node *net_chain(tx_node *x)
{
    x = relu(bn(conv(x, 8, 3, 1)));
    for (int i = 0; i < 12; i++) {
        tx_node *y = relu(bn(conv(x, 2, 1, 1)));
        x = relu(add(bn(conv(y, 8, 1, 1)), x));
    }
    return x;
}

static const small_net chain = {"chain of sums", net_chain, 3, 6, 6, 0};

/* A smaller budget keeps fewer sums: there is more than one plan between all and the least. */
static void check_chain(void)
{
    small_graph s;
    small_build(&s, &chain, 2);
    tx_plan *plan = tx_plan_new(s.graph, (tx_session_args){.batch = 2, .mode = TX_TRAIN});
    size_t bytes = tx_plan_bytes(plan), before = bytes;
    int plans = 0;
    while (plan) {
        tx_plan_free(plan);
        CHECK(bytes <= before, "%zu bytes where %zu are allowed", bytes, before);
        before = bytes - 1;
        plan = tx_plan_new(s.graph, (tx_session_args){.batch = 2, .mode = TX_TRAIN, .memory = before});
        bytes = plan ? tx_plan_bytes(plan) : 0;
        plans++;
    }
    CHECK(plans >= 3, "%d plans of a chain of sums", plans);
    tx_graph_free(s.graph);
}

/* ---- frozen parameters */

static int is_frozen(const char *name, const char *const *frozen)
{
    for (; *frozen; frozen++)
        if (strncmp(name, *frozen, strlen(*frozen)) == 0)
            return 1;
    return 0;
}

static void check_frozen_gradients(const small_net *net, const tx_weights *w, const char *const *frozen,
                                   const outcome *all, const outcome *r)
{
    for (int i = 0; i < tx_graph_params(w->graph); i++) {
        const tx_param *p = tx_graph_param(w->graph, i);
        if (p->role != TX_ROLE_TRAINED)
            continue;
        const float *got = r->grad + p->offset;
        if (!is_frozen(p->name, frozen)) {
            CHECK(same(got, all->grad + p->offset, p->count), "%s: another gradient of %s when %s is frozen", net->name,
                  p->name, frozen[0]);
            continue;
        }
        size_t zeros = 0;
        while (zeros < p->count && got[zeros] == 0)
            zeros++;
        CHECK(zeros == p->count, "%s: %s is frozen, its gradient %g", net->name, p->name, (double)got[zeros]);
    }
}

/* Gradients of kept nodes are wanted whatever is frozen, and where those of parameters are not. */
static void check_kept_gradients(const small_net *net, const small_graph *s, tx_session *all, tx_session *session,
                                 const char *how)
{
    int kept = 0, found = 0;
    for (int i = 0; i < tx_graph_nodes(s->graph); i++) {
        const tx_node *node = tx_graph_node(s->graph, i);
        size_t count = small_count(node, 2);
        float *want = tx_alloc(count, sizeof *want), *got = tx_alloc(count, sizeof *got);
        tx_status status = tx_session_gradient(all, node, want);
        kept += node->wanted;
        found += status == TX_OK;
        CHECK(tx_session_gradient(session, node, got) == status && same(want, got, status == TX_OK ? count : 0),
              "%s: another gradient of node %d: %s", net->name, i, how);
        tx_free(want);
        tx_free(got);
    }
    CHECK(kept == 0 || found > 0, "%s: %d nodes are kept, none has a gradient", net->name, kept);
}

static void check_frozen(const small_net *net, int keep, const char *const *frozen)
{
    small_graph s;
    outcome all = {0}, r = {0};
    small_build(&s, net, keep);
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session_args args = {.batch = 2, .mode = TX_TRAIN, .seed = 3};
    tx_session *before = run(net, &s, w, args, &all);
    args.frozen = frozen;
    tx_session *session = run(net, &s, w, args, &r);
    CHECK(session != NULL, "%s: %s", net->name, tx_error_message());
    if (session) {
        CHECK(same(r.value, all.value, r.values) && same(r.state, all.state, w->total - w->trained),
              "%s: other values when %s is frozen", net->name, frozen[0]);
        check_frozen_gradients(net, w, frozen, &all, &r);
        check_kept_gradients(net, &s, before, session, "frozen parameters");
    }
    tx_session_free(before);
    tx_session_free(session);
    outcome_free(&all);
    outcome_free(&r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* The first parameters, those in the middle, all convolutions, everything. */
static void check_freezing(const small_net *net)
{
    small_graph s;
    small_build(&s, net, 0);
    char first[64] = "", middle[64] = "";
    int params = tx_graph_params(s.graph);
    for (int i = 0; i < params; i++) {
        const tx_param *p = tx_graph_param(s.graph, i);
        if (p->role == TX_ROLE_TRAINED && !*first)
            snprintf(first, sizeof first, "%s", p->name);
        if (p->role == TX_ROLE_TRAINED && i <= params / 2)
            snprintf(middle, sizeof middle, "%s", p->name);
    }
    tx_graph_free(s.graph);
    for (int keep = 0; keep < 3; keep++) {
        if (*first) {
            check_frozen(net, keep, (const char *const[]){first, NULL});
            check_frozen(net, keep, (const char *const[]){middle, NULL});
            check_frozen(net, keep, (const char *const[]){first, middle, NULL});
            check_frozen(net, keep, (const char *const[]){"", NULL});
        }
        check_frozen(net, keep, (const char *const[]){NULL});
    }
}

/* Nothing runs backward where nobody wants a gradient, and a name that meets nothing is an error. */
static void check_stem(void)
{
    small_graph s;
    outcome r = {0};
    small_build(&s, &chain, 2);
    tx_weights *w = tx_weights_new(s.graph, 1);
    const char *stem[] = {"conv1", "bn2", NULL}, *typo[] = {"conv1", "layer1", NULL};
    tx_session_args args = {.batch = 2, .mode = TX_TRAIN, .frozen = stem};
    tx_session *session = run(&chain, &s, w, args, &r);
    double forward, backward;
    CHECK(session != NULL, "%s", tx_error_message());
    for (int i = 1; session && i < 6; i++) {
        const tx_node *node = tx_graph_node(s.graph, i);
        tx_session_times(session, node, &forward, &backward);
        CHECK(i == 3 || (forward > 0 && (backward > 0) == (i > 3)), "%s: %g s forward, %g s backward", node->name,
              forward, backward);
    }
    tx_session_free(session);
    args.frozen = typo;
    session = tx_session_new(s.graph, w, args);
    CHECK(!session && strstr(tx_error_message(), "'layer1'"), "frozen where nothing is: %s", tx_error_message());
    tx_session_free(session);
    outcome_free(&r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* ---- gradients of nodes alone */

/* The same gradients of kept nodes and the same values, from weights that have no room for gradients of their own. */
static void check_nodes_alone(const small_net *net, int keep)
{
    small_graph s;
    outcome all = {0}, r = {0};
    small_build(&s, net, keep);
    tx_weights *w = tx_weights_new(s.graph, 1), *bare = tx_weights_new(s.graph, 0);
    tx_session_args args = {.batch = 2, .mode = TX_EXPLAIN, .parameters = 1};
    tx_session *before = run(net, &s, w, args, &all);
    CHECK(!tx_session_new(s.graph, bare, args), "%s: gradients of parameters without room for them", net->name);
    args.parameters = 0;
    tx_session *session = run(net, &s, bare, args, &r);
    CHECK(session != NULL, "%s: %s", net->name, tx_error_message());
    if (session) {
        CHECK(same(r.value, all.value, r.values), "%s: other values without gradients of parameters", net->name);
        CHECK(r.bytes <= all.bytes, "%s: %zu bytes with fewer gradients, %zu with all", net->name, r.bytes, all.bytes);
        check_kept_gradients(net, &s, before, session, "of nodes alone");
    }
    tx_session_free(before);
    tx_session_free(session);
    outcome_free(&all);
    outcome_free(&r);
    tx_weights_free(w);
    tx_weights_free(bare);
    tx_graph_free(s.graph);
}

/* Steps that took time in backward, and the first of them. */
static int backward_steps(tx_session *session, const small_graph *s, int *first)
{
    int steps = 0;
    for (int i = tx_graph_nodes(s->graph) - 1; i >= 0; i--) {
        double forward, backward;
        tx_session_times(session, tx_graph_node(s->graph, i), &forward, &backward);
        if (backward > 0) {
            steps++;
            *first = i;
        }
    }
    return steps;
}

/* An activation map: what is kept is what the head reads, and nothing but the head runs backward. */
static void check_head(void)
{
    small_graph s;
    outcome r = {0};
    int first = 0, kept = 0;
    small_build(&s, &chain, 2);
    for (int i = 0; i < tx_graph_nodes(s.graph); i++)
        if (strcmp(tx_node_operation(tx_graph_node(s.graph, i)), "global_mean") == 0)
            kept = tx_graph_node(s.graph, i)->input[0]->index;
    tx_node_keep((tx_node *)tx_graph_node(s.graph, kept));
    tx_weights *w = tx_weights_new(s.graph, 0), *trained = tx_weights_new(s.graph, 1);
    tx_session_args args = {.batch = 2, .mode = TX_EXPLAIN};
    tx_session *session = run(&chain, &s, w, args, &r);
    int steps = session ? backward_steps(session, &s, &first) : 0;
    CHECK(steps == 3 && first == kept + 1, "%d steps run backward, the first is node %d; kept is %d", steps, first,
          kept);
    size_t bytes = r.bytes;
    tx_session_free(session);
    outcome_free(&r);
    args.parameters = 1;
    session = run(&chain, &s, trained, args, &r);
    CHECK(session && backward_steps(session, &s, &first) > 50 && first == 1 && bytes < r.bytes,
          "%zu bytes for a map, %zu for all gradients, the first step backward is %d", bytes, r.bytes, first);
    tx_session_free(session);
    outcome_free(&r);
    tx_weights_free(w);
    tx_weights_free(trained);
    tx_graph_free(s.graph);
}

/* ---- two sessions of one network, and runs by number */

static tx_node *net_masked(tx_node *x)
{
    return drop(relu(bn(conv(x, 6, 3, 1))), 0.5);
}

static const small_net masked = {"drop-out and batch norm", net_masked, 3, 5, 5, 0};

static tx_session *infer(const small_graph *s, tx_weights *w)
{
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = 2});
    fill_inputs(session, s, &masked, 2);
    return session;
}

/* Training moves the running statistics, and a session that predicts with them knows. */
static void check_statistics(void)
{
    small_graph s;
    outcome r = {0};
    float before, after, fresh;
    small_build(&s, &masked, 0);
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session *train = run(&masked, &s, w, (tx_session_args){.batch = 2, .mode = TX_TRAIN}, &r);
    tx_session *old = infer(&s, w);
    CHECK(tx_forward(old) == TX_OK, "%s", tx_error_message());
    before = tx_session_scalar(old, s.last);
    CHECK(tx_forward(train) == TX_OK && tx_forward(old) == TX_OK, "%s", tx_error_message());
    after = tx_session_scalar(old, s.last);
    tx_session *now = infer(&s, w);
    CHECK(tx_forward(now) == TX_OK, "%s", tx_error_message());
    fresh = tx_session_scalar(now, s.last);
    CHECK(before != after && after == fresh, "after a run in training %g, before it %g, in a new session %g",
          (double)after, (double)before, (double)fresh);
    tx_session_free(train);
    tx_session_free(old);
    tx_session_free(now);
    outcome_free(&r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* Gradients of run number `run`; the number is `then` when backward begins. */
static float *gradients_of(tx_weights *w, tx_session *session, uint64_t run, uint64_t then)
{
    small_fill(w);
    tx_session_run(session, run);
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    tx_session_run(session, then);
    CHECK(tx_backward(session, NULL) == TX_OK, "%s", tx_error_message());
    return copy(w->grad, w->trained);
}

/* Drop-out draws by the number that the run began with. */
static void check_runs(void)
{
    small_graph s;
    small_build(&s, &masked, 0);
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = 2, .mode = TX_TRAIN, .seed = 3});
    fill_inputs(session, &s, &masked, 2);
    float *one = gradients_of(w, session, 1, 1), *two = gradients_of(w, session, 2, 2);
    float *again = gradients_of(w, session, 1, 2);
    CHECK(!same(one, two, w->trained), "two runs have one mask");
    CHECK(same(one, again, w->trained), "another number between forward and backward is another mask");
    tx_free(one);
    tx_free(two);
    tx_free(again);
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

int main(void)
{
    tx_set_threads(1);
    size_t saved = 0;
    for (int k = 0; k < SMALL_NETS; k++) {
        saved += check_memory(&small_nets[k], TX_TRAIN);
        check_memory(&small_nets[k], TX_EXPLAIN);
        check_freezing(&small_nets[k]);
        for (int keep = 0; keep < SMALL_KEEPS; keep++)
            check_nodes_alone(&small_nets[k], keep);
    }
    CHECK(saved > 0, "no small net has values that can be made again");
    CHECK(check_memory(&chain, TX_TRAIN) > 0, "nothing of a chain of sums can be made again");
    check_chain();
    check_freezing(&chain);
    check_stem();
    check_head();
    check_statistics();
    check_runs();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_session");
}
