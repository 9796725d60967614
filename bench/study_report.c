/* study_report.c - what the jobs of a study say together: results.csv, report.html, figures on the screen. */
#include "json.h"
#include "report.h"
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a finished job says: the metrics of its best checkpoint. */
typedef struct result {
    const job *job;
    metrics m;
    splits splits;
    run_checkpoint best; /* without its path */
    int test;            /* scored on test, else there is valid alone */
    size_t parameters;
} result;

static tx_status read_best(result *r, const char *folder)
{
    run_checkpoint *list;
    size_t count;
    tx_status status = run_checkpoints(folder, &list, &count);
    if (status)
        return status;
    r->best = list[0];
    r->best.path = NULL;
    run_checkpoints_free(list, count);
    return TX_OK;
}

/* As many outputs as valid has rows. */
static tx_status count_parameters(result *r)
{
    tx_network n;
    tx_net_choice choice = {.net = tx_net_find(r->job->net), .cut = r->job->cut, .classes = 0, .size = 0};
    for (size_t i = 0; i < r->m.rows; i++)
        choice.classes += !r->m.row[i].test && r->m.row[i].step == r->best.step && isfinite(r->m.row[i].positives);
    choice.size = choice.net->smallest;
    tx_status status = tx_network_build(&n, &choice, 0, NULL);
    if (status)
        return status;
    r->parameters = tx_graph_trained(n.graph);
    tx_network_free(&n);
    return TX_OK;
}

/* r is zeros, and to be freed whatever this returns. */
static tx_status read_result(const study *s, const job *j, result *r)
{
    char *folder = job_folder(s, j);
    r->job = j;
    tx_status status = folder ? read_best(r, folder) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = metrics_read(&r->m, folder);
    if (status == TX_OK)
        status = splits_read(&r->splits, folder);
    tx_free(folder);
    for (size_t i = 0; i < r->m.rows; i++)
        r->test |= r->m.row[i].test;
    return status == TX_OK ? count_parameters(r) : status;
}

static int split_of(const result *r)
{
    return r->test ? SPLIT_TEST : SPLIT_VALID;
}

/* The figures of its split. */
static tx_status figures_of(const result *r, figure_set *f)
{
    tx_status status = figures_of_metrics(f, &r->m, r->best.step, r->test);
    if (status == TX_OK)
        splits_mark(&r->splits, split_of(r), f);
    return status;
}

static tx_status write_results(const study *s, const result *r, size_t count)
{
    tx_buffer p = {0};
    char number[5][TX_NUMBER];
    tx_buffer_add(&p, "%ssplit,task,positives,negatives,auc,low,high,method\n", study_results_begin);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < r[i].m.rows; k++) {
            const metric *row = &r[i].m.row[k];
            if (row->test != r[i].test || row->step != r[i].best.step)
                continue;
            tx_buffer_add(&p, "%s,%d,%s,%llu,%zu,%s,", r[i].job->net, r[i].job->cut, r[i].job->init,
                          (unsigned long long)r[i].job->seed, r[i].parameters, split_name[split_of(&r[i])]);
            tx_buffer_csv(&p, row->task);
            const double value[5] = {row->positives, row->negatives, row->auc, row->low, row->high};
            for (int n = 0; n < 5; n++)
                tx_buffer_add(&p, ",%s", tx_number_shortest(number[n], TX_NUMBER, value[n]));
            tx_buffer_add(&p, ",%s\n", row->method);
        }
    char *path = tx_path_join(s->out, "results.csv");
    tx_status status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

static const char *verb(int n)
{
    return n == 1 ? "is" : "are";
}

static const char *many(int n)
{
    return n == 1 ? "" : "s";
}

/* Which tasks the figures tell from chance, and how wide their intervals are. */
static tx_status report_limits(tx_buffer *p, const result *r)
{
    double sum = 0;
    int enough = 0, above = 0, below = 0, few = 0;
    char width[TX_NUMBER];
    tx_buffer names = {0};
    figure_set f;
    tx_status status = figures_of(r, &f);
    for (int k = 0; status == TX_OK && k < f.tasks; k++) {
        const figure *t = &f.task[k];
        few += !isnan(t->auc) && (figure_few(t) || figure_why(t));
        if (isnan(t->auc) || figure_few(t) || figure_why(t))
            continue;
        enough++;
        sum += t->high - t->low;
        below += t->high < 0.5;
        if (t->low > 0.5) {
            tx_buffer_append(&names, above++ ? ", " : "");
            tx_buffer_html(&names, t->task);
        }
    }
    tx_buffer_add(p, "<p>On %s %d task%s an interval and at least %d positive and %d negative studies.",
                  split_name[split_of(r)], enough, enough == 1 ? " has" : "s have", (int)FIGURE_FEW, (int)FIGURE_FEW);
    if (enough) {
        tx_buffer_add(p, " Of these %d %s above chance (the whole interval is above 0.5)%s", above, verb(above),
                      above ? ": " : "");
        tx_buffer_append(p, names.data ? names.data : "");
        tx_buffer_add(p, "; %d %s below it. Their intervals are %s wide on average.", below, verb(below),
                      tx_number_fixed(width, sizeof width, sum / enough, 2));
    }
    tx_buffer_add(p, " The AUC%s of %d task%s say%s little, with fewer or without an interval; %d task%s none.</p>\n",
                  many(few), few, many(few), few == 1 ? "s" : "", f.tasks - enough - few,
                  f.tasks - enough - few == 1 ? " has" : "s have");
    tx_buffer_free(&names);
    figures_free(&f);
    return status;
}

/* 11,183,694 */
static void add_grouped(tx_buffer *p, size_t n)
{
    if (n >= 1000) {
        add_grouped(p, n / 1000);
        tx_buffer_add(p, ",%03zu", n % 1000);
    } else {
        tx_buffer_add(p, "%zu", n);
    }
}

static tx_status report_job(const study *s, tx_buffer *p, const result *r)
{
    tx_buffer_append(p, "<h2>");
    tx_buffer_html(p, r->job->name);
    tx_buffer_append(p, "</h2>\n<p>");
    add_grouped(p, r->parameters);
    tx_buffer_append(p, " parameters.</p>\n");
    report_splits(p, &r->splits);
    char *folder = job_folder(s, r->job);
    tx_status status = folder ? report_curves(p, folder, &r->m, r->best.step) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = report_choice(p, &r->m, &r->best);
    report_unit(p);
    if (status == TX_OK)
        status = report_table(p, &r->m, &r->splits, r->best.step);
    if (status == TX_OK)
        status = report_limits(p, r);
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
    if (!s->named)
        tx_buffer_append(p, " --preset FILE");
    else if (option_given(s->o, "preset"))
        tx_buffer_add(p, " --preset %s", option_text(s->o, "preset"));
    if (option_text(s->o, "data"))
        tx_buffer_append(p, " --data DIR");
    static const char *const also[] = {"seed", "seeds", "nets"};
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++)
        if (option_given(s->o, also[i])) {
            tx_buffer_add(p, " --%s ", also[i]);
            tx_buffer_html(p, option_text(s->o, also[i]));
        }
    if (option_text(s->o, "pretrained"))
        tx_buffer_append(p, " --pretrained DIR");
    for (size_t i = 0; study_of_data[i]; i++)
        if (option_given(s->o, study_of_data[i] + 2)) {
            tx_buffer_add(p, " %s \"", study_of_data[i]);
            tx_buffer_html(p, option_text(s->o, study_of_data[i] + 2));
            tx_buffer_append(p, "\"");
        }
    tx_buffer_append(p, " --out DIR</pre>\n<p>");
    if (!s->named)
        tx_buffer_append(p, "FILE holds the options above. ");
    tx_buffer_append(p, "The same data, options and seed give the same bytes on every machine. The figures as numbers: "
                        "results.csv.</p>\n");
}

const char study_title[] = "Thorax: a network learns to read chest radiographs";

/* What was done, in a sentence. */
static void report_summary(tx_buffer *p, const result *r, size_t count)
{
    tx_buffer_append(p, "<p>Trained, each to a best checkpoint that was chosen on valid: ");
    for (size_t i = 0; i < count; i++)
        tx_buffer_add(p, "%s%s from %s weights", i ? ", " : "", r[i].job->net, r[i].job->init);
    tx_buffer_append(p, ".</p>\n");
}

static tx_status write_report(const study *s, const result *r, size_t count, const char *missing)
{
    tx_buffer p = {0};
    tx_status status = TX_OK;
    report_begin(&p, study_title);
    report_summary(&p, r, count);
    tx_buffer_append(&p, missing);
    for (size_t i = 0; status == TX_OK && i < count; i++)
        status = report_job(s, &p, &r[i]);
    report_command(s, &p);
    report_source(&p, &r[0].splits);
    report_end(&p);
    char *path = status == TX_OK ? tx_path_join(s->out, "report.html") : NULL;
    if (status == TX_OK)
        status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    return status;
}

static tx_status print_result(const study *s, const result *r)
{
    char folder[TX_TEXT];
    const extent *e = &r->splits.of[split_of(r)];
    const char *split = split_name[split_of(r)];
    tx_buffer notes = {0};
    figure_set f;
    const figure_set *const list[] = {&f};
    tx_status status = figures_of(r, &f);
    if (status)
        return status;
    tx_buffer_add(&notes, "%s: the checkpoint after step %llu, chosen on valid by %s\n", r->job->name,
                  (unsigned long long)r->best.step, r->best.by);
    tx_buffer_add(&notes, "data: %s\n", tx_escape(folder, sizeof folder, s->data));
    if (r->splits.known[split_of(r)])
        tx_buffer_add(&notes, "%s: %zu studies (their images' maximum), %zu images, %zu patients\n", split, e->studies,
                      e->images, e->patients);
    status = notes_print(&notes, stdout);
    if (status == TX_OK)
        status = figures_print(list, &split, 1, stdout);
    figures_free(&f);
    return status;
}

static tx_status json_result(const result *r, json *out)
{
    figure_set f;
    tx_status status = figures_of(r, &f);
    if (status)
        return status;
    json_open(out, NULL, '{');
    json_string(out, "job", r->job->name);
    json_string(out, "split", split_name[split_of(r)]);
    json_string(out, "unit", "study");
    json_whole(out, "step", (long long)r->best.step);
    json_string(out, "selection", r->best.by);
    json_open(out, "tasks", '[');
    for (int k = 0; k < f.tasks; k++) {
        json_open(out, NULL, '{');
        json_string(out, "task", f.task[k].task);
        json_real(out, "positives", f.task[k].positives);
        json_real(out, "negatives", f.task[k].negatives);
        json_real(out, "auc", f.task[k].auc);
        json_real(out, "low", f.task[k].low);
        json_real(out, "high", f.task[k].high);
        json_string(out, "method", f.task[k].method);
        json_close(out, '}');
    }
    json_close(out, ']');
    means_json(f.mean, out);
    json_close(out, '}');
    figures_free(&f);
    return TX_OK;
}

static tx_status print_json(const study *s, const result *r, size_t count)
{
    json out = {0};
    tx_status status = TX_OK;
    json_open(&out, NULL, '{');
    json_string(&out, "data", s->data);
    json_open(&out, "jobs", '[');
    for (size_t i = 0; status == TX_OK && i < count; i++)
        status = json_result(&r[i], &out);
    json_close(&out, ']');
    json_string(&out, "out", s->out);
    json_close(&out, '}');
    json_end();
    return status;
}

static tx_status print_results(const study *s, const result *r, size_t count)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < count; i++)
        status = print_result(s, &r[i]);
    if (status == TX_OK)
        printf("\n%s/report.html\n", s->out);
    return status;
}

/* Which jobs the figures are without. */
static void say_missing(const study *s, tx_buffer *p)
{
    for (size_t i = 0; i < s->jobs; i++) {
        const job *j = &s->job[i];
        if (j->state == JOB_COMPLETE)
            continue;
        const char *why = j->state == JOB_FAILED && j->why ? j->why : "not done yet";
        say("without %s: %s", j->name, why);
        tx_buffer_add(p, "<p>Without %s: ", j->name);
        tx_buffer_html(p, why);
        tx_buffer_append(p, ".</p>\n");
    }
}

int study_report(const study *s)
{
    char escaped[TX_TEXT];
    size_t count = 0;
    tx_buffer missing = {0};
    result *r = tx_alloc(s->jobs, sizeof *r);
    tx_status status = r ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < s->jobs; i++)
        if (s->job[i].state == JOB_COMPLETE)
            status = read_result(s, &s->job[i], &r[count++]);
    if (status == TX_OK && count == 0)
        status =
            tx_fail(TX_ERR_FILE, "%s: no job of this study is complete", tx_escape(escaped, sizeof escaped, s->out));
    if (status == TX_OK)
        say_missing(s, &missing);
    work_begins();
    if (status == TX_OK)
        status = write_results(s, r, count);
    if (status == TX_OK)
        status = write_report(s, r, count, missing.data ? missing.data : "");
    if (status == TX_OK)
        status = option_on(s->o, "json") ? print_json(s, r, count) : print_results(s, r, count);
    for (size_t i = 0; r && i < count; i++) {
        metrics_free(&r[i].m);
        splits_free(&r[i].splits);
    }
    tx_free(r);
    tx_buffer_free(&missing);
    return status == TX_OK ? EXIT_DONE : complain_failed();
}
