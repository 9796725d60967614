/* lenet.c [FILE] - LeNet learns to read digits, is tried on pictures that it has not seen, and is saved in FILE.
 *
 * Two graphs share the weights: one ends in the loss and is trained, one ends in the logits and is used. Parameters find
 * each other by their names. */
#include "digits.h"
#include <stdio.h>

enum { BATCH = 32, STEPS = 200, TRIED = 256, UNSEEN = 1000000 };

/* The network trained on new pictures at each step. */
static tx_status train(tx_session *s, tx_node *picture, tx_node *target, tx_node *loss, tx_optimizer *adam)
{
    tx_schedule cosine = {.kind = TX_SCHEDULE_COSINE, .lr = 3e-3, .warmup = 10, .total = STEPS};
    float now;
    for (uint64_t step = 0; step < STEPS; step++) {
        for (int i = 0; i < BATCH; i++)
            tx_session_input(s, target)[i] =
                (float)draw_digit(tx_session_input(s, picture) + i * PIXELS, step * BATCH + (uint64_t)i);
        tx_status status = tx_train_step(s, loss, adam, tx_schedule_lr(&cosine, step), &now);
        if (status)
            return status;
        if (step % 50 == 49)
            printf("lenet: loss %.3f after %d steps\n", (double)now, (int)step + 1);
    }
    return TX_OK;
}

/* How many of TRIED pictures are read rightly; -1 after an error. */
static int count_right(tx_session *s, tx_node *picture, tx_node *logits)
{
    static float out[TRIED][DIGITS];
    int digit[TRIED], right = 0;
    for (int i = 0; i < TRIED; i++)
        digit[i] = draw_digit(tx_session_input(s, picture) + i * PIXELS, UNSEEN + (uint64_t)i);
    if (tx_forward(s) || tx_session_value(s, logits, &out[0][0]))
        return -1;
    for (int i = 0; i < TRIED; i++)
        right += read_digit(out[i]) == digit[i];
    return right;
}

int main(int argc, char **argv)
{
    tx_graph *learns = tx_graph_new(), *reads = tx_graph_new();
    tx_node *seen = tx_input(learns, 1, SIDE, SIDE), *target = tx_input(learns, 1, 1, 1);
    tx_node *loss = tx_cross_entropy(learns, lenet(learns, seen), target, (tx_cross_entropy_args){0});
    tx_node *picture = tx_input(reads, 1, SIDE, SIDE), *logits = lenet(reads, picture);

    tx_weights *w = tx_weights_new(learns, 1);
    tx_session *training = tx_session_new(learns, w, (tx_session_args){.batch = BATCH, .mode = TX_TRAIN});
    tx_session *reading = tx_session_new(reads, w, (tx_session_args){.batch = TRIED});
    tx_optimizer *adam = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM});
    int right = -1;
    if (training && reading && adam && tx_weights_init(w, 0) == TX_OK &&
        train(training, seen, target, loss, adam) == TX_OK)
        right = count_right(reading, picture, logits);
    tx_pair about = {"task", "digits of 28 x 28"};
    if (right < 0 || (argc > 1 && tx_checkpoint_save(argv[1], w, &about, 1))) {
        fprintf(stderr, "lenet: %s\n", tx_error_message());
        return 1;
    }
    printf("lenet: %d of %d new pictures are read rightly\n", right, TRIED);
    tx_optimizer_free(adam);
    tx_session_free(reading);
    tx_session_free(training);
    tx_weights_free(w);
    tx_graph_free(reads);
    tx_graph_free(learns);
    return right * 100 >= TRIED * 95 ? 0 : 1;
}
