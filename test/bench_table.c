/* bench_table.c - tables and notes as text: columns, shortened names, 80 columns whatever stands in them. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/table.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>

/* What is printed. */
static const char *printed(FILE *f)
{
    static char text[8000];
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static size_t longest(const char *text)
{
    size_t most = 0;
    for (size_t n; *text; text += n + (text[n] != 0)) {
        n = strcspn(text, "\n");
        most = n > most ? n : most;
    }
    return most;
}

static void compare(const char *got, const char *wanted)
{
    CHECK(strcmp(got, wanted) == 0, "found\n%sexpected\n%s", got, wanted);
}

static void test_columns(void)
{
    FILE *f = fopen(temp_path("columns"), "w+");
    table t = {.align = "lrl"};
    table_cell(&t, "name");
    table_cell(&t, "n");
    table_cell(&t, "why");
    table_row(&t);
    table_cell(&t, "a\tb");
    table_number(&t, 12.345, 2);
    table_cell(&t, "x");
    table_row(&t);
    table_cell(&t, "longer");
    table_number(&t, (double)NAN, 2);
    table_row(&t);
    table_cell(&t, "last");
    table_cell(&t, "reaches over what it lacks");
    table_row(&t);
    table_cell(&t, "empty");
    table_cell(&t, "%s", "");
    table_cell(&t, "%s", "");
    table_row(&t);
    CHECK(table_print(&t, f) == TX_OK, "%s", tx_error_message());
    compare(printed(f), "name        n  why\n"
                        "a?b     12.35  x\n"
                        "longer      -\n"
                        "last    reaches over what it lacks\n"
                        "empty\n");
}

/* Two blanks, then one, then shorter names: from the narrowest table to one that cannot be held. */
static void test_widths(void)
{
    char name[200];
    for (int width = 1; width < 120; width += 3)
        for (int columns = 1; columns < 12; columns++) {
            FILE *f = fopen(temp_path("widths"), "w+");
            char align[16] = "lrrrrrrrrrrr";
            table t = {.align = align};
            align[columns + 1] = 0;
            memset(name, 'm', sizeof name);
            name[0] = '<';
            name[width] = '>';
            name[width + 1] = 0;
            for (int row = 0; row < 2; row++) {
                table_cell(&t, "%s", row ? name : "short");
                for (int i = 0; i < columns; i++)
                    table_cell(&t, "%05d", row);
                table_row(&t);
            }
            CHECK(table_print(&t, f) == TX_OK, "%s", tx_error_message());
            const char *text = printed(f);
            CHECK(longest(text) <= 80 && strstr(text, "00001") && strstr(text, "short") && strchr(text, '>') &&
                      strchr(text, '<'),
                  "a name of %d characters before %d columns:\n%s", width + 1, columns, text);
            CHECK(columns * 7 + width + 1 > 80 || strstr(text, name), "shortened without need:\n%s", text);
        }
}

/* A character of two bytes is one column, and is not torn. */
static void test_utf8(void)
{
    FILE *f = fopen(temp_path("utf8"), "w+");
    table t = {.align = "lr"};
    char name[300] = "";
    for (int i = 0; i < 45; i++)
        strcat(name, "\xc3\x9f");
    for (int i = 0; i < 45; i++)
        strcat(name, "\xc3\xa4");
    table_cell(&t, "%s", name);
    table_cell(&t, "1");
    table_row(&t);
    CHECK(table_print(&t, f) == TX_OK, "%s", tx_error_message());
    const char *text = printed(f), *dots = strstr(text, "..");
    CHECK(dots && (dots - text) % 2 == 0 && strlen(dots + 2) % 2 == 1, "torn: %s", text);
    size_t characters = 0;
    for (const char *p = text; *p && *p != '\n'; p++)
        characters += ((unsigned char)*p & 0xc0) != 0x80;
    CHECK(characters == 80, "%zu characters", characters);
}

static void test_wrapping(void)
{
    FILE *f = fopen(temp_path("wrapped"), "w+");
    print_wrapped(f, "");
    print_wrapped(f, "one  two");
    print_wrapped(f, "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012 0123456789 "
                     "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 abc\x01 0");
    char word[200];
    memset(word, 'w', sizeof word);
    memcpy(word, "before ", 7);
    word[199] = 0;
    print_wrapped(f, word);
    print_wrapped(f, "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123");
    compare(printed(f), "one two\n"
                        "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012\n"
                        "  0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n"
                        "  abc? 0\n"
                        "before\n"
                        "  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\n"
                        "  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\n"
                        "  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\n"
                        "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n"
                        "  0123\n");
}

static void test_memory(void)
{
    for (long n = 0; n < 40; n++) {
        FILE *f = fopen(temp_path("memory"), "w+");
        long live = tx_alloc_live();
        tx_alloc_fail_after(n);
        table t = {.align = "ll"};
        for (int row = 0; row < 9; row++) {
            table_cell(&t, "a");
            table_cell(&t, "b");
            table_row(&t);
        }
        tx_status status = table_print(&t, f);
        tx_alloc_fail_after(-1);
        CHECK(tx_alloc_live() == live, "allocation %ld fails: %ld are left", n, tx_alloc_live() - live);
        const char *text = printed(f);
        if (status == TX_OK) {
            CHECK(n > 18 && strlen(text) == 9 * 5, "after %ld allocations: %s", n, text);
            return;
        }
        CHECK(status == TX_ERR_MEMORY && !*text, "allocation %ld fails: status %d, printed %s", n, (int)status, text);
    }
    CHECK(0, "no success in 40 tries");
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_table");
    test_columns();
    test_widths();
    test_utf8();
    test_wrapping();
    test_memory();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("bench_table");
}
