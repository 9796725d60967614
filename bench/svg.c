/* svg.c - line charts as inline SVG: axes with round numbers, lines that differ in colour, dashes and markers.
 *
 * Colours are those of Okabe and Ito, "Color Universal Design" (2008), which the colour-blind tell apart. */
#include "svg.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 480, LEFT = 62, RIGHT = 16, TOP = 30, ROW = 16, PLOT = 216, BOTTOM = 44, NAME = 48 };

static const struct {
    const char *colour, *dashes;
} styles[] = {
    {"#0072b2", ""},        {"#d55e00", "7 4"}, {"#009e73", "2 3"},
    {"#cc79a7", "9 3 2 3"}, {"#56b4e9", "4 2"}, {"#444444", "1 2"},
};

/* A linear scale from [low, high] to pixels [from, to], with ticks at multiples of mantissa * 10^exponent. */
typedef struct scale {
    double low, high, from, to;
    int mantissa, exponent;
} scale;

static double power_of_ten(int exponent)
{
    double p = 1;
    for (int i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
        p *= 10;
    return p;
}

static double tick_value(const scale *s, double k)
{
    double p = power_of_ten(s->exponent);
    return s->exponent < 0 ? k * s->mantissa / p : k * s->mantissa * p;
}

/* The smallest step of 1, 2 or 5 times a power of ten that needs at most `ticks` steps. */
static void choose_step(scale *s, int ticks)
{
    static const int mantissas[] = {1, 2, 5};
    double least = (s->high - s->low) / ticks;
    s->mantissa = 1;
    for (s->exponent = -12; s->exponent < 12; s->exponent++)
        for (int i = 0; i < 3; i++) {
            s->mantissa = mantissas[i];
            if (tick_value(s, 1) >= least)
                return;
        }
}

static double place(const scale *s, double v)
{
    return s->from + (v - s->low) / (s->high - s->low) * (s->to - s->from);
}

static const char *fixed(char *out, double v)
{
    return tx_number_fixed(out, TX_NUMBER, v, 1);
}

static void find_range(const svg_chart *c, scale *x, scale *y)
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
    if (x->low > 0 && x->low < 0.3 * x->high)
        x->low = 0;
    if (!(x->high > x->low))
        x->high = x->low + 1;
    if (!(y->high > y->low)) {
        y->high += 0.5;
        y->low -= 0.5;
    }
}

static void draw_axes(tx_buffer *t, const svg_chart *c, scale *x, scale *y, int top)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    choose_step(x, 8);
    choose_step(y, 6);
    if (c->y_low == 0 && c->y_high == 0) {
        y->low = tick_value(y, floor(y->low / tick_value(y, 1)));
        y->high = tick_value(y, ceil(y->high / tick_value(y, 1)));
    }
    double slack = 1e-9;
    for (double k = ceil(y->low / tick_value(y, 1) - slack) + 0.0;
         tick_value(y, k) <= y->high + slack * tick_value(y, 1); k++) {
        fixed(a, place(y, tick_value(y, k)));
        tx_buffer_add(t, "<path d=\"M%d %sH%d\" stroke=\"#ddd\"/>", LEFT, a, WIDTH - RIGHT);
        tx_number_print(b, sizeof b, tick_value(y, k), 6);
        tx_buffer_add(t, "<text x=\"%d\" y=\"%s\" text-anchor=\"end\" dy=\"4\">%s</text>\n", LEFT - 6, a, b);
    }
    for (double k = ceil(x->low / tick_value(x, 1) - slack) + 0.0;
         tick_value(x, k) <= x->high + slack * tick_value(x, 1); k++) {
        fixed(a, place(x, tick_value(x, k)));
        tx_buffer_add(t, "<path d=\"M%s %dv5\" stroke=\"#444\"/>", a, top + PLOT);
        tx_number_print(b, sizeof b, tick_value(x, k), 7);
        tx_buffer_add(t, "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", a, top + PLOT + 18, b);
    }
    tx_buffer_add(t, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#444\"/>\n", LEFT, top, top + PLOT,
                  WIDTH - RIGHT);
    tx_buffer_add(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2,
                  top + PLOT + BOTTOM - 8);
    tx_buffer_html(t, c->x_name);
    tx_buffer_add(t, "</text><text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">", top + PLOT / 2);
    tx_buffer_html(t, c->y_name);
    tx_buffer_add(t, "</text><text x=\"%d\" y=\"16\" font-weight=\"bold\">", LEFT);
    tx_buffer_html(t, c->title);
    tx_buffer_append(t, "</text>\n");
}

static void draw_band(tx_buffer *t, const svg_curve *v, const scale *x, const scale *y, const char *colour)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    size_t drawn = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < v->points; i++) {
            size_t k = pass ? v->points - 1 - i : i;
            if (!isfinite(v->x[k]) || !isfinite(v->low[k]) || !isfinite(v->high[k]))
                continue;
            fixed(a, place(x, v->x[k]));
            fixed(b, place(y, pass ? v->low[k] : v->high[k]));
            tx_buffer_add(t, "%s%s %s", drawn++ ? "L" : "<path d=\"M", a, b);
        }
    if (drawn)
        tx_buffer_add(t, "Z\" fill=\"%s\" fill-opacity=\".13\" stroke=\"none\"/>\n", colour);
}

static void draw_curve(tx_buffer *t, const svg_curve *v, const scale *x, const scale *y)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    size_t style = (size_t)v->style % (sizeof styles / sizeof styles[0]);
    const char *colour = styles[style].colour;
    if (v->low && v->high)
        draw_band(t, v, x, y, colour);
    tx_buffer_add(t, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" d=\"", colour,
                  styles[style].dashes);
    int down = 0;
    for (size_t k = 0; k < v->points; k++) {
        if (!isfinite(v->x[k]) || !isfinite(v->y[k])) {
            down = 0;
            continue;
        }
        fixed(a, place(x, v->x[k]));
        fixed(b, place(y, v->y[k]));
        tx_buffer_add(t, "%c%s %s", down ? 'L' : 'M', a, b);
        down = 1;
    }
    tx_buffer_append(t, "\"/>\n");
    for (size_t k = 0; v->points <= 40 && k < v->points; k++)
        if (isfinite(v->x[k]) && isfinite(v->y[k])) {
            fixed(a, place(x, v->x[k]));
            fixed(b, place(y, v->y[k]));
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
    double width = 50 + 6.6 * (double)strlen(e->name);
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
        size_t style = (size_t)c->curve[i].style % (sizeof styles / sizeof styles[0]);
        place_name(&e, c->curve[i].name, &x, &row);
        tx_buffer_add(t, "<path d=\"M%s %dh26\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
                      fixed(a, e.x), TOP + ROW * e.row, styles[style].colour, styles[style].dashes);
        tx_buffer_add(t, "<text x=\"%s\" y=\"%d\">", fixed(a, e.x + 31), TOP + ROW * e.row + 4);
        tx_buffer_html(t, e.name);
        tx_buffer_append(t, "</text>\n");
    }
}

void svg_lines(tx_buffer *t, const svg_chart *chart)
{
    int top = TOP + ROW * legend_rows(chart), height = top + PLOT + BOTTOM;
    scale x = {0, 1, LEFT, WIDTH - RIGHT, 1, 0}, y = {0, 1, top + PLOT, top, 1, 0};
    find_range(chart, &x, &y);
    tx_buffer_add(
        t,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
        "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<title>",
        WIDTH, height, WIDTH, height);
    tx_buffer_html(t, chart->title);
    tx_buffer_append(t, "</title>\n");
    draw_axes(t, chart, &x, &y, top);
    for (int i = 0; i < chart->curves; i++)
        draw_curve(t, &chart->curve[i], &x, &y);
    draw_legend(t, chart);
    tx_buffer_append(t, "</svg>\n");
}
