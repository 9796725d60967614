/* safetensors_write.c - writing a safetensors file: the header is put together first, then the data streams past.
 *
 * Readers map the data as it lies, so elements must be aligned: the header is filled up with blanks to a multiple of
 * 8, and the data of wider elements goes before that of narrower ones. */
#include "safetensors_private.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 14 };

typedef struct entry {
    tx_stored stored; /* its name is owned */
    const unsigned char *data;
    tx_stored_fill *fill;
    void *context;
} entry;

struct tx_safetensors_writer {
    char *path;
    tx_status status; /* the first error */
    char message[512];
    char *header; /* grows */
    size_t used, room;
    tx_pair *meta; /* owned strings */
    size_t metas, meta_room;
    entry *entry;
    size_t entries, entry_room;
    const entry **order; /* within finish */
    char *seal;          /* receives the digest; NULL: the file carries none */
    size_t seal_at;      /* where its digits stand in the header */
};

static tx_status spoil(tx_safetensors_writer *w, tx_status status)
{
    if (status && w->status == TX_OK) {
        w->status = status;
        snprintf(w->message, sizeof w->message, "%s", tx_error_message());
    }
    return w->status;
}

tx_safetensors_writer *tx_safetensors_create(const char *path)
{
    if (!path) {
        tx_fail_null("tx_safetensors_create", "path");
        return NULL;
    }
    tx_safetensors_writer *w = tx_alloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->path = tx_strdup(path);
    if (!w->path) {
        tx_free(w);
        return NULL;
    }
    return w;
}

void tx_safetensors_abandon(tx_safetensors_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->metas; i++) {
        tx_free((char *)w->meta[i].key);
        tx_free((char *)w->meta[i].value);
    }
    for (size_t i = 0; i < w->entries; i++)
        tx_free((char *)w->entry[i].stored.name);
    tx_free(w->meta);
    tx_free(w->entry);
    tx_free(w->order);
    tx_free(w->header);
    tx_free(w->path);
    tx_free(w);
}

tx_status tx_safetensors_put_meta(tx_safetensors_writer *w, const char *key, const char *value)
{
    if (!w || !key || !value)
        return tx_fail_null("tx_safetensors_put_meta", !w ? "writer" : !key ? "key" : "value");
    if (w->status)
        return w->status;
    tx_status status = tx_grow((void **)&w->meta, &w->meta_room, w->metas + 1, sizeof *w->meta);
    if (status)
        return spoil(w, status);
    tx_pair *pair = &w->meta[w->metas++];
    pair->key = tx_strdup(key);
    pair->value = tx_strdup(value);
    return pair->key && pair->value ? TX_OK : spoil(w, TX_ERR_MEMORY);
}

tx_status tx_safetensors_put_seal(tx_safetensors_writer *w, char seal[65])
{
    if (!w || !seal)
        return tx_fail_null("tx_safetensors_put_seal", w ? "room for the seal" : "writer");
    memset(seal, '0', 64);
    seal[64] = 0;
    w->seal = seal;
    return tx_safetensors_put_meta(w, TX_SEAL, seal);
}

static tx_status put(tx_safetensors_writer *w, const entry *e, const char *name, const size_t *shape)
{
    if (!w)
        return tx_fail_null("tx_safetensors_put", "writer");
    if (w->status)
        return w->status;
    if (!name || (!shape && e->stored.dims > 0))
        return spoil(w, tx_fail_null("tx_safetensors_put", name ? "shape" : "name"));
    if (!tx_dtype_name(e->stored.dtype))
        return spoil(w, TX_ERR_ARGUMENT);
    tx_status status = tx_grow((void **)&w->entry, &w->entry_room, w->entries + 1, sizeof *w->entry);
    if (status)
        return spoil(w, status);
    if (e->stored.dims < 0 || e->stored.dims > TX_STORED_DIMS)
        return spoil(w, tx_fail(TX_ERR_ARGUMENT, "%s: tensor '%s': %d dimensions", w->path, name, e->stored.dims));
    entry *own = &w->entry[w->entries];
    *own = *e;
    size_t bytes;
    own->stored.count = 1;
    for (int d = 0; d < e->stored.dims; d++) {
        own->stored.shape[d] = shape[d];
        if (tx_size_mul(own->stored.count, shape[d], &own->stored.count))
            return spoil(w, tx_fail(TX_ERR_ARGUMENT, "%s: tensor '%s': an impossible size", w->path, name));
    }
    if (tx_size_mul(own->stored.count, tx_dtype_bytes(e->stored.dtype), &bytes))
        return spoil(w, tx_fail(TX_ERR_ARGUMENT, "%s: tensor '%s': an impossible size", w->path, name));
    if (bytes > 0 && !e->data && !e->fill)
        return spoil(w, tx_fail_null("tx_safetensors_put", "data"));
    own->stored.name = tx_strdup(name);
    if (!own->stored.name)
        return spoil(w, TX_ERR_MEMORY);
    w->entries++;
    return TX_OK;
}

tx_status tx_safetensors_put(tx_safetensors_writer *w, const char *name, tx_dtype dtype, int dims, const size_t *shape,
                             const void *data)
{
    entry e = {.stored = {.dtype = dtype, .dims = dims}, .data = data};
    return put(w, &e, name, shape);
}

tx_status tx_safetensors_put_later(tx_safetensors_writer *w, const char *name, tx_dtype dtype, int dims,
                                   const size_t *shape, tx_stored_fill *fill, void *context)
{
    entry e = {.stored = {.dtype = dtype, .dims = dims}, .fill = fill, .context = context};
    return put(w, &e, name, shape);
}

/* ---------------------------------------------------------------------------------------- header */

static void header_add(tx_safetensors_writer *w, const char *text, size_t n)
{
    if (w->status || spoil(w, tx_grow((void **)&w->header, &w->room, w->used + n, 1)))
        return;
    memcpy(w->header + w->used, text, n);
    w->used += n;
}

static void header_put(void *writer, const void *text, size_t n)
{
    header_add(writer, text, n);
}

static void header_text(tx_safetensors_writer *w, const char *text)
{
    header_add(w, text, strlen(text));
}

static void header_number(tx_safetensors_writer *w, uint64_t number)
{
    char text[TX_NUMBER];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    header_text(w, text);
}

static void header_tensor(tx_safetensors_writer *w, const tx_stored *t)
{
    tx_quote_json(t->name, header_put, w);
    header_text(w, ":{\"dtype\":\"");
    header_text(w, tx_dtype_name(t->dtype));
    header_text(w, "\",\"shape\":[");
    for (int d = 0; d < t->dims; d++) {
        header_text(w, d ? "," : "");
        header_number(w, t->shape[d]);
    }
    header_text(w, "],\"data_offsets\":[");
    header_number(w, t->from);
    header_text(w, ",");
    header_number(w, t->to);
    header_text(w, "]}");
}

/* {metadata, tensors} and blanks to a multiple of 8, the eight bytes of its length before it. */
static tx_status make_header(tx_safetensors_writer *w)
{
    header_text(w, "12345678{");
    if (w->metas)
        header_text(w, "\"__metadata__\":{");
    for (size_t i = 0; i < w->metas; i++) {
        header_text(w, i ? "," : "");
        tx_quote_json(w->meta[i].key, header_put, w);
        header_text(w, ":");
        if (w->seal && strcmp(w->meta[i].key, TX_SEAL) == 0)
            w->seal_at = w->used + 1;
        tx_quote_json(w->meta[i].value, header_put, w);
    }
    if (w->metas)
        header_text(w, w->entries ? "}," : "}");
    for (size_t i = 0; i < w->entries; i++) {
        header_text(w, i ? "," : "");
        header_tensor(w, &w->entry[i].stored);
    }
    header_text(w, "}");
    while (w->used % 8 && w->status == TX_OK)
        header_text(w, " ");
    if (w->status)
        return w->status;
    uint64_t length = w->used - 8;
    tx_elements_to(TX_U64, (const unsigned char *)&length, 1, (unsigned char *)w->header);
    return TX_OK;
}

static int by_name(const void *a, const void *b)
{
    const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
    int order = strcmp(x->stored.name, y->stored.name);
    return order ? order : x < y ? -1 : x > y;
}

/* Gives every tensor its place, widest elements first, otherwise as they were put; order lists them so. */
static tx_status place(tx_safetensors_writer *w)
{
    w->order = tx_alloc(w->entries, sizeof *w->order);
    if (!w->order)
        return spoil(w, TX_ERR_MEMORY);
    for (size_t i = 0; i < w->entries; i++)
        w->order[i] = &w->entry[i];
    if (w->entries > 1)
        qsort(w->order, w->entries, sizeof *w->order, by_name);
    for (size_t i = 1; i < w->entries; i++)
        if (strcmp(w->order[i - 1]->stored.name, w->order[i]->stored.name) == 0)
            return spoil(w, tx_fail(TX_ERR_ARGUMENT, "%s: two tensors named '%s'", w->path, w->order[i]->stored.name));
    uint64_t at = 0;
    size_t n = 0;
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t i = 0; i < w->entries; i++) {
            tx_stored *t = &w->entry[i].stored;
            if (tx_dtype_bytes(t->dtype) != width)
                continue;
            t->from = at;
            at += (uint64_t)t->count * width;
            t->to = at;
            w->order[n++] = &w->entry[i];
        }
    return TX_OK;
}

/* ------------------------------------------------------------------------------------------ data */

static tx_status write_elements(tx_writer *file, const tx_stored *t, const unsigned char *native)
{
    unsigned char bytes[BUFFER];
    size_t size = tx_dtype_bytes(t->dtype);
    tx_status status = TX_OK;
    for (size_t done = 0; done < t->count && status == TX_OK;) {
        size_t n = t->count - done < BUFFER / size ? t->count - done : BUFFER / size;
        tx_elements_to(t->dtype, native + done * size, n, bytes);
        status = tx_writer_bytes(file, bytes, n * size);
        done += n;
    }
    return status;
}

/* Piece of a tensor in memory; pieces begin at multiples of every element's size. */
static tx_status native_piece(const void *from, uint64_t at, size_t n, unsigned char *out)
{
    const entry *e = from;
    size_t size = tx_dtype_bytes(e->stored.dtype);
    tx_elements_to(e->stored.dtype, e->data + at, n / size, out);
    return TX_OK;
}

/* Puts the digest where the header has zeros. What is made only when it is written is made once more for this. */
static tx_status seal_header(tx_safetensors_writer *w)
{
    tx_sha256 sha;
    tx_status status = TX_OK;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, w->header, w->used);
    for (size_t i = 0; i < w->entries && status == TX_OK; i++) {
        entry e = *w->order[i];
        size_t bytes = (size_t)(e.stored.to - e.stored.from);
        unsigned char *made = e.fill ? tx_alloc(bytes, 1) : NULL;
        if (e.fill)
            status = made ? e.fill(e.context, (size_t)(w->order[i] - w->entry), made) : TX_ERR_MEMORY;
        e.data = e.fill ? made : e.data;
        if (status == TX_OK)
            status = tx_seal_add(&sha, bytes, native_piece, &e);
        tx_free(made);
    }
    tx_sha256_end(&sha, w->seal);
    memcpy(w->header + w->seal_at, w->seal, 64);
    return status;
}

static tx_status write_data(tx_safetensors_writer *w, tx_writer *file)
{
    size_t largest = 0;
    for (size_t i = 0; i < w->entries; i++) {
        size_t bytes = (size_t)(w->entry[i].stored.to - w->entry[i].stored.from);
        if (w->entry[i].fill && bytes > largest)
            largest = bytes;
    }
    unsigned char *made = largest ? tx_alloc(largest, 1) : NULL;
    tx_status status = largest && !made ? TX_ERR_MEMORY : TX_OK;
    for (size_t i = 0; i < w->entries && status == TX_OK; i++) {
        const entry *e = w->order[i];
        if (e->stored.count == 0)
            continue;
        if (e->fill)
            status = e->fill(e->context, (size_t)(e - w->entry), made);
        if (status == TX_OK)
            status = write_elements(file, &e->stored, e->fill ? made : e->data);
    }
    tx_free(made);
    return status;
}

static tx_status write_file(tx_safetensors_writer *w)
{
    if (w->status)
        return tx_fail(w->status, "%s", w->message);
    if (place(w) || make_header(w))
        return w->status;
    if (w->seal && seal_header(w))
        return tx_error_status();
    tx_writer *file = tx_writer_open(w->path);
    if (!file)
        return TX_ERR_FILE;
    tx_status status = tx_writer_bytes(file, w->header, w->used);
    if (status == TX_OK)
        status = write_data(w, file);
    if (status) {
        tx_writer_abort(file);
        return status;
    }
    return tx_writer_commit(file);
}

tx_status tx_safetensors_finish(tx_safetensors_writer *w)
{
    if (!w)
        return tx_fail_null("tx_safetensors_finish", "writer");
    tx_status status = write_file(w);
    tx_safetensors_abandon(w);
    return status;
}
