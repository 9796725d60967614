/* golden.c - compares Thorax with reference numbers that PyTorch made in double precision.
 *
 *     golden FILE...               what runs: float kernels, planned sessions
 *     golden --reference FILE...   the whole graph on doubles through the references
 *
 * A network file has the logits, loss, gradients and statistics of a network whose parameters and inputs follow from
 * their names; an operator file has cases of single operations; rng.txt has examples of the streams. Files are
 * text, told apart by their first word. A line a file on standard output, at most ten failures a file on standard error,
 * at last "N files, M values compared, K skipped, F failed". Exit status 0, 1 if anything failed, 2 for wrong usage. */
#include "golden_net.h"
#include "golden_op.h"

/* ------------------------------------------------------------------------------------ random streams */

static void rng_hex(report *r, const char *record, const text_line *line, int field, uint64_t got)
{
    char text[17];
    snprintf(text, sizeof text, "%08lx%08lx", (unsigned long)(got >> 32), (unsigned long)(got & 0xffffffffu));
    r->compared++;
    if (strcmp(text, line->field[field]) == 0)
        return;
    if (!r->bad && r->shown++ < REPORT_SHOWN)
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
        if (end == p || d < 1 || d > CASE_ELEMENTS || *dims == 4 || (*end && *end != 'x'))
            return text_bad(line, "expected a shape of 1 to 4 dimensions");
        shape[(*dims)++] = (int)d;
        *count *= (size_t)d;
        if (*count > CASE_ELEMENTS)
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
    tx_status status = line->fields < 3 ? text_bad(line, "expected a name and a shape") : rng_shape(line, &dims, shape, &count);
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

/* ---------------------------------------------------------------------------------------------- files */

static tx_status file_check(const text_file *text, report *r)
{
    if (text->lines == 0)
        return tx_fail(TX_ERR_FORMAT, "there is nothing in it");
    const text_line *line = &text->line[0];
    if (text_is(line, "format"))
        return net_file_check(text, r);
    if (text_is(line, "case"))
        return op_file_check(text, r);
    if (text_is(line, "rng") || text_is(line, "seed1") || text_is(line, "filled"))
        return rng_file_check(text, r);
    if (text_is(line, "cam")) {
        report_skip(r, "class activation maps", (long)text->lines);
        return TX_OK;
    }
    return text_bad(line, "not a golden file");
}

static void file_run(report *r)
{
    text_file text;
    tx_status status = text_read(r->path, &text);
    if (status == TX_OK)
        status = file_check(&text, r);
    text_free(&text);
    if (status)
        r->failed++;
    printf("%s: %ld values compared, %ld skipped, %ld failed", r->path, r->compared, r->skipped, r->failed);
    if (r->compared)
        printf(", worst %.3g of its tolerance (%s)", r->worst, r->where);
    if (status)
        printf(": %s", tx_error_message());
    printf("\n");
    fflush(stdout);
}

/* Moves the files to the front of the arguments. Returns their number, or -1 for an option that is not known. */
static int options(int count, char **argument, int *reference, int *help)
{
    int files = 0, only_files = 0;
    for (int i = 1; i < count; i++) {
        const char *a = argument[i];
        if (only_files || a[0] != '-')
            argument[files++] = argument[i];
        else if (strcmp(a, "--") == 0)
            only_files = 1;
        else if (strcmp(a, "--reference") == 0)
            *reference = 1;
        else if (strcmp(a, "--help") == 0)
            *help = 1;
        else
            return -1;
    }
    return files;
}

int main(int count, char **argument)
{
    int reference = 0, help = 0, files = options(count, argument, &reference, &help);
    long compared = 0, skipped = 0, failed = 0;
    if (help || files < 1) {
        fputs("usage: golden [--reference] FILE...\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (tx_isa_select(NULL)) {
        fprintf(stderr, "golden: %s\n", tx_error_message());
        return 1;
    }
    for (int i = 0; i < files; i++) {
        report r = {.path = argument[i], .reference = reference};
        file_run(&r);
        compared += r.compared;
        skipped += r.skipped;
        failed += r.failed;
    }
    printf("%d files, %ld values compared, %ld skipped, %ld failed\n", files, compared, skipped, failed);
    return failed != 0;
}
