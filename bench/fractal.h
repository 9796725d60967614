/* fractal.h - pictures by formula: attractors of iterated function systems, a class a system. Private to bench.
 *
 * After Kataoka et al., "Pre-training without Natural Images", ACCV 2020 (arXiv:2101.08515), FractalDB. A picture is a
 * function of (seed, class, instance, size) and of nothing else: the same bytes on every machine. */
#ifndef THORAX_BENCH_FRACTAL_H
#define THORAX_BENCH_FRACTAL_H

#include "../core/core.h"

enum { FRACTAL_MAPS = 8, FRACTAL_CLASSES = 1 << 16, FRACTAL_SIZE_MIN = 16, FRACTAL_SIZE_MAX = 4096 };

/* x' = a x + b y + e, y' = c x + d y + f, taken with a probability in proportion to |ad - bc|. */
typedef struct fractal {
    int maps; /* 2 to FRACTAL_MAPS */
    double map[FRACTAL_MAPS][6];
    double below[FRACTAL_MAPS]; /* map k is taken for a draw in [below[k - 1], below[k]) of [0, 2^32) */
} fractal;

/* The system of a class, 0 to FRACTAL_CLASSES - 1: parameters uniform in [-1, 1], drawn again until every map contracts,
 * also as instances vary it, and the attractor fills enough of a picture. TX_ERR_ARGUMENT for other classes. */
tx_status fractal_class(fractal *f, uint64_t seed, uint32_t label);
/* Picture `instance` of the class whose system f is: size * size grey bytes, 16 to 4096 rows. The attractor's box fills
 * the picture but for a margin; instances differ in one parameter (times 0.8 to 1.2 in all maps), mirroring, the patch of
 * 3 x 3 pixels that a point sets, and the points drawn. TX_ERR_ARGUMENT, TX_ERR_MEMORY. */
tx_status fractal_draw(const fractal *f, uint64_t seed, uint32_t label, uint32_t instance, int size,
                       unsigned char *pixels);
/* The share of the pixels of the attractor's box that its points meet, by which classes are chosen; 0 to 1. */
tx_status fractal_fill(const fractal *f, uint64_t seed, uint32_t label, double *share);

#endif
