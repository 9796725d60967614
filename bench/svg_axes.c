/* svg_axes.c - what charts share: scales with round numbers, colours and markers, widths of text, axes.
 *
 * Colours are near those of Okabe and Ito, "Color Universal Design" (2008), which the colour-blind tell apart; the light
 * ones are darker, for three to one against white. */
#include "svg_axes.h"
#include "svg.h"

#include <math.h>
#include <string.h>

enum { BETWEEN = 4 }; /* numbers of an axis */

/* ----------------------------------------------------------------------------------------------- scales */
/* v 10^exponent. */
static double scaled(double v, int exponent)
{
    double p = 1;
    for (int i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
        p *= 10;
    return exponent < 0 ? v / p : v * p;
}

double svg_tick(const svg_scale *s, double k)
{
    return scaled(k * s->mantissa, s->exponent);
}

void svg_choose_step(svg_scale *s, int ticks)
{
    static const int mantissas[] = {1, 2, 5};
    double least = (s->high - s->low) / ticks;
    s->mantissa = 1;
    for (s->exponent = -12; s->exponent < 12; s->exponent++)
        for (int i = 0; i < 3; i++) {
            s->mantissa = mantissas[i];
            if (svg_tick(s, 1) >= least)
                return;
        }
}

void svg_round_out(svg_scale *s)
{
    s->low = svg_tick(s, floor(s->low / svg_tick(s, 1)));
    s->high = svg_tick(s, ceil(s->high / svg_tick(s, 1)));
}

double svg_place(const svg_scale *s, double v)
{
    return s->from + (v - s->low) / (s->high - s->low) * (s->to - s->from);
}

const char *svg_unit(char out[TX_NUMBER], double v)
{
    return tx_number_fixed(out, TX_NUMBER, v, 1);
}

/* ----------------------------------------------------------------------------------------------- styles */
static const struct {
    const char *colour, *dashes, *marker;
} styles[] = {
    {"#0072b2", "", "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z"},
    {"#d55e00", "8 4", "m-4 -4h8v8h-8z"},
    {"#009e73", "2 3", "m0 -5.4l5 8.8h-10z"},
    {"#cc79a7", "10 3 2 3", "m0 -5.8l5.4 5.8l-5.4 5.8l-5.4 -5.8z"},
    {"#2f9bd7", "12 3 2 3 2 3", "m0 5.4l5 -8.8h-10z"},
    {"#444444", "1 5", "m-1.9 -5.3h3.8v3.4h3.4v3.8h-3.4v3.4h-3.8v-3.4h-3.4v-3.8h3.4z"},
    {"#c98500", "18 4", "m0 -6l1.5 4h4.2l-3.3 2.6l1.2 4.2l-3.6 -2.5l-3.6 2.5l1.2 -4.2l-3.3 -2.6h4.2z"},
};
_Static_assert(sizeof styles / sizeof styles[0] == SVG_STYLES, "as many as svg.h says");

const char *svg_colour(int style)
{
    return styles[style % SVG_STYLES].colour;
}

const char *svg_dashes(int style)
{
    return styles[style % SVG_STYLES].dashes;
}

void svg_marker(tx_buffer *t, int style, int hollow, double x, double y)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    int shape = (style + style / SVG_STYLES) % SVG_STYLES;
    tx_buffer_add(t, "<path d=\"M%s %s%s\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.4\"/>", svg_unit(a, x),
                  svg_unit(b, y), styles[shape].marker, hollow ? "#fff" : svg_colour(style), svg_colour(style));
}

/* ------------------------------------------------------------------------------------------------- text */
/* DejaVu Sans, hundredths of its size, from blank to tilde. */
static const unsigned char widths[95] = {
    32, 41, 46, 84, 64, 96, 78, 28, 40,  40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
    61, 79, 70, 64, 62, 74, 69, 99, 69,  62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64,
    64, 28, 28, 58, 28, 98, 64, 62, 64,  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
};

static double character_width(char c)
{
    unsigned char u = (unsigned char)c;
    if (u >= 32 && u < 127)
        return widths[u - 32] * (SVG_TEXT / 100.0);
    return (u & 0xc0) == 0x80 ? 0 : SVG_TEXT;
}

double svg_text_width(const char *text, size_t bytes, int bold)
{
    double width = 0;
    for (size_t i = 0; i < bytes; i++)
        width += character_width(text[i]);
    return bold ? 1.14 * width : width;
}

/* Bytes of the first line of text when none may be wider; at least a character. */
static size_t line_bytes(const char *text, double width, int bold)
{
    size_t n = 0, blank = 0;
    while (text[n] && text[n] != '\n') {
        size_t next = n + 1;
        while (((unsigned char)text[next] & 0xc0) == 0x80)
            next++;
        if (n && svg_text_width(text, next, bold) > width)
            return blank ? blank : n;
        if (text[n] == ' ')
            blank = n;
        n = next;
    }
    return n;
}

const char *svg_cut(char out[SVG_NAME], const char *text, double width)
{
    size_t n = strlen(text);
    int cut = svg_text_width(text, n, 0) > width || n >= SVG_NAME;
    n = cut ? line_bytes(text, width - svg_text_width("..", 2, 0), 0) : n;
    snprintf(out, SVG_NAME, "%.*s%s", (int)(n < SVG_NAME - 3 ? n : SVG_NAME - 3), text, cut ? ".." : "");
    return out;
}

int svg_text_lines(tx_buffer *t, const char *text, double x, double y, double width, int bold)
{
    char a[TX_NUMBER], b[TX_NUMBER], line[SVG_NAME];
    int lines = 0;
    while (text && *text) {
        size_t n = line_bytes(text, width, bold);
        if (t && n) {
            tx_buffer_add(t, "<text x=\"%s\" y=\"%s\"%s>", svg_unit(a, x), svg_unit(b, y + lines * (double)SVG_LINE),
                          bold ? " font-weight=\"bold\"" : "");
            snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), text);
            tx_buffer_html(t, line);
            tx_buffer_append(t, "</text>\n");
        }
        lines++;
        text += n;
        if (*text == ' ' || *text == '\n')
            text++;
    }
    return lines;
}

/* ------------------------------------------------------------------------------------------------- axes */
void svg_begin(tx_buffer *t, const char *title, int height)
{
    tx_buffer_add(t,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"xMinYMin\" "
                  "width=\"%d\" height=\"%d\" role=\"img\" "
                  "font-family=\"sans-serif\" font-size=\"%d\" fill=\"#222\">\n<title>",
                  (int)SVG_WIDTH, height, (int)SVG_WIDTH, height, (int)SVG_TEXT);
    tx_buffer_html(t, title);
    tx_buffer_add(t, "</title>\n<path d=\"M0 0h%dv%dh-%dz\" fill=\"#fff\"/>\n", (int)SVG_WIDTH, height, (int)SVG_WIDTH);
}

/* The baseline of the foot's first line. */
static double foot_of(double bottom)
{
    return bottom + 44 + SVG_LINE;
}

void svg_begin_framed(tx_buffer *t, const char *title, const char *foot, double bottom)
{
    int lines = svg_text_lines(NULL, foot, 0, 0, SVG_WIDTH - 2 * SVG_MARGIN, 0);
    svg_begin(t, title, (int)(foot_of(bottom) + SVG_LINE * lines) - (lines ? 8 : SVG_LINE));
}

void svg_end_framed(tx_buffer *t, const char *foot, double bottom)
{
    svg_text_lines(t, foot, SVG_MARGIN, foot_of(bottom), SVG_WIDTH - 2 * SVG_MARGIN, 0);
    tx_buffer_append(t, "</svg>\n");
}

/* The k-th multiple, all with as many decimals as the step has. */
static const char *tick_text(char out[TX_NUMBER], const svg_scale *s, double k)
{
    return s->exponent >= -4 && s->exponent < 0 ? tx_number_fixed(out, TX_NUMBER, svg_tick(s, k), -s->exponent)
                                                : tx_number_print(out, TX_NUMBER, svg_tick(s, k), 7);
}

/* A tick, and its number where that has room: behind the number before, which ends at *taken, and within the chart. */
static void tick_of_x(tx_buffer *t, const svg_box *frame, double at, const char *number, double *taken)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    tx_buffer_add(t, "<path d=\"M%s %sv5\" stroke=\"#444\"/>", svg_unit(a, at), svg_unit(b, frame->bottom));
    double half = svg_text_width(number, strlen(number), 0) / 2, middle = at;
    if (middle + half > SVG_WIDTH - 1)
        middle = SVG_WIDTH - 1 - half;
    if (middle - half < *taken)
        return;
    *taken = middle + half + BETWEEN;
    tx_buffer_add(t, "<text x=\"%s\" y=\"%s\" text-anchor=\"middle\">%s</text>\n", svg_unit(a, middle),
                  svg_unit(b, frame->bottom + 18), number);
}

static void ticks_of_x(tx_buffer *t, const svg_box *frame, const svg_scale *x)
{
    char number[TX_NUMBER];
    double slack = 1e-9, step = svg_tick(x, 1), taken = 0;
    for (double k = ceil(x->low / step - slack) + 0.0; svg_tick(x, k) <= x->high + slack * step; k++)
        tick_of_x(t, frame, svg_place(x, svg_tick(x, k)), tick_text(number, x, k), &taken);
}

/* At 1, 2 and 5 times powers of ten; at the powers alone over many, at more where the scale is short. */
static void ticks_of_log_x(tx_buffer *t, const svg_box *frame, const svg_scale *x)
{
    static const double at[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8};
    static const char few[] = "10010001000", many[] = "10110101010", all[] = "11111111111", none[] = "10000000000";
    char number[TX_NUMBER];
    double span = x->high - x->low, taken = 0;
    const char *which = span > 3 ? none : span > 1 ? few : span > 0.5 ? many : all;
    for (int e = (int)floor(x->low); e <= (int)ceil(x->high); e++)
        for (int i = 0; which[i]; i++) {
            double value = scaled(at[i], e);
            double logarithm = tx_log(value) / tx_log(10.0);
            if (which[i] == '1' && logarithm > x->low - 1e-9 && logarithm < x->high + 1e-9)
                tick_of_x(t, frame, svg_place(x, logarithm), tx_number_print(number, sizeof number, value, 7), &taken);
        }
}

void svg_axes(tx_buffer *t, const svg_box *frame, const svg_scale *x, const svg_scale *y, const char *x_name,
              const char *y_name, int log_x)
{
    char a[TX_NUMBER], b[TX_NUMBER], c[TX_NUMBER], d[TX_NUMBER];
    double slack = 1e-9, step = y ? svg_tick(y, 1) : 0;
    svg_unit(c, frame->right);
    for (double k = y ? ceil(y->low / step - slack) + 0.0 : 0; y && svg_tick(y, k) <= y->high + slack * step; k++) {
        double at = svg_place(y, svg_tick(y, k));
        tx_buffer_add(t, "<path d=\"M%s %sH%s\" stroke=\"#ddd\"/>", svg_unit(a, frame->left), svg_unit(b, at), c);
        tx_buffer_add(t, "<text x=\"%s\" y=\"%s\" text-anchor=\"end\" dy=\"4\">%s</text>\n",
                      svg_unit(a, frame->left - 6), b, tick_text(d, y, k));
    }
    if (log_x)
        ticks_of_log_x(t, frame, x);
    else
        ticks_of_x(t, frame, x);
    tx_buffer_add(t, "<path d=\"M%s %sV%sH%s\" fill=\"none\" stroke=\"#444\"/>\n", svg_unit(a, frame->left),
                  svg_unit(b, frame->top), svg_unit(d, frame->bottom), c);
    tx_buffer_add(t, "<text x=\"%s\" y=\"%s\" text-anchor=\"middle\">", svg_unit(a, (frame->left + frame->right) / 2),
                  svg_unit(b, frame->bottom + 36));
    tx_buffer_html(t, x_name);
    tx_buffer_append(t, "</text>\n");
    if (!y_name)
        return;
    tx_buffer_add(t, "<text transform=\"translate(14 %s) rotate(-90)\" text-anchor=\"middle\">",
                  svg_unit(b, (frame->top + frame->bottom) / 2));
    tx_buffer_html(t, y_name);
    tx_buffer_append(t, "</text>\n");
}
