/* trainer.h - a training: data, network, optimiser and run folder tied together. Private to bench. */
#ifndef THORAX_BENCH_TRAINER_H
#define THORAX_BENCH_TRAINER_H

#include "../optim/optim.h"
#include "../nets/nets.h"
#include "model.h"
#include "options.h"
#include "recipe.h"
#include "run.h"
#include "scores.h"
#include "splits.h"

#include <signal.h>

typedef struct trainer {
    const options *o;
    const struct train_job *job; /* of a study; NULL: a training of its own */
    tx_net_choice choice;
    recipe recipe;
    char *data, *init; /* absolute paths; init NULL: random */
    tx_augment augment;
    uint64_t seed;
    tx_dataset *split[SPLITS];                 /* test: NULL where there is no table */
    size_t images, batch;                      /* of an epoch, of a step */
    uint64_t per_epoch, total;                 /* steps */
    uint64_t eval_every, states, digest_every; /* examples; steps, 0: never */
    int overfit;
    tx_optimizer_args optimizer_args;
    tx_schedule schedule;
    float *pos_weight; /* a task, or NULL */
    char **frozen;     /* beginnings of names, NULL after the last; or NULL */

    tx_network fitted, plain; /* with and without the loss */
    tx_weights *weights;
    tx_optimizer *optimizer;
    tx_session *training, *inference;
    int inference_batch;
    tx_loader *feed, *check; /* of train, of valid */
    tx_loader *last[SPLITS]; /* that made the final predictions */
    uint64_t *seen[SPLITS];  /* an image: what it was when it was read (tx_loader_options) */
    float loss;              /* of the last step, */
    double lr;               /* and its rate */
    int unread;              /* images failed a step or an evaluation; the weights are sound */
    uint32_t *order;         /* of the current epoch's images */
    uint32_t *taken;         /* a batch */
    uint64_t ordered;        /* the epoch that order holds, + 1; 0: none */

    run run;
    tx_progress bar;
    double saved;        /* when the last state was written, */
    double evaluating;   /* seconds */
    int told;            /* what the means are over */
    uint64_t saved_step; /* and after which step; 0: none */
    int diverged;        /* the last error was a loss, a weight or an output that is no number */
} trainer;

/* Reads options, tables and initial weights' header. Returns an exit status, after a line if it is not EXIT_DONE. */
int trainer_read(trainer *t, const options *o, const struct train_job *job);
/* Every option that makes a difference, as config.txt keeps them, and the digest of data and initial weights. */
tx_status trainer_config(const trainer *t, settings *config, char identity[65]);
/* Describes the networks; plan receives lines of what will be trained and how much memory it takes. */
tx_status trainer_describe(trainer *t, tx_buffer *plan);
/* Says which of the run's numbers have no effect, and that a batch of one image is nothing for the network's batch norms.
 * The second alone, where an image that is left out makes such a batch. */
void trainer_notes(const trainer *t);
void trainer_note_single(const trainer *t);
/* Names the arrays that go with the run's states. */
void trainer_carry(trainer *t);
/* Whether the images of all tables are there: an exit status, after a line if it is not EXIT_DONE. */
int trainer_images(const trainer *t);
/* The initial weights and the optimiser, then what runs them. */
tx_status trainer_weights(trainer *t);
tx_status trainer_sessions(trainer *t);
void trainer_free(trainer *t);

/* Examples that have been seen after `step` steps. */
uint64_t trainer_examples(const trainer *t, uint64_t step);
/* One step on the next batch, and its row in log.csv (not for a dry run). */
tx_status trainer_step(trainer *t, int dry);
/* What the last step's row in log.csv says, up to the times: "step,epoch,examples,loss,lr,". */
enum { TRAINER_ROW = 192 };
void trainer_row(const trainer *t, char out[TRAINER_ROW]);
/* Whether weights are evaluated after as many steps as have been done. */
int trainer_evaluates(const trainer *t);
/* Scores of the weights as they stand on valid, the caller's, and the mean loss; none (tasks is 0) where a signal ends it. */
tx_status trainer_score(trainer *t, scores *s, double *loss);
/* Metadata of this moment's checkpoint: what prediction needs, and how good it is. */
tx_status trainer_metadata(const trainer *t, double score, const char *by, settings *meta);
/* A loader of a split that knows what its images were before. */
tx_loader *trainer_loader(const trainer *t, int split, int training);
/* Steps, evaluations and states until the end. Returns an exit status. */
int trainer_loop(trainer *t);
/* The best checkpoint, ready to predict; sessions, feed and check of the training go. */
tx_status trainer_best(trainer *t, predictor *p);
/* The text of predictions-SPLIT.csv, and the scores: the caller's. text stays empty where a signal ends it. */
tx_status trainer_predict(trainer *t, predictor *p, int split, tx_buffer *text, scores *s);
/* Predictions of the best checkpoint, their metrics on test, report.html, the done mark; prints the figures. */
int trainer_finish(trainer *t);
/* Makes again what is missing of a finished run. */
int trainer_mend(trainer *t);

/* RUN/splits.csv and RUN/report.html, of the best checkpoint that is there. */
tx_status trainer_report(const trainer *t);
/* Its figures, or with --json one object; test may be NULL. */
tx_status trainer_print(const trainer *t, const scores *valid, const scores *test);

/* From now on SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU and SIGPIPE set trainer_stopped, for the loop to save its
 * state and end; a signal that the program was started to ignore is ignored. May be called again. */
void trainer_catch_signals(void);
extern volatile sig_atomic_t trainer_stopped;

#endif
