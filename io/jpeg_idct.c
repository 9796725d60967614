/* jpeg_idct.c - the inverse discrete cosine transform of an 8x8 block, in integers.
 *
 *     out[y][x] = 128 + 1/4 sum_v sum_u C(u) C(v) F[v][u] cos((2x+1) u pi/16) cos((2y+1) v pi/16),  C(0) = 1/sqrt(2), else 1
 *
 * Columns, then rows, each by the algorithm of C. Loeffler, A. Ligtenberg and G. Moschytz ("Practical fast 1-D DCT
 * algorithms with 11 multiplications", ICASSP 1989) for sqrt(8) times the transform, with constants of 13 bits. Between
 * the passes values keep 2 bits behind the point. This is libjpeg's "islow" arithmetic; as in libjpeg-turbo's SIMD
 * versions inputs and sums of two inputs are kept in 16 bits and wrap, as do results of the first pass where there is one
 * row of coefficients, and other results saturate. Only files with coefficients out of range can tell.
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

/* Out of range is rare, so one comparison comes first. */
static inline int saturate16(int v)
{
    return v == wrap16(v) ? v : v < 0 ? -32768 : 32767;
}

/* Eight inputs in 16 bits to eight sums in 32, scaled by 2^13. No sum exceeds 32 bits: the largest is below
 * 32768 * (8192 + 15137 + 25172 + 16070) < 2^31. */
static inline void transform(const int in[8], int out[8])
{
    int sum = wrap16(in[0] + in[4]) * (1 << CONST_BITS), difference = wrap16(in[0] - in[4]) * (1 << CONST_BITS);
    int e2 = in[2] * C_0_541196100 + in[6] * (C_0_541196100 - C_1_847759065);
    int e3 = in[2] * (C_0_541196100 + C_0_765366865) + in[6] * C_0_541196100;
    int even0 = sum + e3, even1 = difference + e2, even2 = difference - e2, even3 = sum - e3;

    int z3 = wrap16(in[7] + in[3]), z4 = wrap16(in[5] + in[1]);
    int r3 = z3 * (C_1_175875602 - C_1_961570560) + z4 * C_1_175875602;
    int r4 = z3 * C_1_175875602 + z4 * (C_1_175875602 - C_0_390180644);
    int odd0 = in[7] * -C_0_899976223 + in[1] * (C_1_501321110 - C_0_899976223) + r4;
    int odd1 = in[5] * -C_2_562915447 + in[3] * (C_3_072711026 - C_2_562915447) + r3;
    int odd2 = in[5] * (C_2_053119869 - C_2_562915447) + in[3] * -C_2_562915447 + r4;
    int odd3 = in[7] * (C_0_298631336 - C_0_899976223) + in[1] * -C_0_899976223 + r3;
    out[0] = even0 + odd0;
    out[7] = even0 - odd0;
    out[1] = even1 + odd1;
    out[6] = even1 - odd1;
    out[2] = even2 + odd2;
    out[5] = even2 - odd2;
    out[3] = even3 + odd3;
    out[4] = even3 - odd3;
}

/* Whether the n values, a multiple of 4, are all zero. */
static inline int all_zero(const int16_t *c, int n)
{
    uint64_t any = 0, word;
    for (int i = 0; i < n; i += 4) {
        memcpy(&word, c + i, sizeof word);
        any |= word;
    }
    return any == 0;
}

static inline unsigned char sample(int sum)
{
    enum { SHIFT = CONST_BITS + PASS1_BITS + 3 };
    int v = ((sum + (1 << (SHIFT - 1))) >> SHIFT) + 128;
    return (unsigned char)((unsigned)v < 256 ? v : v < 0 ? 0 : 255);
}

/* A block that has its first row of coefficients alone: all rows of samples are equal. */
static void one_row(const int16_t *c, const uint16_t *step, unsigned char *out, size_t stride)
{
    int in[8], sums[8];
    for (int x = 0; x < 8; x++)
        in[x] = wrap16(wrap16(c[x] * step[x]) * (1 << PASS1_BITS));
    if ((c[1] | c[2] | c[3] | c[4] | c[5] | c[6] | c[7]) == 0) {
        memset(out, sample(in[0] * (1 << CONST_BITS)), 8);
    } else {
        transform(in, sums);
        for (int x = 0; x < 8; x++)
            out[x] = sample(sums[x]);
    }
    for (int y = 1; y < 8; y++)
        memcpy(out + (size_t)y * stride, out, 8);
}

/* Column x: 8 results of 16 bits at column[0], [8], .. */
static inline void column_pass(const int16_t *c, const uint16_t *step, int *column)
{
    int in[8], sums[8];
    in[0] = wrap16(c[0] * step[0]);
    if ((c[8] | c[16] | c[24] | c[32] | c[40] | c[48] | c[56]) == 0) {
        int value = saturate16(in[0] * (1 << PASS1_BITS));
        for (int y = 0; y < 8; y++)
            column[8 * y] = value;
        return;
    }
    for (int v = 1; v < 8; v++)
        in[v] = wrap16(c[8 * v] * step[8 * v]);
    transform(in, sums);
    enum { SHIFT = CONST_BITS - PASS1_BITS };
    for (int y = 0; y < 8; y++)
        column[8 * y] = saturate16((sums[y] + (1 << (SHIFT - 1))) >> SHIFT);
}

void tx_jpeg_idct(const int16_t c[64], const uint16_t step[64], unsigned char *out, size_t stride)
{
    if (all_zero(c + 8, 56)) {
        one_row(c, step, out, stride);
        return;
    }
    int work[64], sums[8];
    for (int x = 0; x < 8; x++)
        column_pass(c + x, step + x, work + x);
    for (int y = 0; y < 8; y++) {
        transform(work + 8 * y, sums);
        unsigned char *row = out + (size_t)y * stride;
        for (int x = 0; x < 8; x++)
            row[x] = sample(sums[x]);
    }
}
