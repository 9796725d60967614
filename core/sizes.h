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

/* A result of so many floats is not found in the caches by whoever reads it, nor is the memory where it goes: it is stored
 * past them, which saves reading that memory first. By whole lines only. */
enum { STREAM_FLOATS = 4 << 20 };
static inline int streams(const float *data, size_t ld, size_t pixels, size_t c)
{
    return pixels * c >= STREAM_FLOATS && (uintptr_t)data % 64 == 0 && ld % 16 == 0 && c % 16 == 0;
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
