/* eval_compare.h - paired comparison of the models of `thorax eval`. Private to bench. */
#ifndef THORAX_BENCH_EVAL_COMPARE_H
#define THORAX_BENCH_EVAL_COMPARE_H

#include "eval.h"

/* Up to so many models every pair is compared, of more the first with each other; the ensemble with each of them. */
enum { COMPARE_ALL = 4 };
enum { MEAN_FIRST = 1 };

/* One difference, AUC of entry a minus that of entry b: of a task, or of the mean over those that both have.
 *
 * method: "delong" (interval +- 1.96 se, p two-sided of z = difference / se; DeLong et al., Biometrics 44, 1988);
 * "bootstrap" (percentiles of the paired replicates, their p; the means always); "equal" (the difference is 0 in all of them, or
 * is 0 with a variance that is), "no-variance" (it is not 0, its variance is), "undefined" (a class with fewer than two units):
 * of these three there is no interval and no p, which are NaN, and no test is counted. */
typedef struct comparison {
    size_t a, b;
    const char *what; /* the task's name, or mean5, mean6, mean */
    int mean;         /* 0, or MEAN_FIRST + 0, 1, 2 of mean5, mean6, mean: */
    int tasks,
        of; /* over so many tasks, that have an AUC, of so many, that both models have or (mean5, mean6) it may be of */
    size_t positives, negatives;
    double auc_a, auc_b, difference, low, high, se, z, p;
    double
        holm; /* p after Holm's correction over the tests of tasks, or over those of means (of the same tasks: one test) */
    const char *method;
    size_t undefined; /* replicates in which it is */
} comparison;

typedef struct comparisons {
    comparison *list;
    size_t count, room;
    size_t pairs;
    size_t tests[2];   /* of tasks; of means */
    size_t units;      /* studies or images that all models have scores of, on which they are compared */
    int fewer;         /* not all have all */
    int bootstrap;     /* of tasks, too */
    size_t replicates; /* of the means */
    int by_patient;    /* which draw patients, else studies */
} comparisons;

/* Compares the entries, which have been run. To be freed whatever this returns. */
tx_status comparisons_make(comparisons *c, const evaluation *v);
void comparisons_free(comparisons *c);

/* Tables of the differences, one a pair, and what their columns mean. */
tx_status comparisons_print(const comparisons *c, const evaluation *v);
/* Into an open object: comparisons, an object a difference; tests, how many Holm's correction is over. */
void comparisons_json(const comparisons *c, const evaluation *v, json *j);
/* DIR/comparisons.csv */
tx_status comparisons_write(const comparisons *c, const evaluation *v, const char *folder);

#endif
