/* fractal.c - attractors of iterated function systems, drawn by the chaos game: doubles, Philox and nothing else. */
#include "fractal.h"

#include <math.h>
#include <string.h>

/* Points that are passed over until the orbit is as near to the attractor as a pixel, and those that are drawn for each
 * pixel of the picture. */
enum { SETTLE = 32, POINTS_A_PIXEL = 2, PROBE = 64 };
/* An attractor must meet this share of the pixels of its box, drawn with PROBE rows. */
static const double FILL = 0.2;
/* A map contracts if it makes no vector longer than this times its length. */
static const double CONTRACTS = 0.98;

/* Draws of a picture come from its own step; those of a class, and of the probe, from the steps before all pictures. */
static uint64_t step_of(uint32_t label, uint32_t kind)
{
    return (uint64_t)label << 32 | kind;
}
enum { OF_SYSTEM = 0, OF_PROBE = 1, OF_PICTURE = 2 };

/* ---------------------------------------------------------------------------------------- the system of a class */
/* The square of the largest singular value of (a b; c d). */
static double stretch(double a, double b, double c, double d)
{
    double sum = a * a + b * b + c * c + d * d, det = a * d - b * c;
    double rest = sum * sum - 4 * det * det;
    return (sum + sqrt(rest > 0 ? rest : 0)) / 2;
}

/* Whether a map contracts, with each of its parameters as large as an instance can make it. */
static int contracts(const double m[6])
{
    double most = CONTRACTS * CONTRACTS;
    return stretch(m[0] * 1.2, m[1], m[2], m[3]) < most && stretch(m[0], m[1] * 1.2, m[2], m[3]) < most &&
           stretch(m[0], m[1], m[2] * 1.2, m[3]) < most && stretch(m[0], m[1], m[2], m[3] * 1.2) < most;
}

/* Uniform in [-1, 1), from the draws of a class; *index goes on. */
static double draw_parameter(uint64_t seed, uint32_t label, uint64_t *index)
{
    return 2 * (double)tx_random_uniform(seed, TX_RANDOM_FRACTAL, step_of(label, OF_SYSTEM), (*index)++) - 1;
}

static void draw_system(fractal *f, uint64_t seed, uint32_t label, uint64_t *index)
{
    memset(f, 0, sizeof *f);
    f->maps =
        2 + (int)tx_random_below(seed, TX_RANDOM_FRACTAL, step_of(label, OF_SYSTEM), (*index)++, FRACTAL_MAPS - 1);
    double area[FRACTAL_MAPS], total = 0, sum = 0;
    for (int k = 0; k < f->maps; k++) {
        double *m = f->map[k];
        do
            for (int i = 0; i < 6; i++)
                m[i] = draw_parameter(seed, label, index);
        while (!contracts(m));
        area[k] = fabs(m[0] * m[3] - m[1] * m[2]);
        total += area[k];
    }
    for (int k = 0; k < f->maps; k++) {
        sum += area[k];
        f->below[k] = k + 1 < f->maps ? sum / total * 4294967296.0 : 4294967296.0;
    }
}

/* ------------------------------------------------------------------------------------------- its attractor */
typedef struct orbit {
    float *point; /* x, y of each */
    size_t points;
    double low[2], high[2];
} orbit;

static void orbit_run(orbit *o, const fractal *f, uint64_t seed, uint64_t step)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    double x = 0, y = 0;
    uint32_t draw[4] = {0};
    o->low[0] = o->low[1] = 1e30;
    o->high[0] = o->high[1] = -1e30;
    for (size_t i = 0; i < o->points + SETTLE; i++) {
        if (i % 4 == 0) {
            uint64_t block = 16 + i / 4;
            const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step,
                                         (uint32_t)TX_RANDOM_FRACTAL << 24 | (uint32_t)(step >> 32)};
            tx_philox(counter, key, draw);
        }
        int k = 0;
        for (int j = 0; j + 1 < f->maps; j++)
            k += (double)draw[i % 4] >= f->below[j];
        const double *m = f->map[k];
        double to = m[0] * x + m[1] * y + m[4];
        y = m[2] * x + m[3] * y + m[5];
        x = to;
        if (i < SETTLE)
            continue;
        float *p = o->point + 2 * (i - SETTLE);
        p[0] = (float)x;
        p[1] = (float)y;
        o->low[0] = x < o->low[0] ? x : o->low[0];
        o->low[1] = y < o->low[1] ? y : o->low[1];
        o->high[0] = x > o->high[0] ? x : o->high[0];
        o->high[1] = y > o->high[1] ? y : o->high[1];
    }
}

/* Where a coordinate stands among `size` pixels from `margin` on. */
static int place(const orbit *o, int axis, float at, int size, int margin)
{
    double width = o->high[axis] - o->low[axis];
    double share = width > 0 ? ((double)at - o->low[axis]) / width : 0.5;
    int p = margin + (int)(share * (size - 2 * margin));
    return p < margin ? margin : p > size - 1 - margin ? size - 1 - margin : p;
}

static tx_status orbit_new(orbit *o, const fractal *f, uint64_t seed, uint64_t step, int size)
{
    o->points = (size_t)size * (size_t)size * POINTS_A_PIXEL;
    o->point = tx_alloc(o->points, 2 * sizeof *o->point);
    if (!o->point)
        return TX_ERR_MEMORY;
    orbit_run(o, f, seed, step);
    return TX_OK;
}

tx_status fractal_fill(const fractal *f, uint64_t seed, uint32_t label, double *share)
{
    unsigned char met[PROBE * PROBE] = {0};
    orbit o;
    tx_status status = orbit_new(&o, f, seed, step_of(label, OF_PROBE), PROBE);
    if (status)
        return status;
    int count = 0;
    for (size_t i = 0; i < o.points; i++) {
        unsigned char *m =
            &met[place(&o, 1, o.point[2 * i + 1], PROBE, 0) * PROBE + place(&o, 0, o.point[2 * i], PROBE, 0)];
        count += !*m;
        *m = 1;
    }
    tx_free(o.point);
    *share = (double)count / (PROBE * PROBE);
    return TX_OK;
}

tx_status fractal_class(fractal *f, uint64_t seed, uint32_t label)
{
    uint64_t index = 0;
    double share = 0;
    if (label >= FRACTAL_CLASSES)
        return tx_fail(TX_ERR_ARGUMENT, "class %lu of fractals, expected less than %d", (unsigned long)label,
                       FRACTAL_CLASSES);
    do {
        draw_system(f, seed, label, &index);
        tx_status status = fractal_fill(f, seed, label, &share);
        if (status)
            return status;
    } while (share < FILL);
    return TX_OK;
}

/* ------------------------------------------------------------------------------------------- its pictures */
/* How an instance differs from its class. */
typedef struct variation {
    fractal f;
    int mirror[2];
    unsigned patch; /* bit 3 * row + column */
} variation;

static void vary(variation *v, const fractal *f, uint64_t seed, uint64_t step)
{
    v->f = *f;
    uint32_t parameter = tx_random_below(seed, TX_RANDOM_FRACTAL, step, 0, 6);
    double factor = 0.8 + 0.4 * (double)tx_random_uniform(seed, TX_RANDOM_FRACTAL, step, 1);
    for (int k = 0; k < f->maps; k++)
        v->f.map[k][parameter] *= factor;
    uint32_t bits = tx_random_bits(seed, TX_RANDOM_FRACTAL, step, 2);
    v->mirror[0] = (int)(bits & 1);
    v->mirror[1] = (int)(bits >> 1 & 1);
    v->patch = 1 + tx_random_below(seed, TX_RANDOM_FRACTAL, step, 3, 511);
}

/* Adds the patch around a pixel; what falls beyond the picture is lost. */
static void add_patch(uint16_t *count, int size, int row, int column, unsigned patch)
{
    for (int k = 0; k < 9; k++) {
        int y = row + k / 3 - 1, x = column + k % 3 - 1;
        if ((patch >> k & 1) && y >= 0 && y < size && x >= 0 && x < size && count[y * size + x] < UINT16_MAX)
            count[y * size + x]++;
    }
}

tx_status fractal_draw(const fractal *f, uint64_t seed, uint32_t label, uint32_t instance, int size,
                       unsigned char *pixels)
{
    variation v;
    orbit o;
    if (label >= FRACTAL_CLASSES || size < FRACTAL_SIZE_MIN || size > FRACTAL_SIZE_MAX ||
        instance > UINT32_MAX - OF_PICTURE)
        return tx_fail(TX_ERR_ARGUMENT, "fractal %lu of class %lu with %d rows: expected 16 to 4096 rows",
                       (unsigned long)instance, (unsigned long)label, size);
    uint64_t step = step_of(label, OF_PICTURE + instance);
    size_t area = (size_t)size * (size_t)size;
    vary(&v, f, seed, step);
    uint16_t *count = tx_alloc(area, sizeof *count);
    if (!count || orbit_new(&o, &v.f, seed, step, size)) {
        tx_free(count);
        return TX_ERR_MEMORY;
    }
    for (size_t i = 0; i < o.points; i++) {
        int at[2];
        for (int axis = 0; axis < 2; axis++) {
            at[axis] = place(&o, axis, o.point[2 * i + (size_t)axis], size, size / 32);
            at[axis] = v.mirror[axis] ? size - 1 - at[axis] : at[axis];
        }
        add_patch(count, size, at[1], at[0], v.patch);
    }
    /* Brighter where points are denser. */
    for (size_t i = 0; i < area; i++)
        pixels[i] = (unsigned char)(255 * (unsigned)count[i] / ((unsigned)count[i] + 3));
    tx_free(count);
    tx_free(o.point);
    return TX_OK;
}
