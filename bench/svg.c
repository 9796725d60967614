/* svg.c - line charts as inline SVG: axes with round numbers, lines that differ in colour and dashes. */
#include "svg.h"
#include "svg_axes.h"

#include <math.h>
#include <string.h>

enum { WIDTH = SVG_WIDTH, LEFT = 62, RIGHT = 20, TOP = 30, ROW = 16, PLOT = 216, BOTTOM = 44, TITLE = 16, NAME = 48 };

static void find_range(const svg_chart *c, svg_scale *x, svg_scale *y)
{
    int any = 0;
    x->low = y->low = 0;
    x->high = y->high = 1;
    for (int i = 0; i < c->curves; i++)
        for (size_t k = 0; k < c->curve[i].points; k++) {
            const svg_curve *v = &c->curve[i];
            if (!isfinite(v->x[k]) || !isfinite(v->y[k]))
                continue;
            double low = v->low && isfinite(v->low[k]) ? v->low[k] : v->y[k];
            double high = v->high && isfinite(v->high[k]) ? v->high[k] : v->y[k];
            x->low = !any || v->x[k] < x->low ? v->x[k] : x->low;
            x->high = !any || v->x[k] > x->high ? v->x[k] : x->high;
            y->low = !any || low < y->low ? low : y->low;
            y->high = !any || high > y->high ? high : y->high;
            any = 1;
        }
    if (c->y_low != 0 || c->y_high != 0) {
        y->low = c->y_low;
        y->high = c->y_high;
    }
    if (x->low > 0 && (c->from_zero || x->low < 0.3 * x->high))
        x->low = 0;
    if (!(x->high > x->low))
        x->high = x->low + 1;
    if (!(y->high > y->low)) {
        y->high += 0.5;
        y->low -= 0.5;
    }
}

static void draw_axes(tx_buffer *t, const svg_chart *c, svg_scale *x, svg_scale *y, int top)
{
    svg_box frame = {LEFT, top, WIDTH - RIGHT, top + PLOT};
    svg_choose_step(x, 8);
    svg_choose_step(y, 6);
    if (c->y_low == 0 && c->y_high == 0)
        svg_round_out(y);
    svg_axes(t, &frame, x, y, c->x_name, c->y_name, 0);
    svg_text_lines(t, c->title, LEFT, TITLE, 1e9, 1);
}

static void draw_band(tx_buffer *t, const svg_curve *v, const svg_scale *x, const svg_scale *y, const char *colour)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    size_t drawn = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < v->points; i++) {
            size_t k = pass ? v->points - 1 - i : i;
            if (!isfinite(v->x[k]) || !isfinite(v->low[k]) || !isfinite(v->high[k]))
                continue;
            svg_unit(a, svg_place(x, v->x[k]));
            svg_unit(b, svg_place(y, pass ? v->low[k] : v->high[k]));
            tx_buffer_add(t, "%s%s %s", drawn++ ? "L" : "<path d=\"M", a, b);
        }
    if (drawn)
        tx_buffer_add(t, "Z\" fill=\"%s\" fill-opacity=\".13\" stroke=\"none\"/>\n", colour);
}

static void draw_curve(tx_buffer *t, const svg_curve *v, const svg_scale *x, const svg_scale *y)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    const char *colour = svg_colour(v->style);
    if (v->low && v->high)
        draw_band(t, v, x, y, colour);
    tx_buffer_add(t, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" d=\"", colour,
                  svg_dashes(v->style));
    int down = 0;
    for (size_t k = 0; k < v->points; k++) {
        if (!isfinite(v->x[k]) || !isfinite(v->y[k])) {
            down = 0;
            continue;
        }
        svg_unit(a, svg_place(x, v->x[k]));
        svg_unit(b, svg_place(y, v->y[k]));
        tx_buffer_add(t, "%c%s %s", down ? 'L' : 'M', a, b);
        down = 1;
    }
    tx_buffer_append(t, "\"/>\n");
    for (size_t k = 0; v->points <= 40 && k < v->points; k++)
        if (isfinite(v->x[k]) && isfinite(v->y[k])) {
            svg_unit(a, svg_place(x, v->x[k]));
            svg_unit(b, svg_place(y, v->y[k]));
            tx_buffer_add(t, "<circle cx=\"%s\" cy=\"%s\" r=\"2.6\" fill=\"%s\"/>", a, b, colour);
        }
}

/* Where a curve's name stands in the legend, of at most NAME characters. */
typedef struct entry {
    char name[NAME + 8];
    double x;
    int row;
} entry;

/* The next free place of the legend, on a new row where this one is full. */
static void place_name(entry *e, const char *name, double *x, int *row)
{
    size_t n = strlen(name), cut = NAME - 2;
    while (n > NAME && ((unsigned char)name[cut] & 0xc0) == 0x80) /* within a character */
        cut--;
    if (n > NAME)
        snprintf(e->name, sizeof e->name, "%.*s..", (int)cut, name);
    else
        snprintf(e->name, sizeof e->name, "%.*s", (int)n, name);
    double width = 46 + svg_text_width(e->name, strlen(e->name), 0);
    if (*x > LEFT && *x + width > WIDTH) {
        *x = LEFT;
        ++*row;
    }
    e->x = *x;
    e->row = *row;
    *x += width;
}

static int legend_rows(const svg_chart *c)
{
    entry e;
    double x = LEFT;
    int row = 0;
    for (int i = 0; i < c->curves; i++)
        place_name(&e, c->curve[i].name, &x, &row);
    return row + 1;
}

static void draw_legend(tx_buffer *t, const svg_chart *c)
{
    char a[TX_NUMBER];
    entry e;
    double x = LEFT;
    int row = 0;
    for (int i = 0; i < c->curves; i++) {
        place_name(&e, c->curve[i].name, &x, &row);
        tx_buffer_add(t, "<path d=\"M%s %dh26\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
                      svg_unit(a, e.x), TOP + ROW * e.row, svg_colour(c->curve[i].style),
                      svg_dashes(c->curve[i].style));
        tx_buffer_add(t, "<text x=\"%s\" y=\"%d\">", svg_unit(a, e.x + 31), TOP + ROW * e.row + 4);
        tx_buffer_html(t, e.name);
        tx_buffer_append(t, "</text>\n");
    }
}

void svg_lines(tx_buffer *t, const svg_chart *chart)
{
    int top = TOP + ROW * legend_rows(chart), height = top + PLOT + BOTTOM;
    svg_scale x = {0, 1, LEFT, WIDTH - RIGHT, 1, 0}, y = {0, 1, top + PLOT, top, 1, 0};
    find_range(chart, &x, &y);
    svg_begin(t, chart->title, height);
    draw_axes(t, chart, &x, &y, top);
    for (int i = 0; i < chart->curves; i++)
        draw_curve(t, &chart->curve[i], &x, &y);
    draw_legend(t, chart);
    tx_buffer_append(t, "</svg>\n");
}
