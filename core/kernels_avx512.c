/* kernels_avx512.c - the kernels for x86-64 with AVX-512 F, VL, DQ and BW. The target is set here and not on the command line, so that every file of the
 * library is compiled with the same flags. System headers come before it: their functions keep the base target. */
#include "kernels.h"

#if defined(TX_HAVE_X86)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#endif

#define TX_SIMD_AVX512
#define TX_KERNELS tx_kernels_avx512
#define TX_KERNELS_NAME "avx512"
#include "kernels/all.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int tx_kernels_avx512_absent; /* a file must declare something */
#endif
