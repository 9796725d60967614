/* study_panels.c - the pictures of a study: which models are points of which, what they are called, what is missing. */
#include "study_panels.h"
#include "../nets/nets.h"
#include "bootstrap.h"
#include "svg.h"

#include <math.h>
#include <string.h>

enum { ABOUT = 192, GROUP = 32, GROUPS = 24, LISTED = 8 };

/* --------------------------------------------------------------------------------------------- names */
static const struct {
    const char *net, *full, *brief;
} names[] = {
    {"densenet121", "DenseNet-121", "D121"},
    {"densenet169", "DenseNet-169", "D169"},
    {"densenet201", "DenseNet-201", "D201"},
    {"resnet18", "ResNet-18", "R18"},
    {"resnet34", "ResNet-34", "R34"},
    {"resnet50", "ResNet-50", "R50"},
    {"resnet101", "ResNet-101", "R101"},
    {"inception_v3", "Inception-v3", "Inc-v3"},
    {"inception_v4", "Inception-v4", "Inc-v4"},
    {"efficientnet_b0", "EfficientNet-B0", "B0"},
    {"efficientnet_b1", "EfficientNet-B1", "B1"},
    {"efficientnet_b2", "EfficientNet-B2", "B2"},
    {"efficientnet_b3", "EfficientNet-B3", "B3"},
    {"mnasnet1_0", "MNASNet-1.0", "MNAS"},
    {"mobilenet_v2", "MobileNetV2", "MobV2"},
    {"mobilenet_v3_large", "MobileNetV3-Large", "MobV3"},
    {"nasnet_a_mobile", "NASNet-A-Mobile", "NASNet"},
};

static const char *name_of(const char *net, int brief)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].net, net) == 0)
            return brief ? names[i].brief : names[i].full;
    return net;
}

const char *study_display_name(const char *net, int cut, char out[STUDY_NAME])
{
    snprintf(out, STUDY_NAME, cut ? "%s (-%d)" : "%s", name_of(net, 0), cut);
    return out;
}

static const char *const picture_names[STUDY_PICTURES] = {
    "top1",        "family",          "mean", "kept",  "top1-random", "top1-pretrained",
    "size-random", "size-pretrained", "gain", "trade",
};

const char *study_picture_name(study_picture which)
{
    return picture_names[which];
}

/* -------------------------------------------------------------------------------------------- groups
 * Families as the paper joins them: versions of one are one group. */
static void group_name(const char *family, char out[GROUP])
{
    size_t n = strlen(family), end = n;
    while (end > 0 && strchr("0123456789", family[end - 1]))
        end--;
    if (end == n || end == 0 || (family[end - 1] != 'v' && family[end - 1] != 'V'))
        end = n + 1;
    end--;
    end -= end > 0 && end < n && family[end - 1] == '-';
    snprintf(out, GROUP, "%.*s", (int)(end < GROUP ? end : GROUP - 1), family);
}

typedef struct groups {
    char name[GROUPS][GROUP];
    int count;
} groups;

/* Its number, the same in every picture; a new one for a family that is not in the registry. */
static int group_of(groups *g, const char *family)
{
    char name[GROUP];
    group_name(family, name);
    for (int i = 0; i < g->count; i++)
        if (strcmp(g->name[i], name) == 0)
            return i;
    if (g->count == GROUPS)
        return GROUPS - 1;
    memcpy(g->name[g->count], name, GROUP);
    return g->count++;
}

static void known_groups(groups *g, const study_table *t)
{
    memset(g, 0, sizeof *g);
    for (int i = 0; i < tx_nets(); i++)
        group_of(g, tx_net_at(i)->family);
    for (size_t i = 0; i < t->models; i++)
        group_of(g, t->model[i].family);
}

/* ---------------------------------------------------------------------------------------- a picture */
typedef struct picture {
    const study_table *t;
    const char *notes;
    groups groups;
    svg_key *key; /* by model; those of a picture are the first `keys` */
    svg_point *point;
    char (*about)[ABOUT];
    char (*name)[16];
    size_t points, keys, missing;
    tx_buffer absent, foot;
    double low, high; /* of AUC, of a pair of pictures */
} picture;

static tx_status begin(picture *p, const study_table *t, const char *notes)
{
    *p = (picture){.t = t, .notes = notes};
    known_groups(&p->groups, t);
    p->point = tx_alloc(t->models + 1, sizeof *p->point);
    p->key = tx_alloc(t->models + 1, sizeof *p->key);
    p->about = tx_alloc(t->models + 1, sizeof *p->about);
    p->name = tx_alloc(t->models + 1, sizeof *p->name);
    return p->point && p->key && p->about && p->name ? TX_OK : TX_ERR_MEMORY;
}

static void end(picture *p)
{
    tx_free(p->point);
    tx_free(p->key);
    tx_free(p->about);
    tx_free(p->name);
    tx_buffer_free(&p->absent);
    tx_buffer_free(&p->foot);
}

/* A model that the picture ought to show and cannot. */
static void lacks(picture *p, const char *net, int cut)
{
    char name[STUDY_NAME];
    if (p->missing++ < LISTED)
        tx_buffer_add(&p->absent, "%s%s", p->missing > 1 ? ", " : "", study_display_name(net, cut, name));
}

static svg_point *add(picture *p, const study_model *m, const char *name, double x, double y, double sd)
{
    char full[STUDY_NAME], a[TX_NUMBER], b[TX_NUMBER];
    svg_point *q = &p->point[p->points];
    int group = group_of(&p->groups, m->family);
    snprintf(p->name[p->points], sizeof p->name[0], "%s", name);
    snprintf(p->about[p->points], ABOUT, isfinite(sd) ? "%s: %s, sd %s" : "%s: %s",
             study_display_name(m->net, m->cut, full), tx_number_fixed(a, sizeof a, y, 4),
             tx_number_fixed(b, sizeof b, sd, 4));
    *q = (svg_point){.name = p->name[p->points],
                     .about = p->about[p->points],
                     .style = group,
                     .hollow = !m->pretrained,
                     .x = x,
                     .y = y,
                     .low = y - sd,
                     .high = y + sd};
    p->points++;
    return q;
}

/* An entry of the legend, which is in the order of styles; once a style. */
static void add_key(picture *p, const char *name, const svg_point *q)
{
    size_t at = 0;
    while (at < p->keys && p->key[at].style < q->style)
        at++;
    if (at < p->keys && p->key[at].style == q->style)
        return;
    memmove(&p->key[at + 1], &p->key[at], (p->keys - at) * sizeof *p->key);
    p->key[at] = (svg_key){name, q->style, q->hollow};
    p->keys++;
}

static void add_to_family(picture *p, const study_model *m, double x, double y, double sd)
{
    const svg_point *q = add(p, m, name_of(m->net, 1), x, y, sd);
    add_key(p, p->groups.name[q->style], q);
}

static double millions(const study_model *m)
{
    return (double)m->parameters / 1e6;
}

/* Of a - b in the same resamples; NaN without them. */
static tx_status difference_deviation(const study_table *t, const study_model *a, const study_model *b, double *sd)
{
    tx_bootstrap_difference d = {.interval = {.sd = (double)NAN}};
    tx_status status = TX_OK;
    if (a->replicate && b->replicate)
        status = tx_bootstrap_compare(a->replicate, b->replicate, t->replicates, &d);
    *sd = d.interval.sd;
    return status;
}

/* By group, then by parameters. */
static void sort_points(picture *p)
{
    for (size_t i = 1; i < p->points; i++)
        for (size_t k = i; k > 0; k--) {
            svg_point *a = &p->point[k - 1], *b = &p->point[k], swapped = *a;
            if (a->style < b->style || (a->style == b->style && a->x <= b->x))
                break;
            *a = *b;
            *b = swapped;
        }
}

static const char *auc_name(const study_table *t)
{
    return strcmp(t->mean, "mean5") == 0   ? "mean AUC of the competition tasks"
           : strcmp(t->mean, "mean6") == 0 ? "mean AUC of the study's six tasks"
                                           : "mean AUC of all tasks";
}

/* What is drawn, what is missing, what is to be known of the split. what: NULL for the models' AUCs. */
static void write_foot(picture *p, const char *what, int fitted)
{
    if (!what)
        tx_buffer_add(&p->foot, "Points: %s on", auc_name(p->t));
    tx_buffer_add(&p->foot, "%s %s. Bars: one standard deviation of the bootstrap.%s\n", what ? what : "", p->t->split,
                  fitted && p->points >= SVG_FITTED ? " Dashed: least squares." : "");
    if (p->missing) {
        tx_buffer_add(&p->foot, "Missing: %s", p->absent.data ? p->absent.data : "");
        if (p->missing > LISTED)
            tx_buffer_add(&p->foot, " and %zu more", p->missing - LISTED);
        tx_buffer_append(&p->foot, ".\n");
    }
    if (strcmp(p->t->split, "valid") == 0)
        tx_buffer_append(&p->foot, "The checkpoints were chosen on valid too, so its figures are too good.\n");
}

static tx_status draw(tx_buffer *to, picture *p, svg_scatter_chart *chart)
{
    chart->notes = p->notes;
    chart->foot = p->foot.data;
    chart->point = p->point;
    chart->points = p->points;
    chart->key = p->key;
    chart->keys = p->keys;
    return p->foot.status ? p->foot.status : svg_scatter(to, chart);
}

/* ---------------------------------------------------------------------- AUC against top-1 and parameters */
/* The range that both pictures of a pair have. */
static void widen(picture *p, const study_model *m)
{
    double sd = isfinite(m->sd) ? m->sd : 0;
    int first = p->low == 0 && p->high == 0;
    p->low = first || m->auc - sd < p->low ? m->auc - sd : p->low;
    p->high = first || m->auc + sd > p->high ? m->auc + sd : p->high;
}

static void add_networks(picture *p, int pretrained, int top1)
{
    for (size_t i = 0; i < p->t->models; i++) {
        const study_model *m = &p->t->model[i];
        double x = top1 ? m->top1 : millions(m);
        if (m->cut)
            continue;
        if (isfinite(m->auc) && isfinite(x))
            widen(p, m);
        if (m->pretrained == pretrained && isfinite(m->auc) && isfinite(x))
            add_to_family(p, m, x, m->auc, m->sd);
        else if (m->pretrained == pretrained || !study_find(p->t, m->net, 0, pretrained))
            lacks(p, m->net, 0);
    }
}

static const char size_name[] = "million parameters (log scale)";
static const char top1_name[] = "ImageNet top-1 accuracy, %";

static tx_status draw_networks(tx_buffer *to, picture *p, const char *title, int pretrained, int top1, int paired)
{
    add_networks(p, pretrained, top1);
    write_foot(p, NULL, 1);
    return draw(to, p,
                &(svg_scatter_chart){.title = title,
                                     .x_name = top1 ? top1_name : size_name,
                                     .y_name = auc_name(p->t),
                                     .log_x = !top1,
                                     .fitted = 1,
                                     .y_low = paired ? p->low : 0,
                                     .y_high = paired ? p->high : 0});
}

static tx_status draw_family(tx_buffer *to, picture *p)
{
    int pretrained = 1;
    for (size_t i = 0; i < p->t->models; i++)
        if (!p->t->model[i].pretrained && !p->t->model[i].cut && isfinite(p->t->model[i].auc))
            pretrained = 0;
    add_networks(p, pretrained, 0);
    sort_points(p);
    for (size_t i = 0; i < p->points; i++)
        p->point[i].line = p->point[i].style + 1;
    write_foot(p, NULL, 0);
    return draw(to, p,
                &(svg_scatter_chart){.title = pretrained ? "AUC by family and size, with pretraining"
                                                         : "AUC by family and size, without pretraining",
                                     .x_name = size_name,
                                     .y_name = auc_name(p->t),
                                     .log_x = 1});
}

static tx_status draw_gain(tx_buffer *to, picture *p)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < p->t->models; i++) {
        const study_model *m = &p->t->model[i], *random = study_find(p->t, m->net, 0, 0);
        double sd;
        if (m->cut || (!m->pretrained && study_find(p->t, m->net, 0, 1)))
            continue;
        if (!m->pretrained || !random || !isfinite(m->auc - random->auc)) {
            lacks(p, m->net, 0);
            continue;
        }
        status = difference_deviation(p->t, m, random, &sd);
        add_to_family(p, m, millions(m), m->auc - random->auc, sd);
    }
    write_foot(p, "Points: mean AUC with pretraining less that without, on", 1);
    return status ? status
                  : draw(to, p,
                         &(svg_scatter_chart){.title = "Gain by pretraining against size",
                                              .x_name = size_name,
                                              .y_name = "gain in mean AUC",
                                              .log_x = 1,
                                              .fitted = 1,
                                              .levelled = 1});
}

/* ------------------------------------------------------------------------------------------ truncation */
static int is_truncated(const study_table *t, const char *net)
{
    for (size_t i = 0; i < t->models; i++)
        if (t->model[i].cut && t->model[i].pretrained && strcmp(t->model[i].net, net) == 0)
            return 1;
    return 0;
}

/* Networks of one group differ in their markers. */
static int style_of_cuts(picture *p, const study_model *m)
{
    int style = group_of(&p->groups, m->family);
    for (size_t i = 0; i < p->t->models && strcmp(p->t->model[i].net, m->net) != 0; i++) {
        const study_model *o = &p->t->model[i];
        if (!o->cut && o->pretrained && is_truncated(p->t, o->net) &&
            group_of(&p->groups, o->family) == style % SVG_STYLES)
            style += SVG_STYLES;
    }
    return style;
}

/* A point of a truncated family: the share kept and AUC, or parameters and the difference to the full network. */
static tx_status add_cut(picture *p, const study_model *m, const study_model *full, int trade, int line, int style)
{
    char name[STUDY_NAME];
    double sd = m->sd, y = m->auc, x = 100 * (double)m->parameters / (double)full->parameters;
    tx_status status = TX_OK;
    if (trade) {
        status = difference_deviation(p->t, m, full, &sd);
        y = m->auc - full->auc;
        x = millions(m);
        sd = m->cut ? sd : (double)NAN;
    }
    if (m->cut)
        snprintf(name, sizeof name, "-%d", m->cut);
    else
        name[0] = 0;
    svg_point *q = add(p, m, name, x, y, sd);
    q->line = line;
    q->style = style;
    add_key(p, name_of(m->net, 0), q);
    return status;
}

static tx_status draw_cuts(tx_buffer *to, picture *p, int trade)
{
    tx_status status = TX_OK;
    const study_model *full = NULL;
    int line = 0;
    for (size_t i = 0; status == TX_OK && i < p->t->models; i++) {
        const study_model *m = &p->t->model[i];
        if (!m->pretrained || !is_truncated(p->t, m->net))
            continue;
        if (!full || strcmp(full->net, m->net) != 0) {
            full = study_find(p->t, m->net, 0, 1);
            line++;
        }
        if (full && isfinite(m->auc) && (!trade || isfinite(full->auc)))
            status = add_cut(p, m, full, trade, line, style_of_cuts(p, m));
        else
            lacks(p, m->net, m->cut);
    }
    write_foot(p, trade ? "Points: mean AUC less that of the full network, on" : "Points: mean AUC on", 0);
    tx_buffer_append(&p->foot, "-1, -2, -3: so many final blocks are cut. All with pretraining.\n");
    return status ? status
                  : draw(to, p,
                         &(svg_scatter_chart){.title = trade ? "What cutting final blocks costs"
                                                             : "AUC against parameters kept, truncated families",
                                              .x_name = trade ? size_name : "parameters kept, % (log scale)",
                                              .y_name = trade ? "difference in mean AUC" : auc_name(p->t),
                                              .log_x = 1,
                                              .levelled = trade});
}

/* --------------------------------------------------------------------------------------------- means */
/* Whether the model is one of a pair that counts; group -1: any. */
static const study_model *in_mean(picture *p, const study_model *m, int group)
{
    const study_model *random = study_find(p->t, m->net, 0, 0);
    int counts = m->pretrained && !m->cut && random && isfinite(m->auc) && isfinite(random->auc);
    return counts && (group < 0 || group_of(&p->groups, m->family) == group) ? random : NULL;
}

/* Room for the replicates of all models, and of their mean. */
typedef struct mean_room {
    const double **value;
    double *weight, *mean;
} mean_room;

/* A bar: the mean over networks, a deviation of that mean in the resamples to each side. Returns how many there are. */
static size_t mean_of(picture *p, const mean_room *room, int group, int pretrained, svg_bar_row *row)
{
    size_t n = 0, replicated = 0;
    double sum = 0;
    tx_interval interval = {.sd = (double)NAN};
    for (size_t i = 0; i < p->t->models; i++) {
        const study_model *random = in_mean(p, &p->t->model[i], group), *m = pretrained ? &p->t->model[i] : random;
        if (!random)
            continue;
        sum += m->auc;
        replicated += m->replicate != NULL;
        room->weight[n] = 1;
        room->value[n++] = m->replicate;
    }
    if (n && replicated == n) {
        tx_bootstrap_mean(room->value, room->weight, n, p->t->replicates, room->mean);
        p->foot.status = tx_bootstrap_interval(room->mean, p->t->replicates, &interval);
    }
    row->value[pretrained] = n ? sum / (double)n : (double)NAN;
    row->low[pretrained] = row->value[pretrained] - interval.sd;
    row->high[pretrained] = row->value[pretrained] + interval.sd;
    return n;
}

static size_t fill_rows(picture *p, const mean_room *room, svg_bar_row row[GROUPS + 1], char name[][GROUP + 32])
{
    size_t rows = 0;
    for (int g = -1; g < p->groups.count && !p->foot.status; g++) {
        svg_bar_row *r = &row[rows];
        size_t n = mean_of(p, room, g, 0, r);
        mean_of(p, room, g, 1, r);
        snprintf(name[rows], GROUP + 32, "%s (%zu)", g < 0 ? "all networks" : p->groups.name[g], n);
        r->name = name[rows];
        r->style = g;
        rows += n > 0;
    }
    return rows;
}

static tx_status draw_mean(tx_buffer *to, picture *p)
{
    svg_bar_row row[GROUPS + 1];
    char name[GROUPS + 1][GROUP + 32];
    mean_room room = {.value = tx_alloc(p->t->models, sizeof *room.value),
                      .weight = tx_alloc(p->t->models, sizeof *room.weight),
                      .mean = tx_alloc(p->t->replicates, sizeof *room.mean)};
    size_t rows = 0;
    if (room.value && room.weight && room.mean)
        rows = fill_rows(p, &room, row, name);
    else
        p->foot.status = TX_ERR_MEMORY;
    tx_free(room.value);
    tx_free(room.weight);
    tx_free(room.mean);
    for (size_t i = 0; i < p->t->models; i++) {
        const study_model *m = &p->t->model[i];
        int second = !m->pretrained && study_find(p->t, m->net, 0, 1);
        if (!m->cut && !second && !in_mean(p, m, -1))
            lacks(p, m->net, 0);
    }
    write_foot(p, "Networks that have both, on", 0);
    if (p->foot.status)
        return p->foot.status;
    svg_bars(to, &(svg_bar_chart){.title = "Mean AUC with and without pretraining",
                                  .x_name = auc_name(p->t),
                                  .notes = p->notes,
                                  .foot = p->foot.data,
                                  .series = {"without pretraining", "with pretraining"},
                                  .base = 0.5,
                                  .decimals = 3,
                                  .row = row,
                                  .rows = rows});
    return to->status;
}

static tx_status draw_picture(tx_buffer *to, picture *p, study_picture which)
{
    switch (which) {
    case STUDY_PANEL_TOP1:
        return draw_networks(to, p, "AUC of pretrained networks against ImageNet top-1", 1, 1, 0);
    case STUDY_PANEL_FAMILY:
        return draw_family(to, p);
    case STUDY_PANEL_MEAN:
        return draw_mean(to, p);
    case STUDY_PANEL_KEPT:
        return draw_cuts(to, p, 0);
    case STUDY_TOP1_RANDOM:
        return draw_networks(to, p, "AUC against ImageNet top-1, without pretraining", 0, 1, 1);
    case STUDY_TOP1_PRETRAINED:
        return draw_networks(to, p, "AUC against ImageNet top-1, with pretraining", 1, 1, 1);
    case STUDY_SIZE_RANDOM:
        return draw_networks(to, p, "AUC against size, without pretraining", 0, 0, 1);
    case STUDY_SIZE_PRETRAINED:
        return draw_networks(to, p, "AUC against size, with pretraining", 1, 0, 1);
    case STUDY_GAIN:
        return draw_gain(to, p);
    default:
        return draw_cuts(to, p, 1);
    }
}

tx_status study_panel(tx_buffer *to, const study_table *t, study_picture which, const char *notes)
{
    picture p;
    tx_status status = begin(&p, t, notes);
    if (status == TX_OK)
        status = draw_picture(to, &p, which);
    end(&p);
    if (status && !to->status)
        to->status = status;
    return to->status;
}
