/* loader.c - batches of pixels from a dataset, decoded in parallel.
 *
 * Every image is a job of its own: its pixels depend on its file, the options and the epoch, and land at its place in
 * the batch, so neither threads nor cache change a bit. What the jobs find (failures, images worth keeping) is
 * gathered in the batch's order when all are done. */
#include "loader_private.h"

#include <string.h>

/* One image of a batch at work. */
typedef struct slot {
    tx_image image; /* decoded and resized just now; empty if it was cached */
    int read;       /* it was to be read just now */
    uint64_t sum;   /* of the file's bytes */
    tx_status status;
    char message[512];
} slot;

struct tx_loader {
    const tx_dataset *dataset;
    tx_loader_options options;
    tx_pixel_table table;
    tx_image *cached; /* an image of the dataset: resized, or empty */
    char **bad;       /* an image: why it was left out, or NULL */
    size_t bytes;     /* that the cache holds */
    slot *slots;
    size_t slot_room;
};

tx_loader *tx_loader_new(const tx_dataset *dataset, const tx_loader_options *options)
{
    if (!dataset || !options) {
        tx_fail_null("tx_loader_new", dataset ? "options" : "dataset");
        return NULL;
    }
    if (tx_preprocess_check(&options->preprocess) || tx_augment_check(&options->augment))
        return NULL;
    tx_loader *loader = tx_alloc(1, sizeof *loader);
    if (!loader)
        return NULL;
    loader->dataset = dataset;
    loader->options = *options;
    if (loader->options.cache == 0)
        loader->options.cache = TX_LOADER_CACHE;
    tx_pixel_table_make(&options->preprocess.normalize, &loader->table);
    loader->cached = tx_alloc(dataset->images, sizeof *loader->cached);
    loader->bad = tx_alloc(dataset->images, sizeof *loader->bad);
    if (!loader->cached || !loader->bad) {
        tx_loader_free(loader);
        return NULL;
    }
    return loader;
}

void tx_loader_free(tx_loader *loader)
{
    if (!loader)
        return;
    for (size_t i = 0; i < loader->dataset->images; i++) {
        if (loader->cached)
            tx_image_free(&loader->cached[i]);
        if (loader->bad)
            tx_free(loader->bad[i]);
    }
    tx_free(loader->cached);
    tx_free(loader->bad);
    tx_free(loader->slots);
    tx_free(loader);
}

typedef struct batch {
    tx_loader *loader;
    uint64_t epoch;
    const uint32_t *index;
    float *pixels;
} batch;

/* Where the network looks within the resized image i. */
static void crop_corner(const tx_loader *loader, uint64_t epoch, uint32_t i, const tx_image *image, int *left, int *top)
{
    const tx_loader_options *o = &loader->options;
    int size = o->preprocess.size;
    tx_framing centred;
    if (o->training) {
        uint64_t draw = 2 * (uint64_t)i;
        *left = (int)tx_random_below(o->seed, TX_RANDOM_CROP, epoch, draw, (uint32_t)(image->width - size) + 1);
        *top = (int)tx_random_below(o->seed, TX_RANDOM_CROP, epoch, draw + 1, (uint32_t)(image->height - size) + 1);
    } else if (tx_preprocess_frame(&o->preprocess, image->width, image->height, &centred) == TX_OK) {
        *left = centred.left;
        *top = centred.top;
    }
}

/* Floats of an image. */
static size_t pixels_of(const tx_preprocess *how)
{
    return (size_t)how->size * (size_t)how->size * (size_t)tx_preprocess_channels(how);
}

/* The network's floats of image i, which has been resized. */
static tx_status give_pixels(const tx_loader *loader, uint64_t epoch, uint32_t i, const tx_image *image, float *pixels)
{
    const tx_loader_options *o = &loader->options;
    tx_image changed;
    int left = 0, top = 0;
    crop_corner(loader, epoch, i, image, &left, &top);
    if (!o->training || !tx_augment_any(&o->augment)) {
        tx_pixels_crop(image, &loader->table, left, top, &o->preprocess, pixels);
        return TX_OK;
    }
    tx_status status = tx_augment_crop(&o->augment, o->seed, epoch, i, image, left, top, o->preprocess.size, &changed);
    if (status == TX_OK)
        tx_pixels_crop(&changed, &loader->table, 0, 0, &o->preprocess, pixels);
    tx_image_free(&changed);
    return status;
}

/* The job of one image: pixels[k,:,:,:], or a failure in its slot. */
static void load_one(void *context, size_t k, int worker)
{
    (void)worker;
    const batch *b = context;
    tx_loader *loader = b->loader;
    slot *s = &loader->slots[k];
    uint32_t i = b->index[k];
    const tx_preprocess *how = &loader->options.preprocess;
    size_t each = pixels_of(how);
    s->status = TX_OK;
    s->read = 0;
    memset(&s->image, 0, sizeof s->image);
    if (loader->bad[i])
        return;
    const tx_image *image = &loader->cached[i];
    if (!image->pixels) {
        tx_framing framing;
        char *path = tx_dataset_file(loader->dataset, i);
        s->read = 1;
        s->status = path ? tx_preprocess_read(how, path, &s->image, &framing, &s->sum) : TX_ERR_MEMORY;
        tx_free(path);
        if (s->status) {
            memset(&s->image, 0, sizeof s->image);
            memcpy(s->message, tx_error_message(), strlen(tx_error_message()) + 1);
            return;
        }
        image = &s->image;
    }
    s->status = give_pixels(loader, b->epoch, i, image, b->pixels + k * each);
    if (s->status)
        memcpy(s->message, tx_error_message(), strlen(tx_error_message()) + 1);
}

/* Keeps a decoded image while the cache has room, else frees it. */
static void keep_image(tx_loader *loader, uint32_t i, tx_image *image)
{
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    if (!image->pixels)
        return;
    if (loader->cached[i].pixels || bytes > loader->options.cache - loader->bytes) {
        tx_image_free(image);
        return;
    }
    loader->cached[i] = *image;
    loader->bytes += bytes;
}

/* An image that is not what it was: what an epoch has learnt from it, another would not find again. */
static tx_status fail_changed(const tx_loader *loader, uint32_t i, const slot *s, uint64_t before)
{
    char text[TX_TEXT], *path = tx_dataset_file(loader->dataset, i);
    if (!path)
        return TX_ERR_MEMORY;
    tx_escape(text, sizeof text, path);
    tx_free(path);
    if (s->status)
        return tx_fail(TX_ERR_FILE, "an image that was read before cannot be any more: %s", s->message);
    if (before == TX_IMAGE_BAD)
        return tx_fail(TX_ERR_FILE, "%s: could not be read before and can be now; the run leaves it out", text);
    return tx_fail(TX_ERR_FILE, "%s: is another file than when it was read before (checksum %016llx, was %016llx)",
                   text, (unsigned long long)s->sum, (unsigned long long)before);
}

/* What became of an image: TX_OK if it is in the batch or is left out, else the batch's failure. It is compared with what
 * it was; a bad one is noted only where it is passed over: else it is an error, and may be mended. */
static tx_status judge(tx_loader *loader, uint32_t i, const slot *s)
{
    uint64_t *seen = loader->options.seen, now = s->status ? TX_IMAGE_BAD : s->sum < 2 ? s->sum + 2 : s->sum;
    int bad = s->status == TX_ERR_FORMAT || s->status == TX_ERR_FILE;
    if (s->status && !bad)
        return tx_fail(s->status, "%s", s->message);
    if (!s->read)
        return TX_OK;
    if (seen && seen[i] && seen[i] != now)
        return fail_changed(loader, i, s, seen[i]);
    if (bad && !loader->options.skip_bad)
        return tx_fail(s->status, "%s", s->message);
    if (seen)
        seen[i] = now;
    if (bad && !loader->bad[i] && !(loader->bad[i] = tx_strdup(s->message)))
        return TX_ERR_MEMORY;
    return TX_OK;
}

/* The first failure in the batch's order is the batch's. */
static tx_status settle(tx_loader *loader, const uint32_t *index, size_t n)
{
    tx_status status = TX_OK;
    for (size_t k = 0; k < n; k++) {
        slot *s = &loader->slots[k];
        if (status == TX_OK)
            status = judge(loader, index[k], s);
        if (status == TX_OK)
            keep_image(loader, index[k], &s->image);
        else
            tx_image_free(&s->image);
    }
    return status;
}

tx_status tx_loader_batch(tx_loader *loader, uint64_t epoch, const uint32_t *index, size_t n, float *pixels,
                          uint32_t *kept, size_t *count)
{
    if (!loader || !count || (n > 0 && (!index || !pixels || !kept)))
        return tx_fail_null("tx_loader_batch", !loader ? "loader" : !index && n > 0 ? "index" : "room for the batch");
    *count = 0;
    for (size_t k = 0; k < n; k++)
        if (index[k] >= loader->dataset->images)
            return tx_fail(TX_ERR_ARGUMENT, "image %lu of %zu", (unsigned long)index[k], loader->dataset->images);
    tx_status status = tx_grow((void **)&loader->slots, &loader->slot_room, n, sizeof *loader->slots);
    if (status)
        return status;
    batch b = {loader, epoch, index, pixels};
    status = tx_parallel_for(n, load_one, &b);
    if (status == TX_OK)
        status = settle(loader, index, n);
    if (status)
        return status;
    size_t each = pixels_of(&loader->options.preprocess);
    for (size_t k = 0; k < n; k++) {
        if (loader->bad[index[k]])
            continue;
        if (*count != k)
            memmove(pixels + *count * each, pixels + k * each, each * sizeof *pixels);
        kept[(*count)++] = index[k];
    }
    return TX_OK;
}

const char *tx_loader_bad(const tx_loader *loader, size_t i)
{
    if (!loader)
        tx_fail_null("tx_loader_bad", "loader");
    else if (i >= loader->dataset->images)
        tx_fail(TX_ERR_ARGUMENT, "image %zu of %zu", i, loader->dataset->images);
    if (!loader || i >= loader->dataset->images)
        return NULL;
    return loader->bad[i];
}

size_t tx_loader_cached(const tx_loader *loader)
{
    if (!loader) {
        tx_fail_null("tx_loader_cached", "loader");
        return 0;
    }
    return loader->bytes;
}
