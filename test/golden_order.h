/* golden_order.h - from the order of elements in the files (NCHW, OIHW, (out,in)) to that in memory (NHWC, HWIO, (in,out)). */
#ifndef THORAX_GOLDEN_ORDER_H
#define THORAX_GOLDEN_ORDER_H

#include "../core/core.h"

/* Element `at` of a parameter. */
static size_t order_param(const tx_param *p, size_t at)
{
    if (p->dims < 2)
        return at;
    size_t area = p->dims == 4 ? (size_t)p->shape[2] * (size_t)p->shape[3] : 1, in = (size_t)p->shape[1];
    size_t yx = at % area, i = at / area % in, o = at / area / in;
    return (yx * in + i) * (size_t)p->shape[0] + o;
}

/* Element `at` of images of shape (n,c,h,w). */
static size_t order_pixel(const int shape[4], size_t at)
{
    size_t c = (size_t)shape[1], h = (size_t)shape[2], w = (size_t)shape[3];
    size_t x = at % w, y = at / w % h, channel = at / w / h % c, n = at / w / h / c;
    return ((n * h + y) * w + x) * c + channel;
}

#endif
