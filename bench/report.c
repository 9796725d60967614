/* report.c - pages about runs: whom figures are of, how the checkpoint was chosen, tables, options. */
#include "report.h"
#include "html.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------- pages */
void report_begin(tx_buffer *p, const char *title)
{
    tx_buffer_append(p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    tx_buffer_html(p, title);
    tx_buffer_append(
        p, "</title>\n<style>\n"
           "body{font-family:sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#222;line-height:1.45;"
           "overflow-wrap:anywhere}\n"
           "h1{font-size:1.6em;line-height:1.2}h2{margin-top:2em;border-bottom:1px solid #999}\n"
           ".side{display:flex;flex-wrap:wrap;gap:1em 2em;margin:1em 0}\n"
           ".side>*{min-width:0;max-width:100%}\n"
           "svg,img{max-width:100%;height:auto;display:block}\n"
           ".wide{overflow-x:auto;max-width:100%;margin:1em 0}\n"
           "table{border-collapse:collapse;font-size:.9em;overflow-wrap:normal}\n"
           "caption{font-weight:bold;text-align:left;padding:.3em 0;max-width:calc(100vw - 2em)}\n"
           "th,td{padding:.2em .5em;border-bottom:1px solid #ccc;text-align:right;font-variant-numeric:tabular-nums;"
           "vertical-align:top}\n"
           "th{vertical-align:bottom;border-bottom:1px solid #666}\n"
           "td{white-space:nowrap}\n"
           "th.text,td.text,td.name{text-align:left}td.text{white-space:normal;min-width:4em}"
           "td.long{min-width:13em}\n"
           "td.digest{font-family:monospace;font-size:.85em;text-align:left;white-space:normal;min-width:20em;"
           "overflow-wrap:anywhere}\n"
           "tr.mean td{font-weight:bold}\n"
           ".hidden{visibility:hidden}\n"
           ".warning{font-weight:bold}\n"
           ".notes{font-size:.9em}\n"
           "li{margin:.4em 0}\n"
           "pre{background:#f4f4f4;padding:1em;white-space:pre-wrap;overflow-wrap:anywhere}\n"
           "@media(max-width:52em){table{font-size:.8em}th,td{padding:.2em .3em}}\n"
           "@page{margin:1.5cm}\n"
           "@media print{body{margin:0;max-width:none;font-size:10pt}.wide{overflow:visible}table{font-size:7.5pt}"
           "th,td{padding:.15em .35em}td{white-space:normal}thead{display:table-header-group}"
           "tr,svg,figure{break-inside:avoid}h2,h3,caption{break-after:avoid}}\n"
           "</style></head><body>\n<h1>");
    tx_buffer_html(p, title);
    tx_buffer_append(p, "</h1>\n<p class=\"warning\">Not for clinical use.</p>\n");
}

void report_end(tx_buffer *p)
{
    tx_buffer_append(p, "<p>Not for clinical use: nothing here says anything about a patient.</p>\n</body></html>\n");
}

/* Or why there is none. */
static void write_interval(tx_buffer *p, const figure *f)
{
    const char *why = figure_why(f);
    if (why) {
        html_text(p, why);
        return;
    }
    tx_buffer_append(p, "<td class=\"name\">");
    html_interval(p, f->low, f->high, 3);
    tx_buffer_append(p, "</td>");
}

/* A table of one split. */
static void write_table(tx_buffer *p, const figure_set *f, const char *split)
{
    static const char *const heads[] = {"|task", "pos.", "neg.", "AUC", "|95% interval", NULL};
    char room[32];
    html_table(p, split, heads);
    for (int k = 0; k < f->tasks; k++) {
        const figure *t = &f->task[k];
        html_row(p, NULL);
        html_text(p, t->task);
        html_count(p, (size_t)t->positives);
        html_count(p, (size_t)t->negatives);
        html_marked(p, t->auc, 3, figure_few(t));
        write_interval(p, t);
        html_row_end(p);
    }
    for (int m = 0; m < 3; m++) {
        html_row(p, "mean");
        html_text(p, f->mean[m].name);
        tx_buffer_append(p, "<td></td><td></td>");
        html_marked(p, f->mean[m].value, 3, 0);
        html_text(p, mean_extent(&f->mean[m], room));
        html_row_end(p);
    }
    html_table_end(p);
}

/* Each line of the notes, ending in <br>. */
static void write_notes(tx_buffer *p, tx_buffer *notes)
{
    tx_buffer_append(p, "<p class=\"notes\">");
    for (char *line = notes->data; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        tx_buffer_html(p, line);
        tx_buffer_append(p, end && end[1] ? "<br>\n" : "");
        line = end ? end + 1 : NULL;
    }
    tx_buffer_append(p, "</p>\n");
    if (notes->status && !p->status)
        p->status = notes->status;
    tx_buffer_free(notes);
}

tx_status report_table(tx_buffer *p, const metrics *m, const splits *s, uint64_t step)
{
    static const char *const names[] = {"valid", "test"};
    figure_set f[2] = {{0}};
    const figure_set *const list[] = {&f[0], &f[1]};
    tx_buffer notes = {0};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < 2; i++) {
        status = figures_of_metrics(&f[i], m, step, i);
        splits_mark(s, SPLIT_VALID + i, &f[i]);
    }
    int count = f[1].tasks == f[0].tasks && f[0].tasks ? 2 : 1;
    if (status == TX_OK) {
        tx_buffer_append(p, "<div class=\"side\">\n");
        for (int i = 0; i < count; i++)
            write_table(p, &f[i], names[i]);
        tx_buffer_append(p, "</div>\n");
        figures_notes(list, names, count, &notes);
        write_notes(p, &notes);
    }
    figures_free(&f[0]);
    figures_free(&f[1]);
    return status ? status : p->status;
}

/* ------------------------------------------------------------------------------------------- sentences */
/* ", 3 of them in train too: .." or that none is. */
static void write_overlap(tx_buffer *p, const splits *s, int split)
{
    size_t train = s->of_train[split], valid = s->of_valid[split];
    if (split == SPLIT_TRAIN)
        return;
    if (train == 0 && valid == 0)
        tx_buffer_append(p, split == SPLIT_TEST ? ", none of them in train or valid" : ", none of them in train");
    if (train)
        tx_buffer_add(p, ", %zu of them in train too, which makes the figures too good", train);
    if (valid)
        tx_buffer_add(p, ", %zu of them in valid too, on which the checkpoint was chosen", valid);
}

void report_splits(tx_buffer *p, const splits *s)
{
    if (!s->known[SPLIT_TRAIN])
        return;
    tx_buffer_add(p, "<p>Data: %s.</p>\n<ul>\n",
                  s->sample ? "the radiographs that come with Thorax" : "the folder that was given as --data");
    for (int i = 0; i < SPLITS; i++) {
        if (!s->known[i])
            continue;
        const extent *e = &s->of[i];
        tx_buffer_add(p, "<li>%s: %zu image%s, %zu stud%s of %zu patient%s", split_name[i], e->images,
                      html_many(e->images), e->studies, e->studies == 1 ? "y" : "ies", e->patients,
                      html_many(e->patients));
        write_overlap(p, s, i);
        if (s->alone[i])
            tx_buffer_add(p, "; %zu image%s in no folder of a patient, counted as a patient each", s->alone[i],
                          s->alone[i] == 1 ? " is" : "s are");
        if (s->unreadable[i])
            tx_buffer_add(p, "; %zu image%s could not be read and %s left out", s->unreadable[i],
                          html_many(s->unreadable[i]), s->unreadable[i] == 1 ? "is" : "are");
        tx_buffer_append(p, "</li>\n");
    }
    tx_buffer_append(p, "</ul>\n");
}

void report_source(tx_buffer *p, const splits *s)
{
    if (s->sample)
        tx_buffer_append(p, "<p>The radiographs are from ChestX-ray14, provided by the NIH Clinical Center "
                            "(https://nihcc.app.box.com/v/ChestXray-NIHCC; Wang et al., CVPR 2017). They were chosen "
                            "half with pneumonia, half without finding, so no figure here carries over to a "
                            "clinic.</p>\n");
}

/* How many evaluations on valid there were. */
static size_t evaluations(const metrics *m)
{
    size_t n = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < m->rows; i++)
        if (!m->row[i].test && m->row[i].step != last) {
            last = m->row[i].step;
            n++;
        }
    return n;
}

/* The mean by which was chosen, from the figures of that step; NULL: it was the loss. */
static const mean_score *chosen_mean(const figure_set *f, const char *by)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(f->mean[i].name, by) == 0)
            return &f->mean[i];
    return NULL;
}

tx_status report_choice(tx_buffer *p, const metrics *m, const run_checkpoint *best)
{
    char number[TX_NUMBER], room[32];
    figure_set f;
    size_t n = evaluations(m);
    tx_status status = figures_of_metrics(&f, m, best->step, 0);
    if (status)
        return status;
    const mean_score *mean = chosen_mean(&f, best->by);
    tx_buffer_add(p, "<p>The checkpoint after step %llu, chosen on valid ", (unsigned long long)best->step);
    if (mean)
        tx_buffer_add(p, "by the largest %s: %s, %s of its tasks", mean->name,
                      tx_number_fixed(number, sizeof number, mean->value, 3), mean_extent(mean, room));
    else if (isnan(best->score))
        tx_buffer_append(p, "without a label to choose by: the first");
    else
        tx_buffer_add(p, "by the smallest loss (no task has an AUC): %s",
                      tx_number_fixed(number, sizeof number, -best->score, 4));
    tx_buffer_add(p, ", of %zu evaluation%s. Its figures on valid are those of what it was chosen on%s</p>\n", n,
                  html_many(n), n > 1 ? ", and so too good." : ".");
    figures_free(&f);
    return p->status;
}

void report_unit(tx_buffer *p)
{
    tx_buffer_append(p,
                     "<p>Figures are by study: its score is the maximum over its images, and it is positive if one of "
                     "them is.</p>\n");
}

tx_status report_config(tx_buffer *p, const char *folder)
{
    unsigned char *data;
    size_t bytes;
    char *path = tx_path_join(folder, "config.txt");
    tx_status status = path ? tx_file_read(path, (size_t)1 << 20, &data, &bytes) : TX_ERR_MEMORY;
    tx_free(path);
    if (status)
        return status;
    tx_buffer_append(p, "<pre>");
    /* Where the files lay is no part of the page. */
    for (char *line = (char *)data; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        if (*line != '#' && strncmp(line, "data = ", 7) && strncmp(line, "init = /", 8) &&
            strncmp(line, "init = \"/", 9)) {
            tx_buffer_html(p, line);
            tx_buffer_append(p, "\n");
        }
        line = end ? end + 1 : NULL;
    }
    tx_buffer_append(p, "</pre>\n");
    tx_free(data);
    return TX_OK;
}

static tx_status write_run(tx_buffer *p, const char *folder, const run_checkpoint *best, const char *about,
                           const metrics *m, const splits *s)
{
    report_begin(p, "Thorax: a training");
    tx_buffer_append(p, "<p>");
    tx_buffer_html(p, about);
    tx_buffer_append(p, "</p>\n");
    report_splits(p, s);
    tx_buffer_append(p, "<h2>Learning curves</h2>\n");
    tx_status status = report_curves(p, folder, m, best->step);
    tx_buffer_append(p, "<h2>The best checkpoint</h2>\n");
    if (status == TX_OK)
        status = report_choice(p, m, best);
    report_unit(p);
    if (status == TX_OK)
        status = report_table(p, m, s, best->step);
    tx_buffer_append(p, "<h2>Options</h2>\n");
    if (status == TX_OK)
        status = report_config(p, folder);
    report_source(p, s);
    report_end(p);
    return status;
}

tx_status report_run(const char *folder, const run_checkpoint *best, const char *about)
{
    metrics m;
    splits s;
    tx_buffer p = {0};
    tx_status status = metrics_read(&m, folder);
    tx_status noted = splits_read(&s, folder);
    if (status == TX_OK)
        status = noted;
    if (status == TX_OK)
        status = write_run(&p, folder, best, about, &m, &s);
    char *path = status == TX_OK ? tx_path_join(folder, "report.html") : NULL;
    if (status == TX_OK)
        status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    splits_free(&s);
    metrics_free(&m);
    return status;
}
