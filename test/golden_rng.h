/* golden_rng.h - rng.txt: examples of the random streams and of filled parameters. */
#ifndef THORAX_GOLDEN_RNG_H
#define THORAX_GOLDEN_RNG_H

#include "golden_report.h"
#include "golden_stream.h"

enum { RNG_ELEMENTS = 1 << 24 };

static void rng_hex(report *r, const char *record, const text_line *line, int field, uint64_t got)
{
    char text[17];
    snprintf(text, sizeof text, "%08lx%08lx", (unsigned long)(got >> 32), (unsigned long)(got & 0xffffffffu));
    r->compared++;
    if (strcmp(text, line->field[field]) == 0)
        return;
    if (!r->bad && !r->quiet && r->shown++ < REPORT_SHOWN)
        fprintf(stderr, "%s: %s: found %s, expected %.20s\n", r->path, record, text, line->field[field]);
    r->bad = 1;
}

/* rng|seed1 "NAME" h z0 z1 z2 u0 u1 u2 z(2^32) */
static tx_status rng_stream(report *r, const text_line *line)
{
    char name[256], record[TX_TEXT];
    tx_status status = text_need(line, 10);
    size_t length = status ? 0 : strlen(line->field[1]);
    if (status || length < 2 || length > 200 || line->field[1][0] != '"' || line->field[1][length - 1] != '"')
        return status ? status : text_bad(line, "expected a name in quotes");
    memcpy(name, line->field[1] + 1, length - 2);
    name[length - 2] = 0;
    tx_escape(record, sizeof record, line->field[1]);
    uint64_t h = stream_start(name, text_is(line, "seed1") ? 1 : 0);
    rng_hex(r, record, line, 2, stream_hash(name));
    for (int i = 0; i < 3 && status == TX_OK; i++) {
        double u = 0;
        rng_hex(r, record, line, 3 + i, stream_z(h, (uint64_t)i));
        status = text_number(line, 6 + i, &u);
        if (status == TX_OK)
            report_value(r, record, stream_u(h, (uint64_t)i), u, 0);
    }
    rng_hex(r, record, line, 9, stream_z(h, (uint64_t)1 << 32));
    report_record(r);
    return status;
}

/* "64x3x7x7" */
static tx_status rng_shape(const text_line *line, int *dims, int shape[4], size_t *count)
{
    char *p = line->field[2];
    *dims = 0;
    *count = 1;
    for (;;) {
        char *end;
        long d = strtol(p, &end, 10);
        if (end == p || d < 1 || d > RNG_ELEMENTS || *dims == 4 || (*end && *end != 'x'))
            return text_bad(line, "expected a shape of 1 to 4 dimensions");
        shape[(*dims)++] = (int)d;
        *count *= (size_t)d;
        if (*count > RNG_ELEMENTS)
            return text_bad(line, "more elements than this checker takes");
        if (!*end)
            return TX_OK;
        p = end + 1;
    }
}

/* Does the file fill MODULE.running_mean too? Then MODULE is a batch norm. */
static int rng_is_norm(const text_file *text, const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : 0;
    for (size_t i = 0; i < text->lines; i++) {
        const text_line *line = &text->line[i];
        if (text_is(line, "filled") && line->fields > 1 && strncmp(line->field[1], name, length) == 0 &&
            strcmp(line->field[1] + length, ".running_mean") == 0)
            return 1;
    }
    return 0;
}

/* filled NAME SHAPE v0 .. v3 SUM SUMSQ: the values of densenet121 with seed 0. */
static tx_status rng_filled(const text_file *text, report *r, const text_line *line)
{
    static const stream_gain densenet = {1.2, 1.0, 1.0, 0.5};
    int dims = 0, shape[4];
    size_t count = 0;
    char record[TX_TEXT];
    tx_status status =
        line->fields < 3 ? text_bad(line, "expected a name and a shape") : rng_shape(line, &dims, shape, &count);
    int first = count < 4 ? (int)count : 4;
    if (status == TX_OK)
        status = text_need(line, 5 + first);
    double want[6] = {0}, sums[2] = {0};
    for (int i = 0; i < first + 2 && status == TX_OK; i++)
        status = text_number(line, 3 + i, &want[i]);
    if (status)
        return status;
    float *values = tx_alloc(count, sizeof *values);
    if (!values)
        return TX_ERR_MEMORY;
    const char *name = line->field[1];
    tx_escape(record, sizeof record, name);
    if (stream_fill(name, dims, shape, rng_is_norm(text, name), densenet, 0, values)) {
        report_fail(r, record, "no rule fills it");
        tx_free(values);
        return TX_OK;
    }
    for (size_t i = 0; i < count; i++) {
        sums[0] += (double)values[i];
        sums[1] += (double)values[i] * (double)values[i];
    }
    for (int i = 0; i < first; i++)
        report_value(r, record, (double)values[i], want[i], 0);
    for (int i = 0; i < 2; i++)
        report_value(r, record, sums[i], want[first + i], 1e-12 * fabs(want[first + i]));
    report_record(r);
    tx_free(values);
    return TX_OK;
}

static tx_status rng_file_check(const text_file *text, report *r)
{
    tx_status status = TX_OK;
    for (size_t i = 0; i < text->lines && status == TX_OK; i++) {
        const text_line *line = &text->line[i];
        if (text_is(line, "rng") || text_is(line, "seed1"))
            status = rng_stream(r, line);
        else if (text_is(line, "filled"))
            status = rng_filled(text, r, line);
        else
            report_skip(r, line->field[0], 1);
    }
    return status;
}

#endif
