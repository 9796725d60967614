/* command_eval.c - `thorax eval`: scores of models on a split, and of their ensemble. */
#include "bench.h"
#include "data_notes.h"
#include "effects.h"
#include "eval_compare.h"
#include "outputs.h"
#include "run.h"

#include <string.h>

static tx_status say_notes(const evaluation *v)
{
    tx_buffer notes = {0};
    data_notes_reading(&notes, &v->entry[0].part[SCORED].data, v->split, 1, 1);
    if (notes.data)
        say_lines(notes.data);
    tx_status status = notes.status;
    tx_buffer_free(&notes);
    return status;
}

/* Those with a network first: a CSV of predictions is judged as the first of them. */
static int open_entries(evaluation *v)
{
    const entry *base = NULL;
    for (int table = 0; table < 2; table++)
        for (size_t i = 0; i < v->models; i++) {
            entry *e = &v->entry[i];
            const char *name = v->o->argument[i];
            if (entry_is_table(name) != table)
                continue;
            int code = table ? entry_open_table(v, e, name, base) : entry_open(v, e, name);
            if (code != EXIT_DONE)
                return code;
            if (!base && !table)
                base = e;
        }
    return EXIT_DONE;
}

/* Where there are CSVs alone, options of images and networks do nothing. */
static void say_unused(const evaluation *v)
{
    static const char *const names[] = {"net",    "cut",           "ensemble",  "size",
                                        "resize", "interpolation", "normalize", "batch"};
    for (size_t m = 0; m < v->models; m++)
        if (!v->entry[m].table)
            return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (option_meant(v->o, names[i]))
            say("--%s has no effect: predictions are read, no images", names[i]);
}

static int compare_entries(const evaluation *v)
{
    for (size_t i = 1; i < v->models; i++)
        if (!entries_comparable(&v->entry[0], &v->entry[i]))
            return complain(EXIT_FAILED,
                            "%s and %s have other images or labels, so they cannot be compared; --views, --uncertain "
                            "and --blank make them equal",
                            v->entry[0].name, v->entry[i].name);
    return EXIT_DONE;
}

static void describe(const entry *e)
{
    if (e->table)
        entry_describe_table(e);
    else
        model_describe(&e->model);
    outputs_say(&e->model, e->part[SCORED].data);
    if (e->notes.data)
        say_lines(e->notes.data);
}

/* A folder that may be written to. */
static int open_out(const char *out)
{
    char escaped[TX_TEXT];
    int run_there = 0;
    if (run_is_there(out, &run_there))
        return complain_failed();
    if (run_there)
        return complain(EXIT_FAILED,
                        "%s: holds a run, whose predictions are the training's; --out wants another folder",
                        tx_escape(escaped, sizeof escaped, out));
    return tx_folder_make(out) ? complain_failed() : EXIT_DONE;
}

static tx_status run_entries(evaluation *v)
{
    const char *why = NULL;
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < v->models; i++)
        status = entry_run(v, &v->entry[i]);
    if (status == TX_OK && v->models > 1)
        status = ensemble_make(v, &why);
    if (status == TX_OK)
        work_begins();
    if (why)
        say("no ensemble: %s", why);
    return status;
}

/* c: NULL of one model. */
static tx_status print(const evaluation *v, const comparisons *c)
{
    if (option_on(v->o, "json")) {
        evaluation_json(v, c);
        return TX_OK;
    }
    tx_buffer last = {0};
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < v->entries; i++)
        status = entry_print(v, &v->entry[i], &last);
    tx_buffer_free(&last);
    return status == TX_OK && c ? comparisons_print(c, v) : status;
}

static int evaluate(evaluation *v)
{
    const char *out = option_text(v->o, "out");
    int code = open_entries(v);
    if (code == EXIT_DONE)
        code = compare_entries(v);
    for (size_t i = 0; code == EXIT_DONE && i < v->models; i++)
        describe(&v->entry[i]);
    if (code == EXIT_DONE)
        say_unused(v);
    if (code == EXIT_DONE && say_notes(v))
        code = complain_failed();
    if (code == EXIT_DONE && out)
        code = open_out(out);
    if (code != EXIT_DONE)
        return code;
    if (run_entries(v))
        return complain_failed();
    comparisons c = {0};
    const int several = v->models > 1;
    tx_status status = several ? comparisons_make(&c, v) : TX_OK;
    /* Printed first: where the folder cannot be written, the figures are not lost. */
    if (status == TX_OK)
        status = print(v, several ? &c : NULL);
    if (status == TX_OK && out)
        status = evaluation_write(v, several ? &c : NULL, out);
    comparisons_free(&c);
    return status ? complain_failed() : EXIT_DONE;
}

int command_eval(const options *o)
{
    evaluation v = {.o = o, .split = {option_text(o, "split"), "valid"}, .models = (size_t)o->arguments};
    v.by_study = strcmp(option_text(o, "unit"), "study") == 0;
    v.batch = (int)option_whole(o, "batch");
    v.entries = v.models;
    v.entry = tx_alloc(v.models + 1, sizeof *v.entry);
    int code = v.entry ? evaluate(&v) : complain_failed();
    for (size_t i = 0; v.entry && i <= v.models; i++)
        entry_free(&v.entry[i]);
    tx_free(v.entry);
    return code;
}
