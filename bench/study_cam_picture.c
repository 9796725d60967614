/* study_cam_picture.c - a radiograph and the map over it, as small pictures with boxes as outlines.
 *
 * They are made of the image as it lies in its file, not of what the network saw of it: its square becomes 160 x 160 pixels
 * whatever its size was, so that pictures of one image lie side by side. An outline is white between black lines, which shows on
 * every colour and in grey. */
#include "study_cam_picture.h"

#include <math.h>
#include <string.h>

/* The framing in pixels of the picture. */
static tx_framing enlarge(const tx_framing *at, int size)
{
    tx_framing to = *at;
    double factor = (double)STUDY_CAM_SIDE / size;
    int width = (int)rint(at->width * factor), height = (int)rint(at->height * factor);
    to.width = width < STUDY_CAM_SIDE ? STUDY_CAM_SIDE : width;
    to.height = height < STUDY_CAM_SIDE ? STUDY_CAM_SIDE : height;
    to.left = (int)fmin(rint(at->left * factor), to.width - STUDY_CAM_SIDE);
    to.top = (int)fmin(rint(at->top * factor), to.height - STUDY_CAM_SIDE);
    return to;
}

static void dot(tx_image *p, int x, int y, unsigned char value)
{
    if (x >= 0 && y >= 0 && x < p->width && y < p->height)
        memset(p->pixels + ((size_t)y * (size_t)p->width + (size_t)x) * (size_t)p->channels, value,
               (size_t)p->channels);
}

static void rectangle(tx_image *p, int left, int top, int right, int bottom, unsigned char value)
{
    for (int x = left; x <= right; x++) {
        dot(p, x, top, value);
        dot(p, x, bottom, value);
    }
    for (int y = top; y <= bottom; y++) {
        dot(p, left, y, value);
        dot(p, right, y, value);
    }
}

static void outline(tx_image *p, const box *b)
{
    int left = (int)floor(b->x * p->width), right = (int)ceil((b->x + b->w) * p->width) - 1;
    int top = (int)floor(b->y * p->height), bottom = (int)ceil((b->y + b->h) * p->height) - 1;
    rectangle(p, left - 1, top - 1, right + 1, bottom + 1, 0);
    rectangle(p, left + 1, top + 1, right - 1, bottom - 1, 0);
    rectangle(p, left, top, right, bottom, 255);
}

static tx_status write(tx_image *p, const cam_run *r, const cam_row *row, const char *folder, const char *name)
{
    for (size_t i = 0; r->boxes && i < r->boxes->count; i++)
        if (r->boxes->box[i].image == row->image && r->boxes->box[i].task == row->task)
            outline(p, &r->boxes->box[i]);
    char *path = tx_path_join(folder, name);
    tx_status status = path ? tx_png_write(path, p) : TX_ERR_MEMORY;
    tx_free(path);
    return status;
}

tx_status study_cam_pictures(const cam_run *r, const cam_row *row, const char *folder, const char *radiograph)
{
    const tx_node *f = r->net.features;
    tx_framing at = enlarge(&row->framing, r->model->choice.size);
    tx_image image = {0}, large = {0}, over = {0};
    tx_status status = tx_image_read(r->paths->path[row->image], &image);
    if (status == TX_OK)
        status = tx_image_resize(&image, at.width, at.height, TX_BICUBIC, &large);
    if (status == TX_OK)
        status = tx_heat_overlay(&large, row->raw, f->h, f->w, &at, STUDY_CAM_SIDE, &over);
    if (status == TX_OK)
        status = write(&over, r, row, folder, row->overlay);
    if (status == TX_OK)
        status = write(&large, r, row, folder, radiograph);
    tx_image_free(&image);
    tx_image_free(&large);
    tx_image_free(&over);
    return status;
}
