/* cam_boxes.h - boxes in which a radiologist saw a finding, and how well maps agree with them. Private to bench. */
#ifndef THORAX_BENCH_CAM_BOXES_H
#define THORAX_BENCH_CAM_BOXES_H

#include "image_list.h"
#include "model.h"

/* A row of the table: fractions of the image, x and y of the upper left corner. */
typedef struct box {
    char *path, *finding;
    double x, y, w, h;
    size_t line;
    int task;     /* the model's output of that name; -1: there is none */
    size_t image; /* of the images that were asked for; SIZE_MAX: none of them */
} box;

typedef struct boxes {
    box *box;
    size_t count, room;
    size_t no_task;   /* rows whose finding is no task, */
    size_t elsewhere; /* others of images that were not asked for, */
    char **absent;    /* and paths of images that are nowhere */
    size_t absents, absent_room;
} boxes;

/* Reads the table: Path, Finding, x, y, w, h in any order, further columns are passed over. An error names line and column. */
tx_status boxes_read(boxes *b, const char *path, const model *m);
/* Adds the images of its rows with a task, each once and in that order, that are below the folder of the data. */
tx_status boxes_images(boxes *b, const char *data, image_list *to);
/* Finds each row's image among those of the list: the file that the Path names below the folder of the data, or where that is
 * none the one whose path ends in it, or in its part from train/, valid/ or test/ on. Those that are neither are absent.
 * data may be NULL. */
tx_status boxes_match(boxes *b, const char *data, const image_list *images);
void boxes_free(boxes *b);
/* A path from its part train/, valid/ or test/ on; all of it where it has none. */
const char *path_from_split(const char *path);

/* How a map agrees with the boxes of one image and finding, taken together. */
typedef struct box_score {
    size_t boxes;
    int hit; /* the maximum lies in one of them */
    double iou, energy;
    double area; /* the share of the image that they cover: hit rate and energy of a map that knows nothing */
    int empty;   /* the map has no positive value: no hit, both 0 */
} box_score;
/* raw has (rows,columns); the network saw size x size of the framing. */
tx_status boxes_score(const boxes *b, size_t image, int task, const float *raw, int rows, int columns,
                      const tx_framing *at, int size, box_score *out);

#endif
