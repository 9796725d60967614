/* resize.c - images of another size, with the bytes of Pillow's Image.resize.
 *
 * Output pixel x of an axis of n inputs and m outputs has its centre at c = (x + 1/2) n/m. It is the sum of inputs i
 * with weights f((i + 1/2 - c) / s) divided by their sum, s = max(1, n/m): where an image is made smaller the filter
 * covers what falls into the output pixel. Weights are computed in double and rounded to 22 bits behind the point;
 * sums are exact in 32 bits, rounded to 8 bits after each axis. The order of the axes is Pillow 13's.
 * The filters: K. Turkowski, "Filters for common resampling tasks", Graphics Gems I (1990); the cubic is R. Keys,
 * "Cubic convolution interpolation for digital image processing", IEEE ASSP 29 (1981), with a = -1/2.
 */
#include "io.h"

#include <math.h>
#include <string.h>

enum { WEIGHT_BITS = 22, LANES = 16 };

/* -------------------------------------------------------------------------------------- filters */

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double sinc(double x)
{
    return x == 0.0 ? 1.0 : tx_sin_pi(x) / (x * 3.14159265358979323846);
}

/* sinc under a Hamming window. Its two constants are floats in Pillow, and their sum not quite 1. */
static double hamming(double x)
{
    x = fabs(x);
    return x == 0.0 ? 1.0 : x >= 1.0 ? 0.0 : sinc(x) * ((double)0.54f + (double)0.46f * tx_cos_pi(x));
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double lanczos(double x)
{
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

typedef struct kernel {
    double (*value)(double x);
    double support; /* the filter is zero beyond */
} kernel;

static const kernel kernels[] = {
    [TX_BOX] = {box, 0.5},       [TX_BILINEAR] = {triangle, 1.0}, [TX_HAMMING] = {hamming, 1.0},
    [TX_BICUBIC] = {cubic, 2.0}, [TX_LANCZOS] = {lanczos, 3.0},
};

/* ----------------------------------------------------------------------------------------- axes */

/* For each of n outputs: the first input, how many, and their weights at weight + output * taps. */
typedef struct axis {
    int *first, *count;
    int32_t *weight;
    size_t taps;
} axis;

static void axis_free(axis *a)
{
    tx_free(a->first);
    tx_free(a->count);
    tx_free(a->weight);
}

/* w/sum in 22 bits, rounded to nearest, halves away from 0. */
static int32_t fixed_point(double w)
{
    double scaled = w * (1 << WEIGHT_BITS);
    return (int32_t)(w < 0 ? scaled - 0.5 : scaled + 0.5);
}

static void axis_fill(axis *a, int inputs, int outputs, const kernel *k, double *w)
{
    double scale = (double)inputs / outputs, wide = scale < 1.0 ? 1.0 : scale;
    double support = k->support * wide, inverse = 1.0 / wide;
    for (int x = 0; x < outputs; x++) {
        double centre = (x + 0.5) * scale, sum = 0.0;
        int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        end = end > inputs ? inputs : end;
        for (int i = first; i < end; i++) {
            w[i - first] = k->value((i - centre + 0.5) * inverse);
            sum += w[i - first];
        }
        int32_t *weight = a->weight + (size_t)x * a->taps;
        for (int i = 0; i < end - first; i++)
            weight[i] = fixed_point(sum != 0.0 ? w[i] / sum : w[i]);
        a->first[x] = first;
        a->count[x] = end - first;
    }
}

static tx_status axis_make(axis *a, int inputs, int outputs, const kernel *k)
{
    double scale = (double)inputs / outputs, support = k->support * (scale < 1.0 ? 1.0 : scale);
    a->taps = (size_t)ceil(support) * 2 + 1;
    size_t weights;
    if (tx_size_mul(a->taps, (size_t)outputs, &weights))
        return tx_fail(TX_ERR_MEMORY, "resizing %d to %d pixels takes too many weights", inputs, outputs);
    a->first = tx_alloc((size_t)outputs, sizeof *a->first);
    a->count = tx_alloc((size_t)outputs, sizeof *a->count);
    a->weight = tx_alloc(weights, sizeof *a->weight);
    double *row = tx_alloc(a->taps, sizeof *row);
    int sound = a->first && a->count && a->weight && row;
    if (sound)
        axis_fill(a, inputs, outputs, k, row);
    tx_free(row);
    return sound ? TX_OK : TX_ERR_MEMORY;
}

/* --------------------------------------------------------------------------------------- passes */

static inline unsigned char to_byte(int32_t sum)
{
    int v = sum >> WEIGHT_BITS;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row_grey(const unsigned char *in, const axis *a, int outputs, unsigned char *out)
{
    for (int x = 0; x < outputs; x++) {
        const unsigned char *p = in + a->first[x];
        const int32_t *w = a->weight + (size_t)x * a->taps;
        int32_t sum = 1 << (WEIGHT_BITS - 1);
        for (int i = 0; i < a->count[x]; i++)
            sum += p[i] * w[i];
        out[x] = to_byte(sum);
    }
}

static void row_rgb(const unsigned char *in, const axis *a, int outputs, unsigned char *out)
{
    for (int x = 0; x < outputs; x++) {
        const unsigned char *p = in + 3 * (size_t)a->first[x];
        const int32_t *w = a->weight + (size_t)x * a->taps;
        int32_t r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
        for (int i = 0; i < a->count[x]; i++) {
            r += p[3 * i] * w[i];
            g += p[3 * i + 1] * w[i];
            b += p[3 * i + 2] * w[i];
        }
        out[3 * (size_t)x] = to_byte(r);
        out[3 * (size_t)x + 1] = to_byte(g);
        out[3 * (size_t)x + 2] = to_byte(b);
    }
}

/* One output row of `bytes` bytes from `count` rows. Sixteen columns at a time: a loop that compilers turn into
 * vectors. */
static void column_pass(const unsigned char *in, size_t bytes, int count, const int32_t *w, unsigned char *out)
{
    size_t x = 0;
    for (; x + LANES <= bytes; x += LANES) {
        int32_t sum[LANES];
        for (int j = 0; j < LANES; j++)
            sum[j] = 1 << (WEIGHT_BITS - 1);
        for (int i = 0; i < count; i++) {
            const unsigned char *p = in + (size_t)i * bytes + x;
            int32_t weight = w[i];
            for (int j = 0; j < LANES; j++)
                sum[j] += p[j] * weight;
        }
        for (int j = 0; j < LANES; j++)
            out[x + (size_t)j] = to_byte(sum[j]);
    }
    for (; x < bytes; x++) {
        int32_t sum = 1 << (WEIGHT_BITS - 1);
        for (int i = 0; i < count; i++)
            sum += in[(size_t)i * bytes + x] * w[i];
        out[x] = to_byte(sum);
    }
}

/* ---------------------------------------------------------------------------------- whole images */

static tx_status make_image(tx_image *image, int width, int height, int channels)
{
    image->width = width;
    image->height = height;
    image->channels = channels;
    image->pixels = tx_alloc((size_t)width * (size_t)height, (size_t)channels);
    return image->pixels ? TX_OK : TX_ERR_MEMORY;
}

/* Columns alone, of `rows` input rows from `first` on. */
static tx_status resize_columns(const tx_image *in, const axis *a, int width, int first, int rows, tx_image *out)
{
    if (make_image(out, width, rows, in->channels))
        return TX_ERR_MEMORY;
    size_t from = (size_t)in->width * (size_t)in->channels, to = (size_t)width * (size_t)in->channels;
    for (int y = 0; y < rows; y++) {
        const unsigned char *source = in->pixels + (size_t)(first + y) * from;
        if (in->channels == 1)
            row_grey(source, a, width, out->pixels + (size_t)y * to);
        else
            row_rgb(source, a, width, out->pixels + (size_t)y * to);
    }
    return TX_OK;
}

/* Rows alone; row 0 of `in` is row `first` to the axis. */
static tx_status resize_rows(const tx_image *in, const axis *a, int height, int first, tx_image *out)
{
    if (make_image(out, in->width, height, in->channels))
        return TX_ERR_MEMORY;
    size_t bytes = (size_t)in->width * (size_t)in->channels;
    for (int y = 0; y < height; y++)
        column_pass(in->pixels + (size_t)(a->first[y] - first) * bytes, bytes, a->count[y],
                    a->weight + (size_t)y * a->taps, out->pixels + (size_t)y * bytes);
    return TX_OK;
}

/* Both axes, with the image between them rounded to 8 bits: columns first, unless the height shrinks, and by more
 * than twice what the width does. So the image between is no larger than the larger of the two. */
static tx_status resize_both(const tx_image *in, const axis *columns, const axis *rows, int width, int height,
                             tx_image *out)
{
    tx_image between = {0, 0, 0, NULL};
    tx_status status;
    int less_height = in->height - height, less_width = in->width - width;
    if (less_height > 0 && less_height / 2.0 > less_width) {
        status = resize_rows(in, rows, height, 0, &between);
        if (!status)
            status = resize_columns(&between, columns, width, 0, height, out);
    } else {
        int first = rows->first[0], end = rows->first[height - 1] + rows->count[height - 1];
        status = resize_columns(in, columns, width, first, end - first, &between);
        if (!status)
            status = resize_rows(&between, rows, height, first, out);
    }
    tx_image_free(&between);
    return status;
}

static tx_status resize_filtered(const tx_image *in, int width, int height, const kernel *k, tx_image *out)
{
    axis columns = {NULL, NULL, NULL, 0}, rows = {NULL, NULL, NULL, 0};
    int wide = width != in->width, high = height != in->height;
    tx_status status = TX_OK;
    if (wide)
        status = axis_make(&columns, in->width, width, k);
    if (!status && high)
        status = axis_make(&rows, in->height, height, k);
    if (!status && wide && high)
        status = resize_both(in, &columns, &rows, width, height, out);
    else if (!status && wide)
        status = resize_columns(in, &columns, width, 0, height, out);
    else if (!status)
        status = resize_rows(in, &rows, height, 0, out);
    axis_free(&columns);
    axis_free(&rows);
    return status;
}

/* Nearest: positions are sums of steps, as Pillow adds them up; one that rounding has put outside stays black. */
static tx_status resize_nearest(const tx_image *in, int width, int height, tx_image *out)
{
    double dx = (double)in->width / width, dy = (double)in->height / height, at = dx * 0.5;
    int *column = tx_alloc((size_t)width, sizeof *column);
    if (!column)
        return TX_ERR_MEMORY;
    for (int x = 0; x < width; x++, at += dx)
        column[x] = (int)at < in->width ? (int)at : -1;
    tx_status status = make_image(out, width, height, in->channels);
    at = dy * 0.5;
    size_t n = (size_t)in->channels;
    for (int y = 0; y < height && !status; y++, at += dy) {
        if ((int)at >= in->height)
            continue;
        const unsigned char *from = in->pixels + (size_t)(int)at * (size_t)in->width * n;
        unsigned char *to = out->pixels + (size_t)y * (size_t)width * n;
        for (int x = 0; x < width; x++)
            for (size_t i = 0; i < n; i++)
                to[(size_t)x * n + i] = column[x] < 0 ? 0 : from[(size_t)column[x] * n + i];
    }
    tx_free(column);
    return status;
}

tx_status tx_image_resize(const tx_image *in, int width, int height, tx_interpolation filter, tx_image *out)
{
    if (!in || !out)
        return tx_fail_null("tx_image_resize", in ? "room for the image" : "image");
    if (in == out)
        return tx_fail(TX_ERR_ARGUMENT, "resizing: an image into itself");
    memset(out, 0, sizeof *out);
    if (!in->pixels || in->width < 1 || in->height < 1 || (in->channels != 1 && in->channels != 3))
        return tx_fail(TX_ERR_ARGUMENT,
                       "resizing: an image of %d x %d pixels and %d channels, 1 or 3 channels expected", in->width,
                       in->height, in->channels);
    if (width < 1 || height < 1)
        return tx_fail(TX_ERR_ARGUMENT, "resizing to %d x %d, at least 1 x 1 expected", width, height);
    if ((size_t)width * (size_t)height > TX_IMAGE_PIXELS)
        return tx_fail(TX_ERR_ARGUMENT, "resizing to %d x %d, which is more than 2^28 pixels", width, height);
    if ((int)filter < TX_NEAREST || filter > TX_LANCZOS)
        return tx_fail(TX_ERR_ARGUMENT, "resizing with filter %d, %d to %d expected", (int)filter, (int)TX_NEAREST,
                       (int)TX_LANCZOS);
    tx_status status;
    if (width == in->width && height == in->height) {
        status = make_image(out, width, height, in->channels);
        if (!status)
            memcpy(out->pixels, in->pixels, (size_t)width * (size_t)height * (size_t)in->channels);
    } else if (filter == TX_NEAREST) {
        status = resize_nearest(in, width, height, out);
    } else {
        status = resize_filtered(in, width, height, &kernels[filter], out);
    }
    if (status)
        tx_image_free(out);
    return status;
}
