/* update_kernels.h - what the updates of the optimisers (update.c) ask of an instruction set: kernels/update.h, compiled. */
#ifndef THORAX_UPDATE_KERNELS_H
#define THORAX_UPDATE_KERNELS_H

#include "core.h"

typedef struct tx_update_kernels {
    void (*sgd)(const tx_sgd_step *s, float *w, const float *g, float *buffer, size_t n);
    void (*adam)(const tx_adam_step *s, float *w, const float *g, float *mean, float *square, size_t n);
    void (*rmsprop)(const tx_rmsprop_step *s, float *w, const float *g, float *square, float *buffer, float *mean,
                    size_t n);
} tx_update_kernels;

#endif
