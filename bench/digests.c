/* digests.c - the lines of digests.txt, `STEP SHA256 CHAIN`, and whether a checkpoint is what it says there.
 *
 * CHAIN is the SHA-256 of the former line's 64 digits followed by this line's `STEP SHA256`, so no line can be changed
 * without all that follow. */
#include "digests.h"
#include "environment.h"
#include "run_private.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

const char digests_zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";
enum { LINE = 256 };
#define DIGESTS_AT_MOST ((size_t)1 << 30)

void digests_line(uint64_t step, const char *sha256, char chain[65], char *line)
{
    int n = snprintf(line, LINE, "%llu %s", (unsigned long long)step, sha256);
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, chain, 64);
    tx_sha256_add(&sha, line, (size_t)n);
    tx_sha256_end(&sha, chain);
    snprintf(line + n, (size_t)(LINE - n), " %s\n", chain);
}

/* Reads the line at `text`: its length, or 0 if it is not the one that follows `chain`, which becomes its own. */
static size_t read_line(const char *text, char chain[65], uint64_t *step, char sha256[65])
{
    char number[24], line[LINE];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits >= sizeof number || text[digits] != ' ')
        return 0;
    snprintf(number, sizeof number, "%.*s", (int)digits, text);
    snprintf(sha256, 65, "%.64s", text + digits + 1);
    if (parse_seed(number, step) || strspn(sha256, "0123456789abcdef") != 64)
        return 0;
    digests_line(*step, sha256, chain, line);
    size_t n = strlen(line);
    return strncmp(text, line, n) == 0 ? n : 0;
}

static tx_status read_file(const char *folder, unsigned char **text, size_t *bytes)
{
    char *path = tx_path_join(folder, "digests.txt");
    tx_status status = path ? tx_file_read(path, DIGESTS_AT_MOST, text, bytes) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

tx_status digests_broken(const char *folder, uint64_t bytes, size_t *line)
{
    char chain[65], sha256[65];
    unsigned char *text = NULL;
    size_t size = 0, at = 0, n = 1;
    uint64_t step;
    tx_status status = read_file(folder, &text, &size);
    memcpy(chain, digests_zeros, 65);
    for (*line = 1; status == TX_OK && at < size && at < bytes; at += n, ++*line)
        if ((n = read_line((const char *)text + at, chain, &step, sha256)) == 0)
            break;
    if (n > 0)
        *line = 0;
    tx_free(text);
    return status;
}

tx_status digests_find(const char *folder, uint64_t wanted, char sha256[65])
{
    char escaped[TX_TEXT], chain[65];
    unsigned char *text = NULL;
    size_t size = 0, at = 0, n = 1, line = 1;
    uint64_t step = 0;
    int found = 0;
    tx_status status = read_file(folder, &text, &size);
    memcpy(chain, digests_zeros, 65);
    for (; status == TX_OK && !found && n > 0 && at < size; at += n, line++) {
        n = read_line((const char *)text + at, chain, &step, sha256);
        found = n > 0 && step == wanted;
        if (n == 0)
            status = tx_fail(TX_ERR_FORMAT, "%s/digests.txt: line %zu does not follow from the lines before it",
                             tx_escape(escaped, sizeof escaped, folder), line);
    }
    if (status == TX_OK && !found)
        status = tx_fail(TX_ERR_FORMAT, "%s/digests.txt: has no line of step %llu",
                         tx_escape(escaped, sizeof escaped, folder), (unsigned long long)wanted);
    tx_free(text);
    return status;
}

tx_status digests_read(const char *folder, digests_row **row, size_t *rows, size_t *broken)
{
    char chain[65];
    unsigned char *text = NULL;
    size_t size = 0, at = 0, room = 0;
    tx_status status = read_file(folder, &text, &size);
    memcpy(chain, digests_zeros, 65);
    *row = NULL;
    *rows = *broken = 0;
    while (status == TX_OK && !*broken && at < size && memchr(text + at, '\n', size - at)) {
        status = tx_grow((void **)row, &room, *rows + 1, sizeof **row);
        if (status)
            break;
        digests_row *next = *row + *rows;
        size_t n = read_line((const char *)text + at, chain, &next->step, next->sha256);
        *broken = n ? 0 : *rows + 1;
        *rows += n > 0;
        at += n;
    }
    tx_free(text);
    return status;
}

/* -------------------------------------------------------------------------------------- of a checkpoint */
/* A checkpoint lists its tensors in state order, as float32 in the file's layout, which is what the digest is over. */
static tx_status digest_tensors(tx_safetensors *file, char sha256[65])
{
    tx_sha256 sha;
    size_t largest = 0;
    for (size_t i = 0; i < tx_safetensors_count(file); i++)
        if (tx_safetensors_at(file, i)->count > largest)
            largest = tx_safetensors_at(file, i)->count;
    float *values = tx_alloc(largest, sizeof *values);
    tx_status status = values ? TX_OK : TX_ERR_MEMORY;
    tx_sha256_begin(&sha);
    for (size_t i = 0; status == TX_OK && i < tx_safetensors_count(file); i++) {
        const tx_stored *t = tx_safetensors_at(file, i);
        if (t->dtype != TX_F32)
            continue;
        status = tx_safetensors_floats(file, t, values);
        if (status == TX_OK)
            tx_sha256_floats(&sha, values, t->count);
    }
    tx_sha256_end(&sha, sha256);
    tx_free(values);
    return status;
}

tx_status checkpoint_digest(const char *path, char sha256[65])
{
    tx_safetensors *file = tx_safetensors_open(path);
    tx_status status = file ? digest_tensors(file, sha256) : tx_error_status();
    tx_safetensors_close(file);
    return status;
}

/* Cuts the last part off a path: its name, or NULL. */
static const char *cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return NULL;
    *slash = 0;
    return slash + 1;
}

static tx_status other_weights(const char *path, uint64_t step)
{
    char escaped[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: its weights are not those that its run's digests.txt has for step %llu",
                   tx_escape(escaped, sizeof escaped, path), (unsigned long long)step);
}

static tx_status compare_weights(const char *folder, const char *path, uint64_t step)
{
    char noted[65], found[65];
    tx_status status = digests_find(folder, step, noted);
    if (status == TX_OK)
        status = checkpoint_digest(path, found);
    return status == TX_OK && strcmp(noted, found) ? other_weights(path, step) : status;
}

/* With what the run's done mark or state notes of the file: one pass over it tells of weights and metadata. */
static tx_status compare_noted(const char *folder, const char *path, const run_best *noted)
{
    char escaped[TX_TEXT], found[65], line[65];
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_status status = tx_sha256_file(&sha, path);
    tx_sha256_end(&sha, found);
    if (status == TX_OK && strcmp(found, noted->sha256) == 0)
        status = digests_find(folder, noted->step, line);
    else if (status == TX_OK && (status = compare_weights(folder, path, noted->step)) == TX_OK)
        return tx_fail(TX_ERR_FORMAT, "%s: its bytes are not those that its run wrote",
                       tx_escape(escaped, sizeof escaped, path));
    return status == TX_OK && strcmp(line, noted->weights) ? other_weights(path, noted->step) : status;
}

/* The step of which its metadata say it is; *has 0: they say none. */
static tx_status step_within(const char *path, uint64_t *step, int *has)
{
    tx_safetensors *file = tx_safetensors_open(path);
    const char *text = file ? tx_safetensors_meta(file, "step") : NULL;
    *has = text && parse_seed(text, step) == 0;
    tx_status status = file ? TX_OK : tx_error_status();
    tx_safetensors_close(file);
    return status;
}

static tx_status compare(const char *folder, const char *path, uint64_t step)
{
    int known = 0;
    const run_best *noted = NULL;
    run_position *at = tx_alloc(1, sizeof *at);
    tx_status status = at ? run_note(folder, at, &known) : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && known && i < at->kept; i++)
        if (at->best[i].step == step)
            noted = &at->best[i];
    if (status == TX_OK)
        status = noted ? compare_noted(folder, path, noted) : compare_weights(folder, path, step);
    if (known)
        position_free(at);
    tx_free(at);
    return status;
}

/* Compares the file `path` of RUN/checkpoints/NAME with what the run noted. */
static tx_status vouch(const char *folder, const char *name, const char *path)
{
    char escaped[TX_TEXT];
    uint64_t within = 0, step = 0;
    int has, named = is_step_name(name, &step);
    tx_status status = step_within(path, &within, &has);
    if (status || (!has && !named))
        return status;
    if (has && named && within != step)
        return tx_fail(TX_ERR_FORMAT, "%s: says that it is of step %llu", tx_escape(escaped, sizeof escaped, path),
                       (unsigned long long)within);
    return compare(folder, path, named ? step : within);
}

tx_status checkpoint_vouch(const char *path)
{
    int is_run = 0;
    char *whole = absolute_path(path);
    if (!whole)
        return TX_ERR_MEMORY;
    const char *name = cut_name(whole), *below = name ? cut_name(whole) : NULL;
    tx_status status = below && strcmp(below, "checkpoints") == 0 ? run_is_there(whole, &is_run) : TX_OK;
    if (status == TX_OK && is_run)
        status = vouch(whole, name, path);
    tx_free(whole);
    return status;
}
