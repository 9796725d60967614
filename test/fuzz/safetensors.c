/* safetensors.c - a file's header, and the contents of every tensor as numbers and as bytes. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"\\u00e9\"},"
                                 "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                                 "\"b.c\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]},"
                                 "\"h\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[16,20]},"
                                 "\"g\":{\"dtype\":\"F16\",\"shape\":[1,1,1],\"data_offsets\":[20,22]},"
                                 "\"n\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[22,22]}} ";
    char seed[sizeof header + 64] = {(char)(unsigned char)(sizeof header - 1), 1};
    seed[0] = (char)((sizeof header - 1) & 255);
    seed[1] = (char)((sizeof header - 1) >> 8);
    memcpy(seed + 8, header, sizeof header - 1);
    fuzz_seed("tensors", seed, 8 + sizeof header - 1 + 22);
    fuzz_seed("empty", "\2\0\0\0\0\0\0\0{}", 10);
    (void)argc;
    (void)argv;
    return 0;
}

static void use(tx_safetensors *file, const tx_stored *t)
{
    /* No more elements than bytes, for no type is smaller. */
    float *floats = tx_alloc(t->count, sizeof *floats);
    int64_t *integers = tx_alloc(t->count, sizeof *integers);
    unsigned char *raw = tx_alloc(t->count, tx_dtype_bytes(t->dtype));
    if (floats && integers && raw) {
        tx_status f = tx_safetensors_floats(file, t, floats), i = tx_safetensors_integers(file, t, integers);
        fuzz_check(f || i);
        fuzz_check(tx_safetensors_raw(file, t, raw));
    }
    tx_free(floats);
    tx_free(integers);
    tx_free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t metas;
    tx_safetensors *file = tx_safetensors_open(fuzz_file("input.safetensors", data, size));
    fuzz_check(!file);
    if (!file)
        return 0;
    for (size_t i = 0; i < tx_safetensors_count(file); i++) {
        const tx_stored *t = tx_safetensors_at(file, i);
        if (tx_safetensors_find(file, t->name) != t)
            abort();
        use(file, t);
    }
    const tx_pair *meta = tx_safetensors_metas(file, &metas);
    for (size_t i = 0; i < metas; i++)
        if (tx_safetensors_meta(file, meta[i].key) != meta[i].value)
            abort();
    tx_safetensors_close(file);
    return 0;
}
