/* names.c - other names of a network's tensors in weights files: those of older files and of other libraries, and which of
 * a whole network's tensors stands in for one that only a cut network has. */
#include "nets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 4 }; /* most # in a row's name */

/* Whether the module of so many bytes is as the row's name has it; its numbers are stored in order. */
static int matches(const char *pattern, const char *module, size_t bytes, int number[NUMBERS])
{
    const char *end = module + bytes;
    int n = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (module == end || *module++ != *pattern)
                return 0;
            continue;
        }
        if (module == end || *module < '0' || *module > '9' || n == NUMBERS)
            return 0;
        char *rest;
        number[n++] = (int)strtol(module, &rest, 10);
        module = rest;
    }
    return module == end;
}

/* Number f, counted from 2 on, as STAGE.BLOCK. 0 where the stages have no such block. */
static int split_stage(const int *stages, int f, int *stage, int *block)
{
    *stage = 1;
    for (*block = f - 2; *block >= 0 && *stages; stages++, ++*stage) {
        if (*block < *stages)
            return 1;
        *block -= *stages;
    }
    return 0;
}

/* The row's other name with its numbers put in, or NULL without memory; *fits is 0 where the row has none for them. */
static char *fill_in(const tx_net_alias *row, const tx_net_choice *choice, const int number[NUMBERS], const char *leaf,
                     int *fits)
{
    size_t room = strlen(row->other) + strlen(leaf) + 24 * NUMBERS, used = 0;
    char *out = tx_alloc(room, 1);
    *fits = 1;
    for (const char *p = row->other; out && *p; p++) {
        int stage = 0, block = 0;
        if (*p == '#')
            used += (size_t)snprintf(out + used, room - used, "%d", *number++);
        else if (*p == '<' && *++p)
            used += (size_t)snprintf(out + used, room - used, "%d", *number++ - (*p - '0'));
        else if (*p == '^' && choice->cut > 0 && choice->cut < choice->net->blocks)
            used += (size_t)snprintf(out + used, room - used, "%d", choice->net->blocks - choice->cut);
        else if (*p == '@' && row->stages && split_stage(row->stages, *number++, &stage, &block))
            used += (size_t)snprintf(out + used, room - used, "%d.%d", stage, block);
        else if (*p == '^' || *p == '@' || (*p == '$' && choice->cut < choice->net->blocks))
            *fits = 0;
        else if (*p != '$')
            out[used++] = *p;
    }
    if (out)
        snprintf(out + used, room - used, "%s", leaf);
    return out;
}

tx_status tx_net_other_name(const void *choice, const char *name, int k, char **other)
{
    const tx_net_choice *c = choice;
    if (!c || !c->net || !name || !other)
        return tx_fail_null("tx_net_other_name", !name ? "name" : c && c->net ? "room for a name" : "network");
    *other = NULL;
    const char *leaf = strrchr(name, '.');
    for (const tx_net_alias *row = c->net->alias; leaf && row && row->name; row++) {
        int number[NUMBERS] = {0}, fits;
        if (!matches(row->name, name, (size_t)(leaf - name), number))
            continue;
        char *text = fill_in(row, c, number, leaf, &fits);
        if (!text)
            return TX_ERR_MEMORY;
        if (fits && k-- == 0) {
            *other = text;
            return TX_OK;
        }
        tx_free(text);
    }
    return TX_OK;
}
