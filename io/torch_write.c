/* torch_write.c - writing a state_dict as torch.save does: a zip file whose entries are stored as they are.
 *
 *   archive/data.pkl    the state_dict, a pickle of protocol 2: an OrderedDict of names and of calls of
 *                       torch._utils._rebuild_tensor_v2, each with the number of the storage that holds its elements
 *   archive/byteorder   "little"
 *   archive/data/N      the elements of tensor N
 *   archive/version     "3"
 *
 * Every entry's bytes begin at a multiple of 64, which a field of the header before them is made as long for, so that readers
 * may map them. Dates are 0: the bytes depend on the tensors alone. */
#include "inflate.h"
#include "safetensors_private.h"

#include <string.h>

enum { ALIGNED = 64, LOCAL = 30, NAME = 48, UTF8 = 1 << 11, NEEDED = 10 };

static const char *const storage[] = {
    [TX_F64] = "Double", [TX_F32] = "Float", [TX_F16] = "Half",  [TX_BF16] = "BFloat16", [TX_I64] = "Long",
    [TX_I32] = "Int",    [TX_I16] = "Short", [TX_I8] = "Char",   [TX_U64] = NULL,        [TX_U32] = NULL,
    [TX_U16] = NULL,     [TX_U8] = "Byte",   [TX_BOOL] = "Bool", [TX_F8_E4M3] = NULL,    [TX_F8_E5M2] = NULL};

/* ---------------------------------------------------------------------------------------- bytes */
typedef struct bytes {
    unsigned char *data;
    size_t used, room;
    tx_status status; /* the first failure stays */
} bytes;

static void add(bytes *b, const void *data, size_t n)
{
    if (b->status == TX_OK)
        b->status = tx_grow((void **)&b->data, &b->room, b->used + n, 1);
    if (b->status)
        return;
    memcpy(b->data + b->used, data, n);
    b->used += n;
}

/* The lowest n bytes of a number, least significant first. */
static void add_number(bytes *b, uint64_t value, size_t n)
{
    unsigned char little[8];
    for (size_t i = 0; i < n; i++)
        little[i] = (unsigned char)(value >> (8 * i));
    add(b, little, n);
}

static void add_text(bytes *b, const char *text)
{
    add(b, text, strlen(text));
}

/* --------------------------------------------------------------------------------------- pickle */
static void pickle_text(bytes *b, const char *text)
{
    size_t n = strlen(text);
    add_text(b, "X"); /* BINUNICODE */
    add_number(b, n, 4);
    add(b, text, n);
}

/* BININT1, BININT or LONG1, whose highest bit is the sign. */
static void pickle_number(bytes *b, uint64_t value)
{
    int small = value < 256, middle = value <= INT32_MAX;
    add_text(b, small ? "K" : middle ? "J" : "\x8a\x09");
    add_number(b, value, small ? 1 : middle ? 4 : 8);
    if (!middle)
        add_number(b, 0, 1);
}

/* A name of Python's. */
static void pickle_global(bytes *b, const char *module, const char *name)
{
    add_text(b, "c");
    add_text(b, module);
    add_text(b, "\n");
    add_text(b, name);
    add_text(b, "\n");
}

/* OrderedDict(), to be filled. */
static void pickle_dict(bytes *b)
{
    pickle_global(b, "collections", "OrderedDict");
    add_text(b, ")R"); /* EMPTY_TUPLE, REDUCE */
}

/* _rebuild_tensor_v2(storage, offset 0, shape, strides, requires_grad False, no hooks) */
static void pickle_tensor(bytes *b, const tx_stored *t, size_t number, size_t count)
{
    char text[NAME];
    pickle_global(b, "torch._utils", "_rebuild_tensor_v2");
    add_text(b, "(("); /* MARK, MARK */
    pickle_text(b, "storage");
    snprintf(text, sizeof text, "%sStorage", storage[t->dtype]);
    pickle_global(b, "torch", text);
    snprintf(text, sizeof text, "%zu", number);
    pickle_text(b, text);
    pickle_text(b, "cpu");
    pickle_number(b, count);
    add_text(b, "tQ"); /* TUPLE, BINPERSID */
    pickle_number(b, 0);
    add_text(b, "(");
    for (int d = 0; d < t->dims; d++)
        pickle_number(b, t->shape[d]);
    add_text(b, "t(");
    for (int d = 0; d < t->dims; d++) {
        size_t stride = 1;
        for (int k = d + 1; k < t->dims; k++)
            stride *= t->shape[k];
        pickle_number(b, stride);
    }
    add_text(b, "t\x89"); /* NEWFALSE */
    pickle_dict(b);
    add_text(b, "tR");
}

/* The state_dict with its _metadata, in which torchvision's MNASNet looks for the version of its layers: 2, as in all files
 * since 2019. Other modules do not look, or have no older one that would read these tensors otherwise. */
static void pickle_state(bytes *b, const tx_stored *tensor, const size_t *count, size_t tensors)
{
    add_text(b, "\x80\x02"); /* PROTO */
    pickle_dict(b);
    add_text(b, "(");
    for (size_t i = 0; i < tensors; i++) {
        pickle_text(b, tensor[i].name);
        pickle_tensor(b, &tensor[i], i, count[i]);
    }
    add_text(b, "u}"); /* SETITEMS, EMPTY_DICT */
    pickle_text(b, "_metadata");
    pickle_dict(b);
    pickle_text(b, "");
    add_text(b, "}");
    pickle_text(b, "version");
    pickle_number(b, 2);
    add_text(b, "sssb."); /* SETITEM thrice, BUILD, STOP */
}

/* ------------------------------------------------------------------------------------------ zip */
typedef struct zip {
    tx_writer *file;
    uint64_t at;   /* bytes written */
    bytes central; /* the directory, written last */
    size_t entries;
} zip;

/* What both headers of an entry say of it. */
static void describe(bytes *b, uint32_t crc, size_t n, const char *name, size_t extra)
{
    add_number(b, NEEDED, 2);
    add_number(b, UTF8, 2);
    add_number(b, 0, 2); /* stored */
    add_number(b, 0, 4); /* time, date */
    add_number(b, crc, 4);
    add_number(b, n, 4);
    add_number(b, n, 4);
    add_number(b, strlen(name), 2);
    add_number(b, extra, 2);
}

static size_t padding(uint64_t at, const char *name)
{
    return (size_t)((ALIGNED - (at + LOCAL + strlen(name) + 4) % ALIGNED) % ALIGNED);
}

/* The header before an entry's bytes, with a field of zeros behind the name. */
static void local_header(bytes *b, uint64_t at, uint32_t crc, size_t n, const char *name)
{
    static const unsigned char zeros[ALIGNED];
    size_t pad = padding(at, name);
    add_text(b, "PK\x03\x04");
    describe(b, crc, n, name, pad + 4);
    add_text(b, name);
    add_text(b, "FB");
    add_number(b, pad, 2);
    add(b, zeros, pad);
}

static tx_status zip_entry(zip *z, const char *name, const void *data, size_t n)
{
    bytes head = {0};
    uint32_t crc = tx_crc32(0, data, n);
    local_header(&head, z->at, crc, n, name);
    add_text(&z->central, "PK\x01\x02");
    add_number(&z->central, NEEDED, 2);
    describe(&z->central, crc, n, name, 0);
    add_number(&z->central, 0, 8); /* comment, disk, attributes */
    add_number(&z->central, 0, 2);
    add_number(&z->central, z->at, 4);
    add_text(&z->central, name);
    tx_status status = head.status ? head.status : z->central.status;
    if (status == TX_OK)
        status = tx_writer_bytes(z->file, head.data, head.used);
    if (status == TX_OK)
        status = tx_writer_bytes(z->file, data, n);
    z->at += head.used + n;
    z->entries++;
    tx_free(head.data);
    return status;
}

static tx_status zip_end(zip *z)
{
    size_t directory = z->central.used;
    add_text(&z->central, "PK\x05\x06");
    add_number(&z->central, 0, 4); /* disks */
    add_number(&z->central, z->entries, 2);
    add_number(&z->central, z->entries, 2);
    add_number(&z->central, directory, 4);
    add_number(&z->central, z->at, 4);
    add_number(&z->central, 0, 2);
    return z->central.status ? z->central.status : tx_writer_bytes(z->file, z->central.data, z->central.used);
}

/* ----------------------------------------------------------------------------------------- file */
static const char *data_name(char out[NAME], size_t number)
{
    snprintf(out, NAME, "archive/data/%zu", number);
    return out;
}

static tx_status refuse(const char *path, const tx_stored *t, const char *what)
{
    char file[TX_TEXT], name[TX_TEXT];
    return tx_fail(TX_ERR_ARGUMENT, "%s: tensor '%s': %s", tx_escape(file, sizeof file, path),
                   tx_escape(name, sizeof name, t->name), what);
}

/* Counts the elements of each tensor; *largest are the bytes of the largest. What no .pth file can hold is refused before
 * anything is written. */
static tx_status measure(const char *path, const tx_stored *tensor, size_t tensors, size_t *count, size_t *largest)
{
    char text[TX_TEXT];
    uint64_t total = 0;
    for (size_t i = 0; i < tensors; i++) {
        const tx_stored *t = &tensor[i];
        size_t size = tx_dtype_bytes(t->dtype), n = 1, overflow = 0;
        if (!size)
            return TX_ERR_ARGUMENT;
        if (!t->name || t->dims < 0 || t->dims > TX_STORED_DIMS)
            return tx_fail(TX_ERR_ARGUMENT, "%s: tensor %zu: %s", tx_escape(text, sizeof text, path), i,
                           t->name ? "a wrong number of dimensions" : "no name");
        if (!storage[t->dtype])
            return refuse(path, t, "PyTorch's files have no storage of its type");
        for (int d = 0; d < t->dims; d++)
            overflow |= tx_size_mul(n, t->shape[d], &n) != 0;
        count[i] = n;
        if (overflow || tx_size_mul(n, size, &n))
            return refuse(path, t, "an impossible size");
        *largest = n > *largest ? n : *largest;
        /* Its bytes, headers and line in the pickle. */
        total += (uint64_t)n + 1024 + 2 * strlen(t->name);
        if (total > UINT32_MAX)
            return tx_fail(TX_ERR_ARGUMENT,
                           "%s: the tensors need more than 4 GiB; a .safetensors file may have as many",
                           tx_escape(text, sizeof text, path));
    }
    if (tensors > 65000)
        return tx_fail(TX_ERR_ARGUMENT, "%s: %zu tensors, at most 65000 fit into a .pth file",
                       tx_escape(text, sizeof text, path), tensors);
    return TX_OK;
}

static tx_status write_tensors(zip *z, const tx_stored *tensor, const size_t *count, size_t tensors, size_t largest,
                               tx_stored_fill *fill, void *context)
{
    char name[NAME];
    unsigned char *data = tx_alloc(largest, 1);
    tx_status status = data ? TX_OK : TX_ERR_MEMORY;
    for (size_t i = 0; i < tensors && status == TX_OK; i++) {
        status = fill(context, i, data);
        if (status)
            break;
        tx_elements_to(tensor[i].dtype, data, count[i], data);
        status = zip_entry(z, data_name(name, i), data, count[i] * tx_dtype_bytes(tensor[i].dtype));
    }
    tx_free(data);
    return status;
}

static tx_status write_archive(zip *z, const tx_stored *tensor, const size_t *count, size_t tensors, size_t largest,
                               tx_stored_fill *fill, void *context)
{
    bytes pickle = {0};
    pickle_state(&pickle, tensor, count, tensors);
    tx_status status = pickle.status;
    if (status == TX_OK)
        status = zip_entry(z, "archive/data.pkl", pickle.data, pickle.used);
    if (status == TX_OK)
        status = zip_entry(z, "archive/byteorder", "little", 6);
    if (status == TX_OK)
        status = write_tensors(z, tensor, count, tensors, largest, fill, context);
    if (status == TX_OK)
        status = zip_entry(z, "archive/version", "3\n", 2);
    if (status == TX_OK)
        status = zip_end(z);
    tx_free(pickle.data);
    tx_free(z->central.data);
    return status;
}

tx_status tx_torch_write(const char *path, const tx_stored *tensor, size_t tensors, tx_stored_fill *fill, void *context)
{
    if (!path || (tensors && (!tensor || !fill)))
        return tx_fail_null("tx_torch_write", !path ? "path" : !tensor ? "tensors" : "elements");
    size_t *count = tx_alloc(tensors, sizeof *count), largest = 1;
    tx_status status = count ? measure(path, tensor, tensors, count, &largest) : TX_ERR_MEMORY;
    zip z = {.file = status == TX_OK ? tx_writer_open(path) : NULL};
    if (z.file) {
        status = write_archive(&z, tensor, count, tensors, largest, fill, context);
        if (status)
            tx_writer_abort(z.file);
        else
            status = tx_writer_commit(z.file);
    } else if (status == TX_OK) {
        status = tx_error_status();
    }
    tx_free(count);
    return status;
}
