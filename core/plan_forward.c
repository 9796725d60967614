/* plan_forward.c - where values stand. A batch norm whose readers all apply scale and shift themselves writes no result: its
 * value is a view on its input. The inputs of a concatenation are written straight into slices of its buffer. */
#include "graph_private.h"
#include "plan_private.h"

/* A batch norm writes no result if nobody outside reads it and all readers apply scale, shift and act. */
static int can_stay_view(const tx_plan *plan, int i)
{
    int result = plan->node[i].result;
    const tx_node *node = tx_plan_node(plan, result);
    if (tx_plan_node(plan, i)->op->kind != TX_AFFINE || node->wanted || node->consumers == 0)
        return 0;
    for (int j = result + 1; j < plan->nodes; j++)
        for (int k = 0; k < tx_plan_node(plan, j)->inputs; k++)
            if (tx_plan_node(plan, j)->input[k]->index == result && !(tx_plan_node(plan, j)->op->reads & TX_READS_VIEW))
                return 0;
    return 1;
}

/* Finds the concatenation whose buffer holds node i's value, if any: the first that reads it. */
static const tx_node *concat_of(const tx_plan *plan, int i, size_t *channel)
{
    for (int j = i + 1; j < plan->nodes; j++) {
        const tx_node *node = tx_plan_node(plan, j);
        if (node->op->kind != TX_CONCAT)
            continue;
        *channel = 0;
        for (int k = 0; k < node->inputs; k++) {
            if (node->input[k]->index == i)
                return node;
            *channel += (size_t)node->input[k]->c;
        }
    }
    return NULL;
}

/* Gives the value of node i its place: a slice of a concatenation's, or a tensor of its own. */
static tx_status place_value(tx_plan *plan, int i, int time)
{
    tx_slot *slot = &plan->node[i].value;
    if (slot->buffer < 0) {
        size_t channel;
        const tx_node *concat = concat_of(plan, i, &channel);
        if (concat && tx_plan_node(plan, i)->op->kind != TX_DATA) {
            tx_status status = place_value(plan, concat->index, time);
            if (status)
                return status;
            *slot = plan->node[concat->index].value;
            slot->channel += channel;
        } else {
            tx_status status = tx_plan_tensor(plan, tx_plan_node(plan, i), time, slot);
            if (status)
                return status;
        }
    }
    tx_arena_touch(plan, slot->buffer, time);
    if (tx_plan_node(plan, i)->wanted || i == plan->nodes - 1)
        tx_arena_touch(plan, slot->buffer, tx_end_of_time(plan));
    return TX_OK;
}

/* Asks the operation what it needs and books it. */
static tx_status book_workspace(tx_plan *plan, int i, tx_step *step)
{
    tx_planned *p = &plan->node[i];
    const tx_op *op = tx_plan_node(plan, i)->op;
    tx_plan_step(plan, i, plan->batch, step);
    p->workspace = (tx_workspace){.algorithm = ""};
    if (op->plan)
        op->plan(step, &p->workspace);
    int *place[4] = {&p->saved, &p->prepared, &p->work, &p->work_backward};
    size_t bytes[4] = {p->workspace.saved, p->workspace.prepared, p->workspace.work,
                       p->backward ? p->workspace.work_backward : 0};
    for (int k = 0; k < 4; k++) {
        if (bytes[k] == 0)
            continue;
        *place[k] = tx_arena_add(plan, bytes[k], k == 3 ? tx_backward_time(plan, i) : i);
        if (*place[k] < 0)
            return tx_fail(TX_ERR_MEMORY, "%s '%s': its plan does not fit in memory", op->name,
                           tx_plan_node(plan, i)->name);
    }
    if (p->backward)
        tx_arena_touch(plan, p->saved, tx_backward_time(plan, i));
    if (plan->mode == TX_INFER) {
        for (int k = 0; k < 2; k++) { /* made once, by prepare */
            tx_arena_touch(plan, *place[k], -1);
            tx_arena_touch(plan, *place[k], tx_end_of_time(plan));
        }
    }
    return TX_OK;
}

tx_status tx_plan_forward(tx_plan *plan, tx_step *step)
{
    for (int i = 0; i < plan->nodes; i++) {
        tx_planned *p = &plan->node[i];
        if (!p->is_step)
            continue;
        const tx_node *node = tx_plan_node(plan, i);
        tx_planned *result = &plan->node[p->result];
        if (can_stay_view(plan, i)) {
            const tx_planned *x = &plan->node[node->input[0]->index];
            result->value = x->value;
            result->origin = x->origin;
            result->coefficients = i;
            result->act = p->fused;
        } else {
            tx_status status = place_value(plan, p->result, i);
            if (status)
                return status;
        }
        tx_status status = book_workspace(plan, i, step);
        if (status)
            return status;
        for (int k = 0; k < node->inputs; k++)
            tx_plan_touch(plan, node->input[k]->index, i);
        if (p->add >= 0)
            tx_plan_touch(plan, p->add, i);
        if (node->op->kind == TX_DATA) { /* what the caller writes there stays until he writes again */
            tx_arena_touch(plan, p->value.buffer, -1);
            tx_arena_touch(plan, p->value.buffer, tx_end_of_time(plan));
        }
    }
    return TX_OK;
}
