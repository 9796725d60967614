/* study_panels.c - the pictures of a study: which models are points of which, what they are called, what is missing. */
#include "study_panels.h"
#include "../nets/nets.h"
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
    snprintf(out, STUDY_NAME, cut ? "%s - %d" : "%s", name_of(net, 0), cut);
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
    int count, used[GROUPS];
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
    svg_key key[GROUPS];
    svg_point *point;
    char (*about)[ABOUT];
    char (*name)[16];
    size_t points, missing;
    tx_buffer absent, foot;
    double low, high; /* of AUC, of a pair of pictures */
} picture;

static tx_status begin(picture *p, const study_table *t, const char *notes)
{
    *p = (picture){.t = t, .notes = notes};
    known_groups(&p->groups, t);
    p->point = tx_alloc(t->models + 1, sizeof *p->point);
    p->about = tx_alloc(t->models + 1, sizeof *p->about);
    p->name = tx_alloc(t->models + 1, sizeof *p->name);
    return p->point && p->about && p->name ? TX_OK : TX_ERR_MEMORY;
}

static void end(picture *p)
{
    tx_free(p->point);
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
    p->groups.used[group] = 1;
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

static double millions(const study_model *m)
{
    return (double)m->parameters / 1e6;
}

/* Mean and deviation of what is defined; deviation NaN below two. */
static double deviation(const double *v, size_t n)
{
    double mean = 0, sum = 0;
    size_t defined = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            mean += v[i];
            defined++;
        }
    mean /= (double)(defined ? defined : 1);
    for (size_t i = 0; i < n; i++)
        sum += isfinite(v[i]) ? (v[i] - mean) * (v[i] - mean) : 0;
    return defined > 1 ? sqrt(sum / (double)(defined - 1)) : (double)NAN;
}

/* Of a - b in the same resamples. */
static tx_status difference_deviation(const study_table *t, const study_model *a, const study_model *b, double *sd)
{
    *sd = (double)NAN;
    if (!a->replicate || !b->replicate)
        return TX_OK;
    double *v = tx_alloc(t->replicates + 1, sizeof *v);
    if (!v)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < t->replicates; i++)
        v[i] = a->replicate[i] - b->replicate[i];
    *sd = deviation(v, t->replicates);
    tx_free(v);
    return TX_OK;
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

/* What is drawn, what is missing, what is to be known of the split. */
static void write_foot(picture *p, const char *what, int lines)
{
    tx_buffer_add(&p->foot, "%s %s. Bars: one standard deviation of the bootstrap.%s\n", what, p->t->split,
                  lines ? " Dashed: least squares." : "");
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
    for (int i = 0; i < p->groups.count; i++)
        if (p->groups.used[i])
            p->key[chart->keys++] = (svg_key){p->groups.name[i], i, p->points > 0 && p->point[0].hollow};
    chart->notes = p->notes;
    chart->foot = p->foot.data;
    chart->point = p->point;
    chart->points = p->points;
    chart->key = p->key;
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
            add(p, m, name_of(m->net, 1), x, m->auc, m->sd);
        else if (m->pretrained == pretrained || !study_find(p->t, m->net, 0, pretrained))
            lacks(p, m->net, 0);
    }
}

static const char auc_name[] = "mean AUC of the competition tasks";
static const char size_name[] = "million parameters (log scale)";
static const char top1_name[] = "ImageNet top-1 accuracy, %";

static tx_status draw_networks(tx_buffer *to, picture *p, const char *title, int pretrained, int top1, int paired)
{
    add_networks(p, pretrained, top1);
    write_foot(p, "Points: mean AUC of the competition tasks on", 1);
    return draw(to, p,
                &(svg_scatter_chart){.title = title,
                                     .x_name = top1 ? top1_name : size_name,
                                     .y_name = auc_name,
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
    write_foot(p, "Points: mean AUC of the competition tasks on", 0);
    return draw(to, p,
                &(svg_scatter_chart){.title = pretrained ? "AUC by family and size, with pretraining"
                                                         : "AUC by family and size, without pretraining",
                                     .x_name = size_name,
                                     .y_name = auc_name,
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
        add(p, m, name_of(m->net, 1), millions(m), m->auc - random->auc, sd);
    }
    write_foot(p, "Points: mean AUC with less mean AUC without pretraining on", 1);
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

/* A point of a truncated family: the share kept and AUC, or parameters and the difference to the full network. */
static tx_status add_cut(picture *p, const study_model *m, const study_model *full, int trade, int line)
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
    snprintf(name, sizeof name, "-%d", m->cut);
    add(p, m, m->cut ? name : name_of(m->net, 1), x, y, sd)->line = line;
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
            status = add_cut(p, m, full, trade, line);
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
                                              .y_name = trade ? "difference in mean AUC" : auc_name,
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

/* Mean over networks, and its deviation over the resamples. Returns how many there are. */
static size_t mean_of(picture *p, int group, int pretrained, double *replicate, double *mean, double *sd)
{
    size_t n = 0;
    int all = 1;
    *mean = 0;
    memset(replicate, 0, p->t->replicates * sizeof *replicate);
    for (size_t i = 0; i < p->t->models; i++) {
        const study_model *random = in_mean(p, &p->t->model[i], group), *m = pretrained ? &p->t->model[i] : random;
        if (!random)
            continue;
        n++;
        *mean += m->auc;
        all &= m->replicate != NULL;
        for (size_t k = 0; all && k < p->t->replicates; k++)
            replicate[k] += m->replicate[k];
    }
    *mean = n ? *mean / (double)n : (double)NAN;
    *sd = all && n ? deviation(replicate, p->t->replicates) / (double)n : (double)NAN;
    return n;
}

static tx_status draw_mean(tx_buffer *to, picture *p)
{
    svg_bar_row row[GROUPS + 1];
    char name[GROUPS + 1][GROUP + 32];
    size_t rows = 0;
    double *room = tx_alloc(p->t->replicates + 1, sizeof *room);
    if (!room)
        return TX_ERR_MEMORY;
    for (int g = -1; g < p->groups.count; g++) {
        svg_bar_row *r = &row[rows];
        size_t n = 0;
        for (int k = 0; k < 2; k++) {
            double sd;
            n = mean_of(p, g, k, room, &r->value[k], &sd);
            r->low[k] = r->value[k] - sd;
            r->high[k] = r->value[k] + sd;
        }
        snprintf(name[rows], sizeof name[0], g < 0 ? "all %s%zu" : "%s (%zu)", g < 0 ? "" : p->groups.name[g], n);
        r->name = name[rows];
        r->style = g < 0 ? 5 : g;
        rows += n > 0;
    }
    tx_free(room);
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
                                  .x_name = auc_name,
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
