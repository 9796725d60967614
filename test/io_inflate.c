/* io_inflate.c - DEFLATE, zlib and CRC-32: random streams of all kinds of blocks against what they were made of, streams cut
 * at every byte, damaged ones in exact memory, and each rule of RFC 1950 and 1951 broken alone. */
#include "../io/inflate.h"

#include "test.h"

#include <string.h>

enum { ROOM = 1 << 16, LIMIT = 40000 };

/* A stream as it is made, and the bytes that it stands for. */
typedef struct made {
    unsigned char stream[2 * ROOM], data[ROOM];
    size_t bytes, size;
    unsigned held;
    int n;
    uint64_t draws;
} made;

static made m;

static unsigned below(unsigned n)
{
    return tx_random_below(5, TX_RANDOM_TEST, 1, m.draws++, n);
}

static void put(unsigned value, int bits)
{
    for (int i = 0; i < bits; i++) {
        m.held |= (value >> i & 1) << m.n;
        if (++m.n == 8) {
            m.stream[m.bytes++] = (unsigned char)m.held;
            m.held = 0;
            m.n = 0;
        }
    }
}

static void align(void)
{
    while (m.n)
        put(0, 1);
}

/* The code of a symbol by its definition (RFC 1951, 3.2.2): after all shorter ones, and those of its length before it. */
static void put_code(const unsigned char *length, int symbols, int symbol)
{
    unsigned code = 0;
    for (int n = 1; n <= length[symbol]; n++) {
        code <<= 1;
        for (int i = 0; i < symbols; i++)
            code += length[i] == n && (n < length[symbol] || i < symbol);
    }
    for (int b = length[symbol] - 1; b >= 0; b--)
        put(code >> b & 1, 1);
}

/* Lengths of a full code of so many symbols, chosen at random among `all`; `must` is one of them. */
static void random_code(unsigned char *length, int all, int symbols, int must)
{
    unsigned char leaf[300] = {0};
    int leaves = 1;
    memset(length, 0, (size_t)all);
    while (leaves < symbols) {
        int i = (int)below((unsigned)leaves);
        if (leaf[i] == 15)
            continue;
        leaf[i]++;
        leaf[leaves++] = leaf[i];
    }
    for (int i = 0; i < leaves; i++) {
        int at = i == 0 ? must : (int)below((unsigned)all);
        while (length[at])
            at = (at + 1) % all;
        length[at] = leaf[i] ? leaf[i] : 1;
    }
}

static void put_lengths(const unsigned char *length, int n)
{
    /* A code of 13 symbols in four bits and 6 in five, in the order of the header. */
    static const unsigned char order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char code[19];
    for (int i = 0; i < 19; i++)
        code[i] = i < 13 ? 4 : 5;
    for (int i = 0; i < 19; i++)
        put(code[order[i]], 3);
    for (int i = 0; i < n;) {
        int run = 1;
        while (i + run < n && length[i + run] == length[i])
            run++;
        if (length[i] == 0 && run >= 11 && below(4)) {
            run = run > 138 ? 138 : run;
            put_code(code, 19, 18);
            put((unsigned)run - 11, 7);
        } else if (length[i] == 0 && run >= 3 && below(4)) {
            run = run > 10 ? 10 : run;
            put_code(code, 19, 17);
            put((unsigned)run - 3, 3);
        } else if (i > 0 && length[i] == length[i - 1] && run >= 3 && below(4)) {
            run = run > 6 ? 6 : run;
            put_code(code, 19, 16);
            put((unsigned)run - 3, 2);
        } else {
            run = 1;
            put_code(code, 19, length[i]);
        }
        i += run;
    }
}

/* Symbol, and bits behind it, of a length 3..258 or a distance, by counting (RFC 1951, 3.2.5). */
static int length_symbol(int length, int *bits, unsigned *extra)
{
    int base = 3;
    for (int s = 257; s < 285; s++) {
        *bits = s < 265 ? 0 : (s - 261) / 4;
        if (length < 258 && length < base + (1 << *bits)) {
            *extra = (unsigned)(length - base);
            return s;
        }
        base += 1 << *bits;
    }
    *bits = 0;
    *extra = 0;
    return 285;
}

static int distance_symbol(int distance, int *bits, unsigned *extra)
{
    int base = 1, s = 0;
    for (;; s++) {
        *bits = s < 2 ? 0 : s / 2 - 1;
        if (distance < base + (1 << *bits))
            break;
        base += 1 << *bits;
    }
    *extra = (unsigned)(distance - base);
    return s;
}

static void put_symbols(const unsigned char *literal, const unsigned char *distance, int count)
{
    for (int k = 0; k < count && m.size < LIMIT; k++) {
        int bits, far_bits, length = 3 + (int)below(below(3) ? 20 : 256), reach = m.size < 32768 ? (int)m.size : 32768;
        unsigned extra, far_extra;
        int byte = (int)below(256), is_byte = !reach || below(2);
        int far = reach ? 1 + (int)below(below(2) && reach > 8 ? 8 : (unsigned)reach) : 1;
        int symbol = length_symbol(length, &bits, &extra), by = distance_symbol(far, &far_bits, &far_extra);
        if (is_byte && literal[byte]) {
            put_code(literal, 288, byte);
            m.data[m.size++] = (unsigned char)byte;
        } else if (reach && literal[symbol] && distance[by]) {
            put_code(literal, 288, symbol);
            put(extra, bits);
            put_code(distance, 32, by);
            put(far_extra, far_bits);
            for (int i = 0; i < length; i++, m.size++)
                m.data[m.size] = m.data[m.size - (size_t)far];
        }
    }
    put_code(literal, 288, 256);
}

static void put_stored(int last)
{
    unsigned n = below(4) ? below(300) : 0;
    put((unsigned)last, 3);
    align();
    put(n, 16);
    put(~n & 0xffff, 16);
    for (unsigned i = 0; i < n; i++) {
        m.data[m.size] = (unsigned char)below(256);
        put(m.data[m.size++], 8);
    }
}

static void fixed_lengths(unsigned char *literal, unsigned char *distance)
{
    for (int i = 0; i < 288; i++)
        literal[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(distance, 5, 32);
    distance[30] = distance[31] = 0;
}

static void put_block(int kind, int last)
{
    unsigned char literal[288] = {0}, distance[32] = {0};
    if (kind == 0) {
        put_stored(last);
        return;
    }
    put((unsigned)(last | kind << 1), 3);
    if (kind == 1) {
        fixed_lengths(literal, distance);
    } else {
        random_code(literal, 286, 1 + (int)below(286), 256);
        random_code(distance, 30, 1 + (int)below(30), (int)below(30));
        if (below(8) == 0)
            memset(distance, 0, sizeof distance);
        put(286 - 257, 5);
        put(30 - 1, 5);
        put(19 - 4, 4);
        unsigned char all[316];
        memcpy(all, literal, 286);
        memcpy(all + 286, distance, 30);
        put_lengths(all, 316);
    }
    put_symbols(literal, distance, 1 + (int)below(300));
}

static void begin(void)
{
    m.bytes = m.size = 0;
    m.held = 0;
    m.n = 0;
}

/* Decodes the bytes from exact memory into exact memory. */
static tx_status decode(const unsigned char *bytes, size_t size, size_t room, int zlib, int *same, tx_inflated *how)
{
    unsigned char *in = tx_alloc(size, 1), *out = tx_alloc(room, 1);
    if (size)
        memcpy(in, bytes, size);
    tx_status status = zlib ? tx_zlib_inflate(in, size, out, room, how) : tx_inflate(in, size, out, room, how);
    *same = how->made <= room && memcmp(out, m.data, how->made < m.size ? how->made : m.size) == 0;
    tx_free(in);
    tx_free(out);
    return status;
}

static void random_streams(void)
{
    for (int round = 0; round < 150; round++) {
        int blocks = 1 + (int)below(5), same;
        tx_inflated how;
        begin();
        for (int b = 0; b < blocks; b++)
            put_block(round < 3 ? round : (int)below(3), b == blocks - 1);
        align();
        size_t used = m.bytes;
        m.stream[m.bytes++] = 0x55; /* what follows is not looked at */
        tx_status status = decode(m.stream, m.bytes, m.size, 0, &same, &how);
        CHECK(status == TX_OK && same && how.made == m.size && how.used == used && !how.what,
              "round %d: %s, %zu of %zu bytes, used %zu of %zu", round, how.what ? how.what : "no fault", how.made,
              m.size, how.used, used);
        if (m.size > 0) {
            status = decode(m.stream, m.bytes, m.size - 1, 0, &same, &how);
            CHECK(status == TX_ERR_FORMAT && how.full && same && how.made == m.size - 1, "round %d: no room", round);
        }
        int refused = 0, sound = 1;
        size_t step = 1 + used / 200;
        for (size_t cut = 0; cut < used; cut += step) {
            refused += decode(m.stream, cut, m.size, 0, &same, &how) == TX_ERR_FORMAT && how.what && !how.full;
            sound &= same && how.used <= cut;
        }
        CHECK((size_t)refused == (used + step - 1) / step && sound, "round %d: cut streams", round);
        for (int k = 0; k < 40; k++) {
            size_t at = below((unsigned)used);
            m.stream[at] ^= (unsigned char)(1 << below(8));
            status = decode(m.stream, m.bytes, m.size, 0, &same, &how);
            CHECK((status == TX_OK) == !how.what && how.made <= m.size && how.used <= m.bytes, "round %d: damage",
                  round);
        }
    }
}

/* The stream made so far must be refused with these words. */
static void refused(const char *what, int zlib)
{
    int same;
    tx_inflated how;
    align();
    for (int i = 0; i < 16; i++)
        m.stream[m.bytes + (size_t)i] = 0;
    tx_status status = decode(m.stream, m.bytes + 16, 1000, zlib, &same, &how);
    CHECK(status == TX_ERR_FORMAT && how.what && strstr(how.what, what), "'%s' expected, found '%s'", what,
          how.what ? how.what : "no fault");
    begin();
}

static void put_dynamic(const unsigned char *literal, const unsigned char *distance)
{
    unsigned char all[316];
    memcpy(all, literal, 286);
    memcpy(all + 286, distance, 30);
    put(1 | 2 << 1, 3);
    put(29, 5);
    put(29, 5);
    put(15, 4);
    put_lengths(all, 316);
}

static void broken_rules(void)
{
    unsigned char literal[288] = {0}, distance[32] = {0};
    begin();
    put(7, 3);
    refused("of a type that does not exist", 0);
    put(1, 3);
    align();
    put(5, 16);
    put(5, 16);
    refused("differs from its complement", 0);
    put(1 | 2 << 1, 3);
    put(30, 5);
    put(0, 5);
    put(0, 4);
    refused("more than 286 literal", 0);
    put(1 | 2 << 1, 3);
    put(0, 5);
    put(30, 5);
    put(0, 4);
    refused("30 distance codes", 0);
    put(1 | 2 << 1, 3);
    put(0, 14);
    refused("leaves codes unused", 0);
    put_dynamic(literal, distance);
    refused("without a code for its end", 0);
    literal[256] = 2;
    put_dynamic(literal, distance);
    refused("leaves codes unused", 0);
    literal[256] = literal[0] = literal[1] = 1;
    put_dynamic(literal, distance);
    refused("more codes than its lengths have room for", 0);
    literal[1] = 0;
    literal[257] = literal[0] = 2;
    distance[3] = 1;
    put_dynamic(literal, distance);
    put_code(literal, 288, 0);
    put_code(literal, 288, 257);
    put_code(distance, 32, 3);
    refused("what stands before the data", 0);
    put_dynamic(literal, distance);
    put_code(literal, 288, 257);
    put(1, 1);
    refused("a distance code that does not exist", 0);
    literal[257] = literal[0] = 0;
    put_dynamic(literal, distance);
    put(1, 1);
    refused("a literal code that does not exist", 0);
    fixed_lengths(literal, distance);
    put(1 | 1 << 1, 3);
    put_code(literal, 288, 286);
    refused("a length code that does not exist", 0);
    put(1 | 1 << 1, 3);
    put_code(literal, 288, 65);
    put_code(literal, 288, 257);
    put(15, 5); /* 30, highest bit first */
    refused("a distance code that does not exist", 0);
    /* A first length that repeats the one before, and more lengths than there are. */
    put(1 | 2 << 1, 3);
    put(0, 10);
    put(0, 4);
    put(1, 3);
    put(0, 3);
    put(1, 3);
    put(0, 3);
    put(0, 1);
    refused("repeat nothing", 0);
    put(1 | 2 << 1, 3);
    put(0, 10);
    put(0, 4);
    put(1, 3);
    put(0, 3);
    put(1, 3);
    put(0, 3);
    put(0xff, 8);
    put(0xff, 8);
    put(0xff, 8);
    refused("repeated too often", 0);
}

static void put_zlib(unsigned header)
{
    begin();
    put(header >> 8, 8);
    put(header & 255, 8);
    put(1, 3);
    align();
    put(3, 16);
    put(0xfffc, 16);
    put('a', 8);
    put('b', 8);
    put('c', 8);
}

static void zlib_streams(void)
{
    int same;
    tx_inflated how;
    put_zlib(0x789c);
    memcpy(m.stream + m.bytes, "\x02\x4d\x01\x27", 4); /* Adler-32 of abc */
    memcpy(m.data, "abc", 3);
    m.size = 3;
    size_t whole = m.bytes + 4;
    CHECK(decode(m.stream, whole, 3, 1, &same, &how) == TX_OK && same && how.used == whole && how.made == 3, "abc");
    for (size_t cut = 0; cut < whole; cut++)
        CHECK(decode(m.stream, cut, 3, 1, &same, &how) == TX_ERR_FORMAT && strstr(how.what, "ends too early") &&
                  how.used <= cut,
              "cut at %zu", cut);
    m.stream[whole - 1]++;
    CHECK(decode(m.stream, whole, 3, 1, &same, &how) == TX_ERR_FORMAT && strstr(how.what, "Adler-32"), "checksum");
    put_zlib(0x789d);
    refused("no zlib header", 1);
    put_zlib(0x881c); /* a window of 64 KiB */
    refused("another way than by DEFLATE", 1);
    put_zlib(0x7900 + 31 - 0x7900 % 31);
    refused("another way than by DEFLATE", 1);
    put_zlib(0x78bb); /* FDICT */
    refused("preset dictionary", 1);
    tx_alloc_fail_after(0);
    CHECK(tx_inflate(m.stream, 10, m.data, 10, &how) == TX_ERR_MEMORY && !how.what, "no memory");
    tx_alloc_fail_after(-1);
    CHECK(tx_inflate_most(3) == 3096 && tx_inflate_most(SIZE_MAX / 2) == SIZE_MAX, "the most that bytes can become");
}

/* Bit by bit, as it is defined. */
static uint32_t slow_crc(const unsigned char *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int b = 0; b < 8; b++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void checksums(void)
{
    CHECK(tx_crc32(0, "123456789", 9) == 0xcbf43926, "the check value of CRC-32");
    CHECK(tx_crc32(0, "", 0) == 0, "no bytes");
    for (size_t i = 0; i < ROOM; i++)
        m.data[i] = (unsigned char)below(256);
    for (int round = 0; round < 40; round++) {
        size_t n = below(round < 20 ? 300 : ROOM), from = below(9), cut;
        n = n + from > ROOM ? ROOM - from : n;
        cut = n ? below((unsigned)n) : 0;
        const unsigned char *p = m.data + from;
        CHECK(tx_crc32(0, p, n) == slow_crc(p, n), "CRC-32 of %zu bytes", n);
        CHECK(tx_crc32(tx_crc32(0, p, cut), p + cut, n - cut) == slow_crc(p, n), "of %zu and the rest", cut);
    }
}

int main(void)
{
    random_streams();
    broken_rules();
    zlib_streams();
    checksums();
    return test_done("io_inflate");
}
