/* checkpoint.c - a file as the weights of a small network. The first byte chooses how strict. */
#include "fuzz.h"

static tx_graph *graph;

static tx_graph *network(void)
{
    tx_graph *g = tx_graph_new();
    tx_node *x = tx_input(g, 1, 4, 4);
    x = tx_conv2d(g, x, "conv1", (tx_conv2d_args){.out = 2, .kernel = 3, .stride = 2, .padding = 1});
    x = tx_relu(g, tx_batchnorm(g, x, "bn1", (tx_batchnorm_args){.eps = 1e-5}));
    x = tx_conv2d(g, x, "conv2", (tx_conv2d_args){.out = 3, .kernel = 2});
    tx_linear(g, x, "fc", (tx_linear_args){.out = 2});
    return g;
}

/* Sound files: of this network, of one with more outputs, with metadata. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const tx_pair meta[] = {{"net", "resnet18"}, {"size", "32"}};
    (void)argc;
    (void)argv;
    graph = network();
    tx_weights *w = tx_weights_new(graph, 0);
    const char *path = fuzz_file("made.safetensors", "", 0);
    unsigned char *data, seed[8192];
    size_t size;
    if (!w)
        abort();
    tx_weights_init(w, 1);
    if (tx_checkpoint_save(path, w, meta, 2) || tx_file_read(path, sizeof seed - 1, &data, &size))
        abort();
    for (int flags = 0; flags < 4; flags++) {
        char name[16];
        snprintf(name, sizeof name, "weights%d", flags);
        seed[0] = (unsigned char)flags;
        memcpy(seed + 1, data, size);
        fuzz_seed(name, seed, size + 1);
    }
    tx_free(data);
    tx_weights_free(w);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tx_weights *w = size ? tx_weights_new(graph, 0) : NULL;
    tx_checkpoint_report report;
    if (!w)
        return 0;
    tx_status status =
        tx_checkpoint_load(fuzz_file("input.safetensors", data + 1, size - 1), w, data[0] & 3, &report);
    fuzz_check(status);
    tx_weights_free(w);
    return 0;
}
