/* kernels/all.h - the text of the kernels, compiled by core/kernels_ISA.c, one after the other. TX_KERNELS is the
 * name of the table. */
#include "../op.h"
#include "tile.h"

#include <math.h>

#include "act.h"
#include "view.h"
#include "machine.h"
#include "channel.h"
#include "depthwise.h"
#include "gemm.h"
#include "update.h"
#include "winograd.h"

const tx_kernels TX_KERNELS = {
    .name = TX_KERNELS_NAME,
    .tile_m = TILE_M,
    .tile_n = TILE_N,
    .self_test = machine_self_test,
    .peak = machine_peak,
    .tile = machine_tile,
    .lanes = machine_lanes,
    .gemm = GEMM_KERNELS,
    .channel = CHANNEL_KERNELS,
    .depthwise = DEPTHWISE_KERNELS,
    .update = UPDATE_KERNELS,
    .winograd = WINOGRAD_KERNELS,
};
