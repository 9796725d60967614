/* gemm_kernels.h - what the matrix products (gemm.c) ask of an instruction set: kernels/gemm.h, compiled. */
#ifndef THORAX_GEMM_KERNELS_H
#define THORAX_GEMM_KERNELS_H

#include "op.h"

enum {
    GEMM_COLUMNS = 32, /* packed operands are padded to this many columns, a multiple of every TILE_N */
    GEMM_ROWS = 14,    /* no TILE_M is larger */
    GEMM_CHUNK = TX_GEMM_CHUNK,
    GEMM_PANEL = GEMM_CHUNK + 1, /* rows of a panel of dY: the panels begin in different sets of the caches */
    GEMM_GROUP = 168,            /* rows of dW whose columns of A are packed at once: a multiple of every TILE_M */
    GEMM_STRIP = 16,             /* rows of these that stay in the first cache between two ways of packing */
    GEMM_PANELS = 2048           /* columns of dY that are packed at once */
};

/* y = A B, M x N x K, cut into tasks of task_rows x task_columns outputs; a multiple of GEMM_COLUMNS columns, or all. */
typedef struct tx_gemm_forward_job {
    tx_rows a;
    const float *b; /* packed */
    tx_target y;
    size_t m, n, k;
    size_t depth; /* of k at a time, a later block resuming where the one before it stopped */
    size_t task_rows, task_columns;
    size_t row_tasks, column_tasks;
    float *part[3];             /* moments.h: of channel 0 of chunk 0; NULL: nobody wants batch statistics, */
    const tx_reduction *reduce; /* or these sums in their place */
    int plain;                  /* row r goes to pixel r, */
    int in_place;               /* and may hold partial sums, as it is not the addend too */
    int a_pixels;               /* row r of A is pixel r, */
    int a_in_place;             /* and is read where it stands */
    int a_dense;                /* a block of k of some rows is one stretch of x */
    size_t lines, line;         /* a row within the map is so many stretches of x, each as long; 0: it is not */
} tx_gemm_forward_job;

/* dW = A' dY, K x N, over M rows in chunks. A block is rows k0.. of dW, kc of them, by columns n0.. */
typedef struct tx_gemm_gradient_job {
    tx_rows a;
    const float *dy;
    size_t dy_ld;
    const float
        *next_dy; /* to be fetched: rows of dY for the next chunk, if they are not those behind this one's, or NULL */
    size_t next_ld;
    size_t m, n, k;
    size_t a_row; /* of A, which row 0 of dY belongs to */
    size_t chunks;
    int a_at_pixels; /* row r of A stands at pixel r, though it may be read through scale and act */
    int a_pixels, a_in_place, dy_in_place;
} tx_gemm_gradient_job;

typedef struct tx_gemm_block {
    size_t k0, kc, n0, nc;
} tx_gemm_block;

typedef struct tx_gemm_kernels {
    /* Rows k0..k1 of one panel (TILE_N columns) of the packed operand whose panel 0 begins at `packed`. */
    void (*pack)(const tx_filter *w, float *packed, size_t panel, size_t k0, size_t k1);
    void (*forward)(const tx_gemm_forward_job *job, size_t task, float *work);
    /* out[(k - k0)*ld + o - n0] = the block's sum over some chunks, added to what is there if `add`. */
    void (*gradient)(const tx_gemm_gradient_job *job, size_t first, size_t chunks, const tx_gemm_block *block,
                     float *out, size_t ld, int add, float *work);
    /* sum[i] = (((add ? sum[i] + part[0][i] : part[0][i]) + part[1][i]) + ..), parts `step` floats apart */
    void (*total)(float *sum, const float *part, size_t parts, size_t step, size_t n, int add);
} tx_gemm_kernels;

#endif
