/* command_data.c - `thorax data check DIR`: counts, labels, patients in two splits, missing files, image headers. */
#include "bench.h"
#include "data_notes.h"
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
    size_t missing, bad, grey;
    size_t view[3];          /* lateral, frontal, unknown */
    size_t repeated;         /* images whose Path stands before */
    int width[2], height[2]; /* least and largest */
} split_check;

typedef struct data_check {
    split_check split[SPLITS];
    size_t shared; /* patients in two splits, counted for each pair */
    size_t twice;  /* paths in two splits, likewise */
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
    tx_status status = tx_parallel_for(s->data->images, check_image, s);
    if (status)
        return status;
    for (size_t i = 0; i < s->data->images; i++) {
        const image_check *c = &s->image[i];
        s->missing += c->state == IMAGE_MISSING;
        s->bad += c->state == IMAGE_BAD;
        s->view[s->data->view[i]]++;
        if (c->state == IMAGE_GOOD) {
            widen(s->width, c->width);
            widen(s->height, c->height);
            s->grey += c->channels == 1;
        }
    }
    size_t first;
    return tx_dataset_repeats(s->data, s->data, &s->repeated, &first);
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
/* Where the first missing image was looked for. */
static void print_places(const tx_dataset *d, const char *path)
{
    char **places, escaped[TX_TEXT];
    size_t count;
    if (tx_dataset_places(d, path, &places, &count))
        return;
    for (size_t i = 0; i < count; i++)
        printf("    not at %s\n", tx_escape(escaped, sizeof escaped, places[i]));
    tx_folder_names_free(places, count);
}

static void print_wrong(const split_check *s)
{
    size_t missing = 0, bad = 0;
    for (size_t i = 0; i < s->data->images; i++) {
        const image_check *c = &s->image[i];
        const char *path = s->data->path[i];
        char escaped[TX_TEXT];
        if (c->state == IMAGE_MISSING && missing++ < SHOWN) {
            printf("  missing: %s\n", tx_escape(escaped, sizeof escaped, path));
            if (missing == 1)
                print_places(s->data, path);
        } else if (c->state == IMAGE_BAD && bad++ < SHOWN) {
            printf("  unreadable: %s\n", c->message ? c->message : "");
        }
    }
    if (missing > SHOWN)
        printf("  missing: %zu in all\n", missing);
    if (bad > SHOWN)
        printf("  unreadable: %zu in all\n", bad);
}

static void print_split(const split_check *s, const char *name)
{
    const tx_dataset *d = s->data;
    printf("%s: %zu images (%zu frontal, %zu lateral", name, d->images, s->view[TX_FRONTAL], s->view[TX_LATERAL]);
    if (s->view[TX_VIEW_UNKNOWN])
        printf(", %zu of unknown view", s->view[TX_VIEW_UNKNOWN]);
    printf("), %zu studies, %zu patients\n", d->studies, d->patients);
    if (s->width[1])
        printf("  %d to %d pixels wide, %d to %d high, %zu grey, %zu in colour\n", s->width[0], s->width[1],
               s->height[0], s->height[1], s->grey, d->images - s->missing - s->bad - s->grey);
    printf("  %-28s %10s %10s %10s %10s\n", "label", "positive", "negative", "uncertain", "blank");
    for (int k = 0; k < d->tasks; k++) {
        char escaped[TX_TEXT];
        printf("  %-28s %10zu %10zu %10zu %10zu\n", tx_escape(escaped, sizeof escaped, d->task[k]),
               d->counts[k].positive, d->counts[k].negative, d->counts[k].uncertain, d->counts[k].blank);
    }
    print_wrong(s);
    putchar('\n');
}

static tx_status print_table(const data_check *c, const char *folder)
{
    char escaped[TX_TEXT];
    tx_buffer notes = {0};
    tx_dataset *d[SPLITS];
    printf("data: %s\n\n", tx_escape(escaped, sizeof escaped, folder));
    for (int i = 0; i < SPLITS; i++) {
        d[i] = c->split[i].data;
        if (d[i])
            print_split(&c->split[i], split_names[i]);
        else
            printf("%s: no table\n\n", split_names[i]);
    }
    data_notes(&notes, d, split_names, SPLITS, 1);
    printf("%s%spatients in two splits: %zu\n%s", notes.data ? notes.data : "", notes.data ? "\n" : "", c->shared,
           c->shared_names.data ? c->shared_names.data : "");
    tx_status status = notes.status;
    tx_buffer_free(&notes);
    return status;
}

static void json_columns(json *j, const char *key, const tx_dataset *d, int index)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < d->passed_columns; i++)
        if (d->passed[i].index == index)
            json_string(j, NULL, d->passed[i].name);
    json_close(j, ']');
}

static void json_label(json *j, const tx_dataset *d, int k)
{
    const tx_task_note *n = &d->note[k];
    const char *state = task_state_name(n->state), *twin = n->twin < 0 ? NULL : d->task[n->twin];
    json_open(j, NULL, '{');
    json_string(j, "task", d->task[k]);
    json_whole(j, "positive", (long long)d->counts[k].positive);
    json_whole(j, "negative", (long long)d->counts[k].negative);
    json_whole(j, "uncertain", (long long)d->counts[k].uncertain);
    json_whole(j, "blank", (long long)d->counts[k].blank);
    json_string(j, "note", state);
    json_string(j, "same_as", n->opposite ? NULL : twin);
    json_string(j, "opposite_of", n->opposite ? twin : NULL);
    json_close(j, '}');
}

static void json_split(json *j, const split_check *s, const char *name)
{
    const tx_dataset *d = s->data;
    json_open(j, NULL, '{');
    json_string(j, "split", name);
    json_string(j, "table", d->file);
    json_whole(j, "images", (long long)d->images);
    json_whole(j, "frontal", (long long)s->view[TX_FRONTAL]);
    json_whole(j, "lateral", (long long)s->view[TX_LATERAL]);
    json_whole(j, "unknown_view", (long long)s->view[TX_VIEW_UNKNOWN]);
    json_whole(j, "studies", (long long)d->studies);
    json_whole(j, "patients", (long long)d->patients);
    json_whole(j, "own_studies", (long long)d->alone);
    json_whole(j, "missing", (long long)s->missing);
    json_whole(j, "unreadable", (long long)s->bad);
    json_whole(j, "repeated_paths", (long long)s->repeated);
    json_columns(j, "index_columns", d, 1);
    json_columns(j, "passed_columns", d, 0);
    json_open(j, "labels", '[');
    for (int k = 0; k < d->tasks; k++)
        json_label(j, d, k);
    json_close(j, ']');
    json_close(j, '}');
}

static void print_json(const data_check *c, const char *folder)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "data", folder);
    json_open(&j, "splits", '[');
    for (int i = 0; i < SPLITS; i++)
        if (c->split[i].data)
            json_split(&j, &c->split[i], split_names[i]);
    json_close(&j, ']');
    json_whole(&j, "patients_in_two_splits", (long long)c->shared);
    json_whole(&j, "paths_in_two_splits", (long long)c->twice);
    json_close(&j, '}');
    json_end();
}

/* -------------------------------------------------------------------------------------------- command */
/* Opens a table if it is there, with the tasks of the first that was. */
static tx_status open_split(data_check *c, const options *o, const recipe *r, const char *folder, int i)
{
    char *path = tx_dataset_table(folder, split_names[i]);
    const char *tasks = r->tasks;
    int there = path && tx_path_exists(path);
    for (int before = i - 1; before >= 0; before--)
        tasks = c->split[before].data ? c->split[before].data->task_names : tasks;
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    tx_free(path);
    if (!there)
        return status;
    c->split[i].data = recipe_dataset(r, folder, split_names[i], tasks, 0);
    c->split[i].decode = option_on(o, "decode");
    return c->split[i].data ? TX_OK : TX_ERR_FORMAT;
}

static tx_status open_splits(data_check *c, const options *o, const char *folder)
{
    char escaped[TX_TEXT];
    recipe r;
    int found = 0;
    tx_status status = recipe_read(&r, o, NULL, "none");
    for (int i = 0; status == TX_OK && i < SPLITS; i++) {
        status = open_split(c, o, &r, folder, i);
        found += c->split[i].data != NULL;
    }
    recipe_free(&r);
    if (status == TX_OK && !found)
        status = tx_fail(TX_ERR_FILE, "%s: no train.csv, valid.csv, test.csv or test_labels.csv in this folder",
                         tx_escape(escaped, sizeof escaped, folder));
    return status;
}

/* Checks each split's images and what each two splits have in common. */
static tx_status check_splits(data_check *c)
{
    for (int i = 0; i < SPLITS; i++) {
        tx_status status = c->split[i].data ? check_split(&c->split[i]) : TX_OK;
        for (int k = 0; status == TX_OK && c->split[i].data && k < i; k++) {
            size_t count, first;
            if (!c->split[k].data)
                continue;
            status = share_patients(c, k, i);
            if (status == TX_OK)
                status = tx_dataset_repeats(c->split[k].data, c->split[i].data, &count, &first);
            c->twice += status == TX_OK ? count : 0;
        }
        if (status)
            return status;
    }
    return TX_OK;
}

static int check(data_check *c, const options *o, const char *folder)
{
    if (open_splits(c, o, folder))
        return complain_failed();
    work_begins();
    if (check_splits(c))
        return complain_failed();
    if (option_on(o, "json"))
        print_json(c, folder);
    else if (print_table(c, folder))
        return complain_failed();
    size_t wrong = c->shared + c->twice;
    for (int i = 0; i < SPLITS; i++)
        wrong += c->split[i].missing + c->split[i].bad + c->split[i].repeated;
    if (c->split[0].data && !c->split[1].data)
        return complain(EXIT_FAILED, "train.csv without a valid.csv, which a training needs%s",
                        wrong ? "; and what is listed above" : "");
    return wrong ? complain(EXIT_FAILED,
                            "%zu findings: missing or unreadable images, paths that stand twice, or patients in two "
                            "splits",
                            wrong)
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
    if (strcmp(o->argument[0], "check") && strcmp(o->argument[1], "check") == 0)
        return complain(EXIT_USAGE, "unknown verb '%s', perhaps thorax data check %s",
                        tx_escape(escaped, sizeof escaped, o->argument[0]), escaped);
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
