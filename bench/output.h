/* output.h - what the commands print: numbers, growing texts, one line of JSON, messages that wait until work
 * begins. Private to bench. */
#ifndef THORAX_BENCH_OUTPUT_H
#define THORAX_BENCH_OUTPUT_H

#include "../io/io.h"

/* The shortest decimal that reads back as the same double; nan, inf. out needs TX_NUMBER bytes. Returns out. */
const char *format_real(char *out, size_t size, double value);

/* A text that grows. The first failure stays, so a page is written without a check a line. */
typedef struct page {
    char *data; /* ends in a zero; NULL while empty */
    size_t length, capacity;
    tx_status status;
} page;
void page_add(page *t, const char *format, ...) TX_PRINTF(2, 3); /* at most 2047 bytes a call */
void page_append(page *t, const char *string);
/* With the characters that mean something in HTML and SVG replaced. */
void page_html(page *t, const char *string);
/* As one CSV field, in quotes where it must be (RFC 4180). */
void page_csv(page *t, const char *string);
void page_free(page *t);
/* Writes it as a file, in full or not at all. */
tx_status page_write(const page *t, const char *path);

/* One JSON object on one line of standard output. Keys are NULL within arrays. */
typedef struct json {
    int started; /* something stands before in this object or array */
} json;
void json_open(json *j, const char *key, char bracket);        /* '{' or '[' */
void json_close(json *j, char bracket);                        /* '}' or ']' */
void json_string(json *j, const char *key, const char *value); /* NULL: null */
void json_real(json *j, const char *key, double value);        /* not finite: null */
void json_whole(json *j, const char *key, long long value);
void json_end(void); /* the line's end */

/* Messages on standard error. A command that fails before its work begins prints one line alone, so what is said
 * before work_begins() waits for it. quiet: nothing is said at all. */
void say_quietly(int quiet);
void say(const char *format, ...) TX_PRINTF(1, 2);
void say_lines(const char *lines); /* each that ends in a newline */
void work_begins(void);

/* Flushes standard output: EXIT_DONE, or a line that it could not be written and EXIT_FAILED. */
int output_done(void);

#endif
