/* study_cam_page.h - what a study's page says of class activation maps, and its pictures of them. Private to bench. */
#ifndef THORAX_BENCH_STUDY_CAM_PAGE_H
#define THORAX_BENCH_STUDY_CAM_PAGE_H

#include "study_cam_scores.h"

/* A complete job. */
typedef struct study_cam_job {
    const char *net;
    int cut, pretrained;
    const char *folder;
} study_cam_job;

/* A model: the jobs of one network, cut and initialisation, in their order. */
typedef struct study_cam_model {
    const char *net, *folder; /* folder: of the first that has maps; NULL: none has */
    int cut, pretrained;
    study_cam *seed;
    size_t seeds;
    study_cam_scores scores;
} study_cam_model;

typedef struct study_cam_models {
    study_cam_model *model;
    size_t models;
    int known; /* a job has maps */
    study_cam_resampling how;
} study_cam_models;

/* Reads the jobs' maps, those of one model beside each other, and sums them up. m is to be freed whatever it returns. */
tx_status study_cam_gather(study_cam_models *m, const study_cam_job *job, size_t jobs, const study_cam_resampling *how);
void study_cam_models_free(study_cam_models *m);
/* NULL: missing, or without maps. */
const study_cam_model *study_cam_find(const study_cam_models *m, const char *net, int cut, int pretrained);

/* A table of the models with maps that were scored, and below it what the figures are, over which images, and why maps are
 * empty. Nothing where there are none. */
tx_status study_cam_table(tx_buffer *p, const study_cam_models *m);
/* Truncated less full networks, each family and all together, on the images that they share; which of the differences are
 * resolved, with Holm's correction, in words. Nothing without a family. */
tx_status study_cam_families(tx_buffer *p, const study_cam_models *m);
/* A row an example: the radiograph, and beside it the map of each model that has one, with what it scored. *room: the bytes that
 * pictures may still take in the page, less those that were; an example that does not fit is left out, and it says so. at_most:
 * examples; 0: all. */
tx_status study_cam_panel(tx_buffer *p, const study_cam_model *const *model, size_t models, size_t at_most,
                          size_t *room);

#endif
