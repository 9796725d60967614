/* optim.h - optimisers, learning-rate schedules and one training step. */
#ifndef THORAX_OPTIM_H
#define THORAX_OPTIM_H

#include "../core/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------- optimisers
 * Numbers follow PyTorch's optimisers of the same names, operation by operation; sgd.c, adam.c and rmsprop.c give the
 * equations. */
typedef enum tx_optimizer_kind { TX_SGD, TX_ADAM, TX_ADAMW, TX_RMSPROP } tx_optimizer_kind;

/* What is left out of a designated initialiser is 0, and 0 means the default in brackets. Where a true 0 is wanted
 * instead, give a negative number. weight_decay, momentum and dampening are 0 unless set (PyTorch's AdamW has 0.01).
 * Rates, decays and eps are numbers up to 1e30, momentum and dampening up to 1. */
typedef struct tx_optimizer_args {
    tx_optimizer_kind kind;
    double lr;           /* [1e-3] taken by tx_optimizer_step when its own rate is negative */
    double beta1, beta2; /* Adam, AdamW: [0.9] and [0.999], below 1 */
    double alpha;        /* RMSprop: [0.99], up to 1 */
    double eps;          /* Adam, AdamW, RMSprop: [1e-8] */
    double momentum;     /* SGD, RMSprop */
    double dampening;    /* SGD with momentum */
    int nesterov;        /* SGD: needs momentum and no dampening */
    int centered;        /* RMSprop: divides by the deviation from the mean gradient */
    double
        weight_decay; /* SGD, Adam, RMSprop: added to the gradient as weight_decay * w; AdamW: w shrinks by lr * weight_decay */
} tx_optimizer_args;

typedef struct tx_optimizer tx_optimizer;

/* An optimiser of all trained parameters of `weights`, which must have gradients and outlive it. The caller owns it.
 * NULL with a message for arguments out of range or without memory. */
tx_optimizer *tx_optimizer_new(tx_weights *weights, tx_optimizer_args args);
void tx_optimizer_free(tx_optimizer *optimizer);
/* One update from weights->grad, at learning rate lr (negative: the one of the arguments). Allocates nothing. A rate that is
 * no number or above 1e30 is an error, and nothing has changed then. */
tx_status tx_optimizer_step(tx_optimizer *optimizer, double lr);
/* From now on trained parameters whose names begin with `prefix` keep their values, and so does their state. (Running
 * statistics of a batch norm are no trained parameters: they follow the data all the same.) Returns how many parameters
 * the prefix meets, -1 for NULL. */
int tx_optimizer_freeze(tx_optimizer *optimizer, const char *prefix);

/* What a resumed run needs: the arrays, laid out like weights->value (trained elements each), and the number of steps
 * done. Both may be overwritten between steps. */
int tx_optimizer_states(const tx_optimizer *optimizer);
/* PyTorch's name of state i: momentum_buffer; exp_avg, exp_avg_sq; square_avg, momentum_buffer, grad_avg. */
const char *tx_optimizer_state_name(const tx_optimizer *optimizer, int i);
float *tx_optimizer_state(tx_optimizer *optimizer, int i);
uint64_t tx_optimizer_steps(const tx_optimizer *optimizer);
tx_status tx_optimizer_set_steps(tx_optimizer *optimizer, uint64_t steps);

/* Step number `step` (from 1) in double precision, by the equations alone, on n elements; state[i] as above. What the
 * kernels are compared with. Wrong arguments change nothing. */
tx_status tx_optimizer_reference(tx_optimizer_args args, uint64_t step, double lr, size_t n, double *w, const double *g,
                                 double *const *state);

/* -------------------------------------------------------------------------------------- schedules */
typedef enum tx_schedule_kind { TX_SCHEDULE_CONSTANT, TX_SCHEDULE_COSINE, TX_SCHEDULE_STEP } tx_schedule_kind;

typedef struct tx_schedule {
    tx_schedule_kind kind;
    double lr;       /* the rate after warm-up */
    uint64_t warmup; /* steps of linear warm-up: lr/warmup, 2 lr/warmup, .., lr */
    uint64_t total;  /* steps of the whole run, warm-up included: where the cosine reaches 0 */
    /* step decay: steps between two decays, counted from the run's start; 0: one after each third of `total`, that is at
     * the first steps that are not below total/3 and 2 total/3 */
    uint64_t step_every;
    double step_factor; /* step decay: 0 means 0.1 */
} tx_schedule;

/* The rate of step `step`, counted from 0: a function of its arguments, the same bits everywhere. NaN, which no optimiser
 * takes, for a kind that there is not, and for a rate or factor that is negative or no number. */
double tx_schedule_lr(const tx_schedule *schedule, uint64_t step);

/* --------------------------------------------------------------------------------------- training
 * One step on the batch that stands in the session's inputs: forward, backward from `loss` (the graph's last node, one
 * number), update at rate lr. The loss before the update goes to *loss_out unless it is NULL. A loss that is not finite
 * is an error, and no parameter has changed then (running statistics have seen the batch). The optimiser is one of the
 * session's weights. Allocates nothing. */
tx_status tx_train_step(tx_session *session, const tx_node *loss, tx_optimizer *optimizer, double lr, float *loss_out);

#ifdef __cplusplus
}
#endif
#endif
