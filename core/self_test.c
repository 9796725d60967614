/* self_test.c - whether arithmetic is what every result rests on. */
#include "kernels.h"

#include <float.h>

/* Operands that the compiler does not know. */
static volatile float one_f = 1.0f, twelve_f = 1.0f + 0x1p-12f, back_f = -1.0f - 0x1p-11f, tiny_f = 0x1p-126f;
static volatile double one_d = 1.0, odd_d = 1.0 + 0x1p-27, back_d = -1.0 - 0x1p-26, tiny_d = 0x1p-1022;

/* Where the processor flushes results, the product is 0; where it flushes operands, the comparison takes it for 0. */
const char *tx_arithmetic_fault(void)
{
    if (tiny_f * 0.5f == 0.0f)
        return "subnormal numbers are flushed to zero";
    if (one_f + 0x1p-25f != 1.0f || -one_f - 0x1p-25f != -1.0f || one_f + 0x1.8p-24f != 1.0f + 0x1p-23f)
        return "results are not rounded to nearest";
    return NULL;
}

static const char *scalar_fault(void)
{
    if (sizeof(float) != 4 || sizeof(double) != 8 || FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53)
        return "float and double are not IEEE binary32 and binary64";
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD > 0
    return "floats are computed with more digits (build with -fexcess-precision=fast on s390x, with -msse2 "
           "-mfpmath=sse on "
           "32-bit x86)";
#endif
    const char *fault = tx_arithmetic_fault();
    if (fault)
        return fault;
    if (one_f + 0x1p-24f != 1.0f || -one_f - 0x1.8p-24f != -1.0f - 0x1p-23f || one_d + 0x1p-53 != 1.0 ||
        one_d + 0x1.8p-53 != 1.0 + 0x1p-52 || -one_d - 0x1.8p-53 != -1.0 - 0x1p-52)
        return "sums are not rounded once, to nearest";
    float a = twelve_f, b = back_f;
    double c = odd_d, d = back_d;
    if (a * a + b != 0.0f || c * c + d != 0.0)
        return "the compiler contracts a*b+c (build with -ffp-contract=off)";
    if (tx_fmaf(a, a, b) != 0x1p-24f || tx_fma(c, c, d) != 0x1p-54)
        return "fma rounds twice";
    if (tiny_d * 0.5 != 0x1p-1023)
        return "subnormal doubles are flushed to zero";
    return NULL;
}

tx_status tx_self_test(void)
{
    const char *fault = scalar_fault();
    return fault ? tx_fail(TX_ERR_MACHINE, "no results can be promised on this build or machine: %s", fault) : TX_OK;
}
