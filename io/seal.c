/* seal.c - the digest of itself that a safetensors file carries: which bytes it is over, and in which order.
 *
 * SHA-256 over the header with its length, the seal's own 64 digits being zeros in it, and then over the digests (64
 * digits each) of the tensors' bytes: a tensor after the other as they lie, each cut into blocks of 2^20 bytes, the last
 * one shorter. Blocks are digested on all threads. */
#include "safetensors_private.h"

enum { BLOCK = 1 << 20, PIECE = 1 << 14 };

typedef struct sealing {
    tx_seal_source *source;
    const void *from;
    uint64_t bytes;
    char (*hex)[65];
    tx_status *status;
} sealing;

static void digest_block(void *context, size_t i, int worker)
{
    (void)worker;
    const sealing *s = context;
    unsigned char piece[PIECE];
    uint64_t at = (uint64_t)i * BLOCK, end = s->bytes - at < BLOCK ? s->bytes : at + BLOCK;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    s->status[i] = TX_OK;
    while (at < end && s->status[i] == TX_OK) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        s->status[i] = s->source(s->from, at, n, piece);
        if (s->status[i] == TX_OK)
            tx_sha256_add(&sha, piece, n);
        at += n;
    }
    tx_sha256_end(&sha, s->hex[i]);
}

tx_status tx_seal_add(tx_sha256 *sha, uint64_t bytes, tx_seal_source *source, const void *from)
{
    size_t blocks = (size_t)((bytes + BLOCK - 1) / BLOCK);
    sealing s = {source, from, bytes, tx_alloc(blocks, sizeof *s.hex), tx_alloc(blocks, sizeof *s.status)};
    tx_status status = s.hex && s.status ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_parallel_for(blocks, digest_block, &s);
    for (size_t i = 0; status == TX_OK && i < blocks; i++) {
        /* Messages are a thread's own: once more, here. */
        if (s.status[i])
            digest_block(&s, i, 0);
        status = s.status[i];
        tx_sha256_add(sha, s.hex[i], 64);
    }
    tx_free(s.hex);
    tx_free(s.status);
    return status;
}
