/* jpeg.h - what the parts of the JPEG decoder share. Private to io.
 *
 * The standard is ITU-T T.81 (1992). Where it leaves the decoder a choice (the arithmetic of the inverse transform,
 * how subsampled components are enlarged, which colours three components mean) the choice is libjpeg-turbo's default,
 * so that the pixels are those that a network saw where it was trained.
 *
 *     jpeg.c          markers, tables, frame and scan headers, the order of work
 *     jpeg_standard.c Huffman tables of files that have none
 *     jpeg_huffman.c  bits, codes, blocks of coefficients, scans
 *     jpeg_idct.c     dequantisation and inverse transform of a block
 *     jpeg_colour.c   components to pixels
 */
#ifndef THORAX_JPEG_H
#define THORAX_JPEG_H

#include "io_private.h"

enum {
    JPEG_COMPONENTS = 3,
    JPEG_LOOK = 10, /* bits of a code that are looked up at once */
    JPEG_NEVER = -1 /* of a coefficient's precision: no scan has sent it */
};

/* A Huffman table as a DHT segment gives it. */
typedef struct jpeg_table {
    int defined;
    unsigned char count[17]; /* codes of length 1..16 */
    unsigned char symbol[256];
} jpeg_table;

/* What the next JPEG_LOOK bits mean. If the code and the value behind it fit into them, value is not 0 and length
 * covers both; else length is the code's alone, 0 if the code is longer than JPEG_LOOK. */
typedef struct jpeg_look {
    int16_t value;
    unsigned char symbol, length;
} jpeg_look;

/* The same table made ready for decoding: a code of length n is valid if it is below limit[n], and its symbol stands
 * at first[n] + code. */
typedef struct jpeg_codes {
    jpeg_look look[1 << JPEG_LOOK];
    int limit[17], first[17];
    unsigned char symbol[256];
} jpeg_codes;

typedef struct jpeg_component {
    int id, h, v;                 /* sampling factors, 1..4 */
    int quant;                    /* number of its quantisation table */
    int width, height;            /* samples that count */
    int blocks_wide, blocks_high; /* of 8x8 samples, just covering them */
    int scans;                    /* that it took part in */
    uint16_t step[64];            /* quantisation table as it was at the component's first scan, row by row */
    signed char precision[64];    /* progressive: lowest bit sent of each coefficient, in zigzag order */
    int16_t *coefficient;         /* of several scans: blocks_high x blocks_wide x 64 */
    unsigned char *plane;         /* samples, blocks_high*8 rows of stride bytes */
    size_t stride;
    int dc_table, ac_table, dc; /* of the scan that is read: its tables, and the last DC value */
} jpeg_component;

/* Bits of a scan. The lowest `n` bits of `bits` are yet to be used; the lowest `padding` of all that were ever put in
 * are zeros behind the end of the data. */
typedef struct jpeg_reader {
    const unsigned char *at, *end;
    uint64_t bits;
    int n, padding;
} jpeg_reader;

typedef struct jpeg {
    const unsigned char *bytes;
    size_t size, at;
    char name[TX_TEXT];
    int ended; /* the error was that the bytes end */

    int width, height, components; /* 0 before the frame header */
    int progressive, max_h, max_v;
    jpeg_component component[JPEG_COMPONENTS];
    uint16_t quant[4][64]; /* row by row */
    int quant_defined[4];
    jpeg_table table[2][4]; /* DC, AC */
    int restart_interval;
    int jfif, adobe, transform; /* application markers seen; the Adobe marker's transform */

    /* fixed at the first scan */
    int rgb;      /* three components are red, green and blue, no YCbCr */
    int gathered; /* coefficients of several scans are gathered before they are transformed */

    int scans, in_scan; /* scans so far; components in this one */
    uint64_t walked;    /* coefficients passed over so far, in eights */
    jpeg_component *scan[JPEG_COMPONENTS];
    int from, to, high, low; /* spectral band and successive approximation: Ss, Se, Ah, Al */
    jpeg_codes codes[2][4];
    jpeg_reader reader;
    int eob_run; /* blocks of the band that are yet to pass without a new coefficient */
} jpeg;

extern const unsigned char tx_jpeg_zigzag[64]; /* row-by-row position of each coefficient in coded order */

/* The standard's table (K.3) of that class (0: DC, 1: AC) and number, 0 for luminance and 1 for chrominance; NULL if
 * there is none. */
const jpeg_table *tx_jpeg_standard_table(int cls, int number);
/* Makes d->codes of d->table; an error if no prefix code has such lengths. cls 0: DC, 1: AC. */
tx_status tx_jpeg_codes(jpeg *d, int cls, int number);
/* Reads the entropy-coded data of the scan whose header has been read; d->at is then behind it. */
tx_status tx_jpeg_scan(jpeg *d);
/* Coefficients, row by row, times step, to 8x8 samples. */
void tx_jpeg_idct(const int16_t coefficient[64], const uint16_t step[64], unsigned char *out, size_t stride);
/* The finished planes as pixels. Takes a grey image's plane over. */
tx_status tx_jpeg_pixels(jpeg *d, tx_image *out);

/* For image.c: the whole decoder, and the frame header alone (*ended: more bytes of the file might tell). */
tx_status tx_jpeg_decode(const unsigned char *bytes, size_t size, const char *name, tx_image *out);
tx_status tx_jpeg_header(const unsigned char *bytes, size_t size, const char *name, tx_image *out, int *ended);

#endif
