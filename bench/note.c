/* note.c - lines `key = value` that end with their digest, written and read again. */
#include "note.h"

#include <string.h>

static const char digest_key[] = "sha256 = ";

static void digest(const char *text, size_t bytes, char hex[65])
{
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, text, bytes);
    tx_sha256_end(&sha, hex);
}

tx_status note_print(tx_buffer *out, const settings *s, const char *begin, char hex[65])
{
    tx_buffer_append(out, begin);
    for (size_t i = 0; i < s->count; i++)
        settings_line(out, s->pair[i].key, s->pair[i].value);
    if (out->status == TX_OK)
        digest(out->data, out->length, hex);
    return out->status;
}

tx_status note_write(const settings *s, const char *begin, const char *path)
{
    char hex[65];
    tx_buffer p = {0};
    tx_status status = note_print(&p, s, begin, hex);
    if (status == TX_OK)
        tx_buffer_add(&p, "%s%s\n", digest_key, hex);
    if (status == TX_OK)
        status = tx_buffer_write(&p, path);
    tx_buffer_free(&p);
    return status;
}

static int is_whole(const char *text, size_t bytes)
{
    char hex[65];
    size_t last = sizeof digest_key - 1 + 64 + 1;
    if (bytes < last || memcmp(text + bytes - last, digest_key, sizeof digest_key - 1) != 0 || text[bytes - 1] != '\n')
        return 0;
    digest(text, bytes - last, hex);
    return memcmp(hex, text + bytes - 65, 64) == 0;
}

tx_status note_read(settings *s, const char *path, int *whole)
{
    unsigned char *text = NULL;
    size_t bytes = 0;
    tx_status status = tx_file_read(path, (size_t)1 << 26, &text, &bytes);
    *whole = status == TX_OK && is_whole((const char *)text, bytes);
    if (status == TX_OK)
        status = settings_parse(s, (char *)text, path);
    tx_free(text);
    return status;
}
