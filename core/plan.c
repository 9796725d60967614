/* plan.c - from a description to steps with places in one arena.
 *
 * 1. Joining. In inference a convolution takes the batch norm that follows it (folded into weights and bias), then a sum
 *    with an earlier value, then an activation. In training a batch norm whose readers all apply scale and shift
 *    themselves writes no result: its value is a view on its input; an activation joins the batch norm or sum before it.
 * 2. Forward. Every value, saved array and scratch buffer gets a lifetime. The inputs of a concatenation are written
 *    straight into slices of its buffer.
 * 3. Backward. Steps in reverse: where does each input's gradient go? The first contribution is written, later ones are
 *    added, in the order of the reversed steps. A sum hands on its own gradient's place, a concatenation slices of it;
 *    a gradient that several values share is overwritten only by the last of them to use it.
 *    (plan_backward.c). If what is kept for backward takes more than is allowed, values that are cheap to compute are
 *    dropped after their last reader and made again when backward needs them (plan_remake.c); no bit changes.
 * 4. Placing. Largest buffer first, each at the lowest address that is free during its life (arena.c). */
#include "graph_private.h"
#include "plan_private.h"

#include <limits.h>
#include <string.h>

#ifndef AMPLE
#define AMPLE ((size_t)1 << 30) /* bytes that are taken where nobody says how many there are */
#endif

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

/* ---- tensors */

/* A dense tensor of the node's shape. */
tx_status tx_plan_tensor(tx_plan *plan, const tx_node *node, int time, tx_slot *slot)
{
    size_t bytes;
    if (tx_size_mul((size_t)plan->batch, (size_t)node->h, &bytes) || tx_size_mul(bytes, (size_t)node->w, &bytes) ||
        tx_size_mul(bytes, (size_t)node->c, &bytes) || tx_size_mul(bytes, sizeof(float), &bytes))
        return tx_fail(TX_ERR_MEMORY, "%s '%s': %d images of %d x %d x %d do not fit in memory", node->op->name,
                       node->name, plan->batch, node->h, node->w, node->c);
    *slot = (tx_slot){tx_arena_add(plan, bytes, time), 0, (size_t)node->c};
    return slot->buffer < 0 ? TX_ERR_MEMORY : TX_OK;
}

/* ---- 1. joining */

/* The only reader of node i, or -1 where there are several or none, or where i must stay readable. */
static int only_reader(const tx_plan *plan, int i)
{
    if (tx_plan_node(plan, i)->consumers != 1 || tx_plan_node(plan, i)->wanted)
        return -1;
    for (int j = i + 1; j < plan->nodes; j++)
        for (int k = 0; k < tx_plan_node(plan, j)->inputs; k++)
            if (tx_plan_node(plan, j)->input[k]->index == i)
                return j;
    return -1;
}

static int is_relu(const tx_plan *plan, int i)
{
    return i >= 0 && strcmp(tx_plan_node(plan, i)->op->name, "relu") == 0;
}

/* Joins the activation that alone reads the result of step i. */
static void join_act(tx_plan *plan, int i)
{
    int reader = only_reader(plan, plan->node[i].result);
    if (!is_relu(plan, reader))
        return;
    plan->node[i].joined = TX_ACT_RELU;
    plan->node[i].result = reader;
    plan->node[reader].is_step = 0;
}

/* A folding step takes the batch norm after it, then a sum whose other input is made before it. */
static void join_inference(tx_plan *plan, int i)
{
    tx_planned *p = &plan->node[i];
    int reader = only_reader(plan, p->result);
    if (reader >= 0 && tx_plan_node(plan, reader)->op->makes_view) {
        p->fold = reader;
        p->result = reader;
        plan->node[reader].is_step = 0;
        reader = only_reader(plan, p->result);
    }
    if (reader >= 0 && tx_plan_node(plan, reader)->op->shares_gradient == 1 &&
        tx_plan_node(plan, reader)->inputs == 2) {
        const tx_node *sum = tx_plan_node(plan, reader);
        int other = sum->input[0]->index == p->result ? sum->input[1]->index : sum->input[0]->index;
        int made = -1;
        for (int j = 0; j < plan->nodes; j++)
            if (plan->node[j].is_step && plan->node[j].result == other && !tx_plan_node(plan, j)->op->makes_view)
                made = j;
        if (made >= 0 && made < i) {
            p->add = other;
            p->result = reader;
            plan->node[reader].is_step = 0;
        }
    }
    join_act(plan, i);
}

static void join(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_op *op = tx_plan_node(plan, i)->op;
        if (!plan->node[i].is_step)
            continue;
        if (plan->mode == TX_INFER && op->folds)
            join_inference(plan, i);
        else if (op->joins_act && (plan->mode == TX_INFER || !op->folds))
            join_act(plan, i);
    }
}

/* A batch norm writes no result if nobody outside reads it and all readers apply scale, shift and act. */
static int can_stay_view(const tx_plan *plan, int i)
{
    int result = plan->node[i].result;
    const tx_node *node = tx_plan_node(plan, result);
    if (!tx_plan_node(plan, i)->op->makes_view || node->wanted || node->consumers == 0)
        return 0;
    for (int j = result + 1; j < plan->nodes; j++)
        for (int k = 0; k < tx_plan_node(plan, j)->inputs; k++)
            if (tx_plan_node(plan, j)->input[k]->index == result && !tx_plan_node(plan, j)->op->reads_views)
                return 0;
    return 1;
}

/* ---- 2. forward */

/* Finds the concatenation whose buffer holds node i's value, if any: the first that reads it. */
static const tx_node *concat_of(const tx_plan *plan, int i, size_t *channel)
{
    for (int j = i + 1; j < plan->nodes; j++) {
        const tx_node *node = tx_plan_node(plan, j);
        if (node->op->shares_gradient != 2)
            continue;
        *channel = 0;
        for (int k = 0; k < node->inputs; k++) {
            if (node->input[k]->index == i)
                return node;
            *channel += (size_t)node->input[k]->c;
        }
    }
    return NULL;
}

/* Gives the value of node i its place: a slice of a concatenation's, or a tensor of its own. */
static tx_status place_value(tx_plan *plan, int i, int time)
{
    tx_slot *slot = &plan->node[i].value;
    if (slot->buffer < 0) {
        size_t channel;
        const tx_node *concat = concat_of(plan, i, &channel);
        if (concat && tx_plan_node(plan, i)->op != &tx_op_input) {
            tx_status status = place_value(plan, concat->index, time);
            if (status)
                return status;
            *slot = plan->node[concat->index].value;
            slot->channel += channel;
        } else {
            tx_status status = tx_plan_tensor(plan, tx_plan_node(plan, i), time, slot);
            if (status)
                return status;
        }
    }
    tx_arena_touch(plan, slot->buffer, time);
    if (tx_plan_node(plan, i)->wanted || i == plan->nodes - 1)
        tx_arena_touch(plan, slot->buffer, tx_end_of_time(plan));
    return TX_OK;
}

tx_slot tx_plan_value(const tx_plan *plan, int i, int time)
{
    const tx_planned *origin = &plan->node[plan->node[i].origin];
    return time >= plan->nodes && origin->again.buffer >= 0 ? origin->again : origin->value;
}

void tx_plan_touch(tx_plan *plan, int i, int time)
{
    tx_arena_touch(plan, tx_plan_value(plan, i, time).buffer, time);
    if (plan->node[i].coefficients >= 0)
        tx_arena_touch(plan, plan->node[plan->node[i].coefficients].saved, time);
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
    step->backward = plan->mode != TX_INFER;
    for (int k = 0; k < node->inputs; k++)
        view_of(plan, node->input[k]->index, n, &step->x[k]);
    step->y = (tx_tensor){
        .n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->is_step ? plan->node[p->result].value.ld : 0};
    step->act = p->joined;
    step->fold = p->fold >= 0 ? tx_plan_node(plan, p->fold) : NULL;
    step->has_add = p->add >= 0;
    if (step->has_add)
        view_of(plan, p->add, n, &step->add);
    step->dy = (tx_tensor){.n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->dy.ld};
}

/* Asks the operation what it needs and books it. */
static tx_status book_need(tx_plan *plan, int i, tx_step *step)
{
    tx_planned *p = &plan->node[i];
    const tx_op *op = tx_plan_node(plan, i)->op;
    tx_plan_step(plan, i, plan->batch, step);
    p->need = (tx_need){.algorithm = ""};
    if (op->plan)
        op->plan(step, &p->need);
    int backward = plan->mode != TX_INFER;
    int *place[4] = {&p->saved, &p->prepared, &p->work, &p->work_backward};
    size_t bytes[4] = {p->need.saved, p->need.prepared, p->need.work, backward ? p->need.work_backward : 0};
    for (int k = 0; k < 4; k++) {
        if (bytes[k] == 0)
            continue;
        *place[k] = tx_arena_add(plan, bytes[k], k == 3 ? tx_backward_time(plan, i) : i);
        if (*place[k] < 0)
            return tx_fail(TX_ERR_MEMORY, "%s '%s': its plan does not fit in memory", op->name,
                           tx_plan_node(plan, i)->name);
    }
    if (backward) {
        tx_arena_touch(plan, p->saved, tx_backward_time(plan, i));
    } else {
        for (int k = 0; k < 2; k++) { /* made once, by prepare */
            tx_arena_touch(plan, *place[k], -1);
            tx_arena_touch(plan, *place[k], tx_end_of_time(plan));
        }
    }
    return TX_OK;
}

static tx_status plan_forward(tx_plan *plan, tx_step *step)
{
    for (int i = 0; i < plan->nodes; i++) {
        tx_planned *p = &plan->node[i];
        if (!p->is_step)
            continue;
        const tx_node *node = tx_plan_node(plan, i);
        tx_planned *result = &plan->node[p->result];
        if (can_stay_view(plan, i)) {
            const tx_planned *x = &plan->node[node->input[0]->index];
            result->value = x->value;
            result->origin = x->origin;
            result->coefficients = i;
            result->act = p->joined;
        } else {
            tx_status status = place_value(plan, p->result, i);
            if (status)
                return status;
        }
        tx_status status = book_need(plan, i, step);
        if (status)
            return status;
        for (int k = 0; k < node->inputs; k++)
            tx_plan_touch(plan, node->input[k]->index, i);
        if (p->add >= 0)
            tx_plan_touch(plan, p->add, i);
        if (node->op == &tx_op_input) { /* what the caller writes there stays until he writes again */
            tx_arena_touch(plan, p->value.buffer, -1);
            tx_arena_touch(plan, p->value.buffer, tx_end_of_time(plan));
        }
    }
    return TX_OK;
}

/* ---- the whole */

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
                          .again = tx_nowhere,
                          .coefficients = -1,
                          .fold = -1,
                          .add = -1,
                          .gradient = tx_nowhere,
                          .dy = tx_nowhere,
                          .saved = -1,
                          .prepared = -1,
                          .work = -1,
                          .work_backward = -1,
                          .again_prepared = -1,
                          .again_work = -1};
        p->dx = next;
        p->dx_add = next + tx_plan_node(plan, i)->inputs;
        next += 2 * tx_plan_node(plan, i)->inputs;
    }
    for (tx_slot *s = plan->slots; s && s < next; s++)
        *s = tx_nowhere;
    if (status == TX_OK) {
        join(plan);
        status = plan_forward(plan, &step);
    }
    if (status == TX_OK && plan->keep_every > 1)
        status = tx_plan_remake(plan);
    if (status == TX_OK && plan->mode != TX_INFER)
        status = tx_plan_backward(plan);
    if (status == TX_OK)
        status = tx_arena_place(plan);
    tx_free(step.x);
    return status;
}

int tx_plan_trains(const tx_plan *plan, const tx_node *node, int k)
{
    return plan->graph->param[node->param[k]].role == TX_ROLE_TRAINED && !plan->frozen[node->param[k]];
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

static tx_plan *plan_once(const tx_graph *graph, const tx_session_args *args, int keep_every)
{
    tx_plan *plan = tx_alloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    plan->graph = graph;
    plan->machine = tx_machine_now();
    plan->batch = args->batch;
    plan->mode = args->mode;
    plan->keep_every = keep_every;
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

tx_plan *tx_plan_new(const tx_graph *graph, tx_session_args args)
{
    /* Of the cheap values: all are kept, then fewer and fewer. */
    static const int usual[] = {1, INT_MAX, 0}, by_budget[] = {1, 2, 4, 8, 16, INT_MAX, 0};
    const int *keep_every = args.memory ? by_budget : usual;
    size_t allowed = args.memory ? args.memory : AMPLE, least = SIZE_MAX;
    if (tx_plan_check(graph, &args))
        return NULL;
    for (;; keep_every++) {
        tx_plan *plan = plan_once(graph, &args, *keep_every);
        int last = args.mode == TX_INFER || keep_every[1] == 0;
        if (!plan || plan->bytes <= allowed || (last && !args.memory))
            return plan;
        least = plan->bytes < least ? plan->bytes : least;
        tx_plan_free(plan);
        if (last)
            break;
    }
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

const tx_need *tx_plan_need(const tx_plan *plan, const tx_node *node)
{
    const tx_planned *p = tx_plan_find(plan, node, "tx_plan_need");
    return p && p->is_step ? &p->need : NULL;
}
