/* graph_bits.c - the bits of whole networks are those of bits.txt: values of three steps of training, gradients, weights, and
 * predictions with the weights that come out. They change with the order of any sum, the length of a chunk, the algorithm
 * of an operation, a draw; no compiler, instruction set, number of threads or machine changes them.
 *
 *     graph_bits           compares
 *     graph_bits print     prints what would stand in test/bits.txt: for a change of bits that is wanted */
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "graph_nets.h"
#include "test.h"

#include <stdlib.h>

enum { STEPS = 3 };

typedef struct bits {
    uint64_t train, infer;
} bits;

/* FNV-1a over the bits of floats, a float at a time: the same on machines of either byte order. */
static void mix(uint64_t *digest, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, v + i, sizeof u);
        *digest = (*digest ^ u) * 0x100000001b3u;
    }
}

/* A uniform number on [-1, 1) that costs little: there are millions. */
static float cheap_uniform(uint64_t i)
{
    uint64_t u = (i + 1) * 0x9e3779b97f4a7c15u;
    u = (u ^ u >> 29) * 0xbf58476d1ce4e5b9u;
    return (float)(int32_t)(u >> 40) * 0x1p-23f - 1;
}

/* Convolutions and linear layers as large as they begin, batch norms around 1 and 0. */
static void fill(tx_weights *w)
{
    for (int i = 0; i < tx_graph_params(w->graph); i++) {
        const tx_param *p = tx_graph_param(w->graph, i);
        float *value = tx_weights_param(w, p), size = p->init.kind == TX_INIT_NORMAL ? 1.7f : 1;
        for (size_t e = 0; e < p->count && p->role != TX_ROLE_COUNTER; e++) {
            float u = cheap_uniform(((uint64_t)i << 40) + e);
            value[e] = p->dims > 1                       ? (float)p->init.a * size * u
                       : p->init.kind == TX_INIT_ONE     ? 1 + 0.25f * u
                       : p->init.kind == TX_INIT_UNIFORM ? (float)p->init.a * u
                                                         : 0.25f * u;
        }
    }
    tx_weights_changed(w);
}

static void set_inputs(tx_session *session, const small_graph *s, const small_net *net, int n, int step)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] = small_input(net, k, i + (size_t)step * 1000003);
}

/* All that training leaves, as one digest. */
static void digest_training(const small_graph *s, const small_net *net, tx_weights *w, int n, uint64_t *digest)
{
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = n, .mode = TX_TRAIN, .seed = 3});
    tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM, .weight_decay = 1e-4});
    CHECK(session && o, "%s: %s", net->name, tx_error_message());
    size_t count = small_count(s->last, n);
    float *value = tx_alloc(count, sizeof *value), *dy = tx_alloc(count, sizeof *dy);
    for (int t = 0; t < STEPS && session && o; t++) {
        set_inputs(session, s, net, n, t);
        tx_session_run(session, (uint64_t)t);
        for (size_t i = 0; i < count; i++)
            dy[i] = small_dy(i);
        CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, value) == TX_OK &&
                  tx_backward(session, net->cross_entropy == 2 ? dy : NULL) == TX_OK,
              "%s: %s", net->name, tx_error_message());
        mix(digest, value, count);
        mix(digest, w->grad, w->trained);
        tx_optimizer_step(o, 1e-3);
        mix(digest, w->value, w->total);
    }
    tx_free(value);
    tx_free(dy);
    tx_optimizer_free(o);
    tx_session_free(session);
}

static void digest_inference(const small_graph *s, const small_net *net, tx_weights *w, int n, uint64_t *digest)
{
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = n, .mode = TX_INFER});
    CHECK(session != NULL, "%s: %s", net->name, tx_error_message());
    size_t count = small_count(s->last, n);
    float *value = tx_alloc(count, sizeof *value);
    if (session) {
        set_inputs(session, s, net, n, STEPS);
        CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, value) == TX_OK, "%s: %s", net->name,
              tx_error_message());
    }
    mix(digest, value, count);
    tx_free(value);
    tx_session_free(session);
}

static bits digest(const small_graph *s, const small_net *net, int n, void (*begin)(tx_weights *w))
{
    bits b = {0xcbf29ce484222325u, 0xcbf29ce484222325u};
    tx_weights *w = tx_weights_new(s->graph, 1);
    begin(w);
    digest_training(s, net, w, n, &b.train);
    digest_inference(s, net, w, n, &b.infer);
    tx_weights_free(w);
    return b;
}

/* Published networks: small ones, and sizes at which chunks, groups and blocks of sums are merged. */
static const struct {
    const char *name, *net;
    int cut, size, batch;
} published[] = {{"resnet18-1, 40 pixels, 3 images", "resnet18", 1, 40, 3},
                 {"resnet34-2, 33 pixels, 2 images", "resnet34", 2, 33, 2},
                 {"resnet50-2, 40 pixels, 2 images", "resnet50", 2, 40, 2},
                 {"resnet18-3, 96 pixels, 5 images", "resnet18", 3, 96, 5},
                 {"resnet50-3, 64 pixels, 3 images", "resnet50", 3, 64, 3}};
enum { PUBLISHED = sizeof published / sizeof published[0] };

static bits digest_published(int k)
{
    tx_network network;
    tx_net_choice choice = {tx_net_find(published[k].net), published[k].cut, SMALL_CLASSES, published[k].size};
    CHECK(tx_network_build(&network, &choice, 1, NULL) == TX_OK, "%s: %s", published[k].name, tx_error_message());
    small_graph s = {network.graph, network.image, network.label, network.mask, network.loss};
    small_net net = {published[k].name, NULL, 3, published[k].size, published[k].size, 0};
    bits b = digest(&s, &net, published[k].batch, fill);
    tx_network_free(&network);
    return b;
}

static bits digest_small(int k)
{
    small_graph s;
    CHECK(small_build(&s, &small_nets[k], 2) == TX_OK, "%s: %s", small_nets[k].name, tx_error_message());
    bits b = digest(&s, &small_nets[k], 3, small_fill);
    tx_graph_free(s.graph);
    return b;
}

int main(int count, char **argument)
{
    int print = count > 1 && strcmp(argument[1], "print") == 0;
    FILE *f = print ? NULL : fopen("test/bits.txt", "r");
    CHECK(print || f, "test/bits.txt cannot be opened");
    tx_set_threads(2);
    for (int k = 0; k < SMALL_NETS + PUBLISHED; k++) {
        const char *name = k < SMALL_NETS ? small_nets[k].name : published[k - SMALL_NETS].name;
        bits b = k < SMALL_NETS ? digest_small(k) : digest_published(k - SMALL_NETS);
        char line[256] = "", want[256];
        snprintf(want, sizeof want, "%016llx %016llx %s\n", (unsigned long long)b.train, (unsigned long long)b.infer,
                 name);
        if (print)
            fputs(want, stdout);
        else
            CHECK(f && fgets(line, sizeof line, f) && strcmp(line, want) == 0, "bits.txt has %sfound    %s", line,
                  want);
    }
    if (f)
        fclose(f);
    if (print)
        return 0;
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_bits");
}
