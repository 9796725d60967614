/* graph_weights.c - the numbers of a network: where each parameter stands, how it is filled, the file's order and memory's,
 * the digest; and what a description refuses. */
#include "../core/op.h"
#include "../layers/layers.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* A net with every kind of parameter: convolutions with and without bias, batch norms, a linear layer. */
static tx_graph *mixed(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 9, 8);
    x = tx_conv2d(g, x, "stem",
                  (tx_conv2d_args){.out = 5, .kernel_h = 2, .kernel_w = 3, .init = {TX_INIT_NORMAL, 0.25}});
    x = tx_batchnorm(g, x, "bn1", (tx_batchnorm_args){0});
    x = tx_conv2d(g, x, "conv", (tx_conv2d_args){.out = 4, .kernel = 3});
    x = tx_batchnorm(g, x, "bn2", (tx_batchnorm_args){0});
    tx_linear(g, tx_global_mean(g, x), "fc", (tx_linear_args){.out = 7});
    return g;
}

/* Where element (o, i, y, x) of a file's tensor stands in memory: HWIO, (in,out). */
static size_t memory_place(const tx_param *p, size_t e)
{
    size_t o_count = (size_t)p->shape[0], inner = p->dims >= 2 ? p->count / o_count : 1, o = e / inner,
           rest = e % inner;
    if (p->dims < 2)
        return e;
    if (p->dims == 2)
        return rest * o_count + o;
    size_t in = (size_t)p->shape[1], h = (size_t)p->shape[2], w = (size_t)p->shape[3];
    size_t i = rest / (h * w), y = rest / w % h, x = rest % w;
    return ((y * w + x) * in + i) * o_count + o;
}

static float first_value(const tx_param *p, uint64_t seed, uint64_t position, uint64_t e)
{
    switch (p->init.kind) {
    case TX_INIT_ZERO:
        return 0;
    case TX_INIT_ONE:
        return 1;
    case TX_INIT_NORMAL:
        return (float)(p->init.a * (double)tx_random_normal(seed, TX_RANDOM_INIT, position, e));
    case TX_INIT_UNIFORM:
        return (float)(p->init.a * (2 * (double)tx_random_uniform(seed, TX_RANDOM_INIT, position, e) - 1));
    }
    return NAN;
}

static void check_init(const tx_graph *g, uint64_t seed)
{
    tx_weights *w = tx_weights_new(g, 1);
    for (size_t i = 0; i < w->total; i++)
        w->value[i] = NAN;
    for (size_t i = 0; i < w->counters; i++)
        w->counter[i] = 9;
    unsigned long version = w->version;
    tx_weights_init(w, seed);
    CHECK(w->version != version, "sessions are not told of initial weights");
    CHECK(w->counters == 2 && w->counter[0] == 0 && w->counter[1] == 0, "counters begin at %d and %d",
          (int)w->counter[0], (int)w->counter[1]);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        size_t wrong = 0;
        for (size_t e = 0; e < p->count && p->role != TX_ROLE_COUNTER; e++)
            wrong += tx_weights_param(w, p)[memory_place(p, e)] != first_value(p, seed, (uint64_t)i, e);
        CHECK(wrong == 0, "%s: %d of %d initial values", p->name, (int)wrong, (int)p->count);
    }
    tx_weights_free(w);
}

/* Every parameter has elements of its own, trained ones first; all of memory is somebody's. */
static void check_places(const tx_graph *g)
{
    tx_weights *w = tx_weights_new(g, 1);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        for (size_t e = 0; e < p->count && p->role != TX_ROLE_COUNTER; e++)
            tx_weights_param(w, p)[e] += (float)(i + 1);
        if (p->role != TX_ROLE_COUNTER)
            CHECK((tx_weights_param(w, p) < w->value + w->trained) == (p->role == TX_ROLE_TRAINED), "%s stands at %d",
                  p->name, (int)(tx_weights_param(w, p) - w->value));
        CHECK(tx_graph_find(g, p->name) == i, "%s is found at %d", p->name, tx_graph_find(g, p->name));
    }
    size_t next = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < tx_graph_params(g); i++) {
            const tx_param *p = tx_graph_param(g, i);
            if (p->role != (pass ? TX_ROLE_BUFFER : TX_ROLE_TRAINED))
                continue;
            for (size_t e = 0; e < p->count; e++, next++)
                CHECK(w->value[next] == (float)(i + 1), "element %d is not %s's", (int)next, p->name);
        }
    CHECK(next == w->total && w->trained == tx_graph_trained(g), "%d elements, %d trained, found %d", (int)w->total,
          (int)w->trained, (int)next);
    CHECK(tx_graph_find(g, "fc") == -1 && tx_graph_find(g, "fc.weights") == -1,
          "half a name, and more than one, is found");
    tx_weights_free(w);
}

/* Each element of a file goes to its place, and comes back. */
static void check_orders(const tx_graph *g)
{
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        if (p->role == TX_ROLE_COUNTER)
            continue;
        float *file = tx_alloc(3 * p->count, sizeof *file), *memory = file + p->count, *back = memory + p->count;
        size_t wrong = 0;
        for (size_t e = 0; e < p->count; e++)
            file[e] = (float)e;
        tx_param_import(p, file, memory);
        tx_param_export(p, memory, back);
        for (size_t e = 0; e < p->count; e++)
            wrong += memory[memory_place(p, e)] != (float)e || back[e] != (float)e;
        CHECK(wrong == 0, "%s: %d elements are in the wrong place", p->name, (int)wrong);
        tx_free(file);
    }
}

/* The digest by its definition: all but the counters, in the file's order, as bytes, little end first. */
static void check_digest(const tx_graph *g)
{
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, 3);
    tx_sha256 s;
    tx_sha256_begin(&s);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        for (size_t e = 0; e < p->count && p->role != TX_ROLE_COUNTER; e++) {
            uint32_t u;
            memcpy(&u, tx_weights_param(w, p) + memory_place(p, e), sizeof u);
            unsigned char bytes[4] = {(unsigned char)u, (unsigned char)(u >> 8), (unsigned char)(u >> 16),
                                      (unsigned char)(u >> 24)};
            tx_sha256_add(&s, bytes, 4);
        }
    }
    char want[65], got[65];
    tx_sha256_end(&s, want);
    CHECK(tx_weights_digest(w, got) == TX_OK && strcmp(got, want) == 0, "digest %s, expected %s", got, want);
    w->counter[0] = 3;
    CHECK(tx_weights_digest(w, got) == TX_OK && strcmp(got, want) == 0, "a counter is in the digest");
    const size_t ends[] = {0, w->trained - 1, w->trained, w->total - 1};
    for (int k = 0; k < 4; k++) {
        w->value[ends[k]] += 1;
        CHECK(tx_weights_digest(w, got) == TX_OK && strcmp(got, want) != 0, "element %d is not in the digest",
              (int)ends[k]);
        w->value[ends[k]] -= 1;
    }
    tx_weights_free(w);
}

/* A node's own way of filling its parameters can be replaced. */
static void check_node_init(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_conv2d(g, tx_input(g, 3, 2, 2), "conv", (tx_conv2d_args){.out = 4});
    tx_node_init(x, 0, (tx_init){TX_INIT_ONE, 0});
    tx_node_init(x, 1, (tx_init){TX_INIT_ZERO, 0});
    tx_node_init(NULL, 0, (tx_init){TX_INIT_ONE, 0});
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, 1);
    for (size_t i = 0; i < w->total; i++)
        CHECK(w->value[i] == (i < 12 ? 1 : 0), "element %d begins as %g", (int)i, (double)w->value[i]);
    tx_weights_free(w);
    tx_graph_free(g);
}

/* A position that there is not, or values that there are not, spoil the graph, and nothing is replaced. */
static void check_node_init_refused(void)
{
    static const struct {
        int position;
        tx_init init;
        const char *part;
    } cases[] = {{2, {TX_INIT_NORMAL, 5}, "parameter 2 of 2"},
                 {-1, {TX_INIT_NORMAL, 5}, "parameter -1 of 2"},
                 {0, {TX_INIT_NORMAL, -1}, "deviation or bound -1"},
                 {0, {(tx_init_kind)9, 0}, "kind 9"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *x = tx_conv2d(g, tx_input(g, 3, 2, 2), "conv", (tx_conv2d_args){.out = 4});
        tx_init before = tx_graph_param(g, 0)->init;
        CHECK(tx_node_init(x, cases[i].position, cases[i].init) != TX_OK && tx_graph_status(g) != TX_OK &&
                  strstr(tx_error_message(), cases[i].part),
              "case %d: %s", (int)i, tx_error_message());
        CHECK(tx_graph_param(g, 0)->init.kind == before.kind, "case %d: the weight is filled otherwise", (int)i);
        tx_graph_free(g);
    }
}

/* ---- descriptions that are refused: the first error stays, and says what, where, found and expected */

static void refused(tx_graph *g, const char *part, const char *what)
{
    tx_status status = tx_graph_status(g);
    CHECK(status == TX_ERR_ARGUMENT && strstr(tx_error_message(), part), "%s: status %d, '%s', expected '%s'", what,
          (int)status, tx_error_message(), part);
    tx_node *after = tx_input(g, 1, 1, 1);
    tx_graph_refuse(g, "a later error");
    CHECK(!after && tx_graph_status(g) == status && strstr(tx_error_message(), part), "%s: another error: %s", what,
          tx_error_message());
    tx_plan *plan = tx_plan_new(g, (tx_session_args){.batch = 1});
    CHECK(!plan, "%s: a spoiled graph was planned", what);
    tx_plan_free(plan);
    tx_graph_free(g);
}

static void check_refusals(void)
{
    tx_graph *g = tx_graph_new(), *other = tx_graph_new();
    tx_node *x = tx_input(g, 3, 4, 4), *stranger = tx_input(other, 3, 4, 4);
    CHECK(!tx_add(g, x, stranger), "a node of another graph");
    refused(g, "input 1 is a node of another graph", "a node of another graph");
    tx_graph_free(other);
    g = tx_graph_new();
    tx_conv2d(g, NULL, "c", (tx_conv2d_args){.out = 1});
    refused(g, "conv2d: no input 0", "no node");
    g = tx_graph_new();
    tx_input(g, 3, 0, 4);
    refused(g, "3 channels of 0 x 4", "an empty image");
    g = tx_graph_new();
    tx_input(g, 0, 4, 4);
    refused(g, "0 channels of 4 x 4", "an image without channels");
    g = tx_graph_new();
    tx_input(g, 3, 4, -1);
    refused(g, "3 channels of 4 x -1", "an image of negative width");
    g = tx_graph_new();
    tx_conv2d(g, tx_input(g, 3, 4, 2), "c", (tx_conv2d_args){.out = 1, .kernel = 3});
    refused(g, "4 x 2 is too small", "a kernel wider than the map");
    g = tx_graph_new();
    x = tx_linear(g, tx_input(g, 3, 1, 1), "fc", (tx_linear_args){.out = 3});
    tx_linear(g, x, "fc", (tx_linear_args){.out = 3});
    refused(g, "two parameters of the name fc.weight", "two layers of one name");
    g = tx_graph_new();
    tx_node *many[TX_MAX_INPUTS + 1];
    for (int i = 0; i <= TX_MAX_INPUTS; i++)
        many[i] = tx_input(g, 1, 1, 1);
    x = tx_concat(g, many, TX_MAX_INPUTS);
    CHECK(x && x->c == TX_MAX_INPUTS, "%d inputs", (int)TX_MAX_INPUTS);
    tx_concat(g, many, TX_MAX_INPUTS + 1);
    refused(g, "65 inputs, expected 0 to 64", "more inputs than there may be");
    g = tx_graph_new();
    CHECK(!tx_graph_refuse(g, "%s of %d", "a network", 3), "a refusal is a node");
    refused(g, "a network of 3", "a refusal");
    CHECK(tx_graph_status(NULL) == TX_ERR_ARGUMENT, "no graph");
    CHECK(!tx_relu(NULL, NULL), "a node of no graph");
}

/* A parameter list as long as it may be, and longer; sizes that do not fit. */
static int leaves;
static int side;
static tx_role role = TX_ROLE_TRAINED;

static tx_status leafy_shape(tx_node *node)
{
    node->h = node->w = node->c = 1;
    tx_status status = TX_OK;
    for (int i = 0; i < leaves && status == TX_OK; i++) {
        char leaf[16];
        snprintf(leaf, sizeof leaf, "leaf%d", i);
        status = tx_node_param(node, leaf, role, (tx_init){TX_INIT_ONE, 0}, 4, (int[]){1, 2, side, side});
    }
    return status;
}

static const tx_op leafy = {.name = "leafy", .shape = leafy_shape, .no_gradient = "it computes nothing"};

static void check_params(void)
{
    tx_graph *g = tx_graph_new();
    leaves = TX_MAX_PARAMS;
    side = 3;
    tx_node *node = tx_graph_add(g, &leafy, "n", NULL, 0, NULL, 0);
    CHECK(node && node->params == TX_MAX_PARAMS && tx_graph_trained(g) == 18 * TX_MAX_PARAMS, "%s", tx_error_message());
    tx_graph_free(g);
    g = tx_graph_new();
    leaves++;
    tx_graph_add(g, &leafy, "n", NULL, 0, NULL, 0);
    refused(g, "more than 6 parameters", "too many parameters");
    g = tx_graph_new();
    leaves = 1;
    side = 0;
    tx_graph_add(g, &leafy, "n", NULL, 0, NULL, 0);
    refused(g, "leaf0 has an impossible size", "an empty parameter");
    g = tx_graph_new();
    side = -2;
    tx_graph_add(g, &leafy, "n", NULL, 0, NULL, 0);
    refused(g, "leaf0 has an impossible size", "a parameter of negative size");
}

/* As many parameters, but of other sizes or roles. */
static void check_near_strangers(void)
{
    static const int sides[] = {3, 2, 3};
    static const tx_role roles[] = {TX_ROLE_TRAINED, TX_ROLE_TRAINED, TX_ROLE_BUFFER};
    tx_graph *g[3];
    tx_weights *w[3];
    leaves = 2;
    for (int i = 0; i < 3; i++) {
        side = sides[i];
        role = roles[i];
        g[i] = tx_graph_new();
        tx_graph_add(g[i], &leafy, "n", NULL, 0, NULL, 0);
        w[i] = tx_weights_new(g[i], 1);
    }
    role = TX_ROLE_TRAINED;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            tx_session *s = i == k ? NULL : tx_session_new(g[i], w[k], (tx_session_args){.batch = 1});
            CHECK(i == k || (!s && strstr(tx_error_message(), "another network")), "graph %d took weights %d", i, k);
            tx_session_free(s);
        }
    for (int i = 0; i < 3; i++) {
        tx_weights_free(w[i]);
        tx_graph_free(g[i]);
    }
}

/* Weights of another network are refused, those of the same parameters in another description are not. */
static void check_strangers(void)
{
    tx_graph *g = mixed(), *twin = mixed(), *other = tx_graph_new();
    tx_conv2d(other, tx_input(other, 3, 9, 8), "stem", (tx_conv2d_args){.out = 5, .kernel = 3});
    tx_weights *w = tx_weights_new(g, 1), *few = tx_weights_new(other, 1), *plain = tx_weights_new(g, 0);
    tx_session_args args = {.batch = 1, .mode = TX_TRAIN};
    tx_session *s = tx_session_new(twin, w, args);
    CHECK(s != NULL, "%s", tx_error_message());
    tx_session_free(s);
    s = tx_session_new(g, few, args);
    CHECK(!s, "weights of another network were taken");
    tx_session_free(s);
    s = tx_session_new(g, NULL, args);
    CHECK(!s, "a session without weights");
    tx_session_free(s);
    s = tx_session_new(g, plain, args);
    CHECK(!s, "a training session on weights without gradients");
    tx_session_free(s);
    args.mode = TX_INFER;
    s = tx_session_new(g, plain, args);
    CHECK(s != NULL, "%s", tx_error_message());
    CHECK(tx_backward(s, NULL) != TX_OK, "backward in a session for inference");
    tx_session_free(s);
    tx_weights_free(w);
    tx_weights_free(few);
    tx_weights_free(plain);
    tx_graph_free(g);
    tx_graph_free(twin);
    tx_graph_free(other);
}

int main(void)
{
    tx_graph *g = mixed();
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    check_init(g, 0);
    check_init(g, ((uint64_t)3 << 32) + 1);
    check_places(g);
    check_orders(g);
    check_digest(g);
    tx_graph_free(g);
    check_node_init();
    check_node_init_refused();
    check_refusals();
    check_params();
    check_strangers();
    check_near_strangers();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_weights");
}
