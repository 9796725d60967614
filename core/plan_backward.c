/* plan_backward.c - where gradients go, and which values are made again instead of kept. */
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
