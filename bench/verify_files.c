/* verify_files.c - what a run notes, and whether its files are as it wrote them. Nothing is changed, and no lock is taken:
 * of a run at work that is read which its newest state notes. */
#include "note.h"
#include "verify.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

tx_status verify_note(verification *v, verify_kind kind, uint64_t step, const char *text)
{
    char *copy = tx_strdup(text ? text : tx_error_message());
    if (!copy || tx_grow((void **)&v->damage, &v->damage_room, v->damages + 1, sizeof *v->damage)) {
        tx_free(copy);
        return TX_ERR_MEMORY;
    }
    v->damage[v->damages++] = (verify_damage){copy, kind, step};
    return TX_OK;
}

/* What a file was found to be: damage is noted, other errors end the work. */
static tx_status found(verification *v, tx_status status, verify_kind kind, uint64_t step)
{
    v->files++;
    return status == TX_ERR_FORMAT || status == TX_ERR_ARGUMENT ? verify_note(v, kind, step, NULL) : status;
}

/* -------------------------------------------------------------------------------------------- where it stands */
/* Of a state that is damaged the notes may still be read: where the done mark has none, they tell what to repeat. */
static tx_status stand_without_state(verification *v)
{
    char text[1024];
    tx_path_kind done;
    run_position *at = tx_alloc(1, sizeof *at);
    snprintf(text, sizeof text, "%s", tx_error_message());
    char *path = run_path(&v->noted, "state.safetensors");
    tx_status status = at && path ? look_at(v->folder, "done", &done) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        v->finished = done == TX_PATH_FILE && done_read(v->folder, &v->mark, at) == TX_OK;
        if (!v->finished && done == TX_PATH_FILE)
            status = TX_ERR_FORMAT;
        else if (!v->finished)
            status = state_peek(path, at);
    }
    if (status == TX_OK) {
        v->noted.at = *at;
        status = verify_note(v, VERIFY_STATE, at->step, text);
    } else if (status != TX_ERR_MEMORY) {
        tx_fail(status, "%s", text);
    }
    tx_free(at);
    tx_free(path);
    return status;
}

static tx_status stand(verification *v)
{
    char escaped[TX_TEXT];
    run_verdict verdict = RUN_REFUSED;
    tx_status status = run_stand(&v->noted, &verdict, &v->mark);
    if (status == TX_OK && verdict == RUN_FRESH)
        return tx_fail(TX_ERR_FILE, "%s: this run has not done a step", tx_escape(escaped, sizeof escaped, v->folder));
    v->finished = verdict == RUN_FINISHED;
    if (status == TX_ERR_FORMAT) {
        tx_safetensors_close(v->noted.resumed);
        v->noted.resumed = NULL;
        position_free(&v->noted.at);
        status = stand_without_state(v);
    }
    return status;
}

static tx_status read_config(verification *v)
{
    char *text = tx_strdup(v->noted.at.config);
    tx_status status = text ? settings_parse(&v->config, text, "config.txt") : TX_ERR_MEMORY;
    tx_free(text);
    return status;
}

/* -------------------------------------------------------------------------------------------------- the stretch */
static int has_row(const verification *v, uint64_t after, uint64_t to, uint64_t *next)
{
    for (size_t i = 0; i < v->rows; i++)
        if (v->row[i].step > after) {
            *next = v->row[i].step;
            return v->row[i].step <= to;
        }
    *next = v->end;
    return v->end <= to;
}

/* The nearest state that is not behind `wanted`: 0, the start. A damaged one is none. */
static uint64_t nearest_state(const verification *v, uint64_t wanted)
{
    const run_position *at = &v->noted.at;
    uint64_t best = v->noted.resumed && at->step <= wanted ? at->step : 0;
    for (size_t i = 0; i < at->states; i++) {
        int sound = at->state[i].step <= wanted && at->state[i].step > best;
        for (size_t k = 0; sound && k < v->damages; k++)
            sound = v->damage[k].kind != VERIFY_KEPT || v->damage[k].step != at->state[i].step;
        best = sound ? at->state[i].step : best;
    }
    return best;
}

static int choose_stretch(verification *v)
{
    uint64_t from = (uint64_t)option_whole(v->o, "from"), to = (uint64_t)option_whole(v->o, "to"), next;
    const char *has = v->finished ? "has" : "has come to";
    if (to > v->end || from > v->end)
        return complain(EXIT_USAGE, "--%s %llu: the run %s %llu steps", to > v->end ? "to" : "from",
                        (unsigned long long)(to > v->end ? to : from), has, (unsigned long long)v->end);
    to = to ? to : v->end;
    if (from >= to)
        return complain(EXIT_USAGE, "--from %llu: expected a step before %s %llu", (unsigned long long)from,
                        option_given(v->o, "to") ? "--to" : "the run's end,", (unsigned long long)to);
    v->wanted = from;
    if (!has_row(v, from, to, &next)) {
        say("--to %llu: no digest is noted between; goes on to step %llu", (unsigned long long)to,
            (unsigned long long)next);
        to = next;
    }
    v->to = to;
    return EXIT_DONE;
}

int verify_open(verification *v, const options *o, const char *folder)
{
    char escaped[TX_TEXT];
    size_t broken = 0;
    memset(v, 0, sizeof *v);
    v->o = o;
    v->folder = folder;
    v->noted.folder = tx_strdup(folder);
    tx_status status = v->noted.folder ? stand(v) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = read_config(v);
    if (status == TX_OK)
        status = want_file(folder, "digests.txt");
    if (status == TX_OK)
        status = digests_read(folder, &v->row, &v->rows, &broken);
    if (status)
        return complain_failed();
    v->end = v->noted.at.step;
    if (v->rows && v->row[v->rows - 1].step > v->end)
        v->end = v->row[v->rows - 1].step;
    if (v->end == 0)
        return complain(EXIT_FAILED, "%s: this run has not done a step", tx_escape(escaped, sizeof escaped, folder));
    if (broken) {
        char text[256];
        snprintf(text, sizeof text, "%s/digests.txt: line %zu does not follow from the lines before it",
                 tx_escape(escaped, sizeof escaped, folder), broken);
        v->hopeless = 1;
        if (verify_note(v, VERIFY_OTHER, 0, text))
            return complain_failed();
    }
    return choose_stretch(v);
}

/* --------------------------------------------------------------------------------------------------- the files */
/* In which line config.txt is not what the run was made with. */
static tx_status note_config(verification *v)
{
    char folder[TX_TEXT], has[TX_TEXT], had[TX_TEXT], line[TX_TEXT * 3 + 128], said[2][256];
    unsigned char *text = NULL;
    size_t bytes = 0;
    char *path = tx_path_join(v->folder, "config.txt");
    tx_status status = path ? tx_file_read(path, (size_t)1 << 26, &text, &bytes) : TX_ERR_MEMORY;
    tx_free(path);
    if (status)
        return status;
    const char *now = (const char *)text, *then = v->noted.at.config;
    size_t number = 1;
    for (; *now && *then && strcspn(now, "\n") == strcspn(then, "\n") && now[strcspn(now, "\n")] &&
           strncmp(now, then, strcspn(then, "\n") + 1) == 0;
         number++) {
        now += strcspn(now, "\n") + 1;
        then += strcspn(then, "\n") + 1;
    }
    snprintf(said[0], sizeof said[0], "%.*s", (int)strcspn(now, "\n"), now);
    snprintf(said[1], sizeof said[1], "%.*s", (int)strcspn(then, "\n"), then);
    snprintf(line, sizeof line, "%s/config.txt: line %zu is '%s', the run was made with '%s'",
             tx_escape(folder, sizeof folder, v->folder), number, tx_escape(has, sizeof has, said[0]),
             tx_escape(had, sizeof had, said[1]));
    tx_free(text);
    v->hopeless = 1;
    return verify_note(v, VERIFY_OTHER, 0, line);
}

int verify_evicted(const verification *v, uint64_t step)
{
    char file[64];
    tx_path_kind kind;
    int known = 0, gone = 0;
    step_file("checkpoints", step, file);
    run_position *now = v->finished ? NULL : tx_alloc(1, sizeof *now);
    if (now && look_at(v->folder, file, &kind) == TX_OK && kind == TX_PATH_NONE)
        gone = run_note(v->folder, now, &known) == TX_OK && known;
    for (size_t i = 0; gone && i < now->kept; i++)
        gone = now->best[i].step != step;
    if (known)
        position_free(now);
    tx_free(now);
    return gone;
}

static tx_status check_kept_best(verification *v)
{
    const run_position *at = &v->noted.at;
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < at->kept; i++) {
        uint64_t step = at->best[i].step;
        char text[TX_TEXT * 4];
        status = check_checkpoint(v->folder, &at->best[i]);
        snprintf(text, sizeof text, "%s", status ? tx_error_message() : "");
        if (status && verify_evicted(v, step))
            status = TX_OK;
        else
            status = found(v, status ? tx_fail(status, "%s", text) : TX_OK, VERIFY_CHECKPOINT, step);
    }
    return status;
}

static tx_status check_options(verification *v)
{
    tx_status status = check_config(v->folder, &v->noted.at);
    tx_path_kind kind = TX_PATH_NONE;
    v->hopeless |= status == TX_ERR_FORMAT;
    if (status == TX_ERR_FORMAT && look_at(v->folder, "config.txt", &kind) == TX_OK && kind == TX_PATH_FILE) {
        v->files++;
        return note_config(v);
    }
    return found(v, status, VERIFY_OTHER, 0);
}

static tx_status check_tables(verification *v)
{
    const char *bad = settings_get(&v->config, "bad-images");
    tx_status status = TX_OK;
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++) {
        if (t == RUN_BAD && !(bad && strcmp(bad, "skip") == 0))
            continue;
        status = check_table(v->folder, &v->noted.at, t, v->finished);
        v->hopeless |= t == RUN_DIGESTS && status == TX_ERR_FORMAT;
        if (t == RUN_DIGESTS && status == TX_ERR_FORMAT && v->damages && v->damage[0].kind == VERIFY_OTHER)
            status = TX_OK; /* the line is named already */
        status = found(v, status, t == RUN_LOG || t == RUN_METRICS ? VERIFY_TABLE : VERIFY_OTHER, 0);
    }
    return status;
}

/* Digests of the products of a run, and of the files that a study's job.txt lists. */
static tx_status check_digest(verification *v, const char *name, const char *digest)
{
    char escaped[TX_TEXT], hex[65];
    tx_status status = want_file(v->folder, name);
    if (status == TX_OK)
        status = file_digest(v->folder, name, hex);
    if (status == TX_OK && strcmp(hex, digest) != 0)
        status = tx_fail(TX_ERR_FORMAT, "%s/%s: its bytes are not those that the run wrote",
                         tx_escape(escaped, sizeof escaped, v->folder), name);
    return found(v, status, VERIFY_PRODUCT, 0);
}

static tx_status check_job(verification *v)
{
    static const char prefix[] = "sha256.";
    char escaped[TX_TEXT];
    int whole = 0;
    tx_path_kind kind;
    settings job = {0};
    tx_status status = look_at(v->folder, "job.txt", &kind);
    if (status || kind != TX_PATH_FILE)
        return status;
    char *path = tx_path_join(v->folder, "job.txt");
    status = path ? note_read(&job, path, &whole) : TX_ERR_MEMORY;
    if ((status == TX_OK || status == TX_ERR_FORMAT) && !whole)
        status = tx_fail(TX_ERR_FORMAT, "%s/job.txt: its lines do not have the digest in its last one",
                         tx_escape(escaped, sizeof escaped, v->folder));
    status = found(v, status, VERIFY_PRODUCT, 0);
    for (size_t i = 0; status == TX_OK && whole && i < job.count; i++)
        if (strncmp(job.pair[i].key, prefix, sizeof prefix - 1) == 0)
            status = check_digest(v, job.pair[i].key + sizeof prefix - 1, job.pair[i].value);
    settings_free(&job);
    tx_free(path);
    return status;
}

static tx_status check_products(verification *v)
{
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && v->finished && i < RUN_PRODUCTS; i++)
        if (strlen(v->mark.product[i]) == 64)
            status = check_digest(v, run_product_names[i], v->mark.product[i]);
    return status == TX_OK ? check_job(v) : status;
}

tx_status verify_files(verification *v)
{
    const run_position *at = &v->noted.at;
    tx_status status = check_options(v);
    if (status == TX_OK)
        status = check_tables(v);
    if (status == TX_OK)
        status = check_kept_best(v);
    for (size_t i = 0; status == TX_OK && i < at->states; i++)
        status = found(v, check_kept(v->folder, &at->state[i]), VERIFY_KEPT, at->state[i].step);
    if (status == TX_OK)
        status = check_products(v);
    v->files += (v->finished ? 1U : 0U) + (v->noted.resumed ? 1U : 0U);
    if (status == TX_OK)
        v->from = nearest_state(v, v->wanted);
    return status;
}
