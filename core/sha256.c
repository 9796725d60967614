/* sha256.c - the SHA-256 digest of FIPS 180-4 (2015), sections 4.1.2, 5 and 6.2, for messages below 2^61 bytes.
 *
 * A message is padded with one bit 1, zeros, and its length in bits as 64 bits big-endian, to blocks of 64 bytes.
 * Each block runs 64 rounds on eight 32-bit words a..h. Instead of moving eight words one place a round, eight
 * rounds are written out with their arguments turned, so that nothing moves. */
#include "core.h"

#include <string.h>

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t round_constant[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint32_t big_sigma0(uint32_t x)
{
    return rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22);
}

static uint32_t big_sigma1(uint32_t x)
{
    return rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25);
}

static uint32_t small_sigma0(uint32_t x)
{
    return rotate(x, 7) ^ rotate(x, 18) ^ x >> 3;
}

static uint32_t small_sigma1(uint32_t x)
{
    return rotate(x, 17) ^ rotate(x, 19) ^ x >> 10;
}

/* Ch(e,f,g) and Maj(a,b,c) with one operation fewer than the standard writes them; the same truth tables. */
static uint32_t choose(uint32_t e, uint32_t f, uint32_t g)
{
    return g ^ (e & (f ^ g));
}

static uint32_t majority(uint32_t a, uint32_t b, uint32_t c)
{
    return (a & b) | (c & (a | b));
}

/* One round: T1 goes to d and, with T2, to h, which is the next round's a. kw = K_t + W_t. */
static void round_step(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g, uint32_t *h,
                       uint32_t kw)
{
    uint32_t t1 = *h + big_sigma1(e) + choose(e, f, g) + kw;
    *d += t1;
    *h = t1 + big_sigma0(a) + majority(a, b, c);
}

static void compress(uint32_t state[8], const unsigned char block[64])
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++) {
        const unsigned char *p = block + 4 * t;
        w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    }
    for (int t = 16; t < 64; t++)
        w[t] = small_sigma1(w[t - 2]) + w[t - 7] + small_sigma0(w[t - 15]) + w[t - 16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t += 8) {
        const uint32_t *k = round_constant + t, *x = w + t;
        round_step(a, b, c, &d, e, f, g, &h, k[0] + x[0]);
        round_step(h, a, b, &c, d, e, f, &g, k[1] + x[1]);
        round_step(g, h, a, &b, c, d, e, &f, k[2] + x[2]);
        round_step(f, g, h, &a, b, c, d, &e, k[3] + x[3]);
        round_step(e, f, g, &h, a, b, c, &d, k[4] + x[4]);
        round_step(d, e, f, &g, h, a, b, &c, k[5] + x[5]);
        round_step(c, d, e, &f, g, h, a, &b, k[6] + x[6]);
        round_step(b, c, d, &e, f, g, h, &a, k[7] + x[7]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

/* Is everything there? */
static int given(const char *call, const void *s, const void *other)
{
    if (s && other)
        return 1;
    tx_fail_null(call, s ? "data" : "digest");
    return 0;
}

void tx_sha256_begin(tx_sha256 *s)
{
    if (!given("tx_sha256_begin", s, s))
        return;
    /* First 32 bits of the fractional parts of the square roots of the first eight primes (5.3.3). */
    static const uint32_t start[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    memcpy(s->h, start, sizeof start);
    s->bytes = 0;
}

void tx_sha256_add(tx_sha256 *s, const void *data, size_t bytes)
{
    if (!given("tx_sha256_add", s, bytes ? data : s))
        return;
    const unsigned char *p = data;
    size_t held = (size_t)(s->bytes % 64);
    s->bytes += bytes;
    if (held) {
        size_t room = 64 - held, n = bytes < room ? bytes : room;
        if (n)
            memcpy(s->block + held, p, n);
        if (n < room)
            return;
        compress(s->h, s->block);
        p += n;
        bytes -= n;
    }
    for (; bytes >= 64; bytes -= 64, p += 64)
        compress(s->h, p);
    if (bytes)
        memcpy(s->block, p, bytes);
}

void tx_sha256_end(tx_sha256 *s, char hex[65])
{
    if (!given("tx_sha256_end", s, hex))
        return;
    static const char digits[] = "0123456789abcdef";
    unsigned char padding[72] = {0x80};
    size_t held = (size_t)(s->bytes % 64), n = (held < 56 ? 56 : 120) - held;
    uint64_t bits = s->bytes * 8;
    for (int i = 0; i < 8; i++)
        padding[n + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
    tx_sha256_add(s, padding, n + 8);
    for (int i = 0; i < 64; i++)
        hex[i] = digits[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = 0;
}

/* ------------------------------------------------------------------------------------ of floats */
void tx_sha256_floats(tx_sha256 *sha, const float *v, size_t n)
{
    if (!given("tx_sha256_floats", sha, n ? v : (const void *)sha))
        return;
    unsigned char bytes[4096];
    for (size_t i = 0; i < n;) {
        size_t m = 0;
        for (; m < sizeof bytes && i < n; m += 4, i++) {
            uint32_t u;
            memcpy(&u, v + i, 4);
            for (size_t b = 0; b < 4; b++)
                bytes[m + b] = (unsigned char)(u >> (8 * b));
        }
        tx_sha256_add(sha, bytes, m);
    }
}

void tx_floats_digest(const float *v, size_t n, char hex[65])
{
    if (!given("tx_floats_digest", hex, n ? v : (const void *)hex))
        return;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_floats(&sha, v, n);
    tx_sha256_end(&sha, hex);
}
