/* buffer.c - texts that grow in memory: pages, rows, messages. */
#include "io_private.h"

#include <stdarg.h>
#include <string.h>

static void append_bytes(tx_buffer *t, const char *bytes, size_t n)
{
    if (t->status)
        return;
    t->status = tx_grow((void **)&t->data, &t->capacity, t->length + n + 1, 1);
    if (t->status)
        return;
    memcpy(t->data + t->length, bytes, n);
    t->length += n;
    t->data[t->length] = 0;
}

/* There is a buffer and a text; a text that is missing is the buffer's failure. */
static int given(tx_buffer *t, const void *text, const char *call)
{
    if (t && text)
        return 1;
    tx_fail_null(call, t ? "text" : "buffer");
    if (t && !t->status)
        t->status = TX_ERR_ARGUMENT;
    return 0;
}

void tx_buffer_append(tx_buffer *t, const char *string)
{
    if (given(t, string, "tx_buffer_append"))
        append_bytes(t, string, strlen(string));
}

void tx_buffer_add(tx_buffer *t, const char *format, ...)
{
    if (!given(t, format, "tx_buffer_add"))
        return;
    char piece[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece) {
        if (!t->status)
            t->status = tx_fail(TX_ERR_ARGUMENT, "a piece of text longer than %zu bytes", sizeof piece - 1);
        return;
    }
    append_bytes(t, piece, (size_t)n);
}

static void put(void *buffer, const void *bytes, size_t n)
{
    append_bytes(buffer, bytes, n);
}

void tx_buffer_csv(tx_buffer *t, const char *string)
{
    if (given(t, string, "tx_buffer_csv"))
        tx_quote_csv(string, put, t);
}

void tx_buffer_base64(tx_buffer *t, const void *bytes, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!given(t, bytes, "tx_buffer_base64"))
        return;
    const unsigned char *from = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        unsigned v = (unsigned)from[i] << 16 | (n > 1 ? (unsigned)from[i + 1] << 8 : 0) | (n > 2 ? from[i + 2] : 0u);
        const char four[4] = {digit[v >> 18], digit[v >> 12 & 63], n > 1 ? digit[v >> 6 & 63] : '=',
                              n > 2 ? digit[v & 63] : '='};
        append_bytes(t, four, 4);
    }
}

void tx_buffer_html(tx_buffer *t, const char *string)
{
    if (!given(t, string, "tx_buffer_html"))
        return;
    for (const char *p = string; *p; p++) {
        const char *entity = *p == '<'   ? "&lt;"
                             : *p == '>' ? "&gt;"
                             : *p == '&' ? "&amp;"
                             : *p == '"' ? "&quot;"
                                         : NULL;
        if (entity)
            tx_buffer_append(t, entity);
        else
            append_bytes(t, p, 1);
    }
}

void tx_buffer_free(tx_buffer *t)
{
    if (!t)
        return;
    tx_free(t->data);
    memset(t, 0, sizeof *t);
}

tx_status tx_buffer_write(const tx_buffer *t, const char *path)
{
    if (!t || !path)
        return tx_fail_null("tx_buffer_write", t ? "path" : "buffer");
    if (t->status)
        return t->status;
    tx_writer *writer = tx_writer_open(path);
    if (!writer)
        return TX_ERR_FILE;
    tx_writer_bytes(writer, t->data ? t->data : "", t->length);
    return tx_writer_commit(writer);
}
