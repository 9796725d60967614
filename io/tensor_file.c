/* tensor_file.c - a file of named tensors of either kind, told by its contents. */
#include "safetensors_private.h"
#include "torch.h"

#define EXPECTED "weights (.safetensors, .pth)"

struct tx_tensor_file { /* one of the two */
    tx_safetensors *safetensors;
    tx_torch *torch;
};

/* Whether the file is one for torch.h; what cannot be read is left to whoever opens it. */
static tx_status looks_torch(const char *path, int *is)
{
    tx_reader file;
    unsigned char first[TX_FILE_LOOK];
    tx_status status = tx_reader_open(&file, path, EXPECTED);
    if (status)
        return status;
    size_t n = file.size < sizeof first ? (size_t)file.size : sizeof first;
    status = tx_reader_at(&file, 0, first, n);
    *is = tx_torch_looks(first, n);
    tx_reader_close(&file);
    return status;
}

tx_tensor_file *tx_tensor_file_open(const char *path)
{
    int torch;
    if (!path) {
        tx_fail_null("tx_tensor_file_open", "path");
        return NULL;
    }
    if (looks_torch(path, &torch))
        return NULL;
    tx_tensor_file *f = tx_alloc(1, sizeof *f);
    if (!f)
        return NULL;
    if (torch)
        f->torch = tx_torch_open(path);
    else
        f->safetensors = tx_safetensors_open_as(path, EXPECTED);
    if (f->torch || f->safetensors)
        return f;
    tx_free(f);
    return NULL;
}

void tx_tensor_file_close(tx_tensor_file *f)
{
    if (!f)
        return;
    tx_safetensors_close(f->safetensors);
    tx_torch_close(f->torch);
    tx_free(f);
}

/* There is a file, and the argument; what is missing is an error. */
static int given(const tx_tensor_file *f, const void *argument, const char *call, const char *what)
{
    if (f && argument)
        return 1;
    tx_fail_null(call, f ? what : "file");
    return 0;
}

const char *tx_tensor_file_name(const tx_tensor_file *f)
{
    if (!given(f, f, "tx_tensor_file_name", "file"))
        return NULL;
    return f->torch ? tx_torch_file_name(f->torch) : tx_safetensors_name(f->safetensors);
}

size_t tx_tensor_file_count(const tx_tensor_file *f)
{
    if (!given(f, f, "tx_tensor_file_count", "file"))
        return 0;
    return f->torch ? tx_torch_count(f->torch) : tx_safetensors_count(f->safetensors);
}

const tx_stored *tx_tensor_file_at(const tx_tensor_file *f, size_t i)
{
    if (!given(f, f, "tx_tensor_file_at", "file"))
        return NULL;
    return f->torch ? tx_torch_at(f->torch, i) : tx_safetensors_at(f->safetensors, i);
}

const tx_stored *tx_tensor_file_find(const tx_tensor_file *f, const char *name)
{
    if (!given(f, name, "tx_tensor_file_find", "name"))
        return NULL;
    return f->torch ? tx_torch_find(f->torch, name) : tx_safetensors_find(f->safetensors, name);
}

tx_status tx_tensor_file_floats(tx_tensor_file *f, const tx_stored *tensor, float *out)
{
    if (!given(f, tensor, "tx_tensor_file_floats", "tensor"))
        return TX_ERR_ARGUMENT;
    return f->torch ? tx_torch_floats(f->torch, tensor, out) : tx_safetensors_floats(f->safetensors, tensor, out);
}

tx_status tx_tensor_file_integers(tx_tensor_file *f, const tx_stored *tensor, int64_t *out)
{
    if (!given(f, tensor, "tx_tensor_file_integers", "tensor"))
        return TX_ERR_ARGUMENT;
    return f->torch ? tx_torch_integers(f->torch, tensor, out) : tx_safetensors_integers(f->safetensors, tensor, out);
}

const tx_pair *tx_tensor_file_metas(const tx_tensor_file *f, size_t *count)
{
    if (!given(f, count, "tx_tensor_file_metas", "room for the number"))
        return NULL;
    *count = 0;
    return f->torch ? NULL : tx_safetensors_metas(f->safetensors, count);
}

const char *tx_tensor_file_meta(const tx_tensor_file *f, const char *key)
{
    if (!given(f, key, "tx_tensor_file_meta", "key"))
        return NULL;
    return f->torch ? NULL : tx_safetensors_meta(f->safetensors, key);
}

const char *tx_tensor_file_class(const tx_tensor_file *f)
{
    if (!given(f, f, "tx_tensor_file_class", "file"))
        return NULL;
    return f->torch ? tx_torch_class(f->torch) : NULL;
}

const tx_stored *tx_tensor_file_attribute(const tx_tensor_file *f, const char *name)
{
    if (!given(f, name, "tx_tensor_file_attribute", "name"))
        return NULL;
    return f->torch ? tx_torch_attribute(f->torch, name) : tx_safetensors_find(f->safetensors, name);
}

const char *tx_tensor_file_text(const tx_tensor_file *f, const char *key, size_t i)
{
    if (!given(f, key, "tx_tensor_file_text", "key"))
        return NULL;
    return f->torch ? tx_torch_text(f->torch, key, i) : NULL;
}
