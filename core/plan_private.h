/* plan_private.h - what planning finds out, for the session that runs it. */
#ifndef THORAX_PLAN_PRIVATE_H
#define THORAX_PLAN_PRIVATE_H

#include "op.h"

/* A stretch of the arena, alive from `first` to `last`. Times: node i runs forward at i, backward at 2N-1-i. */
typedef struct tx_buffer {
    size_t bytes, offset;
    int first, last;
    int moments; /* the buffer of batch statistics beside it, or -1 */
} tx_buffer;

/* A tensor's place: channels [channel, channel+c) of pixels ld channels wide. buffer -1: nowhere. */
typedef struct tx_slot {
    int buffer;
    size_t channel, ld;
} tx_slot;

static inline int same_place(tx_slot a, tx_slot b)
{
    return a.buffer == b.buffer && a.channel == b.channel;
}

/* What became of a node. A step is a node that runs; its result is the value of `result`, itself or the last node
 * joined to it. */
typedef struct tx_planned {
    int is_step;
    int kept;   /* its value and gradient can be read after a run */
    int result; /* of a step: the node whose value it makes */
    tx_slot value;
    int origin;               /* the node whose memory holds the value: itself, or further up for a view */
    tx_slot recomputed_value; /* where the value stands when it is made again for backward; buffer -1: it is kept */
    int recomputed;           /* of a step: the backward time at which it runs again; 0: it does not */
    int dropped;              /* of a step: its result is, if anything needs it later */
    int asked;                /* of a step: its result is read by what is made again */
    int step;                 /* the step that makes its value */
    int view;                 /* of a step: its result is a view, which its readers make */
    int coefficients;         /* the step whose saved begins with scale and shift of the value, or -1 */
    tx_act act;               /* to be applied by readers */
    int rectified;            /* no value is below 0 */
    int gate;                 /* the node whose value readers multiply by, or -1 */
    int readers;
    const int *reader; /* the nodes that read it, ascending; one that reads it twice twice */
    tx_act fused;      /* applied by the step itself */
    int fold, add;     /* nodes, or -1: see tx_step */
    tx_slot gradient;  /* of this node's value */
    int trains;        /* a wanted gradient lies at or before it */
    int arrives;       /* .. and its own gradient has to be computed */
    int backward;      /* of a step: it runs backward */
    int reached;       /* planning: its gradient has a place */
    int done;          /* planning: its gradient has been consumed */
    tx_slot dy, *dx, *dx_add;
    int slope;   /* of a step: the batch norm whose gradient it applies itself as it reads its dy, or -1 */
    int reduces; /* of a step: the batch norm whose sums it takes of what it writes in backward, or -1 */
    int sums;    /* of that batch norm: their buffer, or -1 */
    int reduce_work;
    int unapplied; /* of that batch norm: it leaves its own dy to be read so */
    tx_workspace workspace;
    int saved, prepared, work, work_backward; /* buffers, or -1 */
    int recompute_prepared, recompute_work;
    tx_slot moments, x_moments; /* of a step: batch statistics that its forward leaves and reads, in doubles */
    int moments_work;
} tx_planned;

/* Which of the cheap values are made again for backward: so many of sixteen, but in a row, where each is made from the one before it,
 * only as many as fit in what is free by then, and so many more (plan_recompute.c). */
typedef struct tx_thrift {
    int sixteenths, more;
} tx_thrift;

struct tx_plan {
    const tx_graph *graph;
    tx_machine machine; /* what it is planned for, and computed by */
    int batch;
    tx_mode mode;
    int parameters; /* gradients of parameters are wanted */
    int nodes;
    tx_thrift thrift;
    double again;          /* bytes of the values that are made again */
    unsigned char *frozen; /* one a parameter of the graph: 1 where nobody wants its gradient */
    tx_planned *node;
    tx_slot *slots; /* storage of all dx and dx_add */
    int *readers;   /* .. and of all lists of readers */
    tx_buffer *buffer;
    size_t buffers, room;
    size_t bytes;
};

/* Forward times are below plan->nodes, backward times from there on. */
int tx_backward_time(const tx_plan *plan, int node);
int tx_end_of_time(const tx_plan *plan);
const tx_node *tx_plan_node(const tx_plan *plan, int i);
/* What became of a node; NULL and a message if the plan knows no such node. */
const tx_planned *tx_plan_find(const tx_plan *plan, const tx_node *node, const char *call);
/* plan_wanted.c: the gradient of parameter k of a node is wanted; what runs backward. */
int tx_plan_trains(const tx_plan *plan, const tx_node *node, int k);
void tx_plan_wanted(tx_plan *plan);
extern const tx_slot tx_nowhere;

/* plan_arena.c: a new buffer's number, -1 without memory or where the size does not fit; longer life; places for all. */
int tx_arena_add(tx_plan *plan, size_t bytes, int time);
void tx_arena_touch(tx_plan *plan, int buffer, int time);
tx_status tx_arena_place(tx_plan *plan);

/* plan_place.c: a dense tensor of the node's shape; where the value of node i is read at some time, and keeping it alive. */
tx_status tx_plan_tensor(tx_plan *plan, const tx_node *node, int time, tx_slot *slot);
tx_slot tx_plan_value(const tx_plan *plan, int i, int time);
void tx_plan_touch(tx_plan *plan, int i, int time);
/* TX_NEEDS_X, TX_NEEDS_Y: what step i reads in backward beside its result's gradient. */
unsigned tx_plan_needs(const tx_plan *plan, int i);

/* Batch and mode are what there can be, and the graph is not empty. */
tx_status tx_plan_check(const tx_graph *graph, const tx_session_args *args);

/* plan_fuse.c, plan_views.c, plan_forward.c, plan_moments.c, plan_slopes.c, plan_recompute.c, plan_backward.c */
void tx_plan_fuse(tx_plan *plan);
void tx_plan_views(tx_plan *plan);
tx_status tx_plan_forward(tx_plan *plan, tx_step *step);
tx_status tx_plan_moments(tx_plan *plan);
void tx_plan_slopes(tx_plan *plan);
tx_status tx_plan_sums(tx_plan *plan);
/* Input k of a concatenation stands elsewhere and is copied into its result, from this channel on. */
int tx_plan_copies(const tx_plan *plan, int concat, int k, size_t *channel);
tx_status tx_plan_recompute(tx_plan *plan);
tx_status tx_plan_backward(tx_plan *plan);

/* Fills the shapes of a step (not its pointers) for n images. step->x and step->dx have room for the inputs. */
void tx_plan_step(const tx_plan *plan, int index, int n, tx_step *step);

#endif
