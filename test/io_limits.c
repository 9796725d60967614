/* io_limits.c - exactly as much as is allowed, and one more: bytes of a journal, of a cache, of numbers in words; sides and
 * pixels of images. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../io/io_private.h"
#include "../io/jpeg.h"
#include "../io/loader_private.h"
#include "../nets/nets.h"

#include <float.h>
#include <math.h>

static void journals(void)
{
    const char *path = temp_path("j");
    for (uint64_t keep = 0; keep < 10; keep++) {
        char hex[65], wanted[65];
        tx_sha256 sha;
        temp_text(path, "abcde\n\n");
        tx_journal *j = tx_journal_open(path, keep);
        CHECK((j != NULL) == (keep <= 7), "7 bytes, %d of them kept: %s", (int)keep, tx_error_message());
        if (!j) {
            CHECK(temp_holds(path, "abcde\n\n", 7) && strstr(tx_error_message(), "7 bytes, but the saved state"), "%s",
                  tx_error_message());
            continue;
        }
        tx_journal_digest(j, hex);
        tx_sha256_begin(&sha);
        tx_sha256_add(&sha, "abcde\n\n", (size_t)keep);
        tx_sha256_end(&sha, wanted);
        CHECK(tx_journal_bytes(j) == keep && !strcmp(hex, wanted) && temp_holds(path, "abcde\n\n", (size_t)keep),
              "%d bytes are kept", (int)keep);
        CHECK(tx_journal_add(j, "x\n") == TX_OK && tx_journal_add(j, "yz\n") == TX_OK &&
                  tx_journal_bytes(j) == keep + 5,
              "%s", tx_error_message());
        tx_journal_close(j);
        char whole[20];
        snprintf(whole, sizeof whole, "%.*sx\nyz\n", (int)keep, "abcde\n\n");
        CHECK(temp_holds(path, whole, keep + 5), "what was added stands elsewhere");
    }
    /* The last line's end at every place about the end of a block of 4096. */
    static char text[9000];
    for (size_t size = 4090; size < 4103; size++)
        for (size_t end = 0; end < size; end += end < 3 || end > size - 12 ? 1 : end < 2000 ? 3 : size - end - 11) {
            memset(text, 'a', size);
            text[end] = '\n';
            temp_write(path, text, size);
            tx_journal *j = tx_journal_open(path, TX_JOURNAL_ALL);
            CHECK(j && tx_journal_bytes(j) == end + 1, "%zu bytes with a line's end at %zu: %d are kept", size, end,
                  j ? (int)tx_journal_bytes(j) : -1);
            tx_journal_close(j);
            if (end > 6 && end < 2000)
                end = 2000;
        }
    temp_text(path, "no end");
    tx_journal *j = tx_journal_open(path, TX_JOURNAL_ALL);
    CHECK(j && tx_journal_bytes(j) == 0, "a line without an end");
    tx_journal_close(j);
}

static void files(void)
{
    unsigned char *data = NULL;
    size_t n = 0;
    for (size_t size = 0; size < 5; size++)
        for (size_t limit = 0; limit < 6; limit++) {
            temp_write(temp_path("f"), "abcde", size);
            tx_status status = tx_file_read(temp_path("f"), limit, &data, &n);
            CHECK((status == TX_OK) == (size <= limit), "%zu bytes of at most %zu: %d", size, limit, (int)status);
            CHECK(status ? !data && n == 0 : n == size && !memcmp(data, "abcde", n) && data[n] == 0, "%zu bytes", size);
            tx_free(data);
        }
    /* Without a size of its own: a pipe. */
    for (size_t size = 3; size < 6; size++) {
        int ends[2];
        char name[40];
        if (pipe(ends) || write(ends[1], "abcde", size) != (ssize_t)size)
            return;
        close(ends[1]);
        snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
        tx_status status = tx_file_read(name, 4, &data, &n);
        CHECK(access(name, R_OK) != 0 || (status == TX_OK) == (size <= 4), "%zu bytes of a pipe: %d", size,
              (int)status);
        CHECK(status || (n == size && memcmp(data, "abcde", n) == 0), "%zu bytes of a pipe", n);
        tx_free(data);
        close(ends[0]);
    }
}

/* Three grey images of 8 x 8: 64 bytes each. */
static void cache(void)
{
    static const uint32_t index[] = {0, 1, 2};
    FILE *in = fopen("test/pixels/grey-8x8-q97.jpg", "rb");
    unsigned char bytes[4000];
    size_t n = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (in)
        fclose(in);
    CHECK(n > 0, "no fixture here");
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d.jpg", i);
        temp_write(temp_path(name), bytes, n);
    }
    temp_text(temp_path("train.csv"), "Path,Edema\n0.jpg,1\n1.jpg,0\n2.jpg,1\n");
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    static const size_t room[] = {1, 63, 64, 65, 127, 128, 191, 192, 193}, kept[] = {0, 0, 1, 1, 1, 2, 2, 3, 3};
    for (size_t k = 0; d && k < sizeof room / sizeof room[0]; k++) {
        tx_loader_options o = {.preprocess = {.size = 8}, .cache = room[k]};
        tx_normalize_parse("none", &o.preprocess.normalize);
        tx_loader *loader = tx_loader_new(d, &o);
        static float first[3 * 192], again[3 * 192];
        uint32_t taken[3];
        size_t count = 0;
        CHECK(loader && tx_loader_batch(loader, 0, index, 3, first, taken, &count) == TX_OK && count == 3, "%s",
              tx_error_message());
        CHECK(tx_loader_cached(loader) == 64 * kept[k], "%zu bytes of %zu are used", tx_loader_cached(loader), room[k]);
        for (int epoch = 1; epoch < 3; epoch++) {
            CHECK(tx_loader_batch(loader, (uint64_t)epoch, index, 3, again, taken, &count) == TX_OK && count == 3 &&
                      !memcmp(first, again, sizeof first),
                  "from memory they are others");
            CHECK(tx_loader_cached(loader) == 64 * kept[k], "%zu bytes of %zu are used", tx_loader_cached(loader),
                  room[k]);
        }
        static const uint32_t beyond[] = {0, 3};
        CHECK(tx_loader_batch(loader, 0, beyond, 2, first, taken, &count) == TX_ERR_ARGUMENT && count == 0,
              "image 3 of 3");
        CHECK(tx_loader_batch(loader, 0, beyond, 0, first, taken, &count) == TX_OK && count == 0, "no image");
        tx_loader_free(loader);
    }
    tx_dataset_free(d);
}

static void sides(void)
{
    tx_preprocess how = {.size = 1};
    tx_normalize_parse("half", &how.normalize);
    static const int side[] = {INT32_MIN, -1, 0, 1, TX_SIZE_MAX - 1, TX_SIZE_MAX, TX_SIZE_MAX + 1, INT32_MAX};
    for (size_t i = 0; i < sizeof side / sizeof side[0]; i++) {
        how.size = side[i];
        CHECK((tx_preprocess_check(&how) == TX_OK) == (side[i] >= 1 && side[i] <= TX_SIZE_MAX), "size %d", side[i]);
    }
    how.size = 8;
    static const double std[] = {0, -0.0, -1, NAN, 5e-324, INFINITY};
    for (size_t i = 0; i < sizeof std / sizeof std[0]; i++)
        for (int c = 0; c < 3; c++) {
            tx_normalize_parse("half", &how.normalize);
            how.normalize.std[c] = std[i];
            CHECK((tx_preprocess_check(&how) == TX_OK) == (i == 4), "a deviation of %g", std[i]);
        }
    tx_normalize_parse("half", &how.normalize);
    /* floor(size * long / short), and the corner rounded half to even. */
    for (int size = 1; size < 20; size++)
        for (int w = 1; w < 40; w += 3)
            for (int h = 1; h < 40; h += 2) {
                tx_framing f;
                how.size = size;
                how.stretch = 0;
                int wide = w < h ? size : size * w / h, high = w < h ? size * h / w : size;
                double left = rint((wide - size) / 2.0), top = rint((high - size) / 2.0);
                CHECK(tx_preprocess_frame(&how, w, h, &f) == TX_OK && f.width == wide && f.height == high &&
                          f.left == (int)left && f.top == (int)top,
                      "%dx%d for %d: %dx%d at %d,%d", w, h, size, f.width, f.height, f.left, f.top);
                how.stretch = 1;
                CHECK(tx_preprocess_frame(&how, w, h, &f) == TX_OK && f.width == size && f.height == size && !f.left &&
                          !f.top,
                      "stretched");
            }
    tx_framing f;
    how.size = TX_SIZE_MAX;
    how.stretch = 0;
    CHECK(tx_preprocess_frame(&how, 7, 7, &f) == TX_OK && f.width == TX_SIZE_MAX, "2^28 pixels: %s",
          tx_error_message());
    CHECK(tx_preprocess_frame(&how, 16384, 16385, &f) == TX_ERR_FORMAT &&
              tx_preprocess_frame(&how, 16385, 16384, &f) == TX_ERR_FORMAT,
          "a row, or a column, more");
    how.size = 2;
    CHECK(tx_preprocess_frame(&how, 1, 1 << 26, &f) == TX_OK && f.height == 1 << 27, "a long one");
    CHECK(tx_preprocess_frame(&how, 1, (1 << 26) + 1, &f) == TX_ERR_FORMAT, "a longer one");
}

static void normalisations(void)
{
    tx_normalize n;
    char text[200];
    for (size_t digits = 61; digits < 66; digits++) {
        char number[80] = "0.5";
        memset(number + 3, '0', digits - 3);
        number[digits] = 0;
        for (int at = 0; at < 6; at++) {
            text[0] = 0;
            for (int i = 0; i < 6; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                         i == 0   ? ""
                         : i == 3 ? "/"
                                  : ",",
                         i == at ? number : "1");
            CHECK((tx_normalize_parse(text, &n) == TX_OK) == (digits < 64), "%zu characters in place %d", digits, at);
            CHECK(digits > 63 || (at < 3 ? n.mean[at] : n.std[at - 3]) == 0.5, "another number in place %d", at);
        }
    }
    static const char *const bad[] = {"",
                                      "1",
                                      "1,1,1",
                                      "1,1,1/",
                                      "1,1,1/1,1",
                                      "1,1/1,1,1",
                                      "1,1,1/1,1,0",
                                      "1,1,1/-1,1,1",
                                      "1,1,1/1,0,1",
                                      "1,1,1/1,1,1/",
                                      "1,1,1/1,1,1,",
                                      "1,1,1,1/1,1,1",
                                      "x,1,1/1,1,1",
                                      "nan,1,1/1,1,1",
                                      "imagenet ",
                                      "imagen",
                                      "halfs",
                                      "None",
                                      "1,1,1/1,1,inf"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(tx_normalize_parse(bad[i], &n) == TX_ERR_ARGUMENT, "'%s' is taken", bad[i]);
    CHECK(tx_normalize_parse("-1,0,2e0/3,4,5", &n) == TX_OK && n.mean[0] == -1 && n.mean[1] == 0 && n.mean[2] == 2 &&
              n.std[0] == 3 && n.std[1] == 4 && n.std[2] == 5,
          "%s", tx_error_message());
    /* Red, green and blue each by their own numbers, and a grey image by all three. */
    tx_pixel_table table;
    tx_pixel_table_make(&n, &table);
    for (int v = 0; v < 256; v += 15)
        CHECK(table.value[0][v] == (float)((v / 255.0 + 1) / 3) && table.value[1][v] == (float)(v / 255.0 / 4) &&
                  table.value[2][v] == (float)((v / 255.0 - 2) / 5),
              "value %d", v);
    tx_normalize xrv;
    tx_pixel_table wide;
    CHECK(tx_normalize_parse("xrv", &xrv) == TX_OK, "%s", tx_error_message());
    tx_pixel_table_make(&xrv, &wide);
    for (int v = 0; v < 256; v++) {
        float share = (float)v / 255, wanted = 2048 * (share - 0.5F);
        CHECK(wide.value[0][v] == wanted && wide.value[1][v] == wanted && wide.value[2][v] == wanted, "value %d", v);
    }
    unsigned char grey[6 * 5], rgb[6 * 5 * 3];
    for (int i = 0; i < 90; i++)
        rgb[i] = (unsigned char)(i * 2);
    for (int i = 0; i < 30; i++)
        grey[i] = (unsigned char)(i * 7);
    float found[27];
    for (int channels = 1; channels <= 3; channels += 2)
        for (int top = 0; top <= 2; top++)
            for (int left = 0; left <= 3; left++) {
                const tx_image image = {6, 5, channels, channels == 1 ? grey : rgb};
                tx_pixels_crop(&image, &table, left, top, &(tx_preprocess){.size = 3}, found);
                int right = 1;
                for (int i = 0; i < 27; i++) {
                    int at = (top + i / 9) * 6 + left + i / 3 % 3, c = i % 3;
                    right = right && found[i] == table.value[c][channels == 1 ? grey[at] : rgb[3 * at + c]];
                }
                CHECK(right, "%d channels at %d,%d", channels, left, top);
            }
}

/* Data begin at a multiple of 8 whatever the header's length, wide elements before narrow ones. */
static void alignment(void)
{
    for (size_t n = 1; n < 20; n++) {
        char name[24] = "aaaaaaaaaaaaaaaaaaaa";
        name[n] = 0;
        static const size_t one[] = {1}, three[] = {3};
        const double wide = 0.5;
        const float middle[] = {1, 2, 3};
        const unsigned char narrow[] = {7, 8, 9};
        const char *path = temp_path("a.safetensors");
        tx_safetensors_writer *w = tx_safetensors_create(path);
        tx_safetensors_put(w, "narrow", TX_U8, 1, three, narrow);
        tx_safetensors_put(w, name, TX_F32, 1, three, middle);
        tx_safetensors_put(w, "wide", TX_F64, 1, one, &wide);
        CHECK(tx_safetensors_finish(w) == TX_OK, "%s", tx_error_message());
        unsigned char *bytes = NULL;
        size_t size = 0;
        CHECK(tx_file_read(path, 4000, &bytes, &size) == TX_OK && size > 8, "%s", tx_error_message());
        size_t header = bytes ? (size_t)(bytes[0] | bytes[1] << 8) : 0;
        CHECK(header % 8 == 0 && size == 8 + header + 23, "a name of %zu: a header of %zu bytes in a file of %zu", n,
              header, size);
        CHECK(bytes && bytes[8 + header - 1] != 0 && memcmp(bytes + size - 3, narrow, 3) == 0, "narrow ones come last");
        CHECK(bytes && bytes[8 + header + 7] == 0x3f && bytes[8 + header + 6] == 0xe0, "wide ones come first");
        tx_free(bytes);
    }
}

/* The largest number is one, of whichever sign; a tensor of more dimensions is another. */
static void weights(void)
{
    const tx_net_choice choice = {.net = tx_net_find("resnet18"), .cut = 3, .classes = 3, .size = 32};
    tx_network net;
    CHECK(tx_network_build(&net, &choice, 0, NULL) == TX_OK, "%s", tx_error_message());
    tx_weights *w = tx_weights_new(net.graph, 0);
    tx_weights_init(w, 1);
    const tx_param *p = tx_graph_param(net.graph, 0);
    float *value = tx_weights_param(w, p);
    static const float sound[] = {FLT_MAX, -FLT_MAX, 0, -0.0f}, bad[] = {INFINITY, -INFINITY, NAN};
    for (int i = 0; i < 4; i++) {
        value[p->count - 1] = sound[i];
        CHECK(tx_checkpoint_check(w, "w") == TX_OK, "%g: %s", (double)sound[i], tx_error_message());
    }
    for (int i = 0; i < 3; i++) {
        value[p->count - 1] = bad[i];
        CHECK(tx_checkpoint_check(w, "w") == TX_ERR_FORMAT, "%g is taken", (double)bad[i]);
    }
    value[p->count - 1] = 1;
    /* Every tensor once with a side of 1 more, before and behind. */
    for (int odd = -1; odd < tx_graph_params(net.graph); odd += odd < 6 ? 1 : 7)
        for (int behind = 0; behind < 2; behind++) {
            const char *path = temp_path("w.safetensors");
            tx_safetensors_writer *out = tx_safetensors_create(path);
            float *zeros = tx_alloc((size_t)1 << 20, sizeof *zeros);
            for (int i = 0; i < tx_graph_params(net.graph); i++) {
                const tx_param *q = tx_graph_param(net.graph, i);
                size_t shape[TX_STORED_DIMS];
                int dims = 0;
                if (i == odd && !behind)
                    shape[dims++] = 1;
                for (int k = 0; k < q->dims; k++)
                    shape[dims++] = (size_t)q->shape[k];
                if (i == odd && behind)
                    shape[dims++] = 1;
                tx_safetensors_put(out, q->name, q->role == TX_ROLE_COUNTER ? TX_I64 : TX_F32, dims, shape, zeros);
            }
            CHECK(tx_safetensors_finish(out) == TX_OK, "%s", tx_error_message());
            int counter = odd >= 0 && tx_graph_param(net.graph, odd)->role == TX_ROLE_COUNTER;
            CHECK((tx_checkpoint_load(path, w, 0, NULL) == TX_OK) == (odd < 0 || counter),
                  "tensor %d has a side more: %s", odd, tx_error_message());
            tx_free(zeros);
        }
    tx_weights_free(w);
    tx_network_free(&net);
}

/* The checksum is of the whole file. */
static void sums(void)
{
    unsigned char bytes[40000];
    uint64_t sum = 0, first = 0;
    tx_image image;
    memset(bytes, 'a', sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at += at < 4 ? 1 : 3999) {
        bytes[at] = 'b';
        temp_write(temp_path("i.jpg"), bytes, sizeof bytes);
        CHECK(tx_image_read_sum(temp_path("i.jpg"), &image, &sum) == TX_ERR_FORMAT &&
                  sum == tx_checksum(bytes, sizeof bytes) && sum != first,
              "byte %zu", at);
        first = sum;
    }
    CHECK(tx_image_read_sum(temp_path("none"), &image, &sum) == TX_ERR_FILE && sum == 0, "no file");
}

/* Sums beyond 16 bits are cut to them, so that bright stays bright (but those that the first step of a transform makes of
 * its values 0 and 4, which fall over as in other decoders). */
static void bright(void)
{
    uint16_t step[64];
    for (int k = 0; k < 64; k++)
        step[k] = 255;
    for (int sign = -1; sign <= 1; sign += 2)
        for (int place = 1; place < 64; place++) {
            int16_t c[64] = {0};
            unsigned char out[64];
            c[0] = (int16_t)(sign * 127);
            c[8] = 1; /* not one row alone */
            c[place] = place % 8 != 4 && place / 8 != 4;
            tx_jpeg_idct(c, step, out, 8);
            int right = 1;
            for (int i = 0; i < 64; i++)
                right = right && out[i] == (sign > 0 ? 255 : 0);
            CHECK(right, "a block of %d, coefficient %d", sign * 127 * 255, place);
        }
}

/* A digit behind the 800th still says to which side a tie falls. */
static void digits(void)
{
    char text[1200];
    for (size_t zeros = 770; zeros < 900; zeros++)
        for (int last = 0; last < 2; last++) {
            int n = snprintf(text, sizeof text, "9007199254740993.");
            memset(text + n, '0', zeros);
            snprintf(text + n + zeros, 3, "%d", last);
            double found = 0;
            CHECK(tx_number_parse(text, &found) == 0 && found == (last ? 9007199254740994.0 : 9007199254740992.0),
                  "%zu zeros and %d: %.17g", zeros, last, found);
        }
}

/* Of a header alone, as no such image can be made here. */
static void pixels(void)
{
    static const int size[][2] = {{16384, 16384}, {16384, 16385}, {16385, 16384}, {65535, 4096},
                                  {65535, 4097},  {4096, 65535},  {1, 65535}};
    static const int fits[] = {1, 0, 0, 1, 0, 1, 1};
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        unsigned char head[] = "\xff\xd8\xff\xc0\x00\x0b\x08hhww\x01\x01\x11\x00\xff\xda";
        int w = 0, h = 0, channels = 0;
        head[7] = (unsigned char)(size[i][1] >> 8);
        head[8] = (unsigned char)size[i][1];
        head[9] = (unsigned char)(size[i][0] >> 8);
        head[10] = (unsigned char)size[i][0];
        temp_write(temp_path("h.jpg"), head, sizeof head - 1);
        tx_status status = tx_image_header(temp_path("h.jpg"), &w, &h, &channels);
        CHECK((status == TX_OK) == fits[i], "%d x %d: %s", size[i][0], size[i][1], tx_error_message());
        CHECK(fits[i] ? w == size[i][0] && h == size[i][1] && channels == 1 : !w && !h && !channels, "%d x %d", w, h);
        tx_image image;
        CHECK(tx_image_read(temp_path("h.jpg"), &image) == TX_ERR_FORMAT && !image.pixels &&
                  (strstr(tx_error_message(), "more than 2^28") == NULL) == fits[i],
              "%s", tx_error_message());
    }
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_limits");
    journals();
    files();
    cache();
    sides();
    normalisations();
    alignment();
    weights();
    sums();
    bright();
    digits();
    pixels();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("io_limits");
}
