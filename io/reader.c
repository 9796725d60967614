/* reader.c - an open file that is read at any place. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static tx_status look(tx_reader *r, const char *expected)
{
    struct stat info;
    if (fstat(r->fd, &info) != 0)
        return tx_fail_system(r->path, "read");
    tx_status status = tx_refuse_folder(r->fd, r->path, expected);
    if (status)
        return status;
    if (!S_ISREG(info.st_mode))
        return tx_fail(TX_ERR_FILE, "%s: not a regular file", r->name);
    r->size = (uint64_t)info.st_size;
    return TX_OK;
}

tx_status tx_reader_open(tx_reader *r, const char *path, const char *expected)
{
    memset(r, 0, sizeof *r);
    r->fd = -1;
    tx_escape(r->name, sizeof r->name, path);
    r->path = tx_strdup(path);
    if (!r->path)
        return TX_ERR_MEMORY;
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    tx_status status = r->fd < 0 ? tx_fail_system(path, "open") : look(r, expected);
    if (status)
        tx_reader_close(r);
    return status;
}

void tx_reader_close(tx_reader *r)
{
    if (r->path && r->fd >= 0)
        close(r->fd);
    tx_free(r->path);
    r->path = NULL;
}

tx_status tx_reader_at(const tx_reader *r, uint64_t at, void *out, size_t bytes)
{
    unsigned char *to = out;
    while (bytes > 0) {
        ssize_t got = pread(r->fd, to, bytes, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tx_fail_system(r->path, "read");
        if (got == 0)
            return tx_fail(TX_ERR_FORMAT, "%s: cut off at byte %llu", r->name, (unsigned long long)at);
        to += got;
        at += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return TX_OK;
}
