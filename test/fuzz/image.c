/* image.c - bytes to pixels to another size. The last three bytes choose size and filter. */
#include "../../io/inflate.h"
#include "fuzz.h"

/* Larger images only take longer. */
enum { PIXELS = 1 << 15 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* Makes the CRC of a PNG's chunks good, so that what they hold is read. */
static void sign(uint8_t *data, size_t size)
{
    for (size_t at = 8; size > 12 && data[0] == 0x89 && at <= size - 12;) {
        size_t n = (size_t)data[at + 2] << 8 | data[at + 3];
        if (data[at] || data[at + 1] || n > size - 12 - at)
            return;
        uint32_t sum = tx_crc32(0, data + at + 4, n + 4);
        for (size_t i = 0; i < 4; i++)
            data[at + 8 + n + i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + n;
    }
}

static void decode(const uint8_t *data, size_t size)
{
    tx_image image, resized;
    int width, height, channels;
    const char *path = fuzz_file("input.jpg", data, size);
    tx_status status = tx_image_header(path, &width, &height, &channels);
    fuzz_check(status);
    if (status == TX_OK && (int64_t)width * height > PIXELS)
        return;
    status = tx_image_decode(data, size, "input", &image);
    fuzz_check(status);
    if (status)
        return;
    if (image.width != width || image.height != height || image.channels != channels)
        abort();
    status = tx_image_resize(&image, 1 + data[size - 1], 1 + data[size - 2], (tx_interpolation)(data[size - 3] % 6),
                             &resized);
    fuzz_check(status);
    if (status == TX_OK)
        tx_image_free(&resized);
    tx_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    sign(copy, size);
    decode(copy, size);
    free(copy);
    return 0;
}
