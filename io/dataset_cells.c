/* dataset_cells.c - a table's rows and cells: as many as the header has, and what a label's says. */
#include "dataset_private.h"

#include <string.h>

int tx_reading_row(const tx_reading *r, tx_csv *csv, char ***field)
{
    size_t fields;
    int got = tx_csv_next(csv, field, &fields);
    if (got > 0 && fields != r->columns)
        return tx_fail(TX_ERR_FORMAT, "%s:%zu: %zu fields, expected %zu as in the header", r->name, tx_csv_line(csv),
                       fields, r->columns);
    return got;
}

tx_status tx_reading_bad_cell(const tx_reading *r, size_t column, const char *found, const char *expected)
{
    char name[TX_TEXT], text[TX_TEXT];
    return tx_fail(TX_ERR_FORMAT, "%s:%zu: column '%s': found '%s', expected %s", r->name, tx_csv_line(r->csv),
                   tx_escape(name, sizeof name, r->column[column]), tx_escape(text, sizeof text, found), expected);
}

int tx_cell_read(const char *text)
{
    if (text[0] == 0 || strcmp(text, "nan") == 0 || strcmp(text, "NaN") == 0 || strcmp(text, "NA") == 0)
        return TX_CELL_BLANK;
    int minus = text[0] == '-', digit = text[minus];
    const char *rest = text + minus + 1;
    if (digit != '0' && digit != '1')
        return TX_CELL_OTHER;
    if (*rest == '.' && rest[1]) {
        rest++;
        rest += strspn(rest, "0");
    }
    if (*rest)
        return TX_CELL_OTHER;
    return digit == '0' ? TX_CELL_NEGATIVE : minus ? TX_CELL_UNCERTAIN : TX_CELL_POSITIVE;
}

int tx_label_read(const tx_reading *r, int task, const char *cell)
{
    tx_label_counts *counts = &r->data->counts[task];
    switch (tx_cell_read(cell)) {
    case TX_CELL_BLANK:
        counts->blank++;
        return r->options->blank == TX_BLANK_ZEROS ? 0 : -1;
    case TX_CELL_POSITIVE:
        counts->positive++;
        return 1;
    case TX_CELL_NEGATIVE:
        counts->negative++;
        return 0;
    case TX_CELL_UNCERTAIN:
        counts->uncertain++;
        return r->uncertain[task] == TX_UNCERTAIN_IGNORE ? -1 : r->uncertain[task] == TX_UNCERTAIN_ONES;
    }
    return 2;
}
