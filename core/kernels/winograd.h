/* kernels/winograd.h - kernels of Winograd convolution (winograd.c), compiled once per instruction set.
 *
 * Channels run along the lanes and never mix. A transform in two dimensions is the one-dimensional one of all
 * columns, then of all rows; the equations, in the order of their operations, are in the head of winograd.c. */

/* The points are 0, +-A, +-B and infinity; powers, all exact. */
#define WINOGRAD_A 0.625f
#define WINOGRAD_A2 0.390625f
#define WINOGRAD_A3 0.244140625f
#define WINOGRAD_B 1.5f
#define WINOGRAD_B2 2.25f
#define WINOGRAD_B3 3.375f
#define WINOGRAD_AB 0.87890625f /* A^2 B^2 */
#define WINOGRAD_S 2.640625f    /* A^2 + B^2 */
/* Entries of G, rounded. */
#define WINOGRAD_G0 ((float)(256.0 / 225.0))
#define WINOGRAD_GA0 ((float)(-2048.0 / 2975.0))
#define WINOGRAD_GA1 ((float)(-256.0 / 595.0))
#define WINOGRAD_GA2 ((float)(-32.0 / 119.0))
#define WINOGRAD_GB0 ((float)(128.0 / 1071.0))
#define WINOGRAD_GB1 ((float)(64.0 / 357.0))
#define WINOGRAD_GB2 ((float)(32.0 / 119.0))

/* Two rows of B^T d, which share their terms: 0 and 5 (pair 0), 1 and 2, 3 and 4. */
TX_INLINE void winograd_bt_pair(int pair, const f32x16 *d, f32x16 *first, f32x16 *second)
{
    if (pair == 0) {
        f32x16 ab = v_set1(WINOGRAD_AB), s = v_set1(WINOGRAD_S);
        *first = v_fma(ab, d[0], v_fnma(s, d[2], d[4]));
        *second = v_fma(ab, d[1], v_fnma(s, d[3], d[5]));
    } else {
        f32x16 other = v_set1(pair == 1 ? WINOGRAD_B2 : WINOGRAD_A2);
        f32x16 point = v_set1(pair == 1 ? WINOGRAD_A : WINOGRAD_B);
        f32x16 even = v_fnma(other, d[2], d[4]), odd = v_fnma(other, d[1], d[3]);
        *first = v_fma(point, odd, even);
        *second = v_fnma(point, odd, even);
    }
}

/* v = B^T d */
TX_INLINE void winograd_bt(const f32x16 *d, f32x16 *v)
{
    winograd_bt_pair(0, d, v, v + 5);
    winograd_bt_pair(1, d, v + 1, v + 2);
    winograd_bt_pair(2, d, v + 3, v + 4);
}

/* Two rows of y = A^T m: 0 and 2 (pair 0), 1 and 3. */
TX_INLINE void winograd_at_pair(int pair, const f32x16 *m, f32x16 *first, f32x16 *second)
{
    if (pair == 0) {
        f32x16 a = v_add(m[1], m[2]), b = v_add(m[3], m[4]);
        *first = v_add(m[0], v_add(a, b));
        *second = v_fma(v_set1(WINOGRAD_B2), b, v_mul(v_set1(WINOGRAD_A2), a));
    } else {
        f32x16 a = v_sub(m[1], m[2]), b = v_sub(m[3], m[4]);
        *first = v_fma(v_set1(WINOGRAD_B), b, v_mul(v_set1(WINOGRAD_A), a));
        *second = v_fma(v_set1(WINOGRAD_B3), b, v_fma(v_set1(WINOGRAD_A3), a, m[5]));
    }
}

/* Two rows of s = A y: 0 and 5 (pair 0), 1 and 2, 3 and 4. */
TX_INLINE void winograd_a_pair(int pair, const f32x16 *y, f32x16 *first, f32x16 *second)
{
    if (pair == 0) {
        *first = y[0];
        *second = y[3];
    } else {
        f32x16 p = v_set1(pair == 1 ? WINOGRAD_A : WINOGRAD_B), p2 = v_set1(pair == 1 ? WINOGRAD_A2 : WINOGRAD_B2);
        f32x16 p3 = v_set1(pair == 1 ? WINOGRAD_A3 : WINOGRAD_B3);
        f32x16 even = v_fma(p2, y[2], y[0]), odd = v_fma(p3, y[3], v_mul(p, y[1]));
        *first = v_add(even, odd);
        *second = v_sub(even, odd);
    }
}

/* u = G g */
TX_INLINE void winograd_g(const f32x16 *g, f32x16 *u)
{
    f32x16 even = v_fma(v_set1(WINOGRAD_GA2), g[2], v_mul(v_set1(WINOGRAD_GA0), g[0]));
    f32x16 odd = v_mul(v_set1(WINOGRAD_GA1), g[1]);
    u[0] = v_mul(v_set1(WINOGRAD_G0), g[0]);
    u[1] = v_add(even, odd);
    u[2] = v_sub(even, odd);
    even = v_fma(v_set1(WINOGRAD_GB2), g[2], v_mul(v_set1(WINOGRAD_GB0), g[0]));
    odd = v_mul(v_set1(WINOGRAD_GB1), g[1]);
    u[3] = v_add(even, odd);
    u[4] = v_sub(even, odd);
    u[5] = g[2];
}

/* g = G^T u */
TX_INLINE void winograd_gt(const f32x16 *u, f32x16 *g)
{
    f32x16 sa = v_add(u[1], u[2]), da = v_sub(u[1], u[2]);
    f32x16 sb = v_add(u[3], u[4]), db = v_sub(u[3], u[4]);
    g[0] = v_fma(v_set1(WINOGRAD_G0), u[0], v_fma(v_set1(WINOGRAD_GA0), sa, v_mul(v_set1(WINOGRAD_GB0), sb)));
    g[1] = v_fma(v_set1(WINOGRAD_GA1), da, v_mul(v_set1(WINOGRAD_GB1), db));
    g[2] = v_fma(v_set1(WINOGRAD_GA2), sa, v_fma(v_set1(WINOGRAD_GB2), sb, u[5]));
}

/* The row of 6 that a pair's first or second row is. */
TX_INLINE size_t winograd_row(int pair, int second)
{
    return (size_t)(pair == 0 ? 5 * second : 2 * pair - 1 + second);
}

/* -------------------------------------------------------------------------------- a walk over tiles */

typedef struct winograd_place {
    size_t image;
    int y, x; /* of the tile's first result */
} winograd_place;

static winograd_place winograd_find(const tx_winograd_map *map, size_t tile)
{
    size_t cols = (size_t)map->cols, rows = (size_t)map->rows;
    winograd_place at = {tile / (rows * cols), 4 * (int)(tile / cols % rows), 4 * (int)(tile % cols)};
    return at;
}

TX_INLINE void winograd_next(const tx_winograd_map *map, winograd_place *at)
{
    at->x += 4;
    if (at->x < map->w)
        return;
    at->x = 0;
    at->y += 4;
    if (at->y < map->h)
        return;
    at->y = 0;
    at->image++;
}

/* ------------------------------------------------------------------------------ input: v = B^T d B */

/* Two rows of points of the patch d, whose pixels are `line` and `step` floats apart. A pair of rows stays in
 * registers, where a whole patch would not: cheaper than storing it half-way, as long as a pixel can be read three
 * times for nothing. */
TX_INLINE void winograd_patch_pair(int pair, const float *d, size_t line, size_t step, float *v, size_t slab)
{
    f32x16 t[2][6];
    TILE_UNROLL
    for (int j = 0; j < 6; j++) {
        f32x16 in[6];
        TILE_UNROLL
        for (int i = 0; i < 6; i++)
            if (pair == 0 || (i > 0 && i < 5))
                in[i] = v_load(d + (size_t)i * line);
        winograd_bt_pair(pair, in, &t[0][j], &t[1][j]);
        d += step;
        TILE_OPAQUE(d);
    }
    TILE_UNROLL
    for (int i = 0; i < 2; i++) {
        f32x16 out[6];
        float *row = v + 6 * winograd_row(pair, i) * slab;
        winograd_bt(t[i], out);
        TILE_UNROLL
        for (int j = 0; j < 6; j++) {
            v_store(row, out[j]);
            row += slab;
            TILE_OPAQUE(row);
        }
    }
}

TX_NOINLINE void winograd_patch(const float *d, size_t line, size_t step, float *v, size_t slab)
{
    winograd_patch_pair(0, d, line, step, v, slab);
    winograd_patch_pair(1, d, line, step, v, slab);
    winograd_patch_pair(2, d, line, step, v, slab);
}

/* Channels c.. of a patch as the reader of x sees them, every pixel read once. The first pixel, which may lie
 * outside of the image, would stand at x->data + corner; pixels outside are 0. */
TX_INLINE void winograd_view_patch(const tx_view *x, ptrdiff_t corner, int top, int left, int c, int n, int inside,
                                   float *v, size_t slab)
{
    f32x16 t[36], scale = v_set1(1), shift = v_zero();
    kernel_bounds bounds = kernel_bounds_of(x->act);
    if (x->scale) {
        scale = v_take(x->scale + c, (size_t)n);
        shift = v_take(x->shift + c, (size_t)n);
    }
    ptrdiff_t line = x->w * (ptrdiff_t)x->ld;
    corner += c;
    for (int j = 0; j < 6; j++, corner += (ptrdiff_t)x->ld) {
        f32x16 d[6], b[6];
        TILE_UNROLL
        for (int i = 0; i < 6; i++) {
            d[i] = v_zero();
            if (inside || ((unsigned)(top + i) < (unsigned)x->h && (unsigned)(left + j) < (unsigned)x->w)) {
                d[i] = v_take(x->data + (corner + i * line), (size_t)n);
                if (x->scale)
                    d[i] = v_fma(scale, d[i], shift);
                d[i] = kernel_clamp(bounds, d[i]);
            }
        }
        winograd_bt(d, b);
        TILE_UNROLL
        for (int i = 0; i < 6; i++)
            t[6 * i + j] = b[i];
    }
    for (int i = 0; i < 6; i++) {
        f32x16 b[6];
        winograd_bt(t + 6 * i, b);
        TILE_UNROLL
        for (int j = 0; j < 6; j++) {
            v_store(v, b[j]);
            v += slab;
        }
    }
}

/* The same for any activation and a gate (of the patch's image, or NULL): by way of memory. */
TX_NOINLINE void winograd_copied_patch(const tx_view *x, const float *gate, ptrdiff_t corner, int top, int left, int c,
                                       float *v, size_t slab)
{
    float copy[36 * 16];
    size_t n = x->c - c < 16 ? (size_t)(x->c - c) : 16;
    for (int k = 0; k < 36; k++) {
        int i = k / 6, j = k % 6;
        int there = (unsigned)(top + i) < (unsigned)x->h && (unsigned)(left + j) < (unsigned)x->w;
        if (!there || n < 16)
            v_store(copy + 16 * k, v_zero());
        if (there)
            view_copy(x, gate, (size_t)c, copy + 16 * k,
                      x->data + (corner + (i * (ptrdiff_t)x->w + j) * (ptrdiff_t)x->ld + c), n);
    }
    winograd_patch(copy, 6 * 16, 16, v, slab);
}

static void winograd_input(const tx_view *x, const tx_winograd_map *map, size_t first, size_t tiles,
                           const tx_winograd_points *v)
{
    winograd_place at = winograd_find(map, first);
    int plain = !view_changes(x), clamps = kernel_clamps(x->act) && !x->gate;
    for (size_t t = 0; t < tiles; t++, winograd_next(map, &at)) {
        int top = at.y - map->padding, left = at.x - map->padding;
        ptrdiff_t pixel = ((ptrdiff_t)at.image * x->h + top) * x->w + left, corner = pixel * (ptrdiff_t)x->ld;
        const float *gate = channel_gate(x, (size_t)at.image);
        int inside = top >= 0 && left >= 0 && top + 6 <= x->h && left + 6 <= x->w;
        for (int c = 0; c < x->c; c += 16) {
            float *out = v->data + (size_t)(c / WINOGRAD_ROWS) * v->block + t * v->ld + (size_t)(c % WINOGRAD_ROWS);
            if (!clamps)
                winograd_copied_patch(x, gate, corner, top, left, c, out, v->slab);
            else if (!inside || x->c - c < 16)
                winograd_view_patch(x, corner, top, left, c, x->c - c, 0, out, v->slab);
            else if (plain)
                winograd_patch(x->data + corner + c, (size_t)x->w * x->ld, x->ld, out, v->slab);
            else
                winograd_view_patch(x, corner, top, left, c, 16, 1, out, v->slab);
        }
    }
}

/* ----------------------------------------------------------------------------------------- products */

/* A walk over the memory that will be wanted: a row of four pixels of a tile at a time. */
typedef struct winograd_fetch {
    const tx_winograd_ahead *ahead;
    winograd_place at;
    int row;
    size_t left, step; /* rows of pixels: to go, at a time */
} winograd_fetch;

static void winograd_fetch_begin(winograd_fetch *fetch, const tx_winograd_product *p, size_t calls)
{
    for (int i = 0; i < WINOGRAD_AHEAD; i++) {
        const tx_winograd_ahead *ahead = p->ahead + i;
        fetch[i].ahead = ahead;
        fetch[i].row = 0;
        fetch[i].left = 4 * ahead->tiles;
        fetch[i].step = calls ? (fetch[i].left + calls - 1) / calls : 0; /* a block may be empty */
        if (ahead->tiles)
            fetch[i].at = winograd_find(p->map, ahead->first);
    }
}

static void winograd_fetch_some(winograd_fetch *fetch, const tx_winograd_map *map)
{
    for (int i = 0; i < WINOGRAD_AHEAD; i++, fetch++) {
        const tx_winograd_ahead *a = fetch->ahead;
        for (size_t n = 0; n < fetch->step && fetch->left; n++, fetch->left--) {
            int y = fetch->at.y + fetch->row;
            size_t line = fetch->at.image * (size_t)a->h + (size_t)y;
            for (int x = fetch->at.x; y < a->h && x < fetch->at.x + 4 && x < a->w; x++)
                for (int c = 0; c < a->c; c += 16)
                    TX_PREFETCH(a->data + (line * (size_t)a->w + (size_t)x) * a->ld + c);
            if (++fetch->row == 4) {
                fetch->row = 0;
                winograd_next(map, &fetch->at);
            }
        }
    }
}

/* Where point e, row k, column c of a group of `rows` rows stand: panels for tile_run, point by point. */
TX_INLINE size_t winograd_packed(size_t rows, size_t e, size_t k, size_t c)
{
    return e * (rows * WINOGRAD_GROUP + WINOGRAD_GAP) + (c / TILE_N * rows + k) * TILE_N + c % TILE_N;
}

/* Columns of m and d are computed by whole vectors: the operands have them, as zeros. */
TX_INLINE int winograd_lanes(int cols)
{
    return (cols + 15) / 16 * 16;
}

/* While a panel of u is multiplied by all tiles, the next one is on its way from where the weights are, and a share of the
 * next point's v. */
static tile_stream winograd_product_next(const tx_winograd_product *p, size_t e, size_t panel, size_t panels)
{
    const tx_winograd_points *v = &p->a;
    size_t k = p->k, share = p->tiles * v->ld / panels;
    int last = e + 1 == (size_t)(p->point + p->points);
    uintptr_t a = last ? p->then_a : tile_address(v->data, (e + 1) * v->slab);
    size_t u = winograd_packed(k, e + (panel + 1 == panels), 0, (panel + 1) % panels * TILE_N);
    tile_stream next = {0};
    tile_stream_range(&next, 0, last && panel + 1 == panels ? p->then_b : tile_address(p->u, u), k * TILE_N);
    tile_stream_range(&next, 1, a + panel * share * sizeof(float), share);
    return next;
}

/* m = v u: [tiles x k] [k x cols], k ascending in one chain. */
static void winograd_product(const tx_winograd_product *p)
{
    const tx_winograd_points *v = &p->a, *m = &p->out;
    size_t parts = (p->tiles + TILE_M - 1) / TILE_M, k = p->k;
    int cols = winograd_lanes(p->cols), panels = (cols + TILE_N - 1) / TILE_N;
    winograd_fetch fetch[WINOGRAD_AHEAD];
    winograd_fetch_begin(fetch, p, (size_t)(p->points * panels) * parts);
    for (size_t e = (size_t)p->point; e < (size_t)(p->point + p->points); e++)
        for (int j = 0; j < panels; j++) {
            int n = j * TILE_N;
            tile_stream next = winograd_product_next(p, e, (size_t)j, (size_t)panels);
            for (size_t i = 0; i < parts; i++) {
                size_t first = p->tiles * i / parts, end = p->tiles * (i + 1) / parts;
                tile_run(k, v->data + e * v->slab + first * v->ld, v->ld, 1, p->u + winograd_packed(k, e, 0, (size_t)n),
                         TILE_N, m->data + e * m->slab + first * m->ld + (size_t)n, m->ld, (int)(end - first),
                         cols - n < TILE_N ? cols - n : TILE_N, TILE_ZERO, NULL, tile_stream_next(&next, k));
                winograd_fetch_some(fetch, p->map);
            }
        }
}

/* The numbers of the next point, a share a panel. */
static tile_stream winograd_correlate_next(const tx_winograd_product *p, size_t e, size_t panel, size_t panels)
{
    const tx_winograd_points *v = &p->a, *s = &p->b, *d = &p->out;
    int last = e + 1 == (size_t)(p->point + p->points);
    uintptr_t a = last ? p->then_a : tile_address(v->data, (e + 1) * v->slab),
              b = last ? p->then_b : tile_address(s->data, (e + 1) * s->slab),
              out = last ? p->then_out : tile_address(d->data, (e + 1) * d->slab);
    size_t share = p->tiles * v->ld / panels, rows = (size_t)p->rows / panels;
    tile_stream next = {0};
    b += panel * (s->block / WINOGRAD_GROUP * TILE_N) * sizeof(float);
    tile_stream_range(&next, 0, b, p->tiles * TILE_N);
    tile_stream_range(&next, 1, a + panel * share * sizeof(float), share);
    tile_stream_range(&next, 2, out + panel * rows * d->ld * sizeof(float), rows * d->ld);
    return next;
}

/* d = v' s: [rows x tiles] [tiles x cols]. Each chunk of tiles is a chain of its own, added in order. */
static void winograd_correlate(const tx_winograd_product *p)
{
    const tx_winograd_points *v = &p->a, *s = &p->b, *d = &p->out;
    size_t panel = s->block / WINOGRAD_GROUP * TILE_N;
    int cols = winograd_lanes(p->cols), panels = (cols + TILE_N - 1) / TILE_N;
    int parts = (p->rows + TILE_M - 1) / TILE_M;
    winograd_fetch fetch[WINOGRAD_AHEAD];
    winograd_fetch_begin(fetch, p, (size_t)(p->points * parts * panels) * p->chunks);
    for (size_t e = (size_t)p->point; e < (size_t)(p->point + p->points); e++)
        for (int j = 0; j < panels; j++) {
            tile_stream next = winograd_correlate_next(p, e, (size_t)j, (size_t)panels);
            for (size_t c = 0; c < p->chunks; c++) {
                size_t t = p->tiles * c / p->chunks, k = p->tiles * (c + 1) / p->chunks - t;
                for (int i = 0; i < parts; i++) {
                    int first = p->rows * i / parts, end = p->rows * (i + 1) / parts, n = j * TILE_N;
                    tile_run(k, v->data + e * v->slab + t * v->ld + first, 1, v->ld,
                             s->data + e * s->slab + (size_t)j * panel + t * TILE_N, TILE_N,
                             d->data + e * d->slab + (size_t)first * d->ld + (size_t)n, d->ld, end - first,
                             cols - n < TILE_N ? cols - n : TILE_N, p->add || c ? TILE_ADD : TILE_ZERO, NULL,
                             tile_stream_next(&next, k));
                    winograd_fetch_some(fetch, p->map);
                }
            }
        }
}

/* ------------------------------------------------------------- output: y = act((scale (A^T m A + bias) + shift) + add) */

/* What a group of sixteen channels gets beside its sum. */
typedef struct winograd_epilogue {
    const tx_target *y;
    f32x16 bias, scale, shift;
    int c; /* the first of them */
} winograd_epilogue;

TX_INLINE void winograd_put_result(const winograd_epilogue *e, size_t pixel, f32x16 r, int n)
{
    const tx_target *y = e->y;
    if (y->bias)
        r = v_add(r, e->bias);
    if (y->scale)
        r = v_fma(e->scale, r, e->shift);
    if (y->add)
        r = v_add(r, v_take(y->add + pixel * y->add_ld + e->c, (size_t)n));
    v_put(y->data + pixel * y->ld + e->c, kernel_clamp(kernel_bounds_of(y->act), r), (size_t)n);
    if (!kernel_clamps(y->act))
        view_act(y->act, y->data + pixel * y->ld + e->c, 0, 1, (size_t)n < 16 ? (size_t)n : 16);
}

/* Two rows of a tile's results, of which rows x cols lie within the map. */
TX_INLINE void winograd_result_pair(int pair, const winograd_epilogue *e, const float *m, size_t slab, size_t pixel,
                                    size_t line, int rows, int cols, int n)
{
    f32x16 t[2][6];
    TILE_UNROLL
    for (int j = 0; j < 6; j++) {
        f32x16 in[6];
        TILE_UNROLL
        for (int i = 0; i < 6; i++)
            if (i != (pair == 0 ? 5 : 0))
                in[i] = v_load(m + (size_t)(6 * i) * slab);
        winograd_at_pair(pair, in, &t[0][j], &t[1][j]);
        m += slab;
        TILE_OPAQUE(m);
    }
    TILE_UNROLL
    for (int i = 0; i < 2; i++) {
        f32x16 r[4];
        size_t at = pixel + (size_t)(pair + 2 * i) * line;
        if (pair + 2 * i >= rows)
            break;
        winograd_at_pair(0, t[i], r, r + 2);
        winograd_at_pair(1, t[i], r + 1, r + 3);
        winograd_put_result(e, at, r[0], n);
        if (cols > 1)
            winograd_put_result(e, at + 1, r[1], n);
        if (cols > 2)
            winograd_put_result(e, at + 2, r[2], n);
        if (cols > 3)
            winograd_put_result(e, at + 3, r[3], n);
    }
}

TX_INLINE void winograd_result(const winograd_epilogue *e, const float *m, size_t slab, size_t pixel, size_t line,
                               int rows, int cols, int n)
{
    winograd_result_pair(0, e, m, slab, pixel, line, rows, cols, n);
    winograd_result_pair(1, e, m, slab, pixel, line, rows, cols, n);
}

static void winograd_output(const tx_target *y, const tx_winograd_map *map, size_t first, size_t tiles,
                            const tx_winograd_points *m, int channel, int channels)
{
    size_t w = (size_t)map->w;
    for (int c = 0; c < channels; c += 16) {
        int n = channels - c < 16 ? channels - c : 16;
        winograd_epilogue e = {y, v_zero(), v_zero(), v_zero(), channel + c};
        if (y->bias)
            e.bias = v_take(y->bias + e.c, (size_t)n);
        if (y->scale) {
            e.scale = v_take(y->scale + e.c, (size_t)n);
            e.shift = v_take(y->shift + e.c, (size_t)n);
        }
        winograd_place at = winograd_find(map, first);
        for (size_t t = 0; t < tiles; t++, winograd_next(map, &at)) {
            size_t pixel = (at.image * (size_t)map->h + (size_t)at.y) * w + (size_t)at.x;
            const float *p = m->data + t * m->ld + c;
            int rows = map->h - at.y, cols = map->w - at.x;
            if (rows >= 4 && cols >= 4 && n == 16)
                winograd_result(&e, p, m->slab, pixel, w, 4, 4, 16);
            else
                winograd_result(&e, p, m->slab, pixel, w, rows < 4 ? rows : 4, cols < 4 ? cols : 4, n);
        }
    }
}

/* ---------------------------------------------------------------------------- weights: u = G g G^T */

/* The nine vectors of a row to its 36. */
TX_INLINE void winograd_kernel(const float *g, float *u, size_t slab)
{
    f32x16 t[18];
    TILE_UNROLL
    for (int j = 0; j < 3; j++) {
        f32x16 d[3], o[6];
        TILE_UNROLL
        for (int i = 0; i < 3; i++)
            d[i] = v_load(g + 16 * (3 * i + j));
        winograd_g(d, o);
        TILE_UNROLL
        for (int i = 0; i < 6; i++)
            t[3 * i + j] = o[i];
    }
    TILE_UNROLL
    for (int i = 0; i < 6; i++) {
        f32x16 o[6];
        winograd_g(t + 3 * i, o);
        TILE_UNROLL
        for (int j = 0; j < 6; j++) {
            v_store(u, o[j]);
            u += slab;
            TILE_OPAQUE(u);
        }
    }
}

/* Sixteen rows at a time: g[k][e][c] of n columns from `column` on, turned where these stand apart. The sixteen after
 * them are asked for. */
enum { WINOGRAD_TURN = 16 };
static void winograd_gather(const tx_filter *w, int column, int n, int first, int rows, float g[WINOGRAD_TURN][9][16])
{
    size_t row = w->row_step, col = w->column_step;
    size_t later = first + 2 * WINOGRAD_TURN <= w->c ? WINOGRAD_TURN * row : 0;
    for (int e = 0; e < 9; e++) {
        const float *in =
            w->data + (size_t)(w->tap ? w->tap[e] : e) * w->tap_step + (size_t)first * row + (size_t)column * col;
        for (int k = 0; k < rows && col == 1; k++, in += row) {
            TX_PREFETCH(in + later);
            v_store(g[k][e], v_take(in, (size_t)n));
        }
        for (int c = 0; c < n && col != 1; c++, in += col) {
            TX_PREFETCH(in + later);
            for (int k = 0; k < rows; k++)
                g[k][e][c] = in[(size_t)k * row];
        }
    }
}

static void winograd_pack(const tx_filter *w, float *u, int column, int first, int rows)
{
    float g[WINOGRAD_TURN][9][16];
    size_t all = (size_t)w->c, slab = winograd_packed(all, 1, 0, 0);
    for (int k = first; k < first + rows; k += WINOGRAD_TURN)
        for (int c = 0; c < WINOGRAD_GROUP; c += 16) {
            int left = w->n - column - c, n = left < 16 ? left : 16;
            int some = first + rows - k < WINOGRAD_TURN ? first + rows - k : WINOGRAD_TURN;
            if (n < 16)
                memset(g, 0, sizeof g);
            if (n > 0)
                winograd_gather(w, column + c, n, k, some, g);
            for (int i = 0; i < some; i++)
                winograd_kernel(g[i][0], u + winograd_packed(all, 0, (size_t)(k + i), (size_t)c), slab);
        }
}

/* ------------------------------------------------------- weight gradient: s = A dy A^T, dw = G^T d G */

TX_INLINE void winograd_sample_pair(int pair, const float *dy, size_t ld, size_t line, int rows, int cols, int n,
                                    float *s, size_t slab)
{
    f32x16 t[2][4];
    TILE_UNROLL
    for (int j = 0; j < 4; j++) {
        f32x16 in[4];
        TILE_UNROLL
        for (int i = 0; i < 4; i++)
            if (pair > 0 || i == 0 || i == 3)
                in[i] = i < rows && j < cols ? v_take(dy + (size_t)i * line + (size_t)j * ld, (size_t)n) : v_zero();
        winograd_a_pair(pair, in, &t[0][j], &t[1][j]);
    }
    TILE_UNROLL
    for (int i = 0; i < 2; i++) {
        f32x16 out[6];
        float *row = s + 6 * winograd_row(pair, i) * slab;
        winograd_a_pair(0, t[i], out, out + 5);
        winograd_a_pair(1, t[i], out + 1, out + 2);
        winograd_a_pair(2, t[i], out + 3, out + 4);
        TILE_UNROLL
        for (int j = 0; j < 6; j++) {
            v_store(row, out[j]);
            row += slab;
            TILE_OPAQUE(row);
        }
    }
}

TX_INLINE void winograd_sample_tile(const float *dy, size_t ld, size_t line, int rows, int cols, int n, float *s,
                                    size_t slab)
{
    winograd_sample_pair(0, dy, ld, line, rows, cols, n, s, slab);
    winograd_sample_pair(1, dy, ld, line, rows, cols, n, s, slab);
    winograd_sample_pair(2, dy, ld, line, rows, cols, n, s, slab);
}

static void winograd_sample(const tx_view *dy, const tx_winograd_map *map, size_t first, size_t tiles,
                            const tx_winograd_points *s)
{
    size_t panel = s->block / WINOGRAD_GROUP * TILE_N, w = (size_t)map->w, line = w * dy->ld;
    winograd_place at = winograd_find(map, first);
    for (size_t t = 0; t < tiles; t++, winograd_next(map, &at)) {
        const float *in = dy->data + ((at.image * (size_t)map->h + (size_t)at.y) * w + (size_t)at.x) * dy->ld;
        int rows = map->h - at.y, cols = map->w - at.x;
        for (int c = 0; c < dy->c; c += 16) {
            float *out = s->data + (size_t)(c / TILE_N) * panel + t * TILE_N + (size_t)(c % TILE_N);
            if (rows >= 4 && cols >= 4 && dy->c - c >= 16)
                winograd_sample_tile(in + c, dy->ld, line, 4, 4, 16, out, s->slab);
            else
                winograd_sample_tile(in + c, dy->ld, line, rows, cols, dy->c - c, out, s->slab);
        }
    }
}

static void winograd_finish(float *dw, size_t tap, size_t ld, const tx_winograd_points *d, int rows, int cols, int add,
                            int stream)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c += 16) {
            f32x16 t[18];
            const float *in = d->data + (size_t)r * d->ld + c;
            float *out = dw + (size_t)r * ld + c;
            size_t left = (size_t)(cols - c);
            TILE_UNROLL
            for (int j = 0; j < 6; j++) {
                f32x16 u[6], g[3];
                TILE_UNROLL
                for (int i = 0; i < 6; i++)
                    u[i] = v_load(in + (size_t)(6 * i + j) * d->slab);
                winograd_gt(u, g);
                TILE_UNROLL
                for (int i = 0; i < 3; i++)
                    t[6 * i + j] = g[i];
            }
            TILE_UNROLL
            for (int i = 0; i < 3; i++) {
                f32x16 g[3];
                winograd_gt(t + 6 * i, g);
                for (int j = 0; j < 3; j++, out += tap)
                    v_put_past(out, add ? v_add(v_take(out, left), g[j]) : g[j], left, stream);
            }
        }
    if (stream)
        v_stream_end();
}

/* What kernels/all.h puts into the table. */
#define WINOGRAD_KERNELS                                                                                        \
    {                                                                                                           \
        .pack = winograd_pack, .input = winograd_input, .product = winograd_product, .output = winograd_output, \
        .sample = winograd_sample, .correlate = winograd_correlate, .finish = winograd_finish                   \
    }
