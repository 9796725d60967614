/* options.c - the options of a command: which it takes, their standard values, and what each was given. */
#include "options.h"

#include <stdio.h>
#include <string.h>

/* Where option i stands in the command's list, or NULL; *length is that of the entry. */
static const char *entry_of(const command *c, int i, size_t *length)
{
    const char *name = option_at(i)->name;
    size_t n = strlen(name);
    for (const char *p = c->options; *p;) {
        size_t word = strcspn(p, " ");
        if (word >= n && memcmp(p, name, n) == 0 && (word == n || p[n] == '=')) {
            *length = word;
            return p;
        }
        p += word;
        p += strspn(p, " ");
    }
    return NULL;
}

int command_takes(const command *c, int i)
{
    size_t length;
    return entry_of(c, i, &length) != NULL;
}

/* Sets every value to its standard; the command's own are copied into o->names. */
int options_standards(options *o, const command *c)
{
    memset(o, 0, sizeof *o);
    o->command = c;
    size_t room = strlen(c->options) + 1;
    o->names = tx_alloc(room, 1);
    if (!o->names)
        return complain_failed();
    char *free_text = o->names;
    for (int i = 0; i < option_count(); i++) {
        size_t length, n = strlen(option_at(i)->name);
        const char *entry = entry_of(c, i, &length);
        if (!entry)
            continue;
        o->value[i] = option_at(i)->standard;
        if (length > n) {
            memcpy(free_text, entry + n + 1, length - n - 1);
            o->value[i] = length == n + 1 ? NULL : free_text;
            free_text += length - n;
        }
        o->source[i] = o->value[i] ? FROM_STANDARD : FROM_NOWHERE;
    }
    return EXIT_DONE;
}

void options_free(options *o)
{
    tx_free(o->argument);
    tx_free(o->config);
    tx_free(o->below);
    tx_free(o->names);
}

/* --------------------------------------------------------------------------------------------- values */
const char *option_text(const options *o, const char *name)
{
    int i = option_find(name);
    return i < 0 ? NULL : o->value[i];
}

long option_whole(const options *o, const char *name)
{
    int i = option_find(name);
    long value = 0;
    if (i >= 0 && o->value[i])
        parse_whole(o->value[i], option_at(i)->low, option_at(i)->high, &value);
    return value;
}

double option_real(const options *o, const char *name)
{
    int i = option_find(name);
    double value = 0;
    if (i >= 0 && o->value[i])
        parse_real(o->value[i], option_at(i)->low, option_at(i)->high, &value);
    return value;
}

uint64_t option_seed(const options *o, const char *name)
{
    const char *text = option_text(o, name);
    uint64_t value = 0;
    if (text)
        parse_seed(text, &value);
    return value;
}

int option_on(const options *o, const char *name)
{
    const char *text = option_text(o, name);
    return text && strcmp(text, "on") == 0;
}

int option_given(const options *o, const char *name)
{
    int i = option_find(name);
    return i >= 0 && o->source[i] >= FROM_CONFIG;
}

const char *option_canonical(const options *o, int i, char out[64])
{
    const char *value = o->value[i];
    const option *p = option_at(i);
    if (p->kind == OPTION_SWITCH)
        return value && strcmp(value, "on") == 0 ? "on" : "off";
    if (!value)
        return "";
    double real;
    long whole;
    uint64_t seed;
    if (p->kind == OPTION_REAL && parse_real(value, p->low, p->high, &real) == 0)
        return tx_number_shortest(out, 64, real);
    if (p->kind == OPTION_WHOLE && parse_whole(value, p->low, p->high, &whole) == 0)
        snprintf(out, 64, "%ld", whole);
    else if (p->kind == OPTION_SEED && parse_seed(value, &seed) == 0)
        snprintf(out, 64, "%llu", (unsigned long long)seed);
    else
        return value;
    return out;
}
