/* io_torch_write.c - PyTorch's .pth files: the zip entry by entry, the pickle opcode by opcode, the same bytes each time, what
 * no such file can hold, and what is left where writing fails. */
#define _DEFAULT_SOURCE
#include "../io/inflate.h"
#include "io_temp.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static const float weight[12] = {1, -2, 3.5F, 0, 0.25F, 1e-30F, 7, 8, 9, 10, 11, -12};
static const double wide[2] = {1.0 / 3, -1e300};
static const uint16_t half[3] = {0x3c00, 0xc000, 0x7bff};
static const int64_t counter = 1234567890123;
static const tx_stored tensors[] = {
    {.name = "conv.weight", .dtype = TX_F32, .dims = 4, .shape = {2, 3, 2, 1}},
    {.name = "bn.num_batches_tracked", .dtype = TX_I64, .dims = 0},
    {.name = "a.half", .dtype = TX_F16, .dims = 1, .shape = {3}},
    {.name = "a.wide", .dtype = TX_F64, .dims = 2, .shape = {1, 2}},
    {.name = "none", .dtype = TX_F32, .dims = 2, .shape = {0, 5}},
    {.name = "\xc3\xa9"
             "cart",
     .dtype = TX_BF16,
     .dims = 1,
     .shape = {1}},
    {.name = "flag", .dtype = TX_BOOL, .dims = 1, .shape = {2}},
    {.name = "i", .dtype = TX_I32, .dims = 1, .shape = {1}},
};
enum { TENSORS = sizeof tensors / sizeof tensors[0] };

static int fail_at = -1, calls;

static tx_status fill(void *context, size_t i, void *out)
{
    static const unsigned char flag[2] = {1, 0};
    static const int32_t minus = -5;
    static const void *const from[] = {weight, &counter, half, wide, "", &half[1], flag, &minus};
    static const size_t bytes[] = {sizeof weight, 8, 6, 16, 0, 2, 2, 4};
    (void)context;
    calls++;
    if ((int)i == fail_at)
        return tx_fail(TX_ERR_FILE, "no elements");
    memcpy(out, from[i], bytes[i]);
    return TX_OK;
}

static uint64_t number(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    while (n--)
        v = v << 8 | p[n];
    return v;
}

/* The bytes of the entry of that name, as the directory has it; both headers must say the same. */
static const unsigned char *entry(const unsigned char *file, size_t size, const char *name, size_t *bytes)
{
    const unsigned char *end = file + size - 22, *p = file + number(end + 16, 4);
    CHECK(number(end, 4) == 0x06054b50 && number(end + 12, 4) == (size_t)(end - p), "the directory's end");
    for (size_t i = number(end + 10, 2); i-- > 0; p += 46 + number(p + 28, 2)) {
        CHECK(number(p, 4) == 0x02014b50 && number(p + 30, 4) == 0, "a row of the directory");
        if (number(p + 28, 2) != strlen(name) || memcmp(p + 46, name, strlen(name)))
            continue;
        const unsigned char *local = file + number(p + 42, 4);
        size_t n = number(local + 26, 2), extra = number(local + 28, 2), from = 30 + n + extra;
        *bytes = number(p + 24, 4);
        CHECK(number(local, 4) == 0x04034b50 && memcmp(local + 4, p + 6, 22) == 0, "%s: its two headers differ", name);
        CHECK(memcmp(local + 30, name, n) == 0 && number(local + 22, 4) == *bytes && number(local + 8, 2) == 0 &&
                  number(local + 18, 4) == *bytes,
              "%s: its header", name);
        CHECK(extra >= 4 && number(local + 30 + n + 2, 2) == extra - 4, "%s: the field that fills up", name);
        CHECK((size_t)(local + from - file) % 64 == 0, "%s is not aligned", name);
        CHECK(tx_crc32(0, local + from, *bytes) == number(local + 14, 4), "%s: its CRC-32", name);
        return local + from;
    }
    CHECK(0, "no entry %s", name);
    *bytes = 0;
    return file;
}

static int holds(const unsigned char *p, size_t n, const char *text, size_t length)
{
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(p + i, text, length) == 0)
            return 1;
    return 0;
}
#define HOLDS(p, n, text) holds(p, n, text, sizeof text - 1)

static void check_entries(const char *path)
{
    unsigned char *file;
    size_t size, n;
    CHECK(tx_file_read(path, 1 << 20, &file, &size) == TX_OK, "%s", tx_error_message());
    const unsigned char *p = entry(file, size, "archive/version", &n);
    CHECK(n == 2 && memcmp(p, "3\n", 2) == 0, "version");
    p = entry(file, size, "archive/byteorder", &n);
    CHECK(n == 6 && memcmp(p, "little", 6) == 0, "byteorder");
    p = entry(file, size, "archive/data/0", &n);
    CHECK(n == 48 && memcmp(p + 8, "\0\0\x60\x40", 4) == 0, "3.5 as little-endian binary32");
    p = entry(file, size, "archive/data/1", &n);
    CHECK(n == 8 && number(p, 8) == 1234567890123, "a counter");
    p = entry(file, size, "archive/data/2", &n);
    CHECK(n == 6 && number(p + 4, 2) == 0x7bff, "halves");
    p = entry(file, size, "archive/data/3", &n);
    CHECK(n == 16 && number(p, 8) == 0x3fd5555555555555, "doubles");
    entry(file, size, "archive/data/4", &n);
    CHECK(n == 0, "no elements");
    p = entry(file, size, "archive/data/7", &n);
    CHECK(n == 4 && number(p, 4) == 0xfffffffb, "a negative integer");
    p = entry(file, size, "archive/data.pkl", &n);
    CHECK(memcmp(p,
                 "\x80\x02"
                 "ccollections\nOrderedDict\n)R(X\x0b\0\0\0conv.weight",
                 45) == 0,
          "how it begins");
    CHECK(HOLDS(p, n,
                "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
                "0"
                "X\x03\0\0\0cpuK\x0ctQK\0(K\x02K\x03K\x02K\x01t(K\x06K\x02K\x01K\x01t\x89"
                "ccollections\nOrderedDict\n)RtR"),
          "a tensor with its strides");
    CHECK(HOLDS(p, n,
                "ctorch\nLongStorage\nX\x01\0\0\0"
                "1X\x03\0\0\0cpuK\x01tQK\0(t(t\x89"),
          "a number");
    CHECK(HOLDS(p, n, "\nBFloat16Storage\n") && HOLDS(p, n, "\nHalfStorage\n") && HOLDS(p, n, "\nDoubleStorage\n"),
          "types");
    CHECK(n > 90 && HOLDS(p + n - 90, 90,
                          "u}X\x09\0\0\0_metadataccollections\nOrderedDict\n)RX\0\0\0\0}X\x07\0\0\0versionK\x02sssb."),
          "how it ends");
    CHECK(HOLDS(p, n,
                "X\x06\0\0\0\xc3\xa9"
                "cart"),
          "a name in UTF-8");
    tx_free(file);
}

/* The same bytes each time, and those that PyTorch 2.15 was seen to load, also with weights_only=True. */
static void check_again(const char *path)
{
    char hex[2][65];
    for (int i = 0; i < 2; i++) {
        tx_sha256 sha;
        tx_sha256_begin(&sha);
        CHECK(tx_torch_write(path, tensors, TENSORS, fill, NULL) == TX_OK, "%s", tx_error_message());
        CHECK(tx_sha256_file(&sha, path) == TX_OK, "%s", tx_error_message());
        tx_sha256_end(&sha, hex[i]);
    }
    CHECK(strcmp(hex[0], hex[1]) == 0, "%s is not %s", hex[0], hex[1]);
    CHECK(strcmp(hex[0], "55077d23a81900b43a1c1c72071919728d6a0b79ae2ce665deb5e227bba45f17") == 0,
          "other bytes than those that were tried: %s", hex[0]);
}

static void check_refused(const char *path)
{
    tx_stored t[2] = {tensors[0], tensors[1]};
    calls = 0;
    t[0].dtype = TX_U32;
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "no storage of its type"),
          "%s", tx_error_message());
    t[0].dtype = (tx_dtype)99;
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT, "%s", tx_error_message());
    t[0] = tensors[0];
    t[0].shape[0] = SIZE_MAX / 2;
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "impossible size"),
          "%s", tx_error_message());
    t[0].shape[0] = 1 << 29; /* 6 * 2^31 bytes */
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), sizeof(size_t) > 4 ? "4 GiB" : "impossible size"),
          "%s", tx_error_message());
    t[0].shape[0] = 2;
    t[0].dims = TX_STORED_DIMS + 1;
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT, "%s", tx_error_message());
    t[0].dims = 4;
    t[1].name = NULL;
    CHECK(tx_torch_write(path, t, 2, fill, NULL) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "no name"), "%s",
          tx_error_message());
    CHECK(tx_torch_write(NULL, t, 2, fill, NULL) == TX_ERR_ARGUMENT, "no path");
    CHECK(tx_torch_write(path, NULL, 2, fill, NULL) == TX_ERR_ARGUMENT, "no tensors");
    CHECK(tx_torch_write(path, t, 2, NULL, NULL) == TX_ERR_ARGUMENT, "no elements");
    CHECK(calls == 0, "elements were asked for");
}

/* Whatever fails, the file that was there stays, and nothing beside it. */
static void check_failing(const char *path)
{
    char **names;
    size_t count;
    CHECK(tx_torch_write(path, tensors, 1, fill, NULL) == TX_OK, "%s", tx_error_message());
    fail_at = 3;
    CHECK(tx_torch_write(path, tensors, TENSORS, fill, NULL) == TX_ERR_FILE &&
              !strcmp(tx_error_message(), "no elements"),
          "%s", tx_error_message());
    fail_at = -1;
    int failed = 0, replaced = 0;
    for (long k = 0; k < 1000; k++) {
        tx_alloc_fail_after(k);
        tx_status status = tx_torch_write(path, tensors, TENSORS, fill, NULL);
        tx_alloc_fail_after(-1);
        if (status == TX_OK)
            break;
        failed++;
        CHECK(status == TX_ERR_MEMORY, "allocation %ld: %s", k, tx_error_message());
        unsigned char *file;
        size_t size, n;
        CHECK(tx_file_read(path, 1 << 20, &file, &size) == TX_OK, "%s", tx_error_message());
        entry(file, size, "archive/data/0", &n);
        CHECK(n == 48, "another file");
        replaced += number(file + size - 12, 2) != 4;
        tx_free(file);
    }
    /* The folder is synced when the file has its name. */
    CHECK(failed > 5 && replaced <= 1, "%d allocations failed, the file was replaced %d times", failed, replaced);
    CHECK(tx_folder_list(temp_folder, &names, &count) == TX_OK && count == 1, "%zu files", count);
    tx_folder_names_free(names, count);
}

int main(int argc, char **argv)
{
    if (argc > 1) /* so that it can be tried */
        return tx_torch_write(argv[1], tensors, TENSORS, fill, NULL) != TX_OK;
    temp_begin();
    const char *path = temp_path("a.pth");
    check_again(path);
    check_entries(path);
    check_refused(path);
    check_failing(path);
    CHECK(tx_torch_write(path, NULL, 0, NULL, NULL) == TX_OK, "nothing in it: %s", tx_error_message());
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("io_torch_write");
}
