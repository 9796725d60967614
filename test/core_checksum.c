/* core_checksum.c - the checksum: numbers from an independent writing-down of its definition, and that it notices. */
#include "test.h"
#include "../core/core.h"

#include <string.h>

static const struct {
    size_t bytes;
    uint64_t wanted;
} known[] = {
    {0, 0x6f6065b77fc8b516U},    {1, 0xa693c4b95ed6ac9fU},  {7, 0x838c0ebb50d08206U},  {8, 0x4343abc595bb366eU},
    {9, 0x8fe0ce472ee359b4U},    {31, 0x208911cc41f4afc4U}, {32, 0xb7426c6a9ee0be98U}, {33, 0x2f57794ea38ebd9dU},
    {63, 0x5df0b08621dd218fU},   {64, 0x9b0d5723a695f238U}, {65, 0x0c7484aaeaa52805U}, {100, 0x4cfee087a35a2f0cU},
    {1000, 0x8f22863092539d89U},
};

/* Byte i of the text of n bytes, (i i + 7 i + n) mod 256, from an address that is no multiple of eight. */
static unsigned char *fill(unsigned char room[1100], size_t n, size_t offset)
{
    for (size_t i = 0; i < n; i++)
        room[offset + i] = (unsigned char)(i * i + 7 * i + n);
    return room + offset;
}

static void changes(size_t n)
{
    unsigned char room[1100], *text = fill(room, n, 0);
    uint64_t before = tx_checksum(text, n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
        CHECK(tx_checksum(text, n) != before, "%zu bytes: bit %zu changed and nothing was noticed", n, bit);
        text[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t i = 1; i < n; i++) {
        unsigned char first = text[i - 1];
        if (first == text[i])
            continue;
        text[i - 1] = text[i];
        text[i] = first;
        CHECK(tx_checksum(text, n) != before, "%zu bytes: bytes %zu and %zu exchanged", n, i - 1, i);
        text[i] = text[i - 1];
        text[i - 1] = first;
    }
    text[n] = 0;
    CHECK(tx_checksum(text, n + 1) != before, "%zu bytes: a zero behind them", n);
    CHECK(tx_checksum(text, n - 1) != before, "%zu bytes: the last one is gone", n);
}

/* Words exchanged, within a stripe and beyond: each lane reads its own. */
static void order(void)
{
    unsigned char room[1100];
    for (size_t a = 0; a < 12; a++)
        for (size_t b = a + 1; b < 12; b++) {
            unsigned char word[8], *text = fill(room, 96, 0);
            uint64_t before = tx_checksum(text, 96);
            memcpy(word, text + 8 * a, 8);
            memcpy(text + 8 * a, text + 8 * b, 8);
            memcpy(text + 8 * b, word, 8);
            CHECK(tx_checksum(text, 96) != before, "words %zu and %zu exchanged", a, b);
        }
}

int main(void)
{
    unsigned char room[1100];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (size_t offset = 0; offset < 9; offset += 3) {
            uint64_t got = tx_checksum(fill(room, known[i].bytes, offset), known[i].bytes);
            CHECK(got == known[i].wanted, "%zu bytes: 0x%016llx, expected 0x%016llx", known[i].bytes,
                  (unsigned long long)got, (unsigned long long)known[i].wanted);
        }
    changes(1);
    changes(33);
    changes(200);
    order();
    return test_done("core_checksum");
}
