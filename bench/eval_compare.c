/* eval_compare.c - differences between models on the same images: DeLong's test of a task's AUCs, the paired bootstrap of means.
 *
 * All models, and their ensemble with each, are compared on what all have scores of. Their replicates draw the same studies
 * or patients, so a replicate's difference is that of one resampled test set (bootstrap.h). */
#include "eval_compare.h"
#include "bootstrap.h"
#include "intervals.h"

#include <math.h>
#include <string.h>

/* What a model says of the common images. */
typedef struct judged {
    const entry *e;
    scores scores;
    double *value;     /* replicates of tasks and means */
    size_t replicates; /* of each */
} judged;

typedef struct comparing {
    comparisons *c;
    const evaluation *v;
    resampling how;
    unsigned char *present; /* an image: all models have scores of it */
    judged *model;
} comparing;

/* ---------------------------------------------------------------------------------------- the models */
static tx_status find_present(comparing *p)
{
    const tx_dataset *d = p->v->entry[0].part[SCORED].data;
    p->present = tx_alloc(d->images, 1);
    for (size_t i = 0; p->present && i < d->images; i++) {
        int all = 1, some = 0;
        for (size_t m = 0; m < p->v->models; m++) {
            int has = p->v->entry[m].part[SCORED].present[i] != 0;
            all &= has;
            some |= has;
        }
        p->present[i] = (unsigned char)all;
        p->c->fewer |= some && !all;
    }
    return p->present ? TX_OK : TX_ERR_MEMORY;
}

static tx_status judge(const comparing *p, size_t m)
{
    judged *j = &p->model[m];
    j->e = &p->v->entry[m];
    j->replicates = p->how.replicates;
    const said *s = &j->e->part[SCORED];
    size_t cells;
    if (tx_size_mul((size_t)s->data->tasks + 3, j->replicates, &cells))
        return tx_fail(TX_ERR_MEMORY, "out of memory: %zu replicates", j->replicates);
    tx_status status = scores_rank(&j->scores, s->data, s->probability, p->present, p->v->by_study);
    if (status)
        return status;
    j->value = tx_alloc(cells, sizeof *j->value);
    return j->value
               ? scores_replicates(&j->scores, s->data, s->probability, p->present, p->v->by_study, &p->how, j->value)
               : TX_ERR_MEMORY;
}

static const double *replicates_of(const judged *j, int task)
{
    return j->value + (size_t)task * j->replicates;
}

/* ---------------------------------------------------------------------------------------- one difference */
static comparison *add(comparisons *c, size_t a, size_t b, const char *what)
{
    if (tx_grow((void **)&c->list, &c->room, c->count + 1, sizeof *c->list))
        return NULL;
    const double nan = (double)NAN;
    comparison *one = &c->list[c->count++];
    *one = (comparison){.a = a, .b = b, .what = what, .auc_a = nan, .auc_b = nan, .difference = nan, .low = nan};
    one->high = one->se = one->z = one->p = one->holm = nan;
    one->method = "undefined";
    return one;
}

static tx_status by_bootstrap(comparison *one, const double *a, const double *b, size_t replicates)
{
    tx_bootstrap_difference d;
    tx_status status = tx_bootstrap_compare(a, b, replicates, &d);
    one->undefined = d.interval.undefined;
    if (status || isnan(d.interval.low))
        return status;
    one->se = d.interval.sd;
    if (d.interval.low == d.interval.high && !(d.interval.sd > 0)) {
        one->method = one->difference < 0 || one->difference > 0 ? "no-variance" : "equal";
        return TX_OK;
    }
    one->method = "bootstrap";
    one->low = d.interval.low;
    one->high = d.interval.high;
    one->p = d.p;
    return TX_OK;
}

static void by_delong(comparison *one, const tx_delong_result *r)
{
    one->se = r->difference_se;
    if (isnan(r->p)) {
        one->method = one->difference < 0 || one->difference > 0 ? "no-variance" : "equal";
        return;
    }
    double half = TX_NORMAL_95 * r->difference_se;
    one->method = "delong";
    one->low = fmax(r->difference - half, -1);
    one->high = fmin(r->difference + half, 1);
    one->z = r->z;
    one->p = r->p;
}

static tx_status delong(const comparing *p, const judged *a, const judged *b, int task_a, int task_b,
                        tx_delong_result *r)
{
    unit_list x = {0}, y = {0};
    const said *s = &a->e->part[SCORED], *t = &b->e->part[SCORED];
    tx_status status = units_open(&x, s->data, p->present, p->v->by_study, p->how.by_patient);
    if (status == TX_OK)
        status = units_open(&y, t->data, p->present, p->v->by_study, p->how.by_patient);
    if (status == TX_OK) {
        units_gather(&x, s->data, task_a, s->probability, p->present);
        units_gather(&y, t->data, task_b, t->probability, p->present);
        status = tx_delong(x.score, y.score, x.label, x.units, r);
    }
    units_close(&x);
    units_close(&y);
    return status;
}

static tx_status compare_task(const comparing *p, size_t m, size_t n, int task_a, int task_b)
{
    tx_delong_result r;
    const judged *a = &p->model[m], *b = &p->model[n];
    const tx_auc_result *x = &a->scores.task[task_a].auc, *y = &b->scores.task[task_b].auc;
    comparison *one = add(p->c, m, n, a->scores.task[task_a].task);
    if (!one)
        return TX_ERR_MEMORY;
    one->positives = x->positives;
    one->negatives = x->negatives;
    one->auc_a = x->auc;
    one->auc_b = y->auc;
    one->difference = x->auc - y->auc;
    if (one->positives < 2 || one->negatives < 2)
        return TX_OK;
    if (p->c->bootstrap)
        return by_bootstrap(one, replicates_of(a, task_a), replicates_of(b, task_b), p->how.replicates);
    tx_status status = delong(p, a, b, task_a, task_b, &r);
    if (status == TX_OK)
        by_delong(one, &r);
    return status;
}

/* ------------------------------------------------------------------------------------------- the means */
/* Over the tasks that both have, which are means_add()'s; `side` 0 or 1 of the pairs. */
static void mean_aucs(const judged *j, int (*pair)[2], int tasks, int side, mean_score mean[3])
{
    means_begin(mean);
    for (int k = 0; k < tasks; k++) {
        const task_score *t = &j->scores.task[pair[k][side]];
        means_add(mean, t->task, t->auc.auc);
    }
    means_end(mean);
}

static tx_status mean_replicates(const judged *j, int (*pair)[2], int tasks, int side, int mean, double *out)
{
    const double **value = tx_alloc((size_t)tasks, sizeof *value);
    double *weight = tx_alloc((size_t)tasks, sizeof *weight);
    for (int k = 0; value && weight && k < tasks; k++) {
        const task_score *t = &j->scores.task[pair[k][side]];
        value[k] = replicates_of(j, pair[k][side]);
        weight[k] = mean_has(mean, t->task) && !isnan(t->auc.auc);
    }
    int failed = !value || !weight;
    if (!failed)
        tx_bootstrap_mean(value, weight, (size_t)tasks, j->replicates, out);
    tx_free(value);
    tx_free(weight);
    return failed ? TX_ERR_MEMORY : TX_OK;
}

static tx_status compare_means(const comparing *p, size_t m, size_t n, int (*pair)[2], int tasks)
{
    mean_score x[3], y[3];
    const judged *a = &p->model[m], *b = &p->model[n];
    double *of_a = tx_alloc(p->how.replicates, sizeof *of_a), *of_b = tx_alloc(p->how.replicates, sizeof *of_b);
    tx_status status = of_a && of_b ? TX_OK : TX_ERR_MEMORY;
    mean_aucs(a, pair, tasks, 0, x);
    mean_aucs(b, pair, tasks, 1, y);
    for (int i = 0; status == TX_OK && i < 3; i++) {
        comparison *one = add(p->c, m, n, x[i].name);
        if (!one) {
            status = TX_ERR_MEMORY;
            break;
        }
        one->mean = MEAN_FIRST + i;
        one->tasks = x[i].tasks;
        one->of = x[i].of;
        one->auc_a = x[i].value;
        one->auc_b = y[i].value;
        one->difference = one->auc_a - one->auc_b;
        status = mean_replicates(a, pair, tasks, 0, i, of_a);
        if (status == TX_OK)
            status = mean_replicates(b, pair, tasks, 1, i, of_b);
        if (status == TX_OK)
            status = by_bootstrap(one, of_a, of_b, p->how.replicates);
    }
    tx_free(of_a);
    tx_free(of_b);
    return status;
}

/* -------------------------------------------------------------------------------------------- all pairs */
static tx_status compare_pair(const comparing *p, size_t m, size_t n)
{
    const entry *a = p->model[m].e, *b = p->model[n].e;
    int(*pair)[2] = tx_alloc((size_t)a->part[SCORED].data->tasks, sizeof *pair);
    if (!pair)
        return TX_ERR_MEMORY;
    int tasks = entries_common(a, b, pair);
    tx_status status = TX_OK;
    p->c->pairs++;
    for (int k = 0; status == TX_OK && k < tasks; k++)
        status = compare_task(p, m, n, pair[k][0], pair[k][1]);
    if (status == TX_OK)
        status = compare_means(p, m, n, pair, tasks);
    tx_free(pair);
    return status;
}

/* Whether comparison i is of a mean over the tasks of the mean before it: each holds those of the last. */
static int repeats(const comparisons *c, size_t i)
{
    const comparison *one = &c->list[i];
    return one->mean > MEAN_FIRST && one->tasks == one[-1].tasks;
}

/* Apart for tasks and for means; means over the same tasks are one test. */
static tx_status correct(comparisons *c)
{
    double *p = tx_alloc(c->count, sizeof *p), *adjusted = tx_alloc(c->count, sizeof *adjusted);
    tx_status status = p && adjusted ? TX_OK : TX_ERR_MEMORY;
    for (int mean = 0; status == TX_OK && mean < 2; mean++) {
        for (size_t i = 0; i < c->count; i++) {
            int counts = !c->list[i].mean == !mean && !repeats(c, i);
            p[i] = counts ? c->list[i].p : (double)NAN;
            c->tests[mean] += (size_t)!isnan(p[i]);
        }
        tx_holm(p, c->count, adjusted);
        for (size_t i = 0; i < c->count; i++)
            if (!c->list[i].mean == !mean)
                c->list[i].holm = repeats(c, i) ? c->list[i - 1].holm : adjusted[i];
    }
    tx_free(p);
    tx_free(adjusted);
    return status;
}

static tx_status compare_all(comparing *p)
{
    size_t models = p->v->models, entries = p->v->entries;
    tx_status status = find_present(p);
    p->model = tx_alloc(entries, sizeof *p->model);
    if (status == TX_OK && !p->model)
        status = TX_ERR_MEMORY;
    for (size_t m = 0; status == TX_OK && m < entries; m++)
        status = judge(p, m);
    if (status == TX_OK)
        p->c->units = p->v->by_study ? p->model[0].scores.of.studies : p->model[0].scores.of.images;
    for (size_t m = 0; status == TX_OK && m < (models > COMPARE_ALL ? 1 : models); m++)
        for (size_t n = m + 1; status == TX_OK && n < models; n++)
            status = compare_pair(p, m, n);
    for (size_t m = 0; status == TX_OK && models < entries && m < models; m++)
        status = compare_pair(p, models, m);
    return status == TX_OK ? correct(p->c) : status;
}

tx_status comparisons_make(comparisons *c, const evaluation *v)
{
    memset(c, 0, sizeof *c);
    comparing p = {.c = c, .v = v, .how = resampling_of(v->o)};
    c->replicates = p.how.replicates;
    c->by_patient = p.how.by_patient;
    c->bootstrap = resampling_wanted(v->o);
    tx_status status = compare_all(&p);
    for (size_t m = 0; p.model && m < v->entries; m++) {
        scores_free(&p.model[m].scores);
        tx_free(p.model[m].value);
    }
    tx_free(p.model);
    tx_free(p.present);
    return status;
}

void comparisons_free(comparisons *c)
{
    tx_free(c->list);
    memset(c, 0, sizeof *c);
}
