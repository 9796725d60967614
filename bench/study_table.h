/* study_table.h - the models of a study with their headline figures: what its tables and panels are drawn from. Private
 * to bench. */
#ifndef THORAX_BENCH_STUDY_TABLE_H
#define THORAX_BENCH_STUDY_TABLE_H

#include "../core/core.h"

/* A model: a network, blocks cut, initial weights; the mean over its seeds. */
typedef struct study_model {
    const char *net, *family; /* tx_net_info's */
    int cut, pretrained;
    int seeds;                 /* how many jobs it is the mean of */
    size_t parameters;         /* with the study's outputs */
    double top1;               /* of the full network with published weights on ImageNet, percent; NaN: unknown */
    double auc, low, high, sd; /* the table's mean with interval and deviation of its bootstrap; NaN where undefined */
    double *replicate;         /* [replicates], NaN where undefined; may be NULL; not freed with the table */
} study_model;

typedef struct study_table {
    study_model *model; /* in the order of the registry, by cut, random before pretrained */
    size_t models, replicates;
    const char *mean; /* of which tasks the AUCs are the mean: "mean5", on data without any of them "mean6" or "mean" */
    const char *split; /* the one that is scored: "test", or "valid" which also chose the checkpoints */
} study_table;

/* NULL: missing. */
const study_model *study_find(const study_table *t, const char *net, int cut, int pretrained);

#endif
