/* adam.c - Adam, and AdamW with decoupled weight decay.
 *
 * STEP     number t from 1, with learning rate a, decays b1 and b2, weight decay c, for every trained element w of
 *          gradient g:
 *            Adam   d = g + c w           AdamW  w = (1 - a c) w,  d = g
 *            m = m + (1-b1) (d - m)       the mean of the gradients, b1 m + (1-b1) d
 *            v = b2 v + (1-b2) d^2        the mean of their squares
 *            w = w - a / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 *          m and v begin at 0; 1 - b^t is the weight that t gradients have had in them, so the division removes the bias.
 *          eps stands outside of the root and after the correction, as in PyTorch (the paper's algorithm 1).
 * NUMERICS every product, sum, root and quotient is rounded to float by itself; the constants are made in double, b^t by
 *          repeated squaring.
 * SOURCE   Kingma & Ba: "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980; Loshchilov & Hutter:
 *          "Decoupled Weight Decay Regularization", ICLR 2019, arXiv:1711.05101.
 * TESTS    test/optim_update.c, test/golden/op_optim.txt */
#include "optim_private.h"

#include <math.h>

static tx_status adam_check(const tx_optimizer_args *a)
{
    if (!(a->beta1 < 1 && a->beta2 < 1))
        return tx_fail(TX_ERR_ARGUMENT, "Adam: beta1 and beta2 are %g and %g, expected less than 1", a->beta1,
                       a->beta2);
    return TX_OK;
}

static int adam_states(const tx_optimizer_args *a, const char *name[TX_MAX_STATES])
{
    (void)a;
    name[0] = "exp_avg";
    name[1] = "exp_avg_sq";
    return 2;
}

static void adam_begin(tx_optimizer *o, double lr)
{
    const tx_optimizer_args *a = &o->args;
    int decoupled = a->kind == TX_ADAMW;
    o->adam = (tx_adam_step){
        .keep = (float)(decoupled ? 1 - lr * a->weight_decay : 1),
        .weight_decay = (float)(decoupled ? 0 : a->weight_decay),
        .mean_gain = (float)(1 - a->beta1),
        .square_keep = (float)a->beta2,
        .square_gain = (float)(1 - a->beta2),
        .root_correction = (float)sqrt(1 - tx_whole_power(a->beta2, o->steps)),
        .eps = (float)a->eps,
        .step = (float)(lr / (1 - tx_whole_power(a->beta1, o->steps))),
    };
}

static void adam_update(tx_optimizer *o, tx_stretch s)
{
    tx_adam_update(&o->adam, o->weights->value + s.first, o->weights->grad + s.first, o->state[0] + s.first,
                   o->state[1] + s.first, s.count);
}

static void adam_reference(const tx_optimizer_args *a, uint64_t step, double lr, size_t n, double *w, const double *g,
                           double *const *state)
{
    double first = 1 - tx_whole_power(a->beta1, step), second = 1 - tx_whole_power(a->beta2, step);
    for (size_t i = 0; i < n; i++) {
        double *m = &state[0][i], *v = &state[1][i], d = g[i];
        if (a->kind == TX_ADAMW)
            w[i] -= lr * a->weight_decay * w[i];
        else
            d += a->weight_decay * w[i];
        *m = a->beta1 * *m + (1 - a->beta1) * d;
        *v = a->beta2 * *v + (1 - a->beta2) * d * d;
        w[i] -= lr * (*m / first) / (sqrt(*v / second) + a->eps);
    }
}

const tx_rule tx_rule_adam = {
    .states = adam_states,
    .check = adam_check,
    .begin = adam_begin,
    .update = adam_update,
    .reference = adam_reference,
};
