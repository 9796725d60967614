/* image.c - bytes to pixels to another size. The last three bytes choose size and filter. */
#include "fuzz.h"

/* Larger images only take longer. */
enum { PIXELS = 1 << 15 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tx_image image, resized;
    int width, height, channels;
    const char *path = fuzz_file("input.jpg", data, size);
    tx_status status = tx_image_header(path, &width, &height, &channels);
    fuzz_check(status);
    if (status == TX_OK && (int64_t)width * height > PIXELS)
        return 0;
    status = tx_image_decode(data, size, "input", &image);
    fuzz_check(status);
    if (status)
        return 0;
    if (image.width != width || image.height != height || image.channels != channels)
        abort();
    status = tx_image_resize(&image, 1 + data[size - 1], 1 + data[size - 2], (tx_interpolation)(data[size - 3] % 6),
                             &resized);
    fuzz_check(status);
    if (status == TX_OK)
        tx_image_free(&resized);
    tx_image_free(&image);
    return 0;
}
