/* mean.c - the mean over a whole map, from the last map to one value a channel.
 *
 * SHAPES   x, dx (N,H,W,C)  y, dy (N,1,1,C)
 * FORWARD  y[n,c] = 1/(H W) sum over h,w of x[n,h,w,c]
 * BACKWARD dx[n,h,w,c] = dy[n,c] / (H W), the same for every pixel
 * NUMERICS in chunks of TX_CHUNK pixels counted from the image's first, combined in double: an image alone and in a
 *          batch gives the same digits.
 * MEMORY   x is read through its view; backward keeps one value a channel and image.
 * SOURCE   Lin, Chen, Yan, "Network In Network", arXiv:1312.4400, section 3.2.
 * TESTS    test/layers_pool.c, test/golden/op_norm_pool.txt */
#include "layers_private.h"

static tx_status mean_shape(tx_node *node)
{
    node->h = 1;
    node->w = 1;
    node->c = node->input[0]->c;
    return TX_OK;
}

/* ---- the definition */

static size_t area_of(const tx_node *node)
{
    return (size_t)node->input[0]->h * (size_t)node->input[0]->w;
}

static void mean_reference_forward(tx_reference_step *s)
{
    size_t area = area_of(s->node), channels = (size_t)s->node->c;
    for (size_t i = 0; i < (size_t)s->n * channels; i++)
        s->y[i] = 0;
    for (size_t i = 0; i < (size_t)s->n * area * channels; i++)
        s->y[i / (area * channels) * channels + i % channels] += s->x[0][i] / (double)area;
}

static void mean_reference_backward(tx_reference_step *s)
{
    size_t area = area_of(s->node), channels = (size_t)s->node->c;
    for (size_t i = 0; i < (size_t)s->n * area * channels && s->dx[0]; i++)
        s->dx[0][i] += s->dy[i / (area * channels) * channels + i % channels] / (double)area;
}

/* ---- what runs */

static void mean_plan(const tx_step *step, tx_workspace *space)
{
    if (step->backward)
        space->work_backward = (size_t)step->node->c * sizeof(float);
}

static tx_status mean_forward(tx_step *step)
{
    return tx_channel_image_mean(step->machine, &step->y, &step->x[0]);
}

static tx_status mean_backward(tx_step *step)
{
    if (!step->dx[0].data)
        return TX_OK;
    const tx_node *x = step->node->input[0];
    size_t area = area_of(step->node), channels = (size_t)step->node->c;
    float *share = step->work;
    tx_tensor spread = {.data = share, .n = 1, .h = x->h, .w = x->w, .c = x->c, .ld = 0};
    tx_gradient dx = step->dx[0];
    tx_status status = TX_OK;
    for (int n = 0; n < step->n && status == TX_OK; n++) {
        for (size_t c = 0; c < channels; c++)
            share[c] = step->dy.g.data[(size_t)n * step->dy.g.ld + c] / (float)area;
        status = tx_channel_mask(step->machine, &dx, &spread, NULL, TX_ACT_NONE);
        dx.data += area * dx.ld;
        dx.add = dx.add ? dx.add + area * dx.add_ld : NULL;
    }
    return status;
}

const tx_op tx_op_mean = {
    .name = "global_mean",
    .shape = mean_shape,
    .plan = mean_plan,
    .forward = mean_forward,
    .backward = mean_backward,
    .reference_forward = mean_reference_forward,
    .reference_backward = mean_reference_backward,
    .reads = TX_READS_VIEW | TX_READS_GATE,
};

tx_node *tx_global_mean(tx_graph *graph, tx_node *x)
{
    return tx_graph_add(graph, &tx_op_mean, "", &x, 1, NULL, 0);
}
