/* library_calls.c - every public call of core, layers, nets and optim with wrong arguments: NULL, indices and nodes that are
 * none, numbers that are none, calls out of order. None crashes, and each says what is wrong. test/library_kernels.c does the
 * same for what operations and optimisers compute with, test/library_files.c for io; test/check_calls.sh looks that no
 * function is left out. */
#include "../core/op.h"
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "refused.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* The same of a building call, on a graph g of its own with a node x, 3 channels of one pixel. */
#define SPOILS(call, part)                                                    \
    do {                                                                      \
        tx_graph *g = tx_graph_new();                                         \
        tx_node *x = tx_input(g, 3, 1, 1);                                    \
        REFUSED(x && !(call) && tx_graph_status(g) == TX_ERR_ARGUMENT, part); \
        tx_graph_free(g);                                                     \
    } while (0)

/* A small network, trained and run, for calls to be wrong about. */
static struct {
    tx_graph *g, *other, *spoiled;
    tx_node *image, *label, *hidden, *norm, *loss, *stranger;
    tx_weights *w, *bare, *empty;
    tx_session *train, *infer;
    tx_optimizer *adam, *sgd;
    tx_reference *r, *r_infer;
    tx_machine m;
} f;

static tx_graph *describe(const char *name)
{
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 3, 4, 4), *label = tx_input(g, 2, 1, 1);
    tx_node *x = tx_relu(g, tx_batchnorm(g, tx_conv2d(g, image, name, (tx_conv2d_args){.out = 4, .kernel = 3}), "bn",
                                         (tx_batchnorm_args){0}));
    x = tx_linear(g, tx_global_mean(g, x), "fc", (tx_linear_args){.out = 2});
    tx_bce_with_logits(g, x, label, NULL, (tx_bce_args){0});
    return g;
}

static void fixture_new(void)
{
    f.m = tx_machine_now();
    f.g = describe("conv");
    f.other = describe("another");
    f.spoiled = tx_graph_new();
    tx_input(f.spoiled, 0, 1, 1);
    f.image = (tx_node *)tx_graph_node(f.g, 0);
    f.label = (tx_node *)tx_graph_node(f.g, 1);
    f.hidden = (tx_node *)tx_graph_node(f.g, 2);
    f.norm = (tx_node *)tx_graph_node(f.g, 3);
    f.loss = (tx_node *)tx_graph_node(f.g, tx_graph_nodes(f.g) - 1);
    f.stranger = (tx_node *)tx_graph_node(f.other, 0);
    f.w = tx_weights_new(f.g, 1);
    f.bare = tx_weights_new(f.g, 0);
    f.empty = tx_weights_new(f.g, 1);
    tx_weights_init(f.w, 1);
    tx_weights_init(f.bare, 1);
    f.train = tx_session_new(f.g, f.w, (tx_session_args){.batch = 2, .mode = TX_TRAIN});
    f.infer = tx_session_new(f.g, f.w, (tx_session_args){.batch = 2});
    f.adam = tx_optimizer_new(f.w, (tx_optimizer_args){.kind = TX_ADAM});
    f.sgd = tx_optimizer_new(f.w, (tx_optimizer_args){.kind = TX_SGD});
    f.r = tx_reference_new(f.g, f.w, 2, TX_TRAIN, 0);
    f.r_infer = tx_reference_new(f.g, f.w, 2, TX_INFER, 0);
    CHECK(f.train && f.infer && f.adam && f.sgd && f.r && f.r_infer, "%s", tx_error_message());
}

static void fixture_free(void)
{
    tx_reference_free(f.r);
    tx_reference_free(f.r_infer);
    tx_optimizer_free(f.adam);
    tx_optimizer_free(f.sgd);
    tx_session_free(f.train);
    tx_session_free(f.infer);
    tx_weights_free(f.w);
    tx_weights_free(f.bare);
    tx_weights_free(f.empty);
    tx_graph_free(f.g);
    tx_graph_free(f.other);
    tx_graph_free(f.spoiled);
}

/* ---- ground */

static void nothing(void *context, size_t i, int worker)
{
    (void)context;
    (void)i;
    (void)worker;
}

static void check_ground(void)
{
    char text[TX_TEXT];
    size_t size, capacity = 0;
    void *array = NULL;
    const char *null = NULL;
    CHECK(tx_fail(TX_ERR_FORMAT, null, 0) == TX_ERR_FORMAT && tx_error_status() == TX_ERR_FORMAT, "a message of NULL");
    CHECK(tx_fail_within(TX_ERR_FORMAT, null, 0) == TX_ERR_FORMAT, "a prefix of NULL");
    CHECK(tx_fail_null(NULL, NULL) == TX_ERR_ARGUMENT && *tx_error_message(), "NULL of NULL");
    REFUSED(*tx_escape(NULL, 80, "text") == 0, "tx_escape");
    REFUSED(*tx_escape(text, 3, "text") == 0, "tx_escape");
    CHECK(*tx_escape(text, sizeof text, NULL) == 0, "NULL as text");
    CHECK(tx_size_max(2, SIZE_MAX) == SIZE_MAX && tx_size_max(3, 2) == 3 && tx_size_max(0, 0) == 0, "the larger");
    CHECK(tx_size_mul(2, SIZE_MAX, &size) == -1 && tx_size_mul(2, 2, NULL) == -1, "a product that does not fit");
    CHECK(tx_size_add(2, SIZE_MAX, &size) == -1 && tx_size_add(2, 2, NULL) == -1, "a sum that does not fit");
    REFUSED(tx_alloc(SIZE_MAX, 2) == NULL, "out of memory");
    REFUSED(tx_grow(NULL, &capacity, 1, 1) != TX_OK, "tx_grow");
    REFUSED(tx_grow(&array, NULL, 1, 1) != TX_OK, "tx_grow");
    REFUSED(tx_grow(&array, &capacity, SIZE_MAX, 8) != TX_OK && !array && !capacity, "out of memory");
    REFUSED(tx_strdup(NULL) == NULL, "tx_strdup");
    tx_free(NULL);
    tx_alloc_fail_after(-1);
    CHECK(tx_alloc_count() == 0 && tx_alloc_live() > 0 && tx_alloc_spoiled() == 0, "%ld allocations", tx_alloc_count());
    REFUSED(tx_parallel_for(3, NULL, NULL) != TX_OK, "without a function");
    REFUSED(tx_parallel_on(NULL, 3, nothing, NULL) != TX_OK, "machine");
    REFUSED(tx_parallel_on(&(tx_machine){0}, 3, nothing, NULL) != TX_OK, "machine");
    REFUSED(tx_parallel_on(&f.m, 3, NULL, NULL) != TX_OK, "without a function");
    int threads = tx_threads();
    REFUSED(tx_set_threads(0) != TX_OK && tx_threads() == threads, "0 threads");
    REFUSED(tx_set_threads(-3) != TX_OK && tx_threads() == threads, "-3 threads");
    REFUSED(tx_set_threads(INT_MAX) != TX_OK && tx_threads() == threads, "2147483647 threads");
    CHECK(tx_threads_available() >= 0 && tx_processors() >= 1 && tx_cores() >= 1 && tx_quota() >= 0, "processors");
    CHECK(tx_seconds() > 0 && tx_peak_memory() + 1 > 0, "clocks");
    REFUSED(tx_isa_select("mmx") != TX_OK, "expected portable");
    REFUSED(tx_isa_list(NULL) == 0, "tx_isa_list");
    CHECK(tx_isa_name() != NULL && tx_self_test() == TX_OK && tx_machine_now().kernels != NULL, "the machine");
    REFUSED(tx_fma_peak(0) == 0, "0 threads");
    REFUSED(tx_tile_rate(0) == 0, "0 threads");
    REFUSED(tx_copy_rate(-1) == 0, "-1 threads");
}

static void check_numbers(void)
{
    uint32_t four[4] = {0}, out[4];
    float nan = (float)NAN;
    REFUSED((tx_philox(NULL, four, out), 1), "tx_philox");
    REFUSED((tx_philox(four, NULL, out), 1), "tx_philox");
    REFUSED((tx_philox(four, four, NULL), 1), "tx_philox");
    REFUSED((tx_random_block(0, TX_RANDOM_TEST, 0, 0, NULL), 1), "tx_philox");
    REFUSED(tx_random_below(0, TX_RANDOM_TEST, 0, 0, 0) == 0, "below 0");
    REFUSED(tx_random_permutation(0, TX_RANDOM_TEST, 0, NULL, 3) != TX_OK, "tx_random_permutation");
    CHECK(tx_random_permutation(0, TX_RANDOM_TEST, 0, NULL, 0) == TX_OK, "%s", tx_error_message());
    CHECK(tx_random_bits(1, TX_RANDOM_TEST, UINT64_MAX, UINT64_MAX) != tx_random_bits(1, TX_RANDOM_TEST, 0, 0) &&
              tx_random_uniform(0, TX_RANDOM_TEST, 0, UINT64_MAX) < 1 &&
              isfinite(tx_random_normal(0, TX_RANDOM_TEST, 0, UINT64_MAX)),
          "draws at the end of the range");
    CHECK(isnan(tx_expf(nan)) && isnan(tx_logf(-1)) && isnan(tx_log1pf(-2)) && isnan(tx_tanhf(nan)) &&
              isnan(tx_logisticf(nan)) && isnan(tx_fmaf(nan, 1, 1)),
          "NaN in, NaN out");
    CHECK(isnan(tx_exp((double)NAN)) && isnan(tx_expm1((double)NAN)) && isnan(tx_log(-1)) && isnan(tx_log1p(-2)) &&
              isnan(tx_tanh((double)NAN)) && isnan(tx_logistic((double)NAN)) && isnan(tx_sin_pi((double)INFINITY)) &&
              isnan(tx_cos_pi((double)INFINITY)) && isnan(tx_pow(-2, 0.5)) && isnan(tx_fma((double)NAN, 1, 1)),
          "NaN in, NaN out");
}

static void check_digests(void)
{
    tx_sha256 s;
    char hex[65];
    float v[2] = {0};
    REFUSED((tx_sha256_begin(NULL), 1), "tx_sha256_begin");
    tx_sha256_begin(&s);
    REFUSED((tx_sha256_add(NULL, "a", 1), 1), "tx_sha256_add");
    REFUSED((tx_sha256_add(&s, NULL, 1), s.bytes == 0), "tx_sha256_add");
    REFUSED((tx_sha256_floats(&s, NULL, 1), s.bytes == 0), "tx_sha256_floats");
    REFUSED((tx_sha256_floats(NULL, v, 1), 1), "tx_sha256_floats");
    REFUSED((tx_sha256_end(NULL, hex), 1), "tx_sha256_end");
    REFUSED((tx_sha256_end(&s, NULL), 1), "tx_sha256_end");
    REFUSED((tx_floats_digest(NULL, 2, hex), 1), "tx_floats_digest");
    REFUSED((tx_floats_digest(v, 2, NULL), 1), "tx_floats_digest");
    REFUSED(tx_checksum(NULL, 1) == 0, "tx_checksum");
    tx_sha256_add(&s, NULL, 0);
    tx_sha256_end(&s, hex);
    CHECK(strncmp(hex, "e3b0c442", 8) == 0, "the digest of nothing is %s", hex);
}

/* ---- graph */

static tx_status no_shape(tx_node *node)
{
    int shape[4] = {1, 1, 1, 1};
    tx_init init = {TX_INIT_ONE, 0};
    REFUSED(tx_node_param(NULL, "leaf", TX_ROLE_TRAINED, init, 1, shape) != TX_OK, "tx_node_param");
    REFUSED(tx_node_param(node, NULL, TX_ROLE_TRAINED, init, 1, shape) != TX_OK, "tx_node_param");
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, init, 1, NULL) != TX_OK, "tx_node_param");
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, init, 3, shape) != TX_OK, "3 dimensions");
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, init, -1, shape) != TX_OK, "-1 dimensions");
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, init, 5, shape) != TX_OK, "5 dimensions");
    REFUSED(tx_node_param(node, "leaf", (tx_role)7, init, 1, shape) != TX_OK, "role 7");
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, (tx_init){(tx_init_kind)9, 0}, 1, shape) != TX_OK, "kind 9");
    int huge[2] = {INT_MAX, INT_MAX};
    REFUSED(tx_node_param(node, "leaf", TX_ROLE_TRAINED, init, 2, huge) != TX_OK, "impossible size");
    return tx_node_param(node, "leaf", TX_ROLE_TRAINED, (tx_init){TX_INIT_NORMAL, NAN}, 1, shape);
}

static void check_graph(void)
{
    const char *null = NULL;
    static const tx_op hollow = {.name = "hollow"}, shapeless = {.name = "shapeless", .shape = no_shape};
    tx_graph_free(NULL);
    REFUSED(tx_graph_status(NULL) != TX_OK, "no graph");
    REFUSED(tx_graph_status(f.spoiled) != TX_OK, "0 channels of 1 x 1");
    tx_graph *scoped = tx_graph_new();
    const char *no_name = NULL;
    REFUSED(tx_graph_enter(NULL, "a") != TX_OK, "no graph");
    REFUSED(tx_graph_enter(f.spoiled, "a") != TX_OK, "0 channels of 1 x 1");
    REFUSED(tx_graph_enter(scoped, no_name) != TX_OK, "tx_graph_enter: no name");
    tx_graph_free(scoped);
    scoped = tx_graph_new();
    REFUSED(tx_graph_leave(NULL) != TX_OK, "no graph");
    REFUSED(tx_graph_leave(f.spoiled) != TX_OK, "0 channels of 1 x 1");
    REFUSED(tx_graph_leave(scoped) != TX_OK, "no scope was entered");
    tx_graph_free(scoped);
    REFUSED(tx_graph_refuse(NULL, "%s", "no") == NULL, "no graph");
    REFUSED(tx_graph_refuse(f.spoiled, "%s", "a later error") == NULL, "0 channels of 1 x 1");
    REFUSED(tx_graph_refuse(NULL, null, 0) == NULL, "no graph");
    REFUSED(tx_graph_nodes(NULL) == 0, "no graph");
    REFUSED(tx_graph_node(NULL, 0) == NULL, "no graph");
    REFUSED(tx_graph_node(f.g, -1) == NULL, "node -1 of a graph of 8");
    REFUSED(tx_graph_node(f.g, 8) == NULL, "node 8 of a graph of 8");
    REFUSED(tx_graph_params(NULL) == 0, "no graph");
    REFUSED(tx_graph_param(NULL, 0) == NULL, "no graph");
    REFUSED(tx_graph_param(f.g, -1) == NULL, "parameter -1 of a graph of 9");
    REFUSED(tx_graph_param(f.g, 9) == NULL, "parameter 9 of a graph of 9");
    REFUSED(tx_graph_find(NULL, "a") == -1, "no graph");
    REFUSED(tx_graph_find(f.g, NULL) == -1, "no name");
    REFUSED(tx_graph_trained(NULL) == 0, "no graph");
    REFUSED(tx_graph_add(NULL, &hollow, "", NULL, 0, NULL, 0) == NULL, "no graph");
    REFUSED(tx_graph_add(f.spoiled, &hollow, "", NULL, 0, NULL, 0) == NULL, "0 channels of 1 x 1");
    SPOILS(tx_graph_add(g, NULL, "", NULL, 0, NULL, 0), "no operation");
    SPOILS(tx_graph_add(g, &hollow, "", NULL, 0, NULL, 0), "no operation");
    SPOILS(tx_graph_add(g, &shapeless, NULL, NULL, 0, NULL, 0), "deviation or bound nan");
    SPOILS(tx_graph_add(g, &shapeless, NULL, NULL, 0, NULL, 8), "no arguments");
    SPOILS(tx_graph_add(g, &tx_op_add, NULL, NULL, 2, NULL, 0), "no inputs");
    SPOILS(tx_graph_add(g, &tx_op_add, NULL, NULL, -2, NULL, 0), "-2 inputs");
    SPOILS(tx_node_init(x, 0, (tx_init){TX_INIT_ONE, 0}) == TX_OK, "parameter 0 of 0");
    REFUSED(tx_input(NULL, 3, 1, 1) == NULL, "no graph");
    REFUSED(tx_node_operation(NULL)[0] == 0, "no node");
    REFUSED(tx_node_keep(NULL) != TX_OK, "no node");
    REFUSED(tx_node_init(NULL, 0, (tx_init){TX_INIT_ONE, 0}) != TX_OK, "no node");
}

/* Sizes beyond reason, each on a graph of its own. */
static void check_sizes(void)
{
    static const int inputs[][3] = {{3, INT_MAX, 1},
                                    {3, 1, INT_MAX},
                                    {INT_MAX, 1, 1},
                                    {1 << 24, 1 << 20, 1},
                                    {1 << 20, 1 << 20, 1 << 20},
                                    {1, (1 << 20) + 1, 1},
                                    {1, 1 << 16, 1 << 15}};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        tx_graph *g = tx_graph_new();
        REFUSED(tx_input(g, inputs[i][0], inputs[i][1], inputs[i][2]) == NULL, "beyond reason");
        tx_graph_free(g);
    }
    static const tx_conv2d_args convolutions[] = {
        {.out = INT_MAX},
        {.out = 1, .kernel = INT_MAX},
        {.out = 1, .kernel_h = INT_MIN},
        {.out = 1, .kernel = 3, .stride = INT_MAX},
        {.out = 1, .kernel = 3, .stride_w = INT_MIN},
        {.out = 1, .kernel = 3, .padding = INT_MAX},
        {.out = 1, .kernel = 3, .padding_h = -1},
        {.out = 1, .kernel = 3, .dilation = INT_MAX},
        {.out = 1, .kernel = 3, .groups = INT_MIN},
        {.out = 4, .kernel = 3, .groups = 3},
        {.out = 3, .kernel = 3, .groups = 3, .stride = INT_MAX},
        {.out = 6, .kernel = 3, .groups = 2},
        {.out = 1 << 20, .kernel = 1, .padding = 1 << 19},
        {.out = 1 << 20, .kernel = 3, .padding = 100},
        {.out = 1, .kernel = 3, .init = {TX_INIT_UNIFORM, (double)INFINITY}},
        {.out = 1, .kernel = 3, .pads = {INT_MAX, 0, 0, 0}},
        {.out = 1, .kernel = 3, .pads = {0, 0, 0, INT_MIN}},
        {.out = 1, .kernel = 1, .pads = {-2, 0, -2, 0}},
    };
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) {
        tx_graph *g = tx_graph_new();
        REFUSED(tx_conv2d(g, tx_input(g, 3, 4, 4), NULL, convolutions[i]) == NULL, "conv2d");
        tx_graph_free(g);
    }
    static const tx_pool_args pools[] = {{0},
                                         {.kernel = INT_MAX},
                                         {.kernel = INT_MIN},
                                         {.kernel = 3, .stride = INT_MAX},
                                         {.kernel = 3, .stride = -1},
                                         {.kernel = 3, .padding = INT_MAX},
                                         {.kernel = 3, .padding = INT_MIN},
                                         {.kernel = 5},
                                         {.kernel = 5, .stride = 1, .ceil = 1},
                                         {.kernel = 3, .pads = {INT_MAX, 0, 0, 0}},
                                         {.kernel = 3, .pads = {0, INT_MIN, 0, 0}},
                                         {.kernel = 3, .padding = 1, .pads = {0, 0, 1, 0}},
                                         {.kernel = 1, .pads = {0, -4, 0, 0}}};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        tx_graph *g = tx_graph_new();
        REFUSED(tx_max_pool(g, tx_input(g, 3, 4, 4), pools[i]) == NULL, "max_pool");
        tx_graph_free(g);
        g = tx_graph_new();
        REFUSED(tx_avg_pool(g, tx_input(g, 3, 4, 4), pools[i]) == NULL, "avg_pool");
        tx_graph_free(g);
    }
    static const int outputs[] = {0, -1, INT_MIN, INT_MAX, 1 << 30};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        tx_graph *g = tx_graph_new();
        REFUSED(tx_linear(g, tx_input(g, 3, 4, 4), "fc", (tx_linear_args){.out = outputs[i]}) == NULL, "linear 'fc'");
        tx_graph_free(g);
    }
    tx_graph *g = tx_graph_new();
    tx_node *many[2];
    many[0] = many[1] = tx_input(g, 1 << 24, 1, 1);
    REFUSED(tx_concat(g, many, 2) == NULL, "beyond reason");
    tx_graph_free(g);
}

/* ---- layers */

static void check_layers(void)
{
    tx_graph *s = f.spoiled;
    tx_node *two[2] = {f.image, f.stranger};
    float weights[4] = {1, 1, 1, 1};
    /* without a graph, on a spoiled one */
    REFUSED(tx_conv2d(NULL, NULL, NULL, (tx_conv2d_args){.out = 1}) == NULL, "no graph");
    REFUSED(tx_conv2d(s, NULL, NULL, (tx_conv2d_args){.out = 1}) == NULL, "0 channels");
    REFUSED(tx_conv2d(s, NULL, NULL, (tx_conv2d_args){0}) == NULL, "0 channels");
    REFUSED(tx_batchnorm(NULL, NULL, NULL, (tx_batchnorm_args){0}) == NULL, "no graph");
    REFUSED(tx_batchnorm(s, NULL, NULL, (tx_batchnorm_args){0}) == NULL, "0 channels");
    REFUSED(tx_relu(NULL, f.image) == NULL, "no graph");
    REFUSED(tx_relu(s, f.image) == NULL, "0 channels");
    REFUSED(tx_relu6(NULL, f.image) == NULL && tx_silu(NULL, NULL) == NULL, "no graph");
    REFUSED(tx_sigmoid(NULL, f.image) == NULL && tx_hardswish(NULL, NULL) == NULL, "no graph");
    REFUSED(tx_hardsigmoid(NULL, f.image) == NULL, "no graph");
    REFUSED(tx_hardsigmoid(s, f.image) == NULL, "0 channels");
    REFUSED(tx_scale(NULL, f.image, f.image) == NULL, "no graph");
    REFUSED(tx_scale(s, NULL, NULL) == NULL, "0 channels");
    REFUSED(tx_stochastic_depth(NULL, f.image, (tx_stochastic_depth_args){0}) == NULL, "no graph");
    REFUSED(tx_stochastic_depth(s, NULL, (tx_stochastic_depth_args){0}) == NULL, "0 channels");
    REFUSED(tx_avg_pool(NULL, f.image, (tx_pool_args){.kernel = 2}) == NULL, "no graph");
    REFUSED(tx_avg_pool(s, NULL, (tx_pool_args){.kernel = 2}) == NULL, "0 channels");
    REFUSED(tx_add(NULL, f.image, f.image) == NULL, "no graph");
    REFUSED(tx_add(s, NULL, NULL) == NULL, "0 channels");
    REFUSED(tx_concat(NULL, two, 2) == NULL, "no graph");
    REFUSED(tx_concat(s, NULL, 2) == NULL, "0 channels");
    REFUSED(tx_dropout(NULL, f.image, (tx_dropout_args){0}) == NULL, "no graph");
    REFUSED(tx_dropout(s, NULL, (tx_dropout_args){0}) == NULL, "0 channels");
    REFUSED(tx_max_pool(NULL, f.image, (tx_pool_args){.kernel = 2}) == NULL, "no graph");
    REFUSED(tx_max_pool(s, NULL, (tx_pool_args){.kernel = 2}) == NULL, "0 channels");
    REFUSED(tx_global_mean(NULL, f.image) == NULL, "no graph");
    REFUSED(tx_global_mean(s, NULL) == NULL, "0 channels");
    REFUSED(tx_linear(NULL, f.image, NULL, (tx_linear_args){.out = 1}) == NULL, "no graph");
    REFUSED(tx_linear(s, NULL, NULL, (tx_linear_args){.out = 1}) == NULL, "0 channels");
    REFUSED(tx_bce_with_logits(NULL, f.image, f.image, NULL, (tx_bce_args){weights}) == NULL, "no graph");
    REFUSED(tx_bce_with_logits(s, NULL, NULL, NULL, (tx_bce_args){weights}) == NULL, "0 channels");
    REFUSED(tx_cross_entropy(NULL, f.image, f.image, (tx_cross_entropy_args){0}) == NULL, "no graph");
    REFUSED(tx_cross_entropy(s, NULL, NULL, (tx_cross_entropy_args){0}) == NULL, "0 channels");
    CHECK(isnan(tx_bce_each((float)NAN, 1)) && isinf(tx_bce_each((float)INFINITY, 0)), "a loss of no number");
}

/* A good graph with inputs that are NULL or another graph's. */
static void check_layer_inputs(void)
{
    static float many[TX_MAX_POS_WEIGHTS + 1];
    tx_node *hole[2] = {NULL, NULL}, *strange[2] = {f.stranger, f.stranger};
    SPOILS(tx_conv2d(g, NULL, "c", (tx_conv2d_args){.out = 1}), "conv2d: no input 0");
    SPOILS(tx_batchnorm(g, NULL, "b", (tx_batchnorm_args){0}), "batchnorm: no input 0");
    SPOILS(tx_relu(g, NULL), "relu: no input 0");
    SPOILS(tx_relu6(g, NULL), "relu6: no input 0");
    SPOILS(tx_sigmoid(g, NULL), "sigmoid: no input 0");
    SPOILS(tx_silu(g, NULL), "silu: no input 0");
    SPOILS(tx_hardsigmoid(g, NULL), "hardsigmoid: no input 0");
    SPOILS(tx_hardswish(g, NULL), "hardswish: no input 0");
    SPOILS(tx_scale(g, NULL, x), "scale: no input 0");
    SPOILS(tx_scale(g, x, NULL), "scale: no input 1");
    SPOILS(tx_stochastic_depth(g, NULL, (tx_stochastic_depth_args){0}), "stochastic_depth: no input 0");
    SPOILS(tx_avg_pool(g, NULL, (tx_pool_args){.kernel = 1}), "avg_pool: no input 0");
    SPOILS(tx_add(g, NULL, x), "add: no input 0");
    SPOILS(tx_add(g, x, NULL), "add: no input 1");
    SPOILS(tx_dropout(g, NULL, (tx_dropout_args){0}), "dropout: no input 0");
    SPOILS(tx_max_pool(g, NULL, (tx_pool_args){.kernel = 1}), "max_pool: no input 0");
    SPOILS(tx_global_mean(g, NULL), "global_mean: no input 0");
    SPOILS(tx_linear(g, NULL, "l", (tx_linear_args){.out = 1}), "linear: no input 0");
    SPOILS(tx_bce_with_logits(g, NULL, x, NULL, (tx_bce_args){many}), "bce_with_logits: no input 0");
    SPOILS(tx_bce_with_logits(g, x, NULL, NULL, (tx_bce_args){0}), "bce_with_logits: no input 1");
    SPOILS(tx_cross_entropy(g, NULL, x, (tx_cross_entropy_args){0}), "cross_entropy: no input 0");
    SPOILS(tx_concat(g, hole, 2), "concat: no input 0");
    SPOILS(tx_concat(g, NULL, 2), "concat: no inputs");
    SPOILS(tx_concat(g, &x, 0), "nothing to concatenate");
    SPOILS(tx_concat(g, &x, INT_MIN), "nothing to concatenate");
    SPOILS(tx_concat(g, &x, INT_MAX), "2147483647 inputs");
    SPOILS(tx_concat(g, strange, 2), "input 0 is a node of another graph");
    SPOILS(tx_relu(g, f.stranger), "input 0 is a node of another graph");
    SPOILS(tx_add(g, x, f.stranger), "input 1 is a node of another graph");
}

/* Shapes that do not fit, and numbers that are none. */
static void check_layer_numbers(void)
{
    static const float nan_weight[3] = {1, (float)NAN, 1}, inf_weight[3] = {1, 1, (float)INFINITY};
    static float many[TX_MAX_POS_WEIGHTS + 1];
    SPOILS(tx_add(g, x, tx_input(g, 2, 1, 1)), "is added to");
    SPOILS(tx_batchnorm(g, x, "b", (tx_batchnorm_args){.eps = (double)NAN}), "eps nan");
    SPOILS(tx_batchnorm(g, x, "b", (tx_batchnorm_args){.eps = (double)INFINITY}), "eps inf");
    SPOILS(tx_batchnorm(g, x, "b", (tx_batchnorm_args){.eps = -1}), "eps -1");
    SPOILS(tx_batchnorm(g, x, "b", (tx_batchnorm_args){.momentum = -1}), "momentum -1");
    SPOILS(tx_batchnorm(g, x, "b", (tx_batchnorm_args){.momentum = (double)NAN}), "momentum nan");
    SPOILS(tx_dropout(g, x, (tx_dropout_args){.p = (double)NAN}), "p = nan");
    SPOILS(tx_dropout(g, x, (tx_dropout_args){.p = -0.1}), "p = -0.1");
    SPOILS(tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = (double)NAN}), "p = nan");
    SPOILS(tx_stochastic_depth(g, x, (tx_stochastic_depth_args){.p = 1.5}), "p = 1.5");
    SPOILS(tx_scale(g, x, tx_input(g, 2, 1, 1)), "a gate of 1 x 1 x 2");
    SPOILS(tx_scale(g, x, tx_input(g, 3, 2, 1)), "a gate of 2 x 1 x 3");
    SPOILS(tx_bce_with_logits(g, x, x, NULL, (tx_bce_args){nan_weight}), "pos_weight[1] = nan");
    SPOILS(tx_bce_with_logits(g, x, x, NULL, (tx_bce_args){inf_weight}), "pos_weight[2] = inf");
    SPOILS(tx_bce_with_logits(g, tx_input(g, TX_MAX_POS_WEIGHTS + 1, 1, 1), x, NULL, (tx_bce_args){many}),
           "1025 classes");
    SPOILS(tx_bce_with_logits(g, x, tx_input(g, 2, 1, 1), NULL, (tx_bce_args){0}), "labels of 1 x 1 x 2");
    SPOILS(tx_cross_entropy(g, x, x, (tx_cross_entropy_args){0}), "targets of 1 x 1 x 3");
    SPOILS(tx_cross_entropy(g, x, tx_input(g, 1, 1, 1), (tx_cross_entropy_args){.smoothing = (double)NAN}),
           "smoothing nan");
    SPOILS(tx_cross_entropy(g, x, tx_input(g, 1, 1, 1), (tx_cross_entropy_args){.smoothing = 2}), "smoothing 2");
}

static void check_affine(void)
{
    float v[4] = {0}, scale[4], shift[4], *param[4] = {v, v, v, v}, *holes[4] = {v, v, NULL, v};
    REFUSED(tx_batchnorm_affine(NULL, param, scale, shift) != TX_OK, "no node");
    REFUSED(tx_batchnorm_affine(f.hidden, param, scale, shift) != TX_OK, "no batch norm");
    REFUSED(tx_batchnorm_affine(f.norm, NULL, scale, shift) != TX_OK, "tx_batchnorm_affine");
    REFUSED(tx_batchnorm_affine(f.norm, holes, scale, shift) != TX_OK, "no parameter");
    REFUSED(tx_batchnorm_affine(f.norm, param, NULL, shift) != TX_OK, "tx_batchnorm_affine");
    REFUSED(tx_batchnorm_affine(f.norm, param, scale, NULL) != TX_OK, "tx_batchnorm_affine");
}

/* ---- weights, plan, session, reference */

static void check_weights(void)
{
    char hex[65];
    float v[200];
    const tx_param *p = tx_graph_param(f.g, 0),
                   *counter = tx_graph_param(f.g, tx_graph_find(f.g, "bn.num_batches_tracked"));
    tx_weights_free(NULL);
    REFUSED(tx_weights_new(NULL, 1) == NULL, "no graph");
    REFUSED(tx_weights_new(f.spoiled, 1) == NULL, "0 channels of 1 x 1");
    REFUSED(tx_weights_changed(NULL) != TX_OK, "no weights");
    REFUSED(tx_weights_param(NULL, p) == NULL, "no weights");
    REFUSED(tx_weights_param(f.w, NULL) == NULL, "no parameter");
    REFUSED(tx_weights_param(f.w, counter) == NULL, "num_batches_tracked is no parameter");
    tx_param far = *p;
    far.offset = SIZE_MAX;
    REFUSED(tx_weights_param(f.w, &far) == NULL, "is no parameter");
    REFUSED(tx_weights_init(NULL, 0) != TX_OK, "no weights");
    REFUSED(tx_param_export(NULL, v, v) != TX_OK, "no parameter");
    REFUSED(tx_param_export(p, NULL, v) != TX_OK, "tx_param_export");
    REFUSED(tx_param_export(p, v, NULL) != TX_OK, "tx_param_export");
    REFUSED(tx_param_import(NULL, v, v) != TX_OK, "no parameter");
    REFUSED(tx_param_import(p, NULL, v) != TX_OK, "tx_param_import");
    REFUSED(tx_param_import(p, v, NULL) != TX_OK, "tx_param_import");
    REFUSED(tx_weights_fit(NULL, f.w) != TX_OK, "no graph");
    REFUSED(tx_weights_fit(f.g, NULL) != TX_OK, "no weights");
    REFUSED(tx_weights_fit(f.other, f.w) != TX_OK, "belong to another network");
    REFUSED(tx_weights_digest(NULL, hex) != TX_OK, "no weights");
    REFUSED(tx_weights_digest(f.w, NULL) != TX_OK, "tx_weights_digest");
    /* a graph that has grown since */
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_linear(g, tx_input(g, 3, 1, 1), "a", (tx_linear_args){.out = 3});
    tx_weights *w = tx_weights_new(g, 1);
    tx_weights_init(w, 0);
    tx_linear(g, x, "b", (tx_linear_args){.out = 3});
    REFUSED(tx_weights_init(w, 0) != TX_OK, "after its weights were made");
    REFUSED(tx_weights_digest(w, hex) != TX_OK, "after its weights were made");
    REFUSED(tx_session_new(g, w, (tx_session_args){.batch = 1}) == NULL, "after its weights were made");
    REFUSED(tx_optimizer_new(w, (tx_optimizer_args){0}) == NULL, "after its weights were made");
    REFUSED(tx_reference_new(g, w, 1, TX_INFER, 0) == NULL, "after its weights were made");
    tx_weights_free(w);
    tx_graph_free(g);
}

static void check_plan(void)
{
    const char *frozen[] = {"conv", "nobody", NULL};
    tx_plan_free(NULL);
    REFUSED(tx_plan_new(NULL, (tx_session_args){.batch = 1}) == NULL, "no graph");
    REFUSED(tx_plan_new(f.spoiled, (tx_session_args){.batch = 1}) == NULL, "0 channels");
    REFUSED(tx_plan_new(f.g, (tx_session_args){0}) == NULL, "0 images");
    REFUSED(tx_plan_new(f.g, (tx_session_args){.batch = INT_MIN}) == NULL, "-2147483648 images");
    REFUSED(tx_plan_new(f.g, (tx_session_args){.batch = INT_MAX}) == NULL, "2147483647 images");
    REFUSED(tx_plan_new(f.g, (tx_session_args){.batch = 1, .mode = (tx_mode)3}) == NULL, "mode 3");
    REFUSED(tx_plan_new(f.g, (tx_session_args){.batch = 1, .memory = 1}) == NULL, "bytes of memory at least, 1 are");
    REFUSED(tx_plan_new(f.g, (tx_session_args){.batch = 1, .frozen = frozen}) == NULL, "'nobody'");
    REFUSED(tx_plan_bytes(NULL) == 0, "no plan");
    tx_cost cost;
    REFUSED(tx_plan_cost(NULL, f.image, &cost) != TX_OK, "no plan");
    REFUSED(tx_plan_cost(tx_session_plan(f.train), NULL, &cost) != TX_OK, "no node");
    REFUSED(tx_plan_cost(tx_session_plan(f.train), f.stranger, &cost) != TX_OK, "is no node of what was planned");
    REFUSED(tx_plan_cost(tx_session_plan(f.train), f.image, NULL) != TX_OK, "no room");
    REFUSED(tx_plan_workspace(NULL, f.image) == NULL, "no plan");
    REFUSED(tx_plan_workspace(tx_session_plan(f.train), NULL) == NULL, "no node");
    REFUSED(tx_plan_workspace(tx_session_plan(f.train), f.stranger) == NULL, "is no node of what was planned");
}

static void check_session_new(void)
{
    tx_weights *w = tx_weights_new(f.other, 1);
    tx_graph *g = tx_graph_new();
    tx_linear(g, tx_input(g, 3, 1, 1), "fc", (tx_linear_args){.out = 3});
    tx_session_free(NULL);
    REFUSED(tx_session_new(NULL, f.w, (tx_session_args){.batch = 1}) == NULL, "no graph");
    REFUSED(tx_session_new(f.spoiled, f.w, (tx_session_args){.batch = 1}) == NULL, "0 channels");
    REFUSED(tx_session_new(f.g, NULL, (tx_session_args){.batch = 1}) == NULL, "no weights");
    REFUSED(tx_session_new(f.g, w, (tx_session_args){.batch = 1}) == NULL, "parameter 0 is another.weight there");
    REFUSED(tx_session_new(g, f.w, (tx_session_args){.batch = 1}) == NULL, "belong to another network");
    REFUSED(tx_session_new(f.g, f.bare, (tx_session_args){.batch = 1, .mode = TX_TRAIN}) == NULL, "with gradients");
    REFUSED(tx_session_new(f.g, f.w, (tx_session_args){.batch = 0}) == NULL, "0 images");
    REFUSED(tx_session_plan(NULL) == NULL, "no session");
    REFUSED(tx_session_weights(NULL) == NULL, "no session");
    REFUSED(tx_session_last(NULL) == NULL, "no session");
    CHECK(tx_session_weights(f.train) == f.w && tx_session_last(f.train) == f.loss, "what a session was made with");
    tx_weights_free(w);
    tx_graph_free(g);
    /* one name, as many numbers, another shape */
    tx_graph *tall = tx_graph_new(), *flat = tx_graph_new();
    tx_linear(tall, tx_input(tall, 3, 1, 1), "fc", (tx_linear_args){.out = 2, .no_bias = 1});
    tx_linear(flat, tx_input(flat, 2, 1, 1), "fc", (tx_linear_args){.out = 3, .no_bias = 1});
    w = tx_weights_new(tall, 1);
    REFUSED(tx_session_new(flat, w, (tx_session_args){.batch = 1}) == NULL, "parameter 0 is fc.weight there");
    tx_weights_free(w);
    tx_graph_free(tall);
    tx_graph_free(flat);
}

static void check_session(void)
{
    float out[128];
    double forward, backward;
    REFUSED(tx_session_batch(NULL, 1) != TX_OK, "no session");
    REFUSED(tx_session_batch(f.train, 0) != TX_OK, "0 images");
    REFUSED(tx_session_batch(f.train, 3) != TX_OK, "3 images");
    REFUSED(tx_session_batch(f.train, INT_MIN) != TX_OK, "images");
    REFUSED(tx_session_input(NULL, f.image) == NULL, "no plan");
    REFUSED(tx_session_input(f.train, NULL) == NULL, "no node");
    REFUSED(tx_session_input(f.train, f.hidden) == NULL, "conv2d 'conv' is no input");
    REFUSED(tx_session_input(f.train, f.stranger) == NULL, "is no node of what was planned");
    REFUSED(tx_session_run(NULL, 0) != TX_OK, "no session");
    REFUSED(tx_forward(NULL) != TX_OK, "no session");
    REFUSED(tx_backward(NULL, NULL) != TX_OK, "no session");
    REFUSED(tx_session_value(NULL, f.loss, out) != TX_OK, "no plan");
    REFUSED(tx_session_value(f.train, NULL, out) != TX_OK, "no node");
    REFUSED(tx_session_value(f.train, f.loss, NULL) != TX_OK, "no room");
    REFUSED(tx_session_value(f.train, f.stranger, out) != TX_OK, "is no node of what was planned");
    REFUSED(tx_session_value(f.train, f.hidden, out) != TX_OK, "was not kept");
    REFUSED(tx_session_gradient(NULL, f.loss, out) != TX_OK, "no plan");
    REFUSED(tx_session_gradient(f.train, NULL, out) != TX_OK, "no node");
    REFUSED(tx_session_gradient(f.train, f.loss, NULL) != TX_OK, "no room");
    REFUSED(tx_session_gradient(f.train, f.stranger, out) != TX_OK, "is no node of what was planned");
    REFUSED(tx_session_gradient(f.train, f.hidden, out) != TX_OK, "was not kept");
    REFUSED(isnan(tx_session_scalar(NULL, f.loss)), "no plan");
    REFUSED(isnan(tx_session_scalar(f.train, NULL)), "no node");
    REFUSED(isnan(tx_session_scalar(f.train, f.stranger)), "is no node of what was planned");
    REFUSED(isnan(tx_session_scalar(f.train, f.hidden)), "was not kept");
    REFUSED(tx_session_clock(NULL, 1) != TX_OK, "no session");
    REFUSED(tx_session_times(NULL, f.loss, &forward, &backward) != TX_OK, "no plan");
    REFUSED(tx_session_times(f.train, NULL, &forward, &backward) != TX_OK, "no node");
    REFUSED(tx_session_times(f.train, f.stranger, &forward, &backward) != TX_OK, "is no node");
    REFUSED(tx_session_times(f.train, f.loss, NULL, &backward) != TX_OK, "no room");
    REFUSED(tx_session_times(f.train, f.loss, &forward, NULL) != TX_OK, "no room");
}

/* Calls that are right, at the wrong time. */
static void check_order(void)
{
    float out[128];
    tx_session *s = tx_session_new(f.g, f.empty, (tx_session_args){.batch = 2, .mode = TX_TRAIN});
    CHECK(s != NULL, "%s", tx_error_message());
    REFUSED(tx_forward(s) != TX_OK, "never filled");
    REFUSED(tx_reference_new(f.g, f.empty, 1, TX_TRAIN, 0) == NULL, "never filled");
    REFUSED(tx_backward(f.infer, NULL) != TX_OK, "for inference alone");
    tx_weights_init(f.empty, 1);
    REFUSED(tx_backward(s, NULL) != TX_OK, "without a tx_forward");
    REFUSED(tx_session_value(s, f.loss, out) != TX_OK, "before any tx_forward");
    REFUSED(isnan(tx_session_scalar(s, f.loss)), "before tx_forward");
    CHECK(tx_forward(s) == TX_OK && tx_session_value(s, f.loss, out) == TX_OK && tx_backward(s, NULL) == TX_OK, "%s",
          tx_error_message());
    REFUSED(tx_backward(s, NULL) != TX_OK, "without a tx_forward");
    CHECK(tx_session_value(s, f.loss, out) == TX_OK, "the value is there after backward: %s", tx_error_message());
    CHECK(tx_forward(s) == TX_OK && tx_weights_changed(f.empty) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_backward(s, NULL) != TX_OK, "with other weights");
    CHECK(tx_forward(s) == TX_OK && tx_session_batch(s, 1) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_backward(s, NULL) != TX_OK, "without a tx_forward");
    REFUSED(tx_session_value(s, f.loss, out) != TX_OK, "before any tx_forward");
    tx_node_keep(f.hidden); /* too late for this session */
    CHECK(tx_forward(s) == TX_OK && tx_backward(s, NULL) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_session_value(s, f.hidden, out) != TX_OK, "was not kept");
    REFUSED(tx_session_gradient(s, f.hidden, out) != TX_OK, "was not kept");
    f.hidden->wanted = 0;
    tx_session_free(s);
    /* nodes that came later are none of the session's */
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_relu(g, tx_input(g, 3, 1, 1));
    tx_weights *w = tx_weights_new(g, 1);
    s = tx_session_new(g, w, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
    tx_node *late = tx_relu(g, x), *late_input = tx_input(g, 1, 1, 1);
    REFUSED(tx_session_value(s, late, out) != TX_OK, "is no node of what was planned");
    REFUSED(tx_session_input(s, late_input) == NULL, "is no node of what was planned");
    REFUSED(isnan(tx_session_scalar(s, late)), "is no node of what was planned");
    CHECK(tx_session_last(s) == x && tx_forward(s) == TX_OK, "%s", tx_error_message());
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
}

static void check_reference(void)
{
    tx_weights *w = tx_weights_new(f.other, 1);
    tx_weights_init(w, 0);
    tx_reference_free(NULL);
    REFUSED(tx_reference_new(NULL, f.w, 1, TX_TRAIN, 0) == NULL, "no graph");
    REFUSED(tx_reference_new(f.g, NULL, 1, TX_TRAIN, 0) == NULL, "no weights");
    REFUSED(tx_reference_new(f.spoiled, f.w, 1, TX_TRAIN, 0) == NULL, "0 channels");
    REFUSED(tx_reference_new(f.g, w, 1, TX_TRAIN, 0) == NULL, "belong to another network");
    REFUSED(tx_reference_new(f.g, f.w, 0, TX_TRAIN, 0) == NULL, "0 images");
    REFUSED(tx_reference_new(f.g, f.w, 1, (tx_mode)-1, 0) == NULL, "mode -1");
    REFUSED(tx_reference_input(NULL, f.image) == NULL, "no reference");
    REFUSED(tx_reference_input(f.r, NULL) == NULL, "no node");
    REFUSED(tx_reference_input(f.r, f.hidden) == NULL, "is no input");
    REFUSED(tx_reference_input(f.r, f.stranger) == NULL, "is no node of this graph");
    REFUSED(tx_reference_forward(NULL) != TX_OK, "no reference");
    REFUSED(tx_reference_backward(NULL, NULL) != TX_OK, "no reference");
    REFUSED(tx_reference_backward(f.r, NULL) != TX_OK, "before any forward");
    REFUSED(tx_reference_backward(f.r_infer, NULL) != TX_OK, "for inference alone");
    REFUSED(tx_reference_value(NULL, f.loss) == NULL, "no reference");
    REFUSED(tx_reference_value(f.r, NULL) == NULL, "no node");
    REFUSED(tx_reference_value(f.r, f.stranger) == NULL, "is no node of this graph");
    REFUSED(tx_reference_gradient(NULL, f.loss) == NULL, "no reference");
    REFUSED(tx_reference_gradient(f.r, NULL) == NULL, "no node");
    REFUSED(tx_reference_gradient(f.r_infer, f.loss) == NULL, "for inference alone");
    REFUSED(tx_reference_param(NULL, 0) == NULL, "no reference");
    REFUSED(tx_reference_param(f.r, -1) == NULL, "parameter -1 of 9");
    REFUSED(tx_reference_param_gradient(NULL, 0) == NULL, "no reference");
    REFUSED(tx_reference_param_gradient(f.r, 9) == NULL, "parameter 9 of 9");
    tx_weights_free(w);
}

/* ---- nets */

static void check_maps(void)
{
    const tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 4, .classes = 2, .size = 32};
    tx_network n, none = {.graph = NULL};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    CHECK(w && tx_weights_init(w, 0) == TX_OK, "%s", tx_error_message());
    float raw[64];
    int task = 0, negative = -1, many = 2;
    tx_cam_free(NULL);
    REFUSED(tx_cam_new(NULL, w, 1) == NULL, "no network");
    REFUSED(tx_cam_new(&n, NULL, 1) == NULL, "no weights");
    REFUSED(tx_cam_new(&none, w, 1) == NULL, "no network");
    REFUSED(tx_cam_new(&n, w, 0) == NULL, "0 images");
    tx_network apart = n;
    apart.features = n.logits;
    REFUSED(tx_cam_new(&apart, w, 1) == NULL, "do not come from");
    apart.features = n.features->input[0];
    REFUSED(tx_cam_new(&apart, w, 1) == NULL, "expected their mean");
    REFUSED(tx_cam_session(NULL) == NULL, "no maps");
    REFUSED(tx_cam_run(NULL, 1) != TX_OK, "no maps");
    REFUSED(tx_cam_maps(NULL, 0, &task, 1, raw) != TX_OK, "no maps");
    tx_cam *cam = tx_cam_new(&n, w, 1);
    CHECK(cam && n.features->h * n.features->w == 64, "%s", tx_error_message());
    REFUSED(tx_cam_run(cam, 2) != TX_OK, "a batch of 2");
    REFUSED(tx_cam_maps(cam, 0, &task, 1, raw) != TX_OK, "image 0 of a run of 0");
    CHECK(tx_cam_run(cam, 1) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_cam_maps(cam, 0, NULL, 1, raw) != TX_OK, "no tasks");
    REFUSED(tx_cam_maps(cam, 0, &task, 1, NULL) != TX_OK, "no room");
    REFUSED(tx_cam_maps(cam, -1, &task, 1, raw) != TX_OK, "image -1");
    REFUSED(tx_cam_maps(cam, 0, &negative, 1, raw) != TX_OK, "task -1");
    REFUSED(tx_cam_maps(cam, 0, &many, 1, raw) != TX_OK, "task 2 of 2");
    CHECK(tx_cam_maps(cam, 0, &task, 1, raw) == TX_OK, "%s", tx_error_message());
    tx_cam_free(cam);
    tx_weights_free(w);
    tx_network_free(&n);
}

static void check_nets(void)
{
    const tx_net_info *net = tx_net_find("resnet18");
    char name[64];
    double macs;
    size_t arena;
    tx_network n;
    tx_session_args one = {.batch = 1}, none = {0};
    tx_net_choice choice = {.net = net, .classes = 2, .size = 32},
                  typo = {.net = tx_net_find("typo"), .classes = 2, .size = 32},
                  deep = {.net = net, .cut = 99, .classes = 2, .size = 32};
    REFUSED(tx_net_at(-1) == NULL, "network -1 of");
    REFUSED(tx_net_at(tx_nets()) == NULL, "network");
    CHECK(tx_net_find("typo") == NULL && tx_net_find("resnet18") == net, "what is found");
    REFUSED(tx_net_find(NULL) == NULL, "no name");
    const struct {
        const tx_net_info *net;
        int channels, size, cut, classes;
        const char *part;
    } cases[] = {{NULL, 3, 32, 0, 2, "no network"},      {net, 0, 0, 0, 2, "no image"},
                 {net, 2, 32, 0, 2, "found 2 channels"}, {net, 3, 32, -1, 2, "found -1"},
                 {net, 3, 32, INT_MAX, 2, "to cut"},     {net, 3, 32, 0, 0, "0 outputs"},
                 {net, 3, 32, 0, INT_MIN, "outputs"},    {net, 3, 32, 0, INT_MAX, "linear 'fc'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tx_graph *g = tx_graph_new();
        tx_node *image = cases[i].size ? tx_input(g, cases[i].channels, cases[i].size, cases[i].size) : NULL;
        REFUSED(tx_net_build(g, image, cases[i].net, cases[i].cut, cases[i].classes).logits == NULL &&
                    tx_graph_status(g) == TX_ERR_ARGUMENT,
                cases[i].part);
        tx_graph_free(g);
    }
    REFUSED(tx_net_build(NULL, f.image, net, 0, 2).logits == NULL, "no graph");
    REFUSED(tx_net_build(f.spoiled, NULL, NULL, 0, 2).features == NULL, "0 channels of 1 x 1");
    tx_graph *g = tx_graph_new();
    REFUSED(tx_net_build(g, f.stranger, net, 0, 2).features == NULL, "is a node of another graph");
    tx_graph_free(g);
    REFUSED(tx_net_channels(NULL) == 0, "no choice");
    REFUSED(tx_network_build(NULL, &choice, 0, NULL) != TX_OK, "tx_network_build");
    REFUSED(tx_network_build(&n, NULL, 0, NULL) != TX_OK, "no choice");
    REFUSED(tx_network_build(&n, &typo, 1, NULL) != TX_OK && !n.graph, "no network");
    REFUSED(tx_network_build(&n, &deep, 1, NULL) != TX_OK && !n.graph, "found 99");
    tx_network_free(NULL);
    REFUSED(tx_network_bn_momentum(NULL, 0.1) != TX_OK, "no network");
    REFUSED(tx_network_bn_momentum(&n, 0.1) != TX_OK, "no network");
    REFUSED(tx_network_bn_eps(NULL, 0.1) != TX_OK, "no network");
    REFUSED(tx_network_bn_eps(&n, 0.1) != TX_OK, "no network");
    REFUSED(tx_net_eps_by_name(NULL, "a.b") == 0, "no network");
    REFUSED(tx_net_eps_by_name(net, NULL) == 0, "no name");
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_network_bn_momentum(&n, -0.1) != TX_OK, "momentum -0.1");
    REFUSED(tx_network_bn_momentum(&n, (double)NAN) != TX_OK, "momentum nan");
    REFUSED(tx_network_bn_eps(&n, 0) != TX_OK, "eps 0");
    REFUSED(tx_network_bn_eps(&n, (double)NAN) != TX_OK, "eps nan");
    REFUSED(tx_network_new_head(NULL) != TX_OK, "no network");
    REFUSED(tx_network_new_head(&(tx_network){.graph = NULL}) != TX_OK, "no network");
    char *other;
    REFUSED(tx_net_other_name(NULL, "a.b", 0, &other) != TX_OK, "no network");
    REFUSED(tx_net_other_name(&typo, "a.b", 0, &other) != TX_OK, "no network");
    REFUSED(tx_net_other_name(&choice, NULL, 0, &other) != TX_OK, "no name");
    REFUSED(tx_net_other_name(&choice, "a.b", 0, NULL) != TX_OK, "no room for a name");
    REFUSED(tx_net_timm_name(NULL, "a.b", &other) != TX_OK, "no network");
    REFUSED(tx_net_timm_name(&choice, NULL, &other) != TX_OK, "no name");
    REFUSED(tx_net_timm_name(&choice, "a.b", NULL) != TX_OK, "no room for a name");
    REFUSED(tx_net_of_file(NULL) == NULL, "no name");
    REFUSED(tx_network_costs(NULL, one, &macs, &arena) != TX_OK, "no network");
    REFUSED(tx_network_costs(&n, none, &macs, &arena) != TX_OK, "0 images");
    REFUSED(tx_network_costs(&n, one, NULL, &arena) != TX_OK, "tx_network_costs");
    REFUSED(tx_network_costs(&n, one, &macs, NULL) != TX_OK, "tx_network_costs");
    tx_network_free(&n);
    REFUSED(*tx_net_choice_name(NULL, name) == 0, "no network");
    REFUSED(*tx_net_choice_name(&typo, name) == 0, "no network");
    REFUSED(*tx_net_choice_name(&choice, NULL) == 0, "tx_net_choice_name");
    REFUSED(tx_node_parameters(NULL) == 0, "no node");
}

/* ---- optim */

static void check_optimizer(void)
{
    static const struct {
        tx_optimizer_args args;
        const char *part;
    } cases[] = {
        {{.kind = (tx_optimizer_kind)17}, "optimiser number 17"},
        {{.kind = TX_ADAM, .lr = (double)NAN}, "lr is nan"},
        {{.kind = TX_SGD, .lr = (double)INFINITY}, "lr is inf"},
        {{.kind = TX_ADAMW, .lr = -(double)INFINITY}, "lr is -inf"},
        {{.kind = TX_SGD, .lr = 1e31}, "lr is 1e+31"},
        {{.kind = TX_ADAM, .beta1 = 1}, "beta1"},
        {{.kind = TX_ADAM, .beta1 = (double)NAN}, "beta1 is nan"},
        {{.kind = TX_ADAM, .beta2 = -(double)INFINITY}, "beta2 is -inf"},
        {{.kind = TX_ADAM, .beta2 = 1.5}, "beta2"},
        {{.kind = TX_ADAM, .eps = (double)NAN}, "eps is nan"},
        {{.kind = TX_ADAM, .eps = 1e39}, "eps is 1e+39"},
        {{.kind = TX_ADAM, .weight_decay = (double)NAN}, "weight_decay is nan"},
        {{.kind = TX_SGD, .weight_decay = (double)INFINITY}, "weight_decay is inf"},
        {{.kind = TX_SGD, .momentum = (double)NAN}, "momentum is nan"},
        {{.kind = TX_SGD, .momentum = 1.1}, "momentum 1.1"},
        {{.kind = TX_SGD, .momentum = 0.9, .dampening = 2}, "dampening 2"},
        {{.kind = TX_SGD, .dampening = (double)NAN}, "dampening is nan"},
        {{.kind = TX_SGD, .nesterov = 1}, "Nesterov"},
        {{.kind = TX_RMSPROP, .alpha = 1.5}, "alpha 1.5"},
        {{.kind = TX_RMSPROP, .alpha = (double)NAN}, "alpha is nan"},
    };
    double w[2] = {1, 1}, g[2] = {1, 1}, state[2] = {0}, *states[2] = {state, state}, *holes[2] = {state, NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSED(tx_optimizer_new(f.w, cases[i].args) == NULL, cases[i].part);
        REFUSED(tx_optimizer_reference(cases[i].args, 1, 0.1, 2, w, g, states) != TX_OK && w[0] == 1, cases[i].part);
    }
    tx_optimizer_free(NULL);
    tx_optimizer_args adam = {.kind = TX_ADAM};
    REFUSED(tx_optimizer_new(NULL, adam) == NULL, "no weights");
    REFUSED(tx_optimizer_new(f.bare, adam) == NULL, "with gradients");
    REFUSED(tx_optimizer_reference(adam, 0, 0.1, 2, w, g, states) != TX_OK, "counted from 1");
    REFUSED(tx_optimizer_reference(adam, 1, (double)NAN, 2, w, g, states) != TX_OK, "learning rate nan");
    REFUSED(tx_optimizer_reference(adam, 1, 0.1, 2, NULL, g, states) != TX_OK, "tx_optimizer_reference");
    REFUSED(tx_optimizer_reference(adam, 1, 0.1, 2, w, NULL, states) != TX_OK, "tx_optimizer_reference");
    REFUSED(tx_optimizer_reference(adam, 1, 0.1, 2, w, g, NULL) != TX_OK, "tx_optimizer_reference");
    REFUSED(tx_optimizer_reference(adam, 1, 0.1, 2, w, g, holes) != TX_OK, "exp_avg_sq");
    REFUSED(tx_optimizer_freeze(NULL, "conv") == -1, "no optimiser");
    REFUSED(tx_optimizer_freeze(f.adam, NULL) == -1, "no prefix");
    REFUSED(tx_optimizer_states(NULL) == 0, "no optimiser");
    REFUSED(tx_optimizer_state_name(NULL, 0) == NULL, "no optimiser");
    REFUSED(tx_optimizer_state_name(f.adam, 2) == NULL, "state 2 of 2");
    REFUSED(tx_optimizer_state_name(f.sgd, 0) == NULL, "state 0 of 0");
    REFUSED(tx_optimizer_state(NULL, 0) == NULL, "no optimiser");
    REFUSED(tx_optimizer_state(f.adam, -1) == NULL, "state -1 of 2");
    REFUSED(tx_optimizer_steps(NULL) == 0, "no optimiser");
    REFUSED(tx_optimizer_set_steps(NULL, 3) != TX_OK, "no optimiser");
}

/* A refused step changes nothing. */
static void check_steps(void)
{
    static const double rates[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e31};
    char before[65], after[65];
    float loss;
    tx_optimizer *strange = tx_optimizer_new(f.empty, (tx_optimizer_args){0});
    CHECK(tx_weights_digest(f.w, before) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        REFUSED(tx_optimizer_step(f.adam, rates[i]) != TX_OK, "learning rate");
        REFUSED(tx_train_step(f.train, f.loss, f.adam, rates[i], &loss) != TX_OK, "learning rate");
    }
    REFUSED(tx_optimizer_step(NULL, 0.1) != TX_OK, "no optimiser");
    REFUSED(tx_train_step(NULL, f.loss, f.adam, 0.1, &loss) != TX_OK, "no session");
    REFUSED(tx_train_step(f.train, NULL, f.adam, 0.1, &loss) != TX_OK, "no loss");
    REFUSED(tx_train_step(f.train, f.loss, NULL, 0.1, &loss) != TX_OK, "no optimiser");
    REFUSED(tx_train_step(f.train, f.hidden, f.adam, 0.1, &loss) != TX_OK, "no loss to train by");
    REFUSED(tx_train_step(f.train, f.stranger, f.adam, 0.1, &loss) != TX_OK, "no loss to train by");
    REFUSED(tx_train_step(f.train, f.loss, strange, 0.1, &loss) != TX_OK, "other weights than the session's");
    REFUSED(tx_train_step(f.infer, f.loss, f.adam, 0.1, &loss) != TX_OK, "for inference alone");
    CHECK(tx_weights_digest(f.w, after) == TX_OK && strcmp(before, after) == 0 && tx_optimizer_steps(f.adam) == 0,
          "a refused step has changed the weights");
    CHECK(tx_train_step(f.train, f.loss, f.adam, 0.1, NULL) == TX_OK, "%s", tx_error_message());
    tx_optimizer_free(strange);
}

static void check_schedule(void)
{
    tx_schedule strange = {.kind = (tx_schedule_kind)8, .lr = 1}, nan = {.lr = (double)NAN}, negative = {.lr = -1},
                factor = {.kind = TX_SCHEDULE_STEP, .lr = 1, .step_factor = -0.5};
    REFUSED(isnan(tx_schedule_lr(NULL, 0)), "no schedule");
    REFUSED(isnan(tx_schedule_lr(&strange, 0)), "schedule number 8");
    REFUSED(isnan(tx_schedule_lr(&nan, 0)), "rate nan");
    REFUSED(isnan(tx_schedule_lr(&negative, 0)), "rate -1");
    REFUSED(isnan(tx_schedule_lr(&factor, 0)), "factor -0.5");
}

/* ---- a chain of calls whose first one fails, looked at once, at the end */
static void check_chain(void)
{
    tx_fail(TX_ERR_FILE, "nothing has failed yet");
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 3, 32, 32), *label = tx_input(g, 1, 1, 1);
    tx_node *logits = tx_net_build(g, image, tx_net_find("resnet19"), 0, 1).logits;
    tx_node *loss = tx_bce_with_logits(g, logits, label, NULL, (tx_bce_args){0});
    tx_node_keep(logits);
    tx_weights *w = tx_weights_new(g, 1);
    tx_weights_init(w, 0);
    tx_session *s = tx_session_new(g, w, (tx_session_args){.batch = 4, .mode = TX_TRAIN});
    tx_optimizer *o = tx_optimizer_new(w, (tx_optimizer_args){.kind = TX_ADAM});
    tx_optimizer_freeze(o, "conv1");
    tx_session_run(s, 1);
    CHECK(!tx_session_input(s, image) && tx_train_step(s, loss, o, 1e-3, NULL) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "tx_train_step: no session (the failure before: tx_net_build: no network"),
          "a chain of calls ends with: %s", tx_error_message());
    CHECK(tx_graph_status(g) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "tx_net_build: no network"), "%s",
          tx_error_message());
    tx_optimizer_free(o);
    tx_session_free(s);
    tx_weights_free(w);
    tx_graph_free(g);
}

int main(void)
{
    fixture_new();
    check_ground();
    check_numbers();
    check_digests();
    check_graph();
    check_sizes();
    check_layers();
    check_layer_inputs();
    check_layer_numbers();
    check_affine();
    check_weights();
    check_plan();
    check_session_new();
    check_session();
    check_order();
    check_reference();
    check_nets();
    check_maps();
    check_optimizer();
    check_steps();
    check_schedule();
    check_chain();
    fixture_free();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("library_calls");
}
