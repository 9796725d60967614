/* svg_bars.c - bars that lie, two a row, with their numbers, as inline SVG. */
#include "svg.h"
#include "svg_axes.h"

#include <math.h>
#include <string.h>

enum { WIDTH = SVG_WIDTH, MARGIN = SVG_MARGIN, NAMES = 150, NUMBER = 56, BAR = 12, BETWEEN = 12, CAP = 3 };

static void include(svg_scale *s, double v)
{
    if (!isfinite(v))
        return;
    s->low = v < s->low ? v : s->low;
    s->high = v > s->high ? v : s->high;
}

/* Where the longest name ends, at most NAMES units. */
static double names_width(const svg_bar_chart *c)
{
    double most = 0;
    for (size_t i = 0; i < c->rows; i++) {
        double w = svg_text_width(c->row[i].name, strlen(c->row[i].name), 0);
        most = w > most ? w : most;
    }
    return most > NAMES ? NAMES : most;
}

static svg_scale scale_of(const svg_bar_chart *c, const svg_box *frame)
{
    svg_scale s = {c->base, c->base, frame->left, frame->right - NUMBER, 1, 0};
    for (size_t i = 0; i < c->rows; i++)
        for (int k = 0; k < 2; k++) {
            include(&s, c->row[i].value[k]);
            include(&s, isfinite(c->row[i].value[k]) ? c->row[i].low[k] : (double)NAN);
            include(&s, isfinite(c->row[i].value[k]) ? c->row[i].high[k] : (double)NAN);
        }
    if (!(s.high > s.low))
        s.high = s.low + 0.1;
    svg_choose_step(&s, 6);
    svg_round_out(&s);
    return s;
}

static const char grey[] = "#777";

static const char *colour_of(const svg_bar_row *r)
{
    return r->style < 0 ? grey : svg_colour(r->style);
}

static void draw_whisker(tx_buffer *t, const svg_scale *s, double low, double high, double y)
{
    char a[TX_NUMBER], b[TX_NUMBER], c[TX_NUMBER], d[TX_NUMBER];
    svg_unit(a, svg_place(s, low));
    svg_unit(b, svg_place(s, high));
    svg_unit(c, y);
    svg_unit(d, y - CAP);
    for (int k = 0; k < 2; k++)
        tx_buffer_add(t, "<path d=\"M%s %sH%sM%s %sv%dM%s %sv%d\" stroke=\"%s\" fill=\"none\"/>", a, c, b, a, d,
                      2 * CAP, b, d, 2 * CAP, k ? "#222" : "#fff\" stroke-width=\"3");
}

static void draw_bar(tx_buffer *t, const svg_bar_chart *c, const svg_scale *s, const svg_bar_row *r, int k, double top)
{
    char a[TX_NUMBER], b[TX_NUMBER], d[TX_NUMBER], number[TX_NUMBER] = "missing";
    double v = r->value[k], end = svg_place(s, c->base);
    int bar = isfinite(v) && isfinite(r->low[k]) && isfinite(r->high[k]);
    if (isfinite(v)) {
        double from = svg_place(s, v < c->base ? v : c->base), to = svg_place(s, v < c->base ? c->base : v);
        tx_buffer_add(
            t, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%d\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.4\"/>",
            svg_unit(a, from), svg_unit(b, top + 1), svg_unit(d, to - from), BAR - 2, k ? colour_of(r) : "#fff",
            colour_of(r));
        if (bar)
            draw_whisker(t, s, r->low[k], r->high[k], top + BAR / 2.0);
        end = svg_place(s, bar && r->high[k] > v ? r->high[k] : v);
        end = end < svg_place(s, c->base) ? svg_place(s, c->base) : end;
        tx_number_fixed(number, sizeof number, v, c->decimals);
    }
    tx_buffer_add(t, "<text x=\"%s\" y=\"%s\">%s</text>\n", svg_unit(a, end + 6), svg_unit(b, top + 10), number);
}

static void draw_row(tx_buffer *t, const svg_bar_chart *c, const svg_scale *s, const svg_bar_row *r, double top)
{
    char a[TX_NUMBER], b[TX_NUMBER], name[SVG_NAME];
    tx_buffer_add(t, "<text x=\"%s\" y=\"%s\" text-anchor=\"end\">", svg_unit(a, s->from - 8),
                  svg_unit(b, top + BAR + 4.0));
    tx_buffer_html(t, svg_cut(name, r->name, NAMES));
    tx_buffer_append(t, "</text>\n");
    for (int k = 0; k < 2; k++)
        draw_bar(t, c, s, r, k, top + k * BAR);
}

static double draw_series(tx_buffer *t, const svg_bar_chart *c, double y)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    double x = MARGIN;
    for (int k = 0; k < 2; k++) {
        tx_buffer_add(t,
                      "<rect x=\"%s\" y=\"%s\" width=\"22\" height=\"10\" fill=\"%s\" stroke=\"%s\" "
                      "stroke-width=\"1.4\"/>",
                      svg_unit(a, x + 1), svg_unit(b, y - 10), k ? grey : "#fff", grey);
        tx_buffer_add(t, "<text x=\"%s\" y=\"%s\">", svg_unit(a, x + 30), svg_unit(b, y));
        tx_buffer_html(t, c->series[k]);
        tx_buffer_append(t, "</text>\n");
        x += 52 + svg_text_width(c->series[k], strlen(c->series[k]), 0);
    }
    return y + SVG_LINE;
}

void svg_bars(tx_buffer *t, const svg_bar_chart *c)
{
    double width = WIDTH - 2 * MARGIN, y = SVG_LINE;
    int head = svg_text_lines(NULL, c->title, 0, 0, width, 1) + svg_text_lines(NULL, c->notes, 0, 0, width, 0);
    svg_box frame = {MARGIN + names_width(c) + 8, SVG_LINE * (head + 2.0), WIDTH - MARGIN, 0};
    frame.bottom = frame.top + BETWEEN + (c->rows ? (double)c->rows : 1.0) * (2 * BAR + BETWEEN);
    svg_scale s = scale_of(c, &frame);
    svg_begin_framed(t, c->title, c->foot, frame.bottom);
    y += SVG_LINE * svg_text_lines(t, c->title, MARGIN, y, width, 1);
    y += SVG_LINE * svg_text_lines(t, c->notes, MARGIN, y, width, 0);
    draw_series(t, c, y);
    svg_axes(t, &frame, &s, NULL, c->x_name, NULL, 0);
    char a[TX_NUMBER], b[TX_NUMBER], d[TX_NUMBER];
    tx_buffer_add(t, "<path d=\"M%s %sV%s\" stroke=\"#444\"/>\n", svg_unit(a, svg_place(&s, c->base)),
                  svg_unit(b, frame.top), svg_unit(d, frame.bottom));
    if (!c->rows)
        svg_text_lines(t, "no values", frame.left + 8, frame.bottom - 8, width, 0);
    for (size_t i = 0; i < c->rows; i++)
        draw_row(t, c, &s, &c->row[i], frame.top + BETWEEN + (double)i * (2 * BAR + BETWEEN));
    svg_end_framed(t, c->foot, frame.bottom);
}
