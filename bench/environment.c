/* environment.c - where the program runs: its own place, the sample beside it, and the record of machine and compiler. */
#define _XOPEN_SOURCE 700
#include "environment.h"
#include "message.h"
#include "thorax.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE "nih-sample-128"

static const char *called = "";

void program_called(const char *name)
{
    called = name ? name : "";
}

char *absolute_path(const char *path)
{
    char *found = realpath(path, NULL);
    char *copy = tx_strdup(found ? found : path);
    free(found);
    return copy;
}

/* FOLDER/BELOW/NAME if FILE is in it, else NULL. */
static char *place_below(const char *folder, const char *below, const char *name, const char *file)
{
    char *inner = tx_path_join(folder, below), *place = inner ? tx_path_join(inner, name) : NULL;
    char *path = place ? tx_path_join(place, file) : NULL;
    int there = path && tx_path_exists(path);
    tx_free(path);
    tx_free(inner);
    if (there)
        return place;
    tx_free(place);
    return NULL;
}

/* The program's file among the folders of PATH; empty if it is in none. */
static void search_path(char *out, size_t size)
{
    const char *list = getenv("PATH");
    char folder[PATH_MAX];
    out[0] = 0;
    while (list && *list) {
        size_t n = strcspn(list, ":");
        if (n > 0 && n < sizeof folder) {
            memcpy(folder, list, n);
            folder[n] = 0;
            char *candidate = tx_path_join(folder, called);
            if (candidate && access(candidate, X_OK) == 0 && strlen(candidate) < size)
                memcpy(out, candidate, strlen(candidate) + 1);
            tx_free(candidate);
            if (out[0])
                return;
        }
        list += n + (list[n] == ':');
    }
}

/* The folder of the program's own file; empty if it cannot be told. */
static void program_folder(char *out, size_t size)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    if (n <= 0 && strchr(called, '/'))
        snprintf(path, sizeof path, "%s", called);
    else if (n <= 0)
        search_path(path, sizeof path);
    char *whole = path[0] ? realpath(path, NULL) : NULL, *slash = whole ? strrchr(whole, '/') : NULL;
    out[0] = 0;
    if (slash && (size_t)(slash - whole) < size) {
        memcpy(out, whole, (size_t)(slash - whole));
        out[slash - whole] = 0;
    }
    free(whole);
}

/* What comes with the program: a folder NAME with FILE in it, below bench here, else beside the program, else where that is
 * installed. */
static char *find_place(const char *name, const char *file)
{
    char folder[PATH_MAX];
    char *place = place_below(".", "bench", name, file);
    if (place)
        return place;
    program_folder(folder, sizeof folder);
    static const char *const places[] = {"bench", "../bench", "../share/thorax"};
    for (size_t i = 0; folder[0] && i < sizeof places / sizeof places[0]; i++) {
        place = place_below(folder, places[i], name, file);
        if (place)
            return place;
    }
    return NULL;
}

char *sample_folder(void)
{
    char *sample = find_place(SAMPLE, "train.csv");
    if (!sample)
        tx_fail(TX_ERR_FILE, "no sample found: neither bench/" SAMPLE
                             " here nor beside the program nor in share/thorax; --data names a folder");
    return sample;
}

char *preset_file(const char *name)
{
    char *folder = find_place("presets", name), *path = folder ? tx_path_join(folder, name) : NULL;
    tx_free(folder);
    return path;
}

/* The processor's name where the system tells it. */
static void processor(char *out, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            line[strcspn(line, "\n")] = 0;
            snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
            break;
        }
    }
    if (f)
        fclose(f);
}

static const char *compiler(void)
{
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__TINYC__)
    return "tcc";
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

void environment_note(tx_buffer *p, const char *what)
{
    char name[256], when[64] = "";
    struct utsname system;
    time_t now = time(NULL);
    struct tm *utc = gmtime(&now);
    if (utc)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", utc);
    processor(name, sizeof name);
    tx_buffer_add(p, "session: %s\ntime: %s\nthorax: %s\n", what, when, TX_VERSION);
    if (uname(&system) >= 0)
        tx_buffer_add(p, "system: %.60s %.60s %.60s\nhost: %.60s\n", system.sysname, system.release, system.machine,
                      system.nodename);
    tx_buffer_add(p, "processor: %s\ncores: %d\ncompiler: %s\n", name, tx_cores(), compiler());
    tx_buffer_add(p, "isa: %s\nthreads: %d%s\n\n", tx_isa_name(), tx_threads(),
                  tx_threads_available() ? "" : " (built without OpenMP)");
}
