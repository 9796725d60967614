/* study_cam_table.c - a job's cam.csv, written and read. */
#include "metrics.h"
#include "study_cam.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header[] =
    "Path,Finding,split,probability,rows,columns,positive,low,high,boxes,area,hit,iou,energy,empty,why,overlay";
enum { COLUMNS = 17 };

study_cam_row *study_cam_add(study_cam *c)
{
    if (tx_grow((void **)&c->row, &c->room, c->rows + 1, sizeof *c->row))
        return NULL;
    study_cam_row *r = &c->row[c->rows++];
    memset(r, 0, sizeof *r);
    r->probability = r->low = r->high = r->area = r->hit = r->iou = r->energy = (double)NAN;
    return r;
}

void study_cam_free(study_cam *c)
{
    for (size_t i = 0; i < c->rows; i++) {
        tx_free(c->row[i].path);
        tx_free(c->row[i].finding);
        tx_free(c->row[i].why);
        tx_free(c->row[i].overlay);
    }
    tx_free(c->row);
    memset(c, 0, sizeof *c);
}

/* ---------------------------------------------------------------------------------------- writing */
static void add_real(tx_buffer *p, double value)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, ",%s", tx_number_print(number, sizeof number, value, 9));
}

static void add_row(tx_buffer *p, const study_cam_row *r)
{
    tx_buffer_csv(p, r->path);
    tx_buffer_append(p, ",");
    tx_buffer_csv(p, r->finding);
    tx_buffer_add(p, ",%s", r->split);
    add_real(p, r->probability);
    tx_buffer_add(p, ",%d,%d,%zu", r->rows, r->columns, r->positive);
    add_real(p, r->low);
    add_real(p, r->high);
    tx_buffer_add(p, ",%zu", r->boxes);
    add_real(p, r->area);
    add_real(p, r->hit);
    add_real(p, r->iou);
    add_real(p, r->energy);
    tx_buffer_add(p, ",%d,%s,", r->empty, r->why ? r->why : "");
    tx_buffer_csv(p, r->overlay ? r->overlay : "");
    tx_buffer_append(p, "\n");
}

void study_cam_text(const study_cam *c, tx_buffer *to)
{
    tx_buffer_add(to, "%s\n", header);
    for (size_t i = 0; i < c->rows; i++)
        add_row(to, &c->row[i]);
}

/* ---------------------------------------------------------------------------------------- reading */
static tx_status take_row(study_cam *c, char **field)
{
    long whole[5] = {0};
    static const int at[5] = {4, 5, 6, 9, 14};
    study_cam_row *r = study_cam_add(c);
    if (!r)
        return TX_ERR_MEMORY;
    for (int i = 0; i < 5; i++)
        if (parse_whole(field[at[i]], 0, 1e9, &whole[i]))
            return tx_fail(TX_ERR_FORMAT, "cam.csv: row %zu: column %d holds no number", c->rows, at[i] + 1);
    snprintf(r->split, sizeof r->split, "%.7s", field[2]);
    r->path = tx_strdup(field[0]);
    r->finding = tx_strdup(field[1]);
    r->why = tx_strdup(field[15]);
    r->overlay = tx_strdup(field[16]);
    r->probability = table_real(field[3]);
    r->rows = (int)whole[0];
    r->columns = (int)whole[1];
    r->positive = (size_t)whole[2];
    r->low = table_real(field[7]);
    r->high = table_real(field[8]);
    r->boxes = (size_t)whole[3];
    r->area = table_real(field[10]);
    r->hit = table_real(field[11]);
    r->iou = table_real(field[12]);
    r->energy = table_real(field[13]);
    r->empty = whole[4] != 0;
    return r->path && r->finding && r->why && r->overlay ? TX_OK : TX_ERR_MEMORY;
}

static tx_status read_rows(study_cam *c, tx_csv *csv)
{
    char **field;
    size_t fields;
    int more = tx_csv_next(csv, &field, &fields);
    if (more >= 0 && (more == 0 || fields != COLUMNS || strcmp(field[0], "Path") || strcmp(field[15], "why")))
        return tx_fail(TX_ERR_FORMAT, "cam.csv: expected the columns %s", header);
    while (more == 1 && (more = tx_csv_next(csv, &field, &fields)) == 1) {
        tx_status status = fields == COLUMNS ? take_row(c, field)
                                             : tx_fail(TX_ERR_FORMAT, "cam.csv: line %zu: %zu fields, expected %d",
                                                       tx_csv_line(csv), fields, (int)COLUMNS);
        if (status)
            return status;
    }
    return more == 0 ? TX_OK : tx_error_status();
}

tx_status study_cam_read(study_cam *c, const char *folder)
{
    tx_path_kind kind = TX_PATH_NONE;
    memset(c, 0, sizeof *c);
    char *path = tx_path_join(folder, "cam.csv");
    tx_status status = path ? tx_path_look(path, &kind) : TX_ERR_MEMORY;
    if (status == TX_OK && kind != TX_PATH_NONE) {
        tx_csv *csv = tx_csv_open(path);
        status = csv ? read_rows(c, csv) : tx_error_status();
        tx_csv_close(csv);
        c->known = status == TX_OK;
    }
    tx_free(path);
    return status;
}

/* ------------------------------------------------------------------------------------------ files */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *study_cam_radiograph(const char *overlay)
{
    char *text = tx_strdup(overlay), *end = text ? strrchr(text, '.') : NULL;
    while (end > text && *--end != '.') {
    }
    if (end && *end == '.')
        strcpy(end, ".png");
    return text;
}

/* Both files of an example. */
static tx_status add_files(char **list, size_t *count, const char *overlay)
{
    char *radiograph = study_cam_radiograph(overlay);
    list[*count] = tx_path_join("cam", overlay);
    list[*count + 1] = radiograph ? tx_path_join("cam", radiograph) : NULL;
    tx_free(radiograph);
    *count += 2;
    return list[*count - 2] && list[*count - 1] ? TX_OK : TX_ERR_MEMORY;
}

/* Sorted, each once. */
static size_t unique(char **list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, by_text);
    for (size_t i = 0; i < count; i++) {
        if (kept && strcmp(list[i], list[kept - 1]) == 0)
            tx_free(list[i]);
        else
            list[kept++] = list[i];
    }
    return kept;
}

tx_status study_cam_files(const char *folder, char ***names, size_t *count)
{
    study_cam c;
    size_t n = 0;
    *names = NULL;
    *count = 0;
    tx_status status = study_cam_read(&c, folder);
    char **list = c.known ? tx_alloc(2 * c.rows + 1, sizeof *list) : NULL;
    if (c.known && (!list || !(list[n++] = tx_strdup("cam.csv"))))
        status = TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < c.rows; i++)
        if (*c.row[i].overlay)
            status = add_files(list, &n, c.row[i].overlay);
    study_cam_free(&c);
    if (status) {
        tx_folder_names_free(list, n);
        return status;
    }
    *names = list;
    *count = list ? 1 + unique(list + 1, n - 1) : 0;
    return TX_OK;
}
