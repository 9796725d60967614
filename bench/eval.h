/* eval.h - what the files of `thorax eval` share: MODELs, and what each says of a split. Private to bench. */
#ifndef THORAX_BENCH_EVAL_H
#define THORAX_BENCH_EVAL_H

#include "model.h"
#include "scores.h"

/* What a model says of a split. */
typedef struct said {
    tx_dataset *data;    /* with the model's tasks */
    double *probability; /* images x tasks */
    unsigned char *present;
    scores scores;
    int lent; /* the data are another's */
} said;

/* Of the split that is scored, and of the one that thresholds come from where that is another. */
enum { SCORED, CHOOSING, PARTS };

/* One model, or the ensemble of all. */
typedef struct entry {
    model model;
    const char *name;
    const char *folder; /* of the data */
    int *column;        /* a task: its output */
    char *tasks;        /* those that it has in common with the table, where others named its outputs */
    tx_buffer notes;    /* and what it has not */
    int table;          /* it is a CSV of predictions: no network, its scores need not be probabilities */
    size_t rows;        /* of that */
    said part[PARTS];
    int parts; /* 1 where the split itself gives the thresholds */
} entry;

typedef struct evaluation {
    const options *o;
    const char *split[PARTS];
    int by_study, batch;
    entry *entry;
    size_t models, entries; /* entries: and the ensemble */
} evaluation;

/* The split that an entry's thresholds come from. */
const char *threshold_split(const evaluation *v, const entry *e);

/* ------------------------------------------------------------------------------------ eval_entries.c */
/* Finds a MODEL, its data and its outputs for the tasks. Returns an exit status, after a line if it is not EXIT_DONE. */
int entry_open(evaluation *v, entry *e, const char *name);
/* Whether the table of the split is there; an error that names the other one where only that is. */
tx_status entry_check_split(const evaluation *v, const entry *e);
/* The tasks of `list` that it has outputs for, into e->tasks; what is left out, into e->notes. Outputs that others named need
 * not be the table's tasks, nor all of them be there. */
tx_status entry_common(const evaluation *v, entry *e, const char *list);
/* Whether images that cannot be read, or have no scores, are left out. */
int entry_skips(const evaluation *v);
/* What it says of the images, and its scores. */
tx_status entry_run(const evaluation *v, entry *e);
/* The figures of what has been said; sensitivity and specificity at the thresholds of the other split, where there is
 * one. */
tx_status entry_score(const evaluation *v, entry *e);
/* Room for scores of all images of its data. */
tx_status said_room(said *p);
void entry_free(entry *e);

/* ---------------------------------------------------------------------------------------- eval_csv.c */
/* Whether a MODEL is a CSV of predictions, by its name's end. */
int entry_is_table(const char *name);
/* Reads one, of the split that is scored; labels as `base`, a model with a network, has them (NULL: as the options say).
 * Returns an exit status, after a line if it is not EXIT_DONE. */
int entry_open_table(const evaluation *v, entry *e, const char *name, const entry *base);
void entry_describe_table(const entry *e);

/* ----------------------------------------------------------------------------------- eval_ensemble.c */
/* Whether two models are scored on the same images, and on the same labels of the tasks that both have. */
int entries_comparable(const entry *a, const entry *b);
/* The tasks that two models have, in the first one's order: pair[n][0] and [1] are their numbers. Returns how many; pair has
 * room for those of the first. */
int entries_common(const entry *a, const entry *b, int (*pair)[2]);
/* The mean of all models becomes one more entry, over the tasks that all have. Where it cannot be, *why says so. */
tx_status ensemble_make(evaluation *v, const char **why);

/* -------------------------------------------------------------------------------------- eval_print.c */
/* A table and its notes; not if they are those that stand in `last` (empty at first), which receives them. */
tx_status entry_print(const evaluation *v, const entry *e, tx_buffer *last);

/* -------------------------------------------------------------------------------------- eval_write.c */
/* c: the paired comparison; NULL of one model. */
struct comparisons;
void evaluation_json(const evaluation *v, const struct comparisons *c);
/* DIR/scores.csv; DIR/predictions-SPLIT.csv of one model or the ensemble, and -1, -2, .. of the single ones where there are
 * several; then DIR/comparisons.csv. */
tx_status evaluation_write(const evaluation *v, const struct comparisons *c, const char *folder);

#endif
