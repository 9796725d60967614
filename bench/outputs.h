/* outputs.h - which output of a model each task of a table is. Private to bench. */
#ifndef THORAX_BENCH_OUTPUTS_H
#define THORAX_BENCH_OUTPUTS_H

#include "model.h"

/* The list of the dataset's tasks that the model has a named output for, in the table's order; the caller's. An output whose
 * threshold is nan says nothing, and is none. What is left out on either side is added to `notes`, a line each. Without one task in
 * common an error. */
tx_status outputs_common(const model *m, const tx_dataset *d, char **tasks, tx_buffer *notes);
/* *column receives the output of each of the dataset's tasks; the caller's. By name where the model's file has names. Else in
 * CheXpert's order, if these are as many outputs as observations and the table has all of them; else in the order of the
 * dataset's tasks, which must then be as many as the outputs. */
tx_status outputs_match(const model *m, const tx_dataset *d, int **column);
/* Says that assignment where the file has no names, or others than the table. */
void outputs_say(const model *m, const tx_dataset *d);

#endif
