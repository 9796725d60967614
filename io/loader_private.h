/* loader_private.h - the steps from a file to floats, shared by the single image and the batch. */
#ifndef THORAX_LOADER_PRIVATE_H
#define THORAX_LOADER_PRIVATE_H

#include "io.h"

/* The luma of a coloured pixel as Pillow's convert("L") has it (ITU-R BT.601). */
static inline unsigned char tx_luma(const unsigned char *p)
{
    return (unsigned char)((19595U * p[0] + 38470U * p[1] + 7471U * p[2] + (1U << 15)) >> 16);
}

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

/* Whether anything is to be changed; whether all numbers are in their ranges. */
int tx_augment_any(const tx_augment *augment);
tx_status tx_augment_check(const tx_augment *augment);
/* The size x size square at (left, top) of image i of the dataset, which has been resized, changed as the epoch has it. *out is
 * the caller's. */
tx_status tx_augment_crop(const tx_augment *augment, uint64_t seed, uint64_t epoch, uint32_t i, const tx_image *image,
                          int left, int top, int size, tx_image *out);

#endif
