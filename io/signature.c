/* signature.c - what a file is, when it is not what was expected: known by its first bytes. */
#define _POSIX_C_SOURCE 200809L
#include "io_private.h"

#include <string.h>
#include <sys/stat.h>

/* Most files begin in one of these ways; what would also be the beginning of a text or of another format is looked at
 * more closely below. */
static const struct {
    size_t at, length;
    const char *magic, *what;
} magics[] = {
    {0, 3, "\xff\xd8\xff", "a JPEG image"},
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
    {0, 4, "\0\5\x16\7", "macOS's AppleDouble file (attributes of another file, named ._ and its name)"},
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
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel, Word or PowerPoint file"},
    {0, 16, "SQLite format 3\0", "an SQLite database"},
    {0, 5, "PAR1\x15", "a Parquet table"},
    {0, 24, "version https://git-lfs.", "a Git LFS pointer (git lfs pull fetches the file itself)"},
    {0, 15, "/annex/objects/", "a git-annex pointer (git annex get fetches the file itself)"},
    {0, 4, "\177ELF", "a program"},
};

static int stands(const unsigned char *bytes, size_t size, size_t at, const char *text, size_t n)
{
    return size >= n && at <= size - n && memcmp(bytes + at, text, n) == 0;
}

static int is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Blanks, and a UTF-8 byte order mark before them. */
static size_t skip_blanks(const unsigned char *bytes, size_t size, size_t at)
{
    if (at == 0 && stands(bytes, size, 0, "\xef\xbb\xbf", 3))
        at = 3;
    while (at < size && is_blank(bytes[at]))
        at++;
    return at;
}

/* Whether the word, in lower case, stands there in any case. */
static int is_word(const unsigned char *bytes, size_t size, size_t at, const char *word)
{
    for (; *word; word++, at++)
        if (at >= size || (bytes[at] >= 'A' && bytes[at] <= 'Z' ? bytes[at] + 32 : bytes[at]) != (unsigned char)*word)
            return 0;
    return 1;
}

static const char *markup(const unsigned char *bytes, size_t size)
{
    static const char *const pages[] = {"<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script"};
    static const char *const others[] = {"<?xml", "<!doctype", "<!--", "<svg", "<error>"};
    size_t at = skip_blanks(bytes, size, 0);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (is_word(bytes, size, at, pages[i]))
            return "an HTML page";
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_word(bytes, size, at, others[i]))
            return "an XML or HTML document";
    if (at < size && bytes[at] == '{') {
        at = skip_blanks(bytes, size, at + 1);
        if (at < size && (bytes[at] == '"' || bytes[at] == '}'))
            return "JSON text";
    }
    return NULL;
}

/* With a byte order mark, or as ASCII in two bytes each. */
static const char *wide_text(const unsigned char *bytes, size_t size)
{
    int marked = stands(bytes, size, 0, "\xff\xfe", 2) || stands(bytes, size, 0, "\xfe\xff", 2);
    int ascii[2] = {size >= 8, size >= 8}; /* where the letters stand: at even places, at odd ones */
    for (size_t i = 0; i < 8 && i < size; i++) {
        ascii[i % 2] &= bytes[i] >= ' ' && bytes[i] < 127;
        ascii[1 - i % 2] &= bytes[i] == 0;
    }
    return marked || ascii[0] || ascii[1] ? "text in UTF-16" : NULL;
}

/* ISO 14496-12: a box "ftyp" that names the brand. */
static const char *boxes(const unsigned char *bytes, size_t size)
{
    static const char *const heic[] = {"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"};
    if (!stands(bytes, size, 4, "ftyp", 4))
        return NULL;
    if (stands(bytes, size, 8, "avif", 4) || stands(bytes, size, 8, "avis", 4))
        return "an AVIF image";
    for (size_t i = 0; i < sizeof heic / sizeof heic[0]; i++)
        if (stands(bytes, size, 8, heic[i], 4))
            return "a HEIC image";
    return "an MPEG-4 or QuickTime file";
}

/* By the name of its first file, which a local header has at byte 30. */
static const char *zip(const unsigned char *bytes, size_t size)
{
    static const char *const inside[][2] = {{"data.pkl", "a PyTorch checkpoint (.pth, zip)"},
                                            {".format_version", "a PyTorch checkpoint (.pth, zip)"},
                                            {"byteorder", "a PyTorch checkpoint (.pth, zip)"},
                                            {".npy", "NumPy arrays (.npz)"},
                                            {"[Content_Types].xml", "an Excel, Word or PowerPoint file"}};
    if (!stands(bytes, size, 0, "PK\3\4", 4))
        return stands(bytes, size, 0, "PK\5\6", 4) ? "an empty ZIP archive" : NULL;
    size_t end = size < 30 ? 0 : 30 + (size_t)(bytes[26] | bytes[27] << 8);
    for (size_t i = 0; i < sizeof inside / sizeof inside[0] && end <= size; i++) {
        size_t n = strlen(inside[i][0]);
        if (end >= 30 + n && memcmp(bytes + end - n, inside[i][0], n) == 0)
            return inside[i][1];
    }
    return "a ZIP archive";
}

/* Protocol 2 and up; PyTorch's older files begin with a number of its own. */
static const char *pickle(const unsigned char *bytes, size_t size)
{
    if (size < 3 || bytes[0] != 0x80 || bytes[1] < 2 || bytes[1] > 5)
        return NULL;
    return stands(bytes, size, 2, "\x8a\nl\xfc\x9c\x46\xf9", 7) ? "a PyTorch checkpoint (.pth, pickled)"
                                                                : "a Python pickle";
}

/* The header's size stands behind four reserved bytes that are 0. */
static const char *bmp(const unsigned char *bytes, size_t size)
{
    int is = size >= 18 && bytes[0] == 'B' && bytes[1] == 'M' && memcmp(bytes + 6, "\0\0\0", 4) == 0 &&
             bytes[14] >= 12 && bytes[14] <= 124 && memcmp(bytes + 15, "\0\0", 3) == 0;
    return is ? "a BMP image" : NULL;
}

/* P1 to P6, then a comment, or width and height. */
int tx_looks_pnm(const unsigned char *bytes, size_t size)
{
    if (size < 4 || bytes[0] != 'P' || bytes[1] < '1' || bytes[1] > '6' || !is_blank(bytes[2]))
        return 0;
    size_t at = skip_blanks(bytes, size, 2);
    int is = at < size && bytes[at] == '#';
    if (at < size && is_digit(bytes[at])) {
        while (at < size && is_digit(bytes[at]))
            at++;
        size_t next = skip_blanks(bytes, size, at);
        is = next < size && (is_digit(bytes[next]) || bytes[next] == '#');
    }
    return is;
}

static const char *pnm(const unsigned char *bytes, size_t size)
{
    return tx_looks_pnm(bytes, size) ? "a PNM image" : NULL;
}

/* Netpbm's other formats: P7 and a first line of its header; PF or Pf, then a digit. */
static const char *pam(const unsigned char *bytes, size_t size)
{
    if (stands(bytes, size, 0, "P7\nWIDTH ", 9))
        return "a PAM image (P7)";
    int is = size >= 4 && bytes[0] == 'P' && (bytes[1] == 'F' || bytes[1] == 'f') && bytes[2] == '\n';
    return is && is_digit(bytes[3]) ? "a PFM image" : NULL;
}

int tx_looks_safetensors(const unsigned char *bytes, size_t size)
{
    return size > 8 && bytes[8] == '{' && memcmp(bytes + 4, "\0\0\0", 4) == 0;
}

const char *tx_file_looks(const unsigned char *bytes, size_t size)
{
    if (!bytes && size > 0) {
        tx_fail_null("tx_file_looks", "bytes");
        return NULL;
    }
    typedef const char *look(const unsigned char *bytes, size_t size);
    static look *const looks[] = {zip, boxes, wide_text, markup, bmp, pnm, pam, pickle};
    /* DICOM: 128 bytes of any kind, "DICM", and an element of group 2. */
    if (stands(bytes, size, 128, "DICM\2\0", 6))
        return "a DICOM file";
    if (tx_looks_safetensors(bytes, size))
        return "weights (.safetensors)";
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (stands(bytes, size, magics[i].at, magics[i].magic, magics[i].length))
            return magics[i].what;
    const char *what = NULL;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0] && !what; i++)
        what = looks[i](bytes, size);
    return what;
}

tx_status tx_fail_foreign(const char *path, const unsigned char *bytes, size_t size, const char *expected)
{
    char text[TX_TEXT], found[32] = "";
    const char *looks = tx_file_looks(bytes, size);
    tx_escape(text, sizeof text, path);
    if (size == 0)
        return tx_fail(TX_ERR_FORMAT, "%s: byte 0: the file is empty, %s expected", text, expected);
    if (looks)
        return tx_fail(TX_ERR_FORMAT, "%s: byte 0: looks like %s, %s expected", text, looks, expected);
    for (size_t i = 0; i < 8 && i < size; i++)
        snprintf(found + 3 * i, sizeof found - 3 * i, " %02x", (unsigned)bytes[i]);
    return tx_fail(TX_ERR_FORMAT, "%s: byte 0: an unknown format that begins with%s, %s expected", text, found,
                   expected);
}

tx_status tx_refuse_folder(int fd, const char *path, const char *expected)
{
    char text[TX_TEXT];
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode))
        return TX_OK;
    return tx_fail(TX_ERR_FILE, "%s: a folder, %s expected", tx_escape(text, sizeof text, path), expected);
}
