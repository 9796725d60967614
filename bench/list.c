/* list.c - a line "HEAD: item, item" that is broken before the column where a terminal's ends. */
#include "list.h"

#include <string.h>

enum { COLUMNS = 80 };

void list_add(list *l, const char *item)
{
    size_t n = strlen(item);
    if (l->column == 0) {
        tx_buffer_append(l->to, l->head);
        l->column = strlen(l->head);
    } else {
        tx_buffer_append(l->to, ",");
        l->column++;
    }
    /* A blank before it, and a comma behind. */
    if (l->column + n + 2 > COLUMNS) {
        tx_buffer_append(l->to, "\n   ");
        l->column = 3;
    }
    tx_buffer_append(l->to, " ");
    tx_buffer_append(l->to, item);
    l->column += n + 1;
}

void list_end(list *l)
{
    if (l->column)
        tx_buffer_append(l->to, "\n");
    l->column = 0;
}
