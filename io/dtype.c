/* dtype.c - the element types of stored tensors, their little-endian bytes, and the way into float and int64. */
#include "safetensors_private.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    char kind; /* f: floating point, s: signed, u: unsigned, x: only its bytes can be had */
} type[] = {
    [TX_F64] = {"F64", 8, 'f'},   [TX_F32] = {"F32", 4, 'f'},         [TX_F16] = {"F16", 2, 'f'},
    [TX_BF16] = {"BF16", 2, 'f'}, [TX_I64] = {"I64", 8, 's'},         [TX_I32] = {"I32", 4, 's'},
    [TX_I16] = {"I16", 2, 's'},   [TX_I8] = {"I8", 1, 's'},           [TX_U64] = {"U64", 8, 'u'},
    [TX_U32] = {"U32", 4, 'u'},   [TX_U16] = {"U16", 2, 'u'},         [TX_U8] = {"U8", 1, 'u'},
    [TX_BOOL] = {"BOOL", 1, 'u'}, [TX_F8_E4M3] = {"F8_E4M3", 1, 'x'}, [TX_F8_E5M2] = {"F8_E5M2", 1, 'x'},
};
enum { TYPES = sizeof type / sizeof *type };

static int is_type(tx_dtype dtype)
{
    if ((int)dtype >= 0 && (int)dtype < TYPES)
        return 1;
    tx_fail(TX_ERR_ARGUMENT, "element type number %d is not known", (int)dtype);
    return 0;
}

const char *tx_dtype_name(tx_dtype dtype)
{
    return is_type(dtype) ? type[dtype].name : NULL;
}

size_t tx_dtype_bytes(tx_dtype dtype)
{
    return is_type(dtype) ? type[dtype].bytes : 0;
}

int tx_dtype_find(const char *name, tx_dtype *dtype)
{
    for (int i = 0; i < TYPES; i++)
        if (strcmp(type[i].name, name) == 0) {
            *dtype = (tx_dtype)i;
            return 0;
        }
    return -1;
}

int tx_dtype_is_float(tx_dtype dtype)
{
    return type[dtype].kind == 'f';
}

int tx_dtype_is_integer(tx_dtype dtype)
{
    return type[dtype].kind == 's' || type[dtype].kind == 'u';
}

uint64_t tx_little_endian(const unsigned char *bytes, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    return v;
}

/* IEEE binary16 as float: exact. Sign, 5 bits of exponent, 10 of fraction. */
static float from_half(uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023, u;
    if (e == 0) {
        float v = (float)m * (1.0f / 16777216); /* subnormal: m * 2^-24 */
        return sign ? -v : v;
    }
    u = sign | (e == 31 ? (uint32_t)255 << 23 : (e + 112) << 23) | m << 13;
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

void tx_floats_from(tx_dtype dtype, const unsigned char *bytes, size_t n, float *out)
{
    size_t size = type[dtype].bytes;
    for (size_t i = 0; i < n; i++, bytes += size) {
        uint64_t bits = tx_little_endian(bytes, size);
        if (dtype == TX_F64) {
            double v;
            memcpy(&v, &bits, sizeof v);
            out[i] = (float)v;
        } else if (dtype == TX_F16) {
            out[i] = from_half((uint32_t)bits);
        } else {
            uint32_t u = (uint32_t)(dtype == TX_BF16 ? bits << 16 : bits);
            memcpy(&out[i], &u, sizeof u);
        }
    }
}

int tx_integers_from(tx_dtype dtype, const unsigned char *bytes, size_t n, int64_t *out)
{
    size_t size = type[dtype].bytes;
    for (size_t i = 0; i < n; i++, bytes += size) {
        uint64_t bits = tx_little_endian(bytes, size);
        if (type[dtype].kind == 's' && size < 8 && bits >> (8 * size - 1))
            bits |= UINT64_MAX << (8 * size);
        if (dtype == TX_U64 && bits > INT64_MAX)
            return -1;
        memcpy(&out[i], &bits, sizeof bits);
    }
    return 0;
}

void tx_elements_to(tx_dtype dtype, const unsigned char *native, size_t n, unsigned char *bytes)
{
    size_t size = type[dtype].bytes;
    for (size_t i = 0; i < n; i++, native += size) {
        uint64_t v = 0;
        uint32_t v32;
        uint16_t v16;
        switch (size) {
        case 8:
            memcpy(&v, native, 8);
            break;
        case 4:
            memcpy(&v32, native, 4);
            v = v32;
            break;
        case 2:
            memcpy(&v16, native, 2);
            v = v16;
            break;
        default:
            v = *native;
        }
        for (size_t b = 0; b < size; b++)
            *bytes++ = (unsigned char)(v >> (8 * b));
    }
}
