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
/* Appends a value as a line `key = value` holds it: as it stands, or between quotation marks (within them \n, \r, \"
 * and \\ stand for the line's end, the return, the mark and the backslash) where it would not come back else: with
 * blanks at its ends, a line's end in it or a mark at its beginning. */
void pairs_quote(page *out, const char *value);
/* Undoes that in place: the value, or NULL if it begins with a mark and is no such text. */
char *pairs_unquote(char *value);
/* Reads lines `key = value` (comments begin with #) of a file that this program wrote. */
tx_status pairs_read(pairs *p, const char *path);

#endif
