/* study_results.h - the figures of a study's jobs with their bootstrap, and the table of its models. Private to bench. */
#ifndef THORAX_BENCH_STUDY_RESULTS_H
#define THORAX_BENCH_STUDY_RESULTS_H

#include "scores.h"
#include "study_gather.h"
#include "study_table.h"

/* An AUC, or a mean of AUCs. NaN where undefined. */
typedef struct study_figure {
    size_t positives, negatives;
    double auc, low, high, sd;
    size_t undefined; /* replicates without an AUC */
    const char *method;
} study_figure;

typedef struct study_results {
    const study_data *data;
    size_t replicates, groups;
    int by_patient;  /* what is drawn: patients, else studies */
    int headline;    /* which mean the models are compared by: 0 mean5, 1 mean6, 2 mean: the first that has a task */
    int tasks_of[3]; /* how many tasks each of the means is over */
    size_t rows;     /* of a job: its tasks, then mean5, mean6, mean */
    study_figure *figure; /* entries x rows; of entries that are not complete zeros */
    double *mean;         /* entries x 3 x replicates */
    study_table table;
} study_results;

/* How figures are made: as many resamples, of patients or of studies. */
typedef struct study_how {
    size_t replicates;
    int by_patient;
} study_how;
/* r is to be freed whatever this returns; d must outlive it. Every job and task is scored on the same resamples. O(complete
 * jobs x tasks x units x replicates) time. */
tx_status study_results_make(study_results *r, const study_data *d, const study_how *how);
void study_results_free(study_results *r);
/* "Edema", "mean5". */
const char *study_row_name(const study_results *r, size_t row);
const study_figure *study_figure_of(const study_results *r, size_t entry, size_t row);
/* The column of results.csv and tests.csv that says how intervals were made. */
const char *study_method(const study_results *r);

/* OUT/results.csv: every complete job's rows. */
tx_status study_results_write(const study_results *r, const char *out);
/* Adds a number to a row as the study's tables have it. */
void study_number(tx_buffer *p, double value);
/* OUT/NAME gets the text, in full or not at all; frees it. */
tx_status study_file(tx_buffer *p, const char *out, const char *name);

#endif
