/* jpeg_colour.c - from the components' planes to pixels: enlarging what was subsampled, and YCbCr to RGB.
 *
 * A component with half the columns, half the rows, or both is interpolated linearly: sample centres lie a quarter of
 * a sample from the pixels', so a pixel is 3/4 of the nearer and 1/4 of the farther sample, along either axis. Sums
 * round alternately down and up, a pattern of libjpeg's against a drift. Beyond the edges the last sample counts
 * again. All other ratios, and half the columns of two or fewer, repeat samples.
 */
#include "jpeg.h"

#include <string.h>

typedef struct upsampler {
    const jpeg_component *c;
    int h, v; /* pixels a sample */
    int smooth_h, smooth_v;
    int *sums;          /* smooth_v: a row of samples times 4 (c->width) */
    unsigned char *row; /* an output row; h * c->width bytes */
} upsampler;

/* Half the columns: near 3/4, far 1/4. n > 2 samples. */
static void widen(const unsigned char *in, int n, unsigned char *out)
{
    out[0] = in[0];
    out[1] = (unsigned char)((3 * in[0] + in[1] + 2) >> 2);
    for (int x = 1; x < n - 1; x++) {
        int near = 3 * in[x];
        out[2 * x] = (unsigned char)((near + in[x - 1] + 1) >> 2);
        out[2 * x + 1] = (unsigned char)((near + in[x + 1] + 2) >> 2);
    }
    out[2 * n - 2] = (unsigned char)((3 * in[n - 1] + in[n - 2] + 1) >> 2);
    out[2 * n - 1] = in[n - 1];
}

/* The same with rows that already are four times the samples. */
static void widen_sums(const int *in, int n, unsigned char *out)
{
    out[0] = (unsigned char)((4 * in[0] + 8) >> 4);
    out[1] = (unsigned char)((3 * in[0] + in[1] + 7) >> 4);
    for (int x = 1; x < n - 1; x++) {
        int near = 3 * in[x];
        out[2 * x] = (unsigned char)((near + in[x - 1] + 8) >> 4);
        out[2 * x + 1] = (unsigned char)((near + in[x + 1] + 7) >> 4);
    }
    out[2 * n - 2] = (unsigned char)((3 * in[n - 1] + in[n - 2] + 8) >> 4);
    out[2 * n - 1] = (unsigned char)((4 * in[n - 1] + 7) >> 4);
}

/* Row y of the image, of one component. */
static const unsigned char *full_row(const upsampler *u, int y)
{
    const jpeg_component *c = u->c;
    int nearest = y / u->v;
    const unsigned char *in = c->plane + (size_t)nearest * c->stride;
    if (u->smooth_v) {
        int other = nearest + (y & 1 ? 1 : -1);
        other = other < 0 ? 0 : other >= c->height ? c->height - 1 : other;
        const unsigned char *far = c->plane + (size_t)other * c->stride;
        if (!u->smooth_h) {
            int bias = y & 1 ? 2 : 1;
            for (int x = 0; x < c->width; x++)
                u->row[x] = (unsigned char)((3 * in[x] + far[x] + bias) >> 2);
            return u->row;
        }
        for (int x = 0; x < c->width; x++)
            u->sums[x] = 3 * in[x] + far[x];
        widen_sums(u->sums, c->width, u->row);
    } else if (u->smooth_h) {
        widen(in, c->width, u->row);
    } else if (u->h > 1) {
        for (int x = 0; x < c->width; x++)
            memset(u->row + (size_t)x * (size_t)u->h, in[x], (size_t)u->h);
    } else {
        return in;
    }
    return u->row;
}

static tx_status upsampler_begin(upsampler *u, const jpeg *d, const jpeg_component *c)
{
    u->c = c;
    u->h = d->max_h / c->h;
    u->v = d->max_v / c->v;
    u->smooth_h = u->h == 2 && u->v <= 2 && c->width > 2;
    u->smooth_v = u->v == 2 && (u->h == 1 || u->smooth_h);
    u->sums = tx_alloc((size_t)c->width, sizeof *u->sums);
    u->row = tx_alloc((size_t)c->width, (size_t)u->h);
    return u->sums && u->row ? TX_OK : TX_ERR_MEMORY;
}

static inline unsigned char clamp8(int v)
{
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* JFIF 1.02: R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb, Cb and Cr less 128, in 16-bit
 * fixed point. */
static void convert(const unsigned char *y, const unsigned char *cb, const unsigned char *cr, int n, unsigned char *rgb)
{
    enum { HALF = 1 << 15, R_CR = 91881, G_CB = 22554, G_CR = 46802, B_CB = 116130 };
    for (int x = 0; x < n; x++) {
        int luma = y[x], blue = cb[x] - 128, red = cr[x] - 128;
        rgb[3 * x] = clamp8(luma + ((R_CR * red + HALF) >> 16));
        rgb[3 * x + 1] = clamp8(luma + ((HALF - G_CB * blue - G_CR * red) >> 16));
        rgb[3 * x + 2] = clamp8(luma + ((B_CB * blue + HALF) >> 16));
    }
}

static void interleave(const unsigned char *r, const unsigned char *g, const unsigned char *b, int n,
                       unsigned char *rgb)
{
    for (int x = 0; x < n; x++) {
        rgb[3 * x] = r[x];
        rgb[3 * x + 1] = g[x];
        rgb[3 * x + 2] = b[x];
    }
}

static void fill_rgb(const jpeg *d, const upsampler *u, unsigned char *pixels)
{
    for (int y = 0; y < d->height; y++) {
        const unsigned char *a = full_row(&u[0], y), *b = full_row(&u[1], y), *c = full_row(&u[2], y);
        unsigned char *out = pixels + (size_t)y * (size_t)d->width * 3;
        if (d->rgb)
            interleave(a, b, c, d->width, out);
        else
            convert(a, b, c, d->width, out);
    }
}

static unsigned char *colour_pixels(const jpeg *d)
{
    upsampler u[JPEG_COMPONENTS] = {{0}};
    tx_status status = TX_OK;
    for (int i = 0; i < JPEG_COMPONENTS && !status; i++)
        status = upsampler_begin(&u[i], d, &d->component[i]);
    unsigned char *pixels = status ? NULL : tx_alloc((size_t)d->width * (size_t)d->height, 3);
    if (pixels)
        fill_rgb(d, u, pixels);
    for (int i = 0; i < JPEG_COMPONENTS; i++) {
        tx_free(u[i].sums);
        tx_free(u[i].row);
    }
    return pixels;
}

/* The plane with the rows moved together: a grey image needs no second copy. */
static unsigned char *grey_pixels(jpeg *d)
{
    jpeg_component *c = &d->component[0];
    unsigned char *pixels = c->plane;
    for (int y = 1; y < d->height; y++)
        memmove(pixels + (size_t)y * (size_t)d->width, pixels + (size_t)y * c->stride, (size_t)d->width);
    c->plane = NULL;
    return pixels;
}

tx_status tx_jpeg_pixels(jpeg *d, tx_image *out)
{
    unsigned char *pixels = d->components == 1 ? grey_pixels(d) : colour_pixels(d);
    if (!pixels)
        return tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
    out->width = d->width;
    out->height = d->height;
    out->channels = d->components;
    out->pixels = pixels;
    return TX_OK;
}
