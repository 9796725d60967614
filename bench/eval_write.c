/* eval_write.c - what `thorax eval` gives to programs: one JSON object, and a folder of tables. */
#include "eval_compare.h"

#include <stdio.h>

static void json_entry(json *j, const evaluation *v, const entry *e)
{
    json_open(j, NULL, '{');
    json_string(j, "model", e->name);
    json_string(j, "data", e->folder);
    json_string(j, "threshold_from", threshold_split(v, e));
    scores_json(&e->part[SCORED].scores, j);
    json_close(j, '}');
}

void evaluation_json(const evaluation *v, const comparisons *c)
{
    json j = {0};
    const entry *e = &v->entry[v->entries - 1];
    const extent *of = &e->part[SCORED].scores.of;
    json_open(&j, NULL, '{');
    json_string(&j, "data", v->entry[0].folder);
    json_string(&j, "split", v->split[SCORED]);
    json_string(&j, "unit", v->by_study ? "study" : "image");
    json_whole(&j, "images", (long long)of->images);
    json_whole(&j, "studies", (long long)of->studies);
    json_whole(&j, "patients", (long long)of->patients);
    json_string(&j, "threshold_from", threshold_split(v, e));
    json_open(&j, "models", '[');
    for (size_t i = 0; i < v->entries; i++)
        json_entry(&j, v, &v->entry[i]);
    json_close(&j, ']');
    if (c)
        comparisons_json(c, v, &j);
    json_close(&j, '}');
    json_end();
}

/* The columns that say of what a row is. */
static void end_row(const evaluation *v, tx_buffer *p, const entry *e, const char *threshold)
{
    tx_buffer_append(p, ",");
    tx_buffer_csv(p, e->folder);
    tx_buffer_add(p, ",%s,%s,%s\n", v->split[SCORED], v->by_study ? "study" : "image", threshold);
}

static void score_rows(const evaluation *v, tx_buffer *p, const entry *e)
{
    char number[7][TX_NUMBER];
    const scores *s = &e->part[SCORED].scores;
    for (int k = 0; k < s->tasks; k++) {
        const task_score *t = &s->task[k];
        const double value[7] = {t->auc.auc,          t->auc.low,          t->auc.high,   t->best.threshold,
                                 t->best.sensitivity, t->best.specificity, t->calibration};
        for (int i = 0; i < 7; i++)
            tx_number_shortest(number[i], TX_NUMBER, value[i]);
        tx_buffer_csv(p, e->name);
        tx_buffer_append(p, ",");
        tx_buffer_csv(p, t->task);
        tx_buffer_add(p, ",%zu,%zu,%s,%s,%s,%s,%s,%s,%s,%s", t->auc.positives, t->auc.negatives, number[0], number[1],
                      number[2], t->auc.method, number[3], number[4], number[5], number[6]);
        end_row(v, p, e, threshold_split(v, e));
    }
    for (int i = 0; i < 3; i++) {
        const mean_score *m = &s->mean[i];
        tx_buffer_csv(p, e->name);
        tx_buffer_add(p, ",%s,nan,nan,%s,%s,%s,mean-of-%d,nan,nan,nan,nan", m->name,
                      tx_number_shortest(number[0], TX_NUMBER, m->value),
                      tx_number_shortest(number[1], TX_NUMBER, m->low),
                      tx_number_shortest(number[2], TX_NUMBER, m->high), m->tasks);
        end_row(v, p, e, "");
    }
}

static tx_status write_scores(const evaluation *v, const char *folder)
{
    tx_buffer p = {0};
    tx_buffer_append(
        &p, "model,task,positives,negatives,auc,low,high,method,threshold,sensitivity,specificity,calibration_error,"
            "data,split,unit,threshold_from\n");
    for (size_t i = 0; i < v->entries; i++)
        score_rows(v, &p, &v->entry[i]);
    char *path = tx_path_join(folder, "scores.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

tx_status evaluation_write(const evaluation *v, const comparisons *c, const char *folder)
{
    tx_status status = write_scores(v, folder);
    for (size_t i = 0; status == TX_OK && i < v->entries; i++) {
        const said *one = &v->entry[i].part[SCORED];
        int alone = v->models == 1 || i == v->models;
        char name[64];
        if (alone)
            snprintf(name, sizeof name, "predictions-%s.csv", v->split[SCORED]);
        else
            snprintf(name, sizeof name, "predictions-%s-%zu.csv", v->split[SCORED], i + 1);
        char *path = tx_path_join(folder, name);
        status = path ? predictions_write(path, one->data, one->probability, one->present) : TX_ERR_MEMORY;
        tx_free(path);
    }
    return status == TX_OK && c ? comparisons_write(c, v, folder) : status;
}
