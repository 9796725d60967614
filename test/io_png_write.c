/* io_png_write.c - images and arrays that are written: PNG read back by the reader and taken apart by hand, DEFLATE inflated
 * again over all kinds of data, .npy byte by byte, colours and overlays by what they promise, every allocation failing. */
#define _POSIX_C_SOURCE 200809L
#include "../io/deflate.h"
#include "../io/inflate.h"
#include "io_temp.h"
#include "test.h"

#include <math.h>

/* ---- DEFLATE */

/* Data of a kind: zeros, noise, few symbols, runs, repetitions near and far, noise with runs, rare symbols among many of one. */
static void fill(unsigned char *to, size_t size, int kind)
{
    for (size_t i = 0; i < size; i++) {
        unsigned r = (unsigned)(temp_random() >> 40);
        to[i] = (unsigned char)(kind == 0   ? 0
                                : kind == 1 ? r
                                : kind == 2 ? r % 3
                                : kind == 3 ? i / 7 % 251
                                : kind == 4 ? (i > 100 && r % 50 ? to[i - 100] : r)
                                : kind == 5 ? (i >= 32768 ? to[i - 32768] : r)
                                : kind == 6 ? (i % 40000 < 5 ? i : r)
                                            : (r & 1      ? 0
                                               : r & 2    ? 1
                                               : r & 4    ? 2
                                               : r & 1024 ? 3
                                                          : r >> 11));
    }
}

static void check_one(size_t size, int kind, size_t least, size_t most)
{
    unsigned char *data = tx_alloc(size + 1, 1), *back = tx_alloc(size + 1, 1), *packed = NULL;
    size_t made = 0;
    tx_inflated how = {0};
    fill(data, size, kind);
    CHECK(tx_zlib_deflate(data, size, &packed, &made) == TX_OK, "%s", tx_error_message());
    CHECK(tx_zlib_inflate(packed, made, back, size, &how) == TX_OK && how.made == size && how.used == made,
          "%zu bytes of kind %d do not come back: %s", size, kind, how.what ? how.what : "another length");
    CHECK(memcmp(data, back, size) == 0, "%zu bytes of kind %d come back as others", size, kind);
    CHECK(made >= least && made <= most, "%zu bytes of kind %d become %zu, expected %zu to %zu", size, kind, made,
          least, most);
    tx_free(data);
    tx_free(back);
    tx_free(packed);
}

static void check_deflate(void)
{
    for (int kind = 0; kind < 8; kind++)
        for (size_t size = 0; size < 70000; size = size < 20 ? size + 1 : size * 5 / 2)
            check_one(size, kind, 8, size + size / 1000 + 20);
    for (size_t size = 256; size < 262; size++)
        check_one(size, 0, 10, 13);
    check_one(100000, 0, 100, 130);
    check_one(100000, 1, 100000, 100041);
    check_one(65536, 1, 65536, 65562);
    check_one(100000, 2, 20000, 25500); /* log2(3) bits each: 19812 bytes */
    check_one(100000, 5, 32768, 34500); /* the furthest that a repetition may reach */
    check_one(100000, 7, 20000, 40000);
}

/* Counts that grow as Fibonacci's numbers would make codes of more than 15 bits. */
static void check_long_codes(void)
{
    size_t size = 0, at = 0, made;
    unsigned count[21] = {1, 1};
    for (int i = 0; i < 21; i++) {
        count[i] = i < 2 ? 1 : count[i - 1] + count[i - 2];
        size += count[i];
    }
    unsigned char *data = tx_alloc(size, 1), *back = tx_alloc(size, 1), *packed;
    for (int i = 0; i < 21; i++)
        for (unsigned k = 0; k < count[i]; k++)
            data[at++] = (unsigned char)(i * 11);
    for (size_t i = size - 1; i > 0; i--) { /* so that nothing is repeated for long */
        size_t j = temp_random() % (i + 1);
        unsigned char c = data[i];
        data[i] = data[j];
        data[j] = c;
    }
    tx_inflated how;
    CHECK(tx_zlib_deflate(data, size, &packed, &made) == TX_OK &&
              tx_zlib_inflate(packed, made, back, size, &how) == TX_OK && memcmp(data, back, size) == 0,
          "codes that are too long");
    tx_free(data);
    tx_free(back);
    tx_free(packed);
}

/* ---- PNG */

/* Images of each filter's taste: flat, gradients in either direction, both, noise. */
static tx_image picture(int width, int height, int channels, int kind)
{
    tx_image image = {width, height, channels, tx_alloc((size_t)width * (size_t)height * (size_t)channels, 1)};
    for (int y = 0, i = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++, i++)
                image.pixels[i] = (unsigned char)(kind == 0   ? 77
                                                  : kind == 1 ? 3 * x + c
                                                  : kind == 2 ? 5 * y + 9 * c
                                                  : kind == 3 ? x * y + 40 * c
                                                              : (int)(temp_random() & 255));
    return image;
}

static uint32_t big(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* CRC-32 a bit at a time. */
static uint32_t crc_of(const unsigned char *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

/* The chunks are IHDR, IDAT, IEND, their checksums hold, and the header says what the image is. */
static void check_chunks(const unsigned char *file, size_t size, const tx_image *image)
{
    static const char *const names[] = {"IHDR", "IDAT", "IEND"};
    size_t at = 8;
    for (int k = 0; k < 3; k++) {
        size_t n = big(file + at);
        int sound = at + 12 + n <= size && memcmp(file + at + 4, names[k], 4) == 0 &&
                    big(file + at + 8 + n) == crc_of(file + at + 4, n + 4);
        CHECK(sound, "%s of %d x %d is damaged", names[k], image->width, image->height);
        at += 12 + n;
    }
    CHECK(at == size, "%zu bytes behind IEND", size - at);
    CHECK(big(file + 16) == (uint32_t)image->width && big(file + 20) == (uint32_t)image->height && file[24] == 8 &&
              file[25] == (image->channels == 3 ? 2 : 0) && !file[26] && !file[27] && !file[28],
          "the header of %d x %d x %d", image->width, image->height, image->channels);
}

static void check_picture(int width, int height, int channels, int kind)
{
    tx_image image = picture(width, height, channels, kind), back;
    unsigned char *bytes, *again;
    size_t size, n, count = (size_t)width * (size_t)height * (size_t)channels;
    CHECK(tx_png_encode(&image, &bytes, &size) == TX_OK && tx_png_encode(&image, &again, &n) == TX_OK, "%s",
          tx_error_message());
    CHECK(n == size && memcmp(bytes, again, n) == 0, "the same image becomes other bytes");
    check_chunks(bytes, size, &image);
    CHECK(tx_image_decode(bytes, size, "image", &back) == TX_OK, "%s", tx_error_message());
    CHECK(back.width == width && back.height == height && back.channels == channels &&
              memcmp(back.pixels, image.pixels, count) == 0,
          "%d x %d x %d of kind %d comes back as another image", width, height, channels, kind);
    CHECK(kind >= 3 || width < 100 || size < count / 10, "%zu bytes of %zu for a picture of kind %d", size, count,
          kind);
    tx_image_free(&image);
    tx_image_free(&back);
    tx_free(bytes);
    tx_free(again);
}

static void check_png(void)
{
    static const int sides[][2] = {{1, 1}, {1, 9}, {9, 1}, {3, 2}, {61, 40}, {200, 131}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        for (int kind = 0; kind < 5; kind++) {
            check_picture(sides[i][0], sides[i][1], 1, kind);
            check_picture(sides[i][0], sides[i][1], 3, kind);
        }
    tx_image image = picture(20, 10, 3, 3), back;
    const char *path = temp_path("a.png");
    CHECK(tx_png_write(path, &image) == TX_OK && tx_image_read(path, &back) == TX_OK &&
              memcmp(back.pixels, image.pixels, 600) == 0,
          "%s", tx_error_message());
    tx_image_free(&image);
    tx_image_free(&back);
}

/* ---- .npy */
static void check_npy(void)
{
    static const float values[] = {1.0f, -2.5f, 0, 1e-40f, 3e38f, 0.1f};
    static const unsigned char first[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0};
    unsigned char *file;
    size_t size;
    CHECK(tx_npy_write(temp_path("a.npy"), values, 2, 3) == TX_OK &&
              tx_file_read(temp_path("a.npy"), 1 << 16, &file, &size) == TX_OK,
          "%s", tx_error_message());
    CHECK(size == 128 + 24 && memcmp(file, "\x93NUMPY\x01\x00\x76\x00", 10) == 0, "an array's head of %zu bytes", size);
    CHECK(memcmp(file + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ", 60) == 0 &&
              file[127] == '\n',
          "an array's description: %.60s", file + 10);
    CHECK(memcmp(file + 128, first, sizeof first) == 0, "an array's numbers");
    tx_free(file);
}

/* ---- colours */

/* CIE lightness of a colour of sRGB. */
static double lightness(const unsigned char rgb[3])
{
    static const double share[3] = {0.2126, 0.7152, 0.0722};
    double y = 0;
    for (int c = 0; c < 3; c++) {
        double v = rgb[c] / 255.0;
        y += share[c] * (v <= 0.04045 ? v / 12.92 : tx_pow((v + 0.055) / 1.055, 2.4));
    }
    return 116 * tx_pow(y, 1 / 3.0) - 16;
}

static void check_colours(void)
{
    unsigned char rgb[3], low[3], high[3];
    double before = -1;
    for (int i = 0; i <= 40; i++) {
        tx_heat_colour(i / 40.0, rgb);
        double light = lightness(rgb);
        CHECK(light > before + 0.5, "colour %d of 40 is not lighter than the one before: %g after %g", i, light,
              before);
        before = light;
    }
    tx_heat_colour(0, rgb);
    tx_heat_colour(-3, low);
    tx_heat_colour((double)NAN, high);
    CHECK(memcmp(rgb, low, 3) == 0 && memcmp(rgb, high, 3) == 0, "colours below the ramp");
    tx_heat_colour(1, rgb);
    tx_heat_colour(7, high);
    CHECK(memcmp(rgb, high, 3) == 0 && rgb[0] > 200 && rgb[1] > 200 && rgb[2] < 160, "the ramp's end: %d %d %d", rgb[0],
          rgb[1], rgb[2]);
}

static void check_interpolation(void)
{
    static const float map[] = {0, 1, 2, 10, 11, 14};
    static const struct {
        double y, x, want;
    } cases[] = {{0.25, 0.5, 1}, {0.75, 5 / 6.0, 14}, {0.5, 1 / 6.0, 5}, {0.5, 2 / 3.0, 7},
                 {0, 0, 0},      {1, 1, 14},          {-4, 9, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double got = tx_map_at(map, 2, 3, cases[i].y, cases[i].x);
        CHECK(fabs(got - cases[i].want) < 1e-12, "at %g, %g: %g, expected %g", cases[i].y, cases[i].x, got,
              cases[i].want);
    }
}

/* A map with its maximum in one corner, over the square at 3, 1 of a grey image of 12 x 9. */
static void check_overlay(void)
{
    tx_image image = picture(12, 9, 1, 0), out;
    static const float map[] = {4, -1, -2, -3}, none[] = {-1, -2, 0, -3};
    tx_framing at = {12, 9, 3, 1, 12, 9};
    unsigned char top[3];
    tx_heat_colour(1, top);
    CHECK(tx_heat_overlay(&image, map, 2, 2, &at, 8, &out) == TX_OK && out.channels == 3 && out.width == 12 &&
              out.height == 9,
          "%s", tx_error_message());
    const unsigned char *corner = out.pixels + (1 * 12 + 3) * 3, *far = out.pixels + (8 * 12 + 10) * 3;
    for (int c = 0; c < 3; c++) {
        CHECK(corner[c] == (unsigned char)floor(0.3 * 77 + 0.7 * top[c] + 0.5), "the maximum is %d, channel %d",
              corner[c], c);
        CHECK(far[c] == 77, "where the map is negative there is %d", far[c]);
        CHECK(out.pixels[c] == 31, "beyond the square there is %d", out.pixels[c]);
    }
    tx_image_free(&out);
    CHECK(tx_heat_overlay(&image, none, 2, 2, &at, 8, &out) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < 3; i++)
        CHECK(out.pixels[(1 * 12 + 3) * 3 + i] == 77, "a map without a positive value has colour");
    tx_image_free(&out);
    tx_image_free(&image);
}

/* ---- memory */
static void check_memory(void)
{
    static const float map[] = {4, -1, -2, -3};
    tx_framing at = {40, 30, 0, 0, 40, 30};
    tx_image image = picture(40, 30, 3, 4), out;
    int left = 0;
    for (long n = 0; n < 60; n++) {
        unsigned char *bytes = NULL;
        size_t size;
        tx_alloc_fail_after(n);
        tx_status a = tx_png_encode(&image, &bytes, &size), b = tx_png_write(temp_path("full.png"), &image);
        tx_status c = tx_heat_overlay(&image, map, 2, 2, &at, 30, &out),
                  d = tx_npy_write(temp_path("full.npy"), map, 2, 2);
        tx_alloc_fail_after(-1);
        CHECK(a == TX_OK || (a == TX_ERR_MEMORY && !bytes), "encoding without memory: %d", a);
        left = a || b || c || d;
        tx_free(bytes);
        tx_image_free(&out);
    }
    CHECK(!left && tx_path_exists(temp_path("full.png")), "sixty allocations do not do");
    tx_image_free(&image);
}

int main(void)
{
    if (!temp_begin())
        return 1;
    check_deflate();
    check_long_codes();
    check_png();
    check_npy();
    check_colours();
    check_interpolation();
    check_overlay();
    check_memory();
    temp_end();
    return test_done("io_png_write");
}
