/* plan_moments.c - who takes batch statistics. They belong to a value, not to the batch norm that reads them: mean and
 * variance of each of its channels stand in arrays beside the value's buffer, with the same numbers of channels. The step that
 * writes some channels takes their statistics, or a pass behind it does, so each channel is measured once however many batch
 * norms read it, alone or as part of a concatenation: those of a dense block each read a longer prefix of one buffer.
 *
 *     buffer     | x0 . . . . . | new 1 . . | new 2 . . |        norm 1 reads x0, norm 2 reads x0 and new 1, ..
 *     mean       | with x0      | conv 1    | conv 2    |
 *     variance   | with x0      | conv 1    | conv 2    | */
#include "graph_private.h"
#include "plan_private.h"

int tx_plan_copies(const tx_plan *plan, int concat, int k, size_t *channel)
{
    const tx_node *node = tx_plan_node(plan, concat);
    tx_slot y = plan->node[plan->node[concat].result].value, x = plan->node[node->input[k]->index].value;
    *channel = 0;
    for (int i = 0; i < k; i++)
        *channel += (size_t)node->input[i]->c;
    return x.buffer != y.buffer || x.channel != y.channel + *channel;
}

/* The place of statistics beside that of values, to be there at some time. */
static tx_status place_moments(tx_plan *plan, tx_slot values, int time, tx_slot *moments)
{
    int beside = plan->buffer[values.buffer].moments;
    if (beside < 0) {
        beside = tx_arena_add(plan, 2 * values.ld * sizeof(double), time);
        if (beside < 0)
            return TX_ERR_MEMORY;
        plan->buffer[values.buffer].moments = beside;
    }
    *moments = (tx_slot){beside, values.channel, values.ld};
    tx_arena_touch(plan, beside, time);
    return TX_OK;
}

/* Some batch norm reads channels [channel, channel + c) of these values. */
static int is_normed(const tx_plan *plan, tx_slot values, size_t c)
{
    int beside = plan->buffer[values.buffer].moments;
    for (int i = 0; i < plan->nodes && beside >= 0; i++) {
        tx_slot x = plan->node[i].x_moments;
        if (x.buffer == beside && x.channel < values.channel + c &&
            values.channel < x.channel + (size_t)tx_plan_node(plan, i)->input[0]->c)
            return 1;
    }
    return 0;
}

/* Channels whose statistics step i takes: of its result, of a concatenation the most that it copies at once; 0: none. */
static int channels_taken(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_node *node = tx_plan_node(plan, i), *result = tx_plan_node(plan, p->result);
    tx_slot y = plan->node[p->result].value;
    size_t channel;
    int most = 0;
    if (!p->is_step || plan->node[p->result].origin != p->result || !is_normed(plan, y, (size_t)result->c))
        return 0;
    if (node->op->kind != TX_CONCAT)
        return result->c;
    for (int k = 0; k < node->inputs; k++)
        if (tx_plan_copies(plan, i, k, &channel) && node->input[k]->c > most)
            most = node->input[k]->c;
    return most;
}

tx_status tx_plan_moments(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        tx_planned *p = &plan->node[i];
        const tx_node *node = tx_plan_node(plan, i);
        if (!p->is_step || node->op->kind != TX_AFFINE)
            continue;
        tx_status status = place_moments(plan, plan->node[node->input[0]->index].value, i, &p->x_moments);
        if (status)
            return status;
    }
    for (int i = 0; i < plan->nodes; i++) {
        tx_planned *p = &plan->node[i];
        const tx_node *result = tx_plan_node(plan, p->result);
        int c = channels_taken(plan, i);
        if (c == 0)
            continue;
        tx_status status = place_moments(plan, plan->node[p->result].value, i, &p->moments);
        if (status)
            return status;
        size_t bytes = tx_channel_work((size_t)plan->batch * (size_t)result->h * (size_t)result->w, c);
        p->moments_work = tx_arena_add(plan, bytes, i);
        if (p->moments_work < 0)
            return TX_ERR_MEMORY;
    }
    return TX_OK;
}
