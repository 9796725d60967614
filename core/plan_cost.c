/* plan_cost.c - what a step costs at least: the multiply-adds of its products, the bytes that it moves.
 *
 * Each operand that a step reads or writes is counted once; what an operation reads more often it says itself
 * (tx_workspace). What stands where it is wanted moves no bytes: a view, the inputs of a concatenation that were written
 * into its slices, the gradients that a sum or a concatenation hands on. Caches that hold an operand from one step to the next
 * make a step cheaper than this. */
#include "graph_private.h"
#include "plan_private.h"

static double bytes_of(const tx_plan *plan, int i)
{
    const tx_node *node = tx_plan_node(plan, i);
    return (double)TX_ELEMENT * plan->batch * node->h * node->w * node->c;
}

static double params_of(const tx_plan *plan, const tx_node *node, int wanted)
{
    double count = 0;
    for (int k = 0; k < node->params; k++)
        if (wanted ? tx_plan_trains(plan, node, k) : plan->graph->param[node->param[k]].role != TX_ROLE_COUNTER)
            count += (double)plan->graph->param[node->param[k]].count;
    return (double)sizeof(float) * count;
}

/* Without the pass that takes statistics of the result, which a step that runs again does not. */
static double run_bytes(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_node *node = tx_plan_node(plan, i);
    double bytes = params_of(plan, node, 0), more = TX_ELEMENT * p->workspace.more_forward * plan->batch;
    size_t channel;
    if (node->op->kind == TX_DATA)
        return 0;
    if (node->op->kind == TX_CONCAT) {
        for (int k = 0; k < node->inputs; k++)
            if (tx_plan_copies(plan, i, k, &channel))
                bytes += 2 * bytes_of(plan, node->input[k]->index);
    } else if (plan->node[p->result].origin == p->result) {
        for (int k = 0; k < node->inputs; k++)
            bytes += bytes_of(plan, node->input[k]->index);
        bytes += bytes_of(plan, p->result);
    }
    return bytes + more + (p->add >= 0 ? bytes_of(plan, p->add) : 0);
}

static double forward_bytes(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_op *op = tx_plan_node(plan, i)->op;
    int pass = p->moments.buffer >= 0 && !(op->traits & TX_MOMENTS) && op->kind != TX_DATA;
    return run_bytes(plan, i) + (pass ? bytes_of(plan, p->result) : 0);
}

/* Reads dy, what it needs of values, and what gradients are added to; writes each gradient that does not stand there. */
static double backward_bytes(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_node *node = tx_plan_node(plan, i);
    int masks = p->fused != TX_ACT_NONE;
    double bytes = params_of(plan, node, 1), dy = 0;
    for (int k = 0; k < node->inputs; k++) {
        int shared = node->op->kind == TX_SUM || node->op->kind == TX_CONCAT, written = 0;
        if (p->dx[k].buffer < 0)
            continue;
        for (int j = 0; j < k; j++)
            written |= shared && p->dx_add[k].buffer < 0 && same_place(p->dx[j], p->dx[k]);
        int stands = p->dx[k].buffer == p->dy.buffer && p->dx_add[k].buffer < 0 && shared && !masks;
        if (written || stands)
            continue;
        double each = bytes_of(plan, node->input[k]->index);
        bytes += each * (p->dx_add[k].buffer >= 0 ? 2 : 1);
        dy += node->op->kind == TX_CONCAT ? each : 0;
    }
    if (bytes > 0 && node->op->kind != TX_CONCAT)
        dy = bytes_of(plan, p->result);
    if (node->op->needs & TX_NEEDS_X)
        for (int k = 0; k < node->inputs; k++)
            bytes += bytes_of(plan, node->input[k]->index);
    if (node->op->needs & TX_NEEDS_Y || (node->op->needs & TX_NEEDS_Y_IF_FUSED && masks))
        bytes += bytes_of(plan, p->result);
    if (p->reduces >= 0) /* x of the batch norm */
        bytes += bytes_of(plan, tx_plan_node(plan, p->reduces)->input[0]->index);
    if (p->unapplied) /* x and dy are read for the sums alone, if they are not given */
        return p->sums >= 0 ? 0 : bytes + dy;
    if (p->sums >= 0)
        return bytes + dy;
    if (p->slope >= 0) /* x of the batch norm; what dy becomes serves all gradients from the caches */
        return bytes + dy + bytes_of(plan, p->result);
    return bytes + dy + TX_ELEMENT * p->workspace.more_backward * plan->batch;
}

tx_status tx_plan_cost(const tx_plan *plan, const tx_node *node, tx_cost *cost)
{
    const tx_planned *p = tx_plan_find(plan, node, "tx_plan_cost");
    if (!p)
        return TX_ERR_ARGUMENT;
    if (!cost)
        return tx_fail_null("tx_plan_cost", "room for the cost");
    *cost = (tx_cost){0};
    if (!p->is_step)
        return TX_OK;
    double products = p->workspace.products * plan->batch;
    cost->products_forward = products;
    cost->bytes_forward = forward_bytes(plan, node->index);
    if (p->recomputed) {
        cost->products_backward = products;
        cost->bytes_backward = run_bytes(plan, node->index);
    }
    if (!p->backward)
        return TX_OK;
    int gradients = p->dx[0].buffer >= 0;
    for (int k = 0; k < node->params && gradients < 2; k++)
        gradients += plan->graph->param[node->param[k]].dims > 1 && tx_plan_trains(plan, node, k);
    cost->products_backward += products * gradients;
    cost->bytes_backward += backward_bytes(plan, node->index);
    return TX_OK;
}
