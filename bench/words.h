/* words.h - single words of a command line or a file: numbers, items of lists. Private to bench. */
#ifndef THORAX_BENCH_WORDS_H
#define THORAX_BENCH_WORDS_H

#include "../io/io.h"

/* Strict numbers: the whole text, decimal, within the range. 0, or -1. */
int parse_whole(const char *text, double low, double high, long *value);
int parse_real(const char *text, double low, double high, double *value);
int parse_seed(const char *text, uint64_t *value);
/* What stands behind the last / of a path. */
const char *last_part(const char *path);
/* Whether the text ends in `end`, with something before it. */
int ends_in(const char *text, const char *end);
/* Takes the next of a list separated by `separator` from *list into out, blanks trimmed; 0 at the end, -1 if it
 * does not fit, else 1. */
int next_item(const char **list, char separator, char *out, size_t size);

/* The words of a list: at most so many, each of less than TX_NEAR_NAME bytes. */
enum { WORDS_AT_MOST = 16 };
typedef struct word_list {
    int count;
    char word[WORDS_AT_MOST][TX_NEAR_NAME];
} word_list;
void words_split(word_list *out, const char *list, char separator);
/* Word i of a word_list, for tx_nearest_hint. */
const char *words_at(const void *list, int i);

/* Two numbers in [0, 1) with a comma between. */
int betas_read(const char *text, double *beta1, double *beta2);

#endif
