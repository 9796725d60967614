/* crc32.c - CRC-32: the remainder of the bits, lowest first, by x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 +
 * x^7 + x^5 + x^4 + x^2 + x + 1 (ISO 3309), as in PNG (annex D), zip and gzip.
 *
 * table[0][b] is the remainder of a byte, table[k][b] that of a byte with k zero bytes behind it, so eight bytes are taken
 * at once and their remainders added. The tables are made at each call: 2 us, which some thousand bytes earn back. */
#include "inflate.h"

enum { STEP = 8, FEW = 4096 };

/* Remainders of four bits. */
static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                    0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

static uint32_t add_byte(uint32_t crc, unsigned char byte)
{
    crc ^= byte;
    crc = crc >> 4 ^ nibble[crc & 15];
    return crc >> 4 ^ nibble[crc & 15];
}

static void make_tables(uint32_t table[STEP][256])
{
    for (int b = 0; b < 256; b++)
        table[0][b] = add_byte(0, (unsigned char)b);
    for (int k = 1; k < STEP; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];
}

/* n is a multiple of STEP. */
static uint32_t add_many(uint32_t crc, const unsigned char *p, size_t n)
{
    uint32_t table[STEP][256];
    make_tables(table);
    for (; n; n -= STEP, p += STEP) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = table[7][crc & 255] ^ table[6][crc >> 8 & 255] ^ table[5][crc >> 16 & 255] ^ table[4][crc >> 24] ^
              table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    return crc;
}

uint32_t tx_crc32(uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    size_t many = bytes < FEW ? 0 : bytes / STEP * STEP;
    crc = ~crc;
    if (many)
        crc = add_many(crc, p, many);
    for (size_t i = many; i < bytes; i++)
        crc = add_byte(crc, p[i]);
    return ~crc;
}
