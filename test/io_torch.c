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

/* ----------------------------------------------------------------------------------------------- made here */
#define STORAGE(type) "(U\7storagectorch\n" type "\nU\1kU\3cpuK\4tQ"
#define TENSOR_OF(type, offset, shape, stride) \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE(type) offset shape stride "\x89NtR"
#define TENSOR(offset, shape, stride) TENSOR_OF("FloatStorage", offset, shape, stride)
#define FOUR TENSOR("K\0", "K\4\x85", "K\1\x85")
#define NAMED(name) "}U\1" name FOUR "s"
#define BYTES(text) text, sizeof text - 1
#define HUGE_SIDE "J\0\0\0\x40"

static const struct {
    const char *pickle;
    size_t size;
    const char *message; /* NULL: it is read */
} made[] = {
    {BYTES(NAMED("a") "."), NULL},
    {BYTES("}U\1a" TENSOR("K\1", "K\3\x85", "K\1\x85") "s."), NULL},
    {BYTES("}U\1a" TENSOR("K\1", "K\4\x85", "K\1\x85") "s."), "tensor 'a': it goes beyond its storage"},
    {BYTES("}U\1a" TENSOR("K\4", "K\0\x85", "K\1\x85") "s."), NULL},
    {BYTES("}U\1a" TENSOR("K\5", "K\0\x85", "K\1\x85") "s."), "it goes beyond its storage"},
    {BYTES("}U\1a" TENSOR("K\0", "K\2K\2\x86", "K\3K\1\x86") "s."), "it goes beyond its storage"},
    {BYTES("}U\1a" TENSOR("K\0", "K\2K\2\x86", "K\2K\1\x86") "s."), NULL},
    {BYTES("}U\1a" TENSOR("K\0", "K\2K\4\x86", "K\0K\1\x86") "s."), NULL},
    {BYTES("}U\1a" TENSOR("K\0", HUGE_SIDE "\x85", "K\0\x85") "s."), "more numbers than the file has bytes for"},
    {BYTES("}U\1a" TENSOR("K\0", HUGE_SIDE HUGE_SIDE HUGE_SIDE "\x87", "K\0K\0K\0\x87") "s."), "does not fit"},
    {BYTES("}U\1a" TENSOR("K\0", HUGE_SIDE "\x85", "\x8a\x08\0\0\0\0\0\0\0\x40\x85") "s."), "does not fit"},
    {BYTES("}U\1a" TENSOR("K\0", "K\2\x85", "J\xff\xff\xff\xff\x85") "s."), "its strides are not"},
    {BYTES("}U\1a" TENSOR("J\xff\xff\xff\xff", "K\2\x85", "K\1\x85") "s."), "its offset is no whole number"},
    {BYTES("}U\1a" TENSOR("K\0", "K\2K\2\x86", "K\1\x85") "s."), "its strides are not"},
    {BYTES("}U\1a" TENSOR("K\0", "(222222222t", "(t") "s."), "byte"},
    {BYTES("}U\1a" TENSOR("K\0",
                          "(K\1"
                          "22222222t",
                          "(K\1"
                          "22222222t") "s."),
     "at most 8 whole numbers"},
    {BYTES("}U\1a" TENSOR_OF("ComplexFloatStorage", "K\0", "K\1\x85", "K\1\x85") "s."),
     "no tensor of a type that is read has it"},
    {BYTES(NAMED("a") "U\1a" FOUR "s."), "tensor 'a': is there twice"},
    {BYTES("}(U\1p" NAMED("a") "U\1q" NAMED("a") "u."), "2 dicts of tensors, none of which is known"},
    {BYTES("}(U\1p" NAMED("a") "U\5model" NAMED("a") "u."), NULL},
    {BYTES("}(U\1p" NAMED("a") "U\1qK\1u."), NULL},
    {BYTES("(" FOUR FOUR "l."), "a list of 2 tensors without names"},
    {BYTES(FOUR "."), "one tensor without a name"},
    {BYTES("N."), "no tensors with names"},
    {BYTES("cany\nC\n)\x81}b."), "an object of any.C, which is no module"},
    {BYTES("}q\0U\nstate_dicth\0s."), "no tensors with names"},
    {BYTES("}q\0(U\nstate_dict}U\5modelh\0su."), "no tensors with names"},
    {BYTES("}(U\1a" FOUR "U\1bcos\nsystem\nU\1x\x85Ru."), "a pickle that calls os.system"},
    {BYTES("}(U\1a" FOUR "U\1bc__builtin__\neval\nU\1x\x85Ru."), "a pickle that calls __builtin__.eval"},
    {BYTES("}(U\1a" FOUR "U\1bcbuiltins\ngetattr\nU\1x\x85Ru."), "a pickle that calls builtins.getattr"},
    {BYTES("}(U\1a" FOUR "U\1bctorch.hub\nload\nU\1x\x85Ru."), "a pickle that calls torch.hub.load"},
    {BYTES("}(U\1a" FOUR "U\1bctorch._utils\n_rebuild\n)Ru."), "a pickle that calls torch._utils._rebuild,"},
    {BYTES("}(U\1a" FOUR "U\1bctimm.layers.format\nFormat\nU\4NCHW\x85Ru."), NULL},
    {BYTES("}(U\1a" FOUR "U\1bctimm.layers.format\nFormatted\nU\4NCHW\x85Ru."), "calls timm.layers.format.Formatted"},
    {BYTES("}(U\1a" FOUR "U\1bcos\nsystem\nu."), NULL},
    {BYTES("}(U\1a" FOUR "U\1bcany\nC\n)\x81}U\1xK\1sbu."), NULL},
    {BYTES("}(U\1a" FOUR "U\1b" FOUR "u."), NULL},
    {BYTES("}U\2\xc3\x28" FOUR "s."), "a tensor's name that is no UTF-8"},
    {BYTES("}U\2a\0" FOUR "s."), "whose name is no text"},
    {BYTES("}U\0" FOUR "s."), "a tensor's name that is empty"},
    {BYTES("}(K\1" FOUR "U\1a" FOUR "u."), "whose name is no text"},
    {BYTES("cany\nM\n)\x81q\0}(U\013_parameters" NAMED("a") "U\010_modules}U\1xh\0sub."), "more than 64 deep"},
    {BYTES("cany\nM\n)\x81q\0}(U\013_parameters" NAMED("a") "U\010_modules}U\1xNsub."), NULL},
    {BYTES("cany\nM\n)\x81q\0}(U\013_parameters}U\010_modules}U\1xK\1sub."), "where a module should, and is none"},
    {BYTES("cany\nM\n)\x81q\0}(U\013_parameters}U\010_modules}ub."), "a module without tensors"},
};

/* A file of before 2020 with that pickle and a storage of four numbers. */
static const char *old_file(const char *pickle, size_t size, size_t elements)
{
    static const char head[] = "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}.", keys[] = "]U\1ka.";
    static unsigned char bytes[1 << 16];
    size_t n = sizeof head - 1;
    memcpy(bytes, head, n);
    memcpy(bytes + n, pickle, size);
    n += size;
    memcpy(bytes + n, keys, sizeof keys - 1);
    n += sizeof keys - 1;
    memset(bytes + n, 0, 8 + 4 * elements);
    bytes[n] = (unsigned char)elements;
    const char *path = temp_path("made.pth");
    temp_write(path, bytes, n + 8 + 4 * elements);
    return path;
}

static void files_made(void)
{
    long live = tx_alloc_live();
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        int sound = read_all(old_file(made[i].pickle, made[i].size, 4));
        if (!made[i].message)
            CHECK(sound, "case %zu: %s", i, tx_error_message());
        else
            CHECK(!sound && strstr(tx_error_message(), made[i].message), "case %zu: %s, expected %s", i,
                  sound ? "taken" : tx_error_message(), made[i].message);
    }
    CHECK(!read_all(old_file(BYTES(NAMED("a") "."), 3)) && strstr(tx_error_message(), "another number of elements"),
          "%s", tx_error_message());
    /* Each of 40 modules has the next twice. */
    static char pickle[1 << 14];
    static const char begin[] = "cany\nM\n)\x81}(U\013_parameters" NAMED("a") "U\010_modules}";
    static const char twice[] = "q\1"
                                "0(U\1xh\1U\1yh\1uub";
    size_t n = 0;
    for (int k = 0; k < 40; k++, n += sizeof begin - 1)
        memcpy(pickle + n, begin, sizeof begin - 1);
    memcpy(pickle + n, "ub", 2);
    n += 2;
    for (int k = 1; k < 40; k++, n += sizeof twice - 1)
        memcpy(pickle + n, twice, sizeof twice - 1);
    memcpy(pickle + n, ".", 1);
    CHECK(!read_all(old_file(pickle, n + 1, 4)) && strstr(tx_error_message(), "more than 2^18 tensors"), "%s",
          tx_error_message());
    CHECK(tx_alloc_live() == live, "%ld blocks are lost", tx_alloc_live() - live);
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
    files_made();
    without_memory();
    temp_end();
    return test_done("io_torch");
}
