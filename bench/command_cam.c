/* command_cam.c - `thorax cam`: class activation maps of images, as overlays and as arrays, and how they agree with boxes. */
#include "bench.h"
#include "cam.h"
#include "environment.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- its files */
static char *file_name(const cam_work *w, const cam_row *r, const char *ending)
{
    char task[CAM_TASK], name[512];
    snprintf(name, sizeof name, "%s.%s.%s", w->name[r->image], cam_task_name(&w->model, r->task, task), ending);
    return tx_path_join(w->out, name);
}

static tx_status write_map(const void *context, cam_row *r, const tx_image *resized, const float *raw)
{
    const cam_work *w = context;
    const tx_node *f = w->run.net.features;
    tx_image picture = {0};
    r->overlay = file_name(w, r, "png");
    r->map = file_name(w, r, "npy");
    if (!r->overlay || !r->map)
        return TX_ERR_MEMORY;
    tx_status status = tx_heat_overlay(resized, raw, f->h, f->w, &r->framing, w->model.choice.size, &picture);
    if (status == TX_OK)
        status = tx_png_write(r->overlay, &picture);
    tx_image_free(&picture);
    return status == TX_OK ? tx_npy_write(r->map, raw, f->h, f->w) : status;
}

static int is_wanted(const void *context, size_t image, int task, int top)
{
    const cam_work *w = context;
    if (w->task >= 0 || w->task == CAM_ALL)
        return w->task == CAM_ALL || task == w->task;
    return top || cam_is_boxed(&w->run, image, task);
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

static tx_status open_run(cam_work *w)
{
    cam_run *r = &w->run;
    size_t at_once = (size_t)option_whole(w->o, "batch");
    r->model = &w->model;
    r->paths = &w->paths;
    r->boxes = w->boxes_file ? &w->boxes : NULL;
    r->skip = strcmp(option_text(w->o, "bad-images"), "skip") == 0;
    r->bar = option_on(w->o, "quiet") ? NULL : stderr;
    r->wants = is_wanted;
    r->made = write_map;
    r->context = w;
    tx_status status = cam_run_open(r, at_once < w->paths.count ? at_once : w->paths.count);
    return status == TX_OK ? tx_folder_make(w->out) : status;
}

/* What a reader of the pictures has to know. */
static void say_end(const cam_work *w)
{
    char escaped[TX_TEXT], room[24], task[TX_TEXT];
    size_t empty = 0;
    const cam_row *first = NULL;
    for (size_t i = 0; i < w->run.rows; i++)
        if (w->run.row[i].positive == 0) {
            first = first ? first : &w->run.row[i];
            empty++;
        }
    if (first)
        say("%zu of %zu maps have no positive value, so their overlays have no colour: the weighted sums of features "
            "are negative or 0 everywhere, nothing speaks for the task (the first: %s, %s)",
            empty, w->run.rows, tx_escape(escaped, sizeof escaped, w->paths.path[first->image]),
            tx_escape(task, sizeof task, cam_output_name(&w->model, first->task, room)));
    say("%zu map%s of %zu image%s in %s", w->run.rows, w->run.rows == 1 ? "" : "s", w->paths.count - w->run.bads,
        w->paths.count - w->run.bads == 1 ? "" : "s", tx_escape(escaped, sizeof escaped, w->out));
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
    if (open_run(w))
        return complain_failed();
    model_describe(&w->model);
    if (w->paths.passed)
        say("%s", image_list_passed(&w->paths, passed));
    if (cam_run_all(&w->run))
        return complain_failed();
    if (w->run.rows == 0)
        return complain(EXIT_FAILED, "no image can be read; of %zu, the last: %s", w->paths.count,
                        w->run.bad[w->run.bads - 1].message);
    if (cam_report(w))
        return complain_failed();
    say_end(w);
    return EXIT_DONE;
}

static void cam_free(cam_work *w)
{
    cam_run_free(&w->run);
    if (w->name)
        tx_folder_names_free(w->name, w->paths.count);
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
