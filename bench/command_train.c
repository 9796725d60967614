/* command_train.c - `thorax train`: a run from its first step to its report, or from where it stopped. */
#include "bench.h"
#include "environment.h"
#include "train.h"
#include "trainer.h"

#include <stdio.h>
#include <string.h>

/* The plan has been said; what is left is one batch, timed, with nothing written. */
static int dry_run(trainer *t)
{
    char seconds[TX_NUMBER];
    if (trainer_sessions(t) || trainer_step(t, 1))
        return complain_failed();
    double start = tx_seconds();
    if (trainer_step(t, 1))
        return complain_failed();
    double each = tx_seconds() - start;
    printf("one step of %zu images: %.3f s; %llu steps: %s and the evaluations\n", t->batch, each,
           (unsigned long long)t->total, tx_duration(seconds, each * (double)t->total));
    return EXIT_DONE;
}

/* Notes machine and options of this session, then trains to the end. */
static int train_on(trainer *t)
{
    char what[96];
    snprintf(what, sizeof what, "from step %llu", (unsigned long long)t->run.at.step);
    char *path = run_path(&t->run, "environment.txt");
    tx_status status = path ? environment_note(path, what) : TX_ERR_MEMORY;
    tx_free(path);
    if (status || trainer_sessions(t))
        return complain_failed();
    int code = trainer_loop(t);
    return code == EXIT_DONE ? trainer_finish(t) : code;
}

/* The newest state where there is one; else the weights stay the initial ones. */
static int begin(trainer *t, int resumed)
{
    int found;
    if (run_resume(&t->run, t->weights, t->optimizer, &found))
        return complain_failed();
    if (!resumed)
        return EXIT_DONE;
    if (found) {
        say("%s: goes on after step %llu of %llu", t->run.folder, (unsigned long long)t->run.at.step,
            (unsigned long long)t->total);
        return EXIT_DONE;
    }
    /* A state that turned out to be damaged may have been half read. */
    say("%s: no state that could be gone on from; begins anew", t->run.folder);
    tx_optimizer_free(t->optimizer);
    tx_weights_free(t->weights);
    t->optimizer = NULL;
    t->weights = NULL;
    return trainer_weights(t) ? complain_failed() : EXIT_DONE;
}

static void print_finished(const trainer *t)
{
    json j = {0};
    if (!option_on(t->o, "json")) {
        printf("%s: this run is finished (--restart begins it anew)\n", t->run.folder);
        return;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "run", t->run.folder);
    json_string(&j, "state", "finished");
    json_close(&j, '}');
    json_end();
}

static int train_folder(trainer *t, const options *o, const char *plan)
{
    settings config = {0};
    char identity[65];
    int skips = strcmp(option_text(o, "bad-images"), "skip") == 0;
    if (trainer_config(t, &config, identity)) {
        settings_free(&config);
        return complain_failed();
    }
    run_state state = run_enter(&t->run, option_text(o, "out"), &config, identity, option_on(o, "restart"), skips);
    settings_free(&config);
    if (state == RUN_REFUSED)
        return complain_failed();
    if (state == RUN_FINISHED) {
        work_begins();
        if (t->figures)
            print_finished(t);
        return EXIT_DONE;
    }
    trainer_catch_signals();
    say_lines(plan);
    int code = begin(t, state == RUN_RESUMED);
    if (code != EXIT_DONE)
        return code;
    work_begins();
    return train_on(t);
}

int train(const options *o, const char *label, int figures)
{
    trainer *t = tx_alloc(1, sizeof *t);
    if (!t)
        return complain_failed();
    tx_buffer plan = {0};
    int code = trainer_read(t, o, label);
    t->figures = figures;
    if (code == EXIT_DONE && option_on(o, "dry-run") && option_on(o, "json"))
        code = complain(EXIT_USAGE, "--dry-run prints text, not --json");
    if (code == EXIT_DONE && (trainer_describe(t, &plan) || trainer_weights(t)))
        code = complain_failed();
    if (code == EXIT_DONE)
        trainer_notes(t);
    if (code == EXIT_DONE)
        code = trainer_images(t);
    if (code == EXIT_DONE && option_on(o, "dry-run")) {
        work_begins();
        fputs(plan.data, stdout);
        code = dry_run(t);
    } else if (code == EXIT_DONE) {
        code = train_folder(t, o, plan.data);
    }
    tx_buffer_free(&plan);
    trainer_free(t);
    tx_free(t);
    return code;
}

int command_train(const options *o)
{
    return train(o, "train", 1);
}
