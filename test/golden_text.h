/* golden_text.h - a golden file as lines of blank-separated fields, and numbers that are checked as they are read. */
#ifndef THORAX_GOLDEN_TEXT_H
#define THORAX_GOLDEN_TEXT_H

#include "../core/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_line {
    int number; /* in the file, from 1 */
    int fields; /* at least 1 */
    char **field;
} text_line;

/* Comments and empty lines are left out. */
typedef struct text_file {
    char *bytes;
    char **field;
    text_line *line;
    size_t lines, line_room, fields, field_room;
} text_file;

static void text_free(text_file *file)
{
    tx_free(file->bytes);
    tx_free(file->field);
    tx_free(file->line);
    memset(file, 0, sizeof *file);
}

/* The whole file with a zero behind it; a zero byte within is an error. */
static tx_status text_load(const char *path, char **bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return tx_fail(TX_ERR_FILE, "cannot be opened");
    size_t used = 0, room = 0;
    char *text = NULL;
    tx_status status = TX_OK;
    for (size_t got = 1; got && status == TX_OK;) {
        status = tx_grow((void **)&text, &room, used + 65536, 1);
        if (status)
            break;
        got = fread(text + used, 1, room - used - 1, f);
        used += got;
    }
    if (status == TX_OK && ferror(f))
        status = tx_fail(TX_ERR_FILE, "cannot be read");
    fclose(f);
    if (status == TX_OK && memchr(text, 0, used))
        status = tx_fail(TX_ERR_FORMAT, "a zero byte at offset %zu", (size_t)((char *)memchr(text, 0, used) - text));
    if (status == TX_OK)
        text[used] = 0;
    *bytes = text;
    return status;
}

/* Cuts one line into fields in place. */
static tx_status text_split(text_file *file, char *line, int number)
{
    size_t first = file->fields;
    if (line[0] == '#')
        return TX_OK;
    for (char *p = strtok(line, " \t\r"); p; p = strtok(NULL, " \t\r")) {
        tx_status status = tx_grow((void **)&file->field, &file->field_room, file->fields + 1, sizeof *file->field);
        if (status)
            return status;
        file->field[file->fields++] = p;
    }
    if (file->fields == first)
        return TX_OK;
    tx_status status = tx_grow((void **)&file->line, &file->line_room, file->lines + 1, sizeof *file->line);
    if (status == TX_OK)
        file->line[file->lines++] = (text_line){number, (int)(file->fields - first), NULL};
    return status;
}

/* Takes the text over, cuts it up. The caller frees the file, also after an error. */
static tx_status text_parse(char *bytes, text_file *file)
{
    tx_status status = TX_OK;
    int number = 1;
    memset(file, 0, sizeof *file);
    file->bytes = bytes;
    for (char *line = bytes, *next; status == TX_OK && line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        status = text_split(file, line, number);
    }
    char **field = file->field; /* pointers only now: the array has stopped moving */
    for (size_t i = 0; i < file->lines; i++) {
        file->line[i].field = field;
        field += file->line[i].fields;
    }
    return status;
}

static tx_status text_read(const char *path, text_file *file)
{
    char *bytes = NULL;
    tx_status status = text_load(path, &bytes);
    if (status) {
        tx_free(bytes);
        memset(file, 0, sizeof *file);
        return status;
    }
    return text_parse(bytes, file);
}

static tx_status text_bad(const text_line *line, const char *why)
{
    char shown[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "line %d: %s: %s", line->number, tx_escape(shown, sizeof shown, line->field[0]), why);
}

static int text_is(const text_line *line, const char *word)
{
    return strcmp(line->field[0], word) == 0;
}

/* Exactly n fields, the first word counted. */
static tx_status text_need(const text_line *line, int n)
{
    char why[64];
    if (line->fields == n)
        return TX_OK;
    snprintf(why, sizeof why, "%d fields, expected %d", line->fields, n);
    return text_bad(line, why);
}

static tx_status text_number(const text_line *line, int i, double *value)
{
    char *end = NULL;
    if (i < line->fields)
        *value = strtod(line->field[i], &end);
    if (!end || end == line->field[i] || *end || !isfinite(*value)) {
        char why[48];
        snprintf(why, sizeof why, "field %d is not a number", i + 1);
        return text_bad(line, why);
    }
    return TX_OK;
}

/* A decimal integer in [low, high]. */
static tx_status text_integer(const text_line *line, int i, long long low, long long high, long long *value)
{
    char why[96];
    double number;
    tx_status status = text_number(line, i, &number);
    if (status)
        return status;
    char *end;
    long long v = strtoll(line->field[i], &end, 10);
    if (*end || v < low || v > high) {
        snprintf(why, sizeof why, "field %d is not an integer from %lld to %lld", i + 1, low, high);
        return text_bad(line, why);
    }
    *value = v;
    return TX_OK;
}

static tx_status text_int(const text_line *line, int i, int low, int high, int *value)
{
    long long v = 0;
    tx_status status = text_integer(line, i, low, high, &v);
    *value = (int)v;
    return status;
}

#endif
