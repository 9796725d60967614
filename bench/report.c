/* report.c - pages about runs: learning curves and tables from the run's own tables. */
#include "report.h"
#include "options.h"
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- curves */
enum { LOSS_POINTS = 150 };

typedef struct points {
    double *x, *y;
    size_t count, room_x, room_y;
} points;

static tx_status add_point(points *p, double x, double y)
{
    if (tx_grow((void **)&p->x, &p->room_x, p->count + 1, sizeof *p->x) ||
        tx_grow((void **)&p->y, &p->room_y, p->count + 1, sizeof *p->y))
        return TX_ERR_MEMORY;
    p->x[p->count] = x;
    p->y[p->count++] = y;
    return TX_OK;
}

static void free_points(points *p)
{
    tx_free(p->x);
    tx_free(p->y);
    memset(p, 0, sizeof *p);
}

static tx_status read_loss(points *p, const char *folder)
{
    char **field, *path = tx_path_join(folder, "log.csv");
    size_t fields;
    tx_csv *csv = path ? tx_csv_open(path) : NULL;
    tx_free(path);
    if (!csv)
        return TX_ERR_FILE;
    tx_status status = TX_OK;
    int more = tx_csv_next(csv, &field, &fields);
    while (status == TX_OK && more == 1 && (more = tx_csv_next(csv, &field, &fields)) == 1)
        if (fields >= 4)
            status = add_point(p, table_real(field[0]), table_real(field[3]));
    if (status == TX_OK && more < 0)
        status = (tx_status)more;
    tx_csv_close(csv);
    return status;
}

/* Means of neighbours, in place, until at most LOSS_POINTS are left. */
static void thin(points *p)
{
    size_t each = (p->count + LOSS_POINTS - 1) / LOSS_POINTS, left = 0;
    for (size_t from = 0; each > 1 && from < p->count; from += each) {
        size_t n = p->count - from < each ? p->count - from : each, finite = 0;
        double x = 0, y = 0;
        for (size_t i = from; i < from + n; i++) {
            x += p->x[i];
            if (isfinite(p->y[i])) {
                y += p->y[i];
                finite++;
            }
        }
        p->x[left] = x / (double)n;
        p->y[left++] = finite ? y / (double)finite : (double)NAN;
    }
    if (each > 1)
        p->count = left;
}

static tx_status draw_loss(tx_buffer *p, const char *folder)
{
    points loss = {0};
    tx_status status = read_loss(&loss, folder);
    if (status == TX_OK) {
        size_t each = (loss.count + LOSS_POINTS - 1) / LOSS_POINTS;
        char title[96];
        snprintf(title, sizeof title, each > 1 ? "Training loss (means of %zu steps)" : "Training loss", each);
        thin(&loss);
        svg_curve curve = {"binary cross-entropy of the batch", 0, loss.count, loss.x, loss.y, NULL, NULL};
        svg_lines(p, &(svg_chart){.title = title, .x_name = "step", .y_name = "loss", .curve = &curve, .curves = 1});
    }
    free_points(&loss);
    return status;
}

/* The last rows' tasks that are worth a line: the two means, and the most frequent finding and No Finding. */
static tx_status draw_auc(tx_buffer *p, const metrics *m)
{
    static const char *const names[] = {"mean6", "mean", "Lung Opacity", "No Finding"};
    points line[4] = {{0}};
    svg_curve curve[4];
    int curves = 0;
    tx_status status = TX_OK;
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; status == TX_OK && i < m->rows; i++)
            if (!m->row[i].test && isfinite(m->row[i].auc) && strcmp(m->row[i].task, names[k]) == 0)
                status = add_point(&line[k], (double)m->row[i].step, m->row[i].auc);
        if (line[k].count)
            curve[curves++] = (svg_curve){names[k], k, line[k].count, line[k].x, line[k].y, NULL, NULL};
    }
    if (status == TX_OK && curves)
        svg_lines(p, &(svg_chart){.title = "AUC on the validation split",
                                  .x_name = "step",
                                  .y_name = "AUC",
                                  .curve = curve,
                                  .curves = curves});
    for (int k = 0; k < 4; k++)
        free_points(&line[k]);
    return status;
}

tx_status report_curves(tx_buffer *p, const char *folder, const metrics *m)
{
    tx_status status = draw_loss(p, folder);
    return status == TX_OK ? draw_auc(p, m) : status;
}

/* ----------------------------------------------------------------------------------------------- pages */
void report_begin(tx_buffer *p, const char *title)
{
    tx_buffer_append(p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    tx_buffer_html(p, title);
    tx_buffer_append(
        p, "</title>\n<style>\n"
           "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;line-height:1.4}\n"
           "table{border-collapse:collapse;margin:1em 0}\n"
           "th,td{padding:.2em .8em;border-bottom:1px solid #ccc;text-align:right}\n"
           "td{white-space:nowrap}\n"
           "th:first-child,td:first-child{text-align:left}\n"
           "tr.mean td{font-weight:bold}\n"
           "svg{max-width:100%;height:auto;display:block;margin:1.2em 0}\n"
           "pre{background:#f4f4f4;padding:1em;overflow-x:auto}\n"
           "</style></head><body>\n<h1>");
    tx_buffer_html(p, title);
    tx_buffer_append(p, "</h1>\n");
}

void report_end(tx_buffer *p)
{
    tx_buffer_append(p, "<p>Not for clinical use: nothing here says anything about a patient.</p>\n</body></html>\n");
}

static void auc_cells(tx_buffer *p, const metric *r)
{
    char auc[TX_NUMBER], low[TX_NUMBER], high[TX_NUMBER];
    if (!r || !isfinite(r->auc)) {
        tx_buffer_append(p, "<td>-</td><td></td>");
        return;
    }
    tx_buffer_add(p, "<td>%s</td><td>", tx_number_fixed(auc, sizeof auc, r->auc, 3));
    if (isfinite(r->low))
        tx_buffer_add(p, "%s to %s", tx_number_fixed(low, sizeof low, r->low, 3),
                      tx_number_fixed(high, sizeof high, r->high, 3));
    tx_buffer_append(p, "</td>");
}

static void count_cell(tx_buffer *p, const metric *r)
{
    if (r && isfinite(r->positives))
        tx_buffer_add(p, "<td>%.0f / %.0f</td>", r->positives, r->negatives);
    else
        tx_buffer_append(p, "<td></td>");
}

void report_table(tx_buffer *p, const metrics *m, uint64_t step)
{
    int any_test = 0;
    for (size_t i = 0; i < m->rows; i++)
        any_test |= m->row[i].test && m->row[i].step == step;
    tx_buffer_append(p, "<table><tr><th>task</th><th>valid pos. / neg.</th><th>AUC</th><th>95% interval</th>");
    tx_buffer_append(p, any_test ? "<th>test pos. / neg.</th><th>AUC</th><th>95% interval</th></tr>\n" : "</tr>\n");
    for (size_t i = 0; i < m->rows; i++) {
        const metric *r = &m->row[i];
        if (r->test || r->step != step)
            continue;
        tx_buffer_append(p, isnan(r->positives) ? "<tr class=\"mean\"><td>" : "<tr><td>");
        tx_buffer_html(p, r->task);
        tx_buffer_append(p, "</td>");
        count_cell(p, r);
        auc_cells(p, r);
        if (any_test) {
            const metric *test = metrics_find(m, step, 1, r->task);
            count_cell(p, test);
            auc_cells(p, test);
        }
        tx_buffer_append(p, "</tr>\n");
    }
    tx_buffer_append(p, "</table>\n<p>AUC by study, the maximum over its images; intervals by DeLong's variance on the "
                        "logit scale. mean5: Atelectasis, "
                        "Cardiomegaly, Consolidation, Edema, Pleural Effusion; mean6: these and No Finding; mean: all "
                        "tasks; each over the tasks "
                        "that have positives and negatives.</p>\n");
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

tx_status report_run(const char *folder, uint64_t best, const char *about)
{
    metrics m;
    tx_buffer p = {0};
    tx_status status = metrics_read(&m, folder);
    if (status == TX_OK) {
        report_begin(&p, "Thorax: a training");
        tx_buffer_append(&p, "<p>");
        tx_buffer_html(&p, about);
        tx_buffer_add(&p, "</p>\n<h2>Learning curves</h2>\n");
        status = report_curves(&p, folder, &m);
    }
    if (status == TX_OK) {
        tx_buffer_add(&p, "<h2>The best checkpoint, of step %llu</h2>\n", (unsigned long long)best);
        report_table(&p, &m, best);
        tx_buffer_append(&p, "<h2>Options</h2>\n");
        status = report_config(&p, folder);
    }
    report_end(&p);
    char *path = status == TX_OK ? tx_path_join(folder, "report.html") : NULL;
    if (status == TX_OK)
        status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    metrics_free(&m);
    return status;
}
