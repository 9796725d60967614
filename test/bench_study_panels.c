/* bench_study_panels.c - a study's pictures: of a whole grid, half of it, one network, equal AUCs and nothing; which models are
 * points, where they stand, what is said to be missing; the same bytes on every machine. */
#include "../bench/study_panels.h"
#include "../nets/nets.h"
#include "svg_check.h"

#include <math.h>

enum { REPLICATES = 50, MODELS = 80 };

static study_model models[MODELS];
static double replicates[MODELS][REPLICATES];
static svg_seen seen;

static uint64_t state;
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void add(study_table *t, const tx_net_info *net, int cut, int pretrained, double auc)
{
    study_model *m = &t->model[t->models];
    double *r = replicates[t->models++];
    *m = (study_model){.net = net->name,
                       .family = net->family,
                       .cut = cut,
                       .pretrained = pretrained,
                       .seeds = 1,
                       .parameters = (size_t)(45e6 * (1 - 0.3 * cut) * (0.05 + 0.95 * uniform())),
                       .top1 = net->top1,
                       .auc = auc,
                       .low = auc - 0.02,
                       .high = auc + 0.02,
                       .sd = 0.01,
                       .replicate = r};
    for (int i = 0; i < REPLICATES; i++)
        r[i] = auc + 0.04 * (uniform() - 0.5);
}

/* 34 full models and 15 with blocks cut. */
static study_table whole(void)
{
    static const char *const cuts[] = {"densenet121", "resnet18", "efficientnet_b0", "mnasnet1_0", "nasnet_a_mobile"};
    study_table t = {models, 0, REPLICATES, "mean5", "test"};
    state = 5;
    for (int i = 0; i < tx_nets(); i++) {
        const tx_net_info *net = tx_net_at(i);
        add(&t, net, 0, 0, 0.80 + 0.05 * uniform());
        add(&t, net, 0, 1, 0.85 + 0.02 * uniform());
        for (int k = 0; k < 5; k++)
            for (int cut = 1; cut <= 3 && strcmp(cuts[k], net->name) == 0; cut++)
                add(&t, net, cut, 1, 0.86 - 0.02 * cut + 0.01 * uniform());
    }
    return t;
}

static int count(const char *text, const char *mark)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, mark)); p++)
        n++;
    return n;
}

static void draw(tx_buffer *b, const study_table *t, int which, const char *what)
{
    char name[128];
    snprintf(name, sizeof name, "%s of %s", study_picture_name((study_picture)which), what);
    CHECK(study_panel(b, t, (study_picture)which, "Spearman's rho 0.06\nover resamples <-0.3> to 0.4") == TX_OK,
          "%s: %s", name, tx_error_message());
    check_svg(b->data, name, &seen);
    CHECK(svg_says(&seen, "Spearman's rho 0.06") && svg_says(&seen, "<-0.3>"), "%s: its notes", name);
}

static void whole_grid(void)
{
    static const int points[STUDY_PICTURES] = {17, 17, 0, 20, 17, 17, 17, 17, 17, 20};
    static const int drawn_bars[STUDY_PICTURES] = {17, 17, 0, 20, 17, 17, 17, 17, 17, 15};
    static const int hollow[STUDY_PICTURES] = {0, 17, 0, 0, 17, 0, 17, 0, 0, 0};
    study_table t = whole();
    for (int w = 0; w < STUDY_PICTURES; w++) {
        tx_buffer b = {0};
        draw(&b, &t, w, "the whole grid");
        const char *first = strstr(b.data, "<g>");
        CHECK(count(b.data, "<g>") == points[w], "%s: %d points", study_picture_name((study_picture)w),
              count(b.data, "<g>"));
        CHECK(!first || count(first, "fill=\"#fff\" stroke=\"") == hollow[w], "%s: outlined",
              study_picture_name((study_picture)w));
        CHECK(count(b.data, ", sd 0.0") == drawn_bars[w], "%s: %d bars", study_picture_name((study_picture)w),
              count(b.data, ", sd 0.0"));
        CHECK(!svg_says(&seen, "Missing") && !svg_says(&seen, "valid"), "%s says that something is missing",
              study_picture_name((study_picture)w));
        int joins = w == STUDY_PANEL_FAMILY ? 10 : w == STUDY_PANEL_KEPT || w == STUDY_TRADE ? 15 : 0;
        int lines = count(b.data, "stroke-width=\"1.5\" stroke-dasharray=\"");
        int fitted = w == STUDY_PANEL_TOP1 || (w >= STUDY_TOP1_RANDOM && w <= STUDY_GAIN);
        CHECK(lines == joins + fitted, "%s: %d lines", study_picture_name((study_picture)w), lines);
        tx_buffer_free(&b);
    }
}

/* The figures of a point are those of its model, or the difference. */
static void figures(void)
{
    study_table t = whole();
    char text[128], a[TX_NUMBER], d[TX_NUMBER];
    double difference[REPLICATES], mean = 0, sum = 0;
    const study_model *random = study_find(&t, "resnet50", 0, 0), *pretrained = study_find(&t, "resnet50", 0, 1);
    tx_buffer b = {0};
    draw(&b, &t, STUDY_SIZE_RANDOM, "figures");
    snprintf(text, sizeof text, "ResNet-50: %s, sd 0.0100<", tx_number_fixed(a, sizeof a, random->auc, 4));
    CHECK(strstr(b.data, text) != NULL, "no %s", text);
    tx_buffer_free(&b);
    for (int i = 0; i < REPLICATES; i++)
        mean += (difference[i] = pretrained->replicate[i] - random->replicate[i]) / REPLICATES;
    for (int i = 0; i < REPLICATES; i++)
        sum += (difference[i] - mean) * (difference[i] - mean);
    draw(&b, &t, STUDY_GAIN, "figures");
    snprintf(text, sizeof text, "ResNet-50: %s, sd %s<", tx_number_fixed(a, sizeof a, pretrained->auc - random->auc, 4),
             tx_number_fixed(d, sizeof d, sqrt(sum / (REPLICATES - 1)), 4));
    CHECK(strstr(b.data, text) != NULL, "no %s", text);
    tx_buffer_free(&b);
    const study_model *cut = study_find(&t, "resnet18", 2, 1), *full = study_find(&t, "resnet18", 0, 1);
    draw(&b, &t, STUDY_TRADE, "figures");
    snprintf(text, sizeof text, "ResNet-18 (-2): %s, sd ", tx_number_fixed(a, sizeof a, cut->auc - full->auc, 4));
    CHECK(strstr(b.data, text) != NULL, "no %s", text);
    tx_buffer_free(&b);
    double of[2] = {0, 0};
    for (size_t i = 0; i < t.models; i++)
        of[t.model[i].pretrained] += t.model[i].cut ? 0 : t.model[i].auc / 17;
    draw(&b, &t, STUDY_PANEL_MEAN, "figures");
    for (int k = 0; k < 2; k++)
        CHECK(svg_says(&seen, tx_number_fixed(a, sizeof a, of[k], 3)), "no %s", a);
    CHECK(svg_says(&seen, "all networks (17)") && svg_says(&seen, "Inception (2)") &&
              svg_says(&seen, "MobileNet (2)") && count(b.data, "<rect") == 2 + 2 * 8,
          "the rows of means");
    tx_buffer_free(&b);
}

/* Pairs have one range, so that they can be compared by eye. */
static void pairs(void)
{
    static svg_seen other;
    study_table t = whole();
    for (int w = STUDY_TOP1_RANDOM; w <= STUDY_SIZE_RANDOM; w += 2) {
        char low[2][16] = {"", ""}, high[2][16] = {"", ""};
        for (int k = 0; k < 2; k++) {
            tx_buffer b = {0};
            draw(&b, &t, w + k, "a pair");
            other = seen;
            for (int i = 0; i < other.texts; i++)
                if (fabs(other.text[i].box.right - 56) < 0.1) {
                    snprintf(high[k], sizeof high[k], "%.15s", other.text[i].text);
                    if (!*low[k])
                        snprintf(low[k], sizeof low[k], "%.15s", other.text[i].text);
                }
            tx_buffer_free(&b);
        }
        CHECK(*low[0] && strcmp(low[0], low[1]) == 0 && strcmp(high[0], high[1]) == 0, "%s to %s and %s to %s", low[0],
              high[0], low[1], high[1]);
    }
}

/* Each picture of a table of which much is missing; it says what. */
static void parts(void)
{
    for (int kind = 0; kind < 6; kind++) {
        study_table t = whole();
        size_t kept = 0;
        static const char *const kinds[] = {"half a grid", "one network", "equal AUCs",
                                            "nothing",     "no figures",  "no top-1"};
        for (size_t i = 0; i < t.models; i++) {
            study_model m = t.model[i];
            if ((kind == 0 && i % 3 == 1) || (kind == 1 && i != 5) || kind == 3)
                continue;
            if (kind == 2) {
                m.auc = 0.8;
                m.sd = 0;
            }
            if (kind == 4 || (kind == 0 && i == 6)) {
                m.auc = m.low = m.high = m.sd = (double)NAN;
                m.replicate = NULL;
            }
            if (kind == 5)
                m.top1 = (double)NAN;
            t.model[kept++] = m;
        }
        t.models = kept;
        t.split = "valid";
        t.mean = kind % 2 ? "mean6" : "mean";
        for (int w = 0; w < STUDY_PICTURES; w++) {
            tx_buffer b = {0};
            draw(&b, &t, w, kinds[kind]);
            CHECK(svg_says(&seen, "chosen on valid too"), "valid is not said to be chosen on");
            CHECK(!svg_says(&seen, "competition"), "the mean is of other tasks");
            if (kind == 0 && w != STUDY_PANEL_KEPT)
                CHECK(svg_says(&seen, "Missing: ") && count(b.data, "<g>") < 17, "half a grid lacks nothing");
            if (kind == 4)
                CHECK(svg_says(&seen, "no values") && svg_says(&seen, "more."),
                      "no figures are not said to be missing");
            if (kind == 5 && (w == STUDY_PANEL_TOP1 || w == STUDY_TOP1_RANDOM))
                CHECK(svg_says(&seen, "no values"), "points without top-1");
            tx_buffer_free(&b);
        }
    }
}

static void names(void)
{
    char out[STUDY_NAME];
    for (int i = 0; i < tx_nets(); i++)
        CHECK(strcmp(study_display_name(tx_net_at(i)->name, 0, out), tx_net_at(i)->name) != 0,
              "%s has no name of its own", tx_net_at(i)->name);
    CHECK(strcmp(study_display_name("resnet18", 2, out), "ResNet-18 (-2)") == 0, "%s", out);
    CHECK(strcmp(study_display_name("another<net", 0, out), "another<net") == 0, "%s", out);
    /* A network and family that nobody knows. */
    study_table t = whole();
    t.model[1].net = "another<net>_that_is_long";
    t.model[1].family = "Oth<er>v12";
    tx_buffer b = {0};
    draw(&b, &t, STUDY_PANEL_TOP1, "an unknown family");
    CHECK(svg_says(&seen, "Oth<er>") && !svg_says(&seen, "v12") && svg_says(&seen, "another<net"), "an unknown family");
    tx_buffer_free(&b);
}

static void memory(void)
{
    study_table t = whole();
    for (int w = 0; w < STUDY_PICTURES; w += 3)
        for (long n = 0;; n += n < 20 ? 1 : 17) {
            tx_buffer b = {0};
            tx_alloc_fail_after(n);
            tx_status status = study_panel(&b, &t, (study_picture)w, NULL);
            tx_alloc_fail_after(-1);
            CHECK(status == b.status && (status == TX_OK || status == TX_ERR_MEMORY), "allocation %ld: %d", n, status);
            tx_buffer_free(&b);
            if (status == TX_OK || n > 2000)
                break;
        }
}

static void bytes(void)
{
    study_table t = whole();
    tx_buffer b = {0};
    for (int w = 0; w < STUDY_PICTURES; w++)
        study_panel(&b, &t, (study_picture)w, NULL);
    check_bytes(&b, "c006e0a840d8d458f93c1aaf006dfb4e51778180bec234f866f16a4696d076e8", "all pictures");
    tx_buffer_free(&b);
}

int main(void)
{
    whole_grid();
    figures();
    pairs();
    parts();
    names();
    memory();
    bytes();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_study_panels");
}
