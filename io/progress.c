/* progress.c - how far a job is, how fast, and how long it will take, on whatever stream the caller gives. */
#define _POSIX_C_SOURCE 200809L
#include "io_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, BAR_LEAST = 11 };
#define REDRAW 0.1  /* seconds, on a terminal */
#define REPEAT 10.0 /* seconds between lines elsewhere, at least, */
#define SELDOM 0.05 /* or this share of the time so far */

const char *tx_duration(char out[TX_NUMBER], double seconds)
{
    if (!out) {
        tx_fail_null("tx_duration", "room for a duration");
        return "";
    }
    if (!(seconds >= 0 && seconds < 3.6e9)) {
        snprintf(out, TX_NUMBER, "?");
        return out;
    }
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s < 3600)
        snprintf(out, TX_NUMBER, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(out, TX_NUMBER, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    return out;
}

/* Three significant digits or all before the point. */
static const char *rate_text(char out[TX_NUMBER], double rate)
{
    return tx_number_fixed(out, TX_NUMBER, rate, rate < 1 ? 3 : rate < 10 ? 2 : rate < 100 ? 1 : 0);
}

/* ----------------------------------------------------------------------------------------- one line */
/* In the order in which they stand: "train [####....] 412/664 62%  35.1 images/s  0:07 left  loss 0.41". */
enum { LABEL, BAR, COUNT, SHARE, RATE, TIME, NOTE, PARTS };
/* In the order in which they are given room. */
static const int telling[PARTS] = {SHARE, TIME, LABEL, COUNT, BAR, NOTE, RATE};

enum { PART = 128 };
typedef struct parts {
    char text[PARTS][PART]; /* with the blanks before it; empty: nothing to say */
    size_t length[PARTS];   /* columns; 0: left out */
} parts;

static void make_parts(const tx_progress *p, double now, int last, const char *note, parts *t)
{
    char number[TX_NUMBER];
    double seconds = now - p->began, speed = seconds > 0 ? (double)(p->done - p->first) / seconds : 0;
    double share = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    memset(t, 0, sizeof *t);
    if (strlen(p->label) < PART)
        snprintf(t->text[LABEL], PART, "%s", p->label);
    snprintf(t->text[COUNT], PART, " %zu/%zu", p->done, p->total);
    snprintf(t->text[SHARE], PART, " %d%%", (int)share);
    if (speed > 0)
        snprintf(t->text[RATE], PART, "  %s %.64s/s", rate_text(number, speed), p->unit);
    if (last)
        snprintf(t->text[TIME], PART, "  in %s", tx_duration(number, seconds));
    else if (p->whole > 0)
        snprintf(t->text[TIME], PART, "  %s left in all", tx_duration(number, p->whole));
    else if (speed > 0)
        snprintf(t->text[TIME], PART, "  %s left", tx_duration(number, (double)(p->total - p->done) / speed));
    if (note && strlen(note) + 2 < PART)
        snprintf(t->text[NOTE], PART, "  %s", note);
}

/* A bar of `width` columns, the blank before it and its brackets counted. */
static void draw_bar(const tx_progress *p, size_t width, char *out)
{
    size_t inside = width - 3;
    size_t full = p->total ? (size_t)((double)inside * (double)p->done / (double)p->total) : inside;
    memcpy(out, " [", 2);
    memset(out + 2, '#', full);
    memset(out + 2 + full, '.', inside - full);
    out[width - 1] = ']';
}

/* Gives room to what fits as a whole, and the rest to the bar. */
static void choose_parts(parts *t, size_t columns)
{
    for (int i = 0; i < PARTS; i++) {
        size_t length = telling[i] == BAR ? BAR_LEAST : strlen(t->text[telling[i]]);
        if (length > columns)
            continue;
        t->length[telling[i]] = length;
        columns -= length;
    }
    if (t->length[BAR])
        t->length[BAR] += columns;
}

void tx_progress_format(const tx_progress *p, double now, int last, const char *note, size_t columns,
                        char out[TX_PROGRESS_LINE])
{
    parts t;
    size_t n = 0;
    make_parts(p, now, last, note, &t);
    if (columns == 0) {
        snprintf(out, TX_PROGRESS_LINE, "%s:%s%s%s%s%s", t.text[LABEL], t.text[COUNT], t.text[SHARE], t.text[RATE],
                 t.text[TIME], t.text[NOTE]);
        return;
    }
    choose_parts(&t, columns < TX_PROGRESS_LINE ? columns : TX_PROGRESS_LINE - 1);
    for (int i = 0; i < PARTS; i++) {
        if (i == BAR && t.length[BAR])
            draw_bar(p, t.length[BAR], out + n);
        else
            memcpy(out + n, t.text[i], t.length[i]);
        n += t.length[i];
    }
    out[n] = 0;
    /* The first part needs no blanks before it. */
    size_t blanks = strspn(out, " ");
    memmove(out, out + blanks, n - blanks + 1);
}

/* ---------------------------------------------------------------------------------------- on a stream */
/* What the terminal says, or COLUMNS where that is less or all that is known: a line that is too long would be two. */
static size_t columns_of(FILE *out)
{
    size_t columns = 0;
    const char *variable = getenv("COLUMNS");
    int64_t named;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
#endif
    if (variable && tx_integer_parse(variable, &named) == 0 && named > 0 && (!columns || (uint64_t)named < columns))
        columns = (size_t)named;
    return columns ? columns : USUAL_COLUMNS;
}

/* Takes the line off the terminal. Where that has become narrower the line stands on two: they stay. */
static void erase(tx_progress *p, size_t columns)
{
    if (p->drawn >= columns)
        fputc('\n', p->out);
    else if (p->drawn)
        fprintf(p->out, "\r%*s\r", (int)p->drawn, "");
    p->drawn = 0;
}

static void show(tx_progress *p, double now, int last, const char *note)
{
    char line[TX_PROGRESS_LINE];
    p->shown = now;
    if (!p->terminal) {
        tx_progress_format(p, now, last, note, 0, line);
        fprintf(p->out, "%s\n", line);
        fflush(p->out);
        return;
    }
    /* The last column stays free: some terminals go to the next line when it is written. */
    size_t columns = columns_of(p->out);
    tx_progress_format(p, now, last, note, columns > 1 ? columns - 1 : 1, line);
    size_t n = strlen(line);
    if (p->drawn >= columns)
        erase(p, columns);
    fprintf(p->out, "\r%s%*s%s", line, p->drawn > n ? (int)(p->drawn - n) : 0, "", last ? "\n" : "");
    fflush(p->out);
    p->drawn = last ? 0 : n;
}

void tx_progress_begin(tx_progress *p, FILE *out, const char *label, const char *unit, size_t total, size_t done)
{
    if (!p) {
        tx_fail_null("tx_progress_begin", "progress");
        return;
    }
    const char *kind = getenv("TERM");
    memset(p, 0, sizeof *p);
    p->out = out;
    p->label = label ? label : "";
    p->unit = unit ? unit : "";
    p->total = total;
    p->done = p->first = done < total ? done : total;
    p->terminal = out && isatty(fileno(out)) && !(kind && strcmp(kind, "dumb") == 0);
    p->began = p->shown = tx_seconds();
}

void tx_progress_update(tx_progress *p, size_t done, const char *note)
{
    if (!p) {
        tx_fail_null("tx_progress_update", "progress");
        return;
    }
    p->done = done < p->total ? done : p->total;
    if (!p->out)
        return;
    double now = tx_seconds(), seldom = SELDOM * (now - p->began);
    if (now - p->shown >= (p->terminal ? REDRAW : seldom > REPEAT ? seldom : REPEAT))
        show(p, now, 0, note);
}

void tx_progress_whole(tx_progress *p, double seconds)
{
    if (!p) {
        tx_fail_null("tx_progress_whole", "progress");
        return;
    }
    p->whole = seconds;
}

void tx_progress_clear(tx_progress *p)
{
    if (!p) {
        tx_fail_null("tx_progress_clear", "progress");
        return;
    }
    if (!p->out || !p->drawn)
        return;
    erase(p, columns_of(p->out));
    fflush(p->out);
}

void tx_progress_say(tx_progress *p, const char *line)
{
    if (!p || !line) {
        tx_fail_null("tx_progress_say", p ? "line" : "progress");
        return;
    }
    if (!p->out)
        return;
    tx_progress_clear(p);
    fprintf(p->out, "%s\n", line);
    fflush(p->out);
}

void tx_progress_pause(tx_progress *p)
{
    if (!p) {
        tx_fail_null("tx_progress_pause", "progress");
        return;
    }
    tx_progress_clear(p);
    p->paused = tx_seconds();
}

void tx_progress_resume(tx_progress *p)
{
    if (!p) {
        tx_fail_null("tx_progress_resume", "progress");
        return;
    }
    p->began += tx_seconds() - p->paused;
}

void tx_progress_stop(tx_progress *p)
{
    if (!p) {
        tx_fail_null("tx_progress_stop", "progress");
        return;
    }
    if (p->out && p->drawn) {
        fputc('\n', p->out);
        fflush(p->out);
        p->drawn = 0;
    }
}

void tx_progress_end(tx_progress *p, const char *note)
{
    if (!p) {
        tx_fail_null("tx_progress_end", "progress");
        return;
    }
    if (p->out)
        show(p, tx_seconds(), 1, note);
}
