/* svg_labels.h - where names beside points stand. Private to svg*.c. */
#ifndef THORAX_BENCH_SVG_LABELS_H
#define THORAX_BENCH_SVG_LABELS_H

#include "svg_axes.h"

typedef struct svg_segment {
    double x0, y0, x1, y1;
} svg_segment;

typedef struct svg_label {
    double x, y, width, height; /* the point, the name's box */
    double left, top;           /* where the box stands */
    int placed;
    int led; /* the box is not beside its point: a line leads there */
    svg_segment leader;
} svg_label;

/* What names are placed among: boxes that they may not touch, lines that they cross only at need. */
typedef struct svg_ground {
    svg_box frame;
    const svg_box *box;
    size_t boxes;
    const svg_segment *line;
    size_t lines;
} svg_ground;

/* Places each label inside the frame, clear of boxes and other labels, as near to its point as that allows. Returns how
 * many found no place. The same for the same numbers; O(labels * places * boxes). */
size_t svg_place_labels(svg_label *label, size_t n, const svg_ground *ground);

#endif
