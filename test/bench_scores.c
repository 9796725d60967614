/* bench_scores.c - from predictions to figures: studies, images that are missing, thresholds, means, ties, what is no number;
 * batches with a tail, stopped or not. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/bootstrap.h"
#include "../bench/figures.h"
#include "../bench/intervals.h"
#include "../bench/scores.h"

#include <math.h>

/* Seven images of four studies and three patients; the tasks are Edema, No Finding, and one whose name begins as Edema's. */
enum { IMAGES = 7, TASKS = 3 };
static char *task[TASKS] = {(char *)"Edema", (char *)"No Finding", (char *)"Edema, old"};
static char *path[IMAGES] = {(char *)"a/1.jpg", (char *)"a/2.jpg", (char *)"b/1.jpg", (char *)"c,1.jpg",
                             (char *)"c/2.jpg", (char *)"d/1.jpg", (char *)"d/2.jpg"};
static uint32_t study[IMAGES] = {0, 0, 1, 2, 2, 3, 3}, patient[IMAGES] = {0, 0, 1, 1, 1, 2, 2};
static signed char label[IMAGES * TASKS] = {1, 0, -1, 0, 0, -1, 0, 1, -1, 1, -1, -1, -1, -1, -1, 0, 1, -1, 0, 0, -1};
static tx_label_counts counts[TASKS];
static tx_task_note note[TASKS] = {{TX_TASK_BOTH, -1, 0}, {TX_TASK_BOTH, 0, 1}, {TX_TASK_EMPTY, -1, 0}};

static tx_dataset dataset(void)
{
    tx_dataset d = {0};
    d.folder = d.file = (char *)"table.csv";
    d.images = IMAGES;
    d.tasks = TASKS;
    d.task = task;
    d.path = path;
    d.label = label;
    d.counts = counts;
    d.note = note;
    d.study = study;
    d.patient = patient;
    d.studies = 4;
    d.patients = 3;
    return d;
}

static const double edema[IMAGES] = {0.25f, 0.75f, 0.5f, 0.5f, 0.625f, 0.0f, 0.125f};

static void fill(double *p)
{
    for (int i = 0; i < IMAGES; i++) {
        p[i * TASKS] = edema[i];
        p[i * TASKS + 1] = 1 - edema[i];
        p[i * TASKS + 2] = 1;
    }
}

static void by_study(void)
{
    const tx_dataset d = dataset();
    double p[IMAGES * TASKS];
    scores s;
    fill(p);
    CHECK(scores_make(&s, &d, p, NULL, 1) == TX_OK && s.tasks == TASKS, "%s", tx_error_message());
    /* Edema: a 0.75 positive, b 0.5 negative, c 0.625 positive, d 0.125 negative */
    CHECK(s.task[0].auc.positives == 2 && s.task[0].auc.negatives == 2 && s.task[0].auc.auc == 1, "Edema by study: %g",
          s.task[0].auc.auc);
    CHECK(s.task[0].best.threshold == 0.625 && s.task[0].best.sensitivity == 1 && s.task[0].best.specificity == 1,
          "its threshold %g", s.task[0].best.threshold);
    CHECK(fabs(s.task[0].calibration - (0.25 + 0.5 + 0.375 + 0.125) / 4) < 1e-15, "its calibration %.17g",
          s.task[0].calibration);
    /* No Finding: a 0.75 negative, b 0.5 positive, c is not annotated, d 1 positive */
    CHECK(s.task[1].auc.positives == 2 && s.task[1].auc.negatives == 1 && s.task[1].auc.auc == 0.5, "No Finding: %g",
          s.task[1].auc.auc);
    CHECK(isnan(s.task[1].auc.se) && strcmp(s.task[1].auc.method, "undefined") == 0, "one negative has no interval");
    CHECK(s.task[2].auc.positives == 0 && s.task[2].auc.negatives == 0 && isnan(s.task[2].auc.auc) &&
              isnan(s.task[2].best.threshold) && isnan(s.task[2].calibration),
          "nothing annotated");
    CHECK(!s.task[0].twin && s.task[1].twin && !strcmp(s.task[1].twin, "Edema") && s.task[1].opposite &&
              !s.task[2].twin && s.task[2].blank && !s.task[0].blank && !s.task[1].blank,
          "what is noted of columns");
    CHECK(s.of.images == 7 && s.of.studies == 4 && s.of.patients == 3, "%zu images", s.of.images);
    CHECK(s.mean[0].value == 1 && s.mean[0].tasks == 1 && s.mean[0].of == 5, "mean5 is of Edema");
    CHECK(s.mean[1].value == 0.75 && s.mean[1].tasks == 2 && s.mean[1].of == 6, "mean6: and of No Finding");
    CHECK(s.mean[2].value == 0.75 && s.mean[2].tasks == 2 && s.mean[2].of == 3, "mean");
    const char *by = "";
    CHECK(scores_select(&s, 7, &by) == 0.75 && strcmp(by, "mean6") == 0, "chosen by %s", by);
    s.mean[1].tasks = 0;
    s.mean[2].value = 0.5;
    CHECK(scores_select(&s, 7, &by) == 0.5 && strcmp(by, "mean") == 0, "chosen by %s", by);
    s.mean[2].tasks = 0;
    CHECK(scores_select(&s, 7, &by) == -7 && strcmp(by, "loss") == 0, "chosen by %s", by);
    CHECK(isnan(scores_select(&s, (double)NAN, &by)), "a loss that is none");
    scores_free(&s);
}

static void by_image(void)
{
    const tx_dataset d = dataset();
    double p[IMAGES * TASKS];
    scores s;
    fill(p);
    CHECK(scores_make(&s, &d, p, NULL, 0) == TX_OK, "%s", tx_error_message());
    /* positives 0.25 and 0.5; negatives 0.75, 0.5, 0, 0.125: pairs in order 2 of the first, 2.5 of the second */
    CHECK(s.task[0].auc.positives == 2 && s.task[0].auc.negatives == 4 && s.task[0].auc.auc == 4.5 / 8, "Edema: %.17g",
          s.task[0].auc.auc);
    scores_free(&s);
    /* Without the images 1 and 3. */
    unsigned char present[IMAGES] = {1, 0, 1, 0, 1, 1, 1};
    p[1 * TASKS] = NAN;
    p[3 * TASKS + 2] = 7;
    CHECK(scores_make(&s, &d, p, present, 0) == TX_OK, "what is missing is not looked at: %s", tx_error_message());
    CHECK(s.task[0].auc.positives == 1 && s.task[0].auc.negatives == 3 && s.task[0].auc.auc == 2.0 / 3, "Edema: %.17g",
          s.task[0].auc.auc);
    CHECK(s.of.images == 5 && s.of.studies == 4 && s.of.patients == 3, "%zu studies", s.of.studies);
    scores_free(&s);
    present[4] = 0;
    CHECK(scores_make(&s, &d, p, present, 1) == TX_OK && s.of.studies == 3 && s.of.patients == 3, "study c is missing");
    CHECK(s.task[0].auc.positives == 1 && s.task[0].auc.negatives == 2, "study c is not scored");
    scores_free(&s);
    present[2] = 0;
    extent e;
    CHECK(extent_of(&e, &d, present) == TX_OK && e.images == 3 && e.studies == 2 && e.patients == 2, "%zu patients",
          e.patients);
}

/* Also where another view of the study, or no label, would hide it. */
static void no_numbers(void)
{
    const tx_dataset d = dataset();
    static const double bad[] = {NAN, -NAN, INFINITY, -INFINITY, -1e-30, 0x1.0000000000001p0};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
        for (size_t i = 0; i < IMAGES * TASKS; i += IMAGES * TASKS - 1) {
            double p[IMAGES * TASKS];
            scores s;
            fill(p);
            p[i] = bad[k];
            for (int unit = 0; unit < 2; unit++)
                CHECK(scores_make(&s, &d, p, NULL, unit) == TX_ERR_ARGUMENT && !s.task &&
                          strstr(tx_error_message(),
                                 i ? "d/2.jpg: its score of 'Edema, old'" : "a/1.jpg: its score of 'Edema'"),
                      "%g: %s", bad[k], tx_error_message());
        }
    double p[IMAGES * TASKS];
    scores s;
    for (int i = 0; i < IMAGES * TASKS; i++)
        p[i] = i % 2 ? -0.0 : 1;
    CHECK(scores_make(&s, &d, p, NULL, 0) == TX_OK, "-0 and 1 are probabilities: %s", tx_error_message());
    scores_free(&s);
    static const float logits[] = {3e38f, -3e38f, NAN, INFINITY};
    CHECK(logits_check(logits, 2, "x") == TX_OK && logits_check(logits, 0, "x") == TX_OK, "%s", tx_error_message());
    CHECK(logits_check(logits, 3, "x") == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "output 2 of the network is nan"),
          "%s", tx_error_message());
    CHECK(logits_check(logits + 3, 1, "x") == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "output 0 of the network is inf"),
          "%s", tx_error_message());
}

static void thresholds(void)
{
    const tx_dataset d = dataset();
    double p[IMAGES * TASKS];
    scores valid, test;
    fill(p);
    scores_make(&valid, &d, p, NULL, 1);
    for (int i = 0; i < IMAGES; i++)
        p[i * TASKS] = i == 2 ? 0.625 : i == 4 ? 0.5 : edema[i];
    scores_make(&test, &d, p, NULL, 1);
    CHECK(test.task[0].best.threshold == 0.5, "the best one here: %g", test.task[0].best.threshold);
    CHECK(scores_threshold(&test, &d, p, NULL, 1, &valid) == TX_OK, "%s", tx_error_message());
    CHECK(test.task[0].best.threshold == 0.625 && test.task[0].best.sensitivity == 0.5 &&
              test.task[0].best.specificity == 0.5,
          "valid's: %g, %g, %g", test.task[0].best.threshold, test.task[0].best.sensitivity,
          test.task[0].best.specificity);
    CHECK(isnan(test.task[2].best.threshold), "none where valid has none");
    scores_free(&valid);
    scores_free(&test);
}

/* Groups of units: studies as they are, without images 0 to 2 the studies c and d; patients with two studies. */
static void groups(void)
{
    const tx_dataset d = dataset();
    double p[IMAGES * TASKS];
    unsigned char present[IMAGES] = {0, 0, 0, 1, 1, 1, 1};
    unit_list u;
    fill(p);
    CHECK(units_open(&u, &d, NULL, 1, 1) == TX_OK && u.units == 4 && u.groups == 3, "%zu patients", u.groups);
    CHECK(u.group[0] == 0 && u.group[1] == 1 && u.group[2] == 1 && u.group[3] == 2, "patients of studies");
    units_close(&u);
    CHECK(units_open(&u, &d, present, 1, 0) == TX_OK && u.groups == 2, "%zu studies", u.groups);
    units_gather(&u, &d, 0, p, present);
    CHECK(u.group[2] == 0 && u.group[3] == 1 && u.label[0] < 0 && u.label[1] < 0 && u.label[2] == 1 && u.label[3] == 0,
          "studies that are there");
    units_close(&u);
    CHECK(units_open(&u, &d, NULL, 0, 0) == TX_OK && u.units == IMAGES && u.groups == 4, "%zu studies of images",
          u.groups);
    for (size_t i = 0; i < IMAGES; i++)
        CHECK(u.group[i] == study[i], "study of image %zu", i);
    units_close(&u);
}

/* Against replicates made by hand of the same units; what has no interval keeps none. */
static void bootstrap(void)
{
    enum { REPLICATES = 40 };
    const tx_dataset d = dataset();
    const resampling how = {REPLICATES, 1, 5};
    double p[IMAGES * TASKS], edema_by[REPLICATES], finding_by[REPLICATES], mean_by[REPLICATES];
    scores s;
    fill(p);
    scores_make(&s, &d, p, NULL, 0);
    const double *const column[] = {edema_by, finding_by};
    double score[2][IMAGES], *const to[] = {edema_by, finding_by};
    for (int k = 0; k < 2; k++) {
        signed char of[IMAGES];
        for (int i = 0; i < IMAGES; i++) {
            score[k][i] = p[i * TASKS + k];
            of[i] = label[i * TASKS + k];
        }
        const double *one = score[k];
        CHECK(tx_bootstrap_auc(&one, 1, of, patient, IMAGES, 3, REPLICATES, 5, to[k]) == TX_OK, "%s",
              tx_error_message());
    }
    tx_bootstrap_mean(column, (double[]){1, 1}, 2, REPLICATES, mean_by);
    CHECK(scores_bootstrap(&s, &d, p, NULL, 0, &how) == TX_OK, "%s", tx_error_message());
    tx_interval wanted;
    for (int k = 0; k < 2; k++) {
        const task_score *t = &s.task[k];
        tx_bootstrap_interval(column[k], REPLICATES, &wanted);
        CHECK(strcmp(t->auc.method, "bootstrap") == 0 && t->auc.low == wanted.low && t->auc.high == wanted.high &&
                  t->auc.se == wanted.sd && t->undefined == wanted.undefined && (k == 0 || wanted.undefined > 0),
              "%s: %s %g to %g, %zu undefined", t->task, t->auc.method, t->auc.low, t->auc.high, t->undefined);
    }
    tx_bootstrap_interval(mean_by, REPLICATES, &wanted);
    CHECK(s.mean[1].low == wanted.low && s.mean[1].high == wanted.high && s.mean[1].sd == wanted.sd &&
              s.mean[1].undefined == wanted.undefined,
          "mean6: %g to %g", s.mean[1].low, s.mean[1].high);
    CHECK(s.mean[2].low == wanted.low && s.mean[2].high == wanted.high, "mean, of the same tasks: %g to %g",
          s.mean[2].low, s.mean[2].high);
    CHECK(isnan(s.task[2].auc.low) && strcmp(s.task[2].auc.method, "undefined") == 0 &&
              s.task[2].undefined == REPLICATES,
          "nothing annotated: %s", s.task[2].auc.method);
    CHECK(s.replicates == REPLICATES && s.by_patient, "what was drawn");
    scores_free(&s);
    scores_make(&s, &d, p, NULL, 1);
    CHECK(scores_bootstrap(&s, &d, p, NULL, 1, &how) == TX_OK, "%s", tx_error_message());
    CHECK(isnan(s.task[1].auc.low) && strcmp(s.task[1].auc.method, "undefined") == 0, "one negative: %s, low %g",
          s.task[1].auc.method, s.task[1].auc.low);
    CHECK(s.task[0].auc.low == 1 && s.task[0].auc.high == 1, "no overlap: %g to %g", s.task[0].auc.low,
          s.task[0].auc.high);
    scores_free(&s);
}

static void means(void)
{
    mean_score m[3];
    means_begin(m);
    CHECK(m[0].of == 5 && m[1].of == 6 && m[2].of == 0, "of so many");
    for (int i = 0; i < 6; i++) {
        CHECK(mean_has(0, mean_tasks[i]) == (i < 5) && mean_has(1, mean_tasks[i]) && mean_has(2, mean_tasks[i]), "%s",
              mean_tasks[i]);
        means_add(m, mean_tasks[i], i == 2 ? (double)NAN : i / 8.0);
    }
    static const char *const none[] = {"Edema, old", "Ede", "", "edema", "Pleural Effusion ", "No Findings", "Pleural"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CHECK(!mean_has(0, none[i]) && !mean_has(1, none[i]) && mean_has(2, none[i]), "'%s' is in a mean", none[i]);
        means_add(m, none[i], 1);
    }
    means_end(m);
    CHECK(m[0].tasks == 4 && m[0].value == (0 + 1 + 3 + 4) / 8.0 / 4, "mean5 %.17g", m[0].value);
    CHECK(m[1].tasks == 5 && m[1].value == (0 + 1 + 3 + 4 + 5) / 8.0 / 5, "mean6 %.17g", m[1].value);
    CHECK(m[2].tasks == 12 && m[2].of == 13 && fabs(m[2].value - (13 / 8.0 + 7) / 12) < 1e-15, "mean %.17g",
          m[2].value);
    means_begin(m);
    means_end(m);
    CHECK(isnan(m[0].value) && isnan(m[1].value) && isnan(m[2].value), "means of nothing");
}

/* What repeats another column in one of two splits, or in both; as it stands or turned round. */
static void twins(void)
{
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            figure one[2] = {{.task = "Edema",
                              .positives = 20,
                              .negatives = 20,
                              .auc = 0.5,
                              .low = 0.25,
                              .high = 0.75,
                              .method = "delong-logit"},
                             {.task = "Pneumonia",
                              .positives = 20,
                              .negatives = 20,
                              .auc = 0.5,
                              .low = 0.25,
                              .high = 0.75,
                              .method = "delong-logit"}};
            figure two[2] = {one[0], one[1]};
            one[1].twin = a ? "Edema" : NULL;
            one[1].opposite = a == 2;
            two[1].twin = b ? "Edema" : NULL;
            two[1].opposite = b == 2;
            const figure_set sets[2] = {{.task = one, .tasks = 2}, {.task = two, .tasks = 2}};
            const figure_set *const list[] = {&sets[0], &sets[1]};
            static const char *const split[] = {"valid", "test"}, *const says[] = {NULL, "says the same as",
                                                                                   "is the opposite of"};
            tx_buffer t = {0};
            char wanted[3][120] = {"", "", ""};
            figures_notes(list, split, 2, &t);
            if (a && a == b)
                snprintf(wanted[0], 120, "Pneumonia %s Edema in every image of valid and test: mean counts both.\n",
                         says[a]);
            if (a && a != b)
                snprintf(wanted[1], 120, "Pneumonia %s Edema in every image of valid: mean counts both.\n", says[a]);
            if (b && a != b)
                snprintf(wanted[2], 120, "Pneumonia %s Edema in every image of test: mean counts both.\n", says[b]);
            size_t length = 0;
            for (int i = 0; i < 3; i++) {
                CHECK(t.data && strstr(t.data, wanted[i]), "expected '%s' in\n%s", wanted[i], t.data);
                length += strlen(wanted[i]);
            }
            const char *from = strstr(t.data, "Pneumonia ");
            CHECK((from ? strlen(from) : 0) == length, "more than that is said:\n%s", t.data);
            tx_buffer_free(&t);
        }
}

static void tables(void)
{
    const tx_dataset d = dataset();
    double p[IMAGES * TASKS];
    unsigned char present[IMAGES] = {0, 1, 0, 1, 0, 0, 1};
    scores s;
    tx_buffer t = {0};
    fill(p);
    p[1 * TASKS] = (double)0.1f;
    CHECK(predictions_write(temp_path("p.csv"), &d, p, present) == TX_OK, "%s", tx_error_message());
    static const char rows[] =
        "Path,Edema,No Finding,\"Edema, old\"\na/2.jpg,0.100000001,0.25,1\n\"c,1.jpg\",0.5,0.5,1\n"
        "d/2.jpg,0.125,0.875,1\n";
    CHECK(temp_holds(temp_path("p.csv"), rows, strlen(rows)), "the predictions of three images");
    fill(p);
    scores_make(&s, &d, p, NULL, 1);
    scores_rows(&s, 44, "test", &t);
    static const char wanted[] =
        "44,test,Edema,2,2,1,1,1,delong-clipped\n44,test,No Finding,2,1,0.5,nan,nan,undefined\n"
        "44,test,\"Edema, old\",0,0,nan,nan,nan,undefined\n44,test,mean5,nan,nan,1,nan,nan,mean-of-1\n"
        "44,test,mean6,nan,nan,0.75,nan,nan,mean-of-2\n44,test,mean,nan,nan,0.75,nan,nan,mean-of-2\n";
    CHECK(t.data && strcmp(t.data, wanted) == 0, "rows of metrics.csv:\n%s", t.data);
    tx_buffer_free(&t);
    scores_free(&s);
}

/* Outputs in another order than the tasks, or more of them. */
static void columns(void)
{
    tx_dataset d = dataset();
    predictions p;
    double probability[2 * TASKS];
    static const int column[TASKS] = {3, 0, 2};
    CHECK(predictions_new(&p, 2, 4) == TX_OK && p.images == 2 && p.outputs == 4 && p.read == 0, "%s",
          tx_error_message());
    for (int i = 0; i < 8; i++)
        p.logit[i] = (float)i - 4;
    predictions_probabilities(&p, &d, column, NULL, probability);
    int right = 1;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < TASKS; k++)
            right = right && probability[i * TASKS + k] == (double)tx_logisticf((float)(4 * i + column[k]) - 4);
    CHECK(right, "columns 3, 0, 2 of four outputs");
    predictions_probabilities(&p, &d, NULL, NULL, probability);
    CHECK(probability[0] == (double)tx_logisticf(-4) && probability[TASKS + 2] == (double)tx_logisticf(2),
          "the first three columns");
    predictions_free(&p);
    CHECK(!p.logit && !p.present, "nothing is left");

    CHECK(predictions_new(&p, IMAGES, TASKS) == TX_OK, "%s", tx_error_message());
    CHECK(isnan(predictions_loss(&p, &d)), "the loss of no image");
    double sum = 0;
    int n = 0;
    for (int i = 0; i < IMAGES; i++) {
        p.present[i] = i != 2;
        for (int k = 0; k < TASKS; k++) {
            int at = i * TASKS + k;
            p.logit[at] = (float)(at % 5) - 2;
            if (p.present[i] && label[at] >= 0) {
                sum += (double)tx_bce_each(p.logit[at], label[at]);
                n++;
            }
        }
    }
    CHECK(n == 9 && predictions_loss(&p, &d) == sum / n, "the loss over %d labels: %.17g", n, predictions_loss(&p, &d));
    predictions_free(&p);
    CHECK(predictions_new(&p, SIZE_MAX / 2, 3) == TX_ERR_MEMORY && !p.logit, "more than there is");
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_scores");
    by_study();
    by_image();
    no_numbers();
    thresholds();
    groups();
    bootstrap();
    means();
    twins();
    tables();
    columns();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_scores");
}
