/* optimizing.c - from options to an optimiser's arguments and a schedule. */
#include "optimizing.h"

#include <string.h>

/* In these arguments 0 stands for the usual value and a negative number for 0. */
static double true_zero(double v)
{
    return v > 0 ? v : -1;
}

tx_optimizer_args optimizer_of(const options *o)
{
    const char *name = option_text(o, "optimizer");
    tx_optimizer_args a = {0};
    a.kind = strcmp(name, "adam") == 0    ? TX_ADAM
             : strcmp(name, "adamw") == 0 ? TX_ADAMW
             : strcmp(name, "sgd") == 0   ? TX_SGD
                                          : TX_RMSPROP;
    betas_read(option_text(o, "betas"), &a.beta1, &a.beta2);
    a.beta1 = true_zero(a.beta1);
    a.beta2 = true_zero(a.beta2);
    a.alpha = true_zero(option_real(o, "alpha"));
    a.eps = true_zero(option_real(o, "eps"));
    a.weight_decay = option_real(o, "weight-decay");
    a.momentum = option_text(o, "momentum") ? option_real(o, "momentum") : a.kind == TX_SGD ? 0.9 : 0;
    return a;
}

tx_schedule schedule_of(const options *o, uint64_t total)
{
    const char *name = option_text(o, "schedule");
    tx_schedule_kind kind = strcmp(name, "cosine") == 0 ? TX_SCHEDULE_COSINE
                            : strcmp(name, "step") == 0 ? TX_SCHEDULE_STEP
                                                        : TX_SCHEDULE_CONSTANT;
    return (tx_schedule){
        .kind = kind, .lr = option_real(o, "lr"), .warmup = (uint64_t)option_whole(o, "warmup"), .total = total};
}
