/* reader.h - an open file that is read at any place. Private to io. */
#ifndef THORAX_READER_H
#define THORAX_READER_H

#include "io_private.h"

typedef struct tx_reader {
    char *path;
    char name[TX_TEXT]; /* the path for messages */
    int fd;
    uint64_t size; /* bytes, when it was opened */
} tx_reader;

/* Opens a regular file; `expected` says what a folder is not. After an error there is nothing to close. */
tx_status tx_reader_open(tx_reader *r, const char *path, const char *expected);
/* Also of one that is all zeros. */
void tx_reader_close(tx_reader *r);
/* The bytes [at, at + bytes); TX_ERR_FORMAT where the file ends before. */
tx_status tx_reader_at(const tx_reader *r, uint64_t at, void *out, size_t bytes);

#endif
