/* core_sums.c - sums over pixels, bit for bit as op.h defines them: chunks of TX_CHUNK pixels in the order (n,h,w), one chain of
 * float operations a channel in a chunk, the chunks in index order in double; for every instruction set and several numbers of
 * threads. Chunks differ in size by 2^60, so that the order of merging shows, and so does a merge in float. */
#include "../core/op.h"
#include "test.h"

#include <math.h>
#include <string.h>

typedef struct problem {
    int n, h, w, c;
    size_t ld;
    int views; /* scale and shift with a rectifier */
} problem;

static const problem problems[] = {{1, 1, 1, 1, 1, 0},     {2, 9, 9, 3, 3, 1},       {1, 127, 1, 5, 8, 0},
                                   {1, 16, 8, 16, 16, 1},  {1, 129, 1, 17, 17, 0},   {3, 13, 11, 33, 40, 1},
                                   {2, 1, 300, 65, 65, 0}, {1, 20, 13, 300, 300, 1}, {5, 30, 30, 7, 7, 1}};

typedef struct fixture {
    size_t pixels, map, c;
    float *x, *dy, *scale, *shift, *mean, *gate, *add;
    tx_view raw, view, norm; /* as it stands, as its readers see it, as a batch norm sees it */
    tx_tensor dy_tensor;
    void *work;
} fixture;

static float drawn(size_t stream, size_t i)
{
    return tx_random_normal(3, TX_RANDOM_TEST, stream, i);
}

static float *channels(size_t c, size_t stream)
{
    float *v = tx_alloc(c, sizeof *v);
    for (size_t i = 0; i < c; i++)
        v[i] = drawn(stream, i);
    return v;
}

/* Each channel of each chunk of its own size. */
static float *pixels(const problem *p, size_t count, size_t stream)
{
    float *v = tx_alloc(count * p->ld, sizeof *v);
    for (size_t i = 0; i < count * p->ld; i++) {
        size_t chunk = i / p->ld / TX_CHUNK * p->ld + i % p->ld;
        int size = (int)tx_random_below(3, TX_RANDOM_TEST, stream + 100, chunk, 61) - 30;
        v[i] = (float)ldexp((double)drawn(stream, i), size);
    }
    return v;
}

static void set_up(fixture *f, const problem *p)
{
    f->c = (size_t)p->c;
    f->map = (size_t)p->h * (size_t)p->w;
    f->pixels = (size_t)p->n * f->map;
    f->x = pixels(p, f->pixels, 1);
    f->dy = pixels(p, f->pixels, 2);
    f->scale = channels(f->c, 3);
    f->shift = channels(f->c, 4);
    f->mean = channels(f->c, 5);
    f->gate = channels(f->c * (size_t)p->n, 6);
    f->add = channels(f->c * (size_t)p->n, 7);
    f->work = tx_alloc(tx_channel_work(f->pixels, p->c), 1);
    f->raw = (tx_view){.data = f->x, .n = p->n, .h = p->h, .w = p->w, .c = p->c, .ld = p->ld};
    f->norm = f->raw;
    f->norm.scale = f->scale;
    f->norm.shift = f->shift;
    f->norm.act = p->views ? TX_ACT_RELU : TX_ACT_NONE;
    f->view = p->views ? f->norm : f->raw;
    f->dy_tensor = (tx_tensor){f->dy, p->n, p->h, p->w, p->c, p->ld};
}

static void tear_down(fixture *f)
{
    void *all[] = {f->x, f->dy, f->scale, f->shift, f->mean, f->gate, f->add, f->work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tx_free(all[i]);
}

/* ---- the definitions, of pixels first.. of channel j */

static float affine(const tx_view *x, size_t pixel, size_t j)
{
    float v = x->data[pixel * x->ld + j];
    return x->scale ? tx_fmaf(x->scale[j], v, x->shift[j]) : v;
}

static float seen(const tx_view *x, size_t pixel, size_t j)
{
    float z = affine(x, pixel, j);
    return x->act == TX_ACT_RELU && z < 0 ? 0 : z;
}

static size_t chunk_end(size_t first, size_t end)
{
    return end - first < TX_CHUNK ? end : first + TX_CHUNK;
}

static double total_of(const tx_view *x, size_t first, size_t count, size_t j)
{
    double sum = 0;
    for (size_t from = first; from < first + count; from += TX_CHUNK) {
        float chain = 0;
        for (size_t i = from; i < chunk_end(from, first + count); i++)
            chain += seen(x, i, j);
        sum += (double)chain;
    }
    return sum;
}

static double gate_gradient_of(const fixture *f, size_t first, size_t j)
{
    double sum = 0;
    for (size_t from = first; from < first + f->map; from += TX_CHUNK) {
        float chain = 0;
        for (size_t i = from; i < chunk_end(from, first + f->map); i++)
            chain = tx_fmaf(f->dy[i * f->raw.ld + j], seen(&f->view, i, j), chain);
        sum += (double)chain;
    }
    return sum;
}

static void reduction_of(const fixture *f, size_t j, double *sum_g, double *sum_gx)
{
    *sum_g = *sum_gx = 0;
    for (size_t from = 0; from < f->pixels; from += TX_CHUNK) {
        float chain = 0, moment = 0;
        for (size_t i = from; i < chunk_end(from, f->pixels); i++) {
            float x = f->x[i * f->raw.ld + j], g = f->dy[i * f->raw.ld + j];
            g = f->norm.act == TX_ACT_RELU && !(affine(&f->norm, i, j) > 0) ? 0 : g;
            chain += g;
            moment = tx_fmaf(g, x - f->mean[j], moment);
        }
        *sum_g += (double)chain;
        *sum_gx += (double)moment;
    }
}

/* A chunk's mean m in float, and the sums of x - m and of its square. */
static void chunk_moments(const fixture *f, size_t from, size_t j, float *m, float *r, float *s)
{
    size_t end = chunk_end(from, f->pixels);
    float sum = 0;
    for (size_t i = from; i < end; i++)
        sum += f->x[i * f->raw.ld + j];
    *m = sum / (float)(end - from);
    *r = *s = 0;
    for (size_t i = from; i < end; i++) {
        float d = f->x[i * f->raw.ld + j] - *m;
        *r += d;
        *s = tx_fmaf(d, d, *s);
    }
}

static void moments_of(const fixture *f, size_t j, double *mean, double *variance)
{
    float m, r, s;
    *mean = *variance = 0;
    for (size_t from = 0; from < f->pixels; from += TX_CHUNK) {
        chunk_moments(f, from, j, &m, &r, &s);
        *mean += (double)(chunk_end(from, f->pixels) - from) * (double)m + (double)r;
    }
    *mean /= (double)f->pixels;
    for (size_t from = 0; from < f->pixels; from += TX_CHUNK) {
        chunk_moments(f, from, j, &m, &r, &s);
        double k = (double)(chunk_end(from, f->pixels) - from), rest = (double)r * (1 / k);
        double off = (double)m + rest - *mean;
        *variance += (double)s - (double)r * rest + k * (off * off);
    }
    *variance = *variance < 0 ? 0 : *variance / (double)f->pixels;
}

/* ---- the same from core */

static void check_double(const char *what, int number, size_t j, double got, double want)
{
    CHECK(memcmp(&got, &want, sizeof got) == 0, "problem %d, %s, %d threads, %s, channel %d: %a, expected %a", number,
          tx_isa_name(), tx_threads(), what, (int)j, got, want);
}

static void check_sums(const fixture *f, int number, const tx_machine *machine)
{
    double *first = tx_alloc(f->c, sizeof *first), *second = tx_alloc(f->c, sizeof *second), a, b;
    CHECK(tx_channel_total(machine, &f->view, first, f->work) == TX_OK, "%s", tx_error_message());
    for (size_t j = 0; j < f->c; j++)
        check_double("total", number, j, first[j], total_of(&f->view, 0, f->pixels, j));
    CHECK(tx_channel_moments(machine, &f->raw, first, second, f->work) == TX_OK, "%s", tx_error_message());
    for (size_t j = 0; j < f->c; j++) {
        moments_of(f, j, &a, &b);
        check_double("mean", number, j, first[j], a);
        check_double("variance", number, j, second[j], b);
    }
    CHECK(tx_channel_bn_reduce(machine, &f->norm, f->mean, &f->dy_tensor, first, second, f->work) == TX_OK, "%s",
          tx_error_message());
    for (size_t j = 0; j < f->c; j++) {
        reduction_of(f, j, &a, &b);
        check_double("sum of g", number, j, first[j], a);
        check_double("sum of g (x - mean)", number, j, second[j], b);
    }
    tx_free(first);
    tx_free(second);
}

static void check_images(const fixture *f, int number, const tx_machine *machine)
{
    size_t images = f->pixels / f->map;
    float *y = tx_alloc(images * f->c, sizeof *y);
    tx_tensor means = {y, (int)images, 1, 1, (int)f->c, f->c};
    CHECK(tx_channel_image_mean(machine, &means, &f->view) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < images * f->c; i++) {
        double sum = total_of(&f->view, i / f->c * f->map, f->map, i % f->c);
        check_double("mean of an image", number, i % f->c, (double)y[i], (double)(float)(sum / (double)f->map));
    }
    tx_gradient to = {y, f->c, f->add, f->c};
    tx_view x = f->view;
    x.gate = f->gate;
    x.gate_ld = f->c;
    CHECK(tx_channel_gate_gradient(machine, NULL, &to, &f->dy_tensor, &x) == TX_OK, "%s", tx_error_message());
    for (size_t i = 0; i < images * f->c; i++) {
        float sum = f->add[i] + (float)gate_gradient_of(f, i / f->c * f->map, i % f->c);
        check_double("gradient of a gate", number, i % f->c, (double)y[i], (double)sum);
    }
    tx_free(y);
}

int main(void)
{
    static const int threads[] = {1, 2, 3, 7};
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa);
    for (int k = 0; k < (int)(sizeof problems / sizeof *problems); k++) {
        fixture f;
        set_up(&f, &problems[k]);
        for (int i = 0; i < isas * 4; i++) {
            CHECK(tx_isa_select(isa[i / 4]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[i % 4]);
            tx_machine machine = tx_machine_now();
            check_sums(&f, k, &machine);
            check_images(&f, k, &machine);
        }
        tear_down(&f);
    }
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("core_sums");
}
