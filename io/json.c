/* json.c - a strict pull parser for the JSON that stands in front of tensors (RFC 8259).
 *
 * The text is scanned once, strings are decoded where they stand (the decoded form is never longer), and containers
 * are a bit each in one word: whatever the input, no memory is taken and no stack grows. */
#include "io_private.h"

#include <string.h>

/* What may come next. */
enum { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, END, BROKEN };

void tx_json_begin(tx_json *json, char *text, size_t bytes)
{
    if (!json) {
        tx_fail_null("tx_json_begin", "parser");
        return;
    }
    memset(json, 0, sizeof *json);
    json->text = text;
    json->bytes = bytes;
    json->expect = VALUE;
    if (text) {
        text[bytes] = 0;
        return;
    }
    tx_fail_null("tx_json_begin", "text");
    json->expect = BROKEN;
}

static tx_json_token broken(tx_json *json, const char *what)
{
    json->expect = BROKEN;
    tx_fail(TX_ERR_FORMAT, "JSON, byte %zu: %s", json->at, what);
    return TX_JSON_ERROR;
}

static void skip_blanks(tx_json *json)
{
    while (json->at < json->bytes && strchr(" \t\n\r", json->text[json->at]) && json->text[json->at])
        json->at++;
}

/* Four hexadecimal digits at p, or -1. */
static long hex4(const char *p)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    long v = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = p[i] ? strchr(p[i] < 'a' ? hex + 16 : hex, p[i]) : NULL;
        if (!digit)
            return -1;
        v = v * 16 + (digit - hex) % 16;
    }
    return v;
}

static char *put_utf8(char *out, long c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* One escape, json->at on the character behind the backslash; NULL if it is none. */
static char *escape(tx_json *json, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = json->text + json->at;
    const char *known = *p ? strchr(from, *p) : NULL;
    if (known) {
        *out = to[known - from];
        json->at++;
        return out + 1;
    }
    long c = *p == 'u' ? hex4(p + 1) : -1;
    size_t length = 5;
    if (c >= 0xd800 && c < 0xdc00) {
        long low = p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        length = 11;
    } else if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff)) {
        return NULL;
    }
    json->at += length;
    return put_utf8(out, c);
}

/* A string, json->at on its opening quote. */
static tx_json_token string(tx_json *json, tx_json_token token)
{
    char *out = json->text + ++json->at;
    json->string = out;
    for (;;) {
        unsigned char c = (unsigned char)json->text[json->at];
        if (json->at >= json->bytes)
            return broken(json, "the text ends within a string");
        if (c == '"')
            break;
        if (c == '\\') {
            json->at++;
            out = escape(json, out);
            if (!out)
                return broken(json, "an escape that is none, stands for U+0000 or is half a surrogate pair");
            continue;
        }
        size_t n = c < 0x20 ? 0 : tx_utf8_length((const unsigned char *)json->text + json->at);
        if (n == 0)
            return broken(json, c < 0x20 ? "a control character within a string" : "bytes that are no UTF-8");
        memmove(out, json->text + json->at, n);
        out += n;
        json->at += n;
    }
    json->at++;
    *out = 0;
    json->length = (size_t)(out - json->string);
    return token;
}

static size_t digits(const tx_json *json, size_t at)
{
    size_t n = 0;
    while (json->text[at + n] >= '0' && json->text[at + n] <= '9')
        n++;
    return n;
}

/* A number by the grammar of RFC 8259, section 6. Its text is moved a byte forward, which makes room for the zero:
 * the byte before it is a blank, a bracket, a comma or a colon and has been read. */
static tx_json_token number(tx_json *json)
{
    size_t at = json->at;
    if (json->text[at] == '-')
        at++;
    size_t n = digits(json, at);
    if (n == 0 || (n > 1 && json->text[at] == '0'))
        return broken(json, "a number that JSON does not know");
    at += n;
    if (json->text[at] == '.') {
        n = digits(json, at + 1);
        if (n == 0)
            return broken(json, "a number without digits behind its point");
        at += n + 1;
    }
    if (json->text[at] == 'e' || json->text[at] == 'E') {
        at++;
        if (json->text[at] == '+' || json->text[at] == '-')
            at++;
        n = digits(json, at);
        if (n == 0)
            return broken(json, "a number without digits in its exponent");
        at += n;
    }
    if (json->at == 0 || at - json->at > 400)
        return broken(json, "a number of more than 400 characters, or alone");
    json->string = json->text + json->at - 1;
    json->length = at - json->at;
    memmove(json->string, json->text + json->at, json->length);
    json->string[json->length] = 0;
    json->at = at;
    return TX_JSON_NUMBER;
}

static tx_json_token open_container(tx_json *json, int array)
{
    if (json->depth == TX_JSON_DEPTH)
        return broken(json, "nested too deeply");
    uint32_t bit = (uint32_t)1 << json->depth++;
    json->arrays = array ? json->arrays | bit : json->arrays & ~bit;
    json->at++;
    json->expect = array ? VALUE_OR_END : KEY_OR_END;
    return array ? TX_JSON_ARRAY : TX_JSON_OBJECT;
}

static int in_array(const tx_json *json)
{
    return json->depth > 0 && json->arrays >> (json->depth - 1) & 1;
}

static tx_json_token close_container(tx_json *json)
{
    int array = in_array(json);
    json->depth--;
    json->at++;
    json->expect = json->depth ? COMMA_OR_END : END;
    return array ? TX_JSON_ARRAY_END : TX_JSON_OBJECT_END;
}

static tx_json_token word(tx_json *json, const char *text, tx_json_token token)
{
    size_t n = strlen(text);
    if (json->bytes - json->at < n || memcmp(json->text + json->at, text, n) != 0)
        return broken(json, "a word that JSON does not know");
    json->at += n;
    return token;
}

static tx_json_token key(tx_json *json)
{
    if (json->text[json->at] != '"')
        return broken(json, "expected a key in quotes");
    tx_json_token token = string(json, TX_JSON_KEY);
    if (token == TX_JSON_ERROR)
        return token;
    skip_blanks(json);
    if (json->text[json->at] != ':')
        return broken(json, "expected a colon");
    json->at++;
    json->expect = VALUE;
    return token;
}

static tx_json_token value(tx_json *json)
{
    char c = json->text[json->at];
    if (c == '{' || c == '[')
        return open_container(json, c == '[');
    json->expect = json->depth ? COMMA_OR_END : END;
    switch (c) {
    case '"':
        return string(json, TX_JSON_STRING);
    case 't':
        return word(json, "true", TX_JSON_TRUE);
    case 'f':
        return word(json, "false", TX_JSON_FALSE);
    case 'n':
        return word(json, "null", TX_JSON_NULL);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return number(json);
    return broken(json, json->at >= json->bytes ? "the text ends too early" : "expected a value");
}

tx_json_token tx_json_next(tx_json *json)
{
    if (!json) {
        tx_fail_null("tx_json_next", "parser");
        return TX_JSON_ERROR;
    }
    if (json->expect == BROKEN)
        return TX_JSON_ERROR;
    skip_blanks(json);
    char c = json->text[json->at];
    if (json->expect == END)
        return json->at == json->bytes ? TX_JSON_END : broken(json, "something behind the end of the value");
    int closes = c == (in_array(json) ? ']' : '}');
    if (closes && json->expect != VALUE && json->expect != KEY)
        return close_container(json);
    if (json->expect == COMMA_OR_END) {
        if (c != ',')
            return broken(json, in_array(json) ? "expected a comma or ]" : "expected a comma or }");
        json->at++;
        skip_blanks(json);
        return in_array(json) ? value(json) : key(json);
    }
    if (json->expect == KEY || json->expect == KEY_OR_END)
        return key(json);
    return value(json);
}
