/* study_page_models.c - a study's tables of models and of their comparisons. */
#include "html.h"
#include "study_page.h"
#include "study_panels.h"

#include <math.h>
#include <string.h>

static void name_cell(tx_buffer *p, const study_model *m)
{
    char name[STUDY_NAME];
    tx_buffer_add(p, "<td class=\"name\">%s</td>", study_display_name(m->net, m->cut, name));
}

void page_models(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {
        "|network", "|weights", "parameters", "ImageNet top-1, %", "AUC", "95% interval", "sd", "seeds", NULL};
    const study_table *all = &g->r->table;
    tx_buffer_add(
        p,
        "<p>AUC is %s on %s; sd is the standard deviation of the bootstrap, the bars in the figures. (-1), (-2), (-3): "
        "so many final blocks are cut. ImageNet top-1 is that of the published weights of the whole network. The table "
        "is "
        "in a fixed order; it is no ranking.</p>\n",
        all->mean, all->split);
    html_table(p, NULL, heads);
    for (size_t i = 0; i < all->models; i++) {
        const study_model *m = &all->model[i];
        html_row(p, NULL);
        name_cell(p, m);
        html_text(p, m->pretrained ? "pretrained" : "random");
        html_count(p, m->parameters);
        html_real(p, m->cut ? (double)NAN : m->top1, 1);
        html_real(p, m->auc, 3);
        html_range(p, m->low, m->high, 3);
        html_real(p, m->sd, 3);
        html_count(p, (size_t)m->seeds);
        html_row_end(p);
    }
    html_table_end(p);
}

/* The cells of a difference behind its names. */
static void difference_cells(tx_buffer *p, const study_difference *d)
{
    html_signed(p, d->value, 3);
    html_range(p, d->low, d->high, 3);
    html_p(p, d->p);
    html_p(p, d->adjusted);
    html_text(p, isnan(d->adjusted) ? "-" : d->adjusted >= 0.05 ? "open" : d->value > 0 ? "better" : "worse");
}

void page_gains(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|network", "random",  "pretrained",     "difference", "95% interval",
                                        "p",        "p, Holm", "|pretrained is", NULL};
    const study_tests *t = g->t;
    html_table(p, "AUC with pretraining less that without, on the same resamples", heads);
    for (size_t i = 0; i < t->gains; i++) {
        const study_difference *d = &t->gain[i];
        html_row(p, NULL);
        name_cell(p, d->a);
        html_real(p, d->b->auc, 3);
        html_real(p, d->a->auc, 3);
        difference_cells(p, d);
        html_row_end(p);
    }
    if (t->gains) {
        html_row(p, "mean");
        html_text(p, "mean");
        html_real(p, (double)NAN, 3);
        html_real(p, (double)NAN, 3);
        html_signed(p, t->mean_gain.value, 3);
        html_range(p, t->mean_gain.low, t->mean_gain.high, 3);
        html_p(p, t->mean_gain.p);
        html_p(p, (double)NAN);
        html_text(p, "");
        html_row_end(p);
    }
    html_table_end(p);
}

void page_leads(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|network", "AUC",     "the best one's lead", "95% interval",
                                        "p",        "p, Holm", "|the best is",        NULL};
    const study_tests *t = g->t;
    char name[STUDY_NAME];
    tx_buffer_append(p, "<p>The pretrained network with the largest AUC here, ");
    tx_buffer_append(p, study_display_name(t->lead[0].a->net, 0, name));
    tx_buffer_append(
        p,
        ", beside each other pretrained one. It was found to be the best on the same studies, so its leads are rather "
        "too large. Open means a tie, as far as these studies can tell.</p>\n");
    html_table(p, NULL, heads);
    for (size_t i = 0; i < t->leads; i++) {
        const study_difference *d = &t->lead[i];
        html_row(p, NULL);
        name_cell(p, d->b);
        html_real(p, d->b->auc, 3);
        difference_cells(p, d);
        html_row_end(p);
    }
    html_table_end(p);
}

void page_ranks(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {
        "|Spearman's rho of",          "networks", "rho",     "95% interval, other networks",
        "95% interval, other studies", "p",        "p, Holm", NULL};
    tx_buffer_append(
        p,
        "<p>Two intervals for one rho, as two things were drawn: the first (Bonett and Wright) takes the networks for "
        "a sample of networks; the second is of the bootstrap, with these networks on other studies. Noise in the "
        "AUCs draws every rho towards 0.</p>\n");
    html_table(p, NULL, heads);
    for (int k = 0; k < STUDY_RANKS; k++) {
        const study_rank *rank = &g->t->rank[k];
        html_row(p, NULL);
        html_text(p, rank->what);
        html_count(p, rank->n);
        html_real(p, rank->rho.rho, 2);
        html_range(p, rank->rho.low, rank->rho.high, 2);
        html_range(p, rank->boot_low, rank->boot_high, 2);
        html_p(p, rank->rho.p);
        html_p(p, rank->adjusted);
        html_row_end(p);
    }
    html_table_end(p);
}

static void cut_rows(tx_buffer *p, const study_page *g)
{
    const study_tests *t = g->t;
    for (size_t i = 0; i < t->costs; i++) {
        const study_difference *d = &t->cost[i];
        html_row(p, NULL);
        name_cell(p, d->a);
        html_count(p, d->a->parameters);
        html_real(p, (double)d->b->parameters / (double)d->a->parameters, 2);
        html_real(p, d->a->auc, 3);
        difference_cells(p, d);
        html_row_end(p);
    }
}

void page_truncation(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|network",     "parameters", "times fewer", "AUC",         "cut - full",
                                        "95% interval", "p",          "p, Holm",     "|the cut is", NULL};
    static const char *const largest[] = {"|family's network", "cuts tried", "|largest that is not worse",
                                          "times fewer parameters", NULL};
    const study_tests *t = g->t;
    char name[STUDY_NAME];
    html_table(p, "Truncated networks beside the full one, both pretrained, on the same resamples", heads);
    cut_rows(p, g);
    html_table_end(p);
    html_table(p, "The largest cut whose interval of the difference reaches 0 or above", largest);
    for (size_t i = 0; i < t->cuts; i++) {
        const study_cut *c = &t->cut[i];
        html_row(p, NULL);
        name_cell(p, c->full);
        html_count(p, c->tried);
        html_text(p, c->cut == c->full ? "none" : study_display_name(c->cut->net, c->cut->cut, name));
        html_real(p, c->factor, 2);
        html_row_end(p);
    }
    html_row(p, "mean");
    html_text(p, "mean over families (the paper: 3.25)");
    html_text(p, "");
    html_text(p, "");
    html_real(p, t->compression, 2);
    html_row_end(p);
    html_table_end(p);
}
