/* core_simd.c - every vector operation of core/simd/simd.h on every instruction set of this machine, bit for bit against its
 * scalar definition: all pairs of special values, random bits, all counts; and what selects an instruction set. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "../core/op.h"
#include "test.h"

#include "../core/kernels.h"
#include "../core/simd/lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const lane_name[] = {
#define NAME(name, value) #name,
    LANES(NAME)};

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static float truth(int t)
{
    return t ? 1.0f : 0.0f;
}

static float integer(int32_t i)
{
    return float_of((uint32_t)i);
}

/* Lanes i += i+8, then 4, 2, 1. */
static float tree(const float *a)
{
    float s[16];
    memcpy(s, a, sizeof s);
    for (int step = 8; step > 0; step /= 2)
        for (int i = 0; i < step; i++)
            s[i] = s[i] + s[i + step];
    return s[0];
}

static float any_greater(const float *a, const float *b)
{
    for (int l = 0; l < 16; l++)
        if (a[l] > b[l])
            return 1.0f;
    return 0.0f;
}

static int32_t shifted_right(int32_t i, int n)
{
    int64_t wide = i;
    return (int32_t)((wide - (wide & (((int64_t)1 << n) - 1))) / ((int64_t)1 << n));
}

static float math(int lane, float a)
{
    switch (lane) {
    case LANE_exp:
        return tx_expf(a);
    case LANE_log:
        return tx_logf(a);
    case LANE_log1p:
        return tx_log1pf(a);
    case LANE_tanh:
        return tx_tanhf(a);
    default:
        return tx_logisticf(a);
    }
}

static float on_integers(int lane, int n, float fa, float fb, float fc)
{
    uint32_t u = bits_of(fa), v = bits_of(fb);
    int32_t i = (int32_t)u, j = (int32_t)v;
    switch (lane) {
    case LANE_from_int:
        return (float)i;
    case LANE_i_load:
        return fa;
    case LANE_i_add:
        return float_of(u + v);
    case LANE_i_sub:
        return float_of(u - v);
    case LANE_i_and:
        return float_of(u & v);
    case LANE_i_or:
        return float_of(u | v);
    case LANE_i_xor:
        return float_of(u ^ v);
    case LANE_i_shl:
        return float_of(u << (2 * n - 1));
    case LANE_i_shr:
        return float_of(u >> (2 * n - 1));
    case LANE_i_sar:
        return integer(shifted_right(i, 2 * n - 1));
    case LANE_i_eq:
        return truth(i == j);
    case LANE_i_gt:
        return truth(i > j);
    case LANE_i_select:
        return i > j ? fc : fa;
    case LANE_pow2:
        return ldexpf(1.0f, (int)(u & 0x7f) - (int)(v & 0x3f));
    default:
        return math(lane, fa);
    }
}

/* The definition of one lane; `in` is what load reads, of sixteen elements. */
static float define(int lane, int n, int l, const float *in, const float *pa, const float *pb, const float *pc)
{
    float a = pa[l], b = pb[l], c = pc[l];
    switch (lane) {
    case LANE_zero:
        return 0.0f;
    case LANE_set1:
        return in[0];
    case LANE_load:
        return in[l];
    case LANE_load_n:
        return l < n ? in[l] : 0.0f;
    case LANE_add:
        return a + b;
    case LANE_sub:
        return a - b;
    case LANE_mul:
        return a * b;
    case LANE_div:
        return a / b;
    case LANE_sqrt:
        return sqrtf(a);
    case LANE_fma:
        return tx_fmaf(a, b, c);
    case LANE_fnma:
        return tx_fmaf(-a, b, c);
    case LANE_neg:
        return float_of(bits_of(a) ^ 0x80000000u);
    case LANE_abs:
        return float_of(bits_of(a) & 0x7fffffffu);
    case LANE_max:
        return a > b ? a : b;
    case LANE_min:
        return a < b ? a : b;
    case LANE_gt:
        return truth(a > b);
    case LANE_ge:
        return truth(a >= b);
    case LANE_lt:
        return truth(a < b);
    case LANE_le:
        return truth(a <= b);
    case LANE_eq:
        return truth(a == b);
    case LANE_select:
        return a > b ? c : a;
    case LANE_m_and:
        return truth(a > b && a > c);
    case LANE_m_or:
        return truth(a > b || a > c);
    case LANE_m_not:
        return truth(!(a > b));
    case LANE_m_any:
        return any_greater(pa, pb);
    case LANE_sum:
        return tree(pa);
    case LANE_bits:
        return a;
    case LANE_i_set1:
        return pa[0];
    case LANE_round:
        return (a + 12582912.0f) - 12582912.0f;
    case LANE_round_int:
        return float_of(bits_of(a + 12582912.0f) - bits_of(12582912.0f));
    default:
        return on_integers(lane, n, a, b, c);
    }
}

/* Equal bits, or NaN both where floats are computed: which NaN is not promised. */
static int same(int lane, float x, float y)
{
    int moved = lane <= LANE_load_n || lane == LANE_neg || lane == LANE_abs || lane == LANE_bits || lane >= LANE_i_load;
    if (bits_of(x) == bits_of(y))
        return 1;
    int computed = !moved || lane == LANE_round || lane >= LANE_exp;
    return computed && x != x && y != y;
}

static const tx_kernels *kernels;

static void check_lanes(int n, const float *a, const float *b, const float *c)
{
    float out[17];
    for (int lane = 0; lane < LANES_COUNT; lane++) {
        int bad = -1;
        for (int l = 0; l < 17; l++)
            out[l] = float_of(0xdeadbeefu);
        kernels->lanes(lane, n, a, a, b, c, out);
        for (int l = 0; l < n && bad < 0; l++)
            if (!same(lane, out[l], define(lane, n, l, a, a, b, c)))
                bad = l;
        for (int l = n; l < 17; l++)
            if (bits_of(out[l]) != 0xdeadbeefu)
                bad = l;
        CHECK(bad < 0, "%s %s n %d lane %d: a %a b %a c %a gives %a, not %a", kernels->name, lane_name[lane], n, bad,
              (double)a[bad & 15], (double)b[bad & 15], (double)c[bad & 15], (double)out[bad],
              (double)define(lane, n, bad & 15, a, a, b, c));
    }
}

enum { SPECIALS = 208 };
static float special[SPECIALS];

/* Zeros, units in the last place, limits of every format and of the functions, each with both signs; NaN. */
static void make_specials(void)
{
    static const float some[] = {0.0f,
                                 1.0f,
                                 2.0f,
                                 3.0f,
                                 0.5f,
                                 1.5f,
                                 2.5f,
                                 0.25f,
                                 0.1f,
                                 0.333333343f,
                                 0.666666687f,
                                 0.625f,
                                 10.0f,
                                 9.01f,
                                 88.0f,
                                 88.7228394f,
                                 88.72284f,
                                 89.0f,
                                 90.0f,
                                 103.9f,
                                 104.0f,
                                 105.0f,
                                 87.336f,
                                 0.3465736f,
                                 0.6931472f,
                                 1.442695f,
                                 4096.0f,
                                 4194303.5f,
                                 4194304.0f,
                                 8388607.5f,
                                 8388608.0f,
                                 16777216.0f,
                                 2147483648.0f,
                                 4294967296.0f,
                                 1e10f,
                                 1e20f,
                                 1e30f,
                                 3.40282347e38f,
                                 1.17549435e-38f,
                                 1e-38f,
                                 1e-40f,
                                 1e-45f,
                                 2.8e-45f,
                                 1e-20f,
                                 1e-10f,
                                 1e-5f,
                                 5.9604645e-8f,
                                 1.1920929e-7f,
                                 0.99999994f,
                                 1.00000012f,
                                 0.9999f,
                                 1.0001f,
                                 7.0f};
    int n = 0;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        special[n++] = some[i];
        special[n++] = -some[i];
    }
    special[n++] = INFINITY;
    special[n++] = -INFINITY;
    special[n++] = NAN;
    special[n++] = float_of(0xffc01234u);
    for (uint32_t u = 1; n < SPECIALS; u = u * 1664525u + 1013904223u) /* then any exponent */
        if ((u >> 23 & 0xff) != 0xff)
            special[n++] = float_of(u);
}

static void check_specials(void)
{
    float a[16], b[16], c[16];
    for (int i = 0; i < SPECIALS; i++)
        for (int j = 0; j < SPECIALS; j += 16) {
            for (int l = 0; l < 16; l++) {
                a[l] = special[i];
                b[l] = special[(j + l) % SPECIALS];
                c[l] = special[(i * 7 + j * 3 + l * 5) % SPECIALS];
            }
            check_lanes(16, a, b, c);
            check_lanes(16, b, a, c);
        }
}

static void check_random(void)
{
    float x[3][16];
    for (uint32_t round = 0; round < 3000; round++) {
        for (uint32_t i = 0; i < 48; i++) {
            uint32_t u = tx_random_bits(1, TX_RANDOM_TEST, round, i);
            if (round % 3 == 1) /* near each other, so that sums cancel */
                u = 0x3f000000u | (u & 0x80ffffffu);
            if (round % 3 == 2) /* products and sums at the lower end */
                u = (u & 0x80ffffffu) | (0x10000000u + (u >> 27 << 24));
            x[i / 16][i % 16] = float_of(u);
        }
        check_lanes(16, x[0], x[1], x[2]);
        check_lanes(1 + (int)(round % 16), x[0], x[1], x[2]);
    }
}

/* load_n of the last n floats before memory that may not be read. */
static void check_no_over_read(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0, "no guard page");
    float zeros[16] = {0}, out[16];
    for (int n = 1; n <= 16; n++) {
        float *in = (float *)(void *)(memory + page) - n;
        int right = 1;
        for (int l = 0; l < n; l++)
            in[l] = (float)(l + 1);
        kernels->lanes(LANE_load_n, n, in, zeros, zeros, zeros, out);
        for (int l = 0; l < n; l++)
            right &= out[l] == (float)(l + 1);
        memset(in, 0, (size_t)n * sizeof *in);
        kernels->lanes(LANE_load_n, n, out, zeros, zeros, zeros, in);
        for (int l = 0; l < n; l++)
            right &= in[l] == (float)(l + 1);
        CHECK(right, "%s: %d floats at the end of a page", kernels->name, n);
    }
    munmap(memory, 2 * page);
}

static void check_selection(void)
{
    const char *names[TX_MAX_ISAS];
    int n = tx_isa_list(names);
    CHECK(n >= 1 && strcmp(names[n - 1], "portable") == 0, "portable is not the last of %d", n);
    CHECK(tx_isa_select("sse9") == TX_ERR_ARGUMENT, "sse9 was accepted");
    CHECK(strstr(tx_error_message(), "sse9") != NULL, "message: %s", tx_error_message());
    CHECK(tx_isa_select("avx512") == TX_OK || tx_isa_select("neon") == TX_ERR_MACHINE || strcmp(names[0], "neon") == 0,
          "an absent instruction set: %s", tx_error_message());
    for (int i = 0; i < n; i++) {
        CHECK(tx_isa_select(names[i]) == TX_OK && strcmp(tx_isa_name(), names[i]) == 0, "%s: %s", names[i],
              tx_error_message());
        CHECK(tx_isa_select(NULL) == TX_OK && strcmp(tx_isa_name(), names[i]) == 0, "NULL changes a selection");
    }
    CHECK(tx_self_test() == TX_OK, "%s", tx_error_message());
    CHECK(tx_fma_peak(1) > 1e6 && tx_tile_rate(1) > 1e6 && tx_copy_rate(1) > 1e6, "rates");
}

int main(void)
{
    const char *names[TX_MAX_ISAS];
    check_selection();
    make_specials();
    int n = tx_isa_list(names);
    for (int i = 0; i < n; i++) {
        CHECK(tx_isa_select(names[i]) == TX_OK, "%s", tx_error_message());
        kernels = tx_kernels_now();
        check_specials();
        check_random();
        check_no_over_read();
    }
    return test_done("core_simd");
}
