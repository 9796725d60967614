/* study_ensemble.c - the ensemble of a run's kept checkpoints. */
#include "study_ensemble.h"
#include "commands.h"
#include "scores.h"
#include "trainer.h"

#include <string.h>

const char *const study_ensemble_names[STUDY_ENSEMBLES] = {"ensemble-valid.csv", "ensemble-test.csv"};
static const struct {
    const char *split, *predictions; /* of the best checkpoint */
} of_split[STUDY_ENSEMBLES] = {{"valid", "predictions-valid.csv"}, {"test", "predictions-test.csv"}};

int study_model(model *m, options *o, const char *folder, const char *data)
{
    char *argv[] = {(char *)"--data", (char *)data, (char *)folder, (char *)"--ensemble"};
    run_checkpoint *list;
    size_t kept;
    if (run_checkpoints(folder, &list, &kept))
        return complain_failed();
    run_checkpoints_free(list, kept);
    /* Of one the switch would be said to have no effect. */
    int code = options_read(o, command_find("predict"), kept > 1 ? 4 : 3, argv, NULL);
    return code == EXIT_DONE ? model_open(m, folder, o) : code;
}

/* *there: whether the data have the split. */
static tx_status look_for(const study_ensemble_args *a, int i, int *there)
{
    char *csv = tx_dataset_table(a->data, of_split[i].split);
    *there = csv && tx_path_exists(csv);
    tx_free(csv);
    return csv ? TX_OK : TX_ERR_MEMORY;
}

/* Of a single checkpoint: the run's own predictions. */
static tx_status take_predictions(const study_ensemble_args *a, int i, tx_buffer *text)
{
    unsigned char *read = NULL;
    char *path = tx_path_join(a->model->name, of_split[i].predictions);
    tx_status status = path ? tx_file_read(path, (size_t)1 << 30, &read, &text->length) : TX_ERR_MEMORY;
    text->data = (char *)read;
    tx_free(path);
    return status;
}

/* A split that has a table, and the sums of what the checkpoints say of it. */
typedef struct split_sum {
    tx_dataset *d; /* NULL: no table */
    tx_loader *loader;
    double *sum;
    unsigned char *present;
} split_sum;

static tx_status open_split(const study_ensemble_args *a, int i, split_sum *t)
{
    const recipe *of = &a->model->recipe;
    tx_loader_options how = {.preprocess = of->how};
    how.skip_bad = a->skip_bad;
    t->d = recipe_dataset(of, a->data, of_split[i].split, of->tasks, 0);
    if (!t->d)
        return tx_error_status();
    t->loader = tx_loader_new(t->d, &how);
    t->sum = tx_alloc(t->d->images * (size_t)t->d->tasks, sizeof *t->sum);
    t->present = tx_alloc(t->d->images, 1);
    return t->loader && t->sum && t->present ? TX_OK : TX_ERR_MEMORY;
}

static void close_split(split_sum *t)
{
    tx_free(t->sum);
    tx_free(t->present);
    tx_loader_free(t->loader);
    tx_dataset_free(t->d);
}

/* One checkpoint's probabilities, added to those of the others. */
static tx_status add_member(const model *m, predictor *p, split_sum *t)
{
    predictions said;
    size_t cells = t->d->images * (size_t)t->d->tasks;
    double *probability = tx_alloc(cells, sizeof *probability);
    tx_status status = probability ? predictions_new(&said, t->d->images, m->choice.classes) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        inference how = {p->session, &p->net, p->batch, t->loader, t->d, NULL, 0, &trainer_stopped};
        status = predictions_run(&said, &how);
        if (status == TX_OK) {
            predictions_probabilities(&said, t->d, NULL, NULL, probability);
            memcpy(t->present, said.present, t->d->images);
        }
        for (size_t i = 0; status == TX_OK && i < cells; i++)
            t->sum[i] += probability[i];
        predictions_free(&said);
    }
    tx_free(probability);
    return status;
}

static tx_status add_mean(const model *m, split_sum *t, tx_buffer *text)
{
    double *mean = t->sum;
    for (size_t i = 0; i < t->d->images * (size_t)t->d->tasks; i++)
        mean[i] /= (double)m->files;
    predictions_text(text, t->d, mean, t->present);
    return text->status;
}

/* Each checkpoint is read once, for both splits. */
static tx_status run_members(const model *m, split_sum split[STUDY_ENSEMBLES], tx_buffer text[STUDY_ENSEMBLES])
{
    predictor p = {0};
    tx_status status = predictor_open(&p, &m->choice, 16);
    for (size_t k = 0; status == TX_OK && k < m->files && !trainer_stopped; k++) {
        status = predictor_load(&p, m->file[k]);
        for (int i = 0; status == TX_OK && i < STUDY_ENSEMBLES && !trainer_stopped; i++)
            if (split[i].d)
                status = add_member(m, &p, &split[i]);
    }
    for (int i = 0; status == TX_OK && i < STUDY_ENSEMBLES && !trainer_stopped; i++)
        if (split[i].d)
            status = add_mean(m, &split[i], &text[i]);
    predictor_free(&p);
    return status;
}

tx_status study_ensembles(const study_ensemble_args *a, tx_buffer text[STUDY_ENSEMBLES])
{
    split_sum split[STUDY_ENSEMBLES] = {{0}};
    const int given = a->model->files == 1 && !a->again;
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < STUDY_ENSEMBLES; i++) {
        int there;
        status = look_for(a, i, &there);
        if (status == TX_OK && there)
            status = given ? take_predictions(a, i, &text[i]) : open_split(a, i, &split[i]);
    }
    if (status == TX_OK && !given)
        status = run_members(a->model, split, text);
    for (int i = 0; i < STUDY_ENSEMBLES; i++)
        close_split(&split[i]);
    return status;
}
