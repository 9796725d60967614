/* image.c - image files of any format that is known: which one it is, and reading it. */
#define _POSIX_C_SOURCE 200809L
#include "io_private.h"
#include "jpeg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No image of 2^28 pixels needs a larger file. */
#define FILE_LIMIT ((size_t)1 << 31)
enum { HEADER_PIECE = 1 << 14 };
#define EXPECTED "a JPEG, PNG or PNM image"

typedef struct format {
    const char *name;
    int (*is)(const unsigned char *bytes, size_t size);
    tx_status (*decode)(const unsigned char *bytes, size_t size, const char *name, tx_image *out);
    tx_status (*header)(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended);
} format;

static int is_jpeg(const unsigned char *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8;
}

static int is_png(const unsigned char *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static const format formats[] = {{"JPEG", is_jpeg, tx_jpeg_decode, tx_jpeg_header},
                                 {"PNG", is_png, tx_png_decode, tx_png_header},
                                 {"PNM", tx_looks_pnm, tx_pnm_decode, tx_pnm_header}};

static const format *find_format(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].is(bytes, size))
            return &formats[i];
    return NULL;
}

const char *tx_image_format(const unsigned char *bytes, size_t size)
{
    if (!bytes && size > 0) {
        tx_fail_null("tx_image_format", "bytes");
        return NULL;
    }
    const format *f = find_format(bytes, size);
    return f ? f->name : NULL;
}

tx_status tx_image_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out)
{
    if (!out || (!bytes && size > 0))
        return tx_fail_null("tx_image_decode", out ? "bytes" : "room for the image");
    memset(out, 0, sizeof *out);
    const format *f = find_format(bytes, size);
    if (!f)
        return tx_fail_foreign(name ? name : "image", bytes, size, EXPECTED);
    tx_status status = f->decode(bytes, size, name, out);
    if (status)
        tx_image_free(out);
    return status;
}

tx_status tx_image_read(const char *path, tx_image *out)
{
    if (!path || !out)
        return tx_fail_null("tx_image_read", path ? "room for the image" : "path");
    uint64_t sum;
    return tx_image_read_sum(path, out, &sum);
}

tx_status tx_image_read_sum(const char *path, tx_image *out, uint64_t *sum)
{
    unsigned char *bytes;
    size_t size;
    memset(out, 0, sizeof *out);
    *sum = 0;
    tx_status status = tx_file_read(path, FILE_LIMIT, &bytes, &size);
    if (status)
        return status;
    *sum = tx_checksum(bytes, size);
    status = tx_image_decode(bytes, size, path, out);
    tx_free(bytes);
    return status;
}

/* Reads the file piece by piece until the header is in it. */
static tx_status read_header(FILE *file, const char *path, unsigned char **bytes, tx_image *out)
{
    char text[TX_TEXT];
    size_t size = 0, capacity = 0;
    for (;;) {
        int ended = 0;
        tx_status status = tx_grow((void **)bytes, &capacity, size + HEADER_PIECE, 1);
        if (status)
            return status;
        size_t more = fread(*bytes + size, 1, capacity - size, file);
        if (ferror(file))
            return tx_fail(TX_ERR_FILE, "%s: %s", tx_escape(text, sizeof text, path), strerror(errno));
        size += more;
        const format *f = find_format(*bytes, size);
        if (!f)
            return tx_fail_foreign(path, *bytes, size, EXPECTED);
        status = f->header(*bytes, size, path, out, &ended);
        if (!status || !ended || more == 0)
            return status;
        if (size > FILE_LIMIT)
            return tx_fail(TX_ERR_FORMAT, "%s: no image header within %zu bytes", tx_escape(text, sizeof text, path),
                           size);
    }
}

tx_status tx_image_header(const char *path, int *width, int *height, int *channels)
{
    if (!path || !width || !height || !channels)
        return tx_fail_null("tx_image_header", path ? "room for the size" : "path");
    char text[TX_TEXT];
    tx_image found = {0, 0, 0, NULL};
    *width = *height = *channels = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return tx_fail(TX_ERR_FILE, "%s: %s", tx_escape(text, sizeof text, path), strerror(errno));
    unsigned char *bytes = NULL;
    tx_status status = tx_refuse_folder(fileno(file), path, EXPECTED);
    if (!status)
        status = read_header(file, path, &bytes, &found);
    tx_free(bytes);
    fclose(file);
    if (!status) {
        *width = found.width;
        *height = found.height;
        *channels = found.channels;
    }
    return status;
}

void tx_image_free(tx_image *image)
{
    if (!image)
        return;
    tx_free(image->pixels);
    memset(image, 0, sizeof *image);
}
