/* io_temp.h - a folder for files that a test makes, and what several tests of io do with them. */
#ifndef THORAX_TEST_IO_TEMP_H
#define THORAX_TEST_IO_TEMP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../io/io.h"

static char temp_folder[200];

/* Makes the folder; 0 if it cannot be had, and then there is nothing to test. */
static inline int temp_begin(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(temp_folder, sizeof temp_folder, "%.150s/thorax-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(temp_folder) != NULL;
}

/* A path in the folder; the last eight answers stay valid. */
static inline const char *temp_path(const char *name)
{
    static char path[8][320];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%.100s", temp_folder, name);
    return path[next];
}

/* Removes the folder with everything in it. */
static inline void temp_remove(const char *folder)
{
    char **names;
    size_t count;
    if (tx_folder_list(folder, &names, &count) == TX_OK) {
        for (size_t i = 0; i < count; i++) {
            char *path = tx_path_join(folder, names[i]);
            if (unlink(path) != 0)
                temp_remove(path);
            tx_free(path);
        }
        tx_folder_names_free(names, count);
    }
    rmdir(folder);
}

static inline void temp_end(void)
{
    temp_remove(temp_folder);
}

/* Makes a file of these bytes by the C library alone. A new file each time: some file systems wait for the disk when
 * an old one is cut to nothing. */
static inline void temp_write(const char *path, const void *data, size_t bytes)
{
    unlink(path);
    FILE *f = fopen(path, "wb");
    if (f) {
        fwrite(data, 1, bytes, f);
        fclose(f);
    }
}

static inline void temp_text(const char *path, const char *text)
{
    temp_write(path, text, strlen(text));
}

/* 1 if the file holds exactly these bytes. */
static inline int temp_holds(const char *path, const void *data, size_t bytes)
{
    unsigned char *got;
    size_t n;
    if (tx_file_read(path, (size_t)1 << 28, &got, &n))
        return 0;
    int same = n == bytes && memcmp(got, data, bytes) == 0;
    tx_free(got);
    return same;
}

/* A small generator of its own (xorshift64*, Vigna 2016), so that inputs do not depend on what is tested. */
static uint64_t temp_state = 88172645463325252u;
static inline uint64_t temp_random(void)
{
    temp_state ^= temp_state >> 12;
    temp_state ^= temp_state << 25;
    temp_state ^= temp_state >> 27;
    return temp_state * 2685821657736338717u;
}

#endif
