/* eval_ensemble.c - the mean of probabilities of an image over several models; the maximum over a study's views comes
 * after. */
#include "eval.h"

#include <string.h>

static int same_data(const tx_dataset *x, const tx_dataset *y)
{
    if (x->images != y->images || strcmp(x->task_names, y->task_names))
        return 0;
    for (size_t i = 0; i < x->images; i++)
        if (strcmp(x->path[i], y->path[i]))
            return 0;
    return memcmp(x->label, y->label, x->images * (size_t)x->tasks) == 0;
}

int entries_comparable(const entry *a, const entry *b)
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
    all->lent = 1;
    size_t images = all->data->images, cells = images * (size_t)all->data->tasks;
    if (said_room(all))
        return TX_ERR_MEMORY;
    memset(all->present, 1, images);
    for (size_t m = 0; m < v->models; m++) {
        const said *one = &v->entry[m].part[part];
        for (size_t i = 0; i < cells; i++)
            all->probability[i] = (double)((float)all->probability[i] + (float)one->probability[i]);
        for (size_t i = 0; i < images; i++)
            all->present[i] &= one->present[i];
    }
    for (size_t i = 0; i < cells; i++)
        all->probability[i] = (double)((float)all->probability[i] / (float)v->models);
    return TX_OK;
}

tx_status ensemble_make(evaluation *v)
{
    entry *all = &v->entry[v->models];
    all->name = "ensemble";
    all->folder = v->entry[0].folder;
    all->parts = v->entry[0].parts;
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < all->parts; i++)
        status = mean_of_models(v, i, &all->part[i]);
    return status == TX_OK ? entry_score(v, all) : status;
}
