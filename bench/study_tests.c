/* study_tests.c - paired differences, rank correlations and truncation; tests.csv. */
#include "study_tests.h"
#include "bootstrap.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- differences */
static tx_status compare(const study_results *r, const study_model *a, const study_model *b, study_difference *out)
{
    tx_bootstrap_difference d;
    tx_status status = tx_bootstrap_compare(a->replicate, b->replicate, r->replicates, &d);
    *out = (study_difference){a,   b,           a->auc - b->auc,     d.interval.low, d.interval.high,
                              d.p, (double)NAN, d.interval.undefined};
    return status;
}

static tx_status adjust(study_difference *list, size_t count)
{
    double *p = tx_alloc(2 * count, sizeof *p);
    for (size_t i = 0; p && i < count; i++)
        p[i] = list[i].p;
    if (p)
        tx_holm(p, count, p + count);
    for (size_t i = 0; p && i < count; i++)
        list[i].adjusted = p[count + i];
    tx_free(p);
    return p ? TX_OK : TX_ERR_MEMORY;
}

/* The mean over networks, replicate by replicate. */
static tx_status average_gains(study_tests *t, const study_results *r)
{
    double *with = tx_alloc(r->replicates, sizeof *with), *without = tx_alloc(r->replicates, sizeof *without);
    double n = (double)t->gains;
    tx_bootstrap_difference d = {{(double)NAN, (double)NAN, (double)NAN, (double)NAN, r->replicates}, (double)NAN};
    tx_status status = with && without ? TX_OK : TX_ERR_MEMORY;
    t->mean_gain.value = t->gains ? 0 : (double)NAN;
    for (size_t k = 0; status == TX_OK && k < t->gains; k++) {
        t->mean_gain.value += t->gain[k].value / n;
        for (size_t i = 0; i < r->replicates; i++) {
            with[i] += t->gain[k].a->replicate[i] / n;
            without[i] += t->gain[k].b->replicate[i] / n;
        }
    }
    if (status == TX_OK && t->gains)
        status = tx_bootstrap_compare(with, without, r->replicates, &d);
    t->mean_gain.low = d.interval.low;
    t->mean_gain.high = d.interval.high;
    t->mean_gain.undefined = d.interval.undefined;
    t->mean_gain.p = d.p;
    t->mean_gain.adjusted = (double)NAN;
    tx_free(with);
    tx_free(without);
    return status;
}

static const study_model *best_pretrained(const study_table *all)
{
    const study_model *best = NULL;
    for (size_t i = 0; i < all->models; i++) {
        const study_model *m = &all->model[i];
        if (m->pretrained && !m->cut && !isnan(m->auc) && (!best || m->auc > best->auc))
            best = m;
    }
    return best;
}

static tx_status make_leads(study_tests *t, const study_results *r)
{
    const study_table *all = &r->table;
    const study_model *best = best_pretrained(all);
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && best && i < all->models; i++) {
        const study_model *m = &all->model[i];
        if (m != best && m->pretrained && !m->cut)
            status = compare(r, best, m, &t->lead[t->leads++]);
    }
    return status == TX_OK ? adjust(t->lead, t->leads) : status;
}

static tx_status make_differences(study_tests *t, const study_results *r)
{
    const study_table *all = &r->table;
    t->gain = tx_alloc(all->models, sizeof *t->gain);
    t->cost = tx_alloc(all->models, sizeof *t->cost);
    t->lead = tx_alloc(all->models, sizeof *t->lead);
    tx_status status = t->gain && t->cost && t->lead ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < all->models; i++) {
        const study_model *m = &all->model[i];
        const study_model *other = m->cut ? study_find(all, m->net, 0, 1) : study_find(all, m->net, 0, 0);
        if (!m->pretrained || !other)
            continue;
        status = compare(r, m, other, m->cut ? &t->cost[t->costs] : &t->gain[t->gains]);
        t->costs += m->cut != 0;
        t->gains += m->cut == 0;
    }
    if (status == TX_OK)
        status = adjust(t->gain, t->gains);
    if (status == TX_OK)
        status = adjust(t->cost, t->costs);
    if (status == TX_OK)
        status = average_gains(t, r);
    return status == TX_OK ? make_leads(t, r) : status;
}

/* ---------------------------------------------------------------------------------------- correlations */
enum { X_TOP1, X_PARAMETERS };
enum { Y_RANDOM, Y_PRETRAINED, Y_GAIN };
static const struct {
    const char *name, *what;
    int x, y;
} ranks[STUDY_RANKS] = {
    {"spearman-top1-auc-random", "ImageNet top-1 against AUC from random weights", X_TOP1, Y_RANDOM},
    {"spearman-top1-auc-pretrained", "ImageNet top-1 against AUC from pretrained weights", X_TOP1, Y_PRETRAINED},
    {"spearman-parameters-auc-random", "Parameters against AUC from random weights", X_PARAMETERS, Y_RANDOM},
    {"spearman-parameters-auc-pretrained", "Parameters against AUC from pretrained weights", X_PARAMETERS,
     Y_PRETRAINED},
    {"spearman-parameters-gain", "Parameters against the gain of pretraining", X_PARAMETERS, Y_GAIN},
};

/* A network's place in a correlation: its models, of which one may not count. */
typedef struct pair {
    double x;
    const study_model *of, *less; /* y: AUC of the one, less that of the other (NULL: nothing) */
} pair;

/* Of the full networks that have what is asked for. */
static size_t take_pairs(const study_table *t, int x, int y, pair *out)
{
    size_t n = 0;
    for (int k = 0; k < tx_nets(); k++) {
        const study_model *random = study_find(t, tx_net_at(k)->name, 0, 0),
                          *pretrained = study_find(t, tx_net_at(k)->name, 0, 1);
        const study_model *of = y == Y_RANDOM ? random : pretrained, *less = y == Y_GAIN ? random : NULL;
        if (!of || (y == Y_GAIN && !less) || isnan(of->auc))
            continue;
        double v = x == X_TOP1 ? of->top1 : (double)of->parameters;
        if (!isnan(v))
            out[n++] = (pair){v, of, less};
    }
    return n;
}

/* The figure of a network in all resamples. */
static void take_replicates(const study_results *r, const pair *p, double *y)
{
    for (size_t i = 0; i < r->replicates; i++)
        y[i] = p->of->replicate[i] - (p->less ? p->less->replicate[i] : 0);
}

/* The interval of rho in the resamples; y: n x replicates and as many more as replicates. */
static tx_status resample(const study_results *r, const pair *list, const double *x, double *y, study_rank *out)
{
    tx_interval interval;
    double *rho = y + out->n * r->replicates;
    for (size_t k = 0; k < out->n; k++)
        take_replicates(r, &list[k], y + k * r->replicates);
    tx_status status = tx_bootstrap_spearman(x, 0, y, out->n, r->replicates, rho);
    if (status == TX_OK)
        status = tx_bootstrap_interval(rho, r->replicates, &interval);
    if (status)
        return status;
    out->boot_low = interval.low;
    out->boot_high = interval.high;
    out->undefined = interval.undefined;
    return TX_OK;
}

static tx_status correlate(const study_results *r, int which, study_rank *out)
{
    size_t nets = (size_t)tx_nets();
    pair *list = tx_alloc(nets, sizeof *list);
    double *x = tx_alloc(2 * nets, sizeof *x), *y = tx_alloc((nets + 1) * r->replicates, sizeof *y);
    tx_status status = list && x && y ? TX_OK : TX_ERR_MEMORY;
    *out = (study_rank){.name = ranks[which].name, .what = ranks[which].what, .adjusted = (double)NAN};
    if (status == TX_OK) {
        double *auc = x + nets;
        out->n = take_pairs(&r->table, ranks[which].x, ranks[which].y, list);
        for (size_t k = 0; k < out->n; k++) {
            x[k] = list[k].x;
            auc[k] = list[k].of->auc - (list[k].less ? list[k].less->auc : 0);
        }
        status = tx_spearman(x, auc, out->n, &out->rho);
        if (status == TX_OK)
            status = resample(r, list, x, y, out);
    }
    tx_free(list);
    tx_free(x);
    tx_free(y);
    return status;
}

static tx_status make_ranks(study_tests *t, const study_results *r)
{
    double p[2 * STUDY_RANKS];
    tx_status status = TX_OK;
    for (int k = 0; status == TX_OK && k < STUDY_RANKS; k++) {
        status = correlate(r, k, &t->rank[k]);
        p[k] = t->rank[k].rho.p;
    }
    if (status)
        return status;
    tx_holm(p, STUDY_RANKS, p + STUDY_RANKS);
    for (int k = 0; k < STUDY_RANKS; k++)
        t->rank[k].adjusted = p[STUDY_RANKS + k];
    return TX_OK;
}

/* ------------------------------------------------------------------------------------------ truncation */
static tx_status make_cuts(study_tests *t)
{
    double sum = 0;
    t->cut = tx_alloc(t->costs, sizeof *t->cut);
    if (!t->cut)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < t->costs; i++) {
        const study_difference *d = &t->cost[i];
        if (isnan(d->high))
            continue;
        study_cut *c = t->cuts ? &t->cut[t->cuts - 1] : NULL;
        if (!c || c->full != d->b) {
            c = &t->cut[t->cuts++];
            *c = (study_cut){d->b, d->b, 1, 0};
        }
        c->tried++;
        if (d->high >= 0 && d->a->cut > c->cut->cut)
            c->cut = d->a;
    }
    for (size_t i = 0; i < t->cuts; i++) {
        t->cut[i].factor = (double)t->cut[i].full->parameters / (double)t->cut[i].cut->parameters;
        sum += t->cut[i].factor;
    }
    t->compression = t->cuts ? sum / (double)t->cuts : (double)NAN;
    return TX_OK;
}

tx_status study_tests_make(study_tests *t, const study_results *r)
{
    memset(t, 0, sizeof *t);
    tx_status status = make_differences(t, r);
    if (status == TX_OK)
        status = make_ranks(t, r);
    return status == TX_OK ? make_cuts(t) : status;
}

void study_tests_free(study_tests *t)
{
    tx_free(t->gain);
    tx_free(t->cost);
    tx_free(t->lead);
    tx_free(t->cut);
    memset(t, 0, sizeof *t);
}

const study_difference *study_gain_of(const study_tests *t, const char *net)
{
    for (size_t i = 0; i < t->gains; i++)
        if (strcmp(t->gain[i].a->net, net) == 0)
            return &t->gain[i];
    return NULL;
}

const study_difference *study_cost_of(const study_tests *t, const char *net, int cut)
{
    for (size_t i = 0; i < t->costs; i++)
        if (strcmp(t->cost[i].a->net, net) == 0 && t->cost[i].a->cut == cut)
            return &t->cost[i];
    return NULL;
}

double study_least_p(const study_results *r)
{
    return 2 / (double)(r->replicates + 1);
}

/* ------------------------------------------------------------------------------------------- tests.csv */
static void write_difference(const study_results *r, const char *test, const study_model *of, const study_difference *d,
                             tx_buffer *p)
{
    tx_buffer_add(p, "%s,%s,%d,%zu", test, of ? of->net : "mean", of ? of->cut : 0, r->data->units);
    const double value[5] = {d->value, d->low, d->high, d->p, d->adjusted};
    for (int i = 0; i < 5; i++)
        study_number(p, value[i]);
    tx_buffer_add(p, ",%zu,%zu,%s\n", r->replicates, d->undefined, study_method(r));
}

static void write_rank(const study_results *r, const study_rank *k, tx_buffer *p)
{
    const double normal[5] = {k->rho.rho, k->rho.low, k->rho.high, k->rho.p, k->adjusted};
    const double drawn[5] = {k->rho.rho, k->boot_low, k->boot_high, (double)NAN, (double)NAN};
    tx_buffer_add(p, "%s,all,0,%zu", k->name, k->n);
    for (int i = 0; i < 5; i++)
        study_number(p, normal[i]);
    tx_buffer_add(p, ",0,0,bonett-wright\n%s,all,0,%zu", k->name, k->n);
    for (int i = 0; i < 5; i++)
        study_number(p, drawn[i]);
    tx_buffer_add(p, ",%zu,%zu,%s\n", r->replicates, k->undefined, study_method(r));
}

/* A factor without an interval: which cut is the largest is itself what the resamples decide. */
static void write_cut(const char *net, int cut, size_t n, double factor, tx_buffer *p)
{
    tx_buffer_add(p, "largest-cut-not-worse,%s,%d,%zu", net, cut, n);
    study_number(p, factor);
    tx_buffer_append(p, ",nan,nan,nan,nan,0,0,parameters-ratio\n");
}

tx_status study_tests_write(const study_tests *t, const study_results *r, const char *out)
{
    tx_buffer p = {0};
    tx_buffer_append(&p, "test,net,cut,n,value,low,high,p,adjusted,replicates,undefined,method\n");
    for (size_t i = 0; i < t->gains; i++)
        write_difference(r, "pretrained-random", t->gain[i].a, &t->gain[i], &p);
    if (t->gains)
        write_difference(r, "pretrained-random", NULL, &t->mean_gain, &p);
    for (size_t i = 0; i < t->costs; i++)
        write_difference(r, "cut-full", t->cost[i].a, &t->cost[i], &p);
    for (size_t i = 0; i < t->leads; i++)
        write_difference(r, "best-other", t->lead[i].b, &t->lead[i], &p);
    for (int k = 0; k < STUDY_RANKS; k++)
        write_rank(r, &t->rank[k], &p);
    for (size_t i = 0; i < t->cuts; i++)
        write_cut(t->cut[i].full->net, t->cut[i].cut->cut, t->cut[i].tried, t->cut[i].factor, &p);
    if (t->cuts)
        write_cut("mean", 0, t->cuts, t->compression, &p);
    return study_file(&p, out, "tests.csv");
}
