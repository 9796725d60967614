/* torch.c - reading tensors by name from a file by PyTorch's torch.save.
 *
 * Since 2020 it is a ZIP archive: PREFIX/data.pkl is a pickle of what was saved, PREFIX/data/KEY holds the bytes of a storage, and
 * PREFIX/byteorder says in which order. Before, it was five pickles (a magic number, the protocol 1001, a machine's
 * properties, what was saved, the keys of the storages) and the storages behind them, little-endian on every machine.
 * Source: torch/serialization.py. */
#include "torch.h"
#include "safetensors_private.h"

#include <string.h>

enum { BUFFER = 1 << 16 };
#define PICKLE_MAX ((uint64_t)256 << 20)   /* of data.pkl */
#define INFLATED_MAX ((uint64_t)256 << 20) /* of a storage that is deflated, which none by PyTorch is */
#define EXPECTED "weights (.safetensors, .pth)"

typedef struct place {
    tx_torch_storage *storage;
    uint64_t offset; /* bytes */
    size_t stride[TX_STORED_DIMS];
    int dense; /* its elements stand in order, without gaps */
} place;

struct tx_torch {
    tx_reader file;
    tx_zip zip;
    int swapped; /* numbers are big-endian */
    tx_torch_names names;
    tx_torch_storages storages;
    tx_stored *stored;
    place *place;
    const tx_stored **by_name; /* of those of state_dict(), sorted */
    unsigned char *buffer, *inflated;
    const tx_torch_storage *inflated_of;
};

static tx_status fail_tensor(const tx_torch *f, const char *tensor, const char *what)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': %s", f->file.name, tx_escape(text, sizeof text, tensor), what);
}

/* --------------------------------------------------------------------------------------------- tensors */
/* The number of elements, and that of the last one within the storage, from the tensor's first on. */
static int count_elements(const tx_torch_view *view, size_t *count, size_t *last)
{
    size_t reach;
    *count = 1;
    *last = 0;
    for (int d = 0; d < view->dims; d++)
        if (tx_size_mul(*count, view->shape[d], count))
            return -1;
    for (int d = 0; *count > 0 && d < view->dims; d++)
        if (tx_size_mul(view->shape[d] - 1, view->stride[d], &reach) || tx_size_add(*last, reach, last))
            return -1;
    return 0;
}

static int is_dense(const tx_torch_view *view)
{
    size_t wanted = 1;
    for (int d = view->dims; d-- > 0; wanted *= view->shape[d])
        if (view->shape[d] > 1 && view->stride[d] != wanted)
            return 0;
    return 1;
}

/* Where a view of another storage begins in it, in elements; *elements is what the tensor may have of it. */
static const char *through_view(const tx_pickle *p, const tx_torch_pid *pid, uint64_t *begin, uint64_t *elements)
{
    *begin = 0;
    if (pid->view == TX_PICKLE_NOTHING)
        return NULL;
    const tx_pickle_value *offset = &p->value[tx_torch_item(p, pid->view, 1)],
                          *size = &p->value[tx_torch_item(p, pid->view, 2)];
    if (offset->kind != TX_PICKLE_INTEGER || size->kind != TX_PICKLE_INTEGER || offset->u.integer < 0 ||
        size->u.integer < 0 || (uint64_t)offset->u.integer > *elements ||
        (uint64_t)size->u.integer > *elements - (uint64_t)offset->u.integer)
        return "a view that goes beyond its storage";
    *begin = (uint64_t)offset->u.integer;
    *elements = (uint64_t)size->u.integer;
    return NULL;
}

static const char *place_tensor(const tx_torch *f, const tx_pickle *p, uint32_t value, tx_stored *t, place *at)
{
    tx_torch_view view;
    tx_torch_pid pid;
    size_t last, bytes;
    uint64_t begin;
    const char *wrong = tx_torch_view_of(p, value, &view);
    if (!wrong)
        wrong = tx_torch_pid_of(p, view.storage, &pid);
    if (wrong)
        return wrong;
    at->storage = tx_torch_storages_get(&f->storages, pid.key);
    if (count_elements(&view, &t->count, &last) || tx_size_mul(t->count, tx_dtype_bytes(view.dtype), &bytes))
        return "the product of its sides does not fit";
    uint64_t size = tx_dtype_bytes(view.dtype), elements = at->storage->bytes / size;
    wrong = through_view(p, &pid, &begin, &elements);
    if (wrong)
        return wrong;
    if (view.offset > elements || (t->count > 0 && last >= elements - view.offset))
        return "it goes beyond its storage";
    /* One that repeats elements may be larger than its storage, but not than all that can be there. */
    int deflated = at->storage->entry && at->storage->entry->deflated;
    if (bytes > f->file.size && !(deflated && bytes <= at->storage->bytes))
        return "more numbers than the file has bytes for";
    t->dtype = view.dtype;
    t->dims = view.dims;
    memcpy(t->shape, view.shape, sizeof t->shape);
    memcpy(at->stride, view.stride, sizeof at->stride);
    at->dense = is_dense(&view);
    at->offset = (begin + view.offset) * size;
    t->from = at->storage->at + at->offset;
    t->to = t->from + (t->count ? (last + 1) * size : 0);
    return NULL;
}

static tx_status place_all(tx_torch *f, const tx_pickle *p)
{
    const tx_torch_names *n = &f->names;
    f->stored = tx_alloc(n->tensors, sizeof *f->stored);
    f->place = tx_alloc(n->tensors, sizeof *f->place);
    f->by_name = tx_alloc(n->named, sizeof *f->by_name);
    f->buffer = tx_alloc(BUFFER, 1);
    if (!f->stored || !f->place || !f->by_name || !f->buffer)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < n->tensors; i++) {
        tx_stored *t = &f->stored[i];
        t->name = n->text + n->tensor[i].at;
        const char *wrong = place_tensor(f, p, n->tensor[i].value, t, &f->place[i]);
        if (wrong)
            return fail_tensor(f, t->name, wrong);
        if (i < n->named)
            f->by_name[i] = t;
    }
    const tx_stored *twice = tx_stored_sort(f->by_name, n->named);
    return twice ? fail_tensor(f, twice->name, "is there twice") : TX_OK;
}

/* ----------------------------------------------------------------------------------------- the two layouts */
/* What was saved, read from the archive. */
static tx_status read_zip_pickle(tx_torch *f, const char *prefix, tx_buffer *name, tx_pickle *saved)
{
    unsigned char *bytes = NULL;
    tx_buffer_append(name, prefix);
    tx_buffer_append(name, "/constants.pkl");
    if (name->status)
        return name->status;
    if (tx_zip_find(&f->zip, name->data))
        return tx_fail(TX_ERR_FORMAT, "%s: a TorchScript archive, " EXPECTED " expected", f->file.name);
    name->length = 0;
    tx_buffer_append(name, prefix);
    tx_buffer_append(name, "/data.pkl");
    if (name->status)
        return name->status;
    const tx_zip_entry *e = tx_zip_find(&f->zip, name->data);
    if (!e)
        return tx_fail(TX_ERR_FORMAT, "%s: a ZIP archive without data.pkl, " EXPECTED " expected", f->file.name);
    tx_status status = tx_zip_read(&f->zip, e, PICKLE_MAX, &bytes);
    if (status)
        return status;
    status = tx_pickle_read(saved, &(tx_pickle_source){&f->file, "data.pkl", bytes, 0, e->size, tx_torch_callable});
    tx_free(bytes);
    return status;
}

static tx_status read_byteorder(tx_torch *f, const char *prefix, tx_buffer *name)
{
    unsigned char *bytes = NULL;
    name->length = 0;
    tx_buffer_append(name, prefix);
    tx_buffer_append(name, "/byteorder");
    if (name->status)
        return name->status;
    const tx_zip_entry *e = tx_zip_find(&f->zip, name->data);
    tx_status status = e ? tx_zip_read(&f->zip, e, 64, &bytes) : TX_OK;
    if (!e || status)
        return status;
    f->swapped = strcmp((const char *)bytes, "big") == 0;
    if (!f->swapped && strcmp((const char *)bytes, "little") != 0)
        status = tx_fail(TX_ERR_FORMAT, "%s: byteorder is neither little nor big", f->file.name);
    tx_free(bytes);
    return status;
}

/* The common tail of both: names, storages (found by `keys`, or in the archive), tensors. */
static tx_status use(tx_torch *f, const tx_pickle *saved, const char *prefix, const tx_pickle *keys)
{
    tx_status status = tx_torch_names_find(&f->names, saved, f->file.name);
    if (status == TX_OK)
        status = tx_torch_storages_list(&f->storages, saved, f->file.name);
    if (status == TX_OK)
        status = keys ? tx_torch_storages_file(&f->storages, &f->file, keys)
                      : tx_torch_storages_zip(&f->storages, &f->zip, prefix);
    return status ? status : place_all(f, saved);
}

static tx_status open_zip(tx_torch *f)
{
    tx_pickle saved = {0};
    tx_buffer name = {0};
    tx_status status = tx_zip_open(&f->zip, &f->file);
    if (status)
        return status;
    if (!f->zip.first)
        return tx_fail(TX_ERR_FORMAT, "%s: an empty ZIP archive, " EXPECTED " expected", f->file.name);
    char *prefix = tx_strdup(f->zip.first);
    if (!prefix)
        return TX_ERR_MEMORY;
    prefix[strcspn(prefix, "/")] = 0;
    status = read_zip_pickle(f, prefix, &name, &saved);
    if (status == TX_OK)
        status = read_byteorder(f, prefix, &name);
    if (status == TX_OK)
        status = use(f, &saved, prefix, NULL);
    tx_pickle_free(&saved);
    tx_buffer_free(&name);
    tx_free(prefix);
    return status;
}

/* The next pickle from *at on. */
static tx_status read_pickle(tx_torch *f, const char *what, uint64_t *at, tx_pickle *p)
{
    tx_pickle_source source = {&f->file, what, NULL, *at, f->file.size, tx_torch_callable};
    tx_status status = tx_pickle_read(p, &source);
    *at = p->end;
    return status;
}

static int is_magic(const tx_pickle *p)
{
    static const char bytes[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", digits[] = "119547037146038801333356";
    const tx_pickle_value *v = &p->value[p->root];
    const char *text = tx_pickle_text(p, p->root);
    if (v->kind != TX_PICKLE_LARGE)
        return 0;
    return v->u.text.length == 10 ? memcmp(text, bytes, 10) == 0 : strcmp(text, digits) == 0;
}

/* Magic number, protocol and the machine's properties. */
static tx_status read_heads(tx_torch *f, uint64_t *at)
{
    tx_pickle head;
    tx_status status = read_pickle(f, "its magic number", at, &head);
    if (status)
        return status;
    int magic = is_magic(&head);
    tx_pickle_free(&head);
    if (!magic)
        return tx_fail(TX_ERR_FORMAT, "%s: a Python pickle that torch.save did not write, " EXPECTED " expected",
                       f->file.name);
    status = read_pickle(f, "its protocol", at, &head);
    if (status)
        return status;
    const tx_pickle_value *v = &head.value[head.root];
    int known = v->kind == TX_PICKLE_INTEGER && v->u.integer == 1001;
    tx_pickle_free(&head);
    if (!known)
        return tx_fail(TX_ERR_FORMAT, "%s: another protocol of PyTorch's files than 1001", f->file.name);
    status = read_pickle(f, "its machine", at, &head);
    tx_pickle_free(&head);
    return status;
}

static tx_status open_pickles(tx_torch *f)
{
    tx_pickle saved = {0}, keys = {0};
    uint64_t at = 0;
    tx_status status = read_heads(f, &at);
    if (status == TX_OK)
        status = read_pickle(f, "pickle", &at, &saved);
    if (status == TX_OK)
        status = read_pickle(f, "its list of storages", &at, &keys);
    if (status == TX_OK)
        status = use(f, &saved, NULL, &keys);
    tx_pickle_free(&saved);
    tx_pickle_free(&keys);
    return status;
}

/* A global as protocol 0 writes it: c, a module's line, a name's. */
static int is_global_line(const unsigned char *bytes, size_t size)
{
    int lines = 0;
    size_t i = 1;
    if (size == 0 || bytes[0] != 'c')
        return 0;
    for (; i < size && lines < 2; i++) {
        int c = bytes[i], word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '\n' && bytes[i - 1] != '\n' && i > 1)
            lines++;
        else if (!word && c != '_' && c != '.')
            return 0;
    }
    return lines == 2;
}

int tx_torch_looks(const unsigned char *bytes, size_t size)
{
    static const char decimal[] = "L119547037146038801333356L\n";
    if (size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0))
        return 1;
    if (size >= 2 && bytes[0] == 0x80 && bytes[1] <= 5)
        return !tx_looks_safetensors(bytes, size);
    return (size >= sizeof decimal - 1 && memcmp(bytes, decimal, sizeof decimal - 1) == 0) ||
           is_global_line(bytes, size);
}

tx_torch *tx_torch_open(const char *path)
{
    unsigned char first[4] = {0};
    tx_torch *f = tx_alloc(1, sizeof *f);
    if (!f)
        return NULL;
    if (tx_reader_open(&f->file, path, EXPECTED) == TX_OK &&
        tx_reader_at(&f->file, 0, first, f->file.size < 4 ? (size_t)f->file.size : 4) == TX_OK &&
        (memcmp(first, "PK", 2) == 0 ? open_zip(f) : open_pickles(f)) == TX_OK)
        return f;
    tx_torch_close(f);
    return NULL;
}

void tx_torch_close(tx_torch *f)
{
    if (!f)
        return;
    tx_reader_close(&f->file);
    tx_zip_close(&f->zip);
    tx_torch_names_free(&f->names);
    tx_torch_storages_free(&f->storages);
    tx_free(f->stored);
    tx_free(f->place);
    tx_free(f->by_name);
    tx_free(f->buffer);
    tx_free(f->inflated);
    tx_free(f);
}

/* ---------------------------------------------------------------------------------------- contents */
const char *tx_torch_file_name(const tx_torch *f)
{
    return f->file.name;
}

size_t tx_torch_count(const tx_torch *f)
{
    return f->names.named;
}

const tx_stored *tx_torch_at(const tx_torch *f, size_t i)
{
    if (i < f->names.named)
        return &f->stored[i];
    tx_fail(TX_ERR_ARGUMENT, "%s: tensor %zu of %zu", f->file.name, i, f->names.named);
    return NULL;
}

const tx_stored *tx_torch_find(const tx_torch *f, const char *name)
{
    return tx_stored_find(f->by_name, f->names.named, name);
}

const tx_stored *tx_torch_attribute(const tx_torch *f, const char *name)
{
    for (size_t i = f->names.named; i < f->names.tensors; i++)
        if (strcmp(f->stored[i].name, name) == 0)
            return &f->stored[i];
    return tx_torch_find(f, name);
}

const char *tx_torch_text(const tx_torch *f, const char *key, size_t i)
{
    for (size_t k = 0; k < f->names.lists; k++) {
        const tx_torch_name *list = &f->names.list[k];
        if (strcmp(f->names.text + list->at, key) == 0)
            return i < list->count ? f->names.text + f->names.line[list->value + i] : NULL;
    }
    return NULL;
}

const char *tx_torch_class(const tx_torch *f)
{
    return f->names.type == SIZE_MAX ? NULL : f->names.text + f->names.type;
}

/* --------------------------------------------------------------------------------------------- numbers */
/* Makes the storage's bytes ready: inflated where they must be, and with the CRC-32 that the archive has of them. */
static tx_status prepare(tx_torch *f, tx_torch_storage *s)
{
    if (!s->entry || (s->checked && !s->entry->deflated) || f->inflated_of == s)
        return TX_OK;
    if (!s->entry->deflated) {
        tx_status status = tx_zip_check(&f->zip, s->entry);
        s->checked = status == TX_OK;
        return status;
    }
    tx_free(f->inflated);
    f->inflated_of = NULL;
    tx_status status = tx_zip_read(&f->zip, s->entry, INFLATED_MAX, &f->inflated);
    if (status == TX_OK)
        f->inflated_of = s;
    return status;
}

static tx_status read_storage(tx_torch *f, const tx_torch_storage *s, uint64_t at, void *out, size_t n)
{
    if (!s->entry || !s->entry->deflated)
        return tx_reader_at(&f->file, s->at + at, out, n);
    memcpy(out, f->inflated + at, n);
    return TX_OK;
}

/* Numbers from bytes in the file's order. */
static tx_status convert(const tx_torch *f, const tx_stored *t, unsigned char *bytes, size_t n, float *floats,
                         int64_t *integers)
{
    size_t size = tx_dtype_bytes(t->dtype);
    for (size_t i = 0; f->swapped && size > 1 && i < n; i++)
        for (size_t a = 0, b = size - 1; a < b; a++, b--) {
            unsigned char byte = bytes[i * size + a];
            bytes[i * size + a] = bytes[i * size + b];
            bytes[i * size + b] = byte;
        }
    if (floats)
        tx_floats_from(t->dtype, bytes, n, floats);
    else if (tx_integers_from(t->dtype, bytes, n, integers))
        return fail_tensor(f, t->name, "a number of more than 63 bits");
    return TX_OK;
}

static tx_status read_dense(tx_torch *f, const tx_stored *t, const place *at, float *floats, int64_t *integers)
{
    size_t size = tx_dtype_bytes(t->dtype), n;
    tx_status status = TX_OK;
    for (size_t done = 0; status == TX_OK && done < t->count; done += n) {
        n = t->count - done < BUFFER / size ? t->count - done : BUFFER / size;
        status = read_storage(f, at->storage, at->offset + (uint64_t)done * size, f->buffer, n * size);
        if (status == TX_OK)
            status = convert(f, t, f->buffer, n, floats ? floats + done : NULL, integers ? integers + done : NULL);
    }
    return status;
}

/* All that lies between the first and the last element, and the elements from there in the order of their indices. */
static tx_status read_strided(tx_torch *f, const tx_stored *t, const place *at, float *floats, int64_t *integers)
{
    size_t size = tx_dtype_bytes(t->dtype), extent = (size_t)(t->to - t->from), index[TX_STORED_DIMS] = {0};
    unsigned char *bytes = tx_alloc(extent, 1);
    tx_status status = bytes ? read_storage(f, at->storage, at->offset, bytes, extent) : TX_ERR_MEMORY;
    size_t from = 0, held = 0, done = 0;
    while (status == TX_OK && done + held < t->count) {
        memcpy(f->buffer + held * size, bytes + from * size, size);
        held++;
        for (int d = t->dims - 1; d >= 0; d--) {
            from += at->stride[d];
            if (++index[d] < t->shape[d])
                break;
            from -= at->stride[d] * t->shape[d];
            index[d] = 0;
        }
        if (held == BUFFER / size || done + held == t->count) {
            status = convert(f, t, f->buffer, held, floats ? floats + done : NULL, integers ? integers + done : NULL);
            done += held;
            held = 0;
        }
    }
    tx_free(bytes);
    return status;
}

/* The tensor is one of the file's, of the wanted kind, and there is room for it. */
static tx_status read_tensor(tx_torch *f, const tx_stored *t, float *floats, int64_t *integers, const char *call)
{
    if (!t || (!floats && !integers && t->count > 0))
        return tx_fail_null(call, t ? "room for the numbers" : "tensor");
    if (!t->name || (tx_torch_find(f, t->name) != t && tx_torch_attribute(f, t->name) != t))
        return tx_fail(TX_ERR_ARGUMENT, "%s: %s of a tensor of another file", f->file.name, call);
    const place *at = &f->place[t - f->stored];
    if (t->count == 0)
        return TX_OK;
    tx_status status = prepare(f, at->storage);
    if (status)
        return status;
    return at->dense ? read_dense(f, t, at, floats, integers) : read_strided(f, t, at, floats, integers);
}

static tx_status wrong_type(const tx_torch *f, const tx_stored *t, const char *expected)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': type %s, expected %s", f->file.name,
                   tx_escape(text, sizeof text, t->name), tx_dtype_name(t->dtype), expected);
}

tx_status tx_torch_floats(tx_torch *f, const tx_stored *t, float *out)
{
    if (t && t->name && !tx_dtype_is_float(t->dtype))
        return wrong_type(f, t, "floating point numbers");
    return read_tensor(f, t, out, NULL, "tx_torch_floats");
}

tx_status tx_torch_integers(tx_torch *f, const tx_stored *t, int64_t *out)
{
    if (t && t->name && !tx_dtype_is_integer(t->dtype))
        return wrong_type(f, t, "integers");
    return read_tensor(f, t, NULL, out, "tx_torch_integers");
}
