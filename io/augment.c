/* augment.c - training images, each a little changed: a pure function of (seed, epoch, image) and of the resized image.
 *
 * The order is turn and scale, crop, flip, brightness, contrast. u_k is draw 8 * image + k of TX_RANDOM_AUGMENT at step epoch,
 * whatever else is asked for, and v_k = 2 u_k - 1:
 *
 *     flip                 where u_0 < 1/2, left and right change places
 *     angle                v_1 * rotate degrees, counter-clockwise
 *     factors of size, brightness, contrast     1 + v_2 * scale, 1 + v_3 * brightness, 1 + v_4 * contrast
 *
 * Turn and scale are one bilinear pass about the resized image's middle, taken only where the crop looks. A pixel at distance d
 * from the middle shows what is at R(-angle) d / factor, in steps of 2^-29 of a pixel, computed in integers from the sine and
 * the cosine. The four pixels around it are weighted in steps of 2^-11, those outside are 0, and a half is rounded up.
 * Brightness and contrast are Pillow's ImageEnhance: p becomes c + factor * (p - c) in float, cut to 0..255, its fraction
 * dropped; c is 0 or, for contrast, the mean of the crop's luma (ITU-R BT.601, of 8 bits) with a half rounded up. */
#include "loader_private.h"

#include <math.h>
#include <string.h>

enum { DRAWS = 8, UNIT = 28, WEIGHT = 11 };

static const struct {
    const char *name;
    size_t at; /* of its number in tx_augment */
    double most;
} kinds[] = {{"rotate", offsetof(tx_augment, rotate), 180},
             {"scale", offsetof(tx_augment, scale), 0.9},
             {"brightness", offsetof(tx_augment, brightness), 1},
             {"contrast", offsetof(tx_augment, contrast), 1}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static double *number_of(tx_augment *a, int kind)
{
    return (double *)(void *)((char *)a + kinds[kind].at);
}

/* One item of the list: 0, or -1 if it is none or stands there twice. */
static int take(tx_augment *a, const char *item)
{
    if (strcmp(item, "flip") == 0 && !a->flip) {
        a->flip = 1;
        return 0;
    }
    for (int k = 0; k < KINDS; k++) {
        size_t n = strlen(kinds[k].name);
        double *number = number_of(a, k), value;
        if (strncmp(item, kinds[k].name, n) || item[n] != '=' || *number > 0)
            continue;
        if (tx_number_parse(item + n + 1, &value) || !(value > 0) || value > kinds[k].most)
            return -1;
        *number = value;
        return 0;
    }
    return -1;
}

tx_status tx_augment_parse(const char *text, tx_augment *out)
{
    if (!text || !out)
        return tx_fail_null("tx_augment_parse", text ? "room for the numbers" : "text");
    char item[64], found[TX_TEXT];
    tx_augment a = {0};
    int bad = 0;
    memset(out, 0, sizeof *out);
    if (strcmp(text, "none") == 0)
        return TX_OK;
    for (const char *p = text; p && !bad;) {
        size_t n = strcspn(p, ",");
        bad = n >= sizeof item;
        if (!bad) {
            memcpy(item, p, n);
            item[n] = 0;
            bad = take(&a, item) != 0;
        }
        p = p[n] ? p + n + 1 : NULL;
    }
    if (bad)
        return tx_fail(TX_ERR_ARGUMENT, "augmentation '%s', expected " TX_AUGMENT_EXPECTED,
                       tx_escape(found, sizeof found, text));
    *out = a;
    return TX_OK;
}

/* As few digits as read back the same, six or more: 10, not 1e+01. */
static const char *print_number(char out[TX_NUMBER], double value)
{
    double back;
    for (int digits = 6; digits <= 17; digits++) {
        tx_number_print(out, TX_NUMBER, value, digits);
        if (tx_number_parse(out, &back) == 0 && back <= value && back >= value)
            break;
    }
    return out;
}

const char *tx_augment_print(const tx_augment *augment, char *out, size_t size)
{
    if (!out || size == 0 || !augment) {
        tx_fail_null("tx_augment_print", augment ? "room for the words" : "augmentation");
        if (out && size)
            *out = 0;
        return out ? out : "";
    }
    tx_augment a = *augment;
    char number[TX_NUMBER];
    size_t n = (size_t)snprintf(out, size, "%s", a.flip ? "flip" : tx_augment_any(&a) ? "" : "none");
    for (int k = 0; k < KINDS && n < size; k++)
        if (*number_of(&a, k) > 0)
            n += (size_t)snprintf(out + n, size - n, "%s%s=%s", n ? "," : "", kinds[k].name,
                                  print_number(number, *number_of(&a, k)));
    return out;
}

tx_status tx_augment_check(const tx_augment *augment)
{
    tx_augment a = *augment;
    for (int k = 0; k < KINDS; k++)
        if (!(*number_of(&a, k) >= 0) || *number_of(&a, k) > kinds[k].most)
            return tx_fail(TX_ERR_ARGUMENT, "augmentation with %s %g, expected 0 to %g", kinds[k].name,
                           *number_of(&a, k), kinds[k].most);
    return TX_OK;
}

int tx_augment_any(const tx_augment *a)
{
    return a->flip || a->rotate > 0 || a->scale > 0 || a->brightness > 0 || a->contrast > 0;
}

/* ------------------------------------------------------------------------------------------ geometry */
/* From the crop's pixels to the image, positions in steps of 2^-(UNIT + 1): that of pixel (0, 0), and the steps to the next
 * column, (a, b), and to the next row, (-b, a). */
typedef struct warp {
    int64_t x, y, a, b;
} warp;

static warp make_warp(const tx_image *image, int left, int top, double degrees, double factor)
{
    double unit = (double)((int64_t)1 << UNIT) / factor;
    int64_t a = (int64_t)rint(tx_cos_pi(degrees / 180) * unit), b = (int64_t)rint(tx_sin_pi(degrees / 180) * unit);
    /* Twice the distance from the middle is whole. */
    int64_t dx = 2 * (int64_t)left - (image->width - 1), dy = 2 * (int64_t)top - (image->height - 1);
    int64_t one = (int64_t)1 << UNIT;
    return (warp){(image->width - 1) * one + a * dx - b * dy, (image->height - 1) * one + b * dx + a * dy, 2 * a,
                  2 * b};
}

/* The pixel below a position, rounded down, and its weight's complement. */
static int64_t floor_of(int64_t position, int *fraction)
{
    const int64_t bias = (int64_t)1 << 62; /* shifts of negative numbers are the compiler's choice */
    uint64_t p = (uint64_t)(position + bias);
    *fraction = (int)(p >> (UNIT + 1 - WEIGHT) & ((1 << WEIGHT) - 1));
    return (int64_t)(p >> (UNIT + 1)) - (bias >> (UNIT + 1));
}

/* Sample c of pixel (x, y), 0 outside. */
static int sample(const tx_image *image, int64_t x, int64_t y, int c)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return 0;
    return image->pixels[((size_t)y * (size_t)image->width + (size_t)x) * (size_t)image->channels + (size_t)c];
}

static void put_between(const tx_image *image, int64_t at_x, int64_t at_y, unsigned char *out)
{
    int fx, fy, all = 1 << WEIGHT;
    int64_t x = floor_of(at_x, &fx), y = floor_of(at_y, &fy);
    int w00 = (all - fx) * (all - fy), w01 = fx * (all - fy), w10 = (all - fx) * fy, w11 = fx * fy;
    int half = 1 << (2 * WEIGHT - 1), inside = x >= 0 && y >= 0 && x < image->width - 1 && y < image->height - 1;
    size_t step = (size_t)image->channels;
    for (int c = 0; c < image->channels; c++) {
        int sum = half;
        if (inside) {
            const unsigned char *p = image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * step + (size_t)c;
            const unsigned char *q = p + (size_t)image->width * step;
            sum += w00 * p[0] + w01 * p[step] + w10 * q[0] + w11 * q[step];
        } else {
            sum += w00 * sample(image, x, y, c) + w01 * sample(image, x + 1, y, c) + w10 * sample(image, x, y + 1, c) +
                   w11 * sample(image, x + 1, y + 1, c);
        }
        out[c] = (unsigned char)(sum >> (2 * WEIGHT));
    }
}

static void turn(const tx_image *image, const warp *w, tx_image *out)
{
    unsigned char *to = out->pixels;
    for (int64_t y = 0; y < out->height; y++)
        for (int64_t x = 0; x < out->width; x++, to += out->channels)
            put_between(image, w->x + x * w->a - y * w->b, w->y + x * w->b + y * w->a, to);
}

static void crop(const tx_image *image, int left, int top, tx_image *out)
{
    size_t channels = (size_t)image->channels, bytes = (size_t)out->width * channels;
    for (size_t y = 0; y < (size_t)out->height; y++)
        memcpy(out->pixels + y * bytes,
               image->pixels + (((size_t)top + y) * (size_t)image->width + (size_t)left) * channels, bytes);
}

static void flip(tx_image *image)
{
    size_t channels = (size_t)image->channels, width = (size_t)image->width;
    for (size_t y = 0; y < (size_t)image->height; y++) {
        unsigned char *row = image->pixels + y * width * channels;
        for (size_t x = 0; x < width / 2; x++)
            for (size_t c = 0; c < channels; c++) {
                unsigned char *p = row + x * channels + c, *q = row + (width - 1 - x) * channels + c, keep = *p;
                *p = *q;
                *q = keep;
            }
    }
}

/* -------------------------------------------------------------------------------------------- values */
static void blend(tx_image *image, int from, double factor)
{
    unsigned char table[256];
    size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    for (int v = 0; v < 256; v++) {
        float value = (float)from + (float)factor * (float)(v - from);
        table[v] = (unsigned char)(value <= 0 ? 0 : value >= 255 ? 255 : value);
    }
    for (size_t i = 0; i < n; i++)
        image->pixels[i] = table[image->pixels[i]];
}

static int mean_luma(const tx_image *image)
{
    uint64_t n = (uint64_t)image->width * (uint64_t)image->height, sum = 0;
    const unsigned char *p = image->pixels;
    for (uint64_t i = 0; i < n; i++, p += image->channels)
        sum += image->channels == 1 ? p[0] : tx_luma(p);
    return (int)((2 * sum + n) / (2 * n));
}

tx_status tx_augment_crop(const tx_augment *a, uint64_t seed, uint64_t epoch, uint32_t i, const tx_image *image,
                          int left, int top, int size, tx_image *out)
{
    double u[5];
    for (uint64_t k = 0; k < 5; k++)
        u[k] = (double)tx_random_uniform(seed, TX_RANDOM_AUGMENT, epoch, DRAWS * (uint64_t)i + k);
    *out = (tx_image){size, size, image->channels, NULL};
    out->pixels = tx_alloc((size_t)size * (size_t)size, (size_t)image->channels);
    if (!out->pixels)
        return TX_ERR_MEMORY;
    if (a->rotate > 0 || a->scale > 0) {
        warp w = make_warp(image, left, top, (2 * u[1] - 1) * a->rotate, 1 + (2 * u[2] - 1) * a->scale);
        turn(image, &w, out);
    } else {
        crop(image, left, top, out);
    }
    if (a->flip && u[0] < 0.5)
        flip(out);
    if (a->brightness > 0)
        blend(out, 0, 1 + (2 * u[3] - 1) * a->brightness);
    if (a->contrast > 0)
        blend(out, mean_luma(out), 1 + (2 * u[4] - 1) * a->contrast);
    return TX_OK;
}
