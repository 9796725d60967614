/* bench_runs.c - the run folder from inside: names, the chain of digests, what states and done marks note, verdicts on
 * folders, and a small run that begins, saves, evicts, stops, goes on, ends and is extended. */
#define _DEFAULT_SOURCE
#include "../bench/digests.h"
#include "../bench/run_private.h"
#include "../layers/layers.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ----------------------------------------------------------------------------------------------- names */
static void names(void)
{
    char out[48];
    uint64_t step = 7;
    CHECK(strcmp(step_name(512, out), "step-00000512.safetensors") == 0, "%s", out);
    CHECK(strcmp(step_name(1234567890, out), "step-1234567890.safetensors") == 0, "%s", out);
    CHECK(is_step_name("step-00000512.safetensors", &step) && step == 512, "step %llu", (unsigned long long)step);
    CHECK(is_step_name("step-123456789.safetensors", &step) && step == 123456789, "nine digits");
    static const char *const others[] = {"step-512.safetensors",
                                         "step-000000512.safetensors",
                                         "step-0000051x.safetensors",
                                         "step-00000512.safetensors.bak",
                                         "step-00000512",
                                         "step-.safetensors",
                                         "Step-00000512.safetensors",
                                         "step--0000512.safetensors",
                                         "step-99999999999999999999.safetensors",
                                         ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!is_step_name(others[i], &step), "'%s' is taken for a step's file", others[i]);
}

/* Each file of a run's names, and others that are nearly so. */
static void folders(void)
{
    static const char *const own[] = {"done",
                                      "report.html",
                                      "splits.csv",
                                      "log.csv",
                                      "metrics.csv",
                                      "digests.txt",
                                      "config.txt",
                                      "bad-images.csv",
                                      "state.safetensors",
                                      "environment.txt",
                                      "predictions-valid.csv",
                                      "predictions-test.csv",
                                      "checkpoints/step-00000001.safetensors",
                                      "states/step-00000002.safetensors"};
    static const char *const others[] = {"done.txt", "state.safetensors.old", "checkpoints/best.safetensors",
                                         "states/step-2.safetensors", "notes.tmp.1"};
    char first[64], *folder = tx_strdup(temp_path("folder"));
    int has;
    tx_folder_make(temp_path("folder/checkpoints"));
    tx_folder_make(temp_path("folder/states"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "folder/%s", others[i]);
        temp_text(temp_path(path), "mine");
    }
    CHECK(folder_holds(folder, first) == TX_OK && !first[0], "%s is taken for a run's", first);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        char path[128], left[160];
        snprintf(path, sizeof path, "folder/%s", own[i]);
        snprintf(left, sizeof left, "%s.tmp.12", path);
        temp_text(temp_path(path), "run");
        temp_text(temp_path(left), "run");
        CHECK(folder_holds(folder, first) == TX_OK && strcmp(first, own[i]) == 0, "%s: found '%s'", own[i], first);
        /* Options, state and first rows are there before anything has been done; the state and text files here hold more
         * than a header. */
        int early = i == 6 || i == 8 || i == 9;
        CHECK(folder_has_come(folder, &has) == TX_OK && has == !early, "%s: has come: %d", own[i], has);
        CHECK(folder_can_clear(folder) == TX_OK && folder_clear(folder) == TX_OK, "%s", tx_error_message());
        int stays = strcmp(own[i], "state.safetensors") == 0;
        CHECK(tx_path_exists(temp_path(path)) == stays, "%s: there after clearing", own[i]);
        CHECK(folder_sweep(folder) == TX_OK && !tx_path_exists(temp_path(left)), "%s.tmp.12 is there still", own[i]);
        unlink(temp_path(path));
        tx_folder_make(temp_path(path));
        CHECK(folder_can_clear(folder) == TX_ERR_FILE && strstr(tx_error_message(), own[i]), "a folder %s", own[i]);
        rmdir(temp_path(path));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "folder/%s", others[i]);
        CHECK(temp_holds(temp_path(path), "mine", 4), "%s was touched", others[i]);
    }
    temp_text(temp_path("folder/log.csv"), "step,epoch,exam");
    CHECK(folder_has_come(folder, &has) == TX_OK && !has, "a torn header is no row");
    temp_text(temp_path("folder/log.csv"), "step,Epoch,exam");
    CHECK(folder_has_come(folder, &has) == TX_OK && has, "another header is somebody's");
    tx_free(folder);
}

/* --------------------------------------------------------------------------------------- digests.txt */
static void chain(void)
{
    char sha256[65], link[65], line[256], text[1024] = "", found[65], *folder = tx_strdup(temp_path("chain"));
    size_t at;
    memcpy(link, digests_zeros, 65);
    tx_folder_make(folder);
    for (uint64_t step = 1; step <= 3; step++) {
        memset(sha256, 'a' + (char)step, 64);
        sha256[64] = 0;
        char joined[200], wanted[65];
        snprintf(joined, sizeof joined, "%s%llu %s", link, (unsigned long long)step * 10, sha256);
        tx_sha256 sha;
        tx_sha256_begin(&sha);
        tx_sha256_add(&sha, joined, strlen(joined));
        tx_sha256_end(&sha, wanted);
        digests_line(step * 10, sha256, link, line);
        CHECK(strcmp(link, wanted) == 0, "the chain of step %llu", (unsigned long long)step * 10);
        snprintf(joined, sizeof joined, "%llu %s %s\n", (unsigned long long)step * 10, sha256, wanted);
        CHECK(strcmp(line, joined) == 0, "the line of step %llu: %s", (unsigned long long)step * 10, line);
        strcat(text, line);
    }
    size_t each = strlen(text) / 3, size = strlen(text);
    temp_text(temp_path("chain/digests.txt"), text);
    CHECK(digests_find(folder, 20, found) == TX_OK && found[0] == 'c' && found[63] == 'c', "%s", tx_error_message());
    CHECK(digests_find(folder, 15, found) == TX_ERR_FORMAT && strstr(tx_error_message(), "no line of step 15"), "%s",
          tx_error_message());
    CHECK(digests_broken(folder, size, &at) == TX_OK && at == 0, "line %zu is broken", at);
    /* A change anywhere is found in its line, and what comes before it still holds. */
    for (size_t i = 0; i < size; i += 7) {
        char was = text[i];
        text[i] = was == '1' ? '2' : was == '\n' ? '\r' : '1';
        temp_text(temp_path("chain/digests.txt"), text);
        CHECK(digests_broken(folder, size, &at) == TX_OK && at == i / each + 1, "byte %zu: line %zu", i, at);
        CHECK((digests_find(folder, 10, found) == TX_OK) == (i >= each), "byte %zu, step 10: %s", i,
              tx_error_message());
        CHECK(digests_find(folder, 30, found) == TX_ERR_FORMAT, "byte %zu, step 30", i);
        CHECK(digests_broken(folder, i / each * each, &at) == TX_OK && at == 0, "bytes before the line of byte %zu", i);
        text[i] = was;
    }
    unlink(temp_path("chain/digests.txt"));
    CHECK(digests_find(folder, 10, found) == TX_ERR_FILE, "no file");
    tx_free(folder);
}

/* --------------------------------------------------------------------------------------------- positions */
static void fill(char digest[65], int with)
{
    memset(digest, "0123456789abcdef"[with & 15], 64);
    digest[64] = 0;
}

static run_position *example(void)
{
    run_position *at = tx_alloc(1, sizeof *at);
    *at =
        (run_position){.step = 12, .total = UINT64_MAX, .evaluated = 11, .digested = 10, .evicted = 9, .seconds = 1.5};
    at->kept = 3;
    for (size_t i = 0; i < 3; i++) {
        at->best[i] = (run_best){.step = 5 - i, .score = i == 2 ? (double)NAN : -0.1 * (double)i};
        fill(at->best[i].sha256, (int)i);
        fill(at->best[i].weights, (int)i + 9);
        char seal[65];
        fill(seal, (int)i + 3);
        position_add_state(at, i + 1, seal);
        position_add_end(at, 100 + i);
    }
    fill(at->chain, 6);
    fill(at->identity, 7);
    fill(at->former_done, 8);
    at->restarted = 1;
    for (int t = 0; t < RUN_TABLES; t++) {
        at->table[t].bytes = (uint64_t)t * 1000;
        fill(at->table[t].sha256, 9 + t);
    }
    at->config = tx_strdup("# options\ndata = \"/a\\\\b \xff\xc3\xa9\"\n");
    return at;
}

static int equal(const run_position *a, const run_position *b)
{
    int same = a->step == b->step && a->total == b->total && a->evaluated == b->evaluated &&
               a->digested == b->digested && a->evicted == b->evicted && a->seconds == b->seconds &&
               a->kept == b->kept && a->states == b->states && a->ends == b->ends && a->restarted == b->restarted &&
               a->clears == b->clears && strcmp(a->chain, b->chain) == 0 && strcmp(a->identity, b->identity) == 0 &&
               strcmp(a->former_config, b->former_config) == 0 && strcmp(a->former_done, b->former_done) == 0;
    for (size_t i = 0; same && i < a->kept; i++)
        same = a->best[i].step == b->best[i].step && strcmp(a->best[i].sha256, b->best[i].sha256) == 0 &&
               strcmp(a->best[i].weights, b->best[i].weights) == 0 &&
               (a->best[i].score == b->best[i].score || (isnan(a->best[i].score) && isnan(b->best[i].score)));
    for (size_t i = 0; same && i < a->states; i++)
        same = a->state[i].step == b->state[i].step && strcmp(a->state[i].seal, b->state[i].seal) == 0;
    for (size_t i = 0; same && i < a->ends; i++)
        same = a->end[i] == b->end[i];
    for (int t = 0; same && t < RUN_TABLES; t++)
        same = a->table[t].bytes == b->table[t].bytes && strcmp(a->table[t].sha256, b->table[t].sha256) == 0;
    return same;
}

static void positions(void)
{
    run_position *at = example(), *back = tx_alloc(1, sizeof *back);
    settings s = {0};
    CHECK(position_write(at, &s) == TX_OK && position_read(back, &s) == TX_OK && equal(at, back), "%s",
          tx_error_message());
    position_free(back);
    /* Without any of its keys, or with a text that none of them takes, it is none. */
    for (size_t i = 0; i < s.count; i++) {
        settings less = {0}, wrong = {0};
        for (size_t k = 0; k < s.count; k++) {
            if (k != i)
                settings_set(&less, s.pair[k].key, s.pair[k].value);
            settings_set(&wrong, s.pair[k].key, k == i ? "12 x;;" : s.pair[k].value);
        }
        CHECK(position_read(back, &less) == TX_ERR_FORMAT, "without %s", s.pair[i].key);
        int flag = strcmp(s.pair[i].value, "yes") == 0 || strcmp(s.pair[i].value, "no") == 0;
        CHECK(flag || position_read(back, &wrong) == TX_ERR_FORMAT, "a wrong %s", s.pair[i].key);
        settings_free(&less);
        settings_free(&wrong);
        position_free(back);
    }
    settings_free(&s);
    position_free(at);
    tx_free(at);
    tx_free(back);
}

static void done_marks(void)
{
    run_position *at = example(), *back = tx_alloc(1, sizeof *back);
    done_mark mark = {.state = ""}, got;
    fill(mark.state, 1);
    fill(mark.product[RUN_REPORT], 2);
    strcpy(mark.product[RUN_TEST_PREDICTIONS], "-");
    char *folder = tx_strdup(temp_path("marked"));
    unsigned char *text;
    size_t bytes;
    tx_folder_make(folder);
    CHECK(done_write(folder, &mark, at) == TX_OK && done_read(folder, &got, back) == TX_OK, "%s", tx_error_message());
    CHECK(equal(at, back) && strcmp(at->config, back->config) == 0, "the position comes back");
    CHECK(strcmp(mark.state, got.state) == 0 && memcmp(mark.product, got.product, sizeof mark.product) == 0,
          "state and products come back");
    position_free(back);
    CHECK(tx_file_read(temp_path("marked/done"), 1 << 20, &text, &bytes) == TX_OK, "%s", tx_error_message());
    /* Every byte changed, and every length: never taken for what it was. */
    int taken = 0;
    for (size_t i = 0; i < bytes; i++) {
        text[i] ^= 1;
        temp_write(temp_path("marked/done"), text, bytes);
        tx_status status = done_read(folder, &got, back);
        taken += status != TX_ERR_FORMAT && status != TX_ERR_ARGUMENT;
        text[i] ^= 1;
    }
    CHECK(taken == 0, "%d changed marks were taken", taken);
    for (size_t n = 0; n < bytes; n += 3) {
        temp_write(temp_path("marked/done"), text, n);
        CHECK(done_read(folder, &got, back) == TX_ERR_FORMAT, "%zu of %zu bytes", n, bytes);
    }
    tx_free(text);
    temp_text(temp_path("marked/done"), "step = 9\nconfig = 00\nidentity = 00\nchain = 00\n");
    CHECK(done_read(folder, &got, back) == TX_ERR_FORMAT, "no mark of any version");
    tx_free(folder);
    position_free(at);
    tx_free(at);
    tx_free(back);
}

/* ------------------------------------------------------------------------------------------------ a run */
static tx_graph *graph;
static tx_weights *weights;
static tx_optimizer *optimizer;
static uint64_t seen[3];
static settings config;
static char identity[65], run_folder[320];

static void set_weights(float first)
{
    for (size_t i = 0; i < weights->total; i++)
        weights->value[i] = first + (float)i;
    for (size_t i = 0; i < weights->trained; i++)
        tx_optimizer_state(optimizer, 0)[i] = -first - (float)i;
    tx_optimizer_set_steps(optimizer, (uint64_t)first);
    seen[0] = UINT64_MAX - (uint64_t)first;
}

static run_order order(const char *lr, uint64_t total)
{
    settings_set(&config, "lr", lr);
    settings_set(&config, "steps", total == 6 ? "6" : "9");
    return (run_order){.folder = run_folder, .config = &config, .identity = identity, .total = total, .constant = 1};
}

static run_verdict enter(run *r, const run_order *o)
{
    run_verdict verdict = run_enter(r, o);
    run_carry(r, "seen", seen, 3);
    return verdict;
}

/* One step, as a training takes it: a row, a digest, a checkpoint of this score among the best two, the state. */
static void take_step(run *r, double score)
{
    char row[64];
    r->at.step++;
    set_weights((float)r->at.step);
    snprintf(row, sizeof row, "%llu,row\n", (unsigned long long)r->at.step);
    tx_status status = tx_journal_add(r->table[RUN_LOG], row);
    if (status == TX_OK)
        status = run_digest(r, weights);
    r->at.evaluated = r->at.step;
    char *path = run_checkpoint_path(r, r->at.step);
    if (status == TX_OK && run_rank(r, score, 2)) {
        status = tx_checkpoint_save(path, weights, NULL, 0);
        if (status == TX_OK)
            status = run_checkpoint_written(r);
    }
    tx_free(path);
    if (status == TX_OK)
        status = run_save(r, weights, optimizer, 0);
    CHECK(status == TX_OK, "step %llu: %s", (unsigned long long)r->at.step, tx_error_message());
}

static int checkpoint_there(const run *r, uint64_t step)
{
    char *path = run_checkpoint_path(r, step);
    int there = tx_path_exists(path);
    tx_free(path);
    return there;
}

/* What a state holds comes back, the evicted checkpoint is gone, and what lies behind the tables' lengths too. */
static void goes_on(run *r, const run_order *o, float first)
{
    float wanted[2] = {first, first + (float)weights->total - 1};
    set_weights(1000);
    CHECK(enter(r, o) == RUN_RESUMED, "%s", tx_error_message());
    CHECK(run_begin(r, RUN_RESUMED, o, weights, optimizer) == TX_OK, "%s", tx_error_message());
    CHECK(weights->value[0] == wanted[0] && weights->value[weights->total - 1] == wanted[1] &&
              tx_optimizer_state(optimizer, 0)[1] == -first - 1 && tx_optimizer_steps(optimizer) == (uint64_t)first &&
              seen[0] == UINT64_MAX - (uint64_t)first,
          "step %llu: weights, optimiser or arrays are not those of the state", (unsigned long long)r->at.step);
}

static void begins(run *r)
{
    run_order o = order("0.1", 6);
    CHECK(enter(r, &o) == RUN_FRESH && !tx_path_exists(o.folder), "entering has made the folder");
    set_weights(0);
    CHECK(run_begin(r, RUN_FRESH, &o, weights, optimizer) == TX_OK, "%s", tx_error_message());
    /* Killed before the first step: the state is there, whatever else is not. */
    run_leave(r);
    unlink(temp_path("run/config.txt"));
    unlink(temp_path("run/log.csv"));
    goes_on(r, &o, 0);
    CHECK(tx_path_exists(temp_path("run/config.txt")) && tx_path_exists(temp_path("run/log.csv")), "not made again");
    take_step(r, 0.5);
    take_step(r, 0.7);
    CHECK(r->at.evicted == 0 && run_remove_evicted(r) == TX_OK && checkpoint_there(r, 1), "nothing leaves yet");
    take_step(r, 0.6);
    CHECK(r->at.evicted == 1 && checkpoint_there(r, 1), "the first one leaves after the state");
    /* Killed here: it is noted, and goes. */
    tx_journal_add(r->table[RUN_LOG], "4,lost\n");
    run_leave(r);
    goes_on(r, &o, 3);
    CHECK(!checkpoint_there(r, 1) && checkpoint_there(r, 2) && checkpoint_there(r, 3), "the list of the best");
    static const char log[] = "step,epoch,examples,loss,lr,images_per_s,seconds\n1,row\n2,row\n3,row\n";
    CHECK(temp_holds(temp_path("run/log.csv"), log, sizeof log - 1), "the rows of the three steps");
    CHECK(!run_has_kept_state(r) && run_save(r, weights, optimizer, 1) == TX_OK && run_has_kept_state(r), "%s",
          tx_error_message());
    CHECK(run_save(r, weights, optimizer, 0) == TX_OK, "%s", tx_error_message());
    run_leave(r);
}

/* The verdicts on the run of three steps, and on others' lines. */
static void verdicts(run *r)
{
    run_order same = order("0.1", 6), other;
    CHECK(enter(r, &same) == RUN_RESUMED && !r->extends, "%s", tx_error_message());
    run_leave(r);
    other = order("0.2", 6);
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "--lr 0.1, found 0.2"), "%s",
          tx_error_message());
    run_leave(r);
    other.of_study = 1;
    CHECK(enter(r, &other) == RUN_REFUSED && !strstr(tx_error_message(), "--"), "%s", tx_error_message());
    run_leave(r);
    other = order("0.1", 2);
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "has done 3 steps"), "%s", tx_error_message());
    run_leave(r);
    other = order("0.1", 5);
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "not shorter"), "%s", tx_error_message());
    run_leave(r);
    other = order("0.1", 9);
    CHECK(enter(r, &other) == RUN_RESUMED && r->extends, "%s", tx_error_message());
    run_leave(r);
    other.constant = 0;
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "cannot be extended"), "%s",
          tx_error_message());
    run_leave(r);
    other = order("0.1", 6);
    other.identity = digests_zeros;
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "have changed since"), "%s",
          tx_error_message());
    run_leave(r);
    other = order("0.1", 6);
    other.restart = 1;
    CHECK(enter(r, &other) == RUN_FRESH && r->clear && tx_path_exists(temp_path("run/log.csv")), "%s",
          tx_error_message());
    run_leave(r);
    char *checkpoint = tx_strdup(temp_path("run/checkpoints/step-00000002.safetensors"));
    other.init = checkpoint;
    CHECK(enter(r, &other) == RUN_REFUSED && strstr(tx_error_message(), "lies in the folder"), "%s",
          tx_error_message());
    run_leave(r);
    tx_free(checkpoint);
    /* Somebody else at work. */
    tx_lock *lock;
    pid_t child = fork();
    if (child == 0) {
        tx_lock_take(temp_path("run/.lock"), 0, &lock);
        temp_text(temp_path("locked"), "");
        usleep(5000000);
        _exit(0);
    }
    for (int i = 0; i < 500 && !tx_path_exists(temp_path("locked")); i++)
        usleep(10000);
    same = order("0.1", 6);
    CHECK(enter(r, &same) == RUN_REFUSED && strstr(tx_error_message(), "another process"), "%s", tx_error_message());
    run_leave(r);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void ends(run *r)
{
    run_order o = order("0.1", 6);
    goes_on(r, &o, 3);
    take_step(r, 0.1);
    take_step(r, 0.2);
    take_step(r, 0.9);
    CHECK(run_remove_evicted(r) == TX_OK && !checkpoint_there(r, 3) && checkpoint_there(r, 6), "the list of the best");
    temp_text(temp_path("run/predictions-valid.csv"), "valid");
    temp_text(temp_path("run/report.html"), "report");
    CHECK(run_finish(r, 1) == TX_OK, "%s", tx_error_message());
    run_leave(r);
    o = order("0.1", 6);
    CHECK(enter(r, &o) == RUN_FINISHED && !r->missing[RUN_REPORT] && !r->missing[RUN_TEST_PREDICTIONS], "%s",
          tx_error_message());
    run_leave(r);
    unsigned char *state, *kept;
    size_t bytes, kept_bytes;
    tx_file_read(temp_path("run/state.safetensors"), 1 << 20, &state, &bytes);
    tx_file_read(temp_path("run/states/step-00000003.safetensors"), 1 << 20, &kept, &kept_bytes);
    temp_write(temp_path("run/state.safetensors"), kept, kept_bytes);
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "done: is not of the state"), "%s",
          tx_error_message());
    run_leave(r);
    temp_write(temp_path("run/state.safetensors"), state, bytes);
    tx_free(state);
    tx_free(kept);
    unlink(temp_path("run/report.html"));
    CHECK(enter(r, &o) == RUN_FINISHED && r->missing[RUN_REPORT] && !r->missing[RUN_VALID_PREDICTIONS], "%s",
          tx_error_message());
    /* Killed while it is made again: another report is there, and is made once more. */
    set_weights(1000);
    CHECK(run_reopen(r) == TX_OK && seen[0] == UINT64_MAX - 6, "%s", tx_error_message());
    temp_text(temp_path("run/report.html"), "half a rep");
    run_leave(r);
    CHECK(enter(r, &o) == RUN_FINISHED && r->missing[RUN_REPORT], "%s", tx_error_message());
    CHECK(run_reopen(r) == TX_OK, "%s", tx_error_message());
    temp_text(temp_path("run/report.html"), "report");
    CHECK(run_finish(r, 1) == TX_OK, "%s", tx_error_message());
    run_leave(r);
    tx_journal *log = tx_journal_open(temp_path("run/log.csv"), TX_JOURNAL_ALL);
    uint64_t length = tx_journal_bytes(log);
    tx_journal_add(log, "7,row\n");
    tx_journal_close(log);
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "log.csv: more than the"), "%s",
          tx_error_message());
    run_leave(r);
    tx_journal_close(tx_journal_open(temp_path("run/log.csv"), length));
    temp_text(temp_path("run/report.html"), "Report");
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "once it is removed"), "%s", tx_error_message());
    run_leave(r);
    temp_text(temp_path("run/report.html"), "report");
}

static void extends(run *r)
{
    run_order o = order("0.1", 9);
    char former[65];
    unsigned char *done;
    size_t bytes;
    file_digest(o.folder, "done", former);
    tx_file_read(temp_path("run/done"), 1 << 20, &done, &bytes);
    goes_on(r, &o, 6);
    CHECK(r->at.total == 9 && r->at.ends == 1 && r->at.end[0] == 6, "the former end is noted");
    CHECK(strcmp(r->at.former_done, former) == 0 && !tx_path_exists(temp_path("run/done")), "the done mark has gone");
    run_leave(r);
    /* Killed before it went: it holds no longer. */
    temp_write(temp_path("run/done"), done, bytes);
    tx_free(done);
    goes_on(r, &o, 6);
    CHECK(!tx_path_exists(temp_path("run/done")), "the former done mark is back");
    run_leave(r);
    o = order("0.1", 6);
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "of 9 steps, found 6"), "%s", tx_error_message());
    run_leave(r);
    o = order("0.1", 9);
    goes_on(r, &o, 6);
    for (int i = 0; i < 3; i++)
        take_step(r, 0.3);
    CHECK(run_finish(r, 0) == TX_OK && !tx_path_exists(temp_path("run/state.safetensors")), "%s", tx_error_message());
    run_leave(r);
    CHECK(enter(r, &o) == RUN_FINISHED && !r->seal[0], "a finished run without a state: %s", tx_error_message());
    run_leave(r);
    o.total = 12;
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "has kept no state"), "%s", tx_error_message());
    run_leave(r);
}

/* What the folder of a run in its midst must not have happened to it. */
static void damages(run *r)
{
    static const char *const files[] = {"state.safetensors",
                                        "config.txt",
                                        "log.csv",
                                        "metrics.csv",
                                        "digests.txt",
                                        "checkpoints/step-00000002.safetensors",
                                        "states/step-00000003.safetensors"};
    run_order o = order("0.1", 6);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        unsigned char *was;
        size_t bytes;
        snprintf(path, sizeof path, "run/%s", files[i]);
        CHECK(tx_file_read(temp_path(path), 1 << 24, &was, &bytes) == TX_OK, "%s", tx_error_message());
        for (size_t k = 0; k < 9; k++) {
            size_t place = bytes * k / 9;
            was[place] ^= 16;
            temp_write(temp_path(path), was, bytes);
            CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "damaged; ") &&
                      strstr(tx_error_message(), files[i]),
                  "%s, byte %zu: %s", files[i], place, tx_error_message());
            run_leave(r);
            was[place] ^= 16;
            temp_write(temp_path(path), was, place);
            CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "damaged; "), "%s cut at %zu: %s", files[i],
                  place, tx_error_message());
            run_leave(r);
        }
        unlink(temp_path(path));
        CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "is missing: damaged; "), "no %s: %s", files[i],
              tx_error_message());
        run_leave(r);
        temp_write(temp_path(path), was, bytes);
        tx_free(was);
    }
    CHECK(enter(r, &o) == RUN_RESUMED, "%s", tx_error_message());
    run_leave(r);
}

/* --restart takes the place of a run, whatever has become of it; what it began itself it goes on with. */
static void restarts(run *r)
{
    run_order o = order("0.5", 6);
    o.restart = 1;
    temp_text(temp_path("run/mine.csv"), "mine");
    CHECK(enter(r, &o) == RUN_FRESH && r->clear, "%s", tx_error_message());
    set_weights(0);
    CHECK(run_begin(r, RUN_FRESH, &o, weights, optimizer) == TX_OK, "%s", tx_error_message());
    CHECK(!tx_path_exists(temp_path("run/done")) && !tx_path_exists(temp_path("run/report.html")) &&
              !checkpoint_there(r, 6) && temp_holds(temp_path("run/mine.csv"), "mine", 4),
          "not cleared, or too much");
    /* Killed in the midst of clearing: what is left of the run before goes. */
    run_leave(r);
    temp_text(temp_path("run/done"), "of the run before");
    temp_text(temp_path("run/config.txt"), "of the run before");
    temp_text(temp_path("run/checkpoints/step-00000006.safetensors"), "of the run before");
    goes_on(r, &o, 0);
    CHECK(!tx_path_exists(temp_path("run/done")) && !checkpoint_there(r, 6), "files of the run before are left");
    take_step(r, 0.5);
    run_leave(r);
    temp_text(temp_path("run/checkpoints/step-00000006.safetensors"), "somebody's");
    goes_on(r, &o, 1);
    CHECK(checkpoint_there(r, 6), "clears after its first step still");
    run_leave(r);
    unlink(temp_path("run/checkpoints/step-00000006.safetensors"));
    o.restart = 0;
    CHECK(enter(r, &o) == RUN_RESUMED, "%s", tx_error_message());
    run_leave(r);
    o = order("0.6", 6);
    o.restart = 1;
    CHECK(enter(r, &o) == RUN_FRESH && r->clear, "another line with --restart: %s", tx_error_message());
    run_leave(r);
    temp_text(temp_path("run/state.safetensors"), "");
    CHECK(enter(r, &o) == RUN_FRESH && r->clear, "damage with --restart: %s", tx_error_message());
    run_leave(r);
}

/* Too few descriptors: an error, whatever the line says, and nothing has changed. */
static void few_descriptors(run *r)
{
    struct rlimit before, tight;
    run_order o = order("0.1", 6);
    getrlimit(RLIMIT_NOFILE, &before);
    int errors = 0, last = RUN_REFUSED, without = RUN_REFUSED;
    for (rlim_t n = 3; n < 40 && last == RUN_REFUSED; n++)
        for (o.restart = 0; o.restart < 2; o.restart++) {
            tight = before;
            tight.rlim_cur = n;
            setrlimit(RLIMIT_NOFILE, &tight);
            last = (int)enter(r, &o);
            int clear = r->clear;
            run_leave(r);
            setrlimit(RLIMIT_NOFILE, &before);
            without = o.restart ? without : last;
            CHECK((without != RUN_REFUSED && last == (o.restart ? RUN_FRESH : RUN_RESUMED)) ||
                      (last == RUN_REFUSED && !clear && strstr(tx_error_message(), "Too many open files") &&
                       !strstr(tx_error_message(), "damaged")),
                  "%d descriptors, restart %d: %d, %s", (int)n, o.restart, last, tx_error_message());
            errors += last == RUN_REFUSED;
        }
    CHECK(errors > 2, "only %d errors", errors);
    o.restart = 0;
    CHECK(enter(r, &o) == RUN_RESUMED, "%s", tx_error_message());
    run_leave(r);
}

/* A run of which not a step is done has nothing to lose: another line begins. */
static void unbegun(run *r)
{
    run_order o = order("0.1", 6);
    temp_remove(run_folder);
    CHECK(enter(r, &o) == RUN_FRESH && run_begin(r, RUN_FRESH, &o, weights, optimizer) == TX_OK, "%s",
          tx_error_message());
    run_leave(r);
    o = order("0.2", 6);
    CHECK(enter(r, &o) == RUN_FRESH && r->was_there && !r->clear, "%s", tx_error_message());
    run_leave(r);
    tx_journal *log = tx_journal_open(temp_path("run/log.csv"), TX_JOURNAL_ALL);
    tx_journal_add(log, "1,row\n");
    tx_journal_close(log);
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "--lr"), "%s", tx_error_message());
    run_leave(r);
    unlink(temp_path("run/state.safetensors"));
    CHECK(enter(r, &o) == RUN_REFUSED && strstr(tx_error_message(), "state.safetensors: is missing"), "%s",
          tx_error_message());
    run_leave(r);
    temp_text(temp_path("run/log.csv"), "step,");
    CHECK(enter(r, &o) == RUN_FRESH && r->was_there, "%s", tx_error_message());
    run_leave(r);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_runs");
    names();
    folders();
    chain();
    positions();
    done_marks();
    graph = tx_graph_new();
    tx_node *x = tx_input(graph, 3, 1, 1);
    tx_linear(graph, tx_batchnorm(graph, x, "bn", (tx_batchnorm_args){.eps = 1e-5}), "fc", (tx_linear_args){.out = 2});
    weights = tx_weights_new(graph, 1);
    optimizer = weights ? tx_optimizer_new(weights, (tx_optimizer_args){.kind = TX_SGD, .momentum = 0.9}) : NULL;
    run *r = tx_alloc(1, sizeof *r);
    fill(identity, 5);
    CHECK(optimizer && r, "%s", tx_error_message());
    if (optimizer && r) {
        settings_set(&config, "net", "small");
        snprintf(run_folder, sizeof run_folder, "%s", temp_path("run"));
        begins(r);
        verdicts(r);
        damages(r);
        few_descriptors(r);
        ends(r);
        extends(r);
        restarts(r);
        unbegun(r);
    }
    tx_free(r);
    settings_free(&config);
    tx_optimizer_free(optimizer);
    tx_weights_free(weights);
    tx_graph_free(graph);
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_runs");
}
