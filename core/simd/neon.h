/* simd/neon.h - f32x16 (simd.h) as four q registers, of AArch64. */
#include <arm_neon.h>

typedef struct f32x16 {
    float32x4_t q[4];
} f32x16;
typedef struct i32x16 {
    int32x4_t q[4];
} i32x16;
typedef struct m16 {
    uint32x4_t q[4]; /* all bits of a true lane are set */
} m16;

TX_INLINE f32x16 neon_f(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d)
{
    f32x16 r = {{a, b, c, d}};
    return r;
}

TX_INLINE i32x16 neon_i(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
    i32x16 r = {{a, b, c, d}};
    return r;
}

TX_INLINE m16 neon_m(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
    m16 r = {{a, b, c, d}};
    return r;
}

TX_INLINE f32x16 v_load(const float *p)
{
    return neon_f(vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12));
}

TX_INLINE void v_store(float *p, f32x16 x)
{
    vst1q_f32(p, x.q[0]);
    vst1q_f32(p + 4, x.q[1]);
    vst1q_f32(p + 8, x.q[2]);
    vst1q_f32(p + 12, x.q[3]);
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
    float lane[16] = {0};
    memcpy(lane, p, (size_t)n * sizeof(float));
    return v_load(lane);
}

TX_INLINE void v_store_n(float *p, int n, f32x16 x)
{
    float lane[16];
    v_store(lane, x);
    memcpy(p, lane, (size_t)n * sizeof(float));
}

TX_INLINE f32x16 v_set1(float s)
{
    float32x4_t x = vdupq_n_f32(s);
    return neon_f(x, x, x, x);
}

TX_INLINE f32x16 v_zero(void)
{
    return v_set1(0.0f);
}

TX_INLINE f32x16 v_add(f32x16 a, f32x16 b)
{
    return neon_f(vaddq_f32(a.q[0], b.q[0]), vaddq_f32(a.q[1], b.q[1]), vaddq_f32(a.q[2], b.q[2]),
                  vaddq_f32(a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_sub(f32x16 a, f32x16 b)
{
    return neon_f(vsubq_f32(a.q[0], b.q[0]), vsubq_f32(a.q[1], b.q[1]), vsubq_f32(a.q[2], b.q[2]),
                  vsubq_f32(a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_mul(f32x16 a, f32x16 b)
{
    return neon_f(vmulq_f32(a.q[0], b.q[0]), vmulq_f32(a.q[1], b.q[1]), vmulq_f32(a.q[2], b.q[2]),
                  vmulq_f32(a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_div(f32x16 a, f32x16 b)
{
    return neon_f(vdivq_f32(a.q[0], b.q[0]), vdivq_f32(a.q[1], b.q[1]), vdivq_f32(a.q[2], b.q[2]),
                  vdivq_f32(a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_sqrt(f32x16 a)
{
    return neon_f(vsqrtq_f32(a.q[0]), vsqrtq_f32(a.q[1]), vsqrtq_f32(a.q[2]), vsqrtq_f32(a.q[3]));
}

TX_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c)
{
    return neon_f(vfmaq_f32(c.q[0], a.q[0], b.q[0]), vfmaq_f32(c.q[1], a.q[1], b.q[1]),
                  vfmaq_f32(c.q[2], a.q[2], b.q[2]), vfmaq_f32(c.q[3], a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_fnma(f32x16 a, f32x16 b, f32x16 c)
{
    return neon_f(vfmsq_f32(c.q[0], a.q[0], b.q[0]), vfmsq_f32(c.q[1], a.q[1], b.q[1]),
                  vfmsq_f32(c.q[2], a.q[2], b.q[2]), vfmsq_f32(c.q[3], a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_neg(f32x16 a)
{
    return neon_f(vnegq_f32(a.q[0]), vnegq_f32(a.q[1]), vnegq_f32(a.q[2]), vnegq_f32(a.q[3]));
}

TX_INLINE f32x16 v_abs(f32x16 a)
{
    return neon_f(vabsq_f32(a.q[0]), vabsq_f32(a.q[1]), vabsq_f32(a.q[2]), vabsq_f32(a.q[3]));
}

TX_INLINE m16 v_gt(f32x16 a, f32x16 b)
{
    return neon_m(vcgtq_f32(a.q[0], b.q[0]), vcgtq_f32(a.q[1], b.q[1]), vcgtq_f32(a.q[2], b.q[2]),
                  vcgtq_f32(a.q[3], b.q[3]));
}

TX_INLINE m16 v_ge(f32x16 a, f32x16 b)
{
    return neon_m(vcgeq_f32(a.q[0], b.q[0]), vcgeq_f32(a.q[1], b.q[1]), vcgeq_f32(a.q[2], b.q[2]),
                  vcgeq_f32(a.q[3], b.q[3]));
}

TX_INLINE m16 v_lt(f32x16 a, f32x16 b)
{
    return neon_m(vcltq_f32(a.q[0], b.q[0]), vcltq_f32(a.q[1], b.q[1]), vcltq_f32(a.q[2], b.q[2]),
                  vcltq_f32(a.q[3], b.q[3]));
}

TX_INLINE m16 v_le(f32x16 a, f32x16 b)
{
    return neon_m(vcleq_f32(a.q[0], b.q[0]), vcleq_f32(a.q[1], b.q[1]), vcleq_f32(a.q[2], b.q[2]),
                  vcleq_f32(a.q[3], b.q[3]));
}

TX_INLINE m16 v_eq(f32x16 a, f32x16 b)
{
    return neon_m(vceqq_f32(a.q[0], b.q[0]), vceqq_f32(a.q[1], b.q[1]), vceqq_f32(a.q[2], b.q[2]),
                  vceqq_f32(a.q[3], b.q[3]));
}

TX_INLINE f32x16 v_select(m16 m, f32x16 a, f32x16 b)
{
    return neon_f(vbslq_f32(m.q[0], a.q[0], b.q[0]), vbslq_f32(m.q[1], a.q[1], b.q[1]),
                  vbslq_f32(m.q[2], a.q[2], b.q[2]), vbslq_f32(m.q[3], a.q[3], b.q[3]));
}

/* Compare and select: vmaxq_f32 answers otherwise for NaN and for zeros of two signs. */
TX_INLINE f32x16 v_max(f32x16 a, f32x16 b)
{
    return v_select(v_gt(a, b), a, b);
}

TX_INLINE f32x16 v_min(f32x16 a, f32x16 b)
{
    return v_select(v_lt(a, b), a, b);
}

TX_INLINE m16 m_and(m16 a, m16 b)
{
    return neon_m(vandq_u32(a.q[0], b.q[0]), vandq_u32(a.q[1], b.q[1]), vandq_u32(a.q[2], b.q[2]),
                  vandq_u32(a.q[3], b.q[3]));
}

TX_INLINE m16 m_or(m16 a, m16 b)
{
    return neon_m(vorrq_u32(a.q[0], b.q[0]), vorrq_u32(a.q[1], b.q[1]), vorrq_u32(a.q[2], b.q[2]),
                  vorrq_u32(a.q[3], b.q[3]));
}

TX_INLINE m16 m_not(m16 a)
{
    return neon_m(vmvnq_u32(a.q[0]), vmvnq_u32(a.q[1]), vmvnq_u32(a.q[2]), vmvnq_u32(a.q[3]));
}

TX_INLINE int m_any(m16 a)
{
    uint32x4_t all = vorrq_u32(vorrq_u32(a.q[0], a.q[1]), vorrq_u32(a.q[2], a.q[3]));
    return vmaxvq_u32(all) != 0;
}

/* Not vaddvq_f32: it adds neighbours first. */
TX_INLINE float v_sum(f32x16 a)
{
    float32x4_t four = vaddq_f32(vaddq_f32(a.q[0], a.q[2]), vaddq_f32(a.q[1], a.q[3]));
    float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

TX_INLINE i32x16 v_bits(f32x16 a)
{
    return neon_i(vreinterpretq_s32_f32(a.q[0]), vreinterpretq_s32_f32(a.q[1]), vreinterpretq_s32_f32(a.q[2]),
                  vreinterpretq_s32_f32(a.q[3]));
}

TX_INLINE f32x16 v_from_bits(i32x16 a)
{
    return neon_f(vreinterpretq_f32_s32(a.q[0]), vreinterpretq_f32_s32(a.q[1]), vreinterpretq_f32_s32(a.q[2]),
                  vreinterpretq_f32_s32(a.q[3]));
}

TX_INLINE f32x16 v_from_int(i32x16 a)
{
    return neon_f(vcvtq_f32_s32(a.q[0]), vcvtq_f32_s32(a.q[1]), vcvtq_f32_s32(a.q[2]), vcvtq_f32_s32(a.q[3]));
}

TX_INLINE i32x16 i_load(const int32_t *p)
{
    return neon_i(vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12));
}

TX_INLINE void i_store(int32_t *p, i32x16 a)
{
    vst1q_s32(p, a.q[0]);
    vst1q_s32(p + 4, a.q[1]);
    vst1q_s32(p + 8, a.q[2]);
    vst1q_s32(p + 12, a.q[3]);
}

TX_INLINE i32x16 i_load_bytes(const unsigned char *p)
{
    uint8x16_t bytes = vld1q_u8(p);
    uint16x8_t lo = vmovl_u8(vget_low_u8(bytes)), hi = vmovl_u8(vget_high_u8(bytes));
    return neon_i(
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(lo))), vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(lo))),
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(hi))), vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(hi))));
}

TX_INLINE void i_store_bytes(unsigned char *p, i32x16 a)
{
    uint16x4_t q[4];
    for (int i = 0; i < 4; i++)
        q[i] = vmovn_u32(vreinterpretq_u32_s32(a.q[i]));
    vst1q_u8(p, vcombine_u8(vmovn_u16(vcombine_u16(q[0], q[1])), vmovn_u16(vcombine_u16(q[2], q[3]))));
}

TX_INLINE i32x16 i_set1(int32_t s)
{
    int32x4_t x = vdupq_n_s32(s);
    return neon_i(x, x, x, x);
}

TX_INLINE i32x16 i_add(i32x16 a, i32x16 b)
{
    return neon_i(vaddq_s32(a.q[0], b.q[0]), vaddq_s32(a.q[1], b.q[1]), vaddq_s32(a.q[2], b.q[2]),
                  vaddq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_sub(i32x16 a, i32x16 b)
{
    return neon_i(vsubq_s32(a.q[0], b.q[0]), vsubq_s32(a.q[1], b.q[1]), vsubq_s32(a.q[2], b.q[2]),
                  vsubq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_and(i32x16 a, i32x16 b)
{
    return neon_i(vandq_s32(a.q[0], b.q[0]), vandq_s32(a.q[1], b.q[1]), vandq_s32(a.q[2], b.q[2]),
                  vandq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_or(i32x16 a, i32x16 b)
{
    return neon_i(vorrq_s32(a.q[0], b.q[0]), vorrq_s32(a.q[1], b.q[1]), vorrq_s32(a.q[2], b.q[2]),
                  vorrq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_xor(i32x16 a, i32x16 b)
{
    return neon_i(veorq_s32(a.q[0], b.q[0]), veorq_s32(a.q[1], b.q[1]), veorq_s32(a.q[2], b.q[2]),
                  veorq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_shl(i32x16 a, int n)
{
    int32x4_t left = vdupq_n_s32(n);
    return neon_i(vshlq_s32(a.q[0], left), vshlq_s32(a.q[1], left), vshlq_s32(a.q[2], left), vshlq_s32(a.q[3], left));
}

TX_INLINE int32x4_t neon_shr(int32x4_t a, int32x4_t right)
{
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), right));
}

TX_INLINE i32x16 i_shr(i32x16 a, int n)
{
    int32x4_t right = vdupq_n_s32(-n);
    return neon_i(neon_shr(a.q[0], right), neon_shr(a.q[1], right), neon_shr(a.q[2], right), neon_shr(a.q[3], right));
}

TX_INLINE i32x16 i_sar(i32x16 a, int n)
{
    int32x4_t right = vdupq_n_s32(-n);
    return neon_i(vshlq_s32(a.q[0], right), vshlq_s32(a.q[1], right), vshlq_s32(a.q[2], right),
                  vshlq_s32(a.q[3], right));
}

TX_INLINE m16 i_eq(i32x16 a, i32x16 b)
{
    return neon_m(vceqq_s32(a.q[0], b.q[0]), vceqq_s32(a.q[1], b.q[1]), vceqq_s32(a.q[2], b.q[2]),
                  vceqq_s32(a.q[3], b.q[3]));
}

TX_INLINE m16 i_gt(i32x16 a, i32x16 b)
{
    return neon_m(vcgtq_s32(a.q[0], b.q[0]), vcgtq_s32(a.q[1], b.q[1]), vcgtq_s32(a.q[2], b.q[2]),
                  vcgtq_s32(a.q[3], b.q[3]));
}

TX_INLINE i32x16 i_select(m16 m, i32x16 a, i32x16 b)
{
    return neon_i(vbslq_s32(m.q[0], a.q[0], b.q[0]), vbslq_s32(m.q[1], a.q[1], b.q[1]),
                  vbslq_s32(m.q[2], a.q[2], b.q[2]), vbslq_s32(m.q[3], a.q[3], b.q[3]));
}
