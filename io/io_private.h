/* io_private.h - what the files of io share among themselves. */
#ifndef THORAX_IO_PRIVATE_H
#define THORAX_IO_PRIVATE_H

#include "io.h"

/* "PATH: cannot WHAT: the system's reason (errno)". */
tx_status tx_fail_system(const char *path, const char *what);
/* TX_ERR_FORMAT with "NAME: byte AT: .."; the name is escaped already. */
tx_status tx_fail_byte(const char *name, size_t at, const char *format, ...) TX_PRINTF(3, 4);
/* Makes durable that the path is in its folder (or no more). */
tx_status tx_sync_above(const char *path);
/* An error of the format that says what a file is instead: "PATH: byte 0: looks like a PNG image, EXPECTED expected". */
tx_status tx_fail_foreign(const char *path, const unsigned char *bytes, size_t size, const char *expected);
/* TX_OK, or for an open folder the error "PATH: a folder, EXPECTED expected". */
tx_status tx_refuse_folder(int fd, const char *path, const char *expected);
/* Whether bytes begin as a safetensors file of less than 2^32 bytes of header. */
int tx_looks_safetensors(const unsigned char *bytes, size_t size);
/* Whether bytes begin as a file of Netpbm's P1 to P6 does. */
int tx_looks_pnm(const unsigned char *bytes, size_t size);
/* The bytes of the UTF-8 character at p, 0 if there is none (RFC 3629: no overlong forms, no surrogates). Looks at no
 * byte behind one that cannot continue the character, so a zero ends it. */
size_t tx_utf8_length(const unsigned char *p);

enum { TX_PROGRESS_LINE = 1001 };
/* The progress at the moment `now` (tx_seconds) within so many columns, at most 1000: no part is cut. columns 0: a plain
 * line. */
void tx_progress_format(const tx_progress *progress, double now, int last, const char *note, size_t columns,
                        char out[TX_PROGRESS_LINE]);

/* tx_image_read; *sum receives the checksum of the file's bytes, also where these are no image; 0 if it cannot be read. */
tx_status tx_image_read_sum(const char *path, tx_image *out, uint64_t *sum);

/* For image.c, of bytes that begin as such files do: the pixels, and size and channels alone (*ended: more bytes of the file
 * might tell). Where they fail, what *out holds is the caller's too. */
tx_status tx_png_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out);
tx_status tx_png_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended);
tx_status tx_pnm_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out);
tx_status tx_pnm_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended);

#endif
