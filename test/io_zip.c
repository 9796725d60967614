/* io_zip.c - ZIP archives made here byte by byte: sound ones, with ZIP64 and comments, and such as lie. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../io/inflate.h"
#include "../io/zip.h"

/* ------------------------------------------------------------------------------------------- an archive */
typedef struct archive {
    unsigned char bytes[4096];
    size_t n;
} archive;

static void put(archive *a, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        a->bytes[a->n++] = (unsigned char)(value >> (8 * i));
}

static void put_text(archive *a, const char *text, size_t n)
{
    memcpy(a->bytes + a->n, text, n);
    a->n += n;
}

/* What is said of an entry; the two headers can be told to differ. */
typedef struct entry {
    const char *name, *local_name, *data;
    size_t data_bytes;
    unsigned flags, method;
    uint64_t size, begin; /* size 0: the data's; begin: what the directory says more than the truth */
    uint32_t crc;         /* what it is more than the truth */
    int wide;             /* its numbers stand in ZIP64's field */
    size_t at;
} entry;

static size_t size_of(const entry *e)
{
    return e->size ? (size_t)e->size : e->data_bytes;
}

static void put_common(archive *a, const entry *e, int wide)
{
    put(a, e->flags, 2);
    put(a, e->method, 2);
    put(a, 0, 4);
    put(a, (e->method ? 0 : tx_crc32(0, e->data, e->data_bytes)) + e->crc, 4);
    put(a, wide ? 0xffffffff : e->data_bytes, 4);
    put(a, wide ? 0xffffffff : size_of(e), 4);
}

static void put_local(archive *a, entry *e)
{
    const char *name = e->local_name ? e->local_name : e->name;
    e->at = a->n;
    put_text(a, "PK\3\4", 4);
    put(a, 20, 2);
    put_common(a, e, 0);
    put(a, strlen(name), 2);
    put(a, 5, 2);
    put_text(a, name, strlen(name));
    put_text(a, "FB\1\0Z", 5);
    put_text(a, e->data, e->data_bytes);
}

static void put_central(archive *a, const entry *e)
{
    put_text(a, "PK\1\2", 4);
    put(a, 20, 2);
    put(a, 20, 2);
    put_common(a, e, e->wide);
    put(a, strlen(e->name), 2);
    put(a, e->wide ? 28 : 0, 2);
    put(a, 0, 2);
    put(a, 0, 8);
    put(a, e->wide ? 0xffffffff : e->at + e->begin, 4);
    put_text(a, e->name, strlen(e->name));
    if (e->wide) {
        put(a, 1, 2);
        put(a, 24, 2);
        put(a, size_of(e), 8);
        put(a, e->data_bytes, 8);
        put(a, e->at + e->begin, 8);
    }
}

/* What the end says more than the truth. */
typedef struct end {
    uint64_t at, bytes, entries;
    int wide;
    const char *comment;
    size_t comment_more;
    unsigned disk;
} end;

static void put_end(archive *a, const end *e, size_t at, size_t entries)
{
    size_t bytes = a->n - at, here = a->n;
    const char *comment = e->comment ? e->comment : "";
    if (e->wide) {
        put_text(a, "PK\6\6", 4);
        put(a, 44, 8);
        put(a, 45 | 45 << 16, 4);
        put(a, e->disk, 4);
        put(a, e->disk, 4);
        put(a, entries + e->entries, 8);
        put(a, entries + e->entries, 8);
        put(a, bytes + e->bytes, 8);
        put(a, at + e->at, 8);
        put_text(a, "PK\6\7", 4);
        put(a, 0, 4);
        put(a, here, 8);
        put(a, 1, 4);
    }
    put_text(a, "PK\5\6", 4);
    put(a, e->wide ? 0 : e->disk, 4);
    put(a, e->wide ? 0xffff : entries + e->entries, 2);
    put(a, e->wide ? 0xffff : entries + e->entries, 2);
    put(a, e->wide ? 0xffffffff : bytes + e->bytes, 4);
    put(a, e->wide ? 0xffffffff : at + e->at, 4);
    put(a, strlen(comment) + e->comment_more, 2);
    put_text(a, comment, strlen(comment));
}

static const char *make(entry *entries, size_t n, const end *e)
{
    static archive a;
    a.n = 0;
    for (size_t i = 0; i < n; i++)
        put_local(&a, &entries[i]);
    size_t at = a.n;
    for (size_t i = 0; i < n; i++)
        put_central(&a, &entries[i]);
    put_end(&a, e, at, n);
    const char *path = temp_path("a.zip");
    temp_write(path, a.bytes, a.n);
    return path;
}

/* ----------------------------------------------------------------------------------------------- reading */
static tx_status open_zip(const char *path, tx_reader *reader, tx_zip *zip)
{
    tx_status status = tx_reader_open(reader, path, "a ZIP archive");
    if (status == TX_OK)
        status = tx_zip_open(zip, reader);
    if (status)
        tx_reader_close(reader);
    return status;
}

/* "Hello, hello, hello, hello" by the fixed codes. */
static const char packed[] = "\xf3\x48\xcd\xc9\xc9\xd7\x51\xc8\xc0\xa4\x00";
static const char plain[] = "Hello, hello, hello, hello";

static void sound(void)
{
    for (int way = 0; way < 4; way++) {
        entry e[3] = {{.name = "x/data.pkl", .data = "first", .data_bytes = 5, .wide = way & 1},
                      {.name = "x/data/0", .data = "", .data_bytes = 0},
                      {.name = "a", .data = packed, .data_bytes = sizeof packed - 1, .method = 8, .flags = 8}};
        tx_reader reader;
        tx_zip zip;
        unsigned char *data = NULL;
        e[2].size = sizeof plain - 1;
        e[2].crc = tx_crc32(0, plain, sizeof plain - 1);
        const end last = {.wide = way >> 1, .comment = way == 3 ? "a comment" : NULL};
        tx_status status = open_zip(make(e, 3, &last), &reader, &zip);
        CHECK(status == TX_OK, "way %d: %s", way, tx_error_message());
        if (status)
            continue;
        CHECK(zip.entries == 3 && strcmp(zip.first, "x/data.pkl") == 0, "way %d: %s is first", way, zip.first);
        const tx_zip_entry *first = tx_zip_find(&zip, "x/data.pkl"), *deflated = tx_zip_find(&zip, "a");
        CHECK(first && deflated && tx_zip_find(&zip, "x/data/0") && !tx_zip_find(&zip, "x"), "names");
        CHECK(tx_zip_check(&zip, first) == TX_OK && tx_zip_read(&zip, first, 5, &data) == TX_OK &&
                  strcmp((char *)data, "first") == 0,
              "%s", tx_error_message());
        tx_free(data);
        CHECK(tx_zip_read(&zip, first, 4, &data) == TX_ERR_FORMAT && !data, "more than the limit");
        CHECK(tx_zip_read(&zip, deflated, 100, &data) == TX_OK && memcmp(data, plain, sizeof plain) == 0, "%s",
              tx_error_message());
        tx_free(data);
        tx_zip_close(&zip);
        tx_reader_close(&reader);
    }
}

/* An archive of two entries "a" and "b" of three bytes, one thing of which is other than it should be. */
static void lie(const entry *a, const entry *b, const end *last, const char *message)
{
    entry e[2] = {*a, *b};
    tx_reader reader;
    tx_zip zip;
    unsigned char *data;
    tx_status status = open_zip(make(e, 2, last), &reader, &zip);
    if (status == TX_OK) {
        for (size_t i = 0; status == TX_OK && i < zip.entries; i++) {
            status = tx_zip_read(&zip, &zip.entry[i], 1 << 20, &data);
            tx_free(data);
            if (status == TX_OK && !zip.entry[i].deflated)
                status = tx_zip_check(&zip, &zip.entry[i]);
        }
        tx_zip_close(&zip);
        tx_reader_close(&reader);
    }
    CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), message), "%s, expected %s",
          status ? tx_error_message() : "taken", message);
}

#define ENTRY(...)                                               \
    &(const entry)                                               \
    {                                                            \
        .name = "a", .data = "abc", .data_bytes = 3, __VA_ARGS__ \
    }
#define NAMED(text, ...)                                          \
    &(const entry)                                                \
    {                                                             \
        .name = text, .data = "abc", .data_bytes = 3, __VA_ARGS__ \
    }
#define LAST(...)   \
    &(const end)    \
    {               \
        __VA_ARGS__ \
    }

static void lies(void)
{
    const entry *a = ENTRY(.flags = 0), *b = NAMED("b", .flags = 0);
    lie(a, NAMED("b", .crc = 1), LAST(.at = 0), "'b': its bytes do not have its CRC-32");
    lie(a, NAMED("a", .flags = 0), LAST(.at = 0), "'a': is there twice");
    lie(ENTRY(.flags = 1), b, LAST(.at = 0), "it is encrypted");
    lie(ENTRY(.method = 12), b, LAST(.at = 0), "another method than deflate");
    lie(ENTRY(.size = 4), b, LAST(.at = 0), "it is stored, but has two sizes");
    lie(ENTRY(.local_name = "c"), b, LAST(.at = 0), "another name in its own header");
    lie(ENTRY(.local_name = "ab"), b, LAST(.at = 0), "another name in its own header");
    lie(a, NAMED("b", .begin = 1), LAST(.at = 0), "it is not where the directory says");
    lie(a, NAMED("b", .begin = 200), LAST(.at = 0), "it goes beyond what follows");
    lie(a, NAMED("b", .begin = (uint64_t)-39), LAST(.at = 0), "'a': it goes beyond what follows");
    lie(ENTRY(.wide = 1, .begin = UINT64_MAX), b, LAST(.at = 0), "it goes beyond what follows");
    lie(a, NAMED("b", .wide = 1, .begin = (uint64_t)1 << 62), LAST(.at = 0), "it goes beyond what follows");
    lie(NAMED("", .flags = 0), b, LAST(.at = 0), "name that is empty");
    lie(ENTRY(.method = 8, .size = 3), b, LAST(.at = 0), "entry 'a'");
    lie(ENTRY(.method = 8, .size = 1 << 20), b, LAST(.at = 0), "larger than what it can be");
    for (int wide = 0; wide < 2; wide++) {
        lie(a, b, LAST(.wide = wide, .at = 1), "does not lie before the end record");
        lie(a, b, LAST(.wide = wide, .at = (uint64_t)-1), "no entry of the directory");
        lie(a, b, LAST(.wide = wide, .at = 1000), "does not lie before the end record");
        lie(a, b, LAST(.wide = wide, .bytes = 1), "does not lie before the end record");
        lie(a, b, LAST(.wide = wide, .bytes = (uint64_t)-1), "beyond the directory");
        lie(a, b, LAST(.wide = wide, .entries = 1), "no entry of the directory");
        lie(a, b, LAST(.wide = wide, .entries = (uint64_t)-1), "goes on behind its last entry");
        lie(a, b, LAST(.wide = wide, .disk = 1), "an archive of several files");
        lie(a, b, LAST(.wide = wide, .comment_more = 1), "without its end");
        lie(a, b, LAST(.wide = wide, .comment = "x", .comment_more = (size_t)-1), "without its end");
    }
    lie(a, b, LAST(.wide = 1, .at = UINT64_MAX / 2), "the directory does not lie before");
    lie(a, b, LAST(.wide = 1, .bytes = UINT64_MAX / 2), "the directory does not lie before");
    lie(a, b, LAST(.wide = 1, .entries = UINT64_MAX / 2), "more than 64 MiB or 2^18 entries");
}

/* Data that become more than what is said, and than they can. */
static void deflated(void)
{
    entry e = {.name = "a", .data = packed, .data_bytes = sizeof packed - 1, .method = 8};
    const entry *b = NAMED("b", .flags = 0);
    e.crc = tx_crc32(0, plain, sizeof plain - 1);
    e.size = sizeof plain - 2;
    lie(&e, b, LAST(.at = 0), "entry 'a'");
    e.size = sizeof plain;
    lie(&e, b, LAST(.at = 0), "not of the size that the directory says");
    e.size = sizeof plain - 1;
    e.crc++;
    lie(&e, b, LAST(.at = 0), "CRC-32");
    e.crc--;
    e.data_bytes--;
    lie(&e, b, LAST(.at = 0), "entry 'a'");
}

int main(void)
{
    if (!temp_begin())
        return 1;
    long live = tx_alloc_live();
    sound();
    lies();
    deflated();
    CHECK(tx_alloc_live() == live, "%ld blocks are lost", tx_alloc_live() - live);
    temp_end();
    return test_done("io_zip");
}
