/* study_print.c - a study's models as a table on the screen, or as JSON. */
#include "study_print.h"
#include "figures.h"
#include "html.h"
#include "json.h"
#include "table.h"

#include <math.h>
#include <stdio.h>

static const char *interval(char out[32], double low, double high, int sign)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    if (isnan(low) || isnan(high))
        snprintf(out, 32, "-");
    else
        snprintf(out, 32, sign ? "%.8s to %.8s" : "%.8s-%.8s", html_number(a, low, 3, sign),
                 html_number(b, high, 3, sign));
    return out;
}

static void add_row(table *t, const study_tests *tests, const study_model *m)
{
    char text[32], number[TX_NUMBER];
    const study_difference *d = !m->pretrained ? NULL
                                : m->cut       ? study_cost_of(tests, m->net, m->cut)
                                               : study_gain_of(tests, m->net);
    if (m->cut)
        table_cell(t, "%s-%d", m->net, m->cut);
    else
        table_cell(t, "%s", m->net);
    table_cell(t, "%s", m->pretrained ? "pretrained" : "random");
    table_number(t, m->auc, 3);
    table_cell(t, "%s", interval(text, m->low, m->high, 0));
    if (d) {
        table_cell(t, "%s", html_number(number, d->value, 3, 1));
        table_cell(t, "%s", interval(text, d->low, d->high, 1));
    }
    table_row(t);
}

tx_status study_print(const study_results *r, const study_tests *t, const char *data, const char *out)
{
    char folder[TX_TEXT];
    table rows = {.align = "llrlrl"};
    tx_buffer notes = {0};
    tx_buffer_add(&notes, "data: %s\n", tx_escape(folder, sizeof folder, data));
    tx_buffer_add(&notes,
                  "%s: %zu studies (their images' maximum) of %zu patients; AUC: %s, over %d task%s; 95%% intervals of "
                  "%zu bootstrap "
                  "resamples of %s; difference: pretrained - random, or truncated - full\n",
                  r->table.split, r->data->units, r->data->patients, r->table.mean, r->tasks_of[r->headline],
                  r->tasks_of[r->headline] == 1 ? "" : "s", r->replicates, r->by_patient ? "patients" : "studies");
    if (r->data->scored == SPLIT_VALID)
        tx_buffer_append(&notes, "valid also chose the checkpoints: its figures are too good\n");
    tx_status status = notes_print(&notes, stdout);
    table_cell(&rows, "model");
    table_cell(&rows, "weights");
    table_cell(&rows, "AUC");
    table_cell(&rows, "interval");
    table_cell(&rows, "diff.");
    table_cell(&rows, "interval");
    table_row(&rows);
    for (size_t i = 0; i < r->table.models; i++)
        add_row(&rows, t, &r->table.model[i]);
    tx_status printed = table_print(&rows, stdout);
    if (status == TX_OK)
        status = printed;
    if (status == TX_OK)
        printf("\n%s/report.html\n", out);
    return status;
}

/* ----------------------------------------------------------------------------------------------- JSON */
static void json_model(json *j, const study_model *m)
{
    json_open(j, NULL, '{');
    json_string(j, "net", m->net);
    json_whole(j, "cut", m->cut);
    json_string(j, "init", m->pretrained ? "pretrained" : "random");
    json_whole(j, "seeds", m->seeds);
    json_whole(j, "parameters", (long long)m->parameters);
    json_real(j, "top1", m->top1);
    json_real(j, "auc", m->auc);
    json_real(j, "low", m->low);
    json_real(j, "high", m->high);
    json_real(j, "sd", m->sd);
    json_close(j, '}');
}

static void json_differences(json *j, const char *key, const study_difference *list, size_t count, int of_other)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < count; i++) {
        const study_difference *d = &list[i];
        json_open(j, NULL, '{');
        json_string(j, "net", of_other ? d->b->net : d->a->net);
        json_whole(j, "cut", of_other ? d->b->cut : d->a->cut);
        json_real(j, "difference", d->value);
        json_real(j, "low", d->low);
        json_real(j, "high", d->high);
        json_real(j, "p", d->p);
        json_real(j, "adjusted", d->adjusted);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_ranks(json *j, const study_tests *t)
{
    json_open(j, "correlations", '[');
    for (int k = 0; k < STUDY_RANKS; k++) {
        json_open(j, NULL, '{');
        json_string(j, "test", t->rank[k].name);
        json_whole(j, "n", (long long)t->rank[k].n);
        json_real(j, "rho", t->rank[k].rho.rho);
        json_real(j, "low", t->rank[k].rho.low);
        json_real(j, "high", t->rank[k].rho.high);
        json_real(j, "p", t->rank[k].rho.p);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_missing(json *j, const study_data *d)
{
    json_open(j, "missing", '[');
    for (size_t i = 0; i < d->entries; i++)
        if (d->entry[i].state != ENTRY_COMPLETE) {
            json_open(j, NULL, '{');
            json_string(j, "job", d->entry[i].name);
            json_string(j, "why", d->entry[i].why);
            json_close(j, '}');
        }
    json_close(j, ']');
}

void study_print_json(const study_results *r, const study_tests *t, const char *data, const char *out)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "data", data);
    json_string(&j, "split", r->table.split);
    json_string(&j, "unit", "study");
    json_whole(&j, "studies", (long long)r->data->units);
    json_whole(&j, "patients", (long long)r->data->patients);
    json_string(&j, "mean", r->table.mean);
    json_whole(&j, "tasks", r->tasks_of[r->headline]);
    json_whole(&j, "replicates", (long long)r->replicates);
    json_string(&j, "group", r->by_patient ? "patient" : "study");
    json_open(&j, "models", '[');
    for (size_t i = 0; i < r->table.models; i++)
        json_model(&j, &r->table.model[i]);
    json_close(&j, ']');
    json_differences(&j, "pretrained_random", t->gain, t->gains, 0);
    json_differences(&j, "cut_full", t->cost, t->costs, 0);
    json_differences(&j, "best_other", t->lead, t->leads, 1);
    json_ranks(&j, t);
    json_real(&j, "compression", t->compression);
    json_missing(&j, r->data);
    json_string(&j, "out", out);
    json_close(&j, '}');
    json_end();
}
