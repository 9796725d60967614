/* image_list.c - the images that arguments name: files, folders, lines of standard input; or those of a table. */
#define _POSIX_C_SOURCE 200809L
#include "image_list.h"
#include "hints.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static tx_status add_path(image_list *l, const char *path)
{
    tx_status status = tx_grow((void **)&l->path, &l->room, l->count + 1, sizeof *l->path);
    if (status)
        return status;
    l->path[l->count] = tx_strdup(path);
    return l->path[l->count] ? (l->count++, TX_OK) : TX_ERR_MEMORY;
}

/* Whether a file's name says that it is an image that can be read. */
static int named_image(const char *path)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".png", ".pbm", ".pgm", ".ppm", ".pnm"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && strcasecmp(path + n - m, endings[i]) == 0)
            return 1;
    }
    return 0;
}

/* Adds a file of a folder if it begins as an image does or is named as one, so that a bad one is told of; else counts
 * it. */
static tx_status add_file(image_list *l, const char *path)
{
    unsigned char begin[TX_FILE_LOOK];
    if (named_image(path))
        return add_path(l, path);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(begin, 1, sizeof begin, f) : 0;
    if (f)
        fclose(f);
    if (n > 0 && tx_image_format(begin, n))
        return add_path(l, path);
    if (l->passed++ == 0) {
        const char *looks = tx_file_looks(begin, n);
        tx_escape(l->first, sizeof l->first, path);
        l->first_kind = !f ? "cannot be opened" : looks ? looks : "no image";
    }
    return TX_OK;
}

const char *image_list_passed(const image_list *l, char out[2 * TX_TEXT])
{
    snprintf(out, 2 * TX_TEXT, "%zu %s passed over, expected JPEG, PNG or PNM (%s%s: %s)", l->passed,
             l->passed == 1 ? "file" : "files", l->passed == 1 ? "" : "the first is ", l->first, l->first_kind);
    return out;
}

/* A folder on the way down. */
typedef struct way {
    const struct way *above;
    dev_t device;
    ino_t number;
    int depth;
} way;
enum { DEPTH_AT_MOST = 64 };

/* Whether a folder lies on the way to itself, by a link. */
static int again(const way *to, const struct stat *about)
{
    while (to && !(to->device == about->st_dev && to->number == about->st_ino))
        to = to->above;
    return to != NULL;
}

/* Every image below a folder, in the order of the names' bytes. */
static tx_status add_folder(image_list *l, const char *folder, const struct stat *itself, const way *above)
{
    char **names, escaped[TX_TEXT];
    size_t n;
    way here = {above, itself->st_dev, itself->st_ino, above ? above->depth + 1 : 0};
    if (here.depth > DEPTH_AT_MOST)
        return tx_fail(TX_ERR_FILE, "%s: folders nested deeper than %d", tx_escape(escaped, sizeof escaped, folder),
                       (int)DEPTH_AT_MOST);
    if (again(above, itself))
        return TX_OK;
    tx_status status = tx_folder_list(folder, &names, &n);
    if (status)
        return status;
    for (size_t i = 0; status == TX_OK && i < n; i++) {
        struct stat about;
        char *path = tx_path_join(folder, names[i]);
        int there = path && stat(path, &about) == 0;
        if (!path)
            status = TX_ERR_MEMORY;
        else if (there && S_ISDIR(about.st_mode))
            status = add_folder(l, path, &about, &here);
        else if (there && S_ISREG(about.st_mode))
            status = add_file(l, path);
        tx_free(path);
    }
    tx_folder_names_free(names, n);
    return status;
}

/* Where an argument lies: as it stands, else looked up below the data where there are some; the caller's. */
static char *locate(const image_list *l, const char *name)
{
    return l->data && !tx_path_exists(name) ? tx_dataset_locate(l->data, name) : tx_strdup(name);
}

static tx_status add_argument(image_list *l, const char *name)
{
    struct stat about;
    char escaped[TX_TEXT], passed[2 * TX_TEXT], hint[HINT], *path = locate(l, name);
    tx_escape(escaped, sizeof escaped, name);
    tx_status status = path ? TX_OK : TX_ERR_MEMORY;
    if (path && stat(path, &about))
        status = tx_fail(TX_ERR_FILE, "%s: no such image or folder%s", escaped, hint_model(hint, l->o, name));
    size_t before = l->count;
    if (status == TX_OK)
        status = S_ISDIR(about.st_mode) ? add_folder(l, path, &about, NULL) : add_path(l, path);
    if (status == TX_OK && l->count == before)
        status = tx_fail(TX_ERR_FILE, "%s: no image below this folder%s%s", escaped, l->passed ? "; " : "",
                         l->passed ? image_list_passed(l, passed) : "");
    tx_free(path);
    return status;
}

/* The next line of standard input without its end, *more 0 if there is none. */
static tx_status next_line(char *line, size_t size, int *more)
{
    size_t n = 0;
    int c;
    while ((c = getchar()) != EOF && c != '\n') {
        if (c == 0)
            return tx_fail(TX_ERR_FORMAT, "standard input: found a byte 0, expected a path a line");
        if (n + 1 == size)
            return tx_fail(TX_ERR_FORMAT, "standard input: a path longer than %zu bytes", size - 1);
        line[n++] = (char)c;
    }
    if (c == EOF && ferror(stdin))
        return tx_fail(TX_ERR_FILE, "standard input: %s", strerror(errno));
    *more = n > 0 || c != EOF;
    line[n - (n > 0 && line[n - 1] == '\r')] = 0;
    return TX_OK;
}

/* Paths from standard input, a line each. */
static tx_status add_input(image_list *l)
{
    char line[4097];
    int more = 1;
    size_t before = l->count;
    tx_status status = next_line(line, sizeof line, &more);
    while (status == TX_OK && more) {
        if (line[0])
            status = add_argument(l, line);
        if (status == TX_OK)
            status = next_line(line, sizeof line, &more);
    }
    if (status == TX_OK && l->count == before)
        status = tx_fail(TX_ERR_FILE, "standard input: empty, expected a path a line");
    return status;
}

tx_status image_list_arguments(image_list *l, const options *o)
{
    tx_status status = TX_OK;
    l->o = o;
    for (int i = 1; status == TX_OK && i < o->arguments; i++)
        status = strcmp(o->argument[i], "-") == 0 ? add_input(l) : add_argument(l, o->argument[i]);
    return status;
}

tx_status image_list_add(image_list *l, const char *path)
{
    return add_path(l, path);
}

tx_status image_list_table(image_list *l, const tx_dataset *d)
{
    l->path = tx_alloc(d->images, sizeof *l->path);
    for (; l->path && l->count < d->images; l->count++)
        if (!(l->path[l->count] = tx_dataset_file(d, l->count)))
            return TX_ERR_MEMORY;
    return l->path ? TX_OK : TX_ERR_MEMORY;
}

void image_list_free(image_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        tx_free(l->path[i]);
    tx_free(l->path);
    memset(l, 0, sizeof *l);
}
