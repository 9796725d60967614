/* rmsprop.c - RMSprop, with momentum and centred as PyTorch has it.
 *
 * STEP     with learning rate a, decay r (alpha), momentum m, weight decay c, for every trained element w of gradient g:
 *            d = g + c w
 *            v = r v + (1-r) d^2              the mean of the squares
 *            u = u + (1-r) (d - u)            the mean, only if centred
 *            s = sqrt(v), centred sqrt(v - u^2): the deviation from the mean
 *            e = d / (s + eps)
 *            b = m b + e with momentum, else b = e
 *            w = w - a b
 *          v, u and b begin at 0 and nothing corrects their start. eps stands outside of the root, the learning rate outside
 *          of the buffer. v - u^2 is no less than 0 but for rounding: below it counts as 0, where PyTorch's step is NaN.
 * NUMERICS every product, sum, root and quotient is rounded to float by itself, 1-r in double first.
 * SOURCE   Tieleman & Hinton: "Lecture 6.5 - RMSprop", COURSERA: Neural Networks for Machine Learning, 2012; centred:
 *          Graves: "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850, equations 38 to 45 (with eps in the
 *          root), in the form that PyTorch's RMSprop documents.
 * TESTS    test/optim_update.c, test/golden/op_optim.txt */
#include "optim_private.h"

#include <math.h>

static tx_status rmsprop_check(const tx_optimizer_args *a)
{
    if (a->alpha > 1 || a->momentum > 1)
        return tx_fail(TX_ERR_ARGUMENT, "RMSprop: alpha %g, momentum %g, expected up to 1", a->alpha, a->momentum);
    return TX_OK;
}

static int rmsprop_states(const tx_optimizer_args *a, const char *name[TX_MAX_STATES])
{
    int n = 0;
    name[n++] = "square_avg";
    if (a->momentum != 0)
        name[n++] = "momentum_buffer";
    if (a->centered)
        name[n++] = "grad_avg";
    return n;
}

static void rmsprop_begin(tx_optimizer *o, double lr)
{
    const tx_optimizer_args *a = &o->args;
    o->rmsprop = (tx_rmsprop_step){
        .lr = (float)lr,
        .keep = (float)a->alpha,
        .gain = (float)(1 - a->alpha),
        .eps = (float)a->eps,
        .momentum = (float)a->momentum,
        .weight_decay = (float)a->weight_decay,
    };
}

static void rmsprop_update(tx_optimizer *o, tx_stretch s)
{
    int momentum = o->args.momentum != 0;
    float *buffer = momentum ? o->state[1] + s.first : NULL;
    float *mean = o->args.centered ? o->state[1 + momentum] + s.first : NULL;
    tx_rmsprop_update(&o->rmsprop, o->weights->value + s.first, o->weights->grad + s.first, o->state[0] + s.first,
                      buffer, mean, s.count);
}

static void rmsprop_reference(const tx_optimizer_args *a, uint64_t step, double lr, size_t n, double *w,
                              const double *g, double *const *state)
{
    (void)step;
    for (size_t i = 0; i < n; i++) {
        double d = g[i] + a->weight_decay * w[i], *v = &state[0][i], spread;
        spread = *v = a->alpha * *v + (1 - a->alpha) * d * d;
        if (a->centered) {
            double *u = &state[1 + (a->momentum != 0)][i];
            *u = a->alpha * *u + (1 - a->alpha) * d;
            spread = *v - *u * *u;
        }
        d /= sqrt(spread < 0 ? 0 : spread) + a->eps;
        if (a->momentum != 0)
            d = state[1][i] = a->momentum * state[1][i] + d;
        w[i] -= lr * d;
    }
}

const tx_rule tx_rule_rmsprop = {
    .states = rmsprop_states,
    .check = rmsprop_check,
    .begin = rmsprop_begin,
    .update = rmsprop_update,
    .reference = rmsprop_reference,
};
