/* loader_private.h - the steps from a file to floats, shared by the single image and the batch. */
#ifndef THORAX_LOADER_PRIVATE_H
#define THORAX_LOADER_PRIVATE_H

#include "io.h"

/* What a pixel value becomes, a channel. */
typedef struct tx_pixel_table {
    float value[3][256];
} tx_pixel_table;
void tx_pixel_table_make(const tx_normalize *normalize, tx_pixel_table *table);

/* Decodes and resizes, to one channel where that is asked for, and says where a centred crop lies. *out is the caller's; sum as in tx_image_read_sum. */
tx_status tx_preprocess_read(const tx_preprocess *how, const char *path, tx_image *out, tx_framing *framing,
                             uint64_t *sum);
/* The size x size square at (left, top), which lies within the image, as (H,W,C) floats; for one channel the image is grey. */
void tx_pixels_crop(const tx_image *image, const tx_pixel_table *table, int left, int top, const tx_preprocess *how,
                    float *pixels);

#endif
