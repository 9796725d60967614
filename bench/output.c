/* output.c - what the commands print: numbers, growing texts, one line of JSON, messages. */
#define _POSIX_C_SOURCE 200809L
#include "output.h"
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *format_real(char *out, size_t size, double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        double back;
        tx_number_print(out, size, value, digits);
        if (tx_number_parse(out, &back) == 0 && back == value)
            break;
    }
    return out;
}

/* ----------------------------------------------------------------------------------------------- text */
static void append_bytes(page *t, const char *bytes, size_t n)
{
    if (t->status)
        return;
    t->status = tx_grow((void **)&t->data, &t->capacity, t->length + n + 1, 1);
    if (t->status)
        return;
    memcpy(t->data + t->length, bytes, n);
    t->length += n;
    t->data[t->length] = 0;
}

void page_append(page *t, const char *string)
{
    append_bytes(t, string, strlen(string));
}

void page_add(page *t, const char *format, ...)
{
    char piece[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece) {
        if (!t->status)
            t->status = tx_fail(TX_ERR_ARGUMENT, "a piece of text longer than %zu bytes", sizeof piece - 1);
        return;
    }
    append_bytes(t, piece, (size_t)n);
}

void page_html(page *t, const char *string)
{
    for (const char *p = string; *p; p++) {
        const char *entity = *p == '<'   ? "&lt;"
                             : *p == '>' ? "&gt;"
                             : *p == '&' ? "&amp;"
                             : *p == '"' ? "&quot;"
                                         : NULL;
        if (entity)
            page_append(t, entity);
        else
            append_bytes(t, p, 1);
    }
}

void page_csv(page *t, const char *string)
{
    if (!string[strcspn(string, ",\"\r\n")]) {
        page_append(t, string);
        return;
    }
    append_bytes(t, "\"", 1);
    for (const char *p = string; *p; p++) {
        if (*p == '"')
            append_bytes(t, "\"", 1);
        append_bytes(t, p, 1);
    }
    append_bytes(t, "\"", 1);
}

void page_free(page *t)
{
    tx_free(t->data);
    memset(t, 0, sizeof *t);
}

tx_status page_write(const page *t, const char *path)
{
    if (t->status)
        return t->status;
    tx_writer *writer = tx_writer_open(path);
    if (!writer)
        return TX_ERR_FILE;
    tx_writer_bytes(writer, t->data ? t->data : "", t->length);
    return tx_writer_commit(writer);
}

/* ----------------------------------------------------------------------------------------------- JSON */
/* Length of the UTF-8 sequence at p (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *p)
{
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static void put_string(const char *string)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)string; *p;) {
        size_t n = utf8_length(p);
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 0x20)
            printf("\\u%04x", *p);
        else if (n == 0)
            fputs("\\ufffd", stdout);
        else
            fwrite(p, 1, n, stdout);
        p += n ? n : 1;
    }
    putchar('"');
}

static void put_key(json *j, const char *key)
{
    if (j->started)
        putchar(',');
    j->started = 1;
    if (key) {
        put_string(key);
        putchar(':');
    }
}

void json_open(json *j, const char *key, char bracket)
{
    put_key(j, key);
    putchar(bracket);
    j->started = 0;
}

void json_close(json *j, char bracket)
{
    putchar(bracket);
    j->started = 1;
}

void json_string(json *j, const char *key, const char *value)
{
    put_key(j, key);
    if (value)
        put_string(value);
    else
        fputs("null", stdout);
}

void json_real(json *j, const char *key, double value)
{
    char number[TX_NUMBER];
    put_key(j, key);
    fputs(isfinite(value) ? format_real(number, sizeof number, value) : "null", stdout);
}

void json_whole(json *j, const char *key, long long value)
{
    put_key(j, key);
    printf("%lld", value);
}

void json_end(void)
{
    putchar('\n');
}

/* ------------------------------------------------------------------------------------------- messages */
static page waiting;
static int quiet, working;

void say_quietly(int on)
{
    quiet = on;
}

void say(const char *format, ...)
{
    char raw[1024], line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)raw; *p && n + 5 < sizeof line; p++)
        n += (size_t)snprintf(line + n, 5, *p < 0x20 || *p == 0x7f ? "\\x%02x" : "%c", *p);
    if (quiet)
        return;
    if (working)
        fprintf(stderr, "%s\n", line);
    else
        page_add(&waiting, "%s\n", line);
}

void say_lines(const char *lines)
{
    while (*lines) {
        int n = (int)strcspn(lines, "\n");
        say("%.*s", n, lines);
        lines += n + (lines[n] == '\n');
    }
}

void work_begins(void)
{
    working = 1;
    if (waiting.data && !quiet)
        fputs(waiting.data, stderr);
    page_free(&waiting);
}

int output_done(void)
{
    page_free(&waiting);
    errno = 0;
    if (fflush(stdout) || ferror(stdout))
        return complain(EXIT_FAILED, "standard output: %s", errno ? strerror(errno) : "cannot be written");
    return EXIT_DONE;
}
