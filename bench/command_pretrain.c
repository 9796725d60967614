/* command_pretrain.c - `thorax pretrain`: source weights without a download. */
#include "bench.h"
#include "pretrain.h"

int command_pretrain(const options *o)
{
    return pretrain(o, NULL);
}
