/* isa.c - which instruction set computes, and how fast it is. Compiled for the base processor: nothing here may be inlined
 * into or from the kernels. */
#include "kernels.h"
#include "shared.h"

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
    if (!names)
        tx_fail_null("tx_isa_list", "room for names");
    for (int i = 0; i < TX_MAX_ISAS && names; i++)
        if (usable(all + i))
            names[n++] = all[i].name;
    return n;
}

/* ------------------------------------------------------------------------------------ what is chosen */

/* Several threads may choose at once, each for itself; the first choice that nobody asked for by name is taken by all. */
static const tx_kernels *chosen;

/* Selects an instruction set; not `anew`: only if none has been selected meanwhile. */
static tx_status choose(const isa *i, int anew)
{
    const char *broken = i->kernels->self_test();
    if (broken)
        return tx_fail(TX_ERR_MACHINE, "instruction set %s cannot be used: %s", i->name, broken);
    if (tx_self_test() != TX_OK)
        return TX_ERR_MACHINE;
    const tx_kernels *none = NULL;
    if (anew)
        shared_store(&chosen, i->kernels);
    else
        (void)shared_replace(&chosen, &none, i->kernels);
    return TX_OK;
}

static tx_status choose_named(const char *name, const char *origin, int anew)
{
    char text[TX_TEXT];
    for (int i = 0; i < TX_MAX_ISAS; i++) {
        if (strcmp(name, all[i].name) != 0)
            continue;
        if (!all[i].kernels)
            return tx_fail(TX_ERR_MACHINE, "%s: instruction set %s is not in this build", origin, name);
        if (!all[i].usable())
            return tx_fail(TX_ERR_MACHINE, "%s: this machine lacks instruction set %s", origin, name);
        return choose(all + i, anew);
    }
    return tx_fail(TX_ERR_ARGUMENT, "%s: found \"%s\", expected portable, avx2, avx512 or neon", origin,
                   tx_escape(text, sizeof text, name));
}

static tx_status choose_best(void)
{
    int i = 0;
    while (!usable(all + i))
        i++;
    return choose(all + i, 0);
}

tx_status tx_isa_select(const char *name)
{
    if (name)
        return choose_named(name, "instruction set", 1);
    if (shared_load(&chosen))
        return TX_OK;
    const char *wish = getenv("TX_ISA");
    return wish && *wish ? choose_named(wish, "TX_ISA", 0) : choose_best();
}

/* A computation cannot refuse: what has not been selected, or cannot be, is computed with what is there. Programs call
 * tx_isa_select first and hear of it. */
const tx_kernels *tx_kernels_now(void)
{
    const tx_kernels *none = NULL;
    if (!shared_load(&chosen) && tx_isa_select(NULL) != TX_OK && choose_best() != TX_OK)
        (void)shared_replace(&chosen, &none, &tx_kernels_portable);
    return shared_load(&chosen);
}

tx_machine tx_machine_now(void)
{
    return (tx_machine){tx_threads(), tx_kernels_now()};
}

const char *tx_isa_name(void)
{
    return tx_kernels_now()->name;
}
