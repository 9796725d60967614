/* study.h - a study: jobs, each a run in a folder of its own, and what they say together. Private to bench.
 *
 * OUT/study.txt             what all jobs share: options of the preset and the line, the tables' digest; without places
 *     weights/NET.safetensors   source weights that were made here
 *     NET[-K].INIT.SEED/    a job: the run of `train`, then ensemble-valid.csv, ensemble-test.csv, maps, and last job.txt
 *     results.csv ..        what study_report makes of the jobs that are complete
 *
 * A job is complete when its job.txt is there and the digests in it hold. One that failed leaves failed.txt instead, a
 * line without places. Whoever works on a job holds .job.lock in its folder, and .lock while it trains. */
#ifndef THORAX_BENCH_STUDY_H
#define THORAX_BENCH_STUDY_H

#include "options.h"
#include "settings.h"

typedef enum job_state { JOB_ABSENT, JOB_COMPLETE, JOB_FAILED, JOB_BUSY } job_state;

/* What is trained: a network, blocks cut, initial weights ("random" or "pretrained"), a seed; and where that stands. */
typedef struct job {
    char name[96]; /* NET[-K].INIT.SEED */
    const char *net;
    int cut;
    const char *init;
    uint64_t seed;
    job_state state;
    char *why; /* JOB_FAILED: a line without places; else NULL */
} job;

typedef struct study {
    const options *o;
    const char *out;
    char *data;        /* the folder of the tables */
    char *text;        /* of the preset */
    char *file;        /* the preset's, */
    int named;         /* one that comes with thorax: `quick` and the like */
    job *job;          /* the grid: seed by seed, in the order of the registry */
    size_t jobs, each; /* each: of one seed; job i + each is job i with the next */
    char record[65];   /* digest of study.txt */
    char tables[65];   /* and of the tables; "": not taken yet */
    int gate[2];       /* the pipe between a process and its workers, -1: none; a worker has the first end alone */
    int workers;       /* processes that this one has made and that are at work: */
    long worker[JOBS_AT_ONCE];
} study;

/* ------------------------------------------------------------------------------------------ jobs (study.c) */
/* OUT/NAME and OUT/NAME/FILE, the caller's. */
char *job_folder(const study *s, const job *j);
char *job_path(const study *s, const job *j, const char *file);
/* The jobs of --nets and --seeds. Returns an exit status, after a line if it is not EXIT_DONE. */
int study_grid(study *s);
/* The job of that name, or NULL after a line of wrong usage. */
job *study_job(const study *s, const char *name);
/* A command line a job, for make, GNU parallel or a scheduler. */
void study_list(const study *s);
/* How images and labels are read, where the command line says it: that wins over the preset. Ends in NULL. */
enum { STUDY_OF_DATA = 9 };
extern const char *const study_of_data[STUDY_OF_DATA + 1];
void study_free(study *s);

/* ---------------------------------------------------------------------------------- presets (study_preset.c) */
/* Reads --preset: one of bench/presets by its name, else a file. Its keys that are options of `study` count where nobody
 * gave these. A key may be of one network alone (KEY.NET) or of the making of source weights (pretrain.KEY). Returns an exit
 * status, after a line if it is not EXIT_DONE. */
int preset_read(study *s, options *o);
/* The lines for a network, with NULL those of pretrain, with "" those of every job. The caller's; NULL without memory. */
char *preset_lines(const study *s, const char *net);
/* Notes the keys that are of one network or of pretrain, as they stand there. */
tx_status preset_note(const study *s, settings *note);

/* ----------------------------------------------------------------------------------- records (study_record.c) */
/* Whether OUT is this study's, by its study.txt; with `write` one is written where there is none. The options are those of
 * `train` for some job. */
tx_status study_record(study *s, const options *train, int write);
/* Reads job.txt; *there 0: none. An error if it is another version's or study's, or a digest in it does not hold: then
 * TX_ERR_FORMAT. A product that is missing makes *there 0. */
tx_status job_read(const study *s, const job *j, settings *note, int *there);
/* Sets state and why. */
tx_status job_look(const study *s, job *j);
/* Notes that a job failed, with the last complaint, in failed.txt; or that it did not; or takes the note of it away. */
void job_failed(const study *s, job *j);
void job_succeeded(const study *s, job *j);
void job_forget_failure(const study *s, job *j);
/* What job.txt begins with; and its end, digests of what the job has made, with which it is written. */
tx_status job_note_begin(const study *s, settings *note);
tx_status job_note_end(const study *s, const job *j, settings *note);

/* ----------------------------------------------------------------------------------- source (study_source.c) */
/* The file of a job's initial weights, the caller's; NULL: random. Published ones of --pretrained, else made where they are not
 * there yet. While another process makes them the job is JOB_BUSY, unless it is to wait. Returns an exit status, after a line
 * if it is not EXIT_DONE. */
int source_find(const study *s, job *j, int wait, char **init);
/* What job.txt says of it: source (random, published, made), source.file, source.sha256, and source.what, if the file has
 * it. */
tx_status source_note(const study *s, const char *init, settings *note);

/* ---------------------------------------------------------------------------------- a job (study_products.c) */
/* Makes what follows on a finished run, job.txt last. Returns an exit status, after a line if it is not EXIT_DONE. */
int job_products(const study *s, const job *j, const char *init);

/* -------------------------------------------------------------------------------------- order (study_run.c) */
/* Whether OUT is this study's, what would stop every job, and (but for a job alone) where its jobs stand. Nothing is written
 * before all that is known, and then study.txt, but for a report. Returns an exit status, after a line if it is not EXIT_DONE. */
typedef enum study_purpose { STUDY_REPORT, STUDY_JOB, STUDY_ALL } study_purpose;
int study_enter(study *s, study_purpose purpose);
/* Runs one job, waiting for weights that others make; or all, passing over what others work on: *left is how many of those
 * there are at the end. Exit statuses; EXIT_FAILED if any job has failed. */
int study_run_job(study *s, job *j);
int study_run(study *s, size_t *left);

/* ------------------------------------------------------------------------------- side by side (study_workers.c) */
/* Makes --at-once less one further processes that do jobs, each with its share of the threads; before anything has used
 * threads. They wait until they are admitted, work, and exit with what that returns. Fewer, or none, where there are no more
 * threads or jobs, or the system has no room. */
void study_workers_start(study *s, options *o, int (*work)(study *s));
void study_workers_admit(const study *s);
/* Returns 0 at once where nobody was at work beside this process, of its workers or, for one of these, its maker; else a moment
 * later 1: there may be something new. 0 after a signal, and when the maker has gone. */
int study_workers_wait(study *s);
/* In a worker: whether its maker has gone. */
int study_worker_left(const study *s);
/* Asks the workers to end, as a signal does, and waits until they have. */
void study_workers_end(study *s);

/* --------------------------------------------------------------------------------------- disk (study_disk.c) */
struct trainer;
/* Says how much the jobs that are not complete will take of the disk; if that is not free, a line and EXIT_FAILED. The
 * training is one of theirs, read. */
int study_disk(const study *s, const struct trainer *t);

/* ------------------------------------------------------------------------------------ report (study_report.c) */
/* How its page is titled, and how its results.csv begins. */
extern const char study_title[], study_results_begin[];
/* Gathers what the jobs have left that are complete, and says which are not: results.csv, report.html, and the figures on
 * the screen. Returns an exit status. */
int study_report(const study *s);

#endif
