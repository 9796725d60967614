/* study_gather.c - job folders read back: which are complete, fit each other and the tables, and their scores by study. */
#include "study_gather.h"
#include "recipe.h"
#include "words.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------- one job */
static tx_status say_why(study_entry *e, study_state state, const char *why)
{
    e->state = state;
    tx_free(e->why);
    e->why = tx_strdup(why);
    return e->why ? TX_OK : TX_ERR_MEMORY;
}

/* The failure that is stored is the job's, unless it is memory's. */
static tx_status excuse(study_entry *e, tx_status status)
{
    if (status == TX_OK || status == TX_ERR_MEMORY)
        return status;
    /* Where the folder lies is no part of a report. */
    const char *text = tx_error_message();
    size_t n = strlen(e->folder);
    if (strncmp(text, e->folder, n) == 0)
        text += n + (text[n] == '/');
    return say_why(e, ENTRY_UNFIT, text);
}

static tx_status read_settings(settings *p, const char *folder, const char *file)
{
    char *path = tx_path_join(folder, file);
    tx_status status = path ? settings_read(p, path) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

/* The chain's end. */
static tx_status read_chain(study_entry *e)
{
    unsigned char *text;
    size_t bytes;
    char *path = tx_path_join(e->folder, "digests.txt");
    tx_status status = path ? tx_file_read(path, (size_t)1 << 26, &text, &bytes) : TX_ERR_MEMORY;
    tx_free(path);
    if (status)
        return status;
    while (bytes && text[bytes - 1] == '\n')
        bytes--;
    if (bytes >= 64)
        snprintf(e->chain, sizeof e->chain, "%.64s", (char *)text + bytes - 64);
    tx_free(text);
    return bytes >= 64 ? TX_OK : tx_fail(TX_ERR_FORMAT, "digests.txt: no chain");
}

static tx_status read_entry(study_entry *e)
{
    uint64_t parameters = 0;
    tx_status status = read_settings(&e->note, e->folder, "job.txt");
    const char *text = status == TX_OK ? settings_get(&e->note, "parameters") : NULL;
    if (status == TX_OK && (!text || parse_seed(text, &parameters)))
        status = tx_fail(TX_ERR_FORMAT, "job.txt: no number of parameters");
    if (status == TX_OK)
        status = read_settings(&e->config, e->folder, "config.txt");
    e->parameters = (size_t)parameters;
    return status == TX_OK ? read_chain(e) : status;
}

size_t study_first(const study_data *d)
{
    size_t i = 0;
    while (i < d->entries && d->entry[i].state != ENTRY_COMPLETE)
        i++;
    return i;
}

/* --------------------------------------------------------------------------------------------- tables */
/* The tables as the jobs have read them. */
static tx_status open_tables(study_data *d, const char *folder, const settings *config)
{
    recipe how;
    char *test = tx_dataset_table(folder, "test");
    tx_status status = test ? recipe_read(&how, NULL, config, "none") : TX_ERR_MEMORY;
    d->scored = test && tx_path_exists(test) ? SPLIT_TEST : SPLIT_VALID;
    tx_free(test);
    if (status)
        return status;
    for (int i = 0; status == TX_OK && i <= d->scored; i++) {
        d->table[i] = recipe_dataset(&how, folder, split_name[i], how.tasks, 0);
        status = d->table[i] ? study_people_read(d->table[i], &d->people[i]) : tx_error_status();
    }
    recipe_free(&how);
    if (status)
        return status;
    const tx_dataset *scored = d->table[d->scored];
    d->tasks = scored->tasks;
    d->task = scored->task;
    return TX_OK;
}

/* ---------------------------------------------------------------------------------------- predictions */
/* A row of predictions of image i. */
static tx_status take_row(char **field, size_t fields, size_t tasks, const char *file, double *probability)
{
    char path[TX_TEXT], text[TX_TEXT];
    if (fields != tasks + 1)
        return tx_fail(TX_ERR_FORMAT, "%s: a row of %zu fields, expected %zu", file, fields, tasks + 1);
    for (size_t k = 0; k < tasks; k++)
        if (tx_number_parse(field[k + 1], &probability[k]) || probability[k] < 0 || probability[k] > 1)
            return tx_fail(TX_ERR_FORMAT, "%s: %s: '%s', expected a probability", file,
                           tx_escape(path, sizeof path, field[0]), tx_escape(text, sizeof text, field[k + 1]));
    return TX_OK;
}

static tx_status check_header(char **field, size_t fields, const tx_dataset *t, const char *file)
{
    int same = fields == (size_t)t->tasks + 1 && strcmp(field[0], "Path") == 0;
    for (int k = 0; same && k < t->tasks; k++)
        same = strcmp(field[k + 1], t->task[k]) == 0;
    return same ? TX_OK : tx_fail(TX_ERR_FORMAT, "%s: its columns are not the tasks of the data", file);
}

/* The rows are of some of the table's images, in its order: present says of which. */
static tx_status read_rows(tx_csv *csv, const tx_dataset *t, const char *file, double *probability,
                           unsigned char *present)
{
    char **field, path[TX_TEXT];
    size_t fields, at = 0, tasks = (size_t)t->tasks;
    int more = tx_csv_next(csv, &field, &fields);
    tx_status status = more == 1 ? check_header(field, fields, t, file)
                                 : tx_fail(more < 0 ? (tx_status)more : TX_ERR_FORMAT, "%s: no header", file);
    while (status == TX_OK && (more = tx_csv_next(csv, &field, &fields)) == 1) {
        while (at < t->images && strcmp(t->path[at], field[0]))
            at++;
        if (at == t->images)
            return tx_fail(TX_ERR_FORMAT, "%s: %s is no image of the data here, or not in their order", file,
                           tx_escape(path, sizeof path, field[0]));
        status = take_row(field, fields, tasks, file, probability + at * tasks);
        present[at++] = 1;
    }
    return status == TX_OK && more < 0 ? (tx_status)more : status;
}

static tx_status read_predictions(const study_data *d, const study_entry *e, double *probability,
                                  unsigned char *present)
{
    const char *file = d->scored == SPLIT_TEST ? "ensemble-test.csv" : "ensemble-valid.csv";
    char *path = tx_path_join(e->folder, file);
    tx_csv *csv = path ? tx_csv_open(path) : NULL;
    tx_free(path);
    if (!csv)
        return tx_error_status();
    tx_status status = read_rows(csv, d->table[d->scored], file, probability, present);
    tx_csv_close(csv);
    return status;
}

/* What a job says, and of which images; both are the caller's. */
static tx_status read_job(const study_data *d, const study_entry *e, double **probability, unsigned char **present)
{
    const tx_dataset *t = d->table[d->scored];
    *present = tx_alloc(t->images, 1);
    *probability = tx_alloc(t->images * (size_t)t->tasks, sizeof **probability);
    tx_status status = *present && *probability ? read_predictions(d, e, *probability, *present) : TX_ERR_MEMORY;
    if (status == TX_OK && d->present && memcmp(*present, d->present, t->images))
        status = tx_fail(TX_ERR_FORMAT, "predictions of other images than the other jobs have");
    if (status) {
        tx_free(*probability);
        tx_free(*present);
        *probability = NULL;
        *present = NULL;
    }
    return status;
}

tx_status study_predictions(const study_data *d, const study_entry *e, double **probability)
{
    unsigned char *present;
    tx_status status = read_job(d, e, probability, &present);
    tx_free(present);
    return status;
}

/* ---------------------------------------------------------------------------------------------- units */
/* Which unit an image is of, and what a unit is. */
static tx_status number_units(study_data *d)
{
    const tx_dataset *t = d->table[d->scored];
    unit_list patients = {0};
    tx_status status = units_open(&d->studies, t, d->present, 1, 0);
    if (status == TX_OK)
        status = units_open(&patients, t, d->present, 1, 1);
    d->units = d->studies.groups;
    d->patients = patients.groups;
    d->unit = tx_alloc(t->images, sizeof *d->unit);
    d->patient = tx_alloc(t->studies, sizeof *d->patient);
    d->who = tx_alloc(t->studies, sizeof *d->who);
    d->label = tx_alloc((size_t)d->tasks * d->units, 1);
    if (status == TX_OK && !(d->unit && d->patient && d->who && d->label))
        status = TX_ERR_MEMORY;
    uint32_t met = 0;
    for (size_t i = 0; status == TX_OK && i < t->images; i++) {
        const study_person *p = &d->people[d->scored][i];
        uint32_t unit = d->unit[i] = d->present[i] ? d->studies.group[t->study[i]] : UINT32_MAX;
        if (!d->present[i])
            continue;
        d->patient[unit] = patients.group[t->study[i]];
        if (unit < met) {
            d->who[unit].view = study_view_join(d->who[unit].view, p->view);
        } else {
            d->who[unit] = *p;
            met++;
        }
    }
    units_close(&patients);
    return status;
}

/* Its scores, and the labels, which are those of every job. */
static tx_status take_scores(study_data *d, study_entry *e, const double *probability)
{
    const tx_dataset *t = d->table[d->scored];
    e->score = tx_alloc((size_t)d->tasks * d->units, sizeof *e->score);
    if (!e->score)
        return TX_ERR_MEMORY;
    for (int k = 0; k < d->tasks; k++) {
        size_t from = (size_t)k * d->units;
        units_gather(&d->studies, t, k, probability, d->present);
        for (size_t i = 0; i < t->images; i++) {
            if (!d->present[i])
                continue;
            e->score[from + d->unit[i]] = d->studies.score[t->study[i]];
            d->label[from + d->unit[i]] = d->studies.label[t->study[i]];
        }
    }
    return TX_OK;
}

/* The first job that can be read says which images could be. */
static tx_status score_entry(study_data *d, study_entry *e)
{
    double *probability;
    unsigned char *present;
    tx_status status = read_job(d, e, &probability, &present);
    if (status)
        return excuse(e, status);
    if (d->present) {
        tx_free(present);
    } else {
        d->present = present;
        status = number_units(d);
    }
    if (status == TX_OK)
        status = take_scores(d, e, probability);
    tx_free(probability);
    return status;
}

/* ----------------------------------------------------------------------------------------------- all */
tx_status study_gather(study_data *d, const char *data)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < d->entries; i++) {
        study_entry *e = &d->entry[i];
        e->pretrained = strcmp(e->init, "random") != 0;
        if (e->state == ENTRY_COMPLETE)
            status = excuse(e, read_entry(e));
    }
    size_t first = study_first(d);
    if (status == TX_OK && first < d->entries)
        status = open_tables(d, data, &d->entry[first].config);
    for (size_t i = 0; status == TX_OK && i < d->entries; i++)
        if (d->entry[i].state == ENTRY_COMPLETE) {
            status = score_entry(d, &d->entry[i]);
            d->complete += d->entry[i].state == ENTRY_COMPLETE;
        }
    return status;
}

void study_data_free(study_data *d)
{
    for (size_t i = 0; i < d->entries; i++) {
        study_entry *e = &d->entry[i];
        tx_free(e->folder);
        tx_free(e->why);
        settings_free(&e->note);
        settings_free(&e->config);
        tx_free(e->score);
    }
    for (int i = 0; i < SPLITS; i++) {
        tx_dataset_free(d->table[i]);
        tx_free(d->people[i]);
    }
    tx_free(d->entry);
    tx_free(d->present);
    tx_free(d->unit);
    tx_free(d->patient);
    tx_free(d->who);
    tx_free(d->label);
    units_close(&d->studies);
    memset(d, 0, sizeof *d);
}
