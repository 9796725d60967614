/* verify.h - a run repeated and compared with what it has written. Private to bench. */
#ifndef THORAX_BENCH_VERIFY_H
#define THORAX_BENCH_VERIFY_H

#include "digests.h"
#include "run_private.h"
#include "trainer.h"

/* What of a run a damaged file is: of log.csv and metrics.csv a repetition may tell which row differs, of states and checkpoints
 * which element. */
typedef enum verify_kind {
    VERIFY_OTHER,
    VERIFY_TABLE,
    VERIFY_PRODUCT,
    VERIFY_CHECKPOINT,
    VERIFY_KEPT,
    VERIFY_STATE
} verify_kind;
typedef struct verify_damage {
    char *text;
    verify_kind kind;
    uint64_t step; /* of a state or checkpoint */
} verify_damage;

/* The first element in which a file differs from what it should hold. */
typedef struct verify_element {
    int differs;
    char tensor[256], index[96];  /* index "[3,0,1,2]", "" of a number */
    char found[24], expected[24]; /* their bits, hexadecimal */
    char text[512];               /* all that, in words; of other differences alone */
} verify_element;

typedef struct verification {
    const options *o;
    const char *folder;
    run noted;      /* where the folder stands; handed to the trainer once that is made */
    done_mark mark; /* of a finished run */
    int finished;
    settings config;   /* the run's */
    char *data, *init; /* where they are; init NULL: random */
    options of_run;
    trainer t;
    digests_row *row; /* of digests.txt */
    size_t rows;
    char *log, *metrics; /* the tables' texts */
    uint64_t newest;     /* the step of its newest state or done mark */
    uint64_t end;        /* the last step of which anything is noted */

    uint64_t from, to; /* the stretch: what comes after `from` steps, up to `to` */
    uint64_t wanted;   /* what --from asked for */
    size_t files, losses, digests, evaluations, states, checkpoints, predictions, ensembles, maps; /* compared */
    uint64_t done; /* steps repeated so far, `from` and before counted */
    verify_damage *damage;
    size_t damages, damage_room;
    int hopeless; /* damage after which nothing can be repeated */

    char different[2048];   /* the first difference; "": none */
    uint64_t at, equal;     /* its step, and the last step before that was found equal */
    char file[576];         /* the file in which it was found */
    verify_element element; /* if it is one */
} verification;

/* Where the folder stands and which stretch is asked for. Returns an exit status, after a line if it is not EXIT_DONE. */
int verify_open(verification *v, const options *o, const char *folder);
/* Compares every file with what the run noted of it; fills damage. Nothing else is read yet. */
tx_status verify_files(verification *v);
/* Notes damage; text NULL: the library's last message. */
tx_status verify_note(verification *v, verify_kind kind, uint64_t step, const char *text);
/* Whether a run at work has given up a checkpoint meanwhile that its state listed when that was read. */
int verify_evicted(const verification *v, uint64_t step);
/* Makes the trainer, from the run's own options, if anything can and is to be repeated. Returns an exit status. */
int verify_prepare(verification *v);
/* Predictions of the best checkpoint; before verify_steps. */
tx_status verify_predictions(verification *v);
/* What a study's job made of its run: ensembles, and where the study.txt beside it is its own, maps; after them. Returns an
 * exit status. */
int verify_products(verification *v);
/* The stretch, up to the first difference. */
tx_status verify_steps(verification *v);
void verify_free(verification *v);

/* Notes the first difference, at the run's step. */
void verify_different(verification *v, const char *file, const char *format, ...) TX_PRINTF(3, 4);
/* NULL: it is sound. */
const verify_damage *verify_damage_of(const verification *v, verify_kind kind, uint64_t step);

/* Compares a checkpoint with weights, and its metadata with `meta` (NULL: not known). */
tx_status verify_checkpoint(const char *path, const tx_weights *weights, const settings *meta, verify_element *out);
/* Compares a state with the training: weights, counters, what the optimiser keeps, what images were. */
tx_status verify_state(tx_safetensors *file, trainer *t, verify_element *out);

#endif
