/* predict.c FILE - reads digits with the network that lenet.c has saved in FILE, one picture at a time.
 *
 * What is needed of a network in use: its graph up to the logits, no loss, no gradients, no optimiser. */
#include "digits.h"
#include <stdio.h>

enum { TRIED = 50, UNSEEN = 2000000 };

static void show(const float *picture)
{
    static const char shades[] = " .:*#";
    for (int y = 0; y < SIDE; y += 2) {
        for (int x = 0; x < SIDE; x++) {
            float v = picture[y * SIDE + x] * 5;
            putchar(shades[v < 0 ? 0 : v > 4 ? 4 : (int)v]);
        }
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: predict FILE\n");
        return 2;
    }
    tx_graph *g = tx_graph_new();
    tx_node *picture = tx_input(g, 1, SIDE, SIDE), *logits = lenet(g, picture);
    tx_weights *w = tx_weights_new(g, 0);
    /* A file with other names or shapes, damaged or not there, is refused with a message that says what differs. */
    tx_session *s =
        tx_checkpoint_load(argv[1], w, 0, NULL) ? NULL : tx_session_new(g, w, (tx_session_args){.batch = 1});
    int right = 0;
    for (uint64_t i = 0; i < TRIED && s; i++) {
        float out[DIGITS];
        int digit = draw_digit(tx_session_input(s, picture), UNSEEN + i);
        if (tx_forward(s) || tx_session_value(s, logits, out))
            break;
        if (i == 0) {
            show(tx_session_input(s, picture));
            printf("predict: this is a %d\n", read_digit(out));
        }
        right += read_digit(out) == digit;
    }
    if (right == 0)
        fprintf(stderr, "predict: %s\n", tx_error_message());
    else
        printf("predict: %d of %d are read rightly\n", right, TRIED);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
    return right >= TRIED * 9 / 10 ? 0 : 1;
}
