/* plan.c - from a description to steps with places in one arena.
 *
 * 1. Fusing (plan_fuse.c). In inference a convolution takes the batch norm that follows it (folded into weights and bias), then a sum
 *    with an earlier value, then an activation. In training a batch norm whose readers all apply scale and shift
 *    themselves writes no result: its value is a view on its input; an activation joins the batch norm or sum before it.
 * 2. Forward (plan_forward.c). Every value, saved array and scratch buffer gets a lifetime. The inputs of a concatenation are written
 *    straight into slices of its buffer. Batch statistics stand beside the buffers (plan_moments.c).
 * 3. Backward. Steps in reverse: where does each input's gradient go? The first contribution is written, later ones are
 *    added, in the order of the reversed steps. A sum hands on its own gradient's place, a concatenation slices of it;
 *    a gradient that several values share is overwritten only by the last of them to use it.
 *    The gradient of a batch norm may be left to whoever made what it reads (plan_slopes.c).
 *    (plan_backward.c). If what is kept for backward takes more than is allowed, values that are cheap to compute are
 *    dropped after their last reader and made again when backward needs them (plan_recompute.c); no bit changes.
 * 4. Placing. Largest buffer first, each at the lowest address that is free during its life (plan_arena.c). */
#include "graph_private.h"
#include "plan_private.h"

#include <limits.h>
#include <string.h>

#ifndef AMPLE
#define AMPLE ((size_t)640 << 20) /* bytes that are taken where nobody says how many there are */
#endif

/* Who reads whom; there are so many inputs. */
static tx_status list_readers(tx_plan *plan, size_t inputs)
{
    int *next = plan->readers = tx_alloc(inputs, sizeof *next);
    if (!next)
        return TX_ERR_MEMORY;
    for (int i = 0; i < plan->nodes; i++) {
        plan->node[i].reader = next;
        next += tx_plan_node(plan, i)->consumers;
    }
    for (int j = 0; j < plan->nodes; j++)
        for (int k = 0; k < tx_plan_node(plan, j)->inputs; k++) {
            tx_planned *p = &plan->node[tx_plan_node(plan, j)->input[k]->index];
            plan->readers[p->reader - plan->readers + p->readers++] = j;
        }
    return TX_OK;
}

static tx_status plan_all(tx_plan *plan)
{
    size_t inputs = 0, most = 1;
    for (int i = 0; i < plan->nodes; i++) {
        size_t n = (size_t)tx_plan_node(plan, i)->inputs;
        inputs += n;
        most = n > most ? n : most;
    }
    plan->slots = tx_alloc(2 * inputs, sizeof *plan->slots);
    tx_step step = {.x = tx_alloc(most, sizeof(tx_view))};
    tx_status status = plan->slots && step.x ? TX_OK : TX_ERR_MEMORY;
    tx_slot *next = plan->slots;
    for (int i = 0; i < plan->nodes && status == TX_OK; i++) {
        tx_planned *p = &plan->node[i];
        *p = (tx_planned){.is_step = 1,
                          .kept = tx_plan_node(plan, i)->wanted,
                          .result = i,
                          .value = tx_nowhere,
                          .origin = i,
                          .recomputed_value = tx_nowhere,
                          .coefficients = -1,
                          .gate = -1,
                          .step = i,
                          .fold = -1,
                          .add = -1,
                          .gradient = tx_nowhere,
                          .dy = tx_nowhere,
                          .slope = -1,
                          .saved = -1,
                          .prepared = -1,
                          .work = -1,
                          .work_backward = -1,
                          .recompute_prepared = -1,
                          .recompute_work = -1,
                          .moments = tx_nowhere,
                          .x_moments = tx_nowhere,
                          .moments_work = -1};
        p->dx = next;
        p->dx_add = next + tx_plan_node(plan, i)->inputs;
        next += 2 * tx_plan_node(plan, i)->inputs;
    }
    for (tx_slot *s = plan->slots; s && s < next; s++)
        *s = tx_nowhere;
    if (status == TX_OK)
        status = list_readers(plan, inputs);
    if (status == TX_OK) {
        tx_plan_fuse(plan);
        if (plan->mode != TX_INFER)
            tx_plan_wanted(plan);
        tx_plan_views(plan);
        status = tx_plan_forward(plan, &step);
    }
    if (status == TX_OK && plan->mode == TX_TRAIN)
        status = tx_plan_moments(plan);
    if (status == TX_OK && plan->thrift.quarters > 0)
        status = tx_plan_recompute(plan);
    if (status == TX_OK && plan->mode != TX_INFER) {
        tx_plan_slopes(plan);
        status = tx_plan_backward(plan);
    }
    if (status == TX_OK)
        status = tx_arena_place(plan);
    tx_free(step.x);
    return status;
}

static tx_status freeze(tx_plan *plan, const char *prefix)
{
    int met = 0;
    for (size_t i = 0; i < plan->graph->params; i++)
        if (plan->graph->param[i].role == TX_ROLE_TRAINED &&
            strncmp(plan->graph->param[i].name, prefix, strlen(prefix)) == 0) {
            plan->frozen[i] = 1;
            met = 1;
        }
    char text[TX_TEXT];
    return met ? TX_OK
               : tx_fail(TX_ERR_ARGUMENT, "frozen: no trained parameter's name begins with '%s'",
                         tx_escape(text, sizeof text, prefix));
}

static tx_plan *plan_once(const tx_graph *graph, const tx_session_args *args, tx_thrift thrift)
{
    tx_plan *plan = tx_alloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    plan->graph = graph;
    plan->machine = tx_machine_now();
    plan->batch = args->batch;
    plan->mode = args->mode;
    plan->parameters = args->mode == TX_TRAIN || (args->mode == TX_EXPLAIN && args->parameters);
    plan->thrift = thrift;
    plan->nodes = (int)graph->nodes;
    plan->node = tx_alloc(graph->nodes, sizeof *plan->node);
    plan->frozen = tx_alloc(graph->params, sizeof *plan->frozen);
    tx_status status = plan->node && plan->frozen ? TX_OK : TX_ERR_MEMORY;
    for (const char *const *prefix = args->frozen; prefix && *prefix && status == TX_OK; prefix++)
        status = freeze(plan, *prefix);
    if (status == TX_OK)
        status = plan_all(plan);
    if (status == TX_OK)
        return plan;
    tx_plan_free(plan);
    return NULL;
}

tx_status tx_plan_check(const tx_graph *graph, const tx_session_args *args)
{
    if (tx_graph_status(graph))
        return tx_graph_status(graph);
    if (args->batch < 1 || args->batch > TX_MAX_BATCH || graph->nodes == 0)
        return tx_fail(TX_ERR_ARGUMENT,
                       "a plan for %d images and %zu nodes, expected 1 to %d images, at least one node", args->batch,
                       graph->nodes, (int)TX_MAX_BATCH);
    if (args->mode != TX_INFER && args->mode != TX_TRAIN && args->mode != TX_EXPLAIN)
        return tx_fail(TX_ERR_ARGUMENT, "a plan for mode %d, expected TX_INFER, TX_TRAIN or TX_EXPLAIN",
                       (int)args->mode);
    return TX_OK;
}

/* Of two plans that exceed what is allowed the smaller one; of those of about one size the one that computes less again. */
static int is_better(const tx_plan *a, const tx_plan *b)
{
    double size_a = (double)a->bytes, size_b = (double)b->bytes;
    return size_a < 0.995 * size_b || (size_a <= 1.005 * size_b && a->again < b->again);
}

/* The first of more and more thrifty plans that is small enough, else the best of all. *least: the bytes of the smallest. */
static tx_plan *choose_plan(const tx_graph *graph, const tx_session_args *args, size_t allowed, size_t *least)
{
    static const tx_thrift thrifts[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {4, 1}, {4, 3}, {4, INT_MAX}};
    int most = args->mode == TX_INFER ? 1 : (int)(sizeof thrifts / sizeof thrifts[0]);
    tx_plan *best = NULL;
    *least = SIZE_MAX;
    for (int k = 0; k < most; k++) {
        tx_plan *plan = plan_once(graph, args, thrifts[k]);
        int fits = plan && plan->bytes <= allowed;
        if (plan && plan->bytes < *least)
            *least = plan->bytes;
        if (!plan || fits || !best || is_better(plan, best)) {
            tx_plan_free(best);
            best = plan;
        } else {
            tx_plan_free(plan);
        }
        if (!plan || fits)
            break;
    }
    return best;
}

tx_plan *tx_plan_new(const tx_graph *graph, tx_session_args args)
{
    size_t least;
    if (tx_plan_check(graph, &args))
        return NULL;
    tx_plan *plan = choose_plan(graph, &args, args.memory ? args.memory : AMPLE, &least);
    if (!plan || !args.memory || plan->bytes <= args.memory)
        return plan;
    tx_plan_free(plan);
    tx_fail(TX_ERR_MEMORY, "a batch of %d takes %zu bytes of memory at least, %zu are allowed", args.batch, least,
            args.memory);
    return NULL;
}

void tx_plan_free(tx_plan *plan)
{
    if (!plan)
        return;
    tx_free(plan->frozen);
    tx_free(plan->node);
    tx_free(plan->slots);
    tx_free(plan->readers);
    tx_free(plan->buffer);
    tx_free(plan);
}

size_t tx_plan_bytes(const tx_plan *plan)
{
    if (!plan)
        tx_fail_null("tx_plan_bytes", "plan");
    return plan ? plan->bytes : 0;
}

const tx_planned *tx_plan_find(const tx_plan *plan, const tx_node *node, const char *call)
{
    if (!plan || !node)
        tx_fail_null(call, plan ? "node" : "plan");
    else if (node->graph != plan->graph || node->index >= plan->nodes)
        tx_fail(TX_ERR_ARGUMENT, "%s: %s '%s' is no node of what was planned", call, node->op->name, node->name);
    else
        return &plan->node[node->index];
    return NULL;
}

const tx_workspace *tx_plan_workspace(const tx_plan *plan, const tx_node *node)
{
    const tx_planned *p = tx_plan_find(plan, node, "tx_plan_workspace");
    return p && p->is_step ? &p->workspace : NULL;
}
