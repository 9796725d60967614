/* study_page_people.c - whom the splits of a study hold: age, sex, views, labels. */
#include "html.h"
#include "study_page.h"

#include <stdlib.h>
#include <string.h>

/* What a split holds: patients by sex and age as they first appear, images by view, studies by label. */
typedef struct census {
    size_t images, studies, patients, sex[SEXES], view[VIEWS], band[AGE_BANDS], aged;
    double quartile[3];
    size_t *positive; /* studies, a task */
} census;

static int by_size(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

/* Linear between neighbours. */
static double quantile(const int *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t k = (size_t)at;
    return k + 1 < n ? sorted[k] + (at - (double)k) * (sorted[k + 1] - sorted[k]) : sorted[k];
}

static tx_status count_people(census *c, const tx_dataset *d, const study_person *people)
{
    unsigned char *seen = tx_alloc(d->patients, 1);
    int *age = tx_alloc(d->patients, sizeof *age);
    for (size_t i = 0; seen && age && i < d->images; i++) {
        c->view[people[i].view]++;
        if (seen[d->patient[i]]++ == 0) {
            int band = study_age_band(people[i].age);
            c->sex[people[i].sex]++;
            if (band >= 0) {
                c->band[band]++;
                age[c->aged++] = people[i].age;
            }
        }
        seen[d->patient[i]] = 1;
    }
    if (age && c->aged) {
        qsort(age, c->aged, sizeof *age, by_size);
        for (int k = 0; k < 3; k++)
            c->quartile[k] = quantile(age, c->aged, 0.25 * (k + 1));
    }
    int there = seen && age;
    tx_free(seen);
    tx_free(age);
    return there ? TX_OK : TX_ERR_MEMORY;
}

static tx_status count_labels(census *c, const tx_dataset *d)
{
    size_t tasks = (size_t)d->tasks;
    unsigned char *positive = tx_alloc(d->studies, 1);
    c->positive = tx_alloc(tasks, sizeof *c->positive);
    int there = positive && c->positive;
    for (size_t k = 0; there && k < tasks; k++) {
        memset(positive, 0, d->studies);
        for (size_t i = 0; i < d->images; i++)
            if (d->label[i * tasks + k] == 1)
                positive[d->study[i]] = 1;
        for (size_t i = 0; i < d->studies; i++)
            c->positive[k] += positive[i];
    }
    tx_free(positive);
    return there ? TX_OK : TX_ERR_MEMORY;
}

typedef struct censuses {
    census of[SPLITS];
    int splits;
} censuses;

enum { SIZES, PATIENTS, IMAGES, STUDIES };

/* A row of counts, with shares of what the split has. */
static void write_row(tx_buffer *p, const censuses *c, const char *name, const size_t *const count[SPLITS], int of)
{
    html_row(p, NULL);
    html_text(p, name);
    for (int i = 0; i < c->splits; i++) {
        const census *s = &c->of[i];
        html_share(p, *count[i],
                   of == SIZES      ? 0
                   : of == PATIENTS ? s->patients
                   : of == IMAGES   ? s->images
                                    : s->studies);
    }
    html_row_end(p);
}

/* The same of a row that is zero everywhere: none. */
static void write_some(tx_buffer *p, const censuses *c, const char *what, const char *name,
                       const size_t *const count[SPLITS], int of)
{
    char text[96];
    size_t sum = 0;
    for (int i = 0; i < c->splits; i++)
        sum += *count[i];
    snprintf(text, sizeof text, "%s: %s", what, name);
    if (sum)
        write_row(p, c, text, count, of);
}

static void write_sizes(tx_buffer *p, const censuses *c)
{
    const size_t *count[3][SPLITS];
    static const char *const name[3] = {"patients", "studies", "images"};
    for (int i = 0; i < c->splits; i++) {
        count[0][i] = &c->of[i].patients;
        count[1][i] = &c->of[i].studies;
        count[2][i] = &c->of[i].images;
    }
    for (int k = 0; k < 3; k++)
        write_row(p, c, name[k], count[k], SIZES);
}

static void write_ages(tx_buffer *p, const censuses *c)
{
    char a[TX_NUMBER], b[TX_NUMBER], m[TX_NUMBER];
    html_row(p, NULL);
    html_text(p, "age: median (quartiles)");
    for (int i = 0; i < c->splits; i++) {
        const double *q = c->of[i].quartile;
        if (c->of[i].aged)
            tx_buffer_add(p, "<td>%s (%s to %s)</td>", html_number(m, q[1], 0, 0), html_number(a, q[0], 0, 0),
                          html_number(b, q[2], 0, 0));
        else
            tx_buffer_append(p, "<td>-</td>");
    }
    html_row_end(p);
}

/* The rows that have names in a list; from: what of a census they count. */
static void write_list(tx_buffer *p, const censuses *c, const char *what, const char *const *names, int count,
                       size_t from, int of)
{
    for (int k = 0; k < count; k++) {
        const size_t *at[SPLITS];
        for (int i = 0; i < c->splits; i++)
            at[i] = (const size_t *)((const char *)&c->of[i] + from) + k;
        write_some(p, c, what, names[k], at, of);
    }
}

static void write_people(tx_buffer *p, const study_page *g, const censuses *c)
{
    const char *heads[SPLITS + 2] = {"|", NULL};
    for (int i = 0; i < c->splits; i++)
        heads[i + 1] = split_name[i];
    heads[c->splits + 1] = NULL;
    html_table(p, "Patients, by their first image; images by view; studies with a positive label", heads);
    write_sizes(p, c);
    write_list(p, c, "sex", study_sex_name, SEXES, offsetof(census, sex), PATIENTS);
    write_ages(p, c);
    write_list(p, c, "age", study_age_name, AGE_BANDS, offsetof(census, band), PATIENTS);
    write_list(p, c, "view", study_view_name, VIEWS, offsetof(census, view), IMAGES);
    for (int k = 0; k < g->r->data->tasks; k++) {
        char text[96];
        const size_t *at[SPLITS];
        for (int i = 0; i < c->splits; i++)
            at[i] = &c->of[i].positive[k];
        snprintf(text, sizeof text, "positive: %.60s", g->r->data->task[k]);
        write_row(p, c, text, at, STUDIES);
    }
    html_table_end(p);
}

/* Cells as they stand in the tables. */
static void write_labels(tx_buffer *p, const study_page *g)
{
    static const char *const heads[] = {"|label", "|split", "positive", "negative", "uncertain (-1)", "blank", NULL};
    const study_data *d = g->r->data;
    html_table(p, "Labels as they stand in the tables, a cell an image", heads);
    for (int k = 0; k < d->tasks; k++)
        for (int i = 0; i < SPLITS && d->table[i]; i++) {
            const tx_label_counts *c = &d->table[i]->counts[k];
            html_row(p, i ? NULL : "first");
            html_text(p, i ? "" : d->task[k]);
            html_text(p, split_name[i]);
            html_count(p, c->positive);
            html_count(p, c->negative);
            html_count(p, c->uncertain);
            html_count(p, c->blank);
            html_row_end(p);
        }
    html_table_end(p);
}

void page_patients(tx_buffer *p, const study_page *g)
{
    const study_data *d = g->r->data;
    censuses c = {0};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < SPLITS && d->table[i]; i++) {
        census *s = &c.of[c.splits++];
        *s =
            (census){.images = d->table[i]->images, .studies = d->table[i]->studies, .patients = d->table[i]->patients};
        status = count_people(s, d->table[i], d->people[i]);
        if (status == TX_OK)
            status = count_labels(s, d->table[i]);
    }
    if (status == TX_OK) {
        write_people(p, g, &c);
        write_labels(p, g);
    } else if (!p->status) {
        p->status = status;
    }
    for (int i = 0; i < c.splits; i++)
        tx_free(c.of[i].positive);
}
