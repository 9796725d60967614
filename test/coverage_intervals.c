/* coverage_intervals.c - how often 95% intervals of an AUC hold the true one: those that tables show (DeLong's variance on
 * the logit scale), DeLong's plain ones, and percentiles of the bootstrap.
 *
 *     coverage_intervals [TRIALS [RESAMPLED [REPLICATES]]]
 *
 * TRIALS samples (2000) of so many positives and negatives, normal scores of equal variance, a difference of means that
 * gives the AUC; the first RESAMPLED (0) of them are resampled too, REPLICATES (1000) times. Turned round such scores
 * are those of the classes exchanged, so more positives than negatives need no rows of their own. A sample whose classes
 * do not overlap has AUC 1 without variance: it counts as a miss of each interval. Cells: percent shown, plain and, where
 * there is one, bootstrap. Exit status 1 if the intervals shown hold the true AUC in less than 92% or more than 97% of the
 * samples of 30 positives and 30 negatives or more, AUC 0.6 to 0.9, by more than three standard errors of the
 * simulation; these cells are what the last line counts. */
#include "../bench/bootstrap.h"
#include "../bench/statistics.h"
#include "test.h"

#include <math.h>

enum { SIZES = 6, AUCS = 5, LARGEST = 100, MOST = 2 * LARGEST, MOST_TRIALS = 1000000 };
static const size_t size[SIZES] = {5, 10, 20, 30, 50, LARGEST};
static const double auc[AUCS] = {0.6, 0.7, 0.8, 0.9, 0.95};

enum { SHOWN = 1, PLAIN = 2, RESAMPLED = 4, FAILED = 8 };

/* One cell: each trial has its byte. */
typedef struct cell {
    size_t positives, n, resampled, replicates;
    double auc, shift;
    uint64_t seed;
    unsigned char *held;
} cell;

static int holds(double low, double high, double truth)
{
    return low <= truth && truth <= high;
}

static int resample(const cell *c, const double *score, const signed char *label, size_t trial)
{
    tx_interval of;
    double *value = tx_alloc(c->replicates, sizeof *value);
    int failed = !value || tx_bootstrap_auc(&score, 1, label, NULL, c->n, c->n, c->replicates, trial, value) ||
                 tx_bootstrap_interval(value, c->replicates, &of);
    tx_free(value);
    return failed ? FAILED : holds(of.low, of.high, c->auc) ? RESAMPLED : 0;
}

static void run_trial(void *context, size_t trial, int worker)
{
    const cell *c = context;
    double score[MOST];
    signed char label[MOST];
    tx_auc_result r;
    (void)worker;
    for (size_t i = 0; i < c->n; i++) {
        label[i] = i < c->positives;
        score[i] = (double)tx_random_normal(c->seed, TX_RANDOM_TEST, trial, i) + (label[i] ? c->shift : 0);
    }
    int held = 0;
    if (tx_auc_of(score, label, c->n, &r))
        held = FAILED;
    if (holds(r.low, r.high, c->auc))
        held |= SHOWN;
    if (holds(r.auc - TX_NORMAL_95 * r.se, r.auc + TX_NORMAL_95 * r.se, c->auc))
        held |= PLAIN;
    if (trial < c->resampled)
        held |= resample(c, score, label, trial);
    c->held[trial] = (unsigned char)held;
}

static double share(const cell *c, size_t trials, int bit)
{
    size_t count = 0;
    for (size_t i = 0; i < trials; i++)
        count += (c->held[i] & bit) != 0;
    return (double)count / (double)trials;
}

/* Prints one cell; 0, or 1 after a line where it could not be made. */
static int run_cell(cell *c, size_t trials)
{
    if (tx_parallel_for(trials, run_trial, c) || share(c, trials, FAILED) > 0) {
        fprintf(stderr, "%s\n", tx_error_message());
        return 1;
    }
    double shown = share(c, trials, SHOWN), error = 3 * sqrt(0.95 * 0.05 / (double)trials);
    printf(" %.1f %.1f", 100 * shown, 100 * share(c, trials, PLAIN));
    if (c->resampled)
        printf(" %.1f", 100 * share(c, c->resampled, RESAMPLED));
    printf(" |");
    fflush(stdout);
    if (c->positives >= 30 && c->auc <= 0.9)
        CHECK(shown >= 0.92 - error && shown <= 0.97 + error,
              "%zu of %zu positive, AUC %g: %.1f%% of intervals hold it", c->positives, c->n, c->auc, 100 * shown);
    return 0;
}

/* A row a pair of sizes, a cell an AUC. */
static int run_table(cell *c, size_t trials)
{
    printf("| positives | negatives |");
    for (int k = 0; k < AUCS; k++)
        printf(" AUC %g |", auc[k]);
    printf("\n|---|---|---|---|---|---|---|\n");
    for (size_t row = 0; row < (size_t)SIZES * SIZES; row++) {
        size_t few = size[row / SIZES], many = size[row % SIZES];
        if (few > many)
            continue;
        printf("| %zu | %zu |", few, many);
        c->positives = few;
        c->n = few + many;
        for (size_t k = 0; k < AUCS; k++) {
            c->auc = auc[k];
            c->shift = sqrt(2) * tx_normal_quantile(auc[k]);
            c->seed = row * AUCS + k;
            if (run_cell(c, trials))
                return 1;
        }
        printf("\n");
    }
    return 0;
}

static size_t number(int argc, char **argv, int i, size_t standard)
{
    char *end = NULL;
    unsigned long n = argc > i ? strtoul(argv[i], &end, 10) : standard;
    return n <= MOST_TRIALS && (!end || !*end) ? n : 0;
}

int main(int argc, char **argv)
{
    size_t trials = number(argc, argv, 1, 2000);
    cell c = {.resampled = number(argc, argv, 2, 0), .replicates = number(argc, argv, 3, 1000)};
    if (!trials || !c.replicates || c.resampled > trials || argc > 4) {
        fprintf(stderr, "usage: coverage_intervals [TRIALS [RESAMPLED [REPLICATES]]], RESAMPLED at most TRIALS\n");
        return 2;
    }
    c.held = tx_alloc(trials, 1);
    int failed = !c.held || run_table(&c, trials);
    tx_free(c.held);
    return failed ? 1 : test_done("coverage_intervals");
}
