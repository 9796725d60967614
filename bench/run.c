/* run.c - the folder that a training leaves, and how a stopped run finds its way back. See run.h. */
#define _POSIX_C_SOURCE 200809L
#include "run_state.h"
#include "words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const run_table_names[RUN_TABLES] = {"log.csv", "metrics.csv", "digests.txt", "bad-images.csv"};
static const char *const table_headers[RUN_TABLES] = {
    "step,epoch,examples,loss,lr,images_per_s,seconds\n",
    "step,split,task,positives,negatives,auc,low,high,method\n",
    "",
    "split,Path,reason\n",
};
/* What a run writes directly into its folder. */
static const char *const file_names[] = {"done",
                                         "state.safetensors",
                                         "report.html",
                                         "splits.csv",
                                         "log.csv",
                                         "metrics.csv",
                                         "digests.txt",
                                         "bad-images.csv",
                                         "environment.txt",
                                         "predictions-valid.csv",
                                         "predictions-test.csv",
                                         "config.txt"};
enum { FILES = sizeof file_names / sizeof file_names[0] };
static const char config_begin[] = "# The options of this run, for --config.\n";
static const char zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";

/* ----------------------------------------------------------------------------------------------- paths */
char *run_path(const run *r, const char *name)
{
    return tx_path_join(r->folder, name);
}

static char *step_path(const run *r, const char *folder, uint64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "%s/step-%08llu.safetensors", folder, (unsigned long long)step);
    return run_path(r, name);
}

char *run_checkpoint_path(const run *r, uint64_t step)
{
    return step_path(r, "checkpoints", step);
}

static void remove_file(const run *r, const char *name)
{
    char *path = run_path(r, name);
    if (path)
        unlink(path);
    tx_free(path);
}

/* Calls unlink for every file of a folder below the run whose name begins with "step-", but for those that keep
 * says. */
static void remove_steps(const run *r, const char *folder, int (*keep)(const run *r, const char *name))
{
    char **names = NULL;
    size_t n = 0;
    char *path = run_path(r, folder);
    if (path && tx_path_exists(path) && tx_folder_list(path, &names, &n) == TX_OK)
        for (size_t i = 0; i < n; i++) {
            char *file = strncmp(names[i], "step-", 5) == 0 && !(keep && keep(r, names[i]))
                             ? tx_path_join(path, names[i])
                             : NULL;
            if (file)
                unlink(file);
            tx_free(file);
        }
    tx_folder_names_free(names, n);
    tx_free(path);
}

/* ---------------------------------------------------------------------------------------------- config */
/* Options that name files are no difference where the files' contents are the same. */
static int by_content(const char *key)
{
    return strcmp(key, "data") == 0 || strcmp(key, "init") == 0;
}

static void digest_config(const settings *config, char hex[65])
{
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->pair[i].key, *value = config->pair[i].value;
        if (by_content(key))
            continue;
        tx_sha256_add(&sha, key, strlen(key) + 1);
        tx_sha256_add(&sha, value, strlen(value) + 1);
    }
    tx_sha256_end(&sha, hex);
}

static tx_status write_config(const run *r, const settings *config)
{
    tx_buffer p = {0};
    tx_buffer_append(&p, config_begin);
    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->pair[i].key, *value = config->pair[i].value;
        tx_buffer_append(&p, *value ? "" : "# ");
        tx_buffer_append(&p, key);
        tx_buffer_append(&p, " = ");
        settings_quote(&p, value);
        tx_buffer_append(&p, "\n");
    }
    char *path = run_path(r, "config.txt");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

/* The first option in which the folder's run differs, or TX_OK. */
static tx_status compare_config(const run *r, const settings *config, const settings *old, int same_content)
{
    char folder[TX_TEXT], was[TX_TEXT], is[TX_TEXT];
    tx_escape(folder, sizeof folder, r->folder);
    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->pair[i].key, *now = config->pair[i].value, *then = settings_get(old, key);
        if (!then)
            then = "";
        if (strcmp(now, then) == 0 || (by_content(key) && same_content))
            continue;
        return tx_fail(TX_ERR_ARGUMENT, "%s holds a run with --%s %s, found %s; --restart begins it anew", folder, key,
                       *then ? tx_escape(was, sizeof was, then) : "not given",
                       *now ? tx_escape(is, sizeof is, now) : "not given");
    }
    return TX_OK;
}

static uint64_t file_bytes(const char *path)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    long n = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : 0;
    if (f)
        fclose(f);
    return n > 0 ? (uint64_t)n : 0;
}

/* Whether everything that a state refers to is there: its tables are long enough, its checkpoints exist. */
static int stands(const run *r, const run_position *at, const uint64_t bytes[RUN_TABLES])
{
    int sound = 1;
    for (int t = 0; t < RUN_TABLES; t++) {
        char *path = run_path(r, run_table_names[t]);
        sound = sound && file_bytes(path) >= bytes[t];
        tx_free(path);
    }
    for (size_t i = 0; sound && i < at->kept; i++) {
        char *path = run_checkpoint_path(r, at->best[i].step);
        sound = path && tx_path_exists(path);
        tx_free(path);
    }
    return sound;
}

/* ----------------------------------------------------------------------------------- entering a folder */
/* Whether the folder holds a run that has come somewhere: finished, with a state, or with a step in its log. */
static int holds_run(const run *r)
{
    char *done = run_path(r, "done"), *state = run_path(r, "state.safetensors"), *log = run_path(r, "log.csv");
    int any = (done && tx_path_exists(done)) || (state && tx_path_exists(state)) ||
              file_bytes(log) > strlen(table_headers[RUN_LOG]);
    tx_free(done);
    tx_free(state);
    tx_free(log);
    return any;
}

/* States go first: without one, whatever else is left is begun anew. */
static void clear_folder(const run *r)
{
    remove_file(r, file_names[0]);
    remove_file(r, file_names[1]);
    remove_steps(r, "states", NULL);
    remove_steps(r, "checkpoints", NULL);
    for (size_t i = 2; i < FILES; i++)
        remove_file(r, file_names[i]);
}

static tx_status make_folders(run *r, const char *folder)
{
    r->folder = tx_strdup(folder);
    if (!r->folder)
        return TX_ERR_MEMORY;
    char *checkpoints = run_path(r, "checkpoints"), *states = run_path(r, "states"), *lock = run_path(r, ".lock");
    tx_status status = checkpoints && states && lock ? tx_folder_make(checkpoints) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_lock_take(lock, 0, &r->lock);
    if (status == TX_OK && !r->lock) {
        char escaped[TX_TEXT];
        status = tx_fail(TX_ERR_FILE, "%s: another process is at work in this folder",
                         tx_escape(escaped, sizeof escaped, folder));
    }
    if (status == TX_OK)
        status = tx_folder_sweep(r->folder, NULL);
    if (status == TX_OK)
        status = tx_folder_sweep(checkpoints, NULL);
    if (status == TX_OK && tx_path_exists(states))
        status = tx_folder_sweep(states, NULL);
    tx_free(checkpoints);
    tx_free(states);
    tx_free(lock);
    return status;
}

/* What the folder's run noted in its done mark or its state: "" where it noted nothing. */
typedef struct note {
    char identity[65], config[65];
    int finished;
} note;

static void take_note(note *n, const char *identity, const char *config)
{
    snprintf(n->identity, sizeof n->identity, "%s", identity ? identity : "");
    snprintf(n->config, sizeof n->config, "%s", config ? config : "");
}

static void read_note(const run *r, note *n)
{
    settings done = {0};
    char *mark = run_path(r, "done"), *state = run_path(r, "state.safetensors");
    memset(n, 0, sizeof *n);
    if (mark && tx_path_exists(mark) && settings_read(&done, mark) == TX_OK && settings_get(&done, "identity")) {
        take_note(n, settings_get(&done, "identity"), settings_get(&done, "config"));
        n->finished = 1;
    } else if (state && tx_path_exists(state)) {
        tx_safetensors *file = tx_safetensors_open(state);
        if (file)
            take_note(n, tx_safetensors_meta(file, "identity"), tx_safetensors_meta(file, "config"));
        tx_safetensors_close(file);
    }
    settings_free(&done);
    tx_free(mark);
    tx_free(state);
}

/* A folder with a run in it: the same one, or an error that says what differs. */
static run_state enter_old(run *r, const settings *config)
{
    char escaped[TX_TEXT];
    note noted;
    settings old = {0};
    char *path = run_path(r, "config.txt");
    if (!path || !tx_path_exists(path)) {
        tx_free(path);
        tx_fail(TX_ERR_FILE, "%s: holds parts of a run but no config.txt; --restart begins it anew",
                tx_escape(escaped, sizeof escaped, r->folder));
        return RUN_REFUSED;
    }
    read_note(r, &noted);
    tx_status status = settings_read(&old, path);
    int same = noted.identity[0] && strcmp(noted.identity, r->identity) == 0;
    if (status == TX_OK)
        status = compare_config(r, config, &old, same);
    if (status == TX_OK && noted.config[0] && strcmp(noted.config, r->config))
        status =
            tx_fail(TX_ERR_ARGUMENT,
                    "%s: config.txt does not hold the options that its run was made with; --restart begins it anew",
                    tx_escape(escaped, sizeof escaped, r->folder));
    if (status == TX_OK && noted.identity[0] && !same)
        status =
            tx_fail(TX_ERR_ARGUMENT,
                    "%s: the tables of --data or the weights of --init have changed since; --restart begins it anew",
                    tx_escape(escaped, sizeof escaped, r->folder));
    settings_free(&old);
    tx_free(path);
    return status ? RUN_REFUSED : noted.finished ? RUN_FINISHED : RUN_RESUMED;
}

int run_is_there(const char *folder)
{
    unsigned char *text = NULL;
    size_t bytes = 0, begin = strlen(config_begin);
    char *path = tx_path_join(folder, "config.txt");
    int there = path && tx_path_exists(path) && tx_file_read(path, (size_t)1 << 20, &text, &bytes) == TX_OK &&
                bytes >= begin && memcmp(text, config_begin, begin) == 0;
    tx_free(text);
    tx_free(path);
    return there;
}

/* config.txt is written first of all: files of a run's names without a run's config.txt are somebody else's. */
static tx_status check_foreign(const run *r)
{
    char escaped[TX_TEXT];
    int ours = run_is_there(r->folder);
    for (size_t i = 0; !ours && i < FILES; i++) {
        char *path = run_path(r, file_names[i]);
        int there = !path || tx_path_exists(path);
        tx_free(path);
        if (there)
            return tx_fail(TX_ERR_FILE, "%s: holds a file %s that is no run's; --out wants a folder for a run alone",
                           tx_escape(escaped, sizeof escaped, r->folder), file_names[i]);
    }
    return TX_OK;
}

run_state run_enter(run *r, const char *folder, const settings *config, const char identity[65], int restart, int skips)
{
    memset(r, 0, sizeof *r);
    memcpy(r->identity, identity, 65);
    digest_config(config, r->config);
    if (make_folders(r, folder))
        return RUN_REFUSED;
    r->skips = skips;
    run_state state = RUN_FRESH;
    if (restart)
        clear_folder(r);
    else if (holds_run(r))
        state = enter_old(r, config);
    if (state == RUN_FRESH && ((!restart && check_foreign(r)) || write_config(r, config)))
        state = RUN_REFUSED;
    return state;
}

/* -------------------------------------------------------------------------------------------- resuming */
static tx_status open_tables(run *r, const uint64_t bytes[RUN_TABLES])
{
    tx_status status = TX_OK;
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++) {
        if (t == RUN_BAD && !r->skips)
            continue;
        char *path = run_path(r, run_table_names[t]);
        r->table[t] = path ? tx_journal_open(path, bytes[t]) : NULL;
        status = r->table[t] ? TX_OK : TX_ERR_FILE;
        if (status == TX_OK && bytes[t] == 0 && *table_headers[t])
            status = tx_journal_add(r->table[t], table_headers[t]);
        tx_free(path);
    }
    return status;
}

/* For remove_steps: the checkpoints of the list stay. */
static int among_best(const run *r, const char *name)
{
    for (size_t i = 0; i < r->at.kept; i++) {
        char best[64];
        snprintf(best, sizeof best, "step-%08llu.safetensors", (unsigned long long)r->at.best[i].step);
        if (strcmp(best, name) == 0)
            return 1;
    }
    return 0;
}

/* For remove_steps: kept states up to this step stay. What was written beyond it is of a stretch that is done
 * again, and notes lengths of tables that will not be those. */
static int not_ahead(const run *r, const char *name)
{
    char step[32];
    uint64_t at;
    snprintf(step, sizeof step, "%.*s", (int)strcspn(name + 5, "."), name + 5);
    return parse_seed(step, &at) == 0 && at <= r->at.step;
}

/* Tries one state; 1 if weights, optimiser and position are now its. */
static int try_state(run *r, char *path, tx_weights *weights, tx_optimizer *optimizer, uint64_t bytes[RUN_TABLES])
{
    tx_safetensors *file = path ? state_open(r, path, &r->at, bytes) : NULL;
    int sound = file && stands(r, &r->at, bytes) && state_read(file, &r->at, bytes, weights, optimizer) == TX_OK;
    tx_safetensors_close(file);
    if (sound)
        r->resumed = path;
    else
        tx_free(path);
    return sound;
}

/* The newest sound state: state.safetensors, else the kept ones from the last. */
static int find_state(run *r, tx_weights *weights, tx_optimizer *optimizer, uint64_t bytes[RUN_TABLES])
{
    if (try_state(r, run_path(r, "state.safetensors"), weights, optimizer, bytes))
        return 1;
    char **names = NULL;
    size_t n = 0;
    int found = 0;
    char *folder = run_path(r, "states");
    if (folder && tx_path_exists(folder) && tx_folder_list(folder, &names, &n) == TX_OK)
        while (n > 0 && !found) {
            const char *name = names[--n];
            found =
                strncmp(name, "step-", 5) == 0 && try_state(r, tx_path_join(folder, name), weights, optimizer, bytes);
            tx_free(names[n]);
            names[n] = NULL;
        }
    tx_folder_names_free(names, n);
    tx_free(folder);
    return found;
}

tx_status run_resume(run *r, tx_weights *weights, tx_optimizer *optimizer, int *found)
{
    uint64_t bytes[RUN_TABLES] = {0};
    *found = find_state(r, weights, optimizer, bytes);
    if (!*found) {
        memset(bytes, 0, sizeof bytes);
        memset(&r->at, 0, sizeof r->at);
        memcpy(r->at.chain, zeros, 65);
    }
    remove_steps(r, "states", not_ahead);
    remove_steps(r, "checkpoints", among_best);
    return open_tables(r, bytes);
}

static void table_bytes(const run *r, uint64_t bytes[RUN_TABLES])
{
    for (int t = 0; t < RUN_TABLES; t++)
        bytes[t] = r->table[t] ? tx_journal_bytes(r->table[t]) : 0;
}

static char *state_path(const run *r, int keep)
{
    if (!keep)
        return run_path(r, "state.safetensors");
    char *folder = run_path(r, "states");
    tx_status status = folder ? tx_folder_make(folder) : TX_ERR_MEMORY;
    tx_free(folder);
    return status ? NULL : step_path(r, "states", r->at.step);
}

tx_status run_save(run *r, const tx_weights *weights, tx_optimizer *optimizer, int keep)
{
    uint64_t bytes[RUN_TABLES];
    tx_status status = TX_OK;
    table_bytes(r, bytes);
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++)
        if (r->table[t])
            status = tx_journal_sync(r->table[t]);
    char *path = status ? NULL : state_path(r, keep);
    if (status == TX_OK)
        status = path ? state_write(r, path, bytes, weights, optimizer) : TX_ERR_FILE;
    tx_free(path);
    return status;
}

int run_has_kept_state(const run *r)
{
    char *path = step_path(r, "states", r->at.step);
    int there = path && tx_path_exists(path);
    tx_free(path);
    return there;
}

tx_status run_digest(run *r, const tx_weights *weights)
{
    char hex[65], line[256];
    tx_status status = tx_weights_digest(weights, hex);
    if (status)
        return status;
    snprintf(line, sizeof line, "%llu %s", (unsigned long long)r->at.step, hex);
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, r->at.chain, 64);
    tx_sha256_add(&sha, line, strlen(line));
    tx_sha256_end(&sha, r->at.chain);
    snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)r->at.step, hex, r->at.chain);
    r->at.digested = r->at.step;
    return tx_journal_add(r->table[RUN_DIGESTS], line);
}

int score_better(double a, double b)
{
    return a > b || (isnan(b) && !isnan(a));
}

int score_parse(const char *text, double *score)
{
    *score = (double)NAN;
    return strcmp(text, "nan") == 0 ? 0 : parse_real(text, -1e300, 1e300, score);
}

int run_rank(run *r, double score, size_t most, uint64_t *evicted)
{
    run_position *at = &r->at;
    size_t place = at->kept;
    *evicted = 0;
    while (place > 0 && score_better(score, at->best[place - 1].score))
        place--;
    if (place >= most)
        return 0;
    if (at->kept == most)
        *evicted = at->best[--at->kept].step;
    memmove(at->best + place + 1, at->best + place, (at->kept - place) * sizeof *at->best);
    at->best[place] = (run_best){at->step, score};
    at->kept++;
    return 1;
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

tx_status run_finish(run *r)
{
    tx_buffer p = {0};
    tx_buffer_add(&p, "step = %llu\nconfig = %s\nidentity = %s\nchain = %s\n", (unsigned long long)r->at.step,
                  r->config, r->identity, r->at.chain);
    char *path = run_path(r, "done");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

void run_leave(run *r)
{
    for (int t = 0; t < RUN_TABLES; t++)
        if (r->table[t])
            tx_journal_close(r->table[t]);
    if (r->lock)
        tx_lock_release(r->lock);
    tx_free(r->resumed);
    tx_free(r->folder);
    memset(r, 0, sizeof *r);
}
