/* bench_statistics.c - the statistics against their definitions in O(n^2), small cases worked by hand, tables of
 * the normal and Student's distributions from 50-digit arithmetic, every allocation failing in turn, and a digest
 * of results. test/stats.c compares with scipy and scikit-learn. */
#include "../bench/statistics.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { MOST = 400 };
static const double huge = HUGE_VAL;

static int near(double a, double b, double relative)
{
    return a == b || fabs(a - b) <= relative * fabs(b);
}

/* Scores with ties and labels of which some are missing. kind 0: continuous, 1: few values, 2: two values. */
static size_t make_case(uint64_t seed, int kind, double *a, double *b, signed char *label)
{
    size_t n = 3 + tx_random_below(seed, TX_RANDOM_TEST, 0, 0, MOST - 3);
    for (size_t i = 0; i < n; i++) {
        double z = (double)tx_random_normal(seed, TX_RANDOM_TEST, 1, i);
        double w = (double)tx_random_normal(seed, TX_RANDOM_TEST, 2, i);
        uint32_t draw = tx_random_below(seed, TX_RANDOM_TEST, 3, i, 10);
        label[i] = (signed char)(draw < 2 ? -1 : draw < 5);
        a[i] = z + (label[i] > 0);
        b[i] = 0.5 * a[i] + w;
        if (kind > 0) {
            a[i] = kind == 1 ? floor(2 * a[i]) : a[i] > 0;
            b[i] = kind == 1 ? floor(b[i]) : b[i] > 0;
        }
        if (label[i] < 0 && draw == 0)
            a[i] = huge - huge; /* scores of images without a label are not looked at */
    }
    return n;
}

/* (x > y) + (x == y) / 2 */
static double order(double x, double y)
{
    return x > y ? 1 : x == y ? 0.5 : 0;
}

/* Structural component of image i: the mean of order() against the other class. */
static double component(const double *s, const signed char *label, size_t n, size_t i)
{
    double sum = 0, others = 0;
    for (size_t j = 0; j < n; j++) {
        if (label[j] < 0 || label[j] == label[i])
            continue;
        sum += label[i] ? order(s[i], s[j]) : order(s[j], s[i]);
        others += 1;
    }
    return sum / others;
}

/* DeLong's covariance by definition; auc_a is the mean component. */
static double definition(const double *a, const double *b, const signed char *label, size_t n, double *auc_a)
{
    double result = 0;
    for (signed char c = 0; c <= 1; c++) {
        double mean_a = 0, mean_b = 0, count = 0, sum = 0;
        for (size_t i = 0; i < n; i++) {
            if (label[i] != c)
                continue;
            mean_a += component(a, label, n, i);
            mean_b += component(b, label, n, i);
            count += 1;
        }
        mean_a /= count;
        mean_b /= count;
        for (size_t i = 0; i < n; i++)
            if (label[i] == c)
                sum += (component(a, label, n, i) - mean_a) * (component(b, label, n, i) - mean_b);
        result += sum / (count - 1) / count;
        *auc_a = mean_a;
    }
    return result;
}

static double average_precision(const double *s, const signed char *label, size_t n)
{
    double sum = 0, positives = 0;
    for (size_t i = 0; i < n; i++) {
        if (label[i] <= 0)
            continue;
        double hits = 0, called = 0;
        for (size_t j = 0; j < n; j++) {
            called += label[j] >= 0 && s[j] >= s[i];
            hits += label[j] > 0 && s[j] >= s[i];
        }
        sum += hits / called;
        positives += 1;
    }
    return sum / positives;
}

static void check_threshold(const double *s, const signed char *label, size_t n, const char *name)
{
    tx_threshold_result best;
    CHECK(tx_best_threshold(s, label, n, &best) == TX_OK, "%s: %s", name, tx_error_message());
    double j_best = -2, sensitivity = 0, specificity = 0;
    for (size_t t = 0; t < n; t++) {
        double m = 0, k = 0, hits = 0, rejected = 0;
        for (size_t i = 0; label[t] >= 0 && i < n; i++) {
            m += label[i] > 0;
            k += label[i] == 0;
            hits += label[i] > 0 && s[i] >= s[t];
            rejected += label[i] == 0 && s[i] < s[t];
        }
        double j = label[t] >= 0 ? (hits * k + rejected * m - m * k) / (m * k) : -3;
        if (j > j_best || (j == j_best && hits / m > sensitivity)) {
            j_best = j;
            sensitivity = hits / m;
            specificity = rejected / k;
        }
        if (label[t] >= 0 && s[t] == best.threshold)
            CHECK(near(best.sensitivity, hits / m, 1e-15) && near(best.specificity, rejected / k, 1e-15),
                  "%s: threshold %g does not give its own sensitivity", name, s[t]);
    }
    CHECK(near(best.youden, j_best, 1e-14) && best.sensitivity == sensitivity && best.specificity == specificity,
          "%s: J %g, sensitivity %g, expected %g, %g", name, best.youden, best.sensitivity, j_best, sensitivity);
}

static void check_definitions(void)
{
    static double a[MOST], b[MOST];
    static signed char label[MOST];
    for (uint64_t seed = 0; seed < 30; seed++) {
        size_t n = make_case(seed, (int)(seed % 3), a, b, label);
        char name[32];
        snprintf(name, sizeof name, "case %d, n %d", (int)seed, (int)n);
        tx_delong_result d;
        tx_auc_result alone;
        double precision, auc_a, auc_b, cover_ab, cover_aa, cover_bb;
        CHECK(tx_delong(a, b, label, n, &d) == TX_OK, "%s: %s", name, tx_error_message());
        CHECK(tx_auc_of(a, label, n, &alone) == TX_OK, "%s: %s", name, tx_error_message());
        if (d.a.positives < 2 || d.a.negatives < 2)
            continue;
        cover_ab = definition(a, b, label, n, &auc_a);
        cover_aa = definition(a, a, label, n, &auc_a);
        cover_bb = definition(b, b, label, n, &auc_b);
        CHECK(near(d.a.auc, auc_a, 1e-14) && near(d.b.auc, auc_b, 1e-14), "%s: AUC %.17g, expected %.17g", name,
              d.a.auc, auc_a);
        CHECK(near(d.a.se, sqrt(cover_aa), 1e-12), "%s: se %.17g, expected %.17g", name, d.a.se, sqrt(cover_aa));
        CHECK(fabs(d.covariance - cover_ab) < 1e-12 * sqrt(cover_aa * cover_bb), "%s: covariance %.17g, expected %.17g",
              name, d.covariance, cover_ab);
        double variance = cover_aa + cover_bb - 2 * cover_ab;
        CHECK(near(d.z, (auc_a - auc_b) / sqrt(variance), 1e-10) || fabs(d.difference) < 1e-12, "%s: z %.17g", name,
              d.z);
        CHECK(near(d.p, erfc(fabs(d.z) / sqrt(2)), 1e-12), "%s: p %.17g", name, d.p);
        CHECK(alone.auc == d.a.auc && alone.se == d.a.se && alone.low == d.a.low, "%s: AUC alone differs", name);
        CHECK(tx_average_precision(a, label, n, &precision) == TX_OK &&
                  near(precision, average_precision(a, label, n), 1e-13),
              "%s: precision %.17g", name, precision);
        check_threshold(a, label, n, name);
    }
}

/* A case that fits on paper: positives 3 2 2, negatives 2 1. Pairs in order: 3>2 3>1 2=2 2>1 2=2 2>1: 5 of 6. */
static void check_by_hand(void)
{
    const double score[] = {3, 2, 2, 2, 1}, p[] = {0.05, 0.15, 0.95, 1, 0.3};
    const signed char label[] = {1, 1, 1, 0, 0}, calibration[] = {0, 1, 1, 0, -1};
    tx_auc_result r;
    CHECK(tx_auc_of(score, label, 5, &r) == TX_OK && r.positives == 3 && r.negatives == 2, "counts");
    CHECK(near(r.auc, 5.0 / 6, 1e-15), "AUC %.17g", r.auc);
    /* positives' components 1, 3/4, 3/4: variance 1/48; negatives' 2/3, 1: 1/18. 1/48/3 + 1/18/2 = 5/144 */
    CHECK(near(r.se, sqrt(5.0 / 144), 1e-14), "se %.17g", r.se);
    double logit = log(5), half = TX_NORMAL_95 * sqrt(5.0 / 144) / (5.0 / 36);
    CHECK(near(r.low, 1 / (1 + exp(half - logit)), 1e-13) && near(r.high, 1 / (1 + exp(-half - logit)), 1e-13),
          "interval %.17g %.17g", r.low, r.high);
    CHECK(strcmp(r.method, "delong-logit") == 0, "method %s", r.method);
    tx_threshold_result t;
    CHECK(tx_best_threshold(score, label, 5, &t) == TX_OK && t.threshold == 2 && t.sensitivity == 1 &&
              t.specificity == 0.5,
          "threshold %g", t.threshold);
    double error; /* bins [0,.1): .05; [.1,.2): .85; [.9,1]: |1 - 1.95| */
    CHECK(tx_calibration_error(p, calibration, 5, &error) == TX_OK && near(error, (0.05 + 0.85 + 0.95) / 4, 1e-14),
          "calibration error %.17g", error);
}

static void check_edges(void)
{
    const double up[] = {1, 2, 3, 4}, nan[] = {1, huge - huge, 3, 4}, wild[] = {-1e308, -0.0, 0, 1e308},
                 infinite[] = {1, 2, -huge, 4}, flat[] = {0.1, 0.1, 0.1, 0.1}, out[] = {0.5, 1.5};
    const signed char split[] = {0, 0, 1, 1}, reversed[] = {1, 1, 0, 0}, one[] = {0, 0, 0, 0}, single[] = {1, 0, 0, 0};
    const signed char masked[] = {0, -1, 1, 1}, pair[] = {0, 1};
    tx_auc_result r;
    tx_delong_result d;
    tx_threshold_result t;
    double v;
    tx_auc_of(up, split, 4, &r);
    CHECK(r.auc == 1 && r.se == 0 && r.low == 1 && r.high == 1 && strcmp(r.method, "delong-clipped") == 0, "perfect");
    tx_auc_of(up, reversed, 4, &r);
    CHECK(r.auc == 0 && r.low == 0 && r.high == 0 && strcmp(r.method, "delong-clipped") == 0, "reversed");
    tx_auc_of(up, one, 4, &r);
    CHECK(r.positives == 0 && r.negatives == 4 && r.auc != r.auc && strcmp(r.method, "undefined") == 0, "one class");
    tx_auc_of(up, single, 4, &r);
    CHECK(r.auc == 0 && r.se != r.se && r.low != r.low && strcmp(r.method, "undefined") == 0, "one positive");
    tx_auc_of(up, split, 0, &r);
    CHECK(r.positives == 0 && r.auc != r.auc, "no image");
    tx_auc_of(wild, split, 4, &r);
    CHECK(r.auc == 0.875, "huge scores and zeros of both signs: %g", r.auc);
    tx_auc_of(flat, split, 4, &r);
    CHECK(r.auc == 0.5 && r.se == 0 && isnan(r.low) && isnan(r.high) && strcmp(r.method, "constant") == 0,
          "equal scores have no interval: %g to %g, %s", r.low, r.high, r.method);
    CHECK(tx_auc_of(infinite, split, 4, &r) == TX_ERR_ARGUMENT && isnan(r.auc) &&
              strstr(tx_error_message(), "score 3 of 4 is infinite"),
          "infinite score: %s", tx_error_message());
    CHECK(tx_best_threshold(infinite, split, 4, &t) == TX_ERR_ARGUMENT && isnan(t.threshold), "infinite score");
    CHECK(tx_auc_of(nan, split, 4, &r) == TX_ERR_ARGUMENT && r.auc != r.auc, "NaN score");
    CHECK(strstr(tx_error_message(), "score 2 of 4"), "message: %s", tx_error_message());
    CHECK(tx_auc_of(nan, masked, 4, &r) == TX_OK && r.auc == 1, "NaN score without a label");
    CHECK(tx_delong(up, nan, split, 4, &d) == TX_ERR_ARGUMENT && d.a.auc != d.a.auc && d.p != d.p, "NaN in b");
    CHECK(tx_delong(up, up, split, 4, &d) == TX_OK && d.difference == 0 && d.z != d.z && d.p != d.p,
          "equal classifiers");
    CHECK(tx_delong(up, up, single, 4, &d) == TX_OK && d.a.auc == 0 && d.difference == 0 &&
              d.covariance != d.covariance,
          "one positive");
    CHECK(tx_average_precision(up, one, 4, &v) == TX_OK && v != v, "precision with one class");
    CHECK(tx_threshold_at(up, split, 4, 2, &t) == TX_OK && t.threshold == 2 && t.sensitivity == 1 &&
              t.specificity == 0.5 && t.youden == 0.5,
          "at 2: %g, %g, %g", t.sensitivity, t.specificity, t.youden);
    CHECK(tx_threshold_at(up, reversed, 4, 2.5, &t) == TX_OK && t.sensitivity == 0 && t.specificity == 0 &&
              t.youden == -1,
          "at 2.5: %g, %g, %g", t.sensitivity, t.specificity, t.youden);
    CHECK(tx_threshold_at(nan, masked, 4, 3, &t) == TX_OK && t.sensitivity == 1 && t.specificity == 1,
          "what is not annotated is not counted");
    CHECK(tx_threshold_at(up, one, 4, 3, &t) == TX_OK && isnan(t.sensitivity) && t.specificity == 0.5 &&
              isnan(t.youden),
          "no positive");
    CHECK(tx_threshold_at(up, split, 4, (double)NAN, &t) == TX_OK && isnan(t.threshold) && isnan(t.sensitivity),
          "no threshold");
    CHECK(tx_threshold_at(infinite, split, 4, 2, &t) == TX_ERR_ARGUMENT && isnan(t.sensitivity), "infinite score");
    CHECK(tx_best_threshold(up, one, 4, &t) == TX_OK && t.threshold != t.threshold, "threshold with one class");
    CHECK(tx_best_threshold(up, reversed, 4, &t) == TX_OK && t.threshold == 1 && t.sensitivity == 1 && t.youden == 0,
          "worse than chance: threshold %g", t.threshold);
    CHECK(tx_calibration_error(out, pair, 2, &v) == TX_ERR_ARGUMENT && v != v, "probability 1.5");
    CHECK(tx_calibration_error(out, pair, 0, &v) == TX_OK && v != v, "no probability");
}

static void check_correlation(void)
{
    const double x[] = {1, 2, 3, 4, 5}, y[] = {2, 1, 4, 3, 5}, flat[] = {7, 7, 7, 7, 7}, ties[] = {1, 1, 2, 2, 3};
    const double large[] = {1e300, 2e300, 3e300, 4e300, 5e300}, small[] = {2e-300, 1e-300, 4e-300, 3e-300, 5e-300};
    double rank[5];
    tx_spearman_result s;
    CHECK(tx_midranks(ties, 5, rank) == TX_OK && rank[0] == 1.5 && rank[1] == 1.5 && rank[3] == 3.5 && rank[4] == 5,
          "midranks");
    /* sum of squared rank differences 4: rho = 1 - 6*4/(5*24) = 0.8; p of t = 0.8 sqrt(3 / 0.36), 3 degrees of
     * freedom */
    CHECK(tx_spearman(x, y, 5, &s) == TX_OK && near(s.rho, 0.8, 1e-15), "rho %.17g", s.rho);
    CHECK(near(s.p, 0.10408803866182788, 1e-13), "p %.17g", s.p);
    double half = TX_NORMAL_95 * sqrt(1.32 / 2);
    CHECK(near(s.low, tanh(atanh(0.8) - half), 1e-13) && near(s.high, tanh(atanh(0.8) + half), 1e-13), "interval %g %g",
          s.low, s.high);
    CHECK(near(tx_kendall(x, y, 5), 0.6, 1e-15), "tau %.17g", tx_kendall(x, y, 5)); /* 8 concordant, 2 discordant */
    CHECK(near(tx_kendall(x, ties, 5), 8 / sqrt(80), 1e-15), "tau-b %.17g", tx_kendall(x, ties, 5));
    CHECK(near(tx_pearson(x, y, 5), 0.8, 1e-15) && near(tx_pearson(large, small, 5), 0.8, 1e-14), "pearson %.17g",
          tx_pearson(large, small, 5));
    CHECK(tx_pearson(x, x, 5) == 1 && tx_spearman(x, x, 5, &s) == TX_OK && s.rho == 1 && s.p == 0 && s.low == 1,
          "identity");
    CHECK(tx_spearman(x, flat, 5, &s) == TX_OK && s.rho != s.rho && s.p != s.p && s.low != s.low, "flat");
    CHECK(tx_pearson(x, flat, 5) != tx_pearson(x, flat, 5) && tx_kendall(flat, x, 5) != tx_kendall(flat, x, 5), "flat");
    CHECK(tx_spearman(x, y, 2, &s) == TX_OK && s.rho == -1 && s.p != s.p && s.low != s.low, "two points");
    CHECK(tx_spearman(x, y, 0, &s) == TX_OK && s.rho != s.rho, "no point");
}

static void check_normal(void)
{
    static const double sf[][2] = {
        {-3.0, 0.99865010196836990547},
        {-0.5, 0.69146246127401310364},
        {0.0, 0.5},
        {1e-10, 0.49999999996010577196},
        {0.1, 0.46017216272297101633},
        {0.5, 0.30853753872598689636},
        {1.0, 0.15865525393145705141},
        {1.5, 0.066807201268858066004},
        {1.9999, 0.022755531584767186476},
        {2.0, 0.0227501319481792072},
        {2.0001, 0.022744733391410547102},
        {2.5, 0.006209665325776135167},
        {3.0, 0.0013498980316300945267},
        {5.0, 2.8665157187919391167e-7},
        {8.0, 6.2209605742717841235e-16},
        {12.0, 1.7764821120776789977e-33},
        {16.5, 1.83446300316473111e-61},
        {16.7, 6.553239781942407519e-63},
        {20.0, 2.7536241186062336951e-89},
        {30.0, 4.9067139271481870595e-198},
        {37.5, 4.6053530095819548438e-308},
        {50, 0},
        {-50, 1},
    };
    static const double quantile[][2] = {
        {1e-300, -37.047096299361199237}, {1e-60, -16.39727821271871048},        {1e-20, -9.2623400897984075796},
        {1e-10, -6.3613409024040561991},  {0.001, -3.0902323061678135354},       {0.025, -1.9599639845400542118},
        {0.1, -1.2815515655446004353},    {0.25, -0.6744897501960817432},        {0.4, -0.25334710313579974132},
        {0.49, -0.025068908258711058033}, {0.499999, -2.5066282745665593779e-6},
    };
    for (size_t i = 0; i < sizeof sf / sizeof sf[0]; i++) {
        double got = tx_normal_sf(sf[i][0]);
        CHECK(near(got, sf[i][1], 2e-14), "sf(%g) = %.17g, off by %.2g", sf[i][0], got, got / sf[i][1] - 1);
        CHECK(tx_normal_cdf(-sf[i][0]) == got, "cdf(%g) is not sf(-z)", -sf[i][0]);
    }
    for (size_t i = 0; i < sizeof quantile / sizeof quantile[0]; i++) {
        double got = tx_normal_quantile(quantile[i][0]);
        CHECK(fabs(got - quantile[i][1]) <= 4e-16 + 1e-15 * fabs(quantile[i][1]), "quantile(%g) = %.17g",
              quantile[i][0], got);
    }
    for (double p = 0.5; p < 1; p += 1.0 / 64)
        CHECK(tx_normal_quantile(p) == -tx_normal_quantile(1 - p), "quantile(%g) is not odd", p);
    CHECK(tx_normal_quantile(0) == -huge && tx_normal_quantile(1) == huge && tx_normal_quantile(0.5) == 0, "ends");
    CHECK(isnan(tx_normal_quantile(-0.1)) && isnan(tx_normal_quantile(1.1)) && isnan(tx_normal_quantile(huge - huge)),
          "outside");
    CHECK(isnan(tx_normal_sf(huge - huge)) && tx_normal_sf(huge) == 0 && tx_normal_sf(-huge) == 1, "sf of no number");
}

static void check_student(void)
{
    static const double table[][3] = {
        /* t, degrees of freedom, P(|T| > t) */
        {0, 5, 1},
        {1e-8, 3, 0.99999999264894806104},
        {0.1, 1, 0.93654896513889285747},
        {1, 1, 0.5},
        {1, 2, 0.42264973081037423549},
        {12.706204736174698, 1, 0.05000000000000002722},
        {2, 14, 0.065287952889111968506},
        {3.5, 14, 0.0035352081058589602797},
        {10, 14, 9.3413942258054497934e-8},
        {0.5, 14, 0.6248419162396947472},
        {1.96, 1000, 0.050273184955748718435},
        {5, 1000, 6.7672563646486303819e-7},
        {1, 1e6, 0.31731074983357812928},
        {40, 8, 1.678571887914579211e-10},
        {1e5, 8, 1.1199999967744000059e-37},
        {1e9, 8, 1.1199999999999999677e-69},
        {1e3, 100, 7.9196186079478519077e-202},
        {2.5, 2.5, 0.10456996307815538725},
        {0.3, 300, 0.76438491882814131927},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double got = tx_student_p(-table[i][0], table[i][1]);
        CHECK(near(got, table[i][2], 2e-13), "t %g, dof %g: %.17g, off by %.2g", table[i][0], table[i][1], got,
              got / table[i][2] - 1);
    }
    CHECK(tx_student_p(huge, 4) == 0 && isnan(tx_student_p(1, 0)) && isnan(tx_student_p(huge - huge, 3)), "ends");
}

static int every_statistic(const double *a, const double *b, const signed char *label, size_t n)
{
    static double rank[MOST];
    tx_auc_result r;
    tx_delong_result d;
    tx_threshold_result t;
    tx_spearman_result s;
    double v;
    return tx_auc_of(a, label, n, &r) || tx_delong(a, b, label, n, &d) || tx_average_precision(a, label, n, &v) ||
           tx_best_threshold(a, label, n, &t) || tx_midranks(b, n, rank) || tx_spearman(b, rank, n, &s);
}

static void check_memory(void)
{
    static double a[MOST], b[MOST];
    static signed char label[MOST];
    size_t n = make_case(2, 1, a, b, label);
    long live = tx_alloc_live();
    tx_alloc_fail_after(-1);
    CHECK(every_statistic(a, b, label, n) == 0, "%s", tx_error_message());
    long calls = tx_alloc_count();
    CHECK(calls > 8, "%ld allocations", calls);
    for (long i = 0; i < calls; i++) {
        tx_alloc_fail_after(i);
        CHECK(every_statistic(a, b, label, n) != 0, "allocation %ld failed unseen", i);
        CHECK(tx_alloc_live() == live, "after failure %ld memory is kept", i);
    }
    tx_alloc_fail_after(-1);
}

static void add_value(tx_sha256 *s, double value)
{
    uint64_t u = 0x7ff8000000000000u;
    if (value == value)
        memcpy(&u, &value, sizeof u);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(u >> (8 * i));
    tx_sha256_add(s, bytes, sizeof bytes);
}

/* The same bits from every build. */
static void check_digest(void)
{
    const char *expected = "b16db65ad2e47586";
    static double a[MOST], b[MOST];
    static signed char label[MOST];
    tx_sha256 s;
    tx_sha256_begin(&s);
    for (uint64_t seed = 100; seed < 130; seed++) {
        size_t n = make_case(seed, (int)(seed % 3), a, b, label);
        tx_delong_result d;
        tx_spearman_result r;
        double v = 0;
        CHECK(tx_delong(a, b, label, n, &d) == TX_OK && tx_average_precision(a, label, n, &v) == TX_OK, "case %d",
              (int)seed);
        const double all[] = {d.a.auc,      d.a.se,          d.a.low, d.a.high, d.b.low, d.b.high,
                              d.covariance, d.difference_se, d.z,     d.p,      v};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            add_value(&s, all[i]);
        for (size_t i = 0; i < n; i++)
            a[i] = a[i] == a[i] ? a[i] : 0;
        CHECK(tx_spearman(a, b, n, &r) == TX_OK, "case %d", (int)seed);
        const double ranks[] = {r.rho, r.p, r.low, r.high, tx_pearson(a, b, n), tx_kendall(a, b, n)};
        for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
            add_value(&s, ranks[i]);
        for (int i = 0; i < 40; i++) {
            add_value(&s, tx_normal_sf(a[0] + i * 0.7));
            add_value(&s, tx_normal_quantile((double)tx_random_uniform(seed, TX_RANDOM_TEST, 9, (uint64_t)i)));
            add_value(&s, tx_student_p(a[0] + i * 0.7, 1 + 0.5 * i));
        }
    }
    char hex[65];
    tx_sha256_end(&s, hex);
    hex[16] = 0;
    CHECK(strcmp(hex, expected) == 0, "digest of statistics is %s, expected %s", hex, expected);
}

int main(void)
{
    check_definitions();
    check_by_hand();
    check_edges();
    check_correlation();
    check_normal();
    check_student();
    check_memory();
    check_digest();
    return test_done("bench_statistics");
}
