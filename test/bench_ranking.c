/* bench_ranking.c - softmax and the largest outputs: alone, and as predict prints them of a network of 1000 classes. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/ranking.h"
#include "../bench/commands.h"
#include "../bench/model.h"
#include "io_temp.h"
#include "test.h"

#include <math.h>

#include "../bench/bench.h"

enum { CLASSES = 1000, ROOM = 1 << 16 };

static void shares(void)
{
    static const float large[] = {1000, 999, -1000, 1000}, one[] = {-7};
    float share[300], logit[300];
    double sum = 0, all = 0;
    ranking_softmax(large, 4, share);
    double e = exp(-1.0), total = 2 + e;
    CHECK(fabs((double)share[0] - 1 / total) < 1e-7 && fabs((double)share[1] - e / total) < 1e-7 && !(share[2] > 0) &&
              share[3] >= share[0] && share[3] <= share[0],
          "large logits: %g %g %g", (double)share[0], (double)share[1], (double)share[2]);
    ranking_softmax(one, 1, share);
    CHECK(share[0] >= 1 && share[0] <= 1, "one output");
    for (int i = 0; i < 300; i++) {
        logit[i] = 4 * tx_random_normal(1, TX_RANDOM_TEST, 0, (uint64_t)i);
        all += exp((double)logit[i]);
    }
    ranking_softmax(logit, 300, share);
    int right = 1;
    for (int i = 0; i < 300; i++) {
        double want = exp((double)logit[i]) / all;
        right &= fabs((double)share[i] - want) <= 1e-7 * want;
        sum += (double)share[i];
    }
    CHECK(right && fabs(sum - 1) < 1e-6, "shares sum to %.9g", sum);
}

static void largest(void)
{
    int wrong = 0;
    for (uint64_t round = 0; round < 200; round++) {
        float value[20];
        int order[20], n = 1 + (int)tx_random_below(2, TX_RANDOM_TEST, 1, 100 * round, 20);
        int k = 1 + (int)tx_random_below(2, TX_RANDOM_TEST, 1, 100 * round + 1, (uint32_t)n);
        for (int i = 0; i < n; i++)
            value[i] = (float)tx_random_below(2, TX_RANDOM_TEST, 1, 100 * round + 2 + (uint64_t)i, 6);
        ranking_top(value, n, k, order);
        for (int r = 0; r < k; r++) {
            /* So many stand before it: larger ones, and equal ones with a smaller number. */
            int ahead = 0;
            for (int i = 0; i < n; i++)
                ahead += value[i] > value[order[r]] || (!(value[i] < value[order[r]]) && i < order[r]);
            wrong += ahead != r;
        }
    }
    CHECK(wrong == 0, "%d are out of order", wrong);
}

static char said[ROOM];

/* What a command line of predict on that file prints; its exit status. */
static int predict(const char *line)
{
    char words[12][200];
    char *argv[12];
    options o = {0};
    int n = 0, keep = dup(1), errors = dup(2);
    for (const char *rest = line; n < 12 && next_item(&rest, ' ', words[n], sizeof words[n]) == 1; n++)
        argv[n] = words[n];
    fflush(stdout);
    int code = freopen(temp_path("out"), "w", stdout) && freopen(temp_path("err"), "w", stderr) ? 0 : -1;
    if (code == 0)
        code = options_read(&o, command_find("predict"), n, argv, NULL);
    if (code == 0)
        code = command_predict(&o);
    options_free(&o);
    fflush(stdout);
    fflush(stderr);
    dup2(keep, 1);
    dup2(errors, 2);
    close(keep);
    close(errors);
    unsigned char *bytes = NULL;
    size_t size;
    if (tx_file_read(temp_path(code ? "err" : "out"), ROOM - 1, &bytes, &size) == TX_OK)
        memcpy(said, bytes, size + 1);
    tx_free(bytes);
    return code;
}

/* The number behind the comma'th comma of the second line, as text up to the next. */
static double cell(int comma)
{
    const char *p = strchr(said, '\n');
    for (; p && comma > 0; comma--)
        p = strchr(p + 1, ',');
    return p ? strtod(p + 1, NULL) : -1;
}

static void weights_file(const char *path)
{
    tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 4, .classes = CLASSES, .size = 32};
    tx_network n;
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    CHECK(w && tx_weights_init(w, 3) == TX_OK && tx_checkpoint_save(path, w, NULL, 0) == TX_OK, "%s",
          tx_error_message());
    tx_weights_free(w);
    tx_network_free(&n);
}

#define LINE "%s %s --net resnet18 --cut 4 --size 32 --quiet "
static void printed(void)
{
    char line[1000], row[128], file[300], image[300], *end;
    float share[CLASSES], logit[CLASSES];
    double sum = 0;
    int order[3];
    snprintf(file, sizeof file, "%.250s", temp_path("w.safetensors"));
    snprintf(image, sizeof image, "%.250s", "test/pixels/colour-120x97-s2x2.jpg");
    weights_file(file);
    snprintf(line, sizeof line, LINE "--logits", file, image);
    CHECK(predict(line) == 0 && strncmp(said, "Path,logit_0,", 13) == 0, "logits: %.200s", said);
    for (int i = 0; i < CLASSES; i++)
        logit[i] = (float)cell(i + 1);
    ranking_softmax(logit, CLASSES, share);
    ranking_top(share, CLASSES, 3, order);
    snprintf(line, sizeof line, LINE "--batch 2", file, image);
    CHECK(predict(line) == 0 && strncmp(said, "Path,p_0,p_1,", 13) == 0, "probabilities: %.200s", said);
    int right = 1;
    for (int i = 0; i < CLASSES; i++) {
        right &= (float)cell(i + 1) >= share[i] && (float)cell(i + 1) <= share[i];
        sum += cell(i + 1);
    }
    CHECK(right && fabs(sum - 1) < 1e-5, "1000 outputs without names are not shares of one, sum %g", sum);
    snprintf(line, sizeof line, LINE "--top 3", file, image);
    CHECK(predict(line) == 0 && strncmp(said, "Path,top_1,p_1,top_2,p_2,top_3,p_3\n", 35) == 0, "top: %.200s", said);
    for (int r = 0; r < 3; r++)
        CHECK((int)cell(2 * r + 1) == order[r] && (float)cell(2 * r + 2) >= share[order[r]] &&
                  (float)cell(2 * r + 2) <= share[order[r]],
              "rank %d is %g, %d expected", r + 1, cell(2 * r + 1), order[r]);
    snprintf(line, sizeof line, LINE "--top 2 --json", file, image);
    snprintf(row, sizeof row, "\"top\":[{\"output\":%d,\"probability\":", order[0]);
    CHECK(predict(line) == 0 && (end = strstr(said, row)) != NULL &&
              (float)strtod(end + strlen(row), NULL) >= share[order[0]],
          "%s: %.300s", row, said);
    snprintf(line, sizeof line, LINE "--top 1 --logits", file, image);
    CHECK(predict(line) == 0 && strncmp(said, "Path,top_1,logit_1\n", 19) == 0 && (int)cell(1) == order[0], "%.100s",
          said);
    snprintf(line, sizeof line, LINE "--softmax --logits", file, image);
    CHECK(predict(line) == 2 && strstr(said, "--logits and --softmax"), "%.100s", said);
    snprintf(line, sizeof line, LINE "--top 1001", file, image);
    CHECK(predict(line) == 2 && strstr(said, "--top 1001"), "%.100s", said);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_ranking");
    shares();
    largest();
    printed();
    temp_end();
    return test_done("bench_ranking");
}
