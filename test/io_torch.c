/* io_torch.c - PyTorch's files: every kind of test/pth/expected.txt, what is beside the tensors, files cut and damaged at every
 * byte, and what must be refused. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

static const char *const folder = "test/pth/";

static const char *fixture(const char *name)
{
    static char path[4][200];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s%.100s", folder, name);
    return path[next];
}

static unsigned char *contents(const char *name, size_t *size)
{
    unsigned char *bytes = NULL;
    CHECK(tx_file_read(fixture(name), 1 << 20, &bytes, size) == TX_OK, "%s", tx_error_message());
    return bytes;
}

/* --------------------------------------------------------------------------------------- what is expected */
static void check_values(tx_tensor_file *f, const tx_stored *t, size_t k)
{
    float *v = tx_alloc(t->count, sizeof *v);
    int64_t *w = tx_alloc(t->count, sizeof *w);
    int is_float = t->dtype <= TX_BF16, right = 1;
    tx_status status = is_float ? tx_tensor_file_floats(f, t, v) : tx_tensor_file_integers(f, t, w);
    CHECK(status == TX_OK, "%s", tx_error_message());
    CHECK((is_float ? tx_tensor_file_integers(f, t, w) : tx_tensor_file_floats(f, t, v)) == TX_ERR_FORMAT,
          "%s is of two types", t->name);
    for (size_t i = 0; i < t->count; i++) {
        int wanted = (int)((7 * i + 13 * k) % 64);
        right =
            right && (is_float ? v[i] == (float)wanted / 8 - 4 : w[i] == (t->dtype == TX_BOOL ? wanted % 2 : wanted));
    }
    CHECK(right, "%s: %s", tx_tensor_file_name(f), t->name);
    tx_free(v);
    tx_free(w);
}

/* "name type side side .." */
static void check_line(tx_tensor_file *f, size_t k, char *line)
{
    char *name = strtok(line, " "), *type = strtok(NULL, " "), *side;
    const tx_stored *t = tx_tensor_file_at(f, k);
    CHECK(t && strcmp(t->name, name) == 0 && strcmp(tx_dtype_name(t->dtype), type) == 0, "%s: tensor %zu is no %s %s",
          tx_tensor_file_name(f), k, name, type);
    if (!t)
        return;
    int dims = 0;
    while ((side = strtok(NULL, " "))) {
        CHECK(dims < t->dims && t->shape[dims] == strtoul(side, NULL, 10), "%s: %s: side %d", tx_tensor_file_name(f),
              name, dims);
        dims++;
    }
    CHECK(t->dims == dims && tx_tensor_file_find(f, name) == t, "%s: %s", tx_tensor_file_name(f), name);
    check_values(f, t, k);
}

static void expected(void)
{
    char line[200];
    tx_tensor_file *f = NULL;
    size_t k = 0, files = 0;
    FILE *list = fopen(fixture("expected.txt"), "r");
    CHECK(list != NULL, "no expected.txt");
    while (list && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "file ", 5) == 0) {
            CHECK(!f || tx_tensor_file_count(f) == k, "%s: %zu tensors, not %zu", tx_tensor_file_name(f),
                  tx_tensor_file_count(f), k);
            tx_tensor_file_close(f);
            f = tx_tensor_file_open(fixture(line + 5));
            CHECK(f && !tx_tensor_file_meta(f, "format"), "%s", tx_error_message());
            k = 0;
            files++;
        } else if (f && strncmp(line, "class ", 6) == 0) {
            const char *class = tx_tensor_file_class(f);
            CHECK(class && strcmp(class, line + 6) == 0, "%s: class %s", tx_tensor_file_name(f), class);
        } else if (f) {
            check_line(f, k++, line);
        }
    }
    CHECK(f && tx_tensor_file_count(f) == k && files == 20, "%zu files, the last of %zu tensors", files, k);
    tx_tensor_file_close(f);
    if (list)
        fclose(list);
}

/* ------------------------------------------------------------------------------------- beside the tensors */
static void text(const tx_tensor_file *f, const char *key, size_t i, const char *wanted)
{
    const char *found = tx_tensor_file_text(f, key, i);
    CHECK(wanted ? found && strcmp(found, wanted) == 0 : !found, "%s: %s %zu is %s", tx_tensor_file_name(f), key, i,
          found ? found : "not there");
}

static void beside(void)
{
    static const char *const modules[] = {"module.pth", "module-legacy.pth", "within.pth"};
    float v[4];
    for (int i = 0; i < 3; i++) {
        tx_tensor_file *f = tx_tensor_file_open(fixture(modules[i]));
        CHECK(f != NULL, "%s", tx_error_message());
        const tx_stored *t = tx_tensor_file_attribute(f, "op_threshs");
        CHECK(t && t->count == 4 && tx_tensor_file_floats(f, t, v) == TX_OK && v[0] == (float)39 / 8 - 4 &&
                  v[3] == (float)60 / 8 - 4,
              "%s", tx_error_message());
        CHECK(!tx_tensor_file_find(f, "op_threshs") && !tx_tensor_file_attribute(f, "passing"), "an attribute");
        CHECK(tx_tensor_file_attribute(f, "scale") == tx_tensor_file_find(f, "scale"), "a buffer");
        text(f, "targets", 0, "Edema");
        text(f, "targets", 1, "");
        text(f, "targets", 2, "Mass");
        text(f, "targets", 3, NULL);
        text(f, "ratio", 0, "0.25");
        text(f, "apply_sigmoid", 0, "False");
        text(f, "training", 0, "True");
        text(f, "width", 0, "12");
        text(f, "width", 1, NULL);
        text(f, "_modules", 0, NULL);
        text(f, "note", 0, i == 2 ? "seven" : NULL);
        tx_tensor_file_close(f);
    }
    tx_tensor_file *f = tx_tensor_file_open(fixture("checkpoint.pth.tar"));
    text(f, "classes", 1, "dog");
    text(f, "arch", 0, "tiny");
    const tx_stored *best = tx_tensor_file_attribute(f, "best_acc1");
    CHECK(best && tx_tensor_file_floats(f, best, v) == TX_OK && v[0] == 0.75f, "%s", tx_error_message());
    CHECK(!tx_tensor_file_class(f), "no module");
    tx_tensor_file_close(f);
}

/* ------------------------------------------------------------------------------------------------ damage */
/* All that can be read is read; 1 if there was no error. */
static int read_all(const char *path)
{
    tx_tensor_file *f = tx_tensor_file_open(path);
    int sound = f != NULL;
    for (size_t i = 0; f && i < tx_tensor_file_count(f); i++) {
        const tx_stored *t = tx_tensor_file_at(f, i);
        void *out = tx_alloc(t->count, sizeof(int64_t));
        tx_status status = t->dtype <= TX_BF16 ? tx_tensor_file_floats(f, t, out) : tx_tensor_file_integers(f, t, out);
        sound = sound && out && status == TX_OK;
        tx_free(out);
    }
    tx_tensor_file_close(f);
    return sound;
}

static const char *const small[] = {"zip.pth",          "legacy.pth",     "deflated.pth",        "strided.pth",
                                    "types-legacy.pth", "views-2017.pth", "protocol1-legacy.pth"};
enum { SMALL = sizeof small / sizeof small[0] };

static void cut(void)
{
    for (int i = 0; i < SMALL; i++) {
        size_t size = 0;
        unsigned char *bytes = contents(small[i], &size);
        const char *path = temp_path("c.pth");
        long live = tx_alloc_live();
        int taken = 0, told = 1;
        for (size_t n = 0; n < size; n++) {
            temp_write(path, bytes, n);
            taken += read_all(path);
            told = told && strncmp(tx_error_message(), path, strlen(path)) == 0 && !strchr(tx_error_message(), '\n');
        }
        CHECK(taken == 0 && told, "%s: %d cut files are taken; %s", small[i], taken, tx_error_message());
        CHECK(tx_alloc_live() == live, "%s: %ld blocks are lost", small[i], tx_alloc_live() - live);
        temp_write(path, bytes, size);
        CHECK(read_all(path), "%s", tx_error_message());
        temp_write(path, bytes, size);
        tx_free(bytes);
    }
}

/* A changed byte of a stored entry is noticed by its CRC-32; elsewhere nothing worse than another file comes of it. */
static void flipped(void)
{
    for (int i = 0; i < SMALL; i++) {
        size_t size = 0;
        unsigned char *bytes = contents(small[i], &size);
        const char *path = temp_path("f.pth");
        long live = tx_alloc_live();
        int taken = 0;
        for (size_t n = 0; n < size; n++) {
            unsigned char was = bytes[n];
            bytes[n] = (unsigned char)(temp_random() % 3 ? was ^ 1u << temp_random() % 8 : temp_random() & 255);
            temp_write(path, bytes, size);
            taken += read_all(path);
            bytes[n] = was;
        }
        CHECK(tx_alloc_live() == live, "%s: %ld blocks are lost", small[i], tx_alloc_live() - live);
        CHECK(taken < (int)size, "%s: every change is taken", small[i]);
        tx_free(bytes);
    }
    size_t size = 0;
    unsigned char *bytes = contents("zip.pth", &size);
    const char *path = temp_path("f.pth");
    tx_tensor_file *f = tx_tensor_file_open(fixture("zip.pth"));
    const tx_stored *t = tx_tensor_file_at(f, 0);
    for (uint64_t at = t->from; at < t->to; at += 31) {
        bytes[at] ^= 4;
        temp_write(path, bytes, size);
        CHECK(!read_all(path) && strstr(tx_error_message(), "CRC-32"), "%s", tx_error_message());
        bytes[at] ^= 4;
    }
    tx_tensor_file_close(f);
    tx_free(bytes);
}

static void without_memory(void)
{
    static const char *const files[] = {"deflated.pth", "strided-legacy.pth", "within.pth"};
    for (int i = 0; i < 3; i++) {
        long live = tx_alloc_live(), n = 0;
        int sound = 0;
        for (; !sound && n < 3000; n++) {
            tx_alloc_fail_after(n);
            sound = read_all(fixture(files[i]));
            tx_alloc_fail_after(-1);
            CHECK(tx_alloc_live() == live, "%s: without allocation %ld: %ld blocks are lost", files[i], n,
                  tx_alloc_live() - live);
        }
        CHECK(sound && n > 20, "%s: %ld allocations", files[i], n);
    }
}

int main(void)
{
    if (!temp_begin())
        return 1;
    expected();
    beside();
    cut();
    flipped();
    without_memory();
    temp_end();
    return test_done("io_torch");
}
