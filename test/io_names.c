/* io_names.c - texts of a table: cells that begin as labels do, strings at the edge of a block, names of which one begins
 * as another, parts of paths, images that are looked for in the middle of a table. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../io/dataset_private.h"

static void cells(void)
{
    static const struct {
        const char *text;
        int says;
    } cases[] = {{"", TX_CELL_BLANK},        {"nan", TX_CELL_BLANK},      {"NaN", TX_CELL_BLANK},
                 {"NA", TX_CELL_BLANK},      {"nano", TX_CELL_OTHER},     {"NaNs", TX_CELL_OTHER},
                 {"NAN", TX_CELL_OTHER},     {"N", TX_CELL_OTHER},        {"na", TX_CELL_OTHER},
                 {"NA ", TX_CELL_OTHER},     {" ", TX_CELL_OTHER},        {"1", TX_CELL_POSITIVE},
                 {"0", TX_CELL_NEGATIVE},    {"-1", TX_CELL_UNCERTAIN},   {"-0", TX_CELL_NEGATIVE},
                 {"1.0", TX_CELL_POSITIVE},  {"1.000", TX_CELL_POSITIVE}, {"-1.00", TX_CELL_UNCERTAIN},
                 {"-0.0", TX_CELL_NEGATIVE}, {"1.", TX_CELL_OTHER},       {"-1.", TX_CELL_OTHER},
                 {"1.01", TX_CELL_OTHER},    {"1.0x", TX_CELL_OTHER},     {"10", TX_CELL_OTHER},
                 {"01", TX_CELL_OTHER},      {"2", TX_CELL_OTHER},        {"/", TX_CELL_OTHER},
                 {"-", TX_CELL_OTHER},       {"--1", TX_CELL_OTHER},      {"+1", TX_CELL_OTHER},
                 {"1 ", TX_CELL_OTHER},      {".0", TX_CELL_OTHER},       {"-2", TX_CELL_OTHER},
                 {"1e0", TX_CELL_OTHER},     {"1.0.0", TX_CELL_OTHER},    {"0,0", TX_CELL_OTHER}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(tx_cell_read(cases[i].text) == cases[i].says, "'%s' says %d, expected %d", cases[i].text,
              tx_cell_read(cases[i].text), cases[i].says);
}

/* Blocks hold 2^18 bytes; a longer string has one of its own. What is written behind a block is seen when it is freed. */
static void strings(void)
{
    enum { BLOCK = 1 << 18 };
    char *from = tx_alloc(BLOCK + 10, 1);
    for (size_t i = 0; i < BLOCK + 9; i++)
        from[i] = (char)('a' + i % 23);
    static const size_t first[] = {0, 1, 100, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1};
    for (size_t f = 0; f < sizeof first / sizeof first[0]; f++)
        for (size_t rest = 0; rest < 4; rest++) {
            tx_dataset_text *t = tx_text_new();
            /* What is left of the block, less one, exactly, and one more, then another. */
            size_t second = first[f] + 2 < BLOCK ? BLOCK - first[f] - 3 + rest : rest;
            const char *a = tx_text_keep(t, from, first[f]), *b = tx_text_keep(t, from + 5, second),
                       *c = tx_text_keep(t, "last", 4);
            CHECK(a && strlen(a) == first[f] && memcmp(a, from, first[f]) == 0, "the first of %zu", first[f]);
            CHECK(b && strlen(b) == second && memcmp(b, from + 5, second) == 0, "the second of %zu", second);
            CHECK(c && strcmp(c, "last") == 0, "the last");
            tx_text_free(t);
        }
    tx_free(from);
    tx_text_free(NULL);
}

static void numbered(void)
{
    tx_names names = {0};
    tx_dataset_text *text = tx_text_new();
    static const char *const name[] = {"patient1", "patient10", "patient",   "",
                                       "patient1", "patient2",  "patient10", "p"};
    static const uint32_t wanted[] = {0, 1, 2, 3, 0, 4, 1, 5};
    for (size_t i = 0; i < 8; i++) {
        uint32_t number = 99;
        char padded[32];
        snprintf(padded, sizeof padded, "%s#behind", name[i]);
        CHECK(tx_names_number(&names, text, padded, strlen(name[i]), &number) == TX_OK && number == wanted[i],
              "'%s' is number %u", name[i], number);
    }
    CHECK(names.count == 6, "%zu names", names.count);
    for (uint32_t i = 0; i < 3000; i++) {
        char longer[16];
        uint32_t number;
        int n = snprintf(longer, sizeof longer, "n%u", i / 2);
        tx_names_number(&names, text, longer, (size_t)n, &number);
        CHECK(number == 6 + i / 2 && strcmp(names.name[number], longer) == 0, "'%s' is number %u", longer, number);
    }
    CHECK(names.count == 1506 && names.slots >= 2 * names.count, "%zu names in %zu slots", names.count, names.slots);
    tx_free(names.name);
    tx_free(names.slot);
    tx_text_free(text);
}

static void parts(void)
{
    static const struct {
        const char *path, *study, *patient;
    } cases[] = {{"a.jpg", NULL, NULL},
                 {"", NULL, NULL},
                 {"/a.jpg", NULL, NULL},
                 {"study1/a.jpg", NULL, NULL},
                 {"x/study1/a.jpg", NULL, NULL},
                 {"patient1/study1/a.jpg", "patient1/study1", "patient1"},
                 {"patient/study/a", "patient/study", "patient"},
                 {"x/patient12/study3/a.jpg", "x/patient12/study3", "patient12"},
                 {"/patient12/study3/a.jpg", "/patient12/study3", "patient12"},
                 {"patient1/study1/", "patient1/study1", "patient1"},
                 {"patient1/x/study1/a.jpg", NULL, NULL},
                 {"patien/study1/a.jpg", NULL, NULL},
                 {"patient1/stud/a.jpg", NULL, NULL},
                 {"apatient1/study1/a.jpg", NULL, NULL},
                 {"patient1/study1/a/b.jpg", NULL, NULL},
                 {"study1/patient1/a.jpg", NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = cases[i].path;
        size_t whole = strlen(path);
        char *copy = tx_strdup(path);
        const tx_path_groups of = tx_path_group(copy, 0);
        size_t study = of.study, patient = of.patient, end = of.patient_end;
        int is = of.known;
        if (cases[i].study)
            CHECK(is && study == strlen(cases[i].study) && strncmp(path, cases[i].study, study) == 0 &&
                      end - patient == strlen(cases[i].patient) &&
                      strncmp(path + patient, cases[i].patient, end - patient) == 0,
                  "'%s': study 0..%zu, patient %zu..%zu", path, study, patient, end);
        else
            CHECK(!is && study == whole && patient == 0 && end == whole, "'%s': %d, study 0..%zu, patient %zu..%zu",
                  path, is, study, patient, end);
        tx_free(copy);
    }
    static const struct {
        const char *path;
        size_t study, patient, end;
    } studies[] = {{"v/test/patient7/study1", 22, 7, 15},
                   {"patient7/study1/", 15, 0, 8},
                   {"patient7/study1//", 15, 0, 8},
                   {"patient7/x1", 11, 0, 11},
                   {"study1", 6, 0, 6},
                   {"", 0, 0, 0}};
    for (size_t i = 0; i < sizeof studies / sizeof studies[0]; i++) {
        const tx_path_groups of = tx_path_group(studies[i].path, 1);
        CHECK(of.known == (i < 3) && of.study == studies[i].study && of.patient == studies[i].patient &&
                  of.patient_end == studies[i].end,
              "'%s' itself: %d, study 0..%zu, patient %zu..%zu", studies[i].path, of.known, of.study, of.patient,
              of.patient_end);
    }
    static const struct {
        const char *path;
        tx_image_view view;
    } views[] = {{"a_frontal.jpg", TX_FRONTAL},
                 {"x_lateral/a_frontal.jpg", TX_FRONTAL},
                 {"a_lateral", TX_LATERAL},
                 {"frontal.jpg", TX_VIEW_UNKNOWN},
                 {"x_frontal/a.jpg", TX_VIEW_UNKNOWN},
                 {"a_lateral_frontal.jpg", TX_VIEW_UNKNOWN},
                 {"a_frontal/", TX_VIEW_UNKNOWN},
                 {"", TX_VIEW_UNKNOWN}};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        CHECK(tx_path_view(views[i].path) == views[i].view, "'%s' is a view of another kind", views[i].path);
}

/* 300 images of which every seventh is not there: those of a part of the table, of which none but its own is told. */
static void looked_for(void)
{
    enum { IMAGES = 300 };
    FILE *f = fopen(temp_path("train.csv"), "w");
    fprintf(f, "Path,Edema\n");
    for (int i = 0; i < IMAGES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.jpg", i);
        fprintf(f, "%s,1\n", name);
        if (i % 7)
            temp_text(temp_path(name), "");
    }
    fclose(f);
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    CHECK(d && d->images == IMAGES, "%s", tx_error_message());
    static const size_t from[] = {0, 0, 0, 1, 63, 64, 65, 128, 200, 299, 300, 7},
                        to[] = {300, 64, 65, 2, 65, 128, 193, 129, 300, 300, 300, 7};
    for (size_t k = 0; d && k < sizeof from / sizeof from[0]; k++) {
        unsigned char *missing = tx_alloc(IMAGES, 1);
        memset(missing, 9, IMAGES);
        CHECK(tx_dataset_look(d, from[k], to[k], missing) == TX_OK, "%s", tx_error_message());
        int right = 1;
        for (size_t i = 0; i < IMAGES; i++)
            right = right && missing[i] == (i < from[k] || i >= to[k] ? 9 : i % 7 == 0);
        CHECK(right, "images %zu to %zu", from[k], to[k]);
        tx_free(missing);
    }
    tx_dataset_free(d);
}

/* Parts named train, valid or test, and parts that begin as these do or go on behind them. */
static void places(void)
{
    static const struct {
        const char *path;
        size_t count;
        const char *last; /* below the folder */
    } cases[] = {{"b.jpg", 1, "b.jpg"},
                 {"train/b.jpg", 1, "train/b.jpg"},
                 {"a/train/b.jpg", 2, "train/b.jpg"},
                 {"a/valid/b.jpg", 2, "valid/b.jpg"},
                 {"a/test/b.jpg", 2, "test/b.jpg"},
                 {"a/train", 1, "a/train"},
                 {"a/tra/b.jpg", 1, "a/tra/b.jpg"},
                 {"a/t/b.jpg", 1, "a/t/b.jpg"},
                 {"a//b.jpg", 1, "a//b.jpg"},
                 {"a/trains/b.jpg", 1, "a/trains/b.jpg"},
                 {"a/xtrain/b.jpg", 1, "a/xtrain/b.jpg"},
                 {"a/Train/b.jpg", 1, "a/Train/b.jpg"},
                 {"atrain/b.jpg", 1, "atrain/b.jpg"},
                 {"a/valid/train/b.jpg", 3, "train/b.jpg"},
                 {"train/valid/b.jpg", 2, "valid/b.jpg"}};
    temp_text(temp_path("train.csv"), "Path,Edema\nx.jpg,1\n");
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    for (size_t i = 0; d && i < sizeof cases / sizeof cases[0]; i++) {
        char **place = NULL, *path = tx_strdup(cases[i].path);
        size_t n = 0;
        CHECK(tx_dataset_places(d, path, &place, &n) == TX_OK && n == cases[i].count, "%s has %zu places", path, n);
        CHECK(n > 0 && strncmp(place[n - 1], temp_folder, strlen(temp_folder)) == 0 &&
                  strcmp(place[n - 1] + strlen(temp_folder) + 1, cases[i].last) == 0,
              "the last place of %s is %s", path, n ? place[n - 1] : "none");
        tx_folder_names_free(place, n);
        /* Where none exists the last one is what messages name; where one does, that. */
        char *found = tx_dataset_locate(temp_folder, path);
        CHECK(found && strcmp(found + strlen(temp_folder) + 1, cases[i].last) == 0, "%s is looked for at %s", path,
              found);
        tx_free(found);
        tx_free(path);
    }
    char **place = NULL;
    size_t n = 0;
    CHECK(d && tx_dataset_places(d, "/a/train/b.jpg", &place, &n) == TX_OK && n == 1 &&
              strcmp(place[0], "/a/train/b.jpg") == 0,
          "an absolute path has one place");
    tx_folder_names_free(place, n);
    tx_dataset_free(d);
}

/* Rules for what -1 means, with blanks wherever they may stand, and names that begin alike or hold a +. */
static void rules(void)
{
    temp_text(temp_path("train.csv"), "Path,Edema,Edema+,Ede,b,b+Edema\nx.jpg,-1,-1,-1,-1,-1\n");
    static const struct {
        const char *list, *labels;
    } cases[] = {{"ignore", "-----"},
                 {"ones", "11111"},
                 {" ones ", "11111"},
                 {"zeros,ones:Edema", "10000"},
                 {"zeros,ones:Edema ", "10000"},
                 {" zeros , ones:Edema  ,ignore:Ede ", "10-00"},
                 {"ones:Ede,zeros", "00100"},
                 {"ones:Edema+,zeros", "01000"},
                 {"ones:Edema++b,zeros", "01010"},
                 {"ones:b+Edema,zeros", "00001"},
                 {"ones:b+Ede,zeros", "00110"},
                 {"ones:Ede+Edema+b,zeros", "10110"},
                 {"ones:Pneumonia,zeros", "00000"},
                 {"ones:Edema,zeros:Ede,ignore", "1-0--"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_dataset *d =
            tx_dataset_open(temp_folder, "train",
                            &(tx_dataset_options){.tasks = "Edema,Edema+,Ede,b,b+Edema", .uncertain = cases[i].list});
        char found[6] = "";
        for (int t = 0; d && t < 5; t++)
            found[t] = "-01"[d->label[t] + 1];
        CHECK(d && strcmp(found, cases[i].labels) == 0, "'%s' gives %s, expected %s: %s", cases[i].list, found,
              cases[i].labels, d ? "" : tx_error_message());
        tx_dataset_free(d);
    }
    static const char *const bad[] = {"",
                                      "one",
                                      "oness",
                                      "ones:",
                                      "ones: ",
                                      "ones,zeros",
                                      "ones:Ed",
                                      "ones:Edemas",
                                      "ones,",
                                      "ones:Edema+Ed",
                                      "ones:Edema,zeros:Edema",
                                      "ones:b+b",
                                      ":Edema",
                                      "ones :",
                                      "ones:Edema+b+",
                                      ",ones"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tx_dataset *d = tx_dataset_open(
            temp_folder, "train", &(tx_dataset_options){.tasks = "Edema,Edema+,Ede,b,b+Edema", .uncertain = bad[i]});
        CHECK(!d, "'%s' is taken", bad[i]);
        tx_dataset_free(d);
    }
}

/* ---------------------------------------------------------------------------------------------- paths */
static void paths(void)
{
    static const char *const joined[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"},       {"", "b", "b"},
                                            {"/", "b", "/b"},  {"a//", "b", "a//b"},     {"a", "", "a/"},
                                            {"", "", ""},      {"a/b", "c/d", "a/b/c/d"}};
    for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++) {
        char *folder = tx_strdup(joined[i][0]), *name = tx_strdup(joined[i][1]), *path = tx_path_join(folder, name);
        CHECK(path && strcmp(path, joined[i][2]) == 0, "'%s' and '%s' are '%s'", folder, name, path);
        tx_free(folder);
        tx_free(name);
        tx_free(path);
    }
    temp_text(temp_path("file"), "");
    tx_path_kind kind = TX_PATH_OTHER;
    CHECK(tx_path_look(temp_path("file"), &kind) == TX_OK && kind == TX_PATH_FILE, "a file");
    CHECK(tx_path_look(temp_folder, &kind) == TX_OK && kind == TX_PATH_FOLDER, "a folder");
    CHECK(tx_path_look("/dev/null", &kind) == TX_OK && kind == TX_PATH_OTHER, "neither");
    CHECK(tx_path_look(temp_path("none"), &kind) == TX_OK && kind == TX_PATH_NONE, "nothing");
    kind = TX_PATH_FILE;
    CHECK(tx_path_look(temp_path("file/below"), &kind) == TX_OK && kind == TX_PATH_NONE, "nothing below a file");
    char *long_name = tx_alloc(5000, 1);
    memset(long_name, 'a', 4999);
    kind = TX_PATH_FILE;
    CHECK(tx_path_look(long_name, &kind) == TX_ERR_FILE && kind == TX_PATH_NONE &&
              strstr(tx_error_message(), "cannot look at"),
          "what cannot be told is an error: %s", tx_error_message());
    tx_free(long_name);
    static const char *const made[] = {"m", "m/n/", "m//o", "m/./p/q//"};
    for (int i = 0; i < 4; i++)
        CHECK(tx_folder_make(temp_path(made[i])) == TX_OK && tx_path_look(temp_path(made[i]), &kind) == TX_OK &&
                  kind == TX_PATH_FOLDER,
              "%s: %s", made[i], tx_error_message());
    CHECK(tx_folder_make("/") == TX_OK && tx_folder_make(".") == TX_OK, "%s", tx_error_message());
    CHECK(tx_folder_make("") == TX_ERR_FILE && tx_folder_make(temp_path("file")) == TX_ERR_FILE, "what is no folder");
    char **listed = NULL;
    size_t count = 0;
    static const char *const hidden[] = {".hidden", "...", "..a", "b"};
    for (int i = 0; i < 4; i++) {
        char *path = tx_path_join(temp_path("m/o"), hidden[i]);
        temp_text(path, "");
        tx_free(path);
    }
    CHECK(tx_folder_list(temp_path("m/o"), &listed, &count) == TX_OK && count == 4 && !strcmp(listed[0], "...") &&
              !strcmp(listed[1], "..a") && !strcmp(listed[2], ".hidden"),
          "%zu names, also hidden ones", count);
    tx_folder_names_free(listed, count);
    /* Leftovers: a name, .tmp. and digits; nothing else. */
    static const char *const names[] = {"a.tmp.1", "a.tmp.99", "a.tmp.",        "a.tmp.1x", ".tmp.1",
                                        "a.tmp1",  "atmp.1",   "a.tmp.1.tmp.2", "x"};
    static const int goes[] = {1, 1, 0, 0, 0, 0, 0, 1, 0};
    char *folder = tx_path_join(temp_folder, "m/n");
    for (int i = 0; i < 9; i++) {
        char *path = tx_path_join(folder, names[i]);
        temp_text(path, "");
        tx_free(path);
    }
    CHECK(tx_folder_sweep(folder, NULL) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < 9; i++) {
        char *path = tx_path_join(folder, names[i]);
        CHECK(tx_path_exists(path) == !goes[i], "%s %s", names[i], goes[i] ? "is left" : "is gone");
        tx_free(path);
    }
    tx_free(folder);
}

/* -------------------------------------------------------------------------------------------- nearness */
static int least(int a, int b)
{
    return a < b ? a : b;
}

/* By the definition, without a table: neighbours exchanged count one. */
static int slips(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0)
        return (int)(n + m);
    int best = slips(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    if (a[n - 1] == b[m - 1])
        return best;
    best = least(best, slips(a, n - 1, b, m) + 1);
    best = least(best, slips(a, n, b, m - 1) + 1);
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1])
        best = least(best, slips(a, n - 2, b, m - 2) + 1);
    return best;
}

static int distance(const char *typed, const char *name)
{
    size_t n = strlen(typed);
    int d = slips(typed, n, name, strlen(name));
    if (n >= 2 && strncmp(typed, name, n) == 0)
        d = least(d, 1);
    return n >= 4 && strstr(name, typed) ? least(d, 2) : d;
}

static const char *name_of(const void *names, int i)
{
    return ((const char *const *)names)[i];
}

static void nearness(void)
{
    for (int i = 0; i < 4000; i++) {
        char typed[12] = "", name[2][12] = {"", ""};
        const char *const names[] = {name[0], NULL, name[1]};
        for (size_t k = 0, n = temp_random() % 9; k < n; k++)
            typed[k] = "abc"[temp_random() % 3];
        for (int w = 0; w < 2; w++) {
            size_t n = 1 + temp_random() % 8;
            for (size_t k = 0; k < n; k++)
                name[w][k] = temp_random() % 4 && typed[k] ? typed[k] : "abc"[temp_random() % 3];
        }
        int d[2] = {distance(typed, name[0]), distance(typed, name[1])}, first = d[0] <= d[1] ? 0 : 1;
        size_t n = strlen(typed);
        int near = n < 5 ? 1 : n < 9 ? 2 : (int)n / 3;
        const char *wanted = n > 0 && d[first] <= near && d[first] < (int)strlen(name[first]) ? name[first] : NULL;
        const char *found = tx_nearest_name(typed, 3, name_of, names);
        CHECK(found == wanted, "to '%s' of '%s' and '%s' (%d, %d) nearest is %s", typed, name[0], name[1], d[0], d[1],
              found ? found : "none");
    }
    /* The longest names that are looked at, and one letter more; what is taken for each other. */
    for (size_t n = TX_NEAR_NAME - 3; n < TX_NEAR_NAME + 2; n++) {
        char typed[TX_NEAR_NAME + 4], name[TX_NEAR_NAME + 4];
        const char *const names[] = {name};
        memset(typed, 'x', n);
        typed[n] = 0;
        memcpy(name, typed, n + 1);
        name[n / 2] = 'y';
        CHECK((tx_nearest_name(typed, 1, name_of, names) != NULL) == (n < TX_NEAR_NAME), "%zu letters", n);
    }
    const char *const odd[] = {"Pleural Effusion", "eval-every", "az_AZ"};
    CHECK(tx_nearest_name("pleural-effusion", 3, name_of, odd) == odd[0], "blanks and capitals");
    CHECK(tx_nearest_name("EVAL_EVERY", 3, name_of, odd) == odd[1], "underscores");
    CHECK(tx_nearest_name("AZ-az", 3, name_of, odd) == odd[2], "the first and the last letter");
    CHECK(!tx_nearest_name("abc", 0, name_of, odd), "of nothing");
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_names");
    cells();
    strings();
    numbered();
    parts();
    looked_for();
    places();
    rules();
    paths();
    nearness();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_names");
}
