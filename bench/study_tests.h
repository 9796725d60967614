/* study_tests.h - what a study's models say beside each other: paired differences, rank correlations, how much can be cut.
 * Private to bench. */
#ifndef THORAX_BENCH_STUDY_TESTS_H
#define THORAX_BENCH_STUDY_TESTS_H

#include "study_results.h"

/* a - b of two models on the same studies. The interval that reaches 0 leaves open which is the better. */
typedef struct study_difference {
    const study_model *a, *b;
    double value, low, high, p, adjusted; /* adjusted: Holm's, among those of its question */
    size_t undefined;                     /* replicates without a difference */
} study_difference;

/* A rank correlation over networks: Spearman's rho with p and Bonett and Wright's interval, of networks as a sample of
 * networks; and the interval of the same rho in the resamples, of these networks on other studies. */
typedef struct study_rank {
    const char *name; /* in tests.csv */
    const char *what; /* in words */
    size_t n;
    tx_spearman_result rho;
    double adjusted, boot_low, boot_high;
    size_t undefined;
} study_rank;

/* Of a truncated family: the largest cut whose interval of the difference to the full network reaches 0 or above. */
typedef struct study_cut {
    const study_model *full, *cut; /* cut: full itself where none does */
    double factor;                 /* parameters of full over those of cut */
    size_t tried;                  /* cuts that there are */
} study_cut;

enum { STUDY_RANKS = 5 };
typedef struct study_tests {
    study_difference *gain; /* pretrained - random, each full network that has both */
    study_difference *cost; /* cut - full, both pretrained */
    study_difference *lead; /* the best pretrained full network - each other; its choice is of the same studies */
    size_t gains, costs, leads;
    study_difference mean_gain; /* the mean of the gains; a and b NULL, NaN without one */
    study_rank rank[STUDY_RANKS];
    study_cut *cut;
    size_t cuts;
    double compression; /* the mean of the families' factors; NaN without one */
} study_tests;

/* t is to be freed whatever this returns; r must outlive it. */
tx_status study_tests_make(study_tests *t, const study_results *r);
void study_tests_free(study_tests *t);
/* The difference of that model; NULL: there is none. */
const study_difference *study_gain_of(const study_tests *t, const char *net);
const study_difference *study_cost_of(const study_tests *t, const char *net, int cut);
/* The smallest p that so many replicates can give. */
double study_least_p(const study_results *r);
/* OUT/tests.csv. */
tx_status study_tests_write(const study_tests *t, const study_results *r, const char *out);

#endif
