/* bench_stops.c - a training that is stopped while it reads one image or another, in a batch, in the middle of an evaluation,
 * in the predictions at its end: nothing stands in its tables that is not so, and the same line comes to the same end. */
#define _GNU_SOURCE
#include "test.h"
#include "io_temp.h"

#include "../bench/bench.h"
#include "../bench/commands.h"
#include "../bench/trainer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__linux__) && defined(__LP64__)

/* Images are opened by this program's own calls: the one of number stop_at raises the flag as a signal does. */
static long opened, stop_at;

static int open_file(const char *path, int flags, mode_t mode)
{
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".jpg") == 0 && __atomic_add_fetch(&opened, 1, __ATOMIC_SEQ_CST) == stop_at)
        trainer_stopped = 1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define OWN_OPEN                                                  \
    {                                                             \
        va_list args;                                             \
        va_start(args, flags);                                    \
        mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0; \
        va_end(args);                                             \
        return open_file(path, flags, mode);                      \
    }
int open(const char *path, int flags, ...) OWN_OPEN
#ifdef __GLIBC__
    int open64(const char *path, int flags, ...) OWN_OPEN
#endif

    static void make_data(const char *folder)
{
    static const char *const split[] = {"train", "valid", "test"};
    tx_folder_make(folder);
    for (int s = 0; s < 3; s++) {
        char from[100], to[400], line[1000];
        snprintf(from, sizeof from, "bench/nih-sample-128/%s.csv", split[s]);
        snprintf(to, sizeof to, "%s/%s.csv", folder, split[s]);
        FILE *in = fopen(from, "r"), *out = fopen(to, "w");
        for (int i = 0; in && out && i < 6 && fgets(line, sizeof line, in); i++)
            fputs(line, out);
        if (in)
            fclose(in);
        if (out)
            fclose(out);
        char *images = realpath("bench/nih-sample-128", NULL);
        snprintf(line, sizeof line, "%s/%s", images ? images : "", split[s]);
        snprintf(to, sizeof to, "%s/%s", folder, split[s]);
        CHECK(images && symlink(line, to) == 0, "no sample here");
        free(images);
    }
}

/* The training in a process of its own: five images in batches of three, four steps, evaluated after each two. Returns its
 * exit status; *images becomes how many it opened. */
static int train(const char *folder, long stop, long *images)
{
    int pipes[2], status = -1;
    if (pipe(pipes))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        char data[300], out[300];
        snprintf(data, sizeof data, "%s/data", temp_folder);
        snprintf(out, sizeof out, "%s/%s", temp_folder, folder);
        const char *argv[] = {"--net",    "resnet18",  "--cut",   "3",       "--size", "32",     "--batch",
                              "3",        "--threads", "1",       "--steps", "4",      "--keep", "2",
                              "--states", "3",         "--quiet", "--data",  data,     "--out",  out};
        options o;
        const command *c = command_find("train");
        int null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
        dup2(null, 1);
        dup2(null, 2);
        stop_at = stop;
        tx_set_threads(1);
        int done = options_read(&o, c, (int)(sizeof argv / sizeof argv[0]), (char **)argv, NULL);
        if (done == EXIT_DONE)
            done = command_train(&o);
        ssize_t wrote = write(pipes[1], &opened, sizeof opened);
        _exit(wrote == (ssize_t)sizeof opened ? done : 99);
    }
    close(pipes[1]);
    *images = 0;
    if (read(pipes[0], images, sizeof *images) != (ssize_t)sizeof *images)
        *images = -1;
    close(pipes[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static unsigned char *content(const char *folder, const char *name, size_t *n)
{
    char path[300];
    unsigned char *data = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *n = 0;
    return tx_file_read(temp_path(path), 1 << 26, &data, n) ? NULL : data;
}

/* Whether the file is that of the sound run, or where `part` is set the beginning of it, in whole evaluations. */
static int same(const char *folder, const char *name, int part)
{
    size_t n, m;
    unsigned char *a = content(folder, name, &n), *b = content("sound", name, &m);
    int is = a && b && (part ? n <= m : n == m) && memcmp(a, b, n) == 0;
    int rows = 0;
    for (size_t i = 0; is && i < n; i++)
        rows += a[i] == '\n';
    if (part && strcmp(name, "metrics.csv") == 0)
        is = is && (rows - 1) % 17 == 0; /* a header; fourteen tasks and three means each */
    tx_free(a);
    tx_free(b);
    return is;
}

static void stopped(long at)
{
    static const char *const ends[] = {"metrics.csv", "digests.txt", "predictions-valid.csv", "predictions-test.csv"};
    char folder[20];
    long images;
    snprintf(folder, sizeof folder, "at-%ld", at);
    int status = train(folder, at, &images);
    CHECK(status == EXIT_INTERRUPTED, "stopped at image %ld: exit status %d", at, status);
    CHECK(same(folder, "metrics.csv", 1) && same(folder, "digests.txt", 1),
          "stopped at image %ld: its tables are others", at);
    for (int i = 2; i < 4; i++) {
        char name[60];
        snprintf(name, sizeof name, "%s/%s", folder, ends[i]);
        CHECK(!tx_path_exists(temp_path(name)) || same(folder, ends[i], 0), "stopped at image %ld: a part of %s", at,
              ends[i]);
    }
    char done[40];
    snprintf(done, sizeof done, "%s/done", folder);
    CHECK(!tx_path_exists(temp_path(done)), "stopped at image %ld it is done", at);
    status = train(folder, 0, &images);
    CHECK(status == EXIT_DONE, "gone on from image %ld: exit status %d", at, status);
    for (int i = 0; i < 4; i++)
        CHECK(same(folder, ends[i], 0), "gone on from image %ld: %s is another", at, ends[i]);
}

int main(void)
{
    long images = 0;
    if (!temp_begin())
        return test_done("bench_stops");
    make_data(temp_path("data"));
    int status = train("sound", 0, &images);
    CHECK(status == EXIT_DONE, "a training ends with %d", status);
    /* The first epoch reads five, the first evaluation five; those of the second are in memory. Then valid and test. */
    CHECK(images == 20, "%ld images are opened", images);
    /* Steps, epochs and examples of its log; the steps of its digests: evaluations, the kept state. */
    size_t n;
    unsigned char *log = content("sound", "log.csv", &n), *digests = content("sound", "digests.txt", &n);
    static const char *const rows[] = {"\n1,1,3,", "\n2,1,5,", "\n3,2,8,", "\n4,2,10,"};
    for (int i = 0; i < 4; i++)
        CHECK(log && strstr((char *)log, rows[i]), "the log has no row that begins with %s", rows[i] + 1);
    static const char steps[] = "234";
    size_t lines = 0;
    for (char *p = (char *)digests; p && *p; p += strcspn(p, "\n") + 1, lines++)
        CHECK(lines < 3 && p[0] == steps[lines] && p[1] == ' ', "line %zu of the digests is of step %c", lines + 1, *p);
    CHECK(lines == 3, "%zu digests", lines);
    CHECK(tx_path_exists(temp_path("sound/states/step-00000003.safetensors")) &&
              !tx_path_exists(temp_path("sound/states/step-00000004.safetensors")),
          "the state of step 3 is kept");
    tx_free(log);
    tx_free(digests);
    static const long moments[] = {1, 4, 6, 9, 12, 16, 20};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        stopped(moments[i]);
    temp_end();
    return test_done("bench_stops");
}

#else

int main(void)
{
    CHECK(1, "not here");
    return test_done("bench_stops");
}

#endif
