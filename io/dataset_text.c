/* dataset_text.c - many strings: kept in blocks, and numbered as names. */
#include "dataset_private.h"

#include <string.h>

enum { BLOCK = 1 << 18 };

struct tx_dataset_text {
    char **block;
    size_t blocks, room;
    size_t used, size; /* of the last block */
};

tx_dataset_text *tx_text_new(void)
{
    return tx_alloc(1, sizeof(tx_dataset_text));
}

void tx_text_free(tx_dataset_text *t)
{
    for (size_t i = 0; t && i < t->blocks; i++)
        tx_free(t->block[i]);
    if (t)
        tx_free(t->block);
    tx_free(t);
}

char *tx_text_keep(tx_dataset_text *t, const char *from, size_t n)
{
    if (t->blocks == 0 || t->size - t->used < n + 1) {
        size_t size = n + 1 > BLOCK ? n + 1 : BLOCK;
        if (tx_grow((void **)&t->block, &t->room, t->blocks + 1, sizeof *t->block))
            return NULL;
        char *block = tx_alloc(size, 1);
        if (!block)
            return NULL;
        t->block[t->blocks++] = block;
        t->used = 0;
        t->size = size;
    }
    char *copy = t->block[t->blocks - 1] + t->used;
    memcpy(copy, from, n);
    copy[n] = 0;
    t->used += n + 1;
    return copy;
}

uint64_t tx_text_hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot where the name text[0..n) is, or would be. */
static size_t find_slot(const tx_names *s, const char *text, size_t n)
{
    size_t at = (size_t)tx_text_hash(text, n) & (s->slots - 1);
    while (s->slot[at]) {
        const char *name = s->name[s->slot[at] - 1];
        if (strncmp(name, text, n) == 0 && name[n] == 0)
            break;
        at = (at + 1) & (s->slots - 1);
    }
    return at;
}

static tx_status widen(tx_names *s)
{
    if (s->slots >= 2 * (s->count + 1))
        return TX_OK;
    tx_names wider = *s;
    wider.slots = s->slots ? 2 * s->slots : 1024;
    wider.slot = tx_alloc(wider.slots, sizeof *wider.slot);
    if (!wider.slot)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < s->count; i++)
        wider.slot[find_slot(&wider, s->name[i], strlen(s->name[i]))] = (uint32_t)i + 1;
    tx_free(s->slot);
    *s = wider;
    return TX_OK;
}

tx_status tx_names_number(tx_names *s, tx_dataset_text *text, const char *name, size_t n, uint32_t *number)
{
    if (widen(s))
        return TX_ERR_MEMORY;
    size_t at = find_slot(s, name, n);
    if (s->slot[at] == 0) {
        if (tx_grow((void **)&s->name, &s->room, s->count + 1, sizeof *s->name))
            return TX_ERR_MEMORY;
        s->name[s->count] = tx_text_keep(text, name, n);
        if (!s->name[s->count])
            return TX_ERR_MEMORY;
        s->slot[at] = (uint32_t)++s->count;
    }
    *number = s->slot[at] - 1;
    return TX_OK;
}
