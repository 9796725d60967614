/* study_products.c - what a study makes of a job's finished run: the ensemble of its kept checkpoints, maps, and job.txt. */
#include "commands.h"
#include "study.h"
#include "study_cam.h"
#include "study_ensemble.h"
#include "trainer.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- ensembles */
static int skips_bad(const options *o)
{
    const char *how = option_text(o, "bad-images");
    return how && strcmp(how, "skip") == 0;
}

/* Both splits; test only where there is a table. */
static tx_status make_ensembles(const study *s, const job *j, const model *m)
{
    tx_buffer text[STUDY_ENSEMBLES] = {{0}};
    const study_ensemble_args how = {m, s->data, skips_bad(s->o), 0};
    tx_status status = study_ensembles(&how, text);
    for (int i = 0; i < STUDY_ENSEMBLES; i++) {
        char *path = job_path(s, j, study_ensemble_names[i]);
        if (status == TX_OK && !path)
            status = TX_ERR_MEMORY;
        if (status == TX_OK && text[i].length && !trainer_stopped)
            status = tx_buffer_write(&text[i], path);
        tx_buffer_free(&text[i]);
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

static tx_status make_maps(const study *s, const model *m)
{
    const study_cam_args how = {.model = m,
                                .data = s->data,
                                .examples = (int)option_whole(s->o, "examples"),
                                .batch = 16,
                                .skip_bad = skips_bad(s->o)};
    return trainer_stopped ? TX_OK : study_cams(&how);
}

int job_products(const study *s, const job *j, const char *init)
{
    settings note = {0};
    options o = {0};
    model m = {0};
    char *folder = job_folder(s, j);
    int code = folder ? study_model(&m, &o, folder, s->data) : complain_failed();
    if (code == EXIT_DONE && (make_ensembles(s, j, &m) || make_maps(s, &m)))
        code = complain_failed();
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
