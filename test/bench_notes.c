/* bench_notes.c - what a run notes: the list of the best with ties and scores that are none, names of steps, positions that
 * come back, digests that follow from each other, done marks. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/digests.h"
#include "../bench/run_private.h"

#include <math.h>

static void better(void)
{
    const double nan = (double)NAN, order[] = {INFINITY, 1, 0.5, 0, -1e300, -INFINITY};
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 6; j++)
            CHECK(score_better(order[i], order[j]) == (i < j), "%g before %g", order[i], order[j]);
        CHECK(score_better(order[i], nan) && !score_better(nan, order[i]), "nan before %g", order[i]);
    }
    CHECK(!score_better(nan, nan) && !score_better(0.0, -0.0) && !score_better(-0.0, 0.0), "equals");
    double score = 7;
    CHECK(score_parse("nan", &score) == 0 && isnan(score), "nan is the score of no label");
    CHECK(score_parse("-0.25", &score) == 0 && score == -0.25, "%g", score);
    static const char *const bad[] = {"", "NaN", "nano", "na", "inf", "1e301", "0.5 ", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(score_parse(bad[i], &score) == -1, "'%s' is taken for a score", bad[i]);
}

static void ranks(const char *scores, size_t most, const char *wanted)
{
    char found[200] = "";
    run r;
    memset(&r, 0, sizeof r);
    for (const char *p = scores; *p; p++) {
        double score = *p == 'n' ? (double)NAN : *p - '0';
        r.at.step++;
        int in = run_rank(&r, score, most);
        snprintf(found + strlen(found), 20, "%s%d", in ? "+" : "-", (int)r.at.evicted);
    }
    strcat(found, ":");
    for (size_t i = 0; i < r.at.kept; i++)
        snprintf(found + strlen(found), 20, " %d", (int)r.at.best[i].step);
    CHECK(strcmp(found, wanted) == 0, "scores %s, %zu kept: %s, expected %s", scores, most, found, wanted);
}

static void ranking(void)
{
    ranks("123", 5, "+0+0+0: 3 2 1");
    ranks("321", 5, "+0+0+0: 1 2 3");
    ranks("132", 5, "+0+0+0: 2 3 1");
    ranks("111", 5, "+0+0+0: 1 2 3");
    ranks("111", 2, "+0+0-0: 1 2");
    ranks("1213", 2, "+0+0-0+1: 4 2");
    ranks("12345", 1, "+0+1+2+3+4: 5");
    ranks("54321", 1, "+0-0-0-0-0: 1");
    ranks("5155", 3, "+0+0+0+2: 1 3 4");
    ranks("51555", 3, "+0+0+0+2-0: 1 3 4");
    ranks("n", 2, "+0: 1");
    ranks("n1", 2, "+0+0: 2 1");
    ranks("1n", 2, "+0+0: 1 2");
    ranks("n1n2", 2, "+0+0-0+1: 4 2");
    ranks("nnn", 2, "+0+0-0: 1 2");
    ranks("nn0", 2, "+0+0+2: 3 1");
    ranks("n0n", 1, "+0+1-0: 2");
}

static void names(void)
{
    static const struct {
        const char *name;
        uint64_t step;
        int is;
    } cases[] = {{"step-00000512.safetensors", 512, 1},
                 {"step-00000000.safetensors", 0, 1},
                 {"step-99999999.safetensors", 99999999, 1},
                 {"step-100000000.safetensors", 100000000, 1},
                 {"step-18446744073709551615.safetensors", UINT64_MAX, 1},
                 {"step-18446744073709551616.safetensors", 0, 0},
                 {"step-512.safetensors", 0, 0},
                 {"step-000000512.safetensors", 0, 0},
                 {"step-00000512.safetensors2", 0, 0},
                 {"step-00000512.safetensor", 0, 0},
                 {"step-00000512", 0, 0},
                 {"step-0000051a.safetensors", 0, 0},
                 {"step-.safetensors", 0, 0},
                 {"step-+0000512.safetensors", 0, 0},
                 {"ste-00000512.safetensors", 0, 0},
                 {"Step-00000512.safetensors", 0, 0},
                 {"step-00000512.safetensors.tmp.1", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t step = 7;
        char again[48];
        int is = is_step_name(cases[i].name, &step);
        CHECK(is == cases[i].is && (!is || (step == cases[i].step && !strcmp(step_name(step, again), cases[i].name))),
              "%s: %d, step %llu", cases[i].name, is, (unsigned long long)step);
    }
    char *where = step_path("run", "states", 12);
    CHECK(strcmp(where, "run/states/step-00000012.safetensors") == 0, "%s", where);
    tx_free(where);
}

static const char *digits(char c)
{
    static char hex[4][65];
    static int next;
    next = (next + 1) % 4;
    memset(hex[next], c, 64);
    return hex[next];
}

static void make_position(run_position *at, size_t kept, size_t states, size_t ends)
{
    memset(at, 0, sizeof *at);
    at->step = 123;
    at->total = UINT64_MAX;
    at->evaluated = 120;
    at->digested = 100;
    at->evicted = 7;
    at->restarted = 1;
    at->seconds = 0.1;
    memcpy(at->chain, digits('a'), 65);
    memcpy(at->identity, digits('b'), 65);
    memcpy(at->former_done, digits('c'), 65);
    for (size_t i = 0; i < kept; i++) {
        at->best[i] = (run_best){.step = UINT64_MAX - i, .score = i % 5 == 4 ? (double)NAN : -1.0 / (double)(i + 3)};
        memcpy(at->best[i].sha256, digits((char)('0' + i % 10)), 65);
        memcpy(at->best[i].weights, digits((char)('a' + i % 6)), 65);
    }
    at->kept = kept;
    for (size_t i = 0; i < states; i++)
        position_add_state(at, UINT64_MAX - i, digits((char)('a' + i % 6)));
    for (size_t i = 0; i < ends; i++)
        position_add_end(at, UINT64_MAX - i);
    for (int t = 0; t < RUN_TABLES; t++) {
        at->table[t].bytes = UINT64_MAX - (uint64_t)t;
        memcpy(at->table[t].sha256, digits((char)('1' + t)), 65);
    }
}

static int same_position(const run_position *a, const run_position *b)
{
    int same = a->step == b->step && a->total == b->total && a->evaluated == b->evaluated &&
               a->digested == b->digested && a->evicted == b->evicted && a->restarted == b->restarted &&
               a->clears == b->clears && a->seconds == b->seconds && !strcmp(a->chain, b->chain) &&
               !strcmp(a->identity, b->identity) && !strcmp(a->former_config, b->former_config) &&
               !strcmp(a->former_done, b->former_done) && a->kept == b->kept && a->states == b->states &&
               a->ends == b->ends;
    for (size_t i = 0; same && i < a->kept; i++)
        same = a->best[i].step == b->best[i].step && !strcmp(a->best[i].sha256, b->best[i].sha256) &&
               !strcmp(a->best[i].weights, b->best[i].weights) &&
               (a->best[i].score == b->best[i].score || (isnan(a->best[i].score) && isnan(b->best[i].score)));
    for (size_t i = 0; same && i < a->states; i++)
        same = a->state[i].step == b->state[i].step && !strcmp(a->state[i].seal, b->state[i].seal);
    for (size_t i = 0; same && i < a->ends; i++)
        same = a->end[i] == b->end[i];
    for (int t = 0; same && t < RUN_TABLES; t++)
        same = a->table[t].bytes == b->table[t].bytes && !strcmp(a->table[t].sha256, b->table[t].sha256);
    return same;
}

static void positions(void)
{
    static run_position at, back;
    static const size_t counts[][3] = {{0, 0, 0}, {1, 1, 1}, {2, 0, 3}, {RUN_BEST, 20, 20}};
    for (size_t k = 0; k < 4; k++) {
        settings s = {0};
        make_position(&at, counts[k][0], counts[k][1], counts[k][2]);
        CHECK(position_write(&at, &s) == TX_OK && position_read(&back, &s) == TX_OK, "%s", tx_error_message());
        CHECK(same_position(&at, &back), "a position with %zu checkpoints comes back as another", counts[k][0]);
        position_free(&back);
        if (k == 2) {
            /* Each of its notes is needed, as it is. */
            settings all = {0};
            for (size_t i = 0; i < s.count; i++)
                settings_set(&all, s.pair[i].key, s.pair[i].value);
            for (size_t i = 0; i < all.count; i++) {
                settings without = {0};
                for (size_t j = 0; j < all.count; j++)
                    if (j != i)
                        settings_set(&without, all.pair[j].key, all.pair[j].value);
                CHECK(position_read(&back, &without) == TX_ERR_FORMAT, "without %s", all.pair[i].key);
                settings_free(&without);
            }
            settings_free(&all);
        }
        settings_free(&s);
        position_free(&at);
    }
    static const char *const bad[][2] = {
        {"step", "-1"},        {"step", ""},          {"total", "18446744073709551616"},
        {"chain", "abc"},      {"chain", ""},         {"identity", ""},
        {"former_done", "0"},  {"seconds", "-1"},     {"seconds", "nan"},
        {"best", "1 2"},       {"best", "1 0.5 abc"}, {"best", ";"},
        {"states", "1"},       {"states", "1 abc"},   {"ends", "1;x"},
        {"ends", "1 2"},       {"log.csv", ""},       {"log.csv", "1"},
        {"metrics.csv", "x 0"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        settings s = {0};
        make_position(&at, 1, 1, 1);
        position_write(&at, &s);
        settings_set(&s, bad[i][0], bad[i][1]);
        CHECK(position_read(&back, &s) == TX_ERR_FORMAT, "%s = '%s' is taken", bad[i][0], bad[i][1]);
        settings_free(&s);
        position_free(&at);
    }
    /* Digests of 63 and of 65 digits, and one checkpoint more than there is room for. */
    for (size_t n = 63; n < 66; n++) {
        settings s = {0};
        char text[400];
        make_position(&at, 1, 1, 1);
        position_write(&at, &s);
        char best[80];
        snprintf(best, sizeof best, "5 0.5 %s ", digits('0'));
        const char *const keys[] = {"chain", "best", "states", "digests.txt"}, *const begin[] = {"", best, "5 ", "5 "};
        for (int k = 0; k < 4; k++) {
            char *old = tx_strdup(settings_get(&s, keys[k]));
            snprintf(text, sizeof text, "%s%.*s", begin[k], (int)n,
                     "00000000000000000000000000000000000000000000000000000000000000000");
            settings_set(&s, keys[k], text);
            CHECK((position_read(&back, &s) == TX_OK) == (n == 64), "%s with %zu digits", keys[k], n);
            position_free(&back);
            settings_set(&s, keys[k], old);
            tx_free(old);
        }
        settings_free(&s);
        position_free(&at);
    }
    make_position(&at, RUN_BEST, 0, 0);
    settings s = {0};
    position_write(&at, &s);
    tx_buffer more = {0};
    tx_buffer_append(&more, settings_get(&s, "best"));
    tx_buffer_add(&more, ";1 0.5 %s %s", digits('d'), digits('e'));
    settings_set(&s, "best", more.data);
    CHECK(position_read(&back, &s) == TX_ERR_FORMAT, "one checkpoint more than there is room for");
    tx_buffer_free(&more);
    settings_free(&s);
    position_free(&at);
}

/* digests.txt: three lines; each byte that is changed breaks its line, and what is cut off is missing. */
static void chains(void)
{
    char chain[65], lines[800] = "", line[256], sha256[65];
    size_t end[3];
    memcpy(chain, digests_zeros, 65);
    for (int i = 0; i < 3; i++) {
        digests_line((uint64_t)(i == 2 ? 100 : 9 + i), digits((char)('a' + i)), chain, line);
        strcat(lines, line);
        end[i] = strlen(lines);
        CHECK(strlen(line) == (size_t)(i == 0 ? 1 : i == 1 ? 2 : 3) + 1 + 64 + 1 + 64 + 1, "line %d: %s", i, line);
    }
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, digests_zeros, 64);
    tx_sha256_add(&sha, lines, 1 + 1 + 64);
    tx_sha256_end(&sha, sha256);
    CHECK(strncmp(lines + 67, sha256, 64) == 0, "the first chain is %.64s", lines + 67);
    size_t broken = 99;
    const char *file = temp_path("digests.txt");
    temp_text(file, lines);
    CHECK(digests_broken(temp_folder, UINT64_MAX, &broken) == TX_OK && broken == 0, "line %zu is broken", broken);
    static const uint64_t steps[] = {9, 10, 100};
    for (int i = 0; i < 3; i++)
        CHECK(digests_find(temp_folder, steps[i], sha256) == TX_OK && strcmp(sha256, digits((char)('a' + i))) == 0,
              "step %d: %s", (int)steps[i], sha256);
    CHECK(digests_find(temp_folder, 1, sha256) == TX_ERR_FORMAT && strstr(tx_error_message(), "has no line of step 1"),
          "%s", tx_error_message());
    for (size_t at = 0; lines[at]; at += at % 5 + 1) {
        char was = lines[at];
        lines[at] = was == '0' ? '1' : '0';
        temp_text(file, lines);
        size_t wanted = at < end[0] ? 1 : at < end[1] ? 2 : 3;
        CHECK(digests_broken(temp_folder, UINT64_MAX, &broken) == TX_OK && broken == wanted,
              "byte %zu: line %zu is broken", at, broken);
        CHECK(digests_broken(temp_folder, wanted == 1 ? 0 : end[wanted - 2], &broken) == TX_OK && broken == 0,
              "what comes behind does not count, line %zu", broken);
        CHECK((digests_find(temp_folder, 100, sha256) == TX_ERR_FORMAT) &&
                  strstr(tx_error_message(), "does not follow"),
              "%s", tx_error_message());
        CHECK(wanted == 1 || digests_find(temp_folder, 9, sha256) == TX_OK, "a line before the broken one: %s",
              tx_error_message());
        lines[at] = was;
    }
    temp_write(file, lines, end[1] - 1);
    CHECK(digests_broken(temp_folder, UINT64_MAX, &broken) == TX_OK && broken == 2, "a torn line, %zu", broken);
    temp_text(file, "");
    CHECK(digests_broken(temp_folder, UINT64_MAX, &broken) == TX_OK && broken == 0, "no line at all");
    unlink(file);
    CHECK(digests_broken(temp_folder, 1, &broken) == TX_ERR_FILE && digests_find(temp_folder, 9, sha256) == TX_ERR_FILE,
          "no file");
}

/* A done mark comes back whole, and with one byte changed not at all. */
static void done_marks(void)
{
    static run_position at, back;
    done_mark mark = {.state = ""}, read;
    make_position(&at, 2, 1, 1);
    at.config = tx_strdup("# a\nnet = \"x\ny\"\nlr = 0.1\n");
    memcpy(mark.product[0], digits('e'), 65);
    memcpy(mark.product[2], "-", 2);
    CHECK(done_write(temp_folder, &mark, &at) == TX_OK && done_read(temp_folder, &read, &back) == TX_OK, "%s",
          tx_error_message());
    CHECK(same_position(&at, &back) && strcmp(at.config, back.config) == 0, "its notes are others");
    CHECK(!read.state[0] && !strcmp(read.product[0], mark.product[0]) && !read.product[1][0] &&
              !strcmp(read.product[2], "-") && !read.product[3][0],
          "its products are others");
    position_free(&back);
    memcpy(mark.state, digits('f'), 65);
    CHECK(done_write(temp_folder, &mark, &at) == TX_OK && done_read(temp_folder, &read, &back) == TX_OK &&
              !strcmp(read.state, mark.state),
          "its state: %s", tx_error_message());
    position_free(&back);
    unsigned char *text = NULL;
    size_t n = 0;
    tx_file_read(temp_path("done"), 1 << 20, &text, &n);
    for (size_t i = 0; i < n; i += 1 + i % 13) {
        unsigned char was = text[i];
        text[i] = (unsigned char)(was == 'z' ? 'y' : 'z');
        temp_write(temp_path("done"), text, n);
        tx_status status = done_read(temp_folder, &read, &back);
        CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), "done: "), "byte %zu of %zu: %d %s", i, n,
              (int)status, tx_error_message());
        position_free(&back);
        text[i] = was;
    }
    for (size_t cut = 1; cut < 200; cut += 66) {
        temp_write(temp_path("done"), text, n - cut);
        CHECK(done_read(temp_folder, &read, &back) == TX_ERR_FORMAT, "%zu bytes are cut off", cut);
        position_free(&back);
    }
    char *format = strstr((char *)text, "thorax-done 1");
    CHECK(format != NULL, "a format");
    if (format)
        format[12] = '2';
    temp_write(temp_path("done"), text, n);
    CHECK(done_read(temp_folder, &read, &back) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "another version"),
          "%s", tx_error_message());
    tx_free(text);
    position_free(&at);
    unlink(temp_path("done"));
}

static void folders(void)
{
    char first[64];
    int has = 7;
    static const char *const ours[] = {"done",
                                       "log.csv",
                                       "metrics.csv",
                                       "digests.txt",
                                       "bad-images.csv",
                                       "config.txt",
                                       "environment.txt",
                                       "predictions-valid.csv",
                                       "predictions-test.csv",
                                       "report.html",
                                       "splits.csv",
                                       "state.safetensors",
                                       "checkpoints/step-00000004.safetensors",
                                       "states/step-00000008.safetensors"};
    static const char *const theirs[] = {"done.txt",
                                         "don",
                                         "log.csv2",
                                         "my-config.txt",
                                         "checkpoints/step-4.safetensors",
                                         "checkpoints/notes",
                                         "states/step-00000008.safetensors.bak",
                                         ".lock"};
    char *folder = tx_path_join(temp_folder, "run");
    CHECK(folder_holds(folder, (first[0] = 0, first)) == TX_OK && !first[0], "no folder holds nothing");
    tx_folder_make(temp_path("run/checkpoints"));
    tx_folder_make(temp_path("run/states"));
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++) {
        char *path = tx_path_join(folder, theirs[i]);
        temp_text(path, "theirs");
        tx_free(path);
    }
    first[0] = 0;
    CHECK(folder_holds(folder, first) == TX_OK && !first[0] && folder_can_clear(folder) == TX_OK,
          "what is no run's: %s", first);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        char *path = tx_path_join(folder, ours[i]);
        temp_text(path, "ours");
        first[0] = 0;
        CHECK(folder_holds(folder, first) == TX_OK && !strcmp(first, ours[i]) && folder_can_clear(folder) == TX_OK,
              "%s is a run's: '%s'", ours[i], first);
        unlink(path);
        tx_folder_make(path);
        CHECK(folder_can_clear(folder) == TX_ERR_FILE && strstr(tx_error_message(), ours[i]), "a folder named %s: %s",
              ours[i], tx_error_message());
        rmdir(path);
        tx_free(path);
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        char *path = tx_path_join(folder, ours[i]), left[400];
        temp_text(path, "ours");
        snprintf(left, sizeof left, "%s.tmp.%zu", path, i);
        temp_text(left, "torn");
        tx_free(path);
    }
    temp_text(temp_path("run/notes.tmp.1"), "theirs");
    CHECK(folder_sweep(folder) == TX_OK && tx_path_exists(temp_path("run/notes.tmp.1")), "%s", tx_error_message());
    CHECK(folder_clear(folder) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        char *path = tx_path_join(folder, ours[i]), left[400];
        snprintf(left, sizeof left, "%s.tmp.%zu", path, i);
        CHECK(tx_path_exists(path) == (strcmp(ours[i], "state.safetensors") == 0), "%s after clearing", ours[i]);
        CHECK(!tx_path_exists(left), "%s is left", left);
        tx_free(path);
    }
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++) {
        char *path = tx_path_join(folder, theirs[i]);
        CHECK(temp_holds(path, "theirs", 6), "%s was no run's", theirs[i]);
        tx_free(path);
    }
    /* A table with its header alone is no work done; a byte more is. */
    for (int t = 0; t < RUN_TABLES; t++) {
        char *path = tx_path_join(folder, run_table_names[t]);
        temp_text(path, run_table_headers[t]);
        CHECK(folder_has_come(folder, &has) == TX_OK && (!has || t == RUN_ENVIRONMENT), "%s with its header: %d",
              run_table_names[t], has);
        char more[200];
        snprintf(more, sizeof more, "%sx", run_table_headers[t]);
        temp_text(path, more);
        CHECK(folder_has_come(folder, &has) == TX_OK && (has || t == RUN_ENVIRONMENT), "%s with a byte more: %d",
              run_table_names[t], has);
        unlink(path);
        tx_free(path);
    }
    tx_free(folder);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_notes");
    better();
    ranking();
    names();
    positions();
    chains();
    done_marks();
    folders();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_notes");
}
