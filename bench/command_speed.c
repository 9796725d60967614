/* command_speed.c - `thorax speed`: images per second of one network, GFLOP/s of its layers.
 *
 * Every figure carries a digest of what was computed: a fast wrong kernel shows. */
#include "bench.h"
#include "speed_kernels.h"
#include "table.h"

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
    double macs, peak_gflops, tile_gflops;
    double copy;        /* bytes a second; 0: not measured */
    size_t arena, peak; /* bytes of the plan, of the process before the copy was measured */
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

static tx_status measure(speed *s, int layers)
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
    s->tile_gflops = 1e-9 * tx_tile_rate(tx_threads());
    s->peak = tx_peak_memory();
    if (layers)
        s->copy = tx_copy_rate(tx_threads());
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

/* One row: milliseconds a step, and what they would be if products ran at the tile's rate and bytes at the copy's. */
typedef struct layer {
    const tx_node *node;
    tx_cost cost;
    double macs, forward, backward, forward_bound, backward_bound;
} layer;

static double bound_ms(const speed *s, double products, double bytes)
{
    return 1000 * (2e-9 * products / s->tile_gflops + (s->copy > 0 ? bytes / s->copy : 0));
}

/* 0 if the node runs no step. */
static int find_layer(const speed *s, int i, layer *l)
{
    const tx_plan *plan = tx_session_plan(s->session);
    l->node = tx_graph_node(s->net.graph, i);
    const tx_workspace *space = tx_plan_workspace(plan, l->node);
    if (!space || l->node->inputs == 0 || tx_plan_cost(plan, l->node, &l->cost) ||
        tx_session_times(s->session, l->node, &l->forward, &l->backward))
        return 0;
    l->macs = space->macs;
    l->forward *= 1000.0 / s->steps;
    l->backward *= 1000.0 / s->steps;
    l->forward_bound = bound_ms(s, l->cost.products_forward, l->cost.bytes_forward);
    l->backward_bound = bound_ms(s, l->cost.products_backward, l->cost.bytes_backward);
    return 1;
}

/* Adam reads weight, gradient and two means of each trained number, and writes three of them. */
static double optimiser_bound(const speed *s)
{
    return s->mode == TX_TRAIN ? bound_ms(s, 0, 7.0 * sizeof(float) * (double)s->weights->trained) : 0;
}

static double network_bound(const speed *s)
{
    double ms = optimiser_bound(s);
    layer l;
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++)
        if (find_layer(s, i, &l))
            ms += l.forward_bound + l.backward_bound;
    return ms;
}

static double share(double bound, double ms)
{
    return ms > 0 ? 100 * bound / ms : 0;
}

static tx_status print_layers(const speed *s)
{
    static const char *const title[] = {"name", "op", "h,w,c", "fwd ms", "bound", "bwd ms", "bound"};
    table t = {.align = "lllrrrr"};
    for (size_t i = 0; i < sizeof title / sizeof *title; i++)
        table_cell(&t, "%s", title[i]);
    table_row(&t);
    layer l;
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        char name[LAYER_NAME];
        if (!find_layer(s, i, &l))
            continue;
        table_cell(&t, "%s", layer_name(name, l.node->name, 24));
        table_cell(&t, "%s", tx_node_operation(l.node));
        table_cell(&t, "%d,%d,%d", l.node->h, l.node->w, l.node->c);
        table_number(&t, l.forward, 3);
        table_cell(&t, "%.0f%%", share(l.forward_bound, l.forward));
        table_number(&t, l.backward, 3);
        table_cell(&t, "%.0f%%", share(l.backward_bound, l.backward));
        table_row(&t);
    }
    putchar('\n');
    tx_status status = table_print(&t, stdout);
    if (status != TX_OK)
        return status;
    double bound = network_bound(s), least = summarise(s).least;
    char note[512];
    snprintf(note, sizeof note,
             "bound: products at %.1f GFLOP/s, the rate of a tile, and then bytes at %.1f GB/s, the rate of a copy. "
             "The network's is %.2f ms, %.0f%% of the best step.",
             s->tile_gflops, 1e-9 * s->copy, bound, share(bound, least));
    putchar('\n');
    print_wrapped(stdout, note);
    return TX_OK;
}

static void json_layers(json *j, const speed *s)
{
    layer l;
    json_real(j, "copy_gb_s", 1e-9 * s->copy);
    json_real(j, "bound_ms", network_bound(s));
    json_open(j, "layers", '[');
    for (int i = 0; i < tx_graph_nodes(s->net.graph); i++) {
        if (!find_layer(s, i, &l))
            continue;
        json_open(j, NULL, '{');
        json_string(j, "name", l.node->name);
        json_string(j, "op", tx_node_operation(l.node));
        json_real(j, "macs", l.macs);
        json_real(j, "forward_ms", l.forward);
        json_real(j, "forward_bound_ms", l.forward_bound);
        json_real(j, "forward_mb", 1e-6 * l.cost.bytes_forward);
        json_real(j, "backward_ms", l.backward);
        json_real(j, "backward_bound_ms", l.backward_bound);
        json_real(j, "backward_mb", 1e-6 * l.cost.bytes_backward);
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
    json_real(&j, "tile_gflops", s->tile_gflops);
    json_real(&j, "peak_mib", (double)s->peak / 1048576);
    json_real(&j, "arena_mib", (double)s->arena / 1048576);
    json_string(&j, "digest", s->digest);
    if (layers)
        json_layers(&j, s);
    json_close(&j, '}');
    json_end();
}

static tx_status print_table(const speed *s, int layers)
{
    figures f = summarise(s);
    char name[64];
    printf("%s  %d x %d  batch %d  %s  %d threads  %s\n", tx_net_choice_name(&s->net.choice, name), s->net.choice.size,
           s->net.choice.size, s->batch, s->mode == TX_TRAIN ? "train" : "infer", tx_threads(), tx_isa_name());
    printf("images/s  %.2f   step  %.2f ms median, %.2f ms best of %d\n", f.images_per_s, f.median, f.least, s->steps);
    printf("GFLOP/s   %.1f   %.0f%% of %.1f in registers, %.0f%% of %.1f of a tile\n", f.gflops,
           100 * f.gflops / s->peak_gflops, s->peak_gflops, 100 * f.gflops / s->tile_gflops, s->tile_gflops);
    printf("memory    %.1f MiB peak, %.1f MiB arena\n", (double)s->peak / 1048576, (double)s->arena / 1048576);
    printf("digest    %s\n", s->digest);
    return layers ? print_layers(s) : TX_OK;
}

static int speed_network(const options *o, speed *s)
{
    tx_net_choice choice = {.net = tx_net_find(option_text(o, "net")),
                            .cut = (int)option_whole(o, "cut"),
                            .classes = 14,
                            .size = (int)option_whole(o, "size")};
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
        status = measure(s, option_on(o, "layers"));
    }
    if (status == TX_OK && option_on(o, "json"))
        print_json(s, option_on(o, "layers"));
    else if (status == TX_OK)
        status = print_table(s, option_on(o, "layers"));
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
