/* lock.c - one process at a time, by fcntl locks: they die with their process, so nothing stale is ever left. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct tx_lock {
    int fd;
};

/* Whether the open file still has that name: its former holder may have removed it. */
static int still_named(int fd, const char *path)
{
    struct stat own, named;
    return fstat(fd, &own) == 0 && stat(path, &named) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

tx_status tx_lock_take(const char *path, int wait, tx_lock **lock)
{
    if (!path || !lock)
        return tx_fail_null("tx_lock_take", path ? "room for the lock" : "path");
    *lock = tx_alloc(1, sizeof **lock);
    if (!*lock)
        return TX_ERR_MEMORY;
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (fd >= 0 && fcntl(fd, wait ? F_SETLKW : F_SETLK, &range) == 0) {
        if (still_named(fd, path)) {
            (*lock)->fd = fd;
            return TX_OK;
        }
        close(fd);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    }
    int busy = fd >= 0 && (errno == EACCES || errno == EAGAIN || errno == EINTR);
    tx_status status = busy ? TX_OK : tx_fail_system(path, "lock");
    if (fd >= 0)
        close(fd);
    tx_free(*lock);
    *lock = NULL;
    return status;
}

void tx_lock_release(tx_lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    tx_free(lock);
}
