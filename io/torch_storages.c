/* torch_storages.c - where the bytes of the tensors are in a file by torch.save.
 *
 * In a ZIP archive each storage is an entry, PREFIX/data/KEY. In files before 2020 they stand behind the pickles, in the order of
 * a pickled list of keys, each with its number of elements, eight bytes, before it. Source: torch/serialization.py. */
#include "torch.h"
#include "safetensors_private.h"

#include <stdlib.h>
#include <string.h>

enum { STORAGES_MAX = 1 << 20 };

static tx_status fail(const char *file, const char *key, const char *what)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: storage '%s': %s", file, tx_escape(text, sizeof text, key), what);
}

static int by_key(const void *a, const void *b)
{
    const tx_torch_storage *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static tx_status add(tx_torch_storages *s, const tx_torch_pid *pid, const char *file)
{
    tx_torch_storage new = {.key = pid->key, .element = tx_dtype_bytes(pid->dtype)};
    if (pid->elements > (uint64_t)INT64_MAX / 8)
        return fail(file, pid->key, "its size does not fit");
    if (s->storages == STORAGES_MAX)
        return fail(file, pid->key, "more than 2^20 storages");
    new.bytes = pid->elements *new.element;
    tx_status status = tx_grow((void **)&s->storage, &s->room, s->storages + 1, sizeof *s->storage);
    if (status == TX_OK)
        s->storage[s->storages++] = new;
    return status;
}

/* Sorted, each once; what is said of one twice must be the same. */
static tx_status unite(tx_torch_storages *s, const char *file)
{
    size_t kept = 0;
    if (s->storages > 1)
        qsort(s->storage, s->storages, sizeof *s->storage, by_key);
    for (size_t i = 0; i < s->storages; i++) {
        tx_torch_storage *last = kept ? &s->storage[kept - 1] : NULL;
        const tx_torch_storage *this = &s->storage[i];
        if (!last || strcmp(last->key, this->key) != 0)
            s->storage[kept++] = *this;
        else if (last->bytes != this->bytes || last->element != this->element)
            return fail(file, last->key, "has two sizes or types");
    }
    s->storages = kept;
    return TX_OK;
}

tx_status tx_torch_storages_list(tx_torch_storages *s, const tx_pickle *p, const char *file)
{
    tx_torch_pid pid;
    tx_status status = TX_OK;
    *s = (tx_torch_storages){0};
    for (size_t i = 0; status == TX_OK && i < p->values; i++) {
        /* One that is not read matters only where a tensor of the network has it. */
        if (p->value[i].kind != TX_PICKLE_PERSISTENT || tx_torch_pid_of(p, (uint32_t)i, &pid))
            continue;
        status = add(s, &pid, file);
    }
    if (status == TX_OK)
        status = unite(s, file);
    if (status)
        tx_torch_storages_free(s);
    return status;
}

tx_torch_storage *tx_torch_storages_get(const tx_torch_storages *s, const char *key)
{
    size_t low = 0, high = s->storages;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, s->storage[middle].key);
        if (order == 0)
            return &s->storage[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

tx_status tx_torch_storages_zip(tx_torch_storages *s, const tx_zip *zip, const char *prefix)
{
    tx_status status = TX_OK;
    tx_buffer name = {0};
    for (size_t i = 0; status == TX_OK && i < s->storages; i++) {
        tx_torch_storage *t = &s->storage[i];
        name.length = 0;
        tx_buffer_append(&name, prefix);
        tx_buffer_append(&name, "/data/");
        tx_buffer_append(&name, t->key);
        if (name.status) {
            status = name.status;
            break;
        }
        t->entry = tx_zip_find(zip, name.data);
        if (!t->entry)
            status = fail(zip->file->name, t->key, "there is no entry of it");
        else if (t->entry->size != t->bytes)
            status = tx_fail(TX_ERR_FORMAT, "%s: entry '%s': %llu bytes, but its storage has %llu", zip->file->name,
                             t->entry->name, (unsigned long long)t->entry->size, (unsigned long long)t->bytes);
        else
            t->at = t->entry->at;
        t->found = 1;
    }
    tx_buffer_free(&name);
    return status;
}

tx_status tx_torch_storages_file(tx_torch_storages *s, const tx_reader *file, const tx_pickle *keys)
{
    uint64_t at = keys->end;
    uint32_t n = tx_torch_items(keys, keys->root);
    unsigned char head[8];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t item = tx_torch_item(keys, keys->root, i);
        const char *key = keys->value[item].kind == TX_PICKLE_TEXT ? tx_pickle_text(keys, item) : NULL;
        tx_torch_storage *t = key ? tx_torch_storages_get(s, key) : NULL;
        if (!t || t->found)
            return fail(file->name, key ? key : "", t ? "is there twice" : "no tensor of a type that is read has it");
        tx_status status = tx_reader_at(file, at, head, sizeof head);
        if (status)
            return status;
        if (tx_little_endian(head, 8) != t->bytes / t->element)
            return fail(file->name, key, "has another number of elements than its tensors say");
        t->at = at + 8;
        t->found = 1;
        if (t->bytes > file->size - t->at)
            return tx_fail(TX_ERR_FORMAT, "%s: cut off at byte %llu, within a storage", file->name,
                           (unsigned long long)file->size);
        at = t->at + t->bytes;
    }
    for (size_t i = 0; i < s->storages; i++)
        if (!s->storage[i].found)
            return fail(file->name, s->storage[i].key, "is not in the list of storages");
    return at == file->size ? TX_OK
                            : tx_fail(TX_ERR_FORMAT, "%s: byte %llu: goes on behind its last storage", file->name,
                                      (unsigned long long)at);
}

void tx_torch_storages_free(tx_torch_storages *s)
{
    tx_free(s->storage);
    *s = (tx_torch_storages){0};
}
