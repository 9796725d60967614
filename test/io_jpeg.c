/* io_jpeg.c - the JPEG decoder on files made here byte by byte, and on damaged copies of the fixtures in test/pixels.
 * That sound files give the right pixels is the checker's matter (pixels.c); here bad ones must give errors. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "../io/jpeg.h"
#include "io_temp.h"

/* ------------------------------------------------------------------------------- files made here
 * Tables: quantisation steps of 8, so that a DC value v alone gives samples 128 + v. Huffman codes: DC 0 = size 0,
 * 10 = size 6; AC 0 = end of block. */
typedef struct maker {
    unsigned char byte[1 << 16];
    size_t n;
    unsigned bits, held;
} maker;

static void put(maker *m, const char *bytes, size_t n)
{
    memcpy(m->byte + m->n, bytes, n);
    m->n += n;
}
#define PUT(m, text) put(m, text, sizeof(text) - 1)

static void put_bits(maker *m, unsigned value, int n)
{
    while (n-- > 0) {
        m->held = m->held << 1 | (value >> n & 1);
        if (++m->bits == 8) {
            m->byte[m->n++] = (unsigned char)m->held;
            if ((m->held & 255) == 255)
                m->byte[m->n++] = 0;
            m->bits = m->held = 0;
        }
    }
}

static void end_bits(maker *m)
{
    while (m->bits)
        put_bits(m, 1, 1);
}

/* A block whose DC value differs by `difference` (0, or 32..63 either way) from the last one's. */
static void put_block(maker *m, int difference)
{
    if (difference == 0)
        put_bits(m, 0, 1);
    else
        put_bits(m, 2u << 6 | (unsigned)(difference > 0 ? difference : difference + 63), 8);
    put_bits(m, 0, 1);
}

static void put_tables(maker *m)
{
    PUT(m, "\xff\xd8\xff\xdb\x00\x43\x00");
    for (int i = 0; i < 64; i++)
        PUT(m, "\x08");
    PUT(m, "\xff\xc4\x00\x15\x00"
           "\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\x00\x06");
    PUT(m, "\xff\xc4\x00\x14\x10"
           "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\x00");
}

static void put_frame(maker *m, int marker, int width, int height, int components, const char *ids)
{
    unsigned char head[10] = {0xff,
                              (unsigned char)marker,
                              0,
                              (unsigned char)(8 + 3 * components),
                              8,
                              (unsigned char)(height >> 8),
                              (unsigned char)height,
                              (unsigned char)(width >> 8),
                              (unsigned char)width,
                              (unsigned char)components};
    put(m, (char *)head, sizeof head);
    for (int i = 0; i < components; i++) {
        put(m, ids + i, 1);
        PUT(m, "\x11\x00");
    }
}

static void put_scan(maker *m, int components, const char *ids, int from, int to, int bits)
{
    unsigned char head[5] = {0xff, 0xda, 0, (unsigned char)(6 + 2 * components), (unsigned char)components};
    put(m, (char *)head, sizeof head);
    for (int i = 0; i < components; i++) {
        put(m, ids + i, 1);
        PUT(m, "\x00");
    }
    unsigned char tail[3] = {(unsigned char)from, (unsigned char)to, (unsigned char)bits};
    put(m, (char *)tail, sizeof tail);
}

/* A grey image of w x h <= 8, all 128 + value. */
static void put_grey(maker *m, int width, int height, int value)
{
    m->n = 0;
    put_tables(m);
    put_frame(m, 0xc0, width, height, 1, "\1");
    put_scan(m, 1, "\1", 0, 63, 0);
    put_block(m, value);
    end_bits(m);
    PUT(m, "\xff\xd9");
}

static maker made;

static tx_status decode(const maker *m, tx_image *out)
{
    return tx_image_decode(m->byte, m->n, "made.jpg", out);
}

/* Expects an error that says `wanted`, an empty image and no memory kept. */
static void refuse(const maker *m, const char *wanted)
{
    tx_image image;
    long live = tx_alloc_live();
    tx_status status = decode(m, &image);
    CHECK(status == TX_ERR_FORMAT, "status %d, expected an error with '%s'", (int)status, wanted);
    CHECK(strstr(tx_error_message(), wanted) != NULL, "'%s', expected '%s'", tx_error_message(), wanted);
    CHECK(strstr(tx_error_message(), "made.jpg: byte ") != NULL, "'%s' without name and byte", tx_error_message());
    CHECK(!image.pixels && tx_alloc_live() == live, "something is left after '%s'", wanted);
    tx_image_free(&image);
}

static void one_pixel(void)
{
    tx_image image;
    put_grey(&made, 1, 1, 37);
    CHECK(decode(&made, &image) == TX_OK, "one pixel: %s", tx_error_message());
    CHECK(image.width == 1 && image.height == 1 && image.channels == 1 && image.pixels && image.pixels[0] == 165,
          "one pixel: not 165");
    tx_image_free(&image);
    put_grey(&made, 8, 3, -50);
    PUT(&made, "\xff\xd8 what follows is another matter");
    CHECK(decode(&made, &image) == TX_OK, "bytes behind EOI: %s", tx_error_message());
    for (int i = 0; image.pixels && i < 24; i++)
        CHECK(image.pixels[i] == 78, "pixel %d of 8 x 3: %d, expected 78", i, image.pixels[i]);
    tx_image_free(&image);
}

/* One RGB pixel of samples 165, 128, 178, with `marker` segments before the frame. */
static void colour(const char *what, const char *segment, size_t n, const char *ids, int r, int g, int b)
{
    tx_image image;
    made.n = 0;
    put_tables(&made);
    put(&made, segment, n);
    put_frame(&made, 0xc0, 1, 1, 3, ids);
    put_scan(&made, 3, ids, 0, 63, 0);
    put_block(&made, 37);
    put_block(&made, 0);
    put_block(&made, 50);
    end_bits(&made);
    PUT(&made, "\xff\xd9");
    CHECK(decode(&made, &image) == TX_OK && image.channels == 3, "%s: %s", what, tx_error_message());
    if (image.pixels)
        CHECK(image.pixels[0] == r && image.pixels[1] == g && image.pixels[2] == b, "%s: %d %d %d, expected %d %d %d",
              what, image.pixels[0], image.pixels[1], image.pixels[2], r, g, b);
    tx_image_free(&image);
}
#define JFIF "\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define ADOBE(transform) \
    "\xff\xee\x00\x0e"   \
    "Adobe\0\x64\0\0\0\0" transform
/* fill bytes, a comment that looks like a marker, bytes between segments, JPG3, APP7, TEM */
#define OTHERS                             \
    "\xff\xff\xff\xfe\x00\x05\xff\xd9\xff" \
    "junk\xff\x00"                         \
    "\xff\xf3\x00\x02\xff\xe7\x00\x03\xff\xff\x01"

static void colours(void)
{
    colour("plain", "", 0, "\1\2\3", 235, 129, 165);
    colour("odd names", "", 0, "abc", 235, 129, 165);
    colour("equal names", "", 0, "\0\0\0", 235, 129, 165);
    colour("RGB by name", "", 0, "RGB", 165, 128, 178);
    colour("JFIF over names", JFIF, sizeof JFIF - 1, "RGB", 235, 129, 165);
    colour("Adobe 0", ADOBE("\0"), sizeof ADOBE("\0") - 1, "\1\2\3", 165, 128, 178);
    colour("Adobe 1 over names", ADOBE("\1"), sizeof ADOBE("\1") - 1, "RGB", 235, 129, 165);
    colour("Adobe 2", ADOBE("\2"), sizeof ADOBE("\2") - 1, "\1\2\3", 235, 129, 165);
    colour("Adobe 7 over names", ADOBE("\7"), sizeof ADOBE("\7") - 1, "RGB", 235, 129, 165);
    colour("the last Adobe marker", ADOBE("\1") ADOBE("\0"), 2 * (sizeof ADOBE("\1") - 1), "\1\2\3", 165, 128, 178);
    colour("a short Adobe marker",
           "\xff\xee\x00\x0d"
           "Adobe\0\x64\0\0\0\0",
           15, "\1\2\3", 235, 129, 165);
    colour("a short JFIF marker", "\xff\xe0\x00\x0fJFIF\0\1\1\0\0\1\0\1\0", 17, "RGB", 165, 128, 178);
    colour("JFIF over Adobe", JFIF ADOBE("\0"), sizeof(JFIF ADOBE("\0")) - 1, "\1\2\3", 235, 129, 165);
    colour("fill bytes, unknown segments", OTHERS, sizeof OTHERS - 1, "\1\2\3", 235, 129, 165);
}

/* One pixel in three scans, of samples 165, 128, 178, with `segment` behind the first or the last of them. */
static void colour_behind(const char *what, const char *segment, size_t n, int last, const char *ids, int r)
{
    tx_image image;
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 1, 1, 3, ids);
    for (int i = 0; i < 3; i++) {
        put_scan(&made, 1, ids + i, 0, 63, 0);
        put_block(&made, i == 0 ? 37 : i == 1 ? 0 : 50);
        end_bits(&made);
        if (i == (last ? 2 : 0))
            put(&made, segment, n);
    }
    PUT(&made, "\xff\xd9");
    CHECK(decode(&made, &image) == TX_OK && image.channels == 3, "%s: %s", what, tx_error_message());
    if (image.pixels)
        CHECK(image.pixels[0] == r, "%s behind a scan: red %d, expected %d", what, image.pixels[0], r);
    tx_image_free(&image);
}

static void colours_behind(void)
{
    for (int last = 0; last < 2; last++) {
        colour_behind("nothing", "", 0, last, "\1\2\3", 235);
        colour_behind("nothing, RGB by name", "", 0, last, "RGB", 165);
        colour_behind("Adobe 0", ADOBE("\0"), sizeof ADOBE("\0") - 1, last, "\1\2\3", 235);
        colour_behind("Adobe 1", ADOBE("\1"), sizeof ADOBE("\1") - 1, last, "RGB", 165);
        colour_behind("JFIF", JFIF, sizeof JFIF - 1, last, "RGB", 165);
    }
}

/* A component that is sent again: the last DC value counts, whichever scans lie between. */
static void repeated_scans(void)
{
    static const char *const order[] = {"RRGB", "RGRB", "RGBR", "GBRR", "BGRRR"};
    tx_image image;
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        int sent = 0;
        made.n = 0;
        put_tables(&made);
        put_frame(&made, 0xc0, 8, 8, 3, "RGB");
        for (const char *id = order[k]; *id; id++) {
            put_scan(&made, 1, id, 0, 63, 0);
            put_block(&made, *id == 'R' ? 40 + sent++ : *id == 'G' ? -40 : 60);
            end_bits(&made);
        }
        PUT(&made, "\xff\xd9");
        CHECK(decode(&made, &image) == TX_OK, "%s: %s", order[k], tx_error_message());
        if (image.pixels)
            CHECK(image.pixels[189] == 167 + sent && image.pixels[190] == 88 && image.pixels[191] == 188,
                  "%s: %d %d %d, expected %d 88 188", order[k], image.pixels[189], image.pixels[190], image.pixels[191],
                  167 + sent);
        tx_image_free(&image);
    }
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 8, 8, 3, "RGB");
    for (int i = 0; i < 3; i++) {
        put_scan(&made, 1, i ? "G" : "R", 0, 63, 0);
        put_block(&made, 0);
        end_bits(&made);
    }
    PUT(&made, "\xff\xd9");
    refuse(&made, "no scan of component 66");
}

/* The tables that a file means without defining them are those that libjpeg writes into every baseline file. */
static void standard_tables(void)
{
    unsigned char *bytes;
    size_t n, found = 0;
    if (tx_file_read("test/pixels/colour-33x17-s2x2.jpg", 1 << 20, &bytes, &n)) {
        CHECK(0, "%s (run this from the top folder)", tx_error_message());
        return;
    }
    for (size_t at = 2; at + 4 < n && bytes[at + 1] != 0xda; at += 2 + (size_t)(bytes[at + 2] << 8 | bytes[at + 3])) {
        if (bytes[at + 1] != 0xc4)
            continue;
        int cls = bytes[at + 4] >> 4, number = bytes[at + 4] & 15;
        size_t symbols = (size_t)(bytes[at + 2] << 8 | bytes[at + 3]) - 19;
        const jpeg_table *t = tx_jpeg_standard_table(cls, number);
        CHECK(t && t->defined && memcmp(t->count + 1, bytes + at + 5, 16) == 0 &&
                  memcmp(t->symbol, bytes + at + 21, symbols) == 0,
              "table %d of class %d is not that of the standard", number, cls);
        found++;
    }
    CHECK(found == 4 && !tx_jpeg_standard_table(0, 2) && !tx_jpeg_standard_table(1, 3), "%zu of four tables", found);
    tx_free(bytes);
}

static void refused_frames(void)
{
    static const struct {
        int marker;
        const char *text;
    } kinds[] = {{0xc3, "lossless"},   {0xc5, "hierarchical"}, {0xc6, "hierarchical"}, {0xc7, "hierarchical"},
                 {0xc9, "arithmetic"}, {0xca, "arithmetic"},   {0xcb, "arithmetic"},   {0xcd, "arithmetic"},
                 {0xce, "arithmetic"}, {0xcf, "arithmetic"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        made.n = 0;
        put_tables(&made);
        put_frame(&made, kinds[i].marker, 8, 8, 1, "\1");
        refuse(&made, kinds[i].text);
    }
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 8, 8, 4, "\1\2\3\4");
    refuse(&made, "CMYK");
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 8, 8, 2, "\1\2");
    refuse(&made, "2 components");
    put_grey(&made, 8, 8, 0);
    made.byte[2 + 69 + 23 + 22 + 4] = 12;
    refuse(&made, "12 bits");
    made.n = 2;
    PUT(&made, "\xff\xcc\x00\x04\x00\x10");
    refuse(&made, "arithmetic");
    made.n = 2;
    PUT(&made, "\xff\xde\x00\x04\x00\x10");
    refuse(&made, "hierarchical");
}

static void refused_sizes(void)
{
    tx_image image;
    static const int size[][2] = {{0, 8}, {8, 0}, {65535, 65535}, {16384, 16385}};
    for (int i = 0; i < 4; i++) {
        put_grey(&made, size[i][0], size[i][1], 0);
        refuse(&made, i == 0 ? "columns" : i == 1 ? "rows" : "2^28");
    }
    /* allowed, but not with so few bytes: nothing but the decoder itself may have been asked for */
    put_grey(&made, 16384, 16384, 0);
    tx_alloc_fail_after(-1);
    CHECK(decode(&made, &image) == TX_ERR_FORMAT, "2^28 pixels in %zu bytes", made.n);
    CHECK(tx_alloc_count() == 1, "%ld allocations for a file that cannot be whole", tx_alloc_count());
    put_grey(&made, 8, 8, 0);
    made.byte[2 + 69 + 23 + 22 + 11] = 0x51;
    refuse(&made, "sampling");
}

static void refused_segments(void)
{
    made.n = 2;
    PUT(&made, "\xff\xe1\x00\x01\xff\xd9");
    refuse(&made, "length 1");
    made.n = 2;
    PUT(&made, "\xff\xe1\x10\x00\xff\xd9");
    refuse(&made, "ends within segment");
    made.n = 2;
    PUT(&made, "\xff\xdb\x00\x42\x00");
    made.n += 70;
    refuse(&made, "quantisation table");
    made.n = 2;
    PUT(&made, "\xff\xdd\x00\x05\x00\x00\x00\xff\xd9");
    refuse(&made, "restart interval");
    made.n = 2;
    PUT(&made, "\xff\xc4\x00\x13\x00"
               "\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\xff\xd9");
    refuse(&made, "codes");
    made.n = 2;
    PUT(&made, "\xff\xd9");
    refuse(&made, "without a frame header");
    made.n = 2;
    PUT(&made, "\xff\xd8");
    refuse(&made, "second image");
    made.n = 2;
    put_scan(&made, 1, "\1", 0, 63, 0);
    refuse(&made, "before the frame header");
}

static void refused_tables(void)
{
    put_grey(&made, 8, 8, 0);
    maker without = made;
    memset(without.byte + 2, 0xff, 69);
    without.byte[70] = 0xff;
    refuse(&without, "quantisation table 0");
    size_t numbers = made.n - 2 - 1 - 3 - 1; /* of the scan's tables */
    without = made;
    without.byte[numbers] = 0x20;
    refuse(&without, "DC Huffman table 2");
    without.byte[numbers] = 0x03;
    refuse(&without, "AC Huffman table 3");
    without.byte[numbers] = 0x40;
    refuse(&without, "DC Huffman table 4");
    without = made;
    without.byte[76] = 2; /* two codes of one bit: the second is of ones alone */
    without.byte[77] = 0;
    refuse(&without, "too many codes");
    without = made;
    without.byte[93] = 16;
    refuse(&without, "symbol 16");
}

static void refused_data(void)
{
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 16, 8, 1, "\1");
    size_t header = made.n;
    put_scan(&made, 1, "\1", 0, 63, 0);
    size_t data = made.n;
    PUT(&made, "\xc0\xff\xd9");
    refuse(&made, "bad Huffman code");
    made.n = data;
    put_block(&made, 0);
    end_bits(&made);
    PUT(&made, "\xff\xd9");
    made.byte[data] = 0xa1; /* the second block is cut */
    refuse(&made, "image data ends");
    made.n = header;
    PUT(&made, "\xff\xdd\x00\x04\x00\x01");
    put_scan(&made, 1, "\1", 0, 63, 0);
    put_block(&made, 0);
    end_bits(&made);
    PUT(&made, "\xff\xd1\x3f\xff\xd9");
    refuse(&made, "restart marker 0 expected");
    made.byte[made.n - 4] = 0xd0;
    tx_image image;
    CHECK(decode(&made, &image) == TX_OK, "restart marker: %s", tx_error_message());
    tx_image_free(&image);
    made.n -= 2;
    put_scan(&made, 1, "\1", 0, 63, 0);
    refuse(&made, "second scan");
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc0, 8, 8, 3, "\1\2\3");
    put_scan(&made, 2, "\1\2", 0, 63, 0);
    PUT(&made, "\x0f\xff\xd9");
    refuse(&made, "no scan of component 3");
}

static void put_progressive(maker *m)
{
    m->n = 0;
    put_tables(m);
    put_frame(m, 0xc2, 8, 8, 3, "\1\2\3");
    put_scan(m, 3, "\1\2\3", 0, 0, 0);
    PUT(m, "\x1f");
}

static void progressions(void)
{
    tx_image image;
    put_progressive(&made);
    PUT(&made, "\xff\xd9");
    refuse(&made, "coefficient 1 of component 1");
    put_progressive(&made);
    put_scan(&made, 1, "\1", 1, 63, 0x21);
    refuse(&made, "out of turn");
    put_progressive(&made);
    put_scan(&made, 1, "\1", 1, 64, 0);
    refuse(&made, "progressive scan of coefficients 1 to 64");
    put_progressive(&made);
    put_scan(&made, 2, "\1\2", 1, 63, 0);
    refuse(&made, "in 2 components");
    put_progressive(&made);
    memset(made.byte + 71, 0xff, 23);
    refuse(&made, "DC Huffman table 0");
    /* six bits of each coefficient, one by one */
    for (int scans = 900; scans <= 1100; scans += 200) {
        put_progressive(&made);
        int n = 0;
        for (int c = 1; c <= 3; c++)
            for (int k = 1; k < 64; k++)
                for (int low = 5; low >= (scans > 1000 || k < 10 ? 0 : 1) && n < scans; low--, n++) {
                    put_scan(&made, 1, c == 1 ? "\1" : c == 2 ? "\2" : "\3", k, k, low == 5 ? 5 : (low + 1) << 4 | low);
                    PUT(&made, "\x7f");
                }
        PUT(&made, "\xff\xd9");
        if (scans > 1000) {
            refuse(&made, "more than 1000 scans");
        } else {
            CHECK(decode(&made, &image) != TX_OK || image.pixels[0] == 128, "%d scans", n);
            CHECK(image.pixels || strstr(tx_error_message(), "missing"), "%d scans: %s", n, tx_error_message());
            tx_image_free(&image);
        }
    }
}

/* Grey, 8 x 8: first scans come in any order and again, the last DC value counts; what a repetition took back must
 * come again. */
static void repeated_progressions(void)
{
    tx_image image;
    made.n = 0;
    put_tables(&made);
    put_frame(&made, 0xc2, 8, 8, 1, "\1");
    put_scan(&made, 1, "\1", 1, 63, 0);
    PUT(&made, "\x7f");
    for (int i = 0; i < 2; i++) {
        put_scan(&made, 1, "\1", 0, 0, 0);
        put_bits(&made, 2u << 6 | (unsigned)(40 + i), 8);
        end_bits(&made);
    }
    size_t end = made.n;
    PUT(&made, "\xff\xd9");
    CHECK(decode(&made, &image) == TX_OK && image.pixels[63] == 169, "a repeated DC scan: %s", tx_error_message());
    tx_image_free(&image);
    made.n = end;
    put_scan(&made, 1, "\1", 0, 0, 1);
    put_bits(&made, 2u << 6 | 33, 8);
    end_bits(&made);
    size_t taken = made.n;
    PUT(&made, "\xff\xd9");
    refuse(&made, "coefficient 0 of component 1 lacks its last bit");
    made.n = taken;
    put_scan(&made, 1, "\1", 0, 0, 0x10);
    PUT(&made, "\xff\xff\xd9");
    made.byte[made.n - 3] = 0x80;
    CHECK(decode(&made, &image) == TX_OK && image.pixels[0] == 128 + 67, "a refined repetition: %s",
          tx_error_message());
    tx_image_free(&image);
}

/* Few bytes that ask for much work: each scan walks over 65,536 blocks. */
static void bounded_work(void)
{
    made.n = 0;
    put_tables(&made);
    PUT(&made, "\xff\xc4\x00\x14\x10"
               "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\xe0"); /* 0 and 14 bits: so many blocks without coefficients */
    put_frame(&made, 0xc2, 2048, 2048, 1, "\1");
    put_scan(&made, 1, "\1", 0, 0, 0);
    memset(made.byte + made.n, 0, 8192);
    made.n += 8192;
    for (int i = 0; i < 512; i++) {
        put_scan(&made, 1, "\1", 1, 63, 0);
        PUT(&made, "\0\0\0\0\0\0\0\x0f");
    }
    size_t scan = 10 + 8;
    PUT(&made, "\xff\xd9");
    refuse(&made, "go over 65536 blocks too often");
    tx_image image;
    made.n -= 2 + scan;
    PUT(&made, "\xff\xd9");
    CHECK(decode(&made, &image) == TX_OK && image.pixels[0] == 128, "511 scans: %s", tx_error_message());
    tx_image_free(&image);
}

/* ------------------------------------------------------------------------------ damaged fixtures */

static const char *const fixtures[] = {
    "../odd/scan-two-y.jpg",       "../odd/mjpeg-nodht.jpg", "grey-7x5-q90.jpg",        "grey-33x17-restart3.jpg",
    "grey-33x17-prog-restart.jpg", "colour-33x17-s2x2.jpg",  "colour-33x17-s2x2-p.jpg", "colour-33x17-s1x2.jpg",
    "rgb-in-jpeg-33x17.jpg",       "colour-33x17-s4x1-p.jpg"};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static int load(int i, unsigned char **bytes, size_t *n)
{
    char path[200];
    snprintf(path, sizeof path, "test/pixels/%s", fixtures[i]);
    tx_status status = tx_file_read(path, 1 << 20, bytes, n);
    CHECK(status == TX_OK, "%s (run this from the top folder)", tx_error_message());
    return status == TX_OK;
}

/* Every beginning of the file, in memory of just that size. */
static void truncate_everywhere(const char *name, const unsigned char *bytes, size_t n)
{
    int good = 0, silent = 0;
    for (size_t cut = 0; cut < n; cut++) {
        tx_image image;
        unsigned char *part = tx_alloc(cut, 1);
        if (!part)
            continue;
        memcpy(part, bytes, cut);
        tx_fail(TX_ERR_FILE, "none");
        good += tx_image_decode(part, cut, name, &image) != TX_ERR_FORMAT || image.pixels;
        silent += !strstr(tx_error_message(), name) || !strstr(tx_error_message(), "byte ");
        tx_image_free(&image);
        tx_free(part);
    }
    CHECK(good == 0, "%s: %d of its beginnings were accepted", name, good);
    CHECK(silent == 0, "%s: %d errors without name and byte", name, silent);
}

/* Damaged files may give other pixels or an error, and nothing else. */
static void flip_bytes(const char *name, unsigned char *bytes, size_t n)
{
    int odd = 0;
    for (int round = 0; round < 1500; round++) {
        size_t at[3];
        unsigned char was[3];
        for (int i = 0; i < 3; i++) {
            at[i] = (size_t)(temp_random() % n);
            was[i] = bytes[at[i]];
            if (i == 0 || round % 3 == 0)
                bytes[at[i]] =
                    (unsigned char)(round % 2 ? bytes[at[i]] ^ 1 << temp_random() % 8 : (int)(temp_random() & 255));
        }
        tx_image image;
        tx_fail(TX_ERR_FILE, "none");
        tx_status status = tx_image_decode(bytes, n, name, &image);
        odd += status ? image.pixels != NULL || strcmp(tx_error_message(), "none") == 0 : image.pixels == NULL;
        tx_image_free(&image);
        for (int i = 3; i-- > 0;)
            bytes[at[i]] = was[i];
    }
    CHECK(odd == 0, "%s: %d of 1500 damaged copies gave neither an image nor an error", name, odd);
}

/* Each allocation in turn is refused; after the last the image must be there. */
static void starve(const char *name, const unsigned char *bytes, size_t n)
{
    for (long i = 0; i < 100; i++) {
        tx_image image;
        long live = tx_alloc_live();
        tx_alloc_fail_after(i);
        tx_status status = tx_image_decode(bytes, n, name, &image);
        tx_alloc_fail_after(-1);
        CHECK(status == TX_OK || status == TX_ERR_MEMORY, "%s: status %d at allocation %ld", name, (int)status, i);
        tx_image_free(&image);
        CHECK(tx_alloc_live() == live, "%s: memory is lost at allocation %ld", name, i);
        if (!status) {
            CHECK(i >= 2, "%s: only %ld allocations", name, i);
            return;
        }
    }
    CHECK(0, "%s: no image after 100 allocations", name);
}

/* ------------------------------------------------------------------------------------------ files */

static void header(const char *name, tx_status wanted, int width, int height, int channels)
{
    int w, h, c;
    tx_status status = tx_image_header(temp_path(name), &w, &h, &c);
    CHECK(status == wanted, "header of %s: status %d (%s)", name, (int)status, tx_error_message());
    CHECK(w == width && h == height && c == channels, "header of %s: %d x %d x %d", name, w, h, c);
    CHECK(!status || strstr(tx_error_message(), name), "header of %s: '%s' without the name", name, tx_error_message());
}

static void files(void)
{
    static unsigned char big[200000] = {0xff, 0xd8};
    tx_image image;
    size_t n = 2;
    for (int i = 0; i < 2; i++, n += 65537)
        memcpy(big + n, "\xff\xe1\xff\xff", 4);
    put_grey(&made, 5, 3, 40);
    memcpy(big + n, made.byte + 2, made.n - 2);
    temp_write(temp_path("big.jpg"), big, n + made.n - 2);
    header("big.jpg", TX_OK, 5, 3, 1);
    CHECK(tx_image_read(temp_path("big.jpg"), &image) == TX_OK && image.pixels[14] == 168, "%s", tx_error_message());
    tx_image_free(&image);
    temp_write(temp_path("cut.jpg"), big, n + 71);
    header("cut.jpg", TX_ERR_FORMAT, 0, 0, 0);
    temp_write(temp_path("head.jpg"), big, n + made.n - 12);
    header("head.jpg", TX_OK, 5, 3, 1);
    temp_text(temp_path("empty.jpg"), "");
    header("empty.jpg", TX_ERR_FORMAT, 0, 0, 0);
    temp_text(temp_path("text.jpg"), "Path,Sex,Age");
    header("text.jpg", TX_ERR_FORMAT, 0, 0, 0);
    CHECK(strstr(tx_error_message(), "50 61 74 68"), "'%s' without the bytes that were found", tx_error_message());
    temp_text(temp_path("page.jpg"), "<html>");
    header("page.jpg", TX_ERR_FORMAT, 0, 0, 0);
    CHECK(strstr(tx_error_message(), "HTML"), "'%s' without the kind that was found", tx_error_message());
    header("none.jpg", TX_ERR_FILE, 0, 0, 0);
    CHECK(tx_image_read(temp_path("none.jpg"), &image) == TX_ERR_FILE && !image.pixels, "a file that is not there");
    tx_folder_make(temp_path("folder.jpg"));
    header("folder.jpg", TX_ERR_FILE, 0, 0, 0);
    CHECK(tx_image_format(made.byte, made.n) && !tx_image_format((const unsigned char *)"GIF89a", 6), "formats");
}

int main(void)
{
    one_pixel();
    colours();
    colours_behind();
    repeated_scans();
    standard_tables();
    refused_frames();
    refused_sizes();
    refused_segments();
    refused_tables();
    refused_data();
    progressions();
    repeated_progressions();
    bounded_work();
    for (int i = 0; i < FIXTURES; i++) {
        unsigned char *bytes;
        size_t n;
        if (!load(i, &bytes, &n))
            continue;
        truncate_everywhere(fixtures[i], bytes, n);
        flip_bytes(fixtures[i], bytes, n);
        starve(fixtures[i], bytes, n);
        tx_free(bytes);
    }
    CHECK(temp_begin(), "no folder for files");
    files();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("io_jpeg");
}
