/* stochastic_depth.c - whole images of a residual branch are dropped in training.
 *
 * SHAPES   x, y, dx, dy (N,H,W,C)
 * FORWARD  y[n] = x[n] f[n], where f is 1/(1 - p) with probability 1 - p, else 0; in inference y = x.
 *          f[n] is not 0 if u >= p, u the uniform draw of (seed, TX_RANDOM_DROPOUT, run, ordinal << 32 + n), ordinal the
 *          number of nodes before it that draw, n the image's position in the batch. So it depends on nothing but these,
 *          and E y = x.
 * BACKWARD dx[n] = dy[n] f[n], by the same draws made again
 * NUMERICS one rounding, f rounded to float beforehand. As f is a factor, an infinity that is dropped gives NaN.
 * MEMORY   nothing is kept.
 * SOURCE   Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382; scaled in training, not in inference,
 *          as torchvision does ("row").
 * TESTS    test/layers_elementwise.c, test/graph_state.c */
#include "layers_private.h"

static tx_status depth_shape(tx_node *node)
{
    const tx_stochastic_depth_args *a = node->args;
    if (!(a->p >= 0 && a->p <= 1))
        return tx_fail(TX_ERR_ARGUMENT, "p = %g, expected 0 to 1", a->p);
    return same_shape(node);
}

/* f of image n of this run. */
static double factor(const tx_node *node, uint64_t seed, uint64_t run, size_t n)
{
    const tx_stochastic_depth_args *a = node->args;
    double u = (double)tx_random_uniform(seed, TX_RANDOM_DROPOUT, run, ((uint64_t)node->ordinal << 32) + n);
    return u >= a->p ? 1 / (1 - a->p) : 0;
}

/* ---- the definition */

static double reference_factor(const tx_reference_step *s, size_t i)
{
    size_t image = i / (reference_size(s) / (size_t)s->n);
    return s->training ? factor(s->node, s->seed, s->run, image) : 1;
}

static void depth_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = s->x[0][i] * reference_factor(s, i);
}

static void depth_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s) && s->dx[0]; i++)
        s->dx[0][i] += s->dy[i] * reference_factor(s, i);
}

/* ---- what runs */

static void depth_plan(const tx_step *step, tx_workspace *space)
{
    space->cheap = 1;
    if (step->training)
        space->work = space->work_backward = (size_t)step->n * (size_t)step->node->c * sizeof(float);
}

/* The factors as gates of every channel. */
static const float *gates(const tx_step *step)
{
    size_t channels = (size_t)step->node->c;
    float *gate = step->work;
    for (size_t n = 0; n < (size_t)step->n; n++)
        for (size_t c = 0; c < channels; c++)
            gate[n * channels + c] = c ? gate[n * channels] : (float)factor(step->node, step->seed, step->run, n);
    return gate;
}

static tx_status depth_forward(tx_step *step)
{
    tx_view x = step->x[0];
    if (step->training) {
        x.gate = gates(step);
        x.gate_ld = (size_t)step->node->c;
    }
    return tx_channel_sum(step->machine, &step->y, &x, 1, TX_ACT_NONE);
}

/* dy takes the place of x: what a gate does to a value it does to its gradient. */
static tx_status depth_backward(tx_step *step)
{
    const tx_tensor *dy = &step->dy.g;
    if (!step->dx[0].data)
        return TX_OK;
    if (!step->training)
        return tx_channel_mask(step->machine, &step->dx[0], dy, NULL, TX_ACT_NONE);
    tx_view x = {.data = dy->data, .n = dy->n, .h = dy->h, .w = dy->w, .c = dy->c, .ld = dy->ld};
    x.gate = gates(step);
    x.gate_ld = (size_t)step->node->c;
    return tx_channel_gate_gradient(step->machine, &step->dx[0], NULL, dy, &x);
}

const tx_op tx_op_stochastic_depth = {
    .name = "stochastic_depth",
    .shape = depth_shape,
    .plan = depth_plan,
    .forward = depth_forward,
    .backward = depth_backward,
    .reference_forward = depth_reference_forward,
    .reference_backward = depth_reference_backward,
    .reads = TX_READS_VIEW,
    .traits = TX_IN_PLACE | TX_RANDOM | TX_IDLE,
};

tx_node *tx_stochastic_depth(tx_graph *graph, tx_node *x, tx_stochastic_depth_args args)
{
    return tx_graph_add(graph, &tx_op_stochastic_depth, "", &x, 1, &args, sizeof args);
}
