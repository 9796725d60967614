/* progress.c - how far a job is, how fast, and how long it will take, on whatever stream the caller gives. */
#define _POSIX_C_SOURCE 200809L
#include "io.h"

#include <string.h>
#include <unistd.h>

enum { COLUMNS = 79, BAR = 24, BAR_LEAST = 8 };
#define REDRAW 0.1  /* seconds, on a terminal */
#define REPEAT 10.0 /* seconds between lines elsewhere */

const char *tx_duration(char out[TX_NUMBER], double seconds)
{
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

/* The state in words: "  412/664   62%  35.1 images/s  0:07 left  loss 0.41". */
static void describe(const tx_progress *p, double now, int last, const char *note, char *out, size_t size)
{
    char rate[TX_NUMBER], time[TX_NUMBER];
    double seconds = now - p->began, speed = seconds > 0 ? (double)(p->done - p->first) / seconds : 0;
    double left = speed > 0 ? (double)(p->total - p->done) / speed : -1;
    double part = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    int n = snprintf(out, size, "%zu/%zu %3d%%", p->done, p->total, (int)part);
    if (n > 0 && speed > 0)
        n += snprintf(out + n, size - (size_t)n, "  %s %s/s", rate_text(rate, speed), p->unit);
    if (n > 0 && last)
        n += snprintf(out + n, size - (size_t)n, "  in %s", tx_duration(time, seconds));
    else if (n > 0 && speed > 0)
        n += snprintf(out + n, size - (size_t)n, "  %s left", tx_duration(time, left));
    if (n > 0 && note && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "  %.60s", note);
}

static void show(tx_progress *p, double now, int last, const char *note)
{
    char text[256], line[320], bar[BAR + 1];
    p->shown = now;
    describe(p, now, last, note, text, sizeof text);
    if (!p->terminal) {
        fprintf(p->out, "%s: %s\n", p->label, text);
        fflush(p->out);
        return;
    }
    size_t others = strlen(text) + (strlen(p->label) < 20 ? strlen(p->label) : 20) + 4;
    size_t width = others + BAR <= COLUMNS ? BAR : others + BAR_LEAST <= COLUMNS ? COLUMNS - others : BAR_LEAST;
    size_t full = p->total ? (size_t)((double)width * (double)p->done / (double)p->total) : width;
    for (size_t i = 0; i < width; i++)
        bar[i] = i < full ? '#' : '.';
    bar[width] = 0;
    snprintf(line, sizeof line, "%.20s [%s] %s", p->label, bar, text);
    line[COLUMNS] = 0;
    size_t n = strlen(line);
    fprintf(p->out, "\r%s%*s%s", line, p->drawn > n ? (int)(p->drawn - n) : 0, "", last ? "\n" : "");
    fflush(p->out);
    p->drawn = last ? 0 : n;
}

void tx_progress_begin(tx_progress *p, FILE *out, const char *label, const char *unit, size_t total, size_t done)
{
    memset(p, 0, sizeof *p);
    p->out = out;
    p->label = label;
    p->unit = unit;
    p->total = total;
    p->done = p->first = done < total ? done : total;
    p->terminal = out && isatty(fileno(out));
    p->began = p->shown = tx_seconds();
}

void tx_progress_update(tx_progress *p, size_t done, const char *note)
{
    p->done = done < p->total ? done : p->total;
    if (!p->out)
        return;
    double now = tx_seconds();
    if (now - p->shown >= (p->terminal ? REDRAW : REPEAT))
        show(p, now, 0, note);
}

void tx_progress_stop(tx_progress *p)
{
    if (p->out && p->drawn) {
        fputc('\n', p->out);
        p->drawn = 0;
    }
}

void tx_progress_end(tx_progress *p, const char *note)
{
    if (p->out)
        show(p, tx_seconds(), 1, note);
}
