/* study_report.c - from a study's jobs to results.csv, tests.csv, report.html and the figures on the screen. */
#include "intervals.h"
#include "study.h"
#include "study_page.h"
#include "study_print.h"

#include <string.h>

/* A job as the report sees it. */
static tx_status name_entry(study_entry *e, const study *s, const job *j)
{
    *e = (study_entry){.net = tx_net_find(j->net), .init = j->init, .cut = j->cut, .seed = j->seed};
    snprintf(e->name, sizeof e->name, "%s", j->name);
    e->folder = job_folder(s, j);
    e->state = j->state == JOB_COMPLETE ? ENTRY_COMPLETE : j->state == JOB_FAILED ? ENTRY_FAILED : ENTRY_MISSING;
    if (e->state != ENTRY_COMPLETE)
        e->why = tx_strdup(j->state == JOB_FAILED && j->why ? j->why : "not done yet");
    return e->folder && (e->why || e->state == ENTRY_COMPLETE) ? TX_OK : TX_ERR_MEMORY;
}

static tx_status gather(study_data *d, const study *s)
{
    char escaped[TX_TEXT];
    d->entry = tx_alloc(s->jobs, sizeof *d->entry);
    d->entries = d->entry ? s->jobs : 0;
    tx_status status = d->entry ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < s->jobs; i++)
        status = name_entry(&d->entry[i], s, &s->job[i]);
    if (status == TX_OK)
        status = study_gather(d, s->data);
    if (status == TX_OK && !d->complete) {
        for (size_t i = 0; i < d->entries; i++)
            if (d->entry[i].state == ENTRY_UNFIT)
                return tx_fail(TX_ERR_FILE, "%s: %s", d->entry[i].name, d->entry[i].why);
        tx_escape(escaped, sizeof escaped, s->out);
        for (size_t i = 0; i < d->entries; i++)
            if (d->entry[i].state == ENTRY_FAILED)
                return tx_fail(TX_ERR_FILE, "%s: no job of this study is complete (%s: %s)", escaped, d->entry[i].name,
                               d->entry[i].why);
        return tx_fail(TX_ERR_FILE, "%s: no job of this study is complete", escaped);
    }
    for (size_t i = 0; status == TX_OK && i < d->entries; i++)
        if (d->entry[i].state != ENTRY_COMPLETE)
            say("without %s: %s", d->entry[i].name, d->entry[i].why);
    return status;
}

/* The command line, without the places of files. */
static void write_command(const study *s, tx_buffer *p)
{
    static const char *const also[] = {"seed", "seeds", "nets", "replicates", "group"};
    tx_buffer_append(p, "thorax study");
    if (!s->named)
        tx_buffer_append(p, " --preset FILE");
    else if (option_given(s->o, "preset"))
        tx_buffer_add(p, " --preset %s", option_text(s->o, "preset"));
    if (option_text(s->o, "data"))
        tx_buffer_append(p, " --data DIR");
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++)
        if (option_given(s->o, also[i])) {
            tx_buffer_add(p, " --%s ", also[i]);
            tx_buffer_append(p, option_text(s->o, also[i]));
        }
    if (option_text(s->o, "pretrained"))
        tx_buffer_append(p, " --pretrained DIR");
    for (size_t i = 0; study_of_data[i]; i++)
        if (option_given(s->o, study_of_data[i] + 2)) {
            tx_buffer_add(p, " %s \"", study_of_data[i]);
            tx_buffer_append(p, option_text(s->o, study_of_data[i] + 2));
            tx_buffer_append(p, "\"");
        }
    tx_buffer_append(p, " --out DIR");
}

static tx_status write_page(const study *s, const study_results *r, const study_tests *t)
{
    settings shared = {0};
    tx_buffer line = {0};
    char *path = tx_path_join(s->out, "study.txt");
    tx_status status = path ? settings_read(&shared, path) : TX_ERR_MEMORY;
    write_command(s, &line);
    if (status == TX_OK)
        status = line.status;
    if (status == TX_OK)
        status = study_page_write(&(study_page){r, t, &shared, line.data}, s->out);
    tx_buffer_free(&line);
    settings_free(&shared);
    tx_free(path);
    return status;
}

static tx_status finish(const study *s, const study_results *r, const study_tests *t)
{
    tx_status status = study_results_write(r, s->out);
    if (status == TX_OK)
        status = study_tests_write(t, r, s->out);
    if (status == TX_OK)
        status = write_page(s, r, t);
    if (status == TX_OK && option_on(s->o, "json"))
        study_print_json(r, t, s->data, s->out);
    else if (status == TX_OK)
        status = study_print(r, t, s->data, s->out);
    return status;
}

int study_report(const study *s)
{
    study_data d = {0};
    study_results r = {0};
    study_tests t = {0};
    resampling how = resampling_of(s->o);
    tx_status status = gather(&d, s);
    if (status == TX_OK) {
        work_begins();
        status = study_results_make(&r, &d, &(study_how){how.replicates, how.by_patient});
    }
    if (status == TX_OK)
        status = study_tests_make(&t, &r);
    if (status == TX_OK)
        status = finish(s, &r, &t);
    study_tests_free(&t);
    study_results_free(&r);
    study_data_free(&d);
    return status == TX_OK ? EXIT_DONE : complain_failed();
}
