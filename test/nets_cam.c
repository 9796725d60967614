/* nets_cam.c - class activation maps: by central differences of the logits in doubles, of a small network and of each
 * family's, by the gradient of the whole network, and for one set of bits whatever runs beside them. */
#include "../nets/blocks.h"
#include "refused.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 37 }; /* more than the head has rows */

/* ---- a small network whose features end in a batch norm: its bias moves a whole channel of the map */
static tx_node *small_features(tx_graph *g, tx_node *image, const tx_net_info *net, int cut)
{
    (void)net;
    tx_node *x = tx_conv2d(g, image, "conv1", (tx_conv2d_args){.out = 12, .kernel = 3, .stride = 2, .padding = 1});
    x = tx_relu(g, tx_batchnorm(g, x, "bn1", (tx_batchnorm_args){0}));
    if (!cut)
        x = tx_conv2d(g, x, "conv2", (tx_conv2d_args){.out = 19, .kernel = 3, .padding = 1, .no_bias = 1});
    return tx_batchnorm(g, x, "last", (tx_batchnorm_args){0});
}

static const tx_net_info small = {.name = "small",
                                  .family = "Small",
                                  .head = {.name = "head.3",
                                           .init = TX_HEAD_OUT_ROOT3_ZERO,
                                           .dropout = 0.5,
                                           .hidden = "head.0",
                                           .width = 23,
                                           .act = TX_ACT_SILU},
                                  .blocks = 1,
                                  .smallest = 4,
                                  .features = small_features};

typedef struct fixture {
    tx_network n;
    tx_weights *w;
    int batch;
} fixture;

static uint64_t index_of(const fixture *f, int image, size_t i)
{
    return ((uint64_t)image << 32) + i + (uint64_t)f->n.image->h;
}

/* Pixel i of an image: a function of both. */
static float pixel(const fixture *f, int image, size_t i)
{
    return tx_random_uniform(7, TX_RANDOM_DATA, 0, index_of(f, image, i)) * 2 - 1;
}

static size_t pixels(const fixture *f)
{
    return (size_t)f->n.image->h * (size_t)f->n.image->w * (size_t)f->n.image->c;
}

/* Not square; every parameter and buffer of a general size. */
static void begin(fixture *f, const tx_net_info *net, int cut, int h, int w, int batch)
{
    memset(f, 0, sizeof *f);
    f->batch = batch;
    f->n.choice = (tx_net_choice){.net = net, .cut = cut, .classes = CLASSES};
    f->n.graph = tx_graph_new();
    f->n.image = tx_input(f->n.graph, 3, h, w);
    tx_net_nodes nodes = tx_net_build(f->n.graph, f->n.image, net, cut, CLASSES);
    f->n.features = nodes.features;
    f->n.logits = nodes.logits;
    f->w = tx_weights_new(f->n.graph, 0);
    CHECK(f->w && tx_weights_init(f->w, 3) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < tx_graph_params(f->n.graph); i++) {
        const tx_param *p = tx_graph_param(f->n.graph, i);
        for (size_t k = 0; p->dims == 1 && k < p->count; k++)
            tx_weights_param(f->w, p)[k] += 0.4f * tx_random_uniform(9, TX_RANDOM_DATA, (uint64_t)i, k);
    }
    tx_weights_changed(f->w);
}

static void end(fixture *f)
{
    tx_weights_free(f->w);
    tx_graph_free(f->n.graph);
}

static void set_images(const fixture *f, float *to, int from, int images)
{
    for (int k = 0; k < images; k++)
        for (size_t i = 0; i < pixels(f); i++)
            to[(size_t)k * pixels(f) + i] = pixel(f, from + k, i);
}

/* Maps of the images from.., of the tasks task[0..count), and the logits; the caller's. */
static float *maps(const fixture *f, int from, int images, const int *task, int count, float *logits)
{
    size_t area = (size_t)f->n.features->h * (size_t)f->n.features->w, each = area * (size_t)count;
    float *raw = tx_alloc((size_t)images * each, sizeof *raw);
    tx_cam *cam = tx_cam_new(&f->n, f->w, images + 1);
    CHECK(cam && raw, "%s", tx_error_message());
    set_images(f, tx_session_input(tx_cam_session(cam), f->n.image), from, images);
    CHECK(tx_cam_run(cam, images) == TX_OK, "%s", tx_error_message());
    for (int k = 0; k < images; k++)
        CHECK(tx_cam_maps(cam, k, task, count, raw + (size_t)k * each) == TX_OK, "%s", tx_error_message());
    if (logits)
        CHECK(tx_session_value(tx_cam_session(cam), f->n.logits, logits) == TX_OK, "%s", tx_error_message());
    tx_cam_free(cam);
    return raw;
}

/* ---- by central differences */

/* Logits of the images in doubles, and the features where there is room for them. */
static void reference_logits(const fixture *f, double *logits, double *features)
{
    tx_reference *r = tx_reference_new(f->n.graph, f->w, f->batch, TX_INFER, 0);
    CHECK(r, "%s", tx_error_message());
    double *to = tx_reference_input(r, f->n.image);
    for (int k = 0; k < f->batch; k++)
        for (size_t i = 0; i < pixels(f); i++)
            to[(size_t)k * pixels(f) + i] = (double)pixel(f, k, i);
    CHECK(tx_reference_forward(r) == TX_OK, "%s", tx_error_message());
    const tx_node *n = f->n.features;
    memcpy(logits, tx_reference_value(r, f->n.logits), (size_t)f->batch * CLASSES * sizeof *logits);
    if (features)
        memcpy(features, tx_reference_value(r, n),
               (size_t)f->batch * (size_t)n->h * (size_t)n->w * (size_t)n->c * sizeof *features);
    tx_reference_free(r);
}

/* want[image][task][p] = sum over c of d logit / d bias_c / area * A_c[p]. */
static void difference_maps(const fixture *f, double *want)
{
    const tx_node *n = f->n.features;
    size_t area = (size_t)n->h * (size_t)n->w, channels = (size_t)n->c, count = (size_t)f->batch * CLASSES;
    double *features = tx_alloc((size_t)f->batch * area * channels, sizeof *features);
    double *low = tx_alloc(count, sizeof *low), *high = tx_alloc(count, sizeof *high);
    float *bias = tx_weights_param(f->w, tx_graph_param(f->n.graph, tx_graph_find(f->n.graph, "last.bias")));
    memset(want, 0, count * area * sizeof *want);
    reference_logits(f, low, features);
    for (size_t c = 0; c < channels; c++) {
        float middle = bias[c], up = middle + 0x1p-8f, down = middle - 0x1p-8f;
        bias[c] = up;
        reference_logits(f, high, NULL);
        bias[c] = down;
        reference_logits(f, low, NULL);
        bias[c] = middle;
        for (size_t i = 0; i < count; i++) {
            double alpha = (high[i] - low[i]) / ((double)up - (double)down) / (double)area;
            for (size_t p = 0; p < area; p++)
                want[i * area + p] += alpha * features[(i / CLASSES * area + p) * channels + c];
        }
    }
    tx_free(features);
    tx_free(low);
    tx_free(high);
}

static void check_differences(int cut)
{
    fixture f;
    begin(&f, &small, cut, 9, 14, 2);
    size_t area = (size_t)f.n.features->h * (size_t)f.n.features->w, count = 2 * CLASSES * area;
    double *want = tx_alloc(count, sizeof *want), largest = 0, worst = 0;
    int task[CLASSES];
    for (int t = 0; t < CLASSES; t++)
        task[t] = t;
    difference_maps(&f, want);
    float *got = maps(&f, 0, 2, task, CLASSES, NULL);
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(want[i]));
        worst = fmax(worst, fabs((double)got[i] - want[i]));
    }
    CHECK(largest > 1e-3 && worst < 1e-5 * largest, "cut %d: maps are off by %g of %g from differences", cut, worst,
          largest);
    tx_free(want);
    tx_free(got);
    end(&f);
}

/* ---- by the gradient of the whole network */

static tx_session *new_session(const fixture *f, tx_mode mode)
{
    tx_session *s = tx_session_new(f->n.graph, f->w, (tx_session_args){.batch = f->batch, .mode = mode});
    CHECK(s, "%s", tx_error_message());
    set_images(f, tx_session_input(s, f->n.image), 0, f->batch);
    CHECK(tx_forward(s) == TX_OK, "%s", tx_error_message());
    return s;
}

/* The map of image n and task t by a session that explains. */
static void gradient_map(const fixture *f, int n, int t, double *raw)
{
    const tx_node *a = f->n.features;
    size_t area = (size_t)a->h * (size_t)a->w, c = (size_t)a->c, count = (size_t)f->batch * area * c;
    float *value = tx_alloc(count, sizeof *value), *gradient = tx_alloc(count, sizeof *gradient);
    float *dy = tx_alloc((size_t)f->batch * CLASSES, sizeof *dy);
    tx_session *s = new_session(f, TX_EXPLAIN);
    dy[n * CLASSES + t] = 1;
    CHECK(tx_backward(s, dy) == TX_OK && tx_session_value(s, a, value) == TX_OK &&
              tx_session_gradient(s, a, gradient) == TX_OK,
          "%s", tx_error_message());
    memset(raw, 0, area * sizeof *raw);
    for (size_t k = 0; k < c; k++) {
        double alpha = 0;
        size_t first = (size_t)n * area * c + k;
        for (size_t p = 0; p < area; p++)
            alpha += (double)gradient[first + p * c];
        for (size_t p = 0; p < area; p++)
            raw[p] += alpha / (double)area * (double)value[first + p * c];
    }
    tx_session_free(s);
    tx_free(value);
    tx_free(gradient);
    tx_free(dy);
}

/* The logits are those of inference where nothing is kept, bit for bit. */
static void check_logits(const fixture *f, const float *logits)
{
    fixture plain = *f;
    const tx_net_choice *of = &f->n.choice;
    float other[2 * CLASSES];
    plain.n.graph = tx_graph_new();
    plain.n.image = tx_input(plain.n.graph, 3, f->n.image->h, f->n.image->w);
    tx_node *last = tx_net_build(plain.n.graph, plain.n.image, of->net, of->cut, CLASSES).logits;
    tx_session *s = new_session(&plain, TX_INFER);
    CHECK(tx_session_value(s, last, other) == TX_OK && memcmp(other, logits, sizeof other) == 0,
          "%s, cut %d: logits are other ones than in inference", of->net->name, of->cut);
    tx_session_free(s);
    tx_graph_free(plain.n.graph);
}

/* The features of image n, (area,c); the caller's. */
static float *features_of(const fixture *f, int n)
{
    const tx_node *a = f->n.features;
    size_t each = (size_t)a->h * (size_t)a->w * (size_t)a->c;
    float *all = tx_alloc((size_t)f->batch * each, sizeof *all);
    tx_session *s = new_session(f, TX_INFER);
    CHECK(tx_session_value(s, a, all) == TX_OK, "%s", tx_error_message());
    memmove(all, all + (size_t)n * each, each * sizeof *all);
    tx_session_free(s);
    return all;
}

/* The head alone with the network's parameters; input: its means. */
static tx_graph *head_of(const fixture *f, tx_node **means, tx_node **logits, tx_weights **weights)
{
    tx_graph *g = tx_graph_new();
    *means = tx_input(g, f->n.features->c, 1, 1);
    *logits = tx_net_head_build(g, *means, f->n.choice.net, f->n.choice.cut, CLASSES);
    *weights = tx_weights_new(g, 0);
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        const tx_param *q = tx_graph_param(f->n.graph, tx_graph_find(f->n.graph, p->name));
        memcpy(tx_weights_param(*weights, p), tx_weights_param(f->w, q), p->count * sizeof(float));
    }
    tx_weights_changed(*weights);
    return g;
}

/* The map of image n and task t by central differences in doubles. As raw[p] is the sum of d logit / d m_c times A_c[p] over
 * the area, it is the derivative along A[p] of the logit as a function of the means. */
static void slope_map(const fixture *f, int n, int t, double *raw)
{
    const double step = 0x1p-16;
    size_t area = (size_t)f->n.features->h * (size_t)f->n.features->w, c = (size_t)f->n.features->c;
    float *a = features_of(f, n);
    tx_node *means, *logits;
    tx_weights *w;
    tx_graph *g = head_of(f, &means, &logits, &w);
    tx_reference *r = tx_reference_new(g, w, (int)(2 * area), TX_INFER, 0);
    CHECK(r, "%s", tx_error_message());
    double *to = tx_reference_input(r, means);
    for (size_t k = 0; k < c; k++) {
        double mean = 0;
        for (size_t p = 0; p < area; p++)
            mean += (double)a[p * c + k] / (double)area;
        for (size_t p = 0; p < area; p++) {
            to[2 * p * c + k] = mean + step * (double)a[p * c + k];
            to[(2 * p + 1) * c + k] = mean - step * (double)a[p * c + k];
        }
    }
    CHECK(tx_reference_forward(r) == TX_OK, "%s", tx_error_message());
    const double *y = tx_reference_value(r, logits);
    for (size_t p = 0; p < area; p++)
        raw[p] = (y[2 * p * CLASSES + (size_t)t] - y[(2 * p + 1) * CLASSES + (size_t)t]) / (2 * step) / (double)area;
    tx_reference_free(r);
    tx_weights_free(w);
    tx_graph_free(g);
    tx_free(a);
}

static void check_network(const tx_net_info *net, int cut)
{
    static const int task[] = {CLASSES - 1, 5};
    fixture f;
    float logits[2 * CLASSES];
    begin(&f, net, cut, net->smallest, net->smallest + 33, 2);
    size_t area = (size_t)f.n.features->h * (size_t)f.n.features->w;
    double *want = tx_alloc(area, sizeof *want);
    float *got = maps(&f, 0, 2, task, 2, logits);
    for (int way = 0; way < 2; way++) {
        double size = 0, off = 0;
        (way ? slope_map : gradient_map)(&f, 1, task[0], want);
        for (size_t p = 0; p < area; p++) {
            size = fmax(size, fabs(want[p]));
            off = fmax(off, fabs(want[p] - (double)got[2 * area + p]));
        }
        CHECK(size > 0 && off <= 2e-5 * size, "%s, cut %d: a map is off by %g of %g from %s", net->name, cut, off, size,
              way ? "central differences" : "the network's gradient");
    }
    check_logits(&f, logits);
    tx_free(want);
    tx_free(got);
    end(&f);
}

/* ---- one set of bits */

static void check_bits(const tx_net_info *net, int cut)
{
    const char *isa[TX_MAX_ISAS];
    int isas = tx_isa_list(isa), task[CLASSES], before = tx_threads();
    fixture f;
    begin(&f, net, cut, net->smallest + 40, net->smallest + 7, 3);
    size_t area = (size_t)f.n.features->h * (size_t)f.n.features->w, each = area * CLASSES;
    for (int t = 0; t < CLASSES; t++)
        task[t] = t;
    float *want = maps(&f, 0, 3, task, CLASSES, NULL);
    for (int k = 0; k < isas; k++)
        for (int threads = 1; threads <= 7; threads += k ? 6 : 2) {
            tx_isa_select(isa[k]);
            tx_set_threads(threads);
            float *got = maps(&f, 2, 1, task, CLASSES, NULL);
            CHECK(memcmp(got, want + 2 * each, each * sizeof *got) == 0, "%s: other bits on %s, %d threads, alone",
                  net->name, isa[k], threads);
            tx_free(got);
            got = maps(&f, 1, 2, task + 17, 1, NULL);
            CHECK(memcmp(got, want + each + 17 * area, area * sizeof *got) == 0 &&
                      memcmp(got + area, want + 2 * each + 17 * area, area * sizeof *got) == 0,
                  "%s: other bits of one task on %s, %d threads", net->name, isa[k], threads);
            tx_free(got);
        }
    tx_set_threads(before);
    tx_isa_select(NULL);
    tx_free(want);
    end(&f);
}

/* ---- its life */

/* Maps follow weights that change, and runs that follow runs. */
static void check_changes(void)
{
    fixture f;
    int task = 3;
    begin(&f, &small, 0, 8, 8, 2);
    float old[16], again[16], fresh[16];
    tx_cam *cam = tx_cam_new(&f.n, f.w, 2);
    CHECK(cam && f.n.features->h * f.n.features->w == 16, "%s", tx_error_message());
    set_images(&f, tx_session_input(tx_cam_session(cam), f.n.image), 0, 2);
    REFUSED(tx_cam_maps(cam, 0, &task, 1, old) != TX_OK, "image 0 of a run of 0");
    CHECK(tx_cam_run(cam, 2) == TX_OK && tx_cam_maps(cam, 1, &task, 1, old) == TX_OK, "%s", tx_error_message());
    float *head = tx_weights_param(f.w, tx_graph_param(f.n.graph, tx_graph_find(f.n.graph, "head.0.weight")));
    head[11] += 0.5f;
    tx_weights_changed(f.w);
    CHECK(tx_cam_maps(cam, 1, &task, 1, again) == TX_OK && memcmp(old, again, sizeof old) == 0,
          "a map is not of the weights that its run had");
    CHECK(tx_cam_run(cam, 2) == TX_OK && tx_cam_maps(cam, 1, &task, 1, again) == TX_OK, "%s", tx_error_message());
    float *want = maps(&f, 1, 1, &task, 1, NULL);
    memcpy(fresh, want, sizeof fresh);
    CHECK(memcmp(old, again, sizeof old) && memcmp(fresh, again, sizeof fresh) == 0,
          "maps do not follow weights that changed");
    CHECK(tx_cam_run(cam, 1) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_cam_maps(cam, 1, &task, 1, old) != TX_OK, "image 1 of a run of 1");
    tx_free(want);
    tx_cam_free(cam);
    end(&f);
}

int main(void)
{
    check_differences(0);
    check_differences(1);
    for (int i = 0; i < tx_nets(); i++) {
        const tx_net_info *net = tx_net_at(i);
        if (i > 0 && strcmp(net->family, tx_net_at(i - 1)->family) == 0)
            continue;
        check_network(net, 0);
        check_network(net, i % 2 ? 1 : net->blocks);
    }
    check_bits(&small, 0);
    check_bits(tx_net_find("mobilenet_v2"), 2);
    check_changes();
    return test_done("nets_cam");
}
