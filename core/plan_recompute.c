/* plan_recompute.c - values that backward needs but that are cheaper to make again than to keep.
 *
 * An operation says of a step that it is cheap (tx_workspace): a sum, say, is one pass over memory. Such a value lives from its
 * step to its last reader in forward, and a second time from its first use in backward on, where its step is run again.
 * What the second run reads must be there at that time; if that is a cheap value too, it is made again no later, and
 * steps to be run again at one time run in their forward order. The idea is gradient checkpointing (Griewank & Walther,
 * "Algorithm 799: Revolve", ACM TOMS 26, 2000; Chen et al., arXiv:1604.06174), here for the cheap steps alone.
 *
 * Where each value is made from the one before it, as the sums of residual blocks are, the first use of the last one asks
 * for all of them at once; keeping every so many cuts such a chain. */
#include "plan_private.h"

/* The value stands dense in a buffer of its own, nobody outside reads it, and its step is cheap. */
static int droppable(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i], *result = &plan->node[p->result];
    const tx_node *node = tx_plan_node(plan, p->result);
    if (!p->is_step || !p->workspace.cheap || node->wanted || p->result == plan->nodes - 1 ||
        result->origin != p->result)
        return 0;
    for (int j = 0; j < plan->nodes; j++)
        if (j != p->result && plan->node[j].origin == j && plan->node[j].value.buffer == result->value.buffer)
            return 0;
    return result->value.ld == (size_t)node->c;
}

static int reads(const tx_plan *plan, int step, int origin)
{
    const tx_node *node = tx_plan_node(plan, step);
    for (int k = 0; k < node->inputs; k++)
        if (plan->node[node->input[k]->index].origin == origin)
            return 1;
    return 0;
}

/* The earliest backward time at which something reads the value of node `origin`; the end of time if nothing does. */
static int first_use(const tx_plan *plan, int origin)
{
    int first = tx_end_of_time(plan);
    for (int j = 0; j < plan->nodes; j++) {
        const tx_planned *p = &plan->node[j];
        const tx_op *op = tx_plan_node(plan, j)->op;
        if (!p->is_step)
            continue;
        int reads_y = op->needs & TX_NEEDS_Y || (op->needs & TX_NEEDS_Y_IF_FUSED && p->fused != TX_ACT_NONE);
        int x = reads(plan, j, origin), y = plan->node[p->result].origin == origin;
        int time = tx_backward_time(plan, j);
        if (((x && op->needs & TX_NEEDS_X) || (y && reads_y)) && time < first)
            first = time;
        if (x && p->recomputed && p->recomputed < first)
            first = p->recomputed;
    }
    return first;
}

static int add_scratch(tx_plan *plan, size_t bytes, int time, int *buffer)
{
    if (bytes)
        *buffer = tx_arena_add(plan, bytes, time);
    return bytes && *buffer < 0;
}

tx_status tx_plan_recompute(tx_plan *plan)
{
    int cheap = 0;
    for (int i = plan->nodes - 1; i >= 0; i--) {
        tx_planned *p = &plan->node[i];
        int time = droppable(plan, i) ? first_use(plan, p->result) : tx_end_of_time(plan);
        if (time == tx_end_of_time(plan) || ++cheap % plan->keep_every == 0)
            continue;
        p->recomputed = time;
        tx_status status =
            tx_plan_tensor(plan, tx_plan_node(plan, p->result), time, &plan->node[p->result].recomputed_value);
        if (status)
            return status;
        if (add_scratch(plan, p->workspace.prepared, time, &p->recompute_prepared) ||
            add_scratch(plan, p->workspace.work, time, &p->recompute_work))
            return TX_ERR_MEMORY;
    }
    for (int i = 0; i < plan->nodes; i++) /* now that all second lives are known: what the second runs read */
        for (int k = 0; k < tx_plan_node(plan, i)->inputs && plan->node[i].recomputed; k++)
            tx_plan_touch(plan, tx_plan_node(plan, i)->input[k]->index, plan->node[i].recomputed);
    return TX_OK;
}
