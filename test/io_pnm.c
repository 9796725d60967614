/* io_pnm.c - Netpbm's formats: headers with comments and blanks of all kinds, samples of every largest value, each rule broken
 * alone, files cut at every byte, random bytes, every allocation failing. */
#define _POSIX_C_SOURCE 200809L
#include "io_temp.h"
#include "test.h"

#include <string.h>

/* From memory that ends where the file does. */
static tx_status decode(const char *file, size_t size, tx_image *image)
{
    unsigned char *exact = tx_alloc(size, 1);
    memcpy(exact, file, size);
    tx_status status = tx_image_decode(exact, size, "made.pnm", image);
    tx_free(exact);
    return status;
}

#define ACCEPTED(file, width, height, channels, pixels) \
    accepted(file, sizeof file - 1, width, height, channels, pixels, sizeof pixels - 1)
static void accepted(const char *file, size_t size, int width, int height, int channels, const char *pixels, size_t n)
{
    tx_image image;
    int w, h, c;
    tx_status status = decode(file, size, &image);
    CHECK(status == TX_OK && image.width == width && image.height == height && image.channels == channels &&
              n == (size_t)width * (size_t)height * (size_t)channels && memcmp(image.pixels, pixels, n) == 0,
          "'%s': %s", file, status ? tx_error_message() : "other pixels");
    temp_write(temp_path("a"), file, size);
    CHECK(tx_image_header(temp_path("a"), &w, &h, &c) == TX_OK && w == width && h == height && c == channels,
          "'%s': the header", file);
    tx_image_free(&image);
    /* Without its last bytes, whatever the format, it is an error that names the place. */
    for (size_t cut = 4; cut < size; cut++) {
        status = decode(file, cut, &image);
        int digit = file[1] < '4' && cut + 2 >= size; /* a number in text may be a shorter one */
        CHECK(digit || (status == TX_ERR_FORMAT && !image.pixels && strstr(tx_error_message(), "byte ")),
              "'%s' cut at %zu is accepted", file, cut);
        tx_image_free(&image);
    }
}

static void formats(void)
{
    ACCEPTED("P1\n3 2\n0 1 0\n110", 3, 2, 1, "\377\0\377\0\0\377");
    ACCEPTED("P1 3 # c\n2 010#0\n1 1\t0", 3, 2, 1, "\377\0\377\0\0\377");
    ACCEPTED("P2\n# a comment\n# and one\n2 2\n255\n0 1\n\n128 255", 2, 2, 1, "\0\1\200\377");
    ACCEPTED("P2\n2 2 15 0 1#x\r15 8", 2, 2, 1, "\0\21\377\210");
    ACCEPTED("P3\r\n1 2\r\n255\r\n1 2 3 4 5 6", 1, 2, 3, "\1\2\3\4\5\6");
    ACCEPTED("P4\n10 2\n\xaa\x80\x55\x40", 10, 2, 1, "\0\377\0\377\0\377\0\377\0\377\377\0\377\0\377\0\377\0\377\0");
    ACCEPTED("P5\n2 2\n255\n\n #7", 2, 2, 1, "\n #7");
    ACCEPTED("P5 2#width\n#height\n1 # most\n100 \0\144", 2, 1, 1, "\0\377");
    ACCEPTED("P5\t2 1\f65535\n\0\377\1\201", 2, 1, 1, "\1\1");
    ACCEPTED("P5\n2 1\n10\n\13\310", 2, 1, 1, "\377\377"); /* above the largest */
    ACCEPTED("P6\n1 2\n255\nabcdef", 1, 2, 3, "abcdef");
    ACCEPTED("P6 1 1 1000 \1\364\0\0\3\350", 1, 1, 3, "\200\0\377");
    tx_image image;
    CHECK(decode("P5\n1 1\n255\na and more", 21, &image) == TX_OK && image.pixels[0] == 'a', "bytes behind the image");
    tx_image_free(&image);
}

/* rint(v / most * 255) by integers: the nearest, of two the even one. */
static int nearest(int v, int most)
{
    int twice = 2 * v * 255 / most, rest = 2 * v * 255 % most, k = twice / 2;
    if (twice % 2 == 0)
        return k;
    return rest || k % 2 ? k + 1 : k;
}

static void scales(void)
{
    static const int largest[] = {1, 2, 3, 7, 31, 100, 127, 254, 255, 256, 511, 1023, 4095, 32768, 65534, 65535};
    for (size_t i = 0; i < sizeof largest / sizeof largest[0]; i++) {
        static char file[140000];
        int most = largest[i], wide = most > 255;
        size_t n = (size_t)snprintf(file, sizeof file, "P5 %d 1 %d ", most + 1, most);
        for (int v = 0; v <= most; v++) {
            if (wide)
                file[n++] = (char)(v >> 8);
            file[n++] = (char)v;
        }
        tx_image image;
        int right = decode(file, n, &image) == TX_OK;
        /* The quotient is rounded in double before the product, so a tie may go either way. */
        for (int v = 0; right && v <= most; v++) {
            int tie = 2 * v * 255 % most == 0 && 2 * v * 255 / most % 2;
            right =
                image.pixels[v] == nearest(v, most) ||
                (tie && (image.pixels[v] == 2 * v * 255 / most / 2 || image.pixels[v] == 2 * v * 255 / most / 2 + 1));
        }
        CHECK(right, "samples of 0..%d", most);
        tx_image_free(&image);
    }
}

static void refused(const char *file, const char *what)
{
    tx_image image;
    tx_status status = decode(file, strlen(file), &image);
    CHECK(status == TX_ERR_FORMAT && !image.pixels && strstr(tx_error_message(), what) &&
              strncmp(tx_error_message(), "made.pnm: byte ", 15) == 0,
          "'%s': '%s' expected: %s", file, what, status ? tx_error_message() : "accepted");
    tx_image_free(&image);
}

static void rules(void)
{
    refused("P2 0 1 255 1", "without pixels");
    refused("P2 1 0 255 1", "without pixels");
    refused("P5 65536 4097 255 1", "2^28 pixels");
    refused("P5 3000000000 1 255 1", "the width is more than");
    refused("P5 1 1 65536 1", "the largest sample is more than 65535");
    refused("P5 1 1 0 1", "the largest sample is 0");
    refused("P5 #\n1x 1 255 1", "a byte 78 in the width");
    refused("P5 #\n1 -1 255 1", "a byte 2d in the height");
    refused("P5 1 1 2.5 1", "a byte 2e in the largest sample");
    refused("P5 1 1", "byte 6: the file ends before the largest sample");
    refused("P5 1 1 # no end", "byte 15: the file ends before the largest sample");
    refused("P5 1 1 255", "image data is missing");
    refused("P2 2 1 9 7 10", "a sample is more than 9");
    refused("P2 2 1 9 7 a", "a byte 61 in a sample");
    refused("P1 2 1 0 2", "a byte 32 in a bitmap");
    refused("P5 65536 4096 65535 1", "of at least 536870912");
    refused("P1 65536 4096 1", "of at least 268435456");
    refused("P3 1 1 255 1 2", "of at least 5");
    refused("P4 9 2 abc", "3 bytes of at least 4");
    refused("P7\nWIDTH 1\n", "looks like a PAM image (P7)");
    refused("PF\n1 1\n1.0\n", "looks like a PFM image");
    refused("P2,Path\n1 1\n", "an unknown format");
    refused("P8\n1 1\n", "an unknown format");
}

static void damage(void)
{
    static const char *const begin[] = {"P1 3 3 ", "P2 3 3 9 ", "P3 2 2 300 ", "P4 9 3 ", "P5 3 3 99 ", "P6 2 2 255 "};
    static const char often[] = "0123456789 #\n\r";
    tx_image image;
    int sound = 1, good = 0;
    for (int k = 0; k < 4000; k++) {
        char file[128];
        size_t n = (size_t)snprintf(file, sizeof file, "%s", begin[k % 6]), more = temp_random() % 60, back = n;
        for (size_t i = 0; i < more; i++)
            file[n++] = temp_random() % 8 ? often[temp_random() % 14] : (char)temp_random();
        if (k % 3 == 0)
            file[3 + temp_random() % (back - 3)] = (char)temp_random();
        tx_status status = decode(file, n, &image);
        good += status == TX_OK;
        sound &= status == TX_OK ? image.pixels != NULL : !image.pixels && strstr(tx_error_message(), "byte ");
        tx_image_free(&image);
    }
    CHECK(sound && good > 100 && good < 3900, "%d of 4000 random files are images", good);
    for (long k = 0; k < 2; k++) {
        long live = tx_alloc_live();
        tx_alloc_fail_after(k);
        tx_status status = tx_image_decode((const unsigned char *)"P5 1 1 255 a", 12, "a", &image);
        tx_alloc_fail_after(-1);
        CHECK(status == TX_ERR_MEMORY && !image.pixels && tx_alloc_live() == live, "allocation %ld", k);
    }
}

int main(void)
{
    if (!temp_begin())
        return 1;
    formats();
    scales();
    rules();
    damage();
    temp_end();
    return test_done("io_pnm");
}
