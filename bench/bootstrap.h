/* bootstrap.h - nonparametric bootstrap of AUCs, of their differences, means and rank correlations. Private to bench.
 *
 * A replicate draws as many groups (studies, or patients) as there are, with replacement, each with all its units. The
 * draws are a function of (seed, replicate, number of groups) alone: models, tasks and studies of one data folder that
 * are resampled with the same three are resampled alike, so that replicates may be subtracted, averaged and ranked one by
 * one. Undefined replicates are NaN. Results do not depend on threads.
 *
 * Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979; of groups: Field and Welsh,
 * "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69, 2007. */
#ifndef THORAX_BOOTSTRAP_H
#define THORAX_BOOTSTRAP_H

#include "../core/core.h"

/* value[m * replicates + r] becomes the AUC of score[m] (`models` vectors over the same n units) in replicate r: exactly
 * the share of pairs in order, ties half, rounded once; NaN where the replicate lacks a class. label: 1, 0, below 0 for
 * units without a label, which are drawn and not counted. group[i]: that of unit i, in 0..groups-1 (NULL: each is its
 * own, groups is n); groups without a unit are drawn too. TX_ERR_ARGUMENT: a group out of range, a score of a labelled
 * unit that is not finite, or groups times the units of the largest above 2^27; TX_ERR_MEMORY; value is then all NaN.
 * Time O(replicates (groups + models n)); memory 64 bytes a group and thread, 16 a unit and model, and 40 a
 * unit while one model is sorted. */
tx_status tx_bootstrap_auc(const double *const *score, size_t models, const signed char *label, const uint32_t *group,
                           size_t n, size_t groups, size_t replicates, uint64_t seed, double *value);

/* value[m * replicates + r] becomes the mean of sample[m][i] over the units of replicate r, drawn as above; one that is NaN is
 * drawn and not counted, and NaN is the mean of none. Sums are taken in the order of the units. Errors and time as above. */
tx_status tx_bootstrap_average(const double *const *sample, size_t samples, const uint32_t *group, size_t n,
                               size_t groups, size_t replicates, uint64_t seed, double *value);

/* Of the replicates that are defined: the 2.5 and 97.5 percentiles (linear between neighbours, as numpy's), mean, standard
 * deviation (of one less; NaN for one); and how many are not. All NaN where none is defined. TX_ERR_MEMORY. */
typedef struct tx_interval {
    double low, high, mean, sd;
    size_t undefined;
} tx_interval;
tx_status tx_bootstrap_interval(const double *value, size_t replicates, tx_interval *out);

/* Two-sided p of a difference that is 0 where nothing is: twice the smaller of the shares of defined replicates that are
 * at most 0 and at least 0, each with one more in count and number (Davison and Hinkley, "Bootstrap Methods and their
 * Application", 1997, section 4.2), at most 1; NaN where none is defined. Its smallest value is 2 / (replicates + 1). */
double tx_bootstrap_p(const double *difference, size_t replicates);
/* Interval and p of a - b, replicate by replicate. */
typedef struct tx_bootstrap_difference {
    tx_interval interval;
    double p;
} tx_bootstrap_difference;
tx_status tx_bootstrap_compare(const double *a, const double *b, size_t replicates, tx_bootstrap_difference *out);

/* mean[r] becomes the weighted mean of value[k][r] over the k < count whose weight is above 0; NaN where one of these is
 * undefined, or there are none. Weight 0 goes to what is undefined in the sample itself: so a mean of the replicates is of
 * the same tasks, or seeds, as that of the sample. */
void tx_bootstrap_mean(const double *const *value, const double *weight, size_t count, size_t replicates, double *mean);

/* rho[r] becomes Spearman's rho of x and replicate r of y, y[m * replicates + r], over `points` (models). x is of the
 * sample, x[m], or, where x_varies, of replicates as y. NaN where a point is, or where x or y is constant.
 * TX_ERR_MEMORY. */
tx_status tx_bootstrap_spearman(const double *x, int x_varies, const double *y, size_t points, size_t replicates,
                                double *rho);

/* Holm's step-down adjustment of n p values (Scandinavian Journal of Statistics 6, 1979). NaN stays NaN and is not among
 * the comparisons. p and adjusted do not overlap. O(n^2). */
void tx_holm(const double *p, size_t n, double *adjusted);

#endif
