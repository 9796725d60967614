/* io_buffer.c - texts of exactly the room that there is, and of one byte more; errors that stay. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

static char text[10000];

/* The letters a to z over and over, n of them. */
static const char *letters(size_t n)
{
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 26);
    text[n] = 0;
    return text;
}

static void pieces(void)
{
    tx_buffer t = {0};
    tx_buffer_add(&t, "%s", "");
    CHECK(t.status == TX_OK && t.length == 0 && t.data && t.data[0] == 0, "an empty piece");
    for (size_t n = 0; n < 300; n++) {
        size_t before = t.length;
        tx_buffer_append(&t, letters(n));
        CHECK(t.length == before + n && strlen(t.data) == t.length && strcmp(t.data + before, text) == 0,
              "%zu bytes behind %zu", n, before);
    }
    tx_buffer_free(&t);
    CHECK(!t.data && t.length == 0 && t.capacity == 0, "nothing is left");
    tx_buffer_add(&t, "%s%c", letters(2046), '!');
    CHECK(t.status == TX_OK && t.length == 2047 && t.data[2046] == '!', "the longest piece: %zu", t.length);
    tx_buffer_add(&t, "%s", letters(2048));
    CHECK(t.status == TX_ERR_ARGUMENT && t.length == 2047 && strstr(tx_error_message(), "longer than 2047 bytes"), "%s",
          tx_error_message());
    tx_buffer_append(&t, "a");
    tx_buffer_add(&t, "%d", 1);
    tx_buffer_html(&t, "<");
    CHECK(t.length == 2047 && tx_buffer_write(&t, temp_path("spoiled")) == TX_ERR_ARGUMENT &&
              !tx_path_exists(temp_path("spoiled")),
          "what failed stays so");
    tx_buffer_free(&t);
    CHECK(t.status == TX_OK, "freed, it is as new");
    tx_alloc_fail_after(0);
    tx_buffer_append(&t, "a");
    tx_alloc_fail_after(-1);
    CHECK(t.status == TX_ERR_MEMORY, "no memory");
    tx_buffer_append(&t, "b");
    CHECK(t.status == TX_ERR_MEMORY && t.length == 0, "it goes on without what was lost");
    tx_buffer_free(&t);
}

static void escapes(void)
{
    static const struct {
        const char *from, *html, *csv;
    } cases[] = {{"", "", ""},
                 {"a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;'", "\"a<b>&\"\"c\"\"'\""},
                 {"a b;c", "a b;c", "a b;c"},
                 {"a\n", "a\n", "\"a\n\""},
                 {"\r", "\r", "\"\r\""},
                 {",", ",", "\",\""},
                 {"\"", "&quot;", "\"\"\"\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_buffer html = {0}, csv = {0};
        tx_buffer_append(&html, "");
        tx_buffer_append(&csv, "");
        tx_buffer_html(&html, cases[i].from);
        tx_buffer_csv(&csv, cases[i].from);
        CHECK(strcmp(html.data, cases[i].html) == 0, "'%s' in HTML: %s", cases[i].from, html.data);
        CHECK(strcmp(csv.data, cases[i].csv) == 0, "'%s' in CSV: %s", cases[i].from, csv.data);
        tx_buffer_free(&html);
        tx_buffer_free(&csv);
    }
}

static void files(void)
{
    tx_buffer t = {0};
    CHECK(tx_buffer_write(&t, temp_path("empty")) == TX_OK && temp_holds(temp_path("empty"), "", 0), "an empty file");
    tx_buffer_add(&t, "%s\n", "line");
    CHECK(tx_buffer_write(&t, temp_path("full")) == TX_OK && temp_holds(temp_path("full"), "line\n", 5), "a file");
    tx_buffer_append(&t, "more");
    CHECK(tx_buffer_write(&t, temp_path("full")) == TX_OK && temp_holds(temp_path("full"), "line\nmore", 9),
          "longer, once more");
    CHECK(tx_buffer_write(&t, temp_path("none/file")) == TX_ERR_FILE, "no such folder");
    tx_buffer_free(&t);
    /* A writer's own limit is another. */
    for (size_t n = 4094; n < 4098; n++) {
        tx_writer *w = tx_writer_open(temp_path("w"));
        tx_status status = tx_writer_format(w, "%s", letters(n)), end = tx_writer_commit(w);
        CHECK(n < 4096 ? !status && !end && temp_holds(temp_path("w"), text, n)
                       : status == TX_ERR_ARGUMENT && end == TX_ERR_ARGUMENT &&
                             strstr(tx_error_message(), "more than 4095 bytes"),
              "%zu bytes: %s", n, tx_error_message());
    }
    /* Blocks are of 2^16 bytes. */
    for (size_t n = 65535; n < 65538; n++) {
        tx_writer *w = tx_writer_open(temp_path("w"));
        char *data = tx_alloc(n, 1);
        for (size_t i = 0; i < n; i++)
            data[i] = (char)temp_random();
        tx_writer_bytes(w, data, n - 9);
        tx_writer_bytes(w, data + n - 9, 9);
        CHECK(tx_writer_commit(w) == TX_OK && temp_holds(temp_path("w"), data, n), "%zu bytes", n);
        tx_free(data);
    }
}

/* Names stand whole in a message where they fit in its 80 characters or in the room that there is; what is written
 * behind that room would be seen. */
static void names(void)
{
    char out[TX_TEXT + 20];
    for (size_t size = 4; size <= TX_TEXT; size++)
        for (size_t n = 0; n < 90; n++) {
            size_t limit = size - 1 < 80 ? size - 1 : 80;
            memset(out, '#', sizeof out);
            tx_escape(out, size, letters(n));
            if (n > limit)
                memcpy(text + limit - 2, "..", 3);
            CHECK(strcmp(out, text) == 0, "%zu characters in %zu bytes: '%s'", n, size, out);
            CHECK(out[strlen(out) + 1] == '#' && out[size] == '#', "%zu characters in %zu: written beyond", n, size);
        }
    static const struct {
        const char *from, *to;
    } odd[] = {{"a\nb", "a\\x0ab"},
               {"\x1f\x20\x7e\x7f\xff", "\\x1f ~\\x7f\\xff"},
               {"\n\n\n", "\\x0a.."},
               {"1234\n", "1234.."},
               {"123\n", "123\\x0a"}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        tx_escape(out, i < 2 ? TX_TEXT : 8, odd[i].from);
        CHECK(strcmp(out, odd[i].to) == 0, "'%s', expected '%s'", out, odd[i].to);
    }
}

/* RFC 4648, section 10; all six-bit digits; every byte. */
static void base64(void)
{
    static const char *const known[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n < 7; n++) {
        tx_buffer t = {0};
        tx_buffer_append(&t, "x");
        tx_buffer_base64(&t, "foobar", n);
        CHECK(t.status == TX_OK && strcmp(t.data + 1, known[n]) == 0, "%zu bytes: %s", n, t.data);
        tx_buffer_free(&t);
    }
    tx_buffer t = {0};
    unsigned char bytes[48];
    for (unsigned i = 0; i < 16; i++) {
        unsigned v = (4 * i) << 18 | (4 * i + 1) << 12 | (4 * i + 2) << 6 | (4 * i + 3);
        bytes[3 * i] = (unsigned char)(v >> 16);
        bytes[3 * i + 1] = (unsigned char)(v >> 8);
        bytes[3 * i + 2] = (unsigned char)v;
    }
    tx_buffer_base64(&t, bytes, sizeof bytes);
    CHECK(strcmp(t.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 0, "%s", t.data);
    tx_buffer_free(&t);
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_buffer");
    pieces();
    base64();
    escapes();
    files();
    names();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_buffer");
}
