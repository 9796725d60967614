/* kernels.h - everything that is compiled once per instruction set, as one table of functions. Private to core.
 *
 * kernels/all.h defines the functions and the table; core/kernels_ISA.c sets the target and includes it. Nothing but
 * the table leaves such a file, so that no instruction of a newer processor is reached on an older one. isa.c chooses.
 */
#ifndef THORAX_KERNELS_H
#define THORAX_KERNELS_H

#include "channel_kernels.h"
#include "depthwise_kernels.h"
#include "op.h"
#include "gemm_kernels.h"
#include "update_kernels.h"
#include "winograd_kernels.h"

enum { MACHINE_FLOATS = 8192 };

struct tx_kernels {
    const char *name;
    int tile_m, tile_n; /* tile.h */
    /* NULL, or what of IEEE arithmetic does not hold in the code of this table. */
    const char *(*self_test)(void);
    /* Multiply-adds in registers alone: returns how many floating point operations it did, a multiply-add being two. */
    double (*peak)(size_t turns, float *sink);
    /* The same of the register tile of a product, operands in the first cache: memory of MACHINE_FLOATS floats. */
    double (*tile)(size_t turns, float *memory);
    /* One vector operation, see lanes.h. */
    void (*lanes)(int lane, int n, const float *in, const float *a, const float *b, const float *c, float *out);
    tx_gemm_kernels gemm;
    tx_channel_kernels channel;
    tx_depthwise_kernels depthwise;
    tx_update_kernels update;
    tx_winograd_kernels winograd;
};

extern const tx_kernels tx_kernels_portable;
#if defined(__GNUC__) && !defined(__TINYC__) && defined(__x86_64__)
#define TX_HAVE_X86
extern const tx_kernels tx_kernels_avx2, tx_kernels_avx512;
#endif
#if defined(__GNUC__) && !defined(__TINYC__) && defined(__aarch64__)
#define TX_HAVE_NEON
extern const tx_kernels tx_kernels_neon;
#endif

/* The table of the instruction set in use. */
const tx_kernels *tx_kernels_now(void);

/* What a library may have changed of the calling thread's arithmetic since, in words, or NULL. Some operations. */
const char *tx_arithmetic_fault(void);

#endif
