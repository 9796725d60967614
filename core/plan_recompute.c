/* plan_recompute.c - values that backward needs but that are cheaper to make again than to keep.
 *
 * An operation says of a step that it is cheap (tx_workspace): a sum, say, is one pass over memory. Such a value lives from its
 * step to its last reader in forward, and a second time from its first use in backward on, where its step is run again.
 * What the second run reads must be there at that time; if that is a cheap value too, it is made again no later, and
 * steps to be run again at one time run in their forward order. The idea is gradient checkpointing (Griewank & Walther,
 * "Algorithm 799: Revolve", ACM TOMS 26, 2000; Chen et al., arXiv:1604.06174), here for the cheap steps alone.
 *
 * Where each value is made from the one before it, as the sums of residual blocks are, the first use of the last one asks
 * for all of them at once, so such rows are cut: some of their values are kept. Equal pieces would leave n/s + s values at the
 * peak, 2 sqrt(n) at best. But the peak is where backward begins; what it has passed is free for the next piece, which may be
 * the longer for it, and so fewer are kept. */
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
    for (int k = 0; k < node->inputs; k++) {
        const tx_planned *x = &plan->node[node->input[k]->index];
        if (x->origin == origin || (x->gate >= 0 && plan->node[x->gate].origin == origin))
            return 1;
    }
    return 0;
}

/* The earliest backward time at which something reads the value of node `origin`; the end of time if nothing does. */
static int first_use(const tx_plan *plan, int origin)
{
    int first = tx_end_of_time(plan);
    for (int j = 0; j < plan->nodes; j++) {
        const tx_planned *p = &plan->node[j];
        if (!p->is_step)
            continue;
        unsigned needs = p->backward ? tx_plan_needs(plan, j) : 0;
        int x = reads(plan, j, origin), y = plan->node[p->result].origin == origin;
        int time = tx_backward_time(plan, j);
        if (((x && needs & TX_NEEDS_X) || (y && needs & TX_NEEDS_Y)) && time < first)
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

/* Who makes what node v is a view of, and its gate, is asked for it by a value that is made again. */
static void ask(tx_plan *plan, int v)
{
    plan->node[plan->node[plan->node[v].origin].step].asked = 1;
    if (plan->node[v].gate >= 0)
        ask(plan, plan->node[v].gate);
}

/* Bytes of the value that step i writes; 0 if it writes none. */
static double bytes_of(const tx_plan *plan, int i)
{
    const tx_planned *p = &plan->node[i];
    const tx_node *result = tx_plan_node(plan, p->result);
    if (!p->is_step || plan->node[p->result].origin != p->result)
        return 0;
    return 4.0 * plan->batch * result->h * result->w * result->c;
}

/* Which values are dropped, from the last on. In a row of them each is made from the one before it: as long as they do not
 * take more than backward has passed when it begins to need them, and so many more. */
static void choose(tx_plan *plan)
{
    int cheap = 0;
    double passed = 0, room = 0, row = 0;
    for (int i = plan->nodes - 1; i >= 0; i--) {
        const tx_node *node = tx_plan_node(plan, i);
        tx_planned *p = &plan->node[i];
        double bytes = bytes_of(plan, i);
        int cheap_one = droppable(plan, i);
        cheap += cheap_one ? plan->thrift.sixteenths : 0;
        row += cheap_one && p->asked ? bytes : 0;
        p->dropped = cheap_one && cheap >= 16 && row <= room + plan->thrift.more * bytes;
        cheap -= p->dropped ? 16 : 0;
        passed += p->dropped ? 0 : bytes;
        if (cheap_one && !(p->dropped && p->asked)) {
            room = passed / 2; /* the rest is for gradients */
            row = 0;
        }
        for (int k = 0; k < node->inputs && p->dropped; k++)
            ask(plan, node->input[k]->index);
    }
}

static tx_status run_again(tx_plan *plan, int i, int time)
{
    tx_planned *p = &plan->node[i];
    const tx_node *result = tx_plan_node(plan, p->result);
    p->recomputed = time;
    plan->again += bytes_of(plan, i);
    tx_arena_touch(plan, p->saved, time);
    tx_status status = tx_plan_tensor(plan, result, time, &plan->node[p->result].recomputed_value);
    if (status == TX_OK && (add_scratch(plan, p->workspace.prepared, time, &p->recompute_prepared) ||
                            add_scratch(plan, p->workspace.work, time, &p->recompute_work)))
        status = TX_ERR_MEMORY;
    return status;
}

tx_status tx_plan_recompute(tx_plan *plan)
{
    choose(plan);
    for (int i = plan->nodes - 1; i >= 0; i--) {
        int time = plan->node[i].dropped ? first_use(plan, plan->node[i].result) : tx_end_of_time(plan);
        tx_status status = time < tx_end_of_time(plan) ? run_again(plan, i, time) : TX_OK;
        if (status)
            return status;
    }
    for (int i = 0; i < plan->nodes; i++) /* now that all second lives are known: what the second runs read */
        for (int k = 0; k < tx_plan_node(plan, i)->inputs && plan->node[i].recomputed; k++)
            tx_plan_touch(plan, tx_plan_node(plan, i)->input[k]->index, plan->node[i].recomputed);
    return TX_OK;
}
