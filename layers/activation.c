/* activation.c - functions of one value: rectifiers, sigmoids and what is gated by them.
 *
 * SHAPES   x, y, dx, dy (N,H,W,C)
 * FORWARD  relu         y = max(0, x)
 *          relu6        y = min(6, max(0, x))
 *          sigmoid      y = s(x) = 1 / (1 + exp(-x))
 *          silu         y = x s(x)
 *          hardsigmoid  y = h(x) = min(6, max(0, x + 3)) / 6
 *          hardswish    y = x h(x)
 * BACKWARD dx = dy y'(x):
 *          relu         1 where x > 0, else 0; y > 0 says the same as x > 0, so that x need not be kept
 *          relu6        1 where 0 < x < 6, else 0; 0 < y < 6 says the same
 *          sigmoid      s' = exp(-x) / (1 + exp(-x))^2 = s (1 - s) = y (1 - y)
 *          silu         s + x s (1 - s) = s (1 + x (1 - s))
 *          hardsigmoid  1/6 where -3 < x < 3, else 0
 *          hardswish    0 where x <= -3, 1 where x >= 3, between them (x + 3)/6 + x/6 = x/3 + 1/2
 *          At a kink the derivative is the one of the side that is flat, or straight with slope 1.
 * NUMERICS the rectifiers are exact, NaN stays NaN, and y is -0 where x is. s is tx_logisticf's, a float's last digit; the
 *          others round each operation once, 1/6 and 1/3 being floats.
 * MEMORY   nothing of its own; backward reads y (relu, relu6, sigmoid) or x (silu, hardswish, hardsigmoid). Behind an
 *          operation that can apply it (fuses) and that has no other reader the planner joins it to that step, and this
 *          file's forward does not run.
 * SOURCE   Nair & Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", ICML 2010; Howard et al.,
 *          "MobileNets", arXiv:1704.04861 (relu6); Elfwing, Uchibe, Doya, "Sigmoid-Weighted Linear Units",
 *          arXiv:1702.03118 (silu); Howard et al., "Searching for MobileNetV3", arXiv:1905.02244 (the hard ones).
 * TESTS    test/layers_elementwise.c, test/golden/op_misc.txt */
#include "layers_private.h"

/* ---- the definition */

static double hard_sigmoid(double z)
{
    double t = z + 3;
    return (t < 0 ? 0 : t > 6 ? 6 : t) / 6;
}

static double value_of(tx_act act, double z)
{
    switch (act) {
    case TX_ACT_RELU:
        return z < 0 ? 0 : z;
    case TX_ACT_RELU6:
        return z < 0 ? 0 : z > 6 ? 6 : z;
    case TX_ACT_SILU:
        return z * tx_logistic(z);
    case TX_ACT_SIGMOID:
        return tx_logistic(z);
    case TX_ACT_HARDSWISH:
        return z * hard_sigmoid(z);
    case TX_ACT_HARDSIGMOID:
        return hard_sigmoid(z);
    default:
        return z;
    }
}

static double slope_of(tx_act act, double z)
{
    double s;
    switch (act) {
    case TX_ACT_RELU:
        return z > 0;
    case TX_ACT_RELU6:
        return z > 0 && z < 6;
    case TX_ACT_SILU:
        s = tx_logistic(z);
        return s * (1 + z * tx_logistic(-z));
    case TX_ACT_SIGMOID:
        return tx_logistic(z) * tx_logistic(-z);
    case TX_ACT_HARDSWISH:
        return z <= -3 ? 0 : z >= 3 ? 1 : z / 3 + 0.5;
    case TX_ACT_HARDSIGMOID:
        return z > -3 && z < 3 ? 1.0 / 6 : 0;
    default:
        return 1;
    }
}

static void activation_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = value_of(s->node->op->act, s->x[0][i]);
}

static void activation_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++)
        s->dx[0][i] += s->dy[i] * slope_of(s->node->op->act, s->x[0][i]);
}

/* ---- what runs */

static void activation_plan(const tx_step *step, tx_workspace *space)
{
    (void)step;
    space->cheap = 1;
}

static tx_status activation_forward(tx_step *step)
{
    return tx_channel_sum(step->machine, &step->y, step->x, 1, step->node->op->act);
}

static tx_status backward_from_x(tx_step *step)
{
    if (!step->dx[0].data)
        return TX_OK;
    return tx_channel_act_gradient(step->machine, &step->dx[0], &step->dy.g, &step->x[0], step->node->op->act);
}

static tx_status backward_from_y(tx_step *step)
{
    if (!step->dx[0].data || !step->y.data) /* y is a view */
        return backward_from_x(step);
    return tx_channel_mask(step->machine, &step->dx[0], &step->dy.g, &step->y, step->node->op->act);
}

/* The table and the building call of one of them. */
#define ACTIVATION(label, which, from, reads_in_backward)               \
    const tx_op tx_op_##label = {                                       \
        .name = #label,                                                 \
        .shape = same_shape,                                            \
        .plan = activation_plan,                                        \
        .forward = activation_forward,                                  \
        .backward = from,                                               \
        .reference_forward = activation_reference_forward,              \
        .reference_backward = activation_reference_backward,            \
        .kind = TX_ACTIVATION,                                          \
        .act = which,                                                   \
        .reads = TX_READS_VIEW | TX_READS_GATE,                         \
        .needs = reads_in_backward,                                     \
        .traits = TX_IN_PLACE,                                          \
    };                                                                  \
    tx_node *tx_##label(tx_graph *graph, tx_node *x)                    \
    {                                                                   \
        return tx_graph_add(graph, &tx_op_##label, "", &x, 1, NULL, 0); \
    }

ACTIVATION(relu, TX_ACT_RELU, backward_from_y, TX_NEEDS_Y)
ACTIVATION(relu6, TX_ACT_RELU6, backward_from_y, TX_NEEDS_Y)
ACTIVATION(sigmoid, TX_ACT_SIGMOID, backward_from_y, TX_NEEDS_Y)
ACTIVATION(silu, TX_ACT_SILU, backward_from_x, TX_NEEDS_X)
ACTIVATION(hardswish, TX_ACT_HARDSWISH, backward_from_x, TX_NEEDS_X)
ACTIVATION(hardsigmoid, TX_ACT_HARDSIGMOID, backward_from_x, TX_NEEDS_X)
