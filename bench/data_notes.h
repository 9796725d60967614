/* data_notes.h - what is odd about tables of images, in words. Private to bench. */
#ifndef THORAX_BENCH_DATA_NOTES_H
#define THORAX_BENCH_DATA_NOTES_H

#include "../io/io.h"

/* Adds lines of at most 80 columns about splits d[0..n), a NULL being none, that are named split[0..n): which file one was read
 * from, if not from SPLIT.csv; the columns passed over, or taken in the place of observations, of d[0], the others' where
 * `every`; views left out, images that are their own study, paths that stand twice, in one split or in two. What fails is kept
 * in the buffer's status. */
void data_notes_reading(tx_buffer *to, tx_dataset *const *d, const char *const *split, int n, int every);
/* That, and of the same splits tasks without a label or of one class, and columns that repeat another or are its opposite. */
void data_notes(tx_buffer *to, tx_dataset *const *d, const char *const *split, int n, int every);
/* What a task's labels are, in a word or two ("empty throughout", "no positive"); NULL: both kinds are there. */
const char *task_state_name(tx_task_state state);

#endif
