/* command_cam.c - `thorax cam`: class activation maps of images, as overlays and as arrays, and how they agree with boxes. */
#include "bench.h"
#include "cam.h"
#include "environment.h"
#include "scores.h"
#include "xrv.h"

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 64 }; /* maps in memory */

/* The images of a batch. */
typedef struct batch {
    cam_work *w;
    size_t first, count, each; /* each: floats of an image */
    float *input, *logits;
    tx_image *picture; /* as resized, before the crop */
    tx_framing *framing;
    tx_status *status;
    char (*message)[512];
} batch;

/* Maps that are written at once. */
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
    b->status[k] = tx_preprocess_picture(&b->w->model.recipe.how, b->w->paths.path[b->first + k],
                                         b->input + k * b->each, &b->framing[k], &b->picture[k]);
    if (b->status[k])
        snprintf(b->message[k], sizeof b->message[k], "%s", tx_error_message());
}

/* -------------------------------------------------------------------------------------- one map */
static void measure(cam_row *r, const float *raw, size_t area)
{
    r->low = r->high = raw[0];
    for (size_t p = 0; p < area; p++) {
        r->low = raw[p] < r->low ? raw[p] : r->low;
        r->high = raw[p] > r->high ? raw[p] : r->high;
        r->positive += raw[p] > 0;
    }
}

static char *file_name(const cam_work *w, const cam_row *r, const char *ending)
{
    char task[CAM_TASK], name[512];
    snprintf(name, sizeof name, "%s.%s.%s", w->name[r->image], cam_task_name(&w->model, r->task, task), ending);
    return tx_path_join(w->out, name);
}

static tx_status write_map(const cam_work *w, const batch *b, cam_row *r, const float *raw)
{
    const tx_node *f = w->net.features;
    size_t k = r->image - b->first;
    int size = w->model.choice.size, width, height, channels;
    tx_image picture = {0};
    r->overlay = file_name(w, r, "png");
    r->map = file_name(w, r, "npy");
    if (!r->overlay || !r->map)
        return TX_ERR_MEMORY;
    measure(r, raw, (size_t)f->h * (size_t)f->w);
    tx_status status = tx_heat_overlay(&b->picture[k], raw, f->h, f->w, &b->framing[k], size, &picture);
    if (status == TX_OK)
        status = tx_png_write(r->overlay, &picture);
    tx_image_free(&picture);
    if (status == TX_OK)
        status = tx_npy_write(r->map, raw, f->h, f->w);
    if (status || !w->boxes_file)
        return status;
    status = tx_image_header(w->paths.path[r->image], &width, &height, &channels);
    return status ? status
                  : boxes_score(&w->boxes, r->image, r->task, raw, f->h, f->w, &b->framing[k], size, width, height,
                                &r->score);
}

static void write_one(void *context, size_t i, int worker)
{
    (void)worker;
    maps *m = context;
    m->status[i] = write_map(m->b->w, m->b, &m->row[i], m->raw + i * m->area);
    if (m->status[i])
        snprintf(m->message[i], sizeof m->message[i], "%s", tx_error_message());
}

/* Maps row[0..rows), rows of one image beside each other. */
static tx_status make_maps(maps *m)
{
    int task[AT_ONCE];
    tx_cam *cam = m->b->w->cam;
    for (size_t i = 0, n; i < m->rows; i += n) {
        for (n = 0; i + n < m->rows && m->row[i + n].image == m->row[i].image; n++)
            task[n] = m->row[i + n].task;
        tx_status status = tx_cam_maps(cam, (int)(m->row[i].image - m->b->first), task, (int)n, m->raw + i * m->area);
        if (status)
            return status;
    }
    tx_status status = tx_parallel_for(m->rows, write_one, m);
    for (size_t i = 0; i < m->rows && status == TX_OK; i++)
        if (m->status[i])
            status = tx_fail(m->status[i], "%s", m->message[i]);
    return status;
}

static tx_status make_all(const batch *b, size_t from)
{
    cam_work *w = b->w;
    maps m = {.b = b, .area = (size_t)w->net.features->h * (size_t)w->net.features->w};
    m.raw = tx_alloc(AT_ONCE * m.area, sizeof *m.raw);
    m.status = tx_alloc(AT_ONCE, sizeof *m.status);
    m.message = tx_alloc(AT_ONCE, sizeof *m.message);
    tx_status status = m.raw && m.status && m.message ? TX_OK : TX_ERR_MEMORY;
    for (; from < w->rows && status == TX_OK; from += m.rows) {
        m.row = w->row + from;
        m.rows = w->rows - from < AT_ONCE ? w->rows - from : AT_ONCE;
        status = make_maps(&m);
    }
    tx_free(m.raw);
    tx_free(m.status);
    tx_free(m.message);
    return status;
}

/* -------------------------------------------------------------------------- the maps of a batch */
static tx_status add_row(cam_work *w, size_t image, int task, const float *logits)
{
    if (tx_grow((void **)&w->row, &w->row_room, w->rows + 1, sizeof *w->row))
        return TX_ERR_MEMORY;
    w->row[w->rows++] =
        (cam_row){.image = image, .task = task, .probability = xrv_probability(logits[task], w->model.threshold, task)};
    return TX_OK;
}

static int most_probable(const cam_work *w, const float *logits)
{
    int best = 0;
    for (int c = 1; c < w->model.choice.classes; c++)
        if (xrv_probability(logits[c], w->model.threshold, c) > xrv_probability(logits[best], w->model.threshold, best))
            best = c;
    return best;
}

static int is_boxed(const cam_work *w, size_t image, int task)
{
    for (size_t i = 0; i < w->boxes.count; i++)
        if (w->boxes.box[i].image == image && w->boxes.box[i].task == task)
            return 1;
    return 0;
}

/* The tasks whose maps are made of an image, in the order of the outputs. */
static tx_status choose_tasks(cam_work *w, size_t image, const float *logits)
{
    tx_status status = TX_OK;
    int top = w->task == CAM_TOP ? most_probable(w, logits) : w->task;
    for (int c = 0; c < w->model.choice.classes && status == TX_OK; c++)
        if (c == top || w->task == CAM_ALL || (w->task < 0 && w->boxes_file && is_boxed(w, image, c)))
            status = add_row(w, image, c, logits);
    return status;
}

static tx_status leave_out(cam_work *w, size_t image, const char *message)
{
    say("left out: %s", message);
    if (tx_grow((void **)&w->bad, &w->bad_room, w->bads + 1, sizeof *w->bad))
        return TX_ERR_MEMORY;
    w->bad[w->bads] = (cam_bad){image, tx_strdup(message)};
    return w->bad[w->bads].message ? (w->bads++, TX_OK) : TX_ERR_MEMORY;
}

static tx_status run_batch(batch *b)
{
    cam_work *w = b->w;
    size_t classes = (size_t)w->model.choice.classes, from = w->rows;
    int skip = strcmp(option_text(w->o, "bad-images"), "skip") == 0;
    tx_status status = tx_parallel_for(b->count, load_image, b);
    for (size_t k = 0; k < b->count && status == TX_OK; k++)
        if (b->status[k])
            status = skip && b->status[k] != TX_ERR_MEMORY ? leave_out(w, b->first + k, b->message[k])
                                                           : tx_fail(b->status[k], "%s", b->message[k]);
    if (status == TX_OK)
        status = tx_cam_run(w->cam, (int)b->count);
    if (status == TX_OK)
        status = tx_session_value(tx_cam_session(w->cam), w->net.logits, b->logits);
    for (size_t k = 0; k < b->count && status == TX_OK; k++) {
        const float *logits = b->logits + k * classes;
        if (b->status[k])
            continue;
        status = logits_check(logits, classes, w->paths.path[b->first + k]);
        if (status == TX_OK)
            status = choose_tasks(w, b->first + k, logits);
    }
    if (status == TX_OK)
        status = make_all(b, from);
    for (size_t k = 0; k < b->count; k++)
        tx_image_free(&b->picture[k]);
    return status;
}

static tx_status run_all(cam_work *w, size_t at_once)
{
    size_t side = (size_t)w->model.choice.size, classes = (size_t)w->model.choice.classes;
    tx_progress bar;
    batch b = {.w = w, .each = side * side * (size_t)w->net.image->c};
    b.input = tx_session_input(tx_cam_session(w->cam), w->net.image);
    b.logits = tx_alloc(at_once, classes * sizeof *b.logits);
    b.picture = tx_alloc(at_once, sizeof *b.picture);
    b.framing = tx_alloc(at_once, sizeof *b.framing);
    b.status = tx_alloc(at_once, sizeof *b.status);
    b.message = tx_alloc(at_once, sizeof *b.message);
    tx_status status = b.logits && b.picture && b.framing && b.status && b.message ? TX_OK : TX_ERR_MEMORY;
    tx_progress_begin(&bar, option_on(w->o, "quiet") ? NULL : stderr, "cam", "images", w->paths.count, 0);
    for (; b.first < w->paths.count && status == TX_OK; b.first += b.count) {
        b.count = w->paths.count - b.first < at_once ? w->paths.count - b.first : at_once;
        status = run_batch(&b);
        if (w->rows)
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

/* --------------------------------------------------------------------------------------- opening */
/* --task: all, top, the name of an output or its number. */
static int choose_task(cam_work *w)
{
    const model *m = &w->model;
    const char *text = option_text(w->o, "task");
    char escaped[TX_TEXT], near[TX_HINT], name[TX_TEXT];
    int64_t number;
    w->task = strcmp(text, "all") == 0 ? CAM_ALL : CAM_TOP;
    if (w->task == CAM_ALL || strcmp(text, "top") == 0)
        return EXIT_DONE;
    w->task = model_output(m, text);
    if (w->task >= 0)
        return EXIT_DONE;
    if (tx_integer_parse(text, &number) == 0 && number >= 0 && number < m->choice.classes) {
        w->task = (int)number;
        return EXIT_DONE;
    }
    return complain(EXIT_FAILED, "%s: has no output for the task '%s'%s", tx_escape(name, sizeof name, m->file[0]),
                    tx_escape(escaped, sizeof escaped, text), model_nearest_task(m, text, near));
}

/* The folder below which paths are looked for: --data, else the model's own, else for boxes the sample. */
static tx_status choose_data(cam_work *w)
{
    const char *data = option_text(w->o, "data") ? option_text(w->o, "data") : w->model.data;
    w->data = data ? tx_strdup(data) : w->boxes_file ? sample_folder() : NULL;
    return data && !w->data ? TX_ERR_MEMORY : TX_OK;
}

/* With a task that was asked for, boxes of other findings are passed over. */
static void keep_task(cam_work *w)
{
    for (size_t i = 0; i < w->boxes.count; i++) {
        box *b = &w->boxes.box[i];
        w->boxes.no_task += b->task >= 0 && b->task != w->task;
        b->task = b->task == w->task ? b->task : -1;
    }
}

static tx_status open_images(cam_work *w)
{
    tx_status status = choose_data(w);
    w->paths.data = w->data;
    if (status == TX_OK && w->boxes_file)
        status = boxes_read(&w->boxes, w->boxes_file, &w->model);
    if (status == TX_OK && w->task >= 0)
        keep_task(w);
    if (status == TX_OK)
        status =
            w->o->arguments > 1 ? image_list_arguments(&w->paths, w->o) : boxes_images(&w->boxes, w->data, &w->paths);
    if (status == TX_OK && w->boxes_file)
        status = boxes_match(&w->boxes, w->data, &w->paths);
    if (status)
        return status;
    if (w->paths.count == 0)
        return tx_fail(TX_ERR_FILE, "none of the images that have boxes of a task is there; --data names the folder "
                                    "below which their paths are");
    w->name = cam_image_names(w->paths.path, w->paths.count);
    return w->name ? TX_OK : TX_ERR_MEMORY;
}

static tx_status open_network(cam_work *w, int at_once)
{
    tx_status status = tx_network_build(&w->net, &w->model.choice, 0, NULL);
    if (status)
        return status;
    w->weights = tx_weights_new(w->net.graph, 0);
    status = w->weights ? net_checkpoint(w->model.file[0], &w->model.choice, w->weights, 0, NULL) : TX_ERR_MEMORY;
    if (status)
        return status;
    w->cam = tx_cam_new(&w->net, w->weights, at_once);
    return w->cam ? tx_folder_make(w->out) : tx_error_status();
}

/* What a reader of the pictures has to know. */
static void say_end(const cam_work *w)
{
    char escaped[TX_TEXT], room[24], task[TX_TEXT];
    size_t empty = 0;
    const cam_row *first = NULL;
    for (size_t i = 0; i < w->rows; i++)
        if (w->row[i].positive == 0) {
            first = first ? first : &w->row[i];
            empty++;
        }
    if (first)
        say("%zu of %zu maps have no positive value, so their overlays have no colour: the weighted sums of features "
            "are negative or 0 everywhere, nothing speaks for the task (the first: %s, %s)",
            empty, w->rows, tx_escape(escaped, sizeof escaped, w->paths.path[first->image]),
            tx_escape(task, sizeof task, cam_output_name(&w->model, first->task, room)));
    say("%zu map%s of %zu image%s in %s", w->rows, w->rows == 1 ? "" : "s", w->paths.count - w->bads,
        w->paths.count - w->bads == 1 ? "" : "s", tx_escape(escaped, sizeof escaped, w->out));
}

static int cam(cam_work *w)
{
    char passed[2 * TX_TEXT];
    if (w->o->arguments < 2 && !w->boxes_file)
        return complain(EXIT_USAGE, "missing argument, expected thorax cam MODEL IMAGE..., or MODEL --boxes FILE");
    int code = model_open(&w->model, w->o->argument[0], w->o);
    if (code == EXIT_DONE)
        code = choose_task(w);
    if (code != EXIT_DONE)
        return code;
    if (open_images(w))
        return complain_failed();
    size_t at_once = (size_t)option_whole(w->o, "batch");
    if (at_once > w->paths.count)
        at_once = w->paths.count;
    if (open_network(w, (int)at_once))
        return complain_failed();
    model_describe(&w->model);
    if (w->paths.passed)
        say("%s", image_list_passed(&w->paths, passed));
    if (run_all(w, at_once))
        return complain_failed();
    if (w->rows == 0)
        return complain(EXIT_FAILED, "no image can be read; of %zu, the last: %s", w->paths.count,
                        w->bad[w->bads - 1].message);
    if (cam_report(w))
        return complain_failed();
    say_end(w);
    return EXIT_DONE;
}

static void cam_free(cam_work *w)
{
    for (size_t i = 0; i < w->rows; i++) {
        tx_free(w->row[i].overlay);
        tx_free(w->row[i].map);
    }
    for (size_t i = 0; i < w->bads; i++)
        tx_free(w->bad[i].message);
    tx_free(w->row);
    tx_free(w->bad);
    if (w->name)
        tx_folder_names_free(w->name, w->paths.count);
    tx_cam_free(w->cam);
    tx_weights_free(w->weights);
    tx_network_free(&w->net);
    boxes_free(&w->boxes);
    image_list_free(&w->paths);
    tx_free(w->data);
    model_free(&w->model);
}

int command_cam(const options *o)
{
    cam_work w = {.o = o, .out = option_text(o, "out"), .boxes_file = option_text(o, "boxes")};
    int code = cam(&w);
    cam_free(&w);
    return code;
}
