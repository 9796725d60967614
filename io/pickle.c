/* pickle.c - reads a Python pickle into a tree of plain values.
 *
 * Every operation is a byte, with its argument behind it; a function each, in a table by that byte. The stack holds numbers
 * of values. Lists and the like keep their items in one array; one that grows moves to its end with twice the room, so that
 * all of them take time and memory in proportion to the pickle. Source: Lib/pickletools.py of CPython 3.12, which
 * describes the operations of all protocols. */
#include "pickle.h"
#include "safetensors_private.h"

#include <string.h>

enum { WINDOW = 1 << 16, VALUES_MAX = 1 << 22, ITEMS_MAX = 1 << 24, LINE = 4096 };
enum { NONE = 0, FALSE_ = 1, TRUE_ = 2, EMPTY = 3 }; /* values that are there from the beginning */

typedef struct parser {
    const tx_pickle_source *source;
    tx_pickle *tree;
    unsigned char *buffer; /* a window, unless the source is memory */
    const unsigned char *window;
    uint64_t window_at; /* the window's place in the source */
    size_t used, have;  /* within the window */
    uint32_t *stack, *mark, *memo;
    size_t stacked, stack_room, marks, mark_room, memos, memo_room;
    uint64_t begin; /* of the operation */
    int stopped;
    char line[LINE]; /* a line's text, as protocol 0 has them */
} parser;

typedef tx_status operation(parser *p);

static tx_status fail(const parser *p, const char *what)
{
    return tx_fail(TX_ERR_FORMAT, "%s: %s, byte %llu: %s", p->source->file->name, p->source->what,
                   (unsigned long long)p->begin, what);
}

/* ------------------------------------------------------------------------------------------------ bytes */
static uint64_t here(const parser *p)
{
    return p->window_at + p->used;
}

/* Makes at least n <= WINDOW bytes ready at `window + used`. */
static tx_status need(parser *p, size_t n)
{
    if (p->have - p->used >= n)
        return TX_OK;
    if (p->source->to - here(p) < n)
        return tx_fail(TX_ERR_FORMAT, "%s: %s: cut off at byte %llu", p->source->file->name, p->source->what,
                       (unsigned long long)p->source->to);
    p->window_at += p->used;
    p->used = 0;
    p->have = (size_t)(p->source->to - p->window_at < WINDOW ? p->source->to - p->window_at : WINDOW);
    if (p->source->memory) {
        p->window = p->source->memory + p->window_at;
        return TX_OK;
    }
    p->window = p->buffer;
    return tx_reader_at(p->source->file, p->window_at, p->buffer, p->have);
}

static tx_status take(parser *p, size_t n, const unsigned char **bytes)
{
    tx_status status = need(p, n);
    if (status)
        return status;
    *bytes = p->window + p->used;
    p->used += n;
    return TX_OK;
}

/* n <= 8 bytes, least significant first. */
static tx_status take_number(parser *p, size_t n, uint64_t *value)
{
    const unsigned char *bytes;
    tx_status status = take(p, n, &bytes);
    *value = status ? 0 : tx_little_endian(bytes, n);
    return status;
}

/* The rest of the line, into p->line. */
static tx_status take_line(parser *p)
{
    for (size_t n = 0; n < LINE; n++) {
        const unsigned char *byte;
        tx_status status = take(p, 1, &byte);
        if (status)
            return status;
        p->line[n] = (char)*byte;
        if (*byte == '\n') {
            p->line[n] = 0;
            return strlen(p->line) == n ? TX_OK : fail(p, "a line with a zero in it");
        }
    }
    return fail(p, "a line of more than 4095 bytes");
}

/* ----------------------------------------------------------------------------------------------- values */
static tx_status push(parser *p, uint32_t value)
{
    tx_status status = tx_grow((void **)&p->stack, &p->stack_room, p->stacked + 1, sizeof *p->stack);
    if (status == TX_OK)
        p->stack[p->stacked++] = value;
    return status;
}

static tx_status add(parser *p, tx_pickle_value v, uint32_t *number)
{
    tx_pickle *t = p->tree;
    if (t->values == VALUES_MAX)
        return fail(p, "more than 2^22 values");
    tx_status status = tx_grow((void **)&t->value, &t->value_room, t->values + 1, sizeof *t->value);
    if (status)
        return status;
    *number = (uint32_t)t->values;
    t->value[t->values++] = v;
    return TX_OK;
}

static tx_status push_new(parser *p, tx_pickle_value v)
{
    uint32_t number = NONE;
    tx_status status = add(p, v, &number);
    return status ? status : push(p, number);
}

static tx_status push_integer(parser *p, int64_t value)
{
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_INTEGER, .u.integer = value});
}

/* Room for a text of n bytes and a zero. */
static tx_status room_for_text(parser *p, size_t n)
{
    tx_pickle *t = p->tree;
    size_t need_bytes;
    if (tx_size_add(t->texts, n, &need_bytes) || tx_size_add(need_bytes, 1, &need_bytes))
        return fail(p, "a text that does not fit");
    return tx_grow((void **)&t->text, &t->text_room, need_bytes, 1);
}

static tx_status push_text(parser *p, tx_pickle_kind kind, const char *text, size_t n)
{
    tx_pickle *t = p->tree;
    tx_status status = room_for_text(p, n);
    if (status)
        return status;
    size_t at = t->texts;
    memcpy(t->text + at, text, n);
    t->text[at + n] = 0;
    t->texts += n + 1;
    return push_new(p, (tx_pickle_value){.kind = (unsigned char)kind, .u.text = {at, n}});
}

/* The next n bytes as a text. */
static tx_status push_bytes(parser *p, tx_pickle_kind kind, uint64_t n)
{
    tx_pickle *t = p->tree;
    if (n > p->source->to - here(p))
        return tx_fail(TX_ERR_FORMAT, "%s: %s, byte %llu: a text of %llu bytes, where %llu are left",
                       p->source->file->name, p->source->what, (unsigned long long)p->begin, (unsigned long long)n,
                       (unsigned long long)(p->source->to - here(p)));
    tx_status status = room_for_text(p, (size_t)n);
    size_t at = t->texts;
    for (size_t done = 0; status == TX_OK && done < n;) {
        size_t some = n - done < WINDOW ? (size_t)n - done : WINDOW;
        const unsigned char *bytes;
        status = take(p, some, &bytes);
        if (status == TX_OK)
            memcpy(t->text + at + done, bytes, some);
        done += some;
    }
    if (status)
        return status;
    t->text[at + n] = 0;
    t->texts += (size_t)n + 1;
    return push_new(p, (tx_pickle_value){.kind = (unsigned char)kind, .u.text = {at, (size_t)n}});
}

/* Pops never go below the last mark. */
static tx_status pop(parser *p, uint32_t *value)
{
    size_t floor = p->marks ? p->mark[p->marks - 1] : 0;
    if (p->stacked <= floor)
        return fail(p, "takes more from the stack than is there");
    *value = p->stack[--p->stacked];
    return TX_OK;
}

/* Takes the last mark; *from is where its values begin on the stack. They stay there until `stacked` is set to it. */
static tx_status pop_mark(parser *p, size_t *from)
{
    if (p->marks == 0)
        return fail(p, "has no mark on the stack");
    *from = p->mark[--p->marks];
    return TX_OK;
}

static tx_status add_items(parser *p, uint32_t to, const uint32_t *items, size_t n)
{
    tx_pickle *t = p->tree;
    tx_pickle_value *v = &t->value[to];
    size_t whole = v->count + n;
    if (whole > v->room) {
        size_t room = whole > 2 * (size_t)v->room ? whole : 2 * (size_t)v->room;
        if (t->items + room > ITEMS_MAX)
            return fail(p, "lists of more than 2^24 items");
        tx_status status = tx_grow((void **)&t->item, &t->item_room, t->items + room, sizeof *t->item);
        if (status)
            return status;
        if (v->count > 0)
            memcpy(t->item + t->items, t->item + v->from, v->count * sizeof *t->item);
        v->from = (uint32_t)t->items;
        v->room = (uint32_t)room;
        t->items += room;
    }
    if (n > 0)
        memcpy(t->item + v->from + v->count, items, n * sizeof *items);
    v->count = (uint32_t)whole;
    return TX_OK;
}

/* The n values from there on become the items of a new one. */
static tx_status gather(parser *p, tx_pickle_kind kind, size_t from)
{
    uint32_t number = NONE;
    size_t n = p->stacked - from;
    if (kind == TX_PICKLE_DICT && n % 2)
        return fail(p, "a key without a value");
    tx_status status = add(p, (tx_pickle_value){.kind = (unsigned char)kind}, &number);
    if (status == TX_OK && n > 0)
        status = add_items(p, number, p->stack + from, n);
    p->stacked = from;
    return status ? status : push(p, number);
}

static tx_status gather_marked(parser *p, tx_pickle_kind kind)
{
    size_t from = 0;
    tx_status status = pop_mark(p, &from);
    return status ? status : gather(p, kind, from);
}

static tx_status gather_last(parser *p, size_t n)
{
    size_t floor = p->marks ? p->mark[p->marks - 1] : 0;
    if (p->stacked - floor < n)
        return fail(p, "takes more from the stack than is there");
    return gather(p, TX_PICKLE_TUPLE, p->stacked - n);
}

/* -------------------------------------------------------------------------------------------- the stack */
static tx_status op_proto(parser *p)
{
    uint64_t version;
    tx_status status = take_number(p, 1, &version);
    return status || version <= 5 ? status : fail(p, "a protocol above 5");
}

static tx_status op_frame(parser *p)
{
    uint64_t bytes;
    tx_status status = take_number(p, 8, &bytes);
    return status || bytes <= p->source->to - here(p) ? status : fail(p, "a frame that goes beyond the end");
}

static tx_status op_stop(parser *p)
{
    p->stopped = 1;
    tx_status status = pop(p, &p->tree->root);
    if (status == TX_OK && (p->stacked || p->marks))
        status = fail(p, "leaves values on the stack");
    return status;
}

static tx_status op_mark(parser *p)
{
    tx_status status = tx_grow((void **)&p->mark, &p->mark_room, p->marks + 1, sizeof *p->mark);
    if (status == TX_OK)
        p->mark[p->marks++] = (uint32_t)p->stacked;
    return status;
}

static tx_status op_pop(parser *p)
{
    uint32_t value = NONE;
    size_t floor = p->marks ? p->mark[p->marks - 1] : 0;
    if (p->marks > 0 && p->stacked == floor) {
        p->marks--;
        return TX_OK;
    }
    return pop(p, &value);
}

static tx_status op_pop_mark(parser *p)
{
    size_t from = 0;
    tx_status status = pop_mark(p, &from);
    if (status == TX_OK)
        p->stacked = from;
    return status;
}

static tx_status op_dup(parser *p)
{
    size_t floor = p->marks ? p->mark[p->marks - 1] : 0;
    if (p->stacked <= floor)
        return fail(p, "doubles what is not there");
    return push(p, p->stack[p->stacked - 1]);
}

/* Numbers are given in turn or nearly so: one beyond the bytes so far is none that a pickler writes. */
static tx_status memo_put(parser *p, uint64_t i)
{
    if (p->stacked == 0)
        return fail(p, "remembers what is not there");
    if (i > 255 + here(p) - p->source->from || i >= VALUES_MAX)
        return fail(p, "a number in the memo that is too large");
    tx_status status = tx_grow((void **)&p->memo, &p->memo_room, (size_t)i + 1, sizeof *p->memo);
    if (status)
        return status;
    while (p->memos <= i)
        p->memo[p->memos++] = UINT32_MAX;
    p->memo[i] = p->stack[p->stacked - 1];
    return TX_OK;
}

static tx_status memo_get(parser *p, uint64_t i)
{
    if (i >= p->memos || p->memo[i] == UINT32_MAX)
        return fail(p, "asks the memo for what is not there");
    return push(p, p->memo[i]);
}

static tx_status memo_number(parser *p, size_t bytes, tx_status (*act)(parser *p, uint64_t i))
{
    uint64_t i;
    tx_status status = take_number(p, bytes, &i);
    return status ? status : act(p, i);
}

static tx_status memo_line(parser *p, tx_status (*act)(parser *p, uint64_t i))
{
    int64_t i;
    tx_status status = take_line(p);
    if (status == TX_OK && (tx_integer_parse(p->line, &i) || i < 0))
        status = fail(p, "no number, where one of the memo should be");
    return status ? status : act(p, (uint64_t)i);
}

static tx_status op_put(parser *p)
{
    return memo_line(p, memo_put);
}

static tx_status op_binput(parser *p)
{
    return memo_number(p, 1, memo_put);
}

static tx_status op_long_binput(parser *p)
{
    return memo_number(p, 4, memo_put);
}

static tx_status op_memoize(parser *p)
{
    return memo_put(p, p->memos);
}

static tx_status op_get(parser *p)
{
    return memo_line(p, memo_get);
}

static tx_status op_binget(parser *p)
{
    return memo_number(p, 1, memo_get);
}

static tx_status op_long_binget(parser *p)
{
    return memo_number(p, 4, memo_get);
}

/* ---------------------------------------------------------------------------------------------- numbers */
static tx_status op_none(parser *p)
{
    return push(p, NONE);
}

static tx_status op_true(parser *p)
{
    return push(p, TRUE_);
}

static tx_status op_false(parser *p)
{
    return push(p, FALSE_);
}

static tx_status op_binint(parser *p)
{
    uint64_t v;
    tx_status status = take_number(p, 4, &v);
    return status ? status : push_integer(p, v < 0x80000000u ? (int64_t)v : (int64_t)v - ((int64_t)1 << 32));
}

static tx_status op_binint1(parser *p)
{
    uint64_t v;
    tx_status status = take_number(p, 1, &v);
    return status ? status : push_integer(p, (int64_t)v);
}

static tx_status op_binint2(parser *p)
{
    uint64_t v;
    tx_status status = take_number(p, 2, &v);
    return status ? status : push_integer(p, (int64_t)v);
}

/* A whole number in decimal, perhaps with Python 2's L behind it. */
static tx_status push_decimal(parser *p)
{
    int64_t v;
    size_t n = strlen(p->line);
    if (n > 0 && p->line[n - 1] == 'L')
        p->line[--n] = 0;
    if (tx_integer_parse(p->line, &v) == 0)
        return push_integer(p, v);
    size_t digits = strspn(p->line + (p->line[0] == '-'), "0123456789");
    if (digits == 0 || digits + (p->line[0] == '-') != n)
        return fail(p, "no number, where one should be");
    return push_text(p, TX_PICKLE_LARGE, p->line, n);
}

static tx_status op_int(parser *p)
{
    tx_status status = take_line(p);
    if (status)
        return status;
    if (strcmp(p->line, "00") == 0 || strcmp(p->line, "01") == 0)
        return push(p, p->line[1] == '1' ? TRUE_ : FALSE_);
    return push_decimal(p);
}

static tx_status op_long(parser *p)
{
    tx_status status = take_line(p);
    return status ? status : push_decimal(p);
}

static tx_status push_long(parser *p, size_t length_bytes)
{
    uint64_t n, v = 0;
    tx_status status = take_number(p, length_bytes, &n);
    if (status || n > 8)
        return status ? status : push_bytes(p, TX_PICKLE_LARGE, n);
    status = take_number(p, (size_t)n, &v);
    if (n > 0 && n < 8 && v >> (8 * n - 1))
        v |= UINT64_MAX << (8 * n);
    int64_t signed_v;
    memcpy(&signed_v, &v, sizeof v);
    return status ? status : push_integer(p, signed_v);
}

static tx_status op_long1(parser *p)
{
    return push_long(p, 1);
}

static tx_status op_long4(parser *p)
{
    return push_long(p, 4);
}

static tx_status op_float(parser *p)
{
    double v = 0;
    tx_status status = take_line(p);
    if (status)
        return status;
    /* Python prints infinities and nan as words, which no weight is made of. */
    int word = strcmp(p->line, "nan") == 0 || strcmp(p->line, "inf") == 0 || strcmp(p->line, "-inf") == 0;
    if (word)
        return push_text(p, TX_PICKLE_TEXT, p->line, strlen(p->line));
    if (tx_number_parse(p->line, &v))
        return fail(p, "no number, where one should be");
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_REAL, .u.real = v});
}

static tx_status op_binfloat(parser *p)
{
    const unsigned char *bytes;
    uint64_t bits = 0;
    double v;
    tx_status status = take(p, 8, &bytes);
    if (status)
        return status;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&v, &bits, sizeof v);
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_REAL, .u.real = v});
}

/* ------------------------------------------------------------------------------------------------ texts */
static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
    return c && at ? (int)(at - digits) : -1;
}

/* n hexadecimal digits. */
static int hex_number(const char *text, int n, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        *value = *value << 4 | (uint32_t)digit;
    }
    return 0;
}

/* As UTF-8; returns the bytes. */
static size_t utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

/* A string as Python 2 prints it, in quotation marks; decoded in place. */
static tx_status op_string(parser *p)
{
    static const char from[] = "\\'\"nrtabfv", to[] = "\\'\"\n\r\t\a\b\f\v";
    tx_status status = take_line(p);
    if (status)
        return status;
    size_t n = strlen(p->line), made = 0;
    if (n < 2 || (p->line[0] != '\'' && p->line[0] != '"') || p->line[n - 1] != p->line[0])
        return fail(p, "a string without its quotation marks");
    for (size_t i = 1; i + 1 < n; i++) {
        char c = p->line[i];
        if (c == '\\') {
            uint32_t code;
            const char *at = i + 2 < n ? strchr(from, p->line[i + 1]) : NULL;
            if (at) {
                c = to[at - from];
                i++;
            } else if (i + 4 < n && p->line[i + 1] == 'x' && hex_number(p->line + i + 2, 2, &code) == 0) {
                c = (char)code;
                i += 3;
            } else {
                return fail(p, "an escape in a string that is none");
            }
        }
        p->line[made++] = c;
    }
    return push_text(p, TX_PICKLE_TEXT, p->line, made);
}

/* A line of Latin-1 with \uXXXX and \UXXXXXXXX in it. */
static tx_status op_unicode(parser *p)
{
    char out[2 * LINE];
    size_t made = 0;
    tx_status status = take_line(p);
    if (status)
        return status;
    for (const char *at = p->line; *at;) {
        uint32_t code = (unsigned char)*at;
        int digits = at[0] == '\\' ? (at[1] == 'u' ? 4 : at[1] == 'U' ? 8 : 0) : 0;
        if (digits && (hex_number(at + 2, digits, &code) || code > 0x10ffff))
            return fail(p, "an escape in a string that is none");
        at += digits ? 2 + digits : 1;
        made += utf8(code, out + made);
    }
    return push_text(p, TX_PICKLE_TEXT, out, made);
}

static tx_status push_counted(parser *p, tx_pickle_kind kind, size_t length_bytes)
{
    uint64_t n;
    tx_status status = take_number(p, length_bytes, &n);
    return status ? status : push_bytes(p, kind, n);
}

static tx_status op_text1(parser *p)
{
    return push_counted(p, TX_PICKLE_TEXT, 1);
}

static tx_status op_text4(parser *p)
{
    return push_counted(p, TX_PICKLE_TEXT, 4);
}

static tx_status op_text8(parser *p)
{
    return push_counted(p, TX_PICKLE_TEXT, 8);
}

static tx_status op_bytes1(parser *p)
{
    return push_counted(p, TX_PICKLE_BYTES, 1);
}

static tx_status op_bytes4(parser *p)
{
    return push_counted(p, TX_PICKLE_BYTES, 4);
}

static tx_status op_bytes8(parser *p)
{
    return push_counted(p, TX_PICKLE_BYTES, 8);
}

/* ------------------------------------------------------------------------------------------- containers */
static tx_status op_empty_tuple(parser *p)
{
    return push(p, EMPTY);
}

static tx_status op_tuple(parser *p)
{
    return gather_marked(p, TX_PICKLE_TUPLE);
}

static tx_status op_tuple1(parser *p)
{
    return gather_last(p, 1);
}

static tx_status op_tuple2(parser *p)
{
    return gather_last(p, 2);
}

static tx_status op_tuple3(parser *p)
{
    return gather_last(p, 3);
}

static tx_status op_empty_list(parser *p)
{
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_LIST});
}

static tx_status op_list(parser *p)
{
    return gather_marked(p, TX_PICKLE_LIST);
}

static tx_status op_empty_dict(parser *p)
{
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_DICT});
}

static tx_status op_dict(parser *p)
{
    return gather_marked(p, TX_PICKLE_DICT);
}

static tx_status op_empty_set(parser *p)
{
    return push_new(p, (tx_pickle_value){.kind = TX_PICKLE_SET});
}

static tx_status op_frozenset(parser *p)
{
    return gather_marked(p, TX_PICKLE_SET);
}

/* Whether the value takes items as a list (or set) does, or as a dict. An object is what it was given first. */
static int takes(tx_pickle_value *v, int listed)
{
    if (v->kind == TX_PICKLE_OBJECT) {
        if (v->count == 0)
            v->listed = (unsigned char)listed;
        return v->listed == listed;
    }
    return listed ? v->kind == TX_PICKLE_LIST || v->kind == TX_PICKLE_SET : v->kind == TX_PICKLE_DICT;
}

/* The values from there on go into the one below them. */
static tx_status put_items(parser *p, size_t from, int listed)
{
    size_t floor = p->marks ? p->mark[p->marks - 1] : 0;
    if (from <= floor)
        return fail(p, "adds to what is not there");
    uint32_t to = p->stack[from - 1];
    if (!takes(&p->tree->value[to], listed))
        return fail(p, listed ? "adds an item to what is no list" : "adds an item to what is no dict");
    if (!listed && (p->stacked - from) % 2)
        return fail(p, "a key without a value");
    tx_status status = add_items(p, to, p->stack + from, p->stacked - from);
    p->stacked = from;
    return status;
}

static tx_status put_marked(parser *p, int listed)
{
    size_t from = 0;
    tx_status status = pop_mark(p, &from);
    return status ? status : put_items(p, from, listed);
}

static tx_status put_last(parser *p, size_t n, int listed)
{
    if (p->stacked < n)
        return fail(p, "takes more from the stack than is there");
    return put_items(p, p->stacked - n, listed);
}

static tx_status op_append(parser *p)
{
    return put_last(p, 1, 1);
}

static tx_status op_appends(parser *p)
{
    return put_marked(p, 1);
}

static tx_status op_setitem(parser *p)
{
    return put_last(p, 2, 0);
}

static tx_status op_setitems(parser *p)
{
    return put_marked(p, 0);
}

/* ---------------------------------------------------------------------------------- globals and objects */
static tx_status push_global(parser *p, const char *module, size_t m, const char *name, size_t n)
{
    char text[2 * LINE];
    if (m == 0 || n == 0 || m >= LINE || n >= LINE || memchr(module, 0, m) || memchr(name, 0, n))
        return fail(p, "a global without a name");
    memcpy(text, module, m);
    text[m] = '.';
    memcpy(text + m + 1, name, n);
    return push_text(p, TX_PICKLE_GLOBAL, text, m + 1 + n);
}

static tx_status op_global(parser *p)
{
    char module[LINE];
    tx_status status = take_line(p);
    memcpy(module, p->line, sizeof module);
    if (status == TX_OK)
        status = take_line(p);
    return status ? status : push_global(p, module, strlen(module), p->line, strlen(p->line));
}

static tx_status op_stack_global(parser *p)
{
    uint32_t name = NONE, module = NONE;
    tx_status status = pop(p, &name);
    if (status == TX_OK)
        status = pop(p, &module);
    if (status)
        return status;
    const tx_pickle_value *m = &p->tree->value[module], *n = &p->tree->value[name];
    if (m->kind != TX_PICKLE_TEXT || n->kind != TX_PICKLE_TEXT)
        return fail(p, "a global without a name");
    /* The text may move as it grows, so it is copied first. */
    char copy[2 * LINE];
    if (m->u.text.length >= LINE || n->u.text.length >= LINE)
        return fail(p, "a global with a name of more than 4095 bytes");
    memcpy(copy, p->tree->text + m->u.text.at, m->u.text.length);
    memcpy(copy + LINE, p->tree->text + n->u.text.at, n->u.text.length);
    return push_global(p, copy, m->u.text.length, copy + LINE, n->u.text.length);
}

/* posix.system is what Python calls os.system. */
static tx_status refuse_call(const parser *p, const char *global)
{
    char text[TX_TEXT], plain[TX_TEXT] = "";
    const char *dot = strchr(global, '.');
    size_t module = dot ? (size_t)(dot - global) : 0;
    if ((module == 5 && memcmp(global, "posix", 5) == 0) || (module == 2 && memcmp(global, "nt", 2) == 0))
        snprintf(plain, sizeof plain, " (os%.60s)", dot);
    return tx_fail(TX_ERR_FORMAT, "%s: %s, byte %llu: a pickle that calls %s%s, which weights have no need of",
                   p->source->file->name, p->source->what, (unsigned long long)p->begin,
                   tx_escape(text, sizeof text, global), plain);
}

static tx_status push_object(parser *p, uint32_t type, uint32_t args, int called)
{
    const tx_pickle_value *t = &p->tree->value[type];
    if (t->kind != TX_PICKLE_GLOBAL)
        return fail(p, called ? "calls what is no global" : "makes an object of what is no class");
    const char *name = p->tree->text + t->u.text.at;
    if (called && !p->source->callable(name))
        return refuse_call(p, name);
    return push_new(
        p, (tx_pickle_value){.kind = TX_PICKLE_OBJECT, .called = (unsigned char)called, .type = type, .args = args});
}

/* Arguments are on the stack, what is called or made below them; `named` ones are passed over. */
static tx_status make_object(parser *p, int called, int named)
{
    uint32_t args = NONE, type = NONE, names = NONE;
    tx_status status = named ? pop(p, &names) : TX_OK;
    if (status == TX_OK)
        status = pop(p, &args);
    if (status == TX_OK)
        status = pop(p, &type);
    if (status == TX_OK && p->tree->value[args].kind != TX_PICKLE_TUPLE)
        status = fail(p, "arguments that are no tuple");
    return status ? status : push_object(p, type, args, called);
}

static tx_status op_reduce(parser *p)
{
    return make_object(p, 1, 0);
}

static tx_status op_newobj(parser *p)
{
    return make_object(p, 0, 0);
}

static tx_status op_newobj_ex(parser *p)
{
    return make_object(p, 0, 1);
}

/* Classes of Python 2: the arguments are behind a mark. */
static tx_status op_inst(parser *p)
{
    uint32_t args = NONE, type = NONE;
    tx_status status = op_global(p);
    if (status == TX_OK)
        status = pop(p, &type);
    if (status == TX_OK)
        status = gather_marked(p, TX_PICKLE_TUPLE);
    if (status == TX_OK)
        status = pop(p, &args);
    return status ? status : push_object(p, type, args, 1);
}

static tx_status op_obj(parser *p)
{
    size_t from = 0;
    uint32_t args = NONE;
    tx_status status = pop_mark(p, &from);
    if (status)
        return status;
    if (p->stacked == from)
        return fail(p, "an object without a class");
    uint32_t type = p->stack[from];
    status = gather(p, TX_PICKLE_TUPLE, from + 1);
    if (status == TX_OK)
        status = pop(p, &args);
    p->stacked = from;
    return status ? status : push_object(p, type, args, 1);
}

static tx_status op_build(parser *p)
{
    uint32_t state = NONE, object = NONE;
    tx_status status = pop(p, &state);
    if (status == TX_OK)
        status = pop(p, &object);
    if (status)
        return status;
    if (p->tree->value[object].kind != TX_PICKLE_OBJECT)
        return fail(p, "gives a state to what is no object");
    p->tree->value[object].state = state;
    return push(p, object);
}

/* The class that PyTorch's older files name with its source: ("module", class, path, source). */
static uint32_t class_with_source(const parser *p, uint32_t name)
{
    const tx_pickle *t = p->tree;
    const tx_pickle_value *v = &t->value[name];
    if (v->kind != TX_PICKLE_TUPLE || v->count < 2)
        return NONE;
    const char *tag = tx_pickle_text(t, t->item[v->from]);
    uint32_t type = t->item[v->from + 1];
    return tag && strcmp(tag, "module") == 0 && t->value[type].kind == TX_PICKLE_GLOBAL ? type : NONE;
}

static tx_status op_binpersid(parser *p)
{
    uint32_t name = NONE;
    tx_status status = pop(p, &name);
    uint32_t type = status ? NONE : class_with_source(p, name);
    if (type)
        return push(p, type);
    return status ? status : push_new(p, (tx_pickle_value){.kind = TX_PICKLE_PERSISTENT, .args = name});
}

static tx_status op_persid(parser *p)
{
    tx_status status = take_line(p);
    if (status == TX_OK)
        status = push_text(p, TX_PICKLE_TEXT, p->line, strlen(p->line));
    return status ? status : op_binpersid(p);
}

/* ------------------------------------------------------------------------------------------------- all */
static operation *const operations[256] = {
    ['('] = op_mark,       ['.'] = op_stop,        ['0'] = op_pop,         ['1'] = op_pop_mark,
    ['2'] = op_dup,        ['F'] = op_float,       ['I'] = op_int,         ['J'] = op_binint,
    ['K'] = op_binint1,    ['L'] = op_long,        ['M'] = op_binint2,     ['N'] = op_none,
    ['P'] = op_persid,     ['Q'] = op_binpersid,   ['R'] = op_reduce,      ['S'] = op_string,
    ['T'] = op_text4,      ['U'] = op_text1,       ['V'] = op_unicode,     ['X'] = op_text4,
    ['a'] = op_append,     ['b'] = op_build,       ['c'] = op_global,      ['d'] = op_dict,
    ['}'] = op_empty_dict, ['e'] = op_appends,     ['g'] = op_get,         ['h'] = op_binget,
    ['i'] = op_inst,       ['j'] = op_long_binget, ['l'] = op_list,        [']'] = op_empty_list,
    ['o'] = op_obj,        ['p'] = op_put,         ['q'] = op_binput,      ['r'] = op_long_binput,
    ['s'] = op_setitem,    ['t'] = op_tuple,       [')'] = op_empty_tuple, ['u'] = op_setitems,
    ['G'] = op_binfloat,   ['B'] = op_bytes4,      ['C'] = op_bytes1,      [0x80] = op_proto,
    [0x81] = op_newobj,    [0x85] = op_tuple1,     [0x86] = op_tuple2,     [0x87] = op_tuple3,
    [0x88] = op_true,      [0x89] = op_false,      [0x8a] = op_long1,      [0x8b] = op_long4,
    [0x8c] = op_text1,     [0x8d] = op_text8,      [0x8e] = op_bytes8,     [0x8f] = op_empty_set,
    [0x90] = op_appends,   [0x91] = op_frozenset,  [0x92] = op_newobj_ex,  [0x93] = op_stack_global,
    [0x94] = op_memoize,   [0x95] = op_frame,      [0x96] = op_bytes8,
};

static tx_status run(parser *p)
{
    static const tx_pickle_value constants[] = {[NONE] = {.kind = TX_PICKLE_NONE},
                                                [FALSE_] = {.kind = TX_PICKLE_FALSE},
                                                [TRUE_] = {.kind = TX_PICKLE_TRUE},
                                                [EMPTY] = {.kind = TX_PICKLE_TUPLE}};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < 4; i++) {
        uint32_t number = NONE;
        status = add(p, constants[i], &number);
    }
    while (status == TX_OK && !p->stopped) {
        const unsigned char *code;
        p->begin = here(p);
        status = take(p, 1, &code);
        if (status)
            break;
        operation *act = operations[*code];
        if (act)
            status = act(p);
        else
            status = tx_fail(TX_ERR_FORMAT, "%s: %s, byte %llu: operation %02x, which no weights file needs",
                             p->source->file->name, p->source->what, (unsigned long long)p->begin, (unsigned)*code);
    }
    p->tree->end = here(p);
    return status;
}

tx_status tx_pickle_read(tx_pickle *pickle, const tx_pickle_source *source)
{
    *pickle = (tx_pickle){0};
    parser *p = tx_alloc(1, sizeof *p);
    if (!p)
        return TX_ERR_MEMORY;
    p->source = source;
    p->tree = pickle;
    p->window_at = source->from;
    p->buffer = source->memory ? NULL : tx_alloc(WINDOW, 1);
    tx_status status = source->memory || p->buffer ? run(p) : TX_ERR_MEMORY;
    tx_free(p->buffer);
    tx_free(p->stack);
    tx_free(p->mark);
    tx_free(p->memo);
    tx_free(p);
    if (status)
        tx_pickle_free(pickle);
    return status;
}

void tx_pickle_free(tx_pickle *pickle)
{
    tx_free(pickle->value);
    tx_free(pickle->item);
    tx_free(pickle->text);
    *pickle = (tx_pickle){0};
}

/* ------------------------------------------------------------------------------------------ reading it */
const char *tx_pickle_text(const tx_pickle *pickle, uint32_t value)
{
    const tx_pickle_value *v = &pickle->value[value];
    int has = v->kind == TX_PICKLE_TEXT || v->kind == TX_PICKLE_BYTES || v->kind == TX_PICKLE_GLOBAL ||
              v->kind == TX_PICKLE_LARGE;
    return has ? pickle->text + v->u.text.at : NULL;
}

const char *tx_pickle_name(const tx_pickle *pickle, uint32_t value)
{
    const tx_pickle_value *v = &pickle->value[value];
    if (v->kind == TX_PICKLE_OBJECT)
        v = &pickle->value[v->type];
    return v->kind == TX_PICKLE_GLOBAL ? pickle->text + v->u.text.at : "";
}
