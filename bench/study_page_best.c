/* study_page_best.c - the best model of a study: its tasks, ROC and calibration, and its AUC in parts of the scored split. */
#include "bootstrap.h"
#include "figures.h"
#include "html.h"
#include "study_page.h"
#include "study_panels.h"
#include "svg.h"

#include <math.h>
#include <string.h>

static const study_model *best_model(const study_table *all)
{
    const study_model *best = NULL;
    for (size_t i = 0; i < all->models; i++)
        if (!isnan(all->model[i].auc) && (!best || all->model[i].auc > best->auc))
            best = &all->model[i];
    return best;
}

/* The complete job with the largest AUC of the model with the largest AUC. */
static const study_entry *best_entry(const study_page *g, size_t *index)
{
    const study_data *d = g->r->data;
    const study_model *m = best_model(&g->r->table);
    const study_entry *best = NULL;
    size_t row = (size_t)d->tasks + (size_t)g->r->headline;
    for (size_t i = 0; m && i < d->entries; i++) {
        const study_entry *e = &d->entry[i];
        if (e->state != ENTRY_COMPLETE || strcmp(e->net->name, m->net) || e->cut != m->cut ||
            e->pretrained != m->pretrained)
            continue;
        if (!best || study_figure_of(g->r, i, row)->auc > study_figure_of(g->r, *index, row)->auc) {
            best = e;
            *index = i;
        }
    }
    return best;
}

/* The tasks of the headline mean that have an AUC, with their scores. */
static int scores_of(const study_page *g, const study_entry *e, size_t index, svg_scores *list, int room)
{
    const study_data *d = g->r->data;
    int n = 0;
    for (size_t k = 0; k < (size_t)d->tasks && n < room; k++)
        if (mean_has(g->r->headline, d->task[k]) && !isnan(study_figure_of(g->r, index, k)->auc))
            list[n++] = (svg_scores){d->task[k], e->score + k * d->units, d->label + k * d->units, d->units};
    return n;
}

static void note_few(tx_buffer *p)
{
    tx_buffer_add(p,
                  "<p class=\"notes\">* fewer than %d positives or negatives: the figure says little, and its interval "
                  "is too narrow.</p>\n",
                  (int)FIGURE_FEW);
}

static void write_tasks(tx_buffer *p, const study_page *g, size_t index)
{
    static const char *const heads[] = {"|task",        "positive", "negative",  "AUC",
                                        "95% interval", "sd",       "|interval", NULL};
    html_table(p, "Its tasks", heads);
    for (size_t row = 0; row < g->r->rows; row++) {
        const study_figure *f = study_figure_of(g->r, index, row);
        int mean = row >= (size_t)g->r->data->tasks, few = f->positives < FIGURE_FEW || f->negatives < FIGURE_FEW;
        html_row(p, mean ? "mean" : NULL);
        html_text(p, study_row_name(g->r, row));
        if (mean)
            tx_buffer_append(p, "<td></td><td></td>");
        else {
            html_count(p, f->positives);
            html_count(p, f->negatives);
        }
        html_marked(p, f->auc, 3, !mean && few);
        html_range(p, f->low, f->high, 3);
        html_real(p, f->sd, 3);
        tx_buffer_add(p, "<td class=\"name\">%s</td>", f->method);
        html_row_end(p);
    }
    html_table_end(p);
    note_few(p);
}

tx_status page_best(tx_buffer *p, const study_page *g)
{
    enum { CURVES = 6 };
    svg_scores list[CURVES];
    char name[STUDY_NAME];
    size_t index = 0;
    const study_entry *e = best_entry(g, &index);
    if (!e) {
        tx_buffer_append(p, "<p>No model has an AUC.</p>\n");
        return TX_OK;
    }
    tx_buffer_append(p, "<p>");
    tx_buffer_html(p, study_display_name(e->net->name, e->cut, name));
    tx_buffer_add(
        p,
        " from %s weights, job %s: the largest AUC of all models on %s. That it is the largest was found on the same "
        "studies, and others may be as good.</p>\n",
        e->pretrained ? "pretrained" : "random", e->name, g->r->table.split);
    int n = scores_of(g, e, index, list, CURVES);
    tx_buffer_append(p, "<div class=\"side\">\n");
    tx_status status = svg_roc(p, "ROC", NULL, list, n);
    if (status == TX_OK)
        status = svg_calibration(p, "Calibration", NULL, list, n);
    tx_buffer_append(p, "</div>\n");
    write_tasks(p, g, index);
    return status;
}

/* ------------------------------------------------------------------------------------------ subgroups */
/* A part of the units, its mean AUC and interval. */
typedef struct part {
    size_t units;
    int tasks;     /* that have an AUC in it */
    size_t fewest; /* of a class, of these */
    double auc, low, high;
} part;

/* One task in the part: the labels of other units are masked, so the resamples are those of everything else. */
static tx_status score_part(const study_results *r, const study_entry *e, size_t task, const unsigned char *in,
                            signed char *label, tx_auc_result *whole, double *value)
{
    const study_data *d = r->data;
    const double *score = e->score + task * d->units;
    for (size_t i = 0; i < d->units; i++)
        label[i] = in[i] ? d->label[task * d->units + i] : -1;
    tx_status status = tx_auc_of(score, label, d->units, whole);
    if (status == TX_OK && !isnan(whole->auc))
        status = tx_bootstrap_auc(&score, 1, label, r->by_patient ? d->patient : NULL, d->units, r->groups,
                                  r->replicates, 0, value);
    return status;
}

static tx_status make_part(const study_results *r, const study_entry *e, const unsigned char *in, part *out)
{
    const study_data *d = r->data;
    tx_interval interval = {(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0};
    signed char *label = tx_alloc(d->units, 1);
    double *value = tx_alloc(r->replicates, sizeof *value), *mean = tx_alloc(r->replicates, sizeof *mean);
    tx_status status = label && value && mean ? TX_OK : TX_ERR_MEMORY;
    *out = (part){0};
    for (size_t i = 0; i < d->units; i++)
        out->units += in[i];
    for (size_t k = 0; status == TX_OK && k < (size_t)d->tasks; k++) {
        tx_auc_result whole;
        if (!mean_has(r->headline, d->task[k]))
            continue;
        status = score_part(r, e, k, in, label, &whole, value);
        if (status || isnan(whole.auc))
            continue;
        size_t least = whole.positives < whole.negatives ? whole.positives : whole.negatives;
        out->fewest = out->tasks++ && out->fewest < least ? out->fewest : least;
        out->auc += whole.auc;
        for (size_t i = 0; i < r->replicates; i++)
            mean[i] += value[i];
    }
    for (size_t i = 0; mean && i < r->replicates; i++)
        mean[i] = out->tasks ? mean[i] / out->tasks : (double)NAN;
    if (status == TX_OK)
        status = tx_bootstrap_interval(mean, r->replicates, &interval);
    out->auc = out->tasks ? out->auc / out->tasks : (double)NAN;
    out->low = interval.low;
    out->high = interval.high;
    tx_free(label);
    tx_free(value);
    tx_free(mean);
    return status;
}

/* Which value of a property a unit has. */
enum { BY_NOTHING, BY_VIEW, BY_SEX, BY_AGE };
static int value_of(const study_person *who, int by)
{
    return by == BY_VIEW ? (int)who->view : by == BY_SEX ? (int)who->sex : by == BY_AGE ? study_age_band(who->age) : 0;
}

static tx_status write_part(tx_buffer *p, const study_page *g, const study_entry *e, const char *name, int by,
                            int value)
{
    const study_data *d = g->r->data;
    part s = {0};
    unsigned char *in = tx_alloc(d->units, 1);
    tx_status status = in ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; in && i < d->units; i++) {
        in[i] = value_of(&d->who[i], by) == value;
        s.units += in[i];
    }
    if (status == TX_OK && s.units)
        status = make_part(g->r, e, in, &s);
    tx_free(in);
    if (status || !s.units)
        return status;
    html_row(p, by ? NULL : "mean");
    html_text(p, name);
    html_share(p, s.units, d->units);
    html_count(p, (size_t)s.tasks);
    html_count(p, s.fewest);
    html_marked(p, s.auc, 3, s.fewest < FIGURE_FEW);
    html_range(p, s.low, s.high, 3);
    html_row_end(p);
    return TX_OK;
}

tx_status page_groups(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|studies",     "number", "tasks with an AUC", "fewest of a class", "AUC",
                                        "95% interval", NULL};
    static const struct {
        int by, values;
        const char *const *name;
    } parts[] = {
        {BY_VIEW, VIEWS, study_view_name}, {BY_SEX, SEXES, study_sex_name}, {BY_AGE, AGE_BANDS, study_age_name}};
    size_t index = 0;
    const study_entry *e = best_entry(g, &index);
    if (!e)
        return TX_OK;
    tx_buffer_add(p,
                  "<p>%s of the best model within parts of %s, each over the tasks that have both classes there: means "
                  "over other tasks are other figures. Fewest of a class: studies, of the task that has least of them. "
                  "Differences between "
                  "parts are also differences of who is in them: how ill they are, and how a radiograph of them is "
                  "taken.</p>\n",
                  g->r->table.mean, g->r->table.split);
    html_table(p, NULL, heads);
    tx_status status = write_part(p, g, e, "all", BY_NOTHING, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (int k = 0; status == TX_OK && k < parts[i].values; k++)
            status = write_part(p, g, e, parts[i].name[k], parts[i].by, k);
    if (status == TX_OK)
        status = write_part(p, g, e, "age not stated", BY_AGE, -1);
    html_table_end(p);
    note_few(p);
    return status;
}
