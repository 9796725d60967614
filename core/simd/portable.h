/* simd/portable.h - f32x16 (simd.h) as an array: the specification of every operation, in plain C. */
#include <math.h>

typedef struct f32x16 {
    float v[16];
} f32x16;
typedef struct i32x16 {
    int32_t v[16];
} i32x16;
typedef struct m16 {
    int32_t v[16]; /* -1 true, 0 false */
} m16;

typedef union portable_float {
    float f;
    int32_t i;
    uint32_t u;
} portable_float;

typedef union portable_double {
    double d;
    uint64_t u;
} portable_double;

/* a*b + c with one rounding. The product of two floats is exact in double. The sum is rounded to odd there: to nearest
 * first, its error found exactly (Knuth's two-sum), and where there is one and the last bit is even, moved to the odd
 * neighbour on the error's side. Rounding to odd keeps all that the final rounding to float needs to know, as double
 * has more than two bits to spare (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", IEEE Trans. Computers 57(4), 2008). */
#if defined(__GNUC__)
__attribute__((always_inline))
#endif
static inline float
portable_fma(float a, float b, float c)
{
#if defined(__FP_FAST_FMAF)
    return fmaf(a, b, c);
#else
    double p = (double)a * (double)b;
    portable_double s;
    s.d = p + (double)c;
    double part = s.d - p;
    double error = (p - (s.d - part)) + ((double)c - part);
    uint64_t even = ~s.u & 1;
    uint64_t away = (uint64_t)((error > 0) & (s.d > 0)) | (uint64_t)((error < 0) & (s.d < 0));
    uint64_t toward = (uint64_t)((error < 0) & (s.d > 0)) | (uint64_t)((error > 0) & (s.d < 0));
    s.u += (away & even);
    s.u -= (toward & even);
    return (float)s.d;
#endif
}

TX_INLINE f32x16 v_load(const float *p)
{
    f32x16 r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}

TX_INLINE void v_store(float *p, f32x16 x)
{
    memcpy(p, x.v, sizeof x.v);
}

TX_INLINE void v_stream(float *p, f32x16 x)
{
    v_store(p, x);
}

TX_INLINE void v_stream_end(void)
{
}

TX_INLINE f32x16 v_load_n(const float *p, int n)
{
    f32x16 r = {{0}};
    memcpy(r.v, p, (size_t)n * sizeof(float));
    return r;
}

TX_INLINE void v_store_n(float *p, int n, f32x16 x)
{
    memcpy(p, x.v, (size_t)n * sizeof(float));
}

TX_INLINE f32x16 v_zero(void)
{
    f32x16 r = {{0}};
    return r;
}

TX_INLINE f32x16 v_set1(float s)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = s;
    return r;
}

TX_INLINE f32x16 v_add(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] + b.v[i];
    return r;
}

TX_INLINE f32x16 v_sub(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] - b.v[i];
    return r;
}

TX_INLINE f32x16 v_mul(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] * b.v[i];
    return r;
}

TX_INLINE f32x16 v_div(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] / b.v[i];
    return r;
}

TX_INLINE f32x16 v_sqrt(f32x16 a)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = sqrtf(a.v[i]);
    return r;
}

TX_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = portable_fma(a.v[i], b.v[i], c.v[i]);
    return r;
}

TX_INLINE f32x16 v_fnma(f32x16 a, f32x16 b, f32x16 c)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = portable_fma(-a.v[i], b.v[i], c.v[i]);
    return r;
}

TX_INLINE i32x16 v_bits(f32x16 a)
{
    i32x16 r;
    memcpy(r.v, a.v, sizeof r.v);
    return r;
}

TX_INLINE f32x16 v_from_bits(i32x16 a)
{
    f32x16 r;
    memcpy(r.v, a.v, sizeof r.v);
    return r;
}

TX_INLINE f32x16 v_neg(f32x16 a)
{
    i32x16 r = v_bits(a);
    for (int i = 0; i < 16; i++)
        r.v[i] ^= INT32_MIN;
    return v_from_bits(r);
}

TX_INLINE f32x16 v_abs(f32x16 a)
{
    i32x16 r = v_bits(a);
    for (int i = 0; i < 16; i++)
        r.v[i] &= INT32_MAX;
    return v_from_bits(r);
}

TX_INLINE f32x16 v_max(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    return r;
}

TX_INLINE f32x16 v_min(f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return r;
}

TX_INLINE m16 v_gt(f32x16 a, f32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] > b.v[i]);
    return r;
}

TX_INLINE m16 v_ge(f32x16 a, f32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] >= b.v[i]);
    return r;
}

TX_INLINE m16 v_lt(f32x16 a, f32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] < b.v[i]);
    return r;
}

TX_INLINE m16 v_le(f32x16 a, f32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] <= b.v[i]);
    return r;
}

TX_INLINE m16 v_eq(f32x16 a, f32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] == b.v[i]);
    return r;
}

TX_INLINE f32x16 v_select(m16 m, f32x16 a, f32x16 b)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = m.v[i] ? a.v[i] : b.v[i];
    return r;
}

TX_INLINE m16 m_and(m16 a, m16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] & b.v[i];
    return r;
}

TX_INLINE m16 m_or(m16 a, m16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] | b.v[i];
    return r;
}

TX_INLINE m16 m_not(m16 a)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = ~a.v[i];
    return r;
}

TX_INLINE int m_any(m16 a)
{
    int any = 0;
    for (int i = 0; i < 16; i++)
        any |= a.v[i];
    return any != 0;
}

TX_INLINE float v_sum(f32x16 a)
{
    for (int step = 8; step > 0; step /= 2)
        for (int i = 0; i < step; i++)
            a.v[i] = a.v[i] + a.v[i + step];
    return a.v[0];
}

TX_INLINE f32x16 v_from_int(i32x16 a)
{
    f32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = (float)a.v[i];
    return r;
}

TX_INLINE i32x16 i_load(const int32_t *p)
{
    i32x16 r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}

TX_INLINE void i_store(int32_t *p, i32x16 a)
{
    memcpy(p, a.v, sizeof a.v);
}

TX_INLINE i32x16 i_load_bytes(const unsigned char *p)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = p[i];
    return r;
}

TX_INLINE void i_store_bytes(unsigned char *p, i32x16 a)
{
    for (int i = 0; i < 16; i++)
        p[i] = (unsigned char)(a.v[i] & 255);
}

TX_INLINE i32x16 i_set1(int32_t s)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = s;
    return r;
}

TX_INLINE i32x16 i_add(i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = (int32_t)((uint32_t)a.v[i] + (uint32_t)b.v[i]);
    return r;
}

TX_INLINE i32x16 i_sub(i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = (int32_t)((uint32_t)a.v[i] - (uint32_t)b.v[i]);
    return r;
}

TX_INLINE i32x16 i_and(i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] & b.v[i];
    return r;
}

TX_INLINE i32x16 i_or(i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] | b.v[i];
    return r;
}

TX_INLINE i32x16 i_xor(i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] ^ b.v[i];
    return r;
}

TX_INLINE i32x16 i_shl(i32x16 a, int n)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = (int32_t)((uint32_t)a.v[i] << n);
    return r;
}

TX_INLINE i32x16 i_shr(i32x16 a, int n)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = (int32_t)((uint32_t)a.v[i] >> n);
    return r;
}

TX_INLINE i32x16 i_sar(i32x16 a, int n)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = a.v[i] < 0 ? ~(~a.v[i] >> n) : a.v[i] >> n;
    return r;
}

TX_INLINE m16 i_eq(i32x16 a, i32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] == b.v[i]);
    return r;
}

TX_INLINE m16 i_gt(i32x16 a, i32x16 b)
{
    m16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = -(a.v[i] > b.v[i]);
    return r;
}

TX_INLINE i32x16 i_select(m16 m, i32x16 a, i32x16 b)
{
    i32x16 r;
    for (int i = 0; i < 16; i++)
        r.v[i] = m.v[i] ? a.v[i] : b.v[i];
    return r;
}
