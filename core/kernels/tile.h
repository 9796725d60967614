/* tile.h - the micro-kernel: a block of a matrix product that lives in registers. Private to core.
 *
 *   tile_run(k, a, a_row, a_k, b, b_k, c, ldc, rows, cols, mode, end, lines, ahead)
 *   for i < rows <= TILE_M, j < cols <= TILE_N:
 *       s = TILE_RESUME ? c[i*ldc + j] : 0
 *       for p = 0, 1, .. k-1:  s = fma(a[i*a_row + p*a_k], b[p*b_k + j], s)
 *       c[i*ldc + j] = TILE_ADD ? c[i*ldc + j] + s : end ? what becomes of s by it : s
 *
 * One chain of fused multiply-adds an output, p ascending: the sizes of tiles and of blocks of k, where a later block
 * resumes from what an earlier one stored, have no influence on the bits. a is read where it stands, with any strides
 * (rows of a matrix: a_k = 1; its transpose: a_row = 1). b is a panel, k rows of TILE_N floats, mostly packed (b_k = TILE_N);
 * columns from `cols` on are computed at most, never stored. Of c and a nothing outside of rows and cols is touched.
 *
 * The accumulators fill the registers: 28 of 32 zmm, 12 of 16 ymm, 24 of 32 q. A row's address is one of two pointers
 * plus 0, 1, 2, 4 times a_row or 1, 2 times 3*a_row or 5*a_row, which x86 addresses directly: five registers serve
 * fourteen rows, where a pointer a row would spill.
 */
#ifndef THORAX_TILE_H
#define THORAX_TILE_H

#include "../simd/simd.h"

/* TILE_STEP: so many k are written out one after the other. */
#if defined(TX_SIMD_AVX512)
#define TILE_M 14
#define TILE_V 2
#define TILE_STEP 1
#elif defined(TX_SIMD_AVX2) || defined(TX_SIMD_NEON)
#define TILE_M 6
#define TILE_V 1
#define TILE_STEP 2
#else
#define TILE_M 4
#define TILE_V 1
#define TILE_STEP 1
#endif
#define TILE_N (16 * TILE_V)

enum { TILE_ZERO = 0, TILE_RESUME = 1, TILE_ADD = 2 };

#if defined(__GNUC__) || defined(__clang__)
/* Hides from the compiler how a pointer came about, so that it does not keep one of its own for every row. */
#define TILE_OPAQUE(p) __asm__ volatile("" : "+r"(p) : : "memory")
#else
#define TILE_OPAQUE(p) ((void)0)
#endif

/* Accumulators are registers only if every loop over them is unrolled. */
#if TILE_M == 4
#define TILE_UNROLL
#elif defined(__clang__)
#define TILE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILE_UNROLL _Pragma("GCC unroll 16")
#endif

/* Memory that will be needed next, asked for while this tile is computed: a cache line every TILE_STEP of k. */
typedef struct tile_ahead {
    uintptr_t p;
    size_t step; /* bytes from one such moment to the next */
} tile_ahead;

/* What several tiles ask for: ranges of memory, one after the other. */
enum { TILE_RANGES = 3, TILE_LINE = 64 };
typedef struct tile_stream {
    struct {
        uintptr_t p;
        size_t lines; /* to go */
    } range[TILE_RANGES];
    int at;
} tile_stream;

/* Where floats[n] stands, or would. */
TX_INLINE uintptr_t tile_address(const float *floats, size_t n)
{
    return (uintptr_t)floats + n * sizeof(float);
}

TX_INLINE void tile_stream_range(tile_stream *s, int i, uintptr_t p, size_t floats)
{
    s->range[i].p = p;
    s->range[i].lines = (floats * sizeof(float) + TILE_LINE - 1) / TILE_LINE;
}

/* The part of a tile of depth k. */
TX_INLINE tile_ahead tile_stream_next(tile_stream *s, size_t k)
{
    size_t moments = k / TILE_STEP;
    while (s->at < TILE_RANGES - 1 && s->range[s->at].lines == 0)
        s->at++;
    size_t lines = s->range[s->at].lines < moments ? s->range[s->at].lines : moments;
    tile_ahead ahead = {s->range[s->at].p, lines ? TILE_LINE : 0};
    s->range[s->at].p += lines * TILE_LINE;
    s->range[s->at].lines -= lines;
    return ahead;
}

/* What becomes of a finished sum before it is stored: min(ceiling, max(floor, z)), z = scale (sum + bias) + shift + add. Each
 * is a row of the tile's columns, NULL where there is none; of the addend there is one for each row. */
typedef struct tile_end {
    const float *bias, *scale, *shift, *add;
    size_t add_ld;
    float floor, ceiling;
} tile_end;

/* Stretches of k, each of a row's operands that stand together. */
typedef struct tile_lines {
    size_t count, apart;
} tile_lines;

/* Where the chains have got to. */
typedef struct tile_place {
    const float *a, *a7, *b; /* rows 0 and 7 of a, a row of b */
    size_t k;                /* left */
} tile_place;

/* The chains of `rows` x `vecs`*16 outputs, `unroll` of k at a time while there are as many; all three are constants where
 * this is inlined. */
TX_INLINE void tile_chain(int rows, int vecs, size_t unroll, tile_place *at, size_t a_row, size_t a_k, size_t b_k,
                          tile_ahead ahead, f32x16 acc[TILE_M][TILE_V])
{
    const float *a = at->a, *a7 = at->a7, *b = at->b;
    size_t k = at->k;
    size_t step[7] = {0, a_row, 2 * a_row, 3 * a_row, 4 * a_row, 5 * a_row, 6 * a_row};
    for (; k >= unroll; k -= unroll) {
        TX_PREFETCH(ahead.p);
        ahead.p += ahead.step;
        TILE_UNROLL
        for (size_t s = 0; s < unroll; s++) {
            f32x16 bv[TILE_V];
            TILE_UNROLL
            for (int j = 0; j < vecs; j++)
                bv[j] = v_load(b + 16 * j);
            TILE_UNROLL
            for (int i = 0; i < rows; i++) {
                f32x16 av = v_set1(i < 7 ? a[step[i]] : a7[step[i - 7]]);
                TILE_UNROLL
                for (int j = 0; j < vecs; j++)
                    acc[i][j] = v_fma(av, bv[j], acc[i][j]);
            }
            a += a_k;
            a7 += a_k;
            b += b_k;
            TILE_OPAQUE(a);
            TILE_OPAQUE(a7);
        }
    }
    at->a = a;
    at->a7 = a7;
    at->b = b;
    at->k = k;
}

/* Vector j of all rows; of the last one `last` columns exist. */
TX_INLINE void tile_finish(int rows, int j, size_t last, const tile_end *end, f32x16 acc[TILE_M][TILE_V])
{
    f32x16 floor = v_set1(end->floor), ceiling = v_set1(end->ceiling);
    if (end->bias) {
        f32x16 bias = v_take(end->bias + 16 * j, last);
        TILE_UNROLL
        for (int i = 0; i < rows; i++)
            acc[i][j] = v_add(acc[i][j], bias);
    }
    if (end->scale) {
        f32x16 scale = v_take(end->scale + 16 * j, last), shift = v_take(end->shift + 16 * j, last);
        TILE_UNROLL
        for (int i = 0; i < rows; i++)
            acc[i][j] = v_fma(scale, acc[i][j], shift);
    }
    if (end->add) {
        const float *add = end->add + 16 * j;
        TILE_UNROLL
        for (int i = 0; i < rows; i++) {
            acc[i][j] = v_add(acc[i][j], v_take(add, last));
            add += end->add_ld;
            TILE_OPAQUE(add);
        }
    }
    TILE_UNROLL
    for (int i = 0; i < rows; i++)
        acc[i][j] = v_min(ceiling, v_max(floor, acc[i][j]));
}

/* The tile with `rows` and `vecs` constant. Of the last vector of a row `last` columns exist. */
TX_INLINE void tile_block(int rows, int vecs, size_t k, const float *a, size_t a_row, size_t a_k, const float *b,
                          size_t b_k, float *c, size_t ldc, int last, int mode, const tile_end *end, tile_lines lines,
                          tile_ahead ahead)
{
    f32x16 acc[TILE_M][TILE_V];
    TILE_UNROLL
    for (int i = 0; i < rows; i++) {
        TILE_UNROLL
        for (int j = 0; j < vecs; j++)
            acc[i][j] = v_zero();
    }
    if (mode == TILE_RESUME) {
        const float *in = c;
        TILE_UNROLL
        for (int i = 0; i < rows; i++) {
            TILE_UNROLL
            for (int j = 0; j < vecs - 1; j++)
                acc[i][j] = v_load(in + 16 * j);
            acc[i][vecs - 1] = last == 16 ? v_load(in + 16 * (vecs - 1)) : v_load_n(in + 16 * (vecs - 1), last);
            in += ldc;
            TILE_OPAQUE(in);
        }
    }
    tile_place at = {a, rows > 7 ? a + 7 * a_row : a, b, k};
    for (;;) {
        tile_chain(rows, vecs, TILE_STEP, &at, a_row, a_k, b_k, ahead, acc);
        if (TILE_STEP > 1)
            tile_chain(rows, vecs, 1, &at, a_row, a_k, b_k, ahead, acc);
        if (--lines.count == 0)
            break;
        at.a += lines.apart - k * a_k;
        at.a7 += lines.apart - k * a_k;
        at.k = k;
    }
    if (end) {
        TILE_UNROLL
        for (int j = 0; j < vecs; j++)
            tile_finish(rows, j, j < vecs - 1 ? 16 : (size_t)last, end, acc);
    }
    TILE_UNROLL
    for (int i = 0; i < rows; i++) {
        TILE_UNROLL
        for (int j = 0; j < vecs; j++) {
            float *out = c + 16 * j;
            if (j < vecs - 1 || last == 16)
                v_store(out, mode == TILE_ADD ? v_add(v_load(out), acc[i][j]) : acc[i][j]);
            else
                v_store_n(out, last, mode == TILE_ADD ? v_add(v_load_n(out, last), acc[i][j]) : acc[i][j]);
        }
        c += ldc;
        TILE_OPAQUE(c);
    }
}

TX_INLINE void tile_rows(int vecs, size_t k, const float *a, size_t a_row, size_t a_k, const float *b, size_t b_k,
                         float *c, size_t ldc, int rows, int last, int mode, const tile_end *end, tile_lines lines,
                         tile_ahead ahead)
{
    switch (rows) {
#if TILE_M == 14
    case 14:
        tile_block(14, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 13:
        tile_block(13, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 12:
        tile_block(12, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 11:
        tile_block(11, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 10:
        tile_block(10, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 9:
        tile_block(9, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 8:
        tile_block(8, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 7:
        tile_block(7, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
#endif
#if TILE_M >= 6
    case 6:
        tile_block(6, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 5:
        tile_block(5, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
#endif
    case 4:
        tile_block(4, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 3:
        tile_block(3, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    case 2:
        tile_block(2, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    default:
        tile_block(1, vecs, k, a, a_row, a_k, b, b_k, c, ldc, last, mode, end, lines, ahead);
        break;
    }
}

/* ceil(cols/16)*16 columns of b are read. */
TX_NOINLINE void tile_run_lines(size_t k, const float *a, size_t a_row, size_t a_k, const float *b, size_t b_k,
                                float *c, size_t ldc, int rows, int cols, int mode, const tile_end *end,
                                tile_lines lines, tile_ahead ahead)
{
    if (TILE_V == 2 && cols > 16)
        tile_rows(TILE_V, k, a, a_row, a_k, b, b_k, c, ldc, rows, cols - 16, mode, end, lines, ahead);
    else
        tile_rows(1, k, a, a_row, a_k, b, b_k, c, ldc, rows, cols, mode, end, lines, ahead);
}

TX_INLINE void tile_run(size_t k, const float *a, size_t a_row, size_t a_k, const float *b, size_t b_k, float *c,
                        size_t ldc, int rows, int cols, int mode, const tile_end *end, tile_ahead ahead)
{
    tile_run_lines(k, a, a_row, a_k, b, b_k, c, ldc, rows, cols, mode, end, (tile_lines){1, 0}, ahead);
}

#endif
