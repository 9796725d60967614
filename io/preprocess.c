/* preprocess.c - from a decoded image to the floats that a network reads. */
#include "io_private.h"
#include "loader_private.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* "a,b,c" up to `end`, where the next character must be `stop`. */
static int parse_three(const char *text, char stop, double out[3], const char **end)
{
    char piece[64];
    for (int i = 0; i < 3; i++) {
        char last = i < 2 ? ',' : stop;
        size_t n = 0;
        while (text[n] && text[n] != last)
            n++;
        if (n >= sizeof piece || text[n] != last)
            return -1;
        memcpy(piece, text, n);
        piece[n] = 0;
        if (tx_number_parse(piece, &out[i]))
            return -1;
        text += n + (last != 0);
    }
    *end = text;
    return 0;
}

tx_status tx_normalize_parse(const char *text, tx_normalize *out)
{
    if (!text || !out)
        return tx_fail_null("tx_normalize_parse", text ? "room for the numbers" : "text");
    static const struct {
        const char *name;
        tx_normalize value;
    } preset[] = {
        {"imagenet", {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, 0}},
        {"chexpert", {{0.5020, 0.5020, 0.5020}, {0.085585, 0.085585, 0.085585}, 0}},
        {"half", {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, 0}},
        {"xrv", {{0.5, 0.5, 0.5}, {0x1p-11, 0x1p-11, 0x1p-11}, 1}},
        {"none", {{0, 0, 0}, {1, 1, 1}, 0}},
    };
    for (size_t i = 0; i < sizeof preset / sizeof *preset; i++)
        if (strcmp(text, preset[i].name) == 0) {
            *out = preset[i].value;
            return TX_OK;
        }
    const char *p = text;
    tx_normalize v = {.xrv = 0};
    if (parse_three(p, '/', v.mean, &p) == 0 && parse_three(p, 0, v.std, &p) == 0 && v.std[0] > 0 && v.std[1] > 0 &&
        v.std[2] > 0) {
        *out = v;
        return TX_OK;
    }
    char found[TX_TEXT];
    return tx_fail(TX_ERR_ARGUMENT,
                   "normalisation '%s', expected imagenet, chexpert, half, xrv, none or M,M,M/S,S,S with S > 0",
                   tx_escape(found, sizeof found, text));
}

tx_status tx_resize_parse(const char *text, tx_preprocess *how)
{
    if (!text || !how)
        return tx_fail_null("tx_resize_parse", text ? "room for it" : "text");
    char found[TX_TEXT];
    int64_t shorter = 0;
    int stretch = strcmp(text, "stretch") == 0, equals = strncmp(text, "short=", 6) == 0;
    if (equals && tx_integer_parse(text + 6, &shorter))
        shorter = -1;
    if ((!stretch && !equals && strcmp(text, "short") != 0) || (equals && (shorter < 1 || shorter > TX_SIZE_MAX)))
        return tx_fail(TX_ERR_ARGUMENT, "resizing '%s', expected short, short=N with N of 1 to %d, or stretch",
                       tx_escape(found, sizeof found, text), (int)TX_SIZE_MAX);
    how->stretch = stretch;
    how->shorter = (int)shorter;
    return TX_OK;
}

int tx_preprocess_channels(const tx_preprocess *how)
{
    if (!how)
        tx_fail_null("tx_preprocess_channels", "description");
    return !how ? 0 : how->channels ? how->channels : 3;
}

/* Whether all channels are normalised alike. */
static int one_for_all(const tx_normalize *n)
{
    return n->mean[0] == n->mean[1] && n->mean[0] == n->mean[2] && n->std[0] == n->std[1] && n->std[0] == n->std[2];
}

tx_status tx_preprocess_check(const tx_preprocess *how)
{
    if (!how)
        return tx_fail_null("preprocessing", "description");
    int channels = tx_preprocess_channels(how);
    if (channels != 1 && channels != 3)
        return tx_fail(TX_ERR_ARGUMENT, "images of %d channels, expected 1 or 3", channels);
    if (how->size < 1 || how->size > TX_SIZE_MAX)
        return tx_fail(TX_ERR_ARGUMENT, "size %d, expected 1 to %d", how->size, (int)TX_SIZE_MAX);
    if (how->shorter && (how->shorter < how->size || how->shorter > TX_SIZE_MAX))
        return tx_fail(TX_ERR_ARGUMENT, "the shorter side becomes %d, expected the size %d to %d", how->shorter,
                       how->size, (int)TX_SIZE_MAX);
    for (int c = 0; c < 3; c++)
        if (!(how->normalize.std[c] > 0) || !isfinite(how->normalize.std[c]) || !isfinite(how->normalize.mean[c]))
            return tx_fail(TX_ERR_ARGUMENT, "mean %g, standard deviation %g, expected numbers, the second above 0",
                           how->normalize.mean[c], how->normalize.std[c]);
    if (channels == 1 && !one_for_all(&how->normalize))
        return tx_fail(TX_ERR_ARGUMENT, "a mean and a deviation for each of three channels, but the network takes one: "
                                        "expected xrv, chexpert, half, none or three equal numbers");
    if ((int)how->interpolation < TX_NEAREST || how->interpolation > TX_LANCZOS)
        return tx_fail(TX_ERR_ARGUMENT, "filter number %d is not known", (int)how->interpolation);
    return TX_OK;
}

/* extra / 2 rounded half to even, as Python's round does in torchvision's CenterCrop. */
static int centre(int extra)
{
    int half = extra / 2;
    return half + (extra % 2 && half % 2);
}

tx_status tx_preprocess_frame(const tx_preprocess *how, int width, int height, tx_framing *framing)
{
    if (tx_preprocess_check(how))
        return TX_ERR_ARGUMENT;
    if (!framing)
        return tx_fail_null("tx_preprocess_frame", "room for the framing");
    if (width < 1 || height < 1)
        return tx_fail(TX_ERR_ARGUMENT, "an image of %d x %d pixels", width, height);
    int64_t size = how->size, side = how->shorter && !how->stretch ? how->shorter : size, w = side, h = side;
    if (!how->stretch && width < height)
        h = side * height / width;
    else if (!how->stretch)
        w = side * width / height;
    if (w > INT_MAX || h > INT_MAX || (uint64_t)w * (uint64_t)h > TX_IMAGE_PIXELS)
        return tx_fail(TX_ERR_FORMAT, "%d x %d pixels would become %lld x %lld, more than 2^28", width, height,
                       (long long)w, (long long)h);
    *framing = (tx_framing){(int)w, (int)h, centre((int)(w - size)), centre((int)(h - size)), width, height};
    return TX_OK;
}

/* The red of a coloured image or its luma, ITU-R BT.601's. */
static tx_status make_grey(tx_image *image, int red)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    const unsigned char *p = image->pixels;
    unsigned char *grey = tx_alloc(pixels, 1);
    if (!grey)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < pixels; i++, p += 3)
        grey[i] = red ? p[0] : tx_luma(p);
    tx_free(image->pixels);
    image->pixels = grey;
    image->channels = 1;
    return TX_OK;
}

tx_status tx_preprocess_read(const tx_preprocess *how, const char *path, tx_image *out, tx_framing *framing,
                             uint64_t *sum)
{
    tx_image image;
    tx_status status = tx_image_read_sum(path, &image, sum);
    if (status)
        return status;
    if (tx_preprocess_channels(how) == 1 && image.channels == 3)
        status = make_grey(&image, how->normalize.xrv);
    if (status == TX_OK)
        status = tx_preprocess_frame(how, image.width, image.height, framing);
    if (status == TX_OK && framing->width == image.width && framing->height == image.height) {
        *out = image;
        return TX_OK;
    }
    if (status == TX_OK)
        status = tx_image_resize(&image, framing->width, framing->height, how->interpolation, out);
    if (status) {
        char text[TX_TEXT];
        tx_fail_within(status, "%s", tx_escape(text, sizeof text, path));
    }
    tx_image_free(&image);
    return status;
}

void tx_pixel_table_make(const tx_normalize *normalize, tx_pixel_table *table)
{
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            table->value[c][v] = normalize->xrv ? (2 * ((float)v / 255) - 1) * 1024
                                                : (float)((v / 255.0 - normalize->mean[c]) / normalize->std[c]);
}

static void crop_grey(const tx_image *image, const tx_pixel_table *table, int left, int top, int size, float *pixels)
{
    size_t side = (size_t)size;
    for (size_t y = 0; y < side; y++) {
        const unsigned char *in = image->pixels + ((size_t)top + y) * (size_t)image->width + (size_t)left;
        for (size_t x = 0; x < side; x++)
            pixels[y * side + x] = table->value[0][in[x]];
    }
}

void tx_pixels_crop(const tx_image *image, const tx_pixel_table *table, int left, int top, const tx_preprocess *how,
                    float *pixels)
{
    if (tx_preprocess_channels(how) == 1) {
        crop_grey(image, table, left, top, how->size, pixels);
        return;
    }
    size_t channels = (size_t)image->channels, side = (size_t)how->size;
    size_t second = channels == 3 ? 1 : 0, third = channels == 3 ? 2 : 0;
    const float *red = table->value[0], *green = table->value[1], *blue = table->value[2];
    for (size_t y = 0; y < side; y++) {
        const unsigned char *in = image->pixels + (((size_t)top + y) * (size_t)image->width + (size_t)left) * channels;
        float *out = pixels + y * side * 3;
        for (size_t x = 0; x < side; x++, in += channels, out += 3) {
            out[0] = red[in[0]];
            out[1] = green[in[second]];
            out[2] = blue[in[third]];
        }
    }
}

/* picture may be NULL. */
static tx_status preprocess(const tx_preprocess *how, const char *path, float *pixels, tx_framing *framing,
                            tx_image *picture)
{
    tx_framing place;
    tx_image image;
    uint64_t sum;
    tx_status status = tx_preprocess_check(how);
    if (status == TX_OK)
        status = tx_preprocess_read(how, path, &image, &place, &sum);
    if (status)
        return status;
    tx_pixel_table table;
    tx_pixel_table_make(&how->normalize, &table);
    tx_pixels_crop(&image, &table, place.left, place.top, how, pixels);
    if (picture)
        *picture = image;
    else
        tx_image_free(&image);
    if (framing)
        *framing = place;
    return TX_OK;
}

tx_status tx_preprocess_file(const tx_preprocess *how, const char *path, float *pixels, tx_framing *framing)
{
    if (!path || !pixels)
        return tx_fail_null("tx_preprocess_file", path ? "room for the pixels" : "path");
    return preprocess(how, path, pixels, framing, NULL);
}

tx_status tx_preprocess_picture(const tx_preprocess *how, const char *path, float *pixels, tx_framing *framing,
                                tx_image *picture)
{
    if (!path || !pixels || !picture)
        return tx_fail_null("tx_preprocess_picture", !path ? "path" : pixels ? "picture" : "room for the pixels");
    memset(picture, 0, sizeof *picture);
    return preprocess(how, path, pixels, framing, picture);
}
