/* plan_place.c - times and places: when a node runs, where its value stands at some time, and the shapes of its step. */
#include "graph_private.h"
#include "plan_private.h"

const tx_slot tx_nowhere = {-1, 0, 0};

const tx_node *tx_plan_node(const tx_plan *plan, int i)
{
    return plan->graph->node[i];
}

int tx_end_of_time(const tx_plan *plan)
{
    return 2 * plan->nodes;
}

int tx_backward_time(const tx_plan *plan, int i)
{
    return 2 * plan->nodes - 1 - i;
}

/* A dense tensor of the node's shape. */
tx_status tx_plan_tensor(tx_plan *plan, const tx_node *node, int time, tx_slot *slot)
{
    size_t bytes;
    if (tx_size_mul((size_t)plan->batch, (size_t)node->h, &bytes) || tx_size_mul(bytes, (size_t)node->w, &bytes) ||
        tx_size_mul(bytes, (size_t)node->c, &bytes) || tx_size_mul(bytes, TX_ELEMENT, &bytes))
        return tx_fail(TX_ERR_MEMORY, "%s '%s': %d images of %d x %d x %d do not fit in memory", node->op->name,
                       node->name, plan->batch, node->h, node->w, node->c);
    *slot = (tx_slot){tx_arena_add(plan, bytes, time), 0, (size_t)node->c};
    return slot->buffer < 0 ? TX_ERR_MEMORY : TX_OK;
}

tx_slot tx_plan_value(const tx_plan *plan, int i, int time)
{
    const tx_planned *origin = &plan->node[plan->node[i].origin];
    return time >= plan->nodes && origin->recomputed_value.buffer >= 0 ? origin->recomputed_value : origin->value;
}

void tx_plan_touch(tx_plan *plan, int i, int time)
{
    tx_arena_touch(plan, tx_plan_value(plan, i, time).buffer, time);
    if (plan->node[i].coefficients >= 0)
        tx_arena_touch(plan, plan->node[plan->node[i].coefficients].saved, time);
    if (plan->node[i].gate >= 0)
        tx_plan_touch(plan, plan->node[i].gate, time);
}

unsigned tx_plan_needs(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_op *op = tx_plan_node(plan, i)->op;
    if (op->kind == TX_ACTIVATION && p->view)
        return TX_NEEDS_X;
    return op->needs | (op->needs & TX_NEEDS_Y_IF_FUSED && p->fused != TX_ACT_NONE ? TX_NEEDS_Y : 0);
}

static void view_of(const tx_plan *plan, int i, int n, tx_view *view)
{
    const tx_node *node = tx_plan_node(plan, i);
    const tx_planned *p = &plan->node[i];
    *view = (tx_view){.n = n, .h = node->h, .w = node->w, .c = node->c, .ld = p->value.ld, .act = p->act};
}

void tx_plan_step(const tx_plan *plan, int index, int n, tx_step *step)
{
    const tx_planned *p = &plan->node[index];
    const tx_node *node = tx_plan_node(plan, index), *result = tx_plan_node(plan, p->result);
    step->node = node;
    step->machine = &plan->machine;
    step->n = n;
    step->training = plan->mode == TX_TRAIN;
    step->backward = p->backward;
    step->view = p->view;
    for (int k = 0; k < node->inputs; k++)
        view_of(plan, node->input[k]->index, n, &step->x[k]);
    step->y = (tx_tensor){
        .n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->is_step ? plan->node[p->result].value.ld : 0};
    step->act = p->fused;
    step->fold = p->fold >= 0 ? tx_plan_node(plan, p->fold) : NULL;
    step->has_add = p->add >= 0;
    if (step->has_add)
        view_of(plan, p->add, n, &step->add);
    step->dy.g = (tx_tensor){.n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->dy.ld};
}
