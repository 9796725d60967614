/* plan_backward.c - reverse mode over the graph: where gradients stand, and what backward reads.
 *
 * CHAIN RULE  Let L be the number at the end (the sum of the last node's value times what tx_backward is given) and
 *     g(v) = dL/dv, of v's shape. Where nodes f, h, .. read v,
 *         g(v) = (df/dv)' g(f) + (dh/dv)' g(h) + ..
 *     an operation's backward is given g of its result and hands each input its term; what df/dv is stands in the head of
 *     the operation's file (layers/). All readers of a node come after it, so that, steps being run from the last to the first,
 *     g(v) is complete when the step that made v runs backward. One sweep gives the gradients of all parameters: a parameter
 *     is read by one node, and its gradient is written by that node's step, straight into tx_weights' grad.
 * SUMS OF GRADIENTS  come from values with several readers, and from nowhere else. The first term is written (add NULL), the
 *     others are added (tx_gradient: data = add + term), in the order of the reversed steps, which the graph alone gives: so the
 *     bits are the same whatever is kept, frozen or dropped.
 * WHERE THEY STAND  mostly in place (route):
 *     - a sum's inputs all have the gradient of its result: one memory for all of them, masked once where an activation is
 *       fused to the sum. A concatenation's inputs have slices of its gradient.
 *     - an operation that reads each value before it writes there (TX_IN_PLACE) writes g(x) over g(y).
 *     - a further term is added where the first stands.
 *     Each of these overwrites something, and is allowed only if nobody else still reads it: if no other value that has not
 *     run backward yet has its gradient in the same channels (`exclusive`), if it is not kept for the caller, and if the
 *     step does not still read its own dy there (`clashes`). Otherwise the gradient moves to a new tensor, with the old one as
 *     add. `reached`: a gradient has a place. `done`: its step has used it.
 * WHAT IS KEPT  from forward to backward is what a step says it reads (tx_op needs): x for what multiplies it (convolution,
 *     linear layer, batch norm, gate), y or x for an activation, y for a sum with one, nothing for a sum or an average; a few
 *     numbers of its own in saved (a batch norm's coefficients, a pool's argmax). A view is kept as what it is a view of.
 *
 * A VALUE AND ITS GRADIENT THROUGH A BLOCK OF MOBILENETV2  y = x + norm3(conv3(relu6(norm2(depthwise(relu6(norm1(conv1(x))))))))
 *   forward
 *     conv1      e, 6 times x's channels, is stored, and its moments are taken as it is written (plan_moments.c)
 *     norm1      from the moments scale and shift, 2 numbers a channel, into saved; relu6 is fused to it. Its readers all read
 *                views, so it writes no value (plan_views.c)
 *     depthwise  reads e through scale, shift and relu6 (tx_view), once a pixel; d is stored
 *     norm2      as norm1: a view of d
 *     conv3      reads d through its view; p is stored
 *     norm3      a view of p, without activation
 *     sum        reads p through scale and shift, and x; y is stored, or dropped after its readers and made again
 *   backward; g(y) is complete, in some buffer G
 *     sum'       g(norm3) and the first term of g(x) are g(y) itself: both slots are G, and nothing runs
 *     norm3'     two sums a channel over G and p give dweight, dbias, mean_g, slope. g(p) would be one more pass that writes; but
 *                conv3 reads slopes, so it is left to it (plan_slopes.c), and G, p and the coefficients live on until then
 *     conv3'     reads k (G - mean_g - (p - mean) slope) as it packs: dweight with d through its view, and g(norm2), written to a
 *                new buffer H, 6 times as wide
 *     norm2'     sums over H and d, H masked by relu6' of d's view, recomputed; g(d) is left to depthwise
 *     depthwise' reads H as that slope and e through its view: dweight, and g(norm1), a new buffer, as H is being read
 *     norm1'     as norm2'; g(e) is left to conv1
 *     conv1'     dweight with x, and the second term of g(x): G is x's alone by now, so the target is G with add G
 *   so a block writes three values forward, three gradients backward, and y. The step before finds g(x) in G.
 *
 * SOURCE    Speelpenning, "Compiling Fast Partial Derivatives of Functions Given by Algorithms", 1980; Griewank & Walther,
 *           "Evaluating Derivatives", SIAM 2008, chapter 3; Baydin et al., arXiv:1502.05767 */
#include "graph_private.h"
#include "plan_private.h"

/* No other value still needs what stands in node i's gradient. */
static int exclusive(const tx_plan *plan, int i)
{
    const tx_slot *mine = &plan->node[i].gradient;
    size_t end = mine->channel + (size_t)tx_plan_node(plan, i)->c;
    for (int j = 0; j < plan->nodes; j++) {
        const tx_planned *p = &plan->node[j];
        if (j == i || !p->reached || p->done || p->gradient.buffer != mine->buffer)
            continue;
        if (p->gradient.channel < end && mine->channel < p->gradient.channel + (size_t)tx_plan_node(plan, j)->c)
            return 0;
    }
    return !tx_plan_node(plan, i)->wanted;
}

/* Adding to the gradient of node v where it stands would change what step i still reads as its own result's gradient:
 * the two overlap, and are not one for an operation that reads each value before it writes it there. */
static int clashes(const tx_plan *plan, int i, int v)
{
    const tx_planned *p = &plan->node[i];
    const tx_slot *sum = &plan->node[v].gradient, *dy = &p->dy;
    size_t sum_end = sum->channel + (size_t)tx_plan_node(plan, v)->c,
           dy_end = dy->channel + (size_t)tx_plan_node(plan, p->result)->c;
    if (sum->buffer != dy->buffer || sum->channel >= dy_end || dy->channel >= sum_end)
        return 0;
    return !(tx_plan_node(plan, i)->op->traits & TX_IN_PLACE) || sum->channel != dy->channel || sum_end != dy_end ||
           sum->ld != dy->ld;
}

/* Input k of step i receives a contribution; `offer` is a place that the first one may take over, or tx_nowhere. */
static tx_status route(tx_plan *plan, int i, int k, tx_slot offer)
{
    int time = tx_backward_time(plan, i), v = tx_plan_node(plan, i)->input[k]->index;
    tx_planned *p = &plan->node[i], *input = &plan->node[v];
    tx_slot old = input->gradient;
    if (p->unapplied) { /* the input's writer reads this step's dy */
        input->gradient = p->dy;
        input->reached = 1;
        return TX_OK;
    }
    if (!input->reached && offer.buffer >= 0) {
        input->gradient = offer;
    } else if (!input->reached || !exclusive(plan, v) || clashes(plan, i, v)) {
        tx_status status = tx_plan_tensor(plan, tx_plan_node(plan, v), time, &input->gradient);
        if (status)
            return status;
    }
    p->dx[k] = input->gradient;
    p->dx_add[k] = input->reached ? old : tx_nowhere;
    tx_arena_touch(plan, p->dx_add[k].buffer, time);
    tx_arena_touch(plan, p->dx[k].buffer, time);
    input->reached = 1;
    if (tx_plan_node(plan, v)->wanted)
        tx_arena_touch(plan, input->gradient.buffer, tx_end_of_time(plan));
    return TX_OK;
}

/* Where the gradient of a sum's result, masked by its activation, will stand. */
static tx_status masked_place(tx_plan *plan, int i, tx_slot *place)
{
    const tx_planned *p = &plan->node[i];
    *place = p->dy;
    if (p->fused == TX_ACT_NONE || exclusive(plan, p->result))
        return TX_OK;
    return tx_plan_tensor(plan, tx_plan_node(plan, p->result), tx_backward_time(plan, i), place);
}

static int shares_gradient(const tx_op *op)
{
    return op->kind == TX_SUM || op->kind == TX_CONCAT;
}

static tx_status route_inputs(tx_plan *plan, int i)
{
    const tx_node *node = tx_plan_node(plan, i);
    tx_planned *p = &plan->node[i];
    tx_slot offer = tx_nowhere;
    tx_status status = TX_OK;
    if (shares_gradient(node->op))
        status = masked_place(plan, i, &offer);
    else if (node->op->traits & TX_IN_PLACE && exclusive(plan, p->result))
        offer = p->dy;
    plan->node[p->result].done = !tx_plan_node(plan, p->result)->wanted;
    size_t channel = 0;
    for (int k = 0; k < node->inputs && status == TX_OK; k++) {
        tx_slot mine = offer;
        if (node->op->kind == TX_CONCAT)
            mine.channel += channel;
        channel += (size_t)node->input[k]->c;
        if (plan->node[node->input[k]->index].trains)
            status = route(plan, i, k, mine);
        if (!shares_gradient(node->op))
            offer = tx_nowhere;
    }
    return status;
}

tx_status tx_plan_backward(tx_plan *plan)
{
    int last = plan->nodes - 1;
    if (!plan->node[last].arrives)
        return TX_OK;
    tx_status status = tx_plan_tensor(plan, tx_plan_node(plan, last), plan->nodes, &plan->node[last].gradient);
    if (status)
        return status;
    if (tx_plan_node(plan, last)->wanted)
        tx_arena_touch(plan, plan->node[last].gradient.buffer, tx_end_of_time(plan));
    plan->node[last].reached = 1;
    for (int i = last; i >= 0; i--) {
        tx_planned *p = &plan->node[i];
        if (!p->backward)
            continue;
        unsigned needs = tx_plan_needs(plan, i);
        int time = tx_backward_time(plan, i);
        p->dy = plan->node[p->result].gradient;
        tx_arena_touch(plan, p->dy.buffer, time);
        if (needs & TX_NEEDS_X)
            for (int k = 0; k < tx_plan_node(plan, i)->inputs; k++)
                tx_plan_touch(plan, tx_plan_node(plan, i)->input[k]->index, time);
        if (needs & TX_NEEDS_Y)
            tx_plan_touch(plan, p->result, time);
        if (p->slope >= 0) {
            tx_plan_touch(plan, p->result, time);
            tx_arena_touch(plan, plan->node[p->slope].saved, time);
        }
        status = route_inputs(plan, i);
        if (status)
            return status;
    }
    return TX_OK;
}
