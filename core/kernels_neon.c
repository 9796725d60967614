/* kernels_neon.c - the kernels for AArch64, where NEON and its fused multiply-add are always there. */
#include "kernels.h"

#if defined(TX_HAVE_NEON)
#define TX_SIMD_NEON
#define TX_KERNELS tx_kernels_neon
#define TX_KERNELS_NAME "neon"
#include "kernels/all.h"
#else
typedef int tx_kernels_neon_absent; /* a file must declare something */
#endif
