/* bench_svg_scatter.c - points, bars, ROC curves and calibration: marks stand where the axes say, names cover nothing and
 * lead to their points, whatever is drawn; the same bytes on every machine. */
#include "../bench/statistics.h"
#include "../bench/svg_labels.h"
#include "svg_check.h"

#include <math.h>

enum { MOST = 49 };

static uint64_t state = 7;
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* ------------------------------------------------------------------------------------------- names alone */
static void check_places(const svg_label *l, size_t n, const svg_ground *g, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        svg_box b = {l[i].left, l[i].top, l[i].left + l[i].width, l[i].top + l[i].height};
        double dx = l[i].x < b.left ? b.left - l[i].x : l[i].x > b.right ? l[i].x - b.right : 0;
        double dy = l[i].y < b.top ? b.top - l[i].y : l[i].y > b.bottom ? l[i].y - b.bottom : 0;
        const svg_segment *s = &l[i].leader;
        CHECK(l[i].placed && b.left >= g->frame.left && b.right <= g->frame.right && b.top >= g->frame.top &&
                  b.bottom <= g->frame.bottom,
              "%s: label %zu stands at %g, %g", what, i, b.left, b.top);
        for (size_t k = 0; k < g->boxes; k++)
            CHECK(!overlap(&b, &g->box[k], 0), "%s: label %zu covers box %zu", what, i, k);
        for (size_t k = 0; k < i; k++) {
            svg_box o = {l[k].left, l[k].top, l[k].left + l[k].width, l[k].top + l[k].height};
            CHECK(!overlap(&b, &o, 0), "%s: label %zu covers label %zu", what, i, k);
        }
        CHECK(l[i].led == (sqrt(dx * dx + dy * dy) >= SVG_MARKER + 6), "%s: label %zu is %g, %g away", what, i, dx, dy);
        CHECK(!l[i].led || (fabs(hypot(s->x1 - l[i].x, s->y1 - l[i].y) - SVG_MARKER - 2) < 1e-9 && s->x0 >= b.left &&
                            s->x0 <= b.right && s->y0 >= b.top && s->y0 <= b.bottom),
              "%s: where the line of label %zu leads", what, i);
    }
}

/* Families differ without colour: no two of the first styles have the same marker, filled or hollow. */
static void markers(void)
{
    tx_buffer drawn[SVG_STYLES] = {{0}};
    for (int i = 0; i < SVG_STYLES; i++) {
        svg_marker(&drawn[i], i, 0, 0, 0);
        char *fill = strstr(drawn[i].data, "fill");
        CHECK(fill != NULL, "%s", drawn[i].data);
        if (fill)
            *fill = 0; /* the shape alone */
        for (int k = 0; k < i; k++)
            CHECK(strcmp(drawn[i].data, drawn[k].data) && strcmp(svg_dashes(i), svg_dashes(k)),
                  "styles %d and %d differ by colour alone", k, i);
    }
    for (int i = 0; i < SVG_STYLES; i++)
        tx_buffer_free(&drawn[i]);
}

static void places(void)
{
    svg_label l[MOST];
    svg_box box[MOST];
    for (int kind = 0; kind < 3; kind++)
        for (size_t n = 1; n <= MOST; n += 12) {
            svg_ground g = {{60, 40, 460, 340}, box, n, NULL, 0};
            for (size_t i = 0; i < n; i++) {
                l[i] = (svg_label){.x = kind == 1 ? 200 : 70 + 380 * uniform(),
                                   .y = kind == 2   ? 180
                                        : kind == 1 ? 150
                                                    : 60 + 260 * uniform(),
                                   .width = 20 + 30 * uniform(),
                                   .height = 12};
                box[i] = (svg_box){l[i].x - 5.5, l[i].y - 5.5, l[i].x + 5.5, l[i].y + 5.5};
            }
            CHECK(svg_place_labels(l, n, &g) == 0, "%zu labels of kind %d have no places", n, kind);
            check_places(l, n, &g, "names");
        }
    svg_ground small = {{0, 0, 60, 40}, box, 0, NULL, 0};
    for (int i = 0; i < 9; i++)
        l[i] = (svg_label){.x = 30, .y = 20, .width = 24, .height = 12};
    size_t missing = svg_place_labels(l, 9, &small), placed = 0;
    for (int i = 0; i < 9; i++)
        placed += l[i].placed != 0;
    CHECK(missing > 0 && placed > 0 && placed + missing == 9, "%zu have a place, %zu have none", placed, missing);
    l[0] = (svg_label){.x = 30, .y = 20, .width = 61, .height = 12};
    CHECK(svg_place_labels(l, 1, &small) == 1 && !l[0].placed, "a label wider than its frame");
}

/* -------------------------------------------------------------------------------------------- scatter */
static char names[MOST][40];

static void make_points(svg_point *p, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        double sd = kind == 3 ? (double)NAN : 0.002 + 0.02 * uniform();
        snprintf(names[i], sizeof names[i], i % 5 ? "N%zu" : "Network<%zu>&", i);
        p[i] = (svg_point){.name = names[i],
                           .about = "about \"it\"",
                           .style = (int)(i % 9),
                           .hollow = kind == 2,
                           .x = 60 + 20 * uniform(),
                           .y = 0.8 + 0.1 * uniform()};
        if (kind == 1 && i)
            p[i].x = p[0].x;
        if (kind == 1 && i)
            p[i].y = p[0].y;
        if (kind == 2 || kind == 4)
            p[i].y = 0.85;
        if (kind == 4) {
            snprintf(names[i], sizeof names[i], "Network-%zu-of-many", i);
            sd = 0.05;
        }
        p[i].low = p[i].y - sd;
        p[i].high = p[i].y + sd;
    }
}

/* Where the markers stand, in the order of the points. */
static int read_markers(const char *svg, double *x, double *y)
{
    int n = 0;
    for (const char *p = strstr(svg, "<g>"); p && n < MOST; p = strstr(p + 1, "<g>")) {
        const char *end = strstr(p, "</g>"), *mark = NULL;
        for (const char *q = strstr(p, "<path"); q && q < end; q = strstr(q + 1, "<path"))
            mark = q;
        char *after;
        x[n] = strtod(mark + 10, &after);
        y[n++] = strtod(after, NULL);
    }
    return n;
}

/* Two numbers of an axis give place = at + by * value. */
static void read_axis(const svg_seen *s, int vertical, int log_x, double *at, double *by)
{
    double place[TEXTS], value[TEXTS];
    int n = 0;
    double row = 0;
    for (int i = 0; i < s->texts; i++) {
        const svg_box *b = &s->text[i].box;
        char *end;
        double v = strtod(s->text[i].text, &end);
        if (*end || end == s->text[i].text || s->text[i].name)
            continue;
        int below = n ? fabs(b->bottom - row) < 0.1 : 1, is_y = fabs(b->right - 56) < 0.1;
        if (vertical ? !is_y : is_y || !below)
            continue;
        row = b->bottom;
        place[n] = vertical ? b->bottom - 6 : (b->left + b->right) / 2;
        value[n++] = log_x ? log10(v) : v;
    }
    CHECK(n >= 2, "%d numbers on an axis", n);
    *by = n < 2 ? 0 : (place[n - 1] - place[0]) / (value[n - 1] - value[0]);
    *at = n < 2 ? 0 : place[0] - *by * value[0];
    for (int i = 0; i < n; i++)
        CHECK(fabs(*at + *by * value[i] - place[i]) < 0.16, "a number of an axis stands at %g", place[i]);
}

static void check_names(const char *svg, const svg_seen *seen, const svg_point *p, const double *x, const double *y,
                        size_t n, double at, double by, const char *what)
{
    const char *frame = strstr(svg, "<path d=\"M62.0 ");
    while (frame && !has(frame, "fill=\"none\" stroke=\"#444\""))
        frame = strstr(frame + 1, "<path d=\"M62.0 ");
    double top = strtod(frame + 15, NULL), bottom = strtod(strchr(frame, 'V') + 1, NULL);
    size_t named = 0;
    for (int i = 0; i < seen->texts; i++) {
        const svg_box *b = &seen->text[i].box;
        if (!seen->text[i].name)
            continue;
        named++;
        CHECK(b->left >= 62 && b->right <= 464.1 && b->top >= top && b->bottom <= bottom, "%s: %s leaves the frame",
              what, seen->text[i].text);
        for (size_t k = 0; k < n; k++) {
            svg_box mark = {x[k] - 5, y[k] - 5, x[k] + 5, y[k] + 5};
            svg_box bar = {x[k] - 3, at + by * p[k].high, x[k] + 3, at + by * p[k].low};
            CHECK(!overlap(b, &mark, 0.2), "%s: %s covers point %zu", what, seen->text[i].text, k);
            CHECK(isnan(p[k].high) || !overlap(b, &bar, 0.3), "%s: %s covers bar %zu", what, seen->text[i].text, k);
        }
    }
    CHECK(named == n, "%s: %zu of %zu names", what, named, n);
}

static void scatter(size_t n, int kind, int log_x)
{
    static svg_seen seen;
    svg_point p[MOST];
    double x[MOST], y[MOST], at_x, by_x, at_y, by_y;
    char what[64];
    tx_buffer t = {0};
    const svg_key key[] = {{"A<B", 0, 0},
                           {"a family with a rather long name", 1, 1},
                           {"and another", 2, 0},
                           {"more", 3, 0},
                           {"of them", 4, 0}};
    make_points(p, n, kind);
    snprintf(what, sizeof what, "%zu points of kind %d%s", n, kind, log_x ? ", log" : "");
    svg_scatter_chart c = {.title = "A title that is longer than a chart of 480 units is wide, so that it is broken",
                           .x_name = "x & x",
                           .y_name = "y",
                           .notes = "rho 0.1\nof <these>",
                           .foot = "a foot",
                           .log_x = log_x,
                           .fitted = 1,
                           .levelled = kind == 2,
                           .level = 0.8,
                           .point = p,
                           .points = n,
                           .key = key,
                           .keys = 5};
    CHECK(svg_scatter(&t, &c) == TX_OK, "%s: %s", what, tx_error_message());
    check_svg(t.data, what, &seen);
    CHECK(read_markers(t.data, x, y) == (int)n, "%s: markers", what);
    read_axis(&seen, 0, log_x, &at_x, &by_x);
    read_axis(&seen, 1, 0, &at_y, &by_y);
    for (size_t i = 0; i < n; i++)
        CHECK(fabs(at_x + by_x * (log_x ? log10(p[i].x) : p[i].x) - x[i]) < 0.3 &&
                  fabs(at_y + by_y * p[i].y - y[i]) < 0.3 && by_x > 0 && by_y < 0,
              "%s: point %zu stands at %g, %g", what, i, x[i], y[i]);
    check_names(t.data, &seen, p, x, y, n, at_y, by_y, what);
    tx_buffer_free(&t);
}

static void scatters(void)
{
    for (int kind = 0; kind < 4; kind++)
        for (size_t n = 17; n <= MOST; n += 16)
            scatter(n, kind, kind % 2 == 0);
    scatter(25, 4, 0);
    for (size_t n = 1; n < 4; n++)
        scatter(n, 0, (int)n % 2);
}

/* The fitted line goes through what least squares say; it needs three points and two places. */
static void fitted(void)
{
    svg_point p[4] = {{.x = 1, .y = 2}, {.x = 2, .y = 2.5}, {.x = 4, .y = 3}, {.x = 5, .y = 5}};
    static svg_seen seen;
    double at_x, by_x, at_y, by_y;
    tx_buffer t = {0};
    svg_scatter(&t,
                &(svg_scatter_chart){.title = "t", .x_name = "x", .y_name = "y", .fitted = 1, .point = p, .points = 4});
    check_svg(t.data, "a fitted line", &seen);
    read_axis(&seen, 0, 0, &at_x, &by_x);
    read_axis(&seen, 1, 0, &at_y, &by_y);
    const char *line = strstr(t.data, "stroke-dasharray=\"6 4\"");
    while (line && *line != '<')
        line--;
    CHECK(line != NULL, "no fitted line");
    if (line) {
        char *q;
        double x0 = strtod(line + 10, &q), y0 = strtod(q, &q), x1 = strtod(q + 1, &q), y1 = strtod(q, &q);
        /* mean 3, 3.125; sum of squares 10, of products 6.5 */
        CHECK(fabs(x0 - at_x - by_x) < 0.2 && fabs(x1 - at_x - 5 * by_x) < 0.2 &&
                  fabs(y0 - at_y - by_y * (3.125 - 2 * 0.65)) < 0.2 &&
                  fabs(y1 - at_y - by_y * (3.125 + 2 * 0.65)) < 0.2,
              "the line goes from %g, %g to %g, %g", x0, y0, x1, y1);
    }
    tx_buffer_free(&t);
    for (int same = 0; same < 2; same++) {
        for (int i = 0; i < 4; i++)
            p[i].x = 3;
        svg_scatter(&t,
                    &(svg_scatter_chart){
                        .title = "t", .x_name = "x", .y_name = "y", .fitted = 1, .point = p, .points = same ? 4 : 2});
        CHECK(!strstr(t.data, "stroke-dasharray=\"6 4\""), "a line through one place");
        tx_buffer_free(&t);
    }
}

/* Numbers of an axis that are as wide as they are apart. */
static void wide_numbers(void)
{
    static svg_seen seen;
    const svg_point p[] = {{.x = 1000000, .y = 1}, {.x = 1000007, .y = 2}};
    tx_buffer t = {0};
    svg_scatter(&t, &(svg_scatter_chart){.title = "t", .x_name = "x", .y_name = "y", .point = p, .points = 2});
    check_svg(t.data, "wide numbers", &seen);
    CHECK(svg_says(&seen, "1000000") && svg_says(&seen, "1000002"), "no numbers");
    tx_buffer_free(&t);
}

/* What cannot be drawn is left out; nothing is said to be so; joined are neighbours of one number. */
static void odd(void)
{
    static svg_seen seen;
    double x[MOST], y[MOST];
    svg_point p[6] = {{.name = "a", .x = 1, .y = 1, .line = 1}, {.name = "b", .x = (double)NAN, .y = 1, .line = 1},
                      {.name = "c", .x = 2, .y = 2, .line = 1}, {.name = "d", .x = -1, .y = 2, .line = 2},
                      {.name = "", .x = 3, .y = 1, .line = 2},  {.name = "f", .x = 4, .y = (double)INFINITY}};
    tx_buffer t = {0};
    svg_scatter_chart c = {.title = "t", .x_name = "x", .y_name = "y", .log_x = 1, .point = p, .points = 6};
    svg_scatter(&t, &c);
    check_svg(t.data, "odd points", &seen);
    CHECK(read_markers(t.data, x, y) == 3 && svg_says(&seen, "a") && !svg_says(&seen, "d"), "which points are drawn");
    int lines = 0;
    for (const char *q = t.data; (q = strstr(q, "stroke-width=\"1.5\" stroke-dasharray")); q++)
        lines++;
    CHECK(lines == 1, "%d lines join them", lines);
    tx_buffer_free(&t);
    c.points = 0;
    svg_scatter(&t, &c);
    check_svg(t.data, "no points", &seen);
    CHECK(svg_says(&seen, "no values"), "an empty chart does not say so");
    tx_buffer_free(&t);
    char name[600];
    memset(name, 'W', sizeof name);
    name[sizeof name - 1] = 0;
    p[0].name = name;
    c.points = 1;
    c.key = &(svg_key){name, 0, 0};
    c.keys = 1;
    c.notes = name;
    svg_scatter(&t, &c);
    check_svg(t.data, "a long name", &seen);
    CHECK(svg_says(&seen, "WW.."), "a name that is cut does not say so");
    tx_buffer_free(&t);
    for (long n = 0;; n++) {
        tx_alloc_fail_after(n);
        tx_status status = svg_scatter(&t, &c);
        tx_alloc_fail_after(-1);
        CHECK(status == t.status && (status == TX_OK || status == TX_ERR_MEMORY), "allocation %ld: %d", n, status);
        tx_buffer_free(&t);
        if (status == TX_OK || n == 99)
            break;
    }
}

/* ------------------------------------------------------------------------------------------------ bars */
static void bars(void)
{
    static svg_seen seen;
    double nan = (double)NAN;
    const svg_bar_row row[] = {
        {"all <of> them", -1, {0.7, 0.8}, {0.68, 0.79}, {0.72, 0.81}},
        {"below", 1, {0.45, 0.5}, {0.4, nan}, {0.5, nan}},
        {"a name that is far too long for the column of names", 2, {nan, 0.9}, {nan, 0.85}, {nan, 0.95}}};
    svg_bar_chart c = {.title = "Bars",
                       .x_name = "AUC",
                       .notes = "n",
                       .foot = "f",
                       .series = {"without", "with"},
                       .base = 0.5,
                       .decimals = 2,
                       .row = row,
                       .rows = 3};
    tx_buffer t = {0};
    svg_bars(&t, &c);
    check_svg(t.data, "bars", &seen);
    CHECK(svg_says(&seen, "0.45") && svg_says(&seen, "missing") && svg_says(&seen, "all <of> them") &&
              svg_says(&seen, "a name that is far too.."),
          "texts of bars");
    /* Widths are as values less the base: the first two rectangles are the legend's. */
    double width[8], x[8];
    int n = 0;
    for (const char *p = strstr(t.data, "<rect"); p && n < 8; p = strstr(p + 1, "<rect")) {
        x[n] = attribute(p, " x=\"");
        width[n++] = attribute(p, " width=\"");
    }
    CHECK(n == 7 && fabs(width[3] / width[2] - 1.5) < 0.01 && fabs(width[6] / width[2] - 2) < 0.01 &&
              fabs(width[4] / width[2] - 0.25) < 0.01 && fabs(x[4] + width[4] - x[2]) < 0.2 && x[3] == x[2],
          "%d bars", n);
    tx_buffer_free(&t);
    c.rows = 0;
    svg_bars(&t, &c);
    check_svg(t.data, "no bars", &seen);
    CHECK(svg_says(&seen, "no values"), "no bars do not say so");
    tx_buffer_free(&t);
}

/* ---------------------------------------------------------------------------------------------- scores */
enum { SCORES = 400 };

static void make_scores(double *score, signed char *label, int steps)
{
    for (int i = 0; i < SCORES; i++) {
        label[i] = (signed char)(uniform() < 0.1 ? -1 : uniform() < 0.3);
        score[i] = 0.7 * uniform() + 0.3 * (label[i] > 0) * uniform();
        score[i] = steps ? floor(steps * score[i]) / steps : score[i];
    }
}

/* The area below the line that is drawn is the AUC. */
static void roc(int steps)
{
    static svg_seen seen;
    static double score[SCORES];
    static signed char label[SCORES], none[SCORES];
    tx_auc_result auc;
    tx_buffer t = {0};
    make_scores(score, label, steps);
    const svg_scores task[] = {{"A & B", score, label, SCORES}, {"none", score, none, SCORES}};
    CHECK(svg_roc(&t, "ROC", "foot", task, 2) == TX_OK && tx_auc_of(score, label, SCORES, &auc) == TX_OK, "%s",
          tx_error_message());
    check_svg(t.data, "ROC", &seen);
    CHECK(svg_says(&seen, "none: no curve without both classes") && svg_says(&seen, "A & B: AUC 0."), "the legend");
    const char *line = strstr(t.data, "<path fill=\"none\" stroke=\"#0072b2\"");
    line = line ? strstr(line, " d=\"M") + 5 : "0 0\"";
    double area = 0, x0 = 0, y0 = 0, first_x = 0, first_y = 0;
    for (int k = 0;; k++) {
        char *end;
        double x = strtod(line, &end), y = strtod(end, &end);
        if (k == 0) {
            first_x = x;
            first_y = y;
        } else
            area += (x - x0) * (first_y - (y + y0) / 2);
        CHECK(k == 0 || (x >= x0 && y <= y0), "the curve goes back at %g, %g", x, y);
        x0 = x;
        y0 = y;
        if (*end != 'L')
            break;
        line = end + 1;
    }
    CHECK(fabs(x0 - first_x - 300) < 0.11 && fabs(first_y - y0 - 300) < 0.11, "the curve ends at %g, %g", x0, y0);
    CHECK(fabs(area / 90000 - auc.auc) < 0.003, "the area below the curve is %g, not %g", area / 90000, auc.auc);
    tx_buffer_free(&t);
    score[0] = (double)NAN;
    label[0] = 1;
    CHECK(svg_roc(&t, "ROC", NULL, task, 1) == TX_ERR_ARGUMENT && t.status == TX_ERR_ARGUMENT, "a score that is none");
    tx_buffer_free(&t);
}

static void calibration(void)
{
    static svg_seen seen;
    double score[40];
    signed char label[40];
    for (int i = 0; i < 40; i++) {
        score[i] = i < 20 ? 0.25 : i < 36 ? 0.81 : 1;
        label[i] = (signed char)(i < 20 ? i < 4 : i < 36 ? i < 32 : i == 36 ? -1 : 1);
    }
    const svg_scores task[] = {{"one", score, label, 40}, {"two", score, label, 40}};
    tx_buffer t = {0};
    CHECK(svg_calibration(&t, "Calibration", NULL, task, 1) == TX_OK, "%s", tx_error_message());
    check_svg(t.data, "calibration", &seen);
    CHECK(svg_says(&seen, "one: n = 39"), "the legend");
    double left = 62, top = strtod(strstr(t.data, "<path d=\"M62.0 ") + 15, NULL);
    const char *frame = t.data;
    while ((frame = strstr(frame, "<path d=\"M62.0 ")) && !has(frame, "fill=\"none\" stroke=\"#444\""))
        frame++;
    top = frame ? strtod(frame + 15, NULL) : top;
    const char *line = strstr(strstr(t.data, "<path fill=\"none\" stroke=\"#0072b2\""), " d=\"M") + 5;
    const double x[] = {0.25, 0.81, 1}, y[] = {0.2, 0.75, 1};
    for (int k = 0; k < 3; k++) {
        char *end;
        double px = strtod(line, &end), py = strtod(end, &end);
        CHECK(fabs(px - left - 300 * x[k]) < 0.11 && fabs(py - top - 300 * (1 - y[k])) < 0.11, "bin %d: %g, %g", k, px,
              py);
        line = end + 1;
    }
    /* Wilson's interval of 4 in 20: 0.0807 to 0.4160. */
    char low[TX_NUMBER], high[TX_NUMBER], bar[96];
    snprintf(bar, sizeof bar, "<path d=\"M137.0 %sV%s\"",
             tx_number_fixed(low, sizeof low, top + 300 * (1 - 0.08066), 1),
             tx_number_fixed(high, sizeof high, top + 300 * (1 - 0.41602), 1));
    CHECK(strstr(t.data, bar) != NULL, "no bar %s", bar);
    tx_buffer_free(&t);
    CHECK(svg_calibration(&t, "Calibration", NULL, task, 2) == TX_OK && !strstr(t.data, bar), "bars of two tasks");
    check_svg(t.data, "calibration of two", &seen);
    tx_buffer_free(&t);
    score[3] = 1.5;
    CHECK(svg_calibration(&t, "Calibration", NULL, task, 1) == TX_ERR_ARGUMENT, "a probability of 1.5");
    tx_buffer_free(&t);
}

static void bytes(void)
{
    svg_point p[MOST];
    tx_buffer t = {0};
    state = 11;
    make_points(p, 30, 0);
    svg_scatter(&t, &(svg_scatter_chart){
                        .title = "t", .x_name = "x", .y_name = "y", .log_x = 1, .fitted = 1, .point = p, .points = 30});
    check_bytes(&t, "644183e5f052c13966afadc9997e27c3976d665caf6f380bedd0f8b1efe85c83", "thirty points");
    tx_buffer_free(&t);
}

int main(void)
{
    markers();
    places();
    scatters();
    fitted();
    wide_numbers();
    odd();
    bars();
    roc(0);
    roc(7);
    calibration();
    bytes();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_svg_scatter");
}
