/* hints.h - what was probably meant by a word that means nothing here. Private to bench. */
#ifndef THORAX_BENCH_HINTS_H
#define THORAX_BENCH_HINTS_H

#include "options.h"

/* Room for a hint. */
enum { HINT = 256 };

/* The end of a message about the option `name` (without dashes) that c does not take: ", nearest is --lr", what it is
 * called here, which command takes it. Returns out. */
const char *hint_option(char out[HINT], const command *c, const char *name);
/* The same for a key of a file of options, which any command may take. */
const char *hint_key(char out[HINT], const char *name);
/* The option of c that an argument looks like, with its value: "--net resnet18" of resnet18, "--data DIR" of a folder with
 * tables, "--split test" of test. NULL if it looks like none. */
const char *hint_argument(char out[HINT], const command *c, const char *word);
/* The end of a message about an argument that is no model: the option that it looks like, or the argument behind it that
 * looks like a model; or nothing. Returns out. */
const char *hint_model(char out[HINT], const options *o, const char *word);
/* The end of a message about `name`, which is no command, with the words that follow it. Returns out. */
const char *hint_command(char out[HINT], const char *name, int argc, char **argv);

#endif
