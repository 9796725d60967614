/* command_eval.c - `thorax eval`: scores of models on a split, and of their ensemble. */
#include "bench.h"
#include "data_notes.h"
#include "eval.h"
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

static int evaluate(evaluation *v)
{
    char escaped[TX_TEXT];
    for (size_t i = 0; i < v->models; i++) {
        int code = entry_open(v, &v->entry[i], v->o->argument[i]);
        if (code != EXIT_DONE)
            return code;
        if (i > 0 && !entries_comparable(&v->entry[0], &v->entry[i]))
            return complain(EXIT_FAILED,
                            "%s and %s have other images, tasks or labels, so they cannot be averaged; --tasks, "
                            "--views, --uncertain and --blank make them equal",
                            v->entry[0].name, v->entry[i].name);
        model_describe(&v->entry[i].model);
        outputs_say(&v->entry[i].model, v->entry[i].part[SCORED].data);
        if (v->entry[i].notes.data)
            say_lines(v->entry[i].notes.data);
    }
    if (say_notes(v))
        return complain_failed();
    const char *out = option_text(v->o, "out");
    int run_there = 0;
    if (out && run_is_there(out, &run_there))
        return complain_failed();
    if (run_there)
        return complain(EXIT_FAILED,
                        "%s: holds a run, whose predictions are the training's; --out wants another folder",
                        tx_escape(escaped, sizeof escaped, out));
    if (out && tx_folder_make(out))
        return complain_failed();
    for (size_t i = 0; i < v->models; i++)
        if (entry_run(v, &v->entry[i]))
            return complain_failed();
    if (v->entries > v->models && ensemble_make(v))
        return complain_failed();
    /* Printed first: where the folder cannot be written, the figures are not lost. */
    if (option_on(v->o, "json"))
        evaluation_json(v);
    for (size_t i = 0; i < v->entries && !option_on(v->o, "json"); i++)
        if (entry_print(v, &v->entry[i]))
            return complain_failed();
    return out && evaluation_write(v, out) ? complain_failed() : EXIT_DONE;
}

int command_eval(const options *o)
{
    evaluation v = {.o = o, .split = {option_text(o, "split"), "valid"}, .models = (size_t)o->arguments};
    v.by_study = strcmp(option_text(o, "unit"), "study") == 0;
    v.batch = (int)option_whole(o, "batch");
    v.entries = v.models + (v.models > 1);
    v.entry = tx_alloc(v.entries, sizeof *v.entry);
    int code = v.entry ? evaluate(&v) : complain_failed();
    for (size_t i = 0; v.entry && i < v.entries; i++)
        entry_free(&v.entry[i]);
    tx_free(v.entry);
    return code;
}
