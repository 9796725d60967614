/* kernels/depthwise.h - kernels of depthwise convolution (depthwise.c), written once over f32x16, compiled once per ISA.
 *
 * What is read stands in whole vectors, activated and with zeros around it, sixteen channels after the other: of these the
 * pixels of a row are neighbours, so a block of outputs finds its operands at constant distances, and no loop asks where
 * the map ends. Only what is written has a tail. Lanes never mix. */

/* Outputs of a row that are computed together: as many as keep the multipliers busy or share a load, and fewer for what is
 * left of a row. Rows of them that sweeps take together at most; 0: no sweeps. Taps of a weight's gradient likewise: 9, 25
 * and 49 are sums of this and one less. */
#if defined(TX_SIMD_AVX512)
#define DEPTHWISE_OUTPUTS 8
#define DEPTHWISE_FEWER 5
#define DEPTHWISE_ROWS 2
#define DEPTHWISE_TAPS 9
#elif defined(TX_SIMD_AVX2) || defined(TX_SIMD_NEON)
#define DEPTHWISE_OUTPUTS 4
#define DEPTHWISE_FEWER 3
#define DEPTHWISE_ROWS 1
#define DEPTHWISE_TAPS 5
#else
#define DEPTHWISE_OUTPUTS 4
#define DEPTHWISE_FEWER 3
#define DEPTHWISE_ROWS 0
#define DEPTHWISE_TAPS 5
#endif

/* Up to 21 columns are written out. */
#if defined(__clang__)
#define DEPTHWISE_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define DEPTHWISE_UNROLL _Pragma("GCC unroll 21")
#else
#define DEPTHWISE_UNROLL
#endif

/* Pixels ahead that are asked for while some are loaded: beyond pages the processor does not foresee. */
TX_INLINE size_t depthwise_soon(size_t ld, size_t lanes)
{
    return (CHANNEL_SOON / lanes + 1) * ld;
}

/* `how`, a constant: 0: values as they stand; 1: with scale, shift and a clamp where there are any; 2: all views. */
TX_INLINE void depthwise_load_as(int how, const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c,
                                 float *to, size_t apart)
{
    const float *row = x->data + first * x->ld + channel;
    size_t soon = depthwise_soon(x->ld, c);
    kernel_bounds bounds = kernel_bounds_of(x->act);
    for (size_t p = 0; p < pixels; p++, row += x->ld, to += 16) {
        float *out = to;
        for (size_t k = 0; k < c; k += 16, out += apart) {
            TX_PREFETCH(tile_address(row, soon + k));
            f32x16 z = v_take(row + k, c - k);
            if (how > 0)
                z = channel_affine(x, z, channel + k, c - k);
            v_store(out, how == 0 ? z : how == 1 ? kernel_clamp(bounds, z) : kernel_act(x->act, z));
        }
    }
}

static void depthwise_load(const tx_view *x, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                           size_t apart)
{
    if (!x->scale && x->act == TX_ACT_NONE)
        depthwise_load_as(0, x, first, pixels, channel, c, to, apart);
    else if (kernel_clamps(x->act))
        depthwise_load_as(1, x, first, pixels, channel, c, to, apart);
    else
        depthwise_load_as(2, x, first, pixels, channel, c, to, apart);
}

/* scale (g - mean_g - (x - mean) slope), g = act'(scale x + shift) dy: as tx_channel_bn_apply rounds it */
static void depthwise_load_slope(const tx_slope *dy, size_t first, size_t pixels, size_t channel, size_t c, float *to,
                                 size_t apart)
{
    const tx_view *x = &dy->x;
    const float *g = dy->g.data + first * dy->g.ld + channel, *row = x->data + first * x->ld + channel;
    size_t soon = depthwise_soon(dy->g.ld, c), soon_x = depthwise_soon(x->ld, c);
    for (size_t p = 0; p < pixels; p++, g += dy->g.ld, row += x->ld, to += 16)
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
            v_store(to + k / 16 * apart, a);
        }
}

/* act((scale (sum + bias) + shift) + add) of outputs [i + from, i + outputs), channels j.., of one row or two; those before
 * have been put already. What does not go straight from the sums to its place goes through memory: written out for each
 * output the activations would fill the instruction cache. */
TX_NOINLINE void depthwise_put(const tx_depthwise_row *r, size_t i, size_t from, size_t j, size_t outputs, size_t rows,
                               float *sum)
{
    size_t n = r->c - j;
    kernel_bounds bounds = kernel_bounds_of(r->act);
    for (size_t o = 0; r->add && o < outputs * rows; o++) {
        size_t at = o < outputs ? i + o : r->outputs + i + o - outputs;
        v_store(sum + 16 * o, v_add(v_load(sum + 16 * o), v_take(r->add + at * r->add_ld + j, n)));
    }
    if (!kernel_clamps(r->act))
        view_act(r->act, sum, 0, 1, 16 * outputs * rows);
    for (size_t row = 0; row < rows; row++, sum += 16 * outputs) {
        float *y = r->y + (row * r->outputs + i) * r->ld + j;
        for (size_t o = from; o < outputs; o++)
            v_put_past(y + o * r->ld, kernel_clamp(bounds, v_load(sum + 16 * o)), n, r->stream);
    }
}

TX_INLINE void depthwise_finish(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs, int rows,
                                f32x16 sum[2][DEPTHWISE_OUTPUTS])
{
    size_t n = r->c - j;
    float all[2 * 16 * DEPTHWISE_OUTPUTS];
    int direct = !r->add && kernel_clamps(r->act) && n >= 16;
    kernel_bounds bounds = kernel_bounds_of(r->act);
    TILE_UNROLL
    for (int row = 0; row < rows; row++) {
        float *y = r->y + ((size_t)row * r->outputs + i) * r->ld + j;
        if (r->bias) {
            f32x16 bias = v_take(r->bias + j, n);
            TILE_UNROLL
            for (int o = 0; o < outputs; o++)
                sum[row][o] = v_add(sum[row][o], bias);
        }
        if (r->scale) {
            f32x16 scale = v_take(r->scale + j, n), shift = v_take(r->shift + j, n);
            TILE_UNROLL
            for (int o = 0; o < outputs; o++)
                sum[row][o] = v_fma(scale, sum[row][o], shift);
        }
        TILE_UNROLL
        for (int o = 0; o < outputs; o++)
            if (direct)
                v_put_past(y + (size_t)o * r->ld, kernel_clamp(bounds, sum[row][o]), 16, r->stream);
            else
                v_store(all + 16 * (row * outputs + o), sum[row][o]);
    }
    if (!direct)
        depthwise_put(r, i, from, j, (size_t)outputs, (size_t)rows, all);
}

/* The chains of some outputs, of a number that is constant where this is inlined; taps lie anyhow. */
TX_INLINE void depthwise_outputs(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs)
{
    f32x16 sum[2][DEPTHWISE_OUTPUTS];
    size_t apart = i * r->step + j / 16 * r->apart, w_apart = j / 16 * r->w_apart;
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        sum[0][o] = v_zero();
    for (int t = 0; t < r->taps; t++) {
        f32x16 w = v_load(r->w[t] + w_apart);
        const float *x = r->at[t] + apart;
        TILE_UNROLL
        for (int o = 0; o < outputs; o++, x += r->step)
            sum[0][o] = v_fma(w, v_load(x), sum[0][o]);
    }
    depthwise_finish(r, i, from, j, outputs, 1, sum);
}

/* Blocks of outputs; the last of a row may begin within the one before it. */
TX_INLINE void depthwise_any(const tx_depthwise_row *r)
{
    const size_t more = DEPTHWISE_OUTPUTS, fewer = DEPTHWISE_FEWER;
    for (size_t j = 0; j < r->c; j += 16)
        for (size_t i = 0, n = r->outputs, back; i < n;) {
            size_t left = n - i;
            if (n >= more && (left > 2 * fewer || (left > fewer && left <= more))) {
                back = left < more ? more - left : 0;
                depthwise_outputs(r, i - back, back, j, DEPTHWISE_OUTPUTS);
                i += more - back;
            } else if (n >= fewer) {
                back = left < fewer ? fewer - left : 0;
                depthwise_outputs(r, i - back, back, j, DEPTHWISE_FEWER);
                i += fewer - back;
            } else {
                depthwise_outputs(r, i, 0, j, 1);
                i++;
            }
        }
}

#if DEPTHWISE_ROWS
/* A row of x, or of dy: its column 0, and how far its columns lie apart. */
typedef struct depthwise_line {
    const float *row;
    ptrdiff_t step;
    long first, width; /* the first column that is wanted; columns outside of [0,width) are zeros */
} depthwise_line;

static const float depthwise_zeros[16];

/* One row of x, or of dy, meets the outputs of one or two rows: with weights w those of the first, with below those of the
 * second, either of which may be NULL where this is inlined. `stride` columns lie from one output to the next; -1: taps run
 * against the columns. Every column is loaded once and meets all the outputs that it is an operand of. Only of the first and
 * the last `edge` may some be outside. */
TX_INLINE void depthwise_meet(depthwise_line x, const float *w, const float *below, int outputs, int across, int stride,
                              f32x16 sum[2][DEPTHWISE_OUTPUTS])
{
    f32x16 a[7], b[7];
    int edge = stride < 0 ? 0 : across / 2;
    int columns = stride < 0 ? outputs + across - 1 : (outputs - 1) * stride + across;
    const float *next = x.row + (x.first + edge) * x.step;
    TILE_UNROLL
    for (int k = 0; k < across; k++) {
        a[k] = w ? v_load(w + 16 * k) : v_zero();
        b[k] = below ? v_load(below + 16 * k) : v_zero();
    }
    DEPTHWISE_UNROLL
    for (int m = 0; m < columns; m++) {
        const float *here = next;
        if (m < edge)
            here = x.first + m < 0 ? depthwise_zeros : x.row + (x.first + m) * x.step;
        else if (m < columns - edge)
            next += x.step;
        else
            here = x.first + m >= x.width ? depthwise_zeros : x.row + (x.first + m) * x.step;
        f32x16 value = v_load(here);
        TILE_UNROLL
        for (int o = 0; o < outputs; o++) {
            int k = stride < 0 ? m - (outputs - 1 - o) : m - o * stride;
            if (k >= 0 && k < across && w)
                sum[0][o] = v_fma(a[k], value, sum[0][o]);
            if (k >= 0 && k < across && below)
                sum[1][o] = v_fma(b[k], value, sum[1][o]);
        }
    }
}

/* The row of x that taps t.. meet, from where output i does. */
TX_INLINE depthwise_line depthwise_line_of(const tx_depthwise_row *r, int t, size_t i, size_t j, int outputs,
                                           int stride)
{
    const float *row = r->at[t];
    if (!r->direct) {
        row += j / 16 * r->apart + i * r->step + (stride < 0 ? 16 * (size_t)(outputs - 1) : 0);
        return (depthwise_line){row, stride < 0 ? -16 : 16, 0, INT32_MAX};
    }
    long first = r->first + (long)i * stride;
    if (!row)
        return (depthwise_line){depthwise_zeros, 0, first, r->width};
    return (depthwise_line){row + j, (ptrdiff_t)r->step, first, r->width};
}

/* Some outputs of one or two rows, the taps in rows of `across`; all but places are constants. */
TX_INLINE void depthwise_sweep(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs, int rows,
                               int across, int stride)
{
    f32x16 sum[2][DEPTHWISE_OUTPUTS];
    const float *w = r->w[0] + j / 16 * r->w_apart, *below = w;
    int line = 16 * across, high = r->taps / across, down = rows == 2 ? r->down : 0, t = 0;
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        sum[0][o] = sum[1][o] = v_zero();
    for (; rows == 2 && t < down; t++, w += line)
        depthwise_meet(depthwise_line_of(r, t * across, i, j, outputs, stride), w, NULL, outputs, across, stride, sum);
    for (; rows == 2 && t < high; t++, w += line, below += line)
        depthwise_meet(depthwise_line_of(r, t * across, i, j, outputs, stride), w, below, outputs, across, stride, sum);
    for (; rows == 2 && t < high + down; t++, below += line)
        depthwise_meet(depthwise_line_of(r, (t - down + high) * across, i, j, outputs, stride), NULL, below, outputs,
                       across, stride, sum);
    for (; rows == 1 && t < high; t++, w += line)
        depthwise_meet(depthwise_line_of(r, t * across, i, j, outputs, stride), w, NULL, outputs, across, stride, sum);
    depthwise_finish(r, i, from, j, outputs, rows, sum);
}

/* How far memory has been asked for. */
typedef struct depthwise_ahead {
    const float *row;
    size_t k, pixels, lines; /* lines: at a time */
} depthwise_ahead;

TX_INLINE void depthwise_ask(depthwise_ahead *a, size_t c, size_t ld)
{
    for (size_t lines = a->lines; lines > 0 && a->pixels > 0;) {
        size_t here = (c - a->k + 15) / 16, n = here < lines ? here : lines;
        const float *p = a->row + a->k;
        for (size_t i = 0; i < n; i++)
            TX_PREFETCH_SECOND(p + 16 * i);
        lines -= n;
        a->k += 16 * n;
        if (n == here) {
            a->k = 0;
            a->row += ld;
            a->pixels--;
        }
    }
}

/* depthwise_any with sweeps. */
TX_INLINE void depthwise_swept(const tx_depthwise_row *r, int rows, int across, int stride)
{
    const size_t more = DEPTHWISE_OUTPUTS, fewer = DEPTHWISE_FEWER;
    depthwise_ahead ahead = {r->ahead, 0, r->ahead_pixels, r->ahead_pixels * DEPTHWISE_OUTPUTS / r->outputs + 1};
    for (size_t j = 0; j < r->c; j += 16)
        for (size_t i = 0, n = r->outputs, back; i < n;) {
            size_t left = n - i;
            depthwise_ask(&ahead, r->c, r->ahead_ld);
            if (n >= more && (left > 2 * fewer || (left > fewer && left <= more))) {
                back = left < more ? more - left : 0;
                depthwise_sweep(r, i - back, back, j, DEPTHWISE_OUTPUTS, rows, across, stride);
                i += more - back;
            } else if (n >= fewer) {
                back = left < fewer ? fewer - left : 0;
                depthwise_sweep(r, i - back, back, j, DEPTHWISE_FEWER, rows, across, stride);
                i += fewer - back;
            } else {
                depthwise_sweep(r, i, 0, j, 1, rows, across, stride);
                i++;
            }
        }
}

/* How the taps lie, as one number: what there is a sweep for, else 0. */
TX_INLINE int depthwise_form(const tx_depthwise_row *r)
{
    int stride = r->direct ? r->stride : r->step == 16 ? 1 : r->step == 32 ? 2 : 0;
    if (r->direct || r->between == 16)
        return 10 * r->across + stride;
    return r->between == -16 ? 10 * r->across - stride : 0;
}
#else
TX_INLINE int depthwise_form(const tx_depthwise_row *r)
{
    (void)r;
    return 0;
}
#endif

static int depthwise_sweeps(int across, int stride)
{
    int known = (across == 3 || across == 5 || across == 7) && (stride == 1 || stride == 2);
    return known ? DEPTHWISE_ROWS : 0;
}

#define DEPTHWISE_FORM(across, stride)             \
    case 10 * across + stride:                     \
        if (DEPTHWISE_ROWS == 2 && r->rows == 2)   \
            depthwise_swept(r, 2, across, stride); \
        else                                       \
            depthwise_swept(r, 1, across, stride); \
        break

static void depthwise_row(const tx_depthwise_row *r)
{
    switch (depthwise_form(r)) {
#if DEPTHWISE_ROWS
        DEPTHWISE_FORM(3, 1);
        DEPTHWISE_FORM(3, 2);
        DEPTHWISE_FORM(5, 1);
        DEPTHWISE_FORM(5, 2);
        DEPTHWISE_FORM(7, 1);
        DEPTHWISE_FORM(7, 2);
    case 29:
        depthwise_swept(r, 1, 3, -1);
        break;
    case 49:
        depthwise_swept(r, 1, 5, -1);
        break;
#endif
    default:
        depthwise_any(r);
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
    for (size_t i = 0, p = 0; i < outputs; i++, p += step, g += 16) {
        f32x16 slope = v_load(g);
        TILE_UNROLL
        for (int t = 0; t < taps; t++)
            a[t] = v_fma(slope, v_load(x[t] + p), a[t]);
    }
    TILE_UNROLL
    for (int t = 0; t < taps; t++)
        v_store(sum + (size_t)t * lanes, a[t]);
}

TX_INLINE void depthwise_ones(const float *g, size_t apart, size_t outputs, size_t lanes, float *ones)
{
    for (size_t j = 0; j < lanes; j += 16, g += apart) {
        f32x16 a = v_load(ones + j);
        for (size_t i = 0; i < outputs; i++)
            a = v_add(a, v_load(g + 16 * i));
        v_store(ones + j, a);
    }
}

/* Stretches of so many outputs: what they read is still near when the next sixteen channels are taken. */
enum { DEPTHWISE_STRETCH = 16 };

static void depthwise_weight(int taps, const float *const *at, size_t step, size_t apart, const float *g,
                             size_t g_apart, size_t outputs, size_t lanes, float *sum, float *ones)
{
    for (size_t i = 0; i < outputs; i += DEPTHWISE_STRETCH) {
        size_t n = outputs - i < DEPTHWISE_STRETCH ? outputs - i : DEPTHWISE_STRETCH;
        const float *slope = g + 16 * i;
        if (ones)
            depthwise_ones(slope, g_apart, n, lanes, ones);
        for (size_t j = 0; j < lanes; j += 16, slope += g_apart) {
            int t = 0;
            size_t from = i * step + j / 16 * apart;
            float *to = sum + j;
            for (; (taps - t) % (DEPTHWISE_TAPS - 1) != 0 && t + DEPTHWISE_TAPS <= taps;
                 t += DEPTHWISE_TAPS, to += DEPTHWISE_TAPS * lanes)
                depthwise_taps(DEPTHWISE_TAPS, at + t, from, step, slope, n, lanes, to);
            for (; t + DEPTHWISE_TAPS - 1 <= taps; t += DEPTHWISE_TAPS - 1, to += (DEPTHWISE_TAPS - 1) * lanes)
                depthwise_taps(DEPTHWISE_TAPS - 1, at + t, from, step, slope, n, lanes, to);
            for (; t < taps; t++, to += lanes)
                depthwise_taps(1, at + t, from, step, slope, n, lanes, to);
        }
    }
}

/* What kernels/all.h puts into the table. */
#define DEPTHWISE_KERNELS                                                                                             \
    {                                                                                                                 \
        .sweeps = depthwise_sweeps, .load = depthwise_load, .load_slope = depthwise_load_slope, .row = depthwise_row, \
        .weight = depthwise_weight,                                                                                   \
    }
