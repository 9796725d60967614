/* plan_remake.c - values that backward needs but that are cheaper to make again than to keep.
 *
 * An operation says of a step that it is cheap (tx_need): a sum, say, is one pass over memory. Such a value lives from its
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
    if (!p->is_step || !p->need.cheap || node->wanted || p->result == plan->nodes - 1 || result->origin != p->result)
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
        int reads_y = op->backward_reads_y == 1 || (op->backward_reads_y == 2 && p->joined != TX_ACT_NONE);
        int x = reads(plan, j, origin), y = plan->node[p->result].origin == origin;
        int time = tx_backward_time(plan, j);
        if (((x && op->backward_reads_x) || (y && reads_y)) && time < first)
            first = time;
        if (x && p->remade && p->remade < first)
            first = p->remade;
    }
    return first;
}

static int add_scratch(tx_plan *plan, size_t bytes, int time, int *buffer)
{
    if (bytes)
        *buffer = tx_arena_add(plan, bytes, time);
    return bytes && *buffer < 0;
}

tx_status tx_plan_remake(tx_plan *plan)
{
    int cheap = 0;
    for (int i = plan->nodes - 1; i >= 0; i--) {
        tx_planned *p = &plan->node[i];
        int time = droppable(plan, i) ? first_use(plan, p->result) : tx_end_of_time(plan);
        if (time == tx_end_of_time(plan) || ++cheap % plan->keep_every == 0)
            continue;
        p->remade = time;
        tx_status status = tx_plan_tensor(plan, tx_plan_node(plan, p->result), time, &plan->node[p->result].again);
        if (status)
            return status;
        if (add_scratch(plan, p->need.prepared, time, &p->again_prepared) ||
            add_scratch(plan, p->need.work, time, &p->again_work))
            return TX_ERR_MEMORY;
    }
    for (int i = 0; i < plan->nodes; i++) /* now that all second lives are known: what the second runs read */
        for (int k = 0; k < tx_plan_node(plan, i)->inputs && plan->node[i].remade; k++)
            tx_plan_touch(plan, tx_plan_node(plan, i)->input[k]->index, plan->node[i].remade);
    return TX_OK;
}
