/* speed_kernels.h - the kernels' own speed. Private to bench. */
#ifndef THORAX_BENCH_SPEED_KERNELS_H
#define THORAX_BENCH_SPEED_KERNELS_H

#include "options.h"

/* GFLOP/s of each, forward and backward, with its share of the peak and a digest of the output. Returns an exit
 * status. */
int speed_kernels(const options *o);

#endif
