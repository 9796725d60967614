/* run_private.h - what the files about the run folder share. Private to bench. */
#ifndef THORAX_BENCH_RUN_PRIVATE_H
#define THORAX_BENCH_RUN_PRIVATE_H

#include "run.h"

/* ------------------------------------------------------------------------------------ names (run_folder.c) */
extern const char *const run_table_names[RUN_TABLES];
#define RUN_CONFIG_BEGIN "# The options of this run, for --config.\n"

/* step-00000512.safetensors */
const char *step_name(uint64_t step, char out[48]);
/* Whether that is the name of a step's file, and of which. */
int is_step_name(const char *name, uint64_t *step);
/* BELOW/step-00000512.safetensors, of checkpoints or states. */
const char *step_file(const char *below, uint64_t step, char out[64]);
/* FOLDER/BELOW/step-00000512.safetensors, the caller's. */
char *step_path(const char *folder, const char *below, uint64_t step);

/* What FOLDER/NAME is; an error if that cannot be told now. */
tx_status look_at(const char *folder, const char *name, tx_path_kind *kind);
/* TX_OK if it is a file; else an error that says what is there: TX_ERR_FORMAT, or TX_ERR_FILE if that cannot be told. */
tx_status want_file(const char *folder, const char *name);
/* Whether files of a run's names lie in the folder: *first is one of them ("": none). */
tx_status folder_holds(const char *folder, char first[64]);
/* Whether they can be removed: each of a run's names is a file's. */
tx_status folder_can_clear(const char *folder);
/* Removes them, but for the state and the lock. */
tx_status folder_clear(const char *folder);
/* Removes what writers of this run left when they were killed. */
tx_status folder_sweep(const char *folder);
/* Whether a run has written more than its tables' headers into the folder, its options and states apart. */
tx_status folder_has_come(const char *folder, int *has);
extern const char *const run_table_headers[RUN_TABLES];
/* Digest of a whole file, as digits. */
tx_status file_digest(const char *folder, const char *name, char hex[65]);

/* ---------------------------------------------------------------------------------- notes (run_position.c) */
/* All but the text of config.txt, whose bytes may be any. */
tx_status position_write(const run_position *at, settings *out);
/* TX_ERR_FORMAT if something is not there or not as position_write writes it. */
tx_status position_read(run_position *at, const settings *in);
tx_status position_add_state(run_position *at, uint64_t step, const char *seal);
tx_status position_add_end(run_position *at, uint64_t step);

/* ------------------------------------------------------------------------------------- entering (run_enter.c) */
/* Takes the folder's lock. */
tx_status run_lock(run *r);

/* ------------------------------------------------------------------------------------- states (run_state.c) */
/* Opens a state whose bytes are all as they were written; *at is then what it notes. NULL: an error is stored;
 * TX_ERR_FORMAT is damage, TX_ERR_ARGUMENT a state of another version. */
tx_safetensors *state_open(const char *path, run_position *at, char seal[65]);
/* The same without a look at the arrays; the file is closed again. */
tx_status state_peek(const char *path, run_position *at);
/* Whether the file is a state, of whatever version. */
tx_status state_is_one(const char *path, int *is);
/* Reads weights, optimiser and the arrays that run_carry() has named. */
tx_status state_read(tx_safetensors *file, run *r, tx_weights *weights, tx_optimizer *optimizer);
/* Those that run_carry() has named alone. */
tx_status state_read_arrays(tx_safetensors *file, run *r);
/* Writes the state of this moment. */
tx_status state_write(const run *r, const char *path, const tx_weights *weights, tx_optimizer *optimizer,
                      char seal[65]);

/* ---------------------------------------------------------------------------------- done mark (run_done.c) */
typedef struct done_mark {
    char state[65];                 /* its seal; "": not kept */
    char product[RUN_PRODUCTS][65]; /* digests; "": there is none, "-": it is to be made again */
} done_mark;
/* TX_ERR_FORMAT: damage; TX_ERR_ARGUMENT: of another version. */
tx_status done_read(const char *folder, done_mark *mark, run_position *at);
tx_status done_write(const char *folder, const done_mark *mark, const run_position *at);

/* Where the run in r->folder stands by its state and that mark (of a finished one alone), which go into r and *mark:
 * RUN_FRESH, RUN_RESUMED or RUN_FINISHED (run_enter.c). Statuses as those of state_open and done_read. */
tx_status run_stand(run *r, run_verdict *verdict, done_mark *mark);

/* --------------------------------------------------------------------------------- soundness (run_check.c) */
/* Whether config.txt is what the run was made with. */
tx_status check_config(const char *folder, const run_position *at);
/* Whether a table, a checkpoint, a kept state are what the run wrote. */
tx_status check_table(const char *folder, const run_position *at, int t, int finished);
tx_status check_checkpoint(const char *folder, const run_best *noted);
tx_status check_kept(const char *folder, const run_kept *kept);
/* Whether all else that the position refers to is in the folder as it was written. finished: the tables end there; skips:
 * bad-images.csv is one of them. TX_ERR_FORMAT: damage, the message names file and finding. */
tx_status check_folder(const char *folder, const run_position *at, int finished, int skips);
/* The newest kept state with which the folder would be sound: its step; 0: none. */
uint64_t check_way_out(const char *folder, int skips);

#endif
