/* relu.c - the rectifier.
 *
 * SHAPES   x, y, dx, dy (N,H,W,C)
 * FORWARD  y = max(0, x)
 * BACKWARD dx = dy where x > 0, else 0. At the kink the derivative is taken as 0; y > 0 says the same as x > 0, so
 *          that x need not be kept.
 * NUMERICS exact. NaN stays NaN; y is -0 where x is.
 * MEMORY   nothing of its own; backward reads y. Behind a batch norm, a sum or a convolution that has no other reader
 *          the planner joins it to that step, and this file's forward does not run.
 * SOURCE   Nair & Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", ICML 2010.
 * TESTS    test/layers_elementwise.c, test/golden/op_misc.txt */
#include "layers_private.h"

static tx_status relu_shape(tx_node *node)
{
    node->h = node->input[0]->h;
    node->w = node->input[0]->w;
    node->c = node->input[0]->c;
    return TX_OK;
}

/* ---- the definition */

static void relu_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = s->x[0][i] < 0 ? 0 : s->x[0][i];
}

static void relu_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++)
        s->dx[0][i] += s->x[0][i] > 0 ? s->dy[i] : 0;
}

/* ---- what runs */

static tx_status relu_forward(tx_step *step)
{
    return tx_channel_sum(step->machine, &step->y, step->x, 1, TX_ACT_RELU);
}

static tx_status relu_backward(tx_step *step)
{
    return step->dx[0].data ? tx_channel_mask(step->machine, &step->dx[0], &step->dy.g, &step->y) : TX_OK;
}

const tx_op tx_op_relu = {
    .name = "relu",
    .shape = relu_shape,
    .forward = relu_forward,
    .backward = relu_backward,
    .reference_forward = relu_reference_forward,
    .reference_backward = relu_reference_backward,
    .kind = TX_ACTIVATION,
    .act = TX_ACT_RELU,
    .reads = TX_READS_VIEW,
    .needs = TX_NEEDS_Y,
    .traits = TX_IN_PLACE,
};

tx_node *tx_relu(tx_graph *graph, tx_node *x)
{
    return tx_graph_add(graph, &tx_op_relu, "", &x, 1, NULL, 0);
}
