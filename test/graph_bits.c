/* graph_bits.c - the bits of whole networks are those of bits.txt: values of three steps of training, gradients, weights, and
 * predictions with the weights that come out. They change with the order of any sum, the length of a chunk, the algorithm
 * of an operation, a draw; no compiler, instruction set, number of threads or machine changes them.
 *
 * Lines: small nets of graph_nets.h; every network of the registry at 32 pixels; of each family the first at 96 pixels, where
 * chunks of every sum are merged; two with blocks cut. Each step is planned for another number of threads. A line is
 * digests of the first step, of all three, of the predictions, and a name.
 *
 *     graph_bits                     compares what takes seconds; one step of eight images on 1 to 16 threads; images alone
 *     graph_bits all                 compares every line
 *     graph_bits lines NAME..        compares these
 *     graph_bits first THREADS NAME..  compares their first step
 *     graph_bits print               prints what would stand in test/bits.txt: test/bits.sh writes it */
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "graph_nets.h"
#include "test.h"

#include <stdlib.h>

enum { STEPS = 3 };

typedef struct bits {
    uint64_t first, train, infer;
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

/* What is computed: a small net, or a network of the registry. */
typedef struct subject {
    char name[64];
    const small_net *small;
    tx_net_choice choice;
    int batch;
} subject;

/* A subject's graphs: with its loss, and what is read in inference. */
typedef struct instance {
    small_net net; /* how its inputs are drawn */
    small_graph train, infer;
    tx_network with_loss, logits;
} instance;

static void instance_build(instance *b, const subject *s)
{
    memset(b, 0, sizeof *b);
    if (s->small) {
        b->net = *s->small;
        CHECK(small_build(&b->train, s->small, 2) == TX_OK, "%s: %s", s->name, tx_error_message());
        b->infer = b->train;
        return;
    }
    b->net = (small_net){s->name, NULL, 3, s->choice.size, s->choice.size, 0};
    CHECK(tx_network_build(&b->with_loss, &s->choice, 1, NULL) == TX_OK &&
              tx_network_build(&b->logits, &s->choice, 0, NULL) == TX_OK,
          "%s: %s", s->name, tx_error_message());
    const tx_network *n = &b->with_loss;
    b->train = (small_graph){n->graph, n->image, n->label, n->mask, n->loss};
    b->infer = (small_graph){b->logits.graph, b->logits.image, NULL, NULL, b->logits.logits};
}

static void instance_free(instance *b)
{
    if (!b->with_loss.graph)
        tx_graph_free(b->train.graph);
    tx_network_free(&b->with_loss);
    tx_network_free(&b->logits);
}

static void set_inputs(tx_session *session, const small_graph *s, const small_net *net, int n, int step)
{
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++)
            tx_session_input(session, inputs[k])[i] = small_input(net, k, i + (size_t)step * 1000003);
}

/* A NaN's bits are the machine's own. */
static int all_finite(const float *v, size_t n)
{
    int finite = 1;
    for (size_t i = 0; i < n; i++)
        finite &= v[i] - v[i] == 0;
    return finite;
}

/* One step of training: the value, its gradients and the weights that it leaves. */
static void digest_step(const instance *b, tx_weights *w, tx_optimizer *o, int n, int step, uint64_t *digest)
{
    const small_graph *s = &b->train;
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = n, .mode = TX_TRAIN, .seed = 3});
    size_t count = small_count(s->last, n);
    float *value = tx_alloc(count, sizeof *value), *dy = tx_alloc(count, sizeof *dy);
    CHECK(session && value && dy, "%s: %s", b->net.name, tx_error_message());
    if (session && value && dy) {
        set_inputs(session, s, &b->net, n, step);
        tx_session_run(session, (uint64_t)step);
        for (size_t i = 0; i < count; i++)
            dy[i] = small_dy(i);
        CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, value) == TX_OK &&
                  tx_backward(session, b->net.cross_entropy == 2 ? dy : NULL) == TX_OK,
              "%s: %s", b->net.name, tx_error_message());
        mix(digest, value, count);
        mix(digest, w->grad, w->trained);
        tx_optimizer_step(o, 1e-3);
        mix(digest, w->value, w->total);
    }
    tx_free(value);
    tx_free(dy);
    tx_session_free(session);
}

static void digest_inference(const instance *b, tx_weights *w, int n, uint64_t *digest)
{
    const small_graph *s = &b->infer;
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = n, .mode = TX_INFER});
    size_t count = small_count(s->last, n);
    float *value = tx_alloc(count, sizeof *value);
    CHECK(session && value, "%s: %s", b->net.name, tx_error_message());
    if (session && value) {
        set_inputs(session, s, &b->net, n, STEPS);
        CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, value) == TX_OK &&
                  all_finite(value, count),
              "%s: %s", b->net.name, tx_error_message());
        mix(digest, value, count);
    }
    tx_free(value);
    tx_session_free(session);
}

/* threads: of the first step, which is the last then; 0: of each step its own, and predictions. */
static bits digest_of(const subject *s, int threads)
{
    static const int of_step[STEPS] = {3, 2, 16}, of_inference = 7;
    bits b = {0, 0xcbf29ce484222325u, 0xcbf29ce484222325u};
    instance built;
    instance_build(&built, s);
    tx_weights *w = tx_weights_new(built.train.graph, 1);
    tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM, .weight_decay = 1e-4});
    CHECK(w && o, "%s: %s", s->name, tx_error_message());
    if (w && o) {
        (s->small ? small_fill : fill)(w);
        for (int t = 0; t < (threads ? 1 : STEPS); t++) {
            tx_set_threads(threads ? threads : of_step[t]);
            digest_step(&built, w, o, s->batch, t, &b.train);
            b.first = t == 0 ? b.train : b.first;
        }
        tx_set_threads(of_inference);
        if (!threads)
            digest_inference(&built, w, s->batch, &b.infer);
        CHECK(all_finite(w->value, w->total), "%s: weights that are not finite", s->name);
    }
    tx_optimizer_free(o);
    tx_weights_free(w);
    instance_free(&built);
    return b;
}

/* ------------------------------------------------------------------------------------------------- lines */

enum { MOST = SMALL_NETS + 128 };

static subject subject_of(const tx_net_info *net, int cut, int size, int batch)
{
    size = size < net->smallest ? net->smallest : size;
    subject s = {.choice = {.net = net, .cut = cut, .classes = SMALL_CLASSES, .size = size}, .batch = batch};
    char name[64];
    snprintf(s.name, sizeof s.name, "%.40s_%dx%d_b%d", tx_net_choice_name(&s.choice, name), size, size, batch);
    return s;
}

/* Is it the first of its family? */
static int leads(int net)
{
    for (int i = 0; i < net; i++)
        if (strcmp(tx_net_at(i)->family, tx_net_at(net)->family) == 0)
            return 0;
    return 1;
}

static int subjects(subject *s)
{
    static const struct {
        const char *net;
        int cut, size, batch;
    } more[] = {{"resnet34", 2, 33, 2}, {"resnet18", 3, 96, 5}};
    int n = 0;
    for (int k = 0; k < SMALL_NETS; k++) {
        s[n] = (subject){.small = &small_nets[k], .batch = 3};
        snprintf(s[n++].name, sizeof s->name, "%.60s", small_nets[k].name);
    }
    for (size_t k = 0; k < sizeof more / sizeof *more; k++)
        s[n++] = subject_of(tx_net_find(more[k].net), more[k].cut, more[k].size, more[k].batch);
    for (int k = 0; k < tx_nets(); k++) {
        CHECK(n + 2 <= MOST, "%d lines are too few", (int)MOST);
        s[n++] = subject_of(tx_net_at(k), 0, 32, 3);
        if (leads(k))
            s[n++] = subject_of(tx_net_at(k), 0, 96, 3);
    }
    return n;
}

/* Lines that take long are left to `all`: those of more than 2/3 of a billion multiply-adds an image. */
static int takes_seconds(const subject *s)
{
    tx_network n;
    double macs;
    size_t arena;
    if (s->small || tx_network_build(&n, &s->choice, 0, NULL) != TX_OK)
        return 1;
    tx_network_costs(&n, (tx_session_args){.batch = s->batch}, &macs, &arena);
    tx_network_free(&n);
    return macs < 2e9 / 3;
}

/* What bits.txt says of each subject, by name; each of its lines must be one's. */
static void read_bits(const subject *s, int n, bits *want, char *found)
{
    char line[256], name[200];
    FILE *f = fopen("test/bits.txt", "r");
    CHECK(f != NULL, "test/bits.txt cannot be opened");
    while (f && fgets(line, sizeof line, f)) {
        unsigned long long first, train, infer;
        int k = 0;
        if (line[0] == '#')
            continue;
        if (sscanf(line, "%16llx %16llx %16llx %199[^\n]", &first, &train, &infer, name) != 4)
            name[0] = 0;
        while (k < n && strcmp(s[k].name, name) != 0)
            k++;
        CHECK(k < n && !found[k], "bits.txt has a line of nothing, or twice: %s", line);
        if (k < n) {
            want[k] = (bits){first, train, infer};
            found[k] = 1;
        }
    }
    if (f)
        fclose(f);
    for (int k = 0; k < n; k++)
        CHECK(found[k], "bits.txt has no line of %s (sh test/bits.sh writes it)", s[k].name);
}

static void print_bits(const subject *s, int n)
{
    puts("# Digests of the first step of training, of all three, of predictions after them: graph_bits.c says of what. "
         "Written by\n"
         "# sh test/bits.sh, never by hand.");
    for (int k = 0; k < n; k++) {
        bits b = digest_of(&s[k], 0);
        printf("%016llx %016llx %016llx %s\n", (unsigned long long)b.first, (unsigned long long)b.train,
               (unsigned long long)b.infer, s[k].name);
    }
}

static void compare(const subject *s, const bits *want, int threads)
{
    bits b = digest_of(s, threads);
    CHECK(b.first == want->first && (threads || (b.train == want->train && b.infer == want->infer)),
          "%s: found %016llx %016llx %016llx, bits.txt has %016llx %016llx %016llx", s->name,
          (unsigned long long)b.first, (unsigned long long)b.train, (unsigned long long)b.infer,
          (unsigned long long)want->first, (unsigned long long)want->train, (unsigned long long)want->infer);
}

/* ----------------------------------------------------------------------------------------------- threads */

/* A step of eight images at 96 pixels through the larger maps of each family's first network. */
static void check_threads(void)
{
    static const int threads[] = {2, 3, 7, 16};
    for (int k = 0; k < tx_nets(); k++) {
        subject s = subject_of(tx_net_at(k), tx_net_at(k)->blocks / 2, 96, 8);
        if (!leads(k))
            continue;
        uint64_t one = digest_of(&s, 1).first;
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
            CHECK(digest_of(&s, threads[t]).first == one, "%s: %d threads have other bits than one", s.name,
                  threads[t]);
    }
}

/* Logits of images from `first` on, of a session planned for n. */
static void logits_of(const instance *b, tx_weights *w, int first, int n, float *out)
{
    const small_graph *s = &b->infer;
    tx_session *session = tx_session_new(s->graph, w, (tx_session_args){.batch = n});
    size_t each = small_count(s->image, 1);
    CHECK(session != NULL, "%s", tx_error_message());
    for (size_t i = 0; session && i < (size_t)n * each; i++)
        tx_session_input(session, s->image)[i] = small_input(&b->net, 0, (size_t)first * each + i);
    CHECK(tx_forward(session) == TX_OK && tx_session_value(session, s->last, out) == TX_OK, "%s", tx_error_message());
    tx_session_free(session);
}

/* An image has the same logits alone and beside others. */
static void check_alone(void)
{
    enum { IMAGES = 3 };
    float together[IMAGES * SMALL_CLASSES], alone[SMALL_CLASSES];
    for (int k = 0; k < tx_nets(); k++) {
        subject s = subject_of(tx_net_at(k), tx_net_at(k)->blocks / 2, 96, IMAGES);
        if (!leads(k))
            continue;
        instance built;
        instance_build(&built, &s);
        tx_weights *w = tx_weights_new(built.train.graph, 0);
        fill(w);
        logits_of(&built, w, 0, IMAGES, together);
        for (int i = 0; i < IMAGES; i++) {
            logits_of(&built, w, i, 1, alone);
            CHECK(memcmp(alone, together + i * SMALL_CLASSES, sizeof alone) == 0, "%s: image %d has other bits alone",
                  s.name, i);
        }
        tx_weights_free(w);
        instance_free(&built);
    }
}

static int is_named(const subject *s, char **name, int names)
{
    for (int i = 0; i < names; i++)
        if (strcmp(s->name, name[i]) == 0)
            return 1;
    return 0;
}

int main(int count, char **argument)
{
    static subject s[MOST];
    static bits want[MOST];
    static char found[MOST];
    const char *mode = count > 1 ? argument[1] : "";
    int n = subjects(s), all = !strcmp(mode, "all"), first = !strcmp(mode, "first") && count > 2, checked = 0;
    int named = first ? 3 : strcmp(mode, "lines") == 0 ? 2 : 0, threads = first ? atoi(argument[2]) : 0;
    if (strcmp(mode, "print") == 0) {
        print_bits(s, n);
        return test_failed != 0;
    }
    CHECK(all || named || count == 1, "graph_bits [all | print | lines NAME.. | first THREADS NAME..]");
    read_bits(s, n, want, found);
    for (int k = 0; k < n; k++)
        if (named ? is_named(&s[k], argument + named, count - named) : all || takes_seconds(&s[k])) {
            compare(&s[k], &want[k], threads);
            checked++;
        }
    CHECK(!named || checked == count - named, "%d of %d names are a line's", checked, count - named);
    if (!named) {
        check_threads();
        check_alone();
    }
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_bits");
}
