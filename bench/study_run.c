/* study_run.c - the order of a study's work: its folder, which job is next, what one needs, what becomes of one that fails.
 *
 * Processes share a study by locks alone. Each passes over jobs that another works on, and comes back to them when nothing
 * else is left: one whose holder died is free then, one that is finished is complete, and what is busy still is left to its
 * holder, who finds all others complete when it is done and makes the report. */
#include "commands.h"
#include "report.h"
#include "run.h"
#include "study.h"
#include "train.h"
#include "trainer.h"

#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- options of a job */
enum { ARGUMENTS = 16 + 2 * STUDY_OF_DATA };

/* A job's options of `train`, and the texts that they point into. */
typedef struct order {
    options o;
    char cut[16], seed[32];
    char *folder, *init, *lines;
} order;

/* Of a job whose folder and init are in the order already; j NULL: of what every job shares. */
static int read_order(const study *s, const job *j, order *w)
{
    char *argv[ARGUMENTS];
    int argc = 0;
    snprintf(w->cut, sizeof w->cut, "%d", j ? j->cut : 0);
    snprintf(w->seed, sizeof w->seed, "%llu", j ? (unsigned long long)j->seed : 0);
    const char *const own[][2] = {{"--net", j ? j->net : s->job[0].net},
                                  {"--cut", w->cut},
                                  {"--seed", w->seed},
                                  {"--init", w->init ? w->init : "random"},
                                  {"--out", w->folder ? w->folder : s->out},
                                  {"--data", s->data}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        argv[argc++] = (char *)own[i][0];
        argv[argc++] = (char *)own[i][1];
    }
    for (size_t i = 0; study_of_data[i]; i++)
        if (option_given(s->o, study_of_data[i] + 2)) {
            argv[argc++] = (char *)study_of_data[i];
            argv[argc++] = (char *)option_text(s->o, study_of_data[i] + 2);
        }
    if (option_on(s->o, "quiet"))
        argv[argc++] = (char *)"--quiet";
    w->lines = preset_lines(s, j ? j->net : "");
    return w->lines ? options_read(&w->o, command_find("train"), argc, argv, w->lines) : complain_failed();
}

static void free_order(order *w)
{
    options_free(&w->o);
    tx_free(w->folder);
    tx_free(w->init);
    tx_free(w->lines);
}

/* -------------------------------------------------------------------------------------------- the folder */
/* A file of --out that is to be written over must begin as a study's own. */
static tx_status check_own(const study *s, const char *name, const char *begin)
{
    char escaped[TX_TEXT];
    unsigned char *text = NULL;
    size_t bytes, n = strlen(begin);
    char *path = tx_path_join(s->out, name);
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && tx_path_exists(path)) {
        status = tx_file_read(path, (size_t)1 << 26, &text, &bytes);
        if (status == TX_OK && (bytes < n || memcmp(text, begin, n)))
            status = tx_fail(TX_ERR_FILE, "%s: holds a file %s that is no study's; --out wants a folder for a study",
                             tx_escape(escaped, sizeof escaped, s->out), name);
    }
    tx_free(text);
    tx_free(path);
    return status;
}

static tx_status check_folder(const study *s)
{
    char escaped[TX_TEXT];
    tx_buffer p = {0};
    int is_run;
    tx_status status = run_is_there(s->out, &is_run);
    if (status)
        return status;
    if (is_run)
        return tx_fail(TX_ERR_FILE, "%s: holds a run; --out wants a folder for a study",
                       tx_escape(escaped, sizeof escaped, s->out));
    report_begin(&p, study_title);
    /* What stands behind the title may have looked otherwise. */
    char *style = p.data ? strstr(p.data, "<style>") : NULL;
    if (style)
        *style = 0;
    status = p.status ? p.status : check_own(s, "report.html", p.data);
    tx_buffer_free(&p);
    return status == TX_OK ? check_own(s, "results.csv", study_results_begin) : status;
}

/* Whether every network takes the size: nobody shall learn that after hours. */
static int check_sizes(const study *s, const options *o)
{
    for (size_t i = 0; i < s->jobs; i++) {
        tx_net_choice choice = {tx_net_find(s->job[i].net), s->job[i].cut, 1, (int)option_whole(o, "size"), 0, 0};
        int code = net_choice_check(&choice);
        if (code != EXIT_DONE)
            return option_given(s->o, "size") ? code : EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* What would stop every job: tables; and where there is something to be done, images that are not there, and disk. */
static int check_data(const study *s, const options *o, int to_do)
{
    trainer *t = tx_alloc(1, sizeof *t);
    if (!t)
        return complain_failed();
    int code = trainer_read(t, o, NULL);
    if (code == EXIT_DONE && to_do)
        code = trainer_images(t);
    if (code == EXIT_DONE && to_do)
        code = study_disk(s, t);
    trainer_free(t);
    tx_free(t);
    return code == EXIT_USAGE ? EXIT_FAILED : code;
}

/* Where every job stands; *to_do: some are not complete. */
static int look_at_jobs(study *s, int *to_do)
{
    *to_do = 0;
    for (size_t i = 0; i < s->jobs; i++) {
        if (job_look(s, &s->job[i]))
            return complain_failed();
        *to_do |= s->job[i].state != JOB_COMPLETE;
    }
    return EXIT_DONE;
}

int study_enter(study *s, study_purpose purpose)
{
    order w = {0};
    int to_do = 0, code = check_folder(s) ? complain_failed() : read_order(s, NULL, &w);
    if (code == EXIT_DONE)
        code = check_sizes(s, &w.o);
    if (code == EXIT_DONE && study_record(s, &w.o, 0))
        code = complain_failed();
    if (code == EXIT_DONE && purpose != STUDY_JOB)
        code = look_at_jobs(s, &to_do);
    if (code == EXIT_DONE && purpose != STUDY_REPORT)
        code = check_data(s, &w.o, to_do);
    if (code == EXIT_DONE && purpose != STUDY_REPORT && study_record(s, &w.o, 1))
        code = complain_failed();
    free_order(&w);
    return code;
}

/* ------------------------------------------------------------------------------------------------ one job */
/* Source weights, the run, what follows on it. The job is locked. */
static int work(const study *s, job *j, const train_job *bar, int wait)
{
    order w = {0};
    int code = source_find(s, j, wait, &w.init);
    if (code != EXIT_DONE || j->state == JOB_BUSY) {
        free_order(&w);
        return code;
    }
    w.folder = job_folder(s, j);
    code = w.folder ? read_order(s, j, &w) : complain_failed();
    if (code == EXIT_DONE)
        code = train(&w.o, bar);
    if (code == EXIT_DONE)
        code = job_products(s, j, w.init);
    free_order(&w);
    return code;
}

/* Under its lock: it may have been finished by whoever held that before. */
static int work_locked(const study *s, job *j, const train_job *bar, int wait)
{
    int complete = 0;
    settings note = {0};
    tx_status status = job_read(s, j, &note, &complete);
    settings_free(&note);
    if (status)
        return complain_failed();
    return complete ? EXIT_DONE : work(s, j, bar, wait);
}

/* The job's own lock beside that of its run, which ends with the training. */
static int run_job(const study *s, job *j, const train_job *bar, int wait)
{
    char spoken[160];
    tx_lock *lock = NULL;
    char *folder = job_folder(s, j), *path = job_path(s, j, ".job.lock");
    snprintf(spoken, sizeof spoken, "study: %s", j->name);
    complain_as(spoken);
    j->state = JOB_ABSENT;
    tx_status status = folder && path ? tx_folder_make(folder) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_lock_take(path, 0, &lock);
    int code = status ? complain_failed() : EXIT_DONE;
    if (status == TX_OK && !lock)
        j->state = JOB_BUSY;
    else if (status == TX_OK)
        code = work_locked(s, j, bar, wait);
    if (code == EXIT_FAILED || code == EXIT_USAGE)
        job_failed(s, j);
    else if (code == EXIT_DONE && lock && j->state != JOB_BUSY)
        job_succeeded(s, j);
    if (lock)
        remove(path);
    tx_lock_release(lock);
    tx_free(folder);
    tx_free(path);
    complain_as("study");
    return code == EXIT_USAGE ? EXIT_FAILED : code;
}

int study_run_job(study *s, job *j)
{
    train_job bar = {.label = j->name};
    trainer_catch_signals();
    int code = run_job(s, j, &bar, 1);
    if (code == EXIT_DONE && j->state == JOB_BUSY)
        return complain(EXIT_FAILED, "%s: another process is at work on this job", j->name);
    return code;
}

/* --------------------------------------------------------------------------------------------- all of them */
/* What a job's training costs, in multiply-adds. */
static double cost_of(const job *j, const options *o)
{
    tx_network n;
    double macs = 1;
    size_t arena;
    tx_net_choice choice = {tx_net_find(j->net), j->cut, 14, (int)option_whole(o, "size"), 0, 0};
    if (tx_network_build(&n, &choice, 0, NULL))
        return 1;
    if (tx_network_costs(&n, (tx_session_args){.batch = 1}, &macs, &arena))
        macs = 1;
    tx_network_free(&n);
    return macs;
}

/* Whether a job has come to an end, perhaps at another's hands: workers do not try again what one of them has tried. */
static int has_ended(const study *s, job *j)
{
    if (s->gate[0] >= 0 && j->state != JOB_COMPLETE && j->state != JOB_FAILED && job_look(s, j))
        j->state = JOB_ABSENT;
    return j->state == JOB_COMPLETE || j->state == JOB_FAILED;
}

/* A job's share of the whole: done, or by now in other hands; of one that failed nothing is left to do. */
static void count_job(const job *j, train_job *bar, double *cost)
{
    bar->before += j->state == JOB_COMPLETE || j->state == JOB_BUSY ? *cost : 0;
    bar->all -= j->state == JOB_FAILED ? *cost : 0;
    if (j->state != JOB_ABSENT)
        *cost = 0;
}

/* One pass over what is not complete and has not failed. *ran: jobs that came to an end. */
static int pass(study *s, train_job *bar, double *cost, size_t *ran)
{
    char label[192];
    int code = EXIT_DONE;
    *ran = 0;
    for (size_t i = 0; code != EXIT_INTERRUPTED && i < s->jobs && !trainer_stopped; i++) {
        job *j = &s->job[i];
        if (study_worker_left(s))
            return EXIT_INTERRUPTED;
        if (!has_ended(s, j)) {
            snprintf(label, sizeof label, "%zu/%zu %s", i + 1, s->jobs, j->name);
            bar->label = label;
            bar->own = cost[i];
            code = run_job(s, j, bar, 0);
            *ran += j->state == JOB_COMPLETE || j->state == JOB_FAILED;
        }
        count_job(j, bar, &cost[i]);
    }
    if (code != EXIT_INTERRUPTED && trainer_stopped)
        return complain(EXIT_INTERRUPTED, "interrupted between two jobs; the same command line goes on from there");
    return code == EXIT_INTERRUPTED ? code : EXIT_DONE;
}

static void count_left(const study *s, size_t *left, size_t *failed)
{
    *left = *failed = 0;
    for (size_t i = 0; i < s->jobs; i++) {
        *left += s->job[i].state != JOB_COMPLETE && s->job[i].state != JOB_FAILED;
        *failed += s->job[i].state == JOB_FAILED;
    }
}

/* What the jobs cost that are to be done. */
static void take_costs(study *s, const options *o, train_job *bar, double *cost)
{
    for (size_t i = 0; i < s->jobs; i++) {
        job *j = &s->job[i];
        if (j->state == JOB_COMPLETE)
            continue;
        /* One that failed is tried again: workers shall not take the note of it for one of theirs. */
        if (s->workers && j->state == JOB_FAILED)
            job_forget_failure(s, j);
        j->state = JOB_ABSENT;
        cost[i] = i >= s->each && cost[i - s->each] > 0 ? cost[i - s->each] : cost_of(j, o);
        bar->all += cost[i];
    }
}

int study_run(study *s, size_t *left)
{
    size_t ran = 0, failed;
    order w = {0};
    train_job bar = {.began = tx_seconds()};
    double *cost = tx_alloc(s->jobs, sizeof *cost);
    int code = cost ? read_order(s, NULL, &w) : complain_failed();
    if (code == EXIT_DONE)
        take_costs(s, &w.o, &bar, cost);
    trainer_catch_signals();
    study_workers_admit(s);
    do {
        if (code == EXIT_DONE)
            code = pass(s, &bar, cost, &ran);
        count_left(s, left, &failed);
    } while (code == EXIT_DONE && *left && (ran || study_workers_wait(s)));
    study_workers_end(s);
    tx_free(cost);
    free_order(&w);
    return code == EXIT_DONE && failed ? EXIT_FAILED : code;
}
