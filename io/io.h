/* io.h - everything that enters or leaves as a file: images, tables, weights, logs; and the batches made of them.
 *
 * Nothing read here is trusted: every length is checked before it is used, and a bad file gives an error that names the
 * file and the line or byte. Nothing written here stays half-written under its final name. The locale changes
 * nothing, and bytes on disk are little-endian on every machine.
 */
#ifndef THORAX_IO_H
#define THORAX_IO_H

#include <stdio.h>

#include "../core/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------------------------------- numbers
 * Between numbers and text, independent of locale and libc. */
enum { TX_NUMBER = 32 }; /* room for any number of at most 17 significant digits */

/* As printf's %.{digits}g, digits 1..17, and "nan", "inf", "-inf"; rounded correctly, ties to even. Returns out. */
const char *tx_number_print(char *out, size_t size, double value, int digits);
/* As printf's %.{decimals}f; falls back to tx_number_print with nine digits where that does not fit. Returns out. */
const char *tx_number_fixed(char *out, size_t size, double value, int decimals);
/* The whole text as one finite decimal number, rounded correctly to double; -1 if it is none (or too large). */
int tx_number_parse(const char *text, double *value);
/* The whole text as one decimal integer; -1 if it is none or does not fit. */
int tx_integer_parse(const char *text, int64_t *value);

/* ------------------------------------------------------------------------------------------- files */
/* Reads a whole file of at most `limit` bytes. *data is the caller's; a zero follows the last byte. */
tx_status tx_file_read(const char *path, size_t limit, unsigned char **data, size_t *bytes);
int tx_path_exists(const char *path);
/* FOLDER/NAME, the caller's; NULL without memory. */
char *tx_path_join(const char *folder, const char *name);
/* Makes a folder and those above it; one that is there already is no error. */
tx_status tx_folder_make(const char *path);
/* Names in a folder, sorted by their bytes, without "." and "..". tx_folder_names_free frees them. */
tx_status tx_folder_list(const char *path, char ***names, size_t *count);
void tx_folder_names_free(char **names, size_t count);
/* Removes what writers that were killed left in a folder (NAME.tmp.PID). For whoever holds the folder's lock. */
tx_status tx_folder_sweep(const char *path);

/* Writes a file in full or not at all: into NAME.tmp.PID, then fsync, rename, fsync of the folder. The first error
 * stays: later writes do nothing, and commit returns it. An existing file that is not a regular one is refused. */
typedef struct tx_writer tx_writer;
tx_writer *tx_writer_open(const char *path); /* NULL: an error is stored */
tx_status tx_writer_bytes(tx_writer *writer, const void *data, size_t bytes);
tx_status tx_writer_text(tx_writer *writer, const char *text);
tx_status tx_writer_format(tx_writer *writer, const char *format, ...) TX_PRINTF(2, 3); /* at most 4095 bytes a call */
/* Text as one CSV field: in quotes where it must be (RFC 4180). */
tx_status tx_writer_csv(tx_writer *writer, const char *text);
/* Text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
tx_status tx_writer_json(tx_writer *writer, const char *text);
/* Both free the writer. After an error, or abort, what stood under the final name still does. writer may be NULL. */
tx_status tx_writer_commit(tx_writer *writer);
void tx_writer_abort(tx_writer *writer);

/* A table that grows by whole lines. A line that cannot be written in full is taken back. */
typedef struct tx_log tx_log;
#define TX_LOG_ALL UINT64_MAX
/* Opens or makes the file and cuts it to its first `keep` bytes (TX_LOG_ALL: to its last whole line), so that a
 * resumed run goes on where its state was saved. A file shorter than that is an error. */
tx_log *tx_log_open(const char *path, uint64_t keep);
/* Appends text, which ends in a newline. */
tx_status tx_log_add(tx_log *log, const char *text);
/* Bytes so far: what `keep` wants. */
uint64_t tx_log_bytes(const tx_log *log);
tx_status tx_log_sync(tx_log *log);
void tx_log_close(tx_log *log);

/* An fcntl write lock on a file (made if absent), which the system takes back when the process ends, however it ends.
 * Locks are the process's: a second one on the same file from the same process is granted, and closing either ends both. */
typedef struct tx_lock tx_lock;
/* *lock is NULL, with TX_OK, if another process holds it; with `wait` that happens only after a signal. */
tx_status tx_lock_take(const char *path, int wait, tx_lock **lock);
void tx_lock_release(tx_lock *lock);

/* ---------------------------------------------------------------------------------------- CSV tables
 * RFC 4180, read row by row in constant memory. LF is accepted beside CRLF, a UTF-8 byte order mark is skipped, empty
 * lines are passed over; a NUL, a lone CR, a quote inside an unquoted field and text behind a closing quote are errors. */
typedef struct tx_csv tx_csv;
enum { TX_CSV_ROW = 1 << 20, TX_CSV_FIELDS = 4096 }; /* largest row in bytes, and in fields */
tx_csv *tx_csv_open(const char *path);
/* 1 and the row's fields (valid until the next call), 0 at the end, or a tx_status. */
int tx_csv_next(tx_csv *csv, char ***field, size_t *fields);
/* The line on which the last row began, from 1. */
size_t tx_csv_line(const tx_csv *csv);
void tx_csv_close(tx_csv *csv);

/* -------------------------------------------------------------------------------------------- JSON
 * A strict pull parser (RFC 8259) over text in memory, without allocations: tokens come one by one. Depth is limited,
 * text must be UTF-8, U+0000 and lone surrogates are refused. Doubled keys are the reader's matter. */
typedef enum tx_json_token {
    TX_JSON_ERROR = -1, /* the message is stored; it stays */
    TX_JSON_END = 0,    /* the value is complete, only blanks followed */
    TX_JSON_OBJECT,
    TX_JSON_OBJECT_END,
    TX_JSON_ARRAY,
    TX_JSON_ARRAY_END,
    TX_JSON_KEY,
    TX_JSON_STRING,
    TX_JSON_NUMBER,
    TX_JSON_TRUE,
    TX_JSON_FALSE,
    TX_JSON_NULL
} tx_json_token;
enum { TX_JSON_DEPTH = 32 };
typedef struct tx_json {
    char *text; /* decoded in place: strings stay valid as long as it does */
    size_t bytes, at;
    int depth;
    uint32_t arrays; /* bit d: the container at depth d is an array */
    int expect;
    char *string;    /* of the last key, string or number, ended by a zero */
    size_t length;
} tx_json;
/* text has room for bytes + 1: a zero is put behind it. */
void tx_json_begin(tx_json *json, char *text, size_t bytes);
tx_json_token tx_json_next(tx_json *json);

/* --------------------------------------------------------------------------------------- CheXpert
 * DIR/SPLIT.csv with the columns Path, Sex, Age, Frontal/Lateral, AP/PA, found by name in any order; every further
 * column is a task. */
typedef enum tx_uncertain { TX_UNCERTAIN_IGNORE, TX_UNCERTAIN_ZEROS, TX_UNCERTAIN_ONES } tx_uncertain;
typedef enum tx_blank { TX_BLANK_ZEROS, TX_BLANK_IGNORE } tx_blank;
typedef enum tx_views { TX_VIEWS_ALL, TX_VIEWS_FRONTAL, TX_VIEWS_LATERAL } tx_views;

typedef struct tx_dataset_options {
    const char *tasks;      /* NULL or "all": in file order; "competition"; or names with commas between */
    tx_uncertain uncertain; /* what -1.0 means */
    tx_blank blank;         /* what an empty cell means */
    tx_views views;
    size_t limit; /* the first images alone; 0: all */
} tx_dataset_options;

typedef struct tx_label_counts {
    size_t positive, negative, uncertain, blank; /* cells as they stand in the file */
} tx_label_counts;

typedef struct tx_dataset {
    char *folder, *file; /* DIR, DIR/SPLIT.csv */
    size_t images;
    int tasks;
    char **task;
    char *task_names; /* with commas between: what options.tasks of another split wants */
    char **path;      /* an image: as it stands in the file */
    unsigned char *frontal;
    signed char *label;       /* images x tasks: 1, 0, -1 masked */
    tx_label_counts *counts;  /* a task */
    uint32_t *study, *patient; /* an image: groups numbered as they first appear */
    size_t studies, patients;
    char **study_name; /* the Path before its last '/' */
    char **patient_name; /* the last folder of that but one, e.g. patient00001 */
    struct tx_dataset_text *text;
} tx_dataset;

/* NULL: an error is stored, naming file, line, column, what was found and what was expected. */
tx_dataset *tx_dataset_open(const char *folder, const char *split, const tx_dataset_options *options);
void tx_dataset_free(tx_dataset *dataset);
/* Where image i lies: its Path as it stands, else below the folder from its train/, valid/ or test/ part on. The
 * caller's; NULL without memory. Whether there is a file is found out by reading it. */
char *tx_dataset_file(const tx_dataset *dataset, size_t i);
/* Labels and masks (n x tasks) of the images index[0..n): a masked label is 0. Either may be NULL. */
void tx_dataset_targets(const tx_dataset *dataset, const uint32_t *index, size_t n, float *label, float *mask);

/* ------------------------------------------------------------------------------------------- images */

/* ----------------------------------------------------------------------------------------- batches */

/* -------------------------------------------------------------------------------------- safetensors */

/* ---------------------------------------------------------------------------------------- progress */

#ifdef __cplusplus
}
#endif
#endif
