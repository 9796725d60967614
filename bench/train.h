/* train.h - a whole training as one call. Private to bench. */
#ifndef THORAX_BENCH_TRAIN_H
#define THORAX_BENCH_TRAIN_H

#include "options.h"

/* A job of a study: it prints no results, says less, and keeps no state once it is finished. */
typedef struct train_job {
    const char *label; /* before the progress bar */
    double before,
        all; /* the study's work: done before this job since `began` (tx_seconds), and in all that is left to do then; */
    double own; /* this job's training */
    double began;
} train_job;

/* What `thorax train` does with these options; job is NULL for a training of its own. Returns an exit status. */
int train(const options *o, const train_job *job);

#endif
