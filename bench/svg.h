/* svg.h - line charts as inline SVG. Private to bench. */
#ifndef THORAX_BENCH_SVG_H
#define THORAX_BENCH_SVG_H

#include "message.h"

/* One line of a chart; points whose y is not finite interrupt it. Number `style` gives colour, dashes and marker,
 * which differ also without colour. low and high (NULL: none) are drawn as a band. */
typedef struct svg_curve {
    const char *name;
    int style;
    size_t points;
    const double *x, *y, *low, *high;
} svg_curve;

typedef struct svg_chart {
    const char *title, *x_name, *y_name;
    double y_low, y_high; /* both 0: chosen by the values */
    const svg_curve *curve;
    int curves;
} svg_chart;

/* Appends an <svg> element, 480 units wide, as high as its legend wants it. The same bytes on every machine. */
void svg_lines(tx_buffer *t, const svg_chart *chart);

#endif
