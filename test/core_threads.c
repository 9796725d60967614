/* core_threads.c - a loop runs each of its tasks once, whoever takes it. The kernels that multiply and sum, at one shape that is large: every chunk, group, block and round is
 * there many times over, for 16 threads too. Each result has the same bits on 1, 2, 3, 7 and 16 threads and on every
 * instruction set, and those are the bits that are written down here. */
#include "test.h"

#include "../core/op.h"

#include <string.h>

enum { N = 4, H = 80, W = 80, C = 24, O = 40, PIXELS = N * H * W };

/* A buffer for each operand. dense: the results of a run. */
static float *x, *dy, *weight, *packed, *result, *scale, *shift, *mean;
static double *sum;
static tx_machine machine;

static uint64_t mix(uint64_t digest, const void *data, size_t floats)
{
    const char *at = data;
    for (size_t i = 0; i < floats; i++) {
        uint32_t u;
        memcpy(&u, at + i * sizeof u, sizeof u);
        digest = (digest ^ u) * 0x100000001b3u;
    }
    return digest;
}

/* Sums in double count by what is left of them in float, and by the rest. */
static uint64_t mix_doubles(uint64_t digest, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float high = (float)v[i], low = (float)(v[i] - (double)high);
        digest = mix(mix(digest, &high, 1), &low, 1);
    }
    return digest;
}

static void fill(float *v, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        v[i] = tx_random_uniform(23, TX_RANDOM_TEST, stream, i) - 0.5f;
}

static tx_view view_of(float *data, int c)
{
    return (tx_view){.data = data, .n = N, .h = H, .w = W, .c = c, .ld = (size_t)c};
}

static tx_target target_of(float *data)
{
    return (tx_target){.data = data, .ld = O, .h = H, .w = W, .step_y = 1, .step_x = 1};
}

static void *work_of(size_t bytes)
{
    void *work = tx_alloc(bytes, 1);
    CHECK(work, "%s", tx_error_message());
    return work;
}

static const tx_tap centre = {0, 0};

static tx_rows rows_of(void)
{
    return (tx_rows){.x = view_of(x, C), .grid_h = H, .grid_w = W, .step_y = 1, .step_x = 1, .taps = 1, .tap = &centre};
}

static uint64_t product(uint64_t digest)
{
    tx_rows a = rows_of();
    tx_filter w = {.data = weight, .taps = 1, .c = C, .row_step = O, .n = O, .column_step = 1};
    tx_target y = target_of(result);
    void *work = work_of(tx_gemm_forward_work(&machine, &a, O));
    CHECK(tx_gemm_pack(&machine, packed, &w) == TX_OK && tx_gemm_forward(&machine, &a, packed, O, &y, work) == TX_OK,
          "%s", tx_error_message());
    tx_free(work);
    return mix(digest, result, (size_t)PIXELS * O);
}

/* The same, and the batch statistics of what it writes. */
static uint64_t product_moments(uint64_t digest)
{
    tx_rows a = rows_of();
    tx_target y = target_of(result);
    y.moments = (tx_moments){sum, sum + O, work_of(tx_channel_work(PIXELS, O))};
    void *work = work_of(tx_gemm_forward_work(&machine, &a, O));
    CHECK(tx_gemm_forward(&machine, &a, packed, O, &y, work) == TX_OK, "%s", tx_error_message());
    tx_free(work);
    tx_free(y.moments.work);
    return mix_doubles(mix(digest, result, (size_t)PIXELS * O), sum, (size_t)2 * O);
}

static const tx_depthwise five = {5, 5, 1, 1, 1, 1, 2, 2};

static uint64_t depthwise(uint64_t digest)
{
    tx_view v = view_of(x, C);
    tx_target y = target_of(result);
    y.ld = C;
    y.moments = (tx_moments){sum, sum + C, work_of(tx_channel_work(PIXELS, C))};
    void *work = work_of(tx_depthwise_forward_work(&machine, &five, &v, H, W));
    CHECK(tx_depthwise_forward(&machine, &five, &v, weight, &y, work) == TX_OK, "%s", tx_error_message());
    tx_free(work);
    tx_free(y.moments.work);
    return mix_doubles(mix(digest, result, (size_t)PIXELS * C), sum, (size_t)2 * C);
}

static uint64_t depthwise_gradient(uint64_t digest)
{
    enum { TAPS = 25 };
    float dw[(TAPS + 1) * C];
    tx_view v = view_of(x, C);
    tx_slope g = {.g = {.data = dy, .n = N, .h = H, .w = W, .c = C, .ld = C}};
    tx_gradient dx = {.data = result, .ld = C};
    void *work = work_of(tx_depthwise_gradient_work(&machine, &five, &v, H, W));
    CHECK(tx_depthwise_gradient(&machine, &five, &v, weight, &g, &dx, dw, dw + TAPS * C, work) == TX_OK, "%s",
          tx_error_message());
    tx_free(work);
    return mix(mix(digest, result, (size_t)PIXELS * C), dw, (size_t)(TAPS + 1) * C);
}

static uint64_t product_gradient(uint64_t digest)
{
    tx_rows a = rows_of();
    tx_view g = view_of(dy, O);
    void *work = work_of(tx_gemm_gradient_work(&machine, &a, O));
    CHECK(tx_gemm_gradient(&machine, result, &a, &g, 0, work) == TX_OK, "%s", tx_error_message());
    tx_free(work);
    return mix(digest, result, (size_t)C * O);
}

static uint64_t winograd(uint64_t digest)
{
    tx_view v = view_of(x, C);
    tx_filter w = {.data = weight, .taps = 9, .tap_step = C * O, .c = C, .row_step = O, .n = O, .column_step = 1};
    tx_target y = target_of(result);
    void *work = work_of(tx_winograd_forward_work(&machine, &v, 1, O));
    CHECK(tx_winograd_pack(&machine, packed, &w) == TX_OK &&
              tx_winograd_forward(&machine, &v, 1, packed, O, &y, work) == TX_OK,
          "%s", tx_error_message());
    tx_free(work);
    return mix(digest, result, (size_t)PIXELS * O);
}

static uint64_t winograd_gradient(uint64_t digest)
{
    tx_view v = view_of(x, C), g = view_of(dy, O);
    void *work = work_of(tx_winograd_gradient_work(&machine, &v, 1, O));
    CHECK(tx_winograd_gradient(&machine, result, &v, 1, &g, 0, work) == TX_OK, "%s", tx_error_message());
    tx_free(work);
    return mix(digest, result, (size_t)9 * C * O);
}

static uint64_t channel_sums(uint64_t digest)
{
    tx_view v = view_of(dy, O);
    tx_tensor g = {.data = dy, .n = N, .h = H, .w = W, .c = O, .ld = O}, y = {.data = result, N, 1, 1, O, O};
    void *work = work_of(tx_channel_work(PIXELS, O));
    CHECK(tx_channel_total(&machine, &v, sum, work) == TX_OK, "%s", tx_error_message());
    digest = mix_doubles(digest, sum, O);
    CHECK(tx_channel_moments(&machine, &v, sum, sum + O, work) == TX_OK, "%s", tx_error_message());
    digest = mix_doubles(digest, sum, (size_t)2 * O);
    CHECK(tx_channel_image_mean(&machine, &y, &v) == TX_OK, "%s", tx_error_message());
    digest = mix(digest, result, (size_t)N * O);
    v.scale = scale;
    v.shift = shift;
    v.act = TX_ACT_RELU;
    CHECK(tx_channel_bn_reduce(&machine, &v, mean, &g, sum, sum + O, work) == TX_OK, "%s", tx_error_message());
    tx_free(work);
    return mix_doubles(digest, sum, (size_t)2 * O);
}

static const struct {
    const char *name;
    uint64_t (*run)(uint64_t digest);
    uint64_t want;
} kernels[] = {
    {"product", product, 0x25a798df87f39f55u},
    {"product with statistics", product_moments, 0x6a7a973dc2f454fau},
    {"depthwise", depthwise, 0x93086d3881659140u},
    {"depthwise gradient", depthwise_gradient, 0x577dad942aec9fc7u},
    {"product's gradient", product_gradient, 0x8f8480ff3e1d182fu},
    {"Winograd", winograd, 0x13639cf89abb3308u},
    {"Winograd's gradient", winograd_gradient, 0x79e18d5cc6d29d68u},
    {"sums of channels", channel_sums, 0x2a1d53e2d8fecaa2u},
};

enum { TASKS = 1000 };
typedef struct loop {
    int runs[TASKS], late; /* worker `late` comes to his tasks when others have done them */
} loop;

static void count_task(void *context, size_t i, int worker)
{
    loop *l = context;
    double start = tx_seconds();
    while (worker == l->late && tx_seconds() - start < 1e-3) {
    }
    l->runs[i] += worker >= 0 && worker < machine.threads ? 1 : 1000;
}

static void check_loop(int threads, size_t tasks, int late)
{
    loop l = {.late = late};
    machine = (tx_machine){threads, tx_machine_now().kernels};
    CHECK(tx_parallel_on(&machine, tasks, count_task, &l) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < TASKS; i++)
        CHECK(l.runs[i] == (i < tasks), "task %zu of %zu on %d threads: %d times", i, tasks, threads, l.runs[i]);
}

static void check_loops(void)
{
    static const int threads[] = {1, 2, 3, 7, 64, 65, 100};
    static const size_t tasks[] = {0, 1, 2, 3, 12, 99, TASKS};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (size_t n = 0; n < sizeof tasks / sizeof *tasks; n++)
            check_loop(threads[t], tasks[n], -1);
    check_loop(3, 30, 1);
    check_loop(3, 30, 0);
}

static void check(const char *isa, int threads)
{
    CHECK(tx_isa_select(isa) == TX_OK && tx_set_threads(threads) == TX_OK, "%s", tx_error_message());
    machine = tx_machine_now();
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        uint64_t found = kernels[k].run(0xcbf29ce484222325u);
        CHECK(found == kernels[k].want, "%s, %s, %d threads: 0x%016llx, on other machines 0x%016llx", kernels[k].name,
              isa, threads, (unsigned long long)found, (unsigned long long)kernels[k].want);
    }
}

int main(void)
{
    check_loops();
    static const int threads[] = {1, 2, 3, 7, 16};
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa);
    size_t winograd_floats = tx_winograd_packed(C, O), product_floats = tx_gemm_packed(C, O);
    x = tx_alloc((size_t)PIXELS * C, sizeof *x);
    dy = tx_alloc((size_t)PIXELS * O, sizeof *dy);
    weight = tx_alloc((size_t)9 * C * O + 3 * O, sizeof *weight);
    packed = tx_alloc(winograd_floats > product_floats ? winograd_floats : product_floats, sizeof *packed);
    result = tx_alloc((size_t)PIXELS * O, sizeof *result);
    sum = tx_alloc((size_t)2 * O, sizeof *sum);
    CHECK(x && dy && weight && packed && result && sum, "%s", tx_error_message());
    if (!test_failed) {
        fill(x, (size_t)PIXELS * C, 0);
        fill(dy, (size_t)PIXELS * O, 1);
        fill(weight, (size_t)9 * C * O + 3 * O, 2);
        scale = weight + 9 * C * O;
        shift = scale + O;
        mean = shift + O;
        for (int i = 0; i < isas; i++)
            for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
                check(isa[i], threads[t]);
    }
    void *all[] = {x, dy, weight, packed, result, sum};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tx_free(all[i]);
    return test_done("core_threads");
}
