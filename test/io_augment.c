/* io_augment.c - the words of --augment; each change against its definition in double; the same picture for the same seed, epoch
 * and image whatever the batch, the threads and the cache; and --resize short=N. */
#define _POSIX_C_SOURCE 200809L
#include "../io/loader_private.h"
#include "io_temp.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { SIZE = 20, IMAGES = 6, EACH = SIZE * SIZE * 3 };

static void words(void)
{
    static const char *const good[][2] = {
        {"none", "none"},
        {"flip", "flip"},
        {"rotate=10", "rotate=10"},
        {"contrast=.20,flip,rotate=1e1", "flip,rotate=10,contrast=0.2"},
        {"scale=0.9,brightness=1,contrast=1,rotate=180", "rotate=180,scale=0.9,brightness=1,contrast=1"}};
    static const char *const bad[] = {"",
                                      "None",
                                      "flip,flip",
                                      "flip,",
                                      ",flip",
                                      "flip=1",
                                      "rotate",
                                      "rotate=",
                                      "rotate=0",
                                      "rotate=181",
                                      "scale=1",
                                      "contrast=-1",
                                      "brightness=1.5",
                                      "rotate=nan",
                                      "flip rotate=1",
                                      "rotate=1x",
                                      "none,flip",
                                      "scale=0.1,scale=0.1",
                                      "rotate=1,,flip",
                                      "hflip"};
    char text[TX_AUGMENT_TEXT];
    tx_augment a;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(tx_augment_parse(good[i][0], &a) == TX_OK &&
                  strcmp(tx_augment_print(&a, text, sizeof text), good[i][1]) == 0,
              "'%s' becomes '%s'", good[i][0], text);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(tx_augment_parse(bad[i], &a) == TX_ERR_ARGUMENT && !tx_augment_any(&a) &&
                  strstr(tx_error_message(), "rotate=DEG"),
              "'%s' is taken", bad[i]);
    tx_augment_parse("rotate=0.1234567890123456789,scale=0.1234567890123456789,brightness=0.1234567890123456789", &a);
    a.contrast = a.flip = 1;
    CHECK(strlen(tx_augment_print(&a, text, sizeof text)) < sizeof text - 24, "room for the words");
    CHECK(tx_augment_parse(NULL, &a) == TX_ERR_ARGUMENT && tx_augment_parse("none", NULL) == TX_ERR_ARGUMENT, "NULL");
}

/* Something smooth and something sharp. */
static void draw(tx_image *image, int width, int height, int channels, int kind)
{
    *image = (tx_image){width, height, channels, tx_alloc((size_t)(width * height), (size_t)channels)};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                int v = (x * 7 + y * 5 + c * 40 + kind * 31) % 256;
                image->pixels[(y * width + x) * channels + c] = (unsigned char)(x / 4 % 2 == y / 4 % 2 ? v : 255 - v);
            }
}

static double draw_of(uint64_t seed, uint64_t epoch, uint32_t i, int k)
{
    return 2 * (double)tx_random_uniform(seed, TX_RANDOM_AUGMENT, epoch, 8 * (uint64_t)i + (uint64_t)k) - 1;
}

static double pixel(const tx_image *m, double x, double y, int c)
{
    int inside = x >= 0 && y >= 0 && x < m->width && y < m->height;
    return inside ? m->pixels[((int)y * m->width + (int)x) * m->channels + c] : 0;
}

/* Turned, scaled, cropped, by the formula: in double, with libm's sine. */
static double turned(const tx_image *m, double x, double y, int c, double degrees, double factor)
{
    double angle = degrees * 3.14159265358979323846 / 180, middle_x = (m->width - 1) / 2.0;
    double middle_y = (m->height - 1) / 2.0, dx = x - middle_x, dy = y - middle_y;
    double u = middle_x + (cos(angle) * dx - sin(angle) * dy) / factor;
    double v = middle_y + (sin(angle) * dx + cos(angle) * dy) / factor;
    double i = floor(u), j = floor(v), fu = u - i, fv = v - j;
    return (1 - fu) * (1 - fv) * pixel(m, i, j, c) + fu * (1 - fv) * pixel(m, i + 1, j, c) +
           (1 - fu) * fv * pixel(m, i, j + 1, c) + fu * fv * pixel(m, i + 1, j + 1, c);
}

static int cut(float v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (int)v;
}

/* What is wrong with brightness and contrast, made of the same crop without them. */
static int values_differ(const tx_image *plain, const tx_image *out, float bright, float contrast)
{
    double sum = 0;
    int n = plain->width * plain->height, step = plain->channels, wrong = 0;
    for (int i = 0; i < n; i++) {
        int p[3];
        for (int c = 0; c < 3; c++)
            p[c] = cut(bright * plain->pixels[i * step + (step == 3 ? c : 0)]);
        sum += step == 1 ? p[0] : (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 32768) >> 16;
    }
    int mean = (int)(sum / n + 0.5);
    for (int i = 0; i < n * step; i++) {
        int p = cut(bright * plain->pixels[i]);
        wrong += out->pixels[i] != cut((float)mean + contrast * (float)(p - mean));
    }
    return wrong;
}

static void definitions(void)
{
    double largest = 0, error = 0;
    int flips = 0, wrong = 0, values = 0, outside = 0;
    for (uint32_t i = 0; i < 120; i++) {
        tx_image m, out, plain;
        int left = (int)(i % 9), top = (int)(i % 4), channels = i % 2 ? 3 : 1;
        uint64_t epoch = i / 10;
        draw(&m, 31 + (int)(i % 3), 25, channels, (int)i);
        tx_augment a = {.rotate = i % 5 ? 40 : 180, .scale = i % 3 ? 0.3 : 0}, b = a, f = {.flip = 1};
        double degrees = draw_of(9, epoch, i, 1) * a.rotate, factor = 1 + draw_of(9, epoch, i, 2) * a.scale;
        CHECK(tx_augment_crop(&a, 9, epoch, i, &m, left, top, SIZE, &plain) == TX_OK && plain.width == SIZE &&
                  plain.height == SIZE && plain.channels == channels,
              "a square");
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                for (int c = 0; c < channels; c++) {
                    double e =
                        plain.pixels[(y * SIZE + x) * channels + c] - turned(&m, x + left, y + top, c, degrees, factor);
                    error += e;
                    largest = fabs(e) > largest ? fabs(e) : largest;
                    values++;
                    outside += plain.pixels[(y * SIZE + x) * channels + c] == 0;
                }
        /* The same with new values. */
        b.brightness = 0.5;
        b.contrast = 0.8;
        CHECK(tx_augment_crop(&b, 9, epoch, i, &m, left, top, SIZE, &out) == TX_OK, "values");
        wrong += values_differ(&plain, &out, (float)(1 + draw_of(9, epoch, i, 3) * 0.5),
                               (float)(1 + draw_of(9, epoch, i, 4) * 0.8));
        tx_image_free(&plain);
        tx_image_free(&out);
        /* Left and right alone. */
        int turn = draw_of(9, epoch, i, 0) < 0;
        flips += turn;
        CHECK(tx_augment_crop(&f, 9, epoch, i, &m, left, top, SIZE, &out) == TX_OK, "flip");
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                for (int c = 0; c < channels; c++)
                    wrong += out.pixels[(y * SIZE + x) * channels + c] !=
                             (int)pixel(&m, left + (turn ? SIZE - 1 - x : x), top + y, c);
        tx_image_free(&out);
        tx_image_free(&m);
    }
    CHECK(largest < 0.75 && fabs(error / values) < 0.02 && outside > 100, "turned: error %g, mean %g, %d zeros",
          largest, error / values, outside);
    CHECK(wrong == 0, "%d values of brightness, contrast and flips differ", wrong);
    CHECK(flips > 35 && flips < 85, "%d of 120 are flipped", flips);
}

/* Of an image that is all one value the inside stays so, whatever is turned; the widest image that there can be is no trouble. */
static void extremes(void)
{
    tx_image m = {1 << 20, 1, 1, tx_alloc(1 << 20, 1)}, out;
    tx_augment a = {.scale = 0.9};
    memset(m.pixels, 77, 1 << 20);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(tx_augment_crop(&a, 1, 0, i, &m, (1 << 19) - 1, 0, 1, &out) == TX_OK && out.pixels[0] == 77, "a line");
        tx_image_free(&out);
    }
    tx_alloc_fail_after(0);
    CHECK(tx_augment_crop(&a, 1, 0, 0, &m, 0, 0, 1, &out) == TX_ERR_MEMORY && !out.pixels, "no memory");
    tx_alloc_fail_after(-1);
    tx_image_free(&m);
}

static tx_dataset *table(void)
{
    char text[600], name[16];
    size_t used = (size_t)snprintf(text, sizeof text, "Path,Edema\n");
    for (int i = 0; i < IMAGES; i++) {
        char file[9000];
        tx_image m;
        draw(&m, 40 - 3 * i, 30 + 2 * i, i % 2 ? 3 : 1, i);
        size_t n = (size_t)snprintf(file, sizeof file, "P%d %d %d 255\n", i % 2 ? 6 : 5, m.width, m.height);
        size_t pixels = (size_t)(m.width * m.height * m.channels);
        memcpy(file + n, m.pixels, pixels);
        snprintf(name, sizeof name, "%d.pnm", i);
        temp_write(temp_path(name), file, n + pixels);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s,%d\n", name, i % 2);
        tx_image_free(&m);
    }
    temp_text(temp_path("train.csv"), text);
    return tx_dataset_open(temp_folder, "train", NULL);
}

/* Images of an epoch in batches of `batch`, in the order of index. */
static void load(const tx_dataset *d, const tx_loader_options *o, uint64_t epoch, const uint32_t *index, size_t batch,
                 float *out)
{
    tx_loader *l = tx_loader_new(d, o);
    for (size_t from = 0; from < IMAGES; from += batch) {
        size_t n = IMAGES - from < batch ? IMAGES - from : batch, count;
        uint32_t kept[IMAGES];
        float *pixels = tx_alloc(n, EACH * sizeof *pixels);
        CHECK(l && tx_loader_batch(l, epoch, index + from, n, pixels, kept, &count) == TX_OK && count == n, "%s",
              tx_error_message());
        for (size_t k = 0; k < n; k++)
            memcpy(out + index[from + k] * EACH, pixels + k * EACH, EACH * sizeof *pixels);
        tx_free(pixels);
    }
    tx_loader_free(l);
}

static void batches(void)
{
    static float first[IMAGES * EACH], again[IMAGES * EACH], plain[IMAGES * EACH];
    static const uint32_t order[][IMAGES] = {{0, 1, 2, 3, 4, 5}, {3, 5, 0, 4, 1, 2}};
    static const char *const lists[] = {"flip",         "rotate=20",
                                        "scale=0.2",    "brightness=0.4",
                                        "contrast=0.4", "flip,rotate=20,scale=0.2,brightness=0.4,contrast=0.4"};
    tx_dataset *d = table();
    CHECK(d, "%s", tx_error_message());
    for (size_t i = 0; d && i < sizeof lists / sizeof lists[0]; i++) {
        tx_loader_options o = {.preprocess = {.size = SIZE, .interpolation = TX_BILINEAR}, .training = 1, .seed = 4};
        tx_normalize_parse("half", &o.preprocess.normalize);
        load(d, &o, 7, order[0], 3, plain);
        tx_augment_parse(lists[i], &o.augment);
        load(d, &o, 7, order[0], 6, first);
        CHECK(memcmp(first, plain, sizeof first) != 0, "%s changes nothing", lists[i]);
        for (int k = 0; k < 6; k++) {
            static const int threads[] = {1, 2, 3, 7, 1, 2};
            tx_set_threads(threads[k]);
            o.cache = k % 2 ? 1 : 0;
            load(d, &o, 7, order[k % 2], (size_t)(k + 1), again);
            CHECK(memcmp(first, again, sizeof first) == 0, "%s: batches of %d, %d threads: other pixels", lists[i],
                  k + 1, threads[k]);
        }
        load(d, &o, 8, order[0], 6, again);
        CHECK(memcmp(first, again, sizeof first) != 0, "%s: the next epoch has the same", lists[i]);
        o.training = 0;
        load(d, &o, 7, order[0], 6, again);
        memset(&o.augment, 0, sizeof o.augment);
        load(d, &o, 7, order[0], 6, plain);
        CHECK(memcmp(plain, again, sizeof plain) == 0, "%s: what is not trained on is changed", lists[i]);
    }
    tx_loader_options bad = {.preprocess = {.size = SIZE, .normalize = {{0}, {1, 1, 1}, 0}}, .augment = {.scale = 1}};
    CHECK(d && !tx_loader_new(d, &bad) && strstr(tx_error_message(), "scale 1"), "a factor of 0");
    /* Without memory for the changed image the batch fails, cached or not. */
    bad.augment.scale = 0.5;
    bad.training = 1;
    tx_loader *l = d ? tx_loader_new(d, &bad) : NULL;
    uint32_t kept[1];
    size_t count;
    tx_set_threads(1);
    CHECK(l && tx_loader_batch(l, 0, order[0], 1, plain, kept, &count) == TX_OK, "cached");
    tx_alloc_fail_after(0);
    tx_status status = l ? tx_loader_batch(l, 0, order[0], 1, plain, kept, &count) : TX_OK;
    tx_alloc_fail_after(-1);
    CHECK(status == TX_ERR_MEMORY, "no memory");
    tx_loader_free(l);
    tx_dataset_free(d);
}

static void shorter_side(void)
{
    static const struct {
        const char *text;
        int width, height;
        tx_framing want;
    } known[] = {
        {"short=256", 500, 375, {341, 256, 58, 16, 500, 375}}, {"short=256", 375, 500, {256, 341, 16, 58, 375, 500}},
        {"short=256", 256, 256, {256, 256, 16, 16, 256, 256}}, {"short=224", 300, 224, {300, 224, 38, 0, 300, 224}},
        {"short=225", 10, 10, {225, 225, 0, 0, 10, 10}},       {"short=227", 10, 10, {227, 227, 2, 2, 10, 10}},
        {"short", 500, 375, {298, 224, 37, 0, 500, 375}},      {"stretch", 500, 375, {224, 224, 0, 0, 500, 375}}};
    static const char *const bad[] = {"",          "short=",      "short=0", "short=-5", "short=16385",
                                      "short=2.5", "stretch=300", "Short"};
    tx_preprocess how = {.size = 224, .interpolation = TX_BILINEAR};
    tx_framing f, g;
    tx_normalize_parse("half", &how.normalize);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK(tx_resize_parse(known[i].text, &how) == TX_OK &&
                  tx_preprocess_frame(&how, known[i].width, known[i].height, &f) == TX_OK &&
                  memcmp(&f, &known[i].want, sizeof f) == 0,
              "%s of %d x %d: %d x %d at (%d,%d)", known[i].text, known[i].width, known[i].height, f.width, f.height,
              f.left, f.top);
        CHECK(tx_preprocess_frame(&how, f.width, f.height, &g) == TX_OK && f.width == g.width && f.height == g.height &&
                  f.left == g.left && f.top == g.top,
              "%s: of what is resized", known[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(tx_resize_parse(bad[i], &how) == TX_ERR_ARGUMENT, "'%s' is taken", bad[i]);
    how.shorter = 223;
    how.stretch = 0;
    CHECK(tx_preprocess_frame(&how, 300, 300, &f) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "223"), "too short");
    CHECK(tx_resize_parse(NULL, &how) == TX_ERR_ARGUMENT && tx_resize_parse("short", NULL) == TX_ERR_ARGUMENT, "NULL");
}

int main(void)
{
    if (!temp_begin())
        return 1;
    words();
    definitions();
    extremes();
    batches();
    shorter_side();
    temp_end();
    return test_done("io_augment");
}
