/* core.h - the ground floor of Thorax: errors, memory, threads, random numbers, elementary functions,
 * digests, tensors, kernels, and the graph with its gradients.
 *
 * Shapes are written (N,H,W,C): images, rows, columns, channels. float is IEEE binary32, double binary64.
 * The library never exits, aborts or prints. A function that can fail returns a tx_status (or NULL) and leaves
 * one line in tx_error_message(). NULL where an object is needed, an index out of range, a node of another graph are such
 * failures everywhere: a function that returns no status then returns NULL, 0 or NaN, or does nothing, with its message.
 * Only the ..._free functions take NULL for nothing to do.
 */
#ifndef THORAX_CORE_H
#define THORAX_CORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__FAST_MATH__)
#error "Thorax promises the same bits everywhere: build it without -ffast-math"
#endif

#if defined(__GNUC__) || defined(__clang__)
#define TX_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TX_PRINTF(text, first)
#endif

/* ------------------------------------------------------------------------------------------ errors
 * Owner of every message is the library; it lasts until the thread's next failure. */
typedef enum tx_status {
    TX_OK = 0,
    TX_ERR_MEMORY = -1,   /* an allocation failed or a size does not fit size_t           */
    TX_ERR_ARGUMENT = -2, /* the caller asked for what cannot be: shapes, ranges, names   */
    TX_ERR_FILE = -3,     /* the system refused to open, read, write, sync or rename      */
    TX_ERR_FORMAT = -4,   /* a file's bytes are not what its format allows                */
    TX_ERR_MACHINE = -5   /* the machine lacks something: an instruction set, IEEE sums   */
} tx_status;

/* Stores a one-line message (cut at 511 bytes) and returns `status`, so that `return tx_fail(..)` reads well. */
tx_status tx_fail(tx_status status, const char *format, ...) TX_PRINTF(2, 3);
/* Puts "prefix: " before the stored message: a caller adds the file or layer that it knows. Returns status. */
tx_status tx_fail_within(tx_status status, const char *format, ...) TX_PRINTF(2, 3);
/* For a call that was given NULL where WHAT is needed: stores "CALL: no WHAT" and, as NULL mostly comes from a call that
 * failed, the message of the last failure that was none of this kind. So a chain of calls may be checked once, at its
 * end. Returns TX_ERR_ARGUMENT. */
tx_status tx_fail_null(const char *call, const char *what);
/* The message of this thread's last failure ("" before the first). Without thread-local variables in the
 * compiler it is the process's last failure. */
const char *tx_error_message(void);
/* The status with which that message was stored: why a function that returns NULL failed. TX_OK before the first. */
tx_status tx_error_status(void);
/* Copies text from a file into `out` (at least 4 bytes) so that it can stand in a message: control and
 * non-ASCII bytes as \xNN, cut at 80 characters with "..". Returns out. */
const char *tx_escape(char *out, size_t size, const char *text);
#define TX_TEXT 88 /* room that tx_escape needs for its longest answer */

/* ------------------------------------------------------------------------------------------ memory */
/* a*b and a+b with overflow noticed: return 0 and store the result, or -1. */
int tx_size_mul(size_t a, size_t b, size_t *result);
int tx_size_add(size_t a, size_t b, size_t *result);
/* The larger of two sizes, as of work memory that two calls take one after the other. */
size_t tx_size_max(size_t a, size_t b);
/* count*size bytes, zeroed, aligned to 64; NULL and a message if they cannot be had. count or size 0 gives a
 * valid pointer. Every allocation of Thorax goes through here; the caller owns it and gives it to tx_free. */
void *tx_alloc(size_t count, size_t size);
/* Grows an array to at least `need` elements, contents kept; *capacity is in elements. Returns TX_OK or an
 * error with the array untouched. */
tx_status tx_grow(void **array, size_t *capacity, size_t need, size_t size);
void tx_free(void *memory);
/* A copy of a string, owned by the caller; NULL and a message without memory. */
char *tx_strdup(const char *text);
/* For tests: from now on let `n` allocations succeed and fail the next one (n < 0: never fail), and count. */
void tx_alloc_fail_after(long n);
long tx_alloc_count(void);
/* Allocations that have not been freed. */
long tx_alloc_live(void);
/* Blocks behind whose end somebody had written, as was seen when they were freed. The library says nothing of it; the
 * program refuses to call its results good. */
long tx_alloc_spoiled(void);

/* ----------------------------------------------------------------------------------------- threads
 * Calls fn(context, i, worker) once for every i in [0, n), on up to tx_threads() threads; worker is in
 * [0, tx_threads()). Which thread takes which i is not fixed, so fn's result must not depend on it. Nested
 * calls run on the calling thread. Returns when all are done; TX_ERR_MACHINE if a thread's arithmetic is not what
 * tx_self_test asks for, as after some library has set it to flush subnormal numbers: the results are then worth nothing. */
typedef void tx_task(void *context, size_t i, int worker);
tx_status tx_parallel_for(size_t n, tx_task *fn, void *context);
/* Threads of the loops and plans to come: at first as many as tx_cores(). */
int tx_threads(void);
/* 1 if built with threads. tx_set_threads(1 to TX_MAX_THREADS) then takes effect, else the number stays 1. Plans that there
 * are keep the number that they were made with. */
enum { TX_MAX_THREADS = 4096 };
int tx_threads_available(void);
tx_status tx_set_threads(int n);
/* Processors that this process may run on; how many of them a container's quota leaves to it, say 1.5 (0: there is no
 * quota; Linux's cgroups of both versions); and how many threads that makes: the first, or the second rounded up if that
 * is less. */
int tx_processors(void);
double tx_quota(void);
int tx_cores(void);
/* Seconds on a clock that only goes forward, and the process's peak resident bytes (0 where unknown). */
double tx_seconds(void);
size_t tx_peak_memory(void);

/* ------------------------------------------------------------------------------------ kernels and ISA
 * What computes in bulk is compiled for several instruction sets, "portable" among them everywhere, and gives the same
 * bits on each. Chosen at the first use, or by tx_isa_select; plans that there are keep the one that they were made with.
 *
 * tx_isa_select: `name` portable, avx2, avx512 or neon. NULL: what has been selected before, else what the environment
 * variable TX_ISA says, else the best that processor and system offer. TX_ERR_ARGUMENT if there is no such name,
 * TX_ERR_MACHINE if this machine or build lacks it or fails the self-test; the selection is then as it was. */
tx_status tx_isa_select(const char *name);
const char *tx_isa_name(void);
/* The usable ones, best first, at most TX_MAX_ISAS; returns how many. */
enum { TX_MAX_ISAS = 4 };
int tx_isa_list(const char **names);
/* TX_ERR_MACHINE where arithmetic is not what every result here rests on: binary32 and binary64, rounded to nearest, each
 * operation once (no wider intermediate format, no contraction), gradual underflow, fma with one rounding. Of the calling
 * thread, as it is now: costs some ten operations. */
tx_status tx_self_test(void);
/* Floating point operations a second, multiply-adds in registers alone on that many threads with the current
 * instruction set, the best of some runs that take a tenth of a second or more. */
double tx_fma_peak(int threads);
/* The same of a product's register tile, its operands in the first cache: the mean over 20 ms or more, the best of some
 * such runs. 0 and a message without memory. */
double tx_tile_rate(int threads);
/* Bytes a second that are read and written where a large array is copied (two of 128 MiB are allocated for it). 0 and a
 * message without memory. */
double tx_copy_rate(int threads);

/* ---------------------------------------------------------------------------------- random numbers
 * Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a draw
 * is a function of (seed, purpose, step, index) and of nothing else. */
typedef enum tx_purpose {
    TX_RANDOM_INIT = 1, /* step: position of the parameter in state order; index: element, in file (OIHW) order */
    TX_RANDOM_SHUFFLE = 2,
    TX_RANDOM_CROP = 3,
    TX_RANDOM_DROPOUT = 4,
    TX_RANDOM_BOOTSTRAP = 5,
    TX_RANDOM_DATA = 6,
    TX_RANDOM_TEST = 7,
    TX_RANDOM_AUGMENT = 8,
    TX_RANDOM_FRACTAL = 9
} tx_purpose;
void tx_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/* 32 random bits. Key: seed (low word, high word). Counter: index / 4 (low, high 32 bits), step, purpose (top 8
 * bits of word 3) and the upper 24 bits of a 56-bit step; word index % 4 of the block is taken. */
uint32_t tx_random_bits(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* The four draws from index 4 number on, at the cost of one. */
void tx_random_block(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t number, uint32_t out[4]);
/* Uniform on [0, 1): the upper 24 bits / 2^24, exact in float. */
float tx_random_uniform(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* Standard normal by Box and Muller (1958) in double from two 32-bit draws 2*index and 2*index+1, rounded once. */
float tx_random_normal(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* An integer in [0, n), n >= 1 (0 and a message for n = 0), without bias worth mentioning: floor(bits * n / 2^32). */
uint32_t tx_random_below(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index, uint32_t n);
/* order[0..n) becomes a permutation of 0..n-1: sorted by (64 random bits, index). */
tx_status tx_random_permutation(uint64_t seed, tx_purpose purpose, uint64_t step, uint32_t *order, size_t n);

/* ---------------------------------------------------------------------------- elementary functions
 * From +, -, *, /, fma, sqrt and integer operations only, so the same bits with every libm; largest errors are
 * measured in core/README.md. NaN in, NaN out; overflow gives inf, underflow is gradual. */
float tx_expf(float x);
float tx_logf(float x);   /* -inf at 0, NaN below */
float tx_log1pf(float x); /* log(1 + x) */
float tx_tanhf(float x);
float tx_logisticf(float x); /* 1 / (1 + exp(-x)), the sigmoid */
double tx_exp(double x);
double tx_expm1(double x);
double tx_log(double x);
double tx_log1p(double x);
double tx_tanh(double x);
double tx_logistic(double x);
double tx_sin_pi(double x);        /* sin(pi x) */
double tx_cos_pi(double x);        /* cos(pi x) */
double tx_pow(double x, double y); /* x > 0 */
/* One rounding of a*b+c, in every compiler and libc. */
float tx_fmaf(float a, float b, float c);
double tx_fma(double a, double b, double c);

/* ------------------------------------------------------------------------------------------ SHA-256
 * FIPS 180-4. `hex` receives 64 lower-case digits and a zero. */
typedef struct tx_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} tx_sha256;
void tx_sha256_begin(tx_sha256 *s);
void tx_sha256_add(tx_sha256 *s, const void *data, size_t bytes);
void tx_sha256_end(tx_sha256 *s, char hex[65]);
/* Adds floats as little-endian bytes, whatever the machine's order. */
void tx_sha256_floats(tx_sha256 *s, const float *v, size_t n);
/* 64 bits that tell whether bytes are still the same, at the speed of memory: any change within eight bytes in a row from a
 * multiple of eight gives another number, a larger one but for a chance of 2^-64. The same on every machine. */
uint64_t tx_checksum(const void *data, size_t bytes);
/* The digest of floats alone. */
void tx_floats_digest(const float *v, size_t n, char hex[65]);

/* ----------------------------------------------------------------------------------------- updates
 * One step of an optimiser over n elements that stand apart from each other (optim/ gives the equations and makes the
 * constants). Each call runs on the calling thread. NULL where an array or the step should be is an error. */
typedef struct tx_sgd_step {
    float lr, momentum, gain, weight_decay; /* gain: 1 - dampening */
    int first, nesterov;                    /* first: buffer = gradient */
} tx_sgd_step;
/* buffer NULL: no momentum. */
tx_status tx_sgd_update(const tx_sgd_step *step, float *w, const float *g, float *buffer, size_t n);
typedef struct tx_adam_step {
    float keep, weight_decay;       /* w shrinks to keep * w; weight_decay * w is added to the gradient */
    float mean_gain;                /* 1 - beta1 */
    float square_keep, square_gain; /* beta2, 1 - beta2 */
    float root_correction;          /* sqrt(1 - beta2^t) */
    float eps, step;                /* step: lr / (1 - beta1^t) */
} tx_adam_step;
tx_status tx_adam_update(const tx_adam_step *step, float *w, const float *g, float *mean, float *square, size_t n);
typedef struct tx_rmsprop_step {
    float lr, keep, gain; /* keep: alpha; gain: 1 - alpha */
    float eps, momentum, weight_decay;
} tx_rmsprop_step;
/* buffer NULL: no momentum; mean NULL: not centred. */
tx_status tx_rmsprop_update(const tx_rmsprop_step *step, float *w, const float *g, float *square, float *buffer,
                            float *mean, size_t n);

/* ------------------------------------------------------------------------------------------- graph
 * A network is described once: nodes in execution order, each an operation on earlier nodes. A description holds no
 * numbers. It is planned for a batch size and a mode (tx_plan), then run on weights (tx_session), or run in double
 * precision by the references alone (tx_reference).
 *
 * Building calls return the new node, or NULL once anything has failed: the first error stays in the graph
 * (tx_graph_status), so a network is written without a check a line. */
typedef struct tx_graph tx_graph;
typedef struct tx_node tx_node;
typedef struct tx_op tx_op;
typedef struct tx_weights tx_weights;
typedef struct tx_plan tx_plan;
typedef struct tx_session tx_session;
typedef struct tx_step tx_step;
typedef struct tx_reference_step tx_reference_step;

enum { TX_MAX_PARAMS = 6, TX_MAX_INPUTS = 64 };
/* Of a map: rows and columns, channels. One image's values and one parameter's are 2^31 - 1 at most. */
enum { TX_MAX_SIDE = 1 << 20, TX_MAX_CHANNELS = 1 << 24 };

/* Activations, of z: max(0, z); min(6, max(0, z)); z s(z) with s(z) = 1/(1 + exp(-z)); s(z); z h(z); h(z) with
 * h(z) = min(6, max(0, z + 3)) / 6. A NaN stays one. */
typedef enum tx_act {
    TX_ACT_NONE,
    TX_ACT_RELU,
    TX_ACT_RELU6,
    TX_ACT_SILU,
    TX_ACT_SIGMOID,
    TX_ACT_HARDSWISH,
    TX_ACT_HARDSIGMOID,
    TX_ACTS
} tx_act;

/* How a parameter is filled before training. a is the standard deviation or the bound. */
typedef enum tx_init_kind { TX_INIT_ZERO, TX_INIT_ONE, TX_INIT_NORMAL, TX_INIT_UNIFORM } tx_init_kind;
typedef struct tx_init {
    tx_init_kind kind;
    double a;
} tx_init;

/* What a parameter is. Weights and biases are trained; the others are buffers, the counter an integer. */
typedef enum tx_role { TX_ROLE_TRAINED, TX_ROLE_BUFFER, TX_ROLE_COUNTER } tx_role;

/* A named tensor of the state. shape is the file's (OIHW for convolutions, (out,in) for linear layers). In memory a
 * 4-dimensional weight is kept HWIO and a 2-dimensional one (in,out): the matrix that a forward product reads. */
typedef struct tx_param {
    char *name; /* torchvision's, e.g. layer1.0.conv1.weight */
    int dims;   /* 0 (the counter), 1, 2 or 4 */
    int shape[4];
    tx_role role;
    tx_init init;
    size_t count;  /* elements; 1 for the counter */
    size_t offset; /* first element within tx_weights value (and grad), or position within counter */
} tx_param;

struct tx_node {
    const tx_op *op;
    tx_graph *graph;
    const char *name; /* "" where the operation has none */
    int index;        /* position in the graph */
    int ordinal;      /* of an operation that draws: how many such nodes the graph has before it */
    int inputs;
    tx_node **input;
    int h, w, c;   /* shape of one image's output */
    int consumers; /* nodes that read this one, a node that reads it twice counted twice */
    int params;
    int param[TX_MAX_PARAMS]; /* positions in the graph's list of parameters */
    void *args;               /* the operation's own arguments, owned by the graph */
    int wanted;               /* kept readable after a run: tx_node_keep */
};

/* What a step needs of memory, and how it will be computed. Bytes. */
typedef struct tx_workspace {
    size_t saved, prepared, work;
    size_t work_backward;
    const char *algorithm; /* for the summary: "matrix", "im2col", "winograd", .. */
    int cheap;             /* 1: running forward again costs less than keeping the result in memory for backward, and
                              has no effect but the result (tx_step again) */
    int no_slope;          /* 1: an operation that reads its result's gradient as a slope cannot in this step */
    int no_reduce;         /* 1: an operation that takes the sums of what it writes in backward cannot in this step */
    double macs;           /* multiply-adds of one image, by the definition */
    double products;       /* .. as forward computes them; of each gradient as many */
    double more_forward, more_backward; /* floats of one image that are read or written besides each operand once */
} tx_workspace;

tx_graph *tx_graph_new(void);
void tx_graph_free(tx_graph *graph);
/* TX_OK, or the first error of the building calls, its message stored again. */
tx_status tx_graph_status(const tx_graph *graph);
/* Spoils the graph with an argument error of this message; returns NULL, so that a builder can return it. */
tx_node *tx_graph_refuse(tx_graph *graph, const char *format, ...) TX_PRINTF(2, 3);
int tx_graph_nodes(const tx_graph *graph);
const tx_node *tx_graph_node(const tx_graph *graph, int index);
int tx_graph_params(const tx_graph *graph); /* entries of the state, in state_dict order */
const tx_param *tx_graph_param(const tx_graph *graph, int index);
/* Position of the parameter of that name, or -1. */
int tx_graph_find(const tx_graph *graph, const char *name);
/* Elements of all trained parameters. */
size_t tx_graph_trained(const tx_graph *graph);

/* Scopes: until the matching tx_graph_leave the names of new nodes and parameters begin with what the format gives and a
 * dot, so after tx_graph_enter(g, "layer%d.%d", 1, 0) a convolution "conv1" is layer1.0.conv1. Scopes nest; an empty name
 * is entered without a dot; a node without a name stays so, its parameters do not. Names may have any length. Nothing
 * happens in a spoiled graph; leaving what was not entered spoils it. The status is the graph's. */
tx_status tx_graph_enter(tx_graph *graph, const char *format, ...) TX_PRINTF(2, 3);
tx_status tx_graph_leave(tx_graph *graph);

/* Images, labels and masks enter here: (N, h, w, c), set by tx_session_input. */
tx_node *tx_input(tx_graph *graph, int c, int h, int w);
/* After a run the value (and, after backward, the gradient) of a kept node can be read. Without it the planner may
 * reuse its memory. Inputs that are kept receive a gradient. */
tx_status tx_node_keep(tx_node *node);
/* The name of the node's operation: conv2d, batchnorm, .. Lasts as long as the program. "" and a message for NULL. */
const char *tx_node_operation(const tx_node *node);
/* Replaces the way a parameter of a node is filled: position as declared by the operation (0 the weight, 1 the bias). What
 * cannot be spoils the graph. */
tx_status tx_node_init(tx_node *node, int position, tx_init init);

/* ----------------------------------------------------------------------------------------- weights
 * The numbers of a network: trained parameters first, contiguous, then buffers. */
struct tx_weights {
    const tx_graph *graph; /* must outlive the weights */
    float *value;          /* trained, then buffers */
    float *grad;           /* trained only; NULL without gradients */
    int64_t *counter;
    size_t trained, total; /* elements */
    size_t counters;
    unsigned long version; /* 0: never filled, so that no session runs on them; raised by every change */
};
/* All zeros. They are filled by tx_weights_init, by reading a file, or by the caller, who says so (tx_weights_changed). */
tx_weights *tx_weights_new(const tx_graph *graph, int with_gradients);
void tx_weights_free(tx_weights *weights);
/* After every change of the values: sessions prepare again. */
tx_status tx_weights_changed(tx_weights *weights);
/* TX_OK if the weights are those of a graph with these parameters, by names, shapes and roles, and their own graph has none
 * more than when they were made. */
tx_status tx_weights_fit(const tx_graph *graph, const tx_weights *weights);
/* Where a parameter or buffer stands in memory. */
float *tx_weights_param(const tx_weights *weights, const tx_param *param);
/* Fills every parameter as its init says, from Philox (seed, TX_RANDOM_INIT, position in state order, element in the
 * file's order). Running means 0, variances 1, counters 0. */
tx_status tx_weights_init(tx_weights *weights, uint64_t seed);
/* Between the file's order (OIHW, (out,in)) and memory's, count floats. */
tx_status tx_param_export(const tx_param *param, const float *memory, float *file);
tx_status tx_param_import(const tx_param *param, const float *file, float *memory);
/* SHA-256 over all parameters and buffers but counters: float32 little-endian, state_dict order, the file's layout. */
tx_status tx_weights_digest(const tx_weights *weights, char hex[65]);

/* -------------------------------------------------------------------------------------------- plan
 * Lays out one arena for a batch size and a mode before anything runs: joins steps, finds how long each value,
 * gradient and scratch buffer lives over forward and backward, and gives it its place. */
typedef enum tx_mode {
    TX_INFER,  /* forward alone, batch norms folded where that is possible */
    TX_TRAIN,  /* forward with the batch's statistics and dropout, and backward */
    TX_EXPLAIN /* forward as in inference, and backward down to the kept nodes alone: gradients of a trained network, say
                  for activation maps */
} tx_mode;
/* What a session is planned for. Zeros are the usual values, but for the batch. */
typedef struct tx_session_args {
    int batch; /* images of the largest run, 1 to TX_MAX_BATCH */
    tx_mode mode;
    uint64_t seed; /* what dropout draws by */
    /* Bytes that the arena may take. What does not fit with every value kept for backward is planned with cheap ones
     * computed again, as few of them as will do; the bits are the same. An error that says how many bytes it takes where
     * the least is more. 0: what is left of 950 MiB (1300 for a network with fewer than 32 multiply-adds a value)
     * beside the parameters with their gradients and an optimiser's means; where that is too little the smallest plan. */
    size_t memory;
    /* Beginnings of the names of parameters that nobody trains, NULL after the last; NULL: none. Their gradients are 0,
     * and backward ends where it would compute nothing else; other gradients have the same bits. Each must meet a
     * parameter. Read while the session is made. */
    const char *const *frozen;
    int parameters; /* TX_EXPLAIN: 1: gradients of parameters too, by statistics that are constants */
} tx_session_args;
enum { TX_MAX_BATCH = 1 << 20 };
/* The plan that a session with these arguments has. graph must outlive it; the caller owns it. NULL and a message for
 * arguments out of range, a spoiled graph or without memory. */
tx_plan *tx_plan_new(const tx_graph *graph, tx_session_args args);
void tx_plan_free(tx_plan *plan);
size_t tx_plan_bytes(const tx_plan *plan); /* of the arena */
/* What the step of a node needs; NULL if it was fused to another step. */
const tx_workspace *tx_plan_workspace(const tx_plan *plan, const tx_node *node);

/* What the step of a node has to do for a whole batch: multiply-adds of products, and bytes between memory and processor,
 * each operand counted as often as it is read or written. What is computed again for backward counts there. Zeros for a node
 * that was fused to another step. */
typedef struct tx_cost {
    double products_forward, products_backward;
    double bytes_forward, bytes_backward;
} tx_cost;
tx_status tx_plan_cost(const tx_plan *plan, const tx_node *node, tx_cost *cost);

/* Plans, allocates the arena and binds it to weights. graph and weights must outlive the session; it owns the arena, the
 * caller the session. A session that takes gradients of parameters (TX_TRAIN) needs weights with gradients. NULL and a
 * message as for tx_plan_new, and for weights that are not of this network. */
tx_session *tx_session_new(const tx_graph *graph, tx_weights *weights, tx_session_args args);
void tx_session_free(tx_session *session);
const tx_plan *tx_session_plan(const tx_session *session);
/* What it was made with: the weights; the node that was the graph's last, from which backward begins. */
tx_weights *tx_session_weights(const tx_session *session);
const tx_node *tx_session_last(const tx_session *session);
/* The number of images in the following runs, 1..batch. Another number ends what the last run has left. */
tx_status tx_session_batch(tx_session *session, int n);
/* Where to write an input (n,h,w,c), dense. It stays as it is until written again. */
float *tx_session_input(tx_session *session, const tx_node *input);
/* Number of the training run, by which random operations draw; set before tx_forward. */
tx_status tx_session_run(tx_session *session, uint64_t run);
/* Runs the network on the inputs as they stand. In training the running statistics change, and so does the version of the
 * weights where there are any. */
tx_status tx_forward(tx_session *session);
/* Gradients of the graph's last node, usually the loss. dy (n,h,w,c of that node, dense) is the gradient that arrives there;
 * NULL means 1 everywhere. Gradients of parameters are written (not added) to weights->grad. Takes what tx_forward has left,
 * so each call needs one before it, and weights that have not changed since. An error in a session planned for
 * inference. */
tx_status tx_backward(tx_session *session, const float *dy);
/* Copies a kept node's value (n*h*w*c floats, NHWC) or gradient; an error if it was not kept when the session was made, or
 * there has been no run of this kind. The last node's value is always kept. A loss has one value for all images: the
 * first. */
tx_status tx_session_value(const tx_session *session, const tx_node *node, float *out);
tx_status tx_session_gradient(const tx_session *session, const tx_node *node, float *out);
/* The first number of the value of a kept node or the last one: a loss. NaN where tx_session_value fails. */
float tx_session_scalar(const tx_session *session, const tx_node *node);
/* Seconds that each node's step took in forward, backward, since the last reset (for `speed --layers`). A value that is
 * computed again for backward takes its time there. */
tx_status tx_session_clock(tx_session *session, int on);
tx_status tx_session_times(const tx_session *session, const tx_node *node, double *forward, double *backward);

/* --------------------------------------------------------------------------------------- reference
 * The whole graph on doubles, by the textbook definitions alone: what the kernels are compared with. */
typedef struct tx_reference tx_reference;
tx_reference *tx_reference_new(const tx_graph *graph, const tx_weights *weights, int batch, tx_mode mode,
                               uint64_t seed);
void tx_reference_free(tx_reference *reference);
double *tx_reference_input(tx_reference *reference, const tx_node *input); /* (n,h,w,c) */
tx_status tx_reference_forward(tx_reference *reference);
/* After tx_reference_forward of a reference with backward. */
tx_status tx_reference_backward(tx_reference *reference, const double *dy);
const double *tx_reference_value(const tx_reference *reference, const tx_node *node);
const double *tx_reference_gradient(const tx_reference *reference, const tx_node *node);
/* Parameter or its gradient, in memory's layout (HWIO, (in,out)). */
const double *tx_reference_param(const tx_reference *reference, int param);
const double *tx_reference_param_gradient(const tx_reference *reference, int param);

#ifdef __cplusplus
}
#endif
#endif
