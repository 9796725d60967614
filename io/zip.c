/* zip.c - the directory of a ZIP archive, and its entries' bytes.
 *
 * The end record is the last thing in the file, but for a comment whose length it gives; ZIP64's stands before it, found by
 * a locator. They say where the central directory is, which has a header for each entry. An entry's bytes stand behind a
 * local header that repeats most of it. Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5. */
#include "zip.h"
#include "inflate.h"
#include "safetensors_private.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 16, ENTRIES_MAX = 1 << 18, COMMENT_MAX = 65535, STORED = 0, DEFLATED = 8 };
enum { END = 22, END64 = 56, LOCATOR = 20, CENTRAL = 46, LOCAL = 30 }; /* bytes of the records' fixed parts */
enum { ENCRYPTED = 1, SIZES_BEHIND = 8, NAME_MAX_BYTES = 4096 };
#define DIRECTORY_MAX ((uint64_t)64 << 20)
#define WIDE 0xffffffffu /* the number stands in ZIP64's extra field */

static uint64_t number(const unsigned char *bytes, size_t n)
{
    return tx_little_endian(bytes, n);
}

static int is_record(const unsigned char *bytes, const char *signature)
{
    return memcmp(bytes, signature, 4) == 0;
}

static tx_status fail(const tx_zip *zip, uint64_t at, const char *what)
{
    return tx_fail(TX_ERR_FORMAT, "%s: byte %llu: %s", zip->file->name, (unsigned long long)at, what);
}

static tx_status fail_entry(const tx_zip *zip, const char *name, const char *what)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: entry '%s': %s", zip->file->name, tx_escape(text, sizeof text, name), what);
}

/* ------------------------------------------------------------------------------------------- directory */
typedef struct directory {
    uint64_t at, bytes, entries;
    uint64_t limit; /* where the records of the end begin */
} directory;

static tx_status read_end64(const tx_zip *zip, uint64_t locator_at, const unsigned char *locator, directory *d)
{
    unsigned char end[END64];
    uint64_t at = number(locator + 8, 8);
    if (number(locator + 4, 4) != 0 || number(locator + 16, 4) > 1)
        return fail(zip, locator_at, "an archive of several files");
    if (at > locator_at || locator_at - at < END64)
        return fail(zip, locator_at, "the ZIP64 end record is not where it should be");
    tx_status status = tx_reader_at(zip->file, at, end, END64);
    if (status)
        return status;
    if (!is_record(end, "PK\6\6"))
        return fail(zip, at, "no ZIP64 end record, where one should be");
    if (number(end + 16, 4) != 0 || number(end + 20, 4) != 0)
        return fail(zip, at, "an archive of several files");
    if (number(end + 24, 8) != number(end + 32, 8))
        return fail(zip, at, "two numbers of entries");
    *d = (directory){number(end + 48, 8), number(end + 40, 8), number(end + 32, 8), at};
    return TX_OK;
}

/* tail: the file's last n bytes; i: where the end record begins in them. */
static tx_status read_end(const tx_zip *zip, const unsigned char *tail, size_t n, size_t i, directory *d)
{
    const unsigned char *end = tail + i;
    uint64_t at = zip->file->size - n + i;
    if (i >= LOCATOR && is_record(end - LOCATOR, "PK\6\7"))
        return read_end64(zip, at - LOCATOR, end - LOCATOR, d);
    if (number(end + 4, 2) != 0 || number(end + 6, 2) != 0)
        return fail(zip, at, "an archive of several files");
    if (number(end + 8, 2) != number(end + 10, 2))
        return fail(zip, at, "two numbers of entries");
    *d = (directory){number(end + 16, 4), number(end + 12, 4), number(end + 10, 2), at};
    return TX_OK;
}

static tx_status find_directory(const tx_zip *zip, directory *d)
{
    uint64_t most = END + LOCATOR + COMMENT_MAX;
    size_t n = (size_t)(zip->file->size < most ? zip->file->size : most), i = n;
    unsigned char *tail = tx_alloc(n, 1);
    if (!tail)
        return TX_ERR_MEMORY;
    tx_status status = tx_reader_at(zip->file, zip->file->size - n, tail, n);
    int found = 0;
    if (status == TX_OK && n >= END)
        for (i = n - END + 1; i-- > 0 && !found;)
            if (is_record(tail + i, "PK\5\6") && number(tail + i + 20, 2) == n - i - END) {
                found = 1;
                status = read_end(zip, tail, n, i, d);
            }
    tx_free(tail);
    if (status)
        return status;
    if (!found)
        return tx_fail(TX_ERR_FORMAT, "%s: cut off at byte %llu: a ZIP archive without its end", zip->file->name,
                       (unsigned long long)zip->file->size);
    if (d->at > d->limit || d->bytes > d->limit - d->at)
        return fail(zip, d->limit, "the directory does not lie before the end record");
    if (d->bytes > DIRECTORY_MAX || d->entries > ENTRIES_MAX)
        return fail(zip, d->limit, "a directory of more than 64 MiB or 2^18 entries");
    return TX_OK;
}

/* ZIP64's extra field has those numbers that are WIDE in the header, in this order. */
static int widen(const unsigned char *extra, size_t n, uint64_t *value[3])
{
    while (n >= 4) {
        size_t bytes = (size_t)number(extra + 2, 2);
        if (bytes > n - 4)
            return -1;
        if (number(extra, 2) == 1) {
            const unsigned char *at = extra + 4;
            for (int k = 0; k < 3; k++)
                if (*value[k] == WIDE) {
                    if (bytes < 8)
                        return -1;
                    *value[k] = number(at, 8);
                    at += 8;
                    bytes -= 8;
                }
            return 0;
        }
        extra += 4 + bytes;
        n -= 4 + bytes;
    }
    return *value[0] == WIDE || *value[1] == WIDE || *value[2] == WIDE ? -1 : 0;
}

static tx_status add_entry(tx_zip *zip, const unsigned char *h, size_t name_bytes, size_t extra_bytes, uint64_t at)
{
    tx_status status = tx_grow((void **)&zip->entry, &zip->room, zip->entries + 1, sizeof *zip->entry);
    if (status)
        return status;
    if (name_bytes == 0 || name_bytes > NAME_MAX_BYTES || memchr(h + CENTRAL, 0, name_bytes))
        return fail(zip, at, "an entry's name that is empty, too long or has a zero in it");
    tx_zip_entry e = {.packed = number(h + 20, 4), .size = number(h + 24, 4), .begin = number(h + 42, 4)};
    e.crc = (uint32_t)number(h + 16, 4);
    e.deflated = number(h + 10, 2) == DEFLATED;
    uint64_t *wide[3] = {&e.size, &e.packed, &e.begin};
    if (widen(h + CENTRAL + name_bytes, extra_bytes, wide))
        return fail(zip, at, "an entry's extra field lies");
    e.name = tx_alloc(name_bytes + 1, 1);
    if (!e.name)
        return TX_ERR_MEMORY;
    memcpy(e.name, h + CENTRAL, name_bytes);
    zip->entry[zip->entries++] = e;
    if (number(h + 8, 2) & ENCRYPTED)
        return fail_entry(zip, e.name, "it is encrypted");
    if (number(h + 10, 2) != STORED && !e.deflated)
        return fail_entry(zip, e.name, "it is compressed by another method than deflate");
    if (!e.deflated && e.packed != e.size)
        return fail_entry(zip, e.name, "it is stored, but has two sizes");
    return TX_OK;
}

static tx_status read_directory(tx_zip *zip, const directory *d)
{
    unsigned char *bytes = tx_alloc((size_t)d->bytes, 1);
    if (!bytes)
        return TX_ERR_MEMORY;
    tx_status status = tx_reader_at(zip->file, d->at, bytes, (size_t)d->bytes);
    size_t at = 0, n = (size_t)d->bytes;
    for (uint64_t i = 0; status == TX_OK && i < d->entries; i++) {
        const unsigned char *h = bytes + at;
        if (n - at < CENTRAL || !is_record(h, "PK\1\2")) {
            status = fail(zip, d->at + at, "no entry of the directory, where one should be");
            break;
        }
        size_t name = (size_t)number(h + 28, 2), extra = (size_t)number(h + 30, 2);
        size_t whole = CENTRAL + name + extra + (size_t)number(h + 32, 2);
        status = whole > n - at ? fail(zip, d->at + at, "an entry that goes beyond the directory")
                                : add_entry(zip, h, name, extra, d->at + at);
        at += whole;
    }
    if (status == TX_OK && at != n)
        status = fail(zip, d->at + at, "the directory goes on behind its last entry");
    tx_free(bytes);
    return status;
}

/* ---------------------------------------------------------------------------------------- local headers */
static int sizes_agree(const tx_zip_entry *e, const unsigned char *h)
{
    uint64_t packed = number(h + 18, 4), size = number(h + 22, 4);
    if (number(h + 6, 2) & SIZES_BEHIND)
        return (packed == 0 || packed == WIDE || packed == e->packed) && (size == 0 || size == WIDE || size == e->size);
    return (packed == WIDE || packed == e->packed) && (size == WIDE || size == e->size) &&
           (uint32_t)number(h + 14, 4) == e->crc;
}

/* Finds an entry's bytes, which end before `limit`. */
static tx_status read_local(const tx_zip *zip, tx_zip_entry *e, uint64_t limit, unsigned char *room)
{
    size_t name = strlen(e->name);
    if (e->begin > limit || limit - e->begin < LOCAL + name)
        return fail_entry(zip, e->name, "it goes beyond what follows");
    tx_status status = tx_reader_at(zip->file, e->begin, room, LOCAL + name);
    if (status)
        return status;
    if (!is_record(room, "PK\3\4"))
        return fail_entry(zip, e->name, "it is not where the directory says");
    if (number(room + 26, 2) != name || memcmp(room + LOCAL, e->name, name) != 0)
        return fail_entry(zip, e->name, "it has another name in its own header");
    if ((number(room + 6, 2) & ENCRYPTED) || number(room + 8, 2) != (uint64_t)(e->deflated ? DEFLATED : STORED) ||
        !sizes_agree(e, room))
        return fail_entry(zip, e->name, "its own header says other than the directory");
    e->at = e->begin + LOCAL + name + number(room + 28, 2);
    if (e->at > limit || e->packed > limit - e->at)
        return fail_entry(zip, e->name, "it goes beyond what follows");
    return TX_OK;
}

static int by_place(const void *a, const void *b)
{
    const tx_zip_entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    const tx_zip_entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->begin > y->begin) - (x->begin < y->begin);
}

/* An entry ends where the next begins, or before, so that none shares bytes with another. */
static tx_status read_locals(tx_zip *zip, uint64_t limit)
{
    unsigned char *room = tx_alloc(LOCAL + NAME_MAX_BYTES, 1);
    if (!room)
        return TX_ERR_MEMORY;
    qsort(zip->entry, zip->entries, sizeof *zip->entry, by_place);
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < zip->entries; i++)
        status = read_local(zip, &zip->entry[i], i + 1 < zip->entries ? zip->entry[i + 1].begin : limit, room);
    tx_free(room);
    if (status)
        return status;
    zip->first = zip->entry[0].name;
    qsort(zip->entry, zip->entries, sizeof *zip->entry, by_name);
    for (size_t i = 1; i < zip->entries; i++)
        if (strcmp(zip->entry[i - 1].name, zip->entry[i].name) == 0)
            return fail_entry(zip, zip->entry[i].name, "is there twice");
    return TX_OK;
}

tx_status tx_zip_open(tx_zip *zip, const tx_reader *file)
{
    directory d = {0};
    *zip = (tx_zip){.file = file};
    tx_status status = find_directory(zip, &d);
    if (status == TX_OK)
        status = read_directory(zip, &d);
    if (status == TX_OK && zip->entries > 0)
        status = read_locals(zip, d.at);
    if (status)
        tx_zip_close(zip);
    return status;
}

void tx_zip_close(tx_zip *zip)
{
    for (size_t i = 0; i < zip->entries; i++)
        tx_free(zip->entry[i].name);
    tx_free(zip->entry);
    *zip = (tx_zip){0};
}

/* --------------------------------------------------------------------------------------------- contents */
const tx_zip_entry *tx_zip_find(const tx_zip *zip, const char *name)
{
    size_t low = 0, high = zip->entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, zip->entry[middle].name);
        if (order == 0)
            return &zip->entry[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static tx_status compare_crc(const tx_zip *zip, const tx_zip_entry *e, uint32_t crc)
{
    return e->crc == 0 || e->crc == crc ? TX_OK : fail_entry(zip, e->name, "its bytes do not have its CRC-32");
}

tx_status tx_zip_check(const tx_zip *zip, const tx_zip_entry *e)
{
    uint32_t crc = 0;
    if (e->crc == 0)
        return TX_OK;
    unsigned char *buffer = tx_alloc(BUFFER, 1);
    tx_status status = buffer ? TX_OK : TX_ERR_MEMORY;
    for (uint64_t done = 0; status == TX_OK && done < e->packed;) {
        size_t n = (size_t)(e->packed - done < BUFFER ? e->packed - done : BUFFER);
        status = tx_reader_at(zip->file, e->at + done, buffer, n);
        if (status == TX_OK)
            crc = tx_crc32(crc, buffer, n);
        done += n;
    }
    tx_free(buffer);
    return status ? status : compare_crc(zip, e, crc);
}

static tx_status inflate(const tx_zip *zip, const tx_zip_entry *e, const unsigned char *packed, unsigned char *out)
{
    tx_inflated how;
    char text[TX_TEXT];
    tx_status status = tx_inflate(packed, (size_t)e->packed, out, (size_t)e->size, &how);
    if (status == TX_ERR_FORMAT)
        return tx_fail(TX_ERR_FORMAT, "%s: entry '%s', byte %zu: %s", zip->file->name,
                       tx_escape(text, sizeof text, e->name), how.used, how.what);
    if (status == TX_OK && (how.made != e->size || how.used != e->packed))
        return fail_entry(zip, e->name, "its compressed data are not of the size that the directory says");
    return status;
}

tx_status tx_zip_read(const tx_zip *zip, const tx_zip_entry *e, uint64_t limit, unsigned char **data)
{
    *data = NULL;
    if (e->size > limit || e->size > SIZE_MAX - 1 || (e->deflated && e->size > tx_inflate_most((size_t)e->packed)))
        return fail_entry(zip, e->name, "it is larger than what it can be");
    unsigned char *out = tx_alloc((size_t)e->size + 1, 1);
    unsigned char *packed = e->deflated ? tx_alloc((size_t)e->packed, 1) : out;
    tx_status status = out && packed ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_reader_at(zip->file, e->at, packed, (size_t)e->packed);
    if (status == TX_OK && e->deflated)
        status = inflate(zip, e, packed, out);
    if (packed != out)
        tx_free(packed);
    if (status == TX_OK)
        status = compare_crc(zip, e, tx_crc32(0, out, (size_t)e->size));
    if (status) {
        tx_free(out);
        out = NULL;
    }
    *data = out;
    return status;
}
