/* command_speed.c - `thorax speed`: images per second of one network, GFLOP/s of its layers.
 *
 * Every figure carries a digest of what was computed: a fast wrong kernel shows. */
#include "bench.h"
#include "speed_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SECONDS = 4;
enum { LEAST_STEPS = 3, STEPS_AT_MOST = 1000 };

typedef struct speed {
    tx_network net;
    int batch, steps;
    tx_mode mode;
    uint64_t seed;
    tx_weights *weights;
    tx_optimizer *optimizer;
    tx_session *session;
    double macs, peak_gflops;
    size_t arena;
    double ms[STEPS_AT_MOST];
    char digest[65];
} speed;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A batch as ImageNet's statistics would leave uniform pixels. */
static void fill_image(float *x, size_t pixels, uint64_t seed)
{
    static const float mean[3] = {0.485F, 0.456F, 0.406F}, std[3] = {0.229F, 0.224F, 0.225F};
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++)
            x[3 * i + c] = (tx_random_uniform(seed, TX_RANDOM_DATA, 0, 3 * i + c) - mean[c]) / std[c];
}

/* A fifth of the labels positive, a tenth masked. */
static void fill_targets(float *label, float *mask, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        label[i] = tx_random_uniform(seed, TX_RANDOM_DATA, 1, i) < 0.2F ? 1.0F : 0.0F;
        mask[i] = tx_random_uniform(seed, TX_RANDOM_DATA, 2, i) < 0.9F ? 1.0F : 0.0F;
    }
}

static tx_status one_step(speed *s)
{
    if (s->mode == TX_TRAIN)
        return tx_train_step(s->session, s->net.loss, s->optimizer, -1, NULL);
    return tx_forward(s->session);
}

/* What the first step made: the weights, or the logits. */
static tx_status take_digest(speed *s)
{
    if (s->mode == TX_TRAIN)
        return tx_weights_digest(s->weights, s->digest);
    size_t count = (size_t)s->batch * (size_t)s->net.choice.classes;
    float *logits = tx_alloc(count, sizeof *logits);
    if (!logits)
        return TX_ERR_MEMORY;
    tx_status status = tx_session_value(s->session, s->net.logits, logits);
    tx_floats_digest(logits, count, s->digest);
    tx_free(logits);
    return status;
}

static tx_status prepare(speed *s)
{
    int training = s->mode == TX_TRAIN;
    s->weights = tx_weights_new(s->net.graph, training);
    if (!s->weights)
        return TX_ERR_MEMORY;
    if (tx_weights_init(s->weights, s->seed))
        return TX_ERR_MACHINE;
    if (training)
        s->optimizer = tx_optimizer_new(s->weights, (tx_optimizer_args){.kind = TX_ADAM, .lr = 1e-4});
    s->session = tx_session_new(s->net.graph, s->weights,
                                (tx_session_args){.batch = s->batch, .mode = s->mode, .seed = s->seed});
    if (!s->session || (training && !s->optimizer))
        return TX_ERR_MEMORY;
    s->arena = tx_plan_bytes(tx_session_plan(s->session));
    size_t side = (size_t)s->net.choice.size, classes = (size_t)s->net.choice.classes;
    fill_image(tx_session_input(s->session, s->net.image), (size_t)s->batch * side * side, s->seed);
    if (training)
        fill_targets(tx_session_input(s->session, s->net.label), tx_session_input(s->session, s->net.mask),
                     (size_t)s->batch * classes, s->seed);
    return TX_OK;
}

static tx_status measure(speed *s)
{
    s->peak_gflops = 1e-9 * tx_fma_peak(tx_threads());
    tx_status status = one_step(s);
    if (status == TX_OK)
        status = take_digest(s);
    tx_session_clock(s->session, 1);
    double start = tx_seconds();
    while (status == TX_OK && s->steps < STEPS_AT_MOST && (s->steps < LEAST_STEPS || tx_seconds() - start < SECONDS)) {
        double before = tx_seconds();
        tx_session_run(s->session, (uint64_t)s->steps + 1);
        status = one_step(s);
        s->ms[s->steps++] = 1000 * (tx_seconds() - before);
    }
    double again = 1e-9 * tx_fma_peak(tx_threads());
    if (again > s->peak_gflops)
        s->peak_gflops = again;
    return status;
}

/* ------------------------------------------------------------------------------------------- one network */
typedef struct figures {
    double median, least, images_per_s, gflops;
} figures;

static figures summarise(const speed *s)
{
    double sorted[STEPS_AT_MOST];
    size_t n = (size_t)s->steps;
    memcpy(sorted, s->ms, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    figures f = {.median = n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]), .least = sorted[0]};
    f.images_per_s = 1000.0 * s->batch / f.median;
    f.gflops = 2e-9 * s->macs * (s->mode == TX_TRAIN ? 3 : 1) * f.images_per_s;
    return f;
}

/* GFLOP/s of a node over `ms` of all counted steps, `passes` times its multiply-adds. */
static double node_gflops(const speed *s, const tx_workspace *need, double passes, double seconds)
{
    return seconds > 0 ? 2e-9 * need->macs * passes * s->batch * s->steps / seconds : 0;
}

static void print_layers(const speed *s)
{
    printf("\n%-28s %-16s %-14s %9s %9s %7s %9s %9s %7s\n", "name", "op", "shape (H,W,C)", "fwd ms", "GFLOP/s", "peak",
           "bwd ms", "GFLOP/s", "peak");
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        const tx_node *node = tx_graph_node(s->net.graph, i);
        const tx_workspace *need = tx_plan_workspace(tx_session_plan(s->session), node);
        double forward, backward;
        char shape[48];
        if (!need || node->inputs == 0)
            continue;
        tx_session_times(s->session, node, &forward, &backward);
        snprintf(shape, sizeof shape, "%d,%d,%d", node->h, node->w, node->c);
        double f = node_gflops(s, need, 1, forward), b = node_gflops(s, need, 2, backward);
        printf("%-28s %-16s %-14s %9.3f %9.1f %6.1f%% %9.3f %9.1f %6.1f%%\n", node->name, tx_node_operation(node),
               shape, 1000 * forward / s->steps, f, 100 * f / s->peak_gflops, 1000 * backward / s->steps, b,
               100 * b / s->peak_gflops);
    }
}

static void json_layers(json *j, const speed *s)
{
    json_open(j, "layers", '[');
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        const tx_node *node = tx_graph_node(s->net.graph, i);
        const tx_workspace *need = tx_plan_workspace(tx_session_plan(s->session), node);
        double forward, backward;
        if (!need || node->inputs == 0)
            continue;
        tx_session_times(s->session, node, &forward, &backward);
        json_open(j, NULL, '{');
        json_string(j, "name", node->name);
        json_string(j, "op", tx_node_operation(node));
        json_real(j, "macs", need->macs);
        json_real(j, "forward_ms", 1000 * forward / s->steps);
        json_real(j, "backward_ms", 1000 * backward / s->steps);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void print_json(const speed *s, int layers)
{
    figures f = summarise(s);
    json j = {0};
    json_open(&j, NULL, '{');
    json_string(&j, "net", s->net.choice.net->name);
    json_whole(&j, "cut", s->net.choice.cut);
    json_whole(&j, "size", s->net.choice.size);
    json_whole(&j, "batch", s->batch);
    json_string(&j, "mode", s->mode == TX_TRAIN ? "train" : "infer");
    json_whole(&j, "threads", tx_threads());
    json_string(&j, "isa", tx_isa_name());
    json_real(&j, "images_per_s", f.images_per_s);
    json_real(&j, "ms_median", f.median);
    json_real(&j, "ms_min", f.least);
    json_real(&j, "gflops", f.gflops);
    json_real(&j, "peak_gflops", s->peak_gflops);
    json_real(&j, "peak_mib", (double)tx_peak_memory() / 1048576);
    json_real(&j, "arena_mib", (double)s->arena / 1048576);
    json_string(&j, "digest", s->digest);
    if (layers)
        json_layers(&j, s);
    json_close(&j, '}');
    json_end();
}

static void print_table(const speed *s, int layers)
{
    figures f = summarise(s);
    char name[64];
    printf("%s  %d x %d  batch %d  %s  %d threads  %s\n", tx_net_choice_name(&s->net.choice, name), s->net.choice.size,
           s->net.choice.size, s->batch, s->mode == TX_TRAIN ? "train" : "infer", tx_threads(), tx_isa_name());
    printf("images/s  %.2f   step  %.2f ms median, %.2f ms best of %d\n", f.images_per_s, f.median, f.least, s->steps);
    printf("GFLOP/s   %.1f   of %.1f in registers (%.0f%%)\n", f.gflops, s->peak_gflops,
           100 * f.gflops / s->peak_gflops);
    printf("memory    %.1f MiB peak, %.1f MiB arena\n", (double)tx_peak_memory() / 1048576, (double)s->arena / 1048576);
    printf("digest    %s\n", s->digest);
    if (layers)
        print_layers(s);
}

static int speed_network(const options *o, speed *s)
{
    tx_net_choice choice = {tx_net_find(option_text(o, "net")), (int)option_whole(o, "cut"), 14,
                            (int)option_whole(o, "size")};
    if (net_choice_check(&choice) != EXIT_DONE)
        return EXIT_USAGE;
    s->batch = (int)option_whole(o, "batch");
    s->mode = strcmp(option_text(o, "mode"), "train") == 0 ? TX_TRAIN : TX_INFER;
    s->seed = option_seed(o, "seed");
    tx_status status = tx_network_build(&s->net, &choice, s->mode == TX_TRAIN, NULL);
    if (status == TX_OK)
        status = tx_network_costs(&s->net, (tx_session_args){.batch = s->batch, .mode = s->mode}, &s->macs, &s->arena);
    if (status == TX_OK)
        status = prepare(s);
    if (status == TX_OK) {
        work_begins();
        status = measure(s);
    }
    if (status == TX_OK && option_on(o, "json"))
        print_json(s, option_on(o, "layers"));
    else if (status == TX_OK)
        print_table(s, option_on(o, "layers"));
    tx_session_free(s->session);
    tx_optimizer_free(s->optimizer);
    tx_weights_free(s->weights);
    tx_network_free(&s->net);
    return status == TX_OK ? EXIT_DONE : complain_failed();
}

int command_speed(const options *o)
{
    if (option_on(o, "kernels"))
        return speed_kernels(o);
    speed *s = tx_alloc(1, sizeof *s);
    if (!s)
        return complain_failed();
    int status = speed_network(o, s);
    tx_free(s);
    return status;
}
