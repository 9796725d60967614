/* update.c - the updates of the optimisers in optim/, element by element. */
#include "kernels.h"
#include "operands.h"

tx_status tx_sgd_update(const tx_sgd_step *step, float *w, const float *g, float *buffer, size_t n)
{
    if (!step || !w || !g)
        return operand_missing("tx_sgd_update");
    tx_kernels_now()->update.sgd(step, w, g, buffer, n);
    return TX_OK;
}

tx_status tx_adam_update(const tx_adam_step *step, float *w, const float *g, float *mean, float *square, size_t n)
{
    if (!step || !w || !g || !mean || !square)
        return operand_missing("tx_adam_update");
    tx_kernels_now()->update.adam(step, w, g, mean, square, n);
    return TX_OK;
}

tx_status tx_rmsprop_update(const tx_rmsprop_step *step, float *w, const float *g, float *square, float *buffer,
                            float *mean, size_t n)
{
    if (!step || !w || !g || !square)
        return operand_missing("tx_rmsprop_update");
    tx_kernels_now()->update.rmsprop(step, w, g, square, buffer, mean, n);
    return TX_OK;
}
