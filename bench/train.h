/* train.h - a whole training as one call. Private to bench. */
#ifndef THORAX_BENCH_TRAIN_H
#define THORAX_BENCH_TRAIN_H

#include "options.h"

/* What `thorax train` does with these options. job: the name of a study's job, which prints no results and keeps no state
 * once it is finished; NULL for a training of its own. Returns an exit status. */
int train(const options *o, const char *job);

#endif
