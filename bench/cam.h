/* cam.h - `thorax cam` at work: which maps are made, and what is said of them. Private to bench. */
#ifndef THORAX_BENCH_CAM_H
#define THORAX_BENCH_CAM_H

#include "cam_files.h"
#include "cam_run.h"
#include "json.h"

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
    cam_run run;
} cam_work;

/* The name of an output, as predict's columns have it. */
const char *cam_output_name(const model *m, int output, char room[24]);
/* maps.csv, and what is printed: the same, or with boxes a table of the findings, or one JSON object. */
tx_status cam_report(const cam_work *w);

#endif
