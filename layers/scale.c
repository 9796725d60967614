/* scale.c - a factor for each channel of each image: what squeeze-excite does to its map.
 *
 * SHAPES   x, dx, y, dy (N,H,W,C)  gate, dgate (N,1,1,C)
 * FORWARD  y[n,h,w,c] = x[n,h,w,c] gate[n,c]
 * BACKWARD dx[n,h,w,c] = dy[n,h,w,c] gate[n,c]
 *          dgate[n,c]  = sum over h,w of dy[n,h,w,c] x[n,h,w,c]
 * NUMERICS y and dx round once. dgate in chunks of TX_CHUNK pixels counted from the image's first, combined in double: an
 *          image alone and in a batch gives the same digits.
 * MEMORY   backward reads x and gate, both once: dx and the sums are made in one pass.
 * SOURCE   Hu, Shen, Sun, "Squeeze-and-Excitation Networks", arXiv:1709.01507, equation 4.
 * TESTS    test/layers_elementwise.c, test/golden/op_misc.txt (squeeze_excite) */
#include "layers_private.h"

static tx_status scale_shape(tx_node *node)
{
    const tx_node *x = node->input[0], *gate = node->input[1];
    if (gate->h != 1 || gate->w != 1 || gate->c != x->c)
        return tx_fail(TX_ERR_ARGUMENT, "a gate of %d x %d x %d (h,w,c), expected 1 x 1 x %d", gate->h, gate->w,
                       gate->c, x->c);
    return same_shape(node);
}

/* ---- the definition */

/* Position of element i's gate. */
static size_t gate_at(const tx_reference_step *s, size_t i)
{
    size_t c = (size_t)s->node->c, image = (size_t)s->node->h * (size_t)s->node->w * c;
    return i / image * c + i % c;
}

static void scale_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++)
        s->y[i] = s->x[0][i] * s->x[1][gate_at(s, i)];
}

static void scale_reference_backward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++) {
        if (s->dx[0])
            s->dx[0][i] += s->dy[i] * s->x[1][gate_at(s, i)];
        if (s->dx[1])
            s->dx[1][gate_at(s, i)] += s->dy[i] * s->x[0][i];
    }
}

/* ---- what runs */

static void scale_plan(const tx_step *step, tx_workspace *space)
{
    space->cheap = 1;
    space->work = space->work_backward = (size_t)step->n * (size_t)step->node->c * sizeof(float);
}

/* x with its gate, which is written to work unless it stands in memory as it is read. */
static tx_status gated(const tx_step *step, tx_view *x)
{
    const tx_view *gate = &step->x[1];
    *x = step->x[0];
    x->gate = gate->data;
    x->gate_ld = gate->ld;
    if (!gate->scale && gate->act == TX_ACT_NONE)
        return TX_OK;
    tx_tensor plain = {step->work, gate->n, 1, 1, gate->c, (size_t)gate->c};
    x->gate = plain.data;
    x->gate_ld = plain.ld;
    return tx_channel_sum(step->machine, &plain, gate, 1, TX_ACT_NONE);
}

static tx_status scale_forward(tx_step *step)
{
    tx_view x;
    tx_status status = gated(step, &x);
    return status ? status : tx_channel_sum(step->machine, &step->y, &x, 1, TX_ACT_NONE);
}

static tx_status scale_backward(tx_step *step)
{
    tx_view x;
    const tx_gradient *dx = step->dx[0].data ? &step->dx[0] : NULL, *dgate = step->dx[1].data ? &step->dx[1] : NULL;
    tx_status status = gated(step, &x);
    return status || (!dx && !dgate) ? status : tx_channel_gate_gradient(step->machine, dx, dgate, &step->dy.g, &x);
}

const tx_op tx_op_scale = {
    .name = "scale",
    .shape = scale_shape,
    .plan = scale_plan,
    .forward = scale_forward,
    .backward = scale_backward,
    .reference_forward = scale_reference_forward,
    .reference_backward = scale_reference_backward,
    .kind = TX_SCALE,
    .reads = TX_READS_VIEW,
    .needs = TX_NEEDS_X,
    .traits = TX_IN_PLACE,
};

tx_node *tx_scale(tx_graph *graph, tx_node *x, tx_node *gate)
{
    tx_node *inputs[2] = {x, gate};
    return tx_graph_add(graph, &tx_op_scale, "", inputs, 2, NULL, 0);
}
