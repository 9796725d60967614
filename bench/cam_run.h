/* cam_run.h - class activation maps of a list of images, made by batches. Private to bench. */
#ifndef THORAX_BENCH_CAM_RUN_H
#define THORAX_BENCH_CAM_RUN_H

#include "cam_boxes.h"

#include <stdio.h>

/* A map. */
typedef struct cam_row {
    size_t image; /* of the list */
    int task;
    float probability, low, high; /* of the map: its smallest and largest value */
    size_t positive;              /* values above 0 */
    box_score score;              /* without boxes all 0 */
    tx_framing framing;
    char *overlay, *map; /* files, if there are any */
    float *raw;          /* the map, if whoever made it kept it */
} cam_row;

/* An image that could not be read. */
typedef struct cam_bad {
    size_t image;
    char *message;
} cam_bad;

/* What is asked for stands above, what came of it below. */
typedef struct cam_run {
    const model *model; /* its first file */
    const image_list *paths;
    const boxes *boxes; /* matched to the paths; NULL: none */
    int skip;           /* 1: an image that cannot be read is left out; 0: it is an error */
    FILE *bar;          /* of progress; NULL: none */
    /* Whether the map of a task is to be made; top: the most probable one of the image. */
    int (*wants)(const void *context, size_t image, int task, int top);
    /* A map that has been made, of the resized image `picture`; it may write into its row alone, as several are made at once. */
    tx_status (*made)(const void *context, cam_row *row, const tx_image *picture, const float *raw);
    const void *context;

    tx_network net;
    tx_weights *weights;
    tx_cam *cam;
    size_t at_once;
    cam_row *row; /* by image, then by task */
    size_t rows, row_room;
    cam_bad *bad;
    size_t bads, bad_room;
} cam_run;

/* Reads the weights and plans batches of at most `at_once` images. */
tx_status cam_run_open(cam_run *r, size_t at_once);
/* Makes the maps. The bits of each depend on weights and image alone. */
tx_status cam_run_all(cam_run *r);
void cam_run_free(cam_run *r);

/* Whether there are boxes of an image and task. */
int cam_is_boxed(const cam_run *r, size_t image, int task);

#endif
