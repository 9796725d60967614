/* run_folder.c - which files of a folder are a run's: names, what stands under them, clearing and sweeping.
 *
 * Names are matched exactly: whatever else lies in the folder is not looked at, and never touched. */
#define _POSIX_C_SOURCE 200809L
#include "run_private.h"
#include "scores.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const run_table_names[RUN_TABLES] = {"log.csv", "metrics.csv", "digests.txt", "bad-images.csv",
                                                 "environment.txt"};
const char *const run_table_headers[RUN_TABLES] = {
    "step,epoch,examples,loss,lr,images_per_s,seconds\n", METRICS_HEADER, "", "split,Path,reason\n", "",
};
const char *const run_product_names[RUN_PRODUCTS] = {"predictions-valid.csv", "predictions-test.csv", "report.html",
                                                     "splits.csv"};
/* What a run writes directly into its folder; the state is last. */
static const char *const file_names[] = {"done",
                                         "report.html",
                                         "splits.csv",
                                         "log.csv",
                                         "metrics.csv",
                                         "digests.txt",
                                         "bad-images.csv",
                                         "config.txt",
                                         "environment.txt",
                                         "predictions-valid.csv",
                                         "predictions-test.csv",
                                         "state.safetensors"};
enum { FILES = sizeof file_names / sizeof file_names[0] };
static const char *const inner_folders[] = {"checkpoints", "states"};
enum { INNER = 2 };

/* ----------------------------------------------------------------------------------------------- names */
const char *step_name(uint64_t step, char out[48])
{
    snprintf(out, 48, "step-%08llu.safetensors", (unsigned long long)step);
    return out;
}

int is_step_name(const char *name, uint64_t *step)
{
    char digits[32], again[48];
    if (strncmp(name, "step-", 5) != 0)
        return 0;
    snprintf(digits, sizeof digits, "%.*s", (int)strcspn(name + 5, "."), name + 5);
    return parse_seed(digits, step) == 0 && strcmp(step_name(*step, again), name) == 0;
}

const char *step_file(const char *below, uint64_t step, char out[64])
{
    char name[48];
    snprintf(out, 64, "%s/%s", below, step_name(step, name));
    return out;
}

char *step_path(const char *folder, const char *below, uint64_t step)
{
    char file[64];
    return tx_path_join(folder, step_file(below, step, file));
}

char *run_path(const run *r, const char *name)
{
    return tx_path_join(r->folder, name);
}

static int is_file_name(const char *name)
{
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(file_names[i], name) == 0)
            return 1;
    return 0;
}

static int is_any_step(const char *name)
{
    uint64_t step;
    return is_step_name(name, &step);
}

/* --------------------------------------------------------------------------------------------- looking */
tx_status look_at(const char *folder, const char *name, tx_path_kind *kind)
{
    char *path = tx_path_join(folder, name);
    tx_status status = path ? tx_path_look(path, kind) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

tx_status want_file(const char *folder, const char *name)
{
    char escaped[TX_TEXT];
    tx_path_kind kind;
    tx_status status = look_at(folder, name, &kind);
    if (status || kind == TX_PATH_FILE)
        return status;
    return tx_fail(TX_ERR_FORMAT, "%s/%s: %s", tx_escape(escaped, sizeof escaped, folder), name,
                   kind == TX_PATH_NONE     ? "is missing"
                   : kind == TX_PATH_FOLDER ? "found a folder, expected a file"
                                            : "found something that is no file");
}

tx_status file_digest(const char *folder, const char *name, char hex[65])
{
    tx_sha256 sha;
    char *path = tx_path_join(folder, name);
    tx_sha256_begin(&sha);
    tx_status status = path ? tx_sha256_file(&sha, path) : TX_ERR_MEMORY;
    tx_sha256_end(&sha, hex);
    tx_free(path);
    return status;
}

/* Hands every file of a run's names to `each` until that fails: those of checkpoints/ and states/, then the folder's. */
typedef tx_status each_file(const char *folder, const char *name, void *context);

static tx_status each_step(const char *folder, const char *below, each_file *each, void *context)
{
    char **names = NULL, name[64];
    size_t n = 0;
    tx_path_kind kind;
    tx_status status = look_at(folder, below, &kind);
    char *inner = status == TX_OK && kind == TX_PATH_FOLDER ? tx_path_join(folder, below) : NULL;
    if (inner)
        status = tx_folder_list(inner, &names, &n);
    for (size_t i = 0; status == TX_OK && i < n; i++)
        if (is_any_step(names[i])) {
            snprintf(name, sizeof name, "%s/%s", below, names[i]);
            status = each(folder, name, context);
        }
    tx_folder_names_free(names, n);
    tx_free(inner);
    return status;
}

static tx_status each_of_run(const char *folder, each_file *each, void *context)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < INNER; i++)
        status = each_step(folder, inner_folders[i], each, context);
    for (size_t i = 0; status == TX_OK && i < FILES; i++)
        status = each(folder, file_names[i], context);
    return status;
}

static tx_status note_first(const char *folder, const char *name, void *context)
{
    char *first = context;
    tx_path_kind kind;
    tx_status status = first[0] ? TX_OK : look_at(folder, name, &kind);
    if (status == TX_OK && !first[0] && kind != TX_PATH_NONE)
        snprintf(first, 64, "%s", name);
    return status;
}

tx_status folder_holds(const char *folder, char first[64])
{
    first[0] = 0;
    return each_of_run(folder, note_first, first);
}

/* Whether a table holds more than a part of its header. */
static tx_status has_rows(const char *folder, int t, int *has)
{
    const char *header = run_table_headers[t];
    unsigned char *text = NULL;
    size_t bytes = 0;
    tx_path_kind kind;
    tx_status status = look_at(folder, run_table_names[t], &kind);
    char *path = status == TX_OK && kind == TX_PATH_FILE ? tx_path_join(folder, run_table_names[t]) : NULL;
    if (path)
        status = tx_file_read(path, (size_t)1 << 30, &text, &bytes);
    *has = status == TX_OK && (bytes > strlen(header) || memcmp(text ? (const char *)text : "", header, bytes) != 0);
    tx_free(text);
    tx_free(path);
    return status;
}

static tx_status note_product(const char *folder, const char *name, void *context)
{
    static const char *const before[] = {"log.csv",    "metrics.csv",     "digests.txt",      "bad-images.csv",
                                         "config.txt", "environment.txt", "state.safetensors"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (strcmp(name, before[i]) == 0)
            return TX_OK;
    return note_first(folder, name, context);
}

tx_status folder_has_come(const char *folder, int *has)
{
    char first[64] = "";
    tx_status status = each_of_run(folder, note_product, first);
    *has = first[0] != 0;
    for (int t = 0; status == TX_OK && !*has && t < RUN_TABLES; t++)
        if (t != RUN_ENVIRONMENT)
            status = has_rows(folder, t, has);
    return status;
}

/* -------------------------------------------------------------------------------------------- clearing */
static tx_status check_file(const char *folder, const char *name, void *context)
{
    (void)context;
    char escaped[TX_TEXT];
    tx_path_kind kind;
    tx_status status = look_at(folder, name, &kind);
    if (status || kind == TX_PATH_NONE || kind == TX_PATH_FILE)
        return status;
    return tx_fail(TX_ERR_FILE, "%s/%s: no run wrote this, as it is no file; only you can remove it",
                   tx_escape(escaped, sizeof escaped, folder), name);
}

tx_status folder_can_clear(const char *folder)
{
    char escaped[TX_TEXT];
    for (size_t i = 0; i < INNER; i++) {
        tx_path_kind kind;
        tx_status status = look_at(folder, inner_folders[i], &kind);
        if (status)
            return status;
        if (kind != TX_PATH_NONE && kind != TX_PATH_FOLDER)
            return tx_fail(TX_ERR_FILE, "%s/%s: no run wrote this, as it is no folder; only you can remove it",
                           tx_escape(escaped, sizeof escaped, folder), inner_folders[i]);
    }
    return each_of_run(folder, check_file, NULL);
}

static tx_status remove_file(const char *folder, const char *name, void *context)
{
    (void)context;
    char escaped[TX_TEXT];
    tx_status status = TX_OK;
    if (strcmp(name, file_names[FILES - 1]) == 0)
        return TX_OK;
    char *path = tx_path_join(folder, name);
    if (!path)
        return TX_ERR_MEMORY;
    if (unlink(path) != 0 && errno != ENOENT)
        status =
            tx_fail(TX_ERR_FILE, "%s: cannot remove: %s", tx_escape(escaped, sizeof escaped, path), strerror(errno));
    tx_free(path);
    return status;
}

tx_status folder_clear(const char *folder)
{
    return each_of_run(folder, remove_file, NULL);
}

tx_status folder_sweep(const char *folder)
{
    tx_status status = tx_folder_sweep(folder, is_file_name);
    for (size_t i = 0; status == TX_OK && i < INNER; i++) {
        tx_path_kind kind;
        status = look_at(folder, inner_folders[i], &kind);
        char *inner = status == TX_OK && kind == TX_PATH_FOLDER ? tx_path_join(folder, inner_folders[i]) : NULL;
        if (inner)
            status = tx_folder_sweep(inner, is_any_step);
        tx_free(inner);
    }
    return status;
}
