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

int main(void)
{
    check_definition();
    check_averages();
    return test_done("bench_bootstrap");
}
