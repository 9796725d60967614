/* depthwise_kernels.h - what depthwise convolution (depthwise.c) asks of an instruction set: kernels/depthwise.h, compiled. */
#ifndef THORAX_DEPTHWISE_KERNELS_H
#define THORAX_DEPTHWISE_KERNELS_H

#include "op.h"

/* Outputs of one row: of output i, channel j, the chain over t of w[t][j] * at[t][i*step + j], finished as tx_target says.
 * What at and w point to can be read in whole vectors. */
typedef struct tx_depthwise_row {
    int taps;
    const float *const *at, *const *w;
    size_t step; /* floats from one output's operands to the next one's */
    /* Taps come in rows of so many, each's operands some floats behind those of the tap before it; 1: they lie anyhow. */
    int across;
    ptrdiff_t between;
    size_t outputs, c;
    float *y;
    size_t ld; /* floats from one output to the next */
    const float *bias;
    const float *scale, *shift;
    const float *add;
    size_t add_ld;
    tx_act act;
    int stream; /* stored past the caches */
} tx_depthwise_row;

typedef struct tx_depthwise_kernels {
    /* Channels [channel, channel + c) of pixels [first, first + pixels), as x's reader sees them, lanes apart. */
    void (*load)(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *to, size_t lanes);
    /* The same of a gradient, as its reader sees it. */
    void (*load_slope)(const tx_slope *dy, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                       size_t lanes);
    void (*row)(const tx_depthwise_row *row);
    /* sum[t][j] += the products g[i*lanes + j] * at[t][i*step + j] of `outputs` outputs, one after the other; and
     * ones[j] += g, if ones is not NULL. */
    void (*weight)(int taps, const float *const *at, size_t step, const float *g, size_t outputs, size_t lanes,
                   float *sum, float *ones);
} tx_depthwise_kernels;

#endif
