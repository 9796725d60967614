/* layers_batchnorm.c - batch normalisation: against its definition, and where floats could fail it. */
#include "../core/op.h"
#include "layers_check.h"

static tx_machine machine; /* what the tests compute with */

static const struct {
    int n, h, w, c;
} shapes[] = {{2, 1, 1, 1},    {4, 1, 1, 3},  {2, 3, 5, 15},   {1, 4, 4, 16},    {2, 5, 3, 17},
              {1, 12, 11, 33}, {3, 9, 9, 64}, {1, 16, 16, 80}, {2, 12, 11, 130}, {1, 13, 13, 300}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void check_shape(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, shapes[s].c, shapes[s].h, shapes[s].w);
    tx_node *node = tx_batchnorm(g, x, "bn", (tx_batchnorm_args){.eps = 1e-3, .momentum = 0.01});
    /* with two values a channel the result is +-1 but for eps and dx all but cancels */
    layer_options o = {.n = shapes[s].n,
                       .tolerance = shapes[s].n * shapes[s].h * shapes[s].w < 8 ? 2e-5 : 2e-6,
                       .slope_tolerance = 1e-6};
    layer_check(node, o, "batchnorm");
    layer_check_acts(node, o, "batchnorm");
    o.act = TX_ACT_RELU;
    layer_check(node, o, "batchnorm, relu");
    o.as_view = 1;
    layer_check(node, o, "batchnorm, relu as a view");
    o.explain = 1;
    layer_check(node, o, "batchnorm, relu as a view, gradients with running statistics");
    o.explain = 0;
    o.inference = 1;
    layer_check(node, o, "batchnorm, relu as a view in inference");
    o.as_view = 0;
    layer_check(node, o, "batchnorm, relu in inference");
    tx_graph_free(g);
}

static void fill(float *x, size_t n, float mean, float std)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mean + std * layer_draw(70, i);
}

/* Mean and variance where the mean is large beside the deviation: the data's own rounding must be all there is. */
static void check_offset(float mean, float std)
{
    enum { N = 1000, C = 20 };
    float *x = tx_alloc(N * C, sizeof(float));
    double got_mean[C], got_variance[C];
    void *work = tx_alloc(tx_channel_work(N, C), 1);
    fill(x, N * C, mean, std);
    tx_view view = {x, 1, 1, N, C, C, NULL, NULL, TX_ACT_NONE, NULL, 0};
    tx_channel_moments(&machine, &view, got_mean, got_variance, work);
    for (int c = 0; c < C; c++) {
        double mu = 0, v = 0;
        for (int i = 0; i < N; i++)
            mu += (double)x[i * C + c] / N;
        for (int i = 0; i < N; i++)
            v += ((double)x[i * C + c] - mu) * ((double)x[i * C + c] - mu) / N;
        CHECK(fabs(got_mean[c] - mu) <= 1e-7 * sqrt(v) + 1e-15 * fabs(mu) && fabs(got_variance[c] - v) <= 1e-6 * v,
              "mean %g, deviation %g: found mean %.17g, variance %.17g, expected %.17g, %.17g", (double)mean,
              (double)std, got_mean[c], got_variance[c], mu, v);
    }
    tx_free(x);
    tx_free(work);
}

/* One value a channel: no variance, y is the bias, and the running variance takes 0. */
static void check_one_value(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_batchnorm(g, tx_input(g, 2, 1, 1), "bn", (tx_batchnorm_args){0});
    float x[2] = {3, -4}, y[2], w[2] = {2, 3}, b[2] = {0.5f, -1}, mean[2] = {0, 0}, var[2] = {1, 1}, saved[12];
    double mu[2] = {3, -4}, v[2] = {0, 0};
    int64_t counter = 7;
    tx_view view = {x, 1, 1, 1, 2, 2, NULL, NULL, TX_ACT_NONE, NULL, 0};
    tx_step step = {.node = node,
                    .machine = &machine,
                    .n = 1,
                    .training = 1,
                    .backward = 1,
                    .x = &view,
                    .saved = saved,
                    .counter = &counter,
                    .x_moments = {mu, v, NULL}};
    step.y = (tx_tensor){y, 1, 1, 1, 2, 2};
    float *state[4] = {w, b, mean, var};
    memcpy(step.param, state, sizeof state);
    CHECK(node->op->forward(&step) == TX_OK, "%s", tx_error_message());
    CHECK(fabsf(y[0] - 0.5f) < 1e-3f && fabsf(y[1] + 1) < 1e-3f, "one value: y = %g %g, expected the bias",
          (double)y[0], (double)y[1]);
    CHECK(fabsf(var[0] - 0.9f) < 1e-6f && fabsf(mean[1] + 0.4f) < 1e-6f, "one value: running %g %g", (double)var[0],
          (double)mean[1]);
    CHECK(counter == 8, "num_batches_tracked is %d", (int)counter);
    step.x_moments.mean = NULL;
    CHECK(node->op->forward(&step) != TX_OK && counter == 8, "trained without statistics");
    tx_graph_free(g);
}

/* Names and their order are torchvision's. */
static void check_names(void)
{
    static const char *names[] = {"layer1.0.bn2.weight", "layer1.0.bn2.bias", "layer1.0.bn2.running_mean",
                                  "layer1.0.bn2.running_var", "layer1.0.bn2.num_batches_tracked"};
    tx_graph *g = tx_graph_new();
    tx_batchnorm(g, tx_input(g, 6, 2, 2), "layer1.0.bn2", (tx_batchnorm_args){0});
    CHECK(tx_graph_params(g) == 5, "batchnorm has %d entries in the state", tx_graph_params(g));
    for (int i = 0; i < tx_graph_params(g) && i < 5; i++)
        CHECK(strcmp(tx_graph_param(g, i)->name, names[i]) == 0, "entry %d is %s", i, tx_graph_param(g, i)->name);
    tx_graph_free(g);
    g = tx_graph_new();
    CHECK(!tx_batchnorm(g, tx_input(g, 6, 2, 2), "bn", (tx_batchnorm_args){.momentum = 2}), "momentum 2 was taken");
    tx_graph_free(g);
}

/* What 0 stands for, and both ends of what is taken. */
static void check_arguments(void)
{
    static const struct {
        tx_batchnorm_args args;
        double eps, momentum; /* 0: refused */
    } cases[] = {{{0}, 1e-5, 0.1},
                 {{.eps = 0.25, .momentum = 1}, 0.25, 1},
                 {{.eps = 1e-12, .momentum = 1e-9}, 1e-12, 1e-9},
                 {{.eps = -1e-5}, 0, 0},
                 {{.eps = (double)NAN}, 0, 0},
                 {{.momentum = 1.0000001}, 0, 0},
                 {{.momentum = -0.1}, 0, 0},
                 {{.momentum = (double)NAN}, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_batchnorm(g, tx_input(g, 1, 2, 1), "bn", cases[i].args);
        CHECK((node != NULL) == (cases[i].eps > 0), "eps %g, momentum %g: %s", cases[i].args.eps,
              cases[i].args.momentum, node ? "taken" : tx_error_message());
        if (node) {
            const tx_batchnorm_args *a = node->args;
            float one = 1, zero = 0, scale, shift, *param[4] = {&one, &zero, &zero, &zero};
            tx_batchnorm_affine(node, param, &scale, &shift); /* no variance: eps alone */
            CHECK(scale == (float)(1 / sqrt(cases[i].eps)) && a->momentum == cases[i].momentum,
                  "case %zu: scale %g, momentum %g", i, (double)scale, a->momentum);
        }
        tx_graph_free(g);
    }
}

int main(void)
{
    machine = tx_machine_now();
    for (int s = 0; s < SHAPES; s++)
        check_shape(s);
    check_offset(0, 1);
    check_offset(100, 1);
    check_offset(-10000, 1);
    check_offset(1, 1e-3f);
    check_offset(1e6f, 10);
    check_offset(0, 1e-12f);
    check_one_value();
    check_names();
    check_arguments();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_batchnorm");
}
