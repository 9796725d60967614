/* svg_scatter.c - points with names, bars, joining lines and a fitted one, as inline SVG.
 *
 * The plot has room above and below what is drawn, and more of it until every name has a place. */
#include "svg.h"
#include "svg_axes.h"
#include "svg_labels.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = SVG_WIDTH,
    LEFT = 62,
    RIGHT = 16,
    MARGIN = SVG_MARGIN,
    PLOT = 230,
    INSET = 18, /* between the frame and the outermost x */
    ROOM = 20,  /* above and below the outermost y: a name */
    MORE = 30,
    ATTEMPTS = 40,
    CAP = 3,
    LONGEST = 200 /* a name */
};

/* A chart on its way: where its points stand, and what names keep clear of. */
typedef struct scatter {
    const svg_scatter_chart *c;
    svg_box frame;
    svg_scale x, y;
    size_t drawn;
    const svg_point **point; /* [drawn] */
    svg_label *label;
    svg_box *box;
    size_t boxes, lines, unplaced;
    svg_segment *line;
    double slope, at; /* of the fitted line, over x's scale */
    int fit;
} scatter;

static int can_draw(const svg_scatter_chart *c, const svg_point *p)
{
    return isfinite(p->x) && isfinite(p->y) && (!c->log_x || p->x > 0);
}

static double scale_x(const svg_scatter_chart *c, double x)
{
    return c->log_x ? tx_log(x) / tx_log(10.0) : x;
}

static int has_bar(const svg_point *p)
{
    return isfinite(p->low) && isfinite(p->high);
}

static void include(svg_scale *s, double v, int first)
{
    s->low = first || v < s->low ? v : s->low;
    s->high = first || v > s->high ? v : s->high;
}

/* Least squares. */
static void fit_line(scatter *s)
{
    double n = (double)s->drawn, mean_x = 0, mean_y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < s->drawn; i++) {
        mean_x += scale_x(s->c, s->point[i]->x) / n;
        mean_y += s->point[i]->y / n;
    }
    for (size_t i = 0; i < s->drawn; i++) {
        double dx = scale_x(s->c, s->point[i]->x) - mean_x;
        xx += dx * dx;
        xy += dx * (s->point[i]->y - mean_y);
    }
    s->fit = s->c->fitted && s->drawn >= SVG_FITTED && s->x.high > s->x.low;
    s->slope = s->fit ? xy / xx : 0;
    s->at = mean_y - s->slope * mean_x;
}

static void find_ranges(scatter *s)
{
    const svg_scatter_chart *c = s->c;
    for (size_t i = 0; i < s->drawn; i++) {
        const svg_point *p = s->point[i];
        include(&s->x, scale_x(c, p->x), i == 0);
        include(&s->y, p->y, i == 0);
        include(&s->y, has_bar(p) ? p->low : p->y, 0);
        include(&s->y, has_bar(p) ? p->high : p->y, 0);
    }
    fit_line(s);
    if (s->fit) {
        include(&s->y, s->at + s->slope * s->x.low, 0);
        include(&s->y, s->at + s->slope * s->x.high, 0);
    }
    if (c->levelled)
        include(&s->y, c->level, s->drawn == 0);
    if (c->y_low != 0 || c->y_high != 0) {
        include(&s->y, c->y_low, s->drawn == 0);
        include(&s->y, c->y_high, 0);
    }
    double least = c->log_x ? 0.3 : 0.0;
    if (!(s->x.high - s->x.low > least)) {
        double wide = c->log_x ? (least - (s->x.high - s->x.low)) / 2 : 0.5;
        s->x.low -= wide;
        s->x.high += wide;
    }
    if (!(s->y.high > s->y.low)) {
        s->y.low -= 0.05;
        s->y.high += 0.05;
    }
    svg_choose_step(&s->x, 8);
    svg_choose_step(&s->y, 6);
    svg_round_out(&s->y);
}

/* ---------------------------------------------------------------------------------------------- names */
static double line_y(const scatter *s, double x)
{
    return svg_place(&s->y, s->at + s->slope * x);
}

/* Whether the point is joined to the one before. */
static int joined(const scatter *s, size_t i)
{
    return i > 0 && s->point[i]->line && s->point[i]->line == s->point[i - 1]->line;
}

static void add_line(scatter *s, double x0, double y0, double x1, double y1)
{
    s->line[s->lines++] = (svg_segment){x0, y0, x1, y1};
}

/* What stands where, with `room` above and below. */
static void lay_out(scatter *s, double room)
{
    s->boxes = s->lines = 0;
    s->frame.bottom = s->frame.top + PLOT + 2 * room;
    s->x.from = s->frame.left + INSET;
    s->x.to = s->frame.right - INSET;
    s->y.from = s->frame.bottom - room;
    s->y.to = s->frame.top + room;
    for (size_t i = 0; i < s->drawn; i++) {
        const svg_point *p = s->point[i];
        svg_label *l = &s->label[i];
        double reach = SVG_MARKER - 0.5;
        l->x = svg_place(&s->x, scale_x(s->c, p->x));
        l->y = svg_place(&s->y, p->y);
        s->box[s->boxes++] = (svg_box){l->x - reach, l->y - reach, l->x + reach, l->y + reach};
        if (has_bar(p))
            s->box[s->boxes++] = (svg_box){l->x - CAP, svg_place(&s->y, p->high), l->x + CAP, svg_place(&s->y, p->low)};
        if (joined(s, i))
            add_line(s, l[-1].x, l[-1].y, l->x, l->y);
    }
    if (s->fit)
        add_line(s, s->x.from, line_y(s, s->x.low), s->x.to, line_y(s, s->x.high));
    if (s->c->levelled)
        add_line(s, s->frame.left, svg_place(&s->y, s->c->level), s->frame.right, svg_place(&s->y, s->c->level));
}

/* The labels of what has names, in front of the others' in a list of their own. */
static tx_status place_names(scatter *s)
{
    size_t n = 0;
    svg_label *named = tx_alloc(s->drawn, sizeof *named);
    if (!named)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < s->drawn; i++)
        if (s->point[i]->name && *s->point[i]->name)
            named[n++] = s->label[i];
    s->unplaced = svg_place_labels(named, n, &(svg_ground){s->frame, s->box, s->boxes, s->line, s->lines});
    n = 0;
    for (size_t i = 0; i < s->drawn; i++)
        if (s->point[i]->name && *s->point[i]->name)
            s->label[i] = named[n++];
    tx_free(named);
    return TX_OK;
}

static tx_status find_places(scatter *s)
{
    char name[SVG_NAME];
    tx_status status = TX_OK;
    for (size_t i = 0; i < s->drawn; i++) {
        svg_cut(name, s->point[i]->name ? s->point[i]->name : "", LONGEST);
        s->label[i] = (svg_label){.width = svg_text_width(name, strlen(name), 0), .height = SVG_TEXT};
    }
    for (int k = 0; status == TX_OK && k < ATTEMPTS && (k == 0 || s->unplaced); k++) {
        lay_out(s, ROOM + MORE * k);
        status = place_names(s);
    }
    return status;
}

/* -------------------------------------------------------------------------------------------- drawing */
static void draw_segment(tx_buffer *t, const svg_segment *s, const char *look)
{
    char a[TX_NUMBER], b[TX_NUMBER], c[TX_NUMBER], d[TX_NUMBER];
    tx_buffer_add(t, "<path d=\"M%s %sL%s %s\" %s/>\n", svg_unit(a, s->x0), svg_unit(b, s->y0), svg_unit(c, s->x1),
                  svg_unit(d, s->y1), look);
}

static void draw_lines(tx_buffer *t, const scatter *s)
{
    char look[128];
    size_t k = 0;
    for (size_t i = 1; i < s->drawn; i++)
        if (joined(s, i)) {
            snprintf(look, sizeof look, "stroke=\"%s\" stroke-width=\"1.5\" stroke-dasharray=\"%s\"",
                     svg_colour(s->point[i]->style), svg_dashes(s->point[i]->style));
            draw_segment(t, &s->line[k++], look);
        }
    if (s->fit)
        draw_segment(t, &s->line[k++], "stroke=\"#666\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"");
    if (s->c->levelled)
        draw_segment(t, &s->line[k++], "stroke=\"#444\"");
}

static void draw_bar(tx_buffer *t, const scatter *s, size_t i)
{
    char a[TX_NUMBER], b[TX_NUMBER], c[TX_NUMBER], d[TX_NUMBER];
    const svg_point *p = s->point[i];
    svg_unit(a, s->label[i].x);
    svg_unit(b, s->label[i].x - CAP);
    svg_unit(c, svg_place(&s->y, p->low));
    svg_unit(d, svg_place(&s->y, p->high));
    tx_buffer_add(t, "<path d=\"M%s %sV%sM%s %sh%dM%s %sh%d\" stroke=\"%s\" fill=\"none\"/>", a, c, d, b, c, 2 * CAP, b,
                  d, 2 * CAP, svg_colour(p->style));
}

static void draw_point(tx_buffer *t, const scatter *s, size_t i)
{
    const svg_point *p = s->point[i];
    tx_buffer_append(t, "<g>");
    if (p->about) {
        tx_buffer_append(t, "<title>");
        tx_buffer_html(t, p->about);
        tx_buffer_append(t, "</title>");
    }
    if (has_bar(p))
        draw_bar(t, s, i);
    svg_marker(t, p->style, p->hollow, s->label[i].x, s->label[i].y);
    tx_buffer_append(t, "</g>\n");
}

static void draw_name(tx_buffer *t, const scatter *s, size_t i)
{
    char a[TX_NUMBER], b[TX_NUMBER], name[SVG_NAME];
    const svg_label *l = &s->label[i];
    tx_buffer_add(t, "<text x=\"%s\" y=\"%s\" stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">",
                  svg_unit(a, l->left), svg_unit(b, l->top + 10));
    tx_buffer_html(t, svg_cut(name, s->point[i]->name, LONGEST));
    tx_buffer_append(t, "</text>\n");
}

/* Marker and name of each entry, in rows as long as the chart is wide. Returns where the legend ends. */
static double draw_keys(tx_buffer *t, const svg_scatter_chart *c, double top)
{
    char a[TX_NUMBER], b[TX_NUMBER], name[SVG_NAME];
    double x = MARGIN, y = top;
    for (size_t i = 0; i < c->keys; i++) {
        svg_cut(name, c->key[i].name, WIDTH - 34 - MARGIN);
        double width = 34 + svg_text_width(name, strlen(name), 0);
        if (x > MARGIN && x + width - 16 > WIDTH) {
            x = MARGIN;
            y += SVG_LINE + 2;
        }
        if (t) {
            svg_marker(t, c->key[i].style, c->key[i].hollow, x + SVG_MARKER, y + SVG_LINE / 2.0);
            tx_buffer_add(t, "<text x=\"%s\" y=\"%s\">", svg_unit(a, x + 16), svg_unit(b, y + SVG_LINE / 2.0 + 4));
            tx_buffer_html(t, name);
            tx_buffer_append(t, "</text>\n");
        }
        x += width;
    }
    return c->keys ? y + SVG_LINE + 4 : y;
}

/* Title, notes and legend; returns where they end. Without a buffer they are measured alone. */
static double draw_head(tx_buffer *t, const svg_scatter_chart *c)
{
    double y = SVG_LINE, width = WIDTH - 2 * MARGIN;
    y += SVG_LINE * svg_text_lines(t, c->title, MARGIN, y, width, 1);
    y += SVG_LINE * svg_text_lines(t, c->notes, MARGIN, y, width, 0);
    return draw_keys(t, c, y - 8) + 4;
}

static void draw(tx_buffer *t, const scatter *s)
{
    const svg_scatter_chart *c = s->c;
    svg_begin_framed(t, c->title, c->foot, s->frame.bottom);
    draw_head(t, c);
    svg_axes(t, &s->frame, &s->x, &s->y, c->x_name, c->y_name, c->log_x);
    draw_lines(t, s);
    if (!s->drawn)
        tx_buffer_add(t,
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" stroke=\"#fff\" stroke-width=\"5\" "
                      "paint-order=\"stroke\">no values</text>\n",
                      (LEFT + WIDTH - RIGHT) / 2, (int)(s->frame.top + s->frame.bottom) / 2);
    for (size_t i = 0; i < s->drawn; i++)
        if (s->label[i].placed && s->label[i].led)
            draw_segment(t, &s->label[i].leader, "stroke=\"#888\" stroke-width=\".8\"");
    for (size_t i = 0; i < s->drawn; i++)
        draw_point(t, s, i);
    for (size_t i = 0; i < s->drawn; i++)
        if (s->label[i].placed)
            draw_name(t, s, i);
    svg_end_framed(t, c->foot, s->frame.bottom);
}

tx_status svg_scatter(tx_buffer *t, const svg_scatter_chart *c)
{
    scatter s = {.c = c, .x = {.high = 1}, .y = {.high = 1}};
    s.frame = (svg_box){LEFT, draw_head(NULL, c), WIDTH - RIGHT, 0};
    s.point = tx_alloc(c->points + 1, sizeof *s.point);
    s.label = tx_alloc(c->points + 1, sizeof *s.label);
    s.box = tx_alloc(2 * c->points + 1, sizeof *s.box);
    s.line = tx_alloc(c->points + 2, sizeof *s.line);
    tx_status status = s.point && s.label && s.box && s.line ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < c->points; i++)
        if (can_draw(c, &c->point[i]))
            s.point[s.drawn++] = &c->point[i];
    if (status == TX_OK) {
        find_ranges(&s);
        status = find_places(&s);
    }
    if (status == TX_OK)
        draw(t, &s);
    tx_free(s.point);
    tx_free(s.label);
    tx_free(s.box);
    tx_free(s.line);
    if (status && !t->status)
        t->status = status;
    return t->status;
}
