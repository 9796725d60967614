/* layers_losses.c - binary cross-entropy with masks and weights, softmax cross-entropy. */
#include "../core/op.h"
#include "layers_check.h"

static tx_machine machine; /* what the tests compute with */

/* Logits, soft labels, masks of 0 and 1. */
static float chest(int input, size_t i)
{
    float u = layer_draw(40 + (uint64_t)input, i);
    return input == 0 ? 6 * u : input == 1 ? 0.5f + 0.5f * u : u < -0.5f ? 0.0f : 1.0f;
}

/* The same with masks that weigh: the mean is by their sum. */
static float weighing(int input, size_t i)
{
    return input == 2 && chest(2, i) > 0 ? 1.25f + layer_draw(46, i) : chest(input, i);
}

static void check_bce(int n, int classes, int weighted, int masked)
{
    float weight[TX_MAX_POS_WEIGHTS];
    for (int c = 0; c < classes; c++)
        weight[c] = 2 + layer_draw(44, (size_t)c);
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, classes, 1, 1), *t = tx_input(g, classes, 1, 1), *m = tx_input(g, classes, 1, 1);
    tx_node *node =
        tx_bce_with_logits(g, x, t, masked ? m : NULL, (tx_bce_args){.pos_weight = weighted ? weight : NULL});
    layer_check(node, (layer_options){.n = n, .fill = chest}, "bce_with_logits");
    if (masked)
        layer_check(node, (layer_options){.n = n, .fill = weighing}, "bce_with_logits, masks that weigh");
    tx_graph_free(g);
}

static float digits(int input, size_t i)
{
    return input == 0 ? 4 * layer_draw(45, i) : (float)((i * 5 + 2) % 4);
}

static void check_cross_entropy(int n, int classes, double smoothing)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, classes, 1, 1), *t = tx_input(g, 1, 1, 1);
    tx_node *node = tx_cross_entropy(g, x, t, (tx_cross_entropy_args){.smoothing = smoothing});
    layer_check(node, (layer_options){.n = n, .fill = digits}, "cross_entropy");
    tx_graph_free(g);
}

/* Runs a loss of one row of logits; returns the loss, leaves the gradient in dx. */
static float run(const tx_node *node, int n, float *x, float *second, float *mask, float *dx)
{
    int c = node->input[0]->c, c2 = node->input[1]->c;
    tx_view in[3] = {{x, n, 1, 1, c, (size_t)c, NULL, NULL, TX_ACT_NONE, NULL, 0},
                     {second, n, 1, 1, c2, (size_t)c2, NULL, NULL, TX_ACT_NONE, NULL, 0},
                     {mask, n, 1, 1, c, (size_t)c, NULL, NULL, TX_ACT_NONE, NULL, 0}};
    float y[8] = {0}, dy[8] = {1};
    double work[8];
    tx_gradient d[3] = {{dx, (size_t)c, NULL, 0}, {NULL, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    tx_step step = {
        .node = node, .machine = &machine, .n = n, .training = 1, .backward = 1, .x = in, .dx = d, .work = work};
    step.y = (tx_tensor){y, n, 1, 1, 1, 1};
    step.dy.g = (tx_tensor){dy, n, 1, 1, 1, 1};
    node->op->forward(&step);
    node->op->backward(&step);
    return y[0];
}

static void check_bce_extremes(void)
{
    static const struct {
        float x, t;
        double want;
    } cases[] = {{-1000, 0, 0},
                 {-100, 1, 100},
                 {1000, 0, 1000},
                 {1000, 1, 0},
                 {100, 1, 3.7200759760208361e-44},
                 {-40, 0, 4.2483542552915889e-18},
                 {0, 1, 0.69314718055994529},
                 {0, 0.5f, 0.69314718055994529},
                 {9.99999997e-7f, 1, 0.69314668056007156},
                 {-1, 0.55f, 0.86326169}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = (double)tx_bce_each(cases[i].x, cases[i].t);
        CHECK(fabs(got - cases[i].want) <= 1e-7 * cases[i].want + 1e-44, "bce(%g, %g) = %.9g, expected %.9g",
              (double)cases[i].x, (double)cases[i].t, got, cases[i].want);
    }
    CHECK(isnan(tx_bce_each(NAN, 1)), "the loss of a NaN is %g", (double)tx_bce_each(NAN, 1));
    tx_graph *g = tx_graph_new();
    tx_node *a = tx_input(g, 3, 1, 1), *b = tx_input(g, 3, 1, 1), *c = tx_input(g, 3, 1, 1);
    tx_node *node = tx_bce_with_logits(g, a, b, c, (tx_bce_args){0});
    float x[3] = {1, NAN, -2}, t[3] = {1, NAN, 0}, none[3] = {0, 0, 0}, some[3] = {1, 0, 1}, dx[3] = {9, 9, 9};
    float loss = run(node, 1, x, t, none, dx);
    CHECK(loss == 0 && dx[0] == 0 && dx[1] == 0 && dx[2] == 0, "all masked: loss %g, gradient %g %g %g", (double)loss,
          (double)dx[0], (double)dx[1], (double)dx[2]);
    loss = run(node, 1, x, t, some, dx);
    CHECK(fabsf(loss - 0.5f * (0.31326169f + 0.12692801f)) < 1e-6f && dx[1] == 0 && dx[0] < 0 && dx[2] > 0,
          "a masked NaN: loss %g, gradient %g %g %g", (double)loss, (double)dx[0], (double)dx[1], (double)dx[2]);
    tx_graph_free(g);
}

static void check_cross_entropy_extremes(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *a = tx_input(g, 3, 1, 1), *b = tx_input(g, 1, 1, 1);
    tx_node *node = tx_cross_entropy(g, a, b, (tx_cross_entropy_args){0});
    float x[9] = {1000, 0, -1000, 0, 0, 0, 1, 2, 3}, t[3] = {0, 1, -100}, dx[9];
    for (int largest = 0; largest < 3; largest++) { /* wherever it stands, no exponential overflows */
        float far[3] = {-2000, -2000, -2000}, first[1] = {(float)((largest + 1) % 3)};
        far[largest] = 2000;
        float value = run(node, 1, far, first, NULL, dx);
        CHECK(value == 4000 && dx[largest] == 1 && dx[(largest + 1) % 3] == -1 && dx[(largest + 2) % 3] == 0,
              "logit %d of 2000 among -2000: loss %g, gradient %g %g %g", largest, (double)value, (double)dx[0],
              (double)dx[1], (double)dx[2]);
    }
    float loss = run(node, 3, x, t, NULL, dx);
    CHECK(fabsf(loss - 0.5f * 1.09861229f) < 1e-6f, "the mean over two images that count is %g", (double)loss);
    CHECK(dx[0] == 0 && dx[2] == 0 && fabsf(dx[4] + 1.0f / 3) < 1e-6f && dx[6] == 0 && dx[8] == 0,
          "gradient %g %g %g %g %g", (double)dx[0], (double)dx[2], (double)dx[4], (double)dx[6], (double)dx[8]);
    static const float classes[] = {0, 1, 2, 3, 2.5f, 1e9f, -1, -0.5f, INFINITY, -INFINITY};
    for (int i = 0; i < 10; i++) { /* the first three are class numbers */
        t[0] = classes[i];
        t[1] = t[2] = -1;
        x[0] = 0.5f;
        loss = run(node, 3, x, t, NULL, dx);
        double want = i < 3 ? log(exp(0.5) + 1 + exp(-1000)) - (i == 0 ? 0.5 : i == 1 ? 0 : -1000) : 0;
        CHECK(fabs((double)loss - want) <= 1e-6 * fabs(want), "target %g: loss %g, expected %g", (double)classes[i],
              (double)loss, want);
        CHECK((dx[i < 3 ? i : 0] != 0) == (i < 3), "target %g: gradient %g %g %g", (double)classes[i], (double)dx[0],
              (double)dx[1], (double)dx[2]);
    }
    t[0] = t[1] = NAN;
    loss = run(node, 3, x, t, NULL, dx);
    CHECK(loss == 0 && dx[0] == 0 && dx[4] == 0, "no image counts: loss %g, gradient %g %g", (double)loss,
          (double)dx[0], (double)dx[4]);
    tx_graph_free(g);
}

/* Labels and masks of another shape, one extent at a time: the message says which of the two. */
static void check_shapes(void)
{
    static const int shapes[][3] = {{4, 2, 2}, {3, 1, 2}, {3, 2, 1}};
    for (int i = 0; i < 3; i++)
        for (int mask = 0; mask < 2; mask++) {
            tx_graph *g = tx_graph_new();
            tx_node *x = tx_input(g, 3, 2, 2), *other = tx_input(g, shapes[i][0], shapes[i][1], shapes[i][2]);
            tx_node *node = tx_bce_with_logits(g, x, mask ? x : other, mask ? other : x, (tx_bce_args){0});
            CHECK(!node && strstr(tx_error_message(), mask ? "mask of" : "labels of"), "shape %d: %s", i,
                  tx_error_message());
            tx_graph_free(g);
        }
    static const int bad[][6] = {
        {3, 2, 1, 1, 1, 1}, {3, 1, 2, 1, 1, 1}, {3, 1, 1, 2, 1, 1}, {3, 1, 1, 1, 2, 1}, {3, 1, 1, 1, 1, 2}};
    for (int k = 0; k < 5; k++) {
        tx_graph *g = tx_graph_new();
        tx_node *x = tx_input(g, bad[k][0], bad[k][1], bad[k][2]),
                *other = tx_input(g, bad[k][3], bad[k][4], bad[k][5]);
        CHECK(!tx_cross_entropy(g, x, other, (tx_cross_entropy_args){0}), "cross entropy, shapes %d", k);
        tx_graph_free(g);
    }
    static const double smoothing[] = {-0.001, 1.001, (double)NAN, 0, 1};
    for (int i = 0; i < 5; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_cross_entropy(g, tx_input(g, 3, 1, 1), tx_input(g, 1, 1, 1),
                                         (tx_cross_entropy_args){.smoothing = smoothing[i]});
        CHECK((node != NULL) == (i > 2), "smoothing %g", smoothing[i]);
        tx_graph_free(g);
    }
}

static void check_refusals(void)
{
    tx_graph *g = tx_graph_new();
    CHECK(!tx_bce_with_logits(g, tx_input(g, 3, 1, 1), tx_input(g, 4, 1, 1), NULL, (tx_bce_args){0}),
          "4 labels for 3 logits");
    tx_graph_free(g);
    g = tx_graph_new();
    float weight[3] = {1, -1, 1};
    CHECK(!tx_bce_with_logits(g, tx_input(g, 3, 1, 1), tx_input(g, 3, 1, 1), NULL, (tx_bce_args){weight}),
          "a negative weight");
    tx_graph_free(g);
    g = tx_graph_new();
    static float many[TX_MAX_POS_WEIGHTS + 1];
    CHECK(!tx_bce_with_logits(g, tx_input(g, 1025, 1, 1), tx_input(g, 1025, 1, 1), NULL, (tx_bce_args){many}),
          "1025 weights");
    tx_graph_free(g);
    g = tx_graph_new();
    CHECK(!tx_cross_entropy(g, tx_input(g, 3, 1, 1), tx_input(g, 3, 1, 1), (tx_cross_entropy_args){0}),
          "three targets an image");
    tx_graph_free(g);
    g = tx_graph_new();
    CHECK(!tx_cross_entropy(g, tx_input(g, 3, 1, 1), tx_input(g, 1, 1, 1), (tx_cross_entropy_args){1.5}),
          "smoothing 1.5");
    tx_graph_free(g);
}

int main(void)
{
    machine = tx_machine_now();
    for (int weighted = 0; weighted < 2; weighted++)
        for (int masked = 0; masked < 2; masked++) {
            check_bce(1, 1, weighted, masked);
            check_bce(4, 14, weighted, masked);
            check_bce(16, 17, weighted, masked);
        }
    check_cross_entropy(1, 4, 0);
    check_cross_entropy(3, 4, 1);
    check_cross_entropy(4, 5, 0.1);
    check_cross_entropy(8, 100, 0);
    check_bce_extremes();
    check_cross_entropy_extremes();
    check_shapes();
    check_refusals();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_losses");
}
