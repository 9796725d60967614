/* digest.c - SHA-256 of numbers and files. */
#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 1 << 18 };

void digest_add_floats(tx_sha256 *sha, const float *v, size_t n)
{
    unsigned char bytes[4096];
    for (size_t i = 0; i < n;) {
        size_t m = 0;
        for (; m < sizeof bytes && i < n; m += 4, i++) {
            uint32_t u;
            memcpy(&u, v + i, 4);
            for (size_t b = 0; b < 4; b++)
                bytes[m + b] = (unsigned char)(u >> (8 * b));
        }
        tx_sha256_add(sha, bytes, m);
    }
}

void digest_floats(const float *v, size_t n, char hex[65])
{
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    digest_add_floats(&sha, v, n);
    tx_sha256_end(&sha, hex);
}

typedef struct block_task {
    const float *v;
    size_t n;
    char (*hex)[65];
} block_task;

static void digest_block(void *context, size_t i, int worker)
{
    (void)worker;
    const block_task *t = context;
    size_t from = i * BLOCK, n = t->n - from < BLOCK ? t->n - from : BLOCK;
    digest_floats(t->v + from, n, t->hex[i]);
}

tx_status digest_add_blocks(tx_sha256 *sha, const float *v, size_t n)
{
    size_t blocks = (n + BLOCK - 1) / BLOCK;
    block_task task = {v, n, tx_alloc(blocks, sizeof *task.hex)};
    if (!task.hex)
        return TX_ERR_MEMORY;
    tx_parallel_for(blocks, digest_block, &task);
    for (size_t i = 0; i < blocks; i++)
        tx_sha256_add(sha, task.hex[i], 64);
    tx_free(task.hex);
    return TX_OK;
}

tx_status digest_add_file(tx_sha256 *sha, const char *path)
{
    char escaped[TX_TEXT];
    FILE *f = fopen(path, "rb");
    if (!f)
        return errno == ENOENT
                   ? TX_OK
                   : tx_fail(TX_ERR_FILE, "%s: %s", tx_escape(escaped, sizeof escaped, path), strerror(errno));
    unsigned char bytes[1 << 14];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        tx_sha256_add(sha, bytes, n);
    int bad = ferror(f);
    fclose(f);
    return bad ? tx_fail(TX_ERR_FILE, "%s: cannot be read", tx_escape(escaped, sizeof escaped, path)) : TX_OK;
}
