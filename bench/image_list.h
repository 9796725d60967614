/* image_list.h - the images that arguments name. Private to bench. */
#ifndef THORAX_BENCH_IMAGE_LIST_H
#define THORAX_BENCH_IMAGE_LIST_H

#include "options.h"

typedef struct image_list {
    const char *data; /* a folder below which arguments are looked up that do not exist as they stand, or NULL */
    char **path;
    size_t count, room;
    size_t passed;          /* files of a folder that are no image that can be read */
    char first[TX_TEXT];    /* the first of them, escaped, */
    const char *first_kind; /* and what it is */
    const options *o;
} image_list;

/* Adds what the arguments behind the first name: an image, every image below a folder in the order of their names, and for -
 * a path a line of standard input. */
tx_status image_list_arguments(image_list *l, const options *o);
/* Adds one. */
tx_status image_list_add(image_list *l, const char *path);
/* The images of a table, into an empty list. */
tx_status image_list_table(image_list *l, const tx_dataset *d);
/* What was passed over in folders: "N files passed over, expected JPEG, PNG or PNM (the first is NAME: a GIF image)". */
const char *image_list_passed(const image_list *l, char out[2 * TX_TEXT]);
void image_list_free(image_list *l);

#endif
