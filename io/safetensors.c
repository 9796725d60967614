/* safetensors.c - reading tensors by name from a safetensors file.
 *
 * The file: 8 bytes of header length N (little-endian), N bytes of JSON
 *
 *     {"__metadata__": {"key": "value", ..},
 *      "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [from, to]}, ..}
 *
 * which begins with { and may end in blanks, then the data, offsets counted from the header's end. Together the
 * tensors cover the data exactly. Source: the format's description at https://github.com/huggingface/safetensors. */
#include "reader.h"
#include "safetensors_private.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 16, TENSORS_MAX = 1 << 18, METAS_MAX = 1 << 16 };
#define HEADER_MAX 100000000u /* the format's own limit */

struct tx_safetensors {
    tx_reader file;
    uint64_t data; /* where the data begins */
    char *header;
    tx_stored *tensor;
    size_t tensors, tensor_room;
    const tx_stored **by_name; /* sorted */
    tx_pair *meta;
    size_t metas, meta_room;
    unsigned char *buffer;
};

static tx_status fail(const tx_safetensors *f, const char *tensor, const char *what)
{
    char text[TX_TEXT];
    if (!tensor)
        return tx_fail(TX_ERR_FORMAT, "%s: %s", f->file.name, what);
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': %s", f->file.name, tx_escape(text, sizeof text, tensor), what);
}

/* ---------------------------------------------------------------------------------------- header */

static tx_status json_error(const tx_safetensors *f, const tx_json *json, tx_json_token token, const char *expected)
{
    if (token == TX_JSON_ERROR)
        return tx_fail_within(TX_ERR_FORMAT, "%s: header", f->file.name);
    return tx_fail(TX_ERR_FORMAT, "%s: header, byte %zu: expected %s", f->file.name, json->at, expected);
}

/* A whole number without sign, point or exponent, as sizes and offsets are. */
static tx_status read_size(const tx_safetensors *f, tx_json *json, tx_json_token token, uint64_t *value)
{
    int64_t v;
    if (token != TX_JSON_NUMBER || tx_integer_parse(json->string, &v) || json->string[0] == '-')
        return json_error(f, json, token, "a size");
    *value = (uint64_t)v;
    return TX_OK;
}

/* "shape": [..] */
static tx_status read_shape(const tx_safetensors *f, tx_json *json, tx_stored *t)
{
    tx_json_token token = tx_json_next(json);
    if (token != TX_JSON_ARRAY)
        return json_error(f, json, token, "a shape");
    t->count = 1;
    while ((token = tx_json_next(json)) != TX_JSON_ARRAY_END) {
        uint64_t side = 0;
        tx_status status = read_size(f, json, token, &side);
        if (status)
            return status;
        if (t->dims == TX_STORED_DIMS)
            return fail(f, t->name, "more than 8 dimensions");
        if (side > SIZE_MAX || tx_size_mul(t->count, (size_t)side, &t->count))
            return fail(f, t->name, "the product of its sides does not fit");
        t->shape[t->dims++] = (size_t)side;
    }
    return TX_OK;
}

/* "data_offsets": [from, to] */
static tx_status read_offsets(const tx_safetensors *f, tx_json *json, tx_stored *t)
{
    tx_json_token token = tx_json_next(json);
    if (token != TX_JSON_ARRAY)
        return json_error(f, json, token, "[from, to]");
    tx_status status = read_size(f, json, tx_json_next(json), &t->from);
    if (status == TX_OK)
        status = read_size(f, json, tx_json_next(json), &t->to);
    if (status)
        return status;
    token = tx_json_next(json);
    return token == TX_JSON_ARRAY_END ? TX_OK : json_error(f, json, token, "the end of [from, to]");
}

static tx_status read_dtype(const tx_safetensors *f, tx_json *json, tx_stored *t)
{
    tx_json_token token = tx_json_next(json);
    if (token != TX_JSON_STRING)
        return json_error(f, json, token, "the name of a type");
    char text[TX_TEXT], name[TX_TEXT];
    if (tx_dtype_find(json->string, &t->dtype))
        return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': unknown type '%s'", f->file.name,
                       tx_escape(name, sizeof name, t->name), tx_escape(text, sizeof text, json->string));
    return TX_OK;
}

/* Type, shape and place must agree with each other and lie within the file. */
static tx_status check_tensor(const tx_safetensors *f, const tx_stored *t)
{
    size_t bytes;
    if (tx_size_mul(t->count, tx_dtype_bytes(t->dtype), &bytes))
        return fail(f, t->name, "the product of its sides does not fit");
    char text[TX_TEXT];
    if (t->from > t->to || t->to > f->file.size - f->data)
        return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': bytes %llu to %llu of data that has %llu", f->file.name,
                       tx_escape(text, sizeof text, t->name), (unsigned long long)t->from, (unsigned long long)t->to,
                       (unsigned long long)(f->file.size - f->data));
    if (t->to - t->from != bytes)
        return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': %llu bytes, but its shape and type need %zu", f->file.name,
                       tx_escape(text, sizeof text, t->name), (unsigned long long)(t->to - t->from), bytes);
    return TX_OK;
}

/* One tensor's object, its key read. */
static tx_status read_tensor(tx_safetensors *f, tx_json *json)
{
    static const struct {
        const char *key;
        tx_status (*read)(const tx_safetensors *f, tx_json *json, tx_stored *t);
    } part[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
    tx_stored t = {.name = json->string};
    tx_json_token token = tx_json_next(json);
    if (token != TX_JSON_OBJECT)
        return json_error(f, json, token, "a tensor's description");
    int seen = 0;
    while ((token = tx_json_next(json)) == TX_JSON_KEY) {
        int k = 0;
        while (k < 3 && strcmp(json->string, part[k].key) != 0)
            k++;
        if (k == 3 || seen >> k & 1)
            return fail(f, t.name,
                        k == 3 ? "a key other than dtype, shape, data_offsets" : "a key that is there twice");
        seen |= 1 << k;
        tx_status status = part[k].read(f, json, &t);
        if (status)
            return status;
    }
    if (token != TX_JSON_OBJECT_END)
        return json_error(f, json, token, "the end of a tensor's description");
    if (seen != 7)
        return fail(f, t.name, "one of dtype, shape, data_offsets is missing");
    tx_status status = check_tensor(f, &t);
    if (status == TX_OK && f->tensors == TENSORS_MAX)
        status = fail(f, NULL, "more than 2^18 tensors");
    if (status == TX_OK)
        status = tx_grow((void **)&f->tensor, &f->tensor_room, f->tensors + 1, sizeof *f->tensor);
    if (status == TX_OK)
        f->tensor[f->tensors++] = t;
    return status;
}

/* The strings of __metadata__, its key read. */
static tx_status read_meta(tx_safetensors *f, tx_json *json)
{
    tx_json_token token = tx_json_next(json);
    if (token != TX_JSON_OBJECT)
        return json_error(f, json, token, "an object of strings");
    while ((token = tx_json_next(json)) == TX_JSON_KEY) {
        tx_pair pair = {.key = json->string};
        token = tx_json_next(json);
        if (token != TX_JSON_STRING)
            return json_error(f, json, token, "a string as metadata");
        pair.value = json->string;
        if (f->metas == METAS_MAX)
            return fail(f, NULL, "more than 2^16 entries of metadata");
        tx_status status = tx_grow((void **)&f->meta, &f->meta_room, f->metas + 1, sizeof *f->meta);
        if (status)
            return status;
        f->meta[f->metas++] = pair;
    }
    return token == TX_JSON_OBJECT_END ? TX_OK : json_error(f, json, token, "the end of the metadata");
}

static tx_status read_entries(tx_safetensors *f, size_t bytes)
{
    tx_json json;
    tx_json_begin(&json, f->header, bytes);
    tx_json_token token = f->header[0] == '{' ? tx_json_next(&json) : TX_JSON_END;
    if (token != TX_JSON_OBJECT)
        return json_error(f, &json, token, "{");
    int metas = 0;
    while ((token = tx_json_next(&json)) == TX_JSON_KEY) {
        int is_meta = strcmp(json.string, "__metadata__") == 0;
        metas += is_meta;
        if (metas > 1)
            return fail(f, NULL, "__metadata__ is there twice");
        tx_status status = is_meta ? read_meta(f, &json) : read_tensor(f, &json);
        if (status)
            return status;
    }
    if (token != TX_JSON_OBJECT_END)
        return json_error(f, &json, token, "a name");
    token = tx_json_next(&json);
    return token == TX_JSON_END ? TX_OK : json_error(f, &json, token, "the end of the header");
}

/* ------------------------------------------------------------------------------ the whole, checked */

static int by_place(const void *a, const void *b)
{
    const tx_stored *x = *(const tx_stored *const *)a, *y = *(const tx_stored *const *)b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int by_key(const void *a, const void *b)
{
    const tx_pair *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->key < y->key ? -1 : x->key > y->key;
}

/* Every byte of the data belongs to one tensor, and no name is there twice. */
static tx_status check_whole(tx_safetensors *f)
{
    f->by_name = tx_alloc(f->tensors, sizeof *f->by_name);
    if (!f->by_name)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < f->tensors; i++)
        f->by_name[i] = &f->tensor[i];
    if (f->tensors > 1)
        qsort(f->by_name, f->tensors, sizeof *f->by_name, by_place);
    uint64_t end = 0;
    for (size_t i = 0; i < f->tensors; i++) {
        const tx_stored *t = f->by_name[i];
        if (t->from != end)
            return fail(f, t->name,
                        t->from < end ? "shares bytes with another tensor" : "bytes before it belong to none");
        end = t->to;
    }
    if (end != f->file.size - f->data)
        return tx_fail(TX_ERR_FORMAT, "%s: %llu bytes of data, but the tensors have %llu", f->file.name,
                       (unsigned long long)(f->file.size - f->data), (unsigned long long)end);
    const tx_stored *twice = tx_stored_sort(f->by_name, f->tensors);
    if (twice)
        return fail(f, twice->name, "is there twice");
    if (f->metas > 1)
        qsort(f->meta, f->metas, sizeof *f->meta, by_key);
    for (size_t i = 1; i < f->metas; i++)
        if (strcmp(f->meta[i - 1].key, f->meta[i].key) == 0)
            return fail(f, NULL, "a key of the metadata is there twice");
    return TX_OK;
}

static tx_status read_header(tx_safetensors *f, const char *expected)
{
    unsigned char first[TX_FILE_LOOK] = {0};
    size_t begin = f->file.size < sizeof first ? (size_t)f->file.size : sizeof first;
    tx_status status = tx_reader_at(&f->file, 0, first, begin);
    if (status)
        return status;
    uint64_t n = tx_little_endian(first, 8);
    int lies = n > HEADER_MAX || f->file.size < 8 || n > f->file.size - 8,
        other = begin > 8 ? first[8] != '{' : begin == 8;
    if (begin == 0 || (lies && other) || (tx_file_looks(first, begin) && !tx_looks_safetensors(first, begin)))
        return tx_fail_foreign(f->file.path, first, begin, expected);
    if (f->file.size < 8)
        return tx_fail(TX_ERR_FORMAT, "%s: cut off at byte %llu, within the header's length", f->file.name,
                       (unsigned long long)f->file.size);
    if (lies)
        return tx_fail(TX_ERR_FORMAT, "%s: a header of %llu bytes in a file of %llu", f->file.name,
                       (unsigned long long)n, (unsigned long long)f->file.size);
    f->data = 8 + n;
    f->header = tx_alloc((size_t)n + 1, 1);
    f->buffer = tx_alloc(BUFFER, 1);
    if (!f->header || !f->buffer)
        return TX_ERR_MEMORY;
    status = tx_reader_at(&f->file, 8, f->header, (size_t)n);
    if (status == TX_OK)
        status = read_entries(f, (size_t)n);
    return status ? status : check_whole(f);
}

tx_safetensors *tx_safetensors_open(const char *path)
{
    if (!path) {
        tx_fail_null("tx_safetensors_open", "path");
        return NULL;
    }
    return tx_safetensors_open_as(path, "weights (.safetensors)");
}

tx_safetensors *tx_safetensors_open_as(const char *path, const char *expected)
{
    tx_safetensors *f = tx_alloc(1, sizeof *f);
    if (f && tx_reader_open(&f->file, path, expected) == TX_OK && read_header(f, expected) == TX_OK)
        return f;
    tx_safetensors_close(f);
    return NULL;
}

void tx_safetensors_close(tx_safetensors *f)
{
    if (!f)
        return;
    tx_reader_close(&f->file);
    tx_free(f->header);
    tx_free(f->tensor);
    tx_free(f->by_name);
    tx_free(f->meta);
    tx_free(f->buffer);
    tx_free(f);
}

/* ---------------------------------------------------------------------------------------- contents */

const char *tx_safetensors_name(const tx_safetensors *f)
{
    return f->file.name;
}

size_t tx_safetensors_count(const tx_safetensors *f)
{
    if (!f) {
        tx_fail_null("tx_safetensors_count", "file");
        return 0;
    }
    return f->tensors;
}

const tx_stored *tx_safetensors_at(const tx_safetensors *f, size_t i)
{
    if (!f)
        tx_fail_null("tx_safetensors_at", "file");
    else if (i >= f->tensors)
        tx_fail(TX_ERR_ARGUMENT, "%s: tensor %zu of %zu", f->file.name, i, f->tensors);
    if (!f || i >= f->tensors)
        return NULL;
    return &f->tensor[i];
}

const tx_stored *tx_safetensors_find(const tx_safetensors *f, const char *name)
{
    if (!f || !name) {
        tx_fail_null("tx_safetensors_find", f ? "name" : "file");
        return NULL;
    }
    return tx_stored_find(f->by_name, f->tensors, name);
}

const tx_pair *tx_safetensors_metas(const tx_safetensors *f, size_t *count)
{
    if (!f || !count) {
        tx_fail_null("tx_safetensors_metas", f ? "room for the number" : "file");
        return NULL;
    }
    *count = f->metas;
    return f->meta;
}

const char *tx_safetensors_meta(const tx_safetensors *f, const char *key)
{
    if (!f || !key) {
        tx_fail_null("tx_safetensors_meta", f ? "key" : "file");
        return NULL;
    }
    for (size_t i = 0; i < f->metas; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}

/* ------------------------------------------------------------------------------------------ seal */

/* The header's bytes once more, for they were decoded in place: the seal's digits become zeros. */
static tx_status seal_header(const tx_safetensors *f, tx_sha256 *sha)
{
    static const char key[] = "\"" TX_SEAL "\":\"";
    size_t n = (size_t)f->data, at = 0, digits = 64, begin = sizeof key - 1;
    unsigned char *bytes = tx_alloc(n, 1);
    tx_status status = bytes ? tx_reader_at(&f->file, 0, bytes, n) : TX_ERR_MEMORY;
    /* Within a string a quotation mark has a backslash before it, so this is the key. */
    while (status == TX_OK && at + begin + digits <= n && memcmp(bytes + at, key, begin) != 0)
        at++;
    if (status == TX_OK && at + begin + digits <= n) {
        memset(bytes + at + begin, '0', digits);
        tx_sha256_add(sha, bytes, n);
    }
    tx_free(bytes);
    return status;
}

typedef struct stretch {
    const tx_safetensors *file;
    uint64_t from;
} stretch;

static tx_status read_stretch(const void *from, uint64_t at, size_t n, unsigned char *out)
{
    const stretch *s = from;
    return tx_reader_at(&s->file->file, s->from + at, out, n);
}

tx_status tx_safetensors_check(tx_safetensors *f)
{
    if (!f)
        return tx_fail_null("tx_safetensors_check", "file");
    char hex[65];
    const char *seal = tx_safetensors_meta(f, TX_SEAL);
    if (!seal || strlen(seal) != 64)
        return fail(f, NULL, "it has no seal");
    const tx_stored **order = tx_alloc(f->tensors, sizeof *order);
    tx_sha256 sha;
    tx_sha256_begin(&sha);
    tx_status status = order ? seal_header(f, &sha) : TX_ERR_MEMORY;
    for (size_t i = 0; status == TX_OK && i < f->tensors; i++)
        order[i] = &f->tensor[i];
    if (status == TX_OK && f->tensors > 1)
        qsort(order, f->tensors, sizeof *order, by_place);
    for (size_t i = 0; status == TX_OK && i < f->tensors; i++) {
        stretch s = {f, f->data + order[i]->from};
        status = tx_seal_add(&sha, order[i]->to - order[i]->from, read_stretch, &s);
    }
    tx_free(order);
    tx_sha256_end(&sha, hex);
    if (status == TX_OK && strcmp(hex, seal) != 0)
        status = fail(f, NULL, "its bytes are not those that it was sealed with");
    return status;
}

/* Hands the tensor's elements to one of the two conversions, a buffer at a time. */
static tx_status convert(tx_safetensors *f, const tx_stored *t, float *floats, int64_t *integers)
{
    size_t size = tx_dtype_bytes(t->dtype), done = 0;
    while (done < t->count) {
        size_t n = t->count - done < BUFFER / size ? t->count - done : BUFFER / size;
        tx_status status = tx_reader_at(&f->file, f->data + t->from + (uint64_t)done * size, f->buffer, n * size);
        if (status)
            return status;
        if (floats)
            tx_floats_from(t->dtype, f->buffer, n, floats + done);
        else if (tx_integers_from(t->dtype, f->buffer, n, integers + done))
            return fail(f, t->name, "a number of more than 63 bits");
        done += n;
    }
    return TX_OK;
}

static tx_status wrong_type(const tx_safetensors *f, const tx_stored *t, const char *expected)
{
    char text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s: tensor '%s': type %s, expected %s", f->file.name,
                   tx_escape(text, sizeof text, t->name), tx_dtype_name(t->dtype), expected);
}

/* The tensor is one of the file's, and there is room for it. */
static tx_status check_read(const tx_safetensors *f, const tx_stored *t, const void *out, const char *call)
{
    if (!f || !t || (!out && t->count > 0))
        return tx_fail_null(call, !f ? "file" : !t ? "tensor" : "room for the numbers");
    if (t->name && tx_safetensors_find(f, t->name) == t)
        return TX_OK;
    return tx_fail(TX_ERR_ARGUMENT, "%s: %s of a tensor of another file", f->file.name, call);
}

tx_status tx_safetensors_floats(tx_safetensors *f, const tx_stored *t, float *out)
{
    if (check_read(f, t, out, "tx_safetensors_floats"))
        return TX_ERR_ARGUMENT;
    return tx_dtype_is_float(t->dtype) ? convert(f, t, out, NULL) : wrong_type(f, t, "floating point numbers");
}

tx_status tx_safetensors_integers(tx_safetensors *f, const tx_stored *t, int64_t *out)
{
    if (check_read(f, t, out, "tx_safetensors_integers"))
        return TX_ERR_ARGUMENT;
    return tx_dtype_is_integer(t->dtype) ? convert(f, t, NULL, out) : wrong_type(f, t, "integers");
}

tx_status tx_safetensors_raw(tx_safetensors *f, const tx_stored *t, unsigned char *out)
{
    if (check_read(f, t, out, "tx_safetensors_raw"))
        return TX_ERR_ARGUMENT;
    return tx_reader_at(&f->file, f->data + t->from, out, (size_t)(t->to - t->from));
}
