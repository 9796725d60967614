/* line.c - the smallest program: a straight line is fitted to points, by gradient descent on the mean squared error.
 *
 * Shows the four parts of every training: a graph says what is computed, weights hold the numbers, a session runs the graph
 * on them, an optimiser changes them. The loss is not part of the graph here: its gradient is written down by hand. */
#include <stdio.h>
#include <thorax/thorax.h>

enum { POINTS = 32, STEPS = 200 };

int main(void)
{
    /* y = weight x + bias: a linear layer from one number to one number */
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 1, 1, 1);
    tx_node *y = tx_linear(g, x, "line", (tx_linear_args){.out = 1});
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = POINTS, .mode = TX_TRAIN});
    tx_optimizer *sgd = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_SGD, .momentum = 0.9});
    tx_status status = tx_weights_init(w, 0);

    /* Points of the line 2 x - 1, a little beside it. Draws are numbered: the same ones in every run. */
    float *in = tx_session_input(s, x), target[POINTS], out[POINTS], dy[POINTS];
    for (int i = 0; i < POINTS && in; i++) {
        in[i] = 2 * tx_random_uniform(1, TX_RANDOM_DATA, 0, (uint64_t)i) - 1;
        target[i] = 2 * in[i] - 1 + 0.05f * tx_random_normal(1, TX_RANDOM_DATA, 1, (uint64_t)i);
    }
    for (int step = 0; step < STEPS && status == TX_OK; step++) {
        /* loss = 1/n sum (y - target)^2, so d loss / d y = 2/n (y - target): backward begins with that */
        status = tx_forward(s);
        status = status ? status : tx_session_value(s, y, out);
        for (int i = 0; i < POINTS && status == TX_OK; i++)
            dy[i] = 2 * (out[i] - target[i]) / POINTS;
        status = status ? status : tx_backward(s, dy);
        status = status ? status : tx_optimizer_step(sgd, 0.05);
    }
    if (status) {
        fprintf(stderr, "line: %s\n", tx_error_message());
        return 1;
    }
    float slope = *tx_weights_param(w, tx_graph_param(g, tx_graph_find(g, "line.weight")));
    float offset = *tx_weights_param(w, tx_graph_param(g, tx_graph_find(g, "line.bias")));
    printf("line: y = %.3f x %+.3f\n", (double)slope, (double)offset);
    tx_optimizer_free(sgd);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return slope > 1.9f && slope < 2.1f && offset > -1.1f && offset < -0.9f ? 0 : 1;
}
