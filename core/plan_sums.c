/* plan_sums.c - who takes the sums of a batch norm's backward. It needs sum g and sum g (x - mean) before anything else, where g
 * is its dy behind its activation. The step that writes dy, the last of those that add to it, has it at hand: if it can
 * (TX_REDUCES), it reads x beside and takes them, and the batch norm does not read dy for them again. They are taken in the same chunks
 * either way, so no bit changes. */
#include "graph_private.h"
#include "plan_private.h"

/* The step that writes the gradient of node v as its input 0, and nothing else of it, the last to do so; or -1. */
static int last_writer(const tx_plan *plan, int v)
{
    for (int i = v + 1; i < plan->nodes; i++) {
        const tx_planned *p = &plan->node[i];
        const tx_node *node = tx_plan_node(plan, i);
        int times = 0;
        for (int k = 0; k < node->inputs; k++)
            times += node->input[k]->index == v && p->dx[k].buffer >= 0;
        if (times == 0 || !p->backward)
            continue;
        return times == 1 && node->input[0]->index == v ? i : -1;
    }
    return -1;
}

/* The step that can take the sums of batch norm i, or -1. */
static int taker_of(const tx_plan *plan, int i)
{
    const tx_planned *norm = &plan->node[i];
    const tx_node *node = tx_plan_node(plan, i);
    int writer = norm->backward && node->op->kind == TX_AFFINE ? last_writer(plan, norm->result) : -1;
    if (writer < 0)
        return -1;
    const tx_planned *p = &plan->node[writer];
    int again = plan->node[plan->node[node->input[0]->index].origin].recomputed_value.buffer >= 0;
    return tx_plan_node(plan, writer)->op->traits & TX_REDUCES && !p->workspace.no_reduce && !again &&
                   same_place(p->dx[0], norm->dy)
               ? writer
               : -1;
}

tx_status tx_plan_sums(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = tx_plan_node(plan, i);
        int taker = taker_of(plan, i), time = tx_backward_time(plan, taker);
        if (taker < 0)
            continue;
        tx_planned *norm = &plan->node[i], *p = &plan->node[taker];
        size_t work = tx_channel_work((size_t)plan->batch * (size_t)node->h * (size_t)node->w, node->c);
        p->reduces = i;
        p->reduce_work = tx_arena_add(plan, work, time);
        norm->sums = tx_arena_add(plan, 2 * (size_t)node->c * sizeof(double), time);
        if (p->reduce_work < 0 || norm->sums < 0)
            return TX_ERR_MEMORY;
        tx_arena_touch(plan, norm->sums, tx_backward_time(plan, i));
        tx_plan_touch(plan, node->input[0]->index, time);
    }
    return TX_OK;
}
