/* splits.h - what a run's splits hold, noted in RUN/splits.csv: whom a figure is of is then known where the data are not.
 * Private to bench.
 *
 * Columns split,what,value,other. what: images, studies, patients (those that could be read); unreadable (images);
 * alone (images in no folder of a patient); of_train, of_valid (patients who are in that split too); blank (value: a
 * task that is blank throughout); same, opposite (value: a task that says the same as, or the opposite of, `other`, in
 * every image); sample, in the row of train: 1 if they are the sample's tables. No path and no host. */
#ifndef THORAX_BENCH_SPLITS_H
#define THORAX_BENCH_SPLITS_H

#include "figures.h"

enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLITS };
extern const char *const split_name[SPLITS];

/* A row about a task. */
typedef struct split_task {
    int split, opposite;
    char *task, *other; /* other NULL: the task is blank throughout */
} split_task;

typedef struct splits {
    int known[SPLITS], sample;
    extent of[SPLITS];
    size_t unreadable[SPLITS], alone[SPLITS], of_train[SPLITS], of_valid[SPLITS];
    split_task *task;
    size_t tasks, room;
} splits;

/* What the tables say, less the images that FOLDER/bad-images.csv lists. d[SPLIT_TEST] may be NULL. */
tx_status splits_take(splits *s, tx_dataset *const d[SPLITS], const char *folder, int sample);
tx_status splits_write(const splits *s, const char *folder);
/* FOLDER/splits.csv; where there is none nothing is known. */
tx_status splits_read(splits *s, const char *folder);
void splits_free(splits *s);
/* Tells a split's figures what is odd about their tasks. */
void splits_mark(const splits *s, int split, figure_set *f);

#endif
