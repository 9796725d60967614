/* graph_machine.c - a session and the machine under it: two threads use the library for the first time at once; threads and
 * instruction set change under a session; another library changes a thread's arithmetic. The bits are those of one thread
 * that nobody disturbs, or there is an error. */
#include "../nets/nets.h"
#include "../optim/optim.h"
#include "test.h"

#include <fenv.h>
#include <pthread.h>
#include <string.h>

enum { SIZE = 40, BATCH = 3, CLASSES = 5 };

/* A network with products, Winograd's convolutions, batch norms and drop-out, and a session of it. */
typedef struct model {
    tx_graph *graph;
    tx_node *image, *label, *logits, *loss;
    tx_weights *weights;
    tx_session *session;
    tx_optimizer *optimizer;
} model;

static int model_new(model *m, tx_mode mode)
{
    memset(m, 0, sizeof *m);
    tx_graph *g = m->graph = tx_graph_new();
    m->image = tx_input(g, 3, SIZE, SIZE);
    m->label = tx_input(g, CLASSES, 1, 1);
    m->logits = tx_net_build(g, m->image, tx_net_find("resnet18"), 3, CLASSES).logits;
    m->loss =
        tx_bce_with_logits(g, tx_dropout(g, m->logits, (tx_dropout_args){.p = 0.25}), m->label, NULL, (tx_bce_args){0});
    tx_node_keep(m->logits);
    m->weights = tx_weights_new(g, 1);
    if (!m->weights || tx_weights_init(m->weights, 7))
        return 0;
    m->session = tx_session_new(g, m->weights, (tx_session_args){.batch = BATCH, .mode = mode, .seed = 5});
    m->optimizer = tx_optimizer_new(m->weights, (tx_optimizer_args){.kind = TX_ADAM});
    if (!m->session || !m->optimizer)
        return 0;
    for (size_t i = 0; i < (size_t)BATCH * SIZE * SIZE * 3; i++)
        tx_session_input(m->session, m->image)[i] = tx_random_normal(1, TX_RANDOM_TEST, 0, i);
    for (size_t i = 0; i < (size_t)BATCH * CLASSES; i++)
        tx_session_input(m->session, m->label)[i] = (float)tx_random_below(1, TX_RANDOM_TEST, 1, i, 2);
    return 1;
}

static void model_free(model *m)
{
    tx_optimizer_free(m->optimizer);
    tx_session_free(m->session);
    tx_weights_free(m->weights);
    tx_graph_free(m->graph);
}

/* Of the logits and, in training, of the weights after a step. */
typedef struct result {
    tx_status status;
    float logits[BATCH * CLASSES];
    char weights[65];
} result;

static result run(model *m, tx_mode mode)
{
    result r = {TX_OK, {0}, ""};
    tx_session_run(m->session, 0);
    if (mode == TX_TRAIN)
        r.status = tx_train_step(m->session, m->loss, m->optimizer, 1e-3, NULL);
    else
        r.status = tx_forward(m->session);
    if (r.status == TX_OK)
        r.status = tx_session_value(m->session, m->logits, r.logits);
    if (r.status == TX_OK)
        r.status = tx_weights_digest(m->weights, r.weights);
    return r;
}

static int same(const result *a, const result *b)
{
    return a->status == TX_OK && b->status == TX_OK && memcmp(a->logits, b->logits, sizeof a->logits) == 0 &&
           strcmp(a->weights, b->weights) == 0;
}

/* ---- two threads */

typedef struct job {
    tx_mode mode;
    int made;
    result result[3];
} job;

static void *work(void *context)
{
    job *j = context;
    model m;
    j->made = model_new(&m, j->mode);
    for (int i = 0; i < 3 && j->made; i++)
        j->result[i] = run(&m, j->mode);
    model_free(&m);
    return NULL;
}

/* Nothing of the library has been used before. */
static void check_first_use(void)
{
    job jobs[3] = {{.mode = TX_TRAIN}, {.mode = TX_TRAIN}, {.mode = TX_INFER}}, alone[2];
    pthread_t thread[3];
    int started = 0;
    while (started < 3 && pthread_create(&thread[started], NULL, work, &jobs[started]) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    CHECK(started == 3, "%d of 3 threads", started);
    alone[0] = (job){.mode = TX_TRAIN};
    alone[1] = (job){.mode = TX_INFER};
    work(&alone[0]);
    work(&alone[1]);
    for (int i = 0; i < 3; i++)
        for (int step = 0; step < 3; step++)
            CHECK(same(&jobs[i].result[step], &alone[i / 2].result[step]),
                  "thread %d, step %d: other bits than one thread alone", i, step);
}

static void *fail(void *context)
{
    (void)context;
    tx_fail(TX_ERR_ARGUMENT, "another thread's");
    return NULL;
}

/* A message belongs to the thread that failed, where the compiler has such variables. */
static void check_messages(void)
{
#if defined(__GNUC__) && !defined(__TINYC__)
    pthread_t thread;
    tx_fail(TX_ERR_ARGUMENT, "this thread's");
    if (pthread_create(&thread, NULL, fail, NULL) == 0)
        pthread_join(thread, NULL);
    CHECK(strcmp(tx_error_message(), "this thread's") == 0, "the message is %s", tx_error_message());
#else
    (void)fail;
#endif
}

/* ---- another number of threads, another instruction set */

static void check_changes(tx_mode mode)
{
    static const int threads[] = {1, 3, 8};
    enum { COUNTS = sizeof threads / sizeof threads[0] };
    const char *isa[TX_MAX_ISAS], *before = tx_isa_name();
    int isas = tx_isa_list(isa), number = tx_threads();
    result first = {TX_OK, {0}, ""};
    for (int planned = 0; planned < COUNTS * isas; planned++) {
        model m;
        CHECK(tx_set_threads(threads[planned % COUNTS]) == TX_OK && tx_isa_select(isa[planned / COUNTS]) == TX_OK, "%s",
              tx_error_message());
        CHECK(model_new(&m, mode), "%s", tx_error_message());
        /* the next number and the next set: for the first run if planned is odd, else for the second */
        for (int step = 0; step < 2; step++) {
            if (step != planned % 2) {
                tx_set_threads(threads[(planned + 1) % COUNTS]);
                tx_isa_select(isa[(planned / COUNTS + 1) % isas]);
            }
            result r = run(&m, TX_INFER);
            if (planned == 0 && step == 0)
                first = r;
            CHECK(mode == TX_TRAIN || same(&r, &first), "planned for %d threads and %s, run %d: other logits: %s",
                  threads[planned % COUNTS], isa[planned / COUNTS], step, tx_error_message());
        }
        model_free(&m);
    }
    tx_set_threads(number);
    tx_isa_select(before);
}

/* The same in training: forward with one number and set, backward with another. */
static void check_changes_within(void)
{
    static const int pairs[][2] = {{1, 8}, {8, 1}, {2, 7}, {7, 2}, {1, 1}};
    const char *isa[TX_MAX_ISAS], *before = tx_isa_name();
    int isas = tx_isa_list(isa), number = tx_threads();
    char first[65] = "";
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        model m;
        char hex[65];
        tx_set_threads(pairs[k][0]);
        tx_isa_select(isa[0]);
        CHECK(model_new(&m, TX_TRAIN), "%s", tx_error_message());
        tx_set_threads(pairs[k][1]);
        tx_isa_select(isa[k % (size_t)isas]);
        CHECK(tx_forward(m.session) == TX_OK, "%s", tx_error_message());
        tx_set_threads(pairs[k][0] + 1);
        tx_isa_select(isa[(k + 1) % (size_t)isas]);
        CHECK(tx_backward(m.session, NULL) == TX_OK, "%s", tx_error_message());
        memcpy(m.weights->value, m.weights->grad, m.weights->trained * sizeof(float));
        CHECK(tx_weights_digest(m.weights, hex) == TX_OK, "%s", tx_error_message());
        if (k == 0)
            memcpy(first, hex, sizeof first);
        CHECK(strcmp(first, hex) == 0, "planned for %d threads, run with %d: other gradients", pairs[k][0],
              pairs[k][1]);
        model_free(&m);
    }
    tx_set_threads(number);
    tx_isa_select(before);
}

/* ---- another arithmetic */

/* Sets the mode of the calling thread: 0 as it should be, 1 results flushed, 2 operands too. Returns 0 where this test
 * knows no way. */
static int flush(int how)
{
#if defined(__GNUC__) && !defined(__TINYC__) && (defined(__x86_64__) || (defined(__i386__) && defined(__SSE__)))
    unsigned mode;
    __asm__ volatile("stmxcsr %0" : "=m"(mode));
    mode = (mode & ~0x8040u) | (how & 1 ? 0x8000u : 0) | (how & 2 ? 0x40u : 0);
    __asm__ volatile("ldmxcsr %0" : : "m"(mode));
    return 1;
#elif defined(__GNUC__) && !defined(__TINYC__) && defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    mode = (mode & ~((uint64_t)1 << 24)) | (how ? (uint64_t)1 << 24 : 0);
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
    return 1;
#else
    (void)how;
    return 0;
#endif
}

static void nothing(void *context, size_t i, int worker)
{
    (void)context;
    (void)i;
    (void)worker;
}

/* A run, a loop alone, and a network of a loss alone, which is no loop. */
static void check_refused(model *m, tx_session *loss, const char *what, const char *word)
{
    CHECK(tx_parallel_for(1, nothing, NULL) == TX_ERR_MACHINE && strstr(tx_error_message(), word), "%s: %s", what,
          tx_error_message());
    CHECK(tx_forward(loss) == TX_ERR_MACHINE && strstr(tx_error_message(), word), "%s, a loss: %s", what,
          tx_error_message());
    tx_status forward = tx_forward(m->session);
    CHECK(forward == TX_ERR_MACHINE && strstr(tx_error_message(), word), "%s: forward says %d, %s", what, (int)forward,
          tx_error_message());
}

static void check_arithmetic(void)
{
    static const int directions[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    model m;
    CHECK(model_new(&m, TX_TRAIN), "%s", tx_error_message());
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 2, 1, 1), *t = tx_input(g, 2, 1, 1);
    tx_bce_with_logits(g, x, t, NULL, (tx_bce_args){0});
    tx_weights *none = tx_weights_new(g, 1);
    tx_session *loss = tx_session_new(g, none, (tx_session_args){.batch = 1, .mode = TX_TRAIN});
    CHECK(loss && tx_forward(loss) == TX_OK, "%s", tx_error_message());
    for (int how = 1; how < 4; how++)
        if (flush(how)) {
            check_refused(&m, loss, "flushed to zero", "subnormal");
            flush(0);
        }
    for (int k = 0; k < 3; k++) {
        fesetround(directions[k]);
        check_refused(&m, loss, "rounded elsewhere", "nearest");
        fesetround(FE_TONEAREST);
    }
    CHECK(tx_forward(m.session) == TX_OK, "%s", tx_error_message());
    if (flush(1)) {
        CHECK(tx_backward(m.session, NULL) == TX_ERR_MACHINE && strstr(tx_error_message(), "subnormal"),
              "backward, flushed to zero: %s", tx_error_message());
        flush(0);
    }
    tx_session_free(loss);
    tx_weights_free(none);
    tx_graph_free(g);
    model_free(&m);
}

#if defined(__GNUC__) && !defined(__TINYC__)
typedef struct change {
    int how;
    int seen[2];
} change;

static int seen(change *c, int worker)
{
    return __atomic_load_n(&c->seen[worker], __ATOMIC_SEQ_CST);
}

/* Changes the mode of worker 1. Each of two tasks waits a while for the other, so that both threads have one. */
static void change_worker(void *context, size_t i, int worker)
{
    (void)i;
    change *c = context;
    __atomic_store_n(&c->seen[worker], 1, __ATOMIC_SEQ_CST);
    if (worker == 1)
        flush(c->how);
    for (double start = tx_seconds(); !(seen(c, 0) && seen(c, 1)) && tx_seconds() - start < 5;) {
    }
}

/* A thread of the loops alone is in another mode, while the caller's is as it should be: noticed, unless the runtime gives
 * its threads the caller's mode at the start of every loop, as LLVM's does. */
static void check_workers(void)
{
    int number = tx_threads();
    change spoil = {1, {0, 0}}, mend = {0, {0, 0}};
    model m;
    if (!tx_threads_available() || !flush(0))
        return;
    tx_set_threads(2);
    CHECK(model_new(&m, TX_INFER), "%s", tx_error_message());
    result right = run(&m, TX_INFER), spoiled;
    tx_parallel_for(2, change_worker, &spoil);
    CHECK(spoil.seen[1], "no second thread after five seconds");
    spoiled = run(&m, TX_INFER);
    int noticed = spoiled.status == TX_ERR_MACHINE && strstr(tx_error_message(), "a thread's mode") &&
                  strstr(tx_error_message(), "subnormal");
    CHECK(noticed || same(&spoiled, &right), "a worker flushes: %d, %s", (int)spoiled.status, tx_error_message());
    tx_parallel_for(2, change_worker, &mend);
    CHECK(tx_forward(m.session) == TX_OK, "%s", tx_error_message());
    model_free(&m);
    tx_set_threads(number);
}
#else
static void check_workers(void)
{
}
#endif

int main(void)
{
    check_first_use();
    check_messages();
    check_changes(TX_INFER);
    check_changes(TX_EXPLAIN);
    check_changes_within();
    check_arithmetic();
    check_workers();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("graph_machine");
}
