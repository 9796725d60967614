/* pretrain.h - source weights without a download: networks trained to tell fractals apart. Private to bench. */
#ifndef THORAX_BENCH_PRETRAIN_H
#define THORAX_BENCH_PRETRAIN_H

#include "options.h"

/* What `thorax pretrain` does with these options (of command_find("pretrain")): makes the weights of --net in --out, or
 * finds that they are there, made with the same options. label: before the progress bar, of a part of something larger,
 * which prints no results; NULL for a pretraining of its own. While another process makes the same file it is waited for.
 * Returns an exit status after a line if it is not EXIT_DONE; EXIT_INTERRUPTED: the state is in FILE.state, and the same
 * call goes on from there. Of a file so made, metadata `source` says in words what the weights were trained on. */
int pretrain(const options *o, const char *label);

#endif
