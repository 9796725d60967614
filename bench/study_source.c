/* study_source.c - where the weights come from that a pretrained job begins with: published ones, or made here of fractals,
 * once for all jobs of a network, truncated ones and other seeds too. */
#include "commands.h"
#include "model.h"
#include "pretrain.h"
#include "study.h"

#include <stdio.h>
#include <string.h>

static char *made_path(const study *s, const char *net)
{
    char file[64];
    snprintf(file, sizeof file, "%.40s.safetensors", net);
    char *folder = tx_path_join(s->out, "weights"), *path = folder ? tx_path_join(folder, file) : NULL;
    if (path && tx_folder_make(folder)) {
        tx_free(path);
        path = NULL;
    }
    tx_free(folder);
    return path;
}

/* Whether another process is making the file. */
static tx_status is_in_the_making(const char *path, int *busy)
{
    tx_buffer name = {0};
    tx_lock *lock = NULL;
    tx_buffer_add(&name, "%s.lock", path);
    tx_status status = name.status;
    *busy = 0;
    if (status == TX_OK && tx_path_exists(name.data)) {
        status = tx_lock_take(name.data, 0, &lock);
        *busy = status == TX_OK && !lock;
        tx_lock_release(lock);
    }
    tx_buffer_free(&name);
    return status;
}

/* Its seed is 0 whatever the jobs', so that all share it. */
static int make(const study *s, const job *j, char *path)
{
    options o = {0};
    char label[64];
    char *argv[] = {(char *)"--net", (char *)j->net, (char *)"--out", path, (char *)"--quiet"};
    int quiet = option_on(s->o, "quiet");
    char *lines = preset_lines(s, NULL);
    int code = lines ? options_read(&o, command_find("pretrain"), quiet ? 5 : 4, argv, lines) : complain_failed();
    snprintf(label, sizeof label, "%.40s: weights", j->net);
    if (code == EXIT_DONE)
        code = pretrain(&o, label);
    options_free(&o);
    tx_free(lines);
    return code;
}

int source_find(const study *s, job *j, int wait, char **init)
{
    int busy = 0;
    const char *folder = option_text(s->o, "pretrained");
    *init = NULL;
    if (strcmp(j->init, "random") == 0)
        return EXIT_DONE;
    *init = folder ? model_init(folder, tx_net_find(j->net)) : made_path(s, j->net);
    if (!*init || (!folder && is_in_the_making(*init, &busy)))
        return complain_failed();
    if (busy && !wait) {
        j->state = JOB_BUSY;
        return EXIT_DONE;
    }
    return folder ? EXIT_DONE : make(s, j, *init);
}

/* What the file says of itself. */
static tx_status note_metadata(const char *path, settings *note)
{
    tx_tensor_file *file = weights_open(path);
    const char *says = file ? tx_tensor_file_meta(file, "source") : NULL;
    tx_status status = !file ? tx_error_status() : says ? settings_set(note, "source.what", says) : TX_OK;
    tx_tensor_file_close(file);
    return status;
}

tx_status source_note(const study *s, const char *init, settings *note)
{
    char hex[65];
    tx_sha256 sha;
    int made = !option_text(s->o, "pretrained");
    if (!init)
        return settings_set(note, "source", "random");
    tx_sha256_begin(&sha);
    tx_status status = tx_sha256_file(&sha, init);
    tx_sha256_end(&sha, hex);
    if (status == TX_OK)
        status = settings_set(note, "source", made ? "made" : "published");
    if (status == TX_OK)
        status = settings_set(note, "source.file", last_part(init));
    if (status == TX_OK)
        status = settings_set(note, "source.sha256", hex);
    return status == TX_OK ? note_metadata(init, note) : status;
}
