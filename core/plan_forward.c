/* plan_forward.c - where values stand. A view stands where what it is made of does. The inputs of a concatenation are written
 * straight into slices of its buffer, and a concatenation of the same inputs as some of another's into a slice of that. */
#include "graph_private.h"
#include "plan_private.h"

/* Where input k of a concatenation begins among its channels. */
static size_t channel_of(const tx_node *concat, int k)
{
    size_t channel = 0;
    for (int i = 0; i < k; i++)
        channel += (size_t)concat->input[i]->c;
    return channel;
}

/* A concatenation that reads what concatenation i reads, one behind the other, from some input on: the layers of a dense
 * block that is written flat. Forms of the inputs are the same for both, so what is in the one's buffer serves the other. */
static const tx_node *wider_concat(const tx_plan *plan, int i, size_t *channel)
{
    const tx_node *node = tx_plan_node(plan, i);
    const tx_planned *first = &plan->node[node->input[0]->index];
    for (int r = 0; r < first->readers; r++) {
        const tx_node *wide = tx_plan_node(plan, first->reader[r]);
        if (wide->index <= i || wide->op->kind != TX_CONCAT)
            continue;
        for (int k = 0; k + node->inputs <= wide->inputs; k++) {
            int same = 0;
            while (same < node->inputs && wide->input[k + same] == node->input[same])
                same++;
            *channel = channel_of(wide, k);
            if (same == node->inputs)
                return wide;
        }
    }
    return NULL;
}

/* Finds the concatenation whose buffer holds node i's value, if any: one that reads it or a view of it, else a wider one. */
static const tx_node *concat_of(const tx_plan *plan, int i, size_t *channel)
{
    for (int r = 0; r < plan->node[i].readers; r++) {
        int j = plan->node[i].reader[r], k = 0;
        const tx_node *node = tx_plan_node(plan, j), *found = NULL;
        if (!plan->node[j].is_step)
            continue;
        if (node->op->kind != TX_CONCAT && plan->node[j].view && node->input[0]->index == i)
            found = concat_of(plan, plan->node[j].result, channel);
        if (found)
            return found;
        if (node->op->kind != TX_CONCAT)
            continue;
        while (node->input[k]->index != i)
            k++;
        *channel = channel_of(node, k);
        return node;
    }
    return tx_plan_node(plan, i)->op->kind == TX_CONCAT ? wider_concat(plan, i, channel) : NULL;
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
    if (op->kind == TX_CONCAT && p->view)
        p->workspace.saved = 2 * (size_t)tx_plan_node(plan, i)->c * sizeof(float);
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
        tx_status status = TX_OK;
        if (result->origin == p->result)
            status = place_value(plan, p->result, i);
        else
            result->value = plan->node[result->origin].value;
        if (status == TX_OK)
            status = book_workspace(plan, i, step);
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
