/* safetensors_private.h - the element types, shared by reader, writer and checkpoints. */
#ifndef THORAX_SAFETENSORS_PRIVATE_H
#define THORAX_SAFETENSORS_PRIVATE_H

#include "io_private.h"

/* The file's path as messages have it. */
const char *tx_safetensors_name(const tx_safetensors *file);
/* tx_safetensors_open, where `expected` names what another kind of file is not. */
tx_safetensors *tx_safetensors_open_as(const char *path, const char *expected);
/* Sorts a file's tensors by name. One whose name another has, too, or NULL. (stored.c) */
const tx_stored *tx_stored_sort(const tx_stored **list, size_t n);
/* The one of that name, or NULL. */
const tx_stored *tx_stored_find(const tx_stored *const *sorted, size_t n, const char *name);
/* The type of that name, or -1. */
int tx_dtype_find(const char *name, tx_dtype *dtype);
int tx_dtype_is_float(tx_dtype dtype);
int tx_dtype_is_integer(tx_dtype dtype);
/* n <= 8 bytes, least significant first. */
uint64_t tx_little_endian(const unsigned char *bytes, size_t n);
/* n elements from a file's bytes. Integers: -1 if one does not fit. */
void tx_floats_from(tx_dtype dtype, const unsigned char *bytes, size_t n, float *out);
int tx_integers_from(tx_dtype dtype, const unsigned char *bytes, size_t n, int64_t *out);
/* n elements in the machine's order as a file's bytes. */
void tx_elements_to(tx_dtype dtype, const unsigned char *native, size_t n, unsigned char *bytes);

/* ------------------------------------------------------------------------------------------ checkpoints (match.c) */
typedef struct tx_checkpoint_match {
    const tx_stored **found; /* the file's tensor for each parameter or NULL; owned */
    int left_out[2];         /* the last layer's weight and bias where they are not read, else -1 */
} tx_checkpoint_match;
/* Fills in the report, too, which is not NULL. After an error there is nothing to free. */
tx_status tx_checkpoint_match_new(tx_checkpoint_match *match, const tx_tensor_file *file, const tx_graph *graph,
                                  const tx_checkpoint_names *names, int flags, tx_checkpoint_report *report);

/* ---------------------------------------------------------------------------------------------- seals (seal.c) */
#define TX_SEAL "seal" /* the key in __metadata__ */
/* Bytes [at, at + n) of a tensor as they stand in a file. Called from several threads. */
typedef tx_status tx_seal_source(const void *from, uint64_t at, size_t n, unsigned char *out);
/* Adds a tensor's bytes to the digest. */
tx_status tx_seal_add(tx_sha256 *sha, uint64_t bytes, tx_seal_source *source, const void *from);

#endif
