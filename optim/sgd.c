/* sgd.c - stochastic gradient descent, with momentum as PyTorch has it.
 *
 * STEP     with learning rate a, momentum m, dampening p, weight decay c, for every trained element w of gradient g:
 *            d = g + c w
 *            b = d in the first step, else m b + (1-p) d            (only with momentum)
 *            d = d + m b with Nesterov's momentum, else b
 *            w = w - a d
 *          The learning rate stands outside of the buffer: a change of rate acts at once.
 * NUMERICS every product and sum is rounded to float by itself, 1-p in double first.
 * SOURCE   Sutskever, Martens, Dahl, Hinton: "On the importance of initialization and momentum in deep learning", ICML
 *          2013, in the form that PyTorch's SGD documents.
 * TESTS    test/optim_update.c, test/golden/op_optim.txt */
#include "optim_private.h"

static tx_status sgd_check(const tx_optimizer_args *a)
{
    if (a->momentum > 1 || a->dampening > 1)
        return tx_fail(TX_ERR_ARGUMENT, "SGD: momentum %g, dampening %g, expected up to 1", a->momentum, a->dampening);
    if (a->nesterov && (a->momentum == 0 || a->dampening != 0))
        return tx_fail(TX_ERR_ARGUMENT, "SGD: Nesterov's momentum needs momentum and no dampening, found %g and %g",
                       a->momentum, a->dampening);
    return TX_OK;
}

/* Without momentum there is nothing to remember. */
static int sgd_states(const tx_optimizer_args *a, const char *name[TX_MAX_STATES])
{
    name[0] = "momentum_buffer";
    return a->momentum != 0;
}

static void sgd_begin(tx_optimizer *o, double lr)
{
    const tx_optimizer_args *a = &o->args;
    o->sgd = (tx_sgd_step){
        .lr = (float)lr,
        .momentum = (float)a->momentum,
        .gain = (float)(1 - a->dampening),
        .weight_decay = (float)a->weight_decay,
        .first = o->steps == 1,
        .nesterov = a->nesterov,
    };
}

static void sgd_update(tx_optimizer *o, tx_stretch s)
{
    float *buffer = o->state[0] ? o->state[0] + s.first : NULL;
    tx_sgd_update(&o->sgd, o->weights->value + s.first, o->weights->grad + s.first, buffer, s.count);
}

static void sgd_reference(const tx_optimizer_args *a, uint64_t step, double lr, size_t n, double *w, const double *g,
                          double *const *state)
{
    for (size_t i = 0; i < n; i++) {
        double d = g[i] + a->weight_decay * w[i];
        if (a->momentum != 0) {
            double *b = &state[0][i];
            *b = step == 1 ? d : a->momentum * *b + (1 - a->dampening) * d;
            d = a->nesterov ? d + a->momentum * *b : *b;
        }
        w[i] -= lr * d;
    }
}

const tx_rule tx_rule_sgd = {
    .states = sgd_states,
    .check = sgd_check,
    .begin = sgd_begin,
    .update = sgd_update,
    .reference = sgd_reference,
};
