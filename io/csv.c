/* csv.c - tables of comma-separated values (RFC 4180), read row by row in constant memory. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, LOOK = 512, NOTHING = -1 };
#define EXPECTED "a table (CSV in UTF-8)"

struct tx_csv {
    char *path;
    int fd, begun;
    tx_status status; /* the error that ended the reading */
    unsigned char *block;
    size_t at, got;
    size_t line, row; /* lines from 1: where reading stands, where the row began */
    char *text;       /* the row's fields, a zero behind each */
    size_t used, room;
    size_t *start; /* where each field begins */
    size_t starts, start_room;
    char **field;
    size_t field_room;
};

static tx_status fail(tx_csv *csv, size_t line, const char *what)
{
    char name[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s:%zu: %s", tx_escape(name, sizeof name, csv->path), line, what);
}

/* Fills the block, which has been used up, with at least so many bytes if the file has them. Returns whether it holds
 * any: not so at the end or after an error (csv->status). */
static int fill(tx_csv *csv, size_t least)
{
    csv->at = csv->got = 0;
    while (csv->got < least) {
        ssize_t n = read(csv->fd, csv->block + csv->got, BLOCK - csv->got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            csv->status = tx_fail_system(csv->path, "read");
            csv->got = 0;
        }
        if (n <= 0)
            break;
        csv->got += (size_t)n;
    }
    return csv->got > 0;
}

/* The next byte, or NOTHING at the end or after an error. */
static int next(tx_csv *csv)
{
    return csv->at < csv->got || fill(csv, 1) ? csv->block[csv->at++] : NOTHING;
}

tx_csv *tx_csv_open(const char *path)
{
    if (!path) {
        tx_fail_null("tx_csv_open", "path");
        return NULL;
    }
    tx_csv *csv = tx_alloc(1, sizeof *csv);
    if (!csv)
        return NULL;
    csv->fd = -1;
    csv->line = csv->row = 1;
    csv->path = tx_strdup(path);
    csv->block = tx_alloc(BLOCK, 1);
    if (csv->path && csv->block) {
        csv->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (csv->fd < 0)
            tx_fail_system(path, "open");
        else if (tx_refuse_folder(csv->fd, path, EXPECTED) == TX_OK)
            return csv;
    }
    tx_csv_close(csv);
    return NULL;
}

void tx_csv_close(tx_csv *csv)
{
    if (!csv)
        return;
    if (csv->fd >= 0)
        close(csv->fd);
    tx_free(csv->path);
    tx_free(csv->block);
    tx_free(csv->text);
    tx_free(csv->start);
    tx_free(csv->field);
    tx_free(csv);
}

size_t tx_csv_line(const tx_csv *csv)
{
    if (!csv) {
        tx_fail_null("tx_csv_line", "table");
        return 0;
    }
    return csv->row;
}

static tx_status add(tx_csv *csv, const unsigned char *bytes, size_t n)
{
    if (n > TX_CSV_ROW - csv->used)
        return fail(csv, csv->row, "a row of more than 1048576 bytes (is a quote never closed?)");
    if (n > csv->room - csv->used) {
        tx_status status = tx_grow((void **)&csv->text, &csv->room, csv->used + n, 1);
        if (status)
            return status;
    }
    memcpy(csv->text + csv->used, bytes, n);
    csv->used += n;
    return TX_OK;
}

static tx_status add_byte(tx_csv *csv, int c)
{
    unsigned char byte = (unsigned char)c;
    return add(csv, &byte, 1);
}

/* Takes what follows in the block up to the next byte that may mean something. */
static tx_status add_run(tx_csv *csv)
{
    static const unsigned char special[256] = {[0] = 1, ['"'] = 1, [','] = 1, ['\n'] = 1, ['\r'] = 1};
    size_t from = csv->at;
    while (csv->at < csv->got && !special[csv->block[csv->at]])
        csv->at++;
    return add(csv, csv->block + from, csv->at - from);
}

static tx_status begin_field(tx_csv *csv)
{
    if (csv->starts == TX_CSV_FIELDS)
        return fail(csv, csv->row, "a row of more than 4096 fields");
    tx_status status = tx_grow((void **)&csv->start, &csv->start_room, csv->starts + 1, sizeof *csv->start);
    if (status == TX_OK)
        csv->start[csv->starts++] = csv->used;
    return status;
}

/* The rest of a quoted field, its opening quote read. *c becomes the byte behind the closing one. */
static tx_status quoted(tx_csv *csv, int *c)
{
    for (;;) {
        *c = next(csv);
        if (*c == NOTHING)
            return csv->status ? csv->status : fail(csv, csv->row, "the file ends within a quoted field of this row");
        if (*c == 0)
            return fail(csv, csv->line, "a NUL byte");
        if (*c == '\n')
            csv->line++;
        if (*c == '"') {
            *c = next(csv);
            if (*c != '"')
                break;
        }
        tx_status status = add_byte(csv, *c);
        if (status == TX_OK)
            status = add_run(csv);
        if (status)
            return status;
    }
    if (*c == ',' || *c == '\n' || *c == '\r' || *c == NOTHING)
        return csv->status;
    return fail(csv, csv->line, "text behind a closing quote, expected a comma or the end of the line");
}

static tx_status unquoted(tx_csv *csv, int *c)
{
    while (*c != ',' && *c != '\n' && *c != '\r' && *c != NOTHING) {
        if (*c == 0)
            return fail(csv, csv->line, "a NUL byte");
        if (*c == '"')
            return fail(csv, csv->line, "a quote inside a field that does not begin with one");
        tx_status status = add_byte(csv, *c);
        if (status == TX_OK)
            status = add_run(csv);
        if (status)
            return status;
        *c = next(csv);
    }
    return csv->status;
}

/* One row whose first byte is c. */
static tx_status row(tx_csv *csv, int c)
{
    for (;;) {
        tx_status status = begin_field(csv);
        if (status == TX_OK)
            status = c == '"' ? quoted(csv, &c) : unquoted(csv, &c);
        if (status == TX_OK)
            status = add_byte(csv, 0);
        if (status)
            return status;
        if (c == '\r') {
            c = next(csv);
            if (c != '\n')
                return csv->status ? csv->status : fail(csv, csv->line, "a carriage return without a line feed");
        }
        if (c == '\n')
            csv->line++;
        if (c != ',')
            return TX_OK;
        c = next(csv);
    }
}

/* The first byte of the next row that is not empty, or NOTHING. */
static int first_byte(tx_csv *csv)
{
    for (;;) {
        csv->row = csv->line;
        int c = next(csv);
        if (c == '\r') {
            c = next(csv);
            if (c != '\n' && csv->status == TX_OK) {
                csv->status = fail(csv, csv->line, "a carriage return without a line feed");
                return NOTHING;
            }
        }
        if (c != '\n')
            return c;
        csv->line++;
    }
}

/* Refuses what is known to be no table, and passes over a UTF-8 byte order mark, which can only stand at the very
 * beginning. */
static tx_status begin(tx_csv *csv)
{
    csv->begun = 1;
    if (fill(csv, LOOK) && tx_file_looks(csv->block, csv->got))
        return csv->status = tx_fail_foreign(csv->path, csv->block, csv->got, EXPECTED);
    if (csv->got >= 3 && memcmp(csv->block, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    return csv->status;
}

int tx_csv_next(tx_csv *csv, char ***field, size_t *fields)
{
    if (!csv || !field || !fields) {
        tx_fail_null("tx_csv_next", csv ? "room for the fields" : "table");
        return (int)TX_ERR_ARGUMENT;
    }
    *field = NULL;
    *fields = 0;
    if (csv->status)
        return csv->status;
    if (!csv->begun && begin(csv))
        return csv->status;
    csv->used = csv->starts = 0;
    int c = first_byte(csv);
    if (c != NOTHING)
        csv->status = row(csv, c);
    if (csv->status == TX_OK)
        csv->status = tx_grow((void **)&csv->field, &csv->field_room, csv->starts, sizeof *csv->field);
    if (csv->status)
        return csv->status;
    for (size_t i = 0; i < csv->starts; i++)
        csv->field[i] = csv->text + csv->start[i];
    *field = csv->field;
    *fields = csv->starts;
    return c != NOTHING;
}
