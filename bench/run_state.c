/* run_state.c - full states of a run: everything that going on needs, in one file that carries its own digest. */
#include "numbers.h"
#include "run_private.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

#define STATE_KIND "thorax-state "
#define STATE_FORMAT STATE_KIND "3"

/* ------------------------------------------------------------------------------------- reading a state */
/* Another version's states are neither damaged nor to be read. */
static tx_status check_format(const tx_safetensors *file, const char *path)
{
    char escaped[TX_TEXT], found[TX_TEXT];
    uint64_t version;
    const char *format = tx_safetensors_meta(file, "format");
    if (format && strcmp(format, STATE_FORMAT) == 0)
        return TX_OK;
    int state = format && strncmp(format, STATE_KIND, strlen(STATE_KIND)) == 0 &&
                parse_seed(format + strlen(STATE_KIND), &version) == 0;
    tx_escape(escaped, sizeof escaped, path);
    tx_escape(found, sizeof found, format ? format : "");
    if (state)
        return tx_fail(TX_ERR_ARGUMENT, "%s: format '%s', which another version of thorax writes; this one has '%s'",
                       escaped, found, STATE_FORMAT);
    return tx_fail(TX_ERR_FORMAT, "%s: format '%s', expected '%s'", escaped, found, STATE_FORMAT);
}

tx_status state_is_one(const char *path, int *is)
{
    tx_safetensors *file = tx_safetensors_open(path);
    const char *format = file ? tx_safetensors_meta(file, "format") : NULL;
    *is = format && strncmp(format, STATE_KIND, strlen(STATE_KIND)) == 0;
    tx_status status = file || tx_error_status() == TX_ERR_FORMAT ? TX_OK : tx_error_status();
    tx_safetensors_close(file);
    return status;
}

static tx_status read_config(tx_safetensors *file, run_position *at)
{
    const tx_stored *t = tx_safetensors_find(file, "config");
    if (!t || t->dtype != TX_U8)
        return tx_fail(TX_ERR_FORMAT, "a state without its options");
    at->config = tx_alloc(t->count + 1, 1);
    return at->config ? tx_safetensors_raw(file, t, (unsigned char *)at->config) : TX_ERR_MEMORY;
}

static tx_status read_notes(tx_safetensors *file, const char *path, run_position *at)
{
    char escaped[TX_TEXT];
    settings notes = {0};
    size_t metas;
    const tx_pair *meta = tx_safetensors_metas(file, &metas);
    tx_status status = settings_metadata(&notes, meta, metas);
    if (status == TX_OK)
        status = position_read(at, &notes);
    settings_free(&notes);
    if (status == TX_OK && (status = read_config(file, at)) != TX_OK)
        position_free(at);
    return status ? tx_fail_within(status, "%s", tx_escape(escaped, sizeof escaped, path)) : TX_OK;
}

tx_safetensors *state_open(const char *path, run_position *at, char seal[65])
{
    tx_safetensors *file = tx_safetensors_open(path);
    tx_status status = file ? check_format(file, path) : tx_error_status();
    if (status == TX_OK)
        status = tx_safetensors_check(file);
    if (status == TX_OK)
        memcpy(seal, tx_safetensors_meta(file, "seal"), 65);
    if (status == TX_OK)
        status = read_notes(file, path, at);
    if (status == TX_OK)
        return file;
    tx_safetensors_close(file);
    return NULL;
}

tx_status state_peek(const char *path, run_position *at)
{
    tx_safetensors *file = tx_safetensors_open(path);
    tx_status status = file ? check_format(file, path) : tx_error_status();
    if (status == TX_OK)
        status = read_notes(file, path, at);
    tx_safetensors_close(file);
    return status;
}

/* Whatever 64 bits they are, a file holds them as I64, which is read whole. */
tx_status state_read_arrays(tx_safetensors *file, run *r)
{
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < r->arrays; i++)
        status = stored_integers(file, r->array[i].name, r->array[i].count, (int64_t *)r->array[i].value);
    return status;
}

tx_status state_read(tx_safetensors *file, run *r, tx_weights *weights, tx_optimizer *optimizer)
{
    tx_status status = numbers_take(file, weights, optimizer);
    return status ? status : state_read_arrays(file, r);
}

/* ---------------------------------------------------------------------------------------------- saving */
static tx_status put_notes(const run_position *at, tx_safetensors_writer *w)
{
    settings notes = {0};
    tx_status status = position_write(at, &notes);
    for (size_t i = 0; status == TX_OK && i < notes.count; i++)
        status = tx_safetensors_put_meta(w, notes.pair[i].key, notes.pair[i].value);
    settings_free(&notes);
    return status;
}

tx_status state_write(const run *r, const char *path, const tx_weights *weights, tx_optimizer *optimizer, char seal[65])
{
    tx_safetensors_writer *w = tx_safetensors_create(path);
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put_meta(w, "format", STATE_FORMAT);
    tx_safetensors_put_seal(w, seal);
    tx_status status = numbers_put(w, weights, optimizer);
    if (status == TX_OK)
        status = put_notes(&r->at, w);
    if (status) {
        tx_safetensors_abandon(w);
        return status;
    }
    for (int i = 0; i < r->arrays; i++)
        if (r->array[i].count)
            tx_safetensors_put(w, r->array[i].name, TX_I64, 1, &r->array[i].count, r->array[i].value);
    size_t text = strlen(r->at.config);
    tx_safetensors_put(w, "config", TX_U8, 1, &text, r->at.config);
    return tx_safetensors_finish(w);
}
