/* images.c - whether the images of a table are there. */
#include "images.h"

/* Between two looks at the clock; before a bar is shown. */
enum { AT_ONCE = 4096 };
static const double SOON = 2;

typedef struct look {
    FILE *out;
    tx_progress bar;
    int shown;
    double began;
    size_t images, done; /* of all tables */
    size_t missing;
    const tx_dataset *first_table; /* with a missing image, */
    size_t first;                  /* and which */
    const tx_dataset *empty;       /* a table without any image that is there */
} look;

static void show(look *l)
{
    if (!l->shown && tx_seconds() - l->began > SOON) {
        tx_progress_begin(&l->bar, l->out, "looking for images", "images", l->images, l->done);
        l->shown = 1;
    }
    if (l->shown)
        tx_progress_update(&l->bar, l->done, NULL);
}

static tx_status look_through(look *l, const tx_dataset *d)
{
    size_t before = l->missing;
    unsigned char *missing = tx_alloc(d->images, 1);
    tx_status status = missing ? TX_OK : TX_ERR_MEMORY;
    for (size_t from = 0; status == TX_OK && from < d->images; from += AT_ONCE) {
        size_t to = d->images - from < AT_ONCE ? d->images : from + AT_ONCE;
        status = tx_dataset_look(d, from, to, missing);
        for (size_t i = from; status == TX_OK && i < to; i++) {
            if (missing[i] && l->missing++ == 0) {
                l->first_table = d;
                l->first = i;
            }
        }
        l->done += to - from;
        show(l);
    }
    if (l->missing - before == d->images && !l->empty)
        l->empty = d;
    tx_free(missing);
    return status;
}

/* "PATH of TABLE is neither at A nor at B" */
static tx_status describe(const tx_dataset *d, size_t i, tx_buffer *to)
{
    char path[TX_TEXT], table[TX_TEXT], place[TX_TEXT], **places;
    size_t count;
    tx_status status = tx_dataset_places(d, d->path[i], &places, &count);
    if (status)
        return status;
    tx_buffer_add(to, "%s of %s is", tx_escape(path, sizeof path, d->path[i]), tx_escape(table, sizeof table, d->file));
    for (size_t k = 0; k < count; k++)
        tx_buffer_add(to, " %s at %s",
                      count == 1 ? "not"
                      : k        ? "nor"
                                 : "neither",
                      tx_escape(place, sizeof place, places[k]));
    tx_folder_names_free(places, count);
    return to->status;
}

int images_look(tx_dataset *const *d, int n, int skip, FILE *out)
{
    char table[TX_TEXT];
    look l = {.out = out, .began = tx_seconds()};
    tx_buffer text = {0};
    tx_status status = TX_OK;
    for (int k = 0; k < n; k++)
        l.images += d[k] ? d[k]->images : 0;
    for (int k = 0; status == TX_OK && k < n; k++)
        status = d[k] ? look_through(&l, d[k]) : TX_OK;
    if (l.shown)
        tx_progress_clear(&l.bar);
    if (status == TX_OK && l.missing)
        status = describe(l.first_table, l.first, &text);
    int code = status ? complain_failed() : EXIT_DONE;
    if (code == EXIT_DONE && l.missing && skip && !l.empty)
        say_once("%zu of %zu images are missing and left out, the first: %s", l.missing, l.images, text.data);
    else if (code == EXIT_DONE && l.missing && skip)
        code = complain(EXIT_FAILED, "all images of %s are missing, the first: %s",
                        tx_escape(table, sizeof table, l.empty->file), text.data);
    else if (code == EXIT_DONE && l.missing)
        code = complain(EXIT_FAILED, "%zu of %zu images are missing, the first: %s", l.missing, l.images, text.data);
    tx_buffer_free(&text);
    return code;
}
