/* plan_wanted.c - whose gradients are wanted, and so which steps run backward.
 *
 * Wanted are the gradients of trained parameters that are not frozen, with TX_EXPLAIN only if they are asked for, and those
 * of kept nodes. A node's gradient has to be computed if something wanted lies at or before it (`trains`) and the last node
 * depends on it (`arrives`). A step runs backward if its result's gradient is computed and serves a wanted one further up;
 * others keep nothing for backward and have no scratch for it. */
#include "graph_private.h"
#include "plan_private.h"

int tx_plan_trains(const tx_plan *plan, const tx_node *node, int k)
{
    int param = node->param[k];
    return plan->parameters && plan->graph->param[param].role == TX_ROLE_TRAINED && !plan->frozen[param];
}

/* A parameter of the node, or what its inputs come from, has a wanted gradient. */
static int has_trained(const tx_plan *plan, const tx_node *node)
{
    int trains = 0;
    for (int k = 0; k < node->params; k++)
        trains |= tx_plan_trains(plan, node, k);
    for (int k = 0; k < node->inputs; k++)
        trains |= plan->node[node->input[k]->index].trains;
    return trains;
}

static void find_trained(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = tx_plan_node(plan, i);
        int trains = node->wanted || has_trained(plan, node);
        plan->node[i].trains = trains && (!node->op->no_gradient || node->op->kind == TX_DATA);
    }
}

void tx_plan_wanted(tx_plan *plan)
{
    int last = plan->nodes - 1;
    find_trained(plan);
    plan->node[last].arrives = plan->node[last].trains;
    for (int i = last; i >= 0; i--) {
        const tx_node *node = tx_plan_node(plan, i);
        tx_planned *p = &plan->node[i];
        if (!p->is_step || !plan->node[p->result].arrives)
            continue;
        p->backward = node->op->backward && has_trained(plan, node);
        for (int k = 0; k < node->inputs; k++)
            if (plan->node[node->input[k]->index].trains)
                plan->node[node->input[k]->index].arrives = 1;
    }
}
