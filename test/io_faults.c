/* io_faults.c - system calls that are interrupted, do less than they were asked to, or fail: those that io calls are this
 * program's own. What was read and written must not depend on the first two; what failed must be said, leave what was
 * there before, and give back its descriptor. */
#define _GNU_SOURCE
#include "../io/io_private.h"
#include "../nets/nets.h"
#include "io_temp.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>

#if defined(__linux__) && defined(__LP64__)

/* ------------------------------------------------------------------------------------------ the calls */
enum call { READ, WRITE, SYNC, CLOSE, RENAME, TRUNCATE, LOCK };
static size_t piece;    /* not 0: reads and writes take so many bytes at most, and every second one is interrupted */
static int fail_call;   /* of this kind */
static long fail_after; /* so many calls succeed, the others fail; negative: none */
static int reason;      /* with this errno */
static long calls, failures;
static ino_t synced; /* what was last made durable */

/* Whether a call must not happen: errno says why. */
static int troubled(int call)
{
    long n = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    if (call == fail_call && fail_after >= 0 && __atomic_fetch_sub(&fail_after, 1, __ATOMIC_RELAXED) == 0) {
        __atomic_store_n(&fail_after, 0, __ATOMIC_RELAXED);
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
        errno = reason;
        return 1;
    }
    if ((call == READ || call == WRITE) && piece && n % 2 == 0) {
        errno = EINTR;
        return 1;
    }
    return 0;
}

static size_t at_most(size_t n)
{
    return piece && n > piece ? piece : n;
}

/* A read that fails for no reason finds the end of the file. */
ssize_t read(int fd, void *out, size_t n)
{
    return troubled(READ) ? (errno ? -1 : 0) : syscall(SYS_read, fd, out, at_most(n));
}

ssize_t pread(int fd, void *out, size_t n, off_t at)
{
    return troubled(READ) ? (errno ? -1 : 0) : syscall(SYS_pread64, fd, out, at_most(n), at);
}

ssize_t write(int fd, const void *data, size_t n)
{
    return fd > 2 && troubled(WRITE) ? -1 : syscall(SYS_write, fd, data, fd > 2 ? at_most(n) : n);
}

int fsync(int fd)
{
    struct stat info;
    synced = fstat(fd, &info) == 0 ? info.st_ino : 0;
    return troubled(SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

/* As on Linux, the descriptor is gone even if that failed. */
int close(int fd)
{
    int failed = troubled(CLOSE), why = errno, status = (int)syscall(SYS_close, fd);
    if (failed)
        errno = why;
    return failed ? -1 : status;
}

int rename(const char *from, const char *to)
{
    return troubled(RENAME) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int ftruncate(int fd, off_t size)
{
    return troubled(TRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

/* Of the locks alone. */
int fcntl(int fd, int what, ...)
{
    va_list args;
    va_start(args, what);
    void *argument = va_arg(args, void *);
    va_end(args);
    return (what == F_SETLK || what == F_SETLKW) && troubled(LOCK) ? -1 : (int)syscall(SYS_fcntl, fd, what, argument);
}

#ifdef __GLIBC__
int fcntl64(int fd, int what, ...)
{
    va_list args;
    va_start(args, what);
    void *argument = va_arg(args, void *);
    va_end(args);
    return fcntl(fd, what, argument);
}

ssize_t pread64(int fd, void *out, size_t n, off64_t at)
{
    return pread(fd, out, n, at);
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* What glibc calls instead where _FORTIFY_SOURCE is on, as it is by default on some systems. */
ssize_t __read_chk(int fd, void *out, size_t n, size_t room);
ssize_t __read_chk(int fd, void *out, size_t n, size_t room)
{
    (void)room;
    return read(fd, out, n);
}

ssize_t __pread_chk(int fd, void *out, size_t n, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *out, size_t n, off_t at, size_t room)
{
    (void)room;
    return pread(fd, out, n, at);
}

ssize_t __pread64_chk(int fd, void *out, size_t n, off64_t at, size_t room);
ssize_t __pread64_chk(int fd, void *out, size_t n, off64_t at, size_t room)
{
    (void)room;
    return pread(fd, out, n, at);
}
#endif

static void failing(int call, long after, int why)
{
    fail_call = call;
    fail_after = after;
    reason = why;
    failures = 0;
}

static void sound(void)
{
    fail_after = -1;
    piece = 0;
}

/* The next descriptor that open will give: the same again when nothing leaks. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY);
    syscall(SYS_close, fd);
    return fd;
}

/* A call that had to fail, with these words and this errno's text in the message. */
static void failed(int is, const char *what, const char *words)
{
    sound();
    CHECK(is && failures > 0 && strstr(tx_error_message(), words) && strstr(tx_error_message(), strerror(reason)),
          "%s: not '%s' but '%s'", what, words, tx_error_message());
}

/* ------------------------------------------------------------------------------------------- contents */
enum { LARGE = 9000 };
static unsigned char large[LARGE];

/* All rows of a table as text, with the lines where they stand. */
static const char *rows(const char *path)
{
    static char out[4096];
    char **field;
    size_t fields, used = 0;
    tx_csv *csv = tx_csv_open(path);
    int more;
    out[0] = 0;
    while (csv && (more = tx_csv_next(csv, &field, &fields)) > 0)
        for (size_t i = 0; i < fields; i++)
            used += (size_t)snprintf(out + used, sizeof out - used, "%zu[%s]", tx_csv_line(csv), field[i]);
    if (csv && more < 0)
        snprintf(out + used, sizeof out - used, "!");
    tx_csv_close(csv);
    return out;
}

static const char table[] = "\xef\xbb\xbf"
                            "a,\"b\"\"c\"\r\n\r\n\"1\n2\",\xef\xbb\xbf\nx,y";
static const char table_rows[] = "1[a]1[b\"c]3[1\n2]3[\xef\xbb\xbf]5[x]5[y]";

static tx_status save_tensors(const char *path)
{
    static const size_t shape[] = {LARGE / 4};
    static char seal[65];
    static float values[LARGE / 4];
    for (int i = 0; i < LARGE / 4; i++)
        values[i] = (float)i / 8;
    tx_safetensors_writer *w = tx_safetensors_create(path);
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put_seal(w, seal);
    tx_safetensors_put_meta(w, "key", "value");
    tx_safetensors_put(w, "t", TX_F32, 1, shape, values);
    return tx_safetensors_finish(w);
}

static void check_tensors(const char *path, const char *what)
{
    static float values[LARGE / 4];
    tx_safetensors *f = tx_safetensors_open(path);
    const tx_stored *t = f ? tx_safetensors_find(f, "t") : NULL;
    int right = t && tx_safetensors_check(f) == TX_OK && tx_safetensors_floats(f, t, values) == TX_OK;
    for (int i = 0; i < LARGE / 4; i++)
        right = right && values[i] == (float)i / 8;
    CHECK(right, "%s: tensors are others: %s", what, tx_error_message());
    tx_safetensors_close(f);
}

/* ------------------------------------------------------------------------------- interrupted, or in part */
static void torn(size_t bytes)
{
    unsigned char *data;
    size_t n;
    char what[40], torn_hex[65], hex[65];
    tx_sha256 sha;
    int before = next_descriptor();
    snprintf(what, sizeof what, "%zu bytes a call", bytes);
    temp_write(temp_path("large"), large, LARGE);
    temp_write(temp_path("table.csv"), table, sizeof table - 1);
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, large, LARGE);
    tx_sha256_end(&sha, hex);
    piece = bytes;
    CHECK(tx_file_read(temp_path("large"), LARGE, &data, &n) == TX_OK && n == LARGE && !memcmp(data, large, n),
          "%s: a file is another: %s", what, tx_error_message());
    tx_free(data);
    CHECK(strcmp(rows(temp_path("table.csv")), table_rows) == 0, "%s: a table is '%s'", what,
          rows(temp_path("table.csv")));
    tx_sha256_begin(&sha);
    CHECK(tx_sha256_file(&sha, temp_path("large")) == TX_OK, "%s: %s", what, tx_error_message());
    tx_sha256_end(&sha, torn_hex);
    CHECK(strcmp(hex, torn_hex) == 0, "%s: a digest is another", what);

    const char *path = temp_path("w");
    tx_writer *w = tx_writer_open(path);
    for (size_t i = 0; i < LARGE; i += 1000)
        tx_writer_bytes(w, large + i, 1000);
    CHECK(tx_writer_commit(w) == TX_OK && temp_holds(path, large, LARGE), "%s: writing: %s", what, tx_error_message());
    CHECK(save_tensors(temp_path("t.safetensors")) == TX_OK, "%s: %s", what, tx_error_message());
    check_tensors(temp_path("t.safetensors"), what);

    path = temp_path("journal");
    unlink(path);
    tx_journal *j = tx_journal_open(path, 0);
    for (int i = 0; i < 900; i++)
        tx_journal_add(j, "12345,789\n");
    CHECK(j && tx_journal_bytes(j) == 9000 && tx_journal_sync(j) == TX_OK, "%s: a journal: %s", what,
          tx_error_message());
    tx_journal_close(j);
    FILE *more = fopen(path, "ab");
    CHECK(more && fputs("cut", more) >= 0 && fclose(more) == 0, "%s: half a line", what);
    j = tx_journal_open(path, TX_JOURNAL_ALL);
    CHECK(j && tx_journal_bytes(j) == 9000, "%s: whole lines: %s", what, tx_error_message());
    if (j)
        tx_journal_digest(j, torn_hex);
    tx_journal_close(j);
    sound();
    tx_sha256_begin(&sha);
    tx_sha256_file(&sha, path);
    tx_sha256_end(&sha, hex);
    CHECK(strcmp(hex, torn_hex) == 0, "%s: the digest of a journal is another", what);
    CHECK(next_descriptor() == before, "%s: descriptors are lost", what);
}

/* --------------------------------------------------------------------------------------------- failures */
static int leftovers(void)
{
    char **names;
    size_t count;
    int n = 0;
    if (tx_folder_list(temp_folder, &names, &count))
        return -1;
    for (size_t i = 0; i < count; i++)
        n += strstr(names[i], ".tmp.") != NULL;
    tx_folder_names_free(names, count);
    return n;
}

static void reading_fails(void)
{
    unsigned char *data;
    size_t n;
    tx_sha256 sha;
    int before = next_descriptor();
    failing(READ, 0, EIO);
    failed(tx_file_read(temp_path("large"), LARGE, &data, &n) == TX_ERR_FILE && !data && n == 0, "a file", "large: ");
    failing(READ, 1, EIO);
    failed(tx_file_read(temp_path("large"), LARGE, &data, &n) == TX_ERR_FILE && !data && n == 0, "its end", "large: ");
    failing(READ, 0, EIO);
    tx_sha256_begin(&sha);
    failed(tx_sha256_file(&sha, temp_path("large")) == TX_ERR_FILE, "a digest", "large: ");
    /* Wherever in a table that happens, it is no end of the file. */
    for (size_t cut = 0; cut < sizeof table; cut++) {
        temp_write(temp_path("cut.csv"), table, cut);
        failing(READ, cut > 0, EIO);
        size_t length = strlen(rows(temp_path("cut.csv")));
        failed(length > 0 && rows(temp_path("cut.csv"))[0] != 0, "a table", "cut.csv: cannot read");
    }
    failing(READ, 0, EIO);
    failed(!tx_safetensors_open(temp_path("t.safetensors")), "a header", "t.safetensors: ");
    tx_safetensors *f = tx_safetensors_open(temp_path("t.safetensors"));
    static float values[LARGE / 4];
    failing(READ, 0, EIO);
    failed(tx_safetensors_floats(f, tx_safetensors_find(f, "t"), values) == TX_ERR_FILE, "a tensor", "t.safetensors: ");
    failing(READ, 1, EIO);
    failed(tx_safetensors_check(f) == TX_ERR_FILE, "a seal", "t.safetensors: ");
    tx_safetensors_close(f);
    for (int i = 0; i < 2; i++) {
        failing(READ, 0, EIO);
        failed(!tx_journal_open(temp_path("journal"), i ? TX_JOURNAL_ALL : 10), "a journal", "journal: cannot read");
    }
    /* Files that become shorter while they are read. */
    failing(READ, 0, 0);
    tx_journal *j = tx_journal_open(temp_path("journal"), TX_JOURNAL_ALL);
    sound();
    CHECK(!j && strstr(tx_error_message(), "journal: became shorter while"), "%s", tx_error_message());
    failing(READ, 0, 0);
    f = tx_safetensors_open(temp_path("t.safetensors"));
    sound();
    CHECK(!f, "weights of nothing");
    f = tx_safetensors_open(temp_path("t.safetensors"));
    failing(READ, 1, 0);
    tx_status status = tx_safetensors_check(f);
    sound();
    CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), "cut off at byte"), "%s", tx_error_message());
    tx_safetensors_close(f);
    CHECK(next_descriptor() == before, "descriptors are lost");
}

static void writing_fails(void)
{
    static const struct {
        int call, why;
        long after;
        const char *words;
    } faults[] = {{WRITE, ENOSPC, 0, "w: cannot write"},
                  {WRITE, EIO, 1, "w: cannot write"},
                  {SYNC, EIO, 0, "w: cannot sync"},
                  {CLOSE, EIO, 0, "w: cannot write"},
                  {RENAME, EACCES, 0, "w: cannot rename"}};
    const char *path = temp_path("w");
    int before = next_descriptor();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        temp_text(path, "old");
        tx_writer *w = tx_writer_open(path);
        failing(faults[i].call, faults[i].after, faults[i].why);
        for (int k = 0; k < 20; k++)
            tx_writer_bytes(w, large, LARGE);
        failed(tx_writer_commit(w) == TX_ERR_FILE, "a writer", faults[i].words);
        CHECK(temp_holds(path, "old", 3) && leftovers() == 0, "%s: the old file is gone, or another left",
              faults[i].words);
    }
    /* The name is there, but maybe not after a power cut. */
    tx_writer *w = tx_writer_open(path);
    tx_writer_text(w, "new");
    failing(SYNC, 1, EIO);
    failed(tx_writer_commit(w) == TX_ERR_FILE, "a name", "w: cannot sync the folder");
    CHECK(temp_holds(path, "new", 3) && leftovers() == 0, "the new file, under a name that may not last");
    /* Folders that cannot be synced need it not. */
    for (int i = 0; i < 2; i++) {
        w = tx_writer_open(path);
        tx_writer_text(w, i ? "ENOTSUP" : "EINVAL");
        failing(SYNC, 1, i ? ENOTSUP : EINVAL);
        CHECK(tx_writer_commit(w) == TX_OK, "%s", tx_error_message());
        sound();
    }
    /* First the file, then the folder that it is in, wherever that is. */
    struct stat info;
    CHECK(stat(temp_folder, &info) == 0 && synced == info.st_ino, "not the folder was made durable");
    tx_folder_make(temp_path("below"));
    w = tx_writer_open(temp_path("below/file"));
    CHECK(tx_writer_commit(w) == TX_OK && stat(temp_path("below"), &info) == 0 && synced == info.st_ino,
          "the folder below it was not: %s", tx_error_message());
    tx_folder_make(temp_path("below/a//"));
    CHECK(synced == info.st_ino, "nor for a folder within it");
    failing(SYNC, 0, EIO);
    failed(tx_folder_make(temp_path("folder")) == TX_ERR_FILE, "a folder", "folder: cannot sync");
    CHECK(next_descriptor() == before, "descriptors are lost");
}

static void journals_fail(void)
{
    const char *path = temp_path("j");
    int before = next_descriptor();
    tx_journal *j = tx_journal_open(path, 0);
    /* A line of which nothing was written, or a part; at the very beginning and behind another. */
    for (int k = 0; k < 4; k++) {
        piece = k % 2 ? 2 : 0;
        failing(WRITE, k % 2 ? 3 : 0, ENOSPC);
        tx_status status = tx_journal_add(j, "12345\n");
        failed(status == TX_ERR_FILE && !strstr(tx_error_message(), "torn"), "a line", "j: cannot write");
        CHECK(tx_journal_bytes(j) == (k < 2 ? 0 : 5) && temp_holds(path, "good\n", k < 2 ? 0 : 5), "a torn line, %d",
              k);
        if (k == 1)
            CHECK(tx_journal_add(j, "good\n") == TX_OK, "%s", tx_error_message());
    }
    failing(WRITE, 0, ENOSPC);
    CHECK(tx_journal_add(j, "") == TX_OK, "nothing to write");
    sound();
    failing(SYNC, 0, EIO);
    failed(tx_journal_sync(j) == TX_ERR_FILE, "sync", "j: cannot sync");
    failing(WRITE, 0, ENOSPC);
    tx_status status = tx_journal_add(j, "1\n");
    sound();
    CHECK(status == TX_ERR_FILE, "%d", (int)status);
    CHECK(tx_journal_add(j, "last\n") == TX_OK && temp_holds(path, "good\nlast\n", 10), "%s", tx_error_message());
    char hex[65], whole[65];
    tx_sha256 sha;
    tx_journal_digest(j, hex);
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, "good\nlast\n", 10);
    tx_sha256_end(&sha, whole);
    CHECK(strcmp(hex, whole) == 0, "the digest counts lines that failed");
    tx_journal_close(j);
    failing(TRUNCATE, 0, EPERM);
    failed(!tx_journal_open(path, 5), "a longer journal", "j: cannot cut");
    CHECK(temp_holds(path, "good\nlast\n", 10), "cut all the same");
    failing(TRUNCATE, 0, EPERM);
    j = tx_journal_open(path, 10);
    CHECK(j != NULL, "nothing to cut: %s", tx_error_message());
    sound();
    tx_journal_close(j);
    failing(SYNC, 0, EIO);
    failed(!tx_journal_open(temp_path("new"), 0), "a new journal", "new: cannot sync the folder");
    CHECK(next_descriptor() == before, "descriptors are lost");
}

/* Weights that cannot be read to their end are never taken for others: whichever read fails, it is said. */
static void weights_fail(void)
{
    const tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 3, .classes = 3, .size = 32};
    tx_network net;
    CHECK(tx_network_build(&net, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *weights = tx_weights_new(net.graph, 0), *back = tx_weights_new(net.graph, 0);
    tx_weights_init(weights, 1);
    const char *path = temp_path("weights.safetensors");
    CHECK(tx_checkpoint_save(path, weights, NULL, 0) == TX_OK, "%s", tx_error_message());
    int before = next_descriptor();
    long reads = 0;
    for (int done = 0; !done && reads < 500; reads++) {
        failing(READ, reads, EIO);
        tx_status status = tx_checkpoint_load(path, back, 0, NULL);
        done = failures == 0;
        sound();
        CHECK(done ? status == TX_OK : status == TX_ERR_FILE && strstr(tx_error_message(), "cannot read"),
              "read %ld fails: %d %s", reads, (int)status, tx_error_message());
    }
    char a[65], b[65];
    CHECK(reads > 10 && tx_weights_digest(weights, a) == TX_OK && tx_weights_digest(back, b) == TX_OK && !strcmp(a, b),
          "%ld reads", reads);
    static const int call[] = {WRITE, SYNC, CLOSE, RENAME};
    for (int k = 0; k < 4; k++) {
        temp_text(path, "old");
        failing(call[k], 0, EIO);
        failed(tx_checkpoint_save(path, weights, NULL, 0) == TX_ERR_FILE, "a checkpoint",
               "weights.safetensors: cannot");
        CHECK(temp_holds(path, "old", 3) && leftovers() == 0, "the old file is gone, or another left");
    }
    CHECK(next_descriptor() == before, "descriptors are lost");
    tx_weights_free(weights);
    tx_weights_free(back);
    tx_network_free(&net);
}

/* A lock that cannot be had is busy only where another has it. */
static void locks_fail(void)
{
    static const int why[] = {EACCES, EAGAIN, EINTR, ENOLCK, EIO};
    int before = next_descriptor();
    for (int i = 0; i < 5; i++)
        for (int wait = 0; wait < 2; wait++) {
            tx_lock *lock = (tx_lock *)1;
            failing(LOCK, 0, why[i]);
            tx_status status = tx_lock_take(temp_path("lock"), wait, &lock);
            sound();
            CHECK(!lock && status == (i < 3 ? TX_OK : TX_ERR_FILE), "%s: %d", strerror(why[i]), (int)status);
        }
    CHECK(next_descriptor() == before, "descriptors are lost");
}

/* Sealed weights without memory for one thing after another. */
static void seals_without_memory(void)
{
    long live = tx_alloc_live(), n = 0;
    for (int done = 0; !done && n < 200; n++) {
        tx_alloc_fail_after(n);
        tx_status written = save_tensors(temp_path("s.safetensors"));
        tx_safetensors *f = written ? NULL : tx_safetensors_open(temp_path("s.safetensors"));
        tx_status checked = f ? tx_safetensors_check(f) : TX_ERR_MEMORY;
        tx_alloc_fail_after(-1);
        tx_safetensors_close(f);
        done = checked == TX_OK;
        CHECK(done || checked == TX_ERR_MEMORY, "allocation %ld fails: %d", n, (int)checked);
        CHECK(tx_alloc_live() == live, "allocation %ld fails: %ld are left", n, tx_alloc_live() - live);
    }
    CHECK(n > 15 && n < 200, "%ld allocations", n);
}

/* The number 0 is a descriptor like any other for a program whose standard input is closed. */
static void first_descriptor(void)
{
    unsigned char *data;
    size_t n;
    int input = dup(0);
    syscall(SYS_close, 0);
    CHECK(tx_file_read(temp_path("large"), LARGE, &data, &n) == TX_OK && n == LARGE, "%s", tx_error_message());
    tx_free(data);
    CHECK(next_descriptor() == 0, "a file stays open");
    CHECK(strcmp(rows(temp_path("table.csv")), table_rows) == 0 && next_descriptor() == 0, "a table stays open");
    check_tensors(temp_path("t.safetensors"), "descriptor 0");
    CHECK(next_descriptor() == 0, "weights stay open");
    tx_writer *w = tx_writer_open(temp_path("w"));
    tx_writer_text(w, "zero");
    CHECK(tx_writer_commit(w) == TX_OK && temp_holds(temp_path("w"), "zero", 4) && next_descriptor() == 0,
          "a writer stays open: %s", tx_error_message());
    w = tx_writer_open(temp_path("w"));
    tx_writer_abort(w);
    CHECK(next_descriptor() == 0, "an aborted writer stays open");
    tx_journal *j = tx_journal_open(temp_path("j"), TX_JOURNAL_ALL);
    CHECK(j && tx_journal_add(j, "zero\n") == TX_OK, "%s", tx_error_message());
    tx_journal_close(j);
    CHECK(next_descriptor() == 0, "a journal stays open");
    tx_lock *lock;
    CHECK(tx_lock_take(temp_path("lock"), 0, &lock) == TX_OK && lock, "%s", tx_error_message());
    tx_lock_release(lock);
    CHECK(next_descriptor() == 0, "a lock stays open");
    CHECK(tx_lock_take("/dev/null/lock", 0, &lock) == TX_ERR_FILE && !tx_csv_open("/dev/null/a") &&
              !tx_safetensors_open("/dev/null/a") && !tx_journal_open("/dev/null/a", 0) &&
              !tx_writer_open("/dev/null/a"),
          "what cannot be opened");
    CHECK(mkfifo(temp_path("pipe"), 0600) == 0, "a pipe");
    CHECK(!tx_csv_open(temp_folder) && !tx_safetensors_open(temp_folder) && !tx_journal_open(temp_path("pipe"), 0) &&
              tx_file_read(temp_folder, 1, &data, &n) == TX_ERR_FILE,
          "what is no file");
    CHECK(next_descriptor() == 0, "what was refused stays open");
    dup2(input, 0);
    for (long i = 0; i < 24; i++) {
        tx_csv *csv = NULL;
        tx_safetensors *f = NULL;
        w = NULL;
        j = NULL;
        tx_alloc_fail_after(i / 4);
        if (i % 4 == 0)
            csv = tx_csv_open(temp_path("table.csv"));
        else if (i % 4 == 1)
            f = tx_safetensors_open(temp_path("t.safetensors"));
        else if (i % 4 == 2)
            w = tx_writer_open(temp_path("w"));
        else
            j = tx_journal_open(temp_path("j"), TX_JOURNAL_ALL);
        tx_alloc_fail_after(-1);
        tx_csv_close(csv);
        tx_safetensors_close(f);
        tx_writer_abort(w);
        tx_journal_close(j);
        CHECK(next_descriptor() != 0, "opener %ld without memory closes another's descriptor", i % 4);
        dup2(input, 0);
    }
    dup2(input, 0);
    syscall(SYS_close, input);
}

/* Everybody may do with what was made what the mask leaves. */
static void modes(void)
{
    struct stat info;
    mode_t mask = umask(0);
    tx_lock *lock = NULL;
    tx_lock_take(temp_path("mode.lock"), 0, &lock);
    tx_lock_release(lock);
    tx_journal_close(tx_journal_open(temp_path("mode.journal"), 0));
    tx_writer *w = tx_writer_open(temp_path("mode.file"));
    CHECK(w && tx_writer_commit(w) == TX_OK, "%s", tx_error_message());
    tx_folder_make(temp_path("mode.folder"));
    umask(mask);
    static const char *const name[] = {"mode.lock", "mode.journal", "mode.file", "mode.folder"};
    for (int i = 0; i < 4; i++)
        CHECK(stat(temp_path(name[i]), &info) == 0 && (info.st_mode & 0777) == (i < 3 ? 0666 : 0777), "%s: mode %o",
              name[i], (unsigned)info.st_mode);
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_faults");
    sound();
    for (int i = 0; i < LARGE; i++)
        large[i] = (unsigned char)temp_random();
    torn(1);
    torn(7);
    torn(4096);
    reading_fails();
    writing_fails();
    journals_fail();
    weights_fail();
    locks_fail();
    seals_without_memory();
    first_descriptor();
    modes();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_faults");
}

#else

int main(void)
{
    CHECK(1, "not here");
    return test_done("io_faults");
}

#endif
