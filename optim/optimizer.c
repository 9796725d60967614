/* optimizer.c - what all optimisers share: arguments, state, frozen parameters, and the loop over elements.
 *
 * Every element is updated by itself, so the trained elements are cut into stretches that threads take in any order. */
#include "optim_private.h"

#include <math.h>
#include <string.h>

/* Elements of a stretch: large enough to hide the call, small enough that both cores get their share of a net of
 * 100,000 parameters. */
enum { STRETCH = 16384 };

static double default_of(double given, double usual)
{
    return given < 0 ? 0 : given == 0 ? usual : given;
}

static tx_optimizer_args with_defaults(tx_optimizer_args a)
{
    a.lr = default_of(a.lr, 1e-3);
    a.beta1 = default_of(a.beta1, 0.9);
    a.beta2 = default_of(a.beta2, 0.999);
    a.alpha = default_of(a.alpha, 0.99);
    a.eps = default_of(a.eps, 1e-8);
    a.momentum = default_of(a.momentum, 0);
    a.dampening = default_of(a.dampening, 0);
    a.weight_decay = default_of(a.weight_decay, 0);
    return a;
}

static const tx_rule *rule_of(tx_optimizer_kind kind)
{
    switch (kind) {
    case TX_SGD:
        return &tx_rule_sgd;
    case TX_ADAM:
    case TX_ADAMW:
        return &tx_rule_adam;
    case TX_RMSPROP:
        return &tx_rule_rmsprop;
    }
    return NULL;
}

/* Cuts what is not frozen into stretches. There is room: every parameter adds at most one that is not full. */
static void cut(tx_optimizer *o)
{
    const tx_graph *graph = o->weights->graph;
    o->stretches = 0;
    for (int i = 0; i < tx_graph_params(graph); i++) {
        const tx_param *p = tx_graph_param(graph, i);
        if (p->role != TX_ROLE_TRAINED || o->frozen[i])
            continue;
        size_t first = p->offset, left = p->count;
        tx_stretch *last = o->stretches ? &o->stretch[o->stretches - 1] : NULL;
        if (last && last->first + last->count == first && last->count < STRETCH) {
            size_t more = STRETCH - last->count < left ? STRETCH - last->count : left;
            last->count += more;
            first += more;
            left -= more;
        }
        while (left) {
            size_t count = left < STRETCH ? left : STRETCH;
            o->stretch[o->stretches++] = (tx_stretch){first, count};
            first += count;
            left -= count;
        }
    }
}

static tx_status make_room(tx_optimizer *o)
{
    size_t params = (size_t)tx_graph_params(o->weights->graph), trained = o->weights->trained;
    o->frozen = tx_alloc(params, 1);
    o->stretch = tx_alloc(trained / STRETCH + params, sizeof *o->stretch);
    if (!o->frozen || !o->stretch)
        return TX_ERR_MEMORY;
    for (int i = 0; i < o->states; i++) {
        o->state[i] = tx_alloc(trained, sizeof(float));
        if (!o->state[i])
            return TX_ERR_MEMORY;
    }
    cut(o);
    return TX_OK;
}

static tx_status check_numbers(const tx_optimizer_args *a)
{
    const struct {
        const char *name;
        double value;
    } number[] = {
        {"lr", a->lr},   {"beta1", a->beta1},       {"beta2", a->beta2},         {"alpha", a->alpha},
        {"eps", a->eps}, {"momentum", a->momentum}, {"dampening", a->dampening}, {"weight_decay", a->weight_decay}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (!isfinite(number[i].value) || number[i].value > TX_MOST_RATE)
            return tx_fail(TX_ERR_ARGUMENT, "optimiser: %s is %g, expected a number up to %g", number[i].name,
                           number[i].value, TX_MOST_RATE);
    return TX_OK;
}

/* Fills in the defaults and finds the rule, which has looked at the arguments; NULL and a message if it refuses them. */
static const tx_rule *find_rule(tx_optimizer_args *args)
{
    const tx_rule *rule = rule_of(args->kind);
    if (check_numbers(args))
        return NULL;
    *args = with_defaults(*args);
    if (rule)
        return rule->check(args) ? NULL : rule;
    tx_fail(TX_ERR_ARGUMENT, "optimiser number %d is not known", (int)args->kind);
    return NULL;
}

tx_optimizer *tx_optimizer_new(tx_weights *weights, tx_optimizer_args args)
{
    if (!weights)
        tx_fail_null("tx_optimizer_new", "weights");
    const tx_rule *rule = weights ? find_rule(&args) : NULL;
    if (!rule)
        return NULL;
    if (!weights->grad || tx_graph_trained(weights->graph) != weights->trained) {
        tx_fail(TX_ERR_ARGUMENT, weights->grad ? "parameters were added to the graph after its weights were made"
                                               : "an optimiser needs weights with gradients");
        return NULL;
    }
    tx_optimizer *o = tx_alloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->rule = rule;
    o->args = args;
    o->weights = weights;
    o->states = rule->states(&args, o->name);
    if (make_room(o)) {
        tx_optimizer_free(o);
        return NULL;
    }
    return o;
}

void tx_optimizer_free(tx_optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (int i = 0; i < TX_MAX_STATES; i++)
        tx_free(optimizer->state[i]);
    tx_free(optimizer->frozen);
    tx_free(optimizer->stretch);
    tx_free(optimizer);
}

static void update_stretch(void *context, size_t i, int worker)
{
    (void)worker;
    tx_optimizer *o = context;
    o->rule->update(o, o->stretch[i]);
}

tx_status tx_rate_check(double lr)
{
    if (isfinite(lr) && lr <= TX_MOST_RATE)
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT, "a step with learning rate %g, expected a number up to %g", lr, TX_MOST_RATE);
}

tx_status tx_optimizer_step(tx_optimizer *optimizer, double lr)
{
    if (!optimizer)
        return tx_fail_null("tx_optimizer_step", "optimiser");
    if (tx_rate_check(lr))
        return TX_ERR_ARGUMENT;
    optimizer->steps++;
    optimizer->rule->begin(optimizer, lr < 0 ? optimizer->args.lr : lr);
    tx_status status = tx_parallel_for(optimizer->stretches, update_stretch, optimizer);
    tx_weights_changed(optimizer->weights);
    return status;
}

int tx_optimizer_freeze(tx_optimizer *optimizer, const char *prefix)
{
    if (!optimizer || !prefix) {
        tx_fail_null("tx_optimizer_freeze", optimizer ? "prefix" : "optimiser");
        return -1;
    }
    const tx_graph *graph = optimizer->weights->graph;
    int count = 0;
    for (int i = 0; i < tx_graph_params(graph); i++) {
        const tx_param *p = tx_graph_param(graph, i);
        if (p->role != TX_ROLE_TRAINED || strncmp(p->name, prefix, strlen(prefix)) != 0)
            continue;
        optimizer->frozen[i] = 1;
        count++;
    }
    cut(optimizer);
    return count;
}

int tx_optimizer_states(const tx_optimizer *optimizer)
{
    if (!optimizer)
        tx_fail_null("tx_optimizer_states", "optimiser");
    return optimizer ? optimizer->states : 0;
}

/* There is a state of that number. */
static int has_state(const tx_optimizer *optimizer, int i, const char *call)
{
    if (!optimizer)
        tx_fail_null(call, "optimiser");
    else if (i < 0 || i >= tx_optimizer_states(optimizer))
        tx_fail(TX_ERR_ARGUMENT, "%s: state %d of %d", call, i, tx_optimizer_states(optimizer));
    else
        return 1;
    return 0;
}

const char *tx_optimizer_state_name(const tx_optimizer *optimizer, int i)
{
    return has_state(optimizer, i, "tx_optimizer_state_name") ? optimizer->name[i] : NULL;
}

float *tx_optimizer_state(tx_optimizer *optimizer, int i)
{
    return has_state(optimizer, i, "tx_optimizer_state") ? optimizer->state[i] : NULL;
}

uint64_t tx_optimizer_steps(const tx_optimizer *optimizer)
{
    if (!optimizer)
        tx_fail_null("tx_optimizer_steps", "optimiser");
    return optimizer ? optimizer->steps : 0;
}

tx_status tx_optimizer_set_steps(tx_optimizer *optimizer, uint64_t steps)
{
    if (!optimizer)
        return tx_fail_null("tx_optimizer_set_steps", "optimiser");
    optimizer->steps = steps;
    return TX_OK;
}

tx_status tx_optimizer_reference(tx_optimizer_args args, uint64_t step, double lr, size_t n, double *w, const double *g,
                                 double *const *state)
{
    const tx_rule *rule = find_rule(&args);
    if (!rule)
        return TX_ERR_ARGUMENT;
    if (tx_rate_check(lr))
        return TX_ERR_ARGUMENT;
    if (step == 0)
        return tx_fail(TX_ERR_ARGUMENT, "steps are counted from 1");
    const char *name[TX_MAX_STATES];
    int states = rule->states(&args, name);
    if (!w || !g || (states && !state))
        return tx_fail_null("tx_optimizer_reference", "array");
    for (int i = 0; i < states; i++)
        if (!state[i])
            return tx_fail_null("tx_optimizer_reference", name[i]);
    rule->reference(&args, step, lr < 0 ? args.lr : lr, n, w, g, state);
    return TX_OK;
}
