/* cam.h - `thorax cam` at work: which maps are made, and what is said of them. Private to bench. */
#ifndef THORAX_BENCH_CAM_H
#define THORAX_BENCH_CAM_H

#include "cam_boxes.h"
#include "cam_files.h"
#include "json.h"

/* A map. */
typedef struct cam_row {
    size_t image; /* of the list */
    int task;
    float probability, low, high; /* of the map: its smallest and largest value */
    size_t positive;              /* values above 0 */
    char *overlay, *map;          /* files */
    box_score score;              /* without boxes all 0 */
} cam_row;

/* An image that could not be read. */
typedef struct cam_bad {
    size_t image;
    char *message;
} cam_bad;

enum { CAM_TOP = -1, CAM_ALL = -2 };

typedef struct cam_work {
    const options *o;
    model model;
    int task; /* an output, CAM_TOP or CAM_ALL */
    const char *out, *boxes_file;
    char *data;
    boxes boxes;
    image_list paths;
    char **name; /* an image: what its files begin with */
    tx_network net;
    tx_weights *weights;
    tx_cam *cam;
    cam_row *row;
    size_t rows, row_room;
    cam_bad *bad;
    size_t bads, bad_room;
} cam_work;

/* The name of an output, as predict's columns have it. */
const char *cam_output_name(const model *m, int output, char room[24]);
/* maps.csv, and what is printed: the same, or with boxes a table of the findings, or one JSON object. */
tx_status cam_report(const cam_work *w);

#endif
