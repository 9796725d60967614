/* study_page.c - a study's report.html: which sections there are, and the pictures. */
#include "study_page.h"
#include "html.h"
#include "report.h"
#include "study.h"
#include "study_panels.h"
#include "study_sentences.h"
#include "thorax.h"

#include <math.h>

const char study_title[] = "CheXtransfer by Thorax: architectures, pretraining and truncation on chest radiographs";

static void head(tx_buffer *p, const char *title)
{
    tx_buffer_add(p, "<h2>%s</h2>\n", title);
}

/* What stands below a picture's title: the correlation that it shows. */
static void picture_note(const study_page *g, int which, char *out, size_t size)
{
    /* Counted from 1; 0: the picture shows none. */
    static const int rank[STUDY_PICTURES] = {
        [STUDY_PANEL_TOP1] = 2,  [STUDY_TOP1_RANDOM] = 1,     [STUDY_TOP1_PRETRAINED] = 2,
        [STUDY_SIZE_RANDOM] = 3, [STUDY_SIZE_PRETRAINED] = 4, [STUDY_GAIN] = 5};
    char rho[TX_NUMBER], low[TX_NUMBER], high[TX_NUMBER];
    out[0] = 0;
    if (!rank[which] || isnan(g->t->rank[rank[which] - 1].rho.low))
        return;
    const study_rank *k = &g->t->rank[rank[which] - 1];
    snprintf(out, size, "Spearman's rho %s (95%% interval %s to %s)", html_number(rho, k->rho.rho, 2, 0),
             html_number(low, k->rho.low, 2, 0), html_number(high, k->rho.high, 2, 0));
}

static tx_status write_picture(tx_buffer *p, const study_page *g, int which)
{
    char note[160];
    picture_note(g, which, note, sizeof note);
    return study_panel(p, &g->r->table, (study_picture)which, note[0] ? note : NULL);
}

static void write_pictures(tx_buffer *p, const tx_buffer *picture, int from, int to)
{
    tx_buffer_append(p, "<div class=\"side\">\n");
    for (int i = from; i < to; i++)
        tx_buffer_append(p, picture[i].data);
    tx_buffer_append(p, "</div>\n");
}

/* The first complete job's notes of the splits. */
static tx_status read_splits(const study_page *g, splits *s)
{
    const study_data *d = g->r->data;
    size_t first = study_first(d);
    *s = (splits){0};
    return first < d->entries ? splits_read(s, d->entry[first].folder) : TX_OK;
}

static void write_beginning(tx_buffer *p, const study_page *g)
{
    report_begin(p, study_title);
    tx_buffer_append(
        p, "<p>Ke, Ellsworth, Banerjee, Ng and Rajpurkar (\"CheXtransfer\", CHIL 2021) asked whether networks that are "
           "better on ImageNet are better on chest radiographs, what pretraining and size are worth, and how much of "
           "a network can be cut away. Here the same comparison is made with networks trained from random and "
           "from pretrained weights, and with truncated ones.</p>\n");
    head(p, "What the figures show");
    study_findings(p, g->r, g->t);
    head(p, "What they cannot show");
    study_limits(p, g->r, g->t);
}

static void write_comparisons(tx_buffer *p, const study_page *g, const tx_buffer *picture)
{
    head(p, "Four panels");
    write_pictures(p, picture, STUDY_PANEL_TOP1, STUDY_TOP1_RANDOM);
    head(p, "All models");
    page_models(p, g);
    head(p, "ImageNet, size and AUC");
    write_pictures(p, picture, STUDY_TOP1_RANDOM, STUDY_GAIN);
    page_ranks(p, g);
    head(p, "Pretraining");
    write_pictures(p, picture, STUDY_GAIN, STUDY_TRADE);
    page_gains(p, g);
    if (g->t->leads) {
        head(p, "Ties with the best network");
        page_leads(p, g);
    }
    if (g->t->costs) {
        head(p, "Truncation");
        write_pictures(p, picture, STUDY_TRADE, STUDY_PICTURES);
        page_truncation(p, g);
    }
}

static void write_repeat(tx_buffer *p, const study_page *g)
{
    head(p, "To repeat it");
    tx_buffer_append(p, "<pre>");
    tx_buffer_html(p, g->repeat);
    tx_buffer_append(p, "</pre>\n");
    tx_buffer_add(
        p,
        "<p>Made by Thorax %s. The same data, options and seed give the same bytes on every machine. Every figure on "
        "this "
        "page can be computed again: AUCs from the jobs' ensemble-%s.csv and the labels; tables from results.csv and "
        "tests.csv, which lie beside it with the pictures. Where and how fast each job ran stands in its "
        "environment.txt.</p>\n",
        TX_VERSION, g->r->table.split);
}

static tx_status write_page(tx_buffer *p, const study_page *g, const tx_buffer *picture)
{
    splits s = {0};
    tx_status status = read_splits(g, &s);
    write_beginning(p, g);
    write_comparisons(p, g, picture);
    head(p, "Where the networks look");
    if (status == TX_OK)
        status = page_cams(p, g);
    head(p, "The best model");
    if (status == TX_OK)
        status = page_best(p, g);
    head(p, "The best model in parts of the data");
    if (status == TX_OK)
        status = page_groups(p, g);
    head(p, "Data");
    report_splits(p, &s);
    page_patients(p, g);
    report_source(p, &s);
    head(p, "Jobs");
    page_jobs(p, g);
    page_sources(p, g);
    head(p, "Settings");
    page_settings(p, g);
    head(p, "Digests");
    page_digests(p, g);
    write_repeat(p, g);
    report_end(p);
    splits_free(&s);
    return status ? status : p->status;
}

static tx_status write_panels(tx_buffer *picture, const char *out)
{
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < STUDY_PICTURES; i++) {
        char name[64];
        snprintf(name, sizeof name, "panel-%s.svg", study_picture_name((study_picture)i));
        status = study_file(&picture[i], out, name);
    }
    return status;
}

tx_status study_page_write(const study_page *g, const char *out)
{
    tx_buffer p = {0}, picture[STUDY_PICTURES] = {{0}};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < STUDY_PICTURES; i++)
        status = write_picture(&picture[i], g, i);
    if (status == TX_OK)
        status = write_page(&p, g, picture);
    if (status == TX_OK)
        status = study_file(&p, out, "report.html");
    if (status == TX_OK)
        status = write_panels(picture, out);
    for (int i = 0; i < STUDY_PICTURES; i++)
        tx_buffer_free(&picture[i]);
    tx_buffer_free(&p);
    return status;
}
