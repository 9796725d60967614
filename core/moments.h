/* moments.h - batch statistics taken by whoever writes a value. Private to core.
 *
 * A writer that has all pixels of a chunk at hand, TX_CHUNK of them in the order (n,h,w), leaves three numbers a channel:
 * m, the chunk's mean in float, r = sum of x - m, s = sum of (x - m)^2 (tx_channel_kernels moments, written_moments). When all chunks
 * are there, whoever took which, tx_channel_merge combines them in index order. */
#ifndef THORAX_MOMENTS_H
#define THORAX_MOMENTS_H

#include "op.h"
#include "sizes.h"

/* Where m (kind 0), r (1) and s (2) of a chunk's channel 0 stand in the writer's work. */
static inline float *moments_part(const tx_moments *moments, size_t pixels, size_t c, int kind, size_t chunk)
{
    return (float *)moments->work + ((size_t)kind * ceil_div(pixels, TX_CHUNK) + chunk) * c;
}

/* The same of the two sums of a batch norm's backward: kind 0 of g, 1 of g (x - mean). */
static inline float *reduction_part(const tx_reduction *reduce, size_t pixels, size_t c, int kind, size_t chunk)
{
    return (float *)reduce->work + ((size_t)kind * ceil_div(pixels, TX_CHUNK) + chunk) * c;
}

tx_status tx_channel_merge_sums(const tx_machine *machine, const tx_reduction *reduce, size_t pixels, size_t c);

/* Mean and variance of c channels from the parts of all chunks of `pixels` pixels. */
tx_status tx_channel_merge(const tx_machine *machine, const tx_moments *moments, size_t pixels, size_t c);

#endif
