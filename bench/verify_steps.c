/* verify_steps.c - the stretch of a run once more, and beside each step what the run wrote of it: the row of log.csv, the
 * line of digests.txt, the rows of metrics.csv, the checkpoint, the states. The first difference ends it. */
#include "bench.h"
#include "verify.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verify_different(verification *v, const char *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(v->different, sizeof v->different, format, args);
    va_end(args);
    snprintf(v->file, sizeof v->file, "%s", file);
    v->at = v->t.run.at.step;
}

const verify_damage *verify_damage_of(const verification *v, verify_kind kind, uint64_t step)
{
    for (size_t i = 0; i < v->damages; i++)
        if (v->damage[i].kind == kind && v->damage[i].step == step)
            return &v->damage[i];
    return NULL;
}

/* ------------------------------------------------------------------------------------------- one step's tables */
/* The row of this step in log.csv; *cursor goes on from there. NULL: there is none. */
static const char *row_of(const char **cursor, uint64_t step)
{
    char begin[32];
    int n = snprintf(begin, sizeof begin, "%llu,", (unsigned long long)step);
    for (const char *p = *cursor; p && *p; p = strchr(p, '\n'), p += p != NULL)
        if (strncmp(p, begin, (size_t)n) == 0)
            return *cursor = p;
    return NULL;
}

static void compare_row(verification *v, const char **cursor)
{
    char row[TRAINER_ROW], then[TRAINER_ROW], loss[2][64] = {"", ""};
    trainer_row(&v->t, row);
    const char *found = row_of(cursor, v->t.run.at.step);
    if (!found && v->t.run.at.step > v->newest)
        return; /* of a run that was killed, or is at work */
    v->losses++;
    if (!found) {
        verify_different(v, "log.csv", "log.csv has no row of it that follows the one before");
        return;
    }
    if (strncmp(found, row, strlen(row)) == 0)
        return;
    snprintf(then, sizeof then, "%.*s", (int)strcspn(found, "\n"), found);
    sscanf(row, "%*[^,],%*[^,],%*[^,],%63[^,]", loss[0]);
    sscanf(then, "%*[^,],%*[^,],%*[^,],%63[^,]", loss[1]);
    if (strcmp(loss[0], loss[1]) != 0)
        verify_different(v, "log.csv", "its loss is %s, log.csv has %s%s", loss[0], loss[1],
                         verify_damage_of(v, VERIFY_TABLE, 0)
                             ? ""
                             : ": weights, images or labels were others before this step's update");
    else
        verify_different(v, "log.csv", "its row in log.csv does not begin with %s", row);
}

static void different_digest(verification *v, const char *now, const char *then)
{
    char said[sizeof v->different];
    snprintf(said, sizeof said, "%s", v->different);
    verify_different(v, "digests.txt", "%s%sits weights have the digest %s, digests.txt has %s", said,
                     *said ? "; " : "", now, then);
}

/* The line of digests.txt of this step. */
static tx_status compare_digest(verification *v)
{
    char hex[65];
    uint64_t step = v->t.run.at.step;
    size_t i = 0;
    while (i < v->rows && v->row[i].step != step)
        i++;
    if (i == v->rows)
        return TX_OK;
    tx_status status = tx_weights_digest(v->t.weights, hex);
    if (status)
        return status;
    v->digests++;
    if (strcmp(hex, v->row[i].sha256) == 0)
        v->equal = v->different[0] ? v->equal : step;
    else
        different_digest(v, hex, v->row[i].sha256);
    return TX_OK;
}

/* The first row of metrics.csv that is not what the weights give. */
static void different_rows(verification *v, const char *then, const char *now)
{
    char has[256], gives[256], said[2][TX_TEXT];
    size_t n;
    while (*now && (n = strcspn(now, "\n") + 1, strncmp(then, now, n)) == 0) {
        now += n;
        then += n;
    }
    snprintf(has, sizeof has, "%.*s", (int)strcspn(then, "\n"), then);
    snprintf(gives, sizeof gives, "%.*s", (int)strcspn(now, "\n"), now);
    verify_different(v, "metrics.csv", "metrics.csv has '%s', its weights give '%s'",
                     tx_escape(said[0], sizeof said[0], has), tx_escape(said[1], sizeof said[1], gives));
}

/* Rows of metrics.csv, and whether the checkpoint is one of those that the run keeps. */
static tx_status compare_evaluation(verification *v, settings *meta)
{
    char begin[48];
    scores s;
    double loss = 0;
    const char *by;
    uint64_t step = v->t.run.at.step;
    tx_buffer rows = {0};
    if (!trainer_evaluates(&v->t))
        return TX_OK;
    snprintf(begin, sizeof begin, "\n%llu,valid,", (unsigned long long)step);
    const char *then = strstr(v->metrics, begin);
    if (!then && step > v->t.run.at.evaluated)
        return TX_OK;
    tx_progress_pause(&v->t.bar);
    tx_status status = trainer_score(&v->t, &s, &loss);
    tx_progress_resume(&v->t.bar);
    if (status || !s.tasks)
        return status;
    scores_rows(&s, step, "valid", &rows);
    status = rows.status;
    v->evaluations++;
    if (status == TX_OK && (!then || strncmp(then + 1, rows.data, rows.length) != 0))
        different_rows(v, then ? then + 1 : "", rows.data);
    double score = scores_select(&s, loss, &by);
    if (status == TX_OK)
        status = trainer_metadata(&v->t, score, by, meta);
    scores_free(&s);
    tx_buffer_free(&rows);
    return status;
}

/* ------------------------------------------------------------------------------------------- one step's files */
/* What the repetition says of a file: it names the element where the file is damaged or the weights are others. */
static void judge(verification *v, const char *file, tx_status status, const verify_damage *damage)
{
    char said[sizeof v->different];
    if (status) {
        verify_different(v, file, "%s", damage ? damage->text : tx_error_message());
    } else if (v->element.differs) {
        snprintf(said, sizeof said, "%s", v->different);
        verify_different(v, file, "%s%s%s: %s", said, *said ? "; " : "", file, v->element.text);
    } else if (damage) {
        verify_different(v, file, "%s; its tensors are those of the repetition, so its notes are damaged",
                         damage->text);
    } else if (strcmp(v->file, "digests.txt") == 0) {
        snprintf(said, sizeof said, "%s", v->different);
        verify_different(v, file, "%s; %s is as the repetition has it", said, file);
    }
}

static void compare_checkpoint(verification *v, uint64_t step, const settings *meta)
{
    char file[64];
    const run_position *at = &v->t.run.at;
    int listed = 0;
    for (size_t i = 0; i < at->kept; i++)
        listed |= at->best[i].step == step;
    if (!listed)
        return;
    step_file("checkpoints", step, file);
    char *path = step_path(v->folder, "checkpoints", step);
    tx_status status =
        path ? verify_checkpoint(path, v->t.weights, meta->count ? meta : NULL, &v->element) : TX_ERR_MEMORY;
    tx_free(path);
    if (status && verify_evicted(v, step))
        return;
    v->checkpoints++;
    judge(v, file, status, verify_damage_of(v, VERIFY_CHECKPOINT, step));
}

static void compare_kept(verification *v, uint64_t step)
{
    char file[64];
    const run_position *at = &v->t.run.at;
    int listed = 0;
    for (size_t i = 0; i < at->states; i++)
        listed |= at->state[i].step == step;
    if (!listed)
        return;
    step_file("states", step, file);
    char *path = step_path(v->folder, "states", step);
    tx_safetensors *state = path ? tx_safetensors_open(path) : NULL;
    tx_status status = state ? verify_state(state, &v->t, &v->element) : TX_ERR_FORMAT;
    tx_safetensors_close(state);
    tx_free(path);
    v->states++;
    judge(v, file, status, verify_damage_of(v, VERIFY_KEPT, step));
}

/* The newest state; of a run at work the one that was read at the beginning. */
static void compare_newest(verification *v, const verify_damage *damage)
{
    if (v->t.run.at.step != v->newest || (!v->t.run.resumed && !damage))
        return;
    char *path = damage ? run_path(&v->t.run, "state.safetensors") : NULL;
    tx_safetensors *opened = path ? tx_safetensors_open(path) : NULL;
    tx_status status =
        path && !opened ? TX_ERR_FORMAT : verify_state(opened ? opened : v->t.run.resumed, &v->t, &v->element);
    tx_safetensors_close(opened);
    tx_free(path);
    v->states++;
    judge(v, "state.safetensors", status, damage);
}

static tx_status compare_step(verification *v, const char **cursor)
{
    settings meta = {0};
    uint64_t step = v->t.run.at.step;
    compare_row(v, cursor);
    tx_status status = compare_digest(v);
    if (status == TX_OK && !v->different[0])
        status = compare_evaluation(v, &meta);
    if (status == TX_OK && !trainer_stopped) {
        compare_kept(v, step);
        if (!v->element.differs)
            compare_newest(v, verify_damage_of(v, VERIFY_STATE, v->newest));
        if (!v->element.differs)
            compare_checkpoint(v, step, &meta);
    }
    settings_free(&meta);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the stretch */
/* The kept state of a step; NULL: an error is stored. */
static tx_safetensors *open_kept(const verification *v, uint64_t step)
{
    char seal[65];
    run_position *at = tx_alloc(1, sizeof *at);
    char *path = step_path(v->folder, "states", step);
    tx_safetensors *file = at && path ? state_open(path, at, seal) : NULL;
    if (at)
        position_free(at);
    tx_free(at);
    tx_free(path);
    return file;
}

/* What images were when the run read them, as the newest sound state has it: one that is another since is an error that
 * names it. */
static tx_status know_images(verification *v)
{
    run *r = &v->t.run;
    if (r->resumed)
        return state_read_arrays(r->resumed, r);
    for (size_t i = r->at.states; i-- > 0;) {
        if (verify_damage_of(v, VERIFY_KEPT, r->at.state[i].step))
            continue;
        tx_safetensors *file = open_kept(v, r->at.state[i].step);
        tx_status status = file ? state_read_arrays(file, r) : tx_error_status();
        tx_safetensors_close(file);
        return status;
    }
    return TX_OK;
}

/* The training as it stood after v->from steps. */
static tx_status go_to_start(verification *v)
{
    run *r = &v->t.run;
    r->at.step = v->from;
    if (v->from == 0)
        return TX_OK;
    int is_newest = r->resumed && v->newest == v->from;
    tx_safetensors *file = is_newest ? r->resumed : open_kept(v, v->from);
    tx_status status = file ? state_read(file, r, v->t.weights, v->t.optimizer) : tx_error_status();
    if (!is_newest)
        tx_safetensors_close(file);
    return status == TX_OK ? compare_digest(v) : status;
}

/* Whether what a repetition has can be compared with a file, damaged as it is. */
static int is_readable(const verification *v, const verify_damage *d)
{
    const char *below = d->kind == VERIFY_CHECKPOINT ? "checkpoints" : "states";
    char *path =
        d->kind == VERIFY_STATE ? tx_path_join(v->folder, "state.safetensors") : step_path(v->folder, below, d->step);
    tx_safetensors *file = path ? tx_safetensors_open(path) : NULL;
    tx_safetensors_close(file);
    tx_free(path);
    return file != NULL;
}

/* The last step that is worth repeating: where damage is named, nothing behind it is. */
static uint64_t last_step(const verification *v)
{
    uint64_t last = v->damages ? v->from : v->to;
    for (size_t i = 0; i < v->damages; i++)
        if (v->damage[i].kind == VERIFY_TABLE)
            return v->to;
    for (size_t i = 0; i < v->damages; i++) {
        const verify_damage *d = &v->damage[i];
        int within = d->step > v->from && d->step <= v->to && (last == v->from || d->step < last);
        if (d->kind > VERIFY_PRODUCT && within && is_readable(v, d))
            last = d->step;
    }
    return last;
}

static tx_status repeat(verification *v, uint64_t last)
{
    trainer *t = &v->t;
    const char *cursor = v->log;
    tx_status status = TX_OK;
    tx_progress_begin(&t->bar, option_on(v->o, "quiet") ? NULL : stderr, "verify", "images",
                      (size_t)trainer_examples(t, last), (size_t)trainer_examples(t, t->run.at.step));
    while (status == TX_OK && !v->different[0] && !trainer_stopped && t->run.at.step < last) {
        char note[TX_NUMBER + 8], number[TX_NUMBER];
        status = trainer_step(t, 1);
        if (status == TX_OK)
            status = compare_step(v, &cursor);
        snprintf(note, sizeof note, "loss %s", tx_number_fixed(number, sizeof number, (double)t->loss, 4));
        tx_progress_update(&t->bar, (size_t)trainer_examples(t, t->run.at.step), note);
    }
    v->done = t->run.at.step;
    if (status)
        tx_progress_stop(&t->bar);
    else
        tx_progress_end(&t->bar, NULL);
    return status;
}

tx_status verify_steps(verification *v)
{
    uint64_t last = last_step(v);
    v->newest = v->t.run.at.step;
    v->done = v->from;
    if (last == v->from)
        return TX_OK;
    tx_status status = trainer_sessions(&v->t);
    if (status == TX_OK)
        status = go_to_start(v);
    if (status == TX_OK)
        status = know_images(v);
    v->equal = v->from;
    return status == TX_OK && !v->different[0] ? repeat(v, last) : status;
}
