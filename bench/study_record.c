/* study_record.c - what a study's folder notes: study.txt, each job's job.txt and failed.txt.
 *
 * study.txt holds what every job shares, so a folder that was made with other options, other tables or by another version is
 * refused before anything is done in it, and job.txt names the digest of its study.txt: jobs that were finished elsewhere
 * and copied together are known to belong together. None of them has a place, a time or a host in it. */
#include "environment.h"
#include "note.h"
#include "run_private.h"
#include "study.h"
#include "study_cam.h"
#include "thorax.h"

#include <stdio.h>
#include <string.h>

#define STUDY_FORMAT "thorax-study 1"
#define JOB_FORMAT "thorax-job 1"
static const char study_begin[] = "# What the jobs of this study share.\n";

/* ------------------------------------------------------------------------------------------- study.txt */
/* What matters, but what differs from job to job, and the place of the data. */
static int is_shared(int at)
{
    static const char *const not_shared[] = {"net", "cut", "init", "seed", "data"};
    for (size_t i = 0; i < sizeof not_shared / sizeof not_shared[0]; i++)
        if (strcmp(option_at(at)->name, not_shared[i]) == 0)
            return 0;
    return option_matters(at);
}

static tx_status digest_tables(study *s)
{
    static const char *const split[] = {"train", "valid", "test"};
    tx_sha256 sha;
    tx_status status = TX_OK;
    tx_sha256_begin(&sha);
    for (size_t i = 0; status == TX_OK && i < sizeof split / sizeof split[0]; i++) {
        char *path = tx_dataset_table(s->data, split[i]);
        status = path ? tx_sha256_file(&sha, path) : TX_ERR_MEMORY;
        tx_sha256_add(&sha, "/", 1);
        tx_free(path);
    }
    tx_sha256_end(&sha, s->tables);
    return status;
}

static tx_status make_record(study *s, const options *train, settings *note)
{
    char room[64];
    tx_status status = *s->tables ? TX_OK : digest_tables(s);
    if (status == TX_OK)
        status = settings_set(note, "format", STUDY_FORMAT);
    if (status == TX_OK)
        status = settings_set(note, "version", TX_VERSION);
    if (status == TX_OK)
        status = settings_format(note, "examples", "%ld", option_whole(s->o, "examples"));
    if (status == TX_OK)
        status = settings_set(note, "source", option_text(s->o, "pretrained") ? "published" : "made");
    for (int i = 0; status == TX_OK && i < option_count(); i++)
        if (command_takes(train->command, i) && is_shared(i))
            status = settings_set(note, option_at(i)->name, option_canonical(train, i, room));
    if (status == TX_OK)
        status = preset_note(s, note);
    return status == TX_OK ? settings_set(note, "tables", s->tables) : status;
}

/* The first key that the two do not share, with its values there and here; NULL: none. */
static const char *first_difference(const settings *there, const settings *here, const char *value[2])
{
    for (int turn = 0; turn < 2; turn++) {
        const settings *from = turn ? there : here;
        for (size_t i = 0; i < from->count; i++) {
            const char *key = from->pair[i].key, *a = settings_get(there, key), *b = settings_get(here, key);
            value[0] = a ? a : "";
            value[1] = b ? b : "";
            if (strcmp(value[0], value[1]))
                return key;
        }
    }
    return NULL;
}

static tx_status compare_record(const study *s, const settings *there, const settings *here)
{
    char folder[TX_TEXT], found[TX_TEXT], wanted[TX_TEXT];
    const char *value[2], *key = first_difference(there, here, value);
    if (!key)
        return TX_OK;
    const char *how = strcmp(key, "format") == 0 || strcmp(key, "version") == 0 ? "of another version"
                      : strcmp(key, "tables") == 0                              ? "of other data"
                                                                                : "made with other options";
    tx_escape(folder, sizeof folder, s->out);
    tx_escape(found, sizeof found, value[0]);
    tx_escape(wanted, sizeof wanted, value[1]);
    return tx_fail(TX_ERR_ARGUMENT,
                   "%s: a study %s, %s: found '%s', expected '%s'; --out wants another folder (or remove the folder to "
                   "begin anew)",
                   folder, how, key, found, wanted);
}

static tx_status read_record(const study *s, const char *path, const settings *here)
{
    char escaped[TX_TEXT];
    settings there = {0};
    tx_status status = settings_read(&there, path);
    if (status == TX_OK && !settings_get(&there, "format"))
        status = tx_fail(TX_ERR_FILE, "%s: holds a file study.txt that is no study's; --out wants a folder for a study",
                         tx_escape(escaped, sizeof escaped, s->out));
    if (status == TX_OK)
        status = compare_record(s, &there, here);
    settings_free(&there);
    return status;
}

tx_status study_record(study *s, const options *train, int write)
{
    settings here = {0};
    tx_buffer text = {0};
    tx_path_kind kind = TX_PATH_NONE;
    char *path = tx_path_join(s->out, "study.txt");
    tx_status status = path ? make_record(s, train, &here) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = note_print(&text, &here, study_begin, s->record);
    if (status == TX_OK)
        status = look_at(s->out, "study.txt", &kind);
    if (status == TX_OK && kind != TX_PATH_NONE)
        status = read_record(s, path, &here);
    else if (status == TX_OK && write)
        status = tx_folder_make(s->out);
    if (status == TX_OK && kind == TX_PATH_NONE && write)
        status = tx_buffer_write(&text, path);
    tx_free(path);
    tx_buffer_free(&text);
    settings_free(&here);
    return status;
}

/* --------------------------------------------------------------------------------------------- job.txt */
static const char job_begin[] = "# This job is complete; what it has made.\n", of_file[] = "sha256.";

static tx_status note_file(settings *note, const char *folder, const char *file)
{
    char hex[65];
    tx_buffer key = {0};
    tx_status status = file_digest(folder, file, hex);
    tx_buffer_add(&key, "%s%s", of_file, file);
    if (status == TX_OK)
        status = key.status ? key.status : settings_set(note, key.data, hex);
    tx_buffer_free(&key);
    return status;
}

tx_status job_note_end(const study *s, const job *j, settings *note)
{
    static const char *const files[] = {"digests.txt", "metrics.csv", "ensemble-valid.csv", "ensemble-test.csv"};
    char **map = NULL;
    size_t maps = 0;
    char *folder = job_folder(s, j), *path = job_path(s, j, "job.txt");
    tx_status status = folder && path ? study_cam_files(folder, &map, &maps) : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < sizeof files / sizeof files[0]; i++) {
        tx_path_kind kind;
        status = look_at(folder, files[i], &kind);
        if (status == TX_OK && kind != TX_PATH_NONE)
            status = note_file(note, folder, files[i]);
    }
    for (size_t i = 0; status == TX_OK && i < maps; i++)
        status = note_file(note, folder, map[i]);
    tx_folder_names_free(map, maps);
    if (status == TX_OK)
        status = note_write(note, job_begin, path);
    tx_free(folder);
    tx_free(path);
    return status;
}

tx_status job_note_begin(const study *s, settings *note)
{
    tx_status status = settings_set(note, "format", JOB_FORMAT);
    return status == TX_OK ? settings_set(note, "study", s->record) : status;
}

static tx_status check_note(const study *s, const settings *note)
{
    char found[TX_TEXT];
    const char *format = settings_get(note, "format"), *of = settings_get(note, "study");
    if (!format || strcmp(format, JOB_FORMAT))
        return tx_fail(TX_ERR_ARGUMENT, "job.txt: found format '%s', expected '%s'",
                       tx_escape(found, sizeof found, format ? format : ""), JOB_FORMAT);
    if (!of || strcmp(of, s->record))
        return tx_fail(TX_ERR_ARGUMENT, "job.txt: the job of another study: other options, tables or version");
    return TX_OK;
}

/* The digests of files that the note has; one that is not there makes *there 0. */
static tx_status check_files(const char *folder, const settings *note, int *there)
{
    char hex[65], name[TX_TEXT];
    for (size_t i = 0; i < note->count; i++) {
        const char *file = note->pair[i].key;
        tx_path_kind kind;
        if (strncmp(file, of_file, sizeof of_file - 1))
            continue;
        file += sizeof of_file - 1;
        tx_status status = look_at(folder, file, &kind);
        if (status)
            return status;
        if (kind == TX_PATH_NONE) {
            *there = 0;
            continue;
        }
        status = file_digest(folder, file, hex);
        if (status)
            return status;
        if (strcmp(hex, note->pair[i].value))
            return tx_fail(
                TX_ERR_FORMAT,
                "%s is not as it was written: found SHA-256 %.12s.., expected %.12s.. (remove it to make it again)",
                tx_escape(name, sizeof name, file), hex, note->pair[i].value);
    }
    return TX_OK;
}

tx_status job_read(const study *s, const job *j, settings *note, int *there)
{
    tx_path_kind kind = TX_PATH_NONE;
    char *folder = job_folder(s, j), *path = job_path(s, j, "job.txt");
    tx_status status = folder && path ? look_at(folder, "job.txt", &kind) : TX_ERR_MEMORY;
    int whole = 0;
    *there = status == TX_OK && kind != TX_PATH_NONE;
    if (*there)
        status = note_read(note, path, &whole);
    if (status == TX_OK && *there)
        status = check_note(s, note);
    if (status == TX_OK && *there && settings_get(note, "sha256") && !whole)
        status = tx_fail(TX_ERR_FORMAT, "job.txt is not as it was written (remove it to make it again)");
    if (status == TX_OK && *there)
        status = check_files(folder, note, there);
    tx_free(folder);
    tx_free(path);
    return status;
}

/* ------------------------------------------------------------------------------------------ failed.txt */
/* A line of failed.txt into j->why, if there is one. */
static tx_status read_failure(const study *s, job *j)
{
    unsigned char *text = NULL;
    size_t bytes;
    char *path = job_path(s, j, "failed.txt");
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && tx_path_exists(path)) {
        status = tx_file_read(path, 1 << 16, &text, &bytes);
        if (status == TX_OK) {
            text[strcspn((char *)text, "\n")] = 0;
            j->why = (char *)text;
            j->state = JOB_FAILED;
        }
    }
    tx_free(path);
    return status;
}

tx_status job_look(const study *s, job *j)
{
    settings note = {0};
    int there;
    tx_free(j->why);
    j->why = NULL;
    j->state = JOB_ABSENT;
    tx_status status = job_read(s, j, &note, &there);
    settings_free(&note);
    if (status == TX_OK && there)
        j->state = JOB_COMPLETE;
    else if (status == TX_OK)
        status = read_failure(s, j);
    if (status == TX_ERR_FORMAT || status == TX_ERR_ARGUMENT) {
        j->state = JOB_FAILED;
        j->why = tx_strdup(tx_error_message());
        status = j->why ? TX_OK : TX_ERR_MEMORY;
    }
    return status;
}

/* Whether a text names this place at `at`, alone or as the beginning of a path, rather than has a word that is spelled so. */
static int names_place(const char *text, const char *at, const char *place, size_t n)
{
    if (strncmp(at, place, n) || (at > text && !strchr(" '\"(=", at[-1])))
        return 0;
    return at[n] == '/' || at[n] == ':' || (*place == '/' && strchr(" ,;'\")", at[n]));
}

/* Replaces a folder's name, as typed or absolute, by what stands for it. */
static void replace_place(tx_buffer *text, const char *place, const char *with)
{
    size_t n = place ? strlen(place) : 0;
    tx_buffer out = {0};
    while (n > 1 && place[n - 1] == '/')
        n--;
    if (n == 0 || !text->data)
        return;
    for (const char *at = text->data; *at;) {
        if (names_place(text->data, at, place, n)) {
            tx_buffer_append(&out, with);
            at += n;
        } else {
            tx_buffer_add(&out, "%c", *at++);
        }
    }
    tx_buffer_free(text);
    *text = out;
}

/* Of other absolute paths the last part stays. */
static void cut_paths(char *text)
{
    for (char *at = text; *at;) {
        size_t n = strcspn(at, " :,;'");
        if (*at == '/') {
            char *end = at + n, *last = end;
            while (last > at && last[-1] != '/')
                last--;
            memmove(at, last, strlen(last) + 1);
            n -= (size_t)(last - at);
        }
        at += n;
        at += *at != 0;
    }
}

static void without_places(const study *s, tx_buffer *text)
{
    const char *const place[] = {s->out, s->data, option_text(s->o, "pretrained")}, *const with[] = {"OUT", "DIR",
                                                                                                     "PRETRAINED"};
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        char *whole = place[i] ? absolute_path(place[i]) : NULL;
        replace_place(text, whole, with[i]);
        replace_place(text, place[i], with[i]);
        tx_free(whole);
    }
    if (text->data) {
        cut_paths(text->data);
        text->length = strlen(text->data);
    }
}

void job_failed(const study *s, job *j)
{
    tx_buffer text = {0};
    char *path = job_path(s, j, "failed.txt");
    tx_buffer_append(&text, complaint());
    without_places(s, &text);
    tx_free(j->why);
    j->why = text.data ? tx_strdup(text.data) : NULL;
    j->state = JOB_FAILED;
    tx_buffer_append(&text, "\n");
    /* Where not even this can be written, the message on the screen is what there is. */
    if (path && text.status == TX_OK)
        (void)tx_buffer_write(&text, path);
    tx_free(path);
    tx_buffer_free(&text);
}

void job_forget_failure(const study *s, job *j)
{
    char *path = job_path(s, j, "failed.txt");
    if (path)
        remove(path);
    tx_free(path);
    tx_free(j->why);
    j->why = NULL;
}

void job_succeeded(const study *s, job *j)
{
    job_forget_failure(s, j);
    j->state = JOB_COMPLETE;
}
