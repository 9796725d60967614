/* plan_arena.c - buffers with lifetimes get their places: largest first, each at the lowest offset that is free during its
 * life. Two buffers overlap in memory only if they are never alive together. */
#include "plan_private.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

int tx_arena_add(tx_plan *plan, size_t bytes, int time)
{
    size_t padded;
    if (tx_size_add(bytes, ALIGN - 1, &padded) ||
        tx_grow((void **)&plan->buffer, &plan->room, plan->buffers + 1, sizeof *plan->buffer))
        return -1;
    plan->buffer[plan->buffers] =
        (tx_buffer){.bytes = padded / ALIGN * ALIGN, .first = time, .last = time, .moments = -1};
    return (int)plan->buffers++;
}

void tx_arena_touch(tx_plan *plan, int buffer, int time)
{
    if (buffer < 0)
        return;
    tx_buffer *b = &plan->buffer[buffer];
    if (time < b->first)
        b->first = time;
    if (time > b->last)
        b->last = time;
}

typedef struct placing {
    size_t bytes;
    int number;
} placing;

static int larger_first(const void *a, const void *b)
{
    const placing *p = a, *q = b;
    if (p->bytes != q->bytes)
        return p->bytes < q->bytes ? 1 : -1;
    return p->number - q->number;
}

/* The lowest offset at which `b` overlaps none of the n placed buffers (sorted by offset) that live when it does. */
static size_t lowest_free(const tx_buffer *b, tx_buffer *const *placed, size_t n)
{
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        const tx_buffer *other = placed[i];
        if (other->first > b->last || other->last < b->first)
            continue;
        if (other->offset >= offset + b->bytes)
            break;
        if (other->offset + other->bytes > offset)
            offset = other->offset + other->bytes;
    }
    return offset;
}

/* Puts b among n placed buffers sorted by offset, which two that live at different times may share. */
static void insert(tx_buffer *b, tx_buffer **placed, size_t n)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const tx_buffer *other = placed[middle];
        if (other->offset < b->offset || (other->offset == b->offset && other < b))
            low = middle + 1;
        else
            high = middle;
    }
    memmove(placed + low + 1, placed + low, (n - low) * sizeof *placed);
    placed[low] = b;
}

tx_status tx_arena_place(tx_plan *plan)
{
    placing *order = tx_alloc(plan->buffers, sizeof *order);
    tx_buffer **placed = tx_alloc(plan->buffers, sizeof *placed);
    if (!order || !placed) {
        tx_free(order);
        tx_free(placed);
        return TX_ERR_MEMORY;
    }
    for (size_t i = 0; i < plan->buffers; i++)
        order[i] = (placing){plan->buffer[i].bytes, (int)i};
    qsort(order, plan->buffers, sizeof *order, larger_first);
    tx_status status = TX_OK;
    for (size_t i = 0; i < plan->buffers; i++) {
        tx_buffer *b = &plan->buffer[order[i].number];
        b->offset = lowest_free(b, placed, i);
        size_t end;
        if (tx_size_add(b->offset, b->bytes, &end))
            status = tx_fail(TX_ERR_MEMORY, "the network does not fit in memory");
        else if (end > plan->bytes)
            plan->bytes = end;
        insert(b, placed, i);
    }
    tx_free(order);
    tx_free(placed);
    return status;
}
