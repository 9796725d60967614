/* jpeg_huffman.c - from the bits of a scan to blocks of coefficients (ITU-T T.81, annexes C, F.2 and G.2).
 *
 * In the data a byte FF is followed by 00; FF and another byte are a marker and end it. The reader then goes on with
 * zeros and counts them, so that a block is decoded without a test a bit; a block that has used one of them is
 * missing.
 */
#include "jpeg.h"

#include <string.h>

enum { BAD_CODE = -1 };

/* ------------------------------------------------------------------------------------------- bits */

/* Leaves at least 48 bits to be used. */
static void refill_slowly(jpeg_reader *r)
{
    while (r->n <= 48) {
        unsigned byte = 0;
        const unsigned char *p = r->at;
        if (p < r->end && *p != 0xff) {
            byte = *p;
            r->at = p + 1;
        } else {
            while (p < r->end && *p == 0xff)
                p++;
            if (p > r->at && p < r->end && *p == 0) {
                byte = 0xff;
                r->at = p + 1;
            } else {
                r->padding += 8;
            }
        }
        r->bits = r->bits << 8 | byte;
        r->n += 8;
    }
}

/* Leaves at least 32 bits to be used: the longest code and the longest value behind it have 16 + 15. */
static inline void refill(jpeg_reader *r)
{
    if (r->n >= 32)
        return;
    if (r->end - r->at >= 4) {
        const unsigned char *p = r->at;
        uint32_t word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        /* no byte of word is FF: no byte of its complement is 0 */
        if (((~word - 0x01010101u) & word & 0x80808080u) == 0) {
            r->bits = r->bits << 32 | word;
            r->n += 32;
            r->at = p + 4;
            return;
        }
    }
    refill_slowly(r);
}

static inline int peek(const jpeg_reader *r, int n)
{
    return (int)(r->bits >> (r->n - n) & (((uint64_t)1 << n) - 1));
}

static inline int take(jpeg_reader *r, int n)
{
    int bits = peek(r, n);
    r->n -= n;
    return bits;
}

/* T.81 F.2.2.1: n bits, of which the first says the sign. */
static inline int extend(int bits, int n)
{
    return n > 0 && bits < 1 << (n - 1) ? bits - (1 << n) + 1 : bits;
}

static inline int take_value(jpeg_reader *r, int n)
{
    return extend(take(r, n), n);
}

/* ------------------------------------------------------------------------------------------ codes */

static void fill_look(jpeg_codes *t, int code, int length, int symbol)
{
    int spare = JPEG_LOOK - length, size = symbol & 15;
    for (int i = 0; i < 1 << spare; i++) {
        jpeg_look *e = &t->look[(code << spare) + i];
        e->symbol = (unsigned char)symbol;
        e->length = (unsigned char)length;
        e->value = 0;
        if (size > 0 && size <= spare) {
            e->value = (int16_t)extend(i >> (spare - size), size);
            e->length = (unsigned char)(length + size);
        }
    }
}

tx_status tx_jpeg_codes(jpeg *d, int cls, int number)
{
    const jpeg_table *from = &d->table[cls][number];
    jpeg_codes *t = &d->codes[cls][number];
    memset(t->look, 0, sizeof t->look);
    memcpy(t->symbol, from->symbol, sizeof t->symbol);
    int code = 0, k = 0;
    for (int length = 1; length <= 16; length++) {
        t->first[length] = k - code;
        for (int i = 0; i < from->count[length]; i++, k++, code++) {
            if (cls == 0 && t->symbol[k] > 15)
                return tx_fail_byte(d->name, d->at, "DC Huffman table %d has the symbol %d, at most 15 expected",
                                    number, t->symbol[k]);
            if (code < (1 << length) - 1 && length <= JPEG_LOOK)
                fill_look(t, code, length, t->symbol[k]);
        }
        /* the code of ones alone is not used (T.81 C.2) */
        if (code >= 1 << length)
            return tx_fail_byte(d->name, d->at, "%s Huffman table %d has too many codes of length %d",
                                cls ? "AC" : "DC", number, length);
        t->limit[length] = code;
        code <<= 1;
    }
    return TX_OK;
}

/* The symbol of a code longer than JPEG_LOOK bits. */
static int long_symbol(jpeg_reader *r, const jpeg_codes *t)
{
    int bits = peek(r, 16);
    for (int length = JPEG_LOOK + 1; length <= 16; length++) {
        int code = bits >> (16 - length);
        if (code < t->limit[length]) {
            r->n -= length;
            return t->symbol[t->first[length] + code];
        }
    }
    return BAD_CODE;
}

/* A run and a size, and the value behind them where that came along (else 0). Call with 32 bits to be used. */
static inline int take_symbol(jpeg_reader *r, const jpeg_codes *t, int *value)
{
    const jpeg_look *e = &t->look[peek(r, JPEG_LOOK)];
    *value = e->value;
    if (e->length == 0)
        return long_symbol(r, t);
    r->n -= e->length;
    return e->symbol;
}

/* ----------------------------------------------------------------------------------------- blocks
 * All return 0, or BAD_CODE: no such code, or coefficients beyond the band. Values are kept in 16 bits whatever a
 * hostile file makes of them. */

static inline int16_t low16(int v)
{
    return (int16_t)(uint16_t)(unsigned)v;
}

static int take_dc(jpeg *d, jpeg_component *c)
{
    jpeg_reader *r = &d->reader;
    int value;
    refill(r);
    int size = take_symbol(r, &d->codes[0][c->dc_table], &value);
    if (size < 0)
        return BAD_CODE;
    if (size > 0 && value == 0)
        value = take_value(r, size);
    c->dc += value;
    return c->dc > 1 << 28 || c->dc < -(1 << 28) ? BAD_CODE : 0;
}

static inline int sequential_ac(jpeg_reader *r, const jpeg_codes *t, int16_t *block)
{
    int k = 1;
    while (k < 64) {
        int value;
        refill(r);
        int symbol = take_symbol(r, t, &value);
        if (value == 0) {
            int size = symbol & 15;
            if (symbol == 0)
                return 0;
            if (symbol < 0 || (size == 0 && symbol != 0xf0))
                return BAD_CODE;
            if (size == 0) {
                k += 16;
                continue;
            }
            value = take_value(r, size);
        }
        k += symbol >> 4;
        if (k > 63)
            return BAD_CODE;
        block[tx_jpeg_zigzag[k++]] = (int16_t)value;
    }
    return k > 64 ? BAD_CODE : 0;
}

static int sequential_block(jpeg *d, jpeg_component *c, int16_t *block)
{
    if (take_dc(d, c))
        return BAD_CODE;
    block[0] = low16(c->dc);
    jpeg_reader reader = d->reader; /* a copy can live in registers */
    int bad = sequential_ac(&reader, &d->codes[1][c->ac_table], block);
    d->reader = reader;
    return bad;
}

static int dc_first(jpeg *d, jpeg_component *c, int16_t *block)
{
    if (take_dc(d, c))
        return BAD_CODE;
    block[0] = low16((int)((unsigned)c->dc << d->low));
    return 0;
}

static int dc_refine(jpeg *d, jpeg_component *c, int16_t *block)
{
    (void)c;
    refill(&d->reader);
    if (take(&d->reader, 1))
        block[0] = low16(block[0] | 1 << d->low);
    return 0;
}

static int ac_first(jpeg *d, jpeg_component *c, int16_t *block)
{
    jpeg_reader *r = &d->reader;
    const jpeg_codes *t = &d->codes[1][c->ac_table];
    if (d->eob_run > 0) {
        d->eob_run--;
        return 0;
    }
    int k = d->from;
    while (k <= d->to) {
        int value;
        refill(r);
        int symbol = take_symbol(r, t, &value);
        if (symbol < 0)
            return BAD_CODE;
        int run = symbol >> 4, size = symbol & 15;
        if (size == 0 && run < 15) {
            d->eob_run = (1 << run) - 1 + take(r, run);
            return 0;
        }
        k += run;
        if (size > 0) {
            if (value == 0)
                value = take_value(r, size);
            if (k > d->to)
                return BAD_CODE;
            block[tx_jpeg_zigzag[k]] = low16(value * (1 << d->low));
        }
        k++;
    }
    return k > d->to + 1 ? BAD_CODE : 0;
}

/* One more bit for a coefficient that is not 0. */
static inline void refine(jpeg *d, int16_t *coefficient)
{
    int bit = 1 << d->low;
    refill(&d->reader);
    if (take(&d->reader, 1) && !(*coefficient & bit))
        *coefficient = low16(*coefficient + (*coefficient > 0 ? bit : -bit));
}

/* Goes over coefficients from k on, refining those that are not 0, until `zeros` others have been passed and one more
 * is reached, or the band ends. Returns where. */
static int refine_over(jpeg *d, int16_t *block, int k, int zeros)
{
    for (; k <= d->to; k++) {
        int16_t *coefficient = &block[tx_jpeg_zigzag[k]];
        if (*coefficient != 0)
            refine(d, coefficient);
        else if (--zeros < 0)
            break;
    }
    return k;
}

static int ac_refine(jpeg *d, jpeg_component *c, int16_t *block)
{
    jpeg_reader *r = &d->reader;
    const jpeg_codes *t = &d->codes[1][c->ac_table];
    int k = d->from;
    if (d->eob_run == 0) {
        while (k <= d->to) {
            int value;
            refill(r);
            int symbol = take_symbol(r, t, &value);
            if (symbol < 0)
                return BAD_CODE;
            int run = symbol >> 4, size = symbol & 15;
            if (size == 0 && run < 15) {
                d->eob_run = (1 << run) + take(r, run);
                break;
            }
            if (size > 1)
                return BAD_CODE;
            if (size == 1 && value == 0)
                value = take_value(r, 1);
            k = refine_over(d, block, k, run);
            if (size == 1) {
                if (k > d->to)
                    return BAD_CODE;
                block[tx_jpeg_zigzag[k]] = low16(value * (1 << d->low));
            }
            k++;
        }
    }
    if (d->eob_run > 0) {
        refine_over(d, block, k, 64);
        d->eob_run--;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------ scans */

static void restart(jpeg *d)
{
    d->reader.n = d->reader.padding = 0;
    d->reader.bits = 0;
    d->eob_run = 0;
    for (int i = 0; i < d->in_scan; i++)
        d->scan[i]->dc = 0;
}

/* Goes behind restart marker `number` (0..7). */
static tx_status restart_marker(jpeg *d, int number)
{
    const unsigned char *p = d->reader.at, *end = d->reader.end;
    for (;;) {
        while (p < end && *p != 0xff)
            p++;
        while (p < end && *p == 0xff)
            p++;
        if (p == end)
            return tx_fail_byte(d->name, d->size, "the image data ends before restart marker %d", number);
        if (*p != 0)
            break;
    }
    if (*p != 0xd0 + number)
        return tx_fail_byte(d->name, (size_t)(p - 1 - d->bytes), "marker FF%02X, restart marker %d expected", *p,
                            number);
    d->reader.at = p + 1;
    restart(d);
    return TX_OK;
}

typedef int block_reader(jpeg *d, jpeg_component *c, int16_t *block);

static block_reader *choose(const jpeg *d)
{
    if (!d->progressive)
        return sequential_block;
    if (d->from == 0)
        return d->high ? dc_refine : dc_first;
    return d->high ? ac_refine : ac_first;
}

/* Reads block (x,y) of a component. Blocks that fill up a unit beyond the component's edge are read and dropped. */
static tx_status read_block(jpeg *d, block_reader *read, jpeg_component *c, int x, int y)
{
    int inside = x < c->blocks_wide && y < c->blocks_high;
    int16_t local[64], *block = local;
    if (d->gathered && inside)
        block = c->coefficient + ((size_t)y * (size_t)c->blocks_wide + (size_t)x) * 64;
    else
        memset(local, 0, sizeof local);
    int bad = read(d, c, block);
    if (d->reader.n < d->reader.padding)
        return tx_fail_byte(d->name, (size_t)(d->reader.at - d->bytes),
                            "the image data ends, in scan %d, component %d, block %d,%d of %d,%d", d->scans, c->id, x,
                            y, c->blocks_wide, c->blocks_high);
    if (bad)
        return tx_fail_byte(d->name, (size_t)(d->reader.at - d->bytes),
                            "bad Huffman code, in scan %d, component %d, block %d,%d of %d,%d", d->scans, c->id, x, y,
                            c->blocks_wide, c->blocks_high);
    if (!d->gathered && inside)
        tx_jpeg_idct(block, c->step, c->plane + (size_t)y * 8 * c->stride + (size_t)x * 8, c->stride);
    return TX_OK;
}

/* One unit of a scan: a block if it has one component, else h x v blocks of each (T.81 A.2). */
static tx_status read_unit(jpeg *d, block_reader *read, int x, int y)
{
    if (d->in_scan == 1)
        return read_block(d, read, d->scan[0], x, y);
    for (int i = 0; i < d->in_scan; i++) {
        jpeg_component *c = d->scan[i];
        for (int v = 0; v < c->v; v++)
            for (int h = 0; h < c->h; h++)
                if (read_block(d, read, c, x * c->h + h, y * c->v + v))
                    return TX_ERR_FORMAT;
    }
    return TX_OK;
}

tx_status tx_jpeg_scan(jpeg *d)
{
    int wide = d->scan[0]->blocks_wide, high = d->scan[0]->blocks_high;
    if (d->in_scan > 1) {
        wide = (d->width + 8 * d->max_h - 1) / (8 * d->max_h);
        high = (d->height + 8 * d->max_v - 1) / (8 * d->max_v);
    }
    block_reader *read = choose(d);
    d->reader.at = d->bytes + d->at;
    d->reader.end = d->bytes + d->size;
    restart(d);
    int left = d->restart_interval, number = 0;
    for (int y = 0; y < high; y++) {
        for (int x = 0; x < wide; x++) {
            if (d->restart_interval && left == 0) {
                if (restart_marker(d, number))
                    return TX_ERR_FORMAT;
                number = (number + 1) & 7;
                left = d->restart_interval;
            }
            left--;
            if (read_unit(d, read, x, y))
                return TX_ERR_FORMAT;
        }
    }
    d->at = (size_t)(d->reader.at - d->bytes);
    return TX_OK;
}
