/* io_match.c - which of a file's tensors is which parameter: wrappers' prefixes, a last layer of another name, counters of any
 * type, what does not match, and files that are written with other names. */
#define _DEFAULT_SOURCE
#include "../layers/layers.h"
#include "io_temp.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static tx_graph *network(int outputs)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 3, 8, 8);
    x = tx_conv2d(g, x, "conv", (tx_conv2d_args){.out = 4, .kernel = 3});
    x = tx_global_mean(g, tx_batchnorm(g, x, "bn", (tx_batchnorm_args){.eps = 1e-5}));
    x = tx_linear(g, x, "hidden", (tx_linear_args){.out = 6});
    tx_linear(g, x, "fc", (tx_linear_args){.out = outputs});
    CHECK(tx_graph_status(g) == TX_OK, "%s", tx_error_message());
    return g;
}

/* How a file calls tensors: the first row whose name one begins with, then what stands before all. */
typedef struct calling {
    const char *prefix, *row[3][2];
} calling;

static tx_status called(const void *context, const char *name, char **text, int *dims)
{
    const calling *c = context;
    char out[128];
    snprintf(out, sizeof out, "%s%s", c->prefix ? c->prefix : "", name);
    for (int i = 0; i < 3 && c->row[i][0]; i++)
        if (strncmp(name, c->row[i][0], strlen(c->row[i][0])) == 0) {
            snprintf(out, sizeof out, "%s%s%s", c->prefix ? c->prefix : "", c->row[i][1], name + strlen(c->row[i][0]));
            break;
        }
    if (strcmp(name, "hidden.weight") == 0)
        *dims = 4;
    *text = tx_strdup(out);
    return *text ? TX_OK : TX_ERR_MEMORY;
}

static int equal(const tx_weights *a, const tx_weights *b)
{
    return memcmp(a->value, b->value, a->total * sizeof *a->value) == 0 && a->counter[0] == b->counter[0];
}

static void write_called(const char *path, const tx_weights *w, const calling *c)
{
    const tx_checkpoint_form form = {.called = called, .context = c};
    CHECK(tx_checkpoint_write(path, w, NULL, 0, &form) == TX_OK, "%s", tx_error_message());
}

static tx_weights *filled(const tx_graph *g, uint64_t seed)
{
    tx_weights *w = tx_weights_new(g, 0);
    tx_weights_init(w, seed);
    w->counter[0] = (int64_t)seed;
    return w;
}

/* Each is read, strictly, or refused with those words. */
static void names(void)
{
    static const struct {
        calling how;
        const char *refused;
    } cases[] = {
        {{.prefix = NULL}, NULL},
        {{.prefix = "module."}, NULL},
        {{.prefix = "model."}, NULL},
        {{.prefix = "backbone."}, NULL},
        {{.prefix = "_orig_mod.module.model."}, NULL},
        {{.prefix = "module.module."}, NULL},
        {{.prefix = "net."}, "9 that the network does not have"},
        {{.prefix = "modul."}, "missing"},
        {{.row = {{"conv.", "module.conv."}}},
         "2 missing (conv.weight, conv.bias); 2 that the network does not have (module.conv.weight"},
        {{.row = {{"fc.", "head."}}}, NULL},
        {{.row = {{"fc.", "fc.0."}}}, NULL},
        {{.row = {{"fc.", "classifier.7.out."}}}, NULL},
        {{.prefix = "model.", .row = {{"fc.", "last_linear."}}}, NULL},
        {{.row = {{"fc.weight", "head.kernel"}}},
         "1 missing (fc.weight); 1 that the network does not have (head.kernel)"},
        {{.row = {{"fc.weight", "head.weight"}}}, "missing (fc.weight)"},
        {{.row = {{"fc.", "head."}, {"bn.", "norm."}}}, "4 missing (bn.weight"},
    };
    tx_graph *g = network(5);
    const char *path = temp_path("n.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_weights *a = filled(g, 1), *b = filled(g, 2);
        tx_checkpoint_report report;
        write_called(path, a, &cases[i].how);
        tx_status status = tx_checkpoint_load(path, b, 0, &report);
        if (cases[i].refused)
            CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), cases[i].refused), "case %zu: '%s'", i,
                  tx_error_message());
        else
            CHECK(status == TX_OK && equal(a, b) && (report.renamed != NULL) == (cases[i].how.row[0][0] != NULL),
                  "case %zu: %s", i, tx_error_message());
        CHECK(status != TX_OK || (report.outputs_in_file == 5 && report.features_in_file == 6 && !report.replaced),
              "case %zu: %zu outputs, %zu features", i, report.outputs_in_file, report.features_in_file);
        tx_weights_free(a);
        tx_weights_free(b);
    }
    tx_graph_free(g);
}

/* A last layer of another name and width stays out; where two would fit none is taken. */
static void heads(void)
{
    static const calling head = {.row = {{"fc.", "head."}}};
    const char *path = temp_path("h.safetensors");
    tx_graph *five = network(5), *nine = network(9);
    tx_weights *a = filled(five, 1), *b = filled(nine, 2), *c = filled(nine, 2);
    tx_checkpoint_report report;
    write_called(path, a, &head);
    CHECK(tx_checkpoint_load(path, b, 0, NULL) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "head.weight F32 (5,6), not (9,6)"),
          "%s", tx_error_message());
    CHECK(tx_checkpoint_load(path, b, TX_CHECKPOINT_NEW_HEAD, &report) == TX_OK && report.replaced &&
              report.outputs_in_file == 5 && report.extra == 0,
          "%s", tx_error_message());
    const tx_param *p = tx_graph_param(nine, tx_graph_find(nine, "fc.weight"));
    CHECK(memcmp(tx_weights_param(b, p), tx_weights_param(c, p), p->count * sizeof(float)) == 0,
          "the head has changed");
    p = tx_graph_param(nine, 0);
    CHECK(memcmp(tx_weights_param(a, p), tx_weights_param(b, p), p->count * sizeof(float)) == 0,
          "the rest is not read");
    for (int same = 0; same < 2; same++) {
        tx_safetensors_writer *w = tx_safetensors_create(temp_path("t.safetensors"));
        static const float some[64];
        static const size_t two[2][2] = {{5, 6}, {5, 4}}, one[1] = {5};
        static const char *const twin[2][2] = {{"a.weight", "a.bias"}, {"b.weight", "b.bias"}};
        for (int i = 0; i < 2; i++) {
            tx_safetensors_put(w, twin[i][0], TX_F32, 2, two[i && !same], some);
            tx_safetensors_put(w, twin[i][1], TX_F32, 1, one, some);
        }
        CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
        CHECK(tx_checkpoint_load(temp_path("t.safetensors"), a, TX_CHECKPOINT_EXTRA, NULL) == TX_ERR_FORMAT &&
                  strstr(tx_error_message(), same ? "10 missing" : "8 missing"),
              "%s", tx_error_message());
    }
    tx_weights_free(a);
    tx_weights_free(b);
    tx_weights_free(c);
    tx_graph_free(five);
    tx_graph_free(nine);
}

/* With TX_CHECKPOINT_PARTIAL what does not match is said, and stays; but not what has another shape, nor where nothing matches. */
static void partial(void)
{
    static const calling other = {.row = {{"bn.", "norm."}}}, nothing = {.prefix = "x."};
    const char *path = temp_path("p.safetensors");
    tx_graph *g = network(5);
    tx_weights *a = filled(g, 1), *b = filled(g, 2), *c = filled(g, 2);
    tx_checkpoint_report report;
    write_called(path, a, &other);
    CHECK(tx_checkpoint_load(path, b, TX_CHECKPOINT_PARTIAL, &report) == TX_OK &&
              strcmp(report.unmatched,
                     "tensors: 4 missing (bn.weight, bn.bias, bn.running_mean, ..); 5 that the network does "
                     "not have (norm.weight, norm.bias, norm.running_mean, ..)") == 0,
          "%s %s", tx_error_message(), report.unmatched);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        const tx_weights *want = strncmp(p->name, "bn.", 3) ? a : c;
        CHECK(p->role == TX_ROLE_COUNTER ||
                  memcmp(tx_weights_param(b, p), tx_weights_param(want, p), p->count * sizeof(float)) == 0,
              "%s", p->name);
    }
    write_called(path, a, &nothing);
    CHECK(tx_checkpoint_load(path, b, TX_CHECKPOINT_PARTIAL, NULL) == TX_ERR_FORMAT, "nothing of it matches");
    tx_graph *wide = network(6);
    tx_weights *w = filled(wide, 3);
    CHECK(tx_checkpoint_save(path, w, NULL, 0) == TX_OK &&
              tx_checkpoint_load(path, b, TX_CHECKPOINT_PARTIAL, NULL) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "2 of another shape"),
          "%s", tx_error_message());
    tx_weights_free(a);
    tx_weights_free(b);
    tx_weights_free(c);
    tx_weights_free(w);
    tx_graph_free(g);
    tx_graph_free(wide);
}

/* num_batches_tracked as a number or a list of one, of any type. */
static void counters(void)
{
    static const struct {
        tx_dtype dtype;
        int dims;
        double value;
        int64_t read; /* -1: refused */
    } cases[] = {{TX_I64, 0, 1234, 1234}, {TX_I64, 1, 7, 7},   {TX_I32, 0, 70000, 70000}, {TX_F32, 0, 1234, 1234},
                 {TX_F32, 1, 2.75, 2},    {TX_F64, 0, 99, 99}, {TX_F32, 0, -1, -1},       {TX_F64, 0, 1e19, -1}};
    const char *path = temp_path("c.safetensors");
    tx_graph *g = network(5);
    tx_weights *a = filled(g, 1), *b = filled(g, 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_safetensors_writer *w = tx_safetensors_create(path);
        float *values[16] = {NULL};
        double d = cases[i].value;
        float f = (float)d;
        int64_t n64 = cases[i].dtype == TX_I64 ? (int64_t)d : 0;
        int32_t n32 = cases[i].dtype == TX_I32 ? (int32_t)d : 0;
        const void *from = cases[i].dtype == TX_F64   ? (const void *)&d
                           : cases[i].dtype == TX_F32 ? (const void *)&f
                           : cases[i].dtype == TX_I64 ? (const void *)&n64
                                                      : (const void *)&n32;
        for (int k = 0; k < tx_graph_params(g); k++) {
            const tx_param *p = tx_graph_param(g, k);
            size_t shape[4] = {1};
            for (int s = 0; s < p->dims; s++)
                shape[s] = (size_t)p->shape[s];
            if (p->role == TX_ROLE_COUNTER) {
                tx_safetensors_put(w, p->name, cases[i].dtype, cases[i].dims, shape, from);
                continue;
            }
            values[k] = tx_alloc(p->count, sizeof(float));
            tx_param_export(p, tx_weights_param(a, p), values[k]);
            tx_safetensors_put(w, p->name, TX_F32, p->dims, shape, values[k]);
        }
        CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
        tx_status status = tx_checkpoint_load(path, b, 0, NULL);
        CHECK(cases[i].read < 0 ? status == TX_ERR_FORMAT && strstr(tx_error_message(), "numbers from 0") != NULL
                                : status == TX_OK && b->counter[0] == cases[i].read,
              "case %zu: %s", i, tx_error_message());
        for (int k = 0; k < 16; k++)
            tx_free(values[k]);
    }
    tx_weights_free(a);
    tx_weights_free(b);
    tx_graph_free(g);
}

/* What nobody needs, wherever it is wrapped; the comparison alone; every allocation failing. */
static void ignored(void)
{
    static const calling wrapped = {.prefix = "module."};
    static const char *const some[] = {"bn", "bn.weight", "bn.running_mean", NULL};
    const tx_checkpoint_names skip = {.ignored = "bn."}, less_skip = {.beside = some};
    const char *path = temp_path("i.safetensors");
    tx_graph *g = network(5), *less = tx_graph_new();
    tx_node *x = tx_input(less, 3, 8, 8);
    x = tx_global_mean(less, tx_conv2d(less, x, "conv", (tx_conv2d_args){.out = 4, .kernel = 3}));
    tx_linear(less, tx_linear(less, x, "hidden", (tx_linear_args){.out = 6}), "fc", (tx_linear_args){.out = 5});
    tx_weights *a = filled(g, 1);
    tx_checkpoint_report report;
    write_called(path, a, &wrapped);
    tx_tensor_file *f = tx_tensor_file_open(path);
    CHECK(tx_checkpoint_compare(f, less, 0, &skip, &report) == TX_OK && report.extra == 0 && !report.unmatched[0], "%s",
          tx_error_message());
    CHECK(tx_checkpoint_compare(f, less, 0, &less_skip, &report) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "3 that the network does not have (module.bn.bias"),
          "%s", tx_error_message());
    CHECK(tx_checkpoint_compare(f, less, 0, NULL, &report) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "5 that the network does not have (module.bn.weight"),
          "%s", tx_error_message());
    int failed = 0;
    for (long k = 0; k < 1000; k++) {
        tx_alloc_fail_after(k);
        tx_status status = tx_checkpoint_compare(f, g, 0, NULL, &report);
        tx_alloc_fail_after(-1);
        if (status == TX_OK)
            break;
        failed++;
        CHECK(status == TX_ERR_MEMORY, "allocation %ld: %s", k, tx_error_message());
    }
    CHECK(failed > 10, "%d allocations have failed", failed);
    tx_tensor_file_close(f);
    tx_weights_free(a);
    tx_graph_free(g);
    tx_graph_free(less);
}

int main(void)
{
    temp_begin();
    names();
    heads();
    partial();
    counters();
    ignored();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("io_match");
}
