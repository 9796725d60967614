/* update.c - the updates of the optimisers in optim/, element by element. */
#include "kernels.h"

void tx_sgd_update(const tx_sgd_step *step, float *w, const float *g, float *buffer, size_t n)
{
    tx_kernels_now()->update.sgd(step, w, g, buffer, n);
}

void tx_adam_update(const tx_adam_step *step, float *w, const float *g, float *mean, float *square, size_t n)
{
    tx_kernels_now()->update.adam(step, w, g, mean, square, n);
}
