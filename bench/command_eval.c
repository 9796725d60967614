/* command_eval.c - `thorax eval`: scores of models on a split, and of their ensemble.
 *
 * An ensemble is the mean of probabilities per image; the maximum over a study's views comes after. A threshold that is
 * chosen on the images it is judged by flatters: of another split than valid it is taken from valid where there is one. */
#include "bench.h"
#include "data_notes.h"
#include "figures.h"
#include "images.h"
#include "model.h"
#include "outputs.h"
#include "run.h"
#include "scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a model says of a split. */
typedef struct said {
    tx_dataset *data;   /* with the model's tasks */
    float *probability; /* images x tasks */
    unsigned char *present;
    scores scores;
} said;

/* Of the split that is scored, and of the one that thresholds come from where that is another. */
enum { SCORED, CHOOSING, PARTS };

/* One model, or the ensemble of all. */
typedef struct entry {
    model model;
    const char *name;
    const char *folder; /* of the data */
    int *column;        /* a task: its output */
    char *tasks;        /* those that it has in common with the table, where others named its outputs */
    tx_buffer notes;    /* and what it has not */
    said part[PARTS];
    int parts; /* 1 where the split itself gives the thresholds */
} entry;

typedef struct evaluation {
    const options *o;
    const char *split[PARTS];
    int by_study, batch;
    entry *entry;
    size_t models, entries; /* entries: and the ensemble */
} evaluation;

/* The split that an entry's thresholds come from. */
static const char *threshold_split(const evaluation *v, const entry *e)
{
    return v->split[e->parts - 1];
}

static tx_status make_room(said *p)
{
    p->probability = tx_alloc(p->data->images * (size_t)p->data->tasks, sizeof *p->probability);
    p->present = tx_alloc(p->data->images, 1);
    return p->probability && p->present ? TX_OK : TX_ERR_MEMORY;
}

/* Whether thresholds come from valid: it is not what is scored, and there is one. */
static int has_choosing(const evaluation *v, const char *folder)
{
    char *path = strcmp(v->split[SCORED], v->split[CHOOSING]) ? tx_dataset_table(folder, v->split[CHOOSING]) : NULL;
    int there = path && tx_path_exists(path);
    tx_free(path);
    return there;
}

/* Outputs that others named need not be the table's tasks, nor all of them be there. */
static tx_status find_common(const evaluation *v, entry *e)
{
    tx_dataset *all = recipe_dataset(&e->model.recipe, e->folder, v->split[SCORED], "all", 0);
    tx_status status = all ? outputs_common(&e->model, all, &e->tasks, &e->notes) : TX_ERR_FORMAT;
    tx_dataset_free(all);
    return status;
}

static tx_status open_parts(const evaluation *v, entry *e)
{
    const char *tasks = e->model.recipe.tasks;
    int borrowed = e->model.task && !settings_get(&e->model.carried, "step") && !option_given(v->o, "tasks");
    tx_status status = borrowed ? find_common(v, e) : TX_OK;
    if (borrowed)
        tasks = e->tasks;
    e->parts = has_choosing(v, e->folder) ? 2 : 1;
    for (int i = 0; status == TX_OK && i < e->parts; i++) {
        e->part[i].data = recipe_dataset(&e->model.recipe, e->folder, v->split[i], tasks, 0);
        if (!e->part[i].data)
            return i == SCORED ? TX_ERR_FORMAT : tx_fail_within(TX_ERR_FORMAT, "thresholds come from %s", v->split[i]);
        tasks = e->part[SCORED].data->task_names;
        status = make_room(&e->part[i]);
    }
    return status;
}

static int skips(const evaluation *v)
{
    return strcmp(option_text(v->o, "bad-images"), "skip") == 0;
}

static int open_entry(evaluation *v, entry *e, const char *name)
{
    int code = model_open(&e->model, name, v->o);
    e->name = name;
    if (code == EXIT_DONE)
        code = model_data(&e->model, v->o, &e->folder);
    if (code != EXIT_DONE)
        return code;
    int failed =
        open_parts(v, e) || outputs_match(&e->model, e->part[SCORED].data, &e->column) || model_check(&e->model);
    if (failed)
        return complain_failed();
    tx_dataset *const data[] = {e->part[SCORED].data, e->part[CHOOSING].data};
    return images_look(data, e->parts, skips(v), option_on(v->o, "quiet") ? NULL : stderr);
}

/* What the predictor's weights say of the loader's images, added to what others have said. */
static tx_status add_member(const evaluation *v, const entry *e, said *p, predictor *with, tx_loader *loader,
                            tx_progress *bar)
{
    predictions now;
    size_t cells = p->data->images * (size_t)p->data->tasks;
    float *room = tx_alloc(cells, sizeof *room);
    tx_status status = room ? predictions_new(&now, p->data->images, e->model.choice.classes) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        inference how = {with->session, &with->net, v->batch, loader, p->data, bar, bar->done, NULL};
        status = predictions_run(&now, &how);
        predictions_probabilities(&now, p->data, e->column, e->model.threshold, room);
        for (size_t i = 0; i < cells; i++)
            p->probability[i] += room[i];
        memcpy(p->present, now.present, p->data->images);
        predictions_free(&now);
    }
    tx_free(room);
    return status;
}

static void say_bad(const tx_loader *loader, const tx_dataset *d)
{
    for (size_t i = 0; i < d->images; i++)
        if (tx_loader_bad(loader, i))
            say("left out: %s", tx_loader_bad(loader, i));
}

/* The figures of what has been said; sensitivity and specificity at the thresholds of the other split, where there is
 * one. */
static tx_status score(const evaluation *v, entry *e)
{
    char name[TX_TEXT];
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < e->parts; i++) {
        said *p = &e->part[i];
        status = scores_make(&p->scores, p->data, p->probability, p->present, v->by_study);
    }
    if (status == TX_OK && e->parts == 2) {
        said *p = &e->part[SCORED];
        status =
            scores_threshold(&p->scores, p->data, p->probability, p->present, v->by_study, &e->part[CHOOSING].scores);
    }
    return status ? tx_fail_within(status, "%s", tx_escape(name, sizeof name, e->name)) : TX_OK;
}

/* Every file of the model over every split, then their mean. */
static tx_status run_files(evaluation *v, entry *e, tx_loader *const *loader)
{
    predictor p = {0};
    tx_progress bar;
    size_t images = e->part[SCORED].data->images + (e->parts == 2 ? e->part[CHOOSING].data->images : 0);
    tx_status status = predictor_open(&p, &e->model.choice, v->batch);
    tx_progress_begin(&bar, option_on(v->o, "quiet") ? NULL : stderr, "eval", "images", images * e->model.files, 0);
    for (size_t m = 0; status == TX_OK && m < e->model.files; m++) {
        status = predictor_load(&p, e->model.file[m]);
        for (int i = 0; status == TX_OK && i < e->parts; i++)
            status = add_member(v, e, &e->part[i], &p, loader[i], &bar);
    }
    if (status == TX_OK)
        tx_progress_end(&bar, NULL);
    else
        tx_progress_stop(&bar);
    predictor_free(&p);
    for (int i = 0; status == TX_OK && i < e->parts; i++)
        for (size_t c = 0; c < e->part[i].data->images * (size_t)e->part[i].data->tasks; c++)
            e->part[i].probability[c] /= (float)e->model.files;
    return status;
}

static tx_status run_entry(evaluation *v, entry *e)
{
    tx_loader_options how = {.preprocess = e->model.recipe.how};
    how.skip_bad = skips(v);
    tx_loader *loader[PARTS] = {NULL};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < e->parts; i++) {
        loader[i] = tx_loader_new(e->part[i].data, &how);
        status = loader[i] ? TX_OK : TX_ERR_MEMORY;
    }
    if (status == TX_OK)
        status = run_files(v, e, loader);
    for (int i = 0; status == TX_OK && i < e->parts; i++)
        say_bad(loader[i], e->part[i].data);
    if (status == TX_OK)
        status = score(v, e);
    for (int i = 0; i < e->parts; i++)
        tx_loader_free(loader[i]);
    return status;
}

static int same_data(const tx_dataset *x, const tx_dataset *y)
{
    if (x->images != y->images || strcmp(x->task_names, y->task_names))
        return 0;
    for (size_t i = 0; i < x->images; i++)
        if (strcmp(x->path[i], y->path[i]))
            return 0;
    return memcmp(x->label, y->label, x->images * (size_t)x->tasks) == 0;
}

/* Whether two models are scored, and their thresholds chosen, on the same images, tasks and labels. */
static int comparable(const entry *a, const entry *b)
{
    int same = a->parts == b->parts;
    for (int i = 0; same && i < a->parts; i++)
        same = same_data(a->part[i].data, b->part[i].data);
    return same;
}

/* One split's mean of what the models say. */
static tx_status mean_of_models(const evaluation *v, int part, said *all)
{
    all->data = v->entry[0].part[part].data;
    size_t images = all->data->images, cells = images * (size_t)all->data->tasks;
    if (make_room(all))
        return TX_ERR_MEMORY;
    memset(all->present, 1, images);
    for (size_t m = 0; m < v->models; m++) {
        const said *one = &v->entry[m].part[part];
        for (size_t i = 0; i < cells; i++)
            all->probability[i] += one->probability[i];
        for (size_t i = 0; i < images; i++)
            all->present[i] &= one->present[i];
    }
    for (size_t i = 0; i < cells; i++)
        all->probability[i] /= (float)v->models;
    return TX_OK;
}

/* The last entry becomes the mean of the others. */
static tx_status make_ensemble(evaluation *v)
{
    entry *all = &v->entry[v->models];
    all->name = "ensemble";
    all->folder = v->entry[0].folder;
    all->parts = v->entry[0].parts;
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < all->parts; i++)
        status = mean_of_models(v, i, &all->part[i]);
    return status == TX_OK ? score(v, all) : status;
}

/* --------------------------------------------------------------------------------------------- output */
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
        table_cell(t, "%s", mean_extent(&f->mean[i], room));
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

static tx_status print_entry(const evaluation *v, const entry *e)
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
    if (v->by_study)
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
    tx_status noted = notes_print(&notes, stdout);
    table_free(&t);
    figures_free(&f);
    return status ? status : noted;
}

static void json_entry(json *j, const entry *e)
{
    json_open(j, NULL, '{');
    json_string(j, "model", e->name);
    json_string(j, "data", e->folder);
    scores_json(&e->part[SCORED].scores, j);
    json_close(j, '}');
}

static void print_json(const evaluation *v)
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
        json_entry(&j, &v->entry[i]);
    json_close(&j, ']');
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
        tx_buffer_csv(p, e->name);
        tx_buffer_add(p, ",%s,nan,nan,%s,nan,nan,mean-of-%d,nan,nan,nan,nan", s->mean[i].name,
                      tx_number_shortest(number[0], TX_NUMBER, s->mean[i].value), s->mean[i].tasks);
        end_row(v, p, e, "");
    }
}

/* DIR/scores.csv, DIR/predictions-SPLIT.csv of the last entry, and -1, -2, .. of the single ones where there are
 * several. */
static tx_status write_folder(const evaluation *v, const char *folder)
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
    for (size_t i = 0; status == TX_OK && i < v->entries; i++) {
        const said *one = &v->entry[i].part[SCORED];
        char name[64];
        if (i + 1 == v->entries)
            snprintf(name, sizeof name, "predictions-%s.csv", v->split[SCORED]);
        else
            snprintf(name, sizeof name, "predictions-%s-%zu.csv", v->split[SCORED], i + 1);
        path = tx_path_join(folder, name);
        status = path ? predictions_write(path, one->data, one->probability, one->present) : TX_ERR_MEMORY;
        tx_free(path);
    }
    return status;
}

/* -------------------------------------------------------------------------------------------- command */
static tx_status say_notes(const evaluation *v)
{
    tx_buffer notes = {0};
    data_notes_reading(&notes, &v->entry[0].part[SCORED].data, v->split, 1, 1);
    if (notes.data)
        say_lines(notes.data);
    tx_status status = notes.status;
    tx_buffer_free(&notes);
    return status;
}

static int evaluate(evaluation *v)
{
    char escaped[TX_TEXT];
    for (size_t i = 0; i < v->models; i++) {
        int code = open_entry(v, &v->entry[i], v->o->argument[i]);
        if (code != EXIT_DONE)
            return code;
        if (i > 0 && !comparable(&v->entry[0], &v->entry[i]))
            return complain(EXIT_FAILED,
                            "%s and %s have other images, tasks or labels, so they cannot be averaged; --tasks, "
                            "--views, --uncertain and --blank make them equal",
                            v->entry[0].name, v->entry[i].name);
        model_describe(&v->entry[i].model);
        outputs_say(&v->entry[i].model, v->entry[i].part[SCORED].data);
        if (v->entry[i].notes.data)
            say_lines(v->entry[i].notes.data);
    }
    if (say_notes(v))
        return complain_failed();
    const char *out = option_text(v->o, "out");
    int run_there = 0;
    if (out && run_is_there(out, &run_there))
        return complain_failed();
    if (run_there)
        return complain(EXIT_FAILED,
                        "%s: holds a run, whose predictions are the training's; --out wants another folder",
                        tx_escape(escaped, sizeof escaped, out));
    if (out && tx_folder_make(out))
        return complain_failed();
    for (size_t i = 0; i < v->models; i++)
        if (run_entry(v, &v->entry[i]))
            return complain_failed();
    if (v->entries > v->models && make_ensemble(v))
        return complain_failed();
    /* Printed first: where the folder cannot be written, the figures are not lost. */
    if (option_on(v->o, "json"))
        print_json(v);
    for (size_t i = 0; i < v->entries && !option_on(v->o, "json"); i++)
        if (print_entry(v, &v->entry[i]))
            return complain_failed();
    return out && write_folder(v, out) ? complain_failed() : EXIT_DONE;
}

static void free_entry(entry *e, int own_data)
{
    for (int i = 0; i < PARTS; i++) {
        scores_free(&e->part[i].scores);
        if (own_data && e->part[i].data)
            tx_dataset_free(e->part[i].data);
        tx_free(e->part[i].probability);
        tx_free(e->part[i].present);
    }
    tx_free(e->column);
    tx_free(e->tasks);
    tx_buffer_free(&e->notes);
    model_free(&e->model);
}

int command_eval(const options *o)
{
    evaluation v = {.o = o, .split = {option_text(o, "split"), "valid"}, .models = (size_t)o->arguments};
    v.by_study = strcmp(option_text(o, "unit"), "study") == 0;
    v.batch = (int)option_whole(o, "batch");
    v.entries = v.models + (v.models > 1);
    v.entry = tx_alloc(v.entries, sizeof *v.entry);
    int code = v.entry ? evaluate(&v) : complain_failed();
    for (size_t i = 0; v.entry && i < v.entries; i++)
        free_entry(&v.entry[i], i < v.models);
    tx_free(v.entry);
    return code;
}
