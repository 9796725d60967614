/* command_study.c - `thorax study`: jobs, each a run in a folder of its own below --out, and a report of them all.
 *
 * A job is trained as `thorax train` would, so it is resumed in the same way, and its `done` mark is the run's. */
#include "bench.h"
#include "commands.h"
#include "environment.h"
#include "report.h"
#include "run.h"
#include "study.h"
#include "train.h"

#include <stdio.h>
#include <string.h>

/* Small enough for a few minutes on two cores, long enough that the network visibly learns. */
static const char quick[] = "size = 128\n"
                            "epochs = 8\n"
                            "batch = 16\n"
                            "lr = 3e-4\n"
                            "schedule = cosine\n"
                            "warmup = 40\n"
                            "keep = 1\n";

static const job jobs[] = {{"resnet18", 0, "random"}};
enum { JOBS = sizeof jobs / sizeof jobs[0] };

/* Trains a job with the options of the preset; a finished one is passed over. */
static int run_job(const study *s, const job *j)
{
    char name[128], seed[32], cut[16];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    snprintf(cut, sizeof cut, "%d", j->cut);
    char *folder = job_folder(s, j);
    const char *file = option_text(s->o, "preset");
    char *argv[16 + 2 * STUDY_OF_DATA];
    int argc = 0;
    const char *const fixed[][2] = {{"--net", j->net},   {"--cut", cut},   {"--init", j->init},
                                    {"--data", s->data}, {"--seed", seed}, {"--out", folder ? folder : ""}};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        argv[argc++] = (char *)fixed[i][0];
        argv[argc++] = (char *)fixed[i][1];
    }
    for (size_t i = 0; study_of_data[i]; i++)
        if (option_given(s->o, study_of_data[i] + 2)) {
            argv[argc++] = (char *)study_of_data[i];
            argv[argc++] = (char *)option_text(s->o, study_of_data[i] + 2);
        }
    if (!s->preset) {
        argv[argc++] = (char *)"--config";
        argv[argc++] = (char *)file;
    }
    if (option_on(s->o, "quiet"))
        argv[argc++] = (char *)"--quiet";
    options o;
    int code = folder ? options_read(&o, command_find("train"), argc, argv, s->preset) : complain_failed();
    if (folder && code == EXIT_DONE)
        code = train(&o, job_name(s, j, name));
    if (folder)
        options_free(&o);
    tx_free(folder);
    return code;
}

/* A file of --out that is to be written over must begin as a study's own. */
static tx_status check_own(const study *s, const char *name, const char *begin)
{
    char escaped[TX_TEXT];
    unsigned char *text = NULL;
    size_t bytes, n = strlen(begin);
    char *path = tx_path_join(s->out, name);
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && tx_path_exists(path)) {
        status = tx_file_read(path, (size_t)1 << 26, &text, &bytes);
        if (status == TX_OK && (bytes < n || memcmp(text, begin, n)))
            status = tx_fail(TX_ERR_FILE, "%s: holds a file %s that is no study's; --out wants a folder for a study",
                             tx_escape(escaped, sizeof escaped, s->out), name);
    }
    tx_free(text);
    tx_free(path);
    return status;
}

static tx_status check_folder(const study *s)
{
    char escaped[TX_TEXT];
    tx_buffer p = {0};
    int is_run;
    tx_status status = run_is_there(s->out, &is_run);
    if (status)
        return status;
    if (is_run)
        return tx_fail(TX_ERR_FILE, "%s: holds a run; --out wants a folder for a study",
                       tx_escape(escaped, sizeof escaped, s->out));
    report_begin(&p, study_title);
    /* What stands behind the title may have looked otherwise. */
    char *style = p.data ? strstr(p.data, "<style>") : NULL;
    if (style)
        *style = 0;
    status = p.status ? p.status : check_own(s, "report.html", p.data);
    tx_buffer_free(&p);
    return status == TX_OK ? check_own(s, "results.csv", study_results_begin) : status;
}

int command_study(const options *o)
{
    const char *preset = option_text(o, "preset"), *data = option_text(o, "data");
    study s = {.o = o, .out = option_text(o, "out"), .seed = option_seed(o, "seed")};
    if (!s.out)
        return complain(EXIT_USAGE, "--out is missing: the folder that receives the study");
    if (strcmp(preset, "night") == 0 || strcmp(preset, "paper") == 0)
        return complain(EXIT_FAILED, "--preset %s: this version has quick, or a file of options", preset);
    s.preset = strcmp(preset, "quick") == 0 ? quick : NULL;
    s.data = data ? tx_strdup(data) : sample_folder();
    if (!s.data)
        return complain_failed();
    int code = check_folder(&s) ? complain_failed() : EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < JOBS; i++)
        code = run_job(&s, &jobs[i]);
    if (code == EXIT_DONE)
        code = study_report(&s, jobs, JOBS);
    tx_free(s.data);
    return code;
}
