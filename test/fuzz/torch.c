/* torch.c - PyTorch's files: a ZIP archive or pickles, all tensors and what stands beside them. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char evil[] = "\x80\2}U\1acposix\nsystem\nU\1x\x85Rs.";
    fuzz_seed("evil", evil, sizeof evil - 1);
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t metas;
    tx_tensor_file *file = tx_tensor_file_open(fuzz_file("input.pth", data, size));
    fuzz_check(!file);
    if (!file)
        return 0;
    for (size_t i = 0; i < tx_tensor_file_count(file); i++) {
        const tx_stored *t = tx_tensor_file_at(file, i);
        if (tx_tensor_file_find(file, t->name) != t)
            abort();
        /* No more elements than the file has bytes, or those of a deflated storage, for no type is smaller. */
        void *out = tx_alloc(t->count, sizeof(int64_t));
        if (out)
            fuzz_check((tx_tensor_file_floats(file, t, out) != TX_OK) + (tx_tensor_file_integers(file, t, out) != TX_OK));
        tx_free(out);
    }
    tx_tensor_file_attribute(file, "op_threshs");
    tx_tensor_file_metas(file, &metas);
    for (size_t i = 0; tx_tensor_file_text(file, "targets", i); i++)
        ;
    tx_tensor_file_close(file);
    return 0;
}
