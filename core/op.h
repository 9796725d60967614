/* op.h - for whoever writes an operation: how values and gradients are read and written, the table that says what an
 * operation is and does, and the passes that operations are made of. core.h is enough to describe and run networks. */
#ifndef THORAX_OP_H
#define THORAX_OP_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------- machine */
/* What computes: a number of threads with an instruction set. Work memory and the layout of packed weights depend on it, so
 * whatever is sized, packed and computed together is given the same one: a plan takes one when it is made, its steps hand
 * it on. */
typedef struct tx_kernels tx_kernels;
typedef struct tx_machine {
    int threads;
    const tx_kernels *kernels;
} tx_machine;
/* tx_threads() with the instruction set in use. */
tx_machine tx_machine_now(void);
/* tx_parallel_for with the machine's number of threads; worker is below it. */
tx_status tx_parallel_on(const tx_machine *machine, size_t n, tx_task *fn, void *context);

/* ------------------------------------------------------------------------------------------ values
 * Three descriptors carry what the planner fuses: how a value is read (tx_view), how a gradient is read (tx_slope), how a
 * result is written (tx_target). Whoever cannot read one is given the value written out instead (tx_op reads).
 * Distances and sizes count elements, of TX_ELEMENT bytes.
 *
 * A value as its reader sees it: gate[i][c] * act(scale[c]*data + shift[c]), one fused multiply-add, the activation, one
 * multiplication. scale NULL (then shift too): the data as they are; gate NULL: 1, else one row of c an image, gate_ld
 * apart. Pixel (i,y,x) stands at data + ((i*h+y)*w+x)*ld, its c channels contiguous, ld >= c; so a slice of a wider tensor
 * is a view too. */
enum { TX_ELEMENT = sizeof(float) };
typedef struct tx_view {
    const float *data;
    int n, h, w, c;
    size_t ld;
    const float *scale, *shift;
    tx_act act;
    const float *gate;
    size_t gate_ld;
} tx_view;

/* A dense or strided tensor that is written: pixel (i,y,x) at data + ((i*h+y)*w+x)*ld. */
typedef struct tx_tensor {
    float *data;
    int n, h, w, c;
    size_t ld;
} tx_tensor;

/* A gradient as its reader sees it: k[c]*(g - mean_g[c] - (x - mean[c])*slope[c]), where g = act'(z) * data, z = x->scale x +
 * x->shift, k = x->scale: what a batch norm of x, with the activation x->act behind it, hands back, taken when it is read
 * and never written. mean NULL: g alone. x.data NULL: the data as they are. */
typedef struct tx_slope {
    tx_tensor g;
    tx_view x;
    const float *mean, *mean_g, *slope;
} tx_slope;

/* Batch statistics of a value, a channel: mean and (biased) variance. mean NULL: nobody wants them, or there are none.
 * work: of the writer, tx_channel_work bytes for the value's pixels and channels. */
typedef struct tx_moments {
    double *mean, *variance;
    void *work;
} tx_moments;

/* The two sums with which backward of a batch norm begins, for the step that writes its dy, as tx_channel_bn_reduce takes them:
 * x is what the batch norm reads, with its scale, shift and activation. sum_g NULL: nobody wants them. work: of the writer,
 * tx_channel_work bytes. */
typedef struct tx_reduction {
    tx_view x;
    const float *mean;
    double *sum_g, *sum_gx;
    void *work;
} tx_reduction;

/* The gradient of one input as a step must produce it: data = add + contribution, add NULL for 0 (add may be data
 * itself). data NULL: nobody wants it. */
typedef struct tx_gradient {
    float *data;
    size_t ld;
    const float *add;
    size_t add_ld;
} tx_gradient;

/* One node as it is run, with what the planner fused to it. Pointers are the session's. */
struct tx_step {
    const tx_node *node;
    int n;              /* images in this run */
    int training;       /* 1: batch statistics, dropout (TX_TRAIN) */
    int backward;       /* 1: forward keeps what backward needs; 0: backward will not run, nobody wants its gradients */
    int view;           /* the result is a view: what the kind says */
    int again;          /* 1: forward has run before, its result was dropped and is made again */
    uint64_t seed, run; /* what random operations draw by: the session's seed and the number of this training run */
    const tx_machine *machine; /* the plan's */
    tx_view *x;                /* the inputs, to be read as views as far as the operation says (reads) */
    tx_tensor y;         /* data NULL: the result is a view on x[0] (batch norm whose readers apply it themselves) */
    tx_act act;          /* activation fused to the result */
    const tx_node *fold; /* inference: the batch norm folded into this convolution, or NULL */
    tx_view add;         /* inference: what is added before act; data NULL: nothing */
    int has_add;
    tx_slope dy;     /* backward: gradient of the result (after act); where the operation reads no slopes, dy.g alone */
    tx_gradient *dx; /* backward: one an input */
    float *param[TX_MAX_PARAMS];
    float *grad[TX_MAX_PARAMS]; /* gradients of trained parameters; written, not added to. NULL: nobody wants it */
    float *fold_param[TX_MAX_PARAMS];
    int64_t *counter;     /* the counter among the parameters, or NULL */
    tx_moments moments;   /* batch statistics of the result: filled by the forward of a TX_MOMENTS, else behind it */
    tx_moments x_moments; /* training, a TX_AFFINE: batch statistics of x[0] */
    tx_reduction reduce;  /* a TX_REDUCES: of dx[0], filled by its backward */
    const double *sum_g, *sum_gx; /* a TX_AFFINE: of dy, taken by whoever wrote it; NULL: not taken */
    void *saved;                  /* from forward to backward (TX_INFER: from prepare on, kept for good) */
    void *prepared;               /* what prepare makes of the weights (with backward: only within the step) */
    void *work;                   /* scratch within the step */
};

/* What the planner reasons about. */
typedef enum tx_kind {
    TX_OTHER,
    TX_DATA,   /* an input of the graph */
    TX_AFFINE, /* a batch norm: in training it is given x[0]'s batch statistics, and y may be a view on x[0], scale and
                  shift being the first 2*c floats of saved; in inference it may be folded into a convolution. Behind them
                  backward leaves mean, mean_g and slope, c floats each: where x[0] comes from a step that reads slopes, dx
                  is not written (data NULL), and that step is given these, dy and x[0] as its own dy */
    TX_ACTIVATION, /* op->act of x[0]; y may be a view: then forward does not run, and backward reads x[0] alone */
    TX_SUM,        /* every input's gradient is the result's */
    TX_CONCAT, /* every input's gradient is a slice of the result's; step->view: the result is a view, raw data in y,
                      scale and shift of all channels in saved */
    TX_SCALE   /* x[0] times x[1], which has one value an image and channel: y may be a view with that gate */
} tx_kind;
enum tx_reads {
    TX_READS_VIEW = 1, /* scale, shift and activation */
    TX_READS_GATE = 2,
    TX_READS_SLOPE = 4
};
enum tx_needs { TX_NEEDS_X = 1, TX_NEEDS_Y = 2, TX_NEEDS_Y_IF_FUSED = 4 /* if an activation is fused to it */ };
enum tx_traits {
    TX_IN_PLACE = 1,      /* backward may write dx over dy */
    TX_FOLDS = 2,         /* in inference takes a following batch norm and a sum into itself */
    TX_RANDOM = 4,        /* draws in training: by the ordinal of the node among those of the graph that do */
    TX_DATA_INPUTS = 8,   /* inputs from the second on are data: no gradient is taken for them */
    TX_NOT_NEGATIVE = 16, /* no result is below 0 where no input is */
    TX_MOMENTS = 32, /* forward fills step->moments where they are wanted; for others a pass behind the step does */
    TX_REDUCES = 64, /* backward fills step->reduce where it is wanted; after others the batch norm takes its sums */
    TX_IDLE = 128    /* one input, and in inference y = x: joins a step before it that folds */
};

/* The operation table. One constant of these an operation, in its own file in layers/. What runs returns a status: that of
 * the calls which it is made of. */
struct tx_op {
    const char *name;
    /* Checks arguments and input shapes, sets h, w, c, declares parameters (tx_node_param). */
    tx_status (*shape)(tx_node *node);
    /* Says what the step needs; the step's shapes are set for the largest batch, its pointers are not. NULL: nothing. */
    void (*plan)(const tx_step *step, tx_workspace *space);
    /* Brings the weights into the form that forward reads. NULL: nothing to do. */
    tx_status (*prepare)(tx_step *step);
    tx_status (*forward)(tx_step *step);
    tx_status (*backward)(tx_step *step);
    /* The definition in double precision; backward adds to dx and dparam. */
    void (*reference_forward)(tx_reference_step *step);
    void (*reference_backward)(tx_reference_step *step);
    const char *no_gradient; /* the reason why there is no backward, where there is none */
    tx_kind kind;
    tx_act act;      /* of a TX_ACTIVATION */
    unsigned reads;  /* tx_reads: what of its inputs' views it applies itself */
    unsigned fuses;  /* bit 1 << act: forward and backward apply step->act, if it is this one */
    unsigned needs;  /* tx_needs: what backward reads */
    unsigned traits; /* tx_traits */
};

/* The double-precision twin of a step: dense NHWC tensors, x[i] with the shapes of the node's inputs. */
struct tx_reference_step {
    const tx_node *node;
    int n, training;
    uint64_t seed, run;
    const double **x;
    double *y;
    const double *dy;
    double **dx;                  /* added to; an entry is NULL where no gradient is wanted */
    double *param[TX_MAX_PARAMS]; /* kept as in tx_weights (HWIO, (in,out)); running statistics are updated in place */
    double *dparam[TX_MAX_PARAMS];
};

/* ------------------------------------------------------------------------------ building operations */
/* Adds a node; args (size bytes, may be NULL with 0) are copied. For the building calls of layers/. On a spoiled graph NULL,
 * and the first error is the message again. */
tx_node *tx_graph_add(tx_graph *graph, const tx_op *op, const char *name, tx_node *const *inputs, int n_inputs,
                      const void *args, size_t size);
/* Within op->shape: declares the parameter NODE.leaf. dims 0..4, shape as in the file. */
tx_status tx_node_param(tx_node *node, const char *leaf, tx_role role, tx_init init, int dims, const int *shape);

/* ------------------------------------------------------------------------------------ matrix products
 * Convolutions and linear layers as products of matrices that nobody writes down. Bits: an output of a forward product
 * is one chain of fused multiply-adds over its K terms in ascending order, from 0; a gradient is such a chain over each
 * chunk of TX_GEMM_CHUNK rows, TX_GEMM_GROUP chunks added in order to a group's sum, the groups added in order. Neither
 * threads nor blocks nor instruction set show in it.
 *
 * The caller keeps its side: steps and extents positive, every product of extents within size_t, work memory, aligned to
 * 64, of as many bytes as the ..._work function says for the same machine and at least as many images, and weights that
 * were packed for the same machine. Operands that are NULL or have no size are an error, and nothing is computed. */
enum { TX_GEMM_CHUNK = 256, TX_GEMM_GROUP = 4 };

/* Offset of a kernel element from the pixel that its output is counted from, in rows and columns of the input. */
typedef struct tx_tap {
    int y, x;
} tx_tap;

/* The implicit matrix of patches, M = n*grid_h*grid_w rows by K = taps*c columns: in row (i,gy,gx) and column (t,ch)
 * stands x[i, gy*step_y + tap[t].y, gx*step_x + tap[t].x, ch] as the reader of x sees it, and 0 where that lies outside of
 * the image (after scale, shift and activation). */
typedef struct tx_rows {
    tx_view x;
    int grid_h, grid_w, step_y, step_x;
    int taps; /* may be 0: then the product is 0 */
    const tx_tap *tap;
} tx_rows;

/* Where row (i,gy,gx) of a product goes: pixel (i, gy*step_y + offset_y, gx*step_x + offset_x) of maps of h x w pixels,
 * n channels of it at data + pixel*ld, as  act((scale[o]*(product + bias[o]) + shift[o]) + add[o]), scale and shift in one
 * fused multiply-add: what a reader makes of product + bias by a view of them, and of that and add by a sum. bias may be
 * NULL; scale and shift too, both; add too, else it is read at the same pixels with distance add_ld. add may be data itself
 * with add_ld = ld, which accumulates; apart from that they do not overlap. moments.mean not NULL (tx_gemm_forward,
 * tx_depthwise_forward): the batch statistics of what is written are taken too, as tx_channel_moments does; every pixel of
 * the maps must be a row. */
typedef struct tx_target {
    float *data;
    size_t ld;
    int h, w, step_y, step_x, offset_y, offset_x;
    const float *bias;
    const float *scale, *shift;
    const float *add;
    size_t add_ld;
    tx_act act;
    tx_moments moments;
    const tx_reduction *reduce; /* NULL, or sums of what is written (tx_gemm_forward alone, and not with moments) */
} tx_target;

/* Weights as the K x n matrix B of a product: B[(t,ch)][o] = data[tap[t]*tap_step + ch*row_step + o*column_step]; tap
 * NULL: 0, 1, ... A plain K x n matrix: taps 1, c K, row_step n, column_step 1. */
typedef struct tx_filter {
    const float *data;
    int taps;
    const int *tap;
    size_t tap_step;
    int c;
    size_t row_step;
    int n;
    size_t column_step;
} tx_filter;

/* Floats that packed weights take, with every instruction set; (size_t)-1 if it does not fit. */
size_t tx_gemm_packed(size_t k, size_t n);
tx_status tx_gemm_pack(const tx_machine *machine, float *packed, const tx_filter *w);
/* target = A B, B packed, of n columns. */
size_t tx_gemm_forward_work(const tx_machine *machine, const tx_rows *a, int n);
tx_status tx_gemm_forward(const tx_machine *machine, const tx_rows *a, const float *packed, int n, const tx_target *y,
                          void *work);
/* dw[k][o] = sum over rows r of A[r][k] dy[r][o], K x dy->c without gaps; pixel r of dy (a view without scale and act)
 * is row r. add: the groups are added to what stands in dw. */
size_t tx_gemm_gradient_work(const tx_machine *machine, const tx_rows *a, int n);
tx_status tx_gemm_gradient(const tx_machine *machine, float *dw, const tx_rows *a, const tx_view *dy, int add,
                           void *work);

/* Both gradients of a product whose rows are the pixels of x, as those of a 1x1 convolution at stride 1 are, in one pass over
 * dy: dx = dx->add + dy B', packed being B' (dy->g.c rows, x->c columns), and dw = A' dy, with the bits of the two products
 * above of dy written out. dx->data or dw NULL: not wanted; reduce NULL, or sums of dx. */
size_t tx_gemm_gradients_work(const tx_machine *machine, const tx_view *x, int n);
tx_status tx_gemm_gradients(const tx_machine *machine, const tx_view *x, const float *packed, const tx_slope *dy,
                            const tx_gradient *dx, const tx_reduction *reduce, float *dw, void *work);
/* 1 if for a result of n channels that takes less time than writing dy out and two products. */
int tx_gemm_gradients_pay(const tx_machine *machine, const tx_view *x, int n);

/* --------------------------------------------------------------------------------------- Winograd
 * Convolution with a 3x3 kernel, stride 1, by F(4x4,3x3): a quarter of the multiplications (winograd.c gives equations,
 * error and source). Maps of h x w pixels with 0, 1 or 2 rows and columns of padding p give results of h + 2p - 2 by
 * w + 2p - 2. The gradient of the input is such a convolution too: of dy, with padding 2 - p and weights turned by half a
 * turn. Bits: a result does not depend on the other images; nothing depends on threads or instruction set.
 *
 * The caller keeps its side as for matrix products; results have at least one pixel. */
/* 1 if it pays for results of h x w pixels, ci input channels, co result channels. */
int tx_winograd_pays(int h, int w, int ci, int co);
/* Multiply-adds of its products for one image: 36 a tile of 4 x 4 results, where the definition takes 9 a result. */
double tx_winograd_products(int h, int w, int ci, int co);
/* Packed weights of k input channels for n results: floats, and from a filter of nine taps. Forward: tap NULL, row_step
 * and column_step as they stand; input gradient: taps 8, 7, .. 0 and the two steps exchanged. */
size_t tx_winograd_packed(int k, int n);
tx_status tx_winograd_pack(const tx_machine *machine, float *packed, const tx_filter *w);
/* y has the size of the results, steps 1 and offsets 0. */
size_t tx_winograd_forward_work(const tx_machine *machine, const tx_view *x, int padding, int n);
tx_status tx_winograd_forward(const tx_machine *machine, const tx_view *x, int padding, const float *packed, int n,
                              const tx_target *y, void *work);
/* dw[tap][c][o], 9 x x->c x dy->c without gaps; dy is a view without scale and act. add: is added to what stands there. */
size_t tx_winograd_gradient_work(const tx_machine *machine, const tx_view *x, int padding, int n);
tx_status tx_winograd_gradient(const tx_machine *machine, float *dw, const tx_view *x, int padding, const tx_view *dy,
                               int add, void *work);

/* --------------------------------------------------------------------------- depthwise convolution
 * Each channel by itself: y[n,oy,ox,c] = sum over taps (ky,kx) of w[ky,kx,c] x[n, oy*stride_h + ky*dilation_h - top,
 * ox*stride_w + kx*dilation_w - left, c], x as its reader sees it and 0 outside of the map (after scale, shift and
 * activation). Bound by memory: x is read once and y written once; both gradients come of one pass over dy and x.
 *
 * Bits: a result is one chain of fused multiply-adds over the taps in ascending (ky,kx), from 0; so is dx, over those taps
 * that meet a row and a column of dy, which is 0 outside of its map. dw and db are such chains over each chunk of TX_CHUNK
 * pixels of dy in the order (n,h,w), the chunks added in index order in double. Nothing else shows.
 *
 * The caller keeps its side as for matrix products: kernels of at most 225 taps, work memory as the functions say. */
typedef struct tx_depthwise {
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int top, left; /* rows and columns of zeros before the map; may be negative */
} tx_depthwise;
/* w: [tap][c]. y has the size of the results, steps 1 and offsets 0. */
size_t tx_depthwise_forward_work(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w);
tx_status tx_depthwise_forward(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, const float *weight,
                               const tx_target *y, void *work);
/* dx (data NULL: nobody wants it), dw [tap][c] and db [c] (NULL likewise) are written; dx = dx->add + its sum. Of h x w
 * pixels is dy. */
size_t tx_depthwise_gradient_work(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, int h, int w);
tx_status tx_depthwise_gradient(const tx_machine *machine, const tx_depthwise *d, const tx_view *x, const float *weight,
                                const tx_slope *dy, const tx_gradient *dx, float *dw, float *db, void *work);

/* ------------------------------------------------------------------------------ channel operations
 * What the operations of layers/ are made of beside matrix products: passes over tensors along their contiguous
 * channels, in parallel over pixels, bound by memory: every operand is read once, nothing is stored between.
 *
 * A sum over pixels is taken in chunks of TX_CHUNK pixels in the order (n,h,w): within a chunk one chain of float
 * additions a channel, the chunks in index order in double. Chunks depend on the shape alone, so the bits do too.
 * Operands that are NULL or have no size are an error, and nothing is computed. */
enum { TX_CHUNK = 128 };
/* Square windows over a map: output o begins at o*stride - top (rows) and o*stride - left (columns). Negative numbers crop:
 * of h rows the first -top are in no window, the last -bottom as if they were outside of the map. */
typedef struct tx_window {
    int kernel, stride, top, left, bottom, right;
    int counts_padding; /* an average divides by the taps on the map and on top, left, bottom and right of it */
} tx_window;
/* y = act(x[0] + x[1] + ..). Of one input it is a copy, an activation, a scale and shift. */
tx_status tx_channel_sum(const tx_machine *machine, const tx_tensor *y, const tx_view *x, int inputs, tx_act act);
/* dx = add + dy act'(z), told from y = act(z): act is RELU, RELU6 or SIGMOID; y NULL: dx = add + dy. dx may be dy or add. A
 * dy of ld 0 is spread over the pixels. */
tx_status tx_channel_mask(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy, const tx_tensor *y,
                          tx_act act);
/* dx = add + dy act'(x). dx may be dy or add. */
tx_status tx_channel_act_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                  const tx_view *x, tx_act act);
/* Scratch of the three below, in bytes. */
size_t tx_channel_work(size_t pixels, int c);
/* sum[c] of the values of a view: a bias's gradient. */
tx_status tx_channel_total(const tx_machine *machine, const tx_view *x, double *sum, void *work);
/* Mean and (biased) variance of the data of x, without scale and act. */
tx_status tx_channel_moments(const tx_machine *machine, const tx_view *x, double *mean, double *variance, void *work);
/* With g = dy act'(scale data + shift), act the activation of view x: sum_g = sum g, sum_gx = sum g (data - mean). */
tx_status tx_channel_bn_reduce(const tx_machine *machine, const tx_view *x, const float *mean, const tx_tensor *dy,
                               double *sum_g, double *sum_gx, void *work);
/* dx = add + scale (g - mean_g - (data - mean) slope), all but the data one value a channel. dx may be dy or add. */
tx_status tx_channel_bn_apply(const tx_machine *machine, const tx_gradient *dx, const tx_view *x, const float *mean,
                              const tx_tensor *dy, const float *mean_g, const float *slope);
/* y (n,1,1,c): the mean of each image's map, its chunks counted from the image's first pixel. */
tx_status tx_channel_image_mean(const tx_machine *machine, const tx_tensor *y, const tx_view *x);
/* Gradients of y = x, where x has a gate: dx = add + dy gate, and dgate[i][c] (a row an image) = add + the sum over the
 * image's pixels of dy times the value before the gate, its chunks counted from the image's first pixel. Either may be NULL.
 * dx may be dy or add. */
tx_status tx_channel_gate_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_gradient *dgate,
                                   const tx_tensor *dy, const tx_view *x);
/* The largest value of each window, what lies outside the map counting as -inf; a NaN is larger than all. argmax, if
 * not NULL, receives n*h*w*c bytes: row * kernel + column of the largest within its window, of equal ones the first, of
 * NaNs the last; kernel <= 15. */
tx_status tx_channel_max_pool(const tx_machine *machine, const tx_tensor *y, unsigned char *argmax, const tx_view *x,
                              const tx_window *window);
/* dx = add + the dy of those windows whose argmax a pixel is. Of x only the shape is read. */
tx_status tx_channel_max_pool_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                       const unsigned char *argmax, const tx_view *x, const tx_window *window);
/* The mean of each window: its sum in row order, times 1/count in float, count as the window says; each window has a tap on
 * the map. */
tx_status tx_channel_avg_pool(const tx_machine *machine, const tx_tensor *y, const tx_view *x, const tx_window *window);
/* dx = add + dy/count of those windows that a pixel is in. Of x only the shape is read. */
tx_status tx_channel_avg_pool_gradient(const tx_machine *machine, const tx_gradient *dx, const tx_tensor *dy,
                                       const tx_view *x, const tx_window *window);

#ifdef __cplusplus
}
#endif
#endif
