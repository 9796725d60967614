/* io_planes.c - colour images of every small size and sampling, made here with random coefficients. Each component alone is
 * a grey image as well, whose samples are taken as right (pixels.c has them from another decoder); from these the pixels are
 * computed once more, by the definition and one at a time. So the edges are tried where sizes are odd, or just a block's. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "../io/jpeg.h"
#include "io_temp.h"

enum { ROOM = 1 << 17, SIDE = 12 /* blocks */ };

/* ------------------------------------------------------------------------------------------- an encoder */
typedef struct table {
    unsigned char count[17], symbol[8];
    int symbols;
} table;
/* Differences of up to seven bits; zeros and values in short codes; the same in codes up to the longest. */
static const table dc = {{0, 0, 0, 0, 8}, {0, 1, 2, 3, 4, 5, 6, 7}, 8};
static const table ac[2] = {
    {{0, 0, 0, 6}, {0x00, 0x06, 0x26, 0xf0, 0x01, 0x52}, 6},
    {{0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 2}, {0x00, 0x06, 0x26, 0xf0, 0x01, 0x52}, 6}};

typedef struct part {
    int h, v, wide, high;               /* sampling; blocks with those that fill up units */
    int width, height;                  /* samples */
    signed char block[SIDE * SIDE][64]; /* in zigzag order */
} part;

static unsigned char bytes[ROOM];
static size_t used;
static unsigned held, bits;

static void put(int byte)
{
    bytes[used++] = (unsigned char)byte;
}

static void put16(int v)
{
    put(v >> 8);
    put(v & 255);
}

static void put_bits(int value, int n)
{
    while (n-- > 0) {
        held = held << 1 | ((unsigned)value >> n & 1);
        if (++bits == 8) {
            put((int)(held & 255));
            if ((held & 255) == 255)
                put(0);
            bits = held = 0;
        }
    }
}

static void flush(void)
{
    while (bits)
        put_bits(1, 1);
}

/* T.81 C.2: codes of a length count up, and are doubled from one length to the next. */
static void put_symbol(const table *t, int symbol)
{
    int code = 0, k = 0;
    for (int length = 1; length <= 16; length++, code *= 2)
        for (int i = 0; i < t->count[length]; i++, k++, code++)
            if (t->symbol[k] == symbol) {
                put_bits(code, length);
                return;
            }
}

static void put_value(int v, int size)
{
    put_bits(v < 0 ? v + (1 << size) - 1 : v, size);
}

static int size_of(int v)
{
    int n = 0;
    for (v = v < 0 ? -v : v; v; v /= 2)
        n++;
    return n;
}

static void put_block(const signed char *block, int *predicted, const table *t)
{
    int difference = block[0] - *predicted, size = size_of(difference), run = 0;
    *predicted = block[0];
    put_symbol(&dc, size);
    put_value(difference, size);
    for (int k = 1; k < 64; k++) {
        if (block[k] == 0) {
            run++;
            continue;
        }
        for (; run >= 16; run -= 16)
            put_symbol(t, 0xf0);
        put_symbol(t, run << 4 | size_of(block[k]));
        put_value(block[k], size_of(block[k]));
        run = 0;
    }
    if (run)
        put_symbol(t, 0x00);
}

static void put_table(int cls, int number, const table *t)
{
    put16(0xffc4);
    put16(2 + 17 + t->symbols);
    put(cls << 4 | number);
    for (int i = 1; i <= 16; i++)
        put(t->count[i]);
    for (int i = 0; i < t->symbols; i++)
        put(t->symbol[i]);
}

/* Component i uses the quantisation table 3 - i and its own Huffman tables, of numbers up to 3. */
static void put_head(const part *p, int parts, int first, int width, int height, int interval)
{
    used = 0;
    bits = held = 0;
    put16(0xffd8);
    for (int i = 0; i < parts; i++) {
        put16(0xffdb);
        put16(2 + 65);
        put(3 - i - first);
        for (int k = 0; k < 64; k++)
            put(6 + i + first);
        put_table(0, (i + first + 2) & 3, &dc);
        put_table(1, 3 - i - first, &ac[(i + first) & 1]);
    }
    if (interval) {
        put16(0xffdd);
        put16(4);
        put16(interval);
    }
    put16(0xffc0);
    put16(8 + 3 * parts);
    put(8);
    put16(height);
    put16(width);
    put(parts);
    for (int i = 0; i < parts; i++) {
        put(10 + i);
        put(parts == 1 ? 0x11 : p[i].h << 4 | p[i].v);
        put(3 - i - first);
    }
}

static void put_scan_head(int parts, int first, int number)
{
    put16(0xffda);
    put16(6 + 2 * parts);
    put(parts);
    for (int i = 0; i < parts; i++) {
        put(10 + i + number);
        put(((i + first + number + 2) & 3) << 4 | (3 - i - first - number));
    }
    put(0);
    put(63);
    put(0);
}

/* Before each unit but the first: a marker where the interval is over. */
static void maybe_restart(int unit, int interval, int *predicted)
{
    if (!interval || unit == 0 || unit % interval)
        return;
    flush();
    put16(0xffd0 + ((unit / interval - 1) & 7));
    for (int i = 0; i < 3; i++)
        predicted[i] = 0;
}

static void put_single(const part *p, int first, int interval)
{
    int predicted[3] = {0}, unit = 0;
    for (int y = 0; y < (p->height + 7) / 8; y++)
        for (int x = 0; x < (p->width + 7) / 8; x++) {
            maybe_restart(unit++, interval, predicted);
            put_block(p->block[y * SIDE + x], predicted, &ac[first & 1]);
        }
    flush();
}

static void put_together(const part *p, int interval)
{
    int predicted[3] = {0}, unit = 0;
    for (int y = 0; y < p[0].high / p[0].v; y++)
        for (int x = 0; x < p[0].wide / p[0].h; x++) {
            maybe_restart(unit++, interval, predicted);
            for (int i = 0; i < 3; i++)
                for (int v = 0; v < p[i].v; v++)
                    for (int h = 0; h < p[i].h; h++)
                        put_block(p[i].block[(y * p[i].v + v) * SIDE + x * p[i].h + h], &predicted[i], &ac[i & 1]);
        }
    flush();
}

/* ----------------------------------------------------------------------------------------- the definition */
static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* Sample of the component at pixel (X,Y). */
static int sample(const part *p, const tx_image *in, int ratio_h, int ratio_v, int X, int Y)
{
    int w = p->width, h = p->height;
    int smooth_h = ratio_h == 2 && ratio_v <= 2 && w > 2, smooth_v = ratio_v == 2 && (ratio_h == 1 || smooth_h);
    int x = X / ratio_h, y = Y / ratio_v, far_x = clamp(x + (X % 2 ? 1 : -1), 0, w - 1),
        far_y = clamp(y + (Y % 2 ? 1 : -1), 0, h - 1);
#define AT(column, row) in->pixels[(row)*w + (column)]
    int sum = 3 * AT(x, y) + AT(x, far_y), far_sum = 3 * AT(far_x, y) + AT(far_x, far_y);
    if (smooth_h && smooth_v)
        return (3 * sum + far_sum + (X % 2 ? 7 : 8)) >> 4;
    if (smooth_v)
        return (sum + (Y % 2 ? 2 : 1)) >> 2;
    return smooth_h ? (3 * AT(x, y) + AT(far_x, y) + (X % 2 ? 2 : 1)) >> 2 : AT(x, y);
#undef AT
}

static void to_rgb(const int s[3], unsigned char rgb[3])
{
    int cb = s[1] - 128, cr = s[2] - 128;
    rgb[0] = (unsigned char)clamp(s[0] + ((91881 * cr + 32768) >> 16), 0, 255);
    rgb[1] = (unsigned char)clamp(s[0] + ((32768 - 22554 * cb - 46802 * cr) >> 16), 0, 255);
    rgb[2] = (unsigned char)clamp(s[0] + ((116130 * cb + 32768) >> 16), 0, 255);
}

/* -------------------------------------------------------------------------------------------- an image */
static int random_below(int n)
{
    return (int)(temp_random() >> 33) % n;
}

static void make_part(part *p, int h, int v, int max_h, int max_v, int width, int height)
{
    p->h = h;
    p->v = v;
    p->width = (width * h + max_h - 1) / max_h;
    p->height = (height * v + max_v - 1) / max_v;
    p->wide = (width + 8 * max_h - 1) / (8 * max_h) * h;
    p->high = (height + 8 * max_v - 1) / (8 * max_v) * v;
    memset(p->block, 0, sizeof p->block);
    for (int i = 0; i < SIDE * SIDE; i++) {
        signed char *b = p->block[i];
        b[0] = (signed char)(random_below(120) - 60);
        /* What the codes have: runs of 0, 2 and 5 zeros, and of 16 and more. */
        for (int k = 1; random_below(4) && k < 64;) {
            static const int skip[] = {0, 2, 16, 18};
            int kind = random_below(5);
            k += kind < 4 ? skip[kind] : 0;
            if (k < 64)
                b[k++] = (signed char)(kind == 4 ? random_below(2) * 2 - 1
                                                 : (32 + random_below(32)) * (random_below(2) * 2 - 1));
        }
    }
}

static tx_status decode(tx_image *out)
{
    unsigned char *exact = tx_alloc(used, 1); /* what is read behind the file would be seen */
    memcpy(exact, bytes, used);
    tx_status status = tx_image_decode(exact, used, "made.jpg", out);
    tx_free(exact);
    return status;
}

static void check_image(const int h[3], const int v[3], int width, int height, int interval)
{
    static part p[3];
    tx_image grey[3], image;
    int max_h = 1, max_v = 1;
    for (int i = 0; i < 3; i++) {
        max_h = h[i] > max_h ? h[i] : max_h;
        max_v = v[i] > max_v ? v[i] : max_v;
    }
    for (int i = 0; i < 3; i++) {
        make_part(&p[i], h[i], v[i], max_h, max_v, width, height);
        put_head(&p[i], 1, i, p[i].width, p[i].height, interval);
        put_scan_head(1, i, 0);
        put_single(&p[i], i, interval);
        put16(0xffd9);
        CHECK(decode(&grey[i]) == TX_OK && grey[i].width == p[i].width && grey[i].height == p[i].height,
              "component %d: %s", i, tx_error_message());
    }
    for (int scans = 1; scans <= 3; scans += 2) {
        put_head(p, 3, 0, width, height, interval);
        if (scans == 1) {
            put_scan_head(3, 0, 0);
            put_together(p, interval);
        }
        for (int i = 0; scans == 3 && i < 3; i++) {
            put_scan_head(1, 0, i);
            put_single(&p[i], i, interval);
        }
        put16(0xffd9);
        CHECK(decode(&image) == TX_OK && image.width == width && image.height == height && image.channels == 3,
              "%dx%d, %d scans: %s", width, height, scans, tx_error_message());
        int wrong = 0;
        for (int y = 0; image.pixels && y < height; y++)
            for (int x = 0; x < width; x++) {
                int s[3];
                unsigned char rgb[3];
                for (int i = 0; i < 3; i++)
                    s[i] = sample(&p[i], &grey[i], max_h / h[i], max_v / v[i], x, y);
                to_rgb(s, rgb);
                wrong += memcmp(rgb, image.pixels + 3 * (y * width + x), 3) != 0;
            }
        CHECK(wrong == 0, "%dx%d, sampling %dx%d %dx%d %dx%d, %d scans, interval %d: %d pixels are others", width,
              height, h[0], v[0], h[1], v[1], h[2], v[2], scans, interval, wrong);
        tx_image_free(&image);
    }
    for (int i = 0; i < 3; i++)
        tx_image_free(&grey[i]);
}

static void every_size(void)
{
    static const int sampling[][2][3] = {{{1, 1, 1}, {1, 1, 1}}, {{2, 1, 1}, {1, 1, 1}}, {{1, 1, 1}, {2, 1, 1}},
                                         {{2, 1, 1}, {2, 1, 1}}, {{4, 1, 1}, {1, 1, 1}}, {{1, 1, 1}, {4, 1, 1}},
                                         {{2, 1, 1}, {4, 1, 1}}, {{4, 2, 1}, {1, 1, 1}}, {{2, 2, 1}, {2, 1, 2}},
                                         {{1, 2, 1}, {1, 2, 2}}, {{3, 1, 3}, {1, 1, 1}}, {{2, 1, 2}, {1, 2, 2}}};
    static const int side[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33};
    enum { SIDES = sizeof side / sizeof side[0] };
    int interval = 0;
    for (size_t k = 0; k < sizeof sampling / sizeof sampling[0]; k++)
        for (int i = 0; i < SIDES; i++)
            for (int j = 0; j < SIDES; j++)
                if (i < 6 || j < 6 || (i + j + (int)k) % 3 == 0)
                    check_image(sampling[k][0], sampling[k][1], side[i], side[j], interval++ % 4);
}

int main(void)
{
    every_size();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_planes");
}
