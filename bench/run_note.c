/* run_note.c - what a folder says of its run without a look at the rest: that there is one, where it stands. */
#include "run_private.h"

#include <string.h>

tx_status run_is_there(const char *folder, int *there)
{
    unsigned char *text = NULL;
    size_t bytes = 0, begin = sizeof RUN_CONFIG_BEGIN - 1;
    tx_path_kind kind;
    tx_status status = look_at(folder, "config.txt", &kind);
    char *path = status == TX_OK && kind == TX_PATH_FILE ? tx_path_join(folder, "config.txt") : NULL;
    if (path)
        status = tx_file_read(path, (size_t)1 << 30, &text, &bytes);
    *there = text && bytes >= begin && memcmp(text, RUN_CONFIG_BEGIN, begin) == 0;
    tx_free(text);
    tx_free(path);
    return status;
}

tx_status run_note(const char *folder, run_position *at, int *known)
{
    done_mark mark;
    tx_path_kind kind;
    tx_status status = look_at(folder, "done", &kind);
    *known = 0;
    memset(at, 0, sizeof *at);
    if (status == TX_OK && kind != TX_PATH_NONE) {
        status = done_read(folder, &mark, at);
    } else if (status == TX_OK) {
        status = look_at(folder, "state.safetensors", &kind);
        char *path = status == TX_OK && kind != TX_PATH_NONE ? tx_path_join(folder, "state.safetensors") : NULL;
        if (kind == TX_PATH_NONE)
            return status;
        if (status == TX_OK)
            status = path ? state_peek(path, at) : TX_ERR_MEMORY;
        tx_free(path);
    }
    *known = status == TX_OK;
    return status == TX_ERR_ARGUMENT ? TX_OK : status;
}
