/* command_predict.c - `thorax predict`: a CSV row an image, or one JSON object; the same digits alone or in any batch. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "hints.h"
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct path_list {
    const char *data; /* the folder of --data, or NULL */
    char **path;
    size_t count, room;
    size_t passed;          /* files of a folder that are no image that can be read */
    char first[TX_TEXT];    /* the first of them, escaped, */
    const char *first_kind; /* and what it is */
    const options *o;
} path_list;

static tx_status add_path(path_list *l, const char *path)
{
    tx_status status = tx_grow((void **)&l->path, &l->room, l->count + 1, sizeof *l->path);
    if (status)
        return status;
    l->path[l->count] = tx_strdup(path);
    return l->path[l->count] ? (l->count++, TX_OK) : TX_ERR_MEMORY;
}

/* Whether a file's name says that it is a JPEG. */
static int named_jpeg(const char *path)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && strcasecmp(path + n - m, endings[i]) == 0)
            return 1;
    }
    return 0;
}

/* Adds a file of a folder if it begins as an image does or is named as one, so that a bad one is told of; else counts
 * it. */
static tx_status add_file(path_list *l, const char *path)
{
    unsigned char begin[TX_FILE_LOOK];
    if (named_jpeg(path))
        return add_path(l, path);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(begin, 1, sizeof begin, f) : 0;
    if (f)
        fclose(f);
    if (n > 0 && tx_image_format(begin, n))
        return add_path(l, path);
    if (l->passed++ == 0) {
        const char *looks = tx_file_looks(begin, n);
        tx_escape(l->first, sizeof l->first, path);
        l->first_kind = !f ? "cannot be opened" : looks ? looks : "no image";
    }
    return TX_OK;
}

/* What was passed over in folders: "N files passed over, expected JPEG (the first is NAME: a PNG image)". */
static const char *passed_over(const path_list *l, char out[2 * TX_TEXT])
{
    snprintf(out, 2 * TX_TEXT, "%zu %s passed over, expected JPEG (%s%s: %s)", l->passed,
             l->passed == 1 ? "file" : "files", l->passed == 1 ? "" : "the first is ", l->first, l->first_kind);
    return out;
}

/* A folder on the way down. */
typedef struct way {
    const struct way *above;
    dev_t device;
    ino_t number;
    int depth;
} way;
enum { DEPTH_AT_MOST = 64 };

/* Whether a folder lies on the way to itself, by a link. */
static int again(const way *to, const struct stat *about)
{
    while (to && !(to->device == about->st_dev && to->number == about->st_ino))
        to = to->above;
    return to != NULL;
}

/* Every image below a folder, in the order of the names' bytes. */
static tx_status add_folder(path_list *l, const char *folder, const struct stat *itself, const way *above)
{
    char **names, escaped[TX_TEXT];
    size_t n;
    way here = {above, itself->st_dev, itself->st_ino, above ? above->depth + 1 : 0};
    if (here.depth > DEPTH_AT_MOST)
        return tx_fail(TX_ERR_FILE, "%s: folders nested deeper than %d", tx_escape(escaped, sizeof escaped, folder),
                       (int)DEPTH_AT_MOST);
    if (again(above, itself))
        return TX_OK;
    tx_status status = tx_folder_list(folder, &names, &n);
    if (status)
        return status;
    for (size_t i = 0; status == TX_OK && i < n; i++) {
        struct stat about;
        char *path = tx_path_join(folder, names[i]);
        int there = path && stat(path, &about) == 0;
        if (!path)
            status = TX_ERR_MEMORY;
        else if (there && S_ISDIR(about.st_mode))
            status = add_folder(l, path, &about, &here);
        else if (there && S_ISREG(about.st_mode))
            status = add_file(l, path);
        tx_free(path);
    }
    tx_folder_names_free(names, n);
    return status;
}

/* Where an argument lies: as it stands, else looked up below the data where there are some; the caller's. */
static char *locate(const path_list *l, const char *name)
{
    return l->data && !tx_path_exists(name) ? tx_dataset_locate(l->data, name) : tx_strdup(name);
}

static tx_status add_argument(path_list *l, const char *name)
{
    struct stat about;
    char escaped[TX_TEXT], passed[2 * TX_TEXT], hint[HINT], *path = locate(l, name);
    tx_escape(escaped, sizeof escaped, name);
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && stat(path, &about))
        status = tx_fail(TX_ERR_FILE, "%s: no such image or folder%s", escaped, hint_model(hint, l->o, name));
    size_t before = l->count;
    if (status == TX_OK)
        status = S_ISDIR(about.st_mode) ? add_folder(l, path, &about, NULL) : add_path(l, path);
    if (status == TX_OK && l->count == before)
        status = tx_fail(TX_ERR_FILE, "%s: no image below this folder%s%s", escaped, l->passed ? "; " : "",
                         l->passed ? passed_over(l, passed) : "");
    tx_free(path);
    return status;
}

/* The next line of standard input without its end, *more 0 if there is none. */
static tx_status next_line(char *line, size_t size, int *more)
{
    size_t n = 0;
    int c;
    while ((c = getchar()) != EOF && c != '\n') {
        if (c == 0)
            return tx_fail(TX_ERR_FORMAT, "standard input: found a byte 0, expected a path a line");
        if (n + 1 == size)
            return tx_fail(TX_ERR_FORMAT, "standard input: a path longer than %zu bytes", size - 1);
        line[n++] = (char)c;
    }
    if (c == EOF && ferror(stdin))
        return tx_fail(TX_ERR_FILE, "standard input: %s", strerror(errno));
    *more = n > 0 || c != EOF;
    line[n - (n > 0 && line[n - 1] == '\r')] = 0;
    return TX_OK;
}

/* Paths from standard input, a line each. */
static tx_status add_input(path_list *l)
{
    char line[4097];
    int more = 1;
    size_t before = l->count;
    tx_status status = next_line(line, sizeof line, &more);
    while (status == TX_OK && more) {
        if (line[0])
            status = add_argument(l, line);
        if (status == TX_OK)
            status = next_line(line, sizeof line, &more);
    }
    if (status == TX_OK && l->count == before)
        status = tx_fail(TX_ERR_FILE, "standard input: empty, expected a path a line");
    return status;
}

static tx_status gather(path_list *l, const options *o)
{
    tx_status status = TX_OK;
    for (int i = 1; status == TX_OK && i < o->arguments; i++)
        status = strcmp(o->argument[i], "-") == 0 ? add_input(l) : add_argument(l, o->argument[i]);
    return status;
}

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
    path_list paths;
    int *column, columns; /* the outputs that are printed */
    int logits, skip, begun;
    size_t batch;
    tx_status *status; /* an image of the batch */
    char (*message)[512];
    const char *const *batch_path;
    size_t each;         /* floats of an image */
    prediction_row *row; /* --json: of each path; an object that is not whole would be none */
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

/* What is printed in column i of the batch's image k. */
static float value_of(const prediction *p, size_t k, int i)
{
    size_t classes = (size_t)p->model.choice.classes, c = (size_t)p->column[i];
    if (p->logits)
        return p->predictor[0].logits[k * classes + c];
    float sum = 0;
    for (size_t m = 0; m < p->model.files; m++)
        sum += tx_sigmoidf(p->predictor[m].logits[k * classes + c]);
    return sum / (float)p->model.files;
}

static void print_row(const prediction *p, const char *path, size_t k)
{
    char number[TX_NUMBER];
    tx_buffer row = {0};
    tx_buffer_csv(&row, path);
    for (int i = 0; i < p->columns; i++)
        tx_buffer_add(&row, ",%s", tx_number_print(number, sizeof number, (double)value_of(p, k, i), 9));
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
    for (int i = 0; row->value && i < p->columns; i++)
        row->value[i] = value_of(p, k, i);
    return row->value ? TX_OK : TX_ERR_MEMORY;
}

/* The name of output c: its task, or its number. */
static const char *column_name(const prediction *p, int c, char room[24])
{
    if (p->model.task)
        return p->model.task[c];
    snprintf(room, 24, p->logits ? "logit_%d" : "p_%d", c);
    return room;
}

static void print_header(const prediction *p)
{
    char room[24];
    tx_buffer row = {0};
    tx_buffer_append(&row, "Path");
    for (int i = 0; i < p->columns; i++) {
        tx_buffer_append(&row, ",");
        tx_buffer_csv(&row, column_name(p, p->column[i], room));
    }
    puts(row.data ? row.data : "");
    tx_buffer_free(&row);
}

/* The images that were read, or with `bad` the others. */
static void json_images(const prediction *p, json *j, int bad)
{
    char room[24];
    for (size_t n = 0; n < p->paths.count; n++) {
        const prediction_row *row = &p->row[n];
        if ((row->value == NULL) != bad)
            continue;
        json_open(j, NULL, '{');
        json_string(j, "path", p->paths.path[n]);
        if (bad)
            json_string(j, "reason", row->message);
        else
            json_open(j, p->logits ? "logits" : "probabilities", '{');
        for (int i = 0; !bad && i < p->columns; i++)
            json_float(j, column_name(p, p->column[i], room), row->value[i]);
        if (!bad)
            json_close(j, '}');
        json_close(j, '}');
    }
}

static void print_json(const prediction *p)
{
    json j = {0};
    const tx_net_choice *choice = &p->model.choice;
    json_open(&j, NULL, '{');
    json_string(&j, "model", p->model.name);
    json_string(&j, "net", choice->net->name);
    json_whole(&j, "cut", choice->cut);
    json_whole(&j, "size", choice->size);
    json_whole(&j, "checkpoints", (long long)p->model.files);
    json_open(&j, "images", '[');
    json_images(p, &j, 0);
    json_close(&j, ']');
    json_open(&j, "left_out", '[');
    json_images(p, &j, 1);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end();
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
        say("%s", passed_over(&p->paths, passed));
    work_begins();
    if (!p->row)
        print_header(p);
}

/* Images from[0..n): loaded in parallel, run through every member, printed. A bad one stands in the way of the rows
 * after it alone, unless it is to be skipped: every image has its place in the batch, whether it could be read or
 * not. */
static tx_status run_batch(prediction *p, char *const *from, size_t n)
{
    p->batch_path = (const char *const *)from;
    tx_parallel_for(n, load_image, p);
    const float *input = tx_session_input(p->predictor[0].session, p->predictor[0].net.image);
    for (size_t m = 0; m < p->model.files; m++) {
        if (m > 0)
            memcpy(tx_session_input(p->predictor[m].session, p->predictor[m].net.image), input,
                   n * p->each * sizeof *input);
        tx_status status = predictor_run(&p->predictor[m], n);
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
        if (p->row && keep_row(p, &p->row[from - p->paths.path + (ptrdiff_t)k], k))
            return TX_ERR_MEMORY;
        if (!p->row && !p->status[k])
            print_row(p, from[k], k);
    }
    return TX_OK;
}

/* The output of a task, -1 with a message if there is none. */
static int output_of(const model *m, const char *task)
{
    char escaped[TX_TEXT];
    for (int c = 0; m->task && c < m->choice.classes; c++)
        if (strcmp(m->task[c], task) == 0)
            return c;
    char near[TX_HINT];
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
    p->each = side * side * 3;
    p->predictor = tx_alloc(p->model.files, sizeof *p->predictor);
    p->status = tx_alloc(p->batch, sizeof *p->status);
    p->message = tx_alloc(p->batch, sizeof *p->message);
    tx_status status = p->predictor && p->status && p->message ? TX_OK : TX_ERR_MEMORY;
    for (size_t m = 0; status == TX_OK && m < p->model.files; m++) {
        status = predictor_open(&p->predictor[m], &p->model.choice, (int)p->batch);
        if (status == TX_OK)
            status = predictor_load(&p->predictor[m], p->model.file[m]);
    }
    return status;
}

static int predict(prediction *p)
{
    int code = model_open(&p->model, p->o->argument[0], p->o);
    if (code != EXIT_DONE)
        return code;
    if (!p->paths.data)
        p->paths.data = p->model.data;
    if (p->logits && p->model.files > 1)
        return complain(EXIT_USAGE, "--logits and --ensemble: an ensemble is a mean of probabilities");
    if (choose_columns(p) || gather(&p->paths, p->o))
        return complain_failed();
    p->batch = (size_t)option_whole(p->o, "batch");
    if (p->batch > p->paths.count)
        p->batch = p->paths.count ? p->paths.count : 1;
    p->row = option_on(p->o, "json") ? tx_alloc(p->paths.count, sizeof *p->row) : NULL;
    if (open_members(p) || (option_on(p->o, "json") && !p->row))
        return complain_failed();
    for (size_t from = 0; from < p->paths.count; from += p->batch) {
        size_t n = p->paths.count - from < p->batch ? p->paths.count - from : p->batch;
        if (run_batch(p, p->paths.path + from, n))
            return complain_failed();
    }
    if (!p->begun)
        return complain(EXIT_FAILED, "no image can be read; of %zu, the last: %s", p->paths.count,
                        p->message[(p->paths.count - 1) % p->batch]);
    if (p->row)
        print_json(p);
    return EXIT_DONE;
}

int command_predict(const options *o)
{
    prediction p = {.o = o, .logits = option_on(o, "logits")};
    p.skip = strcmp(option_text(o, "bad-images"), "skip") == 0;
    p.paths.o = o;
    p.paths.data = option_text(o, "data");
    int code = predict(&p);
    for (size_t m = 0; p.predictor && m < p.model.files; m++)
        predictor_free(&p.predictor[m]);
    for (size_t i = 0; i < p.paths.count; i++) {
        tx_free(p.paths.path[i]);
        tx_free(p.row ? p.row[i].value : NULL);
        tx_free(p.row ? p.row[i].message : NULL);
    }
    tx_free(p.row);
    tx_free(p.paths.path);
    tx_free(p.column);
    tx_free(p.predictor);
    tx_free(p.status);
    tx_free(p.message);
    model_free(&p.model);
    return code;
}
