/* core_bounds.c - elementary functions just before, at and just beyond every bound that core/elementary.c names: where one
 * formula gives way to another, where a result becomes infinite, subnormal or 0, where an exponent or a quarter of a turn
 * changes. bounds.txt holds the values. */
#include "../core/core.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double (*f)(double);
    float (*g)(float);
} functions[] = {{"exp", tx_exp, NULL},           {"expm1", tx_expm1, NULL},   {"log", tx_log, NULL},
                 {"log1p", tx_log1p, NULL},       {"tanh", tx_tanh, NULL},     {"sigmoid", tx_logistic, NULL},
                 {"sin_pi", tx_sin_pi, NULL},     {"cos_pi", tx_cos_pi, NULL}, {"expf", NULL, tx_expf},
                 {"logf", NULL, tx_logf},         {"log1pf", NULL, tx_log1pf}, {"tanhf", NULL, tx_tanhf},
                 {"sigmoidf", NULL, tx_logisticf}};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

/* How many numbers of the format, which has `bits` of fraction and 2^smallest as its least, lie between the two. */
static double apart(double a, double b, int bits, int smallest)
{
    int binade;
    if (a == b)
        return 0;
    frexp(b, &binade);
    return fabs(a - b) / ldexp(1, binade - bits > smallest ? binade - bits : smallest);
}

/* Zeros, infinities and the format's least number are exact; others may be off by as much as core/README.md says, and by
 * half a unit for the rounding of the row. */
static void check_row(const char *name, double x, double y, double want, double got, int is_float)
{
    double least = is_float ? 0x1p-149 : 0x1p-1074;
    double off = is_float ? apart(got, want, 24, -149) : apart(got, want, 53, -1074);
    double allowed = want == 0 || isinf(want) || fabs(want) == least ? 0 : 1;
    CHECK(off <= allowed, "%s(%a, %a) = %a, expected %a", name, x, y, got, want);
}

int main(void)
{
    FILE *f = fopen("test/bounds.txt", "r");
    char line[256], name[16], word[3][40];
    int rows = 0;
    while (f && fgets(line, sizeof line, f)) {
        int n = sscanf(line, "%15s %39s %39s %39s", name, word[0], word[1], word[2]) - 1, k = 0;
        if (line[0] == '#')
            continue;
        double v[3] = {strtod(word[0], NULL), strtod(word[1], NULL), n == 3 ? strtod(word[2], NULL) : 0};
        rows++;
        if (strcmp(name, "pow") == 0) {
            check_row(name, v[0], v[1], v[2], tx_pow(v[0], v[1]), 0);
            continue;
        }
        while (k < FUNCTIONS && strcmp(functions[k].name, name) != 0)
            k++;
        CHECK(k < FUNCTIONS && n == 2, "bounds.txt, row %d: %s", rows, line);
        if (k < FUNCTIONS && functions[k].f)
            check_row(name, v[0], 0, v[1], functions[k].f(v[0]), 0);
        else if (k < FUNCTIONS)
            check_row(name, v[0], 0, v[1], (double)functions[k].g((float)v[0]), 1);
    }
    if (f)
        fclose(f);
    CHECK(rows > 400, "%d rows in test/bounds.txt", rows);
    return test_done("core_bounds");
}
