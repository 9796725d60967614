/* simd/avx512.h - f32x16 (simd.h) as one zmm register. */
#include <immintrin.h>

typedef __m512 f32x16;
typedef __m512i i32x16;
typedef __mmask16 m16;

TX_INLINE __mmask16 avx512_first(int n)
{
    return (__mmask16)((1u << n) - 1u);
}

TX_INLINE f32x16 v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

TX_INLINE void v_store(float *p, f32x16 x)
{
    _mm512_storeu_ps(p, x);
}

TX_INLINE void v_stream(float *p, f32x16 x)
{
    _mm512_stream_ps(p, x);
}

TX_INLINE void v_stream_end(void)
{
    _mm_sfence();
}

TX_INLINE f32x16 v_load_n(const float *p, int n)
{
    return _mm512_maskz_loadu_ps(avx512_first(n), p);
}

TX_INLINE void v_store_n(float *p, int n, f32x16 x)
{
    _mm512_mask_storeu_ps(p, avx512_first(n), x);
}

TX_INLINE f32x16 v_zero(void)
{
    return _mm512_setzero_ps();
}

TX_INLINE f32x16 v_set1(float s)
{
    return _mm512_set1_ps(s);
}

TX_INLINE f32x16 v_add(f32x16 a, f32x16 b)
{
    return _mm512_add_ps(a, b);
}

TX_INLINE f32x16 v_sub(f32x16 a, f32x16 b)
{
    return _mm512_sub_ps(a, b);
}

TX_INLINE f32x16 v_mul(f32x16 a, f32x16 b)
{
    return _mm512_mul_ps(a, b);
}

TX_INLINE f32x16 v_div(f32x16 a, f32x16 b)
{
    return _mm512_div_ps(a, b);
}

TX_INLINE f32x16 v_sqrt(f32x16 a)
{
    return _mm512_sqrt_ps(a);
}

TX_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c)
{
    return _mm512_fmadd_ps(a, b, c);
}

TX_INLINE f32x16 v_fnma(f32x16 a, f32x16 b, f32x16 c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

TX_INLINE f32x16 v_neg(f32x16 a)
{
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
}

TX_INLINE f32x16 v_abs(f32x16 a)
{
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MAX)));
}

TX_INLINE f32x16 v_max(f32x16 a, f32x16 b)
{
    return _mm512_max_ps(a, b);
}

TX_INLINE f32x16 v_min(f32x16 a, f32x16 b)
{
    return _mm512_min_ps(a, b);
}

TX_INLINE m16 v_gt(f32x16 a, f32x16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

TX_INLINE m16 v_ge(f32x16 a, f32x16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}

TX_INLINE m16 v_lt(f32x16 a, f32x16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

TX_INLINE m16 v_le(f32x16 a, f32x16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}

TX_INLINE m16 v_eq(f32x16 a, f32x16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}

TX_INLINE f32x16 v_select(m16 m, f32x16 a, f32x16 b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

TX_INLINE m16 m_and(m16 a, m16 b)
{
    return (m16)(a & b);
}

TX_INLINE m16 m_or(m16 a, m16 b)
{
    return (m16)(a | b);
}

TX_INLINE m16 m_not(m16 a)
{
    return (m16)~a;
}

TX_INLINE int m_any(m16 a)
{
    return a != 0;
}

TX_INLINE float v_sum(f32x16 a)
{
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

TX_INLINE i32x16 v_bits(f32x16 a)
{
    return _mm512_castps_si512(a);
}

TX_INLINE f32x16 v_from_bits(i32x16 a)
{
    return _mm512_castsi512_ps(a);
}

TX_INLINE f32x16 v_from_int(i32x16 a)
{
    return _mm512_cvtepi32_ps(a);
}

TX_INLINE i32x16 i_load(const int32_t *p)
{
    return _mm512_loadu_si512((const void *)p);
}

TX_INLINE void i_store(int32_t *p, i32x16 a)
{
    _mm512_storeu_si512((void *)p, a);
}

TX_INLINE i32x16 i_load_bytes(const unsigned char *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

TX_INLINE void i_store_bytes(unsigned char *p, i32x16 a)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(a));
}

TX_INLINE i32x16 i_set1(int32_t s)
{
    return _mm512_set1_epi32(s);
}

TX_INLINE i32x16 i_add(i32x16 a, i32x16 b)
{
    return _mm512_add_epi32(a, b);
}

TX_INLINE i32x16 i_sub(i32x16 a, i32x16 b)
{
    return _mm512_sub_epi32(a, b);
}

TX_INLINE i32x16 i_and(i32x16 a, i32x16 b)
{
    return _mm512_and_si512(a, b);
}

TX_INLINE i32x16 i_or(i32x16 a, i32x16 b)
{
    return _mm512_or_si512(a, b);
}

TX_INLINE i32x16 i_xor(i32x16 a, i32x16 b)
{
    return _mm512_xor_si512(a, b);
}

TX_INLINE i32x16 i_shl(i32x16 a, int n)
{
    return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n));
}

TX_INLINE i32x16 i_shr(i32x16 a, int n)
{
    return _mm512_srl_epi32(a, _mm_cvtsi32_si128(n));
}

TX_INLINE i32x16 i_sar(i32x16 a, int n)
{
    return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n));
}

TX_INLINE m16 i_eq(i32x16 a, i32x16 b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}

TX_INLINE m16 i_gt(i32x16 a, i32x16 b)
{
    return _mm512_cmpgt_epi32_mask(a, b);
}

TX_INLINE i32x16 i_select(m16 m, i32x16 a, i32x16 b)
{
    return _mm512_mask_blend_epi32(m, b, a);
}
