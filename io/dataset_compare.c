/* dataset_compare.c - what stands twice: paths in a table or in two, columns that say the same or the opposite. */
#include "dataset_private.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- columns */
static tx_task_state state_of(const tx_dataset *d, int task)
{
    size_t tasks = (size_t)d->tasks, has[2] = {0, 0};
    if (d->counts[task].blank == d->images)
        return TX_TASK_EMPTY;
    for (size_t i = (size_t)task; i < d->images * tasks; i += tasks)
        if (d->label[i] >= 0)
            has[d->label[i]]++;
    if (has[0] && has[1])
        return TX_TASK_BOTH;
    return has[1] ? TX_TASK_POSITIVE : has[0] ? TX_TASK_NEGATIVE : TX_TASK_UNLABELLED;
}

/* A label or its opposite; what is masked stays so. */
static signed char said(signed char label, int opposite)
{
    return opposite && label >= 0 ? (signed char)(1 - label) : label;
}

static int equal_columns(const tx_dataset *d, int a, int b, int opposite)
{
    size_t tasks = (size_t)d->tasks;
    for (const signed char *row = d->label, *end = row + d->images * tasks; row < end; row += tasks)
        if (row[a] != said(row[b], opposite))
            return 0;
    return 1;
}

/* Digests of every column and of its opposite (FNV-1a), so that few pairs are compared. */
static void digest_columns(const tx_dataset *d, uint64_t (*digest)[2])
{
    size_t tasks = (size_t)d->tasks;
    for (size_t t = 0; t < tasks; t++)
        digest[t][0] = digest[t][1] = 14695981039346656037u;
    for (size_t i = 0; i < d->images; i++)
        for (size_t t = 0; t < tasks; t++)
            for (int o = 0; o < 2; o++)
                digest[t][o] = (digest[t][o] ^ (unsigned char)said(d->label[i * tasks + t], o)) * 1099511628211u;
}

tx_status tx_task_notes(tx_dataset *d)
{
    d->note = tx_alloc((size_t)d->tasks, sizeof *d->note);
    uint64_t(*digest)[2] = tx_alloc((size_t)d->tasks, sizeof *digest);
    if (!d->note || !digest) {
        tx_free(digest);
        return TX_ERR_MEMORY;
    }
    digest_columns(d, digest);
    for (int b = 0; b < d->tasks; b++) {
        tx_task_note *n = &d->note[b];
        *n = (tx_task_note){state_of(d, b), -1, 0};
        for (int a = 0; a < b && n->state == TX_TASK_BOTH && n->twin < 0; a++)
            for (int o = 0; o < 2 && n->twin < 0; o++)
                if (digest[a][0] == digest[b][o] && equal_columns(d, a, b, o))
                    *n = (tx_task_note){TX_TASK_BOTH, a, o};
    }
    tx_free(digest);
    return TX_OK;
}

/* --------------------------------------------------------------------------------------------- paths */
/* The slot of the path in a table of image numbers + 1, by open addressing: where it stands, or where it would. */
static size_t find_path(const tx_dataset *d, const uint32_t *slot, size_t slots, const char *path)
{
    size_t at = (size_t)tx_text_hash(path, strlen(path)) & (slots - 1);
    while (slot[at] && strcmp(d->path[slot[at] - 1], path) != 0)
        at = (at + 1) & (slots - 1);
    return at;
}

tx_status tx_dataset_repeats(const tx_dataset *a, const tx_dataset *b, size_t *count, size_t *first)
{
    if (!a || !b || !count || !first)
        return tx_fail_null("tx_dataset_repeats", a && b ? "room for the answer" : "dataset");
    size_t slots = 1024;
    *count = *first = 0;
    while (slots < 2 * a->images)
        slots *= 2;
    uint32_t *slot = tx_alloc(slots, sizeof *slot);
    if (!slot)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < a->images; i++) {
        size_t at = find_path(a, slot, slots, a->path[i]);
        if (slot[at] && a == b && (*count)++ == 0)
            *first = i;
        slot[at] = slot[at] ? slot[at] : (uint32_t)i + 1;
    }
    for (size_t i = 0; a != b && i < b->images; i++)
        if (slot[find_path(a, slot, slots, b->path[i])] && (*count)++ == 0)
            *first = i;
    tx_free(slot);
    return TX_OK;
}
