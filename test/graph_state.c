/* graph_state.c - what one node, run or session leaves to another: nothing but what it should. Drop-outs draw masks of their
 * own; a session that has run on other weights, images, numbers of images and run numbers gives the bits of a fresh one;
 * sessions that share weights see each other's through the weights alone. */
#include "../optim/optim.h"
#include "graph_nets.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

/* ---- masks of drop-outs: as the head of layers/dropout.c defines them */

static int kept(uint64_t seed, uint64_t run, const tx_node *node, size_t i, double p)
{
    return (double)tx_random_uniform(seed, TX_RANDOM_DROPOUT, run, ((uint64_t)node->ordinal << 32) + i) >= p;
}

enum { MASK_N = 3, MASK_H = 3, MASK_W = 5, MASK_C = 17, MASK = MASK_N * MASK_H * MASK_W * MASK_C };

/* Two drop-outs of one value and one behind the first. All that can be seen of one run. */
typedef struct mask_run {
    float a[MASK], b[MASK], c[MASK], dx[MASK];
} mask_run;

static tx_graph *mask_graph(tx_node *node[4])
{
    tx_graph *g = tx_graph_new();
    node[0] = tx_input(g, MASK_C, MASK_H, MASK_W);
    node[1] = drop(node[0], 0.25);
    node[2] = drop(node[0], 0.25);
    node[3] = drop(relu(node[1]), 0.5);
    for (int i = 0; i < 4; i++)
        tx_node_keep(node[i]);
    cat2(node[2], node[3]);
    return g;
}

static void mask_dy(float *dy)
{
    for (size_t i = 0; i < 2 * MASK; i++)
        dy[i] = small_dy(i);
}

static void run_masks(tx_session *session, tx_node *node[4], uint64_t run, mask_run *r)
{
    static float dy[2 * MASK];
    mask_dy(dy);
    for (size_t i = 0; i < MASK; i++)
        tx_session_input(session, node[0])[i] = 1 + (float)(i % 3);
    tx_session_run(session, run);
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    tx_session_value(session, node[1], r->a);
    tx_session_value(session, node[2], r->b);
    tx_session_value(session, node[3], r->c);
    CHECK(tx_backward(session, dy) == TX_OK, "%s", tx_error_message());
    tx_session_gradient(session, node[0], r->dx);
}

static void check_mask_values(const mask_run *r, tx_node *node[4], uint64_t seed, uint64_t run)
{
    static float dy[2 * MASK];
    mask_dy(dy);
    size_t wrong = 0;
    for (size_t i = 0; i < MASK; i++) {
        size_t at = i / MASK_C * 2 * MASK_C + i % MASK_C; /* in the concatenation, and its other half */
        double x = 1 + (double)(i % 3), a = kept(seed, run, node[1], i, 0.25) / 0.75,
               b = kept(seed, run, node[2], i, 0.25) / 0.75, c = kept(seed, run, node[3], i, 0.5) / 0.5;
        double dx = (double)dy[at] * b + (double)dy[at + MASK_C] * c * a;
        wrong += !(fabs((double)r->a[i] - a * x) < 1e-6 && fabs((double)r->b[i] - b * x) < 1e-6 &&
                   fabs((double)r->c[i] - c * a * x) < 2e-6 && fabs((double)r->dx[i] - dx) < 2e-5);
    }
    CHECK(wrong == 0, "seed %llu, run %llu: %d of %d values or gradients are not those of the draws",
          (unsigned long long)seed, (unsigned long long)run, (int)wrong, (int)MASK);
}

/* Two masks agree as often as independent ones do, p^2 + (1-p)^2: within six standard deviations. */
static void check_independent(const float *a, const float *b, size_t n, const char *what)
{
    size_t agree = 0;
    for (size_t i = 0; i < n; i++)
        agree += (a[i] > 0) == (b[i] > 0);
    CHECK(fabs((double)agree / (double)n - 0.625) < 6 * sqrt(0.625 * 0.375 / (double)n), "%s: %d of %d agree", what,
          (int)agree, (int)n);
}

static void check_masks(void)
{
    static const uint64_t seeds[] = {0, 5, ((uint64_t)1 << 40) + 5}, runs[] = {0, 1, ((uint64_t)1 << 33) + 1};
    static mask_run r[3][3];
    tx_node *node[4];
    tx_graph *g = mask_graph(node);
    tx_weights *w = tx_weights_new(g, 1);
    for (int s = 0; s < 3; s++) {
        tx_session_args args = {.batch = MASK_N, .mode = TX_TRAIN, .seed = seeds[s]};
        tx_session *session = tx_session_new(g, w, args);
        CHECK(session != NULL, "%s", tx_error_message());
        for (int k = 0; k < 3 && session; k++) {
            run_masks(session, node, runs[k], &r[s][k]);
            check_mask_values(&r[s][k], node, seeds[s], runs[k]);
        }
        tx_session_free(session);
    }
    check_independent(r[0][0].a, r[0][0].b, MASK, "two drop-outs of one value");
    for (int k = 1; k < 3; k++) {
        check_independent(r[0][0].a, r[0][k].a, MASK, "two runs");
        check_independent(r[0][0].a, r[k][0].a, MASK, "two seeds");
    }
    size_t image = MASK / MASK_N;
    check_independent(r[0][0].a, r[0][0].a + image, image, "two images");
    check_independent(r[0][0].a, r[0][0].a + MASK_C, MASK - MASK_C, "two pixels");
    check_independent(r[0][0].a, r[0][0].a + 1, MASK - 1, "two channels");
    tx_weights_free(w);
    tx_graph_free(g);
}

/* Masks of the two drop-outs of a graph with so many other nodes between them, or of another kind that draws. */
static void masks_beside(int others, int draws, float *first, float *second)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, MASK_C, MASK_H, MASK_W), *a = drop(x, 0.25), *between = x;
    for (int i = 0; i < others; i++)
        between = relu(between);
    if (draws)
        between = tx_stochastic_depth(g, between, (tx_stochastic_depth_args){.p = 0.5});
    tx_node *b = drop(x, 0.25);
    tx_node_keep(a);
    tx_node_keep(b);
    cat2(cat2(a, between), b);
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *session = tx_session_new(g, w, (tx_session_args){.batch = MASK_N, .mode = TX_TRAIN, .seed = 7});
    for (size_t i = 0; i < MASK; i++)
        tx_session_input(session, x)[i] = 1;
    CHECK(tx_forward(session) == TX_OK && tx_session_value(session, a, first) == TX_OK &&
              tx_session_value(session, b, second) == TX_OK,
          "%s", tx_error_message());
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(g);
}

/* Which mask a node draws follows from the nodes before it that draw, and from no others. */
static void check_ordinals(void)
{
    static float a[3][MASK], b[3][MASK];
    masks_beside(0, 0, a[0], b[0]);
    masks_beside(5, 0, a[1], b[1]);
    masks_beside(0, 1, a[2], b[2]);
    CHECK(memcmp(a[0], a[1], sizeof a[0]) == 0 && memcmp(b[0], b[1], sizeof b[0]) == 0,
          "nodes that do not draw change a mask");
    CHECK(memcmp(a[0], a[2], sizeof a[0]) == 0, "a node that draws changes a mask before it");
    check_independent(a[0], b[0], MASK, "two drop-outs");
    check_independent(b[0], b[2], MASK, "drop-outs of other ordinals");
}

/* ---- runs one after the other */

/* Numbers of run t: images from 4t on, weights of their own, another number of images. */
static int images_of(int t)
{
    static const int n[] = {3, 1, 3, 2, 1, 3};
    return n[t % 6];
}

static void set_weights(tx_weights *w, int t)
{
    small_fill(w);
    for (size_t i = 0; i < w->total; i++)
        w->value[i] *= 1 + 0.25f * tx_random_uniform(13, TX_RANDOM_TEST, (uint64_t)t, i);
    for (size_t i = 0; i < w->trained; i++)
        w->grad[i] = NAN;
    tx_weights_changed(w);
}

/* The numbers of images first.. */
static void set_inputs(tx_session *session, const small_graph *s, const small_net *net, size_t first, int n)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] = small_input(net, k, first * small_count(inputs[k], 1) + i);
}

/* Everything that a run leaves, one behind the other. */
static float *outcome(tx_session *session, const small_graph *s, const small_net *net, tx_weights *w, int t, int n,
                      tx_mode mode, size_t *count)
{
    size_t values = small_count(s->last, n);
    float *all = tx_alloc(values + w->trained + w->total, sizeof *all), *dy = tx_alloc(values, sizeof *dy);
    for (size_t i = 0; i < values; i++)
        dy[i] = small_dy(i + (size_t)t);
    set_inputs(session, s, net, 4 * (size_t)t, n);
    tx_session_run(session, (uint64_t)t);
    CHECK(tx_session_batch(session, n) == TX_OK && tx_forward(session) == TX_OK, "%s: %s", net->name,
          tx_error_message());
    CHECK(tx_session_value(session, s->last, all) == TX_OK, "%s: %s", net->name, tx_error_message());
    if (mode != TX_INFER)
        CHECK(tx_backward(session, net->cross_entropy == 2 ? dy : NULL) == TX_OK, "%s: %s", net->name,
              tx_error_message());
    *count = values;
    if (mode != TX_INFER) {
        memcpy(all + values, w->grad, w->trained * sizeof *all);
        *count += w->trained;
    }
    memcpy(all + *count, w->value, w->total * sizeof *all);
    *count += w->total;
    tx_free(dy);
    return all;
}

/* One session for all runs against a new one for each. */
static void check_runs(const small_net *net, tx_mode mode, int thrifty)
{
    small_graph s;
    CHECK(small_build(&s, net, 0) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    tx_session_args args = {.batch = 3, .mode = mode, .parameters = 1, .seed = 3};
    if (thrifty) { /* as little memory as will do */
        args.memory = 1;
        size_t least = 0;
        CHECK(!tx_session_new(s.graph, w, args) &&
                  sscanf(tx_error_message(), "a batch of 3 takes %zu bytes", &least) == 1,
              "%s: %s", net->name, tx_error_message());
        args.memory = least;
    }
    tx_session *old = tx_session_new(s.graph, w, args);
    CHECK(old != NULL, "%s: %s", net->name, tx_error_message());
    for (int t = 0; t < 6 && old; t++) {
        size_t count, again;
        int n = images_of(t);
        set_weights(w, t);
        float *got = outcome(old, &s, net, w, t, n, mode, &count);
        set_weights(w, t);
        tx_session *fresh =
            tx_session_new(s.graph, w, (tx_session_args){.batch = n, .mode = mode, .parameters = 1, .seed = 3});
        float *want = outcome(fresh, &s, net, w, t, n, mode, &again);
        CHECK(count == again && memcmp(got, want, count * sizeof *got) == 0,
              "%s, mode %d: run %d differs from a fresh session's", net->name, (int)mode, t);
        tx_session_free(fresh);
        tx_free(got);
        tx_free(want);
    }
    tx_session_free(old);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

/* ---- sessions of one set of weights */

/* Steps of training with other sessions between them, and without. */
static void check_shared(const small_net *net)
{
    small_graph s;
    CHECK(small_build(&s, net, 0) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1), *alone = tx_weights_new(s.graph, 1);
    tx_session_args train = {.batch = 3, .mode = TX_TRAIN, .seed = 3}, infer = {.batch = 3, .mode = TX_INFER},
                    explain = {.batch = 2, .mode = TX_EXPLAIN, .parameters = 1};
    small_fill(w);
    small_fill(alone);
    tx_session *session[4] = {tx_session_new(s.graph, w, train), tx_session_new(s.graph, alone, train),
                              tx_session_new(s.graph, w, infer), tx_session_new(s.graph, w, explain)};
    tx_optimizer_args sgd = {.kind = TX_SGD, .momentum = 0.9};
    tx_optimizer *o[2] = {tx_optimizer_new(w, sgd), tx_optimizer_new(alone, sgd)};
    for (int t = 0; t < 4; t++) {
        float loss[2] = {0, 0};
        for (int k = 0; k < 2; k++) {
            set_inputs(session[k], &s, net, 4 * (size_t)t, 3);
            tx_session_run(session[k], (uint64_t)t);
            CHECK(tx_train_step(session[k], s.last, o[k], 0.05, &loss[k]) == TX_OK, "%s: %s", net->name,
                  tx_error_message());
        }
        CHECK(loss[0] == loss[1] && memcmp(w->value, alone->value, w->total * sizeof(float)) == 0 &&
                  memcmp(w->counter, alone->counter, w->counters * sizeof *w->counter) == 0,
              "%s, step %d: other weights when predictions are made between the steps", net->name, t);
        size_t count, again;
        for (int k = 2; k < 4; k++) {
            tx_session_args args = k == 2 ? infer : explain;
            float *got = outcome(session[k], &s, net, w, t, args.batch, args.mode, &count);
            tx_session *fresh = tx_session_new(s.graph, w, args);
            float *want = outcome(fresh, &s, net, w, t, args.batch, args.mode, &again);
            CHECK(count == again && memcmp(got, want, count * sizeof *got) == 0,
                  "%s, step %d, mode %d: not the weights of this step", net->name, t, (int)args.mode);
            tx_session_free(fresh);
            tx_free(got);
            tx_free(want);
        }
    }
    for (int k = 0; k < 4; k++)
        tx_session_free(session[k]);
    for (int k = 0; k < 2; k++)
        tx_optimizer_free(o[k]);
    tx_weights_free(w);
    tx_weights_free(alone);
    tx_graph_free(s.graph);
}

/* ---- several runs against the references, which remember running statistics and nothing else */

static void set_reference_inputs(tx_reference *r, const small_graph *s, const small_net *net, size_t first, int n)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_reference_input(r, inputs[k])[i] = (double)small_input(net, k, first * small_count(inputs[k], 1) + i);
}

enum { RUNS = 4 };

/* Statistics and gradients after all runs; what cancels in a gradient leaves errors of the largest one's size. */
static void check_params(const small_net *net, const small_graph *s, const tx_weights *w, const tx_reference *r)
{
    double floor = 0;
    for (int i = 0; i < tx_graph_params(s->graph); i++)
        for (size_t e = 0; e < tx_graph_param(s->graph, i)->count; e++)
            floor = fmax(floor, fabs(tx_reference_param_gradient(r, i)[e]));
    for (int i = 0; i < tx_graph_params(s->graph); i++) {
        const tx_param *p = tx_graph_param(s->graph, i);
        int trained = p->role == TX_ROLE_TRAINED;
        double worst = 0, largest = 0;
        if (p->role == TX_ROLE_COUNTER) {
            CHECK(w->counter[p->offset] == RUNS, "%s: %s is %d after %d runs", net->name, p->name,
                  (int)w->counter[p->offset], (int)RUNS);
            continue;
        }
        const float *got = trained ? w->grad + p->offset : tx_weights_param(w, p);
        const double *want = trained ? tx_reference_param_gradient(r, i) : tx_reference_param(r, i);
        for (size_t e = 0; e < p->count; e++) {
            worst = fmax(worst, isnan(got[e]) ? HUGE_VAL : fabs((double)got[e] - want[e]));
            largest = fmax(largest, fabs(want[e]));
        }
        CHECK(worst <= (trained ? 5e-5 * largest + 2e-6 * floor : 1e-5 * largest),
              "%s: %s is off by %.3g of %.3g after %d runs", net->name, p->name, worst, largest, (int)RUNS);
    }
}

static void check_references(const small_net *net)
{
    small_graph s;
    CHECK(small_build(&s, net, 0) == TX_OK, "%s: %s", net->name, tx_error_message());
    tx_weights *w = tx_weights_new(s.graph, 1);
    small_fill(w);
    tx_reference *r = tx_reference_new(s.graph, w, 3, TX_TRAIN, 3);
    tx_session *session = tx_session_new(s.graph, w, (tx_session_args){.batch = 3, .mode = TX_TRAIN, .seed = 3});
    for (size_t t = 0; t < RUNS; t++) {
        set_inputs(session, &s, net, 4 * t, 3);
        set_reference_inputs(r, &s, net, 4 * t, 3);
        CHECK(tx_forward(session) == TX_OK && tx_backward(session, NULL) == TX_OK, "%s: %s", net->name,
              tx_error_message());
        tx_reference_forward(r);
        tx_reference_backward(r, NULL);
    }
    check_params(net, &s, w, r);
    tx_session_free(session);
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(s.graph);
}

int main(void)
{
    tx_set_threads(1);
    check_masks();
    check_ordinals();
    for (int k = 0; k < SMALL_NETS; k++) {
        const small_net *net = &small_nets[k];
        check_runs(net, TX_TRAIN, 0);
        check_runs(net, TX_TRAIN, 1);
        check_runs(net, TX_EXPLAIN, 1);
        check_runs(net, TX_INFER, 0);
        if (net->cross_entropy < 2)
            check_shared(net);
        check_references(net);
    }
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_state");
}
