/* study_page_jobs.c - a study's jobs: which are missing, their options, initial weights and digests. */
#include "html.h"
#include "study_page.h"

#include <string.h>

void page_jobs(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|job", "|state", "|why", NULL};
    static const char *const state[] = {"missing", "complete", "failed", "does not fit"};
    const study_data *d = g->r->data;
    tx_buffer_add(p, "<p>%zu of %zu jobs are complete%s</p>\n", d->complete, d->entries,
                  d->complete < d->entries ? "; figures are without these:" : ".");
    if (d->complete == d->entries)
        return;
    html_table(p, NULL, heads);
    for (size_t i = 0; i < d->entries; i++) {
        const study_entry *e = &d->entry[i];
        if (e->state == ENTRY_COMPLETE)
            continue;
        html_row(p, NULL);
        html_text(p, e->name);
        html_text(p, state[e->state]);
        html_text(p, e->why ? e->why : "");
        html_row_end(p);
    }
    html_table_end(p);
}

/* Networks for which an option is another than for most: those that the preset names one by one. */
static void write_exceptions(tx_buffer *p, const settings *shared)
{
    int any = 0;
    for (size_t i = 0; i < shared->count; i++) {
        const char *key = shared->pair[i].key, *dot = strchr(key, '.');
        if (!dot || strncmp(key, "bn-momentum.", 12))
            continue;
        tx_buffer_append(p, any++ ? ", " : "<p>Batch norm's momentum is another than the published network's for ");
        tx_buffer_html(p, dot + 1);
        tx_buffer_append(p, " (");
        tx_buffer_html(p, shared->pair[i].value);
        tx_buffer_append(p, ")");
    }
    if (any)
        tx_buffer_append(
            p,
            ": their own (0.0003 of MNASNet, 0.01 of MobileNetV3) averages over thousands of steps, and after a short "
            "run evaluation would use statistics of the weights that there were at the beginning.</p>\n");
}

void page_settings(tx_buffer *p, const study_page *g)
{
    const char *normalize = settings_get(g->shared, "normalize");
    tx_buffer_append(p, "<p>");
    if (normalize && *normalize) {
        tx_buffer_append(p, "All networks see pixels normalised by ");
        tx_buffer_html(p, normalize);
    } else {
        tx_buffer_append(p, "Networks from random weights see pixels normalised by CheXpert's mean and deviation, "
                            "pretrained ones as their weights expect");
    }
    tx_buffer_append(
        p, ". Every job's checkpoints are evaluated on valid, the best are kept, and the mean of "
           "their probabilities is what is scored; a study's score is the maximum over its images, and it is positive "
           "if one of them is.</p>\n");
    write_exceptions(p, g->shared);
    tx_buffer_append(p, "<pre>");
    for (size_t i = 0; i < g->shared->count; i++) {
        tx_buffer_html(p, g->shared->pair[i].key);
        tx_buffer_append(p, " = ");
        tx_buffer_html(p, g->shared->pair[i].value);
        tx_buffer_append(p, "\n");
    }
    tx_buffer_append(p, "</pre>\n");
}

static const char *note_of(const study_entry *e, const char *key)
{
    const char *value = settings_get(&e->note, key);
    return value ? value : "";
}

/* Whether an earlier job began with the same file. */
static int is_told(const study_data *d, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (d->entry[i].state == ENTRY_COMPLETE && d->entry[i].net == d->entry[index].net &&
            strcmp(note_of(&d->entry[i], "source.sha256"), note_of(&d->entry[index], "source.sha256")) == 0)
            return 1;
    return 0;
}

void page_sources(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|network", "|source", "|file", "|SHA-256", NULL};
    const study_data *d = g->r->data;
    html_table(p, "What the pretrained weights are", heads);
    for (size_t i = 0; i < d->entries; i++) {
        const study_entry *e = &d->entry[i];
        if (e->state != ENTRY_COMPLETE || !e->pretrained || is_told(d, i))
            continue;
        const char *what = note_of(e, "source.what");
        html_row(p, NULL);
        html_text(p, e->net->name);
        html_text(p, *what ? what : note_of(e, "source"));
        html_text(p, note_of(e, "source.file"));
        tx_buffer_append(p, "<td class=\"digest\">");
        tx_buffer_html(p, note_of(e, "source.sha256"));
        tx_buffer_append(p, "</td>");
        html_row_end(p);
    }
    html_table_end(p);
    tx_buffer_append(
        p,
        "<p>Random weights are each network's published initialisation, drawn from the job's seed. A truncated network "
        "begins with the same file as the whole one, less the blocks that are cut; the last layer of all is "
        "drawn anew.</p>\n");
}

void page_digests(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|job", "|digest", NULL};
    const study_data *d = g->r->data;
    tx_buffer_append(
        p, "<p>The last word of each job's digests.txt: it depends on the weights at every evaluation, and is the same "
           "on every machine, with any number of threads.</p>\n");
    html_table(p, NULL, heads);
    for (size_t i = 0; i < d->entries; i++) {
        const study_entry *e = &d->entry[i];
        if (e->state != ENTRY_COMPLETE)
            continue;
        html_row(p, NULL);
        html_text(p, e->name);
        tx_buffer_add(p, "<td class=\"digest\">%s</td>", e->chain);
        html_row_end(p);
    }
    html_table_end(p);
}
