/* bench_study_page.c - the page of a made-up study: that every section is there with its numbers, that its sentences follow the
 * figures, that nothing in it asks for anything elsewhere.
 *
 * `bench_study_page DATA OUT STUDIES SPLIT` makes the study and leaves its page in OUT, to be looked at. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/study_page.h"
#include "study_grid.h"
#include "test.h"

static char data[320], out[320];

static char *page; /* the text */
static int blank;  /* no study is positive */

static int count(const char *text)
{
    int n = 0;
    for (const char *at = page; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}
#define SAYS(text) CHECK(count(text) > 0, "the page does not say: %s", text)
#define SAYS_NOT(text) CHECK(count(text) == 0, "the page says: %s", text)

/* Jobs whose name has `without` in it are not there. */
static void make(const char *without, size_t replicates)
{
    study_data d;
    study_results r = {0};
    study_tests t = {0};
    settings shared = {0};
    size_t bytes;
    settings_set(&shared, "size", "64");
    settings_set(&shared, "bn-momentum.mnasnet1_0", "0.1");
    grid_entries(&d, out);
    for (size_t i = 0; without && i < d.entries; i++)
        if (strstr(d.entry[i].name, without)) {
            d.entry[i].state = ENTRY_FAILED;
            d.entry[i].why = tx_strdup("no <weights>");
        }
    CHECK(study_gather(&d, data) == TX_OK, "%s", tx_error_message());
    if (blank)
        memset(d.label, 0, d.units * (size_t)d.tasks);
    CHECK(study_results_make(&r, &d, &(study_how){replicates, 0}) == TX_OK && study_tests_make(&t, &r) == TX_OK &&
              study_results_write(&r, out) == TX_OK && study_tests_write(&t, &r, out) == TX_OK &&
              study_page_write(&(study_page){&r, &t, &shared, "thorax study --out DIR"}, out) == TX_OK,
          "%s", tx_error_message());
    tx_free(page);
    page = NULL;
    char *path = tx_path_join(out, "report.html");
    CHECK(tx_file_read(path, 5 << 20, (unsigned char **)&page, &bytes) == TX_OK, "%s", tx_error_message());
    tx_free(path);
    settings_free(&shared);
    study_tests_free(&t);
    study_results_free(&r);
    study_data_free(&d);
}

/* No script, no request: the only addresses are names of namespaces. */
static void check_still(void)
{
    SAYS_NOT("<script");
    SAYS_NOT("<link");
    SAYS_NOT("src=\"http");
    SAYS_NOT("href=\"http");
    SAYS_NOT("url(");
    SAYS_NOT("nan");
    SAYS_NOT(out);
    CHECK(count("<table>") == count("</table>") && count("<td") == count("</td>") && count("<tr") == count("</tr>") &&
              count("<div") == count("</div>") && count("<svg") == count("</svg>") && count("<li>") == count("</li>"),
          "what is opened is not closed");
    CHECK(count("<thead>") == count("<table>") && count("class=\"wide\"") == count("<table>"),
          "a table without a frame or head");
}

static void check_whole(void)
{
    make(NULL, 700);
    check_still();
    SAYS("Taken alone, the intervals of");
    CHECK(count("<svg") == 12, "%d pictures", count("<svg"));
    CHECK(count("<td class=\"name\">NASNet-A-Mobile</td>") >= 4, "the tables lack models");
    SAYS("17 networks from random weights, 17 from pretrained ones and 15 truncated, each trained once, by the AUC on "
         "test: 160 "
         "studies of 54 patients");
    SAYS("these networks are better with it");
    SAYS("made from pictures of fractals");
    SAYS("Pneumonia is the opposite of No Finding in every image");
    SAYS("fewer than 30 studies of a class");
    SAYS("mean5 is over ");
    SAYS("* fewer than 10 positives or negatives: the figure says little, and its interval is too narrow.");
    SAYS_NOT("1.0 times fewer");
    SAYS("(-1), (-2), (-3): so many");
    SAYS("Each model was trained once.");
    SAYS("49 of 49 jobs are complete.");
    SAYS("mnasnet1_0 (0.1): their own");
    SAYS("sex: female");
    SAYS("positive: Edema");
    SAYS("several views");
    SAYS("thorax study --out DIR");
    CHECK(count("<td class=\"digest\">00000000") == GRID_JOBS + 17, "%d digests",
          count("<td class=\"digest\">00000000"));
    SAYS("Not for clinical use");
    SAYS_NOT("too few for any single comparison");
    SAYS_NOT("valid also chose the checkpoints");
    SAYS_NOT("Not all jobs are here");
}

static void check_half(void)
{
    make("pretrained", 60);
    check_still();
    SAYS("17 networks from random weights, 0 from pretrained ones and 0 truncated");
    SAYS("32 of 49 are missing, failed or do not fit");
    SAYS("no &lt;weights&gt;");
    SAYS_NOT("these networks are better with it");
    SAYS_NOT("Which network is best.");
    SAYS_NOT("Truncation");
    make("resnet", 20);
    SAYS("Over the 13 networks");
    SAYS("densenet121.safetensors");
    SAYS_NOT(">resnet18<");
    SAYS("too few for any single comparison");
    char *path = tx_path_join(out, "panel-top1.svg");
    CHECK(tx_path_exists(path), "no %s", path);
    tx_free(path);
}

static void check_valid(void)
{
    temp_remove(out);
    temp_remove(data);
    grid_make(data, out, 60, 0);
    make(NULL, 40);
    check_still();
    SAYS("valid also chose the checkpoints.");
    SAYS("The best model in parts of the data");
    blank = 1;
    make(NULL, 40);
    check_still();
    SAYS("so no model has an AUC");
    SAYS_NOT("<b>Pretraining.");
    SAYS_NOT("<b>Chance.");
    SAYS_NOT("<b>Undefined resamples.");
    SAYS_NOT("<b>Correction.");
}

int main(int argc, char **argv)
{
    if (argc == 5) {
        snprintf(data, sizeof data, "%s", argv[1]);
        snprintf(out, sizeof out, "%s", argv[2]);
        grid_make(data, out, (size_t)atoi(argv[3]), strcmp(argv[4], "test") == 0);
        make(NULL, 1000);
        return 0;
    }
    if (!temp_begin())
        return 1;
    snprintf(data, sizeof data, "%s", temp_path("data"));
    snprintf(out, sizeof out, "%s", temp_path("study"));
    grid_make(data, out, 160, 1);
    check_whole();
    check_half();
    check_valid();
    tx_free(page);
    temp_end();
    return test_done("bench_study_page");
}
