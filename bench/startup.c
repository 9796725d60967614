/* startup.c - what comes before the command line is looked at: standard descriptors, and how OpenMP's threads wait. */
#define _XOPEN_SOURCE 700
#include "startup.h"
#include "../core/core.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The system hands out the lowest number that is free. Where there is no /dev/null, a folder takes the place: what is
 * written there is an error, but not a line in a table. */
void startup_descriptors(void)
{
    int got;
    do {
        got = open("/dev/null", O_RDWR);
        if (got < 0)
            got = open("/", O_RDONLY);
    } while (got >= 0 && got <= STDERR_FILENO);
    if (got >= 0)
        close(got);
}

/* The file that this code was loaded from, as the system's table of mappings has it: "FROM-TO RIGHTS OFFSET DEVICE INODE
 * PATH". 0, or -1 where it cannot be told. */
static int own_file(char *path, size_t size)
{
    char line[PATH_MAX + 128];
    int found = -1;
    uintptr_t here = (uintptr_t)&startup_descriptors;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && found && fgets(line, sizeof line, maps)) {
        uintptr_t from, to;
        const char *name = strchr(line, '/');
        if (!name || sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) != 2 || here < from || here >= to)
            continue;
        line[strcspn(line, "\n")] = 0;
        found = snprintf(path, size, "%s", name) < (int)size ? 0 : -1;
    }
    if (maps)
        fclose(maps);
    return found;
}

/* Threads that wait for others shall soon sleep. OpenMP's spin unless told otherwise, which on a core shared with another
 * program keeps back the very threads that they wait for, up to tenfold; but waking one takes 30 microseconds, so gcc's
 * library may spin for a tenth of a millisecond or two first. It reads these wishes before main, where nothing can be
 * told to it any more: so the program starts itself once more, by its own name, which is then its name in ps. It runs on
 * as it is where OMP_WAIT_POLICY is set, and where the system runs something else that has loaded the program: a loader
 * or an emulator started by name, or valgrind. */
void startup_again(char **argv)
{
    char path[PATH_MAX];
    struct stat own, run;
    if (!tx_threads_available() || getenv("OMP_WAIT_POLICY") || own_file(path, sizeof path) || stat(path, &own) ||
        stat("/proc/self/exe", &run) || own.st_dev != run.st_dev || own.st_ino != run.st_ino)
        return;
    if (setenv("GOMP_SPINCOUNT", "4000", 0) == 0 && setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
        execv(path, argv);
}
