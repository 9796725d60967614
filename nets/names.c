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

double tx_net_eps_by_name(const tx_net_info *net, const char *tensor)
{
    if (!net || !tensor) {
        tx_fail_null("tx_net_eps_by_name", net ? "name" : "network");
        return 0;
    }
    const char *leaf = strrchr(tensor, '.');
    int none[NUMBERS];
    for (const tx_net_alias *row = net->timm_alias; leaf && row && row->name; row++)
        if (row->eps > 0 && matches(row->other, tensor, (size_t)(leaf - tensor), none))
            return row->eps;
    return 0;
}

/* Number *k of the rows' other names of a tensor, the caller's; NULL, and *k less by those that there are. */
static tx_status look_up(const tx_net_alias *row, const tx_net_choice *choice, const char *name, int *k, char **other)
{
    const char *leaf = strrchr(name, '.');
    for (; leaf && row && row->name; row++) {
        int number[NUMBERS] = {0}, fits;
        if (!matches(row->name, name, (size_t)(leaf - name), number))
            continue;
        char *text = fill_in(row, choice, number, leaf, &fits);
        if (!text)
            return TX_ERR_MEMORY;
        if (fits && (*k)-- == 0) {
            *other = text;
            return TX_OK;
        }
        tx_free(text);
    }
    return TX_OK;
}

tx_status tx_net_other_name(const void *choice, const char *name, int k, char **other)
{
    const tx_net_choice *c = choice;
    if (!c || !c->net || !name || !other)
        return tx_fail_null("tx_net_other_name", !name ? "name" : c && c->net ? "room for a name" : "network");
    *other = NULL;
    tx_status status = look_up(c->net->alias, c, name, &k, other);
    return status || *other ? status : look_up(c->net->timm_alias, c, name, &k, other);
}

tx_status tx_net_timm_name(const void *choice, const char *name, char **timm)
{
    const tx_net_choice *c = choice;
    if (!c || !c->net || !name || !timm)
        return tx_fail_null("tx_net_timm_name", !name ? "name" : c && c->net ? "room for a name" : "network");
    int first = 0;
    *timm = NULL;
    if (!c->net->timm)
        return tx_fail(TX_ERR_ARGUMENT, "timm does not have %s", c->net->name);
    tx_status status = look_up(c->net->timm_alias, c, name, &first, timm);
    if (status == TX_OK && !*timm && !(*timm = tx_strdup(name)))
        status = TX_ERR_MEMORY;
    return status;
}

const tx_net_info *tx_net_of_file(const char *name)
{
    for (int i = 0; name && i < tx_nets(); i++)
        for (const char *p = tx_net_at(i)->file; p && *p;) {
            size_t n = strcspn(p, "|");
            if (strncmp(name, p, n) == 0)
                return tx_net_at(i);
            p += n + (p[n] == '|');
        }
    if (!name)
        tx_fail_null("tx_net_of_file", "name");
    return NULL;
}
