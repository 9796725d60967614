/* bench_fractal.c - fractals: frozen bits, whoever draws; classes that contract, fill their pictures and differ; their
 * points where the definition has them. */
#include "../bench/fractal.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { SIZE = 32, CLASSES = 24, INSTANCES = 6, AREA = SIZE * SIZE, ALL = CLASSES * INSTANCES };

static fractal system_of[CLASSES];
static unsigned char picture[ALL][AREA], again[ALL][AREA];

static void draw_task(void *context, size_t i, int worker)
{
    unsigned char(*out)[AREA] = context;
    uint32_t label = (uint32_t)(i / INSTANCES), instance = (uint32_t)(i % INSTANCES);
    fractal f;
    (void)worker;
    if (fractal_class(&f, 5, label) || fractal_draw(&f, 5, label, instance, SIZE, out[i]))
        memset(out[i], 77, AREA);
}

/* Digest of pictures of several sizes and seeds, as they were when they were looked at. */
static void frozen(const char *want)
{
    static const int sizes[] = {16, 33, 64, 75};
    static const uint64_t seeds[] = {0, 1, 18446744073709551615U};
    unsigned char pixels[75 * 75];
    char hex[65];
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    for (size_t s = 0; s < 3; s++)
        for (uint32_t label = 0; label < 3; label++) {
            fractal f;
            CHECK(fractal_class(&f, seeds[s], 65535 - label * 1000) == TX_OK, "%s", tx_error_message());
            for (size_t k = 0; k < 4; k++) {
                CHECK(fractal_draw(&f, seeds[s], label, 4294967293U - label, sizes[k], pixels) == TX_OK, "%s",
                      tx_error_message());
                tx_sha256_add(&sha, pixels, (size_t)(sizes[k] * sizes[k]));
            }
        }
    tx_sha256_end(&sha, hex);
    CHECK(strcmp(hex, want) == 0, "pictures have other bytes: %s", hex);
}

static void threads(void)
{
    static const int many[] = {1, 2, 3, 7};
    int before = tx_threads();
    for (size_t t = 0; t < 4; t++) {
        unsigned char(*out)[AREA] = t ? again : picture;
        tx_set_threads(many[t]);
        CHECK(tx_parallel_for(ALL, draw_task, out) == TX_OK, "%s", tx_error_message());
        CHECK(memcmp(picture, out, sizeof picture) == 0, "other pictures with %d threads", many[t]);
    }
    tx_set_threads(before);
}

/* How much a map with one parameter times `factor` can lengthen a vector, by trying directions. */
static double longest(const double m[6], int parameter, double factor)
{
    double v[4] = {m[0], m[1], m[2], m[3]}, most = 0;
    v[parameter] *= factor;
    for (int i = 0; i < 180; i++) {
        double x = cos(i * 3.14159265358979 / 180), y = sin(i * 3.14159265358979 / 180);
        most = fmax(most, hypot(v[0] * x + v[1] * y, v[2] * x + v[3] * y));
    }
    return most;
}

static void systems(void)
{
    int counts[FRACTAL_MAPS + 1] = {0};
    for (uint32_t label = 0; label < CLASSES; label++) {
        fractal *f = &system_of[label];
        double share = 0, area = 0, below = 0;
        CHECK(fractal_class(f, 5, label) == TX_OK && fractal_fill(f, 5, label, &share) == TX_OK, "%s",
              tx_error_message());
        CHECK(share >= 0.2 && share <= 1, "class %u fills %g", label, share);
        CHECK(f->maps >= 2 && f->maps <= FRACTAL_MAPS, "class %u has %d maps", label, f->maps);
        counts[f->maps]++;
        for (int k = 0; k < f->maps; k++)
            area += fabs(f->map[k][0] * f->map[k][3] - f->map[k][1] * f->map[k][2]);
        for (int k = 0; k < f->maps; k++) {
            const double *m = f->map[k];
            double det = fabs(m[0] * m[3] - m[1] * m[2]), got = (f->below[k] - below) / 4294967296.0;
            CHECK(fabs(got - det / area) < 1e-9, "class %u map %d: probability %g, not %g", label, k, got, det / area);
            below = f->below[k];
            for (int p = 0; p < 6; p++)
                CHECK(m[p] >= -1 && m[p] < 1, "class %u map %d: parameter %g", label, k, m[p]);
            for (int p = 0; p < 4; p++)
                CHECK(longest(m, p, 1.2) < 0.98 && longest(m, p, 0.8) < 0.98, "class %u map %d stretches", label, k);
        }
        CHECK(f->below[f->maps - 1] >= 4294967296.0, "class %u: the last map ends at %g", label, below);
    }
    CHECK(counts[2] < CLASSES && counts[FRACTAL_MAPS] < CLASSES, "all classes have as many maps");
}

/* Distance of two pictures of bytes, 0 to 1. */
static double apart(const unsigned char *a, const unsigned char *b)
{
    double sum = 0;
    for (int i = 0; i < AREA; i++)
        sum += abs(a[i] - b[i]);
    return sum / 255 / AREA;
}

/* Every picture differs from every other, and has light and dark. */
static void differ(void)
{
    double nearest = 1;
    for (int i = 0; i < ALL; i++) {
        int lit = 0;
        for (int k = 0; k < AREA; k++)
            lit += picture[i][k] > 0;
        CHECK(lit > AREA / 20 && lit < AREA, "picture %d has %d bright pixels of %d", i, lit, AREA);
        for (int j = 0; j < i; j++)
            nearest = fmin(nearest, apart(picture[i], picture[j]));
    }
    CHECK(nearest > 0, "two pictures are the same");
}

/* A system whose attractor is known: the square, by four maps of halves; its points are everywhere. And the triangle of
 * Sierpinski, one quarter of which has none. */
static fractal halves(int maps)
{
    fractal f = {.maps = maps};
    for (int k = 0; k < maps; k++) {
        f.map[k][0] = f.map[k][3] = 0.5;
        f.map[k][4] = k % 2 ? 0.5 : 0;
        f.map[k][5] = k / 2 ? 0.5 : 0;
        f.below[k] = 4294967296.0 * (k + 1) / maps;
    }
    return f;
}

static void known(void)
{
    double share = 0;
    unsigned char pixels[AREA];
    fractal square = halves(4), triangle = halves(3);
    CHECK(fractal_fill(&square, 1, 0, &share) == TX_OK && share > 0.8, "a square fills %g", share);
    CHECK(fractal_fill(&triangle, 1, 0, &share) == TX_OK && share > 0.12 && share < 0.25, "a triangle fills %g", share);
    int clear[4] = {0}, seen[4] = {0};
    for (uint32_t i = 0; i < 40; i++) {
        fractal_draw(&triangle, 1, 0, i, SIZE, pixels);
        for (int q = 0; q < 4; q++) {
            int lit = 0; /* in the middle of the outer half of a corner's quarter */
            for (int y = 0; y < 6; y++)
                for (int x = 0; x < 6; x++)
                    lit += pixels[(q / 2 ? SIZE - 4 - y : 3 + y) * SIZE + (q % 2 ? SIZE - 4 - x : 3 + x)] > 0;
            clear[q] += lit == 0;
            seen[q] += lit > 0;
        }
    }
    for (int q = 0; q < 4; q++)
        CHECK(clear[q] > 0 && seen[q] > clear[q], "corner %d of triangles: empty %d times, met %d", q, clear[q],
              seen[q]);
}

/* Wrong arguments, and memory that runs out. */
static void refused(void)
{
    unsigned char pixels[AREA];
    fractal f;
    const fractal *g = &system_of[0];
    CHECK(fractal_class(&f, 0, FRACTAL_CLASSES) == TX_ERR_ARGUMENT, "a class too many");
    CHECK(fractal_draw(g, 0, FRACTAL_CLASSES, 0, SIZE, pixels) == TX_ERR_ARGUMENT, "a class too many");
    CHECK(fractal_draw(g, 0, 0, 0, 15, pixels) == TX_ERR_ARGUMENT, "15 rows");
    CHECK(fractal_draw(g, 0, 0, 0, 4097, pixels) == TX_ERR_ARGUMENT, "4097 rows");
    CHECK(fractal_draw(g, 0, 0, UINT32_MAX, SIZE, pixels) == TX_ERR_ARGUMENT, "an instance too many");
    long live = tx_alloc_live();
    for (long n = 0; n < 2; n++) {
        tx_alloc_fail_after(n);
        CHECK(fractal_draw(g, 0, 0, 0, SIZE, pixels) == TX_ERR_MEMORY, "memory for all but %ld", n);
        tx_alloc_fail_after(n == 0 ? 0 : -1);
        CHECK(n || fractal_class(&f, 0, 0) == TX_ERR_MEMORY, "a class without memory");
        tx_alloc_fail_after(-1);
    }
    CHECK(tx_alloc_live() == live, "%ld blocks remain", tx_alloc_live() - live);
}

int main(void)
{
    systems();
    threads();
    differ();
    known();
    refused();
    frozen("f1a486cff19f62d677687e38066f0731fa8d453639dd4c9eaef41590e0c9b843");
    return test_done("bench_fractal");
}
