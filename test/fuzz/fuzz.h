/* fuzz.h - what the fuzz targets share. A target is LLVMFuzzerTestOneInput; the readers take paths, so bytes become a
 * file first. It may say what it wants to begin with: in LLVMFuzzerInitialize, by fuzz_seed. */
#ifndef THORAX_FUZZ_H
#define THORAX_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bench/options.h"
#include "../../io/io.h"
#include "../../layers/layers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Makes these bytes the file's, below FUZZ_DIR (test/fuzz.sh sets it). Returns path. */
static inline const char *fuzz_file(const char *name, const void *data, size_t size)
{
    static char path[4][512];
    static int next;
    const char *folder = getenv("FUZZ_DIR");
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%.400s/%.100s", folder ? folder : ".", name);
    FILE *f = fopen(path[next], "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        fprintf(stderr, "fuzz: %s cannot be written\n", path[next]);
        abort();
    }
    return path[next];
}

/* A text as an input to begin with, in the folder that is FUZZ_DIR/seeds. */
static inline void fuzz_seed(const char *name, const void *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "seeds/%.100s", name);
    fuzz_file(path, data, size);
}

/* An error has a message of one line; a success needs none. */
static inline void fuzz_check(int failed)
{
    if (failed && (!tx_error_message()[0] || strchr(tx_error_message(), '\n')))
        abort();
}

#endif
