/* settings.h - keys with values: the lines of config.txt, the metadata of a checkpoint. Private to bench. */
#ifndef THORAX_BENCH_SETTINGS_H
#define THORAX_BENCH_SETTINGS_H

#include "../io/io.h"

typedef struct settings {
    tx_pair *pair;
    size_t count, room;
} settings;

/* Adds a key or replaces its value; both are copied. */
tx_status settings_set(settings *p, const char *key, const char *value);
tx_status settings_format(settings *p, const char *key, const char *format, ...) TX_PRINTF(3, 4);
/* NULL if the key is not there. */
const char *settings_get(const settings *p, const char *key);
void settings_free(settings *p);
/* Appends a value as a line `key = value` holds it: as it stands, or between quotation marks (within them \n, \r, \"
 * and \\ stand for the line's end, the return, the mark and the backslash) where it would not come back else: with
 * blanks at its ends, a line's end in it or a mark at its beginning. */
void settings_quote(tx_buffer *out, const char *value);
/* The whole line. */
void settings_line(tx_buffer *out, const char *key, const char *value);
/* Undoes the quoting in place: the value, or NULL if it begins with a mark and is no such text. */
char *settings_unquote(char *value);
/* Reads lines `key = value` (comments begin with #) of a file that this program wrote. */
tx_status settings_read(settings *p, const char *path);
/* The same from text, which is cut up; name stands in messages. */
tx_status settings_parse(settings *p, char *text, const char *name);
/* All metadata of a file, n pairs. */
tx_status settings_metadata(settings *p, const tx_pair *meta, size_t n);

#endif
