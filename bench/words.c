/* words.c - single words of a command line or a file: numbers, items of lists. */
#include "words.h"

#include <string.h>

int parse_real(const char *text, double low, double high, double *value)
{
    double v;
    if (tx_number_parse(text, &v) || !(v >= low && v <= high))
        return -1;
    /* A number so small that it becomes 0 is not what was meant. */
    if (v == 0 && strpbrk(text, "123456789") && strpbrk(text, "123456789") < text + strcspn(text, "eE"))
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

const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
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

void words_split(word_list *out, const char *list, char separator)
{
    out->count = 0;
    while (out->count < WORDS_AT_MOST && next_item(&list, separator, out->word[out->count], TX_NEAR_NAME) > 0)
        out->count++;
}

const char *words_at(const void *list, int i)
{
    return ((const word_list *)list)->word[i];
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
