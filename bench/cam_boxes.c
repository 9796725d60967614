/* cam_boxes.c - boxes in which a radiologist saw a finding, and how well maps agree with them.
 *
 * A map is compared in the image's own pixels. Its positive part is laid bilinearly over the part of the image that the
 * network saw; a pixel is in a box if its centre is.
 *   hit     the first pixel of largest value is in a box (the pointing game: Zhang et al., "Top-down Neural Attention by
 *           Excitation Backprop", ECCV 2016)
 *   IoU     of the boxes and the pixels of at least half the largest value: those in both over those in either; parts of a
 *           box that the network did not see count as well
 *   energy  the sum of values in the boxes over that of all (Wang et al., "Score-CAM", CVPR workshops 2020) */
#define _POSIX_C_SOURCE 200809L
#include "cam_boxes.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------------------------------- the table */
enum { COLUMNS = 6 };
static const char *const column_name[COLUMNS] = {"Path", "Finding", "x", "y", "w", "h"};

static tx_status find_columns(const char *escaped, char **field, size_t fields, size_t at[COLUMNS])
{
    for (int c = 0; c < COLUMNS; c++) {
        at[c] = 0;
        while (at[c] < fields && strcmp(field[at[c]], column_name[c]))
            at[c]++;
        if (at[c] == fields)
            return tx_fail(TX_ERR_FORMAT, "%s: no column '%s', expected Path,Finding,x,y,w,h", escaped, column_name[c]);
    }
    return TX_OK;
}

static tx_status read_fractions(box *b, const char *escaped, char **field, const size_t at[COLUMNS])
{
    char found[TX_TEXT];
    double *to[] = {&b->x, &b->y, &b->w, &b->h};
    for (int i = 0; i < 4; i++) {
        const char *text = field[at[2 + i]];
        if (tx_number_parse(text, to[i]) || *to[i] < 0 || *to[i] > 1 || (i >= 2 && *to[i] == 0))
            return tx_fail(TX_ERR_FORMAT, "%s: line %zu: %s is '%s', expected a fraction of the image, %s 0 to 1",
                           escaped, b->line, column_name[2 + i], tx_escape(found, sizeof found, text),
                           i < 2 ? "from" : "above");
    }
    /* Fractions are rounded when they are written. */
    if (b->x + b->w > 1.001 || b->y + b->h > 1.001)
        return tx_fail(TX_ERR_FORMAT, "%s: line %zu: a box that ends at %g, %g, expected at most 1, 1", escaped,
                       b->line, b->x + b->w, b->y + b->h);
    return TX_OK;
}

static tx_status read_row(boxes *b, const char *escaped, tx_csv *csv, char **field, size_t fields,
                          const size_t at[COLUMNS], size_t expected, const model *m)
{
    if (fields != expected)
        return tx_fail(TX_ERR_FORMAT, "%s: line %zu: %zu fields, expected %zu", escaped, tx_csv_line(csv), fields,
                       expected);
    if (tx_grow((void **)&b->box, &b->room, b->count + 1, sizeof *b->box))
        return TX_ERR_MEMORY;
    box *to = &b->box[b->count];
    memset(to, 0, sizeof *to);
    to->line = tx_csv_line(csv);
    to->image = SIZE_MAX;
    if (!*field[at[0]])
        return tx_fail(TX_ERR_FORMAT, "%s: line %zu: no Path", escaped, to->line);
    tx_status status = read_fractions(to, escaped, field, at);
    if (status)
        return status;
    to->path = tx_strdup(field[at[0]]);
    to->finding = tx_strdup(field[at[1]]);
    to->task = model_output(m, field[at[1]]);
    b->no_task += to->task < 0;
    b->count++;
    return to->path && to->finding ? TX_OK : TX_ERR_MEMORY;
}

tx_status boxes_read(boxes *b, const char *path, const model *m)
{
    char escaped[TX_TEXT], **field;
    size_t fields, expected, at[COLUMNS];
    memset(b, 0, sizeof *b);
    tx_escape(escaped, sizeof escaped, path);
    tx_csv *csv = tx_csv_open(path);
    if (!csv)
        return tx_error_status();
    int more = tx_csv_next(csv, &field, &expected);
    tx_status status = more == 1   ? find_columns(escaped, field, expected, at)
                       : more == 0 ? tx_fail(TX_ERR_FORMAT, "%s: empty, expected Path,Finding,x,y,w,h", escaped)
                                   : tx_error_status();
    while (status == TX_OK && (more = tx_csv_next(csv, &field, &fields)) == 1)
        status = read_row(b, escaped, csv, field, fields, at, expected, m);
    if (status == TX_OK && more != 0)
        status = tx_error_status();
    tx_csv_close(csv);
    return status;
}

void boxes_free(boxes *b)
{
    for (size_t i = 0; i < b->count; i++) {
        tx_free(b->box[i].path);
        tx_free(b->box[i].finding);
    }
    for (size_t i = 0; i < b->absents; i++)
        tx_free(b->absent[i]);
    tx_free(b->box);
    tx_free(b->absent);
    memset(b, 0, sizeof *b);
}

/* --------------------------------------------------------------------------------------- its images */
/* Rows by path; each path's first row stands first. */
static int by_path(const void *a, const void *b)
{
    const box *x = *(box *const *)a, *y = *(box *const *)b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int by_line(const void *a, const void *b)
{
    const box *x = *(box *const *)a, *y = *(box *const *)b;
    return (x->line > y->line) - (x->line < y->line);
}

/* Rows with a task, in the order of their paths; the caller's. */
static box **sorted(boxes *b, size_t *count)
{
    box **row = tx_alloc(b->count, sizeof *row);
    *count = 0;
    for (size_t i = 0; row && i < b->count; i++)
        if (b->box[i].task >= 0)
            row[(*count)++] = &b->box[i];
    if (row)
        qsort(row, *count, sizeof *row, by_path);
    return row;
}

static tx_status add_absent(boxes *b, const char *path)
{
    if (tx_grow((void **)&b->absent, &b->absent_room, b->absents + 1, sizeof *b->absent))
        return TX_ERR_MEMORY;
    b->absent[b->absents] = tx_strdup(path);
    return b->absent[b->absents] ? (b->absents++, TX_OK) : TX_ERR_MEMORY;
}

/* Where a path of the table is below the data, the caller's; NULL with TX_OK if it is nowhere. */
static tx_status locate(const char *data, const char *path, char **file)
{
    *file = data || path[0] == '/' ? tx_dataset_locate(data ? data : "/", path) : NULL;
    if (!*file)
        return data || path[0] == '/' ? TX_ERR_MEMORY : TX_OK;
    if (!tx_path_exists(*file)) {
        tx_free(*file);
        *file = NULL;
    }
    return TX_OK;
}

tx_status boxes_images(boxes *b, const char *data, image_list *to)
{
    size_t rows, kept = 0;
    box **row = sorted(b, &rows);
    tx_status status = row ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; i < rows && row; i++)
        if (i == 0 || strcmp(row[i]->path, row[kept - 1]->path))
            row[kept++] = row[i];
    if (row)
        qsort(row, kept, sizeof *row, by_line);
    for (size_t i = 0; status == TX_OK && i < kept; i++) {
        char *file;
        status = locate(data, row[i]->path, &file);
        if (status == TX_OK)
            status = file ? image_list_add(to, file) : TX_OK;
        tx_free(file);
    }
    tx_free(row);
    return status;
}

/* A file by its place in the file system. */
typedef struct place {
    dev_t device;
    ino_t number;
    size_t image;
} place;

static int by_place(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static place *places_of(const image_list *images, size_t *count)
{
    struct stat about;
    place *p = tx_alloc(images->count, sizeof *p);
    *count = 0;
    for (size_t i = 0; p && i < images->count; i++)
        if (stat(images->path[i], &about) == 0)
            p[(*count)++] = (place){about.st_dev, about.st_ino, i};
    if (p)
        qsort(p, *count, sizeof *p, by_place);
    return p;
}

/* Whether the path's last parts are those. */
static int ends_in_parts(const char *path, const char *end)
{
    return strcmp(path, end) == 0 || (ends_in(path, end) && path[strlen(path) - strlen(end) - 1] == '/');
}

const char *path_from_split(const char *path)
{
    static const char *const split[] = {"train/", "valid/", "test/"};
    for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        for (int i = 0; i < 3; i++)
            if (strncmp(p, split[i], strlen(split[i])) == 0)
                return p;
    return path;
}

/* The image whose path ends so; an error if there are two. */
static tx_status match_end(const box *row, const image_list *images, size_t *image)
{
    char one[TX_TEXT], two[TX_TEXT], what[TX_TEXT];
    const char *end = path_from_split(row->path);
    for (size_t i = 0; i < images->count; i++) {
        if (!ends_in_parts(images->path[i], end))
            continue;
        if (*image != SIZE_MAX && strcmp(images->path[*image], images->path[i]))
            return tx_fail(TX_ERR_FORMAT, "the boxes' line %zu: '%s' may be %s or %s; --data says below which folder",
                           row->line, tx_escape(what, sizeof what, row->path),
                           tx_escape(one, sizeof one, images->path[*image]),
                           tx_escape(two, sizeof two, images->path[i]));
        *image = *image == SIZE_MAX ? i : *image;
    }
    return TX_OK;
}

/* The image of a row, SIZE_MAX if it is none of the list; *there: it is a file all the same. */
static tx_status match_row(const box *row, const char *data, const image_list *images, const place *p, size_t places,
                           size_t *image, int *there)
{
    struct stat about = {0};
    char *file;
    *image = SIZE_MAX;
    tx_status status = locate(data, row->path, &file);
    if (status)
        return status;
    *there = file && stat(file, &about) == 0;
    tx_free(file);
    if (!*there)
        return match_end(row, images, image);
    place wanted = {about.st_dev, about.st_ino, 0};
    const place *at = bsearch(&wanted, p, places, sizeof *p, by_place);
    while (at && at > p && by_place(at - 1, &wanted) == 0)
        at--;
    *image = at ? at->image : SIZE_MAX;
    return TX_OK;
}

tx_status boxes_match(boxes *b, const char *data, const image_list *images)
{
    size_t rows, places;
    box **row = sorted(b, &rows);
    place *p = places_of(images, &places);
    tx_status status = row && p ? TX_OK : TX_ERR_MEMORY;
    size_t image = SIZE_MAX;
    for (size_t i = 0; status == TX_OK && i < rows; i++) {
        int there = 1, again = i > 0 && strcmp(row[i]->path, row[i - 1]->path) == 0;
        if (!again)
            status = match_row(row[i], data, images, p, places, &image, &there);
        if (status == TX_OK && image == SIZE_MAX && !there)
            status = add_absent(b, row[i]->path);
        row[i]->image = image;
        b->elsewhere += image == SIZE_MAX;
    }
    tx_free(row);
    tx_free(p);
    return status;
}

/* ------------------------------------------------------------------------------------------- scores */
/* The positive part of a map over the pixels of its image. */
typedef struct laid {
    float *map;
    int rows, columns, width, height;
    double left, top, right, bottom; /* fractions of the image */
} laid;

/* 0 beyond what the network saw. */
static double laid_at(const laid *l, double y, double x)
{
    if (x < l->left || x >= l->right || y < l->top || y >= l->bottom)
        return 0;
    return tx_map_at(l->map, l->rows, l->columns, (y - l->top) / (l->bottom - l->top),
                     (x - l->left) / (l->right - l->left));
}

static int in_boxes(const box *const *row, size_t rows, double y, double x)
{
    for (size_t i = 0; i < rows; i++)
        if (x >= row[i]->x && x < row[i]->x + row[i]->w && y >= row[i]->y && y < row[i]->y + row[i]->h)
            return 1;
    return 0;
}

/* One walk for the maximum and the sums, one for the pixels of at least half the maximum. */
static void score(const laid *l, const box *const *row, size_t rows, box_score *out)
{
    double most = 0, all = 0, inside = 0;
    size_t both = 0, either = 0, covered = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int j = 0; j < l->height; j++)
            for (int i = 0; i < l->width; i++) {
                double y = (j + 0.5) / l->height, x = (i + 0.5) / l->width, v = laid_at(l, y, x);
                int in = in_boxes(row, rows, y, x), half = most > 0 && v >= most / 2;
                if (pass) {
                    both += (size_t)(in && half);
                    either += (size_t)(in || half);
                    continue;
                }
                out->hit = v > most ? in : out->hit;
                most = v > most ? v : most;
                all += v;
                inside += in ? v : 0;
                covered += (size_t)in;
            }
    out->empty = most <= 0;
    out->iou = either ? (double)both / (double)either : 0;
    out->energy = all > 0 ? inside / all : 0;
    out->area = (double)covered / ((double)l->width * l->height);
}

tx_status boxes_score(const boxes *b, size_t image, int task, const float *raw, int rows, int columns,
                      const tx_framing *at, int size, box_score *out)
{
    memset(out, 0, sizeof *out);
    size_t count = (size_t)rows * (size_t)columns;
    const box **row = tx_alloc(b->count, sizeof *row);
    float *map = tx_alloc(count, sizeof *map);
    for (size_t i = 0; row && i < b->count; i++)
        if (b->box[i].image == image && b->box[i].task == task)
            row[out->boxes++] = &b->box[i];
    for (size_t i = 0; map && i < count; i++)
        map[i] = raw[i] > 0 ? raw[i] : 0;
    tx_status status = row && map ? TX_OK : TX_ERR_MEMORY;
    laid l = {map, rows, columns, at->image_width, at->image_height, 0, 0, 0, 0};
    l.left = (double)at->left / at->width;
    l.top = (double)at->top / at->height;
    l.right = (double)(at->left + size) / at->width;
    l.bottom = (double)(at->top + size) / at->height;
    if (status == TX_OK && out->boxes)
        score(&l, row, out->boxes, out);
    tx_free(row);
    tx_free(map);
    return status;
}
