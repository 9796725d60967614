/* prediction_table.c - a CSV of somebody's scores, and which of its rows is of which image.
 *
 * Programs write a Path with what stood before it on their machine, so a row is found by its end from the folder patient.. on:
 * rows are sorted by that end, and those with an image's end are looked through. */
#include "prediction_table.h"

#include <stdlib.h>
#include <string.h>

struct prediction_row {
    char *path;
    size_t line, place; /* in the file; among the rows as they stand there */
};

/* ---------------------------------------------------------------------------------------- the header */
static int named_twice(const prediction_table *t, int c)
{
    for (int before = 0; before < c; before++)
        if (*t->column[c] && strcmp(t->column[before], t->column[c]) == 0)
            return before + 1;
    return 0;
}

static tx_status find_key(prediction_table *t)
{
    static const char *const names[] = {"Path", "Study"};
    char text[TX_TEXT];
    int found = -1;
    for (int c = 0; c < t->columns; c++) {
        int before = named_twice(t, c);
        if (before)
            return tx_fail(TX_ERR_FORMAT, "%s:1: columns %d and %d are both named '%s'", t->name, before, c + 1,
                           tx_escape(text, sizeof text, t->column[c]));
    }
    for (int k = 0; k < 2 && found < 0; k++)
        for (int c = 0; c < t->columns; c++)
            if (strcmp(t->column[c], names[k]) == 0) {
                t->study_rows = k;
                found = c;
            }
    if (found < 0)
        return tx_fail(TX_ERR_FORMAT, "%s:1: no column 'Path' or 'Study', so no predictions", t->name);
    t->key = (size_t)found;
    *t->column[found] = 0;
    return TX_OK;
}

/* The header's names, which the next row would write over. */
static tx_status read_header(prediction_table *t, tx_csv *csv)
{
    char **field;
    size_t fields;
    int got = tx_csv_next(csv, &field, &fields);
    if (got < 0)
        return (tx_status)got;
    if (got == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: empty, expected a header and a row an image or a study", t->name);
    t->column = tx_alloc(fields, sizeof *t->column);
    for (; t->column && t->columns < (int)fields; t->columns++)
        if (!(t->column[t->columns] = tx_strdup(field[t->columns])))
            return TX_ERR_MEMORY;
    return t->column ? find_key(t) : TX_ERR_MEMORY;
}

tx_status prediction_table_open(prediction_table *t, const char *path)
{
    memset(t, 0, sizeof *t);
    tx_escape(t->name, sizeof t->name, path);
    t->path = tx_strdup(path);
    tx_csv *csv = t->path ? tx_csv_open(path) : NULL;
    tx_status status = csv ? read_header(t, csv) : tx_error_status();
    if (csv)
        tx_csv_close(csv);
    return status;
}

void prediction_table_free(prediction_table *t)
{
    for (int c = 0; c < t->columns; c++)
        tx_free(t->column[c]);
    for (size_t i = 0; i < t->rows; i++)
        tx_free(t->row[i].path);
    tx_free(t->column);
    tx_free(t->row);
    tx_free(t->score);
    tx_free(t->path);
    memset(t, 0, sizeof *t);
}

/* ------------------------------------------------------------------------------------------ the rows */
static tx_status read_scores(const prediction_table *t, char **field, size_t line, const int *column, double *score)
{
    char name[TX_TEXT], text[TX_TEXT];
    for (int k = 0; k < t->tasks; k++) {
        const char *cell = field[column[k]];
        if (tx_number_parse(cell, &score[k]))
            return tx_fail(TX_ERR_FORMAT, "%s:%zu: column '%s': found '%s', expected a number", t->name, line,
                           tx_escape(name, sizeof name, t->column[column[k]]), tx_escape(text, sizeof text, cell));
    }
    return TX_OK;
}

/* The path as it stands; of a study without the slashes behind it. */
static tx_status keep_path(const prediction_table *t, const char *cell, prediction_row *row)
{
    size_t n = strlen(cell);
    while (t->study_rows && n > 1 && cell[n - 1] == '/')
        n--;
    if (n == 0)
        return tx_fail(TX_ERR_FORMAT, "%s:%zu: column '%s': empty, expected a path", t->name, row->line,
                       t->study_rows ? "Study" : "Path");
    row->path = tx_alloc(n + 1, 1);
    if (!row->path)
        return TX_ERR_MEMORY;
    memcpy(row->path, cell, n);
    return TX_OK;
}

static int by_path(const void *a, const void *b)
{
    const prediction_row *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static tx_status check_repeats(prediction_table *t)
{
    char text[TX_TEXT];
    qsort(t->row, t->rows, sizeof *t->row, by_path);
    for (size_t i = 1; i < t->rows; i++)
        if (strcmp(t->row[i - 1].path, t->row[i].path) == 0)
            return tx_fail(TX_ERR_FORMAT, "%s:%zu: '%s' stands on line %zu already", t->name, t->row[i].line,
                           tx_escape(text, sizeof text, t->row[i].path), t->row[i - 1].line);
    return TX_OK;
}

static tx_status read_rows(prediction_table *t, tx_csv *csv, const int *column)
{
    char **field;
    size_t fields, rows_room = 0, score_room = 0, cells, tasks = (size_t)t->tasks;
    int got = tx_csv_next(csv, &field, &fields);
    while (got > 0 && (got = tx_csv_next(csv, &field, &fields)) > 0) {
        size_t line = tx_csv_line(csv);
        if (fields != (size_t)t->columns)
            return tx_fail(TX_ERR_FORMAT, "%s:%zu: %zu fields, expected %d as in the header", t->name, line, fields,
                           t->columns);
        if (tx_size_mul(t->rows + 1, tasks, &cells) ||
            tx_grow((void **)&t->row, &rows_room, t->rows + 1, sizeof *t->row) ||
            tx_grow((void **)&t->score, &score_room, cells, sizeof *t->score))
            return TX_ERR_MEMORY;
        prediction_row *row = &t->row[t->rows];
        *row = (prediction_row){NULL, line, t->rows};
        tx_status status = read_scores(t, field, line, column, t->score + t->rows * tasks);
        if (status == TX_OK)
            status = keep_path(t, field[t->key], row);
        if (status)
            return status;
        t->rows++;
    }
    if (got < 0)
        return (tx_status)got;
    return t->rows ? check_repeats(t) : tx_fail(TX_ERR_FORMAT, "%s: a header and no rows", t->name);
}

tx_status prediction_table_read(prediction_table *t, const int *column, int tasks)
{
    t->tasks = tasks;
    tx_csv *csv = tx_csv_open(t->path);
    tx_status status = csv ? read_rows(t, csv, column) : tx_error_status();
    if (csv)
        tx_csv_close(csv);
    return status;
}

/* --------------------------------------------------------------------------------------- whose they are */
/* What tells an image, or a study, apart: path[0..whole), and of it what follows `from`, where its patient's folder begins. */
typedef struct identity {
    const char *path;
    size_t whole, from;
    const prediction_row *row;
} identity;

/* Of an image itself, or of its study. */
static identity identify(const char *path, int itself, int study)
{
    const tx_path_groups of = tx_path_group(path, itself);
    return (identity){path, study ? of.study : strlen(path), of.patient, NULL};
}

static int compare(const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static int by_end(const identity *a, const identity *b)
{
    return compare(a->path + a->from, a->whole - a->from, b->path + b->from, b->whole - b->from);
}

static int same_whole(const identity *a, const identity *b)
{
    return compare(a->path, a->whole, b->path, b->whole) == 0;
}

static int by_identity(const void *a, const void *b)
{
    const identity *x = a, *y = b;
    int order = by_end(x, y);
    if (order == 0)
        order = compare(x->path, x->whole, y->path, y->whole);
    return order ? order : (x->row->place > y->row->place) - (x->row->place < y->row->place);
}

/* The first of the sorted list that does not come before `wanted`. */
static size_t first_at(const identity *list, size_t n, const identity *wanted)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_end(&list[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static tx_status fail_alike(const prediction_table *t, const identity *a, const identity *b, const char *path)
{
    char text[TX_TEXT];
    const prediction_row *x = a->row, *y = b->row;
    return tx_fail(TX_ERR_FORMAT, "%s: lines %zu and %zu may both be '%s'", t->name,
                   x->line < y->line ? x->line : y->line, x->line < y->line ? y->line : x->line,
                   tx_escape(text, sizeof text, path));
}

/* Rows from..to-1 of the list are those of one image or study: of the wanted path itself, else of one path alone. */
static tx_status choose(const prediction_table *t, const identity *list, size_t n, const identity *wanted, size_t *from,
                        size_t *to)
{
    size_t end = *from = first_at(list, n, wanted);
    while (end < n && by_end(&list[end], wanted) == 0)
        end++;
    size_t exact = *from;
    while (exact < end && !same_whole(&list[exact], wanted))
        exact++;
    if (exact < end)
        *from = exact;
    for (*to = *from; *to < end && same_whole(&list[*to], &list[*from]);)
        ++*to;
    return exact == end && *to < end ? fail_alike(t, &list[*from], &list[*to], wanted->path) : TX_OK;
}

static void take_largest(const prediction_table *t, const identity *list, size_t from, size_t to, double *score)
{
    size_t tasks = (size_t)t->tasks;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < tasks; k++) {
            double value = t->score[list[i].row->place * tasks + k];
            if (i == from || value > score[k])
                score[k] = value;
        }
}

static tx_status fit_images(const prediction_table *t, const tx_dataset *d, const identity *list, double *score,
                            unsigned char *present, unsigned char *used, prediction_fit *fit)
{
    int by_study = t->study_rows || d->study_rows;
    for (size_t i = 0; i < d->images; i++) {
        size_t from, to;
        identity wanted = identify(d->path[i], d->study_rows, by_study);
        tx_status status = choose(t, list, t->rows, &wanted, &from, &to);
        if (status)
            return status;
        take_largest(t, list, from, to, score + i * (size_t)t->tasks);
        present[i] = to > from;
        if (to == from && fit->missing++ == 0)
            fit->first = i;
        for (; from < to; from++)
            used[list[from].row->place] = 1;
    }
    return TX_OK;
}

static tx_status fail_strange(const prediction_table *t, const tx_dataset *d)
{
    char a[TX_TEXT], b[TX_TEXT], file[TX_TEXT];
    size_t first = 0;
    while (t->row[first].place)
        first++;
    return tx_fail(TX_ERR_FORMAT, "%s: none of its %zu rows is of %s, which begin with %s, and these with %s", t->name,
                   t->rows, tx_escape(file, sizeof file, d->file), tx_escape(a, sizeof a, d->path[0]),
                   tx_escape(b, sizeof b, t->row[first].path));
}

tx_status prediction_table_fit(const prediction_table *t, const tx_dataset *d, double *score, unsigned char *present,
                               prediction_fit *fit)
{
    *fit = (prediction_fit){0};
    identity *list = tx_alloc(t->rows, sizeof *list);
    unsigned char *used = tx_alloc(t->rows, 1);
    tx_status status = list && used ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < t->rows; i++) {
        list[i] = identify(t->row[i].path, t->study_rows, t->study_rows || d->study_rows);
        list[i].row = &t->row[i];
    }
    if (status == TX_OK) {
        qsort(list, t->rows, sizeof *list, by_identity);
        status = fit_images(t, d, list, score, present, used, fit);
    }
    for (size_t i = 0; status == TX_OK && i < t->rows; i++)
        fit->other += !used[i];
    if (status == TX_OK && fit->missing == d->images)
        status = fail_strange(t, d);
    tx_free(list);
    tx_free(used);
    return status;
}
