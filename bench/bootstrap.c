/* bootstrap.c - nonparametric bootstrap of AUCs, of their differences, means and rank correlations.
 *
 * Scores are sorted once. A replicate is how often each group was drawn; its AUC is one pass over the sorted units, each
 * weighted by its group's count. LANES replicates stand side by side, so that the pass is made for all of them at once. */
#include "bootstrap.h"
#include "statistics.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };
/* Twice the number of pairs of a replicate then fits into the 53 bits of a double. */
#define MOST_UNITS ((size_t)1 << 27)

/* --------------------------------------------------------------------------------- a model's sorted units */

/* A part of the ascending order: negatives, then positives above them, then negatives that have the positives' score.
 * Neighbours without a tie are taken together, for nothing between them tells them apart. */
typedef struct stretch {
    uint32_t below, positives, tied;
} stretch;

/* row: the groups of units, stretch by stretch in the order of its fields. */
typedef struct curve {
    uint32_t *row;
    stretch *stretch;
    size_t stretches;
} curve;

typedef struct drawing {
    curve *curve;
    size_t models, groups, replicates;
    uint64_t seed;
    uint32_t *count; /* of each thread: groups x LANES */
    double *value;
    const double *const *sample; /* of averages: what each of n units has, */
    const uint32_t *group;       /* and whose it is */
    size_t n;
} drawing;

/* The units order[from..to) have one score. */
static void add_tied(curve *c, size_t *rows, const size_t *order, size_t from, size_t to, const signed char *label,
                     const uint32_t *group)
{
    size_t before = *rows;
    uint32_t positives, negatives;
    for (int positive = 1; positive >= 0; positive--)
        for (size_t i = from; i < to; i++)
            if ((label[order[i]] > 0) == positive)
                c->row[(*rows)++] = group ? group[order[i]] : (uint32_t)order[i];
    for (positives = 0; from < to; from++)
        positives += label[order[from]] > 0;
    negatives = (uint32_t)(*rows - before) - positives;
    stretch *s = &c->stretch[c->stretches - 1];
    if (positives ? s->tied || (negatives && s->positives) : s->positives)
        s = &c->stretch[c->stretches++];
    s->positives += positives;
    *(positives ? &s->tied : &s->below) += negatives;
}

static tx_status curve_make(curve *c, const double *score, const signed char *label, const uint32_t *group, size_t n)
{
    size_t *order = tx_alloc(n, sizeof *order), labelled, rows = 0;
    c->row = tx_alloc(n, sizeof *c->row);
    c->stretch = tx_alloc(n + 1, sizeof *c->stretch);
    c->stretches = 1;
    tx_status status = order && c->row && c->stretch ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_score_order(score, label, n, order, &labelled);
    for (size_t from = 0, to; status == TX_OK && from < labelled; from = to) {
        for (to = from; to < labelled && score[order[to]] == score[order[from]]; to++)
            ;
        add_tied(c, &rows, order, from, to, label, group);
    }
    tx_free(order);
    return status;
}

/* -------------------------------------------------------------------------------------------- replicates */

/* count[g * LANES + l]: how often group g is in replicate first + l. */
static void draw(const drawing *b, size_t first, size_t lanes, uint32_t *count)
{
    memset(count, 0, b->groups * LANES * sizeof *count);
    for (size_t l = 0; l < lanes; l++)
        for (size_t i = 0; i < b->groups; i += 4) {
            uint32_t word[4];
            tx_random_block(b->seed, TX_RANDOM_BOOTSTRAP, first + l, i / 4, word);
            for (size_t j = 0; j < 4 && i + j < b->groups; j++)
                count[((uint64_t)word[j] * b->groups >> 32) * LANES + l]++;
        }
}

static void add_rows(uint32_t sum[LANES], const uint32_t *count, const uint32_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < LANES; l++)
            sum[l] += count[(size_t)row[i] * LANES + l];
}

/* All sums are whole numbers: pairs in order are counted twice, tied ones once. */
static void weigh(const curve *c, const uint32_t *count, double auc[LANES])
{
    uint32_t negatives[LANES] = {0}, positives[LANES] = {0};
    uint64_t pairs[LANES] = {0};
    const uint32_t *row = c->row;
    for (size_t i = 0; i < c->stretches; i++) {
        const stretch *s = &c->stretch[i];
        uint32_t here[LANES] = {0}, tied[LANES] = {0};
        add_rows(negatives, count, row, s->below);
        add_rows(here, count, row + s->below, s->positives);
        add_rows(tied, count, row + s->below + s->positives, s->tied);
        row += s->below + s->positives + s->tied;
        for (size_t l = 0; l < LANES; l++) {
            pairs[l] += (uint64_t)here[l] * (2 * negatives[l] + tied[l]);
            positives[l] += here[l];
            negatives[l] += tied[l];
        }
    }
    for (size_t l = 0; l < LANES; l++) {
        double all = 2 * (double)positives[l] * (double)negatives[l];
        auc[l] = all > 0 ? (double)pairs[l] / all : (double)NAN;
    }
}

static void run_lanes(void *context, size_t i, int worker)
{
    const drawing *b = context;
    size_t first = i * LANES, lanes = b->replicates - first < LANES ? b->replicates - first : LANES;
    uint32_t *count = b->count + (size_t)worker * b->groups * LANES;
    double auc[LANES];
    draw(b, first, lanes, count);
    for (size_t m = 0; m < b->models; m++) {
        weigh(&b->curve[m], count, auc);
        memcpy(b->value + m * b->replicates + first, auc, lanes * sizeof *auc);
    }
}

/* Sums are taken in the order of the units. */
static void average_lanes(void *context, size_t i, int worker)
{
    const drawing *b = context;
    size_t first = i * LANES, lanes = b->replicates - first < LANES ? b->replicates - first : LANES;
    uint32_t *count = b->count + (size_t)worker * b->groups * LANES;
    draw(b, first, lanes, count);
    for (size_t m = 0; m < b->models; m++) {
        double sum[LANES] = {0}, drawn[LANES] = {0};
        for (size_t u = 0; u < b->n; u++) {
            const uint32_t *times = count + (b->group ? (size_t)b->group[u] : u) * LANES;
            double v = b->sample[m][u];
            for (size_t l = 0; l < LANES && !isnan(v); l++) {
                sum[l] += times[l] * v;
                drawn[l] += times[l];
            }
        }
        for (size_t l = 0; l < lanes; l++)
            b->value[m * b->replicates + first + l] = drawn[l] > 0 ? sum[l] / drawn[l] : (double)NAN;
    }
}

static tx_status check_product(size_t groups, uint32_t most)
{
    if (groups <= MOST_UNITS / most)
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT, "bootstrap: %zu groups of up to %lu units, expected a product of at most %zu",
                   groups, (unsigned long)most, MOST_UNITS);
}

/* That no sum can be inexact, whatever is drawn. */
static tx_status check_groups(const uint32_t *group, size_t n, size_t groups)
{
    uint32_t *units, most = 1;
    tx_status status = check_product(groups, 1);
    if (status)
        return status;
    if (!group && groups != n)
        return tx_fail(TX_ERR_ARGUMENT, "bootstrap: %zu units that are each a group, and %zu groups", n, groups);
    units = tx_alloc(groups, sizeof *units);
    if (!units)
        return TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && group && i < n; i++) {
        if (group[i] >= groups)
            status = tx_fail(TX_ERR_ARGUMENT, "bootstrap: unit %zu is of group %lu, expected 0 to %zu", i + 1,
                             (unsigned long)group[i], groups - 1);
        else if (++units[group[i]] > most)
            most = units[group[i]];
    }
    tx_free(units);
    return status ? status : check_product(groups, most);
}

static tx_status make_room(drawing *b)
{
    size_t counts;
    if (tx_size_mul(b->groups * LANES, (size_t)tx_threads(), &counts))
        return tx_fail(TX_ERR_MEMORY, "out of memory: counts of %zu groups", b->groups);
    b->count = tx_alloc(counts, sizeof *b->count);
    return b->count ? TX_OK : TX_ERR_MEMORY;
}

static tx_status run(drawing *b, const double *const *score, const signed char *label, const uint32_t *group, size_t n)
{
    tx_status status = make_room(b);
    b->curve = tx_alloc(b->models, sizeof *b->curve);
    if (!b->curve)
        status = TX_ERR_MEMORY;
    for (size_t m = 0; status == TX_OK && m < b->models; m++)
        status = curve_make(&b->curve[m], score[m], label, group, n);
    if (status == TX_OK)
        status = tx_parallel_for((b->replicates + LANES - 1) / LANES, run_lanes, b);
    for (size_t m = 0; b->curve && m < b->models; m++) {
        tx_free(b->curve[m].row);
        tx_free(b->curve[m].stretch);
    }
    tx_free(b->curve);
    tx_free(b->count);
    return status;
}

tx_status tx_bootstrap_auc(const double *const *score, size_t models, const signed char *label, const uint32_t *group,
                           size_t n, size_t groups, size_t replicates, uint64_t seed, double *value)
{
    drawing b = {.models = models, .groups = groups, .replicates = replicates, .seed = seed, .value = value};
    tx_status status = check_groups(group, n, groups);
    if (status == TX_OK)
        status = run(&b, score, label, group, n);
    for (size_t i = 0; status && i < models * replicates; i++)
        value[i] = (double)NAN;
    return status;
}

tx_status tx_bootstrap_average(const double *const *sample, size_t samples, const uint32_t *group, size_t n,
                               size_t groups, size_t replicates, uint64_t seed, double *value)
{
    drawing b = {.models = samples,
                 .groups = groups,
                 .replicates = replicates,
                 .seed = seed,
                 .value = value,
                 .sample = sample,
                 .group = group,
                 .n = n};
    tx_status status = check_groups(group, n, groups);
    if (status == TX_OK)
        status = make_room(&b);
    if (status == TX_OK)
        status = tx_parallel_for((replicates + LANES - 1) / LANES, average_lanes, &b);
    for (size_t i = 0; status && i < samples * replicates; i++)
        value[i] = (double)NAN;
    tx_free(b.count);
    return status;
}

/* ------------------------------------------------------------------------------------ what replicates say */

/* The share q of the way through sorted values, linear between neighbours, taken from the nearer one. */
static double percentile(const double *sorted, size_t n, double q)
{
    double at = (double)(n - 1) * q, whole = floor(at), part = at - whole;
    size_t i = (size_t)whole, next = i + 1 < n ? i + 1 : i;
    double step = sorted[next] - sorted[i];
    return part < 0.5 ? sorted[i] + step * part : sorted[next] - step * (1 - part);
}

static void describe(const double *sorted, size_t n, tx_interval *out)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += sorted[i];
    out->mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (sorted[i] - out->mean) * (sorted[i] - out->mean);
    if (n > 1)
        out->sd = sqrt(squares / (double)(n - 1));
    out->low = percentile(sorted, n, 0.025);
    out->high = percentile(sorted, n, 0.975);
}

tx_status tx_bootstrap_interval(const double *value, size_t replicates, tx_interval *out)
{
    double nan = (double)NAN;
    size_t defined = 0;
    *out = (tx_interval){nan, nan, nan, nan, replicates};
    double *sorted = tx_alloc(replicates, sizeof *sorted);
    if (!sorted)
        return TX_ERR_MEMORY;
    for (size_t r = 0; r < replicates; r++)
        if (!isnan(value[r]))
            sorted[defined++] = value[r];
    tx_status status = tx_sort(sorted, defined);
    if (status == TX_OK) {
        out->undefined = replicates - defined;
        if (defined)
            describe(sorted, defined, out);
    }
    tx_free(sorted);
    return status;
}

double tx_bootstrap_p(const double *difference, size_t replicates)
{
    double at_most = 0, at_least = 0, defined = 0;
    for (size_t r = 0; r < replicates; r++) {
        at_most += difference[r] <= 0;
        at_least += difference[r] >= 0;
        defined += !isnan(difference[r]);
    }
    double p = 2 * ((at_most < at_least ? at_most : at_least) + 1) / (defined + 1);
    return defined > 0 ? (p < 1 ? p : 1) : (double)NAN;
}

tx_status tx_bootstrap_compare(const double *a, const double *b, size_t replicates, tx_bootstrap_difference *out)
{
    double nan = (double)NAN;
    *out = (tx_bootstrap_difference){{nan, nan, nan, nan, replicates}, nan};
    double *difference = tx_alloc(replicates, sizeof *difference);
    if (!difference)
        return TX_ERR_MEMORY;
    for (size_t r = 0; r < replicates; r++)
        difference[r] = a[r] - b[r];
    tx_status status = tx_bootstrap_interval(difference, replicates, &out->interval);
    if (status == TX_OK)
        out->p = tx_bootstrap_p(difference, replicates);
    tx_free(difference);
    return status;
}

void tx_bootstrap_mean(const double *const *value, const double *weight, size_t count, size_t replicates, double *mean)
{
    double all = 0;
    for (size_t k = 0; k < count; k++)
        all += weight[k] > 0 ? weight[k] : 0;
    for (size_t r = 0; r < replicates; r++) {
        double sum = 0;
        for (size_t k = 0; k < count; k++)
            if (weight[k] > 0)
                sum += weight[k] * value[k][r];
        mean[r] = all > 0 ? sum / all : (double)NAN;
    }
}

/* One replicate: sample is room for two times `points` values, rank for as many ranks. */
static tx_status rank_correlation(const double *sample, size_t points, double *rank, double *rho)
{
    *rho = (double)NAN;
    for (size_t m = 0; m < 2 * points; m++)
        if (isnan(sample[m]))
            return TX_OK;
    tx_status status = tx_midranks(sample, points, rank);
    if (status == TX_OK)
        status = tx_midranks(sample + points, points, rank + points);
    if (status == TX_OK)
        *rho = tx_pearson(rank, rank + points, points);
    return status;
}

tx_status tx_bootstrap_spearman(const double *x, int x_varies, const double *y, size_t points, size_t replicates,
                                double *rho)
{
    size_t room;
    if (tx_size_mul(points, 2, &room))
        return tx_fail(TX_ERR_MEMORY, "out of memory: %zu points", points);
    double *sample = tx_alloc(room, sizeof *sample), *rank = tx_alloc(room, sizeof *rank);
    tx_status status = sample && rank ? TX_OK : TX_ERR_MEMORY;
    for (size_t r = 0; status == TX_OK && r < replicates; r++) {
        for (size_t m = 0; m < points; m++) {
            sample[m] = x_varies ? x[m * replicates + r] : x[m];
            sample[points + m] = y[m * replicates + r];
        }
        status = rank_correlation(sample, points, rank, &rho[r]);
    }
    tx_free(sample);
    tx_free(rank);
    return status;
}

void tx_holm(const double *p, size_t n, double *adjusted)
{
    size_t comparisons = 0;
    for (size_t i = 0; i < n; i++)
        comparisons += isnan(p[i]) ? 0 : 1;
    for (size_t i = 0; i < n; i++) {
        size_t smaller = 0;
        for (size_t j = 0; j < n; j++)
            smaller += p[j] < p[i] || (p[j] == p[i] && j < i);
        double product = (double)(comparisons - smaller) * p[i];
        adjusted[i] = product < 1 || isnan(product) ? product : 1;
    }
    /* None below that of a smaller p. A maximum already taken is one over fewer of the same. */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if ((p[j] < p[i] || (p[j] == p[i] && j < i)) && adjusted[j] > adjusted[i])
                adjusted[i] = adjusted[j];
}
