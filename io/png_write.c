/* png_write.c - PNG images of 8 bits a sample, grey or RGB (W3C Recommendation "PNG Specification", third edition).
 *
 * Each row is filtered in that way of the five whose bytes, taken as signed numbers, have the least sum of absolute values
 * (12.7 there), the first of equal ones. */
#include "deflate.h"
#include "inflate.h"

#include <stdlib.h>
#include <string.h>

enum { FILTERS = 5, PIECE = 1 << 30 };

/* A prediction from the bytes left of a byte, above it, and left of that one (9.4). */
static int paeth(int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* A row of n bytes less what filter k predicts; above: the row before it, NULL for the first. Returns the sum of absolute
 * values. */
static uint64_t filter_row(int k, const unsigned char *row, const unsigned char *above, size_t n, size_t channels,
                           unsigned char *to)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int a = i < channels ? 0 : row[i - channels], b = above ? above[i] : 0;
        int c = above && i >= channels ? above[i - channels] : 0;
        int guess = k == 0 ? 0 : k == 1 ? a : k == 2 ? b : k == 3 ? (a + b) / 2 : paeth(a, b, c);
        to[i] = (unsigned char)(row[i] - guess);
        sum += to[i] < 128 ? to[i] : 256u - to[i];
    }
    return sum;
}

/* Every row with the number of its filter before it; the caller's. */
static unsigned char *filter_image(const tx_image *image, size_t *size)
{
    size_t channels = (size_t)image->channels, n = (size_t)image->width * channels, rows = (size_t)image->height;
    *size = rows * (n + 1);
    unsigned char *all = tx_alloc(*size, 1), *tried = tx_alloc(n, 1);
    for (size_t y = 0; all && tried && y < rows; y++) {
        const unsigned char *row = image->pixels + y * n, *above = y ? row - n : NULL;
        unsigned char *to = all + y * (n + 1);
        uint64_t least = UINT64_MAX;
        for (int k = 0; k < FILTERS; k++) {
            uint64_t sum = filter_row(k, row, above, n, channels, tried);
            if (sum >= least)
                continue;
            least = sum;
            to[0] = (unsigned char)k;
            memcpy(to + 1, tried, n);
        }
    }
    if (!tried) {
        tx_free(all);
        all = NULL;
    }
    tx_free(tried);
    return all;
}

static void big_endian(unsigned char *to, uint32_t v)
{
    to[0] = (unsigned char)(v >> 24);
    to[1] = (unsigned char)(v >> 16);
    to[2] = (unsigned char)(v >> 8);
    to[3] = (unsigned char)v;
}

/* Length, name, data, CRC-32 of name and data (5.3). */
static unsigned char *add_chunk(unsigned char *to, const char *name, const unsigned char *data, size_t size)
{
    big_endian(to, (uint32_t)size);
    memcpy(to + 4, name, 4);
    if (size)
        memcpy(to + 8, data, size);
    big_endian(to + 8 + size, tx_crc32(0, to + 4, size + 4));
    return to + 12 + size;
}

static tx_status check_image(const tx_image *image)
{
    if (image->width < 1 || image->height < 1 || (image->channels != 1 && image->channels != 3))
        return tx_fail(TX_ERR_ARGUMENT, "a PNG image of %d x %d pixels of %d channels, expected 1 or 3", image->width,
                       image->height, image->channels);
    if ((size_t)image->width > TX_IMAGE_PIXELS / (size_t)image->height)
        return tx_fail(TX_ERR_ARGUMENT, "a PNG image of %d x %d pixels, more than 2^28", image->width, image->height);
    return TX_OK;
}

static tx_status assemble(const tx_image *image, const unsigned char *data, size_t n, unsigned char **bytes,
                          size_t *size)
{
    unsigned char head[13] = {0};
    *size = 8 + 25 + n + 12 * (n / PIECE + 1) + 12;
    *bytes = tx_alloc(*size, 1);
    if (!*bytes)
        return TX_ERR_MEMORY;
    big_endian(head, (uint32_t)image->width);
    big_endian(head + 4, (uint32_t)image->height);
    head[8] = 8;
    head[9] = image->channels == 3 ? 2 : 0;
    memcpy(*bytes, "\x89PNG\r\n\x1a\n", 8);
    unsigned char *to = add_chunk(*bytes + 8, "IHDR", head, sizeof head);
    for (size_t at = 0; at <= n; at += PIECE)
        to = add_chunk(to, "IDAT", data + at, n - at < PIECE ? n - at : PIECE);
    to = add_chunk(to, "IEND", NULL, 0);
    *size = (size_t)(to - *bytes);
    return TX_OK;
}

tx_status tx_png_encode(const tx_image *image, unsigned char **bytes, size_t *size)
{
    if (!image || !image->pixels || !bytes || !size)
        return tx_fail_null("tx_png_encode", image && image->pixels ? "room for the bytes" : "image");
    *bytes = NULL;
    *size = 0;
    tx_status status = check_image(image);
    if (status)
        return status;
    size_t rows, n = 0;
    unsigned char *filtered = filter_image(image, &rows), *data = NULL;
    status = filtered ? tx_zlib_deflate(filtered, rows, &data, &n) : TX_ERR_MEMORY;
    tx_free(filtered);
    if (status == TX_OK)
        status = assemble(image, data, n, bytes, size);
    tx_free(data);
    return status;
}

tx_status tx_png_write(const char *path, const tx_image *image)
{
    unsigned char *bytes;
    size_t size;
    if (!path)
        return tx_fail_null("tx_png_write", "path");
    tx_status status = tx_png_encode(image, &bytes, &size);
    if (status)
        return status;
    tx_writer *w = tx_writer_open(path);
    if (w)
        tx_writer_bytes(w, bytes, size);
    tx_free(bytes);
    return w ? tx_writer_commit(w) : tx_error_status();
}
