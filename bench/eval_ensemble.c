/* eval_ensemble.c - the mean of probabilities of an image over several models; the maximum over a study's views comes
 * after. */
#include "eval.h"

#include <string.h>

static int task_of(const tx_dataset *d, const char *task)
{
    int k = 0;
    while (k < d->tasks && strcmp(d->task[k], task) != 0)
        k++;
    return k < d->tasks ? k : -1;
}

int entries_common(const entry *a, const entry *b, int (*pair)[2])
{
    int n = 0;
    const tx_dataset *x = a->part[SCORED].data, *y = b->part[SCORED].data;
    for (int k = 0; k < x->tasks; k++) {
        int other = task_of(y, x->task[k]);
        if (other < 0)
            continue;
        pair[n][0] = k;
        pair[n++][1] = other;
    }
    return n;
}

static int same_images(const tx_dataset *x, const tx_dataset *y)
{
    if (x->images != y->images)
        return 0;
    for (size_t i = 0; i < x->images; i++)
        if (strcmp(x->path[i], y->path[i]))
            return 0;
    return 1;
}

int entries_comparable(const entry *a, const entry *b)
{
    const tx_dataset *x = a->part[SCORED].data, *y = b->part[SCORED].data;
    int same = same_images(x, y);
    for (int k = 0; same && k < x->tasks; k++) {
        int other = task_of(y, x->task[k]);
        for (size_t i = 0; other >= 0 && same && i < x->images; i++)
            same = x->label[i * (size_t)x->tasks + (size_t)k] == y->label[i * (size_t)y->tasks + (size_t)other];
    }
    return same;
}

/* --------------------------------------------------------------------------------------------- the mean */
/* One split's mean of what the models say of the tasks of all->data. */
static tx_status mean_of_models(const evaluation *v, int part, said *all)
{
    size_t images = all->data->images, tasks = (size_t)all->data->tasks;
    if (said_room(all))
        return TX_ERR_MEMORY;
    memset(all->present, 1, images);
    for (size_t m = 0; m < v->models; m++) {
        const said *one = &v->entry[m].part[part];
        for (size_t i = 0; i < images; i++)
            all->present[i] &= one->present[i];
        for (size_t k = 0; k < tasks; k++) {
            size_t from = (size_t)task_of(one->data, all->data->task[k]), of = (size_t)one->data->tasks;
            for (size_t i = 0; i < images; i++)
                all->probability[i * tasks + k] += one->probability[i * of + from];
        }
    }
    for (size_t i = 0; i < images * tasks; i++)
        all->probability[i] /= (double)v->models;
    return TX_OK;
}

static int all_have(const evaluation *v, const char *task)
{
    int all = 1;
    for (size_t m = 0; m < v->models; m++)
        all &= task_of(v->entry[m].part[SCORED].data, task) >= 0;
    return all;
}

/* Names of the tasks that all models have, with commas between; the caller's. NULL without memory. */
static char *tasks_of_all(const evaluation *v)
{
    tx_buffer names = {0};
    const tx_dataset *first = v->entry[0].part[SCORED].data;
    tx_buffer_append(&names, "");
    for (int k = 0; k < first->tasks; k++) {
        if (!all_have(v, first->task[k]))
            continue;
        tx_buffer_append(&names, names.length ? "," : "");
        tx_buffer_append(&names, first->task[k]);
    }
    char *list = names.status ? NULL : tx_strdup(names.data ? names.data : "");
    tx_buffer_free(&names);
    return list;
}

/* Whether all that they say of these tasks are probabilities, of which there is a mean. */
static int all_probabilities(const evaluation *v)
{
    int right = 1;
    for (size_t m = 0; m < v->models; m++)
        for (int k = 0; k < v->entry[m].part[SCORED].scores.tasks; k++) {
            const task_score *t = &v->entry[m].part[SCORED].scores.task[k];
            right &= t->probabilities || !all_have(v, t->task);
        }
    return right;
}

/* The split's data with the tasks of the ensemble. */
static tx_status open_part(const evaluation *v, entry *all, int part)
{
    const entry *first = &v->entry[0];
    said *p = &all->part[part];
    p->data = first->part[part].data;
    p->lent = strcmp(p->data->task_names, all->tasks) == 0;
    if (!p->lent)
        p->data = recipe_dataset(&first->model.recipe, first->folder, v->split[part], all->tasks, 0);
    return p->data ? mean_of_models(v, part, p) : TX_ERR_FORMAT;
}

/* Whether all have a split of the same images to choose thresholds on. */
static int all_choose(const evaluation *v)
{
    int all = 1;
    for (size_t m = 0; m < v->models; m++)
        all = all && v->entry[m].parts == PARTS &&
              same_images(v->entry[0].part[CHOOSING].data, v->entry[m].part[CHOOSING].data);
    return all;
}

tx_status ensemble_make(evaluation *v, const char **why)
{
    entry *all = &v->entry[v->models];
    *why = NULL;
    all->name = "ensemble";
    all->folder = v->entry[0].folder;
    all->tasks = tasks_of_all(v);
    if (!all->tasks)
        return TX_ERR_MEMORY;
    if (!*all->tasks)
        *why = "no task is of all models";
    else if (!all_probabilities(v))
        *why = "not all scores are probabilities";
    if (*why)
        return TX_OK;
    v->entries++;
    all->parts = all_choose(v) ? PARTS : 1;
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < all->parts; i++)
        status = open_part(v, all, i);
    return status == TX_OK ? entry_score(v, all) : status;
}
