/* library_kernels.c - products, convolutions, passes and updates called with operands that are missing or have no size. None
 * crashes, and each says what is wrong. */
#include "../core/op.h"
#include "refused.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- computing calls: each operand in turn is not there */

static float memory[4096];
static tx_machine machine;

static void check_both_gradients(void)
{
    const tx_machine *m = &machine;
    tx_view x = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4}, none = {.data = memory}, empty = x;
    empty.data = NULL;
    tx_slope dy = {.g = {memory, 1, 4, 4, 4, 4}}, nothing = {.g = {NULL, 1, 4, 4, 4, 4}};
    tx_gradient dx = {memory + 1024, 4, NULL, 0}, unwanted = {NULL, 4, NULL, 0};
    CHECK(!tx_gemm_gradients_pay(NULL, &x, 8) && !tx_gemm_gradients_pay(m, NULL, 8) &&
              !tx_gemm_gradients_pay(m, &none, 8) && !tx_gemm_gradients_pay(m, &x, 0),
          "nothing pays");
    REFUSED(tx_gemm_gradients_work(NULL, &x, 4) == SIZE_MAX, "tx_gemm_gradients_work");
    REFUSED(tx_gemm_gradients_work(m, NULL, 4) == SIZE_MAX, "tx_gemm_gradients_work");
    REFUSED(tx_gemm_gradients_work(m, &none, 4) == SIZE_MAX, "tx_gemm_gradients_work");
    REFUSED(tx_gemm_gradients_work(m, &x, 0) == SIZE_MAX, "tx_gemm_gradients_work");
    REFUSED(tx_gemm_gradients(NULL, &x, memory, &dy, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, NULL, memory, &dy, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &empty, memory, &dy, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, NULL, &dy, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, memory, NULL, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, memory, &nothing, &dx, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, memory, &dy, NULL, NULL, memory, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, memory, &dy, &unwanted, NULL, NULL, memory) != TX_OK, "tx_gemm_gradients");
    REFUSED(tx_gemm_gradients(m, &x, memory, &dy, &dx, NULL, memory, NULL) != TX_OK, "tx_gemm_gradients");
}

static void check_products(void)
{
    static const tx_tap centre = {0, 0};
    const tx_machine *m = &machine;
    tx_view x = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4}, none = {.data = memory}, empty = x;
    empty.data = NULL;
    tx_rows rows = {.x = x, .grid_h = 4, .grid_w = 4, .step_y = 1, .step_x = 1, .taps = 1, .tap = &centre};
    tx_rows tapless = rows, hollow = rows;
    tapless.tap = NULL;
    hollow.x = empty;
    tx_filter w = {.data = memory, .taps = 1, .c = 4, .row_step = 4, .n = 4, .column_step = 1}, no_data = w;
    no_data.data = NULL;
    tx_target y = {.data = memory + 1024, .ld = 4, .h = 4, .w = 4, .step_y = 1, .step_x = 1}, nowhere = y;
    nowhere.data = NULL;
    CHECK(tx_gemm_packed(SIZE_MAX, 2) == SIZE_MAX && tx_winograd_packed(-1, 4) == SIZE_MAX, "sizes that do not fit");
    REFUSED(tx_gemm_pack(NULL, memory, &w) != TX_OK, "tx_gemm_pack");
    REFUSED(tx_gemm_pack(m, NULL, &w) != TX_OK, "tx_gemm_pack");
    REFUSED(tx_gemm_pack(m, memory, NULL) != TX_OK, "tx_gemm_pack");
    REFUSED(tx_gemm_pack(m, memory, &no_data) != TX_OK, "tx_gemm_pack");
    REFUSED(tx_gemm_forward_work(NULL, &rows, 4) == SIZE_MAX, "tx_gemm_forward_work");
    REFUSED(tx_gemm_forward_work(m, NULL, 4) == SIZE_MAX, "tx_gemm_forward_work");
    REFUSED(tx_gemm_forward_work(m, &rows, 0) == SIZE_MAX, "tx_gemm_forward_work");
    REFUSED(tx_gemm_gradient_work(NULL, &rows, 4) == SIZE_MAX, "tx_gemm_gradient_work");
    REFUSED(tx_gemm_gradient_work(m, NULL, 4) == SIZE_MAX, "tx_gemm_gradient_work");
    REFUSED(tx_gemm_gradient_work(m, &tapless, 4) == SIZE_MAX, "tx_gemm_gradient_work");
    REFUSED(tx_gemm_forward(NULL, &rows, memory, 4, &y, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, NULL, memory, 4, &y, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &hollow, memory, 4, &y, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &rows, NULL, 4, &y, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &rows, memory, -4, &y, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &rows, memory, 4, NULL, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &rows, memory, 4, &nowhere, memory) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_forward(m, &rows, memory, 4, &y, NULL) != TX_OK, "tx_gemm_forward");
    REFUSED(tx_gemm_gradient(NULL, memory, &rows, &x, 0, memory) != TX_OK, "tx_gemm_gradient");
    REFUSED(tx_gemm_gradient(m, NULL, &rows, &x, 0, memory) != TX_OK, "tx_gemm_gradient");
    REFUSED(tx_gemm_gradient(m, memory, NULL, &x, 0, memory) != TX_OK, "tx_gemm_gradient");
    REFUSED(tx_gemm_gradient(m, memory, &rows, &none, 0, memory) != TX_OK, "tx_gemm_gradient");
    REFUSED(tx_gemm_gradient(m, memory, &rows, NULL, 0, memory) != TX_OK, "tx_gemm_gradient");
    REFUSED(tx_gemm_gradient(m, memory, &rows, &x, 0, NULL) != TX_OK, "tx_gemm_gradient");
    check_both_gradients();
}

static void check_winograd(void)
{
    const tx_machine *m = &machine;
    tx_view x = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4}, empty = x;
    empty.data = NULL;
    tx_filter w = {.data = memory, .taps = 1, .c = 4, .row_step = 4, .n = 4, .column_step = 1}, nine = w;
    nine.taps = 9;
    tx_target y = {.data = memory + 1024, .ld = 4, .h = 4, .w = 4, .step_y = 1, .step_x = 1}, nowhere = y;
    nowhere.data = NULL;
    CHECK(tx_winograd_products(0, 4, 64, 64) == 0 && tx_winograd_products(5, 4, 2, 3) == 2 * 36 * 6, "two tiles");
    CHECK(!tx_winograd_pays(0, 4, 64, 64) && !tx_winograd_pays(-4, -4, 64, 64), "it pays for no map");
    REFUSED(tx_winograd_pack(NULL, memory, &nine) != TX_OK, "tx_winograd_pack");
    REFUSED(tx_winograd_pack(m, NULL, &nine) != TX_OK, "tx_winograd_pack");
    REFUSED(tx_winograd_pack(m, memory, NULL) != TX_OK, "tx_winograd_pack");
    REFUSED(tx_winograd_pack(m, memory, &w) != TX_OK, "tx_winograd_pack");
    REFUSED(tx_winograd_forward_work(NULL, &x, 1, 4) == SIZE_MAX, "tx_winograd_forward_work");
    REFUSED(tx_winograd_forward_work(m, &x, 3, 4) == SIZE_MAX, "tx_winograd_forward_work");
    REFUSED(tx_winograd_forward_work(m, NULL, 1, 4) == SIZE_MAX, "tx_winograd_forward_work");
    REFUSED(tx_winograd_gradient_work(NULL, &x, 1, 4) == SIZE_MAX, "tx_winograd_gradient_work");
    REFUSED(tx_winograd_gradient_work(m, NULL, 1, 4) == SIZE_MAX, "tx_winograd_gradient_work");
    REFUSED(tx_winograd_gradient_work(m, &x, -1, 4) == SIZE_MAX, "tx_winograd_gradient_work");
    REFUSED(tx_winograd_forward(NULL, &x, 1, memory, 4, &y, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, &empty, 1, memory, 4, &y, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, &x, 1, NULL, 4, &y, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, NULL, 1, memory, 4, &y, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, &x, 1, memory, 4, NULL, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, &x, 1, memory, 4, &nowhere, memory) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_forward(m, &x, 1, memory, 4, &y, NULL) != TX_OK, "tx_winograd_forward");
    REFUSED(tx_winograd_gradient(m, NULL, &x, 1, &x, 0, memory) != TX_OK, "tx_winograd_gradient");
    REFUSED(tx_winograd_gradient(NULL, memory, &x, 1, &x, 0, memory) != TX_OK, "tx_winograd_gradient");
    REFUSED(tx_winograd_gradient(m, memory, NULL, 1, &x, 0, memory) != TX_OK, "tx_winograd_gradient");
    REFUSED(tx_winograd_gradient(m, memory, &x, 1, NULL, 0, memory) != TX_OK, "tx_winograd_gradient");
    REFUSED(tx_winograd_gradient(m, memory, &x, 1, &x, 0, NULL) != TX_OK, "tx_winograd_gradient");
}

static void check_depthwise(void)
{
    const tx_machine *m = &machine;
    tx_view x = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4}, empty = x;
    empty.data = NULL;
    tx_depthwise d = {3, 3, 1, 1, 1, 1, 1, 1}, none = {3, 3, 1, 0, 1, 1, 1, 1}, large = {16, 15, 1, 1, 1, 1, 1, 1};
    tx_target y = {.data = memory, .ld = 4, .h = 4, .w = 4, .step_y = 1, .step_x = 1};
    double wide[4];
    tx_slope dy = {.g = {memory, 1, 4, 4, 4, 4}}, nothing = {.g = {NULL, 1, 4, 4, 4, 4}};
    tx_gradient dx = {memory, 4, NULL, 0};
    REFUSED(tx_depthwise_forward_work(NULL, &d, &x, 4, 4) == SIZE_MAX, "tx_depthwise_forward_work");
    REFUSED(tx_depthwise_forward_work(m, NULL, &x, 4, 4) == SIZE_MAX, "tx_depthwise_forward_work");
    REFUSED(tx_depthwise_forward_work(m, &d, NULL, 4, 4) == SIZE_MAX, "tx_depthwise_forward_work");
    REFUSED(tx_depthwise_forward_work(m, &none, &x, 4, 4) == SIZE_MAX, "tx_depthwise_forward_work");
    REFUSED(tx_depthwise_gradient_work(NULL, &d, &x, 4, 4) == SIZE_MAX, "tx_depthwise_gradient_work");
    REFUSED(tx_depthwise_gradient_work(m, NULL, &x, 4, 4) == SIZE_MAX, "tx_depthwise_gradient_work");
    REFUSED(tx_depthwise_gradient_work(m, &d, NULL, 4, 4) == SIZE_MAX, "tx_depthwise_gradient_work");
    REFUSED(tx_depthwise_gradient_work(m, &large, &x, 4, 4) == SIZE_MAX, "tx_depthwise_gradient_work");
    REFUSED(tx_depthwise_forward(NULL, &d, &x, memory, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, NULL, &x, memory, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, &d, NULL, memory, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, &d, &empty, memory, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, &d, &x, NULL, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, &d, &x, memory, NULL, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_forward(m, &d, &x, memory, &y, NULL) != TX_OK, "tx_depthwise_forward");
    y.moments.mean = wide;
    REFUSED(tx_depthwise_forward(m, &d, &x, memory, &y, memory) != TX_OK, "tx_depthwise_forward");
    REFUSED(tx_depthwise_gradient(NULL, &d, &x, memory, &dy, &dx, NULL, NULL, memory) != TX_OK,
            "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, NULL, &x, memory, &dy, &dx, NULL, NULL, memory) != TX_OK, "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, NULL, memory, &dy, &dx, NULL, NULL, memory) != TX_OK, "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, &x, NULL, &dy, &dx, NULL, NULL, memory) != TX_OK, "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, &x, memory, NULL, &dx, NULL, NULL, memory) != TX_OK, "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, &x, memory, &nothing, &dx, NULL, NULL, memory) != TX_OK,
            "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, &x, memory, &dy, NULL, NULL, NULL, memory) != TX_OK, "tx_depthwise_gradient");
    REFUSED(tx_depthwise_gradient(m, &d, &x, memory, &dy, &dx, NULL, NULL, NULL) != TX_OK, "tx_depthwise_gradient");
}

static void check_passes(void)
{
    const tx_machine *m = &machine;
    double sum[8];
    unsigned char argmax[64];
    tx_tensor t = {memory, 1, 4, 4, 4, 4}, empty = {NULL, 1, 4, 4, 4, 4}, none = {memory, 0, 4, 4, 4, 4};
    tx_view x = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4}, half = x;
    tx_view seen = {.data = memory, .n = 1, .h = 4, .w = 4, .c = 4, .ld = 4, .scale = memory, .shift = memory};
    tx_view gated = x;
    half.scale = memory;
    gated.gate = memory;
    tx_gradient dx = {memory + 1024, 4, NULL, 0}, gone = {NULL, 4, NULL, 0};
    tx_window window = {.kernel = 2, .stride = 1}, wide = {.kernel = 16, .stride = 1}, still = {.kernel = 2};
    REFUSED(tx_channel_sum(NULL, &t, &x, 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, &empty, &x, 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, NULL, &x, 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, &t, NULL, 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, &t, &half, 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, &t, &x, 0, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_sum(m, &t, &x, TX_MAX_INPUTS + 1, TX_ACT_NONE) != TX_OK, "tx_channel_sum");
    REFUSED(tx_channel_mask(NULL, &dx, &t, NULL, 0) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_mask(m, NULL, &t, NULL, 0) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_mask(m, &dx, NULL, NULL, 0) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_mask(m, &gone, &t, NULL, 0) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_mask(m, &dx, &none, NULL, 0) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_mask(m, &dx, &t, &empty, TX_ACT_RELU) != TX_OK, "tx_channel_mask");
    REFUSED(tx_channel_work(16, 0) == SIZE_MAX, "tx_channel_work");
    REFUSED(tx_channel_work(SIZE_MAX, 4) == SIZE_MAX, "tx_channel_work");
    REFUSED(tx_channel_total(NULL, &x, sum, memory) != TX_OK, "tx_channel_total");
    REFUSED(tx_channel_total(m, NULL, sum, memory) != TX_OK, "tx_channel_total");
    REFUSED(tx_channel_total(m, &x, NULL, memory) != TX_OK, "tx_channel_total");
    REFUSED(tx_channel_total(m, &x, sum, NULL) != TX_OK, "tx_channel_total");
    REFUSED(tx_channel_moments(m, &x, NULL, sum, memory) != TX_OK, "tx_channel_moments");
    REFUSED(tx_channel_moments(NULL, &x, sum, sum, memory) != TX_OK, "tx_channel_moments");
    REFUSED(tx_channel_moments(m, NULL, sum, sum, memory) != TX_OK, "tx_channel_moments");
    REFUSED(tx_channel_moments(m, &x, sum, NULL, memory) != TX_OK, "tx_channel_moments");
    REFUSED(tx_channel_moments(m, &x, sum, sum, NULL) != TX_OK, "tx_channel_moments");
    REFUSED(tx_channel_bn_reduce(m, &x, memory, &t, sum, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, &seen, NULL, &t, sum, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(NULL, &seen, memory, &t, sum, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, NULL, memory, &t, sum, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, &seen, memory, &t, NULL, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, &seen, memory, &t, sum, NULL, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, &seen, memory, &t, sum, sum, NULL) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_reduce(m, &seen, memory, NULL, sum, sum, memory) != TX_OK, "tx_channel_bn_reduce");
    REFUSED(tx_channel_bn_apply(m, &dx, &x, memory, &t, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, &dx, &seen, memory, &t, NULL, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, NULL, &seen, memory, &t, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(NULL, &dx, &seen, memory, &t, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, &dx, NULL, memory, &t, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, &dx, &seen, NULL, &t, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, &dx, &seen, memory, NULL, memory, memory) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_bn_apply(m, &dx, &seen, memory, &t, memory, NULL) != TX_OK, "tx_channel_bn_apply");
    REFUSED(tx_channel_image_mean(m, NULL, &x) != TX_OK, "tx_channel_image_mean");
    REFUSED(tx_channel_image_mean(NULL, &t, &x) != TX_OK, "tx_channel_image_mean");
    REFUSED(tx_channel_image_mean(m, &t, NULL) != TX_OK, "tx_channel_image_mean");
    REFUSED(tx_channel_max_pool(NULL, &t, argmax, &x, &window) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool(m, &t, argmax, &x, NULL) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool(m, NULL, argmax, &x, &window) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool(m, &t, argmax, NULL, &window) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool(m, &t, argmax, &x, &wide) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool(m, &t, argmax, &x, &still) != TX_OK, "tx_channel_max_pool");
    REFUSED(tx_channel_max_pool_gradient(m, &dx, &t, NULL, &x, &window) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_max_pool_gradient(NULL, &dx, &t, argmax, &x, &window) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_max_pool_gradient(m, NULL, &t, argmax, &x, &window) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_max_pool_gradient(m, &dx, NULL, argmax, &x, &window) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_max_pool_gradient(m, &dx, &t, argmax, &x, NULL) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_max_pool_gradient(m, &dx, &t, argmax, NULL, &window) != TX_OK, "tx_channel_max_pool_gradient");
    REFUSED(tx_channel_avg_pool(NULL, &t, &x, &window) != TX_OK, "tx_channel_avg_pool");
    REFUSED(tx_channel_avg_pool(m, NULL, &x, &window) != TX_OK, "tx_channel_avg_pool");
    REFUSED(tx_channel_avg_pool(m, &t, NULL, &window) != TX_OK, "tx_channel_avg_pool");
    REFUSED(tx_channel_avg_pool(m, &t, &x, NULL) != TX_OK, "tx_channel_avg_pool");
    REFUSED(tx_channel_avg_pool_gradient(NULL, &dx, &t, &x, &window) != TX_OK, "tx_channel_avg_pool_gradient");
    REFUSED(tx_channel_avg_pool_gradient(m, NULL, &t, &x, &window) != TX_OK, "tx_channel_avg_pool_gradient");
    REFUSED(tx_channel_avg_pool_gradient(m, &dx, NULL, &x, &window) != TX_OK, "tx_channel_avg_pool_gradient");
    REFUSED(tx_channel_avg_pool_gradient(m, &dx, &t, NULL, &window) != TX_OK, "tx_channel_avg_pool_gradient");
    REFUSED(tx_channel_avg_pool_gradient(m, &dx, &t, &x, NULL) != TX_OK, "tx_channel_avg_pool_gradient");
    REFUSED(tx_channel_act_gradient(NULL, &dx, &t, &x, TX_ACT_SILU) != TX_OK, "tx_channel_act_gradient");
    REFUSED(tx_channel_act_gradient(m, NULL, &t, &x, TX_ACT_SILU) != TX_OK, "tx_channel_act_gradient");
    REFUSED(tx_channel_act_gradient(m, &dx, NULL, &x, TX_ACT_SILU) != TX_OK, "tx_channel_act_gradient");
    REFUSED(tx_channel_act_gradient(m, &dx, &t, NULL, TX_ACT_SILU) != TX_OK, "tx_channel_act_gradient");
    REFUSED(tx_channel_avg_pool(m, &t, &x, &wide) != TX_OK, "tx_channel_avg_pool");
    REFUSED(tx_channel_act_gradient(m, &dx, &t, &half, TX_ACT_SILU) != TX_OK, "tx_channel_act_gradient");
    REFUSED(tx_channel_gate_gradient(m, &dx, NULL, &t, &x) != TX_OK, "tx_channel_gate_gradient");
    REFUSED(tx_channel_gate_gradient(NULL, &dx, NULL, &t, &gated) != TX_OK, "tx_channel_gate_gradient");
    REFUSED(tx_channel_gate_gradient(m, NULL, NULL, &t, &gated) != TX_OK, "tx_channel_gate_gradient");
    REFUSED(tx_channel_gate_gradient(m, &dx, &gone, &t, &gated) != TX_OK, "tx_channel_gate_gradient");
    REFUSED(tx_channel_gate_gradient(m, &dx, NULL, NULL, &gated) != TX_OK, "tx_channel_gate_gradient");
    REFUSED(tx_channel_gate_gradient(m, &dx, NULL, &t, NULL) != TX_OK, "tx_channel_gate_gradient");
}

static void check_updates(void)
{
    tx_sgd_step sgd = {0};
    tx_adam_step adam = {0};
    REFUSED(tx_sgd_update(NULL, memory, memory, NULL, 4) != TX_OK, "tx_sgd_update");
    REFUSED(tx_sgd_update(&sgd, NULL, memory, NULL, 4) != TX_OK, "tx_sgd_update");
    REFUSED(tx_sgd_update(&sgd, memory, NULL, NULL, 4) != TX_OK, "tx_sgd_update");
    REFUSED(tx_adam_update(NULL, memory, memory, memory, memory, 4) != TX_OK, "tx_adam_update");
    REFUSED(tx_adam_update(&adam, NULL, memory, memory, memory, 4) != TX_OK, "tx_adam_update");
    REFUSED(tx_adam_update(&adam, memory, NULL, memory, memory, 4) != TX_OK, "tx_adam_update");
    REFUSED(tx_adam_update(&adam, memory, memory, NULL, memory, 4) != TX_OK, "tx_adam_update");
    REFUSED(tx_adam_update(&adam, memory, memory, memory, NULL, 4) != TX_OK, "tx_adam_update");
    tx_rmsprop_step rmsprop = {0};
    REFUSED(tx_rmsprop_update(NULL, memory, memory, memory, NULL, NULL, 4) != TX_OK, "tx_rmsprop_update");
    REFUSED(tx_rmsprop_update(&rmsprop, NULL, memory, memory, NULL, NULL, 4) != TX_OK, "tx_rmsprop_update");
    REFUSED(tx_rmsprop_update(&rmsprop, memory, NULL, memory, NULL, NULL, 4) != TX_OK, "tx_rmsprop_update");
    REFUSED(tx_rmsprop_update(&rmsprop, memory, memory, NULL, NULL, NULL, 4) != TX_OK, "tx_rmsprop_update");
}

int main(void)
{
    machine = tx_machine_now();
    check_products();
    check_winograd();
    check_depthwise();
    check_passes();
    check_updates();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("library_kernels");
}
