/* speed_kernels.c - `thorax speed --kernels`: convolutions alone, at the shapes of ResNet-18 and -50 at 320x320. */
#include "speed_kernels.h"
#include "json.h"

#include "../layers/layers.h"

#include <stdio.h>

enum { LEAST_STEPS = 3 };
static const double SECONDS = 0.5;

/* Shapes of ResNet-18 and -50 at 320x320. kernel 1 is a matrix product of (n h w) x in by in x out. */
typedef struct kernel_case {
    int kernel, stride, in, out, side;
} kernel_case;

static const kernel_case kernel_cases[] = {
    {7, 2, 3, 64, 320},    {3, 1, 64, 64, 80},    {3, 2, 64, 128, 80},   {3, 1, 128, 128, 40},  {3, 2, 128, 256, 40},
    {3, 1, 256, 256, 20},  {3, 2, 256, 512, 20},  {3, 1, 512, 512, 10},  {1, 1, 64, 64, 80},    {1, 1, 64, 256, 80},
    {1, 1, 256, 64, 80},   {1, 1, 256, 128, 80},  {1, 1, 128, 512, 40},  {1, 2, 256, 512, 80},  {1, 1, 512, 128, 40},
    {1, 1, 256, 1024, 20}, {1, 1, 1024, 256, 20}, {1, 1, 512, 2048, 10}, {1, 1, 2048, 512, 10},
};

typedef struct kernel_result {
    double forward, backward; /* GFLOP/s */
    const char *algorithm;
    char digest[65];
} kernel_result;

/* One convolution as a network of its own. Its input is kept, so backward computes both gradients. */
typedef struct kernel_bench {
    tx_graph *graph;
    tx_node *x, *y;
    tx_weights *weights;
    tx_session *session;
    double macs;
} kernel_bench;

static tx_status open_bench(kernel_bench *b, const kernel_case *k, int batch, uint64_t seed)
{
    b->graph = tx_graph_new();
    b->x = tx_input(b->graph, k->in, k->side, k->side);
    tx_node_keep(b->x);
    b->y =
        tx_conv2d(b->graph, b->x, "conv",
                  (tx_conv2d_args){
                      .out = k->out, .kernel = k->kernel, .stride = k->stride, .padding = k->kernel / 2, .no_bias = 1});
    tx_status status = tx_graph_status(b->graph);
    if (status)
        return status;
    b->weights = tx_weights_new(b->graph, 1);
    if (!b->weights)
        return TX_ERR_MEMORY;
    status = tx_weights_init(b->weights, seed);
    if (status)
        return status;
    b->session =
        tx_session_new(b->graph, b->weights, (tx_session_args){.batch = batch, .mode = TX_TRAIN, .seed = seed});
    if (!b->session)
        return TX_ERR_MEMORY;
    float *x = tx_session_input(b->session, b->x);
    size_t count = (size_t)batch * (size_t)k->side * (size_t)k->side * (size_t)k->in;
    for (size_t i = 0; i < count; i++)
        x[i] = tx_random_uniform(seed, TX_RANDOM_DATA, 3, i) - 0.5F;
    const tx_workspace *need = tx_plan_workspace(tx_session_plan(b->session), b->y);
    b->macs = need->macs * batch;
    return TX_OK;
}

static void close_bench(kernel_bench *b)
{
    tx_session_free(b->session);
    tx_weights_free(b->weights);
    tx_graph_free(b->graph);
}

/* The best step counts: whatever else the machine does only ever slows one. */
static tx_status time_bench(const kernel_bench *b, kernel_result *r)
{
    double start = tx_seconds(), best_forward = 0, best_backward = 0;
    for (int steps = 0; steps <= LEAST_STEPS || tx_seconds() - start < SECONDS; steps++) {
        double forward, backward;
        tx_session_clock(b->session, 1);
        tx_status status = tx_forward(b->session);
        if (status == TX_OK)
            status = tx_backward(b->session, NULL);
        if (status)
            return status;
        tx_session_times(b->session, b->y, &forward, &backward);
        if (steps == 1 || forward < best_forward) /* the first step was to warm up */
            best_forward = forward;
        if (steps == 1 || backward < best_backward)
            best_backward = backward;
    }
    r->forward = 2e-9 * b->macs / best_forward;
    r->backward = 4e-9 * b->macs / best_backward;
    return TX_OK;
}

/* Of the result and the weights' gradient. */
static tx_status digest_bench(const kernel_bench *b, int batch, char hex[65])
{
    size_t count = (size_t)batch * (size_t)b->y->h * (size_t)b->y->w * (size_t)b->y->c;
    float *y = tx_alloc(count, sizeof *y);
    tx_status status = y ? tx_session_value(b->session, b->y, y) : TX_ERR_MEMORY;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    if (status == TX_OK)
        tx_sha256_floats(&sha, y, count);
    tx_sha256_floats(&sha, b->weights->grad, b->weights->trained);
    tx_sha256_end(&sha, hex);
    tx_free(y);
    return status;
}

static tx_status run_kernel(const kernel_case *k, int batch, uint64_t seed, kernel_result *r)
{
    kernel_bench b = {0};
    tx_status status = open_bench(&b, k, batch, seed);
    if (status == TX_OK) {
        const tx_workspace *need = tx_plan_workspace(tx_session_plan(b.session), b.y);
        r->algorithm = need->algorithm ? need->algorithm : "direct";
        status = time_bench(&b, r);
    }
    if (status == TX_OK)
        status = digest_bench(&b, batch, r->digest);
    close_bench(&b);
    return status;
}

static void print_row(json *j, const kernel_case *k, const kernel_result *r, double peak, double tile)
{
    char shape[64], name[32];
    snprintf(name, sizeof name, "%dx%d%s", k->kernel, k->kernel, k->stride == 2 ? " s2" : "");
    snprintf(shape, sizeof shape, "%dx%d %d->%d", k->side, k->side, k->in, k->out);
    if (!j) {
        printf("%-6s %-16s %-8s %8.1f %4.0f%% %4.0f%% %8.1f %4.0f%% %4.0f%% %.8s\n", name, shape, r->algorithm,
               r->forward, 100 * r->forward / peak, 100 * r->forward / tile, r->backward, 100 * r->backward / peak,
               100 * r->backward / tile, r->digest);
        return;
    }
    json_open(j, NULL, '{');
    json_string(j, "kernel", name);
    json_string(j, "shape", shape);
    json_string(j, "algorithm", r->algorithm);
    json_real(j, "forward_gflops", r->forward);
    json_real(j, "backward_gflops", r->backward);
    json_string(j, "digest", r->digest);
    json_close(j, '}');
}

int speed_kernels(const options *o)
{
    int as_json = option_on(o, "json"), batch = option_given(o, "batch") ? (int)option_whole(o, "batch") : 4;
    json j = {0};
    work_begins();
    double peak = 1e-9 * tx_fma_peak(tx_threads()), tile = 1e-9 * tx_tile_rate(tx_threads());
    if (as_json) {
        json_open(&j, NULL, '{');
        json_whole(&j, "threads", tx_threads());
        json_string(&j, "isa", tx_isa_name());
        json_whole(&j, "batch", batch);
        json_real(&j, "peak_gflops", peak);
        json_real(&j, "tile_gflops", tile);
        json_open(&j, "kernels", '[');
    } else {
        printf("%d threads, %s, batch %d: GFLOP/s of the best step, counted as direct arithmetic;\n"
               "shares of %.1f in registers (peak) and %.1f of a product's tile\n\n",
               tx_threads(), tx_isa_name(), batch, peak, tile);
        printf("%-6s %-16s %-8s %8s %5s %5s %8s %5s %5s %s\n", "kernel", "map, channels", "way", "forward", "peak",
               "tile", "backward", "peak", "tile", "digest");
    }
    for (size_t i = 0; i < sizeof kernel_cases / sizeof kernel_cases[0]; i++) {
        kernel_result r;
        if (run_kernel(&kernel_cases[i], batch, option_seed(o, "seed"), &r))
            return complain_failed();
        print_row(as_json ? &j : NULL, &kernel_cases[i], &r, peak, tile);
    }
    if (as_json) {
        json_close(&j, ']');
        json_close(&j, '}');
        json_end();
    }
    return EXIT_DONE;
}
