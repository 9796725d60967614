/* words.c - single words of a command line or a file: numbers, items of lists, the nearest of some names. */
#include "words.h"

#include <string.h>

int parse_real(const char *text, double low, double high, double *value)
{
    double v;
    if (tx_number_parse(text, &v) || !(v >= low && v <= high))
        return -1;
    *value = v;
    return 0;
}

int parse_whole(const char *text, double low, double high, long *value)
{
    int64_t v;
    if (tx_integer_parse(text, &v) || (double)v < low || (double)v > high)
        return -1;
    *value = (long)v;
    return 0;
}

int parse_seed(const char *text, uint64_t *value)
{
    uint64_t v = 0;
    if (!*text)
        return -1;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return -1;
        v = v * 10 + digit;
    }
    *value = v;
    return 0;
}

int next_item(const char **list, char separator, char *out, size_t size)
{
    if (!*list)
        return 0;
    const char *from = *list, *end = strchr(from, separator);
    size_t n = end ? (size_t)(end - from) : strlen(from);
    *list = end ? end + 1 : NULL;
    while (n > 0 && (*from == ' ' || *from == '\t')) {
        from++;
        n--;
    }
    while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t'))
        n--;
    if (n >= size)
        return -1;
    memcpy(out, from, n);
    out[n] = 0;
    return 1;
}

int betas_read(const char *text, double *beta1, double *beta2)
{
    char item[32];
    if (next_item(&text, ',', item, sizeof item) != 1 || parse_real(item, 0, 1, beta1) || *beta1 == 1)
        return -1;
    if (next_item(&text, ',', item, sizeof item) != 1 || parse_real(item, 0, 1, beta2) || *beta2 == 1)
        return -1;
    return text ? -1 : 0;
}

/* ---------------------------------------------------------------------------------------- nearest name */
/* Edit distance (Damerau 1964, neighbours exchanged count one), texts of at most NAME_AT_MOST - 1 bytes. */
static int edit_distance(const char *a, const char *b)
{
    int la = (int)strlen(a), lb = (int)strlen(b);
    int d[NAME_AT_MOST][NAME_AT_MOST];
    for (int i = 0; i <= la; i++)
        d[i][0] = i;
    for (int j = 0; j <= lb; j++)
        d[0][j] = j;
    for (int i = 1; i <= la; i++)
        for (int j = 1; j <= lb; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[la][lb];
}

const char *nearest_name(const char *typed, int names, name_at *name, const void *context)
{
    const char *best = NULL;
    int least = 0;
    size_t typed_length = strlen(typed);
    if (typed_length == 0 || typed_length >= NAME_AT_MOST)
        return NULL;
    for (int i = 0; i < names; i++) {
        const char *candidate = name(context, i);
        if (!candidate || strlen(candidate) >= NAME_AT_MOST)
            continue;
        int distance = edit_distance(typed, candidate);
        /* The beginning of a name is as near as one slip. */
        if (typed_length >= 2 && strncmp(typed, candidate, typed_length) == 0 && distance > 1)
            distance = 1;
        if (!best || distance < least) {
            best = candidate;
            least = distance;
        }
    }
    return best && least <= (int)(typed_length / 3 > 2 ? typed_length / 3 : 2) && least < (int)strlen(best) ? best
                                                                                                            : NULL;
}
