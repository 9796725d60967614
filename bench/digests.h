/* digests.h - digests.txt, and whether a checkpoint is what it says there. Private to bench. */
#ifndef THORAX_BENCH_DIGESTS_H
#define THORAX_BENCH_DIGESTS_H

#include "../io/io.h"

/* The chain before the first line. */
extern const char digests_zeros[65];
/* The line of a step: *chain becomes its own. line has room for 256 bytes. */
void digests_line(uint64_t step, const char *sha256, char chain[65], char *line);
/* The digest that FOLDER/digests.txt has for a step; the lines up to it must follow from each other. TX_ERR_FORMAT: one
 * does not, or there is none of this step. */
tx_status digests_find(const char *folder, uint64_t step, char sha256[65]);
/* The first line within `bytes` that does not follow from those before it, from 1; 0: they all do. */
tx_status digests_broken(const char *folder, uint64_t bytes, size_t *line);
typedef struct digests_row {
    uint64_t step;
    char sha256[65];
} digests_row;
/* The whole lines of FOLDER/digests.txt that follow from each other, the caller's; *broken: the first that does not follow
 * from those before it, from 1; 0: they all do. A last line without its end is none. */
tx_status digests_read(const char *folder, digests_row **row, size_t *rows, size_t *broken);
/* Of the weights in a checkpoint that a run wrote, as tx_weights_digest has it. */
tx_status checkpoint_digest(const char *path, char sha256[65]);
/* If the file is a checkpoint of a run (RUN/checkpoints/..): whether its weights have the digest that the run noted.
 * Other files are none of its business. */
tx_status checkpoint_vouch(const char *path);

#endif
