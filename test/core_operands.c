/* core_operands.c - the calls that compute, each with one operand missing or without a size: an error that names the call, and
 * nothing is computed; with all of them there, no error. */
#include "../core/op.h"
#include "test.h"

#include <string.h>

enum { C = 5, H = 6, W = 6, PIXELS = H * W, FLOATS = PIXELS * C, KERNEL = 9 };

/* All that any call takes, as whoever calls sees it: spoiled in one place. */
typedef struct operands {
    tx_machine machine;
    tx_view x, dy_view;
    tx_tensor y, dy, pooled, mean;
    tx_gradient dx;
    tx_window window;
    tx_depthwise depthwise;
    tx_slope slope;
    tx_rows rows;
    tx_filter filter;
    tx_target target;
    tx_sgd_step sgd;
    tx_adam_step adam;
    tx_rmsprop_step rmsprop;
    /* NULL where it is missing */
    const tx_machine *m;
    const tx_view *px, *pdy_view;
    const tx_tensor *py, *pdy, *ppooled, *pmean;
    const tx_gradient *pdx;
    const tx_window *pwindow;
    const tx_depthwise *pdepthwise;
    const tx_slope *pslope;
    const tx_rows *prows;
    const tx_filter *pfilter;
    const tx_target *ptarget;
    const tx_sgd_step *psgd;
    const tx_adam_step *padam;
    const tx_rmsprop_step *prmsprop;
    float *packed, *dw, *vector, *buffer;
    double *sums, *more;
    unsigned char *argmax;
    void *work;
    int inputs, n, padding;
} operands;

static float data[8][FLOATS], numbers[C], weights[KERNEL * C * C];
static double wide[2][C];
static unsigned char chosen[FLOATS];
static const tx_tap taps[KERNEL] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}};
static float packed_room[1 << 16];
static void *work_room;

static void set_up(operands *o)
{
    memset(o, 0, sizeof *o);
    o->machine = tx_machine_now();
    o->x = (tx_view){data[0], 1, H, W, C, C, numbers, numbers, TX_ACT_RELU, NULL, 0};
    o->y = (tx_tensor){data[1], 1, H, W, C, C};
    o->dy = (tx_tensor){data[2], 1, H, W, C, C};
    o->dy_view = (tx_view){.data = data[2], .n = 1, .h = H - 2, .w = W - 2, .c = C, .ld = C};
    o->pooled = (tx_tensor){data[3], 1, H / 2, W / 2, C, C};
    o->mean = (tx_tensor){data[3], 1, 1, 1, C, C};
    o->dx = (tx_gradient){data[4], C, NULL, 0};
    o->window = (tx_window){.kernel = 2, .stride = 2};
    o->depthwise = (tx_depthwise){3, 3, 1, 1, 1, 1, 0, 0};
    o->slope = (tx_slope){.g = {data[2], 1, H - 2, W - 2, C, C}};
    o->rows = (tx_rows){.x = o->x, .grid_h = H - 2, .grid_w = W - 2, .step_y = 1, .step_x = 1, .taps = KERNEL};
    o->rows.tap = taps;
    o->x.gate = numbers;
    o->x.gate_ld = C;
    o->filter = (tx_filter){
        .data = weights, .taps = KERNEL, .tap_step = C * C, .c = C, .row_step = C, .n = C, .column_step = 1};
    o->target = (tx_target){.data = data[5], .ld = C, .h = H - 2, .w = W - 2, .step_y = 1, .step_x = 1};
    o->m = &o->machine;
    o->px = &o->x;
    o->pdy_view = &o->dy_view;
    o->py = &o->y;
    o->pdy = &o->dy;
    o->ppooled = &o->pooled;
    o->pmean = &o->mean;
    o->pdx = &o->dx;
    o->pwindow = &o->window;
    o->pdepthwise = &o->depthwise;
    o->pslope = &o->slope;
    o->prows = &o->rows;
    o->pfilter = &o->filter;
    o->ptarget = &o->target;
    o->psgd = &o->sgd;
    o->padam = &o->adam;
    o->prmsprop = &o->rmsprop;
    o->packed = packed_room;
    o->dw = weights;
    o->vector = numbers;
    o->buffer = data[6];
    o->sums = wide[0];
    o->more = wide[1];
    o->argmax = chosen;
    o->work = work_room;
    o->inputs = 1;
    o->n = C;
    o->padding = 0;
}

/* ---- one thing that is missing or has no size */
#define SPOILS(S)                                      \
    S(MACHINE, o->m = NULL)                            \
    S(NO_THREADS, o->machine.threads = 0)              \
    S(NO_KERNELS, o->machine.kernels = NULL)           \
    S(NO_X, o->px = NULL)                              \
    S(X_DATA, o->x.data = NULL)                        \
    S(X_IMAGES, o->x.n = 0)                            \
    S(X_ROWS, o->x.h = 0)                              \
    S(X_COLUMNS, o->x.w = -1)                          \
    S(X_CHANNELS, o->x.c = 0)                          \
    S(X_SHIFT, o->x.shift = NULL)                      \
    S(X_PLAIN, o->x.scale = o->x.shift = NULL)         \
    S(X_OPEN, o->x.gate = NULL)                        \
    S(NO_Y, o->py = NULL)                              \
    S(Y_DATA, o->y.data = NULL)                        \
    S(Y_SIZE, o->y.h = 0)                              \
    S(NO_DY, o->pdy = NULL)                            \
    S(DY_DATA, o->dy.data = NULL)                      \
    S(DY_SIZE, o->dy.c = 0)                            \
    S(NO_POOLED, o->ppooled = NULL)                    \
    S(POOLED_SIZE, o->pooled.w = 0)                    \
    S(NO_MEAN, o->pmean = NULL)                        \
    S(MEAN_SIZE, o->mean.n = 0)                        \
    S(NO_DX, o->pdx = NULL)                            \
    S(DX_DATA, o->dx.data = NULL)                      \
    S(NO_WINDOW, o->pwindow = NULL)                    \
    S(WINDOW_KERNEL, o->window.kernel = 0)             \
    S(WINDOW_LARGE, o->window.kernel = 16)             \
    S(WINDOW_STRIDE, o->window.stride = 0)             \
    S(NO_DEPTHWISE, o->pdepthwise = NULL)              \
    S(DEPTHWISE_ROWS, o->depthwise.kernel_h = 0)       \
    S(DEPTHWISE_COLUMNS, o->depthwise.kernel_w = -1)   \
    S(DEPTHWISE_TAPS, o->depthwise.kernel_w = 76)      \
    S(DEPTHWISE_STEP, o->depthwise.stride_h = 0)       \
    S(DEPTHWISE_STRIDE, o->depthwise.stride_w = 0)     \
    S(DEPTHWISE_APART, o->depthwise.dilation_h = 0)    \
    S(DEPTHWISE_DILATION, o->depthwise.dilation_w = 0) \
    S(NO_SLOPE, o->pslope = NULL)                      \
    S(SLOPE_DATA, o->slope.g.data = NULL)              \
    S(SLOPE_SIZE, o->slope.g.h = 0)                    \
    S(NO_ROWS, o->prows = NULL)                        \
    S(ROWS_GRID, o->rows.grid_h = 0)                   \
    S(ROWS_TAPS, o->rows.taps = -1)                    \
    S(ROWS_TAP, o->rows.tap = NULL)                    \
    S(ROWS_X, o->rows.x.data = NULL)                   \
    S(ROWS_IMAGES, o->rows.x.n = 0)                    \
    S(ROWS_SHIFT, o->rows.x.scale = NULL)              \
    S(NO_FILTER, o->pfilter = NULL)                    \
    S(FILTER_DATA, o->filter.data = NULL)              \
    S(FILTER_TAPS, o->filter.taps = -1)                \
    S(FILTER_ROWS, o->filter.c = 0)                    \
    S(FILTER_COLUMNS, o->filter.n = 0)                 \
    S(NO_TARGET, o->ptarget = NULL)                    \
    S(TARGET_DATA, o->target.data = NULL)              \
    S(TARGET_ROWS, o->target.h = 0)                    \
    S(TARGET_COLUMNS, o->target.w = 0)                 \
    S(NO_DY_VIEW, o->pdy_view = NULL)                  \
    S(DY_VIEW_DATA, o->dy_view.data = NULL)            \
    S(DY_VIEW_SIZE, o->dy_view.w = 0)                  \
    S(NO_PACKED, o->packed = NULL)                     \
    S(NO_DW, o->dw = NULL)                             \
    S(NO_VECTOR, o->vector = NULL)                     \
    S(NO_BUFFER, o->buffer = NULL)                     \
    S(NO_SUMS, o->sums = NULL)                         \
    S(NO_MORE, o->more = NULL)                         \
    S(NO_ARGMAX, o->argmax = NULL)                     \
    S(NO_WORK, o->work = NULL)                         \
    S(NO_INPUTS, o->inputs = 0)                        \
    S(MANY_INPUTS, o->inputs = TX_MAX_INPUTS + 1)      \
    S(NO_COLUMNS, o->n = 0)                            \
    S(PADDING_BELOW, o->padding = -1)                  \
    S(PADDING_ABOVE, o->padding = 3)                   \
    S(NO_SGD, o->psgd = NULL)                          \
    S(NO_ADAM, o->padam = NULL)                        \
    S(NO_RMSPROP, o->prmsprop = NULL)

#define SPOIL_NAME(name, what) name,
enum { SPOILS(SPOIL_NAME) ALL_SPOILS };
#define SPOIL_CASE(name, what) \
    case name:                 \
        what;                  \
        return #name;
static const char *spoil(operands *o, int k)
{
    switch (k) {
        SPOILS(SPOIL_CASE)
    }
    return "";
}

/* ---- the calls; sizes that are an error come back as one */

static tx_status size_status(size_t bytes)
{
    return bytes == (size_t)-1 ? tx_error_status() : TX_OK;
}

static tx_status call_sum(const operands *o)
{
    return tx_channel_sum(o->m, o->py, o->px, o->inputs, TX_ACT_NONE);
}
static tx_status call_mask(const operands *o)
{
    return tx_channel_mask(o->m, o->pdx, o->pdy, &o->y, TX_ACT_RELU);
}
static tx_status call_act_gradient(const operands *o)
{
    return tx_channel_act_gradient(o->m, o->pdx, o->pdy, o->px, TX_ACT_SILU);
}
static tx_status call_gate_gradient(const operands *o)
{
    return tx_channel_gate_gradient(o->m, o->pdx, NULL, o->pdy, o->px);
}
static tx_status call_gate_sums(const operands *o)
{
    return tx_channel_gate_gradient(o->m, NULL, o->pdx, o->pdy, o->px);
}
static tx_status call_total(const operands *o)
{
    return tx_channel_total(o->m, o->px, o->sums, o->work);
}
static tx_status call_moments(const operands *o)
{
    return tx_channel_moments(o->m, o->px, o->sums, o->more, o->work);
}
static tx_status call_normal_sums(const operands *o)
{
    return tx_channel_bn_reduce(o->m, o->px, o->vector, o->pdy, o->sums, o->more, o->work);
}
static tx_status call_normal_gradient(const operands *o)
{
    return tx_channel_bn_apply(o->m, o->pdx, o->px, numbers, o->pdy, o->vector, numbers);
}
static tx_status call_normal_mean(const operands *o)
{
    return tx_channel_bn_apply(o->m, o->pdx, o->px, o->vector, o->pdy, numbers, numbers);
}
static tx_status call_normal_slope(const operands *o)
{
    return tx_channel_bn_apply(o->m, o->pdx, o->px, numbers, o->pdy, numbers, o->vector);
}
static tx_status call_image_mean(const operands *o)
{
    return tx_channel_image_mean(o->m, o->pmean, o->px);
}
static tx_status call_max_pool(const operands *o)
{
    return tx_channel_max_pool(o->m, o->ppooled, o->argmax, o->px, o->pwindow);
}
static tx_status call_max_pool_gradient(const operands *o)
{
    return tx_channel_max_pool_gradient(o->m, o->pdx, o->ppooled, o->argmax, o->px, o->pwindow);
}
static tx_status call_avg_pool(const operands *o)
{
    return tx_channel_avg_pool(o->m, o->ppooled, o->px, o->pwindow);
}
static tx_status call_avg_pool_gradient(const operands *o)
{
    return tx_channel_avg_pool_gradient(o->m, o->pdx, o->ppooled, o->px, o->pwindow);
}
static tx_status call_gemm_pack(const operands *o)
{
    return tx_gemm_pack(o->m, o->packed, o->pfilter);
}
static tx_status call_gemm_forward_work(const operands *o)
{
    return size_status(tx_gemm_forward_work(o->m, o->prows, o->n));
}
static tx_status call_gemm_forward(const operands *o)
{
    return tx_gemm_forward(o->m, o->prows, o->packed, o->n, o->ptarget, o->work);
}
static tx_status call_gemm_gradient_work(const operands *o)
{
    return size_status(tx_gemm_gradient_work(o->m, o->prows, o->n));
}
static tx_status call_gemm_gradient(const operands *o)
{
    return tx_gemm_gradient(o->m, o->dw, o->prows, o->pdy_view, 0, o->work);
}
static tx_status call_winograd_pack(const operands *o)
{
    return tx_winograd_pack(o->m, o->packed, o->pfilter);
}
static tx_status call_winograd_forward_work(const operands *o)
{
    return size_status(tx_winograd_forward_work(o->m, o->px, o->padding, o->n));
}
static tx_status call_winograd_forward(const operands *o)
{
    return tx_winograd_forward(o->m, o->px, o->padding, o->packed, o->n, o->ptarget, o->work);
}
static tx_status call_winograd_gradient_work(const operands *o)
{
    return size_status(tx_winograd_gradient_work(o->m, o->px, o->padding, o->n));
}
static tx_status call_winograd_gradient(const operands *o)
{
    return tx_winograd_gradient(o->m, o->dw, o->px, o->padding, o->pdy_view, 0, o->work);
}
static tx_status call_depthwise_forward_work(const operands *o)
{
    return size_status(tx_depthwise_forward_work(o->m, o->pdepthwise, o->px, o->n, o->n));
}
static tx_status call_depthwise_forward(const operands *o)
{
    return tx_depthwise_forward(o->m, o->pdepthwise, o->px, o->packed, o->ptarget, o->work);
}
static tx_status call_depthwise_gradient_work(const operands *o)
{
    return size_status(tx_depthwise_gradient_work(o->m, o->pdepthwise, o->px, o->n, o->n));
}
static tx_status call_depthwise_gradient(const operands *o)
{
    return tx_depthwise_gradient(o->m, o->pdepthwise, o->px, o->packed, o->pslope, o->pdx, o->dw, NULL, o->work);
}
static tx_status call_sgd(const operands *o)
{
    return tx_sgd_update(o->psgd, o->dw, o->vector, NULL, C);
}
static tx_status call_adam(const operands *o)
{
    return tx_adam_update(o->padam, o->dw, o->vector, o->buffer, data[7], C);
}
static tx_status call_adam_square(const operands *o)
{
    return tx_adam_update(o->padam, o->dw, o->vector, data[7], o->buffer, C);
}
static tx_status call_rmsprop(const operands *o)
{
    return tx_rmsprop_update(o->prmsprop, o->dw, o->vector, o->buffer, NULL, NULL, C);
}

enum { MOST = 40 };
#define COMPUTES MACHINE, NO_THREADS, NO_KERNELS
#define VIEW NO_X, X_DATA, X_IMAGES, X_ROWS, X_COLUMNS, X_CHANNELS, X_SHIFT
#define VIEW_SIZE NO_X, X_IMAGES, X_ROWS, X_COLUMNS, X_CHANNELS
#define TENSOR_DY NO_DY, DY_DATA, DY_SIZE
#define WINDOW NO_WINDOW, WINDOW_KERNEL, WINDOW_LARGE, WINDOW_STRIDE
#define ROWS_SIZE NO_ROWS, ROWS_GRID, ROWS_TAPS, ROWS_TAP, ROWS_IMAGES
#define FILTER NO_FILTER, FILTER_DATA, FILTER_TAPS, FILTER_ROWS, FILTER_COLUMNS
#define DEPTHWISE                                                                                      \
    NO_DEPTHWISE, DEPTHWISE_ROWS, DEPTHWISE_COLUMNS, DEPTHWISE_TAPS, DEPTHWISE_STEP, DEPTHWISE_STRIDE, \
        DEPTHWISE_APART, DEPTHWISE_DILATION
#define DY_VIEW NO_DY_VIEW, DY_VIEW_DATA, DY_VIEW_SIZE

/* What each call cannot do without, ended by -1; all else does not concern it. */
static const struct {
    const char *name;
    tx_status (*call)(const operands *o);
    int needs[MOST];
} calls[] = {
    {"tx_channel_sum", call_sum, {COMPUTES, VIEW, NO_Y, Y_DATA, Y_SIZE, NO_INPUTS, MANY_INPUTS, -1}},
    {"tx_channel_mask", call_mask, {COMPUTES, NO_DX, DX_DATA, TENSOR_DY, Y_DATA, Y_SIZE, -1}},
    {"tx_channel_act_gradient", call_act_gradient, {COMPUTES, VIEW, NO_DX, DX_DATA, TENSOR_DY, -1}},
    {"tx_channel_gate_gradient", call_gate_gradient, {COMPUTES, VIEW, X_OPEN, NO_DX, DX_DATA, TENSOR_DY, -1}},
    {"tx_channel_gate_gradient", call_gate_sums, {COMPUTES, VIEW, X_OPEN, NO_DX, DX_DATA, TENSOR_DY, -1}},
    {"tx_channel_total", call_total, {COMPUTES, VIEW, NO_SUMS, NO_WORK, -1}},
    {"tx_channel_moments", call_moments, {COMPUTES, VIEW, NO_SUMS, NO_MORE, NO_WORK, -1}},
    {"tx_channel_bn_reduce",
     call_normal_sums,
     {COMPUTES, VIEW, X_PLAIN, TENSOR_DY, NO_VECTOR, NO_SUMS, NO_MORE, NO_WORK, -1}},
    {"tx_channel_bn_apply", call_normal_gradient, {COMPUTES, VIEW, X_PLAIN, NO_DX, DX_DATA, TENSOR_DY, NO_VECTOR, -1}},
    {"tx_channel_bn_apply", call_normal_mean, {COMPUTES, VIEW, X_PLAIN, NO_DX, DX_DATA, TENSOR_DY, NO_VECTOR, -1}},
    {"tx_channel_bn_apply", call_normal_slope, {COMPUTES, VIEW, X_PLAIN, NO_DX, DX_DATA, TENSOR_DY, NO_VECTOR, -1}},
    {"tx_channel_image_mean", call_image_mean, {COMPUTES, VIEW, NO_MEAN, MEAN_SIZE, -1}},
    {"tx_channel_max_pool", call_max_pool, {COMPUTES, VIEW, NO_POOLED, POOLED_SIZE, WINDOW, -1}},
    {"tx_channel_max_pool_gradient",
     call_max_pool_gradient,
     {COMPUTES, VIEW_SIZE, NO_DX, DX_DATA, NO_POOLED, POOLED_SIZE, NO_ARGMAX, WINDOW, -1}},
    {"tx_channel_avg_pool", call_avg_pool, {COMPUTES, VIEW, NO_POOLED, POOLED_SIZE, WINDOW, -1}},
    {"tx_channel_avg_pool_gradient",
     call_avg_pool_gradient,
     {COMPUTES, VIEW_SIZE, NO_DX, DX_DATA, NO_POOLED, POOLED_SIZE, WINDOW, -1}},
    {"tx_gemm_pack", call_gemm_pack, {COMPUTES, FILTER, NO_PACKED, -1}},
    {"tx_gemm_forward_work", call_gemm_forward_work, {COMPUTES, ROWS_SIZE, NO_COLUMNS, -1}},
    {"tx_gemm_forward",
     call_gemm_forward,
     {COMPUTES, ROWS_SIZE, ROWS_X, ROWS_SHIFT, NO_PACKED, NO_COLUMNS, NO_TARGET, TARGET_DATA, NO_WORK, -1}},
    {"tx_gemm_gradient_work", call_gemm_gradient_work, {COMPUTES, ROWS_SIZE, NO_COLUMNS, -1}},
    {"tx_gemm_gradient", call_gemm_gradient, {COMPUTES, ROWS_SIZE, ROWS_X, ROWS_SHIFT, NO_DW, DY_VIEW, NO_WORK, -1}},
    {"tx_winograd_pack", call_winograd_pack, {COMPUTES, FILTER, NO_PACKED, -1}},
    {"tx_winograd_forward_work",
     call_winograd_forward_work,
     {COMPUTES, VIEW_SIZE, NO_COLUMNS, PADDING_BELOW, PADDING_ABOVE, -1}},
    {"tx_winograd_forward",
     call_winograd_forward,
     {COMPUTES, VIEW, NO_PACKED, NO_COLUMNS, NO_TARGET, TARGET_DATA, NO_WORK, PADDING_BELOW, PADDING_ABOVE, -1}},
    {"tx_winograd_gradient_work",
     call_winograd_gradient_work,
     {COMPUTES, VIEW_SIZE, NO_COLUMNS, PADDING_BELOW, PADDING_ABOVE, -1}},
    {"tx_winograd_gradient",
     call_winograd_gradient,
     {COMPUTES, VIEW, NO_DW, DY_VIEW, NO_WORK, PADDING_BELOW, PADDING_ABOVE, -1}},
    {"tx_depthwise_forward_work", call_depthwise_forward_work, {COMPUTES, DEPTHWISE, VIEW_SIZE, NO_COLUMNS, -1}},
    {"tx_depthwise_forward",
     call_depthwise_forward,
     {COMPUTES, DEPTHWISE, VIEW, NO_PACKED, NO_TARGET, TARGET_DATA, TARGET_ROWS, TARGET_COLUMNS, NO_WORK, -1}},
    {"tx_depthwise_gradient_work", call_depthwise_gradient_work, {COMPUTES, DEPTHWISE, VIEW_SIZE, NO_COLUMNS, -1}},
    {"tx_depthwise_gradient",
     call_depthwise_gradient,
     {COMPUTES, DEPTHWISE, VIEW, NO_PACKED, NO_SLOPE, SLOPE_DATA, SLOPE_SIZE, NO_DX, NO_WORK, -1}},
    {"tx_sgd_update", call_sgd, {NO_SGD, NO_DW, NO_VECTOR, -1}},
    {"tx_adam_update", call_adam, {NO_ADAM, NO_DW, NO_VECTOR, NO_BUFFER, -1}},
    {"tx_adam_update", call_adam_square, {NO_ADAM, NO_DW, NO_VECTOR, NO_BUFFER, -1}},
    {"tx_rmsprop_update", call_rmsprop, {NO_RMSPROP, NO_DW, NO_VECTOR, NO_BUFFER, -1}},
};

static int needed(const int *needs, int k)
{
    for (; *needs >= 0; needs++)
        if (*needs == k)
            return 1;
    return 0;
}

/* Everything that a call could write, as one number. */
static uint64_t state(void)
{
    uint64_t h = 0xcbf29ce484222325u;
    const struct {
        const void *from;
        size_t bytes;
    } all[] = {{data, sizeof data}, {weights, sizeof weights}, {wide, sizeof wide}, {chosen, sizeof chosen}};
    for (int k = 0; k < 4; k++)
        for (size_t i = 0; i < all[k].bytes; i++)
            h = (h ^ ((const unsigned char *)all[k].from)[i]) * 0x100000001b3u;
    return h;
}

static void check_call(size_t i)
{
    operands o;
    set_up(&o);
    CHECK(calls[i].call(&o) == TX_OK, "%s: %s", calls[i].name, tx_error_message());
    uint64_t before = state();
    for (int k = 0; k < ALL_SPOILS; k++) {
        set_up(&o);
        const char *what = spoil(&o, k);
        if (!needed(calls[i].needs, k))
            continue;
        tx_fail(TX_OK, "nothing");
        CHECK(calls[i].call(&o) == TX_ERR_ARGUMENT && strstr(tx_error_message(), calls[i].name), "%s without %s: %s",
              calls[i].name, what, tx_error_message());
        CHECK(state() == before, "%s without %s has computed", calls[i].name, what);
    }
}

/* Maps without a result, kernels that are not 3x3. */
static void check_winograd(void)
{
    operands o;
    set_up(&o);
    o.x.h = 2;
    CHECK(call_winograd_forward_work(&o) == TX_ERR_ARGUMENT, "a map of two rows has no result");
    o.padding = 1;
    CHECK(call_winograd_forward_work(&o) == TX_OK, "%s", tx_error_message());
    o.padding = 0;
    o.x.h = H;
    o.x.w = 2;
    CHECK(call_winograd_forward_work(&o) == TX_ERR_ARGUMENT, "a map of two columns has no result");
    set_up(&o);
    o.filter.taps = 8;
    CHECK(call_winograd_pack(&o) == TX_ERR_ARGUMENT, "a kernel of eight taps");
    CHECK(call_gemm_pack(&o) == TX_OK, "%s", tx_error_message());
    set_up(&o);
    o.rows.taps = 0; /* a product of nothing is 0 */
    o.rows.tap = NULL;
    CHECK(call_gemm_forward(&o) == TX_OK && data[5][0] == 0, "%s", tx_error_message());
}

static void nothing(void *context, size_t i, int worker)
{
    (void)context;
    (void)i;
    (void)worker;
}

static void check_loops(void)
{
    tx_machine m = tx_machine_now();
    CHECK(tx_parallel_on(&m, 3, nothing, NULL) == TX_OK && tx_parallel_for(3, nothing, NULL) == TX_OK, "%s",
          tx_error_message());
    CHECK(tx_parallel_on(NULL, 3, nothing, NULL) == TX_ERR_ARGUMENT, "a loop without a machine");
    CHECK(tx_parallel_on(&m, 3, NULL, NULL) == TX_ERR_ARGUMENT, "a loop without a function");
    CHECK(tx_parallel_for(3, NULL, NULL) == TX_ERR_ARGUMENT, "a loop without a function");
    m.threads = 0;
    CHECK(tx_parallel_on(&m, 3, nothing, NULL) == TX_ERR_ARGUMENT, "a loop without threads");
    int before = tx_threads();
    CHECK(tx_set_threads(0) == TX_ERR_ARGUMENT && tx_set_threads(-1) == TX_ERR_ARGUMENT && tx_threads() == before,
          "no threads");
}

int main(void)
{
    tx_set_threads(1);
    work_room = tx_alloc(1 << 22, 1);
    for (size_t k = 0; k < 8; k++)
        for (size_t i = 0; i < FLOATS; i++)
            data[k][i] = tx_random_uniform(1, TX_RANDOM_TEST, k, i) - 0.5f;
    for (size_t i = 0; i < C; i++)
        numbers[i] = 0.5f + 0.1f * (float)i;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        check_call(i);
    check_winograd();
    check_loops();
    tx_free(work_room);
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("core_operands");
}
