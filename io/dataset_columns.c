/* dataset_columns.c - which columns of a table are what: fixed ones, tasks, an index, and what is passed over. */
#include "dataset_private.h"

#include <string.h>

const char *const tx_observation[TX_OBSERVATIONS] = {"No Finding",       "Enlarged Cardiomediastinum",
                                                     "Cardiomegaly",     "Lung Opacity",
                                                     "Lung Lesion",      "Edema",
                                                     "Consolidation",    "Pneumonia",
                                                     "Atelectasis",      "Pneumothorax",
                                                     "Pleural Effusion", "Pleural Other",
                                                     "Fracture",         "Support Devices"};
const char tx_competition_tasks[] = "Atelectasis,Cardiomegaly,Consolidation,Edema,Pleural Effusion";

enum { NAME_AT_MOST = 255 };
static const char *const fixed_name[TX_FIXED_COLUMNS] = {"Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"};

static int fixed_column(const char *name)
{
    int k = 0;
    while (k < TX_FIXED_COLUMNS && strcmp(name, fixed_name[k]) != 0)
        k++;
    return k;
}

static int is_fixed(const tx_reading *r, size_t c)
{
    return c == r->fixed[TX_PATH] || fixed_column(r->column[c]) < TX_FIXED_COLUMNS;
}

static int is_observation(const char *name)
{
    for (int k = 0; k < TX_OBSERVATIONS; k++)
        if (strcmp(name, tx_observation[k]) == 0)
            return 1;
    return 0;
}

/* The row numbers that pandas writes: columns without a name at the beginning, which it calls Unnamed: 0 and so on when
 * it has read them again. */
static int is_index(const char *name)
{
    return name[0] == 0 || (strncmp(name, "Unnamed: ", 9) == 0 && name[9] >= '0' && name[9] <= '9');
}

/* ------------------------------------------------------------------------------------------ the header */
static int has_outer_blank(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && (strchr(" \t", name[0]) || strchr(" \t", name[n - 1]));
}

/* What is wrong with a task's name, or NULL. Names go into lists with commas between and into the JSON of a checkpoint,
 * which holds UTF-8: what would not come back from there is refused here. */
static const char *wrong_name(const char *name)
{
    if (strchr(name, ','))
        return "a comma in its name";
    if (strlen(name) > NAME_AT_MOST)
        return "a name of more than 255 bytes";
    for (const char *p = name; *p;) {
        size_t step = tx_utf8_length((const unsigned char *)p);
        if (step == 0)
            return "a name that is not UTF-8";
        p += step;
    }
    return NULL;
}

/* Whether column c may have this name beside those before it. */
static tx_status check_name(const tx_reading *r, size_t c)
{
    char text[TX_TEXT];
    const char *name = r->column[c];
    int nameless = name[0] == 0;
    for (size_t before = 0; before < c; before++) {
        nameless &= r->column[before][0] == 0;
        if (name[0] && strcmp(r->column[before], name) == 0)
            return tx_fail(TX_ERR_FORMAT, "%s:1: columns %zu and %zu are both named '%s'", r->name, before + 1, c + 1,
                           tx_escape(text, sizeof text, name));
    }
    if (name[0] == 0 && !nameless)
        return tx_fail(TX_ERR_FORMAT, "%s:1: column %zu has no name", r->name, c + 1);
    if (has_outer_blank(name))
        return tx_fail(TX_ERR_FORMAT, "%s:1: column %zu has a blank at an end of its name", r->name, c + 1);
    return TX_OK;
}

/* What stands in the place of Path. */
static tx_status find_study(tx_reading *r)
{
    size_t c = 0;
    while (c < r->columns && strcmp(r->column[c], "Study") != 0)
        c++;
    if (c == r->columns)
        return tx_fail(TX_ERR_FORMAT, "%s:1: no column 'Path'", r->name);
    if (!r->options->studies)
        return tx_fail(TX_ERR_FORMAT, "%s:1: no column 'Path', but 'Study', which names no image", r->name);
    r->fixed[TX_PATH] = c;
    r->data->study_rows = 1;
    return TX_OK;
}

tx_status tx_columns_read(tx_reading *r)
{
    char **field;
    int got = tx_csv_next(r->csv, &field, &r->columns);
    if (got < 0)
        return (tx_status)got;
    if (got == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: empty, expected a header and a row an image", r->name);
    r->column = tx_alloc(r->columns, sizeof *r->column);
    if (!r->column)
        return TX_ERR_MEMORY;
    for (int k = 0; k < TX_FIXED_COLUMNS; k++)
        r->fixed[k] = r->columns;
    for (size_t c = 0; c < r->columns; c++) {
        /* The next row would write over the header. */
        r->column[c] = tx_text_keep(r->data->text, field[c], strlen(field[c]));
        tx_status status = r->column[c] ? check_name(r, c) : TX_ERR_MEMORY;
        if (status)
            return status;
        int k = fixed_column(field[c]);
        if (k < TX_FIXED_COLUMNS)
            r->fixed[k] = c;
        r->data->observations += is_observation(field[c]);
    }
    return r->fixed[TX_PATH] == r->columns ? find_study(r) : TX_OK;
}

/* ------------------------------------------------------------------------------------------- the tasks */
/* Names that a list of tasks may have: the columns, and two words for several of them. */
static const char *column_at(const void *context, int i)
{
    const tx_reading *r = context;
    if ((size_t)i >= r->columns)
        return (size_t)i == r->columns ? "all" : "competition";
    const char *name = r->column[i];
    return is_fixed(r, (size_t)i) || is_index(name) ? NULL : name;
}

const char *tx_columns_nearest(const tx_reading *r, const char *typed, int lists, char out[TX_HINT])
{
    return tx_nearest_hint(out, typed, (int)r->columns + (lists ? 2 : 0), column_at, r);
}

static tx_status add_task(tx_reading *r, size_t c)
{
    char text[TX_TEXT];
    tx_dataset *d = r->data;
    for (int t = 0; t < d->tasks; t++)
        if (r->task_column[t] == c)
            return tx_fail(TX_ERR_ARGUMENT, "the task '%s' is listed twice",
                           tx_escape(text, sizeof text, r->column[c]));
    const char *wrong = wrong_name(r->column[c]);
    if (wrong)
        return tx_fail(TX_ERR_FORMAT, "%s:1: column %zu has %s", r->name, c + 1, wrong);
    r->task_column[d->tasks] = c;
    d->task[d->tasks++] = r->column[c];
    return TX_OK;
}

/* The tasks named in a list with commas between, in the list's order; blanks around a name are no part of it. */
static tx_status list_tasks(tx_reading *r, const char *list)
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
        if (n == 0)
            return tx_fail(TX_ERR_ARGUMENT, "tasks '%s': an empty name, expected names with commas between",
                           tx_escape(text, sizeof text, list));
        if (c == r->columns || c == r->fixed[TX_PATH]) {
            size_t cut = n < sizeof text - 4 ? n : sizeof text - 4;
            char name[TX_TEXT], near[TX_HINT];
            memcpy(name, p, cut);
            name[cut] = 0;
            return tx_fail(TX_ERR_ARGUMENT, "%s: no task '%s'%s", r->name, tx_escape(text, sizeof text, name),
                           tx_columns_nearest(r, name, 1, near));
        }
        tx_status status = add_task(r, c);
        if (status)
            return status;
        p = next;
    }
    return TX_OK;
}

/* Reads the whole table once: label[c] becomes 1 where all cells of column c are labels or blank, and not all blank. */
static tx_status find_labels(const tx_reading *r, unsigned char *label)
{
    char **field;
    tx_csv *csv = tx_csv_open(r->data->file);
    unsigned char *other = tx_alloc(r->columns, 1);
    if (!csv || !other) {
        tx_csv_close(csv);
        tx_free(other);
        return csv ? TX_ERR_MEMORY : TX_ERR_FILE;
    }
    size_t rows = 0;
    int more = tx_reading_row(r, csv, &field);
    while (more > 0 && (more = tx_reading_row(r, csv, &field)) > 0) {
        rows++;
        for (size_t c = 0; c < r->columns; c++) {
            int cell = other[c] ? TX_CELL_OTHER : tx_cell_read(field[c]);
            other[c] = cell == TX_CELL_OTHER;
            label[c] |= cell < TX_CELL_BLANK;
        }
    }
    for (size_t c = 0; c < r->columns; c++)
        label[c] = label[c] && !other[c];
    tx_csv_close(csv);
    tx_free(other);
    if (more == 0 && rows == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: a header and no rows", r->name);
    return more < 0 ? (tx_status)more : TX_OK;
}

/* The observations, or where the table has none of them its label columns, in the table's order. */
static tx_status all_tasks(tx_reading *r)
{
    unsigned char *label = tx_alloc(r->columns, 1);
    tx_status status = label ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK && r->data->observations == 0)
        status = find_labels(r, label);
    for (size_t c = 0; status == TX_OK && c < r->columns; c++) {
        const char *name = r->column[c];
        int other = is_fixed(r, c) || is_index(name);
        if (r->data->observations ? is_observation(name) : label[c] && !other)
            status = add_task(r, c);
    }
    tx_free(label);
    if (status == TX_OK && r->data->tasks == 0)
        status = tx_fail(TX_ERR_FORMAT,
                         "%s:1: no column is a task: none is one of CheXpert's observations, and none has 1, 0, -1 or "
                         "nothing in all its cells",
                         r->name);
    return status;
}

/* Lists the index, and where nobody named the tasks every other column that is none. */
static tx_status pass_over(tx_reading *r, int all)
{
    tx_dataset *d = r->data;
    d->passed = tx_alloc(r->columns, sizeof *d->passed);
    if (!d->passed)
        return TX_ERR_MEMORY;
    for (size_t c = 0; c < r->columns; c++) {
        int task = 0, index = is_index(r->column[c]);
        for (int t = 0; t < d->tasks; t++)
            task |= r->task_column[t] == c;
        if (!task && (index || (all && !is_fixed(r, c))))
            d->passed[d->passed_columns++] = (tx_passed_column){r->column[c], c + 1, index};
    }
    return TX_OK;
}

static tx_status join_names(tx_dataset *d)
{
    size_t length = 1;
    for (int t = 0; t < d->tasks; t++)
        length += strlen(d->task[t]) + 1;
    char *out = d->task_names = tx_alloc(length, 1);
    if (!out)
        return TX_ERR_MEMORY;
    for (int t = 0; t < d->tasks; t++)
        out += snprintf(out, length - (size_t)(out - d->task_names), "%s%s", t ? "," : "", d->task[t]);
    return TX_OK;
}

tx_status tx_columns_choose(tx_reading *r)
{
    tx_dataset *d = r->data;
    const char *list = r->options->tasks;
    int all = !list || strcmp(list, "all") == 0;
    d->task = tx_alloc(r->columns, sizeof *d->task);
    d->counts = tx_alloc(r->columns, sizeof *d->counts);
    r->task_column = tx_alloc(r->columns, sizeof *r->task_column);
    if (!d->task || !d->counts || !r->task_column)
        return TX_ERR_MEMORY;
    tx_status status = TX_OK;
    if (all)
        status = all_tasks(r);
    else if (*list)
        status = list_tasks(r, strcmp(list, "competition") == 0 ? tx_competition_tasks : list);
    if (status == TX_OK)
        status = pass_over(r, all);
    return status == TX_OK ? join_names(d) : status;
}
