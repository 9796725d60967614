/* study_ensemble.h - the ensemble of a run's kept checkpoints, which a study's jobs write and `verify` makes again. Private to
 * bench.
 *
 * The ensemble of an image is the mean of the checkpoints' probabilities, best first, in double; its file is as
 * predictions-SPLIT.csv. */
#ifndef THORAX_BENCH_STUDY_ENSEMBLE_H
#define THORAX_BENCH_STUDY_ENSEMBLE_H

#include "model.h"

enum { STUDY_ENSEMBLES = 2 };
/* ensemble-valid.csv, ensemble-test.csv */
extern const char *const study_ensemble_names[STUDY_ENSEMBLES];

/* A finished run as a model of all its checkpoints; o are the options it is opened with, to be freed after it. Returns an exit
 * status, after a line if it is not EXIT_DONE. */
int study_model(model *m, options *o, const char *folder, const char *data);

typedef struct study_ensemble_args {
    const model *model; /* study_model()'s */
    const char *data;
    int skip_bad; /* images that cannot be read are left out */
    int again;    /* 0: of a single checkpoint the predictions are taken that the run has written */
} study_ensemble_args;
/* The files' texts, the caller's whatever this returns; empty of a split without a table, or where a signal ends it. */
tx_status study_ensembles(const study_ensemble_args *a, tx_buffer text[STUDY_ENSEMBLES]);

#endif
