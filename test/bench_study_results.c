/* bench_study_results.c - the figures of a made-up study: job folders read back, AUCs and means against their definitions,
 * paired differences, correlations, jobs that are missing, failed, damaged or of another study.
 *
 * `bench_study_results grid DATA OUT STUDIES SPLIT` makes such a study for other tests. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/study_tests.h"
#include "study_grid.h"
#include "test.h"

enum { STUDIES = 150, REPLICATES = 60 };
static char data[320], out[320];

/* The share of pairs in order. */
static double pairs(const study_data *d, const study_entry *e, size_t task)
{
    double right = 0, all = 0;
    const double *score = e->score + task * d->units;
    const signed char *label = d->label + task * d->units;
    for (size_t i = 0; i < d->units; i++)
        for (size_t k = 0; k < d->units; k++)
            if (label[i] == 1 && label[k] == 0) {
                all++;
                right += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
            }
    return all > 0 ? right / all : (double)NAN;
}

static void check_scores(const study_data *d)
{
    double *p = NULL, largest;
    const study_entry *e = &d->entry[3];
    CHECK(d->scored == SPLIT_TEST && d->units == STUDIES && d->patients == (STUDIES + 2) / 3,
          "%zu units of %zu patients", d->units, d->patients);
    CHECK(study_predictions(d, e, &p) == TX_OK, "%s", tx_error_message());
    /* The first study has two views. */
    largest = p[0] > p[GRID_TASKS] ? p[0] : p[GRID_TASKS];
    CHECK(e->score[0] == largest && e->score[1] == p[2 * GRID_TASKS], "scores %g %g", e->score[0], e->score[1]);
    CHECK(d->who[0].view == VIEW_SEVERAL && (d->who[1].view == VIEW_AP || d->who[1].view == VIEW_PA) &&
              d->who[0].sex != SEX_UNKNOWN && d->who[0].age >= 15,
          "who: %d %d", (int)d->who[0].view, (int)d->who[1].view);
    CHECK(d->people[SPLIT_TEST][0].view == d->who[1].view || d->people[SPLIT_TEST][1].view == VIEW_LATERAL, "views");
    CHECK(d->table[SPLIT_TRAIN] && d->table[SPLIT_TRAIN]->studies == 2 * STUDIES, "train");
    CHECK(strlen(e->chain) == 64 && strcmp(e->chain + 61, "3eb") == 0, "chain %s", e->chain);
    tx_free(p);
}

static void check_figures(const study_results *r)
{
    const study_data *d = r->data;
    double sum = 0, replicates = 0;
    for (size_t k = 0; k < GRID_TASKS; k++) {
        const study_figure *f = study_figure_of(r, 5, k);
        double wanted = pairs(d, &d->entry[5], k);
        CHECK(fabs(f->auc - wanted) < 1e-12 && f->positives + f->negatives == STUDIES, "%s: %g, expected %g",
              study_row_name(r, k), f->auc, wanted);
        CHECK(f->low < f->auc && f->auc < f->high && f->sd > 0 && f->high - f->low > 2 * f->sd, "its interval");
        sum += mean_has(0, study_row_name(r, k)) ? wanted : 0;
    }
    const study_figure *five = study_figure_of(r, 5, GRID_TASKS);
    CHECK(fabs(five->auc - sum / 5) < 1e-12 && strcmp(five->method, "mean-of-5") == 0, "mean5 %g", five->auc);
    const study_model *m = study_find(&r->table, d->entry[5].net->name, 0, 1);
    CHECK(m && m->auc == five->auc && m->low == five->low && m->sd == five->sd && m->seeds == 1, "the table");
    for (size_t i = 0; m && i < REPLICATES; i++)
        replicates += m->replicate[i] / REPLICATES;
    CHECK(fabs(replicates - sum / 5) < 0.02, "the mean of the replicates is %g", replicates);
    CHECK(r->table.models == GRID_JOBS && strcmp(r->table.mean, "mean5") == 0 && r->groups == STUDIES, "%zu models",
          r->table.models);
    CHECK(m && m[1].pretrained == 0 && study_find(&r->table, "resnet18", 2, 1)[1].cut == 3, "their order");
}

static void check_tests(const study_tests *t, const study_results *r)
{
    const study_difference *gain = study_gain_of(t, "resnet18"), *cost = study_cost_of(t, "resnet18", 3);
    double least = 2, sum = 0;
    CHECK(t->gains == 17 && t->costs == 15 && t->cuts == 5, "%zu, %zu, %zu", t->gains, t->costs, t->cuts);
    CHECK(gain && gain->value ==
                      study_find(&r->table, "resnet18", 0, 1)->auc - study_find(&r->table, "resnet18", 0, 0)->auc,
          "the gain");
    CHECK(cost && cost->value < -0.2 && cost->high < 0 && cost->p == study_least_p(r), "the cost: %g, p %g",
          cost ? cost->value : 0, cost ? cost->p : 0);
    for (size_t i = 0; i < t->gains; i++)
        sum += t->gain[i].value / 17;
    CHECK(fabs(sum - t->mean_gain.value) < 1e-12 && t->mean_gain.high - t->mean_gain.low < gain->high - gain->low,
          "the mean gain: %g, expected %g", t->mean_gain.value, sum);
    CHECK(t->leads == 16 && t->lead[3].value >= 0 && t->lead[0].a == t->lead[15].a, "the best one's lead");
    for (size_t i = 0; i < t->costs; i++)
        least = t->cost[i].adjusted < least ? t->cost[i].adjusted : least;
    CHECK(fabs(least - 15 * study_least_p(r)) < 1e-12 && gain->adjusted >= gain->p, "Holm's least is %g", least);
    for (size_t i = 0; i < t->cuts; i++) {
        const study_difference *next = study_cost_of(t, t->cut[i].full->net, t->cut[i].cut->cut + 1);
        CHECK(t->cut[i].tried == 3 && next && next->high < 0 && t->cut[i].factor >= 1, "%s: cut %d",
              t->cut[i].full->net, t->cut[i].cut->cut);
    }
    for (int k = 0; k < STUDY_RANKS; k++)
        CHECK(t->rank[k].n == 17 && t->rank[k].rho.low < t->rank[k].rho.rho &&
                  t->rank[k].boot_low < t->rank[k].boot_high,
              "%s: %g", t->rank[k].name, t->rank[k].rho.rho);
    CHECK(t->rank[3].rho.rho > 0.3 && t->rank[2].rho.rho > 0.3, "size does not tell");
}

static void finish(study_data *d, study_results *r, study_tests *t, int by_patient)
{
    CHECK(study_gather(d, data) == TX_OK, "%s", tx_error_message());
    CHECK(study_results_make(r, d, &(study_how){REPLICATES, by_patient}) == TX_OK, "%s", tx_error_message());
    CHECK(study_tests_make(t, r) == TX_OK, "%s", tx_error_message());
    CHECK(study_results_write(r, out) == TX_OK && study_tests_write(t, r, out) == TX_OK, "%s", tx_error_message());
}

/* Gathers and compares. */
static void make(study_data *d, study_results *r, study_tests *t, int by_patient)
{
    *r = (study_results){0};
    *t = (study_tests){0};
    grid_entries(d, out);
    finish(d, r, t, by_patient);
}

static void drop(study_data *d, study_results *r, study_tests *t)
{
    study_tests_free(t);
    study_results_free(r);
    study_data_free(d);
}

static size_t rows(const char *name, const char *text)
{
    unsigned char *all;
    size_t bytes, count = 0;
    char *path = tx_path_join(out, name);
    if (tx_file_read(path, 1 << 24, &all, &bytes) == TX_OK) {
        for (const char *at = (char *)all; (at = strstr(at, text)) != NULL; at++)
            count++;
        tx_free(all);
    }
    tx_free(path);
    return count;
}

static void check_whole(void)
{
    study_data d;
    study_results r;
    study_tests t;
    make(&d, &r, &t, 0);
    CHECK(d.complete == GRID_JOBS, "%zu complete, the first: %s", d.complete, d.entry[0].why ? d.entry[0].why : "");
    check_scores(&d);
    check_figures(&r);
    check_tests(&t, &r);
    CHECK(rows("results.csv", "\n") == 1 + 49 * (GRID_TASKS + 3) &&
              rows("results.csv", ",bootstrap-study\n") == 49 * GRID_TASKS,
          "results.csv");
    CHECK(rows("tests.csv", "\n") == 1 + 17 + 1 + 15 + 16 + 10 + 6 && rows("tests.csv", "bonett-wright") == 5,
          "tests.csv");
    drop(&d, &r, &t);
    make(&d, &r, &t, 1);
    CHECK(r.groups == d.patients && rows("results.csv", ",bootstrap-patient\n") == 49 * GRID_TASKS, "by patient");
    drop(&d, &r, &t);
}

static void put(const char *folder, const char *file, const char *text)
{
    char *at = tx_path_join(out, folder), *path = tx_path_join(at, file);
    temp_text(path, text);
    tx_free(at);
    tx_free(path);
}

/* One that failed, one whose predictions are others, one without its notes. */
static void check_half(void)
{
    study_data d;
    study_results r = {0};
    study_tests t = {0};
    char *gone = tx_path_join(out, "resnet18.random.0/job.txt");
    unlink(gone);
    put("resnet50.random.0", "ensemble-test.csv", "Path\n");
    grid_entries(&d, out);
    for (size_t i = 0; i < d.entries; i++)
        if (strcmp(d.entry[i].name, "resnet34.random.0") == 0) {
            d.entry[i].state = ENTRY_FAILED;
            d.entry[i].why = tx_strdup("no weights");
        }
    finish(&d, &r, &t, 0);
    CHECK(d.complete == GRID_JOBS - 3 && r.table.models == GRID_JOBS - 3, "%zu complete", d.complete);
    for (size_t i = 0; i < d.entries; i++) {
        const study_entry *e = &d.entry[i];
        study_state wanted = strcmp(e->name, "resnet34.random.0") == 0   ? ENTRY_FAILED
                             : strcmp(e->name, "resnet50.random.0") == 0 ? ENTRY_UNFIT
                             : strcmp(e->name, "resnet18.random.0") == 0 ? ENTRY_UNFIT
                                                                         : ENTRY_COMPLETE;
        CHECK(e->state == wanted && (wanted == ENTRY_COMPLETE || e->why), "%s: %d %s", e->name, (int)e->state,
              e->why ? e->why : "");
        CHECK(!e->why || !strstr(e->why, out), "%s names the place: %s", e->name, e->why);
    }
    CHECK(t.gains == 14 && !study_gain_of(&t, "resnet18") && t.costs == 15 && t.rank[4].n == 14, "%zu gains", t.gains);
    drop(&d, &r, &t);
    tx_free(gone);
}

/* Without a test table valid is scored; without a job there is nothing, and no error. */
static void check_few(void)
{
    study_data d;
    study_results r;
    study_tests t;
    temp_remove(out);
    temp_remove(data);
    tx_folder_make(out);
    d = (study_data){0};
    r = (study_results){0};
    t = (study_tests){0};
    finish(&d, &r, &t, 0);
    CHECK(d.complete == 0 && r.table.models == 0 && t.gains == 0 && isnan(t.compression), "an empty study");
    drop(&d, &r, &t);
    grid_make(data, out, 40, 0);
    make(&d, &r, &t, 0);
    CHECK(d.complete == GRID_JOBS && d.scored == SPLIT_VALID && strcmp(r.table.split, "valid") == 0 &&
              !d.table[SPLIT_TEST],
          "valid");
    drop(&d, &r, &t);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "grid") == 0) {
        grid_make(argv[2], argv[3], (size_t)atoi(argv[4]), strcmp(argv[5], "test") == 0);
        return 0;
    }
    if (!temp_begin())
        return 1;
    snprintf(data, sizeof data, "%s", temp_path("data"));
    snprintf(out, sizeof out, "%s", temp_path("study"));
    grid_make(data, out, STUDIES, 1);
    check_whole();
    check_half();
    check_few();
    temp_end();
    return test_done("bench_study_results");
}
