/* io_signature.c - what a file is instead: every reader says it, in one line, and no table is taken for anything else. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"
#include "../io/io_private.h"

typedef struct sample {
    const char *what, *bytes;
    size_t n, at; /* where the bytes stand; zeros before them */
} sample;
#define AT(what, at, bytes)               \
    {                                     \
        what, bytes, sizeof bytes - 1, at \
    }
#define BEGIN(what, bytes) AT(what, 0, bytes)

/* The local header of a ZIP archive's first file, whose name has n < 256 bytes. */
#define ZIP(n, name) "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" n "\0\0\0" name "......"

static const sample samples[] = {
    BEGIN("a JPEG image", "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1"),
    BEGIN("a PNG image", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    BEGIN("a GIF image", "GIF89a\1\0"),
    BEGIN("a GIF image", "GIF87a\1\0"),
    BEGIN("a TIFF image", "II*\0\x08\0\0\0"),
    BEGIN("a TIFF image", "MM\0*\0\0\0\x08"),
    BEGIN("a TIFF image", "MM\0+\0\x08\0\0"),
    BEGIN("a BMP image", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0"),
    BEGIN("a WebP image", "RIFF\x24\0\0\0WEBPVP8 "),
    BEGIN("a PNM image", "P5 8 8 255\n"),
    BEGIN("a PNM image", "P5\n8# wide\n8 255\n"),
    BEGIN("a PAM image (P7)", "P7\nWIDTH 8\n"),
    BEGIN("a PFM image", "Pf\n8 8\n-1\n"),
    BEGIN("a PNM image", "P6\n# by hand\n8 8\n"),
    BEGIN("a JPEG 2000 image", "\0\0\0\x0cjP  \r\n\x87\n\0\0"),
    BEGIN("a JPEG XL image", "\xff\x0a\xfa\x1f"),
    BEGIN("a HEIC image", "\0\0\0\x18"
                          "ftypheic\0\0\0\0mif1heic"),
    BEGIN("a HEIC image", "\0\0\0\x18"
                          "ftypmif1\0\0\0\0mif1heic"),
    BEGIN("an AVIF image", "\0\0\0\x20"
                           "ftypavif\0\0\0\0avif"),
    BEGIN("an MPEG-4 or QuickTime file", "\0\0\0\x14"
                                         "ftypqt  \0\0\0\0"),
    BEGIN("macOS's AppleDouble file", "\0\5\x16\7\0\2\0\0Mac OS X        "),
    AT("a DICOM file", 128, "DICM\2\0\0\0UL"),
    BEGIN("a PDF document", "%PDF-1.4\n"),
    BEGIN("a gzip archive", "\x1f\x8b\x08\0\0\0\0\0\0\3"),
    BEGIN("a bzip2 archive", "BZh91AY&SY"),
    BEGIN("a Zstandard archive", "\x28\xb5\x2f\xfd\x24\0"),
    AT("a tar archive", 257,
       "ustar\0"
       "00"),
    BEGIN("a PyTorch checkpoint (.pth, zip)", ZIP("\x10", "archive/data.pkl")),
    BEGIN("a PyTorch checkpoint (.pth, zip)", ZIP("\x13", "r18/.format_version")),
    BEGIN("NumPy arrays (.npz)", ZIP("\5", "a.npy")),
    BEGIN("an Excel, Word or PowerPoint file", ZIP("\x13", "[Content_Types].xml")),
    BEGIN("a ZIP archive", ZIP("\5", "a.txt")),
    BEGIN("a ZIP archive", "PK\3\4"),
    BEGIN("an empty ZIP archive", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    BEGIN("a PyTorch checkpoint (.pth, pickled)", "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."),
    BEGIN("a Python pickle", "\x80\4\x95\x10\0\0\0\0\0\0\0}"),
    BEGIN("weights (.safetensors)", "\x48\0\0\0\0\0\0\0{\"__metadata__\":{}"),
    BEGIN("an HDF5 file", "\x89HDF\r\n\x1a\n\0"),
    BEGIN("a NumPy array (.npy)", "\x93NUMPY\1\0"),
    BEGIN("an old Excel, Word or PowerPoint file", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    BEGIN("a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
    BEGIN("a git-annex pointer", "/annex/objects/SHA256E-s12--4d7a.jpg\n"),
    BEGIN("an HTML page", "<!DOCTYPE html>\n<html>"),
    BEGIN("an HTML page", "\xef\xbb\xbf\r\n  <HTML lang=en>"),
    BEGIN("an XML or HTML document", "<?xml version=\"1.0\"?>\n<Error>"),
    BEGIN("JSON text", "{ \"message\": \"Not Found\" }"),
    BEGIN("text in UTF-16", "\xff\xfeP\0a\0t\0h\0"),
    BEGIN("text in UTF-16", "\xfe\xff\0P\0a\0t\0h"),
    BEGIN("text in UTF-16", "P\0a\0t\0h\0,\0"),
    BEGIN("text in UTF-16", "\0P\0a\0t\0h\0,"),
};
enum { SAMPLES = sizeof samples / sizeof *samples };

/* What a reader says of a file, in one line. */
static void said(const char *reader, const char *what, const char *name, const char *expected)
{
    const char *line = tx_error_message();
    CHECK(strstr(line, what) && strstr(line, name) && strstr(line, expected) && !strchr(line, '\n'),
          "%s: '%s', expected '%s' and '%s'", reader, line, what, expected);
}

static void read_as_image(const char *what, const char *path)
{
    tx_image image;
    int w, h, c;
    tx_fail(TX_ERR_FILE, "none");
    CHECK(tx_image_read(path, &image) == TX_ERR_FORMAT && !image.pixels, "an image: %s", what);
    said("image", what, path, "a JPEG, PNG or PNM image expected");
    tx_fail(TX_ERR_FILE, "none");
    CHECK(tx_image_header(path, &w, &h, &c) == TX_ERR_FORMAT, "the header of an image: %s", what);
    said("header", what, path, "a JPEG, PNG or PNM image expected");
}

static void read_as_weights(const char *what, const char *path)
{
    tx_fail(TX_ERR_FILE, "none");
    CHECK(!tx_safetensors_open(path), "weights: %s", what);
    said("weights", what, path, "weights (.safetensors) expected");
}

static void read_as_table(const char *what, const char *path)
{
    char **field;
    size_t fields;
    tx_csv *csv = tx_csv_open(path);
    tx_fail(TX_ERR_FILE, "none");
    for (int i = 0; csv && i < 2; i++)
        CHECK(tx_csv_next(csv, &field, &fields) == TX_ERR_FORMAT, "a table: %s", what);
    said("table", what, path, "a table (CSV in UTF-8) expected");
    tx_csv_close(csv);
}

static void kinds(void)
{
    unsigned char bytes[400];
    for (int i = 0; i < SAMPLES; i++) {
        const sample *s = &samples[i];
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes + s->at, s->bytes, s->n);
        size_t n = s->at + s->n;
        const char *looks = tx_file_looks(bytes, n), *path = temp_path("foreign");
        CHECK(looks && strncmp(looks, s->what, strlen(s->what)) == 0, "'%s', expected '%s'", looks ? looks : "nothing",
              s->what);
        temp_write(path, bytes, n);
        if (!tx_image_format(bytes, n))
            read_as_image(s->what, path);
        if (strcmp(s->what, "weights (.safetensors)"))
            read_as_weights(s->what, path);
        read_as_table(s->what, path);
    }
}

/* Cut anywhere, in memory of just that size, a file is the same thing, or another, or nothing known. */
static void beginnings(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        size_t n = samples[i].at + samples[i].n;
        for (size_t cut = 0; cut < n; cut++) {
            unsigned char *part = tx_alloc(cut, 1);
            if (part && cut > samples[i].at)
                memcpy(part + samples[i].at, samples[i].bytes, cut - samples[i].at);
            const char *looks = part ? tx_file_looks(part, cut) : NULL;
            CHECK(cut > 1 || !looks, "%zu bytes look like %s", cut, looks);
            tx_free(part);
        }
    }
}

/* The beginnings of tables, though their first letters are those of a signature. */
static void tables(void)
{
    static const char *const header[] = {"Path,Sex",
                                         "\xef\xbb\xbfPath,Sex",
                                         ",Path",
                                         "\"Path\",Sex",
                                         "BMI,Path,Sex,Age,Frontal/Lateral",
                                         "P5,Path",
                                         "P1 1,Path",
                                         "P6 x,Path",
                                         "GIF,Path",
                                         "RIFF,Path,P",
                                         "PK,Path",
                                         "II*,Path",
                                         "MM,Path",
                                         "<5 years,Path",
                                         "<LOD,Path",
                                         "{a,Path",
                                         "version,Path",
                                         "%PDF,Path",
                                         "PAR1,Path",
                                         "BZh,Path",
                                         "Rar,Path",
                                         "8B,Path",
                                         "\xc3\xa4,Path",
                                         "a,DICM"};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        char text[400], **field;
        size_t fields = 0;
        snprintf(text, sizeof text, "%s\n1,2\n", header[i]);
        CHECK(!tx_file_looks((const unsigned char *)text, strlen(text)), "'%s' looks like %s", header[i],
              tx_file_looks((const unsigned char *)text, strlen(text)));
        temp_text(temp_path("table.csv"), text);
        tx_csv *csv = tx_csv_open(temp_path("table.csv"));
        CHECK(csv && tx_csv_next(csv, &field, &fields) == 1 && fields >= 2, "'%s': %s", header[i], tx_error_message());
        tx_csv_close(csv);
    }
    char wide[300];
    memset(wide, 'a', sizeof wide);
    memcpy(wide + 128, "DICM", 4);
    memcpy(wide + 257, "ustar", 5);
    CHECK(!tx_file_looks((unsigned char *)wide, sizeof wide), "letters in the middle of a header");
}

static void empty_and_folder(void)
{
    tx_image image;
    int w, h, c;
    unsigned char *bytes;
    size_t n;
    const char *path = temp_path("empty");
    temp_text(path, "");
    read_as_image("the file is empty", path);
    read_as_weights("the file is empty", path);
    path = temp_path("folder.jpg");
    tx_folder_make(path);
    CHECK(tx_image_read(path, &image) == TX_ERR_FILE && strstr(tx_error_message(), "a folder"), "%s",
          tx_error_message());
    CHECK(tx_image_header(path, &w, &h, &c) == TX_ERR_FILE, "a folder");
    said("header", "a folder", path, "a JPEG, PNG or PNM image expected");
    CHECK(!tx_csv_open(path), "a folder");
    said("table", "a folder", path, "a table (CSV in UTF-8) expected");
    CHECK(!tx_safetensors_open(path), "a folder");
    said("weights", "a folder", path, "weights (.safetensors) expected");
    CHECK(tx_file_read(path, 100, &bytes, &n) == TX_ERR_FILE, "a folder");
    said("file", "a folder", path, "a file expected");
}

/* What no signature has is told by its bytes; a header that only lies about its length is told as such. */
static void unknown(void)
{
    const char *path = temp_path("unknown.pth");
    temp_text(path, "abcdefgh and more");
    read_as_image("an unknown format that begins with 61 62 63 64 65 66 67 68", path);
    read_as_weights("an unknown format that begins with 61 62", path);
    temp_text(path, "abc");
    read_as_image("an unknown format that begins with 61 62 63,", path);
    CHECK(!tx_safetensors_open(path), "three bytes");
    said("weights", "cut off at byte 3", path, "");
    temp_write(path, "\3\0\0\0\0\0\0\0{}", 10);
    CHECK(!tx_safetensors_open(path), "a long header");
    said("weights", "a header of 3 bytes in a file of 10", path, "");
    temp_write(path, "\3\0\0\0\0\0\0\0[] ", 11);
    CHECK(!tx_safetensors_open(path), "no object");
    said("weights", "expected {", path, "");
}

/* What is known by its first bytes alone is known by just these: not by fewer, and whatever follows. */
static void exact_lengths(void)
{
    static const struct {
        size_t at, length;
        const char *magic, *what;
    } cases[] = {{0, 3, "\xff\xd8\xff", "a JPEG image"},
                 {0, 8, "\x89PNG\r\n\x1a\n", "a PNG image"},
                 {0, 6, "GIF87a", "a GIF image"},
                 {0, 6, "GIF89a", "a GIF image"},
                 {0, 4, "II*\0", "a TIFF image"},
                 {0, 4, "MM\0*", "a TIFF image"},
                 {0, 4, "II+\0", "a TIFF image"},
                 {0, 4, "MM\0+", "a TIFF image"},
                 {8, 4, "WEBP", "a WebP image"},
                 {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"},
                 {0, 4, "\xff\x4f\xff\x51", "a JPEG 2000 image"},
                 {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"},
                 {0, 2, "\xff\x0a", "a JPEG XL image"},
                 {0, 4, "8BPS", "a Photoshop image"},
                 {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 file"},
                 {0, 6, "\x93NUMPY", "a NumPy array (.npy)"},
                 {0, 4, "\0\5\x16\0", "an AppleSingle file"},
                 {0, 5, "%PDF-", "a PDF document"},
                 {0, 2, "\x1f\x8b", "a gzip archive"},
                 {0, 6, "\xfd\x37zXZ\0", "an xz archive"},
                 {0, 4, "\x28\xb5\x2f\xfd", "a Zstandard archive"},
                 {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
                 {0, 6, "Rar!\x1a\7", "a RAR archive"},
                 {4, 6, "1AY&SY", "a bzip2 archive"},
                 {257, 6, "ustar\0", "a tar archive"},
                 {257, 6, "ustar ", "a tar archive"},
                 {128, 6, "DICM\2\0", "a DICOM file"},
                 {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel, Word or PowerPoint file"},
                 {0, 16, "SQLite format 3\0", "an SQLite database"},
                 {0, 5, "PAR1\x15", "a Parquet table"},
                 {0, 4, "\177ELF", "a program"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t more = 0; more < 10; more++) {
            size_t size = cases[i].at + cases[i].length + more - 1; /* first a byte too few */
            unsigned char *bytes = tx_alloc(size, 1);
            memset(bytes, 0xa7, size);
            memcpy(bytes + cases[i].at, cases[i].magic, cases[i].length - (more == 0));
            const char *looks = tx_file_looks(bytes, size);
            int is = looks && strcmp(looks, cases[i].what) == 0;
            CHECK(is == (more > 0), "%s with %zu bytes of %zu looks like %s", cases[i].what, size,
                  cases[i].at + cases[i].length, looks ? looks : "nothing");
            for (size_t k = 0; more == 1 && k < cases[i].length; k++) {
                bytes[cases[i].at + k] ^= 0x80;
                looks = tx_file_looks(bytes, size);
                CHECK(!looks || strcmp(looks, cases[i].what) != 0, "%s with another byte %zu", cases[i].what, k);
                bytes[cases[i].at + k] ^= 0x80;
            }
            tx_free(bytes);
        }
    /* The name of a ZIP archive's first file may be longer than 255 bytes. */
    for (size_t n = 8; n < 400; n += 131) {
        unsigned char *zip = tx_alloc(30 + n, 1);
        memset(zip, 'a', 30 + n);
        memcpy(zip, "PK\3\4", 4);
        zip[26] = (unsigned char)n;
        zip[27] = (unsigned char)(n >> 8);
        memcpy(zip + 30 + n - 8, "data.pkl", 8);
        const char *looks = tx_file_looks(zip, 30 + n);
        CHECK(looks && strcmp(looks, "a PyTorch checkpoint (.pth, zip)") == 0, "a name of %zu looks like %s", n,
              looks ? looks : "nothing");
        looks = tx_file_looks(zip, 30 + n - 1);
        CHECK(looks && strcmp(looks, "a ZIP archive") == 0, "a name that is cut looks like %s",
              looks ? looks : "nothing");
        tx_free(zip);
    }
    unsigned char odd[10] = {0xfe, 1, 2, 3, 4, 5, 6, 0xee, 8, 9};
    static const char *const told[] = {
        "x: byte 0: the file is empty, a thing expected",
        "x: byte 0: an unknown format that begins with fe, a thing expected",
        "x: byte 0: an unknown format that begins with fe 01 02 03 04 05 06, a thing expected",
        "x: byte 0: an unknown format that begins with fe 01 02 03 04 05 06 ee, a thing expected"};
    static const size_t sizes[] = {0, 1, 7, 8, 9, 10};
    for (size_t i = 0; i < 6; i++) {
        CHECK(tx_fail_foreign("x", odd, sizes[i], "a thing") == TX_ERR_FORMAT, "an error");
        CHECK(strcmp(tx_error_message(), told[i < 3 ? i : 3]) == 0, "%zu bytes: %s", sizes[i], tx_error_message());
    }
}

int main(void)
{
    if (!temp_begin())
        return test_done("io_signature");
    kinds();
    beginnings();
    tables();
    empty_and_folder();
    unknown();
    exact_lengths();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("io_signature");
}
