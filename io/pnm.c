/* pnm.c - the portable bitmaps, greymaps and pixmaps of Netpbm: P1, P2, P3 in text, P4, P5, P6 in bytes.
 *
 * A bitmap's 1 is black. A sample v of a map whose largest is `most` becomes rint(v / most * 255), the product in double, as in
 * Pillow; a sample above it is 255 among bytes (Pillow's rule, too) and an error in text. Samples have two bytes, the higher
 * one first, where most is above 255. Comments go from # to the line's end; one blank follows the header. Of several images
 * in a file the first is read, and what follows it is not looked at. */
#include "io_private.h"

#include <math.h>
#include <string.h>

typedef struct pnm {
    const unsigned char *bytes;
    size_t size, at;
    char name[TX_TEXT];
    int ended; /* the error was that the bytes end */

    int text, bits, channels; /* what the file's second byte says */
    int width, height, most;
} pnm;

static int is_blank(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The file's next byte; of a comment, the end of its line. -1 at the end. */
static int next(pnm *d)
{
    if (d->at < d->size && d->bytes[d->at] == '#')
        while (d->at < d->size && d->bytes[d->at] != '\n' && d->bytes[d->at] != '\r')
            d->at++;
    if (d->at < d->size)
        return d->bytes[d->at++];
    d->ended = 1;
    return -1;
}

/* The next number, 0..high, and the blank behind it, which the end of the file is as good as. */
static tx_status number(pnm *d, const char *what, long high, int *value)
{
    long sum = 0;
    int c = next(d);
    while (is_blank(c))
        c = next(d);
    size_t at = d->at - (c >= 0);
    if (c < 0)
        return tx_fail_byte(d->name, d->size, "the file ends before %s", what);
    for (; c >= '0' && c <= '9'; c = next(d)) {
        sum = sum * 10 + (c - '0');
        if (sum > high)
            return tx_fail_byte(d->name, at, "%s is more than %ld", what, high);
    }
    if (c >= 0 && !is_blank(c))
        return tx_fail_byte(d->name, d->at - 1, "a byte %02x in %s, digits expected", (unsigned)c, what);
    *value = (int)sum;
    return TX_OK;
}

static tx_status read_header(pnm *d)
{
    int kind = d->bytes[1] - '0';
    d->at = 2;
    d->text = kind <= 3;
    d->bits = kind == 1 || kind == 4;
    d->channels = kind == 3 || kind == 6 ? 3 : 1;
    d->most = 1;
    tx_status status = number(d, "the width", INT32_MAX, &d->width);
    if (!status)
        status = number(d, "the height", INT32_MAX, &d->height);
    if (!status && (d->width == 0 || d->height == 0))
        return tx_fail_byte(d->name, 2, "an image without pixels");
    if (!status && (uint64_t)d->width * (uint64_t)d->height > TX_IMAGE_PIXELS)
        return tx_fail_byte(d->name, 2, "%d x %d is more than 2^28 pixels", d->width, d->height);
    if (!status && !d->bits)
        status = number(d, "the largest sample", 65535, &d->most);
    if (!status && d->most == 0)
        return tx_fail_byte(d->name, d->at - 1, "the largest sample is 0");
    return status;
}

/* Samples of a bitmap in text may stand without blanks between. */
static tx_status text_bit(pnm *d, unsigned char *out)
{
    int c = next(d);
    while (is_blank(c))
        c = next(d);
    if (c < 0)
        return tx_fail_byte(d->name, d->size, "image data is missing: the file ends");
    if (c != '0' && c != '1')
        return tx_fail_byte(d->name, d->at - 1, "a byte %02x in a bitmap, 0 or 1 expected", (unsigned)c);
    *out = c == '0' ? 255 : 0;
    return TX_OK;
}

static tx_status read_text(pnm *d, const unsigned char *scaled, unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int value = 0;
        tx_status status = d->bits ? text_bit(d, &out[i]) : number(d, "a sample", d->most, &value);
        if (status)
            return status;
        if (!d->bits)
            out[i] = scaled[value];
    }
    return TX_OK;
}

static void read_bits(const pnm *d, unsigned char *out)
{
    const unsigned char *row = d->bytes + d->at;
    size_t w = (size_t)d->width, bytes = (w + 7) / 8;
    for (size_t y = 0; y < (size_t)d->height; y++, row += bytes)
        for (size_t x = 0; x < w; x++)
            *out++ = row[x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
}

static void read_bytes(const pnm *d, const unsigned char *scaled, unsigned char *out, size_t n)
{
    const unsigned char *p = d->bytes + d->at;
    for (size_t i = 0; i < n; i++) {
        int value = d->most > 255 ? p[2 * i] << 8 | p[2 * i + 1] : p[i];
        out[i] = value > d->most ? 255 : scaled[value];
    }
}

/* The bytes that the image takes in the file, of a text at least. */
static uint64_t least_bytes(const pnm *d, uint64_t n)
{
    if (d->text)
        return d->bits ? n : 2 * n - 1;
    return d->bits ? ((uint64_t)d->width + 7) / 8 * (uint64_t)d->height : d->most > 255 ? 2 * n : n;
}

tx_status tx_pnm_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out)
{
    pnm d = {.bytes = bytes, .size = size};
    tx_escape(d.name, sizeof d.name, name ? name : "image");
    tx_status status = read_header(&d);
    if (status)
        return status;
    uint64_t n = (uint64_t)d.width * (uint64_t)d.height * (uint64_t)d.channels, least = least_bytes(&d, n);
    if (size - d.at < least)
        return tx_fail_byte(d.name, size, "image data is missing: %zu bytes of at least %llu", size - d.at,
                            (unsigned long long)least);
    unsigned char *scaled = tx_alloc((size_t)d.most + 1, 1);
    *out = (tx_image){d.width, d.height, d.channels, NULL};
    out->pixels = tx_alloc((size_t)d.width * (size_t)d.height, (size_t)d.channels);
    if (!scaled || !out->pixels)
        status = tx_fail_within(TX_ERR_MEMORY, "%s", d.name);
    for (int v = 0; !status && v <= d.most; v++)
        scaled[v] = (unsigned char)rint((double)v / d.most * 255);
    if (!status && d.text)
        status = read_text(&d, scaled, out->pixels, (size_t)n);
    else if (!status && d.bits)
        read_bits(&d, out->pixels);
    else if (!status)
        read_bytes(&d, scaled, out->pixels, (size_t)n);
    tx_free(scaled);
    return status;
}

tx_status tx_pnm_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended)
{
    pnm d = {.bytes = bytes, .size = size};
    tx_escape(d.name, sizeof d.name, name ? name : "image");
    tx_status status = read_header(&d);
    *out = (tx_image){d.width, d.height, d.channels, NULL};
    *ended = d.ended;
    return status;
}
