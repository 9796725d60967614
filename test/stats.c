/* stats.c - the checker of the statistics: compares with what numpy, scipy and scikit-learn made of the same files.
 *
 *     stats DIR
 *
 * reads DIR/expected.csv (name, then AUC, DeLong and precision of two classifiers on DIR/NAME.csv: label,a,b) and
 * DIR/ranks.csv (name, then correlations of DIR/ranks-NAME.csv: x,y). Columns and rows that it does not know are
 * printed as skipped, counted, and fail nothing; where that is all there is, a line on standard error says so. A value is right within 1e-12, absolute or relative, whichever is
 * larger; nan equals nan, and p below 1e-60 counts as 0. Exit status 1 if a row failed, 2 for wrong usage. */
#include "../bench/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 64, PATH_BYTES = 4096 };

/* A CSV file without quotes: cells are pieces of text, ended by zeros. */
typedef struct table {
    char *text, **cell;
    size_t rows, columns, room; /* rows without the header, cells [row + 1][column] */
} table;

static struct {
    long files, values, skipped, failed;
} count;

static void table_close(table *t)
{
    tx_free(t->text);
    tx_free(t->cell);
    memset(t, 0, sizeof *t);
}

static const char *cell(const table *t, size_t row, size_t column)
{
    return t->cell[(row + 1) * t->columns + column];
}

/* Reads a whole file; NULL if it cannot be. */
static char *slurp(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0, used = 0;
    while (file) {
        if (tx_grow((void **)&text, &room, used + 65536, 1) != TX_OK)
            break;
        size_t n = fread(text + used, 1, room - used - 1, file);
        used += n;
        if (n == 0 && feof(file) && !ferror(file)) {
            fclose(file);
            text[used] = 0;
            return text;
        }
        if (n == 0)
            break;
    }
    if (file)
        fclose(file);
    tx_free(text);
    return NULL;
}

/* Splits text into cells; every line must have as many as the first. */
static int table_split(table *t)
{
    size_t used = 0, columns = 0;
    for (char *p = t->text; *p;) {
        if (tx_grow((void **)&t->cell, &t->room, used + 1, sizeof *t->cell) != TX_OK)
            return -1;
        t->cell[used++] = p;
        columns++;
        p += strcspn(p, ",\r\n");
        if (*p == ',') {
            *p++ = 0;
            continue;
        }
        while (*p == '\r' || *p == '\n')
            *p++ = 0;
        if (t->columns == 0)
            t->columns = columns;
        if (columns != t->columns)
            return -1;
        t->rows++;
        columns = 0;
    }
    if (t->rows == 0 || columns != 0 || t->columns > COLUMNS)
        return -1;
    t->rows--;
    return 0;
}

static int table_open(table *t, const char *folder, const char *prefix, const char *name)
{
    char path[PATH_BYTES];
    memset(t, 0, sizeof *t);
    int n = snprintf(path, sizeof path, "%s/%s%s.csv", folder, prefix, name);
    if (n < 0 || (size_t)n >= sizeof path || !(t->text = slurp(path))) {
        fprintf(stderr, "stats: %s: cannot be read\n", path);
        return -1;
    }
    if (table_split(t)) {
        fprintf(stderr, "stats: %s: is no table\n", path);
        table_close(t);
        return -1;
    }
    return 0;
}

static int find_column(const table *t, const char *name)
{
    for (size_t c = 0; c < t->columns; c++)
        if (strcmp(t->cell[c], name) == 0)
            return (int)c;
    return -1;
}

static int number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end == text || *end ? -1 : 0;
}

/* A column of numbers; NULL and a complaint if one is none. */
static double *numbers(const table *t, int column, const char *name)
{
    double *v = tx_alloc(t->rows, sizeof *v);
    for (size_t i = 0; v && i < t->rows; i++) {
        if (number(cell(t, i, (size_t)column), &v[i])) {
            fprintf(stderr, "stats: %s, row %zu: \"%s\" is no number\n", name, i + 1, cell(t, i, (size_t)column));
            tx_free(v);
            return NULL;
        }
    }
    return v;
}

/* A result of ours, by the name of its column. */
typedef struct result {
    const char *column;
    double value;
    int is_p, is_count;
} result;

/* The error in units of max(1, |wanted|), infinite where only one of the two is a number. */
static double error_of(const result *r, double wanted)
{
    double got = r->value;
    if (r->is_p) {
        got = fabs(got) < 1e-60 ? 0 : got;
        wanted = fabs(wanted) < 1e-60 ? 0 : wanted;
    }
    if (got != got || wanted != wanted)
        return got != got && wanted != wanted ? 0 : HUGE_VAL;
    if (r->is_count || got == wanted)
        return got == wanted ? 0 : HUGE_VAL;
    double distance = fabs(got - wanted);
    return distance == distance ? distance / fmax(1, fabs(wanted)) : HUGE_VAL;
}

/* Compares one row; prints its line. */
static void compare_row(const table *expected, size_t row, const char *file, const result *results, size_t n)
{
    double worst = 0;
    const char *where = "";
    long values = 0;
    for (size_t c = 1; c < expected->columns; c++) {
        for (size_t i = 0; i < n; i++) {
            if (strcmp(expected->cell[c], results[i].column) != 0)
                continue;
            double wanted, error = HUGE_VAL;
            if (number(cell(expected, row, c), &wanted) == 0)
                error = error_of(&results[i], wanted);
            values++;
            if (error > worst) {
                worst = error;
                where = results[i].column;
            }
        }
    }
    int bad = !(worst <= 1e-12);
    printf("%s: %ld values, worst error %.2g%s%s%s\n", file, values, worst, *where ? " in " : "", where,
           bad ? " FAILED" : "");
    count.files++;
    count.values += values;
    count.failed += bad;
}

static void skip(const char *what, const char *name)
{
    printf("%s %s: skipped\n", what, name);
    count.skipped++;
}

static void fail(const char *file)
{
    printf("%s: FAILED: %s\n", file, tx_error_message());
    count.files++;
    count.failed++;
}

static void check_scores(const char *folder, const table *expected, size_t row)
{
    const char *name = cell(expected, row, 0);
    table t;
    tx_fail(TX_ERR_FILE, "cannot be read");
    if (table_open(&t, folder, "", name)) {
        fail(name);
        return;
    }
    int label_column = find_column(&t, "label"), a_column = find_column(&t, "a"), b_column = find_column(&t, "b");
    if (label_column < 0 || a_column < 0 || b_column < 0) {
        skip("row", name);
        table_close(&t);
        return;
    }
    double *a = numbers(&t, a_column, name), *b = numbers(&t, b_column, name), precision = 0;
    signed char *label = tx_alloc(t.rows, 1);
    tx_delong_result d;
    int good = a && b && label;
    for (size_t i = 0; good && i < t.rows; i++) {
        const char *text = cell(&t, i, (size_t)label_column);
        good = !*text || strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
        label[i] = (signed char)(*text ? *text - '0' : -1);
    }
    if (good && tx_delong(a, b, label, t.rows, &d) == TX_OK &&
        tx_average_precision(a, label, t.rows, &precision) == TX_OK) {
        const result results[] = {
            {"positives", (double)d.a.positives, 0, 1},
            {"negatives", (double)d.a.negatives, 0, 1},
            {"auc_a", d.a.auc, 0, 0},
            {"auc_b", d.b.auc, 0, 0},
            {"delong_se_a", d.a.se, 0, 0},
            {"delong_se_b", d.b.se, 0, 0},
            {"delong_z", d.z, 0, 0},
            {"delong_p", d.p, 1, 0},
            {"ap_a", precision, 0, 0},
        };
        compare_row(expected, row, name, results, sizeof results / sizeof results[0]);
    } else {
        fail(name);
    }
    tx_free(a);
    tx_free(b);
    tx_free(label);
    table_close(&t);
}

static void check_ranks(const char *folder, const table *expected, size_t row)
{
    char file[128];
    snprintf(file, sizeof file, "ranks-%.100s", cell(expected, row, 0));
    table t;
    tx_fail(TX_ERR_FILE, "cannot be read");
    if (table_open(&t, folder, "ranks-", cell(expected, row, 0))) {
        fail(file);
        return;
    }
    int x_column = find_column(&t, "x"), y_column = find_column(&t, "y");
    if (x_column < 0 || y_column < 0) {
        skip("row", file);
        table_close(&t);
        return;
    }
    double *x = numbers(&t, x_column, file), *y = numbers(&t, y_column, file);
    tx_spearman_result s;
    if (x && y && tx_spearman(x, y, t.rows, &s) == TX_OK) {
        const result results[] = {
            {"n", (double)t.rows, 0, 1},
            {"spearman", s.rho, 0, 0},
            {"p", s.p, 1, 0},
            {"pearson", tx_pearson(x, y, t.rows), 0, 0},
            {"kendall", tx_kendall(x, y, t.rows), 0, 0},
        };
        compare_row(expected, row, file, results, sizeof results / sizeof results[0]);
    } else {
        fail(file);
    }
    tx_free(x);
    tx_free(y);
    table_close(&t);
}

static int check_table(const char *folder, const char *name, const char *const *known, size_t n_known,
                       void (*check)(const char *, const table *, size_t))
{
    table expected;
    if (table_open(&expected, folder, "", name))
        return -1;
    if (strcmp(expected.cell[0], "name") != 0) {
        fprintf(stderr, "stats: %s/%s.csv: the first column is \"%s\", expected \"name\"\n", folder, name,
                expected.cell[0]);
        table_close(&expected);
        return -1;
    }
    for (size_t c = 1; c < expected.columns; c++) {
        size_t k = 0;
        while (k < n_known && strcmp(expected.cell[c], known[k]) != 0)
            k++;
        if (k == n_known)
            skip("column", expected.cell[c]);
    }
    for (size_t row = 0; row < expected.rows; row++)
        check(folder, &expected, row);
    table_close(&expected);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const scores[] = {"positives",   "negatives", "auc_a",    "auc_b", "delong_se_a",
                                         "delong_se_b", "delong_z",  "delong_p", "ap_a"};
    static const char *const ranks[] = {"n", "spearman", "p", "pearson", "kendall"};
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: stats DIR\n");
        return 2;
    }
    int missing = check_table(argv[1], "expected", scores, sizeof scores / sizeof scores[0], check_scores);
    missing += check_table(argv[1], "ranks", ranks, sizeof ranks / sizeof ranks[0], check_ranks);
    count.failed -= missing;
    fflush(stdout);
    int nothing = count.values + count.failed == 0;
    if (nothing && count.skipped)
        fprintf(stderr, "stats: nothing was compared, %ld rows or columns that this version does not know\n",
                count.skipped);
    count.failed += tx_alloc_spoiled() != 0;
    printf("%ld files, %ld values compared, %ld skipped, %ld failed\n", count.files, count.values, count.skipped,
           count.failed);
    return count.failed > 0 || (nothing && !count.skipped);
}
