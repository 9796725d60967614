/* bench_batches.c - an image gets the same digits alone and in any batch, on any number of threads: sessions
 * planned for 16 images that run fewer, compared bit for bit with a session of one. */
#include "../nets/nets.h"
#include "test.h"

#include <string.h>

enum { SIZE = 64, BATCH = 16, CLASSES = 14 };

/* The logits of images [0, n) of a fixed list. */
static tx_status predict(const tx_network *net, tx_session *session, size_t first, size_t n, float *logits)
{
    size_t each = (size_t)SIZE * SIZE * 3;
    float *to = tx_session_input(session, net->image);
    for (size_t i = 0; i < n * each; i++)
        to[i] = 4 * tx_random_uniform(1, TX_RANDOM_TEST, 0, first * each + i) - 2;
    tx_status status = tx_session_batch(session, (int)n);
    if (status)
        return status;
    CHECK(tx_forward(session) == TX_OK, "%s", tx_error_message());
    return tx_session_value(session, net->logits, logits);
}

static void compare(const tx_network *net, tx_weights *weights, int threads, const float *alone)
{
    static const int batches[] = {16, 13, 9, 8, 3, 1};
    float logits[BATCH * CLASSES];
    tx_set_threads(threads);
    tx_session *session = tx_session_new(net->graph, weights, (tx_session_args){.batch = BATCH});
    CHECK(session != NULL, "%s", tx_error_message());
    for (size_t i = 0; session && i < sizeof batches / sizeof batches[0]; i++) {
        size_t n = (size_t)batches[i];
        tx_status status = predict(net, session, 0, n, logits);
        CHECK(status == TX_OK && memcmp(logits, alone, n * CLASSES * sizeof *logits) == 0,
              "%s: %zu images of a plan for %d on %d threads differ from each alone", net->choice.net->name, n,
              (int)BATCH, threads);
    }
    tx_session_free(session);
}

int main(void)
{
    tx_net_choice choice = {.net = tx_net_find("resnet18"), .classes = CLASSES, .size = SIZE};
    tx_network net;
    float alone[BATCH * CLASSES];
    CHECK(tx_network_build(&net, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *weights = tx_weights_new(net.graph, 0);
    if (!weights)
        return 1;
    tx_weights_init(weights, 0);
    tx_set_threads(1);
    tx_session *single = tx_session_new(net.graph, weights, (tx_session_args){.batch = 1});
    for (size_t i = 0; single && i < BATCH; i++)
        CHECK(predict(&net, single, i, 1, alone + i * CLASSES) == TX_OK, "image %zu: %s", i, tx_error_message());
    tx_session_free(single);
    for (int threads = 1; threads <= 3; threads++)
        compare(&net, weights, threads, alone);
    tx_weights_free(weights);
    tx_network_free(&net);
    return test_done("bench_batches");
}
