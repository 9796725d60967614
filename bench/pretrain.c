/* pretrain.c - a network trained to tell fractals apart: from options to weights in a file. */
#define _POSIX_C_SOURCE 200809L
#include "pretrain.h"
#include "json.h"
#include "optimizing.h"
#include "pretraining.h"
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds between two states. */
static const double STATE_SECONDS = 60;
/* Side of the pictures where nobody says it, and the network takes it. */
enum { SIDE = 64 };
/* Pictures of an epoch, and those that are held out. */
enum { IMAGES_AT_MOST = 100000000, HELD_AT_MOST = 2000 };

/* ------------------------------------------------------------------------------------------------- options */
/* Every option that matters, and the size in any case. */
static tx_status note_options(pretraining *p)
{
    char room[64];
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < option_count(); i++)
        if (command_takes(p->o->command, i) && option_matters(i))
            status = settings_set(&p->made, option_at(i)->name, option_canonical(p->o, i, room));
    return status == TX_OK ? settings_format(&p->made, "size", "%d", p->choice.size) : status;
}

static char *name_beside(const char *file, const char *ending)
{
    size_t room = strlen(file) + strlen(ending) + 1;
    char *path = tx_alloc(room, 1);
    if (path)
        snprintf(path, room, "%s%s", file, ending);
    return path;
}

static void read_lengths(pretraining *p)
{
    const options *o = p->o;
    p->instances = (size_t)option_whole(o, "instances");
    p->images = p->instances * (size_t)p->choice.classes;
    p->held = (p->instances + 4) / 5;
    while (p->held > 1 && p->held * (size_t)p->choice.classes > HELD_AT_MOST)
        p->held--;
    p->batch = (size_t)option_whole(o, "batch");
    if (p->batch > p->images)
        p->batch = p->images;
    p->per_epoch = (p->images + p->batch - 1) / p->batch;
    uint64_t steps = (uint64_t)option_whole(o, "steps");
    p->total = steps ? steps : (uint64_t)option_whole(o, "epochs") * p->per_epoch;
    p->schedule = schedule_of(o, p->total);
}

static int read_options(pretraining *p, const options *o, const char *label)
{
    char escaped[TX_TEXT];
    p->o = o;
    p->label = label ? label : "pretrain";
    p->of_study = label != NULL;
    p->seed = option_seed(o, "seed");
    if (!option_text(o, "net"))
        return complain(EXIT_USAGE, "--net is missing (thorax nets lists them)");
    if (!option_text(o, "out"))
        return complain(EXIT_USAGE, "--out is missing: the file that receives the weights");
    if (!ends_in(option_text(o, "out"), ".safetensors"))
        return complain(EXIT_USAGE, "--out %s: expected a name that ends in .safetensors",
                        tx_escape(escaped, sizeof escaped, option_text(o, "out")));
    p->choice.net = tx_net_find(option_text(o, "net"));
    p->choice.classes = (int)option_whole(o, "classes");
    p->choice.size = (int)option_whole(o, "size");
    if (!option_text(o, "size"))
        p->choice.size = p->choice.net->smallest > SIDE ? p->choice.net->smallest : SIDE;
    if (net_choice_check(&p->choice) != EXIT_DONE)
        return EXIT_USAGE;
    if (p->choice.classes < 2 || p->choice.classes > FRACTAL_CLASSES)
        return complain(EXIT_USAGE, "--classes %d: expected 2 to %d kinds of fractals", p->choice.classes,
                        FRACTAL_CLASSES);
    if (p->choice.size < FRACTAL_SIZE_MIN || p->choice.size > FRACTAL_SIZE_MAX)
        return complain(EXIT_USAGE, "--size %d: expected %d to %d for fractals", p->choice.size, FRACTAL_SIZE_MIN,
                        FRACTAL_SIZE_MAX);
    if ((double)p->choice.classes * (double)option_whole(o, "instances") > (double)IMAGES_AT_MOST)
        return complain(EXIT_USAGE, "--classes %d --instances %ld: expected %d images at most", p->choice.classes,
                        option_whole(o, "instances"), IMAGES_AT_MOST);
    read_lengths(p);
    p->file = tx_strdup(option_text(o, "out"));
    p->state = name_beside(option_text(o, "out"), ".state");
    return p->file && p->state && note_options(p) == TX_OK ? EXIT_DONE : complain_failed();
}

/* ------------------------------------------------------------------------------------------------ building */
static tx_status build(pretraining *p)
{
    tx_status status = tx_network_build(&p->net, &p->choice, 0, NULL);
    if (status)
        return status;
    tx_node_keep(p->net.logits);
    p->label_of = tx_input(p->net.graph, 1, 1, 1);
    p->net.loss = tx_cross_entropy(p->net.graph, p->net.logits, p->label_of, (tx_cross_entropy_args){0});
    status = tx_graph_status(p->net.graph);
    if (status == TX_OK && option_text(p->o, "bn-momentum"))
        status = tx_network_bn_momentum(&p->net, option_real(p->o, "bn-momentum"));
    p->weights = status == TX_OK ? tx_weights_new(p->net.graph, 1) : NULL;
    return p->weights ? TX_OK : status ? status : TX_ERR_MEMORY;
}

typedef struct drawing {
    const pretraining *p;
    const uint32_t *wanted; /* class * stride + instance */
    uint32_t stride, first; /* the first instance's number */
    float *out;
    const float *value; /* of a byte */
    tx_status *failed;  /* of each picture or class */
} drawing;

static void make_class(void *context, size_t i, int worker)
{
    drawing *d = context;
    (void)worker;
    d->failed[i] = fractal_class(&d->p->system[i], d->p->seed, (uint32_t)i);
}

/* The first failure of n; messages of other threads are theirs. */
static tx_status first_failure(const tx_status *failed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (failed[i])
            return tx_fail(failed[i], "fractals cannot be drawn: no memory");
    return TX_OK;
}

static tx_status make_classes(pretraining *p)
{
    size_t classes = (size_t)p->choice.classes;
    p->system = tx_alloc(classes, sizeof *p->system);
    p->failed = tx_alloc(classes > p->batch ? classes : p->batch, sizeof *p->failed);
    if (!p->system || !p->failed)
        return TX_ERR_MEMORY;
    drawing d = {.p = p, .failed = p->failed};
    tx_status status = tx_parallel_for(classes, make_class, &d);
    return status ? status : first_failure(p->failed, classes);
}

static tx_status prepare(pretraining *p)
{
    tx_status status = tx_weights_init(p->weights, p->seed);
    if (status)
        return status;
    size_t area = (size_t)p->choice.size * (size_t)p->choice.size;
    p->optimizer = tx_optimizer_new(p->weights, optimizer_of(p->o));
    p->training = tx_session_new(p->net.graph, p->weights,
                                 (tx_session_args){.batch = (int)p->batch, .mode = TX_TRAIN, .seed = p->seed});
    p->inference = tx_session_new(p->net.graph, p->weights, (tx_session_args){.batch = (int)p->batch});
    p->order = tx_alloc(p->images, sizeof *p->order);
    p->pixels = tx_alloc(p->batch * area, 1);
    if (!p->optimizer || !p->training || !p->inference || !p->order || !p->pixels)
        return tx_error_status();
    return make_classes(p);
}

/* ------------------------------------------------------------------------------------------------ pictures */
/* Picture i of a batch: grey in all three channels. */
static void draw_one(void *context, size_t i, int worker)
{
    drawing *d = context;
    const pretraining *p = d->p;
    size_t area = (size_t)p->choice.size * (size_t)p->choice.size;
    uint32_t label = d->wanted[i] / d->stride, instance = d->first + d->wanted[i] % d->stride;
    unsigned char *pixels = p->pixels + i * area;
    float *out = d->out + i * area * 3;
    (void)worker;
    d->failed[i] = fractal_draw(&p->system[label], p->seed, label, instance, p->choice.size, pixels);
    for (size_t k = 0; k < area; k++)
        out[3 * k] = out[3 * k + 1] = out[3 * k + 2] = d->value[pixels[k]];
}

/* Fills a session's inputs with n pictures. */
static tx_status draw_batch(const pretraining *p, tx_session *s, drawing *d, size_t n)
{
    float value[256];
    tx_normalize how;
    tx_status status = tx_normalize_parse(PRETRAIN_NORMALIZE, &how);
    for (int v = 0; v < 256; v++)
        value[v] = (float)((v / 255.0 - how.mean[0]) / how.std[0]);
    d->p = p;
    d->value = value;
    d->failed = p->failed;
    d->out = tx_session_input(s, p->net.image);
    if (status == TX_OK)
        status = tx_parallel_for(n, draw_one, d);
    if (status == TX_OK)
        status = first_failure(p->failed, n);
    for (size_t i = 0; i < n; i++)
        tx_session_input(s, p->label_of)[i] = (float)(d->wanted[i] / d->stride);
    return status ? status : tx_session_batch(s, (int)n);
}

/* ------------------------------------------------------------------------------------------------ training */
static tx_status train_step(pretraining *p)
{
    char note[64], number[TX_NUMBER];
    uint64_t epoch = p->step / p->per_epoch;
    if (p->ordered != epoch + 1) {
        tx_status status = tx_random_permutation(p->seed, TX_RANDOM_SHUFFLE, epoch, p->order, p->images);
        if (status)
            return status;
        p->ordered = epoch + 1;
    }
    size_t from = (size_t)(p->step % p->per_epoch) * p->batch, left = p->images - from;
    size_t n = left < p->batch ? left : p->batch;
    drawing d = {.wanted = p->order + from, .stride = (uint32_t)p->instances};
    float loss = 0;
    tx_status status = draw_batch(p, p->training, &d, n);
    if (status == TX_OK)
        status = tx_session_run(p->training, p->step);
    if (status == TX_OK)
        status = tx_train_step(p->training, p->net.loss, p->optimizer, tx_schedule_lr(&p->schedule, p->step), &loss);
    if (status)
        return status;
    p->step++;
    snprintf(note, sizeof note, "loss %s", tx_number_fixed(number, sizeof number, (double)loss, 3));
    tx_progress_update(&p->bar, (size_t)p->step * p->batch, note);
    return TX_OK;
}

/* Loss and share of right answers on the instances behind those of training. */
static tx_status measure(pretraining *p)
{
    size_t classes = (size_t)p->choice.classes, all = p->held * classes, right = 0;
    uint32_t *wanted = tx_alloc(p->batch, sizeof *wanted);
    float *logits = tx_alloc(p->batch * classes, sizeof *logits);
    tx_status status = wanted && logits ? TX_OK : TX_ERR_MEMORY;
    p->loss = 0;
    for (size_t from = 0; status == TX_OK && from < all; from += p->batch) {
        size_t n = all - from < p->batch ? all - from : p->batch;
        drawing d = {.wanted = wanted, .stride = (uint32_t)p->held, .first = (uint32_t)p->instances};
        for (size_t i = 0; i < n; i++)
            wanted[i] = (uint32_t)(from + i);
        status = draw_batch(p, p->inference, &d, n);
        if (status == TX_OK)
            status = tx_forward(p->inference);
        if (status == TX_OK)
            status = tx_session_value(p->inference, p->net.logits, logits);
        p->loss += (double)tx_session_scalar(p->inference, p->net.loss) * (double)n;
        for (size_t i = 0; i < n; i++) {
            size_t best = 0;
            for (size_t k = 1; k < classes; k++)
                best = logits[i * classes + k] > logits[i * classes + best] ? k : best;
            right += best == wanted[i] / p->held;
        }
    }
    p->loss /= (double)all;
    p->accuracy = (double)right / (double)all;
    tx_free(wanted);
    tx_free(logits);
    return status;
}

static int train_all(pretraining *p)
{
    char file[TX_TEXT];
    tx_status status = TX_OK;
    tx_progress_begin(&p->bar, option_on(p->o, "quiet") ? NULL : stderr, p->label, "images",
                      (size_t)p->total * p->batch, (size_t)p->step * p->batch);
    p->saved = tx_seconds();
    while (status == TX_OK && !trainer_stopped && p->step < p->total) {
        status = train_step(p);
        if (status == TX_OK && tx_seconds() - p->saved > STATE_SECONDS)
            status = pretrain_save_state(p);
    }
    if (status == TX_OK && !trainer_stopped)
        status = measure(p);
    if (status == TX_OK && !trainer_stopped)
        tx_progress_end(&p->bar, NULL);
    else
        tx_progress_stop(&p->bar);
    if (status == TX_OK && trainer_stopped)
        status = pretrain_save_state(p);
    if (status)
        return complain(EXIT_FAILED, "%s: after step %llu: %s", tx_escape(file, sizeof file, p->file),
                        (unsigned long long)p->step, tx_error_message());
    if (trainer_stopped)
        return complain(EXIT_INTERRUPTED,
                        "interrupted after step %llu of %llu; the same command line goes on from there",
                        (unsigned long long)p->step, (unsigned long long)p->total);
    return pretrain_save(p) ? complain_failed() : EXIT_DONE;
}

/* ------------------------------------------------------------------------------------------------- results */
static void print_figures(const pretraining *p, int was_there)
{
    json j = {0};
    char file[TX_TEXT], number[2][TX_NUMBER];
    size_t held = p->held * (size_t)p->choice.classes;
    if (!option_on(p->o, "json")) {
        if (was_there)
            printf("%s: these weights are made (--restart makes them anew)\n", tx_escape(file, sizeof file, p->file));
        printf("%s: loss %s, %s%% of %zu held-out images right (by chance %.1f%%)\n",
               tx_escape(file, sizeof file, p->file), tx_number_fixed(number[0], TX_NUMBER, p->loss, 3),
               tx_number_fixed(number[1], TX_NUMBER, 100 * p->accuracy, 1), held, 100.0 / p->choice.classes);
        return;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "file", p->file);
    json_string(&j, "state", was_there ? "finished" : "made");
    json_whole(&j, "steps", (long long)p->total);
    json_real(&j, "loss", p->loss);
    json_real(&j, "accuracy", p->accuracy);
    json_whole(&j, "held_out", (long long)held);
    json_close(&j, '}');
    json_end();
}

/* -------------------------------------------------------------------------------------------------- files */
/* What to do about what stands there: EXIT_DONE to begin or go on, *resume; or *finished. */
static int look(pretraining *p, int *resume, int *finished)
{
    int restart = option_on(p->o, "restart");
    pretrain_found file = pretrain_look(p);
    *finished = file == PRETRAIN_SAME && !restart;
    if (*finished)
        return EXIT_DONE;
    if (file == PRETRAIN_FOREIGN)
        return complain_failed();
    if (file == PRETRAIN_OTHER && !restart)
        return complain(EXIT_FAILED, "%s; --restart makes it anew", tx_error_message());
    pretrain_found state = pretrain_look_state(p);
    *resume = state == PRETRAIN_SAME;
    if (state == PRETRAIN_FOREIGN)
        return complain_failed();
    if (state == PRETRAIN_OTHER && !restart)
        return complain(EXIT_FAILED, "%s; --restart begins anew", tx_error_message());
    return EXIT_DONE;
}

static int work(pretraining *p)
{
    char name[64];
    int resume = 0, finished = 0;
    int code = look(p, &resume, &finished);
    if (code != EXIT_DONE)
        return code;
    if (finished) {
        work_begins();
        if (!p->of_study)
            print_figures(p, 1);
        return pretrain_drop_state(p) ? complain_failed() : EXIT_DONE;
    }
    if (pretrain_sweep(p) || prepare(p) || (resume && pretrain_resume(p)))
        return complain_failed();
    say("%s: %zu parameters; %d classes of fractals, %zu images each, %d x %d pixels; %llu steps of %zu",
        tx_net_choice_name(&p->choice, name), tx_graph_trained(p->net.graph), p->choice.classes, p->instances,
        p->choice.size, p->choice.size, (unsigned long long)p->total, p->batch);
    if (resume)
        say("goes on after step %llu of %llu", (unsigned long long)p->step, (unsigned long long)p->total);
    work_begins();
    code = train_all(p);
    if (code == EXIT_DONE && !p->of_study)
        print_figures(p, 0);
    return code;
}

/* With the lock on FILE.lock, which goes with it. */
static int locked(pretraining *p)
{
    char *path = name_beside(p->file, ".lock");
    tx_status status = path ? tx_lock_take(path, 0, &p->lock) : TX_ERR_MEMORY;
    if (status == TX_OK && !p->lock) {
        say("%s: another process makes it, which is waited for", p->file);
        work_begins();
        status = tx_lock_take(path, 1, &p->lock);
    }
    int code = status     ? complain_failed()
               : !p->lock ? complain(EXIT_INTERRUPTED, "interrupted before it began")
                          : work(p);
    if (p->lock)
        unlink(path);
    tx_lock_release(p->lock);
    tx_free(path);
    return code;
}

static void pretraining_free(pretraining *p)
{
    tx_session_free(p->training);
    tx_session_free(p->inference);
    tx_optimizer_free(p->optimizer);
    tx_weights_free(p->weights);
    tx_network_free(&p->net);
    settings_free(&p->made);
    tx_free(p->system);
    tx_free(p->order);
    tx_free(p->pixels);
    tx_free(p->failed);
    tx_free(p->file);
    tx_free(p->state);
}

int pretrain(const options *o, const char *label)
{
    pretraining p = {0};
    int code = read_options(&p, o, label);
    if (code == EXIT_DONE && build(&p))
        code = complain_failed();
    if (code == EXIT_DONE) {
        trainer_catch_signals();
        code = locked(&p);
    }
    pretraining_free(&p);
    return code;
}
