/* run.c - a run at work: beginning, tables, the list of the best, states, the end. See run.h. */
#define _POSIX_C_SOURCE 200809L
#include "digests.h"
#include "run_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------------------------- paths */
char *run_checkpoint_path(const run *r, uint64_t step)
{
    return step_path(r->folder, "checkpoints", step);
}

static tx_status make_inner(const run *r, const char *name)
{
    char *path = run_path(r, name);
    tx_status status = path ? tx_folder_make(path) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

/* Removes a file of the run's; one that is not there is as good. */
static tx_status remove_path(const char *path)
{
    char escaped[TX_TEXT];
    if (!path)
        return TX_ERR_MEMORY;
    return unlink(path) == 0 || errno == ENOENT ? TX_OK
                                                : tx_fail(TX_ERR_FILE, "%s: cannot remove: %s",
                                                          tx_escape(escaped, sizeof escaped, path), strerror(errno));
}

static tx_status remove_file(const run *r, const char *name)
{
    char *path = run_path(r, name);
    tx_status status = remove_path(path);
    tx_free(path);
    return status;
}

/* ---------------------------------------------------------------------------------------------- config */
/* The text of config.txt, the caller's; NULL without memory. */
static char *config_text(const settings *config)
{
    tx_buffer p = {0};
    tx_buffer_append(&p, RUN_CONFIG_BEGIN);
    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->pair[i].key, *value = config->pair[i].value;
        tx_buffer_append(&p, *value ? "" : "# ");
        settings_line(&p, key, value);
    }
    char *text = p.status ? NULL : tx_strdup(p.data);
    tx_buffer_free(&p);
    return text;
}

/* Writes config.txt where it is not the run's already. */
static tx_status write_config(const run *r)
{
    unsigned char *text = NULL;
    size_t bytes = 0, n = strlen(r->at.config);
    char *path = run_path(r, "config.txt");
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && tx_path_exists(path))
        status = tx_file_read(path, (size_t)1 << 30, &text, &bytes);
    int same = text && bytes == n && memcmp(text, r->at.config, n) == 0;
    tx_buffer p = {r->at.config, n, n, TX_OK};
    if (status == TX_OK && !same)
        status = tx_buffer_write(&p, path);
    tx_free(text);
    tx_free(path);
    return status;
}

/* ---------------------------------------------------------------------------------------------- tables */
/* At the lengths that the position notes: what came after is done again. Where sessions ran stays noted. */
static tx_status open_tables(run *r)
{
    tx_status status = TX_OK;
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++) {
        if (t == RUN_BAD && !r->skips)
            continue;
        uint64_t bytes = r->at.table[t].bytes;
        char *path = run_path(r, run_table_names[t]);
        r->table[t] = path ? tx_journal_open(path, t == RUN_ENVIRONMENT ? TX_JOURNAL_ALL : bytes) : NULL;
        status = r->table[t] ? TX_OK : tx_error_status();
        if (status == TX_OK && bytes == 0 && *run_table_headers[t])
            status = tx_journal_add(r->table[t], run_table_headers[t]);
        tx_free(path);
    }
    return status;
}

/* Makes the tables durable and notes them. */
static tx_status note_tables(run *r)
{
    tx_status status = TX_OK;
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++) {
        if (!r->table[t])
            continue;
        status = tx_journal_sync(r->table[t]);
        r->at.table[t].bytes = tx_journal_bytes(r->table[t]);
        tx_journal_digest(r->table[t], r->at.table[t].sha256);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- beginning */
void run_carry(run *r, const char *name, uint64_t *value, size_t count)
{
    r->array[r->arrays++] = (run_array){name, value, count};
}

/* The position of a run that has not done anything. */
static tx_status first_position(run *r, const run_order *o)
{
    tx_sha256 sha;
    run_position *at = &r->at;
    position_free(at);
    at->total = o->total;
    at->restarted = o->restart;
    at->clears = r->clear;
    memcpy(at->chain, digests_zeros, 65);
    memcpy(at->identity, o->identity, 65);
    for (int t = 0; t < RUN_TABLES; t++) {
        tx_sha256_begin(&sha);
        tx_sha256_end(&sha, at->table[t].sha256);
    }
    at->config = config_text(o->config);
    return at->config ? TX_OK : TX_ERR_MEMORY;
}

/* A folder that was not there is this run's once it is locked, unless another process was faster. */
static tx_status make_folder(run *r)
{
    char escaped[TX_TEXT], first[64] = "";
    if (r->lock)
        return TX_OK;
    tx_status status = tx_folder_make(r->folder);
    if (status == TX_OK)
        status = run_lock(r);
    if (status == TX_OK)
        status = folder_holds(r->folder, first);
    if (status == TX_OK && first[0])
        status = tx_fail(TX_ERR_FILE, "%s: another process began a run here meanwhile",
                         tx_escape(escaped, sizeof escaped, r->folder));
    return status;
}

static tx_status write_state(run *r, const tx_weights *weights, tx_optimizer *optimizer)
{
    char *path = run_path(r, "state.safetensors");
    tx_status status = path ? state_write(r, path, weights, optimizer, r->seal) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

/* What lies in the folder of a run that this one's first state has taken the place of. */
static tx_status clear_former(run *r)
{
    tx_status status = r->at.clears ? folder_clear(r->folder) : TX_OK;
    if (status == TX_OK)
        r->at.clears = 0;
    return status;
}

/* The first state comes first: where it is there, the run before is given up; where it cannot be written, that run is
 * as it was. */
static tx_status begin_first(run *r, const run_order *o, const tx_weights *weights, tx_optimizer *optimizer)
{
    tx_status status = first_position(r, o);
    if (status == TX_OK)
        status = make_folder(r);
    r->begun = status == TX_OK;
    if (status == TX_OK)
        status = folder_sweep(r->folder);
    if (status == TX_OK)
        status = make_inner(r, "checkpoints");
    if (status == TX_OK)
        status = write_state(r, weights, optimizer);
    if (status == TX_OK)
        status = clear_former(r);
    if (status == TX_OK)
        status = write_config(r);
    return status ? status : open_tables(r);
}

/* The state of the longer run takes the place of the shorter one's, and notes which options and which done mark hold no
 * longer. */
static tx_status extend(run *r, const run_order *o, const tx_weights *weights, tx_optimizer *optimizer)
{
    run_position *at = &r->at;
    tx_path_kind done;
    char *text = config_text(o->config);
    tx_status status = text ? file_digest(r->folder, "config.txt", at->former_config) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = look_at(r->folder, "done", &done);
    if (status == TX_OK && done != TX_PATH_NONE)
        status = file_digest(r->folder, "done", at->former_done);
    if (status == TX_OK && at->step == at->total)
        status = position_add_end(at, at->total);
    if (status) {
        tx_free(text);
        return status;
    }
    tx_free(at->config);
    at->config = text;
    at->total = o->total;
    status = note_tables(r);
    return status ? status : write_state(r, weights, optimizer);
}

static tx_status go_on(run *r, const run_order *o, tx_weights *weights, tx_optimizer *optimizer)
{
    tx_status status = state_read(r->resumed, r, weights, optimizer);
    tx_safetensors_close(r->resumed);
    r->resumed = NULL;
    r->begun = status == TX_OK;
    if (status == TX_OK)
        status = folder_sweep(r->folder);
    if (status == TX_OK)
        status = make_inner(r, "checkpoints");
    if (status == TX_OK)
        status = clear_former(r);
    if (status == TX_OK)
        status = run_remove_evicted(r);
    if (status == TX_OK)
        status = open_tables(r);
    if (status == TX_OK && r->extends)
        status = extend(r, o, weights, optimizer);
    if (status == TX_OK)
        status = write_config(r);
    return status ? status : remove_file(r, "done");
}

/* Descriptors for the tables, a file that is written, its folder and an image: whoever has not so many begins nothing. */
static tx_status reserve_descriptors(void)
{
    int fd[RUN_TABLES + 4], n = 0, most = (int)(sizeof fd / sizeof fd[0]);
    while (n < most && (fd[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    tx_status status = n == most ? TX_OK : tx_fail(TX_ERR_FILE, "/dev/null: cannot open: %s", strerror(errno));
    while (n > 0)
        close(fd[--n]);
    return status;
}

tx_status run_begin(run *r, run_verdict verdict, const run_order *o, tx_weights *weights, tx_optimizer *optimizer)
{
    if (reserve_descriptors())
        return TX_ERR_FILE;
    return verdict == RUN_RESUMED ? go_on(r, o, weights, optimizer) : begin_first(r, o, weights, optimizer);
}

/* -------------------------------------------------------------------------------------------- at work */
tx_status run_save(run *r, const tx_weights *weights, tx_optimizer *optimizer, int keep)
{
    char seal[65];
    tx_status status = note_tables(r);
    if (status || !keep)
        return status ? status : write_state(r, weights, optimizer);
    status = make_inner(r, "states");
    char *path = status == TX_OK ? step_path(r->folder, "states", r->at.step) : NULL;
    if (status == TX_OK)
        status = path ? state_write(r, path, weights, optimizer, seal) : TX_ERR_MEMORY;
    tx_free(path);
    return status ? status : position_add_state(&r->at, r->at.step, seal);
}

int run_has_kept_state(const run *r)
{
    return r->at.states > 0 && r->at.state[r->at.states - 1].step == r->at.step;
}

tx_status run_digest(run *r, const tx_weights *weights)
{
    char hex[65], line[256];
    tx_status status = tx_weights_digest(weights, hex);
    if (status)
        return status;
    digests_line(r->at.step, hex, r->at.chain, line);
    r->at.digested = r->at.step;
    return tx_journal_add(r->table[RUN_DIGESTS], line);
}

int run_rank(run *r, double score, size_t most)
{
    run_position *at = &r->at;
    size_t place = at->kept;
    at->evicted = 0;
    while (place > 0 && score_better(score, at->best[place - 1].score))
        place--;
    if (place >= most)
        return 0;
    if (at->kept == most)
        at->evicted = at->best[--at->kept].step;
    memmove(at->best + place + 1, at->best + place, (at->kept - place) * sizeof *at->best);
    at->best[place] = (run_best){.step = at->step, .score = score};
    at->kept++;
    return 1;
}

tx_status run_checkpoint_written(run *r)
{
    char inner[64];
    step_file("checkpoints", r->at.step, inner);
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < r->at.kept; i++) {
        if (r->at.best[i].step != r->at.step)
            continue;
        status = file_digest(r->folder, inner, r->at.best[i].sha256);
        if (status == TX_OK)
            status = digests_find(r->folder, r->at.step, r->at.best[i].weights);
    }
    return status;
}

tx_status run_remove_evicted(run *r)
{
    if (r->at.evicted == 0)
        return TX_OK;
    char *path = run_checkpoint_path(r, r->at.evicted);
    tx_status status = remove_path(path);
    tx_free(path);
    r->at.evicted = 0;
    return status;
}

tx_status run_list_bad(run *r, const char *split, const char *path, const char *reason)
{
    tx_buffer row = {0};
    tx_buffer_append(&row, split);
    tx_buffer_append(&row, ",");
    tx_buffer_csv(&row, path);
    tx_buffer_append(&row, ",");
    tx_buffer_csv(&row, reason);
    tx_buffer_append(&row, "\n");
    tx_status status = row.status ? row.status : tx_journal_add(r->table[RUN_BAD], row.data);
    tx_buffer_free(&row);
    return status;
}

/* ---------------------------------------------------------------------------------------------- the end */
/* Notes the products that are there, and those that are missing. */
static tx_status note_products(const run *r, done_mark *mark)
{
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < RUN_PRODUCTS; i++) {
        tx_path_kind kind;
        mark->product[i][0] = 0;
        status = look_at(r->folder, run_product_names[i], &kind);
        if (status == TX_OK && r->missing[i])
            snprintf(mark->product[i], sizeof mark->product[i], "-");
        else if (status == TX_OK && kind != TX_PATH_NONE)
            status = file_digest(r->folder, run_product_names[i], mark->product[i]);
    }
    return status;
}

tx_status run_finish(run *r, int keep_state)
{
    done_mark mark = {.state = ""};
    if (keep_state)
        memcpy(mark.state, r->seal, sizeof mark.state);
    memset(r->missing, 0, sizeof r->missing);
    tx_status status = note_tables(r);
    if (status == TX_OK)
        status = note_products(r, &mark);
    if (status == TX_OK)
        status = done_write(r->folder, &mark, &r->at);
    return status || keep_state ? status : remove_file(r, "state.safetensors");
}

tx_status run_drop_state(const run *r)
{
    return r->seal[0] ? TX_OK : remove_file(r, "state.safetensors");
}

tx_status run_reopen(run *r)
{
    done_mark mark = {.state = ""};
    memcpy(mark.state, r->seal, sizeof mark.state);
    tx_status status = r->resumed ? state_read_arrays(r->resumed, r) : TX_OK;
    if (status == TX_OK)
        status = note_products(r, &mark);
    r->begun = 1;
    return status ? status : done_write(r->folder, &mark, &r->at);
}

void run_leave(run *r)
{
    char *lock = r->lock && r->lock_made && !r->begun ? run_path(r, ".lock") : NULL;
    for (int t = 0; t < RUN_TABLES; t++)
        if (r->table[t])
            tx_journal_close(r->table[t]);
    if (lock)
        unlink(lock);
    if (r->lock)
        tx_lock_release(r->lock);
    tx_safetensors_close(r->resumed);
    position_free(&r->at);
    tx_free(lock);
    tx_free(r->folder);
    memset(r, 0, sizeof *r);
}
