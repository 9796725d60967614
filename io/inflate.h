/* inflate.h - what PNG and zip files share: DEFLATE (RFC 1951), its zlib wrapper (RFC 1950), and their CRC-32. Private to
 * io. */
#ifndef THORAX_INFLATE_H
#define THORAX_INFLATE_H

#include "io.h"

/* How far a stream was decoded. */
typedef struct tx_inflated {
    size_t used;      /* bytes of the input: up to the stream's end, or where the fault is */
    size_t made;      /* bytes of the output */
    const char *what; /* the fault in some words, for "FILE: byte N: WHAT"; NULL without one */
    int full;         /* the fault is that the stream goes on where the output has no more room */
} tx_inflated;

/* One stream, from its first byte to the end of its last block, into out[0..room). Memory and time are bounded by size and
 * room. TX_ERR_FORMAT: the fault is in `how`, and no message is stored, as the caller knows file and place. What follows
 * the stream is not looked at. */
tx_status tx_inflate(const unsigned char *bytes, size_t size, unsigned char *out, size_t room, tx_inflated *how);
/* The same with zlib's two bytes before it and Adler-32 behind it, which are checked; how->used counts them. */
tx_status tx_zlib_inflate(const unsigned char *bytes, size_t size, unsigned char *out, size_t room, tx_inflated *how);

/* The most bytes that a stream of so many can become: two bits make 258. Saturates. */
size_t tx_inflate_most(size_t size);

/* CRC-32 (ISO 3309, as in PNG, zip and gzip) of bytes that follow others whose CRC-32 is crc; 0 where there are none. */
uint32_t tx_crc32(uint32_t crc, const void *data, size_t bytes);
/* Adler-32 (RFC 1950), the sum that ends a zlib stream. */
uint32_t tx_adler32(const unsigned char *bytes, size_t size);

#endif
