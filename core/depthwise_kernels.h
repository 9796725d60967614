/* depthwise_kernels.h - what depthwise convolution (depthwise.c) asks of an instruction set: kernels/depthwise.h, compiled. */
#ifndef THORAX_DEPTHWISE_KERNELS_H
#define THORAX_DEPTHWISE_KERNELS_H

#include "op.h"

/* Operands stand in blocks of sixteen channels, `apart` floats from one block to the next, of which a pixel is a vector and the
 * next pixel of its row is the next: channel j of the pixel at p is p[j/16*apart + j%16]. */

/* Outputs of one row or of two: of output i, channel j, the chain over t of w[t][j] * at[t][i*step + j], finished as
 * tx_target says. The second row's follow the first's in y and add, and their operands are at[taps + t].
 *
 * direct: operands are read where x stands, at least sixteen channels; the last block of weights are then those of the last
 * sixteen, and of results that c is no multiple of, some are written twice: add is not y. at[t], of the first tap of each row of them, is then
 * column 0 of a row of x that has `width` columns, `step` floats apart, or NULL outside of the map; output 0 meets columns
 * from `first` on, which may be outside too, `stride` columns before those of output 1. */
typedef struct tx_depthwise_row {
    int taps;
    const float *const *at, *const *w;
    size_t step; /* floats from one output's operands to the next one's */
    size_t apart, w_apart;
    /* Taps come in rows of so many, each's operands some floats behind those of the tap before it and its weights next to that
     * one's; 1: they lie anyhow. */
    int across;
    ptrdiff_t between;
    int direct;
    long first, width;
    int stride;
    int rows;          /* 1 or 2 */
    size_t outputs, c; /* outputs: of each row */
    float *y;
    size_t ld; /* floats from one output to the next */
    const float *bias;
    const float *scale, *shift;
    const float *add;
    size_t add_ld;
    tx_act act;
    int stream; /* stored past the caches */
    /* What will be read next, to ask for meanwhile: so many runs of floats, ahead_ld apart. */
    const float *ahead;
    size_t ahead_runs, ahead_run, ahead_ld;
} tx_depthwise_row;

typedef struct tx_depthwise_kernels {
    /* Rows that loops for taps in rows of so many, without dilation, take at a time at most; these can be direct. 0: none. */
    int (*sweeps)(int across, int stride);
    /* Channels [channel, channel + c) of pixels [first, first + pixels), as x's reader sees them. */
    void (*load)(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *to, size_t apart);
    /* The same of a gradient, as its reader sees it. */
    void (*load_slope)(const tx_slope *dy, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                       size_t apart);
    void (*row)(const tx_depthwise_row *row);
    /* sum[t*lanes + j] += the products g[i*16 + j] * at[t][i*step + j] of `outputs` outputs, one after the other; and
     * ones[j] += g, if ones is not NULL. */
    void (*weight)(int taps, const float *const *at, size_t step, size_t apart, const float *g, size_t g_apart,
                   size_t outputs, size_t lanes, float *sum, float *ones);
} tx_depthwise_kernels;

#endif
