/* dataset_uncertain.c - what -1 means for each task. */
#include "dataset_private.h"

#include <string.h>

/* One item of the list: what is said, and of which tasks, names[0..n) with + between (NULL: of all others). */
typedef struct rule {
    tx_uncertain says;
    const char *names;
    size_t n;
} rule;

static const char *const words[] = {"ignore", "zeros", "ones"};

static tx_status bad_list(const char *list, const char *what, const char *at, size_t n)
{
    char text[TX_TEXT], item[TX_TEXT], cut[TX_TEXT];
    size_t most = n < sizeof cut - 1 ? n : sizeof cut - 1;
    memcpy(cut, at, most);
    cut[most] = 0;
    return tx_fail(TX_ERR_ARGUMENT, "uncertain '%s': %s '%s'", tx_escape(text, sizeof text, list), what,
                   tx_escape(item, sizeof item, cut));
}

/* The rule that *list begins with; moves *list behind it, to NULL at the end. */
static tx_status next_rule(const char *whole, const char **list, rule *out)
{
    const char *p = *list + strspn(*list, " ");
    size_t n = strcspn(p, ","), word = strcspn(p, ":,"), length = word;
    while (length > 0 && p[length - 1] == ' ')
        length--;
    int k = 0;
    while (k < 3 && !(strlen(words[k]) == length && memcmp(p, words[k], length) == 0))
        k++;
    if (k == 3)
        return bad_list(whole, "expected ignore, zeros or ones, found", p, length);
    *out = (rule){(tx_uncertain)k, NULL, 0};
    if (p[word] == ':') {
        out->names = p + word + 1;
        out->n = n - word - 1;
        while (out->n > 0 && out->names[out->n - 1] == ' ')
            out->n--;
    }
    *list = p[n] ? p + n + 1 : NULL;
    return TX_OK;
}

/* The one rule without names, and that there is no second. */
static tx_status plain_rule(const char *list, tx_uncertain *says)
{
    int found = 0;
    *says = TX_UNCERTAIN_IGNORE;
    for (const char *p = list; p;) {
        rule one;
        tx_status status = next_rule(list, &p, &one);
        if (status)
            return status;
        if (!one.names && found++)
            return bad_list(list, "a second word for all other tasks:", words[one.says], strlen(words[one.says]));
        if (!one.names)
            *says = one.says;
    }
    return TX_OK;
}

tx_status tx_uncertain_check(const char *list)
{
    tx_uncertain says;
    tx_status status = plain_rule(list, &says);
    for (const char *p = list; status == TX_OK && p;) {
        rule one;
        status = next_rule(list, &p, &one);
        if (status == TX_OK && one.names && one.n == 0)
            status = bad_list(list, "expected names of tasks with + between, found", "", 0);
    }
    return status;
}

/* The longest of the names that text[0..n) begins with, up to a + or the end; `count` if there is none. Names may hold
 * a + themselves. */
static size_t longest(char *const *name, size_t count, const char *text, size_t n)
{
    size_t best = count, length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(name[i]);
        if (m > length && m <= n && memcmp(name[i], text, m) == 0 && (m == n || text[m] == '+')) {
            best = i;
            length = m;
        }
    }
    return best;
}

/* Whether text[0..n) is an observation of CheXpert's: a list may name one that a table does not have. */
static int is_observation(const char *text, size_t n)
{
    for (int k = 0; k < TX_OBSERVATIONS; k++)
        if (strlen(tx_observation[k]) == n && memcmp(tx_observation[k], text, n) == 0)
            return 1;
    return 0;
}

static tx_status no_column(const tx_reading *r, const char *text, size_t n)
{
    char name[TX_TEXT], near[TX_HINT], whole[TX_TEXT], escaped[TX_TEXT];
    size_t cut = n < sizeof name - 1 ? n : sizeof name - 1;
    memcpy(name, text, cut);
    name[cut] = 0;
    return tx_fail(TX_ERR_ARGUMENT, "uncertain '%s': the table has no column '%s'%s",
                   tx_escape(whole, sizeof whole, r->options->uncertain), tx_escape(escaped, sizeof escaped, name),
                   tx_columns_nearest(r, name, 0, near));
}

/* Gives the tasks that one rule names what it says. named[t]: a rule before named task t. */
static tx_status apply_rule(tx_reading *r, const rule *one, unsigned char *named)
{
    const char *list = r->options->uncertain, *end = one->names + one->n;
    for (const char *p = one->names;; p++) {
        size_t left = (size_t)(end - p), c = longest(r->column, r->columns, p, left), n = 0;
        if (c < r->columns)
            n = strlen(r->column[c]);
        while (c == r->columns && n < left && p[n] != '+')
            n++;
        if (c == r->columns && !is_observation(p, n))
            return no_column(r, p, n);
        for (int t = 0; t < r->data->tasks; t++) {
            if (r->task_column[t] != c)
                continue;
            if (named[t])
                return bad_list(list, "names a task twice:", p, n);
            named[t] = 1;
            r->uncertain[t] = one->says;
        }
        p += n;
        if (p == end)
            return TX_OK;
    }
}

tx_status tx_uncertain_resolve(tx_reading *r)
{
    const char *list = r->options->uncertain ? r->options->uncertain : "ignore";
    tx_uncertain rest;
    tx_status status = plain_rule(list, &rest);
    if (status || r->data->tasks == 0)
        return status;
    size_t tasks = (size_t)r->data->tasks;
    unsigned char *named = tx_alloc(tasks, 1);
    r->uncertain = tx_alloc(tasks, sizeof *r->uncertain);
    if (!named || !r->uncertain)
        status = TX_ERR_MEMORY;
    for (size_t t = 0; status == TX_OK && t < tasks; t++)
        r->uncertain[t] = rest;
    for (const char *p = list; status == TX_OK && p;) {
        rule one;
        status = next_rule(list, &p, &one);
        if (status == TX_OK && one.names)
            status = apply_rule(r, &one, named);
    }
    tx_free(named);
    return status;
}
