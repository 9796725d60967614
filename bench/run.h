/* run.h - the folder that a training leaves: its tables, checkpoints and states, and how a stopped run finds its
 * way back. Private to bench.
 *
 * RUN/config.txt         the options, as --config takes them
 *     log.csv            a row a step
 *     metrics.csv        rows an evaluation
 *     digests.txt        STEP SHA256 CHAIN
 *     splits.csv         how many images, studies and patients the splits hold, what their columns repeat
 *     checkpoints/       the best ones, as weights
 *     states/            full states kept by --states
 *     state.safetensors  the newest full state: everything that going on needs
 *     done               written last of all
 *
 * A state is written after everything that it refers to, and nothing that it refers to is removed before the next
 * one stands: killed at any moment, a run goes on from its newest state, cuts its tables back to the lengths noted
 * there, and does again what came after. */
#ifndef THORAX_BENCH_RUN_H
#define THORAX_BENCH_RUN_H

#include "../optim/optim.h"
#include "settings.h"

/* A checkpoint among the best: its file's name follows from the step. */
typedef struct run_best {
    uint64_t step;
    double score;
} run_best;

enum { RUN_BEST = 1000 };
/* Whether a checkpoint of score a stands before one of score b: the larger one, NaN behind all. */
int score_better(double a, double b);
/* A score as it stands in files; -1 if the text is none. */
int score_parse(const char *text, double *score);

/* Where a run stands, between two steps. */
typedef struct run_position {
    uint64_t step;      /* done */
    uint64_t evaluated; /* the step of the last recorded evaluation, 0: none */
    uint64_t digested;  /* the step of the last line of digests.txt, 0: none */
    char chain[65];
    double seconds; /* of training so far */
    run_best best[RUN_BEST];
    size_t kept; /* best[0..kept), best first */
} run_position;

enum { RUN_LOG, RUN_METRICS, RUN_DIGESTS, RUN_BAD, RUN_TABLES };

typedef struct run {
    char *folder;
    char config[65];   /* digest of the options that matter */
    char identity[65]; /* digest of the data's tables and the initial weights */
    tx_lock *lock;
    tx_journal *table[RUN_TABLES];
    run_position at;
    int skips;     /* keeps bad-images.csv */
    char *resumed; /* the state that the run goes on from; NULL: from the beginning */
} run;

typedef enum run_state { RUN_REFUSED, RUN_FRESH, RUN_RESUMED, RUN_FINISHED } run_state;

/* Whether a folder holds the config.txt of a run, finished or not. */
int run_is_there(const char *folder);
/* Makes or enters the folder, locks it and finds out where it stands. config: every option that matters, in order.
 * RUN_REFUSED: an error is stored. Nothing is written before the folder is known to be this run's. */
run_state run_enter(run *r, const char *folder, const settings *config, const char identity[65], int restart,
                    int skips);
/* Opens the tables and reads the newest sound state: weights, optimiser and position are then the run's. *found 0:
 * there is none, the run begins (anew), and weights and optimiser may have been written over. */
tx_status run_resume(run *r, tx_weights *weights, tx_optimizer *optimizer, int *found);
/* Writes the state of this moment; kept: into states/, to stay. */
tx_status run_save(run *r, const tx_weights *weights, tx_optimizer *optimizer, int keep);
int run_has_kept_state(const run *r);
/* Adds this step's line to digests.txt. */
tx_status run_digest(run *r, const tx_weights *weights);
/* Takes a checkpoint of this step into the list of the best `most`. Returns 1 if it belongs there; *evicted is then
 * the step of the one that leaves (0: none). */
int run_rank(run *r, double score, size_t most, uint64_t *evicted);
/* FOLDER/checkpoints/step-00000512.safetensors, the caller's. */
char *run_checkpoint_path(const run *r, uint64_t step);
/* FOLDER/NAME, the caller's. */
char *run_path(const run *r, const char *name);
/* Adds a row to bad-images.csv. */
tx_status run_list_bad(run *r, const char *split, const char *path, const char *reason);
/* Marks the run as finished. */
tx_status run_finish(run *r);
void run_leave(run *r);

#endif
