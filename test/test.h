/* test.h - what every test program shares: a check that counts, and the verdict. */
#ifndef THORAX_TEST_H
#define THORAX_TEST_H

#include "../core/core.h"

#include <stdio.h>
#include <stdlib.h>

static int test_passed, test_failed;
static long test_spoiled; /* blocks that the test itself spoils */
static int test_quiet;    /* 1: failures are counted alone, as where they are what is wanted */

/* The address sanitizer ends a program at the first byte that it reads or writes beyond a block. */
#if defined(__SANITIZE_ADDRESS__)
enum { TEST_MAY_STRAY = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { TEST_MAY_STRAY = 0 };
#else
enum { TEST_MAY_STRAY = 1 };
#endif
#else
enum { TEST_MAY_STRAY = 1 };
#endif

/* Counts one check; a failure prints where it stands and the message, which says how to repeat it. It is the
 * last if TEST_STOPS stands in the environment: mutants.sh asks no more. */
#define CHECK(condition, ...)                               \
    do {                                                    \
        if (condition) {                                    \
            test_passed++;                                  \
        } else {                                            \
            test_failed++;                                  \
            if (test_quiet)                                 \
                break;                                      \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__);                   \
            fputc('\n', stderr);                            \
            if (getenv("TEST_STOPS"))                       \
                exit(1);                                    \
        }                                                   \
    } while (0)

/* Prints "NAME: N passed, N failed" and returns the exit status of the program. A program without a single check has
 * failed: it tested nothing. So has one that wrote beyond the memory it had asked for. */
static inline int test_done(const char *name)
{
    CHECK(tx_alloc_spoiled() == test_spoiled, "%ld blocks were written beyond their ends", tx_alloc_spoiled());
    if (test_passed + test_failed == 1)
        test_failed = 1;
    printf("%s: %d passed, %d failed\n", name, test_passed, test_failed);
    return test_failed != 0;
}

#endif
