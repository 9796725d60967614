/* run_state.h - full states of a run, for run.c. Private to bench. */
#ifndef THORAX_BENCH_RUN_STATE_H
#define THORAX_BENCH_RUN_STATE_H

#include "run.h"

/* Names of the tables in the run's folder. */
extern const char *const run_table_names[RUN_TABLES];

/* Opens a state if it is this run's; *at and the lengths that its tables had are then what it notes. NULL if not. */
tx_safetensors *state_open(const run *r, const char *path, run_position *at, uint64_t bytes[RUN_TABLES]);
/* Reads its arrays; their digest must be the one noted. */
tx_status state_read(tx_safetensors *file, const run_position *at, const uint64_t bytes[RUN_TABLES],
                     tx_weights *weights, tx_optimizer *optimizer);
/* Writes the state of this moment: r->at, the tables' lengths, weights and optimiser. */
tx_status state_write(const run *r, const char *path, const uint64_t bytes[RUN_TABLES], const tx_weights *weights,
                      tx_optimizer *optimizer);

#endif
