/* session.c - a plan bound to memory and weights, and run: forward over the steps, backward over them reversed.
 *
 * A session is one block of memory (the arena), a tx_step a node with its pointers into arena and weights, and what state the
 * arena is in. Binding happens once; a run changes of a step only what depends on the time (aim): scratch, and where values
 * stand that are made again in backward. Nothing is allocated between tx_session_new and tx_session_free.
 *
 *     forward    for each step in order: prepare (weights packed, if they have changed or the packing has not lasted), forward,
 *                statistics of what it wrote where the operation takes none itself
 *     backward   the gradient that arrives at the last node is written; for each step from the last on that runs backward
 *                (plan_wanted.c): what was dropped and is needed now is made again, then backward. Gradients of parameters that
 *                nobody reaches are set to 0
 *
 * INVARIANTS what stands in the arena: NOT_RUN nothing, RUN_FORWARD values, RUN_BACKWARD kept values and gradients. Backward
 *            overwrites what forward has left, so each needs a forward of its own, on the same version of the weights. Inputs
 *            stay as they were written. A run depends on inputs, weights, seed and its number alone, never on the run before.
 * VERSIONS   tx_weights has a version, raised by whoever changes values. A session remembers which one it has prepared; in
 *            inference packed weights last until it changes. Training moves running statistics, so it raises the version itself.
 * THREADS    one session is one thread's at a time; steps run in parallel inside (tx_machine of the plan). */
#include "graph_private.h"
#include "plan_private.h"

#include <math.h>
#include <string.h>

typedef struct step_times {
    double forward, backward;
} step_times;

/* What the arena holds. */
typedef enum run_state { NOT_RUN, RUN_FORWARD, RUN_BACKWARD } run_state;

struct tx_session {
    tx_plan *plan;
    tx_weights *weights;
    char *arena;
    tx_step *step; /* one a node; those that are no step have node NULL */
    tx_view *views;
    tx_gradient *gradients;
    step_times *times;
    int n, clock;
    uint64_t seed, next_run, run; /* of the next and the last run */
    unsigned long prepared;       /* version of the weights that the last run has used; 0: none */
    run_state state;
};

static float *pointer_of(const tx_session *s, tx_slot slot)
{
    return slot.buffer < 0 ? NULL : (float *)(void *)(s->arena + s->plan->buffer[slot.buffer].offset) + slot.channel;
}

static void *buffer_of(const tx_session *s, int buffer)
{
    return buffer < 0 ? NULL : s->arena + s->plan->buffer[buffer].offset;
}

/* Batch statistics at a place beside a buffer of values: the means of its channels, then the variances. */
static tx_moments moments_at(const tx_session *s, tx_slot slot)
{
    double *mean = buffer_of(s, slot.buffer);
    return mean ? (tx_moments){mean + slot.channel, mean + slot.ld + slot.channel, NULL} : (tx_moments){0};
}

/* Completes a view that has its shape with pointers to node i's value at some time. */
static void bind_view(const tx_session *s, int i, int time, tx_view *view)
{
    const tx_planned *p = &s->plan->node[i];
    view->data = pointer_of(s, tx_plan_value(s->plan, i, time));
    if (p->coefficients >= 0) {
        const float *scale = buffer_of(s, s->plan->node[p->coefficients].saved);
        view->scale = scale;
        view->shift = scale + view->c;
    }
    if (p->gate >= 0) {
        tx_slot gate = tx_plan_value(s->plan, p->gate, time);
        view->gate = pointer_of(s, gate);
        view->gate_ld = gate.ld;
    }
}

/* The batch norm behind step i leaves its gradient to be applied by it. */
static void bind_slope(tx_session *s, int i, int time)
{
    tx_step *step = &s->step[i];
    const tx_planned *p = &s->plan->node[i];
    const tx_planned *norm = &s->plan->node[p->slope];
    tx_slot x = tx_plan_value(s->plan, p->result, time);
    size_t c = (size_t)step->y.c;
    const float *saved = buffer_of(s, norm->saved);
    step->dy.x =
        (tx_view){.data = pointer_of(s, x), .n = step->n, .h = step->y.h, .w = step->y.w, .c = step->y.c, .ld = x.ld};
    step->dy.x.scale = saved;
    step->dy.x.shift = saved + c;
    step->dy.x.act = norm->fused;
    step->dy.mean = saved + 2 * c;
    step->dy.mean_g = saved + 3 * c;
    step->dy.slope = saved + 4 * c;
}

/* Step i takes the sums of the batch norm whose dy it writes. */
static void bind_reduction(tx_session *s, int i)
{
    tx_step *step = &s->step[i];
    int n = s->plan->node[i].reduces;
    const tx_planned *norm = &s->plan->node[n];
    const tx_node *node = tx_plan_node(s->plan, n);
    tx_slot x = tx_plan_value(s->plan, node->input[0]->index, 0);
    size_t c = (size_t)node->c;
    const float *saved = buffer_of(s, norm->saved);
    double *sums = buffer_of(s, norm->sums);
    step->reduce = (tx_reduction){.mean = saved + 2 * c, .sum_g = sums, .sum_gx = sums + c};
    step->reduce.x =
        (tx_view){.data = pointer_of(s, x), .n = step->n, .h = node->h, .w = node->w, .c = node->c, .ld = x.ld};
    step->reduce.x.scale = saved;
    step->reduce.x.shift = saved + c;
    step->reduce.x.act = norm->fused;
    step->reduce.work = buffer_of(s, s->plan->node[i].reduce_work);
}

/* What step i reads and writes at some time: values that are made again stand elsewhere in backward. */
static void bind_values(tx_session *s, int i, int time)
{
    tx_step *step = &s->step[i];
    int result = s->plan->node[i].result;
    step->again = time >= s->plan->nodes;
    for (int k = 0; k < step->node->inputs; k++)
        bind_view(s, step->node->input[k]->index, time, &step->x[k]);
    if (s->plan->node[result].origin == result)
        step->y.data = pointer_of(s, tx_plan_value(s->plan, result, time));
    if (step->has_add)
        bind_view(s, s->plan->node[i].add, time, &step->add);
    if (s->plan->node[i].slope >= 0)
        bind_slope(s, i, time);
}

static void bind_params(const tx_session *s, const tx_node *node, float **param, float **grad, int64_t **counter)
{
    for (int k = 0; k < node->params; k++) {
        const tx_param *p = tx_graph_param(s->plan->graph, node->param[k]);
        if (p->role == TX_ROLE_COUNTER) {
            *counter = s->weights->counter + p->offset;
            continue;
        }
        param[k] = tx_weights_param(s->weights, p);
        if (grad && tx_plan_trains(s->plan, node, k))
            grad[k] = s->weights->grad + p->offset;
    }
}

static void bind_step(tx_session *s, int i)
{
    const tx_planned *p = &s->plan->node[i];
    tx_step *step = &s->step[i];
    const tx_node *node = tx_graph_node(s->plan->graph, i);
    int64_t *unused = NULL;
    tx_plan_step(s->plan, i, s->n, step);
    bind_values(s, i, 0);
    for (int k = 0; k < node->inputs; k++)
        step->dx[k] = (tx_gradient){pointer_of(s, p->dx[k]), p->dx[k].ld, pointer_of(s, p->dx_add[k]), p->dx_add[k].ld};
    step->dy.g.data = pointer_of(s, p->dy);
    step->saved = buffer_of(s, p->saved);
    step->prepared = buffer_of(s, p->prepared);
    step->work = buffer_of(s, p->work);
    step->seed = s->seed;
    step->x_moments = moments_at(s, p->x_moments);
    if (p->reduces >= 0)
        bind_reduction(s, i);
    step->sum_g = buffer_of(s, p->sums);
    step->sum_gx = step->sum_g ? step->sum_g + node->c : NULL;
    bind_params(s, node, step->param, step->grad, &step->counter);
    if (step->fold)
        bind_params(s, step->fold, step->fold_param, NULL, &unused);
}

/* Room for views and gradients of all steps, then every step with its pointers. */
static tx_status bind_all(tx_session *s)
{
    const tx_graph *graph = s->plan->graph;
    size_t inputs = 0, next = 0;
    for (int i = 0; i < s->plan->nodes; i++)
        inputs += (size_t)tx_graph_node(graph, i)->inputs;
    s->step = tx_alloc((size_t)s->plan->nodes, sizeof *s->step);
    s->times = tx_alloc((size_t)s->plan->nodes, sizeof *s->times);
    s->views = tx_alloc(inputs, sizeof *s->views);
    s->gradients = tx_alloc(inputs, sizeof *s->gradients);
    s->arena = tx_alloc(s->plan->bytes, 1);
    if (!s->step || !s->times || !s->views || !s->gradients || !s->arena)
        return TX_ERR_MEMORY;
    for (int i = 0; i < s->plan->nodes; i++) {
        if (!s->plan->node[i].is_step)
            continue;
        s->step[i].x = s->views + next;
        s->step[i].dx = s->gradients + next;
        next += (size_t)tx_graph_node(graph, i)->inputs;
        bind_step(s, i);
    }
    return TX_OK;
}

tx_session *tx_session_new(const tx_graph *graph, tx_weights *weights, tx_session_args args)
{
    if (tx_graph_status(graph))
        return NULL;
    if (!weights)
        tx_fail_null("tx_session_new", "weights");
    if (!weights || tx_weights_fit(graph, weights))
        return NULL;
    int parameters = args.mode == TX_TRAIN || (args.mode == TX_EXPLAIN && args.parameters);
    if (parameters && !weights->grad) {
        tx_fail(TX_ERR_ARGUMENT, "gradients of parameters need weights with gradients");
        return NULL;
    }
    tx_session *s = tx_alloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->weights = weights;
    s->n = args.batch;
    s->seed = args.seed;
    s->plan = tx_plan_new(graph, args);
    if (!s->plan || bind_all(s)) {
        tx_session_free(s);
        return NULL;
    }
    return s;
}

void tx_session_free(tx_session *session)
{
    if (!session)
        return;
    tx_plan_free(session->plan);
    tx_free(session->arena);
    tx_free(session->step);
    tx_free(session->times);
    tx_free(session->views);
    tx_free(session->gradients);
    tx_free(session);
}

const tx_plan *tx_session_plan(const tx_session *session)
{
    if (!session)
        tx_fail_null("tx_session_plan", "session");
    return session ? session->plan : NULL;
}

tx_weights *tx_session_weights(const tx_session *session)
{
    if (!session)
        tx_fail_null("tx_session_weights", "session");
    return session ? session->weights : NULL;
}

const tx_node *tx_session_last(const tx_session *session)
{
    if (!session)
        tx_fail_null("tx_session_last", "session");
    return session ? tx_plan_node(session->plan, session->plan->nodes - 1) : NULL;
}

tx_status tx_session_batch(tx_session *session, int n)
{
    if (!session)
        return tx_fail_null("tx_session_batch", "session");
    if (n < 1 || n > session->plan->batch)
        return tx_fail(TX_ERR_ARGUMENT, "a batch of %d images, planned for 1 to %d", n, session->plan->batch);
    if (n != session->n)
        session->state = NOT_RUN;
    session->n = n;
    for (int i = 0; i < session->plan->nodes; i++) {
        tx_step *step = &session->step[i];
        if (!step->node)
            continue;
        step->n = step->y.n = step->dy.g.n = step->dy.x.n = step->reduce.x.n = step->add.n = n;
        for (int k = 0; k < step->node->inputs; k++)
            step->x[k].n = n;
    }
    return TX_OK;
}

float *tx_session_input(tx_session *session, const tx_node *input)
{
    const tx_planned *p = tx_plan_find(session ? session->plan : NULL, input, "tx_session_input");
    if (p && input->op != &tx_op_input) {
        tx_fail(TX_ERR_ARGUMENT, "tx_session_input: %s '%s' is no input", input->op->name, input->name);
        return NULL;
    }
    return p ? pointer_of(session, p->value) : NULL;
}

tx_status tx_session_run(tx_session *session, uint64_t run)
{
    if (!session)
        return tx_fail_null("tx_session_run", "session");
    session->next_run = run;
    return TX_OK;
}

/* Points step i at the buffers of a run. */
static tx_step *aim(tx_session *s, int i, int time, int work, int prepared)
{
    tx_step *step = &s->step[i];
    step->work = buffer_of(s, work);
    step->prepared = buffer_of(s, prepared);
    step->run = s->run;
    step->moments = (tx_moments){0};
    if (time < s->plan->nodes) { /* a value that is made again has been measured */
        step->moments = moments_at(s, s->plan->node[i].moments);
        step->moments.work = buffer_of(s, s->plan->node[i].moments_work);
    }
    if (s->plan->thrift.sixteenths > 0)
        bind_values(s, i, time);
    return step;
}

/* Batch statistics of what step i has written, where the operation takes none itself: of a concatenation, what it has
 * copied; the rest has been measured by whoever wrote it. */
static tx_status take_moments(const tx_session *s, int i)
{
    const tx_step *step = &s->step[i];
    const tx_op *op = step->node->op;
    tx_tensor y = step->y;
    tx_view x = {.data = y.data, .n = y.n, .h = y.h, .w = y.w, .c = y.c, .ld = y.ld};
    double *mean = step->moments.mean, *variance = step->moments.variance;
    if (!mean || op->traits & TX_MOMENTS)
        return TX_OK;
    if (op->kind != TX_CONCAT)
        return tx_channel_moments(step->machine, &x, mean, variance, step->moments.work);
    tx_status status = TX_OK;
    for (int k = 0; k < step->node->inputs && status == TX_OK; k++) {
        size_t channel;
        if (!tx_plan_copies(s->plan, i, k, &channel))
            continue;
        x.data = y.data + channel;
        x.c = step->node->input[k]->c;
        status = tx_channel_moments(step->machine, &x, mean + channel, variance + channel, step->moments.work);
    }
    return status;
}

static tx_status run_forward(const tx_session *s, int i, int prepare)
{
    tx_step *step = &s->step[i];
    tx_status status = prepare && step->node->op->prepare ? step->node->op->prepare(step) : TX_OK;
    if (status == TX_OK)
        status = step->node->op->forward(step);
    return status ? status : take_moments(s, i);
}

/* The step's node before the message of what failed in it. */
static tx_status failed_in(const tx_step *step, tx_status status)
{
    return tx_fail_within(status, "%s '%s'", step->node->op->name, step->node->name);
}

/* A view that forward has nothing to do for: no coefficients to find. */
static int is_silent(const tx_plan *plan, int i)
{
    tx_kind kind = tx_plan_node(plan, i)->op->kind;
    return plan->node[i].view && (kind == TX_ACTIVATION || kind == TX_SCALE);
}

static tx_status forward_steps(tx_session *s, int prepare)
{
    for (int i = 0; i < s->plan->nodes; i++) {
        const tx_planned *p = &s->plan->node[i];
        if (!p->is_step || is_silent(s->plan, i))
            continue;
        double start = s->clock ? tx_seconds() : 0;
        tx_step *step = aim(s, i, i, p->work, p->prepared);
        tx_status status = run_forward(s, i, prepare);
        if (status)
            return failed_in(step, status);
        if (s->clock)
            s->times[i].forward += tx_seconds() - start;
    }
    return TX_OK;
}

/* Running statistics are weights too: what other sessions have prepared of them is old when they move. */
tx_status tx_forward(tx_session *session)
{
    if (!session)
        return tx_fail_null("tx_forward", "session");
    tx_weights *weights = session->weights;
    tx_status status = tx_weights_filled(weights);
    if (status == TX_OK)
        status = tx_self_test();
    if (status)
        return status;
    int prepare = session->plan->mode != TX_INFER || session->prepared != weights->version;
    if (session->plan->mode == TX_TRAIN && weights->total > weights->trained)
        tx_weights_changed(weights);
    session->state = NOT_RUN;
    session->prepared = 0;
    session->run = session->next_run;
    status = forward_steps(session, prepare);
    if (status == TX_OK) {
        session->prepared = weights->version;
        session->state = RUN_FORWARD;
    }
    return status;
}

/* The gradient that arrives at the last node: given, or 1 everywhere. */
static void seed_gradient(tx_session *s, const float *dy)
{
    int last = s->plan->nodes - 1;
    const tx_node *node = tx_graph_node(s->plan->graph, last);
    float *gradient = pointer_of(s, s->plan->node[last].gradient);
    size_t count = (size_t)s->n * (size_t)node->h * (size_t)node->w * (size_t)node->c;
    for (size_t i = 0; i < count; i++)
        gradient[i] = dy ? dy[i] : 1;
}

/* Runs steps again whose results were dropped, those that are due at this time. */
static tx_status recompute(tx_session *s, int time)
{
    tx_status status = TX_OK;
    for (int j = 0; j < s->plan->nodes && status == TX_OK; j++) {
        const tx_planned *p = &s->plan->node[j];
        if (!p->is_step || p->recomputed != time)
            continue;
        double start = s->clock ? tx_seconds() : 0;
        tx_step *step = aim(s, j, time, p->recompute_work, p->recompute_prepared);
        status = run_forward(s, j, 1);
        if (status)
            return failed_in(step, status);
        if (s->clock)
            s->times[j].backward += tx_seconds() - start;
    }
    return status;
}

/* Parameters of node i get gradients of 0: all, where no gradient reaches it, or those that are frozen. */
static void clear_gradients(const tx_session *s, int i, int all)
{
    const tx_node *node = tx_graph_node(s->plan->graph, i);
    for (int k = 0; k < node->params && s->plan->parameters; k++) {
        const tx_param *p = tx_graph_param(s->plan->graph, node->param[k]);
        if (p->role == TX_ROLE_TRAINED && (all || !tx_plan_trains(s->plan, node, k)))
            memset(s->weights->grad + p->offset, 0, p->count * sizeof(float));
    }
}

static tx_status backward_step(tx_session *session, int i)
{
    const tx_plan *plan = session->plan;
    tx_step *step = &session->step[i];
    int time = tx_backward_time(plan, i), runs = plan->node[i].backward;
    tx_status status = plan->thrift.sixteenths > 0 ? recompute(session, time) : TX_OK;
    clear_gradients(session, i, !runs);
    if (status || !runs)
        return status;
    double start = session->clock ? tx_seconds() : 0;
    aim(session, i, time, plan->node[i].work_backward, plan->node[i].prepared);
    status = step->node->op->backward(step);
    if (session->clock)
        session->times[i].backward += tx_seconds() - start;
    return status ? failed_in(step, status) : TX_OK;
}

/* Backward overwrites what forward has left for it. */
static tx_status check_backward(const tx_session *s)
{
    if (s->plan->mode == TX_INFER)
        return tx_fail(TX_ERR_ARGUMENT, "tx_backward in a session that was planned for inference alone");
    if (s->state != RUN_FORWARD)
        return tx_fail(TX_ERR_ARGUMENT, "tx_backward without a tx_forward of its own before it");
    if (s->prepared != s->weights->version)
        return tx_fail(TX_ERR_ARGUMENT, "tx_backward with other weights than tx_forward had");
    return tx_self_test();
}

tx_status tx_backward(tx_session *session, const float *dy)
{
    if (!session)
        return tx_fail_null("tx_backward", "session");
    const tx_plan *plan = session->plan;
    tx_status status = check_backward(session);
    if (status)
        return status;
    session->state = NOT_RUN;
    if (plan->node[plan->nodes - 1].reached)
        seed_gradient(session, dy);
    for (int i = plan->nodes - 1; i >= 0 && status == TX_OK; i--)
        status = backward_step(session, i);
    session->state = status ? NOT_RUN : RUN_BACKWARD;
    return status;
}

/* Copies n*h*w pixels of c channels out of a place with its own pixel distance. */
static void copy_dense(const tx_session *s, const tx_node *node, const float *from, size_t ld, float *out)
{
    size_t pixels = (size_t)s->n * (size_t)node->h * (size_t)node->w, c = (size_t)node->c;
    for (size_t p = 0; p < pixels; p++)
        memcpy(out + p * c, from + p * ld, c * sizeof *out);
}

tx_status tx_session_value(const tx_session *session, const tx_node *node, float *out)
{
    const tx_planned *p = tx_plan_find(session ? session->plan : NULL, node, "tx_session_value");
    if (!p || !out)
        return p ? tx_fail_null("tx_session_value", "room for it") : TX_ERR_ARGUMENT;
    if (!p->kept && node->index != session->plan->nodes - 1)
        return tx_fail(TX_ERR_ARGUMENT, "the value of %s '%s' was not kept", node->op->name, node->name);
    if (session->state == NOT_RUN)
        return tx_fail(TX_ERR_ARGUMENT, "the value of %s '%s' before any tx_forward", node->op->name, node->name);
    copy_dense(session, node, pointer_of(session, p->value), p->value.ld, out);
    return TX_OK;
}

float tx_session_scalar(const tx_session *session, const tx_node *node)
{
    const tx_planned *p = tx_plan_find(session ? session->plan : NULL, node, "tx_session_scalar");
    if (!p)
        return (float)NAN;
    if (session->state != NOT_RUN && (p->kept || node->index == session->plan->nodes - 1))
        return *pointer_of(session, p->value);
    tx_fail(TX_ERR_ARGUMENT, "the value of %s '%s' was not kept, or there is none before tx_forward", node->op->name,
            node->name);
    return (float)NAN;
}

tx_status tx_session_gradient(const tx_session *session, const tx_node *node, float *out)
{
    const tx_planned *p = tx_plan_find(session ? session->plan : NULL, node, "tx_session_gradient");
    if (!p || !out)
        return p ? tx_fail_null("tx_session_gradient", "room for it") : TX_ERR_ARGUMENT;
    if (!p->kept || !p->reached)
        return tx_fail(TX_ERR_ARGUMENT, "the gradient of %s '%s' was not kept", node->op->name, node->name);
    if (session->state != RUN_BACKWARD)
        return tx_fail(TX_ERR_ARGUMENT, "the gradient of %s '%s' before any tx_backward", node->op->name, node->name);
    copy_dense(session, node, pointer_of(session, p->gradient), p->gradient.ld, out);
    return TX_OK;
}

tx_status tx_session_clock(tx_session *session, int on)
{
    if (!session)
        return tx_fail_null("tx_session_clock", "session");
    session->clock = on;
    memset(session->times, 0, (size_t)session->plan->nodes * sizeof *session->times);
    return TX_OK;
}

tx_status tx_session_times(const tx_session *session, const tx_node *node, double *forward, double *backward)
{
    if (!tx_plan_find(session ? session->plan : NULL, node, "tx_session_times"))
        return TX_ERR_ARGUMENT;
    if (!forward || !backward)
        return tx_fail_null("tx_session_times", "room for seconds");
    *forward = session->times[node->index].forward;
    *backward = session->times[node->index].backward;
    return TX_OK;
}
