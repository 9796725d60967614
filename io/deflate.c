/* deflate.c - DEFLATE, the other way round (RFC 1951) than inflate.c, and the zlib format around it (RFC 1950).
 *
 * Repetitions are found by chains of the places at which the same three bytes stood (hash chains, as RFC 1951, section 4
 * describes them), the nearest first and TRIES of them at most; one byte on there may be a longer one, which is then taken
 * (lazy matching). What was found is gathered as tokens; a full block of them is written in that one of the three ways that
 * takes the fewest bits. Codes are Huffman's (1952); where one would be longer than the format allows, counts are halved
 * until none is. */
#include "deflate.h"
#include "inflate.h"

#include <string.h>

enum {
    LONGEST = 15,
    LITERALS = 286,
    DISTANCES = 30,
    LENGTHS = 19,
    END = 256,
    WINDOW = 1 << 15,
    LEAST = 3,
    MOST = 258,
    TRIES = 64,
    HASHES = 1 << 15,
    TOKENS = 1 << 14,
    STORED = 65535
};

/* A literal, which is `length`, where distance is 0; else a repetition. */
typedef struct token {
    uint16_t length, distance;
} token;

typedef struct code {
    unsigned char length[LITERALS + 2];
    uint16_t bits[LITERALS + 2]; /* the first bit lowest */
} code;

typedef struct deflater {
    const unsigned char *in;
    size_t size;
    unsigned char *out;
    size_t made, room;
    uint64_t bits; /* the lowest n are yet to be written */
    int n;
    tx_status status;
    size_t head[HASHES], before[WINDOW]; /* places + 1; 0: none */
    token token[TOKENS];
    size_t tokens;
    uint32_t literal[LITERALS], distance[DISTANCES]; /* how often each symbol stands in the block */
    code literals, distances;
} deflater;

/* ---------------------------------------------------------------------------------------------- bits */
static void put_byte(deflater *d, unsigned byte)
{
    if (d->status == TX_OK && d->made == d->room)
        d->status = tx_grow((void **)&d->out, &d->room, d->made + 1, 1);
    if (d->status == TX_OK)
        d->out[d->made++] = (unsigned char)byte;
}

/* At most 32 bits, the lowest first. */
static void put(deflater *d, unsigned value, int n)
{
    d->bits |= (uint64_t)value << d->n;
    for (d->n += n; d->n >= 8; d->n -= 8, d->bits >>= 8)
        put_byte(d, (unsigned)(d->bits & 255));
}

static void put_symbol(deflater *d, const code *c, int symbol)
{
    put(d, c->bits[symbol], c->length[symbol]);
}

/* ------------------------------------------------------------------------- symbols (RFC 1951, 3.2.5) */
static int log2_floor(unsigned v)
{
    int n = 0;
    while (v >>= 1)
        n++;
    return n;
}

/* Symbol of a length 3..258, and its further bits. */
static int length_symbol(unsigned length, int *more, unsigned *value)
{
    unsigned v = length - LEAST;
    *more = v < 8 || length == MOST ? 0 : log2_floor(v) - 2;
    *value = v & ((1u << *more) - 1);
    return length == MOST ? END + 29 : END + 1 + 4 * *more + (int)(v >> *more);
}

/* Symbol of a distance 1..32768, and its further bits. */
static int distance_symbol(unsigned distance, int *more, unsigned *value)
{
    unsigned v = distance - 1;
    *more = v < 4 ? 0 : log2_floor(v) - 1;
    *value = v & ((1u << *more) - 1);
    return 2 * *more + (int)(v >> *more);
}

/* --------------------------------------------------------------------------------------------- codes */
/* Of the trees without a parent the one of least weight, the first of equal ones, but not `other`; -1: there is none. */
static int lightest(const uint64_t *weight, const int *parent, int n, int other)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (weight[i] && parent[i] < 0 && i != other && (best < 0 || weight[i] < weight[best]))
            best = i;
    return best;
}

/* Huffman's lengths for these weights. Returns the longest. */
static int huffman(const uint32_t *count, int symbols, unsigned char *length)
{
    uint64_t weight[2 * LITERALS];
    int parent[2 * LITERALS], n = symbols, longest = 0;
    for (int i = 0; i < 2 * symbols; i++) {
        weight[i] = i < symbols ? count[i] : 0;
        parent[i] = -1;
    }
    for (;; n++) {
        int a = lightest(weight, parent, n, -1), b = lightest(weight, parent, n, a);
        if (b < 0)
            break;
        weight[n] = weight[a] + weight[b];
        parent[a] = parent[b] = n;
    }
    for (int i = 0; i < symbols; i++) {
        int depth = 0;
        for (int k = i; parent[k] >= 0; k = parent[k])
            depth++;
        length[i] = (unsigned char)(count[i] && depth == 0 ? 1 : depth); /* a symbol alone */
        longest = length[i] > longest ? length[i] : longest;
    }
    return longest;
}

/* Codes from lengths (RFC 1951, 3.2.2). */
static void number_codes(code *c, int symbols)
{
    unsigned next = 0;
    for (int n = 1; n <= LONGEST; n++, next <<= 1)
        for (int i = 0; i < symbols; i++) {
            if (c->length[i] != n)
                continue;
            unsigned reversed = 0;
            for (int b = 0; b < n; b++)
                reversed |= (next >> b & 1) << (n - 1 - b);
            c->bits[i] = (uint16_t)reversed;
            next++;
        }
}

static void make_code(code *c, const uint32_t *count, int symbols, int limit)
{
    uint32_t smaller[LITERALS];
    memcpy(smaller, count, (size_t)symbols * sizeof *smaller);
    while (huffman(smaller, symbols, c->length) > limit)
        for (int i = 0; i < symbols; i++)
            smaller[i] = (smaller[i] + 1) / 2;
    number_codes(c, symbols);
}

static void fixed_codes(code *literals, code *distances)
{
    memset(literals->length, 8, 144);
    memset(literals->length + 144, 9, 112);
    memset(literals->length + 256, 7, 24);
    memset(literals->length + 280, 8, 8);
    memset(distances->length, 5, DISTANCES);
    number_codes(literals, LITERALS + 2);
    number_codes(distances, DISTANCES);
}

/* --------------------------------------------------------------------------------------------- blocks */
/* The lengths of both codes as a block's head has them (3.2.7): symbols 0..15, 16 repeats the last one, 17 and 18 zeros. */
typedef struct lengths {
    unsigned char symbol[LITERALS + DISTANCES], value[LITERALS + DISTANCES]; /* value: of the further bits */
    int symbols, literals, distances;
    uint32_t count[LENGTHS];
    code code;
    int codes; /* of those in `length_order` */
} lengths;

static const unsigned char length_order[LENGTHS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static int length_bits(int symbol)
{
    return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

static void add_length(lengths *l, int symbol, int value)
{
    l->symbol[l->symbols] = (unsigned char)symbol;
    l->value[l->symbols++] = (unsigned char)value;
    l->count[symbol]++;
}

/* `run` equal lengths. */
static void add_run(lengths *l, int length, int run)
{
    while (length == 0 && run >= 3) {
        int n = run < 138 ? run : 138;
        add_length(l, n < 11 ? 17 : 18, n < 11 ? n - 3 : n - 11);
        run -= n;
    }
    if (run > 0) {
        add_length(l, length, 0);
        run--;
    }
    while (run >= 3) {
        int n = run < 6 ? run : 6;
        add_length(l, 16, n - 3);
        run -= n;
    }
    while (run-- > 0)
        add_length(l, length, 0);
}

static void describe_codes(const deflater *d, lengths *l)
{
    unsigned char all[LITERALS + DISTANCES];
    memset(l, 0, sizeof *l);
    for (l->literals = LITERALS; l->literals > END + 1 && d->literals.length[l->literals - 1] == 0;)
        l->literals--;
    for (l->distances = DISTANCES; l->distances > 1 && d->distances.length[l->distances - 1] == 0;)
        l->distances--;
    int n = l->literals + l->distances;
    memcpy(all, d->literals.length, (size_t)l->literals);
    memcpy(all + l->literals, d->distances.length, (size_t)l->distances);
    for (int i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && all[i + run] == all[i];)
            run++;
        add_run(l, all[i], run);
    }
    make_code(&l->code, l->count, LENGTHS, 7);
    for (l->codes = LENGTHS; l->codes > 4 && l->code.length[length_order[l->codes - 1]] == 0;)
        l->codes--;
}

static uint64_t head_bits(const lengths *l)
{
    uint64_t bits = 14 + 3 * (uint64_t)l->codes;
    for (int i = 0; i < LENGTHS; i++)
        bits += (uint64_t)l->count[i] * (uint64_t)(l->code.length[i] + length_bits(i));
    return bits;
}

static void put_head(deflater *d, const lengths *l)
{
    put(d, (unsigned)(l->literals - 257), 5);
    put(d, (unsigned)(l->distances - 1), 5);
    put(d, (unsigned)(l->codes - 4), 4);
    for (int i = 0; i < l->codes; i++)
        put(d, l->code.length[length_order[i]], 3);
    for (int i = 0; i < l->symbols; i++) {
        put_symbol(d, &l->code, l->symbol[i]);
        put(d, l->value[i], length_bits(l->symbol[i]));
    }
}

/* Bits of the block's symbols but those further ones that are the same in any code. */
static uint64_t symbol_bits(const deflater *d, const code *literals, const code *distances)
{
    uint64_t bits = 0;
    for (int i = 0; i < LITERALS; i++)
        bits += (uint64_t)d->literal[i] * literals->length[i];
    for (int i = 0; i < DISTANCES; i++)
        bits += (uint64_t)d->distance[i] * distances->length[i];
    return bits;
}

static void put_tokens(deflater *d, const code *literals, const code *distances)
{
    for (size_t i = 0; i < d->tokens; i++) {
        const token *t = &d->token[i];
        int more;
        unsigned value;
        if (t->distance == 0) {
            put_symbol(d, literals, t->length);
            continue;
        }
        put_symbol(d, literals, length_symbol(t->length, &more, &value));
        put(d, value, more);
        put_symbol(d, distances, distance_symbol(t->distance, &more, &value));
        put(d, value, more);
    }
    put_symbol(d, literals, END);
}

/* in[from..to) as it is. */
static void put_stored(deflater *d, size_t from, size_t to, int last)
{
    do {
        size_t n = to - from < STORED ? to - from : STORED;
        put(d, last && n == to - from, 1);
        put(d, 0, 2);
        put(d, 0, (8 - d->n) % 8);
        put(d, (unsigned)n, 16);
        put(d, (unsigned)n ^ 0xffff, 16);
        for (size_t i = 0; i < n; i++)
            put_byte(d, d->in[from + i]);
        from += n;
    } while (from < to);
}

static uint64_t further_bits(const deflater *d)
{
    uint64_t bits = 0;
    for (int i = 8; i < 28; i++)
        bits += (uint64_t)d->literal[END + 1 + i] * (uint64_t)(i / 4 - 1);
    for (int i = 4; i < DISTANCES; i++)
        bits += (uint64_t)d->distance[i] * (uint64_t)(i / 2 - 1);
    return bits;
}

/* The tokens, which are in[from..to). */
static void end_block(deflater *d, size_t from, size_t to, int last)
{
    code literals, distances;
    lengths l;
    d->literal[END] = 1;
    make_code(&d->literals, d->literal, LITERALS, LONGEST);
    make_code(&d->distances, d->distance, DISTANCES, LONGEST);
    fixed_codes(&literals, &distances);
    describe_codes(d, &l);
    uint64_t own = head_bits(&l) + symbol_bits(d, &d->literals, &d->distances);
    uint64_t fixed = symbol_bits(d, &literals, &distances), least = own < fixed ? own : fixed;
    if (least + further_bits(d) >= 8 * (uint64_t)(to - from) + 40 * (uint64_t)((to - from) / STORED + 1)) {
        put_stored(d, from, to, last);
    } else {
        put(d, (unsigned)last, 1);
        put(d, own < fixed ? 2 : 1, 2);
        if (own < fixed)
            put_head(d, &l);
        put_tokens(d, own < fixed ? &d->literals : &literals, own < fixed ? &d->distances : &distances);
    }
    d->tokens = 0;
    memset(d->literal, 0, sizeof d->literal);
    memset(d->distance, 0, sizeof d->distance);
}

/* --------------------------------------------------------------------------------------- repetitions */
static size_t hash(const unsigned char *p)
{
    return ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16) * 2654435761u >> 17;
}

static void insert(deflater *d, size_t at)
{
    if (d->size - at < LEAST)
        return;
    size_t h = hash(d->in + at);
    d->before[at % WINDOW] = d->head[h];
    d->head[h] = at + 1;
}

/* The longest repetition at that place of what stands before it; length below LEAST: none. */
static token find(const deflater *d, size_t at)
{
    token best = {0, 0};
    size_t left = d->size - at, most = left < MOST ? left : MOST;
    if (left < LEAST)
        return best;
    const unsigned char *here = d->in + at;
    size_t next = d->head[hash(here)];
    for (int i = 0; i < TRIES && next && at + 1 - next <= WINDOW && best.length < most; i++) {
        const unsigned char *there = d->in + (next - 1);
        size_t n = 0;
        if (there[best.length] == here[best.length])
            while (n < most && there[n] == here[n])
                n++;
        if (n > best.length)
            best = (token){(uint16_t)n, (uint16_t)(at + 1 - next)};
        size_t older = d->before[(next - 1) % WINDOW];
        next = older < next ? older : 0;
    }
    if (best.length < LEAST)
        best.length = 0;
    return best;
}

static void add_token(deflater *d, token t)
{
    int more;
    unsigned value;
    d->token[d->tokens++] = t;
    d->literal[t.distance ? length_symbol(t.length, &more, &value) : t.length]++;
    if (t.distance)
        d->distance[distance_symbol(t.distance, &more, &value)]++;
}

static void compress(deflater *d)
{
    size_t from = 0, at = 0;
    token here = {0, 0};
    while (at < d->size && d->status == TX_OK) {
        size_t step = 1;
        insert(d, at);
        token next = find(d, at + 1);
        if (here.length == 0 || next.length > here.length) {
            add_token(d, (token){d->in[at], 0});
        } else {
            add_token(d, here);
            for (; step < here.length; step++)
                insert(d, at + step);
            next = find(d, at + step);
        }
        here = next;
        at += step;
        if (d->tokens == TOKENS) {
            end_block(d, from, at, at == d->size);
            from = at;
        }
    }
    if (from < d->size || d->size == 0)
        end_block(d, from, d->size, 1);
    put(d, 0, (8 - d->n) % 8);
}

tx_status tx_zlib_deflate(const unsigned char *bytes, size_t size, unsigned char **out, size_t *made)
{
    *out = NULL;
    *made = 0;
    deflater *d = tx_alloc(1, sizeof *d);
    if (!d)
        return TX_ERR_MEMORY;
    d->in = bytes;
    d->size = size;
    put_byte(d, 0x78); /* a window of 32 KiB */
    put_byte(d, 0x9c); /* without a dictionary; the two are a multiple of 31 */
    compress(d);
    uint32_t sum = tx_adler32(bytes, size);
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(d, sum >> shift & 255);
    tx_status status = d->status;
    if (status) {
        tx_free(d->out);
    } else {
        *out = d->out;
        *made = d->made;
    }
    tx_free(d);
    return status;
}
