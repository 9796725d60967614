/* eval_csv.c - a MODEL of `thorax eval` that is a CSV of predictions: its columns are outputs, its rows what they say.
 *
 * The labels are read as the first MODEL with a network reads them, where there is one, so that both are judged alike. Its
 * scores need not be probabilities: they are ranked as they stand. */
#include "eval.h"
#include "outputs.h"
#include "prediction_table.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

int entry_is_table(const char *name)
{
    tx_path_kind kind = TX_PATH_NONE;
    return ends_in(name, ".csv") && (tx_path_look(name, &kind) || kind != TX_PATH_FOLDER);
}

/* The columns' names become those of outputs. */
static tx_status name_outputs(model *m, const prediction_table *t)
{
    m->task = tx_alloc((size_t)t->columns, sizeof *m->task);
    m->choice.classes = m->task ? t->columns : 0;
    for (int c = 0; c < m->choice.classes; c++)
        if (!(m->task[c] = tx_strdup(t->column[c])))
            return TX_ERR_MEMORY;
    return m->task ? TX_OK : TX_ERR_MEMORY;
}

/* The table of labels with the tasks that the CSV has a column for; where tasks were named one by one, with those. */
static tx_status open_labels(const evaluation *v, entry *e, const entry *base)
{
    const char *asked = option_given(v->o, "tasks") ? option_text(v->o, "tasks") : NULL;
    const char *list = asked ? asked : base ? base->part[SCORED].data->task_names : "all";
    int named = asked && strcmp(asked, "all") != 0 && strcmp(asked, "competition") != 0;
    tx_status status = entry_check_split(v, e);
    if (status == TX_OK && !named)
        status = entry_common(v, e, list);
    if (status)
        return status;
    e->parts = 1;
    said *p = &e->part[SCORED];
    p->data = recipe_dataset(&e->model.recipe, e->folder, v->split[SCORED], named ? list : e->tasks, 0);
    return p->data ? said_room(p) : TX_ERR_FORMAT;
}

static tx_status check_unit(const evaluation *v, const entry *e, const prediction_table *t)
{
    char name[TX_TEXT];
    const tx_dataset *d = e->part[SCORED].data;
    if (v->by_study || !(t->study_rows || d->study_rows))
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT, "%s: has a row a study, which --unit image cannot tell apart",
                   tx_escape(name, sizeof name, t->study_rows ? t->path : d->file));
}

/* What was left out on either side. */
static tx_status judge_fit(const evaluation *v, entry *e, const prediction_table *t, const prediction_fit *fit)
{
    char first[TX_TEXT];
    const tx_dataset *d = e->part[SCORED].data;
    const char *of = d->study_rows ? "studies" : "images";
    tx_escape(first, sizeof first, d->path[d->images ? fit->first : 0]);
    if (fit->missing && !entry_skips(v))
        return tx_fail(TX_ERR_FORMAT,
                       "%s: no row for %zu of the %zu %s of %s, the first: %s (--bad-images skip leaves "
                       "them out)",
                       t->name, fit->missing, d->images, of, v->split[SCORED], first);
    if (fit->missing)
        tx_buffer_add(&e->notes, "left out, without a row in %s:\n    %zu of %zu %s, the first: %s\n", t->name,
                      fit->missing, d->images, of, first);
    if (fit->other)
        tx_buffer_add(&e->notes, "passed over, of none of %s's %s:\n    %zu of the %zu rows of %s\n", v->split[SCORED],
                      of, fit->other, t->rows, t->name);
    return e->notes.status;
}

static tx_status read_table(const evaluation *v, entry *e, prediction_table *t, const entry *base)
{
    prediction_fit fit;
    said *p = &e->part[SCORED];
    tx_status status = open_labels(v, e, base);
    if (status == TX_OK)
        status = outputs_match(&e->model, p->data, &e->column);
    if (status == TX_OK)
        status = check_unit(v, e, t);
    if (status == TX_OK)
        status = prediction_table_read(t, e->column, p->data->tasks);
    if (status == TX_OK)
        status = prediction_table_fit(t, p->data, p->probability, p->present, &fit);
    return status == TX_OK ? judge_fit(v, e, t, &fit) : status;
}

int entry_open_table(const evaluation *v, entry *e, const char *name, const entry *base)
{
    prediction_table t;
    model *m = &e->model;
    e->name = m->name = name;
    e->table = 1;
    tx_status status = prediction_table_open(&t, name);
    if (status == TX_OK)
        status = name_outputs(m, &t);
    if (status == TX_OK)
        status = recipe_read(&m->recipe, v->o, base ? &base->model.carried : NULL, "none");
    m->recipe.studies = 1;
    e->folder = base ? base->folder : NULL;
    int code = status ? complain_failed() : e->folder ? EXIT_DONE : model_data(m, v->o, &e->folder);
    if (code == EXIT_DONE && read_table(v, e, &t, base))
        code = complain_failed();
    e->rows = t.rows;
    prediction_table_free(&t);
    return code;
}

void entry_describe_table(const entry *e)
{
    char name[TX_TEXT];
    say("%s: predictions in %zu rows, of %d tasks", tx_escape(name, sizeof name, e->name), e->rows,
        e->part[SCORED].data->tasks);
}
