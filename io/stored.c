/* stored.c - a file's tensors in the order of their names. */
#include "safetensors_private.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const tx_stored *x = *(const tx_stored *const *)a, *y = *(const tx_stored *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

const tx_stored *tx_stored_sort(const tx_stored **list, size_t n)
{
    if (n > 1)
        qsort(list, n, sizeof *list, by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(list[i - 1]->name, list[i]->name) == 0)
            return list[i];
    return NULL;
}

const tx_stored *tx_stored_find(const tx_stored *const *sorted, size_t n, const char *name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, sorted[middle]->name);
        if (order == 0)
            return sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
