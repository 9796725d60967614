/* jpeg_idct.c - the inverse discrete cosine transform of an 8x8 block, in integers.
 *
 *     out[y][x] = 128 + 1/4 sum_v sum_u C(u) C(v) F[v][u] cos((2x+1) u pi/16) cos((2y+1) v pi/16)
 *     C(0) = 1/sqrt(2), else C = 1
 *
 * Columns, then rows, each by the algorithm of C. Loeffler, A. Ligtenberg and G. Moschytz ("Practical fast 1-D DCT
 * algorithms with 11 multiplications", ICASSP 1989) for sqrt(8) times the transform, with constants of 13 bits.
 * Between the passes values keep 2 bits behind the point. This is libjpeg's "islow" arithmetic; as in libjpeg-turbo's
 * SIMD versions inputs and sums of two inputs are kept in 16 bits and wrap, as do results of the first pass where
 * there is one row of coefficients, and other results saturate. Only files with coefficients out of range can tell.
 */
#include "jpeg.h"

#include <string.h>

enum { CONST_BITS = 13, PASS1_BITS = 2 };

/* round(2^13 c), the constants of the paper's rotations */
enum {
    C_0_298631336 = 2446,
    C_0_390180644 = 3196,
    C_0_541196100 = 4433,
    C_0_765366865 = 6270,
    C_0_899976223 = 7373,
    C_1_175875602 = 9633,
    C_1_501321110 = 12299,
    C_1_847759065 = 15137,
    C_1_961570560 = 16069,
    C_2_053119869 = 16819,
    C_2_562915447 = 20995,
    C_3_072711026 = 25172
};

/* Room for 8 x 8 values in 16 bits. */
enum { BLOCK = 64 };

static inline int wrap16(int v)
{
    return (int16_t)(uint16_t)(unsigned)v;
}

static inline int16_t saturate16(int v)
{
    v = v < -32768 ? -32768 : v;
    return (int16_t)(v > 32767 ? 32767 : v);
}

/* Eight transforms side by side: the k-th value of transform l is in[8k + l]. Sums are scaled by 2^13 and shifted
 * right, rounding. None exceeds 32 bits: the largest is below 32768 (8192 + 15137 + 25172 + 16070) < 2^31. A loop of
 * fixed length over separate arrays of 16 bits is what compilers turn into vectors. */
static void transform(const int16_t *restrict in, int16_t *restrict out, int shift)
{
    int half = 1 << (shift - 1);
    for (int l = 0; l < 8; l++) {
        int in0 = in[l], in1 = in[8 + l], in2 = in[16 + l], in3 = in[24 + l];
        int in4 = in[32 + l], in5 = in[40 + l], in6 = in[48 + l], in7 = in[56 + l];
        int sum = wrap16(in0 + in4) * (1 << CONST_BITS) + half;
        int difference = wrap16(in0 - in4) * (1 << CONST_BITS) + half;
        int e2 = in2 * C_0_541196100 + in6 * (C_0_541196100 - C_1_847759065);
        int e3 = in2 * (C_0_541196100 + C_0_765366865) + in6 * C_0_541196100;
        int even0 = sum + e3, even1 = difference + e2, even2 = difference - e2, even3 = sum - e3;

        int z3 = wrap16(in7 + in3), z4 = wrap16(in5 + in1);
        int r3 = z3 * (C_1_175875602 - C_1_961570560) + z4 * C_1_175875602;
        int r4 = z3 * C_1_175875602 + z4 * (C_1_175875602 - C_0_390180644);
        int odd0 = in7 * -C_0_899976223 + in1 * (C_1_501321110 - C_0_899976223) + r4;
        int odd1 = in5 * -C_2_562915447 + in3 * (C_3_072711026 - C_2_562915447) + r3;
        int odd2 = in5 * (C_2_053119869 - C_2_562915447) + in3 * -C_2_562915447 + r4;
        int odd3 = in7 * (C_0_298631336 - C_0_899976223) + in1 * -C_0_899976223 + r3;
        out[l] = saturate16((even0 + odd0) >> shift);
        out[8 + l] = saturate16((even1 + odd1) >> shift);
        out[16 + l] = saturate16((even2 + odd2) >> shift);
        out[24 + l] = saturate16((even3 + odd3) >> shift);
        out[32 + l] = saturate16((even3 - odd3) >> shift);
        out[40 + l] = saturate16((even2 - odd2) >> shift);
        out[48 + l] = saturate16((even1 - odd1) >> shift);
        out[56 + l] = saturate16((even0 - odd0) >> shift);
    }
}

static void transpose(const int16_t *restrict in, int16_t *restrict out)
{
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            out[8 * j + i] = in[8 * i + j];
}

/* Whether rows 1 to 7 are zero. */
static int one_row(const int16_t *c)
{
    uint64_t any = 0, word;
    for (int i = 8; i < BLOCK; i += 4) {
        memcpy(&word, c + i, sizeof word);
        any |= word;
    }
    return any == 0;
}

static void store(const int16_t *in, unsigned char *out, size_t stride)
{
    unsigned char samples[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        int v = in[i] < -128 ? -128 : in[i];
        samples[i] = (unsigned char)((v > 127 ? 127 : v) + 128);
    }
    for (int y = 0; y < 8; y++)
        memcpy(out + (size_t)y * stride, samples + 8 * y, 8);
}

void tx_jpeg_idct(const int16_t c[64], const uint16_t step[64], unsigned char *out, size_t stride)
{
    int16_t a[BLOCK], b[BLOCK];
    if (one_row(c)) {
        /* the first pass then copies the row, times 4 */
        for (int x = 0; x < 8; x++) {
            int16_t value = (int16_t)wrap16(wrap16(c[x] * step[x]) * (1 << PASS1_BITS));
            for (int y = 0; y < 8; y++)
                a[8 * x + y] = value;
        }
    } else {
        for (int i = 0; i < BLOCK; i++)
            a[i] = (int16_t)wrap16(c[i] * step[i]);
        transform(a, b, CONST_BITS - PASS1_BITS);
        transpose(b, a);
    }
    transform(a, b, CONST_BITS + PASS1_BITS + 3);
    transpose(b, a);
    store(a, out, stride);
}
