/* study_cam.h - class activation maps of a study's job: made and scored, read again, summed up, shown. Private to bench.
 *
 * JOB/cam.csv                a row an image and finding that has boxes in DIR/boxes.csv, in the order of the first of them;
 *                            then images without boxes that are examples
 *     cam/NAME.png           an example's radiograph, boxes as outlines
 *     cam/NAME.TASK.png      the map over it
 * Columns: Path,Finding,split (train, valid, test, or none: in no table),probability,rows,columns (of the map),positive (its
 * values above 0),low,high (its smallest and largest value),boxes,area (share of the image that they cover),hit,iou,energy (cam_boxes.c),empty (1: no value above
 * 0),why (it is empty, or there is no map),overlay (NAME.TASK.png). What is not there is nan. */
#ifndef THORAX_BENCH_STUDY_CAM_H
#define THORAX_BENCH_STUDY_CAM_H

#include "../io/io.h"

typedef struct study_cam_row {
    char *path, *finding, split[8];
    double probability;
    int rows, columns; /* 0: there is no map */
    size_t positive;
    double low, high;
    size_t boxes;
    double area, hit, iou, energy; /* NaN without boxes or map; the last three 0 of a map that is empty */
    int empty;
    char *why, *overlay; /* "": nothing to say; no picture */
} study_cam_row;

typedef struct study_cam {
    study_cam_row *row;
    size_t rows, room;
    int known; /* the job has a cam.csv */
} study_cam;

/* The file of boxes that comes with a study's data: DIR/boxes.csv. */
#define STUDY_CAM_BOXES "boxes.csv"

/* Receives files, each by its name below the job's folder. */
typedef struct study_cam_sink {
    tx_status (*put)(void *context, const char *name, const void *bytes, size_t size);
    void *context;
} study_cam_sink;

struct model;
typedef struct study_cam_args {
    const struct model *model; /* a finished job's folder, opened: the maps are of its first file */
    const char *data;
    const study_cam_sink *to; /* NULL: they are written into that folder */
    int examples; /* images of which pictures are made: the first outside train that have boxes, and where these are too few,
                     labelled ones; and one more, that of the most probable map with boxes outside train. 0: none */
    size_t batch;
    int skip_bad; /* 1: an image that is missing or cannot be read has a row that says so; 0: it is an error */
} study_cam_args;
/* Makes the files of cam/ and then cam.csv, over what is there. Without boxes.csv and examples nothing. Bytes depend on weights,
 * data and arguments but the batch alone. */
tx_status study_cams(const study_cam_args *a);

/* Reads JOB/cam.csv; where there is none, nothing is known. To be freed whatever it returns. */
tx_status study_cam_read(study_cam *c, const char *folder);
/* What cam.csv holds. */
void study_cam_text(const study_cam *c, tx_buffer *to);
/* An empty row at the end, its real numbers NaN; NULL without memory. */
study_cam_row *study_cam_add(study_cam *c);
void study_cam_free(study_cam *c);
/* The files that a job's maps are, below its folder: cam.csv, then cam/NAME.. by name. tx_folder_names_free frees them; none where
 * there is no cam.csv. */
tx_status study_cam_files(const char *folder, char ***names, size_t *count);

/* What the radiograph of NAME.TASK.png is called, the caller's; NULL without memory. */
char *study_cam_radiograph(const char *overlay);

#endif
