/* dataset_paths.c - where the table of a split and its images are, and whose image one is, by its Path alone.
 *
 * CheXpert's Path is CheXpert-v1.0/SPLIT/patientX/studyY/viewZ_frontal.jpg. The small download unpacks to
 * CheXpert-v1.0-small/SPLIT/..; the full-size one to folders beside each other, CheXpert-v1.0 batch N (train M)/patientX/..
 * and CheXpert-v1.0 batch 1 (validate & csv)/valid/.., whose names no Path has. */
#define _XOPEN_SOURCE 700
#include "dataset_private.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define BATCH "CheXpert-v1.0 batch "

static const char *const splits[] = {"train", "valid", "test"};

/* The split that a folder of this name belongs to, or NULL. */
static const char *split_of(const char *name, size_t n)
{
    for (int k = 0; k < 3; k++)
        if (strlen(splits[k]) == n && memcmp(name, splits[k], n) == 0)
            return splits[k];
    return NULL;
}

/* Where the last component of path[0..n) begins. */
static size_t last_component(const char *path, size_t n)
{
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n;
}

/* ------------------------------------------------------------------------------------ whose and which */
static int begins(const char *text, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

tx_path_groups tx_path_group(const char *path, int itself)
{
    size_t whole = path ? strlen(path) : 0;
    while (itself && whole > 1 && path[whole - 1] == '/')
        whole--;
    /* Behind a study's own name a file's would begin. */
    size_t file = !itself ? last_component(path, whole) : whole ? whole + 1 : 0;
    const tx_path_groups unknown = {.study = whole, .patient_end = whole};
    if (file == 0)
        return unknown;
    size_t folder = last_component(path, file - 1);
    if (folder == 0 || !begins(path + folder, file - 1 - folder, "study"))
        return unknown;
    size_t above = last_component(path, folder - 1);
    if (!begins(path + above, folder - 1 - above, "patient"))
        return unknown;
    return (tx_path_groups){.study = file - 1, .patient = above, .patient_end = folder - 1, .known = 1};
}

tx_image_view tx_path_view(const char *path)
{
    const char *file = path + last_component(path, strlen(path));
    int frontal = strstr(file, "_frontal") != NULL, lateral = strstr(file, "_lateral") != NULL;
    return frontal == lateral ? TX_VIEW_UNKNOWN : frontal ? TX_FRONTAL : TX_LATERAL;
}

/* --------------------------------------------------------------------- folders of the full-size download */
/* Adds the folders in `parent` whose names begin so. One that cannot be opened holds none. */
static tx_status list_batches(const char *parent, char ***list, size_t *count, size_t *room)
{
    DIR *dir = opendir(parent);
    tx_status status = TX_OK;
    for (const struct dirent *entry; dir && status == TX_OK && (entry = readdir(dir));) {
        if (!begins(entry->d_name, strlen(entry->d_name), BATCH))
            continue;
        char *path = tx_path_join(parent, entry->d_name);
        status = path ? tx_grow((void **)list, room, *count + 1, sizeof **list) : TX_ERR_MEMORY;
        if (status == TX_OK)
            (*list)[(*count)++] = path;
        else
            tx_free(path);
    }
    if (dir)
        closedir(dir);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

tx_status tx_batch_folders(const char *folder, char ***list, size_t *count)
{
    size_t room = 0;
    *list = NULL;
    *count = 0;
    char *whole = realpath(folder, NULL);
    size_t own = whole ? last_component(whole, strlen(whole)) : 0;
    tx_status status = list_batches(folder, list, count, &room);
    if (status == TX_OK && own > 1 && begins(whole + own, strlen(whole + own), BATCH)) {
        whole[own - 1] = 0;
        status = list_batches(whole, list, count, &room);
    }
    free(whole);
    if (status) {
        tx_folder_names_free(*list, *count);
        *list = NULL;
        *count = 0;
    } else if (*count > 1) {
        qsort(*list, *count, sizeof **list, by_bytes);
    }
    return status;
}

/* ----------------------------------------------------------------------------------------- the table */
char *tx_batch_table(const char *folder, char *const *batch, size_t batches, const char *split)
{
    static const char *const name[] = {"%.50s.csv", "%.50s_labels.csv"};
    char text[80];
    int names = strcmp(split, "test") == 0 ? 2 : 1;
    for (size_t place = 0; place <= batches; place++)
        for (int k = 0; k < names; k++) {
            snprintf(text, sizeof text, name[k], split);
            char *path = tx_path_join(place ? batch[place - 1] : folder, text);
            if (!path || tx_path_exists(path))
                return path;
            tx_free(path);
        }
    snprintf(text, sizeof text, name[0], split);
    return tx_path_join(folder, text);
}

char *tx_dataset_table(const char *folder, const char *split)
{
    if (!folder || !split) {
        tx_fail_null("tx_dataset_table", folder ? "split" : "folder");
        return NULL;
    }
    char **batch;
    size_t batches;
    if (tx_batch_folders(folder, &batch, &batches))
        return NULL;
    char *path = tx_batch_table(folder, batch, batches, split);
    tx_folder_names_free(batch, batches);
    return path;
}

/* ---------------------------------------------------------------------------------------- the images */
/* Where the next train/, valid/ or test/ part begins at or behind `from`, *split its name; or NULL. */
static const char *split_part(const char *path, const char *from, const char **split)
{
    for (const char *p = from; *p; p++) {
        const char *end = p == path || p[-1] == '/' ? strchr(p, '/') : NULL;
        if (end && (*split = split_of(p, (size_t)(end - p))))
            return p;
    }
    return NULL;
}

/* Takes FOLDER/BELOW, which becomes its own, or NULL for lack of memory. Not 0: no further place is wanted. */
typedef int take_place(void *to, char *place);

/* The places of a relative path in one folder of the full-size download. One whose name speaks of the split may hold
 * the patients directly. */
static int batch_places(const char *batch, const char *path, take_place *take, void *to)
{
    const char *split, *own = batch + last_component(batch, strlen(batch)), *part = split_part(path, path, &split);
    size_t n = strlen(own);
    if (begins(path, strlen(path), own) && path[n] == '/' && take(to, tx_path_join(batch, path + n + 1)))
        return 1;
    if (!part)
        return take(to, tx_path_join(batch, path));
    for (; part; part = split_part(path, part + 1, &split)) {
        if (take(to, tx_path_join(batch, part)))
            return 1;
        if (strstr(own, split) && take(to, tx_path_join(batch, part + strlen(split) + 1)))
            return 1;
    }
    return 0;
}

static void each_place(const char *folder, char *const *batch, size_t batches, const char *path, take_place *take,
                       void *to)
{
    const char *split;
    if (path[0] == '/') {
        take(to, tx_strdup(path));
        return;
    }
    if (take(to, tx_path_join(folder, path)))
        return;
    for (const char *part = split_part(path, path, &split); part; part = split_part(path, part + 1, &split))
        if (part > path && take(to, tx_path_join(folder, part)))
            return;
    for (size_t b = 0; b < batches; b++)
        if (batch_places(batch[b], path, take, to))
            return;
}

typedef struct search {
    char *found; /* so far: the first place that exists, else the last below the folder itself */
    int there;
    size_t left; /* places that count where none exists */
} search;

static int take_existing(void *to, char *place)
{
    search *s = to;
    s->there = place && tx_path_exists(place);
    if (s->there || s->left > 0 || !place) {
        tx_free(s->found);
        s->found = place;
        s->left -= s->left > 0;
    } else {
        tx_free(place);
    }
    return s->there || !place;
}

char *tx_batch_locate(const char *folder, char *const *batch, size_t batches, const char *path)
{
    const char *split;
    search s = {NULL, 0, 1};
    for (const char *part = split_part(path, path, &split); part; part = split_part(path, part + 1, &split))
        s.left += part > path;
    each_place(folder, batch, batches, path, take_existing, &s);
    return s.found;
}

char *tx_dataset_locate(const char *folder, const char *path)
{
    if (!folder || !path) {
        tx_fail_null("tx_dataset_locate", folder ? "path" : "folder");
        return NULL;
    }
    char **batch;
    size_t batches;
    if (tx_batch_folders(folder, &batch, &batches))
        return NULL;
    char *file = tx_batch_locate(folder, batch, batches, path);
    tx_folder_names_free(batch, batches);
    return file;
}

char *tx_dataset_file(const tx_dataset *d, size_t i)
{
    if (!d)
        tx_fail_null("tx_dataset_file", "dataset");
    else if (i >= d->images)
        tx_fail(TX_ERR_ARGUMENT, "image %zu of %zu", i, d->images);
    if (!d || i >= d->images)
        return NULL;
    return tx_batch_locate(d->folder, d->batch, d->batches, d->path[i]);
}

enum { LOOK_AT_ONCE = 64, NOT_KNOWN = 2 };

typedef struct look {
    const tx_dataset *dataset;
    size_t from, to;
    unsigned char *missing;
} look;

/* Looks for the images of one task of the parallel loop. */
static void look_for(void *context, size_t task, int worker)
{
    (void)worker;
    const look *l = context;
    const tx_dataset *d = l->dataset;
    size_t from = l->from + task * LOOK_AT_ONCE;
    for (size_t i = from; i < from + LOOK_AT_ONCE && i < l->to; i++) {
        search s = {NULL, 0, 1};
        each_place(d->folder, d->batch, d->batches, d->path[i], take_existing, &s);
        l->missing[i] = s.found ? !s.there : NOT_KNOWN;
        tx_free(s.found);
    }
}

tx_status tx_dataset_look(const tx_dataset *d, size_t from, size_t to, unsigned char *missing)
{
    if (!d || !missing)
        return tx_fail_null("tx_dataset_look", d ? "room for the answer" : "dataset");
    if (from > to || to > d->images)
        return tx_fail(TX_ERR_ARGUMENT, "images %zu to %zu of %zu", from, to, d->images);
    look l = {d, from, to, missing};
    tx_status status = tx_parallel_for((to - from + LOOK_AT_ONCE - 1) / LOOK_AT_ONCE, look_for, &l);
    for (size_t i = from; i < to; i++)
        if (missing[i] == NOT_KNOWN)
            return tx_fail(TX_ERR_MEMORY, "out of memory: looking for %zu images", to - from);
    return status;
}

typedef struct place_list {
    char **place;
    size_t count, room;
    tx_status status;
} place_list;

static int take_all(void *to, char *place)
{
    place_list *l = to;
    l->status = place ? tx_grow((void **)&l->place, &l->room, l->count + 1, sizeof *l->place) : TX_ERR_MEMORY;
    if (l->status)
        tx_free(place);
    else
        l->place[l->count++] = place;
    return l->status != TX_OK;
}

tx_status tx_dataset_places(const tx_dataset *d, const char *path, char ***places, size_t *count)
{
    if (!d || !path || !places || !count)
        return tx_fail_null("tx_dataset_places", !d ? "dataset" : !path ? "path" : "room for the places");
    place_list l = {0};
    each_place(d->folder, d->batch, d->batches, path, take_all, &l);
    if (l.status) {
        tx_folder_names_free(l.place, l.count);
        l = (place_list){.status = l.status};
    }
    *places = l.place;
    *count = l.count;
    return l.status;
}
