/* settings.c - keys with values, in the order in which they were set. */
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static tx_pair *find(const settings *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->pair[i].key, key) == 0)
            return &p->pair[i];
    return NULL;
}

tx_status settings_set(settings *p, const char *key, const char *value)
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

tx_status settings_format(settings *p, const char *key, const char *format, ...)
{
    char value[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    return settings_set(p, key, value);
}

const char *settings_get(const settings *p, const char *key)
{
    const tx_pair *found = find(p, key);
    return found ? found->value : NULL;
}

void settings_free(settings *p)
{
    for (size_t i = 0; i < p->count; i++) {
        tx_free((char *)p->pair[i].key);
        tx_free((char *)p->pair[i].value);
    }
    tx_free(p->pair);
    memset(p, 0, sizeof *p);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void settings_quote(tx_buffer *out, const char *value)
{
    size_t n = strlen(value);
    if (n == 0 || (!strpbrk(value, "\n\r") && *value != '"' && !is_blank(*value) && !is_blank(value[n - 1]))) {
        tx_buffer_append(out, value);
        return;
    }
    tx_buffer_append(out, "\"");
    for (; *value; value++) {
        char piece[3] = {'\\', *value, 0};
        piece[1] = *value == '\n' ? 'n' : *value == '\r' ? 'r' : *value;
        tx_buffer_append(out, strchr("\n\r\"\\", *value) ? piece : piece + 1);
    }
    tx_buffer_append(out, "\"");
}

void settings_line(tx_buffer *out, const char *key, const char *value)
{
    tx_buffer_append(out, key);
    tx_buffer_append(out, " = ");
    settings_quote(out, value);
    tx_buffer_append(out, "\n");
}

char *settings_unquote(char *value)
{
    if (*value != '"')
        return value;
    char *to = value;
    const char *from = value + 1;
    for (; *from && *from != '"'; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        if (!*from || !strchr("nr\"\\", *from))
            return NULL;
        *to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from;
    }
    int ends = from[0] == '"' && !from[1];
    *to = 0;
    return ends ? value : NULL;
}

tx_status settings_metadata(settings *p, const tx_pair *meta, size_t n)
{
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < n; i++)
        status = settings_set(p, meta[i].key, meta[i].value);
    return status;
}

tx_status settings_parse(settings *p, char *text, const char *name)
{
    char escaped[TX_TEXT], key[TX_TEXT];
    tx_status status = TX_OK;
    for (char *line = text; status == TX_OK && line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        char *equals = strstr(line, " = ");
        if (*line != '#' && equals) {
            *equals = 0;
            const char *value = settings_unquote(equals + 3);
            status = value ? settings_set(p, line, value)
                           : tx_fail(TX_ERR_FORMAT, "%s: the value of %s does not end as it begins",
                                     tx_escape(escaped, sizeof escaped, name), tx_escape(key, sizeof key, line));
        }
        line = end ? end + 1 : NULL;
    }
    return status;
}

tx_status settings_read(settings *p, const char *path)
{
    unsigned char *data;
    size_t bytes;
    tx_status status = tx_file_read(path, (size_t)1 << 20, &data, &bytes);
    if (status == TX_OK)
        status = settings_parse(p, (char *)data, path);
    tx_free(data);
    return status;
}
