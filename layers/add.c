/* add.c - the sum of values of one shape, as at the end of a residual block.
 *
 * SHAPES   x[i], y, dx[i], dy (N,H,W,C)
 * FORWARD  y = act(x[0] + x[1]), added in this order; act is the activation that the planner joins, or none.
 * BACKWARD dx[i] = g for every i, where g = dy for y > 0, else 0; without activation g = dy.
 * NUMERICS one rounding an addition.
 * MEMORY   the inputs are read through their views, so a batch norm before the sum writes nothing of its own. The
 *          gradients of all inputs are one tensor, mostly dy's own memory: g is written once.
 * SOURCE   He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, equation 1.
 * TESTS    test/layers_elementwise.c, test/golden/op_misc.txt */
#include "layers_private.h"

static tx_status add_shape(tx_node *node)
{
    const tx_node *first = node->input[0];
    for (int i = 1; i < node->inputs; i++) {
        const tx_node *x = node->input[i];
        if (x->h != first->h || x->w != first->w || x->c != first->c)
            return tx_fail(TX_ERR_ARGUMENT, "%d x %d x %d (h,w,c) is added to %d x %d x %d", x->h, x->w, x->c, first->h,
                           first->w, first->c);
    }
    node->h = first->h;
    node->w = first->w;
    node->c = first->c;
    return TX_OK;
}

/* ---- the definition */

static void add_reference_forward(tx_reference_step *s)
{
    for (size_t i = 0; i < reference_size(s); i++) {
        s->y[i] = 0;
        for (int k = 0; k < s->node->inputs; k++)
            s->y[i] += s->x[k][i];
    }
}

static void add_reference_backward(tx_reference_step *s)
{
    for (int k = 0; k < s->node->inputs; k++)
        for (size_t i = 0; i < reference_size(s) && s->dx[k]; i++)
            s->dx[k][i] += s->dy[i];
}

/* ---- what runs */

static void add_plan(const tx_step *step, tx_workspace *space)
{
    (void)step;
    space->cheap = 1;
}

static tx_status add_forward(tx_step *step)
{
    return tx_channel_sum(step->machine, &step->y, step->x, step->node->inputs, step->act);
}

/* Some earlier input's gradient is the same memory and holds the same: it has been written. */
static int written(const tx_step *step, int k)
{
    for (int i = 0; i < k; i++)
        if (step->dx[i].data == step->dx[k].data && !step->dx[i].add)
            return 1;
    return 0;
}

/* The mask may be applied again to what has been masked, so entries that stand in dy's place do not disturb those
 * after them; one that adds to it (a value added to itself) comes after the one that wrote it. */
static tx_status add_backward(tx_step *step)
{
    const tx_tensor *y = step->act == TX_ACT_NONE ? NULL : &step->y;
    tx_status status = TX_OK;
    for (int k = 0; k < step->node->inputs && status == TX_OK; k++) {
        const tx_gradient *dx = &step->dx[k];
        int in_place = dx->data == step->dy.g.data && !y;
        if (!dx->data || (!dx->add && (in_place || written(step, k))))
            continue;
        status = tx_channel_mask(step->machine, dx, &step->dy.g, y, step->act);
    }
    return status;
}

const tx_op tx_op_add = {
    .name = "add",
    .shape = add_shape,
    .plan = add_plan,
    .forward = add_forward,
    .backward = add_backward,
    .reference_forward = add_reference_forward,
    .reference_backward = add_reference_backward,
    .kind = TX_SUM,
    .reads = TX_READS_VIEW | TX_READS_GATE,
    .fuses = FUSES_RECTIFIERS,
    .needs = TX_NEEDS_Y_IF_FUSED,
};

tx_node *tx_add(tx_graph *graph, tx_node *a, tx_node *b)
{
    tx_node *inputs[2] = {a, b};
    return tx_graph_add(graph, &tx_op_add, "", inputs, 2, NULL, 0);
}
