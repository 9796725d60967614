/* bench_foreign.c - weights files of other programs: channels of the first convolution, how images come to such networks. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/commands.h"
#include "../bench/model.h"

enum { OUTPUTS = 6, SIDE = 32 };

/* Every word of the line is an argument or an option of a command on a model; the file is the first. */
static int read_line(options *o, const char *name, const char *file, const char *line)
{
    static char words[12][200];
    static char *argv[12];
    int n = 0;
    snprintf(words[n], sizeof words[n], "%s", file);
    argv[n] = words[n];
    n++;
    for (const char *rest = line; next_item(&rest, ' ', words[n], sizeof words[n]) == 1 && n < 11; n++)
        argv[n] = words[n];
    memset(o, 0, sizeof *o);
    return options_read(o, command_find(name), n, argv, NULL);
}

/* Weights as another program leaves them: no metadata of ours but those given. The digest is that of its weights. */
static void weights_file(const char *name, const tx_net_choice *choice, uint64_t seed, char digest[65])
{
    tx_network n;
    CHECK(tx_network_build(&n, choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    CHECK(w && tx_weights_init(w, seed) == TX_OK, "%s", tx_error_message());
    tx_safetensors_writer *file = tx_safetensors_create(temp_path(name));
    float *room[400];
    int params = tx_graph_params(n.graph);
    for (int i = 0; i < params && i < 400; i++) {
        const tx_param *p = tx_graph_param(n.graph, i);
        size_t shape[4];
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        room[i] = NULL;
        if (p->role == TX_ROLE_COUNTER)
            continue;
        room[i] = tx_alloc(p->count, sizeof **room);
        tx_param_export(p, tx_weights_param(w, p), room[i]);
        tx_safetensors_put(file, p->name, TX_F32, p->dims, shape, room[i]);
    }
    CHECK(tx_safetensors_finish(file) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < params && i < 400; i++)
        tx_free(room[i]);
    tx_weights_digest(w, digest);
    tx_weights_free(w);
    tx_network_free(&n);
}

static const char *const nets[] = {"mobilenet_v2", "densenet121", "resnet18", "mnasnet1_0"};

/* A file of one channel is one of its network of one channel, which --net says or the tensors do. */
static void one_channel(void)
{
    for (int k = 0; k < 8; k++) {
        const tx_net_info *net = tx_net_find(nets[k / 2]);
        const tx_net_choice choice = {net, net->blocks - 1, OUTPUTS, SIDE, k % 2 ? 1 : 0};
        char digest[65], again[65], line[100];
        weights_file("weights.safetensors", &choice, (uint64_t)k, digest);
        snprintf(line, sizeof line, "x.jpg --size %d%s%s", SIDE, k < 4 ? "" : " --net ", k < 4 ? "" : net->name);
        if (k >= 4)
            snprintf(line + strlen(line), sizeof line - strlen(line), " --cut %d", net->blocks - 1);
        options o;
        model m;
        predictor p;
        CHECK(read_line(&o, "predict", temp_path("weights.safetensors"), line) == EXIT_DONE, "%s", line);
        CHECK(model_open(&m, o.argument[0], &o) == EXIT_DONE, "%s", tx_error_message());
        CHECK(m.choice.net == net && m.choice.cut == net->blocks - 1 && m.choice.classes == OUTPUTS &&
                  tx_net_channels(&m.choice) == tx_net_channels(&choice),
              "%s: %d channels", net->name, m.choice.channels);
        CHECK(tx_preprocess_channels(&m.recipe.how) == tx_net_channels(&choice) &&
                  strcmp(m.recipe.normalize, k % 2 ? "xrv" : "imagenet") == 0,
              "%s: images are normalised as %s", net->name, m.recipe.normalize);
        CHECK(predictor_open(&p, &m.choice, 1) == TX_OK && predictor_load(&p, m.file[0]) == TX_OK &&
                  p.net.image->c == tx_net_channels(&choice) && tx_weights_digest(p.weights, again) == TX_OK &&
                  strcmp(digest, again) == 0,
              "%s: other weights are read: %s", net->name, tx_error_message());
        predictor_free(&p);
        model_free(&m);
        options_free(&o);
    }
}

/* Numbers of three channels are not for one: as they are typed, wrong usage; as a file has them, its fault. */
static void one_normalisation(void)
{
    static const struct {
        const char *line;
        int code;
    } rows[] = {{"x.jpg --size 32", EXIT_DONE},
                {"x.jpg --size 32 --normalize xrv", EXIT_DONE},
                {"x.jpg --size 32 --normalize 0.5,0.5,0.5/2,2,2", EXIT_DONE},
                {"x.jpg --size 32 --normalize imagenet", EXIT_USAGE},
                {"x.jpg --size 32 --normalize 0.5,0.5,0.5/2,2,1", EXIT_USAGE}};
    const tx_net_info *net = tx_net_find("mobilenet_v2");
    char digest[65];
    weights_file("grey.safetensors", &(tx_net_choice){net, net->blocks - 1, OUTPUTS, SIDE, 1}, 1, digest);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        options o;
        model m;
        CHECK(read_line(&o, "predict", temp_path("grey.safetensors"), rows[i].line) == EXIT_DONE, "%s", rows[i].line);
        int code = model_open(&m, o.argument[0], &o);
        CHECK(code == rows[i].code, "%s: exit status %d", rows[i].line, code);
        model_free(&m);
        options_free(&o);
    }
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_foreign");
    one_channel();
    one_normalisation();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_foreign");
}
