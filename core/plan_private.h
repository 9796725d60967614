/* plan_private.h - what planning finds out, for the session that runs it. */
#ifndef THORAX_PLAN_PRIVATE_H
#define THORAX_PLAN_PRIVATE_H

#include "core.h"

/* A stretch of the arena, alive from `first` to `last`. Times: node i runs forward at i, backward at 2N-1-i. */
typedef struct tx_buffer {
    size_t bytes, offset;
    int first, last;
} tx_buffer;

/* A tensor's place: channels [channel, channel+c) of pixels ld channels wide. buffer -1: nowhere. */
typedef struct tx_slot {
    int buffer;
    size_t channel, ld;
} tx_slot;

/* What became of a node. A step is a node that runs; its result is the value of `result`, itself or the last node
 * joined to it. */
typedef struct tx_planned {
    int is_step;
    int result; /* of a step: the node whose value it makes */
    tx_slot value;
    int coefficients; /* the batch norm whose scale and shift the value is read through, or -1 */
    tx_act act;       /* to be applied by readers */
    tx_act joined;    /* applied by the step itself */
    int fold, add;    /* nodes, or -1: see tx_step */
    tx_slot gradient; /* of this node's value */
    int reached;      /* backward: the gradient arrives here */
    int done;         /* planning: its gradient has been consumed */
    int trains;       /* a trained parameter or a kept input lies at or before it */
    tx_slot dy, *dx, *dx_add;
    tx_need need;
    int saved, prepared, work, work_backward; /* buffers, or -1 */
} tx_planned;

struct tx_plan {
    const tx_graph *graph;
    int batch;
    tx_mode mode;
    int nodes;
    tx_planned *node;
    tx_slot *slots; /* storage of all dx and dx_add */
    tx_buffer *buffer;
    size_t buffers, room;
    size_t bytes;
};

/* Fills the shapes of a step (not its pointers) for n images. step->x and step->dx have room for the inputs. */
void tx_plan_step(const tx_plan *plan, int index, int n, tx_step *step);

#endif
