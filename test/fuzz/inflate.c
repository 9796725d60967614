/* inflate.c - bytes as a DEFLATE stream and as a zlib one, into exact memory. The first two bytes choose its size. */
#include "../../io/inflate.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_seed("stored", "\x10\0\1\3\0\374\377abc", 10);
    fuzz_seed("fixed", "\x10\0\x4b\x04\x02\0", 6);
    fuzz_seed("dynamic", "\0\1\x05\xc1\x81\0\0\0\0\0\x90\xd6\xff\x02\x02", 15);
    fuzz_seed("zlib", "\x10\0\x78\x9c\x4b\x4c\x4a\x06\0\x02\x4d\x01\x27", 13);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t room = (size_t)data[0] + 256 * (size_t)data[1];
    for (int zlib = 0; zlib < 2; zlib++) {
        tx_inflated how;
        unsigned char *out = malloc(room + 1);
        tx_status status = zlib ? tx_zlib_inflate(data + 2, size - 2, out, room, &how)
                                : tx_inflate(data + 2, size - 2, out, room, &how);
        if ((status == TX_OK) != (how.what == NULL) || how.made > room || how.used > size - 2 ||
            how.made > tx_inflate_most(size))
            abort();
        tx_crc32(0, out, how.made);
        free(out);
    }
    return 0;
}
