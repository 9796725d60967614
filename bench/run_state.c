/* run_state.c - full states of a run: everything that going on needs, in one file that knows its own digest. */
#include "run_state.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

#define STATE_FORMAT "thorax-state 2"

/* ------------------------------------------------------------------------------------- reading a state */
static int read_u64(const tx_safetensors *file, const char *key, uint64_t *value)
{
    const char *text = tx_safetensors_meta(file, key);
    return text ? parse_seed(text, value) : -1;
}

/* "STEP SCORE;STEP SCORE" */
static int read_best(const char *text, run_position *at)
{
    char item[96];
    at->kept = 0;
    if (!*text)
        return 0;
    while (text) {
        if (at->kept == RUN_BEST || next_item(&text, ';', item, sizeof item) != 1)
            return -1;
        char *blank = strchr(item, ' ');
        if (!blank)
            return -1;
        *blank = 0;
        run_best *b = &at->best[at->kept++];
        if (parse_seed(item, &b->step) || score_parse(blank + 1, &b->score))
            return -1;
    }
    return 0;
}

static int read_position(const tx_safetensors *file, run_position *at, uint64_t bytes[RUN_TABLES])
{
    const char *chain = tx_safetensors_meta(file, "chain"), *best = tx_safetensors_meta(file, "best");
    const char *seconds = tx_safetensors_meta(file, "seconds");
    if (!chain || strlen(chain) != 64 || !best || !seconds || parse_real(seconds, 0, 1e300, &at->seconds))
        return -1;
    memcpy(at->chain, chain, 65);
    int bad = read_u64(file, "step", &at->step) || read_u64(file, "evaluated", &at->evaluated) ||
              read_u64(file, "digested", &at->digested) || read_best(best, at);
    for (int t = 0; t < RUN_TABLES; t++)
        bad = bad || read_u64(file, run_table_names[t], &bytes[t]);
    return bad ? -1 : 0;
}

tx_safetensors *state_open(const run *r, const char *path, run_position *at, uint64_t bytes[RUN_TABLES])
{
    tx_safetensors *file = tx_path_exists(path) ? tx_safetensors_open(path) : NULL;
    if (!file)
        return NULL;
    const char *format = tx_safetensors_meta(file, "format"), *config = tx_safetensors_meta(file, "config");
    const char *identity = tx_safetensors_meta(file, "identity");
    if (format && strcmp(format, STATE_FORMAT) == 0 && config && strcmp(config, r->config) == 0 && identity &&
        strcmp(identity, r->identity) == 0 && read_position(file, at, bytes) == 0)
        return file;
    tx_safetensors_close(file);
    return NULL;
}

static void write_best(const run_position *at, tx_buffer *out)
{
    char number[TX_NUMBER];
    for (size_t i = 0; i < at->kept; i++)
        tx_buffer_add(out, "%s%llu %s", i ? ";" : "", (unsigned long long)at->best[i].step,
                      tx_number_shortest(number, sizeof number, at->best[i].score));
}

/* Of everything in a state that decides how the run goes on: a bit that flipped on the disk must not. */
static tx_status digest_state(const run_position *at, const uint64_t bytes[RUN_TABLES], const tx_weights *weights,
                              tx_optimizer *optimizer, char hex[65])
{
    tx_sha256 sha;
    tx_buffer text = {0};
    tx_buffer_add(&text, "%llu %llu %llu %s %llu\n", (unsigned long long)at->step, (unsigned long long)at->evaluated,
                  (unsigned long long)at->digested, at->chain, (unsigned long long)tx_optimizer_steps(optimizer));
    for (int t = 0; t < RUN_TABLES; t++)
        tx_buffer_add(&text, "%llu\n", (unsigned long long)bytes[t]);
    write_best(at, &text);
    if (text.status) {
        tx_buffer_free(&text);
        return text.status;
    }
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, text.data, text.length);
    tx_buffer_free(&text);
    for (size_t i = 0; i < weights->counters; i++) {
        unsigned char little[8];
        for (int b = 0; b < 8; b++)
            little[b] = (unsigned char)((uint64_t)weights->counter[i] >> 8 * b);
        tx_sha256_add(&sha, little, sizeof little);
    }
    tx_status status = tx_sha256_float_blocks(&sha, weights->value, weights->total);
    for (int i = 0; status == TX_OK && i < tx_optimizer_states(optimizer); i++)
        status = tx_sha256_float_blocks(&sha, tx_optimizer_state(optimizer, i), weights->trained);
    tx_sha256_end(&sha, hex);
    return status;
}

static tx_status read_floats(tx_safetensors *file, const char *name, size_t count, float *out)
{
    const tx_stored *t = tx_safetensors_find(file, name);
    if (!t || t->count != count)
        return tx_fail(TX_ERR_FORMAT, "a state without %zu values of %s", count, name);
    return tx_safetensors_floats(file, t, out);
}

tx_status state_read(tx_safetensors *file, const run_position *at, const uint64_t bytes[RUN_TABLES],
                     tx_weights *weights, tx_optimizer *optimizer)
{
    char hex[65];
    const char *noted = tx_safetensors_meta(file, "sha256");
    const tx_stored *counters = tx_safetensors_find(file, "counters");
    uint64_t steps;
    if (!noted || read_u64(file, "optimizer_steps", &steps) ||
        (weights->counters && (!counters || counters->count != weights->counters)))
        return tx_fail(TX_ERR_FORMAT, "a state without its counters");
    tx_status status = read_floats(file, "weights", weights->total, weights->value);
    if (status == TX_OK && weights->counters)
        status = tx_safetensors_integers(file, counters, weights->counter);
    for (int i = 0; status == TX_OK && i < tx_optimizer_states(optimizer); i++)
        status = read_floats(file, tx_optimizer_state_name(optimizer, i), weights->trained,
                             tx_optimizer_state(optimizer, i));
    tx_optimizer_set_steps(optimizer, steps);
    if (status == TX_OK)
        status = digest_state(at, bytes, weights, optimizer, hex);
    if (status == TX_OK && strcmp(hex, noted))
        status = tx_fail(TX_ERR_FORMAT, "a state whose numbers do not have their digest");
    tx_weights_changed(weights);
    return status;
}

/* ---------------------------------------------------------------------------------------------- saving */
static void put_u64(tx_safetensors_writer *w, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    tx_safetensors_put_meta(w, key, text);
}

static tx_status put_position(const run *r, const uint64_t bytes[RUN_TABLES], tx_safetensors_writer *w)
{
    char number[TX_NUMBER];
    tx_buffer best = {0};
    write_best(&r->at, &best);
    tx_safetensors_put_meta(w, "format", STATE_FORMAT);
    tx_safetensors_put_meta(w, "config", r->config);
    tx_safetensors_put_meta(w, "identity", r->identity);
    put_u64(w, "step", r->at.step);
    put_u64(w, "evaluated", r->at.evaluated);
    put_u64(w, "digested", r->at.digested);
    tx_safetensors_put_meta(w, "chain", r->at.chain);
    tx_safetensors_put_meta(w, "best", best.data ? best.data : "");
    tx_safetensors_put_meta(w, "seconds", tx_number_print(number, sizeof number, r->at.seconds, 9));
    for (int t = 0; t < RUN_TABLES; t++)
        put_u64(w, run_table_names[t], bytes[t]);
    tx_status status = best.status;
    tx_buffer_free(&best);
    return status;
}

tx_status state_write(const run *r, const char *path, const uint64_t bytes[RUN_TABLES], const tx_weights *weights,
                      tx_optimizer *optimizer)
{
    char hex[65];
    tx_status status = digest_state(&r->at, bytes, weights, optimizer, hex);
    tx_safetensors_writer *w = status ? NULL : tx_safetensors_create(path);
    if (!w)
        return status ? status : TX_ERR_FILE;
    status = put_position(r, bytes, w);
    if (status) {
        tx_safetensors_abandon(w);
        return status;
    }
    tx_safetensors_put_meta(w, "sha256", hex);
    put_u64(w, "optimizer_steps", tx_optimizer_steps(optimizer));
    tx_safetensors_put(w, "weights", TX_F32, 1, &weights->total, weights->value);
    if (weights->counters)
        tx_safetensors_put(w, "counters", TX_I64, 1, &weights->counters, weights->counter);
    for (int i = 0; i < tx_optimizer_states(optimizer); i++)
        tx_safetensors_put(w, tx_optimizer_state_name(optimizer, i), TX_F32, 1, &weights->trained,
                           tx_optimizer_state(optimizer, i));
    return tx_safetensors_finish(w);
}
