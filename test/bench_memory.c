/* bench_memory.c - a training that runs out of memory at any allocation fails with a line, leaks nothing, and
 * leaves a folder that the same command line goes on from, to the same bytes. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/commands.h"
#include "../bench/message.h"
#include "../bench/train.h"
#include "../io/io.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/thorax-memory-XXXXXX";

/* The first rows of a table of the sample, whose images are reached by a link. */
static void copy_table(const char *split, int rows)
{
    char path[256], line[1024], target[1024], here[512];
    snprintf(path, sizeof path, "bench/nih-sample-128/%s.csv", split);
    FILE *from = fopen(path, "rb");
    snprintf(path, sizeof path, "%s/%s.csv", folder, split);
    FILE *to = fopen(path, "wb");
    CHECK(from && to, "the sample's %s.csv", split);
    for (int i = 0; from && to && i <= rows && fgets(line, sizeof line, from); i++)
        fputs(line, to);
    if (from)
        fclose(from);
    if (to)
        fclose(to);
    snprintf(path, sizeof path, "%s/%s", folder, split);
    if (getcwd(here, sizeof here)) {
        snprintf(target, sizeof target, "%s/bench/nih-sample-128/%s", here, split);
        CHECK(symlink(target, path) == 0, "a link to the images");
    }
}

static int run_train(const char *run)
{
    char out[256];
    snprintf(out, sizeof out, "%s/%s", folder, run);
    char *argv[] = {(char *)"--net",
                    (char *)"resnet18",
                    (char *)"--cut",
                    (char *)"4",
                    (char *)"--size",
                    (char *)"32",
                    (char *)"--batch",
                    (char *)"4",
                    (char *)"--epochs",
                    (char *)"2",
                    (char *)"--keep",
                    (char *)"1",
                    (char *)"--data",
                    folder,
                    (char *)"--quiet",
                    (char *)"--states",
                    (char *)"3",
                    (char *)"--out",
                    out};
    options o;
    int code = options_read(&o, command_find("train"), (int)(sizeof argv / sizeof argv[0]), argv, NULL);
    if (code == EXIT_DONE)
        code = train(&o, &(train_job){.label = "job"});
    options_free(&o);
    return code;
}

static int same_digests(void)
{
    unsigned char *data[2] = {NULL, NULL};
    size_t bytes[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s/digests.txt", folder, i ? "b" : "a");
        tx_file_read(path, 1 << 20, &data[i], &bytes[i]);
    }
    int same = data[0] && data[1] && bytes[0] > 0 && bytes[0] == bytes[1] && memcmp(data[0], data[1], bytes[0]) == 0;
    tx_free(data[0]);
    tx_free(data[1]);
    return same;
}

int main(void)
{
    char cleaning[300];
    if (!mkdtemp(folder))
        return 1;
    copy_table("train", 8);
    copy_table("valid", 4);
    copy_table("test", 4);
    tx_set_threads(1);
    say_quietly(1);
    tx_alloc_fail_after(-1);
    CHECK(run_train("a") == EXIT_DONE, "%s", tx_error_message());
    long all = tx_alloc_count();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    CHECK(freopen("/dev/null", "w", stderr) != NULL, "the errors that follow are wanted");
    int failures = 0, code = EXIT_FAILED;
    /* A run that goes on allocates less, so at last none fails. */
    for (long n = 0; n < all; n += 1 + n / 12) {
        tx_alloc_fail_after(n);
        code = run_train("b");
        tx_alloc_fail_after(-1);
        failures += code == EXIT_FAILED;
        if (tx_alloc_live() != 0 || (code != EXIT_FAILED && code != EXIT_DONE))
            CHECK(0, "allocation %ld of %ld fails: status %d, %ld left", n, all, code, tx_alloc_live());
    }
    code = run_train("b");
    CHECK(failures > 20, "only %d of %ld allocations failed", failures, all);
    CHECK(code == EXIT_DONE && same_digests(), "after failures the run ends with status %d and other digests", code);
    snprintf(cleaning, sizeof cleaning, "rm -rf '%s'", folder);
    CHECK(system(cleaning) == 0, "cleaning up");
    return test_done("bench_memory");
}
