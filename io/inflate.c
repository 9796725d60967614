/* inflate.c - DEFLATE: blocks of stored bytes, or of literals and repetitions in Huffman codes (RFC 1951), and the zlib
 * format around it (RFC 1950).
 *
 * The output is whole, so it is the window: a repetition reads what stands `distance` bytes before. Codes are strict, as
 * zlib's are: a set of lengths must fill the code space, but for a single code of one bit, and no set may be beyond it.
 *
 * A code's bits come highest first while the stream gives the lowest bit of each byte first: the table of the short codes
 * is indexed by their bits reversed. Longer codes are found by counting (RFC 1951, 3.2.2): of length n the first one is
 * first[n], and the symbols stand in the order of length and value. */
#include "inflate.h"

#include <string.h>

enum { LONGEST = 15, SHORT = 10, LITERALS = 288, DISTANCES = 32, END = 256, ADLER = 65521 };

typedef struct code {
    uint16_t quick[1 << SHORT]; /* symbol << 4 | length, 0 where no short code begins so */
    uint16_t count[LONGEST + 1];
    uint16_t symbol[LITERALS];
} code;

typedef struct stream {
    const unsigned char *begin, *at, *end;
    uint64_t bits;  /* the lowest n are yet to be used */
    int n, padding; /* the last `padding` that were put in are zeros behind the end */
    unsigned char *out;
    size_t made, room;
    const char *what;
    int full;
    int fixed; /* the codes are the fixed ones */
    code literal, distance;
} stream;

static tx_status fault(stream *s, const char *what)
{
    s->what = what;
    return TX_ERR_FORMAT;
}

static tx_status fault_ended(stream *s)
{
    return fault(s, "the compressed data ends too early");
}

/* Makes at least 56 bits ready. Those above s->n may be set already, to what they will be. */
static void refill(stream *s)
{
    if (s->end - s->at >= 8) {
        const unsigned char *p = s->at;
        uint64_t word = (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
                        (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
        s->bits |= word << s->n;
        s->at += (63 - s->n) >> 3;
        s->n |= 56;
        return;
    }
    if (s->n < 56)
        s->bits &= ((uint64_t)1 << s->n) - 1;
    for (; s->n < 56; s->n += 8) {
        if (s->at < s->end)
            s->bits |= (uint64_t)*s->at++ << s->n;
        else
            s->padding += 8;
    }
}

static unsigned take(stream *s, int n)
{
    unsigned value = (unsigned)(s->bits & (((uint64_t)1 << n) - 1));
    s->bits >>= n;
    s->n -= n;
    return value;
}

/* Whether bits were used that the stream does not have. */
static int overrun(const stream *s)
{
    return s->padding > s->n;
}

/* The code of these lengths, 0 for symbols without one. `lone`: one code of one bit, or none at all, will do. */
static tx_status make_code(stream *s, code *c, const unsigned char *length, int symbols, int lone)
{
    uint16_t start[LONGEST + 2] = {0};
    int left = 1, longest = 0;
    memset(c->count, 0, sizeof c->count);
    memset(c->quick, 0, sizeof c->quick);
    for (int i = 0; i < symbols; i++)
        c->count[length[i]]++;
    c->count[0] = 0;
    for (int n = 1; n <= LONGEST; n++) {
        left = 2 * left - c->count[n];
        longest = c->count[n] ? n : longest;
        start[n + 1] = (uint16_t)(start[n] + c->count[n]);
        if (left < 0)
            return fault(s, "a Huffman code with more codes than its lengths have room for");
    }
    if (left > 0 && !(lone && longest <= 1))
        return fault(s, "a Huffman code that leaves codes unused");
    for (int i = 0; i < symbols; i++)
        if (length[i])
            c->symbol[start[length[i]]++] = (uint16_t)i;
    unsigned next = 0, at = 0;
    for (int n = 1; n <= SHORT; n++, next <<= 1)
        for (int k = 0; k < c->count[n]; k++, next++, at++) {
            unsigned reversed = 0;
            for (int b = 0; b < n; b++)
                reversed |= (next >> b & 1) << (n - 1 - b);
            for (unsigned i = reversed; i < 1 << SHORT; i += 1u << n)
                c->quick[i] = (uint16_t)(c->symbol[at] << 4 | n);
        }
    return TX_OK;
}

/* The next symbol, -1 if no code begins with these bits. At least 15 bits are ready. */
static int symbol(stream *s, const code *c)
{
    unsigned entry = c->quick[s->bits & ((1 << SHORT) - 1)];
    if (entry) {
        take(s, entry & 15);
        return (int)(entry >> 4);
    }
    int value = 0, first = 0, at = 0;
    for (int n = 1; n <= LONGEST; n++) {
        value |= (int)take(s, 1);
        if (value - first < c->count[n])
            return c->symbol[at + value - first];
        at += c->count[n];
        first = (first + c->count[n]) << 1;
        value <<= 1;
    }
    return -1;
}

/* Bytes as they are, behind the next boundary of bytes (3.2.4). */
static tx_status stored(stream *s)
{
    take(s, s->n & 7);
    refill(s);
    unsigned length = take(s, 16), inverse = take(s, 16);
    if (overrun(s))
        return fault_ended(s);
    if (length != (inverse ^ 0xffff))
        return fault(s, "the length of a stored block differs from its complement");
    /* What was read ahead is given back: whole bytes. */
    s->at -= (s->n - s->padding) / 8;
    s->n = s->padding = 0;
    s->bits = 0;
    size_t left = (size_t)(s->end - s->at), fits = s->room - s->made, n = length < fits ? length : fits;
    if (left < n)
        return fault_ended(s);
    if (n)
        memcpy(s->out + s->made, s->at, n);
    s->at += n;
    s->made += n;
    s->full = n < length;
    return s->full ? fault(s, "the data becomes more than expected") : TX_OK;
}

/* Lengths of the codes of a block, themselves in a code (3.2.7). */
static tx_status read_codes(stream *s)
{
    static const unsigned char order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char length[LITERALS + DISTANCES] = {0};
    s->fixed = 0;
    refill(s);
    int literals = (int)take(s, 5) + 257, distances = (int)take(s, 5) + 1, lengths = (int)take(s, 4) + 4;
    if (literals > 286 || distances > 30)
        return fault(s, "a block with more than 286 literal or 30 distance codes");
    for (int i = 0; i < lengths; i++) {
        refill(s);
        length[order[i]] = (unsigned char)take(s, 3);
    }
    if (overrun(s))
        return fault_ended(s);
    if (make_code(s, &s->literal, length, 19, 0))
        return TX_ERR_FORMAT;
    memset(length, 0, sizeof length);
    for (int i = 0; i < literals + distances;) {
        refill(s);
        int value = symbol(s, &s->literal), repeat = 1;
        if (value == 16)
            repeat = 3 + (int)take(s, 2);
        else if (value > 16)
            repeat = value == 17 ? 3 + (int)take(s, 3) : 11 + (int)take(s, 7);
        if (overrun(s))
            return fault_ended(s);
        if (value < 0 || (value == 16 && i == 0) || repeat > literals + distances - i)
            return fault(s, "lengths of codes that are repeated too often or repeat nothing");
        value = value == 16 ? length[i - 1] : value > 16 ? 0 : value;
        memset(length + i, value, (size_t)repeat);
        i += repeat;
    }
    if (length[END] == 0)
        return fault(s, "a block without a code for its end");
    tx_status status = make_code(s, &s->literal, length, literals, 1);
    return status ? status : make_code(s, &s->distance, length + literals, distances, 1);
}

/* Made once for all blocks of the kind in a row: of these a byte can hold almost one. */
static tx_status fixed_codes(stream *s)
{
    unsigned char length[LITERALS];
    if (s->fixed)
        return TX_OK;
    s->fixed = 1;
    memset(length, 8, 144);
    memset(length + 144, 9, 112);
    memset(length + 256, 7, 24);
    memset(length + 280, 8, 8);
    tx_status status = make_code(s, &s->literal, length, LITERALS, 0);
    memset(length, 5, DISTANCES);
    return status ? status : make_code(s, &s->distance, length, DISTANCES, 0);
}

/* out[made..made + length) becomes what stands `distance` before it; the two may overlap. */
static void repeat(stream *s, size_t length, size_t distance)
{
    unsigned char *to = s->out + s->made;
    const unsigned char *from = to - distance;
    s->made += length;
    if (distance >= length)
        memcpy(to, from, length);
    else if (distance == 1)
        memset(to, *from, length);
    else
        for (size_t i = 0; i < length; i++)
            to[i] = from[i];
}

/* Symbol 257 and above: a repetition (3.2.5). */
static tx_status repetition(stream *s, int value)
{
    static const uint16_t length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                             31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                               33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                               1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    if (value - 257 >= 29)
        return fault(s, "a length code that does not exist");
    size_t length = length_base[value - 257] + take(s, length_bits[value - 257]);
    int by = symbol(s, &s->distance);
    if (overrun(s))
        return fault_ended(s);
    if (by < 0 || by >= 30)
        return fault(s, "a distance code that does not exist");
    size_t distance = distance_base[by] + take(s, by < 2 ? 0 : by / 2 - 1);
    if (overrun(s))
        return fault_ended(s);
    if (distance > s->made)
        return fault(s, "a repetition of what stands before the data");
    s->full = length > s->room - s->made;
    repeat(s, s->full ? s->room - s->made : length, distance);
    return s->full ? fault(s, "the data becomes more than expected") : TX_OK;
}

/* Of a repetition 48 bits are used at most. */
static tx_status coded(stream *s)
{
    for (;;) {
        if (s->n < 48)
            refill(s);
        int value = symbol(s, &s->literal);
        if (overrun(s))
            return fault_ended(s);
        if (value == END)
            return TX_OK;
        if (value < 0)
            return fault(s, "a literal code that does not exist");
        if (value > END) {
            if (repetition(s, value))
                return TX_ERR_FORMAT;
        } else if (s->made < s->room) {
            s->out[s->made++] = (unsigned char)value;
        } else {
            s->full = 1;
            return fault(s, "the data becomes more than expected");
        }
    }
}

static tx_status blocks(stream *s)
{
    for (int last = 0; !last;) {
        refill(s);
        last = (int)take(s, 1);
        unsigned kind = take(s, 2);
        if (overrun(s))
            return fault_ended(s);
        if (kind == 3)
            return fault(s, "a block of a type that does not exist");
        tx_status status = kind == 0 ? stored(s) : kind == 1 ? fixed_codes(s) : read_codes(s);
        if (!status && kind)
            status = coded(s);
        if (status)
            return status;
    }
    return TX_OK;
}

tx_status tx_inflate(const unsigned char *bytes, size_t size, unsigned char *out, size_t room, tx_inflated *how)
{
    stream *s = tx_alloc(1, sizeof *s);
    memset(how, 0, sizeof *how);
    if (!s)
        return TX_ERR_MEMORY;
    s->begin = s->at = bytes;
    s->end = bytes + size;
    s->out = out;
    s->room = room;
    tx_status status = blocks(s);
    int ahead = s->n > s->padding ? (s->n - s->padding) / 8 : 0;
    how->used = (size_t)(s->at - s->begin) - (size_t)ahead;
    how->made = s->made;
    how->what = s->what;
    how->full = s->full;
    tx_free(s);
    return status;
}

uint32_t tx_adler32(const unsigned char *p, size_t n)
{
    uint32_t a = 1, b = 0;
    while (n) {
        size_t piece = n < 5552 ? n : 5552; /* sums of so many stay below 2^32 */
        n -= piece;
        for (; piece; piece--) {
            a += *p++;
            b += a;
        }
        a %= ADLER;
        b %= ADLER;
    }
    return b << 16 | a;
}

/* What is wrong with zlib's two bytes (RFC 1950, 2.2), or NULL. */
static const char *header_fault(const unsigned char *p, size_t size)
{
    if (size < 2)
        return "the compressed data ends too early";
    if ((p[0] << 8 | p[1]) % 31)
        return "no zlib header";
    if ((p[0] & 15) != 8 || p[0] >> 4 > 7)
        return "compressed in another way than by DEFLATE with a window of 32 KiB";
    return p[1] & 32 ? "compressed with a preset dictionary" : NULL;
}

tx_status tx_zlib_inflate(const unsigned char *bytes, size_t size, unsigned char *out, size_t room, tx_inflated *how)
{
    memset(how, 0, sizeof *how);
    how->what = header_fault(bytes, size);
    if (how->what)
        return TX_ERR_FORMAT;
    tx_status status = tx_inflate(bytes + 2, size - 2, out, room, how);
    how->used += status == TX_ERR_MEMORY ? 0 : 2;
    if (status)
        return status;
    const unsigned char *p = bytes + how->used;
    if (size - how->used < 4)
        how->what = "the compressed data ends too early";
    else if (((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) != tx_adler32(out, how->made))
        how->what = "the checksum (Adler-32) of the data is wrong";
    else
        how->used += 4;
    return how->what ? TX_ERR_FORMAT : TX_OK;
}

size_t tx_inflate_most(size_t size)
{
    return size > SIZE_MAX / 1032 ? SIZE_MAX : size * 1032;
}
