/* study_grid.h - a made-up study: the tables of a dataset without images, and the folders that the jobs of a whole grid would
 * have left. Predictions are drawn, each model's with a skill of its own. */
#ifndef THORAX_TEST_STUDY_GRID_H
#define THORAX_TEST_STUDY_GRID_H

#include "../bench/study_gather.h"
#include "io_temp.h"

#include <math.h>

/* What is trained. */
typedef struct grid_job {
    const char *net;
    int cut;
    const char *init;
} grid_job;

enum { GRID_TASKS = 7, GRID_JOBS = 49 };
static const char *const grid_task[GRID_TASKS] = {"No Finding", "Cardiomegaly", "Edema",           "Consolidation",
                                                  "Pneumonia",  "Atelectasis",  "Pleural Effusion"};
static const double grid_share[GRID_TASKS] = {0, 0.3, 0.16, 0.06, 0.5, 0.3, 0.2};

/* Uniform in (0,1): splitmix64. */
static uint64_t grid_state;
static double grid_draw(void)
{
    uint64_t z = grid_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static inline const char *grid_name(const grid_job *j, char out[128])
{
    char net[64];
    tx_net_choice choice = {.net = tx_net_find(j->net), .cut = j->cut, .classes = 1, .size = 1};
    snprintf(out, 128, "%s.%s.0", tx_net_choice_name(&choice, net), j->init);
    return out;
}

/* The jobs in the study's order: each network from random and pretrained weights, then the cuts. */
static inline void grid_jobs(grid_job jobs[GRID_JOBS])
{
    static const char *const cut[5] = {"densenet121", "resnet18", "efficientnet_b0", "mnasnet1_0", "nasnet_a_mobile"};
    size_t n = 0;
    for (int k = 0; k < tx_nets(); k++)
        for (int pretrained = 0; pretrained < 2; pretrained++)
            jobs[n++] = (grid_job){tx_net_at(k)->name, 0, pretrained ? "pretrained" : "random"};
    for (int k = 0; k < 5; k++)
        for (int c = 1; c <= 3; c++)
            jobs[n++] = (grid_job){cut[k], c, "pretrained"};
}

static inline void grid_file(const char *folder, const char *name, tx_buffer *text)
{
    char *path = tx_path_join(folder, name);
    temp_text(path, text->data);
    tx_free(path);
    tx_buffer_free(text);
}

/* DIR/SPLIT.csv: studies of one or two views, each second patient with two studies. Pneumonia is the opposite of No Finding. label
 * (may be NULL): studies x tasks. */
static inline void grid_table(const char *folder, const char *split, size_t studies, signed char *label)
{
    tx_buffer p = {0};
    char name[32];
    tx_buffer_append(&p, "Path,Sex,Age,Frontal/Lateral,AP/PA");
    for (int k = 0; k < GRID_TASKS; k++)
        tx_buffer_add(&p, ",%s", grid_task[k]);
    tx_buffer_append(&p, "\n");
    for (size_t i = 0; i < studies; i++) {
        signed char cell[GRID_TASKS];
        const char *sex = grid_draw() < 0.45 ? "Female" : "Male";
        int age = 15 + (int)(75 * grid_draw()), ap = grid_draw() < 0.6;
        for (int k = 0; k < GRID_TASKS; k++)
            cell[k] = grid_draw() < grid_share[k];
        cell[0] = !cell[4];
        for (int view = 1; view <= 1 + (i % 5 == 0); view++) {
            tx_buffer_add(&p, "%s/patient%05zu/study%zu/view%d_%s.jpg,%s,%d,%s,%s", split, i / 3, i % 3 + 1, view,
                          view == 1 ? "frontal" : "lateral", sex, age, view == 1 ? "Frontal" : "Lateral",
                          view == 2 ? ""
                          : ap      ? "AP"
                                    : "PA");
            for (int k = 0; k < GRID_TASKS; k++)
                tx_buffer_add(&p, ",%d.0", cell[k]);
            tx_buffer_append(&p, "\n");
        }
        if (label)
            memcpy(label + i * GRID_TASKS, cell, sizeof cell);
    }
    snprintf(name, sizeof name, "%s.csv", split);
    grid_file(folder, name, &p);
}

/* Normal enough: the sum of twelve. */
static inline double grid_noise(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += grid_draw();
    return sum;
}

static inline void grid_predictions(const char *folder, const char *name, const char *split, size_t studies,
                                    const signed char *label, double skill)
{
    tx_buffer p = {0};
    char number[TX_NUMBER];
    tx_buffer_append(&p, "Path");
    for (int k = 0; k < GRID_TASKS; k++)
        tx_buffer_add(&p, ",%s", grid_task[k]);
    tx_buffer_append(&p, "\n");
    for (size_t i = 0; i < studies; i++)
        for (int view = 1; view <= 1 + (i % 5 == 0); view++) {
            tx_buffer_add(&p, "%s/patient%05zu/study%zu/view%d_%s.jpg", split, i / 3, i % 3 + 1, view,
                          view == 1 ? "frontal" : "lateral");
            for (int k = 0; k < GRID_TASKS; k++) {
                double v = tx_logistic(skill * label[i * GRID_TASKS + (size_t)k] - 1 + grid_noise());
                tx_buffer_add(&p, ",%s", tx_number_print(number, sizeof number, (double)(float)v, 9));
            }
            tx_buffer_append(&p, "\n");
        }
    grid_file(folder, name, &p);
}

static inline void grid_config(const char *folder, const grid_job *j)
{
    tx_buffer p = {0};
    tx_buffer_add(&p,
                  "# The options of this run, for --config.\nnet = %s\ncut = %d\ndata = /nowhere\ninit = %s\ntasks = ",
                  j->net, j->cut, j->init);
    for (int k = 0; k < GRID_TASKS; k++)
        tx_buffer_add(&p, "%s%s", k ? "," : "", grid_task[k]);
    tx_buffer_add(&p,
                  "\nuncertain = ignore\nblank = zeros\nviews = all\nsize = 64\nepochs = 2\nnormalize = %s\nseed = 0\n",
                  strcmp(j->init, "random") ? "imagenet" : "chexpert");
    if (strncmp(j->net, "mnasnet", 7) == 0)
        tx_buffer_append(&p, "bn-momentum = 0.1\n");
    grid_file(folder, "config.txt", &p);
}

/* job.txt, with the digests of the files that are named. */
static inline void grid_note(const char *folder, const grid_job *j, size_t parameters)
{
    static const char *const files[] = {"config.txt", "digests.txt", "ensemble-valid.csv", "ensemble-test.csv"};
    tx_buffer p = {0};
    char hex[65];
    tx_buffer_add(&p, "format = 1\nnet = %s\ncut = %d\ninit = %s\nseed = 0\n", j->net, j->cut, j->init);
    if (strcmp(j->init, "random"))
        tx_buffer_add(&p,
                      "source = made\nsource.file = %s.safetensors\nsource.sha256 = %064d\nsource.what = 60 fractals\n",
                      j->net, 7);
    else
        tx_buffer_append(&p, "source = random\n");
    tx_buffer_add(&p, "outputs = %d\nparameters = %zu\ncheckpoints = 2\ndata = 0123abcd\n", (int)GRID_TASKS,
                  parameters);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        tx_sha256 sum;
        tx_sha256_begin(&sum);
        char *path = tx_path_join(folder, files[i]);
        if (tx_path_exists(path)) {
            tx_sha256_file(&sum, path);
            tx_sha256_end(&sum, hex);
            tx_buffer_add(&p, "sha256.%s = %s\n", files[i], hex);
        }
        tx_free(path);
    }
    grid_file(folder, "job.txt", &p);
}

static inline size_t grid_parameters(const grid_job *j)
{
    tx_network n;
    tx_net_choice choice = {.net = tx_net_find(j->net), .cut = j->cut, .classes = GRID_TASKS};
    choice.size = choice.net->smallest;
    if (tx_network_build(&n, &choice, 0, NULL))
        return 0;
    size_t count = tx_graph_trained(n.graph);
    tx_network_free(&n);
    return count;
}

/* DATA gets the tables (test: whether there is one), OUT a folder a job. Whole networks with pretraining are a little better, cuts
 * worse with each block. */
static inline void grid_make(const char *data, const char *out, size_t studies, int test)
{
    grid_job jobs[GRID_JOBS];
    signed char *label = tx_alloc(studies * GRID_TASKS, 1);
    const char *split = test ? "test" : "valid";
    grid_state = 7;
    tx_folder_make(data);
    grid_table(data, "train", 2 * studies, NULL);
    if (test)
        grid_table(data, "valid", studies / 2, NULL);
    grid_table(data, split, studies, label);
    grid_jobs(jobs);
    for (size_t i = 0; i < GRID_JOBS; i++) {
        char name[128];
        char *folder = tx_path_join(out, grid_name(&jobs[i], name));
        size_t parameters = grid_parameters(&jobs[i]);
        double skill = (strcmp(jobs[i].init, "random") ? 1.1 : 0.8) - 0.15 * jobs[i].cut * jobs[i].cut +
                       1e-8 * (double)(parameters < 30000000 ? parameters : 30000000) + 0.1 * grid_draw();
        tx_buffer digests = {0};
        tx_folder_make(folder);
        grid_config(folder, &jobs[i]);
        tx_buffer_add(&digests, "100 %064zx %064zx\n", i + 1, 1000 + i);
        grid_file(folder, "digests.txt", &digests);
        grid_predictions(folder, test ? "ensemble-test.csv" : "ensemble-valid.csv", split, studies, label, skill);
        grid_note(folder, &jobs[i], parameters);
        tx_free(folder);
    }
    tx_free(label);
}

/* The entries of the grid, for study_gather. */
static inline void grid_entries(study_data *d, const char *out)
{
    grid_job jobs[GRID_JOBS];
    grid_jobs(jobs);
    *d = (study_data){.entry = tx_alloc(GRID_JOBS, sizeof *d->entry), .entries = GRID_JOBS};
    for (size_t i = 0; i < GRID_JOBS; i++) {
        study_entry *e = &d->entry[i];
        *e = (study_entry){.net = tx_net_find(jobs[i].net), .init = jobs[i].init, .cut = jobs[i].cut};
        e->state = ENTRY_COMPLETE;
        e->folder = tx_path_join(out, grid_name(&jobs[i], e->name));
    }
}

#endif
