/* bench_svg.c - charts: whatever the values, lines, bands and marks stand where the axes say that their numbers are; names
 * that are just as long as the legend has room for. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "../bench/report.h"
#include "../bench/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The n-th place behind which the mark stands; NULL: there are fewer. */
static const char *behind(const char *text, const char *mark, int n)
{
    for (; text && n >= 0; n--) {
        text = strstr(text, mark);
        text = text ? text + strlen(mark) : NULL;
    }
    return text;
}

static int count(const char *text, const char *mark)
{
    int n = 0;
    while ((text = behind(text, mark, 0)))
        n++;
    return n;
}

/* Two labels of an axis and where they stand: coordinate = at + by * value. */
typedef struct axis {
    double at, by, first, last; /* the outermost labels */
    int labels;
} axis;

static axis read_axis(const char *text, int vertical)
{
    axis a = {0};
    double place[50], value[50];
    const char *p = text, *mark = vertical ? "text-anchor=\"end\" dy=\"4\">" : "text-anchor=\"middle\">";
    while (a.labels < 50 && (p = strstr(p, "<text x=\""))) {
        double x = strtod(p + 9, NULL), y = strtod(strstr(p, " y=\"") + 4, NULL);
        const char *end = strchr(p, '>'), *here = strstr(p, mark);
        p = end;
        if (!here || here + strlen(mark) != end + 1 || !strchr("0123456789.-", end[1]))
            continue;
        place[a.labels] = vertical ? y : x;
        value[a.labels++] = strtod(end + 1, NULL);
    }
    if (a.labels < 2)
        return a;
    int n = a.labels - 1;
    a.first = value[0];
    a.last = value[n];
    a.by = (place[n] - place[0]) / (value[n] - value[0]);
    a.at = place[0] - a.by * value[0];
    for (int i = 0; i <= n; i++)
        CHECK(fabs(a.at + a.by * value[i] - place[i]) < 0.11, "label %g stands at %g", value[i], place[i]);
    return a;
}

static void points_of(const char *path, int closed, const double *x, const double *y, size_t n, const axis *ax,
                      const axis *ay)
{
    int down = 0;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(x[k]) || !isfinite(y[k])) {
            down = closed && down;
            continue;
        }
        CHECK(*path == (down ? 'L' : 'M'), "point %zu begins with '%.9s'", k, path);
        char *end;
        double px = strtod(path + 1, &end), py = strtod(end, &end);
        CHECK(fabs(px - ax->at - ax->by * x[k]) < 0.16 && fabs(py - ay->at - ay->by * y[k]) < 0.16,
              "point %zu (%g, %g) stands at %g, %g", k, x[k], y[k], px, py);
        path = end;
        down = 1;
    }
    CHECK(*path == (closed ? 'Z' : '"'), "behind the points stands '%.9s'", path);
}

static void chart(const double *x, const double *y, const double *low, const double *high, size_t n, double y_low,
                  double y_high)
{
    const svg_curve curves[2] = {{"first", 0, n, x, y, low, high}, {"second", 7, n, x, x, NULL, NULL}};
    tx_buffer t = {0};
    svg_lines(&t, &(svg_chart){.title = "t",
                               .x_name = "x",
                               .y_name = "y",
                               .y_low = y_low,
                               .y_high = y_high,
                               .curve = curves,
                               .curves = 1});
    CHECK(t.status == TX_OK && !strstr(t.data, "nan") && !strstr(t.data, "inf"), "no numbers in a chart");
    axis ax = read_axis(t.data, 0), ay = read_axis(t.data, 1);
    CHECK(ax.labels >= 2 && ax.labels <= 10 && ay.labels >= 2 && ay.labels <= 10 && ax.by > 0 && ay.by < 0,
          "%d and %d labels", ax.labels, ay.labels);
    double most = -INFINITY, least = INFINITY;
    size_t finite = 0;
    for (size_t k = 0; k < n; k++)
        if (isfinite(x[k]) && isfinite(y[k])) {
            most = fmax(most, high && isfinite(high[k]) ? high[k] : y[k]);
            least = fmin(least, low && isfinite(low[k]) ? low[k] : y[k]);
            finite++;
        }
    if (y_low != 0 || y_high != 0)
        CHECK(ay.first >= y_low - 1e-9 && ay.last <= y_high + 1e-9, "labels beyond the range that was asked for");
    else if (finite)
        CHECK(ay.first <= least + 1e-9 && ay.last >= most - 1e-9, "%g to %g are beyond the axis from %g to %g", least,
              most, ay.first, ay.last);
    const char *line = behind(t.data, "stroke-dasharray=\"\" d=\"", 0);
    CHECK(line != NULL, "no line");
    points_of(line, 0, x, y, n, &ax, &ay);
    CHECK(count(t.data, "<circle") == (n <= 40 ? (int)finite : 0), "%d marks for %zu points", count(t.data, "<circle"),
          n);
    for (int i = 0, k = 0; n <= 40 && i < (int)finite; i++, k++) {
        while (!isfinite(x[k]) || !isfinite(y[k]))
            k++;
        const char *mark = behind(t.data, "<circle cx=\"", i);
        double px = strtod(mark, NULL), py = strtod(behind(mark, "cy=\"", 0), NULL);
        CHECK(fabs(px - ax.at - ax.by * x[k]) < 0.16 && fabs(py - ay.at - ay.by * y[k]) < 0.16, "mark %d", i);
    }
    const char *band = behind(t.data, "<path d=\"M", 0);
    while (band && !strstr(band, "fill-opacity"))
        band = NULL;
    for (int i = 0; low && band && i < 60; i++) {
        band = behind(t.data, "<path d=\"", i);
        if (band && strcspn(band, "Z\"") < strcspn(band, "\""))
            break;
    }
    CHECK(!low == !strstr(t.data, "fill-opacity"), "a band");
    if (low && band) {
        double both_x[100], both_y[100];
        size_t m = 0;
        for (size_t k = 0; k < n; k++)
            if (isfinite(low[k]) && isfinite(high[k])) {
                both_x[m] = x[k];
                both_y[m++] = high[k];
            }
        for (size_t k = n; k-- > 0;)
            if (isfinite(low[k]) && isfinite(high[k])) {
                both_x[m] = x[k];
                both_y[m++] = low[k];
            }
        points_of(band, 1, both_x, both_y, m, &ax, &ay);
    }
    tx_buffer_free(&t);
}

static void charts(void)
{
    double x[41], y[41], low[41], high[41];
    for (int i = 0; i < 41; i++) {
        x[i] = 100 + 7 * i;
        y[i] = 0.5 + 0.4 * sin(i);
        low[i] = y[i] - 0.1;
        high[i] = y[i] + 0.07 * (i % 3);
    }
    for (size_t n = 2; n <= 41; n += n < 5 ? 1 : 12) {
        chart(x, y, NULL, NULL, n, 0, 0);
        chart(x, y, low, high, n, 0, 0);
        chart(x, y, low, high, n, 0.25, 1);
    }
    chart(x, y, NULL, NULL, 40, 0, 0);
    chart(x, y, NULL, NULL, 1, 0, 0);
    chart(x, y, NULL, NULL, 0, 0, 0);
    y[0] = y[7] = y[8] = NAN;
    x[3] = INFINITY;
    low[5] = high[6] = NAN;
    low[0] = low[7] = low[8] = NAN;
    x[3] = 121;
    chart(x, y, NULL, NULL, 20, 0, 0);
    chart(x, y, low, high, 20, 0, 0);
    for (int i = 0; i < 41; i++) {
        x[i] = i + 1;
        y[i] = -3;
    }
    chart(x, y, NULL, NULL, 12, 0, 0); /* a constant */
    for (int i = 0; i < 41; i++)
        y[i] = (i - 20) * 1e6;
    chart(x, y, NULL, NULL, 41, 0, 0);
    for (int i = 0; i < 41; i++)
        y[i] = 1e-7 * i;
    chart(x, y, NULL, NULL, 41, 0, 0);
}

/* Names as long as there is room, and longer; cut between characters; a row is begun where one is full. */
static void legends(void)
{
    static const double x[] = {1, 2}, y[] = {1, 2};
    for (size_t n = 44; n < 54; n++)
        for (int wide = 0; wide < 2; wide++) {
            char name[80], wanted[100];
            for (size_t i = 0; i < n; i++)
                name[i] = wide ? (i % 2 ? '\xa9' : '\xc3') : (char)('a' + i % 26);
            name[n] = 0;
            if (wide && n % 2)
                memcpy(name + n - 1, "z", 2);
            size_t kept = wide && n > 48 ? 46 : n > 48 ? 46 : n;
            snprintf(wanted, sizeof wanted, ">%.*s%s</text>", (int)kept, name, n > 48 ? ".." : "");
            const svg_curve curve[3] = {
                {name, 0, 2, x, y, NULL, NULL}, {"b", 1, 2, x, y, NULL, NULL}, {name, 2, 2, x, y, NULL, NULL}};
            tx_buffer t = {0};
            svg_lines(&t, &(svg_chart){.title = "t", .x_name = "x", .y_name = "y", .curve = curve, .curves = 3});
            CHECK(count(t.data, wanted) == 2, "%zu bytes are not shown as %s", n, wanted);
            CHECK(strstr(t.data, "M62.0 30h26") && strstr(t.data, "M62.0 46h26"), "rows of the legend: %zu", n);
            tx_buffer_free(&t);
        }
    char name[80] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9zzzz"; /* the cut falls into a character */
    const svg_curve curve = {name, 0, 2, x, y, NULL, NULL};
    tx_buffer t = {0};
    svg_lines(&t, &(svg_chart){.title = "t", .x_name = "x", .y_name = "y", .curve = &curve, .curves = 1});
    CHECK(strstr(t.data, "aaa..</text>") && !strstr(t.data, "\xc3.."), "a character is cut");
    tx_buffer_free(&t);
}

/* The axis of steps begins where training does, also with a single evaluation. */
static void from_zero(void)
{
    const double x = 5, y = 0.5;
    const svg_curve curve = {"a", 0, 1, &x, &y, NULL, NULL};
    for (int zero = 0; zero < 2; zero++) {
        tx_buffer t = {0};
        svg_lines(&t, &(svg_chart){
                          .title = "t", .x_name = "x", .y_name = "y", .from_zero = zero, .curve = &curve, .curves = 1});
        CHECK((strstr(t.data, ">5.2<") == NULL) == zero && (strstr(t.data, ">3<") != NULL) == zero, "from 0: %d: %s",
              zero, t.data);
        tx_buffer_free(&t);
    }
}

int main(void)
{
    charts();
    legends();
    from_zero();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_svg");
}
