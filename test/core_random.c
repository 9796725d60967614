/* core_random.c - Philox against the known answers of its authors, the counter's layout, each draw's range and
 * moments, permutations, and digests of streams that every build must give. */
#include "../core/core.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* Random123's kat_vectors, philox 4x32 with 10 rounds. */
static void check_known_answers(void)
{
    static const uint32_t table[3][10] = {
        /* counter, key, output */
        {0, 0, 0, 0, 0, 0, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u},
        {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu,
         0xa20bc7c6u, 0x6d5451fdu},
        {0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdcceb,
         0x5001e420u, 0x24126ea1u},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        tx_philox(table[i], table[i] + 4, out);
        CHECK(memcmp(out, table[i] + 6, sizeof out) == 0, "answer %d is %08x %08x %08x %08x", i, (unsigned)out[0],
              (unsigned)out[1], (unsigned)out[2], (unsigned)out[3]);
    }
}

/* core.h says which bits of seed, purpose, step and index stand where. */
static void check_layout(void)
{
    const uint64_t seed = 0x0123456789abcdefu, step = 0x00a1b2c3d4e5f607u, index = 0x3fedcba987654321u;
    const uint32_t key[2] = {0x89abcdefu, 0x01234567u};
    const uint32_t counter[4] = {(uint32_t)(index / 4), (uint32_t)(index / 4 >> 32), 0xd4e5f607u, 0x05a1b2c3u};
    uint32_t out[4];
    tx_philox(counter, key, out);
    for (uint64_t i = 0; i < 3; i++)
        CHECK(tx_random_bits(seed, TX_RANDOM_BOOTSTRAP, step, index + i) == out[1 + i], "word %d of the block",
              (int)i + 1);
    uint32_t at_once[4];
    tx_random_block(seed, TX_RANDOM_BOOTSTRAP, step, index / 4, at_once);
    CHECK(memcmp(at_once, out, sizeof out) == 0, "the block at once");
    uint32_t first = tx_random_bits(1, TX_RANDOM_INIT, 2, 3);
    CHECK(first != tx_random_bits(2, TX_RANDOM_INIT, 2, 3), "seed is read");
    CHECK(first != tx_random_bits(1, TX_RANDOM_CROP, 2, 3), "purpose is read");
    CHECK(first != tx_random_bits(1, TX_RANDOM_INIT, 3, 3), "step is read");
    CHECK(first != tx_random_bits(1, TX_RANDOM_INIT, 2, 7), "index is read");
}

enum { DRAWS = 200000 };

static void check_uniform(void)
{
    double sum = 0, square = 0;
    int bins[16] = {0}, outside = 0, inexact = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = (double)tx_random_uniform(3, TX_RANDOM_TEST, 1, i);
        outside += !(u >= 0 && u < 1);
        inexact += u * 0x1p24 != (double)(tx_random_bits(3, TX_RANDOM_TEST, 1, i) >> 8);
        sum += u;
        square += u * u;
        bins[(int)(u * 16)]++;
    }
    CHECK(outside == 0, "%d draws outside [0,1)", outside);
    CHECK(inexact == 0, "%d draws are not 24 bits / 2^24", inexact);
    double mean = sum / DRAWS, variance = square / DRAWS - mean * mean, chi = 0;
    CHECK(fabs(mean - 0.5) < 5 * sqrt(1.0 / 12 / DRAWS), "mean %.6f", mean);
    CHECK(fabs(variance - 1.0 / 12) < 0.001, "variance %.6f", variance);
    for (int i = 0; i < 16; i++)
        chi += (bins[i] - DRAWS / 16.0) * (bins[i] - DRAWS / 16.0) / (DRAWS / 16.0);
    CHECK(chi < 45, "chi square of 16 bins is %.1f", chi); /* p = 1e-4 at 44.3 */
}

static void check_normal(void)
{
    double moment[5] = {0}, lag = 0, before = 0, largest = 0;
    int within = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double z = (double)tx_random_normal(4, TX_RANDOM_TEST, 2, i), power = 1;
        for (int k = 1; k <= 4; k++)
            moment[k] += power *= z;
        lag += z * before;
        before = z;
        within += fabs(z) < 1;
        largest = fmax(largest, fabs(z));
    }
    double root = sqrt(DRAWS);
    CHECK(fabs(moment[1]) < 5 * root, "mean %.5f", moment[1] / DRAWS);
    CHECK(fabs(moment[2] - DRAWS) < 5 * root * sqrt(2), "second moment %.5f", moment[2] / DRAWS);
    CHECK(fabs(moment[3]) < 5 * root * sqrt(15), "third moment %.5f", moment[3] / DRAWS);
    CHECK(fabs(moment[4] - 3.0 * DRAWS) < 5 * root * sqrt(96), "fourth moment %.5f", moment[4] / DRAWS);
    CHECK(fabs(lag) < 5 * root, "neighbours correlate: %.5f", lag / DRAWS);
    CHECK(fabs(within - 0.6826894921 * DRAWS) < 5 * sqrt(DRAWS * 0.6826894921 * 0.3173105079), "%d within one sigma",
          within);
    CHECK(largest < 6.7, "largest is %.3f", largest);
    const double turn = 6.283185307179586;
    for (uint64_t i = 0; i < 1000; i++) {
        double u1 = ((double)tx_random_bits(4, TX_RANDOM_TEST, 2, 2 * i) + 1) * 0x1p-32;
        double u2 = (double)tx_random_bits(4, TX_RANDOM_TEST, 2, 2 * i + 1) * 0x1p-32;
        double z = sqrt(-2 * log(u1)) * cos(turn * u2), got = (double)tx_random_normal(4, TX_RANDOM_TEST, 2, i);
        CHECK(fabs(got - z) <= 1e-7 * fabs(z) + 1e-15, "normal %d is %.9g, by libm %.9g", (int)i, got, z);
    }
}

static void check_below(void)
{
    int count[7] = {0}, outside = 0;
    for (uint64_t i = 0; i < 70000; i++) {
        uint32_t v = tx_random_below(5, TX_RANDOM_TEST, 3, i, 7);
        if (v < 7)
            count[v]++;
        else
            outside++;
    }
    CHECK(outside == 0, "%d draws of 7 or more", outside);
    for (int v = 0; v < 7; v++)
        CHECK(count[v] > 9500 && count[v] < 10500, "%d came %d times of 70000", v, count[v]);
    CHECK(tx_random_below(5, TX_RANDOM_TEST, 3, 0, 1) == 0, "below 1 is 0");
    uint32_t bits = tx_random_bits(5, TX_RANDOM_TEST, 3, 9);
    CHECK(tx_random_below(5, TX_RANDOM_TEST, 3, 9, 0xffffffffu) == (uint32_t)((uint64_t)bits * 0xffffffffu >> 32),
          "large n");
}

static uint64_t key_of(uint64_t seed, uint64_t step, uint32_t i)
{
    uint64_t high = tx_random_bits(seed, TX_RANDOM_SHUFFLE, step, 2 * (uint64_t)i);
    return high << 32 | tx_random_bits(seed, TX_RANDOM_SHUFFLE, step, 2 * (uint64_t)i + 1);
}

static void check_permutation(void)
{
    static uint32_t order[5001];
    static unsigned char seen[5000];
    static const size_t sizes[] = {0, 1, 2, 3, 5, 64, 257, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s];
        memset(seen, 0, sizeof seen);
        order[n] = 0xdeadbeefu;
        CHECK(tx_random_permutation(6, TX_RANDOM_SHUFFLE, 1, order, n) == TX_OK, "%s", tx_error_message());
        size_t repeated = 0, unsorted = 0;
        for (size_t i = 0; i < n; i++) {
            repeated += order[i] >= n || seen[order[i]]++;
            unsorted += i > 0 && key_of(6, 1, order[i - 1]) > key_of(6, 1, order[i]);
        }
        CHECK(repeated == 0 && unsorted == 0, "n = %zu: %zu repeated, %zu out of order", n, repeated, unsorted);
        CHECK(order[n] == 0xdeadbeefu, "n = %zu: wrote past the end", n);
    }
    for (long fail = 0; fail < 2; fail++) {
        long live = tx_alloc_live();
        tx_alloc_fail_after(fail);
        CHECK(tx_random_permutation(6, TX_RANDOM_SHUFFLE, 1, order, 100) == TX_ERR_MEMORY,
              "allocation %ld failed unseen", fail);
        tx_alloc_fail_after(-1);
        CHECK(tx_alloc_live() == live, "a failed permutation keeps memory");
    }
    if (SIZE_MAX > UINT32_MAX)
        CHECK(tx_random_permutation(6, TX_RANDOM_SHUFFLE, 1, order, (size_t)UINT32_MAX + 2) == TX_ERR_ARGUMENT,
              "n above 2^32");
}

static void add_word(tx_sha256 *s, uint32_t u)
{
    unsigned char bytes[4] = {(unsigned char)u, (unsigned char)(u >> 8), (unsigned char)(u >> 16),
                              (unsigned char)(u >> 24)};
    tx_sha256_add(s, bytes, 4);
}

static void check_digest(const char *name, tx_sha256 *s, const char *expected)
{
    char hex[65];
    tx_sha256_end(s, hex);
    hex[16] = 0;
    CHECK(strcmp(hex, expected) == 0, "digest of %s is %s, expected %s", name, hex, expected);
}

static void check_digests(void)
{
    tx_sha256 s;
    tx_sha256_begin(&s);
    for (uint64_t i = 0; i < 100000; i++) {
        float z = tx_random_normal(0, TX_RANDOM_INIT, 7, i);
        uint32_t u;
        memcpy(&u, &z, sizeof u);
        add_word(&s, u);
    }
    check_digest("normals", &s, "b4ad414411a8736b");
    tx_sha256_begin(&s);
    for (uint64_t i = 0; i < 10000; i++) {
        add_word(&s, tx_random_bits(i * 77, TX_RANDOM_DROPOUT, i << 20, i * i));
        add_word(&s, tx_random_below(i, TX_RANDOM_CROP, i, i << 30, 1000003));
    }
    check_digest("bits", &s, "c6874fc4cbcd3c3f");
    static uint32_t order[3000];
    CHECK(tx_random_permutation(1, TX_RANDOM_SHUFFLE, 2, order, 3000) == TX_OK, "%s", tx_error_message());
    tx_sha256_begin(&s);
    for (int i = 0; i < 3000; i++)
        add_word(&s, order[i]);
    check_digest("permutation", &s, "7acec3b2e84b10bd");
}

int main(void)
{
    check_known_answers();
    check_layout();
    check_uniform();
    check_normal();
    check_below();
    check_permutation();
    check_digests();
    return test_done("core_random");
}
