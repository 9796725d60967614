/* prediction_table.h - a CSV of somebody's scores: a row an image (Path) or a study (Study), a column a task. Private to
 * bench. */
#ifndef THORAX_BENCH_PREDICTION_TABLE_H
#define THORAX_BENCH_PREDICTION_TABLE_H

#include "../io/io.h"

typedef struct prediction_row prediction_row;

typedef struct prediction_table {
    char *path;
    char name[TX_TEXT]; /* the path's, for messages */
    int study_rows;     /* Study stands in the place of Path */
    char **column;      /* names of the header; "" of the column of paths */
    int columns;
    size_t key; /* the column of paths */
    prediction_row *row;
    size_t rows;
    int tasks;
    double *score; /* rows x tasks */
} prediction_table;

/* Reads the header. `Path` goes before `Study`; without either, with a name twice or a file that is no table an error. To be
 * freed whatever this returns. */
tx_status prediction_table_open(prediction_table *t, const char *path);
/* Reads the rows: the scores of task k are finite numbers in column[k]. A path that stands twice is an error that names
 * both lines. */
tx_status prediction_table_read(prediction_table *t, const int *column, int tasks);

/* How the rows fit the images. */
typedef struct prediction_fit {
    size_t missing, first; /* images without a row, and the first of them */
    size_t other;          /* rows of no image */
} prediction_fit;
/* Gives each image of the data the scores of its row: of the same path, else of the same folders patient../study.. and file,
 * whatever stands before them. Rows of studies are each of all their images; of a table of labels a row a study, a study has
 * the largest scores of its images' rows. present[i] is 0, and the scores are not touched, where there is none. Two rows that
 * fit alike are an error that names them; no row that fits any image is one, too. */
tx_status prediction_table_fit(const prediction_table *t, const tx_dataset *d, double *score, unsigned char *present,
                               prediction_fit *fit);
void prediction_table_free(prediction_table *t);

#endif
