/* jpeg.c - JPEG files: markers, tables, frame and scan headers (ITU-T T.81, annex B), and the order of work.
 *
 * A single scan of all components goes from bits to samples block by block; several scans first gather all
 * coefficients. Where a scan sends again what an earlier one has sent, it writes its DC values and those of its other
 * coefficients that are not zero over the former's, as in libjpeg-turbo.
 *
 * What components mean is fixed by what stands before the first scan. A component's quantisation table is the one at
 * its first scan; Huffman tables and the restart interval hold from where they stand for all scans behind.
 *
 * Memory is taken when the first scan begins, and only if the bytes that are left could hold an image of that size: a
 * block takes at least two bits in a sequential file, and one in a progressive one. Time is bounded by MAX_SCANS and
 * MAX_WALK: in a progressive file some bytes can ask for a walk through all blocks.
 */
#include "jpeg.h"

#include <string.h>

enum {
    M_SOF0 = 0xc0,
    M_DHT = 0xc4,
    M_SOF15 = 0xcf,
    M_JPG = 0xc8,
    M_DAC = 0xcc,
    M_RST0 = 0xd0,
    M_RST7 = 0xd7,
    M_SOI = 0xd8,
    M_EOI = 0xd9,
    M_SOS = 0xda,
    M_DQT = 0xdb,
    M_DRI = 0xdd,
    M_DHP = 0xde,
    M_EXP = 0xdf,
    M_APP0 = 0xe0,
    M_APP14 = 0xee,
    M_TEM = 0x01
};

/* A file may have so many scans. A scan costs its blocks, and eight coefficients of each as much again; together they
 * may cost MAX_WALK, and MIN_WALKS times all blocks of a large image. The usual progressive file costs 20 times. */
enum { MAX_SCANS = 1000, MIN_WALKS = 100, MAX_WALK = 1 << 28 };

static int number16(const unsigned char *p)
{
    return p[0] << 8 | p[1];
}

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static size_t blocks(const jpeg_component *c)
{
    return (size_t)c->blocks_wide * (size_t)c->blocks_high;
}

/* Finds the next marker, over fill bytes and whatever else stands before it. */
static tx_status next_marker(jpeg *d, int *marker)
{
    const unsigned char *p = d->bytes + d->at, *end = d->bytes + d->size;
    while (p < end) {
        p = memchr(p, 0xff, (size_t)(end - p));
        if (!p)
            break;
        while (p < end && *p == 0xff)
            p++;
        if (p < end && *p != 0) {
            *marker = *p;
            d->at = (size_t)(p + 1 - d->bytes);
            return TX_OK;
        }
    }
    d->ended = 1;
    return tx_fail_byte(d->name, d->size, "the file ends without the marker EOI: image data is missing");
}

/* The segment behind a marker: its bytes are [*begin, *begin + *length); d->at goes behind it. */
static tx_status segment(jpeg *d, int marker, size_t *begin, int *length)
{
    size_t left = d->size - d->at;
    int n = left < 2 ? 0 : number16(d->bytes + d->at);
    if (left >= 2 && n < 2)
        return tx_fail_byte(d->name, d->at, "segment FF%02X has length %d, at least 2 expected", (unsigned)marker, n);
    if (left < 2 || left < (size_t)n) {
        d->ended = 1;
        return tx_fail_byte(d->name, d->size, "the file ends within segment FF%02X that begins at byte %zu",
                            (unsigned)marker, d->at);
    }
    *begin = d->at + 2;
    *length = n - 2;
    d->at += (size_t)n;
    return TX_OK;
}

static tx_status quantisation_tables(jpeg *d, size_t at, int length)
{
    while (length > 0) {
        const unsigned char *p = d->bytes + at;
        int wide = p[0] >> 4, number = p[0] & 15, need = 1 + 64 * (wide + 1);
        if (wide > 1 || number > 3)
            return tx_fail_byte(d->name, at, "quantisation table of class %d and number %d, at most 1 and 3 expected",
                                wide, number);
        if (length < need)
            return tx_fail_byte(d->name, at, "quantisation table of %d bytes, %d expected", length, need);
        for (int k = 0; k < 64; k++)
            d->quant[number][tx_jpeg_zigzag[k]] = (uint16_t)(wide ? number16(p + 1 + 2 * k) : p[1 + k]);
        d->quant_defined[number] = 1;
        at += (size_t)need;
        length -= need;
    }
    return TX_OK;
}

static tx_status huffman_tables(jpeg *d, size_t at, int length)
{
    while (length > 0) {
        const unsigned char *p = d->bytes + at;
        int cls = p[0] >> 4, number = p[0] & 15, symbols = 0;
        if (length < 17)
            return tx_fail_byte(d->name, at, "Huffman table of %d bytes, at least 17 expected", length);
        for (int i = 1; i <= 16; i++)
            symbols += p[i];
        if (cls > 1 || number > 3)
            return tx_fail_byte(d->name, at, "Huffman table of class %d and number %d, at most 1 and 3 expected", cls,
                                number);
        if (symbols > 256 || symbols > length - 17)
            return tx_fail_byte(d->name, at, "Huffman table of %d codes in %d bytes", symbols, length - 17);
        jpeg_table *t = &d->table[cls][number];
        t->defined = 1;
        memcpy(t->count, p, 17);
        memset(t->symbol, 0, sizeof t->symbol);
        memcpy(t->symbol, p + 17, (size_t)symbols);
        at += (size_t)(17 + symbols);
        length -= 17 + symbols;
    }
    return TX_OK;
}

/* Frame headers of other coding processes (T.81 table B.1). */
static const char *refused_frame(int marker)
{
    switch (marker) {
    case 0xc3:
        return "lossless JPEG";
    case 0xc5:
    case 0xc6:
        return "hierarchical JPEG";
    case 0xc7:
        return "hierarchical lossless JPEG";
    case 0xc9:
    case 0xca:
        return "arithmetic-coded JPEG";
    case 0xcb:
        return "lossless arithmetic-coded JPEG";
    case 0xcd:
    case 0xce:
    case 0xcf:
        return "hierarchical arithmetic-coded JPEG";
    default:
        return NULL;
    }
}

static tx_status frame_size(jpeg *d, size_t at, const unsigned char *p)
{
    int height = number16(p + 1), width = number16(p + 3);
    if (p[0] != 8)
        return tx_fail_byte(d->name, at, "%d bits a sample, 8 expected", p[0]);
    if (height == 0)
        return tx_fail_byte(d->name, at + 1,
                            "an image without rows (or their number in a DNL segment, which is not read)");
    if (width == 0)
        return tx_fail_byte(d->name, at + 3, "an image without columns");
    if ((size_t)width * (size_t)height > TX_IMAGE_PIXELS)
        return tx_fail_byte(d->name, at + 1, "%d x %d is more than 2^28 pixels", width, height);
    if (p[5] == 4)
        return tx_fail_byte(d->name, at + 5, "4 components (CMYK), 1 or 3 expected");
    if (p[5] != 1 && p[5] != 3)
        return tx_fail_byte(d->name, at + 5, "%d components, 1 or 3 expected", p[5]);
    d->width = width;
    d->height = height;
    d->components = p[5];
    return TX_OK;
}

static tx_status frame(jpeg *d, int marker, size_t at, int length)
{
    const unsigned char *p = d->bytes + at;
    if (refused_frame(marker))
        return tx_fail_byte(d->name, at - 4,
                            "%s (SOF%d), baseline, extended or progressive with Huffman coding expected",
                            refused_frame(marker), marker - M_SOF0);
    if (d->components)
        return tx_fail_byte(d->name, at - 4, "a second frame header");
    if (length < 6)
        return tx_fail_byte(d->name, at - 2, "frame header of %d bytes", length);
    if (frame_size(d, at, p))
        return TX_ERR_FORMAT;
    if (length != 6 + 3 * d->components)
        return tx_fail_byte(d->name, at - 2, "frame header of %d bytes, %d expected", length, 6 + 3 * d->components);
    d->progressive = marker == 0xc2;
    d->max_h = d->max_v = 1;
    for (int i = 0; i < d->components; i++) {
        jpeg_component *c = &d->component[i];
        const unsigned char *q = p + 6 + 3 * i;
        c->id = q[0];
        c->h = q[1] >> 4;
        c->v = q[1] & 15;
        c->quant = q[2];
        if (c->h < 1 || c->h > 4 || c->v < 1 || c->v > 4)
            return tx_fail_byte(d->name, at + 7 + 3 * (size_t)i, "sampling factors %d x %d, 1 to 4 expected", c->h,
                                c->v);
        if (c->quant > 3)
            return tx_fail_byte(d->name, at + 8 + 3 * (size_t)i, "quantisation table %d, at most 3 expected", c->quant);
        d->max_h = c->h > d->max_h ? c->h : d->max_h;
        d->max_v = c->v > d->max_v ? c->v : d->max_v;
    }
    for (int i = 0; i < d->components; i++) {
        jpeg_component *c = &d->component[i];
        if (d->max_h % c->h || d->max_v % c->v)
            return tx_fail_byte(d->name, at + 7 + 3 * (size_t)i, "sampling factors %d x %d do not divide %d x %d", c->h,
                                c->v, d->max_h, d->max_v);
        c->width = ceil_div(d->width * c->h, d->max_h);
        c->height = ceil_div(d->height * c->v, d->max_v);
        c->blocks_wide = ceil_div(c->width, 8);
        c->blocks_high = ceil_div(c->height, 8);
        memset(c->precision, JPEG_NEVER, sizeof c->precision);
    }
    return TX_OK;
}

/* Everything between SOI and EOI but scans. */
static tx_status other_segment(jpeg *d, int marker)
{
    if ((marker >= M_RST0 && marker <= M_RST7) || marker == M_TEM)
        return TX_OK;
    size_t at;
    int length;
    if (marker == M_SOI)
        return tx_fail_byte(d->name, d->at - 2, "a second image begins before the first has ended");
    if (marker == M_DHP || marker == M_EXP)
        return tx_fail_byte(d->name, d->at - 2, "hierarchical JPEG, a single frame expected");
    if (marker == M_DAC)
        return tx_fail_byte(d->name, d->at - 2, "arithmetic-coded JPEG, Huffman coding expected");
    if (segment(d, marker, &at, &length))
        return TX_ERR_FORMAT;
    const unsigned char *p = d->bytes + at;
    if (marker == M_DQT)
        return quantisation_tables(d, at, length);
    if (marker == M_DHT)
        return huffman_tables(d, at, length);
    if (marker == M_DRI) {
        if (length != 2)
            return tx_fail_byte(d->name, at - 2, "restart interval of %d bytes, 2 expected", length);
        d->restart_interval = number16(p);
    } else if (marker >= M_SOF0 && marker <= M_SOF15 && marker != M_JPG) {
        return frame(d, marker, at, length);
    } else if (marker == M_APP0 && length >= 14 && memcmp(p, "JFIF", 5) == 0) {
        d->jfif = 1;
    } else if (marker == M_APP14 && length >= 12 && memcmp(p, "Adobe", 5) == 0) {
        d->adobe = 1;
        d->transform = p[11];
    }
    return TX_OK;
}

/* Components, tables and parameters of a scan (T.81 B.2.3). */
static tx_status scan_header(jpeg *d, size_t at, int length)
{
    const unsigned char *p = d->bytes + at;
    int n = length > 0 ? p[0] : 0;
    if (n < 1 || n > d->components || length != 4 + 2 * n)
        return tx_fail_byte(d->name, at, "scan header of %d bytes for %d of %d components", length, n, d->components);
    d->in_scan = n;
    for (int i = 0; i < n; i++) {
        jpeg_component *found = NULL;
        const unsigned char *q = p + 1 + 2 * i;
        for (int j = 0; j < d->components && !found; j++) {
            jpeg_component *c = &d->component[j];
            int used = 0;
            for (int k = 0; k < i; k++)
                used |= d->scan[k] == c;
            found = c->id == q[0] && !used ? c : NULL;
        }
        if (!found)
            return tx_fail_byte(d->name, at + 1 + 2 * (size_t)i,
                                "a scan of component %d, which the frame does not have", q[0]);
        found->dc_table = q[1] >> 4;
        found->ac_table = q[1] & 15;
        d->scan[i] = found;
    }
    p += 1 + 2 * n;
    d->from = d->progressive ? p[0] : 0;
    d->to = d->progressive ? p[1] : 63;
    d->high = d->progressive ? p[2] >> 4 : 0;
    d->low = d->progressive ? p[2] & 15 : 0;
    int units = 0;
    for (int i = 0; i < n; i++)
        units += d->scan[i]->h * d->scan[i]->v;
    if (n > 1 && units > 10)
        return tx_fail_byte(d->name, at, "%d blocks in a unit of the scan, at most 10 expected", units);
    return TX_OK;
}

/* A progressive scan sends the next bit of its coefficients, or the first ones (T.81 G.1.1.1), maybe again. */
static tx_status check_progression(jpeg *d, size_t at)
{
    int dc = d->from == 0;
    if (d->to > 63 || d->from > d->to || (dc && d->to != 0) || (!dc && d->in_scan != 1) || d->low > 13 ||
        (d->high != 0 && d->low != d->high - 1))
        return tx_fail_byte(d->name, at, "progressive scan of coefficients %d to %d, bits %d to %d, in %d components",
                            d->from, d->to, d->high, d->low, d->in_scan);
    for (int i = 0; i < d->in_scan; i++) {
        jpeg_component *c = d->scan[i];
        for (int k = d->from; k <= d->to; k++) {
            if (d->high && c->precision[k] != d->high)
                return tx_fail_byte(d->name, at,
                                    "a progressive scan sends bit %d of coefficient %d of component %d out of turn",
                                    d->low, k, c->id);
            c->precision[k] = (signed char)d->low;
        }
    }
    return TX_OK;
}

static size_t all_blocks(const jpeg *d)
{
    size_t all = 0;
    for (int i = 0; i < d->components; i++)
        all += blocks(&d->component[i]);
    return all;
}

static tx_status check_cost(jpeg *d, size_t at)
{
    uint64_t limit = (uint64_t)all_blocks(d) * MIN_WALKS;
    limit = limit < MAX_WALK ? MAX_WALK : limit;
    for (int i = 0; i < d->in_scan; i++)
        d->walked += (uint64_t)blocks(d->scan[i]) * (uint64_t)(1 + (d->to - d->from) / 8);
    if (d->scans >= MAX_SCANS)
        return tx_fail_byte(d->name, at, "more than %d scans", (int)MAX_SCANS);
    if (d->walked > limit)
        return tx_fail_byte(d->name, at, "%d scans that go over %zu blocks too often", d->scans + 1, all_blocks(d));
    return TX_OK;
}

/* Whether a table is there: of those that the file does not define, a sequential one may use the standard's, as the
 * frames of motion JPEG and strips of TIFF do. They have no symbols for progressive scans. */
static int find_table(jpeg *d, int cls, int number)
{
    jpeg_table *t = &d->table[cls][number];
    const jpeg_table *standard = d->progressive ? NULL : tx_jpeg_standard_table(cls, number);
    if (!t->defined && standard)
        *t = *standard;
    return t->defined;
}

/* The tables that a scan names must be there. */
static tx_status scan_tables(jpeg *d, size_t at)
{
    for (int i = 0; i < d->in_scan; i++) {
        jpeg_component *c = d->scan[i];
        if (c->scans++ == 0) {
            if (!d->quant_defined[c->quant])
                return tx_fail_byte(d->name, at, "quantisation table %d of component %d is missing", c->quant, c->id);
            memcpy(c->step, d->quant[c->quant], sizeof c->step);
        }
        int needed[2] = {d->from == 0 && d->high == 0, d->to > 0};
        int number[2] = {c->dc_table, c->ac_table};
        for (int cls = 0; cls < 2; cls++) {
            if (!needed[cls])
                continue;
            if (number[cls] > 3 || !find_table(d, cls, number[cls]))
                return tx_fail_byte(d->name, at, "%s Huffman table %d of component %d is missing", cls ? "AC" : "DC",
                                    number[cls], c->id);
            if (tx_jpeg_codes(d, cls, number[cls]))
                return TX_ERR_FORMAT;
        }
    }
    return TX_OK;
}

static tx_status take_plane(jpeg_component *c)
{
    c->stride = (size_t)c->blocks_wide * 8;
    c->plane = tx_alloc(c->stride, (size_t)c->blocks_high * 8);
    return c->plane ? TX_OK : TX_ERR_MEMORY;
}

static tx_status take_memory(jpeg *d)
{
    size_t bits = all_blocks(d) * (d->progressive ? 1 : 2), left = d->size - d->at;
    if (left < bits / 8)
        return tx_fail_byte(d->name, d->size,
                            "the file ends %zu bytes after its header, %d x %d pixels need at least %zu", left,
                            d->width, d->height, bits / 8);
    for (int i = 0; i < d->components; i++) {
        jpeg_component *c = &d->component[i];
        if (d->gathered)
            c->coefficient = tx_alloc(blocks(c), 64 * sizeof *c->coefficient);
        if (d->gathered ? !c->coefficient : take_plane(c) != TX_OK)
            return tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
    }
    return TX_OK;
}

/* A JFIF file is YCbCr, else the last Adobe marker decides, else the components' names do. */
static int is_rgb(const jpeg *d)
{
    const jpeg_component *c = d->component;
    if (d->components != 3 || d->jfif)
        return 0;
    if (d->adobe)
        return d->transform == 0;
    return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
}

static tx_status scan(jpeg *d)
{
    size_t at;
    int length;
    if (!d->components)
        return tx_fail_byte(d->name, d->at - 2, "a scan before the frame header");
    if (d->scans && !d->gathered)
        return tx_fail_byte(d->name, d->at - 2, "a second scan behind one of all components, EOI expected");
    tx_status status = segment(d, M_SOS, &at, &length);
    if (!status)
        status = scan_header(d, at, length);
    if (!status && d->progressive)
        status = check_progression(d, at);
    if (!status)
        status = check_cost(d, at);
    if (!status)
        status = scan_tables(d, at);
    if (!status && d->scans++ == 0) {
        d->rgb = is_rgb(d);
        d->gathered = d->progressive || d->in_scan < d->components;
        status = take_memory(d);
    }
    return status ? status : tx_jpeg_scan(d);
}

/* Whether all was sent. Of a progressive file that lacks low frequencies other decoders would guess them; high ones
 * that were never sent are zero. */
static tx_status check_complete(const jpeg *d)
{
    if (!d->components)
        return tx_fail_byte(d->name, d->at, "the image ends without a frame header");
    for (int i = 0; i < d->components; i++) {
        const jpeg_component *c = &d->component[i];
        if (!c->scans)
            return tx_fail_byte(d->name, d->at, "image data is missing: no scan of component %d", c->id);
        for (int k = 0; d->progressive && k < 10; k++)
            if (c->precision[k] != 0)
                return tx_fail_byte(d->name, d->at,
                                    "image data is missing: coefficient %d of component %d lacks its last bit", k,
                                    c->id);
    }
    return TX_OK;
}

static tx_status transform_all(jpeg *d)
{
    for (int i = 0; i < d->components; i++) {
        jpeg_component *c = &d->component[i];
        if (take_plane(c))
            return tx_fail_within(TX_ERR_MEMORY, "%s", d->name);
        const int16_t *block = c->coefficient;
        for (int y = 0; y < c->blocks_high; y++)
            for (int x = 0; x < c->blocks_wide; x++, block += 64)
                tx_jpeg_idct(block, c->step, c->plane + (size_t)y * 8 * c->stride + (size_t)x * 8, c->stride);
        tx_free(c->coefficient);
        c->coefficient = NULL;
    }
    return TX_OK;
}

static tx_status decode(jpeg *d, tx_image *out)
{
    tx_status status = TX_OK;
    int marker = 0;
    while (!status) {
        status = next_marker(d, &marker);
        if (status || marker == M_EOI)
            break;
        status = marker == M_SOS ? scan(d) : other_segment(d, marker);
    }
    if (!status)
        status = check_complete(d);
    if (!status && d->gathered)
        status = transform_all(d);
    return status ? status : tx_jpeg_pixels(d, out);
}

static jpeg *begin(const unsigned char *bytes, size_t size, const char *name)
{
    jpeg *d = tx_alloc(1, sizeof *d);
    if (!d)
        return NULL;
    tx_escape(d->name, sizeof d->name, name ? name : "image");
    d->bytes = bytes;
    d->size = size;
    d->at = 2; /* behind SOI */
    return d;
}

tx_status tx_jpeg_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out)
{
    jpeg *d = begin(bytes, size, name);
    if (!d)
        return TX_ERR_MEMORY;
    tx_status status = decode(d, out);
    for (int i = 0; i < JPEG_COMPONENTS; i++) {
        tx_free(d->component[i].coefficient);
        tx_free(d->component[i].plane);
    }
    tx_free(d);
    return status;
}

tx_status tx_jpeg_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended)
{
    jpeg *d = begin(bytes, size, name);
    if (!d)
        return TX_ERR_MEMORY;
    tx_status status = TX_OK;
    while (!status && !d->components) {
        int marker;
        status = next_marker(d, &marker);
        if (!status && (marker == M_SOS || marker == M_EOI))
            status = tx_fail_byte(d->name, d->at - 2, "no frame header before the image data");
        if (!status)
            status = other_segment(d, marker);
    }
    out->width = d->width;
    out->height = d->height;
    out->channels = d->components;
    *ended = d->ended;
    tx_free(d);
    return status;
}
