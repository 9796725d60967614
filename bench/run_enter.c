/* run_enter.c - what a folder holds for a command line: nothing, this run, another one, a damaged one, or something that
 * cannot be told just now. Nothing is changed here.
 *
 * Within this file a status says which: TX_ERR_FORMAT damage; TX_ERR_ARGUMENT another run, or one of another version;
 * TX_ERR_FILE and TX_ERR_MEMORY that it cannot be told now. --restart may clear the first two. */
#include "environment.h"
#include "run_private.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- the folder itself */
/* Whether anything in the folder shows that a run wrote there: its options, its state, its done mark. */
static tx_status shows_a_run(const char *folder, int *is)
{
    run_position *at = tx_alloc(1, sizeof *at);
    done_mark mark;
    tx_path_kind kind = TX_PATH_NONE;
    tx_status status = at ? run_is_there(folder, is) : TX_ERR_MEMORY;
    if (status == TX_OK && !*is)
        status = look_at(folder, "state.safetensors", &kind);
    if (status == TX_OK && !*is && kind == TX_PATH_FILE) {
        char *path = tx_path_join(folder, "state.safetensors");
        status = path ? state_is_one(path, is) : TX_ERR_MEMORY;
        tx_free(path);
    }
    if (status == TX_OK && !*is)
        status = look_at(folder, "done", &kind);
    if (status == TX_OK && !*is && kind == TX_PATH_FILE) {
        status = done_read(folder, &mark, at);
        *is = status == TX_OK || status == TX_ERR_ARGUMENT;
        status = status == TX_ERR_FORMAT || *is ? TX_OK : status;
    }
    if (at)
        position_free(at);
    tx_free(at);
    return status;
}

/* A file of a run's name where no run is was written by somebody else. */
static tx_status check_foreign(const run *r, const run_order *o)
{
    char escaped[TX_TEXT], first[64];
    tx_status status = folder_holds(r->folder, first);
    if (status || !first[0])
        return status;
    return tx_fail(TX_ERR_FILE, "%s: holds a file %s that is no run's%s", tx_escape(escaped, sizeof escaped, r->folder),
                   first, o->of_study ? "" : "; --out wants a folder for a run alone");
}

tx_status run_lock(run *r)
{
    char escaped[TX_TEXT];
    char *path = run_path(r, ".lock");
    if (!path)
        return TX_ERR_MEMORY;
    int made = !tx_path_exists(path);
    tx_status status = tx_lock_take(path, 0, &r->lock);
    r->lock_made = made && r->lock;
    if (status == TX_OK && !r->lock)
        status = tx_fail(TX_ERR_FILE, "%s: another process is at work in this folder",
                         tx_escape(escaped, sizeof escaped, r->folder));
    tx_free(path);
    return status;
}

/* --------------------------------------------------------------------------------------- another run or not */
/* Options that name files are no difference where the files' contents are the same; lengths are compared apart. */
static int by_content(const char *key)
{
    return strcmp(key, "data") == 0 || strcmp(key, "init") == 0;
}

static int is_length(const char *key)
{
    return strcmp(key, "epochs") == 0 || strcmp(key, "steps") == 0;
}

/* The first option in which the folder's run differs, or TX_OK. */
static tx_status compare_options(const run *r, const run_order *o, const settings *old, int same_content)
{
    char folder[TX_TEXT], was[TX_TEXT], is[TX_TEXT];
    for (size_t i = 0; i < o->config->count; i++) {
        const char *key = o->config->pair[i].key, *now = o->config->pair[i].value, *then = settings_get(old, key);
        if (!then)
            then = "";
        if (strcmp(now, then) == 0 || is_length(key) || (by_content(key) && same_content))
            continue;
        return tx_fail(TX_ERR_ARGUMENT, "%s holds a run with %s%s %s, found %s",
                       tx_escape(folder, sizeof folder, r->folder), o->of_study ? "" : "--", key,
                       *then ? tx_escape(was, sizeof was, then) : "not given",
                       *now ? tx_escape(is, sizeof is, now) : "not given");
    }
    return same_content
               ? TX_OK
               : tx_fail(TX_ERR_ARGUMENT, "%s: the tables of its data or its initial weights have changed since",
                         tx_escape(folder, sizeof folder, r->folder));
}

/* A run may be made longer where no step depends on its length. */
static tx_status compare_length(run *r, const run_order *o)
{
    char folder[TX_TEXT];
    const run_position *at = &r->at;
    unsigned long long was = at->total, is = o->total, done = at->step;
    tx_escape(folder, sizeof folder, r->folder);
    if (is == was)
        return TX_OK;
    if (is < done)
        return tx_fail(TX_ERR_ARGUMENT, "%s holds a run that has done %llu steps, found a length of %llu", folder, done,
                       is);
    if (is < was)
        return tx_fail(TX_ERR_ARGUMENT, "%s holds a run of %llu steps, found %llu: it can be made longer, not shorter",
                       folder, was, is);
    if (!o->constant)
        return tx_fail(TX_ERR_ARGUMENT,
                       "%s holds a run of %llu steps, found %llu: it cannot be extended, as its learning rates follow "
                       "from its length (all but a constant schedule's do)",
                       folder, was, is);
    if (!r->resumed)
        return tx_fail(TX_ERR_ARGUMENT, "%s holds a run of %llu steps that has kept no state, so it cannot be extended",
                       folder, was);
    r->extends = 1;
    return TX_OK;
}

static tx_status compare(run *r, const run_order *o)
{
    settings old = {0};
    char *text = tx_strdup(r->at.config);
    tx_status status = text ? settings_parse(&old, text, "config.txt") : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = compare_options(r, o, &old, strcmp(r->at.identity, o->identity) == 0);
    if (status == TX_OK)
        status = compare_length(r, o);
    settings_free(&old);
    tx_free(text);
    return status;
}

/* ------------------------------------------------------------------------------------------ where it stands */
static tx_status open_state(run *r)
{
    char *path = run_path(r, "state.safetensors");
    tx_status status = path ? want_file(r->folder, "state.safetensors") : TX_ERR_MEMORY;
    r->resumed = status == TX_OK ? state_open(path, &r->at, r->seal) : NULL;
    tx_free(path);
    return status == TX_OK && !r->resumed ? tx_error_status() : status;
}

/* Whether the done mark is that of the run before, which the state took the place of. */
static tx_status is_former(const run *r, int *former)
{
    char hex[65];
    tx_status status = want_file(r->folder, "done");
    if (status == TX_OK)
        status = file_digest(r->folder, "done", hex);
    *former = status == TX_OK && (r->at.clears || strcmp(hex, r->at.former_done) == 0);
    return status;
}

/* The done mark holds if it is the state's, or if the state was not to be kept. From the state another mark can be made,
 * so it may go. */
static tx_status take_done(run *r, done_mark *mark)
{
    char folder[TX_TEXT];
    run_position *at = tx_alloc(1, sizeof *at);
    tx_status status = at ? done_read(r->folder, mark, at) : TX_ERR_MEMORY;
    r->made_again = r->resumed != NULL;
    tx_escape(folder, sizeof folder, r->folder);
    if (status == TX_OK && mark->state[0] && !r->resumed)
        status = tx_fail(TX_ERR_FORMAT, "%s/state.safetensors: is missing", folder);
    else if (status == TX_OK && mark->state[0] && strcmp(mark->state, r->seal) != 0)
        status = tx_fail(TX_ERR_FORMAT, "%s/done: is not of the state that lies beside it", folder);
    if (status == TX_OK) {
        r->made_again = 0;
        position_free(&r->at);
        r->at = *at;
        memcpy(r->seal, mark->state, sizeof r->seal);
    } else if (at) {
        position_free(at);
    }
    tx_free(at);
    return status;
}

/* Which products of a finished run are missing. One that is there is what the run wrote. */
static tx_status check_products(run *r, const done_mark *mark)
{
    char folder[TX_TEXT], hex[65];
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < RUN_PRODUCTS; i++) {
        tx_path_kind kind;
        status = look_at(r->folder, run_product_names[i], &kind);
        r->missing[i] = mark->product[i][0] == '-' || (mark->product[i][0] && kind == TX_PATH_NONE);
        if (status || kind == TX_PATH_NONE || !mark->product[i][0])
            continue;
        status = want_file(r->folder, run_product_names[i]);
        if (status == TX_OK && !r->missing[i])
            status = file_digest(r->folder, run_product_names[i], hex);
        if (status == TX_OK && !r->missing[i] && strcmp(hex, mark->product[i]) != 0)
            status = tx_fail(TX_ERR_FORMAT, "%s/%s: its bytes are not those that the run wrote",
                             tx_escape(folder, sizeof folder, r->folder), run_product_names[i]);
        if (status == TX_ERR_FORMAT)
            r->made_again = 1;
    }
    return status;
}

/* What a run will write at its end must not meet a folder there. */
static tx_status check_places(const run *r)
{
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < RUN_PRODUCTS; i++) {
        tx_path_kind kind;
        status = look_at(r->folder, run_product_names[i], &kind);
        if (status == TX_OK && kind != TX_PATH_NONE)
            status = want_file(r->folder, run_product_names[i]);
    }
    return status;
}

/* Options and first rows may be there before anything has been done, but nothing else without a state. */
static tx_status check_unbegun(run *r)
{
    char folder[TX_TEXT];
    int come = 0;
    tx_status status = folder_has_come(r->folder, &come);
    r->was_there = !come;
    return status || !come ? status
                           : tx_fail(TX_ERR_FORMAT, "%s/state.safetensors: is missing",
                                     tx_escape(folder, sizeof folder, r->folder));
}

/* The folders of a run are folders. */
static tx_status check_folders(const run *r)
{
    static const char *const names[] = {"checkpoints", "states"};
    char folder[TX_TEXT];
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < 2; i++) {
        tx_path_kind kind;
        status = look_at(r->folder, names[i], &kind);
        if (status == TX_OK && kind != TX_PATH_NONE && kind != TX_PATH_FOLDER)
            status = tx_fail(TX_ERR_FORMAT, "%s/%s: found a file, expected a folder",
                             tx_escape(folder, sizeof folder, r->folder), names[i]);
    }
    return status;
}

tx_status run_stand(run *r, run_verdict *verdict, done_mark *mark)
{
    tx_path_kind state, done;
    int former = 0;
    tx_status status = check_folders(r);
    if (status == TX_OK)
        status = look_at(r->folder, "state.safetensors", &state);
    if (status == TX_OK)
        status = look_at(r->folder, "done", &done);
    if (status == TX_OK && state != TX_PATH_NONE)
        status = open_state(r);
    if (status == TX_OK && done != TX_PATH_NONE)
        status = is_former(r, &former);
    if (status)
        return status;
    int finished = done != TX_PATH_NONE && !former;
    *verdict = finished ? RUN_FINISHED : r->resumed ? RUN_RESUMED : RUN_FRESH;
    if (*verdict == RUN_FRESH)
        return check_unbegun(r);
    return finished ? take_done(r, mark) : TX_OK;
}

/* A folder in which a run has written: where it stands, and whether that is what the command line asks for. */
static tx_status examine(run *r, const run_order *o, run_verdict *verdict)
{
    done_mark mark;
    tx_status status = run_stand(r, verdict, &mark);
    if (status || *verdict == RUN_FRESH)
        return status;
    int finished = *verdict == RUN_FINISHED;
    status = check_config(r->folder, &r->at);
    if (status == TX_OK)
        status = compare(r, o);
    if (status == TX_OK)
        status = check_folder(r->folder, &r->at, finished, r->skips);
    if (status == TX_OK)
        status = finished ? check_products(r, &mark) : check_places(r);
    if (r->extends)
        *verdict = RUN_RESUMED;
    return status;
}

/* ---------------------------------------------------------------------------------------------- the verdict */
/* What can be done about a damaged run. */
static void add_remedy(const run *r, const char *said)
{
    char way[160] = "put back a copy of it", file[64];
    uint64_t step = r->made_again ? 0 : check_way_out(r->folder, r->skips);
    tx_path_kind done = TX_PATH_NONE;
    if (step && look_at(r->folder, "done", &done))
        step = 0;
    if (r->made_again)
        snprintf(way, sizeof way, "the same command line makes it again once it is removed");
    else if (step)
        snprintf(way, sizeof way, "%s copied over state.safetensors%s goes on from step %llu",
                 step_file("states", step, file), done == TX_PATH_NONE ? "" : ", with done removed,",
                 (unsigned long long)step);
    tx_fail(TX_ERR_FORMAT, "%s: damaged; %s, or %s", said, way, r->remedy);
}

/* --restart takes the folder for the new run, whatever its run is; but not the weights that this one begins with. */
static run_verdict take_over(run *r, const run_order *o)
{
    char init[TX_TEXT];
    tx_safetensors_close(r->resumed);
    r->resumed = NULL;
    position_free(&r->at);
    r->extends = r->was_there = 0;
    r->clear = 1;
    char *folder = absolute_path(r->folder);
    size_t n = folder ? strlen(folder) : 0;
    int within = folder && o->init && strncmp(o->init, folder, n) == 0 && o->init[n] == '/';
    tx_free(folder);
    if (within)
        tx_fail(TX_ERR_ARGUMENT, "%s: lies in the folder that --restart would clear; --init wants a copy elsewhere",
                tx_escape(init, sizeof init, o->init));
    return !folder || within || folder_can_clear(r->folder) ? RUN_REFUSED : RUN_FRESH;
}

/* A run that has not done a step has nothing to lose. */
static tx_status has_nothing(const run *r, int *nothing)
{
    int come = 1;
    tx_status status = r->at.config && r->at.step == 0 && !r->at.clears ? folder_has_come(r->folder, &come) : TX_OK;
    *nothing = !come;
    return status;
}

static run_verdict enter_run(run *r, const run_order *o)
{
    char said[512];
    run_verdict verdict = RUN_REFUSED;
    int nothing = 0;
    tx_status status = examine(r, o, &verdict);
    if (status == TX_ERR_FILE || status == TX_ERR_MEMORY)
        return RUN_REFUSED;
    snprintf(said, sizeof said, "%s", tx_error_message());
    if (status == TX_ERR_ARGUMENT && has_nothing(r, &nothing))
        return RUN_REFUSED;
    r->was_there |= nothing;
    if (nothing)
        return RUN_FRESH;
    if (o->restart && !(status == TX_OK && verdict == RUN_RESUMED && r->at.restarted && !r->extends))
        return take_over(r, o);
    if (status == TX_ERR_FORMAT)
        add_remedy(r, said);
    if (status == TX_ERR_ARGUMENT)
        tx_fail(status, "%s; %s", said, r->remedy);
    return status ? RUN_REFUSED : verdict;
}

run_verdict run_enter(run *r, const run_order *o)
{
    char escaped[TX_TEXT];
    tx_path_kind kind;
    int is_run = 0;
    memset(r, 0, sizeof *r);
    r->skips = o->skips;
    r->remedy = o->of_study ? "remove the folder to begin the run anew" : "--restart begins the run anew";
    r->folder = tx_strdup(o->folder);
    if (!r->folder || tx_path_look(r->folder, &kind))
        return RUN_REFUSED;
    if (kind == TX_PATH_NONE)
        return RUN_FRESH;
    if (kind != TX_PATH_FOLDER) {
        tx_fail(TX_ERR_FILE, "%s: found a file, expected a folder for the run",
                tx_escape(escaped, sizeof escaped, r->folder));
        return RUN_REFUSED;
    }
    if (run_lock(r) || shows_a_run(r->folder, &is_run))
        return RUN_REFUSED;
    if (!is_run)
        return check_foreign(r, o) ? RUN_REFUSED : RUN_FRESH;
    return enter_run(r, o);
}
