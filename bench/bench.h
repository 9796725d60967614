/* bench.h - what the commands of the `thorax` program share: models, data, runs, scores, reports. Private to bench. */
#ifndef THORAX_BENCH_H
#define THORAX_BENCH_H

#include "../io/io.h"
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "json.h"
#include "options.h"

/* The commands, one file each. */
int command_nets(const options *o);
int command_summary(const options *o);
int command_train(const options *o);
int command_eval(const options *o);
int command_predict(const options *o);
int command_cam(const options *o);
int command_study(const options *o);
int command_pretrain(const options *o);
int command_data(const options *o);
int command_speed(const options *o);
int command_audit(const options *o);
int command_verify(const options *o);
int command_convert(const options *o);
int command_help(const options *o);
int command_completion(const options *o);

#endif
