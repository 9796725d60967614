/* statistics.c - ROC curves, their standard errors and comparison, calibration, rank correlation, and the two
 * distributions that p values come from. All in double, with the elementary functions of core alone, so that a report
 * has the same digits on every machine. Counts of pairs are kept as whole numbers and are exact.
 *
 * AUC      share of pairs (positive, negative) that the score puts in order, equal scores counted half (Mann and
 *          Whitney 1947; Hanley and McNeil, Radiology 143, 1982).
 * DELONG   the placement of a positive is the share of negatives below it, of a negative the share of positives
 *          above it, ties half. With m positives and k negatives, var(AUC) = var(placements of positives) / m +
 *          var(placements of negatives) / k, covariances likewise (DeLong, DeLong and Clarke-Pearson, Biometrics 44,
 *          1988), all from one sort (Sun and Xu, IEEE Signal Processing Letters 21, 2014).
 * INTERVAL on the logit scale, where it cannot leave [0,1]: logit A +- z se / (A (1 - A)) (Pepe, "The Statistical
 *          Evaluation of Medical Tests", 2003, section 5.2). */
#include "statistics.h"

#include <math.h>
#include <string.h>

static double undefined(void)
{
    const uint64_t bits = 0x7ff8000000000000u;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* ----------------------------------------------------------------------------------------- sorting */

typedef struct entry {
    double value;
    size_t index;
} entry;

/* Ascending, equal values in the order of their index. Returns where the sorted entries stand: a or spare. */
static entry *merge_sort(entry *a, entry *spare, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t middle = n - low < width ? n : low + width, high = n - middle < width ? n : middle + width;
            size_t i = low, j = middle;
            for (size_t to = low; to < high; to++)
                spare[to] = j >= high || (i < middle && a[i].value <= a[j].value) ? a[i++] : a[j++];
        }
        entry *swap = a;
        a = spare;
        spare = swap;
    }
    return a;
}

/* What the ROC statistics need: the annotated images in ascending order of score. */
typedef struct roc {
    entry *memory, *sorted;
    const signed char *label;
    size_t n, positives, negatives;
} roc;

static void roc_close(roc *r)
{
    tx_free(r->memory);
    memset(r, 0, sizeof *r);
}

static tx_status check_scores(const double *score, const signed char *label, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (label[i] >= 0 && !isfinite(score[i]))
            return tx_fail(TX_ERR_ARGUMENT, "statistics: score %zu of %zu is %s, expected a number", i + 1, n,
                           isnan(score[i]) ? "nan" : "infinite");
    return TX_OK;
}

/* r is to be closed whatever this returns. */
static tx_status roc_open(roc *r, const double *score, const signed char *label, size_t n)
{
    memset(r, 0, sizeof *r);
    r->label = label;
    tx_status status = check_scores(score, label, n);
    if (status)
        return status;
    size_t twice;
    if (tx_size_mul(n, 2, &twice))
        return tx_fail(TX_ERR_MEMORY, "out of memory: %zu scores to sort", n);
    r->memory = tx_alloc(twice, sizeof *r->memory);
    if (!r->memory)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (label[i] < 0)
            continue;
        r->memory[r->n++] = (entry){score[i], i};
        if (label[i])
            r->positives++;
        else
            r->negatives++;
    }
    r->sorted = merge_sort(r->memory, r->memory + n, r->n);
    return TX_OK;
}

/* The group of equal scores that begins at `from`: its end, and how many positives it holds. */
static size_t roc_group(const roc *r, size_t from, size_t *positives)
{
    size_t to = from;
    *positives = 0;
    for (; to < r->n && r->sorted[to].value == r->sorted[from].value; to++)
        *positives += r->label[r->sorted[to].index] > 0;
    return to;
}

tx_status tx_score_order(const double *score, const signed char *label, size_t n, size_t *order, size_t *count)
{
    roc curve;
    tx_status status = roc_open(&curve, score, label, n);
    *count = status == TX_OK ? curve.n : 0;
    for (size_t i = 0; i < *count; i++)
        order[i] = curve.sorted[i].index;
    roc_close(&curve);
    return status;
}

/* --------------------------------------------------------------------------------- AUC and DeLong */

/* place[i] of each annotated image: twice the number of images of the other class on its wrong side for a positive
 * (negatives below), on its right side for a negative (positives above), ties once. Whole numbers. */
static void placements(const roc *r, double *place)
{
    size_t below = 0, above = r->positives; /* negatives before the group, positives from the group on */
    for (size_t from = 0, to, tied; from < r->n; from = to) {
        to = roc_group(r, from, &tied);
        size_t negatives = to - from - tied;
        above -= tied;
        for (size_t i = from; i < to; i++) {
            size_t index = r->sorted[i].index;
            size_t twice = r->label[index] > 0 ? 2 * below + negatives : 2 * above + tied;
            place[index] = (double)twice;
        }
        below += negatives;
    }
}

/* Sum of (a - mean a)(b - mean b) / ((count - 1) count) over the images of one class. */
static double class_covariance(const double *a, const double *b, const signed char *label, size_t n, int positive)
{
    double sum_a = 0, sum_b = 0, count = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (label[i] < 0 || (label[i] > 0) != positive)
            continue;
        sum_a += a[i];
        sum_b += b[i];
        count += 1;
    }
    for (size_t i = 0; i < n; i++)
        if (label[i] >= 0 && (label[i] > 0) == positive)
            sum += (a[i] - sum_a / count) * (b[i] - sum_b / count);
    return sum / (count - 1) / count;
}

/* Of two AUCs whose placements are a and b. */
static double covariance(const double *a, const double *b, const signed char *label, size_t n, const tx_auc_result *r)
{
    double m = 2.0 * (double)r->positives, k = 2.0 * (double)r->negatives;
    return class_covariance(a, b, label, n, 1) / (k * k) + class_covariance(a, b, label, n, 0) / (m * m);
}

static tx_auc_result no_auc(void)
{
    double nan = undefined();
    return (tx_auc_result){0, 0, nan, nan, nan, nan, "undefined"};
}

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* An AUC between 0 and 1 without variance is that of equal scores: the pairs say nothing about how sure it is. */
static void interval(tx_auc_result *r)
{
    double a = r->auc, half = TX_NORMAL_95 * r->se;
    if (a > 0 && a < 1 && half == 0) {
        r->method = "constant";
    } else if (a > 0 && a < 1) {
        double logit = tx_log(a) - tx_log1p(-a);
        half /= a * (1 - a);
        r->low = tx_logistic(logit - half);
        r->high = tx_logistic(logit + half);
        r->method = "delong-logit";
    } else {
        r->low = clip(a - half, 0, 1);
        r->high = clip(a + half, 0, 1);
        r->method = "delong-clipped";
    }
}

/* Fills r and place (n numbers) from scores. */
static tx_status auc_with_placements(const double *score, const signed char *label, size_t n, tx_auc_result *r,
                                     double *place)
{
    *r = no_auc();
    roc curve;
    tx_status status = roc_open(&curve, score, label, n);
    if (status == TX_OK) {
        r->positives = curve.positives;
        r->negatives = curve.negatives;
        placements(&curve, place);
    }
    roc_close(&curve);
    if (status != TX_OK || !r->positives || !r->negatives)
        return status;
    double pairs = 0; /* twice their number: whole, exact below 2^53 */
    for (size_t i = 0; i < n; i++)
        if (label[i] > 0)
            pairs += place[i];
    r->auc = pairs / (2.0 * (double)r->positives * (double)r->negatives);
    if (r->positives < 2 || r->negatives < 2)
        return TX_OK;
    r->se = sqrt(covariance(place, place, label, n, r));
    interval(r);
    return TX_OK;
}

tx_status tx_auc_of(const double *score, const signed char *label, size_t n, tx_auc_result *out)
{
    *out = no_auc();
    double *place = tx_alloc(n, sizeof *place);
    if (!place)
        return TX_ERR_MEMORY;
    tx_status status = auc_with_placements(score, label, n, out, place);
    tx_free(place);
    return status;
}

static void compare(tx_delong_result *out, double *a, double *b, const signed char *label, size_t n)
{
    out->difference = out->a.auc - out->b.auc;
    if (out->a.positives < 2 || out->a.negatives < 2)
        return;
    out->covariance = covariance(a, b, label, n, &out->a);
    for (size_t i = 0; i < n; i++)
        a[i] -= b[i];
    double variance = covariance(a, a, label, n, &out->a);
    out->difference_se = sqrt(variance);
    if (variance > 1e-18) {
        out->z = out->difference / out->difference_se;
        out->p = 2 * tx_normal_sf(fabs(out->z));
    }
}

tx_status tx_delong(const double *a, const double *b, const signed char *label, size_t n, tx_delong_result *out)
{
    double nan = undefined();
    *out = (tx_delong_result){no_auc(), no_auc(), nan, nan, nan, nan, nan};
    double *place_a = tx_alloc(n, sizeof *place_a), *place_b = tx_alloc(n, sizeof *place_b);
    tx_status status = place_a && place_b ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = auc_with_placements(a, label, n, &out->a, place_a);
    if (status == TX_OK)
        status = auc_with_placements(b, label, n, &out->b, place_b);
    if (status == TX_OK)
        compare(out, place_a, place_b, label, n);
    else
        out->a = out->b = no_auc();
    tx_free(place_a);
    tx_free(place_b);
    return status;
}

/* ---------------------------------------------------------------------- other metrics of one classifier */

tx_status tx_average_precision(const double *score, const signed char *label, size_t n, double *out)
{
    *out = undefined();
    roc curve;
    tx_status status = roc_open(&curve, score, label, n);
    if (status == TX_OK && curve.positives && curve.negatives) {
        /* ascending, so what is at or above a group is what has not been passed */
        double sum = 0, positives = (double)curve.positives, images = (double)curve.n;
        for (size_t from = 0, to, tied; from < curve.n; from = to) {
            to = roc_group(&curve, from, &tied);
            sum += (double)tied * (positives / images);
            positives -= (double)tied;
            images -= (double)(to - from);
        }
        *out = sum / (double)curve.positives;
    }
    roc_close(&curve);
    return status;
}

tx_status tx_best_threshold(const double *score, const signed char *label, size_t n, tx_threshold_result *out)
{
    double nan = undefined();
    *out = (tx_threshold_result){nan, nan, nan, nan};
    roc curve;
    tx_status status = roc_open(&curve, score, label, n);
    if (status == TX_OK && curve.positives && curve.negatives) {
        double m = (double)curve.positives, k = (double)curve.negatives;
        double hits = m, rejected = 0, best = -1; /* J m k, a whole number: exact */
        for (size_t from = 0, to, tied; from < curve.n; from = to) {
            to = roc_group(&curve, from, &tied);
            double youden = hits * k + rejected * m - m * k;
            if (youden > best) {
                best = youden;
                *out = (tx_threshold_result){curve.sorted[from].value, hits / m, rejected / k, youden / (m * k)};
            }
            hits -= (double)tied;
            rejected += (double)(to - from - tied);
        }
    }
    roc_close(&curve);
    return status;
}

tx_status tx_threshold_at(const double *score, const signed char *label, size_t n, double threshold,
                          tx_threshold_result *out)
{
    double nan = undefined(), count[2][2] = {{0}}; /* of a class: below the threshold, not below */
    *out = (tx_threshold_result){nan, nan, nan, nan};
    tx_status status = check_scores(score, label, n);
    if (status || isnan(threshold))
        return status;
    for (size_t i = 0; i < n; i++)
        if (label[i] >= 0)
            count[label[i] > 0][score[i] >= threshold] += 1;
    double m = count[1][0] + count[1][1], k = count[0][0] + count[0][1];
    out->threshold = threshold;
    if (m > 0)
        out->sensitivity = count[1][1] / m;
    if (k > 0)
        out->specificity = count[0][0] / k;
    if (m > 0 && k > 0)
        out->youden = (count[1][1] * k + count[0][0] * m - m * k) / (m * k);
    return TX_OK;
}

tx_status tx_calibration_error(const double *probability, const signed char *label, size_t n, double *out)
{
    enum { BINS = 10 };
    double images[BINS] = {0}, positives[BINS] = {0}, sum[BINS] = {0}, all = 0, error = 0;
    *out = undefined();
    for (size_t i = 0; i < n; i++) {
        if (label[i] < 0)
            continue;
        double p = probability[i];
        if (!(p >= 0 && p <= 1))
            return tx_fail(TX_ERR_ARGUMENT, "statistics: number %zu of %zu is no probability: %g", i + 1, n, p);
        int bin = p < 1 ? (int)(p * BINS) : BINS - 1;
        bin = bin < BINS ? bin : BINS - 1; /* p just below 1 */
        images[bin] += 1;
        positives[bin] += label[i] > 0;
        sum[bin] += p;
        all += 1;
    }
    for (int bin = 0; bin < BINS; bin++)
        error += fabs(positives[bin] - sum[bin]); /* the bin's weight times its distance of means, times all */
    if (all > 0)
        *out = error / all;
    return TX_OK;
}

/* ------------------------------------------------------------------------------------ correlation */

/* *sorted becomes the ascending entries of x, within memory that the caller frees. */
static tx_status sort_entries(const double *x, size_t n, entry **memory, const entry **sorted)
{
    size_t twice;
    *memory = NULL;
    for (size_t i = 0; i < n; i++)
        if (x[i] != x[i])
            return tx_fail(TX_ERR_ARGUMENT, "statistics: value %zu of %zu is not a number", i + 1, n);
    if (tx_size_mul(n, 2, &twice))
        return tx_fail(TX_ERR_MEMORY, "out of memory: %zu values to sort", n);
    *memory = tx_alloc(twice, sizeof **memory);
    if (!*memory)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        (*memory)[i] = (entry){x[i], i};
    *sorted = merge_sort(*memory, *memory + n, n);
    return TX_OK;
}

tx_status tx_sort(double *x, size_t n)
{
    entry *memory;
    const entry *sorted;
    tx_status status = sort_entries(x, n, &memory, &sorted);
    for (size_t i = 0; status == TX_OK && i < n; i++)
        x[i] = sorted[i].value;
    tx_free(memory);
    return status;
}

tx_status tx_midranks(const double *x, size_t n, double *rank)
{
    entry *memory;
    const entry *sorted;
    tx_status status = sort_entries(x, n, &memory, &sorted);
    for (size_t from = 0, to; status == TX_OK && from < n; from = to) {
        for (to = from; to < n && sorted[to].value == sorted[from].value; to++)
            ;
        for (size_t i = from; i < to; i++)
            rank[sorted[i].index] = 0.5 * ((double)from + (double)to + 1);
    }
    tx_free(memory);
    return status;
}

static int constant(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return 0;
    return 1;
}

/* Both sides are scaled by their largest deviation, a power of two, so that no square overflows or vanishes. */
double tx_pearson(const double *x, const double *y, size_t n)
{
    if (n < 2 || constant(x, n) || constant(y, n))
        return undefined();
    double mean_x = 0, mean_y = 0, large_x = 0, large_y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        large_x = fmax(large_x, fabs(x[i] - mean_x));
        large_y = fmax(large_y, fabs(y[i] - mean_y));
    }
    int shift_x, shift_y;
    frexp(large_x, &shift_x);
    frexp(large_y, &shift_y);
    for (size_t i = 0; i < n; i++) {
        double dx = ldexp(x[i] - mean_x, -shift_x), dy = ldexp(y[i] - mean_y, -shift_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    double r = xy / sqrt(xx * yy); /* exactly 1 where x and y deviate alike */
    return r != r ? r : clip(r, -1, 1);
}

double tx_kendall(const double *x, const double *y, size_t n)
{
    double score = 0, apart_x = 0, apart_y = 0; /* concordant less discordant; pairs not tied in x, in y */
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (x[i] != x[i] || y[i] != y[i] || x[j] != x[j] || y[j] != y[j])
                return undefined();
            int side_x = (x[i] > x[j]) - (x[i] < x[j]), side_y = (y[i] > y[j]) - (y[i] < y[j]);
            score += side_x * side_y;
            apart_x += side_x != 0;
            apart_y += side_y != 0;
        }
    }
    return apart_x > 0 && apart_y > 0 ? clip(score / sqrt(apart_x) / sqrt(apart_y), -1, 1) : undefined();
}

static double student_tail(double x, double rest, double dof);

tx_status tx_spearman(const double *x, const double *y, size_t n, tx_spearman_result *out)
{
    double nan = undefined();
    *out = (tx_spearman_result){nan, nan, nan, nan};
    double *rank_x = tx_alloc(n, sizeof *rank_x), *rank_y = tx_alloc(n, sizeof *rank_y);
    tx_status status = rank_x && rank_y ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_midranks(x, n, rank_x);
    if (status == TX_OK)
        status = tx_midranks(y, n, rank_y);
    if (status == TX_OK)
        out->rho = tx_pearson(rank_x, rank_y, n);
    tx_free(rank_x);
    tx_free(rank_y);
    double r = out->rho;
    if (r != r || n < 3)
        return status;
    /* t^2 = dof r^2 / (1 - r^2), so dof / (dof + t^2) = 1 - r^2 */
    out->p = student_tail((1 - r) * (1 + r), r * r, (double)n - 2);
    if (n < 4)
        return status;
    out->low = out->high = r;
    if (fabs(r) < 1) {
        double z = 0.5 * (tx_log1p(r) - tx_log1p(-r));
        double half = TX_NORMAL_95 * sqrt((1 + 0.5 * r * r) / ((double)n - 3));
        out->low = tx_tanh(z - half);
        out->high = tx_tanh(z + half);
    }
    return status;
}

/* ----------------------------------------------------------------------------- normal distribution */

/* Mills' ratio P(Z > z) / density(z) for z >= 2, by Laplace's continued fraction 1/(z+ 1/(z+ 2/(z+ 3/(z+ ..)))). */
static double mills(double z)
{
    double f = z;
    for (int i = 120; i > 0; i--)
        f = z + i / f;
    return 1 / f;
}

/* exp(-z^2/2) / sqrt(2 pi); what z^2 loses by rounding is put back, for it counts z^2-fold. */
static double density(double z)
{
    double square = z * z, lost = tx_fma(z, z, -square);
    double e = tx_exp(-0.5 * square);
    return 0.3989422804014327 * (e - e * (0.5 * lost));
}

/* P(0 < Z < z) for small z: density(z) (z + z^3/3 + z^5/(3 5) + ..), terms all of one sign. */
static double central(double z)
{
    double term = z, sum = z;
    for (int k = 3; k < 200 && fabs(term) > 1e-18 * fabs(sum); k += 2) {
        term *= z * z / k;
        sum += term;
    }
    return sum * density(z);
}

double tx_normal_sf(double z)
{
    if (z != z)
        return z;
    if (fabs(z) < 2)
        return 0.5 - central(z);
    if (z < 0)
        return 1 - tx_normal_sf(-z);
    return z < 40 ? density(z) * mills(z) : 0;
}

double tx_normal_cdf(double z)
{
    return tx_normal_sf(-z);
}

/* Newton on log P(Z > z) = log p for p <= 1/2. The function is concave and P(Z > z) <= exp(-z^2/2) / 2, so from
 * z = sqrt(-2 log 2p) the iterates come down to the root and stop where rounding no longer lets them. */
static double upper_quantile(double p)
{
    double z = p < 0.5 ? sqrt(-2 * tx_log(2 * p)) : 0;
    for (int i = 0; i < 60; i++) {
        double tail = tx_normal_sf(z), next = z + tx_log1p((tail - p) / p) * tail / density(z);
        if (!(next < z))
            break;
        z = next;
    }
    return z > 0 ? z : 0;
}

double tx_normal_quantile(double p)
{
    if (!(p >= 0 && p <= 1))
        return undefined();
    if (p == 0 || p == 1)
        return p == 0 ? tx_log(0) : -tx_log(0);
    return p < 0.5 ? -upper_quantile(p) : upper_quantile(1 - p);
}

/* ------------------------------------------------------------------------ Student's t distribution */

/* log of Gamma(a + 1/2) / Gamma(a): Stirling's series for both at a >= 20, their large terms cancelled by hand, so
 * that the result is exact to its last digits for large a; below, by Gamma(a + 1) = a Gamma(a). */
static double log_gamma_half_step(double a)
{
    double product = 1;
    for (; a < 20; a += 1)
        product *= a / (a + 0.5);
    /* B_2k / (2k (2k - 1)), k = 6 .. 1: 691/360360, 1/1188, 1/1680, 1/1260, 1/360, 1/12; signs alternate */
    static const double series[6] = {0x1.f6ab0d9993c7dp-10, 0x1.b951e2b18ff23p-11, 0x1.3813813813814p-11,
                                     0x1.a01a01a01a01ap-11, 0x1.6c16c16c16c17p-9,  0x1.5555555555555p-4};
    double tail[2];
    for (int i = 0; i < 2; i++) {
        double r = 1 / (i ? a + 0.5 : a), sum = 0;
        for (int k = 0; k < 6; k++)
            sum = series[k] - r * r * sum;
        tail[i] = r * sum;
    }
    return a * tx_log1p(0.5 / a) - 0.5 + 0.5 * tx_log(a) + (tail[1] - tail[0]) + tx_log(product);
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), which converges quickly for
 * x < (a + 1) / (a + b + 2); the number of terms grows as sqrt(a). */
static double beta_fraction(double x, double a, double b)
{
    double f = 1;
    for (int m = 60 + (int)(6 * sqrt(fmax(a, b))); m >= 0; m--) {
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        f = 1 + odd / f;
        if (m > 0)
            f = 1 + m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) / f;
    }
    return 1 / f;
}

/* P(|T| > |t|) = I_x(dof/2, 1/2) with x = dof / (dof + t^2), rest = 1 - x given apart, for it may be tiny. */
static double student_tail(double x, double rest, double dof)
{
    double a = 0.5 * dof;
    if (!(dof > 0) || x != x)
        return undefined();
    if (x <= 0 || rest <= 0)
        return x <= 0 ? 0 : 1;
    double log_x = x < 0.5 ? tx_log(x) : tx_log1p(-rest);
    /* x^a (1-x)^(1/2) / B(a, 1/2), Gamma(1/2) = sqrt(pi) */
    double front = tx_exp(a * log_x + log_gamma_half_step(a)) * sqrt(rest) / 1.772453850905516;
    if (x < (a + 1) / (a + 2.5))
        return clip(front * beta_fraction(x, a, 0.5) / a, 0, 1);
    return clip(1 - front * beta_fraction(rest, 0.5, a) / 0.5, 0, 1);
}

double tx_student_p(double t, double dof)
{
    double square = t * t;
    if (square > 1e300)
        return dof > 0 ? 0 : undefined();
    return student_tail(dof / (dof + square), square / (dof + square), dof);
}
