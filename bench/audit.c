/* audit.c - one case of `thorax audit`: a small network is run as any is, and by the definitions in double precision, whose
 * gradients stand beside central differences. */
#include "audit.h"

#include <math.h>

enum { SEED = 5, PROBES = 10 };

typedef struct audit_run {
    const audit_case *c;
    tx_graph *graph;
    const tx_node *last;
    tx_weights *weights;
    tx_session *session;
    tx_reference *reference;
    tx_mode mode;
    size_t room; /* elements of the largest array */
    float *found;
    double *dy, *wanted;
    audit_result *result;
} audit_run;

static size_t count_of(const audit_run *a, const tx_node *node)
{
    return (size_t)a->c->images * (size_t)node->h * (size_t)node->w * (size_t)node->c;
}

static float draw(uint64_t stream, size_t i)
{
    return 2 * tx_random_uniform(SEED, TX_RANDOM_TEST, stream, i) - 1;
}

/* ---------------------------------------------------------------------------------- errors */

/* The distance of floats about v. */
static double last_place(double v)
{
    int e;
    frexp(v, &e);
    return ldexp(1, e - 24 < -149 ? -149 : e - 24);
}

static double largest_of(const double *v, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(v[i]));
    return largest;
}

/* What is no number is infinitely wrong. */
static void raise_to(double *most, double v)
{
    if (!(v <= *most))
        *most = isnan(v) ? (double)INFINITY : v;
}

/* a->found beside `wanted`. Where all is 0, what differs does so by its own size. */
static void compare(const audit_run *a, const double *wanted, size_t n, audit_error *error)
{
    double largest = largest_of(wanted, n), scale = largest > 0 ? largest : 1;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)a->found[i] - wanted[i]);
        raise_to(&error->relative, off / scale);
        if (16 * fabs(wanted[i]) >= largest)
            raise_to(&error->ulp, off / last_place(wanted[i]));
    }
}

/* ---------------------------------------------------------------------------------- central differences */

/* sum of y dy, whose gradient backward gives. */
static double objective(const audit_run *a, tx_reference *r)
{
    if (tx_reference_forward(r))
        return (double)NAN;
    const double *y = tx_reference_value(r, a->last);
    double sum = 0;
    for (size_t i = 0; i < count_of(a, a->last); i++)
        sum += y[i] * a->dy[i];
    return sum;
}

static void set_inputs(const audit_run *a, tx_session *session, tx_reference *reference)
{
    int k = 0;
    for (int i = 0; i < tx_graph_nodes(a->graph); i++) {
        const tx_node *node = tx_graph_node(a->graph, i);
        if (node->op->kind != TX_DATA)
            continue;
        for (size_t e = 0; e < count_of(a, node); e++) {
            float value = audit_input(a->c, k, draw((uint64_t)k, e));
            if (session)
                tx_session_input(session, node)[e] = value;
            tx_reference_input(reference, node)[e] = (double)value;
        }
        k++;
    }
}

static size_t probe_at(size_t probe, size_t count)
{
    return count <= PROBES ? probe : tx_random_below(SEED, TX_RANDOM_TEST, 90, probe, (uint32_t)count);
}

static void probe_input(const audit_run *a, const tx_node *node)
{
    const double h = 1e-5;
    size_t count = count_of(a, node);
    double *x = tx_reference_input(a->reference, node), scale = largest_of(a->wanted, count);
    for (size_t probe = 0; probe < PROBES && probe < count; probe++) {
        size_t i = probe_at(probe, count);
        double before = x[i], above, below;
        x[i] = before + h;
        above = objective(a, a->reference);
        x[i] = before - h;
        below = objective(a, a->reference);
        x[i] = before;
        raise_to(&a->result->slope, fabs((above - below) / (2 * h) - a->wanted[i]) / (scale > 0 ? scale : 1));
    }
}

/* The objective where a parameter's element has another value. */
static double objective_with(const audit_run *a, float *element, float value)
{
    float before = *element;
    *element = value;
    tx_reference *r = tx_reference_new(a->graph, a->weights, a->c->images, a->mode, SEED);
    *element = before;
    if (!r)
        return (double)NAN;
    set_inputs(a, NULL, r);
    double result = objective(a, r);
    tx_reference_free(r);
    return result;
}

/* Parameters are floats: the step is what the sums leave of it. */
static void probe_param(const audit_run *a, const tx_param *p)
{
    float *w = tx_weights_param(a->weights, p);
    double scale = largest_of(a->wanted, p->count);
    for (size_t probe = 0; probe < PROBES && probe < p->count; probe++) {
        size_t i = probe_at(probe, p->count);
        float high = w[i] + 0x1p-11f, low = w[i] - 0x1p-11f;
        double slope = (objective_with(a, &w[i], high) - objective_with(a, &w[i], low)) / ((double)high - (double)low);
        raise_to(&a->result->slope, fabs(slope - a->wanted[i]) / (scale > 0 ? scale : 1));
    }
}

/* ---------------------------------------------------------------------------------- a case */

/* Weights as they are drawn; scales, shifts and statistics other than 0 and 1. */
static tx_status fill_weights(audit_run *a)
{
    tx_status status = tx_weights_init(a->weights, SEED);
    for (int k = 0; k < tx_graph_params(a->graph); k++) {
        const tx_param *p = tx_graph_param(a->graph, k);
        float *w = p->role == TX_ROLE_COUNTER ? NULL : tx_weights_param(a->weights, p);
        for (size_t i = 0; w && p->dims == 1 && i < p->count; i++)
            w[i] += 0.5f * draw(100 + (uint64_t)k, i);
    }
    tx_weights_changed(a->weights);
    return status;
}

static tx_status make_room(audit_run *a)
{
    for (int i = 0; i < tx_graph_nodes(a->graph); i++)
        a->room = tx_size_max(a->room, count_of(a, tx_graph_node(a->graph, i)));
    for (int i = 0; i < tx_graph_params(a->graph); i++)
        a->room = tx_size_max(a->room, tx_graph_param(a->graph, i)->count);
    a->found = tx_alloc(a->room, sizeof *a->found);
    a->dy = tx_alloc(a->room, sizeof *a->dy);
    a->wanted = tx_alloc(a->room, sizeof *a->wanted);
    return a->found && a->dy && a->wanted ? TX_OK : TX_ERR_MEMORY;
}

/* The gradient that arrives: a loss is one number, others are weighed by draws. */
static tx_status run_backward(audit_run *a)
{
    size_t n = count_of(a, a->last);
    int loss = (a->c->op->traits & TX_DATA_INPUTS) != 0;
    for (size_t i = 0; i < n; i++) {
        a->found[i] = loss ? i == 0 : draw(80, i);
        a->dy[i] = (double)a->found[i];
    }
    tx_status status = tx_backward(a->session, a->found);
    return status ? status : tx_reference_backward(a->reference, a->dy);
}

static tx_status compare_forward(audit_run *a)
{
    tx_status status = tx_forward(a->session);
    if (status == TX_OK)
        status = tx_reference_forward(a->reference);
    if (status == TX_OK)
        status = tx_session_value(a->session, a->last, a->found);
    if (status == TX_OK)
        compare(a, tx_reference_value(a->reference, a->last), count_of(a, a->last), &a->result->forward);
    return status;
}

/* The definition's gradient is kept in `wanted`: probing runs forward again. */
static void keep(audit_run *a, const double *gradient, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a->wanted[i] = gradient[i];
    compare(a, a->wanted, n, &a->result->gradient);
}

static tx_status compare_gradients(audit_run *a)
{
    tx_status status = run_backward(a);
    for (int i = 0; i < tx_graph_nodes(a->graph) && status == TX_OK; i++) {
        const tx_node *node = tx_graph_node(a->graph, i);
        if (node->op->kind != TX_DATA || !node->wanted)
            continue;
        status = tx_session_gradient(a->session, node, a->found);
        keep(a, tx_reference_gradient(a->reference, node), count_of(a, node));
        probe_input(a, node);
    }
    for (int i = 0; i < tx_graph_params(a->graph) && status == TX_OK; i++) {
        const tx_param *p = tx_graph_param(a->graph, i);
        if (p->role != TX_ROLE_TRAINED)
            continue;
        for (size_t e = 0; e < p->count; e++)
            a->found[e] = a->weights->grad[p->offset + e];
        keep(a, tx_reference_param_gradient(a->reference, i), p->count);
        probe_param(a, p);
    }
    return status;
}

static tx_status measure_mode(audit_run *a, tx_mode mode)
{
    a->mode = mode;
    tx_status status = fill_weights(a);
    if (status)
        return status;
    a->session = tx_session_new(
        a->graph, a->weights,
        (tx_session_args){.batch = a->c->images, .mode = mode, .seed = SEED, .parameters = mode == TX_EXPLAIN});
    a->reference = tx_reference_new(a->graph, a->weights, a->c->images, mode, SEED);
    if (a->session && a->reference) {
        set_inputs(a, a->session, a->reference);
        status = compare_forward(a);
    } else {
        status = tx_error_status();
    }
    if (status == TX_OK && mode != TX_INFER)
        status = compare_gradients(a);
    tx_session_free(a->session);
    tx_reference_free(a->reference);
    return status;
}

tx_status audit_measure(const audit_case *c, int training, audit_result *result)
{
    audit_run a = {.c = c, .graph = tx_graph_new(), .result = result};
    tx_node *x = tx_input(a.graph, c->c, c->h, c->w);
    if (x)
        tx_node_keep(x);
    a.last = x ? c->build(a.graph, x, c) : NULL;
    tx_status status = tx_graph_status(a.graph);
    a.weights = status == TX_OK ? tx_weights_new(a.graph, 1) : NULL;
    if (status == TX_OK)
        status = a.weights ? make_room(&a) : TX_ERR_MEMORY;
    if (status == TX_OK && training)
        status = measure_mode(&a, TX_TRAIN);
    for (int explain = 0; explain < 2 && status == TX_OK && !training; explain++)
        status = measure_mode(&a, explain ? TX_EXPLAIN : TX_INFER);
    tx_free(a.found);
    tx_free(a.dy);
    tx_free(a.wanted);
    tx_weights_free(a.weights);
    tx_graph_free(a.graph);
    return status;
}
