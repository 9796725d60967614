/* jpeg_idct.c - the inverse discrete cosine transform of an 8x8 block, in integers.
 *
 *     out[y][x] = 128 + 1/4 sum_v sum_u C(u) C(v) F[v][u] cos((2x+1) u pi/16) cos((2y+1) v pi/16),  C(0) = 1/sqrt(2), else 1
 *
 * Columns, then rows, each by the algorithm of C. Loeffler, A. Ligtenberg and G. Moschytz ("Practical fast 1-D DCT
 * algorithms with 11 multiplications", ICASSP 1989) for sqrt(8) times the transform, with constants of 13 bits. Between
 * the passes values keep 2 bits behind the point. This is libjpeg's "islow" arithmetic; as in libjpeg-turbo's SIMD
 * versions inputs and sums of two inputs are kept in 16 bits and wrap, and results saturate, which only files with
 * coefficients out of range can tell apart.
 */
#include "jpeg.h"

#include <string.h>

enum { CONST_BITS = 13, PASS1_BITS = 2 };

/* round(2^13 c), the constants of the paper's rotations */
enum { C_0_298631336 = 2446, C_0_390180644 = 3196, C_0_541196100 = 4433, C_0_765366865 = 6270, C_0_899976223 = 7373,
       C_1_175875602 = 9633, C_1_501321110 = 12299, C_1_847759065 = 15137, C_1_961570560 = 16069, C_2_053119869 = 16819,
       C_2_562915447 = 20995, C_3_072711026 = 25172 };

static inline int wrap16(int v)
{
    return (int16_t)(uint16_t)(unsigned)v;
}

static inline int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* Eight inputs in 16 bits to eight sums in 32, scaled by 2^13. No sum exceeds 32 bits: the largest is below
 * 32768 * (8192 + 15137 + 25172 + 16070) < 2^31. */
static inline void transform(const int in[8], int out[8])
{
    int sum = wrap16(in[0] + in[4]) * (1 << CONST_BITS), difference = wrap16(in[0] - in[4]) * (1 << CONST_BITS);
    int e2 = in[2] * C_0_541196100 + in[6] * (C_0_541196100 - C_1_847759065);
    int e3 = in[2] * (C_0_541196100 + C_0_765366865) + in[6] * C_0_541196100;
    int even[4] = {sum + e3, difference + e2, difference - e2, sum - e3};

    int z3 = wrap16(in[7] + in[3]), z4 = wrap16(in[5] + in[1]);
    int r3 = z3 * (C_1_175875602 - C_1_961570560) + z4 * C_1_175875602;
    int r4 = z3 * C_1_175875602 + z4 * (C_1_175875602 - C_0_390180644);
    int odd[4];
    odd[0] = in[7] * -C_0_899976223 + in[1] * (C_1_501321110 - C_0_899976223) + r4;
    odd[1] = in[5] * -C_2_562915447 + in[3] * (C_3_072711026 - C_2_562915447) + r3;
    odd[2] = in[5] * (C_2_053119869 - C_2_562915447) + in[3] * -C_2_562915447 + r4;
    odd[3] = in[7] * (C_0_298631336 - C_0_899976223) + in[1] * -C_0_899976223 + r3;
    for (int i = 0; i < 4; i++) {
        out[i] = even[i] + odd[i];
        out[7 - i] = even[i] - odd[i];
    }
}

/* Without AC coefficients the block is one value. */
static void flat(int dc, unsigned char *out, size_t stride)
{
    int value = clamp((wrap16(dc * (1 << PASS1_BITS)) + (1 << (PASS1_BITS + 2))) >> (PASS1_BITS + 3), -128, 127) + 128;
    for (int y = 0; y < 8; y++)
        memset(out + (size_t)y * stride, value, 8);
}

static int is_flat(const int16_t c[64])
{
    uint64_t words[16], any;
    memcpy(words, c, sizeof words);
    int16_t first[4] = {0, c[1], c[2], c[3]};
    memcpy(&any, first, sizeof any);
    for (int i = 1; i < 16; i++)
        any |= words[i];
    return any == 0;
}

/* Column x: 8 results of 16 bits at column[0], [8], .. */
static inline void column_pass(const int16_t *c, const uint16_t *step, int *column)
{
    int in[8], sums[8];
    in[0] = wrap16(c[0] * step[0]);
    if ((c[8] | c[16] | c[24] | c[32] | c[40] | c[48] | c[56]) == 0) {
        int value = clamp(in[0] * (1 << PASS1_BITS), -32768, 32767);
        for (int y = 0; y < 8; y++)
            column[8 * y] = value;
        return;
    }
    for (int v = 1; v < 8; v++)
        in[v] = wrap16(c[8 * v] * step[8 * v]);
    transform(in, sums);
    enum { SHIFT = CONST_BITS - PASS1_BITS };
    for (int y = 0; y < 8; y++)
        column[8 * y] = clamp((sums[y] + (1 << (SHIFT - 1))) >> SHIFT, -32768, 32767);
}

void tx_jpeg_idct(const int16_t c[64], const uint16_t step[64], unsigned char *out, size_t stride)
{
    if (is_flat(c)) {
        flat(wrap16(c[0] * step[0]), out, stride);
        return;
    }
    int work[64], sums[8];
    for (int x = 0; x < 8; x++)
        column_pass(c + x, step + x, work + x);
    enum { SHIFT = CONST_BITS + PASS1_BITS + 3 };
    for (int y = 0; y < 8; y++) {
        transform(work + 8 * y, sums);
        unsigned char *row = out + (size_t)y * stride;
        for (int x = 0; x < 8; x++)
            row[x] = (unsigned char)(clamp((sums[x] + (1 << (SHIFT - 1))) >> SHIFT, -128, 127) + 128);
    }
}
