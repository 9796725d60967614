/* command_verify.c - `thorax verify`: a run repeated and compared with what it has written; of a study, every job. */
#include "bench.h"
#include "verify.h"

#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------------- printing */
static int is_equal(const verification *v)
{
    return v->damages == 0 && v->different[0] == 0;
}

/* What a run is found to be; a study is what the worst of its jobs is. UNKNOWN: it could not be verified. */
typedef enum outcome { EQUAL, UNKNOWN, DAMAGED, DIFFERENT } outcome;
static const char *const outcome_name[] = {"equal", "unknown", "damaged", "different"};

static outcome outcome_of(const verification *v)
{
    return v->different[0] ? DIFFERENT : v->damages ? DAMAGED : EQUAL;
}

/* "3 digests", nothing of none. */
static void add_count(tx_buffer *p, size_t n, const char *one, const char *many)
{
    if (n)
        tx_buffer_add(p, "%s%zu %s", p->length ? ", " : "", n, n == 1 ? one : many);
}

/* What was compared, in words. */
static tx_status count_all(const verification *v, tx_buffer *p)
{
    add_count(p, v->losses, "loss", "losses");
    add_count(p, v->digests, "digest", "digests");
    add_count(p, v->evaluations, "evaluation", "evaluations");
    add_count(p, v->states, "state", "states");
    add_count(p, v->checkpoints, "checkpoint", "checkpoints");
    add_count(p, v->predictions, "table of predictions", "tables of predictions");
    add_count(p, v->ensembles, "ensemble", "ensembles");
    add_count(p, v->maps, "file of maps", "files of maps");
    if (!p->length)
        tx_buffer_append(p, "nothing");
    return p->status;
}

/* "the start", "states/step-00000003.safetensors", "state.safetensors" */
static const char *beginning(const verification *v, char out[64])
{
    const run_position *at = v->t.run.folder ? &v->t.run.at : &v->noted.at;
    snprintf(out, 64, v->from ? "state.safetensors" : "the start");
    for (size_t i = 0; i < at->states; i++)
        if (v->from && at->state[i].step == v->from)
            step_file("states", v->from, out);
    return out;
}

static void print_difference(const verification *v)
{
    if (v->at && v->at > v->equal && v->equal + 1 < v->at)
        printf("different: step %llu (the last digest before it, of step %llu, is equal): %s\n",
               (unsigned long long)v->at, (unsigned long long)v->equal, v->different);
    else
        printf("different: step %llu: %s\n", (unsigned long long)v->at, v->different);
}

/* Before anything is repeated, which may take as long as the run did. */
static void print_files(const verification *v)
{
    char folder[TX_TEXT], data[TX_TEXT];
    printf("run: %s, %llu steps, %s\n", tx_escape(folder, sizeof folder, v->folder), (unsigned long long)v->end,
           v->finished ? "finished" : "not finished");
    if (v->data)
        printf("data: %s\n", tx_escape(data, sizeof data, v->data));
    if (v->damages)
        printf("files: %zu, of which %zu not as the run wrote %s\n", v->files, v->damages,
               v->damages == 1 ? "it" : "them");
    else
        printf("files: %zu, all as the run wrote them\n", v->files);
    for (size_t i = 0; i < v->damages; i++)
        printf("damaged: %s\n", v->damage[i].text);
    fflush(stdout);
}

static tx_status print_result(const verification *v)
{
    char from[64];
    tx_buffer counts = {0};
    tx_status status = count_all(v, &counts);
    if (status == TX_OK && v->done > v->from)
        printf("repeated: steps %llu to %llu, from %s\n", (unsigned long long)v->from + 1, (unsigned long long)v->done,
               beginning(v, from));
    if (status == TX_OK)
        printf("compared: %s\n", counts.data);
    if (status == TX_OK && v->different[0])
        print_difference(v);
    else if (status == TX_OK)
        printf("result: %s\n", outcome_name[outcome_of(v)]);
    tx_buffer_free(&counts);
    return status;
}

static void json_element(json *j, const verification *v)
{
    json_string(j, "tensor", v->element.tensor);
    json_string(j, "index", v->element.index);
    json_string(j, "found", v->element.found);
    json_string(j, "expected", v->element.expected);
}

static void json_difference(json *j, const verification *v)
{
    if (!v->different[0]) {
        json_string(j, "difference", NULL);
        return;
    }
    json_open(j, "difference", '{');
    json_whole(j, "step", (long long)v->at);
    json_whole(j, "equal", (long long)v->equal);
    json_string(j, "file", v->file);
    json_string(j, "text", v->different);
    if (v->element.tensor[0])
        json_element(j, v);
    json_close(j, '}');
}

static void json_run(json *j, const verification *v)
{
    char from[64];
    json_open(j, NULL, '{');
    json_string(j, "run", v->folder);
    json_string(j, "state", v->finished ? "finished" : "unfinished");
    json_string(j, "data", v->data);
    json_whole(j, "steps", (long long)v->end);
    json_whole(j, "from", (long long)v->from);
    json_whole(j, "to", (long long)v->done);
    json_string(j, "begun_from", beginning(v, from));
    json_whole(j, "files", (long long)v->files);
    json_open(j, "compared", '{');
    json_whole(j, "losses", (long long)v->losses);
    json_whole(j, "digests", (long long)v->digests);
    json_whole(j, "evaluations", (long long)v->evaluations);
    json_whole(j, "states", (long long)v->states);
    json_whole(j, "checkpoints", (long long)v->checkpoints);
    json_whole(j, "predictions", (long long)v->predictions);
    json_whole(j, "ensembles", (long long)v->ensembles);
    json_whole(j, "maps", (long long)v->maps);
    json_close(j, '}');
    json_open(j, "damaged", '[');
    for (size_t i = 0; i < v->damages; i++)
        json_string(j, NULL, v->damage[i].text);
    json_close(j, ']');
    json_difference(j, v);
    json_string(j, "result", outcome_name[outcome_of(v)]);
    json_close(j, '}');
}

static void json_unknown(json *j, const char *folder)
{
    json_open(j, NULL, '{');
    json_string(j, "run", folder);
    json_string(j, "why", complaint());
    json_string(j, "result", outcome_name[UNKNOWN]);
    json_close(j, '}');
}

/* One line a job of a study. */
static void print_job(const verification *v, const char *name)
{
    char escaped[TX_TEXT];
    tx_escape(escaped, sizeof escaped, name);
    if (is_equal(v))
        printf("%s: equal: %zu files, %llu steps, %zu digests\n", escaped, v->files, (unsigned long long)v->done,
               v->digests);
    else
        printf("%s: %s: %s\n", escaped, outcome_name[outcome_of(v)],
               v->different[0] ? v->different : v->damage[0].text);
    fflush(stdout);
}

/* --------------------------------------------------------------------------------------------------- one run */
/* Everything, up to the first difference; lines: what is known before the repetition is printed then. v is to be freed in any
 * case; *known: there is a result. */
static int verify(verification *v, const options *o, const char *folder, int lines, int *known)
{
    *known = 0;
    int code = verify_open(v, o, folder);
    if (code == EXIT_DONE && verify_files(v))
        code = complain_failed();
    if (code != EXIT_DONE)
        return code;
    if (v->from < v->wanted)
        say("--from %llu: no state of that step is kept; begins after step %llu", (unsigned long long)v->wanted,
            (unsigned long long)v->from);
    if (!v->hopeless)
        code = verify_prepare(v);
    if (code != EXIT_DONE)
        return code;
    trainer_catch_signals();
    work_begins();
    if (lines)
        print_files(v);
    int whole = !option_given(o, "from") && !option_given(o, "to");
    tx_status status = v->hopeless || !whole ? TX_OK : verify_predictions(v);
    if (status == TX_OK && whole && !v->hopeless && !v->different[0] && !trainer_stopped)
        code = verify_products(v);
    if (code != EXIT_DONE)
        return code;
    if (status == TX_OK && !v->hopeless && !v->different[0] && !trainer_stopped)
        status = verify_steps(v);
    if (status)
        return complain_failed();
    if (trainer_stopped && is_equal(v))
        return complain(EXIT_INTERRUPTED, "interrupted after step %llu; what was compared up to there is equal",
                        (unsigned long long)v->done);
    *known = 1;
    return is_equal(v) ? EXIT_DONE : EXIT_FAILED;
}

static int verify_one(const options *o, const char *folder)
{
    int known;
    json j = {0};
    verification *v = tx_alloc(1, sizeof *v);
    if (!v)
        return complain_failed();
    int code = verify(v, o, folder, !option_on(o, "json"), &known);
    if (known && option_on(o, "json")) {
        json_run(&j, v);
        json_end();
    } else if (known && print_result(v)) {
        code = complain_failed();
    }
    verify_free(v);
    tx_free(v);
    return code;
}

/* --------------------------------------------------------------------------------------------------- a study */
/* The folders below `folder` that hold a run. */
static tx_status find_jobs(const char *folder, char ***jobs, size_t *count)
{
    size_t n = 0, kept = 0;
    tx_path_kind kind;
    tx_status status = tx_folder_list(folder, jobs, &n);
    for (size_t i = 0; status == TX_OK && i < n; i++) {
        int is_run = 0;
        char *path = tx_path_join(folder, (*jobs)[i]);
        status = path ? tx_path_look(path, &kind) : TX_ERR_MEMORY;
        if (status == TX_OK && kind == TX_PATH_FOLDER)
            status = run_is_there(path, &is_run);
        tx_free(path);
        char *name = (*jobs)[i];
        (*jobs)[i] = (*jobs)[kept];
        (*jobs)[kept] = name;
        kept += is_run != 0;
    }
    for (size_t i = kept; i < n; i++)
        tx_free((*jobs)[i]);
    *count = kept;
    return status;
}

static int verify_job(const options *o, const char *folder, const char *name, json *j, outcome *worst)
{
    int known = 0;
    char *path = tx_path_join(folder, name);
    verification *v = path ? tx_alloc(1, sizeof *v) : NULL;
    int code = v ? verify(v, o, path, 0, &known) : complain_failed();
    outcome found = known ? outcome_of(v) : UNKNOWN;
    *worst = found > *worst ? found : *worst;
    if (known && option_on(o, "json"))
        json_run(j, v);
    else if (known)
        print_job(v, name);
    else if (path && option_on(o, "json"))
        json_unknown(j, path);
    if (v)
        verify_free(v);
    tx_free(v);
    tx_free(path);
    return code;
}

static int verify_jobs(const options *o, const char *folder, char **jobs, size_t count)
{
    int all = EXIT_DONE;
    outcome worst = EQUAL;
    json j = {0};
    if (option_on(o, "json")) {
        json_open(&j, NULL, '{');
        json_string(&j, "study", folder);
        json_open(&j, "runs", '[');
    }
    for (size_t i = 0; i < count && !trainer_stopped && all != EXIT_USAGE; i++) {
        int code = verify_job(o, folder, jobs[i], &j, &worst);
        all = code == EXIT_DONE ? all : code;
    }
    if (option_on(o, "json")) {
        json_close(&j, ']');
        json_string(&j, "result", outcome_name[worst]);
        json_close(&j, '}');
        json_end();
    }
    return all;
}

int command_verify(const options *o)
{
    char escaped[TX_TEXT];
    const char *folder = o->argument[0];
    tx_path_kind kind, state, done;
    int is_run = 0;
    tx_escape(escaped, sizeof escaped, folder);
    if (tx_path_look(folder, &kind))
        return complain_failed();
    if (kind != TX_PATH_FOLDER)
        return complain(EXIT_FAILED, "%s: %s, expected the folder of a run", escaped,
                        kind == TX_PATH_NONE ? "is not there" : "found a file");
    if (run_is_there(folder, &is_run) || look_at(folder, "state.safetensors", &state) || look_at(folder, "done", &done))
        return complain_failed();
    if (is_run || state == TX_PATH_FILE || done == TX_PATH_FILE)
        return verify_one(o, folder);
    char **jobs = NULL;
    size_t count = 0;
    int code = find_jobs(folder, &jobs, &count) ? complain_failed() : EXIT_DONE;
    if (code == EXIT_DONE && count == 0)
        code = complain(EXIT_FAILED, "%s: holds no run, and no study's jobs", escaped);
    else if (code == EXIT_DONE && (option_given(o, "from") || option_given(o, "to")))
        code = complain(EXIT_USAGE, "--%s is for one run; %s holds %zu, %s first",
                        option_given(o, "from") ? "from" : "to", escaped, count, jobs[0]);
    else if (code == EXIT_DONE)
        code = verify_jobs(o, folder, jobs, count);
    tx_folder_names_free(jobs, count);
    return code;
}
