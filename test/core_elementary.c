/* core_elementary.c - elementary functions: the values at zeros, infinities, NaN, subnormals and thresholds; samples
 * against libm within the bounds of core/README.md (test/elementary_all.c takes all floats); and a digest of many
 * results, which is the same for every compiler, optimisation level, libm and processor. */
#include "../core/core.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <string.h>

static uint32_t float_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float float_from(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static double double_from(uint64_t u)
{
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static uint64_t random64(uint64_t step, uint64_t i)
{
    uint64_t high = tx_random_bits(1, TX_RANDOM_TEST, step, 2 * i);
    return high << 32 | tx_random_bits(1, TX_RANDOM_TEST, step, 2 * i + 1);
}

/* Equal numbers with equal signs, or both NaN. */
static int same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

typedef struct float_case {
    const char *name;
    float (*f)(float);
    double (*exact)(double);
    double bound; /* ulp */
    const char *digest;
} float_case;

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static const float_case float_cases[] = {
    {"tx_expf", tx_expf, exp, 1.1, "5ad0cae0c0fe7cf2"},
    {"tx_logf", tx_logf, log, 1.0, "dc4decb8ee7c292c"},
    {"tx_log1pf", tx_log1pf, log1p, 1.2, "9ad5d0fc68305194"},
    {"tx_tanhf", tx_tanhf, tanh, 1.25, "c98853a475c2e49e"},
    {"tx_logisticf", tx_logisticf, sigmoid, 1.55, "c546edebb31b91dd"},
};

typedef struct double_case {
    const char *name;
    double (*f)(double);
    double (*exact)(double); /* libm in double is itself off by half an ulp or more, sometimes in a bad place */
    double bound;            /* ulp, that included */
    const char *digest;
} double_case;

static double sin_pi(double x)
{
    double r = x - 2 * rint(x / 2);
    return fabs(r) <= 0.5 ? sin(3.141592653589793 * r) : sin(3.141592653589793 * (copysign(1, r) - r));
}

static double cos_pi(double x)
{
    double r = fabs(x - 2 * rint(x / 2));
    return sin(3.141592653589793 * (0.5 - r));
}

static const double_case double_cases[] = {
    {"tx_exp", tx_exp, exp, 2, "b61216c8901852a3"},
    {"tx_expm1", tx_expm1, expm1, 2.5, "da7e834b5f569caf"},
    {"tx_log", tx_log, log, 2, "a166fca52ecd9d6f"},
    {"tx_log1p", tx_log1p, log1p, 2.5, "eca5c9c8cd13526d"},
    {"tx_tanh", tx_tanh, tanh, 4, "984ca1a38a879503"},
    {"tx_logistic", tx_logistic, sigmoid, 4, "b386b467e46e9813"},
    {"tx_sin_pi", tx_sin_pi, sin_pi, 4, "2559566675ae485d"},
    {"tx_cos_pi", tx_cos_pi, cos_pi, 4, "0156ab70b197a365"},
};

enum { FLOATS = sizeof float_cases / sizeof float_cases[0], DOUBLES = sizeof double_cases / sizeof double_cases[0] };

/* --- special values: argument, result */
static void check_float_specials(void)
{
    const float inf = float_from(0x7f800000u), nan = float_from(0x7fc00000u), tiny = 0x1p-149f;
    static const float largest_exp = 0x1.62e42ep6f, smallest_exp = -0x1.9fe368p6f;
    const struct {
        float (*f)(float);
        float x, y;
    } table[] = {
        {tx_expf, 0, 1},
        {tx_expf, -0.0f, 1},
        {tx_expf, inf, inf},
        {tx_expf, -inf, 0},
        {tx_expf, tiny, 1},
        {tx_expf, FLT_MAX, inf},
        {tx_expf, -FLT_MAX, 0},
        {tx_expf, largest_exp, 0x1.ffff08p127f},
        {tx_expf, 0x1.62e43p6f, inf},
        {tx_expf, smallest_exp, tiny},
        {tx_expf, -0x1.9fe36ap6f, 0},
        {tx_logf, 0, -inf},
        {tx_logf, -0.0f, -inf},
        {tx_logf, 1, 0},
        {tx_logf, inf, inf},
        {tx_logf, -inf, nan},
        {tx_logf, -tiny, nan},
        {tx_logf, -1, nan},
        {tx_logf, tiny, -0x1.9d1dap6f},
        {tx_logf, FLT_MAX, 0x1.62e43p6f},
        {tx_log1pf, 0, 0},
        {tx_log1pf, -0.0f, -0.0f},
        {tx_log1pf, -1, -inf},
        {tx_log1pf, inf, inf},
        {tx_log1pf, -inf, nan},
        {tx_log1pf, -0x1.000002p0f, nan},
        {tx_log1pf, tiny, tiny},
        {tx_log1pf, -tiny, -tiny},
        {tx_log1pf, FLT_MAX, 0x1.62e43p6f},
        {tx_log1pf, -0x1.fffffep-1f, -0x1.0a2b24p4f},
        {tx_tanhf, 0, 0},
        {tx_tanhf, -0.0f, -0.0f},
        {tx_tanhf, inf, 1},
        {tx_tanhf, -inf, -1},
        {tx_tanhf, tiny, tiny},
        {tx_tanhf, -0x1p-126f, -0x1p-126f},
        {tx_tanhf, 9.1f, 1},
        {tx_tanhf, -FLT_MAX, -1},
        {tx_logisticf, 0, 0.5f},
        {tx_logisticf, -0.0f, 0.5f},
        {tx_logisticf, inf, 1},
        {tx_logisticf, -inf, 0},
        {tx_logisticf, 20, 1},
        {tx_logisticf, smallest_exp, tiny},
        {tx_logisticf, -104, 0},
        {tx_logisticf, -FLT_MAX, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double y = (double)table[i].f(table[i].x);
        CHECK(same(y, (double)table[i].y), "row %zu: f(%a) = %a, expected %a", i, (double)table[i].x, y,
              (double)table[i].y);
    }
    for (int i = 0; i < FLOATS; i++) {
        CHECK(isnan(float_cases[i].f(nan)), "%s(NaN) is a number", float_cases[i].name);
        CHECK(isnan(float_cases[i].f(-nan)), "%s(-NaN) is a number", float_cases[i].name);
    }
}

static void check_double_specials(void)
{
    const double inf = double_from(0x7ff0000000000000u), nan = double_from(0x7ff8000000000000u), tiny = 0x1p-1074;
    const struct {
        double (*f)(double);
        double x, y;
    } table[] = {
        {tx_exp, 0, 1},
        {tx_exp, -0.0, 1},
        {tx_exp, inf, inf},
        {tx_exp, -inf, 0},
        {tx_exp, tiny, 1},
        {tx_exp, 1e300, inf},
        {tx_exp, 0x1.62e42fefa39efp9, 0x1.fffffffffff2ap1023},
        {tx_exp, 0x1.62e42fefa39fp9, inf},
        {tx_exp, -1e300, 0},
        {tx_exp, -0x1.74385446d71c3p9, tiny},
        {tx_exp, -0x1.74910d52d3053p9, 0},
        {tx_expm1, 0, 0},
        {tx_expm1, -0.0, -0.0},
        {tx_expm1, inf, inf},
        {tx_expm1, -inf, -1},
        {tx_expm1, -tiny, -tiny},
        {tx_expm1, -1e9, -1},
        {tx_expm1, 710, inf},
        {tx_log, 0, -inf},
        {tx_log, -0.0, -inf},
        {tx_log, 1, 0},
        {tx_log, inf, inf},
        {tx_log, -1, nan},
        {tx_log, -inf, nan},
        {tx_log, tiny, -0x1.74385446d71c3p9},
        {tx_log, DBL_MAX, 0x1.62e42fefa39efp9},
        {tx_log1p, 0, 0},
        {tx_log1p, -0.0, -0.0},
        {tx_log1p, -1, -inf},
        {tx_log1p, inf, inf},
        {tx_log1p, -1.5, nan},
        {tx_log1p, tiny, tiny},
        {tx_log1p, DBL_MAX, 0x1.62e42fefa39efp9},
        {tx_tanh, 0, 0},
        {tx_tanh, -0.0, -0.0},
        {tx_tanh, inf, 1},
        {tx_tanh, -inf, -1},
        {tx_tanh, -tiny, -tiny},
        {tx_tanh, 25, 1},
        {tx_logistic, 0, 0.5},
        {tx_logistic, -inf, 0},
        {tx_logistic, inf, 1},
        {tx_logistic, 40, 1},
        {tx_logistic, -0x1.74385446d71c3p9, tiny},
        {tx_logistic, -1000, 0},
        {tx_sin_pi, 0, 0},
        {tx_sin_pi, -0.0, -0.0},
        {tx_sin_pi, 0.5, 1},
        {tx_sin_pi, -0.5, -1},
        {tx_sin_pi, 1.5, -1},
        {tx_sin_pi, inf, nan},
        {tx_sin_pi, 0x1p60, 0},
        {tx_sin_pi, 2.5, 1},
        {tx_cos_pi, 0, 1},
        {tx_cos_pi, 1, -1},
        {tx_cos_pi, -1, -1},
        {tx_cos_pi, 0x1p60, 1},
        {tx_cos_pi, 0x1.fffffffffffffp52, -1},
        {tx_cos_pi, -inf, nan},
        {tx_cos_pi, tiny, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double y = table[i].f(table[i].x);
        CHECK(same(y, table[i].y), "row %zu: f(%a) = %a, expected %a", i, table[i].x, y, table[i].y);
    }
    for (int i = 0; i < DOUBLES; i++)
        CHECK(isnan(double_cases[i].f(nan)), "%s(NaN) is a number", double_cases[i].name);
}

static void check_pow(void)
{
    const double inf = double_from(0x7ff0000000000000u), nan = double_from(0x7ff8000000000000u);
    const double table[][3] = {
        {2, 10, 1024},
        {2, -1074, 0x1p-1074},
        {2, -1075, 0},
        {2, 1024, inf},
        {0x1p-1074, -1, inf},
        {0x1p-1074, 0.5, 0x1p-537},
        {1, 1e300, 1},
        {7, 0, 1},
        {0, 2, 0},
        {0, -2, inf},
        {inf, 2, inf},
        {inf, -2, 0},
        {0.5, inf, 0},
        {2, inf, inf},
        {2, -inf, 0},
        {0.5, -inf, inf},
        {nan, 1, nan},
        {2, nan, nan},
        {-2, 2, nan},
        {10, 22, 1e22},
        {1e-5, 1, 1e-5},
        {0.999, 1000, 0x1.788526411ed72p-2},
        {3, 0.5, 0x1.bb67ae8584caap0},
        {0x1.0000000000001p0, 0x1p52, 0x1.5bf0a8b145769p1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double y = tx_pow(table[i][0], table[i][1]);
        CHECK(same(y, table[i][2]), "pow(%a, %a) = %a, expected %a", table[i][0], table[i][1], y, table[i][2]);
    }
}

/* --- samples against libm */
static void check_samples(void)
{
    for (int c = 0; c < FLOATS; c++) {
        double worst = 0, at = 0;
        long misplaced = 0; /* NaN or infinity */
        for (uint64_t i = 0; i < 60000; i++) {
            float x = float_from((uint32_t)random64(10, i));
            double exact = float_cases[c].exact((double)x), got = (double)float_cases[c].f(x);
            int binade;
            frexp(exact, &binade);
            double unit = ldexp(1, exact == 0 || binade < -125 ? -149 : binade - 24);
            if (isnan(exact) || isinf((float)exact)) {
                misplaced += isnan(exact) ? !isnan(got) : !isinf(got);
            } else if (!(fabs(got - exact) / unit <= worst)) {
                worst = fabs(got - exact) / unit;
                at = (double)x;
            }
        }
        CHECK(misplaced == 0, "%s: %ld NaN or infinities are wrong", float_cases[c].name, misplaced);
        CHECK(worst <= float_cases[c].bound, "%s is off by %.3f ulp at %a", float_cases[c].name, worst, at);
    }
    for (int c = 0; c < DOUBLES; c++) {
        double worst = 0, at = 0;
        long misplaced = 0;
        for (uint64_t i = 0; i < 60000; i++) {
            double x = ldexp((double)(int64_t)random64(11, i), -63 + (int)(i % 40) - 30);
            double exact = double_cases[c].exact(x), got = double_cases[c].f(x);
            int binade;
            frexp(exact, &binade);
            double unit = ldexp(1, binade < -1021 ? -1074 : binade - 53), distance = fabs(got - exact) / unit;
            if (double_cases[c].f == tx_sin_pi || double_cases[c].f == tx_cos_pi)
                distance = fabs(got - exact) * 0x1p53; /* the oracle is good only absolutely */
            if (isnan(exact) || isinf(exact) || exact == 0) {
                misplaced += !same(got, exact) && exact != 0;
            } else if (!(distance <= worst)) {
                worst = distance;
                at = x;
            }
        }
        CHECK(misplaced == 0, "%s: %ld NaN or infinities are wrong", double_cases[c].name, misplaced);
        CHECK(worst <= double_cases[c].bound, "%s is off by %.3f ulp at %a", double_cases[c].name, worst, at);
    }
}

/* --- fma: hard triples by construction, each a product and an addend near minus it or far from it */
static float hard_float(uint64_t step, uint64_t i, int spread)
{
    uint32_t r = (uint32_t)random64(step, i);
    uint32_t exponent = (uint32_t)(127 + (int)(r % (uint32_t)(2 * spread + 1)) - spread);
    uint32_t fraction = r >> 9, kind = r & 3;
    if (kind == 0)
        fraction &= 0x7ff000u; /* few bits: products that end in a tie */
    if (kind == 1)
        fraction |= 0x7ffff0u;
    return float_from((r >> 8 & 1) << 31 | exponent << 23 | fraction);
}

static void check_fma(void)
{
    const float inf = float_from(0x7f800000u), nan = float_from(0x7fc00000u);
    const float table[][4] = {
        {0x1.000002p0f, 0x1.000002p0f, -0x1.000004p0f, 0x1p-46f},
        {0x1.fffffep0f, 0x1.fffffep0f, -0x1.fffffcp1f, 0x1p-46f},
        {1, 0x1p-24f, 1, 1},
        {1, 0x1.000002p-24f, 1, 0x1.000002p0f},
        {0x1.000002p-12f, 0x1p-12f, 1, 0x1.000002p0f},     /* above half an ulp by 2^-47 */
        {0x1.fffffep-13f, 0x1p-12f, 1, 1},                 /* below it */
        {0x1.001p0f, 0x1.001p0f, 0x1p-60f, 0x1.002002p0f}, /* 1 + 2^-11 + 2^-24 + 2^-60: above a tie */
        {0x1.001p0f, 0x1.001p0f, -0x1p-60f, 0x1.002p0f},   /* below the same tie */
        {0x1.001p0f, 0x1.001p0f, 0, 0x1.002p0f},           /* the tie, to even */
        {0x1p-75f, 0x1p-75f, 0x1p-149f, 0x1p-148f},        /* 1.5 units of the subnormals, to even */
        {0x1.8p-75f, 0x1p-75f, 0x1p-149f, 0x1p-148f},
        {0x1p-75f, 0x1p-75f, 0, 0},
        {0x1.000002p-75f, 0x1p-75f, 0, 0x1p-149f},
        {0x1p-149f, 0x1p-149f, 1, 1},
        {0x1p-149f, -0x1p-149f, 0x1p-149f, 0x1p-149f},
        {0x1p-149f, 0x1p-149f, 0, 0},
        {0x1p-149f, -0x1p-149f, 0, -0.0f},
        {0x1p127f, 2, -0x1p127f, 0x1p127f},
        {0x1p127f, 2, 0, inf},
        {FLT_MAX, 1, 0x1p103f, inf},
        {FLT_MAX, 1, 0x1.fffffep102f, FLT_MAX},
        {FLT_MAX, FLT_MAX, -inf, -inf},
        {inf, 1, 1, inf},
        {inf, 0, 1, nan},
        {inf, 1, -inf, nan},
        {1, 1, nan, nan},
        {nan, 0, 0, nan},
        {0, nan, inf, nan},
        {0, 1, -0.0f, 0},
        {-0.0f, 1, -0.0f, -0.0f},
        {1, 1, -1, 0},
        {1, -1, 1, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double y = (double)tx_fmaf(table[i][0], table[i][1], table[i][2]);
        CHECK(same(y, (double)table[i][3]), "fmaf row %zu gave %a, expected %a", i, y, (double)table[i][3]);
    }
    long wrong = 0;
    for (uint64_t i = 0; i < 200000; i++) {
        int spread = i % 3 == 0 ? 2 : i % 3 == 1 ? 30 : 75;
        float a = hard_float(20, i, spread), b = hard_float(21, i, spread), c = hard_float(22, i, spread);
        if (i % 4 == 0)
            c = -(a * b);
        if (i % 8 == 1)
            c = float_from((uint32_t)random64(23, i) & 0x800fffffu);
        wrong += !same((double)tx_fmaf(a, b, c), (double)fmaf(a, b, c));
    }
    CHECK(wrong == 0, "%ld of 200000 fmaf differ from libm's", wrong);
    double square = 0x1.0000000000001p0;
    CHECK(tx_fma(square, square, -0x1.0000000000002p0) == 0x1p-104, "fma rounds the product");
    CHECK(tx_fma(0x1p-537, 0x1.0000000000001p-537, 0x1p-1074) == 0x1p-1073, "fma of subnormals");
    CHECK(tx_fma(0x1.001p0, 0x1.00000001p0, 0x1p-1000) == 0x1.001000010010p0, "fma");
}

/* --- digests of results: little-endian bytes, every NaN as one */
static void add_value(tx_sha256 *s, double value)
{
    uint64_t u = 0x7ff8000000000000u;
    if (value == value)
        memcpy(&u, &value, sizeof u);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(u >> (8 * i));
    tx_sha256_add(s, bytes, sizeof bytes);
}

static void check_digest(const char *name, tx_sha256 *s, const char *expected)
{
    char hex[65];
    tx_sha256_end(s, hex);
    hex[16] = 0;
    CHECK(strcmp(hex, expected) == 0, "digest of %s is %s, expected %s", name, hex, expected);
}

static void check_digests(void)
{
    tx_sha256 s;
    for (int c = 0; c < FLOATS; c++) {
        tx_sha256_begin(&s);
        for (uint32_t i = 0; i < 65536;
             i++) /* every sign, exponent and seven bits of fraction, and a spread of the rest */
            add_value(&s, (double)float_cases[c].f(float_from(i << 16 | (i * 40503u & 0xffffu))));
        for (uint32_t i = 0; i < 40000; i++)
            add_value(&s, (double)float_cases[c].f((float)((int32_t)i - 20000) * 0x1.3p-9f));
        check_digest(float_cases[c].name, &s, float_cases[c].digest);
    }
    for (int c = 0; c < DOUBLES; c++) {
        tx_sha256_begin(&s);
        for (uint64_t i = 0; i < 30000; i++) {
            add_value(&s, double_cases[c].f(double_from(random64(30, i))));
            add_value(&s, double_cases[c].f(ldexp((double)(int64_t)random64(31, i), -63 + (int)(i % 40) - 30)));
        }
        check_digest(double_cases[c].name, &s, double_cases[c].digest);
    }
    tx_sha256_begin(&s);
    for (uint64_t i = 0; i < 30000; i++) {
        double x = double_from(random64(32, i) >> 1),
               y = ldexp((double)(int64_t)random64(33, i), -63 + (int)(i % 24) - 12);
        add_value(&s, tx_pow(x, y));
    }
    check_digest("tx_pow", &s, "cf338c5d9e6a63ec");
    tx_sha256_begin(&s);
    for (uint64_t i = 0; i < 60000; i++) {
        float a = hard_float(40, i, 70), b = hard_float(41, i, 70), c = hard_float(42, i, 75);
        add_value(&s, (double)tx_fmaf(a, b, i & 1 ? c : -(a * b)));
        add_value(&s,
                  (double)tx_fmaf(a, float_from(float_bits(b) & 0xffff0000u), float_from((uint32_t)random64(43, i))));
    }
    check_digest("tx_fmaf", &s, "cea37acd418303c6");
    tx_sha256_begin(&s);
    for (uint64_t i = 0; i < 30000; i++) {
        double a = double_from(random64(44, i)), b = ldexp((double)(int64_t)random64(45, i), -63),
               c = double_from(random64(46, i));
        add_value(&s, tx_fma(a, b, i & 1 ? c : -(a * b)));
    }
    check_digest("tx_fma", &s, "6da650a58f4e7902");
}

int main(void)
{
    check_float_specials();
    check_double_specials();
    check_pow();
    check_samples();
    check_fma();
    check_digests();
    return test_done("core_elementary");
}
