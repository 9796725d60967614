/* bench_study_cam.c - the maps of a study's jobs: which rows a job gets, why maps are empty, what is missing; the same bytes in
 * any batch; figures outside train against their definition; what the page says of them. */
#define _POSIX_C_SOURCE 200809L
#include "../bench/commands.h"
#include "../bench/model.h"
#include "../bench/study_cam_page.h"
#include "../nets/nets.h"
#include "test.h"
#include "io_temp.h"

#include <math.h>

/* ------------------------------------------------------------------------------------- figures */
/* A row with boxes and a map. */
static void add(study_cam *c, const char *split, const char *path, const char *finding, double hit, double iou,
                double energy)
{
    study_cam_row *r = study_cam_add(c);
    c->known = 1;
    snprintf(r->split, sizeof r->split, "%s", split);
    r->path = tx_strdup(path);
    r->finding = tx_strdup(finding);
    r->why = tx_strdup("");
    r->boxes = 1;
    r->rows = 3;
    r->columns = 4;
    r->area = 0.125;
    r->hit = hit;
    r->iou = iou;
    r->energy = energy;
}

enum { UNITS = 5, REPLICATES = 400 };
static const char *const unit_path[UNITS] = {"x/patient1/study1/a.jpg", "x/patient1/study1/a.jpg",
                                             "x/patient1/study2/b.jpg", "x/patient2/study1/c.jpg", "d.jpg"};

/* Rows that must not count stand between those that do. */
static void make(study_cam *c, const double value[UNITS])
{
    static const char *const split[UNITS] = {"test", "test", "valid", "none", "test"};
    memset(c, 0, sizeof *c);
    add(c, "train", "x/patient9/study1/a.jpg", "Edema", 1, 1, 1);
    for (int i = UNITS - 1; i >= 0; i--)
        add(c, split[i], unit_path[i], i == 1 ? "Pneumonia" : "Edema", value[i] > 0.5, value[i], value[i] / 2);
    study_cam_row *r = study_cam_add(c);
    snprintf(r->split, sizeof r->split, "test");
    r->path = tx_strdup("e.jpg");
    r->finding = tx_strdup("Mass");
    r->why = tx_strdup("no task of the model");
}

/* The interval by definition: groups numbered by their sorted paths. */
static void interval(const double value[UNITS], const uint32_t *group, size_t groups, tx_interval *out)
{
    double mean[REPLICATES];
    for (size_t r = 0; r < REPLICATES; r++) {
        double sum = 0, units = 0;
        for (size_t i = 0; i < groups; i++) {
            uint32_t drawn = tx_random_below(7, TX_RANDOM_BOOTSTRAP, r, i, (uint32_t)groups);
            for (int u = 0; u < UNITS; u++) {
                sum += group[u] == drawn ? value[u] : 0;
                units += group[u] == drawn;
            }
        }
        mean[r] = sum / units;
    }
    CHECK(tx_bootstrap_interval(mean, REPLICATES, out) == TX_OK, "%s", tx_error_message());
}

static int near(double a, double b)
{
    return fabs(a - b) < 1e-14;
}

static void check_scores(void)
{
    /* Groups are numbered as they appear in the order of the paths: d.jpg first. */
    static const double first[UNITS] = {0.75, 0.25, 0.5, 1, 0.125}, second[UNITS] = {0.25, 0.75, 0.5, 0, 0.875};
    static const uint32_t image[UNITS] = {1, 1, 2, 3, 0}, patient[UNITS] = {1, 1, 1, 2, 0};
    study_cam seed[2], other;
    study_cam_scores s;
    study_cam_difference d;
    tx_interval want;
    double mean[UNITS], less[UNITS];
    make(&seed[0], first);
    make(&seed[1], second);
    make(&other, second);
    for (int i = 0; i < UNITS; i++) {
        mean[i] = (first[i] + second[i]) / 2;
        less[i] = second[i] - mean[i];
    }
    for (int patients = 0; patients < 2; patients++) {
        const study_cam_resampling how = {REPLICATES, 7, patients};
        const uint32_t *group = patients ? patient : image;
        CHECK(study_cam_sum(seed, 1, &how, &s) == TX_OK, "%s", tx_error_message());
        interval(first, group, patients ? 3 : 4, &want);
        CHECK(s.maps == 5 && s.images == 4 && s.patients == 3 && s.unmade == 1 && s.rows == 3 && s.columns == 4,
              "%zu maps, %zu images, %zu patients, %zu without", s.maps, s.images, s.patients, s.unmade);
        CHECK(near(s.value[CAM_HIT], 0.4) && near(s.value[CAM_IOU], 0.525) && near(s.value[CAM_ENERGY], 0.2625) &&
                  s.area == 0.125,
              "means %g, %g, %g", s.value[0], s.value[1], s.value[2]);
        CHECK(near(s.interval[CAM_IOU].low, want.low) && near(s.interval[CAM_IOU].high, want.high),
              "interval %g to %g, by definition %g to %g", s.interval[CAM_IOU].low, s.interval[CAM_IOU].high, want.low,
              want.high);
        CHECK(study_cam_sum(seed, 2, &how, &s) == TX_OK && near(s.value[CAM_HIT], 0.4) && s.maps == 5 &&
                  near(s.value[CAM_IOU], 0.5),
              "two seeds: hit rate %g, IoU %g", s.value[CAM_HIT], s.value[CAM_IOU]);
        CHECK(study_cam_compare(seed, 2, &other, 1, &how, &d) == TX_OK, "%s", tx_error_message());
        interval(less, group, patients ? 3 : 4, &want);
        CHECK(d.maps == 5 && near(d.value[CAM_IOU], -0.025) && near(d.of[CAM_IOU].interval.low, want.low) &&
                  near(d.of[CAM_IOU].interval.high, want.high) && near(d.of[CAM_ENERGY].interval.low, want.low / 2),
              "difference %g, %g to %g, by definition %g to %g", d.value[CAM_IOU], d.of[CAM_IOU].interval.low,
              d.of[CAM_IOU].interval.high, want.low, want.high);
    }
    /* What one of them lacks is in no pair, and in no mean over seeds. */
    const study_cam_resampling how = {REPLICATES, 7, 0};
    other.row[2].rows = 0;
    CHECK(study_cam_compare(seed, 2, &other, 1, &how, &d) == TX_OK && d.maps == 4 && d.images == 3, "%zu pairs",
          d.maps);
    seed[1].known = 0;
    CHECK(study_cam_sum(seed, 2, &how, &s) == TX_OK && near(s.value[CAM_IOU], 0.525), "a seed without maps counts");
    seed[0].known = 0;
    CHECK(study_cam_sum(seed, 2, &how, &s) == TX_OK && s.maps == 0 && isnan(s.value[0]) && isnan(s.interval[0].low),
          "figures of no map");
    for (int i = 0; i < 2; i++)
        study_cam_free(&seed[i]);
    study_cam_free(&other);
}

/* --------------------------------------------------------------------------------------- table */
static void check_table(void)
{
    static const double value[UNITS] = {0.75, 0.25, 0.5, 1, 0.125};
    study_cam c, again;
    char **names;
    size_t count;
    tx_buffer text = {0};
    tx_folder_make(temp_path("table"));
    CHECK(study_cam_read(&c, temp_path("table")) == TX_OK && !c.known && c.rows == 0, "maps where there are none");
    CHECK(study_cam_files(temp_path("table"), &names, &count) == TX_OK && count == 0, "files of no maps");
    make(&c, value);
    c.row[1].empty = 1;
    c.row[2].overlay = tx_strdup("b, c.Edema.png");
    c.row[3].overlay = tx_strdup("b, c.Mass.png");
    study_cam_text(&c, &text);
    CHECK(tx_buffer_write(&text, temp_path("table/cam.csv")) == TX_OK, "%s", tx_error_message());
    tx_buffer_free(&text);
    CHECK(study_cam_read(&again, temp_path("table")) == TX_OK && again.known && again.rows == c.rows, "%zu rows: %s",
          again.rows, tx_error_message());
    for (size_t i = 0; i < c.rows && i < again.rows; i++) {
        const study_cam_row *a = &c.row[i], *b = &again.row[i];
        CHECK(!strcmp(a->path, b->path) && !strcmp(a->split, b->split) && !strcmp(a->why, b->why) &&
                  a->rows == b->rows && a->columns == b->columns && a->empty == b->empty && a->boxes == b->boxes,
              "row %zu is another one", i);
        CHECK(a->boxes ? a->hit == b->hit && a->iou == b->iou && a->energy == b->energy && a->area == b->area
                       : isnan(b->hit) && isnan(b->iou) && isnan(b->energy) && isnan(b->area),
              "row %zu: other figures", i);
    }
    CHECK(study_cam_files(temp_path("table"), &names, &count) == TX_OK && count == 4 && !strcmp(names[0], "cam.csv") &&
              !strcmp(names[1], "cam/b, c.Edema.png") && !strcmp(names[3], "cam/b, c.png"),
          "%zu files", count);
    tx_folder_names_free(names, count);
    study_cam_free(&again);
    temp_text(temp_path("table/cam.csv"), "Path,Finding\na,b\n");
    CHECK(study_cam_read(&again, temp_path("table")) == TX_ERR_FORMAT && !again.known, "a table of other columns");
    study_cam_free(&again);
    study_cam_free(&c);
}

/* ----------------------------------------------------------------------------------------- job */
/* A grey image of 40 x 40. */
static void image(const char *name)
{
    unsigned char bytes[13 + 1600] = "P5 40 40 255\n";
    char path[400];
    for (size_t i = 0; i < 1600; i++)
        bytes[13 + i] = (unsigned char)(i * (size_t)name[0] % 251);
    snprintf(path, sizeof path, "%s/data/%s", temp_folder, name);
    temp_write(path, bytes, sizeof bytes);
}

static void make_data(const char *boxes)
{
    tx_folder_make(temp_path("data/train"));
    tx_folder_make(temp_path("data/test"));
    image("train/a.pgm");
    image("train/b.pgm");
    image("test/c.pgm");
    image("test/d.pgm");
    image("e.pgm");
    temp_text(temp_path("data/train.csv"), "Path,up,down,none\ntrain/a.pgm,1,0,1\ntrain/b.pgm,0,1,0\n");
    temp_text(temp_path("data/valid.csv"), "Path,up,down,none\ntrain/b.pgm,1,0,1\n");
    temp_text(temp_path("data/test.csv"),
              "Path,up,down,none\nx/test/c.pgm,1,0,1\nx/test/d.pgm,0,1,0\nx/test/gone.pgm,0,1,0\n");
    if (boxes)
        temp_text(temp_path("data/boxes.csv"), boxes);
    else
        unlink(temp_path("data/boxes.csv"));
}

/* A job with one checkpoint, whose three outputs are the sum of all features, its negative, and 0. */
static void make_job(void)
{
    static const tx_pair meta[] = {{"net", "resnet18"},   {"cut", "3"},         {"tasks", "up,down,none"},
                                   {"size", "32"},        {"step", "1"},        {"score", "0.5"},
                                   {"selection", "mean"}, {"normalize", "half"}};
    tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 3, .classes = 3, .size = 32};
    tx_network n;
    CHECK(tx_network_build(&n, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(n.graph, 0);
    tx_weights_init(w, 5);
    const tx_param *head = tx_graph_param(n.graph, tx_graph_find(n.graph, "fc.weight"));
    for (size_t i = 0; i < head->count; i++)
        tx_weights_param(w, head)[i] = i % 3 == 0 ? 1 : i % 3 == 1 ? -1 : 0; /* (in,out) */
    tx_folder_make(temp_path("job/checkpoints"));
    CHECK(tx_checkpoint_save(temp_path("job/checkpoints/step-00000001.safetensors"), w, meta,
                             sizeof meta / sizeof *meta) == TX_OK,
          "%s", tx_error_message());
    tx_weights_free(w);
    tx_network_free(&n);
}

static tx_status run(int examples, size_t batch, int skip)
{
    char job[320], data[320];
    options o;
    model m;
    snprintf(job, sizeof job, "%s", temp_path("job"));
    snprintf(data, sizeof data, "%s", temp_path("data"));
    CHECK(options_standards(&o, command_find("predict")) == EXIT_DONE && model_open(&m, job, &o) == EXIT_DONE, "%s",
          tx_error_message());
    const study_cam_args a = {.model = &m, .data = data, .examples = examples, .batch = batch, .skip_bad = skip};
    tx_status status = study_cams(&a);
    model_free(&m);
    options_free(&o);
    return status;
}

static const char boxes[] = "Path,Finding,x,y,w,h\n"
                            "test/d.pgm,up,0,0,0.5,1\n"
                            "train/a.pgm,up,0,0,1,1\n"
                            "test/d.pgm,Mass,0,0,0.5,1\n"
                            "test/c.pgm,down,0.25,0.25,0.5,0.5\n"
                            "test/d.pgm,up,0.5,0,0.5,1\n"
                            "e.pgm,none,0,0,0.5,0.5\n"
                            "nowhere.pgm,up,0,0,0.5,0.5\n"
                            "test/d.pgm,down,0,0,0.25,1\n"
                            "test/d.pgm,Mass,0,0,0.25,1\n";

static void check_rows(void)
{
    static const struct {
        const char *path, *finding, *split, *why;
        size_t boxes;
        double area, hit;
        int shown;
    } want[] = {{"test/d.pgm", "up", "test", "", 2, 1, 1, 1},
                {"train/a.pgm", "up", "train", "", 1, 1, 1, 0},
                {"test/d.pgm", "Mass", "test", "no task of the model", 0, 0, 0, 0},
                {"test/c.pgm", "down", "test", "negative everywhere", 1, 0.25, 0, 1},
                {"e.pgm", "none", "none", "0 everywhere", 1, 0.25, 0, 0},
                {"nowhere.pgm", "up", "none", "image missing", 0, 0, 0, 0},
                {"test/d.pgm", "down", "test", "negative everywhere", 1, 0.25, 0, 0}};
    study_cam c;
    make_data(boxes);
    CHECK(run(2, 16, 0) == TX_OK, "%s", tx_error_message());
    CHECK(study_cam_read(&c, temp_path("job")) == TX_OK && c.rows == 7, "%zu rows", c.rows);
    for (size_t i = 0; i < 7 && c.rows == 7; i++) {
        const study_cam_row *r = &c.row[i];
        int mapped = want[i].boxes > 0;
        CHECK(!strcmp(r->path, want[i].path) && !strcmp(r->finding, want[i].finding) &&
                  !strcmp(r->split, want[i].split) && !strcmp(r->why, want[i].why) && r->boxes == want[i].boxes,
              "row %zu: %s, %s, %s, %zu boxes, '%s'", i, r->path, r->finding, r->split, r->boxes, r->why);
        CHECK(r->rows == (mapped ? 8 : 0) && r->columns == r->rows && isnan(r->probability) == !mapped &&
                  (*r->overlay != 0) == want[i].shown && r->empty == (mapped && *r->why),
              "row %zu: %d x %d, p %g, %s", i, r->rows, r->columns, r->probability, r->overlay);
        CHECK(mapped ? r->area == want[i].area && r->hit == want[i].hit && (r->energy > 0) == !r->empty &&
                           (r->iou > 0) == !r->empty && r->positive == (r->empty ? 0 : 64)
                     : isnan(r->area) && isnan(r->hit) && isnan(r->iou) && isnan(r->energy),
              "row %zu: area %g, hit %g, IoU %g, energy %g", i, r->area, r->hit, r->iou, r->energy);
        CHECK(!mapped || want[i].area < 1 || r->energy == 1, "boxes over all hold %g of the map", r->energy);
    }
    study_cam_free(&c);
}

/* The digest of cam.csv and of all pictures. */
static void digest(char hex[65])
{
    char **names, path[600];
    size_t count;
    tx_sha256 s;
    tx_sha256_begin(&s);
    CHECK(study_cam_files(temp_path("job"), &names, &count) == TX_OK && count == 5, "%zu files", count);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/job/%s", temp_folder, names[i]);
        CHECK(tx_path_exists(path) && tx_sha256_file(&s, path) == TX_OK, "%s is not there", names[i]);
    }
    tx_sha256_end(&s, hex);
    tx_folder_names_free(names, count);
}

static void check_bytes(void)
{
    char first[65], again[65];
    int threads = tx_threads();
    digest(first);
    tx_set_threads(3);
    CHECK(run(2, 1, 0) == TX_OK, "%s", tx_error_message());
    digest(again);
    CHECK(strcmp(first, again) == 0, "other bytes one by one and on three threads");
    tx_set_threads(threads);
}

/* The pictures are of one size whatever the network's; an outline is white between black, at the box's edge. */
static void check_pictures(void)
{
    tx_image p;
    CHECK(tx_image_read(temp_path("job/cam/c.down.png"), &p) == TX_OK && p.width == 160 && p.height == 160 &&
              p.channels == 3,
          "%d x %d: %s", p.width, p.height, tx_error_message());
    for (int x = 39; p.pixels && x <= 41; x++) {
        const unsigned char *at = p.pixels + ((size_t)80 * 160 + (size_t)x) * 3;
        CHECK(at[0] == (x == 40 ? 255 : 0) && at[1] == at[0] && at[2] == at[0], "an outline's pixel %d is %d", x,
              at[0]);
    }
    tx_image_free(&p);
    CHECK(tx_image_read(temp_path("job/cam/d.png"), &p) == TX_OK && p.channels == 1 && p.width == 160, "%s",
          tx_error_message());
    tx_image_free(&p);
}

/* An image of a table that is gone is an error, or a row that says so; no boxes and no examples: no maps. */
static void check_missing(void)
{
    study_cam c;
    unlink(temp_path("job/cam.csv"));
    make_data("Path,Finding,x,y,w,h\ntest/gone.pgm,up,0,0,0.5,1\ntest/d.pgm,up,0,0,1,1\n");
    CHECK(run(1, 16, 0) == TX_ERR_FILE && strstr(tx_error_message(), "'test/gone.pgm' is in test.csv"), "%s",
          tx_error_message());
    CHECK(!tx_path_exists(temp_path("job/cam.csv")), "a table of maps that failed");
    CHECK(run(1, 16, 1) == TX_OK, "%s", tx_error_message());
    CHECK(study_cam_read(&c, temp_path("job")) == TX_OK && c.rows == 2 && !strcmp(c.row[0].why, "image missing") &&
              c.row[0].rows == 0 && c.row[1].rows == 8,
          "%zu rows: %s", c.rows, c.rows ? c.row[0].why : "");
    study_cam_free(&c);
    temp_text(temp_path("data/test/d.pgm"), "P5 40 40 255\nshort");
    CHECK(run(1, 16, 1) == TX_OK && study_cam_read(&c, temp_path("job")) == TX_OK && c.rows == 2 &&
              !strcmp(c.row[1].why, "image unreadable"),
          "%s", c.rows == 2 ? c.row[1].why : tx_error_message());
    study_cam_free(&c);
    unlink(temp_path("job/cam.csv"));
    make_data(NULL);
    CHECK(run(0, 16, 0) == TX_OK && !tx_path_exists(temp_path("job/cam.csv")), "maps without boxes");
}

/* Without boxes examples are images with the findings, an image each; with few boxes they stand behind those. */
static void check_labelled(void)
{
    study_cam c;
    make_data(NULL);
    CHECK(run(9, 16, 0) == TX_OK && study_cam_read(&c, temp_path("job")) == TX_OK && c.rows == 2, "%zu rows: %s",
          c.rows, tx_error_message());
    CHECK(c.rows == 2 && !strcmp(c.row[0].path, "x/test/c.pgm") && !strcmp(c.row[0].finding, "up") &&
              !strcmp(c.row[1].path, "x/test/d.pgm") && !strcmp(c.row[1].finding, "down") &&
              !strcmp(c.row[1].split, "test") && *c.row[0].overlay && c.row[0].boxes == 0 && isnan(c.row[0].iou) &&
              c.row[0].rows == 8,
          "other examples by labels");
    study_cam_free(&c);
    make_data("Path,Finding,x,y,w,h\ntrain/a.pgm,up,0,0,1,1\ntest/c.pgm,down,0,0,1,1\n");
    CHECK(run(2, 16, 0) == TX_OK && study_cam_read(&c, temp_path("job")) == TX_OK && c.rows == 3, "%zu rows", c.rows);
    CHECK(c.rows == 3 && !*c.row[0].overlay && *c.row[1].overlay && !strcmp(c.row[2].path, "x/test/d.pgm") &&
              c.row[2].boxes == 0 && *c.row[2].overlay,
          "examples with and without boxes");
    study_cam_free(&c);
}

/* ---------------------------------------------------------------------------------------- page */
static void check_page(void)
{
    char job[320];
    study_cam_models m;
    tx_buffer p = {0};
    size_t room = 100000, before = room;
    make_data(boxes);
    CHECK(run(2, 16, 0) == TX_OK, "%s", tx_error_message());
    snprintf(job, sizeof job, "%s", temp_path("job"));
    const study_cam_job jobs[] = {{"resnet18", 0, 1, job}, {"resnet18", 3, 1, job}, {"resnet18", 3, 1, job}};
    const study_cam_resampling how = {100, 0, 0};
    CHECK(study_cam_gather(&m, jobs, 3, &how) == TX_OK && m.known && m.models == 2 && m.model[1].seeds == 2, "%s",
          tx_error_message());
    CHECK(study_cam_table(&p, &m) == TX_OK && strstr(p.data, "Over 3 images of 3 patients outside train (4 maps") &&
              strstr(p.data, "2 further findings with boxes are no task") &&
              strstr(p.data, "9 maps are empty: 6 negative everywhere, 3 0 everywhere"),
          "%s", p.data);
    tx_buffer_free(&p);
    CHECK(study_cam_families(&p, &m) == TX_OK && strstr(p.data, "Of 3 differences") &&
              strstr(p.data, "0.00 (not resolved") && !strstr(p.data, "(0.00 to 0.00)"),
          "%s", p.data);
    tx_buffer_free(&p);
    /* What resamples cannot make differ has no interval, and is not certain. */
    m.model[0].scores.value[CAM_HIT] = m.model[0].scores.interval[CAM_HIT].low = 0;
    m.model[0].scores.interval[CAM_HIT].high = 0;
    m.model[0].scores.patients = 15;
    CHECK(study_cam_table(&p, &m) == TX_OK && !strstr(p.data, "0.00 (0.00 to 0.00)") &&
              strstr(p.data, "none of 15 patients has a hit leaves a rate of up to about 0.20 open"),
          "%s", p.data);
    tx_buffer_free(&p);
    const study_cam_model *both[] = {study_cam_find(&m, "resnet18", 0, 1), study_cam_find(&m, "resnet18", 3, 1)};
    CHECK(both[0] && both[1] && !study_cam_find(&m, "resnet18", 3, 0), "models that are there");
    CHECK(study_cam_panel(&p, both, 2, 0, &room) == TX_OK && p.length <= before - room &&
              p.length > (before - room) / 2,
          "%zu bytes of %zu that were taken off", p.length, before - room);
    tx_buffer_free(&p);
    room = 100;
    CHECK(study_cam_panel(&p, both, 2, 0, &room) == TX_OK && !strstr(p.data, "<img") && room == 100 &&
              strstr(p.data, "2 further examples are not shown"),
          "%s", p.data);
    tx_buffer_free(&p);
    study_cam_models_free(&m);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_study_cam");
    check_scores();
    check_table();
    make_job();
    check_rows();
    check_bytes();
    check_pictures();
    check_missing();
    check_labelled();
    check_page();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_study_cam");
}
