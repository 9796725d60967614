/* bench_predictions - which row of a CSV of predictions is of which image: random tables against a search of all rows, and what
 * a failing allocation leaves. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/prediction_table.h"

#include <string.h>

enum { TASKS = 2, MOST = 24 };

/* A few names, so that they often meet. */
static void draw_path(char out[80], int study)
{
    static const char *const before[] = {"", "a/", "b/c/", "CheXpert-v1.0/test/"};
    const unsigned k = (unsigned)(temp_random() >> 40);
    int n = snprintf(out, 80, "%s", before[k % 4]);
    if (k / 4 % 8 == 0)
        n += snprintf(out + n, 80 - (size_t)n, "loose%u", k / 32 % 3);
    else
        n += snprintf(out + n, 80 - (size_t)n, "patient%u/study%u", k / 32 % 3, k / 96 % 2);
    if (!study)
        snprintf(out + n, 80 - (size_t)n, "/view%u.jpg", k / 192 % 2);
}

/* Distinct paths; returns how many. */
static size_t draw_paths(char path[MOST][80], size_t n, int study)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        int known = 0;
        draw_path(path[count], study);
        for (size_t k = 0; k < count; k++)
            known |= strcmp(path[k], path[count]) == 0;
        count += !known;
    }
    return count;
}

/* The part of a path that tells an image, or with `study` its study, apart: all of it, and from the patient's folder on. */
static void parts_of(const char *path, int is_study, int study, char whole[80], char end[80])
{
    const char *patient = strstr(path, "patient"), *file = strrchr(path, '/');
    snprintf(whole, 80, "%s", path);
    if (study && !is_study && patient && file)
        whole[file - path] = 0;
    snprintf(end, 80, "%s", patient ? whole + (patient - path) : whole);
}

/* The row of one image, -1: none, -2: two fit alike; of a table of images over labels a row a study the scores' largest. */
static int fits(char row[MOST][80], size_t rows, int row_study, const char *image, int image_study, double score[TASKS])
{
    char whole[80], end[80], chosen[80] = "";
    int study = row_study || image_study, found = -1, exact = 0;
    parts_of(image, image_study, study, whole, end);
    for (size_t i = 0; i < rows; i++) {
        char other[80], other_end[80];
        parts_of(row[i], row_study, study, other, other_end);
        exact |= strcmp(other, whole) == 0;
    }
    for (size_t i = 0; i < rows; i++) {
        char other[80], other_end[80];
        parts_of(row[i], row_study, study, other, other_end);
        if (exact ? strcmp(other, whole) != 0 : strcmp(other_end, end) != 0)
            continue;
        if (found >= 0 && strcmp(chosen, other) != 0)
            return -2;
        snprintf(chosen, sizeof chosen, "%s", other);
        for (int k = 0; k < TASKS; k++) {
            double value = (double)((i + 1) * (size_t)(k + 1) % 7);
            score[k] = found < 0 || value > score[k] ? value : score[k];
        }
        found = (int)i;
    }
    return found;
}

static void write_tables(char row[MOST][80], size_t rows, int row_study, char image[MOST][80], size_t images,
                         int image_study)
{
    tx_buffer p = {0}, l = {0};
    tx_buffer_add(&p, "Other,B,%s,A\n", row_study ? "Study" : "Path");
    for (size_t i = 0; i < rows; i++)
        tx_buffer_add(&p, "x,%zu,%s,%zu\n", (i + 1) * 2 % 7, row[i], (i + 1) % 7);
    tx_buffer_add(&l, "%s,A,B\n", image_study ? "Study" : "Path");
    for (size_t i = 0; i < images; i++)
        tx_buffer_add(&l, "%s,1,0\n", image[i]);
    tx_buffer_write(&p, temp_path("scores.csv"));
    tx_buffer_write(&l, temp_path("test.csv"));
    tx_buffer_free(&p);
    tx_buffer_free(&l);
}

static tx_status read_all(prediction_table *t, const tx_dataset *d, double *score, unsigned char *present,
                          prediction_fit *fit)
{
    static const int column[TASKS] = {3, 1};
    tx_status status = prediction_table_open(t, temp_path("scores.csv"));
    if (status == TX_OK)
        status = prediction_table_read(t, column, TASKS);
    return status ? status : prediction_table_fit(t, d, score, present, fit);
}

static void compare(int row_study, int image_study)
{
    static char row[MOST][80], image[MOST][80];
    const tx_dataset_options how = {.studies = 1};
    size_t rows = draw_paths(row, 1 + temp_random() % MOST, row_study);
    size_t images = draw_paths(image, 1 + temp_random() % MOST, image_study);
    write_tables(row, rows, row_study, image, images, image_study);
    tx_dataset *d = tx_dataset_open(temp_folder, "test", &how);
    prediction_table t;
    prediction_fit fit;
    double score[MOST * TASKS], wanted[MOST][TASKS];
    unsigned char present[MOST];
    int of[MOST], alike = 0;
    size_t missing = 0;
    for (size_t i = 0; i < images; i++) {
        of[i] = fits(row, rows, row_study, image[i], image_study, wanted[i]);
        alike |= of[i] == -2;
        missing += of[i] == -1;
    }
    CHECK(d != NULL, "%s", tx_error_message());
    if (!d)
        return;
    tx_status status = read_all(&t, d, score, present, &fit);
    if (alike || missing == images) {
        CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), alike ? "may both be" : "none of its"),
              "status %d: %s", (int)status, tx_error_message());
    } else {
        CHECK(status == TX_OK && fit.missing == missing, "%zu missing, expected %zu: %s", fit.missing, missing,
              status ? tx_error_message() : "");
        for (size_t i = 0; status == TX_OK && i < images; i++)
            CHECK(present[i] == (of[i] >= 0) &&
                      (of[i] < 0 || (score[i * TASKS] == wanted[i][0] && score[i * TASKS + 1] == wanted[i][1])),
                  "'%s' (%d, %d): %d, %g %g", image[i], row_study, image_study, present[i], score[i * TASKS],
                  score[i * TASKS + 1]);
    }
    prediction_table_free(&t);
    tx_dataset_free(d);
}

static void allocations(void)
{
    static char row[MOST][80], image[MOST][80];
    size_t rows = draw_paths(row, MOST, 0);
    memcpy(image, row, sizeof image);
    write_tables(row, rows, 0, image, rows, 0);
    tx_dataset *d = tx_dataset_open(temp_folder, "test", NULL);
    CHECK(d != NULL, "%s", tx_error_message());
    for (long n = 0; d && n < 200; n++) {
        prediction_table t;
        prediction_fit fit;
        double score[MOST * TASKS];
        unsigned char present[MOST];
        long live = tx_alloc_live();
        tx_alloc_fail_after(n);
        tx_status status = read_all(&t, d, score, present, &fit);
        tx_alloc_fail_after(-1);
        prediction_table_free(&t);
        CHECK(tx_alloc_live() == live, "allocation %ld fails: %ld left", n, tx_alloc_live() - live);
        if (status == TX_OK) {
            CHECK(n > 10, "few allocations: %ld", n);
            break;
        }
        CHECK(status == TX_ERR_MEMORY, "allocation %ld fails: status %d, %s", n, (int)status, tx_error_message());
    }
    tx_dataset_free(d);
}

int main(void)
{
    CHECK(temp_begin(), "no folder for files");
    for (int i = 0; i < 200; i++)
        compare(i % 2, i / 2 % 2);
    allocations();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_predictions");
}
