/* io_png.c - PNG files that are made here: what is accepted, each rule broken alone, files cut at every byte, flipped bits with
 * and without their CRC made good, every allocation failing. Pixels of all kinds of files stand in test/pixels. */
#define _POSIX_C_SOURCE 200809L
#include "../io/inflate.h"
#include "io_temp.h"
#include "test.h"

#include <string.h>

enum { ROOM = 1 << 14 };

static unsigned char file[ROOM];
static size_t bytes;

static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* The CRC of the chunk at `at`. */
static void sign(size_t at)
{
    size_t n = (size_t)file[at + 2] << 8 | file[at + 3];
    put32(file + at + 8 + n, tx_crc32(0, file + at + 4, n + 4));
}

static void put_chunk(const char *type, const void *data, size_t n)
{
    size_t at = bytes;
    put32(file + at, (uint32_t)n);
    memcpy(file + at + 4, type, 4);
    if (n)
        memcpy(file + at + 8, data, n);
    bytes += 12 + n;
    sign(at);
}

static void begin(uint32_t width, uint32_t height, int depth, int colour, int interlaced)
{
    unsigned char h[13] = {0};
    put32(h, width);
    put32(h + 4, height);
    h[8] = (unsigned char)depth;
    h[9] = (unsigned char)colour;
    h[12] = (unsigned char)interlaced;
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    bytes = 8;
    put_chunk("IHDR", h, sizeof h);
}

/* A zlib stream of one stored block. */
static size_t pack(const unsigned char *raw, size_t n, unsigned char *out)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + raw[i]) % 65521;
        b = (b + a) % 65521;
    }
    unsigned char head[7] = {0x78, 0x01, 1, (unsigned char)n, (unsigned char)(n >> 8)};
    head[5] = (unsigned char)~head[3];
    head[6] = (unsigned char)~head[4];
    memcpy(out, head, 7);
    memcpy(out + 7, raw, n);
    put32(out + 7 + n, b << 16 | a);
    return n + 11;
}

/* Image data in chunks of so many bytes, and the end. */
static void put_data(const unsigned char *raw, size_t n, size_t each)
{
    unsigned char packed[4096];
    size_t size = pack(raw, n, packed);
    for (size_t at = 0; at < size; at += each)
        put_chunk("IDAT", packed + at, size - at < each ? size - at : each);
    put_chunk("IEND", NULL, 0);
}

/* From memory that ends where the file does. */
static tx_status decode(size_t size, tx_image *image)
{
    unsigned char *exact = tx_alloc(size, 1);
    if (size)
        memcpy(exact, file, size);
    tx_status status = tx_image_decode(exact, size, "made.png", image);
    tx_free(exact);
    return status;
}

/* Two rows of two grey pixels: 10 20, 30 40, the second row as differences to the first. */
static const unsigned char small[] = {0, 10, 20, 2, 20, 20};

static void put_small(void)
{
    begin(2, 2, 8, 0, 0);
    put_data(small, sizeof small, 1000);
}

static void is_small(const char *what)
{
    tx_image image;
    tx_status status = decode(bytes, &image);
    CHECK(status == TX_OK && image.width == 2 && image.height == 2 && image.channels == 1 && image.pixels[0] == 10 &&
              image.pixels[1] == 20 && image.pixels[2] == 30 && image.pixels[3] == 40,
          "%s: %s", what, status ? tx_error_message() : "other pixels");
    tx_image_free(&image);
}

static void refused(const char *what)
{
    tx_image image;
    char near[64];
    snprintf(near, sizeof near, "made.png: byte ");
    tx_status status = decode(bytes, &image);
    CHECK(status == TX_ERR_FORMAT && !image.pixels && strstr(tx_error_message(), what) &&
              strncmp(tx_error_message(), near, strlen(near)) == 0,
          "'%s' expected: %s", what, status ? tx_error_message() : "accepted");
    tx_image_free(&image);
}

static void accepted(void)
{
    tx_image image;
    put_small();
    is_small("one chunk");
    bytes += 100; /* what follows IEND */
    is_small("bytes behind the end");
    for (size_t each = 1; each < 5; each++) {
        begin(2, 2, 8, 0, 0);
        put_chunk("gAMA", "\0\0\1\1", 4);
        put_chunk("tRNS", "\0\12", 2);
        put_chunk("acTL", "\0\0\0\1\0\0\0\0", 8);
        put_chunk("prVt", NULL, 0);
        put_chunk("IDAT", NULL, 0);
        put_data(small, sizeof small, each);
        is_small("many chunks");
    }
    static const unsigned char more[] = {0, 10, 20, 2, 20, 20, 1, 2, 3};
    begin(2, 2, 8, 0, 0);
    put_data(more, sizeof more, 1000);
    is_small("data behind the last row");
    /* PLTE in a file of colours is a suggestion; red 258 / 257 is 1, rounded, and 257 * 255 + 128 is 255. */
    static const unsigned char deep[] = {0, 1, 2, 0, 0, 255, 255};
    begin(1, 1, 16, 2, 0);
    put_chunk("PLTE", "abcd", 4);
    put_data(deep, sizeof deep, 1000);
    CHECK(decode(bytes, &image) == TX_OK && image.channels == 3 && image.pixels[0] == 1 && image.pixels[1] == 0 &&
              image.pixels[2] == 255,
          "16 bits");
    tx_image_free(&image);
}

/* All 65536 samples. */
static void sixteen_bits(void)
{
    static unsigned char raw[513];
    for (int high = 0; high < 256; high++) {
        tx_image image;
        for (int low = 0; low < 256; low++) {
            raw[1 + 2 * low] = (unsigned char)high;
            raw[2 + 2 * low] = (unsigned char)low;
        }
        begin(256, 1, 16, 0, 0);
        put_data(raw, sizeof raw, 1000);
        int right = decode(bytes, &image) == TX_OK;
        for (int low = 0; right && low < 256; low++)
            right = image.pixels[low] == (2 * (256 * high + low) + 257) / 514;
        CHECK(right, "samples from %d on are not v / 257 rounded", 256 * high);
        tx_image_free(&image);
    }
}

static void headers(void)
{
    static const struct {
        uint32_t width, height;
        int depth, colour, interlaced;
        const char *what;
    } bad[] = {
        {0, 2, 8, 0, 0, "without pixels"},
        {2, 0, 8, 0, 0, "without pixels"},
        {65536, 4097, 8, 0, 0, "2^28 pixels"},
        {0xffffffff, 0xffffffff, 8, 0, 0, "2^28 pixels"},
        {2, 2, 3, 0, 0, "3 bits a sample"},
        {2, 2, 16, 3, 0, "16 bits a sample in colour type 3"},
        {2, 2, 4, 2, 0, "4 bits a sample in"},
        {2, 2, 2, 4, 0, "2 bits a sample in colour type 4"},
        {2, 2, 1, 6, 0, "1 bits a sample in"},
        {2, 2, 8, 1, 0, "colour type 1"},
        {2, 2, 8, 7, 0, "colour type 7"},
        {2, 2, 0, 0, 0, "0 bits a sample"},
        {2, 2, 8, 0, 2, "interlacing 2"},
        {2, 2, 40, 0, 0, "40 bits a sample"},
        {65536, 4096, 8, 0, 0, "cannot hold 65536 x 4096"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(bad[i].width, bad[i].height, bad[i].depth, bad[i].colour, bad[i].interlaced);
        put_data(small, sizeof small, 1000);
        long before = tx_alloc_count();
        refused(bad[i].what);
        CHECK(tx_alloc_count() - before == 1, "memory is taken before %s", bad[i].what);
    }
    for (int field = 10; field < 12; field++) {
        put_small();
        file[16 + field] = 1;
        sign(8);
        refused(field == 10 ? "compression 1" : "filters 1");
    }
    put_small();
    memcpy(file + 12, "IHDX", 4);
    sign(8);
    refused("first chunk is not IHDR");
    put_small();
    put32(file + 8, 0x80000000);
    refused("at most 2^31 - 1");
}

static void chunks(void)
{
    begin(2, 2, 8, 0, 0);
    put_chunk("IEND", NULL, 0);
    refused("without image data");
    begin(2, 2, 8, 0, 0);
    put_chunk("CgBI", "\0\0\0\0", 4);
    put_data(small, sizeof small, 1000);
    refused("critical chunk 'CgBI'");
    begin(2, 2, 8, 0, 0);
    put_chunk("IHDR", file + 16, 13);
    put_data(small, sizeof small, 1000);
    refused("'IHDR' is not known or stands twice");
    begin(2, 2, 8, 0, 0);
    put_chunk("IDAT", "\x78", 1);
    put_chunk("tEXt", "a\0b", 3);
    put_data(small, sizeof small, 1000);
    refused("goes on behind another chunk");
    put_small();
    for (size_t at = 8; at + 12 <= bytes;) {
        size_t n = (size_t)file[at + 2] << 8 | file[at + 3];
        file[at + 8 + n]++;
        refused("has CRC");
        file[at + 8 + n]--;
        at += 12 + n;
    }
}

static void palettes(void)
{
    static const unsigned char raw[] = {0, 0, 1, 0, 2, 1};
    tx_image image;
    static const size_t bad[] = {0, 4, 771};
    unsigned char colours[780] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    begin(2, 2, 8, 3, 0);
    put_data(raw, sizeof raw, 1000);
    refused("before the palette");
    for (size_t i = 0; i < 3; i++) {
        begin(2, 2, 8, 3, 0);
        put_chunk("PLTE", colours, bad[i]);
        put_data(raw, sizeof raw, 1000);
        refused("a palette of");
    }
    begin(2, 2, 8, 3, 0);
    put_chunk("PLTE", colours, 9);
    put_chunk("PLTE", colours, 9);
    put_data(raw, sizeof raw, 1000);
    refused("the second");
    begin(2, 2, 8, 3, 0);
    put_chunk("PLTE", colours, 6);
    put_data(raw, sizeof raw, 1000);
    refused("colour 2, the palette has 2");
    begin(2, 2, 8, 3, 0);
    put_chunk("PLTE", colours, 9);
    put_data(raw, sizeof raw, 1000);
    CHECK(decode(bytes, &image) == TX_OK && memcmp(image.pixels, "\1\2\3\4\5\6\7\10\11\4\5\6", 12) == 0, "a palette");
    tx_image_free(&image);
}

static void image_data(void)
{
    static const unsigned char odd[] = {0, 10, 20, 5, 20, 20};
    char where[64];
    begin(2, 2, 8, 0, 0);
    put_data(odd, sizeof odd, 1000);
    refused("row 1 has filter 5");
    begin(2, 2, 8, 0, 0);
    put_data(small, 5, 1000);
    refused("image data is missing: it becomes 5 of 6 bytes");
    begin(2, 2, 8, 0, 0);
    put_chunk("IDAT", "\x78\x01\x07", 3);
    put_chunk("IEND", NULL, 0);
    refused("a block of a type that does not exist");
    begin(2, 2, 8, 0, 0);
    put_chunk("IDAT", "\x78\x02\x07", 3);
    put_chunk("IEND", NULL, 0);
    refused("no zlib header");
    /* The byte at fault is the second chunk's first: a stored block's length. */
    begin(2, 2, 8, 0, 0);
    put_chunk("IDAT", "\x78\x01\x01\5\0\1\1", 7);
    size_t second = bytes;
    put_data(small, sizeof small, 1000);
    snprintf(where, sizeof where, "byte %zu: image data: the length of a stored block", second + 8);
    refused(where);
    begin(2, 2, 8, 0, 0);
    put_data(small, sizeof small, 1000);
    file[33 + 8 + 7 + sizeof small]++; /* Adler-32 */
    sign(33);
    refused("Adler-32");
}

/* Whatever is cut or changed, an image or one line that names the byte. */
static void damage(const char *name)
{
    tx_image image;
    char path[256];
    unsigned char *whole;
    size_t n, good = 0, found = 0;
    snprintf(path, sizeof path, "test/pixels/%s", name);
    if (tx_file_read(path, ROOM, &whole, &n)) {
        CHECK(0, "%s", tx_error_message());
        return;
    }
    while (memcmp(whole + n - 8, "IEND", 4))
        n--; /* what follows the image */
    memcpy(file, whole, n);
    for (size_t cut = 8; cut < n; cut++) {
        good += decode(cut, &image) == TX_ERR_FORMAT && !image.pixels &&
                strstr(tx_error_message(), "image data is missing") != NULL;
        tx_image_free(&image);
    }
    CHECK(good == n - 8, "%s: %zu of %zu cut files", name, good, n - 8);
    for (uint64_t k = 0; k < 600; k++) {
        memcpy(file, whole, n);
        size_t at = tx_random_below(1, TX_RANDOM_TEST, 2, 2 * k, (uint32_t)n), chunk = 8;
        file[at] ^= (unsigned char)(1 << tx_random_below(1, TX_RANDOM_TEST, 2, 2 * k + 1, 8));
        while (k % 2 && chunk + 12 <= n) {
            size_t length = (size_t)file[chunk + 2] << 8 | file[chunk + 3];
            if (file[chunk] || file[chunk + 1] || chunk + 12 + length > n)
                break;
            sign(chunk);
            chunk += 12 + length;
        }
        tx_status status = decode(n, &image);
        found += status == TX_OK ? image.pixels != NULL : !image.pixels && strstr(tx_error_message(), "byte ") != NULL;
        tx_image_free(&image);
    }
    CHECK(found == 600, "%s: %zu of 600 damaged files", name, found);
    memcpy(file, whole, n);
    long live = tx_alloc_live(), k = 0;
    for (tx_status status = TX_ERR_MEMORY; status; k++) {
        tx_alloc_fail_after(k);
        status = tx_image_decode(file, n, name, &image);
        tx_alloc_fail_after(-1);
        CHECK(status == TX_OK || (status == TX_ERR_MEMORY && !image.pixels), "%s: allocation %ld", name, k);
        tx_image_free(&image);
        CHECK(tx_alloc_live() == live, "%s: allocation %ld: memory is lost", name, k);
    }
    CHECK(k > 4, "%s: %ld allocations", name, k);
    tx_free(whole);
}

/* The header alone, of a file that ends behind it. */
static void header_alone(void)
{
    int w, h, c;
    for (int colour = 0; colour <= 6; colour += colour == 0 ? 2 : 1) {
        if (colour == 5)
            continue;
        begin(300, 20, 8, colour, 1);
        temp_write(temp_path("h.png"), file, bytes);
        CHECK(tx_image_header(temp_path("h.png"), &w, &h, &c) == TX_OK && w == 300 && h == 20 &&
                  c == (colour == 0 ? 1 : 3),
              "colour type %d", colour);
    }
    temp_write(temp_path("h.png"), file, bytes - 1);
    CHECK(tx_image_header(temp_path("h.png"), &w, &h, &c) == TX_ERR_FORMAT && strstr(tx_error_message(), "byte 32"),
          "%s", tx_error_message());
    CHECK(strcmp(tx_image_format(file, 8), "PNG") == 0 && !tx_image_format(file, 7), "the format");
}

int main(void)
{
    if (!temp_begin())
        return 1;
    accepted();
    sixteen_bits();
    headers();
    chunks();
    palettes();
    image_data();
    header_alone();
    damage("type0-1bit-i.png");
    damage("type2-16bit-i.png");
    damage("type3-4bit.png");
    damage("type6-8bit.png");
    temp_end();
    return test_done("io_png");
}
