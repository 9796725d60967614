/* nets_names.c - weights files that call tensors otherwise: timm's names, torchvision's old ones of DenseNet, and what a cut
 * network takes from a file of the whole one. */
#define _DEFAULT_SOURCE
#include "../nets/nets.h"
#include "io_temp.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* All names of timm's state_dict, in its order, which is torchvision's: the first eight bytes of the SHA-256 of a line a name. */
static const struct {
    const char *net;
    uint64_t names;
} timm[] = {{"mnasnet1_0", 0x20eaa9013d383726},        {"efficientnet_b0", 0xc0559e8babdd2adf},
            {"efficientnet_b1", 0x5f455904ecd038d8},   {"efficientnet_b2", 0x5f455904ecd038d8},
            {"efficientnet_b3", 0x5510ad96b7e8c171},   {"mobilenet_v2", 0xe6a908f0fa96a1d7},
            {"mobilenet_v3_large", 0x218488fcbb242ff3}};

/* Number k of the other names of a tensor, or, behind the last, its own; the caller's. */
static char *called(const tx_net_choice *choice, const char *name, int k)
{
    char *other = NULL;
    CHECK(tx_net_other_name(choice, name, k, &other) == TX_OK, "%s", tx_error_message());
    return other ? other : tx_strdup(name);
}

static void check_timm(void)
{
    for (size_t i = 0; i < sizeof timm / sizeof timm[0]; i++) {
        tx_network n;
        tx_sha256 sha;
        char hex[65];
        tx_net_choice choice = {.net = tx_net_find(timm[i].net), .classes = 2, .size = 32};
        CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
        tx_sha256_begin(&sha);
        for (int k = 0; k < tx_graph_params(n.graph); k++) {
            char *name = called(&choice, tx_graph_param(n.graph, k)->name, 0);
            tx_sha256_add(&sha, name, strlen(name));
            tx_sha256_add(&sha, "\n", 1);
            tx_free(name);
        }
        tx_sha256_end(&sha, hex);
        hex[16] = 0;
        CHECK(strtoull(hex, NULL, 16) == timm[i].names, "%s: timm calls its tensors otherwise", timm[i].net);
        tx_network_free(&n);
    }
}

/* What is written with timm's names is what timm reads: no old names, and none of a norm that stands in. */
static void check_writing(void)
{
    static const struct {
        const char *net;
        int cut;
        const char *name, *timm;
    } cases[] = {{"densenet121", 0, "features.denseblock1.denselayer1.norm1.bias", NULL},
                 {"densenet169", 4, "features.norm5.weight", NULL},
                 {"resnet50", 0, "layer1.0.downsample.1.running_var", NULL},
                 {"mobilenet_v2", 0, "classifier.1.weight", "classifier.weight"},
                 {"mobilenet_v2", 3, "features.10.conv.3.bias", "blocks.3.3.bn3.bias"},
                 {"mnasnet1_0", 0, "layers.14.weight", "conv_head.weight"},
                 {"efficientnet_b2", 0, "features.8.1.num_batches_tracked", "bn2.num_batches_tracked"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_net_choice choice = {.net = tx_net_find(cases[i].net), .cut = cases[i].cut, .classes = 2, .size = 32};
        const char *want = cases[i].timm ? cases[i].timm : cases[i].name;
        char *text = NULL;
        CHECK(tx_net_timm_name(&choice, cases[i].name, &text) == TX_OK && strcmp(text, want) == 0,
              "%s: timm calls %s %s", cases[i].net, cases[i].name, text);
        tx_free(text);
        tx_alloc_fail_after(0);
        CHECK(tx_net_timm_name(&choice, cases[i].name, &text) == TX_ERR_MEMORY && !text, "no memory");
        tx_alloc_fail_after(-1);
    }
    tx_net_choice choice = {.net = tx_net_find("nasnet_a_mobile"), .classes = 2, .size = 32};
    char *text = NULL;
    CHECK(tx_net_timm_name(&choice, "a.weight", &text) == TX_ERR_ARGUMENT &&
              strcmp(tx_error_message(), "timm does not have nasnet_a_mobile") == 0,
          "%s", tx_error_message());
    CHECK(tx_net_timm_name(NULL, "a", &text) == TX_ERR_ARGUMENT, "no network");
    CHECK(tx_net_timm_name(&choice, NULL, &text) == TX_ERR_ARGUMENT, "no name");
    CHECK(tx_net_timm_name(&choice, "a", NULL) == TX_ERR_ARGUMENT, "no room");
}

/* Files of published weights, as torchvision, timm's first releases and Cadene name them. */
static void check_published(void)
{
    static const char *const file[][2] = {{"densenet121-a639ec97.pth", "densenet121"},
                                          {"resnet18-f37072fd.pth", "resnet18"},
                                          {"resnet101-cd907fc2.pth", "resnet101"},
                                          {"mnasnet1.0_top1_73.512-f206786ef8.pth", "mnasnet1_0"},
                                          {"efficientnet_b0_rwightman-7f5810bc.pth", "efficientnet_b0"},
                                          {"efficientnet_b1-c27df63c.pth", "efficientnet_b1"},
                                          {"mobilenet_v2-7ebf99e0.pth", "mobilenet_v2"},
                                          {"nasnetamobile-7e03cead.pth", "nasnet_a_mobile"},
                                          {"resnet1", NULL},
                                          {"efficientnet_b10.pth", NULL},
                                          {"tf_efficientnet_b0-1.pth", NULL},
                                          {"", NULL}};
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        const tx_net_info *net = tx_net_of_file(file[i][0]);
        CHECK(file[i][1] ? net && strcmp(net->name, file[i][1]) == 0 : !net, "%s is %s's", file[i][0],
              net ? net->name : "nobody");
    }
    for (int i = 0; i < tx_nets(); i++)
        CHECK(tx_net_at(i)->file && tx_net_of_file(tx_net_at(i)->file) == tx_net_at(i), "%s: its files' name",
              tx_net_at(i)->name);
    CHECK(tx_net_of_file(NULL) == NULL && strstr(tx_error_message(), "name"), "no name");
}

static const struct {
    const char *net;
    int cut;
    const char *name, *other[3]; /* NULL behind the last */
} rows[] = {
    {"resnet18", 0, "layer1.0.conv1.weight", {NULL}},
    {"densenet121",
     0,
     "features.denseblock3.denselayer17.norm2.running_var",
     {"features.denseblock3.denselayer17.norm.2.running_var"}},
    {"densenet121",
     0,
     "features.denseblock1.denselayer1.conv1.weight",
     {"features.denseblock1.denselayer1.conv.1.weight"}},
    {"densenet121", 0, "features.transition1.norm.weight", {NULL}},
    {"densenet121", 0, "features.norm5.weight", {NULL}},
    {"densenet121", 1, "features.norm5.weight", {"features.transition3.norm.weight"}},
    {"densenet201", 3, "features.norm5.num_batches_tracked", {"features.transition1.norm.num_batches_tracked"}},
    {"densenet169",
     4,
     "features.norm5.bias",
     {"features.denseblock1.denselayer1.norm1.bias", "features.denseblock1.denselayer1.norm.1.bias"}},
    {"mobilenet_v2", 0, "features.1.conv.1.weight", {"blocks.0.0.conv_pw.weight"}},
    {"mobilenet_v2", 0, "features.2.conv.0.0.weight", {"blocks.1.0.conv_pw.weight"}},
    {"mobilenet_v2", 0, "features.10.conv.3.bias", {"blocks.3.3.bn3.bias"}},
    {"mobilenet_v2", 0, "features.17.conv.1.0.weight", {"blocks.6.0.conv_dw.weight"}},
    {"mobilenet_v2", 0, "features.18.conv.2.weight", {NULL}},
    {"mobilenet_v2", 0, "features.0.conv.2.weight", {NULL}},
    {"mobilenet_v2", 2, "classifier.1.bias", {"classifier.bias"}},
    {"mobilenet_v2", 0, "features.x.conv.2.weight", {NULL}},
    {"mobilenet_v2", 0, "weight", {NULL}},
    {"mobilenet_v3_large", 0, "features.1.block.0.0.weight", {"blocks.0.0.conv_dw.weight"}},
    {"mobilenet_v3_large", 0, "features.10.block.2.1.bias", {"blocks.3.3.bn3.bias"}},
    {"mobilenet_v3_large", 0, "features.11.block.2.fc1.bias", {"blocks.4.0.se.conv_reduce.bias"}},
    {"mobilenet_v3_large", 0, "features.15.block.3.0.weight", {"blocks.5.2.conv_pwl.weight"}},
    {"mobilenet_v3_large", 0, "features.16.1.weight", {"blocks.6.0.bn1.weight"}},
    {"mobilenet_v3_large", 0, "classifier.0.bias", {"conv_head.bias"}},
    {"efficientnet_b0", 0, "features.1.0.block.1.fc2.bias", {"blocks.0.0.se.conv_expand.bias"}},
    {"efficientnet_b3", 0, "features.6.5.block.3.1.running_mean", {"blocks.5.5.bn3.running_mean"}},
    {"efficientnet_b0", 0, "features.8.1.weight", {"bn2.weight"}},
    {"efficientnet_b0", 0, "features.8.12.weight", {NULL}},
    {"mnasnet1_0", 0, "layers.12.3.layers.6.weight", {"blocks.5.3.conv_pwl.weight"}},
};

static void check_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tx_net_choice choice = {.net = tx_net_find(rows[i].net), .cut = rows[i].cut, .classes = 2, .size = 32};
        for (int k = 0; k < 3; k++) {
            char *other = NULL;
            const char *want = rows[i].other[k];
            CHECK(tx_net_other_name(&choice, rows[i].name, k, &other) == TX_OK, "%s", tx_error_message());
            CHECK(want ? other && strcmp(other, want) == 0 : !other, "%s, %d cut: name %d of %s is %s, expected %s",
                  rows[i].net, rows[i].cut, k, rows[i].name, other ? other : "none", want ? want : "none");
            tx_free(other);
        }
    }
    tx_net_choice choice = {.net = tx_net_find("mobilenet_v2"), .classes = 2, .size = 32};
    char *other = NULL;
    tx_alloc_fail_after(0);
    CHECK(tx_net_other_name(&choice, "features.0.0.weight", 0, &other) == TX_ERR_MEMORY && !other, "no memory");
    tx_alloc_fail_after(-1);
}

/* ---- files */

typedef struct model {
    tx_network net;
    tx_weights *weights;
} model;

static void model_new(model *m, const char *net, int cut, int classes, uint64_t seed)
{
    tx_net_choice choice = {.net = tx_net_find(net), .cut = cut, .classes = classes, .size = 75};
    CHECK(tx_network_build(&m->net, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    m->weights = tx_weights_new(m->net.graph, 0);
    for (size_t i = 0; i < m->weights->total; i++)
        m->weights->value[i] = (float)tx_random_below(seed, TX_RANDOM_TEST, 0, i, 1 << 20) + 1;
    for (size_t i = 0; i < m->weights->counters; i++)
        m->weights->counter[i] = (int64_t)(100 * seed + i);
    tx_weights_changed(m->weights);
}

static void model_free(model *m)
{
    tx_weights_free(m->weights);
    tx_network_free(&m->net);
}

static tx_status fill(void *context, size_t tensor, void *out)
{
    const tx_weights *w = context;
    const tx_param *p = tx_graph_param(w->graph, (int)tensor);
    if (p->role == TX_ROLE_COUNTER)
        memcpy(out, &w->counter[p->offset], sizeof *w->counter);
    else
        tx_param_export(p, tx_weights_param(w, p), out);
    return TX_OK;
}

/* One more tensor, of zeros, in files that are written now; NULL: none. */
static const char *more;

/* Writes a model whose tensors have other name k, or, with k < 0, their own. timm has a 1x1 convolution for the hidden layer
 * of a head. */
static void write_called(const model *m, const char *path, int k)
{
    static const float nothing[2];
    tx_safetensors_writer *w = tx_safetensors_create(path);
    for (int i = 0; i < tx_graph_params(m->net.graph); i++) {
        const tx_param *p = tx_graph_param(m->net.graph, i);
        size_t shape[4] = {1, 1, 1, 1};
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        char *name = k < 0 ? tx_strdup(p->name) : called(&m->net.choice, p->name, k);
        int dims = strcmp(name, "conv_head.weight") == 0 ? 4 : p->dims;
        tx_safetensors_put_later(w, name, p->role == TX_ROLE_COUNTER ? TX_I64 : TX_F32, dims, shape, fill, m->weights);
        tx_free(name);
    }
    if (more)
        tx_safetensors_put(w, more, TX_F32, 1, (size_t[]){2}, nothing);
    CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
}

static tx_status read_into(model *m, const char *path, int flags, int with_names, tx_checkpoint_report *report)
{
    tx_tensor_file *f = tx_tensor_file_open(path);
    const tx_checkpoint_names names = {
        .other = tx_net_other_name, .context = &m->net.choice, .ignored = m->net.choice.net->ignored};
    tx_status status = tx_checkpoint_read(f, m->weights, flags, with_names ? &names : NULL, report);
    tx_tensor_file_close(f);
    return status;
}

/* Whether the module of that name in a holds what the other's in b does. */
static int same_module(const model *a, const char *name, const model *b, const char *other)
{
    static const char *const leaf[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
    int compared = 0, same = 1;
    for (int i = 0; i < 5; i++) {
        char text[2][128];
        snprintf(text[0], sizeof text[0], "%s.%s", name, leaf[i]);
        snprintf(text[1], sizeof text[1], "%s.%s", other, leaf[i]);
        int x = tx_graph_find(a->net.graph, text[0]), y = tx_graph_find(b->net.graph, text[1]);
        if (x < 0 || y < 0) {
            same &= x < 0 && y < 0;
            continue;
        }
        const tx_param *p = tx_graph_param(a->net.graph, x), *q = tx_graph_param(b->net.graph, y);
        compared++;
        same &= p->role == TX_ROLE_COUNTER
                    ? a->weights->counter[p->offset] == b->weights->counter[q->offset]
                    : p->count == q->count && !memcmp(tx_weights_param(a->weights, p), tx_weights_param(b->weights, q),
                                                      p->count * sizeof(float));
    }
    return same && compared > 0;
}

static int same_weights(const tx_weights *a, const tx_weights *b)
{
    return memcmp(a->value, b->value, a->total * sizeof *a->value) == 0 &&
           memcmp(a->counter, b->counter, a->counters * sizeof *a->counter) == 0;
}

/* Files of another library, or of an older version, hold the same numbers. */
static void check_files(void)
{
    static const struct {
        const char *net;
        int cut;
    } cases[] = {{"mobilenet_v2", 4}, {"efficientnet_b0", 4}, {"efficientnet_b3", 5},
                 {"mnasnet1_0", 4},   {"densenet121", 3},     {"mobilenet_v3_large", 0}};
    const char *path = temp_path("names.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model a, b;
        model_new(&a, cases[i].net, cases[i].cut, 3, 1);
        model_new(&b, cases[i].net, cases[i].cut, 3, 2);
        for (int k = 0; k >= -1; k--) {
            tx_checkpoint_report report;
            write_called(&a, path, k);
            memset(b.weights->value, 0, b.weights->total * sizeof *b.weights->value);
            CHECK(read_into(&b, path, 0, 1, &report) == TX_OK && same_weights(a.weights, b.weights) &&
                      report.extra == 0,
                  "%s: %s", cases[i].net, tx_error_message());
            CHECK((read_into(&b, path, 0, 0, NULL) == TX_OK) == (k < 0), "%s: its own names", cases[i].net);
        }
        model_free(&a);
        model_free(&b);
    }
}

/* The last linear layer of a file is found under its other name, too. */
static void check_head(void)
{
    const char *path = temp_path("head.safetensors");
    model a, b;
    tx_checkpoint_report report;
    model_new(&a, "mobilenet_v2", 5, 1000, 1);
    model_new(&b, "mobilenet_v2", 5, 3, 2);
    write_called(&a, path, 0);
    CHECK(read_into(&b, path, 0, 1, &report) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "classifier.weight F32 (1000,24), not (3,24)"),
          "%s", tx_error_message());
    CHECK(read_into(&b, path, TX_CHECKPOINT_NEW_HEAD, 1, &report) == TX_OK && report.outputs_in_file == 1000 &&
              report.replaced && strcmp(report.replaced, "classifier.1.weight") == 0 && report.extra == 0,
          "%s", tx_error_message());
    CHECK(same_module(&b, "features.3.conv.2", &a, "features.3.conv.2") &&
              !same_module(&b, "classifier.1", &a, "classifier.1"),
          "all but the head is the file's");
    model_free(&a);
    model_free(&b);
}

/* A cut network's norm5 has the numbers of the norm that saw the same map in the network of the file. */
static void check_cut(void)
{
    static const struct {
        int cut;
        const char *norm;
    } cases[] = {
        {2, "features.norm5"}, {3, "features.transition1.norm"}, {4, "features.denseblock1.denselayer1.norm1"}};
    const char *path = temp_path("cut.safetensors");
    model whole;
    model_new(&whole, "densenet121", 2, 5, 1);
    for (int old = 0; old < 2; old++) {
        write_called(&whole, path, -1);
        if (old) { /* as files of 2017 are: no norm5 of a cut network has another name there */
            whole.net.choice.cut = 0;
            write_called(&whole, path, 0);
            whole.net.choice.cut = 2;
        }
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            model m;
            tx_checkpoint_report report;
            model_new(&m, "densenet121", cases[i].cut, 5, 2);
            CHECK(read_into(&m, path, TX_CHECKPOINT_EXTRA | TX_CHECKPOINT_NEW_HEAD, 1, &report) == TX_OK &&
                      (report.extra > 0) == (i > 0) && (report.replaced != NULL) == (i > 0),
                  "%d cut: %s", cases[i].cut, tx_error_message());
            CHECK(same_module(&m, "features.norm5", &whole, cases[i].norm), "%d cut, %d: norm5 is not %s", cases[i].cut,
                  old, cases[i].norm);
            CHECK(same_module(&m, "features.conv0", &whole, "features.conv0") &&
                      (i == 2 || same_module(&m, "features.denseblock1.denselayer6.norm1", &whole,
                                             "features.denseblock1.denselayer6.norm1")),
                  "%d cut, %d: the rest", cases[i].cut, old);
            model_free(&m);
        }
    }
    model_free(&whole);
}

/* An auxiliary head in the file is passed over, where the network is known to have one there. */
static void check_ignored(void)
{
    static const struct {
        const char *net, *tensor;
        int passed;
    } cases[] = {{"inception_v3", "AuxLogits.conv0.bn.weight", 1},
                 {"inception_v3", "AuxLogit.conv0.bn.weight", 0},
                 {"inception_v3", "Mixed_5b.AuxLogits.fc.bias", 0},
                 {"inception_v4", "AuxLogits.fc.bias", 0}};
    const char *path = temp_path("ignored.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model m;
        tx_checkpoint_report report;
        model_new(&m, cases[i].net, 3, 2, 1);
        more = cases[i].tensor;
        write_called(&m, path, -1);
        more = NULL;
        CHECK((read_into(&m, path, 0, 1, &report) == TX_OK) == cases[i].passed && report.extra == !cases[i].passed,
              "%s, %s: %zu passed over", cases[i].net, cases[i].tensor, report.extra);
        model_free(&m);
    }
}

/* A linear layer's weight is a 1x1 convolution's; no other shape is another's. */
static void check_shapes(void)
{
    static const struct {
        int dims, other_dims;
        size_t other[4];
        int same;
    } cases[] = {{2, 2, {3, 2}, 1},       {2, 4, {3, 2, 1, 1}, 1}, {2, 4, {3, 2, 2, 1}, 0}, {2, 4, {3, 2, 1, 2}, 0},
                 {2, 4, {2, 3, 1, 1}, 0}, {2, 3, {3, 2, 1}, 0},    {2, 1, {3}, 0},          {1, 4, {3, 1, 1, 1}, 0},
                 {4, 2, {3, 2}, 0},       {4, 4, {3, 2, 1, 1}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_param p = {.dims = cases[i].dims, .shape = {3, 2, 1, 1}};
        tx_stored t = {.dims = cases[i].other_dims};
        memcpy(t.shape, cases[i].other, sizeof cases[i].other);
        CHECK(tx_checkpoint_same_shape(&p, &t) == cases[i].same, "case %zu", i);
    }
}

/* timm has MobileNetV3 with another eps; its other networks are the same. */
static void check_eps(void)
{
    static const struct {
        const char *net, *tensor;
        double eps;
    } cases[] = {{"mobilenet_v3_large", "conv_stem.weight", 1e-5}, {"mobilenet_v3_large", "features.0.0.weight", 0},
                 {"mobilenet_v3_large", "bn1.weight", 0},          {"mobilenet_v3_large", "conv_stem", 0},
                 {"mobilenet_v2", "conv_stem.weight", 0},          {"resnet18", "conv1.weight", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(tx_net_eps_by_name(tx_net_find(cases[i].net), cases[i].tensor) == cases[i].eps, "%s, %s: eps %g",
              cases[i].net, cases[i].tensor, tx_net_eps_by_name(tx_net_find(cases[i].net), cases[i].tensor));
}

int main(void)
{
    temp_begin();
    check_ignored();
    check_shapes();
    check_eps();
    check_timm();
    check_writing();
    check_published();
    check_rows();
    check_files();
    check_head();
    check_cut();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("nets_names");
}
