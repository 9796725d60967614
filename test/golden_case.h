/* golden_case.h - one case of an operator file: attributes, the tensors that go in, the tensors that are wanted. */
#ifndef THORAX_GOLDEN_CASE_H
#define THORAX_GOLDEN_CASE_H

#include "golden_report.h"
#include "golden_stream.h"

enum { CASE_TENSORS = 32, CASE_ATTRIBUTES = 16, CASE_NUMBERS = 16, CASE_DIMS = 4, CASE_ELEMENTS = 1 << 24 };

typedef struct case_tensor {
    const char *name;
    int wanted; /* 1: a result, 0: an input */
    int dims, shape[CASE_DIMS];
    size_t count;
    double *value, *got; /* the file's order; got NULL: this version has no such result */
} case_tensor;

typedef struct case_attribute {
    const char *name;
    int count;
    double value[CASE_NUMBERS];
} case_attribute;

typedef struct op_case {
    const char *name, *op;
    case_tensor tensor[CASE_TENSORS];
    case_attribute attribute[CASE_ATTRIBUTES];
    int tensors, attributes;
    report *report;
} op_case;

static void case_free(op_case *c)
{
    for (int i = 0; i < c->tensors; i++) {
        tx_free(c->tensor[i].value);
        tx_free(c->tensor[i].got);
    }
    c->tensors = c->attributes = 0;
}

static case_tensor *case_find(op_case *c, const char *name, int wanted)
{
    for (int i = 0; i < c->tensors; i++)
        if (c->tensor[i].wanted == wanted && strcmp(c->tensor[i].name, name) == 0)
            return &c->tensor[i];
    return NULL;
}

/* Number k of an attribute, or `missing`. */
static double case_number(const op_case *c, const char *name, int k, double missing)
{
    for (int i = 0; i < c->attributes; i++)
        if (strcmp(c->attribute[i].name, name) == 0 && k < c->attribute[i].count)
            return c->attribute[i].value[k];
    return missing;
}

static int case_int(const op_case *c, const char *name, int k, int missing)
{
    double v = case_number(c, name, k, missing);
    return v > -1e9 && v < 1e9 ? (int)v : missing;
}

static tx_status case_attribute_line(op_case *c, const text_line *line)
{
    if (line->fields < 3 || line->fields > 2 + CASE_NUMBERS || c->attributes == CASE_ATTRIBUTES)
        return text_bad(line, "expected a name and 1 to 16 numbers, for at most 16 attributes");
    case_attribute *a = &c->attribute[c->attributes++];
    a->name = line->field[1];
    a->count = line->fields - 2;
    tx_status status = TX_OK;
    for (int i = 0; i < a->count && status == TX_OK; i++)
        status = text_number(line, i + 2, &a->value[i]);
    return status;
}

/* Reads "nd d0.." from field `at` on; *next is the field behind. */
static tx_status case_shape(case_tensor *t, const text_line *line, int at, int *next)
{
    tx_status status = text_int(line, at, 0, CASE_DIMS, &t->dims);
    t->count = 1;
    for (int i = 0; i < t->dims && status == TX_OK; i++) {
        status = text_int(line, at + 1 + i, 1, CASE_ELEMENTS, &t->shape[i]);
        t->count *= (size_t)t->shape[i];
        if (status == TX_OK && t->count > CASE_ELEMENTS)
            status = text_bad(line, "more elements than this checker takes");
    }
    *next = at + 1 + t->dims;
    return status;
}

static tx_status case_fill(op_case *c, case_tensor *t, const text_line *line, double a, double b)
{
    char stream[256];
    snprintf(stream, sizeof stream, "%s.%s", c->name, t->name);
    uint64_t h = stream_start(stream, 0);
    int magnitude = text_is(line, "fillabs");
    for (size_t i = 0; i < t->count; i++) {
        double u = stream_u(h, i);
        t->value[i] = (double)(float)(a + b * (magnitude ? fabs(u) : u));
    }
    return TX_OK;
}

/* fill T a b nd d0..    data T nd d0.. v..    want T nd d0.. v.. */
static tx_status case_tensor_line(op_case *c, const text_line *line)
{
    int formula = text_is(line, "fill") || text_is(line, "fillabs"), next;
    double a = 0, b = 0;
    if (c->tensors == CASE_TENSORS || line->fields < 3)
        return text_bad(line, "too many tensors, or no shape");
    case_tensor *t = &c->tensor[c->tensors];
    *t = (case_tensor){.name = line->field[1], .wanted = text_is(line, "want")};
    if (case_find(c, t->name, t->wanted))
        return text_bad(line, "there are two tensors of that name");
    tx_status status = TX_OK;
    if (formula && (status = text_number(line, 2, &a)) == TX_OK)
        status = text_number(line, 3, &b);
    if (status == TX_OK)
        status = case_shape(t, line, formula ? 4 : 2, &next);
    if (status)
        return status;
    status = text_need(line, formula ? next : next + (int)t->count);
    if (status)
        return status;
    t->value = tx_alloc(t->count, sizeof *t->value);
    if (!t->value)
        return TX_ERR_MEMORY;
    c->tensors++;
    if (formula)
        return case_fill(c, t, line, a, b);
    for (size_t i = 0; i < t->count && status == TX_OK; i++) {
        status = text_number(line, next + (int)i, &t->value[i]);
        if (!t->wanted)
            t->value[i] = (double)(float)t->value[i];
    }
    return status;
}

/* A line between `op` and `end`. Kinds of lines that are not known are counted as skipped. */
static tx_status case_line(op_case *c, const text_line *line)
{
    if (text_is(line, "int") || text_is(line, "num"))
        return case_attribute_line(c, line);
    if (text_is(line, "fill") || text_is(line, "fillabs") || text_is(line, "data") || text_is(line, "want"))
        return case_tensor_line(c, line);
    report_skip(c->report, line->field[0], 1);
    return TX_OK;
}

static long case_records(const op_case *c)
{
    long n = 0;
    for (int i = 0; i < c->tensors; i++)
        n += c->tensor[i].wanted;
    return n;
}

/* Keeps a result; of two ways to the same result the value that is further from the wanted one. Returns TX_OK also where
 * nobody wants it. */
static tx_status case_result(op_case *c, const char *name, const double *value, size_t count)
{
    case_tensor *t = case_find(c, name, 1);
    if (!t)
        return TX_OK;
    if (t->count != count)
        return tx_fail(TX_ERR_FORMAT, "%s has %zu values, found %zu", name, t->count, count);
    int first = !t->got;
    if (first)
        t->got = tx_alloc(count, sizeof *t->got);
    if (!t->got)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (first || !(fabs(value[i] - t->value[i]) <= fabs(t->got[i] - t->value[i])))
            t->got[i] = value[i];
    return TX_OK;
}

static int case_is_activation(const op_case *c)
{
    static const char *const names[] = {"relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "identity"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(c->op, names[i]) == 0)
            return 1;
    return 0;
}

static double case_tolerance(const op_case *c, const case_tensor *t, double largest, double value)
{
    if (c->report->reference)
        return 1e-10 * largest;
    if (case_is_activation(c) || (strcmp(c->op, "bce_with_logits") == 0 && strcmp(t->name, "each") == 0))
        return fabs(value) > 0.1 ? 1e-5 * fabs(value) : 1e-6;
    if (strcmp(c->name, "bn_c_train") == 0 && strcmp(t->name, "gx") == 0)
        return 1e-6;
    return 1e-5 * largest;
}

/* Every wanted tensor is a record: compared, or skipped where this version gives none. */
static void case_compare(op_case *c)
{
    for (int i = 0; i < c->tensors; i++) {
        const case_tensor *t = &c->tensor[i];
        double largest = 0;
        if (!t->wanted)
            continue;
        if (!t->got) {
            report_skip(c->report, t->name, 1);
            continue;
        }
        for (size_t k = 0; k < t->count; k++)
            largest = fabs(t->value[k]) > largest ? fabs(t->value[k]) : largest;
        for (size_t k = 0; k < t->count; k++)
            report_value(c->report, t->name, t->got[k], t->value[k], case_tolerance(c, t, largest, t->value[k]));
        report_record(c->report);
    }
}

#endif
