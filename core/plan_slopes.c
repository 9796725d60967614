/* plan_slopes.c - gradients of batch norms that are never written.
 *
 * Backward of a batch norm is two sums a channel, then k (g - mean_g - (x - mean) slope) at every value. Where x comes from a
 * step that can read its dy so (tx_slope), and nobody else reads x, the batch norm stops after the sums; its own dy, x and the
 * coefficients live on until that step has run backward, mostly the next:
 *
 *     node       conv   norm   ..                       time of backward ->
 *     dy of norm                        |-- norm sums --|-- conv reads k (g - ..) --|
 *     x          |- .. forward .. ------|---------------|---------------------------|
 *     dx of norm                        nowhere
 *
 * The reader rounds as the pass does that would have written it, so no bit changes. */
#include "graph_private.h"
#include "plan_private.h"

/* The step whose result is the value of node v, written by it. */
static int writer_of(const tx_plan *plan, int v)
{
    for (int i = v; i >= 0; i--)
        if (plan->node[i].is_step && plan->node[i].result == v)
            return plan->node[v].origin == v ? i : -1;
    return -1;
}

void tx_plan_slopes(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = tx_plan_node(plan, i);
        if (!plan->node[i].backward || node->op->kind != TX_AFFINE)
            continue;
        const tx_node *x = node->input[0];
        int writer = x->wanted || x->consumers != 1 ? -1 : writer_of(plan, x->index);
        if (writer < 0)
            continue;
        tx_planned *p = &plan->node[writer];
        if (!p->backward || p->fused != TX_ACT_NONE || p->workspace.no_slope ||
            !(tx_plan_node(plan, writer)->op->reads & TX_READS_SLOPE))
            continue;
        p->slope = i;
        plan->node[i].unapplied = 1;
    }
}
