/* graph.c - describing a network: nodes in execution order, their shapes and their named parameters. */
#include "graph_private.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tx_graph *tx_graph_new(void)
{
    return tx_alloc(1, sizeof(tx_graph));
}

static void node_free(tx_node *node)
{
    if (!node)
        return;
    tx_free((char *)node->name);
    tx_free(node->input);
    tx_free(node->args);
    tx_free(node);
}

void tx_graph_free(tx_graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->nodes; i++)
        node_free(graph->node[i]);
    for (size_t i = 0; i < graph->params; i++)
        tx_free(graph->param[i].name);
    tx_free(graph->node);
    tx_free(graph->param);
    tx_free(graph->scope);
    tx_free(graph->scopes);
    tx_free(graph);
}

/* Keeps the first error, which is the message from now on; later ones follow from it. */
static void *spoil(tx_graph *graph, tx_status status)
{
    if (graph && graph->status == TX_OK) {
        graph->status = status;
        snprintf(graph->message, sizeof graph->message, "%s", tx_error_message());
    } else if (graph) {
        tx_graph_status(graph);
    }
    return NULL;
}

tx_status tx_graph_status(const tx_graph *graph)
{
    if (!graph)
        return tx_fail_null("tx_graph_status", "graph");
    return graph->status == TX_OK ? TX_OK : tx_fail(graph->status, "%s", graph->message);
}

tx_node *tx_graph_refuse(tx_graph *graph, const char *format, ...)
{
    char text[sizeof graph->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format ? format : "no message", args);
    va_end(args);
    if (!graph)
        tx_fail_null("tx_graph_refuse", "graph");
    return graph ? spoil(graph, tx_fail(TX_ERR_ARGUMENT, "%s", text)) : NULL;
}

int tx_graph_nodes(const tx_graph *graph)
{
    if (!graph)
        tx_fail_null("tx_graph_nodes", "graph");
    return graph ? (int)graph->nodes : 0;
}

const tx_node *tx_graph_node(const tx_graph *graph, int index)
{
    if (!graph)
        tx_fail_null("tx_graph_node", "graph");
    else if (index < 0 || (size_t)index >= graph->nodes)
        tx_fail(TX_ERR_ARGUMENT, "node %d of a graph of %zu", index, graph->nodes);
    else
        return graph->node[index];
    return NULL;
}

int tx_graph_params(const tx_graph *graph)
{
    if (!graph)
        tx_fail_null("tx_graph_params", "graph");
    return graph ? (int)graph->params : 0;
}

const tx_param *tx_graph_param(const tx_graph *graph, int index)
{
    if (!graph)
        tx_fail_null("tx_graph_param", "graph");
    else if (index < 0 || (size_t)index >= graph->params)
        tx_fail(TX_ERR_ARGUMENT, "parameter %d of a graph of %zu", index, graph->params);
    else
        return &graph->param[index];
    return NULL;
}

int tx_graph_find(const tx_graph *graph, const char *name)
{
    if (!graph || !name)
        tx_fail_null("tx_graph_find", graph ? "name" : "graph");
    for (size_t i = 0; graph && name && i < graph->params; i++)
        if (strcmp(graph->param[i].name, name) == 0)
            return (int)i;
    return -1;
}

size_t tx_graph_trained(const tx_graph *graph)
{
    if (!graph)
        tx_fail_null("tx_graph_trained", "graph");
    return graph ? graph->trained : 0;
}

/* Elements of which there may be so many: bytes, also of doubles, packed weights and work memory are counted in size_t. */
static int countable(const int *shape, int dims, size_t *count)
{
    const size_t most = SIZE_MAX / 64 < INT32_MAX ? SIZE_MAX / 64 : INT32_MAX;
    *count = 1;
    for (int i = 0; i < dims; i++)
        if (shape[i] < 1 || tx_size_mul(*count, (size_t)shape[i], count) || *count > most)
            return 0;
    return 1;
}

static tx_status check_shape(const tx_node *node)
{
    size_t count;
    if (node->h < 1 || node->w < 1 || node->c < 1)
        return tx_fail(TX_ERR_ARGUMENT, "the map of %d x %d is too small: the result would be %d x %d",
                       node->inputs ? node->input[0]->h : 0, node->inputs ? node->input[0]->w : 0, node->h, node->w);
    if (node->h > TX_MAX_SIDE || node->w > TX_MAX_SIDE || node->c > TX_MAX_CHANNELS ||
        !countable((const int[]){node->h, node->w, node->c}, 3, &count))
        return tx_fail(TX_ERR_ARGUMENT, "the result of %d x %d x %d (h,w,c) is beyond reason", node->h, node->w,
                       node->c);
    return TX_OK;
}

/* A and B with a dot between where neither is empty. The caller's; NULL without memory. */
static char *join_names(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *name = tx_alloc(n + m + 2, 1);
    if (name)
        snprintf(name, n + m + 2, "%s%s%s", a, n && m ? "." : "", b);
    return name;
}

static const char *scope_of(const tx_graph *graph)
{
    return graph->scope ? graph->scope : "";
}

tx_status tx_graph_enter(tx_graph *graph, const char *format, ...)
{
    tx_status status = tx_graph_status(graph);
    if (status)
        return status;
    if (!format) {
        spoil(graph, tx_fail_null("tx_graph_enter", "name"));
        return graph->status;
    }
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t before = strlen(scope_of(graph)), dot = before > 0 && length > 0;
    if (length < 0)
        status = tx_fail(TX_ERR_ARGUMENT, "tx_graph_enter: a name that cannot be written");
    else
        status = tx_grow((void **)&graph->scope, &graph->scope_room, before + dot + (size_t)length + 1, 1);
    if (status == TX_OK)
        status = tx_grow((void **)&graph->scopes, &graph->depth_room, graph->depth + 1, sizeof *graph->scopes);
    if (status) {
        spoil(graph, status);
        return status;
    }
    graph->scopes[graph->depth++] = before;
    if (dot)
        graph->scope[before] = '.';
    va_start(args, format);
    vsnprintf(graph->scope + before + dot, (size_t)length + 1, format, args);
    va_end(args);
    return TX_OK;
}

tx_status tx_graph_leave(tx_graph *graph)
{
    tx_status status = tx_graph_status(graph);
    if (status)
        return status;
    if (graph->depth == 0) {
        tx_graph_refuse(graph, "tx_graph_leave: no scope was entered");
        return graph->status;
    }
    graph->scope[graph->scopes[--graph->depth]] = 0;
    return TX_OK;
}

/* Allocates a node with copies of everything that it refers to; NULL without memory. */
static tx_node *node_new(tx_graph *graph, const tx_op *op, const char *name, tx_node *const *inputs, int n_inputs,
                         const void *args, size_t size)
{
    tx_node *node = tx_alloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->op = op;
    node->graph = graph;
    node->index = (int)graph->nodes;
    node->name = name && name[0] ? join_names(scope_of(graph), name) : tx_strdup("");
    node->inputs = n_inputs;
    node->input = tx_alloc((size_t)n_inputs, sizeof *node->input);
    node->args = tx_alloc(1, size);
    if (!node->name || !node->input || !node->args) {
        node_free(node);
        return NULL;
    }
    for (int i = 0; i < n_inputs; i++)
        node->input[i] = inputs[i];
    if (size)
        memcpy(node->args, args, size);
    return node;
}

static tx_status check_call(const tx_graph *graph, const tx_op *op, const char *name, tx_node *const *inputs,
                            int n_inputs)
{
    char what[32];
    if (!op || !op->shape)
        return tx_fail_null("tx_graph_add", "operation");
    if (n_inputs < 0 || n_inputs > TX_MAX_INPUTS)
        return tx_fail(TX_ERR_ARGUMENT, "%s %s: %d inputs, expected 0 to %d", op->name, name, n_inputs,
                       (int)TX_MAX_INPUTS);
    if (!inputs && n_inputs > 0)
        return tx_fail_null(op->name, "inputs");
    for (int i = 0; i < n_inputs; i++) {
        snprintf(what, sizeof what, "input %d", i);
        if (!inputs[i])
            return tx_fail_null(op->name, what);
        if (inputs[i]->graph != graph)
            return tx_fail(TX_ERR_ARGUMENT, "%s %s: input %d is a node of another graph", op->name, name, i);
    }
    return TX_OK;
}

tx_node *tx_graph_add(tx_graph *graph, const tx_op *op, const char *name, tx_node *const *inputs, int n_inputs,
                      const void *args, size_t size)
{
    if (tx_graph_status(graph))
        return NULL;
    tx_status status = check_call(graph, op, name ? name : "", inputs, n_inputs);
    if (status == TX_OK && !args && size)
        status = tx_fail_null("tx_graph_add", "arguments");
    if (status == TX_OK)
        status = tx_grow((void **)&graph->node, &graph->node_room, graph->nodes + 1, sizeof *graph->node);
    if (status)
        return spoil(graph, status);
    tx_node *node = node_new(graph, op, name, inputs, n_inputs, args, size);
    if (!node)
        return spoil(graph, TX_ERR_MEMORY);
    graph->node[graph->nodes++] = node;
    status = op->shape(node);
    if (status == TX_OK)
        status = check_shape(node);
    if (status)
        return spoil(graph, tx_fail_within(status, "%s '%s'", op->name, node->name));
    if (op->traits & TX_RANDOM)
        node->ordinal = graph->random++;
    for (int i = 0; i < n_inputs; i++)
        inputs[i]->consumers++;
    return node;
}

static tx_status check_init(tx_init init)
{
    if (init.kind != TX_INIT_ZERO && init.kind != TX_INIT_ONE && init.kind != TX_INIT_NORMAL &&
        init.kind != TX_INIT_UNIFORM)
        return tx_fail(TX_ERR_ARGUMENT, "initial values of kind %d, there is none", (int)init.kind);
    return init.a >= 0 && init.a <= (double)FLT_MAX
               ? TX_OK
               : tx_fail(TX_ERR_ARGUMENT, "initial values with deviation or bound %g, expected a number from 0 on",
                         init.a);
}

tx_status tx_node_param(tx_node *node, const char *leaf, tx_role role, tx_init init, int dims, const int *shape)
{
    if (!node || !leaf || (!shape && dims > 0))
        return tx_fail_null("tx_node_param", !node ? "node" : !leaf ? "name" : "shape");
    tx_graph *graph = node->graph;
    if (dims < 0 || dims == 3 || dims > 4 ||
        (role != TX_ROLE_TRAINED && role != TX_ROLE_BUFFER && role != TX_ROLE_COUNTER))
        return tx_fail(TX_ERR_ARGUMENT, "parameter %s of role %d has %d dimensions, expected 0, 1, 2 or 4", leaf,
                       (int)role, dims);
    if (node->params == TX_MAX_PARAMS)
        return tx_fail(TX_ERR_ARGUMENT, "more than %d parameters", (int)TX_MAX_PARAMS);
    tx_param p = {.dims = dims, .role = role, .init = init, .count = 1};
    tx_status status = check_init(init);
    if (status)
        return tx_fail_within(status, "parameter %s", leaf);
    if (!countable(shape, dims, &p.count))
        return tx_fail(TX_ERR_ARGUMENT, "parameter %s has an impossible size", leaf);
    for (int i = 0; i < dims; i++)
        p.shape[i] = shape[i];
    status = tx_grow((void **)&graph->param, &graph->param_room, graph->params + 1, sizeof *graph->param);
    if (status)
        return status;
    p.name = join_names(node->name[0] ? node->name : scope_of(graph), leaf);
    if (!p.name)
        return TX_ERR_MEMORY;
    if (tx_graph_find(graph, p.name) >= 0) {
        status = tx_fail(TX_ERR_ARGUMENT, "there are two parameters of the name %s", p.name);
        tx_free(p.name);
        return status;
    }
    size_t *next = role == TX_ROLE_TRAINED  ? &graph->trained
                   : role == TX_ROLE_BUFFER ? &graph->buffers
                                            : &graph->counters;
    p.offset = *next;
    *next += p.count;
    node->param[node->params++] = (int)graph->params;
    graph->param[graph->params++] = p;
    return TX_OK;
}

const char *tx_node_operation(const tx_node *node)
{
    if (!node)
        tx_fail_null("tx_node_operation", "node");
    return node ? node->op->name : "";
}

tx_status tx_node_keep(tx_node *node)
{
    if (!node)
        return tx_fail_null("tx_node_keep", "node");
    node->wanted = 1;
    return TX_OK;
}

tx_status tx_node_init(tx_node *node, int position, tx_init init)
{
    if (!node)
        return tx_fail_null("tx_node_init", "node");
    tx_status status = check_init(init);
    if (position < 0 || position >= node->params)
        status = tx_fail(TX_ERR_ARGUMENT, "parameter %d of %d", position, node->params);
    if (status == TX_OK)
        node->graph->param[node->param[position]].init = init;
    else
        spoil(node->graph, tx_fail_within(status, "%s '%s'", node->op->name, node->name));
    return status;
}

/* ---- the input node: its value comes from outside */
typedef struct input_args {
    int c, h, w;
} input_args;

static tx_status input_shape(tx_node *node)
{
    const input_args *a = node->args;
    node->h = a->h;
    node->w = a->w;
    node->c = a->c;
    if (a->c < 1 || a->h < 1 || a->w < 1)
        return tx_fail(TX_ERR_ARGUMENT, "%d channels of %d x %d, expected at least one of each", a->c, a->h, a->w);
    return TX_OK;
}

static tx_status input_forward(tx_step *step)
{
    (void)step;
    return TX_OK;
}

static void input_reference(tx_reference_step *step)
{
    (void)step;
}

const tx_op tx_op_input = {
    .name = "input",
    .shape = input_shape,
    .forward = input_forward,
    .reference_forward = input_reference,
    .no_gradient = "nothing stands before an input",
    .kind = TX_DATA,
};

tx_node *tx_input(tx_graph *graph, int c, int h, int w)
{
    input_args args = {c, h, w};
    return tx_graph_add(graph, &tx_op_input, "input", NULL, 0, &args, sizeof args);
}
