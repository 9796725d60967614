/* io.h - everything that enters or leaves as a file: images, tables, weights, logs; and the batches made of them.
 *
 * Nothing read here is trusted: every length is checked before it is used, and a bad file gives an error that names
 * the file and the line or byte. Nothing written here stays half-written under its final name. The locale changes
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
/* The shortest decimal that reads back as the same double; nan, inf. out needs TX_NUMBER bytes. Returns out. */
const char *tx_number_shortest(char *out, size_t size, double value);
/* The whole text as one finite decimal number, rounded correctly to double; -1 if it is none (or too large). */
int tx_number_parse(const char *text, double *value);
/* The whole text as one decimal integer; -1 if it is none or does not fit. */
int tx_integer_parse(const char *text, int64_t *value);

/* ----------------------------------------------------------------------------------------- quoting
 * Text in the form in which a file holds it, handed to `give` piece by piece. */
typedef void tx_put(void *to, const void *bytes, size_t n);
/* As one CSV field: in quotes where it must be (RFC 4180). */
void tx_quote_csv(const char *text, tx_put *give, void *to);
/* As a JSON string with its quotes (RFC 8259); bytes that are no UTF-8 become U+FFFD. */
void tx_quote_json(const char *text, tx_put *give, void *to);

/* Which of the names is nearest to what was typed: by edit distance with neighbours exchanged counted once, letters'
 * case, blanks, underscores and dashes of no account. NULL if none is near; names of TX_NEAR_NAME bytes and more, their
 * zero included, are near to none. name gives the i-th of them, or NULL for one that does not count. */
enum { TX_NEAR_NAME = 40 };
typedef const char *tx_name_at(const void *context, int i);
const char *tx_nearest_name(const char *typed, int names, tx_name_at *name, const void *context);
/* What a message about an unknown name ends with: ", nearest is NAME", escaped, or nothing. Returns out. */
#define TX_HINT (TX_TEXT + 16)
const char *tx_nearest_hint(char out[TX_HINT], const char *typed, int names, tx_name_at *name, const void *context);

/* A text that grows. The first failure stays, so a page is written without a check a line. */
typedef struct tx_buffer {
    char *data; /* ends in a zero; NULL while empty */
    size_t length, capacity;
    tx_status status;
} tx_buffer;
void tx_buffer_add(tx_buffer *buffer, const char *format, ...) TX_PRINTF(2, 3); /* at most 2047 bytes a call */
void tx_buffer_append(tx_buffer *buffer, const char *text);
/* With the characters that mean something in HTML and SVG replaced. */
void tx_buffer_html(tx_buffer *buffer, const char *text);
void tx_buffer_csv(tx_buffer *buffer, const char *text);
/* Bytes as base64 (RFC 4648, section 4), without line breaks. */
void tx_buffer_base64(tx_buffer *buffer, const void *bytes, size_t size);
/* Frees the text and forgets the failure: the buffer is empty again. */
void tx_buffer_free(tx_buffer *buffer);
/* Writes it as a file, in full or not at all. */
tx_status tx_buffer_write(const tx_buffer *buffer, const char *path);

/* ------------------------------------------------------------------------------------------- files */
/* Reads a whole file of at most `limit` bytes. *data is the caller's; a zero follows the last byte. */
tx_status tx_file_read(const char *path, size_t limit, unsigned char **data, size_t *bytes);
/* Adds a file's bytes to a digest; an absent file is none of them. */
tx_status tx_sha256_file(tx_sha256 *s, const char *path);
/* Its first `limit` bytes; *bytes is how many there were. */
tx_status tx_sha256_file_start(tx_sha256 *s, const char *path, uint64_t limit, uint64_t *bytes);
/* What a file is by its first bytes, of which TX_FILE_LOOK tell all that can be told: "a PNG image", "a Git LFS pointer
 * ..", "an HTML page"; NULL if they are those of no known kind, as those of a table are. */
const char *tx_file_looks(const unsigned char *bytes, size_t size);
enum { TX_FILE_LOOK = 512 };
int tx_path_exists(const char *path);
/* What the path names, links followed. An error where that cannot be told just now. */
typedef enum tx_path_kind { TX_PATH_NONE, TX_PATH_FILE, TX_PATH_FOLDER, TX_PATH_OTHER } tx_path_kind;
tx_status tx_path_look(const char *path, tx_path_kind *kind);
/* FOLDER/NAME, the caller's; NULL without memory. */
char *tx_path_join(const char *folder, const char *name);
/* Makes a folder and those above it; one that is there already is no error. */
tx_status tx_folder_make(const char *path);
/* Names in a folder, sorted by their bytes, without "." and "..". tx_folder_names_free frees them. */
tx_status tx_folder_list(const char *path, char ***names, size_t *count);
void tx_folder_names_free(char **names, size_t count);
/* Removes what writers that were killed left in a folder (NAME.tmp.PID) of those names that are `ours` (NULL: of all).
 * For whoever holds the folder's lock. */
tx_status tx_folder_sweep(const char *path, int (*ours)(const char *name));

/* Writes a file in full or not at all: into NAME.tmp.PID, then fsync, rename, fsync of the folder. The first error
 * stays: later writes do nothing, and commit returns it. An existing file that is not a regular one is refused. */
typedef struct tx_writer tx_writer;
tx_writer *tx_writer_open(const char *path); /* NULL: an error is stored */
tx_status tx_writer_bytes(tx_writer *writer, const void *data, size_t bytes);
tx_status tx_writer_text(tx_writer *writer, const char *text);
/* At most 4095 bytes a call. */
tx_status tx_writer_format(tx_writer *writer, const char *format, ...) TX_PRINTF(2, 3);
tx_status tx_writer_csv(tx_writer *writer, const char *text);
tx_status tx_writer_json(tx_writer *writer, const char *text);
/* Both free the writer. After an error, or abort, what stood under the final name still does. writer may be NULL. */
tx_status tx_writer_commit(tx_writer *writer);
void tx_writer_abort(tx_writer *writer);

/* A table that grows by whole lines. A line that cannot be written in full is taken back. */
typedef struct tx_journal tx_journal;
#define TX_JOURNAL_ALL UINT64_MAX
/* Opens or makes the file and cuts it to its first `keep` bytes (TX_JOURNAL_ALL: to its last whole line), so that a
 * resumed run goes on where its state was saved. A file shorter than that is an error. */
tx_journal *tx_journal_open(const char *path, uint64_t keep);
/* Appends text, which ends in a newline. */
tx_status tx_journal_add(tx_journal *journal, const char *text);
/* Bytes so far: what `keep` wants. */
uint64_t tx_journal_bytes(const tx_journal *journal);
/* SHA-256 of these bytes; kept up as they are added, so it costs nothing. */
void tx_journal_digest(const tx_journal *journal, char hex[65]);
tx_status tx_journal_sync(tx_journal *journal);
void tx_journal_close(tx_journal *journal);

/* An fcntl write lock on a file (made if absent), which the system takes back when the process ends, however it ends.
 * Locks are the process's: a second one on the same file from the same process is granted, and releasing either ends
 * both. */
typedef struct tx_lock tx_lock;
/* *lock is NULL, with TX_OK, if another process holds it; with `wait` that happens only after a signal. Whoever holds
 * it may remove the file before the release: a lock on a file that has lost its name counts for nothing. */
tx_status tx_lock_take(const char *path, int wait, tx_lock **lock);
void tx_lock_release(tx_lock *lock);

/* ---------------------------------------------------------------------------------------- CSV tables
 * RFC 4180, read row by row in constant memory. LF is accepted beside CRLF, a UTF-8 byte order mark is skipped, empty
 * lines are passed over; a NUL, a lone CR, a quote inside an unquoted field and text behind a closing quote are
 * errors. */
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
    char *string; /* of the last key, string or number, ended by a zero */
    size_t length;
} tx_json;
/* text has room for bytes + 1: a zero is put behind it. */
void tx_json_begin(tx_json *json, char *text, size_t bytes);
tx_json_token tx_json_next(tx_json *json);

/* --------------------------------------------------------------------------------------- CheXpert
 * A split: the rows of DIR/SPLIT.csv, an image each. Columns are found by name in any order, and only Path and one task are
 * needed. Sex, Age, Frontal/Lateral and AP/PA are no tasks; CheXpert's observations always are; where a table has none of
 * those, every other column whose cells are labels or blank, and not all blank. A label is 1, 0 or -1, perhaps with zeros
 * behind a point (-0.0 is 0); nothing, nan, NaN and NA are blank. */
enum { TX_OBSERVATIONS = 14 };
/* CheXpert's observations (Irvin et al., 2019) in its order. */
extern const char *const tx_observation[TX_OBSERVATIONS];
/* What "competition" means, with commas between. */
extern const char tx_competition_tasks[];

typedef enum tx_uncertain { TX_UNCERTAIN_IGNORE, TX_UNCERTAIN_ZEROS, TX_UNCERTAIN_ONES } tx_uncertain;
typedef enum tx_blank { TX_BLANK_ZEROS, TX_BLANK_IGNORE } tx_blank;
typedef enum tx_views { TX_VIEWS_ALL, TX_VIEWS_FRONTAL, TX_VIEWS_LATERAL } tx_views;

typedef struct tx_dataset_options {
    /* NULL or "all": the observations, else the label columns, in the table's order; "competition"; any columns but Path,
     * their names with commas between; or "", none */
    const char *tasks;
    /* What -1 means: "ignore" (or NULL), "zeros", "ones"; and of single tasks, as in "ignore,ones:Atelectasis+Edema" */
    const char *uncertain;
    tx_blank blank; /* what an empty cell means */
    tx_views views; /* an image of unknown view is neither frontal nor lateral */
    size_t limit;   /* the first images alone; 0: all */
    int studies;    /* a table may have Study in the place of Path: a row a study, without images */
} tx_dataset_options;
/* Whether a text can stand for options.uncertain; the names in it are known with the table. */
tx_status tx_uncertain_check(const char *list);

typedef struct tx_label_counts {
    size_t positive, negative, uncertain, blank; /* cells as they stand in the file */
} tx_label_counts;

typedef enum tx_image_view { TX_LATERAL, TX_FRONTAL, TX_VIEW_UNKNOWN } tx_image_view;

/* What the labels of a task are, as the options have them; EMPTY: every cell is blank, whatever the options make of that. */
typedef enum tx_task_state {
    TX_TASK_BOTH,
    TX_TASK_EMPTY,
    TX_TASK_UNLABELLED, /* nothing but masked ones */
    TX_TASK_POSITIVE,   /* no negative */
    TX_TASK_NEGATIVE    /* no positive */
} tx_task_state;
typedef struct tx_task_note {
    tx_task_state state;
    int twin; /* of two TX_TASK_BOTH: the first task whose label is the same, or the opposite, in every image; else -1 */
    int opposite; /* the twin's is the opposite */
} tx_task_note;

typedef struct tx_passed_column {
    const char *name;
    size_t column; /* from 1 */
    int index;     /* pandas' numbers of the rows: no name, or Unnamed: N */
} tx_passed_column;

typedef struct tx_dataset {
    char *folder, *file; /* DIR, the table */
    size_t images;
    int study_rows; /* the table has Study in the place of Path: its rows stand here as images that cannot be read */
    int tasks;
    char **task;
    char *task_names;         /* with commas between: what options.tasks of another split wants */
    int observations;         /* how many of the fourteen the table has */
    tx_passed_column *passed; /* an index; and where all tasks are taken, further columns that are none */
    size_t passed_columns;
    char **path;               /* an image: as it stands in the file */
    unsigned char *view;       /* an image: tx_image_view */
    size_t unknown_views;      /* images that options.views left out as of unknown view */
    signed char *label;        /* images x tasks: 1, 0, -1 masked */
    tx_label_counts *counts;   /* a task */
    tx_task_note *note;        /* a task */
    uint32_t *study, *patient; /* an image: groups numbered as they first appear */
    size_t studies, patients;
    char **study_name; /* the Path before its last '/', where that ends in folders patient../study.. ; else all of it */
    char **patient_name; /* the folder patient.. above the study's, else the Path */
    size_t alone;        /* images in no such folders: a study and a patient each */
    char **batch;        /* folders of CheXpert's full-size download, below DIR or beside it */
    size_t batches;
    struct tx_dataset_text *text;
} tx_dataset;

/* NULL: an error is stored, naming file, line, column, what was found and what was expected. */
tx_dataset *tx_dataset_open(const char *folder, const char *split, const tx_dataset_options *options);
void tx_dataset_free(tx_dataset *dataset);
/* Where the table of a split is: DIR/SPLIT.csv, for test DIR/test_labels.csv where that is not there, or the same in a folder
 * of the full-size download. Where none is there, the first of them. The caller's; NULL without memory. */
char *tx_dataset_table(const char *folder, const char *split);
/* Where image i is: the first of its places where a file is; where none is, the last below DIR itself. The caller's; NULL
 * without memory. */
char *tx_dataset_file(const tx_dataset *dataset, size_t i);
/* The same for any path. */
char *tx_dataset_locate(const char *folder, const char *path);
/* All places of a path, as they are looked at: an absolute one as it stands; a relative one below DIR, then below DIR from each
 * of its parts train/, valid/ and test/ on, then in the folders of the full-size download. Never in the working directory.
 * tx_folder_names_free frees the list. */
tx_status tx_dataset_places(const tx_dataset *dataset, const char *path, char ***places, size_t *count);
/* Looks for the images from..to-1 on all threads: missing[i] is 1 where image i is in none of its places. */
tx_status tx_dataset_look(const tx_dataset *dataset, size_t from, size_t to, unsigned char *missing);
/* Images of b whose Path stands in a, or, where a is b, stands before them already: how many, and the first of them. */
tx_status tx_dataset_repeats(const tx_dataset *a, const tx_dataset *b, size_t *count, size_t *first);
/* Whose image a Path is by its folders, or, with `itself`, whose study: the study is path[0..study), the patient
 * path[patient..patient_end). known is 0, and both are the whole path, if it is in no folder patient../study.., or is none. */
typedef struct tx_path_groups {
    size_t study, patient, patient_end;
    int known;
} tx_path_groups;
tx_path_groups tx_path_group(const char *path, int itself);
/* Labels and masks (n x tasks) of the images index[0..n): a masked label is 0. Either may be NULL. */
tx_status tx_dataset_targets(const tx_dataset *dataset, const uint32_t *index, size_t n, float *label, float *mask);

/* ------------------------------------------------------------------------------------------- images
 * Eight bits a sample, rows top down, channels interleaved: 1 (grey) or 3 (red, green, blue). `pixels` has
 * width*height*channels bytes and is owned: tx_image_free. Where a function fails, *out is an empty image. */
typedef struct tx_image {
    int width, height, channels;
    unsigned char *pixels;
} tx_image;
/* A larger image is refused before memory is taken. */
#define TX_IMAGE_PIXELS ((size_t)1 << 28)

/* Decodes a file's bytes. JPEG (baseline, extended and progressive Huffman coding, 8 bits, 1 or 3 components) gives the
 * pixels of libjpeg-turbo's default decoder; more than 1000 scans are refused. PNG (all types and depths, interlaced too) and
 * PNM (P1 to P6) give Pillow's; PNG's samples of 16 bits become (v * 255 + 32895) >> 16, palettes and grey with alpha RGB, and
 * transparency is dropped. `name` stands in messages. */
tx_status tx_image_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out);
/* The same from a file. */
tx_status tx_image_read(const char *path, tx_image *out);
/* Size and channels by the file's headers alone; the image data is neither read nor checked. */
tx_status tx_image_header(const char *path, int *width, int *height, int *channels);
/* The name of the format that the bytes begin with, if tx_image_decode reads it, else NULL. */
const char *tx_image_format(const unsigned char *bytes, size_t size);
void tx_image_free(tx_image *image);
/* The image as a PNG file, grey or RGB: the same bytes on every machine; *bytes is the caller's. */
tx_status tx_png_encode(const tx_image *image, unsigned char **bytes, size_t *size);
/* .. written in full or not at all. */
tx_status tx_png_write(const char *path, const tx_image *image);
/* rows x columns floats as a file of NumPy's, .npy 1.0, little-endian, row by row. */
tx_status tx_npy_write(const char *path, const float *values, int rows, int columns);

/* Pillow's filters; all but NEAREST are widened where an image is made smaller (antialiasing). */
typedef enum tx_interpolation { TX_NEAREST, TX_BOX, TX_BILINEAR, TX_HAMMING, TX_BICUBIC, TX_LANCZOS } tx_interpolation;
/* A new image of width x height with the bytes of Pillow's Image.resize. `in` and `out` are different images. */
tx_status tx_image_resize(const tx_image *in, int width, int height, tx_interpolation filter, tx_image *out);

/* ----------------------------------------------------------------------------------------- batches
 * From a file to what the network reads: decode, resize, crop, pixel / 255, (v - mean) / std, three channels (a grey
 * image feeds all three) or one. One table of 256 floats a channel holds float((v / 255.0 - mean) / std), computed in
 * double. For one channel a coloured image becomes grey before it is resized: (19595 R + 38470 G + 7471 B + 2^15) >> 16, as
 * Pillow's convert("L"); with xrv its red, as TorchXRayVision's load_image. */
typedef struct tx_normalize {
    double mean[3], std[3];
    int xrv; /* the table holds (2 * (v / 255) - 1) * 1024 in floats, TorchXRayVision's pixels of -1024 to 1024 */
} tx_normalize;
/* imagenet, chexpert, half, xrv, none, or "M,M,M/S,S,S"; M is finite, S above 0. */
tx_status tx_normalize_parse(const char *text, tx_normalize *out);

typedef struct tx_preprocess {
    int size;     /* side of the square that the network sees */
    int channels; /* 3 or 1; 0: 3. One has one mean and one deviation: the three are equal */
    /* 0: the shorter side to `shorter`, the longer to floor(shorter * long / short), then a crop; 1: both sides to size */
    int stretch;
    int shorter; /* size or more; 0: size */
    tx_interpolation interpolation;
    tx_normalize normalize;
} tx_preprocess;
/* short, short=N or stretch: sets how->stretch and how->shorter. */
tx_status tx_resize_parse(const char *text, tx_preprocess *how);
/* Where the network looks: the image's size after resizing, the upper left corner of the square within it, and the image's
 * size before. */
typedef struct tx_framing {
    int width, height, left, top;
    int image_width, image_height;
} tx_framing;
enum { TX_SIZE_MAX = 16384 };
/* The framing of an image of width x height with a centred crop: (n - size) / 2, rounded half to even. */
tx_status tx_preprocess_frame(const tx_preprocess *how, int width, int height, tx_framing *framing);
/* TX_ERR_ARGUMENT where no image can come of it. */
tx_status tx_preprocess_check(const tx_preprocess *how);
/* 3 or 1. */
int tx_preprocess_channels(const tx_preprocess *how);
/* One image with a centred crop: size * size * channels floats (H,W,C). framing may be NULL. */
tx_status tx_preprocess_file(const tx_preprocess *how, const char *path, float *pixels, tx_framing *framing);
/* The same, and the resized image that the crop is taken of: *picture is the caller's. */
tx_status tx_preprocess_picture(const tx_preprocess *how, const char *path, float *pixels, tx_framing *framing,
                                tx_image *picture);

/* The colour of t, 0..1, on a ramp from violet to yellow that rises in lightness; less is 0, more 1. */
void tx_heat_colour(double t, unsigned char rgb[3]);
/* A map's value at y, x, fractions of its height and width: bilinear between the centres of its cells, constant beyond the
 * outermost. */
double tx_map_at(const float *map, int rows, int columns, double y, double x);
/* A map over the square of `size` pixels that the framing has of a resized image: an RGB picture as large as the image, in
 * grey, over it colours that are stronger where a value is larger, from none at 0 and below to the map's maximum. What lies
 * beyond the square is darkened. Without a value above 0 there is no colour. *out is the caller's. */
tx_status tx_heat_overlay(const tx_image *image, const float *map, int rows, int columns, const tx_framing *framing,
                          int size, tx_image *out);

/* How training images are changed, each a function of seed, epoch and its place in the dataset alone (augment.c): 0 is not at
 * all. rotate: degrees, uniform in -rotate..rotate; the others factors 1 - x..1 + x. Turned and scaled images are 0 outside. */
typedef struct tx_augment {
    int flip;                    /* left and right change places in every second image */
    double rotate, scale;        /* at most 180; at most 0.9 */
    double brightness, contrast; /* at most 1 */
} tx_augment;
#define TX_AUGMENT_EXPECTED \
    "none, or with commas flip, rotate=DEG (to 180), scale=F (to 0.9), brightness=F, contrast=F (to 1), each once"
/* none, or a list as "flip,rotate=10,scale=0.1,brightness=0.1,contrast=0.2"; numbers are above 0. */
tx_status tx_augment_parse(const char *text, tx_augment *out);
/* The one spelling of it, of less than TX_AUGMENT_TEXT bytes. Returns out. */
enum { TX_AUGMENT_TEXT = 192 };
const char *tx_augment_print(const tx_augment *augment, char *out, size_t size);

/* Makes batches of a dataset's images, on all threads: a function of the files, the options and the epoch alone. */
typedef struct tx_loader tx_loader;
#define TX_LOADER_CACHE ((size_t)512 << 20)
typedef struct tx_loader_options {
    tx_preprocess preprocess;
    int training; /* 1: a random crop, drawn by (seed, TX_RANDOM_CROP, epoch, 2 * image), the row by 2 * image + 1 */
    tx_augment augment; /* in training */
    uint64_t seed;
    int skip_bad; /* 1: an image that cannot be read is left out of its batch; 0: it is an error */
    size_t cache; /* bytes of resized images to keep, so that they are decoded once; 0: TX_LOADER_CACHE */
    /* What each image of the dataset was when it was read: 0 not yet, TX_IMAGE_BAD, or the checksum of its file (tx_checksum; 2 more where that is 0 or 1).
     * The loader writes it, and one that is something else when it is read again fails (TX_ERR_FILE), with skip_bad too. The
     * caller's, who may keep it from one loader to the next; NULL: nothing is compared. */
    uint64_t *seen;
} tx_loader_options;
#define TX_IMAGE_BAD ((uint64_t)1)
/* The dataset must outlive the loader. */
tx_loader *tx_loader_new(const tx_dataset *dataset, const tx_loader_options *options);
void tx_loader_free(tx_loader *loader);
/* Pixels (n,size,size,channels) of the images index[0..n). kept[0..*count) are those that the batch holds, in order; kept may
 * be index itself. *count < n only with skip_bad. Of several bad images the first in the batch is the one reported. */
tx_status tx_loader_batch(tx_loader *loader, uint64_t epoch, const uint32_t *index, size_t n, float *pixels,
                          uint32_t *kept, size_t *count);
/* Why image i was left out so far, or NULL. */
const char *tx_loader_bad(const tx_loader *loader, size_t i);
/* Bytes that the cache holds. */
size_t tx_loader_cached(const tx_loader *loader);

/* -------------------------------------------------------------------------------------- safetensors
 * 8 bytes of little-endian header length, a JSON header, then the tensors' bytes, without a hole or an overlap. */
typedef enum tx_dtype {
    TX_F64,
    TX_F32,
    TX_F16,
    TX_BF16,
    TX_I64,
    TX_I32,
    TX_I16,
    TX_I8,
    TX_U64,
    TX_U32,
    TX_U16,
    TX_U8,
    TX_BOOL,
    TX_F8_E4M3,
    TX_F8_E5M2
} tx_dtype;
const char *tx_dtype_name(tx_dtype dtype); /* as the file spells it */
size_t tx_dtype_bytes(tx_dtype dtype);

enum { TX_STORED_DIMS = 8 };
typedef struct tx_stored {
    const char *name;
    tx_dtype dtype;
    int dims;
    size_t shape[TX_STORED_DIMS];
    size_t count;      /* elements */
    uint64_t from, to; /* bytes behind the header */
} tx_stored;
typedef struct tx_pair {
    const char *key, *value;
} tx_pair;

typedef struct tx_safetensors tx_safetensors;
/* Reads and checks the header; NULL: an error is stored. PyTorch's own files are refused by name. */
tx_safetensors *tx_safetensors_open(const char *path);
void tx_safetensors_close(tx_safetensors *file);
size_t tx_safetensors_count(const tx_safetensors *file);
/* Tensor i, in the header's order. */
const tx_stored *tx_safetensors_at(const tx_safetensors *file, size_t i);
/* The tensor of that name, or NULL. */
const tx_stored *tx_safetensors_find(const tx_safetensors *file, const char *name);
/* A tensor of floating point numbers as floats: F16 and BF16 exactly, F64 rounded once. */
tx_status tx_safetensors_floats(tx_safetensors *file, const tx_stored *tensor, float *out);
/* A tensor of integers; U64 must fit. */
tx_status tx_safetensors_integers(tx_safetensors *file, const tx_stored *tensor, int64_t *out);
/* A tensor's bytes as they stand in the file. */
tx_status tx_safetensors_raw(tx_safetensors *file, const tx_stored *tensor, unsigned char *out);
/* Whether the file's bytes are those that it was sealed with: TX_ERR_FORMAT if one has changed, or without a seal. */
tx_status tx_safetensors_check(tx_safetensors *file);
/* The string of that key in __metadata__, or NULL; and all of them. */
const char *tx_safetensors_meta(const tx_safetensors *file, const char *key);
const tx_pair *tx_safetensors_metas(const tx_safetensors *file, size_t *count);

/* Writes a file through a tx_writer. The header lists metadata and tensors in the order in which they were put; the
 * data of wider elements comes first, so that each is aligned. The first error stays; finish returns it. */
typedef struct tx_safetensors_writer tx_safetensors_writer;
/* Writes the tensor's elements to out, in the machine's byte order; called by finish, `tensor` counts puts from 0. */
typedef tx_status tx_stored_fill(void *context, size_t tensor, void *out);
tx_safetensors_writer *tx_safetensors_create(const char *path);
tx_status tx_safetensors_put_meta(tx_safetensors_writer *writer, const char *key, const char *value);
/* data must stay until finish. */
tx_status tx_safetensors_put(tx_safetensors_writer *writer, const char *name, tx_dtype dtype, int dims,
                             const size_t *shape, const void *data);
/* The same with the data made only when it is written, so that one buffer serves all. */
tx_status tx_safetensors_put_later(tx_safetensors_writer *writer, const char *name, tx_dtype dtype, int dims,
                                   const size_t *shape, tx_stored_fill *fill, void *context);
/* Puts a digest of all that the file holds into its metadata, as `seal`; finish writes it to `seal` too. Metadata that
 * are put before it stand before it. */
tx_status tx_safetensors_put_seal(tx_safetensors_writer *writer, char seal[65]);
/* Both free the writer, which may be NULL. */
tx_status tx_safetensors_finish(tx_safetensors_writer *writer);
void tx_safetensors_abandon(tx_safetensors_writer *writer);

/* ------------------------------------------------------------------------------------- tensor files
 * An opened file of named tensors, of whichever kind its contents say: safetensors, or what PyTorch's torch.save wrote. */
typedef struct tx_tensor_file tx_tensor_file;
/* NULL: an error is stored. */
tx_tensor_file *tx_tensor_file_open(const char *path);
void tx_tensor_file_close(tx_tensor_file *file);
/* The path as messages have it: escaped and cut. */
const char *tx_tensor_file_name(const tx_tensor_file *file);
/* These do as those of tx_safetensors; tensors stand in the file's order, in one array. */
size_t tx_tensor_file_count(const tx_tensor_file *file);
const tx_stored *tx_tensor_file_at(const tx_tensor_file *file, size_t i);
const tx_stored *tx_tensor_file_find(const tx_tensor_file *file, const char *name);
tx_status tx_tensor_file_floats(tx_tensor_file *file, const tx_stored *tensor, float *out);
tx_status tx_tensor_file_integers(tx_tensor_file *file, const tx_stored *tensor, int64_t *out);
const char *tx_tensor_file_meta(const tx_tensor_file *file, const char *key);
const tx_pair *tx_tensor_file_metas(const tx_tensor_file *file, size_t *count);
/* Of a whole pickled module its class ("torchxrayvision.models.DenseNet"), else NULL. */
const char *tx_tensor_file_class(const tx_tensor_file *file);
/* What a PyTorch file has beside its tensors, among the module's attributes or in the dict that was saved, under that name:
 * a tensor, which is then not one of those counted ("op_threshs"; where there is none, tx_tensor_file_find), or NULL; and
 * text i of a list of texts, numbers and truths ("targets"), or of one of them (i = 0), as Python prints it; NULL
 * behind the last, and where there is none. */
const tx_stored *tx_tensor_file_attribute(const tx_tensor_file *file, const char *name);
const char *tx_tensor_file_text(const tx_tensor_file *file, const char *key, size_t i);

/* ------------------------------------------------------------------------------------------ PyTorch
 * Writes a state_dict as torch.save does, so that torch.load takes it, also with weights_only: the tensors (names, types and
 * shapes alone are read; names differ) in their order, contiguous, through a tx_writer. fill is called for each, in order.
 * The bytes depend on these alone. At most 4 GiB, and no U64, U32, U16 or F8: TX_ERR_ARGUMENT. */
tx_status tx_torch_write(const char *path, const tx_stored *tensor, size_t tensors, tx_stored_fill *fill,
                         void *context);

/* -------------------------------------------------------------------------------------- checkpoints
 * Weights as a safetensors file with torchvision's names, shapes and orders, metadata `format` first. */
#define TX_CHECKPOINT_FORMAT "thorax 1"
tx_status tx_checkpoint_save(const char *path, const tx_weights *weights, const tx_pair *meta, size_t metas);
/* As which file weights are written. */
typedef struct tx_checkpoint_form {
    int torch; /* 1: a .pth of PyTorch's, which holds no metadata; 0: safetensors */
    /* What the file calls the tensor that the network calls `name`, a string that the writer gives to tx_free, and its dims,
     * where a linear layer's weight, 2, is to be a 1x1 convolution's, 4. NULL: the same. */
    tx_status (*called)(const void *context, const char *name, char **text, int *dims);
    const void *context;
} tx_checkpoint_form;
tx_status tx_checkpoint_write(const char *path, const tx_weights *weights, const tx_pair *meta, size_t metas,
                              const tx_checkpoint_form *form);

enum {
    TX_CHECKPOINT_NEW_HEAD = 1, /* the last linear layer stays as it is if the file's has another shape or is absent */
    TX_CHECKPOINT_EXTRA = 2,    /* tensors that the network does not have are passed over */
    TX_CHECKPOINT_PARTIAL = 4   /* they are, and what the file does not have stays as it is; something must agree */
};
typedef struct tx_checkpoint_report {
    const char *replaced; /* the graph's name of the last layer's weight if it stayed as it is, else NULL */
    const char *renamed; /* the graph's name of the last layer's weight if it was found by its shape alone, else NULL */
    size_t outputs_in_file;  /* rows of the file's, 0 if it is absent, */
    size_t features_in_file; /* and columns */
    size_t extra;            /* tensors passed over */
    char unmatched[480];     /* some of what did not agree, in words; "" */
} tx_checkpoint_report;
/* Other names that files have for tensors: other(context, name, k, &text) gives number k = 0, 1, .. of those of the tensor
 * called `name` in the network, a string that the reader gives to tx_free, NULL behind the last. */
typedef struct tx_checkpoint_names {
    tx_status (*other)(const void *context, const char *name, int k, char **text);
    const void *context;
    const char *const *beside; /* names, up to NULL, of tensors that are no weights and are passed over; may be NULL */
    const char *ignored;       /* tensors whose names begin so are passed over; may be NULL */
} tx_checkpoint_names;
/* 1 for a tensor that a reader passes over by its name. */
int tx_checkpoint_passes_over(const tx_checkpoint_names *names, const char *name);
/* The file's tensor for that name: by the first of its other names that the file has, else by its own; *tensor is NULL where
 * there is none. Where all names of the file begin with module., model., backbone. or _orig_mod., or with several of them,
 * the names are what follows. names may be NULL. */
tx_status tx_checkpoint_find(const tx_tensor_file *file, const tx_checkpoint_names *names, const char *name,
                             const tx_stored **tensor);
/* 1 where the tensor has the parameter's shape: for that of a linear layer, (out, in), also (out, in, 1, 1), a 1x1
 * convolution's; for a counter any of one element. */
int tx_checkpoint_same_shape(const tx_param *param, const tx_stored *tensor);
/* Names and shapes must agree, num_batches_tracked may be absent, and of any type; the error lists what does not. A last
 * layer of another name is found where one tensor alone is left that has its features and a bias. Nothing is changed before
 * all agree. Numbers that no sound weights have (nan, infinity, a running_var or num_batches_tracked below 0) are an error
 * that names tensor and place; after such an error, or one in reading, the weights are not to be used. names and report may
 * be NULL. */
tx_status tx_checkpoint_read(tx_tensor_file *file, tx_weights *weights, int flags, const tx_checkpoint_names *names,
                             tx_checkpoint_report *report);
/* The comparison alone. */
tx_status tx_checkpoint_compare(const tx_tensor_file *file, const tx_graph *graph, int flags,
                                const tx_checkpoint_names *names, tx_checkpoint_report *report);
/* The same from a path, by the network's own names alone. */
tx_status tx_checkpoint_load(const char *path, tx_weights *weights, int flags, tx_checkpoint_report *report);
/* TX_ERR_FORMAT if weights in memory hold such numbers; `what` stands for them in the message. */
tx_status tx_checkpoint_check(const tx_weights *weights, const char *what);

/* ---------------------------------------------------------------------------------------- progress
 * On a terminal a line as wide as that is at the moment, redrawn ten times a second: label, bar, counts, share, rate,
 * time left, note. What has no room as a whole is left out, the least telling first. Elsewhere, and where TERM is dumb,
 * plain lines, ten seconds apart at first, then ever further. */
typedef struct tx_progress {
    FILE *out; /* NULL: quiet */
    const char *label, *unit;
    size_t total, done, first;
    int terminal;
    size_t drawn; /* columns on the terminal's line */
    double began, shown, paused;
    double whole; /* see tx_progress_whole; 0: nobody said it */
} tx_progress;
/* done: where a resumed job stands already. label and unit ("images") are not copied. */
void tx_progress_begin(tx_progress *progress, FILE *out, const char *label, const char *unit, size_t total,
                       size_t done);
/* note may be NULL or a few words, e.g. the loss. */
void tx_progress_update(tx_progress *progress, size_t done, const char *note);
/* Of a part of something larger: that will end in so many seconds, which the line says instead of its own time left. */
void tx_progress_whole(tx_progress *progress, double seconds);
/* While other work is done the clock of rate and time left stands; the terminal's line is free for that work's own
 * progress. The next update draws the line again. */
void tx_progress_pause(tx_progress *progress);
void tx_progress_resume(tx_progress *progress);
/* Takes the line off a terminal, or writes one that stays, without the newline, in its place; the next update draws the
 * progress again. */
void tx_progress_clear(tx_progress *progress);
void tx_progress_say(tx_progress *progress, const char *line);
/* Draws the last state and ends the line. */
void tx_progress_end(tx_progress *progress, const char *note);
/* For work that failed: ends the line if a terminal has one, and says nothing. */
void tx_progress_stop(tx_progress *progress);
/* 0:07, 12:34 or 1:02:03. Returns out, which has at least TX_NUMBER bytes. */
const char *tx_duration(char out[TX_NUMBER], double seconds);

#ifdef __cplusplus
}
#endif
#endif
