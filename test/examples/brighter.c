#include <thorax/thorax.h>
#include <stdio.h>

int main(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 1, 16, 16), *label = tx_input(g, 1, 1, 1), *mask = tx_input(g, 1, 1, 1);
    tx_node *x = tx_conv2d(g, image, "conv1", (tx_conv2d_args){.out = 8, .kernel = 3, .stride = 2, .padding = 1});
    x = tx_relu(g, tx_batchnorm(g, x, "bn1", (tx_batchnorm_args){.eps = 1e-5}));
    x = tx_conv2d(g, x, "conv2", (tx_conv2d_args){.out = 16, .kernel = 8});
    x = tx_linear(g, tx_relu(g, x), "fc", (tx_linear_args){.out = 1});
    tx_node *loss = tx_bce_with_logits(g, x, label, mask, (tx_bce_args){0});

    enum { BATCH = 32 };
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = BATCH, .mode = TX_TRAIN});
    tx_optimizer *adam = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM, .lr = 1e-2});
    if (!s || !adam || tx_weights_init(w, 0)) {
        fprintf(stderr, "%s\n", tx_error_message());
        return 1;
    }
    float first = 0, last = 0;
    for (uint64_t step = 0; step < 60; step++) {
        for (int i = 0; i < BATCH; i++) {
            int right = tx_random_below(0, TX_RANDOM_DATA, step, (uint64_t)i, 2) == 1;
            for (int p = 0; p < 256; p++)
                tx_session_input(s, image)[i * 256 + p] =
                    tx_random_uniform(1, TX_RANDOM_DATA, step, (uint64_t)(i * 256 + p)) +
                    (p % 16 / 8 == right ? 0.5f : 0);
            tx_session_input(s, label)[i] = (float)right;
            tx_session_input(s, mask)[i] = 1;
        }
        if (tx_train_step(s, loss, adam, 1e-2, &last)) {
            fprintf(stderr, "%s\n", tx_error_message());
            return 1;
        }
        first = step == 0 ? last : first;
    }
    printf("loss %.3f -> %.3f\n", (double)first, (double)last);
    tx_optimizer_free(adam);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return last < 0.1f ? 0 : 1;
}
