/* eval_print.c - what `thorax eval` prints of each model: a table with its notes. */
#include "eval.h"
#include "figures.h"

#include <string.h>

static void table_head(const evaluation *v, const entry *e, table *t)
{
    static const char *const above[] = {"", "", "", "", "", "best on", "at it", "at it", ""};
    static const char *const names[] = {"task", "pos", "neg", "AUC ", "interval", NULL, "sens.", "spec.", "ECE"};
    for (int i = 0; i < 9; i++)
        table_cell(t, "%s", above[i]);
    table_row(t);
    for (int i = 0; i < 9; i++)
        table_cell(t, "%s", names[i] ? names[i] : threshold_split(v, e));
    table_row(t);
}

static void table_rows(const scores *s, const figure_set *f, table *t)
{
    char room[32];
    for (int k = 0; k < f->tasks; k++) {
        const task_score *score = &s->task[k];
        table_cell(t, "%s", f->task[k].task);
        table_cell(t, "%.0f", f->task[k].positives);
        table_cell(t, "%.0f", f->task[k].negatives);
        table_cell(t, "%s", figure_auc(&f->task[k], room));
        table_cell(t, "%s", figure_interval(&f->task[k], room));
        table_number(t, score->best.threshold, 3);
        table_number(t, score->best.sensitivity, 3);
        table_number(t, score->best.specificity, 3);
        table_number(t, score->calibration, 3);
        table_row(t);
    }
    for (int i = 0; i < 3; i++) {
        table_cell(t, "%s", f->mean[i].name);
        table_cell(t, "%s", "");
        table_cell(t, "%s", "");
        table_cell(t, "%s", mean_value(&f->mean[i], room));
        table_cell(t, "%s", mean_interval(&f->mean[i], room));
        table_row(t);
    }
}

/* What the columns behind the interval are. */
static void note_columns(const evaluation *v, const entry *e, tx_buffer *to)
{
    const char *from = threshold_split(v, e), *split = v->split[SCORED];
    if (e->parts == 2)
        tx_buffer_add(to,
                      "best on %s: the threshold with the largest sensitivity + specificity - 1 there; sens. and "
                      "spec. are %s's at it.\n",
                      from, split);
    else
        tx_buffer_add(to,
                      "best on %s: the threshold with the largest sensitivity + specificity - 1, chosen on what it is "
                      "judged by.\n",
                      from);
    tx_buffer_append(to, "ECE: expected calibration error, ten bins.\n");
}

/* Scores that are no probabilities. */
static void note_scores(const scores *s, tx_buffer *to)
{
    int n = 0;
    for (int k = 0; k < s->tasks; k++)
        if (!s->task[k].probabilities)
            tx_buffer_add(to, "%s%s", n++ ? ", " : "No ECE where scores are outside 0 to 1: ", s->task[k].task);
    tx_buffer_append(to, n ? ".\n" : "");
}

static tx_status print_notes(tx_buffer *notes, tx_buffer *last)
{
    if (notes->data && last->data && strcmp(notes->data, last->data) == 0) {
        tx_buffer_free(notes);
        return TX_OK;
    }
    tx_buffer_free(last);
    if (notes->data)
        tx_buffer_append(last, notes->data);
    tx_status status = notes_print(notes, stdout);
    return status ? status : last->status;
}

tx_status entry_print(const evaluation *v, const entry *e, tx_buffer *last)
{
    char name[TX_TEXT], folder[TX_TEXT];
    const scores *s = &e->part[SCORED].scores;
    const char *split = v->split[SCORED];
    figure_set f = {0};
    const figure_set *const list[] = {&f};
    table t = {.align = "lrrrlrrrr"};
    tx_buffer notes = {0};
    tx_status status = figures_of_scores(&f, s);
    if (status)
        return status;
    tx_buffer_add(&notes, "%s: %zu %s of the %s split of\n%s\n", tx_escape(name, sizeof name, e->name),
                  v->by_study ? s->of.studies : s->of.images, v->by_study ? "studies" : "images", split,
                  tx_escape(folder, sizeof folder, e->folder));
    if (e->part[SCORED].data->study_rows)
        tx_buffer_add(&notes, "of %zu patients; the table of labels has a row a study\n", s->of.patients);
    else if (v->by_study)
        tx_buffer_add(&notes, "%zu images of %zu patients; of a study the maximum over its images\n", s->of.images,
                      s->of.patients);
    else
        tx_buffer_add(&notes, "of %zu patients, %zu studies\n", s->of.patients, s->of.studies);
    status = notes_print(&notes, stdout);
    table_head(v, e, &t);
    table_rows(s, &f, &t);
    if (status == TX_OK)
        status = table_print(&t, stdout);
    figures_notes(list, &split, 1, &notes);
    note_columns(v, e, &notes);
    note_scores(s, &notes);
    tx_status noted = print_notes(&notes, last);
    table_free(&t);
    figures_free(&f);
    return status ? status : noted;
}
