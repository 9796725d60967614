/* run_done.c - the done mark: what a finished run notes of itself, as lines `key = value`, the last one the digest of
 * those before it. */
#include "run_private.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

static const char done_begin[] = "# This run is finished; what it has kept.\n";
#define DONE_FORMAT "thorax-done 1"
static const char digest_key[] = "sha256 = ";

/* The mark of versions that noted neither format nor digest: four lines, a step and three digests. */
static int is_older(const settings *s)
{
    static const char *const keys[] = {"config", "identity", "chain"};
    uint64_t step;
    const char *text = settings_get(s, "step");
    int older = s->count == 4 && text && parse_seed(text, &step) == 0;
    for (size_t i = 0; older && i < 3; i++) {
        text = settings_get(s, keys[i]);
        older = text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
    }
    return older;
}

int note_is_whole(const char *text, size_t bytes)
{
    char hex[65];
    size_t last = sizeof digest_key - 1 + 64 + 1;
    if (bytes < last || memcmp(text + bytes - last, digest_key, sizeof digest_key - 1) != 0 || text[bytes - 1] != '\n')
        return 0;
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, text, bytes - last);
    tx_sha256_end(&sha, hex);
    return memcmp(hex, text + bytes - 65, 64) == 0;
}

static tx_status take(const settings *s, int whole, done_mark *mark, run_position *at)
{
    const char *format = settings_get(s, "format"), *state = settings_get(s, "state"),
               *config = settings_get(s, "config");
    char found[TX_TEXT];
    uint64_t version;
    int other = format ? strcmp(format, DONE_FORMAT) != 0 && strncmp(format, "thorax-done ", 12) == 0 &&
                             parse_seed(format + 12, &version) == 0
                       : is_older(s);
    if (other)
        return tx_fail(TX_ERR_ARGUMENT, "format '%s', which another version of thorax writes; this one has '%s'",
                       tx_escape(found, sizeof found, format ? format : ""), DONE_FORMAT);
    if (!whole)
        return tx_fail(TX_ERR_FORMAT, "its lines do not have the digest in its last one");
    memset(mark, 0, sizeof *mark);
    snprintf(mark->state, sizeof mark->state, "%s", state ? state : "");
    for (int i = 0; i < RUN_PRODUCTS; i++) {
        const char *digest = settings_get(s, run_product_names[i]);
        snprintf(mark->product[i], sizeof mark->product[i], "%s", digest ? digest : "");
    }
    tx_status status = position_read(at, s);
    if (status == TX_OK && !(at->config = tx_strdup(config ? config : ""))) {
        position_free(at);
        return TX_ERR_MEMORY;
    }
    return status;
}

tx_status done_read(const char *folder, done_mark *mark, run_position *at)
{
    char escaped[TX_TEXT];
    unsigned char *text = NULL;
    size_t bytes = 0;
    settings s = {0};
    char *path = tx_path_join(folder, "done");
    tx_status status = path ? tx_file_read(path, (size_t)1 << 26, &text, &bytes) : TX_ERR_MEMORY;
    int whole = status == TX_OK && note_is_whole((const char *)text, bytes);
    if (status == TX_OK)
        status = settings_parse(&s, (char *)text, path);
    if (status == TX_OK && (status = take(&s, whole, mark, at)) != TX_OK)
        tx_fail_within(status, "%s", tx_escape(escaped, sizeof escaped, path));
    settings_free(&s);
    tx_free(text);
    tx_free(path);
    return status;
}

tx_status done_write(const char *folder, const done_mark *mark, const run_position *at)
{
    char hex[65];
    settings s = {0};
    tx_buffer p = {0};
    tx_status status = settings_set(&s, "format", DONE_FORMAT);
    if (status == TX_OK)
        status = settings_set(&s, "state", mark->state);
    for (int i = 0; status == TX_OK && i < RUN_PRODUCTS; i++)
        status = settings_set(&s, run_product_names[i], mark->product[i]);
    if (status == TX_OK)
        status = position_write(at, &s);
    if (status == TX_OK)
        status = settings_set(&s, "config", at->config);
    tx_buffer_append(&p, done_begin);
    for (size_t i = 0; i < s.count; i++) {
        tx_buffer_append(&p, s.pair[i].key);
        tx_buffer_append(&p, " = ");
        settings_quote(&p, s.pair[i].value);
        tx_buffer_append(&p, "\n");
    }
    if (status == TX_OK)
        status = p.status;
    if (status == TX_OK) {
        tx_sha256 sha;
        tx_sha256_begin(&sha);
        tx_sha256_add(&sha, p.data, p.length);
        tx_sha256_end(&sha, hex);
        tx_buffer_add(&p, "%s%s\n", digest_key, hex);
    }
    char *path = status == TX_OK ? tx_path_join(folder, "done") : NULL;
    if (status == TX_OK)
        status = path ? tx_buffer_write(&p, path) : TX_ERR_MEMORY;
    tx_free(path);
    tx_buffer_free(&p);
    settings_free(&s);
    return status;
}
