/* plan.c - from a description to steps with places in one arena.
 *
 * A network is N nodes in the order in which they run. Time is counted in them: node i runs forward at time i and backward at
 * time 2N-1-i. Whatever takes memory has a life, from the first to the last time at which it is written or read, and a place.
 * Nothing is computed here and no pointer exists yet; session.c runs what this file and its rooms have found.
 *
 *     plan_fuse.c       nodes become steps; in inference a convolution takes batch norm, sum and activation behind it
 *     plan_wanted.c     which gradients anybody wants, and so which steps run backward
 *     plan_views.c      which results are never written
 *     plan_forward.c    places of values, saved arrays, scratch; concatenations are written in place by their inputs
 *     plan_moments.c    who takes batch statistics, and where they stand
 *     plan_slopes.c     which gradients of batch norms are never written
 *     plan_recompute.c  which cheap values are dropped and made again, to fit a budget
 *     plan_backward.c   reverse mode: where each gradient stands, what backward reads
 *     plan_arena.c      offsets: the largest buffer first, each at the lowest address that is free during its life
 *     plan_place.c      what they share: times, places, keeping alive
 *
 * INVARIANTS two buffers overlap in the arena only if their lives do not. Whatever a step reads lives at its time. What a plan
 *            chooses (views, places, what is dropped, who applies a slope) changes no bit: each choice is between two ways
 *            to the same numbers. Planning takes no numbers, so it is the same for all weights and images.
 * COST       passes over the nodes and their readers; the arena is quadratic in buffers, with a binary search. 900 nodes take
 *            about 10 ms a plan; a budget tries ten at most.
 *
 * A RESIDUAL BLOCK in training  y = relu(x + norm2(conv2(relu(norm1(conv1(x)))))). W writes, R reads, - lives; what has a prime
 * runs backward, g is a gradient. norm1 with its relu, and norm2, write no values, only coefficients.
 *
 *     step            conv1  norm1  conv2  norm2  sum    ..     sum'   norm2' conv2' norm1' conv1'
 *     x               R---------------------------R-----------------------------------------R  for conv1's weights
 *     a = conv1(x)    W-------------R-----------------------------------------R------R------R
 *     its moments     W------R
 *     scale, shift           W------R-----------------------------------------R------R------R  norm1's: a view of a
 *     b = conv2(..)                 W-------------R--------------------R------R
 *     its moments                   W------R
 *     scale, shift                         W------R--------------------R------R                norm2's: a view of b
 *     y = sum                                     W------R------R                              read by the next block; masks
 *     g(y), g(norm2)                                     W------RW-----R------R-------------RW masked, at the end g(x)
 *     g(b)                                                                    nowhere: conv2' reads a slope
 *     g(norm1)                                                                W------R------R
 *     g(a)                                                                                  nowhere
 *
 * Where a convolution cannot read slopes (Winograd) g(b) is written at norm2', to a place of its own as g(y) is still needed,
 * and g(a) at norm1' over g(norm1), which nobody else needs.
 *
 * A DENSE LAYER  new = conv2(relu(norm2(conv1(relu(norm1(X)))))), conv1 being 1x1; the block goes on with X | new.
 *
 *     step            norm1  conv1  norm2  conv2  cat    ..     cat'   conv2' norm2' conv1' norm1'
 *     X | new         -------R-------------W-------------R---------------------------R------R  the block's one buffer
 *     their moments   R--------------------W-------------R                                     each channel's taken once
 *     c = conv1(X)           W-------------R---------------------------R------R------R
 *     g(X) | g(new)                                      W-------------R--------------------RW as wide; cat' does nothing
 *     g(norm2)                                                         W------R------R
 *     g(c)                                                                           nowhere
 *     g(norm1)                                                                       W------R  norm1' adds to g(X)
 *
 * SOURCE    liveness and the greedy placement: Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference",
 *           arXiv:2001.03288, section 5.2 (by size). */
#include "graph_private.h"
#include "plan_private.h"

#include <limits.h>
#include <string.h>

enum {
    USUAL_MIB = 950,   /* that training takes where nobody says how much it may; .. */
    LIGHT_MIB = 1300,  /* of a network with fewer multiply-adds a value than this: there making values again, which */
    LIGHT_MACS = 32,   /* moves them through memory once more, takes a tenth of a step, elsewhere next to nothing */
    BYTES_A_PARAM = 16 /* value, gradient, an optimiser's two means */
};

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
                          .reduces = -1,
                          .sums = -1,
                          .reduce_work = -1,
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
    if (status == TX_OK && plan->thrift.sixteenths > 0)
        status = tx_plan_recompute(plan);
    if (status == TX_OK && plan->mode != TX_INFER) {
        tx_plan_slopes(plan);
        status = tx_plan_backward(plan);
    }
    if (status == TX_OK && plan->mode != TX_INFER)
        status = tx_plan_sums(plan);
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

/* Multiply-adds a value that a step makes. */
static double macs_a_value(const tx_plan *plan)
{
    double macs = 0, values = 0;
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = tx_plan_node(plan, i);
        macs += plan->node[i].is_step ? plan->node[i].workspace.macs : 0;
        values += (double)node->h * node->w * node->c;
    }
    return macs / values;
}

/* Bytes of an arena that with all parameters takes the usual memory. */
static size_t usual_arena(const tx_plan *plan)
{
    size_t usual = (size_t)(macs_a_value(plan) < LIGHT_MACS ? LIGHT_MIB : USUAL_MIB) << 20;
    size_t trained = plan->graph->trained;
    return trained < usual / BYTES_A_PARAM ? usual - trained * BYTES_A_PARAM : 0;
}

/* The first of more and more thrifty plans that is small enough, else the best of all. *least: the bytes of the smallest. */
static tx_plan *choose_plan(const tx_graph *graph, const tx_session_args *args, size_t *least)
{
    static const tx_thrift thrifts[] = {{0, 0},  {1, 0},  {2, 0},  {4, 0},  {8, 0},
                                        {12, 0}, {16, 0}, {16, 1}, {16, 3}, {16, INT_MAX}};
    int most = args->mode == TX_INFER ? 1 : (int)(sizeof thrifts / sizeof thrifts[0]);
    tx_plan *best = NULL;
    size_t allowed = args->memory;
    *least = SIZE_MAX;
    for (int k = 0; k < most; k++) {
        tx_plan *plan = plan_once(graph, args, thrifts[k]);
        if (plan && k == 0 && !args->memory)
            allowed = usual_arena(plan);
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
    tx_plan *plan = choose_plan(graph, &args, &least);
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
