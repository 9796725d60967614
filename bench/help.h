/* help.h - what --help prints. Private to bench. */
#ifndef THORAX_BENCH_HELP_H
#define THORAX_BENCH_HELP_H

#include "options.h"

#include <stdio.h>

/* The commands, and how the program is used. */
void help_program(FILE *to);
/* A command's usage, what it does, its options by subject, an example. */
void help_command(const command *c, FILE *to);

#endif
