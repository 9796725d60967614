/* golden_report.h - comparing values within tolerances, and counting. A record is what counts as failed or skipped. */
#ifndef THORAX_GOLDEN_REPORT_H
#define THORAX_GOLDEN_REPORT_H

#include "golden_text.h"

typedef struct report {
    const char *path;
    const char *unit; /* the case in which a record stands, or NULL */
    int reference;    /* the double run */
    int quiet;        /* nothing is printed */
    long compared, skipped, failed;
    int shown;       /* failures printed so far */
    int bad;         /* a value of the present record has failed */
    double worst;    /* largest error in units of its tolerance */
    char where[160]; /* and the record that had it */
} report;

enum { REPORT_SHOWN = 10 };

/* "case gx" or "grad layer1.0.conv1.weight", printable. */
static void report_name(const report *r, const char *record, char *out, size_t size)
{
    char a[TX_TEXT], b[TX_TEXT];
    snprintf(out, size, "%s%s%s", r->unit ? tx_escape(a, sizeof a, r->unit) : "", r->unit ? " " : "",
             tx_escape(b, sizeof b, record));
}

/* One value of a record. NaN is never near anything. */
static void report_value(report *r, const char *record, double got, double want, double tolerance)
{
    double error = fabs(got - want);
    int near = error <= tolerance;
    double ratio = tolerance > 0 ? error / tolerance : near ? 0 : HUGE_VAL;
    r->compared++;
    if (isnan(ratio))
        ratio = HUGE_VAL;
    if (ratio > r->worst || r->where[0] == 0) {
        r->worst = ratio;
        report_name(r, record, r->where, sizeof r->where);
    }
    if (near)
        return;
    if (!r->bad && !r->quiet && r->shown++ < REPORT_SHOWN) {
        char name[160];
        report_name(r, record, name, sizeof name);
        fprintf(stderr, "%s: %s: found %.9g, expected %.9g within %.3g\n", r->path, name, got, want, tolerance);
    }
    r->bad = 1;
}

/* Closes a record. */
static void report_record(report *r)
{
    r->failed += r->bad;
    if (r->bad && !r->quiet && getenv("TEST_STOPS"))
        exit(1);
    r->bad = 0;
}

/* Records of a kind, operation or network that this version does not know. */
static void report_skip(report *r, const char *what, long records)
{
    char name[160];
    report_name(r, what, name, sizeof name);
    if (!r->quiet)
        printf("%s: %s skipped (%ld record%s)\n", r->path, name, records, records == 1 ? "" : "s");
    r->skipped += records;
}

/* A record that cannot be compared because something is wrong with it. */
static void report_fail(report *r, const char *record, const char *why)
{
    char name[160];
    report_name(r, record, name, sizeof name);
    if (!r->quiet && r->shown++ < REPORT_SHOWN)
        fprintf(stderr, "%s: %s: %s\n", r->path, name, why);
    r->failed++;
    r->bad = 0;
}

#endif
