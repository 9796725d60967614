/* train_setup.c - from options to a training that is ready to begin. */
#include "bench.h"
#include "data_notes.h"
#include "environment.h"
#include "images.h"
#include "model.h"
#include "optimizing.h"
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------- options */
/* Arrays of as many floats as there are parameters, that an optimiser keeps. */
static size_t moments(const tx_optimizer_args *a)
{
    size_t buffer = a->momentum > 0;
    return a->kind == TX_SGD ? buffer : a->kind == TX_RMSPROP ? 1 + buffer : 2;
}

/* Counts of steps follow from the number of images; the schedule's from theirs. */
static void read_lengths(trainer *t)
{
    const options *o = t->o;
    t->batch = (size_t)option_whole(o, "batch");
    if (t->overfit && t->batch > t->images)
        t->batch = t->images;
    t->per_epoch = (t->images + t->batch - 1) / t->batch;
    uint64_t steps = (uint64_t)option_whole(o, "steps");
    t->total = steps ? steps : (uint64_t)option_whole(o, "epochs") * t->per_epoch;
    t->eval_every = (uint64_t)option_whole(o, "eval-every");
    t->states = (uint64_t)option_whole(o, "states");
    t->digest_every = (uint64_t)option_whole(o, "digest-every");
    t->schedule = schedule_of(o, t->total);
}

uint64_t trainer_examples(const trainer *t, uint64_t step)
{
    uint64_t within = step % t->per_epoch * t->batch;
    return step / t->per_epoch * t->images + within;
}

/* What the initial weights expect of their input, and its channels; NULL with an error if the file cannot be read. */
static const char *normal_of_init(trainer *t, char room[160])
{
    if (!t->init)
        return "chexpert";
    tx_tensor_file *file = weights_open(t->init);
    if (!file)
        return NULL;
    const char *format = tx_tensor_file_meta(file, "format"), *normal = tx_tensor_file_meta(file, "normalize");
    int ours = format && strcmp(format, TX_CHECKPOINT_FORMAT) == 0 && normal && strlen(normal) < 160;
    if (ours)
        memcpy(room, normal, strlen(normal) + 1);
    t->choice.channels = net_channels(file, &t->choice);
    t->choice.eps = net_eps(file, t->choice.net);
    tx_tensor_file_close(file);
    return ours ? room : net_normal(&t->choice);
}

static tx_status open_tables(trainer *t)
{
    size_t limit = (size_t)option_whole(t->o, "limit"), overfit = (size_t)option_whole(t->o, "overfit");
    if (overfit && (!limit || overfit < limit))
        limit = overfit;
    t->overfit = overfit != 0;
    t->split[SPLIT_TRAIN] = recipe_dataset(&t->recipe, t->data, "train", t->recipe.tasks, limit);
    if (!t->split[SPLIT_TRAIN])
        return TX_ERR_FORMAT;
    const char *tasks = t->split[SPLIT_TRAIN]->task_names;
    t->split[SPLIT_VALID] = recipe_dataset(&t->recipe, t->data, "valid", tasks, 0);
    char *test = tx_dataset_table(t->data, "test");
    if (!test || !t->split[SPLIT_VALID]) {
        tx_free(test);
        return TX_ERR_FORMAT;
    }
    int there = tx_path_exists(test);
    tx_free(test);
    if (there && !(t->split[SPLIT_TEST] = recipe_dataset(&t->recipe, t->data, "test", tasks, 0)))
        return TX_ERR_FORMAT;
    /* From here on the recipe names the tasks one by one. */
    tx_free(t->recipe.tasks);
    t->recipe.tasks = tx_strdup(tasks);
    t->choice.classes = t->split[SPLIT_TRAIN]->tasks;
    t->images = t->split[SPLIT_TRAIN]->images;
    for (int k = 0; k < SPLITS; k++)
        if (t->split[k] && !(t->seen[k] = tx_alloc(t->split[k]->images, sizeof *t->seen[k])))
            return TX_ERR_MEMORY;
    return t->recipe.tasks ? TX_OK : TX_ERR_MEMORY;
}

/* Negatives for each positive of the training table; 1 where a task has none of either. */
static tx_status balance(trainer *t)
{
    const tx_dataset *d = t->split[SPLIT_TRAIN];
    size_t tasks = (size_t)d->tasks;
    if (strcmp(option_text(t->o, "pos-weight"), "balanced"))
        return TX_OK;
    t->pos_weight = tx_alloc(tasks, sizeof *t->pos_weight);
    if (!t->pos_weight)
        return TX_ERR_MEMORY;
    for (size_t k = 0; k < tasks; k++) {
        size_t count[2] = {0, 0};
        for (size_t i = 0; i < d->images; i++)
            if (d->label[i * tasks + k] >= 0)
                count[d->label[i * tasks + k]]++;
        t->pos_weight[k] = count[0] && count[1] ? (float)((double)count[0] / (double)count[1]) : 1.0F;
    }
    return TX_OK;
}

int trainer_read(trainer *t, const options *o, const struct train_job *job)
{
    char room[160];
    memset(t, 0, sizeof *t);
    t->o = o;
    t->job = job;
    t->seed = option_seed(o, "seed");
    if (!option_text(o, "net"))
        return complain(EXIT_USAGE, "--net is missing (thorax nets lists them)");
    if (!option_text(o, "out") && !option_on(o, "dry-run"))
        return complain(EXIT_USAGE, "--out is missing: the folder that receives the run");
    t->choice = (tx_net_choice){.net = tx_net_find(option_text(o, "net")),
                                .cut = (int)option_whole(o, "cut"),
                                .classes = 1,
                                .size = (int)option_whole(o, "size")};
    if (net_choice_check(&t->choice) != EXIT_DONE)
        return EXIT_USAGE;
    const char *data = option_text(o, "data"), *init = option_text(o, "init");
    char *sample = data ? NULL : sample_folder();
    if (!data && !sample)
        return complain_failed();
    t->data = absolute_path(data ? data : sample);
    tx_free(sample);
    if (strcmp(init, "random") && !(t->init = model_init(init, t->choice.net)))
        return complain_failed();
    const char *normal = normal_of_init(t, room);
    tx_status status = t->data && normal ? recipe_read(&t->recipe, o, NULL, normal) : TX_ERR_MEMORY;
    /* Options have been checked: what is left to be wrong stands in the file. */
    if (status && normal == room)
        return complain(EXIT_FAILED, "%s: %s", init, tx_error_message());
    int code = status ? complain_failed() : recipe_channels(&t->recipe, o, t->choice.channels, init);
    if (code != EXIT_DONE)
        return code;
    if (tx_augment_parse(option_text(o, "augment"), &t->augment) || open_tables(t) || balance(t))
        return complain_failed();
    t->optimizer_args = optimizer_of(o);
    read_lengths(t);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------------------------------------- config */
/* The digest of what the paths in the options stand for. */
static tx_status digest_content(const trainer *t, char identity[65])
{
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i <= SPLITS; i++) {
        char *path = i < SPLITS ? tx_dataset_table(t->data, split_name[i]) : t->init ? tx_strdup(t->init) : NULL;
        if (path)
            status = tx_sha256_file(&sha, path);
        else if (i < SPLITS)
            status = TX_ERR_MEMORY;
        tx_sha256_add(&sha, "/", 1);
        tx_free(path);
    }
    tx_sha256_end(&sha, identity);
    return status;
}

tx_status trainer_config(const trainer *t, settings *config, char identity[65])
{
    char room[64], betas[2][TX_NUMBER], augment[TX_AUGMENT_TEXT];
    double beta1, beta2;
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < option_count(); i++)
        if (command_takes(t->o->command, i) && option_matters(i))
            status = settings_set(config, option_at(i)->name, option_canonical(t->o, i, room));
    if (status == TX_OK)
        status = recipe_write(&t->recipe, config);
    if (status == TX_OK)
        status = settings_set(config, "augment", tx_augment_print(&t->augment, augment, sizeof augment));
    if (status == TX_OK)
        status = settings_set(config, "data", t->data);
    const char *init = option_text(t->o, "init");
    char *file = t->init ? absolute_path(init) : NULL;
    if (status == TX_OK)
        status = t->init && !file ? TX_ERR_MEMORY : settings_set(config, "init", file ? file : init);
    tx_free(file);
    if (status == TX_OK && betas_read(option_text(t->o, "betas"), &beta1, &beta2) == 0)
        status = settings_format(config, "betas", "%s,%s", tx_number_shortest(betas[0], TX_NUMBER, beta1),
                                 tx_number_shortest(betas[1], TX_NUMBER, beta2));
    return status == TX_OK ? digest_content(t, identity) : status;
}

/* --------------------------------------------------------------------------------------------- building */
static int meets_a_parameter(const tx_graph *g, const char *prefix)
{
    for (int i = 0; i < tx_graph_params(g); i++) {
        const tx_param *p = tx_graph_param(g, i);
        if (p->role == TX_ROLE_TRAINED && strncmp(p->name, prefix, strlen(prefix)) == 0)
            return 1;
    }
    return 0;
}

/* --freeze as a list of beginnings of names, each of which some trained parameter has. */
static tx_status read_frozen(trainer *t)
{
    char prefix[256], escaped[TX_TEXT];
    const char *list = option_text(t->o, "freeze");
    size_t count = 2;
    for (const char *c = list; c && *c; c++)
        count += *c == ',';
    t->frozen = tx_alloc(count, sizeof *t->frozen);
    if (!t->frozen)
        return TX_ERR_MEMORY;
    int more;
    for (size_t i = 0; (more = next_item(&list, ',', prefix, sizeof prefix)) == 1; i++) {
        if (!*prefix || !meets_a_parameter(t->fitted.graph, prefix))
            return tx_fail(TX_ERR_ARGUMENT, "--freeze %s: no parameter's name begins so",
                           tx_escape(escaped, sizeof escaped, prefix));
        t->frozen[i] = tx_strdup(prefix);
        if (!t->frozen[i])
            return TX_ERR_MEMORY;
    }
    return more < 0 ? tx_fail(TX_ERR_ARGUMENT, "--freeze: a name longer than 255 bytes") : TX_OK;
}

static tx_session_args training_args(const trainer *t)
{
    return (tx_session_args){
        .batch = (int)t->batch, .mode = TX_TRAIN, .seed = t->seed, .frozen = (const char *const *)t->frozen};
}

static tx_session_args inference_args(const trainer *t)
{
    return (tx_session_args){.batch = t->inference_batch, .seed = t->seed};
}

static tx_status build_networks(trainer *t)
{
    tx_status status = tx_network_build(&t->fitted, &t->choice, 1, t->pos_weight);
    if (status == TX_OK)
        status = tx_network_build(&t->plain, &t->choice, 0, NULL);
    if (status == TX_OK && option_text(t->o, "bn-momentum"))
        status = tx_network_bn_momentum(&t->fitted, option_real(t->o, "bn-momentum"));
    if (status == TX_OK && t->init)
        status = tx_network_new_head(&t->fitted);
    if (status == TX_OK)
        status = read_frozen(t);
    t->inference_batch = t->batch < 16 ? (int)t->batch : 16;
    return status;
}

static double mib(size_t bytes)
{
    return (double)bytes / 1048576;
}

tx_status trainer_describe(trainer *t, tx_buffer *plan)
{
    char name[64], how[256], data[TX_TEXT];
    double macs;
    size_t training, evaluation;
    tx_status status = build_networks(t);
    if (status == TX_OK)
        status = tx_network_costs(&t->fitted, training_args(t), &macs, &training);
    if (status == TX_OK)
        status = tx_network_costs(&t->plain, inference_args(t), &macs, &evaluation);
    if (status)
        return status;
    const tx_graph *g = t->fitted.graph;
    size_t trained = tx_graph_trained(g), buffers = 0;
    for (int i = 0; i < tx_graph_params(g); i++)
        buffers += tx_graph_param(g, i)->role == TX_ROLE_BUFFER ? tx_graph_param(g, i)->count : 0;
    size_t state = 4 * (trained * (2 + moments(&t->optimizer_args)) + buffers);
    tx_buffer_add(plan, "%s: %zu parameters, %d tasks; %s\n", tx_net_choice_name(&t->choice, name), trained,
                  t->choice.classes, recipe_describe(&t->recipe, how, sizeof how));
    tx_buffer_add(plan, "data: %s\n", tx_escape(data, sizeof data, t->data));
    tx_buffer_add(plan, "      %zu train, %zu valid, %zu test images; %llu steps of %zu\n", t->images,
                  t->split[SPLIT_VALID]->images, t->split[SPLIT_TEST] ? t->split[SPLIT_TEST]->images : 0,
                  (unsigned long long)t->total, t->batch);
    data_notes(plan, t->split, split_name, SPLITS, 0);
    tx_buffer_add(plan, "memory: %.1f MiB = training %.1f + evaluation %.1f + weights, gradients and optimiser %.1f\n",
                  mib(training + evaluation + state), mib(training), mib(evaluation), mib(state));
    return plan->status;
}

/* The initial weights: drawn, and where a file is given read over that. */
static tx_status initial_weights(trainer *t)
{
    tx_checkpoint_report report = {0};
    tx_status status = tx_weights_init(t->weights, t->seed);
    if (status || !t->init)
        return status;
    int flags = TX_CHECKPOINT_NEW_HEAD | (t->choice.cut ? TX_CHECKPOINT_EXTRA : 0);
    status = net_checkpoint(t->init, &t->choice, t->weights, flags, &report);
    tx_weights_changed(t->weights);
    if (status == TX_OK && report.replaced)
        say("%s: the file has %zu outputs, the new last layer has %d", report.replaced, report.outputs_in_file,
            t->choice.classes);
    if (status == TX_OK && report.extra)
        say("%zu tensors of the blocks that are cut were passed over", report.extra);
    return status;
}

/* What the images were when they were read stays with the state. */
void trainer_carry(trainer *t)
{
    static const char *const names[SPLITS] = {"images.train", "images.valid", "images.test"};
    for (int i = 0; i < SPLITS; i++)
        if (t->split[i])
            run_carry(&t->run, names[i], t->seen[i], t->split[i]->images);
}

int trainer_images(const trainer *t)
{
    return images_look(t->split, SPLITS, strcmp(option_text(t->o, "bad-images"), "skip") == 0,
                       option_on(t->o, "quiet") ? NULL : stderr);
}

tx_loader *trainer_loader(const trainer *t, int split, int training)
{
    tx_loader_options how = {.preprocess = t->recipe.how, .training = training, .seed = t->seed};
    how.augment = t->augment;
    how.skip_bad = strcmp(option_text(t->o, "bad-images"), "skip") == 0;
    how.seen = t->seen[split];
    return tx_loader_new(t->split[split], &how);
}

tx_status trainer_weights(trainer *t)
{
    t->weights = tx_weights_new(t->fitted.graph, 1);
    tx_status status = t->weights ? initial_weights(t) : TX_ERR_MEMORY;
    if (status)
        return status;
    t->optimizer = tx_optimizer_new(t->weights, t->optimizer_args);
    for (char **prefix = t->frozen; t->optimizer && *prefix; prefix++)
        tx_optimizer_freeze(t->optimizer, *prefix);
    return t->optimizer ? TX_OK : TX_ERR_MEMORY;
}

tx_status trainer_sessions(trainer *t)
{
    t->training = tx_session_new(t->fitted.graph, t->weights, training_args(t));
    t->inference = tx_session_new(t->plain.graph, t->weights, inference_args(t));
    t->feed = trainer_loader(t, SPLIT_TRAIN, 1);
    t->check = trainer_loader(t, SPLIT_VALID, 0);
    t->order = tx_alloc(t->images, sizeof *t->order);
    t->taken = tx_alloc(t->batch, sizeof *t->taken);
    return t->training && t->inference && t->feed && t->check && t->order && t->taken ? TX_OK : TX_ERR_MEMORY;
}

void trainer_free(trainer *t)
{
    tx_session_free(t->training);
    tx_session_free(t->inference);
    tx_optimizer_free(t->optimizer);
    tx_weights_free(t->weights);
    tx_network_free(&t->fitted);
    tx_network_free(&t->plain);
    tx_loader_free(t->feed);
    tx_loader_free(t->check);
    for (int i = 0; i < SPLITS; i++) {
        tx_loader_free(t->last[i]);
        tx_dataset_free(t->split[i]);
        tx_free(t->seen[i]);
    }
    tx_free(t->order);
    tx_free(t->taken);
    tx_free(t->pos_weight);
    for (char **prefix = t->frozen; prefix && *prefix; prefix++)
        tx_free(*prefix);
    tx_free(t->frozen);
    tx_free(t->data);
    tx_free(t->init);
    recipe_free(&t->recipe);
    run_leave(&t->run);
    memset(t, 0, sizeof *t);
}
