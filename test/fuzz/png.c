/* png.c - bytes as the rows of a PNG whose chunks, checksums and compression are sound: the first six choose its type, sides and
 * palette, the rest are filters and samples. */
#include "../../io/inflate.h"
#include "fuzz.h"

enum { LEAST = 6, MOST = 1 << 15 };

static unsigned char file[2 * MOST];
static size_t bytes;

static void put32(uint32_t v)
{
    for (int i = 24; i >= 0; i -= 8)
        file[bytes++] = (unsigned char)(v >> i);
}

static void put_chunk(const char *type, const void *data, size_t n)
{
    put32((uint32_t)n);
    size_t from = bytes;
    memcpy(file + bytes, type, 4);
    if (n)
        memcpy(file + bytes + 4, data, n);
    bytes += n + 4;
    put32(tx_crc32(0, file + from, n + 4));
}

/* One stored block. */
static void put_data(const uint8_t *raw, size_t n)
{
    static unsigned char packed[MOST + 11];
    uint32_t a = 1, b = 0;
    unsigned char head[7] = {0x78, 1, 1, (unsigned char)n, (unsigned char)(n >> 8)};
    for (size_t i = 0; i < n; i++) {
        a = (a + raw[i]) % 65521;
        b = (b + a) % 65521;
    }
    head[5] = (unsigned char)~head[3];
    head[6] = (unsigned char)~head[4];
    memcpy(packed, head, 7);
    memcpy(packed + 7, raw, n);
    for (int i = 0; i < 4; i++)
        packed[7 + n + (size_t)i] = (unsigned char)((b << 16 | a) >> (24 - 8 * i));
    put_chunk("IDAT", packed, n + 11);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_seed("grey", "\x02\0\x03\x03\0\0\0abc\1abc\2abc", LEAST + 12);
    fuzz_seed("palette", "\0\x83\x05\x02\x02\0\0\xa5\x04\x5a", LEAST + 4);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char depth[8] = {1, 2, 8, 4, 16, 8, 3, 16};
    if (size < LEAST || size > MOST)
        return 0;
    unsigned char head[13] = {0, 0, 0, data[2], 0, 0, 0, data[3], depth[data[0] % 8], data[1] & 7, 0, 0, data[1] >> 7};
    tx_image image;
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    bytes = 8;
    put_chunk("IHDR", head, sizeof head);
    if (data[4])
        put_chunk("PLTE", file, 3 * (size_t)(data[4] % 8));
    put_data(data + LEAST, size - LEAST);
    put_chunk("IEND", NULL, 0);
    tx_status status = tx_image_decode(file, bytes, "input", &image);
    fuzz_check(status);
    uint64_t sum = 0;
    for (size_t i = 0; status == TX_OK && i < (size_t)image.width * (size_t)image.height * (size_t)image.channels; i++)
        sum += image.pixels[i];
    if (sum > (uint64_t)255 * 255 * 255 * 3)
        abort();
    tx_image_free(&image);
    return 0;
}
