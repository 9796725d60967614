/* study_products.c - what a study makes of a job's finished run: the ensemble of its kept checkpoints, and job.txt.
 *
 * The ensemble of an image is the mean of the checkpoints' probabilities, best first, in double; of one checkpoint it is
 * what the run has predicted already. */
#include "commands.h"
#include "model.h"
#include "scores.h"
#include "study.h"
#include "study_cam.h"
#include "trainer.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- ensembles */
static int skips_bad(const options *o)
{
    const char *how = option_text(o, "bad-images");
    return how && strcmp(how, "skip") == 0;
}

/* Of a single checkpoint: the run's own predictions. */
static tx_status copy_predictions(const study *s, const job *j, const char *from, const char *to)
{
    unsigned char *text = NULL;
    size_t bytes = 0;
    char *source = job_path(s, j, from), *path = job_path(s, j, to);
    tx_status status = source && path ? tx_file_read(source, (size_t)1 << 30, &text, &bytes) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_buffer_write(&(tx_buffer){.data = (char *)text, .length = bytes}, path);
    tx_free(text);
    tx_free(source);
    tx_free(path);
    return status;
}

/* A split that has a table, and the sums of what the checkpoints say of it. */
typedef struct split_sum {
    tx_dataset *d; /* NULL: no table */
    tx_loader *loader;
    double *sum;
    unsigned char *present;
    char *path; /* of the file that it becomes */
} split_sum;

enum { ENSEMBLES = 2 };
static const struct {
    const char *split, *of_best, *of_all;
} ensembles[ENSEMBLES] = {{"valid", "predictions-valid.csv", "ensemble-valid.csv"},
                          {"test", "predictions-test.csv", "ensemble-test.csv"}};

/* *there: whether the data have the split. */
static tx_status look_for(const study *s, int i, int *there)
{
    char *csv = tx_dataset_table(s->data, ensembles[i].split);
    *there = csv && tx_path_exists(csv);
    tx_free(csv);
    return csv ? TX_OK : TX_ERR_MEMORY;
}

static tx_status open_split(const study *s, const job *j, const model *m, int i, split_sum *t)
{
    int there;
    tx_status status = look_for(s, i, &there);
    if (status || !there)
        return status;
    tx_loader_options how = {.preprocess = m->recipe.how};
    how.skip_bad = skips_bad(s->o);
    t->path = job_path(s, j, ensembles[i].of_all);
    t->d = recipe_dataset(&m->recipe, s->data, ensembles[i].split, m->recipe.tasks, 0);
    if (!t->d)
        return tx_error_status();
    t->loader = tx_loader_new(t->d, &how);
    t->sum = tx_alloc(t->d->images * (size_t)t->d->tasks, sizeof *t->sum);
    t->present = tx_alloc(t->d->images, 1);
    return t->path && t->loader && t->sum && t->present ? TX_OK : TX_ERR_MEMORY;
}

static void close_split(split_sum *t)
{
    tx_free(t->path);
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

static tx_status write_mean(const model *m, split_sum *t)
{
    double *mean = t->sum;
    for (size_t i = 0; i < t->d->images * (size_t)t->d->tasks; i++)
        mean[i] /= (double)m->files;
    return predictions_write(t->path, t->d, mean, t->present);
}

/* Each checkpoint is read once, for both splits. */
static tx_status run_members(const model *m, split_sum split[ENSEMBLES])
{
    predictor p = {0};
    tx_status status = predictor_open(&p, &m->choice, 16);
    for (size_t k = 0; status == TX_OK && k < m->files && !trainer_stopped; k++) {
        status = predictor_load(&p, m->file[k]);
        for (int i = 0; status == TX_OK && i < ENSEMBLES && !trainer_stopped; i++)
            if (split[i].d)
                status = add_member(m, &p, &split[i]);
    }
    for (int i = 0; status == TX_OK && i < ENSEMBLES && !trainer_stopped; i++)
        if (split[i].d)
            status = write_mean(m, &split[i]);
    predictor_free(&p);
    return status;
}

/* Both splits; test only where there is a table. */
static tx_status make_ensembles(const study *s, const job *j, const model *m)
{
    split_sum split[ENSEMBLES] = {{0}};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < ENSEMBLES && m->files == 1; i++) {
        int there;
        status = look_for(s, i, &there);
        if (status == TX_OK && there)
            status = copy_predictions(s, j, ensembles[i].of_best, ensembles[i].of_all);
    }
    for (int i = 0; status == TX_OK && i < ENSEMBLES && m->files > 1; i++)
        status = open_split(s, j, m, i, &split[i]);
    if (status == TX_OK && m->files > 1)
        status = run_members(m, split);
    for (int i = 0; i < ENSEMBLES; i++)
        close_split(&split[i]);
    return status;
}

/* --------------------------------------------------------------------------------------------- job.txt */
/* The digest of config.txt without its lines `data` and `init`, which are places. */
static tx_status digest_config(const study *s, const job *j, char hex[65])
{
    unsigned char *text = NULL;
    size_t bytes = 0;
    tx_sha256 sha;
    char *path = job_path(s, j, "config.txt");
    tx_status status = path ? tx_file_read(path, 1 << 20, &text, &bytes) : TX_ERR_MEMORY;
    tx_sha256_begin(&sha);
    for (const char *line = (const char *)text; status == TX_OK && *line;) {
        size_t n = strcspn(line, "\n");
        n += line[n] == '\n';
        if (strncmp(line, "data = ", 7) && strncmp(line, "init = ", 7))
            tx_sha256_add(&sha, line, n);
        line += n;
    }
    tx_sha256_end(&sha, hex);
    tx_free(text);
    tx_free(path);
    return status;
}

static tx_status count_parameters(const model *m, size_t *count)
{
    tx_network n;
    tx_status status = tx_network_build(&n, &m->choice, 0, NULL);
    if (status)
        return status;
    *count = tx_graph_trained(n.graph);
    tx_network_free(&n);
    return TX_OK;
}

static tx_status describe(const study *s, const job *j, const model *m, const char *init, settings *note)
{
    char hex[65];
    size_t parameters = 0;
    tx_status status = job_note_begin(s, note);
    if (status == TX_OK)
        status = settings_set(note, "net", j->net);
    if (status == TX_OK)
        status = settings_format(note, "cut", "%d", j->cut);
    if (status == TX_OK)
        status = settings_set(note, "init", j->init);
    if (status == TX_OK)
        status = settings_format(note, "seed", "%llu", (unsigned long long)j->seed);
    if (status == TX_OK)
        status = source_note(s, init, note);
    if (status == TX_OK)
        status = count_parameters(m, &parameters);
    if (status == TX_OK)
        status = settings_format(note, "outputs", "%d", m->choice.classes);
    if (status == TX_OK)
        status = settings_format(note, "parameters", "%zu", parameters);
    if (status == TX_OK)
        status = settings_format(note, "checkpoints", "%zu", m->files);
    if (status == TX_OK)
        status = settings_set(note, "data", s->tables);
    if (status == TX_OK)
        status = digest_config(s, j, hex);
    return status == TX_OK ? settings_set(note, "options", hex) : status;
}

/* The run as a model of all its checkpoints. */
static int open_run(const study *s, options *o, model *m, char *folder)
{
    char *argv[] = {(char *)"--data", s->data, folder, (char *)"--ensemble"};
    run_checkpoint *list;
    size_t kept;
    if (run_checkpoints(folder, &list, &kept))
        return complain_failed();
    run_checkpoints_free(list, kept);
    /* Of one the switch would be said to have no effect. */
    int code = options_read(o, command_find("predict"), kept > 1 ? 4 : 3, argv, NULL);
    return code == EXIT_DONE ? model_open(m, folder, o) : code;
}

static int make_maps(const study *s, char *folder)
{
    const study_cam_args how = {.folder = folder,
                                .data = s->data,
                                .examples = (int)option_whole(s->o, "examples"),
                                .batch = 16,
                                .skip_bad = skips_bad(s->o)};
    return trainer_stopped ? EXIT_DONE : study_cams(&how);
}

int job_products(const study *s, const job *j, const char *init)
{
    settings note = {0};
    options o = {0};
    model m = {0};
    char *folder = job_folder(s, j);
    int code = folder ? open_run(s, &o, &m, folder) : complain_failed();
    if (code == EXIT_DONE && make_ensembles(s, j, &m))
        code = complain_failed();
    if (code == EXIT_DONE)
        code = make_maps(s, folder);
    if (code == EXIT_DONE && !trainer_stopped && (describe(s, j, &m, init, &note) || job_note_end(s, j, &note)))
        code = complain_failed();
    model_free(&m);
    options_free(&o);
    settings_free(&note);
    tx_free(folder);
    if (code == EXIT_DONE && trainer_stopped)
        code = complain(EXIT_INTERRUPTED, "interrupted; the same command line goes on from there");
    return code;
}
