/* list.h - a line "HEAD: item, item" that is broken before the column where a terminal's ends. Private to bench. */
#ifndef THORAX_BENCH_LIST_H
#define THORAX_BENCH_LIST_H

#include "../io/io.h"

/* head is at most 70 columns wide and ends in a colon. Without an item nothing is written. */
typedef struct list {
    tx_buffer *to;
    char head[128];
    size_t column; /* where the line stands; 0: no item so far */
} list;
void list_add(list *l, const char *item);
void list_end(list *l);

#endif
