/* golden_net.h - a network file: fill the net by its formulas, run it once in inference, once in training with gradients,
 * and compare every record. */
#ifndef THORAX_GOLDEN_NET_H
#define THORAX_GOLDEN_NET_H

#include "../nets/nets.h"
#include "golden_order.h"
#include "golden_report.h"
#include "golden_stream.h"

typedef struct net_file {
    const text_file *text;
    report *report;
    char net[64];
    int cut, classes, n, h, w;
    long long seed;
    stream_gain gain;
    double largest_eval, largest_train, largest_dlogit, largest_grad; /* among the values wanted */
    /* what the run gives, as doubles whichever the way */
    double *eval, *train, *dlogit, *ginput; /* (n,classes), and (n,h,w,3) */
    double loss;
    tx_graph *graph; /* image, logits, loss */
    tx_node *image, *logits, *label, *mask;
    tx_weights *weights;
    tx_reference *reference; /* after the training run, in the double way */
} net_file;

/* Larger files are refused: they would take the machine's memory. */
enum { NET_PIXELS = 1 << 22, NET_CLASSES = 100000 };

/* ------------------------------------------------------------------------------------------- reading */

static tx_status net_name(net_file *f, const text_line *line)
{
    tx_status status = text_need(line, 2);
    if (status)
        return status;
    const char *name = line->field[1], *dash = strchr(name, '-');
    size_t length = dash ? (size_t)(dash - name) : strlen(name);
    if (length >= sizeof f->net)
        return text_bad(line, "the name is too long");
    memcpy(f->net, name, length);
    f->net[length] = 0;
    if (dash) {
        char *end;
        long cut = strtol(dash + 1, &end, 10);
        if (end == dash + 1 || *end || cut < 1 || cut > 99)
            return text_bad(line, "expected NAME or NAME-BLOCKS");
        f->cut = (int)cut;
    }
    return TX_OK;
}

static tx_status net_input(net_file *f, const text_line *line)
{
    int channels;
    tx_status status = text_need(line, 5);
    if (status || (status = text_int(line, 1, 1, 4096, &f->n)) != TX_OK ||
        (status = text_int(line, 2, 3, 3, &channels)) != TX_OK ||
        (status = text_int(line, 3, 1, 65536, &f->h)) != TX_OK ||
        (status = text_int(line, 4, 1, 65536, &f->w)) != TX_OK)
        return status;
    if ((long long)f->n * f->h * f->w > NET_PIXELS)
        return text_bad(line, "more pixels than this checker takes");
    return TX_OK;
}

static tx_status net_gain(net_file *f, const text_line *line)
{
    double *gain[4] = {&f->gain.conv, &f->gain.linear, &f->gain.weight, &f->gain.bias};
    tx_status status = text_need(line, 5);
    for (int i = 0; i < 4 && status == TX_OK; i++)
        status = text_number(line, i + 1, gain[i]);
    return status;
}

static const text_line *net_find(const text_file *text, const char *word)
{
    for (size_t i = 0; i < text->lines; i++)
        if (text_is(&text->line[i], word))
            return &text->line[i];
    return NULL;
}

static tx_status net_header(net_file *f)
{
    static const char *const words[] = {"format", "net", "classes", "input", "seed", "gain"};
    const text_line *line[6];
    for (int i = 0; i < 6; i++) {
        line[i] = net_find(f->text, words[i]);
        if (!line[i])
            return tx_fail(TX_ERR_FORMAT, "there is no line '%s'", words[i]);
    }
    int format;
    tx_status status = text_need(line[0], 2);
    if (status || (status = text_int(line[0], 1, 1, 1, &format)) != TX_OK || (status = net_name(f, line[1])) != TX_OK ||
        (status = text_need(line[2], 2)) != TX_OK ||
        (status = text_int(line[2], 1, 1, NET_CLASSES, &f->classes)) != TX_OK ||
        (status = net_input(f, line[3])) != TX_OK || (status = text_need(line[4], 2)) != TX_OK ||
        (status = text_integer(line[4], 1, 0, INT64_MAX, &f->seed)) != TX_OK)
        return status;
    return net_gain(f, line[5]);
}

/* What a record of each kind holds: fields in all (T stands for the number of classes), the first one that is a number,
 * and whether it is compared. */
typedef struct net_kind {
    const char *word;
    int fields, per_class, numbers, compared;
} net_kind;

static const net_kind net_kinds[] = {
    {"format", 2, 0, 1, 0}, {"net", 2, 0, 2, 0},    {"classes", 2, 0, 1, 0}, {"input", 5, 0, 1, 0},
    {"seed", 2, 0, 1, 0},   {"gain", 5, 0, 1, 0},   {"scope", 2, 0, 2, 0},   {"end", 1, 0, 1, 0},
    {"act", 0, 0, 2, 0},    {"params", 2, 0, 1, 1}, {"tensors", 2, 0, 1, 1}, {"eval", 2, 1, 1, 1},
    {"train", 2, 1, 1, 1},  {"label", 2, 1, 1, 1},  {"mask", 2, 1, 1, 1},    {"dlogit", 2, 1, 1, 1},
    {"loss", 2, 0, 1, 1},   {"task", 4, 0, 1, 1},   {"ginput", 5, 0, 1, 1},  {"grad", 6, 0, 2, 1},
    {"stat", 4, 0, 2, 1},
};

static const net_kind *net_kind_of(const text_line *line)
{
    for (size_t i = 0; i < sizeof net_kinds / sizeof net_kinds[0]; i++)
        if (text_is(line, net_kinds[i].word))
            return &net_kinds[i];
    return NULL;
}

static double larger(double a, double b)
{
    return fabs(b) > a ? fabs(b) : a;
}

/* Checks one line's form and keeps the largest value of its kind. */
static tx_status net_check_line(net_file *f, const text_line *line)
{
    const net_kind *kind = net_kind_of(line);
    if (!kind)
        return TX_OK;
    tx_status status = kind->fields ? text_need(line, kind->fields + (kind->per_class ? f->classes : 0)) : TX_OK;
    double v = 0;
    double *largest = text_is(line, "eval")     ? &f->largest_eval
                      : text_is(line, "train")  ? &f->largest_train
                      : text_is(line, "dlogit") ? &f->largest_dlogit
                                                : NULL;
    int from = strcmp(kind->word, "act") ? kind->numbers : line->fields;
    for (int i = from; i < line->fields && status == TX_OK; i++) {
        status = text_number(line, i, &v);
        if (largest && i >= 2)
            *largest = larger(*largest, v);
        if (i == 2 && text_is(line, "grad"))
            f->largest_grad = larger(f->largest_grad, v);
    }
    return status;
}

/* Reads the whole file once before anything runs: a file that is cut short or garbled is refused. */
static tx_status net_check(net_file *f)
{
    const text_file *text = f->text;
    tx_status status = net_header(f);
    for (size_t i = 0; i < text->lines && status == TX_OK; i++)
        status = net_check_line(f, &text->line[i]);
    if (status == TX_OK && !text_is(&text->line[text->lines - 1], "end"))
        status = tx_fail(TX_ERR_FORMAT, "the file ends without 'end'");
    return status;
}

/* ------------------------------------------------------------------------------------------- running */

static tx_status net_fill(net_file *f)
{
    tx_weights *w = f->weights;
    size_t largest = 1;
    for (int i = 0; i < tx_graph_params(w->graph); i++)
        if (tx_graph_param(w->graph, i)->count > largest)
            largest = tx_graph_param(w->graph, i)->count;
    float *values = tx_alloc(largest, sizeof *values);
    tx_status status = values ? TX_OK : TX_ERR_MEMORY;
    for (int i = 0; i < tx_graph_params(w->graph) && status == TX_OK; i++) {
        const tx_param *p = tx_graph_param(w->graph, i);
        char mean[256];
        const char *dot = strrchr(p->name, '.');
        int length = dot ? (int)(dot - p->name) : 0;
        snprintf(mean, sizeof mean, "%.*s.running_mean", length, p->name);
        int norm = tx_graph_find(w->graph, mean) >= 0;
        if (p->role == TX_ROLE_COUNTER)
            w->counter[p->offset] = 0;
        else if (stream_fill(p->name, p->dims, p->shape, norm, f->gain, (uint64_t)f->seed, values))
            status = tx_fail(TX_ERR_ARGUMENT, "no rule fills %s", p->name);
        else
            tx_param_import(p, values, tx_weights_param(w, p));
    }
    tx_free(values);
    tx_weights_changed(w);
    return status;
}

/* The image's pixels, from the stream's NCHW to NHWC. */
static double net_pixel(const net_file *f, size_t at)
{
    size_t c = at % 3, area = (size_t)f->h * (size_t)f->w, pixel = at / 3 % area, n = at / 3 / area;
    return stream_u(stream_start("input", (uint64_t)f->seed), (n * 3 + c) * area + pixel);
}

static double net_label(const net_file *f, size_t at)
{
    return stream_u(stream_start("label", (uint64_t)f->seed), at) >= 0;
}

static double net_mask(const net_file *f, size_t at)
{
    return stream_u(stream_start("mask", (uint64_t)f->seed), at) >= -0.5;
}

static size_t net_image_count(const net_file *f)
{
    return (size_t)f->n * (size_t)f->h * (size_t)f->w * 3;
}

static size_t net_logit_count(const net_file *f)
{
    return (size_t)f->n * (size_t)f->classes;
}

typedef double net_rule(const net_file *f, size_t at);

/* Writes an input of either kind of run. */
static void net_set(const net_file *f, tx_session *s, tx_reference *r, const tx_node *node, size_t count,
                    net_rule *rule)
{
    float *single = s ? tx_session_input(s, node) : NULL;
    double *twice = r ? tx_reference_input(r, node) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (single)
            single[i] = (float)rule(f, i);
        if (twice)
            twice[i] = rule(f, i);
    }
}

static void net_set_all(const net_file *f, tx_session *s, tx_reference *r)
{
    net_set(f, s, r, f->image, net_image_count(f), net_pixel);
    net_set(f, s, r, f->label, net_logit_count(f), net_label);
    net_set(f, s, r, f->mask, net_logit_count(f), net_mask);
}

/* Widens what `read` copies out of a session. */
typedef tx_status net_reader(const tx_session *session, const tx_node *node, float *out);

static tx_status net_widen(const tx_session *s, const tx_node *node, net_reader *read, size_t count, double *out)
{
    float *values = tx_alloc(count, sizeof *values);
    if (!values)
        return TX_ERR_MEMORY;
    tx_status status = read(s, node, values);
    for (size_t i = 0; i < count && status == TX_OK; i++)
        out[i] = (double)values[i];
    tx_free(values);
    return status;
}

/* The net alone, as it is used for predictions: logits last, nothing else kept. */
static tx_status net_run_eval(net_file *f, const tx_net_info *info)
{
    tx_graph *g = tx_graph_new();
    tx_node *image = tx_input(g, 3, f->h, f->w);
    tx_node *logits = tx_net_build(g, image, info, f->cut, f->classes).logits;
    tx_status status = tx_graph_status(g);
    tx_session *s = NULL;
    tx_reference *r = NULL;
    size_t count = net_logit_count(f);
    if (status == TX_OK && f->report->reference)
        status = (r = tx_reference_new(g, f->weights, f->n, TX_INFER, 0)) ? TX_OK : TX_ERR_MEMORY;
    else if (status == TX_OK)
        status = (s = tx_session_new(g, f->weights, (tx_session_args){.batch = f->n})) ? TX_OK : TX_ERR_MEMORY;
    if (status == TX_OK)
        net_set(f, s, r, image, net_image_count(f), net_pixel);
    if (r) {
        tx_reference_forward(r);
        memcpy(f->eval, tx_reference_value(r, logits), count * sizeof *f->eval);
    } else if (s) {
        status = tx_forward(s);
        if (status == TX_OK)
            status = net_widen(s, logits, tx_session_value, count, f->eval);
    }
    tx_session_free(s);
    tx_reference_free(r);
    tx_graph_free(g);
    return status;
}

static tx_status net_run_train_float(net_file *f)
{
    const tx_node *loss = tx_graph_node(f->graph, tx_graph_nodes(f->graph) - 1);
    tx_session *s = tx_session_new(f->graph, f->weights, (tx_session_args){.batch = f->n, .mode = TX_TRAIN});
    if (!s)
        return TX_ERR_MEMORY;
    net_set_all(f, s, NULL);
    double *losses = tx_alloc((size_t)f->n, sizeof *losses);
    tx_status status = losses ? tx_forward(s) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = net_widen(s, loss, tx_session_value, (size_t)f->n, losses);
    if (status == TX_OK)
        f->loss = losses[0];
    if (status == TX_OK)
        status = net_widen(s, f->logits, tx_session_value, net_logit_count(f), f->train);
    if (status == TX_OK)
        status = tx_backward(s, NULL);
    if (status == TX_OK)
        status = net_widen(s, f->logits, tx_session_gradient, net_logit_count(f), f->dlogit);
    if (status == TX_OK)
        status = net_widen(s, f->image, tx_session_gradient, net_image_count(f), f->ginput);
    tx_free(losses);
    tx_session_free(s);
    return status;
}

static tx_status net_run_train_reference(net_file *f)
{
    const tx_node *loss = tx_graph_node(f->graph, tx_graph_nodes(f->graph) - 1);
    tx_reference *r = tx_reference_new(f->graph, f->weights, f->n, TX_TRAIN, 0);
    if (!r)
        return TX_ERR_MEMORY;
    f->reference = r;
    net_set_all(f, NULL, r);
    tx_reference_forward(r);
    f->loss = tx_reference_value(r, loss)[0];
    memcpy(f->train, tx_reference_value(r, f->logits), net_logit_count(f) * sizeof *f->train);
    tx_reference_backward(r, NULL);
    memcpy(f->dlogit, tx_reference_gradient(r, f->logits), net_logit_count(f) * sizeof *f->dlogit);
    memcpy(f->ginput, tx_reference_gradient(r, f->image), net_image_count(f) * sizeof *f->ginput);
    return TX_OK;
}

/* The files are made without drop-out and stochastic depth. */
static void net_drop_nothing(tx_graph *g)
{
    for (int i = 0; g && i < tx_graph_nodes(g); i++) {
        const tx_node *node = tx_graph_node(g, i);
        if (node->op == &tx_op_dropout)
            ((tx_dropout_args *)node->args)->p = 0;
        if (node->op == &tx_op_stochastic_depth)
            ((tx_stochastic_depth_args *)node->args)->p = 0;
    }
}

static tx_status net_run(net_file *f, const tx_net_info *info)
{
    size_t count = net_logit_count(f);
    f->eval = tx_alloc(count, sizeof *f->eval);
    f->train = tx_alloc(count, sizeof *f->train);
    f->dlogit = tx_alloc(count, sizeof *f->dlogit);
    f->ginput = tx_alloc(net_image_count(f), sizeof *f->ginput);
    f->graph = tx_graph_new();
    if (!f->eval || !f->train || !f->dlogit || !f->ginput || !f->graph)
        return TX_ERR_MEMORY;
    f->image = tx_input(f->graph, 3, f->h, f->w);
    f->logits = tx_net_build(f->graph, f->image, info, f->cut, f->classes).logits;
    f->label = tx_input(f->graph, f->classes, 1, 1);
    f->mask = tx_input(f->graph, f->classes, 1, 1);
    tx_bce_with_logits(f->graph, f->logits, f->label, f->mask, (tx_bce_args){0});
    tx_node_keep(f->image);
    tx_node_keep(f->logits);
    net_drop_nothing(f->graph);
    tx_status status = tx_graph_status(f->graph);
    if (status)
        return status;
    f->weights = tx_weights_new(f->graph, 1);
    if (!f->weights)
        return TX_ERR_MEMORY;
    status = net_fill(f);
    if (status == TX_OK)
        status = net_run_eval(f, info);
    if (status == TX_OK)
        status = f->report->reference ? net_run_train_reference(f) : net_run_train_float(f);
    return status;
}

/* ----------------------------------------------------------------------------------------- comparing */

static double net_wanted(const text_line *line, int field)
{
    double v = (double)NAN;
    text_number(line, field, &v);
    return v;
}

/* KEY n v0 .. vT-1 */
static void net_row(net_file *f, const text_line *line, const double *got, double tolerance)
{
    double n = net_wanted(line, 1);
    if (!(n >= 0 && n < f->n && n == floor(n))) {
        report_fail(f->report, line->field[0], "there is no image of that number");
        return;
    }
    char record[32];
    snprintf(record, sizeof record, "%s %d", line->field[0], (int)n);
    for (int t = 0; t < f->classes; t++)
        report_value(f->report, record, got[(size_t)n * (size_t)f->classes + (size_t)t], net_wanted(line, t + 2),
                     tolerance);
    report_record(f->report);
}

static void net_stream_row(net_file *f, const text_line *line, net_rule *rule)
{
    size_t count = net_logit_count(f);
    double *values = tx_alloc(count, sizeof *values);
    if (!values) {
        report_fail(f->report, line->field[0], tx_error_message());
        return;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = rule(f, i);
    net_row(f, line, values, 0);
    tx_free(values);
}

/* task t COUNT MEAN: how many entries of a column count, and the mean of their losses. */
static void net_task(net_file *f, const text_line *line)
{
    double t = net_wanted(line, 1), sum = 0, count = 0;
    if (!(t >= 0 && t < f->classes && t == floor(t))) {
        report_fail(f->report, "task", "there is no task of that number");
        return;
    }
    for (int n = 0; n < f->n; n++) {
        size_t at = (size_t)n * (size_t)f->classes + (size_t)t;
        double x = f->train[at], y = net_label(f, at);
        if (net_mask(f, at) == 0)
            continue;
        count++;
        sum += (x > 0 ? x : 0) - x * y + tx_log1p(tx_exp(-fabs(x)));
    }
    char record[32];
    snprintf(record, sizeof record, "task %d", (int)t);
    report_value(f->report, record, count, net_wanted(line, 2), 0);
    report_value(f->report, record, count > 0 ? sum / count : 0, net_wanted(line, 3),
                 (f->report->reference ? 1e-9 : 3e-4) * f->largest_train);
    report_record(f->report);
}

/* Four numbers of a gradient, L2 norm and three samples, against fields first.. of a line. */
static void net_gradient(net_file *f, const text_line *line, int first, const char *record, const double found[4],
                         size_t n)
{
    double a = f->report->reference ? 1e-8 : 1e-2, b = f->report->reference ? 1e-11 : 2e-5;
    double l2 = net_wanted(line, first), rest = b * f->largest_grad;
    double sample = n < 100 ? 3 * a * l2 + rest : (30 * a * l2 + rest) / sqrt((double)n);
    for (int i = 0; i < 4; i++)
        report_value(f->report, record, found[i], net_wanted(line, first + i), i == 0 ? a * l2 + rest : sample);
    report_record(f->report);
}

static void net_ginput(net_file *f, const text_line *line)
{
    size_t n = net_image_count(f), area = (size_t)f->h * (size_t)f->w;
    double found[4] = {0};
    for (size_t i = 0; i < n; i++)
        found[0] += f->ginput[i] * f->ginput[i];
    found[0] = sqrt(found[0]);
    for (int j = 0; j < 3; j++) {
        size_t at = stream_sample(stream_start("input", (uint64_t)f->seed), j, n); /* in NCHW */
        size_t c = at / area % 3, pixel = at % area, image = at / area / 3;
        found[j + 1] = f->ginput[(image * area + pixel) * 3 + c];
    }
    net_gradient(f, line, 1, "ginput", found, n);
}

/* Element `at`, in memory's order, of parameter i or (gradient) of its gradient. */
static double net_element(const net_file *f, int i, size_t at, int gradient)
{
    const tx_param *p = tx_graph_param(f->graph, i);
    if (f->reference)
        return (gradient ? tx_reference_param_gradient(f->reference, i) : tx_reference_param(f->reference, i))[at];
    return (double)(gradient ? f->weights->grad + p->offset : tx_weights_param(f->weights, p))[at];
}

static double net_norm(const net_file *f, int i, int gradient)
{
    double sum = 0;
    for (size_t e = 0; e < tx_graph_param(f->graph, i)->count; e++)
        sum += net_element(f, i, e, gradient) * net_element(f, i, e, gradient);
    return sqrt(sum);
}

/* The parameter of that name and role, or -1 with a failure noted. */
static int net_param(net_file *f, const char *record, const char *name, tx_role role)
{
    int i = tx_graph_find(f->graph, name);
    if (i >= 0 && tx_graph_param(f->graph, i)->role == role)
        return i;
    report_fail(f->report, record, "the network has no such parameter");
    return -1;
}

static void net_grad(net_file *f, const text_line *line, const char *scope)
{
    char name[256], record[264];
    snprintf(name, sizeof name, "%s%s", scope, line->field[1]);
    snprintf(record, sizeof record, "grad %s", name);
    int i = net_param(f, record, name, TX_ROLE_TRAINED);
    if (i < 0)
        return;
    const tx_param *p = tx_graph_param(f->graph, i);
    double found[4] = {net_norm(f, i, 1)};
    for (int j = 0; j < 3; j++)
        found[j + 1] =
            net_element(f, i, order_param(p, stream_sample(stream_start(name, (uint64_t)f->seed), j, p->count)), 1);
    net_gradient(f, line, 2, record, found, p->count);
}

static void net_stat(net_file *f, const text_line *line, const char *scope)
{
    static const char *const leaf[2] = {"running_mean", "running_var"};
    char name[256], record[264];
    snprintf(record, sizeof record, "stat %s%s", scope, line->field[1]);
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof name, "%s%s.%s", scope, line->field[1], leaf[k]);
        int i = net_param(f, record, name, TX_ROLE_BUFFER);
        if (i < 0)
            return;
        double want = net_wanted(line, k + 2);
        report_value(f->report, record, net_norm(f, i, 0), want, (f->report->reference ? 1e-8 : 5e-5) * want);
    }
    report_record(f->report);
}

static void net_one(net_file *f, const char *record, const text_line *line, double got, double tolerance)
{
    report_value(f->report, record, got, net_wanted(line, 1), tolerance);
    report_record(f->report);
}

static void net_compare_line(net_file *f, const text_line *line, const char *scope)
{
    int exact = f->report->reference;
    if (text_is(line, "params"))
        net_one(f, "params", line, (double)tx_graph_trained(f->graph), 0);
    else if (text_is(line, "tensors"))
        net_one(f, "tensors", line, tx_graph_params(f->graph), 0);
    else if (text_is(line, "loss"))
        net_one(f, "loss", line, f->loss, (exact ? 1e-9 : 3e-5) * fabs(net_wanted(line, 1)));
    else if (text_is(line, "eval"))
        net_row(f, line, f->eval, (exact ? 1e-9 : 2e-5) * f->largest_eval);
    else if (text_is(line, "train"))
        net_row(f, line, f->train, (exact ? 1e-8 : 3e-4) * f->largest_train);
    else if (text_is(line, "dlogit"))
        net_row(f, line, f->dlogit, (exact ? 1e-8 : 3e-4) * f->largest_dlogit);
    else if (text_is(line, "label"))
        net_stream_row(f, line, net_label);
    else if (text_is(line, "mask"))
        net_stream_row(f, line, net_mask);
    else if (text_is(line, "task"))
        net_task(f, line);
    else if (text_is(line, "ginput"))
        net_ginput(f, line);
    else if (text_is(line, "grad"))
        net_grad(f, line, scope);
    else if (text_is(line, "stat"))
        net_stat(f, line, scope);
}

static void net_compare(net_file *f)
{
    const char *scope = "";
    for (size_t i = 0; i < f->text->lines; i++) {
        const text_line *line = &f->text->line[i];
        if (text_is(line, "scope"))
            scope = strcmp(line->field[1], "-") ? line->field[1] : "";
        else if (net_kind_of(line))
            net_compare_line(f, line, scope);
        else
            report_skip(f->report, line->field[0], 1);
    }
}

static void net_free(net_file *f)
{
    tx_reference_free(f->reference);
    tx_weights_free(f->weights);
    tx_graph_free(f->graph);
    tx_free(f->eval);
    tx_free(f->train);
    tx_free(f->dlogit);
    tx_free(f->ginput);
}

/* Checks one network file. An error is one of the file as a whole. */
static tx_status net_file_check(const text_file *text, report *r)
{
    net_file f = {.text = text, .report = r};
    tx_status status = net_check(&f);
    if (status)
        return status;
    const tx_net_info *info = tx_net_find(f.net);
    if (!info) {
        long records = 0;
        for (size_t i = 0; i < text->lines; i++)
            records += !net_kind_of(&text->line[i]) || net_kind_of(&text->line[i])->compared;
        report_skip(r, f.net, records);
        return TX_OK;
    }
    status = net_run(&f, info);
    if (status == TX_OK)
        net_compare(&f);
    net_free(&f);
    return status;
}

#endif
