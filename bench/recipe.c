/* recipe.c - how an image becomes a network's input, in words and in numbers. */
#include "recipe.h"

#include <stdio.h>
#include <string.h>

/* The words of each option, in the order of its enumeration. */
static const char *const filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", NULL};
static const char *const blanks[] = {"zeros", "ignore", NULL};
static const char *const view_names[] = {"all", "frontal", "lateral", NULL};

/* The options' value if given, else the checkpoint's, else the standard one, which commands on models do not have. */
static const char *find(const options *o, const settings *carried, const char *key)
{
    const char *value = o && option_given(o, key) ? option_text(o, key) : carried ? settings_get(carried, key) : NULL;
    if (!value && o)
        value = option_text(o, key);
    return value ? value : option_at(option_find(key))->standard;
}

/* Position of the option's value among its words, or an error that names it. */
static tx_status find_word(const options *o, const settings *carried, const char *key, const char *const *words,
                           int *at)
{
    char escaped[TX_TEXT];
    const char *value = find(o, carried, key);
    for (*at = 0; words[*at]; ++*at)
        if (strcmp(value, words[*at]) == 0)
            return TX_OK;
    return tx_fail(TX_ERR_FORMAT, "its %s is '%s', which is not known", key, tx_escape(escaped, sizeof escaped, value));
}

/* The name if it is one of those that have one, else the six numbers in the spelling that config.txt keeps. */
static tx_status read_normalize(recipe *r, const char *text)
{
    tx_status status = tx_normalize_parse(text, &r->how.normalize);
    if (status)
        return status;
    if (!strchr(text, '/')) {
        snprintf(r->normalize, sizeof r->normalize, "%s", text);
        return TX_OK;
    }
    size_t n = 0;
    for (int i = 0; i < 6; i++) {
        char number[TX_NUMBER];
        tx_number_shortest(number, sizeof number, i < 3 ? r->how.normalize.mean[i] : r->how.normalize.std[i - 3]);
        n += (size_t)snprintf(r->normalize + n, sizeof r->normalize - n, "%s%.24s",
                              i == 0   ? ""
                              : i == 3 ? "/"
                                       : ",",
                              number);
    }
    return TX_OK;
}

static tx_status read_resize(recipe *r, const char *text)
{
    tx_status status = tx_resize_parse(text, &r->how);
    if (status)
        return tx_fail_within(status, "its resize");
    if (r->how.shorter)
        snprintf(r->resize, sizeof r->resize, "short=%d", r->how.shorter);
    else
        snprintf(r->resize, sizeof r->resize, "%s", r->how.stretch ? "stretch" : "short");
    return TX_OK;
}

tx_status recipe_read(recipe *r, const options *o, const settings *carried, const char *normal)
{
    char escaped[TX_TEXT];
    memset(r, 0, sizeof *r);
    int filter = 0, blank = 0, views = 0;
    long size;
    const char *side = find(o, carried, "size"), *normalize = find(o, carried, "normalize"),
               *tasks = find(o, carried, "tasks"), *uncertain = find(o, carried, "uncertain");
    tx_status status = TX_OK;
    if (parse_whole(side, 1, TX_SIZE_MAX, &size))
        status = tx_fail(TX_ERR_FORMAT, "its size is '%s'", tx_escape(escaped, sizeof escaped, side));
    if (status == TX_OK)
        status = read_resize(r, find(o, carried, "resize"));
    if (status == TX_OK)
        status = find_word(o, carried, "interpolation", filters, &filter);
    if (status == TX_OK)
        status = tx_uncertain_check(uncertain);
    if (status == TX_OK)
        status = find_word(o, carried, "blank", blanks, &blank);
    if (status == TX_OK)
        status = find_word(o, carried, "views", view_names, &views);
    if (status == TX_OK)
        status = read_normalize(r, normalize ? normalize : normal);
    if (status)
        return status;
    r->how.size = (int)size;
    r->how.interpolation = (tx_interpolation)filter;
    r->blank = (tx_blank)blank;
    r->views = (tx_views)views;
    r->tasks = tx_strdup(tasks);
    r->uncertain = tx_strdup(uncertain);
    return r->tasks && r->uncertain ? TX_OK : TX_ERR_MEMORY;
}

int recipe_channels(recipe *r, const options *o, int channels, const char *file)
{
    r->how.channels = channels;
    if (r->how.shorter && r->how.shorter < r->how.size)
        return complain(option_given(o, "resize") || option_given(o, "size") ? EXIT_USAGE : EXIT_FAILED,
                        "--resize %s: less than the size, %d", r->resize, r->how.size);
    if (tx_preprocess_check(&r->how) == TX_OK)
        return EXIT_DONE;
    if (option_given(o, "normalize"))
        return complain(EXIT_USAGE, "--normalize %s: %s", r->normalize, tx_error_message());
    return complain(EXIT_FAILED, "%s: %s", file, tx_error_message());
}

tx_status recipe_write(const recipe *r, settings *p)
{
    const char *const value[][2] = {
        {"tasks", r->tasks},         {"uncertain", r->uncertain},
        {"blank", blanks[r->blank]}, {"views", view_names[r->views]},
        {"resize", r->resize},       {"interpolation", filters[r->how.interpolation]},
        {"normalize", r->normalize},
    };
    tx_status status = settings_format(p, "size", "%d", r->how.size);
    for (size_t i = 0; status == TX_OK && i < sizeof value / sizeof value[0]; i++)
        status = settings_set(p, value[i][0], value[i][1]);
    return status;
}

void recipe_free(recipe *r)
{
    tx_free(r->tasks);
    tx_free(r->uncertain);
    memset(r, 0, sizeof *r);
}

tx_dataset *recipe_dataset(const recipe *r, const char *folder, const char *split, const char *tasks, size_t limit)
{
    tx_dataset_options how = {.tasks = tasks,
                              .uncertain = r->uncertain,
                              .blank = r->blank,
                              .views = r->views,
                              .limit = limit,
                              .studies = r->studies};
    return tx_dataset_open(folder, split, &how);
}

const char *recipe_describe(const recipe *r, char *out, size_t size)
{
    snprintf(out, size, "%d x %d pixels%s, %s, %s, normalize %s", r->how.size, r->how.size,
             tx_preprocess_channels(&r->how) == 1 ? " of one channel" : "", r->resize, filters[r->how.interpolation],
             r->normalize);
    return out;
}
