/* message.c - what the program says on standard error: complaints, and messages that wait until work begins. */
#define _POSIX_C_SOURCE 200809L
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* As one line: control characters become \xNN. A text too long for `out` is cut. */
static const char *one_line(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p && n + 5 < size; p++)
        n += (size_t)snprintf(out + n, 5, *p < 0x20 || *p == 0x7f ? "\\x%02x" : "%c", *p);
    out[n] = 0;
    return out;
}

static const char *spoken_for = NULL;

void complain_as(const char *who)
{
    spoken_for = who;
}

static char last[4096];

const char *complaint(void)
{
    return last;
}

int complain(int status, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fflush(stdout);
    fprintf(stderr, "thorax%s%s: %s\n", spoken_for ? " " : "", spoken_for ? spoken_for : "",
            one_line(text, last, sizeof last));
    return status;
}

int complain_failed(void)
{
    return complain(EXIT_FAILED, "%s", tx_error_message());
}

static tx_buffer waiting;
static int quiet, working;

void say_quietly(int on)
{
    quiet = on;
}

static void say_line(const char *raw)
{
    char line[2048];
    one_line(raw, line, sizeof line);
    if (quiet)
        return;
    if (working)
        fprintf(stderr, "%s\n", line);
    else
        tx_buffer_add(&waiting, "%s\n", line);
}

void say(const char *format, ...)
{
    char raw[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    say_line(raw);
}

void say_once(const char *format, ...)
{
    static tx_buffer said;
    char raw[1024], known[1024 + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    snprintf(known, sizeof known, "\n%s\n", raw);
    if (said.data && strstr(said.data, known))
        return;
    tx_buffer_append(&said, known);
    say_line(raw);
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
    tx_buffer_free(&waiting);
}

int output_done(void)
{
    tx_buffer_free(&waiting);
    errno = 0;
    if (fflush(stdout) || ferror(stdout))
        return complain(EXIT_FAILED, "standard output: %s", errno ? strerror(errno) : "cannot be written");
    return EXIT_DONE;
}
