/* cam_files.c - names of the files that are made of images and tasks. */
#include "cam_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 150 }; /* bytes at most, so that endings fit behind it */

/* An image's path with its last part first and without the ending, the parts ended by a byte 1. */
typedef struct key {
    char *text;
    char *name;
    size_t index;
} key;

static int plain(const char *part, size_t n)
{
    return n == 0 || (n == 1 && part[0] == '.');
}

static char *turn(const char *path)
{
    char *text = tx_alloc(strlen(path) + 2, 1), *to = text;
    const char *end = path + strlen(path);
    while (text && end > path) {
        const char *begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        size_t n = (size_t)(end - begin);
        if (to == text)
            for (size_t k = n; k-- > 1;)
                if (begin[k] == '.') {
                    n = k;
                    break;
                }
        if (!plain(begin, n)) {
            memcpy(to, begin, n);
            to += n;
            *to++ = 1;
        }
        end = begin > path ? begin - 1 : path;
    }
    return text;
}

static int by_text(const void *a, const void *b)
{
    const key *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_name(const void *a, const void *b)
{
    const key *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
    const key *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Parts that two have in common, from the first on. */
static int common(const char *a, const char *b)
{
    int parts = 0;
    for (; *a && *a == *b; a++, b++)
        parts += *a == 1;
    return parts;
}

static char safe(char c, int dots)
{
    unsigned char u = (unsigned char)c;
    int good = u >= 128 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
               c == '+' || (c == '.' && dots);
    return good ? c : '_';
}

/* The first `parts` parts, the last of them first. */
static char *spell(const char *text, int parts)
{
    char *name = tx_alloc(strlen(text) + 2, 1);
    const char *end = text;
    for (int k = 0; *end && k < parts; end++)
        k += *end == 1;
    size_t n = 0;
    while (name && end > text) {
        const char *begin = end - 1;
        while (begin > text && begin[-1] != 1)
            begin--;
        for (const char *p = begin; p < end - 1; p++, n++)
            name[n] = safe(*p, n > 0);
        name[n++] = '-';
        end = begin;
    }
    if (!name)
        return NULL;
    name[n ? n - 1 : 0] = 0;
    n = strlen(name);
    if (n == 0)
        strcpy(name, "_");
    if (n > NAME)
        memmove(name, name + n - NAME, NAME + 1);
    return name;
}

/* As many parts as k[i] has in common with the next one in this direction that is another image. */
static int shared(const key *k, size_t count, size_t i, int step)
{
    const char *text = k[i].text;
    while (step > 0 ? i + 1 < count : i > 0) {
        i = step > 0 ? i + 1 : i - 1;
        if (strcmp(k[i].text, text))
            return common(k[i].text, text);
    }
    return 0;
}

static tx_status name_all(key *k, size_t count)
{
    qsort(k, count, sizeof *k, by_text);
    for (size_t i = 0; i < count; i++) {
        int before = shared(k, count, i, -1), after = shared(k, count, i, 1);
        k[i].name = spell(k[i].text, (before > after ? before : after) + 1);
        if (!k[i].name)
            return TX_ERR_MEMORY;
    }
    return TX_OK;
}

/* Of equal names all but the first get a number; until there are none. */
static tx_status number_equal(key *k, size_t count)
{
    for (int equal = 1; equal;) {
        equal = 0;
        qsort(k, count, sizeof *k, by_name);
        for (size_t i = 1, first = 0; i < count; i++) {
            if (strcmp(k[i].name, k[first].name)) {
                first = i;
                continue;
            }
            char *name = tx_alloc(strlen(k[i].name) + 24, 1);
            if (!name)
                return TX_ERR_MEMORY;
            sprintf(name, "%s-%zu", k[i].name, i - first + 1);
            tx_free(k[i].name);
            k[i].name = name;
            equal = 1;
            if (i + 1 < count && strcmp(k[i + 1].name, k[first].name))
                first = i + 1;
        }
    }
    return TX_OK;
}

char **cam_image_names(char *const *path, size_t count)
{
    key *k = tx_alloc(count, sizeof *k);
    char **names = tx_alloc(count, sizeof *names);
    tx_status status = k && names ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < count; i++) {
        k[i].index = i;
        k[i].text = turn(path[i]);
        status = k[i].text ? TX_OK : TX_ERR_MEMORY;
    }
    if (status == TX_OK)
        status = name_all(k, count);
    if (status == TX_OK)
        status = number_equal(k, count);
    if (k)
        qsort(k, count, sizeof *k, by_index);
    for (size_t i = 0; k && names && i < count; i++) {
        names[i] = status == TX_OK ? k[i].name : NULL;
        if (status)
            tx_free(k[i].name);
        tx_free(k[i].text);
    }
    tx_free(k);
    if (status) {
        tx_free(names);
        return NULL;
    }
    return names;
}

static void task_text(const model *m, int output, char out[CAM_TASK])
{
    size_t n = 0;
    if (!m->task || !*m->task[output]) {
        snprintf(out, CAM_TASK, "output_%d", output);
        return;
    }
    for (const char *p = m->task[output]; *p && n + 16 < CAM_TASK; p++)
        out[n++] = safe(*p, 0);
    out[n] = 0;
}

const char *cam_task_name(const model *m, int output, char out[CAM_TASK])
{
    char other[CAM_TASK];
    task_text(m, output, out);
    for (int c = 0; m->task && c < output; c++) {
        task_text(m, c, other);
        if (strcmp(other, out) == 0) {
            snprintf(out + strlen(out), CAM_TASK - strlen(out), "-%d", output);
            break;
        }
    }
    return out;
}
