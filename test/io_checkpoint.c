/* io_checkpoint.c - weights to a file and back: names, orders, mismatches, a new last layer, files of other types. */
#define _DEFAULT_SOURCE
#include "../core/op.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* An operation that does nothing but declare the parameters of a convolution, a batch norm and a linear layer. */
typedef struct layer_args {
    int in, out, linear, bias;
} layer_args;

static tx_status layer_shape(tx_node *node)
{
    const layer_args *a = node->args;
    int conv[] = {a->out, a->in, 3, 2}, linear[] = {a->out, a->in}, out[] = {a->out};
    tx_init init = {TX_INIT_NORMAL, 1.0};
    node->h = node->w = 1;
    node->c = a->out;
    if (a->linear) {
        tx_status status = tx_node_param(node, "weight", TX_ROLE_TRAINED, init, 2, linear);
        return status || !a->bias ? status : tx_node_param(node, "bias", TX_ROLE_TRAINED, init, 1, out);
    }
    tx_status status = tx_node_param(node, "conv.weight", TX_ROLE_TRAINED, init, 4, conv);
    static const char *const name[] = {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"};
    for (int i = 0; i < 4 && status == TX_OK; i++)
        status = tx_node_param(node, name[i], i < 2 ? TX_ROLE_TRAINED : TX_ROLE_BUFFER, init, 1, out);
    return status ? status : tx_node_param(node, "bn.num_batches_tracked", TX_ROLE_COUNTER, init, 0, NULL);
}

static const tx_op layer = {.name = "layer", .shape = layer_shape, .no_gradient = "a test"};

static tx_graph *network(int width, int outputs, int bias)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 8, 8);
    x = tx_graph_add(g, &layer, "features.0", &x, 1, &(layer_args){3, width, 0, 0}, sizeof(layer_args));
    x = tx_graph_add(g, &layer, "features.1", &x, 1, &(layer_args){width, 7, 0, 0}, sizeof(layer_args));
    x = tx_graph_add(g, &layer, "classifier.1", &x, 1, &(layer_args){7, outputs, 1, bias}, sizeof(layer_args));
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    return g;
}

static tx_weights *filled(const tx_graph *g, uint64_t seed)
{
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, seed);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        for (size_t k = 0; strstr(p->name, "running_var") && k < p->count; k++)
            tx_weights_param(w, p)[k] = fabsf(tx_weights_param(w, p)[k]);
    }
    for (size_t i = 0; i < w->counters; i++)
        w->counter[i] = (int64_t)(1000 * seed + i);
    return w;
}

/* 1 if all parameters but those named PREFIX.. are equal; skip NULL: all. */
static int equal(const tx_weights *a, const tx_weights *b, const char *skip)
{
    for (int i = 0; i < tx_graph_params(a->graph); i++) {
        const tx_param *p = tx_graph_param(a->graph, i);
        if (skip && strncmp(p->name, skip, strlen(skip)) == 0)
            continue;
        if (p->role == TX_ROLE_COUNTER
                ? a->counter[p->offset] != b->counter[p->offset]
                : memcmp(tx_weights_param(a, p), tx_weights_param(b, p), p->count * sizeof(float)) != 0)
            return 0;
    }
    return 1;
}

static void round_trip(void)
{
    const char *path = temp_path("a.safetensors");
    tx_graph *g = network(5, 4, 1);
    tx_weights *a = filled(g, 1), *b = filled(g, 2);
    tx_pair meta[] = {{"net", "none"}, {"tasks", "Edema,Pleural Effusion"}};
    CHECK(tx_checkpoint_save(path, a, meta, 2) == TX_OK, "%s", tx_error_message());
    tx_checkpoint_report report;
    unsigned long version = b->version;
    CHECK(tx_checkpoint_load(path, b, 0, &report) == TX_OK && equal(a, b, NULL), "%s", tx_error_message());
    CHECK(!report.replaced && report.extra == 0 && b->version != version, "nothing replaced, sessions told");
    CHECK(tx_checkpoint_load(path, b, TX_CHECKPOINT_NEW_HEAD, &report) == TX_OK && !report.replaced,
          "the same width is loaded");
    tx_safetensors *f = tx_safetensors_open(path);
    CHECK(tx_safetensors_count(f) == (size_t)tx_graph_params(g), "a tensor a parameter");
    CHECK(strcmp(tx_safetensors_meta(f, "format"), "thorax 1") == 0 &&
              strcmp(tx_safetensors_meta(f, "net"), "none") == 0,
          "metadata");
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_stored *t = tx_safetensors_at(f, (size_t)i);
        const tx_param *p = tx_graph_param(g, i);
        CHECK(strcmp(t->name, p->name) == 0 && t->dims == p->dims && t->dtype == (p->dims ? TX_F32 : TX_I64), "%s",
              t->name);
    }
    float file[90], memory[90];
    const tx_param *p = tx_graph_param(g, 0);
    tx_safetensors_floats(f, tx_safetensors_find(f, "features.0.conv.weight"), file);
    tx_param_import(p, file, memory);
    CHECK(memcmp(memory, tx_weights_param(a, p), sizeof memory) == 0, "OIHW in the file");
    tx_safetensors_close(f);
    tx_weights_free(a);
    tx_weights_free(b);
    tx_graph_free(g);
}

/* Other names: stem.X for features.0.X, and, before that, first.X; nothing for anything else. The k-th call may fail. */
static int names_asked, names_fail = -1;

static tx_status other_name(const void *context, const char *name, int k, char **text)
{
    const char *const *prefix = context;
    char out[64];
    *text = NULL;
    if (names_asked++ == names_fail)
        return tx_fail(TX_ERR_MEMORY, "names have failed");
    if (strncmp(name, "features.0.", 11) || k > 1)
        return TX_OK;
    snprintf(out, sizeof out, "%s.%s", prefix[k], name + 11);
    *text = tx_strdup(out);
    return *text ? TX_OK : TX_ERR_MEMORY;
}

/* The file of `from`'s network with features.0 called as `prefix` says, and once more as `twin`, with zeros. */
static void write_renamed(const tx_weights *from, const char *path, const char *prefix, const char *twin)
{
    enum { PARAMS = 16, MOST = 256 };
    static const float zeros[64];
    static float values[PARAMS][MOST]; /* they are read at the end */
    tx_safetensors_writer *w = tx_safetensors_create(path);
    for (int i = 0; i < tx_graph_params(from->graph); i++) {
        const tx_param *p = tx_graph_param(from->graph, i);
        int renamed = strncmp(p->name, "features.0.", 11) == 0;
        char name[64];
        size_t shape[4];
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        if (p->role == TX_ROLE_COUNTER)
            continue;
        tx_param_export(p, tx_weights_param(from, p), values[i]);
        snprintf(name, sizeof name, "%s%s%s", renamed ? prefix : "", renamed ? "." : "", p->name + (renamed ? 11 : 0));
        tx_safetensors_put(w, name, TX_F32, p->dims, shape, values[i]);
        snprintf(name, sizeof name, "%s.%s", twin ? twin : "", p->name + 11 * renamed);
        if (renamed && twin && p->count <= 64)
            tx_safetensors_put(w, name, TX_F32, p->dims, shape, zeros);
    }
    CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
}

/* The first other name that the file has holds, then the next, then the network's own; what is not used is extra. */
static void renamed(void)
{
    static const char *const prefix[2] = {"first", "stem"};
    const tx_checkpoint_names names = {.other = other_name, .context = prefix};
    const char *path = temp_path("n.safetensors");
    tx_graph *g = network(5, 4, 1);
    tx_weights *a = filled(g, 1), *b = filled(g, 2);
    memset(a->counter, 0, a->counters * sizeof *a->counter);
    static const struct {
        const char *file, *twin;
    } cases[] = {
        {"first", NULL}, {"stem", NULL}, {"features.0", NULL}, {"first", "features.0"}, {"stem", "features.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_checkpoint_report report;
        write_renamed(a, path, cases[i].file, cases[i].twin);
        tx_tensor_file *f = tx_tensor_file_open(path);
        int extra = cases[i].twin != NULL;
        tx_weights_init(b, 3);
        CHECK(tx_checkpoint_read(f, b, extra ? TX_CHECKPOINT_EXTRA : 0, &names, &report) == TX_OK &&
                  equal(a, b, NULL) && (report.extra > 0) == extra,
              "case %d: %s", (int)i, tx_error_message());
        CHECK(!extra || (tx_checkpoint_read(f, b, 0, &names, NULL) == TX_ERR_FORMAT &&
                         strstr(tx_error_message(), "that the network does not have (features.0.")),
              "case %d: %s", (int)i, tx_error_message());
        CHECK((tx_checkpoint_read(f, b, TX_CHECKPOINT_EXTRA, NULL, NULL) == TX_OK) == (i == 2), "case %d: no names",
              (int)i);
        for (names_fail = 0; names_fail < 12; names_fail += 5) {
            names_asked = 0;
            CHECK(tx_checkpoint_read(f, b, 0, &names, NULL) == TX_ERR_MEMORY &&
                      strcmp(tx_error_message(), "names have failed") == 0,
                  "case %d: %s", (int)i, tx_error_message());
        }
        names_fail = -1;
        tx_tensor_file_close(f);
    }
    tx_weights_free(a);
    tx_weights_free(b);
    tx_graph_free(g);
}

static void mismatch(const tx_graph *file, const tx_graph *graph, int flags, const char *message)
{
    const char *path = temp_path("m.safetensors");
    tx_weights *a = filled(file, 1), *b = filled(graph, 2), *c = filled(graph, 2);
    CHECK(tx_checkpoint_save(path, a, NULL, 0) == TX_OK, "%s", tx_error_message());
    CHECK(tx_checkpoint_load(path, b, flags, NULL) == TX_ERR_FORMAT && strstr(tx_error_message(), message),
          "'%s', expected '%s'", tx_error_message(), message);
    CHECK(equal(b, c, NULL), "nothing was changed");
    tx_weights_free(a);
    tx_weights_free(b);
    tx_weights_free(c);
}

static void mismatches(void)
{
    tx_graph *small = network(5, 4, 1), *wide = network(6, 4, 1), *many = network(5, 14, 1), *bare = network(5, 4, 0);
    tx_graph *other = tx_graph_new();
    tx_node *x = tx_input(other, 3, 8, 8);
    tx_graph_add(other, &layer, "stem", &x, 1, &(layer_args){3, 5, 0, 0}, sizeof(layer_args));
    mismatch(
        small, wide, 0,
        "m.safetensors: tensors: 6 of another shape or type (features.0.conv.weight F32 (5,3,3,2), not (6,3,3,2), ");
    mismatch(small, many, 0,
             "tensors: 2 of another shape or type (classifier.1.weight F32 (4,7), not (14,7), classifier.1.bias F32 "
             "(4), not (14))");
    mismatch(small, wide, TX_CHECKPOINT_NEW_HEAD, "6 of another shape");
    mismatch(bare, small, 0, "tensors: 1 missing (classifier.1.bias)");
    mismatch(small, bare, 0, "tensors: 1 that the network does not have (classifier.1.bias)");
    mismatch(other, small, TX_CHECKPOINT_EXTRA,
             "tensors: 12 missing (features.0.conv.weight, features.0.bn.weight, features.0.bn.bias, ..)");
    mismatch(other, small, 0, "; 6 that the network does not have (stem.conv.weight");
    tx_weights *a = filled(small, 1), *b = filled(many, 2), *c = filled(many, 2), *d = filled(bare, 3);
    tx_checkpoint_report report;
    tx_checkpoint_save(temp_path("s"), a, NULL, 0);
    CHECK(tx_checkpoint_load(temp_path("s"), b, TX_CHECKPOINT_NEW_HEAD, &report) == TX_OK, "%s", tx_error_message());
    CHECK(report.replaced && strcmp(report.replaced, "classifier.1.weight") == 0 && report.outputs_in_file == 4,
          "the last layer");
    CHECK(equal(a, b, "classifier.1"), "all before it is loaded");
    for (int i = 0; i < 2; i++) {
        const tx_param *p = tx_graph_param(many, tx_graph_params(many) - 1 - i);
        CHECK(memcmp(tx_weights_param(b, p), tx_weights_param(c, p), p->count * sizeof(float)) == 0,
              "%s stays as it was", p->name);
    }
    CHECK(tx_checkpoint_load(temp_path("s"), d, TX_CHECKPOINT_EXTRA, &report) == TX_OK && report.extra == 1 &&
              equal(d, a, "classifier.1.b"),
          "%s", tx_error_message());
    tx_weights_free(a);
    tx_weights_free(b);
    tx_weights_free(c);
    tx_weights_free(d);
    tx_graph_free(small);
    tx_graph_free(wide);
    tx_graph_free(many);
    tx_graph_free(bare);
    tx_graph_free(other);
}

/* A file of 2017: doubles, no counters, no metadata, another order. */
static void other_types(void)
{
    tx_graph *g = network(5, 4, 1);
    tx_weights *a = filled(g, 1), *b = filled(g, 2);
    tx_safetensors_writer *w = tx_safetensors_create(temp_path("o"));
    double *values = tx_alloc(10000, sizeof *values);
    float *floats = tx_alloc(1000, sizeof *floats);
    size_t used = 0;
    for (int i = tx_graph_params(g) - 1; i >= 0; i--) {
        const tx_param *p = tx_graph_param(g, i);
        size_t shape[4];
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        if (p->role == TX_ROLE_COUNTER)
            continue;
        tx_param_export(p, tx_weights_param(a, p), floats);
        for (size_t e = 0; e < p->count; e++)
            values[used + e] = (double)floats[e];
        tx_safetensors_put(w, p->name, TX_F64, p->dims, shape, values + used);
        used += p->count;
    }
    CHECK(tx_safetensors_finish(w) == TX_OK && tx_checkpoint_load(temp_path("o"), b, 0, NULL) == TX_OK, "%s",
          tx_error_message());
    for (size_t i = 0; i < a->counters; i++)
        a->counter[i] = 0;
    CHECK(equal(a, b, NULL), "the same numbers, counters 0");
    size_t shape[] = {5};
    int64_t whole[5] = {0};
    w = tx_safetensors_create(temp_path("i"));
    tx_safetensors_put(w, "features.0.bn.weight", TX_I64, 1, shape, whole);
    tx_safetensors_finish(w);
    CHECK(tx_checkpoint_load(temp_path("i"), b, 0, NULL) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "features.0.bn.weight I64 (5), not (5)"),
          "%s", tx_error_message());
    CHECK(tx_checkpoint_load(temp_path("none"), b, 0, NULL) == TX_ERR_FILE, "no such file");
    temp_text(temp_path("x.pth"), "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.");
    CHECK(tx_checkpoint_load(temp_path("x.pth"), b, 0, NULL) != TX_OK &&
              strstr(tx_error_message(), "cut off at byte 15"),
          "%s", tx_error_message());
    tx_free(values);
    tx_free(floats);
    tx_weights_free(a);
    tx_weights_free(b);
    tx_graph_free(g);
}

/* A file in which element i of a tensor is `value`, of the counter if the tensor is one; the message has `wanted`, or the
 * weights are read. */
static void with_value(tx_weights *w, const char *name, size_t i, double value, const char *wanted)
{
    const char *path = temp_path("v");
    int at = tx_graph_find(w->graph, name);
    CHECK(at >= 0, "no parameter %s", name);
    const tx_param *p = tx_graph_param(w->graph, at);
    tx_weights *read = filled(w->graph, 3);
    float kept[200], changed[200];
    int64_t counted = 0;
    if (p->role == TX_ROLE_COUNTER) {
        counted = w->counter[p->offset];
        w->counter[p->offset] = (int64_t)value;
    } else {
        tx_param_export(p, tx_weights_param(w, p), kept);
        memcpy(changed, kept, p->count * sizeof *kept);
        changed[i] = (float)value;
        tx_param_import(p, changed, tx_weights_param(w, p));
    }
    CHECK(tx_checkpoint_save(path, w, NULL, 0) == TX_OK, "%s", tx_error_message());
    CHECK(p->role == TX_ROLE_COUNTER || (tx_checkpoint_check(w, "mine") == TX_OK) == !wanted, "%s %g in memory", name,
          value);
    tx_status status = tx_checkpoint_load(path, read, 0, NULL);
    if (!wanted)
        CHECK(status == TX_OK && equal(w, read, NULL), "%s %g: %s", name, value, tx_error_message());
    else
        CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), wanted) && strstr(tx_error_message(), path) &&
                  strstr(tx_error_message(), name),
              "%s: '%s', expected '%s'", name, tx_error_message(), wanted);
    if (p->role == TX_ROLE_COUNTER)
        w->counter[p->offset] = counted;
    else
        tx_param_import(p, kept, tx_weights_param(w, p));
    tx_weights_free(read);
}

static void unsound_values(void)
{
    tx_graph *g = network(5, 4, 1);
    tx_weights *w = filled(g, 1);
    double inf = (double)INFINITY;
    with_value(w, "features.0.conv.weight", 17, (double)NAN, "holds nan at [0,2,2,1] but finite numbers are expected");
    with_value(w, "features.0.conv.weight", 89, inf, "holds inf at [4,2,2,1] but");
    with_value(w, "features.0.conv.weight", 0, -inf, "holds -inf at [0,0,0,0] but");
    with_value(w, "classifier.1.bias", 3, inf, "holds inf at [3] but");
    with_value(w, "features.1.bn.running_mean", 6, -inf, "holds -inf at [6] but");
    with_value(w, "features.1.bn.running_var", 2, -1e-30, "at [2] but finite numbers from 0 are expected");
    with_value(w, "features.1.bn.running_var", 2, (double)NAN, "holds nan at [2] but finite numbers from 0");
    with_value(w, "features.1.bn.num_batches_tracked", 0, -5, "holds -5 but numbers from 0 are expected");
    with_value(w, "features.0.conv.weight", 89, -3e38, NULL);
    with_value(w, "features.1.bn.running_mean", 0, -7, NULL);
    with_value(w, "features.1.bn.running_var", 6, 0, NULL);
    with_value(w, "features.1.bn.running_var", 6, -0.0, NULL);
    with_value(w, "features.1.bn.running_var", 6, 1e-45, NULL);
    with_value(w, "features.1.bn.num_batches_tracked", 0, 0, NULL);
    tx_weights_free(w);
    tx_graph_free(g);
}

/* A number that only a wider type holds. */
static void beyond_float(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 8, 8);
    tx_graph_add(g, &layer, "fc", &x, 1, &(layer_args){2, 1, 1, 0}, sizeof(layer_args));
    tx_weights *w = tx_weights_new(g, 0);
    double values[2] = {1, -1e39};
    size_t shape[2] = {1, 2};
    for (int k = 0; k < 2; k++) {
        tx_safetensors_writer *file = tx_safetensors_create(temp_path("d"));
        tx_safetensors_put(file, "fc.weight", TX_F64, 2, shape, values);
        CHECK(tx_safetensors_finish(file) == TX_OK, "%s", tx_error_message());
        tx_status status = tx_checkpoint_load(temp_path("d"), w, 0, NULL);
        CHECK(k ? status == TX_OK : status && strstr(tx_error_message(), "holds -inf as float32 at [0,1] but"), "%s",
              tx_error_message());
        values[1] = -1e38;
    }
    tx_weights_free(w);
    tx_graph_free(g);
}

static void torture(void)
{
    const char *path = temp_path("t");
    tx_graph *g = network(5, 4, 1);
    tx_weights *a = filled(g, 1), *b = filled(g, 2);
    unsigned char *whole;
    size_t bytes;
    tx_checkpoint_save(path, a, NULL, 0);
    tx_file_read(path, 1 << 20, &whole, &bytes);
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    signal(SIGXFSZ, SIG_IGN);
    for (size_t limit = 0; limit < bytes; limit += 333) {
        tight.rlim_cur = limit;
        setrlimit(RLIMIT_FSIZE, &tight);
        tx_status status = tx_checkpoint_save(path, b, NULL, 0);
        setrlimit(RLIMIT_FSIZE, &before);
        CHECK(status == TX_ERR_FILE && temp_holds(path, whole, bytes), "room for %zu bytes: %s", limit,
              tx_error_message());
    }
    for (size_t n = 0; n < bytes; n += n < 20 ? 1 : 61) {
        temp_write(temp_path("c"), whole, n);
        CHECK(tx_checkpoint_load(temp_path("c"), b, 0, NULL) != TX_OK, "cut at %zu", n);
    }
    long live = tx_alloc_live();
    tx_status status = TX_ERR_MEMORY;
    for (long n = 0; n < 1000 && status; n++) {
        tx_alloc_fail_after(n);
        status = tx_checkpoint_save(temp_path("f"), a, NULL, 0);
        if (status == TX_OK)
            status = tx_checkpoint_load(temp_path("f"), b, 0, NULL);
        tx_alloc_fail_after(-1);
        CHECK(tx_alloc_live() == live, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - live);
    }
    CHECK(status == TX_OK && equal(a, b, NULL), "fine at last");
    tx_free(whole);
    tx_weights_free(a);
    tx_weights_free(b);
    tx_graph_free(g);
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_checkpoint");
    round_trip();
    renamed();
    mismatches();
    other_types();
    unsound_values();
    beyond_float();
    torture();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_checkpoint");
}
