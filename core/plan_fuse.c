/* plan_fuse.c - which nodes become one step. In inference a convolution takes the batch norm that follows it (its
 * scale and shift are applied to what is written), nodes that do nothing then, a sum with an earlier value and an
 * activation: with the bits that the nodes have one by one, as a step for each has them where one of their values is
 * kept. In training an activation is fused to the batch norm or sum before it. */
#include "graph_private.h"
#include "plan_private.h"

/* The only reader of node i, or -1 where there are several or none, or where i must stay readable. */
static int only_reader(const tx_plan *plan, int i)
{
    return plan->node[i].readers == 1 && !tx_plan_node(plan, i)->wanted ? plan->node[i].reader[0] : -1;
}

/* The activation that alone reads the result of step i is fused to it, if it can apply that one. */
static void fuse_act(tx_plan *plan, int i)
{
    int reader = only_reader(plan, plan->node[i].result);
    const tx_op *op = reader < 0 ? NULL : tx_plan_node(plan, reader)->op;
    if (!op || op->kind != TX_ACTIVATION || !(tx_plan_node(plan, i)->op->fuses & 1u << op->act))
        return;
    plan->node[i].fused = op->act;
    plan->node[i].result = reader;
    plan->node[reader].is_step = 0;
}

/* What does nothing in inference joins folding step i before it. */
static void skip_idle(tx_plan *plan, int i)
{
    tx_planned *p = &plan->node[i];
    int reader = only_reader(plan, p->result);
    for (; reader >= 0 && (tx_plan_node(plan, reader)->op->traits & TX_IDLE); reader = only_reader(plan, reader)) {
        p->result = reader;
        plan->node[reader].is_step = 0;
    }
}

/* A folding step takes the batch norm after it, what does nothing, then a sum whose other input is made before it. */
static void fuse_inference(tx_plan *plan, int i)
{
    tx_planned *p = &plan->node[i];
    int reader = only_reader(plan, p->result);
    if (reader >= 0 && tx_plan_node(plan, reader)->op->kind == TX_AFFINE) {
        p->fold = reader;
        p->result = reader;
        plan->node[reader].is_step = 0;
    }
    skip_idle(plan, i);
    reader = only_reader(plan, p->result);
    if (reader >= 0 && tx_plan_node(plan, reader)->op->kind == TX_SUM && tx_plan_node(plan, reader)->inputs == 2) {
        const tx_node *sum = tx_plan_node(plan, reader);
        int other = sum->input[0]->index == p->result ? sum->input[1]->index : sum->input[0]->index;
        int made = -1;
        for (int j = 0; j < plan->nodes; j++)
            if (plan->node[j].is_step && plan->node[j].result == other && tx_plan_node(plan, j)->op->kind != TX_AFFINE)
                made = j;
        if (made >= 0 && made < i) {
            p->add = other;
            p->result = reader;
            plan->node[reader].is_step = 0;
        }
    }
    fuse_act(plan, i);
}

void tx_plan_fuse(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_op *op = tx_plan_node(plan, i)->op;
        if (!plan->node[i].is_step)
            continue;
        int folds = (op->traits & TX_FOLDS) != 0;
        if (plan->mode == TX_INFER && folds)
            fuse_inference(plan, i);
        else if (plan->mode == TX_INFER || !folds)
            fuse_act(plan, i);
        plan->node[plan->node[i].result].step = i;
    }
}
