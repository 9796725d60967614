/* report.h - pages about runs: learning curves and tables from the run's own tables. Private to bench.
 *
 * A page depends on what it shows alone: no time, no host, no path. */
#ifndef THORAX_BENCH_REPORT_H
#define THORAX_BENCH_REPORT_H

#include "figures.h"
#include "model.h"
#include "splits.h"

/* Head with style, and foot; both with what no page may lack. */
void report_begin(tx_buffer *p, const char *title);
void report_end(tx_buffer *p);
/* Loss by step from FOLDER/log.csv; AUC on valid by step, of the means and of what is most frequent at `step`. */
tx_status report_curves(tx_buffer *p, const char *folder, const metrics *m, uint64_t step);
/* Whom the splits hold; nothing where that was not noted. */
void report_splits(tx_buffer *p, const splits *s);
/* Which checkpoint the figures are of, and by what it was chosen of how many. */
tx_status report_choice(tx_buffer *p, const metrics *m, const run_checkpoint *best);
/* What a figure is a figure of. */
void report_unit(tx_buffer *p);
/* AUC with interval of every task on valid and test at one step, and what the table's marks mean. */
tx_status report_table(tx_buffer *p, const metrics *m, const splits *s, uint64_t step);
/* FOLDER/config.txt. */
tx_status report_config(tx_buffer *p, const char *folder);
/* Where the sample's radiographs are from; nothing for other data. */
void report_source(tx_buffer *p, const splits *s);
/* FOLDER/report.html of a run. */
tx_status report_run(const char *folder, const run_checkpoint *best, const char *about);

#endif
