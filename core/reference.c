/* reference.c - the whole graph on doubles: every node by its definition, nothing joined, nothing shared. */
#include "graph_private.h"
#include "plan_private.h"

#include <string.h>

struct tx_reference {
    const tx_graph *graph;
    int nodes, params; /* of the graph when this was made */
    int n, training, backward;
    uint64_t seed;
    double **value, **gradient; /* one a node */
    double **param, **dparam;   /* one an entry of the state; dparam only for trained ones */
    int ran;                    /* forward has */
};

static size_t elements(const tx_reference *r, const tx_node *node)
{
    return (size_t)r->n * (size_t)node->h * (size_t)node->w * (size_t)node->c;
}

/* Doubles for a node's values. */
static double *values_new(const tx_reference *r, const tx_node *node)
{
    size_t count;
    if (tx_size_mul((size_t)r->n, (size_t)node->h * (size_t)node->w * (size_t)node->c, &count)) {
        tx_fail(TX_ERR_MEMORY, "%s '%s': %d images do not fit in memory", node->op->name, node->name, r->n);
        return NULL;
    }
    return tx_alloc(count, sizeof(double));
}

static tx_status make_room(tx_reference *r, const tx_weights *weights)
{
    size_t nodes = r->graph->nodes, params = r->graph->params;
    r->value = tx_alloc(nodes, sizeof *r->value);
    r->gradient = tx_alloc(nodes, sizeof *r->gradient);
    r->param = tx_alloc(params, sizeof *r->param);
    r->dparam = tx_alloc(params, sizeof *r->dparam);
    if (!r->value || !r->gradient || !r->param || !r->dparam)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < nodes; i++) {
        r->value[i] = values_new(r, r->graph->node[i]);
        r->gradient[i] = r->backward ? values_new(r, r->graph->node[i]) : NULL;
        if (!r->value[i] || (r->backward && !r->gradient[i]))
            return TX_ERR_MEMORY;
    }
    for (size_t i = 0; i < params; i++) {
        const tx_param *p = &r->graph->param[i];
        r->param[i] = tx_alloc(p->count, sizeof(double));
        r->dparam[i] = tx_alloc(p->count, sizeof(double));
        if (!r->param[i] || !r->dparam[i])
            return TX_ERR_MEMORY;
        for (size_t e = 0; e < p->count && p->role != TX_ROLE_COUNTER; e++)
            r->param[i][e] = (double)tx_weights_param(weights, p)[e];
    }
    return TX_OK;
}

static tx_status check_args(const tx_graph *graph, const tx_weights *weights, int batch, tx_mode mode)
{
    if (tx_graph_status(graph))
        return tx_graph_status(graph);
    if (!weights)
        return tx_fail_null("tx_reference_new", "weights");
    tx_status status = tx_plan_check(graph, &(tx_session_args){.batch = batch, .mode = mode});
    if (status == TX_OK)
        status = tx_weights_fit(graph, weights);
    return status ? status : tx_weights_filled(weights);
}

tx_reference *tx_reference_new(const tx_graph *graph, const tx_weights *weights, int batch, tx_mode mode, uint64_t seed)
{
    if (check_args(graph, weights, batch, mode))
        return NULL;
    tx_reference *r = tx_alloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->graph = graph;
    r->nodes = (int)graph->nodes;
    r->params = (int)graph->params;
    r->n = batch;
    r->training = mode == TX_TRAIN;
    r->backward = mode != TX_INFER;
    r->seed = seed;
    if (make_room(r, weights)) {
        tx_reference_free(r);
        return NULL;
    }
    return r;
}

static void free_all(double **array, int n)
{
    for (int i = 0; array && i < n; i++)
        tx_free(array[i]);
    tx_free(array);
}

void tx_reference_free(tx_reference *reference)
{
    if (!reference)
        return;
    free_all(reference->value, reference->nodes);
    free_all(reference->gradient, reference->nodes);
    free_all(reference->param, reference->params);
    free_all(reference->dparam, reference->params);
    tx_free(reference);
}

/* The node is one of the reference's graph, which was as large when it was made. */
static int has_node(const tx_reference *r, const tx_node *node, const char *call)
{
    if (!r || !node)
        tx_fail_null(call, r ? "node" : "reference");
    else if (node->graph != r->graph || node->index >= r->nodes)
        tx_fail(TX_ERR_ARGUMENT, "%s: %s '%s' is no node of this graph", call, node->op->name, node->name);
    else
        return 1;
    return 0;
}

double *tx_reference_input(tx_reference *reference, const tx_node *input)
{
    if (!has_node(reference, input, "tx_reference_input"))
        return NULL;
    if (input->op == &tx_op_input)
        return reference->value[input->index];
    tx_fail(TX_ERR_ARGUMENT, "tx_reference_input: %s '%s' is no input", input->op->name, input->name);
    return NULL;
}

typedef void reference_function(tx_reference_step *step);

static void run_node(tx_reference *r, const tx_node *node, reference_function *function)
{
    const double *x[TX_MAX_INPUTS];
    double *dx[TX_MAX_INPUTS];
    tx_reference_step step = {.node = node, .n = r->n, .training = r->training, .seed = r->seed, .x = x, .dx = dx};
    for (int k = 0; k < node->inputs; k++) {
        x[k] = r->value[node->input[k]->index];
        dx[k] = r->gradient[node->input[k]->index];
    }
    for (int k = 0; k < node->params; k++) {
        step.param[k] = r->param[node->param[k]];
        step.dparam[k] = r->dparam[node->param[k]];
    }
    step.y = r->value[node->index];
    step.dy = r->gradient[node->index];
    function(&step);
}

tx_status tx_reference_forward(tx_reference *reference)
{
    if (!reference)
        return tx_fail_null("tx_reference_forward", "reference");
    for (int i = 0; i < reference->nodes; i++) {
        const tx_node *node = reference->graph->node[i];
        run_node(reference, node, node->op->reference_forward);
    }
    reference->ran = 1;
    return TX_OK;
}

tx_status tx_reference_backward(tx_reference *reference, const double *dy)
{
    if (!reference)
        return tx_fail_null("tx_reference_backward", "reference");
    if (!reference->backward || !reference->ran)
        return tx_fail(TX_ERR_ARGUMENT, reference->backward ? "backward before any forward"
                                                            : "backward in a reference made for inference alone");
    const tx_graph *graph = reference->graph;
    for (int i = 0; i < reference->nodes; i++)
        memset(reference->gradient[i], 0, elements(reference, graph->node[i]) * sizeof(double));
    for (int i = 0; i < reference->params; i++)
        memset(reference->dparam[i], 0, graph->param[i].count * sizeof(double));
    const tx_node *last = graph->node[reference->nodes - 1];
    for (size_t e = 0; e < elements(reference, last); e++)
        reference->gradient[last->index][e] = dy ? dy[e] : 1;
    for (int i = reference->nodes - 1; i >= 0; i--)
        if (graph->node[i]->op->reference_backward)
            run_node(reference, graph->node[i], graph->node[i]->op->reference_backward);
    return TX_OK;
}

const double *tx_reference_value(const tx_reference *reference, const tx_node *node)
{
    return has_node(reference, node, "tx_reference_value") ? reference->value[node->index] : NULL;
}

const double *tx_reference_gradient(const tx_reference *reference, const tx_node *node)
{
    if (!has_node(reference, node, "tx_reference_gradient"))
        return NULL;
    if (!reference->backward)
        tx_fail(TX_ERR_ARGUMENT, "a gradient of a reference made for inference alone");
    return reference->gradient[node->index];
}

static int has_param(const tx_reference *r, int param, const char *call)
{
    if (!r)
        tx_fail_null(call, "reference");
    else if (param < 0 || param >= r->params)
        tx_fail(TX_ERR_ARGUMENT, "%s: parameter %d of %d", call, param, r->params);
    else
        return 1;
    return 0;
}

const double *tx_reference_param(const tx_reference *reference, int param)
{
    return has_param(reference, param, "tx_reference_param") ? reference->param[param] : NULL;
}

const double *tx_reference_param_gradient(const tx_reference *reference, int param)
{
    return has_param(reference, param, "tx_reference_param_gradient") ? reference->dparam[param] : NULL;
}
