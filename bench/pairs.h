/* pairs.h - keys with values: the lines of config.txt, the metadata of a checkpoint. Private to bench. */
#ifndef THORAX_BENCH_PAIRS_H
#define THORAX_BENCH_PAIRS_H

#include "output.h"

typedef struct pairs {
    tx_pair *pair;
    size_t count, room;
} pairs;

/* Adds a key or replaces its value; both are copied. */
tx_status pairs_set(pairs *p, const char *key, const char *value);
tx_status pairs_format(pairs *p, const char *key, const char *format, ...) TX_PRINTF(3, 4);
/* NULL if the key is not there. */
const char *pairs_get(const pairs *p, const char *key);
void pairs_free(pairs *p);
/* Reads lines `key = value` (comments begin with #) of a file that this program wrote. */
tx_status pairs_read(pairs *p, const char *path);

#endif
