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
 * 4. Placing. Largest buffer first, each at the lowest address that is free during its life. */
#include "graph_private.h"
#include "plan_private.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

static const tx_slot nowhere = {-1, 0, 0};

static const tx_node *node_at(const tx_plan *plan, int i)
{
    return plan->graph->node[i];
}

static int end_of_time(const tx_plan *plan)
{
    return 2 * plan->nodes;
}

static int backward_time(const tx_plan *plan, int i)
{
    return 2 * plan->nodes - 1 - i;
}

/* ---- buffers */

/* Returns the new buffer's number, -1 without memory or where the size does not fit. */
static int buffer_new(tx_plan *plan, size_t bytes, int time)
{
    size_t padded;
    if (tx_size_add(bytes, ALIGN - 1, &padded) ||
        tx_grow((void **)&plan->buffer, &plan->room, plan->buffers + 1, sizeof *plan->buffer))
        return -1;
    plan->buffer[plan->buffers] = (tx_buffer){.bytes = padded / ALIGN * ALIGN, .first = time, .last = time};
    return (int)plan->buffers++;
}

static void touch(tx_plan *plan, int buffer, int time)
{
    if (buffer < 0)
        return;
    tx_buffer *b = &plan->buffer[buffer];
    if (time < b->first)
        b->first = time;
    if (time > b->last)
        b->last = time;
}

/* A dense tensor of the node's shape. */
static tx_status tensor_new(tx_plan *plan, const tx_node *node, int time, tx_slot *slot)
{
    size_t bytes;
    if (tx_size_mul((size_t)plan->batch, (size_t)node->h, &bytes) || tx_size_mul(bytes, (size_t)node->w, &bytes) ||
        tx_size_mul(bytes, (size_t)node->c, &bytes) || tx_size_mul(bytes, sizeof(float), &bytes))
        return tx_fail(TX_ERR_MEMORY, "%s '%s': %d images of %d x %d x %d do not fit in memory", node->op->name, node->name,
                       plan->batch, node->h, node->w, node->c);
    *slot = (tx_slot){buffer_new(plan, bytes, time), 0, (size_t)node->c};
    return slot->buffer < 0 ? TX_ERR_MEMORY : TX_OK;
}

/* ---- 1. joining */

/* The only reader of node i, or -1 where there are several or none, or where i must stay readable. */
static int only_reader(const tx_plan *plan, int i)
{
    if (node_at(plan, i)->consumers != 1 || node_at(plan, i)->wanted)
        return -1;
    for (int j = i + 1; j < plan->nodes; j++)
        for (int k = 0; k < node_at(plan, j)->inputs; k++)
            if (node_at(plan, j)->input[k]->index == i)
                return j;
    return -1;
}

static int is_relu(const tx_plan *plan, int i)
{
    return i >= 0 && strcmp(node_at(plan, i)->op->name, "relu") == 0;
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
    if (reader >= 0 && node_at(plan, reader)->op->makes_view) {
        p->fold = reader;
        p->result = reader;
        plan->node[reader].is_step = 0;
        reader = only_reader(plan, p->result);
    }
    if (reader >= 0 && node_at(plan, reader)->op->shares_gradient == 1 && node_at(plan, reader)->inputs == 2) {
        const tx_node *sum = node_at(plan, reader);
        int other = sum->input[0]->index == p->result ? sum->input[1]->index : sum->input[0]->index;
        int made = -1;
        for (int j = 0; j < plan->nodes; j++)
            if (plan->node[j].is_step && plan->node[j].result == other && !node_at(plan, j)->op->makes_view)
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
        const tx_op *op = node_at(plan, i)->op;
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
    const tx_node *node = node_at(plan, result);
    if (!node_at(plan, i)->op->makes_view || node->wanted || node->consumers == 0)
        return 0;
    for (int j = result + 1; j < plan->nodes; j++)
        for (int k = 0; k < node_at(plan, j)->inputs; k++)
            if (node_at(plan, j)->input[k]->index == result && !node_at(plan, j)->op->reads_views)
                return 0;
    return 1;
}

/* ---- 2. forward */

/* Finds the concatenation whose buffer holds node i's value, if any: the first that reads it. */
static const tx_node *concat_of(const tx_plan *plan, int i, size_t *channel)
{
    for (int j = i + 1; j < plan->nodes; j++) {
        const tx_node *node = node_at(plan, j);
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
        if (concat && node_at(plan, i)->op != &tx_op_input) {
            tx_status status = place_value(plan, concat->index, time);
            if (status)
                return status;
            *slot = plan->node[concat->index].value;
            slot->channel += channel;
        } else {
            tx_status status = tensor_new(plan, node_at(plan, i), time, slot);
            if (status)
                return status;
        }
    }
    touch(plan, slot->buffer, time);
    if (node_at(plan, i)->wanted || i == plan->nodes - 1)
        touch(plan, slot->buffer, end_of_time(plan));
    return TX_OK;
}

/* Reading the value of node i at some time keeps alive what it is made of. */
static void touch_value(tx_plan *plan, int i, int time)
{
    touch(plan, plan->node[i].value.buffer, time);
    if (plan->node[i].coefficients >= 0)
        touch(plan, plan->node[plan->node[i].coefficients].saved, time);
}

static void view_of(const tx_plan *plan, int i, int n, tx_view *view)
{
    const tx_node *node = node_at(plan, i);
    const tx_planned *p = &plan->node[i];
    *view = (tx_view){.n = n, .h = node->h, .w = node->w, .c = node->c, .ld = p->value.ld, .act = p->act};
}

void tx_plan_step(const tx_plan *plan, int index, int n, tx_step *step)
{
    const tx_planned *p = &plan->node[index];
    const tx_node *node = node_at(plan, index), *result = node_at(plan, p->result);
    step->node = node;
    step->n = n;
    step->training = plan->mode == TX_TRAIN;
    step->backward = plan->mode != TX_INFER;
    for (int k = 0; k < node->inputs; k++)
        view_of(plan, node->input[k]->index, n, &step->x[k]);
    step->y = (tx_tensor){.n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->is_step ? plan->node[p->result].value.ld : 0};
    step->act = p->joined;
    step->fold = p->fold >= 0 ? node_at(plan, p->fold) : NULL;
    step->has_add = p->add >= 0;
    if (step->has_add)
        view_of(plan, p->add, n, &step->add);
    step->dy = (tx_tensor){.n = n, .h = result->h, .w = result->w, .c = result->c, .ld = p->dy.ld};
}

/* Asks the operation what it needs and books it. */
static tx_status book_need(tx_plan *plan, int i, tx_step *step)
{
    tx_planned *p = &plan->node[i];
    const tx_op *op = node_at(plan, i)->op;
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
        *place[k] = buffer_new(plan, bytes[k], k == 3 ? backward_time(plan, i) : i);
        if (*place[k] < 0)
            return tx_fail(TX_ERR_MEMORY, "%s '%s': its plan does not fit in memory", op->name, node_at(plan, i)->name);
    }
    if (backward) {
        touch(plan, p->saved, backward_time(plan, i));
    } else {
        for (int k = 0; k < 2; k++) { /* made once, by prepare */
            touch(plan, *place[k], -1);
            touch(plan, *place[k], end_of_time(plan));
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
        const tx_node *node = node_at(plan, i);
        tx_planned *result = &plan->node[p->result];
        if (can_stay_view(plan, i)) {
            const tx_planned *x = &plan->node[node->input[0]->index];
            result->value = x->value;
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
            touch_value(plan, node->input[k]->index, i);
        if (p->add >= 0)
            touch_value(plan, p->add, i);
        if (node->op == &tx_op_input) { /* what the caller writes there stays until he writes again */
            touch(plan, p->value.buffer, -1);
            touch(plan, p->value.buffer, end_of_time(plan));
        }
    }
    return TX_OK;
}

/* ---- 3. backward */

static void find_trained(tx_plan *plan)
{
    for (int i = 0; i < plan->nodes; i++) {
        const tx_node *node = node_at(plan, i);
        int trains = node->op == &tx_op_input && node->wanted;
        for (int k = 0; k < node->params; k++)
            trains |= plan->graph->param[node->param[k]].role == TX_ROLE_TRAINED;
        for (int k = 0; k < node->inputs; k++)
            trains |= plan->node[node->input[k]->index].trains;
        plan->node[i].trains = trains && (!node->op->no_gradient || node->op == &tx_op_input);
    }
}

/* No other value still needs what stands in node i's gradient. */
static int exclusive(const tx_plan *plan, int i)
{
    const tx_slot *mine = &plan->node[i].gradient;
    size_t end = mine->channel + (size_t)node_at(plan, i)->c;
    for (int j = 0; j < plan->nodes; j++) {
        const tx_planned *p = &plan->node[j];
        if (j == i || !p->reached || p->done || p->gradient.buffer != mine->buffer)
            continue;
        if (p->gradient.channel < end && mine->channel < p->gradient.channel + (size_t)node_at(plan, j)->c)
            return 0;
    }
    return !node_at(plan, i)->wanted;
}

/* Input k of step i receives a contribution; `offer` is a place that the first one may take over, or nowhere. */
static tx_status route(tx_plan *plan, int i, int k, tx_slot offer)
{
    int time = backward_time(plan, i), v = node_at(plan, i)->input[k]->index;
    tx_planned *p = &plan->node[i], *input = &plan->node[v];
    tx_slot old = input->gradient;
    if (!input->reached && offer.buffer >= 0) {
        input->gradient = offer;
    } else if (!input->reached || !exclusive(plan, v)) {
        tx_status status = tensor_new(plan, node_at(plan, v), time, &input->gradient);
        if (status)
            return status;
    }
    p->dx[k] = input->gradient;
    p->dx_add[k] = input->reached ? old : nowhere;
    touch(plan, p->dx_add[k].buffer, time);
    touch(plan, p->dx[k].buffer, time);
    input->reached = 1;
    if (node_at(plan, v)->wanted)
        touch(plan, input->gradient.buffer, end_of_time(plan));
    return TX_OK;
}

/* Where the gradient of a sum's result, masked by its activation, will stand. */
static tx_status masked_place(tx_plan *plan, int i, tx_slot *place)
{
    const tx_planned *p = &plan->node[i];
    *place = p->dy;
    if (p->joined == TX_ACT_NONE || exclusive(plan, p->result))
        return TX_OK;
    return tensor_new(plan, node_at(plan, p->result), backward_time(plan, i), place);
}

static tx_status route_inputs(tx_plan *plan, int i)
{
    const tx_node *node = node_at(plan, i);
    tx_planned *p = &plan->node[i];
    tx_slot offer = nowhere;
    tx_status status = TX_OK;
    if (node->op->shares_gradient)
        status = masked_place(plan, i, &offer);
    else if (node->op->in_place && exclusive(plan, p->result))
        offer = p->dy;
    plan->node[p->result].done = !node_at(plan, p->result)->wanted;
    size_t channel = 0;
    for (int k = 0; k < node->inputs && status == TX_OK; k++) {
        tx_slot mine = offer;
        if (node->op->shares_gradient == 2)
            mine.channel += channel;
        channel += (size_t)node->input[k]->c;
        if (plan->node[node->input[k]->index].trains)
            status = route(plan, i, k, mine);
        if (!node->op->shares_gradient)
            offer = nowhere;
    }
    return status;
}

static tx_status plan_backward(tx_plan *plan)
{
    find_trained(plan);
    int last = plan->nodes - 1;
    if (!plan->node[last].trains)
        return TX_OK;
    tx_status status = tensor_new(plan, node_at(plan, last), plan->nodes, &plan->node[last].gradient);
    if (status)
        return status;
    plan->node[last].reached = 1;
    for (int i = last; i >= 0; i--) {
        tx_planned *p = &plan->node[i];
        if (!p->is_step || !plan->node[p->result].reached)
            continue;
        const tx_op *op = node_at(plan, i)->op;
        int time = backward_time(plan, i);
        p->dy = plan->node[p->result].gradient;
        touch(plan, p->dy.buffer, time);
        if (op->backward_reads_x)
            for (int k = 0; k < node_at(plan, i)->inputs; k++)
                touch_value(plan, node_at(plan, i)->input[k]->index, time);
        if (op->backward_reads_y == 1 || (op->backward_reads_y == 2 && p->joined != TX_ACT_NONE))
            touch_value(plan, p->result, time);
        status = route_inputs(plan, i);
        if (status)
            return status;
    }
    return TX_OK;
}

/* ---- 4. placing */

typedef struct placing {
    size_t bytes;
    int number;
} placing;

static int larger_first(const void *a, const void *b)
{
    const placing *p = a, *q = b;
    if (p->bytes != q->bytes)
        return p->bytes < q->bytes ? 1 : -1;
    return p->number - q->number;
}

static int by_offset(const void *a, const void *b)
{
    const tx_buffer *const *p = a, *const *q = b;
    if ((*p)->offset != (*q)->offset)
        return (*p)->offset < (*q)->offset ? -1 : 1;
    return *p < *q ? -1 : *p > *q;
}

/* The lowest offset at which `b` overlaps none of the n placed buffers (sorted by offset) that live when it does. */
static size_t lowest_free(const tx_buffer *b, tx_buffer *const *placed, size_t n)
{
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        const tx_buffer *other = placed[i];
        if (other->first > b->last || other->last < b->first)
            continue;
        if (other->offset >= offset + b->bytes)
            break;
        if (other->offset + other->bytes > offset)
            offset = other->offset + other->bytes;
    }
    return offset;
}

static tx_status place_buffers(tx_plan *plan)
{
    placing *order = tx_alloc(plan->buffers, sizeof *order);
    tx_buffer **placed = tx_alloc(plan->buffers, sizeof *placed);
    if (!order || !placed) {
        tx_free(order);
        tx_free(placed);
        return TX_ERR_MEMORY;
    }
    for (size_t i = 0; i < plan->buffers; i++)
        order[i] = (placing){plan->buffer[i].bytes, (int)i};
    qsort(order, plan->buffers, sizeof *order, larger_first);
    tx_status status = TX_OK;
    for (size_t i = 0; i < plan->buffers; i++) {
        tx_buffer *b = &plan->buffer[order[i].number];
        b->offset = lowest_free(b, placed, i);
        size_t end;
        if (tx_size_add(b->offset, b->bytes, &end))
            status = tx_fail(TX_ERR_MEMORY, "the network does not fit in memory");
        else if (end > plan->bytes)
            plan->bytes = end;
        placed[i] = b;
        qsort(placed, i + 1, sizeof(tx_buffer *), by_offset);
    }
    tx_free(order);
    tx_free(placed);
    return status;
}

/* ---- the whole */

static tx_status plan_all(tx_plan *plan)
{
    size_t inputs = 0, most = 1;
    for (int i = 0; i < plan->nodes; i++) {
        size_t n = (size_t)node_at(plan, i)->inputs;
        inputs += n;
        most = n > most ? n : most;
    }
    plan->slots = tx_alloc(2 * inputs, sizeof *plan->slots);
    tx_step step = {.x = tx_alloc(most, sizeof(tx_view))};
    tx_status status = plan->slots && step.x ? TX_OK : TX_ERR_MEMORY;
    tx_slot *next = plan->slots;
    for (int i = 0; i < plan->nodes && status == TX_OK; i++) {
        tx_planned *p = &plan->node[i];
        *p = (tx_planned){.is_step = 1, .result = i, .value = nowhere, .coefficients = -1, .fold = -1, .add = -1,
                          .gradient = nowhere, .dy = nowhere, .saved = -1, .prepared = -1, .work = -1, .work_backward = -1};
        p->dx = next;
        p->dx_add = next + node_at(plan, i)->inputs;
        next += 2 * node_at(plan, i)->inputs;
    }
    for (tx_slot *s = plan->slots; s && s < next; s++)
        *s = nowhere;
    if (status == TX_OK) {
        join(plan);
        status = plan_forward(plan, &step);
    }
    if (status == TX_OK && plan->mode != TX_INFER)
        status = plan_backward(plan);
    if (status == TX_OK)
        status = place_buffers(plan);
    tx_free(step.x);
    return status;
}

tx_plan *tx_plan_new(const tx_graph *graph, int batch, tx_mode mode)
{
    if (tx_graph_status(graph))
        return NULL;
    if (batch < 1 || graph->nodes == 0) {
        tx_fail(TX_ERR_ARGUMENT, "a plan for %d images and %zu nodes, expected at least one of each", batch, graph->nodes);
        return NULL;
    }
    tx_plan *plan = tx_alloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    plan->graph = graph;
    plan->batch = batch;
    plan->mode = mode;
    plan->nodes = (int)graph->nodes;
    plan->node = tx_alloc(graph->nodes, sizeof *plan->node);
    if (!plan->node || plan_all(plan)) {
        tx_plan_free(plan);
        return NULL;
    }
    return plan;
}

void tx_plan_free(tx_plan *plan)
{
    if (!plan)
        return;
    tx_free(plan->node);
    tx_free(plan->slots);
    tx_free(plan->buffer);
    tx_free(plan);
}

size_t tx_plan_bytes(const tx_plan *plan)
{
    return plan->bytes;
}

const tx_need *tx_plan_need(const tx_plan *plan, const tx_node *node)
{
    const tx_planned *p = &plan->node[node->index];
    return p->is_step ? &p->need : NULL;
}
