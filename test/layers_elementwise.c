/* layers_elementwise.c - activations, scale, add, concat, dropout, stochastic depth. */
#include "../core/op.h"
#include "layers_check.h"

static tx_machine machine; /* what the tests compute with */

/* Sums of two of these stay away from 0 too: multiples of 1/8, the second shifted by 1/16. */
static float on_a_grid(int input, size_t i)
{
    return floorf(8 * layer_draw(30 + (uint64_t)input, i)) / 8 + (input == 1 ? 0.0625f : 0);
}

static const struct {
    int n, h, w, c;
} shapes[] = {{1, 1, 1, 1}, {1, 1, 1, 3}, {2, 3, 5, 15}, {3, 4, 4, 16}, {2, 5, 3, 17}, {1, 7, 9, 33}, {2, 20, 21, 48}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static tx_node *input(tx_graph *g, int s)
{
    return tx_input(g, shapes[s].c, shapes[s].h, shapes[s].w);
}

/* From -8 to 8, at least 0.01 away from where any of the activations has a kink. */
static float away_from_kinks(int input, size_t i)
{
    static const float kinks[] = {-3, 0, 3, 6};
    float u = 8 * layer_draw(40 + (uint64_t)input, i);
    for (int k = 0; k < 4; k++)
        if (fabsf(u - kinks[k]) < 0.02f)
            return kinks[k] + 0.05f;
    return u;
}

static tx_node *(*const activations[])(tx_graph *, tx_node *) = {tx_relu, tx_relu6,       tx_sigmoid,
                                                                 tx_silu, tx_hardsigmoid, tx_hardswish};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static void check_activations(int s)
{
    for (int a = 0; a < ACTIVATIONS; a++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = activations[a](g, input(g, s));
        const char *name = node->op->name;
        layer_check(node, (layer_options){.n = shapes[s].n, .fill = away_from_kinks}, name);
        /* the rectifier of the view meets the kink at 0: only against the definition, which has the same there */
        layer_check(node, (layer_options){.n = shapes[s].n, .fill = away_from_kinks, .view = 1, .slope_tolerance = 1e9},
                    name);
        layer_check_acts(node, (layer_options){.n = shapes[s].n, .fill = away_from_kinks}, name);
        tx_graph_free(g);
    }
}

static void check_scale(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_scale(g, input(g, s), tx_input(g, shapes[s].c, 1, 1));
    layer_check(node, (layer_options){.n = shapes[s].n}, "scale");
    layer_check(node, (layer_options){.n = shapes[s].n, .view = 1}, "scale of a view");
    layer_check_acts(node, (layer_options){.n = shapes[s].n}, "scale");
    tx_graph_free(g);
}

static void check_stochastic_depth(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = input(g, s);
    tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = 0.5});
    tx_node *node = tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = 0.4});
    CHECK(node->ordinal == 1, "the second node that draws has ordinal %d", node->ordinal);
    layer_check(node, (layer_options){.n = 5}, "stochastic_depth");
    layer_check(node, (layer_options){.n = 2, .inference = 1, .view = 1}, "stochastic_depth in inference");
    layer_check(node, (layer_options){.n = 2, .explain = 1}, "stochastic_depth, gradients of inference");
    tx_graph_free(g);
}

static void check_add(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_add(g, input(g, s), input(g, s));
    layer_check(node, (layer_options){.n = shapes[s].n, .fill = on_a_grid}, "add");
    layer_check(node, (layer_options){.n = shapes[s].n, .fill = on_a_grid, .act = TX_ACT_RELU}, "add, relu");
    layer_check(node, (layer_options){.n = shapes[s].n, .fill = on_a_grid, .view = 1}, "add of a view");
    layer_check_acts(node, (layer_options){.n = shapes[s].n}, "add");
    tx_graph_free(g);
}

static void check_concat(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *inputs[3] = {input(g, s), tx_input(g, 5, shapes[s].h, shapes[s].w), input(g, s)};
    tx_node *node = tx_concat(g, inputs, 3);
    layer_check(node, (layer_options){.n = shapes[s].n}, "concat");
    tx_graph_free(g);
}

static void check_dropout(int s)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_dropout(g, input(g, s), (tx_dropout_args){.p = 0.3});
    layer_check(node, (layer_options){.n = shapes[s].n}, "dropout");
    layer_check(node, (layer_options){.n = shapes[s].n, .inference = 1}, "dropout in inference");
    layer_check(node, (layer_options){.n = shapes[s].n, .explain = 1}, "dropout, gradients of inference");
    tx_graph_free(g);
}

/* NaN survives the rectifier, the sign of zero too; relu'(0) = 0. */
static void check_relu_specials(void)
{
    float x[5] = {-0.0f, 0.0f, NAN, -INFINITY, INFINITY}, y[5], dy[5] = {1, 1, 1, 1, 1}, dx[5];
    tx_view view = {x, 1, 1, 1, 5, 5, NULL, NULL, TX_ACT_NONE, NULL, 0};
    tx_tensor to = {y, 1, 1, 1, 5, 5}, from = {dy, 1, 1, 1, 5, 5};
    tx_gradient gradient = {dx, 5, NULL, 0};
    tx_channel_sum(&machine, &to, &view, 1, TX_ACT_RELU);
    tx_channel_mask(&machine, &gradient, &from, &to, TX_ACT_RELU);
    CHECK(y[0] == 0 && signbit(y[0]) && y[1] == 0 && isnan(y[2]) && y[3] == 0 && y[4] == INFINITY,
          "relu of -0 0 NaN -inf inf: %g %g %g %g %g", (double)y[0], (double)y[1], (double)y[2], (double)y[3],
          (double)y[4]);
    CHECK(dx[0] == 0 && dx[1] == 0 && dx[3] == 0 && dx[4] == 1, "relu' of -0 0 -inf inf: %g %g %g %g", (double)dx[0],
          (double)dx[1], (double)dx[3], (double)dx[4]);
}

/* Values and derivatives at the kinks, and of what is no number: x, y, y' one after the other. */
static void check_kinks(void)
{
    static const float inf = INFINITY, nan = NAN, sixth = 1.0f / 6;
    static const struct {
        tx_node *(*add)(tx_graph *, tx_node *);
        float x[8], y[8], slope[8];
    } cases[] = {
        {tx_relu6,
         {-inf, -0.0f, 0, 3, 5.9999995f, 6, inf, nan},
         {0, 0, 0, 3, 5.9999995f, 6, 6, nan},
         {0, 0, 0, 1, 1, 0, 0, 0}},
        {tx_sigmoid,
         {-inf, -0.0f, 0, inf, -200, 200, nan, 0},
         {0, 0.5f, 0.5f, 1, 0, 1, nan, 0.5f},
         {0, 0.25f, 0.25f, 0, 0, 0, nan, 0.25f}},
        {tx_silu,
         {-200, -0.0f, 0, 200, nan, 1e30f, -1e30f, 0},
         {0, 0, 0, 200, nan, 1e30f, 0, 0},
         {0, 0.5f, 0.5f, 1, nan, 1, 0, 0.5f}},
        {tx_hardsigmoid,
         {-inf, -3, -2.9999998f, 0, 2.9999998f, 3, inf, nan},
         {0, 0, 4e-8f, 0.5f, 1, 1, 1, nan},
         {0, 0, sixth, sixth, sixth, 0, 0, 0}},
        {tx_hardswish,
         {-1e30f, -3, -2.9999998f, 0, 2.9999998f, 3, 1e30f, nan},
         {0, 0, -1.2e-7f, 0, 3, 3, 1e30f, nan},
         {0, 0, -0.5f, 0.5f, 1.5f, 1, 1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = cases[i].add(g, tx_input(g, 8, 1, 1));
        float y[8], dy[8] = {1, 1, 1, 1, 1, 1, 1, 1}, dx[8], x[8];
        memcpy(x, cases[i].x, sizeof x);
        tx_view view = {.data = x, .n = 1, .h = 1, .w = 1, .c = 8, .ld = 8};
        tx_gradient gradient = {dx, 8, NULL, 0};
        tx_step step = {.node = node, .machine = &machine, .n = 1, .training = 1, .backward = 1, .x = &view};
        step.dx = &gradient;
        step.y = (tx_tensor){y, 1, 1, 1, 8, 8};
        step.dy.g = (tx_tensor){dy, 1, 1, 1, 8, 8};
        node->op->forward(&step);
        node->op->backward(&step);
        for (int k = 0; k < 8; k++) {
            float want = cases[i].y[k], slope = cases[i].slope[k];
            CHECK(isnan(want) ? isnan(y[k]) : fabsf(y[k] - want) <= 1e-6f * fabsf(want) + 1e-8f,
                  "%s of %g is %g, not %g", node->op->name, (double)x[k], (double)y[k], (double)want);
            CHECK(isnan(want) ? isnan(dx[k]) || dx[k] == 0 : fabsf(dx[k] - slope) <= 1e-6f, "%s' of %g is %g, not %g",
                  node->op->name, (double)x[k], (double)dx[k], (double)slope);
        }
        tx_graph_free(g);
    }
}

/* More channels than are summed at once, more pixels than a chunk; an image alone and as one of three: the same bits. */
static void check_gate_sums(void)
{
    enum { N = 3, H = 14, W = 11, C = 300, IMAGE = H * W * C };
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_scale(g, tx_input(g, C, H, W), tx_input(g, C, 1, 1));
    layer_check(node, (layer_options){.n = N, .light = 1}, "scale of 300 channels");
    float *x = tx_alloc(4 * N * IMAGE, sizeof(float)), *gate = x + N * IMAGE, *dy = gate + N * IMAGE,
          *dx = dy + N * IMAGE;
    static float all[N * C], one[C];
    for (size_t i = 0; i < N * IMAGE; i++) {
        x[i] = layer_draw(70, i);
        dy[i] = layer_draw(71, i);
        gate[i] = layer_draw(72, i);
    }
    tx_view view = {.data = x, .n = N, .h = H, .w = W, .c = C, .ld = C, .gate = gate, .gate_ld = C};
    tx_tensor from = {dy, N, H, W, C, C};
    tx_gradient to = {dx, C, NULL, 0}, sums = {all, C, NULL, 0}, single = {one, C, NULL, 0};
    tx_channel_gate_gradient(&machine, &to, &sums, &from, &view);
    view.n = from.n = 1;
    for (int n = 0; n < N; n++) {
        view.data = x + n * IMAGE;
        view.gate = gate + n * C;
        from.data = dy + n * IMAGE;
        tx_channel_gate_gradient(&machine, NULL, &single, &from, &view);
        CHECK(memcmp(one, all + n * C, sizeof one) == 0, "the gate's gradient of image %d is another alone", n);
    }
    tx_free(x);
    tx_graph_free(g);
}

/* p = 0 drops nothing, p = 1 all; as many images are dropped as p says: 4000 draws, five standard deviations. */
static void check_depth_ends(void)
{
    static const double p[] = {0, 1, 0.3};
    static float x[4000], y[4000], work[4000];
    for (int i = 0; i < 4000; i++)
        x[i] = 2;
    for (int k = 0; k < 3; k++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_stochastic_depth(g, tx_input(g, 1, 1, 1), (tx_stochastic_depth_args){.p = p[k]});
        tx_view view = {.data = x, .n = 4000, .h = 1, .w = 1, .c = 1, .ld = 1};
        tx_step step = {.node = node, .machine = &machine, .n = 4000, .training = 1, .x = &view, .work = work};
        step.y = (tx_tensor){y, 4000, 1, 1, 1, 1};
        node->op->forward(&step);
        int dropped = 0;
        for (int i = 0; i < 4000; i++) {
            dropped += y[i] == 0;
            CHECK(y[i] == 0 || y[i] == (float)(1 / (1 - p[k])) * 2, "p = %g scales 2 to %g", p[k], (double)y[i]);
        }
        double spread = 5 * sqrt(4000 * p[k] * (1 - p[k]));
        CHECK(fabs(dropped - 4000 * p[k]) <= spread, "p = %g dropped %d of 4000 images", p[k], dropped);
        tx_graph_free(g);
    }
}

/* Gradients of a sum in the layouts that a planner makes: nothing to write; one tensor for both; a value added to
 * itself, whose second contribution is added to the first. */
static void check_add_sharing(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 4, 1, 1), *node = tx_add(g, x, x);
    float y[4] = {1, 0, 2, -0.0f}, dy[4], other[4];
    tx_gradient dx[2];
    tx_step step = {
        .node = node, .machine = &machine, .n = 1, .training = 1, .backward = 1, .dx = dx, .act = TX_ACT_RELU};
    step.y = (tx_tensor){y, 1, 1, 1, 4, 4};
    step.dy.g = (tx_tensor){dy, 1, 1, 1, 4, 4};
    for (int layout = 0; layout < 3; layout++) {
        for (int i = 0; i < 4; i++) {
            dy[i] = (float)(i + 1);
            other[i] = 10;
        }
        dx[0] = (tx_gradient){dy, 4, NULL, 0};
        dx[1] = layout == 0 ? dx[0] : layout == 1 ? (tx_gradient){dy, 4, dy, 4} : (tx_gradient){other, 4, other, 4};
        node->op->backward(&step);
        float twice = layout == 1 ? 2 : 1;
        CHECK(dy[0] == twice && dy[1] == 0 && dy[2] == 3 * twice && dy[3] == 0, "add, layout %d: %g %g %g %g", layout,
              (double)dy[0], (double)dy[1], (double)dy[2], (double)dy[3]);
        CHECK(other[0] == (layout == 2 ? 11 : 10) && other[1] == 10 && other[2] == (layout == 2 ? 13 : 10),
              "add, layout %d: the other input's %g %g %g", layout, (double)other[0], (double)other[1],
              (double)other[2]);
    }
    tx_graph_free(g);
}

/* What already stands in its slice is left alone. */
static void check_concat_in_place(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *inputs[2] = {tx_input(g, 2, 1, 2), tx_input(g, 1, 1, 2)};
    tx_node *node = tx_concat(g, inputs, 2);
    float wide[6] = {1, 2, 0, 4, 5, 0}, second[2] = {3, 6}, dwide[6] = {1, 2, 3, 4, 5, 6}, dsecond[2];
    tx_view x[2] = {{wide, 1, 1, 2, 2, 3, NULL, NULL, TX_ACT_NONE, NULL, 0},
                    {second, 1, 1, 2, 1, 1, NULL, NULL, TX_ACT_NONE, NULL, 0}};
    tx_gradient dx[2] = {{dwide, 3, NULL, 0}, {dsecond, 1, NULL, 0}};
    tx_step step = {.node = node, .machine = &machine, .n = 1, .training = 1, .backward = 1, .x = x, .dx = dx};
    step.y = (tx_tensor){wide, 1, 1, 2, 3, 3};
    step.dy.g = (tx_tensor){dwide, 1, 1, 2, 3, 3};
    node->op->forward(&step);
    node->op->backward(&step);
    for (int i = 0; i < 6; i++)
        CHECK(wide[i] == (float)(i + 1) && dwide[i] == (float)(i + 1), "concat in place: [%d] %g, gradient %g", i,
              (double)wide[i], (double)dwide[i]);
    CHECK(dsecond[0] == 3 && dsecond[1] == 6, "concat: the copied gradient is %g %g", (double)dsecond[0],
          (double)dsecond[1]);
    float others[4] = {10, 20, 30, 40}; /* what others contributed is added even in place */
    dx[0].add = others;
    dx[0].add_ld = 2;
    node->op->backward(&step);
    CHECK(dwide[0] == 11 && dwide[1] == 22 && dwide[2] == 3 && dwide[4] == 45, "concat, added in place: %g %g %g %g",
          (double)dwide[0], (double)dwide[1], (double)dwide[2], (double)dwide[4]);
    tx_graph_free(g);
}

static void check_refusals(void)
{
    tx_graph *g = tx_graph_new();
    CHECK(!tx_add(g, tx_input(g, 3, 2, 2), tx_input(g, 4, 2, 2)), "3 channels were added to 4");
    tx_graph_free(g);
    g = tx_graph_new();
    tx_node *two[2] = {tx_input(g, 3, 2, 2), tx_input(g, 3, 2, 3)};
    CHECK(!tx_concat(g, two, 2), "2 x 2 was joined to 2 x 3");
    tx_graph_free(g);
    g = tx_graph_new();
    CHECK(!tx_concat(g, NULL, 0), "nothing was concatenated");
    tx_graph_free(g);
    static const double bad[] = {1.5, 1.0000001, -0.1, -1e-9, (double)NAN};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        g = tx_graph_new();
        CHECK(!tx_dropout(g, tx_input(g, 3, 2, 2), (tx_dropout_args){.p = bad[i]}), "dropout took p = %g", bad[i]);
        tx_graph_free(g);
        g = tx_graph_new();
        tx_node *x = tx_input(g, 3, 2, 2);
        CHECK(!tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = bad[i]}), "p = %g was taken", bad[i]);
        tx_graph_free(g);
    }
    static const int shapes_of[][3] = {{3, 2, 2}, {4, 2, 1}, {4, 1, 2}, {4, 2, 2}};
    for (int i = 0; i < 4; i++) {
        g = tx_graph_new();
        tx_node *a = tx_input(g, 4, 2, 2), *b = tx_input(g, shapes_of[i][0], shapes_of[i][1], shapes_of[i][2]);
        CHECK((tx_add(g, a, b) != NULL) == (i == 3), "2 x 2 x 4 plus %d x %d x %d", shapes_of[i][1], shapes_of[i][2],
              shapes_of[i][0]);
        tx_graph_free(g);
        g = tx_graph_new();
        a = tx_input(g, 4, 2, 2);
        b = tx_input(g, shapes_of[i][0], shapes_of[i][1], shapes_of[i][2]);
        tx_node *both[2] = {a, b}, *joined = tx_concat(g, both, 2);
        CHECK(i == 0 || i == 3 ? joined && joined->c == 4 + shapes_of[i][0] : !joined, "2 x 2 joined to %d x %d",
              shapes_of[i][1], shapes_of[i][2]);
        tx_graph_free(g);
    }
}

/* Nothing is dropped, or everything: no division by 0 comes through. */
static void check_dropout_ends(void)
{
    for (int p = 0; p < 2; p++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_dropout(g, tx_input(g, 17, 3, 2), (tx_dropout_args){.p = p});
        CHECK(node != NULL, "%s", tx_error_message());
        float x[102], y[102], dy[102], dx[102];
        for (int i = 0; i < 102; i++) {
            x[i] = layer_draw(85, (size_t)i);
            dy[i] = layer_draw(86, (size_t)i);
        }
        x[3] = INFINITY;
        tx_view view = {x, 1, 3, 2, 17, 17, NULL, NULL, TX_ACT_NONE, NULL, 0};
        tx_gradient gradient = {dx, 17, NULL, 0};
        machine = tx_machine_now();
        tx_step step = {.node = node, .machine = &machine, .n = 1, .training = 1, .backward = 1, .x = &view};
        step.dx = &gradient;
        step.y = (tx_tensor){y, 1, 3, 2, 17, 17};
        step.dy.g = (tx_tensor){dy, 1, 3, 2, 17, 17};
        node->op->forward(&step);
        node->op->backward(&step);
        for (int i = 0; i < 102; i++)
            CHECK(y[i] == (p ? 0 : x[i]) && dx[i] == (p ? 0 : dy[i]), "p = %d, [%d]: %g of %g, gradient %g of %g", p, i,
                  (double)y[i], (double)x[i], (double)dx[i], (double)dy[i]);
        tx_graph_free(g);
    }
}

/* As many values are kept as the probability says: 10000 draws, five standard deviations. */
static void check_dropout_share(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_dropout(g, tx_input(g, 10000, 1, 1), (tx_dropout_args){.p = 0.25});
    float *x = tx_alloc(20000, sizeof(float)), *y = x + 10000;
    int kept[2] = {0, 0}, both = 0;
    for (int i = 0; i < 10000; i++)
        x[i] = 1;
    tx_view view = {x, 1, 1, 1, 10000, 10000, NULL, NULL, TX_ACT_NONE, NULL, 0};
    tx_step step = {.node = node,
                    .machine = &machine,
                    .n = 1,
                    .training = 1,
                    .backward = 1,
                    .x = &view,
                    .y = {y, 1, 1, 1, 10000, 10000}};
    for (step.run = 0; step.run < 2; step.run++) {
        node->op->forward(&step);
        for (int i = 0; i < 10000; i++) {
            kept[step.run] += y[i] > 0;
            both += step.run == 1 && y[i] > 0 && x[i] > 1;
            x[i] = y[i] > 0 ? 2 : 1;
            CHECK(y[i] == 0 || step.run == 1 || y[i] == (float)(1 / 0.75), "dropout scales 1 to %g", (double)y[i]);
        }
    }
    CHECK(abs(kept[0] - 7500) < 217 && abs(kept[1] - 7500) < 217, "dropout kept %d and %d of 10000, p = 0.25", kept[0],
          kept[1]);
    CHECK(abs(both - 5625) < 250, "dropout kept %d twice in two runs, expected about 5625", both);
    tx_free(x);
    tx_graph_free(g);
}

int main(void)
{
    machine = tx_machine_now();
    for (int s = 0; s < SHAPES; s++) {
        check_activations(s);
        check_scale(s);
        check_stochastic_depth(s);
        check_add(s);
        check_concat(s);
        check_dropout(s);
    }
    check_relu_specials();
    check_kinks();
    check_gate_sums();
    check_depth_ends();
    check_add_sharing();
    check_concat_in_place();
    check_dropout_share();
    check_dropout_ends();
    check_refusals();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_elementwise");
}
