/* io_pickle.c - pickles of every protocol as trees of values; what would be called; games with memo, marks and sizes. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../io/pickle.h"

static const tx_reader file = {.path = NULL, .name = "f.pth", .fd = -1};

static int callable(const char *global)
{
    return strncmp(global, "plain.", 6) == 0;
}

static tx_status parse(tx_pickle *p, const void *bytes, size_t n)
{
    return tx_pickle_read(p, &(tx_pickle_source){&file, "data.pkl", bytes, 0, n, callable});
}

static void print(tx_buffer *out, const tx_pickle *p, uint32_t value, int depth);

static void print_items(tx_buffer *out, const tx_pickle *p, uint32_t value, int depth)
{
    const tx_pickle_value *v = &p->value[value];
    for (uint32_t i = 0; i < v->count; i++) {
        tx_buffer_append(out, i ? "," : "");
        print(out, p, p->item[v->from + i], depth + 1);
    }
}

static void print(tx_buffer *out, const tx_pickle *p, uint32_t value, int depth)
{
    static const char *const open[] = {
        [TX_PICKLE_TUPLE] = "(", [TX_PICKLE_LIST] = "[", [TX_PICKLE_SET] = "<", [TX_PICKLE_DICT] = "{"};
    static const char *const close[] = {
        [TX_PICKLE_TUPLE] = ")", [TX_PICKLE_LIST] = "]", [TX_PICKLE_SET] = ">", [TX_PICKLE_DICT] = "}"};
    const tx_pickle_value *v = &p->value[value];
    if (depth > 4) {
        tx_buffer_append(out, "..");
        return;
    }
    switch (v->kind) {
    case TX_PICKLE_NONE:
        tx_buffer_append(out, "None");
        break;
    case TX_PICKLE_FALSE:
    case TX_PICKLE_TRUE:
        tx_buffer_append(out, v->kind == TX_PICKLE_TRUE ? "True" : "False");
        break;
    case TX_PICKLE_INTEGER:
        tx_buffer_add(out, "%lld", (long long)v->u.integer);
        break;
    case TX_PICKLE_REAL:
        tx_buffer_add(out, "%g", v->u.real);
        break;
    case TX_PICKLE_LARGE:
        tx_buffer_add(out, "large:%zu", v->u.text.length);
        break;
    case TX_PICKLE_TEXT:
    case TX_PICKLE_BYTES:
        tx_buffer_add(out, "%s'%s'", v->kind == TX_PICKLE_BYTES ? "b" : "", tx_pickle_text(p, value));
        break;
    case TX_PICKLE_GLOBAL:
        tx_buffer_add(out, "@%s", tx_pickle_text(p, value));
        break;
    case TX_PICKLE_PERSISTENT:
        tx_buffer_append(out, "&");
        print(out, p, v->args, depth + 1);
        break;
    case TX_PICKLE_OBJECT:
        tx_buffer_add(out, "%s%s", v->called ? "call " : "", tx_pickle_name(p, value));
        print(out, p, v->args, depth + 1);
        if (v->count) {
            tx_buffer_append(out, v->listed ? "[" : "{");
            print_items(out, p, value, depth);
            tx_buffer_append(out, v->listed ? "]" : "}");
        }
        if (v->state) {
            tx_buffer_append(out, "/");
            print(out, p, v->state, depth + 1);
        }
        break;
    default:
        tx_buffer_append(out, open[v->kind]);
        print_items(out, p, value, depth);
        tx_buffer_append(out, close[v->kind]);
    }
}

#define BYTES(text) text, sizeof text - 1

static const struct {
    const char *pickle;
    size_t size;
    const char *is;
} sound[] = {
    {BYTES("(d."), "{}"},
    {BYTES("(l."), "[]"},
    {BYTES("N."), "None"},
    {BYTES("\x80\2\x88."), "True"},
    {BYTES("I00\n."), "False"},
    {BYTES("I-12\n."), "-12"},
    {BYTES("L12345678901234567890L\n."), "large:20"},
    {BYTES("L7L\n."), "7"},
    {BYTES("J\xfe\xff\xff\xff."), "-2"},
    {BYTES("J\0\0\0\x7f."), "2130706432"},
    {BYTES("M\1\2."), "513"},
    {BYTES("K\xff."), "255"},
    {BYTES("\x8a\0."), "0"},
    {BYTES("\x8a\1\xff."), "-1"},
    {BYTES("\x8a\2\xff\x7f."), "32767"},
    {BYTES("\x8a\x08\0\0\0\0\0\0\0\x80."), "-9223372036854775808"},
    {BYTES("\x8a\x09\0\0\0\0\0\0\0\x80\0."), "large:9"},
    {BYTES("\x8b\2\0\0\0\1\1."), "257"},
    {BYTES("F-1.5\n."), "-1.5"},
    {BYTES("Fnan\n."), "'nan'"},
    {BYTES("G\xbf\xf8\0\0\0\0\0\0."), "-1.5"},
    {BYTES("S'a\\x41\\n\\\\\"'\n."), "'aA\n\\\"'"},
    {BYTES("S\"'\"\n."), "'''"},
    {BYTES("Va\\u20ac\\U0001F600\xe9\n."), "'a\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9'"},
    {BYTES("U\2ab."), "'ab'"},
    {BYTES("T\2\0\0\0ab."), "'ab'"},
    {BYTES("X\0\0\0\0."), "''"},
    {BYTES("\x8c\1x."), "'x'"},
    {BYTES("\x8d\1\0\0\0\0\0\0\0x."), "'x'"},
    {BYTES("C\1x."), "b'x'"},
    {BYTES("B\1\0\0\0x."), "b'x'"},
    {BYTES("\x8e\1\0\0\0\0\0\0\0x."), "b'x'"},
    {BYTES("\x80\5\x95\5\0\0\0\0\0\0\0\x96\1\0\0\0\0\0\0\0x."), "b'x'"},
    {BYTES(")."), "()"},
    {BYTES("(K\1K\2K\3t."), "(1,2,3)"},
    {BYTES("K\1\x85."), "(1)"},
    {BYTES("K\1K\2K\3\x87."), "(1,2,3)"},
    {BYTES("K\1K\2\x86."), "(1,2)"},
    {BYTES("(K\1(K\2K\3tl."), "[1,(2,3)]"},
    {BYTES("]K\1aK\2a(K\3K\4e."), "[1,2,3,4]"},
    {BYTES("(U\1aK\1d."), "{'a',1}"},
    {BYTES("}U\1aK\1s(U\1bK\2U\1cK\3u."), "{'a',1,'b',2,'c',3}"},
    {BYTES("\x8f(K\1K\2\x90."), "<1,2>"},
    {BYTES("(K\1\x91."), "<1>"},
    {BYTES("K\1q\7"
           "0K\2h\7\x86."),
     "(2,1)"},
    {BYTES("K\1p0\n0g0\n."), "1"},
    {BYTES("K\1r\1\0\0\0j\1\0\0\0\x86."), "(1,1)"},
    {BYTES("\x80\4K\5\x94h\0\x86."), "(5,5)"},
    {BYTES("K\1(K\2K\3"
           "1."),
     "1"},
    {BYTES("K\1K\2"
           "0."),
     "1"},
    {BYTES("K\1(0."), "1"},
    {BYTES("K\1"
           "2\x86."),
     "(1,1)"},
    {BYTES("cos\nsystem\n."), "@os.system"},
    {BYTES("\x8c\2os\x8c\6system\x93."), "@os.system"},
    {BYTES("cplain\nf\n(K\1tR."), "call plain.f(1)"},
    {BYTES("cplain\nd\n)R(U\1aK\1uU\1bK\2s}b."), "call plain.d(){'a',1,'b',2}/{}"},
    {BYTES("cany\nC\n)\x81}U\1xK\1sb."), "any.C()/{'x',1}"},
    {BYTES("cany\nC\n)}\x92K\1a."), "any.C()[1]"},
    {BYTES("(K\1iplain\nf\n."), "call plain.f(1)"},
    {BYTES("(cplain\nf\nK\1o."), "call plain.f(1)"},
    {BYTES("U\7storageK\1\x86Q."), "&('storage',1)"},
    {BYTES("Pname\n."), "&'name'"},
    {BYTES("U\6modulecany\nC\nNN(tU\1xt\x81."), NULL},
    {BYTES("(U\6modulecany\nC\nNNtQ)\x81."), "any.C()"},
    {BYTES("]q\0h\0a."), "[[[[[..]]]]]"},
    {BYTES("}(U\1aK\1"), NULL},
};

static void values(void)
{
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++) {
        tx_pickle p;
        tx_buffer text = {0};
        tx_status status = parse(&p, sound[i].pickle, sound[i].size);
        if (!sound[i].is) {
            CHECK(status == TX_ERR_FORMAT, "case %zu is taken", i);
        } else if (status) {
            CHECK(0, "case %zu: %s", i, tx_error_message());
        } else {
            print(&text, &p, p.root, 0);
            CHECK(strcmp(text.data, sound[i].is) == 0, "case %zu: %s, not %s", i, text.data, sound[i].is);
            CHECK(p.end == sound[i].size, "case %zu ends at %d", i, (int)p.end);
        }
        if (status == TX_OK)
            tx_pickle_free(&p);
        tx_buffer_free(&text);
        /* Cut anywhere it is none. */
        for (size_t n = 0; n < sound[i].size; n++) {
            status = parse(&p, sound[i].pickle, n);
            CHECK(status == TX_ERR_FORMAT && strncmp(tx_error_message(), "f.pth: data.pkl", 15) == 0,
                  "case %zu, %zu bytes of it: %s", i, n, tx_error_message());
            if (status == TX_OK)
                tx_pickle_free(&p);
        }
    }
}

static const struct {
    const char *pickle;
    size_t size;
    const char *message;
} bad[] = {
    {BYTES("cos\nsystem\n(S'touch x'\ntR."), "byte 24: a pickle that calls os.system"},
    {BYTES("cposix\nsystem\n(S'touch x'\ntR."), "a pickle that calls posix.system (os.system)"},
    {BYTES("cnt\nsystem\n)R."), "a pickle that calls nt.system (os.system)"},
    {BYTES("\x8c\x0a"
           "subprocess\x8c\5Popen\x93)R."),
     "a pickle that calls subprocess.Popen"},
    {BYTES("(S'x'\nios\nsystem\n."), "a pickle that calls os.system"},
    {BYTES("(cos\nsystem\nS'x'\no."), "a pickle that calls os.system"},
    {BYTES("]cos\nsystem\n)R0."), "a pickle that calls os.system"},
    {BYTES("cplain\nf\n)R)R."), "calls what is no global"},
    {BYTES("K\1)R."), "calls what is no global"},
    {BYTES("K\1)\x81."), "makes an object of what is no class"},
    {BYTES("cplain\nf\nK\1R."), "arguments that are no tuple"},
    {BYTES("."), "takes more from the stack"},
    {BYTES("K\1K\2."), "leaves values on the stack"},
    {BYTES("(K\1."), "leaves values on the stack"},
    {BYTES("K\1(\x85."), "takes more from the stack"},
    {BYTES("t."), "has no mark"},
    {BYTES("K\1K\2(a."), "adds to what is not there"},
    {BYTES("K\1a."), "adds to what is not there"},
    {BYTES("K\1K\2a."), "adds an item to what is no list"},
    {BYTES("]K\1K\2s."), "adds an item to what is no dict"},
    {BYTES("](K\1K\2u."), "adds an item to what is no dict"},
    {BYTES(")K\1a."), "adds an item to what is no list"},
    {BYTES("}(K\1u."), "a key without a value"},
    {BYTES("(K\1d."), "a key without a value"},
    {BYTES("cany\nC\n)\x81K\1aK\1K\2s."), "adds an item to what is no dict"},
    {BYTES("]}b."), "gives a state to what is no object"},
    {BYTES("h\0."), "asks the memo for what is not there"},
    {BYTES("K\1q\3h\2."), "asks the memo for what is not there"},
    {BYTES("q\0."), "remembers what is not there"},
    {BYTES("K\1r\xff\xff\xff\xff."), "a number in the memo that is too large"},
    {BYTES("K\1r\xa0\x86\1\0."), "a number in the memo that is too large"},
    {BYTES("K\1p-1\n."), "no number, where one of the memo"},
    {BYTES("2."), "doubles what is not there"},
    {BYTES("\x80\6N."), "a protocol above 5"},
    {BYTES("\x95\xff\0\0\0\0\0\0\0N."), "a frame that goes beyond the end"},
    {BYTES("X\xff\xff\xff\xffN."), "a text of 4294967295 bytes, where 2 are left"},
    {BYTES("\x8e\xff\xff\xff\xff\xff\xff\xff\xff."), "a text of 18446744073709551615 bytes"},
    {BYTES("\x8b\xff\xff\xff\xff."), "a text of 4294967295 bytes"},
    {BYTES("I1x\n."), "no number, where one should be"},
    {BYTES("Fx\n."), "no number, where one should be"},
    {BYTES("S'a\n."), "a string without its quotation marks"},
    {BYTES("S'\n."), "a string without its quotation marks"},
    {BYTES("S'\\q'\n."), "an escape in a string that is none"},
    {BYTES("S'a\\'\n."), "an escape in a string that is none"},
    {BYTES("V\\uzzzz\n."), "an escape in a string that is none"},
    {BYTES("V\\U00110000\n."), "an escape in a string that is none"},
    {BYTES("V\\u20\n."), "an escape in a string that is none"},
    {BYTES("Sa\0b\n."), "a line with a zero in it"},
    {BYTES("c\nx\n."), "a global without a name"},
    {BYTES("K\1K\2\x93."), "a global without a name"},
    {BYTES("\x82\1."), "operation 82, which no weights file needs"},
    {BYTES("\x97."), "operation 97"},
    {BYTES("\0."), "operation 00"},
    {BYTES("(o."), "an object without a class"},
};

static void refused(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tx_pickle p;
        tx_status status = parse(&p, bad[i].pickle, bad[i].size);
        CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), bad[i].message), "case %zu: %s, expected %s", i,
              status ? tx_error_message() : "taken", bad[i].message);
        if (status == TX_OK)
            tx_pickle_free(&p);
    }
}

/* Memory and time in proportion to the bytes: a million of the same. */
static void many(void)
{
    enum { N = 1 << 20 };
    static const struct {
        const char *first, *each, *last, *error;
    } cases[] = {
        {"", "(", "", "cut off"},  {")", "\x85", ".", NULL},
        {"]", "2", "", "cut off"}, {"]q", "]]aah", "", "adds to what"},
        {"N", "0N", ".", NULL},    {"]", "]a", ".", NULL},
        {"N", "\x94", ".", NULL},
    };
    unsigned char *bytes = tx_alloc(6 * (size_t)N, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].first), each = strlen(cases[i].each);
        memcpy(bytes, cases[i].first, n);
        for (int k = 0; k < N; k++, n += each)
            memcpy(bytes + n, cases[i].each, each);
        memcpy(bytes + n, cases[i].last, strlen(cases[i].last));
        n += strlen(cases[i].last);
        tx_pickle p;
        tx_status status = parse(&p, bytes, n);
        CHECK(cases[i].error ? status && strstr(tx_error_message(), cases[i].error) : status == TX_OK, "case %zu: %s",
              i, status ? tx_error_message() : "taken");
        if (status == TX_OK)
            tx_pickle_free(&p);
    }
    tx_free(bytes);
    size_t n = (size_t)5 << 20;
    bytes = tx_alloc(2 * n, 1);
    for (size_t k = 0; k < n; k++)
        bytes[2 * k] = 'K';
    tx_pickle p;
    CHECK(parse(&p, bytes, 2 * n) == TX_ERR_FORMAT && strstr(tx_error_message(), "more than 2^22 values"), "%s",
          tx_error_message());
    tx_free(bytes);
}

/* From a file, through a window: texts longer than that, and such as lie over its end. */
static void from_file(void)
{
    static const size_t lengths[] = {0, 1, 65530, 65536, 65537, 200000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t n = lengths[i], at = 3;
        unsigned char *bytes = tx_alloc(n + 20, 1);
        memcpy(bytes, "..]", 3);
        bytes[at++] = 'X';
        for (int b = 0; b < 4; b++)
            bytes[at++] = (unsigned char)(n >> (8 * b));
        for (size_t k = 0; k < n; k++)
            bytes[at++] = (unsigned char)('a' + k % 23);
        memcpy(bytes + at, "aK\1a.KKK", 8);
        temp_write(temp_path("p"), bytes, at + 8);
        tx_reader reader;
        tx_pickle p;
        CHECK(tx_reader_open(&reader, temp_path("p"), "a pickle") == TX_OK, "%s", tx_error_message());
        tx_status status = tx_pickle_read(&p, &(tx_pickle_source){&reader, "it", NULL, 2, reader.size, callable});
        CHECK(status == TX_OK, "%s", tx_error_message());
        if (status == TX_OK) {
            const tx_pickle_value *list = &p.value[p.root], *text = &p.value[p.item[list->from]];
            CHECK(list->count == 2 && text->u.text.length == n && p.end == at + 5 &&
                      memcmp(tx_pickle_text(&p, p.item[list->from]), bytes + 8, n) == 0,
                  "a text of %zu", n);
            tx_pickle_free(&p);
        }
        status = tx_pickle_read(&p, &(tx_pickle_source){&reader, "it", NULL, reader.size, reader.size, callable});
        CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), "cut off"), "%s", tx_error_message());
        tx_reader_close(&reader);
        tx_free(bytes);
    }
}

int main(void)
{
    if (!temp_begin())
        return 1;
    long live = tx_alloc_live();
    values();
    refused();
    many();
    from_file();
    CHECK(tx_alloc_live() == live, "%ld blocks are lost", tx_alloc_live() - live);
    temp_end();
    return test_done("io_pickle");
}
