/* library_files.c - every public call of io with wrong arguments, as test/library_calls.c does for the other floors. */
#define _DEFAULT_SOURCE
#include "io_temp.h"
#include "refused.h"

#include <limits.h>
#include <math.h>

static void give_nothing(void *to, const void *bytes, size_t n)
{
    (void)to;
    (void)bytes;
    (void)n;
}

static const char *name_at(const void *context, int i)
{
    (void)context;
    return i == 0 ? "resnet18" : NULL;
}

static void check_text(void)
{
    char out[TX_HINT];
    double value;
    int64_t whole;
    REFUSED(*tx_number_print(NULL, 8, 1, 9) == 0, "tx_number_print");
    REFUSED(*tx_number_print(out, 0, 1, 9) == 0, "tx_number_print");
    REFUSED(*tx_number_fixed(NULL, 8, 1, 2) == 0, "tx_number_fixed");
    REFUSED(*tx_number_shortest(NULL, 8, 1) == 0, "tx_number_shortest");
    CHECK(strcmp(tx_number_print(out, sizeof out, 1.5, INT_MIN), "2") == 0 &&
              strcmp(tx_number_print(out, sizeof out, 1.5, INT_MAX), "1.5") == 0,
          "digits beyond reason: %s", out);
    CHECK(strcmp(tx_number_fixed(out, sizeof out, 2.5, INT_MIN), "2") == 0 &&
              strcmp(tx_number_fixed(out, sizeof out, 2.5, INT_MAX), "2.5") == 0,
          "decimals beyond reason: %s", out);
    REFUSED(tx_number_parse(NULL, &value) == -1, "no text");
    REFUSED(tx_number_parse("1", NULL) == -1, "tx_number_parse");
    REFUSED(tx_integer_parse(NULL, &whole) == -1, "no text");
    REFUSED(tx_integer_parse("1", NULL) == -1, "tx_integer_parse");
    REFUSED((tx_quote_csv(NULL, give_nothing, NULL), 1), "no text");
    REFUSED((tx_quote_csv("a", NULL, NULL), 1), "no function");
    REFUSED((tx_quote_json(NULL, give_nothing, NULL), 1), "no text");
    REFUSED((tx_quote_json("a", NULL, NULL), 1), "no function");
    REFUSED(tx_nearest_name(NULL, 1, name_at, NULL) == NULL, "no text");
    REFUSED(tx_nearest_name("resnet19", 1, NULL, NULL) == NULL, "no names");
    CHECK(tx_nearest_name("resnet19", INT_MIN, name_at, NULL) == NULL, "a name of none");
    REFUSED(*tx_nearest_hint(NULL, "resnet19", 1, name_at, NULL) == 0, "tx_nearest_hint");
    REFUSED(*tx_nearest_hint(out, NULL, 1, name_at, NULL) == 0, "no text");
    REFUSED(*tx_nearest_hint(out, "resnet19", 1, NULL, NULL) == 0, "no names");
    REFUSED(*tx_duration(NULL, 3) == 0, "tx_duration");
    CHECK(strcmp(tx_duration(out, (double)NAN), "?") == 0 && strcmp(tx_duration(out, -1), "?") == 0, "%s", out);
}

static void check_buffer(void)
{
    const char *null = NULL;
    tx_buffer b = {0};
    REFUSED((tx_buffer_add(NULL, "%d", 1), 1), "no buffer");
    REFUSED((tx_buffer_append(NULL, "a"), 1), "no buffer");
    REFUSED((tx_buffer_html(NULL, "a"), 1), "no buffer");
    REFUSED((tx_buffer_csv(NULL, "a"), 1), "no buffer");
    REFUSED((tx_buffer_base64(NULL, "a", 1), 1), "no buffer");
    tx_buffer_free(NULL);
    REFUSED((tx_buffer_add(&b, null, 0), b.status != TX_OK), "no text");
    tx_buffer_free(&b);
    REFUSED((tx_buffer_append(&b, NULL), b.status != TX_OK), "no text");
    tx_buffer_free(&b);
    REFUSED((tx_buffer_html(&b, NULL), b.status != TX_OK), "no text");
    tx_buffer_free(&b);
    REFUSED((tx_buffer_base64(&b, NULL, 1), b.status != TX_OK), "no text");
    tx_buffer_free(&b);
    REFUSED((tx_buffer_csv(&b, NULL), b.status != TX_OK), "no text");
    CHECK(tx_buffer_write(&b, temp_path("page")) != TX_OK && !tx_path_exists(temp_path("page")),
          "a page with a failure was written");
    tx_buffer_free(&b);
    REFUSED(tx_buffer_write(NULL, temp_path("page")) != TX_OK, "no buffer");
    REFUSED(tx_buffer_write(&b, NULL) != TX_OK, "no path");
}

static void check_pictures(void)
{
    unsigned char pixels[12] = {0}, *bytes, rgb[3];
    size_t size;
    const float map[4] = {1, 2, 3, 4};
    tx_image grey = {3, 4, 1, pixels}, bad = {3, 4, 2, pixels}, none = {3, 4, 1, NULL}, out;
    tx_framing at = {3, 4, 0, 0, 3, 4}, beyond = {3, 4, 1, 0, 3, 4};
    tx_preprocess how = {.size = 3, .normalize = {{0, 0, 0}, {1, 1, 1}}};
    float values[27];
    REFUSED(tx_png_encode(NULL, &bytes, &size) != TX_OK, "no image");
    REFUSED(tx_png_encode(&none, &bytes, &size) != TX_OK, "no image");
    REFUSED(tx_png_encode(&grey, NULL, &size) != TX_OK, "no room");
    REFUSED(tx_png_encode(&grey, &bytes, NULL) != TX_OK, "no room");
    REFUSED(tx_png_encode(&bad, &bytes, &size) != TX_OK, "2 channels");
    REFUSED(tx_png_write(NULL, &grey) != TX_OK, "no path");
    REFUSED(tx_png_write(temp_path("a.png"), NULL) != TX_OK, "no image");
    REFUSED(tx_npy_write(NULL, map, 2, 2) != TX_OK, "no path");
    REFUSED(tx_npy_write(temp_path("a.npy"), NULL, 2, 2) != TX_OK, "no values");
    REFUSED(tx_npy_write(temp_path("a.npy"), map, 0, 2) != TX_OK, "0 x 2");
    REFUSED((tx_heat_colour(0, NULL), 1), "no room");
    tx_heat_colour(INFINITY, rgb);
    REFUSED(isnan(tx_map_at(NULL, 2, 2, 0, 0)), "no map");
    REFUSED(isnan(tx_map_at(map, 0, 2, 0, 0)), "0 x 2");
    REFUSED(isnan(tx_map_at(map, 2, 2, (double)NAN, 0)), "at nan");
    REFUSED(tx_heat_overlay(NULL, map, 2, 2, &at, 3, &out) != TX_OK, "no image");
    REFUSED(tx_heat_overlay(&grey, NULL, 2, 2, &at, 3, &out) != TX_OK, "no map");
    REFUSED(tx_heat_overlay(&grey, map, 2, 2, NULL, 3, &out) != TX_OK, "no map");
    REFUSED(tx_heat_overlay(&grey, map, 2, 2, &at, 3, NULL) != TX_OK, "no room");
    REFUSED(tx_heat_overlay(&grey, map, 2, 2, &beyond, 3, &out) != TX_OK, "3 pixels from 1, 0");
    REFUSED(tx_preprocess_picture(NULL, "a", values, &at, &out) != TX_OK, "no description");
    REFUSED(tx_preprocess_picture(&how, NULL, values, &at, &out) != TX_OK, "no path");
    REFUSED(tx_preprocess_picture(&how, "a", NULL, &at, &out) != TX_OK, "no room");
    REFUSED(tx_preprocess_picture(&how, "a", values, &at, NULL) != TX_OK, "no picture");
    CHECK(tx_preprocess_picture(&how, temp_path("a"), values, NULL, &out) == TX_ERR_FILE, "a picture of no file");
}

static void check_files(void)
{
    unsigned char *data;
    size_t n;
    uint64_t bytes;
    char **names;
    tx_path_kind kind;
    tx_sha256 s;
    tx_sha256_begin(&s);
    REFUSED(tx_file_read(NULL, 8, &data, &n) != TX_OK, "no path");
    REFUSED(tx_file_read("/", 8, NULL, &n) != TX_OK, "tx_file_read");
    REFUSED(tx_file_read("/", 8, &data, NULL) != TX_OK, "tx_file_read");
    REFUSED(tx_sha256_file(NULL, "/") != TX_OK, "no digest");
    REFUSED(tx_sha256_file(&s, NULL) != TX_OK, "no path");
    REFUSED(tx_sha256_file_start(&s, NULL, 1, &bytes) != TX_OK, "no path");
    REFUSED(tx_sha256_file_start(NULL, "/", 1, &bytes) != TX_OK, "tx_sha256_file_start");
    REFUSED(tx_sha256_file_start(&s, "/", 1, NULL) != TX_OK, "tx_sha256_file_start");
    REFUSED(tx_file_looks(NULL, 3) == NULL, "no bytes");
    CHECK(tx_file_looks(NULL, 0) == NULL, "no bytes look like something");
    REFUSED(tx_path_exists(NULL) == 0, "no path");
    REFUSED(tx_path_look(NULL, &kind) != TX_OK, "no path");
    REFUSED(tx_path_look("/", NULL) != TX_OK, "tx_path_look");
    REFUSED(tx_path_join(NULL, "a") == NULL, "no folder");
    REFUSED(tx_path_join("a", NULL) == NULL, "no name");
    REFUSED(tx_folder_make(NULL) != TX_OK, "no path");
    REFUSED(tx_folder_list(NULL, &names, &n) != TX_OK, "no path");
    REFUSED(tx_folder_list("/", NULL, &n) != TX_OK, "tx_folder_list");
    REFUSED(tx_folder_list("/", &names, NULL) != TX_OK, "tx_folder_list");
    tx_folder_names_free(NULL, 3);
    REFUSED(tx_folder_sweep(NULL, NULL) != TX_OK, "no path");
}

static void check_writing(void)
{
    const char *null = NULL;
    char hex[65];
    tx_lock *lock;
    REFUSED(tx_writer_open(NULL) == NULL, "no path");
    REFUSED(tx_writer_bytes(NULL, "a", 1) != TX_OK, "no writer");
    REFUSED(tx_writer_text(NULL, "a") != TX_OK, "no writer");
    REFUSED(tx_writer_format(NULL, "%d", 1) != TX_OK, "no writer");
    REFUSED(tx_writer_csv(NULL, "a") != TX_OK, "no writer");
    REFUSED(tx_writer_json(NULL, "a") != TX_OK, "no writer");
    REFUSED(tx_writer_commit(NULL) != TX_OK, "no writer");
    tx_writer_abort(NULL);
    tx_writer *w = tx_writer_open(temp_path("text"));
    CHECK(w != NULL, "%s", tx_error_message());
    REFUSED(tx_writer_bytes(w, NULL, 1) != TX_OK, "no data");
    REFUSED(tx_writer_text(w, NULL) != TX_OK, "no text");
    REFUSED(tx_writer_format(w, null, 0) != TX_OK, "no format");
    REFUSED(tx_writer_csv(w, NULL) != TX_OK, "no text");
    REFUSED(tx_writer_json(w, NULL) != TX_OK, "no text");
    tx_writer_abort(w);
    REFUSED(tx_journal_open(NULL, 0) == NULL, "no path");
    REFUSED(tx_journal_add(NULL, "a\n") != TX_OK, "no journal");
    REFUSED(tx_journal_bytes(NULL) == 0, "no journal");
    REFUSED((tx_journal_digest(NULL, hex), 1), "no journal");
    REFUSED(tx_journal_sync(NULL) != TX_OK, "no journal");
    tx_journal_close(NULL);
    tx_journal *j = tx_journal_open(temp_path("journal"), 0);
    CHECK(j != NULL, "%s", tx_error_message());
    REFUSED(tx_journal_add(j, NULL) != TX_OK, "no text");
    REFUSED(tx_journal_add(j, "half a line") != TX_OK && tx_journal_bytes(j) == 0, "without its end");
    REFUSED((tx_journal_digest(j, NULL), 1), "tx_journal_digest");
    tx_journal_close(j);
    REFUSED(tx_lock_take(NULL, 0, &lock) != TX_OK, "no path");
    REFUSED(tx_lock_take(temp_path("lock"), 0, NULL) != TX_OK, "tx_lock_take");
    tx_lock_release(NULL);
}

static void check_parsers(void)
{
    char **field;
    size_t fields;
    tx_json json;
    temp_text(temp_path("t.csv"), "a,b\n1,2\n");
    REFUSED(tx_csv_open(NULL) == NULL, "no path");
    REFUSED(tx_csv_next(NULL, &field, &fields) < 0, "no table");
    REFUSED(tx_csv_line(NULL) == 0, "no table");
    tx_csv_close(NULL);
    tx_csv *csv = tx_csv_open(temp_path("t.csv"));
    REFUSED(tx_csv_next(csv, NULL, &fields) < 0, "tx_csv_next");
    REFUSED(tx_csv_next(csv, &field, NULL) < 0, "tx_csv_next");
    tx_csv_close(csv);
    REFUSED((tx_json_begin(NULL, NULL, 0), 1), "no parser");
    REFUSED((tx_json_begin(&json, NULL, 5), tx_json_next(&json) == TX_JSON_ERROR), "no text");
    REFUSED(tx_json_next(NULL) == TX_JSON_ERROR, "no parser");
}

/* A table of one image that is there, with one task. */
static tx_dataset *small_dataset(void)
{
    temp_text(temp_path("train.csv"), "Path,Edema\npatient1/study1/view1_frontal.jpg,1\n");
    tx_dataset *d = tx_dataset_open(temp_folder, "train", NULL);
    CHECK(d && d->images == 1, "%s", tx_error_message());
    return d;
}

static void check_dataset(void)
{
    tx_dataset *d = small_dataset();
    char **places;
    size_t count, first;
    unsigned char missing[1];
    float label[1];
    uint32_t index[1] = {1};
    tx_dataset_options strange = {.views = (tx_views)9}, blank = {.blank = (tx_blank)-1};
    CHECK(!tx_path_group(NULL, 0).known && !tx_path_group(NULL, 1).known, "the groups of no path");
    REFUSED(tx_dataset_open(NULL, "train", NULL) == NULL, "no folder");
    REFUSED(tx_dataset_open(temp_folder, NULL, NULL) == NULL, "no split");
    REFUSED(tx_dataset_open(temp_folder, "train", &strange) == NULL, "views 9");
    REFUSED(tx_dataset_open(temp_folder, "train", &blank) == NULL, "blank -1");
    tx_dataset_free(NULL);
    REFUSED(tx_dataset_table(NULL, "train") == NULL, "no folder");
    REFUSED(tx_dataset_table(temp_folder, NULL) == NULL, "no split");
    REFUSED(tx_dataset_file(NULL, 0) == NULL, "no dataset");
    REFUSED(tx_dataset_file(d, 1) == NULL, "image 1 of 1");
    REFUSED(tx_dataset_locate(NULL, "a") == NULL, "no folder");
    REFUSED(tx_dataset_locate(temp_folder, NULL) == NULL, "no path");
    REFUSED(tx_dataset_places(NULL, "a", &places, &count) != TX_OK, "no dataset");
    REFUSED(tx_dataset_places(d, NULL, &places, &count) != TX_OK, "no path");
    REFUSED(tx_dataset_places(d, "a", NULL, &count) != TX_OK, "tx_dataset_places");
    REFUSED(tx_dataset_places(d, "a", &places, NULL) != TX_OK, "tx_dataset_places");
    REFUSED(tx_dataset_look(NULL, 0, 1, missing) != TX_OK, "no dataset");
    REFUSED(tx_dataset_look(d, 0, 1, NULL) != TX_OK, "tx_dataset_look");
    REFUSED(tx_dataset_look(d, 0, 2, missing) != TX_OK, "images 0 to 2 of 1");
    REFUSED(tx_dataset_look(d, 1, 0, missing) != TX_OK, "images 1 to 0 of 1");
    REFUSED(tx_dataset_repeats(NULL, d, &count, &first) != TX_OK, "no dataset");
    REFUSED(tx_dataset_repeats(d, NULL, &count, &first) != TX_OK, "no dataset");
    REFUSED(tx_dataset_repeats(d, d, NULL, &first) != TX_OK, "tx_dataset_repeats");
    REFUSED(tx_dataset_repeats(d, d, &count, NULL) != TX_OK, "tx_dataset_repeats");
    REFUSED(tx_dataset_targets(NULL, index, 1, label, label) != TX_OK, "no dataset");
    REFUSED(tx_dataset_targets(d, NULL, 1, label, label) != TX_OK, "no index");
    CHECK(tx_dataset_targets(d, &(uint32_t){0}, 1, NULL, NULL) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_dataset_targets(d, index, 1, label, label) != TX_OK, "image 1 of 1");
    CHECK(tx_uncertain_check(NULL) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_uncertain_check("maybe") != TX_OK, "maybe");
    tx_dataset_free(d);
}

static void check_images(void)
{
    unsigned char pixel[3] = {0};
    tx_image image, small = {1, 1, 3, pixel}, hollow = {1, 1, 3, NULL}, odd = {1, 1, 2, pixel};
    int w, h, c;
    REFUSED(tx_image_decode(NULL, 3, "a", &image) != TX_OK, "no bytes");
    REFUSED(tx_image_decode(pixel, 3, "a", NULL) != TX_OK, "tx_image_decode");
    REFUSED(tx_image_decode(NULL, 0, NULL, &image) != TX_OK, "image");
    REFUSED(tx_image_read(NULL, &image) != TX_OK, "no path");
    REFUSED(tx_image_read("a", NULL) != TX_OK, "tx_image_read");
    REFUSED(tx_image_header(NULL, &w, &h, &c) != TX_OK, "no path");
    REFUSED(tx_image_header("a", NULL, &h, &c) != TX_OK, "tx_image_header");
    REFUSED(tx_image_header("a", &w, NULL, &c) != TX_OK, "tx_image_header");
    REFUSED(tx_image_header("a", &w, &h, NULL) != TX_OK, "tx_image_header");
    REFUSED(tx_image_format(NULL, 3) == NULL, "no bytes");
    CHECK(tx_image_format(NULL, 0) == NULL, "no bytes have a format");
    tx_image_free(NULL);
    REFUSED(tx_image_resize(NULL, 1, 1, TX_BOX, &image) != TX_OK, "no image");
    REFUSED(tx_image_resize(&small, 1, 1, TX_BOX, NULL) != TX_OK, "tx_image_resize");
    REFUSED(tx_image_resize(&small, 1, 1, TX_BOX, &small) != TX_OK && small.pixels == pixel, "into itself");
    REFUSED(tx_image_resize(&small, 1, 1, (tx_interpolation)6, &image) != TX_OK, "filter 6");
    REFUSED(tx_image_resize(&small, 1, 1, (tx_interpolation)-1, &image) != TX_OK, "filter -1");
    REFUSED(tx_image_resize(&hollow, 1, 1, TX_BOX, &image) != TX_OK, "resizing");
    REFUSED(tx_image_resize(&odd, 1, 1, TX_BOX, &image) != TX_OK, "2 channels");
    REFUSED(tx_image_resize(&small, 0, 1, TX_BOX, &image) != TX_OK, "0 x 1");
    REFUSED(tx_image_resize(&small, INT_MAX, INT_MAX, TX_BOX, &image) != TX_OK, "resizing");
}

static void check_batches(void)
{
    tx_dataset *d = small_dataset();
    tx_preprocess how = {.size = 4, .normalize = {{0}, {1, 1, 1}}}, small = how, strange = how, none = how, wide = how;
    tx_normalize normalize;
    tx_framing framing;
    tx_loader_options options = {.preprocess = how}, bad = {.preprocess = how};
    float pixels[48];
    uint32_t index[1] = {0}, far[1] = {1};
    size_t count;
    small.size = 0;
    strange.interpolation = (tx_interpolation)7;
    none.normalize.mean[1] = (double)NAN;
    wide.normalize.std[2] = (double)INFINITY;
    bad.preprocess = wide;
    tx_augment augment;
    tx_preprocess resize;
    char words[TX_AUGMENT_TEXT];
    REFUSED(tx_augment_parse(NULL, &augment) != TX_OK, "no text");
    REFUSED(tx_augment_parse("none", NULL) != TX_OK, "tx_augment_parse");
    REFUSED(!tx_augment_print(NULL, words, sizeof words)[0], "no augmentation");
    REFUSED(!tx_augment_print(&augment, NULL, 5)[0], "no room");
    REFUSED(tx_resize_parse(NULL, &resize) != TX_OK, "no text");
    REFUSED(tx_resize_parse("short", NULL) != TX_OK, "tx_resize_parse");
    REFUSED(tx_normalize_parse(NULL, &normalize) != TX_OK, "no text");
    REFUSED(tx_normalize_parse("none", NULL) != TX_OK, "tx_normalize_parse");
    REFUSED(tx_preprocess_check(NULL) != TX_OK, "no description");
    REFUSED(tx_preprocess_channels(NULL) == 0, "no description");
    REFUSED(tx_preprocess_frame(NULL, 3, 3, &framing) != TX_OK, "no description");
    REFUSED(tx_preprocess_frame(&how, 3, 3, NULL) != TX_OK, "tx_preprocess_frame");
    REFUSED(tx_preprocess_frame(&how, 0, 3, &framing) != TX_OK, "0 x 3");
    REFUSED(tx_preprocess_frame(&how, 3, -1, &framing) != TX_OK, "3 x -1");
    REFUSED(tx_preprocess_frame(&small, 3, 3, &framing) != TX_OK, "size 0");
    REFUSED(tx_preprocess_frame(&strange, 3, 3, &framing) != TX_OK, "filter number 7");
    REFUSED(tx_preprocess_frame(&none, 3, 3, &framing) != TX_OK, "mean nan");
    REFUSED(tx_preprocess_frame(&wide, 3, 3, &framing) != TX_OK, "deviation inf");
    REFUSED(tx_preprocess_file(NULL, "a", pixels, NULL) != TX_OK, "no description");
    REFUSED(tx_preprocess_file(&how, NULL, pixels, NULL) != TX_OK, "no path");
    REFUSED(tx_preprocess_file(&how, "a", NULL, NULL) != TX_OK, "tx_preprocess_file");
    REFUSED(tx_loader_new(NULL, &options) == NULL, "no dataset");
    REFUSED(tx_loader_new(d, NULL) == NULL, "no options");
    REFUSED(tx_loader_new(d, &bad) == NULL, "deviation inf");
    tx_loader_free(NULL);
    tx_loader *l = tx_loader_new(d, &options);
    CHECK(l != NULL, "%s", tx_error_message());
    REFUSED(tx_loader_batch(NULL, 0, index, 1, pixels, index, &count) != TX_OK, "no loader");
    REFUSED(tx_loader_batch(l, 0, NULL, 1, pixels, index, &count) != TX_OK, "no index");
    REFUSED(tx_loader_batch(l, 0, index, 1, NULL, index, &count) != TX_OK, "tx_loader_batch");
    REFUSED(tx_loader_batch(l, 0, index, 1, pixels, NULL, &count) != TX_OK, "tx_loader_batch");
    REFUSED(tx_loader_batch(l, 0, index, 1, pixels, index, NULL) != TX_OK, "tx_loader_batch");
    REFUSED(tx_loader_batch(l, 0, far, 1, pixels, far, &count) != TX_OK, "image 1 of 1");
    REFUSED(tx_loader_bad(NULL, 0) == NULL, "no loader");
    REFUSED(tx_loader_bad(l, 1) == NULL, "image 1 of 1");
    REFUSED(tx_loader_cached(NULL) == 0, "no loader");
    tx_loader_free(l);
    tx_dataset_free(d);
}

static tx_status fill(void *context, size_t tensor, void *out)
{
    (void)context;
    (void)tensor;
    (void)out;
    return TX_OK;
}

static void check_writer_of_tensors(void)
{
    static const size_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {SIZE_MAX, SIZE_MAX};
    static const float one[1] = {1};
    char seal[65];
    REFUSED(tx_dtype_name((tx_dtype)99) == NULL, "number 99");
    REFUSED(tx_dtype_bytes((tx_dtype)-1) == 0, "number -1");
    REFUSED(tx_safetensors_create(NULL) == NULL, "no path");
    REFUSED(tx_safetensors_put_meta(NULL, "a", "b") != TX_OK, "no writer");
    REFUSED(tx_safetensors_put(NULL, "a", TX_F32, 1, shape, one) != TX_OK, "no writer");
    REFUSED(tx_safetensors_put_later(NULL, "a", TX_F32, 1, shape, NULL, NULL) != TX_OK, "no writer");
    REFUSED(tx_safetensors_put_seal(NULL, seal) != TX_OK, "no writer");
    REFUSED(tx_safetensors_finish(NULL) != TX_OK, "no writer");
    tx_safetensors_abandon(NULL);
    for (int k = 0; k < 12; k++) {
        tx_safetensors_writer *w = tx_safetensors_create(temp_path("w.safetensors"));
        switch (k) {
        case 0:
            REFUSED(tx_safetensors_put_meta(w, NULL, "b") != TX_OK, "no key");
            break;
        case 1:
            REFUSED(tx_safetensors_put_meta(w, "a", NULL) != TX_OK, "no value");
            break;
        case 2:
            REFUSED(tx_safetensors_put(w, NULL, TX_F32, 1, shape, one) != TX_OK, "no name");
            break;
        case 3:
            REFUSED(tx_safetensors_put(w, "a", (tx_dtype)99, 1, shape, one) != TX_OK, "number 99");
            break;
        case 4:
            REFUSED(tx_safetensors_put(w, "a", TX_F32, 1, NULL, one) != TX_OK, "no shape");
            break;
        case 5:
            REFUSED(tx_safetensors_put(w, "a", TX_F32, 9, shape, one) != TX_OK, "9 dimensions");
            break;
        case 6:
            REFUSED(tx_safetensors_put(w, "a", TX_F32, 2, huge, one) != TX_OK, "impossible size");
            break;
        case 7:
            REFUSED(tx_safetensors_put_later(w, "a", TX_F32, 1, shape, NULL, NULL) != TX_OK, "no data");
            break;
        case 9:
            REFUSED(tx_safetensors_put(w, "a", TX_F32, 1, shape, NULL) != TX_OK, "no data");
            break;
        case 10:
            REFUSED(tx_safetensors_put_later(w, NULL, TX_F32, 1, shape, fill, NULL) != TX_OK, "no name");
            break;
        case 11:
            REFUSED(tx_safetensors_put_later(w, "a", TX_F32, 1, NULL, fill, NULL) != TX_OK, "no shape");
            break;
        default:
            REFUSED(tx_safetensors_put_seal(w, NULL) != TX_OK, "tx_safetensors_put_seal");
        }
        if (k < 2 || k == 8)
            tx_safetensors_abandon(w);
        else
            CHECK(tx_safetensors_finish(w) != TX_OK && !tx_path_exists(temp_path("w.safetensors")), "case %d: written",
                  k);
    }
}

/* Of a file that holds one tensor, "a" of one number. */
static void tensor_files(const char *path, tx_weights *w)
{
    float numbers[1];
    int64_t whole[1];
    size_t count;
    const tx_stored *found;
    REFUSED(tx_tensor_file_open(NULL) == NULL, "no path");
    tx_tensor_file_close(NULL);
    tx_tensor_file *f = tx_tensor_file_open(path);
    CHECK(f != NULL, "%s", tx_error_message());
    tx_stored stranger = *tx_tensor_file_at(f, 0);
    REFUSED(tx_checkpoint_read(f, NULL, 0, NULL, NULL) != TX_OK, "no weights");
    REFUSED(tx_checkpoint_read(f, w, 64, NULL, NULL) != TX_OK, "flags 64");
    tx_checkpoint_report report;
    const tx_graph *g = w->graph;
    REFUSED(tx_checkpoint_compare(NULL, g, 0, NULL, &report) != TX_OK, "no file");
    REFUSED(tx_checkpoint_compare(f, NULL, 0, NULL, &report) != TX_OK, "no graph");
    REFUSED(tx_checkpoint_compare(f, g, 0, NULL, NULL) != TX_OK, "no room");
    tx_param number = {.name = (char *)"a", .dims = 1, .shape = {1}};
    CHECK(tx_checkpoint_same_shape(&number, &stranger), "the same shape");
    REFUSED(tx_checkpoint_same_shape(NULL, &stranger) == 0, "no parameter");
    REFUSED(tx_checkpoint_same_shape(&number, NULL) == 0, "no tensor");
    REFUSED(tx_checkpoint_passes_over(NULL, NULL) == 0, "no name");
    REFUSED(tx_checkpoint_find(NULL, NULL, "a", &found) != TX_OK, "no file");
    REFUSED(tx_checkpoint_find(f, NULL, NULL, &found) != TX_OK, "no name");
    REFUSED(tx_checkpoint_find(f, NULL, "a", NULL) != TX_OK, "no room for a tensor");
    REFUSED(tx_tensor_file_name(NULL) == NULL, "no file");
    REFUSED(tx_tensor_file_count(NULL) == 0, "no file");
    REFUSED(tx_tensor_file_at(NULL, 0) == NULL, "no file");
    REFUSED(tx_tensor_file_at(f, 1) == NULL, "tensor 1 of 1");
    REFUSED(tx_tensor_file_find(NULL, "a") == NULL, "no file");
    REFUSED(tx_tensor_file_find(f, NULL) == NULL, "no name");
    REFUSED(tx_tensor_file_floats(NULL, &stranger, numbers) != TX_OK, "no file");
    REFUSED(tx_tensor_file_floats(f, NULL, numbers) != TX_OK, "no tensor");
    REFUSED(tx_tensor_file_floats(f, tx_tensor_file_at(f, 0), NULL) != TX_OK, "no room");
    REFUSED(tx_tensor_file_floats(f, &stranger, numbers) != TX_OK, "another file");
    REFUSED(tx_tensor_file_integers(NULL, &stranger, whole) != TX_OK, "no file");
    REFUSED(tx_tensor_file_integers(f, NULL, whole) != TX_OK, "no tensor");
    REFUSED(tx_tensor_file_integers(f, tx_tensor_file_at(f, 0), NULL) != TX_OK, "no room");
    REFUSED(tx_tensor_file_meta(NULL, "a") == NULL, "no file");
    REFUSED(tx_tensor_file_meta(f, NULL) == NULL, "no key");
    REFUSED(tx_tensor_file_metas(NULL, &count) == NULL, "no file");
    REFUSED(tx_tensor_file_metas(f, NULL) == NULL, "no room");
    REFUSED(tx_tensor_file_class(NULL) == NULL, "no file");
    REFUSED(tx_tensor_file_attribute(NULL, "a") == NULL, "no file");
    REFUSED(tx_tensor_file_attribute(f, NULL) == NULL, "no name");
    REFUSED(tx_tensor_file_text(NULL, "a", 0) == NULL, "no file");
    REFUSED(tx_tensor_file_text(f, NULL, 0) == NULL, "no key");
    tx_tensor_file_close(f);
}

static void check_torch(void)
{
    static const tx_stored one = {.name = "a", .dtype = TX_F32, .dims = 1, .shape = {1}};
    const char *path = temp_path("w.pth");
    REFUSED(tx_torch_write(NULL, &one, 1, fill, NULL) != TX_OK, "no path");
    REFUSED(tx_torch_write(path, NULL, 1, fill, NULL) != TX_OK, "no tensors");
    REFUSED(tx_torch_write(path, &one, 1, NULL, NULL) != TX_OK, "no elements");
    CHECK(!tx_path_exists(path), "written");
}

/* A graph of one linear layer, its weights, and a checkpoint of them. */
static void check_checkpoints(void)
{
    float numbers[6];
    int64_t whole[6];
    size_t count;
    tx_graph *g = tx_graph_new();
    tx_input(g, 3, 1, 1);
    tx_weights *w = tx_weights_new(g, 0);
    const char *path = temp_path("c.safetensors");
    REFUSED(tx_checkpoint_save(NULL, w, NULL, 0) != TX_OK, "no path");
    REFUSED(tx_checkpoint_save(path, NULL, NULL, 0) != TX_OK, "no weights");
    REFUSED(tx_checkpoint_save(path, w, NULL, 1) != TX_OK, "no metadata");
    const tx_checkpoint_form form = {.torch = 1};
    REFUSED(tx_checkpoint_write(NULL, w, NULL, 0, &form) != TX_OK, "no path");
    REFUSED(tx_checkpoint_write(path, NULL, NULL, 0, &form) != TX_OK, "no weights");
    REFUSED(tx_checkpoint_write(path, w, NULL, 1, &form) != TX_OK, "no metadata");
    REFUSED(tx_checkpoint_write(path, w, NULL, 0, NULL) != TX_OK, "no form");
    REFUSED(tx_checkpoint_load(NULL, w, 0, NULL) != TX_OK, "no path");
    REFUSED(tx_checkpoint_load(path, NULL, 0, NULL) != TX_OK, "no weights");
    REFUSED(tx_checkpoint_read(NULL, w, 0, NULL, NULL) != TX_OK, "no file");
    REFUSED(tx_checkpoint_check(NULL, "a") != TX_OK, "no weights");
    CHECK(tx_checkpoint_check(w, NULL) == TX_OK, "%s", tx_error_message());
    tx_safetensors_writer *writer = tx_safetensors_create(path);
    tx_safetensors_put(writer, "a", TX_F32, 1, (const size_t[]){1}, (const float[]){1});
    CHECK(tx_safetensors_finish(writer) == TX_OK, "%s", tx_error_message());
    REFUSED(tx_safetensors_open(NULL) == NULL, "no path");
    tx_safetensors_close(NULL);
    tx_safetensors *f = tx_safetensors_open(path);
    CHECK(f != NULL, "%s", tx_error_message());
    tx_stored stranger = *tx_safetensors_at(f, 0);
    REFUSED(tx_safetensors_count(NULL) == 0, "no file");
    REFUSED(tx_safetensors_at(NULL, 0) == NULL, "no file");
    REFUSED(tx_safetensors_at(f, 1) == NULL, "tensor 1 of 1");
    REFUSED(tx_safetensors_find(NULL, "a") == NULL, "no file");
    REFUSED(tx_safetensors_find(f, NULL) == NULL, "no name");
    REFUSED(tx_safetensors_floats(NULL, &stranger, numbers) != TX_OK, "no file");
    REFUSED(tx_safetensors_floats(f, NULL, numbers) != TX_OK, "no tensor");
    REFUSED(tx_safetensors_floats(f, tx_safetensors_at(f, 0), NULL) != TX_OK, "no room");
    REFUSED(tx_safetensors_floats(f, &stranger, numbers) != TX_OK, "another file");
    REFUSED(tx_safetensors_integers(f, NULL, whole) != TX_OK, "no tensor");
    REFUSED(tx_safetensors_integers(NULL, tx_safetensors_at(f, 0), whole) != TX_OK, "no file");
    REFUSED(tx_safetensors_integers(f, tx_safetensors_at(f, 0), NULL) != TX_OK, "no room");
    REFUSED(tx_safetensors_raw(NULL, tx_safetensors_at(f, 0), (unsigned char *)numbers) != TX_OK, "no file");
    REFUSED(tx_safetensors_raw(f, NULL, (unsigned char *)numbers) != TX_OK, "no tensor");
    REFUSED(tx_safetensors_raw(f, tx_safetensors_at(f, 0), NULL) != TX_OK, "no room");
    REFUSED(tx_safetensors_raw(f, &stranger, (unsigned char *)numbers) != TX_OK, "another file");
    REFUSED(tx_safetensors_check(NULL) != TX_OK, "no file");
    REFUSED(tx_safetensors_meta(NULL, "a") == NULL, "no file");
    REFUSED(tx_safetensors_meta(f, NULL) == NULL, "no key");
    REFUSED(tx_safetensors_metas(NULL, &count) == NULL, "no file");
    REFUSED(tx_safetensors_metas(f, NULL) == NULL, "tx_safetensors_metas");
    tx_safetensors_close(f);
    tensor_files(path, w);
    tx_weights_free(w);
    tx_graph_free(g);
}

static void check_progress(void)
{
    tx_progress p;
    REFUSED((tx_progress_begin(NULL, NULL, "a", "b", 1, 0), 1), "no progress");
    REFUSED((tx_progress_update(NULL, 1, NULL), 1), "no progress");
    REFUSED((tx_progress_pause(NULL), 1), "no progress");
    REFUSED((tx_progress_whole(NULL, 1), 1), "no progress");
    REFUSED((tx_progress_resume(NULL), 1), "no progress");
    REFUSED((tx_progress_clear(NULL), 1), "no progress");
    REFUSED((tx_progress_say(NULL, "a"), 1), "no progress");
    REFUSED((tx_progress_end(NULL, NULL), 1), "no progress");
    REFUSED((tx_progress_stop(NULL), 1), "no progress");
    FILE *out = fopen(temp_path("progress"), "w");
    tx_progress_begin(&p, out, NULL, NULL, 0, 3);
    REFUSED((tx_progress_say(&p, NULL), 1), "no line");
    tx_progress_update(&p, SIZE_MAX, NULL);
    tx_progress_end(&p, NULL);
    CHECK(p.done == 0 && out && fclose(out) == 0, "%zu of 0 are done", p.done);
}

int main(void)
{
    if (!temp_begin()) {
        CHECK(0, "there is no folder for files");
        return test_done("library_files");
    }
    check_text();
    check_buffer();
    check_files();
    check_pictures();
    check_writing();
    check_parsers();
    check_dataset();
    check_images();
    check_batches();
    check_writer_of_tensors();
    check_torch();
    check_checkpoints();
    check_progress();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations were not freed", tx_alloc_live());
    return test_done("library_files");
}
