/* reference.c - the whole graph on doubles: every node by its definition, nothing joined, nothing shared. */
#include "graph_private.h"

#include <string.h>

struct tx_reference {
    const tx_graph *graph;
    int n, training, backward;
    uint64_t seed;
    double **value, **gradient; /* one a node */
    double **param, **dparam;   /* one an entry of the state; dparam only for trained ones */
};

static size_t elements(const tx_reference *r, const tx_node *node)
{
    return (size_t)r->n * (size_t)node->h * (size_t)node->w * (size_t)node->c;
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
        r->value[i] = tx_alloc(elements(r, r->graph->node[i]), sizeof(double));
        r->gradient[i] = r->backward ? tx_alloc(elements(r, r->graph->node[i]), sizeof(double)) : NULL;
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

tx_reference *tx_reference_new(const tx_graph *graph, const tx_weights *weights, int batch, tx_mode mode, uint64_t seed)
{
    if (tx_graph_status(graph))
        return NULL;
    tx_reference *r = tx_alloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->graph = graph;
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

static void free_all(double **array, size_t n)
{
    for (size_t i = 0; array && i < n; i++)
        tx_free(array[i]);
    tx_free(array);
}

void tx_reference_free(tx_reference *reference)
{
    if (!reference)
        return;
    free_all(reference->value, reference->graph->nodes);
    free_all(reference->gradient, reference->graph->nodes);
    free_all(reference->param, reference->graph->params);
    free_all(reference->dparam, reference->graph->params);
    tx_free(reference);
}

double *tx_reference_input(tx_reference *reference, const tx_node *input)
{
    return reference->value[input->index];
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

void tx_reference_forward(tx_reference *reference)
{
    for (size_t i = 0; i < reference->graph->nodes; i++) {
        const tx_node *node = reference->graph->node[i];
        run_node(reference, node, node->op->reference_forward);
    }
}

void tx_reference_backward(tx_reference *reference, const double *dy)
{
    const tx_graph *graph = reference->graph;
    if (!reference->backward)
        return;
    for (size_t i = 0; i < graph->nodes; i++)
        memset(reference->gradient[i], 0, elements(reference, graph->node[i]) * sizeof(double));
    for (size_t i = 0; i < graph->params; i++)
        memset(reference->dparam[i], 0, graph->param[i].count * sizeof(double));
    const tx_node *last = graph->node[graph->nodes - 1];
    for (size_t e = 0; e < elements(reference, last); e++)
        reference->gradient[last->index][e] = dy ? dy[e] : 1;
    for (size_t i = graph->nodes; i-- > 0;)
        if (graph->node[i]->op->reference_backward)
            run_node(reference, graph->node[i], graph->node[i]->op->reference_backward);
}

const double *tx_reference_value(const tx_reference *reference, const tx_node *node)
{
    return reference->value[node->index];
}

const double *tx_reference_gradient(const tx_reference *reference, const tx_node *node)
{
    return reference->gradient[node->index];
}

const double *tx_reference_param(const tx_reference *reference, int param)
{
    return reference->param[param];
}

const double *tx_reference_param_gradient(const tx_reference *reference, int param)
{
    return reference->dparam[param];
}
