/* recipe.h - how an image becomes a network's input and what the outputs mean: what a checkpoint carries beside its
 * weights. Private to bench. */
#ifndef THORAX_BENCH_RECIPE_H
#define THORAX_BENCH_RECIPE_H

#include "options.h"
#include "settings.h"

typedef struct recipe {
    tx_preprocess how;
    char resize[16];     /* how.stretch and how.shorter in words */
    char normalize[160]; /* how.normalize in words, or as M,M,M/S,S,S */
    char *uncertain;     /* as tx_dataset_options has it */
    tx_blank blank;
    tx_views views;
    int studies; /* tables of labels may have Study in the place of Path: no image is wanted */
    char *tasks; /* names with commas between, "all" or "competition" */
} recipe;

/* Every value from the options (may be NULL) where given there, else from `carried` (a checkpoint's metadata, may be NULL), else
 * the standard one; that of normalize is `normal`. */
tx_status recipe_read(recipe *r, const options *o, const settings *carried, const char *normal);
/* The images have so many channels: EXIT_DONE, or a line and an exit status where the normalisation is not for them; `file`
 * stands in it where the normalisation is the file's. */
int recipe_channels(recipe *r, const options *o, int channels, const char *file);
/* Sets the keys that recipe_read reads. */
tx_status recipe_write(const recipe *r, settings *p);
void recipe_free(recipe *r);
/* Opens a split as the recipe says; limit 0: all images. */
tx_dataset *recipe_dataset(const recipe *r, const char *folder, const char *split, const char *tasks, size_t limit);
/* One line for people. Returns out. */
const char *recipe_describe(const recipe *r, char *out, size_t size);

#endif
