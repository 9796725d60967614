/* io_csv.c - RFC 4180 in all its corners, limits, random bytes. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

/* The whole table as text: fields in [], a row a line; or "error: .." behind what came before. */
static const char *shown(const char *data, size_t bytes)
{
    static char out[4096];
    size_t used = 0, fields;
    char **field;
    const char *path = temp_path("t.csv");
    temp_write(path, data, bytes);
    tx_csv *csv = tx_csv_open(path);
    int got;
    while ((got = tx_csv_next(csv, &field, &fields)) > 0) {
        used += (size_t)snprintf(out + used, sizeof out - used, "%zu", tx_csv_line(csv));
        for (size_t i = 0; i < fields; i++)
            used += (size_t)snprintf(out + used, sizeof out - used, "[%s]", field[i]);
    }
    out[used] = 0;
    if (got < 0) {
        const char *message = tx_error_message() + strlen(path);
        snprintf(out + used, sizeof out - used, "error%s", message);
        CHECK(tx_csv_next(csv, &field, &fields) == got && fields == 0, "an error stays");
    }
    tx_csv_close(csv);
    return out;
}

static void expect(const char *data, const char *wanted)
{
    const char *found = shown(data, strlen(data));
    CHECK(strcmp(found, wanted) == 0, "%s: found %s, expected %s", data, found, wanted);
}

static void corners(void)
{
    expect("", "");
    expect("a", "1[a]");
    expect("a,b\n1,2\n", "1[a][b]2[1][2]");
    expect("a,b\r\n1,2\r\n", "1[a][b]2[1][2]");
    expect("\xef\xbb\xbf"
           "a,b\n",
           "1[a][b]");
    expect("\xef\xbb\xbf", "");
    expect("a\xef\xbb\xbf\n", "1[a\xef\xbb\xbf]");
    expect("\xef\xbb\xbf\xef\xbb\xbf"
           "a\n",
           "1[\xef\xbb\xbf"
           "a]");
    expect("\xef\xbb", "1[\xef\xbb]");
    expect("\xef\xbb"
           "a\n",
           "1[\xef\xbb"
           "a]");
    expect("\xef"
           "a\xbf\n",
           "1[\xef"
           "a\xbf]");
    expect("a\xbb\xbf\n", "1[a\xbb\xbf]");
    expect("\xef\xbb\xbf\r\n\"a\"\n", "2[a]");
    expect(",\n,,\n", "1[][]2[][][]");
    expect("a,\n", "1[a][]");
    expect("a,", "1[a][]");
    expect("\"a\",\"b c\"\n", "1[a][b c]");
    expect("\"a \"\"b\"\"\",\"\"\n", "1[a \"b\"][]");
    expect("\"x,y\",\"1\n2\r\n3\"\nz\n", "1[x,y][1\n2\r\n3]4[z]");
    expect("\n\na\r\n\r\n\nb\n\n", "3[a]6[b]");
    expect("\"\"\n", "1[]");
    expect(" \"a\"\n", "error:1: a quote inside a field that does not begin with one");
    expect("a\nb\"\n", "1[a]error:2: a quote inside a field that does not begin with one");
    expect("\"a\"b\n", "error:1: text behind a closing quote, expected a comma or the end of the line");
    expect("a\nx,\"b\nc", "1[a]error:2: the file ends within a quoted field of this row");
    expect("a\rb\n", "error:1: a carriage return without a line feed");
    expect("a\n\rb\n", "1[a]error:2: a carriage return without a line feed");
    expect("\"a\"\rb", "error:1: a carriage return without a line feed");
    CHECK(strcmp(shown("a\n1\0002\n", 6), "1[a]error:2: a NUL byte") == 0, "NUL");
    CHECK(strcmp(shown("\"a\n\0\"\n", 6), "error:2: a NUL byte") == 0, "NUL in quotes");
    CHECK(!tx_csv_open(temp_path("none.csv")), "no such file");
    CHECK(!tx_csv_open(temp_folder) && strstr(tx_error_message(), "a folder"), "%s", tx_error_message());
}

static void limits(void)
{
    size_t bytes = (size_t)3 << 20;
    char *large = tx_alloc(bytes, 1), **field;
    size_t fields;
    const char *path = temp_path("large.csv");
    memset(large, 'x', bytes);
    temp_write(path, large, bytes);
    tx_csv *csv = tx_csv_open(path);
    CHECK(tx_csv_next(csv, &field, &fields) == TX_ERR_FORMAT, "an endless row");
    tx_csv_close(csv);
    large[0] = '"';
    for (size_t i = 1; i < bytes; i += 100)
        large[i] = '\n';
    temp_write(path, large, bytes);
    csv = tx_csv_open(path);
    CHECK(tx_csv_next(csv, &field, &fields) == TX_ERR_FORMAT && strstr(tx_error_message(), ":1:"), "%s",
          tx_error_message());
    tx_csv_close(csv);
    /* A zero behind each of its fields counts too. */
    for (size_t longer = 0; longer < 2; longer++) {
        memset(large, 'x', bytes);
        large[100] = ',';
        large[TX_CSV_ROW - 1 + longer] = '\n';
        temp_write(path, large, TX_CSV_ROW + longer);
        csv = tx_csv_open(path);
        int got = tx_csv_next(csv, &field, &fields);
        CHECK(longer ? got == TX_ERR_FORMAT : got == 1 && fields == 2 && strlen(field[1]) == TX_CSV_ROW - 102,
              "a row of %zu bytes more than the longest: %d", longer, got);
        tx_csv_close(csv);
    }
    memset(large, ',', bytes);
    large[TX_CSV_FIELDS - 1] = '\n';
    temp_write(path, large, bytes);
    csv = tx_csv_open(path);
    CHECK(tx_csv_next(csv, &field, &fields) == 1 && fields == TX_CSV_FIELDS, "%zu fields", fields);
    CHECK(tx_csv_next(csv, &field, &fields) == TX_ERR_FORMAT, "too many fields");
    tx_csv_close(csv);
    tx_free(large);
}

/* What tx_writer_csv writes comes back, across the blocks that the reader takes. */
static void round_trip(void)
{
    static const char alphabet[] = "ab,\"\r\n \xc3\xa9";
    const char *path = temp_path("r.csv");
    tx_writer *w = tx_writer_open(path);
    uint64_t begin = temp_state;
    char text[64];
    for (int row = 0; row < 9000; row++)
        for (int f = 0; f < 3; f++) {
            size_t n = temp_random() % 30;
            for (size_t i = 0; i < n; i++)
                text[i] = alphabet[temp_random() % (sizeof alphabet - 1)];
            text[n] = 0;
            tx_writer_csv(w, text);
            tx_writer_text(w, f < 2 ? "," : row % 2 ? "\n" : "\r\n");
        }
    CHECK(tx_writer_commit(w) == TX_OK, "%s", tx_error_message());
    temp_state = begin;
    tx_csv *csv = tx_csv_open(path);
    for (int row = 0; row < 9000; row++) {
        char **field;
        size_t fields;
        CHECK(tx_csv_next(csv, &field, &fields) == 1 && fields == 3, "row %d: %zu fields, %s", row, fields,
              tx_error_message());
        for (size_t f = 0; f < 3 && f < fields; f++) {
            size_t n = temp_random() % 30;
            for (size_t i = 0; i < n; i++)
                text[i] = alphabet[temp_random() % (sizeof alphabet - 1)];
            text[n] = 0;
            CHECK(strcmp(text, field[f]) == 0, "row %d field %zu", row, f);
        }
    }
    tx_csv_close(csv);
}

static void garbage(void)
{
    static const char alphabet[] = "a,\"\r\n\xef\xbb\xbf";
    for (int i = 0; i < 3000; i++) {
        char data[64];
        size_t n = temp_random() % sizeof data;
        for (size_t k = 0; k < n; k++)
            data[k] = i % 3 ? alphabet[temp_random() % sizeof alphabet] : (char)(temp_random() >> 20);
        CHECK(shown(data, n) != NULL, "some answer");
    }
}

static void no_memory(void)
{
    const char *path = temp_path("r.csv");
    long before = tx_alloc_live();
    for (long n = 0; n < 1000; n++) {
        char **field;
        size_t fields;
        int got = TX_ERR_MEMORY;
        tx_alloc_fail_after(n);
        tx_csv *csv = tx_csv_open(path);
        while (csv && (got = tx_csv_next(csv, &field, &fields)) > 0)
            continue;
        tx_csv_close(csv);
        tx_alloc_fail_after(-1);
        CHECK(tx_alloc_live() == before && (got == 0 || got == TX_ERR_MEMORY), "allocation %ld refused: %d", n, got);
        if (got == 0)
            return;
    }
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_csv");
    corners();
    limits();
    round_trip();
    garbage();
    no_memory();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_csv");
}
