/* kernels/channel.h - kernels of the channel operations (channel.c), written once over f32x16, compiled once per ISA.
 *
 * The channels of a pixel are contiguous and every loop runs along them, sixteen at a time; what is left of a row
 * goes through masked loads and stores. Lanes never mix: a channel is one chain of operations over its pixels in
 * ascending order, so its digits depend neither on the lane nor on the number of channels beside it. */

/* A pass asks for what it will read a page ahead: beyond pages the processor does not foresee. */
enum { CHANNEL_SOON = 1024 };

TX_INLINE void channel_soon(const float *p)
{
    TX_PREFETCH(tile_address(p, CHANNEL_SOON));
}

TX_INLINE void channel_sum_as(int simple, const tx_tensor *y, const tx_view *x, int inputs, tx_act act, size_t first,
                              size_t pixels, int stream)
{
    size_t c = (size_t)y->c;
    f32x16 floor = kernel_bounds_of(act).floor;
    for (size_t p = first; p < first + pixels; p++) {
        const float *gate = simple ? NULL : channel_gate_at(x, p);
        for (size_t j = 0; j < c; j += 16) {
            channel_soon(x->data + p * x->ld + j);
            f32x16 sum = channel_gated(channel_view_as(simple, x, x->data + p * x->ld, j, c - j), gate, j, c - j);
            for (int i = 1; i < inputs; i++) {
                channel_soon(x[i].data + p * x[i].ld + j);
                f32x16 next = channel_view_as(simple, x + i, x[i].data + p * x[i].ld, j, c - j);
                sum = v_add(sum, simple ? next : channel_gated(next, channel_gate_at(x + i, p), j, c - j));
            }
            v_put_past(y->data + p * y->ld + j, simple ? v_max(floor, sum) : kernel_act(act, sum), c - j, stream);
        }
    }
    if (stream)
        v_stream_end();
}

static void channel_sum(const tx_tensor *y, const tx_view *x, int inputs, tx_act act, size_t first, size_t pixels,
                        int stream)
{
    int simple = act <= TX_ACT_RELU;
    for (int i = 0; i < inputs; i++)
        simple &= view_simple(x + i);
    if (simple)
        channel_sum_as(1, y, x, inputs, act, first, pixels, stream);
    else
        channel_sum_as(0, y, x, inputs, act, first, pixels, stream);
}

static void channel_mask(const tx_gradient *dx, const tx_tensor *dy, const tx_tensor *y, tx_act act, size_t first,
                         size_t pixels, int stream)
{
    size_t c = (size_t)dy->c;
    for (size_t p = first; p < first + pixels; p++)
        for (size_t j = 0; j < c; j += 16) {
            channel_soon(dy->data + p * dy->ld + j);
            if (y)
                channel_soon(y->data + p * y->ld + j);
            f32x16 g = v_take(dy->data + p * dy->ld + j, c - j);
            if (y)
                g = kernel_slope_of_result(act, v_take(y->data + p * y->ld + j, c - j), g);
            if (dx->add)
                g = v_add(v_take(dx->add + p * dx->add_ld + j, c - j), g);
            v_put_past(dx->data + p * dx->ld + j, g, c - j, stream);
        }
    if (stream)
        v_stream_end();
}

static void channel_act_gradient(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x, tx_act act, size_t first,
                                 size_t pixels, int stream)
{
    size_t c = (size_t)dy->c;
    for (size_t p = first; p < first + pixels; p++) {
        const float *gate = channel_gate_at(x, p);
        for (size_t j = 0; j < c; j += 16) {
            channel_soon(dy->data + p * dy->ld + j);
            channel_soon(x->data + p * x->ld + j);
            f32x16 z = channel_gated(channel_view(x, x->data + p * x->ld, j, c - j), gate, j, c - j);
            f32x16 g = kernel_slope(act, z, v_take(dy->data + p * dy->ld + j, c - j));
            if (dx->add)
                g = v_add(v_take(dx->add + p * dx->add_ld + j, c - j), g);
            v_put_past(dx->data + p * dx->ld + j, g, c - j, stream);
        }
    }
    if (stream)
        v_stream_end();
}

/* Sums over pixels go through memory in stretches of a few rows: within one, a column of channels at a time keeps its
 * sums in registers, and between them the sums wait in the result. So memory is read almost in its order, which the
 * processor foresees, and each channel is still one chain. */
enum { CHANNEL_ROWS = 8 };

TX_INLINE size_t channel_stretch(size_t p, size_t pixels)
{
    return pixels - p < CHANNEL_ROWS ? pixels - p : CHANNEL_ROWS;
}

/* Rows that will be read soon, c channels of each: asked for a line at a time in the order in which they stand in memory,
 * as the processor foresees that order alone. */
typedef struct channel_ahead {
    uintptr_t p;
    size_t line, lines; /* at, and in, a row */
    uintptr_t gap;      /* bytes from the end of its last line to the next row; may wrap */
} channel_ahead;

enum { CHANNEL_LINE = 64 };

TX_INLINE channel_ahead channel_ahead_of(uintptr_t start, size_t ld, size_t c)
{
    size_t lines = (c * sizeof(float) + CHANNEL_LINE - 1) / CHANNEL_LINE;
    return (channel_ahead){start, 0, lines, ld * sizeof(float) - lines * CHANNEL_LINE};
}

TX_INLINE void channel_ask(channel_ahead *a)
{
    TX_PREFETCH(a->p);
    a->p += CHANNEL_LINE;
    if (++a->line < a->lines)
        return;
    a->line = 0;
    a->p += a->gap;
}

/* sum[0..c) = 0 */
TX_INLINE void channel_clear(float *sum, size_t c)
{
    for (size_t j = 0; j < c; j += 16)
        v_put(sum + j, v_zero(), c - j);
}

/* sum += x over the rows of a stretch: sixteen (n) channels, or 64, where four chains hide an addition's latency. `asks`, a
 * constant: lines that a row asks for. */
TX_INLINE void channel_add_narrow(const float *x, size_t ld, size_t rows, size_t n, float *sum, int asks,
                                  channel_ahead *ahead)
{
    f32x16 a = v_take(sum, n);
    for (size_t i = 0; i < rows; i++, x += ld) {
        for (int k = 0; k < asks; k++)
            channel_ask(ahead);
        a = v_add(a, v_take(x, n));
    }
    v_put(sum, a, n);
}

TX_INLINE void channel_add_wide(const float *x, size_t ld, size_t rows, float *sum, int asks, channel_ahead *ahead)
{
    f32x16 a = v_load(sum), b = v_load(sum + 16), c = v_load(sum + 32), d = v_load(sum + 48);
    for (size_t i = 0; i < rows; i++, x += ld) {
        for (int k = 0; k < asks; k++)
            channel_ask(ahead);
        a = v_add(a, v_load(x));
        b = v_add(b, v_load(x + 16));
        c = v_add(c, v_load(x + 32));
        d = v_add(d, v_load(x + 48));
    }
    v_store(sum, a);
    v_store(sum + 16, b);
    v_store(sum + 32, c);
    v_store(sum + 48, d);
}

/* Values as they stand: the next rows of the slice are asked for, about a page ahead. */
static void channel_total_plain(const float *x, size_t ld, size_t pixels, size_t c, float *sum)
{
    channel_ahead ahead = channel_ahead_of(tile_address(x, (CHANNEL_SOON + c - 1) / c * ld), ld, c);
    channel_clear(sum, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS, x += CHANNEL_ROWS * ld) {
        size_t k = 0, rows = channel_stretch(p, pixels);
        for (; k + 64 <= c; k += 64)
            channel_add_wide(x + k, ld, rows, sum + k, 4, &ahead);
        for (; k < c; k += 16)
            channel_add_narrow(x + k, ld, rows, c - k, sum + k, 1, &ahead);
    }
}

TX_INLINE void channel_total_as(int simple, const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c,
                                float *sum)
{
    channel_clear(sum, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS) {
        const float *start = x->data + (first + p) * x->ld, *gate[CHANNEL_ROWS];
        size_t rows = channel_stretch(p, pixels);
        for (size_t i = 0; i < rows && !simple; i++)
            gate[i] = channel_gate_at(x, first + p + i);
        for (size_t k = 0; k < c; k += 16) {
            const float *row = start;
            f32x16 a = v_take(sum + k, c - k);
            for (size_t i = 0; i < rows; i++, row += x->ld) {
                f32x16 value = channel_view_as(simple, x, row, channel + k, c - k);
                a = v_add(a, simple ? value : channel_gated(value, gate[i], channel + k, c - k));
            }
            v_put(sum + k, a, c - k);
        }
    }
}

static void channel_total(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *sum)
{
    if (!view_changes(x))
        channel_total_plain(x->data + first * x->ld + channel, x->ld, pixels, c, sum);
    else if (view_simple(x))
        channel_total_as(1, x, first, pixels, channel, c, sum);
    else
        channel_total_as(0, x, first, pixels, channel, c, sum);
}

/* r += x - m and s += (x - m)^2 over the rows of a stretch: sixteen (n) channels, or 32. */
TX_INLINE void channel_square_narrow(const float *x, size_t ld, size_t rows, size_t n, const float *m, float *r,
                                     float *s, channel_ahead *ahead)
{
    f32x16 mean = v_take(m, n), rest = v_take(r, n), square = v_take(s, n);
    for (size_t i = 0; i < rows; i++, x += ld) {
        f32x16 d = v_sub(v_take(x, n), mean);
        channel_ask(ahead);
        rest = v_add(rest, d);
        square = v_fma(d, d, square);
    }
    v_put(r, rest, n);
    v_put(s, square, n);
}

TX_INLINE void channel_square_wide(const float *x, size_t ld, size_t rows, const float *m, float *r, float *s,
                                   channel_ahead *ahead)
{
    f32x16 mean0 = v_load(m), mean1 = v_load(m + 16), rest0 = v_load(r), rest1 = v_load(r + 16);
    f32x16 square0 = v_load(s), square1 = v_load(s + 16);
    for (size_t i = 0; i < rows; i++, x += ld) {
        f32x16 d0 = v_sub(v_load(x), mean0), d1 = v_sub(v_load(x + 16), mean1);
        channel_ask(ahead);
        rest0 = v_add(rest0, d0);
        rest1 = v_add(rest1, d1);
        square0 = v_fma(d0, d0, square0);
        square1 = v_fma(d1, d1, square1);
    }
    v_store(r, rest0);
    v_store(r + 16, rest1);
    v_store(s, square0);
    v_store(s + 16, square1);
}

/* The second pass finds in cache what the first has read, and asks for what the next call will read. */
static void channel_moments(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *m, float *r,
                            float *s, const float *next)
{
    const float *start = x->data + first * x->ld + channel;
    channel_ahead ahead = channel_ahead_of((uintptr_t)next, x->ld, c);
    channel_clear(m, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS) {
        size_t k = 0, rows = channel_stretch(p, pixels);
        for (; k + 64 <= c; k += 64)
            channel_add_wide(start + p * x->ld + k, x->ld, rows, m + k, 2, &ahead);
        for (; k < c; k += 16)
            channel_add_narrow(start + p * x->ld + k, x->ld, rows, c - k, m + k, 0, &ahead);
    }
    for (size_t k = 0; k < c; k += 16)
        v_put(m + k, v_div(v_take(m + k, c - k), v_set1((float)pixels)), c - k);
    channel_clear(r, c);
    channel_clear(s, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS) {
        size_t k = 0, rows = channel_stretch(p, pixels);
        for (; k + 32 <= c; k += 32)
            channel_square_wide(start + p * x->ld + k, x->ld, rows, m + k, r + k, s + k, &ahead);
        for (; k < c; k += 16)
            channel_square_narrow(start + p * x->ld + k, x->ld, rows, c - k, m + k, r + k, s + k, &ahead);
    }
}

/* Moments of pixels that are still in the cache: `vecs` columns of 16 channels, a constant, stay in registers over all of
 * them; of one column n channels exist. Meanwhile the memory at `next`, where the next pixels will be written, is fetched. */
TX_INLINE void channel_moments_block(int vecs, const float *x, size_t ld, size_t pixels, size_t n, uintptr_t next,
                                     float *m, float *r, float *s)
{
    f32x16 mean[2 * TILE_V], rest[2 * TILE_V], square[2 * TILE_V];
    const float *row = x;
    TILE_UNROLL
    for (int j = 0; j < vecs; j++)
        mean[j] = rest[j] = square[j] = v_zero();
    for (size_t i = 0; i < pixels; i++, row += ld, next += ld * sizeof *row) {
        TILE_UNROLL
        for (int j = 0; j < vecs; j++) {
            mean[j] = v_add(mean[j], vecs == 1 ? v_take(row, n) : v_load(row + 16 * j));
            TX_PREFETCH_WRITE((void *)(next + (uintptr_t)j * CHANNEL_LINE));
        }
    }
    TILE_UNROLL
    for (int j = 0; j < vecs; j++)
        mean[j] = v_div(mean[j], v_set1((float)pixels));
    row = x;
    for (size_t i = 0; i < pixels; i++, row += ld) {
        TILE_UNROLL
        for (int j = 0; j < vecs; j++) {
            f32x16 d = v_sub(vecs == 1 ? v_take(row, n) : v_load(row + 16 * j), mean[j]);
            rest[j] = v_add(rest[j], d);
            square[j] = v_fma(d, d, square[j]);
        }
    }
    TILE_UNROLL
    for (int j = 0; j < vecs; j++) {
        v_put(m + 16 * j, mean[j], vecs == 1 ? n : 16);
        v_put(r + 16 * j, rest[j], vecs == 1 ? n : 16);
        v_put(s + 16 * j, square[j], vecs == 1 ? n : 16);
    }
}

static void channel_written_moments(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *m,
                                    float *r, float *s, int follow)
{
    const float *start = x->data + first * x->ld + channel;
    size_t wide = 2 * TILE_V * 16, ahead = follow ? pixels * x->ld : 0, k = 0;
    for (; k + wide <= c; k += wide)
        channel_moments_block(2 * TILE_V, start + k, x->ld, pixels, wide, tile_address(start, k + ahead), m + k, r + k,
                              s + k);
    for (; k < c; k += 16)
        channel_moments_block(1, start + k, x->ld, pixels, c - k, tile_address(start, k + ahead), m + k, r + k, s + k);
}

/* The gradient of what x's activation is applied to; act is x->act, mostly as a constant. */
TX_INLINE f32x16 channel_slope(tx_act act, f32x16 data, f32x16 g, f32x16 scale, f32x16 shift)
{
    return act == TX_ACT_NONE ? g : kernel_slope(act, v_fma(scale, data, shift), g);
}

/* a += g and b += g (x - mean) over the rows of a stretch: sixteen (n) channels from j on. */
TX_INLINE void channel_bn_narrow(tx_act act, const tx_view *x, const float *mean, const float *data, const float *dy,
                                 size_t dy_ld, size_t rows, size_t j, size_t n, float *a, float *b,
                                 channel_ahead ahead[2])
{
    f32x16 scale = v_take(x->scale + j, n), shift = v_take(x->shift + j, n);
    f32x16 centre = v_take(mean + j, n), sum = v_take(a, n), moment = v_take(b, n);
    for (size_t i = 0; i < rows; i++, data += x->ld, dy += dy_ld) {
        f32x16 value = v_take(data, n);
        channel_ask(&ahead[0]);
        channel_ask(&ahead[1]);
        f32x16 g = channel_slope(act, value, v_take(dy, n), scale, shift);
        sum = v_add(sum, g);
        moment = v_fma(g, v_sub(value, centre), moment);
    }
    v_put(a, sum, n);
    v_put(b, moment, n);
}

/* The same for 32 channels: two lines of memory a row at once. */
TX_INLINE void channel_bn_wide(tx_act act, const tx_view *x, const float *mean, const float *data, const float *dy,
                               size_t dy_ld, size_t rows, size_t j, float *a, float *b, channel_ahead ahead[2])
{
    f32x16 scale0 = v_load(x->scale + j), shift0 = v_load(x->shift + j), centre0 = v_load(mean + j);
    f32x16 scale1 = v_load(x->scale + j + 16), shift1 = v_load(x->shift + j + 16), centre1 = v_load(mean + j + 16);
    f32x16 sum0 = v_load(a), sum1 = v_load(a + 16), moment0 = v_load(b), moment1 = v_load(b + 16);
    for (size_t i = 0; i < rows; i++, data += x->ld, dy += dy_ld) {
        f32x16 value0 = v_load(data), value1 = v_load(data + 16);
        for (int line = 0; line < 4; line++)
            channel_ask(&ahead[line % 2]);
        f32x16 g0 = channel_slope(act, value0, v_load(dy), scale0, shift0);
        f32x16 g1 = channel_slope(act, value1, v_load(dy + 16), scale1, shift1);
        sum0 = v_add(sum0, g0);
        sum1 = v_add(sum1, g1);
        moment0 = v_fma(g0, v_sub(value0, centre0), moment0);
        moment1 = v_fma(g1, v_sub(value1, centre1), moment1);
    }
    v_store(a, sum0);
    v_store(a + 16, sum1);
    v_store(b, moment0);
    v_store(b + 16, moment1);
}

TX_INLINE void channel_bn_reduce_as(tx_act act, const tx_view *x, const float *mean, const tx_tensor *dy, size_t first,
                                    size_t pixels, size_t channel, size_t c, float *a, float *b)
{
    channel_clear(a, c);
    channel_clear(b, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS) {
        const float *data = x->data + (first + p) * x->ld + channel, *g = dy->data + (first + p) * dy->ld + channel;
        size_t k = 0, rows = channel_stretch(p, pixels);
        channel_ahead ahead[2] = {channel_ahead_of(tile_address(data, CHANNEL_ROWS * x->ld), x->ld, c),
                                  channel_ahead_of(tile_address(g, CHANNEL_ROWS * dy->ld), dy->ld, c)};
        for (; k + 32 <= c; k += 32)
            channel_bn_wide(act, x, mean, data + k, g + k, dy->ld, rows, channel + k, a + k, b + k, ahead);
        for (; k < c; k += 16)
            channel_bn_narrow(act, x, mean, data + k, g + k, dy->ld, rows, channel + k, c - k, a + k, b + k, ahead);
    }
}

/* Calls body(act, ...) with the activation as a constant where it is one of the frequent ones. */
#define CHANNEL_BY_ACT(act, body, ...)   \
    switch (act) {                       \
    case TX_ACT_NONE:                    \
        body(TX_ACT_NONE, __VA_ARGS__);  \
        break;                           \
    case TX_ACT_RELU:                    \
        body(TX_ACT_RELU, __VA_ARGS__);  \
        break;                           \
    case TX_ACT_RELU6:                   \
        body(TX_ACT_RELU6, __VA_ARGS__); \
        break;                           \
    case TX_ACT_SILU:                    \
        body(TX_ACT_SILU, __VA_ARGS__);  \
        break;                           \
    default:                             \
        body(act, __VA_ARGS__);          \
        break;                           \
    }

static void channel_bn_reduce(const tx_view *x, const float *mean, const tx_tensor *dy, size_t first, size_t pixels,
                              size_t channel, size_t c, float *a, float *b){
    CHANNEL_BY_ACT(x->act, channel_bn_reduce_as, x, mean, dy, first, pixels, channel, c, a, b)}

TX_INLINE void channel_bn_apply_as(tx_act act, const tx_gradient *dx, const tx_view *x, const float *mean,
                                   const tx_tensor *dy, const float *mean_g, const float *slope, size_t first,
                                   size_t pixels, int stream)
{
    size_t c = (size_t)x->c;
    for (size_t p = first; p < first + pixels; p++)
        for (size_t j = 0; j < c; j += 16) {
            size_t n = c - j;
            channel_soon(x->data + p * x->ld + j);
            channel_soon(dy->data + p * dy->ld + j);
            f32x16 data = v_take(x->data + p * x->ld + j, n), g = v_take(dy->data + p * dy->ld + j, n);
            f32x16 scale = v_take(x->scale + j, n);
            g = channel_slope(act, data, g, scale, v_take(x->shift + j, n));
            f32x16 away = v_sub(data, v_take(mean + j, n));
            g = v_fnma(away, v_take(slope + j, n), v_sub(g, v_take(mean_g + j, n)));
            g = dx->add ? v_fma(scale, g, v_take(dx->add + p * dx->add_ld + j, n)) : v_mul(scale, g);
            v_put_past(dx->data + p * dx->ld + j, g, n, stream);
        }
    if (stream)
        v_stream_end();
}

static void channel_bn_apply(const tx_gradient *dx, const tx_view *x, const float *mean, const tx_tensor *dy,
                             const float *mean_g, const float *slope, size_t first, size_t pixels, int stream){
    CHANNEL_BY_ACT(x->act, channel_bn_apply_as, dx, x, mean, dy, mean_g, slope, first, pixels, stream)}

/* One row of a stretch, sixteen (n) channels: dx = add + dy gate. */
TX_INLINE
    void channel_put_gated(const tx_gradient *dx, size_t pixel, size_t j, f32x16 dy, f32x16 gate, size_t n, int stream)
{
    f32x16 g = v_mul(dy, gate);
    if (dx->add)
        g = v_add(v_take(dx->add + pixel * dx->add_ld + j, n), g);
    v_put_past(dx->data + pixel * dx->ld + j, g, n, stream);
}

/* All pixels are of one image. */
static void channel_gate_gradient(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x, size_t first,
                                  size_t pixels, size_t channel, size_t c, float *sum, int stream)
{
    const float *gates = channel_gate_at(x, first) + channel;
    channel_clear(sum, c);
    for (size_t p = 0; p < pixels; p += CHANNEL_ROWS) {
        size_t rows = channel_stretch(p, pixels);
        for (size_t k = 0; k < c; k += 16) {
            size_t n = c - k, pixel = first + p, j = channel + k;
            f32x16 a = v_take(sum + k, n), gate = v_take(gates + k, n);
            for (size_t i = 0; i < rows; i++, pixel++) {
                f32x16 g = v_take(dy->data + pixel * dy->ld + j, n);
                a = v_fma(g, channel_view(x, x->data + pixel * x->ld, j, n), a);
                if (dx)
                    channel_put_gated(dx, pixel, j, g, gate, n, stream);
            }
            v_put(sum + k, a, n);
        }
    }
    if (stream)
        v_stream_end();
}

/* First and last+1 tap of the window at output o that lie within a side of n pixels. */
TX_INLINE void channel_taps(int o, int stride, int before, int kernel, int n, int *first, int *end)
{
    int start = o * stride - before;
    *first = start < 0 ? -start : 0;
    *end = n - start < kernel ? n - start : kernel;
}

/* Pixels of a side that windows reach: without those that a negative padding behind them crops. */
TX_INLINE int channel_side(int n, int after)
{
    return after < 0 ? n + after : n;
}

TX_INLINE void channel_put_bytes(unsigned char *to, i32x16 a, size_t n)
{
    unsigned char all[16];
    if (n >= 16) {
        i_store_bytes(to, a);
        return;
    }
    i_store_bytes(all, a);
    memcpy(to, all, n);
}

/* Taps along one side that an average divides by: those on the map, or with the padding. */
TX_INLINE int channel_counted(int o, int n, const tx_window *window, int before, int after)
{
    int start = o * window->stride - before, end = start + window->kernel, last = channel_side(n, after);
    if (window->counts_padding)
        return (end < n + after ? end : n + after) - start;
    return (end < last ? end : last) - (start > 0 ? start : 0);
}

/* Taps that the average of window (oy,ox) divides by. */
TX_INLINE int channel_count(const tx_view *x, const tx_window *window, int oy, int ox)
{
    int rows = channel_counted(oy, x->h, window, window->top, window->bottom);
    return rows * channel_counted(ox, x->w, window, window->left, window->right);
}

/* Taps of a window that lie on the map, the first of them at `corner`; a pool of windows `fresh` apart has read the others. */
typedef struct channel_box {
    int ky0, ky1, kx0, kx1, kernel, fresh;
    const float *corner;
    size_t below; /* from a tap to what the next row of windows reads first of its column */
} channel_box;

/* Sixteen (n) channels of one window: the largest value, and the tap where it stands, or the sum. */
TX_INLINE f32x16 channel_window(int largest, int simple, const tx_view *x, const float *gate, const channel_box *box,
                                size_t j, size_t n, i32x16 *tap)
{
    f32x16 all = largest ? channel_gated(channel_view_as(simple, x, box->corner, j, n), gate, j, n) : v_zero();
    *tap = i_set1(box->ky0 * box->kernel + box->kx0);
    for (int ky = box->ky0; ky < box->ky1; ky++) {
        const float *pixel = box->corner + (size_t)(ky - box->ky0) * (size_t)x->w * x->ld;
        for (int kx = box->kx0; kx < box->kx1; kx++, pixel += x->ld) {
            if (ky >= box->fresh && kx >= box->fresh) {
                TX_PREFETCH(tile_address(pixel, box->below + j));
                TX_PREFETCH(tile_address(pixel, box->below + (size_t)x->c - 1));
            }
            f32x16 z = channel_gated(channel_view_as(simple, x, pixel, j, n), gate, j, n);
            if (largest) {
                m16 wins = m_or(v_gt(z, all), m_not(v_eq(z, z))); /* a NaN wins: it must not vanish */
                *tap = i_select(wins, i_set1(ky * box->kernel + kx), *tap);
                all = v_select(wins, z, all);
            } else {
                all = v_add(all, z);
            }
        }
    }
    return all;
}

/* Means of whole windows of 3 x 3 at stride 1, as most averages have them, of whole vectors of channels: the nine taps one
 * after the other. Returns how many channels. */
TX_INLINE size_t channel_means(float *y, const tx_view *x, const channel_box *box, f32x16 share, int stream)
{
    size_t across = (size_t)x->w * x->ld, j = 0;
    for (; j + 16 <= (size_t)x->c; j += 16) {
        f32x16 sum = v_zero();
        TX_PREFETCH(tile_address(box->corner + 2 * across + 2 * x->ld, box->below + j));
        TX_PREFETCH(tile_address(box->corner + 2 * across + 2 * x->ld, box->below + j + 15));
        TILE_UNROLL
        for (int t = 0; t < 9; t++)
            sum = v_add(sum, v_load(box->corner + (size_t)(t / 3) * across + (size_t)(t % 3) * x->ld + j));
        v_put_past(y + j, v_mul(sum, share), 16, stream);
    }
    return j;
}

/* One row of y: of each window the largest value, and where it stood, or the mean. */
TX_INLINE void channel_pool_as(int largest, int simple, const tx_tensor *y, unsigned char *argmax, const tx_view *x,
                               const tx_window *window, int image, int row, int stream)
{
    int k = window->kernel, count = 0, last = 0, plain = !largest && !view_changes(x);
    channel_box box = {.kernel = k, .below = (size_t)window->stride * (size_t)x->w * x->ld};
    channel_taps(row, window->stride, window->top, k, channel_side(x->h, window->bottom), &box.ky0, &box.ky1);
    box.fresh = k - window->stride; /* taps from here on no window before has read: what is below them comes next */
    const float *gate = simple ? NULL : channel_gate(x, (size_t)image);
    size_t c = (size_t)y->c, out = ((size_t)image * (size_t)y->h + (size_t)row) * (size_t)y->w;
    size_t top = (size_t)image * (size_t)x->h + (size_t)(row * window->stride - window->top + box.ky0);
    f32x16 share = v_zero();
    i32x16 tap;
    for (int column = 0; column < y->w; column++, out++) {
        channel_taps(column, window->stride, window->left, k, channel_side(x->w, window->right), &box.kx0, &box.kx1);
        size_t left = (size_t)(column * window->stride - window->left + box.kx0);
        box.corner = x->data + (top * (size_t)x->w + left) * x->ld;
        if (!largest && (count = channel_count(x, window, row, column)) != last)
            share = v_set1(1.0f / (float)count);
        last = count;
        size_t j = 0;
        if (plain && box.ky1 - box.ky0 == 3 && box.kx1 - box.kx0 == 3 && box.fresh == 2)
            j = channel_means(y->data + out * y->ld, x, &box, share, stream);
        for (; j < c; j += 16) {
            size_t n = c - j;
            f32x16 all = n >= 16 ? channel_window(largest, simple, x, gate, &box, j, 16, &tap)
                                 : channel_window(largest, simple, x, gate, &box, j, n, &tap);
            v_put_past(y->data + out * y->ld + j, largest ? all : v_mul(all, share), n, stream);
            if (largest && argmax)
                channel_put_bytes(argmax + out * c + j, tap, n);
        }
    }
    if (stream)
        v_stream_end();
}

static void channel_max_pool(const tx_tensor *y, unsigned char *argmax, const tx_view *x, const tx_window *window,
                             int image, int row, int stream)
{
    if (view_simple(x))
        channel_pool_as(1, 1, y, argmax, x, window, image, row, stream);
    else
        channel_pool_as(1, 0, y, argmax, x, window, image, row, stream);
}

static void channel_avg_pool(const tx_tensor *y, const tx_view *x, const tx_window *window, int image, int row,
                             int stream)
{
    if (view_simple(x))
        channel_pool_as(0, 1, y, NULL, x, window, image, row, stream);
    else
        channel_pool_as(0, 0, y, NULL, x, window, image, row, stream);
}

/* The windows of `outputs` that cover input position i of a side of n; none if it is cropped. */
TX_INLINE void channel_windows(int i, int n, const tx_window *window, int before, int after, int outputs, int *first,
                               int *end)
{
    int place = i + before, reach = place - window->kernel + 1, stride = window->stride;
    *first = reach <= 0 ? 0 : (reach + stride - 1) / stride;
    *end = place / stride + 1 < outputs ? place / stride + 1 : outputs;
    if (place < 0 || i >= channel_side(n, after))
        *end = *first;
}

/* A window over the pixel at hand: where its dy and argmax stand, counted from the first one's, and of it what argmax or an
 * average gives to the pixel. */
typedef struct channel_cover {
    size_t dy, argmax;
    int tap;     /* of the window: the pixel */
    float share; /* of the pixel in the average */
} channel_cover;

/* The windows over a pixel, those of output columns ox0 to ox1 - 1. */
typedef struct channel_covers {
    int covers, oy0, oy1, ox0, ox1;
    int phase;    /* of the pixel in the first of them */
    size_t below; /* where dy of the next row's last one stands */
    int inner;    /* none hangs over the left or the right side, where an average may divide by less */
    channel_cover at[15 * 15];
} channel_covers;

TX_INLINE void channel_find_covers(int largest, const tx_tensor *dy, const tx_view *x, const tx_window *window, int row,
                                   channel_covers *all)
{
    int k = window->kernel, stride = window->stride, last = 0;
    float share = 0;
    channel_cover *at = all->at;
    for (int oy = all->oy0; oy < all->oy1; oy++)
        for (int ox = all->ox0; ox < all->ox1; ox++, at++) {
            size_t away = (size_t)(oy - all->oy0) * (size_t)dy->w + (size_t)(ox - all->ox0);
            at->dy = away * dy->ld;
            at->argmax = away * (size_t)dy->c;
            at->tap = (row + window->top - oy * stride) * k + all->phase - (ox - all->ox0) * stride;
            int count = largest ? 0 : channel_count(x, window, oy, ox);
            if (count != last)
                share = 1.0f / (float)count;
            last = count;
            at->share = share;
        }
    all->covers = (int)(at - all->at);
    all->below = at > all->at ? at[-1].dy + (size_t)dy->w * dy->ld : 0;
}

/* The windows over the next pixel of a row, mostly those over the last one a stride on. */
TX_INLINE void channel_next_covers(int largest, const tx_tensor *dy, const tx_view *x, const tx_window *window, int row,
                                   int column, channel_covers *all)
{
    int k = window->kernel, stride = window->stride, place = column + window->left;
    int side = channel_side(x->w, window->right), width = all->ox1 - all->ox0, phase = all->phase, inner = all->inner;
    while (all->ox1 < dy->w && all->ox1 * stride <= place)
        all->ox1++;
    while (all->ox0 < all->ox1 && all->ox0 * stride + k <= place)
        all->ox0++;
    if (column >= side)
        all->ox0 = all->ox1;
    all->phase = place - all->ox0 * stride;
    all->inner = largest || (all->ox0 * stride >= window->left && (all->ox1 - 1) * stride - window->left + k <= side);
    if (column == 0 || width != all->ox1 - all->ox0 || phase != all->phase || !inner || !all->inner)
        channel_find_covers(largest, dy, x, window, row, all);
}

/* Sixteen (or the n < 16 that are left) bytes as integers. */
TX_INLINE i32x16 channel_bytes(const unsigned char *from, size_t n, const unsigned char *end)
{
    unsigned char some[16] = {0};
    if (n >= 16 || (size_t)(end - from) >= 16)
        return i_load_bytes(from);
    memcpy(some, from, n);
    return i_load_bytes(some);
}

/* Sixteen (n) channels of what the windows give to a pixel. */
TX_INLINE f32x16 channel_given(int largest, const channel_cover *at, int covers, const float *dy,
                               const unsigned char *argmax, const unsigned char *end, size_t n)
{
    f32x16 sum = v_zero();
    for (int i = 0; i < covers; i++)
        if (largest) {
            m16 chosen = i_eq(channel_bytes(argmax + at[i].argmax, n, end), i_set1(at[i].tap));
            sum = v_add(sum, v_select(chosen, v_take(dy + at[i].dy, n), v_zero()));
        } else {
            sum = v_fma(v_take(dy + at[i].dy, n), v_set1(at[i].share), sum);
        }
    return sum;
}

/* One row of dx. */
TX_INLINE void channel_pool_gradient_as(int largest, const tx_gradient *dx, const tx_tensor *dy,
                                        const unsigned char *argmax, const tx_view *x, const tx_window *window,
                                        int image, int row, int stream)
{
    channel_covers all;
    all.covers = all.ox0 = all.ox1 = all.phase = all.inner = 0;
    all.below = 0;
    channel_windows(row, x->h, window, window->top, window->bottom, dy->h, &all.oy0, &all.oy1);
    size_t c = (size_t)dy->c, pixel = ((size_t)image * (size_t)x->h + (size_t)row) * (size_t)x->w;
    const unsigned char *end = largest ? argmax + (size_t)dy->n * (size_t)dy->h * (size_t)dy->w * c : NULL;
    for (int column = 0; column < x->w; column++, pixel++) {
        channel_next_covers(largest, dy, x, window, row, column, &all);
        size_t out =
            all.covers ? ((size_t)image * (size_t)dy->h + (size_t)all.oy0) * (size_t)dy->w + (size_t)all.ox0 : 0;
        const float *first = dy->data + out * dy->ld;
        const unsigned char *chosen = largest ? argmax + out * c : NULL;
        for (size_t j = 0; j < c; j += 16) {
            size_t n = c - j;
            const unsigned char *bytes = largest ? chosen + j : NULL;
            TX_PREFETCH(tile_address(first, all.below + j));
            TX_PREFETCH(tile_address(first, all.below + c - 1));
            f32x16 sum = n >= 16 ? channel_given(largest, all.at, all.covers, first + j, bytes, end, 16)
                                 : channel_given(largest, all.at, all.covers, first + j, bytes, end, n);
            if (dx->add)
                sum = v_add(v_take(dx->add + pixel * dx->add_ld + j, n), sum);
            v_put_past(dx->data + pixel * dx->ld + j, sum, n, stream);
        }
    }
    if (stream)
        v_stream_end();
}

static void channel_max_pool_gradient(const tx_gradient *dx, const tx_tensor *dy, const unsigned char *argmax,
                                      const tx_view *x, const tx_window *window, int image, int row, int stream)
{
    channel_pool_gradient_as(1, dx, dy, argmax, x, window, image, row, stream);
}

static void channel_avg_pool_gradient(const tx_gradient *dx, const tx_tensor *dy, const tx_view *x,
                                      const tx_window *window, int image, int row, int stream)
{
    channel_pool_gradient_as(0, dx, dy, NULL, x, window, image, row, stream);
}

/* What kernels/all.h puts into the table. */
#define CHANNEL_KERNELS                                                                                            \
    {                                                                                                              \
        .sum = channel_sum, .mask = channel_mask, .act_gradient = channel_act_gradient, .total = channel_total,    \
        .moments = channel_moments, .written_moments = channel_written_moments, .normal_sums = channel_bn_reduce,  \
        .normal_gradient = channel_bn_apply, .gate_gradient = channel_gate_gradient, .max_pool = channel_max_pool, \
        .max_pool_gradient = channel_max_pool_gradient, .avg_pool = channel_avg_pool,                              \
        .avg_pool_gradient = channel_avg_pool_gradient                                                             \
    }
