/* json.h - one JSON object on one line of standard output. Private to bench. */
#ifndef THORAX_BENCH_JSON_H
#define THORAX_BENCH_JSON_H

#include "../io/io.h"

/* Keys are NULL within arrays. */
typedef struct json {
    int started; /* something stands before in this object or array */
} json;
void json_open(json *j, const char *key, char bracket);        /* '{' or '[' */
void json_close(json *j, char bracket);                        /* '}' or ']' */
void json_string(json *j, const char *key, const char *value); /* NULL: null */
void json_real(json *j, const char *key, double value);        /* not finite: null */
void json_float(json *j, const char *key, float value);        /* in the nine digits that give it back */
void json_whole(json *j, const char *key, long long value);
void json_end(void); /* the line's end */

#endif
