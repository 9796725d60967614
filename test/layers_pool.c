/* layers_pool.c - max and average pooling and the global mean. */
#include "../core/op.h"
#include "layers_check.h"

static tx_machine machine; /* what the tests compute with */

/* Distinct values, so that no maximum is near a second one: a permutation of multiples of 1/16. */
static float distinct(int input, size_t i)
{
    (void)input;
    return (float)((i * 7919u + 13u) % 10007u) / 16 - 300;
}

static const struct {
    int n, h, w, c, kernel, stride, padding, ceil;
} pools[] = {
    {1, 1, 1, 1, 1, 1, 0, 0},    {1, 1, 1, 17, 3, 2, 1, 0}, {2, 8, 6, 3, 3, 2, 1, 0},  {2, 7, 9, 16, 3, 2, 1, 0},
    {1, 7, 9, 15, 3, 2, 0, 0},   {1, 8, 6, 33, 3, 2, 0, 1}, {2, 8, 7, 17, 3, 2, 1, 1}, {1, 5, 7, 16, 2, 0, 0, 0},
    {1, 5, 7, 20, 2, 2, 0, 1},   {1, 4, 5, 64, 3, 1, 1, 0}, {1, 7, 8, 5, 3, 3, 1, 1},  {1, 6, 6, 4, 2, 3, 0, 1},
    {1, 16, 15, 2, 15, 1, 7, 0}, {1, 2, 1, 5, 3, 3, 0, 1},  {2, 2, 5, 18, 5, 4, 0, 1}, {1, 3, 2, 3, 7, 5, 3, 1},
};

static void check_max_pool(size_t s)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, pools[s].c, pools[s].h, pools[s].w);
    tx_node *node = tx_max_pool(
        g, x,
        (tx_pool_args){
            .kernel = pools[s].kernel, .stride = pools[s].stride, .padding = pools[s].padding, .ceil = pools[s].ceil});
    layer_check(node, (layer_options){.n = pools[s].n, .fill = distinct}, "max_pool");
    layer_check(node, (layer_options){.n = pools[s].n, .fill = distinct, .inference = 1}, "max_pool in inference");
    /* the rectifier makes ties of zeros: only against the definition, which takes the first too */
    layer_check(node, (layer_options){.n = pools[s].n, .view = 1, .slope_tolerance = 1e9}, "max_pool of a view");
    tx_graph_free(g);
}

/* Padding by side, and cropping, of both kinds of pooling; the average with both ways of counting. */
static const struct {
    int n, h, w, c;
    tx_pool_args args;
} windows[] = {
    {2, 8, 9, 17, {.kernel = 3, .stride = 2, .padding = 1, .pads = {-1, -1, 0, 0}}},
    {1, 7, 8, 5, {.kernel = 3, .stride = 2, .pads = {1, 0, 0, 1}}},
    {1, 9, 9, 16, {.kernel = 3, .stride = 2, .pads = {-2, -1, -3, 1}}},
    {1, 9, 8, 3, {.kernel = 3, .stride = 2, .pads = {1, -2, -2, -3}, .ceil = 1}},
    {2, 6, 7, 33, {.kernel = 2, .stride = 2, .pads = {-1, -1, 0, 0}, .ceil = 1}},
    {1, 5, 6, 2, {.kernel = 5, .stride = 1, .padding = 2, .pads = {-4, 0, 0, -4}}},
    {1, 6, 6, 20, {.kernel = 1, .stride = 2, .pads = {-1, -1, 0, 0}}},
    {2, 6, 8, 18, {.kernel = 2}},
    {1, 7, 5, 16, {.kernel = 2}},
    {1, 20, 9, 33, {.kernel = 3, .stride = 1, .padding = 1}},
    {1, 1, 2, 3, {.kernel = 3, .stride = 1, .padding = 1}},
    {2, 9, 7, 15, {.kernel = 3, .stride = 2, .padding = 1, .ceil = 1}},
    {1, 8, 8, 4, {.kernel = 5, .stride = 3}},
    {1, 15, 16, 2, {.kernel = 15, .stride = 1, .padding = 7}},
    {1, 2, 1, 5, {.kernel = 3, .stride = 3, .ceil = 1}},
};

static void check_windows(size_t s)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, windows[s].c, windows[s].h, windows[s].w);
    layer_options distinct_values = {.n = windows[s].n, .fill = distinct}, usual = {.n = windows[s].n};
    layer_check(tx_max_pool(g, x, windows[s].args), distinct_values, "max_pool with pads");
    tx_pool_args args = windows[s].args;
    for (args.count_include_pad = 0; args.count_include_pad < 2; args.count_include_pad++) {
        layer_options view = {.n = windows[s].n, .view = 1, .inference = 1};
        tx_node *node = tx_avg_pool(g, x, args);
        layer_check(node, usual, args.count_include_pad ? "avg_pool, padding counted" : "avg_pool");
        layer_check(node, view, "avg_pool of a view");
        layer_check_acts(node, usual, "avg_pool");
    }
    layer_check_acts(tx_max_pool(g, x, windows[s].args), usual, "max_pool");
    tx_graph_free(g);
}

/* What an average divides by: a map of ones gives the share of the taps that count. */
static void check_counts(void)
{
    static const struct {
        int n;
        tx_pool_args args;
        int outputs;
        float y[5];
    } cases[] = {
        {3, {.kernel = 3, .stride = 1, .padding = 1, .count_include_pad = 1}, 3, {4.0f / 9, 6.0f / 9, 4.0f / 9}},
        {3, {.kernel = 3, .stride = 1, .padding = 1}, 3, {1, 1, 1}},
        /* the last window hangs over the padding by one, which counts in neither way */
        {4,
         {.kernel = 3, .stride = 2, .padding = 1, .ceil = 1, .count_include_pad = 1},
         3,
         {4.0f / 9, 6.0f / 9, 2.0f / 6}},
        {2, {.kernel = 3, .stride = 3, .ceil = 1, .count_include_pad = 1}, 1, {1}},
        /* cropped at its end: what is left out counts in neither way */
        {5, {.kernel = 2, .pads = {0, 0, -2, -2}, .ceil = 1, .count_include_pad = 1}, 2, {1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float x[25], y[25] = {0};
        int n = cases[i].n;
        for (int k = 0; k < 25; k++)
            x[k] = 1;
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_avg_pool(g, tx_input(g, 1, n, n), cases[i].args);
        tx_view view = {.data = x, .n = 1, .h = n, .w = n, .c = 1, .ld = 1};
        int outputs = node ? node->h : 0;
        CHECK(outputs == cases[i].outputs, "average %zu: %d rows, not %d", i, outputs, cases[i].outputs);
        tx_step step = {.node = node, .machine = &machine, .n = 1, .x = &view, .y = {y, 1, outputs, outputs, 1, 1}};
        if (node)
            node->op->forward(&step);
        for (int k = 0; k < outputs; k++)
            CHECK(fabsf(y[k] - cases[i].y[k]) < 1e-6f, "average %zu: %d of the first row is %g, not %g", i, k,
                  (double)y[k], (double)cases[i].y[k]);
        tx_graph_free(g);
    }
}

static float few_values(int input, size_t i)
{
    (void)input;
    return floorf(2 * layer_draw(80, i));
}

/* Many equal values: the gradient goes where the definition sends it, to the first in row order. */
static void check_ties(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *node = tx_max_pool(g, tx_input(g, 18, 9, 10), (tx_pool_args){.kernel = 3, .stride = 2, .padding = 1});
    layer_check(node, (layer_options){.n = 2, .fill = few_values, .slope_tolerance = 1e9}, "max_pool of ties");
    tx_graph_free(g);
}

/* NaN is not swallowed wherever it stands; a window of -inf gives -inf and its first pixel the gradient. */
static void check_specials(void)
{
    for (int at = 0; at < 4; at++) {
        float x[4] = {1, 2, 3, 4}, y, dy = 5, dx[4];
        unsigned char argmax;
        x[at] = NAN;
        tx_view view = {x, 1, 2, 2, 1, 1, NULL, NULL, TX_ACT_NONE, NULL, 0};
        tx_tensor to = {&y, 1, 1, 1, 1, 1}, from = {&dy, 1, 1, 1, 1, 1};
        tx_window window = {.kernel = 2, .stride = 2};
        tx_channel_max_pool(&machine, &to, &argmax, &view, &window);
        CHECK(isnan(y) && argmax == at, "NaN at %d of the window: %g, argmax %d", at, (double)y, argmax);
        for (int i = 0; i < 4; i++)
            x[i] = -INFINITY;
        tx_channel_max_pool(&machine, &to, &argmax, &view, &window);
        tx_gradient gradient = {dx, 1, NULL, 0};
        tx_channel_max_pool_gradient(&machine, &gradient, &from, &argmax, &view, &window);
        CHECK(y == -INFINITY && dx[0] == 5 && dx[1] == 0 && dx[3] == 0, "a window of -inf: %g, gradient %g %g %g",
              (double)y, (double)dx[0], (double)dx[1], (double)dx[3]);
    }
}

/* The definition and what runs, on a map with several NaNs in a window: NaN goes on, its gradient to the last of them. */
static void check_nans(void)
{
    enum { SIDE = 7, C = 3, COUNT = SIDE * SIDE * C };
    static const size_t at[] = {0, 1, 3, 24, 27, 51, 66, 72, 90, 146};
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, C, SIDE, SIDE);
    tx_node *y = tx_max_pool(g, x, (tx_pool_args){.kernel = 3, .stride = 2, .padding = 1});
    tx_node_keep(x);
    tx_weights *w = tx_weights_new(g, 1);
    tx_session *session = tx_session_new(g, w, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
    tx_reference *r = tx_reference_new(g, w, 1, TX_TRAIN, 0);
    for (size_t i = 0; i < COUNT; i++)
        tx_reference_input(r, x)[i] = (double)layer_draw(83, i);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        tx_reference_input(r, x)[at[i]] = (double)NAN;
    for (size_t i = 0; i < COUNT; i++)
        tx_session_input(session, x)[i] = (float)tx_reference_input(r, x)[i];
    tx_reference_forward(r);
    tx_reference_backward(r, NULL);
    float value[COUNT], gradient[COUNT];
    CHECK(tx_forward(session) == TX_OK && tx_backward(session, NULL) == TX_OK &&
              tx_session_value(session, y, value) == TX_OK && tx_session_gradient(session, x, gradient) == TX_OK,
          "%s", tx_error_message());
    int nans = 0;
    for (size_t i = 0; i < (size_t)(y->h * y->w * C); i++) {
        double want = tx_reference_value(r, y)[i];
        nans += isnan(want) != 0;
        CHECK(isnan(want) ? isnan(value[i]) : (double)value[i] == want, "value %zu is %g, not %g", i, (double)value[i],
              want);
    }
    CHECK(nans >= 8, "%d windows of NaN", nans);
    for (size_t i = 0; i < COUNT; i++)
        CHECK((double)gradient[i] == tx_reference_gradient(r, x)[i], "gradient %zu is %g, not %g", i,
              (double)gradient[i], tx_reference_gradient(r, x)[i]);
    CHECK(gradient[0] == 0 && gradient[24] == 1, "of two NaNs the first has gradient %g, the last %g",
          (double)gradient[0], (double)gradient[24]);
    tx_reference_free(r);
    tx_session_free(session);
    tx_weights_free(w);
    tx_graph_free(g);
}

/* Sizes of the result as everywhere in the field. */
static void check_sizes(void)
{
    static const struct {
        int n, kernel, stride, padding, ceil, out;
    } cases[] = {{112, 3, 2, 1, 0, 56},
                 {160, 3, 2, 1, 0, 80},
                 {7, 3, 2, 0, 0, 3},
                 {8, 3, 2, 0, 1, 4},
                 {8, 3, 2, 1, 1, 5},
                 {7, 3, 3, 1, 1, 3},
                 {5, 2, 2, 0, 1, 3},
                 {4, 1, 3, 0, 1, 2},
                 {3, 2, 3, 1, 1, 2},
                 {1, 3, 2, 1, 0, 1},
                 /* a map smaller than the window */
                 {2, 3, 2, 0, 1, 1},
                 {1, 3, 3, 0, 1, 1},
                 {2, 5, 4, 0, 1, 1},
                 {3, 7, 5, 3, 1, 2},
                 {1, 15, 15, 0, 1, 1},
                 {4, 1, 1 << 20, 0, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_max_pool(g, tx_input(g, 1, cases[i].n, cases[i].n),
                                    (tx_pool_args){.kernel = cases[i].kernel,
                                                   .stride = cases[i].stride,
                                                   .padding = cases[i].padding,
                                                   .ceil = cases[i].ceil});
        CHECK(node && node->h == cases[i].out && node->w == cases[i].out,
              "%d, kernel %d stride %d padding %d ceil %d: %d, not %d", cases[i].n, cases[i].kernel, cases[i].stride,
              cases[i].padding, cases[i].ceil, node ? node->h : -1, cases[i].out);
        tx_graph_free(g);
    }
    static const tx_pool_args bad[] = {{.kernel = 0, .stride = 1},
                                       {.kernel = 16, .stride = 1},
                                       {.kernel = 3, .stride = -1},
                                       {.kernel = 3, .stride = 1, .padding = 2},
                                       {.kernel = 3, .stride = 1, .padding = -1},
                                       {.kernel = 5, .stride = 1},
                                       {.kernel = 5, .stride = 1, .ceil = 1},
                                       {.kernel = 7, .stride = 3, .ceil = 1},
                                       {.kernel = 3, .stride = (1 << 20) + 1},
                                       {.kernel = 3, .stride = 1, .pads = {2, 0, 0, 0}},
                                       {.kernel = 3, .stride = 1, .padding = 1, .pads = {0, 0, 0, 1}},
                                       {.kernel = 1, .stride = 1, .pads = {-2, 0, -2, 0}},
                                       {.kernel = 3, .stride = 9, .pads = {1, 1, -4, 0}, .ceil = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tx_graph *g = tx_graph_new();
        int side = bad[i].kernel == 16 ? 40 : 4;
        CHECK(!tx_max_pool(g, tx_input(g, 1, side, side), bad[i]), "bad pooling %d was taken", (int)i);
        tx_graph_free(g);
    }
}

static void check_mean(void)
{
    static const int sides[][3] = {{1, 1, 1},    {1, 1, 16},   {3, 5, 3},    {7, 7, 33},
                                   {12, 13, 17}, {20, 20, 65}, {10, 10, 130}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *node = tx_global_mean(g, tx_input(g, sides[i][2], sides[i][0], sides[i][1]));
        layer_check(node, (layer_options){.n = 3}, "global_mean");
        layer_check(node, (layer_options){.n = 1, .view = 1}, "global_mean of a view");
        layer_check_acts(node, (layer_options){.n = 3}, "global_mean");
        tx_graph_free(g);
    }
}

/* An image alone and as one of three: the same bits. */
static void check_alone(void)
{
    enum { H = 13, W = 12, C = 19, N = 3 };
    static float x[N * H * W * C], together[N * C], alone[C];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = layer_draw(81, i);
    tx_view all = {x, N, H, W, C, C, NULL, NULL, TX_ACT_NONE, NULL, 0};
    tx_tensor y = {together, N, 1, 1, C, C}, one = {alone, 1, 1, 1, C, C};
    tx_channel_image_mean(&machine, &y, &all);
    for (int n = 0; n < N; n++) {
        tx_view image = all;
        image.data += n * H * W * C;
        image.n = 1;
        tx_channel_image_mean(&machine, &one, &image);
        CHECK(memcmp(alone, together + n * C, sizeof alone) == 0, "the mean of image %d is another alone", n);
    }
}

int main(void)
{
    machine = tx_machine_now();
    for (size_t s = 0; s < sizeof pools / sizeof *pools; s++)
        check_max_pool(s);
    for (size_t s = 0; s < sizeof windows / sizeof *windows; s++)
        check_windows(s);
    check_counts();
    check_ties();
    check_specials();
    check_nans();
    check_sizes();
    check_mean();
    check_alone();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("layers_pool");
}
