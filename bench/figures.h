/* figures.h - figures as people read them: AUCs with their intervals or the reason why there is none, the means and what
 * they are over, marks and the notes that explain them. Private to bench. */
#ifndef THORAX_BENCH_FIGURES_H
#define THORAX_BENCH_FIGURES_H

#include "metrics.h"
#include "scores.h"
#include "table.h"

/* One task's AUC, as scores and metrics.csv have it. Names are not copied. */
typedef struct figure {
    const char *task;
    double positives, negatives, auc, low, high;
    const char *method;
    int blank;        /* no cell of the column says anything, whatever blank ones count as */
    const char *twin; /* the first task that says the same, or the opposite, in every image; NULL: none */
    int opposite;
    size_t undefined; /* replicates of a bootstrap in which a class is missing */
} figure;

/* Of one split at one moment. */
typedef struct figures {
    figure *task;
    int tasks;
    mean_score mean[3];
    size_t replicates; /* of the bootstrap that intervals come from; 0: they are DeLong's */
    int by_patient;
} figure_set;
tx_status figures_of_scores(figure_set *f, const scores *s);
/* The rows of that step and split. */
tx_status figures_of_metrics(figure_set *f, const metrics *m, uint64_t step, int test);
void figures_free(figure_set *f);

/* With fewer positives or negatives than this a figure says little. */
enum { FIGURE_FEW = 10 };
int figure_few(const figure *f);
/* Why there is no interval to rely on: "all blank", "no label", "no positive", "1 negative", "constant" (all scores are equal),
 * "no variance" (the classes do not overlap); NULL where there is one. */
const char *figure_why(const figure *f);
/* "0.812" with a '*' where there are few, else a blank, behind it; "-" where there is none. */
const char *figure_auc(const figure *f, char out[16]);
/* "0.712-0.912", or why not. */
const char *figure_interval(const figure *f, char out[32]);
/* As figure_auc(), without a mark. */
const char *mean_value(const mean_score *m, char out[16]);
/* "over 5 of 6"; "over all 6". */
const char *mean_extent(const mean_score *m, char out[32]);
/* The interval, or where there is none the extent. */
const char *mean_interval(const mean_score *m, char out[32]);

/* What marks and gaps in a table of these figures mean, and what the means are over: sentences, each ending in a newline.
 * split: a name a set of figures. The sets are of the same tasks. */
void figures_notes(const figure_set *const *list, const char *const *split, int count, tx_buffer *to);
/* A table of these figures, one set or two beside each other, with its notes, within 80 columns. */
tx_status figures_print(const figure_set *const *list, const char *const *split, int count, FILE *out);
/* Prints notes, wrapped. Frees them. */
tx_status notes_print(tx_buffer *notes, FILE *out);

#endif
