/* train_finish.c - the end of a run: what its best checkpoint says of valid and test, the report, the done mark. */
#include "digests.h"
#include "metrics.h"
#include "model.h"
#include "options.h"
#include "trainer.h"

#include <string.h>

/* Once: not for what is made again, nor at the end of a run that was extended after its end. */
static int lists_bad(const trainer *t)
{
    return t->run.table[RUN_BAD] && !t->run.at.former_done[0];
}

tx_status trainer_predict(trainer *t, predictor *p, int split, tx_buffer *text, scores *s)
{
    const tx_dataset *d = t->split[split];
    tx_loader *loader = t->last[split] = trainer_loader(t, split, 0);
    double *probability = tx_alloc(d->images * (size_t)d->tasks, sizeof *probability);
    predictions said;
    tx_status status = loader && probability ? predictions_new(&said, d->images, d->tasks) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        tx_progress bar;
        tx_progress_begin(&bar, t->bar.out, split == SPLIT_TEST ? "test" : "valid", "images", d->images, 0);
        inference how = {p->session, &p->net, p->batch, loader, d, &bar, 0, &trainer_stopped};
        status = predictions_run(&said, &how);
        tx_progress_clear(&bar);
        if (status == TX_OK && !trainer_stopped) {
            predictions_probabilities(&said, d, NULL, NULL, probability);
            predictions_text(text, d, probability, said.present);
            status = text->status ? text->status : scores_make(s, d, probability, said.present, 1);
        }
        predictions_free(&said);
    }
    tx_free(probability);
    return status;
}

/* Predictions of a split: its file, and its scores (the caller's). */
static tx_status predict_split(trainer *t, predictor *p, int split, const char *file, scores *s)
{
    tx_buffer text = {0};
    char *path = run_path(&t->run, file);
    tx_status status = path ? trainer_predict(t, p, split, &text, s) : TX_ERR_MEMORY;
    if (status == TX_OK && !trainer_stopped)
        status = tx_buffer_write(&text, path);
    tx_buffer_free(&text);
    tx_free(path);
    return status;
}

/* What was left out of the splits that were predicted. */
static tx_status list_bad(trainer *t)
{
    tx_status status = TX_OK;
    for (int split = SPLIT_VALID; split < SPLITS && lists_bad(t); split++)
        for (size_t i = 0; t->last[split] && status == TX_OK && i < t->split[split]->images; i++) {
            const char *reason = tx_loader_bad(t->last[split], i);
            if (reason)
                status = run_list_bad(&t->run, split_name[split], t->split[split]->path[i], reason);
        }
    return status;
}

/* Test's images have been read for the first time: the state that an extension goes on from shall know them. */
static tx_status save_seen(trainer *t)
{
    return t->last[SPLIT_TEST] && !t->job ? run_save(&t->run, t->weights, t->optimizer, 0) : TX_OK;
}

/* Rows of the checkpoint on test, unless it was the best at an earlier end already. */
static tx_status add_rows(trainer *t, const scores *s, uint64_t step)
{
    metrics m;
    tx_buffer rows = {0};
    tx_status read = metrics_read(&m, t->run.folder);
    int there = read == TX_OK && metrics_find(&m, step, 1, s->task[0].task) != NULL;
    metrics_free(&m);
    if (read || there)
        return read;
    scores_rows(s, step, "test", &rows);
    tx_status status = rows.status ? rows.status : tx_journal_add(t->run.table[RUN_METRICS], rows.data);
    tx_buffer_free(&rows);
    return status;
}

/* The sessions of the training are not needed any more: their memory goes first. */
tx_status trainer_best(trainer *t, predictor *p)
{
    tx_session_free(t->training);
    tx_session_free(t->inference);
    tx_loader_free(t->feed);
    tx_loader_free(t->check);
    t->training = t->inference = NULL;
    t->feed = t->check = NULL;
    tx_status status = predictor_open(p, &t->choice, t->inference_batch);
    if (status)
        return status;
    char *path = run_checkpoint_path(&t->run, t->run.at.best[0].step);
    status = path ? checkpoint_vouch(path) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = predictor_load(p, path);
    tx_free(path);
    return status;
}

static tx_status make_products(trainer *t, const int wanted[RUN_PRODUCTS], scores *valid, scores *test)
{
    predictor p = {0};
    tx_status status = TX_OK;
    if (wanted[RUN_VALID_PREDICTIONS] || wanted[RUN_TEST_PREDICTIONS])
        status = trainer_best(t, &p);
    if (status == TX_OK && wanted[RUN_VALID_PREDICTIONS])
        status = predict_split(t, &p, SPLIT_VALID, "predictions-valid.csv", valid);
    if (status == TX_OK && wanted[RUN_TEST_PREDICTIONS] && t->split[SPLIT_TEST] && !trainer_stopped)
        status = predict_split(t, &p, SPLIT_TEST, "predictions-test.csv", test);
    predictor_free(&p);
    return status;
}

/* What the run took: time of all its sessions, memory of this one. */
static tx_status note_end(trainer *t)
{
    char text[2][TX_NUMBER];
    tx_buffer note = {0};
    tx_buffer_add(&note, "finished: after step %llu\nseconds of training: %s\npeak memory of the process: %s MiB\n\n",
                  (unsigned long long)t->run.at.step, tx_number_fixed(text[0], TX_NUMBER, t->run.at.seconds, 1),
                  tx_number_fixed(text[1], TX_NUMBER, (double)tx_peak_memory() / 1048576, 1));
    tx_status status = note.status ? note.status : tx_journal_add(t->run.table[RUN_ENVIRONMENT], note.data);
    tx_buffer_free(&note);
    return status;
}

int trainer_finish(trainer *t)
{
    static const int all[RUN_PRODUCTS] = {1, 1, 1, 1};
    scores valid = {0}, test = {0};
    uint64_t best = t->run.at.best[0].step;
    tx_status status = make_products(t, all, &valid, &test);
    if (status == TX_OK && !trainer_stopped)
        status = save_seen(t);
    if (status == TX_OK && !trainer_stopped)
        status = list_bad(t);
    if (status == TX_OK && test.tasks && !trainer_stopped)
        status = add_rows(t, &test, best);
    if (status == TX_OK && !trainer_stopped)
        status = trainer_report(t);
    if (status == TX_OK && !trainer_stopped)
        status = note_end(t);
    if (status == TX_OK && !trainer_stopped)
        status = run_finish(&t->run, !t->job);
    if (status == TX_OK && !trainer_stopped && !t->job)
        status = trainer_print(t, &valid, test.tasks ? &test : NULL);
    scores_free(&valid);
    scores_free(&test);
    if (status)
        return complain_failed();
    return trainer_stopped ? complain(EXIT_INTERRUPTED, "interrupted; the same command line goes on from there")
                           : EXIT_DONE;
}

int trainer_mend(trainer *t)
{
    int wanted[RUN_PRODUCTS];
    scores valid = {0}, test = {0};
    memcpy(wanted, t->run.missing, sizeof wanted);
    tx_status status = run_reopen(&t->run);
    if (status == TX_OK)
        status = make_products(t, wanted, &valid, &test);
    if (status == TX_OK && (wanted[RUN_REPORT] || wanted[RUN_SPLITS]) && !trainer_stopped)
        status = trainer_report(t);
    if (status == TX_OK && !trainer_stopped)
        status = run_finish(&t->run, t->run.seal[0] != 0);
    scores_free(&valid);
    scores_free(&test);
    if (status)
        return complain_failed();
    return trainer_stopped ? complain(EXIT_INTERRUPTED, "interrupted; the same command line makes what is missing")
                           : EXIT_DONE;
}
