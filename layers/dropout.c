/* dropout.c - random zeros in training.
 *
 * SHAPES   x, y, dx, dy (N,H,W,C)
 * FORWARD  y = x keep / (1 - p), where keep is 1 with probability 1 - p, else 0; in inference y = x.
 *          keep = [u >= p], u the uniform draw of (seed, TX_RANDOM_DROPOUT, run, ordinal << 32 + element), ordinal the
 *          number of nodes before it that draw, element the position in the batch in the order (n,h,w,c). So a mask
 *          depends on nothing but these, and E y = x.
 * BACKWARD dx = dy keep / (1 - p), by the same draws made again
 * NUMERICS one rounding, 1/(1-p) rounded to float beforehand.
 * MEMORY   nothing is kept.
 * SOURCE   Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014;
 *          scaled in training, not in inference.
 * TESTS    test/layers_elementwise.c */
#include "layers_private.h"

static tx_status dropout_shape(tx_node *node)
{
    const tx_dropout_args *a = node->args;
    if (!(a->p >= 0 && a->p <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "p = %g, expected 0 to 1", a->p);
    return same_shape(node);
}

/* 1 if element i of this run is kept. */
static int kept(const tx_node *node, uint64_t seed, uint64_t run, size_t i)
{
    const tx_dropout_args *a = node->args;
    return (double)tx_random_uniform(seed, TX_RANDOM_DROPOUT, run, ((uint64_t)node->ordinal << 32) + i) >= a->p;
}

/* ---- the definition */

static void dropout_reference_forward(tx_reference_step *s)
{
    const tx_dropout_args *a = s->node->args;
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = !s->training ? s->x[0][i] : kept(s->node, s->seed, s->run, i) ? s->x[0][i] / (1 - a->p) : 0;
}

static void dropout_reference_backward(tx_reference_step *s)
{
    const tx_dropout_args *a = s->node->args;
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++)
        s->dx[0][i] += !s->training ? s->dy[i] : kept(s->node, s->seed, s->run, i) ? s->dy[i] / (1 - a->p) : 0;
}

/* ---- what runs */

/* to = add + keep from / (1 - p): forward y from x, backward dx from dy */
typedef struct dropout_pass {
    const tx_step *step;
    tx_gradient to;
    const float *from;
    size_t from_ld;
    float scale;
} dropout_pass;

static void pixel_task(void *context, size_t pixel, int worker)
{
    (void)worker;
    const dropout_pass *pass = context;
    const tx_step *step = pass->step;
    size_t channels = (size_t)step->node->c;
    for (size_t c = 0; c < channels; c++) {
        int keep = kept(step->node, step->seed, step->run, pixel * channels + c);
        float value = keep ? pass->from[pixel * pass->from_ld + c] * pass->scale : 0;
        if (pass->to.add)
            value = pass->to.add[pixel * pass->to.add_ld + c] + value;
        pass->to.data[pixel * pass->to.ld + c] = value;
    }
}

static tx_status run_pass(const tx_step *step, tx_gradient to, const float *from, size_t from_ld)
{
    const tx_dropout_args *a = step->node->args;
    dropout_pass pass = {step, to, from, from_ld, (float)(1 / (1 - a->p))};
    size_t pixels = (size_t)step->n * (size_t)step->node->h * (size_t)step->node->w;
    return tx_parallel_on(step->machine, pixels, pixel_task, &pass);
}

static tx_status dropout_forward(tx_step *step)
{
    tx_gradient y = {step->y.data, step->y.ld, NULL, 0};
    if (step->training)
        return run_pass(step, y, step->x[0].data, step->x[0].ld);
    return tx_channel_sum(step->machine, &step->y, &step->x[0], 1, TX_ACT_NONE);
}

static tx_status dropout_backward(tx_step *step)
{
    if (!step->dx[0].data)
        return TX_OK;
    if (step->training)
        return run_pass(step, step->dx[0], step->dy.g.data, step->dy.g.ld);
    return tx_channel_mask(step->machine, &step->dx[0], &step->dy.g, NULL, TX_ACT_NONE);
}

const tx_op tx_op_dropout = {
    .name = "dropout",
    .shape = dropout_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .reference_forward = dropout_reference_forward,
    .reference_backward = dropout_reference_backward,
    .traits = TX_IN_PLACE | TX_RANDOM | TX_IDLE,
};

tx_node *tx_dropout(tx_graph *graph, tx_node *x, tx_dropout_args args)
{
    return tx_graph_add(graph, &tx_op_dropout, "", &x, 1, &args, sizeof args);
}
