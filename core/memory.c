/* memory.c - checked sizes and the one allocator, which tests can make fail.
 *
 * A block is one malloc: [ padding | header | memory aligned to 64 | guard ]. Large blocks are asked to live in huge
 * pages, where the system has them: a training step touches a gigabyte, and page-table walks cost time.
 * The guard begins at the very byte behind what was asked for. Its bytes are all ones, a NaN to whoever reads them as
 * numbers, and are looked at when the block is freed; the address sanitizer is told that nobody may touch them. */
#define _DEFAULT_SOURCE
#include "core.h"
#include "shared.h"

#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESSES_CHECKED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESSES_CHECKED
#endif
#endif
#ifdef ADDRESSES_CHECKED
#include <sanitizer/asan_interface.h>
#endif

enum { ALIGN = 64, GUARD = 64 };
#define HUGE_PAGE ((size_t)2 << 20)

typedef struct header {
    void *block;
    size_t bytes; /* between header and guard */
} header;

static long fail_after = -1, calls, live, spoiled;

int tx_size_mul(size_t a, size_t b, size_t *result)
{
    if (!result || (b != 0 && a > SIZE_MAX / b))
        return -1;
    *result = a * b;
    return 0;
}

int tx_size_add(size_t a, size_t b, size_t *result)
{
    if (!result || a > SIZE_MAX - b)
        return -1;
    *result = a + b;
    return 0;
}

size_t tx_size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Images are decoded on several threads at once. */
static void guard(unsigned char *end)
{
    memset(end, 0xff, GUARD);
#ifdef ADDRESSES_CHECKED
    ASAN_POISON_MEMORY_REGION(end, GUARD);
#endif
}

static int guard_holds(const unsigned char *end)
{
#ifdef ADDRESSES_CHECKED
    ASAN_UNPOISON_MEMORY_REGION(end, GUARD);
#endif
    int i = 0;
    while (i < GUARD && end[i] == 0xff)
        i++;
    return i == GUARD;
}

static int refused(void)
{
    shared_add(&calls, 1);
    return shared_load(&fail_after) >= 0 && shared_add(&fail_after, -1) == 0;
}

void *tx_alloc(size_t count, size_t size)
{
    size_t bytes, total;
    if (tx_size_mul(count, size, &bytes) || tx_size_add(bytes, sizeof(header) + ALIGN + GUARD, &total)) {
        tx_fail(TX_ERR_MEMORY, "out of memory: %zu elements of %zu bytes", count, size);
        return NULL;
    }
    int large = bytes >= 2 * HUGE_PAGE;
    size_t align = large ? HUGE_PAGE : ALIGN;
    if (large && tx_size_add(total, HUGE_PAGE, &total))
        total = bytes;
    char *block = refused() ? NULL : large ? malloc(total) : calloc(1, total);
    if (!block) {
        tx_fail(TX_ERR_MEMORY, "out of memory: %zu bytes asked for", bytes);
        return NULL;
    }
    const header h = {block, bytes};
    uintptr_t start = (uintptr_t)block + sizeof h;
    char *memory = block + sizeof h + (align - start % align) % align;
    memcpy(memory - sizeof h, &h, sizeof h);
    guard((unsigned char *)memory + bytes);
    if (large) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
        memset(memory, 0, bytes);
    }
    shared_add(&live, 1);
    return memory;
}

void tx_free(void *memory)
{
    if (!memory)
        return;
    header h;
    memcpy(&h, (char *)memory - sizeof h, sizeof h);
    if (!guard_holds((unsigned char *)memory + h.bytes))
        shared_add(&spoiled, 1);
    shared_add(&live, -1);
    free(h.block);
}

tx_status tx_grow(void **array, size_t *capacity, size_t need, size_t size)
{
    if (!array || !capacity)
        return tx_fail_null("tx_grow", "array");
    if (need <= *capacity)
        return TX_OK;
    size_t more = *capacity < 8 ? 8 : *capacity;
    if (tx_size_add(*capacity, more, &more) || more < need)
        more = need;
    void *bigger = tx_alloc(more, size);
    if (!bigger)
        return TX_ERR_MEMORY;
    if (*array)
        memcpy(bigger, *array, *capacity * size);
    tx_free(*array);
    *array = bigger;
    *capacity = more;
    return TX_OK;
}

char *tx_strdup(const char *text)
{
    if (!text) {
        tx_fail_null("tx_strdup", "text");
        return NULL;
    }
    size_t n = strlen(text) + 1;
    char *copy = tx_alloc(n, 1);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

void tx_alloc_fail_after(long n)
{
    shared_store(&fail_after, n);
    shared_store(&calls, 0);
}

long tx_alloc_count(void)
{
    return shared_load(&calls);
}

long tx_alloc_live(void)
{
    return shared_load(&live);
}

long tx_alloc_spoiled(void)
{
    return shared_load(&spoiled);
}
