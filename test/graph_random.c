/* graph_random.c - random networks (graph_grow.h) against what every plan promises: the numbers of the definitions in doubles,
 * and one set of bits whatever is kept, frozen or dropped, with any memory, threads, instruction set and batch.
 *
 *     graph_random               some hundreds of networks, and those that have failed once
 *     graph_random FROM COUNT    the networks FROM, FROM+1, ..; what fails is made smaller and printed
 *
 * Every run begins in an arena full of NaNs, in all of its bytes: what is read and was not written shows. */
#include "../core/op.h"
#include "../core/plan_private.h"
#include "graph_grow.h"
#include "graph_mirror.h"
#include "test.h"

#include <math.h>

/* ------------------------------------------------------------------------------------------------ one run */

/* How a network is run. */
typedef struct setting {
    tx_mode mode;
    int keep; /* as small_build has it */
    int threads, isa;
    size_t memory; /* 0: the usual; 1: the least; else more than the least as far as it goes above it */
    int odd;       /* the image has numbers that are none, infinite, huge or tiny */
    int freeze;    /* 0, or about every second parameter is frozen, others for each number */
    int alone;     /* gradients of nodes alone: none of parameters */
    int stale;     /* planned for two images more, and run on others before */
    int first, n;  /* images */
} setting;

/* All that a run leaves. Of nodes that were not kept there is nothing. */
typedef struct outcome {
    int nodes;
    size_t bytes;
    float **value, **gradient; /* one a node */
    int *kept;
    float *grad, *state;
    int64_t *counter;
} outcome;

/* One network, as it is looked at. */
typedef struct subject {
    uint64_t seed;
    const grown *grown;
    small_net net;
    tx_weights *weights;
    float *filled; /* the weights before a run */
} subject;

static void outcome_free(outcome *r)
{
    for (int i = 0; i < r->nodes; i++) {
        tx_free(r->value[i]);
        tx_free(r->gradient[i]);
    }
    tx_free(r->value);
    tx_free(r->gradient);
    tx_free(r->kept);
    tx_free(r->grad);
    tx_free(r->state);
    tx_free(r->counter);
    memset(r, 0, sizeof *r);
}

static const char *setting_text(const subject *t, const setting *h)
{
    static const char *const modes[] = {"infer", "train", "explain"};
    const char *isa[TX_MAX_ISAS];
    static char text[200];
    tx_isa_list(isa);
    snprintf(text, sizeof text, "network %llu, %s, images %d to %d, keep %d, %d threads, %s%s%s, frozen %d, odd %d",
             (unsigned long long)t->seed, modes[h->mode], h->first, h->first + h->n - 1, h->keep, h->threads,
             isa[h->isa], h->memory ? ", little memory" : "",
             h->stale   ? ", used before"
             : h->alone ? ", nodes alone"
                        : "",
             h->freeze, h->odd);
    return text;
}

static tx_status build(const subject *t, int keep, small_graph *s)
{
    grow_what = t->grown;
    return small_build(s, &t->net, keep);
}

/* Of the image's elements about every 40th, or all. */
static float odd_input(int odd, size_t i, float v)
{
    static const float values[] = {NAN, INFINITY, -INFINITY, 3e38f, -0.0f, 1e-41f};
    if (odd == 1)
        return tx_random_below(23, TX_RANDOM_TEST, 0, i, 40) ? v : values[tx_random_below(23, TX_RANDOM_TEST, 1, i, 6)];
    return odd == 2 ? v * 1e-38f : odd == 3 ? v * 1e19f : v;
}

static void set_inputs(tx_session *session, const small_graph *s, const subject *t, const setting *h, int first, int n)
{
    const small_net *net = &t->net;
    const tx_node *inputs[3] = {s->image, s->label, s->mask};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; inputs[k] && i < small_count(inputs[k], n); i++) {
            size_t at = i + (size_t)first * small_count(inputs[k], 1);
            float v = small_input(net, k, at);
            tx_session_input(session, inputs[k])[i] = k == 0 ? odd_input(h->odd, at, v) : v;
        }
}

static void poison(tx_session *session, const tx_node *image)
{
    const tx_plan *plan = tx_session_plan(session);
    tx_slot slot = plan->node[image->index].value;
    char *at = (char *)tx_session_input(session, image);
    memset(at - slot.channel * sizeof(float) - plan->buffer[slot.buffer].offset, 0xff, plan->bytes);
}

/* No two buffers overlap while both live; all lie within the arena; costs are numbers. */
static void check_plan(const subject *t, const setting *h, const small_graph *s, const tx_plan *plan)
{
    for (size_t i = 0; i < plan->buffers; i++) {
        const tx_buffer *a = &plan->buffer[i];
        CHECK(a->offset + a->bytes <= plan->bytes, "%s: buffer %zu ends behind the arena", setting_text(t, h), i);
        for (size_t j = 0; j < i; j++) {
            const tx_buffer *b = &plan->buffer[j];
            int apart = a->last < b->first || b->last < a->first || a->offset + a->bytes <= b->offset ||
                        b->offset + b->bytes <= a->offset;
            if (!apart)
                CHECK(0, "%s: buffers %zu and %zu overlap", setting_text(t, h), j, i);
        }
    }
    for (int i = 0; i < tx_graph_nodes(s->graph); i++) {
        tx_cost c = {NAN, NAN, NAN, NAN};
        tx_status status = tx_plan_cost(plan, tx_graph_node(s->graph, i), &c);
        double sum = c.products_forward + c.products_backward + c.bytes_forward + c.bytes_backward;
        int small = c.products_forward < 0 || c.products_backward < 0 || c.bytes_forward < 0 || c.bytes_backward < 0;
        if (status || !(sum < 1e12) || small)
            CHECK(0, "%s: node %d costs %g", setting_text(t, h), i, sum);
    }
}

static int is_frozen(const setting *h, int param)
{
    return h->freeze && tx_random_below(19, TX_RANDOM_TEST, (uint64_t)h->freeze, (uint64_t)param, 2) == 0;
}

/* The names of frozen parameters; each ends where it cannot be the beginning of another. */
static const char *const *frozen_names(const tx_graph *g, const setting *h, const char **name)
{
    int names = 0;
    for (int i = 0; i < tx_graph_params(g); i++)
        if (tx_graph_param(g, i)->role == TX_ROLE_TRAINED && is_frozen(h, i))
            name[names++] = tx_graph_param(g, i)->name;
    name[names] = NULL;
    return h->freeze ? name : NULL;
}

static tx_session *session_of(const subject *t, const setting *h, const small_graph *s)
{
    const char *isa[TX_MAX_ISAS], *name[4 * GROW_PIECES + 8];
    tx_isa_list(isa);
    tx_set_threads(h->threads);
    tx_isa_select(isa[h->isa]);
    tx_session_args args = {.batch = h->n + 2 * h->stale, .mode = h->mode, .parameters = !h->alone, .seed = 3};
    args.frozen = frozen_names(s->graph, h, name);
    if (h->memory) {
        size_t least = 0;
        args.memory = 1;
        tx_plan_free(tx_plan_new(s->graph, args));
        CHECK(sscanf(tx_error_message(), "a batch of %*d takes %zu", &least) == 1, "%s: %s", setting_text(t, h),
              tx_error_message());
        args.memory = least > h->memory ? least : h->memory;
    }
    tx_session *session = tx_session_new(s->graph, t->weights, args);
    CHECK(session != NULL, "%s: %s", setting_text(t, h), tx_error_message());
    if (session && args.memory)
        CHECK(tx_plan_bytes(tx_session_plan(session)) <= args.memory, "%s: more than is allowed", setting_text(t, h));
    return session;
}

/* With weights of the sign. */
static void once(const subject *t, const setting *h, const small_graph *s, tx_session *session, int first, int n,
                 float sign)
{
    tx_weights *w = t->weights;
    size_t one = small_count(s->last, 1), count = one * (size_t)n;
    float *dy = tx_alloc(count, sizeof *dy);
    memcpy(w->value, t->filled, w->total * sizeof *w->value);
    for (size_t i = 0; i < w->trained; i++)
        w->value[i] *= sign;
    memset(w->counter, 0, w->counters * sizeof *w->counter);
    memset(w->grad, 0xff, w->trained * sizeof *w->grad);
    tx_weights_changed(w);
    for (size_t i = 0; i < count; i++)
        dy[i] = small_dy(i + (size_t)first * one);
    set_inputs(session, s, t, h, first, n);
    tx_status status = tx_forward(session);
    if (status == TX_OK && h->mode != TX_INFER)
        status = tx_backward(session, t->net.cross_entropy == 2 ? dy : NULL);
    CHECK(status == TX_OK, "%s: %s", setting_text(t, h), tx_error_message());
    tx_free(dy);
}

static void *copy(const void *from, size_t count, size_t size)
{
    void *to = tx_alloc(count, size);
    memcpy(to, from, count * size);
    return to;
}

static void collect(const subject *t, const small_graph *s, const tx_session *session, int n, outcome *r)
{
    const tx_weights *w = t->weights;
    r->nodes = tx_graph_nodes(s->graph);
    r->bytes = tx_plan_bytes(tx_session_plan(session));
    r->value = tx_alloc((size_t)r->nodes, sizeof *r->value);
    r->gradient = tx_alloc((size_t)r->nodes, sizeof *r->gradient);
    r->kept = tx_alloc((size_t)r->nodes, sizeof *r->kept);
    for (int i = 0; i < r->nodes; i++) {
        const tx_node *node = tx_graph_node(s->graph, i);
        size_t count = small_count(node, n);
        r->kept[i] = node->wanted;
        if (!node->wanted && node != s->last)
            continue;
        r->value[i] = tx_alloc(count, sizeof(float));
        tx_session_value(session, node, r->value[i]);
        r->gradient[i] = tx_alloc(count, sizeof(float));
        if (tx_session_gradient(session, node, r->gradient[i])) {
            tx_free(r->gradient[i]);
            r->gradient[i] = NULL;
        }
    }
    r->grad = copy(w->grad, w->trained, sizeof *r->grad);
    r->state = copy(w->value + w->trained, w->total - w->trained, sizeof *r->state);
    r->counter = copy(w->counter, w->counters, sizeof *r->counter);
}

/* Plans and runs the network so. 0 if it could not be done. */
static int run(const subject *t, const setting *h, outcome *r)
{
    small_graph s;
    memset(r, 0, sizeof *r);
    tx_status status = build(t, h->keep, &s);
    CHECK(status == TX_OK, "%s: %s", setting_text(t, h), tx_error_message());
    tx_session *session = status ? NULL : session_of(t, h, &s);
    if (session) {
        check_plan(t, h, &s, tx_session_plan(session));
        poison(session, s.image);
        if (h->stale) {
            once(t, h, &s, session, h->first + 5, h->n + 2, -1);
            tx_session_batch(session, h->n);
        }
        once(t, h, &s, session, h->first, h->n, 1);
        collect(t, &s, session, h->n, r);
    }
    tx_session_free(session);
    tx_graph_free(s.graph);
    tx_set_threads(1);
    tx_isa_select(NULL);
    return session != NULL;
}

/* ------------------------------------------------------------------------------------------- equal bits */

static void check_floats(const subject *t, const setting *h, const char *what, const char *name, int i,
                         const float *got, const float *want, size_t count)
{
    size_t at = 0;
    while (at < count && (memcmp(&got[at], &want[at], sizeof *got) == 0 || (isnan(got[at]) && isnan(want[at]))))
        at++;
    CHECK(at == count, "%s: %s of %d %s [%d]: found %.9g, expected %.9g", setting_text(t, h), what, i, name, (int)at,
          at < count ? (double)got[at] : 0, at < count ? (double)want[at] : 0);
}

/* What both have is equal. skip: images of `want` that are before the first of `got`; parameters are compared where the
 * images are the same. */
static void check_equal(const subject *t, const setting *h, const outcome *got, const outcome *want, int skip,
                        int params)
{
    const tx_weights *w = t->weights;
    const tx_graph *g = w->graph;
    int values = t->net.cross_entropy < 2 && !params ? got->nodes - 1 : got->nodes; /* a loss is of all images */
    for (int i = 0; i < values; i++) {
        const tx_node *node = tx_graph_node(g, i);
        size_t count = small_count(node, h->n), from = small_count(node, skip);
        if (got->value[i] && want->value[i])
            check_floats(t, h, "value", node->op->name, i, got->value[i], want->value[i] + from, count);
        int gradients = (got->gradient[i] != NULL) + (want->gradient[i] != NULL);
        if (params && got->kept[i] && want->kept[i] && gradients == 1)
            CHECK(0, "%s: %s gradient of %d %s", setting_text(t, h), got->gradient[i] ? "a" : "no", i, node->op->name);
        if (gradients == 2 && (params || t->net.cross_entropy == 2))
            check_floats(t, h, "gradient", node->op->name, i, got->gradient[i], want->gradient[i] + from, count);
    }
    if (!params)
        return;
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        int same = p->role == TX_ROLE_COUNTER ? got->counter[p->offset] == want->counter[p->offset] : 1;
        CHECK(same, "%s: %s has counted %d", setting_text(t, h), p->name, (int)got->counter[p->offset]);
        size_t at = place_of(w, p);
        if (p->role == TX_ROLE_BUFFER)
            check_floats(t, h, "statistic", p->name, i, got->state + at - w->trained, want->state + at - w->trained,
                         p->count);
        if (p->role != TX_ROLE_TRAINED || h->mode == TX_INFER || h->alone)
            continue;
        if (!is_frozen(h, i))
            check_floats(t, h, "gradient", p->name, i, got->grad + at, want->grad + at, p->count);
        for (size_t k = 0; is_frozen(h, i) && k < p->count; k++)
            if (!(got->grad[at + k] == 0))
                CHECK(0, "%s: %s is frozen, its gradient %g", setting_text(t, h), p->name, (double)got->grad[at + k]);
    }
}

/* -------------------------------------------------------------------------------------- against doubles */

static void check_close(const subject *t, const setting *h, const char *what, const char *name, int i, const float *got,
                        const double *want, const double *shaken, size_t count, double floor)
{
    double allowed = 2e-6 * largest_of(want, count) + REACH * largest_change(want, shaken, count) + floor + 1e-12;
    size_t at = 0;
    while (at < count && fabs((double)got[at] - want[at]) <= allowed)
        at++;
    CHECK(at == count, "%s: %s of %d %s [%d]: found %.9g, expected %.9g within %.3g", setting_text(t, h), what, i, name,
          (int)at, at < count ? (double)got[at] : 0, at < count ? want[at] : 0, allowed);
}

static int compared, unlucky;

/* What a run with all kept has left, against the definition and the definition with noise. */
static void check_mirror(const subject *t, const setting *h, const outcome *r, const small_graph *s,
                         const mirror *exact, const mirror *shaken)
{
    const tx_graph *g = s->graph;
    int kinks = has_kinks(s, exact, shaken, h->n);
    double floor = 0;
    for (int i = 0; i < tx_graph_params(g); i++)
        floor = fmax(floor, 1e-6 * largest_of(exact->dparam[i], tx_graph_param(g, i)->count));
    unlucky += kinks;
    compared++;
    for (int i = 0; i < r->nodes; i++) {
        const tx_node *node = tx_graph_node(g, i);
        size_t count = node == s->last && t->net.cross_entropy < 2 ? 1 : small_count(node, h->n);
        if (r->value[i])
            check_close(t, h, "value", node->op->name, i, r->value[i], exact->value[i], shaken->value[i], count, 0);
        if (r->gradient[i] && !kinks)
            check_close(t, h, "gradient", node->op->name, i, r->gradient[i], exact->gradient[i], shaken->gradient[i],
                        count, floor);
    }
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        if (p->role == TX_ROLE_TRAINED && !kinks && h->mode != TX_INFER)
            check_close(t, h, "gradient", p->name, i, r->grad + p->offset, exact->dparam[i], shaken->dparam[i],
                        p->count, floor);
        if (p->role == TX_ROLE_BUFFER)
            check_close(t, h, "statistic", p->name, i, r->state + place_of(t->weights, p) - t->weights->trained,
                        exact->param[i], shaken->param[i], p->count, 0);
    }
}

/* Noise may by chance change next to nothing; so what is too far is looked at again with other noise. */
static void check_doubles(const subject *t, const setting *h, const outcome *r)
{
    small_graph s;
    mirror exact, shaken;
    int failed = test_failed, passed = test_passed, quiet = test_quiet;
    build(t, h->keep, &s);
    mirror_new(&exact, s.graph, h->n);
    mirror_run(&exact, &s, &t->net, t->weights, t->filled, h->n, h->mode, 0);
    for (noise_seed = 1; noise_seed < 3; noise_seed++) {
        test_failed = failed;
        test_passed = passed;
        test_quiet = quiet || noise_seed < 2;
        mirror_new(&shaken, s.graph, h->n);
        mirror_run(&shaken, &s, &t->net, t->weights, t->filled, h->n, h->mode, 1);
        check_mirror(t, h, r, &s, &exact, &shaken);
        mirror_free(&shaken, s.graph);
        if (test_failed == failed)
            break;
    }
    test_quiet = quiet;
    mirror_free(&exact, s.graph);
    tx_graph_free(s.graph);
}

/* ------------------------------------------------------------------------------------------- a network */

static int is_alone(const grown *net, tx_mode mode)
{
    int alone = 1;
    for (int i = 0; i < net->pieces; i++) {
        grow_kind kind = net->piece[i].kind;
        int joins = kind == GROW_NORM || kind == GROW_DROPOUT || kind == GROW_DEPTH;
        alone &= kind != GROW_LOSS && !(joins && mode == TX_TRAIN);
    }
    return alone;
}

/* An image alone, and among others. */
static void check_images(const subject *t, const setting *base, const outcome *want)
{
    int step = base->n > 3 ? base->n - 1 : 1;
    for (int i = 0; i < base->n && base->n > 1 && is_alone(t->grown, base->mode); i += step) {
        outcome r;
        setting h = *base;
        h.first = base->first + i;
        h.n = 1;
        if (run(t, &h, &r))
            check_equal(t, &h, &r, want, i, 0);
        outcome_free(&r);
    }
}

/* Numbers that are none, infinite, huge or tiny make no difference to any of it. */
static void check_odd(const subject *t, tx_mode mode)
{
    const char *isa[TX_MAX_ISAS];
    int odd = 1 + (int)(t->seed % 3), n = t->grown->batch, last = tx_isa_list(isa) - 1;
    const setting all = {.mode = mode, .keep = 1, .threads = 1, .odd = odd, .n = n};
    const setting none = {
        .mode = mode, .keep = 2, .threads = 1, .isa = last, .memory = 1, .odd = odd, .stale = 1, .n = n};
    outcome want, r;
    if (run(t, &all, &want) && run(t, &none, &r)) {
        check_equal(t, &none, &r, &want, 0, 1);
        outcome_free(&r);
    }
    outcome_free(&want);
}

static void check_mode(const subject *t, tx_mode mode, const outcome *inferred)
{
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa), other = (int)(t->seed % (uint64_t)isas), n = t->grown->batch;
    int threads = t->seed % 8 == 0 ? 3 : 1, freeze = mode == TX_INFER ? 0 : 1 + (int)(t->seed % 7);
    setting settings[] = {
        {.mode = mode, .keep = 1, .threads = 1, .isa = 0, .n = n},
        {.mode = mode, .keep = 2, .threads = threads, .isa = other, .n = n},
        {.mode = mode, .keep = 3, .threads = 1, .isa = 0, .memory = 1, .n = n},
        {.mode = mode, .keep = 4, .threads = 1, .stale = 1, .freeze = freeze, .n = n},
        {.mode = mode,
         .threads = 1,
         .isa = isas - 1,
         .keep = mode == TX_TRAIN ? 2 : 5,
         .freeze = mode == TX_TRAIN ? freeze + 7 : 0,
         .alone = mode == TX_EXPLAIN,
         .n = n},
    };
    outcome all, r;
    if (!run(t, &settings[0], &all))
        return;
    check_doubles(t, &settings[0], &all);
    if (inferred)
        check_equal(t, &settings[0], inferred, &all, 0, 0);
    for (int k = 1; k < (mode == TX_INFER ? 4 : 5); k++) {
        if (run(t, &settings[k], &r))
            check_equal(t, &settings[k], &r, &all, 0, 1);
        settings[4].memory = k == 1 ? r.bytes - r.bytes / 16 * (t->seed % 6) : settings[4].memory;
        outcome_free(&r);
    }
    if (mode != TX_EXPLAIN)
        check_images(t, &settings[mode == TX_INFER ? 1 : 0], &all);
    if (mode == TX_INFER)
        check_mode(t, TX_EXPLAIN, &all);
    outcome_free(&all);
}

static void check_network(uint64_t seed, const grown *net)
{
    subject t = {.seed = seed, .grown = net, .net = {"random", grow_features, net->c, net->h, net->w, net->loss}};
    small_graph s;
    tx_status status = build(&t, 0, &s);
    CHECK(status == TX_OK, "network %llu: %s", (unsigned long long)seed, tx_error_message());
    if (status == TX_OK) {
        t.weights = tx_weights_new(s.graph, 1);
        small_fill(t.weights);
        t.filled = copy(t.weights->value, t.weights->total, sizeof *t.filled);
        check_mode(&t, TX_TRAIN, NULL);
        check_mode(&t, TX_INFER, NULL);
        check_odd(&t, seed % 2 ? TX_TRAIN : TX_INFER);
        tx_free(t.filled);
        tx_weights_free(t.weights);
    }
    tx_graph_free(s.graph);
}

/* ------------------------------------------------------------------------------------ smaller ones that fail */

static int fails(uint64_t seed, const grown *net)
{
    int before = test_failed;
    small_graph s;
    small_net small = {"random", grow_features, net->c, net->h, net->w, net->loss};
    grow_what = net;
    tx_status status = net->pieces < 1 ? TX_ERR_ARGUMENT : small_build(&s, &small, 0);
    if (net->pieces >= 1)
        tx_graph_free(s.graph);
    if (status)
        return 0;
    test_quiet = 1;
    check_network(seed, net);
    test_quiet = 0;
    int failed = test_failed > before;
    test_failed = before;
    return failed;
}

static void make_smaller(uint64_t seed, grown *net)
{
    for (int changed = 1; changed;) {
        changed = 0;
        grown next = *net;
        for (int k = 0; grow_change(&next, k); k++) {
            if (memcmp(&next, net, sizeof next) != 0 && fails(seed, &next)) {
                *net = next;
                changed = 1;
            }
            next = *net;
        }
    }
}

static void check_numbered(uint64_t seed, int smaller)
{
    grown net;
    int before = test_failed;
    grow(seed, &net);
    check_network(seed, &net);
    if (test_failed == before || !smaller)
        return;
    int failed = test_failed;
    make_smaller(seed, &net);
    test_failed = failed;
    printf("network %llu, made smaller:\n", (unsigned long long)seed);
    grow_print(&net);
    check_network(seed, &net);
}

/* Networks in which something was wrong, by the numbers that graph_grow.h gives them now. */
static const uint64_t failed_once[] = {702479, 703653, 703663};

int main(int count, char **argument)
{
    enum { NETWORKS = 400 };
    uint64_t from = count > 2 ? strtoull(argument[1], NULL, 10) : 1;
    uint64_t n = count > 2 ? strtoull(argument[2], NULL, 10) : NETWORKS;
    tx_set_threads(1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; count < 3 && i < sizeof failed_once / sizeof *failed_once; i++)
        check_numbered(failed_once[i], 0);
    for (uint64_t k = 0; k < n; k++)
        check_numbered(from + k, count > 2);
    if (count > 2)
        printf("%d of %d comparisons with doubles are near a kink\n", unlucky, compared);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_random");
}
