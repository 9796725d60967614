/* sizes.h - the arithmetic of cutting work into parts. Private to core. */
#ifndef THORAX_SIZES_H
#define THORAX_SIZES_H

#include "core.h"

static inline size_t ceil_div(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

static inline size_t round_up(size_t n, size_t to)
{
    return ceil_div(n, to) * to;
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Bytes of each*count floats; (size_t)-1 if they do not fit. */
static inline size_t float_bytes(size_t each, size_t count)
{
    size_t floats, result;
    if (tx_size_mul(each, count, &floats) != 0 || tx_size_mul(floats, sizeof(float), &result) != 0)
        return (size_t)-1;
    return result;
}

#endif
