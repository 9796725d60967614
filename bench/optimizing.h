/* optimizing.h - how weights are updated, as the options say. Private to bench. */
#ifndef THORAX_BENCH_OPTIMIZING_H
#define THORAX_BENCH_OPTIMIZING_H

#include "../optim/optim.h"
#include "options.h"

/* Of --optimizer, --betas, --alpha, --eps, --momentum and --weight-decay. */
tx_optimizer_args optimizer_of(const options *o);
/* Of --schedule, --lr and --warmup, over `total` steps. */
tx_schedule schedule_of(const options *o, uint64_t total);

#endif
