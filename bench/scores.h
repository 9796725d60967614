/* scores.h - from a split's images to predictions, and from predictions to figures. Private to bench. */
#ifndef THORAX_BENCH_SCORES_H
#define THORAX_BENCH_SCORES_H

#include "../nets/nets.h"
#include "json.h"
#include "message.h"
#include "statistics.h"

#include <signal.h>

/* What a network says of every image of a split. */
typedef struct predictions {
    size_t images;
    int outputs;
    float *logit;           /* images x outputs */
    unsigned char *present; /* an image: 0 if it could not be read and was left out */
    size_t read;            /* images that are present */
} predictions;
tx_status predictions_new(predictions *p, size_t images, int outputs);
void predictions_free(predictions *p);

/* Runs the loader's images, those of `data`, through an inference session in batches of at most `batch`. bar (may be
 * NULL) stands at `shown` before. A signal that sets *stop (may be NULL) ends it early, with TX_OK and p incomplete. An
 * output that is not finite is TX_ERR_ARGUMENT, and names the image; not one image that can be read is TX_ERR_FORMAT. */
typedef struct inference {
    tx_session *session;
    const tx_network *net;
    int batch;
    tx_loader *loader;
    const tx_dataset *data;
    tx_progress *bar;
    size_t shown;
    const volatile sig_atomic_t *stop;
} inference;
tx_status logits_check(const float *logits, size_t outputs, const char *path); /* of one image */
tx_status predictions_run(predictions *p, const inference *how);

/* Probability of every image and task of the dataset, column k being output column[k] (NULL: k): sigmoid, and where outputs
 * have operating points (NULL: none) TorchXRayVision's op_norm. */
void predictions_probabilities(const predictions *p, const tx_dataset *d, const int *column, const float *threshold,
                               double *probability);
/* Mean masked binary cross-entropy over the dataset; NaN if nothing is annotated. Outputs are the dataset's tasks. */
double predictions_loss(const predictions *p, const tx_dataset *d);

typedef struct task_score {
    const char *task;
    tx_auc_result auc;
    tx_threshold_result best; /* NaN where undefined */
    double calibration;       /* expected calibration error */
    int probabilities;        /* all scores are in [0,1]; else calibration is NaN */
    int blank;                /* no cell of the column says anything */
    const char *twin;         /* the first task that says the same, or the opposite, in every image; NULL: none */
    int opposite;
    size_t undefined; /* replicates of a bootstrap in which a class is missing */
} task_score;

/* A mean of AUCs over those of its tasks for which one is defined. */
typedef struct mean_score {
    const char *name;     /* mean5: the competition's tasks; mean6: and No Finding; mean: all */
    double value;         /* NaN over no task */
    int tasks;            /* that are in it, */
    int of;               /* of these: 5, 6, all */
    double low, high, sd; /* of a bootstrap, else NaN */
    size_t undefined;     /* replicates in which one of its tasks is */
} mean_score;
/* The tasks of mean6; the first five are those of mean5. */
extern const char *const mean_tasks[6];
int mean_has(int mean, const char *task);
extern const char *const mean_name[3];
/* The three means of tasks that are added one by one; an AUC may be NaN. */
void means_begin(mean_score mean[3]);
void means_add(mean_score mean[3], const char *task, double auc);
void means_end(mean_score mean[3]);

/* A task's scores and labels, a unit (study or image) each, and the group (patient or study) of each. */
typedef struct unit_list {
    double *score;      /* of a study the maximum over its images that are present; -inf for a unit without one */
    signed char *label; /* positive if one of them is, below 0 if none is annotated */
    uint32_t *group;    /* numbered as groups appear in images that are present; 0 for a unit without one */
    size_t units, groups;
    int by_study;
} unit_list;
/* Units of all tasks; present may be NULL. To be closed whatever this returns. */
tx_status units_open(unit_list *u, const tx_dataset *d, const unsigned char *present, int by_study, int by_patient);
void units_gather(unit_list *u, const tx_dataset *d, int task, const double *probability, const unsigned char *present);
void units_close(unit_list *u);

/* How much was scored: what is not present is not counted. */
typedef struct extent {
    size_t images, studies, patients;
} extent;
tx_status extent_of(extent *e, const tx_dataset *d, const unsigned char *present);

typedef struct scores {
    int tasks;
    task_score *task;
    mean_score mean[3];
    extent of;
    size_t replicates; /* of the bootstrap that intervals come from; 0: they are DeLong's, and the means have none */
    int by_patient;    /* it resampled patients, not studies */
} scores;
/* By study: the maximum over its images; present may be NULL. A probability of a present image that is nan or outside
 * [0,1] is TX_ERR_ARGUMENT, annotated or not and whatever the study's other images have. */
tx_status scores_make(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                      int by_study);
/* The same of scores that need not be probabilities: any finite numbers. */
tx_status scores_rank(scores *s, const tx_dataset *d, const double *score, const unsigned char *present, int by_study);
/* Replaces each task's threshold by that of `from` (the same tasks on other images), with the sensitivity and
 * specificity that it has here. The other arguments are those of scores_make. */
tx_status scores_threshold(scores *s, const tx_dataset *d, const double *probability, const unsigned char *present,
                           int by_study, const scores *from);
/* The means anew from the tasks' AUCs. */
void scores_means(scores *s);
void scores_free(scores *s);

/* Rows of metrics.csv: step,split,task,positives,negatives,auc,low,high,method. */
#define METRICS_HEADER "step,split,task,positives,negatives,auc,low,high,method\n"
void scores_rows(const scores *s, uint64_t step, const char *split, tx_buffer *to);
/* Into an open object: replicates and group where intervals are a bootstrap's; tasks, an object each; mean5, mean6, mean;
 * undefined, the names of tasks without an AUC. */
void scores_json(const scores *s, json *to);
/* mean5, mean6, mean; and means, an object each with its interval and the number of tasks that it is over. */
void means_json(const mean_score mean[3], json *to);
/* By which checkpoints are chosen: mean6, else mean, else minus the loss; *by names it. The larger the better, NaN (no
 * label at all) the worst: score_better(). */
double scores_select(const scores *s, double loss, const char **by);
/* predictions-SPLIT.csv: Path and a probability a task, of the images that are present; as text, and as a file. */
void predictions_text(tx_buffer *to, const tx_dataset *d, const double *probability, const unsigned char *present);
tx_status predictions_write(const char *path, const tx_dataset *d, const double *probability,
                            const unsigned char *present);

#endif
