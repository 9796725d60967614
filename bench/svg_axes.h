/* svg_axes.h - what charts share: scales with round numbers, colours and markers, widths of text. Private to svg*.c. */
#ifndef THORAX_BENCH_SVG_AXES_H
#define THORAX_BENCH_SVG_AXES_H

#include "message.h"

/* A linear scale from [low, high] to units [from, to], with ticks at multiples of mantissa * 10^exponent. */
typedef struct svg_scale {
    double low, high, from, to;
    int mantissa, exponent;
} svg_scale;

typedef struct svg_box {
    double left, top, right, bottom;
} svg_box;

enum { SVG_WIDTH = 480, SVG_MARGIN = 10 }; /* of a chart, and beside its texts */
enum { SVG_TEXT = 12, SVG_LINE = 16 };     /* size of text; from line to line */

double svg_tick(const svg_scale *s, double k); /* the k-th multiple */
/* The smallest step of 1, 2 or 5 times a power of ten that needs at most `ticks` steps. */
void svg_choose_step(svg_scale *s, int ticks);
/* low and high moved out to the next ticks. */
void svg_round_out(svg_scale *s);
double svg_place(const svg_scale *s, double v);
/* With one decimal. Returns out. */
const char *svg_unit(char out[TX_NUMBER], double v);

/* Colour, dashes and marker of style 0, 1, ..: what has no colour of its own left has a marker of its own. */
const char *svg_colour(int style);
const char *svg_dashes(int style);
enum { SVG_MARKER = 6 }; /* no marker reaches farther from its point */
void svg_marker(tx_buffer *t, int style, int hollow, double x, double y);

/* How wide text is at most in the sans-serif faces that are about, DejaVu Sans being the widest of them. */
double svg_text_width(const char *text, size_t bytes, int bold);
/* The text, or where it is wider its beginning with ".." behind. Returns out. */
enum { SVG_NAME = 256 };
const char *svg_cut(char out[SVG_NAME], const char *text, double width);
/* Lines of text (broken where \n stands, and where one is full) from the baseline y on; without a buffer they are counted
 * alone. Returns how many. */
int svg_text_lines(tx_buffer *t, const char *text, double x, double y, double width, int bold);

/* <svg> with a title for who cannot see it, on white; the caller adds </svg>. */
void svg_begin(tx_buffer *t, const char *title, int height);
/* The same where a frame with an axis below it ends at `bottom`, and the foot stands below that; svg_end_framed writes it. */
void svg_begin_framed(tx_buffer *t, const char *title, const char *foot, double bottom);
void svg_end_framed(tx_buffer *t, const char *foot, double bottom);
/* Ticks with numbers along the frame's left and lower side, grid lines, and the axes' names. log_x: x's scale is of
 * base-ten logarithms. */
void svg_axes(tx_buffer *t, const svg_box *frame, const svg_scale *x, const svg_scale *y, const char *x_name,
              const char *y_name, int log_x);

#endif
