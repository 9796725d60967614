/* metrics.h - a run's metrics.csv, read back. Private to bench. */
#ifndef THORAX_BENCH_METRICS_H
#define THORAX_BENCH_METRICS_H

#include "../io/io.h"

/* A row of metrics.csv; positives and negatives are NaN in the rows of means. */
typedef struct metric {
    uint64_t step;
    int test; /* of the test split, else of valid */
    char *task;
    double positives, negatives, auc, low, high;
    char *method;
} metric;

typedef struct metrics {
    metric *row;
    size_t rows, room;
} metrics;
/* A number of a run's tables; NaN where nan stands, or none. */
double table_real(const char *text);
/* Reads FOLDER/metrics.csv. */
tx_status metrics_read(metrics *m, const char *folder);
/* The row, or NULL. */
const metric *metrics_find(const metrics *m, uint64_t step, int test, const char *task);
void metrics_free(metrics *m);

#endif
