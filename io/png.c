/* png.c - PNG (W3C recommendation, 3rd edition; ISO/IEC 15948): every colour type and depth, interlaced or not.
 *
 * Grey is grey; palettes, colours, and grey with alpha become red, green, blue. Samples of 16 bits become (v * 255 + 32895)
 * >> 16, which is v / 257 rounded; those of less than 8 are stretched to 0..255. Transparency (alpha, tRNS) is dropped, and
 * gamma, colour profiles and all else that is no pixel are passed over. Of an animation the image of IDAT is taken.
 *
 * Every chunk's CRC must be right, up to IEND's; what follows IEND is not looked at. Chunks that a decoder must know are
 * known, or the file is refused. Where the data goes on behind the last row it is not decoded: then its Adler-32, which no
 * decoder of whole rows looks at, is not either.
 *
 * The pixels are bounded before memory is taken, and must be within what so many compressed bytes can hold at most. */
#include "inflate.h"
#include "io_private.h"

#include <string.h>

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6, CHUNK = 12 };

typedef struct png {
    const unsigned char *bytes;
    size_t size, at;
    char name[TX_TEXT];
    int ended; /* the error was that the bytes end */

    int width, height; /* 0 before IHDR */
    int depth, colour, interlaced;
    int colours; /* of the palette; 0 before PLTE */
    unsigned char palette[256][3];
    size_t data, data_end, data_bytes; /* the first chunk IDAT, the end of the last one, bytes within all */
} png;

/* One chunk: its bytes are bytes[begin..begin + length). */
typedef struct chunk {
    const unsigned char *type;
    size_t begin, length;
} chunk;

static uint32_t number32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int is(const chunk *c, const char *type)
{
    return memcmp(c->type, type, 4) == 0;
}

/* A chunk's type for messages. */
static const char *type_text(const chunk *c, char out[TX_TEXT])
{
    char text[5] = {0};
    memcpy(text, c->type, 4);
    return tx_escape(out, TX_TEXT, text);
}

/* The chunk at d->at, which goes behind it. */
static tx_status next_chunk(png *d, chunk *c)
{
    char text[TX_TEXT];
    size_t left = d->size - d->at;
    uint32_t length = left < 8 ? 0 : number32(d->bytes + d->at);
    if (left >= 8 && length > INT32_MAX)
        return tx_fail_byte(d->name, d->at, "a chunk of %lu bytes, at most 2^31 - 1 expected", (unsigned long)length);
    if (left < CHUNK || left - CHUNK < length) {
        d->ended = 1;
        return tx_fail_byte(d->name, d->size,
                            "the file ends within the chunk that begins at byte %zu: image data is missing", d->at);
    }
    c->type = d->bytes + d->at + 4;
    c->begin = d->at + 8;
    c->length = length;
    uint32_t sum = tx_crc32(0, c->type, (size_t)length + 4), wanted = number32(c->type + 4 + length);
    if (sum != wanted)
        return tx_fail_byte(d->name, d->at, "chunk '%s' has CRC %08lx, %08lx expected", type_text(c, text),
                            (unsigned long)sum, (unsigned long)wanted);
    d->at += CHUNK + (size_t)length;
    return TX_OK;
}

/* Bit n is set where samples of n bits are allowed. */
static unsigned depths(int colour)
{
    switch (colour) {
    case GREY:
        return 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16;
    case PALETTE:
        return 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8;
    case RGB:
    case GREY_ALPHA:
    case RGB_ALPHA:
        return 1u << 8 | 1u << 16;
    default:
        return 0;
    }
}

static tx_status read_header(png *d)
{
    chunk c;
    d->at = 8;
    if (next_chunk(d, &c))
        return TX_ERR_FORMAT;
    if (!is(&c, "IHDR") || c.length != 13)
        return tx_fail_byte(d->name, 8, "the first chunk is not IHDR of 13 bytes");
    const unsigned char *p = d->bytes + c.begin;
    uint32_t width = number32(p), height = number32(p + 4);
    if (width == 0 || height == 0)
        return tx_fail_byte(d->name, c.begin, "an image without pixels");
    if ((uint64_t)width * height > TX_IMAGE_PIXELS)
        return tx_fail_byte(d->name, c.begin, "%lu x %lu is more than 2^28 pixels", (unsigned long)width,
                            (unsigned long)height);
    if (p[8] > 16 || !(depths(p[9]) >> p[8] & 1))
        return tx_fail_byte(d->name, c.begin + 8, "%d bits a sample in colour type %d", p[8], p[9]);
    if (p[10] || p[11] || p[12] > 1)
        return tx_fail_byte(d->name, c.begin + 10,
                            "compression %d, filters %d, interlacing %d, at most 0, 0 and 1 expected", p[10], p[11],
                            p[12]);
    d->width = (int)width;
    d->height = (int)height;
    d->depth = p[8];
    d->colour = p[9];
    d->interlaced = p[12];
    return TX_OK;
}

static tx_status read_palette(png *d, const chunk *c)
{
    if (d->colour != PALETTE || d->data)
        return TX_OK;
    if (c->length == 0 || c->length % 3 || c->length > sizeof d->palette || d->colours)
        return tx_fail_byte(d->name, c->begin, "a palette of %zu bytes%s", c->length, d->colours ? ", the second" : "");
    d->colours = (int)(c->length / 3);
    memcpy(d->palette, d->bytes + c->begin, c->length);
    return TX_OK;
}

static tx_status note_data(png *d, const chunk *c)
{
    if (d->colour == PALETTE && !d->colours)
        return tx_fail_byte(d->name, c->begin - 8, "image data before the palette (PLTE)");
    if (d->data && d->data_end != c->begin - 8)
        return tx_fail_byte(d->name, c->begin - 8, "image data (IDAT) that goes on behind another chunk");
    if (!d->data)
        d->data = c->begin - 8;
    d->data_end = d->at;
    d->data_bytes += c->length;
    return TX_OK;
}

/* All chunks behind IHDR up to IEND. */
static tx_status read_chunks(png *d)
{
    char text[TX_TEXT];
    for (;;) {
        chunk c;
        tx_status status = next_chunk(d, &c);
        if (!status && is(&c, "IEND"))
            return d->data ? TX_OK : tx_fail_byte(d->name, c.begin - 8, "the image ends without image data (IDAT)");
        if (!status && is(&c, "IDAT"))
            status = note_data(d, &c);
        else if (!status && is(&c, "PLTE"))
            status = read_palette(d, &c);
        else if (!status && !(c.type[0] & 32))
            status = tx_fail_byte(d->name, c.begin - 8, "the critical chunk '%s' is not known or stands twice",
                                  type_text(&c, text));
        if (status)
            return status;
    }
}

/* --------------------------------------------------------------------------------------------- rows */
/* Every dx-th pixel of every dy-th row from (x, y) on. */
typedef struct pass {
    int x, y, dx, dy;
} pass;
static const pass whole = {0, 0, 1, 1};
/* Adam7 (8.2). */
static const pass passes[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                               {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

static int pass_count(const png *d)
{
    return d->interlaced ? 7 : 1;
}

static const pass *pass_at(const png *d, int i)
{
    return d->interlaced ? &passes[i] : &whole;
}

static size_t pixels_of(int all, int from, int step)
{
    return all > from ? (size_t)((all - from - 1) / step + 1) : 0;
}

static size_t samples(const png *d)
{
    return d->colour == RGB ? 3 : d->colour == RGB_ALPHA ? 4 : d->colour == GREY_ALPHA ? 2 : 1;
}

static uint64_t row_bytes(const png *d, size_t width)
{
    return ((uint64_t)width * samples(d) * (uint64_t)d->depth + 7) / 8;
}

/* Bytes of all rows with the byte before each that names its filter. */
static uint64_t raw_bytes(const png *d)
{
    uint64_t sum = 0;
    for (int i = 0; i < pass_count(d); i++) {
        const pass *p = pass_at(d, i);
        size_t w = pixels_of(d->width, p->x, p->dx), h = pixels_of(d->height, p->y, p->dy);
        sum += w ? h * (1 + row_bytes(d, w)) : 0;
    }
    return sum;
}

static int paeth(int left, int above, int corner)
{
    int p = above - corner, q = left - corner, r = p + q;
    p = p < 0 ? -p : p;
    q = q < 0 ? -q : q;
    r = r < 0 ? -r : r;
    return p <= q && p <= r ? left : q <= r ? above : corner;
}

/* Undoes a row's filter (9.2); `step` bytes before a byte is the one to its left. */
static void unfilter(int filter, unsigned char *row, const unsigned char *above, size_t n, size_t step)
{
    for (size_t i = 0; i < step && i < n; i++) {
        if (filter == 2 || filter == 4)
            row[i] = (unsigned char)(row[i] + above[i]);
        else if (filter == 3)
            row[i] = (unsigned char)(row[i] + above[i] / 2);
    }
    if (filter == 1)
        for (size_t i = step; i < n; i++)
            row[i] = (unsigned char)(row[i] + row[i - step]);
    else if (filter == 2)
        for (size_t i = step; i < n; i++)
            row[i] = (unsigned char)(row[i] + above[i]);
    else if (filter == 3)
        for (size_t i = step; i < n; i++)
            row[i] = (unsigned char)(row[i] + (row[i - step] + above[i]) / 2);
    else if (filter == 4)
        for (size_t i = step; i < n; i++)
            row[i] = (unsigned char)(row[i] + paeth(row[i - step], above[i], above[i - step]));
}

/* The row's n samples, each as one byte: palettes' as they are, others stretched to 0..255. */
static const unsigned char *row_samples(const png *d, const unsigned char *row, size_t n, unsigned char *line)
{
    if (d->depth == 8)
        return row;
    if (d->depth == 16) {
        for (size_t i = 0; i < n; i++)
            line[i] = (unsigned char)(((row[2 * i] << 8 | row[2 * i + 1]) * 255 + 32895) >> 16);
        return line;
    }
    int most = (1 << d->depth) - 1, scale = d->colour == PALETTE ? 1 : 255 / most;
    size_t each = 8 / (size_t)d->depth;
    for (size_t i = 0; i < n; i++) {
        int shift = 8 - d->depth * (int)(i % each + 1);
        line[i] = (unsigned char)((row[i / each] >> shift & most) * scale);
    }
    return line;
}

/* n pixels of samples s to every `step`-th byte of out. */
static tx_status put_pixels(const png *d, const unsigned char *s, size_t n, unsigned char *out, size_t step)
{
    if (step == samples(d) && (d->colour == GREY || d->colour == RGB)) {
        memcpy(out, s, n * step);
        return TX_OK;
    }
    for (size_t i = 0; i < n; i++, out += step, s += samples(d)) {
        if (d->colour == PALETTE && *s >= d->colours)
            return tx_fail_byte(d->name, d->data, "a pixel of colour %d, the palette has %d", *s, d->colours);
        if (d->colour == GREY)
            out[0] = s[0];
        else if (d->colour == GREY_ALPHA)
            out[0] = out[1] = out[2] = s[0];
        else
            memcpy(out, d->colour == PALETTE ? d->palette[*s] : s, 3);
    }
    return TX_OK;
}

/* The rows of one pass, from *raw on; above stands for the row above the first, and line has room for a row. */
static tx_status put_pass(const png *d, const pass *p, unsigned char **raw, const unsigned char *above,
                          unsigned char *line, tx_image *out)
{
    size_t w = pixels_of(d->width, p->x, p->dx), h = pixels_of(d->height, p->y, p->dy);
    size_t n = (size_t)row_bytes(d, w), bits = samples(d) * (size_t)d->depth, step = bits < 8 ? 1 : bits / 8;
    for (size_t k = 0; w && k < h; k++) {
        unsigned char *row = *raw + 1;
        size_t y = (size_t)p->y + k * (size_t)p->dy, channels = (size_t)out->channels;
        unsigned char *to = out->pixels + (y * (size_t)d->width + (size_t)p->x) * channels;
        if (**raw > 4)
            return tx_fail_byte(d->name, d->data, "row %zu has filter %d, at most 4 expected", y, **raw);
        unfilter(**raw, row, above, n, step);
        if (put_pixels(d, row_samples(d, row, w * samples(d), line), w, to, (size_t)p->dx * channels))
            return TX_ERR_FORMAT;
        above = row;
        *raw += n + 1;
    }
    return TX_OK;
}

/* --------------------------------------------------------------------------------------- image data */
/* The place in the file of the n-th compressed byte; with `to`, copies all of them there. */
static size_t data_at(const png *d, size_t n, unsigned char *to)
{
    size_t at = d->data;
    for (;;) {
        size_t length = number32(d->bytes + at);
        if (to && length) {
            memcpy(to, d->bytes + at + 8, length);
            to += length;
        }
        if ((!to && n < length) || at + CHUNK + length == d->data_end)
            return at + 8 + (n < length ? n : length);
        n = n < length ? 0 : n - length;
        at += CHUNK + length;
    }
}

/* Decompresses all rows into raw. */
static tx_status inflate_data(const png *d, unsigned char *raw, size_t room)
{
    const unsigned char *bytes = d->bytes + d->data + 8;
    unsigned char *gathered = NULL;
    tx_inflated how;
    if (number32(d->bytes + d->data) != d->data_bytes) {
        bytes = gathered = tx_alloc(d->data_bytes, 1);
        if (!gathered)
            return tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
        data_at(d, 0, gathered);
    }
    tx_status status = tx_zlib_inflate(bytes, d->data_bytes, raw, room, &how);
    tx_free(gathered);
    if (status == TX_ERR_MEMORY)
        return tx_fail_within(status, "%s", d->name);
    if (status && !how.full)
        return tx_fail_byte(d->name, data_at(d, how.used, NULL), "image data: %s", how.what);
    if (how.made < room)
        return tx_fail_byte(d->name, data_at(d, how.used, NULL), "image data is missing: it becomes %zu of %zu bytes",
                            how.made, room);
    return TX_OK;
}

static tx_status put_image(const png *d, unsigned char *raw, tx_image *out)
{
    size_t longest = (size_t)row_bytes(d, (size_t)d->width);
    unsigned char *above = tx_alloc(longest, 1), *line = tx_alloc((size_t)d->width, samples(d));
    out->pixels = tx_alloc((size_t)d->width * (size_t)d->height, (size_t)out->channels);
    tx_status status = above && line && out->pixels ? TX_OK : tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
    for (int i = 0; !status && i < pass_count(d); i++)
        status = put_pass(d, pass_at(d, i), &raw, above, line, out);
    tx_free(above);
    tx_free(line);
    return status;
}

static tx_status decode(png *d, tx_image *out)
{
    tx_status status = read_header(d);
    if (!status)
        status = read_chunks(d);
    if (status)
        return status;
    uint64_t room = raw_bytes(d);
    if (room > tx_inflate_most(d->data_bytes))
        return tx_fail_byte(d->name, d->data_end, "image data is missing: %zu bytes cannot hold %d x %d pixels",
                            d->data_bytes, d->width, d->height);
    unsigned char *raw = tx_alloc((size_t)room, 1);
    if (!raw)
        return tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
    *out = (tx_image){d->width, d->height, d->colour == GREY ? 1 : 3, NULL};
    status = inflate_data(d, raw, (size_t)room);
    if (!status)
        status = put_image(d, raw, out);
    tx_free(raw);
    return status;
}

static void begin(png *d, const unsigned char *bytes, size_t size, const char *name)
{
    memset(d, 0, sizeof *d);
    tx_escape(d->name, sizeof d->name, name ? name : "image");
    d->bytes = bytes;
    d->size = size;
}

tx_status tx_png_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out)
{
    png d;
    begin(&d, bytes, size, name);
    return decode(&d, out);
}

tx_status tx_png_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended)
{
    png d;
    begin(&d, bytes, size, name);
    tx_status status = read_header(&d);
    *out = (tx_image){d.width, d.height, d.colour == GREY ? 1 : 3, NULL};
    *ended = d.ended;
    return status;
}
