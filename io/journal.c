/* journal.c - tables that grow by whole lines.
 *
 * A journal is appended to while a run goes on. Killed at any moment it holds whole lines and at most one torn at the
 * end; a run that resumes cuts the file back to the length that its saved state names, so the lines that follow are
 * written as if nothing had happened. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tx_journal {
    char *path;
    int fd;
    uint64_t bytes;
    tx_sha256 sha; /* of them */
};

/* Reads n bytes, which the file has. */
static tx_status read_at(int fd, const char *path, void *out, size_t n, uint64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tx_fail_system(path, "read");
        if (got == 0) {
            char text[TX_TEXT];
            return tx_fail(TX_ERR_FILE, "%s: became shorter while it was read", tx_escape(text, sizeof text, path));
        }
        done += (size_t)got;
    }
    return TX_OK;
}

/* Length of the file up to and with its last newline: looks backwards, a block at a time. */
static tx_status whole_lines(int fd, const char *path, uint64_t size, uint64_t *length)
{
    char block[4096];
    *length = 0;
    while (size > 0) {
        size_t n = size < sizeof block ? (size_t)size : sizeof block;
        tx_status status = read_at(fd, path, block, n, size - n);
        if (status)
            return status;
        for (size_t i = n; i > 0; i--)
            if (block[i - 1] == '\n') {
                *length = size - n + i;
                return TX_OK;
            }
        size -= n;
    }
    return TX_OK;
}

/* Adds the bytes that are kept to the digest. */
static tx_status digest_kept(tx_journal *journal, uint64_t keep)
{
    unsigned char block[4096];
    for (uint64_t at = 0; at < keep;) {
        size_t n = keep - at < sizeof block ? (size_t)(keep - at) : sizeof block;
        tx_status status = read_at(journal->fd, journal->path, block, n, at);
        if (status)
            return status;
        tx_sha256_add(&journal->sha, block, n);
        at += n;
    }
    return TX_OK;
}

/* Cuts the file to what is to be kept, and stands at its end. */
static tx_status cut(tx_journal *journal, uint64_t keep)
{
    struct stat info;
    if (fstat(journal->fd, &info) != 0)
        return tx_fail_system(journal->path, "read");
    char text[TX_TEXT];
    tx_escape(text, sizeof text, journal->path);
    if (!S_ISREG(info.st_mode))
        return tx_fail(TX_ERR_FILE, "%s: not a regular file", text);
    uint64_t size = (uint64_t)info.st_size;
    if (keep == TX_JOURNAL_ALL) {
        tx_status status = whole_lines(journal->fd, journal->path, size, &keep);
        if (status)
            return status;
    }
    if (keep > size)
        return tx_fail(TX_ERR_FORMAT, "%s: %llu bytes, but the saved state was written when it had %llu", text,
                       (unsigned long long)size, (unsigned long long)keep);
    if (digest_kept(journal, keep))
        return tx_error_status();
    if (keep < size && ftruncate(journal->fd, (off_t)keep) != 0)
        return tx_fail_system(journal->path, "cut");
    if (lseek(journal->fd, (off_t)keep, SEEK_SET) < 0)
        return tx_fail_system(journal->path, "write");
    journal->bytes = keep;
    return TX_OK;
}

tx_journal *tx_journal_open(const char *path, uint64_t keep)
{
    if (!path) {
        tx_fail_null("tx_journal_open", "path");
        return NULL;
    }
    tx_journal *journal = tx_alloc(1, sizeof *journal);
    if (!journal)
        return NULL;
    journal->fd = -1;
    tx_sha256_begin(&journal->sha);
    journal->path = tx_strdup(path);
    if (journal->path) {
        journal->fd = open(path, O_RDWR | O_CLOEXEC);
        int made = journal->fd < 0 && errno == ENOENT;
        if (made)
            journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (journal->fd < 0)
            tx_fail_system(path, "open");
        else if ((!made || tx_sync_above(path) == TX_OK) && cut(journal, keep) == TX_OK)
            return journal;
    }
    tx_journal_close(journal);
    return NULL;
}

tx_status tx_journal_add(tx_journal *journal, const char *text)
{
    if (!journal || !text)
        return tx_fail_null("tx_journal_add", journal ? "text" : "journal");
    size_t n = strlen(text), done = 0;
    if (n > 0 && text[n - 1] != '\n')
        return tx_fail(TX_ERR_ARGUMENT, "%s: a line without its end", journal->path);
    while (done < n) {
        ssize_t wrote = write(journal->fd, text + done, n - done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (wrote < 0 && errno != EINTR) {
            tx_status status = tx_fail_system(journal->path, "write");
            if (ftruncate(journal->fd, (off_t)journal->bytes) != 0 ||
                lseek(journal->fd, (off_t)journal->bytes, SEEK_SET) < 0)
                return tx_fail_within(status, "a line may be torn");
            return status;
        }
    }
    journal->bytes += n;
    tx_sha256_add(&journal->sha, text, n);
    return TX_OK;
}

uint64_t tx_journal_bytes(const tx_journal *journal)
{
    if (!journal) {
        tx_fail_null("tx_journal_bytes", "journal");
        return 0;
    }
    return journal->bytes;
}

void tx_journal_digest(const tx_journal *journal, char hex[65])
{
    if (!journal || !hex) {
        tx_fail_null("tx_journal_digest", journal ? "room for a digest" : "journal");
        return;
    }
    tx_sha256 sha = journal->sha;
    tx_sha256_end(&sha, hex);
}

tx_status tx_journal_sync(tx_journal *journal)
{
    if (!journal)
        return tx_fail_null("tx_journal_sync", "journal");
    return fsync(journal->fd) == 0 ? TX_OK : tx_fail_system(journal->path, "sync");
}

void tx_journal_close(tx_journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    tx_free(journal->path);
    tx_free(journal);
}
