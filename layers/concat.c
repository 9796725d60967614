/* concat.c - concatenation along the channels.
 *
 * SHAPES   x[i], dx[i] (N,H,W,C[i])  y, dy (N,H,W,sum C[i])
 * FORWARD  y[..,c] = x[i][..,c - start[i]] for start[i] <= c < start[i] + C[i], start[i] = C[0] + .. + C[i-1]
 * BACKWARD dx[i][..,c] = dy[..,start[i] + c]
 * NUMERICS exact.
 * MEMORY   usually no copy at all: the planner lets the inputs be written into slices of y in the first place, and
 *          their gradients be slices of dy. What could not be placed so is copied.
 * SOURCE   Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842; Huang et al., "Densely Connected
 *          Convolutional Networks", arXiv:1608.06993, equation 2.
 * TESTS    test/layers_elementwise.c, test/golden/op_misc.txt */
#include "layers_private.h"

#include <limits.h>

static tx_status concat_shape(tx_node *node)
{
    if (node->inputs < 1)
        return tx_fail(TX_ERR_ARGUMENT, "nothing to concatenate");
    const tx_node *first = node->input[0];
    node->h = first->h;
    node->w = first->w;
    for (int i = 0; i < node->inputs; i++) {
        const tx_node *x = node->input[i];
        if (x->h != first->h || x->w != first->w)
            return tx_fail(TX_ERR_ARGUMENT, "input %d is %d x %d, the first %d x %d", i, x->h, x->w, first->h,
                           first->w);
        if (x->c > INT_MAX - node->c)
            return tx_fail(TX_ERR_ARGUMENT, "more channels than an int can count");
        node->c += x->c;
    }
    return TX_OK;
}

/* ---- the definition */

typedef void copy_slice(const tx_reference_step *s, int input, size_t at_x, size_t at_y);

/* Calls f for every element of every input with its position in x and in y. */
static void for_each(const tx_reference_step *s, copy_slice *f)
{
    size_t pixels = (size_t)s->n * (size_t)s->node->h * (size_t)s->node->w, start = 0;
    for (int i = 0; i < s->node->inputs; i++) {
        size_t c = (size_t)s->node->input[i]->c;
        for (size_t p = 0; p < pixels; p++)
            for (size_t k = 0; k < c; k++)
                f(s, i, p * c + k, p * (size_t)s->node->c + start + k);
        start += c;
    }
}

static void copy_forward(const tx_reference_step *s, int input, size_t at_x, size_t at_y)
{
    s->y[at_y] = s->x[input][at_x];
}

static void copy_backward(const tx_reference_step *s, int input, size_t at_x, size_t at_y)
{
    if (s->dx[input])
        s->dx[input][at_x] += s->dy[at_y];
}

static void concat_reference_forward(tx_reference_step *s)
{
    for_each(s, copy_forward);
}

static void concat_reference_backward(tx_reference_step *s)
{
    for_each(s, copy_backward);
}

/* ---- what runs */

/* The channels of `wide` that are input i's. */
static tx_tensor slice(const tx_step *step, tx_tensor wide, int i)
{
    for (int k = 0; k < i; k++)
        wide.data += step->node->input[k]->c;
    wide.c = step->node->input[i]->c;
    return wide;
}

/* The scale and shift that input i is read through, beside those of the other inputs; 1 and -0 leave a value as it is. */
static void copy_coefficients(const tx_step *step, const tx_view *x, float *scale)
{
    float *shift = scale + step->node->c;
    for (int c = 0; c < x->c; c++) {
        scale[c] = x->scale ? x->scale[c] : 1.0f;
        shift[c] = x->shift ? x->shift[c] : -0.0f;
    }
}

/* As a view: what the inputs are views of, and their coefficients. */
static tx_status concat_forward(tx_step *step)
{
    tx_status status = TX_OK;
    float *scale = step->saved;
    for (int i = 0; i < step->node->inputs && status == TX_OK; i++) {
        tx_tensor y = slice(step, step->y, i);
        tx_view x = step->x[i];
        if (step->view) {
            copy_coefficients(step, &x, scale);
            scale += x.c;
            x.scale = x.shift = NULL;
            x.act = TX_ACT_NONE;
        }
        if (x.data != y.data)
            status = tx_channel_sum(step->machine, &y, &x, 1, TX_ACT_NONE);
    }
    return status;
}

static tx_status concat_backward(tx_step *step)
{
    tx_status status = TX_OK;
    for (int i = 0; i < step->node->inputs && status == TX_OK; i++) {
        const tx_gradient *dx = &step->dx[i];
        tx_tensor dy = slice(step, step->dy.g, i);
        if (dx->data && (dx->data != dy.data || dx->add))
            status = tx_channel_mask(step->machine, dx, &dy, NULL, TX_ACT_NONE);
    }
    return status;
}

const tx_op tx_op_concat = {
    .name = "concat",
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
    .reference_forward = concat_reference_forward,
    .reference_backward = concat_reference_backward,
    .kind = TX_CONCAT,
};

tx_node *tx_concat(tx_graph *graph, tx_node *const *nodes, int n)
{
    return tx_graph_add(graph, &tx_op_concat, "", nodes, n < 0 ? 0 : n, NULL, 0);
}
