/* run_check.c - whether a run's folder is as the run left it: tables, checkpoints, kept states against what its state or
 * its done mark notes of them. Nothing is changed. */
#include "digests.h"
#include "run_private.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

static tx_status damage(const char *folder, const char *name, const char *finding)
{
    char escaped[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s/%s: %s", tx_escape(escaped, sizeof escaped, folder), name, finding);
}

/* -------------------------------------------------------------------------------------------- config.txt */
/* It is what the run was made with, or the one before that, where a run was killed as it was extended. Before the first
 * step there may be none yet, or a former run's. */
tx_status check_config(const char *folder, const run_position *at)
{
    char hex[65], wanted[65];
    tx_path_kind kind;
    tx_status status = look_at(folder, "config.txt", &kind);
    if (status || (at->step == 0 && (at->clears || kind == TX_PATH_NONE)))
        return status;
    status = want_file(folder, "config.txt");
    if (status == TX_OK)
        status = file_digest(folder, "config.txt", hex);
    if (status)
        return status;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, at->config, strlen(at->config));
    tx_sha256_end(&sha, wanted);
    if (strcmp(hex, wanted) == 0 || strcmp(hex, at->former_config) == 0)
        return TX_OK;
    return damage(folder, "config.txt", "does not hold the options that its run was made with");
}

/* ------------------------------------------------------------------------------------------------ tables */
/* What is wrong with a table of which `found` bytes were looked at, the `wanted` ones that the run wrote or one more. */
static tx_status explain_table(const char *folder, int t, uint64_t wanted, uint64_t found)
{
    char finding[128];
    unsigned char *text = NULL;
    size_t bytes = 0, line = 0;
    char *path = tx_path_join(folder, run_table_names[t]);
    tx_status status = path ? tx_file_read(path, (size_t)1 << 30, &text, &bytes) : TX_ERR_MEMORY;
    int returns = status == TX_OK && strstr((const char *)text, "\r\n") != NULL;
    tx_free(text);
    tx_free(path);
    if (status == TX_OK && t == RUN_DIGESTS && found == wanted)
        status = digests_broken(folder, wanted, &line);
    if (status)
        return status;
    if (returns)
        snprintf(finding, sizeof finding, "has lines that end in CRLF, as an editor or spreadsheet saves them");
    else if (found != wanted)
        snprintf(finding, sizeof finding,
                 found > wanted ? "more than the %llu bytes that the run wrote"
                                : "found %llu bytes, the run wrote %llu",
                 (unsigned long long)(found > wanted ? wanted : found), (unsigned long long)wanted);
    else if (line)
        snprintf(finding, sizeof finding, "line %zu does not follow from the lines before it", line);
    else
        snprintf(finding, sizeof finding, "its first %llu bytes are not those that the run wrote",
                 (unsigned long long)wanted);
    return damage(folder, run_table_names[t], finding);
}

tx_status check_table(const char *folder, const run_position *at, int t, int finished)
{
    char hex[65];
    uint64_t wanted = at->table[t].bytes, bytes = 0;
    tx_path_kind kind;
    tx_status status = look_at(folder, run_table_names[t], &kind);
    if (status || (kind == TX_PATH_NONE && wanted == 0))
        return status;
    status = want_file(folder, run_table_names[t]);
    char *path = status == TX_OK ? tx_path_join(folder, run_table_names[t]) : NULL;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    if (status == TX_OK)
        status = path ? tx_sha256_file_start(&sha, path, wanted + (finished ? 1 : 0), &bytes) : TX_ERR_MEMORY;
    tx_free(path);
    tx_sha256_end(&sha, hex);
    int same = bytes == wanted && strcmp(hex, at->table[t].sha256) == 0;
    return status || same ? status : explain_table(folder, t, wanted, bytes);
}

/* ------------------------------------------------------------------------------------------- checkpoints */
typedef struct checking {
    const char *folder;
    const run_position *at;
    char (*hex)[65];
    tx_status *status;
} checking;

static tx_status digest_checkpoint(const char *folder, uint64_t step, char hex[65])
{
    char inner[64];
    step_file("checkpoints", step, inner);
    tx_status status = want_file(folder, inner);
    return status ? status : file_digest(folder, inner, hex);
}

static void digest_one(void *context, size_t i, int worker)
{
    (void)worker;
    const checking *c = context;
    c->status[i] = digest_checkpoint(c->folder, c->at->best[i].step, c->hex[i]);
}

/* What is wrong with a checkpoint that is not the file that the run wrote. */
static tx_status explain_checkpoint(const char *folder, uint64_t step)
{
    char inner[64], noted[65], found[65];
    char *path = step_path(folder, "checkpoints", step);
    tx_status status = path ? checkpoint_digest(path, found) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = digests_find(folder, step, noted);
    tx_free(path);
    if (status)
        return status;
    step_file("checkpoints", step, inner);
    return damage(folder, inner,
                  strcmp(noted, found) ? "its weights are not those that digests.txt has for this step"
                                       : "its bytes are not those that the run wrote");
}

tx_status check_checkpoint(const char *folder, const run_best *noted)
{
    char hex[65];
    tx_status status = digest_checkpoint(folder, noted->step, hex);
    return status || strcmp(hex, noted->sha256) == 0 ? status : explain_checkpoint(folder, noted->step);
}

/* Their digests at once, and those that are not as they should be once more, as messages are a thread's own. */
static tx_status check_checkpoints(const char *folder, const run_position *at)
{
    checking c = {folder, at, tx_alloc(at->kept, sizeof *c.hex), tx_alloc(at->kept, sizeof *c.status)};
    tx_status status = c.hex && c.status ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_parallel_for(at->kept, digest_one, &c);
    for (size_t i = 0; status == TX_OK && i < at->kept; i++)
        if (c.status[i] || strcmp(c.hex[i], at->best[i].sha256) != 0)
            status = check_checkpoint(folder, &at->best[i]);
    tx_free(c.hex);
    tx_free(c.status);
    return status;
}

/* ------------------------------------------------------------------------------------------- kept states */
tx_status check_kept(const char *folder, const run_kept *kept)
{
    char inner[64], seal[65] = "";
    run_position *at = tx_alloc(1, sizeof *at);
    char *path = step_path(folder, "states", kept->step);
    step_file("states", kept->step, inner);
    tx_status status = at && path ? want_file(folder, inner) : TX_ERR_MEMORY;
    tx_safetensors *file = status == TX_OK ? state_open(path, at, seal) : NULL;
    if (status == TX_OK && !file)
        status = tx_error_status();
    else if (status == TX_OK && strcmp(seal, kept->seal) != 0)
        status = damage(folder, inner, "is not the state that the run kept");
    tx_safetensors_close(file);
    if (at)
        position_free(at);
    tx_free(at);
    tx_free(path);
    return status;
}

tx_status check_folder(const char *folder, const run_position *at, int finished, int skips)
{
    tx_status status = TX_OK;
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++)
        if (t != RUN_BAD || skips)
            status = check_table(folder, at, t, finished);
    if (status == TX_OK)
        status = check_checkpoints(folder, at);
    for (size_t i = 0; status == TX_OK && i < at->states; i++)
        status = check_kept(folder, &at->state[i]);
    return status;
}

/* ----------------------------------------------------------------------------------------------- ways out */
static int would_do(const char *folder, uint64_t step, int skips)
{
    char seal[65];
    run_position *at = tx_alloc(1, sizeof *at);
    char *path = step_path(folder, "states", step);
    tx_safetensors *file = at && path ? state_open(path, at, seal) : NULL;
    int sound = file && check_config(folder, at) == TX_OK && check_folder(folder, at, 0, skips) == TX_OK;
    tx_safetensors_close(file);
    if (at)
        position_free(at);
    tx_free(at);
    tx_free(path);
    return sound;
}

uint64_t check_way_out(const char *folder, int skips)
{
    char **names = NULL;
    size_t n = 0;
    uint64_t step, found = 0;
    char *inner = tx_path_join(folder, "states");
    if (inner && tx_path_exists(inner) && tx_folder_list(inner, &names, &n) == TX_OK)
        for (size_t i = n; i > 0 && !found; i--)
            if (is_step_name(names[i - 1], &step) && would_do(folder, step, skips))
                found = step;
    tx_folder_names_free(names, n);
    tx_free(inner);
    return found;
}
