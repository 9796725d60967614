/* bench_bootstrap.c - the bootstrap against its definition: resampled units written out, pairs compared one by one. Ties,
 * groups, missing labels, classes that a replicate lacks, any number of threads; percentiles and Holm's adjustment against
 * numpy's and R's figures; every allocation failing in turn. */
#include "../bench/bootstrap.h"
#include "../bench/statistics.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { MOST = 90, MODELS = 3, REPLICATES = 37 };

typedef struct sample {
    size_t n, groups;
    double score[MODELS][MOST];
    const double *model[MODELS];
    signed char label[MOST];
    uint32_t group[MOST];
} sample;

static uint32_t below(uint64_t seed, uint64_t step, uint64_t i, uint32_t n)
{
    return tx_random_below(seed, TX_RANDOM_TEST, step, i, n);
}

/* One model has continuous scores, one has few values, one is constant. */
static void make_sample(sample *s, uint64_t seed)
{
    s->n = below(seed, 0, 0, MOST);
    s->groups = 1 + below(seed, 0, 1, MOST);
    uint32_t rare = 2 + below(seed, 0, 2, 8);
    for (size_t m = 0; m < MODELS; m++)
        s->model[m] = s->score[m];
    for (size_t i = 0; i < s->n; i++) {
        uint32_t what = below(seed, 1, i, 2 + rare);
        s->label[i] = (signed char)(what == 0 ? -1 : what == 1);
        s->group[i] = below(seed, 2, i, (uint32_t)s->groups);
        double z = (double)tx_random_normal(seed, TX_RANDOM_TEST, 3, i) + (s->label[i] > 0);
        s->score[0][i] = s->label[i] < 0 ? HUGE_VAL : z;
        s->score[1][i] = floor(2 * z);
        s->score[2][i] = 7;
    }
}

/* The replicate's AUC by definition: each pair as often as its two units were drawn. */
static double definition(const sample *s, size_t m, uint64_t seed, size_t replicate)
{
    uint64_t drawn[MOST] = {0}, pairs = 0, twice = 0;
    for (size_t i = 0; i < s->groups; i++)
        drawn[tx_random_below(seed, TX_RANDOM_BOOTSTRAP, replicate, i, (uint32_t)s->groups)]++;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->n; j++) {
            if (s->label[i] != 1 || s->label[j] != 0)
                continue;
            uint64_t times = drawn[s->group[i]] * drawn[s->group[j]];
            double a = s->score[m][i], b = s->score[m][j];
            pairs += times;
            twice += times * (a > b ? 2 : a == b);
        }
    return pairs ? (double)twice / (2 * (double)pairs) : (double)NAN;
}

static int same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_definition(void)
{
    static sample s;
    static double value[MODELS * REPLICATES];
    long undefined = 0, defined = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        make_sample(&s, seed);
        CHECK(tx_bootstrap_auc(s.model, MODELS, s.label, s.group, s.n, s.groups, REPLICATES, seed, value) == TX_OK,
              "case %d: %s", (int)seed, tx_error_message());
        for (size_t m = 0; m < MODELS; m++)
            for (size_t r = 0; r < REPLICATES; r++) {
                double wanted = definition(&s, m, seed, r), got = value[m * REPLICATES + r];
                CHECK(same(got, wanted), "case %d, model %d, replicate %d: %.17g, expected %.17g", (int)seed, (int)m,
                      (int)r, got, wanted);
                CHECK(m < 2 || isnan(got) || got == 0.5, "case %d: equal scores have AUC %g", (int)seed, got);
                undefined += isnan(got);
                defined += !isnan(got);
            }
    }
    CHECK(undefined > 100 && defined > 1000, "%ld undefined and %ld defined replicates: too few to tell", undefined,
          defined);
}

/* Means of what each unit has, as often as it was drawn; those without a number are passed over. */
static void check_averages(void)
{
    static sample s;
    static double value[2 * REPLICATES];
    for (uint64_t seed = 0; seed < 30; seed++) {
        make_sample(&s, seed);
        for (size_t i = 0; i < s.n; i++)
            s.score[0][i] = s.label[i] < 0 ? (double)NAN : s.score[1][i] / 8;
        CHECK(tx_bootstrap_average(s.model, 2, s.group, s.n, s.groups, REPLICATES, seed, value) == TX_OK, "case %d: %s",
              (int)seed, tx_error_message());
        for (size_t k = 0; k < 2 * REPLICATES; k++) {
            size_t m = k / REPLICATES, r = k % REPLICATES;
            double sum = 0, units = 0;
            for (size_t i = 0; i < s.groups; i++)
                for (size_t u = 0; u < s.n; u++) {
                    int drawn = s.group[u] == tx_random_below(seed, TX_RANDOM_BOOTSTRAP, r, i, (uint32_t)s.groups);
                    if (!drawn || isnan(s.score[m][u]))
                        continue;
                    sum += s.score[m][u];
                    units++;
                }
            CHECK(same(value[k], units > 0 ? sum / units : (double)NAN), "case %d, replicate %d: mean %.17g of %g",
                  (int)seed, (int)r, value[k], units);
        }
    }
}

/* The same whatever the threads, beside other models, among more replicates; other draws with another seed. */
static void check_draws(void)
{
    enum { MORE = 100 };
    static sample s;
    static double value[MODELS * MORE], other[MODELS * MORE];
    static const int threads[] = {2, 3, 7};
    int before = tx_threads();
    make_sample(&s, 4);
    CHECK(tx_set_threads(1) == TX_OK, "%s", tx_error_message());
    tx_bootstrap_auc(s.model, MODELS, s.label, s.group, s.n, s.groups, MORE, 9, value);
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        CHECK(tx_set_threads(threads[t]) == TX_OK, "%s", tx_error_message());
        tx_bootstrap_auc(s.model, MODELS, s.label, s.group, s.n, s.groups, MORE, 9, other);
        CHECK(memcmp(value, other, sizeof value) == 0, "%d threads give other bits than 1", threads[t]);
    }
    CHECK(tx_set_threads(before) == TX_OK, "%s", tx_error_message());
    tx_bootstrap_auc(s.model + 1, 1, s.label, s.group, s.n, s.groups, REPLICATES, 9, other);
    CHECK(memcmp(value + MORE, other, REPLICATES * sizeof *other) == 0,
          "a model alone, in fewer replicates, is another");
    tx_bootstrap_auc(s.model, 1, s.label, s.group, s.n, s.groups, MORE, 10, other);
    CHECK(memcmp(value, other, MORE * sizeof *other) != 0, "the seed is not read");
    uint32_t each[MOST];
    for (size_t i = 0; i < s.n; i++)
        each[i] = (uint32_t)i;
    tx_bootstrap_auc(s.model, MODELS, s.label, each, s.n, s.n, REPLICATES, 9, value);
    tx_bootstrap_auc(s.model, MODELS, s.label, NULL, s.n, s.n, REPLICATES, 9, other);
    CHECK(memcmp(value, other, MODELS * REPLICATES * sizeof *value) == 0, "groups of one unit, and none");
}

/* Two groups, a class each: a replicate has both, and the sample's AUC of 2.5 10^9 pairs, or lacks a class. Scores of the
 * classes that overlap, and that do not. */
static void check_large(void)
{
    enum { HALF = 50000 };
    double *score = tx_alloc(2 * HALF, sizeof *score), value[REPLICATES];
    signed char *label = tx_alloc(2 * HALF, 1);
    uint32_t *group = tx_alloc(2 * HALF, sizeof *group);
    tx_auc_result whole;
    const double *one = score;
    for (int shift = 800; shift <= 1000; shift += 200) {
        size_t both = 0;
        for (size_t i = 0; i < 2 * HALF; i++) {
            label[i] = (signed char)(i % 2);
            group[i] = (uint32_t)(i % 2);
            score[i] = (double)below(1, 5, i, 1000) + shift * label[i];
        }
        CHECK(tx_auc_of(score, label, 2 * HALF, &whole) == TX_OK, "%s", tx_error_message());
        CHECK(tx_bootstrap_auc(&one, 1, label, group, 2 * HALF, 2, REPLICATES, 3, value) == TX_OK, "%s",
              tx_error_message());
        for (size_t r = 0; r < REPLICATES; r++) {
            CHECK(isnan(value[r]) || value[r] == whole.auc, "%.17g, expected %.17g", value[r], whole.auc);
            both += isnan(value[r]) ? 0 : 1;
        }
        CHECK(both > 8 && both < REPLICATES - 8, "%zu of %d replicates have both", both, (int)REPLICATES);
    }
    memset(group, 0, 2 * HALF * sizeof *group);
    CHECK(tx_bootstrap_auc(&one, 1, label, group, 2 * HALF, 1342, REPLICATES, 3, value) == TX_OK &&
              tx_bootstrap_auc(&one, 1, label, group, 2 * HALF, 1343, REPLICATES, 3, value) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "1343 groups of up to 100000 units"),
          "%s", tx_error_message());
    tx_free(score);
    tx_free(label);
    tx_free(group);
}

static void check_refused(void)
{
    static const double score[4] = {1, 2, 3, 4}, odd[4] = {1, HUGE_VAL, 3, (double)NAN};
    static const signed char label[4] = {0, 1, 0, 1}, few[4] = {0, -1, 1, -1};
    static const uint32_t group[4] = {0, 1, 2, 2};
    const double *one = score, *bad = odd;
    double value[3] = {7, 7, 7};
    CHECK(tx_bootstrap_auc(&one, 1, label, group, 4, 2, 3, 0, value) == TX_ERR_ARGUMENT && isnan(value[0]) &&
              isnan(value[2]) && strstr(tx_error_message(), "unit 3 is of group 2"),
          "%s", tx_error_message());
    CHECK(tx_bootstrap_auc(&one, 1, label, NULL, 4, 5, 3, 0, value) == TX_ERR_ARGUMENT, "five groups of four units");
    CHECK(tx_bootstrap_auc(&bad, 1, label, group, 4, 3, 3, 0, value) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "score 2 of 4 is infinite"),
          "%s", tx_error_message());
    CHECK(tx_bootstrap_auc(&bad, 1, few, group, 4, 3, 3, 0, value) == TX_OK, "%s", tx_error_message());
    CHECK(tx_bootstrap_auc(&one, 1, label, group, 4, ((size_t)1 << 27) + 1, 3, 0, value) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "groups of up to 1 units"),
          "%s", tx_error_message());
    value[1] = 7;
    CHECK(tx_bootstrap_auc(&one, 1, label, NULL, 0, 0, 3, 0, value) == TX_OK && isnan(value[1]), "no unit: %s",
          tx_error_message());
}

/* Percentiles, mean and deviation are numpy's. */
static void check_intervals(void)
{
    enum { N = 40 };
    double x[N + 3];
    tx_interval i;
    for (int k = 0; k < N; k++)
        x[k < 7 ? k : k + 1] = k * k * 37 % 101 / 101.0;
    x[7] = x[N + 1] = x[N + 2] = (double)NAN;
    CHECK(tx_bootstrap_interval(x, N + 3, &i) == TX_OK && i.undefined == 3, "%zu undefined", i.undefined);
    CHECK(i.low == 0.009653465346534655 && i.high == 0.9611386138613861, "%.17g to %.17g", i.low, i.high);
    CHECK(fabs(i.mean - 0.5138613861386139) < 1e-15 && fabs(i.sd - 0.30707233708467585) < 1e-15, "%.17g, sd %.17g",
          i.mean, i.sd);
    CHECK(tx_bootstrap_interval(x + 7, 2, &i) == TX_OK && i.undefined == 1 && i.low == x[8] && i.high == x[8] &&
              i.mean == x[8] && isnan(i.sd),
          "one value: %g to %g, sd %g", i.low, i.high, i.sd);
    CHECK(tx_bootstrap_interval(x + N + 1, 2, &i) == TX_OK && i.undefined == 2 && isnan(i.low) && isnan(i.high) &&
              isnan(i.mean) && isnan(i.sd),
          "none");
    CHECK(tx_bootstrap_interval(x, 0, &i) == TX_OK && i.undefined == 0 && isnan(i.low), "no replicate");
}

static void check_differences(void)
{
    const double nan = (double)NAN;
    const double a[] = {3, 2, 5, nan, 1, 4, 2, 2, 6}, b[] = {1, 3, 2, 1, nan, 3, 2, 1, 2};
    const double d[] = {2, -1, 3, nan, nan, 1, 0, 1, 4}, zero[] = {0, 0, 0}, same_sign[] = {1, 2, 3};
    tx_bootstrap_difference of;
    tx_interval i;
    CHECK(tx_bootstrap_p(d, 9) == 2 * 3.0 / 8, "p %.17g", tx_bootstrap_p(d, 9));
    CHECK(tx_bootstrap_compare(a, b, 9, &of) == TX_OK && tx_bootstrap_interval(d, 9, &i) == TX_OK, "%s",
          tx_error_message());
    CHECK(of.p == 0.75 && of.interval.undefined == 2 && of.interval.low == i.low && of.interval.high == i.high,
          "p %g, %g to %g", of.p, of.interval.low, of.interval.high);
    CHECK(tx_bootstrap_compare(b, a, 9, &of) == TX_OK && of.p == 0.75 && fabs(of.interval.high + i.low) < 1e-15,
          "turned round");
    CHECK(tx_bootstrap_p(zero, 3) == 1 && tx_bootstrap_p(same_sign, 3) == 0.5, "equal: %g, apart: %g",
          tx_bootstrap_p(zero, 3), tx_bootstrap_p(same_sign, 3));
    CHECK(isnan(tx_bootstrap_p(d + 3, 2)) && isnan(tx_bootstrap_p(d, 0)), "of nothing");
}

static void check_means(void)
{
    const double nan = (double)NAN;
    const double a[] = {1, 2, nan}, b[] = {3, nan, 5}, c[] = {8, nan, 8}, none[] = {0, -1, nan}, two[] = {1, 0, 3};
    const double *const value[] = {a, b, c};
    double mean[3];
    tx_bootstrap_mean(value, two, 3, 3, mean);
    CHECK(mean[0] == 25.0 / 4 && isnan(mean[1]) && isnan(mean[2]), "%g, %g, %g", mean[0], mean[1], mean[2]);
    tx_bootstrap_mean(value, two, 1, 3, mean);
    CHECK(mean[0] == 1 && mean[1] == 2 && isnan(mean[2]), "%g, %g, %g", mean[0], mean[1], mean[2]);
    tx_bootstrap_mean(value, none, 3, 3, mean);
    CHECK(isnan(mean[0]), "without a weight: %g", mean[0]);
}

static void check_correlations(void)
{
    enum { POINTS = 5, R = 4 };
    const double nan = (double)NAN, x[POINTS] = {1, 2, 3, 4, 5};
    /* a row a point: the second replicate is scipy's case with a tie, the third constant, the fourth undefined */
    const double y[POINTS * R] = {5, 0.5, 1, 1, 4, 0.25, 1, 2, 3, 0.75, 1, nan, 2, 0.75, 1, 4, 1, 1, 1, 5};
    double rho[R], rows[POINTS * R];
    CHECK(tx_bootstrap_spearman(x, 0, y, POINTS, R, rho) == TX_OK, "%s", tx_error_message());
    CHECK(rho[0] == -1 && fabs(rho[1] - 0.8720815992723809) < 1e-15 && isnan(rho[2]) && isnan(rho[3]),
          "%.17g, %.17g, %g, %g", rho[0], rho[1], rho[2], rho[3]);
    for (int i = 0; i < POINTS * R; i++)
        rows[i] = i % R ? x[i / R] : -x[i / R];
    CHECK(tx_bootstrap_spearman(rows, 1, y, POINTS, R, rho) == TX_OK, "%s", tx_error_message());
    CHECK(rho[0] == 1 && fabs(rho[1] - 0.8720815992723809) < 1e-15 && isnan(rho[2]) && isnan(rho[3]),
          "%.17g, %.17g, %g, %g", rho[0], rho[1], rho[2], rho[3]);
    CHECK(tx_bootstrap_spearman(x, 0, y, 1, R, rho) == TX_OK && isnan(rho[0]), "one point: %g", rho[0]);
}

/* R: p.adjust(p, "holm"). */
static void check_holm(void)
{
    const double p[] = {0.01, 0.04, (double)NAN, 0.03, 0.005, 0.03, 1, 0.5};
    const double wanted[] = {0.06, 0.15, (double)NAN, 0.15, 0.035, 0.15, 1, 1};
    double adjusted[8];
    tx_holm(p, 8, adjusted);
    for (int i = 0; i < 8; i++)
        CHECK(fabs(adjusted[i] - wanted[i]) < 1e-15 || (isnan(adjusted[i]) && isnan(wanted[i])), "p %g: %.17g, not %g",
              p[i], adjusted[i], wanted[i]);
    tx_holm(p, 1, adjusted);
    CHECK(adjusted[0] == 0.01, "one comparison: %g", adjusted[0]);
    tx_holm(p, 0, adjusted);
}

/* The spread of replicates is the standard error that DeLong's variance gives, of one AUC and of a difference. */
static void check_spread(void)
{
    enum { N = 300, R = 2000 };
    static double score[2][N], value[2 * R];
    static signed char label[N];
    const double *const model[] = {score[0], score[1]};
    tx_delong_result d;
    tx_interval one;
    tx_bootstrap_difference both;
    for (size_t i = 0; i < N; i++) {
        label[i] = i % 3 == 0;
        for (size_t m = 0; m < 2; m++)
            score[m][i] = (double)tx_random_normal(3, TX_RANDOM_TEST, m, i) + (i % 3 == 0) +
                          (double)tx_random_normal(3, TX_RANDOM_TEST, 2, i);
    }
    CHECK(tx_delong(score[0], score[1], label, N, &d) == TX_OK, "%s", tx_error_message());
    CHECK(tx_bootstrap_auc(model, 2, label, NULL, N, N, R, 0, value) == TX_OK, "%s", tx_error_message());
    tx_bootstrap_interval(value, R, &one);
    tx_bootstrap_compare(value, value + R, R, &both);
    CHECK(fabs(one.sd / d.a.se - 1) < 0.06 && fabs(one.mean - d.a.auc) < 0.003, "sd %g, DeLong's %g", one.sd, d.a.se);
    CHECK(fabs(both.interval.sd / d.difference_se - 1) < 0.06, "sd %g of a difference, DeLong's %g", both.interval.sd,
          d.difference_se);
    CHECK(fabs(both.p - d.p) < 0.05, "p %g, DeLong's %g", both.p, d.p);
}

/* Every allocation fails in turn: an error, values undefined, nothing kept. */
static void check_memory(void)
{
    static sample s;
    double value[MODELS * REPLICATES], rho[REPLICATES];
    tx_interval i;
    tx_bootstrap_difference d;
    make_sample(&s, 4);
    long live = tx_alloc_live(), failures = 0;
    for (long n = 0; n < 40; n++) {
        value[0] = 0;
        tx_alloc_fail_after(n);
        tx_status status = tx_bootstrap_auc(s.model, MODELS, s.label, s.group, s.n, s.groups, REPLICATES, 1, value);
        tx_alloc_fail_after(-1);
        failures += status == TX_ERR_MEMORY;
        CHECK(status == TX_OK || (status == TX_ERR_MEMORY && isnan(value[0])), "allocation %ld: %s", n,
              tx_error_message());
    }
    CHECK(failures > 6 && failures < 40, "%ld allocations fail", failures);
    for (long n = 0; n < 2; n++) {
        tx_alloc_fail_after(n);
        CHECK(tx_bootstrap_interval(value, REPLICATES, &i) == TX_ERR_MEMORY && isnan(i.low), "allocation %ld", n);
        tx_alloc_fail_after(n);
        CHECK(tx_bootstrap_compare(value, value, REPLICATES, &d) == TX_ERR_MEMORY && isnan(d.p), "allocation %ld", n);
        tx_alloc_fail_after(n);
        CHECK(tx_bootstrap_spearman(value, 1, value, MODELS, REPLICATES, rho) == TX_ERR_MEMORY, "allocation %ld", n);
    }
    tx_alloc_fail_after(-1);
    CHECK(tx_alloc_live() == live, "%ld allocations are kept", tx_alloc_live() - live);
}

int main(void)
{
    check_definition();
    check_averages();
    check_draws();
    check_large();
    check_refused();
    check_intervals();
    check_differences();
    check_means();
    check_correlations();
    check_holm();
    check_spread();
    check_memory();
    return test_done("bench_bootstrap");
}
