/* cam_report.c - what `thorax cam` says of its maps: a row each, and how they agree with boxes by finding. */
#include "cam.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *cam_output_name(const model *m, int output, char room[24])
{
    if (model_task(m, output))
        return model_task(m, output);
    snprintf(room, 24, "p_%d", output);
    return room;
}

/* ---------------------------------------------------------------------------------------- rows */
static void add_number(tx_buffer *to, double value)
{
    char number[TX_NUMBER];
    tx_buffer_add(to, ",%s", tx_number_print(number, sizeof number, value, 9));
}

static void add_row(const cam_work *w, tx_buffer *to, const cam_row *r)
{
    char room[24];
    tx_buffer_csv(to, w->paths.path[r->image]);
    tx_buffer_append(to, ",");
    tx_buffer_csv(to, cam_output_name(&w->model, r->task, room));
    add_number(to, (double)r->probability);
    tx_buffer_add(to, ",%d,%d", w->run.net.features->h, w->run.net.features->w);
    add_number(to, (double)r->low);
    add_number(to, (double)r->high);
    tx_buffer_add(to, ",%zu,", r->positive);
    tx_buffer_csv(to, r->overlay);
    tx_buffer_append(to, ",");
    tx_buffer_csv(to, r->map);
    if (w->boxes_file) {
        int boxed = r->score.boxes > 0;
        tx_buffer_add(to, ",%zu", r->score.boxes);
        add_number(to, boxed ? r->score.hit : (double)NAN);
        add_number(to, boxed ? r->score.iou : (double)NAN);
        add_number(to, boxed ? r->score.energy : (double)NAN);
    }
    tx_buffer_append(to, "\n");
}

static void add_rows(const cam_work *w, tx_buffer *to)
{
    tx_buffer_append(to, "Path,task,probability,height,width,min,max,positive,overlay,map");
    tx_buffer_append(to, w->boxes_file ? ",boxes,hit,iou,energy\n" : "\n");
    for (size_t i = 0; i < w->run.rows; i++)
        add_row(w, to, &w->run.row[i]);
}

/* ---------------------------------------------------------------------------------- by finding */
/* Sums over the images of a finding, or of all. */
typedef struct tally {
    size_t images, boxes, empty, hits;
    double iou, energy;
} tally;

static void count_row(tally *t, const cam_row *r)
{
    if (r->score.boxes == 0)
        return;
    t->images++;
    t->boxes += r->score.boxes;
    t->empty += (size_t)r->score.empty;
    t->hits += (size_t)r->score.hit;
    t->iou += r->score.iou;
    t->energy += r->score.energy;
}

/* Hit rate, IoU, energy. */
static void shares(const tally *t, double out[3])
{
    double n = t->images ? (double)t->images : (double)NAN;
    out[0] = (double)t->hits / n;
    out[1] = t->iou / n;
    out[2] = t->energy / n;
}

/* A finding each, all of them as one, and the mean over the findings that have images. */
typedef struct tallies {
    tally *task, all;
    size_t findings;
    double mean[3];
} tallies;

static tx_status tally_all(const cam_work *w, tallies *t)
{
    memset(t, 0, sizeof *t);
    t->task = tx_alloc((size_t)w->model.choice.classes, sizeof *t->task);
    if (!t->task)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < w->run.rows; i++) {
        count_row(&t->task[w->run.row[i].task], &w->run.row[i]);
        count_row(&t->all, &w->run.row[i]);
    }
    for (int c = 0; c < w->model.choice.classes; c++) {
        double of[3];
        shares(&t->task[c], of);
        t->findings += t->task[c].images > 0;
        for (int k = 0; k < 3 && t->task[c].images; k++)
            t->mean[k] += of[k];
    }
    for (int k = 0; k < 3; k++)
        t->mean[k] /= t->findings ? (double)t->findings : (double)NAN;
    return TX_OK;
}

static void table_tally(table *to, const char *name, const tally *t)
{
    double of[3];
    shares(t, of);
    table_cell(to, "%.200s", name);
    table_cell(to, "%zu", t->images);
    table_cell(to, "%zu", t->boxes);
    table_cell(to, "%zu", t->empty);
    for (int k = 0; k < 3; k++)
        table_number(to, of[k], 3);
    table_row(to);
}

/* What became of the rows of the table of boxes. */
static void print_rows_left(const cam_work *w)
{
    const boxes *b = &w->boxes;
    char escaped[TX_TEXT];
    tx_buffer line = {0};
    tx_buffer_add(&line, "%zu boxes: %zu of findings that are no task", b->count, b->no_task);
    tx_buffer_add(&line, ", %zu of images that were not asked for or are absent.", b->elsewhere);
    for (size_t i = 0; i < b->absents; i++)
        tx_buffer_add(&line, "%s%s", i ? ", " : " Absent: ", tx_escape(escaped, sizeof escaped, b->absent[i]));
    if (line.data)
        print_wrapped(stdout, line.data);
    tx_buffer_free(&line);
}

static tx_status print_table(const cam_work *w, const tallies *t)
{
    static const char *const head[] = {"finding", "images", "boxes", "empty", "hit", "IoU", "energy"};
    table to = {.align = "lrrrrrr"};
    char room[24];
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&to, "%s", head[i]);
    table_row(&to);
    for (int c = 0; c < w->model.choice.classes; c++)
        if (t->task[c].images)
            table_tally(&to, cam_output_name(&w->model, c, room), &t->task[c]);
    table_tally(&to, "all", &t->all);
    table_cell(&to, "mean of %zu finding%s", t->findings, t->findings == 1 ? "" : "s");
    for (int k = 0; k < 3; k++)
        table_cell(&to, "%s", "");
    for (int k = 0; k < 3; k++)
        table_number(&to, t->mean[k], 3);
    table_row(&to);
    tx_status status = table_print(&to, stdout);
    print_wrapped(stdout,
                  "hit: the largest value lies in a box; IoU: of the boxes and the pixels of at least half of it; "
                  "energy: the share of positive values in the boxes; empty: maps without a positive value, "
                  "which count as 0 in all three.");
    print_rows_left(w);
    return status;
}

/* ------------------------------------------------------------------------------------------- JSON */
static void json_score(json *j, const box_score *s)
{
    json_whole(j, "boxes", (long long)s->boxes);
    json_real(j, "hit", s->boxes ? s->hit : (double)NAN);
    json_real(j, "iou", s->boxes ? s->iou : (double)NAN);
    json_real(j, "energy", s->boxes ? s->energy : (double)NAN);
}

static void json_maps(const cam_work *w, json *j)
{
    char room[24];
    json_open(j, "maps", '[');
    for (size_t i = 0; i < w->run.rows; i++) {
        const cam_row *r = &w->run.row[i];
        json_open(j, NULL, '{');
        json_string(j, "path", w->paths.path[r->image]);
        json_string(j, "task", cam_output_name(&w->model, r->task, room));
        json_float(j, "probability", r->probability);
        json_whole(j, "height", w->run.net.features->h);
        json_whole(j, "width", w->run.net.features->w);
        json_float(j, "min", r->low);
        json_float(j, "max", r->high);
        json_whole(j, "positive", (long long)r->positive);
        json_string(j, "overlay", r->overlay);
        json_string(j, "map", r->map);
        if (w->boxes_file)
            json_score(j, &r->score);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_tally(json *j, const char *key, const char *name, const tally *t)
{
    double of[3];
    shares(t, of);
    json_open(j, key, '{');
    if (name)
        json_string(j, "finding", name);
    json_whole(j, "images", (long long)t->images);
    json_whole(j, "boxes", (long long)t->boxes);
    json_whole(j, "empty", (long long)t->empty);
    json_real(j, "hit", of[0]);
    json_real(j, "iou", of[1]);
    json_real(j, "energy", of[2]);
    json_close(j, '}');
}

static void json_boxes(const cam_work *w, json *j, const tallies *t)
{
    const boxes *b = &w->boxes;
    char room[24];
    json_open(j, "boxes", '{');
    json_string(j, "file", w->boxes_file);
    json_whole(j, "rows", (long long)b->count);
    json_whole(j, "no_task", (long long)b->no_task);
    json_whole(j, "elsewhere", (long long)b->elsewhere);
    json_open(j, "absent", '[');
    for (size_t i = 0; i < b->absents; i++)
        json_string(j, NULL, b->absent[i]);
    json_close(j, ']');
    json_open(j, "findings", '[');
    for (int c = 0; c < w->model.choice.classes; c++)
        if (t->task[c].images)
            json_tally(j, NULL, cam_output_name(&w->model, c, room), &t->task[c]);
    json_close(j, ']');
    json_tally(j, "all", NULL, &t->all);
    json_open(j, "mean", '{');
    json_whole(j, "findings", (long long)t->findings);
    json_real(j, "hit", t->mean[0]);
    json_real(j, "iou", t->mean[1]);
    json_real(j, "energy", t->mean[2]);
    json_close(j, '}');
    json_close(j, '}');
}

static void print_json(const cam_work *w, const tallies *t)
{
    json j = {0};
    const tx_net_choice *choice = &w->model.choice;
    json_open(&j, NULL, '{');
    json_string(&j, "model", w->model.name);
    json_string(&j, "net", choice->net->name);
    json_whole(&j, "cut", choice->cut);
    json_whole(&j, "size", choice->size);
    json_string(&j, "out", w->out);
    json_maps(w, &j);
    json_open(&j, "left_out", '[');
    for (size_t i = 0; i < w->run.bads; i++) {
        json_open(&j, NULL, '{');
        json_string(&j, "path", w->paths.path[w->run.bad[i].image]);
        json_string(&j, "reason", w->run.bad[i].message);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    if (w->boxes_file)
        json_boxes(w, &j, t);
    json_close(&j, '}');
    json_end();
}

tx_status cam_report(const cam_work *w)
{
    tx_buffer rows = {0};
    tallies t;
    char *path = tx_path_join(w->out, "maps.csv");
    tx_status status = tally_all(w, &t);
    add_rows(w, &rows);
    if (status == TX_OK)
        status = path ? tx_buffer_write(&rows, path) : TX_ERR_MEMORY;
    if (status == TX_OK && option_on(w->o, "json"))
        print_json(w, &t);
    else if (status == TX_OK && w->boxes_file)
        status = print_table(w, &t);
    else if (status == TX_OK)
        fputs(rows.data ? rows.data : "", stdout);
    tx_free(t.task);
    tx_free(path);
    tx_buffer_free(&rows);
    return status;
}
