/* kernels/depthwise.h - kernels of depthwise convolution (depthwise.c), written once over f32x16, compiled once per ISA.
 *
 * What is read stands in rows of whole vectors, activated and with zeros around it, so no loop asks where the map ends;
 * only what is written has a tail. Lanes never mix. */

/* Outputs of a row that share a load of each tap's weight. */
#if defined(TX_SIMD_AVX512)
#define DEPTHWISE_OUTPUTS 8
#define DEPTHWISE_TAPS 9
#else
#define DEPTHWISE_OUTPUTS 4
#define DEPTHWISE_TAPS 5
#endif

/* Pixels ahead that are asked for while some are loaded: beyond pages the processor does not foresee. */
TX_INLINE size_t depthwise_soon(size_t ld, size_t lanes)
{
    return (CHANNEL_SOON / lanes + 1) * ld;
}

static void depthwise_load(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                           size_t lanes)
{
    const float *row = x->data + first * x->ld + channel;
    size_t soon = depthwise_soon(x->ld, lanes);
    for (size_t p = 0; p < pixels; p++, row += x->ld, to += lanes)
        for (size_t k = 0; k < c; k += 16) {
            TX_PREFETCH(tile_address(row, soon + k));
            f32x16 z = channel_affine(x, v_take(row + k, c - k), channel + k, c - k);
            v_store(to + k, kernel_act(x->act, z));
        }
}

/* scale (g - mean_g - (x - mean) slope), g = act'(scale x + shift) dy: as tx_channel_bn_apply rounds it */
static void depthwise_load_slope(const tx_slope *dy, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                                 size_t lanes)
{
    const tx_view *x = &dy->x;
    const float *g = dy->g.data + first * dy->g.ld + channel, *row = x->data + first * x->ld + channel;
    size_t soon = depthwise_soon(dy->g.ld, lanes), soon_x = depthwise_soon(x->ld, lanes);
    for (size_t p = 0; p < pixels; p++, g += dy->g.ld, row += x->ld, to += lanes)
        for (size_t k = 0; k < c; k += 16) {
            size_t j = channel + k, n = c - k;
            TX_PREFETCH(tile_address(g, soon + k));
            TX_PREFETCH(tile_address(row, soon_x + k));
            f32x16 value = v_take(row + k, n), scale = v_take(x->scale + j, n);
            f32x16 z = v_fma(scale, value, v_take(x->shift + j, n));
            f32x16 a = kernel_slope(x->act, z, v_take(g + k, n));
            if (dy->mean) {
                f32x16 away = v_sub(value, v_take(dy->mean + j, n));
                a = v_fnma(away, v_take(dy->slope + j, n), v_sub(a, v_take(dy->mean_g + j, n)));
                a = v_mul(scale, a);
            }
            v_store(to + k, a);
        }
}

/* act((sum + bias) + add) */
TX_INLINE void depthwise_put(const tx_depthwise_row *r, size_t i, size_t j, f32x16 sum)
{
    size_t n = r->c - j;
    if (r->bias)
        sum = v_add(sum, v_take(r->bias + j, n));
    if (r->add) {
        f32x16 add = v_take(r->add + i * r->add_ld + j, n);
        if (r->add_scale)
            add = v_fma(v_take(r->add_scale + j, n), add, v_take(r->add_shift + j, n));
        sum = v_add(sum, add);
    }
    v_put_past(r->y + i * r->ld + j, kernel_act(r->act, sum), n, r->stream);
}

/* Outputs i.. of channels j..; how many is a constant where this is inlined. */
TX_INLINE void depthwise_outputs(const tx_depthwise_row *r, size_t i, size_t j, int outputs)
{
    f32x16 sum[DEPTHWISE_OUTPUTS];
    size_t at = i * r->step + j;
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        sum[o] = v_zero();
    for (int t = 0; t < r->taps; t++) {
        f32x16 w = v_load(r->w[t] + j);
        const float *x = r->at[t] + at;
        TILE_UNROLL
        for (int o = 0; o < outputs; o++, x += r->step)
            sum[o] = v_fma(w, v_load(x), sum[o]);
    }
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        depthwise_put(r, i + (size_t)o, j, sum[o]);
}

static void depthwise_row(const tx_depthwise_row *r)
{
    size_t i = 0;
    for (; i + DEPTHWISE_OUTPUTS <= r->outputs; i += DEPTHWISE_OUTPUTS)
        for (size_t j = 0; j < r->c; j += 16)
            depthwise_outputs(r, i, j, DEPTHWISE_OUTPUTS);
    for (; i + 2 <= r->outputs; i += 2)
        for (size_t j = 0; j < r->c; j += 16)
            depthwise_outputs(r, i, j, 2);
    for (; i < r->outputs; i++)
        for (size_t j = 0; j < r->c; j += 16)
            depthwise_outputs(r, i, j, 1);
    if (r->stream)
        v_stream_end();
}

/* The sums of some taps, a number that is constant where this is inlined, stay in registers over a stretch of outputs: of
 * sixteen channels, which are those at sum, at g and at `from` behind each at. */
TX_INLINE void depthwise_taps(int taps, const float *const *at, size_t from, size_t step, const float *g,
                              size_t outputs, size_t lanes, float *sum)
{
    f32x16 a[DEPTHWISE_TAPS];
    const float *x[DEPTHWISE_TAPS];
    TILE_UNROLL
    for (int t = 0; t < taps; t++) {
        a[t] = v_load(sum + (size_t)t * lanes);
        x[t] = at[t] + from;
    }
    for (size_t i = 0, p = 0; i < outputs; i++, p += step, g += lanes) {
        f32x16 slope = v_load(g);
        TILE_UNROLL
        for (int t = 0; t < taps; t++)
            a[t] = v_fma(slope, v_load(x[t] + p), a[t]);
    }
    TILE_UNROLL
    for (int t = 0; t < taps; t++)
        v_store(sum + (size_t)t * lanes, a[t]);
}

TX_INLINE void depthwise_ones(const float *g, size_t outputs, size_t lanes, float *ones)
{
    for (size_t j = 0; j < lanes; j += 16) {
        f32x16 a = v_load(ones + j);
        for (size_t i = 0; i < outputs; i++)
            a = v_add(a, v_load(g + i * lanes + j));
        v_store(ones + j, a);
    }
}

/* Stretches of so many outputs: what they read is still near when the next sixteen channels are taken. */
enum { DEPTHWISE_STRETCH = 16 };

static void depthwise_weight(int taps, const float *const *at, size_t step, const float *g, size_t outputs,
                             size_t lanes, float *sum, float *ones)
{
    for (size_t i = 0; i < outputs; i += DEPTHWISE_STRETCH) {
        size_t n = outputs - i < DEPTHWISE_STRETCH ? outputs - i : DEPTHWISE_STRETCH;
        const float *slope = g + i * lanes;
        if (ones)
            depthwise_ones(slope, n, lanes, ones);
        for (size_t j = 0; j < lanes; j += 16) {
            int t = 0;
            size_t from = i * step + j;
            float *to = sum + j;
            for (; t + DEPTHWISE_TAPS <= taps; t += DEPTHWISE_TAPS, to += DEPTHWISE_TAPS * lanes)
                depthwise_taps(DEPTHWISE_TAPS, at + t, from, step, slope + j, n, lanes, to);
            for (; t + 4 <= taps; t += 4, to += 4 * lanes)
                depthwise_taps(4, at + t, from, step, slope + j, n, lanes, to);
            for (; t < taps; t++, to += lanes)
                depthwise_taps(1, at + t, from, step, slope + j, n, lanes, to);
        }
    }
}

/* What kernels/all.h puts into the table. */
#define DEPTHWISE_KERNELS                                                                                             \
    {                                                                                                                 \
        .load = depthwise_load, .load_slope = depthwise_load_slope, .row = depthwise_row, .weight = depthwise_weight, \
    }
