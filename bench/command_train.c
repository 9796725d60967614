/* command_train.c - `thorax train`: a run from its first step to its report, or from where it stopped. */
#include "bench.h"
#include "environment.h"
#include "train.h"
#include "trainer.h"

#include <stdio.h>
#include <string.h>

/* The plan has been said; what is left is one batch, timed, with nothing written. */
static int dry_run(trainer *t, const char *plan)
{
    char seconds[TX_NUMBER];
    if (trainer_weights(t))
        return complain_failed();
    trainer_notes(t);
    int code = trainer_images(t);
    if (code != EXIT_DONE)
        return code;
    work_begins();
    fputs(plan, stdout);
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

/* Notes machine and options of this session. */
static tx_status note_session(trainer *t)
{
    char what[96];
    tx_buffer text = {0};
    snprintf(what, sizeof what, "from step %llu", (unsigned long long)t->run.at.step);
    environment_note(&text, what);
    tx_status status = text.status ? text.status : tx_journal_add(t->run.table[RUN_ENVIRONMENT], text.data);
    tx_buffer_free(&text);
    return status;
}

static void say_beginning(const trainer *t, run_verdict verdict, int cleared)
{
    const run_position *at = &t->run.at;
    if (verdict == RUN_FRESH && cleared)
        say("%s: begins anew", t->run.folder);
    else if (verdict == RUN_FRESH && t->run.was_there)
        say("%s: nothing had been done yet; begins at the beginning", t->run.folder);
    else if (verdict == RUN_RESUMED)
        say("%s: goes on after step %llu of %llu%s", t->run.folder, (unsigned long long)at->step,
            (unsigned long long)at->total,
            option_on(t->o, "restart") ? " (--restart began this run; to begin anew, remove the folder)" : "");
}

/* What the run needs is there before anything is written, then it begins or goes on, to its end. */
static int begin(trainer *t, const run_order *order, run_verdict verdict, const char *plan)
{
    if (trainer_weights(t) || trainer_sessions(t))
        return complain_failed();
    trainer_notes(t);
    int code = trainer_images(t);
    if (code != EXIT_DONE)
        return code;
    if (!t->job)
        say_lines(plan);
    trainer_catch_signals();
    int cleared = t->run.clear;
    if (run_begin(&t->run, verdict, order, t->weights, t->optimizer))
        return complain_failed();
    say_beginning(t, verdict, cleared);
    work_begins();
    if (note_session(t))
        return complain_failed();
    code = trainer_loop(t);
    return code == EXIT_DONE ? trainer_finish(t) : code;
}

static void print_finished(const trainer *t, const int made[RUN_PRODUCTS])
{
    json j = {0};
    if (!option_on(t->o, "json")) {
        printf("%s: this run is finished (--restart begins it anew)\n", t->run.folder);
        for (int i = 0; i < RUN_PRODUCTS; i++)
            if (made[i])
                printf("made again: %s\n", run_product_names[i]);
        return;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "run", t->run.folder);
    json_string(&j, "state", "finished");
    json_open(&j, "made_again", '[');
    for (int i = 0; i < RUN_PRODUCTS; i++)
        if (made[i])
            json_string(&j, NULL, run_product_names[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
}

static int finished(trainer *t)
{
    int missing[RUN_PRODUCTS], any = 0, code = EXIT_DONE;
    memcpy(missing, t->run.missing, sizeof missing);
    for (int i = 0; i < RUN_PRODUCTS; i++)
        any |= missing[i];
    if (missing[RUN_VALID_PREDICTIONS] || missing[RUN_TEST_PREDICTIONS])
        code = trainer_images(t);
    if (any && code == EXIT_DONE) {
        trainer_catch_signals();
        code = trainer_mend(t);
    } else if (code == EXIT_DONE && run_drop_state(&t->run)) {
        code = complain_failed();
    }
    if (code == EXIT_DONE)
        work_begins();
    if (code == EXIT_DONE && !t->job)
        print_finished(t, missing);
    return code;
}

static int train_folder(trainer *t, const char *plan)
{
    settings config = {0};
    char identity[65];
    const options *o = t->o;
    if (trainer_config(t, &config, identity)) {
        settings_free(&config);
        return complain_failed();
    }
    run_order order = {.folder = option_text(o, "out"),
                       .config = &config,
                       .identity = identity,
                       .init = t->init,
                       .total = t->total,
                       .constant = t->schedule.kind == TX_SCHEDULE_CONSTANT,
                       .restart = option_on(o, "restart"),
                       .skips = strcmp(option_text(o, "bad-images"), "skip") == 0,
                       .of_study = t->job != NULL};
    run_verdict verdict = run_enter(&t->run, &order);
    trainer_carry(t);
    int code = verdict == RUN_REFUSED    ? complain_failed()
               : verdict == RUN_FINISHED ? finished(t)
                                         : begin(t, &order, verdict, plan);
    settings_free(&config);
    return code;
}

int train(const options *o, const train_job *job)
{
    trainer *t = tx_alloc(1, sizeof *t);
    if (!t)
        return complain_failed();
    tx_buffer plan = {0};
    int code = trainer_read(t, o, job);
    if (code == EXIT_DONE && option_on(o, "dry-run") && option_on(o, "json"))
        code = complain(EXIT_USAGE, "--dry-run prints text, not --json");
    if (code == EXIT_DONE && trainer_describe(t, &plan))
        code = complain_failed();
    if (code == EXIT_DONE && option_on(o, "dry-run"))
        code = dry_run(t, plan.data);
    else if (code == EXIT_DONE)
        code = train_folder(t, plan.data);
    tx_buffer_free(&plan);
    trainer_free(t);
    tx_free(t);
    return code;
}

int command_train(const options *o)
{
    return train(o, NULL);
}
