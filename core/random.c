/* random.c - random numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011, section 4.3), and the draws made of it.
 *
 * A block of four 32-bit words is a keyed permutation of its counter, so any draw can be made at any time, by any
 * thread, without the draws before it. */
#include "core.h"

#include <math.h>
#include <string.h>

void tx_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    if (!counter || !key || !out) {
        tx_fail_null("tx_philox", "counter, key or room");
        return;
    }
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9e3779b9u; /* the golden ratio, and sqrt(3) - 1: Weyl sequences of keys */
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void tx_random_block(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t number, uint32_t out[4])
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4] = {(uint32_t)number, (uint32_t)(number >> 32), (uint32_t)step,
                           (uint32_t)purpose << 24 | ((uint32_t)(step >> 32) & 0xffffffu)};
    tx_philox(counter, key, out);
}

uint32_t tx_random_bits(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index)
{
    uint32_t word[4];
    tx_random_block(seed, purpose, step, index / 4, word);
    return word[index % 4];
}

float tx_random_uniform(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index)
{
    return (float)(tx_random_bits(seed, purpose, step, index) >> 8) * 0x1p-24f;
}

/* sqrt(-2 log u1) cos(2 pi u2), u1 = (b1 + 1) / 2^32 in (0,1], u2 = b2 / 2^32 in [0,1). Draws 2*index and 2*index+1
 * stand in one block. Values reach to +-6.66. */
float tx_random_normal(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index)
{
    uint32_t word[4];
    tx_random_block(seed, purpose, step, index / 2, word);
    const uint32_t *b = word + index % 2 * 2;
    double u1 = ((double)b[0] + 1) * 0x1p-32, angle = (double)b[1] * 0x1p-31;
    return (float)(sqrt(-2 * tx_log(u1)) * tx_cos_pi(angle));
}

uint32_t tx_random_below(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index, uint32_t n)
{
    if (n == 0)
        tx_fail(TX_ERR_ARGUMENT, "tx_random_below: a number below 0");
    return (uint32_t)((uint64_t)tx_random_bits(seed, purpose, step, index) * n >> 32);
}

typedef struct ticket {
    uint64_t key;
    uint32_t index;
} ticket;

/* Sorts by byte `byte` of the key, keeping the order of equals, from a to b. */
static void sort_byte(ticket *b, const ticket *a, size_t n, int byte)
{
    size_t start[257] = {0};
    for (size_t i = 0; i < n; i++)
        start[(a[i].key >> (8 * byte) & 255) + 1]++;
    for (int v = 0; v < 256; v++)
        start[v + 1] += start[v];
    for (size_t i = 0; i < n; i++)
        b[start[a[i].key >> (8 * byte) & 255]++] = a[i];
}

/* Element i is given the key of draws 2i (its upper half) and 2i+1. Radix sort from the lowest byte is stable, so
 * that equal keys stay in the order of their index. */
tx_status tx_random_permutation(uint64_t seed, tx_purpose purpose, uint64_t step, uint32_t *order, size_t n)
{
    if (n > 0 && n - 1 > UINT32_MAX)
        return tx_fail(TX_ERR_ARGUMENT, "permutation: %zu elements, at most 2^32 can be shuffled", n);
    if (!order && n > 0)
        return tx_fail_null("tx_random_permutation", "order");
    ticket *a = tx_alloc(n, sizeof *a), *b = a ? tx_alloc(n, sizeof *b) : NULL;
    if (!b) {
        tx_free(a);
        return TX_ERR_MEMORY;
    }
    for (size_t i = 0; i < n; i += 2) {
        uint32_t word[4];
        tx_random_block(seed, purpose, step, i / 2, word);
        for (size_t j = 0; j < 2 && i + j < n; j++)
            a[i + j] = (ticket){(uint64_t)word[2 * j] << 32 | word[2 * j + 1], (uint32_t)(i + j)};
    }
    for (int byte = 0; byte < 8; byte += 2) {
        sort_byte(b, a, n, byte);
        sort_byte(a, b, n, byte + 1);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = a[i].index;
    tx_free(a);
    tx_free(b);
    return TX_OK;
}
