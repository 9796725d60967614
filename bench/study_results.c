/* study_results.c - every job's AUCs on one set of resamples, their means, the models as means over seeds; results.csv. */
#include "study_results.h"
#include "bootstrap.h"
#include "study.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- tasks */
/* Both classes are there. */
static int has_auc(const study_data *d, size_t task)
{
    int positive = 0, negative = 0;
    for (size_t i = 0; i < d->units; i++) {
        positive |= d->label[task * d->units + i] == 1;
        negative |= d->label[task * d->units + i] == 0;
    }
    return positive && negative;
}

static study_figure *figure_at(const study_results *r, size_t entry, size_t row)
{
    return &r->figure[entry * r->rows + row];
}

static double *mean_at(const study_results *r, size_t entry, int mean)
{
    return r->mean + (entry * 3 + (size_t)mean) * r->replicates;
}

/* Adds a task's replicates to the means that it is in; value is a job's. */
static void add_to_means(study_results *r, size_t entry, size_t task, const double *value)
{
    for (int m = 0; m < 3; m++) {
        double *sum = mean_at(r, entry, m);
        if (!mean_has(m, r->data->task[task]))
            continue;
        figure_at(r, entry, (size_t)r->data->tasks + (size_t)m)->auc += figure_at(r, entry, task)->auc;
        for (size_t i = 0; i < r->replicates; i++)
            sum[i] += value[i];
    }
}

static tx_status fill_figure(const study_results *r, study_figure *f, const double *value)
{
    tx_interval interval;
    tx_status status = tx_bootstrap_interval(value, r->replicates, &interval);
    f->low = interval.low;
    f->high = interval.high;
    f->sd = interval.sd;
    f->undefined = interval.undefined;
    return status;
}

/* A job's figure of a task, without the interval. */
static tx_status score_task(const study_data *d, const study_entry *e, size_t task, study_figure *f)
{
    tx_auc_result auc;
    tx_status status = tx_auc_of(e->score + task * d->units, d->label + task * d->units, d->units, &auc);
    *f = (study_figure){auc.positives, auc.negatives, auc.auc, (double)NAN, (double)NAN, (double)NAN, 0, auc.method};
    return status;
}

/* Whether the resamples of these scores make an interval: not where all are equal, or a class has one study. */
static int has_interval(const study_figure *f)
{
    return f->positives > 1 && f->negatives > 1 && strcmp(f->method, "constant");
}

/* A task of every job. */
static tx_status score_jobs(study_results *r, size_t task, const double **score, double *value)
{
    const study_data *d = r->data;
    size_t models = 0;
    tx_status status = TX_OK;
    int defined = has_auc(d, task);
    for (size_t i = 0; status == TX_OK && i < d->entries; i++)
        if (d->entry[i].state == ENTRY_COMPLETE) {
            status = score_task(d, &d->entry[i], task, figure_at(r, i, task));
            score[models++] = d->entry[i].score + task * d->units;
        }
    if (status || !defined)
        return status;
    for (int m = 0; m < 3; m++)
        r->tasks_of[m] += mean_has(m, d->task[task]);
    status = tx_bootstrap_auc(score, models, d->label + task * d->units, r->by_patient ? d->patient : NULL, d->units,
                              r->groups, r->replicates, 0, value);
    for (size_t i = 0, m = 0; status == TX_OK && i < d->entries; i++)
        if (d->entry[i].state == ENTRY_COMPLETE) {
            study_figure *f = figure_at(r, i, task);
            const double *mine = value + m++ * r->replicates;
            add_to_means(r, i, task, mine);
            if (has_interval(f)) {
                status = fill_figure(r, f, mine);
                f->method = study_method(r);
            }
        }
    return status;
}

/* The sums of means become means. */
static tx_status end_means(study_results *r, size_t entry)
{
    static const char *const names[] = {"none",      "mean-of-1", "mean-of-2", "mean-of-3",
                                        "mean-of-4", "mean-of-5", "mean-of-6", "mean-of-all"};
    tx_status status = TX_OK;
    for (int m = 0; status == TX_OK && m < 3; m++) {
        study_figure *f = figure_at(r, entry, (size_t)r->data->tasks + (size_t)m);
        double *value = mean_at(r, entry, m);
        int n = r->tasks_of[m];
        f->auc = n ? f->auc / n : (double)NAN;
        for (size_t i = 0; i < r->replicates; i++)
            value[i] = n ? value[i] / n : (double)NAN;
        status = fill_figure(r, f, value);
        f->method = names[m == 2 && n ? 7 : n];
    }
    return status;
}

/* --------------------------------------------------------------------------------------------- models */
static int same_model(const study_entry *a, const study_entry *b)
{
    return a->net == b->net && a->cut == b->cut && a->pretrained == b->pretrained;
}

/* The mean over the seeds: their replicates are averaged one by one. */
static tx_status average(const study_results *r, size_t from, study_model *m)
{
    const study_data *d = r->data;
    size_t row = (size_t)d->tasks + (size_t)r->headline;
    const double **value = tx_alloc(d->entries, sizeof *value);
    double *weight = tx_alloc(d->entries, sizeof *weight);
    m->replicate = tx_alloc(r->replicates, sizeof *m->replicate);
    int there = value && weight && m->replicate;
    for (size_t i = from; there && i < d->entries; i++)
        if (d->entry[i].state == ENTRY_COMPLETE && same_model(&d->entry[i], &d->entry[from])) {
            value[m->seeds] = mean_at(r, i, r->headline);
            weight[m->seeds++] = 1;
            m->auc += figure_at(r, i, row)->auc;
        }
    if (there) {
        m->auc /= m->seeds;
        tx_bootstrap_mean(value, weight, (size_t)m->seeds, r->replicates, m->replicate);
    }
    tx_free(value);
    tx_free(weight);
    return there ? TX_OK : TX_ERR_MEMORY;
}

/* The model that entry `from` is the first job of. */
static tx_status add_model(study_results *r, size_t from)
{
    study_figure f;
    const study_entry *e = &r->data->entry[from];
    study_model *m = &r->table.model[r->table.models++];
    *m = (study_model){.net = e->net->name, .family = e->net->family, .cut = e->cut, .pretrained = e->pretrained};
    m->parameters = e->parameters;
    m->top1 = e->net->top1 > 0 ? e->net->top1 : (double)NAN;
    tx_status status = average(r, from, m);
    if (status == TX_OK)
        status = fill_figure(r, &f, m->replicate);
    if (status)
        return status;
    m->low = f.low;
    m->high = f.high;
    m->sd = f.sd;
    return TX_OK;
}

static int is_new(const study_results *r, const study_entry *e)
{
    return e->state == ENTRY_COMPLETE && !study_find(&r->table, e->net->name, e->cut, e->pretrained);
}

/* In the registry's order, the full network before its cuts, random before pretrained. */
static tx_status make_table(study_results *r)
{
    const study_data *d = r->data;
    tx_status status = TX_OK;
    r->table.replicates = r->replicates;
    r->table.split = split_name[d->scored];
    r->table.mean = mean_name[r->headline];
    r->table.model = tx_alloc(d->entries, sizeof *r->table.model);
    if (!r->table.model)
        return TX_ERR_MEMORY;
    for (int k = 0; k < tx_nets(); k++)
        for (int cut = 0; cut <= tx_net_at(k)->blocks; cut++)
            for (int pretrained = 0; pretrained < 2; pretrained++)
                for (size_t i = 0; status == TX_OK && i < d->entries; i++) {
                    const study_entry *e = &d->entry[i];
                    if (e->net == tx_net_at(k) && e->cut == cut && e->pretrained == pretrained && is_new(r, e))
                        status = add_model(r, i);
                }
    return status;
}

/* ------------------------------------------------------------------------------------------------ all */
static tx_status make_room(study_results *r)
{
    size_t figures, means;
    const study_data *d = r->data;
    if (tx_size_mul(d->entries, r->rows, &figures) || tx_size_mul(d->entries * 3, r->replicates, &means))
        return tx_fail(TX_ERR_MEMORY, "%zu jobs with %zu replicates", d->entries, r->replicates);
    r->figure = tx_alloc(figures, sizeof *r->figure);
    r->mean = tx_alloc(means, sizeof *r->mean);
    return r->figure && r->mean ? TX_OK : TX_ERR_MEMORY;
}

tx_status study_results_make(study_results *r, const study_data *d, const study_how *how)
{
    *r = (study_results){.data = d, .replicates = how->replicates, .by_patient = how->by_patient};
    r->groups = how->by_patient ? d->patients : d->units;
    r->rows = (size_t)d->tasks + 3;
    tx_status status = make_room(r);
    double *value = tx_alloc(d->complete * r->replicates, sizeof *value);
    const double **score = tx_alloc(d->complete, sizeof *score);
    if (status == TX_OK && !(value && score))
        status = TX_ERR_MEMORY;
    for (size_t k = 0; status == TX_OK && k < (size_t)d->tasks; k++)
        status = score_jobs(r, k, score, value);
    tx_free(value);
    tx_free(score);
    r->headline = r->tasks_of[0] ? 0 : r->tasks_of[1] ? 1 : 2;
    for (size_t i = 0; status == TX_OK && i < d->entries; i++)
        if (d->entry[i].state == ENTRY_COMPLETE)
            status = end_means(r, i);
    return status == TX_OK ? make_table(r) : status;
}

void study_results_free(study_results *r)
{
    for (size_t i = 0; i < r->table.models; i++)
        tx_free(r->table.model[i].replicate);
    tx_free(r->table.model);
    tx_free(r->figure);
    tx_free(r->mean);
    memset(r, 0, sizeof *r);
}

const char *study_row_name(const study_results *r, size_t row)
{
    size_t tasks = (size_t)r->data->tasks;
    return row < tasks ? r->data->task[row] : mean_name[row - tasks];
}

const study_figure *study_figure_of(const study_results *r, size_t entry, size_t row)
{
    return figure_at(r, entry, row);
}

const char *study_method(const study_results *r)
{
    return r->by_patient ? "bootstrap-patient" : "bootstrap-study";
}

/* ---------------------------------------------------------------------------------------- results.csv */
const char study_results_begin[] = "net,cut,init,seed,parameters,";

void study_number(tx_buffer *p, double value)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, ",%s", tx_number_shortest(number, sizeof number, value));
}

tx_status study_file(tx_buffer *p, const char *out, const char *name)
{
    char *path = tx_path_join(out, name);
    tx_status status = path ? tx_buffer_write(p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(p);
    return status;
}

static void write_row(const study_results *r, size_t entry, size_t row, tx_buffer *p)
{
    const study_entry *e = &r->data->entry[entry];
    const study_figure *f = figure_at(r, entry, row);
    tx_buffer_add(p, "%s,%d,%s,%llu,%zu,%s,", e->net->name, e->cut, e->init, (unsigned long long)e->seed, e->parameters,
                  split_name[r->data->scored]);
    tx_buffer_csv(p, study_row_name(r, row));
    if (row < (size_t)r->data->tasks)
        tx_buffer_add(p, ",%zu,%zu", f->positives, f->negatives);
    else
        tx_buffer_append(p, ",nan,nan");
    study_number(p, f->auc);
    study_number(p, f->low);
    study_number(p, f->high);
    study_number(p, f->sd);
    tx_buffer_add(p, ",%s\n", f->method);
}

tx_status study_results_write(const study_results *r, const char *out)
{
    tx_buffer p = {0};
    tx_buffer_add(&p, "%ssplit,task,positives,negatives,auc,low,high,sd,method\n", study_results_begin);
    for (size_t i = 0; i < r->data->entries; i++)
        for (size_t k = 0; r->data->entry[i].state == ENTRY_COMPLETE && k < r->rows; k++)
            write_row(r, i, k, &p);
    return study_file(&p, out, "results.csv");
}
