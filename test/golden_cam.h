/* golden_cam.h - class activation maps (Grad-CAM before its rectifier; Selvaraju et al., ICCV 2017): of network files that lie
 * beside this one, the features' values weighted by the mean over the map of the gradient of one logit.
 *
 *     cam FILE n t h w L2 s0 s1 s2     raw map of image n, task t: L2 norm and samples of the stream "cam" */
#ifndef THORAX_GOLDEN_CAM_H
#define THORAX_GOLDEN_CAM_H

#include "golden_net.h"

enum { CAM_FIELDS = 10 };

/* The network of the lines that are compared at present. */
typedef struct cam_net {
    const char *name; /* its file's; NULL: none yet */
    text_file text;
    net_file f;
    tx_node *features;
    tx_session *session;
    double *dy;               /* (n,classes) */
    double *value, *gradient; /* of the features */
} cam_net;

static size_t cam_count(const cam_net *c)
{
    return (size_t)c->f.n * (size_t)c->features->h * (size_t)c->features->w * (size_t)c->features->c;
}

static void cam_close(cam_net *c)
{
    tx_session_free(c->session);
    tx_free(c->dy);
    tx_free(c->value);
    tx_free(c->gradient);
    net_free(&c->f);
    text_free(&c->text);
    memset(c, 0, sizeof *c);
}

/* The network alone, filled, with its features kept. */
static tx_status cam_build(cam_net *c, const tx_net_info *info)
{
    net_file *f = &c->f;
    f->graph = tx_graph_new();
    f->image = tx_input(f->graph, 3, f->h, f->w);
    tx_net_nodes nodes = tx_net_build(f->graph, f->image, info, f->cut, f->classes);
    c->features = nodes.features;
    f->logits = nodes.logits;
    tx_status status = tx_graph_status(f->graph);
    if (status == TX_OK)
        status = tx_node_keep(c->features);
    if (status)
        return status;
    f->weights = tx_weights_new(f->graph, 0);
    c->dy = tx_alloc(net_logit_count(f), sizeof *c->dy);
    c->value = tx_alloc(cam_count(c), sizeof *c->value);
    c->gradient = tx_alloc(cam_count(c), sizeof *c->gradient);
    if (!f->weights || !c->dy || !c->value || !c->gradient)
        return TX_ERR_MEMORY;
    status = net_fill(f);
    if (status)
        return status;
    if (f->report->reference)
        f->reference = tx_reference_new(f->graph, f->weights, f->n, TX_EXPLAIN, 0);
    else
        c->session = tx_session_new(f->graph, f->weights, (tx_session_args){.batch = f->n, .mode = TX_EXPLAIN});
    if (!f->reference && !c->session)
        return TX_ERR_MEMORY;
    net_set(f, c->session, f->reference, f->image, net_image_count(f), net_pixel);
    return f->reference ? tx_reference_forward(f->reference) : TX_OK;
}

/* Opens the network file of that name beside the report's own; *known 0: a network that this version does not have. */
static tx_status cam_open(cam_net *c, const char *name, report *r, int *known)
{
    char path[1024];
    const char *slash = strrchr(r->path, '/');
    int folder = slash ? (int)(slash - r->path) + 1 : 0;
    cam_close(c);
    c->name = name;
    c->f = (net_file){.text = &c->text, .report = r};
    if (strchr(name, '/') || snprintf(path, sizeof path, "%.*s%s", folder, r->path, name) >= (int)sizeof path)
        return tx_fail(TX_ERR_FORMAT, "not the name of a file beside this one");
    tx_status status = text_read(path, &c->text);
    if (status == TX_OK)
        status = net_header(&c->f);
    if (status)
        return status;
    const tx_net_info *info = tx_net_find(c->f.net);
    *known = info != NULL;
    return info ? cam_build(c, info) : TX_OK;
}

/* Value and gradient of the features for one logit of one image. */
static tx_status cam_run(cam_net *c, int n, int t)
{
    net_file *f = &c->f;
    size_t count = net_logit_count(f), one = (size_t)n * (size_t)f->classes + (size_t)t;
    memset(c->dy, 0, count * sizeof *c->dy);
    c->dy[one] = 1;
    if (f->reference) {
        tx_status status = tx_reference_backward(f->reference, c->dy);
        memcpy(c->value, tx_reference_value(f->reference, c->features), cam_count(c) * sizeof *c->value);
        memcpy(c->gradient, tx_reference_gradient(f->reference, c->features), cam_count(c) * sizeof *c->gradient);
        return status;
    }
    float *dy = tx_alloc(count, sizeof *dy);
    if (!dy)
        return TX_ERR_MEMORY;
    dy[one] = 1;
    tx_status status = tx_forward(c->session);
    if (status == TX_OK)
        status = tx_backward(c->session, dy);
    if (status == TX_OK)
        status = net_widen(c->session, c->features, tx_session_value, cam_count(c), c->value);
    if (status == TX_OK)
        status = net_widen(c->session, c->features, tx_session_gradient, cam_count(c), c->gradient);
    tx_free(dy);
    return status;
}

/* raw[p] = sum over channels of mean(gradient) * value, for image n. */
static void cam_map(const cam_net *c, int n, double *raw)
{
    size_t channels = (size_t)c->features->c, area = (size_t)c->features->h * (size_t)c->features->w;
    const double *value = c->value + (size_t)n * area * channels, *gradient = c->gradient + (size_t)n * area * channels;
    for (size_t k = 0; k < channels; k++) {
        double alpha = 0;
        for (size_t p = 0; p < area; p++)
            alpha += gradient[p * channels + k] / (double)area;
        for (size_t p = 0; p < area; p++)
            raw[p] += alpha * value[p * channels + k];
    }
}

/* L2 norm and three samples of the map against fields 6.. of the line. */
static void cam_values(const cam_net *c, const text_line *line, const char *record, const double *raw)
{
    report *r = c->f.report;
    size_t area = (size_t)c->features->h * (size_t)c->features->w;
    double l2 = 0, want = net_wanted(line, 6);
    for (size_t p = 0; p < area; p++)
        l2 += raw[p] * raw[p];
    report_value(r, record, c->features->h, net_wanted(line, 4), 0);
    report_value(r, record, c->features->w, net_wanted(line, 5), 0);
    report_value(r, record, sqrt(l2), want, (r->reference ? 1e-8 : 1e-4) * want);
    for (int j = 0; j < 3; j++)
        report_value(r, record, raw[stream_sample(stream_start("cam", (uint64_t)c->f.seed), j, area)],
                     net_wanted(line, 7 + j), (r->reference ? 1e-8 : 1e-3) * want / sqrt((double)area));
    report_record(r);
}

static tx_status cam_line(cam_net *c, const text_line *line, const char *record)
{
    double n = net_wanted(line, 2), t = net_wanted(line, 3);
    if (n >= c->f.n || t >= c->f.classes) {
        report_fail(c->f.report, record, "there is no image or no task of that number");
        return TX_OK;
    }
    double *raw = tx_alloc((size_t)c->features->h * (size_t)c->features->w, sizeof *raw);
    tx_status status = raw ? cam_run(c, (int)n, (int)t) : TX_ERR_MEMORY;
    if (status == TX_OK) {
        cam_map(c, (int)n, raw);
        cam_values(c, line, record, raw);
    }
    tx_free(raw);
    return status;
}

/* A file that is cut within a line or garbled is refused before anything runs. */
static tx_status cam_check(const text_file *text)
{
    int whole;
    double v;
    for (size_t i = 0; i < text->lines; i++) {
        const text_line *line = &text->line[i];
        tx_status status = text_is(line, "cam") ? text_need(line, CAM_FIELDS) : text_bad(line, "expected cam");
        for (int k = 2; k < CAM_FIELDS && status == TX_OK; k++)
            status = k < 6 ? text_int(line, k, 0, NET_PIXELS, &whole) : text_number(line, k, &v);
        if (status)
            return status;
    }
    return TX_OK;
}

/* Checks a file of maps. A network file that cannot be used fails its lines alone. */
static tx_status cam_file_check(const text_file *text, report *r)
{
    cam_net c = {0};
    int known = 0;
    tx_status opened = TX_OK, status = cam_check(text);
    for (size_t i = 0; i < text->lines && status == TX_OK; i++) {
        const text_line *line = &text->line[i];
        char record[160];
        snprintf(record, sizeof record, "cam %.100s %s %s", line->field[1], line->field[2], line->field[3]);
        if (!c.name || strcmp(c.name, line->field[1]))
            opened = cam_open(&c, line->field[1], r, &known);
        if (opened)
            report_fail(r, record, tx_error_message());
        else if (!known)
            report_skip(r, record, 1);
        else
            status = cam_line(&c, line, record);
    }
    cam_close(&c);
    return status;
}

#endif
