/* train.h - a whole training as one call. Private to bench. */
#ifndef THORAX_BENCH_TRAIN_H
#define THORAX_BENCH_TRAIN_H

#include "options.h"

/* A job of a study: it prints no results, says less, and keeps no state once it is finished. */
typedef struct train_job {
    const char *label; /* before the progress bar */
    double began;      /* tx_seconds when the study's work began, of which */
    double before;     /* was done before this job since then, */
    double own;        /* is this job's training, */
    double all;        /* was left to do in all */
} train_job;

/* What `thorax train` does with these options; job is NULL for a training of its own. Returns an exit status. */
int train(const options *o, const train_job *job);

#endif
