/* core_sha256.c - the digest against the examples of FIPS 180-4, against itself fed in odd pieces, and at every
 * length around the padding's edges. */
#include "../core/core.h"
#include "test.h"

#include <string.h>

static const char *digest(const void *data, size_t bytes, size_t piece)
{
    static char hex[65];
    tx_sha256 s;
    tx_sha256_begin(&s);
    const char *p = data;
    for (size_t at = 0; at < bytes; at += piece)
        tx_sha256_add(&s, p + at, bytes - at < piece ? bytes - at : piece);
    tx_sha256_end(&s, hex);
    return hex;
}

/* The secure hash standard's examples (csrc.nist.gov, SHA256.pdf and the additional vectors). */
static void check_vectors(void)
{
    static const struct {
        const char *text, *hex;
    } vector[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
         "nopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
        const char *hex = digest(vector[i].text, strlen(vector[i].text), 64);
        CHECK(strcmp(hex, vector[i].hex) == 0, "digest of \"%s\" is %s", vector[i].text, hex);
    }
}

static void check_million(void)
{
    static char a[1000000];
    memset(a, 'a', sizeof a);
    static const size_t piece[] = {1, 3, 63, 64, 65, 127, 1000, 4099, sizeof a};
    for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
        const char *hex = digest(a, sizeof a, piece[i]);
        CHECK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0,
              "digest of a million a in pieces of %zu is %s", piece[i], hex);
    }
}

/* Digests of 0..259 bytes, hashed together: every length modulo 64, four times. The expected digest was made with
 * Python's hashlib. */
static void check_lengths(void)
{
    unsigned char bytes[260];
    for (int i = 0; i < 260; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
    char all[65];
    tx_sha256 s;
    tx_sha256_begin(&s);
    for (size_t n = 0; n < 260; n++) {
        char whole[65];
        memcpy(whole, digest(bytes, n, 260), 65);
        tx_sha256_add(&s, whole, 64);
        for (size_t piece = 1; piece < 70; piece += 13)
            CHECK(strcmp(digest(bytes, n, piece), whole) == 0, "%zu bytes in pieces of %zu", n, piece);
    }
    tx_sha256_end(&s, all);
    CHECK(strcmp(all, "f7032292c25ebc394e3856b79ed40dbbeb8b8db34d181c653565bab11ca5a3f0") == 0,
          "digest of digests is %s", all);
}

int main(void)
{
    check_vectors();
    check_million();
    check_lengths();
    return test_done("core_sha256");
}
