/* train_finish.c - the end of a run: what its best checkpoint says of valid and test, the report, the done mark. */
#include "model.h"
#include "options.h"
#include "trainer.h"

#include <string.h>

/* Predictions of a split: its file, and its scores (the caller's). */
static tx_status predict_split(trainer *t, predictor *p, int split, const char *file, scores *s)
{
    const tx_dataset *d = t->split[split];
    tx_loader *loader = trainer_loader(t, split, 0);
    float *probability = tx_alloc(d->images * (size_t)d->tasks, sizeof *probability);
    predictions said;
    tx_status status = loader && probability ? predictions_new(&said, d->images, d->tasks) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        tx_progress bar;
        tx_progress_begin(&bar, t->bar.out, split == SPLIT_TEST ? "test" : "valid", "images", d->images, 0);
        inference how = {p->session, &p->net, p->batch, loader, d, &bar, 0, &trainer_stopped};
        char *path = run_path(&t->run, file);
        status = path ? predictions_run(&said, &how) : TX_ERR_MEMORY;
        tx_progress_clear(&bar);
        if (status == TX_OK && !trainer_stopped) {
            predictions_probabilities(&said, d, NULL, probability);
            status = predictions_write(path, d, probability, said.present);
            if (status == TX_OK)
                status = scores_make(s, d, probability, said.present, 1);
        }
        tx_free(path);
        predictions_free(&said);
    }
    for (size_t i = 0; status == TX_OK && t->run.skips && !trainer_stopped && i < d->images; i++)
        if (tx_loader_bad(loader, i))
            status =
                run_list_bad(&t->run, split == SPLIT_TEST ? "test" : "valid", d->path[i], tx_loader_bad(loader, i));
    tx_loader_free(loader);
    tx_free(probability);
    return status;
}

static tx_status add_rows(trainer *t, const scores *s, uint64_t step)
{
    tx_buffer rows = {0};
    scores_rows(s, step, "test", &rows);
    tx_status status = rows.status ? rows.status : tx_journal_add(t->run.table[RUN_METRICS], rows.data);
    tx_buffer_free(&rows);
    return status;
}

/* The sessions of the training are not needed any more: their memory goes first. */
static tx_status open_best(trainer *t, predictor *p)
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
    status = path ? predictor_load(p, path) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

int trainer_finish(trainer *t)
{
    predictor p = {0};
    scores valid = {0}, test = {0};
    uint64_t best = t->run.at.best[0].step;
    tx_status status = open_best(t, &p);
    if (status == TX_OK)
        status = predict_split(t, &p, SPLIT_VALID, "predictions-valid.csv", &valid);
    if (status == TX_OK && t->split[SPLIT_TEST] && !trainer_stopped)
        status = predict_split(t, &p, SPLIT_TEST, "predictions-test.csv", &test);
    if (status == TX_OK && test.tasks)
        status = add_rows(t, &test, best);
    if (status == TX_OK && !trainer_stopped)
        status = tx_journal_sync(t->run.table[RUN_METRICS]);
    if (status == TX_OK && !trainer_stopped)
        status = trainer_report(t);
    if (status == TX_OK && !trainer_stopped)
        status = run_finish(&t->run);
    if (status == TX_OK && !trainer_stopped && t->figures)
        status = trainer_print(t, &valid, test.tasks ? &test : NULL);
    scores_free(&valid);
    scores_free(&test);
    predictor_free(&p);
    if (status)
        return complain_failed();
    return trainer_stopped ? complain(EXIT_INTERRUPTED, "interrupted; the same command line goes on from there")
                           : EXIT_DONE;
}
