/* heat.c - maps of activations as pictures: laid bilinearly over the part of an image that they cover, in colours that go
 * from dark to light as the values rise, so that they are read in grey as well.
 *
 * The colours lie on a line in Oklab (Ottosson, "A perceptual color space for image processing", 2020): lightness rises
 * linearly from 0.30 to 0.95 while the hue turns from violet (300 degrees) by red to yellow (100), at a chroma of 0.16;
 * what lies beyond sRGB is cut to it. Its matrices are those of that article, the curve of sRGB that of IEC 61966-2-1. */
#include "io_private.h"

#include <math.h>
#include <string.h>

static double srgb(double linear)
{
    double v = fmin(fmax(linear, 0), 1);
    return v <= 0.0031308 ? 12.92 * v : 1.055 * tx_pow(v, 1 / 2.4) - 0.055;
}

static unsigned char eight_bits(double v)
{
    return (unsigned char)floor(v * 255 + 0.5);
}

void tx_heat_colour(double t, unsigned char rgb[3])
{
    if (!rgb) {
        tx_fail_null("tx_heat_colour", "room for the colour");
        return;
    }
    t = t > 0 ? fmin(t, 1) : 0; /* what is no number, too */
    double light = 0.30 + 0.65 * t, turn = (300 + 160 * t) / 180, chroma = 0.16;
    double a = chroma * tx_cos_pi(turn), b = chroma * tx_sin_pi(turn);
    double l = light + 0.3963377774 * a + 0.2158037573 * b, m = light - 0.1055613458 * a - 0.0638541728 * b;
    double s = light - 0.0894841775 * a - 1.2914855480 * b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = eight_bits(srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s));
    rgb[1] = eight_bits(srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s));
    rgb[2] = eight_bits(srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

double tx_map_at(const float *map, int rows, int columns, double y, double x)
{
    if (!map || rows < 1 || columns < 1 || !(y == y) || !(x == x)) {
        tx_fail(TX_ERR_ARGUMENT, "tx_map_at: %s of %d x %d at %g, %g", map ? "a map" : "no map", rows, columns, y, x);
        return (double)NAN;
    }
    double v = fmin(fmax(y * rows - 0.5, 0), rows - 1), u = fmin(fmax(x * columns - 0.5, 0), columns - 1);
    int top = (int)v, left = (int)u, below = top + 1 < rows ? top + 1 : top,
        right = left + 1 < columns ? left + 1 : left;
    const float *upper = map + (size_t)top * (size_t)columns, *lower = map + (size_t)below * (size_t)columns;
    double s = u - left, t = v - top;
    double a = (double)upper[left] * (1 - s) + (double)upper[right] * s;
    double b = (double)lower[left] * (1 - s) + (double)lower[right] * s;
    return a * (1 - t) + b * t;
}

/* The picture's own grey (ITU-R BT.601's luma). */
static int grey(const tx_image *image, size_t pixel)
{
    const unsigned char *p = image->pixels + pixel * (size_t)image->channels;
    return image->channels == 3 ? (299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000 : p[0];
}

/* colour over grey; share 0..1. */
static void blend(unsigned char *to, int grey_value, const unsigned char *colour, double share)
{
    for (int c = 0; c < 3; c++)
        to[c] = (unsigned char)floor(grey_value * (1 - share) + colour[c] * share + 0.5);
}

static float largest(const float *map, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++)
        most = map[i] > most ? map[i] : most;
    return most;
}

tx_status tx_heat_overlay(const tx_image *image, const float *map, int rows, int columns, const tx_framing *at,
                          int size, tx_image *out)
{
    static const unsigned char black[3] = {0, 0, 0};
    unsigned char colour[256][3];
    if (!image || !image->pixels || !map || !at || !out)
        return tx_fail_null("tx_heat_overlay", !out ? "room for the picture" : map && at ? "image" : "map");
    memset(out, 0, sizeof *out);
    if (rows < 1 || columns < 1 || size < 1 || at->left < 0 || at->top < 0 || at->left > image->width - size ||
        at->top > image->height - size)
        return tx_fail(TX_ERR_ARGUMENT, "a map of %d x %d over %d pixels from %d, %d of an image of %d x %d", rows,
                       columns, size, at->left, at->top, image->width, image->height);
    size_t pixels = (size_t)image->width * (size_t)image->height;
    float most = largest(map, (size_t)rows * (size_t)columns);
    unsigned char *to = out->pixels = tx_alloc(pixels, 3);
    if (!to)
        return TX_ERR_MEMORY;
    out->width = image->width;
    out->height = image->height;
    out->channels = 3;
    for (int i = 0; i < 256; i++)
        tx_heat_colour(i / 255.0, colour[i]);
    for (size_t i = 0; i < pixels; i++, to += 3) {
        int y = (int)(i / (size_t)image->width) - at->top, x = (int)(i % (size_t)image->width) - at->left;
        if (y < 0 || x < 0 || y >= size || x >= size) {
            blend(to, grey(image, i), black, 0.6);
            continue;
        }
        double v = most > 0 ? tx_map_at(map, rows, columns, (y + 0.5) / size, (x + 0.5) / size) / (double)most : 0;
        v = v > 0 ? v : 0;
        blend(to, grey(image, i), colour[(int)(v * 255 + 0.5)], 0.7 * v);
    }
    return TX_OK;
}
