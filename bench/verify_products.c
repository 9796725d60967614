/* verify_products.c - what a finished run has made of its checkpoints, made again: its predictions, and of a study's job what
 * came after them. */
#include "commands.h"
#include "message.h"
#include "note.h"
#include "study_cam.h"
#include "study_ensemble.h"
#include "words.h"
#include "verify.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------- predictions */
static const char *cell_at(const char *text, size_t i, char out[TX_TEXT])
{
    char cell[TX_TEXT];
    while (i > 0 && !strchr(",\n", text[i - 1]))
        i--;
    snprintf(cell, sizeof cell, "%.*s", (int)strcspn(text + i, ",\n"), text + i);
    return tx_escape(out, TX_TEXT, cell);
}

/* At which row and column two tables differ; the other one is made of `of`. */
static void compare_text(verification *v, const char *file, const tx_buffer *now, const char *then, size_t bytes,
                         const char *of)
{
    char cell[2][TX_TEXT];
    size_t i = 0, row = 1, column = 1;
    if (now->length == bytes && memcmp(now->data, then, bytes) == 0)
        return;
    for (; i < bytes && i < now->length && now->data[i] == then[i]; i++) {
        row += now->data[i] == '\n';
        column = now->data[i] == '\n' ? 1 : column + (now->data[i] == ',');
    }
    verify_different(v, file, "%s: row %zu, column %zu is '%s', its %s '%s'", file, row, column,
                     cell_at(then, i, cell[0]), of, cell_at(now->data, i, cell[1]));
}

static tx_status predict(verification *v, predictor *p, int split, int product)
{
    const char *file = run_product_names[product];
    char *path = tx_path_join(v->folder, file);
    unsigned char *then = NULL;
    size_t bytes = 0;
    tx_buffer now = {0}, rows = {0};
    scores s = {0};
    tx_status status = path ? trainer_predict(&v->t, p, split, &now, &s) : TX_ERR_MEMORY;
    if (status == TX_OK && !trainer_stopped)
        status = tx_file_read(path, (size_t)1 << 30, &then, &bytes);
    if (then) {
        v->t.run.at.step = v->at = v->equal = v->t.run.at.best[0].step;
        compare_text(v, file, &now, (const char *)then, bytes, "checkpoint gives");
        v->predictions++;
    }
    if (then && !v->different[0] && split == SPLIT_TEST) {
        scores_rows(&s, v->t.run.at.best[0].step, "test", &rows);
        if (!strstr(v->metrics, rows.data ? rows.data : ""))
            verify_different(v, "metrics.csv",
                             "metrics.csv: its rows of test of step %llu are not what the checkpoint gives",
                             (unsigned long long)v->at);
    }
    scores_free(&s);
    tx_buffer_free(&now);
    tx_buffer_free(&rows);
    tx_free(then);
    tx_free(path);
    return status;
}

tx_status verify_predictions(verification *v)
{
    static const int split[2] = {SPLIT_VALID, SPLIT_TEST}, product[2] = {RUN_VALID_PREDICTIONS, RUN_TEST_PREDICTIONS};
    const run_position *at = &v->t.run.at;
    uint64_t step = at->step;
    predictor p = {0};
    tx_path_kind kind;
    if (!v->finished || at->kept == 0 || verify_damage_of(v, VERIFY_CHECKPOINT, at->best[0].step))
        return TX_OK;
    tx_status status = trainer_best(&v->t, &p);
    for (int i = 0; status == TX_OK && i < 2 && !v->different[0] && !trainer_stopped; i++) {
        status = look_at(v->folder, run_product_names[product[i]], &kind);
        if (status == TX_OK && v->t.split[split[i]] && kind == TX_PATH_FILE)
            status = predict(v, &p, split[i], product[i]);
    }
    predictor_free(&p);
    v->t.run.at.step = step;
    return status;
}

/* ------------------------------------------------------------------------------------------ a study's job */
/* *text stays NULL where there is no such file. */
static tx_status read_file(const verification *v, const char *file, unsigned char **text, size_t *bytes)
{
    tx_path_kind kind;
    tx_status status = look_at(v->folder, file, &kind);
    char *path = tx_path_join(v->folder, file);
    if (!path)
        status = TX_ERR_MEMORY;
    if (status == TX_OK && kind == TX_PATH_FILE)
        status = tx_file_read(path, (size_t)1 << 30, text, bytes);
    tx_free(path);
    return status;
}

/* An ensemble that is there. */
static tx_status compare_ensemble(verification *v, const char *file, const tx_buffer *now)
{
    unsigned char *then = NULL;
    size_t bytes = 0;
    tx_status status = read_file(v, file, &then, &bytes);
    if (then && now->data) {
        v->at = v->equal = v->t.run.at.step;
        compare_text(v, file, now, (const char *)then, bytes, "checkpoints give");
        v->ensembles++;
    }
    tx_free(then);
    return status;
}

static tx_status repeat_ensembles(verification *v, const model *m, int skip_bad)
{
    tx_buffer text[STUDY_ENSEMBLES] = {{0}};
    const study_ensemble_args how = {m, v->data, skip_bad, 1};
    tx_status status = study_ensembles(&how, text);
    for (int i = 0; i < STUDY_ENSEMBLES; i++) {
        if (status == TX_OK && !v->different[0] && !trainer_stopped)
            status = compare_ensemble(v, study_ensemble_names[i], &text[i]);
        tx_buffer_free(&text[i]);
    }
    return status;
}

static void compare_picture(verification *v, const char *file, const unsigned char *then, size_t bytes,
                            const unsigned char *now, size_t size)
{
    char name[TX_TEXT];
    size_t i = 0;
    if (bytes == size && memcmp(then, now, size) == 0)
        return;
    while (i < bytes && i < size && then[i] == now[i])
        i++;
    verify_different(v, file, "%s: is another picture than its checkpoint gives, from byte %zu on",
                     tx_escape(name, sizeof name, file), i + 1);
}

/* A file of the maps that is there; of the first difference alone is more known than that there is one. */
static tx_status compare_map(void *context, const char *name, const void *bytes, size_t size)
{
    verification *v = context;
    unsigned char *then = NULL;
    size_t length = 0;
    tx_status status = v->different[0] ? TX_OK : read_file(v, name, &then, &length);
    if (then) {
        const tx_buffer now = {.data = (char *)bytes, .length = size};
        v->maps++;
        if (strcmp(name, "cam.csv") == 0)
            compare_text(v, name, &now, (const char *)then, length, "checkpoint gives");
        else
            compare_picture(v, name, then, length, bytes, size);
    }
    tx_free(then);
    return status;
}

/* Of how many images the study makes pictures: the study.txt in the folder above says it, if it is the job's. -1: not known. */
static tx_status find_examples(const verification *v, long *examples)
{
    char hex[65];
    int whole = 0;
    settings study = {0}, job = {0};
    tx_path_kind kind = TX_PATH_NONE;
    char *up = tx_path_join(v->folder, ".."), *path = tx_path_join(v->folder, "job.txt");
    char *above = up ? tx_path_join(up, "study.txt") : NULL;
    tx_status status = above && path ? look_at(up, "study.txt", &kind) : TX_ERR_MEMORY;
    *examples = -1;
    if (status == TX_OK && kind == TX_PATH_FILE) {
        status = file_digest(up, "study.txt", hex);
        if (status == TX_OK)
            status = note_read(&job, path, &whole);
        if (status == TX_ERR_FORMAT) /* which is damage that is named already */
            status = TX_OK;
        const char *of = status == TX_OK && whole ? settings_get(&job, "study") : NULL;
        if (of && strcmp(of, hex) == 0)
            status = settings_read(&study, above);
        const char *number = settings_get(&study, "examples");
        if (status == TX_OK && number && parse_whole(number, 0, 1e9, examples))
            *examples = -1;
    }
    settings_free(&job);
    settings_free(&study);
    tx_free(up);
    tx_free(above);
    tx_free(path);
    return status;
}

static tx_status repeat_maps(verification *v, const model *m, int skip_bad)
{
    long examples;
    tx_path_kind kind;
    uint64_t step = v->t.run.at.step;
    const study_cam_sink to = {compare_map, v};
    tx_status status = find_examples(v, &examples);
    if (status == TX_OK)
        status = look_at(v->folder, "cam.csv", &kind);
    if (status == TX_OK && examples < 0 && kind == TX_PATH_FILE)
        say("maps are compared by digest alone: the study.txt that says how they were made is not in the folder above");
    if (status || examples < 0)
        return status;
    const study_cam_args how = {
        .model = m, .data = v->data, .to = &to, .examples = (int)examples, .batch = 16, .skip_bad = skip_bad};
    v->t.run.at.step = v->at = v->equal = v->t.run.at.best[0].step;
    status = study_cams(&how);
    if (status == TX_OK && kind == TX_PATH_FILE && !v->maps)
        verify_different(v, "cam.csv", "cam.csv: its data give no maps");
    v->t.run.at.step = step;
    return status;
}

/* All checkpoints are needed. */
static tx_status is_job(const verification *v, int *job)
{
    tx_path_kind kind = TX_PATH_NONE;
    tx_status status = look_at(v->folder, "job.txt", &kind);
    *job = v->finished && v->t.run.at.kept && kind == TX_PATH_FILE;
    for (size_t i = 0; i < v->damages; i++)
        *job = *job && v->damage[i].kind != VERIFY_CHECKPOINT;
    return status;
}

int verify_products(verification *v)
{
    const char *bad = settings_get(&v->config, "bad-images");
    options o = {0};
    model m = {0};
    int job;
    if (is_job(v, &job))
        return complain_failed();
    if (!job)
        return EXIT_DONE;
    int code = study_model(&m, &o, v->folder, v->data);
    const int skip_bad = bad && strcmp(bad, "skip") == 0;
    if (code == EXIT_DONE && repeat_ensembles(v, &m, skip_bad))
        code = complain_failed();
    if (code == EXIT_DONE && !v->different[0] && !trainer_stopped && repeat_maps(v, &m, skip_bad))
        code = complain_failed();
    model_free(&m);
    options_free(&o);
    return code;
}
