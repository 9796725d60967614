/* xor.c - a hidden layer learns what no straight line separates: whether exactly one of two inputs is 1.
 *
 * Now the loss is a node of the graph, and one call does a whole step: forward, backward, update. */
#include <stdio.h>
#include <thorax/thorax.h>

int main(void)
{
    static const float pairs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, answers[4] = {0, 1, 1, 0};

    tx_graph *g = tx_graph_new();
    tx_node *pair = tx_input(g, 2, 1, 1), *answer = tx_input(g, 1, 1, 1);
    tx_node *hidden = tx_relu(g, tx_linear(g, pair, "hidden", (tx_linear_args){.out = 8}));
    tx_node *logit = tx_linear(g, hidden, "out", (tx_linear_args){.out = 1});
    tx_node *loss = tx_bce_with_logits(g, logit, answer, NULL, (tx_bce_args){0});
    tx_node_keep(logit); /* else its memory may be used for something else before we look at it */

    /* Calls may be given what failed before: they fail, too, and the first message stays. So we check once. */
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = 4, .mode = TX_TRAIN});
    tx_optimizer *adam = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM});
    tx_status status = tx_weights_init(w, 0);
    float *in = tx_session_input(s, pair), *labels = tx_session_input(s, answer);
    for (int i = 0; i < 4 && in && labels; i++) {
        in[2 * i] = pairs[i][0];
        in[2 * i + 1] = pairs[i][1];
        labels[i] = answers[i];
    }
    float now = 0, logits[4] = {0};
    for (int step = 0; step < 300 && status == TX_OK; step++)
        status = tx_train_step(s, loss, adam, 0.03, &now);
    status = status ? status : tx_session_value(s, logit, logits);
    if (status) {
        fprintf(stderr, "xor: %s\n", tx_error_message());
        return 1;
    }
    int right = 0;
    for (int i = 0; i < 4; i++) {
        printf("xor: %.0f xor %.0f is 1 with probability %.3f\n", (double)pairs[i][0], (double)pairs[i][1],
               (double)tx_logisticf(logits[i]));
        right += (logits[i] > 0) == (answers[i] > 0);
    }
    tx_optimizer_free(adam);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return right == 4 && now < 0.1f ? 0 : 1;
}
