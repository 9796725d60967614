/* dataset.c - a split of CheXpert, or of anything laid out like it, as arrays: paths, groups and labels.
 *
 * CheXpert's table has a row an image: Path, Sex, Age, Frontal/Lateral, AP/PA and fourteen observations, each 1.0
 * (present), 0.0 (absent), -1.0 (uncertain) or empty (not mentioned); Irvin et al., "CheXpert: a large chest
 * radiograph dataset with uncertainty labels and expert comparison", AAAI 2019. Path is
 * .../SPLIT/patientX/studyY/viewZ.jpg. */
#include "io_private.h"

#include <string.h>

/* ------------------------------------------------------------------------------------ many strings */

enum { BLOCK = 1 << 18 };

/* Strings that live as long as the dataset, in large blocks: an allocation a string would double the memory. */
struct tx_dataset_text {
    char **block;
    size_t blocks, room;
    size_t used, size; /* of the last block */
};

static char *keep(struct tx_dataset_text *t, const char *from, size_t n)
{
    if (t->blocks == 0 || t->size - t->used < n + 1) {
        size_t size = n + 1 > BLOCK ? n + 1 : BLOCK;
        if (tx_grow((void **)&t->block, &t->room, t->blocks + 1, sizeof *t->block))
            return NULL;
        char *block = tx_alloc(size, 1);
        if (!block)
            return NULL;
        t->block[t->blocks++] = block;
        t->used = 0;
        t->size = size;
    }
    char *copy = t->block[t->blocks - 1] + t->used;
    memcpy(copy, from, n);
    copy[n] = 0;
    t->used += n + 1;
    return copy;
}

/* Names numbered as they first appear, found again by open addressing; a slot holds the number + 1. */
typedef struct names {
    char **name;
    size_t count, room;
    uint32_t *slot;
    size_t slots; /* a power of two, at least twice count */
} names;

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot where the name is, or would be. */
static size_t find_slot(const names *s, const char *text, size_t n)
{
    size_t at = (size_t)hash(text, n) & (s->slots - 1);
    while (s->slot[at]) {
        const char *name = s->name[s->slot[at] - 1];
        if (strncmp(name, text, n) == 0 && name[n] == 0)
            break;
        at = (at + 1) & (s->slots - 1);
    }
    return at;
}

static tx_status names_widen(names *s)
{
    if (s->slots >= 2 * (s->count + 1))
        return TX_OK;
    names wider = *s;
    wider.slots = s->slots ? 2 * s->slots : 1024;
    wider.slot = tx_alloc(wider.slots, sizeof *wider.slot);
    if (!wider.slot)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < s->count; i++)
        wider.slot[find_slot(&wider, s->name[i], strlen(s->name[i]))] = (uint32_t)i + 1;
    tx_free(s->slot);
    *s = wider;
    return TX_OK;
}

static tx_status names_number(names *s, struct tx_dataset_text *text, const char *name, size_t n, uint32_t *number)
{
    if (names_widen(s))
        return TX_ERR_MEMORY;
    size_t at = find_slot(s, name, n);
    if (s->slot[at] == 0) {
        if (tx_grow((void **)&s->name, &s->room, s->count + 1, sizeof *s->name))
            return TX_ERR_MEMORY;
        s->name[s->count] = keep(text, name, n);
        if (!s->name[s->count])
            return TX_ERR_MEMORY;
        s->slot[at] = (uint32_t)++s->count;
    }
    *number = s->slot[at] - 1;
    return TX_OK;
}

/* ----------------------------------------------------------------------------------------- columns */

enum { PATH, SEX, AGE, VIEW, PROJECTION, FIXED };
enum { NAME_AT_MOST = 255 };
static const char *const fixed_name[FIXED] = {"Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"};
const char tx_competition_tasks[] = "Atelectasis,Cardiomegaly,Consolidation,Edema,Pleural Effusion";

typedef struct reading {
    tx_dataset *data;
    const tx_dataset_options *options;
    tx_csv *csv;
    char name[TX_TEXT]; /* the file's, for messages */
    char **column;      /* the header's names */
    size_t columns;
    size_t fixed[FIXED];
    size_t *task_column; /* a task */
    size_t rows, path_room, frontal_room, label_room, study_room, patient_room;
    names studies, patients;
} reading;

static int fixed_column(const char *name)
{
    for (int k = 0; k < FIXED; k++)
        if (strcmp(name, fixed_name[k]) == 0)
            return k;
    return FIXED;
}

/* What is wrong with a column's name, or NULL. Names go into lists with commas between, whose blanks are trimmed, and
 * into the JSON of a checkpoint, which holds UTF-8: what would not come back from there is refused here. */
static const char *wrong_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0)
        return "no name";
    if (strchr(name, ','))
        return "a comma in its name";
    if (n > NAME_AT_MOST)
        return "a name of more than 255 bytes";
    if (strchr(" \t", name[0]) || strchr(" \t", name[n - 1]))
        return "a blank at an end of its name";
    for (const char *p = name; *p;) {
        size_t step = tx_utf8_length((const unsigned char *)p);
        if (step == 0)
            return "a name that is not UTF-8";
        p += step;
    }
    return NULL;
}

/* Copies the header, which the next row would overwrite, and finds the fixed columns. */
static tx_status read_header(reading *r)
{
    char **field, text[TX_TEXT];
    int got = tx_csv_next(r->csv, &field, &r->columns);
    if (got < 0)
        return (tx_status)got;
    if (got == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: empty, expected a header and a row an image", r->name);
    r->column = tx_alloc(r->columns, sizeof *r->column);
    if (!r->column)
        return TX_ERR_MEMORY;
    for (int k = 0; k < FIXED; k++)
        r->fixed[k] = r->columns;
    for (size_t c = 0; c < r->columns; c++) {
        r->column[c] = keep(r->data->text, field[c], strlen(field[c]));
        if (!r->column[c])
            return TX_ERR_MEMORY;
        const char *wrong = wrong_name(field[c]);
        if (wrong)
            return tx_fail(TX_ERR_FORMAT, "%s:1: column %zu has %s", r->name, c + 1, wrong);
        for (size_t before = 0; before < c; before++)
            if (strcmp(field[before], field[c]) == 0)
                return tx_fail(TX_ERR_FORMAT, "%s:1: columns %zu and %zu are both named '%s'", r->name, before + 1,
                               c + 1, tx_escape(text, sizeof text, field[c]));
        int k = fixed_column(field[c]);
        if (k < FIXED)
            r->fixed[k] = c;
    }
    for (int k = 0; k < FIXED; k++)
        if (r->fixed[k] == r->columns)
            return tx_fail(TX_ERR_FORMAT, "%s:1: no column '%s'", r->name, fixed_name[k]);
    return TX_OK;
}

static tx_status add_task(reading *r, size_t c)
{
    tx_dataset *d = r->data;
    for (int t = 0; t < d->tasks; t++)
        if (r->task_column[t] == c)
            return tx_fail(TX_ERR_ARGUMENT, "the task '%s' is listed twice", r->column[c]);
    r->task_column[d->tasks] = c;
    d->task[d->tasks++] = r->column[c];
    return TX_OK;
}

/* The tasks named in a list with commas between, in the list's order; blanks around a name are no part of it. */
static tx_status list_tasks(reading *r, const char *list)
{
    char text[TX_TEXT];
    for (const char *p = list; p;) {
        const char *end = strchr(p, ',');
        const char *next = end ? end + 1 : NULL;
        if (!end)
            end = p + strlen(p);
        while (*p == ' ')
            p++;
        while (end > p && end[-1] == ' ')
            end--;
        size_t n = (size_t)(end - p), c = 0;
        while (c < r->columns && !(strncmp(r->column[c], p, n) == 0 && r->column[c][n] == 0))
            c++;
        if (c == r->columns || fixed_column(r->column[c]) < FIXED) {
            size_t cut = n < sizeof text - 4 ? n : sizeof text - 4;
            char name[TX_TEXT];
            memcpy(name, p, cut);
            name[cut] = 0;
            return tx_fail(TX_ERR_ARGUMENT, "%s: no task '%s'", r->name, tx_escape(text, sizeof text, name));
        }
        tx_status status = add_task(r, c);
        if (status)
            return status;
        p = next;
    }
    return TX_OK;
}

static tx_status choose_tasks(reading *r)
{
    tx_dataset *d = r->data;
    const char *list = r->options->tasks;
    d->task = tx_alloc(r->columns, sizeof *d->task);
    d->counts = tx_alloc(r->columns, sizeof *d->counts);
    r->task_column = tx_alloc(r->columns, sizeof *r->task_column);
    if (!d->task || !d->counts || !r->task_column)
        return TX_ERR_MEMORY;
    tx_status status = TX_OK;
    if (list && strcmp(list, "all") != 0) {
        status = list_tasks(r, strcmp(list, "competition") == 0 ? tx_competition_tasks : list);
    } else {
        for (size_t c = 0; c < r->columns && status == TX_OK; c++)
            if (fixed_column(r->column[c]) == FIXED)
                status = add_task(r, c);
    }
    if (status == TX_OK && d->tasks == 0)
        status = tx_fail(TX_ERR_FORMAT, "%s:1: no column is a task", r->name);
    size_t length = 1;
    for (int t = 0; t < d->tasks; t++)
        length += strlen(d->task[t]) + 1;
    d->task_names = status ? NULL : tx_alloc(length, 1);
    if (!d->task_names)
        return status ? status : TX_ERR_MEMORY;
    char *out = d->task_names;
    for (int t = 0; t < d->tasks; t++)
        out += snprintf(out, length - (size_t)(out - d->task_names), "%s%s", t ? "," : "", d->task[t]);
    return TX_OK;
}

/* -------------------------------------------------------------------------------------------- rows */

static int is_split(const char *name, size_t n)
{
    return (n == 5 && memcmp(name, "train", 5) == 0) || (n == 5 && memcmp(name, "valid", 5) == 0) ||
           (n == 4 && memcmp(name, "test", 4) == 0);
}

/* Where the last component of path[0..n) begins. */
static size_t last_component(const char *path, size_t n)
{
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n;
}

/* Numbers the image's study and patient. Directly within train/, valid/ or test/ an image is a study and a patient of
 * its own, and a folder there is a patient's only study. */
static tx_status number_groups(reading *r, const char *path)
{
    tx_dataset *d = r->data;
    size_t whole = strlen(path), file = last_component(path, whole), study = file ? file - 1 : 0;
    size_t from = last_component(path, study), n = study - from;
    if (study == 0 || is_split(path + from, n)) {
        study = whole;
        from = file;
        n = whole - file;
    } else if (from > 0) {
        size_t above = last_component(path, from - 1);
        if (from - 1 > above && !is_split(path + above, from - 1 - above)) {
            n = from - 1 - above;
            from = above;
        }
    }
    tx_status status = names_number(&r->studies, d->text, path, study, &d->study[d->images]);
    return status ? status : names_number(&r->patients, d->text, path + from, n, &d->patient[d->images]);
}

/* Room for one more image in every array. */
static tx_status widen(reading *r)
{
    tx_dataset *d = r->data;
    size_t need = d->images + 1, cells;
    if (need > INT32_MAX || tx_size_mul(need, (size_t)d->tasks, &cells))
        return tx_fail(TX_ERR_FORMAT, "%s: too many images", r->name);
    if (tx_grow((void **)&d->path, &r->path_room, need, sizeof *d->path) ||
        tx_grow((void **)&d->frontal, &r->frontal_room, need, 1) ||
        tx_grow((void **)&d->label, &r->label_room, cells, 1) ||
        tx_grow((void **)&d->study, &r->study_room, need, sizeof *d->study) ||
        tx_grow((void **)&d->patient, &r->patient_room, need, sizeof *d->patient))
        return TX_ERR_MEMORY;
    return TX_OK;
}

static tx_status bad_cell(const reading *r, size_t column, const char *found, const char *expected)
{
    char name[TX_TEXT], text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s:%zu: column '%s': found '%s', expected %s", r->name, tx_csv_line(r->csv),
                   tx_escape(name, sizeof name, r->column[column]), tx_escape(text, sizeof text, found), expected);
}

/* Reads a label cell, counts it, and returns 1, 0 or -1 (masked) as the options will have it; 2 if it is none. */
static int label(const tx_dataset_options *options, tx_label_counts *counts, const char *cell)
{
    if (cell[0] == 0) {
        counts->blank++;
        return options->blank == TX_BLANK_ZEROS ? 0 : -1;
    }
    int minus = cell[0] == '-', digit = cell[minus];
    if ((digit != '1' && (digit != '0' || minus)) || (cell[minus + 1] && strcmp(cell + minus + 1, ".0") != 0))
        return 2;
    if (!minus) {
        size_t *count = digit == '1' ? &counts->positive : &counts->negative;
        ++*count;
        return digit - '0';
    }
    counts->uncertain++;
    return options->uncertain == TX_UNCERTAIN_IGNORE ? -1 : options->uncertain == TX_UNCERTAIN_ONES;
}

static tx_status add_image(reading *r, char **field, int frontal)
{
    tx_dataset *d = r->data;
    tx_status status = widen(r);
    if (status)
        return status;
    const char *path = field[r->fixed[PATH]];
    d->path[d->images] = keep(d->text, path, strlen(path));
    if (!d->path[d->images])
        return TX_ERR_MEMORY;
    status = number_groups(r, path);
    if (status)
        return status;
    d->frontal[d->images] = (unsigned char)frontal;
    signed char *out = d->label + d->images * (size_t)d->tasks;
    for (int t = 0; t < d->tasks; t++) {
        const char *cell = field[r->task_column[t]];
        int value = label(r->options, &d->counts[t], cell);
        if (value == 2)
            return bad_cell(r, r->task_column[t], cell, "1.0, 0.0, -1.0 or nothing");
        out[t] = (signed char)value;
    }
    d->images++;
    return TX_OK;
}

static tx_status read_rows(reading *r)
{
    const tx_dataset_options *o = r->options;
    tx_dataset *d = r->data;
    char **field;
    size_t fields;
    int got;
    while ((got = tx_csv_next(r->csv, &field, &fields)) > 0) {
        if (fields != r->columns)
            return tx_fail(TX_ERR_FORMAT, "%s:%zu: %zu fields, expected %zu as in the header", r->name,
                           tx_csv_line(r->csv), fields, r->columns);
        const char *view = field[r->fixed[VIEW]];
        int frontal = strcmp(view, "Frontal") == 0;
        if (!frontal && strcmp(view, "Lateral") != 0)
            return bad_cell(r, r->fixed[VIEW], view, "Frontal or Lateral");
        if (field[r->fixed[PATH]][0] == 0)
            return bad_cell(r, r->fixed[PATH], "", "the path of an image");
        r->rows++;
        if (o->views != TX_VIEWS_ALL && frontal != (o->views == TX_VIEWS_FRONTAL))
            continue;
        tx_status status = add_image(r, field, frontal);
        if (status)
            return status;
        if (d->images == o->limit)
            break;
    }
    if (got < 0)
        return (tx_status)got;
    if (r->rows == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: a header and no rows", r->name);
    if (d->images == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: none of the %zu images is %s", r->name, r->rows,
                       o->views == TX_VIEWS_FRONTAL ? "frontal" : "lateral");
    return TX_OK;
}

static tx_status read_table(reading *r)
{
    tx_dataset *d = r->data;
    r->csv = tx_csv_open(d->file);
    if (!r->csv)
        return TX_ERR_FILE;
    tx_status status = read_header(r);
    if (status == TX_OK)
        status = choose_tasks(r);
    if (status == TX_OK)
        status = read_rows(r);
    d->study_name = r->studies.name;
    d->studies = r->studies.count;
    d->patient_name = r->patients.name;
    d->patients = r->patients.count;
    tx_csv_close(r->csv);
    tx_free(r->column);
    tx_free(r->task_column);
    tx_free(r->studies.slot);
    tx_free(r->patients.slot);
    return status;
}

tx_dataset *tx_dataset_open(const char *folder, const char *split, const tx_dataset_options *options)
{
    static const tx_dataset_options defaults;
    tx_dataset *d = tx_alloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->text = tx_alloc(1, sizeof *d->text);
    d->folder = tx_strdup(folder);
    char name[64];
    snprintf(name, sizeof name, "%.50s.csv", split);
    d->file = tx_path_join(folder, name);
    reading r = {.data = d, .options = options ? options : &defaults};
    if (d->text && d->folder && d->file) {
        tx_escape(r.name, sizeof r.name, d->file);
        if (read_table(&r) == TX_OK)
            return d;
    }
    tx_dataset_free(d);
    return NULL;
}

void tx_dataset_free(tx_dataset *d)
{
    if (!d)
        return;
    for (size_t i = 0; d->text && i < d->text->blocks; i++)
        tx_free(d->text->block[i]);
    if (d->text)
        tx_free(d->text->block);
    tx_free(d->text);
    tx_free(d->folder);
    tx_free(d->file);
    tx_free(d->task);
    tx_free(d->task_names);
    tx_free(d->path);
    tx_free(d->frontal);
    tx_free(d->label);
    tx_free(d->counts);
    tx_free(d->study);
    tx_free(d->patient);
    tx_free(d->study_name);
    tx_free(d->patient_name);
    tx_free(d);
}

/* ------------------------------------------------------------------------------------------- using */

/* Where the next train/, valid/ or test/ part begins at or behind `from`, or NULL. */
static const char *split_part(const char *path, const char *from)
{
    for (const char *p = from; *p; p++) {
        const char *end = p == path || p[-1] == '/' ? strchr(p, '/') : NULL;
        if (end && is_split(p, (size_t)(end - p)))
            return p;
    }
    return NULL;
}

char *tx_dataset_file(const tx_dataset *d, size_t i)
{
    return tx_dataset_locate(d->folder, d->path[i]);
}

char *tx_dataset_locate(const char *folder, const char *path)
{
    if (tx_path_exists(path))
        return tx_strdup(path);
    const char *part = split_part(path, path);
    for (;;) {
        char *file = tx_path_join(folder, part ? part : path);
        const char *next = part ? split_part(path, part + 1) : NULL;
        if (!file || !next || tx_path_exists(file))
            return file;
        tx_free(file);
        part = next;
    }
}

void tx_dataset_targets(const tx_dataset *d, const uint32_t *index, size_t n, float *target, float *mask)
{
    size_t tasks = (size_t)d->tasks;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < tasks; t++) {
            int value = d->label[index[i] * tasks + t];
            if (target)
                target[i * tasks + t] = value > 0 ? 1.0f : 0.0f;
            if (mask)
                mask[i * tasks + t] = value >= 0 ? 1.0f : 0.0f;
        }
}
