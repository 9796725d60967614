/* train_loop.c - a training from step to step: batches, evaluations, checkpoints, states. */
#define _POSIX_C_SOURCE 200809L
#include "figures.h"
#include "model.h"
#include "options.h"
#include "train.h"
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Seconds between two states where nothing else calls for one. */
static const double STATE_SECONDS = 60;

/* -------------------------------------------------------------------------------------------- one step */
/* The images of step `step` within its epoch: order[*from .. *from + n). Returns n, 0 without memory. */
static size_t batch_of(trainer *t, uint64_t step, size_t *from)
{
    uint64_t epoch = step / t->per_epoch;
    if (t->ordered != epoch + 1) {
        if (tx_random_permutation(t->seed, TX_RANDOM_SHUFFLE, epoch, t->order, t->images))
            return 0;
        t->ordered = epoch + 1;
    }
    *from = (size_t)(step % t->per_epoch) * t->batch;
    return t->images - *from < t->batch ? t->images - *from : t->batch;
}

/* Rows of bad-images.csv for what is missing of the batch; an image is listed when it is met first, in epoch 0. */
static tx_status list_bad(trainer *t, uint64_t epoch, const uint32_t *wanted, size_t n, size_t count)
{
    tx_status status = TX_OK;
    for (size_t k = 0; status == TX_OK && epoch == 0 && count < n && k < n; k++) {
        const char *reason = tx_loader_bad(t->feed, wanted[k]);
        if (!reason)
            continue;
        status = run_list_bad(&t->run, "train", t->split[SPLIT_TRAIN]->path[wanted[k]], reason);
    }
    return status;
}

/* At the last batch of the first epoch, or of the run: whether any image has been read so far. */
static tx_status check_read(const trainer *t, uint64_t step)
{
    char escaped[TX_TEXT];
    const tx_dataset *d = t->split[SPLIT_TRAIN];
    size_t bad = 0;
    if ((step + 1) % t->per_epoch && step + 1 < t->total)
        return TX_OK;
    for (size_t i = 0; i < d->images; i++) {
        if (t->seen[SPLIT_TRAIN][i] > TX_IMAGE_BAD)
            return TX_OK;
        bad += t->seen[SPLIT_TRAIN][i] == TX_IMAGE_BAD;
    }
    return tx_fail(TX_ERR_FORMAT, "none of %zu images of %s can be read, of which the last: %s", bad,
                   tx_escape(escaped, sizeof escaped, d->file),
                   tx_loader_bad(t->feed, t->order[step % t->per_epoch * t->batch]));
}

/* Loads a batch into the session: pixels, labels, mask. *count images are in it. */
static tx_status load_batch(trainer *t, uint64_t step, size_t *count, int dry)
{
    size_t from = 0, n = batch_of(t, step, &from);
    if (n == 0)
        return TX_ERR_MEMORY;
    uint64_t epoch = step / t->per_epoch;
    const uint32_t *wanted = t->order + from;
    tx_status status =
        tx_loader_batch(t->feed, epoch, wanted, n, tx_session_input(t->training, t->fitted.image), t->taken, count);
    t->unread = status != TX_OK;
    if (status == TX_OK && !dry)
        status = list_bad(t, epoch, wanted, n, *count);
    if (status || *count == 0)
        return status ? status : check_read(t, step);
    if (*count == 1) {
        tx_progress_clear(&t->bar);
        trainer_note_single(t);
    }
    status = tx_dataset_targets(t->split[SPLIT_TRAIN], t->taken, *count, tx_session_input(t->training, t->fitted.label),
                                tx_session_input(t->training, t->fitted.mask));
    return status ? status : tx_session_batch(t->training, (int)*count);
}

void trainer_row(const trainer *t, char out[TRAINER_ROW])
{
    char text[2][TX_NUMBER];
    uint64_t step = t->run.at.step;
    snprintf(out, TRAINER_ROW, "%llu,%llu,%llu,%s,%s,", (unsigned long long)step,
             (unsigned long long)((step - 1) / t->per_epoch + 1), (unsigned long long)trainer_examples(t, step),
             tx_number_print(text[0], TX_NUMBER, (double)t->loss, 9), tx_number_shortest(text[1], TX_NUMBER, t->lr));
}

/* When the study ends that the training is a job of: as long for a piece of work as so far. */
static void tell_whole(trainer *t)
{
    const train_job *job = t->job;
    double done = job->before + job->own * (double)t->run.at.step / (double)t->total, since = tx_seconds() - job->began;
    if (done > 0 && job->all > done)
        tx_progress_whole(&t->bar, since * (job->all - done) / done);
}

static tx_status log_step(trainer *t, size_t count, double seconds)
{
    char line[TRAINER_ROW + 2 * TX_NUMBER], text[2][TX_NUMBER];
    trainer_row(t, line);
    size_t n = strlen(line);
    snprintf(line + n, sizeof line - n, "%s,%s\n",
             tx_number_fixed(text[0], TX_NUMBER, seconds > 0 ? (double)count / seconds : 0, 2),
             tx_number_fixed(text[1], TX_NUMBER, t->run.at.seconds, 3));
    tx_status status = tx_journal_add(t->run.table[RUN_LOG], line);
    snprintf(line, sizeof line, "loss %s", tx_number_fixed(text[0], TX_NUMBER, (double)t->loss, 4));
    if (t->job)
        tell_whole(t);
    tx_progress_update(&t->bar, (size_t)trainer_examples(t, t->run.at.step), line);
    return status;
}

tx_status trainer_step(trainer *t, int dry)
{
    double start = tx_seconds();
    size_t count;
    t->lr = tx_schedule_lr(&t->schedule, t->run.at.step);
    t->loss = 0;
    tx_status status = load_batch(t, t->run.at.step, &count, dry);
    if (status)
        return tx_fail_within(status, "step %llu", (unsigned long long)t->run.at.step + 1);
    tx_session_run(t->training, t->run.at.step);
    if (count > 0)
        status = tx_train_step(t->training, t->fitted.loss, t->optimizer, t->lr, &t->loss);
    else
        t->loss = (float)NAN;
    t->diverged = status && !isfinite(t->loss);
    if (status)
        return status;
    double seconds = tx_seconds() - start;
    t->run.at.step++;
    t->run.at.seconds += seconds;
    return dry ? TX_OK : log_step(t, count, seconds);
}

/* ------------------------------------------------------------------------------------------ evaluation */
/* Whether the run ended here before it was extended. */
static int was_end(const run_position *at)
{
    for (size_t i = 0; i < at->ends; i++)
        if (at->end[i] == at->step)
            return 1;
    return 0;
}

int trainer_evaluates(const trainer *t)
{
    uint64_t step = t->run.at.step, now = trainer_examples(t, step), before = trainer_examples(t, step - 1);
    return now / t->eval_every > before / t->eval_every || step == t->total ||
           (step % t->per_epoch == 0 && !t->overfit) || was_end(&t->run.at);
}

tx_status trainer_metadata(const trainer *t, double score, const char *by, settings *meta)
{
    char number[TX_NUMBER], augment[TX_AUGMENT_TEXT];
    tx_status status = settings_set(meta, "net", t->choice.net->name);
    if (status == TX_OK)
        status = settings_format(meta, "cut", "%d", t->choice.cut);
    if (status == TX_OK && t->choice.eps > 0)
        status = settings_set(meta, "eps", tx_number_shortest(number, sizeof number, t->choice.eps));
    if (status == TX_OK)
        status = recipe_write(&t->recipe, meta);
    if (status == TX_OK && strcmp(tx_augment_print(&t->augment, augment, sizeof augment), "none"))
        status = settings_set(meta, "augment", augment);
    if (status == TX_OK)
        status = settings_format(meta, "seed", "%llu", (unsigned long long)t->seed);
    if (status == TX_OK)
        status = settings_format(meta, "step", "%llu", (unsigned long long)t->run.at.step);
    if (status == TX_OK)
        status = settings_set(meta, "selection", by);
    return status ? status : settings_set(meta, "score", tx_number_shortest(number, sizeof number, score));
}

static tx_status save_checkpoint(trainer *t, double score, const char *by)
{
    settings meta = {0};
    tx_status status = trainer_metadata(t, score, by, &meta);
    char *path = run_checkpoint_path(&t->run, t->run.at.step);
    if (status == TX_OK)
        status = path ? tx_checkpoint_save(path, t->weights, meta.pair, meta.count) : TX_ERR_MEMORY;
    tx_free(path);
    settings_free(&meta);
    return status ? status : run_checkpoint_written(&t->run);
}

/* Nothing is kept of weights that are no numbers. */
static tx_status check_weights(trainer *t)
{
    char what[64];
    snprintf(what, sizeof what, "the weights after step %llu", (unsigned long long)t->run.at.step);
    tx_status status = tx_checkpoint_check(t->weights, what);
    t->diverged = status != TX_OK;
    return status;
}

static tx_status save_state(trainer *t)
{
    tx_status status = check_weights(t);
    if (status == TX_OK)
        status = run_save(&t->run, t->weights, t->optimizer, 0);
    t->saved = tx_seconds();
    if (status == TX_OK)
        t->saved_step = t->run.at.step;
    return status;
}

/* Once: which means are over fewer tasks than their names say. */
static void say_means(trainer *t, const scores *s)
{
    char line[160], over[32];
    int n = 0;
    for (int i = 0; i < 3; i++)
        if (s->mean[i].tasks < s->mean[i].of)
            n += snprintf(line + n, sizeof line - (size_t)n, "%s%s %s", n ? ", " : "valid: ", s->mean[i].name,
                          mean_extent(&s->mean[i], over));
    snprintf(line + n, sizeof line - (size_t)n, " tasks");
    if (n && !t->told)
        tx_progress_say(&t->bar, line);
    t->told = 1;
}

/* "step 336 valid: mean5 0.712 mean6 0.734 mean 0.690, best mean6 0.734 at 336" */
static void say_evaluation(trainer *t, const scores *s, const char *by)
{
    char line[256], number[TX_NUMBER];
    const run_best *best = &t->run.at.best[0];
    int n = snprintf(line, sizeof line, "step %llu valid:", (unsigned long long)t->run.at.step);
    for (int i = 0; i < 3; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s %s", s->mean[i].name,
                      s->mean[i].tasks ? tx_number_fixed(number, sizeof number, s->mean[i].value, 3) : "-");
    snprintf(line + n, sizeof line - (size_t)n, ", best %s %s at %llu", by,
             tx_number_fixed(number, sizeof number, strcmp(by, "loss") ? best->score : -best->score, 3),
             (unsigned long long)best->step);
    tx_progress_say(&t->bar, line);
}

/* Records an evaluation: rows of metrics.csv, the checkpoint if it is among the best, the state; then the
 * checkpoint that left the list goes. */
static tx_status record(trainer *t, const scores *s, double loss)
{
    const char *by;
    double score = scores_select(s, loss, &by);
    tx_buffer rows = {0};
    scores_rows(s, t->run.at.step, "valid", &rows);
    tx_status status = rows.status ? rows.status : tx_journal_add(t->run.table[RUN_METRICS], rows.data);
    tx_buffer_free(&rows);
    t->run.at.evaluated = t->run.at.step;
    if (status == TX_OK && run_rank(&t->run, score, (size_t)option_whole(t->o, "keep")))
        status = save_checkpoint(t, score, by);
    if (status == TX_OK)
        status = save_state(t);
    if (status == TX_OK)
        status = run_remove_evicted(&t->run);
    if (status == TX_OK && !t->job) {
        say_means(t, s);
        say_evaluation(t, s, by);
    }
    return status;
}

tx_status trainer_score(trainer *t, scores *s, double *loss)
{
    const tx_dataset *d = t->split[SPLIT_VALID];
    predictions p;
    memset(s, 0, sizeof *s);
    tx_status status = predictions_new(&p, d->images, d->tasks);
    if (status)
        return status;
    double *probability = tx_alloc(d->images * (size_t)d->tasks, sizeof *probability);
    tx_progress bar;
    tx_progress_begin(&bar, t->bar.out, "valid", "images", d->images, 0);
    inference how = {t->inference, &t->plain, t->inference_batch, t->check, d, &bar, 0, &trainer_stopped};
    status = probability ? predictions_run(&p, &how) : TX_ERR_MEMORY;
    tx_progress_clear(&bar);
    t->diverged = status == TX_ERR_ARGUMENT;
    t->unread = status == TX_ERR_FORMAT || status == TX_ERR_FILE;
    if (status == TX_OK && !trainer_stopped) {
        predictions_probabilities(&p, d, NULL, NULL, probability);
        status = scores_make(s, d, probability, p.present, 1);
        *loss = predictions_loss(&p, d);
        if (status)
            tx_fail_within(status, "evaluation after step %llu", (unsigned long long)t->run.at.step);
    }
    tx_free(probability);
    predictions_free(&p);
    return status;
}

static tx_status evaluate(trainer *t)
{
    scores s;
    double loss = 0;
    tx_status status = trainer_score(t, &s, &loss);
    if (status == TX_OK && s.tasks)
        status = record(t, &s, loss);
    scores_free(&s);
    return status;
}

/* What is to be done between two steps and has not been done yet: the digest's line, the evaluation, the kept
 * state. */
static tx_status settle(trainer *t)
{
    run_position *at = &t->run.at;
    if (at->step == 0)
        return TX_OK;
    int due = trainer_evaluates(t), keep = t->states && at->step % t->states == 0;
    int digest = due || keep || (t->digest_every && at->step % t->digest_every == 0);
    tx_status status = digest && at->digested < at->step ? check_weights(t) : TX_OK;
    if (status == TX_OK && digest && at->digested < at->step)
        status = run_digest(&t->run, t->weights);
    if (status == TX_OK && due && at->evaluated < at->step) {
        double start = tx_seconds();
        tx_progress_pause(&t->bar);
        status = evaluate(t);
        tx_progress_resume(&t->bar);
        t->evaluating += tx_seconds() - start;
    }
    if (status == TX_OK && keep && !trainer_stopped && !run_has_kept_state(&t->run)) {
        status = run_save(&t->run, t->weights, t->optimizer, 1);
        if (status == TX_OK)
            status = save_state(t);
    }
    return status;
}

/* What a training whose numbers are none any more has left: the same line ends in the same step again. */
static int complain_diverged(const trainer *t)
{
    char kept[160], folder[TX_TEXT];
    uint64_t last = 0;
    const run_position *at = &t->run.at;
    for (size_t i = 0; i < at->kept; i++)
        last = at->best[i].step > last ? at->best[i].step : last;
    int n = last ? snprintf(kept, sizeof kept, "the last sound checkpoint is of step %llu, the best of step %llu",
                            (unsigned long long)last, (unsigned long long)at->best[0].step)
                 : snprintf(kept, sizeof kept, "there is no checkpoint yet");
    if (t->saved_step)
        snprintf(kept + n, sizeof kept - (size_t)n, ", the last state of step %llu", (unsigned long long)t->saved_step);
    return complain(EXIT_FAILED, "%s: diverged after step %llu: %s; %s",
                    tx_escape(folder, sizeof folder, t->run.folder), (unsigned long long)at->step, tx_error_message(),
                    kept);
}

/* An image that is not what it was, or cannot be read: what the run has come to is kept. */
static int complain_unread(trainer *t)
{
    char what[512];
    snprintf(what, sizeof what, "%s", tx_error_message());
    if (save_state(t))
        return complain(EXIT_FAILED, "%s; the state could not be saved: %s", what, tx_error_message());
    return complain(EXIT_FAILED,
                    "%s; the state after step %llu of %llu is saved, and the same command line goes on from there",
                    what, (unsigned long long)t->run.at.step, (unsigned long long)t->total);
}

int trainer_loop(trainer *t)
{
    tx_status status;
    t->saved = tx_seconds();
    t->saved_step = t->run.at.step;
    tx_progress_begin(&t->bar, option_on(t->o, "quiet") ? NULL : stderr, t->job ? t->job->label : "train", "images",
                      (size_t)trainer_examples(t, t->total), (size_t)trainer_examples(t, t->run.at.step));
    for (;;) {
        status = settle(t);
        if (status || trainer_stopped || t->run.at.step >= t->total)
            break;
        status = trainer_step(t, 0);
        if (status == TX_OK && tx_seconds() - t->saved > STATE_SECONDS)
            status = save_state(t);
        if (status)
            break;
    }
    char note[64], time[TX_NUMBER];
    snprintf(note, sizeof note, "evaluations %s", tx_duration(time, t->evaluating));
    if (status == TX_OK)
        tx_progress_end(&t->bar, note);
    else
        tx_progress_stop(&t->bar);
    int finished = t->run.at.step >= t->total && t->run.at.evaluated == t->run.at.step;
    if (status == TX_OK && !finished)
        status = save_state(t);
    if (status)
        return t->diverged ? complain_diverged(t) : t->unread ? complain_unread(t) : complain_failed();
    if (!finished)
        return complain(EXIT_INTERRUPTED,
                        "interrupted after step %llu of %llu; the same command line goes on from there",
                        (unsigned long long)t->run.at.step, (unsigned long long)t->total);
    return EXIT_DONE;
}
