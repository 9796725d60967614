/* operands.h - whether what a computing call is given is there at all. Private to core. */
#ifndef THORAX_OPERANDS_H
#define THORAX_OPERANDS_H

#include "op.h"

static inline int machine_given(const tx_machine *m)
{
    return m && m->threads > 0 && m->kernels;
}

static inline int sized(int n, int h, int w, int c)
{
    return n > 0 && h > 0 && w > 0 && c > 0;
}

/* scale and shift come together. */
static inline int view_given(const tx_view *x)
{
    return x && x->data && sized(x->n, x->h, x->w, x->c) && !x->scale == !x->shift;
}

static inline int tensor_given(const tx_tensor *t)
{
    return t && t->data && sized(t->n, t->h, t->w, t->c);
}

static inline int gradient_given(const tx_gradient *g)
{
    return g && g->data;
}

static inline tx_status operand_missing(const char *call)
{
    return tx_fail(TX_ERR_ARGUMENT, "%s: an operand is missing or has no size", call);
}

#endif
