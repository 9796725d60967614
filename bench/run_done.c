/* run_done.c - the done mark: what a finished run notes of itself. */
#include "note.h"
#include "run_private.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

static const char done_begin[] = "# This run is finished; what it has kept.\n";
#define DONE_FORMAT "thorax-done 1"

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
    int whole = 0;
    settings s = {0};
    char *path = tx_path_join(folder, "done");
    tx_status status = path ? note_read(&s, path, &whole) : TX_ERR_MEMORY;
    if (status == TX_OK && (status = take(&s, whole, mark, at)) != TX_OK)
        tx_fail_within(status, "%s", tx_escape(escaped, sizeof escaped, path));
    settings_free(&s);
    tx_free(path);
    return status;
}

tx_status done_write(const char *folder, const done_mark *mark, const run_position *at)
{
    settings s = {0};
    tx_status status = settings_set(&s, "format", DONE_FORMAT);
    if (status == TX_OK)
        status = settings_set(&s, "state", mark->state);
    for (int i = 0; status == TX_OK && i < RUN_PRODUCTS; i++)
        status = settings_set(&s, run_product_names[i], mark->product[i]);
    if (status == TX_OK)
        status = position_write(at, &s);
    if (status == TX_OK)
        status = settings_set(&s, "config", at->config);
    char *path = status == TX_OK ? tx_path_join(folder, "done") : NULL;
    if (status == TX_OK)
        status = path ? note_write(&s, done_begin, path) : TX_ERR_MEMORY;
    tx_free(path);
    settings_free(&s);
    return status;
}
