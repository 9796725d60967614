/* pickle.h - a Python pickle as a tree of plain values. Private to io.
 *
 * A pickle is a program for a machine with a stack, made to call what it names. Here nothing is called: what would be a call
 * is a value that says whose it would be and with which arguments, and whoever reads the tree decides what it stands for. */
#ifndef THORAX_PICKLE_H
#define THORAX_PICKLE_H

#include "reader.h"

typedef enum tx_pickle_kind {
    TX_PICKLE_NONE,
    TX_PICKLE_FALSE,
    TX_PICKLE_TRUE,
    TX_PICKLE_INTEGER,
    TX_PICKLE_LARGE, /* an integer of more than 63 bits: a text, of decimal digits or of little-endian bytes */
    TX_PICKLE_REAL,
    TX_PICKLE_TEXT,  /* a string, of either Python's */
    TX_PICKLE_BYTES, /* a text */
    TX_PICKLE_TUPLE,
    TX_PICKLE_LIST,
    TX_PICKLE_SET,
    TX_PICKLE_DICT,       /* items are key, value, key, value .. */
    TX_PICKLE_GLOBAL,     /* a text: "module.name" */
    TX_PICKLE_PERSISTENT, /* what stands outside: `args` is its name */
    TX_PICKLE_OBJECT      /* `class` was called, or made, with `args`; then it was given items and a state */
} tx_pickle_kind;

enum { TX_PICKLE_NOTHING = 0 }; /* the number of the value None, and of what is not there */

typedef struct tx_pickle_value {
    unsigned char kind;
    unsigned char called;       /* an object: it was called, not made by its __new__ */
    unsigned char listed;       /* an object: items are a list's, not a dict's */
    uint32_t type, args, state; /* an object: numbers of values; state is TX_PICKLE_NOTHING without one */
    uint32_t from, count, room; /* items, among tx_pickle.item */
    union {
        int64_t integer;
        double real;
        struct {
            size_t at, length;
        } text; /* within tx_pickle.text, a zero behind it */
    } u;
} tx_pickle_value;

typedef struct tx_pickle {
    tx_pickle_value *value;
    uint32_t *item;
    char *text;
    size_t values, value_room, items, item_room, texts, text_room;
    uint32_t root;
    uint64_t end; /* where the pickle ended in its source */
} tx_pickle;

/* Whether a global may be called, were there anybody to call it. */
typedef int tx_pickle_callable(const char *global);

typedef struct tx_pickle_source {
    const tx_reader *file; /* whose name stands in messages; and whose bytes are read, unless `memory` has them */
    const char *what;      /* "data.pkl": before the byte's number in messages */
    const unsigned char *memory;
    uint64_t from, to; /* bytes of the file, or of the memory */
    tx_pickle_callable *callable;
} tx_pickle_source;

/* Reads one pickle of protocol 0 to 5. Memory and time are bounded by its length, and by 2^22 values. A call of what may not
 * be called is an error that names it. After an error there is nothing to free. */
tx_status tx_pickle_read(tx_pickle *pickle, const tx_pickle_source *source);
void tx_pickle_free(tx_pickle *pickle);

/* The text of a value that has one, else NULL. It may hold zeros: see value->u.text.length. */
const char *tx_pickle_text(const tx_pickle *pickle, uint32_t value);
/* The name of the global, or of the object's class; "" for another. */
const char *tx_pickle_name(const tx_pickle *pickle, uint32_t value);

#endif
