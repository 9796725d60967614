/* io_tables.c - tables as people have them: few columns, further ones, cells of pandas, lists for -1, columns and paths that
 * stand twice, and the places where tables and images are looked for. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include <unistd.h>

static tx_dataset *open_text(const char *text, const tx_dataset_options *options)
{
    temp_text(temp_path("train.csv"), text);
    return tx_dataset_open(temp_folder, "train", options);
}

static void fails(const char *text, const tx_dataset_options *how, const char *message)
{
    tx_dataset *d = open_text(text, how);
    CHECK(!d && strstr(tx_error_message(), message), "found '%s', expected '%s'", d ? "a dataset" : tx_error_message(),
          message);
    tx_dataset_free(d);
}

/* Opens a table and compares its tasks, and its labels row by row. */
static tx_dataset *gives(const char *text, const tx_dataset_options *how, const char *tasks, const char *labels)
{
    tx_dataset *d = open_text(text, how);
    char found[200] = "";
    size_t n = d ? d->images * (size_t)d->tasks : 0;
    for (size_t i = 0; i < n && i < 199; i++)
        found[i] = "-01"[d->label[i] + 1];
    CHECK(d && strcmp(d->task_names, tasks) == 0 && strcmp(found, labels) == 0, "tasks %s, labels %s: %s",
          d ? d->task_names : "", found, tx_error_message());
    return d;
}

/* ------------------------------------------------------------------------------------------- columns */
static void few_columns(void)
{
    tx_dataset *d = gives("Path,Hernia\na_frontal.jpg,1\nb_lateral.jpg,0\nc.jpg,-1\nd_lateral_frontal.jpg,\n", NULL,
                          "Hernia", "10-0");
    static const unsigned char view[] = {TX_FRONTAL, TX_LATERAL, TX_VIEW_UNKNOWN, TX_VIEW_UNKNOWN};
    CHECK(d && memcmp(d->view, view, 4) == 0 && d->unknown_views == 0 && d->observations == 0, "views of names");
    tx_dataset_free(d);
    d = gives("Path,Hernia\na_frontal.jpg,1\nb_lateral.jpg,0\nc.jpg,0\n",
              &(tx_dataset_options){.views = TX_VIEWS_LATERAL}, "Hernia", "0");
    CHECK(d && d->unknown_views == 1 && d->images == 1, "one of unknown view left out");
    tx_dataset_free(d);
    /* The folder's name says nothing, and what the column says wins. */
    d = gives("Frontal/Lateral,Edema,Path\nLateral,1,a_frontal.jpg\nnan,0,b_frontal.jpg\n,0,x_lateral/c.jpg\n", NULL,
              "Edema", "100");
    CHECK(d && d->view[0] == TX_LATERAL && d->view[1] == TX_FRONTAL && d->view[2] == TX_VIEW_UNKNOWN,
          "views of a column");
    tx_dataset_free(d);
}

/* What is a task where nobody says so. */
static void label_columns(void)
{
    tx_dataset *d =
        gives("Unnamed: 0,Path,Sex,Age,a,b,c,d,e,f\n0,x.jpg,1,1,1,1.00,nan,,1,-1.0\n1,y.jpg,0,0,-0.0,2,NaN,,,NA\n",
              NULL, "a,e,f", "11-000");
    static const char *const passed[] = {"Unnamed: 0", "b", "c", "d"};
    CHECK(d && d->passed_columns == 4, "%zu columns passed over", d ? d->passed_columns : 0);
    for (size_t i = 0; d && i < d->passed_columns; i++)
        CHECK(strcmp(d->passed[i].name, passed[i]) == 0 && d->passed[i].index == (i == 0), "passed over: %s",
              d->passed[i].name);
    tx_dataset_free(d);
    /* An observation makes the others columns to be passed over, until they are named. */
    static const char mixed[] = "Path,Edema,Mass,Age,Pneumonia,Report\nx.jpg,1,0,1,0,none\n";
    d = gives(mixed, NULL, "Edema,Pneumonia", "10");
    CHECK(d && d->observations == 2 && d->passed_columns == 2 && strcmp(d->passed[0].name, "Mass") == 0 &&
              strcmp(d->passed[1].name, "Report") == 0 && d->passed[1].column == 6,
          "Mass and Report are passed over");
    tx_dataset_free(d);
    d = gives(mixed, &(tx_dataset_options){.tasks = "Mass, Pneumonia,Age"}, "Mass,Pneumonia,Age", "001");
    CHECK(d && d->passed_columns == 0 && d->observations == 2, "nothing to tell where tasks are named");
    tx_dataset_free(d);
    fails(mixed, &(tx_dataset_options){.tasks = "Report"},
          "column 'Report': found 'none', expected 1.0, 0.0, -1.0 or nothing");
    /* The last row decides, also behind a limit. */
    fails("Path,a\nx.jpg,1\ny.jpg,1\nz.jpg,maybe\n", &(tx_dataset_options){.limit = 1}, "no column is a task");
}

static void index_columns(void)
{
    tx_dataset *d = gives(",,Path,Edema\n0,7,x.jpg,1\n", NULL, "Edema", "1");
    CHECK(d && d->passed_columns == 2 && d->passed[1].index && d->passed[1].column == 2 && !d->passed[1].name[0],
          "two");
    tx_dataset_free(d);
    tx_dataset_free(gives("Unnamed: 0.1,Unnamed: 0,Path,a\n1,1,x.jpg,1\n", NULL, "a", "1"));
    tx_dataset_free(gives(",Path,a\n1,x.jpg,1\n", NULL, "a", "1"));
    tx_dataset_free(gives("Unnamed: x,Path,a\n1,x.jpg,1\n", NULL, "Unnamed: x,a", "11"));
    fails("Path,,Edema\nx.jpg,0,1\n", NULL, "column 2 has no name");
    fails("Path,Edema,\nx.jpg,0,1\n", NULL, "column 3 has no name");
    fails(",Path,a\n1,x.jpg,1\n", &(tx_dataset_options){.tasks = "a,"}, "an empty name");
}

static void cells(void)
{
    static const char *const cell[] = {"1",  "1.0",  "1.000", "0",   "0.00", "-0", "-0.0",
                                       "-1", "-1.0", "-1.00", "nan", "NaN",  "NA", ""};
    static const char want[] = "1110000uuubbbb";
    for (size_t i = 0; i < sizeof cell / sizeof *cell; i++) {
        char text[100], labels[2] = {want[i] == 'u' ? '-' : want[i] == 'b' ? '0' : want[i], 0};
        snprintf(text, sizeof text, "Path,Edema\nx.jpg,\"%s\"\n", cell[i]);
        tx_dataset *d = gives(text, NULL, "Edema", labels);
        const tx_label_counts *c = d ? d->counts : NULL;
        CHECK(c && c->positive == (want[i] == '1') && c->negative == (want[i] == '0') &&
                  c->uncertain == (want[i] == 'u') && c->blank == (want[i] == 'b'),
              "'%s' is counted as another", cell[i]);
        tx_dataset_free(d);
    }
}

static void names_of_columns(void)
{
    /* What is passed over may be named as it likes. */
    tx_dataset *d = gives("Path,\"a,b\",\xff,Edema\nx.jpg,1,1,1\n", NULL, "Edema", "1");
    CHECK(d && d->passed_columns == 2, "two columns passed over");
    tx_dataset_free(d);
    fails("Path,\"a,b\"\nx.jpg,1\n", NULL, "column 2 has a comma in its name");
    fails("Path,Edema, Mass\nx.jpg,1,1\n", NULL, "column 3 has a blank at an end of its name");
    for (int k = 0; k < TX_OBSERVATIONS; k++) {
        char text[100];
        snprintf(text, sizeof text, "Path,%s\nx.jpg,\n", tx_observation[k]);
        tx_dataset_free(gives(text, NULL, tx_observation[k], "0"));
    }
}

/* --------------------------------------------------------------------------------------- uncertain */
static void uncertain(const char *list, const char *labels)
{
    tx_dataset_free(gives("Path,Edema,B+C,B,Mass\nx.jpg,-1,-1,-1,-1\n",
                          &(tx_dataset_options){.tasks = "Mass,B+C,Edema,B", .uncertain = list}, "Mass,B+C,Edema,B",
                          labels));
    CHECK(tx_uncertain_check(list) == TX_OK, "%s: %s", list, tx_error_message());
}

static void not_uncertain(const char *list, int syntax, const char *message)
{
    fails("Path,Edema,B+C,B,Mass\nx.jpg,-1,-1,-1,-1\n",
          &(tx_dataset_options){.tasks = "Mass,B+C,Edema,B", .uncertain = list}, message);
    CHECK((tx_uncertain_check(list) != TX_OK) == syntax, "%s: checked without a table", list);
}

static void lists_for_uncertain(void)
{
    uncertain("ignore", "----");
    uncertain("zeros", "0000");
    uncertain("ones", "1111");
    uncertain("ones:Edema", "--1-");
    uncertain("zeros,ones:Edema+Mass", "1010");
    uncertain("ones:Edema+Mass , ignore:B+B+C,zeros", "1-1-");
    uncertain("ones:B+C,zeros:B+Edema", "-100");
    uncertain("ones:B+B+C", "-1-1");
    uncertain("ones:B+C+B", "-1-1");
    uncertain("ones,ignore:Cardiomegaly+Mass", "-111");
    not_uncertain("", 1, "expected ignore, zeros or ones, found ''");
    not_uncertain("one", 1, "found 'one'");
    not_uncertain("ones,", 1, "found ''");
    not_uncertain("ones,zeros", 1, "a second word for all other tasks: 'zeros'");
    not_uncertain("ones:", 1, "the table has no column ''");
    not_uncertain("Ones:Edema", 1, "found 'Ones'");
    not_uncertain("ones:Odema", 0, "the table has no column 'Odema'");
    not_uncertain("ones:Edemas", 0, "the table has no column 'Edemas'");
    not_uncertain("ones:Edema+", 0, "the table has no column ''");
    not_uncertain("ones:+Edema", 0, "the table has no column ''");
    not_uncertain("ones:Edema+Edema", 0, "names a task twice: 'Edema'");
    not_uncertain("ones:Edema,zeros:Mass+Edema", 0, "names a task twice: 'Edema'");
    /* A column that is no task may be named. */
    tx_dataset_free(
        gives("Path,Edema,Mass\nx.jpg,-1,-1\n", &(tx_dataset_options){.uncertain = "ones:Mass+Edema"}, "Edema", "1"));
}

/* ------------------------------------------------------------------------------------ what stands twice */
static void notes(void)
{
    tx_dataset *d = open_text("Path,a,b,c,d,e,f,g,h,i,j\n"
                              "1.jpg,1,1,0,-1,,0,1,1,1,1\n"
                              "2.jpg,0,0,1,-1,,0,1,0,0,0\n"
                              "3.jpg,-1,-1,-1,-1,,0,1,0,0,0\n"
                              "4.jpg,,0,1,-1,nan,,1,0,,\n",
                              &(tx_dataset_options){.tasks = "a,b,c,d,e,f,g,h,i,j"});
    static const struct {
        tx_task_state state;
        int twin, opposite;
    } want[] = {{TX_TASK_BOTH, -1, 0},       {TX_TASK_BOTH, 0, 0},   {TX_TASK_BOTH, 0, 1},
                {TX_TASK_UNLABELLED, -1, 0}, {TX_TASK_EMPTY, -1, 0}, {TX_TASK_NEGATIVE, -1, 0},
                {TX_TASK_POSITIVE, -1, 0},   {TX_TASK_BOTH, -1, 0},  {TX_TASK_BOTH, 7, 0},
                {TX_TASK_BOTH, 7, 0}};
    for (int k = 0; d && k < d->tasks; k++)
        CHECK(d->note[k].state == want[k].state && d->note[k].twin == want[k].twin &&
                  d->note[k].opposite == want[k].opposite,
              "%s: state %d, twin %d, opposite %d", d->task[k], (int)d->note[k].state, d->note[k].twin,
              d->note[k].opposite);
    CHECK(d != NULL, "%s", tx_error_message());
    tx_dataset_free(d);
    /* Blanks that are left out are no zeros. */
    d = open_text("Path,a,b,e\n1.jpg,1,1,\n2.jpg,0,0,\n4.jpg,,0,\n",
                  &(tx_dataset_options){.tasks = "a,b,e", .blank = TX_BLANK_IGNORE});
    CHECK(d && d->note[1].twin == -1 && d->note[2].state == TX_TASK_EMPTY, "%s", tx_error_message());
    tx_dataset_free(d);
}

static void repeated_paths(void)
{
    size_t count, first;
    tx_dataset *a = open_text("Path,a\nx.jpg,1\ny.jpg,0\nx.jpg,1\nz.jpg,0\nx.jpg,1\n", NULL);
    temp_text(temp_path("valid.csv"), "Path,a\nw.jpg,1\nz.jpg,0\nx.jpg,1\n");
    tx_dataset *b = tx_dataset_open(temp_folder, "valid", NULL);
    CHECK(a && b, "%s", tx_error_message());
    CHECK(tx_dataset_repeats(a, a, &count, &first) == TX_OK && count == 2 && first == 2, "in a: %zu, first %zu", count,
          first);
    CHECK(tx_dataset_repeats(b, b, &count, &first) == TX_OK && count == 0, "in b: %zu", count);
    CHECK(tx_dataset_repeats(a, b, &count, &first) == TX_OK && count == 2 && first == 1, "of b in a: %zu, first %zu",
          count, first);
    CHECK(tx_dataset_repeats(b, a, &count, &first) == TX_OK && count == 4 && first == 0, "of a in b: %zu, first %zu",
          count, first);
    tx_alloc_fail_after(0);
    tx_status status = tx_dataset_repeats(a, b, &count, &first);
    tx_alloc_fail_after(-1);
    CHECK(status == TX_ERR_MEMORY && count == 0, "without memory");
    tx_dataset_free(a);
    tx_dataset_free(b);
}

/* So many paths that their hashes meet, each twice but every seventh; names that begin others come after them. */
static void many_paths(void)
{
    enum { PATHS = 20000 };
    size_t count, first;
    FILE *f = fopen(temp_path("train.csv"), "w");
    fputs("Path,a\n", f);
    for (int i = 0; i < PATHS; i++)
        fprintf(f, "%d,1\n", PATHS - i);
    for (int i = 0; i < PATHS; i++)
        if (i % 7)
            fprintf(f, "%d,0\n", PATHS - i);
    fclose(f);
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    CHECK(d && tx_dataset_repeats(d, d, &count, &first) == TX_OK && count == PATHS - (PATHS + 6) / 7 && first == PATHS,
          "%zu repeated, first %zu: %s", count, first, tx_error_message());
    CHECK(d && d->studies == PATHS && d->patients == PATHS, "%zu studies of %d", d ? d->studies : 0, PATHS);
    tx_dataset_free(d);
}

/* -------------------------------------------------------------------------------------------- places */
static void make(const char *folder, const char *file)
{
    char path[400];
    tx_folder_make(temp_path(folder));
    snprintf(path, sizeof path, "%s/%s", folder, file);
    temp_text(temp_path(path), "");
}

static void found_at(const tx_dataset *d, size_t i, const char *wanted)
{
    char *file = tx_dataset_file(d, i), path[500];
    snprintf(path, sizeof path, "%s/%s", temp_folder, wanted);
    CHECK(file && strcmp(file, path) == 0, "%s is at %s, expected %s", d->path[i], file, path);
    tx_free(file);
    file = tx_dataset_locate(d->folder, d->path[i]);
    CHECK(file && strcmp(file, path) == 0, "%s is located at %s, expected %s", d->path[i], file, path);
    tx_free(file);
}

static void places_of(const tx_dataset *d, const char *path, const char *const *wanted, size_t n)
{
    char **places, whole[500];
    size_t count = 0;
    CHECK(tx_dataset_places(d, path, &places, &count) == TX_OK && count == n, "%s: %zu places, expected %zu", path,
          count, n);
    for (size_t i = 0; i < count && i < n; i++) {
        snprintf(whole, sizeof whole, wanted[i][0] == '/' ? "%.0s%s" : "%s/%s", temp_folder, wanted[i]);
        CHECK(strcmp(places[i], whole) == 0, "%s: place %zu is %s, expected %s", path, i, places[i], whole);
    }
    tx_folder_names_free(places, count);
}

#define B1 "CheXpert-v1.0 batch 1 (validate & csv)"
#define B2 "CheXpert-v1.0 batch 2 (train 1)"
#define B3 "CheXpert-v1.0 batch 3 (train 2)"

static void places(void)
{
    make("images/train/patient1/study1", "v.jpg");
    make("train/patient1/study1", "v.jpg");
    make("train/patient2/study1", "v.jpg");
    make("x/train/deep/valid", "v.jpg");
    tx_dataset *d = open_text("Path,a\nimages/train/patient1/study1/v.jpg,1\nimages/train/patient2/study1/v.jpg,1\n"
                              "x/train/deep/valid/v.jpg,1\ny/train/x/train/deep/valid/v.jpg,1\ncwd.jpg,1\n",
                              NULL);
    CHECK(d != NULL, "%s", tx_error_message());
    found_at(d, 0, "images/train/patient1/study1/v.jpg");
    found_at(d, 1, "train/patient2/study1/v.jpg");
    found_at(d, 2, "x/train/deep/valid/v.jpg");
    found_at(d, 3, "valid/v.jpg");
    /* Not in the working directory. */
    char before[1000];
    CHECK(getcwd(before, sizeof before) && chdir(temp_path("x/train/deep/valid")) == 0, "the working directory");
    temp_text("cwd.jpg", "");
    found_at(d, 4, "cwd.jpg");
    CHECK(chdir(before) == 0, "the working directory");
    places_of(d, "a/train/b/test/c.jpg",
              (const char *const[]){"a/train/b/test/c.jpg", "train/b/test/c.jpg", "test/c.jpg"}, 3);
    places_of(d, "train/c.jpg", (const char *const[]){"train/c.jpg"}, 1);
    places_of(d, "atrain/trained/train", (const char *const[]){"atrain/trained/train"}, 1);
    places_of(d, "/a/train/c.jpg", (const char *const[]){"/a/train/c.jpg"}, 1);
    tx_dataset_free(d);
}

/* Backslashes are refused, but in the name of a file that is there. */
static void backslashes(void)
{
    temp_text(temp_path("a\\b.jpg"), "");
    tx_dataset_free(gives("Path,a\na\\b.jpg,1\n", NULL, "a", "1"));
    fails(
        "Path,a\nx.jpg,1\nC\\train\\b.jpg,1\n", NULL,
        "train.csv:3: column 'Path': found 'C\\train\\b.jpg', expected slashes between folders instead of backslashes");
}

static void full_download(void)
{
    make(B2 "/patient1/study1", "f.jpg");
    make(B3 "/train/patient2/study1", "f.jpg");
    make(B3 "/patient1/study1", "f.jpg");
    make(B1 "/valid/patient3/study1", "f.jpg");
    make(B1 "/patient4/study1", "f.jpg");
    make(B2 "/patient5/study1", "f.jpg");
    temp_text(temp_path(B1 "/valid.csv"), "Path,a\nCheXpert-v1.0/valid/patient3/study1/f.jpg,1\n");
    static const char table[] =
        "Path,a\nCheXpert-v1.0/train/patient1/study1/f.jpg,1\nCheXpert-v1.0/train/patient2/study1/f.jpg,1\n"
        "CheXpert-v1.0/valid/patient3/study1/f.jpg,1\npatient4/study1/f.jpg,1\n"
        "CheXpert-v1.0/valid/patient5/study1/f.jpg,1\n" B2 "/patient5/study1/f.jpg,1\n";
    static const char *const at[] = {B2 "/patient1/study1/f.jpg",       B3 "/train/patient2/study1/f.jpg",
                                     B1 "/valid/patient3/study1/f.jpg", B1 "/patient4/study1/f.jpg",
                                     "valid/patient5/study1/f.jpg",     B2 "/patient5/study1/f.jpg"};
    tx_dataset *d = open_text(table, NULL);
    CHECK(d && d->batches == 3 && d->studies == 6 && d->alone == 0, "%s", tx_error_message());
    CHECK(d && strcmp(d->patient_name[d->patient[0]], "patient1") == 0 &&
              strcmp(d->study_name[d->study[0]], "CheXpert-v1.0/train/patient1/study1") == 0,
          "%s of %s", d->study_name[d->study[0]], d->patient_name[d->patient[0]]);
    for (size_t i = 0; d && i < d->images; i++)
        found_at(d, i, at[i]);
    places_of(d, "C/valid/p/f.jpg",
              (const char *const[]){"C/valid/p/f.jpg", "valid/p/f.jpg", B1 "/valid/p/f.jpg", B1 "/p/f.jpg",
                                    B2 "/valid/p/f.jpg", B3 "/valid/p/f.jpg"},
              6);
    tx_dataset_free(d);
    /* The tables lie in the first folder: as DIR it has the others beside it. */
    temp_text(temp_path(B1 "/train.csv"), table);
    d = tx_dataset_open(temp_path(B1), "train", NULL);
    CHECK(d && d->batches == 3, "%s", tx_error_message());
    for (size_t i = 0; d && i < 2; i++) {
        char *file = tx_dataset_file(d, i);
        CHECK(file && tx_path_exists(file) && strstr(file, at[i]), "%s is at %s", d->path[i], file);
        tx_free(file);
    }
    tx_dataset_free(d);
    remove(temp_path("valid.csv"));
    char *found = tx_dataset_table(temp_folder, "valid");
    CHECK(found && strcmp(found, temp_path(B1 "/valid.csv")) == 0, "valid.csv at %s", found);
    tx_free(found);
}

static void tables(void)
{
    char *none = tx_dataset_table(temp_folder, "test");
    CHECK(none && strcmp(none, temp_path("test.csv")) == 0, "no table: %s", none);
    tx_free(none);
    temp_text(temp_path("test_labels.csv"), "Path,No Finding\ntest/patient1/study1/view1_frontal.jpg,1\n");
    temp_text(temp_path("valid_labels.csv"), "Path,No Finding\n");
    char *found = tx_dataset_table(temp_folder, "valid");
    CHECK(found && strcmp(found, temp_path(B1 "/valid.csv")) == 0, "valid.csv at %s", found);
    tx_free(found);
    tx_dataset *d = tx_dataset_open(temp_folder, "test", NULL);
    CHECK(d && d->view[0] == TX_FRONTAL && strcmp(d->file, temp_path("test_labels.csv")) == 0, "%s",
          tx_error_message());
    tx_dataset_free(d);
    temp_text(temp_path("test.csv"), "Path,No Finding\na.jpg,1\n");
    d = tx_dataset_open(temp_folder, "test", NULL);
    CHECK(d && strcmp(d->file, temp_path("test.csv")) == 0 && d->alone == 1, "%s", tx_error_message());
    tx_dataset_free(d);
}

/* Every allocation failing in turn, with all that opening can do. */
static void no_memory(void)
{
    long before = tx_alloc_live();
    temp_text(temp_path("train.csv"), "Unnamed: 0,Path,a,b,c\n0,x/train/y_frontal.jpg,1,-1,z\n1,x\\y.jpg,0,1,z\n");
    temp_text(temp_path("x\\y.jpg"), "");
    for (long n = 0; n < 1000; n++) {
        tx_alloc_fail_after(n);
        tx_dataset *d = tx_dataset_open(temp_folder, "train", &(tx_dataset_options){.uncertain = "ones:a"});
        char **list = NULL;
        size_t count = 0;
        int fine = d && tx_dataset_places(d, "a/train/b.jpg", &list, &count) == TX_OK;
        tx_alloc_fail_after(-1);
        CHECK(fine || strstr(tx_error_message(), "out of memory"), "allocation %ld: %s", n, tx_error_message());
        tx_folder_names_free(list, count);
        tx_dataset_free(d);
        CHECK(tx_alloc_live() == before, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - before);
        if (fine) {
            CHECK(n > 30, "too few allocations to be true: %ld", n);
            return;
        }
    }
    CHECK(0, "never fine");
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_tables");
    few_columns();
    label_columns();
    index_columns();
    cells();
    names_of_columns();
    lists_for_uncertain();
    notes();
    repeated_paths();
    many_paths();
    places();
    backslashes();
    full_download();
    tables();
    no_memory();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_tables");
}
