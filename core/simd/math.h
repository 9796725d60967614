/* simd/math.h - exp, log, log1p, tanh and sigmoid of sixteen lanes: line by line the operations of elementary.c, which
 * explains them, so with its bits and its errors. Private to core; included by simd.h. */

#define MATH_ROUND 0x1.8p23f      /* x + MATH_ROUND has unit 1 */
#define MATH_POWER 0x1.8000fep23f /* MATH_ROUND + 127 */
#define MATH_LOG2E 0x1.715476p0f
#define MATH_LN2 0x1.62e43p-1f
#define MATH_LN2_REST -0x1.05c61p-29f
#define MATH_ONE 0x3f800000
#define MATH_TWO_THIRDS 0x3f2aaaab

/* p x + c */
TX_INLINE f32x16 math_step(f32x16 p, f32x16 x, float c)
{
    return v_fma(p, x, v_set1(c));
}

/* 2^n for integral n in [-126,127]. */
TX_INLINE f32x16 math_power(f32x16 n)
{
    return v_from_bits(i_shl(v_bits(v_add(n, v_set1(MATH_POWER))), 23));
}

TX_INLINE f32x16 math_with_sign(f32x16 x, f32x16 sign)
{
    return v_from_bits(i_or(v_bits(v_abs(x)), i_and(v_bits(sign), i_set1(INT32_MIN))));
}

TX_INLINE f32x16 math_exp_reduced(f32x16 x, f32x16 *n)
{
    *n = v_sub(math_step(x, v_set1(MATH_LOG2E), MATH_ROUND), v_set1(MATH_ROUND));
    f32x16 r = v_fma(*n, v_set1(-MATH_LN2), x);
    r = v_fma(*n, v_set1(-MATH_LN2_REST), r);
    f32x16 q = v_set1(0x1.6ac74ep-10f);
    q = math_step(q, r, 0x1.123dep-7f);
    q = math_step(q, r, 0x1.555858p-5f);
    q = math_step(q, r, 0x1.55548cp-3f);
    q = math_step(q, r, 0x1.fffffcp-2f);
    return v_fma(v_mul(q, r), r, r);
}

/* y 2^n for integral n in [-150,128], rounded once. */
TX_INLINE f32x16 math_scale(f32x16 y, f32x16 n)
{
#if defined(TX_SIMD_AVX512)
    return _mm512_scalef_ps(y, n);
#else
    f32x16 a = v_sub(math_step(n, v_set1(0.5f), MATH_ROUND), v_set1(MATH_ROUND));
    return v_mul(v_mul(y, math_power(a)), math_power(v_sub(n, a)));
#endif
}

/* exp(x) for x <= 89 */
TX_INLINE f32x16 math_exp_bounded(f32x16 x)
{
    f32x16 n, p = math_exp_reduced(v_max(v_set1(-104.0f), x), &n);
    return math_scale(v_add(v_set1(1.0f), p), n);
}

TX_INLINE f32x16 v_exp(f32x16 x)
{
    return math_exp_bounded(v_min(v_set1(89.0f), x));
}

TX_INLINE f32x16 math_log_tail(f32x16 f)
{
    f32x16 q = v_set1(-0x1.092554p-3f);
    q = math_step(q, f, 0x1.1e910cp-3f);
    q = math_step(q, f, -0x1.f29a46p-4f);
    q = math_step(q, f, 0x1.1ecf92p-3f);
    q = math_step(q, f, -0x1.55a192p-3f);
    q = math_step(q, f, 0x1.99d088p-3f);
    q = math_step(q, f, -0x1.fffedep-3f);
    q = math_step(q, f, 0x1.555506p-2f);
    return math_step(q, f, -0.5f);
}

TX_INLINE f32x16 math_log_select(f32x16 x, f32x16 y)
{
    f32x16 infinity = v_from_bits(i_set1(0x7f800000)), nan = v_from_bits(i_set1(0x7fc00000));
    f32x16 finite = v_select(v_lt(x, infinity), y, x), rest = v_select(v_eq(x, v_zero()), v_neg(infinity), nan);
    return v_select(v_gt(x, v_zero()), finite, rest);
}

/* x = 2^e m, m in [2/3,4/3) */
TX_INLINE f32x16 math_split(f32x16 x, float bias, f32x16 *e)
{
    i32x16 i = i_add(v_bits(x), i_set1(MATH_ONE - MATH_TWO_THIRDS));
    *e = v_sub(v_from_int(i_shr(i, 23)), v_set1(bias));
    return v_from_bits(i_add(i_and(i, i_set1(0x7fffff)), i_set1(MATH_TWO_THIRDS)));
}

TX_INLINE f32x16 v_log(f32x16 x)
{
    m16 subnormal = v_lt(x, v_set1(0x1p-126f));
    f32x16 e, m = math_split(v_select(subnormal, v_mul(x, v_set1(0x1p23f)), x), 0.0f, &e);
    e = v_sub(e, v_select(subnormal, v_set1(150.0f), v_set1(127.0f)));
    f32x16 f = v_sub(m, v_set1(1.0f));
    f32x16 small = v_fma(e, v_set1(MATH_LN2_REST), v_mul(v_mul(f, f), math_log_tail(f)));
    return math_log_select(x, v_fma(e, v_set1(MATH_LN2), v_add(f, small)));
}

TX_INLINE f32x16 v_log1p(f32x16 x)
{
    f32x16 e, u = v_add(v_set1(1.0f), x);
    math_split(u, 127.0f, &e);
    f32x16 t = v_mul(v_set1(0.25f), math_power(v_sub(v_set1(2.0f), e))), t1 = v_sub(t, v_set1(1.0f));
    f32x16 f = v_fma(x, t, t1), rest = v_fma(x, t, v_sub(t1, f));
    f32x16 small = v_fma(e, v_set1(MATH_LN2_REST), v_fma(v_mul(f, f), math_log_tail(f), rest));
    f32x16 y = math_log_select(u, v_fma(e, v_set1(MATH_LN2), v_add(f, small)));
    return v_select(v_eq(x, v_zero()), x, y);
}

TX_INLINE f32x16 v_tanh(f32x16 x)
{
    f32x16 a = v_min(v_set1(10.0f), v_abs(x)), n;
    f32x16 p = math_exp_reduced(v_add(a, a), &n), t = math_power(n);
    f32x16 large = v_sub(v_set1(1.0f), v_div(v_set1(2.0f), v_fma(p, t, v_add(t, v_set1(1.0f)))));
    f32x16 z = v_mul(a, a), q = v_set1(-0x1.750ce4p-8f);
    q = math_step(q, z, 0x1.51f8cep-6f);
    q = math_step(q, z, -0x1.b835a4p-5f);
    q = math_step(q, z, 0x1.1106f6p-3f);
    q = math_step(q, z, -0x1.555532p-2f);
    f32x16 small = v_fma(v_mul(q, z), a, a);
    return math_with_sign(v_select(v_lt(a, v_set1(0.625f)), small, large), x);
}

TX_INLINE f32x16 v_sigmoid(f32x16 x)
{
    f32x16 minus = v_from_bits(i_or(v_bits(x), i_set1(INT32_MIN))); /* -|x| */
    f32x16 one = v_set1(1.0f), z = math_exp_bounded(minus), d = v_add(one, z), r = v_div(one, d);
    f32x16 lost = v_sub(z, v_sub(d, one)), top = v_select(v_ge(x, v_zero()), one, z), q = v_mul(top, r);
    f32x16 rest = v_fnma(q, d, top);
    rest = v_fnma(q, lost, rest);
    return v_fma(rest, r, q);
}
