/* io_file.c - whole files, folders, writers, journals and locks; a disk that is full, a folder that is read-only, a
 * process that dies. */
#define _DEFAULT_SOURCE
#include "test.h"
#include "io_temp.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void reading(void)
{
    unsigned char *data;
    size_t bytes;
    const char *path = temp_path("a");
    temp_write(path, "a\0b", 3);
    CHECK(tx_file_read(path, 3, &data, &bytes) == TX_OK && bytes == 3 && memcmp(data, "a\0b", 4) == 0,
          "three bytes, a zero behind");
    tx_free(data);
    CHECK(tx_file_read(path, 2, &data, &bytes) == TX_ERR_FORMAT && !data, "larger than the limit");
    CHECK(strstr(tx_error_message(), "2 bytes"), "%s", tx_error_message());
    CHECK(tx_file_read("/dev/zero", 100000, &data, &bytes) == TX_ERR_FORMAT, "a file without an end");
    CHECK(tx_file_read(temp_folder, 100, &data, &bytes) == TX_ERR_FILE, "a folder");
    CHECK(tx_file_read(temp_path("none"), 100, &data, &bytes) == TX_ERR_FILE, "no such file");
    CHECK(tx_file_read("/dev/null", 100, &data, &bytes) == TX_OK && bytes == 0 && data[0] == 0, "an empty file");
    tx_free(data);
}

static int is_state(const char *name)
{
    return strcmp(name, "state") == 0;
}

static void digests(void)
{
    const char *path = temp_path("abc");
    char whole[65], start[65];
    tx_sha256 sha;
    uint64_t n;
    temp_text(path, "abcdef");
    tx_sha256_begin(&sha);
    CHECK(tx_sha256_file_start(&sha, path, 3, &n) == TX_OK && n == 3, "three bytes of six");
    tx_sha256_end(&sha, start);
    CHECK(strcmp(start, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0, "FIPS 180's abc");
    tx_sha256_begin(&sha);
    CHECK(tx_sha256_file_start(&sha, path, 7, &n) == TX_OK && n == 6, "six bytes where seven were asked for");
    tx_sha256_end(&sha, start);
    tx_sha256_begin(&sha);
    CHECK(tx_sha256_file(&sha, path) == TX_OK, "%s", tx_error_message());
    tx_sha256_end(&sha, whole);
    CHECK(strcmp(whole, start) == 0, "the whole file");
    tx_sha256_begin(&sha);
    CHECK(tx_sha256_file_start(&sha, temp_path("none"), 7, &n) == TX_OK && n == 0, "no bytes of no file");
    CHECK(tx_sha256_file(&sha, temp_folder) == TX_ERR_FILE && tx_error_status() == TX_ERR_FILE, "a folder has none");
}

static void folders(void)
{
    char **names;
    size_t count;
    CHECK(tx_folder_make(temp_path("x/y//z/")) == TX_OK && tx_path_exists(temp_path("x/y/z")), "nested folders");
    CHECK(tx_folder_make(temp_path("x/y")) == TX_OK, "a folder that is there");
    temp_text(temp_path("x/file"), "");
    CHECK(tx_folder_make(temp_path("x/file/below")) == TX_ERR_FILE, "a file where a folder should be");
    temp_text(temp_path("x/b"), "");
    temp_text(temp_path("x/B"), "");
    temp_text(temp_path("x/a10"), "");
    CHECK(tx_folder_list(temp_path("x"), &names, &count) == TX_OK && count == 5, "five names");
    static const char *const sorted[] = {"B", "a10", "b", "file", "y"};
    for (size_t i = 0; i < count && i < 5; i++)
        CHECK(strcmp(names[i], sorted[i]) == 0, "name %zu is %s", i, names[i]);
    tx_folder_names_free(names, count);
    CHECK(tx_folder_list(temp_path("none"), &names, &count) == TX_ERR_FILE && !names, "no such folder");
    temp_text(temp_path("x/state.tmp.4711000"), "");
    temp_text(temp_path("x/state.tmp.x"), "");
    temp_text(temp_path("x/other.tmp.1"), "");
    CHECK(tx_folder_sweep(temp_path("x"), is_state) == TX_OK, "sweep: %s", tx_error_message());
    CHECK(!tx_path_exists(temp_path("x/state.tmp.4711000")) && tx_path_exists(temp_path("x/state.tmp.x")),
          "leftovers only");
    CHECK(tx_path_exists(temp_path("x/other.tmp.1")), "only ours");
    CHECK(tx_folder_sweep(temp_path("x"), NULL) == TX_OK && !tx_path_exists(temp_path("x/other.tmp.1")), "all");
}

/* Names in the folder that contain ".tmp.". */
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

static tx_status write_pattern(const char *path, size_t bytes)
{
    tx_writer *w = tx_writer_open(path);
    if (!w)
        return TX_ERR_FILE;
    unsigned char piece[1000];
    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = (unsigned char)i;
    for (size_t done = 0; done < bytes; done += sizeof piece)
        tx_writer_bytes(w, piece, bytes - done < sizeof piece ? bytes - done : sizeof piece);
    return tx_writer_commit(w);
}

static void writing(void)
{
    const char *path = temp_path("w");
    tx_writer *w = tx_writer_open(path);
    CHECK(w && !tx_path_exists(path), "nothing under the final name yet");
    tx_writer_text(w, "one\n");
    tx_writer_format(w, "%d,", 2);
    tx_writer_csv(w, "plain");
    tx_writer_text(w, ",");
    tx_writer_csv(w, "a \"b\", c\n");
    tx_writer_json(w, "q\"\\\n\x01\x7f \xc3\xa9 \xff");
    CHECK(tx_writer_commit(w) == TX_OK, "%s", tx_error_message());
    const char *wanted = "one\n2,plain,\"a \"\"b\"\", c\n\"\"q\\\"\\\\\\u000a\\u0001\\u007f \xc3\xa9 \\ufffd\"";
    CHECK(temp_holds(path, wanted, strlen(wanted)), "the bytes written");
    w = tx_writer_open(path);
    tx_writer_text(w, "other");
    tx_writer_abort(w);
    CHECK(temp_holds(path, wanted, strlen(wanted)), "after an abort the old file");
    tx_writer *a = tx_writer_open(path), *b = tx_writer_open(path);
    tx_writer_text(a, "a");
    tx_writer_text(b, "b");
    CHECK(tx_writer_commit(b) == TX_OK && tx_writer_commit(a) == TX_OK && temp_holds(path, "a", 1),
          "two writers at once");
    CHECK(write_pattern(path, 300000) == TX_OK, "%s", tx_error_message());
    struct stat info;
    CHECK(stat(path, &info) == 0 && info.st_size == 300000, "a large file");
    CHECK(leftovers() == 0, "%d leftovers", leftovers());
    CHECK(mkfifo(temp_path("pipe"), 0600) == 0, "a pipe");
    CHECK(!tx_writer_open(temp_path("pipe")) && strstr(tx_error_message(), "not a regular file"), "%s",
          tx_error_message());
    CHECK(!tx_writer_open(temp_folder), "a folder is no file");
    CHECK(!tx_writer_open(temp_path("none/file")) && strstr(tx_error_message(), "none/file"), "%s", tx_error_message());
    char large[5000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    w = tx_writer_open(temp_path("large"));
    CHECK(tx_writer_format(w, "%s", large) == TX_ERR_ARGUMENT && tx_writer_commit(w) == TX_ERR_ARGUMENT,
          "a piece too large");
    CHECK(!tx_path_exists(temp_path("large")), "no file of it");
}

/* The system refuses bytes beyond a limit, as a full disk does. */
static void full_disk(void)
{
    const char *path = temp_path("full");
    temp_text(path, "old");
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    signal(SIGXFSZ, SIG_IGN);
    for (size_t limit = 0; limit <= 200000; limit += 40000) {
        tight.rlim_cur = limit;
        setrlimit(RLIMIT_FSIZE, &tight);
        tx_status status = write_pattern(path, 200001);
        setrlimit(RLIMIT_FSIZE, &before);
        CHECK(status == TX_ERR_FILE && strstr(tx_error_message(), "full: cannot write"), "%d %s", status,
              tx_error_message());
        CHECK(temp_holds(path, "old", 3) && leftovers() == 0, "limit %zu: the old file, and nothing beside it", limit);
    }
    tx_journal *j = tx_journal_open(temp_path("table"), 0);
    tight.rlim_cur = 10;
    setrlimit(RLIMIT_FSIZE, &tight);
    CHECK(tx_journal_add(j, "12345\n") == TX_OK && tx_journal_add(j, "67890\n") == TX_ERR_FILE,
          "the second does not fit");
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(temp_holds(temp_path("table"), "12345\n", 6) && tx_journal_bytes(j) == 6, "no torn line");
    CHECK(tx_journal_add(j, "abc\n") == TX_OK, "%s", tx_error_message());
    tx_journal_close(j);
    CHECK(temp_holds(temp_path("table"), "12345\nabc\n", 10), "goes on behind the last whole line");
}

/* Root may write anywhere, so the attempt is made as somebody else. */
static void read_only(void)
{
    const char *folder = temp_path("locked"), *path = temp_path("locked/file");
    tx_folder_make(folder);
    temp_text(path, "old");
    chmod(temp_folder, 0755);
    chmod(folder, 0555);
    int root = geteuid() == 0;
    if (root && seteuid(65534) != 0)
        return;
    CHECK(write_pattern(path, 10) == TX_ERR_FILE && strstr(tx_error_message(), "locked/file: cannot write"), "%s",
          tx_error_message());
    CHECK(!tx_journal_open(temp_path("locked/journal"), 0), "no journal there");
    CHECK(tx_folder_make(temp_path("locked/below")) == TX_ERR_FILE, "no folder there");
    tx_lock *lock;
    CHECK(tx_lock_take(temp_path("locked/lock"), 0, &lock) == TX_ERR_FILE && !lock, "no lock there");
    if (root && seteuid(0) != 0)
        return;
    chmod(folder, 0755);
    CHECK(temp_holds(path, "old", 3), "the old file");
}

/* A process dies in the middle of writing: the old file stands, and sweeping removes what it left. */
static void killed(void)
{
    const char *path = temp_path("state");
    temp_text(path, "old");
    pid_t child = fork();
    if (child == 0) {
        tx_writer *w = tx_writer_open(path);
        for (int i = 0; w && i < 100000; i++)
            tx_writer_text(w, "new");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CHECK(temp_holds(path, "old", 3) && leftovers() == 1, "%d leftovers", leftovers());
    CHECK(tx_folder_sweep(temp_folder, NULL) == TX_OK && leftovers() == 0, "swept");
}

static void journals(void)
{
    const char *path = temp_path("log.csv");
    tx_journal *j = tx_journal_open(path, 0);
    CHECK(j && tx_journal_add(j, "step,loss\n") == TX_OK && tx_journal_add(j, "1,0.5\n") == TX_OK, "%s",
          tx_error_message());
    uint64_t saved = tx_journal_bytes(j);
    CHECK(saved == 16 && tx_journal_sync(j) == TX_OK, "16 bytes");
    tx_journal_add(j, "2,0.4\n");
    tx_journal_add(j, "3,0.");
    tx_journal_close(j);
    j = tx_journal_open(path, TX_JOURNAL_ALL);
    CHECK(j && tx_journal_bytes(j) == 22, "the torn line is gone");
    tx_journal_close(j);
    j = tx_journal_open(path, saved);
    tx_journal_add(j, "2,0.3\n");
    char kept[65], whole[65];
    tx_journal_digest(j, kept);
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_file(&sha, path);
    tx_sha256_end(&sha, whole);
    CHECK(strcmp(kept, whole) == 0, "the digest is the file's, of what was there and what came to it");
    tx_journal_close(j);
    CHECK(temp_holds(path, "step,loss\n1,0.5\n2,0.3\n", 22), "goes on from the saved length");
    CHECK(!tx_journal_open(path, 1000) && strstr(tx_error_message(), "22 bytes"), "%s", tx_error_message());
    char lines[10001];
    memset(lines, 'x', 10000);
    lines[9] = '\n';
    temp_write(path, lines, 10000);
    j = tx_journal_open(path, TX_JOURNAL_ALL);
    CHECK(j && tx_journal_bytes(j) == 10, "a newline several blocks before the end");
    tx_journal_close(j);
    CHECK(!tx_journal_open(temp_path("pipe"), TX_JOURNAL_ALL), "no regular file");
}

/* What a process of its own finds: 1 taken, 0 busy, 2 error. */
static int lock_elsewhere(const char *path)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        tx_lock *lock;
        _exit(tx_lock_take(path, 0, &lock) ? 2 : lock != NULL);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

/* Whoever waits for a lock whose file is removed by its holder gets the lock on the new file of that name. */
static void lock_removed(void)
{
    const char *path = temp_path("gone.lock");
    tx_lock *lock;
    int status = 0;
    CHECK(tx_lock_take(path, 0, &lock) == TX_OK && lock, "%s", tx_error_message());
    pid_t child = fork();
    if (child == 0) {
        tx_lock *other;
        _exit(tx_lock_take(path, 1, &other) == TX_OK && other && tx_path_exists(path) ? 7 : 1);
    }
    usleep(100000);
    unlink(path);
    tx_lock_release(lock);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the waiting process ends with %d", status);
    CHECK(tx_path_exists(path), "the lock has its name again");
}

static void locks(void)
{
    const char *path = temp_path("job.lock");
    tx_lock *lock;
    CHECK(tx_lock_take(path, 1, &lock) == TX_OK && lock, "%s", tx_error_message());
    CHECK(lock_elsewhere(path) == 0, "held here, so busy there");
    tx_lock_release(lock);
    CHECK(lock_elsewhere(path) == 1, "free again");
    CHECK(lock_elsewhere(path) == 1, "a lock dies with its process");
    lock_removed();
}

static void no_memory(void)
{
    long before = tx_alloc_live();
    for (long n = 0; n < 1000; n++) {
        unsigned char *data;
        size_t bytes, count;
        char **names;
        tx_lock *lock;
        tx_alloc_fail_after(n);
        tx_status a = tx_file_read(temp_path("w"), 1 << 20, &data, &bytes),
                  b = tx_folder_list(temp_folder, &names, &count);
        tx_status c = write_pattern(temp_path("m"), 1000), d = tx_folder_make(temp_path("p/q"));
        tx_journal *j = tx_journal_open(temp_path("j"), 0);
        tx_status e = tx_lock_take(temp_path("l"), 0, &lock);
        tx_alloc_fail_after(-1);
        tx_free(data);
        tx_folder_names_free(names, count);
        int fine = !a && !b && !c && !d && j && !e;
        tx_journal_close(j);
        tx_lock_release(lock);
        CHECK(tx_alloc_live() == before, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - before);
        if (fine) {
            CHECK(n > 10, "too few allocations to be true: %ld", n);
            return;
        }
    }
    CHECK(0, "never fine");
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_file");
    reading();
    digests();
    folders();
    writing();
    full_disk();
    read_only();
    killed();
    journals();
    locks();
    no_memory();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_file");
}
