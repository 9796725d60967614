/* study_cam_scores.h - how well the maps of a study's models agree with boxes, over images outside train. Private to bench. */
#ifndef THORAX_BENCH_STUDY_CAM_SCORES_H
#define THORAX_BENCH_STUDY_CAM_SCORES_H

#include "bootstrap.h"
#include "study_cam.h"

/* The figures of boxes: cam_boxes.c. */
enum { CAM_HIT, CAM_IOU, CAM_ENERGY, CAM_FIGURES };
extern const char *const study_cam_figure[CAM_FIGURES]; /* as readers call them: hit rate, IoU, energy inside */

/* Why a map is empty, and how often. */
enum { CAM_REASONS = 3 };
extern const char *const study_cam_reason[CAM_REASONS]; /* as `why` of a row has it */

typedef struct study_cam_resampling {
    size_t replicates;
    uint64_t seed;
    int by_patient; /* groups are patients; 0: images */
} study_cam_resampling;

/* Of the rows outside train with boxes and a map, those alone that every seed has. */
typedef struct study_cam_scores {
    size_t maps, images, patients; /* a map an image and finding */
    size_t unmade;                 /* further rows outside train, of a seed: no task of the model, or no image */
    size_t empty[CAM_REASONS];     /* maps, of all seeds together */
    int rows, columns;             /* of a map; 0 without one */
    double area;               /* mean share of the image in boxes: what each figure is of a map that knows nothing */
    double value[CAM_FIGURES]; /* means over maps and seeds; NaN without a map */
    tx_interval interval[CAM_FIGURES];
} study_cam_scores;
/* seed[0..seeds): a model's jobs, of which those that are not known are passed over. An error only without memory. */
tx_status study_cam_sum(const study_cam *seed, size_t seeds, const study_cam_resampling *how, study_cam_scores *out);

/* Figures of b less those of a, over the rows that both have: pairs, resampled together. */
typedef struct study_cam_difference {
    size_t maps, images, patients;
    double value[CAM_FIGURES];
    tx_bootstrap_difference of[CAM_FIGURES];
} study_cam_difference;
tx_status study_cam_compare(const study_cam *a, size_t as, const study_cam *b, size_t bs,
                            const study_cam_resampling *how, study_cam_difference *out);

#endif
