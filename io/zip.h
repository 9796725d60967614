/* zip.h - the entries of a ZIP archive, stored or deflated (PKWARE's APPNOTE 6.3.10, with ZIP64). Private to io. */
#ifndef THORAX_ZIP_H
#define THORAX_ZIP_H

#include "reader.h"

typedef struct tx_zip_entry {
    char *name;
    uint64_t begin, at;    /* its local header; its bytes */
    uint64_t packed, size; /* bytes in the file; bytes that they become */
    uint32_t crc;          /* 0: none was written */
    int deflated;
} tx_zip_entry;

typedef struct tx_zip {
    const tx_reader *file;
    tx_zip_entry *entry; /* by name */
    size_t entries, room;
    char *first; /* the name of the one that the file begins with; NULL without entries */
} tx_zip;

/* Reads and checks the directory: what it says of an entry must be what the entry's own header says, entries share no
 * bytes, no name is there twice, and none is encrypted. The file must outlive it. After an error there is nothing to close. */
tx_status tx_zip_open(tx_zip *zip, const tx_reader *file);
void tx_zip_close(tx_zip *zip);
/* The entry of that name, or NULL. */
const tx_zip_entry *tx_zip_find(const tx_zip *zip, const char *name);
/* Whether a stored entry's bytes have its CRC-32. */
tx_status tx_zip_check(const tx_zip *zip, const tx_zip_entry *entry);
/* All of an entry of at most `limit` bytes, its CRC-32 checked; the caller's. `limit` bounds what a deflated one may become,
 * which can be no more than a thousandfold. */
tx_status tx_zip_read(const tx_zip *zip, const tx_zip_entry *entry, uint64_t limit, unsigned char **data);

#endif
