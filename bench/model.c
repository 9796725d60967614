/* model.c - what MODEL on a command line names, and predictions with it. */
#define _POSIX_C_SOURCE 200809L
#include "model.h"
#include "digests.h"
#include "environment.h"
#include "hints.h"
#include "recognise.h"
#include "run_private.h"
#include "scores.h"
#include "xrv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------- checkpoints of a RUN */
static int by_score(const void *a, const void *b)
{
    const run_checkpoint *x = a, *y = b;
    if (score_better(x->score, y->score) || score_better(y->score, x->score))
        return score_better(y->score, x->score) ? 1 : -1;
    return (x->step > y->step) - (x->step < y->step);
}

static tx_status add_checkpoint(run_checkpoint **list, size_t *count, size_t *room, char *path)
{
    if (!path || tx_grow((void **)list, room, *count + 1, sizeof **list)) {
        tx_free(path);
        return TX_ERR_MEMORY;
    }
    memset(&(*list)[*count], 0, sizeof **list);
    (*list)[*count].path = path;
    ++*count;
    return TX_OK;
}

/* Reads step and score from a checkpoint's metadata. */
static tx_status read_score(run_checkpoint *c)
{
    char escaped[TX_TEXT];
    tx_safetensors *file = tx_safetensors_open(c->path);
    if (!file)
        return tx_error_status();
    const char *score = tx_safetensors_meta(file, "score"), *step = tx_safetensors_meta(file, "step");
    const char *by = tx_safetensors_meta(file, "selection");
    snprintf(c->by, sizeof c->by, "%s", by ? by : "");
    tx_status status = TX_OK;
    if (!score || !step || parse_seed(step, &c->step) || score_parse(score, &c->score))
        status = tx_fail(TX_ERR_FORMAT, "%s: no score and step in its metadata",
                         tx_escape(escaped, sizeof escaped, c->path));
    tx_safetensors_close(file);
    return status;
}

/* Where neither a done mark nor a state says what was kept: every checkpoint that lies there. */
static tx_status list_folder(const char *inner, run_checkpoint **list, size_t *count)
{
    char **names = NULL;
    size_t n = 0, room = 0;
    uint64_t step;
    tx_status status = tx_path_exists(inner) ? tx_folder_list(inner, &names, &n) : TX_OK;
    for (size_t i = 0; status == TX_OK && i < n; i++) {
        if (!is_step_name(names[i], &step))
            continue;
        status = add_checkpoint(list, count, &room, tx_path_join(inner, names[i]));
        if (status == TX_OK)
            status = read_score(&(*list)[*count - 1]);
    }
    tx_folder_names_free(names, n);
    return status;
}

/* Of the best one the file must say the same. */
static tx_status check_first(run_checkpoint *first)
{
    char escaped[TX_TEXT];
    run_checkpoint noted = *first;
    tx_status status = read_score(first);
    if (status == TX_OK && (first->step != noted.step || score_better(first->score, noted.score) ||
                            score_better(noted.score, first->score)))
        status = tx_fail(TX_ERR_FORMAT, "%s: says another step or score than its run noted",
                         tx_escape(escaped, sizeof escaped, first->path));
    return status;
}

static tx_status list_noted(const char *folder, const run_position *at, run_checkpoint **list, size_t *count)
{
    size_t room = 0;
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < at->kept; i++) {
        status = add_checkpoint(list, count, &room, step_path(folder, "checkpoints", at->best[i].step));
        if (status == TX_OK) {
            (*list)[*count - 1].step = at->best[i].step;
            (*list)[*count - 1].score = at->best[i].score;
        }
    }
    return status == TX_OK && *count ? check_first(*list) : status;
}

tx_status run_checkpoints(const char *folder, run_checkpoint **list, size_t *count)
{
    char escaped[TX_TEXT];
    int known = 0;
    *list = NULL;
    *count = 0;
    run_position *at = tx_alloc(1, sizeof *at);
    char *inner = tx_path_join(folder, "checkpoints");
    tx_status status = at && inner ? run_note(folder, at, &known) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = known ? list_noted(folder, at, list, count) : list_folder(inner, list, count);
    if (at)
        position_free(at);
    tx_free(at);
    tx_free(inner);
    if (status == TX_OK && *count == 0)
        status = tx_fail(TX_ERR_FILE,
                         "%s: no checkpoint in this folder, expected one of a run (checkpoints/step-*.safetensors)",
                         tx_escape(escaped, sizeof escaped, folder));
    if (status) {
        run_checkpoints_free(*list, *count);
        *list = NULL;
        *count = 0;
        return status;
    }
    qsort(*list, *count, sizeof **list, by_score);
    return TX_OK;
}

void run_checkpoints_free(run_checkpoint *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tx_free(list[i].path);
    tx_free(list);
}

/* ------------------------------------------------------------------------------------ which network */
const char *net_normal(const tx_net_choice *choice)
{
    if (tx_net_channels(choice) == 1)
        return "xrv";
    return choice->net->normal ? choice->net->normal : "imagenet";
}

/* The network: what the metadata say, which --net and --cut must not contradict; else the options; else the
 * tensors. */
static int choose_net(model *m, const tx_tensor_file *file, const options *o, int any_cut)
{
    char escaped[TX_TEXT];
    tx_escape(escaped, sizeof escaped, m->file[0]);
    const char *says = settings_get(&m->carried, "net"), *cut = settings_get(&m->carried, "cut"),
               *asked = option_text(o, "net");
    const long k = option_whole(o, "cut");
    const int cut_given = option_given(o, "cut") && !any_cut;
    const tx_net_info *named = asked ? tx_net_find(asked) : net_named(m->file[0]);
    if (says) {
        long carried = 0;
        m->choice.net = tx_net_find(says);
        if (!m->choice.net || (cut && parse_whole(cut, 0, m->choice.net->blocks, &carried)))
            return complain(EXIT_FAILED, "%s: made with a network that this version does not have", escaped);
        if (asked && strcmp(asked, says))
            return complain(EXIT_FAILED, "%s: holds %s, but --net says %s", escaped, says, asked);
        if (cut_given && k != carried)
            return complain(EXIT_FAILED, "%s: holds %s with --cut %ld, but --cut says %ld", escaped, says, carried, k);
        m->choice.cut = (int)carried;
    } else if (named && option_on(o, "partial")) {
        m->choice = (tx_net_choice){.net = named, .cut = (int)k};
    } else {
        int code = recognise(file, m->file[0], asked ? named : NULL, cut_given ? k : -1, &m->choice);
        if (code != EXIT_DONE)
            return code;
    }
    m->choice.classes = net_outputs(file, &m->choice);
    if (m->choice.classes == 0 && option_on(o, "partial") && option_given(o, "classes"))
        m->choice.classes = (int)option_whole(o, "classes");
    if (m->choice.classes == 0)
        return complain(EXIT_FAILED, "%s: no tensor %s.weight of (outputs, features), the last layer of %s", escaped,
                        m->choice.net->head.name, m->choice.net->name);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------------------------------------- model */
/* A checkpoint's format is checked; metadata of other programs is not ours to read. */
static tx_status check_format(model *m)
{
    char escaped[TX_TEXT];
    const char *format = settings_get(&m->carried, "format");
    if (format && strcmp(format, TX_CHECKPOINT_FORMAT) == 0)
        return TX_OK;
    if (format && strncmp(format, "thorax ", 7) == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: format '%s', expected '" TX_CHECKPOINT_FORMAT "'", m->file[0],
                       tx_escape(escaped, sizeof escaped, format));
    settings_free(&m->carried);
    return TX_OK;
}

/* The names of the outputs, where the file has as many as outputs. */
static tx_status name_tasks(model *m)
{
    const char *list = settings_get(&m->carried, "tasks");
    char name[256];
    if (!list)
        return TX_OK;
    m->task = tx_alloc((size_t)m->choice.classes, sizeof *m->task);
    if (!m->task)
        return TX_ERR_MEMORY;
    int n = 0, more;
    while ((more = next_item(&list, ',', name, sizeof name)) == 1 && n < m->choice.classes) {
        m->task[n] = tx_strdup(name);
        if (!m->task[n++])
            return TX_ERR_MEMORY;
    }
    return more == 0 && n == m->choice.classes
               ? TX_OK
               : tx_fail(TX_ERR_FORMAT, "%s: names of another number of tasks than its %d outputs", m->file[0],
                         m->choice.classes);
}

/* What config.txt says of a RUN's data. A folder of checkpoints alone has none. */
static tx_status find_data(model *m)
{
    settings config = {0};
    char *path = tx_path_join(m->name, "config.txt");
    tx_status status = !path ? TX_ERR_MEMORY : tx_path_exists(path) ? settings_read(&config, path) : TX_OK;
    const char *data = status == TX_OK ? settings_get(&config, "data") : NULL;
    if (data && !(m->data = tx_strdup(data)))
        status = TX_ERR_MEMORY;
    settings_free(&config);
    tx_free(path);
    return status;
}

/* Whether a folder is that of a run, rather than one of weights. */
static int is_run(const char *folder)
{
    static const char *const of[] = {"checkpoints", "config.txt", "done", "state.safetensors"};
    int found = 0;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        char *path = tx_path_join(folder, of[i]);
        found |= path && tx_path_exists(path);
        tx_free(path);
    }
    return found;
}

/* A folder of published weights: the file of the network that --net names, or of the one that it has alone. */
static tx_status find_published(model *m, const options *o)
{
    const char *net = option_text(o, "net");
    m->run = 0;
    m->file = tx_alloc(1, sizeof *m->file);
    char *path = m->file ? published_find(m->name, net ? tx_net_find(net) : NULL) : NULL;
    if (!path)
        return tx_error_status();
    m->file[m->files++] = path;
    return TX_OK;
}

static tx_status find_files(model *m, const options *o)
{
    struct stat about;
    size_t n = 1;
    run_checkpoint *list = NULL;
    m->run = stat(m->name, &about) == 0 && S_ISDIR(about.st_mode);
    if (m->run && !is_run(m->name))
        return find_published(m, o);
    tx_status status = m->run ? run_checkpoints(m->name, &list, &n) : TX_OK;
    if (status)
        return status;
    size_t wanted = m->run && !option_on(o, "ensemble") ? 1 : n;
    char escaped[TX_TEXT];
    if (n == 1 && option_on(o, "ensemble"))
        say_once("--ensemble has no effect: %s is one checkpoint", tx_escape(escaped, sizeof escaped, m->name));
    m->file = tx_alloc(wanted, sizeof *m->file);
    for (size_t i = 0; m->file && i < wanted; i++) {
        m->file[i] = tx_strdup(m->run ? list[i].path : m->name);
        m->files += m->file[i] != NULL;
    }
    run_checkpoints_free(list, m->run ? n : 0);
    status = m->files == wanted ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < m->files; i++)
        status = checkpoint_vouch(m->file[i]);
    return status == TX_OK && m->run ? find_data(m) : status;
}

char *model_init(const char *name, const tx_net_info *net)
{
    tx_path_kind kind;
    run_checkpoint *list = NULL;
    size_t n = 0;
    tx_status status = tx_path_look(name, &kind);
    char *published = NULL;
    if (status == TX_OK && kind == TX_PATH_FOLDER && !is_run(name))
        status = (published = published_find(name, net)) ? TX_OK : tx_error_status();
    else if (status == TX_OK && kind == TX_PATH_FOLDER)
        status = run_checkpoints(name, &list, &n);
    char *path = status == TX_OK ? absolute_path(published ? published : n ? list[0].path : name) : NULL;
    run_checkpoints_free(list, n);
    tx_free(published);
    if (path && kind != TX_PATH_NONE && checkpoint_vouch(path)) {
        tx_free(path);
        return NULL;
    }
    return path;
}

static int open_model(model *m, const char *name, const options *o, int any_cut)
{
    char hint[HINT];
    memset(m, 0, sizeof *m);
    m->name = name;
    if (find_files(m, o))
        return complain(EXIT_FAILED, "%s%s", tx_error_message(), hint_model(hint, o, name));
    tx_tensor_file *file = weights_open(m->file[0]);
    if (!file)
        return complain(EXIT_FAILED, "%s%s", tx_error_message(), hint_model(hint, o, name));
    size_t metas;
    const tx_pair *meta = tx_tensor_file_metas(file, &metas);
    tx_status status = settings_metadata(&m->carried, meta, metas);
    if (status == TX_OK)
        status = check_format(m);
    int code = status == TX_OK ? choose_net(m, file, o, any_cut) : complain_failed();
    if (code == EXIT_DONE && !settings_get(&m->carried, "format"))
        status = xrv_carried(&m->carried, file, m->file[0], &m->choice);
    tx_tensor_file_close(file);
    if (code == EXIT_DONE && status == TX_OK)
        status = xrv_thresholds(&m->carried, m->choice.classes, &m->threshold);
    if (code != EXIT_DONE)
        return code;
    if (status)
        return complain(EXIT_FAILED, "%s: %s", m->file[0], tx_error_message());
    if (recipe_read(&m->recipe, o, &m->carried, net_normal(&m->choice)))
        return complain(EXIT_FAILED, "%s: %s", m->file[0], tx_error_message());
    m->choice.size = m->recipe.how.size;
    code = recipe_channels(&m->recipe, o, m->choice.channels, m->file[0]);
    if (code != EXIT_DONE)
        return code;
    if (name_tasks(m))
        return complain_failed();
    /* A size that nobody typed is the file's fault. */
    code = net_choice_check(&m->choice);
    return code == EXIT_USAGE && !option_given(o, "size") && !option_given(o, "cut") ? EXIT_FAILED : code;
}

int model_open(model *m, const char *name, const options *o)
{
    return open_model(m, name, o, 0);
}

int model_open_any(model *m, const char *name, const options *o)
{
    return open_model(m, name, o, 1);
}

tx_status model_check(const model *m)
{
    tx_network n;
    tx_status status = tx_network_build(&n, &m->choice, 0, NULL);
    if (status)
        return status;
    tx_weights *weights = tx_weights_new(n.graph, 0);
    if (!weights)
        status = TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < m->files; i++)
        status = net_checkpoint(m->file[i], &m->choice, weights, 0, NULL);
    tx_weights_free(weights);
    tx_network_free(&n);
    return status;
}

int model_data(const model *m, const options *o, const char **folder)
{
    char name[TX_TEXT], data[TX_TEXT];
    tx_escape(name, sizeof name, m->name);
    *folder = option_text(o, "data");
    if (*folder)
        return EXIT_DONE;
    if (!m->run)
        return complain(EXIT_USAGE, "--data is missing: %s is no run, which would say on which data it was trained",
                        name);
    if (!m->data)
        return complain(EXIT_FAILED, "%s: no config.txt that says on which data it was trained; --data names a folder",
                        name);
    if (!tx_path_exists(m->data))
        return complain(EXIT_FAILED,
                        "%s: no such folder any more, the data that %s was trained with; --data names another",
                        tx_escape(data, sizeof data, m->data), name);
    *folder = m->data;
    return EXIT_DONE;
}

static const char *task_at(const void *context, int i)
{
    const char *name = ((const model *)context)->task[i];
    return *name ? name : NULL;
}

/* Whether two names of a finding are the same but for letters' case and _ for a blank; what some tables call Effusion is
 * CheXpert's Pleural Effusion. */
static int same_finding(const char *a, const char *b)
{
    static const char whole[] = "pleural effusion", brief[] = "effusion";
    char plain[2][64];
    const char *const from[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        size_t n = strlen(from[k]);
        if (n >= sizeof plain[k])
            return 0;
        for (size_t i = 0; i <= n; i++) {
            char c = from[k][i];
            plain[k][i] = c == '_' ? ' ' : (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
        if (strcmp(plain[k], brief) == 0)
            strcpy(plain[k], whole);
    }
    return *a && strcmp(plain[0], plain[1]) == 0;
}

const char *model_task(const model *m, int output)
{
    return m->task && *m->task[output] ? m->task[output] : NULL;
}

int model_output(const model *m, const char *task)
{
    int classes = m->task ? m->choice.classes : 0, found = -1;
    for (int c = 0; c < classes; c++)
        if (*task && strcmp(m->task[c], task) == 0)
            return c;
    for (int c = 0; c < classes; c++) {
        if (!same_finding(task, m->task[c]))
            continue;
        if (found >= 0)
            return -1;
        found = c;
    }
    return found;
}

const char *model_nearest_task(const model *m, const char *task, char out[TX_HINT])
{
    return tx_nearest_hint(out, task, m->task ? m->choice.classes : 0, task_at, m);
}

void model_free(model *m)
{
    for (int i = 0; m->task && i < m->choice.classes; i++)
        tx_free(m->task[i]);
    for (size_t i = 0; i < m->files; i++)
        tx_free(m->file[i]);
    tx_free(m->task);
    tx_free(m->threshold);
    tx_free(m->file);
    tx_free(m->data);
    recipe_free(&m->recipe);
    settings_free(&m->carried);
    memset(m, 0, sizeof *m);
}

void model_describe(const model *m)
{
    char net[64], how[256];
    const char *step = settings_get(&m->carried, "step");
    say("%s: %s, %d outputs%s%s%s%s; %s", m->files > 1 ? m->name : m->file[0], tx_net_choice_name(&m->choice, net),
        m->choice.classes, step ? ", step " : "", step ? step : "", m->files > 1 ? " and others of its run" : "",
        m->threshold ? " normalised by op_threshs (0.5 where that is nan)" : "",
        recipe_describe(&m->recipe, how, sizeof how));
}

/* ------------------------------------------------------------------------------------------ predictor */
tx_status predictor_open(predictor *p, const tx_net_choice *choice, int batch)
{
    memset(p, 0, sizeof *p);
    p->batch = batch;
    tx_status status = tx_network_build(&p->net, choice, 0, NULL);
    if (status)
        return status;
    p->weights = tx_weights_new(p->net.graph, 0);
    p->session = p->weights ? tx_session_new(p->net.graph, p->weights, (tx_session_args){.batch = batch}) : NULL;
    p->logits = tx_alloc((size_t)batch * (size_t)choice->classes, sizeof *p->logits);
    if (p->session && p->logits)
        return TX_OK;
    predictor_free(p);
    return TX_ERR_MEMORY;
}

tx_status predictor_load(predictor *p, const char *path)
{
    tx_status status = net_checkpoint(path, &p->net.choice, p->weights, 0, NULL);
    tx_weights_changed(p->weights);
    return status;
}

tx_status predictor_run(predictor *p, size_t n)
{
    tx_status status = tx_session_batch(p->session, (int)n);
    if (status == TX_OK)
        status = tx_forward(p->session);
    return status ? status : tx_session_value(p->session, p->net.logits, p->logits);
}

tx_status predictor_check(const predictor *p, size_t k, const char *path)
{
    size_t classes = (size_t)p->net.choice.classes;
    return logits_check(p->logits + k * classes, classes, path);
}

void predictor_free(predictor *p)
{
    tx_session_free(p->session);
    tx_weights_free(p->weights);
    tx_network_free(&p->net);
    tx_free(p->logits);
    memset(p, 0, sizeof *p);
}
