/* kernels_portable.c - the kernels for any compiler and processor. */
#include "kernels.h"

#define TX_KERNELS tx_kernels_portable
#define TX_KERNELS_NAME "portable"
#include "kernels/all.h"
