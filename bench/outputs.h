/* outputs.h - which output of a model each task of a table is. Private to bench. */
#ifndef THORAX_BENCH_OUTPUTS_H
#define THORAX_BENCH_OUTPUTS_H

#include "model.h"

/* *column receives the output of each of the dataset's tasks; the caller's. By name where the model's file has names. Else in
 * CheXpert's order, if these are as many outputs as observations and the table has all of them; else in the order of the
 * dataset's tasks, which must then be as many as the outputs. */
tx_status outputs_match(const model *m, const tx_dataset *d, int **column);
/* Says that assignment where the file has no names. */
void outputs_say(const model *m, const tx_dataset *d);

#endif
