/* simd/avx2.h - f32x16 (simd.h) as two ymm registers, lanes 0..7 and 8..15. Needs AVX2 and FMA. */
#include <immintrin.h>

typedef struct f32x16 {
    __m256 lo, hi;
} f32x16;
typedef struct i32x16 {
    __m256i lo, hi;
} i32x16;
typedef struct m16 {
    __m256 lo, hi; /* all bits of a true lane are set */
} m16;

TX_INLINE f32x16 avx2_f(__m256 lo, __m256 hi)
{
    f32x16 r = {lo, hi};
    return r;
}

TX_INLINE i32x16 avx2_i(__m256i lo, __m256i hi)
{
    i32x16 r = {lo, hi};
    return r;
}

TX_INLINE m16 avx2_m(__m256 lo, __m256 hi)
{
    m16 r = {lo, hi};
    return r;
}

/* All bits set in the first n of eight lanes, n <= 8 (n < 0 counts as 0). */
TX_INLINE __m256i avx2_first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TX_INLINE f32x16 v_load(const float *p)
{
    return avx2_f(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
}

TX_INLINE void v_store(float *p, f32x16 x)
{
    _mm256_storeu_ps(p, x.lo);
    _mm256_storeu_ps(p + 8, x.hi);
}

TX_INLINE void v_stream(float *p, f32x16 x)
{
    _mm256_stream_ps(p, x.lo);
    _mm256_stream_ps(p + 8, x.hi);
}

TX_INLINE void v_stream_end(void)
{
    _mm_sfence();
}

TX_INLINE f32x16 v_load_n(const float *p, int n)
{
    if (n < 8)
        return avx2_f(_mm256_maskload_ps(p, avx2_first(n)), _mm256_setzero_ps());
    return avx2_f(_mm256_loadu_ps(p), n == 8 ? _mm256_setzero_ps() : _mm256_maskload_ps(p + 8, avx2_first(n - 8)));
}

/* Whole halves, quarters and so on: a masked store is microcoded on some processors. */
TX_INLINE void v_store_n(float *p, int n, f32x16 x)
{
    __m256 eight = x.lo;
    if (n & 16) {
        v_store(p, x);
        return;
    }
    if (n & 8) {
        _mm256_storeu_ps(p, eight);
        eight = x.hi;
        p += 8;
    }
    __m128 four = _mm256_castps256_ps128(eight);
    if (n & 4) {
        _mm_storeu_ps(p, four);
        four = _mm256_extractf128_ps(eight, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, four);
        four = _mm_movehl_ps(four, four);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, four);
}

TX_INLINE f32x16 v_zero(void)
{
    return avx2_f(_mm256_setzero_ps(), _mm256_setzero_ps());
}

TX_INLINE f32x16 v_set1(float s)
{
    __m256 x = _mm256_set1_ps(s);
    return avx2_f(x, x);
}

TX_INLINE f32x16 v_add(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi));
}

TX_INLINE f32x16 v_sub(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi));
}

TX_INLINE f32x16 v_mul(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi));
}

TX_INLINE f32x16 v_div(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi));
}

TX_INLINE f32x16 v_sqrt(f32x16 a)
{
    return avx2_f(_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi));
}

TX_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c)
{
    return avx2_f(_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi));
}

TX_INLINE f32x16 v_fnma(f32x16 a, f32x16 b, f32x16 c)
{
    return avx2_f(_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi));
}

TX_INLINE f32x16 v_neg(f32x16 a)
{
    __m256 sign = _mm256_set1_ps(-0.0f);
    return avx2_f(_mm256_xor_ps(a.lo, sign), _mm256_xor_ps(a.hi, sign));
}

TX_INLINE f32x16 v_abs(f32x16 a)
{
    __m256 sign = _mm256_set1_ps(-0.0f);
    return avx2_f(_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi));
}

TX_INLINE f32x16 v_max(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi));
}

TX_INLINE f32x16 v_min(f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi));
}

TX_INLINE m16 v_gt(f32x16 a, f32x16 b)
{
    return avx2_m(_mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ));
}

TX_INLINE m16 v_ge(f32x16 a, f32x16 b)
{
    return avx2_m(_mm256_cmp_ps(a.lo, b.lo, _CMP_GE_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GE_OQ));
}

TX_INLINE m16 v_lt(f32x16 a, f32x16 b)
{
    return avx2_m(_mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ));
}

TX_INLINE m16 v_le(f32x16 a, f32x16 b)
{
    return avx2_m(_mm256_cmp_ps(a.lo, b.lo, _CMP_LE_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_LE_OQ));
}

TX_INLINE m16 v_eq(f32x16 a, f32x16 b)
{
    return avx2_m(_mm256_cmp_ps(a.lo, b.lo, _CMP_EQ_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_EQ_OQ));
}

TX_INLINE f32x16 v_select(m16 m, f32x16 a, f32x16 b)
{
    return avx2_f(_mm256_blendv_ps(b.lo, a.lo, m.lo), _mm256_blendv_ps(b.hi, a.hi, m.hi));
}

TX_INLINE m16 m_and(m16 a, m16 b)
{
    return avx2_m(_mm256_and_ps(a.lo, b.lo), _mm256_and_ps(a.hi, b.hi));
}

TX_INLINE m16 m_or(m16 a, m16 b)
{
    return avx2_m(_mm256_or_ps(a.lo, b.lo), _mm256_or_ps(a.hi, b.hi));
}

TX_INLINE m16 m_not(m16 a)
{
    __m256 ones = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
    return avx2_m(_mm256_xor_ps(a.lo, ones), _mm256_xor_ps(a.hi, ones));
}

TX_INLINE int m_any(m16 a)
{
    return _mm256_movemask_ps(_mm256_or_ps(a.lo, a.hi)) != 0;
}

TX_INLINE float v_sum(f32x16 a)
{
    __m256 eight = _mm256_add_ps(a.lo, a.hi);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

TX_INLINE i32x16 v_bits(f32x16 a)
{
    return avx2_i(_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi));
}

TX_INLINE f32x16 v_from_bits(i32x16 a)
{
    return avx2_f(_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi));
}

TX_INLINE f32x16 v_from_int(i32x16 a)
{
    return avx2_f(_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi));
}

TX_INLINE i32x16 i_load(const int32_t *p)
{
    return avx2_i(_mm256_loadu_si256((const __m256i *)(const void *)p),
                  _mm256_loadu_si256((const __m256i *)(const void *)(p + 8)));
}

TX_INLINE void i_store(int32_t *p, i32x16 a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, a.lo);
    _mm256_storeu_si256((__m256i *)(void *)(p + 8), a.hi);
}

TX_INLINE i32x16 i_load_bytes(const unsigned char *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return avx2_i(_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
}

TX_INLINE void i_store_bytes(unsigned char *p, i32x16 a)
{
    __m256i low = _mm256_set1_epi32(255); /* the packing instructions saturate */
    __m256i lo = _mm256_and_si256(a.lo, low), hi = _mm256_and_si256(a.hi, low);
    __m128i first = _mm_packus_epi32(_mm256_castsi256_si128(lo), _mm256_extracti128_si256(lo, 1));
    __m128i second = _mm_packus_epi32(_mm256_castsi256_si128(hi), _mm256_extracti128_si256(hi, 1));
    _mm_storeu_si128((__m128i *)(void *)p, _mm_packus_epi16(first, second));
}

TX_INLINE i32x16 i_set1(int32_t s)
{
    __m256i x = _mm256_set1_epi32(s);
    return avx2_i(x, x);
}

TX_INLINE i32x16 i_add(i32x16 a, i32x16 b)
{
    return avx2_i(_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi));
}

TX_INLINE i32x16 i_sub(i32x16 a, i32x16 b)
{
    return avx2_i(_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi));
}

TX_INLINE i32x16 i_and(i32x16 a, i32x16 b)
{
    return avx2_i(_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi));
}

TX_INLINE i32x16 i_or(i32x16 a, i32x16 b)
{
    return avx2_i(_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi));
}

TX_INLINE i32x16 i_xor(i32x16 a, i32x16 b)
{
    return avx2_i(_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi));
}

TX_INLINE i32x16 i_shl(i32x16 a, int n)
{
    __m128i count = _mm_cvtsi32_si128(n);
    return avx2_i(_mm256_sll_epi32(a.lo, count), _mm256_sll_epi32(a.hi, count));
}

TX_INLINE i32x16 i_shr(i32x16 a, int n)
{
    __m128i count = _mm_cvtsi32_si128(n);
    return avx2_i(_mm256_srl_epi32(a.lo, count), _mm256_srl_epi32(a.hi, count));
}

TX_INLINE i32x16 i_sar(i32x16 a, int n)
{
    __m128i count = _mm_cvtsi32_si128(n);
    return avx2_i(_mm256_sra_epi32(a.lo, count), _mm256_sra_epi32(a.hi, count));
}

TX_INLINE m16 i_eq(i32x16 a, i32x16 b)
{
    return avx2_m(_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.lo, b.lo)),
                  _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.hi, b.hi)));
}

TX_INLINE m16 i_gt(i32x16 a, i32x16 b)
{
    return avx2_m(_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.lo, b.lo)),
                  _mm256_castsi256_ps(_mm256_cmpgt_epi32(a.hi, b.hi)));
}

TX_INLINE i32x16 i_select(m16 m, i32x16 a, i32x16 b)
{
    return v_bits(v_select(m, v_from_bits(a), v_from_bits(b)));
}
