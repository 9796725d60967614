/* command_predict.c - `thorax predict`: a CSV row an image, or one JSON object; the same digits alone or in any batch. */
#include "bench.h"
#include "data_notes.h"
#include "image_list.h"
#include "images.h"
#include "model.h"
#include "ranking.h"
#include "xrv.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- one batch */
/* What became of an image, where it is printed at the end. */
typedef struct prediction_row {
    float *value;  /* a column, or NULL: */
    char *message; /* why there are none */
} prediction_row;

typedef struct prediction {
    const options *o;
    model model;
    predictor *predictor; /* a file of the model each */
    image_list paths;
    const char *folder, *split; /* with --split: the data's folder, the split, */
    tx_dataset *table;          /* and its images */
    int by_study;               /* a row a study, the maximum over its images */
    int *column, columns;       /* the outputs that are printed */
    int logits, softmax, skip, begun;
    int top;      /* not 0: so many outputs, the largest, are printed of each image; */
    int *order;   /* their columns */
    float *share; /* an output: by softmax, of one member */
    size_t batch;
    tx_status *status; /* an image of the batch */
    char (*message)[512];
    const char *const *batch_path;
    size_t each;         /* floats of an image */
    float *value;        /* a column: of the image that is printed */
    prediction_row *row; /* of each path, where nothing can be printed before the end */
} prediction;

static void load_image(void *context, size_t k, int worker)
{
    (void)worker;
    prediction *p = context;
    float *to = tx_session_input(p->predictor[0].session, p->predictor[0].net.image) + k * p->each;
    p->status[k] = tx_preprocess_file(&p->model.recipe.how, p->batch_path[k], to, NULL);
    if (p->status[k])
        snprintf(p->message[k], sizeof p->message[k], "%s", tx_error_message());
}

/* What is printed of the batch's image k, a column each. */
static const float *values_of(const prediction *p, size_t k, float *value)
{
    size_t classes = (size_t)p->model.choice.classes;
    memset(value, 0, (size_t)p->columns * sizeof *value);
    for (size_t m = 0; m < p->model.files; m++) {
        const float *logit = p->predictor[m].logits + k * classes;
        if (p->softmax)
            ranking_softmax(logit, classes, p->share);
        for (int i = 0; i < p->columns; i++) {
            int c = p->column[i];
            value[i] += p->logits    ? logit[c]
                        : p->softmax ? p->share[c]
                                     : xrv_probability(logit[c], p->model.threshold, c);
        }
    }
    for (int i = 0; !p->logits && i < p->columns; i++)
        value[i] /= (float)p->model.files;
    return value;
}

/* What stands for image n in what is printed: its Path in the table, or where it was found. */
static const char *image_name(const prediction *p, size_t n)
{
    return p->table ? p->table->path[n] : p->paths.path[n];
}

/* The name of output c in a ranking: its task, or its number alone. */
static const char *ranked_name(const prediction *p, int c, char room[24])
{
    if (model_task(&p->model, c))
        return model_task(&p->model, c);
    snprintf(room, 24, "%d", c);
    return room;
}

static void print_row(const prediction *p, const char *name, const float *value)
{
    char number[TX_NUMBER], room[24];
    tx_buffer row = {0};
    tx_buffer_csv(&row, name);
    if (p->top)
        ranking_top(value, p->columns, p->top, p->order);
    for (int r = 0; r < p->top; r++) {
        tx_buffer_add(&row, ",");
        tx_buffer_csv(&row, ranked_name(p, p->column[p->order[r]], room));
        tx_buffer_add(&row, ",%s", tx_number_print(number, sizeof number, (double)value[p->order[r]], 9));
    }
    for (int i = 0; !p->top && i < p->columns; i++)
        tx_buffer_add(&row, ",%s", tx_number_print(number, sizeof number, (double)value[i], 9));
    puts(row.data ? row.data : "");
    tx_buffer_free(&row);
}

static tx_status keep_row(const prediction *p, prediction_row *row, size_t k)
{
    if (p->status[k]) {
        row->message = tx_strdup(p->message[k]);
        return row->message ? TX_OK : TX_ERR_MEMORY;
    }
    row->value = tx_alloc((size_t)p->columns, sizeof *row->value);
    return row->value && values_of(p, k, row->value) ? TX_OK : TX_ERR_MEMORY;
}

/* The name of output c: its task, or its number. */
static const char *column_name(const prediction *p, int c, char room[24])
{
    if (model_task(&p->model, c))
        return model_task(&p->model, c);
    snprintf(room, 24, p->logits ? "logit_%d" : "p_%d", c);
    return room;
}

static void print_header(const prediction *p)
{
    char room[24];
    tx_buffer row = {0};
    tx_buffer_append(&row, p->by_study ? "Study" : "Path");
    for (int r = 1; r <= p->top; r++)
        tx_buffer_add(&row, ",top_%d,%s_%d", r, p->logits ? "logit" : "p", r);
    for (int i = 0; !p->top && i < p->columns; i++) {
        tx_buffer_append(&row, ",");
        tx_buffer_csv(&row, column_name(p, p->column[i], room));
    }
    puts(row.data ? row.data : "");
    tx_buffer_free(&row);
}

/* The largest values as a list, each with its task or the output's number. */
static void json_top(const prediction *p, json *j, const float *value)
{
    ranking_top(value, p->columns, p->top, p->order);
    json_open(j, "top", '[');
    for (int r = 0; r < p->top; r++) {
        int c = p->column[p->order[r]];
        json_open(j, NULL, '{');
        if (model_task(&p->model, c))
            json_string(j, "task", model_task(&p->model, c));
        else
            json_whole(j, "output", c);
        json_float(j, p->logits ? "logit" : "probability", value[p->order[r]]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_values(const prediction *p, json *j, const float *value)
{
    char room[24];
    if (p->top) {
        json_top(p, j, value);
        return;
    }
    json_open(j, p->logits ? "logits" : "probabilities", '{');
    for (int i = 0; i < p->columns; i++)
        json_float(j, column_name(p, p->column[i], room), value[i]);
    json_close(j, '}');
}

/* The images that were read, or with `bad` the others. */
static void json_images(const prediction *p, json *j, int bad)
{
    for (size_t n = 0; n < p->paths.count; n++) {
        const prediction_row *row = &p->row[n];
        if ((row->value == NULL) != bad)
            continue;
        json_open(j, NULL, '{');
        json_string(j, "path", image_name(p, n));
        if (bad)
            json_string(j, "reason", row->message);
        else
            json_values(p, j, row->value);
        json_close(j, '}');
    }
}

/* Gathers each study's maxima in the row of its first image that was read, which first[study] then is; where none was,
 * the number of images. */
static size_t *join_studies(const prediction *p)
{
    const tx_dataset *d = p->table;
    size_t *first = tx_alloc(d->studies, sizeof *first);
    for (size_t s = 0; first && s < d->studies; s++)
        first[s] = d->images;
    for (size_t n = 0; first && n < d->images; n++) {
        size_t *to = &first[d->study[n]];
        if (p->row[n].value && *to == d->images)
            *to = n;
        for (int i = 0; p->row[n].value && i < p->columns; i++)
            if (p->row[n].value[i] > p->row[*to].value[i])
                p->row[*to].value[i] = p->row[n].value[i];
    }
    return first;
}

/* A row or, with j, an object a study that has an image. */
static tx_status print_studies(const prediction *p, json *j)
{
    size_t *first = join_studies(p);
    for (size_t s = 0; first && s < p->table->studies; s++) {
        if (first[s] == p->table->images)
            continue;
        const float *value = p->row[first[s]].value;
        if (!j) {
            print_row(p, p->table->study_name[s], value);
            continue;
        }
        json_open(j, NULL, '{');
        json_string(j, "study", p->table->study_name[s]);
        json_values(p, j, value);
        json_close(j, '}');
    }
    tx_free(first);
    return first ? TX_OK : TX_ERR_MEMORY;
}

static tx_status print_json(const prediction *p)
{
    json j = {0};
    tx_status status = TX_OK;
    const tx_net_choice *choice = &p->model.choice;
    json_open(&j, NULL, '{');
    json_string(&j, "model", p->model.name);
    json_string(&j, "net", choice->net->name);
    json_whole(&j, "cut", choice->cut);
    json_whole(&j, "size", choice->size);
    json_whole(&j, "checkpoints", (long long)p->model.files);
    if (p->table) {
        json_string(&j, "data", p->folder);
        json_string(&j, "split", p->split);
        json_string(&j, "unit", p->by_study ? "study" : "image");
    }
    json_open(&j, p->by_study ? "studies" : "images", '[');
    if (p->by_study)
        status = print_studies(p, &j);
    else
        json_images(p, &j, 0);
    json_close(&j, ']');
    json_open(&j, "left_out", '[');
    json_images(p, &j, 1);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
    return status;
}

/* What is predicted where a table says it. */
static void say_table(const prediction *p)
{
    char folder[TX_TEXT];
    tx_buffer notes = {0};
    tx_dataset *const d[] = {p->table};
    say("%zu %s of the %s split of %s", p->by_study ? p->table->studies : p->table->images,
        p->by_study ? "studies" : "images", p->split, tx_escape(folder, sizeof folder, p->folder));
    data_notes_reading(&notes, d, &p->split, 1, 1);
    if (notes.data)
        say_lines(notes.data);
    tx_buffer_free(&notes);
}

/* Nothing is printed before the first row can be: a command that fails until then says one line alone. */
static void begin(prediction *p)
{
    char passed[2 * TX_TEXT];
    if (p->begun)
        return;
    p->begun = 1;
    model_describe(&p->model);
    if (p->paths.passed)
        say("%s", image_list_passed(&p->paths, passed));
    if (p->softmax && !option_on(p->o, "softmax"))
        say("probabilities by softmax, as of ImageNet's %d classes", p->model.choice.classes);
    if (p->table)
        say_table(p);
    work_begins();
    if (!option_on(p->o, "json"))
        print_header(p);
}

/* Images from[0..n): loaded in parallel, run through every member, printed. A bad one stands in the way of the rows
 * after it alone, unless it is to be skipped: every image has its place in the batch, whether it could be read or
 * not. */
static tx_status run_batch(prediction *p, char *const *from, size_t n)
{
    p->batch_path = (const char *const *)from;
    tx_status status = tx_parallel_for(n, load_image, p);
    if (status)
        return status;
    const float *input = tx_session_input(p->predictor[0].session, p->predictor[0].net.image);
    for (size_t m = 0; m < p->model.files; m++) {
        if (m > 0)
            memcpy(tx_session_input(p->predictor[m].session, p->predictor[m].net.image), input,
                   n * p->each * sizeof *input);
        status = predictor_run(&p->predictor[m], n);
        if (status)
            return status;
    }
    for (size_t k = 0; k < n; k++) {
        if (p->status[k] && !(p->skip && p->status[k] != TX_ERR_MEMORY))
            return tx_fail(p->status[k], "%s", p->message[k]);
        for (size_t m = 0; m < p->model.files && !p->status[k]; m++)
            if (predictor_check(&p->predictor[m], k, from[k]))
                return TX_ERR_ARGUMENT;
        if (p->status[k])
            say("left out: %s", p->message[k]);
        else
            begin(p);
        size_t i = (size_t)(from - p->paths.path) + k;
        if (p->row && keep_row(p, &p->row[i], k))
            return TX_ERR_MEMORY;
        if (!p->row && !p->status[k])
            print_row(p, image_name(p, i), values_of(p, k, p->value));
    }
    return TX_OK;
}

/* The output of a task, -1 with a message if there is none. */
static int output_of(const model *m, const char *task)
{
    char escaped[TX_TEXT], near[TX_HINT];
    int c = model_output(m, task);
    if (c >= 0)
        return c;
    tx_fail(TX_ERR_ARGUMENT, "%s: has no output for the task '%s'%s", m->file[0],
            tx_escape(escaped, sizeof escaped, task), model_nearest_task(m, task, near));
    return -1;
}

/* All outputs, or those of --tasks. */
static tx_status choose_columns(prediction *p)
{
    const char *list = option_text(p->o, "tasks");
    char name[256];
    p->column = tx_alloc((size_t)p->model.choice.classes, sizeof *p->column);
    if (!p->column)
        return TX_ERR_MEMORY;
    if (!list || strcmp(list, "all") == 0) {
        for (; p->columns < p->model.choice.classes; p->columns++)
            p->column[p->columns] = p->columns;
        return TX_OK;
    }
    if (strcmp(list, "competition") == 0)
        list = tx_competition_tasks;
    for (int more; (more = next_item(&list, ',', name, sizeof name)) != 0;) {
        int c = more > 0 ? output_of(&p->model, name) : -1;
        if (more < 0)
            return tx_fail(TX_ERR_ARGUMENT, "--tasks: a name of more than %zu bytes", sizeof name - 1);
        if (c < 0)
            return TX_ERR_ARGUMENT;
        if (p->columns == p->model.choice.classes)
            return tx_fail(TX_ERR_ARGUMENT, "--tasks: more names than the model's %d outputs", p->columns);
        p->column[p->columns++] = c;
    }
    return TX_OK;
}

static tx_status open_members(prediction *p)
{
    size_t side = (size_t)p->model.choice.size;
    p->each = side * side * (size_t)tx_net_channels(&p->model.choice);
    p->predictor = tx_alloc(p->model.files, sizeof *p->predictor);
    p->status = tx_alloc(p->batch, sizeof *p->status);
    p->message = tx_alloc(p->batch, sizeof *p->message);
    p->value = tx_alloc((size_t)p->columns, sizeof *p->value);
    tx_status status = p->predictor && p->status && p->message && p->value ? TX_OK : TX_ERR_MEMORY;
    for (size_t m = 0; status == TX_OK && m < p->model.files; m++) {
        status = predictor_open(&p->predictor[m], &p->model.choice, (int)p->batch);
        if (status == TX_OK)
            status = predictor_load(&p->predictor[m], p->model.file[m]);
    }
    return status;
}

/* The images of --split: their labels are not asked for. */
static int open_table(prediction *p)
{
    int code = model_data(&p->model, p->o, &p->folder);
    if (code != EXIT_DONE)
        return code;
    tx_dataset_options how = {.tasks = "", .views = p->model.recipe.views};
    p->table = tx_dataset_open(p->folder, p->split, &how);
    if (!p->table || image_list_table(&p->paths, p->table))
        return complain_failed();
    return images_look(&p->table, 1, p->skip, option_on(p->o, "quiet") ? NULL : stderr);
}

static int open_images(prediction *p)
{
    if (p->split)
        return open_table(p);
    p->paths.data = option_text(p->o, "data");
    if (!p->paths.data)
        p->paths.data = p->model.data;
    return image_list_arguments(&p->paths, p->o) ? complain_failed() : EXIT_DONE;
}

static int check_usage(const prediction *p)
{
    int images = p->o->arguments > 1;
    if (!images && !p->split)
        return complain(EXIT_USAGE,
                        "missing argument, expected thorax predict MODEL IMAGE..., or MODEL --split valid|test");
    if (p->logits && p->softmax)
        return complain(EXIT_USAGE, "--logits and --softmax: expected one of them");
    if (images && p->split)
        return complain(EXIT_USAGE, "--split %s and an IMAGE: expected one of them", p->split);
    return EXIT_DONE;
}

/* What is to be printed of the outputs. ImageNet's 1000 classes, with or without one for the background, exclude each other. */
static int check_values(prediction *p)
{
    int classes = p->model.choice.classes;
    if (p->logits && p->model.files > 1)
        return complain(EXIT_USAGE, "--logits and --ensemble: an ensemble is a mean of probabilities");
    if (p->softmax && p->model.threshold)
        return complain(EXIT_USAGE, "--softmax: the outputs of %s have operating points, which are sigmoids'",
                        p->model.file[0]);
    if (!p->logits && !p->model.task && (classes == 1000 || classes == 1001))
        p->softmax = 1;
    if (choose_columns(p))
        return complain_failed();
    p->top = (int)option_whole(p->o, "top");
    if (p->top > p->columns)
        return complain(EXIT_USAGE, "--top %d: expected at most the number of columns, %d", p->top, p->columns);
    p->order = tx_alloc((size_t)p->top, sizeof *p->order);
    p->share = tx_alloc((size_t)classes, sizeof *p->share);
    return p->order && p->share ? EXIT_DONE : complain_failed();
}

static int predict(prediction *p)
{
    int code = check_usage(p);
    if (code == EXIT_DONE)
        code = model_open(&p->model, p->o->argument[0], p->o);
    if (code != EXIT_DONE)
        return code;
    code = check_values(p);
    if (code != EXIT_DONE)
        return code;
    code = open_images(p);
    if (code != EXIT_DONE)
        return code;
    p->batch = (size_t)option_whole(p->o, "batch");
    if (p->batch > p->paths.count)
        p->batch = p->paths.count ? p->paths.count : 1;
    int as_json = option_on(p->o, "json"), keep = as_json || p->by_study;
    p->row = keep ? tx_alloc(p->paths.count, sizeof *p->row) : NULL;
    if (open_members(p) || (keep && !p->row))
        return complain_failed();
    for (size_t from = 0; from < p->paths.count; from += p->batch) {
        size_t n = p->paths.count - from < p->batch ? p->paths.count - from : p->batch;
        if (run_batch(p, p->paths.path + from, n))
            return complain_failed();
    }
    if (!p->begun)
        return complain(EXIT_FAILED, "no image can be read; of %zu, the last: %s", p->paths.count,
                        p->message[(p->paths.count - 1) % p->batch]);
    tx_status status = as_json ? print_json(p) : p->by_study ? print_studies(p, NULL) : TX_OK;
    return status ? complain_failed() : EXIT_DONE;
}

int command_predict(const options *o)
{
    prediction p = {
        .o = o, .logits = option_on(o, "logits"), .softmax = option_on(o, "softmax"), .split = option_text(o, "split")};
    p.skip = strcmp(option_text(o, "bad-images"), "skip") == 0;
    p.by_study = p.split && strcmp(option_text(o, "unit"), "study") == 0;
    int code = predict(&p);
    for (size_t m = 0; p.predictor && m < p.model.files; m++)
        predictor_free(&p.predictor[m]);
    for (size_t i = 0; p.row && i < p.paths.count; i++) {
        tx_free(p.row[i].value);
        tx_free(p.row[i].message);
    }
    image_list_free(&p.paths);
    if (p.table)
        tx_dataset_free(p.table);
    tx_free(p.column);
    tx_free(p.order);
    tx_free(p.share);
    tx_free(p.predictor);
    tx_free(p.status);
    tx_free(p.message);
    tx_free(p.value);
    tx_free(p.row);
    model_free(&p.model);
    return code;
}
