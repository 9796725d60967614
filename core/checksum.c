/* checksum.c - 64 bits over many bytes, at the speed of memory: whether a file is still what it was.
 *
 * The bytes are padded with zeros to a multiple of 32 and read as little-endian words of eight bytes, which four lanes take
 * in turn:  lane = rotl((lane ^ word) P, 29),  from  lane_i = (i + 1) P;  then  h = rotl((h ^ lane) P, 29)  over the four,
 * from  h = length Q;  and the result is  h ^ h >> 32, times Q, ^ itself >> 29  (all modulo 2^64). P and Q are odd, so each
 * step is a bijection of what enters it: a change within one word, such as a flipped bit, always gives another result, and
 * any other change does but for a chance of 2^-64. Nothing here withstands intent; that is what SHA-256 is for. */
#include "core.h"

#include <string.h>

static const uint64_t P = 0x9e3779b97f4a7c15U; /* 2^64 over the golden ratio */
static const uint64_t Q = 0xd1342543de82ef95U; /* a multiplier of Steele & Vigna, arXiv:2001.05304 */

enum { LANES = 4, STRIPE = 8 * LANES };

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t word(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static void take(uint64_t lane[LANES], const unsigned char *p)
{
    for (int i = 0; i < LANES; i++)
        lane[i] = rotl((lane[i] ^ word(p + 8 * i)) * P, 29);
}

uint64_t tx_checksum(const void *data, size_t bytes)
{
    if (!data && bytes) {
        tx_fail_null("tx_checksum", "data");
        return 0;
    }
    const unsigned char *p = data;
    unsigned char last[STRIPE] = {0};
    uint64_t lane[LANES] = {P, 2 * P, 3 * P, 4 * P}, h = (uint64_t)bytes * Q;
    size_t left = bytes;
    for (; left >= STRIPE; left -= STRIPE, p += STRIPE)
        take(lane, p);
    if (left) {
        memcpy(last, p, left);
        take(lane, last);
    }
    for (int i = 0; i < LANES; i++)
        h = rotl((h ^ lane[i]) * P, 29);
    h = (h ^ h >> 32) * Q;
    return h ^ h >> 29;
}
