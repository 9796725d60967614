/* command_study.c - `thorax study`: jobs, each a run in a folder of its own below --out, and a report of them all.
 *
 * A job is trained as `thorax train` would, so it is resumed in the same way, and its `done` mark is the run's. */
#include "bench.h"
#include "commands.h"
#include "environment.h"
#include "model.h"
#include "report.h"
#include "run.h"
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Small enough for a few minutes on two cores, long enough that the network visibly learns. */
static const char quick[] = "size = 128\n"
                            "epochs = 8\n"
                            "batch = 16\n"
                            "lr = 3e-4\n"
                            "schedule = cosine\n"
                            "warmup = 40\n"
                            "keep = 1\n";

/* What is trained: a network, blocks cut, initial weights. */
typedef struct job {
    const char *net;
    int cut;
    const char *init;
} job;

static const job jobs[] = {{"resnet18", 0, "random"}};
enum { JOBS = sizeof jobs / sizeof jobs[0] };

typedef struct study {
    const options *o;
    const char *out;
    const char *preset; /* text, or NULL where a file is named */
    char *data;
    uint64_t seed;
} study;

/* NET[-K].INIT.SEED */
static const char *job_name(const study *s, const job *j, char out[128])
{
    tx_net_choice choice = {tx_net_find(j->net), j->cut, 1, 1};
    char net[64];
    snprintf(out, 128, "%s.%.20s.%llu", tx_net_choice_name(&choice, net), j->init, (unsigned long long)s->seed);
    return out;
}

static char *job_folder(const study *s, const job *j)
{
    char name[128];
    return tx_path_join(s->out, job_name(s, j, name));
}

/* How images and labels are read, where the command line says it: that wins over the preset. */
static const char *const of_data[] = {"--tasks",  "--uncertain",     "--blank",     "--views",     "--size",
                                      "--resize", "--interpolation", "--normalize", "--bad-images"};
enum { OF_DATA = sizeof of_data / sizeof of_data[0] };

/* Trains a job with the options of the preset; a finished one is passed over. */
static int run_job(const study *s, const job *j)
{
    char name[128], seed[32], cut[16];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    snprintf(cut, sizeof cut, "%d", j->cut);
    char *folder = job_folder(s, j);
    const char *file = option_text(s->o, "preset");
    char *argv[16 + 2 * OF_DATA];
    int argc = 0;
    const char *const fixed[][2] = {{"--net", j->net},   {"--cut", cut},   {"--init", j->init},
                                    {"--data", s->data}, {"--seed", seed}, {"--out", folder ? folder : ""}};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        argv[argc++] = (char *)fixed[i][0];
        argv[argc++] = (char *)fixed[i][1];
    }
    for (size_t i = 0; i < OF_DATA; i++)
        if (option_given(s->o, of_data[i] + 2)) {
            argv[argc++] = (char *)of_data[i];
            argv[argc++] = (char *)option_text(s->o, of_data[i] + 2);
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
        code = train(&o, job_name(s, j, name), 0);
    if (folder)
        options_free(&o);
    char *state = folder && code == EXIT_DONE ? tx_path_join(folder, "state.safetensors") : NULL;
    if (state)
        unlink(state);
    tx_free(state);
    tx_free(folder);
    return code;
}

/* --------------------------------------------------------------------------------------------- results */
/* What a finished job says: the metrics of its best checkpoint. */
typedef struct result {
    metrics m;
    uint64_t best;
    int test; /* scored on test, else there is valid alone */
    size_t parameters;
} result;

static tx_status read_result(const study *s, const job *j, result *r)
{
    run_checkpoint *list;
    size_t count;
    tx_net_choice choice = {tx_net_find(j->net), j->cut, 0, 0};
    tx_network n;
    memset(r, 0, sizeof *r);
    char *folder = job_folder(s, j);
    tx_status status = folder ? run_checkpoints(folder, &list, &count) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        r->best = list[0].step;
        run_checkpoints_free(list, count);
        status = metrics_read(&r->m, folder);
    }
    tx_free(folder);
    for (size_t i = 0; status == TX_OK && i < r->m.rows; i++) {
        r->test |= r->m.row[i].test;
        choice.classes += !r->m.row[i].test && r->m.row[i].step == r->best && isfinite(r->m.row[i].positives);
    }
    choice.size = choice.net->smallest;
    if (status == TX_OK)
        status = tx_network_build(&n, &choice, 0, NULL);
    if (status == TX_OK) {
        r->parameters = tx_graph_trained(n.graph);
        tx_network_free(&n);
    }
    return status;
}

static const char results_header[] = "net,cut,init,seed,parameters,task,auc,low,high\n";

static tx_status write_results(const study *s, const result *r)
{
    tx_buffer p = {0};
    char number[3][TX_NUMBER];
    tx_buffer_append(&p, results_header);
    for (size_t i = 0; i < JOBS; i++)
        for (size_t k = 0; k < r[i].m.rows; k++) {
            const metric *row = &r[i].m.row[k];
            if (row->test != r[i].test || row->step != r[i].best)
                continue;
            tx_buffer_add(&p, "%s,%d,%s,%llu,%zu,", jobs[i].net, jobs[i].cut, jobs[i].init, (unsigned long long)s->seed,
                          r[i].parameters);
            tx_buffer_csv(&p, row->task);
            tx_buffer_add(&p, ",%s,%s,%s\n", tx_number_shortest(number[0], TX_NUMBER, row->auc),
                          tx_number_shortest(number[1], TX_NUMBER, row->low),
                          tx_number_shortest(number[2], TX_NUMBER, row->high));
        }
    char *path = tx_path_join(s->out, "results.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

/* With fewer images than this in a class an interval is not to be relied on. */
enum { ENOUGH = 10 };

/* Which tasks the figures tell from chance, and how wide their intervals are: computed, not written by hand. */
static void report_limits(tx_buffer *p, const result *r)
{
    double sum = 0;
    int enough = 0, above = 0, few = 0, undefined = 0;
    tx_buffer names = {0};
    for (size_t k = 0; k < r->m.rows; k++) {
        const metric *row = &r->m.row[k];
        if (row->test != r->test || row->step != r->best || isnan(row->positives))
            continue;
        undefined += isnan(row->auc);
        if (isnan(row->auc))
            continue;
        if (row->positives < ENOUGH || row->negatives < ENOUGH) {
            few++;
            continue;
        }
        enough++;
        sum += row->high - row->low;
        if (row->low > 0.5) {
            tx_buffer_append(&names, above++ ? ", " : "");
            tx_buffer_html(&names, row->task);
        }
    }
    char width[TX_NUMBER];
    tx_buffer_add(p,
                  "<p>%d tasks have at least %d positive and %d negative studies. Of these %d %s above chance (the "
                  "interval's lower end is above 0.5)",
                  enough, (int)ENOUGH, (int)ENOUGH, above, above == 1 ? "is" : "are");
    if (above) {
        tx_buffer_append(p, ": ");
        tx_buffer_append(p, names.data ? names.data : "");
    }
    tx_buffer_append(p, ". ");
    if (enough)
        tx_buffer_add(
            p, "Their intervals are %s wide on average, so differences smaller than that are not resolved here. ",
            tx_number_fixed(width, sizeof width, sum / enough, 2));
    tx_buffer_add(p,
                  "%d tasks have fewer: their figures say little. %d have no positive or no negative study, and no "
                  "AUC.</p>\n",
                  few, undefined);
    tx_buffer_free(&names);
}

static tx_status report_job(const study *s, tx_buffer *p, const job *j, const result *r)
{
    char name[128];
    tx_buffer_append(p, "<h2>");
    tx_buffer_html(p, job_name(s, j, name));
    tx_buffer_add(p, "</h2>\n<p>%zu parameters; best checkpoint by mean AUC on the validation split: step %llu.</p>\n",
                  r->parameters, (unsigned long long)r->best);
    char *folder = job_folder(s, j);
    tx_status status = folder ? report_curves(p, folder, &r->m) : TX_ERR_MEMORY;
    report_table(p, &r->m, r->best);
    report_limits(p, r);
    tx_buffer_append(p, "<h3>Options</h3>\n");
    if (status == TX_OK)
        status = report_config(p, folder);
    tx_free(folder);
    return status;
}

/* The command line, without the places of files. */
static void report_command(const study *s, tx_buffer *p)
{
    tx_buffer_append(p, "<h2>To repeat it</h2>\n<pre>thorax study");
    if (!s->preset)
        tx_buffer_append(p, " --preset FILE");
    if (option_text(s->o, "data"))
        tx_buffer_append(p, " --data DIR");
    if (s->seed)
        tx_buffer_add(p, " --seed %llu", (unsigned long long)s->seed);
    for (size_t i = 0; i < OF_DATA; i++)
        if (option_given(s->o, of_data[i] + 2)) {
            tx_buffer_add(p, " %s \"", of_data[i]);
            tx_buffer_html(p, option_text(s->o, of_data[i] + 2));
            tx_buffer_append(p, "\"");
        }
    tx_buffer_append(p, " --out DIR</pre>\n<p>");
    if (!s->preset)
        tx_buffer_append(p, "FILE holds the options above. ");
    tx_buffer_append(p, "The same data, options and seed give the same bytes on every machine. The figures as numbers: "
                        "results.csv.</p>\n");
}

static const char report_title[] = "Thorax: a network learns to read chest radiographs";

static tx_status write_report(const study *s, const result *r)
{
    tx_buffer p = {0};
    tx_status status = TX_OK;
    report_begin(&p, report_title);
    tx_buffer_append(&p, "<p>A network was trained from random weights, the best checkpoint was chosen on the "
                         "validation split, and the figures "
                         "below are of patients that neither the training nor the choice has seen.</p>\n");
    for (size_t i = 0; status == TX_OK && i < JOBS; i++)
        status = report_job(s, &p, &jobs[i], &r[i]);
    report_command(s, &p);
    if (!option_text(s->o, "data"))
        tx_buffer_append(&p, "<p>The radiographs are from ChestX-ray14, provided by the NIH Clinical Center "
                             "(https://nihcc.app.box.com/v/ChestXray-NIHCC; Wang et al., CVPR 2017). They were chosen "
                             "half with pneumonia, half without "
                             "finding, so no figure here carries over to a clinic.</p>\n");
    report_end(&p);
    char *path = status == TX_OK ? tx_path_join(s->out, "report.html") : NULL;
    if (status == TX_OK)
        status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

static void print_result(const study *s, const job *j, const result *r)
{
    char name[128];
    printf("%s, %s split, best checkpoint of step %llu\n", job_name(s, j, name), r->test ? "test" : "valid",
           (unsigned long long)r->best);
    printf("%-28s %6s %6s %7s  %s\n", "task", "pos.", "neg.", "AUC", "95% interval");
    for (size_t k = 0; k < r->m.rows; k++) {
        const metric *row = &r->m.row[k];
        if (row->test != r->test || row->step != r->best)
            continue;
        if (isfinite(row->positives))
            printf("%-28s %6.0f %6.0f ", row->task, row->positives, row->negatives);
        else
            printf("%-28s %6s %6s ", row->task, "", "");
        if (isnan(row->auc))
            printf("%7s\n", "-");
        else if (isnan(row->low))
            printf("%7.3f\n", row->auc);
        else
            printf("%7.3f  %.3f to %.3f\n", row->auc, row->low, row->high);
    }
}

static void print_json(const study *s, const result *r)
{
    json out = {0};
    json_open(&out, NULL, '{');
    json_open(&out, "jobs", '[');
    for (size_t i = 0; i < JOBS; i++) {
        char name[128];
        json_open(&out, NULL, '{');
        json_string(&out, "job", job_name(s, &jobs[i], name));
        json_string(&out, "split", r[i].test ? "test" : "valid");
        json_whole(&out, "step", (long long)r[i].best);
        json_open(&out, "tasks", '[');
        for (size_t k = 0; k < r[i].m.rows; k++) {
            const metric *row = &r[i].m.row[k];
            if (row->test != r[i].test || row->step != r[i].best)
                continue;
            json_open(&out, NULL, '{');
            json_string(&out, "task", row->task);
            json_real(&out, "positives", row->positives);
            json_real(&out, "negatives", row->negatives);
            json_real(&out, "auc", row->auc);
            json_real(&out, "low", row->low);
            json_real(&out, "high", row->high);
            json_close(&out, '}');
        }
        json_close(&out, ']');
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_string(&out, "out", s->out);
    json_close(&out, '}');
    json_end();
}

/* Gathers what the jobs have left. */
static int report(const study *s)
{
    result r[JOBS];
    tx_status status = TX_OK;
    memset(r, 0, sizeof r);
    for (size_t i = 0; status == TX_OK && i < JOBS; i++)
        status = read_result(s, &jobs[i], &r[i]);
    if (status == TX_OK)
        status = write_results(s, r);
    if (status == TX_OK)
        status = write_report(s, r);
    if (status == TX_OK && option_on(s->o, "json")) {
        print_json(s, r);
    } else if (status == TX_OK) {
        for (size_t i = 0; i < JOBS; i++)
            print_result(s, &jobs[i], &r[i]);
        printf("\n%s/report.html\n", s->out);
    }
    for (size_t i = 0; i < JOBS; i++)
        metrics_free(&r[i].m);
    return status == TX_OK ? EXIT_DONE : complain_failed();
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
    if (run_is_there(s->out))
        return tx_fail(TX_ERR_FILE, "%s: holds a run; --out wants a folder for a study",
                       tx_escape(escaped, sizeof escaped, s->out));
    report_begin(&p, report_title);
    tx_status status = p.status ? p.status : check_own(s, "report.html", p.data);
    tx_buffer_free(&p);
    return status == TX_OK ? check_own(s, "results.csv", results_header) : status;
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
        code = report(&s);
    tx_free(s.data);
    return code;
}
