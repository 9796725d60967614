/* io_dataset.c - tables in CheXpert's likeness: every option, every error, groups, where images are looked for. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#define HEADER "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Edema,Consolidation,Pleural Effusion\n"

static tx_dataset *open_text(const char *text, const tx_dataset_options *options)
{
    temp_text(temp_path("train.csv"), text);
    return tx_dataset_open(temp_folder, "train", options);
}

static const char rows[] =
    HEADER "CheXpert-v1.0-small/train/patient1/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,0.0,\n"
           "CheXpert-v1.0-small/train/patient2/study2/view1_frontal.jpg,Male,0,Frontal,PA,,-1.0,1,-1\n"
           "CheXpert-v1.0-small/train/patient2/study2/view2_lateral.jpg,Male,0,Lateral,,,-1,1.0,0\n"
           "CheXpert-v1.0-small/train/patient2/study1/view1_frontal.jpg,Unknown,90,Frontal,LL,,,0,1.0\n";

static void check_labels(const char *what, tx_dataset_options options, const char *wanted)
{
    tx_dataset *d = open_text(rows, &options);
    char found[64] = "";
    size_t n = d ? d->images * (size_t)d->tasks : 0;
    for (size_t i = 0; i < n && i < 60; i++)
        found[i] = "-01"[d->label[i] + 1];
    CHECK(strcmp(found, wanted) == 0, "%s: found %s, expected %s (%s)", what, found, wanted, tx_error_message());
    tx_dataset_free(d);
}

static void options(void)
{
    check_labels("defaults", (tx_dataset_options){0},
                 "1000"
                 "0-1-"
                 "0-10"
                 "0001");
    check_labels("zeros", (tx_dataset_options){.uncertain = "zeros"},
                 "1000"
                 "0010"
                 "0010"
                 "0001");
    check_labels("ones", (tx_dataset_options){.uncertain = "ones"},
                 "1000"
                 "0111"
                 "0110"
                 "0001");
    check_labels("blank", (tx_dataset_options){.blank = TX_BLANK_IGNORE},
                 "1-0-"
                 "--1-"
                 "--10"
                 "--01");
    check_labels("frontal", (tx_dataset_options){.views = TX_VIEWS_FRONTAL},
                 "1000"
                 "0-1-"
                 "0001");
    check_labels("lateral", (tx_dataset_options){.views = TX_VIEWS_LATERAL}, "0-10");
    check_labels("limit", (tx_dataset_options){.limit = 2},
                 "1000"
                 "0-1-");
    check_labels("frontal limit", (tx_dataset_options){.limit = 3, .views = TX_VIEWS_FRONTAL},
                 "1000"
                 "0-1-"
                 "0001");
    check_labels("large limit", (tx_dataset_options){.limit = 99},
                 "1000"
                 "0-1-"
                 "0-10"
                 "0001");
    check_labels("a list", (tx_dataset_options){.tasks = "Pleural Effusion, Edema"},
                 "00"
                 "--"
                 "0-"
                 "10");
    check_labels("all", (tx_dataset_options){.tasks = "all", .limit = 1}, "1000");
}

static void contents(void)
{
    tx_dataset *d = open_text(rows, NULL);
    CHECK(d && d->images == 4 && d->tasks == 4 && d->studies == 3 && d->patients == 2, "%s", tx_error_message());
    CHECK(strcmp(d->task_names, "No Finding,Edema,Consolidation,Pleural Effusion") == 0, "%s", d->task_names);
    CHECK(strcmp(d->study_name[1], "CheXpert-v1.0-small/train/patient2/study2") == 0, "%s", d->study_name[1]);
    CHECK(strcmp(d->patient_name[1], "patient2") == 0, "%s", d->patient_name[1]);
    static const uint32_t study[] = {0, 1, 1, 2}, patient[] = {0, 1, 1, 1};
    for (size_t i = 0; i < 4; i++)
        CHECK(d->study[i] == study[i] && d->patient[i] == patient[i] && d->view[i] == (i != 2), "image %zu", i);
    const tx_label_counts *c = &d->counts[3];
    CHECK(c->positive == 1 && c->negative == 1 && c->uncertain == 1 && c->blank == 1, "counts of the last task");
    uint32_t index[] = {3, 1};
    float target[8], mask[8];
    tx_dataset_targets(d, index, 2, target, mask);
    static const float want_target[] = {0, 0, 0, 1, 0, 0, 1, 0}, want_mask[] = {1, 1, 1, 1, 1, 0, 1, 0};
    CHECK(memcmp(target, want_target, sizeof target) == 0 && memcmp(mask, want_mask, sizeof mask) == 0, "targets");
    tx_dataset_free(d);
}

/* Columns in another order, quotes, a byte order mark and CRLF: the same data by the names of the other split. */
static void other_order(void)
{
    temp_text(temp_path("valid.csv"),
              "\xef\xbb\xbf"
              "Pleural Effusion,\"Path\",Edema,AP/PA,Extra,Frontal/Lateral,Age,No Finding,Sex,Consolidation\r\n"
              "1.0,\"valid/patient9/study1/a,b.jpg\",0.0,AP,,Frontal,1,-1.0,Male,\r\n");
    tx_dataset *train = open_text(rows, NULL);
    tx_dataset *valid = tx_dataset_open(temp_folder, "valid", &(tx_dataset_options){.tasks = train->task_names});
    CHECK(valid && valid->tasks == 4 && strcmp(valid->task_names, train->task_names) == 0, "%s", tx_error_message());
    CHECK(valid->label[0] == -1 && valid->label[1] == 0 && valid->label[2] == 0 && valid->label[3] == 1, "by name");
    CHECK(strcmp(valid->path[0], "valid/patient9/study1/a,b.jpg") == 0, "%s", valid->path[0]);
    tx_dataset_free(train);
    tx_dataset_free(valid);
}

static void groups_of_odd_paths(void)
{
    tx_dataset *d = open_text(HEADER "a.jpg,,,Frontal,,,,,\nb.jpg,,,Frontal,,,,,\ntrain/c.jpg,,,Frontal,,,,,\n"
                                     "patient1/d.jpg,,,Frontal,,,,,\npatient1/study2/e.jpg,,,Frontal,,,,,\n"
                                     "/x/patient1/study2/f.jpg,,,Frontal,,,,,\np1/s1/g.jpg,,,Frontal,,,,,\n"
                                     "/patient/study/h.jpg,,,Frontal,,,,,\nstudy1/patient1/i.jpg,,,Frontal,,,,,\n"
                                     "patient1/study1/x/j.jpg,,,Frontal,,,,,\nmypatient1/study1/k.jpg,,,Frontal,,,,,\n",
                              NULL);
    static const char *const study[] = {"a.jpg",
                                        "b.jpg",
                                        "train/c.jpg",
                                        "patient1/d.jpg",
                                        "patient1/study2",
                                        "/x/patient1/study2",
                                        "p1/s1/g.jpg",
                                        "/patient/study",
                                        "study1/patient1/i.jpg",
                                        "patient1/study1/x/j.jpg",
                                        "mypatient1/study1/k.jpg"};
    static const char *const patient[] = {"a.jpg",
                                          "b.jpg",
                                          "train/c.jpg",
                                          "patient1/d.jpg",
                                          "patient1",
                                          "patient1",
                                          "p1/s1/g.jpg",
                                          "patient",
                                          "study1/patient1/i.jpg",
                                          "patient1/study1/x/j.jpg",
                                          "mypatient1/study1/k.jpg"};
    CHECK(d && d->images == 11 && d->alone == 8 && d->studies == 11 && d->patients == 10, "%s", tx_error_message());
    for (size_t i = 0; i < d->images; i++)
        CHECK(strcmp(d->study_name[d->study[i]], study[i]) == 0 &&
                  strcmp(d->patient_name[d->patient[i]], patient[i]) == 0,
              "%s: study %s, patient %s", d->path[i], d->study_name[d->study[i]], d->patient_name[d->patient[i]]);
    tx_dataset_free(d);
}

static void where(const tx_dataset *d, size_t i, const char *wanted)
{
    char *file = tx_dataset_file(d, i);
    CHECK(file && strcmp(file, wanted) == 0, "%s is looked for at %s, expected %s", d->path[i], file, wanted);
    tx_free(file);
}

static void looking_up(void)
{
    char text[2000], wanted[400];
    tx_folder_make(temp_path("train/p1/s1"));
    tx_folder_make(temp_path("train/test"));
    temp_text(temp_path("train/p1/s1/v.jpg"), "");
    temp_text(temp_path("train/test/v.jpg"), "");
    temp_text(temp_path("elsewhere.jpg"), "");
    snprintf(text, sizeof text,
             HEADER "%s/elsewhere.jpg,,,Frontal,,,,,\nCheXpert/train/p1/s1/v.jpg,,,Frontal,,,,,\n"
                    "/no/train/test/v.jpg,,,Frontal,,,,,\ntrain/none.jpg,,,Frontal,,,,,\nnone.jpg,,,Frontal,,,,,\n"
                    "atrain/valid/none.jpg,,,Frontal,,,,,\nx/train/y/train/p1/s1/v.jpg,,,Frontal,,,,,\n",
             temp_folder);
    tx_dataset *d = open_text(text, NULL);
    CHECK(d && d->images == 7, "%s", tx_error_message());
    static const char *const below[] = {"elsewhere.jpg", "train/p1/s1/v.jpg", "train/test/v.jpg", "train/none.jpg",
                                        "none.jpg",      "valid/none.jpg",    "train/p1/s1/v.jpg"};
    for (size_t i = 0; i < d->images; i++) {
        snprintf(wanted, sizeof wanted, "%s/%s", temp_folder, below[i]);
        where(d, i, i == 2 ? "/no/train/test/v.jpg" : wanted);
    }
    tx_dataset_free(d);
}

static void refused(const char *text, const tx_dataset_options *how, const char *message)
{
    tx_dataset *d = open_text(text, how);
    const char *found = tx_error_message();
    CHECK(!d && strstr(found, message), "found '%s', expected '%s'", d ? "a dataset" : found, message);
    CHECK(strchr(found, '\n') == NULL, "more than a line: %s", found);
    tx_dataset_free(d);
}

/* A row a study, as CheXpert's published test labels are. */
static void study_rows(void)
{
    static const tx_dataset_options how = {.studies = 1};
    tx_dataset *d = open_text("Age,Study,Edema,Other\n"
                              "1,CheXpert-v1.0/test/patient2/study1,1,7\n"
                              "2,CheXpert-v1.0/test/patient2/study2/,0,7\n"
                              "3,s4,1,7\n"
                              "4,CheXpert-v1.0/test/patient9/study1,0,7\n",
                              &how);
    CHECK(d && d->study_rows && d->images == 4 && d->tasks == 1 && d->studies == 4 && d->patients == 3 && d->alone == 1,
          "%s", d ? "counts" : tx_error_message());
    if (d) {
        CHECK(strcmp(d->study_name[1], "CheXpert-v1.0/test/patient2/study2") == 0 &&
                  strcmp(d->study_name[2], "s4") == 0,
              "studies '%s', '%s'", d->study_name[1], d->study_name[2]);
        CHECK(strcmp(d->patient_name[0], "patient2") == 0 && d->patient[1] == 0 && d->patient[3] == 2, "patients");
        CHECK(d->passed_columns == 1 && strcmp(d->passed[0].name, "Other") == 0, "Study is no column passed over");
    }
    tx_dataset_free(d);
    d = open_text("Study,Path,Edema\na/b,test/patient1/study1/x.jpg,1\n", &how);
    CHECK(d && !d->study_rows && strcmp(d->patient_name[0], "patient1") == 0, "Path goes before Study");
    tx_dataset_free(d);
}

static void errors(void)
{
    refused("", NULL, "train.csv: empty");
    refused(HEADER, NULL, "train.csv: a header and no rows");
    refused("Sex,Age,Frontal/Lateral,AP/PA,Edema\n", NULL, "train.csv:1: no column 'Path'");
    refused("Study,Edema\na,1\n", NULL, "train.csv:1: no column 'Path', but 'Study', which names no image");
    static const tx_dataset_options studies = {.studies = 1};
    refused("study,Edema\na,1\n", &studies, "train.csv:1: no column 'Path'");
    refused("Edema,Study\n1,\n", &studies, "train.csv:2: column 'Study': found '', expected the path of a study");
    refused("Path,Sex,Age,Frontal/Lateral,AP/PA\nx,,,Frontal,\n", NULL, "no column is a task");
    refused("Path,Sex,Age,Frontal/Lateral,AP/PA,A,B,A\n", NULL, "columns 6 and 8 are both named 'A'");
    refused("Path,Sex,Age,Frontal/Lateral,AP/PA,A,,C\n", NULL, "column 7 has no name");
    refused("Path,Sex,Age,Frontal/Lateral,AP/PA, A\n", NULL, "column 6 has a blank at an end of its name");
    refused("Path, Sex,Age,Frontal/Lateral,AP/PA,A\n", NULL, "column 2 has a blank at an end of its name");
    refused("Path,Sex,Age,Frontal/Lateral,AP/PA,A,B\t\n", NULL, "column 7 has a blank at an end of its name");
    refused("Path,\xe9\na.jpg,1\n", NULL, "column 2 has a name that is not UTF-8");
    char header[400];
    for (int n = 255; n <= 256; n++) {
        snprintf(header, sizeof header, "Path,%0*d\na.jpg,%s\n", n, 0, n == 255 ? "2" : "1");
        refused(header, NULL, n == 255 ? "no column is a task" : "column 2 has a name of more than 255 bytes");
    }
    refused("Path,\"A,B\"\na.jpg,1\n", NULL, "column 2 has a comma");
    refused("Path,A\n", NULL, "train.csv: a header and no rows");
    refused("Path,A\na.jpg\n", NULL, "train.csv:2: 1 fields, expected 2");
    refused("Path,A\na.jpg,nan\n", NULL, "no column is a task");
    refused("Path,A\na.jpg,1\n", &(tx_dataset_options){.tasks = "B"}, "no task 'B'");
    refused("A,B\n1,0\n", NULL, "train.csv:1: no column 'Path'");
    refused(HEADER "a,,,Frontal,,,,,\nb,,,Frontal,,,\n", NULL, "train.csv:3: 7 fields, expected 9");
    refused(HEADER "a,,,Frontal,,,,,,\n", NULL, "train.csv:2: 10 fields, expected 9");
    refused(HEADER "\na,,,Frontal,,,2.0,,\n", NULL,
            "train.csv:3: column 'Edema': found '2.0', expected 1.0, 0.0, -1.0 or nothing");
    static const char *const bad[] = {" 1",   "1 ",   "+1",       "1.",   ".0",  "0,0",  "-",    "--1",  "-1.0.",
                                      "1..0", "1.0 ", "\x01\xff", "10",   "1.1", "-nan", "NAN",  "none", "N/A",
                                      "1e0",  "01",   "0x1",      "1.01", "-.",  "-1.",  "null", "naN"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[200];
        snprintf(text, sizeof text, HEADER "a,,,Frontal,,,,,\"%s\"\n", bad[i]);
        refused(text, NULL, "train.csv:2: column 'Pleural Effusion': found '");
    }
    refused(HEADER "a,,,Frontal,,,,,\x1b[31mred\n", NULL, "found '\\x1b[31mred'");
    refused(HEADER "a,,,frontal,,,,,\n", NULL,
            "column 'Frontal/Lateral': found 'frontal', expected Frontal or Lateral");
    refused(HEADER ",,,Frontal,,,,,\n", NULL, "column 'Path': found ''");
    refused(HEADER "a,,,Frontal,,,,,\n", &(tx_dataset_options){.views = TX_VIEWS_LATERAL},
            "none of the 1 images is lateral");
    refused(HEADER "a,,,,,,,,\n", &(tx_dataset_options){.views = TX_VIEWS_LATERAL}, "lateral; of 1 neither a column");
    refused(HEADER "a\\b.jpg,,,Frontal,,,,,\n", NULL,
            "column 'Path': found 'a\\b.jpg', expected slashes between folders instead of backslashes");
    refused(HEADER "a,,,Frontal,,,,,\n", &(tx_dataset_options){.tasks = "competition"}, "no task 'Atelectasis'");
    refused(HEADER "a,,,Frontal,,,,,\n", &(tx_dataset_options){.tasks = "Edema,Edema"}, "'Edema' is listed twice");
    refused(HEADER "a,,,Frontal,,,,,\n", &(tx_dataset_options){.tasks = "Path"}, "no task 'Path'");
    refused(HEADER "a,,,Frontal,,,,,\n", &(tx_dataset_options){.tasks = "Edema,"}, "an empty name");
    refused(HEADER "a,,,Frontal,,,,\"x\n", NULL, "the file ends within a quoted field");
    CHECK(!tx_dataset_open(temp_path("none"), "train", NULL) &&
              strstr(tx_error_message(), "none/train.csv: cannot open"),
          "%s", tx_error_message());
}

static void competition(void)
{
    tx_dataset *d = open_text(
        "Path,Sex,Age,Frontal/Lateral,AP/PA,Pleural Effusion,Edema,Consolidation,Cardiomegaly,Atelectasis,Other\n"
        "a,,,Frontal,,1,0,1,0,1,\n",
        &(tx_dataset_options){.tasks = "competition"});
    CHECK(d && d->tasks == 5 && strcmp(d->task[4], "Pleural Effusion") == 0 && d->label[0] == 1 && d->label[3] == 0,
          "%s", tx_error_message());
    tx_dataset_free(d);
}

static void cut_and_random(void)
{
    for (size_t n = 0; n < sizeof rows - 1; n++) {
        temp_write(temp_path("train.csv"), rows, n);
        tx_dataset_free(tx_dataset_open(temp_folder, "train", NULL));
    }
    for (int i = 0; i < 2000; i++) {
        char data[sizeof rows];
        memcpy(data, rows, sizeof rows);
        for (int k = 0; k < 3; k++) {
            size_t at = temp_random() % (sizeof rows - 1);
            data[at] = (char)(temp_random() >> 30);
        }
        temp_write(temp_path("train.csv"), data, sizeof rows - 1);
        tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
        CHECK(d || tx_error_message()[0], "an error says why");
        tx_dataset_free(d);
    }
}

/* As many rows as CheXpert has, a tenth of them here. */
static void many(void)
{
    FILE *f = fopen(temp_path("test.csv"), "w");
    fputs(HEADER, f);
    for (int i = 0; i < 22341; i++)
        fprintf(f, "C/test/patient%d/study%d/view%d.jpg,Male,50,Frontal,AP,,,1.0,%s\n", i / 4, i / 2 % 2, i % 2,
                i % 3 ? "" : "-1.0");
    fclose(f);
    tx_dataset *d = tx_dataset_open(temp_folder, "test", NULL);
    CHECK(d && d->images == 22341 && d->studies == 11171 && d->patients == 5586, "%s", tx_error_message());
    for (size_t i = 0; d && i < d->images; i += 100)
        CHECK(d->study[i] == i / 2 && d->patient[i] == i / 4, "image %zu", i);
    tx_dataset_free(d);
}

static void no_memory(void)
{
    long before = tx_alloc_live();
    temp_text(temp_path("train.csv"), rows);
    for (long n = 0; n < 1000; n++) {
        tx_alloc_fail_after(n);
        tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
        char *file = d ? tx_dataset_file(d, 0) : NULL;
        tx_alloc_fail_after(-1);
        int fine = file != NULL;
        CHECK(fine || strstr(tx_error_message(), "out of memory"), "%s", tx_error_message());
        tx_free(file);
        tx_dataset_free(d);
        CHECK(tx_alloc_live() == before, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - before);
        if (fine) {
            CHECK(n > 20, "too few allocations to be true: %ld", n);
            return;
        }
    }
    CHECK(0, "never fine");
}

static void sample(void)
{
    tx_dataset *d = tx_dataset_open("bench/nih-sample-128", "train", NULL);
    if (!d)
        return;
    CHECK(d->images == 664 && d->tasks == 14 && strcmp(d->task[13], "Support Devices") == 0, "the sample");
    CHECK(d->counts[0].positive == 323 && d->counts[13].blank == 664, "its labels");
    CHECK(strcmp(d->task[3], "Lung Opacity") == 0 && d->counts[3].blank == 664, "its Lung Opacity is blank");
    for (size_t i = 0; i < d->images; i++) {
        char *file = tx_dataset_file(d, i);
        CHECK(tx_path_exists(file), "%s", file);
        tx_free(file);
    }
    tx_dataset_free(d);
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_dataset");
    options();
    contents();
    other_order();
    groups_of_odd_paths();
    looking_up();
    study_rows();
    errors();
    competition();
    cut_and_random();
    many();
    no_memory();
    sample();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_dataset");
}
