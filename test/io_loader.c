/* io_loader.c - from files to batches: normalisation, framing, random crops, the cache, threads, bad images. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

/* A grey JPEG of 25 x 10 and a coloured one of 10 x 23. */
static const unsigned char grey_jpeg[] = {
    255, 216, 255, 224, 0,   16,  74,  70,  73, 70,  0,  1,   1,   0,   0,  1,  0,   1,   0,   0,   255, 219, 0,   67,
    0,   13,  9,   10,  11,  10,  8,   13,  11, 10,  11, 14,  14,  13,  15, 19, 32,  21,  19,  18,  18,  19,  39,  28,
    30,  23,  32,  46,  41,  49,  48,  46,  41, 45,  44, 51,  58,  74,  62, 51, 54,  70,  55,  44,  45,  64,  87,  65,
    70,  76,  78,  82,  83,  82,  50,  62,  90, 97,  90, 80,  96,  74,  81, 82, 79,  255, 192, 0,   11,  8,   0,   10,
    0,   25,  1,   1,   17,  0,   255, 196, 0,  22,  0,  1,   1,   1,   0,  0,  0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   6,   5,   7,   255, 196, 0,  27,  16, 0,   2,   2,   3,  1,  0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   5,   3,   33,  19,  49, 65,  97, 255, 218, 0,   8,  1,  1,   0,   0,   63,  0,   20,  182, 45,
    80,  177, 108, 90,  161, 106, 216, 181, 69, 156, 94, 24,  186, 222, 11, 22, 240, 90,  183, 133, 147, 255, 217,
};
static const unsigned char coloured_jpeg[] = {
    255, 216, 255, 224, 0,   16,  74,  70,  73, 70,  0,   1,   1,   0,   0,   1,   0,   1,   0,   0,   255, 219, 0,
    67,  0,   13,  9,   10,  11,  10,  8,   13, 11,  10,  11,  14,  14,  13,  15,  19,  32,  21,  19,  18,  18,  19,
    39,  28,  30,  23,  32,  46,  41,  49,  48, 46,  41,  45,  44,  51,  58,  74,  62,  51,  54,  70,  55,  44,  45,
    64,  87,  65,  70,  76,  78,  82,  83,  82, 50,  62,  90,  97,  90,  80,  96,  74,  81,  82,  79,  255, 219, 0,
    67,  1,   14,  14,  14,  19,  17,  19,  38, 21,  21,  38,  79,  53,  45,  53,  79,  79,  79,  79,  79,  79,  79,
    79,  79,  79,  79,  79,  79,  79,  79,  79, 79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  79,
    79,  79,  79,  79,  79,  79,  79,  79,  79, 79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  79,  255, 192, 0,
    17,  8,   0,   23,  0,   10,  3,   1,   34, 0,   2,   17,  1,   3,   17,  1,   255, 196, 0,   24,  0,   0,   2,
    3,   0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0,   0,   0,   0,   5,   3,   4,   6,   255, 196, 0,   26,
    16,  0,   2,   3,   1,   1,   0,   0,   0,  0,   0,   0,   0,   0,   0,   0,   0,   0,   1,   4,   17,  33,  5,
    49,  255, 196, 0,   22,  1,   1,   1,   1,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   4,
    1,   6,   255, 196, 0,   29,  17,  0,   1,  4,   2,   3,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   1,   2,   4,   33,  3,   5,   17,  18, 19,  255, 218, 0,   12,  3,   1,   0,   2,   17,  3,   17,  0,   63,
    0,   197, 194, 137, 117, 131, 85,  15,  22, 22,  96,  68,  186, 193, 202, 135, 139, 1,   34,  247, 177, 250, 249,
    156, 99,  38,  231, 68,  78,  135, 106, 26, 165, 224, 1,   33,  219, 44,  206, 65,  200, 239, 51,  255, 217,
};

enum { SIZE = 8, EACH = SIZE * SIZE * 3 };

/* A folder with a table of images; the names are looked up below it. */
static tx_dataset *table(const char *const *name, size_t n)
{
    char text[2000];
    size_t used = (size_t)snprintf(text, sizeof text, "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema\n");
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "CheXpert/train/%s,,,Frontal,,1.0\n", name[i]);
    temp_text(temp_path("train.csv"), text);
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    CHECK(d, "%s", tx_error_message());
    return d;
}

static const char *const good[] = {"wide.jpg", "tall.jpg", "wide.jpg", "tall.jpg", "wide.jpg"};
static const char *const mixed[] = {"wide.jpg", "cut.jpg", "tall.jpg", "none.jpg", "text.jpg", "wide.jpg"};

static tx_loader_options plain(int training)
{
    tx_loader_options o = {.preprocess = {.size = SIZE, .interpolation = TX_BILINEAR}, .training = training, .seed = 5};
    tx_normalize_parse("imagenet", &o.preprocess.normalize);
    return o;
}

static void normalising(void)
{
    tx_normalize n;
    CHECK(tx_normalize_parse("chexpert", &n) == TX_OK && n.mean[2] == 0.5020 && n.std[0] == 0.085585, "chexpert");
    CHECK(tx_normalize_parse("half", &n) == TX_OK && n.mean[1] == 0.5 && n.std[1] == 0.5, "half");
    CHECK(tx_normalize_parse("none", &n) == TX_OK && n.mean[0] == 0 && n.std[2] == 1 && !n.xrv, "none");
    n.xrv = 0;
    CHECK(tx_normalize_parse("xrv", &n) == TX_OK && n.mean[1] == 0.5 && n.std[2] == 1 / 2048.0 && n.xrv, "xrv");
    CHECK(tx_normalize_parse("0.1,-2,3e-1/1,2,.5", &n) == TX_OK && n.mean[1] == -2 && n.mean[2] == 0.3 &&
              n.std[2] == 0.5,
          "numbers");
    static const char *const bad[] = {"",
                                      "Imagenet",
                                      "1,2,3",
                                      "1,2/1,2",
                                      "1,2,3/1,2,0",
                                      "1,2,3/1,2,-1",
                                      "1,2,3/1,2,3,4",
                                      "1,2,3/1,2,nan",
                                      "1,2,3/1,2,",
                                      "1,2,3/ 1,2,3",
                                      "1,2,3/1,2,3x",
                                      "a,b,c/1,1,1",
                                      "1,2,3,4/1,2,3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(tx_normalize_parse(bad[i], &n) == TX_ERR_ARGUMENT, "'%s' is no normalisation", bad[i]);
}

static void framing(void)
{
    /* as torchvision: int(size * long / short), int(round((n - size) / 2.0)) */
    static const struct {
        int width, height, stretch, frame[4];
    } known[] = {
        {8, 8, 0, {8, 8, 0, 0}},    {16, 16, 0, {8, 8, 0, 0}}, {25, 10, 0, {20, 8, 6, 0}},  {10, 23, 0, {8, 18, 0, 5}},
        {10, 12, 0, {8, 9, 0, 0}},  {12, 10, 0, {9, 8, 0, 0}}, {10, 14, 0, {8, 11, 0, 2}},  {17, 10, 0, {13, 8, 2, 0}},
        {19, 10, 0, {15, 8, 4, 0}}, {1, 3, 0, {8, 24, 0, 8}},  {390, 320, 0, {9, 8, 0, 0}}, {25, 10, 1, {8, 8, 0, 0}},
    };
    tx_preprocess how = plain(0).preprocess;
    tx_framing f;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const int *to = known[i].frame;
        tx_framing want = {to[0], to[1], to[2], to[3], known[i].width, known[i].height};
        how.stretch = known[i].stretch;
        CHECK(tx_preprocess_frame(&how, known[i].width, known[i].height, &f) == TX_OK &&
                  memcmp(&f, &want, sizeof f) == 0,
              "%d x %d: %d x %d at (%d,%d)", known[i].width, known[i].height, f.width, f.height, f.left, f.top);
    }
    how.stretch = 0;
    CHECK(tx_preprocess_frame(&how, 1, 1 << 28, &f) == TX_ERR_FORMAT, "too long to be resized");
    how.size = TX_SIZE_MAX;
    CHECK(tx_preprocess_frame(&how, 2, 3, &f) == TX_ERR_FORMAT && tx_preprocess_frame(&how, 3, 3, &f) == TX_OK,
          "2^28 pixels at most");
    float pixel;
    how.size = 0;
    CHECK(tx_preprocess_file(&how, "x", &pixel, NULL) == TX_ERR_ARGUMENT, "size 0");
    how.size = TX_SIZE_MAX + 1;
    CHECK(tx_preprocess_file(&how, "x", &pixel, NULL) == TX_ERR_ARGUMENT, "too large");
}

/* The definition, step by step, for one image with its crop at (left, top). */
static int as_defined(const char *name, int left, int top, const float *pixels)
{
    static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    tx_image image, small;
    if (tx_image_read(temp_path(name), &image))
        return 0;
    int w = image.width < image.height ? SIZE : SIZE * image.width / image.height;
    int h = image.width < image.height ? SIZE * image.height / image.width : SIZE;
    int same = tx_image_resize(&image, w, h, TX_BILINEAR, &small) == TX_OK;
    for (int y = 0; y < SIZE && same; y++)
        for (int x = 0; x < SIZE; x++)
            for (int c = 0; c < 3; c++) {
                int from = ((top + y) * w + left + x) * small.channels + (small.channels == 3 ? c : 0);
                float v = (float)((small.pixels[from] / 255.0 - mean[c]) / std[c]);
                same &= memcmp(&v, &pixels[(y * SIZE + x) * 3 + c], sizeof v) == 0;
            }
    tx_image_free(&image);
    tx_image_free(&small);
    return same;
}

/* One channel: grey first, then its size, then its numbers, for a single image and for a batch. */
static void one_channel(void)
{
    static const char *const name[] = {"wide.jpg", "tall.jpg"}, *const file[] = {"train/wide.jpg", "train/tall.jpg"};
    tx_dataset *d = table(name, 2);
    for (int k = 0; k < 6; k++) {
        int red = k / 2 == 0, c = k % 2;
        tx_loader_options o = plain(0);
        o.preprocess.channels = 1;
        CHECK(tx_preprocess_check(&o.preprocess) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "network takes one"),
              "three means for one channel: %s", tx_error_message());
        tx_normalize_parse(red ? "xrv" : k / 2 == 1 ? "chexpert" : "half", &o.preprocess.normalize);
        tx_image image, grey = {0}, small = {0};
        tx_framing f;
        float pixels[2 * SIZE * SIZE + 1], both[2 * SIZE * SIZE];
        pixels[SIZE * SIZE] = 77;
        CHECK(tx_image_read(temp_path(file[c]), &image) == TX_OK && image.channels == 1 + 2 * c &&
                  tx_preprocess_file(&o.preprocess, temp_path(file[c]), pixels, &f) == TX_OK,
              "%s", tx_error_message());
        CHECK(pixels[SIZE * SIZE] == 77, "more than one channel is written");
        grey = (tx_image){image.width, image.height, 1, image.pixels};
        for (int i = 0; c && i < image.width * image.height; i++) {
            const unsigned char *p = image.pixels + 3 * i;
            double luma = (19595.0 * p[0] + 38470.0 * p[1] + 7471.0 * p[2]) / 65536;
            grey.pixels[i] = red ? p[0] : (unsigned char)(luma + 0.5);
        }
        CHECK(tx_image_resize(&grey, f.width, f.height, TX_BILINEAR, &small) == TX_OK, "%s", tx_error_message());
        int same = 1;
        for (int i = 0; small.pixels && i < SIZE * SIZE; i++) {
            unsigned char v = small.pixels[(f.top + i / SIZE) * f.width + f.left + i % SIZE];
            float x = (float)v / 255.0F;
            float wanted = red          ? 2048 * (x - 0.5F)
                           : k / 2 == 1 ? (float)((v / 255.0 - 0.5020) / 0.085585)
                                        : (float)((v / 255.0 - 0.5) / 0.5);
            same &= pixels[i] == wanted;
        }
        CHECK(same, "image %d of one channel, normalised %d", c, k / 2);
        const uint32_t index[] = {(uint32_t)c, (uint32_t)c};
        uint32_t kept[2];
        size_t count;
        tx_loader *l = tx_loader_new(d, &o);
        CHECK(l && tx_loader_batch(l, 0, index, 2, both, kept, &count) == TX_OK && count == 2, "%s",
              tx_error_message());
        CHECK(memcmp(both, pixels, SIZE * SIZE * sizeof *both) == 0 &&
                  memcmp(both + SIZE * SIZE, pixels, SIZE * SIZE * sizeof *both) == 0,
              "a batch of one channel");
        CHECK(tx_loader_cached(l) == (size_t)f.width * (size_t)f.height, "its cache: %zu bytes", tx_loader_cached(l));
        tx_loader_free(l);
        tx_image_free(&image);
        tx_image_free(&small);
    }
    tx_dataset_free(d);
    float pixel;
    tx_preprocess two = {.size = 1, .channels = 2, .normalize = {{0}, {1, 1, 1}}};
    CHECK(tx_preprocess_file(&two, temp_path("train/wide.jpg"), &pixel, NULL) == TX_ERR_ARGUMENT &&
              strstr(tx_error_message(), "2 channels"),
          "%s", tx_error_message());
}

static void single(void)
{
    float pixels[EACH];
    tx_framing f;
    tx_preprocess how = plain(0).preprocess;
    CHECK(tx_preprocess_file(&how, temp_path("train/wide.jpg"), pixels, &f) == TX_OK && f.left == 6, "%s",
          tx_error_message());
    CHECK(as_defined("train/wide.jpg", 6, 0, pixels), "the grey image, cropped in the middle");
    CHECK(tx_preprocess_file(&how, temp_path("train/tall.jpg"), pixels, NULL) == TX_OK, "%s", tx_error_message());
    CHECK(as_defined("train/tall.jpg", 0, 5, pixels), "the coloured image");
    CHECK(tx_preprocess_file(&how, temp_path("train/cut.jpg"), pixels, NULL) == TX_ERR_FORMAT, "a cut file");
    CHECK(strstr(tx_error_message(), "train/cut.jpg") && strstr(tx_error_message(), "byte"), "%s", tx_error_message());
}

static void batches(void)
{
    tx_dataset *d = table(good, 5);
    uint32_t index[] = {4, 1, 0, 1}, kept[4];
    float pixels[4 * EACH], again[4 * EACH];
    size_t count;
    tx_loader_options o = plain(0);
    tx_loader *l = tx_loader_new(d, &o);
    CHECK(tx_loader_batch(l, 0, index, 4, pixels, kept, &count) == TX_OK && count == 4 && memcmp(kept, index, 16) == 0,
          "%s", tx_error_message());
    for (size_t k = 0; k < 4; k++) {
        int wide = index[k] % 2 == 0;
        CHECK(as_defined(wide ? "train/wide.jpg" : "train/tall.jpg", wide ? 6 : 0, wide ? 0 : 5, pixels + k * EACH),
              "image %zu", k);
    }
    size_t cached = tx_loader_cached(l);
    CHECK(cached == 2 * 20 * 8 + 8 * 18 * 3, "%zu bytes in the cache", cached);
    CHECK(tx_loader_batch(l, 7, index, 4, again, kept, &count) == TX_OK && memcmp(pixels, again, sizeof pixels) == 0,
          "from the cache");
    CHECK(tx_loader_cached(l) == cached, "nothing twice in the cache");
    uint32_t outside[] = {5};
    CHECK(tx_loader_batch(l, 0, outside, 1, again, kept, &count) == TX_ERR_ARGUMENT && count == 0, "no such image");
    CHECK(tx_loader_batch(l, 0, index, 0, again, kept, &count) == TX_OK && count == 0, "an empty batch");
    tx_loader_free(l);
    tx_dataset_free(d);
}

/* Crops drawn per epoch and image; the same with and without a cache, with one thread and several. */
static void training(void)
{
    tx_dataset *d = table(good, 5);
    uint32_t index[] = {3, 0, 4, 1, 2};
    float first[5 * EACH], pixels[5 * EACH];
    size_t count;
    int before = tx_threads(), moved = 0;
    for (int round = 0; round < 6; round++) {
        tx_set_threads(round % 3 + 1);
        tx_loader_options o = plain(1);
        o.cache = round < 2 ? 1 : round < 4 ? 700 : 0;
        tx_loader *l = tx_loader_new(d, &o);
        for (uint64_t epoch = 0; epoch < 4; epoch++) {
            CHECK(tx_loader_batch(l, epoch, index, 5, pixels, index, &count) == TX_OK && count == 5, "%s",
                  tx_error_message());
            for (size_t k = 0; k < 5; k++) {
                int wide = index[k] % 2 == 0;
                int left = (int)tx_random_below(5, TX_RANDOM_CROP, epoch, 2 * index[k], wide ? 13 : 1);
                int top = (int)tx_random_below(5, TX_RANDOM_CROP, epoch, 2 * index[k] + 1, wide ? 1 : 11);
                CHECK(as_defined(wide ? "train/wide.jpg" : "train/tall.jpg", left, top, pixels + k * EACH),
                      "round %d epoch %d image %zu", round, (int)epoch, k);
            }
            moved += epoch == 1 && memcmp(pixels, first, sizeof pixels) != 0;
            if (epoch == 0)
                memcpy(first, pixels, sizeof first);
        }
        CHECK(tx_loader_cached(l) <= (o.cache ? o.cache : TX_LOADER_CACHE), "the cache keeps its limit");
        CHECK(round < 2 ? tx_loader_cached(l) == 0 : tx_loader_cached(l) > 0, "the cache is used");
        tx_loader_free(l);
    }
    tx_set_threads(before);
    CHECK(moved == 6, "another epoch, other crops");
    tx_dataset_free(d);
}

static void bad_images(void)
{
    tx_dataset *d = table(mixed, 6);
    uint32_t index[] = {0, 4, 3, 2, 1, 5, 4}, kept[7];
    float pixels[7 * EACH], alone[EACH];
    size_t count;
    tx_loader_options o = plain(0);
    tx_loader *l = tx_loader_new(d, &o);
    for (int i = 0; i < 3; i++)
        CHECK(tx_loader_batch(l, 0, index, 7, pixels, kept, &count) == TX_ERR_FORMAT && count == 0 &&
                  strstr(tx_error_message(), "train/text.jpg: byte 0"),
              "the first bad one: %s", tx_error_message());
    CHECK(tx_loader_batch(l, 0, index + 2, 3, pixels, kept, &count) == TX_ERR_FILE &&
              strstr(tx_error_message(), "train/none.jpg"),
          "%s", tx_error_message());
    CHECK(!tx_loader_bad(l, 1), "nothing is skipped");
    tx_loader_free(l);
    o.skip_bad = 1;
    l = tx_loader_new(d, &o);
    for (int i = 0; i < 3; i++) {
        CHECK(tx_loader_batch(l, 0, index, 7, pixels, kept, &count) == TX_OK && count == 3, "%s", tx_error_message());
        CHECK(kept[0] == 0 && kept[1] == 2 && kept[2] == 5, "those that are left, in order");
        tx_preprocess_file(&o.preprocess, temp_path("train/tall.jpg"), alone, NULL);
        CHECK(memcmp(alone, pixels + EACH, sizeof alone) == 0, "moved up");
        CHECK(as_defined("train/wide.jpg", 6, 0, pixels + 2 * EACH), "moved up");
    }
    static const int is_bad[] = {0, 1, 0, 1, 1, 0};
    for (size_t i = 0; i < 6; i++)
        CHECK((tx_loader_bad(l, i) != NULL) == is_bad[i], "image %zu", i);
    CHECK(strstr(tx_loader_bad(l, 1), "train/cut.jpg") && strstr(tx_loader_bad(l, 3), "train/none.jpg"), "%s",
          tx_loader_bad(l, 3));
    CHECK(tx_loader_batch(l, 0, index + 1, 2, pixels, kept, &count) == TX_OK && count == 0, "none is left");
    tx_loader_free(l);
    tx_dataset_free(d);
}

/* Loads images 0..2 of good.csv by a loader of its own. */
static tx_status read_again(const tx_dataset *d, uint64_t *seen, int skip, size_t cache)
{
    uint32_t index[] = {1, 0, 2};
    float pixels[3 * EACH];
    size_t count;
    tx_loader_options o = plain(0);
    o.seen = seen;
    o.skip_bad = skip;
    o.cache = cache;
    tx_loader *l = tx_loader_new(d, &o);
    tx_status status = tx_loader_batch(l, 0, index, 3, pixels, index, &count);
    tx_loader_free(l);
    return status;
}

/* Images that are something else at a later reading. */
static void changed_images(void)
{
    tx_dataset *d = table(good, 5);
    uint64_t seen[5] = {0}, wide = tx_checksum(grey_jpeg, sizeof grey_jpeg);
    uint64_t tall = tx_checksum(coloured_jpeg, sizeof coloured_jpeg);
    const char *path = temp_path("train/wide.jpg");
    unsigned char other[sizeof grey_jpeg];
    char number[32];
    memcpy(other, grey_jpeg, sizeof other);
    other[sizeof other - 3] ^= 1; /* within the picture */
    for (int i = 0; i < 2; i++) {
        CHECK(read_again(d, seen, 0, (size_t)i) == TX_OK, "%s", tx_error_message());
        CHECK(seen[0] == wide && seen[1] == tall && seen[2] == wide && seen[3] == 0, "what was seen");
    }
    temp_write(path, other, sizeof other);
    for (int skip = 0; skip < 2; skip++) {
        CHECK(read_again(d, seen, skip, 0) == TX_ERR_FILE &&
                  strstr(tx_error_message(), "train/wide.jpg: is another file"),
              "one bit: %s", tx_error_message());
        snprintf(number, sizeof number, "%016llx", (unsigned long long)tx_checksum(other, sizeof other));
        CHECK(strstr(tx_error_message(), number), "%s", tx_error_message());
        CHECK(seen[0] == wide, "the change is kept");
    }
    CHECK(read_again(d, NULL, 0, 0) == TX_OK, "nothing is compared: %s", tx_error_message());
    temp_write(path, grey_jpeg, 100);
    for (int skip = 0; skip < 2; skip++)
        CHECK(read_again(d, seen, skip, 0) == TX_ERR_FILE && strstr(tx_error_message(), "cannot be any more") &&
                  strstr(tx_error_message(), "train/wide.jpg: byte"),
              "cut: %s", tx_error_message());
    memset(seen, 0, sizeof seen);
    CHECK(read_again(d, seen, 0, 0) == TX_ERR_FORMAT && seen[0] == 0 && seen[2] == 0 && seen[1] == tall,
          "an error is not noted: %s", tx_error_message());
    CHECK(read_again(d, seen, 1, 0) == TX_OK && seen[0] == TX_IMAGE_BAD && seen[2] == TX_IMAGE_BAD && seen[1] == tall,
          "%s", tx_error_message());
    unlink(path);
    CHECK(read_again(d, seen, 1, 0) == TX_OK, "bad in another way: %s", tx_error_message());
    temp_write(path, grey_jpeg, sizeof grey_jpeg);
    CHECK(read_again(d, seen, 1, 0) == TX_ERR_FILE && strstr(tx_error_message(), "wide.jpg: could not be read before"),
          "%s", tx_error_message());
    tx_dataset_free(d);
}

/* What is in the cache is not read again. */
static void changed_cached(void)
{
    tx_dataset *d = table(good, 5);
    uint64_t seen[5] = {0};
    uint32_t index[] = {0, 3};
    float pixels[2 * EACH], again[2 * EACH];
    size_t count;
    tx_loader_options o = plain(0);
    o.seen = seen;
    tx_loader *l = tx_loader_new(d, &o);
    CHECK(tx_loader_batch(l, 0, index, 2, pixels, index, &count) == TX_OK, "%s", tx_error_message());
    temp_text(temp_path("train/wide.jpg"), "no image");
    index[0] = 3;
    index[1] = 0;
    CHECK(tx_loader_batch(l, 1, index, 2, again, index, &count) == TX_OK && count == 2 &&
              memcmp(pixels, again + EACH, EACH * sizeof *again) == 0,
          "%s", tx_error_message());
    index[0] = 2;
    CHECK(tx_loader_batch(l, 1, index, 2, again, index, &count) == TX_ERR_FORMAT && seen[2] == 0, "a place of its own");
    temp_write(temp_path("train/wide.jpg"), grey_jpeg, sizeof grey_jpeg);
    tx_loader_free(l);
    tx_dataset_free(d);
}

static void no_memory(void)
{
    tx_dataset *d = table(mixed, 6);
    uint32_t index[] = {0, 1, 2, 3}, kept[4];
    float pixels[4 * EACH];
    size_t count = 0;
    tx_loader_options o = plain(1);
    o.skip_bad = 1;
    long before = tx_alloc_live();
    for (long n = 0; n < 2000 && count == 0; n++) {
        tx_alloc_fail_after(n);
        tx_loader *l = tx_loader_new(d, &o);
        tx_status status = l ? tx_loader_batch(l, 0, index, 4, pixels, kept, &count) : TX_ERR_MEMORY;
        tx_alloc_fail_after(-1);
        CHECK(status == TX_ERR_MEMORY || (status == TX_OK && count == 2), "allocation %ld refused: %d %s", n, status,
              tx_error_message());
        tx_loader_free(l);
        CHECK(tx_alloc_live() == before, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - before);
    }
    CHECK(count == 2, "fine at last");
    tx_dataset_free(d);
}

/* The images that come with the source, two epochs in a shuffled order. */
static void sample(void)
{
    tx_dataset *d = tx_dataset_open("bench/nih-sample-128", "valid", NULL);
    if (!d)
        return;
    tx_loader_options o = plain(1);
    o.preprocess.size = 64;
    tx_loader *l = tx_loader_new(d, &o);
    size_t each = 64 * 64 * 3, count;
    float *pixels = tx_alloc(16 * each, sizeof *pixels);
    uint32_t *order = tx_alloc(d->images, sizeof *order);
    double sum[2] = {0, 0};
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        tx_random_permutation(o.seed, TX_RANDOM_SHUFFLE, epoch, order, d->images);
        for (size_t at = 0; at < d->images; at += 16) {
            size_t n = d->images - at < 16 ? d->images - at : 16;
            CHECK(tx_loader_batch(l, epoch, order + at, n, pixels, order + at, &count) == TX_OK && count == n, "%s",
                  tx_error_message());
            for (size_t i = 0; i < n * each; i++)
                sum[epoch] += (double)pixels[i];
        }
    }
    double change = sum[0] - sum[1];
    CHECK(tx_loader_cached(l) == d->images * 64 * 64, "every image is kept");
    CHECK(change < 1e-3 && change > -1e-3, "the same images in another order: %g", change);
    tx_free(pixels);
    tx_free(order);
    tx_loader_free(l);
    tx_dataset_free(d);
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_loader");
    tx_folder_make(temp_path("train"));
    temp_write(temp_path("train/wide.jpg"), grey_jpeg, sizeof grey_jpeg);
    temp_write(temp_path("train/tall.jpg"), coloured_jpeg, sizeof coloured_jpeg);
    temp_write(temp_path("train/cut.jpg"), coloured_jpeg, sizeof coloured_jpeg - 40);
    temp_text(temp_path("train/text.jpg"), "no image");
    normalising();
    framing();
    single();
    one_channel();
    batches();
    training();
    bad_images();
    changed_images();
    changed_cached();
    no_memory();
    sample();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_loader");
}
