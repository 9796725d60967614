/* core.h - the ground floor of Thorax: errors, memory, threads, random numbers, elementary functions,
 * digests, tensors, kernels, and the graph with its gradients.
 *
 * Shapes are written (N,H,W,C): images, rows, columns, channels. float is IEEE binary32, double binary64.
 * The library never exits, aborts or prints. A function that can fail returns a tx_status (or NULL) and leaves
 * one line in tx_error_message().
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
/* The message of this thread's last failure ("" before the first). Without thread-local variables in the
 * compiler it is the process's last failure. */
const char *tx_error_message(void);
/* Copies text from a file into `out` (at least 4 bytes) so that it can stand in a message: control and
 * non-ASCII bytes as \xNN, cut at 80 characters with "..". Returns out. */
const char *tx_escape(char *out, size_t size, const char *text);
#define TX_TEXT 88 /* room that tx_escape needs for its longest answer */

/* ------------------------------------------------------------------------------------------ memory */
/* a*b and a+b with overflow noticed: return 0 and store the result, or -1. */
int tx_size_mul(size_t a, size_t b, size_t *result);
int tx_size_add(size_t a, size_t b, size_t *result);
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

/* ----------------------------------------------------------------------------------------- threads
 * Calls fn(context, i, worker) once for every i in [0, n), on up to tx_threads() threads; worker is in
 * [0, tx_threads()). Which thread takes which i is not fixed, so fn's result must not depend on it. Nested
 * calls run on the calling thread. Returns when all are done. */
typedef void tx_task(void *context, size_t i, int worker);
void tx_parallel_for(size_t n, tx_task *fn, void *context);
int tx_threads(void);
/* 1 if built with threads. tx_set_threads(n >= 1) then takes effect, else the number stays 1. */
int tx_threads_available(void);
void tx_set_threads(int n);
/* Cores that this process may use. */
int tx_cores(void);
/* Seconds on a clock that only goes forward, and the process's peak resident bytes (0 where unknown). */
double tx_seconds(void);
size_t tx_peak_memory(void);

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
    TX_RANDOM_TEST = 7
} tx_purpose;
void tx_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/* 32 random bits. Key: seed (low word, high word). Counter: index / 4 (low, high 32 bits), step, purpose (top 8
 * bits of word 3) and the upper 24 bits of a 56-bit step; word index % 4 of the block is taken. */
uint32_t tx_random_bits(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* Uniform on [0, 1): the upper 24 bits / 2^24, exact in float. */
float tx_random_uniform(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* Standard normal by Box and Muller (1958) in double from two 32-bit draws 2*index and 2*index+1, rounded once. */
float tx_random_normal(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index);
/* An integer in [0, n), n >= 1, without bias worth mentioning: floor(bits * n / 2^32). */
uint32_t tx_random_below(uint64_t seed, tx_purpose purpose, uint64_t step, uint64_t index, uint32_t n);
/* order[0..n) becomes a permutation of 0..n-1: sorted by (64 random bits, index). */
tx_status tx_random_permutation(uint64_t seed, tx_purpose purpose, uint64_t step, uint32_t *order, size_t n);

/* ---------------------------------------------------------------------------- elementary functions
 * From +, -, *, /, fma, sqrt and integer operations only, so the same bits with every libm; largest errors are
 * measured in core/README.md. NaN in, NaN out; overflow gives inf, underflow is gradual. */
float tx_expf(float x);
float tx_logf(float x);    /* -inf at 0, NaN below */
float tx_log1pf(float x);  /* log(1 + x) */
float tx_tanhf(float x);
float tx_sigmoidf(float x);
double tx_exp(double x);
double tx_expm1(double x);
double tx_log(double x);
double tx_log1p(double x);
double tx_tanh(double x);
double tx_sigmoid(double x);
double tx_sin_pi(double x); /* sin(pi x) */
double tx_cos_pi(double x); /* cos(pi x) */
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

#ifdef __cplusplus
}
#endif
#endif
