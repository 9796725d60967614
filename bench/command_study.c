/* command_study.c - `thorax study`: the jobs of a study, listed, run one or all, and gathered in a report. */
#include "bench.h"
#include "environment.h"
#include "study.h"

#include <stdio.h>
#include <string.h>

static int any_complete(const study *s)
{
    for (size_t i = 0; i < s->jobs; i++)
        if (s->job[i].state == JOB_COMPLETE)
            return 1;
    return 0;
}

/* What there is at the end of a study's work in this process. */
static int end(study *s, int code, size_t left)
{
    size_t named = 0;
    for (size_t i = 0; i < s->jobs && left; i++)
        if (s->job[i].state == JOB_BUSY && named++ < 3)
            say("%s: another process is at work on it", s->job[i].name);
    if (left) {
        say("%zu job%s not complete yet: whichever `study` finishes last makes the report, or --report does", left,
            left == 1 ? " is" : "s are");
        work_begins();
        return code;
    }
    int reported = code == EXIT_FAILED && !any_complete(s) ? code : study_report(s);
    return reported == EXIT_DONE ? code : reported;
}

/* What a worker does. */
static int work(study *s)
{
    size_t left;
    int code = study_enter(s, STUDY_ALL);
    return code == EXIT_DONE ? study_run(s, &left) : code;
}

static int do_study(study *s, options *o)
{
    const char *name = option_text(s->o, "job");
    size_t left = 0;
    job *one = name ? study_job(s, name) : NULL;
    if (name && !one)
        return EXIT_USAGE;
    int report = option_on(s->o, "report");
    if (!report && !one)
        study_workers_start(s, o, work);
    int code = study_enter(s, report ? STUDY_REPORT : one ? STUDY_JOB : STUDY_ALL);
    if (code != EXIT_DONE) {
        study_workers_end(s);
        return code;
    }
    if (report)
        return study_report(s);
    if (one)
        return study_run_job(s, one);
    code = study_run(s, &left);
    return code == EXIT_INTERRUPTED ? code : end(s, code, left);
}

static int check_asked(const options *o)
{
    int asked = option_on(o, "list") + option_on(o, "report") + (option_text(o, "job") != NULL);
    if (asked > 1)
        return complain(EXIT_USAGE, "--list, --job and --report are one at a time");
    if (option_on(o, "list") && option_on(o, "json"))
        return complain(EXIT_USAGE, "--list prints command lines, not --json");
    if (!option_text(o, "out"))
        return complain(EXIT_USAGE, "--out is missing: the folder that receives the study");
    return EXIT_DONE;
}

int command_study(const options *given)
{
    options o = *given; /* with what the preset says beneath */
    study s = {.o = &o, .out = option_text(given, "out"), .gate = {-1, -1}};
    const char *data = option_text(given, "data");
    int code = check_asked(given);
    if (code == EXIT_DONE)
        code = preset_read(&s, &o);
    if (code == EXIT_DONE)
        code = study_grid(&s);
    if (code == EXIT_DONE && option_on(given, "list")) {
        study_list(&s);
    } else if (code == EXIT_DONE) {
        s.data = data ? tx_strdup(data) : sample_folder();
        code = s.data ? do_study(&s, &o) : complain_failed();
    }
    study_free(&s);
    tx_free(o.below);
    return code;
}
