/* channel_kernels.h - what the channel operations (channel.c) ask of an instruction set: kernels/channel.h, compiled. */
#ifndef THORAX_CHANNEL_KERNELS_H
#define THORAX_CHANNEL_KERNELS_H

#include "op.h"

/* A range of pixels is [first, first + pixels) in the order (n,h,w); a range of channels [channel, channel + c).
 * Results of a range of channels are stored from element 0 on. */
typedef struct tx_channel_kernels {
    void (*sum)(const tx_tensor *y, const tx_view *x, int inputs, tx_act act, size_t first, size_t pixels, int stream);
    void (*mask)(const tx_gradient *dx, const tx_tensor *dy, const tx_tensor *y, tx_act act, size_t first,
                 size_t pixels, int stream);
    void (*act_gradient)(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x, tx_act act, size_t first,
                         size_t pixels, int stream);
    /* sum over the range of the values of a view */
    void (*total)(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *sum);
    /* m: the mean of the range in float; r: sum of x - m; s: sum of (x - m)^2; the next call begins at next */
    void (*moments)(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *m, float *r,
                    float *s, const float *next);
    /* the same of what has just been written; begins to fetch the rows that follow, if they will be written next */
    void (*written_moments)(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *m, float *r,
                            float *s, int follow);
    /* g = dy where x's activation lets it through; a: sum of g; b: sum of g (data - mean) */
    void (*normal_sums)(const tx_view *x, const float *mean, const tx_tensor *dy, size_t first, size_t pixels,
                        size_t channel, size_t c, float *a, float *b);
    /* dx = add + scale (g - mean_g - (data - mean) slope) */
    void (*normal_gradient)(const tx_gradient *dx, const tx_view *x, const float *mean, const tx_tensor *dy,
                            const float *mean_g, const float *slope, size_t first, size_t pixels, int stream);
    /* sum over a range of one image's pixels of dy x, x without its gate; dx = add + dy gate, NULL: not wanted */
    void (*gate_gradient)(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x, size_t first, size_t pixels,
                          size_t channel, size_t c, float *sum, int stream);
    /* row `row` of image `image`: of the result, of the input's gradient */
    void (*max_pool)(const tx_tensor *y, unsigned char *argmax, const tx_view *x, const tx_window *window, int image,
                     int row, int stream);
    void (*max_pool_gradient)(const tx_gradient *dx, const tx_tensor *dy, const unsigned char *argmax, const tx_view *x,
                              const tx_window *window, int image, int row, int stream);
    void (*avg_pool)(const tx_tensor *y, const tx_view *x, const tx_window *window, int image, int row, int stream);
    void (*avg_pool_gradient)(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x, const tx_window *window,
                              int image, int row, int stream);
} tx_channel_kernels;

#endif
