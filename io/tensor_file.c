/* tensor_file.c - a file of named tensors of either kind, told by its contents. */
#include "safetensors_private.h"

struct tx_tensor_file {
    tx_safetensors *safetensors;
};

tx_tensor_file *tx_tensor_file_open(const char *path)
{
    if (!path) {
        tx_fail_null("tx_tensor_file_open", "path");
        return NULL;
    }
    tx_tensor_file *f = tx_alloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->safetensors = tx_safetensors_open(path);
    if (f->safetensors)
        return f;
    tx_tensor_file_close(f);
    return NULL;
}

void tx_tensor_file_close(tx_tensor_file *f)
{
    if (!f)
        return;
    tx_safetensors_close(f->safetensors);
    tx_free(f);
}

const char *tx_tensor_file_name(const tx_tensor_file *f)
{
    if (!f) {
        tx_fail_null("tx_tensor_file_name", "file");
        return NULL;
    }
    return tx_safetensors_name(f->safetensors);
}

size_t tx_tensor_file_count(const tx_tensor_file *f)
{
    if (!f) {
        tx_fail_null("tx_tensor_file_count", "file");
        return 0;
    }
    return tx_safetensors_count(f->safetensors);
}

const tx_stored *tx_tensor_file_at(const tx_tensor_file *f, size_t i)
{
    if (!f) {
        tx_fail_null("tx_tensor_file_at", "file");
        return NULL;
    }
    return tx_safetensors_at(f->safetensors, i);
}

const tx_stored *tx_tensor_file_find(const tx_tensor_file *f, const char *name)
{
    if (!f) {
        tx_fail_null("tx_tensor_file_find", "file");
        return NULL;
    }
    return tx_safetensors_find(f->safetensors, name);
}

tx_status tx_tensor_file_floats(tx_tensor_file *f, const tx_stored *tensor, float *out)
{
    if (!f)
        return tx_fail_null("tx_tensor_file_floats", "file");
    return tx_safetensors_floats(f->safetensors, tensor, out);
}

tx_status tx_tensor_file_integers(tx_tensor_file *f, const tx_stored *tensor, int64_t *out)
{
    if (!f)
        return tx_fail_null("tx_tensor_file_integers", "file");
    return tx_safetensors_integers(f->safetensors, tensor, out);
}

const tx_pair *tx_tensor_file_metas(const tx_tensor_file *f, size_t *count)
{
    if (!f || !count) {
        tx_fail_null("tx_tensor_file_metas", f ? "room for the number" : "file");
        return NULL;
    }
    return tx_safetensors_metas(f->safetensors, count);
}

const char *tx_tensor_file_meta(const tx_tensor_file *f, const char *key)
{
    if (!f || !key) {
        tx_fail_null("tx_tensor_file_meta", f ? "key" : "file");
        return NULL;
    }
    return tx_safetensors_meta(f->safetensors, key);
}

const char *tx_tensor_file_text(const tx_tensor_file *f, const char *key, size_t i)
{
    if (!f || !key)
        tx_fail_null("tx_tensor_file_text", f ? "key" : "file");
    (void)i;
    return NULL;
}
