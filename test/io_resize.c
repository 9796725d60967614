/* io_resize.c - resizing on cases that can be checked by hand; the checker (pixels.c) compares whole images. */
#include "test.h"
#include "../io/io.h"

#include <string.h>

static const char *const names[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};

static tx_image grey(int width, int height, unsigned char *pixels)
{
    tx_image image = {width, height, 1, pixels};
    return image;
}

static void vector(tx_interpolation f, const char *what, tx_image in, int width, int height,
                   const unsigned char *wanted)
{
    tx_image out;
    CHECK(tx_image_resize(&in, width, height, f, &out) == TX_OK, "%s %s: %s", names[f], what, tx_error_message());
    CHECK(out.width == width && out.height == height && out.channels == in.channels, "%s %s: size", names[f], what);
    for (int i = 0; out.pixels && i < width * height * in.channels; i++)
        CHECK(out.pixels[i] == wanted[i], "%s %s: byte %d is %d, expected %d", names[f], what, i, out.pixels[i],
              wanted[i]);
    tx_image_free(&out);
}

/* Pillow's bytes. */
static void vectors(void)
{
    static unsigned char steps[] = {0, 255, 0, 100, 200, 50, 255, 255};
    static const unsigned char down[6][3] = {{255, 200, 255}, {85, 150, 187},  {109, 113, 202},
                                             {119, 123, 211}, {102, 111, 207}, {100, 109, 210}};
    static const unsigned char up[6][11] = {
        {0, 255, 255, 0, 100, 200, 200, 50, 255, 255, 255}, {0, 255, 255, 0, 100, 200, 200, 50, 255, 255, 255},
        {0, 151, 174, 5, 77, 150, 166, 57, 190, 255, 255},  {0, 179, 218, 0, 94, 150, 191, 51, 225, 255, 255},
        {0, 166, 199, 0, 70, 166, 176, 50, 193, 255, 255},  {0, 172, 212, 0, 52, 189, 168, 50, 182, 255, 250}};
    for (int f = 0; f < 6; f++) {
        vector((tx_interpolation)f, "8 to 3 columns", grey(8, 1, steps), 3, 1, down[f]);
        vector((tx_interpolation)f, "8 to 3 rows", grey(1, 8, steps), 1, 3, down[f]);
        vector((tx_interpolation)f, "8 to 11 columns", grey(8, 1, steps), 11, 1, up[f]);
        vector((tx_interpolation)f, "8 to 11 rows", grey(1, 8, steps), 1, 11, up[f]);
    }
    /* the height shrinks by more than twice what the width does, so rows come first */
    static unsigned char tall[2 * 9] = {207, 21, 45,  60,  46,  205, 222, 149, 10,
                                        24,  85, 110, 159, 122, 67,  40,  177, 188};
    static const unsigned char tall_out[] = {104, 102, 100, 110, 109, 107};
    vector(TX_LANCZOS, "2 x 9 to 3 x 2", grey(2, 9, tall), 3, 2, tall_out);
    static unsigned char colours[2 * 2 * 3] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30};
    static const unsigned char colours_out[] = {136, 0, 135, 67, 69, 72, 0, 147, 8};
    tx_image rgb = {2, 2, 3, colours};
    vector(TX_BICUBIC, "RGB 2 x 2 to 3 x 1", rgb, 3, 1, colours_out);
}

/* Flat images stay flat; an image's own size is a copy; any size to one pixel and back. */
static void plain(void)
{
    static unsigned char flat[64 * 64 * 3], mixed[64 * 64 * 3];
    memset(flat, 201, sizeof flat);
    for (size_t i = 0; i < sizeof mixed; i++)
        mixed[i] = (unsigned char)(i * 7919 >> 3);
    for (int f = 0; f < 6; f++)
        for (int channels = 1; channels <= 3; channels += 2)
            for (int w = 1; w <= 64; w += 9)
                for (int h = 1; h <= 64; h += 21) {
                    tx_image in = {w, h, channels, flat}, out;
                    int target_w = 65 - w, target_h = h % 5 + 1;
                    tx_status status = tx_image_resize(&in, target_w, target_h, (tx_interpolation)f, &out);
                    int same =
                        status == TX_OK && memcmp(out.pixels, flat, (size_t)(target_w * target_h * channels)) == 0;
                    CHECK(same, "%s: a flat image of %d x %d is not flat at %d x %d", names[f], w, h, target_w,
                          target_h);
                    tx_image_free(&out);
                    in.pixels = mixed;
                    status = tx_image_resize(&in, w, h, (tx_interpolation)f, &out);
                    same = status == TX_OK && out.pixels != mixed &&
                           memcmp(out.pixels, mixed, (size_t)(w * h * channels)) == 0;
                    CHECK(same, "%s: %d x %d to its own size is no copy", names[f], w, h);
                    tx_image_free(&out);
                    status = tx_image_resize(&in, 1, 1, (tx_interpolation)f, &out);
                    CHECK(status == TX_OK && out.width == 1 && out.height == 1, "%s: %d x %d to one pixel", names[f], w,
                          h);
                    tx_image_free(&out);
                }
}

static void refuse(const tx_image *in, int width, int height, int f, tx_status wanted, const char *text)
{
    tx_image out;
    tx_alloc_fail_after(-1);
    tx_status status = tx_image_resize(in, width, height, (tx_interpolation)f, &out);
    CHECK(status == wanted && strstr(tx_error_message(), text), "status %d (%s), expected '%s'", (int)status,
          tx_error_message(), text);
    CHECK(!out.pixels && tx_alloc_live() == 0, "something is left after '%s'", text);
}

static void refused(void)
{
    static unsigned char pixels[16];
    tx_image in = grey(4, 4, pixels), none = grey(4, 4, NULL), odd = {2, 2, 2, pixels};
    refuse(&in, 0, 4, TX_BILINEAR, TX_ERR_ARGUMENT, "0 x 4");
    refuse(&in, 4, -1, TX_BILINEAR, TX_ERR_ARGUMENT, "4 x -1");
    refuse(&in, 2147483647, 2147483647, TX_NEAREST, TX_ERR_ARGUMENT, "2^28");
    refuse(&in, 16384, 16385, TX_LANCZOS, TX_ERR_ARGUMENT, "2^28");
    CHECK(tx_alloc_count() == 0, "memory was asked for");
    refuse(&in, 2, 2, 6, TX_ERR_ARGUMENT, "filter 6");
    refuse(&in, 2, 2, -1, TX_ERR_ARGUMENT, "filter -1");
    refuse(&none, 2, 2, TX_BOX, TX_ERR_ARGUMENT, "4 x 4");
    refuse(&odd, 1, 1, TX_BOX, TX_ERR_ARGUMENT, "2 channels");
}

/* Each allocation in turn is refused. */
static void starve(void)
{
    static unsigned char pixels[30 * 20 * 3];
    tx_image in = {30, 20, 3, pixels};
    for (int f = 0; f < 6; f++) {
        tx_status status = TX_ERR_MEMORY;
        long i = 0;
        for (; i < 50 && status; i++) {
            tx_image out;
            tx_alloc_fail_after(i);
            status = tx_image_resize(&in, 17, 23, (tx_interpolation)f, &out);
            tx_alloc_fail_after(-1);
            CHECK(status == TX_OK || (status == TX_ERR_MEMORY && !out.pixels), "%s: allocation %ld", names[f], i);
            tx_image_free(&out);
            CHECK(tx_alloc_live() == 0, "%s: memory is lost at allocation %ld", names[f], i);
        }
        CHECK(status == TX_OK && i > 2, "%s: status %d after %ld allocations", names[f], (int)status, i);
    }
}

int main(void)
{
    vectors();
    plain();
    refused();
    starve();
    return test_done("io_resize");
}
