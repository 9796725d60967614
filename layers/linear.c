/* linear.c - the fully connected layer; on a map, the same for every pixel.
 *
 * SHAPES   x, dx (N,H,W,I)  w, dw (I,O) in memory, (O,I) in files  b, db (O)  y, dy (N,H,W,O)   row r = (n,h,w)
 * FORWARD  y[r,o] = b[o] + sum over i of x[r,i] w[i,o]
 * BACKWARD y is linear in each of x, w and b:
 *          db[o] = sum over r of dy[r,o];  dw[i,o] = sum over r of x[r,i] dy[r,o];
 *          dx[r,i] = sum over o of dy[r,o] w[i,o]
 * NUMERICS y and dx: one chain of fused multiply-adds an output, i (o) ascending, then the bias, so that a row's
 *          digits do not depend on the others. dw in chunks of TX_GEMM_CHUNK rows, db of TX_CHUNK rows, in order.
 * MEMORY   the weights once more, packed; backward packs their transpose. Backward reads x.
 * SOURCE   the definition; weights and bias start from U(-1/sqrt(I), 1/sqrt(I)), as in torchvision's models.
 * TESTS    test/layers_linear.c, test/golden/op_misc.txt */
#include "layers_private.h"

#include <math.h>

enum { WEIGHT, BIAS, ALIGN = 64 };

static tx_status linear_shape(tx_node *node)
{
    const tx_linear_args *a = node->args;
    const tx_node *x = node->input[0];
    if (a->out < 1)
        return tx_fail(TX_ERR_ARGUMENT, "%d outputs, expected at least 1", a->out);
    node->h = x->h;
    node->w = x->w;
    node->c = a->out;
    tx_init init = {TX_INIT_UNIFORM, 1 / sqrt((double)x->c)};
    int shape[2] = {a->out, x->c};
    tx_status status = tx_node_param(node, "weight", TX_ROLE_TRAINED, init, 2, shape);
    if (status == TX_OK && !a->no_bias)
        status = tx_node_param(node, "bias", TX_ROLE_TRAINED, init, 1, shape);
    return status;
}

/* ---- the definition */

typedef struct sizes {
    size_t rows, in, out;
} sizes;

static sizes sizes_of(const tx_node *node, int n)
{
    return (sizes){(size_t)n * (size_t)node->h * (size_t)node->w, (size_t)node->input[0]->c, (size_t)node->c};
}

/* y = b + x w */
static void linear_reference_forward(tx_reference_step *s)
{
    sizes z = sizes_of(s->node, s->n);
    for (size_t r = 0; r < z.rows; r++)
        for (size_t o = 0; o < z.out; o++) {
            double sum = s->node->params > BIAS ? s->param[BIAS][o] : 0;
            for (size_t i = 0; i < z.in; i++)
                sum += s->x[0][r * z.in + i] * s->param[WEIGHT][i * z.out + o];
            s->y[r * z.out + o] = sum;
        }
}

/* db += dy;  dw += x' dy;  dx += dy w' */
static void linear_reference_backward(tx_reference_step *s)
{
    sizes z = sizes_of(s->node, s->n);
    for (size_t r = 0; r < z.rows; r++)
        for (size_t o = 0; o < z.out; o++) {
            double dy = s->dy[r * z.out + o];
            if (s->node->params > BIAS)
                s->dparam[BIAS][o] += dy;
            for (size_t i = 0; i < z.in; i++) {
                s->dparam[WEIGHT][i * z.out + o] += s->x[0][r * z.in + i] * dy;
                if (s->dx[0])
                    s->dx[0][r * z.in + i] += dy * s->param[WEIGHT][i * z.out + o];
            }
        }
}

/* ---- what runs */

static const tx_tap centre = {0, 0};

/* The pixels of a map as the rows of a matrix. */
static tx_rows rows_of(const tx_view *x)
{
    return (tx_rows){.x = *x, .grid_h = x->h, .grid_w = x->w, .step_y = 1, .step_x = 1, .taps = 1, .tap = &centre};
}

static tx_view view_of(const tx_tensor *t)
{
    return (tx_view){.data = t->data, .n = t->n, .h = t->h, .w = t->w, .c = t->c, .ld = t->ld};
}

/* Bytes, rounded up so that what follows is aligned. */
static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static void linear_plan(const tx_step *step, tx_workspace *space)
{
    sizes z = sizes_of(step->node, step->n);
    tx_view dy = view_of(&step->dy.g);
    tx_rows x_rows = rows_of(&step->x[0]), dy_rows = rows_of(&dy);
    space->algorithm = "matrix";
    space->macs = (double)step->node->h * (double)step->node->w * (double)z.in * (double)z.out;
    space->products = space->macs;
    space->prepared = tx_gemm_packed(z.in, z.out) * sizeof(float);
    space->work = tx_gemm_forward_work(step->machine, &x_rows, step->node->c);
    if (!step->backward)
        return;
    size_t work = tx_gemm_gradient_work(step->machine, &x_rows, step->node->c);
    work = tx_size_max(work, tx_gemm_forward_work(step->machine, &dy_rows, (int)z.in));
    work = tx_size_max(work, z.out * sizeof(double) + tx_channel_work(z.rows, step->node->c));
    space->work_backward = aligned(tx_gemm_packed(z.out, z.in) * sizeof(float)) + work;
}

static tx_status linear_prepare(tx_step *step)
{
    sizes z = sizes_of(step->node, step->n);
    tx_filter w = {.data = step->param[WEIGHT], .taps = 1, .c = (int)z.in, .row_step = z.out, .n = (int)z.out};
    w.column_step = 1;
    return tx_gemm_pack(step->machine, step->prepared, &w);
}

/* y = x w + b */
static tx_status linear_forward(tx_step *step)
{
    tx_rows x = rows_of(&step->x[0]);
    tx_target y = fused_target(step, step->param[BIAS], NULL);
    return tx_gemm_forward(step->machine, &x, step->prepared, step->node->c, &y, step->work);
}

/* db: sums over the rows */
static tx_status bias_gradient(tx_step *step, const tx_view *dy, double *sum)
{
    size_t out = (size_t)step->node->c;
    tx_status status = tx_channel_total(step->machine, dy, sum, sum + out);
    for (size_t o = 0; o < out; o++)
        step->grad[BIAS][o] = (float)sum[o];
    return status;
}

/* dx = add + dy w' */
static tx_status input_gradient(tx_step *step, const tx_view *dy, float *packed, void *work)
{
    sizes z = sizes_of(step->node, step->n);
    const tx_gradient *dx = &step->dx[0];
    tx_filter transpose = {.data = step->param[WEIGHT], .taps = 1, .c = (int)z.out, .row_step = 1, .n = (int)z.in};
    transpose.column_step = z.out;
    tx_status status = tx_gemm_pack(step->machine, packed, &transpose);
    tx_rows rows = rows_of(dy);
    tx_target to = {.data = dx->data, .ld = dx->ld, .h = dy->h, .w = dy->w, .step_y = 1, .step_x = 1};
    to.add = dx->add;
    to.add_ld = dx->add_ld;
    return status ? status : tx_gemm_forward(step->machine, &rows, packed, (int)z.in, &to, work);
}

static tx_status linear_backward(tx_step *step)
{
    sizes z = sizes_of(step->node, step->n);
    tx_view dy = view_of(&step->dy.g);
    tx_rows x = rows_of(&step->x[0]);
    float *packed = step->work;
    void *work = (char *)step->work + aligned(tx_gemm_packed(z.out, z.in) * sizeof(float));
    tx_status status = step->grad[BIAS] ? bias_gradient(step, &dy, work) : TX_OK;
    if (status == TX_OK && step->grad[WEIGHT])
        status = tx_gemm_gradient(step->machine, step->grad[WEIGHT], &x, &dy, 0, work);
    if (status == TX_OK && step->dx[0].data)
        status = input_gradient(step, &dy, packed, work);
    return status;
}

const tx_op tx_op_linear = {
    .name = "linear",
    .shape = linear_shape,
    .plan = linear_plan,
    .prepare = linear_prepare,
    .forward = linear_forward,
    .backward = linear_backward,
    .reference_forward = linear_reference_forward,
    .reference_backward = linear_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE,
    .needs = TX_NEEDS_X,
};

tx_node *tx_linear(tx_graph *graph, tx_node *x, const char *name, tx_linear_args args)
{
    return tx_graph_add(graph, &tx_op_linear, name, &x, 1, &args, sizeof args);
}
