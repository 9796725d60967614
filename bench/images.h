/* images.h - the images of a table before anything is made of them. Private to bench. */
#ifndef THORAX_BENCH_IMAGES_H
#define THORAX_BENCH_IMAGES_H

#include "message.h"

/* Looks for every image of the tables d[0..n), of which some may be NULL; a bar on `out` (NULL: none) where that takes
 * longer than a moment. Missing ones are counted and the first is named with the places where it was looked for. Returns
 * EXIT_DONE if all are there, or with `skip` some of each table, of which it says so; else EXIT_FAILED after a line. */
int images_look(tx_dataset *const *d, int n, int skip, FILE *out);

#endif
