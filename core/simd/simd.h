/* simd.h - sixteen floats at a time, with the same bits on every instruction set. Private to core.
 *
 * A file that defines TX_SIMD_AVX512, TX_SIMD_AVX2 or TX_SIMD_NEON (and has set the compiler's target) before
 * including this gets that back end, any other the portable one, which is the specification: a loop over lanes.
 *
 *   f32x16  sixteen floats      one zmm | two ymm | four q | float[16]
 *   i32x16  sixteen int32_t, two's complement, sums wrap
 *   m16     a truth value a lane
 *
 * Every operation rounds once, to nearest even, and treats subnormals, infinities and signed zeros as IEEE 754 says.
 * Which NaN comes out of an operation on NaNs is not promised, that one comes out is. No estimates (rcp, rsqrt): they
 * differ between vendors.
 *
 *   v_load(p) v_store(p,x)           p need not be aligned
 *   v_load_n(p,n) v_store_n(p,n,x)   first n lanes, 1 <= n <= 16; the others are 0 and not touched in memory
 *   v_stream(p,x)                    as v_store, p aligned to 64, without reading the line into a cache first; v_stream_end()
 *                                    before another thread may read
 *   v_zero() v_set1(s)
 *   v_add v_sub v_mul v_div v_sqrt
 *   v_fma(a,b,c) = a*b + c           v_fnma(a,b,c) = c - a*b, one rounding each
 *   v_neg(a)                         sign bit flipped (not 0 - a)
 *   v_abs(a)                         sign bit cleared
 *   v_max(a,b) = a > b ? a : b       v_min(a,b) = a < b ? a : b; so the second operand where one is NaN or both are
 *                                    zeros. ReLU that keeps NaN is v_max(v_zero(), x); its zero is then x's own
 *   v_gt v_ge v_lt v_le v_eq         m16, false where an operand is NaN
 *   v_select(m,a,b) = m ? a : b
 *   m_and m_or m_not m_any           m_any: 1 if any lane is true
 *   v_sum(a)                         tree T16: lanes i += i+8, then i+4, i+2, i+1
 *   v_bits(a) v_from_bits(i)         reinterpreted
 *   v_from_int(i)                    converted, to nearest even
 *   i_load i_store i_set1 i_add i_sub i_and i_or i_xor
 *   i_load_bytes(p) i_store_bytes(p,a)   sixteen bytes 0..255, widened; the low byte of each
 *   i_shl(a,n) i_shr(a,n) i_sar(a,n) n in 0..31; shr shifts in zeros, sar the sign
 *   i_eq i_gt                        m16 (signed)
 *   i_select(m,a,b)
 * and, built from these, below:
 *   v_round(x)                       nearest integer, ties to even, |x| <= 2^22
 *   v_round_int(x)                   the same as an i32x16
 *   v_pow2(i)                        2^i as a float, -126 <= i <= 127
 *   v_take(p,n) v_put(p,x,n)         as v_load_n and v_store_n, all sixteen lanes for any n >= 16: the next lanes of a row
 *                                    of which n are left
 *   v_move8(to,from)                 eight floats, copied
 *   v_exp v_log v_log1p v_tanh v_sigmoid   the bits of tx_expf and so on
 */
#ifndef THORAX_SIMD_H
#define THORAX_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A vector in registers must not pass through a call. The portable back end's is in memory anyway: there the compiler may
 * do as it likes, and is the quicker for it. */
#if defined(TX_SIMD_AVX512) || defined(TX_SIMD_AVX2) || defined(TX_SIMD_NEON)
#define TX_INLINE static inline __attribute__((always_inline))
#else
#define TX_INLINE static inline
#endif

/* What is asked for may lie beyond the end of an array, where no pointer may point: TX_PREFETCH takes addresses too. */
#if defined(__GNUC__) || defined(__clang__)
#define TX_NOINLINE static __attribute__((noinline))
#define TX_PREFETCH(p) __builtin_prefetch((const void *)(p))
#define TX_PREFETCH_SECOND(p) __builtin_prefetch((const void *)(p), 0, 2) /* into the second cache */
#define TX_PREFETCH_WRITE(p) __builtin_prefetch(p, 1)
#else
#define TX_NOINLINE static
#define TX_PREFETCH(p) ((void)(p))
#define TX_PREFETCH_SECOND(p) ((void)(p))
#define TX_PREFETCH_WRITE(p) ((void)(p))
#endif

/* clang contracts a*b + c by default, and has the pragma that forbids it; gcc is told on the command line. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#if defined(TX_SIMD_AVX512)
#include "avx512.h"
#elif defined(TX_SIMD_AVX2)
#include "avx2.h"
#elif defined(TX_SIMD_NEON)
#include "neon.h"
#else
#include "portable.h"
#endif

/* 1.5 * 2^23: a float of this size has no bits below 1, so that adding it rounds to an integer, which then stands
 * in the low bits of the sum. */
#define V_ROUND_MAGIC 12582912.0f

TX_INLINE f32x16 v_take(const float *p, size_t n)
{
    return n < 16 ? v_load_n(p, (int)n) : v_load(p);
}

TX_INLINE void v_put(float *p, f32x16 x, size_t n)
{
    if (n < 16)
        v_store_n(p, (int)n, x);
    else
        v_store(p, x);
}

/* As v_put; past the caches if `stream`, then p is aligned to 64. */
TX_INLINE void v_put_past(float *p, f32x16 x, size_t n, int stream)
{
    if (n < 16)
        v_store_n(p, (int)n, x);
    else if (stream)
        v_stream(p, x);
    else
        v_store(p, x);
}

/* A compiler left to itself moves them in halves. */
TX_INLINE void v_move8(float *to, const float *from)
{
#if defined(TX_SIMD_AVX2)
    _mm256_storeu_ps(to, _mm256_loadu_ps(from));
#else
    memcpy(to, from, 8 * sizeof(float));
#endif
}

TX_INLINE f32x16 v_round(f32x16 x)
{
    f32x16 magic = v_set1(V_ROUND_MAGIC);
    return v_sub(v_add(x, magic), magic);
}

TX_INLINE i32x16 v_round_int(f32x16 x)
{
    f32x16 magic = v_set1(V_ROUND_MAGIC);
    return i_sub(v_bits(v_add(x, magic)), v_bits(magic));
}

TX_INLINE f32x16 v_pow2(i32x16 i)
{
    return v_from_bits(i_shl(i_add(i, i_set1(127)), 23));
}

#include "math.h"

#endif
