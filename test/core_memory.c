/* core_memory.c - sizes that overflow, arrays that grow, allocations that are made to fail, and what is written behind
 * a block's end. */
#include "test.h"

#include <stdint.h>
#include <string.h>

static void sizes(void)
{
    size_t n = 7, half = SIZE_MAX / 2;
    CHECK(tx_size_mul(half, 2, &n) == 0 && n == half * 2, "the largest product that fits: %zu", n);
    CHECK(tx_size_mul(half + 1, 2, &n) == -1 && tx_size_mul(2, half + 1, &n) == -1 && n == half * 2, "one beyond");
    CHECK(tx_size_mul(SIZE_MAX, 0, &n) == 0 && n == 0 && tx_size_mul(0, SIZE_MAX, &n) == 0 && n == 0, "nothing");
    CHECK(tx_size_add(SIZE_MAX - 3, 3, &n) == 0 && n == SIZE_MAX, "the largest sum that fits: %zu", n);
    CHECK(tx_size_add(SIZE_MAX - 3, 4, &n) == -1 && n == SIZE_MAX, "one beyond");
    CHECK(!tx_alloc(SIZE_MAX, 2) && !tx_alloc(SIZE_MAX - 64, 1), "more than there is");
    CHECK(tx_error_status() == TX_ERR_MEMORY, "%d", (int)tx_error_status());
}

/* Every size up to some alignments, and those about the one where blocks become large ones. */
static void blocks(void)
{
    static const size_t large = (size_t)4 << 20;
    for (size_t k = 0; k < 300; k++) {
        size_t n = k < 200 ? k : large - 50 + (k - 200);
        unsigned char *p = tx_alloc(n, 1);
        size_t zeros = 0;
        while (p && zeros < n && p[zeros] == 0)
            zeros++;
        CHECK(p && zeros == n && (uintptr_t)p % 64 == 0, "%zu bytes: not aligned or not zeros", n);
        if (p && n)
            p[0] = p[n - 1] = 1;
        tx_free(p);
    }
    tx_free(NULL);
    CHECK(tx_alloc_live() == 0 && tx_alloc_spoiled() == 0, "%ld live, %ld spoiled", tx_alloc_live(),
          tx_alloc_spoiled());
}

static void growing(void)
{
    uint32_t *array = NULL;
    size_t room = 0;
    CHECK(tx_grow((void **)&array, &room, 0, sizeof *array) == TX_OK && !array && room == 0, "nothing is needed");
    CHECK(tx_grow((void **)&array, &room, 1, sizeof *array) == TX_OK && room == 8, "room %zu", room);
    for (uint32_t i = 0; i < 8; i++)
        array[i] = i + 1;
    uint32_t *before = array;
    CHECK(tx_grow((void **)&array, &room, 8, sizeof *array) == TX_OK && array == before, "exactly what there is");
    tx_alloc_fail_after(0);
    CHECK(tx_grow((void **)&array, &room, 9, sizeof *array) == TX_ERR_MEMORY && array == before && room == 8,
          "untouched without memory");
    tx_alloc_fail_after(-1);
    CHECK(tx_grow((void **)&array, &room, 9, sizeof *array) == TX_OK && room == 16, "room %zu", room);
    CHECK(array[0] == 1 && array[7] == 8 && array[8] == 0 && array[15] == 0, "contents kept, zeros behind");
    CHECK(tx_grow((void **)&array, &room, 33, sizeof *array) == TX_OK && room == 33, "room %zu", room);
    tx_free(array);
    char *copy = tx_strdup("abc");
    CHECK(copy && strcmp(copy, "abc") == 0, "a copy");
    tx_free(copy);
}

static void failing(void)
{
    void *p[3];
    tx_alloc_fail_after(2);
    for (int i = 0; i < 3; i++)
        p[i] = tx_alloc(1, 1);
    CHECK(p[0] && p[1] && !p[2] && tx_alloc_count() == 3 && tx_alloc_live() == 2, "the third fails: %ld, %ld",
          tx_alloc_count(), tx_alloc_live());
    tx_free(p[0]);
    p[2] = tx_alloc(1, 1);
    CHECK(p[2] != NULL, "only the third fails");
    tx_alloc_fail_after(-1);
    tx_free(p[1]);
    tx_free(p[2]);
}

static void spoil(size_t bytes, size_t behind)
{
    long before = tx_alloc_spoiled();
    volatile unsigned char *p = tx_alloc(bytes, 1);
    if (!TEST_MAY_STRAY || !p)
        return tx_free((void *)p);
    unsigned char was = p[bytes + behind];
    p[bytes + behind] = 0xfe;
    tx_free((void *)p);
    test_spoiled++;
    CHECK(was == 0xff, "byte %zu behind %zu is %d", behind, bytes, was);
    CHECK(tx_alloc_spoiled() == before + 1, "byte %zu behind %zu can be written unseen", behind, bytes);
}

int main(void)
{
    sizes();
    blocks();
    growing();
    failing();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    for (size_t bytes = 0; bytes < 130; bytes++) {
        spoil(bytes, 0);
        spoil(bytes, 63);
    }
    spoil((size_t)5 << 20, 0);
    return test_done("core_memory");
}
