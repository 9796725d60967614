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
    tx_cam *maps; /* in floats */
    double *dy;   /* in doubles: (n,classes) */
} cam_net;

static void cam_close(cam_net *c)
{
    tx_cam_free(c->maps);
    tx_free(c->dy);
    net_free(&c->f);
    text_free(&c->text);
    memset(c, 0, sizeof *c);
}

/* Its maps by the library's own call, in floats. */
static tx_status cam_open_maps(cam_net *c, const tx_net_info *info)
{
    net_file *f = &c->f;
    tx_network n = {.choice = {.net = info, .cut = f->cut, .classes = f->classes},
                    .graph = f->graph,
                    .image = f->image,
                    .features = c->features,
                    .logits = f->logits};
    c->maps = tx_cam_new(&n, f->weights, f->n);
    if (!c->maps)
        return tx_error_status();
    net_set(f, tx_cam_session(c->maps), NULL, f->image, net_image_count(f), net_pixel);
    return tx_cam_run(c->maps, f->n);
}

/* .. and what they are made of through the references, in doubles. */
static tx_status cam_open_reference(cam_net *c)
{
    net_file *f = &c->f;
    tx_status status = tx_node_keep(c->features);
    c->dy = tx_alloc(net_logit_count(f), sizeof *c->dy);
    f->reference = status || !c->dy ? NULL : tx_reference_new(f->graph, f->weights, f->n, TX_EXPLAIN, 0);
    if (!f->reference)
        return tx_error_status();
    net_set(f, NULL, f->reference, f->image, net_image_count(f), net_pixel);
    return tx_reference_forward(f->reference);
}

/* The network alone, filled. */
static tx_status cam_build(cam_net *c, const tx_net_info *info)
{
    net_file *f = &c->f;
    f->graph = tx_graph_new();
    f->image = tx_input(f->graph, 3, f->h, f->w);
    tx_net_nodes nodes = tx_net_build(f->graph, f->image, info, f->cut, f->classes);
    c->features = nodes.features;
    f->logits = nodes.logits;
    tx_status status = tx_graph_status(f->graph);
    if (status)
        return status;
    f->weights = tx_weights_new(f->graph, 0);
    status = f->weights ? net_fill(f) : TX_ERR_MEMORY;
    if (status)
        return status;
    return f->report->reference ? cam_open_reference(c) : cam_open_maps(c, info);
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

/* raw[p] = sum over channels of mean(gradient) * value, for image n. */
static void cam_weigh(const cam_net *c, int n, double *raw)
{
    size_t channels = (size_t)c->features->c, area = (size_t)c->features->h * (size_t)c->features->w;
    const double *value = tx_reference_value(c->f.reference, c->features) + (size_t)n * area * channels;
    const double *gradient = tx_reference_gradient(c->f.reference, c->features) + (size_t)n * area * channels;
    for (size_t k = 0; k < channels; k++) {
        double alpha = 0;
        for (size_t p = 0; p < area; p++)
            alpha += gradient[p * channels + k] / (double)area;
        for (size_t p = 0; p < area; p++)
            raw[p] += alpha * value[p * channels + k];
    }
}

/* The raw map of image n and task t. */
static tx_status cam_map(const cam_net *c, int n, int t, double *raw)
{
    const net_file *f = &c->f;
    size_t area = (size_t)c->features->h * (size_t)c->features->w;
    if (f->reference) {
        memset(c->dy, 0, net_logit_count(f) * sizeof *c->dy);
        c->dy[(size_t)n * (size_t)f->classes + (size_t)t] = 1;
        tx_status status = tx_reference_backward(f->reference, c->dy);
        if (status == TX_OK)
            cam_weigh(c, n, raw);
        return status;
    }
    float *map = tx_alloc(area, sizeof *map);
    tx_status status = map ? tx_cam_maps(c->maps, n, &t, 1, map) : TX_ERR_MEMORY;
    for (size_t p = 0; p < area && status == TX_OK; p++)
        raw[p] = (double)map[p];
    tx_free(map);
    return status;
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
    tx_status status = raw ? cam_map(c, (int)n, (int)t, raw) : TX_ERR_MEMORY;
    if (status == TX_OK)
        cam_values(c, line, record, raw);
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
