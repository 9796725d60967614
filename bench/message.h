/* message.h - what the program says on standard error, and its exit statuses. Private to bench. */
#ifndef THORAX_BENCH_MESSAGE_H
#define THORAX_BENCH_MESSAGE_H

#include "../io/io.h"

/* Exit statuses of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* Prints "thorax [COMMAND]: TEXT" as one line on standard error; control characters are escaped. Returns status. */
int complain(int status, const char *format, ...) TX_PRINTF(2, 3);
/* The last such TEXT. */
const char *complaint(void);
/* The library's last message as that line; returns EXIT_FAILED. */
int complain_failed(void);
/* From now on messages name this command. */
void complain_as(const char *command);

/* Messages on standard error. A command that fails before its work begins prints one line alone, so what is said
 * before work_begins() waits for it. quiet: nothing is said at all. */
void say_quietly(int quiet);
void say(const char *format, ...) TX_PRINTF(1, 2);
void say_once(const char *format, ...) TX_PRINTF(1, 2); /* not a second time, however often it is called */
void say_lines(const char *lines);                      /* each that ends in a newline */
void work_begins(void);

/* Flushes standard output: EXIT_DONE, or a line that it could not be written and EXIT_FAILED. */
int output_done(void);

#endif
