/* bench_model.c - which checkpoint of a folder is the best, which images arguments name, and learning curves, where there are
 * ties, names that begin alike, and lines of just the longest length. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/commands.h"
#include "../bench/image_list.h"
#include "../bench/model.h"
#include "../bench/report.h"

#include <math.h>

/* A file of metadata alone, in checkpoints/. */
static void checkpoint(const char *name, const char *step, const char *score)
{
    char path[300];
    snprintf(path, sizeof path, "%s/run/checkpoints/%s", temp_folder, name);
    tx_safetensors_writer *w = tx_safetensors_create(path);
    tx_safetensors_put_meta(w, "step", step);
    tx_safetensors_put_meta(w, "score", score);
    tx_safetensors_put_meta(w, "selection", "mean6");
    CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
}

static void best(void)
{
    run_checkpoint *list;
    size_t n;
    tx_folder_make(temp_path("run/checkpoints"));
    CHECK(run_checkpoints(temp_path("run"), &list, &n) == TX_ERR_FILE && n == 0 &&
              strstr(tx_error_message(), "no checkpoint"),
          "%s", tx_error_message());
    checkpoint("step-00000040.safetensors", "40", "0.5");
    checkpoint("step-00000008.safetensors", "8", "0.5");
    checkpoint("step-00000100.safetensors", "100", "nan");
    checkpoint("step-00000050.safetensors", "50", "nan");
    checkpoint("step-00000004.safetensors", "4", "-0.25");
    checkpoint("step-00000012.safetensors", "12", "0.75");
    static const char *const others[] = {"step-00000099.safetensors.bak", "step-00000099.safetensor",
                                         "xstep-00000099.safetensors", "step-.safetensors2", "notes"};
    for (int i = 0; i < 5; i++)
        checkpoint(others[i], "99", "9");
    static const uint64_t order[] = {12, 8, 40, 4, 50, 100};
    CHECK(run_checkpoints(temp_path("run"), &list, &n) == TX_OK && n == 6, "%zu checkpoints: %s", n,
          tx_error_message());
    for (size_t i = 0; i < n && i < 6; i++)
        CHECK(list[i].step == order[i], "place %zu has step %d", i, (int)list[i].step);
    run_checkpoints_free(list, n);
    checkpoint("step-00000060.safetensors", "60", "no number");
    CHECK(run_checkpoints(temp_path("run"), &list, &n) == TX_ERR_FORMAT && !list && n == 0, "a score that is none");
}

/* Standard input is a file of these bytes. */
static tx_status from_input(image_list *l, const char *bytes, size_t n)
{
    char *words[] = {(char *)"model", (char *)"-"};
    const options o = {.command = command_find("predict"), .argument = words, .arguments = 2};
    temp_write(temp_path("input"), bytes, n);
    if (!freopen(temp_path("input"), "r", stdin))
        return TX_ERR_MACHINE;
    memset(l, 0, sizeof *l);
    return image_list_arguments(l, &o);
}

static void lines(void)
{
    image_list l;
    char text[5000], *name = tx_path_join(temp_folder, "a.jpg");
    temp_text(name, "");
    int n = snprintf(text, sizeof text, "%s\n\n%s\r\n%s", name, name, name);
    CHECK(from_input(&l, text, (size_t)n) == TX_OK && l.count == 3 && !strcmp(l.path[1], name) &&
              !strcmp(l.path[2], name),
          "three lines: %zu, %s", l.count, tx_error_message());
    image_list_free(&l);
    for (size_t length = 4094; length < 4100; length++) {
        memset(text, 'x', length);
        text[length] = '\n';
        CHECK(from_input(&l, text, length + 1) == TX_ERR_FILE || length > 4096, "%zu bytes are too many", length);
        CHECK((strstr(tx_error_message(), "longer than 4096 bytes") != NULL) == (length > 4096), "%zu bytes: %s",
              length, tx_error_message());
        image_list_free(&l);
    }
    static const char *const bad[] = {"", "\n\n", "\r\n", "nowhere.jpg\n"};
    for (int i = 0; i < 4; i++) {
        CHECK(from_input(&l, bad[i], strlen(bad[i])) == TX_ERR_FILE && l.count == 0, "'%s' names %zu images", bad[i],
              l.count);
        image_list_free(&l);
    }
    CHECK(from_input(&l, "a\0b\n", 4) == TX_ERR_FORMAT, "a byte 0");
    image_list_free(&l);
    tx_free(name);
}

static void folders(void)
{
    image_list l = {0};
    char passed[2 * TX_TEXT], *folder = tx_path_join(temp_folder, "images"), *words[] = {(char *)"model", folder};
    const options o = {.command = command_find("predict"), .argument = words, .arguments = 2};
    static const char *const names[] = {"b.jpg", "a.JPG", "c.jpeg", "d.Jpe",       "e.jpgx",
                                        "f.png", "jpg",   "g",      "inner/z.jpg", "inner.jpg"};
    tx_folder_make(temp_path("images/inner"));
    for (int i = 0; i < 10; i++) {
        char *path = tx_path_join(folder, names[i]);
        temp_text(path, i == 7 ? "\xff\xd8\xff" : "text");
        tx_free(path);
    }
    static const char *const order[] = {"a.JPG", "b.jpg", "c.jpeg", "d.Jpe", "f.png", "g", "inner/z.jpg", "inner.jpg"};
    CHECK(image_list_arguments(&l, &o) == TX_OK && l.count == 8 && l.passed == 2, "%zu images, %zu others: %s", l.count,
          l.passed, tx_error_message());
    for (size_t i = 0; i < l.count && i < 8; i++)
        CHECK(strcmp(l.path[i] + strlen(folder) + 1, order[i]) == 0, "image %zu is %s", i, l.path[i]);
    CHECK(strncmp(image_list_passed(&l, passed), "2 files passed over, expected JPEG, PNG or PNM (the first is ", 60) ==
                  0 &&
              strstr(passed, "e.jpgx: no image"),
          "%s", passed);
    image_list_free(&l);
    tx_free(folder);
}

/* 301 losses are drawn as means of three; the last one alone. Of equally rare tasks the first two of the table are drawn. */
static void curves(void)
{
    tx_buffer p = {0};
    metrics m;
    FILE *f = fopen(temp_path("log.csv"), "w");
    fprintf(f, "step,epoch,examples,loss,lr,images_per_s,seconds\n");
    for (int i = 1; i <= 301; i++)
        fprintf(f, "%d,1,1,%s,0.1,1,1\n", i, i % 3 == 2 ? "nan" : i == 301 ? "7" : "5");
    fclose(f);
    temp_text(temp_path("metrics.csv"),
              "step,split,task,positives,negatives,auc,low,high,method\n"
              "8,valid,Edema,9,3,0.25,0,1,x\n8,valid,Hernia,3,9,0.5,0,1,x\n8,valid,Mass,3,3,0.75,0,1,x\n"
              "8,valid,Few,2,90,0.625,0,1,x\n8,test,Most,50,50,0.625,0,1,x\n8,valid,None,40,40,nan,0,1,x\n"
              "8,valid,mean6,nan,nan,0.5,nan,nan,x\n8,valid,mean,nan,nan,nan,nan,nan,x\n"
              "4,valid,Edema,9,3,0.125,0,1,x\n");
    CHECK(metrics_read(&m, temp_folder) == TX_OK && report_curves(&p, temp_folder, &m, 8) == TX_OK, "%s",
          tx_error_message());
    CHECK(p.data && strstr(p.data, ">Training loss (means of 3 steps)<"), "the title");
    const char *line = p.data ? strstr(p.data, "stroke-dasharray=\"\" d=\"M") : NULL;
    int points = 1;
    double x = 0, y = 0, before = 0, x_before = 0;
    for (const char *q = line ? strchr(line, 'M') : NULL; q && *q != '"'; points++) {
        char *end;
        x_before = x;
        before = y;
        x = strtod(q + 1, &end);
        y = strtod(end, &end);
        q = end;
    }
    CHECK(points - 1 == 101, "%d points", points - 1);
    CHECK(y < before - 50 && x > x_before && x - x_before < 6, "the last loss stands at %g, %g behind %g, %g", x, y,
          x_before, before);
    CHECK(p.data && strstr(p.data, ">mean6</text>") && strstr(p.data, ">Edema</text>") &&
              strstr(p.data, ">Hernia</text>") && !strstr(p.data, ">Mass</text>") && !strstr(p.data, ">mean</text>") &&
              !strstr(p.data, ">None</text>") && !strstr(p.data, ">Most</text>"),
          "other lines are drawn");
    metrics_free(&m);
    tx_buffer_free(&p);
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_model");
    best();
    lines();
    folders();
    curves();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_model");
}
