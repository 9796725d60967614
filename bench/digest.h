/* digest.h - SHA-256 of numbers and files. Private to bench. */
#ifndef THORAX_BENCH_DIGEST_H
#define THORAX_BENCH_DIGEST_H

#include "../io/io.h"

/* Of floats as little-endian bytes, whatever the machine's order. */
void digest_floats(const float *v, size_t n, char hex[65]);
/* Adds floats so. */
void digest_add_floats(tx_sha256 *sha, const float *v, size_t n);
/* Adds the digests of blocks of 2^18 floats, which are made in parallel. */
tx_status digest_add_blocks(tx_sha256 *sha, const float *v, size_t n);
/* Adds a file's bytes; an absent file is none of them. */
tx_status digest_add_file(tx_sha256 *sha, const char *path);

#endif
