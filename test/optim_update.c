/* optim_update.c - the optimisers: the kernels against the equations in double, equal bits for every number of threads,
 * frozen parameters, resuming, refused arguments, no allocation in a step. */
#include "../core/op.h"
#include "../optim/optim.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* A node that has parameters and does nothing else. */
static const int sizes[] = {33000, 1, 15, 16, 17, 100, 40000};
enum { PARAMS = 5, TRAINED = 33000 + 1 + 15 + 16 + 17 };

static tx_status bag_shape(tx_node *node)
{
    node->h = node->w = node->c = 1;
    for (int i = 0; i < PARAMS; i++) {
        char leaf[8];
        snprintf(leaf, sizeof leaf, "p%d", i);
        tx_status status = tx_node_param(node, leaf, TX_ROLE_TRAINED, (tx_init){TX_INIT_NORMAL, 1}, 1, &sizes[i]);
        if (status)
            return status;
    }
    return tx_node_param(node, "running_mean", TX_ROLE_BUFFER, (tx_init){TX_INIT_ONE, 0}, 1, &sizes[5]);
}

static const tx_op bag = {.name = "bag", .shape = bag_shape, .no_gradient = "it computes nothing"};

static tx_graph *bag_graph(void)
{
    tx_graph *g = tx_graph_new();
    tx_graph_add(g, &bag, "bag", NULL, 0, NULL, 0);
    return g;
}

enum { STEPS = 12 };

/* Gradients of step t, from 1: a seventh of them zero, sizes from 1e-4 to 1e2. */
static const float size[7] = {1, 0, 100, 1e-4f, 0.1f, 3, 1};
static float gradients[STEPS + 1][TRAINED];
static float start[TRAINED];

static void make_numbers(void)
{
    for (size_t i = 0; i < TRAINED; i++)
        start[i] = tx_random_normal(3, TX_RANDOM_TEST, 0, i);
    for (size_t t = 1; t <= STEPS; t++)
        for (size_t i = 0; i < TRAINED; i++)
            gradients[t][i] = size[i % 7] * tx_random_normal(3, TX_RANDOM_TEST, t, i);
}

static void set_gradients(tx_weights *w, int t)
{
    memcpy(w->grad, gradients[t], sizeof gradients[t]);
}

static tx_weights *new_weights(const tx_graph *g)
{
    tx_weights *w = tx_weights_new(g, 1);
    memcpy(w->value, start, sizeof start);
    w->value[w->trained] = w->value[w->total - 1] = 1;
    return w;
}

static const tx_optimizer_args cases[] = {
    {.kind = TX_SGD},
    {.kind = TX_SGD, .weight_decay = 0.05},
    {.kind = TX_SGD, .momentum = 0.9},
    {.kind = TX_SGD, .momentum = 0.9, .weight_decay = 0.05, .dampening = 0.3},
    {.kind = TX_SGD, .momentum = 0.9, .weight_decay = 0.05, .nesterov = 1},
    {.kind = TX_ADAM},
    {.kind = TX_ADAM, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.1},
    {.kind = TX_ADAM, .beta1 = -1, .beta2 = 0.9},
    {.kind = TX_ADAMW, .weight_decay = 0.1},
    {.kind = TX_RMSPROP, .eps = 1e-4},
    {.kind = TX_RMSPROP, .alpha = 0.9, .momentum = 0.9, .eps = 1e-3, .weight_decay = 0.05},
    {.kind = TX_RMSPROP, .alpha = 0.9, .eps = 1e-2, .centered = 1},
    {.kind = TX_RMSPROP, .alpha = 0.95, .momentum = 0.8, .eps = 1e-2, .centered = 1},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* The rate changes from step to step, as a schedule would have it. */
static double rate(int t)
{
    return 0.01 / t;
}

/* What stands behind the last element is nobody's. */
static double w_wide[TRAINED + 1], g_wide[TRAINED + 1], state_wide[3][TRAINED + 1];

/* What went into the sums of a state: gradients, their squares, or gradients over their deviation, which the mean of squares
 * less the square of the mean leaves fewer digits of. */
static double state_scale(const tx_optimizer *o, int s, size_t i, double decay)
{
    double d = (double)size[i % 7] + decay;
    const char *name = tx_optimizer_state_name(o, s);
    if (strcmp(name, "momentum_buffer") == 0 && strcmp(tx_optimizer_state_name(o, 0), "square_avg") == 0)
        return 30;
    return strcmp(name, "exp_avg_sq") == 0 || strcmp(name, "square_avg") == 0 ? d * d : d;
}

static void against_reference(const tx_graph *g, int k)
{
    tx_weights *w = new_weights(g);
    double *states[3] = {state_wide[0], state_wide[1], state_wide[2]};
    memset(state_wide, 0, sizeof state_wide);
    for (size_t i = 0; i < TRAINED; i++)
        w_wide[i] = (double)w->value[i];
    w_wide[TRAINED] = g_wide[TRAINED] = state_wide[0][TRAINED] = state_wide[1][TRAINED] = 7;
    tx_optimizer *o = tx_optimizer_new(w, cases[k]);
    CHECK(o != NULL, "case %d: %s", k, tx_error_message());
    double worst = 0;
    for (int t = 1; t <= STEPS && o; t++) {
        unsigned long version = w->version;
        set_gradients(w, t);
        tx_optimizer_step(o, rate(t));
        CHECK(w->version != version, "case %d: sessions are not told of new weights", k);
        for (size_t i = 0; i < TRAINED; i++)
            g_wide[i] = (double)gradients[t][i];
        CHECK(tx_optimizer_reference(cases[k], (uint64_t)t, rate(t), TRAINED, w_wide, g_wide, states) == TX_OK,
              "case %d", k);
        for (size_t i = 0; i < TRAINED; i++) {
            double error = fabs((double)w->value[i] - w_wide[i]) / (1e-6 * (1 + fabs(w_wide[i])));
            worst = error > worst || isnan(error) ? error : worst;
        }
    }
    CHECK(worst <= 1, "case %d: %.3g times the tolerance from the equations", k, worst);
    CHECK(w_wide[TRAINED] == 7 && state_wide[0][TRAINED] == 7 && state_wide[1][TRAINED] == 7,
          "case %d: the equations go beyond the last element", k);
    for (int s = 0; s < tx_optimizer_states(o); s++) {
        worst = 0;
        for (size_t i = 0; i < TRAINED; i++) {
            double error = fabs((double)tx_optimizer_state(o, s)[i] - state_wide[s][i]) /
                           (2e-5 * state_scale(o, s, i, cases[k].weight_decay) + 1e-30);
            worst = error > worst || isnan(error) ? error : worst;
        }
        CHECK(worst <= 1, "case %d: %s is %.3g times the tolerance off", k, tx_optimizer_state_name(o, s), worst);
    }
    CHECK(w->value[w->trained] == 1 && w->value[w->total - 1] == 1, "case %d: a buffer has moved", k);
    tx_optimizer_free(o);
    tx_weights_free(w);
}

/* Digest of the weights after STEPS steps; a resumed run hands its state to a new optimiser after `resume` of them. */
static void run(const tx_graph *g, int k, int threads, int resume, char hex[65])
{
    tx_weights *w = new_weights(g);
    tx_set_threads(threads);
    tx_optimizer *o = tx_optimizer_new(w, cases[k]);
    for (int t = 1; t <= STEPS; t++) {
        if (t == resume + 1) {
            tx_optimizer *next = tx_optimizer_new(w, cases[k]);
            for (int s = 0; s < tx_optimizer_states(o); s++)
                memcpy(tx_optimizer_state(next, s), tx_optimizer_state(o, s), TRAINED * sizeof(float));
            tx_optimizer_set_steps(next, tx_optimizer_steps(o));
            tx_optimizer_free(o);
            o = next;
        }
        set_gradients(w, t);
        tx_optimizer_step(o, rate(t));
    }
    CHECK(tx_optimizer_steps(o) == STEPS, "steps counted: %d", (int)tx_optimizer_steps(o));
    tx_weights_digest(w, hex);
    tx_optimizer_free(o);
    tx_weights_free(w);
}

static void same_bits(const tx_graph *g, int k)
{
    char one[65], other[65];
    run(g, k, 1, 0, one);
    for (int threads = 2; threads <= 7 && (k == 4 || k == 8); threads += threads == 3 ? 4 : 1) {
        run(g, k, threads, 0, other);
        CHECK(strcmp(one, other) == 0, "case %d: other bits with %d threads", k, threads);
    }
    for (int resume = 1; resume < STEPS; resume += 5) {
        run(g, k, 2, resume, other);
        CHECK(strcmp(one, other) == 0, "case %d: other bits when resumed after step %d", k, resume);
    }
}

static void frozen(const tx_graph *g)
{
    tx_weights *w = new_weights(g), *free_w = new_weights(g);
    float before[17];
    const tx_param *p2 = tx_graph_param(g, 2), *p3 = tx_graph_param(g, 3);
    memcpy(before, w->value + p2->offset, 15 * sizeof(float));
    tx_optimizer *o = tx_optimizer_new(w, cases[6]), *all = tx_optimizer_new(free_w, cases[6]);
    CHECK(tx_optimizer_freeze(o, "bag.p2") == 1, "one parameter is called bag.p2");
    CHECK(tx_optimizer_freeze(o, "bag.p0") == 1, "one parameter is called bag.p0");
    CHECK(tx_optimizer_freeze(o, "bag.running") == 0, "a buffer is no parameter");
    CHECK(tx_optimizer_freeze(o, "p2") == 0, "a prefix begins at the beginning");
    for (int t = 1; t <= 3; t++) {
        set_gradients(w, t);
        set_gradients(free_w, t);
        tx_optimizer_step(o, 0.1);
        tx_optimizer_step(all, 0.1);
    }
    CHECK(memcmp(before, w->value + p2->offset, 15 * sizeof(float)) == 0, "a frozen parameter has moved");
    CHECK(tx_optimizer_state(o, 0)[p2->offset] == 0, "a frozen parameter's state has moved");
    CHECK(memcmp(w->value + p3->offset, free_w->value + p3->offset, 33 * sizeof(float)) == 0,
          "what is not frozen has not moved as it would");
    CHECK(memcmp(w->value + 33000, free_w->value + 33000, sizeof(float)) == 0 && w->value[0] != free_w->value[0],
          "the first or second parameter");
    CHECK(tx_optimizer_freeze(o, "") == PARAMS, "every name begins with nothing");
    memcpy(before, w->value + p3->offset, 16 * sizeof(float));
    tx_optimizer_step(o, 0.1);
    CHECK(memcmp(before, w->value + p3->offset, 16 * sizeof(float)) == 0, "all is frozen, and moves");
    tx_optimizer_free(o);
    tx_optimizer_free(all);
    tx_weights_free(w);
    tx_weights_free(free_w);
}

/* A rate of 0, as a cosine ends with, moves the state and no weight; a negative one is that of the arguments. */
static void rates(const tx_graph *g)
{
    for (int k = 0; k < CASES; k++) {
        tx_optimizer_args args = cases[k];
        args.lr = 0.25;
        tx_weights *w = new_weights(g), *named = new_weights(g);
        tx_optimizer *o = tx_optimizer_new(w, args), *p = tx_optimizer_new(named, args);
        set_gradients(w, 1);
        set_gradients(named, 1);
        tx_optimizer_step(o, 0);
        CHECK(memcmp(w->value, start, sizeof start) == 0, "case %d: a rate of 0 moves a weight", k);
        for (int s = 0; s < tx_optimizer_states(o); s++)
            CHECK(tx_optimizer_state(o, s)[0] != 0, "case %d: a rate of 0 stops %s", k, tx_optimizer_state_name(o, s));
        tx_optimizer_step(p, 0);
        tx_optimizer_step(o, -1);
        tx_optimizer_step(p, 0.25);
        CHECK(memcmp(w->value, named->value, sizeof start) == 0 && memcmp(w->value, start, sizeof start) != 0,
              "case %d: a negative rate is not that of the arguments", k);
        tx_optimizer_free(o);
        tx_optimizer_free(p);
        tx_weights_free(w);
        tx_weights_free(named);
    }
}

/* Of one gradient again and again, whose mean square is the square of its mean, RMSprop makes no NaN. */
static void constant(const tx_graph *g)
{
    tx_weights *w = new_weights(g);
    tx_optimizer *o =
        tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_RMSPROP, .alpha = 0.3, .eps = 1e-3, .centered = 1});
    int wrong = 0;
    for (int t = 1; t <= 40; t++) {
        set_gradients(w, 1);
        tx_optimizer_step(o, 1e-3);
    }
    for (int i = 0; i < TRAINED; i++)
        wrong += !isfinite(w->value[i]);
    CHECK(wrong == 0, "%d of %d weights are no numbers", wrong, (int)TRAINED);
    tx_optimizer_free(o);
    tx_weights_free(w);
}

/* A negative number is a true 0, and 0 the default. */
static void defaults(const tx_graph *g)
{
    static const struct {
        tx_optimizer_args args, same;
    } pairs[] = {
        {{.kind = TX_SGD, .momentum = -1, .dampening = -1, .weight_decay = -1}, {.kind = TX_SGD}},
        {{.kind = TX_SGD, .momentum = 0.9, .dampening = -0.5, .nesterov = 1},
         {.kind = TX_SGD, .momentum = 0.9, .nesterov = 1}},
        {{.kind = TX_SGD, .lr = 1e-3}, {.kind = TX_SGD}},
        {{.kind = TX_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .lr = 1e-3}, {.kind = TX_ADAM}},
        {{.kind = TX_ADAM, .weight_decay = -2}, {.kind = TX_ADAM}},
        {{.kind = TX_ADAMW}, {.kind = TX_ADAM}},
        {{.kind = TX_RMSPROP, .alpha = 0.99, .eps = 1e-8, .momentum = -1}, {.kind = TX_RMSPROP}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        tx_weights *w[2] = {new_weights(g), new_weights(g)};
        tx_optimizer *o[2] = {tx_optimizer_new(w[0], pairs[i].args), tx_optimizer_new(w[1], pairs[i].same)};
        CHECK(o[0] && o[1], "pair %zu: %s", i, tx_error_message());
        for (int t = 1; t <= 3 && o[0] && o[1]; t++)
            for (int k = 0; k < 2; k++) {
                set_gradients(w[k], t);
                tx_optimizer_step(o[k], -1);
            }
        CHECK(memcmp(w[0]->value, w[1]->value, sizeof start) == 0, "pair %zu of arguments is not one", i);
        for (int k = 0; k < 2; k++) {
            tx_optimizer_free(o[k]);
            tx_weights_free(w[k]);
        }
    }
    /* eps and betas of 0: the step is the sign of the gradient */
    tx_weights *w = new_weights(g);
    tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM, .beta1 = -1, .beta2 = -1, .eps = -1});
    for (int i = 0; i < TRAINED; i++)
        w->grad[i] = i % 2 ? -3.5f : 1e-4f;
    tx_optimizer_step(o, 0.5);
    int wrong = 0;
    for (int i = 0; i < TRAINED; i++)
        wrong += fabsf(w->value[i] - (start[i] + (i % 2 ? 0.5f : -0.5f))) > 1e-6f;
    CHECK(wrong == 0, "%d of %d steps are not the gradient's sign", wrong, (int)TRAINED);
    CHECK(!tx_optimizer_state(o, -1) && !tx_optimizer_state_name(o, -1) && !tx_optimizer_state_name(o, 2), "a state %d",
          -1);
    tx_optimizer_free(o);
    tx_weights_free(w);
    double x = 1, y = 2, *states[2] = {&x, &y};
    CHECK(tx_optimizer_reference((tx_optimizer_args){.kind = (tx_optimizer_kind)7}, 1, 0.1, 1, &x, &y, states) ==
                  TX_ERR_ARGUMENT &&
              x == 1 && y == 2,
          "a definition of no optimiser");
    CHECK(tx_optimizer_reference((tx_optimizer_args){.kind = TX_SGD, .lr = 0.25}, 1, -1, 1, &x, &y, states) == TX_OK &&
              x == 0.5,
          "a negative rate of the definition: %g", x);
    CHECK(!tx_optimizer_new(NULL, (tx_optimizer_args){0}), "an optimiser of nothing");
}

static void refused(const tx_graph *g)
{
    static const tx_optimizer_args wrong[] = {
        {.kind = (tx_optimizer_kind)9},
        {.kind = TX_ADAM, .beta1 = 1},
        {.kind = TX_ADAM, .beta2 = 1.5},
        {.kind = TX_ADAM, .beta2 = 1},
        {.kind = TX_ADAM, .beta2 = (double)NAN},
        {.kind = TX_ADAM, .lr = (double)NAN},
        {.kind = TX_ADAM, .weight_decay = HUGE_VAL},
        {.kind = TX_SGD, .weight_decay = (double)NAN},
        {.kind = TX_SGD, .momentum = 0.9, .dampening = (double)NAN},
        {.kind = TX_SGD, .nesterov = 1},
        {.kind = TX_SGD, .momentum = (double)NAN},
        {.kind = TX_ADAMW, .eps = HUGE_VAL},
        {.kind = TX_SGD, .momentum = 0.9, .dampening = 0.1, .nesterov = 1},
        {.kind = TX_ADAM, .beta1 = (double)NAN},
        {.kind = TX_SGD, .lr = HUGE_VAL},
        {.kind = TX_RMSPROP, .alpha = 1.1},
        {.kind = TX_RMSPROP, .alpha = (double)NAN},
        {.kind = TX_RMSPROP, .momentum = 1.5},
    };
    tx_weights *w = tx_weights_new(g, 1), *plain = tx_weights_new(g, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!tx_optimizer_new(w, wrong[i]), "wrong arguments %d were taken", (int)i);
    CHECK(!tx_optimizer_new(plain, cases[0]), "weights without gradients were taken");
    long live = tx_alloc_live();
    int made = 0;
    for (long n = 0; n < 20 && !made; n++) {
        tx_alloc_fail_after(n);
        tx_optimizer *o = tx_optimizer_new(w, cases[5]);
        made = o != NULL;
        tx_optimizer_free(o);
        CHECK(tx_alloc_live() == live, "a leak when allocation %ld fails", n);
    }
    CHECK(made, "an optimiser needs more than 20 allocations");
    tx_alloc_fail_after(-1);
    tx_optimizer *o = tx_optimizer_new(w, cases[8]);
    tx_alloc_fail_after(-1);
    tx_optimizer_step(o, -1);
    CHECK(tx_alloc_count() == 0, "%ld allocations in a step", tx_alloc_count());
    CHECK(tx_optimizer_states(o) == 2 && strcmp(tx_optimizer_state_name(o, 1), "exp_avg_sq") == 0 &&
              !tx_optimizer_state(o, 2),
          "the states of AdamW");
    tx_optimizer_free(o);
    tx_weights_free(w);
    tx_weights_free(plain);
}

int main(void)
{
    tx_graph *g = bag_graph();
    make_numbers();
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    for (int k = 0; k < CASES; k++) {
        against_reference(g, k);
        same_bits(g, k);
    }
    frozen(g);
    rates(g);
    constant(g);
    defaults(g);
    refused(g);
    tx_graph_free(g);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("optim_update");
}
