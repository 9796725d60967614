/* study_cam.c - the class activation maps of a study's job: which are made, and what becomes of them. */
#include "study_cam.h"
#include "cam_files.h"
#include "cam_run.h"
#include "model.h"
#include "scores.h"
#include "study_cam_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image and finding. */
typedef struct entry {
    const char *path, *finding;
    size_t image; /* of the list; SIZE_MAX: it is not there */
    int task;     /* -1: none */
    size_t line;  /* the order of the rows */
    int example;
    char split[8];
} entry;

enum { TABLES = 3 };
static const char *const table_name[TABLES] = {"train", "valid", "test"};

typedef struct work {
    const study_cam_args *a;
    tx_dataset *table[TABLES]; /* NULL: there is none */
    const char **key[TABLES];  /* its paths from the split on, sorted */
    tx_dataset *labelled;      /* test, else valid, with its labels: where examples are wanted that have no boxes */
    boxes boxes;
    int boxed; /* there is a file of boxes */
    image_list paths;
    entry *entry;
    size_t entries, room;
    char **name; /* an image: what its files begin with */
    cam_run run;
    study_cam_sink to;
} work;

/* ---------------------------------------------------------------------------------- whose split */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static tx_status open_table(work *w, int t)
{
    char *path = tx_dataset_table(w->a->data, table_name[t]);
    int there = path && tx_path_exists(path);
    tx_free(path);
    if (!path)
        return TX_ERR_MEMORY;
    if (!there)
        return TX_OK;
    tx_dataset_options how = {.tasks = ""};
    tx_dataset *d = w->table[t] = tx_dataset_open(w->a->data, table_name[t], &how);
    if (!d)
        return tx_error_status();
    w->key[t] = tx_alloc(d->images, sizeof *w->key[t]);
    for (size_t i = 0; w->key[t] && i < d->images; i++)
        w->key[t][i] = path_from_split(d->path[i]);
    if (!w->key[t])
        return TX_ERR_MEMORY;
    qsort(w->key[t], d->images, sizeof *w->key[t], by_text);
    return TX_OK;
}

/* The first of train, valid, test that has the path. */
static const char *split_of(const work *w, const char *path)
{
    const char *key = path_from_split(path);
    for (int t = 0; t < TABLES; t++)
        if (w->table[t] && bsearch(&key, w->key[t], w->table[t]->images, sizeof *w->key[t], by_text))
            return table_name[t];
    return "none";
}

/* -------------------------------------------------------------------------------------- entries */
static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* Those of one image and finding beside each other, the first line first. */
static int by_what(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = compare(x->image, y->image);
    if (order == 0 && x->image == SIZE_MAX)
        order = strcmp(x->path, y->path);
    if (order == 0)
        order = (x->task > y->task) - (x->task < y->task);
    if (order == 0 && x->task < 0)
        order = strcmp(x->finding, y->finding);
    return order;
}

static int by_what_and_line(const void *a, const void *b)
{
    int order = by_what(a, b);
    return order ? order : compare(((const entry *)a)->line, ((const entry *)b)->line);
}

static int by_line(const void *a, const void *b)
{
    return compare(((const entry *)a)->line, ((const entry *)b)->line);
}

static entry *add_entry(work *w)
{
    if (tx_grow((void **)&w->entry, &w->room, w->entries + 1, sizeof *w->entry))
        return NULL;
    entry *e = &w->entry[w->entries++];
    memset(e, 0, sizeof *e);
    return e;
}

static int outside_train(const entry *e)
{
    return strcmp(e->split, "train") != 0;
}

/* An image of one of the tables that is not there. */
static tx_status check_there(const work *w, const entry *e)
{
    char path[TX_TEXT];
    if (e->image != SIZE_MAX || e->task < 0 || w->a->skip_bad || strcmp(e->split, "none") == 0)
        return TX_OK;
    return tx_fail(TX_ERR_FILE, "%s: line %zu: '%s' is in %s.csv, but not below the data", STUDY_CAM_BOXES, e->line,
                   tx_escape(path, sizeof path, e->path), e->split);
}

/* An entry for each image and finding of the boxes. */
static tx_status take_boxes(work *w)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < w->boxes.count; i++) {
        const box *b = &w->boxes.box[i];
        entry *e = add_entry(w);
        if (!e)
            return TX_ERR_MEMORY;
        *e = (entry){.path = b->path, .finding = b->finding, .image = b->image, .task = b->task, .line = b->line};
        e->image = b->task < 0 ? SIZE_MAX : b->image;
        snprintf(e->split, sizeof e->split, "%s", split_of(w, b->path));
        status = check_there(w, e);
    }
    qsort(w->entry, w->entries, sizeof *w->entry, by_what_and_line);
    size_t kept = 0;
    for (size_t i = 0; i < w->entries; i++)
        if (kept == 0 || by_what(&w->entry[i], &w->entry[kept - 1]))
            w->entry[kept++] = w->entry[i];
    w->entries = kept;
    qsort(w->entry, w->entries, sizeof *w->entry, by_line);
    return status;
}

static int is_example(const work *w, size_t image)
{
    for (size_t i = 0; i < w->entries; i++)
        if (w->entry[i].example && w->entry[i].image == image)
            return 1;
    return 0;
}

/* The first images outside train that have boxes; of each its first finding. Returns how many. */
static int choose_boxed(work *w)
{
    int chosen = 0;
    for (size_t i = 0; i < w->entries && chosen < w->a->examples; i++) {
        entry *e = &w->entry[i];
        if (e->image == SIZE_MAX || !outside_train(e) || is_example(w, e->image))
            continue;
        e->example = 1;
        chosen++;
    }
    return chosen;
}

/* The image's place in the list, to which it is added; SIZE_MAX with TX_OK where it is nowhere. */
static tx_status find_image(work *w, size_t i, size_t *image)
{
    *image = SIZE_MAX;
    char *file = tx_dataset_file(w->labelled, i);
    if (!file)
        return TX_ERR_MEMORY;
    for (size_t k = 0; k < w->paths.count && *image == SIZE_MAX; k++)
        *image = strcmp(w->paths.path[k], file) == 0 ? k : SIZE_MAX;
    tx_status status = TX_OK;
    if (*image == SIZE_MAX && tx_path_exists(file)) {
        status = image_list_add(&w->paths, file);
        *image = w->paths.count - 1;
    }
    tx_free(file);
    return status;
}

/* The first image with the finding that is no example yet becomes one. */
static tx_status add_labelled(work *w, int task, int output, int *chosen)
{
    const tx_dataset *d = w->labelled;
    size_t image;
    for (size_t i = 0; i < d->images; i++) {
        if (d->label[i * (size_t)d->tasks + (size_t)task] != 1)
            continue;
        tx_status status = find_image(w, i, &image);
        if (status)
            return status;
        if (image == SIZE_MAX || is_example(w, image))
            continue;
        entry *e = add_entry(w);
        if (!e)
            return TX_ERR_MEMORY;
        *e = (entry){.path = d->path[i], .finding = d->task[task], .image = image, .task = output, .example = 1};
        e->line = SIZE_MAX;
        snprintf(e->split, sizeof e->split, "%s", split_of(w, d->path[i]));
        ++*chosen;
        return TX_OK;
    }
    return TX_OK;
}

/* More examples by their labels: an image a finding, those of the competition first, over and over. */
static tx_status choose_labelled(work *w, int chosen)
{
    const char *split = w->table[2] ? table_name[2] : table_name[1];
    if (chosen >= w->a->examples || (!w->table[1] && !w->table[2]))
        return TX_OK;
    w->labelled = recipe_dataset(&w->a->model->recipe, w->a->data, split, "all", 0);
    if (!w->labelled)
        return tx_error_status();
    for (int before = -1; before < chosen;) {
        before = chosen;
        for (int pass = 0; pass < 2; pass++)
            for (int t = 0; t < w->labelled->tasks && chosen < w->a->examples; t++) {
                const char *name = w->labelled->task[t];
                int output = model_output(w->a->model, name);
                if (output < 0 || mean_has(0, name) != !pass || strcmp(name, "No Finding") == 0)
                    continue;
                tx_status status = add_labelled(w, t, output, &chosen);
                if (status)
                    return status;
            }
    }
    return TX_OK;
}

/* ------------------------------------------------------------------------------------- the maps */
static const entry *entry_of(const work *w, size_t image, int task)
{
    for (size_t i = 0; i < w->entries; i++)
        if (w->entry[i].image == image && w->entry[i].task == task)
            return &w->entry[i];
    return NULL;
}

static int is_wanted(const void *context, size_t image, int task, int top)
{
    (void)top;
    return entry_of(context, image, task) != NULL;
}

/* Keeps the map: which of them become pictures is known when all are there. */
static tx_status keep_map(const void *context, cam_row *row, const tx_image *picture, const float *raw)
{
    const work *w = context;
    size_t area = (size_t)w->run.net.features->h * (size_t)w->run.net.features->w;
    (void)picture;
    row->raw = tx_alloc(area, sizeof *row->raw);
    if (!row->raw)
        return TX_ERR_MEMORY;
    memcpy(row->raw, raw, area * sizeof *raw);
    return TX_OK;
}

static int by_map(const void *a, const void *b)
{
    const cam_row *x = a, *y = b;
    int order = compare(x->image, y->image);
    return order ? order : (x->task > y->task) - (x->task < y->task);
}

static cam_row *map_of(const work *w, const entry *e)
{
    cam_row key = {.image = e->image, .task = e->task};
    if (e->image == SIZE_MAX || e->task < 0 || w->run.rows == 0)
        return NULL;
    return bsearch(&key, w->run.row, w->run.rows, sizeof key, by_map);
}

static tx_status run_maps(work *w)
{
    cam_run *r = &w->run;
    size_t batch = w->a->batch;
    if (w->paths.count == 0)
        return TX_OK;
    w->name = cam_image_names(w->paths.path, w->paths.count);
    if (!w->name)
        return TX_ERR_MEMORY;
    r->model = w->a->model;
    r->paths = &w->paths;
    r->boxes = w->boxed ? &w->boxes : NULL;
    r->skip = w->a->skip_bad;
    r->wants = is_wanted;
    r->made = keep_map;
    r->context = w;
    tx_status status = cam_run_open(r, batch < w->paths.count ? batch : w->paths.count);
    return status == TX_OK ? cam_run_all(r) : status;
}

/* --------------------------------------------------------------------------- pictures and table */
/* The most probable map with boxes outside train. */
static void choose_surest(work *w)
{
    entry *best = NULL;
    float most = -1;
    for (size_t i = 0; i < w->entries && w->a->examples; i++) {
        const cam_row *row = map_of(w, &w->entry[i]);
        if (!row || !row->score.boxes || !outside_train(&w->entry[i]) || !(row->probability > most))
            continue;
        best = &w->entry[i];
        most = row->probability;
    }
    if (best && !is_example(w, best->image))
        best->example = 1;
}

static tx_status draw(const work *w, const entry *e)
{
    char task[CAM_TASK], radiograph[256], overlay[512];
    cam_row *row = map_of(w, e);
    if (!row || !e->example)
        return TX_OK;
    snprintf(radiograph, sizeof radiograph, "%s.png", w->name[e->image]);
    snprintf(overlay, sizeof overlay, "%s.%s.png", w->name[e->image], cam_task_name(w->a->model, e->task, task));
    row->overlay = tx_strdup(overlay);
    if (!row->overlay)
        return TX_ERR_MEMORY;
    return study_cam_pictures(&w->run, row, radiograph, &w->to);
}

/* Why there is no colour, or no map. */
static const char *why(const entry *e, const cam_row *row)
{
    if (e->task < 0)
        return "no task of the model";
    if (!row)
        return e->image == SIZE_MAX ? "image missing" : "image unreadable";
    if (row->positive)
        return "";
    return row->high < 0 ? "negative everywhere" : row->low < 0 ? "negative or 0 everywhere" : "0 everywhere";
}

static tx_status add_row(const work *w, study_cam *c, const entry *e)
{
    const cam_row *row = map_of(w, e);
    study_cam_row *to = study_cam_add(c);
    if (!to)
        return TX_ERR_MEMORY;
    to->path = tx_strdup(e->path);
    to->finding = tx_strdup(e->finding);
    to->why = tx_strdup(why(e, row));
    to->overlay = row && row->overlay ? tx_strdup(row->overlay) : NULL;
    memcpy(to->split, e->split, sizeof to->split);
    if (row) {
        to->probability = (double)row->probability;
        to->rows = w->run.net.features->h;
        to->columns = w->run.net.features->w;
        to->positive = row->positive;
        to->low = (double)row->low;
        to->high = (double)row->high;
        to->empty = row->positive == 0;
        to->boxes = row->score.boxes;
    }
    if (to->boxes) {
        to->area = row->score.area;
        to->hit = row->score.hit;
        to->iou = row->score.iou;
        to->energy = row->score.energy;
    }
    return to->path && to->finding && to->why && (to->overlay || !row || !row->overlay) ? TX_OK : TX_ERR_MEMORY;
}

static tx_status write_all(work *w)
{
    study_cam c = {0};
    tx_buffer text = {0};
    tx_status status = TX_OK;
    choose_surest(w);
    for (size_t i = 0; status == TX_OK && i < w->entries; i++)
        status = draw(w, &w->entry[i]);
    for (size_t i = 0; status == TX_OK && i < w->entries; i++)
        status = add_row(w, &c, &w->entry[i]);
    study_cam_text(&c, &text);
    if (status == TX_OK)
        status = text.status;
    if (status == TX_OK)
        status = w->to.put(w->to.context, "cam.csv", text.data, text.length);
    tx_buffer_free(&text);
    study_cam_free(&c);
    return status;
}

/* ------------------------------------------------------------------------------------ the whole */
static tx_status take_entries(work *w)
{
    char *file = tx_path_join(w->a->data, STUDY_CAM_BOXES);
    tx_status status = file ? TX_OK : TX_ERR_MEMORY;
    w->boxed = file && tx_path_exists(file);
    for (int t = 0; status == TX_OK && t < TABLES; t++)
        status = open_table(w, t);
    if (status == TX_OK && w->boxed)
        status = boxes_read(&w->boxes, file, w->a->model);
    if (status == TX_OK && w->boxed)
        status = boxes_images(&w->boxes, w->a->data, &w->paths);
    if (status == TX_OK && w->boxed)
        status = boxes_match(&w->boxes, w->a->data, &w->paths);
    if (status == TX_OK && w->boxed)
        status = take_boxes(w);
    tx_free(file);
    return status == TX_OK ? choose_labelled(w, choose_boxed(w)) : status;
}

/* Into the folder that is the context. */
static tx_status put_file(void *context, const char *name, const void *bytes, size_t size)
{
    char *path = tx_path_join(context, name);
    const tx_buffer text = {.data = (char *)bytes, .length = size};
    tx_status status = path ? tx_buffer_write(&text, path) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

/* Where files go to; the folder of pictures is made where they are to be files. */
static tx_status open_sink(work *w)
{
    w->to = w->a->to ? *w->a->to : (study_cam_sink){put_file, (void *)w->a->model->name};
    char *folder = w->a->to ? NULL : tx_path_join(w->a->model->name, "cam");
    tx_status status = w->a->to ? TX_OK : folder ? tx_folder_make(folder) : TX_ERR_MEMORY;
    tx_free(folder);
    return status;
}

static tx_status make(work *w)
{
    tx_status status = take_entries(w);
    if (status || (!w->boxed && w->entries == 0))
        return status;
    status = run_maps(w);
    if (status == TX_OK)
        status = open_sink(w);
    return status == TX_OK ? write_all(w) : status;
}

static void work_free(work *w)
{
    cam_run_free(&w->run);
    if (w->name)
        tx_folder_names_free(w->name, w->paths.count);
    for (int t = 0; t < TABLES; t++) {
        tx_dataset_free(w->table[t]);
        tx_free(w->key[t]);
    }
    tx_dataset_free(w->labelled);
    boxes_free(&w->boxes);
    image_list_free(&w->paths);
    tx_free(w->entry);
}

tx_status study_cams(const study_cam_args *a)
{
    work w = {.a = a};
    tx_status status = make(&w);
    work_free(&w);
    return status;
}
