/* kernels_avx512.c - the kernels for AVX-512 on a processor without it: core/simd/avx512.h over SIMDe's portable definitions
 * of Intel's intrinsics. Linked in the place of core/kernels_avx2.c and chosen as that is (TX_ISA=avx2), so that nothing else
 * of the program differs. Compiled with -mavx2 -mfma: multiply-adds round once. */
#include "../../core/kernels.h"

#include <stdlib.h>
#include <string.h>
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

/* What SIMDe 0.7 lacks, as Intel's Intrinsics Guide describes it. */
#define EMULATED static inline __attribute__((always_inline))
EMULATED __m512 masked_load(__mmask16 m, const void *p)
{
    float f[16] = {0};
    for (int i = 0; i < 16; i++)
        if (m >> i & 1)
            memcpy(f + i, (const char *)p + 4 * i, 4);
    return _mm512_loadu_ps(f);
}

EMULATED void masked_store(void *p, __mmask16 m, __m512 x)
{
    float f[16];
    _mm512_storeu_ps(f, x);
    for (int i = 0; i < 16; i++)
        if (m >> i & 1)
            memcpy((char *)p + 4 * i, f + i, 4);
}

EMULATED __m512 to_floats(__m512i x)
{
    int32_t from[16];
    float f[16];
    _mm512_storeu_si512(from, x);
    for (int i = 0; i < 16; i++)
        f[i] = (float)from[i];
    return _mm512_loadu_ps(f);
}

EMULATED __m512i widen_bytes(__m128i x)
{
    uint8_t from[16];
    int32_t to[16];
    _mm_storeu_si128((__m128i *)from, x);
    for (int i = 0; i < 16; i++)
        to[i] = from[i];
    return _mm512_loadu_si512(to);
}

EMULATED __m128i low_bytes(__m512i x)
{
    uint32_t from[16];
    uint8_t to[16];
    _mm512_storeu_si512(from, x);
    for (int i = 0; i < 16; i++)
        to[i] = (uint8_t)from[i];
    return _mm_loadu_si128((__m128i *)to);
}

EMULATED __m512i shift_right_signed(__m512i x, __m128i count)
{
    int32_t v[16];
    uint64_t n = (uint64_t)_mm_cvtsi128_si64(count);
    _mm512_storeu_si512(v, x);
    for (int i = 0; i < 16; i++)
        v[i] = n > 31 ? -(v[i] < 0) : v[i] >> n;
    return _mm512_loadu_si512(v);
}

/* Unlike the processor's own, this one says so where p is not aligned. */
EMULATED void store_past(void *p, __m512 x)
{
    if ((uintptr_t)p % 64)
        abort();
    _mm512_storeu_ps(p, x);
}

#undef _mm512_maskz_loadu_ps
#define _mm512_maskz_loadu_ps masked_load
#undef _mm512_mask_storeu_ps
#define _mm512_mask_storeu_ps masked_store
#undef _mm512_stream_ps
#define _mm512_stream_ps store_past
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps to_floats
#undef _mm512_cvtepu8_epi32
#define _mm512_cvtepu8_epi32 widen_bytes
#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 low_bytes
#undef _mm512_sra_epi32
#define _mm512_sra_epi32 shift_right_signed

#define TX_SIMD_AVX512
#define TX_KERNELS tx_kernels_avx2
#define TX_KERNELS_NAME "avx2" /* by which it is chosen */
#include "../../core/kernels/all.h"
