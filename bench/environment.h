/* environment.h - where the program runs: its own place, the sample beside it, and the record of machine and compiler.
 * Private to bench. */
#ifndef THORAX_BENCH_ENVIRONMENT_H
#define THORAX_BENCH_ENVIRONMENT_H

#include "../io/io.h"

/* How the program was called: argv[0]. */
void program_called(const char *name);
/* The folder with the sample radiographs: bench/nih-sample-128 below the current folder, else beside the program,
 * else in share/thorax of where it is installed. The caller's; NULL with an error if there is none. */
char *sample_folder(void);
/* bench/presets/NAME, looked for in the same places. The caller's; NULL if it is in none. */
char *preset_file(const char *name);
/* An absolute path without links, the caller's; the path as it stands if there is nothing there. NULL without
 * memory. */
char *absolute_path(const char *path);
/* Appends what it would take to repeat this session: version, machine, compiler, instruction set, threads. what: a line
 * about the session. */
void environment_note(tx_buffer *p, const char *what);

#endif
