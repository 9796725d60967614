/* kernels/depthwise.h - kernels of depthwise convolution (depthwise.c), written once over f32x16, compiled once per ISA.
 *
 * What is read stands in whole vectors, activated and with zeros around it, sixteen channels after the other: of these the
 * pixels of a row are neighbours, so a block of outputs finds its operands at constant distances, and no loop asks where
 * the map ends. Or it is read where x stands, and columns outside of the map are a vector of zeros. Only what is written has
 * a tail. Lanes never mix. */

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

TX_INLINE void depthwise_put_as(tx_act act, const tx_depthwise_row *r, size_t i, size_t from, size_t j, size_t outputs,
                                size_t rows, const float *sum)
{
    size_t n = r->c - j, ld = r->ld, add_ld = r->add_ld;
    int stream = r->stream;
    for (size_t row = 0; row < rows; row++, sum += 16 * outputs) {
        size_t first = row * r->outputs + i;
        float *y = r->y + first * ld + j;
        const float *add = r->add ? r->add + first * add_ld + j : NULL;
        for (size_t o = from; o < outputs; o++) {
            f32x16 z = v_load(sum + 16 * o);
            if (add)
                z = v_add(z, v_take(add + o * add_ld, n));
            v_put_past(y + o * ld, kernel_act(act, z), n, stream);
        }
    }
}

/* act((scale (sum + bias) + shift) + add) of outputs [i + from, i + outputs), channels j.., of one row or two; those before
 * have been put already. What does not go straight from the sums to its place goes through memory: written out for each
 * output the activations would fill the instruction cache. */
TX_NOINLINE void depthwise_put(const tx_depthwise_row *r, size_t i, size_t from, size_t j, size_t outputs, size_t rows,
                               const float *sum)
{
    if (r->act == TX_ACT_SILU)
        depthwise_put_as(TX_ACT_SILU, r, i, from, j, outputs, rows, sum);
    else
        depthwise_put_as(r->act, r, i, from, j, outputs, rows, sum);
}

/* (scale (sum + bias) + shift) of outputs first.., clamped to their place, or to memory at `all`. */
TX_INLINE void depthwise_join(const tx_depthwise_row *r, size_t first, size_t j, int outputs, f32x16 *sum, int straight,
                              float *all)
{
    size_t n = r->c - j, ld = r->ld;
    float *y = r->y + first * ld + j;
    kernel_bounds bounds = kernel_bounds_of(r->act);
    int stream = r->stream;
    if (r->bias) {
        f32x16 bias = v_take(r->bias + j, n);
        TILE_UNROLL
        for (int o = 0; o < outputs; o++)
            sum[o] = v_add(sum[o], bias);
    }
    if (r->scale) {
        f32x16 scale = v_take(r->scale + j, n), shift = v_take(r->shift + j, n);
        TILE_UNROLL
        for (int o = 0; o < outputs; o++)
            sum[o] = v_fma(scale, sum[o], shift);
    }
    if (!straight) {
        TILE_UNROLL
        for (int o = 0; o < outputs; o++)
            v_store(all + 16 * o, sum[o]);
    } else if (stream) {
        TILE_UNROLL
        for (int o = 0; o < outputs; o++, y += ld)
            v_stream(y, kernel_clamp(bounds, sum[o]));
    } else {
        TILE_UNROLL
        for (int o = 0; o < outputs; o++, y += ld)
            v_store(y, kernel_clamp(bounds, sum[o]));
    }
}

TX_INLINE void depthwise_finish(const tx_depthwise_row *r, size_t i, size_t from, size_t j, int outputs, int rows,
                                f32x16 sum[2][DEPTHWISE_OUTPUTS])
{
    float all[2 * 16 * DEPTHWISE_OUTPUTS];
    int straight = !r->add && kernel_clamps(r->act) && r->c - j >= 16;
    depthwise_join(r, i, j, outputs, sum[0], straight, all);
    if (rows == 2)
        depthwise_join(r, r->outputs + i, j, outputs, sum[1], straight, all + 16 * outputs);
    if (!straight)
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
/* Hides from the compiler how an address came about, so that it does not keep one of its own for every column. */
#if defined(__GNUC__) || defined(__clang__)
#define DEPTHWISE_HIDE(p) __asm__("" : "+r"(p))
#else
#define DEPTHWISE_HIDE(p) ((void)0)
#endif

/* Columns that a block of outputs meets. Of the first and of the last of them, half a kernel of each, some may be outside of
 * the map: zeros are read for them. */
enum { DEPTHWISE_HALF = 3 };
static const float depthwise_zeros[16];
typedef struct depthwise_columns {
    ptrdiff_t first;                      /* floats from what points to a row to the first column, at channels j.. */
    size_t step;                          /* bytes from column to column; may be negative, modulo its range */
    uintptr_t inside[2 * DEPTHWISE_HALF]; /* all bits set, or none */
} depthwise_columns;

TX_INLINE depthwise_columns depthwise_columns_of(const tx_depthwise_row *r, size_t i, size_t j, int outputs, int across,
                                                 int stride)
{
    depthwise_columns x;
    int half = across / 2, columns = (outputs - 1) * stride + across;
    long first = r->first + (long)i * stride;
    for (int m = 0; m < half; m++) {
        x.inside[m] = !r->direct || first + m >= 0 ? ~(uintptr_t)0 : 0;
        x.inside[half + m] = !r->direct || first + columns - half + m < r->width ? ~(uintptr_t)0 : 0;
    }
    x.first = r->direct ? first * (ptrdiff_t)r->step + (ptrdiff_t)j : (ptrdiff_t)(j / 16 * r->apart + i * r->step);
    x.step = sizeof(float) * (r->direct ? r->step : 16);
    if (stride < 0) {
        x.first += 16 * (outputs - 1);
        x.step = (size_t)0 - x.step;
    }
    return x;
}

/* Where a row's columns are read. */
typedef struct depthwise_line {
    uintptr_t next;
    size_t step;
} depthwise_line;

/* A row that is NULL is zeros. */
TX_INLINE depthwise_line depthwise_line_of(const float *row, const depthwise_columns *x)
{
    if (!row)
        return (depthwise_line){(uintptr_t)depthwise_zeros, 0};
    return (depthwise_line){(uintptr_t)row + sizeof(float) * (uintptr_t)x->first, x->step};
}

/* Column m of `columns`. */
TX_INLINE f32x16 depthwise_column(depthwise_line *line, const depthwise_columns *x, int m, int columns, int half)
{
    const uintptr_t zeros = (uintptr_t)depthwise_zeros;
    uintptr_t here = line->next;
    int last = m - (columns - half);
    if (m < half || last >= 0)
        here = zeros + ((here - zeros) & x->inside[m < half ? m : half + last]);
    line->next += line->step;
    DEPTHWISE_HIDE(line->next);
    return v_load((const float *)here);
}

/* Rows of taps, one after the other, meet the outputs of one or two rows, each a row of x, or of dy. `stride` columns lie from
 * one output to the next; -1: taps run against the columns. Every column is loaded once and meets all the outputs that it is
 * an operand of; a chain goes on before its last sum is there only if others came in between. */
TX_INLINE void depthwise_meet(const tx_depthwise_row *r, int t, const depthwise_columns *x, const float *weight,
                              int outputs, int rows, int across, int stride, f32x16 sum[2][DEPTHWISE_OUTPUTS])
{
    f32x16 w[7];
    int half = stride < 0 ? 0 : across / 2;
    int columns = stride < 0 ? outputs + across - 1 : (outputs - 1) * stride + across;
    depthwise_line line[2];
    TILE_UNROLL
    for (int row = 0; row < rows; row++)
        line[row] = depthwise_line_of(r->at[row * r->taps + t], x);
    TILE_UNROLL
    for (int k = 0; k < across; k++)
        w[k] = v_load(weight + 16 * k);
    DEPTHWISE_UNROLL
    for (int m = 0; m < columns; m++) {
        TILE_UNROLL
        for (int row = 0; row < rows; row++) {
            f32x16 value = depthwise_column(&line[row], x, m, columns, half);
            TILE_UNROLL
            for (int o = 0; o < outputs; o++) {
                int k = stride < 0 ? m - (outputs - 1 - o) : m - o * stride;
                if (k >= 0 && k < across)
                    sum[row][o] = v_fma(w[k], value, sum[row][o]);
            }
        }
    }
}

/* Some outputs of one or two rows, the taps in rows of `across`; all but places are constants. */
TX_INLINE void depthwise_sweep(const tx_depthwise_row *r, size_t i, size_t from, size_t j, size_t w_apart, int outputs,
                               int rows, int across, int stride)
{
    f32x16 sum[2][DEPTHWISE_OUTPUTS];
    depthwise_columns x = depthwise_columns_of(r, i, j, outputs, across, stride);
    TILE_UNROLL
    for (int o = 0; o < outputs; o++)
        sum[0][o] = sum[1][o] = v_zero();
    for (int t = 0; t < r->taps; t += across) /* of dx not all rows of taps are there, at stride 2 */
        depthwise_meet(r, t, &x, r->w[t] + w_apart, outputs, rows, across, stride, sum);
    depthwise_finish(r, i, from, j, outputs, rows, sum);
}

/* How far memory has been asked for: lines of runs that lie apart. */
typedef struct depthwise_ahead {
    const float *run;
    size_t done, lines, runs, apart; /* done: of this run; lines: of each; runs: with this one */
    size_t some;                     /* lines to ask for at a time */
} depthwise_ahead;

TX_INLINE depthwise_ahead depthwise_ahead_of(const tx_depthwise_row *r)
{
    depthwise_ahead a = {r->ahead, 0, (r->ahead_run + 15) / 16, r->ahead_runs, r->ahead_ld, 0};
    size_t blocks = (r->c + 15) / 16 * ((r->outputs + DEPTHWISE_OUTPUTS - 1) / DEPTHWISE_OUTPUTS);
    a.some = (a.lines * a.runs + blocks - 1) / blocks;
    return a;
}

TX_INLINE void depthwise_ask(depthwise_ahead *a, size_t skip)
{
    for (size_t left = a->some; left > 0 && a->runs > 0;) {
        size_t here = a->lines - a->done, n = here < left ? here : left;
        const float *p = a->run + 16 * a->done, *end = p + 16 * n;
        for (; p < end; p += 16 * skip)
            TX_PREFETCH_SECOND(p);
        left -= n;
        a->done += n;
        if (n == here) {
            a->done = 0;
            a->run += a->apart;
            a->runs--;
        }
    }
}

/* depthwise_any with sweeps. What is read directly has no tail: its last channels are sixteen too, some of them once more. */
TX_INLINE void depthwise_swept(const tx_depthwise_row *r, int rows, int across, int stride)
{
    const size_t more = DEPTHWISE_OUTPUTS, fewer = DEPTHWISE_FEWER;
    depthwise_ahead ahead = depthwise_ahead_of(r);
    /* Four lines a vector of results, which then wait for little else: all of them would hold up what is loaded beside, and
     * every second brings its neighbour. */
    size_t skip = across == 3 && stride == 2 && kernel_clamps(r->act) ? 2 : 1;
    for (size_t b = 0; b < r->c; b += 16) {
        size_t j = r->direct && r->c - b < 16 ? r->c - 16 : b;
        size_t w = b / 16 * r->w_apart;
        for (size_t i = 0, n = r->outputs, back; i < n;) {
            size_t left = n - i;
            depthwise_ask(&ahead, skip);
            if (n >= more && (left > 2 * fewer || (left > fewer && left <= more))) {
                back = left < more ? more - left : 0;
                depthwise_sweep(r, i - back, back, j, w, DEPTHWISE_OUTPUTS, rows, across, stride);
                i += more - back;
            } else if (n >= fewer) {
                back = left < fewer ? fewer - left : 0;
                depthwise_sweep(r, i - back, back, j, w, DEPTHWISE_FEWER, rows, across, stride);
                i += fewer - back;
            } else {
                depthwise_sweep(r, i, 0, j, w, 1, rows, across, stride);
                i++;
            }
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
