/* pretrain_file.c - what a pretraining keeps: weights that say how they were made, and states to go on from. */
#define _POSIX_C_SOURCE 200809L
#include "numbers.h"
#include "pretraining.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_FORMAT "thorax-pretrain 1"
/* Before the names of options in metadata; and what says that they are a pretraining's, of which version. */
#define KEY "pretrain."
#define VERSION_KEY KEY "version"
#define VERSION "1"

/* ---------------------------------------------------------------------------------------------- comparing */
/* TX_OK if the metadata note the same options; else an error that names the first that differs. */
static tx_status compare(const settings *made, const tx_safetensors *file, const char *path)
{
    char key[64], escaped[TX_TEXT], value[TX_TEXT];
    const char *version = tx_safetensors_meta(file, VERSION_KEY);
    tx_escape(escaped, sizeof escaped, path);
    if (!version || strcmp(version, VERSION))
        return tx_fail(TX_ERR_ARGUMENT, "%s: made by another version of thorax", escaped);
    for (size_t i = 0; i < made->count; i++) {
        snprintf(key, sizeof key, KEY "%s", made->pair[i].key);
        const char *found = tx_safetensors_meta(file, key);
        if (!found || strcmp(found, made->pair[i].value))
            return tx_fail(TX_ERR_ARGUMENT, "%s: made with --%s %s, not %s", escaped, made->pair[i].key,
                           tx_escape(value, sizeof value, found ? found : "of nothing"), made->pair[i].value);
    }
    return TX_OK;
}

/* Opens what is there: *found says what it is as far as the header tells. */
static tx_safetensors *open_found(const settings *made, const char *path, const char *format, pretrain_found *found)
{
    char escaped[TX_TEXT];
    tx_path_kind kind;
    *found = PRETRAIN_FOREIGN;
    if (tx_path_look(path, &kind))
        return NULL;
    if (kind == TX_PATH_NONE) {
        *found = PRETRAIN_NOTHING;
        return NULL;
    }
    tx_safetensors *file = tx_safetensors_open(path);
    if (!file)
        return NULL;
    const char *is = tx_safetensors_meta(file, "format");
    if (!is || strcmp(is, format) || !tx_safetensors_meta(file, VERSION_KEY)) {
        tx_fail(TX_ERR_ARGUMENT, "%s: holds something that no pretraining has made",
                tx_escape(escaped, sizeof escaped, path));
        tx_safetensors_close(file);
        return NULL;
    }
    *found = compare(made, file, path) == TX_OK ? PRETRAIN_SAME : PRETRAIN_OTHER;
    return file;
}

/* Whether the numbers are those that were written: by the digest that the metadata have of them. */
static tx_status check_weights(pretraining *p, const tx_safetensors *file)
{
    char digest[65], escaped[TX_TEXT];
    const char *noted = tx_safetensors_meta(file, KEY "weights");
    tx_status status = tx_checkpoint_load(p->file, p->weights, 0, NULL);
    if (status == TX_OK)
        status = tx_weights_digest(p->weights, digest);
    if (status == TX_OK && (!noted || strcmp(noted, digest)))
        status = tx_fail(TX_ERR_FORMAT, "%s: damaged: its weights are not those that were written",
                         tx_escape(escaped, sizeof escaped, p->file));
    return status;
}

static int read_number(const tx_safetensors *file, const char *key, double *value)
{
    const char *text = tx_safetensors_meta(file, key);
    return text ? parse_real(text, -1e300, 1e300, value) : -1;
}

pretrain_found pretrain_look(pretraining *p)
{
    pretrain_found found;
    tx_safetensors *file = open_found(&p->made, p->file, TX_CHECKPOINT_FORMAT, &found);
    if (file && found == PRETRAIN_SAME) {
        tx_status status = check_weights(p, file);
        if (status == TX_OK &&
            (read_number(file, KEY "loss", &p->loss) || read_number(file, KEY "accuracy", &p->accuracy)))
            status = tx_fail(TX_ERR_FORMAT, "its figures are damaged");
        found = status == TX_OK ? PRETRAIN_SAME : status == TX_ERR_FORMAT ? PRETRAIN_OTHER : PRETRAIN_FOREIGN;
    }
    tx_safetensors_close(file);
    return found;
}

pretrain_found pretrain_look_state(const pretraining *p)
{
    pretrain_found found;
    tx_safetensors *file = open_found(&p->made, p->state, STATE_FORMAT, &found);
    if (file && found == PRETRAIN_SAME) {
        tx_status status = tx_safetensors_check(file);
        found = status == TX_OK ? PRETRAIN_SAME : status == TX_ERR_FORMAT ? PRETRAIN_OTHER : PRETRAIN_FOREIGN;
    }
    tx_safetensors_close(file);
    return found;
}

/* ------------------------------------------------------------------------------------------------- states */
tx_status pretrain_resume(pretraining *p)
{
    char escaped[TX_TEXT];
    tx_safetensors *file = tx_safetensors_open(p->state);
    if (!file)
        return tx_error_status();
    const char *step = tx_safetensors_meta(file, "step");
    tx_status status = step && parse_seed(step, &p->step) == 0 && p->step <= p->total
                           ? TX_OK
                           : tx_fail(TX_ERR_FORMAT, "a state without its step");
    if (status == TX_OK)
        status = numbers_take(file, p->weights, p->optimizer);
    tx_safetensors_close(file);
    return status ? tx_fail_within(status, "%s", tx_escape(escaped, sizeof escaped, p->state)) : TX_OK;
}

static tx_status put_options(const settings *made, tx_safetensors_writer *w)
{
    char key[64];
    tx_status status = tx_safetensors_put_meta(w, VERSION_KEY, VERSION);
    for (size_t i = 0; status == TX_OK && i < made->count; i++) {
        snprintf(key, sizeof key, KEY "%s", made->pair[i].key);
        status = tx_safetensors_put_meta(w, key, made->pair[i].value);
    }
    return status;
}

tx_status pretrain_save_state(pretraining *p)
{
    char step[24], seal[65];
    tx_safetensors_writer *w = tx_safetensors_create(p->state);
    if (!w)
        return TX_ERR_MEMORY;
    p->saved = tx_seconds();
    snprintf(step, sizeof step, "%llu", (unsigned long long)p->step);
    tx_safetensors_put_meta(w, "format", STATE_FORMAT);
    tx_safetensors_put_seal(w, seal);
    tx_safetensors_put_meta(w, "step", step);
    put_options(&p->made, w);
    numbers_put(w, p->weights, p->optimizer);
    return tx_safetensors_finish(w);
}

tx_status pretrain_drop_state(const pretraining *p)
{
    char escaped[TX_TEXT];
    if (unlink(p->state) == 0 || errno == ENOENT)
        return TX_OK;
    return tx_fail(TX_ERR_FILE, "%s: cannot be removed: %s", tx_escape(escaped, sizeof escaped, p->state),
                   strerror(errno));
}

/* Which leftovers are swept: those of these names. */
static const char *swept[2];

static int is_swept(const char *name)
{
    return strcmp(name, swept[0]) == 0 || strcmp(name, swept[1]) == 0;
}

tx_status pretrain_sweep(const pretraining *p)
{
    char *folder = tx_strdup(p->file);
    if (!folder)
        return TX_ERR_MEMORY;
    size_t n = strlen(folder) - strlen(last_part(folder));
    folder[n > 1 ? n - 1 : n] = 0;
    swept[0] = last_part(p->file);
    swept[1] = last_part(p->state);
    tx_status status = tx_folder_sweep(n ? folder : ".", is_swept);
    tx_free(folder);
    return status;
}

/* ------------------------------------------------------------------------------------------------ weights */
/* "fractals: 100 classes of iterated function systems, 50 pictures each, size 64, 4 epochs, seed 0" */
static tx_status note_source(const pretraining *p, settings *meta)
{
    char length[64];
    if (option_given(p->o, "steps"))
        snprintf(length, sizeof length, "%llu steps of %zu", (unsigned long long)p->total, p->batch);
    else
        snprintf(length, sizeof length, "%ld epoch%s", option_whole(p->o, "epochs"),
                 option_whole(p->o, "epochs") == 1 ? "" : "s");
    return settings_format(meta, "source",
                           "fractals: %d classes of iterated function systems, %zu images each, size %d, %s, seed %llu",
                           p->choice.classes, p->instances, p->choice.size, length, (unsigned long long)p->seed);
}

/* What going from these weights on needs to know, and how they were made. */
static tx_status note_all(const pretraining *p, settings *meta)
{
    char digest[65], number[TX_NUMBER], key[64];
    tx_status status = settings_set(meta, "net", p->choice.net->name);
    if (status == TX_OK)
        status = settings_set(meta, "cut", "0");
    if (status == TX_OK)
        status = settings_format(meta, "size", "%d", p->choice.size);
    if (status == TX_OK)
        status = settings_set(meta, "normalize", PRETRAIN_NORMALIZE);
    if (status == TX_OK)
        status = note_source(p, meta);
    if (status == TX_OK)
        status = settings_set(meta, VERSION_KEY, VERSION);
    for (size_t i = 0; status == TX_OK && i < p->made.count; i++) {
        snprintf(key, sizeof key, KEY "%s", p->made.pair[i].key);
        status = settings_set(meta, key, p->made.pair[i].value);
    }
    if (status == TX_OK)
        status = settings_set(meta, KEY "loss", tx_number_shortest(number, sizeof number, p->loss));
    if (status == TX_OK)
        status = settings_set(meta, KEY "accuracy", tx_number_shortest(number, sizeof number, p->accuracy));
    if (status == TX_OK)
        status = tx_weights_digest(p->weights, digest);
    return status ? status : settings_set(meta, KEY "weights", digest);
}

tx_status pretrain_save(pretraining *p)
{
    settings meta = {0};
    tx_status status = tx_checkpoint_check(p->weights, "the weights of the last step");
    if (status == TX_OK)
        status = note_all(p, &meta);
    if (status == TX_OK)
        status = tx_checkpoint_save(p->file, p->weights, meta.pair, meta.count);
    settings_free(&meta);
    return status ? status : pretrain_drop_state(p);
}
