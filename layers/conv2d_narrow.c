/* conv2d_narrow.c - convolution in groups of so few channels that products of slices would compute mostly what nobody wants.
 *
 * Sixteen groups side by side are depthwise convolutions: let x_c be the sixteen channels that are the c-th of these groups,
 * y_j the sixteen results that are the j-th, w_cj the weights between them. Then
 *
 *     y_j = sum over c of x_c * w_cj      dx_c = sum over j of the gradient of x_c by y_j      dw_cj = that of w_cj by y_j
 *
 * each of them depthwise (core/depthwise.c), the sums in ascending order of c and j. An image and sixteen groups are a task: it
 * copies its channels into planes of sixteen, which stay in the second cache, and results from such planes to their place. dw
 * of each image by itself, the images added in order in double. Groups that are missing from the
 * last sixteen are lanes that nobody reads. */
#include "conv2d.h"

#include <string.h>

enum {
    LANES = 16,     /* groups of a task */
    MOST_SIDE = 8,  /* channels of a group, on one side, up to which this takes less time than products, */
    LEAST_TAPS = 4, /* with as many taps: passes over the planes are shared by too few multiply-adds else */
    MOST_PAIRS = 256
};

int tx_conv2d_is_narrow(const tx_node *node)
{
    const conv_args *a = node->args;
    int ci = group_inputs(node), co = group_results(node);
    return a->groups > 1 && (a->taps >= LEAST_TAPS || ci * co <= 2) && (ci <= MOST_SIDE || co <= MOST_SIDE) &&
           ci * co <= MOST_PAIRS;
}

/* ---------------------------------------------------------------------------------- sizes */

typedef struct narrow {
    size_t ci, co, groups, blocks, taps;
    size_t in, out;     /* floats of a plane of x, of y */
    size_t weight;      /* floats of a block's weights: [c][j][tap][lane] */
    size_t row;         /* floats that a row of x or y takes, as its reader sees it */
    size_t work, total; /* of a task: bytes of the convolution's own; floats in all */
} narrow;

static tx_depthwise window_of(const tx_node *node)
{
    const conv_args *a = node->args;
    return (tx_depthwise){a->kh, a->kw, a->sh, a->sw, a->dlh, a->dlw, a->ph, a->pw};
}

static tx_machine alone(const tx_step *s)
{
    return (tx_machine){1, s->machine->kernels};
}

/* Sixteen channels of one image's input. */
static tx_view plane_of(const tx_node *x, const float *data)
{
    return (tx_view){.data = data, .n = 1, .h = x->h, .w = x->w, .c = LANES, .ld = LANES};
}

static size_t up(size_t floats)
{
    return (floats + LANES - 1) / LANES * LANES;
}

static narrow sizes_of(const tx_step *s, int backward)
{
    const tx_node *node = s->node, *x = node->input[0];
    const conv_args *a = node->args;
    tx_machine one = alone(s);
    tx_depthwise d = window_of(node);
    tx_view plane = plane_of(x, NULL);
    narrow z = {.ci = (size_t)group_inputs(node), .co = (size_t)group_results(node), .groups = (size_t)a->groups};
    z.blocks = (z.groups + LANES - 1) / LANES;
    z.taps = (size_t)a->taps;
    z.in = (size_t)x->h * (size_t)x->w * LANES;
    z.out = (size_t)node->h * (size_t)node->w * LANES;
    z.weight = z.ci * z.co * z.taps * LANES;
    z.row = tx_size_max((size_t)x->w * z.ci, (size_t)node->w * z.co) * LANES;
    z.work = backward ? tx_depthwise_gradient_work(&one, &d, &plane, node->h, node->w)
                      : tx_depthwise_forward_work(&one, &d, &plane, node->h, node->w);
    z.total = (backward ? 2 : 1) * z.ci * z.in + z.co * z.out + z.row + up(z.work / sizeof(float) + 1);
    return z;
}

/* Packed weights; then scale and shift of a folded batch norm. */
static size_t weight_floats(const narrow *z)
{
    return z->blocks * z->weight;
}

size_t tx_conv2d_narrow_prepared(const tx_step *s)
{
    narrow z = sizes_of(s, 0);
    return weight_floats(&z) * sizeof(float) + fold_bytes(s);
}

/* Before all else in the work memory: a status for each thread. */
static size_t status_floats(const tx_step *s)
{
    return up((size_t)s->machine->threads * sizeof(tx_status) / sizeof(float));
}

size_t tx_conv2d_narrow_work(const tx_step *s)
{
    narrow z = sizes_of(s, 0);
    return (status_floats(s) + z.total * (size_t)s->machine->threads) * sizeof(float);
}

size_t tx_conv2d_narrow_backward_work(const tx_step *s)
{
    narrow z = sizes_of(s, 1);
    return (status_floats(s) + z.total * (size_t)s->machine->threads + weight_floats(&z) * (1 + (size_t)s->n)) *
           sizeof(float);
}

/* ---------------------------------------------------------------------------------- weights */

/* Where the weight of a group stands among packed ones, and in memory. */
static size_t packed_place(const narrow *z, size_t group, size_t tap, size_t c, size_t j)
{
    return group / LANES * z->weight + ((c * z->co + j) * z->taps + tap) * LANES + group % LANES;
}

static size_t weight_place(const narrow *z, size_t group, size_t tap, size_t c, size_t j)
{
    return ((tap * z->ci + c) * z->groups + group) * z->co + j;
}

static void pack_weight(const narrow *z, const float *w, float *packed)
{
    memset(packed, 0, weight_floats(z) * sizeof(float));
    for (size_t i = 0; i < z->groups * z->taps * z->ci * z->co; i++) {
        size_t j = i % z->co, group = i / z->co % z->groups, c = i / z->co / z->groups % z->ci;
        size_t tap = i / z->co / z->groups / z->ci;
        packed[packed_place(z, group, tap, c, j)] = w[weight_place(z, group, tap, c, j)];
    }
}

/* The parts of all images, one after the other, as the weight's gradient. */
static void add_parts(const narrow *z, const float *part, size_t images, float *dw)
{
    for (size_t i = 0; i < z->groups * z->taps * z->ci * z->co; i++) {
        size_t j = i % z->co, group = i / z->co % z->groups, c = i / z->co / z->groups % z->ci;
        size_t tap = i / z->co / z->groups / z->ci;
        double sum = 0;
        for (size_t n = 0; n < images; n++)
            sum += (double)part[n * weight_floats(z) + packed_place(z, group, tap, c, j)];
        dw[weight_place(z, group, tap, c, j)] = (float)sum;
    }
}

static float *fold_of(const narrow *z, const tx_step *s)
{
    return (float *)s->prepared + weight_floats(z);
}

tx_status tx_conv2d_narrow_prepare(tx_step *s)
{
    narrow z = sizes_of(s, 0);
    pack_weight(&z, s->param[0], s->prepared);
    return fold_prepare(s, fold_of(&z, s));
}

/* ---------------------------------------------------------------------------------- planes */

/* Planes of sixteen from rows of `groups` times k channels: lane g of plane j is channel g*k + j. */
static void to_planes(const float *row, size_t ld, size_t pixels, size_t k, size_t groups, float *plane, size_t apart)
{
    for (size_t p = 0; p < pixels; p++)
        for (size_t j = 0; j < k; j++) {
            float *to = plane + j * apart + p * LANES;
            for (size_t g = 0; g < groups; g++)
                to[g] = row[p * ld + g * k + j];
        }
}

/* And back, what stands at `add` added, a pixel add_ld (0: the same for all) behind the other; add may be NULL or `to`. */
static void from_planes(const float *plane, size_t apart, size_t pixels, size_t k, size_t groups, const float *add,
                        size_t add_ld, float *to, size_t ld)
{
    for (size_t p = 0; p < pixels; p++)
        for (size_t g = 0; g < groups; g++)
            for (size_t j = 0; j < k; j++) {
                float value = plane[j * apart + p * LANES + g];
                size_t at = g * k + j;
                to[p * ld + at] = add ? add[p * add_ld + at] + value : value;
            }
}

/* What one task is about. */
typedef struct narrow_task {
    const tx_step *s;
    narrow z;
    const float *packed;
    float *part, *work; /* part: of dw */
    tx_status *status;  /* one a thread */
} narrow_task;

/* The image, its block of groups and how many these are, and the thread's memory. */
typedef struct place {
    size_t image, block, groups;
    float *x, *y, *dx, *row, *own;
    tx_machine machine;
    tx_depthwise window;
} place;

static place place_of(const narrow_task *t, size_t i, int worker, int backward)
{
    const narrow *z = &t->z;
    place at = {.image = i / z->blocks, .block = i % z->blocks, .machine = alone(t->s)};
    size_t left = z->groups - at.block * LANES;
    at.groups = left < LANES ? left : LANES;
    at.window = window_of(t->s->node);
    at.x = t->work + (size_t)worker * z->total;
    at.y = at.x + z->ci * z->in;
    at.dx = at.y + z->co * z->out;
    at.row = at.dx + (backward ? z->ci * z->in : 0);
    at.own = at.row + z->row;
    return at;
}

/* The block's channels of the image, as x's reader sees them. */
static tx_status load_x(const narrow_task *t, const place *at)
{
    const narrow *z = &t->z;
    tx_view x = t->s->x[0];
    size_t first = at->block * LANES * z->ci, pixels = (size_t)x.h * (size_t)x.w;
    tx_view row = x;
    row.n = row.h = 1;
    row.c = (int)(at->groups * z->ci);
    row.data = x.data + at->image * pixels * x.ld + first;
    if (x.scale) {
        row.scale = x.scale + first;
        row.shift = x.shift + first;
    }
    if (x.gate)
        row.gate = x.gate + at->image * x.gate_ld + first;
    if (!x.scale && !x.gate && x.act == TX_ACT_NONE) {
        to_planes(row.data, x.ld, pixels, z->ci, at->groups, at->x, z->in);
        return TX_OK;
    }
    tx_tensor seen = {at->row, 1, 1, x.w, row.c, (size_t)row.c};
    tx_status status = TX_OK;
    for (int y = 0; y < x.h && status == TX_OK; y++) {
        status = tx_channel_sum(&at->machine, &seen, &row, 1, TX_ACT_NONE);
        to_planes(at->row, seen.ld, (size_t)x.w, z->ci, at->groups, at->x + (size_t)y * (size_t)x.w * LANES, z->in);
        row.data += (size_t)x.w * x.ld;
    }
    return status;
}

static const float *weight_at(const narrow_task *t, const place *at, size_t c, size_t j)
{
    return t->packed + at->block * t->z.weight + (c * t->z.co + j) * t->z.taps * LANES;
}

/* ---------------------------------------------------------------------------------- forward */

/* A folded batch norm, addend and activation, of the block's results of the image where they stand. */
static tx_status finish_y(const narrow_task *t, const place *at, tx_tensor y)
{
    const tx_step *s = t->s;
    size_t first = at->block * LANES * t->z.co;
    if (!s->fold && !s->has_add && s->act == TX_ACT_NONE)
        return TX_OK;
    tx_view from[2] = {{.data = y.data, .n = 1, .h = y.h, .w = y.w, .c = y.c, .ld = y.ld}};
    from[1] = from[0];
    if (s->fold) {
        from[0].scale = fold_of(&t->z, s) + first;
        from[0].shift = from[0].scale + s->node->c;
    }
    if (s->has_add) {
        from[1].ld = s->add.ld;
        from[1].data = s->add.data + at->image * (size_t)y.h * (size_t)y.w * s->add.ld + first;
    }
    return tx_channel_sum(&at->machine, &y, from, 1 + s->has_add, s->act);
}

static tx_status forward_one(const narrow_task *t, const place *at)
{
    const tx_node *node = t->s->node;
    const narrow *z = &t->z;
    tx_status status = load_x(t, at);
    for (size_t i = 0; i < z->co * z->ci && status == TX_OK; i++) {
        size_t c = i % z->ci, j = i / z->ci;
        tx_view x = plane_of(node->input[0], at->x + c * z->in);
        tx_target to = {.data = at->y + j * z->out, .ld = LANES, .h = node->h, .w = node->w, .step_y = 1, .step_x = 1};
        to.add = c ? to.data : NULL;
        to.add_ld = LANES;
        status = tx_depthwise_forward(&at->machine, &at->window, &x, weight_at(t, at, c, j), &to, at->own);
    }
    if (status)
        return status;
    size_t pixels = (size_t)node->h * (size_t)node->w, ld = t->s->y.ld;
    tx_tensor y = {.n = 1, .h = node->h, .w = node->w, .c = (int)(at->groups * z->co), .ld = ld};
    y.data = t->s->y.data + at->image * pixels * ld + at->block * LANES * z->co;
    const float *bias = t->s->param[1] ? t->s->param[1] + at->block * LANES * z->co : NULL;
    from_planes(at->y, z->out, pixels, z->co, at->groups, bias, 0, y.data, ld);
    return finish_y(t, at, y);
}

static void forward_task(void *context, size_t i, int worker)
{
    const narrow_task *t = context;
    place at = place_of(t, i, worker, 0);
    tx_status status = forward_one(t, &at);
    if (status)
        t->status[worker] = status;
}

/* Runs the tasks; the first thread's failure that there was is theirs. */
static tx_status run_tasks(narrow_task *t, tx_task *task)
{
    const tx_machine *m = t->s->machine;
    t->status = t->s->work;
    for (int k = 0; k < m->threads; k++)
        t->status[k] = TX_OK;
    tx_status status = tx_parallel_on(m, (size_t)t->s->n * t->z.blocks, task, t);
    for (int k = 0; k < m->threads && status == TX_OK; k++)
        status = t->status[k];
    return status;
}

tx_status tx_conv2d_narrow_forward(tx_step *s)
{
    narrow_task t = {.s = s, .z = sizes_of(s, 0), .packed = s->prepared, .work = (float *)s->work + status_floats(s)};
    return run_tasks(&t, forward_task);
}

/* ---------------------------------------------------------------------------------- backward */

static void load_dy(const narrow_task *t, const place *at)
{
    const narrow *z = &t->z;
    const tx_tensor *g = &t->s->dy.g;
    size_t pixels = (size_t)g->h * (size_t)g->w;
    to_planes(g->data + at->image * pixels * g->ld + at->block * LANES * z->co, g->ld, pixels, z->co, at->groups, at->y,
              z->out);
}

static void store_dx(const narrow_task *t, const place *at)
{
    const narrow *z = &t->z;
    const tx_gradient *dx = &t->s->dx[0];
    size_t pixels = z->in / LANES, first = at->block * LANES * z->ci;
    const float *add = dx->add ? dx->add + at->image * pixels * dx->add_ld + first : NULL;
    from_planes(at->dx, z->in, pixels, z->ci, at->groups, add, dx->add_ld,
                dx->data + at->image * pixels * dx->ld + first, dx->ld);
}

static tx_status backward_one(const narrow_task *t, const place *at)
{
    const tx_node *node = t->s->node;
    const narrow *z = &t->z;
    int wants_dx = t->s->dx[0].data != NULL;
    float *part = t->part + at->image * weight_floats(z) + at->block * z->weight;
    tx_status status = load_x(t, at);
    load_dy(t, at);
    for (size_t i = 0; i < z->co * z->ci && status == TX_OK; i++) {
        size_t c = i / z->co, j = i % z->co;
        tx_view x = plane_of(node->input[0], at->x + c * z->in);
        tx_slope dy = {.g = {at->y + j * z->out, 1, node->h, node->w, LANES, LANES}};
        float *to = at->dx + c * z->in;
        tx_gradient dx = {wants_dx ? to : NULL, LANES, j ? to : NULL, LANES};
        status = tx_depthwise_gradient(&at->machine, &at->window, &x, weight_at(t, at, c, j), &dy, &dx,
                                       t->s->grad[0] ? part + i * z->taps * LANES : NULL, NULL, at->own);
    }
    if (status == TX_OK && wants_dx)
        store_dx(t, at);
    return status;
}

static void backward_task(void *context, size_t i, int worker)
{
    const narrow_task *t = context;
    place at = place_of(t, i, worker, 1);
    tx_status status = backward_one(t, &at);
    if (status)
        t->status[worker] = status;
}

tx_status tx_conv2d_narrow_backward(tx_step *s)
{
    narrow_task t = {.s = s, .z = sizes_of(s, 1)};
    float *packed = (float *)s->work + status_floats(s);
    if (!s->grad[0] && !s->dx[0].data)
        return TX_OK;
    t.packed = packed;
    t.part = packed + weight_floats(&t.z);
    t.work = t.part + (size_t)s->n * weight_floats(&t.z);
    pack_weight(&t.z, s->param[0], packed);
    tx_status status = run_tasks(&t, backward_task);
    if (status == TX_OK && s->grad[0])
        add_parts(&t.z, t.part, (size_t)s->n, s->grad[0]);
    return status;
}
