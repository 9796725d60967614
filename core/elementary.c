/* elementary.c - exp, log, tanh and their kin from +, -, *, /, fma and integer operations alone, so that every libm,
 * compiler and instruction set gives the same bits. Needs round to nearest and -ffp-contract=off.
 *
 * FLOAT. Each function is one straight line of float operations and selections, for sixteen lanes of a vector do
 * the same operations in the same order and must get the same bits. All of it is written with
 *     fma(a,b,c)      one rounding of a*b+c
 *     + - * /         one rounding each
 *     a < b ? c : d   a selection; written so that a NaN falls through to where it survives
 *     round(x)        nearest integer, |x| < 2^22: (x + 1.5*2^23) - 1.5*2^23, the first sum often part of an fma
 *     power(n)        2^n for integral n in [-126,127]: the bits of n + (1.5*2^23 + 127), shifted left by 23
 *     split(x)        normal x > 0 as 2^e * m, m in [2/3,4/3): with i = bits(x) + (bits(1) - bits(2/3)),
 *                     e = float(i >> 23) - 127, m = float with bits (i & 0x7fffff) + bits(2/3)
 *
 * exp     x is clamped to [-104,89], where the result is sure to be 0 or inf. n = round(x log2 e);
 *         r = x - n ln 2, |r| <= 0.3466, ln 2 as a float and a remainder; p = exp(r) - 1 = r + r^2 q(r), q of
 *         degree 4; (1 + p) * 2^a * 2^(n-a), a = round(n/2): both factors are normal numbers, and a subnormal
 *         result is rounded once, by the last product.
 * log     x = 2^e m, f = m - 1, log x = e ln 2 + f + f^2 q(f), q of degree 8. Interval [2/3,4/3) for m: symmetric
 *         in f, and exact near x = 1, where e = 0. Subnormal x is first multiplied by 2^23.
 * log1p   e from split(1 + x); f = (1 + x) 2^-e - 1 by fma(x, 2^-e, 2^-e - 1), so that what 1 + x lost comes back;
 *         the remainder of that fma is added to the small terms. 2^-e may be subnormal, hence power(2 - e) / 4.
 * tanh    of a = |x|, sign put back. a < 0.625: a + a^3 q(a^2), q of degree 4; else 1 - 2/(exp(2a) + 1), a clamped
 *         to 10, with exp(2a) + 1 = (2^n + 1) + 2^n p, one fma.
 * sigmoid z = exp(-|x|), d = 1 + z, r = 1/d; q = r for x >= 0, z r below, then one step of Newton's division, with
 *         the remainder of d's rounding taken in: it costs three fma and no second division.
 *
 * DOUBLE, for statistics, schedules and random numbers: the same reductions; log by 2 atanh(f/(2+f)). pow carries
 * its logarithm in two doubles. These use no fma except tanh's and sigmoid's last correction and pow.
 *
 * The coefficients are minimax fits of relative error by Remez's exchange in 220-bit arithmetic, the lowest rounded
 * to the format, the others fitted again, and so on. The largest error of each fit is given beside it.
 *
 * Sources of the schemes: Muller, "Elementary Functions", 3rd ed. 2016, ch. 3 and 11; Tang, ACM TOMS 15(2), 1989
 * (exp); Boldo and Melquiond, IEEE Trans. Computers 57(4), 2008 (fma by rounding to odd); Dekker, Numer. Math. 18,
 * 1971 and Knuth, TAOCP vol. 2, 4.2.2 (exact sums). */
#include "core.h"

#include <math.h>

typedef union float_bits {
    float f;
    uint32_t u;
} float_bits;

typedef union double_bits {
    double d;
    uint64_t u;
} double_bits;

/* --------------------------------------------------------------------------------------------- fma */

/* Without an instruction for it: a*b is exact in double (48 bits of 53). The sum with c, rounded to odd (if it is
 * inexact, the neighbour with an odd last bit), can be rounded once more to float, or to a subnormal float, as if the
 * first rounding had not been, since double has at least two bits more (Boldo and Melquiond). */
static inline float fused(float a, float b, float c)
{
#if defined(FP_FAST_FMAF) || defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return fmaf(a, b, c);
#else
    double product = (double)a * (double)b, addend = (double)c, sum = product + addend;
    double back = sum - product, error = (product - (sum - back)) + (addend - back);
    if (error != 0) { /* also a NaN, when sum is none or infinite */
        double_bits s = {sum};
        if ((s.u & 1) == 0 && error == error)
            s.u = s.u + ((error > 0) == (sum > 0) ? 1u : (uint64_t)-1);
        sum = s.d;
    }
    return (float)sum;
#endif
}

float tx_fmaf(float a, float b, float c)
{
    return fused(a, b, c);
}

double tx_fma(double a, double b, double c)
{
    return fma(a, b, c);
}

/* ------------------------------------------------------------------------------------------- float */

#define ROUND_F 0x1.8p23f      /* x + ROUND_F has unit 1 */
#define POWER_F 0x1.8000fep23f /* ROUND_F + 127 */
#define LOG2E_F 0x1.715476p0f
#define LN2_F 0x1.62e43p-1f /* ln 2 to 24 bits, and the next 24 */
#define LN2_REST_F -0x1.05c61p-29f

static inline float from_bits(uint32_t u)
{
    float_bits b;
    b.u = u;
    return b.f;
}

static inline uint32_t to_bits(float f)
{
    float_bits b;
    b.f = f;
    return b.u;
}

static inline float magnitude(float x)
{
    return from_bits(to_bits(x) & 0x7fffffffu);
}

static inline float with_sign(float x, float sign)
{
    return from_bits((to_bits(x) & 0x7fffffffu) | (to_bits(sign) & 0x80000000u));
}

static inline float power(float n)
{
    return from_bits(to_bits(n + POWER_F) << 23);
}

/* p = exp(x) * 2^-n - 1 for n, the integer nearest to x / ln 2. Fit of exp(r): 2^-28.2. */
static inline float exp_reduced(float x, float *n)
{
    *n = fused(x, LOG2E_F, ROUND_F) - ROUND_F;
    float r = fused(*n, -LN2_F, x);
    r = fused(*n, -LN2_REST_F, r);
    float q = 0x1.6ac74ep-10f;
    q = fused(q, r, 0x1.123dep-7f);
    q = fused(q, r, 0x1.555858p-5f);
    q = fused(q, r, 0x1.55548cp-3f);
    q = fused(q, r, 0x1.fffffcp-2f);
    return fused(q * r, r, r);
}

float tx_expf(float x)
{
    x = 89.0f < x ? 89.0f : x;
    x = -104.0f > x ? -104.0f : x;
    float n, y = 1.0f + exp_reduced(x, &n);
    float a = fused(n, 0.5f, ROUND_F) - ROUND_F;
    return y * power(a) * power(n - a);
}

/* q of log(1 + f) = f + f^2 q(f), |f| <= 1/3. Fit of log: 2^-27.6. */
static inline float log_tail(float f)
{
    float q = -0x1.092554p-3f;
    q = fused(q, f, 0x1.1e910cp-3f);
    q = fused(q, f, -0x1.f29a46p-4f);
    q = fused(q, f, 0x1.1ecf92p-3f);
    q = fused(q, f, -0x1.55a192p-3f);
    q = fused(q, f, 0x1.99d088p-3f);
    q = fused(q, f, -0x1.fffedep-3f);
    q = fused(q, f, 0x1.555506p-2f);
    return fused(q, f, -0.5f);
}

#define TWO_THIRDS_BITS 0x3f2aaaabu
#define ONE_BITS 0x3f800000u
#define INFINITY_F (from_bits(0x7f800000u))
#define NAN_F (from_bits(0x7fc00000u))

/* What log gives where its formula does not hold: inf at inf, -inf at 0, NaN below 0 and of NaN. */
static inline float log_select(float x, float y)
{
    float finite = x < INFINITY_F ? y : x, rest = x == 0.0f ? -INFINITY_F : NAN_F;
    return x > 0.0f ? finite : rest;
}

float tx_logf(float x)
{
    float normal = x < 0x1p-126f ? x * 0x1p23f : x, bias = x < 0x1p-126f ? 150.0f : 127.0f;
    uint32_t i = to_bits(normal) + (ONE_BITS - TWO_THIRDS_BITS);
    float e = (float)(int32_t)(i >> 23) - bias;
    float f = from_bits((i & 0x7fffffu) + TWO_THIRDS_BITS) - 1.0f;
    float small = fused(e, LN2_REST_F, f * f * log_tail(f));
    return log_select(x, fused(e, LN2_F, f + small));
}

float tx_log1pf(float x)
{
    float u = 1.0f + x;
    uint32_t i = to_bits(u) + (ONE_BITS - TWO_THIRDS_BITS);
    float e = (float)(int32_t)(i >> 23) - 127.0f;
    float t = 0.25f * power(2.0f - e), t1 = t - 1.0f;
    float f = fused(x, t, t1), rest = fused(x, t, t1 - f);
    float small = fused(e, LN2_REST_F, fused(f * f, log_tail(f), rest));
    float y = log_select(u, fused(e, LN2_F, f + small));
    return x == 0.0f ? x : y;
}

/* Fit of tanh below 0.625: 2^-27.7. */
float tx_tanhf(float x)
{
    float a = magnitude(x), n;
    a = 10.0f < a ? 10.0f : a;
    float p = exp_reduced(a + a, &n), t = power(n);
    float large = 1.0f - 2.0f / fused(p, t, t + 1.0f);
    float z = a * a, q = -0x1.750ce4p-8f;
    q = fused(q, z, 0x1.51f8cep-6f);
    q = fused(q, z, -0x1.b835a4p-5f);
    q = fused(q, z, 0x1.1106f6p-3f);
    q = fused(q, z, -0x1.555532p-2f);
    float small = fused(q * z, a, a);
    return with_sign(a < 0.625f ? small : large, x);
}

float tx_logisticf(float x)
{
    float z = tx_expf(-magnitude(x)), d = 1.0f + z, r = 1.0f / d;
    float lost = z - (d - 1.0f), top = x >= 0.0f ? 1.0f : z, q = top * r;
    float rest = fused(-q, d, top);
    rest = fused(-q, lost, rest);
    return fused(rest, r, q);
}

/* ------------------------------------------------------------------------------------------ double */

#define ROUND_D 0x1.8p52
#define LOG2E_D 0x1.71547652b82fep0
#define LN2_D 0x1.62e42fefa38p-1 /* ln 2 to 42 bits: its product with an exponent is exact */
#define LN2_REST_D 0x1.ef35793c7673p-45
#define INFINITY_D ((double)INFINITY_F)
#define NAN_D ((double)NAN_F)

/* 2^n, n in [-1022,1023]. */
static double power_d(int n)
{
    double_bits b;
    b.u = (uint64_t)(n + 1023) << 52;
    return b.d;
}

/* y * 2^n for y near 1 and |n| below 2000: no rounding but that of a subnormal result. */
static double scale(double y, int n)
{
    int half = n / 2;
    return y * power_d(half) * power_d(n - half);
}

/* p + rest = exp(high + low) * 2^-n - 1, n the integer nearest to high / ln 2, |high| < 1500, low far smaller.
 * Fit of exp: 2^-60.6. */
static double exp_reduced_d(double high, double low, int *n, double *rest)
{
    double k = (high * LOG2E_D + ROUND_D) - ROUND_D;
    *n = (int)k;
    high -= k * LN2_D;
    low -= k * LN2_REST_D;
    double r = high + low, q = 0x1.1fed70c7c7115p-29;
    q = q * r + 0x1.af6e6244601bcp-26;
    q = q * r + 0x1.27e54041fa7a6p-22;
    q = q * r + 0x1.71ddf0434acf6p-19;
    q = q * r + 0x1.a01a0111701d4p-16;
    q = q * r + 0x1.a01a01b2b1ec4p-13;
    q = q * r + 0x1.6c16c16c4c5dp-10;
    q = q * r + 0x1.111111110f0b1p-7;
    q = q * r + 0x1.555555555549bp-5;
    q = q * r + 0x1.555555555555ap-3;
    q = q * r + 0.5;
    double tail = low + r * r * q, p = high + tail;
    *rest = tail - (p - high);
    return p;
}

double tx_exp(double x)
{
    if (!(x < 710))
        return x > 0 ? INFINITY_D : x;
    if (x < -746)
        return 0;
    int n;
    double rest, p = exp_reduced_d(x, 0, &n, &rest);
    return scale(1 + p, n);
}

double tx_expm1(double x)
{
    if (x > -0x1p-54 && x < 0x1p-54)
        return x;
    if (!(x < 40)) /* the 1 is below a sixteenth of a unit in the last place */
        return tx_exp(x);
    if (x < -40)
        return -1;
    int n;
    double rest, p = exp_reduced_d(x, 0, &n, &rest);
    if (n == 0)
        return p;
    /* 2^n (p + rest) + (2^n - 1), the errors of both sums included */
    double t = power_d(n), a = t - 1, b = t * p, sum = a + b, back = sum - a;
    return sum + ((a - (sum - back)) + (b - back) + ((t - a - 1) + t * rest));
}

/* x = 2^e * m, m in [sqrt(1/2), sqrt(2)), for normal x > 0; returns m. */
static double split_d(double x, int *e)
{
    const uint64_t root_half = 0x3fe6a09e667f3bcdu, one = 0x3ff0000000000000u, fraction = 0xfffffffffffffu;
    double_bits b = {x};
    b.u += one - root_half;
    *e = (int)(b.u >> 52) - 1023;
    b.u = (b.u & fraction) + root_half;
    return b.d;
}

/* e ln 2 + log(1 + f) + small. log(1 + f) = 2 atanh(s) = 2s + s R with s = f/(2+f), and 2s = f - s f.
 * Fit of log: 2^-59.5. */
static double log_sum(double f, int e, double small)
{
    double s = f / (2 + f), z = s * s, q = 0x1.2f0457360f8dp-3;
    q = q * z + 0x1.39a1daac1ff19p-3;
    q = q * z + 0x1.74663d6908aadp-3;
    q = q * z + 0x1.c71c521253909p-3;
    q = q * z + 0x1.24924941e33bfp-2;
    q = q * z + 0x1.999999997ff04p-2;
    q = q * z + 0x1.5555555555592p-1;
    double k = e;
    return k * LN2_D + (f - (s * (f - z * q) - (k * LN2_REST_D + small)));
}

double tx_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY_D : NAN_D;
    if (x == INFINITY_D)
        return x;
    int e, shift = x < 0x1p-1022 ? 54 : 0;
    double m = split_d(shift ? x * 0x1p54 : x, &e);
    return log_sum(m - 1, e - shift, 0);
}

double tx_log1p(double x)
{
    if (!(x > -1))
        return x == -1 ? -INFINITY_D : NAN_D;
    if (x == INFINITY_D || (x > -0x1p-54 && x < 0x1p-54))
        return x;
    /* lost is what 1 + x leaves out; log(u + lost) = log(u) + lost/u */
    double u = 1 + x, back = u - 1, lost = (1 - (u - back)) + (x - back);
    int e;
    double m = split_d(u, &e);
    return log_sum(m - 1, e, lost / u);
}

/* top / (d + lost) for |lost| far below d, correct to little more than half a unit. */
static double divide(double top, double d, double lost)
{
    double q = top / d, rest = fma(-q, d, top);
    return q + (rest - q * lost) / d;
}

double tx_tanh(double x)
{
    double a = fabs(x);
    if (!(a < 20))
        return a > 0 ? copysign(1, x) : x;
    double t = tx_expm1(2 * a), d = t + 2, lost = t < 2 ? t - (d - 2) : 2 - (d - t);
    return copysign(divide(t, d, lost), x);
}

double tx_logistic(double x)
{
    double z = tx_exp(-fabs(x)), d = 1 + z;
    return divide(x >= 0 ? 1 : z, d, z - (d - 1));
}

/* sin(pi f) and cos(pi f), |f| <= 1/4. Fits: 2^-63.6 and 2^-61.5. For the sine the upper 26 bits of f times the
 * upper 27 of pi, which is exact, is kept apart from the rest. */
static double sin_quarter(double f)
{
    const double pi_high = 0x1.921fb54p1, pi_low = 0x1.10b4611a62633p-29;
    double_bits high = {f};
    high.u &= ~(uint64_t)0x7ffffff;
    double z = f * f, q = -0x1.7434d4478275ep-16;
    q = q * z + 0x1.e909ff93883cap-12;
    q = q * z - 0x1.e30770226dbf3p-8;
    q = q * z + 0x1.5078349e59a75p-4;
    q = q * z - 0x1.32d2cce63b54bp-1;
    q = q * z + 0x1.466bc6775ab7ep+1;
    q = q * z - 0x1.4abbce625be53p+2;
    return high.d * pi_high + ((f - high.d) * pi_high + f * (z * q + pi_low));
}

static double cos_quarter(double f)
{
    double z = f * f, q = -0x1.b0345eacd6efbp-14;
    q = q * z + 0x1.f9c4adc079fa9p-10;
    q = q * z - 0x1.a6d1e238ee682p-6;
    q = q * z + 0x1.e1f50675b20c9p-3;
    q = q * z - 0x1.55d3c7e3bfe56p+0;
    q = q * z + 0x1.03c1f081b5a52p+2;
    q = q * z - 0x1.3bd3cc9be45dep+2;
    return 1 + z * q;
}

/* sin(pi (a + quarter/2)) for a >= 0. Each step of the reduction is exact. */
static double sin_turned(double a, int quarter)
{
    double r = a - 2 * rint(a / 2), k = rint(2 * r), f = r - k / 2; /* |r| <= 1, |f| <= 1/4 */
    if (f != f)
        return f;
    int turn = ((int)k + quarter) & 3;
    double y = turn & 1 ? cos_quarter(f) : sin_quarter(f);
    return turn & 2 ? -y : y;
}

double tx_sin_pi(double x)
{
    double y = sin_turned(fabs(x), 0);
    return signbit(x) ? -y : y;
}

double tx_cos_pi(double x)
{
    return sin_turned(fabs(x), 1);
}

/* --------------------------------------------------------------------------------------------- pow */

/* A number in two doubles, |low| at most half a unit of high. */
typedef struct pair {
    double high, low;
} pair;

/* a + b for |a| >= |b| or a = 0. */
static pair pair_quick(double a, double b)
{
    double s = a + b;
    return (pair){s, b - (s - a)};
}

static pair pair_add(pair a, pair b)
{
    double s = a.high + b.high, back = s - a.high;
    double error = (a.high - (s - back)) + (b.high - back);
    return pair_quick(s, error + (a.low + b.low));
}

static pair pair_mul(pair a, pair b)
{
    double p = a.high * b.high;
    return pair_quick(p, fma(a.high, b.high, -p) + (a.high * b.low + a.low * b.high));
}

/* log x for 0 < x < inf, to about 2^-68 of itself: 2s (1 + z/3 + z^2/5 + z^3/7 ..), z = s^2 < 0.0295. The first three
 * terms in pairs; the others, below 2^-17 of the sum, in double. */
static pair log_pair(double x)
{
    int e, shift = x < 0x1p-1022 ? 54 : 0;
    double m = split_d(shift ? x * 0x1p54 : x, &e), f = m - 1, d = m + 1, lost = m - (d - 1);
    double q = f / d;
    pair s = pair_quick(q, (fma(-q, d, f) - q * lost) / d), z = pair_mul(s, s);
    double t = z.high, tail = 0x1.a41a41a41a41ap-5; /* 2/39 */
    static const double odd[] = {
        /* 2/37, 2/35 .. 2/7 */
        0x1.bacf914c1bad0p-5, 0x1.d41d41d41d41dp-5, 0x1.f07c1f07c1f08p-5, 0x1.0842108421084p-4,
        0x1.1a7b9611a7b96p-4, 0x1.2f684bda12f68p-4, 0x1.47ae147ae147bp-4, 0x1.642c8590b2164p-4,
        0x1.8618618618618p-4, 0x1.af286bca1af28p-4, 0x1.e1e1e1e1e1e1ep-4, 0x1.1111111111111p-3,
        0x1.3b13b13b13b14p-3, 0x1.745d1745d1746p-3, 0x1.c71c71c71c71cp-3, 0x1.2492492492492p-2,
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        tail = tail * t + odd[i];
    const pair third = {0x1.5555555555555p-1, 0x1.5555555555555p-55};  /* 2/3 */
    const pair fifth = {0x1.999999999999ap-2, -0x1.999999999999ap-56}; /* 2/5 */
    pair sum = pair_add(fifth, pair_quick(t * tail, 0));
    sum = pair_add(third, pair_mul(z, sum));
    sum = pair_mul(s, pair_mul(z, sum));
    sum = pair_add((pair){2 * s.high, 2 * s.low}, sum);
    double k = e - shift;
    return pair_add(pair_quick(k * LN2_D, k * LN2_REST_D), sum);
}

double tx_pow(double x, double y)
{
    if (x != x || y != y)
        return NAN_D;
    if (x == 1 || y == 0)
        return 1;
    if (x < 0)
        return NAN_D;
    int grows = (x > 1) == (y > 0);
    /* |log x| >= 2^-53 for all x but 1 */
    if (x == 0 || x == INFINITY_D || fabs(y) > 0x1p64)
        return grows ? INFINITY_D : 0;
    pair l = pair_mul(log_pair(x), (pair){y, 0});
    if (l.high > 710)
        return INFINITY_D;
    if (l.high < -746)
        return 0;
    int n;
    double rest, p = exp_reduced_d(l.high, l.low, &n, &rest);
    return scale(1 + p, n);
}
