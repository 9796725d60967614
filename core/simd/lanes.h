/* lanes.h - every operation of simd.h by number, so that a test can compare each, on each instruction set, with its
 * scalar definition. Private to core and test/core_simd.c.
 *
 * LANES(X) calls X(name, value) with the value as an f32x16 of operands a, b, c, of the count n in 1..16 and the
 * integers i = bits of a, j = bits of b. Truth values are 1 and 0, integers are bits. */
#ifndef THORAX_LANES_H
#define THORAX_LANES_H

#define LANES_TRUTH(m) v_select(m, v_set1(1.0f), v_zero())

#define LANES(X)                                                           \
    X(zero, v_zero())                                                      \
    X(set1, v_set1(*in))                                                   \
    X(load, v_load(in))                                                    \
    X(load_n, v_load_n(in, n))                                             \
    X(add, v_add(a, b))                                                    \
    X(sub, v_sub(a, b))                                                    \
    X(mul, v_mul(a, b))                                                    \
    X(div, v_div(a, b))                                                    \
    X(sqrt, v_sqrt(a))                                                     \
    X(fma, v_fma(a, b, c))                                                 \
    X(fnma, v_fnma(a, b, c))                                               \
    X(neg, v_neg(a))                                                       \
    X(abs, v_abs(a))                                                       \
    X(max, v_max(a, b))                                                    \
    X(min, v_min(a, b))                                                    \
    X(gt, LANES_TRUTH(v_gt(a, b)))                                         \
    X(ge, LANES_TRUTH(v_ge(a, b)))                                         \
    X(lt, LANES_TRUTH(v_lt(a, b)))                                         \
    X(le, LANES_TRUTH(v_le(a, b)))                                         \
    X(eq, LANES_TRUTH(v_eq(a, b)))                                         \
    X(select, v_select(v_gt(a, b), c, a))                                  \
    X(m_and, LANES_TRUTH(m_and(v_gt(a, b), v_gt(a, c))))                   \
    X(m_or, LANES_TRUTH(m_or(v_gt(a, b), v_gt(a, c))))                     \
    X(m_not, LANES_TRUTH(m_not(v_gt(a, b))))                               \
    X(m_any, v_set1(m_any(v_gt(a, b)) ? 1.0f : 0.0f))                      \
    X(sum, v_set1(v_sum(a)))                                               \
    X(bits, v_from_bits(v_bits(a)))                                        \
    X(from_int, v_from_int(i))                                             \
    X(i_load, v_from_bits(i_load(integers)))                               \
    X(i_set1, v_from_bits(i_set1(*integers)))                              \
    X(i_add, v_from_bits(i_add(i, j)))                                     \
    X(i_sub, v_from_bits(i_sub(i, j)))                                     \
    X(i_and, v_from_bits(i_and(i, j)))                                     \
    X(i_or, v_from_bits(i_or(i, j)))                                       \
    X(i_xor, v_from_bits(i_xor(i, j)))                                     \
    X(i_shl, v_from_bits(i_shl(i, 2 * n - 1)))                             \
    X(i_shr, v_from_bits(i_shr(i, 2 * n - 1)))                             \
    X(i_sar, v_from_bits(i_sar(i, 2 * n - 1)))                             \
    X(i_eq, LANES_TRUTH(i_eq(i, j)))                                       \
    X(i_gt, LANES_TRUTH(i_gt(i, j)))                                       \
    X(i_select, v_from_bits(i_select(i_gt(i, j), v_bits(c), i)))           \
    X(round, v_round(a))                                                   \
    X(round_int, v_from_bits(v_round_int(a)))                              \
    X(pow2, v_pow2(i_sub(i_and(i, i_set1(0x7f)), i_and(j, i_set1(0x3f))))) \
    X(exp, v_exp(a))                                                       \
    X(log, v_log(a))                                                       \
    X(log1p, v_log1p(a))                                                   \
    X(tanh, v_tanh(a))                                                     \
    X(sigmoid, v_sigmoid(a))

#define LANES_NUMBER(name, value) LANE_##name,
enum { LANES(LANES_NUMBER) LANES_COUNT };

#endif
