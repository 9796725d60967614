/* io_safetensors.c - what is written comes back; every type; headers that lie; files cut at every byte and with
 * random bytes. */
#define _DEFAULT_SOURCE
#include "test.h"
#include "io_temp.h"

#include <signal.h>
#include <sys/resource.h>

/* A file of this header and so many zero bytes of data. */
static const char *make(const char *header, size_t data)
{
    static unsigned char bytes[20000];
    const char *path = temp_path("t.safetensors");
    size_t n = strlen(header);
    memset(bytes, 0, sizeof bytes);
    for (int b = 0; b < 8; b++)
        bytes[b] = (unsigned char)((uint64_t)n >> (8 * b));
    memcpy(bytes + 8, header, n);
    temp_write(path, bytes, 8 + n + data);
    return path;
}

static void refused(const char *header, size_t data, const char *message)
{
    tx_safetensors *f = tx_safetensors_open(make(header, data));
    CHECK(!f && strstr(tx_error_message(), message), "%s: '%s', expected '%s'", header, f ? "" : tx_error_message(),
          message);
    tx_safetensors_close(f);
}

static void accepted(const char *header, size_t data, size_t tensors)
{
    tx_safetensors *f = tx_safetensors_open(make(header, data));
    CHECK(f && tx_safetensors_count(f) == tensors, "%s: %s", header, tx_error_message());
    tx_safetensors_close(f);
}

#define T(name, type, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

static void headers(void)
{
    accepted("{}", 0, 0);
    accepted("{}      ", 0, 0);
    accepted("{" T("a", "F32", "[2,3]", 0, 24) "}", 24, 1);
    accepted("{" T("b", "F32", "[]", 8, 12) "," T("a", "I64", "[1]", 0, 8) "}", 12, 2);
    accepted("{\"a\":{\"data_offsets\":[0,2],\"shape\":[2],\"dtype\":\"U8\"}}", 2, 1);
    accepted("{" T("a", "F32", "[0,5]", 0, 0) "," T("b", "U8", "[1]", 0, 1) "," T("c", "F32", "[3,0]", 1, 1) "}", 1, 3);
    accepted("{\"__metadata__\":{\"x\":\"y\",\"z\":\"\"}," T("a", "U8", "[1]", 0, 1) "}", 1, 1);
    accepted("{\"__metadata__\":{}}", 0, 0);
    refused("", 0, "expected {");
    refused(" {}", 0, "expected {");
    refused("[]", 0, "expected {");
    refused("{}x", 0, "something behind the end");
    refused("{}", 1, "1 bytes of data, but the tensors have 0");
    refused("{" T("a", "F32", "[2]", 0, 8) "}", 9, "9 bytes of data");
    refused("{" T("a", "F32", "[2]", 0, 8) "}", 7, "bytes 0 to 8 of data that has 7");
    refused("{" T("a", "F32", "[2]", 0, 4) "}", 8, "4 bytes, but its shape and type need 8");
    refused("{" T("a", "F32", "[2]", 8, 0) "}", 8, "bytes 8 to 0");
    refused("{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[4]", 2, 6) "}", 6, "'b': shares bytes");
    refused("{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[4]", 0, 4) "}", 4, "shares bytes");
    refused("{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[4]", 5, 9) "}", 9, "'b': bytes before it belong to none");
    refused("{" T("a", "U8", "[4]", 1, 5) "}", 5, "bytes before it");
    refused("{" T("a", "U8", "[1]", 0, 1) "," T("a", "U8", "[1]", 1, 2) "}", 2, "'a': is there twice");
    refused("{" T("a", "U8", "[1]", 0, 1) "," T("\\u0061", "U8", "[1]", 1, 2) "}", 2, "'a': is there twice");
    refused("{" T("a", "F32", "[4611686018427387904,4]", 0, 0) "}", 0, "does not fit");
    refused("{" T("a", "F32", "[4611686018427387904]", 0, 0) "}", 0, "does not fit");
    refused("{" T("a", "U8", "[99999999999999999999]", 0, 0) "}", 0, "expected a size");
    refused("{" T("a", "U8", "[-1]", 0, 0) "}", 0, "expected a size");
    refused("{" T("a", "U8", "[-0]", 0, 0) "}", 0, "expected a size");
    refused("{" T("a", "U8", "[1.0]", 0, 1) "}", 1, "expected a size");
    refused("{" T("a", "U8", "[1e0]", 0, 1) "}", 1, "expected a size");
    refused("{" T("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) "}", 1, "more than 8 dimensions");
    refused("{" T("a", "F4", "[1]", 0, 1) "}", 1, "unknown type 'F4'");
    refused("{" T("a", "f32", "[1]", 0, 4) "}", 4, "unknown type 'f32'");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "is missing");
    refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "a key that is there twice");
    refused("{\"a\":{\"dtype\":\"U8\",\"order\":\"F\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "a key other than");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "expected the end of [from, to]");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "expected a size");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "expected a shape");
    refused("{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "expected the name of a type");
    refused("{\"a\":[]}", 0, "expected a tensor's description");
    refused("{\"__metadata__\":{\"x\":1}}", 0, "expected a string as metadata");
    refused("{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", 0, "a key of the metadata is there twice");
    refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is there twice");
    refused("{\"a\x01\":1}", 0, "header: JSON, byte 3: a control character");
}

static void lengths(void)
{
    static const unsigned char huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '{', '}'};
    static const unsigned char beyond[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    temp_write(temp_path("l"), huge, sizeof huge);
    CHECK(!tx_safetensors_open(temp_path("l")) && strstr(tx_error_message(), "a header of 9223372036854775807 bytes"),
          "%s", tx_error_message());
    temp_write(temp_path("l"), beyond, sizeof beyond);
    CHECK(!tx_safetensors_open(temp_path("l")) && strstr(tx_error_message(), "a header of 3 bytes in a file of 10"),
          "%s", tx_error_message());
    temp_write(temp_path("l"), beyond, 5);
    CHECK(!tx_safetensors_open(temp_path("l")) && strstr(tx_error_message(), "cut off at byte 5"), "%s",
          tx_error_message());
    temp_write(temp_path("l"), "PK\3\4aaaaaaa", 11);
    CHECK(!tx_safetensors_open(temp_path("l")) && strstr(tx_error_message(), "ZIP"), "%s", tx_error_message());
    temp_write(temp_path("l"),
               "\x80\x02\x8a\x0al\xfc\x9c"
               "F\xf9",
               9);
    CHECK(!tx_safetensors_open(temp_path("l")) && strstr(tx_error_message(), "PyTorch"), "%s", tx_error_message());
    CHECK(!tx_safetensors_open(temp_path("none")) && !tx_safetensors_open(temp_folder) &&
              !tx_safetensors_open("/dev/zero"),
          "no regular files");
}

static tx_status fill_count(void *context, size_t tensor, void *out)
{
    int64_t *to = out;
    to[0] = *(int *)context;
    to[1] = (int64_t)tensor;
    return *(int *)context < 0 ? tx_fail(TX_ERR_MACHINE, "no numbers") : TX_OK;
}

static const float floats[] = {1, -2.5f, 3e-40f, 1e38f, -0.0f, 7};
static const unsigned char bytes[] = {0, 255, 7};
static const int64_t integers[] = {INT64_MIN, -1, INT64_MAX};

/* A file with one of each, the narrow tensors in front. */
static tx_status write_some(const char *path, int made)
{
    tx_safetensors_writer *w = tx_safetensors_create(path);
    size_t two[] = {2}, three[] = {3}, matrix[] = {2, 3}, none[] = {0, 4};
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put(w, "bytes", TX_U8, 1, three, bytes);
    tx_safetensors_put(w, "a \"name\"\n\xc3\xa9", TX_F32, 2, matrix, floats);
    tx_safetensors_put_meta(w, "zeta", "1");
    tx_safetensors_put_meta(w, "alpha", "line\nwith \"quotes\" \\ and \xe2\x82\xac");
    tx_safetensors_put(w, "integers", TX_I64, 1, three, integers);
    tx_safetensors_put(w, "scalar", TX_F32, 0, NULL, floats + 1);
    tx_safetensors_put(w, "empty", TX_F64, 2, none, NULL);
    tx_safetensors_put_later(w, "made", TX_I64, 1, two, fill_count, &made);
    return tx_safetensors_finish(w);
}

/* The same with a seal. */
static tx_status write_sealed(const char *path, char seal[65])
{
    static float large[600000];
    for (size_t i = 0; i < 600000; i++)
        large[i] = (float)i;
    int made = 3;
    size_t many[] = {600000}, three[] = {3}, two[] = {2}, none[] = {0};
    tx_safetensors_writer *w = tx_safetensors_create(path);
    if (!w)
        return TX_ERR_MEMORY;
    tx_safetensors_put_meta(w, "note", "\"seal\":\"0");
    tx_safetensors_put_seal(w, seal);
    tx_safetensors_put_meta(w, "more", "text");
    tx_safetensors_put(w, "bytes", TX_U8, 1, three, bytes);
    tx_safetensors_put(w, "large", TX_F32, 1, many, large);
    tx_safetensors_put(w, "empty", TX_F32, 1, none, NULL);
    tx_safetensors_put_later(w, "made", TX_I64, 1, two, fill_count, &made);
    return tx_safetensors_finish(w);
}

/* The seal by its definition. */
static void own_seal(const unsigned char *file, size_t size, const char *seal, char hex[65])
{
    size_t header = 8,
           blocks[][2] = {{0, 16}, {16, 1 << 20}, {16 + (1 << 20), 1 << 20}, {16 + (2 << 20), 302848}, {0, 3}};
    for (int i = 0; i < 8; i++)
        header += (size_t)file[i] << 8 * i;
    blocks[4][0] = size - header - 3;
    unsigned char *head = malloc(header);
    memcpy(head, file, header);
    for (size_t i = 0; i + 64 <= header; i++)
        if (memcmp(head + i, seal, 64) == 0)
            memset(head + i, '0', 64);
    tx_sha256 sha, block;
    tx_sha256_begin(&sha);
    tx_sha256_add(&sha, head, header);
    for (int i = 0; i < 5; i++) {
        tx_sha256_begin(&block);
        tx_sha256_add(&block, file + header + blocks[i][0], blocks[i][1]);
        tx_sha256_end(&block, hex);
        tx_sha256_add(&sha, hex, 64);
    }
    tx_sha256_end(&sha, hex);
    free(head);
}

static tx_status check_file(const char *path)
{
    tx_safetensors *f = tx_safetensors_open(path);
    tx_status status = f ? tx_safetensors_check(f) : tx_error_status();
    tx_safetensors_close(f);
    return status;
}

static void sealed(void)
{
    const char *path = temp_path("sealed");
    char seal[65], hex[65];
    unsigned char *file;
    size_t size;
    CHECK(write_sealed(path, seal) == TX_OK && check_file(path) == TX_OK, "%s", tx_error_message());
    CHECK(tx_file_read(path, 1 << 24, &file, &size) == TX_OK, "%s", tx_error_message());
    own_seal(file, size, seal, hex);
    CHECK(strcmp(hex, seal) == 0, "the seal is %s, by its definition %s", seal, hex);
    /* One bit anywhere: in the length, the header and its padding, each tensor, at blocks' edges. */
    static const size_t places[] = {0, 8, 30, 60, 100, 200, 300, 500, 2000, 1 << 20, 2 << 20};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        file[places[i]] ^= 1;
        temp_write(path, (const char *)file, size);
        CHECK(check_file(path) == TX_ERR_FORMAT, "byte %zu changed: %d", places[i], check_file(path));
        file[places[i]] ^= 1;
    }
    for (size_t i = size - 20; i < size; i++) {
        file[i] ^= 128;
        temp_write(path, (const char *)file, size);
        CHECK(check_file(path) == TX_ERR_FORMAT, "byte %zu of %zu changed", i, size);
        file[i] ^= 128;
    }
    temp_write(path, (const char *)file, size);
    CHECK(check_file(path) == TX_OK, "as it was: %s", tx_error_message());
    tx_free(file);
    CHECK(write_some(path, 1) == TX_OK && check_file(path) == TX_ERR_FORMAT && strstr(tx_error_message(), "no seal"),
          "without a seal: %s", tx_error_message());
}

static void round_trip(void)
{
    const char *path = temp_path("r.safetensors");
    CHECK(write_some(path, 42) == TX_OK, "%s", tx_error_message());
    tx_safetensors *f = tx_safetensors_open(path);
    CHECK(f && tx_safetensors_count(f) == 6, "%s", tx_error_message());
    static const char *const order[] = {"bytes", "a \"name\"\n\xc3\xa9", "integers", "scalar", "empty", "made"};
    for (size_t i = 0; i < 6; i++) {
        const tx_stored *t = tx_safetensors_at(f, i);
        CHECK(strcmp(t->name, order[i]) == 0 && tx_safetensors_find(f, order[i]) == t, "tensor %zu is %s", i, t->name);
        CHECK(t->from % tx_dtype_bytes(t->dtype) == 0, "%s is not aligned", t->name);
    }
    float got[6] = {0};
    int64_t whole[3] = {0};
    unsigned char raw[3];
    const tx_stored *t = tx_safetensors_find(f, order[1]);
    CHECK(t->dims == 2 && t->shape[0] == 2 && t->shape[1] == 3 && t->count == 6 && t->dtype == TX_F32, "its shape");
    CHECK(tx_safetensors_floats(f, t, got) == TX_OK && memcmp(got, floats, sizeof got) == 0, "floats bit for bit");
    CHECK(tx_safetensors_integers(f, t, whole) == TX_ERR_FORMAT &&
              strstr(tx_error_message(), "type F32, expected integers"),
          "%s", tx_error_message());
    CHECK(tx_safetensors_integers(f, tx_safetensors_find(f, "integers"), whole) == TX_OK &&
              memcmp(whole, integers, 24) == 0,
          "integers");
    CHECK(tx_safetensors_raw(f, tx_safetensors_find(f, "bytes"), raw) == TX_OK && memcmp(raw, bytes, 3) == 0, "bytes");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "bytes"), got) == TX_ERR_FORMAT, "bytes are no floats");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "scalar"), got) == TX_OK && got[0] == -2.5f &&
              got[1] == floats[1],
          "scalar");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "empty"), NULL) == TX_OK, "nothing to read");
    CHECK(tx_safetensors_integers(f, tx_safetensors_find(f, "made"), whole) == TX_OK && whole[0] == 42 && whole[1] == 5,
          "made");
    size_t metas;
    tx_safetensors_metas(f, &metas);
    CHECK(metas == 2 && strcmp(tx_safetensors_meta(f, "alpha"), "line\nwith \"quotes\" \\ and \xe2\x82\xac") == 0,
          "metadata");
    CHECK(!tx_safetensors_meta(f, "beta") && !tx_safetensors_find(f, "nothing") && !tx_safetensors_find(f, ""),
          "absent");
    tx_safetensors_close(f);
    unsigned char *first, *second;
    size_t n, m;
    tx_file_read(path, 1 << 20, &first, &n);
    CHECK(first[0] % 8 == 0 && first[8] == '{' && memcmp(first + 9, "\"__metadata__\":{\"zeta\"", 22) == 0,
          "the header's form");
    write_some(temp_path("again"), 42);
    tx_file_read(temp_path("again"), 1 << 20, &second, &m);
    CHECK(n == m && memcmp(first, second, n) == 0, "the same bytes again");
    tx_free(first);
    tx_free(second);
}

static void types(void)
{
    /* little-endian bit patterns and the values they stand for */
    static const unsigned char half[] = {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x03,
                                         0x00, 0x04, 0xff, 0x7b, 0x00, 0x7c, 0x00, 0x80};
    static const float half_value[] = {1, -2, 0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, 65504, 1.0f / 0.0f, -0.0f};
    static const unsigned char brain[] = {0x80, 0x3f, 0x49, 0x40, 0x01, 0x00, 0x80, 0xff};
    static const float brain_value[] = {1, 3.140625f, 0x1p-133f, -1.0f / 0.0f};
    static const double doubles[] = {1.0 + 0x1p-24, 1.0 + 0x1p-24 + 0x1p-50, 1e300, 1e-300, 0x1.8p-149};
    static const float single[] = {1, 1 + 0x1p-23f, 1.0f / 0.0f, 0, 0x1p-148f};
    static const signed char small[] = {-128, 127, -1};
    static const uint64_t large[] = {1, (uint64_t)1 << 63};
    static const uint16_t words[] = {65535, 1, 0x8000};
    size_t eight[] = {8}, four[] = {4}, five[] = {5}, three[] = {3}, two[] = {2};
    uint16_t native[12];
    for (int i = 0; i < 8; i++)
        native[i] = (uint16_t)(half[2 * i] | half[2 * i + 1] << 8);
    for (int i = 0; i < 4; i++)
        native[8 + i] = (uint16_t)(brain[2 * i] | brain[2 * i + 1] << 8);
    tx_safetensors_writer *w = tx_safetensors_create(temp_path("types"));
    tx_safetensors_put(w, "half", TX_F16, 1, eight, native);
    tx_safetensors_put(w, "brain", TX_BF16, 1, four, native + 8);
    tx_safetensors_put(w, "double", TX_F64, 1, five, doubles);
    tx_safetensors_put(w, "small", TX_I8, 1, three, small);
    tx_safetensors_put(w, "large", TX_U64, 1, two, large);
    tx_safetensors_put(w, "words", TX_U16, 1, three, words);
    tx_safetensors_put(w, "signed", TX_I16, 1, three, words);
    tx_safetensors_put(w, "eight", TX_F8_E4M3, 1, three, small);
    CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
    tx_safetensors *f = tx_safetensors_open(temp_path("types"));
    float v[8];
    int64_t n[3];
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "half"), v) == TX_OK && memcmp(v, half_value, 32) == 0,
          "F16");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "brain"), v) == TX_OK && memcmp(v, brain_value, 16) == 0,
          "BF16");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "double"), v) == TX_OK && memcmp(v, single, 20) == 0,
          "F64 rounded once");
    CHECK(!tx_safetensors_integers(f, tx_safetensors_find(f, "small"), n) && n[0] == -128 && n[1] == 127 && n[2] == -1,
          "I8");
    CHECK(!tx_safetensors_integers(f, tx_safetensors_find(f, "words"), n) && n[0] == 65535 && n[2] == 32768, "U16");
    CHECK(!tx_safetensors_integers(f, tx_safetensors_find(f, "signed"), n) && n[0] == -1 && n[2] == -32768, "I16");
    CHECK(tx_safetensors_integers(f, tx_safetensors_find(f, "large"), n) == TX_ERR_FORMAT, "2^63 does not fit");
    CHECK(tx_safetensors_floats(f, tx_safetensors_find(f, "eight"), v) == TX_ERR_FORMAT,
          "eight bits are not converted");
    tx_safetensors_close(f);
}

static void writer_errors(void)
{
    const char *path = temp_path("old");
    size_t one[] = {1}, absurd[] = {SIZE_MAX, 2};
    temp_text(path, "old");
    CHECK(write_some(path, -1) == TX_ERR_MACHINE && strcmp(tx_error_message(), "no numbers") == 0, "%s",
          tx_error_message());
    tx_safetensors_writer *w = tx_safetensors_create(path);
    tx_safetensors_put(w, "a", TX_F32, 1, one, floats);
    tx_safetensors_put(w, "a", TX_F32, 1, one, floats);
    CHECK(tx_safetensors_finish(w) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "two tensors named 'a'"), "%s",
          tx_error_message());
    w = tx_safetensors_create(path);
    CHECK(tx_safetensors_put(w, "a", TX_F32, 2, absurd, floats) == TX_ERR_ARGUMENT, "an absurd shape");
    CHECK(tx_safetensors_put(w, "b", TX_F32, 1, one, floats) == TX_ERR_ARGUMENT, "the error stays");
    CHECK(tx_safetensors_finish(w) == TX_ERR_ARGUMENT && strstr(tx_error_message(), "'a': an impossible size"), "%s",
          tx_error_message());
    w = tx_safetensors_create(path);
    tx_safetensors_put(w, "a", TX_F32, 1, one, floats);
    tx_safetensors_abandon(w);
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    tx_status status = write_some(path, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(status == TX_ERR_FILE && temp_holds(path, "old", 3), "a full disk: %s", tx_error_message());
    CHECK(tx_safetensors_finish(NULL) != TX_OK, "no writer");
    CHECK(temp_holds(path, "old", 3), "the old file stands");
}

/* Opens and reads everything; whatever the bytes are, there is an answer. */
static int read_through(const char *path)
{
    tx_safetensors *f = tx_safetensors_open(path);
    if (!f)
        return 0;
    for (size_t i = 0; i < tx_safetensors_count(f); i++) {
        const tx_stored *t = tx_safetensors_at(f, i);
        float *v = tx_alloc(t->count, sizeof *v);
        int64_t *n = tx_alloc(t->count, sizeof *n);
        tx_safetensors_floats(f, t, v);
        tx_safetensors_integers(f, t, n);
        tx_free(v);
        tx_free(n);
    }
    tx_safetensors_close(f);
    return 1;
}

/* Any byte, or one that means something to a header. */
static unsigned char random_byte(int any)
{
    static const unsigned char alphabet[] = "0123456789{}[],\":";
    return any ? (unsigned char)(temp_random() >> 20) : alphabet[temp_random() % (sizeof alphabet - 1)];
}

static void cut_and_random(void)
{
    unsigned char *whole, copy[2000];
    size_t n;
    const char *path = temp_path("cut");
    write_some(temp_path("whole"), 1);
    CHECK(tx_file_read(temp_path("whole"), sizeof copy, &whole, &n) == TX_OK, "%s", tx_error_message());
    for (size_t k = 0; k < n; k++) {
        temp_write(path, whole, k);
        CHECK(!read_through(path), "cut at %zu", k);
    }
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, whole, n);
        for (int k = 0; k <= i % 3; k++) {
            size_t at = temp_random() % (i % 4 ? n - 40 : 9);
            copy[at] = random_byte(i % 2);
        }
        temp_write(path, copy, n);
        read_through(path);
    }
    tx_free(whole);
}

static void no_memory(void)
{
    long before = tx_alloc_live();
    const char *path = temp_path("m");
    for (long n = 0; n < 1000; n++) {
        tx_alloc_fail_after(n);
        tx_status status = write_some(path, 1);
        tx_safetensors *f = status ? NULL : tx_safetensors_open(path);
        tx_alloc_fail_after(-1);
        int fine = f != NULL;
        CHECK(fine || strstr(tx_error_message(), "out of memory"), "%s", tx_error_message());
        tx_safetensors_close(f);
        CHECK(tx_alloc_live() == before, "allocation %ld refused: %ld not freed", n, tx_alloc_live() - before);
        if (fine) {
            CHECK(n > 20, "too few allocations to be true: %ld", n);
            return;
        }
    }
    CHECK(0, "never fine");
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_safetensors");
    headers();
    lengths();
    round_trip();
    types();
    writer_errors();
    sealed();
    cut_and_random();
    no_memory();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_safetensors");
}
