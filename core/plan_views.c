/* plan_views.c - which results are never written. A view is a value that its readers make as they load it, of memory that
 * holds another one: gate * act(scale * data + shift). Views are
 *     a batch norm, with the activation fused to it                       scale, shift, act
 *     an activation of a stored value                                    act
 *     a product with one factor an image and channel                      gate
 *     a concatenation of views, whose coefficients stand in arrays parallel to its buffer; other inputs beside them have
 *     scale 1, shift -0 (the one number whose sum with any other is that other) and must be what the activation leaves as
 *     it is: a branch of max pooling among rectified ones, say
 * and each of these on an earlier view, as long as it is one affine function, one activation, one gate, in this order.
 *
 * INVARIANTS a view's readers can all read it; nobody outside reads it; what it is made of lives as
 *            long as it is read. A fused sum's other operand and a gate are never views.
 * METHOD     all that could be views are taken for views; those that cannot be read or put together are struck out, until
 *            nothing changes. What is struck out is written, so that it is a stored value for its readers. The set only
 *            shrinks, so this ends, with the largest set that fits.
 * COST       activations with an exponential take about as long as reading the value from memory, so they are views only
 *            where one reader evaluates them.
 * SOURCE     Pleiss et al., "Memory-Efficient Implementation of DenseNets", arXiv:1707.06990, and Bulo et al., "In-Place
 *            Activated BatchNorm", arXiv:1712.02616, on what need not be stored; views here go further and write nothing. */
#include "graph_private.h"
#include "plan_private.h"

static int is_plain(const tx_planned *p)
{
    return p->coefficients < 0 && p->act == TX_ACT_NONE && p->gate < 0;
}

static int is_costly(tx_act act)
{
    return act == TX_ACT_SILU || act == TX_ACT_SIGMOID;
}

/* What the result of step i asks of its readers. */
static unsigned asks(const tx_plan *plan, int i)
{
    const tx_planned *result = &plan->node[plan->node[i].result];
    unsigned bits = result->coefficients >= 0 || result->act != TX_ACT_NONE ? TX_READS_VIEW : 0;
    return bits | (result->gate >= 0 ? TX_READS_GATE : 0);
}

/* What node j can do to its input number k as it reads it, be its own result written or a view. */
static unsigned does(const tx_plan *plan, int j, int k)
{
    const tx_planned *p = &plan->node[j];
    const tx_node *node = tx_plan_node(plan, j);
    if (!p->is_step || (node->op->kind == TX_SCALE && k > 0))
        return 0;
    if (node->op->kind == TX_CONCAT)
        return p->view ? TX_READS_VIEW : 0;
    return node->op->reads;
}

static int all_read(const tx_plan *plan, int i)
{
    int result = plan->node[i].result;
    for (int r = 0; r < plan->node[result].readers; r++) {
        int j = plan->node[result].reader[r];
        for (int k = 0; k < tx_plan_node(plan, j)->inputs; k++)
            if (tx_plan_node(plan, j)->input[k]->index == result && asks(plan, i) & ~does(plan, j, k))
                return 0;
    }
    return 1;
}

static int could_be_view(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i], *result = &plan->node[p->result];
    const tx_op *op = tx_plan_node(plan, i)->op;
    tx_act act = op->kind == TX_ACTIVATION ? op->act : p->fused;
    if (!p->is_step || tx_plan_node(plan, p->result)->wanted || result->readers == 0)
        return 0;
    if (op->kind == TX_AFFINE || op->kind == TX_ACTIVATION)
        return !is_costly(act) || result->readers == 1;
    return op->kind == TX_SCALE || op->kind == TX_CONCAT;
}

/* No value that step i makes is below 0, as its readers see it. */
static int is_rectified(const tx_plan *plan, int i)
{
    const tx_node *node = tx_plan_node(plan, i);
    tx_act act = node->op->kind == TX_ACTIVATION ? node->op->act : plan->node[i].fused;
    int all = node->op->kind == TX_CONCAT || node->op->traits & TX_NOT_NEGATIVE;
    if (act == TX_ACT_RELU || act == TX_ACT_RELU6 || act == TX_ACT_SIGMOID || act == TX_ACT_HARDSIGMOID)
        return 1;
    for (int k = 0; k < node->inputs && all; k++)
        all = plan->node[node->input[k]->index].rectified;
    return all;
}

/* A concatenation with views among its inputs: one activation for all channels. */
static int compose_concat(tx_plan *plan, int i)
{
    const tx_node *node = tx_plan_node(plan, i);
    tx_planned *result = &plan->node[plan->node[i].result];
    tx_act act = TX_ACT_NONE;
    int views = 0;
    for (int k = 0; k < node->inputs; k++) {
        const tx_planned *x = &plan->node[node->input[k]->index];
        if (x->gate >= 0 || (act != TX_ACT_NONE && x->act != TX_ACT_NONE && x->act != act))
            return 0;
        act = x->act == TX_ACT_NONE ? act : x->act;
        views |= !is_plain(x);
    }
    for (int k = 0; k < node->inputs && act != TX_ACT_NONE; k++) {
        const tx_planned *x = &plan->node[node->input[k]->index];
        int left = is_plain(x) && act == TX_ACT_RELU && x->rectified;
        if (x->act == TX_ACT_NONE && !left)
            return 0;
    }
    result->coefficients = i;
    result->act = act;
    return views;
}

/* What the result of step i is as a view; 0 if it cannot be one. */
static int compose(tx_plan *plan, int i)
{
    const tx_node *node = tx_plan_node(plan, i);
    tx_planned *p = &plan->node[i], *result = &plan->node[p->result];
    const tx_planned *x = &plan->node[node->input[0]->index];
    if (node->op->kind == TX_CONCAT)
        return compose_concat(plan, i);
    result->origin = x->origin;
    result->coefficients = x->coefficients;
    result->act = x->act;
    result->gate = x->gate;
    switch (node->op->kind) {
    case TX_AFFINE:
        result->coefficients = i;
        result->act = p->fused;
        return 1; /* reads no views, so that x will be written */
    case TX_ACTIVATION:
        result->act = node->op->act;
        return x->act == TX_ACT_NONE && x->gate < 0;
    default:
        result->gate = node->input[1]->index;
        return x->gate < 0;
    }
}

/* The result of step i is a stored value. */
static void write_result(tx_plan *plan, int i)
{
    tx_planned *result = &plan->node[plan->node[i].result];
    result->origin = plan->node[i].result;
    result->coefficients = -1;
    result->act = TX_ACT_NONE;
    result->gate = -1;
}

/* Sets what readers have to do to the result of step i; strikes it out if that is no view. 1 if it has been. */
static int strike(tx_plan *plan, int i)
{
    tx_planned *p = &plan->node[i];
    int view = p->view;
    write_result(plan, i);
    p->view = view && compose(plan, i);
    if (!p->view)
        write_result(plan, i);
    return view && !p->view;
}

void tx_plan_views(tx_plan *plan)
{
    int changed = 1;
    for (int i = 0; i < plan->nodes; i++) {
        plan->node[i].view = could_be_view(plan, i);
        if (plan->node[i].is_step)
            plan->node[plan->node[i].result].rectified = is_rectified(plan, i);
    }
    while (changed) {
        changed = 0;
        for (int i = 0; i < plan->nodes; i++)
            if (plan->node[i].is_step)
                changed |= strike(plan, i);
        for (int i = plan->nodes - 1; i >= 0; i--)
            if (plan->node[i].view && !all_read(plan, i)) {
                plan->node[i].view = 0;
                changed = 1;
            }
    }
}
