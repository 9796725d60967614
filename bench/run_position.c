/* run_position.c - what states and the done mark note of a run, as keys and values. */
#include "run_private.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void position_free(run_position *at)
{
    tx_free(at->state);
    tx_free(at->end);
    tx_free(at->config);
    memset(at, 0, sizeof *at);
}

tx_status position_add_state(run_position *at, uint64_t step, const char *seal)
{
    if (tx_grow((void **)&at->state, &at->state_room, at->states + 1, sizeof *at->state))
        return TX_ERR_MEMORY;
    run_kept *kept = &at->state[at->states++];
    kept->step = step;
    snprintf(kept->seal, sizeof kept->seal, "%s", seal);
    return TX_OK;
}

tx_status position_add_end(run_position *at, uint64_t step)
{
    if (tx_grow((void **)&at->end, &at->end_room, at->ends + 1, sizeof *at->end))
        return TX_ERR_MEMORY;
    at->end[at->ends++] = step;
    return TX_OK;
}

int score_better(double a, double b)
{
    return a > b || (isnan(b) && !isnan(a));
}

int score_parse(const char *text, double *score)
{
    *score = (double)NAN;
    return strcmp(text, "nan") == 0 ? 0 : parse_real(text, -1e300, 1e300, score);
}

/* --------------------------------------------------------------------------------------------- writing */
typedef struct number_key {
    const char *key;
    size_t offset;
} number_key;
static const number_key numbers[] = {
    {"step", offsetof(run_position, step)},           {"total", offsetof(run_position, total)},
    {"evaluated", offsetof(run_position, evaluated)}, {"digested", offsetof(run_position, digested)},
    {"evicted", offsetof(run_position, evicted)},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

typedef struct switch_key {
    const char *key;
    size_t offset;
} switch_key;
static const switch_key switches[] = {{"restarted", offsetof(run_position, restarted)},
                                      {"clears", offsetof(run_position, clears)}};
enum { SWITCHES = sizeof switches / sizeof switches[0] };

/* Digests that are always there, and those that may be "". */
typedef struct digest_key {
    const char *key;
    size_t offset;
    int may_lack;
} digest_key;
static const digest_key digests[] = {{"chain", offsetof(run_position, chain), 0},
                                     {"identity", offsetof(run_position, identity), 0},
                                     {"former_config", offsetof(run_position, former_config), 1},
                                     {"former_done", offsetof(run_position, former_done), 1}};
enum { DIGESTS = sizeof digests / sizeof digests[0] };

/* "STEP SCORE SHA256 WEIGHTS;..", "STEP SEAL;..", "STEP;.." */
static tx_status write_lists(const run_position *at, settings *out)
{
    char number[TX_NUMBER];
    tx_buffer best = {0}, state = {0}, end = {0};
    for (size_t i = 0; i < at->kept; i++)
        tx_buffer_add(&best, "%s%llu %s %s %s", i ? ";" : "", (unsigned long long)at->best[i].step,
                      tx_number_shortest(number, sizeof number, at->best[i].score), at->best[i].sha256,
                      at->best[i].weights);
    for (size_t i = 0; i < at->states; i++)
        tx_buffer_add(&state, "%s%llu %s", i ? ";" : "", (unsigned long long)at->state[i].step, at->state[i].seal);
    for (size_t i = 0; i < at->ends; i++)
        tx_buffer_add(&end, "%s%llu", i ? ";" : "", (unsigned long long)at->end[i]);
    tx_status status = best.status ? best.status : state.status ? state.status : end.status;
    if (status == TX_OK)
        status = settings_set(out, "best", best.data ? best.data : "");
    if (status == TX_OK)
        status = settings_set(out, "states", state.data ? state.data : "");
    if (status == TX_OK)
        status = settings_set(out, "ends", end.data ? end.data : "");
    tx_buffer_free(&best);
    tx_buffer_free(&state);
    tx_buffer_free(&end);
    return status;
}

tx_status position_write(const run_position *at, settings *out)
{
    char number[TX_NUMBER];
    const char *base = (const char *)at;
    tx_status status = TX_OK;
    for (size_t i = 0; status == TX_OK && i < NUMBERS; i++)
        status = settings_format(out, numbers[i].key, "%llu",
                                 (unsigned long long)*(const uint64_t *)(const void *)(base + numbers[i].offset));
    for (size_t i = 0; status == TX_OK && i < SWITCHES; i++)
        status =
            settings_set(out, switches[i].key, *(const int *)(const void *)(base + switches[i].offset) ? "yes" : "no");
    for (size_t i = 0; status == TX_OK && i < DIGESTS; i++)
        status = settings_set(out, digests[i].key, base + digests[i].offset);
    if (status == TX_OK)
        status = settings_set(out, "seconds", tx_number_print(number, sizeof number, at->seconds, 9));
    if (status == TX_OK)
        status = write_lists(at, out);
    for (int t = 0; status == TX_OK && t < RUN_TABLES; t++)
        status = settings_format(out, run_table_names[t], "%llu %s", (unsigned long long)at->table[t].bytes,
                                 at->table[t].sha256);
    return status;
}

/* --------------------------------------------------------------------------------------------- reading */
static int take_digest(char out[65], const char *text)
{
    if (strlen(text) != 64)
        return -1;
    memcpy(out, text, 65);
    return 0;
}

/* Cuts an item at its blanks: 0 if it has `n` words. */
static int words_of(char *item, char **word, int n)
{
    for (int i = 0; i < n; i++) {
        word[i] = item;
        item = strchr(item, ' ');
        if (!item)
            return i == n - 1 ? 0 : -1;
        *item++ = 0;
    }
    return -1;
}

static int read_best(const char *text, run_position *at)
{
    char item[224], *word[4];
    at->kept = 0;
    while (text && *text) {
        if (at->kept == RUN_BEST || next_item(&text, ';', item, sizeof item) != 1 || words_of(item, word, 4))
            return -1;
        run_best *b = &at->best[at->kept++];
        if (parse_seed(word[0], &b->step) || score_parse(word[1], &b->score) || take_digest(b->sha256, word[2]) ||
            take_digest(b->weights, word[3]))
            return -1;
    }
    return 0;
}

static tx_status read_states(const char *text, run_position *at)
{
    char item[160], *word[2];
    uint64_t step;
    while (text && *text) {
        if (next_item(&text, ';', item, sizeof item) != 1 || words_of(item, word, 2) || parse_seed(word[0], &step) ||
            strlen(word[1]) != 64)
            return TX_ERR_FORMAT;
        if (position_add_state(at, step, word[1]))
            return TX_ERR_MEMORY;
    }
    return TX_OK;
}

static tx_status read_ends(const char *text, run_position *at)
{
    char item[32];
    uint64_t step;
    while (text && *text) {
        if (next_item(&text, ';', item, sizeof item) != 1 || parse_seed(item, &step))
            return TX_ERR_FORMAT;
        if (position_add_end(at, step))
            return TX_ERR_MEMORY;
    }
    return TX_OK;
}

static int read_table(const char *text, run_position *at, int t)
{
    char item[96], *word[2];
    return !text || next_item(&text, ';', item, sizeof item) != 1 || words_of(item, word, 2) ||
           parse_seed(word[0], &at->table[t].bytes) || take_digest(at->table[t].sha256, word[1]);
}

static int read_single(run_position *at, const settings *in)
{
    char *base = (char *)at;
    const char *text;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!(text = settings_get(in, numbers[i].key)) ||
            parse_seed(text, (uint64_t *)(void *)(base + numbers[i].offset)))
            return -1;
    for (size_t i = 0; i < SWITCHES; i++) {
        if (!(text = settings_get(in, switches[i].key)))
            return -1;
        *(int *)(void *)(base + switches[i].offset) = strcmp(text, "yes") == 0;
    }
    for (size_t i = 0; i < DIGESTS; i++)
        if (!(text = settings_get(in, digests[i].key)) ||
            (take_digest(base + digests[i].offset, text) && (*text || !digests[i].may_lack)))
            return -1;
    text = settings_get(in, "seconds");
    return !text || parse_real(text, 0, 1e300, &at->seconds) ? -1 : 0;
}

tx_status position_read(run_position *at, const settings *in)
{
    const char *best = settings_get(in, "best"), *states = settings_get(in, "states"), *ends = settings_get(in, "ends");
    memset(at, 0, sizeof *at);
    int bad = !best || !states || !ends || read_single(at, in) || read_best(best, at);
    for (int t = 0; !bad && t < RUN_TABLES; t++)
        bad = read_table(settings_get(in, run_table_names[t]), at, t);
    tx_status status = bad ? TX_ERR_FORMAT : read_states(states, at);
    if (status == TX_OK)
        status = read_ends(ends, at);
    if (status == TX_ERR_FORMAT)
        tx_fail(status, "its notes are not those that this version writes");
    if (status)
        position_free(at);
    return status;
}
