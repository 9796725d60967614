/* optim_private.h - what an optimiser is made of, shared by the files that hold the update rules. */
#ifndef THORAX_OPTIM_PRIVATE_H
#define THORAX_OPTIM_PRIVATE_H

#include "optim.h"

enum { TX_MAX_STATES = 3 };

/* A stretch of trained elements that is updated by one task. */
typedef struct tx_stretch {
    size_t first, count;
} tx_stretch;

/* An update rule. One constant of these a kind of optimiser. */
typedef struct tx_rule {
    /* How many arrays it keeps with these arguments, and their names. */
    int (*states)(const tx_optimizer_args *args, const char *name[TX_MAX_STATES]);
    tx_status (*check)(const tx_optimizer_args *args);
    /* Before step number optimizer->steps (from 1): the constants of this step, equal for all elements. */
    void (*begin)(tx_optimizer *optimizer, double lr);
    void (*update)(tx_optimizer *optimizer, tx_stretch stretch);
    /* tx_optimizer_reference, defaults filled in. */
    void (*reference)(const tx_optimizer_args *args, uint64_t step, double lr, size_t n, double *w, const double *g,
                      double *const *state);
} tx_rule;

struct tx_optimizer {
    const tx_rule *rule;
    tx_optimizer_args args; /* defaults filled in */
    tx_weights *weights;
    int states;
    const char *name[TX_MAX_STATES]; /* of the states */
    float *state[TX_MAX_STATES];
    uint64_t steps;
    tx_sgd_step sgd;
    tx_adam_step adam;
    tx_rmsprop_step rmsprop;
    unsigned char *frozen; /* one an entry of the graph's parameters */
    tx_stretch *stretch;   /* what is updated: in order, apart, together all that is not frozen */
    size_t stretches;
};

/* Rates and the like are numbers up to this, so that they are numbers as floats too. */
#define TX_MOST_RATE 1e30
/* An error for a rate that tx_optimizer_step does not take. */
tx_status tx_rate_check(double lr);

extern const tx_rule tx_rule_sgd, tx_rule_adam, tx_rule_rmsprop;

/* base^exponent by squaring: a function of its arguments alone, so a resumed run computes the same. */
double tx_whole_power(double base, uint64_t exponent);

#endif
