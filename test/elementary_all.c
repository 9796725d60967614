/* elementary_all.c - the largest error of each elementary function: the float ones over all 2^32 floats against
 * libm in double, the double ones over random arguments against libm in long double (a good oracle only where that
 * is wider).
 *
 *     elementary_all [STRIDE]     every STRIDE-th float (1, at most 16384), and 2^28 / STRIDE arguments of each
 *                                 double function
 *
 * A line a function: the largest error in ulp and the argument. An ulp is the distance of floats in the binade of
 * the exact value, 2^-149 or 2^-1074 at least; infinity counts as 2^128 or 2^1024. Takes minutes, so it is no part
 * of `make test`. Exit status 1 if an error is above the bound in the table or a NaN is misplaced. */
#include "../core/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS = 4096, WORKERS = 256 };

typedef struct extreme {
    double ulp, argument, other;
    long misplaced; /* NaN where a number is due, or the other way round */
} extreme;

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static long double sigmoid_long(long double x)
{
    return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

/* The argument is reduced exactly before libm sees it. */
static long double sin_pi_long(long double x)
{
    const long double pi = 3.14159265358979323846264338327950288L;
    long double r = x - 2 * rintl(x / 2);
    if (fabsl(r) > 0.5L)
        r = copysignl(1 - fabsl(r), r);
    return fabsl(r) <= 0.25L ? sinl(pi * r) : copysignl(cosl(pi * (0.5L - fabsl(r))), r);
}

static long double cos_pi_long(long double x)
{
    const long double pi = 3.14159265358979323846264338327950288L;
    long double r = fabsl(x - 2 * rintl(x / 2)), turned = r > 0.5L ? 1 - r : r;
    long double y = turned <= 0.25L ? cosl(pi * turned) : sinl(pi * (0.5L - turned));
    return r > 0.5L ? -y : y;
}

typedef struct float_case {
    const char *name;
    float (*f)(float);
    double (*exact)(double);
    double bound;
} float_case;

static const float_case float_cases[] = {
    {"tx_expf", tx_expf, exp, 1.1},
    {"tx_logf", tx_logf, log, 1.0},
    {"tx_log1pf", tx_log1pf, log1p, 1.2},
    {"tx_tanhf", tx_tanhf, tanh, 1.25},
    {"tx_logisticf", tx_logisticf, sigmoid, 1.55},
};

/* Arguments are exponents uniform in [low,high] with random sign (if negative), or uniform on +-2^high. */
typedef struct double_case {
    const char *name;
    double (*f)(double);
    long double (*exact)(long double);
    int low, high, negative;
    double bound;
} double_case;

static const double_case double_cases[] = {
    {"tx_exp", tx_exp, expl, -60, 9, 1, 1.0},
    {"tx_expm1", tx_expm1, expm1l, -60, 9, 1, 1.0},
    {"tx_log", tx_log, logl, -1074, 1023, 0, 1.0},
    {"tx_log, near 1", tx_log, logl, -1, 0, 0, 1.25},
    {"tx_log1p", tx_log1p, log1pl, -60, 1023, 0, 1.0},
    {"tx_log1p, |x| < 1", tx_log1p, log1pl, -12, -1, 1, 1.25},
    {"tx_tanh", tx_tanh, tanhl, -60, 5, 1, 1.6},
    {"tx_logistic", tx_logistic, sigmoid_long, -60, 9, 1, 1.6},
    {"tx_sin_pi", tx_sin_pi, sin_pi_long, -60, 60, 1, 1.25},
    {"tx_cos_pi", tx_cos_pi, cos_pi_long, -60, 60, 1, 1.25},
};

static extreme found[WORKERS];
static uint64_t stride = 1;

static void note(extreme *e, double ulp, double argument, double other)
{
    if (ulp > e->ulp) {
        e->ulp = ulp;
        e->argument = argument;
        e->other = other;
    }
}

static extreme worst_of_all(void)
{
    extreme worst = {0, 0, 0, 0};
    for (int i = 0; i < WORKERS; i++) {
        note(&worst, found[i].ulp, found[i].argument, found[i].other);
        worst.misplaced += found[i].misplaced;
    }
    return worst;
}

static void measure_float(extreme *e, const float_case *c, float x)
{
    double exact = c->exact((double)x), got = (double)c->f(x);
    if (isnan(exact) || isnan(got)) {
        e->misplaced += isnan(exact) != isnan(got);
        return;
    }
    exact = fmax(fmin(exact, 0x1p128), -0x1p128);
    got = fmax(fmin(got, 0x1p128), -0x1p128);
    int binade;
    frexp(exact, &binade);
    if (exact == 0 || binade < -125)
        binade = -125;
    if (binade > 128)
        binade = 128;
    note(e, fabs(got - exact) / ldexp(1, binade - 24), (double)x, 0);
}

static void float_chunk(void *context, size_t chunk, int worker)
{
    uint64_t size = ((uint64_t)1 << 32) / CHUNKS;
    for (uint64_t i = 0; i < size; i += stride) {
        uint32_t bits = (uint32_t)(chunk * size + i);
        float x;
        memcpy(&x, &bits, sizeof x);
        measure_float(&found[worker], context, x);
    }
}

/* The unit is at least 2^-1074; |exact| up to where long double is wider. */
static double ulps(double got, long double exact)
{
    int binade;
    frexpl(exact, &binade);
    if (exact == 0 || binade < -1021)
        binade = -1021;
    if (binade > 1024) {
        binade = 1024;
        exact = copysignl(ldexpl(1, 1024), exact);
    }
    long double value = isinf(got) ? copysignl(ldexpl(1, 1024), (long double)got) : (long double)got;
    return (double)ldexpl(fabsl(value - exact), 53 - binade);
}

static double draw(size_t stream, size_t i, int low, int high, int negative)
{
    uint64_t at = (uint64_t)i * 4;
    uint32_t a = tx_random_bits(7, TX_RANDOM_TEST, stream, at), b = tx_random_bits(7, TX_RANDOM_TEST, stream, at + 1);
    uint32_t c = tx_random_bits(7, TX_RANDOM_TEST, stream, at + 2);
    double m = 1 + ldexp((double)a, -32) + ldexp((double)(b >> 12), -52);
    int e = low + (int)((uint64_t)c * (uint64_t)(high - low + 1) >> 32);
    return ldexp(negative && (b & 1) ? -m : m, e);
}

static void double_chunk(void *context, size_t chunk, int worker)
{
    const double_case *c = context;
    size_t size = (size_t)(((uint64_t)1 << 28) / CHUNKS / stride);
    for (size_t i = 0; i < size; i++) {
        double x = draw(chunk, i, c->low, c->high, c->negative), got = c->f(x);
        long double exact = c->exact((long double)x);
        if (isnan(exact) || isnan(got))
            found[worker].misplaced += isnan(exact) != isnan(got);
        else
            note(&found[worker], ulps(got, exact), x, 0);
    }
}

/* powl is itself off by more than half a unit of long double, which is 2^-11 of ours. */
static void pow_chunk(void *context, size_t chunk, int worker)
{
    (void)context;
    size_t size = (size_t)(((uint64_t)1 << 26) / CHUNKS / stride);
    for (size_t i = 0; i < size; i++) {
        double x = draw(chunk, i, -30, 30, 0), y = draw(chunk + CHUNKS, i, -20, 6, 1), got = tx_pow(x, y);
        note(&found[worker], ulps(got, powl((long double)x, (long double)y)), x, y);
    }
}

static int report(const char *name, double bound)
{
    extreme e = worst_of_all();
    int bad = e.misplaced > 0 || !(e.ulp <= bound);
    printf("%-18s %.4f ulp at %.17g", name, e.ulp, e.argument);
    if (e.other != 0)
        printf(", %.17g", e.other);
    printf("%s\n", e.misplaced ? " MISPLACED NAN" : bad ? " ABOVE ITS BOUND" : "");
    fflush(stdout);
    memset(found, 0, sizeof found);
    return bad;
}

int main(int argc, char **argv)
{
    stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    if (stride < 1 || stride > 16384 || tx_threads() > WORKERS) {
        fprintf(stderr, "usage: elementary_all [STRIDE], 1..16384\n");
        return 2;
    }
    int bad = 0;
    for (size_t i = 0; i < sizeof float_cases / sizeof float_cases[0]; i++) {
        tx_parallel_for(CHUNKS, float_chunk, (void *)&float_cases[i]);
        bad += report(float_cases[i].name, float_cases[i].bound);
    }
    for (size_t i = 0; i < sizeof double_cases / sizeof double_cases[0]; i++) {
        tx_parallel_for(CHUNKS, double_chunk, (void *)&double_cases[i]);
        bad += report(double_cases[i].name, double_cases[i].bound);
    }
    tx_parallel_for(CHUNKS, pow_chunk, NULL);
    bad += report("tx_pow", 1.0);
    return bad != 0;
}
