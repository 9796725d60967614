/* kernels/depthwise.h - kernels of depthwise convolution (depthwise.c), written once over f32x16, compiled once per ISA.
 *
 * What is read stands in rows of whole vectors, activated and with zeros around it, so no loop asks where the map ends;
 * only what is written has a tail. Lanes never mix. */

/* Outputs of a row that are computed together: as many as share a load, and fewer for what is left of a row. Taps of a
 * weight's gradient likewise: 9, 25 and 49 are sums of these two. */
#if defined(TX_SIMD_AVX512)
#define DEPTHWISE_OUTPUTS 8
#define DEPTHWISE_FEWER 5
#define DEPTHWISE_TAPS 9
#else
#define DEPTHWISE_OUTPUTS 4
#define DEPTHWISE_FEWER 3
#define DEPTHWISE_TAPS 5
#endif

/* Up to 19 columns are written out. */
#if defined(__clang__)
#define DEPTHWISE_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define DEPTHWISE_UNROLL _Pragma("GCC unroll 19")
#else
#define DEPTHWISE_UNROLL
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

/* act((scale (sum + bias) + shift) + add) of output i, channels j.. */
TX_INLINE void depthwise_put(const tx_depthwise_row *r, size_t i, size_t j, f32x16 sum)
{
    size_t n = r->c - j;
    if (r->bias)
        sum = v_add(sum, v_take(r->bias + j, n));
    if (r->scale)
        sum = v_fma(v_take(r->scale + j, n), sum, v_take(r->shift + j, n));
    if (r->add)
        sum = v_add(sum, v_take(r->add + i * r->add_ld + j, n));
    v_put_past(r->y + i * r->ld + j, kernel_act(r->act, sum), n, r->stream);
}

/* Outputs [i + from, i + outputs): those before have been put already. Through memory, as written out for each output the
 * activations would fill the instruction cache. */
TX_INLINE void depthwise_finish(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs,
                                const f32x16 *sum)
{
    float all[16 * DEPTHWISE_OUTPUTS];
    if (!r->bias && !r->scale && !r->add && r->act == TX_ACT_NONE) {
        TILE_UNROLL
        for (int o = 0; o < outputs; o++)
            v_put_past(r->y + (i + (size_t)o) * r->ld + j, sum[o], r->c - j, r->stream);
        return;
    }
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        v_store(all + 16 * o, sum[o]);
    for (size_t o = from; o < (size_t)outputs; o++)
        depthwise_put(r, i + o, j, v_load(all + 16 * o));
}

/* The chains of some outputs, a number that is constant where this is inlined; taps lie anyhow. */
TX_INLINE void depthwise_outputs(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs)
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
    depthwise_finish(r, i, from, j, outputs, sum);
}

/* The same, the taps in rows of `across`, `stride` columns from one output to the next; -1: taps run against the columns.
 * Every column is loaded once and meets all the outputs that it is an operand of. All three are constants. */
TX_INLINE void depthwise_sweep(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs, int across,
                               int stride)
{
    f32x16 sum[DEPTHWISE_OUTPUTS];
    int columns = stride < 0 ? outputs + across - 1 : (outputs - 1) * stride + across;
    size_t at = i * r->step + (stride < 0 ? (size_t)(outputs - 1) * r->step : 0) + j;
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        sum[o] = v_zero();
    for (int t = 0; t < r->taps; t += across) {
        f32x16 w[7];
        const float *x = r->at[t] + at;
        TILE_UNROLL
        for (int k = 0; k < across; k++)
            w[k] = v_load(r->w[t + k] + j);
        DEPTHWISE_UNROLL
        for (int m = 0; m < columns; m++, x += r->between) {
            f32x16 value = v_load(x);
            TILE_UNROLL
            for (int o = 0; o < outputs; o++) {
                int k = stride < 0 ? m - (outputs - 1 - o) : m - o * stride;
                if (k >= 0 && k < across)
                    sum[o] = v_fma(w[k], value, sum[o]);
            }
        }
    }
    depthwise_finish(r, i, from, j, outputs, sum);
}

TX_INLINE void depthwise_swept(const tx_depthwise_row *r, size_t i, size_t from, int outputs, int across, int stride)
{
    for (size_t j = 0; j < r->c; j += 16)
        depthwise_sweep(r, i, from, j, outputs, across, stride);
}

/* How the taps lie, as one number: what there is a sweep for, else 0. */
TX_INLINE int depthwise_form(const tx_depthwise_row *r)
{
    ptrdiff_t step = (ptrdiff_t)r->step;
    int known = r->across == 3 || r->across == 5;
    int stride = step == r->between ? 1 : step == 2 * r->between ? 2 : step == -r->between ? -1 : 0;
    return DEPTHWISE_OUTPUTS == 8 && known && stride ? 10 * r->across + stride : 0;
}

TX_INLINE void depthwise_block(const tx_depthwise_row *r, int form, size_t i, size_t from, int outputs)
{
    switch (form) {
    case 31:
        depthwise_swept(r, i, from, outputs, 3, 1);
        return;
    case 32:
        depthwise_swept(r, i, from, outputs, 3, 2);
        return;
    case 29:
        depthwise_swept(r, i, from, outputs, 3, -1);
        return;
    case 51:
        depthwise_swept(r, i, from, outputs, 5, 1);
        return;
    case 52:
        depthwise_swept(r, i, from, outputs, 5, 2);
        return;
    case 49:
        depthwise_swept(r, i, from, outputs, 5, -1);
        return;
    default:
        for (size_t j = 0; j < r->c; j += 16)
            depthwise_outputs(r, i, from, j, outputs);
    }
}

/* Blocks of outputs; the last of a row may begin within the one before it. */
static void depthwise_row(const tx_depthwise_row *r)
{
    const size_t more = DEPTHWISE_OUTPUTS, fewer = DEPTHWISE_FEWER;
    int form = depthwise_form(r);
    size_t n = r->outputs, i = 0;
    while (i < n) {
        size_t left = n - i, back;
        if (n >= more && (left > 2 * fewer || (left > fewer && left <= more))) {
            back = left < more ? more - left : 0;
            depthwise_block(r, form, i - back, back, DEPTHWISE_OUTPUTS);
            i += more - back;
        } else if (n >= fewer) {
            back = left < fewer ? fewer - left : 0;
            depthwise_block(r, form, i - back, back, DEPTHWISE_FEWER);
            i += fewer - back;
        } else {
            for (size_t j = 0; j < r->c; j += 16)
                depthwise_outputs(r, i, 0, j, 1);
            i++;
        }
    }
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
            for (; (taps - t) % (DEPTHWISE_TAPS - 1) != 0 && t + DEPTHWISE_TAPS <= taps;
                 t += DEPTHWISE_TAPS, to += DEPTHWISE_TAPS * lanes)
                depthwise_taps(DEPTHWISE_TAPS, at + t, from, step, slope + j, n, lanes, to);
            for (; t + DEPTHWISE_TAPS - 1 <= taps; t += DEPTHWISE_TAPS - 1, to += (DEPTHWISE_TAPS - 1) * lanes)
                depthwise_taps(DEPTHWISE_TAPS - 1, at + t, from, step, slope + j, n, lanes, to);
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
