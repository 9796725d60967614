/* statistics.h - what the study says about scores and labels. Private to the bench floor.
 *
 * Labels are 1 (positive), 0 (negative) or below 0 (not annotated: the image is passed over). Undefined numbers are
 * NaN. A function that returns a status needs memory for sorting, O(n log n) time, and gives TX_ERR_MEMORY without
 * it; a NaN or an infinity among the scores of annotated images is TX_ERR_ARGUMENT. After any error the result is
 * filled as undefined. */
#ifndef THORAX_STATISTICS_H
#define THORAX_STATISTICS_H

#include "../core/core.h"

/* Area under the ROC curve with its standard error and 95% interval. method: how the interval was made,
 * "delong-logit", "delong-clipped" (AUC 0 or 1, where the variance is 0), "constant" (all scores are equal: AUC 0.5, se
 * 0, no interval) or "undefined" (a class with fewer than two images, no interval; AUC itself needs one of each). */
typedef struct tx_auc_result {
    size_t positives, negatives;
    double auc, se, low, high;
    const char *method;
} tx_auc_result;
tx_status tx_auc_of(const double *score, const signed char *label, size_t n, tx_auc_result *out);

/* Two classifiers on the same images: covariance of their AUCs, z and two-sided p of the difference a - b. z and p
 * are NaN where the variance of the difference is 1e-18 or less; all but AUCs and difference is NaN where a class has
 * fewer than two images. */
typedef struct tx_delong_result {
    tx_auc_result a, b;
    double covariance, difference, difference_se, z, p;
} tx_delong_result;
tx_status tx_delong(const double *a, const double *b, const signed char *label, size_t n, tx_delong_result *out);

/* Sum over descending thresholds of precision times the gain in recall, tied scores taken together. */
tx_status tx_average_precision(const double *score, const signed char *label, size_t n, double *out);

/* The threshold t, one of the scores, whose rule "positive if score >= t" has the largest Youden's J, which is
 * sensitivity + specificity - 1; among equals the more sensitive one, which is the lower t. */
typedef struct tx_threshold_result {
    double threshold, sensitivity, specificity, youden;
} tx_threshold_result;
tx_status tx_best_threshold(const double *score, const signed char *label, size_t n, tx_threshold_result *out);
/* The same rule with a threshold that was chosen elsewhere: all NaN where that is NaN, sensitivity without a positive,
 * specificity without a negative, youden without either. Needs no memory. */
tx_status tx_threshold_at(const double *score, const signed char *label, size_t n, double threshold,
                          tx_threshold_result *out);

/* Expected calibration error of probabilities: ten bins [0,0.1), [0.1,0.2) .. [0.9,1]; the mean over images of the
 * distance between mean probability and share of positives in the image's bin. TX_ERR_ARGUMENT outside [0,1]. */
tx_status tx_calibration_error(const double *probability, const signed char *label, size_t n, double *out);

/* order[0..*count) become the positions of the annotated scores, ascending; equal ones by position. */
tx_status tx_score_order(const double *score, const signed char *label, size_t n, size_t *order, size_t *count);
/* Ascending. x must hold no NaN. */
tx_status tx_sort(double *x, size_t n);

/* rank[i] in 1..n, the mean of their places for equal values. x must hold no NaN. */
tx_status tx_midranks(const double *x, size_t n, double *rank);

/* A correlation in [-1,1]; NaN with fewer than two points, or where x or y is constant. */
double tx_pearson(const double *x, const double *y, size_t n);
/* Kendall's tau-b. O(n^2): for tens of networks, not for images. */
double tx_kendall(const double *x, const double *y, size_t n);
/* Spearman's rho: p two-sided by Student's t with n - 2 degrees of freedom (NaN below 3 points), and the 95%
 * interval tanh(atanh rho +- 1.96 sqrt((1 + rho^2 / 2) / (n - 3))) of Bonett and Wright, Psychometrika 65, 2000
 * (NaN below 4; rho itself where it is 1 or -1). */
typedef struct tx_spearman_result {
    double rho, p, low, high;
} tx_spearman_result;
tx_status tx_spearman(const double *x, const double *y, size_t n, tx_spearman_result *out);

/* The standard normal distribution: P(Z <= z), P(Z > z), each to a relative 1e-14 in its own tail, and the z with
 * P(Z <= z) = p (infinite at 0 and 1, NaN outside). */
double tx_normal_cdf(double z);
double tx_normal_sf(double z);
double tx_normal_quantile(double p);
/* P(|T| > |t|) of Student's t with dof > 0 degrees of freedom. */
double tx_student_p(double t, double dof);
/* The two-sided 95% point of the normal distribution. */
#define TX_NORMAL_95 1.959963984540054

#endif
