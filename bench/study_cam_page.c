/* study_cam_page.c - what a study's page says of class activation maps, and its pictures of them. */
#include "study_cam_page.h"
#include "html.h"
#include "study_panels.h"
#include "words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- models */
static int same_model(const study_cam_model *m, const study_cam_job *j)
{
    return strcmp(m->net, j->net) == 0 && m->cut == j->cut && m->pretrained == j->pretrained;
}

static study_cam_model *model_of(study_cam_models *m, const study_cam_job *j, size_t jobs)
{
    for (size_t i = 0; i < m->models; i++)
        if (same_model(&m->model[i], j))
            return &m->model[i];
    study_cam_model *to = &m->model[m->models++];
    *to = (study_cam_model){.net = j->net, .cut = j->cut, .pretrained = j->pretrained};
    to->seed = tx_alloc(jobs, sizeof *to->seed);
    return to->seed ? to : NULL;
}

tx_status study_cam_gather(study_cam_models *m, const study_cam_job *job, size_t jobs, const study_cam_resampling *how)
{
    *m = (study_cam_models){.how = *how};
    m->model = tx_alloc(jobs, sizeof *m->model);
    tx_status status = m->model ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < jobs; i++) {
        study_cam_model *to = model_of(m, &job[i], jobs);
        if (!to)
            return TX_ERR_MEMORY;
        study_cam *c = &to->seed[to->seeds++];
        status = study_cam_read(c, job[i].folder);
        m->known |= c->known;
        to->folder = to->folder || !c->known ? to->folder : job[i].folder;
    }
    for (size_t i = 0; status == TX_OK && i < m->models; i++)
        status = study_cam_sum(m->model[i].seed, m->model[i].seeds, how, &m->model[i].scores);
    return status;
}

void study_cam_models_free(study_cam_models *m)
{
    for (size_t i = 0; i < m->models; i++) {
        for (size_t s = 0; s < m->model[i].seeds; s++)
            study_cam_free(&m->model[i].seed[s]);
        tx_free(m->model[i].seed);
    }
    tx_free(m->model);
    memset(m, 0, sizeof *m);
}

const study_cam_model *study_cam_find(const study_cam_models *m, const char *net, int cut, int pretrained)
{
    const study_cam_job j = {net, cut, pretrained, NULL};
    for (size_t i = 0; i < m->models; i++)
        if (same_model(&m->model[i], &j))
            return m->model[i].folder ? &m->model[i] : NULL;
    return NULL;
}

/* --------------------------------------------------------------------------------------- tables */
static void add_estimate(tx_buffer *p, double value, const tx_interval *of, int sign)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, "<td>%s", html_number(number, value, 2, sign));
    if (of->low < of->high) {
        tx_buffer_append(p, " (");
        html_interval(p, of->low, of->high, 2);
        tx_buffer_append(p, ")");
    }
    tx_buffer_append(p, "</td>");
}

static void add_name(tx_buffer *p, const char *net, int cut)
{
    char name[STUDY_NAME];
    tx_buffer_add(p, "<td class=\"name\">%s</td>", study_display_name(net, cut, name));
}

static void add_sides(tx_buffer *p, const study_cam_scores *s)
{
    tx_buffer_add(p, "<td>%d &times; %d</td>", s->rows, s->columns);
}

static size_t empties(const study_cam_scores *s)
{
    size_t sum = 0;
    for (int k = 0; k < CAM_REASONS; k++)
        sum += s->empty[k];
    return sum;
}

/* Whether no map of a model hits a box. */
static int misses(const study_cam_scores *s)
{
    return s->maps && s->value[CAM_HIT] == 0;
}

/* A model that has something scored. */
static int is_scored(const study_cam_model *m)
{
    return m->folder && m->scores.maps;
}

static void note_empty(tx_buffer *p, const study_cam_models *m)
{
    size_t count[CAM_REASONS] = {0}, all = 0, unmade = 0;
    for (size_t i = 0; i < m->models; i++) {
        for (int k = 0; k < CAM_REASONS; k++)
            count[k] += m->model[i].scores.empty[k];
        all += empties(&m->model[i].scores);
        unmade = m->model[i].scores.unmade > unmade ? m->model[i].scores.unmade : unmade;
    }
    tx_buffer_add(p, "%zu map%s empty", all, all == 1 ? " is" : "s are");
    for (int k = 0, first = 1; k < CAM_REASONS; k++)
        if (count[k]) {
            tx_buffer_add(p, "%s%zu %s", first ? ": " : ", ", count[k], study_cam_reason[k]);
            first = 0;
        }
    tx_buffer_append(p, all ? ". The weighted sums of features have no value above 0 there, so nothing in the image "
                              "speaks for the finding; such a map counts as 0 in every figure."
                            : ".");
    if (unmade)
        tx_buffer_add(p, " %zu further finding%s with boxes %s no task of the models, or %s image is missing.", unmade,
                      html_many(unmade), unmade == 1 ? "is" : "are", unmade == 1 ? "its" : "their");
}

/* Where all maps miss, resamples cannot differ. By the rule of three the rate may be up to 3 / n. */
static void note_misses(tx_buffer *p, const study_cam_models *m)
{
    char most[TX_NUMBER];
    size_t fewest = 0;
    for (size_t i = 0; i < m->models; i++) {
        const study_cam_scores *s = &m->model[i].scores;
        if (misses(s) && (!fewest || s->patients < fewest))
            fewest = s->patients;
    }
    if (fewest)
        tx_buffer_add(p,
                      " Where all maps agree no interval is given, as resamples cannot differ: that none of %zu "
                      "patients has a hit leaves a rate of up to about %s open.",
                      fewest, html_number(most, fewest > 3 ? 3 / (double)fewest : 1, 2, 0));
}

/* Over what the figures are, and what they are. */
static void note_figures(tx_buffer *p, const study_cam_models *m, const study_cam_scores *s)
{
    char area[TX_NUMBER];
    tx_buffer_add(p,
                  "<p class=\"notes\">Over %zu image%s of %zu patient%s outside train (%zu map%s a model and seed, one "
                  "a finding with radiologists' boxes); 95%% intervals by %zu bootstrap resamples of %s. Hit rate: how "
                  "often a map's largest value lies in a box. IoU: of the boxes and the pixels of at least half the "
                  "largest value. Energy inside: the share of positive values within the boxes. The boxes cover ",
                  s->images, html_many(s->images), s->patients, html_many(s->patients), s->maps, html_many(s->maps),
                  m->how.replicates, m->how.by_patient ? "patients" : "images");
    tx_buffer_append(p, html_number(area, s->area, 2, 0));
    tx_buffer_append(p, " of an image on average: that is what a point at random hits, and what a map that is the same "
                        "everywhere has in all three. ");
    note_empty(p, m);
    note_misses(p, m);
    tx_buffer_append(p, "</p>\n");
}

tx_status study_cam_table(tx_buffer *p, const study_cam_models *m)
{
    const char *const heads[] = {
        "|network",          "|weights",          "map", "images", "empty", study_cam_figure[0],
        study_cam_figure[1], study_cam_figure[2], NULL};
    const study_cam_scores *any = NULL;
    for (size_t i = 0; i < m->models; i++) {
        const study_cam_model *of = &m->model[i];
        if (!is_scored(of))
            continue;
        if (!any)
            html_table(p, "Class activation maps beside radiologists' boxes", heads);
        any = &of->scores;
        html_row(p, NULL);
        add_name(p, of->net, of->cut);
        html_text(p, of->pretrained ? "pretrained" : "random");
        add_sides(p, any);
        html_count(p, any->images);
        html_count(p, empties(any));
        for (int k = 0; k < CAM_FIGURES; k++)
            add_estimate(p, any->value[k], &any->interval[k], 0);
        html_row_end(p);
    }
    if (any) {
        html_table_end(p);
        note_figures(p, m, any);
    }
    return p->status;
}

/* ------------------------------------------------------------------------------------- families */
/* Truncated less full networks. */
typedef struct pair {
    const study_cam_model *full, *cut; /* NULL: all families together */
    study_cam_difference of;
} pair;

typedef struct pairs {
    pair *pair;
    size_t count;
    double *p, *adjusted; /* CAM_FIGURES each */
} pairs;

/* Copies of the jobs of all cut networks, or of the full ones of their families; what they hold is not theirs. */
static size_t join_jobs(const pairs *all, int full, study_cam *to)
{
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        const study_cam_model *m = full ? all->pair[i].full : all->pair[i].cut;
        if (full && i > 0 && all->pair[i - 1].full == m)
            continue;
        for (size_t s = 0; s < m->seeds; s++)
            to[n++] = m->seed[s];
    }
    return n;
}

/* The mean of all cut networks less that of the full ones. */
static tx_status compare_all(const study_cam_models *m, pairs *all)
{
    size_t most = 0;
    for (size_t i = 0; i < m->models; i++)
        most += m->model[i].seeds;
    study_cam *full = tx_alloc(most, sizeof *full), *cut = tx_alloc(most, sizeof *cut);
    tx_status status = full && cut ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK) {
        size_t fulls = join_jobs(all, 1, full), cuts = join_jobs(all, 0, cut);
        all->pair[all->count] = (pair){.full = NULL};
        status = study_cam_compare(full, fulls, cut, cuts, &m->how, &all->pair[all->count].of);
    }
    tx_free(full);
    tx_free(cut);
    return status;
}

static tx_status compare_each(const study_cam_models *m, pairs *all)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < m->models; i++) {
        const study_cam_model *cut = &m->model[i],
                              *full = cut->cut ? study_cam_find(m, cut->net, 0, cut->pretrained) : NULL;
        if (!full || !is_scored(full) || !is_scored(cut))
            continue;
        pair *to = &all->pair[all->count];
        *to = (pair){.full = full, .cut = cut};
        status = study_cam_compare(full->seed, full->seeds, cut->seed, cut->seeds, &m->how, &to->of);
        all->count += to->of.maps > 0;
    }
    return status;
}

/* Holm's correction over all families and figures. */
static tx_status correct(pairs *all)
{
    size_t n = all->count * CAM_FIGURES;
    all->p = tx_alloc(n, sizeof *all->p);
    all->adjusted = tx_alloc(n, sizeof *all->adjusted);
    if (!all->p || !all->adjusted)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        all->p[i] = all->pair[i / CAM_FIGURES].of.of[i % CAM_FIGURES].p;
    tx_holm(all->p, n, all->adjusted);
    return TX_OK;
}

static void add_pair(tx_buffer *p, const pair *of)
{
    html_row(p, NULL);
    if (of->cut) {
        add_name(p, of->cut->net, of->cut->cut);
        add_sides(p, &of->full->scores);
        add_sides(p, &of->cut->scores);
    } else {
        html_text(p, "all together");
        tx_buffer_append(p, "<td></td><td></td>");
    }
    html_count(p, of->of.images);
    for (int k = 0; k < CAM_FIGURES; k++)
        add_estimate(p, of->of.value[k], &of->of.of[k].interval, 1);
    html_row_end(p);
}

/* How many differences are resolved. */
static void say_resolved(tx_buffer *p, const pairs *all)
{
    size_t n = all->count * CAM_FIGURES, above = 0, below = 0, adjusted = 0;
    for (size_t i = 0; i < n; i++) {
        const tx_interval *of = &all->pair[i / CAM_FIGURES].of.of[i % CAM_FIGURES].interval;
        above += of->low > 0;
        below += of->high < 0;
        adjusted += all->adjusted[i] < 0.05;
    }
    tx_buffer_add(p,
                  "<p>Of %zu differences (%zu truncated network%s, three figures each) %zu %s an interval above 0 and "
                  "%zu one below; with Holm's correction for so many comparisons %zu %s p below 0.05.",
                  n, all->count, html_many(all->count), above, above == 1 ? "has" : "have", below, adjusted,
                  adjusted == 1 ? "has" : "have");
}

/* The mean over the families. */
static void say_together(tx_buffer *p, const study_cam_difference *d)
{
    char number[TX_NUMBER];
    tx_buffer_add(p, " All truncated networks together, on %zu image%s:", d->images, html_many(d->images));
    for (int k = 0; k < CAM_FIGURES; k++) {
        const tx_interval *of = &d->of[k].interval;
        tx_buffer_add(p, "%s %s %s", k ? ";" : "", study_cam_figure[k], html_number(number, d->value[k], 2, 1));
        tx_buffer_append(p, of->low > 0    ? " (higher)"
                            : of->high < 0 ? " (lower)"
                                           : " (not resolved: the interval reaches 0)");
    }
    tx_buffer_append(p, ".</p>\n");
}

static tx_status write_families(tx_buffer *p, const pairs *all)
{
    const char *const heads[] = {"|network and blocks cut", "full map",          "its map",           "images",
                                 study_cam_figure[0],       study_cam_figure[1], study_cam_figure[2], NULL};
    html_table(p, "Maps of truncated networks less those of the full ones, on the same images", heads);
    for (size_t i = 0; i <= all->count; i++)
        add_pair(p, &all->pair[i]);
    html_table_end(p);
    say_resolved(p, all);
    say_together(p, &all->pair[all->count].of);
    return p->status;
}

tx_status study_cam_families(tx_buffer *p, const study_cam_models *m)
{
    pairs all = {.pair = tx_alloc(m->models + 1, sizeof *all.pair)};
    tx_status status = all.pair ? compare_each(m, &all) : TX_ERR_MEMORY;
    if (status == TX_OK && all.count) {
        status = compare_all(m, &all);
        if (status == TX_OK)
            status = correct(&all);
        if (status == TX_OK)
            status = write_families(p, &all);
    }
    tx_free(all.pair);
    tx_free(all.p);
    tx_free(all.adjusted);
    return status;
}

/* ------------------------------------------------------------------------------------- pictures */
enum { MOST_PICTURE = 1 << 20, AROUND = 256 }; /* AROUND: bytes of what is said of all examples, charged with each */

/* A file of cam/; *bytes is the caller's, and NULL if it is not there. */
static tx_status read_picture(const char *folder, const char *name, unsigned char **bytes, size_t *size)
{
    *bytes = NULL;
    char *cam = tx_path_join(folder, "cam"), *path = cam ? tx_path_join(cam, name) : NULL;
    tx_status status = !path                  ? TX_ERR_MEMORY
                       : tx_path_exists(path) ? tx_file_read(path, MOST_PICTURE, bytes, size)
                                              : TX_OK;
    tx_free(cam);
    tx_free(path);
    return status;
}

static const study_cam_row *row_of(const study_cam_model *m, const study_cam_row *like)
{
    for (size_t s = 0; s < m->seeds; s++)
        for (size_t i = 0; m->seed[s].known && i < m->seed[s].rows; i++) {
            const study_cam_row *r = &m->seed[s].row[i];
            if (strcmp(r->path, like->path) == 0 && strcmp(r->finding, like->finding) == 0)
                return *r->overlay ? r : NULL;
        }
    return NULL;
}

/* A picture and the words below it. */
static tx_status add_picture(tx_buffer *p, const char *folder, const char *name, const tx_buffer *words)
{
    unsigned char *bytes;
    size_t size;
    tx_status status = read_picture(folder, name, &bytes, &size);
    if (status || !bytes)
        return status;
    tx_buffer_append(p, "<figure style=\"margin:0;width:160px;break-inside:avoid\"><img alt=\"");
    tx_buffer_append(p, words->data ? words->data : "");
    tx_buffer_append(p, "\" style=\"max-width:100%;height:auto;display:block\" src=\"data:image/png;base64,");
    tx_buffer_base64(p, bytes, size);
    tx_buffer_append(p, "\"><figcaption style=\"font-size:.8em\">");
    tx_buffer_append(p, words->data ? words->data : "");
    tx_buffer_append(p, "</figcaption></figure>\n");
    tx_free(bytes);
    return words->status ? words->status : p->status;
}

static void describe_map(tx_buffer *w, const study_cam_model *m, const study_cam_row *r)
{
    char name[STUDY_NAME], number[TX_NUMBER];
    tx_buffer_html(w, study_display_name(m->net, m->cut, name));
    tx_buffer_add(w, "%s, %d &times; %d, probability %s", m->pretrained ? "" : " (random)", r->rows, r->columns,
                  html_number(number, r->probability, 2, 0));
    if (r->empty) {
        tx_buffer_append(w, ", empty: ");
        tx_buffer_html(w, r->why);
    } else if (!isnan(r->hit)) {
        tx_buffer_add(w, ", %s, IoU %s", r->hit > 0 ? "hit" : "no hit", html_number(number, r->iou, 2, 0));
    }
}

static tx_status add_example(tx_buffer *p, const study_cam_model *const *model, size_t models, const study_cam_row *r)
{
    tx_buffer words = {0};
    char *radiograph = study_cam_radiograph(r->overlay);
    tx_status status = radiograph ? TX_OK : TX_ERR_MEMORY;
    tx_buffer_html(&words, r->finding);
    tx_buffer_add(&words, " (%s)%s", strcmp(r->split, "none") ? r->split : "in no split",
                  r->boxes ? ", outlined by a radiologist" : "");
    tx_buffer_append(p, "<div class=\"side\" style=\"gap:.6em\">\n");
    if (status == TX_OK)
        status = add_picture(p, model[0]->folder, radiograph, &words);
    for (size_t i = 0; status == TX_OK && i < models; i++) {
        const study_cam_row *of = row_of(model[i], r);
        tx_buffer_free(&words);
        if (!of)
            continue;
        describe_map(&words, model[i], of);
        status = add_picture(p, model[i]->folder, of->overlay, &words);
    }
    tx_buffer_append(p, "</div>\n");
    tx_buffer_free(&words);
    tx_free(radiograph);
    return status;
}

tx_status study_cam_panel(tx_buffer *p, const study_cam_model *const *model, size_t models, size_t at_most,
                          size_t *room)
{
    size_t shown = 0, left_out = 0;
    tx_status status = TX_OK;
    const study_cam *first = NULL;
    for (size_t s = 0; models && !first && s < model[0]->seeds; s++)
        first = model[0]->seed[s].known ? &model[0]->seed[s] : NULL;
    for (size_t i = 0; first && status == TX_OK && i < first->rows; i++) {
        const study_cam_row *r = &first->row[i];
        if (!*r->overlay || (at_most && shown + left_out == at_most))
            continue;
        tx_buffer example = {0};
        status = add_example(&example, model, models, r);
        size_t bytes = example.length + AROUND;
        if (status == TX_OK && bytes > *room) {
            left_out++;
        } else if (status == TX_OK) {
            tx_buffer_append(p, example.data);
            *room -= bytes;
            shown++;
        }
        tx_buffer_free(&example);
    }
    if (status == TX_OK && left_out)
        tx_buffer_add(p,
                      "<p class=\"notes\">%zu further example%s not shown, to keep this page small: the jobs' folders "
                      "hold them in cam/.</p>\n",
                      left_out, left_out == 1 ? " is" : "s are");
    return status ? status : p->status;
}
