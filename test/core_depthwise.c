/* core_depthwise.c - depthwise convolution against its definition, written out one number at a time: every bit, on every
 * instruction set and with several numbers of threads; tails of channels, odd maps, all kinds of windows, views, addends,
 * chunks of pixels that begin within a row and end in another image. */
#include "../core/op.h"
#include "test.h"

#include <math.h>
#include <string.h>

typedef struct shape {
    const char *name;
    int n, h, w, c;
    tx_depthwise d;
    int oh, ow;
    int gap; /* floats between the pixels of all maps */
} shape;

/* What one call is given beside the shape. */
typedef struct kind {
    tx_act view; /* input read through scale and shift, and this; TX_ACTS: as it is */
    tx_act act;
    int bias, add, folds;
    int dx, dw, db;
    int slope; /* dy is read through: 1: an activation; 2: a batch norm too */
    tx_act behind;
    int moments; /* the result's batch statistics are wanted */
} kind;

/* Maps of a case, pixels c + gap floats apart, of addends one more; canaries between them. */
typedef struct maps {
    size_t in, out, c, ld, add_ld, taps;
    float *x, *w, *y, *dy, *dx, *add, *dx_add, *dw, *db, *scale, *shift, *bias, *fold_scale, *fold_shift;
    float *want_y, *want_dx, *want_dw, *want_db;
    float *g, *own; /* dy as its reader sees it; the value whose gradient it is */
    float *k, *k_shift, *mean, *mean_g, *slope;
} maps;

static const uint32_t canary = 0x7fc0beefu; /* a NaN: shows where it is read */

static float draw(uint64_t stream, size_t i)
{
    return tx_random_uniform(31, TX_RANDOM_TEST, stream, i) * 2 - 1;
}

/* Pixels of c channels with canaries between and behind them. stream 0: canaries alone. */
static float *map_new(size_t pixels, size_t c, size_t ld, uint64_t stream)
{
    float *p = tx_alloc(pixels * ld + 16, sizeof *p);
    for (size_t i = 0; p && i < pixels * ld + 16; i++) {
        memcpy(p + i, &canary, 4);
        if (stream && i < pixels * ld && i % ld < c)
            p[i] = draw(stream, i / ld * c + i % ld);
    }
    return p;
}

static int canaries_live(const float *p, size_t pixels, size_t c, size_t ld)
{
    for (size_t i = 0; i < pixels * ld + 16; i++)
        if ((i >= pixels * ld || i % ld >= c) && memcmp(p + i, &canary, 4) != 0)
            return 0;
    return 1;
}

static int same(const float *got, const float *want, size_t pixels, size_t c, size_t ld)
{
    for (size_t p = 0; p < pixels; p++)
        if (memcmp(got + p * ld, want + p * ld, c * sizeof *got) != 0)
            return 0;
    return 1;
}

static float activated(tx_act act, float x)
{
    float six = fminf(6, fmaxf(0, x)), h = fminf(6, fmaxf(0, x + 3)) * (1.0f / 6);
    switch (act) {
    case TX_ACT_RELU:
        return fmaxf(0, x);
    case TX_ACT_RELU6:
        return six;
    case TX_ACT_SILU:
        return x * tx_logisticf(x);
    case TX_ACT_SIGMOID:
        return tx_logisticf(x);
    case TX_ACT_HARDSWISH:
        return x * h;
    case TX_ACT_HARDSIGMOID:
        return h;
    default:
        return x;
    }
}

/* g times the derivative at z. */
static float sloped(tx_act act, float z, float g)
{
    float s = tx_logisticf(z);
    switch (act) {
    case TX_ACT_RELU:
        return z > 0 ? g : 0;
    case TX_ACT_RELU6:
        return z > 0 && z < 6 ? g : 0;
    case TX_ACT_SILU:
        return g * (s * tx_fmaf(z, 1 - s, 1));
    case TX_ACT_SIGMOID:
        return g * (s * (1 - s));
    case TX_ACT_HARDSWISH:
        return g * (z >= 3 ? 1 : z > -3 ? tx_fmaf(z, 1.0f / 3, 0.5f) : 0);
    case TX_ACT_HARDSIGMOID:
        return z > -3 && z < 3 ? g * (1.0f / 6) : 0;
    default:
        return g;
    }
}

static void define_slope(const kind *k, maps *m)
{
    for (size_t p = 0; p < m->out; p++)
        for (size_t j = 0; j < m->c; j++) {
            float g = m->dy[p * m->ld + j], x = m->own[p * m->add_ld + j];
            if (k->slope)
                g = sloped(k->behind, tx_fmaf(m->k[j], x, m->k_shift[j]), g);
            if (k->slope == 2)
                g = m->k[j] * tx_fmaf(-(x - m->mean[j]), m->slope[j], g - m->mean_g[j]);
            m->g[p * m->ld + j] = g;
        }
}

/* Channel j of x at row y, column x of an image, as its reader sees it; 0 outside. */
static float value_of(const shape *s, const kind *k, const maps *m, int image, int y, int x, size_t j)
{
    if (y < 0 || x < 0 || y >= s->h || x >= s->w)
        return 0;
    float v = m->x[(((size_t)image * (size_t)s->h + (size_t)y) * (size_t)s->w + (size_t)x) * m->ld + j];
    return k->view == TX_ACTS ? v : activated(k->view, tx_fmaf(m->scale[j], v, m->shift[j]));
}

static void define_forward(const shape *s, const kind *k, maps *m)
{
    const tx_depthwise *d = &s->d;
    for (size_t p = 0; p < m->out; p++)
        for (size_t j = 0; j < m->c; j++) {
            int ox = (int)(p % (size_t)s->ow), oy = (int)(p / (size_t)s->ow % (size_t)s->oh);
            float sum = 0;
            for (int t = 0; t < (int)m->taps; t++)
                sum = tx_fmaf(m->w[(size_t)t * m->c + j],
                              value_of(s, k, m, (int)(p / (size_t)(s->oh * s->ow)),
                                       oy * d->stride_h + t / d->kernel_w * d->dilation_h - d->top,
                                       ox * d->stride_w + t % d->kernel_w * d->dilation_w - d->left, j),
                              sum);
            if (k->bias)
                sum += m->bias[j];
            if (k->folds)
                sum = tx_fmaf(m->fold_scale[j], sum, m->fold_shift[j]);
            if (k->add)
                sum += m->add[p * m->add_ld + j];
            m->want_y[p * m->ld + j] = activated(k->act, sum);
        }
}

/* dy that tap k brings to a position of x, or -1 where there is a rest; h positions there are. */
static int meets(int position, int before, int tap, int dilation, int stride)
{
    int from = position + before - tap * dilation;
    return from % stride == 0 ? from / stride : -2;
}

static void define_input(const shape *s, const kind *k, maps *m)
{
    const tx_depthwise *d = &s->d;
    for (size_t p = 0; p < m->in; p++)
        for (size_t j = 0; j < m->c; j++) {
            int x = (int)(p % (size_t)s->w), y = (int)(p / (size_t)s->w % (size_t)s->h);
            size_t image = p / (size_t)(s->h * s->w);
            float sum = 0;
            for (int t = 0; t < (int)m->taps; t++) {
                int oy = meets(y, d->top, t / d->kernel_w, d->dilation_h, d->stride_h);
                int ox = meets(x, d->left, t % d->kernel_w, d->dilation_w, d->stride_w);
                if (oy >= 0 && ox >= 0 && oy < s->oh && ox < s->ow)
                    sum = tx_fmaf(m->w[(size_t)t * m->c + j],
                                  m->g[((image * (size_t)s->oh + (size_t)oy) * (size_t)s->ow + (size_t)ox) * m->ld + j],
                                  sum);
            }
            m->want_dx[p * m->ld + j] = k->add ? sum + m->dx_add[p * m->add_ld + j] : sum;
        }
}

static void define_weight(const shape *s, const kind *k, maps *m)
{
    const tx_depthwise *d = &s->d;
    for (size_t t = 0; t <= m->taps; t++)
        for (size_t j = 0; j < m->c; j++) {
            double sum = 0;
            for (size_t first = 0; first < m->out; first += TX_CHUNK) {
                float chain = 0;
                for (size_t p = first; p < m->out && p < first + TX_CHUNK; p++) {
                    int ox = (int)(p % (size_t)s->ow), oy = (int)(p / (size_t)s->ow % (size_t)s->oh);
                    int ky = (int)t / d->kernel_w, kx = (int)t % d->kernel_w;
                    float g = m->g[p * m->ld + j];
                    chain = t == m->taps ? chain + g
                                         : tx_fmaf(g,
                                                   value_of(s, k, m, (int)(p / (size_t)(s->oh * s->ow)),
                                                            oy * d->stride_h + ky * d->dilation_h - d->top,
                                                            ox * d->stride_w + kx * d->dilation_w - d->left, j),
                                                   chain);
                }
                sum += (double)chain;
            }
            (t == m->taps ? m->want_db : m->want_dw + t * m->c)[j] = (float)sum;
        }
}

static void maps_new(const shape *s, const kind *k, maps *m)
{
    memset(m, 0, sizeof *m);
    m->c = (size_t)s->c;
    m->ld = m->c + (size_t)s->gap;
    m->add_ld = m->ld + 1;
    m->in = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    m->out = (size_t)s->n * (size_t)s->oh * (size_t)s->ow;
    m->taps = (size_t)s->d.kernel_h * (size_t)s->d.kernel_w;
    m->x = map_new(m->in, m->c, m->ld, 1);
    m->dy = map_new(m->out, m->c, m->ld, 2);
    m->add = map_new(m->out, m->c, m->add_ld, 3);
    m->dx_add = map_new(m->in, m->c, m->add_ld, 4);
    m->w = map_new(m->taps, m->c, m->c, 5);
    m->y = map_new(m->out, m->c, m->ld, 0);
    m->dx = map_new(m->in, m->c, m->ld, 0);
    m->dw = map_new(m->taps, m->c, m->c, 0);
    m->db = map_new(1, m->c, m->c, 0);
    m->want_y = map_new(m->out, m->c, m->ld, 0);
    m->want_dx = map_new(m->in, m->c, m->ld, 0);
    m->want_dw = map_new(m->taps, m->c, m->c, 0);
    m->want_db = map_new(1, m->c, m->c, 0);
    float **rows[] = {&m->scale, &m->shift, &m->bias, &m->fold_scale, &m->fold_shift};
    for (uint64_t i = 0; i < 5; i++)
        *rows[i] = map_new(1, m->c, m->c, 6 + i);
    m->g = map_new(m->out, m->c, m->ld, 0);
    m->own = map_new(m->out, m->c, m->add_ld, 11);
    float **more[] = {&m->k, &m->k_shift, &m->mean, &m->mean_g, &m->slope};
    for (uint64_t i = 0; i < 5; i++)
        *more[i] = map_new(1, m->c, m->c, 12 + i);
    define_slope(k, m);
    define_forward(s, k, m);
    define_input(s, k, m);
    define_weight(s, k, m);
}

static void maps_free(maps *m)
{
    float *all[] = {m->x,       m->w,       m->y,       m->dy,      m->dx,   m->add,        m->dx_add,
                    m->dw,      m->db,      m->scale,   m->shift,   m->bias, m->fold_scale, m->fold_shift,
                    m->want_y,  m->want_dx, m->want_dw, m->want_db, m->g,    m->own,        m->k,
                    m->k_shift, m->mean,    m->mean_g,  m->slope};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tx_free(all[i]);
}

static tx_view view_of(const shape *s, const kind *k, const maps *m)
{
    tx_view x = {.data = m->x, .n = s->n, .h = s->h, .w = s->w, .c = s->c, .ld = m->ld};
    if (k->view != TX_ACTS) {
        x.scale = m->scale;
        x.shift = m->shift;
        x.act = k->view;
    }
    return x;
}

/* Memory that is not zero, as it is when other steps have used it. */
static void *dirty(size_t bytes)
{
    unsigned char *p = tx_alloc(bytes, 1);
    memset(p, 0xff, bytes);
    return p;
}

static void check_forward(const shape *s, const kind *k, maps *m, const tx_machine *machine, const char *label)
{
    tx_view x = view_of(s, k, m);
    tx_target y = {.data = m->y, .ld = m->ld, .h = s->oh, .w = s->ow, .step_y = 1, .step_x = 1, .act = k->act};
    y.bias = k->bias ? m->bias : NULL;
    y.add = k->add ? m->add : NULL;
    y.add_ld = m->add_ld;
    y.scale = k->folds ? m->fold_scale : NULL;
    y.shift = k->folds ? m->fold_shift : NULL;
    for (size_t p = 0; p < m->out; p++)
        memset(m->y + p * m->ld, 0xff, m->c * sizeof(float));
    if (k->add == 2) { /* y is what it is added to */
        for (size_t p = 0; p < m->out; p++)
            memcpy(m->y + p * m->ld, m->add + p * m->add_ld, m->c * sizeof(float));
        y.add = y.data;
        y.add_ld = y.ld;
    }
    void *work = dirty(tx_depthwise_forward_work(machine, &s->d, &x, s->oh, s->ow));
    double *sums = tx_alloc(4 * m->c, sizeof *sums);
    tx_moments own = {sums, sums + m->c, dirty(tx_channel_work(m->out, s->c))};
    y.moments = k->moments ? own : (tx_moments){0};
    CHECK(tx_depthwise_forward(machine, &s->d, &x, m->w, &y, work) == TX_OK, "%s: %s", label, tx_error_message());
    tx_view written = {.data = m->y, .n = s->n, .h = s->oh, .w = s->ow, .c = s->c, .ld = m->ld};
    CHECK(!k->moments || (tx_channel_moments(machine, &written, sums + 2 * m->c, sums + 3 * m->c, own.work) == TX_OK &&
                          memcmp(sums, sums + 2 * m->c, 2 * m->c * sizeof *sums) == 0),
          "%s: the result's batch statistics have other bits", label);
    tx_free(own.work);
    tx_free(sums);
    CHECK(same(m->y, m->want_y, m->out, m->c, m->ld), "%s: y has other bits", label);
    CHECK(canaries_live(m->y, m->out, m->c, m->ld), "%s: something was written beside y", label);
    tx_free(work);
}

static void check_gradient(const shape *s, const kind *k, maps *m, const tx_machine *machine, const char *label)
{
    tx_view x = view_of(s, k, m);
    tx_slope dy = {.g = {m->dy, s->n, s->oh, s->ow, s->c, m->ld}};
    if (k->slope) {
        dy.x = (tx_view){.data = m->own, .n = s->n, .h = s->oh, .w = s->ow, .c = s->c, .ld = m->add_ld};
        dy.x.scale = m->k;
        dy.x.shift = m->k_shift;
        dy.x.act = k->behind;
    }
    if (k->slope == 2) {
        dy.mean = m->mean;
        dy.mean_g = m->mean_g;
        dy.slope = m->slope;
    }
    tx_gradient dx = {k->dx ? m->dx : NULL, m->ld, k->add ? m->dx_add : NULL, m->add_ld};
    for (size_t p = 0; p < m->in; p++)
        memset(m->dx + p * m->ld, 0xff, m->c * sizeof(float));
    if (k->add == 2) { /* dx is what it is added to */
        for (size_t p = 0; p < m->in; p++)
            memcpy(m->dx + p * m->ld, m->dx_add + p * m->add_ld, m->c * sizeof(float));
        dx.add = dx.data;
        dx.add_ld = dx.ld;
    }
    memset(m->dw, 0xff, m->taps * m->c * sizeof(float));
    memset(m->db, 0xff, m->c * sizeof(float));
    void *work = dirty(tx_depthwise_gradient_work(machine, &s->d, &x, s->oh, s->ow));
    CHECK(tx_depthwise_gradient(machine, &s->d, &x, m->w, &dy, &dx, k->dw ? m->dw : NULL, k->db ? m->db : NULL, work) ==
              TX_OK,
          "%s: %s", label, tx_error_message());
    CHECK(!k->dx || same(m->dx, m->want_dx, m->in, m->c, m->ld), "%s: dx has other bits", label);
    CHECK(!k->dw || same(m->dw, m->want_dw, m->taps, m->c, m->c), "%s: dw has other bits", label);
    CHECK(!k->db || same(m->db, m->want_db, 1, m->c, m->c), "%s: db has other bits", label);
    CHECK(canaries_live(m->dx, m->in, m->c, m->ld) && canaries_live(m->dw, m->taps, m->c, m->c) &&
              canaries_live(m->db, 1, m->c, m->c),
          "%s: something was written beside a gradient", label);
    tx_free(work);
}

/* On every instruction set with some numbers of threads, or on one turn of these alone. */
static void check_shape(shape s, const kind *k, int turn)
{
    static const int threads[] = {1, 2, 3, 7};
    const char *isas[TX_MAX_ISAS];
    int n_isas = tx_isa_list(isas), before = tx_threads();
    maps m;
    s.oh = s.oh ? s.oh : (s.h + 2 * s.d.top - s.d.dilation_h * (s.d.kernel_h - 1) - 1) / s.d.stride_h + 1;
    s.ow = s.ow ? s.ow : (s.w + 2 * s.d.left - s.d.dilation_w * (s.d.kernel_w - 1) - 1) / s.d.stride_w + 1;
    maps_new(&s, k, &m);
    for (int i = 0; i < n_isas; i++)
        for (int t = 0; t < 4; t++) {
            if (turn >= 0 && (i != turn % n_isas || t != turn % 4))
                continue;
            char label[160];
            CHECK(tx_isa_select(isas[i]) == TX_OK, "%s", tx_error_message());
            tx_set_threads(threads[t]);
            tx_machine machine = tx_machine_now();
            snprintf(label, sizeof label, "%s, %d channels, %s, %d threads", s.name, s.c, isas[i], threads[t]);
            check_forward(&s, k, &m, &machine, label);
            check_gradient(&s, k, &m, &machine, label);
        }
    tx_set_threads(before);
    maps_free(&m);
}

#define WINDOW(k, s, p)        \
    {                          \
        k, k, s, s, 1, 1, p, p \
    }

static const kind plain = {.view = TX_ACTS, .dx = 1, .dw = 1},
                  all = {TX_ACT_RELU, TX_ACT_RELU, 1, 1, 0, 1, 1, 1, 2, TX_ACT_RELU, 1},
                  clamped = {.view = TX_ACTS, .act = TX_ACT_RELU6, .bias = 1, .folds = 1},
                  curved = {.view = TX_ACTS, .act = TX_ACT_SILU, .add = 1, .moments = 1, .dx = 1},
                  added = {.view = TX_ACTS, .act = TX_ACT_HARDSWISH, .add = 2};

static const shape shapes[] = {
    {"3x3", 2, 9, 11, 5, WINDOW(3, 1, 1), 0, 0, 0},
    {"3x3, stride 2, even", 2, 10, 12, 33, WINDOW(3, 2, 1), 0, 0, 3},
    {"3x3, stride 2, odd", 3, 13, 9, 16, WINDOW(3, 2, 1), 0, 0, 0},
    {"5x5", 2, 12, 7, 19, WINDOW(5, 1, 2), 0, 0, 1},
    {"5x5, stride 2", 1, 11, 14, 17, WINDOW(5, 2, 2), 0, 0, 0},
    {"7x7", 1, 15, 9, 3, WINDOW(7, 1, 3), 0, 0, 0},
    {"7x7, stride 2", 1, 8, 17, 35, WINDOW(7, 2, 3), 0, 0, 2},
    {"15x15", 1, 9, 16, 2, WINDOW(15, 1, 7), 0, 0, 0},
    {"3x3, stride 3", 2, 10, 11, 4, WINDOW(3, 3, 1), 0, 0, 0},
    {"3x3, stride 5", 2, 17, 13, 4, WINDOW(3, 5, 0), 0, 0, 0},
    {"1x1", 2, 3, 5, 18, WINDOW(1, 1, 0), 0, 0, 0},
    {"2x2, stride 2", 2, 6, 8, 7, WINDOW(2, 2, 0), 0, 0, 0},
    {"no padding", 1, 9, 10, 8, WINDOW(5, 1, 0), 0, 0, 0},
    {"more padding than kernel", 1, 4, 3, 6, WINDOW(3, 1, 5), 0, 0, 0},
    {"more padding, stride 2", 1, 5, 6, 6, WINDOW(3, 2, 4), 0, 0, 0},
    {"one pixel", 3, 1, 1, 21, WINDOW(3, 1, 1), 0, 0, 0},
    {"one pixel, 5x5", 2, 1, 1, 40, WINDOW(5, 1, 2), 0, 0, 0},
    {"one row", 2, 1, 37, 9, WINDOW(3, 1, 1), 0, 0, 0},
    {"one column", 2, 41, 1, 9, WINDOW(3, 1, 1), 0, 0, 0},
    {"dilation", 1, 12, 11, 10, {3, 3, 1, 1, 2, 2, 2, 2}, 0, 0, 0},
    {"dilation and stride", 1, 13, 14, 10, {3, 2, 2, 3, 3, 2, 1, 2}, 0, 0, 0},
    {"dilation beyond the map", 1, 4, 5, 10, {3, 3, 1, 1, 6, 6, 6, 6}, 0, 0, 0},
    {"1x7", 1, 6, 15, 12, {1, 7, 1, 1, 1, 1, 0, 3}, 0, 0, 0},
    {"7x1", 1, 15, 6, 12, {7, 1, 1, 1, 1, 1, 3, 0}, 0, 0, 0},
    {"strides that differ", 2, 11, 12, 5, {3, 3, 1, 2, 1, 1, 1, 1}, 0, 0, 0},
    {"3x3, a stride of rows alone", 2, 11, 12, 20, {3, 3, 2, 1, 1, 1, 1, 1}, 0, 0, 0},
    {"5x5, a stride of rows alone", 1, 12, 13, 16, {5, 5, 3, 1, 1, 1, 2, 2}, 0, 0, 0},
    {"padding before the map alone", 1, 7, 8, 5, {3, 3, 1, 1, 1, 1, 2, 2}, 7, 8, 0},
    {"padding behind the map alone", 1, 7, 8, 5, {3, 3, 2, 2, 1, 1, 0, 0}, 4, 4, 0},
    {"a map that is cut", 1, 9, 11, 5, {3, 3, 1, 1, 1, 1, -2, -3}, 5, 6, 0},
    {"a map that is cut, stride 2", 1, 12, 13, 5, {3, 3, 2, 2, 1, 1, -1, -3}, 5, 4, 0},
    {"stride beyond the map", 2, 6, 5, 5, {3, 3, 1 << 20, 65536, 1, 1, 1, 1}, 0, 0, 0},
    {"chunks over rows and images", 5, 10, 10, 6, WINDOW(3, 1, 1), 0, 0, 0},
    {"chunks within a row", 1, 3, 300, 3, WINDOW(3, 1, 1), 0, 0, 0},
    {"chunks that end with rows", 2, 16, 16, 3, WINDOW(3, 2, 1), 0, 0, 0},
    {"slices of channels", 2, 6, 6, 300, WINDOW(3, 1, 1), 0, 0, 4},
    {"slices that are not full", 1, 9, 8, 521, WINDOW(5, 2, 2), 0, 0, 0},
    {"many tasks", 4, 24, 23, 70, WINDOW(3, 1, 1), 0, 0, 0},
};

/* A vector of channels or more: inputs without scale and activation may be read where they stand, two rows of results at a
 * time, in blocks of 8, 5 and 1; columns outside of the map on either side, on both, by more than half a kernel. */
static const shape whole[] = {
    {"3x3 direct", 2, 9, 21, 32, WINDOW(3, 1, 1), 0, 0, 0},
    {"3x3 direct, narrow", 2, 6, 3, 16, WINDOW(3, 1, 1), 0, 0, 5},
    {"3x3 direct, stride 2, odd", 2, 13, 27, 16, WINDOW(3, 2, 1), 0, 0, 0},
    {"3x3 direct, stride 2, even", 3, 10, 12, 48, WINDOW(3, 2, 1), 0, 0, 3},
    {"5x5 direct", 2, 10, 20, 48, WINDOW(5, 1, 2), 0, 0, 0},
    {"5x5 direct, lower than its kernel", 2, 3, 18, 16, WINDOW(5, 1, 2), 0, 0, 0},
    {"5x5 direct, stride 2", 1, 14, 23, 32, WINDOW(5, 2, 2), 0, 0, 1},
    {"7x7 direct", 1, 9, 13, 16, WINDOW(7, 1, 3), 0, 0, 0},
    {"7x7 direct, stride 2", 1, 12, 34, 16, WINDOW(7, 2, 3), 0, 0, 0},
    {"one pixel direct", 3, 1, 1, 32, WINDOW(5, 1, 2), 0, 0, 0},
    {"1x7 direct", 1, 6, 15, 16, {1, 7, 1, 1, 1, 1, 0, 3}, 0, 0, 0},
    {"2x3 direct, strides that differ", 1, 11, 12, 16, {2, 3, 2, 1, 1, 1, 1, 1}, 0, 0, 0},
    {"no padding, direct", 1, 9, 14, 16, WINDOW(5, 1, 0), 0, 0, 0},
    {"half a kernel after the map", 1, 7, 9, 16, {3, 3, 1, 1, 1, 1, 0, 0}, 7, 8, 0},
    {"columns after the map", 1, 7, 9, 16, {3, 3, 1, 1, 1, 1, 0, 0}, 7, 9, 0},
    {"columns before the map", 1, 7, 9, 16, {3, 3, 1, 1, 1, 1, 2, 2}, 7, 9, 0},
    {"a cut map, direct", 1, 9, 15, 16, {3, 3, 1, 1, 1, 1, -2, -3}, 5, 10, 0},
    {"rows wider than chunks, direct", 1, 3, 300, 16, WINDOW(3, 1, 1), 0, 0, 0},
    {"many tasks, direct", 4, 24, 23, 64, WINDOW(3, 1, 1), 0, 0, 0},
    {"slices of channels, direct", 1, 7, 11, 528, WINDOW(3, 1, 1), 0, 0, 0},
    {"a vector and some", 1, 6, 13, 17, WINDOW(3, 1, 1), 0, 0, 0},
    {"vectors and a half", 2, 9, 10, 72, WINDOW(5, 2, 2), 0, 0, 3},
    {"a slice and some", 1, 7, 9, 523, WINDOW(3, 1, 1), 0, 0, 1},
    {"a slice and a half", 1, 5, 21, 264, WINDOW(3, 2, 1), 0, 0, 0},
};

/* Every number of channels up to two vectors and some. */
static void check_tails(void)
{
    for (int c = 1; c <= 35; c++) {
        shape three = {"3x3", 1, 5, 7, c, WINDOW(3, 1, 1), 0, 0, 1},
              five = {"5x5", 1, 7, 6, c, WINDOW(5, 2, 2), 0, 0, 0};
        check_shape(three, &all, c);
        check_shape(five, &plain, c + 1);
    }
}

/* What is wanted and what is joined, one by one. */
static void check_kinds(void)
{
    shape s = {"kinds", 2, 8, 9, 20, WINDOW(3, 1, 1), 0, 0, 3};
    for (int i = 0; i < 128; i++) {
        kind k = {.view = i & 1 ? (tx_act)(i / 2 % TX_ACTS) : TX_ACTS,
                  .act = i & 2 ? (tx_act)(i / 4 % TX_ACTS) : TX_ACT_NONE};
        k.bias = (i & 4) != 0;
        k.add = i & 8 ? 1 + (i & 1) : 0;
        k.folds = i % 5 < 2;
        k.dx = (i & 16) != 0;
        k.dw = (i & 32) != 0;
        k.db = (i & 64) != 0;
        k.slope = i % 3;
        k.behind = (tx_act)(i / 3 % TX_ACTS);
        k.moments = i / 8 % 3 == 0;
        check_shape(s, &k, i);
    }
}

/* What an infinity in dy or x reaches, and that a NaN of x comes out of the results that read it. */
static void check_special(void)
{
    enum { N = 5 * 5 };
    float x[N] = {0}, y[N], w[9];
    for (int i = 0; i < 9; i++)
        w[i] = 1;
    x[12] = NAN;
    tx_machine machine = tx_machine_now();
    tx_depthwise d = WINDOW(3, 1, 1);
    tx_view view = {.data = x, .n = 1, .h = 5, .w = 5, .c = 1, .ld = 1};
    tx_target target = {.data = y, .ld = 1, .h = 5, .w = 5, .step_y = 1, .step_x = 1, .act = TX_ACT_RELU};
    void *work = dirty(tx_depthwise_forward_work(&machine, &d, &view, 5, 5));
    CHECK(tx_depthwise_forward(&machine, &d, &view, w, &target, work) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < N; i++) {
        int near = i / 5 >= 1 && i / 5 <= 3 && i % 5 >= 1 && i % 5 <= 3;
        CHECK(isnan(y[i]) == near, "a NaN in the middle: result %d is %g", i, (double)y[i]);
    }
    tx_free(work);
}

int main(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_shape(shapes[i], &plain, (int)i);
        check_shape(shapes[i], &all, -1);
    }
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        check_shape(whole[i], &clamped, -1);
        check_shape(whole[i], &curved, (int)i);
        check_shape(whole[i], &curved, (int)i + 1);
        check_shape(whole[i], &added, (int)i);
        check_shape(whole[i], &added, (int)i + 1);
        check_shape(whole[i], &all, (int)i);
    }
    check_tails();
    check_kinds();
    check_special();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("core_depthwise");
}
