/* command_data.c - `thorax data check DIR`: counts, labels, patients in two splits, missing files, image headers. */
#include "bench.h"
#include "recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 3, SHOWN = 5 };
static const char *const split_names[SPLITS] = {"train", "valid", "test"};

/* What the file of one image is like. */
typedef struct image_check {
    unsigned char state; /* IMAGE_GOOD, .. */
    int width, height, channels;
    char *message;
} image_check;
enum { IMAGE_GOOD, IMAGE_MISSING, IMAGE_BAD };

typedef struct split_check {
    tx_dataset *data; /* NULL: the split has no table */
    image_check *image;
    int decode;
    size_t missing, bad, frontal, grey;
    int width[2], height[2]; /* least and largest */
} split_check;

typedef struct data_check {
    split_check split[SPLITS];
    size_t shared; /* patients in two splits, counted for each pair */
    tx_buffer shared_names;
} data_check;

static void check_image(void *context, size_t i, int worker)
{
    (void)worker;
    split_check *s = context;
    image_check *c = &s->image[i];
    char *path = tx_dataset_file(s->data, i);
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && !tx_path_exists(path)) {
        c->state = IMAGE_MISSING;
        tx_free(path);
        return;
    }
    if (status == TX_OK && s->decode) {
        tx_image image;
        status = tx_image_read(path, &image);
        c->width = image.width;
        c->height = image.height;
        c->channels = image.channels;
        if (status == TX_OK)
            tx_image_free(&image);
    } else if (status == TX_OK) {
        status = tx_image_header(path, &c->width, &c->height, &c->channels);
    }
    if (status) {
        c->state = IMAGE_BAD;
        c->message = tx_strdup(tx_error_message());
    }
    tx_free(path);
}

static void widen(int range[2], int value)
{
    range[0] = range[1] == 0 || value < range[0] ? value : range[0];
    range[1] = value > range[1] ? value : range[1];
}

static tx_status check_split(split_check *s)
{
    s->image = tx_alloc(s->data->images, sizeof *s->image);
    if (!s->image)
        return TX_ERR_MEMORY;
    tx_parallel_for(s->data->images, check_image, s);
    for (size_t i = 0; i < s->data->images; i++) {
        const image_check *c = &s->image[i];
        s->missing += c->state == IMAGE_MISSING;
        s->bad += c->state == IMAGE_BAD;
        s->frontal += s->data->frontal[i] != 0;
        if (c->state == IMAGE_GOOD) {
            widen(s->width, c->width);
            widen(s->height, c->height);
            s->grey += c->channels == 1;
        }
    }
    return TX_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **sorted_patients(const tx_dataset *d)
{
    char **names = tx_alloc(d->patients, sizeof *names);
    if (names && d->patients) {
        memcpy(names, d->patient_name, d->patients * sizeof *names);
        qsort(names, d->patients, sizeof *names, by_text);
    }
    return names;
}

/* Patients that two splits have in common, by merging their sorted names. */
static tx_status share_patients(data_check *c, int a, int b)
{
    const tx_dataset *x = c->split[a].data, *y = c->split[b].data;
    char **p = sorted_patients(x), **q = sorted_patients(y);
    tx_status status = p && q ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0, j = 0; status == TX_OK && i < x->patients && j < y->patients;) {
        int order = strcmp(p[i], q[j]);
        if (order == 0 && c->shared++ < SHOWN) {
            char escaped[TX_TEXT];
            tx_buffer_add(&c->shared_names, "  in %s and %s: %s\n", split_names[a], split_names[b],
                          tx_escape(escaped, sizeof escaped, p[i]));
        }
        i += order <= 0;
        j += order >= 0;
    }
    tx_free(p);
    tx_free(q);
    return status;
}

/* --------------------------------------------------------------------------------------------- output */
static void print_split(const split_check *s, const char *name)
{
    const tx_dataset *d = s->data;
    printf("%s: %zu images (%zu frontal, %zu lateral), %zu studies, %zu patients\n", name, d->images, s->frontal,
           d->images - s->frontal, d->studies, d->patients);
    if (s->width[1])
        printf("  %d to %d pixels wide, %d to %d high, %zu grey, %zu in colour\n", s->width[0], s->width[1],
               s->height[0], s->height[1], s->grey, d->images - s->missing - s->bad - s->grey);
    printf("  %-28s %10s %10s %10s %10s\n", "label", "positive", "negative", "uncertain", "blank");
    for (int k = 0; k < d->tasks; k++)
        printf("  %-28s %10zu %10zu %10zu %10zu\n", d->task[k], d->counts[k].positive, d->counts[k].negative,
               d->counts[k].uncertain, d->counts[k].blank);
    size_t shown[2] = {0, 0};
    for (size_t i = 0; i < d->images; i++) {
        const image_check *c = &s->image[i];
        char escaped[TX_TEXT];
        if (c->state == IMAGE_MISSING && shown[0]++ < SHOWN)
            printf("  missing: %s\n", tx_escape(escaped, sizeof escaped, d->path[i]));
        else if (c->state == IMAGE_BAD && shown[1]++ < SHOWN)
            printf("  unreadable: %s\n", c->message ? c->message : "");
    }
    if (s->missing > SHOWN)
        printf("  missing: %zu in all\n", s->missing);
    if (s->bad > SHOWN)
        printf("  unreadable: %zu in all\n", s->bad);
    putchar('\n');
}

static void print_table(const data_check *c)
{
    for (int i = 0; i < SPLITS; i++) {
        if (c->split[i].data)
            print_split(&c->split[i], split_names[i]);
        else
            printf("%s: no table\n\n", split_names[i]);
    }
    printf("patients in two splits: %zu\n%s", c->shared, c->shared_names.data ? c->shared_names.data : "");
}

static void json_split(json *j, const split_check *s, const char *name)
{
    const tx_dataset *d = s->data;
    json_open(j, NULL, '{');
    json_string(j, "split", name);
    json_whole(j, "images", (long long)d->images);
    json_whole(j, "frontal", (long long)s->frontal);
    json_whole(j, "lateral", (long long)(d->images - s->frontal));
    json_whole(j, "studies", (long long)d->studies);
    json_whole(j, "patients", (long long)d->patients);
    json_whole(j, "missing", (long long)s->missing);
    json_whole(j, "unreadable", (long long)s->bad);
    json_open(j, "labels", '[');
    for (int k = 0; k < d->tasks; k++) {
        json_open(j, NULL, '{');
        json_string(j, "task", d->task[k]);
        json_whole(j, "positive", (long long)d->counts[k].positive);
        json_whole(j, "negative", (long long)d->counts[k].negative);
        json_whole(j, "uncertain", (long long)d->counts[k].uncertain);
        json_whole(j, "blank", (long long)d->counts[k].blank);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void print_json(const data_check *c)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_open(&j, "splits", '[');
    for (int i = 0; i < SPLITS; i++)
        if (c->split[i].data)
            json_split(&j, &c->split[i], split_names[i]);
    json_close(&j, ']');
    json_whole(&j, "patients_in_two_splits", (long long)c->shared);
    json_close(&j, '}');
    json_end();
}

/* -------------------------------------------------------------------------------------------- command */
/* Opens the tables that are there: train.csv and valid.csv must be. */
static tx_status open_splits(data_check *c, const options *o, const char *folder)
{
    recipe r;
    tx_status status = recipe_read(&r, o, NULL, "none");
    for (int i = 0; status == TX_OK && i < SPLITS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s.csv", split_names[i]);
        char *path = tx_path_join(folder, name);
        if (!path)
            status = TX_ERR_MEMORY;
        else if (i < 2 || tx_path_exists(path)) {
            c->split[i].data = recipe_dataset(&r, folder, split_names[i], r.tasks, 0);
            c->split[i].decode = option_on(o, "decode");
            status = c->split[i].data ? TX_OK : TX_ERR_FORMAT;
        }
        tx_free(path);
    }
    recipe_free(&r);
    return status;
}

static int check(data_check *c, const options *o, const char *folder)
{
    size_t wrong = 0;
    if (open_splits(c, o, folder))
        return complain_failed();
    work_begins();
    for (int i = 0; i < SPLITS; i++) {
        if (!c->split[i].data)
            continue;
        if (check_split(&c->split[i]))
            return complain_failed();
        wrong += c->split[i].missing + c->split[i].bad;
        for (int k = 0; k < i; k++)
            if (c->split[k].data && share_patients(c, k, i))
                return complain_failed();
    }
    if (option_on(o, "json"))
        print_json(c);
    else
        print_table(c);
    wrong += c->shared;
    return wrong ? complain(EXIT_FAILED, "%zu findings: missing or unreadable images, or patients in two splits", wrong)
                 : EXIT_DONE;
}

static void free_split(split_check *s)
{
    for (size_t i = 0; s->image && s->data && i < s->data->images; i++)
        tx_free(s->image[i].message);
    tx_free(s->image);
    if (s->data)
        tx_dataset_free(s->data);
}

int command_data(const options *o)
{
    char escaped[TX_TEXT];
    if (strcmp(o->argument[0], "check"))
        return complain(EXIT_USAGE, "unknown verb '%s', expected check",
                        tx_escape(escaped, sizeof escaped, o->argument[0]));
    data_check c;
    memset(&c, 0, sizeof c);
    int code = check(&c, o, o->argument[1]);
    for (int i = 0; i < SPLITS; i++)
        free_split(&c.split[i]);
    tx_buffer_free(&c.shared_names);
    return code;
}
