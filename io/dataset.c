/* dataset.c - a split of images with labels as arrays: CheXpert's table, or any with a Path and a label a row.
 *
 * CheXpert's has a row an image: Path, Sex, Age, Frontal/Lateral, AP/PA and fourteen observations, each 1.0 (present),
 * 0.0 (absent), -1.0 (uncertain) or empty (not mentioned); Irvin et al., "CheXpert: a large chest radiograph dataset with
 * uncertainty labels and expert comparison", AAAI 2019. */
#include "dataset_private.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------- rows */
/* Numbers the image's study and patient. */
static tx_status number_groups(tx_reading *r, const char *path)
{
    tx_dataset *d = r->data;
    const tx_path_groups of = tx_path_group(path, d->study_rows);
    d->alone += !of.known;
    tx_status status = tx_names_number(&r->studies, d->text, path, of.study, &d->study[d->images]);
    return status ? status
                  : tx_names_number(&r->patients, d->text, path + of.patient, of.patient_end - of.patient,
                                    &d->patient[d->images]);
}

/* Room for one more image in every array. */
static tx_status widen(tx_reading *r)
{
    tx_dataset *d = r->data;
    size_t need = d->images + 1, cells;
    if (need > INT32_MAX || tx_size_mul(need, (size_t)d->tasks, &cells))
        return tx_fail(TX_ERR_FORMAT, "%s: too many images", r->name);
    if (tx_grow((void **)&d->path, &r->path_room, need, sizeof *d->path) ||
        tx_grow((void **)&d->view, &r->view_room, need, 1) ||
        tx_grow((void **)&d->label, &r->label_room, cells + 1, 1) ||
        tx_grow((void **)&d->study, &r->study_room, need, sizeof *d->study) ||
        tx_grow((void **)&d->patient, &r->patient_room, need, sizeof *d->patient))
        return TX_ERR_MEMORY;
    return TX_OK;
}

static tx_status add_image(tx_reading *r, char **field, tx_image_view view)
{
    tx_dataset *d = r->data;
    tx_status status = widen(r);
    if (status)
        return status;
    const char *path = field[r->fixed[TX_PATH]];
    d->path[d->images] = tx_text_keep(d->text, path, strlen(path));
    if (!d->path[d->images])
        return TX_ERR_MEMORY;
    status = number_groups(r, path);
    if (status)
        return status;
    d->view[d->images] = (unsigned char)view;
    signed char *out = d->label + d->images * (size_t)d->tasks;
    for (int t = 0; t < d->tasks; t++) {
        const char *cell = field[r->task_column[t]];
        int value = tx_label_read(r, t, cell);
        if (value == 2)
            return tx_reading_bad_cell(r, r->task_column[t], cell, "1.0, 0.0, -1.0 or nothing");
        out[t] = (signed char)value;
    }
    d->images++;
    return TX_OK;
}

/* A Path must be there, and have slashes between its folders, unless the file's name is what it says. */
static tx_status check_path(const tx_reading *r, const char *path)
{
    if (path[0] == 0)
        return tx_reading_bad_cell(r, r->fixed[TX_PATH], path,
                                   r->data->study_rows ? "the path of a study" : "the path of an image");
    if (!strchr(path, '\\') || r->data->study_rows)
        return TX_OK;
    char *file = tx_batch_locate(r->data->folder, r->data->batch, r->data->batches, path);
    if (!file)
        return TX_ERR_MEMORY;
    int there = tx_path_exists(file);
    tx_free(file);
    return there ? TX_OK
                 : tx_reading_bad_cell(r, r->fixed[TX_PATH], path, "slashes between folders instead of backslashes");
}

/* By the column where it says one, else by the file's name. */
static tx_status read_view(const tx_reading *r, char **field, tx_image_view *view)
{
    size_t c = r->fixed[TX_SIDE];
    const char *says = c < r->columns ? field[c] : "";
    *view = strcmp(says, "Frontal") == 0 ? TX_FRONTAL : TX_LATERAL;
    if (*view == TX_FRONTAL || strcmp(says, "Lateral") == 0)
        return TX_OK;
    if (tx_cell_read(says) != TX_CELL_BLANK)
        return tx_reading_bad_cell(r, c, says, "Frontal or Lateral");
    *view = tx_path_view(field[r->fixed[TX_PATH]]);
    return TX_OK;
}

static tx_status read_row(tx_reading *r, char **field)
{
    static const tx_image_view wanted[] = {TX_VIEW_UNKNOWN, TX_FRONTAL, TX_LATERAL};
    tx_views views = r->options->views;
    tx_image_view view;
    tx_status status = check_path(r, field[r->fixed[TX_PATH]]);
    if (status == TX_OK)
        status = read_view(r, field, &view);
    if (status)
        return status;
    r->rows++;
    if (views == TX_VIEWS_ALL || view == wanted[views])
        return add_image(r, field, view);
    r->data->unknown_views += view == TX_VIEW_UNKNOWN;
    return TX_OK;
}

static tx_status fail_views(const tx_reading *r)
{
    const char *wanted = r->options->views == TX_VIEWS_FRONTAL ? "frontal" : "lateral";
    if (r->data->unknown_views == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: none of the %zu images is %s", r->name, r->rows, wanted);
    return tx_fail(
        TX_ERR_FORMAT,
        "%s: none of the %zu images is %s; of %zu neither a column 'Frontal/Lateral' nor _frontal or _lateral "
        "in the file's name tells the view",
        r->name, r->rows, wanted, r->data->unknown_views);
}

static tx_status read_rows(tx_reading *r)
{
    tx_dataset *d = r->data;
    char **field;
    int got;
    while ((got = tx_reading_row(r, r->csv, &field)) > 0) {
        tx_status status = read_row(r, field);
        if (status)
            return status;
        if (d->images > 0 && d->images == r->options->limit)
            break;
    }
    if (got < 0)
        return (tx_status)got;
    if (r->rows == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: a header and no rows", r->name);
    return d->images == 0 ? fail_views(r) : TX_OK;
}

static tx_status read_table(tx_reading *r)
{
    tx_dataset *d = r->data;
    r->csv = tx_csv_open(d->file);
    if (!r->csv)
        return TX_ERR_FILE;
    tx_status status = tx_columns_read(r);
    if (status == TX_OK)
        status = tx_columns_choose(r);
    if (status == TX_OK)
        status = tx_uncertain_resolve(r);
    if (status == TX_OK)
        status = read_rows(r);
    d->study_name = r->studies.name;
    d->studies = r->studies.count;
    d->patient_name = r->patients.name;
    d->patients = r->patients.count;
    tx_csv_close(r->csv);
    tx_free(r->column);
    tx_free(r->task_column);
    tx_free(r->uncertain);
    tx_free(r->studies.slot);
    tx_free(r->patients.slot);
    return status == TX_OK ? tx_task_notes(d) : status;
}

tx_dataset *tx_dataset_open(const char *folder, const char *split, const tx_dataset_options *options)
{
    if (!folder || !split) {
        tx_fail_null("tx_dataset_open", folder ? "split" : "folder");
        return NULL;
    }
    static const tx_dataset_options defaults;
    if (options &&
        (((int)options->blank & ~1) != 0 || (int)options->views < TX_VIEWS_ALL || options->views > TX_VIEWS_LATERAL)) {
        tx_fail(TX_ERR_ARGUMENT, "options: blank %d, views %d are not known", (int)options->blank, (int)options->views);
        return NULL;
    }
    tx_dataset *d = tx_alloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->text = tx_text_new();
    d->folder = tx_strdup(folder);
    tx_reading r = {.data = d, .options = options ? options : &defaults};
    if (d->text && d->folder && tx_batch_folders(folder, &d->batch, &d->batches) == TX_OK)
        d->file = tx_batch_table(folder, d->batch, d->batches, split);
    if (d->file) {
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
    tx_text_free(d->text);
    tx_free(d->folder);
    tx_free(d->file);
    tx_folder_names_free(d->batch, d->batches);
    tx_free(d->task);
    tx_free(d->task_names);
    tx_free(d->note);
    tx_free(d->passed);
    tx_free(d->path);
    tx_free(d->view);
    tx_free(d->label);
    tx_free(d->counts);
    tx_free(d->study);
    tx_free(d->patient);
    tx_free(d->study_name);
    tx_free(d->patient_name);
    tx_free(d);
}

/* ------------------------------------------------------------------------------------------- using */
tx_status tx_dataset_targets(const tx_dataset *d, const uint32_t *index, size_t n, float *target, float *mask)
{
    if (!d || (!index && n > 0))
        return tx_fail_null("tx_dataset_targets", d ? "index" : "dataset");
    for (size_t i = 0; i < n; i++)
        if (index[i] >= d->images)
            return tx_fail(TX_ERR_ARGUMENT, "image %lu of %zu", (unsigned long)index[i], d->images);
    size_t tasks = (size_t)d->tasks;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < tasks; t++) {
            int value = d->label[index[i] * tasks + t];
            if (target)
                target[i * tasks + t] = value > 0 ? 1.0f : 0.0f;
            if (mask)
                mask[i * tasks + t] = value >= 0 ? 1.0f : 0.0f;
        }
    return TX_OK;
}
