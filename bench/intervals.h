/* intervals.h - bootstrap intervals of a split's scores. Private to bench. */
#ifndef THORAX_BENCH_INTERVALS_H
#define THORAX_BENCH_INTERVALS_H

#include "options.h"
#include "scores.h"

/* How to resample. All that is resampled alike has replicates that belong together one by one: models on one split. */
typedef struct resampling {
    size_t replicates;
    int by_patient; /* groups are patients, else studies */
    uint64_t seed;
} resampling;
/* --replicates, --group and --seed; and whether --interval asks for them. */
resampling resampling_of(const options *o);
int resampling_wanted(const options *o);

/* AUCs of the tasks, then of mean5, mean6 and mean: value[i * replicates + r], i < tasks + 3. A mean is over the tasks that
 * have an AUC in the split itself, NaN in replicates where one of them has none. s: what scores_make() made of the same
 * arguments. */
tx_status scores_replicates(const scores *s, const tx_dataset *d, const double *probability,
                            const unsigned char *present, int by_study, const resampling *how, double *value);
/* Replaces the tasks' standard errors, intervals and methods by those of the replicates ("bootstrap"), and gives the means
 * some. What has no interval by DeLong's variance has none here: a class with fewer than two units, equal scores. */
tx_status scores_intervals(scores *s, const double *value, const resampling *how);
/* Both. */
tx_status scores_bootstrap(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                           int by_study, const resampling *how);

#endif
