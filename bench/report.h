/* report.h - pages about runs: learning curves and tables from the run's own tables. Private to bench.
 *
 * A page depends on what it shows alone: no time, no host, no path. */
#ifndef THORAX_BENCH_REPORT_H
#define THORAX_BENCH_REPORT_H

#include "message.h"
#include "metrics.h"

/* Head with style, and foot with what no page may lack. */
void report_begin(tx_buffer *p, const char *title);
void report_end(tx_buffer *p);
/* Loss by step from FOLDER/log.csv, AUC on valid by step. */
tx_status report_curves(tx_buffer *p, const char *folder, const metrics *m);
/* AUC with interval of every task on valid and test at one step. */
void report_table(tx_buffer *p, const metrics *m, uint64_t step);
/* FOLDER/config.txt. */
tx_status report_config(tx_buffer *p, const char *folder);
/* FOLDER/report.html of a run whose best checkpoint is of `best`. */
tx_status report_run(const char *folder, uint64_t best, const char *about);

#endif
