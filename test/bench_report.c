/* bench_report.c - what a run's page says: whom figures are of, how the checkpoint was chosen, tables and their notes; and
 * the run's splits as they are noted. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/report.h"
#include "../bench/svg.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>

static void file(const char *name, const char *rows)
{
    temp_text(temp_path(name), rows);
}

/* Three splits: patient2 is in train and test, patient3 and patient4 in valid and test. Fracture is blank throughout, No Finding is the opposite of
 * Pneumonia but for test, where they say the same; two images of valid could not be read, each its patient's only one, of whom patient5 is in test too. */
static void make_data(void)
{
    file("train.csv", "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Pneumonia,Fracture\n"
                      "train/patient1/study1/view1.jpg,Male,1,Frontal,AP,1.0,0.0,\n"
                      "train/patient1/study1/view2.jpg,Male,1,Lateral,,1.0,0.0,\n"
                      "train/patient1/study2/view1.jpg,Male,1,Frontal,AP,0.0,1.0,\n"
                      "train/patient2/study1/view1.jpg,Male,1,Frontal,AP,0.0,1.0,\n");
    file("valid.csv", "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Pneumonia,Fracture\n"
                      "valid/patient3/study1/view1.jpg,Male,1,Frontal,AP,0.0,1.0,\n"
                      "valid/patient4/study1/view1.jpg,Male,1,Frontal,AP,1.0,0.0,\n"
                      "valid/patient5/study1/view1.jpg,Male,1,Frontal,AP,1.0,0.0,\n"
                      "valid/alone.jpg,Male,1,Frontal,AP,1.0,0.0,\n");
    file("test.csv", "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Pneumonia,Fracture\n"
                     "test/patient2/study1/view1.jpg,Male,1,Frontal,AP,0.0,0.0,\n"
                     "test/patient3/study1/view1.jpg,Male,1,Frontal,AP,0.0,0.0,\n"
                     "test/patient4/study1/view1.jpg,Male,1,Frontal,AP,1.0,1.0,\n"
                     "test/patient5/study1/view1.jpg,Male,1,Frontal,AP,1.0,1.0,\n"
                     "test/alone.jpg,Male,1,Frontal,AP,1.0,1.0,\n");
    file("bad-images.csv",
         "split,Path,reason\nvalid,valid/patient5/study1/view1.jpg,\"bad, very\"\nvalid,valid/alone.jpg,absent\n"
         "train,valid/patient3/study1/view1.jpg,of another split\n");
}

static int says(const tx_buffer *p, const char *text)
{
    return p->data && strstr(p->data, text) != NULL;
}

static void check_extent(const splits *s, int split, size_t images, size_t studies, size_t patients)
{
    const extent *e = &s->of[split];
    CHECK(s->known[split] && e->images == images && e->studies == studies && e->patients == patients,
          "%s: %zu images, %zu studies, %zu patients", split_name[split], e->images, e->studies, e->patients);
}

static void check_splits(const splits *s)
{
    check_extent(s, SPLIT_TRAIN, 4, 3, 2);
    check_extent(s, SPLIT_VALID, 2, 2, 2);
    check_extent(s, SPLIT_TEST, 5, 5, 5);
    CHECK(s->unreadable[SPLIT_TRAIN] == 0 && s->unreadable[SPLIT_VALID] == 2 && s->unreadable[SPLIT_TEST] == 0,
          "what could not be read");
    CHECK(s->of_train[SPLIT_VALID] == 0 && s->of_train[SPLIT_TEST] == 1 && s->of_valid[SPLIT_TEST] == 2,
          "patients in two splits: %zu, %zu, %zu", s->of_train[SPLIT_VALID], s->of_train[SPLIT_TEST],
          s->of_valid[SPLIT_TEST]);
    CHECK(s->alone[SPLIT_VALID] == 0 && s->alone[SPLIT_TEST] == 1 && s->sample, "alone, sample");
    figure task[] = {{.task = "No Finding"}, {.task = "Pneumonia"}, {.task = "Fracture"}};
    figure_set f = {.task = task, .tasks = 3};
    splits_mark(s, SPLIT_VALID, &f);
    CHECK(!task[0].blank && !task[0].twin && task[2].blank && !task[2].twin, "marks of No Finding and Fracture");
    CHECK(task[1].twin && strcmp(task[1].twin, "No Finding") == 0 && task[1].opposite, "the mark of Pneumonia");
    splits_mark(s, SPLIT_TEST, &f);
    CHECK(!task[1].opposite, "on test they say the same");
}

static void test_splits(void)
{
    tx_dataset *d[SPLITS];
    splits s;
    make_data();
    for (int i = 0; i < SPLITS; i++)
        CHECK((d[i] = tx_dataset_open(temp_folder, split_name[i], &(tx_dataset_options){0})) != NULL, "%s",
              tx_error_message());
    CHECK(splits_take(&s, d, temp_folder, 1) == TX_OK, "%s", tx_error_message());
    check_splits(&s);
    CHECK(splits_write(&s, temp_folder) == TX_OK, "%s", tx_error_message());
    splits_free(&s);
    CHECK(splits_read(&s, temp_folder) == TX_OK, "%s", tx_error_message());
    check_splits(&s);
    tx_buffer p = {0};
    report_splits(&p, &s);
    CHECK(says(&p, "Data: the radiographs that come with Thorax") &&
              says(&p, "<li>train: 4 images, 3 studies of 2 patients</li>") &&
              says(&p,
                   "<li>valid: 2 images, 2 studies of 2 patients, none of them in train; 2 images could not be read "
                   "and are left out</li>") &&
              says(&p, "<li>test: 5 images, 5 studies of 5 patients, 1 of them in train too, which makes the figures "
                       "too good, 2 of them in valid too, on which the checkpoint was chosen; 1 image is in no folder "
                       "of a patient, counted as a patient each</li>"),
          "%s", p.data);
    tx_buffer_free(&p);
    splits_free(&s);
    d[SPLIT_TEST] = (tx_dataset_free(d[SPLIT_TEST]), NULL);
    CHECK(splits_take(&s, d, "/nowhere", 0) == TX_OK && !s.known[SPLIT_TEST] && !s.sample, "without test");
    check_extent(&s, SPLIT_VALID, 4, 4, 4);
    splits_free(&s);
    for (long n = 0;; n++) {
        long live = tx_alloc_live();
        tx_alloc_fail_after(n);
        tx_status status = splits_take(&s, d, temp_folder, 0);
        tx_alloc_fail_after(-1);
        splits_free(&s);
        CHECK(tx_alloc_live() == live, "allocation %ld fails: %ld are left", n, tx_alloc_live() - live);
        if (status == TX_OK || n == 200) {
            CHECK(n > 5 && n < 200, "after %ld allocations", n);
            break;
        }
    }
    tx_dataset_free(d[SPLIT_TRAIN]);
    tx_dataset_free(d[SPLIT_VALID]);
}

static void test_foreign_splits(void)
{
    static const char *const wrong[] = {
        "split,what,value,other\nvalid,images,many,\n", "split,what,value,other\nvalid,images,-1,\n",
        "split,what,value,other\nelsewhere,images,1,\n", "split,what,value,other\nvalid,images\n"};
    splits s;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        file("splits.csv", wrong[i]);
        CHECK(splits_read(&s, temp_folder) == TX_ERR_FORMAT, "file %zu is taken", i);
        splits_free(&s);
    }
    unlink(temp_path("splits.csv"));
    CHECK(splits_read(&s, temp_folder) == TX_OK && !s.known[SPLIT_TRAIN], "nothing is known without a file");
    tx_buffer p = {0};
    report_splits(&p, &s);
    CHECK(p.data == NULL, "and nothing is said: %s", p.data);
    splits_free(&s);
}

/* ---------------------------------------------------------------------------------------------- pages */
static void make_run(void)
{
    file("metrics.csv", "step,split,task,positives,negatives,auc,low,high,method\n"
                        "2,valid,Edema,12,13,0.625,0.5,0.75,delong-logit\n"
                        "2,valid,a <b>,1,24,0.5,nan,nan,undefined\n"
                        "2,valid,mean,nan,nan,0.5625,nan,nan,mean-of-2\n"
                        "4,valid,Edema,12,13,0.75,0.5,0.875,delong-logit\n"
                        "4,valid,a <b>,1,24,0.5,nan,nan,undefined\n"
                        "4,valid,mean,nan,nan,0.625,nan,nan,mean-of-2\n"
                        "4,test,Edema,2,3,1,1,1,delong-clipped\n"
                        "4,test,a <b>,0,5,nan,nan,nan,undefined\n");
    file("log.csv", "step,epoch,examples,loss,lr,images_per_s,seconds\n1,1,4,0.7,0.1,1,1\n2,1,8,nan,0.1,1,2\n");
    file("config.txt", "# options\nnet = resnet18\ndata = /somewhere\ninit = /elsewhere\n");
    file("splits.csv", "split,what,value,other\nvalid,images,25,\ntest,blank,a <b>,\n");
}

static void test_page(void)
{
    const run_checkpoint best = {NULL, 4, 0.75, "mean6"};
    make_run();
    for (long n = 0;; n++) {
        long live = tx_alloc_live();
        tx_alloc_fail_after(n);
        tx_status status = report_run(temp_folder, &best, "a & test");
        tx_alloc_fail_after(-1);
        CHECK(tx_alloc_live() == live, "allocation %ld fails and %ld are left", n, tx_alloc_live() - live);
        if (status == TX_OK || n == 500) {
            CHECK(n > 20 && n < 500, "after %ld allocations", n);
            break;
        }
        CHECK(status == TX_ERR_MEMORY || status == TX_ERR_FILE, "allocation %ld fails: status %d", n, (int)status);
    }
    unsigned char *data = NULL;
    size_t bytes;
    CHECK(tx_file_read(temp_path("report.html"), 1 << 20, &data, &bytes) == TX_OK, "%s", tx_error_message());
    tx_buffer page = {.data = (char *)data};
    static const char *const wanted[] = {
        "a &amp; test",
        "The checkpoint after step 4, chosen on valid by the largest mean6: 0.750, over 1 of 6 of its tasks, of 2 "
        "evaluations.",
        "and so too good.",
        "<td class=\"text\">Edema</td><td>12</td><td>13</td><td>0.750<span class=\"hidden\">*</span></td><td "
        "class=\"name\">0.500 to 0.875</td>",
        "<td class=\"text\">Edema</td><td>2</td><td>3</td><td>1.000*</td><td class=\"text\">no variance</td>",
        "<td class=\"text\">a &lt;b&gt;</td><td>1</td><td>24</td><td>0.500*</td><td class=\"text\">1 positive</td>",
        "<td class=\"text\">a &lt;b&gt;</td><td>0</td><td>5</td><td>-<span class=\"hidden\">*</span></td><td "
        "class=\"text\">all blank</td>",
        "<td class=\"text\">over 1 of 6</td>",
        "* fewer than 10 positives or negatives: the figure says little, and its interval may be too narrow.",
        "Without an AUC on test, so in no mean: a &lt;b&gt;.",
        "AUC on valid",
        "net = resnet18",
        "<p class=\"warning\">Not for clinical use.</p>",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        CHECK(says(&page, wanted[i]), "'%s' is not in the page", wanted[i]);
    CHECK(!says(&page, "/somewhere") && !says(&page, "/elsewhere") && !says(&page, "ChestX-ray14"),
          "paths, or the sample's source, in the page of other data");
    tx_free(data);
}

/* The sentence follows what the checkpoint was chosen by. */
static void test_choice(void)
{
    static const struct {
        run_checkpoint best;
        const char *text;
    } cases[] = {
        {{NULL, 2, 0.625, "mean"}, "after step 2, chosen on valid by the largest mean: 0.562, over all 2 of its tasks"},
        {{NULL, 4, -0.375, "loss"}, "by the smallest loss (no task has an AUC): 0.3750, of 2 evaluations"},
        {{NULL, 2, NAN, "loss"}, "without a label to choose by: the first, of 2 evaluations"},
    };
    metrics m;
    make_run();
    CHECK(metrics_read(&m, temp_folder) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_buffer p = {0};
        CHECK(report_choice(&p, &m, &cases[i].best) == TX_OK && says(&p, cases[i].text), "case %zu: %s", i, p.data);
        tx_buffer_free(&p);
    }
    metrics_free(&m);
}

/* A legend of long names has rows of its own, and none beyond the picture. */
static void test_legend(void)
{
    static const double x[] = {1, 2}, y[] = {0.5, 1};
    svg_curve curve[6];
    char name[100];
    tx_buffer p = {0};
    memset(name, 'n', sizeof name);
    name[99] = 0;
    for (int i = 0; i < 6; i++)
        curve[i] = (svg_curve){i == 5 ? name : "Enlarged Cardiomediastinum", i, 2, x, y, NULL, NULL};
    svg_lines(&p, &(svg_chart){.title = "t", .x_name = "x", .y_name = "y", .curve = curve, .curves = 6});
    CHECK(says(&p, "viewBox=\"0 0 480 386\""), "six rows: %.200s", p.data);
    CHECK(says(&p, "y=\"114\">nnn") && says(&p, "nn..</text>") && !says(&p, name), "the last row, shortened");
    tx_buffer_free(&p);
    svg_lines(&p, &(svg_chart){.title = "t", .x_name = "x", .y_name = "y", .curve = curve, .curves = 1});
    CHECK(says(&p, "viewBox=\"0 0 480 306\""), "one row: %.200s", p.data);
    tx_buffer_free(&p);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_report");
    test_splits();
    test_foreign_splits();
    test_page();
    test_choice();
    test_legend();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("bench_report");
}
