/* kernels/machine.h - what this instruction set's code does with IEEE arithmetic, how fast it multiplies and adds, and each of
 * its vector operations for a test to see. */
#include "../simd/lanes.h"

/* Lanes through memory that the compiler cannot see through, so that nothing is computed beforehand. */
TX_INLINE f32x16 machine_hidden(float s)
{
    volatile float hidden = s;
    return v_set1(hidden);
}

static const char *machine_self_test(void)
{
    /* (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the last term is lost in a product, a tie to even, and kept in an fma */
    f32x16 a = machine_hidden(1.0f + 0x1p-12f), b = machine_hidden(-1.0f - 0x1p-11f);
    if (v_sum(v_abs(v_add(v_mul(a, a), b))) != 0.0f)
        return "the compiler contracts a*b+c in its vector code";
    if (v_sum(v_fma(a, a, b)) != 0x1p-20f)
        return "its fused multiply-add rounds twice";
    f32x16 tiny = machine_hidden(0x1p-126f), half = machine_hidden(0.5f);
    if (v_sum(v_mul(tiny, half)) != 0x1p-123f)
        return "it flushes subnormal numbers to zero";
    /* 1 + 3 * 2^-25 lies between 1 and its successor, nearer to the latter; the negative one likewise */
    f32x16 one = machine_hidden(1.0f), more = machine_hidden(0x1.8p-24f);
    f32x16 up = v_add(one, more), down = v_sub(v_neg(one), more);
    if (v_sum(up) != 16.0f + 0x1p-19f || v_sum(down) != -16.0f - 0x1p-19f)
        return "it does not round to nearest";
    return NULL;
}

static double machine_peak(size_t turns, float *sink)
{
    enum { CHAINS = TILE_M < 12 ? 6 : 12 };
    /* no two registers start alike, or a compiler might compute one for both */
    volatile float start[16 * CHAINS];
    for (int i = 0; i < 16 * CHAINS; i++)
        start[i] = (float)i;
    float lanes[16 * CHAINS];
    for (int i = 0; i < 16 * CHAINS; i++)
        lanes[i] = start[i];
    f32x16 acc[CHAINS], a = machine_hidden(0.999f), b = machine_hidden(0.001f);
    TILE_UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = v_load(lanes + 16 * i);
    for (size_t t = 0; t < turns; t++) {
        TILE_UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = v_fma(acc[i], a, b);
    }
    f32x16 sum = v_zero();
    TILE_UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum = v_add(sum, acc[i]);
    *sink = v_sum(sum);
    return 2.0 * 16.0 * CHAINS * (double)turns;
}

/* The tile of a product, its operands in the first cache. memory: MACHINE_FLOATS floats, aligned to 64. */
static double machine_tile(size_t turns, float *memory)
{
    enum { K = 128 };
    float *a = memory, *b = a + TILE_M * K, *c = b + TILE_N * K;
    for (size_t i = 0; i < (TILE_M + TILE_N) * K; i++)
        a[i] = 0.5f;
    tile_ahead nothing = {(uintptr_t)a, 0};
    for (size_t t = 0; t < turns; t++)
        tile_run(K, a, K, 1, b, TILE_N, c, TILE_N, TILE_M, TILE_N, TILE_ZERO, NULL, nothing);
    return 2.0 * TILE_M * TILE_N * K * (double)turns;
}

/* Operation `lane` (lanes.h) on sixteen operands a[], b[], c[]: out[0..n), or all sixteen for n = 16. load and load_n
 * read `in` itself, of which load_n may touch n elements only. */
static void machine_lanes(int lane, int n, const float *in, const float *pa, const float *pb, const float *pc,
                          float *out)
{
    f32x16 a = v_load(pa), b = v_load(pb), c = v_load(pc), r = v_zero();
    i32x16 i = v_bits(a), j = v_bits(b);
    int32_t integers[16];
    i_store(integers, i);
    switch (lane) {
#define LANES_CASE(name, value) \
    case LANE_##name:           \
        r = value;              \
        break;
        LANES(LANES_CASE)
#undef LANES_CASE
    default:
        break;
    }
    if (n == 16)
        v_store(out, r);
    else
        v_store_n(out, n, r);
}
