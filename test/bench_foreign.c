/* bench_foreign.c - weights files of other programs: channels of the first convolution, how images come to such networks; TorchXRayVision's
 * operating points, and which outputs are which tasks of a table. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/commands.h"
#include "../bench/model.h"
#include "../bench/outputs.h"
#include "../bench/xrv.h"

#include <math.h>

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

/* Whether a linear layer's weight stands in files that are written now as a 1x1 convolution's. */
static int pointwise;

/* Weights as another program leaves them, with a tensor op_threshs where there are thresholds. The digest is that of the
 * weights. */
static void weights_file(const char *name, const tx_net_choice *choice, uint64_t seed, const float *threshold,
                         size_t thresholds, char digest[65])
{
    tx_network n;
    CHECK(tx_network_build(&n, choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    CHECK(w && tx_weights_init(w, seed) == TX_OK, "%s", tx_error_message());
    tx_safetensors_writer *file = tx_safetensors_create(temp_path(name));
    float *room[800];
    int params = tx_graph_params(n.graph);
    for (int i = 0; i < params && i < 800; i++) {
        const tx_param *p = tx_graph_param(n.graph, i);
        size_t shape[4] = {1, 1, 1, 1};
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        room[i] = NULL;
        if (p->role == TX_ROLE_COUNTER)
            continue;
        room[i] = tx_alloc(p->count, sizeof **room);
        tx_param_export(p, tx_weights_param(w, p), room[i]);
        tx_safetensors_put(file, p->name, TX_F32, pointwise && p->dims == 2 ? 4 : p->dims, shape, room[i]);
    }
    if (threshold)
        tx_safetensors_put(file, "op_threshs", TX_F32, 1, &thresholds, threshold);
    CHECK(tx_safetensors_finish(file) == TX_OK, "%s", tx_error_message());
    for (int i = 0; i < params && i < 800; i++)
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
        const tx_net_choice choice = {net, net->blocks - 1, OUTPUTS, SIDE, k % 2 ? 1 : 0, 0};
        char digest[65], again[65], line[100];
        pointwise = k % 4 > 1;
        weights_file("weights.safetensors", &choice, (uint64_t)k, NULL, 0, digest);
        pointwise = 0;
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
    weights_file("grey.safetensors", &(tx_net_choice){net, net->blocks - 1, OUTPUTS, SIDE, 1, 0}, 1, NULL, 0, digest);
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

/* torchxrayvision.models.op_norm of version 1.5.7. */
static void operating_points(void)
{
    static const struct {
        float logit, threshold, wanted;
    } rows[] = {{-1, 0.25F, 0.512627602F},
                {-1.5F, 0.25F, 0.364851058F},
                {2, 0.0625F, 0.93642509F},
                {0, 0.5F, 0.5F},
                {3, (float)NAN, 0.5F},
                {-3, (float)NAN, 0.5F},
                {100, 1, 0.5F},
                {-100, 0, 0.5F},
                {100, 0.75F, 1},
                {-100, 0.75F, 0},
                {0.25F, 0.0004403434F, 0.780991793F}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const float t[2] = {-1, rows[i].threshold};
        float found = xrv_probability(rows[i].logit, t, 1);
        CHECK(fabsf(found - rows[i].wanted) < 1e-7F, "op_norm of %g at %g: %.9g", (double)rows[i].logit,
              (double)rows[i].threshold, (double)found);
        CHECK(xrv_probability(rows[i].logit, NULL, 1) == tx_logisticf(rows[i].logit), "sigmoid");
    }
}

static const float points[18] = {0.5F, 0.25F, 0.75F, 0.125F, 0.1F,  0.2F,  0.3F,  0.4F, (float)NAN,
                                 0.6F, 0.7F,  0.8F,  0.9F,   0.01F, 0.02F, 0.03F, 1,    0};

/* Opens a file of 18 outputs with so many thresholds as `name`; 0 where it cannot be. */
static int open_points(model *m, options *o, const char *name, size_t thresholds, const char *line)
{
    char digest[65];
    const tx_net_info *net = tx_net_find("densenet121");
    const tx_net_choice choice = {net, strstr(name, ".pt") ? 0 : 3, 18, SIDE, 1, 0};
    weights_file(name, &choice, 3, thresholds ? points : NULL, thresholds, digest);
    CHECK(read_line(o, "predict", temp_path(name), line) == EXIT_DONE, "%s", line);
    return model_open(m, o->argument[0], o) == EXIT_DONE;
}

/* The file's own thresholds, those that its name tells, none. */
static void thresholds_of_files(void)
{
    options o;
    model m;
    predictor p;
    CHECK(open_points(&m, &o, "a.safetensors", 18, "x.jpg") && m.threshold && m.task, "%s", tx_error_message());
    CHECK(m.recipe.how.size == 224 && strcmp(m.recipe.normalize, "xrv") == 0, "%d pixels", m.recipe.how.size);
    for (int i = 0; m.threshold && i < 18; i++)
        CHECK(isnan(points[i]) ? isnan(m.threshold[i]) : m.threshold[i] == points[i], "threshold %d is %.9g", i,
              (double)m.threshold[i]);
    CHECK(predictor_open(&p, &m.choice, 1) == TX_OK && predictor_load(&p, m.file[0]) == TX_OK, "%s",
          tx_error_message());
    predictor_free(&p);
    CHECK(m.task && strcmp(model_task(&m, 7), "Effusion") == 0 && strcmp(m.task[17], "Enlarged Cardiomediastinum") == 0,
          "the tasks");
    CHECK(model_output(&m, "Effusion") == 7 && model_output(&m, "Pleural Effusion") == 7 &&
              model_output(&m, "pleural thickening") == 9 && model_output(&m, "LUNG OPACITY") == 16 &&
              model_output(&m, "Pleural Other") == -1 && model_output(&m, "") == -1 && model_output(&m, "Ede") == -1,
          "outputs by name");
    model_free(&m);
    options_free(&o);
    CHECK(!open_points(&m, &o, "few.safetensors", 17, "x.jpg"), "17 thresholds of 18 outputs");
    model_free(&m);
    options_free(&o);
    CHECK(open_points(&m, &o, "none.safetensors", 0, "x.jpg") && !m.threshold && !m.task && m.recipe.how.size == 320,
          "no thresholds");
    model_free(&m);
    options_free(&o);
    CHECK(open_points(&m, &o, "densenet121-res224-rsna.pt", 0, "x.jpg --size 64") && m.threshold && m.task &&
              m.recipe.how.size == 64,
          "%s", tx_error_message());
    int named = 0, thresholds = 0;
    for (int i = 0; m.task && m.threshold && i < 18; i++) {
        named += *m.task[i] != 0;
        thresholds += !isnan(m.threshold[i]);
    }
    CHECK(named == 2 && thresholds == 2 && m.threshold[8] == 0.13486601F && !model_task(&m, 3) &&
              strcmp(model_task(&m, 16), "Lung Opacity") == 0 && model_output(&m, "") == -1,
          "what a published file's name tells: %d names, %d thresholds", named, thresholds);
    model_free(&m);
    options_free(&o);
    CHECK(open_points(&m, &o, "chex-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt", 18, "x.jpg") &&
              m.threshold && m.threshold[0] == 0.5F && m.threshold[1] == 0.25F && m.task && *m.task[2] == 0,
          "the file's own thresholds come first");
    model_free(&m);
    options_free(&o);
}

/* What whole pickled modules say, by attributes and by their class: test/xrv_files.py makes them. */
static void pickled(void)
{
    static const char names[] = "Atelectasis,Consolidation,Infiltration,Pneumothorax,Edema,Emphysema,Fibrosis,Effusion,"
                                "Pneumonia,Pleural_Thickening,Cardiomegaly,Nodule,Mass,Hernia,Lung Lesion,Fracture,"
                                "Lung Opacity,Enlarged Cardiomediastinum";
    static const struct {
        const char *file;
        int outputs;
        const char *size, *tasks, *thresholds; /* size NULL: nothing comes of it, as the error `tasks` says */
    } rows[] = {
        {"whole.pt", 4, "96", "Edema,,Pleural_Thickening,Effusion", "0.25,nan,0.75,0.5"},
        {"class.pt", 18, "224", names, NULL},
        {"class.pt", 4, "224", NULL, NULL},
        {"attribute.pt", 4, "224", "Mass,Nodule,Hernia,Edema", "0.25,nan,0.75,0.5"},
        {"comma.pt", 4, NULL, "a comma in the name of output 1", NULL},
        {"square.pt", 4, NULL, "'op_threshs' has 4 elements of F32 in 2 dimensions, expected 4 numbers", NULL},
        {"whole-numbers.pt", 4, NULL, "'op_threshs' has 4 elements of I64", NULL},
        {"whole.pt", 5, NULL, "expected 5 numbers", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[100];
        settings s = {0};
        snprintf(path, sizeof path, "test/xrv/%s", rows[i].file);
        tx_tensor_file *file = tx_tensor_file_open(path);
        const tx_net_choice choice = {tx_net_find("densenet121"), 0, rows[i].outputs, SIDE, 1, 0};
        tx_status status = file ? xrv_carried(&s, file, path, &choice) : TX_ERR_FILE;
        const char *size = settings_get(&s, "size"), *tasks = settings_get(&s, "tasks"),
                   *thresholds = settings_get(&s, "op_threshs");
        if (!rows[i].size)
            CHECK(status == TX_ERR_FORMAT && strstr(tx_error_message(), rows[i].tasks), "%s of %d outputs: %s", path,
                  rows[i].outputs, tx_error_message());
        else
            CHECK(status == TX_OK && size && !strcmp(size, rows[i].size) && !tasks == !rows[i].tasks &&
                      (!tasks || !strcmp(tasks, rows[i].tasks)) && !thresholds == !rows[i].thresholds &&
                      (!thresholds || !strcmp(thresholds, rows[i].thresholds)) &&
                      !strcmp(settings_get(&s, "normalize"), "xrv"),
                  "%s: size %s, tasks %s, thresholds %s: %s", path, size ? size : "none", tasks ? tasks : "none",
                  thresholds ? thresholds : "none", tx_error_message());
        settings_free(&s);
        tx_tensor_file_close(file);
    }
}

/* Metadata as checkpoints have them, and what they may not say. */
static void thresholds_of_metadata(void)
{
    static const struct {
        const char *text;
        int taken;
    } rows[] = {
        {"0.5,nan,0.25", 1}, {"0,1,5e-1", 1},    {"0.5,0.25", 0},    {"0.5,0.25,0.125,0.5", 0}, {"", 0},
        {"0.5,NaN,0.5", 0},  {"0.5,,0.5", 0},    {"0.5,1.5,0.5", 0}, {"0.5,-0.5,0.5", 0},       {"0.5,inf,0", 0},
        {"0.5,0.5,0.5,", 0}, {"0.5x,0.5,0.5", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        settings s = {0};
        float *t;
        settings_set(&s, "op_threshs", rows[i].text);
        CHECK((xrv_thresholds(&s, 3, &t) == TX_OK) == rows[i].taken && (t != NULL) == rows[i].taken, "'%s': %s",
              rows[i].text, tx_error_message());
        tx_free(t);
        settings_free(&s);
    }
}

/* Of a table those tasks that the outputs are, Effusion being Pleural Effusion; one without a threshold is none. */
static void common_tasks(void)
{
    options o;
    model m;
    tx_buffer notes = {0};
    char *tasks;
    temp_text(temp_path("valid.csv"),
              "Path,No Finding,Edema,Pneumonia,Pleural Effusion\na.jpg,1,0,0,1\nb.jpg,0,1,0,0\n");
    temp_text(temp_path("test.csv"), "Path,Dog,Cat\na.jpg,1,0\nb.jpg,0,1\n");
    tx_dataset *d = tx_dataset_open(temp_folder, "valid", NULL), *pets = tx_dataset_open(temp_folder, "test", NULL);
    CHECK(open_points(&m, &o, "a.safetensors", 18, "x.jpg") && d && pets, "%s", tx_error_message());
    CHECK(outputs_common(&m, d, &tasks, &notes) == TX_OK && strcmp(tasks, "Edema,Pleural Effusion") == 0, "%s",
          tx_error_message());
    CHECK(notes.data && strstr(notes.data, "tasks without an output: No Finding, Pneumonia\n") &&
              strstr(notes.data, "outputs passed over: Atelectasis, Consolidation, ") && !strstr(notes.data, "Edema"),
          "%s", notes.data);
    tx_buffer_free(&notes);
    tx_free(tasks);
    CHECK(outputs_common(&m, pets, &tasks, &notes) == TX_ERR_ARGUMENT && !tasks &&
              strstr(tx_error_message(), "none of its outputs"),
          "%s", tx_error_message());
    tx_buffer_free(&notes);
    tx_dataset_free(d);
    tx_dataset_free(pets);
    model_free(&m);
    options_free(&o);
}

/* A stem of MobileNetV3 with its own names or timm's, and an eps in the metadata or none. */
static void stem_file(int timm, const char *eps)
{
    tx_network n;
    const tx_net_choice choice = {.net = tx_net_find("mobilenet_v3_large"), .cut = 6, .classes = 2, .size = SIDE};
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_safetensors_writer *file = tx_safetensors_create(temp_path("stem.safetensors"));
    static const float ones[1024] = {1};
    if (eps)
        tx_safetensors_put_meta(file, "eps", eps);
    for (int i = 0; i < tx_graph_params(n.graph); i++) {
        const tx_param *p = tx_graph_param(n.graph, i);
        char *other = NULL;
        size_t shape[4];
        for (int d = 0; d < p->dims; d++)
            shape[d] = (size_t)p->shape[d];
        CHECK(p->count <= 1024 && tx_net_timm_name(&choice, p->name, &other) == TX_OK, "%s", p->name);
        if (p->role != TX_ROLE_COUNTER)
            tx_safetensors_put(file, timm ? other : p->name, TX_F32, p->dims, shape, ones);
        tx_free(other);
    }
    CHECK(tx_safetensors_finish(file) == TX_OK, "%s", tx_error_message());
    tx_network_free(&n);
}

/* The network is built with the eps that the file's metadata say, else with that of the library whose names it has. */
static void eps_of_names(void)
{
    static const struct {
        int timm;
        const char *says;
        double eps;
    } rows[] = {{0, NULL, 0},        {1, NULL, 1e-5}, {0, "1e-05", 1e-5}, {1, "0.001", 1e-3},
                {0, "no number", 0}, {1, "-1", 1e-5}, {1, "2", 1e-5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        options o;
        model m;
        stem_file(rows[i].timm, rows[i].says);
        CHECK(read_line(&o, "predict", temp_path("stem.safetensors"),
                        "x.jpg --size 32 --net mobilenet_v3_large --cut 6") == EXIT_DONE,
              "row %zu", i);
        CHECK(model_open(&m, temp_path("stem.safetensors"), &o) == EXIT_DONE && m.choice.eps == rows[i].eps,
              "row %zu: eps %g", i, m.choice.eps);
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
    eps_of_names();
    operating_points();
    thresholds_of_files();
    pickled();
    thresholds_of_metadata();
    common_tasks();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_foreign");
}
