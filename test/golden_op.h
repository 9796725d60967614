/* golden_op.h - the cases of an operator file: each becomes a small graph that is run forward and backward, once in
 * inference where that gives the same, or a few steps of an optimiser. */
#ifndef THORAX_GOLDEN_OP_H
#define THORAX_GOLDEN_OP_H

#include "../core/op.h"
#include "../layers/layers.h"
#include "../optim/optim.h"
#include "golden_case.h"
#include "golden_order.h"

enum { OP_INPUTS = 3, OP_PARAMS = 6 };

/* A graph made of a case: which tensors its inputs and parameters are filled from. The last node gives the result. */
typedef struct op_graph {
    op_case *c;
    tx_graph *graph;
    int n; /* images */
    int inputs, params;
    tx_node *input[OP_INPUTS];
    case_tensor *input_from[OP_INPUTS];
    int param[OP_PARAMS]; /* position in the graph */
    case_tensor *param_from[OP_PARAMS];
    const char *result; /* name of what the last node gives */
    int infers;         /* inference gives the same result */
    int backward;       /* a run in `mode` gives the result and gradients */
    tx_mode mode;
} op_graph;

/* Room for what one tensor is in single and in double precision, in memory's order. */
typedef struct op_run {
    op_graph *o;
    tx_weights *weights;
    tx_session *session;
    tx_reference *reference;
    float *single;
    double *twice; /* in the file's order */
    size_t room;
} op_run;

/* (n,c,h,w) of a tensor of the file; fewer dimensions leave h and w 1, a single one is one pixel of channels. */
static void op_shape(const case_tensor *t, int shape[4])
{
    for (int i = 0; i < 4; i++)
        shape[i] = i < t->dims ? t->shape[i] : 1;
    if (t->dims == 1) {
        shape[1] = shape[0];
        shape[0] = 1;
    }
}

/* An input of the graph from tensor `name` of the case. */
static tx_node *op_input(op_graph *o, const char *name)
{
    case_tensor *t = case_find(o->c, name, 0);
    int shape[4];
    if (!t || o->inputs == OP_INPUTS) {
        tx_fail(TX_ERR_FORMAT, "there is no tensor %s", name);
        return NULL;
    }
    op_shape(t, shape);
    if (o->inputs && shape[0] != o->n) {
        tx_fail(TX_ERR_FORMAT, "%s has %d images, expected %d", name, shape[0], o->n);
        return NULL;
    }
    o->n = shape[0];
    char gradient[64];
    snprintf(gradient, sizeof gradient, "g%s", name);
    tx_node *node = tx_input(o->graph, shape[1], shape[2], shape[3]);
    if (case_find(o->c, gradient, 1))
        tx_node_keep(node);
    o->input[o->inputs] = node;
    o->input_from[o->inputs++] = t;
    return node;
}

/* Parameter number `position` of a node comes from tensor `name`, if the case has it. */
static tx_status op_param(op_graph *o, const tx_node *node, int position, const char *name)
{
    case_tensor *t = case_find(o->c, name, 0);
    if (!node || !t)
        return TX_OK;
    if (position >= node->params || o->params == OP_PARAMS ||
        tx_graph_param(o->graph, node->param[position])->count != t->count)
        return tx_fail(TX_ERR_FORMAT, "%s does not fit the operation", name);
    o->param[o->params] = node->param[position];
    o->param_from[o->params++] = t;
    return TX_OK;
}

/* ------------------------------------------------------------------------------------- running graphs */

static void op_set_inputs(op_run *run)
{
    for (int i = 0; i < run->o->inputs; i++) {
        const case_tensor *t = run->o->input_from[i];
        int shape[4];
        op_shape(t, shape);
        for (size_t k = 0; k < t->count; k++) {
            if (run->session)
                tx_session_input(run->session, run->o->input[i])[order_pixel(shape, k)] = (float)t->value[k];
            else
                tx_reference_input(run->reference, run->o->input[i])[order_pixel(shape, k)] = t->value[k];
        }
    }
}

/* The value (or gradient) of a node, from NHWC to NCHW, is a result of the case. */
static tx_status op_read_node(op_run *run, const tx_node *node, int gradient, const char *name, size_t count)
{
    int shape[4] = {run->o->n, node->c, node->h, node->w};
    size_t all = (size_t)run->o->n * (size_t)node->c * (size_t)node->h * (size_t)node->w;
    tx_status status = TX_OK;
    if (all > run->room || (count != all && (count != 1 || strcmp(name, "loss") != 0)))
        return tx_fail(TX_ERR_FORMAT, "%s has %zu values, found %zu", name, count, all);
    const case_tensor *want = case_find(run->o->c, name, 1);
    for (int i = 0; want && want->dims == 4 && i < 4; i++)
        if (want->shape[i] != shape[i])
            return tx_fail(TX_ERR_FORMAT, "dimension %d of %s is %d, found %d", i + 1, name, want->shape[i], shape[i]);
    if (run->session)
        status = gradient ? tx_session_gradient(run->session, node, run->single)
                          : tx_session_value(run->session, node, run->single);
    for (size_t k = 0; k < count && status == TX_OK; k++) {
        size_t at = order_pixel(shape, k);
        run->twice[k] = run->session ? (double)run->single[at]
                        : gradient   ? tx_reference_gradient(run->reference, node)[at]
                                     : tx_reference_value(run->reference, node)[at];
    }
    return status ? status : case_result(run->o->c, name, run->twice, count);
}

/* A parameter after the run, or its gradient. */
static tx_status op_read_param(op_run *run, int i, int gradient, const char *name)
{
    const tx_param *p = tx_graph_param(run->o->graph, run->o->param[i]);
    for (size_t k = 0; k < p->count; k++) {
        size_t at = order_param(p, k);
        if (run->session)
            run->twice[k] = (double)(gradient ? run->weights->grad + p->offset : tx_weights_param(run->weights, p))[at];
        else
            run->twice[k] = (gradient ? tx_reference_param_gradient(run->reference, run->o->param[i])
                                      : tx_reference_param(run->reference, run->o->param[i]))[at];
    }
    return case_result(run->o->c, name, run->twice, p->count);
}

/* Backward from dy, or from 1 everywhere, and all gradients. */
static tx_status op_backward(op_run *run, const tx_node *last)
{
    op_graph *o = run->o;
    const case_tensor *dy = case_find(o->c, "dy", 0);
    int shape[4] = {o->n, last->c, last->h, last->w};
    size_t count = (size_t)o->n * (size_t)last->c * (size_t)last->h * (size_t)last->w;
    if (dy && dy->count != count)
        return tx_fail(TX_ERR_FORMAT, "dy has %zu values, expected %zu", dy->count, count);
    for (size_t k = 0; dy && k < count; k++) {
        run->single[order_pixel(shape, k)] = (float)dy->value[k];
        run->twice[order_pixel(shape, k)] = dy->value[k];
    }
    tx_status status = TX_OK;
    if (run->session)
        status = tx_backward(run->session, dy ? run->single : NULL);
    else
        tx_reference_backward(run->reference, dy ? run->twice : NULL);
    char name[64];
    for (int i = 0; i < o->inputs && status == TX_OK; i++) {
        snprintf(name, sizeof name, "g%s", o->input_from[i]->name);
        if (case_find(o->c, name, 1))
            status = op_read_node(run, o->input[i], 1, name, o->input_from[i]->count);
    }
    for (int i = 0; i < o->params && status == TX_OK; i++) {
        int trained = tx_graph_param(o->graph, o->param[i])->role == TX_ROLE_TRAINED;
        snprintf(name, sizeof name, "%s%s", trained ? "g" : "", o->param_from[i]->name);
        status = op_read_param(run, i, trained, name);
    }
    return status;
}

/* Fresh weights from the case's tensors: a run may change running statistics. */
static void op_set_params(op_run *run)
{
    op_graph *o = run->o;
    for (int i = 0; i < o->params; i++) {
        const tx_param *p = tx_graph_param(o->graph, o->param[i]);
        for (size_t k = 0; k < p->count; k++)
            run->single[k] = (float)o->param_from[i]->value[k];
        tx_param_import(p, run->single, tx_weights_param(run->weights, p));
    }
    tx_weights_changed(run->weights);
}

static tx_status op_run_mode(op_run *run, tx_mode mode)
{
    op_graph *o = run->o;
    const tx_node *last = tx_graph_node(o->graph, tx_graph_nodes(o->graph) - 1);
    op_set_params(run);
    if (o->c->report->reference)
        run->reference = tx_reference_new(o->graph, run->weights, o->n, mode, 0);
    else
        run->session =
            tx_session_new(o->graph, run->weights, (tx_session_args){.batch = o->n, .mode = mode, .parameters = 1});
    if (!run->reference && !run->session)
        return TX_ERR_ARGUMENT;
    op_set_inputs(run);
    tx_status status = TX_OK;
    if (run->session)
        status = tx_forward(run->session);
    else
        tx_reference_forward(run->reference);
    const case_tensor *want = case_find(o->c, o->result, 1);
    if (status == TX_OK && want)
        status = op_read_node(run, last, 0, o->result, want->count);
    if (status == TX_OK && mode != TX_INFER)
        status = op_backward(run, last);
    tx_session_free(run->session);
    tx_reference_free(run->reference);
    run->session = NULL;
    run->reference = NULL;
    return status;
}

/* Room for the largest tensor of the graph. */
static size_t op_room(const op_graph *o)
{
    size_t room = 1;
    for (int i = 0; i < tx_graph_nodes(o->graph); i++) {
        const tx_node *node = tx_graph_node(o->graph, i);
        size_t count = (size_t)o->n * (size_t)node->c * (size_t)node->h * (size_t)node->w;
        room = count > room ? count : room;
    }
    for (int i = 0; i < tx_graph_params(o->graph); i++)
        room = tx_graph_param(o->graph, i)->count > room ? tx_graph_param(o->graph, i)->count : room;
    return room;
}

static tx_status op_run_graph(op_graph *o)
{
    tx_status status = tx_graph_status(o->graph);
    if (status)
        return status;
    op_run run = {.o = o, .weights = tx_weights_new(o->graph, 1), .room = op_room(o)};
    run.single = tx_alloc(run.room, sizeof *run.single);
    run.twice = tx_alloc(run.room, sizeof *run.twice);
    if (!run.weights || !run.single || !run.twice)
        status = TX_ERR_MEMORY;
    if (status == TX_OK && o->infers)
        status = op_run_mode(&run, TX_INFER);
    if (status == TX_OK && o->backward)
        status = op_run_mode(&run, o->mode);
    tx_free(run.single);
    tx_free(run.twice);
    tx_weights_free(run.weights);
    return status;
}

/* ----------------------------------------------------------------------------------- building graphs
 * A builder makes the graph of a case. It returns 0 where this version does not know what the attributes ask for. */

static int op_conv2d(op_graph *o)
{
    const op_case *c = o->c;
    const case_tensor *w = case_find(o->c, "w", 0);
    if (!w || w->dims != 4)
        return 0;
    int groups = case_int(c, "groups", 0, 1);
    tx_node *x = op_input(o, "x");
    tx_node *y = tx_conv2d(o->graph, x, "conv",
                           (tx_conv2d_args){.out = w->shape[0],
                                            .kernel_h = w->shape[2],
                                            .kernel_w = w->shape[3],
                                            .stride_h = case_int(c, "stride", 0, 1),
                                            .stride_w = case_int(c, "stride", 1, 1),
                                            .padding_h = case_int(c, "pad", 0, 0),
                                            .padding_w = case_int(c, "pad", 1, 0),
                                            .dilation_h = case_int(c, "dilation", 0, 1),
                                            .dilation_w = case_int(c, "dilation", 1, 1),
                                            .groups = groups,
                                            .no_bias = !case_find(o->c, "b", 0)});
    o->infers = o->backward = 1;
    return op_param(o, y, 0, "w") == TX_OK && op_param(o, y, 1, "b") == TX_OK ? 1 : -1;
}

static int op_linear(op_graph *o)
{
    const case_tensor *w = case_find(o->c, "w", 0);
    if (!w || w->dims != 2)
        return 0;
    tx_node *y = tx_linear(o->graph, op_input(o, "x"), "linear",
                           (tx_linear_args){.out = w->shape[0], .no_bias = !case_find(o->c, "b", 0)});
    o->infers = o->backward = 1;
    return op_param(o, y, 0, "w") == TX_OK && op_param(o, y, 1, "b") == TX_OK ? 1 : -1;
}

static int op_batchnorm(op_graph *o)
{
    tx_node *y = tx_batchnorm(
        o->graph, op_input(o, "x"), "bn",
        (tx_batchnorm_args){.eps = case_number(o->c, "eps", 0, 0), .momentum = case_number(o->c, "momentum", 0, 0)});
    static const char *const names[4] = {"w", "b", "rm", "rv"};
    o->mode = case_int(o->c, "train", 0, 1) ? TX_TRAIN : TX_EXPLAIN;
    o->infers = o->mode == TX_EXPLAIN;
    o->backward = 1;
    for (int i = 0; i < 4; i++)
        if (op_param(o, y, i, names[i]))
            return -1;
    return 1;
}

/* Max or average pooling. */
static int op_pool(op_graph *o)
{
    const op_case *c = o->c;
    int kernel = case_int(c, "kernel", 0, 1), stride = case_int(c, "stride", 0, 1), pad = case_int(c, "pad", 0, 0);
    if (case_int(c, "kernel", 1, kernel) != kernel || case_int(c, "stride", 1, stride) != stride ||
        case_int(c, "pad", 1, pad) != pad)
        return 0;
    tx_node *x = op_input(o, "x");
    tx_pool_args args = {.kernel = kernel, .stride = stride, .padding = pad, .ceil = case_int(c, "ceil", 0, 0)};
    args.count_include_pad = case_int(c, "count_include_pad", 0, 1);
    if (strcmp(c->op, "maxpool") == 0)
        tx_max_pool(o->graph, x, args);
    else
        tx_avg_pool(o->graph, x, args);
    o->infers = o->backward = 1;
    return 1;
}

static int op_global_mean(op_graph *o)
{
    tx_global_mean(o->graph, op_input(o, "x"));
    return o->infers = o->backward = 1;
}

static int op_activation(op_graph *o)
{
    static const struct {
        const char *op;
        tx_node *(*add)(tx_graph *graph, tx_node *x);
    } known[] = {{"relu", tx_relu}, {"relu6", tx_relu6},         {"sigmoid", tx_sigmoid},
                 {"silu", tx_silu}, {"hardswish", tx_hardswish}, {"hardsigmoid", tx_hardsigmoid}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].op, o->c->op) == 0)
            known[i].add(o->graph, op_input(o, "x"));
    return o->infers = o->backward = 1;
}

/* One of the two products in the middle of squeeze-excite, and its parameters. */
static tx_node *op_squeeze(op_graph *o, tx_node *x, const char *w, const char *b, tx_status *status)
{
    const case_tensor *t = case_find(o->c, w, 0);
    tx_node *y = tx_conv2d(o->graph, x, w, (tx_conv2d_args){.out = t && t->dims == 4 ? t->shape[0] : 0});
    if (*status == TX_OK)
        *status = op_param(o, y, 0, w);
    if (*status == TX_OK)
        *status = op_param(o, y, 1, b);
    return y;
}

static int op_squeeze_excite(op_graph *o)
{
    tx_status status = TX_OK;
    tx_node *x = op_input(o, "x"), *s = op_squeeze(o, tx_global_mean(o->graph, x), "w1", "b1", &status);
    s = case_int(o->c, "inner_silu", 0, 0) ? tx_silu(o->graph, s) : tx_relu(o->graph, s);
    s = op_squeeze(o, s, "w2", "b2", &status);
    s = case_int(o->c, "gate_hardsigmoid", 0, 0) ? tx_hardsigmoid(o->graph, s) : tx_sigmoid(o->graph, s);
    tx_scale(o->graph, x, s);
    o->infers = o->backward = 1;
    return status == TX_OK ? 1 : -1;
}

/* Dropout that drops nothing. */
static int op_identity(op_graph *o)
{
    tx_dropout(o->graph, op_input(o, "x"), (tx_dropout_args){.p = 0});
    return o->infers = o->backward = 1;
}

static int op_add_relu(op_graph *o)
{
    tx_node *a = op_input(o, "x"), *b = op_input(o, "x2");
    tx_relu(o->graph, tx_add(o->graph, a, b));
    return o->infers = o->backward = 1;
}

static int op_concat(op_graph *o)
{
    tx_node *parts[2];
    parts[0] = op_input(o, "x");
    parts[1] = op_input(o, "x2");
    tx_concat(o->graph, parts, 2);
    return o->infers = o->backward = 1;
}

static int op_dense_layer_head(op_graph *o)
{
    const case_tensor *w = case_find(o->c, "w", 0);
    if (!w || w->dims != 4)
        return 0;
    tx_node *parts[2];
    parts[0] = op_input(o, "x");
    parts[1] = op_input(o, "x2");
    tx_node *bn = tx_batchnorm(o->graph, tx_concat(o->graph, parts, 2), "bn",
                               (tx_batchnorm_args){.eps = case_number(o->c, "eps", 0, 0)});
    tx_node *y = tx_conv2d(o->graph, tx_relu(o->graph, bn), "conv",
                           (tx_conv2d_args){.out = w->shape[0], .kernel = w->shape[2], .no_bias = 1});
    o->backward = 1;
    return op_param(o, bn, 0, "bnw") == TX_OK && op_param(o, bn, 1, "bnb") == TX_OK && op_param(o, y, 0, "w") == TX_OK
               ? 1
               : -1;
}

/* ------------------------------------------------------------------------------------------- losses */

/* The loss of each entry: entries become images of one class, and the mask leaves one of them. */
static tx_status op_bce_each(op_case *c)
{
    case_tensor *want = case_find(c, "each", 1), *x = case_find(c, "x", 0), *y = case_find(c, "y", 0);
    if (!want || !x || !y || x->count != want->count || y->count != want->count)
        return want ? tx_fail(TX_ERR_FORMAT, "x, y and each have different sizes") : TX_OK;
    tx_status status = TX_OK;
    double *each = tx_alloc(want->count, sizeof *each);
    tx_graph *g = tx_graph_new();
    tx_node *logit = tx_input(g, 1, 1, 1), *label = tx_input(g, 1, 1, 1);
    tx_node *loss = tx_bce_with_logits(g, logit, label, NULL, (tx_bce_args){0});
    tx_weights *w = tx_graph_status(g) == TX_OK ? tx_weights_new(g, 0) : NULL;
    tx_reference *r = w && c->report->reference ? tx_reference_new(g, w, 1, TX_INFER, 0) : NULL;
    tx_session *s = w && !c->report->reference ? tx_session_new(g, w, (tx_session_args){.batch = 1}) : NULL;
    if (!each || (!r && !s))
        status = TX_ERR_MEMORY;
    for (size_t i = 0; i < want->count && status == TX_OK; i++) {
        if (s) {
            *tx_session_input(s, logit) = (float)x->value[i];
            *tx_session_input(s, label) = (float)y->value[i];
            status = tx_forward(s);
            each[i] = (double)tx_session_scalar(s, loss);
        } else {
            *tx_reference_input(r, logit) = x->value[i];
            *tx_reference_input(r, label) = y->value[i];
            tx_reference_forward(r);
            each[i] = *tx_reference_value(r, loss);
        }
    }
    if (status == TX_OK)
        status = case_result(c, "each", each, want->count);
    tx_session_free(s);
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(g);
    tx_free(each);
    return status;
}

static int op_bce(op_graph *o)
{
    tx_node *x = op_input(o, "x"), *y = op_input(o, "y"), *m = op_input(o, "m");
    tx_bce_with_logits(o->graph, x, y, m, (tx_bce_args){0});
    o->result = "loss";
    o->infers = o->backward = 1;
    return op_bce_each(o->c) == TX_OK ? 1 : -1;
}

/* The class numbers are an attribute in the file and an input of the graph. */
static int op_cross_entropy(op_graph *o)
{
    op_case *c = o->c;
    tx_node *x = op_input(o, "x");
    if (!x || c->tensors == CASE_TENSORS || o->n > CASE_NUMBERS)
        return x ? 0 : -1;
    case_tensor *t = &c->tensor[c->tensors];
    *t = (case_tensor){.name = "target", .dims = 2, .shape = {o->n, 1}, .count = (size_t)o->n};
    t->value = tx_alloc(t->count, sizeof *t->value);
    if (!t->value)
        return -1;
    c->tensors++;
    for (int i = 0; i < o->n; i++)
        t->value[i] = case_number(c, "target", i, -1);
    tx_cross_entropy(o->graph, x, op_input(o, "target"),
                     (tx_cross_entropy_args){.smoothing = case_number(c, "label_smoothing", 0, 0)});
    o->result = "loss";
    return o->infers = o->backward = 1;
}

/* --------------------------------------------------------------------------------------- optimisers */

/* A node that has one parameter, the array that is optimised. */
static tx_status op_holder_shape(tx_node *node)
{
    node->h = node->w = node->c = 1;
    return tx_node_param(node, "w", TX_ROLE_TRAINED, (tx_init){TX_INIT_ZERO, 0}, 1, node->args);
}

static const tx_op op_holder = {.name = "holder", .shape = op_holder_shape, .no_gradient = "it computes nothing"};

/* A true zero is asked for by a negative number (optim.h). */
static double op_rate(const op_case *c, const char *name, int k, double usual)
{
    double v = case_number(c, name, k, usual);
    return v == 0 ? -1 : v;
}

static tx_optimizer_args op_optimizer_args(const op_case *c)
{
    tx_optimizer_kind kind = strcmp(c->op, "sgd") == 0     ? TX_SGD
                             : strcmp(c->op, "adam") == 0  ? TX_ADAM
                             : strcmp(c->op, "adamw") == 0 ? TX_ADAMW
                                                           : TX_RMSPROP;
    return (tx_optimizer_args){.kind = kind,
                               .lr = op_rate(c, "lr", 0, 1e-3),
                               .beta1 = op_rate(c, "betas", 0, 0.9),
                               .beta2 = op_rate(c, "betas", 1, 0.999),
                               .alpha = op_rate(c, "alpha", 0, 0.99),
                               .eps = op_rate(c, "eps", 0, 1e-8),
                               .momentum = case_number(c, "momentum", 0, 0),
                               .dampening = case_number(c, "dampening", 0, 0),
                               .nesterov = case_int(c, "nesterov", 0, 0),
                               .centered = case_int(c, "centered", 0, 0),
                               .weight_decay = case_number(c, "weight_decay", 0, 0)};
}

enum { OP_STATES = 3 };
/* Their names where there is no optimiser to ask: in the double way. */
static int op_states(const tx_optimizer_args *a, const char *name[OP_STATES])
{
    int n = 0, adam = a->kind == TX_ADAM || a->kind == TX_ADAMW;
    if (adam)
        name[n++] = "exp_avg";
    if (adam)
        name[n++] = "exp_avg_sq";
    if (a->kind == TX_RMSPROP)
        name[n++] = "square_avg";
    if (!adam && a->momentum != 0)
        name[n++] = "momentum_buffer";
    if (a->kind == TX_RMSPROP && a->centered)
        name[n++] = "grad_avg";
    return n;
}

/* Steps with gradients g1, g2, ..; after each the array stands in w, the optimiser's state in state. */
typedef struct op_steps {
    op_case *c;
    tx_optimizer_args args;
    size_t n;
    double *w, *state[OP_STATES], *g;
    tx_weights *weights;
    tx_optimizer *optimizer; /* NULL in the double way */
} op_steps;

static tx_status op_one_step(op_steps *s, int t)
{
    if (!s->optimizer)
        return tx_optimizer_reference(s->args, (uint64_t)t, -1, s->n, s->w, s->g, s->state);
    for (size_t i = 0; i < s->n; i++)
        s->weights->grad[i] = (float)s->g[i];
    tx_optimizer_step(s->optimizer, -1);
    for (size_t i = 0; i < s->n; i++) {
        s->w[i] = (double)s->weights->value[i];
        for (int k = 0; k < tx_optimizer_states(s->optimizer); k++)
            s->state[k][i] = (double)tx_optimizer_state(s->optimizer, k)[i];
    }
    return TX_OK;
}

static tx_status op_all_steps(op_steps *s)
{
    char name[16];
    tx_status status = TX_OK;
    for (int t = 1; t <= 1000 && status == TX_OK; t++) {
        snprintf(name, sizeof name, "g%d", t);
        const case_tensor *g = case_find(s->c, name, 0);
        if (!g)
            break;
        if (g->count != s->n)
            return tx_fail(TX_ERR_FORMAT, "%s has %zu values, expected %zu", name, g->count, s->n);
        memcpy(s->g, g->value, s->n * sizeof *s->g);
        status = op_one_step(s, t);
        snprintf(name, sizeof name, "w%d", t);
        if (status == TX_OK)
            status = case_result(s->c, name, s->w, s->n);
    }
    const char *names[OP_STATES];
    int states = op_states(&s->args, names);
    for (int k = 0; k < states && status == TX_OK; k++)
        status = case_result(s->c, names[k], s->state[k], s->n);
    return status;
}

static tx_status op_optimizer(op_case *c)
{
    const case_tensor *w = case_find(c, "w", 0);
    if (!w)
        return tx_fail(TX_ERR_FORMAT, "there is no tensor w");
    int n = (int)w->count;
    op_steps s = {.c = c, .args = op_optimizer_args(c), .n = w->count};
    tx_graph *g = tx_graph_new();
    tx_graph_add(g, &op_holder, "", NULL, 0, &n, sizeof n);
    s.weights = tx_graph_status(g) == TX_OK ? tx_weights_new(g, 1) : NULL;
    enum { ROWS = 2 + OP_STATES };
    double **rows[ROWS] = {&s.w, &s.g, &s.state[0], &s.state[1], &s.state[2]};
    tx_status status = s.weights ? TX_OK : TX_ERR_MEMORY;
    for (int k = 0; k < ROWS && status == TX_OK; k++)
        status = (*rows[k] = tx_alloc(s.n, sizeof(double))) ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; i < s.n && status == TX_OK; i++) {
        s.w[i] = w->value[i];
        s.weights->value[i] = (float)w->value[i];
    }
    if (status == TX_OK && !c->report->reference)
        status = (s.optimizer = tx_optimizer_new(s.weights, s.args)) ? TX_OK : TX_ERR_ARGUMENT;
    if (status == TX_OK)
        status = op_all_steps(&s);
    tx_optimizer_free(s.optimizer);
    for (int k = 0; k < ROWS; k++)
        tx_free(*rows[k]);
    tx_weights_free(s.weights);
    tx_graph_free(g);
    return status;
}

/* -------------------------------------------------------------------------------------------- cases */

typedef int op_builder(op_graph *o);

static op_builder *op_find(const char *op)
{
    static const struct {
        const char *op;
        op_builder *build;
    } known[] = {
        {"conv2d", op_conv2d},
        {"linear", op_linear},
        {"batchnorm", op_batchnorm},
        {"maxpool", op_pool},
        {"avgpool", op_pool},
        {"globalavgpool", op_global_mean},
        {"relu", op_activation},
        {"relu6", op_activation},
        {"sigmoid", op_activation},
        {"silu", op_activation},
        {"hardswish", op_activation},
        {"hardsigmoid", op_activation},
        {"squeeze_excite", op_squeeze_excite},
        {"identity", op_identity},
        {"add_relu", op_add_relu},
        {"concat_channels", op_concat},
        {"dense_layer_head", op_dense_layer_head},
        {"bce_with_logits", op_bce},
        {"cross_entropy", op_cross_entropy},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].op, op) == 0)
            return known[i].build;
    return NULL;
}

static int op_is_optimizer(const char *op)
{
    return strcmp(op, "sgd") == 0 || strcmp(op, "adam") == 0 || strcmp(op, "adamw") == 0 || strcmp(op, "rmsprop") == 0;
}

/* Runs one case; its results stand in the wanted tensors then. Returns 0 where this version does not know it. */
static int op_case_run(op_case *c, tx_status *status)
{
    op_builder *build = op_find(c->op);
    op_graph o = {.c = c, .result = "y", .mode = TX_TRAIN};
    if (op_is_optimizer(c->op)) {
        *status = op_optimizer(c);
        return 1;
    }
    if (!build)
        return 0;
    o.graph = tx_graph_new();
    int known = build(&o);
    *status = known == 1 ? op_run_graph(&o) : TX_ERR_FORMAT;
    tx_graph_free(o.graph);
    return known != 0;
}

/* Runs one case and compares. What goes wrong within it fails the case, not the file. */
static void op_case_check(op_case *c)
{
    tx_status status = TX_OK;
    if (!op_case_run(c, &status))
        report_skip(c->report, c->op, case_records(c));
    else if (status)
        report_fail(c->report, c->op, tx_error_message());
    else
        case_compare(c);
}

/* Checks one operator file. An error is one of the file as a whole. */
static tx_status op_file_check(const text_file *text, report *r)
{
    op_case c = {.report = r};
    tx_status status = TX_OK;
    for (size_t i = 0; i < text->lines && status == TX_OK; i++) {
        const text_line *line = &text->line[i];
        if (!c.name && !text_is(line, "case")) {
            status = text_bad(line, "expected 'case'");
        } else if (!c.name) {
            status = text_need(line, 2);
            c.name = r->unit = status ? NULL : line->field[1];
        } else if (!c.op) {
            status = text_is(line, "op") ? text_need(line, 2) : text_bad(line, "expected 'op'");
            c.op = status ? NULL : line->field[1];
        } else if (text_is(line, "end")) {
            op_case_check(&c);
            case_free(&c);
            c.name = c.op = r->unit = NULL;
        } else if (text_is(line, "case")) {
            status = text_bad(line, "the case before it has no 'end'");
        } else {
            status = case_line(&c, line);
        }
    }
    if (status == TX_OK && c.name)
        status = tx_fail(TX_ERR_FORMAT, "the file ends without 'end'");
    case_free(&c);
    r->unit = NULL;
    return status;
}

#endif
