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
    tx_writer *out = NULL;
    tx_status status = source && path ? tx_file_read(source, (size_t)1 << 32, &text, &bytes) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = (out = tx_writer_open(path)) ? tx_writer_bytes(out, text, bytes) : tx_error_status();
    if (status == TX_OK)
        status = tx_writer_commit(out);
    else
        tx_writer_abort(out);
    tx_free(text);
    tx_free(source);
    tx_free(path);
    return status;
}

/* One checkpoint's probabilities, added to those of the others. */
static tx_status add_member(const model *m, predictor *p, tx_loader *loader, const tx_dataset *d, double *sum,
                            unsigned char *present)
{
    predictions said;
    size_t cells = d->images * (size_t)d->tasks;
    double *probability = tx_alloc(cells, sizeof *probability);
    tx_status status = probability ? predictions_new(&said, d->images, m->choice.classes) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        inference how = {p->session, &p->net, p->batch, loader, d, NULL, 0, &trainer_stopped};
        status = predictions_run(&said, &how);
        if (status == TX_OK) {
            predictions_probabilities(&said, d, NULL, NULL, probability);
            memcpy(present, said.present, d->images);
        }
        for (size_t i = 0; status == TX_OK && i < cells; i++)
            sum[i] += probability[i];
        predictions_free(&said);
    }
    tx_free(probability);
    return status;
}

static tx_status run_members(const model *m, tx_loader *loader, const tx_dataset *d, double *mean,
                             unsigned char *present)
{
    predictor p = {0};
    size_t cells = d->images * (size_t)d->tasks;
    tx_status status = predictor_open(&p, &m->choice, 16);
    for (size_t i = 0; status == TX_OK && i < m->files && !trainer_stopped; i++) {
        status = predictor_load(&p, m->file[i]);
        if (status == TX_OK)
            status = add_member(m, &p, loader, d, mean, present);
    }
    for (size_t i = 0; status == TX_OK && i < cells; i++)
        mean[i] /= (double)m->files;
    predictor_free(&p);
    return status;
}

static tx_status ensemble(const study *s, const model *m, const tx_dataset *d, const char *path)
{
    tx_loader_options how = {.preprocess = m->recipe.how};
    how.skip_bad = skips_bad(s->o);
    tx_loader *loader = tx_loader_new(d, &how);
    double *mean = tx_alloc(d->images * (size_t)d->tasks, sizeof *mean);
    unsigned char *present = tx_alloc(d->images, 1);
    tx_status status = loader && mean && present ? run_members(m, loader, d, mean, present) : TX_ERR_MEMORY;
    if (status == TX_OK && !trainer_stopped)
        status = predictions_write(path, d, mean, present);
    tx_free(present);
    tx_free(mean);
    tx_loader_free(loader);
    return status;
}

/* Both splits; test only where there is a table. */
static tx_status make_ensembles(const study *s, const job *j, const model *m)
{
    static const char *const name[][2] = {{"predictions-valid.csv", "ensemble-valid.csv"},
                                          {"predictions-test.csv", "ensemble-test.csv"}};
    static const char *const split[] = {"valid", "test"};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < 2 && !trainer_stopped; i++) {
        char *path = job_path(s, j, name[i][1]), *csv = tx_dataset_table(s->data, split[i]);
        tx_dataset *d = NULL;
        int there = csv && tx_path_exists(csv);
        status = path && csv ? TX_OK : TX_ERR_MEMORY;
        if (status == TX_OK && there && m->files == 1)
            status = copy_predictions(s, j, name[i][0], name[i][1]);
        else if (status == TX_OK && there)
            status = (d = recipe_dataset(&m->recipe, s->data, split[i], m->recipe.tasks, 0)) ? ensemble(s, m, d, path)
                                                                                             : tx_error_status();
        tx_dataset_free(d);
        tx_free(csv);
        tx_free(path);
    }
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
