/* weights.c - the numbers of a network: storage, initial values, the file's order, digests.
 *
 * Memory keeps a convolution's weight HWIO and a linear layer's (in,out), because that is the K x N matrix which the
 * forward product reads row by row; files keep OIHW and (out,in). The two differ by a transposition of
 * O against everything else. */
#include "graph_private.h"

#include <string.h>

tx_weights *tx_weights_new(const tx_graph *graph, int with_gradients)
{
    if (tx_graph_status(graph))
        return NULL;
    tx_weights *w = tx_alloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->graph = graph;
    for (int i = 0; i < tx_graph_params(graph); i++) {
        const tx_param *p = tx_graph_param(graph, i);
        if (p->role == TX_ROLE_COUNTER)
            w->counters++;
        else
            w->total += p->count;
    }
    w->trained = tx_graph_trained(graph);
    w->value = tx_alloc(w->total, sizeof *w->value);
    w->counter = tx_alloc(w->counters, sizeof *w->counter);
    w->grad = with_gradients ? tx_alloc(w->trained, sizeof *w->grad) : NULL;
    if (!w->value || !w->counter || (with_gradients && !w->grad)) {
        tx_weights_free(w);
        return NULL;
    }
    return w;
}

void tx_weights_free(tx_weights *weights)
{
    if (!weights)
        return;
    tx_free(weights->value);
    tx_free(weights->grad);
    tx_free(weights->counter);
    tx_free(weights);
}

tx_status tx_weights_changed(tx_weights *weights)
{
    if (!weights)
        return tx_fail_null("tx_weights_changed", "weights");
    weights->version++;
    return TX_OK;
}

float *tx_weights_param(const tx_weights *weights, const tx_param *p)
{
    if (!weights || !p) {
        tx_fail_null("tx_weights_param", weights ? "parameter" : "weights");
        return NULL;
    }
    size_t room = p->role == TX_ROLE_BUFFER ? weights->total - weights->trained : weights->trained;
    if (p->role == TX_ROLE_COUNTER || p->count > room || p->offset > room - p->count) {
        tx_fail(TX_ERR_ARGUMENT, "%s is no parameter or buffer of these weights", p->name);
        return NULL;
    }
    return weights->value + p->offset + (p->role == TX_ROLE_BUFFER ? weights->trained : 0);
}

/* Position in memory of the file's element (o, i, y, x). */
static size_t place(const tx_param *p, size_t o, size_t inner)
{
    size_t out = (size_t)p->shape[0];
    if (p->dims == 2)
        return inner * out + o;
    size_t area = (size_t)p->shape[2] * (size_t)p->shape[3], in = (size_t)p->shape[1];
    size_t i = inner / area, yx = inner % area;
    return (yx * in + i) * out + o;
}

tx_status tx_param_export(const tx_param *param, const float *memory, float *file)
{
    if (!param || !memory || !file)
        return tx_fail_null("tx_param_export", param ? "memory" : "parameter");
    if (param->dims < 2) {
        memcpy(file, memory, param->count * sizeof *file);
        return TX_OK;
    }
    size_t inner = param->count / (size_t)param->shape[0];
    for (size_t o = 0; o < (size_t)param->shape[0]; o++)
        for (size_t k = 0; k < inner; k++)
            file[o * inner + k] = memory[place(param, o, k)];
    return TX_OK;
}

tx_status tx_param_import(const tx_param *param, const float *file, float *memory)
{
    if (!param || !memory || !file)
        return tx_fail_null("tx_param_import", param ? "memory" : "parameter");
    if (param->dims < 2) {
        memcpy(memory, file, param->count * sizeof *file);
        return TX_OK;
    }
    size_t inner = param->count / (size_t)param->shape[0];
    for (size_t o = 0; o < (size_t)param->shape[0]; o++)
        for (size_t k = 0; k < inner; k++)
            memory[place(param, o, k)] = file[o * inner + k];
    return TX_OK;
}

static float draw(tx_init init, uint64_t seed, uint64_t param, uint64_t element)
{
    switch (init.kind) {
    case TX_INIT_ONE:
        return 1;
    case TX_INIT_NORMAL:
        return (float)(init.a * (double)tx_random_normal(seed, TX_RANDOM_INIT, param, element));
    case TX_INIT_UNIFORM:
        return (float)(init.a * (2 * (double)tx_random_uniform(seed, TX_RANDOM_INIT, param, element) - 1));
    case TX_INIT_ZERO:
        break;
    }
    return 0;
}

tx_status tx_weights_whole(const tx_weights *w)
{
    size_t elements = 0, counters = 0;
    for (int i = 0; i < tx_graph_params(w->graph); i++) {
        const tx_param *p = tx_graph_param(w->graph, i);
        elements += p->role == TX_ROLE_COUNTER ? 0 : p->count;
        counters += p->role == TX_ROLE_COUNTER;
    }
    if (elements == w->total && counters == w->counters && tx_graph_trained(w->graph) == w->trained)
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT, "parameters were added to the graph after its weights were made");
}

static int same_param(const tx_param *a, const tx_param *b)
{
    int same = a->role == b->role && a->dims == b->dims && strcmp(a->name, b->name) == 0;
    for (int i = 0; i < a->dims && same; i++)
        same = a->shape[i] == b->shape[i];
    return same;
}

/* Weights made for another description of the same parameters (say, with a loss behind it) will do. */
tx_status tx_weights_fit(const tx_graph *graph, const tx_weights *weights)
{
    if (!graph || !weights)
        return tx_fail_null("tx_weights_fit", graph ? "weights" : "graph");
    tx_status status = tx_weights_whole(weights);
    int n = tx_graph_params(graph), m = tx_graph_params(weights->graph);
    if (status)
        return status;
    for (int i = 0; i < n && i < m; i++)
        if (!same_param(tx_graph_param(graph, i), tx_graph_param(weights->graph, i)))
            return tx_fail(TX_ERR_ARGUMENT,
                           "these weights belong to another network: parameter %d is %s there, %s here", i,
                           tx_graph_param(weights->graph, i)->name, tx_graph_param(graph, i)->name);
    if (n != m)
        return tx_fail(TX_ERR_ARGUMENT, "these weights belong to another network: of %d parameters, not %d", m, n);
    return TX_OK;
}

tx_status tx_weights_filled(const tx_weights *weights)
{
    if (weights->version > 0 || weights->total + weights->counters == 0)
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT,
                   "weights that were never filled: tx_weights_init fills them, a file that is read, or "
                   "the caller, who then calls tx_weights_changed");
}

typedef struct init_task {
    tx_weights *weights;
    uint64_t seed;
} init_task;

static void init_param(void *context, size_t i, int worker)
{
    (void)worker;
    const init_task *task = context;
    const tx_param *p = tx_graph_param(task->weights->graph, (int)i);
    if (p->role == TX_ROLE_COUNTER) {
        task->weights->counter[p->offset] = 0;
        return;
    }
    float *value = tx_weights_param(task->weights, p);
    size_t inner = p->dims >= 2 ? p->count / (size_t)p->shape[0] : 1;
    for (size_t e = 0; e < p->count; e++)
        value[p->dims >= 2 ? place(p, e / inner, e % inner) : e] = draw(p->init, task->seed, i, e);
}

tx_status tx_weights_init(tx_weights *weights, uint64_t seed)
{
    if (!weights)
        return tx_fail_null("tx_weights_init", "weights");
    if (tx_weights_whole(weights))
        return TX_ERR_ARGUMENT;
    init_task task = {weights, seed};
    tx_status status = tx_parallel_for((size_t)tx_graph_params(weights->graph), init_param, &task);
    tx_weights_changed(weights);
    return status;
}

tx_status tx_weights_digest(const tx_weights *weights, char hex[65])
{
    if (!weights || !hex)
        return tx_fail_null("tx_weights_digest", weights ? "room for a digest" : "weights");
    if (tx_weights_whole(weights))
        return TX_ERR_ARGUMENT;
    size_t largest = 0;
    int n = tx_graph_params(weights->graph);
    for (int i = 0; i < n; i++)
        if (tx_graph_param(weights->graph, i)->count > largest)
            largest = tx_graph_param(weights->graph, i)->count;
    float *file = tx_alloc(largest, sizeof *file);
    if (!file)
        return TX_ERR_MEMORY;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    for (int i = 0; i < n; i++) {
        const tx_param *p = tx_graph_param(weights->graph, i);
        if (p->role == TX_ROLE_COUNTER)
            continue;
        tx_param_export(p, tx_weights_param(weights, p), file);
        tx_sha256_floats(&sha, file, p->count);
    }
    tx_sha256_end(&sha, hex);
    tx_free(file);
    return TX_OK;
}
