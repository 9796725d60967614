/* cam_files.h - names of the files that are made of images and tasks. Private to bench. */
#ifndef THORAX_BENCH_CAM_FILES_H
#define THORAX_BENCH_CAM_FILES_H

#include "model.h"

/* A name an image, which no two have: that of its file without the ending, and before it as many of the folders above, with
 * dashes between, as tell it from all others; characters that a file's name should not have become '_'; what is still equal
 * gets a number. The list and its names are the caller's (tx_folder_names_free); NULL without memory. */
char **cam_image_names(char *const *path, size_t count);
/* A name of the model's output, which no two have. */
#define CAM_TASK 80
const char *cam_task_name(const model *m, int output, char out[CAM_TASK]);

#endif
