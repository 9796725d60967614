/* commands.h - the table of commands. Private to bench. */
#ifndef THORAX_BENCH_COMMANDS_H
#define THORAX_BENCH_COMMANDS_H

#include "options.h"

int command_count(void);
const command *command_at(int i);
/* NULL if there is none of that name. */
const command *command_find(const char *name);

#endif
