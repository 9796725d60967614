/* core_stream.c - results that are stored past the caches: the same bits as where they are not, which one float of
 * displacement makes sure of, and nothing beside them touched. */
#include "../core/op.h"
#include "test.h"

#include <string.h>

enum { N = 4, H = 64, W = 64, C = 256, PIXELS = N * H * W, COUNT = PIXELS * C, SMALL = 8, CI = 176, DW = 9 * CI * CI };
enum { MAPS = 4, EDGE = 64 };

static tx_machine machine;
static float *map[MAPS], *result[2], *numbers; /* inputs; aligned and displaced, with room around */

static float *place(int displaced)
{
    return result[displaced] + EDGE + displaced;
}

/* Both results, of n floats, are equal and stand alone. */
static void compare(const char *what, size_t n)
{
    CHECK(memcmp(place(0), place(1), n * sizeof(float)) == 0, "%s: other bits past the caches", what);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < EDGE; i++) {
            const float *before = place(k) - EDGE + i, *behind = place(k) + n + i;
            if (*before != 7 || *behind != 7)
                CHECK(0, "%s: float %zu before or behind was written", what, i);
        }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < COUNT + 2 * EDGE + 1; i++)
            result[k][i] = 7;
}

static tx_view view_of(const float *data, int h, int w)
{
    return (tx_view){.data = data, .n = N, .h = h, .w = w, .c = C, .ld = C};
}

static tx_tensor tensor_of(float *data, int h, int w)
{
    return (tx_tensor){data, N, h, w, C, C};
}

static void check_sum(void)
{
    tx_view x[2] = {view_of(map[0], H, W), view_of(map[1], H, W)};
    x[1].scale = numbers;
    x[1].shift = numbers + C;
    for (int flat = 0; flat < 2; flat++) {
        for (int k = 0; k < 2; k++) {
            tx_tensor y = tensor_of(place(k), H, W);
            CHECK(tx_channel_sum(&machine, &y, x, 2 - flat, TX_ACT_RELU) == TX_OK, "%s", tx_error_message());
        }
        compare("sum", COUNT);
    }
}

static void check_gradients(void)
{
    tx_tensor dy = tensor_of(map[0], H, W), y = tensor_of(map[1], H, W);
    tx_view x = view_of(map[2], H, W);
    x.scale = numbers;
    x.shift = numbers + C;
    x.act = TX_ACT_RELU;
    for (int add = 0; add < 2; add++) {
        const float *addend = add ? map[3] : NULL;
        for (int k = 0; k < 2; k++) {
            tx_gradient dx = {place(k), C, addend, C};
            CHECK(tx_channel_mask(&machine, &dx, &dy, &y, TX_ACT_RELU) == TX_OK, "%s", tx_error_message());
        }
        compare("mask", COUNT);
        for (int k = 0; k < 2; k++) {
            tx_gradient dx = {place(k), C, addend, C};
            CHECK(tx_channel_bn_apply(&machine, &dx, &x, numbers, &dy, numbers + C, numbers) == TX_OK, "%s",
                  tx_error_message());
        }
        compare("batch norm's gradient", COUNT);
    }
}

static void check_pool(void)
{
    tx_window window = {.kernel = 3, .stride = 1, .top = 1, .left = 1};
    tx_view x = view_of(map[0], H, W);
    tx_tensor dy = tensor_of(map[1], H, W);
    unsigned char *argmax = tx_alloc(COUNT, 1);
    for (int k = 0; k < 2; k++) {
        tx_tensor y = tensor_of(place(k), H, W);
        CHECK(tx_channel_max_pool(&machine, &y, argmax, &x, &window) == TX_OK, "%s", tx_error_message());
    }
    compare("max pool", COUNT);
    for (int k = 0; k < 2; k++) {
        tx_gradient dx = {place(k), C, NULL, 0};
        CHECK(tx_channel_max_pool_gradient(&machine, &dx, &dy, argmax, &x, &window) == TX_OK, "%s", tx_error_message());
    }
    compare("max pool's gradient", COUNT);
    tx_free(argmax);
}

static void check_winograd(void)
{
    tx_view x = {.data = map[0], .n = 1, .h = SMALL, .w = SMALL, .c = CI, .ld = CI}, dy = x;
    dy.data = map[1];
    void *work = tx_alloc(tx_winograd_gradient_work(&machine, &x, 1, CI), 1);
    for (int k = 0; k < 2; k++)
        CHECK(tx_winograd_gradient(&machine, place(k), &x, 1, &dy, 0, work) == TX_OK, "%s", tx_error_message());
    compare("Winograd's weight gradient", DW);
    tx_free(work);
}

int main(void)
{
    for (int k = 0; k < MAPS; k++) {
        map[k] = tx_alloc(COUNT, sizeof(float));
        for (size_t i = 0; i < COUNT; i++)
            map[k][i] = (float)(int)((i * 2654435761u + (size_t)k * 40503u) >> 7 & 1023) * 0x1p-9F - 1;
    }
    numbers = tx_alloc(2 * C, sizeof(float));
    for (size_t i = 0; i < 2 * C; i++)
        numbers[i] = (float)(i % 13) * 0.125F - 0.5F;
    for (int k = 0; k < 2; k++) {
        result[k] = tx_alloc(COUNT + 2 * EDGE + 1, sizeof(float));
        for (size_t i = 0; i < COUNT + 2 * EDGE + 1; i++)
            result[k][i] = 7;
    }
    const char *isas[TX_MAX_ISAS];
    int n = tx_isa_list(isas);
    for (int i = 0; i < n; i++) {
        CHECK(tx_isa_select(isas[i]) == TX_OK, "%s", tx_error_message());
        machine = tx_machine_now();
        check_sum();
        check_gradients();
        check_pool();
        check_winograd();
    }
    for (int k = 0; k < MAPS; k++)
        tx_free(map[k]);
    tx_free(numbers);
    tx_free(result[0]);
    tx_free(result[1]);
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("core_stream");
}
