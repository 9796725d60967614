/* table.h - tables and notes as text that fits a terminal of 80 columns. Private to bench. */
#ifndef THORAX_BENCH_TABLE_H
#define THORAX_BENCH_TABLE_H

#include "../io/io.h"

#include <stdio.h>

enum { TABLE_COLUMNS = 80 };

/* Cells row by row. The first failure stays and is what table_print returns. */
typedef struct table {
    const char *align; /* a letter a column: l left, r right */
    char **cell;       /* NULL: the end of a row */
    size_t cells, room;
    tx_status status;
} table;

/* The next cell of the row; control characters become '?'. A row may have fewer cells than columns: what stands in its
 * last one reaches into those that it lacks. */
void table_cell(table *t, const char *format, ...) TX_PRINTF(2, 3); /* at most 255 bytes */
void table_number(table *t, double value, int decimals);            /* NaN: "-" */
void table_row(table *t);                                           /* ends the row */
/* Prints it: columns as wide as what stands in them, two blanks apart, or one where that is too wide; where that is too
 * wide still, what is longest in the first column is shortened in its middle. Frees the cells. */
tx_status table_print(table *t, FILE *out);
void table_free(table *t);

/* What fits of a layer's name in `room` characters: all of it, or, behind two dots, its last parts. Returns out. */
enum { LAYER_NAME = 64 };
const char *layer_name(char out[LAYER_NAME], const char *name, size_t room);

/* Prints words in lines of at most 80 columns, those after the first indented by two; only a longer word is broken. */
void print_wrapped(FILE *out, const char *text);

#endif
