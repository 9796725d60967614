/* svg_scores.c - ROC curves and calibration of probabilities, as inline SVG.
 *
 * Wilson's interval: Wilson, "Probable inference", JASA 22 (1927). */
#include "statistics.h"
#include "svg.h"
#include "svg_axes.h"

#include <math.h>
#include <string.h>

enum { WIDTH = SVG_WIDTH, LEFT = 62, MARGIN = SVG_MARGIN, SIDE = 300, BINS = 10, FEW = 10 };

/* What the two have in common: a square from 0 to 1 with its diagonal, a legend and texts. */
typedef struct square {
    svg_box frame;
    svg_scale x, y;
} square;

static square begin_square(tx_buffer *t, const char *title, const char *foot, int keys, const char *x_name,
                           const char *y_name, const char *diagonal)
{
    square s = {.x = {0, 1, 0, 0, 2, -1}, .y = {0, 1, 0, 0, 2, -1}};
    double width = WIDTH - 2 * MARGIN;
    int head = svg_text_lines(NULL, title, 0, 0, width, 1);
    char a[TX_NUMBER], b[TX_NUMBER], c[TX_NUMBER], d[TX_NUMBER];
    s.frame = (svg_box){LEFT, SVG_LINE * (head + keys + 2.0), LEFT + SIDE, SVG_LINE * (head + keys + 2.0) + SIDE};
    s.x.from = s.frame.left;
    s.x.to = s.frame.right;
    s.y.from = s.frame.bottom;
    s.y.to = s.frame.top;
    svg_begin_framed(t, title, foot, s.frame.bottom);
    svg_text_lines(t, title, MARGIN, SVG_LINE, width, 1);
    svg_axes(t, &s.frame, &s.x, &s.y, x_name, y_name, 0);
    svg_unit(a, s.x.from);
    svg_unit(b, s.y.from);
    tx_buffer_add(t, "<path d=\"M%s %sL%s %s\" stroke=\"#888\"/>\n", a, b, svg_unit(c, s.x.to), svg_unit(d, s.y.to));
    tx_buffer_add(t, "<path d=\"M%d %sh26\" stroke=\"#888\"/><text x=\"%d\" y=\"%s\">", MARGIN,
                  svg_unit(a, SVG_LINE * (head + 1.0) - 4), MARGIN + 32, svg_unit(b, SVG_LINE * (head + 1.0)));
    tx_buffer_html(t, diagonal);
    tx_buffer_append(t, "</text>\n");
    return s;
}

/* "NAME, 0.812": a row of the legend above the frame. */
static void draw_key(tx_buffer *t, const square *s, int row, int rows, const char *name, const char *more)
{
    char a[TX_NUMBER], b[TX_NUMBER], text[SVG_NAME];
    double y = s->frame.top - SVG_LINE * (rows - row);
    double room = WIDTH - 2 * MARGIN - 32 - svg_text_width(more, strlen(more), 0) - 16;
    tx_buffer_add(t, "<path d=\"M%d %sh26\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>", MARGIN,
                  svg_unit(a, y - 4), svg_colour(row), svg_dashes(row));
    tx_buffer_add(t, "<text x=\"%d\" y=\"%s\">", MARGIN + 32, svg_unit(b, y));
    tx_buffer_html(t, svg_cut(text, name, room));
    tx_buffer_html(t, more);
    tx_buffer_append(t, "</text>\n");
}

/* ----------------------------------------------------------------------------------------------- ROC
 * Scores in ascending order of their midranks, which are equal where scores are. */
typedef struct counts {
    double *rank;
    size_t *positives, *negatives; /* by twice the rank */
    size_t n;
} counts;

static tx_status count_by_rank(const svg_scores *s, counts *c)
{
    double *score = tx_alloc(s->n + 1, sizeof *score);
    *c = (counts){.rank = tx_alloc(s->n + 1, sizeof *c->rank),
                  .positives = tx_alloc(2 * s->n + 2, sizeof *c->positives),
                  .negatives = tx_alloc(2 * s->n + 2, sizeof *c->negatives)};
    tx_status status = score && c->rank && c->positives && c->negatives ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < s->n; i++)
        if (s->label[i] >= 0 && !isfinite(s->score[i]))
            status = tx_fail(TX_ERR_ARGUMENT, "%s: score %zu of the curve is no number", s->name, i);
        else if (s->label[i] >= 0)
            score[c->n++] = s->score[i];
    if (status == TX_OK)
        status = tx_midranks(score, c->n, c->rank);
    for (size_t i = 0, k = 0; status == TX_OK && i < s->n; i++)
        if (s->label[i] >= 0) {
            size_t at = (size_t)(2 * c->rank[k++]);
            c->positives[at] += s->label[i] > 0;
            c->negatives[at] += s->label[i] == 0;
        }
    tx_free(score);
    return status;
}

static void free_counts(counts *c)
{
    tx_free(c->rank);
    tx_free(c->positives);
    tx_free(c->negatives);
}

static void draw_steps(tx_buffer *t, const square *s, const counts *c, const tx_auc_result *auc, int style)
{
    char a[TX_NUMBER], b[TX_NUMBER];
    size_t positives = 0, negatives = 0;
    double last_x = s->x.from, last_y = s->y.from;
    tx_buffer_add(t, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" d=\"M%s %s",
                  svg_colour(style), svg_dashes(style), svg_unit(a, last_x), svg_unit(b, last_y));
    for (size_t k = 2 * c->n; k >= 1; k--) {
        if (!c->positives[k] && !c->negatives[k])
            continue;
        positives += c->positives[k];
        negatives += c->negatives[k];
        double x = svg_place(&s->x, (double)negatives / (double)auc->negatives);
        double y = svg_place(&s->y, (double)positives / (double)auc->positives);
        int end = positives == auc->positives && negatives == auc->negatives;
        if (!end && fabs(x - last_x) < 0.25 && fabs(y - last_y) < 0.25)
            continue;
        tx_buffer_add(t, "L%s %s", svg_unit(a, x), svg_unit(b, y));
        last_x = x;
        last_y = y;
    }
    tx_buffer_append(t, "\"/>\n");
}

static tx_status draw_roc(tx_buffer *t, const square *s, const svg_scores *task, int row, int rows)
{
    char more[96], number[TX_NUMBER];
    tx_auc_result auc;
    counts c = {0};
    tx_status status = tx_auc_of(task->score, task->label, task->n, &auc);
    if (status)
        return status;
    int drawn = auc.positives && auc.negatives;
    snprintf(more, sizeof more, drawn ? ": AUC %s" : ": no curve without both classes",
             tx_number_fixed(number, sizeof number, auc.auc, 3));
    draw_key(t, s, row, rows, task->name, more);
    status = drawn ? count_by_rank(task, &c) : TX_OK;
    if (status == TX_OK && drawn)
        draw_steps(t, s, &c, &auc, row);
    free_counts(&c);
    return status;
}

tx_status svg_roc(tx_buffer *t, const char *title, const char *foot, const svg_scores *task, int tasks)
{
    square s = begin_square(t, title, foot, tasks, "1 - specificity", "sensitivity", "chance");
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < tasks; i++)
        status = draw_roc(t, &s, &task[i], i, tasks);
    svg_end_framed(t, foot, s.frame.bottom);
    if (status && !t->status)
        t->status = status;
    return t->status;
}

/* --------------------------------------------------------------------------------------- calibration */
typedef struct bin {
    size_t n, positives;
    double sum;
} bin;

static void draw_interval(tx_buffer *t, const square *s, const bin *b, int style)
{
    char x[TX_NUMBER], low[TX_NUMBER], high[TX_NUMBER];
    double n = (double)b->n, share = (double)b->positives / n, z = TX_NORMAL_95;
    double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    tx_buffer_add(t, "<path d=\"M%s %sV%s\" stroke=\"%s\"/>", svg_unit(x, svg_place(&s->x, b->sum / n)),
                  svg_unit(low, svg_place(&s->y, middle - half)), svg_unit(high, svg_place(&s->y, middle + half)),
                  svg_colour(style));
}

static tx_status draw_calibration(tx_buffer *t, const square *s, const svg_scores *task, int row, int rows)
{
    char a[TX_NUMBER], b[TX_NUMBER], more[96];
    bin bins[BINS] = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < task->n; i++) {
        if (task->label[i] < 0)
            continue;
        if (!(task->score[i] >= 0 && task->score[i] <= 1))
            return tx_fail(TX_ERR_ARGUMENT, "%s: score %zu of the curve is no probability", task->name, i);
        int at = (int)(task->score[i] * BINS);
        bin *into = &bins[at < BINS ? at : BINS - 1];
        into->n++;
        into->positives += task->label[i] > 0;
        into->sum += task->score[i];
        n++;
    }
    snprintf(more, sizeof more, n ? ": n = %zu" : ": none has a label", n);
    draw_key(t, s, row, rows, task->name, more);
    tx_buffer_add(t, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" d=\"",
                  svg_colour(row), svg_dashes(row));
    for (int i = 0, drawn = 0; i < BINS; i++)
        if (bins[i].n)
            tx_buffer_add(t, "%c%s %s", drawn++ ? 'L' : 'M',
                          svg_unit(a, svg_place(&s->x, bins[i].sum / (double)bins[i].n)),
                          svg_unit(b, svg_place(&s->y, (double)bins[i].positives / (double)bins[i].n)));
    tx_buffer_append(t, "\"/>\n");
    for (int i = 0; i < BINS; i++)
        if (bins[i].n) {
            if (rows == 1)
                draw_interval(t, s, &bins[i], row);
            svg_marker(t, row, bins[i].n < FEW, svg_place(&s->x, bins[i].sum / (double)bins[i].n),
                       svg_place(&s->y, (double)bins[i].positives / (double)bins[i].n));
        }
    return TX_OK;
}

tx_status svg_calibration(tx_buffer *t, const char *title, const char *foot, const svg_scores *task, int tasks)
{
    square s = begin_square(t, title, foot, tasks, "mean probability", "share of positives",
                            "perfect; outlined: fewer than 10 in the bin");
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < tasks; i++)
        status = draw_calibration(t, &s, &task[i], i, tasks);
    svg_end_framed(t, foot, s.frame.bottom);
    if (status && !t->status)
        t->status = status;
    return t->status;
}
