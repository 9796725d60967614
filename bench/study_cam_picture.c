/* study_cam_picture.c - a radiograph and the map over it, as small pictures with boxes as outlines.
 *
 * They are made of the image as it lies in its file, not of what the network saw of it: its square becomes 160 x 160 pixels
 * whatever its size was, so that pictures of one image lie side by side. Greys and values of the map are rounded to a few
 * steps, without which a picture takes twice the bytes. An outline is white between black lines, which shows on every colour
 * and in grey. */
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

enum { GREYS = 48, HEATS = 16 }; /* steps from black to white, and from 0 to the map's maximum */

static void round_greys(tx_image *p)
{
    size_t bytes = (size_t)p->width * (size_t)p->height * (size_t)p->channels;
    for (size_t i = 0; i < bytes; i++) {
        int step = (p->pixels[i] * (GREYS - 1) + 127) / 255;
        p->pixels[i] = (unsigned char)((step * 255 + (GREYS - 1) / 2) / (GREYS - 1));
    }
}

/* The map a pixel of the network's square, in steps; the caller's. */
static float *round_map(const float *raw, int rows, int columns)
{
    float *to = tx_alloc((size_t)STUDY_CAM_SIDE * STUDY_CAM_SIDE, sizeof *to), most = 0;
    for (size_t i = 0; i < (size_t)rows * (size_t)columns; i++)
        most = raw[i] > most ? raw[i] : most;
    for (int y = 0; to && most > 0 && y < STUDY_CAM_SIDE; y++)
        for (int x = 0; x < STUDY_CAM_SIDE; x++) {
            double v = tx_map_at(raw, rows, columns, (y + 0.5) / STUDY_CAM_SIDE, (x + 0.5) / STUDY_CAM_SIDE);
            to[y * STUDY_CAM_SIDE + x] = (float)(rint(fmax(v, 0) / (double)most * HEATS) / HEATS);
        }
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

static tx_status finish(tx_image *p, const cam_run *r, const cam_row *row, const char *name, const study_cam_sink *to)
{
    for (size_t i = 0; r->boxes && i < r->boxes->count; i++)
        if (r->boxes->box[i].image == row->image && r->boxes->box[i].task == row->task)
            outline(p, &r->boxes->box[i]);
    unsigned char *bytes = NULL;
    size_t size = 0;
    char *path = tx_path_join("cam", name);
    tx_status status = path ? tx_png_encode(p, &bytes, &size) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = to->put(to->context, path, bytes, size);
    tx_free(bytes);
    tx_free(path);
    return status;
}

tx_status study_cam_pictures(const cam_run *r, const cam_row *row, const char *radiograph, const study_cam_sink *to)
{
    const tx_node *f = r->net.features;
    tx_framing at = enlarge(&row->framing, r->model->choice.size);
    tx_image image = {0}, large = {0}, over = {0};
    float *map = round_map(row->raw, f->h, f->w);
    tx_status status = map ? tx_image_read(r->paths->path[row->image], &image) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_image_resize(&image, at.width, at.height, TX_BICUBIC, &large);
    if (status == TX_OK) {
        round_greys(&large);
        status = tx_heat_overlay(&large, map, STUDY_CAM_SIDE, STUDY_CAM_SIDE, &at, STUDY_CAM_SIDE, &over);
    }
    if (status == TX_OK)
        status = finish(&over, r, row, row->overlay, to);
    if (status == TX_OK)
        status = finish(&large, r, row, radiograph, to);
    tx_image_free(&image);
    tx_image_free(&large);
    tx_image_free(&over);
    tx_free(map);
    return status;
}
