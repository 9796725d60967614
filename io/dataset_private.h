/* dataset_private.h - what the files that read a table of images share among themselves. */
#ifndef THORAX_IO_DATASET_PRIVATE_H
#define THORAX_IO_DATASET_PRIVATE_H

#include "io_private.h"

/* --------------------------------------------------------------------- many strings: dataset_text.c */
/* Strings that live as long as the dataset, in large blocks: an allocation a string would double the memory. */
typedef struct tx_dataset_text tx_dataset_text;
tx_dataset_text *tx_text_new(void);
void tx_text_free(tx_dataset_text *text);
/* A copy of from[0..n), a zero behind it; NULL without memory. */
char *tx_text_keep(tx_dataset_text *text, const char *from, size_t n);

/* FNV-1a, 64 bits (Fowler, Noll, Vo), its halves folded. */
uint64_t tx_text_hash(const char *text, size_t n);

/* Names numbered as they first appear. */
typedef struct tx_names {
    char **name;
    size_t count, room;
    uint32_t *slot; /* open addressing: the number + 1, or 0 */
    size_t slots;   /* a power of two, at least twice count */
} tx_names;
/* The number of the name text[0..n), which need not end in a zero; a new one is kept. */
tx_status tx_names_number(tx_names *names, tx_dataset_text *text, const char *name, size_t n, uint32_t *number);

/* ------------------------------------------------------------------------------- a table being read */
enum { TX_PATH, TX_SEX, TX_AGE, TX_SIDE, TX_PROJECTION, TX_FIXED_COLUMNS };

typedef struct tx_reading {
    tx_dataset *data;
    const tx_dataset_options *options;
    tx_csv *csv;
    char name[TX_TEXT]; /* the file's, for messages */
    char **column;      /* the header's names */
    size_t columns;
    size_t fixed[TX_FIXED_COLUMNS]; /* where each stands; columns: nowhere */
    size_t *task_column;            /* a task */
    tx_uncertain *uncertain;        /* a task */
    size_t rows, path_room, view_room, label_room, study_room, patient_room;
    tx_names studies, patients;
} tx_reading;

/* Rows and cells: dataset_cells.c. */
/* The next row of the table: 1 and as many fields as the header has, 0 at the end, or a tx_status. */
int tx_reading_row(const tx_reading *r, tx_csv *csv, char ***field);
/* "FILE:LINE: column 'X': found 'Y', expected Z". */
tx_status tx_reading_bad_cell(const tx_reading *r, size_t column, const char *found, const char *expected);
enum { TX_CELL_UNCERTAIN = -1, TX_CELL_NEGATIVE, TX_CELL_POSITIVE, TX_CELL_BLANK, TX_CELL_OTHER };
/* 1, 0 or -1, perhaps with a point and zeros behind it (-0 is 0); nothing, nan, NaN or NA; or anything else. */
int tx_cell_read(const char *text);
/* The label of one cell, 1, 0 or -1 (masked), counted; 2 if the cell is none. */
int tx_label_read(const tx_reading *r, int task, const char *cell);

/* Which columns are what: dataset_columns.c. Reads the header, then chooses the tasks and what is passed over. */
tx_status tx_columns_read(tx_reading *r);
tx_status tx_columns_choose(tx_reading *r);
/* What a message about a task that is no column ends with: see tx_nearest_hint. With `lists`, all and competition are
 * names, too. */
const char *tx_columns_nearest(const tx_reading *r, const char *typed, int lists, char out[TX_HINT]);

/* What options->uncertain says of each task: dataset_uncertain.c. */
tx_status tx_uncertain_resolve(tx_reading *r);

/* Where images are and whose they are: dataset_paths.c. */
/* TX_FRONTAL or TX_LATERAL where the file's name says one of them alone, else TX_VIEW_UNKNOWN. */
tx_image_view tx_path_view(const char *path);
/* Folders of the full-size download, CheXpert-v1.0 batch N (..), below `folder` or, if it is one of them, beside it.
 * tx_folder_names_free frees the list. */
tx_status tx_batch_folders(const char *folder, char ***list, size_t *count);
/* tx_dataset_table with that list. */
char *tx_batch_table(const char *folder, char *const *batch, size_t batches, const char *split);
/* tx_dataset_locate with that list. */
char *tx_batch_locate(const char *folder, char *const *batch, size_t batches, const char *path);

/* Fills dataset->note: dataset_compare.c. */
tx_status tx_task_notes(tx_dataset *d);

#endif
