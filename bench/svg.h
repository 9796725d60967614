/* svg.h - charts as inline SVG, the same bytes on every machine: lines, points with names, bars, scores. Private to bench.
 *
 * Each is one <svg> element, a file of its own as well, 480 units wide and as high as its texts want it: readable from
 * 370 pixels on, on paper, in grey and by the colour-blind. Numbers that are not finite are not drawn. */
#ifndef THORAX_BENCH_SVG_H
#define THORAX_BENCH_SVG_H

#include "message.h"

/* One line of a chart; points whose y is not finite interrupt it. Number `style` gives colour and dashes, which differ
 * also without colour. low and high (NULL: none) are drawn as a band. */
typedef struct svg_curve {
    const char *name;
    int style;
    size_t points;
    const double *x, *y, *low, *high;
} svg_curve;

typedef struct svg_chart {
    const char *title, *x_name, *y_name;
    double y_low, y_high; /* both 0: chosen by the values */
    int from_zero;        /* x, that is nowhere below 0, begins there */
    const svg_curve *curve;
    int curves;
} svg_chart;

void svg_lines(tx_buffer *t, const svg_chart *chart);

/* ------------------------------------------------------------------------------------------- points with names
 * Number `style` gives colour and marker, style + SVG_STYLES the same colour with another marker; hollow ones are drawn
 * as outlines. */
enum { SVG_STYLES = 7, SVG_FITTED = 3 }; /* SVG_FITTED: points that a fitted line needs */
typedef struct svg_point {
    const char *name;  /* beside it; NULL or "": none */
    const char *about; /* shown by a browser to whoever points at it; NULL: none */
    int style, hollow;
    int line;               /* neighbours in the list that have the same number are joined; 0: not */
    double x, y, low, high; /* low and high: the ends of its bar */
} svg_point;

/* An entry of a legend. */
typedef struct svg_key {
    const char *name;
    int style, hollow;
} svg_key;

/* Texts may have many lines; what is longer than the chart is wide is broken at blanks. */
typedef struct svg_scatter_chart {
    const char *title, *x_name, *y_name;
    const char *notes, *foot; /* below the title and below the chart; NULL: none */
    int log_x;                /* from 1 to 10 it is as far as from 10 to 100; x > 0 */
    int fitted;               /* a line of least squares through all points, over log x where log_x */
    int levelled;             /* a line at y = level */
    double level;
    double y_low, y_high; /* what y's axis holds at least; both 0: the values */
    const svg_point *point;
    size_t points;
    const svg_key *key;
    size_t keys;
} svg_scatter_chart;

/* Names stand where they cover no name, point, bar or the frame; a thin line leads to the point where that is not beside
 * its name. A name that is too long is cut. TX_ERR_MEMORY, in t too. */
tx_status svg_scatter(tx_buffer *t, const svg_scatter_chart *chart);

/* ------------------------------------------------------------------------------------------------ bars */
typedef struct svg_bar_row {
    const char *name;
    int style;                        /* below 0: grey */
    double value[2], low[2], high[2]; /* outlined, then filled; low and high: the ends of the thin bar */
} svg_bar_row;

typedef struct svg_bar_chart {
    const char *title, *x_name;
    const char *notes, *foot;
    const char *series[2];
    double base;  /* where bars begin */
    int decimals; /* of the numbers beside the bars */
    const svg_bar_row *row;
    size_t rows;
} svg_bar_chart;

/* Bars that lie, two a row, with their numbers; a value that is not finite is called missing. */
void svg_bars(tx_buffer *t, const svg_bar_chart *chart);

/* ---------------------------------------------------------------------------------------------- scores
 * A task's probabilities and labels: 1, 0, or below 0 where there is none. */
typedef struct svg_scores {
    const char *name;
    const double *score;
    const signed char *label;
    size_t n;
} svg_scores;

/* The ROC curve of each task that has both classes, tied scores taken together, and the diagonal of chance. The legend
 * has the AUC. TX_ERR_MEMORY; TX_ERR_ARGUMENT for a score that is no number. */
tx_status svg_roc(tx_buffer *t, const char *title, const char *foot, const svg_scores *task, int tasks);
/* The share of positives against the mean probability in ten bins of equal width, those that are empty left out, with
 * Wilson's 95% interval of that share where there is one task; the diagonal is perfect. TX_ERR_ARGUMENT for a score
 * outside [0,1]. */
tx_status svg_calibration(tx_buffer *t, const char *title, const char *foot, const svg_scores *task, int tasks);

#endif
