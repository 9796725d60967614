/* table.c - tables and notes as text that fits a terminal of 80 columns. */
#include "table.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { MOST = 32, NAME_LEAST = 8 };

/* Characters, as a terminal counts those that take one column each: bytes that continue one in UTF-8 take none. */
static int starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += (size_t)starts_character(*text);
    return n;
}

static int is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void add(table *t, char *text)
{
    if (t->status == TX_OK)
        t->status = tx_grow((void **)&t->cell, &t->room, t->cells + 1, sizeof *t->cell);
    if (t->status == TX_OK)
        t->cell[t->cells++] = text;
    else
        tx_free(text);
}

void table_cell(table *t, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if (is_control(*p))
            *p = '?';
    char *copy = tx_strdup(text);
    if (!copy && t->status == TX_OK)
        t->status = TX_ERR_MEMORY;
    if (copy)
        add(t, copy);
}

void table_number(table *t, double value, int decimals)
{
    char number[TX_NUMBER];
    table_cell(t, "%s", isnan(value) ? "-" : tx_number_fixed(number, sizeof number, value, decimals));
}

void table_row(table *t)
{
    add(t, NULL);
}

void table_free(table *t)
{
    for (size_t i = 0; i < t->cells; i++)
        tx_free(t->cell[i]);
    tx_free(t->cell);
    t->cell = NULL;
    t->cells = t->room = 0;
}

const char *layer_name(char out[LAYER_NAME], const char *name, size_t room)
{
    const char *rest = name;
    while (strlen(rest) + (rest > name ? 2 : 0) > room && strchr(rest, '.'))
        rest = strchr(rest, '.') + 1;
    snprintf(out, LAYER_NAME, "%s%.*s", rest > name ? ".." : "", (int)room, rest);
    return out;
}

/* ------------------------------------------------------------------------------------------- printing */
/* Columns' widths; what stands last in a short row takes none. */
static void measure(const table *t, size_t width[MOST])
{
    size_t columns = strlen(t->align), at = 0;
    memset(width, 0, MOST * sizeof *width);
    for (size_t i = 0; i < t->cells; i++) {
        if (!t->cell[i]) {
            at = 0;
            continue;
        }
        int last = i + 1 == t->cells || !t->cell[i + 1];
        size_t n = width_of(t->cell[i]);
        if (at < columns && !(last && at + 1 < columns && at > 0) && n > width[at])
            width[at] = n;
        at++;
    }
}

/* The blanks between columns; makes the first column narrower where even one is too many. */
static size_t fit(const table *t, size_t width[MOST])
{
    size_t columns = strlen(t->align), sum = 0;
    for (size_t i = 0; i < columns; i++)
        sum += width[i];
    if (sum + 2 * (columns - 1) <= TABLE_COLUMNS)
        return 2;
    size_t over = sum + columns - 1 > TABLE_COLUMNS ? sum + columns - 1 - TABLE_COLUMNS : 0;
    size_t least = width[0] < NAME_LEAST ? width[0] : NAME_LEAST;
    width[0] = width[0] > over + least ? width[0] - over : least;
    return 1;
}

/* The first `n` characters, or what comes behind them. */
static const char *skip(const char *text, size_t n)
{
    while (*text && n--)
        for (text++; *text && !starts_character(*text);)
            text++;
    return text;
}

/* A name of more than `width` characters: two thirds of them from its beginning, the rest from its end. */
static void print_name(FILE *out, const char *text, size_t width)
{
    size_t n = width_of(text);
    if (n <= width) {
        fprintf(out, "%s", text);
        return;
    }
    size_t tail = (width - 2) / 3, head = width - 2 - tail;
    fprintf(out, "%.*s..%s", (int)(skip(text, head) - text), text, skip(text, n - tail));
}

static void print_row(const table *t, size_t from, const size_t width[MOST], size_t gap, FILE *out)
{
    size_t pending = 0; /* blanks that are owed before the next text, so that none ends a line */
    for (size_t at = 0; from + at < t->cells && t->cell[from + at]; at++) {
        const char *text = t->cell[from + at];
        size_t n = width_of(text);
        size_t more = n < width[at] ? width[at] - n : 0, before = t->align[at] == 'r' ? more : 0;
        if (n > 0) {
            fprintf(out, "%*s", (int)(pending + before), "");
            if (at == 0)
                print_name(out, text, width[0]);
            else
                fputs(text, out);
            pending = more - before + gap;
        } else {
            pending += width[at] + gap;
        }
    }
    fputc('\n', out);
}

tx_status table_print(table *t, FILE *out)
{
    size_t width[MOST], from = 0;
    measure(t, width);
    size_t gap = fit(t, width);
    for (size_t i = 0; t->status == TX_OK && i < t->cells; i++)
        if (!t->cell[i]) {
            print_row(t, from, width, gap, out);
            from = i + 1;
        }
    table_free(t);
    return t->status;
}

void print_wrapped(FILE *out, const char *text)
{
    size_t at = 0;
    while (*text) {
        size_t n = strcspn(text, " "), width = 0;
        for (size_t i = 0; i < n; i++)
            width += (size_t)starts_character(text[i]);
        if (at > 2 && at + 1 + width > TABLE_COLUMNS) {
            fputs("\n  ", out);
            at = 2;
        } else if (at > 0) {
            fputc(' ', out);
            at++;
        }
        for (size_t i = 0; i < n; i++) {
            if (starts_character(text[i]) && at++ == TABLE_COLUMNS) {
                fputs("\n  ", out);
                at = 3;
            }
            fputc(is_control(text[i]) ? '?' : text[i], out);
        }
        text += n + strspn(text + n, " ");
    }
    if (at)
        fputc('\n', out);
}
