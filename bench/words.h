/* words.h - single words of a command line or a file: numbers, items of lists, the nearest of some names. Private to
 * bench. */
#ifndef THORAX_BENCH_WORDS_H
#define THORAX_BENCH_WORDS_H

#include "../io/io.h"

/* Strict numbers: the whole text, decimal, within the range. 0, or -1. */
int parse_whole(const char *text, double low, double high, long *value);
int parse_real(const char *text, double low, double high, double *value);
int parse_seed(const char *text, uint64_t *value);
/* Takes the next of a list separated by `separator` from *list into out, blanks trimmed; 0 at the end, -1 if it
 * does not fit, else 1. */
int next_item(const char **list, char separator, char *out, size_t size);

/* Two numbers in [0, 1) with a comma between. */
int betas_read(const char *text, double *beta1, double *beta2);

/* Names of at least so many bytes, their zero included, are near to none. */
enum { NAME_AT_MOST = 40 };
/* Which of the names is nearest to what was typed, by edit distance with neighbours exchanged counted once; NULL if
 * none is near. */
typedef const char *name_at(const void *context, int i);
const char *nearest_name(const char *typed, int names, name_at *name, const void *context);

#endif
