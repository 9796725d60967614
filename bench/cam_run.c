/* cam_run.c - class activation maps of a list of images, made by batches: loading, the network, the maps and their scores. */
#include "cam_run.h"
#include "message.h"
#include "scores.h"
#include "xrv.h"

#include <string.h>

enum { AT_ONCE = 64 }; /* maps in memory */

/* The images of a batch. */
typedef struct batch {
    cam_run *r;
    size_t first, count, each; /* each: floats of an image */
    float *input, *logits;
    tx_image *picture; /* as resized, before the crop */
    tx_framing *framing;
    tx_status *status;
    char (*message)[512];
} batch;

/* Maps that are finished at once. */
typedef struct maps {
    const batch *b;
    cam_row *row;
    size_t rows, area;
    float *raw;
    tx_status *status;
    char (*message)[512];
} maps;

static void load_image(void *context, size_t k, int worker)
{
    (void)worker;
    batch *b = context;
    b->status[k] = tx_preprocess_picture(&b->r->model->recipe.how, b->r->paths->path[b->first + k],
                                         b->input + k * b->each, &b->framing[k], &b->picture[k]);
    if (b->status[k])
        snprintf(b->message[k], sizeof b->message[k], "%s", tx_error_message());
}

/* -------------------------------------------------------------------------------------- one map */
static void measure(cam_row *row, const float *raw, size_t area)
{
    row->low = row->high = raw[0];
    for (size_t p = 0; p < area; p++) {
        row->low = raw[p] < row->low ? raw[p] : row->low;
        row->high = raw[p] > row->high ? raw[p] : row->high;
        row->positive += raw[p] > 0;
    }
}

static tx_status finish_map(const batch *b, cam_row *row, const float *raw)
{
    const cam_run *r = b->r;
    const tx_node *f = r->net.features;
    size_t k = row->image - b->first;
    row->framing = b->framing[k];
    measure(row, raw, (size_t)f->h * (size_t)f->w);
    tx_status status = TX_OK;
    if (r->boxes)
        status = boxes_score(r->boxes, row->image, row->task, raw, f->h, f->w, &row->framing, r->model->choice.size,
                             &row->score);
    return status == TX_OK ? r->made(r->context, row, &b->picture[k], raw) : status;
}

static void finish_one(void *context, size_t i, int worker)
{
    (void)worker;
    maps *m = context;
    m->status[i] = finish_map(m->b, &m->row[i], m->raw + i * m->area);
    if (m->status[i])
        snprintf(m->message[i], sizeof m->message[i], "%s", tx_error_message());
}

/* Maps row[0..rows), rows of one image beside each other. */
static tx_status make_maps(maps *m)
{
    int task[AT_ONCE];
    tx_cam *cam = m->b->r->cam;
    for (size_t i = 0, n; i < m->rows; i += n) {
        for (n = 0; i + n < m->rows && m->row[i + n].image == m->row[i].image; n++)
            task[n] = m->row[i + n].task;
        tx_status status = tx_cam_maps(cam, (int)(m->row[i].image - m->b->first), task, (int)n, m->raw + i * m->area);
        if (status)
            return status;
    }
    tx_status status = tx_parallel_for(m->rows, finish_one, m);
    for (size_t i = 0; i < m->rows && status == TX_OK; i++)
        if (m->status[i])
            status = tx_fail(m->status[i], "%s", m->message[i]);
    return status;
}

static tx_status make_all(const batch *b, size_t from)
{
    cam_run *r = b->r;
    maps m = {.b = b, .area = (size_t)r->net.features->h * (size_t)r->net.features->w};
    m.raw = tx_alloc(AT_ONCE * m.area, sizeof *m.raw);
    m.status = tx_alloc(AT_ONCE, sizeof *m.status);
    m.message = tx_alloc(AT_ONCE, sizeof *m.message);
    tx_status status = m.raw && m.status && m.message ? TX_OK : TX_ERR_MEMORY;
    for (; from < r->rows && status == TX_OK; from += m.rows) {
        m.row = r->row + from;
        m.rows = r->rows - from < AT_ONCE ? r->rows - from : AT_ONCE;
        status = make_maps(&m);
    }
    tx_free(m.raw);
    tx_free(m.status);
    tx_free(m.message);
    return status;
}

/* -------------------------------------------------------------------------- the maps of a batch */
static tx_status add_row(cam_run *r, size_t image, int task, const float *logits)
{
    if (tx_grow((void **)&r->row, &r->row_room, r->rows + 1, sizeof *r->row))
        return TX_ERR_MEMORY;
    r->row[r->rows++] = (cam_row){
        .image = image, .task = task, .probability = xrv_probability(logits[task], r->model->threshold, task)};
    return TX_OK;
}

static int most_probable(const model *m, const float *logits)
{
    int best = 0;
    for (int c = 1; c < m->choice.classes; c++)
        if (xrv_probability(logits[c], m->threshold, c) > xrv_probability(logits[best], m->threshold, best))
            best = c;
    return best;
}

int cam_is_boxed(const cam_run *r, size_t image, int task)
{
    for (size_t i = 0; r->boxes && i < r->boxes->count; i++)
        if (r->boxes->box[i].image == image && r->boxes->box[i].task == task)
            return 1;
    return 0;
}

/* The tasks whose maps are made of an image, in the order of the outputs. */
static tx_status choose_tasks(cam_run *r, size_t image, const float *logits)
{
    tx_status status = TX_OK;
    int top = most_probable(r->model, logits);
    for (int c = 0; c < r->model->choice.classes && status == TX_OK; c++)
        if (r->wants(r->context, image, c, c == top))
            status = add_row(r, image, c, logits);
    return status;
}

static tx_status leave_out(cam_run *r, size_t image, const char *message)
{
    say("left out: %s", message);
    if (tx_grow((void **)&r->bad, &r->bad_room, r->bads + 1, sizeof *r->bad))
        return TX_ERR_MEMORY;
    r->bad[r->bads] = (cam_bad){image, tx_strdup(message)};
    return r->bad[r->bads].message ? (r->bads++, TX_OK) : TX_ERR_MEMORY;
}

static tx_status load_batch(batch *b)
{
    cam_run *r = b->r;
    tx_status status = tx_parallel_for(b->count, load_image, b);
    for (size_t k = 0; k < b->count && status == TX_OK; k++)
        if (b->status[k])
            status = r->skip && b->status[k] != TX_ERR_MEMORY ? leave_out(r, b->first + k, b->message[k])
                                                              : tx_fail(b->status[k], "%s", b->message[k]);
    return status;
}

static tx_status run_batch(batch *b)
{
    cam_run *r = b->r;
    size_t classes = (size_t)r->model->choice.classes, from = r->rows;
    tx_status status = load_batch(b);
    if (status == TX_OK)
        status = tx_cam_run(r->cam, (int)b->count);
    if (status == TX_OK)
        status = tx_session_value(tx_cam_session(r->cam), r->net.logits, b->logits);
    for (size_t k = 0; k < b->count && status == TX_OK; k++) {
        const float *logits = b->logits + k * classes;
        if (b->status[k])
            continue;
        status = logits_check(logits, classes, r->paths->path[b->first + k]);
        if (status == TX_OK)
            status = choose_tasks(r, b->first + k, logits);
    }
    if (status == TX_OK)
        status = make_all(b, from);
    for (size_t k = 0; k < b->count; k++)
        tx_image_free(&b->picture[k]);
    return status;
}

tx_status cam_run_all(cam_run *r)
{
    size_t side = (size_t)r->model->choice.size, classes = (size_t)r->model->choice.classes;
    tx_progress bar;
    batch b = {.r = r, .each = side * side * (size_t)r->net.image->c};
    b.input = tx_session_input(tx_cam_session(r->cam), r->net.image);
    b.logits = tx_alloc(r->at_once, classes * sizeof *b.logits);
    b.picture = tx_alloc(r->at_once, sizeof *b.picture);
    b.framing = tx_alloc(r->at_once, sizeof *b.framing);
    b.status = tx_alloc(r->at_once, sizeof *b.status);
    b.message = tx_alloc(r->at_once, sizeof *b.message);
    tx_status status = b.logits && b.picture && b.framing && b.status && b.message ? TX_OK : TX_ERR_MEMORY;
    tx_progress_begin(&bar, r->bar, "cam", "images", r->paths->count, 0);
    for (; b.first < r->paths->count && status == TX_OK; b.first += b.count) {
        b.count = r->paths->count - b.first < r->at_once ? r->paths->count - b.first : r->at_once;
        status = run_batch(&b);
        if (r->rows)
            work_begins();
        if (status == TX_OK)
            tx_progress_update(&bar, b.first + b.count, NULL);
    }
    tx_progress_stop(&bar);
    tx_free(b.logits);
    tx_free(b.picture);
    tx_free(b.framing);
    tx_free(b.status);
    tx_free(b.message);
    return status;
}

/* ------------------------------------------------------------------------------------- its life */
tx_status cam_run_open(cam_run *r, size_t at_once)
{
    tx_status status = tx_network_build(&r->net, &r->model->choice, 0, NULL);
    if (status)
        return status;
    r->at_once = at_once;
    r->weights = tx_weights_new(r->net.graph, 0);
    status = r->weights ? net_checkpoint(r->model->file[0], &r->model->choice, r->weights, 0, NULL) : TX_ERR_MEMORY;
    if (status)
        return status;
    r->cam = tx_cam_new(&r->net, r->weights, (int)at_once);
    return r->cam ? TX_OK : tx_error_status();
}

void cam_run_free(cam_run *r)
{
    for (size_t i = 0; i < r->rows; i++) {
        tx_free(r->row[i].overlay);
        tx_free(r->row[i].map);
        tx_free(r->row[i].raw);
    }
    for (size_t i = 0; i < r->bads; i++)
        tx_free(r->bad[i].message);
    tx_free(r->row);
    tx_free(r->bad);
    tx_cam_free(r->cam);
    tx_weights_free(r->weights);
    tx_network_free(&r->net);
}
