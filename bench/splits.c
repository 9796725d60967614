/* splits.c - what a run's splits hold, noted in RUN/splits.csv. */
#define _POSIX_C_SOURCE 200809L
#include "splits.h"

#include <stdlib.h>
#include <string.h>

const char *const split_name[SPLITS] = {"train", "valid", "test"};
static const char header[] = "split,what,value,other\n";

static int split_of(const char *name)
{
    for (int i = 0; i < SPLITS; i++)
        if (strcmp(name, split_name[i]) == 0)
            return i;
    return -1;
}

void splits_free(splits *s)
{
    for (size_t i = 0; i < s->tasks; i++) {
        tx_free(s->task[i].task);
        tx_free(s->task[i].other);
    }
    tx_free(s->task);
    memset(s, 0, sizeof *s);
}

static tx_status add_task(splits *s, int split, const char *task, const char *other, int opposite)
{
    tx_status status = tx_grow((void **)&s->task, &s->room, s->tasks + 1, sizeof *s->task);
    if (status)
        return status;
    split_task *t = &s->task[s->tasks++];
    *t = (split_task){split, opposite, tx_strdup(task), other ? tx_strdup(other) : NULL};
    return t->task && (!other || t->other) ? TX_OK : TX_ERR_MEMORY;
}

/* ---------------------------------------------------------------------------------------- from tables */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A table and which of its images could be read. */
typedef struct reading {
    const tx_dataset *d;
    unsigned char *present;
} reading;

/* The names of the patients of whom an image is present, sorted; the caller's array. NULL without memory. */
static const char **patients_of(const reading *r, size_t *count)
{
    const char **name = tx_alloc(r->d->patients, sizeof *name);
    unsigned char *seen = tx_alloc(r->d->patients, 1);
    *count = 0;
    for (size_t i = 0; name && seen && i < r->d->images; i++) {
        size_t k = r->d->patient[i];
        if (r->present[i] && !seen[k]++)
            name[(*count)++] = r->d->patient_name[k];
    }
    if (name && seen)
        qsort(name, *count, sizeof *name, by_text);
    int failed = !seen;
    tx_free(seen);
    if (!failed)
        return name;
    tx_free(name);
    return NULL;
}

/* How many patients of a are in b too. */
static tx_status count_shared(const reading *a, const reading *b, size_t *count)
{
    size_t n, m;
    const char **x = patients_of(a, &n), **y = x ? patients_of(b, &m) : NULL;
    *count = 0;
    for (size_t i = 0, j = 0; y && i < n && j < m;) {
        int order = strcmp(x[i], y[j]);
        *count += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    tx_status status = y ? TX_OK : TX_ERR_MEMORY;
    tx_free(x);
    tx_free(y);
    return status;
}

/* An image's Path and number, for looking it up. */
typedef struct place {
    const char *path;
    size_t image;
} place;

static int by_path(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* Leaves out the images of that path. */
static void leave_out(const place *list, size_t n, const char *path, unsigned char *present)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && strcmp(list[low].path, path) == 0; low++)
        present[list[low].image] = 0;
}

/* Takes from `present` what bad-images.csv lists of this split. */
static tx_status leave_out_bad(const tx_dataset *d, int split, const char *folder, unsigned char *present)
{
    char **field, *path = tx_path_join(folder, "bad-images.csv");
    size_t fields;
    if (!path)
        return TX_ERR_MEMORY;
    if (!tx_path_exists(path)) {
        tx_free(path);
        return TX_OK;
    }
    tx_csv *csv = tx_csv_open(path);
    place *list = csv ? tx_alloc(d->images, sizeof *list) : NULL;
    tx_status status = list ? TX_OK : csv ? TX_ERR_MEMORY : TX_ERR_FILE;
    for (size_t i = 0; list && i < d->images; i++)
        list[i] = (place){d->path[i], i};
    if (list)
        qsort(list, d->images, sizeof *list, by_path);
    for (int more = 1; status == TX_OK && (more = tx_csv_next(csv, &field, &fields)) != 0;) {
        status = more < 0 ? (tx_status)more : TX_OK;
        if (more > 0 && fields > 1 && split_of(field[0]) == split)
            leave_out(list, d->images, field[1], present);
    }
    if (csv)
        tx_csv_close(csv);
    tx_free(list);
    tx_free(path);
    return status;
}

static tx_status take_split(splits *s, int split, reading *r, const tx_dataset *d, const char *folder)
{
    r->d = d;
    r->present = tx_alloc(d->images, 1);
    if (!r->present)
        return TX_ERR_MEMORY;
    memset(r->present, 1, d->images);
    s->known[split] = 1;
    tx_status status = leave_out_bad(d, split, folder, r->present);
    if (status == TX_OK)
        status = extent_of(&s->of[split], d, r->present);
    s->unreadable[split] = d->images - s->of[split].images;
    for (size_t i = 0; i < d->images; i++)
        s->alone[split] += r->present[i] && strcmp(d->study_name[d->study[i]], d->path[i]) == 0;
    for (int k = 0; status == TX_OK && k < d->tasks; k++) {
        const tx_task_note *n = &d->note[k];
        if (n->state == TX_TASK_EMPTY)
            status = add_task(s, split, d->task[k], NULL, 0);
        if (status == TX_OK && n->twin >= 0)
            status = add_task(s, split, d->task[k], d->task[n->twin], n->opposite);
    }
    return status;
}

tx_status splits_take(splits *s, tx_dataset *const d[SPLITS], const char *folder, int sample)
{
    reading r[SPLITS] = {{NULL, NULL}};
    tx_status status = TX_OK;
    memset(s, 0, sizeof *s);
    s->sample = sample;
    for (int i = 0; status == TX_OK && i < SPLITS; i++) {
        if (!d[i])
            continue;
        status = take_split(s, i, &r[i], d[i], folder);
        if (status == TX_OK && i > SPLIT_TRAIN)
            status = count_shared(&r[i], &r[SPLIT_TRAIN], &s->of_train[i]);
        if (status == TX_OK && i > SPLIT_VALID)
            status = count_shared(&r[i], &r[SPLIT_VALID], &s->of_valid[i]);
    }
    for (int i = 0; i < SPLITS; i++)
        tx_free(r[i].present);
    return status;
}

/* -------------------------------------------------------------------------------------------- the file */
/* The numbers of a split and their names in the file. */
enum { NUMBERS = 7 };
static const char *const number_name[NUMBERS] = {"images", "studies",  "patients", "unreadable",
                                                 "alone",  "of_train", "of_valid"};

static size_t *number_at(splits *s, int split, int i)
{
    size_t *const at[NUMBERS] = {&s->of[split].images,  &s->of[split].studies, &s->of[split].patients,
                                 &s->unreadable[split], &s->alone[split],      &s->of_train[split],
                                 &s->of_valid[split]};
    return at[i];
}

tx_status splits_write(const splits *s, const char *folder)
{
    splits copy = *s;
    tx_buffer p = {0};
    tx_buffer_append(&p, header);
    for (int split = 0; split < SPLITS; split++)
        for (int i = 0; s->known[split] && i < NUMBERS; i++)
            tx_buffer_add(&p, "%s,%s,%zu,\n", split_name[split], number_name[i], *number_at(&copy, split, i));
    tx_buffer_add(&p, "train,sample,%d,\n", s->sample);
    for (size_t i = 0; i < s->tasks; i++) {
        const split_task *t = &s->task[i];
        tx_buffer_add(&p, "%s,%s,", split_name[t->split], !t->other ? "blank" : t->opposite ? "opposite" : "same");
        tx_buffer_csv(&p, t->task);
        tx_buffer_append(&p, ",");
        tx_buffer_csv(&p, t->other ? t->other : "");
        tx_buffer_append(&p, "\n");
    }
    char *path = tx_path_join(folder, "splits.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

static tx_status read_row(splits *s, char **field, size_t fields)
{
    int64_t value = 0;
    int split = fields == 4 ? split_of(field[0]) : -1;
    if (split < 0)
        return tx_fail(TX_ERR_FORMAT, "splits.csv: a row that is none of a run's");
    for (int i = 0; i < NUMBERS; i++)
        if (strcmp(field[1], number_name[i]) == 0) {
            if (tx_integer_parse(field[2], &value) || value < 0)
                return tx_fail(TX_ERR_FORMAT, "splits.csv: %s is no number", number_name[i]);
            *number_at(s, split, i) = (size_t)value;
            s->known[split] = 1;
            return TX_OK;
        }
    if (strcmp(field[1], "sample") == 0)
        s->sample = strcmp(field[2], "1") == 0;
    else if (strcmp(field[1], "blank") == 0)
        return add_task(s, split, field[2], NULL, 0);
    else if (strcmp(field[1], "same") == 0 || strcmp(field[1], "opposite") == 0)
        return add_task(s, split, field[2], field[3], field[1][0] == 'o');
    return TX_OK;
}

tx_status splits_read(splits *s, const char *folder)
{
    char **field;
    size_t fields;
    memset(s, 0, sizeof *s);
    char *path = tx_path_join(folder, "splits.csv");
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    tx_csv *csv = path && tx_path_exists(path) ? tx_csv_open(path) : NULL;
    if (path && !csv && tx_path_exists(path))
        status = TX_ERR_FILE;
    int more = csv ? tx_csv_next(csv, &field, &fields) : 0;
    while (status == TX_OK && more == 1 && (more = tx_csv_next(csv, &field, &fields)) == 1)
        status = read_row(s, field, fields);
    if (status == TX_OK && more < 0)
        status = (tx_status)more;
    if (csv)
        tx_csv_close(csv);
    tx_free(path);
    return status;
}

void splits_mark(const splits *s, int split, figure_set *f)
{
    for (size_t i = 0; i < s->tasks; i++)
        for (int k = 0; k < f->tasks && s->task[i].split == split; k++) {
            if (strcmp(f->task[k].task, s->task[i].task))
                continue;
            f->task[k].blank |= !s->task[i].other;
            if (s->task[i].other) {
                f->task[k].twin = s->task[i].other;
                f->task[k].opposite = s->task[i].opposite;
            }
        }
}
