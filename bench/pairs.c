/* pairs.c - keys with values, in the order in which they were set. */
#include "pairs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static tx_pair *find(const pairs *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->pair[i].key, key) == 0)
            return &p->pair[i];
    return NULL;
}

tx_status pairs_set(pairs *p, const char *key, const char *value)
{
    char *copy = tx_strdup(value);
    if (!copy)
        return TX_ERR_MEMORY;
    tx_pair *old = find(p, key);
    if (old) {
        tx_free((char *)old->value);
        old->value = copy;
        return TX_OK;
    }
    char *name = tx_strdup(key);
    if (!name || tx_grow((void **)&p->pair, &p->room, p->count + 1, sizeof *p->pair)) {
        tx_free(copy);
        tx_free(name);
        return TX_ERR_MEMORY;
    }
    p->pair[p->count++] = (tx_pair){name, copy};
    return TX_OK;
}

tx_status pairs_format(pairs *p, const char *key, const char *format, ...)
{
    char value[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    return pairs_set(p, key, value);
}

const char *pairs_get(const pairs *p, const char *key)
{
    const tx_pair *found = find(p, key);
    return found ? found->value : NULL;
}

void pairs_free(pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        tx_free((char *)p->pair[i].key);
        tx_free((char *)p->pair[i].value);
    }
    tx_free(p->pair);
    memset(p, 0, sizeof *p);
}

tx_status pairs_read(pairs *p, const char *path)
{
    unsigned char *data;
    size_t bytes;
    tx_status status = tx_file_read(path, (size_t)1 << 20, &data, &bytes);
    if (status)
        return status;
    for (char *line = (char *)data; status == TX_OK && line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        char *equals = strstr(line, " = ");
        if (*line != '#' && equals) {
            *equals = 0;
            status = pairs_set(p, line, equals + 3);
        }
        line = end ? end + 1 : NULL;
    }
    tx_free(data);
    return status;
}
