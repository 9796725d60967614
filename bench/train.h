/* train.h - a whole training as one call. Private to bench. */
#ifndef THORAX_BENCH_TRAIN_H
#define THORAX_BENCH_TRAIN_H

#include "options.h"

/* What `thorax train` does with these options; label stands before the progress bar, figures: whether results are
 * printed. Returns an exit status. */
int train(const options *o, const char *label, int figures);

#endif
