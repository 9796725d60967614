/* curves.c - a run's learning curves, from its tables. */
#include "report.h"
#include "svg.h"

#include <math.h>
#include <string.h>

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
        svg_curve curve = {"loss of a step's batch", 0, loss.count, loss.x, loss.y, NULL, NULL};
        svg_lines(
            p, &(svg_chart){
                   .title = title, .x_name = "step", .y_name = "loss", .from_zero = 1, .curve = &curve, .curves = 1});
    }
    free_points(&loss);
    return status;
}

/* What is worth a line: the means that are defined, then the two tasks with most of the rarer class on valid at that
 * step. */
enum { LINES = 4 };

static size_t rarer(const metric *r)
{
    return (size_t)(r->positives < r->negatives ? r->positives : r->negatives);
}

static int taken(const char *const names[LINES], int n, const char *task)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], task) == 0)
            return 1;
    return 0;
}

static int choose_lines(const metrics *m, uint64_t step, const char *names[LINES])
{
    int n = 0;
    static const char *const means[] = {"mean6", "mean"};
    for (int i = 0; i < 2; i++) {
        const metric *r = metrics_find(m, step, 0, means[i]);
        if (r && isfinite(r->auc))
            names[n++] = means[i];
    }
    for (int i = 0; i < 2; i++) {
        const metric *most = NULL;
        for (size_t k = 0; k < m->rows; k++) {
            const metric *r = &m->row[k];
            int fits = !r->test && r->step == step && isfinite(r->positives) && isfinite(r->auc);
            if (fits && !taken(names, n, r->task) && (!most || rarer(r) > rarer(most)))
                most = r;
        }
        if (most)
            names[n++] = most->task;
    }
    return n;
}

static tx_status draw_auc(tx_buffer *p, const metrics *m, uint64_t step)
{
    points line[LINES] = {{0}};
    svg_curve curve[LINES];
    const char *names[LINES];
    int curves = choose_lines(m, step, names);
    tx_status status = TX_OK;
    for (int k = 0; k < curves; k++) {
        for (size_t i = 0; status == TX_OK && i < m->rows; i++)
            if (!m->row[i].test && isfinite(m->row[i].auc) && strcmp(m->row[i].task, names[k]) == 0)
                status = add_point(&line[k], (double)m->row[i].step, m->row[i].auc);
        curve[k] = (svg_curve){names[k], k, line[k].count, line[k].x, line[k].y, NULL, NULL};
    }
    if (status == TX_OK && curves)
        svg_lines(p, &(svg_chart){.title = "AUC on valid",
                                  .x_name = "step",
                                  .y_name = "AUC",
                                  .from_zero = 1,
                                  .curve = curve,
                                  .curves = curves});
    for (int k = 0; k < LINES; k++)
        free_points(&line[k]);
    return status;
}

tx_status report_curves(tx_buffer *p, const char *folder, const metrics *m, uint64_t step)
{
    tx_buffer_append(p, "<div class=\"side\">\n");
    tx_status status = draw_loss(p, folder);
    if (status == TX_OK)
        status = draw_auc(p, m, step);
    tx_buffer_append(p, "</div>\n");
    return status;
}
