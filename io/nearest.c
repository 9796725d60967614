/* nearest.c - which of some names was probably meant. */
#include "io.h"

#include <string.h>

enum { LONGEST = TX_NEAR_NAME - 1, CONTAINED = 4 };

/* What is easily taken for each other is equal: large and small letters, blanks, underscores and dashes. */
static void flatten(char *out, const char *name)
{
    size_t i = 0;
    for (; name[i] && i < LONGEST; i++)
        out[i] = name[i] >= 'A' && name[i] <= 'Z'   ? (char)(name[i] - 'A' + 'a')
                 : name[i] == '_' || name[i] == ' ' ? '-'
                                                    : name[i];
    out[i] = 0;
}

/* Edit distance (Damerau 1964, neighbours exchanged count one). */
static int edit_distance(const char *a, const char *b)
{
    int la = (int)strlen(a), lb = (int)strlen(b);
    int d[TX_NEAR_NAME][TX_NEAR_NAME];
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

/* The beginning of a name is as near as one slip, a part of it as near as two. */
static int distance_of(const char *typed, const char *name)
{
    int distance = edit_distance(typed, name);
    size_t n = strlen(typed);
    if (n >= 2 && strncmp(typed, name, n) == 0 && distance > 1)
        return 1;
    if (n >= CONTAINED && strstr(name, typed) && distance > 2)
        return 2;
    return distance;
}

const char *tx_nearest_name(const char *typed, int names, tx_name_at *name, const void *context)
{
    if (!typed || !name) {
        tx_fail_null("tx_nearest_name", typed ? "names" : "text");
        return NULL;
    }
    const char *best = NULL;
    char flat[TX_NEAR_NAME], other[TX_NEAR_NAME];
    int least = 0;
    size_t n = strlen(typed);
    if (n == 0 || n > LONGEST)
        return NULL;
    flatten(flat, typed);
    for (int i = 0; i < names; i++) {
        const char *candidate = name(context, i);
        if (!candidate || strlen(candidate) > LONGEST)
            continue;
        flatten(other, candidate);
        int distance = distance_of(flat, other);
        if (!best || distance < least) {
            best = candidate;
            least = distance;
        }
    }
    int near = n < 5 ? 1 : n < 9 ? 2 : (int)(n / 3);
    return best && least <= near && least < (int)strlen(best) ? best : NULL;
}

const char *tx_nearest_hint(char out[TX_HINT], const char *typed, int names, tx_name_at *name, const void *context)
{
    if (!out) {
        tx_fail_null("tx_nearest_hint", "room for a hint");
        return "";
    }
    char escaped[TX_TEXT];
    const char *near = tx_nearest_name(typed, names, name, context);
    snprintf(out, TX_HINT, "%s%s", near ? ", nearest is " : "", near ? tx_escape(escaped, sizeof escaped, near) : "");
    return out;
}
