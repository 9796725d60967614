/* numbers.h - the numbers of a training that goes on: weights and optimiser as tensors of a file. Private to bench. */
#ifndef THORAX_BENCH_NUMBERS_H
#define THORAX_BENCH_NUMBERS_H

#include "../io/io.h"
#include "../optim/optim.h"

/* Puts weights, counters, the optimiser's arrays, and its steps as metadata. The arrays must stay until the file is
 * finished. */
tx_status numbers_put(tx_safetensors_writer *w, const tx_weights *weights, tx_optimizer *optimizer);
/* Reads them again: TX_ERR_FORMAT where the file does not hold them for this network and optimiser. */
tx_status numbers_take(tx_safetensors *file, tx_weights *weights, tx_optimizer *optimizer);
/* `count` integers of that name, none if count is 0. */
tx_status stored_integers(tx_safetensors *file, const char *name, size_t count, int64_t *out);

#endif
