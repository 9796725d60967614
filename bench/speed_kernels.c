/* speed_kernels.c - `thorax speed --kernels`: convolutions alone, at the shapes of ResNet-18 and -50 at 320x320. */
#include "speed_kernels.h"
#include "digest.h"
#include "output.h"

#include "../layers/layers.h"

#include <stdio.h>

enum { LEAST_STEPS = 3 };
static const double SECONDS = 0.25;

/* Shapes of ResNet-18 and -50 at 320x320. kernel 1 is a matrix product of (n h w) x in by in x out. */
typedef struct kernel_case {
    int kernel, stride, in, out, side;
} kernel_case;

static const kernel_case kernel_cases[] = {
    {7, 2, 3, 64, 320},  {3, 1, 64, 64, 80},   {3, 2, 64, 128, 80},   {3, 1, 128, 128, 40},  {3, 2, 128, 256, 40},
    {3, 1, 256, 256, 20}, {3, 2, 256, 512, 20}, {3, 1, 512, 512, 10},  {1, 1, 64, 64, 80},    {1, 1, 64, 256, 80},
    {1, 1, 256, 64, 80},  {1, 1, 256, 128, 80}, {1, 1, 128, 512, 40},  {1, 2, 256, 512, 80},  {1, 1, 512, 128, 40},
    {1, 1, 256, 1024, 20}, {1, 1, 1024, 256, 20}, {1, 1, 512, 2048, 10}, {1, 1, 2048, 512, 10},
};

typedef struct kernel_result {
    double forward, backward; /* GFLOP/s */
    const char *algorithm;
    char digest[65];
} kernel_result;

static tx_status time_kernel(tx_session *session, const tx_node *conv, double macs, kernel_result *r)
{
    double forward = 0, backward = 0;
    tx_forward(session);
    tx_backward(session, NULL);
    tx_session_clock(session, 1);
    double start = tx_seconds();
    int steps = 0;
    for (; steps < LEAST_STEPS || tx_seconds() - start < SECONDS; steps++) {
        tx_forward(session);
        tx_backward(session, NULL);
    }
    tx_session_times(session, conv, &forward, &backward);
    r->forward = 2e-9 * macs * steps / forward;
    r->backward = 4e-9 * macs * steps / backward;
    return TX_OK;
}

static tx_status run_kernel(const kernel_case *k, int batch, uint64_t seed, kernel_result *r)
{
    tx_graph *graph = tx_graph_new();
    tx_node *x = tx_input(graph, k->in, k->side, k->side);
    tx_node_keep(x);
    tx_node *y = tx_conv2d(graph, x, "conv", (tx_conv2d_args){.out = k->out, .kernel = k->kernel, .stride = k->stride,
                                                              .padding = k->kernel / 2, .no_bias = 1});
    tx_status status = tx_graph_status(graph);
    tx_weights *weights = status ? NULL : tx_weights_new(graph, 1);
    if (weights)
        tx_weights_init(weights, seed);
    tx_session *session = weights ? tx_session_new(graph, weights, batch, TX_TRAIN, seed) : NULL;
    size_t out = session ? (size_t)batch * (size_t)y->h * (size_t)y->w * (size_t)y->c : 0;
    float *value = session ? tx_alloc(out, sizeof *value) : NULL;
    if (status == TX_OK)
        status = value ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK) {
        size_t in = (size_t)batch * (size_t)k->side * (size_t)k->side * (size_t)k->in;
        float *to = tx_session_input(session, x);
        for (size_t i = 0; i < in; i++)
            to[i] = tx_random_uniform(seed, TX_RANDOM_DATA, 3, i) - 0.5F;
        const tx_need *need = tx_plan_need(tx_session_plan(session), y);
        r->algorithm = need && need->algorithm ? need->algorithm : "direct";
        status = time_kernel(session, y, need ? need->macs * batch : 0, r);
    }
    if (status == TX_OK)
        status = tx_session_value(session, y, value);
    if (status == TX_OK)
        digest_floats(value, out, r->digest);
    tx_free(value);
    tx_session_free(session);
    tx_weights_free(weights);
    tx_graph_free(graph);
    return status;
}

int speed_kernels(const options *o)
{
    int as_json = option_on(o, "json"), batch = option_given(o, "batch") ? (int)option_whole(o, "batch") : 4;
    json j = {0};
    work_begins();
    double peak = 1e-9 * tx_fma_peak(tx_threads());
    if (as_json) {
        json_open(&j, NULL, '{');
        json_whole(&j, "threads", tx_threads());
        json_string(&j, "isa", tx_isa_name());
        json_whole(&j, "batch", batch);
        json_real(&j, "peak_gflops", peak);
        json_open(&j, "kernels", '[');
    } else {
        printf("%d threads, %s, batch %d, peak in registers %.1f GFLOP/s; figures count direct arithmetic\n\n", tx_threads(),
               tx_isa_name(), batch, peak);
        printf("%-9s %-22s %-10s %9s %6s %9s %6s  %s\n", "kernel", "map and channels", "algorithm", "forward", "peak", "backward",
               "peak", "digest");
    }
    for (size_t i = 0; i < sizeof kernel_cases / sizeof kernel_cases[0]; i++) {
        const kernel_case *k = &kernel_cases[i];
        kernel_result r;
        char shape[64], name[32];
        if (run_kernel(k, batch, option_seed(o, "seed"), &r))
            return complain_failed();
        snprintf(name, sizeof name, "%dx%d%s", k->kernel, k->kernel, k->stride == 2 ? " s2" : "");
        snprintf(shape, sizeof shape, "%dx%d %d->%d", k->side, k->side, k->in, k->out);
        if (as_json) {
            json_open(&j, NULL, '{');
            json_string(&j, "kernel", name);
            json_string(&j, "shape", shape);
            json_string(&j, "algorithm", r.algorithm);
            json_real(&j, "forward_gflops", r.forward);
            json_real(&j, "backward_gflops", r.backward);
            json_string(&j, "digest", r.digest);
            json_close(&j, '}');
        } else {
            printf("%-9s %-22s %-10s %9.1f %5.0f%% %9.1f %5.0f%%  %.16s\n", name, shape, r.algorithm, r.forward,
                   100 * r.forward / peak, r.backward, 100 * r.backward / peak, r.digest);
        }
    }
    if (as_json) {
        json_close(&j, ']');
        json_close(&j, '}');
        json_end();
    }
    return EXIT_DONE;
}
