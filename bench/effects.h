/* effects.h - what was asked for and does nothing: a line each, that changes nothing. Private to bench. */
#ifndef THORAX_BENCH_EFFECTS_H
#define THORAX_BENCH_EFFECTS_H

#include "options.h"

/* Says which of the options that were given have no effect, as far as the options themselves decide it. */
void effects_say(const options *o);
/* Whether somebody wants the option so: it was typed, or a config file differs from its standard value. (config.txt of a
 * run holds every option.) */
int option_meant(const options *o, const char *name);

#endif
