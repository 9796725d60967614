/* study_cam_picture.h - a radiograph and the map over it, as small pictures with boxes as outlines. Private to bench. */
#ifndef THORAX_BENCH_STUDY_CAM_PICTURE_H
#define THORAX_BENCH_STUDY_CAM_PICTURE_H

#include "cam_run.h"
#include "study_cam.h"

/* The side of what the network sees, in pixels of the picture. */
enum { STUDY_CAM_SIDE = 160 };

/* cam/row->overlay, then cam/RADIOGRAPH: the image of the row, with the boxes of its task; the map is row->raw. */
tx_status study_cam_pictures(const cam_run *r, const cam_row *row, const char *radiograph, const study_cam_sink *to);

#endif
