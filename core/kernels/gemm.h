/* kernels/gemm.h - packing and blocks of the matrix products (gemm.c), compiled once per instruction set. */

TX_INLINE void gemm_zero(float *out, size_t n)
{
    for (size_t j = 0; j < n; j += 16)
        v_put(out + j, v_zero(), n - j);
}

TX_INLINE void gemm_copy(float *out, const float *in, size_t n)
{
    size_t j = 0;
    for (; j + 16 <= n; j += 16)
        v_store(out + j, v_load(in + j));
    if (j < n)
        v_store_n(out + j, (int)(n - j), v_load_n(in + j, (int)(n - j)));
}

/* ------------------------------------------------------------------------------- packing of weights */

/* Rows k.. of a panel where the columns of a row stand apart: a block of up to 16 rows of one tap is turned. */
static void gemm_pack_transposed(const tx_filter *w, const float *in, float *out, size_t rows, size_t columns)
{
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            out[i * TILE_N + j] = in[j * w->column_step + i * w->row_step];
}

static void gemm_pack(const tx_filter *w, float *packed, size_t panel, size_t k0, size_t k1)
{
    size_t c = (size_t)w->c, k = (size_t)w->taps * c, column = panel * TILE_N;
    size_t columns = (size_t)w->n - column < TILE_N ? (size_t)w->n - column : TILE_N;
    float *out = packed + column * k + k0 * TILE_N;
    while (k0 < k1) {
        size_t tap = k0 / c, channel = k0 % c;
        size_t rows = c - channel < k1 - k0 ? c - channel : k1 - k0;
        rows = rows < 16 ? rows : 16;
        const float *in = w->data + (w->tap ? (size_t)w->tap[tap] : tap) * w->tap_step + channel * w->row_step +
                          column * w->column_step;
        if (w->column_step != 1 || columns < TILE_N)
            gemm_zero(out, rows * TILE_N);
        if (w->column_step == 1)
            for (size_t i = 0; i < rows; i++)
                gemm_copy(out + i * TILE_N, in + i * w->row_step, columns);
        else
            gemm_pack_transposed(w, in, out, rows, columns);
        out += rows * TILE_N;
        k0 += rows;
    }
}

/* --------------------------------------------------------------------- packing of the implicit matrix */

/* Where row (i,gy,gx) has its tap (0,0). */
typedef struct gemm_place {
    const float *image;
    int y, x;
} gemm_place;

static void gemm_places(const tx_rows *a, size_t row, size_t rows, gemm_place *place)
{
    size_t gw = (size_t)a->grid_w, gh = (size_t)a->grid_h;
    size_t image = (size_t)a->x.h * (size_t)a->x.w * a->x.ld;
    int gx = (int)(row % gw), gy = (int)(row / gw % gh);
    const float *data = a->x.data + row / gw / gh * image;
    for (size_t r = 0; r < rows; r++) {
        place[r].image = data;
        place[r].y = gy * a->step_y;
        place[r].x = gx * a->step_x;
        if (++gx < a->grid_w)
            continue;
        gx = 0;
        if (++gy < a->grid_h)
            continue;
        gy = 0;
        data += image;
    }
}

/* A run of columns: n floats from channel c of one tap on, over `pixels` neighbouring pixels. Up to `room` floats may be
 * written: what is too much, the next run overwrites. */
typedef struct gemm_run {
    tx_tap tap;
    int pixels;
    size_t c, n, room;
} gemm_run;

/* The run of a row at the edge of the image: what lies outside of it is 0. */
static void gemm_pack_edge(const tx_rows *a, const gemm_run *run, const float *line, int x, float *out)
{
    ptrdiff_t width = (ptrdiff_t)a->x.w * a->x.c, n = (ptrdiff_t)run->n;
    ptrdiff_t begin = (ptrdiff_t)x * a->x.c + (ptrdiff_t)run->c, end = begin + n;
    ptrdiff_t from = begin < 0 ? 0 : begin, to = end > width ? width : end;
    gemm_zero(out, run->n);
    if (from < to)
        gemm_copy(out + (from - begin), line + from, (size_t)(to - from));
}

/* The gates of a place's image of so many floats, or NULL. */
TX_INLINE const float *gemm_gate(const tx_view *x, const gemm_place *place, size_t image)
{
    return x->gate ? channel_gate(x, (size_t)(place->image - x->data) / image) : NULL;
}

static void gemm_pack_run(const tx_rows *a, const gemm_run *run, const gemm_place *place, size_t rows, float *out,
                          size_t ld)
{
    int seen = view_changes(&a->x);
    size_t image = (size_t)a->x.h * (size_t)a->x.w * a->x.ld;
    size_t vectors = (run->n + 15) / 16 * 16, whole = run->n;
    if (vectors <= run->room && a->x.ld == (size_t)a->x.c)
        whole = vectors;
    const float *end = a->x.data + (size_t)a->x.n * (size_t)a->x.h * (size_t)a->x.w * a->x.ld;
    for (size_t r = 0; r < rows; r++, out += ld) {
        int y = place[r].y + run->tap.y, x = place[r].x + run->tap.x;
        if (y < 0 || y >= a->x.h) {
            gemm_zero(out, run->n);
            continue;
        }
        const float *line = place[r].image + (size_t)y * (size_t)a->x.w * a->x.ld;
        if (x >= 0 && x <= a->x.w - run->pixels) {
            const float *in = line + (size_t)x * a->x.ld + run->c;
            if (seen)
                view_copy(&a->x, gemm_gate(&a->x, &place[r], image), run->c, out, in, run->n);
            else
                gemm_copy(out, in, (size_t)(end - in) < whole ? run->n : whole);
        } else if (run->pixels == 1) {
            gemm_zero(out, run->n);
        } else {
            gemm_pack_edge(a, run, line, x, out);
        }
    }
}

/* out[r*kc + p] = A(row + r, k0 + p), r < rows. Taps that are neighbours in a row of pixels without gaps are one run. */
static void gemm_pack_rows(const tx_rows *a, const gemm_place *place, size_t rows, size_t k0, size_t kc, float *out)
{
    size_t c = (size_t)a->x.c, done = 0;
    int joined = a->x.ld == c && !view_changes(&a->x);
    while (done < kc) {
        size_t tap = (k0 + done) / c;
        gemm_run run = {a->tap[tap], 1, (k0 + done) % c, c - (k0 + done) % c, kc - done};
        while (joined && done + run.n < kc && a->tap[tap + 1].y == run.tap.y &&
               a->tap[tap + 1].x == run.tap.x + run.pixels) {
            tap++;
            run.pixels++;
            run.n += c;
        }
        run.n = run.n < kc - done ? run.n : kc - done;
        gemm_pack_run(a, &run, place, rows, out + done, kc);
        done += run.n;
    }
}

/* ----------------------------------------------------------------------------------------- forward */

/* Pixels of the target that rows row.. go to. */
static void gemm_pixels(const tx_gemm_forward_job *job, size_t row, size_t rows, size_t *pixel)
{
    const tx_target *y = &job->y;
    if (job->plain) {
        for (size_t r = 0; r < rows; r++)
            pixel[r] = row + r;
        return;
    }
    size_t gw = (size_t)job->a.grid_w, gh = (size_t)job->a.grid_h, h = (size_t)y->h, w = (size_t)y->w;
    size_t gx = row % gw, gy = row / gw % gh, image = row / gw / gh;
    for (size_t r = 0; r < rows; r++) {
        pixel[r] = (image * h + gy * (size_t)y->step_y + (size_t)y->offset_y) * w + gx * (size_t)y->step_x +
                   (size_t)y->offset_x;
        if (++gx < gw)
            continue;
        gx = 0;
        if (++gy < gh)
            continue;
        gy = 0;
        image++;
    }
}

/* Where row `row` of A begins if it and those behind it can be read where they stand, line by line: they belong to one row of
 * the grid, and no tap of theirs is outside of the map. Or NULL. */
static const float *gemm_lines(const tx_gemm_forward_job *job, size_t row, size_t rows)
{
    const tx_rows *a = &job->a;
    size_t gw = (size_t)a->grid_w, gh = (size_t)a->grid_h, gx = row % gw;
    if (job->lines == 0 || gx + rows > gw)
        return NULL;
    const tx_tap *first = a->tap, *last = a->tap + a->taps - 1;
    int x = (int)gx * a->step_x, y = (int)(row / gw % gh) * a->step_y;
    if (x + first->x < 0 || y + first->y < 0 || y + last->y >= a->x.h)
        return NULL;
    if (x + ((int)rows - 1) * a->step_x + last->x >= a->x.w)
        return NULL;
    size_t line = row / gw / gh * (size_t)a->x.h + (size_t)(y + first->y);
    return a->x.data + (line * (size_t)a->x.w + (size_t)(x + first->x)) * a->x.ld;
}

/* What tiles do with their sums at rows `row` on, columns `column` on. An activation that does not clamp comes behind it. */
TX_INLINE tile_end gemm_end(const tx_target *y, size_t row, size_t column)
{
    int rectifies = y->act == TX_ACT_RELU || y->act == TX_ACT_RELU6;
    tile_end end = {.add_ld = y->add_ld,
                    .floor = rectifies ? 0.0f : -INFINITY,
                    .ceiling = y->act == TX_ACT_RELU6 ? 6.0f : INFINITY};
    if (y->bias)
        end.bias = y->bias + column;
    if (y->scale) {
        end.scale = y->scale + column;
        end.shift = y->shift + column;
    }
    if (y->add)
        end.add = y->add + row * y->add_ld + column;
    return end;
}

/* y = act((scale (sum + bias) + shift) + add) for a tile of sums. */
static void gemm_finish(const tx_target *y, const float *sum, size_t ld, const size_t *pixel, size_t rows,
                        size_t column, size_t columns)
{
    int curved = !kernel_clamps(y->act);
    for (size_t j = 0; j < columns; j += 16) {
        size_t n = columns - j, at = column + j;
        f32x16 bias = y->bias ? v_take(y->bias + at, n) : v_zero();
        f32x16 scale = y->scale ? v_take(y->scale + at, n) : v_zero();
        f32x16 shift = y->scale ? v_take(y->shift + at, n) : v_zero();
        kernel_bounds bounds = kernel_bounds_of(y->act);
        for (size_t r = 0; r < rows; r++) {
            f32x16 v = v_take(sum + r * ld + j, n);
            if (y->bias)
                v = v_add(v, bias);
            if (y->scale)
                v = v_fma(scale, v, shift);
            if (y->add)
                v = v_add(v, v_take(y->add + pixel[r] * y->add_ld + at, n));
            v_put(y->data + pixel[r] * y->ld + at, kernel_clamp(bounds, v), n);
        }
    }
    for (size_t r = 0; curved && r < rows; r++)
        view_act(y->act, y->data + pixel[r] * y->ld + column, 0, 1, columns);
}

/* Columns of A that the next tile of rows will pack, where a row has them in one place; part of `parts`: the first row is
 * left to the tile at hand, which asks for it evenly. */
static tile_ahead gemm_fetch_rows(const tx_rows *a, const gemm_place *place, size_t rows, size_t k0, size_t kc,
                                  size_t part, size_t parts)
{
    tile_ahead ahead = {(uintptr_t)a->x.data, 0};
    for (size_t r = rows * part / parts; r < rows * (part + 1) / parts; r++) {
        int y = place[r].y + a->tap->y, x = place[r].x + a->tap->x;
        if (y < 0 || x < 0 || y >= a->x.h || x >= a->x.w)
            continue;
        const float *in = place[r].image + ((size_t)y * (size_t)a->x.w + (size_t)x) * a->x.ld + k0;
        for (size_t k = 0; k < kc && ahead.step; k += 16)
            TX_PREFETCH(in + k);
        if (!ahead.step)
            ahead = (tile_ahead){(uintptr_t)in, sizeof(float) * TILE_STEP};
    }
    return ahead;
}

/* Asks for where a tile of results will be stored, and for its addend. */
static void gemm_fetch_target(const tx_target *y, const size_t *pixel, size_t rows, size_t column, size_t columns)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = column; j < column + columns; j += 16) {
            TX_PREFETCH_WRITE(y->data + pixel[r] * y->ld + j);
            if (y->add && y->add != y->data)
                TX_PREFETCH(y->add + pixel[r] * y->add_ld + j);
        }
}

/* The same where row `row` goes to that pixel. */
TX_INLINE void gemm_fetch_results(const tx_target *y, size_t row, size_t rows, size_t column, size_t columns)
{
    float *to = y->data + row * y->ld + column;
    const float *add = y->add ? y->add + row * y->add_ld + column : NULL;
    for (size_t r = 0; r < rows; r++, to += y->ld) {
        TX_PREFETCH_WRITE(to);
        if (columns > 16)
            TX_PREFETCH_WRITE(to + 16);
    }
    for (size_t r = 0; add && r < rows; r++, add += y->add_ld) {
        TX_PREFETCH(add);
        if (columns > 16)
            TX_PREFETCH(add + 16);
    }
}

/* Rows of A for one block of k as a tile reads them: in stretches of so many k, lines of them. */
typedef struct gemm_left {
    const float *a;
    size_t row, stretch;
    tile_lines lines;
} gemm_left;

/* They are read where they stand, or packed into `work`. place: of the `ahead` rows behind them, which will be packed next. */
static gemm_left gemm_left_rows(const tx_gemm_forward_job *job, size_t row, size_t rows, size_t k0, size_t kc,
                                float *work, size_t ahead, gemm_place *place)
{
    gemm_left left = {work, kc, kc, {1, 0}};
    const float *within = gemm_lines(job, row, rows);
    if (job->a_in_place) {
        left.a = job->a.x.data + row * job->a.x.ld + k0;
        left.row = job->a.x.ld;
    } else if (within) {
        left.a = within;
        left.row = (size_t)job->a.step_x * job->a.x.ld;
        left.stretch = job->line;
        left.lines = (tile_lines){job->lines, (size_t)job->a.x.w * job->a.x.ld};
    } else {
        gemm_places(&job->a, row, rows, place);
        gemm_pack_rows(&job->a, place, rows, k0, kc, work);
    }
    if (ahead)
        gemm_places(&job->a, row + rows, ahead, place);
    return left;
}

/* A tile's rows by the task's columns, for one block of k. work: the packed rows, then the sums that have no place
 * in the target. */
static void gemm_forward_rows(const tx_gemm_forward_job *job, size_t row, size_t rows, size_t k0, size_t kc,
                              size_t first, size_t end, float *work, float *sums)
{
    gemm_place place[TILE_M];
    size_t pixel[TILE_M];
    const tx_target *y = &job->y;
    int last = k0 + kc == job->k, curved = !kernel_clamps(y->act);
    int nothing = !y->bias && !y->scale && !y->add && y->act == TX_ACT_NONE;
    size_t ahead = job->m - row - rows < TILE_M ? job->m - row - rows : TILE_M;
    size_t panels = (end - first + TILE_N - 1) / TILE_N;
    tile_ahead next = {(uintptr_t)work, 0};
    if (ahead && job->a_dense) { /* the next rows come evenly */
        next.p = tile_address(job->a.x.data, (row + rows) * job->a.x.ld);
        next.step = sizeof(float) * TILE_M * TILE_STEP / panels;
    }
    if (job->a_dense || job->a.taps != 1)
        ahead = 0;
    gemm_left left = gemm_left_rows(job, row, rows, k0, kc, work, ahead, place);
    if (!job->in_place)
        gemm_pixels(job, row, rows, pixel);
    for (size_t column = first; column < end; column += TILE_N) {
        size_t columns = end - column < TILE_N ? end - column : TILE_N;
        tile_end finish = gemm_end(y, row, column);
        float *c = sums + (column - first);
        size_t ld = job->task_columns;
        if (job->in_place) {
            c = y->data + row * y->ld + column;
            ld = y->ld;
        }
        if (job->in_place)
            gemm_fetch_results(y, row, rows, column, columns);
        else if (last)
            gemm_fetch_target(y, pixel, rows, column, columns);
        if (ahead)
            next = gemm_fetch_rows(&job->a, place, ahead, k0, kc, (column - first) / TILE_N, panels);
        tile_run_lines(left.stretch, left.a, left.row, 1, job->b + column * job->k + k0 * TILE_N, TILE_N, c, ld,
                       (int)rows, (int)columns, k0 ? TILE_RESUME : TILE_ZERO,
                       last && job->in_place && !nothing ? &finish : NULL, left.lines, next);
        next.p += kc / TILE_STEP * next.step;
        if (last && !job->in_place)
            gemm_finish(y, c, ld, pixel, rows, column, columns);
        else if (last && curved)
            view_act(y->act, c, ld, rows, columns);
    }
}

/* Batch statistics, or sums for a batch norm's backward, of a task, a chunk of pixels, while it is in the second cache. */
static void gemm_moments(const tx_gemm_forward_job *job, size_t row, size_t rows, size_t first, size_t columns)
{
    size_t at = row / TX_CHUNK * job->n + first;
    if (job->reduce) {
        tx_tensor dy = {.data = job->y.data, .c = (int)job->n, .ld = job->y.ld};
        channel_bn_reduce(&job->reduce->x, job->reduce->mean, &dy, row, rows, first, columns, job->part[0] + at,
                          job->part[1] + at);
        return;
    }
    tx_view y = {.data = job->y.data, .c = (int)job->n, .ld = job->y.ld};
    int follow = job->column_tasks == 1 && row + 2 * rows <= job->m;
    channel_written_moments(&y, row, rows, first, columns, job->part[0] + at, job->part[1] + at, job->part[2] + at,
                            follow);
}

static void gemm_forward(const tx_gemm_forward_job *job, size_t task, float *work)
{
    size_t row0 = task / job->column_tasks * job->task_rows, first = task % job->column_tasks * job->task_columns;
    size_t rows = job->m - row0 < job->task_rows ? job->m - row0 : job->task_rows;
    size_t columns = job->n - first < job->task_columns ? job->n - first : job->task_columns;
    float *sums = work + GEMM_ROWS * job->depth;
    size_t k0 = 0, tiles = (rows + TILE_M - 1) / TILE_M;
    do {
        size_t kc = job->k - k0 < job->depth ? job->k - k0 : job->depth;
        for (size_t i = 0; i < tiles; i++) { /* of nearly equal heights */
            size_t r = rows * i / tiles, here = rows * (i + 1) / tiles - r;
            gemm_forward_rows(job, row0 + r, here, k0, kc, first, first + columns, work,
                              sums + (job->k > job->depth ? r * job->task_columns : 0));
        }
        k0 += kc;
    } while (k0 < job->k);
    if (job->part[0])
        gemm_moments(job, row0, rows, first, columns);
}

/* ---------------------------------------------------------------------------------------- gradient */

/* dY's columns n0.. of a chunk as panels, row by row: a column of them would fall into few sets of the caches. */
static void gemm_pack_dy(const tx_gemm_gradient_job *job, size_t row, size_t rows, const tx_gemm_block *block,
                         float *panels)
{
    size_t whole = block->nc / 16 * 16, padded = (block->nc + TILE_N - 1) / TILE_N * TILE_N;
    for (size_t r = 0; r < rows; r++) {
        const float *in = job->dy + (row + r) * job->dy_ld + block->n0;
        float *out = panels + r * TILE_N;
        for (size_t j = 0; j < padded; j += 16) {
            f32x16 v = j < whole ? v_load(in + j) : j < block->nc ? v_load_n(in + j, (int)(block->nc - j)) : v_zero();
            v_store(out + j / TILE_N * TILE_N * GEMM_PANEL + j % TILE_N, v);
        }
    }
}

/* A block of a matrix, GEMM_CHUNK rows, to ask for while some tiles are computed: where whole rows are wanted evenly spread
 * over all moments, else in units of a line of 16 columns of one of TILE_STEP parts of the rows, spread over the tiles. */
typedef struct gemm_fetch {
    uintptr_t data;
    size_t ld, tiles, left; /* tiles in all and to come */
    size_t step;            /* of whole rows: bytes a moment */
    size_t units, unit, due;
} gemm_fetch;

enum { GEMM_MOMENTS = GEMM_CHUNK / TILE_STEP }; /* of a tile, in each of which it asks for a line */

static gemm_fetch gemm_fetch_block(uintptr_t data, size_t ld, size_t columns, size_t tiles)
{
    gemm_fetch f = {.data = data, .ld = ld, .tiles = tiles, .left = tiles, .units = (columns + 15) / 16 * TILE_STEP};
    if (columns == ld && tiles > 0)
        f.step = ld * sizeof(float) * GEMM_CHUNK / (tiles * GEMM_MOMENTS);
    return f;
}

/* What the next tile shall ask for. */
static tile_ahead gemm_fetch_next(gemm_fetch *f)
{
    tile_ahead ahead = {f->data, 0};
    if (f->left == 0)
        return ahead;
    f->left--;
    if (f->step > 0) {
        ahead.p += (f->tiles - f->left - 1) * GEMM_MOMENTS * f->step;
        ahead.step = f->step;
        return ahead;
    }
    f->due += f->units;
    if (f->due < f->tiles || f->unit == f->units)
        return ahead;
    f->due -= f->tiles;
    ahead.p += sizeof(float) * (f->unit % TILE_STEP * GEMM_MOMENTS * f->ld + 16 * (f->unit / TILE_STEP));
    ahead.step = f->ld * sizeof(float);
    f->unit++;
    return ahead;
}

/* Rows of a matrix as tiles of TILE_M columns, the numbers of a tile without gaps, `deep` rows in all; the last tile may be
 * narrower. Six columns are moved as eight where the next row overwrites the two that are too many. */
static void gemm_pack_tiles(const float *in, size_t ld, size_t rows, size_t columns, float *out, size_t deep)
{
    size_t i = 0;
    for (; i + TILE_M <= columns; i += TILE_M) {
        const float *from = in + i;
        float *to = out + i * deep, *end = to + rows * TILE_M;
        if (TILE_M == 6 && i + 8 <= columns)
            for (; to + TILE_M < end; to += TILE_M, from += ld)
                v_move8(to, from);
        for (; to < end; to += TILE_M, from += ld)
            memcpy(to, from, TILE_M * sizeof(float));
    }
    for (size_t r = 0; r < rows && i < columns; r++)
        for (size_t j = i; j < columns; j++)
            out[i * deep + r * TILE_M + (j - i)] = in[r * ld + j];
}

/* Columns of A of one chunk, as tiles or in place: element (r, i + j) of tile i stands at data[i*tile + r*row + j]. */
typedef struct gemm_columns {
    const float *data;
    size_t tile, row;
} gemm_columns;

static gemm_columns gemm_take_columns(const tx_gemm_gradient_job *job, const gemm_place *place, size_t row, size_t rows,
                                      size_t k0, size_t kc, float *work)
{
    const float *in = job->a.x.data + (job->a_row + row) * job->a.x.ld + k0;
    gemm_columns place_in = {in, 1, job->a.x.ld}, grouped = {work, 1, kc}, tiled = {work, rows, TILE_M};
    if (job->a_in_place && TILE_M > 8) /* of narrow tiles a line holds too much that is not wanted */
        return place_in;
    if (TILE_M > 8 && !job->a_pixels) {
        gemm_pack_rows(&job->a, place, rows, k0, kc, work);
        return grouped;
    }
    float *strip = work + GEMM_CHUNK * GEMM_GROUP;
    for (size_t r = 0; r < rows; r += GEMM_STRIP) {
        size_t some = rows - r < GEMM_STRIP ? rows - r : GEMM_STRIP;
        if (job->a_pixels) {
            gemm_pack_tiles(in + r * job->a.x.ld, job->a.x.ld, some, kc, work + r * TILE_M, rows);
        } else {
            gemm_pack_rows(&job->a, place + r, some, k0, kc, strip);
            gemm_pack_tiles(strip, kc, some, kc, work + r * TILE_M, rows);
        }
    }
    return tiled;
}

/* dY of a chunk, some columns: column j of row r stands at data[j*panel + r*row]. */
typedef struct gemm_panels {
    const float *data;
    size_t panel, row;
} gemm_panels;

static gemm_panels gemm_take_panels(const tx_gemm_gradient_job *job, size_t row, size_t rows,
                                    const tx_gemm_block *block, float *work)
{
    gemm_panels place_in = {job->dy + row * job->dy_ld + block->n0, 1, job->dy_ld}, packed = {work, GEMM_PANEL, TILE_N};
    if (job->dy_in_place)
        return place_in;
    gemm_pack_dy(job, row, rows, block, work);
    return packed;
}

/* out (+)= A' dY for one chunk of rows, some columns of A by some of dY. The first tiles of a panel ask for the next one. */
static void gemm_gradient_group(gemm_columns a, gemm_panels b, size_t chunk_rows, size_t rows, size_t columns,
                                float *out, size_t ld, int add, gemm_fetch *fetch)
{
    for (size_t j = 0; j < columns; j += TILE_N) {
        tile_stream next = {0};
        if (b.row == TILE_N && j + TILE_N < columns)
            tile_stream_range(&next, 0, tile_address(b.data, (j + TILE_N) * b.panel), chunk_rows * TILE_N);
        for (size_t i = 0; i < rows; i += TILE_M) {
            float *to = out + i * ld + j;
            size_t m = rows - i < TILE_M ? rows - i : TILE_M, n = columns - j < TILE_N ? columns - j : TILE_N;
            tile_ahead ahead = tile_stream_next(&next, chunk_rows);
            if (!ahead.step)
                ahead = gemm_fetch_next(fetch->left ? fetch : fetch + 1);
            for (size_t r = 0; r < m; r++)
                for (size_t v = 0; v < n; v += 16)
                    TX_PREFETCH_WRITE(to + r * ld + v);
            tile_run(chunk_rows, a.data + i * a.tile, 1, a.row, b.data + j * b.panel, b.row, to, ld, (int)m, (int)n,
                     add ? TILE_ADD : TILE_ZERO, NULL, ahead);
        }
    }
}

/* What to ask for during columns n0.. of dY: the next columns of dY, or A and dY of the next chunk. */
static void gemm_fetch_after(const tx_gemm_gradient_job *job, size_t row, const tx_gemm_block *block,
                             const tx_gemm_block *some, gemm_fetch fetch[2])
{
    size_t tiles = (block->kc + TILE_M - 1) / TILE_M * ((some->nc + TILE_N - 1) / TILE_N), a_tiles = 0;
    size_t a_ld = job->a.x.ld, column = some->n0 + some->nc, end = block->n0 + block->nc;
    if (column == end) {
        row += GEMM_CHUNK;
        column = block->n0;
    }
    size_t columns = end - column < GEMM_PANELS ? end - column : GEMM_PANELS;
    if (row + GEMM_CHUNK > job->m)
        row = tiles = 0;
    if (column == block->n0 && job->a_at_pixels)
        a_tiles = tiles * block->kc / (block->kc + columns);
    uintptr_t a = tile_address(job->a.x.data, (job->a_row + row) * a_ld + block->k0),
              dy = job->next_dy ? tile_address(job->next_dy, column) : tile_address(job->dy, row * job->dy_ld + column);
    fetch[0] = gemm_fetch_block(a, a_ld, block->kc, a_tiles);
    fetch[1] = gemm_fetch_block(dy, job->next_dy ? job->next_ld : job->dy_ld, columns, tiles - a_tiles);
}

static void gemm_gradient_chunk(const tx_gemm_gradient_job *job, size_t chunk, const tx_gemm_block *block, float *out,
                                size_t ld, int add, float *work)
{
    gemm_place place[GEMM_CHUNK];
    size_t row = chunk * GEMM_CHUNK, rows = job->m - row < GEMM_CHUNK ? job->m - row : GEMM_CHUNK;
    if (!job->a_pixels)
        gemm_places(&job->a, job->a_row + row, rows, place);
    for (size_t j = 0; j < block->nc; j += GEMM_PANELS) {
        tx_gemm_block some = {block->k0, block->kc, block->n0 + j, block->nc - j};
        some.nc = some.nc < GEMM_PANELS ? some.nc : GEMM_PANELS;
        gemm_panels b = gemm_take_panels(job, row, rows, &some, work + (GEMM_CHUNK + GEMM_STRIP) * GEMM_GROUP);
        gemm_fetch fetch[2];
        gemm_fetch_after(job, row, block, &some, fetch);
        for (size_t g = 0; g < block->kc; g += GEMM_GROUP) {
            size_t group = block->kc - g < GEMM_GROUP ? block->kc - g : GEMM_GROUP;
            gemm_columns a = gemm_take_columns(job, place, row, rows, block->k0 + g, group, work);
            gemm_gradient_group(a, b, rows, group, some.nc, out + g * ld + j, ld, add, fetch);
        }
    }
}

static void gemm_gradient(const tx_gemm_gradient_job *job, size_t first, size_t chunks, const tx_gemm_block *block,
                          float *out, size_t ld, int add, float *work)
{
    for (size_t i = 0; i < chunks; i++)
        gemm_gradient_chunk(job, first + i, block, out, ld, add || i > 0, work);
}

static void gemm_total(float *sum, const float *part, size_t parts, size_t step, size_t n, int add)
{
    for (size_t j = 0; j < n; j += 16) {
        f32x16 s = v_take(part + j, n - j);
        if (add)
            s = v_add(v_take(sum + j, n - j), s);
        for (size_t p = 1; p < parts; p++)
            s = v_add(s, v_take(part + p * step + j, n - j));
        v_put(sum + j, s, n - j);
    }
}

/* What kernels/all.h puts into the table. */
#define GEMM_KERNELS                                                                               \
    {                                                                                              \
        .pack = gemm_pack, .forward = gemm_forward, .gradient = gemm_gradient, .total = gemm_total \
    }
