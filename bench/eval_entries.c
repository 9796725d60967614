/* eval_entries.c - what MODELs of `thorax eval` are, what they say of images, and how right they are.
 *
 * A threshold that is chosen on the images it is judged by flatters: of another split than valid it is taken from valid
 * where there is one. */
#include "eval.h"
#include "images.h"
#include "intervals.h"
#include "outputs.h"

#include <string.h>

const char *threshold_split(const evaluation *v, const entry *e)
{
    return v->split[e->parts - 1];
}

tx_status said_room(said *p)
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

tx_status entry_check_split(const evaluation *v, const entry *e)
{
    char wanted[TX_TEXT], there[TX_TEXT];
    const char *other = strcmp(v->split[SCORED], "valid") ? "valid" : "test";
    char *table = tx_dataset_table(e->folder, v->split[SCORED]), *instead = tx_dataset_table(e->folder, other);
    tx_status status = table && instead ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK && !tx_path_exists(table) && tx_path_exists(instead))
        status = tx_fail(TX_ERR_FILE, "%s: no such file, but %s is there: --split %s",
                         tx_escape(wanted, sizeof wanted, table), tx_escape(there, sizeof there, instead), other);
    tx_free(table);
    tx_free(instead);
    return status;
}

tx_status entry_common(const evaluation *v, entry *e, const char *list)
{
    tx_dataset *all = recipe_dataset(&e->model.recipe, e->folder, v->split[SCORED], list, 0);
    tx_status status = all ? outputs_common(&e->model, all, &e->tasks, &e->notes) : TX_ERR_FORMAT;
    tx_dataset_free(all);
    return status;
}

static tx_status open_parts(const evaluation *v, entry *e)
{
    const char *tasks = e->model.recipe.tasks;
    int borrowed = e->model.task && !settings_get(&e->model.carried, "step") && !option_given(v->o, "tasks");
    tx_status status = entry_check_split(v, e);
    if (status == TX_OK && borrowed)
        status = entry_common(v, e, "all");
    if (borrowed)
        tasks = e->tasks;
    e->parts = has_choosing(v, e->folder) ? 2 : 1;
    for (int i = 0; status == TX_OK && i < e->parts; i++) {
        e->part[i].data = recipe_dataset(&e->model.recipe, e->folder, v->split[i], tasks, 0);
        if (!e->part[i].data)
            return i == SCORED ? TX_ERR_FORMAT : tx_fail_within(TX_ERR_FORMAT, "thresholds come from %s", v->split[i]);
        tasks = e->part[SCORED].data->task_names;
        status = said_room(&e->part[i]);
    }
    return status;
}

int entry_skips(const evaluation *v)
{
    return strcmp(option_text(v->o, "bad-images"), "skip") == 0;
}

int entry_open(evaluation *v, entry *e, const char *name)
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
    return images_look(data, e->parts, entry_skips(v), option_on(v->o, "quiet") ? NULL : stderr);
}

/* What the predictor's weights say of the loader's images, added to what others have said: floats. */
static tx_status add_member(const evaluation *v, const entry *e, said *p, predictor *with, tx_loader *loader,
                            tx_progress *bar)
{
    predictions now;
    size_t cells = p->data->images * (size_t)p->data->tasks;
    double *room = tx_alloc(cells, sizeof *room);
    tx_status status = room ? predictions_new(&now, p->data->images, e->model.choice.classes) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        inference how = {with->session, &with->net, v->batch, loader, p->data, bar, bar->done, NULL};
        status = predictions_run(&now, &how);
        predictions_probabilities(&now, p->data, e->column, e->model.threshold, room);
        for (size_t i = 0; i < cells; i++)
            p->probability[i] = (double)((float)p->probability[i] + (float)room[i]);
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

tx_status entry_score(const evaluation *v, entry *e)
{
    char name[TX_TEXT];
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < e->parts; i++) {
        said *p = &e->part[i];
        status = (e->table ? scores_rank : scores_make)(&p->scores, p->data, p->probability, p->present, v->by_study);
    }
    if (status == TX_OK && e->parts == 2) {
        said *p = &e->part[SCORED];
        status =
            scores_threshold(&p->scores, p->data, p->probability, p->present, v->by_study, &e->part[CHOOSING].scores);
    }
    if (status == TX_OK && resampling_wanted(v->o)) {
        said *p = &e->part[SCORED];
        const resampling how = resampling_of(v->o);
        status = scores_bootstrap(&p->scores, p->data, p->probability, p->present, v->by_study, &how);
    }
    return status ? tx_fail_within(status, "%s", tx_escape(name, sizeof name, e->name)) : TX_OK;
}

/* Every file of the model over every split, then their mean. */
static tx_status run_files(const evaluation *v, entry *e, tx_loader *const *loader)
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
            e->part[i].probability[c] = (double)((float)e->part[i].probability[c] / (float)e->model.files);
    return status;
}

tx_status entry_run(const evaluation *v, entry *e)
{
    if (e->table)
        return entry_score(v, e);
    tx_loader_options how = {.preprocess = e->model.recipe.how};
    how.skip_bad = entry_skips(v);
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
        status = entry_score(v, e);
    for (int i = 0; i < e->parts; i++)
        tx_loader_free(loader[i]);
    return status;
}

void entry_free(entry *e)
{
    for (int i = 0; i < PARTS; i++) {
        scores_free(&e->part[i].scores);
        if (!e->part[i].lent)
            tx_dataset_free(e->part[i].data);
        tx_free(e->part[i].probability);
        tx_free(e->part[i].present);
    }
    tx_free(e->column);
    tx_free(e->tasks);
    tx_buffer_free(&e->notes);
    model_free(&e->model);
}
