/* file.c - whole files, paths and folders. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "io_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

tx_status tx_fail_system(const char *path, const char *what)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FILE, "%s: cannot %s: %s", tx_escape(text, sizeof text, path), what, strerror(errno));
}

tx_status tx_fail_byte(const char *name, size_t at, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tx_fail(TX_ERR_FORMAT, "%s: byte %zu: %s", name, at, text);
}

static tx_status fail_large(const char *path, size_t limit)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: more than %zu bytes, which is the most for such a file",
                   tx_escape(text, sizeof text, path), limit);
}

/* Reads to the end. The size that the system states is only where the buffer starts: pipes have none, and a file may
 * grow while it is read. */
static tx_status read_all(int fd, const char *path, size_t stated, size_t limit, unsigned char **data, size_t *bytes)
{
    unsigned char *buffer = NULL;
    size_t room = 0, used = 0;
    tx_status status = tx_grow((void **)&buffer, &room, stated + 2, 1);
    while (status == TX_OK) {
        ssize_t got = read(fd, buffer + used, room - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = tx_fail_system(path, "read");
        if (got <= 0)
            break;
        used += (size_t)got;
        if (used > limit)
            status = fail_large(path, limit);
        else if (used + 1 == room)
            status = tx_grow((void **)&buffer, &room, room + 1, 1);
    }
    if (status) {
        tx_free(buffer);
        return status;
    }
    buffer[used] = 0;
    *data = buffer;
    *bytes = used;
    return TX_OK;
}

tx_status tx_file_read(const char *path, size_t limit, unsigned char **data, size_t *bytes)
{
    if (!path || !data || !bytes)
        return tx_fail_null("tx_file_read", path ? "room for the bytes" : "path");
    *data = NULL;
    *bytes = 0;
    if (limit > SIZE_MAX - 2)
        limit = SIZE_MAX - 2;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tx_fail_system(path, "open");
    struct stat info;
    size_t stated = 0;
    tx_status status = fstat(fd, &info) != 0 ? tx_fail_system(path, "read") : tx_refuse_folder(fd, path, "a file");
    if (status == TX_OK && S_ISREG(info.st_mode) && info.st_size > 0) {
        stated = (size_t)info.st_size;
        if ((uint64_t)info.st_size > limit)
            status = fail_large(path, limit);
    }
    if (status == TX_OK)
        status = read_all(fd, path, stated, limit, data, bytes);
    close(fd);
    return status;
}

int tx_path_exists(const char *path)
{
    if (!path) {
        tx_fail_null("tx_path_exists", "path");
        return 0;
    }
    struct stat info;
    return stat(path, &info) == 0;
}

tx_status tx_path_look(const char *path, tx_path_kind *kind)
{
    if (!path || !kind)
        return tx_fail_null("tx_path_look", path ? "room for the kind" : "path");
    struct stat info;
    *kind = TX_PATH_NONE;
    if (stat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? TX_OK : tx_fail_system(path, "look at");
    *kind = S_ISREG(info.st_mode) ? TX_PATH_FILE : S_ISDIR(info.st_mode) ? TX_PATH_FOLDER : TX_PATH_OTHER;
    return TX_OK;
}

char *tx_path_join(const char *folder, const char *name)
{
    if (!folder || !name) {
        tx_fail_null("tx_path_join", folder ? "name" : "folder");
        return NULL;
    }
    size_t n = strlen(folder), m = strlen(name);
    int slash = n > 0 && folder[n - 1] != '/';
    char *path = tx_alloc(n + m + 2, 1);
    if (path)
        snprintf(path, n + m + 2, "%s%s%s", folder, slash ? "/" : "", name);
    return path;
}

/* File systems that cannot sync a folder say so with EINVAL, and need no more. */
tx_status tx_sync_above(const char *path)
{
    char *folder = tx_strdup(path);
    if (!folder)
        return TX_ERR_MEMORY;
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        folder[--n] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    tx_status status = TX_OK;
    int fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
            status = tx_fail_system(path, "sync the folder");
        close(fd);
    }
    tx_free(folder);
    return status;
}

/* mkdir where a folder that is there already is as good. */
static tx_status make_one(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return tx_sync_above(path);
    int reason = errno;
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return TX_OK;
    errno = reason;
    return tx_fail_system(path, "make the folder");
}

tx_status tx_folder_make(const char *path)
{
    if (!path)
        return tx_fail_null("tx_folder_make", "path");
    char *part = tx_strdup(path);
    if (!part)
        return TX_ERR_MEMORY;
    tx_status status = TX_OK;
    for (char *p = part + (*part == '/'); *p && status == TX_OK; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        status = make_one(part);
        *p = '/';
    }
    if (status == TX_OK)
        status = make_one(part);
    tx_free(part);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static tx_status list_open(DIR *dir, const char *path, char ***names, size_t *count)
{
    size_t room = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? tx_fail_system(path, "read the folder") : TX_OK;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (tx_grow((void **)names, &room, *count + 1, sizeof **names))
            return TX_ERR_MEMORY;
        (*names)[*count] = tx_strdup(entry->d_name);
        if (!(*names)[*count])
            return TX_ERR_MEMORY;
        ++*count;
    }
}

tx_status tx_folder_list(const char *path, char ***names, size_t *count)
{
    if (!path || !names || !count)
        return tx_fail_null("tx_folder_list", path ? "room for the names" : "path");
    *names = NULL;
    *count = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return tx_fail_system(path, "open the folder");
    tx_status status = list_open(dir, path, names, count);
    closedir(dir);
    if (status) {
        tx_folder_names_free(*names, *count);
        *names = NULL;
        *count = 0;
    } else if (*count > 1) {
        qsort(*names, *count, sizeof **names, by_bytes);
    }
    return status;
}

void tx_folder_names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        tx_free(names[i]);
    tx_free(names);
}

/* NAME.tmp.DIGITS, as tx_writer_open names its files: the length of NAME, else 0. */
static size_t leftover_of(const char *name)
{
    const char *p = name + strlen(name);
    size_t digits = 0;
    while (p > name && p[-1] >= '0' && p[-1] <= '9') {
        p--;
        digits++;
    }
    return digits > 0 && p - name > 5 && memcmp(p - 5, ".tmp.", 5) == 0 ? (size_t)(p - name) - 5 : 0;
}

static int is_leftover(char *name, int (*ours)(const char *name))
{
    size_t n = leftover_of(name);
    if (n == 0 || !ours)
        return n > 0;
    name[n] = 0;
    int is = ours(name);
    name[n] = '.';
    return is;
}

tx_status tx_folder_sweep(const char *path, int (*ours)(const char *name))
{
    if (!path)
        return tx_fail_null("tx_folder_sweep", "path");
    char **names;
    size_t count;
    tx_status status = tx_folder_list(path, &names, &count);
    for (size_t i = 0; i < count && status == TX_OK; i++) {
        if (!is_leftover(names[i], ours))
            continue;
        char *file = tx_path_join(path, names[i]);
        if (!file)
            status = TX_ERR_MEMORY;
        else if (unlink(file) != 0 && errno != ENOENT)
            status = tx_fail_system(file, "remove");
        tx_free(file);
    }
    tx_folder_names_free(names, count);
    return status;
}

tx_status tx_sha256_file_start(tx_sha256 *sha, const char *path, uint64_t limit, uint64_t *bytes)
{
    if (!sha || !path || !bytes)
        return tx_fail_null("tx_sha256_file_start", !sha ? "digest" : !path ? "path" : "room for the number");
    unsigned char block[1 << 14];
    *bytes = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? TX_OK : tx_fail_system(path, "open");
    ssize_t got = 1;
    while (*bytes < limit && got != 0) {
        got = read(fd, block, limit - *bytes < sizeof block ? (size_t)(limit - *bytes) : sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        tx_sha256_add(sha, block, (size_t)got);
        *bytes += (uint64_t)got;
    }
    tx_status status = got < 0 ? tx_fail_system(path, "read") : TX_OK;
    close(fd);
    return status;
}

tx_status tx_sha256_file(tx_sha256 *sha, const char *path)
{
    uint64_t bytes;
    return tx_sha256_file_start(sha, path, UINT64_MAX, &bytes);
}
