/* jpeg_common.c - what the JPEG files share: the order of coefficients, and errors that name the byte. */
#include "jpeg.h"

#include <stdarg.h>
#include <stdio.h>

const unsigned char tx_jpeg_zigzag[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,
                                          12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
                                          35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
                                          58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

tx_status tx_jpeg_fail(const jpeg *d, size_t at, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tx_fail(TX_ERR_FORMAT, "%s: byte %zu: %s", d->name, at, text);
}
