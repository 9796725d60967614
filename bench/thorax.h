/* thorax.h - the whole library in one include, <thorax/thorax.h> where it is installed. C11, or C++ from 2011 on.
 *
 * core   errors, memory, threads, random numbers, the graph, weights, sessions
 * layers the operations that networks are described with
 * nets   ready networks, by name
 * optim  optimisers, schedules, one training step
 * io     images, tables, checkpoints
 *
 * A program of one's own begins in README's "A network of your own". */
#ifndef THORAX_THORAX_H
#define THORAX_THORAX_H

#include "../core/core.h"
#include "../core/op.h"
#include "../layers/layers.h"
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "../io/io.h"

/* The version stands here alone: program, manual and package are given it from here. */
#define TX_VERSION "0.1.0"

#endif
