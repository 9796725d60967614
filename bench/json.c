/* json.c - one JSON object on one line of standard output. */
#include "json.h"

#include <math.h>
#include <stdio.h>

static void put(void *stream, const void *bytes, size_t n)
{
    fwrite(bytes, 1, n, stream);
}

static void put_key(json *j, const char *key)
{
    if (j->started)
        putchar(',');
    j->started = 1;
    if (key) {
        tx_quote_json(key, put, stdout);
        putchar(':');
    }
}

void json_open(json *j, const char *key, char bracket)
{
    put_key(j, key);
    putchar(bracket);
    j->started = 0;
}

void json_close(json *j, char bracket)
{
    putchar(bracket);
    j->started = 1;
}

void json_string(json *j, const char *key, const char *value)
{
    put_key(j, key);
    if (value)
        tx_quote_json(value, put, stdout);
    else
        fputs("null", stdout);
}

void json_real(json *j, const char *key, double value)
{
    char number[TX_NUMBER];
    put_key(j, key);
    fputs(isfinite(value) ? tx_number_shortest(number, sizeof number, value) : "null", stdout);
}

void json_float(json *j, const char *key, float value)
{
    char number[TX_NUMBER];
    put_key(j, key);
    fputs(isfinite(value) ? tx_number_print(number, sizeof number, (double)value, 9) : "null", stdout);
}

void json_whole(json *j, const char *key, long long value)
{
    put_key(j, key);
    printf("%lld", value);
}

void json_end(void)
{
    putchar('\n');
}
