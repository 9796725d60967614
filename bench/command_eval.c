/* command_eval.c - `thorax eval`: scores of models on a split, and of their ensemble.
 *
 * An ensemble is the mean of probabilities per image; the maximum over a study's views comes after. */
#include "bench.h"
#include "data_notes.h"
#include "model.h"
#include "outputs.h"
#include "run.h"
#include "scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One model on the split, or the ensemble of all. */
typedef struct entry {
    model model;
    const char *name;
    const char *folder; /* of the data */
    tx_dataset *data;   /* with this model's tasks */
    int *column;        /* a task: its output */
    float *probability; /* images x tasks */
    unsigned char *present;
    scores scores;
} entry;

typedef struct evaluation {
    const options *o;
    const char *split;
    int by_study, batch;
    entry *entry;
    size_t models, entries; /* entries: and the ensemble */
} evaluation;

static int open_entry(evaluation *v, entry *e, const char *name)
{
    int code = model_open(&e->model, name, v->o);
    e->name = name;
    if (code == EXIT_DONE)
        code = model_data(&e->model, v->o, &e->folder);
    if (code != EXIT_DONE)
        return code;
    e->data = recipe_dataset(&e->model.recipe, e->folder, v->split, e->model.recipe.tasks, 0);
    if (!e->data || outputs_match(&e->model, e->data, &e->column) || model_check(&e->model))
        return complain_failed();
    size_t cells = e->data->images * (size_t)e->data->tasks;
    e->probability = tx_alloc(cells, sizeof *e->probability);
    e->present = tx_alloc(e->data->images, 1);
    return e->probability && e->present ? EXIT_DONE : complain_failed();
}

/* Runs file i of a model over the split and adds its probabilities. */
static tx_status add_member(evaluation *v, entry *e, predictor *p, tx_loader *loader, size_t member, float *room,
                            tx_progress *bar)
{
    predictions said;
    tx_status status = predictor_load(p, e->model.file[member]);
    if (status == TX_OK)
        status = predictions_new(&said, e->data->images, e->model.choice.classes);
    if (status)
        return status;
    inference how = {p->session, &p->net, v->batch, loader, e->data, bar, member * e->data->images, NULL};
    status = predictions_run(&said, &how);
    if (status == TX_OK) {
        predictions_probabilities(&said, e->data, e->column, room);
        for (size_t i = 0; i < e->data->images * (size_t)e->data->tasks; i++)
            e->probability[i] += room[i];
        memcpy(e->present, said.present, e->data->images);
    }
    predictions_free(&said);
    return status;
}

static void say_bad(const tx_loader *loader, const tx_dataset *d)
{
    for (size_t i = 0; i < d->images; i++)
        if (tx_loader_bad(loader, i))
            say("left out: %s", tx_loader_bad(loader, i));
}

static tx_status run_entry(evaluation *v, entry *e)
{
    char name[TX_TEXT];
    tx_loader_options how = {.preprocess = e->model.recipe.how};
    how.skip_bad = strcmp(option_text(v->o, "bad-images"), "skip") == 0;
    tx_loader *loader = tx_loader_new(e->data, &how);
    predictor p = {0};
    size_t cells = e->data->images * (size_t)e->data->tasks;
    float *room = tx_alloc(cells, sizeof *room);
    tx_status status = loader && room ? predictor_open(&p, &e->model.choice, v->batch) : TX_ERR_MEMORY;
    tx_progress bar;
    tx_progress_begin(&bar, option_on(v->o, "quiet") ? NULL : stderr, "eval", "images",
                      e->data->images * e->model.files, 0);
    for (size_t i = 0; status == TX_OK && i < e->model.files; i++)
        status = add_member(v, e, &p, loader, i, room, &bar);
    if (status == TX_OK)
        tx_progress_end(&bar, NULL);
    else
        tx_progress_stop(&bar);
    for (size_t i = 0; status == TX_OK && i < cells; i++)
        e->probability[i] /= (float)e->model.files;
    if (status == TX_OK)
        say_bad(loader, e->data);
    if (status == TX_OK) {
        status = scores_make(&e->scores, e->data, e->probability, e->present, v->by_study);
        if (status)
            tx_fail_within(status, "%s", tx_escape(name, sizeof name, e->name));
    }
    predictor_free(&p);
    tx_loader_free(loader);
    tx_free(room);
    return status;
}

/* Whether two models are scored on the same images, tasks and labels. */
static int comparable(const entry *a, const entry *b)
{
    const tx_dataset *x = a->data, *y = b->data;
    if (x->images != y->images || strcmp(x->task_names, y->task_names))
        return 0;
    for (size_t i = 0; i < x->images; i++)
        if (strcmp(x->path[i], y->path[i]))
            return 0;
    return memcmp(x->label, y->label, x->images * (size_t)x->tasks) == 0;
}

/* The last entry becomes the mean of the others. */
static tx_status make_ensemble(evaluation *v)
{
    entry *all = &v->entry[v->models], *first = &v->entry[0];
    all->name = "ensemble";
    all->folder = first->folder;
    all->data = first->data;
    size_t tasks = (size_t)first->data->tasks, cells = first->data->images * tasks;
    all->probability = tx_alloc(cells, sizeof *all->probability);
    all->present = tx_alloc(first->data->images, 1);
    if (!all->probability || !all->present)
        return TX_ERR_MEMORY;
    memset(all->present, 1, first->data->images);
    for (size_t m = 0; m < v->models; m++) {
        for (size_t i = 0; i < cells; i++)
            all->probability[i] += v->entry[m].probability[i];
        for (size_t i = 0; i < first->data->images; i++)
            all->present[i] &= v->entry[m].present[i];
    }
    for (size_t i = 0; i < cells; i++)
        all->probability[i] /= (float)v->models;
    return scores_make(&all->scores, all->data, all->probability, all->present, v->by_study);
}

/* --------------------------------------------------------------------------------------------- output */
static void print_number(const char *format, double value)
{
    if (isnan(value))
        printf("%9s", "-");
    else
        printf(format, value);
}

static void print_entry(const evaluation *v, const entry *e)
{
    char name[TX_TEXT], folder[TX_TEXT];
    printf("%s: %zu %s of the %s split of\n%s\n", tx_escape(name, sizeof name, e->name), e->scores.units,
           v->by_study ? "studies" : "images", v->split, tx_escape(folder, sizeof folder, e->folder));
    printf("%-28s %6s %6s %9s %19s  %-14s %9s %9s %9s %9s\n", "task", "pos.", "neg.", "AUC", "95% interval", "method",
           "threshold", "sens.", "spec.", "ECE");
    for (int k = 0; k < e->scores.tasks; k++) {
        const task_score *t = &e->scores.task[k];
        printf("%-28s %6zu %6zu ", t->task, t->auc.positives, t->auc.negatives);
        print_number("%9.4f", t->auc.auc);
        if (isnan(t->auc.low))
            printf(" %19s", "");
        else
            printf("    %.4f to %.4f", t->auc.low, t->auc.high);
        printf("  %-14s ", t->auc.method);
        print_number("%9.4f ", t->best.threshold);
        print_number("%9.4f ", t->best.sensitivity);
        print_number("%9.4f ", t->best.specificity);
        print_number("%9.4f", t->calibration);
        putchar('\n');
    }
    for (int i = 0; i < 3; i++) {
        const mean_score *m = &e->scores.mean[i];
        printf("%-28s %13s ", m->name, "");
        print_number("%9.4f", m->value);
        printf("  of %d%s%s\n", m->tasks, m->left_out[0] ? ", without " : "", m->left_out);
    }
}

static void json_entry(json *j, const entry *e)
{
    json_open(j, NULL, '{');
    json_string(j, "model", e->name);
    json_string(j, "data", e->folder);
    scores_json(&e->scores, j);
    json_close(j, '}');
}

static void print_json(const evaluation *v)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "data", v->entry[0].folder);
    json_string(&j, "split", v->split);
    json_string(&j, "unit", v->by_study ? "study" : "image");
    json_whole(&j, "images", (long long)v->entry[0].data->images);
    json_whole(&j, "studies", (long long)v->entry[0].data->studies);
    json_open(&j, "models", '[');
    for (size_t i = 0; i < v->entries; i++)
        json_entry(&j, &v->entry[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
}

static void score_rows(tx_buffer *p, const entry *e)
{
    char number[7][TX_NUMBER];
    for (int k = 0; k < e->scores.tasks; k++) {
        const task_score *t = &e->scores.task[k];
        const double value[7] = {t->auc.auc,          t->auc.low,          t->auc.high,   t->best.threshold,
                                 t->best.sensitivity, t->best.specificity, t->calibration};
        for (int i = 0; i < 7; i++)
            tx_number_shortest(number[i], TX_NUMBER, value[i]);
        tx_buffer_csv(p, e->name);
        tx_buffer_append(p, ",");
        tx_buffer_csv(p, t->task);
        tx_buffer_add(p, ",%zu,%zu,%s,%s,%s,%s,%s,%s,%s,%s\n", t->auc.positives, t->auc.negatives, number[0], number[1],
                      number[2], t->auc.method, number[3], number[4], number[5], number[6]);
    }
    for (int i = 0; i < 3; i++) {
        tx_buffer_csv(p, e->name);
        tx_buffer_add(p, ",%s,nan,nan,%s,nan,nan,mean-of-%d,nan,nan,nan,nan\n", e->scores.mean[i].name,
                      tx_number_shortest(number[0], TX_NUMBER, e->scores.mean[i].value), e->scores.mean[i].tasks);
    }
}

/* DIR/scores.csv, DIR/predictions-SPLIT.csv of the last entry, and -1, -2, .. of the single ones where there are
 * several. */
static tx_status write_folder(const evaluation *v, const char *folder)
{
    tx_buffer p = {0};
    tx_buffer_append(
        &p, "model,task,positives,negatives,auc,low,high,method,threshold,sensitivity,specificity,calibration_error\n");
    for (size_t i = 0; i < v->entries; i++)
        score_rows(&p, &v->entry[i]);
    char *path = tx_path_join(folder, "scores.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    for (size_t i = 0; status == TX_OK && i < v->entries; i++) {
        const entry *e = &v->entry[i];
        char name[64];
        if (i + 1 == v->entries)
            snprintf(name, sizeof name, "predictions-%s.csv", v->split);
        else
            snprintf(name, sizeof name, "predictions-%s-%zu.csv", v->split, i + 1);
        path = tx_path_join(folder, name);
        status = path ? predictions_write(path, e->data, e->probability, e->present) : TX_ERR_MEMORY;
        tx_free(path);
    }
    return status;
}

/* -------------------------------------------------------------------------------------------- command */
static tx_status say_notes(const evaluation *v)
{
    tx_buffer notes = {0};
    data_notes(&notes, &v->entry[0].data, &v->split, 1, 0);
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
        outputs_say(&v->entry[i].model, v->entry[i].data);
    }
    if (say_notes(v))
        return complain_failed();
    const char *out = option_text(v->o, "out");
    if (out && run_is_there(out))
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
        print_entry(v, &v->entry[i]);
    return out && write_folder(v, out) ? complain_failed() : EXIT_DONE;
}

static void free_entry(entry *e, int own_data)
{
    scores_free(&e->scores);
    if (own_data && e->data)
        tx_dataset_free(e->data);
    tx_free(e->column);
    tx_free(e->probability);
    tx_free(e->present);
    model_free(&e->model);
}

int command_eval(const options *o)
{
    evaluation v = {.o = o, .split = option_text(o, "split"), .models = (size_t)o->arguments};
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
