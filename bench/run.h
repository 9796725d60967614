/* run.h - the folder that a training leaves: its tables, checkpoints and states, and how a stopped run finds its way
 * back. Private to bench.
 *
 * RUN/config.txt         the options, as --config takes them
 *     log.csv            a row a step
 *     metrics.csv        rows an evaluation
 *     digests.txt        STEP SHA256 CHAIN
 *     environment.txt    where each session ran
 *     splits.csv         how many images, studies and patients the splits hold, what their columns repeat
 *     checkpoints/       the best ones, as weights
 *     states/            full states kept by --states
 *     state.safetensors  the newest full state: everything that going on needs
 *     done               written last of all
 *
 * A run begins with its first state, of step 0, so one without a state has lost it. A state is written after everything
 * that it refers to, and nothing that it refers to is removed before the next one stands: killed at any moment, a run
 * goes on from its newest state, cuts its tables back to the lengths noted there, and does again what came after. A
 * state notes digests of all that it refers to, and carries one of itself: what is not as it was written is damage, and
 * a run that is damaged is left as it is. */
#ifndef THORAX_BENCH_RUN_H
#define THORAX_BENCH_RUN_H

#include "../optim/optim.h"
#include "settings.h"

/* A checkpoint among the best: its file's name follows from the step. */
typedef struct run_best {
    uint64_t step;
    double score;
    char sha256[65];  /* of the file */
    char weights[65]; /* of its weights, as in digests.txt */
} run_best;

/* A state in states/. */
typedef struct run_kept {
    uint64_t step;
    char seal[65];
} run_kept;

enum { RUN_LOG, RUN_METRICS, RUN_DIGESTS, RUN_BAD, RUN_ENVIRONMENT, RUN_TABLES };
enum { RUN_BEST = 1000 };
/* Whether a checkpoint of score a stands before one of score b: the larger one, NaN behind all. */
int score_better(double a, double b);
/* A score as it stands in files; -1 if the text is none. */
int score_parse(const char *text, double *score);

/* Where a run stands, between two steps, and what it has kept: what its states and its done mark note. */
typedef struct run_position {
    uint64_t step;      /* done, of */
    uint64_t total;     /* in all */
    uint64_t evaluated; /* the step of the last recorded evaluation, 0: none */
    uint64_t digested;  /* the step of the last line of digests.txt, 0: none */
    char chain[65];
    double seconds; /* of training so far */
    run_best best[RUN_BEST];
    size_t kept;      /* best[0..kept), best first */
    uint64_t evicted; /* the checkpoint that left the list with this state, and goes after it; 0: none */
    run_kept *state;  /* in states/, by step */
    size_t states, state_room;
    uint64_t *end; /* steps that were the run's last ones, and were evaluated as such, before it was extended */
    size_t ends, end_room;
    struct {
        uint64_t bytes;
        char sha256[65];
    } table[RUN_TABLES];

    char *config;           /* the text of config.txt */
    char identity[65];      /* digest of the data's tables and the initial weights */
    int restarted;          /* --restart began it */
    int clears;             /* what else of a run lies in the folder is of the one before, and goes */
    char former_config[65]; /* digest of the config.txt that this one took the place of when the run was extended */
    char former_done[65];   /* and of the done mark that holds no longer; "": none */
} run_position;
void position_free(run_position *at);

/* What may be missing of a finished run, and is made again. */
enum { RUN_VALID_PREDICTIONS, RUN_TEST_PREDICTIONS, RUN_REPORT, RUN_SPLITS, RUN_PRODUCTS };
extern const char *const run_product_names[RUN_PRODUCTS];

/* Numbers that states hold beside weights and optimiser. */
typedef struct run_array {
    const char *name;
    uint64_t *value;
    size_t count;
} run_array;

typedef struct run {
    char *folder;
    run_position at;
    tx_lock *lock;
    tx_journal *table[RUN_TABLES];
    int skips;          /* keeps bad-images.csv */
    const char *remedy; /* what begins the run anew, for messages */
    run_array array[4];
    int arrays;

    tx_safetensors *resumed; /* the state that it goes on from, until its arrays have been read */
    char seal[65];           /* of state.safetensors; "": a finished run that has none */
    int lock_made, begun;    /* in this call: .lock, and what the run keeps */
    int clear, extends;      /* to be done when it begins */
    int was_there;           /* the folder was, with a run in it that has not come anywhere */
    int missing[RUN_PRODUCTS];
    int made_again; /* what is damaged is a product */
} run;

/* What a command line asks for. */
typedef struct run_order {
    const char *folder;
    const settings *config; /* every option that matters, in order */
    const char *identity;
    const char *init; /* the file of the initial weights, or NULL */
    uint64_t total;   /* steps */
    int constant;     /* the learning rate does not depend on their number */
    int restart, skips;
    int of_study; /* a study has no --restart */
} run_order;

typedef enum run_verdict { RUN_REFUSED, RUN_FRESH, RUN_RESUMED, RUN_FINISHED } run_verdict;

/* Locks the folder, if it is there, and finds out where its run stands; nothing is changed. RUN_REFUSED: an error is
 * stored: it is another run, or damaged, or cannot be read just now. RUN_FRESH: nothing is there, or --restart shall
 * clear it. RUN_FINISHED: r->missing says which products are to be made again. To be left in any case. */
run_verdict run_enter(run *r, const run_order *order);
/* An array of `count` numbers for all states, read by run_begin and run_reopen; to be named before them. */
void run_carry(run *r, const char *name, uint64_t *value, size_t count);
/* Begins a run that is RUN_FRESH (after clearing the folder, where --restart asks for it), or goes on with one that is
 * RUN_RESUMED: weights, optimiser and arrays are then its state's. Opens the tables. */
tx_status run_begin(run *r, run_verdict verdict, const run_order *order, tx_weights *weights, tx_optimizer *optimizer);
/* Writes the state of this moment; keep: into states/, to stay. */
tx_status run_save(run *r, const tx_weights *weights, tx_optimizer *optimizer, int keep);
int run_has_kept_state(const run *r);
/* Adds this step's line to digests.txt. */
tx_status run_digest(run *r, const tx_weights *weights);
/* Takes a checkpoint of this step into the list of the best `most`. Returns 1 if it belongs there; r->at.evicted is
 * then the step of the one that leaves (0: none). */
int run_rank(run *r, double score, size_t most);
/* Notes that the file of this step's checkpoint stands. */
tx_status run_checkpoint_written(run *r);
/* Removes the checkpoint that has left the list, once a state without it stands. */
tx_status run_remove_evicted(run *r);
/* FOLDER/checkpoints/step-00000512.safetensors, the caller's. */
char *run_checkpoint_path(const run *r, uint64_t step);
/* FOLDER/NAME, the caller's. */
char *run_path(const run *r, const char *name);
/* Adds a row to bad-images.csv. */
tx_status run_list_bad(run *r, const char *split, const char *path, const char *reason);
/* Marks the run as finished, with the products that are there; keep_state 0: its state goes. */
tx_status run_finish(run *r, int keep_state);
/* Removes the state of a finished run that has noted that it keeps none. */
tx_status run_drop_state(const run *r);
/* Notes which products of a finished run are missing, so that others may take their places. Reads its arrays, if its state
 * was kept. */
tx_status run_reopen(run *r);
void run_leave(run *r);

/* Whether a folder holds the config.txt of a run, finished or not. */
tx_status run_is_there(const char *folder, int *there);
/* What a folder's run notes: its done mark, else its state. *known 0: neither is there, or of another version. */
tx_status run_note(const char *folder, run_position *at, int *known);

#endif
