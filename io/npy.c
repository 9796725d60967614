/* npy.c - arrays as NumPy reads them: magic and version 1.0, the length of a header that is a Python dictionary, padded so
 * that the data begin at a multiple of 64 bytes, the numbers (numpy.lib.format). */
#include "io_private.h"

#include <string.h>

enum { MAGIC = 10, ALIGN = 64 };

static tx_status put_floats(tx_writer *w, const float *value, size_t count)
{
    tx_status status = TX_OK;
    for (size_t i = 0; i < count && status == TX_OK; i++) {
        uint32_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        const unsigned char four[4] = {(unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16),
                                       (unsigned char)(bits >> 24)};
        status = tx_writer_bytes(w, four, sizeof four);
    }
    return status;
}

tx_status tx_npy_write(const char *path, const float *values, int rows, int columns)
{
    char head[3 * ALIGN];
    if (!path || !values)
        return tx_fail_null("tx_npy_write", path ? "values" : "path");
    if (rows < 1 || columns < 1)
        return tx_fail(TX_ERR_ARGUMENT, "an array of %d x %d numbers", rows, columns);
    int n = snprintf(head + MAGIC, sizeof head - MAGIC, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }",
                     rows, columns);
    size_t whole = ((size_t)n + MAGIC + 1 + ALIGN - 1) / ALIGN * ALIGN, length = whole - MAGIC;
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)(unsigned char)length;
    head[9] = (char)(unsigned char)(length >> 8);
    memset(head + MAGIC + n, ' ', length - (size_t)n - 1);
    head[whole - 1] = '\n';
    tx_writer *w = tx_writer_open(path);
    if (!w)
        return tx_error_status();
    tx_writer_bytes(w, head, whole);
    put_floats(w, values, (size_t)rows * (size_t)columns);
    return tx_writer_commit(w);
}
