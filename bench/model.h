/* model.h - what MODEL on a command line names: a RUN folder, a checkpoint, a foreign weights file. Private to
 * bench. */
#ifndef THORAX_BENCH_MODEL_H
#define THORAX_BENCH_MODEL_H

#include "../nets/nets.h"
#include "recipe.h"
#include "recognise.h"

typedef struct model {
    const char *name; /* as typed */
    tx_net_choice choice;
    recipe recipe;
    settings carried; /* metadata of the (best) file */
    char **task;      /* names of the outputs, "" where one has none, or NULL where the file does not have them */
    float *threshold; /* TorchXRayVision's operating points of the outputs, nan: none; or NULL */
    char **file;      /* its weights: one, or with --ensemble a RUN's kept checkpoints, best first */
    size_t files;
    int run;    /* a RUN folder */
    char *data; /* the folder of the data that it was trained with; NULL where that is not known */
} model;

/* Finds files, network, outputs and data options; --net, --cut and the data options win. Returns an exit status,
 * after a line if it is not EXIT_DONE. */
int model_open(model *m, const char *name, const options *o);
/* The same where --cut says not what the file holds, but what is made of it. */
int model_open_any(model *m, const char *name, const options *o);
/* Whether each of its files holds sound weights of the network: read once, before work that would stop at it begins. */
tx_status model_check(const model *m);
/* The folder of the data for a command on this model: --data, else a RUN's own. Returns an exit status, after a line if it is
 * not EXIT_DONE. */
int model_data(const model *m, const options *o, const char **folder);
void model_free(model *m);
/* The name of an output, NULL where it has none. */
const char *model_task(const model *m, int output);
/* The output that a task's name stands for: the same name, else the one that differs in letters' case, _ for a blank, or
 * as Effusion from Pleural Effusion; -1: none, or several. */
int model_output(const model *m, const char *task);
/* What a message about a task that is no output ends with: see tx_nearest_hint. */
const char *model_nearest_task(const model *m, const char *task, char out[TX_HINT]);
/* Says what the model is and how images come to it. */
void model_describe(const model *m);

/* The file of the weights that --init names: the best checkpoint of a RUN, which must be what the run noted; the network's
 * in a folder of published weights; or the file itself. An absolute path, the caller's; NULL: an error is stored. */
char *model_init(const char *name, const tx_net_info *net);

/* How published weights of a network expect their input: those of one channel are TorchXRayVision's. */
const char *net_normal(const tx_net_choice *choice);

/* A checkpoint of a RUN. */
typedef struct run_checkpoint {
    char *path;
    uint64_t step;
    double score; /* as score_better() has it, */
    char by[16];  /* of this: mean6, mean, loss */
} run_checkpoint;
/* The kept ones, best first. An error if there is none. */
tx_status run_checkpoints(const char *folder, run_checkpoint **list, size_t *count);
void run_checkpoints_free(run_checkpoint *list, size_t count);

/* A model made ready to predict batches of up to `batch` images. */
typedef struct predictor {
    tx_network net;
    tx_weights *weights;
    tx_session *session;
    int batch;
    float *logits; /* batch x classes */
} predictor;
tx_status predictor_open(predictor *p, const tx_net_choice *choice, int batch);
/* Reads weights of the predictor's network. */
tx_status predictor_load(predictor *p, const char *path);
/* The logits of the first n images that stand in the session's input. */
tx_status predictor_run(predictor *p, size_t n);
/* Whether the logits of image k are numbers; else an error that names it. */
tx_status predictor_check(const predictor *p, size_t k, const char *path);
void predictor_free(predictor *p);

#endif
