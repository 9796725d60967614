/* pixels.c - the checker for image files: pixels DIR
 *
 * DIR/expected.csv says, a row each, what a file's pixels are after decoding or after resizing too:
 *
 *     what,file,mode,width,height,filter,sha256
 *     decode,FILE,MODE,W,H,-,SHA256
 *     resize,FILE,MODE,W,H,FILTER,SHA256
 *
 * Prints a line a file, and last a line with the sums. Rows that ask for what this version does not know are skipped.
 * Exit status: 0 nothing differs, 1 something differs or there are no rows, 2 wrong usage. Where every row is skipped a
 * line on standard error says that nothing was compared: that is no failure of this version's, and no success either.
 */
#include "../io/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 7, LINE = 1024, WHY = 400 };

typedef struct row {
    char *text; /* owned; the fields point into it */
    char *field[COLUMNS];
    int done;
} row;

typedef struct table {
    row *rows;
    size_t count, capacity;
} table;

typedef struct tally {
    size_t files, compared, skipped, failed;
} tally;

static const char header[] = "what,file,mode,width,height,filter,sha256";
static const char *const filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};

static void table_free(table *t)
{
    for (size_t i = 0; i < t->count; i++)
        tx_free(t->rows[i].text);
    tx_free(t->rows);
}

/* Cuts the text at its commas; -1 unless there are COLUMNS fields. */
static int split(row *r)
{
    int n = 0;
    for (char *p = r->text; p; n++) {
        char *comma = strchr(p, ',');
        if (n < COLUMNS)
            r->field[n] = p;
        if (comma)
            *comma++ = 0;
        p = comma;
    }
    return n == COLUMNS ? 0 : -1;
}

static int read_table(const char *path, table *t)
{
    char line[LINE];
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "pixels: %s cannot be opened\n", path);
        return -1;
    }
    int bad = 0;
    for (size_t number = 1; !bad && fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\r\n")] = 0;
        if (number == 1) {
            bad = strcmp(line, header) != 0;
        } else if (line[0]) {
            bad = tx_grow((void **)&t->rows, &t->capacity, t->count + 1, sizeof *t->rows) != TX_OK;
            if (bad)
                break;
            row *r = &t->rows[t->count];
            memset(r, 0, sizeof *r);
            r->text = tx_strdup(line);
            bad = !r->text;
            if (!bad) {
                t->count++;
                bad = split(r);
            }
        }
        if (bad)
            fprintf(stderr, "pixels: %s:%zu: not a row of \"%s\"\n", path, number, header);
    }
    fclose(file);
    if (!bad && t->count == 0)
        fprintf(stderr, "pixels: %s has no rows\n", path);
    return bad || t->count == 0 ? -1 : 0;
}

/* Whether the pixels are what the row says; if not, why. */
static int equal(const tx_image *image, const row *r, char *why)
{
    char hex[65];
    const char *mode = image->channels == 1 ? "L" : "RGB";
    if (strcmp(mode, r->field[2]) != 0 || image->width != atoi(r->field[3]) || image->height != atoi(r->field[4])) {
        snprintf(why, WHY, "%s %d x %d, %s %s x %s expected", mode, image->width, image->height, r->field[2],
                 r->field[3], r->field[4]);
        return 0;
    }
    tx_sha256 s;
    tx_sha256_begin(&s);
    tx_sha256_add(&s, image->pixels, (size_t)image->width * (size_t)image->height * (size_t)image->channels);
    tx_sha256_end(&s, hex);
    snprintf(why, WHY, "SHA-256 %.12s.., %.12s.. expected", hex, r->field[6]);
    return strcmp(hex, r->field[6]) == 0;
}

/* 1 equal, 0 different, -1 unknown. */
static int check_row(const tx_image *image, const row *r, char *why)
{
    if (strcmp(r->field[0], "decode") == 0)
        return equal(image, r, why);
    if (strcmp(r->field[0], "resize") != 0)
        return -1;
    for (size_t f = 0; f < sizeof filters / sizeof filters[0]; f++) {
        if (strcmp(r->field[5], filters[f]) != 0)
            continue;
        tx_image resized;
        int same = 0;
        if (tx_image_resize(image, atoi(r->field[3]), atoi(r->field[4]), (tx_interpolation)f, &resized))
            snprintf(why, WHY, "%s", tx_error_message());
        else
            same = equal(&resized, r, why);
        tx_image_free(&resized);
        return same;
    }
    return -1;
}

/* Decodes the file of row `first` and checks it against all its rows. */
static void check_file(const char *folder, table *t, size_t first, tally *sums)
{
    const char *name = t->rows[first].field[1];
    char path[LINE * 2], why[WHY] = "";
    unsigned char *bytes = NULL;
    size_t size = 0, rows = 0, skipped = 0, failed = 0;
    tx_image image = {0, 0, 0, NULL};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int read = tx_file_read(path, (size_t)1 << 30, &bytes, &size) == TX_OK;
    int known = !read || tx_image_format(bytes, size) != NULL;
    int decoded = read && known && tx_image_decode(bytes, size, name, &image) == TX_OK;
    if (!decoded)
        snprintf(why, sizeof why, "%s", tx_error_message());
    for (size_t i = first; i < t->count; i++) {
        row *r = &t->rows[i];
        if (r->done || strcmp(r->field[1], name) != 0)
            continue;
        r->done = 1;
        rows++;
        int same = !known ? -1 : decoded ? check_row(&image, r, why) : 0;
        sums->compared += decoded && same >= 0;
        skipped += same < 0;
        failed += same == 0;
        if (same == 0)
            printf("%s: %s %s x %s %s: %s\n", name, r->field[0], r->field[3], r->field[4], r->field[5], why);
    }
    if (failed == 0)
        printf("%s: %s (%zu of %zu rows)\n", name, skipped == rows ? "skipped" : "equal",
               skipped == rows ? rows : rows - skipped, rows);
    sums->files++;
    sums->skipped += skipped;
    sums->failed += failed;
    tx_image_free(&image);
    tx_free(bytes);
}

int main(int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: pixels DIR\n");
        return 2;
    }
    char path[LINE];
    table t = {NULL, 0, 0};
    tally sums = {0, 0, 0, 0};
    snprintf(path, sizeof path, "%s/expected.csv", argv[1]);
    int bad = read_table(path, &t);
    for (size_t i = 0; !bad && i < t.count; i++)
        if (!t.rows[i].done)
            check_file(argv[1], &t, i, &sums);
    table_free(&t);
    fflush(stdout);
    if (!bad && sums.compared + sums.failed == 0)
        fprintf(stderr, "pixels: nothing was compared, %zu rows of kinds that this version does not know\n",
                sums.skipped);
    sums.failed += tx_alloc_spoiled() != 0;
    printf("%zu files, %zu values compared, %zu skipped, %zu failed\n", sums.files, sums.compared, sums.skipped,
           sums.failed);
    return bad || sums.failed ? 1 : 0;
}
