/* intervals.c - bootstrap intervals of a split's scores: each task's, and those of the means. */
#include "intervals.h"
#include "bootstrap.h"

#include <math.h>
#include <string.h>

resampling resampling_of(const options *o)
{
    return (resampling){(size_t)option_whole(o, "replicates"), strcmp(option_text(o, "group"), "patient") == 0,
                        option_seed(o, "seed")};
}

int resampling_wanted(const options *o)
{
    return strcmp(option_text(o, "interval"), "bootstrap") == 0;
}

/* The means' replicates behind those of the tasks. */
static tx_status add_means(const scores *s, size_t replicates, double *value)
{
    size_t tasks = (size_t)s->tasks;
    const double **row = tx_alloc(tasks, sizeof *row);
    double *weight = tx_alloc(tasks, sizeof *weight);
    tx_status status = row && weight ? TX_OK : TX_ERR_MEMORY;
    for (int i = 0; status == TX_OK && i < 3; i++) {
        for (size_t k = 0; k < tasks; k++) {
            row[k] = value + k * replicates;
            weight[k] = mean_has(i, s->task[k].task) && !isnan(s->task[k].auc.auc);
        }
        tx_bootstrap_mean(row, weight, tasks, replicates, value + (tasks + (size_t)i) * replicates);
    }
    tx_free(row);
    tx_free(weight);
    return status;
}

tx_status scores_replicates(const scores *s, const tx_dataset *d, const double *probability,
                            const unsigned char *present, int by_study, const resampling *how, double *value)
{
    unit_list u;
    tx_status status = units_open(&u, d, present, by_study, how->by_patient);
    for (int k = 0; status == TX_OK && k < s->tasks; k++) {
        const double *score = u.score;
        units_gather(&u, d, k, probability, present);
        status = tx_bootstrap_auc(&score, 1, u.label, u.group, u.units, u.groups, how->replicates, how->seed,
                                  value + (size_t)k * how->replicates);
    }
    units_close(&u);
    return status == TX_OK ? add_means(s, how->replicates, value) : status;
}

/* What has none by DeLong's variance has a method that says why. */
static int has_interval(const tx_auc_result *r)
{
    return !isnan(r->low);
}

tx_status scores_intervals(scores *s, const double *value, const resampling *how)
{
    tx_interval one;
    tx_status status = TX_OK;
    s->replicates = how->replicates;
    s->by_patient = how->by_patient;
    for (int k = 0; status == TX_OK && k < s->tasks; k++, value += how->replicates) {
        task_score *t = &s->task[k];
        status = tx_bootstrap_interval(value, how->replicates, &one);
        t->undefined = one.undefined;
        if (!has_interval(&t->auc))
            continue;
        t->auc.se = one.sd;
        t->auc.low = one.low;
        t->auc.high = one.high;
        t->auc.method = "bootstrap";
    }
    for (int i = 0; status == TX_OK && i < 3; i++, value += how->replicates) {
        mean_score *m = &s->mean[i];
        status = tx_bootstrap_interval(value, how->replicates, &one);
        m->low = one.low;
        m->high = one.high;
        m->sd = one.sd;
        m->undefined = one.undefined;
    }
    return status;
}

tx_status scores_bootstrap(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                           int by_study, const resampling *how)
{
    size_t cells;
    if (tx_size_mul((size_t)s->tasks + 3, how->replicates, &cells))
        return tx_fail(TX_ERR_MEMORY, "out of memory: %zu replicates", how->replicates);
    double *value = tx_alloc(cells, sizeof *value);
    tx_status status = value ? scores_replicates(s, d, probability, present, by_study, how, value) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = scores_intervals(s, value, how);
    tx_free(value);
    return status;
}
