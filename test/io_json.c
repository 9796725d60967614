/* io_json.c - the strict parser: every token, every refusal, texts cut at every byte, random bytes. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

/* The tokens as text, an error as "!" and its message's end. */
static const char *tokens(const char *data, size_t bytes)
{
    static char out[8192], text[4096];
    static const char mark[] = ".{}[]";
    size_t used = 0;
    memcpy(text, data, bytes);
    tx_json json;
    tx_json_begin(&json, text, bytes);
    for (;;) {
        tx_json_token t = tx_json_next(&json);
        if (t == TX_JSON_ERROR || t == TX_JSON_END) {
            CHECK(t == TX_JSON_END || tx_json_next(&json) == TX_JSON_ERROR, "an error stays");
            snprintf(out + used, sizeof out - used, "%s", t == TX_JSON_ERROR ? "!" : "");
            return out;
        }
        if (t <= TX_JSON_ARRAY_END)
            used += (size_t)snprintf(out + used, sizeof out - used, "%c", mark[t]);
        else if (t <= TX_JSON_NUMBER)
            used += (size_t)snprintf(out + used, sizeof out - used, "%c(%s)", "KSN"[t - TX_JSON_KEY], json.string);
        else
            used += (size_t)snprintf(out + used, sizeof out - used, "%c", "tf0"[t - TX_JSON_TRUE]);
        if (t >= TX_JSON_KEY && t <= TX_JSON_NUMBER)
            CHECK(strlen(json.string) == json.length, "length");
    }
}

static void expect(const char *data, const char *wanted)
{
    const char *found = tokens(data, strlen(data));
    CHECK(strcmp(found, wanted) == 0, "%s: found %s, expected %s", data, found, wanted);
}

static void good(void)
{
    expect("{}", "{}");
    expect(" [ ] ", "[]");
    expect("\"a\"", "S(a)");
    expect("true", "t");
    expect("[true,false,null]", "[tf0]");
    expect("{\"a\":1,\"b\":[-0.5e+10,{\"c\":\"d\"}]}", "{K(a)N(1)K(b)[N(-0.5e+10){K(c)S(d)}]}");
    expect("[0,10,-7,1E5,2e-3,3.25]", "[N(0)N(10)N(-7)N(1E5)N(2e-3)N(3.25)]");
    expect("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[S(\"\\/\b\f\n\r\t)]");
    expect("[\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"]", "[S(A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80)]");
    expect("[\"\\ud800\\udc00\\uDBFF\\uDFFF\"]", "[S(\xf0\x90\x80\x80\xf4\x8f\xbf\xbf)]");
    expect("[\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\uffff\"]",
           "[S(\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf)]");
    expect("[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
           "[S(\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf)]");
    expect("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]", "[S(\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80)]");
    expect("{\"k\" : \"v\" ,\n\"l\"\t:[ 1 ]}\r\n", "{K(k)S(v)K(l)[N(1)]}");
    expect("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
           "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
}

static void bad(void)
{
    static const char *const text[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{,}",
        "[1}",
        "{\"a\":1]",
        "nul",
        "[truex]",
        "[True]",
        "[01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[0x1]",
        "[NaN]",
        "[Infinity]",
        "[1]x",
        "[1][2]",
        "\"a",
        "\"a\nb\"",
        "[\"\\x\"]",
        "[\"\\u00\"]",
        "[\"\\u0000\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\\udbff\\udbff\"]",
        "[\"\\udbff\\ue000\"]",
        "[\"\\ud800\"\\udc00]",
        "[\"\\ud800x\"]",
        "[\"\\udfff\"]",
        "[\"\\u00g0\"]",
        "[\"\\u00/0\"]",
        "[\"\\u00:0\"]",
        "[\"\\u00@0\"]",
        "[\"\\u00`0\"]",
        "[\"\xc1\xbf\"]",
        "[\"\xe0\x9f\xbf\"]",
        "[\"\xed\xbf\xbf\"]",
        "[\"\xf0\x8f\xbf\xbf\"]",
        "[\"\xf4\x90\x80\x80\"]",
        "[\"\xc2\x7f\"]",
        "[\"\xc2\xc0\"]",
        "[\"\x1f\"]",
        "[tru]",
        "tru",
        "-",
        "[1e+]",
        "[00]",
        "[-01]",
        "[1.e1]",
        "[\"\x80\"]",
        "[\"\xc0\xaf\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xf5\x80\x80\x80\"]",
        "[\"\xe2\x82\"]",
        "['a']",
        "[1]//",
        "[\"a\\\"]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        const char *found = tokens(text[i], strlen(text[i]));
        CHECK(strchr(found, '!'), "%s: found %s, expected an error", text[i], found);
        CHECK(strncmp(tx_error_message(), "JSON, byte ", 11) == 0, "%s", tx_error_message());
    }
    CHECK(strchr(tokens("[\"a\0b\"]", 7), '!') && strchr(tokens("[1]\0", 4), '!') && strchr(tokens("\0", 1), '!'),
          "NULs");
}

static void cut_and_random(void)
{
    static const char whole[] = "{\"a\\n\":[1.5e3,true,{\"\\ud83d\\ude00\":null}],\"b\":\"\xc3\xa9\"}";
    for (size_t n = 0; n < sizeof whole - 1; n++)
        CHECK(strchr(tokens(whole, n), '!'), "cut at %zu", n);
    static const char alphabet[] = "{}[],:\"\\u0d8e1-+.tfn \xc3\xa9";
    for (int i = 0; i < 50000; i++) {
        char data[40];
        size_t n = temp_random() % sizeof data;
        for (size_t k = 0; k < n; k++)
            data[k] = i % 4 ? alphabet[temp_random() % sizeof alphabet] : (char)(temp_random() >> 20);
        tokens(data, n);
    }
    for (int i = 0; i < 50000; i++) {
        char data[sizeof whole];
        memcpy(data, whole, sizeof whole);
        for (int k = 0; k < 2; k++) {
            size_t at = temp_random() % (sizeof whole - 1);
            data[at] = alphabet[temp_random() % sizeof alphabet];
        }
        tokens(data, sizeof whole - 1);
    }
}

int main(void)
{
    good();
    bad();
    cut_and_random();
    return test_done("io_json");
}
