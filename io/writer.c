/* writer.c - files that are written in full or not at all.
 *
 * The bytes go to NAME.tmp.PID in the same folder; commit makes them durable (fsync), gives them their name (rename,
 * which POSIX makes atomic) and makes the name durable (fsync of the folder). So whoever opens NAME, also after a
 * power cut, sees the old file or the new one. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16 };

struct tx_writer {
    char *path, *temporary;
    int fd;
    tx_status status; /* the first error */
    char message[512];
    size_t used;
    unsigned char buffer[BUFFER];
};

/* Keeps the first error; later calls return it again. */
static tx_status spoil(tx_writer *w, tx_status status)
{
    if (w->status == TX_OK) {
        w->status = status;
        snprintf(w->message, sizeof w->message, "%s", tx_error_message());
    }
    return status;
}

static tx_status spoil_system(tx_writer *w, const char *what)
{
    return spoil(w, tx_fail_system(w->path, what));
}

static void writer_free(tx_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    tx_free(w->path);
    tx_free(w->temporary);
    tx_free(w);
}

/* Makes the temporary file. A name that is taken was left by a killed process of the same number, or belongs to one
 * on another machine, or to another writer of this process: try the next. */
static tx_status open_temporary(tx_writer *w)
{
    size_t room = strlen(w->path) + 48;
    w->temporary = tx_alloc(room, 1);
    if (!w->temporary)
        return TX_ERR_MEMORY;
    struct stat info;
    if (stat(w->path, &info) == 0 && !S_ISREG(info.st_mode)) {
        char text[TX_TEXT];
        return tx_fail(TX_ERR_FILE, "%s: cannot write: there is something that is not a regular file",
                       tx_escape(text, sizeof text, w->path));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(w->temporary, room, "%s.tmp.%ld", w->path, (long)getpid() * 1000 + i);
        w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd >= 0 || errno != EEXIST)
            break;
    }
    return w->fd < 0 ? spoil_system(w, "write") : TX_OK;
}

tx_writer *tx_writer_open(const char *path)
{
    if (!path) {
        tx_fail_null("tx_writer_open", "path");
        return NULL;
    }
    tx_writer *w = tx_alloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->fd = -1;
    w->path = tx_strdup(path);
    if (!w->path || open_temporary(w)) {
        writer_free(w);
        return NULL;
    }
    return w;
}

static tx_status flush(tx_writer *w)
{
    size_t done = 0;
    while (done < w->used && w->status == TX_OK) {
        ssize_t n = write(w->fd, w->buffer + done, w->used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR)
            spoil_system(w, "write");
    }
    w->used = 0;
    return w->status;
}

/* The first error again, its message stored again. */
static tx_status writer_status(const tx_writer *w)
{
    return w->status == TX_OK ? TX_OK : tx_fail(w->status, "%s", w->message);
}

tx_status tx_writer_bytes(tx_writer *w, const void *data, size_t bytes)
{
    if (!w || (!data && bytes > 0))
        return tx_fail_null("tx_writer_bytes", w ? "data" : "writer");
    const unsigned char *from = data;
    while (bytes > 0 && w->status == TX_OK) {
        size_t n = BUFFER - w->used < bytes ? BUFFER - w->used : bytes;
        memcpy(w->buffer + w->used, from, n);
        w->used += n;
        from += n;
        bytes -= n;
        if (w->used == BUFFER)
            flush(w);
    }
    return writer_status(w);
}

tx_status tx_writer_text(tx_writer *w, const char *text)
{
    if (!w || !text)
        return tx_fail_null("tx_writer_text", w ? "text" : "writer");
    return tx_writer_bytes(w, text, strlen(text));
}

tx_status tx_writer_format(tx_writer *w, const char *format, ...)
{
    if (!w || !format)
        return tx_fail_null("tx_writer_format", w ? "format" : "writer");
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        return spoil(w, tx_fail(TX_ERR_ARGUMENT, "%s: a piece of more than %zu bytes", w->path, sizeof text - 1));
    return tx_writer_bytes(w, text, (size_t)n);
}

static void put(void *writer, const void *bytes, size_t n)
{
    tx_writer_bytes(writer, bytes, n);
}

tx_status tx_writer_csv(tx_writer *w, const char *text)
{
    if (!w || !text)
        return tx_fail_null("tx_writer_csv", w ? "text" : "writer");
    tx_quote_csv(text, put, w);
    return writer_status(w);
}

tx_status tx_writer_json(tx_writer *w, const char *text)
{
    if (!w || !text)
        return tx_fail_null("tx_writer_json", w ? "text" : "writer");
    tx_quote_json(text, put, w);
    return writer_status(w);
}

tx_status tx_writer_commit(tx_writer *w)
{
    if (!w)
        return tx_fail_null("tx_writer_commit", "writer");
    flush(w);
    if (w->status == TX_OK && fsync(w->fd) != 0)
        spoil_system(w, "sync");
    int closed = close(w->fd);
    w->fd = -1;
    if (w->status == TX_OK && closed != 0)
        spoil_system(w, "write");
    if (w->status == TX_OK && rename(w->temporary, w->path) != 0)
        spoil_system(w, "rename the finished file");
    if (w->status != TX_OK)
        unlink(w->temporary);
    else if (tx_sync_above(w->path))
        spoil(w, tx_error_status());
    tx_status status = writer_status(w);
    writer_free(w);
    return status;
}

void tx_writer_abort(tx_writer *w)
{
    if (!w)
        return;
    unlink(w->temporary);
    writer_free(w);
}
