/* winograd_kernels.h - what winograd.c asks of an instruction set: kernels/winograd.h, compiled. */
#ifndef THORAX_WINOGRAD_KERNELS_H
#define THORAX_WINOGRAD_KERNELS_H

#include "op.h"

enum {
    WINOGRAD_POINTS = 36, /* products of a tile for a pair of channels, 6 x 6 */
    WINOGRAD_GROUP = 32,  /* result channels that are computed together: a multiple of every TILE_N */
    WINOGRAD_GAP = 16,    /* floats between the points of packed weights */
    WINOGRAD_ROWS = 64    /* input channels of the weight gradient that are computed together */
};

/* Tiles of 4 x 4 results, in the order (n,y,x); those at the lower and right edge may hang over it. */
typedef struct tx_winograd_map {
    int h, w;       /* of the result */
    int rows, cols; /* tiles of one image */
    int padding;
} tx_winograd_map;

/* Numbers at the 36 points; those of one point begin `slab` floats after the ones of the point before.
 *   v, patches: channel c of tile t at c / WINOGRAD_ROWS * block + t*ld + c % WINOGRAD_ROWS
 *   s, gradients of results: panels for tile_run, channel c of tile t at
 *      c / TILE_N * (block / WINOGRAD_GROUP * TILE_N) + t*TILE_N + c % TILE_N
 *   m, products of a group: channel c of tile t at t*ld + c
 *   d, sums of a block of the weight gradient: row r, column c at r*ld + c */
typedef struct tx_winograd_points {
    float *data;
    size_t slab, block, ld;
} tx_winograd_points;

/* Memory that will be wanted soon, to be asked for while products are computed, which need none: the pixels of some
 * tiles, of a map of h x w pixels. */
typedef struct tx_winograd_ahead {
    const float *data;
    size_t ld;
    int h, w, c;
    size_t first, tiles;
} tx_winograd_ahead;
enum { WINOGRAD_AHEAD = 3 };

/* Products of some tiles: m = v u (product) or d = v' s (correlate). a is v, b is s; they begin at the first tile,
 * block of rows and group that are wanted. */
typedef struct tx_winograd_product {
    const tx_winograd_map *map;
    tx_winograd_points a, b, out;
    const float *u; /* packed weights of the group */
    size_t tiles;
    size_t k;          /* product: input channels */
    int cols;          /* result channels of the group */
    int point, points; /* which of the 36 */
    int rows;          /* correlate: input channels */
    size_t chunks;     /* correlate: equal parts of the tiles, each summed from zero */
    int add;           /* 1: the first one too is added to what stands in d */
    /* Addresses of where the operands of the product after this one begin: first point, first panel. */
    uintptr_t then_a, then_b, then_out;
    tx_winograd_ahead ahead[WINOGRAD_AHEAD];
} tx_winograd_product;

typedef struct tx_winograd_kernels {
    /* Rows [first, first + rows) of the group of columns from `column` on, of which u is the beginning. */
    void (*pack)(const tx_filter *w, float *u, int column, int first, int rows);
    /* v of tiles [first, first + tiles) */
    void (*input)(const tx_view *x, const tx_winograd_map *map, size_t first, size_t tiles,
                  const tx_winograd_points *v);
    void (*product)(const tx_winograd_product *p);
    /* y from m, channels [channel, channel + channels) */
    void (*output)(const tx_target *y, const tx_winograd_map *map, size_t first, size_t tiles,
                   const tx_winograd_points *m, int channel, int channels);
    /* s of tiles [first, first + tiles) */
    void (*sample)(const tx_view *dy, const tx_winograd_map *map, size_t first, size_t tiles,
                   const tx_winograd_points *s);
    void (*correlate)(const tx_winograd_product *p);
    /* dw from d; a tap of dw is `tap` floats, a row `ld`. */
    void (*finish)(float *dw, size_t tap, size_t ld, const tx_winograd_points *d, int rows, int cols, int add,
                   int stream);
} tx_winograd_kernels;

#endif
