/* isa.c - which instruction set computes, whether its arithmetic can be trusted, and how fast it is. Compiled for the
 * base processor: nothing here may be inlined into or from the kernels. */
#include "kernels.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>
#if defined(TX_HAVE_X86)
#include <cpuid.h>
#endif

/* ------------------------------------------------------------------------------------- what there is */

#if defined(TX_HAVE_X86)
/* Feature bits of CPUID leaf 1 (ecx) and leaf 7 (ebx), and of XCR0: the system saves xmm and ymm; opmask and zmm. A
 * processor's feature counts only if the system saves its registers (Intel, "Software Developer's Manual", vol. 1, 14.3
 * and 15.2). */
enum {
    LEAF1_FMA = 1 << 12,
    LEAF1_OSXSAVE = 1 << 27,
    LEAF1_AVX = 1 << 28,
    LEAF7_AVX2 = 1 << 5,
    LEAF7_AVX512 = 1 << 16 | 1 << 17 | 1 << 30, /* F, DQ, BW */
    XCR0_YMM = 0x06,
    XCR0_ZMM = 0xe6
};
#define LEAF7_AVX512VL (1u << 31)

static unsigned saved_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int has_avx2(void)
{
    unsigned a, b, c, d, wanted = LEAF1_FMA | LEAF1_OSXSAVE | LEAF1_AVX;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & wanted) != wanted || (saved_registers() & XCR0_YMM) != XCR0_YMM)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & LEAF7_AVX2);
}

static int has_avx512(void)
{
    unsigned a, b, c, d, wanted = LEAF7_AVX512 | LEAF7_AVX512VL;
    if (!has_avx2() || (saved_registers() & XCR0_ZMM) != XCR0_ZMM)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & wanted) == wanted;
}
#endif

static int has_always(void)
{
    return 1;
}

typedef struct isa {
    const char *name;
    const tx_kernels *kernels; /* NULL: not in this build */
    int (*usable)(void);
} isa;

#if defined(TX_HAVE_X86)
#define X86_ISA(name, has)             \
    {                                  \
#name, &tx_kernels_##name, has \
    }
#else
#define X86_ISA(name, has)      \
    {                           \
#name, NULL, has_always \
    }
#endif
#if defined(TX_HAVE_NEON)
#define NEON_ISA                             \
    {                                        \
        "neon", &tx_kernels_neon, has_always \
    }
#else
#define NEON_ISA                 \
    {                            \
        "neon", NULL, has_always \
    }
#endif

/* Best first. */
static const isa all[TX_MAX_ISAS] = {
    X86_ISA(avx512, has_avx512),
    X86_ISA(avx2, has_avx2),
    NEON_ISA,
    {"portable", &tx_kernels_portable, has_always},
};

static int usable(const isa *i)
{
    return i->kernels && i->usable();
}

int tx_isa_list(const char **names)
{
    int n = 0;
    for (int i = 0; i < TX_MAX_ISAS; i++)
        if (usable(all + i))
            names[n++] = all[i].name;
    return n;
}

/* ------------------------------------------------------------------------------------ what is chosen */

static const tx_kernels *chosen;

static tx_status choose(const isa *i)
{
    const char *broken = i->kernels->self_test();
    if (broken)
        return tx_fail(TX_ERR_MACHINE, "instruction set %s cannot be used: %s", i->name, broken);
    if (tx_self_test() != TX_OK)
        return TX_ERR_MACHINE;
    chosen = i->kernels;
    return TX_OK;
}

static tx_status choose_named(const char *name, const char *origin)
{
    char text[TX_TEXT];
    for (int i = 0; i < TX_MAX_ISAS; i++) {
        if (strcmp(name, all[i].name) != 0)
            continue;
        if (!all[i].kernels)
            return tx_fail(TX_ERR_MACHINE, "%s: instruction set %s is not in this build", origin, name);
        if (!all[i].usable())
            return tx_fail(TX_ERR_MACHINE, "%s: this machine lacks instruction set %s", origin, name);
        return choose(all + i);
    }
    return tx_fail(TX_ERR_ARGUMENT, "%s: found \"%s\", expected portable, avx2, avx512 or neon", origin,
                   tx_escape(text, sizeof text, name));
}

static tx_status choose_best(void)
{
    int i = 0;
    while (!usable(all + i))
        i++;
    return choose(all + i);
}

tx_status tx_isa_select(const char *name)
{
    if (name)
        return choose_named(name, "instruction set");
    if (chosen)
        return TX_OK;
    const char *wish = getenv("TX_ISA");
    return wish && *wish ? choose_named(wish, "TX_ISA") : choose_best();
}

/* A computation cannot refuse: what has not been selected, or cannot be, is computed with what is there. Programs call
 * tx_isa_select first and hear of it. */
const tx_kernels *tx_kernels_now(void)
{
    if (!chosen && tx_isa_select(NULL) != TX_OK && choose_best() != TX_OK)
        chosen = &tx_kernels_portable;
    return chosen;
}

const char *tx_isa_name(void)
{
    return tx_kernels_now()->name;
}

/* ---------------------------------------------------------------------------------------- self-test */

/* Operands that the compiler does not know. */
static volatile float one_f = 1.0f, twelve_f = 1.0f + 0x1p-12f, back_f = -1.0f - 0x1p-11f, tiny_f = 0x1p-126f;
static volatile double one_d = 1.0, odd_d = 1.0 + 0x1p-27, back_d = -1.0 - 0x1p-26, tiny_d = 0x1p-1022;

static const char *scalar_fault(void)
{
    if (sizeof(float) != 4 || sizeof(double) != 8 || FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53)
        return "float and double are not IEEE binary32 and binary64";
    if (one_f + 0x1p-24f != 1.0f || one_f + 0x1.8p-24f != 1.0f + 0x1p-23f || -one_f - 0x1.8p-24f != -1.0f - 0x1p-23f ||
        one_d + 0x1p-53 != 1.0 || one_d + 0x1.8p-53 != 1.0 + 0x1p-52 || -one_d - 0x1.8p-53 != -1.0 - 0x1p-52)
        return "sums are not rounded once, to nearest (32-bit x86 needs -msse2 -mfpmath=sse)";
    float a = twelve_f, b = back_f;
    double c = odd_d, d = back_d;
    if (a * a + b != 0.0f || c * c + d != 0.0)
        return "the compiler contracts a*b+c (build with -ffp-contract=off)";
    if (tx_fmaf(a, a, b) != 0x1p-24f || tx_fma(c, c, d) != 0x1p-54)
        return "fma rounds twice";
    if (tiny_f * 0.5f != 0x1p-127f || tiny_d * 0.5 != 0x1p-1023)
        return "subnormal numbers are flushed to zero";
    return NULL;
}

tx_status tx_self_test(void)
{
    const char *fault = scalar_fault();
    return fault ? tx_fail(TX_ERR_MACHINE, "no results can be promised on this build or machine: %s", fault) : TX_OK;
}

/* --------------------------------------------------------------------------------------------- peak */

typedef struct peak_run {
    const tx_kernels *kernels;
    size_t turns;
    double done; /* operations of one task */
} peak_run;

static void peak_task(void *context, size_t i, int worker)
{
    peak_run *run = context;
    volatile float sink;
    float result;
    double done = run->kernels->peak(run->turns, &result);
    sink = result;
    (void)sink;
    (void)worker;
    if (i == 0)
        run->done = done;
}

double tx_fma_peak(int threads)
{
    int before = tx_threads();
    tx_set_threads(threads);
    peak_run run = {tx_kernels_now(), 1000, 0};
    double best = 0, begun = tx_seconds();
    for (int counted = 0; counted < 3 || tx_seconds() - begun < 0.1;) {
        double start = tx_seconds();
        tx_parallel_for((size_t)tx_threads(), peak_task, &run);
        double seconds = tx_seconds() - start;
        double rate = seconds > 0 ? run.done * tx_threads() / seconds : 0;
        best = rate > best ? rate : best;
        if (seconds < 0.005) /* runs of some ten milliseconds, the best of them counts */
            run.turns *= 2;
        else
            counted++;
    }
    tx_set_threads(before);
    return best;
}
