/* command_audit.c - `thorax audit`: operations beside their definitions, on this machine. */
#include "audit.h"
#include "bench.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

/* An operation, or what it is in one mode. */
typedef struct audit_row {
    const tx_op *op;
    const char *mode; /* "" where there is one alone */
    int cases, wanted;
    audit_result result;
} audit_row;

enum { MOST_ROWS = 64 };
typedef struct audit {
    audit_row row[MOST_ROWS];
    int rows;
} audit;

/* Rows in the order of the cases. */
static audit_row *row_of(audit *a, const tx_op *op, const char *mode)
{
    int i = 0;
    while (i < a->rows && (a->row[i].op != op || strcmp(a->row[i].mode, mode) != 0))
        i++;
    if (i == a->rows)
        a->row[a->rows++] = (audit_row){.op = op, .mode = mode};
    return &a->row[i];
}

static audit_row *row_for(audit *a, const audit_case *c, int training)
{
    return row_of(a, c->op, !audit_has_modes(c->op) ? "" : training ? "training" : "inference");
}

static int holds(const audit_row *r)
{
    double tolerance = audit_tolerance(r->op);
    return r->result.forward.relative <= tolerance && r->result.gradient.relative <= tolerance &&
           r->result.slope <= AUDIT_SLOPE;
}

/* ---------------------------------------------------------------------------------- which operations */

static const char *row_name(const void *context, int i)
{
    return ((const audit *)context)->row[i].op->name;
}

/* Every row is there, those that are asked for are wanted. */
static int choose(audit *a, const options *o)
{
    for (int i = 0; i < audit_cases(); i++)
        for (int training = 1; training >= 0; training--)
            row_for(a, audit_case_at(i), training);
    for (int i = 0; i < a->rows; i++)
        a->row[i].wanted = o->arguments == 0;
    for (int k = 0; k < o->arguments; k++) {
        int known = 0;
        for (int i = 0; i < a->rows; i++)
            if (strcmp(a->row[i].op->name, o->argument[k]) == 0)
                known = a->row[i].wanted = 1;
        char near[TX_HINT], escaped[TX_TEXT];
        if (!known)
            return complain(EXIT_USAGE, "unknown operation '%s'%s (thorax audit measures all)",
                            tx_escape(escaped, sizeof escaped, o->argument[k]),
                            tx_nearest_hint(near, o->argument[k], a->rows, row_name, a));
    }
    return EXIT_DONE;
}

/* ---------------------------------------------------------------------------------- measuring */

static int wanted_cases(audit *a)
{
    int n = 0;
    for (int i = 0; i < audit_cases(); i++)
        n += row_for(a, audit_case_at(i), 1)->wanted;
    return n;
}

static tx_status measure(audit *a, FILE *progress)
{
    tx_progress bar;
    size_t done = 0;
    tx_status status = TX_OK;
    tx_progress_begin(&bar, progress, "audit", "cases", (size_t)wanted_cases(a), 0);
    for (int i = 0; i < audit_cases() && status == TX_OK; i++) {
        const audit_case *c = audit_case_at(i);
        if (!row_for(a, c, 1)->wanted)
            continue;
        for (int training = 1; training >= 0 && status == TX_OK; training--) {
            audit_row *row = row_for(a, c, training);
            row->cases++;
            status = audit_measure(c, training, &row->result);
        }
        tx_progress_update(&bar, ++done, c->op->name);
    }
    tx_progress_clear(&bar);
    return status;
}

/* ---------------------------------------------------------------------------------- printing */

static void print_table_row(table *t, const audit_row *r)
{
    const audit_result *e = &r->result;
    table_cell(t, "%s%s%s", r->op->name, *r->mode ? ", " : "", r->mode);
    table_cell(t, "%.3g", e->forward.ulp);
    table_cell(t, "%.1e", e->forward.relative);
    table_cell(t, "%.3g", e->gradient.ulp);
    table_cell(t, "%.1e", e->gradient.relative);
    table_cell(t, "%.1e", e->slope);
    table_cell(t, holds(r) ? "good" : "BAD");
    table_row(t);
}

static int count_bad(const audit *a)
{
    int bad = 0;
    for (int i = 0; i < a->rows; i++)
        bad += a->row[i].wanted && !holds(&a->row[i]);
    return bad;
}

static tx_status print_table(const audit *a)
{
    table t = {.align = "lrrrrrl"};
    static const char *const heads[] = {"operation", "ulp", "result", "ulp", "gradient", "slope", "verdict"};
    int bad = count_bad(a), rows = 0;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_cell(&t, "%s", heads[i]);
    table_row(&t);
    for (int i = 0; i < a->rows; i++) {
        rows += a->row[i].wanted;
        if (a->row[i].wanted)
            print_table_row(&t, &a->row[i]);
    }
    tx_status status = table_print(&t, stdout);
    print_wrapped(stdout,
                  "Largest differences between what runs and its definition in double precision, of results and "
                  "of gradients: in units of the last place, of values of at least a sixteenth of the largest, "
                  "and in shares of the largest value (1e-5 is allowed where sums are taken, 1e-6 elsewhere). "
                  "Slope: the definition's gradient beside central differences (1e-5).");
    char line[128];
    snprintf(line, sizeof line, "%d of %d rows hold, on %s with %d thread%s.", rows - bad, rows, tx_isa_name(),
             tx_threads(), tx_threads() == 1 ? "" : "s");
    print_wrapped(stdout, line);
    return status;
}

static void print_json(const audit *a)
{
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "isa", tx_isa_name());
    json_whole(&j, "threads", tx_threads());
    json_whole(&j, "bad", count_bad(a));
    json_open(&j, "rows", '[');
    for (int i = 0; i < a->rows; i++) {
        const audit_row *r = &a->row[i];
        if (!r->wanted)
            continue;
        json_open(&j, NULL, '{');
        json_string(&j, "op", r->op->name);
        json_string(&j, "mode", *r->mode ? r->mode : NULL);
        json_whole(&j, "cases", r->cases);
        json_real(&j, "result_ulp", r->result.forward.ulp);
        json_real(&j, "result_relative", r->result.forward.relative);
        json_real(&j, "gradient_ulp", r->result.gradient.ulp);
        json_real(&j, "gradient_relative", r->result.gradient.relative);
        json_real(&j, "slope_relative", r->result.slope);
        json_real(&j, "tolerance", audit_tolerance(r->op));
        json_real(&j, "slope_tolerance", AUDIT_SLOPE);
        json_string(&j, "verdict", holds(r) ? "good" : "bad");
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
}

int command_audit(const options *o)
{
    audit a = {.rows = 0};
    int status = choose(&a, o);
    if (status != EXIT_DONE)
        return status;
    work_begins();
    if (measure(&a, option_on(o, "quiet") ? NULL : stderr))
        return complain_failed();
    if (option_on(o, "json"))
        print_json(&a);
    else if (print_table(&a))
        return complain_failed();
    return count_bad(&a) ? EXIT_FAILED : EXIT_DONE;
}
