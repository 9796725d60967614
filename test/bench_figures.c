/* bench_figures.c - from a network's outputs to figures: scores by study and by image, the order of checkpoints, and what
 * is no number on each of these ways. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/figures.h"
#include "../bench/model.h"
#include "../bench/run.h"
#include "../bench/scores.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>

static void test_rank(void)
{
    static const double score[] = {0.5, 0.7, 0.7, 0.6, 0.9, 0.1};
    static const uint64_t wanted[][3] = {{1}, {2, 1}, {2, 3, 1}, {2, 3, 4}, {5, 2, 3}, {5, 2, 3}};
    static const uint64_t leaves[] = {0, 0, 0, 1, 4, 0};
    run *r = tx_alloc(1, sizeof *r);
    CHECK(r != NULL, "memory");
    for (size_t i = 0; r && i < 6; i++) {
        r->at.step = i + 1;
        int taken = run_rank(r, score[i], 3);
        CHECK(taken == (i < 5) && r->at.evicted == leaves[i], "step %zu: taken %d, %llu leaves", i + 1, taken,
              (unsigned long long)r->at.evicted);
        CHECK(r->at.kept == (i < 3 ? i + 1 : 3), "%zu are kept", r->at.kept);
        for (size_t k = 0; k < r->at.kept; k++)
            CHECK(r->at.best[k].step == wanted[i][k], "after step %zu place %zu is %llu", i + 1, k,
                  (unsigned long long)r->at.best[k].step);
    }
    tx_free(r);
}

/* A score that is no number stands behind all others, and behind an earlier one of its kind. */
static void test_rank_of_nan(void)
{
    static const double score[] = {NAN, -3, NAN, -5, 0.5};
    static const uint64_t wanted[][5] = {{1}, {2, 1}, {2, 1, 3}, {2, 4, 1}, {5, 2, 4}};
    run *r = tx_alloc(1, sizeof *r);
    CHECK(r != NULL, "memory");
    for (size_t i = 0; r && i < 5; i++) {
        r->at.step = i + 1;
        CHECK(run_rank(r, score[i], 3) == 1, "score %zu is not taken", i);
        for (size_t k = 0; k < r->at.kept; k++)
            CHECK(r->at.best[k].step == wanted[i][k], "after step %zu place %zu is %llu", i + 1, k,
                  (unsigned long long)r->at.best[k].step);
    }
    tx_free(r);
    double value;
    CHECK(score_parse("nan", &value) == 0 && isnan(value), "nan is a score");
    CHECK(score_parse("-0.25", &value) == 0 && value == -0.25, "-0.25 is a score");
    CHECK(score_parse("inf", &value) != 0 && score_parse("", &value) != 0 && score_parse("nan1", &value) != 0,
          "no scores");
}

/* Whatever stands at whatever place, annotated or not, first view or last: it is refused, and the image is named. An
 * image that is not there is not looked at. */
static void test_no_numbers(const tx_dataset *d, const double *sound)
{
    static const double wrong[] = {NAN, INFINITY, -INFINITY, 1.5, -0.25};
    double p[18];
    scores s;
    for (size_t w = 0; w < 5; w++)
        for (size_t at = 0; at < 18; at++)
            for (int by_study = 0; by_study < 2; by_study++) {
                memcpy(p, sound, sizeof p);
                p[at] = wrong[w];
                CHECK(scores_make(&s, d, p, NULL, by_study) == TX_ERR_ARGUMENT &&
                          strstr(tx_error_message(), d->path[at / 3]) && strstr(tx_error_message(), d->task[at % 3]),
                      "%g at %zu, %s: %s", wrong[w], at, by_study ? "study" : "image", tx_error_message());
                unsigned char present[6] = {1, 1, 1, 1, 1, 1};
                present[at / 3] = 0;
                CHECK(scores_make(&s, d, p, present, by_study) == TX_OK, "an absent image: %s", tx_error_message());
                scores_free(&s);
            }
}

/* By mean6 where one of its tasks is defined, else by all defined tasks, else by the loss. */
static void test_choice(const tx_dataset *d)
{
    static const struct {
        double auc[3];
        const char *by;
        double score;
    } cases[] = {{{0.75, 0.5, 1}, "mean6", 0.625},
                 {{NAN, 0.5, 1}, "mean6", 0.5},
                 {{NAN, NAN, 0.25}, "mean", 0.25},
                 {{NAN, NAN, NAN}, "loss", -0.7}};
    double p[18] = {0};
    scores s;
    const char *by;
    CHECK(scores_make(&s, d, p, NULL, 1) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            s.task[k].auc.auc = cases[i].auc[k];
        scores_means(&s);
        double score = scores_select(&s, 0.7, &by);
        CHECK(score == cases[i].score && strcmp(by, cases[i].by) == 0, "case %zu: by %s, %g", i, by, score);
    }
    CHECK(isnan(scores_select(&s, (double)NAN, &by)) && strcmp(by, "loss") == 0, "a loss that is none");
    scores_free(&s);
}

/* Four studies, two of them with two views. Edema's best image decides; Fracture is annotated nowhere. */
static void test_scores(void)
{
    temp_text(temp_path("valid.csv"), "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema,No Finding,Fracture\n"
                                      "valid/patient1/study1/view1.jpg,Male,1,Frontal,AP,1.0,0.0,\n"
                                      "valid/patient1/study1/view2.jpg,Male,1,Lateral,,1.0,0.0,\n"
                                      "valid/patient2/study1/view1.jpg,Male,1,Frontal,AP,0.0,1.0,\n"
                                      "valid/patient3/study1/view1.jpg,Male,1,Frontal,AP,1.0,-1.0,\n"
                                      "valid/patient3/study2/view1.jpg,Male,1,Frontal,AP,0.0,1.0,\n"
                                      "valid/patient3/study2/view2.jpg,Male,1,Lateral,,0.0,1.0,\n");
    tx_dataset_options how = {.blank = TX_BLANK_IGNORE};
    tx_dataset *d = tx_dataset_open(temp_folder, "valid", &how);
    CHECK(d != NULL, "%s", tx_error_message());
    if (!d)
        return;
    /* Edema by image: 1: .2 .9 .6; 0: .4 .5 .7. By study: 1: .9 .6; 0: .4 .7. */
    const double p[] = {.2, .1, .5, .9, .1, .5, .4, .8, .5, .6, .3, .5, .5, .9, .5, .7, .2, .5};
    scores s;
    CHECK(scores_make(&s, d, p, NULL, 1) == TX_OK, "%s", tx_error_message());
    CHECK(s.of.studies == 4 && s.of.images == 6 && s.of.patients == 3 && s.task[0].auc.positives == 2 &&
              s.task[0].auc.negatives == 2,
          "counts of studies");
    CHECK(s.task[0].auc.auc == 0.75, "AUC of Edema by study %g", s.task[0].auc.auc);
    CHECK(s.task[1].auc.positives == 2 && s.task[1].auc.negatives == 1 && s.task[1].auc.auc == 1,
          "the uncertain study is masked");
    CHECK(isnan(s.task[2].auc.auc) && s.mean[2].tasks == 2 && s.mean[2].of == 3, "Fracture is left out of the mean");
    CHECK(s.mean[0].tasks == 1 && s.mean[0].value == 0.75 && s.mean[1].tasks == 2 && s.mean[1].value == 0.875,
          "mean5 and mean6");
    const char *by;
    CHECK(scores_select(&s, 1, &by) == 0.875 && strcmp(by, "mean6") == 0, "chosen by %s", by);
    scores_free(&s);
    CHECK(scores_make(&s, d, p, NULL, 0) == TX_OK, "%s", tx_error_message());
    CHECK(s.of.images == 6 && fabs(s.task[0].auc.auc - 5.0 / 9) < 1e-15, "AUC of Edema by image %.17g",
          s.task[0].auc.auc);
    scores_free(&s);
    const unsigned char present[] = {1, 0, 1, 1, 1, 1};
    CHECK(scores_make(&s, d, p, present, 1) == TX_OK && s.task[0].auc.auc == 0.25, "without the second view");
    scores_free(&s);
    test_no_numbers(d, p);
    test_choice(d);
    for (long n = 0; n < 60; n++) {
        long live = tx_alloc_live();
        tx_alloc_fail_after(n);
        tx_status status = scores_make(&s, d, p, NULL, 1);
        tx_alloc_fail_after(-1);
        if (status == TX_OK) {
            scores_free(&s);
            CHECK(n > 0, "nothing was allocated");
            break;
        }
        CHECK(status == TX_ERR_MEMORY && tx_alloc_live() == live, "allocation %ld fails: status %d, %ld left", n,
              (int)status, tx_alloc_live() - live);
    }
    tx_dataset_free(d);
}

/* ------------------------------------------------------------------------------------ as people read them */
static void test_reasons(void)
{
    static const struct {
        figure f;
        const char *auc, *interval;
    } cases[] = {
        {{"a", 10, 10, 0.8125, 0.7, 0.9, "delong-logit", 0, NULL, 0, 0}, "0.812 ", "0.700-0.900"},
        {{"a", 9, 10, 0.8125, 0.7, 0.9, "delong-logit", 0, NULL, 0, 0}, "0.812*", "0.700-0.900"},
        {{"a", 10, 9, 0.5, 0.25, 0.75, "delong-logit", 0, NULL, 0, 0}, "0.500*", "0.250-0.750"},
        {{"a", 0, 0, NAN, NAN, NAN, "undefined", 0, NULL, 0, 0}, "- ", "no label"},
        {{"a", 0, 20, NAN, NAN, NAN, "undefined", 0, NULL, 0, 0}, "- ", "no positive"},
        {{"a", 20, 0, NAN, NAN, NAN, "undefined", 0, NULL, 0, 0}, "- ", "no negative"},
        {{"a", 1, 20, 0.75, NAN, NAN, "undefined", 0, NULL, 0, 0}, "0.750*", "1 positive"},
        {{"a", 20, 1, 0.75, NAN, NAN, "undefined", 0, NULL, 0, 0}, "0.750*", "1 negative"},
        {{"a", 20, 20, 0.5, NAN, NAN, "constant", 0, NULL, 0, 0}, "0.500 ", "constant"},
        {{"a", 20, 20, 1, 1, 1, "delong-clipped", 0, NULL, 0, 0}, "1.000 ", "no variance"},
        {{"a", 20, 20, 1, 1, 1, "bootstrap", 0, NULL, 0, 0}, "1.000 ", "no variance"},
        {{"a", 20, 20, 0.5, 0.25, 0.75, "bootstrap", 0, NULL, 0, 3}, "0.500 ", "0.250-0.750"},
        {{"a", 0, 20, NAN, NAN, NAN, "undefined", 1, NULL, 0, 0}, "- ", "all blank"},
    };
    char room[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(strcmp(figure_auc(&cases[i].f, room), cases[i].auc) == 0, "case %zu: '%s'", i, room);
        CHECK(strcmp(figure_interval(&cases[i].f, room), cases[i].interval) == 0, "case %zu: '%s'", i, room);
    }
    CHECK(strcmp(mean_extent(&(mean_score){.tasks = 5, .of = 6}, room), "over 5 of 6") == 0, "%s", room);
    CHECK(strcmp(mean_interval(&(mean_score){.tasks = 6, .of = 6, .low = NAN}, room), "over all 6") == 0, "%s", room);
    CHECK(strcmp(mean_interval(&(mean_score){.tasks = 6, .of = 6, .low = 0.25, .high = 0.75}, room), "0.250-0.750") ==
              0,
          "%s", room);
}

static const char printed_figures[] =
    "                  valid                           test\n"
    "task   pos  neg    AUC   interval     pos  neg    AUC   interval\n"
    "Edema   12   13  0.750   0.500-0.875    2    3  1.000*  no variance\n"
    "Other    1   24  0.500*  1 positive     0    5      -   no positive\n"
    "mean5            0.750   over 1 of 5            1.000   over 1 of 5\n"
    "mean6            0.750   over 1 of 6            1.000   over 1 of 6\n"
    "mean             0.625   over all 2             1.000   over 1 of 2\n"
    "* fewer than 10 positives or negatives: the figure says little, and its interval\n"
    "  may be too narrow.\n"
    "no variance: every positive is scored above every negative, or below, and the\n"
    "  interval has no width.\n"
    "Intervals: 95%, by DeLong's variance on the logit scale.\n"
    "mean5: Atelectasis, Cardiomegaly, Consolidation, Edema, Pleural Effusion; mean6:\n"
    "  and No Finding; mean: all tasks; each over those that have an AUC.\n"
    "Not among the tasks: Atelectasis, Cardiomegaly, Consolidation, Pleural Effusion,\n"
    "  No Finding.\n"
    "Without an AUC on test, so in no mean: Other.\n";

/* A table from metrics.csv, and one whose names are too long for it. */
static void test_table(void)
{
    static const char *const split[] = {"valid", "test"};
    static const char rows[] = "step,split,task,positives,negatives,auc,low,high,method\n"
                               "2,valid,Edema,9,9,0.1,0.1,0.1,delong-logit\n"
                               "4,valid,Edema,12,13,0.75,0.5,0.875,delong-logit\n"
                               "4,valid,Other,1,24,0.5,nan,nan,undefined\n"
                               "4,valid,mean,nan,nan,0.625,nan,nan,mean-of-2\n"
                               "4,test,Edema,2,3,1,1,1,delong-clipped\n"
                               "4,test,Other,0,5,nan,nan,nan,undefined\n";
    metrics m;
    figure_set f[2];
    const figure_set *const list[] = {&f[0], &f[1]};
    char text[4000], name[100];
    temp_text(temp_path("metrics.csv"), rows);
    CHECK(metrics_read(&m, temp_folder) == TX_OK, "%s", tx_error_message());
    CHECK(figures_of_metrics(&f[0], &m, 4, 0) == TX_OK && figures_of_metrics(&f[1], &m, 4, 1) == TX_OK, "%s",
          tx_error_message());
    for (int round = 0; round < 2; round++) {
        FILE *out = fopen(temp_path("table"), "w+");
        CHECK(figures_print(list, split, 2, out) == TX_OK, "%s", tx_error_message());
        rewind(out);
        text[fread(text, 1, sizeof text - 1, out)] = 0;
        fclose(out);
        CHECK(round || strcmp(text, printed_figures) == 0, "found\n%sexpected\n%s", text, printed_figures);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            CHECK(strlen(line) <= 80, "%s", line);
        memset(name, 'n', sizeof name);
        name[sizeof name - 1] = 0;
        f[0].task[1].task = f[1].task[1].task = name;
    }
    figures_free(&f[0]);
    figures_free(&f[1]);
    metrics_free(&m);
}

/* Of a bootstrap: what was drawn how often, which replicates lack a class where there is an interval, what means are over. */
static void test_replicates(void)
{
    static const char *const split[] = {"valid"};
    figure task[] = {
        {.task = "Edema", .positives = 20, .negatives = 20, .auc = 0.5, .low = 0.25, .high = 0.75, .undefined = 3},
        {.task = "Other", .positives = 1, .negatives = 20, .auc = 0.5, .low = NAN, .high = NAN, .undefined = 370},
        {.task = "Third", .positives = 20, .negatives = 20, .auc = 0.5, .low = 0.25, .high = 0.75}};
    figure_set f = {.task = task, .tasks = 3, .replicates = 1000, .by_patient = 1};
    const figure_set *const list[] = {&f};
    tx_buffer notes = {0};
    char room[32];
    means_begin(f.mean);
    for (int i = 0; i < 3; i++) {
        task[i].method = i == 1 ? "undefined" : "bootstrap";
        means_add(f.mean, task[i].task, task[i].auc);
    }
    means_end(f.mean);
    CHECK(strcmp(mean_interval(&f.mean[0], room), "over 1 of 5") == 0, "without an interval: %s", room);
    f.mean[2].undefined = 372;
    figures_notes(list, split, 1, &notes);
    CHECK(notes.data && strstr(notes.data, "\nIntervals: 95%, percentiles of the bootstrap.\n"
                                           "valid: 1000 replicates that draw patients; lacking a class, so left out: "
                                           "Edema 3, mean 372.\n"
                                           "Means: mean5 over 1 of 5, mean6 over 1 of 6, mean over all 3.\n"),
          "%s", notes.data);
    tx_buffer_free(&notes);
    task[0].undefined = f.mean[2].undefined = 0;
    f.by_patient = 0;
    figures_notes(list, split, 1, &notes);
    CHECK(notes.data && strstr(notes.data, "\nvalid: 1000 replicates that draw studies.\n"), "%s", notes.data);
    tx_buffer_free(&notes);
    f.replicates = 0;
    figures_notes(list, split, 1, &notes);
    CHECK(notes.data && strstr(notes.data, "\nIntervals: 95%, by DeLong's variance on the logit scale.\nmean5: "), "%s",
          notes.data);
    tx_buffer_free(&notes);
}

/* What is counted twice is named with the means that count it, once where both splits have it. */
static void test_twins(void)
{
    static const char *const split[] = {"valid", "test"};
    figure task[2][3] = {{{.task = "Edema", .auc = 0.5},
                          {.task = "No Finding", .auc = 0.5, .twin = "Edema", .opposite = 1},
                          {.task = "Other", .auc = 0.5, .twin = "Edema"}},
                         {{.task = "Edema", .auc = 0.5},
                          {.task = "No Finding", .auc = 0.5, .twin = "Edema", .opposite = 1},
                          {.task = "Other", .auc = NAN, .twin = "Edema"}}};
    figure_set f[2] = {{.task = task[0], .tasks = 3}, {.task = task[1], .tasks = 3}};
    const figure_set *const list[] = {&f[0], &f[1]};
    tx_buffer notes = {0};
    for (int i = 0; i < 6; i++)
        task[i / 3][i % 3].method = "undefined";
    figures_notes(list, split, 2, &notes);
    CHECK(notes.data && strstr(notes.data, "\nNo Finding is the opposite of Edema in every image of valid and test: "
                                           "mean6 and mean count both.\n"),
          "%s", notes.data);
    CHECK(notes.data &&
              strstr(notes.data, "\nOther says the same as Edema in every image of valid: mean counts both.\n"),
          "%s", notes.data);
    CHECK(notes.data && !strstr(notes.data, "of test:"), "Other has no AUC on test: %s", notes.data);
    const char *first = notes.data ? strstr(notes.data, "is the opposite") : NULL;
    CHECK(first && !strstr(first + 1, "is the opposite"), "said twice: %s", notes.data);
    tx_buffer_free(&notes);
}

/* A network whose last layer overflows says so of the image, and of the images that follow nothing is lost. */
static void test_outputs(void)
{
    tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 3, .classes = 2, .size = 32};
    predictor p;
    CHECK(predictor_open(&p, &choice, 2) == TX_OK, "%s", tx_error_message());
    tx_weights_init(p.weights, 0);
    int fc = tx_graph_params(p.net.graph) - 2;
    float *weight = tx_weights_param(p.weights, tx_graph_param(p.net.graph, fc));
    CHECK(strcmp(tx_graph_param(p.net.graph, fc)->name, "fc.weight") == 0, "the last layer");
    size_t pixels = (size_t)32 * 32 * 3;
    for (size_t i = 0; i < 2 * pixels; i++)
        tx_session_input(p.session, p.net.image)[i] = i < pixels ? 0 : 1e20F;
    for (size_t i = 0; i < tx_graph_param(p.net.graph, fc)->count; i++)
        weight[i] = 1e30F;
    tx_weights_changed(p.weights);
    CHECK(tx_checkpoint_check(p.weights, "file") == TX_OK, "the weights are numbers");
    CHECK(predictor_run(&p, 2) == TX_OK, "%s", tx_error_message());
    CHECK(predictor_check(&p, 0, "first") == TX_OK, "%s", tx_error_message());
    CHECK(predictor_check(&p, 1, "second.jpg") == TX_ERR_ARGUMENT && strstr(tx_error_message(), "second.jpg"), "%s",
          tx_error_message());
    predictor_free(&p);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_figures");
    test_rank();
    test_rank_of_nan();
    test_scores();
    test_reasons();
    test_table();
    test_replicates();
    test_twins();
    test_outputs();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("bench_figures");
}
